//! The hotline desk: who rings, who it is, what they need; and the orders that come of it.

mod history;
mod new_order;
mod ordering;
mod queue;
mod talk;

use app::{
    orders::calls::{self, Call, CallRefusal, Outcome},
    outcome::{Answer, Never, No},
    store::Tx,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use domain::{
    access::Actor,
    ids::{CallId, PersonId},
    orders::OrderRefusal,
    time::Now,
};
use serde::Deserialize;

use crate::{App, Html, Page, Problem, Reply, Signed, filters, see, see_with};

pub use history::index as history;
pub use new_order::{create as create_order, show as new_order};
pub use ordering::OrderForm;

use ordering::Place;
use queue::{Queue, Status};
use talk::{Asked, Context, NowPart};

#[derive(Template)]
#[template(path = "hotline/desk.html")]
struct Desk {
    page: Page,
    now: String,
    /// The call that was opened; none when the desk offers one by itself.
    chosen: Option<CallId>,
    /// The middle follows what rings, because nothing is being typed there.
    follows: bool,
    queue: Queue,
    part: NowPart,
    aside: Aside,
    status: Status,
}

/// The right column: what is known of whoever the middle shows.
#[derive(Template)]
#[template(path = "hotline/aside.html")]
struct Aside {
    page: Page,
    context: Option<Context>,
}

impl Desk {
    fn load(
        tx: &mut Tx<'_>,
        actor: &Actor,
        app: &App,
        page: Page,
        call: Option<&Call>,
        asked: &Asked,
        now: Now,
    ) -> Answer<Desk> {
        let part = match call {
            Some(call) => NowPart::of_call(tx, actor, page.clone(), call, asked, now)?,
            None => NowPart::waiting(tx, actor, page.clone(), now)?,
        };
        let current = call.map(|c| c.id).or(part.ring.as_ref().map(|r| r.id));
        let context = match &part.who {
            Some(who) => Some(Context::load(tx, actor, page.clone(), who.id, now)?),
            None => None,
        };
        Ok(Desk {
            now: now.0.rfc3339(),
            chosen: call.map(|c| c.id),
            follows: !part.ring.as_ref().is_some_and(|r| r.stage.mine()),
            queue: Queue::load(tx, actor, page.clone(), current, now)?,
            part,
            aside: Aside { page: page.clone(), context },
            status: Status::load(tx, actor, app, page.clone(), now)?,
            page,
        })
    }

    /// Where a part is fetched anew: for the call that was chosen, or for whatever rings longest by then.
    fn source(&self, part: &str) -> String {
        match self.chosen {
            Some(call) => format!("/hotline/{part}?call={call}"),
            None => format!("/hotline/{part}"),
        }
    }
}

fn id_of(text: &str) -> Reply<CallId> {
    text.parse().map_err(|_| Problem::not_found())
}

fn here(id: CallId) -> String {
    format!("/hotline/calls/{id}")
}

/// The desk without a call in hand: the longest ringing one is offered.
pub async fn desk(State(app): State<App>, page: Page, signed: Signed) -> Reply {
    let actor = signed.actor();
    let page = page.titled("热线", "hotline");
    let state = app.clone();
    let desk = app
        .read(move |tx, now| match talk::in_hand(tx, &actor)? {
            Some(call) => Ok::<_, No<Never>>(Err(call)),
            None => Desk::load(tx, &actor, &state, page.clone(), None, &Asked::default(), now).map(Ok),
        })
        .await?;
    Ok(match desk {
        Ok(desk) => Html(desk).into_response(),
        Err(call) => see(here(call)),
    })
}

/// What the address of a call may ask for.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    /// What was typed to order.
    line: Option<String>,
    /// Words to look somebody up by.
    who: Option<String>,
    /// Which call is shown, for the queue.
    call: Option<String>,
}

/// The desk with one call.
pub async fn show(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Reply {
    let order = OrderForm::of_line(wanted.line);
    let asked = Asked { search: wanted.who, order, ..Asked::default() };
    open(&app, page, &signed, id_of(&id)?, asked, StatusCode::OK).await
}

async fn open(app: &App, page: Page, signed: &Signed, id: CallId, asked: Asked, status: StatusCode) -> Reply {
    let actor = signed.actor();
    let page = page.titled("热线", "hotline");
    let state = app.clone();
    let desk = app
        .read(move |tx, now| {
            let call = calls::call(tx, &actor, id)?;
            Desk::load(tx, &actor, &state, page.clone(), Some(&call), &asked, now)
        })
        .await?;
    Ok((status, Html(desk)).into_response())
}

/// The queue alone, fetched anew when something happens.
pub async fn queue(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(wanted): Query<Wanted>,
) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let current = wanted.call.as_deref().and_then(|c| c.parse().ok());
    Ok(Html(app.read(move |tx, now| Queue::load(tx, &actor, page.clone(), current, now)).await?))
}

/// The middle alone, while nothing is typed there.
pub async fn now(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(wanted): Query<Wanted>,
) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let call: Option<CallId> = wanted.call.as_deref().and_then(|c| c.parse().ok());
    let part = app.read(move |tx, now| middle(tx, &actor, page.clone(), call, now)).await?;
    Ok(Html(part))
}

fn middle(tx: &mut Tx<'_>, actor: &Actor, page: Page, call: Option<CallId>, now: Now) -> Answer<NowPart> {
    match call {
        None => NowPart::waiting(tx, actor, page, now),
        Some(id) => {
            let call = calls::call(tx, actor, id)?;
            NowPart::of_call(tx, actor, page, &call, &Asked::default(), now)
        }
    }
}

/// What is known of whoever the middle shows: it must never be that of the call before.
pub async fn context(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(wanted): Query<Wanted>,
) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let call: Option<CallId> = wanted.call.as_deref().and_then(|c| c.parse().ok());
    let aside = app
        .read(move |tx, now| {
            let who = middle(tx, &actor, page.clone(), call, now)?.who;
            let context = match who {
                Some(who) => Some(Context::load(tx, &actor, page.clone(), who.id, now)?),
                None => None,
            };
            Ok::<_, No<Never>>(Aside { page: page.clone(), context })
        })
        .await?;
    Ok(Html(aside))
}

/// Who is on and how fast calls were answered, fetched anew.
pub async fn status(State(app): State<App>, page: Page, signed: Signed) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let state = app.clone();
    Ok(Html(app.read(move |tx, now| Status::load(tx, &actor, &state, page.clone(), now)).await?))
}

/// Answers a call. Whoever was slower is told who has it.
pub async fn answer(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply {
    let id = id_of(&id)?;
    let actor = signed.actor();
    match app.write(move |tx, now| calls::answer(tx, &actor, id, now)).await {
        Ok(_) => Ok(see(here(id))),
        Err(No::Refused(refusal)) => Ok(see_with("/hotline", &refusal.to_string(), None)),
        Err(no) => Err(no.into()),
    }
}

/// Who is calling.
#[derive(Debug, Deserialize)]
pub struct PersonForm {
    person: String,
}

/// Says who is calling.
pub async fn identify(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    Form(form): Form<PersonForm>,
) -> Reply {
    let id = id_of(&id)?;
    let person: PersonId = form.person.parse().map_err(|_| Problem::not_found())?;
    let actor = signed.actor();
    app.write(move |tx, now| calls::identify(tx, &actor, id, person, now)).await?;
    Ok(see(here(id)))
}

/// What was typed while talking, and how the call ended.
#[derive(Debug, Clone, Deserialize)]
pub struct TalkForm {
    text: Option<String>,
    outcome: Option<String>,
}

/// Keeps what is typed, while it is typed.
pub async fn note(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(form): Form<TalkForm>,
) -> Reply {
    let id = id_of(&id)?;
    let actor = signed.actor();
    let text = form.text.unwrap_or_default();
    app.write(move |tx, now| calls::note(tx, &actor, id, &text, now)).await?;
    if headers.contains_key("hx-request") {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(see_with(&here(id), "记录已保存", None))
}

/// Ends a call with an outcome; what was typed last is kept with it.
pub async fn close(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    Form(form): Form<TalkForm>,
) -> Reply {
    let id = id_of(&id)?;
    let actor = signed.actor();
    let (text, outcome) = (form.text.clone(), form.outcome.as_deref().and_then(Outcome::from_code));
    let Some(outcome) = outcome else {
        let asked =
            Asked { refused: "请选择办结结果".to_owned(), note: form.text, ..Asked::default() };
        return open(&app, page, &signed, id, asked, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let ended = app
        .write(move |tx, now| {
            if let Some(text) = &text {
                calls::note(tx, &actor, id, text, now)?;
            }
            calls::close(tx, &actor, id, outcome, now)
        })
        .await;
    match ended {
        Ok(()) => Ok(see_with("/hotline", &format!("来电已办结：{}", outcome.label()), None)),
        Err(No::Refused(refusal @ (CallRefusal::Closed | CallRefusal::NotAnswered))) => {
            let asked = Asked { refused: refusal.to_string(), note: form.text, ..Asked::default() };
            open(&app, page, &signed, id, asked, StatusCode::CONFLICT).await
        }
        Err(no) => Err(no.into()),
    }
}

/// Places the order the line was understood as.
pub async fn order(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    Form(form): Form<OrderForm>,
) -> Reply<Response> {
    let id = id_of(&id)?;
    let actor = signed.actor();
    let typed = form.clone();
    let placed = app
        .write(move |tx, now| {
            let call = calls::call(tx, &actor, id).map_err(|no| no.map(|never| match never {}))?;
            let person =
                call.person.ok_or(No::Refused(OrderRefusal::Missing { what: "来电的是哪位老人" }))?;
            if call.closed_at.is_some() {
                return Err(No::Refused(OrderRefusal::Missing {
                    what: "新的来电：这通电话已经结束，请到老人档案里下单",
                }));
            }
            ordering::place(tx, &actor, Place { person, call: Some(id) }, &typed, now)
        })
        .await;
    match placed {
        Ok(_) => Ok(see_with(&here(id), "已下单，派单员已看到", None)),
        Err(No::Refused(refusal)) => {
            let refused = refusal.to_string();
            let status = Problem::from(No::Refused(refusal)).status();
            let asked = Asked { refused, order: form, ..Asked::default() };
            open(&app, page, &signed, id, asked, status).await
        }
        Err(no) => Err(no.into()),
    }
}
