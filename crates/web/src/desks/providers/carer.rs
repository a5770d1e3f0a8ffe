//! One carer: certificates, hours, leave.

use app::{
    outcome::{Never, No},
    parties::carers::{self, Carer, CarerRefusal, CertificateAsk, Held, Standing},
    regions,
};
use askama::Template;
use axum::{
    Form as Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use domain::{access::Act, ids::CarerId, parties::Certificate};
use serde::Deserialize;

use super::{Chip, leave_words, standing_chip, until};
use crate::{
    App, Html, Page, Problem, Reply, Signed,
    desks::fields::{Choice, Mistakes, Sent},
    filters, see_with,
};

struct Paper {
    held: Held,
    until: String,
    chip: Chip,
}

#[derive(Template)]
#[template(path = "carers/show.html")]
struct Show {
    page: Page,
    home: String,
    hours: String,
    age: u16,
    rating: Option<String>,
    leave: Option<String>,
    papers: Vec<Paper>,
    kinds: Vec<Choice>,
    ask: CertificateAsk,
    mistakes: Mistakes,
    today: String,
    may_edit: bool,
    carer: Carer,
}

async fn shown(
    app: &App,
    page: Page,
    signed: &Signed,
    id: CarerId,
    ask: CertificateAsk,
    mistakes: Mistakes,
) -> Reply<Show> {
    let actor = signed.actor();
    let edits = actor.may(Act::EditProviders).is_ok();
    let (carer, home, today) = app
        .read(move |tx, now| {
            let carer = carers::carer(tx, &actor, id)?;
            let home = regions::book(tx)?.path_of(carer.region);
            Ok::<_, No<Never>>((carer, home, now.day()))
        })
        .await?;
    let page = page.titled(&carer.name, "providers");
    let paper = |held: &Held| Paper {
        until: until(held.valid_to),
        chip: standing_chip(held.standing(today)),
        held: held.clone(),
    };
    let mut papers: Vec<Paper> = carer.certificates.iter().map(paper).collect();
    papers.sort_by_key(|p| matches!(p.held.standing(today), Standing::Renewed));
    let kinds =
        Certificate::ALL.iter().map(|c| Choice::new(c.code(), c.label(), c.code() == ask.skill)).collect();
    Ok(Show {
        home,
        hours: carer.hours(),
        age: domain::parties::age::full_years(carer.birth, today).unwrap_or_default(),
        rating: carer
            .rating_tenths()
            .map(|t| format!("{}.{} 星（{} 次评价）", t / 10, t % 10, carer.ratings)),
        leave: leave_words(&carer, today),
        papers,
        kinds,
        ask,
        mistakes,
        today: today.to_string(),
        may_edit: edits && carer.left_at.is_none(),
        page,
        carer,
    })
}

fn id_of(text: &str) -> Reply<CarerId> {
    text.parse().map_err(|_| Problem::not_found())
}

/// The carer's page.
pub async fn show(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
) -> Reply<Html<impl Template>> {
    let ask = CertificateAsk::default();
    Ok(Html(shown(&app, page, &signed, id_of(&id)?, ask, Mistakes::default()).await?))
}

/// Adds a certificate.
pub async fn certify(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    Body(ask): Body<CertificateAsk>,
) -> Reply {
    let id = id_of(&id)?;
    let (actor, wish) = (signed.actor(), ask.clone());
    let answer = app.write(move |tx, now| carers::certify(tx, &actor, id, &wish, now)).await;
    done(&app, page, &signed, id, ask, answer, "已登记证书").await
}

/// Puts the carer on leave.
pub async fn leave(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    Body(sent): Body<Vec<(String, String)>>,
) -> Reply {
    let id = id_of(&id)?;
    let (actor, sent) = (signed.actor(), Sent(sent));
    let (from, to) = (sent.text("leave_from"), sent.text("leave_to"));
    let answer = app.write(move |tx, now| carers::leave(tx, &actor, id, &from, &to, now)).await;
    done(&app, page, &signed, id, CertificateAsk::default(), answer, "已登记休假，休假期间不派单").await
}

/// Ends a leave.
pub async fn back(State(app): State<App>, page: Page, signed: Signed, Path(id): Path<String>) -> Reply {
    let id = id_of(&id)?;
    let actor = signed.actor();
    let answer = app.write(move |tx, now| carers::back(tx, &actor, id, now)).await;
    done(&app, page, &signed, id, CertificateAsk::default(), answer, "已销假").await
}

/// Notes that the carer has left.
pub async fn depart(State(app): State<App>, page: Page, signed: Signed, Path(id): Path<String>) -> Reply {
    let id = id_of(&id)?;
    let actor = signed.actor();
    let answer = app.write(move |tx, now| carers::depart(tx, &actor, id, now)).await;
    done(&app, page, &signed, id, CertificateAsk::default(), answer, "已登记离职，不再派单").await
}

/// Goes back to the carer's page, or shows it with what is wrong.
async fn done(
    app: &App,
    page: Page,
    signed: &Signed,
    id: CarerId,
    ask: CertificateAsk,
    answer: Result<(), No<CarerRefusal>>,
    said: &str,
) -> Reply<Response> {
    match answer {
        Ok(()) => Ok(see_with(&format!("/carers/{id}"), said, None)),
        Err(No::Refused(refusal)) => {
            let mistakes = Mistakes::of(refusal.wrongs());
            let page = shown(app, page, signed, id, ask, mistakes).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response())
        }
        Err(no) => Err(no.into()),
    }
}

#[derive(Template)]
#[template(path = "carers/phone.html")]
struct PhonePage {
    page: Page,
    id: CarerId,
    name: String,
    phone: Option<String>,
}

/// Asks for the reason, for browsers without scripts.
pub async fn phone_page(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
) -> Reply<Html<impl Template>> {
    let id = id_of(&id)?;
    let actor = signed.actor();
    let carer = app.read(move |tx, _| carers::carer(tx, &actor, id)).await?;
    let page = page.titled("查看电话", "providers");
    Ok(Html(PhonePage { page, id, name: carer.name, phone: None }))
}

/// Why somebody wants to see it.
#[derive(Debug, Deserialize)]
pub struct Reason {
    #[serde(default)]
    reason: String,
}

/// Opens the phone.
pub async fn phone(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(form): Body<Reason>,
) -> Reply {
    let id = id_of(&id)?;
    // The page asks first without a reason, in case one is on record; here each opening has its own.
    if headers.contains_key("hx-request") && form.reason.trim().is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let (actor, reason) = (signed.actor(), form.reason);
    let phone = app.write(move |tx, now| carers::reveal_phone(tx, &actor, id, &reason, now)).await?;
    if headers.contains_key("hx-request") {
        return Ok(phone.into_response());
    }
    let actor = signed.actor();
    let carer = app.read(move |tx, _| carers::carer(tx, &actor, id)).await?;
    let page = page.titled("查看电话", "providers");
    Ok(Html(PhonePage { page, id, name: carer.name, phone: Some(phone) }).into_response())
}
