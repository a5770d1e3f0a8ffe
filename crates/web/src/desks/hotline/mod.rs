//! The hotline and alarm desk: who rings, who it is, what they need; the incidents and orders that come of it.

pub mod alarm;
mod history;
mod new_order;
mod ordering;
mod queue;
mod talk;

use app::{
    orders::calls::{self, CallRefusal, Outcome},
    outcome::{Answer, Never, No},
    signals::incidents,
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

use alarm::part::{AlarmAside, AlarmPart, Asked as AlarmAsked};
use ordering::Place;
use queue::{Chosen, Queue, Status};
use talk::{Asked, Context, NowPart};

#[derive(Template)]
#[template(path = "hotline/desk.html")]
struct Desk {
    page: Page,
    now: String,
    /// What was opened; none when the desk offers something by itself.
    chosen: Option<Chosen>,
    /// The middle follows what rings, because nothing is being typed there.
    follows: bool,
    queue: Queue,
    part: Middle,
    aside: Aside,
    status: Status,
}

/// The middle of the desk: a call or an incident.
enum Middle {
    Call(Box<NowPart>),
    Alarm(Box<AlarmPart>),
}

impl std::fmt::Display for Middle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Middle::Call(part) => part.fmt(f),
            Middle::Alarm(part) => part.fmt(f),
        }
    }
}

impl Middle {
    fn load(
        tx: &mut Tx<'_>,
        actor: &Actor,
        page: Page,
        chosen: Option<Chosen>,
        (call, alarm): (&Asked, &AlarmAsked),
        now: Now,
    ) -> Answer<Middle> {
        let shown = match chosen {
            Some(chosen) => Some(chosen),
            None => queue::offered(tx, actor)?,
        };
        Ok(match shown {
            Some(Chosen::Call(id)) => {
                let of = calls::call(tx, actor, id)?;
                Middle::Call(Box::new(NowPart::of_call(tx, actor, page, &of, call, now)?))
            }
            Some(Chosen::Alarm(id)) => {
                let sheet = incidents::incident(tx, actor, id)?;
                Middle::Alarm(Box::new(AlarmPart::load(tx, actor, page, &sheet, alarm, now)?))
            }
            None => Middle::Call(Box::new(NowPart::empty(page))),
        })
    }

    /// Whether the operator works here, so that nothing may be exchanged under the hands.
    fn mine(&self) -> bool {
        match self {
            Middle::Call(part) => part.ring.as_ref().is_some_and(|r| r.stage.mine()),
            Middle::Alarm(part) => part.stage.mine(),
        }
    }

    fn shown(&self) -> Option<Chosen> {
        match self {
            Middle::Call(part) => part.ring.as_ref().map(|r| Chosen::Call(r.id)),
            Middle::Alarm(part) => Some(Chosen::Alarm(part.id)),
        }
    }
}

/// The right column: what is known of whoever the middle shows.
#[derive(Template)]
#[template(path = "hotline/aside.html")]
struct Aside {
    page: Page,
    alarm: Option<AlarmAside>,
    context: Option<Context>,
}

impl Aside {
    fn load(tx: &mut Tx<'_>, actor: &Actor, page: Page, part: &Middle, now: Now) -> Answer<Aside> {
        let (mut alarm, mut context) = (None, None);
        match part {
            Middle::Alarm(part) => alarm = Some(AlarmAside::load(tx, actor, page.clone(), part, now)?),
            Middle::Call(part) => {
                if let Some(who) = &part.who {
                    context = Some(Context::load(tx, actor, page.clone(), who.id, now)?);
                }
            }
        }
        Ok(Aside { page, alarm, context })
    }
}

impl Desk {
    #[expect(clippy::too_many_arguments, reason = "what was asked of a call and of an incident come apart")]
    fn load(
        tx: &mut Tx<'_>,
        actor: &Actor,
        app: &App,
        page: Page,
        chosen: Option<Chosen>,
        call: &Asked,
        alarm: &AlarmAsked,
        now: Now,
    ) -> Answer<Desk> {
        let part = Middle::load(tx, actor, page.clone(), chosen, (call, alarm), now)?;
        Ok(Desk {
            now: now.0.rfc3339(),
            chosen,
            follows: !part.mine(),
            queue: Queue::load(tx, actor, page.clone(), part.shown(), now)?,
            aside: Aside::load(tx, actor, page.clone(), &part, now)?,
            part,
            status: Status::load(tx, actor, app, page.clone(), now)?,
            page,
        })
    }

    /// Where a part is fetched anew: for what was chosen, or for whatever comes first by then.
    fn source(&self, part: &str) -> String {
        match self.chosen {
            Some(Chosen::Call(call)) => format!("/hotline/{part}?call={call}"),
            Some(Chosen::Alarm(alarm)) => format!("/hotline/{part}?alarm={alarm}"),
            None => format!("/hotline/{part}"),
        }
    }
}

/// What happens to incidents that changes who should do what: the queue and a free middle follow it.
const ALARM_NEWS: &str = "incident-opened incident-rang incident-pressed_again incident-acknowledged incident-held \
    incident-level_changed incident-identified incident-handed_over incident-attached incident-members \
    incident-closed incident-reviewed incident-returned incident-reopened";
/// What is done about an incident without changing whose it is.
const STEP_NEWS: &str = "incident-noted incident-escalated incident-stepped incident-reached incident-sent \
    incident-errand reach-handed reach-changed";
/// All of it, for whoever works at one.
pub(crate) const WORK_NEWS: &str = "incident-rang incident-pressed_again incident-acknowledged incident-held \
    incident-level_changed incident-identified incident-handed_over incident-closed incident-noted \
    incident-escalated incident-stepped incident-reached incident-sent incident-errand";

fn id_of(text: &str) -> Reply<CallId> {
    text.parse().map_err(|_| Problem::not_found())
}

fn here(id: CallId) -> String {
    format!("/hotline/calls/{id}")
}

/// The desk: what one has in hand, else what comes first.
pub async fn desk(State(app): State<App>, page: Page, signed: Signed) -> Reply {
    let actor = signed.actor();
    let page = page.titled("热线与告警台", "hotline");
    let state = app.clone();
    let desk = app
        .read(move |tx, now| match queue::in_hand(tx, &actor)? {
            Some(Chosen::Call(call)) => Ok::<_, No<Never>>(Err(here(call))),
            Some(Chosen::Alarm(alarm)) => Ok(Err(alarm::here(alarm))),
            None => {
                let (call, alarm) = (Asked::default(), AlarmAsked::default());
                Desk::load(tx, &actor, &state, page.clone(), None, &call, &alarm, now).map(Ok)
            }
        })
        .await?;
    Ok(match desk {
        Ok(desk) => Html(desk).into_response(),
        Err(there) => see(there),
    })
}

/// What the address of a call may ask for.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    /// What was typed to order.
    line: Option<String>,
    /// Words to look somebody up by.
    who: Option<String>,
    /// Which call is shown.
    call: Option<String>,
    /// Which incident is shown.
    alarm: Option<String>,
}

impl Wanted {
    fn chosen(&self) -> Option<Chosen> {
        let call = self.call.as_deref().and_then(|c| c.parse().ok()).map(Chosen::Call);
        call.or(self.alarm.as_deref().and_then(|a| a.parse().ok()).map(Chosen::Alarm))
    }
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
    let page = page.titled("热线与告警台", "hotline");
    let state = app.clone();
    let desk = app
        .read(move |tx, now| {
            let (chosen, alarm) = (Some(Chosen::Call(id)), AlarmAsked::default());
            Desk::load(tx, &actor, &state, page.clone(), chosen, &asked, &alarm, now)
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
    let (actor, current) = (signed.actor(), wanted.chosen());
    Ok(Html(app.read(move |tx, now| Queue::load(tx, &actor, page.clone(), current, now)).await?))
}

/// The middle alone, while nothing is typed there.
#[derive(Template)]
#[template(source = "{{ part|safe }}", ext = "html")]
struct MiddlePart {
    part: Middle,
}

/// The middle alone, while nothing is typed there.
pub async fn now(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(wanted): Query<Wanted>,
) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let part = app
        .read(move |tx, now| {
            let asked = (&Asked::default(), &AlarmAsked::default());
            Middle::load(tx, &actor, page.clone(), wanted.chosen(), asked, now)
        })
        .await?;
    Ok(Html(MiddlePart { part }))
}

/// What is known of whoever the middle shows: it must never be that of the one before.
pub async fn context(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(wanted): Query<Wanted>,
) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let aside = app
        .read(move |tx, now| {
            let asked = (&Asked::default(), &AlarmAsked::default());
            let part = Middle::load(tx, &actor, page.clone(), wanted.chosen(), asked, now)?;
            Aside::load(tx, &actor, page.clone(), &part, now)
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

/// Goes on with a call another operator has in hand.
pub async fn take_over(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply {
    let id = id_of(&id)?;
    let actor = signed.actor();
    match app.write(move |tx, now| calls::take_over(tx, &actor, id, now)).await {
        Ok(_) => Ok(see_with(&here(id), "已接手这通电话", None)),
        Err(No::Refused(refusal)) => Ok(see_with(&here(id), &refusal.to_string(), None)),
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
        Err(No::Refused(
            refusal @ (CallRefusal::Closed | CallRefusal::NotAnswered | CallRefusal::Others(_)),
        )) => {
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
