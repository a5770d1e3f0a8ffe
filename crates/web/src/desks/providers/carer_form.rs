//! Entering and changing a carer.

use std::sync::Arc;

use app::{
    outcome::{Never, No},
    parties::{
        carers::{self, CarerAsk, CarerRefusal},
        providers,
    },
};
use askama::Template;
use axum::{
    Form as Body,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{
    access::Actor,
    ids::{CarerId, ProviderId},
};

use crate::{
    App, Html, Page, Problem, Reply, Signed,
    desks::fields::{Choice, Mistakes, Sent, region_options},
    filters, see_with,
};

const DAYS: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];

#[derive(Template)]
#[template(path = "carers/form.html")]
struct Form {
    page: Page,
    action: String,
    back: String,
    provider_name: String,
    ask: CarerAsk,
    mistakes: Mistakes,
    regions: Vec<Choice>,
    days: Vec<Choice>,
    /// An existing carer: a phone left masked is kept.
    known: bool,
}

/// Whose form it is.
#[derive(Clone, Copy)]
enum Of {
    New(ProviderId),
    Old(CarerId),
}

async fn form(
    app: &App,
    page: Page,
    actor: Arc<Actor>,
    of: Of,
    ask: CarerAsk,
    mistakes: Mistakes,
) -> Reply<Form> {
    let page =
        page.titled(if matches!(of, Of::Old(_)) { "修改服务人员" } else { "登记服务人员" }, "providers");
    let wanted = ask.region.clone();
    let (provider_name, regions) = app
        .read(move |tx, now| {
            let name = match of {
                Of::New(provider) => providers::provider(tx, &actor, provider, now)?.name,
                Of::Old(carer) => carers::carer(tx, &actor, carer)?.provider_name,
            };
            let regions = region_options(tx, &actor, &wanted, now)?;
            Ok::<_, No<Never>>((name, regions))
        })
        .await?;
    let (action, back) = match of {
        Of::New(provider) => (format!("/providers/{provider}/carers"), format!("/providers/{provider}")),
        Of::Old(carer) => (format!("/carers/{carer}"), format!("/carers/{carer}")),
    };
    let days = DAYS
        .iter()
        .zip(1u8..)
        .map(|(label, n)| Choice::new(n.to_string(), *label, ask.days.contains(&n)))
        .collect();
    let known = matches!(of, Of::Old(_));
    Ok(Form { page, action, back, provider_name, ask, mistakes, regions, days, known })
}

/// An empty form for a carer of a provider.
pub async fn new(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
) -> Reply<Html<impl Template>> {
    let id: ProviderId = id.parse().map_err(|_| Problem::not_found())?;
    let ask = CarerAsk {
        days: vec![1, 2, 3, 4, 5],
        from: "08:00".to_owned(),
        to: "17:00".to_owned(),
        languages: "普通话".to_owned(),
        ..CarerAsk::default()
    };
    Ok(Html(form(&app, page, signed.actor(), Of::New(id), ask, Mistakes::default()).await?))
}

/// The form with what is known.
pub async fn edit(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
) -> Reply<Html<impl Template>> {
    let id: CarerId = id.parse().map_err(|_| Problem::not_found())?;
    let actor = signed.actor();
    let c = app.read(move |tx, _| carers::carer(tx, &actor, id)).await?;
    let ask = CarerAsk {
        name: c.name,
        sex: c.sex.label().to_owned(),
        birth: c.birth.to_string(),
        phone: c.phone_masked,
        region: c.region.to_string(),
        lon: None,
        lat: None,
        languages: c.languages,
        days: (1..=7).filter(|day| c.work_days >> (day - 1) & 1 == 1).collect(),
        from: carers::clock(c.work_from),
        to: carers::clock(c.work_to),
        takes_at_once: c.takes_at_once,
    };
    Ok(Html(form(&app, page, signed.actor(), Of::Old(id), ask, Mistakes::default()).await?))
}

fn typed(sent: Vec<(String, String)>) -> CarerAsk {
    let sent = Sent(sent);
    CarerAsk {
        name: sent.text("name"),
        sex: sent.text("sex"),
        birth: sent.text("birth"),
        phone: sent.text("phone"),
        region: sent.text("region"),
        lon: None,
        lat: None,
        languages: sent.text("languages"),
        days: sent.all("days").iter().filter_map(|day| day.parse().ok()).collect(),
        from: sent.text("from"),
        to: sent.text("to"),
        takes_at_once: sent.text("takes_at_once") == "yes",
    }
}

/// Enters a carer.
pub async fn create(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    Body(sent): Body<Vec<(String, String)>>,
) -> Reply {
    let id: ProviderId = id.parse().map_err(|_| Problem::not_found())?;
    let (ask, actor) = (typed(sent), signed.actor());
    let wish = ask.clone();
    let answer = app.write(move |tx, now| carers::enter(tx, &actor, id, &wish, now)).await;
    match answer {
        Ok(carer) => Ok(see_with(&format!("/carers/{carer}"), "已登记服务人员，请补充证书", None)),
        Err(no) => again(&app, page, signed, Of::New(id), ask, no).await,
    }
}

/// Changes a carer.
pub async fn update(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    Body(sent): Body<Vec<(String, String)>>,
) -> Reply {
    let id: CarerId = id.parse().map_err(|_| Problem::not_found())?;
    let (ask, actor) = (typed(sent), signed.actor());
    let wish = ask.clone();
    let answer = app.write(move |tx, now| carers::edit(tx, &actor, id, &wish, now)).await;
    match answer {
        Ok(()) => Ok(see_with(&format!("/carers/{id}"), "已保存", None)),
        Err(no) => again(&app, page, signed, Of::Old(id), ask, no).await,
    }
}

async fn again(
    app: &App,
    page: Page,
    signed: Signed,
    of: Of,
    ask: CarerAsk,
    no: No<CarerRefusal>,
) -> Reply<Response> {
    let No::Refused(refusal) = no else { return Err(no.into()) };
    let mistakes = Mistakes::of(refusal.wrongs());
    let form = form(app, page, signed.actor(), of, ask, mistakes).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(form)).into_response())
}
