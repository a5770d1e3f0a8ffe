//! An incident at the desk: one answers, notes, calls for others, puts aside, and ends it with an outcome.

mod home;
mod line;
pub(super) mod part;
mod progress;

use app::{
    outcome::{Answer, No, Outcome},
    parties::people::{self, Field},
    signals::incidents::{self, ByHand, Escalation, Sheet},
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
    ids::{CallId, IncidentId, PersonId},
    signals::{
        incident::{Closure, Incident, IncidentKind, IncidentOutcome, IncidentRefusal},
        ladder::{Reach, ReachResult},
    },
    time::Now,
};
use serde::Deserialize;

pub(crate) use progress::Told;

use super::{Desk, queue::Chosen};
use crate::{App, Html, Page, Problem, Reply, Signed, see, see_with};
use line::Act;
use part::{AlarmPart, Asked};
use progress::{Progress, SentPart};

type Done<T = ()> = Outcome<T, IncidentRefusal>;

/// A hold at the desk lasts as long as one may.
const HOLD_SECONDS: i64 = 60;

pub(super) fn here(id: IncidentId) -> String {
    format!("/hotline/alarms/{id}")
}

fn id_of(text: &str) -> Reply<IncidentId> {
    text.parse().map_err(|_| Problem::not_found())
}

/// What the address of an incident may ask for.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    /// Its ending is to be written.
    closing: Option<String>,
    /// The page that asks shows the work area.
    working: Option<String>,
}

/// The desk with one incident.
pub async fn show(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Reply {
    let asked = Asked { closing: wanted.closing.is_some(), ..Asked::default() };
    open(&app, page, &signed, id_of(&id)?, asked, StatusCode::OK).await
}

async fn open(
    app: &App,
    page: Page,
    signed: &Signed,
    id: IncidentId,
    asked: Asked,
    status: StatusCode,
) -> Reply {
    let actor = signed.actor();
    let page = page.titled("热线与告警台", "hotline");
    let state = app.clone();
    let desk = app
        .read(move |tx, now| {
            let chosen = Some(Chosen::Alarm(id));
            Desk::load(tx, &actor, &state, page.clone(), chosen, &super::talk::Asked::default(), &asked, now)
        })
        .await?;
    Ok((status, Html(desk)).into_response())
}

/// A refusal is shown where it happened, with all that was typed.
async fn refused(
    app: &App,
    page: Page,
    signed: &Signed,
    id: IncidentId,
    no: No<IncidentRefusal>,
    asked: Asked,
) -> Reply {
    let No::Refused(refusal) = no else { return Err(no.into()) };
    let asked = Asked { refused: refusal.to_string(), ..asked };
    let status = Problem::from(No::Refused(refusal)).status();
    open(app, page, signed, id, asked, status).await
}

/// A part of an incident's page by itself, made of the incident's sheet.
async fn alone<T: Template + Send + 'static>(
    app: &App,
    signed: &Signed,
    id: &str,
    make: impl Fn(&mut Tx<'_>, &Actor, &Sheet, Now) -> Answer<T> + Send + 'static,
) -> Reply<Html<T>> {
    let (id, actor) = (id_of(id)?, signed.actor());
    let part = app.read(move |tx, now| {
        let sheet = incidents::incident(tx, &actor, id)?;
        make(tx, &actor, &sheet, now)
    });
    Ok(Html(part.await?))
}

/// The middle alone, while nothing is typed there.
pub async fn now(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
) -> Reply<Html<impl Template>> {
    alone(&app, &signed, &id, move |tx, actor, sheet, now| {
        AlarmPart::load(tx, actor, page.clone(), sheet, &Asked::default(), now)
    })
    .await
}

/// What was done and comes next, fetched anew while the operator types elsewhere.
pub async fn progress(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Reply<Html<impl Template>> {
    let working = wanted.working.is_some();
    alone(&app, &signed, &id, move |_, actor, sheet, now| {
        Ok(Progress::of(sheet, actor, page.clone(), working, now))
    })
    .await
}

/// Who was sent and how far they are, fetched anew.
pub async fn errands(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
) -> Reply<Html<impl Template>> {
    alone(&app, &signed, &id, move |tx, actor, sheet, now| {
        SentPart::load(tx, sheet, actor, page.clone(), now)
    })
    .await
}

/// Takes it, or takes it off hold. Whoever was slower reads who has it.
pub async fn acknowledge(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply {
    let id = id_of(&id)?;
    let actor = signed.actor();
    match app.write(move |tx, now| incidents::acknowledge(tx, &actor, id, now)).await {
        Ok(_) => Ok(see(here(id))),
        Err(No::Refused(refusal)) => Ok(see_with(&here(id), &refusal.to_string(), None)),
        Err(no) => Err(no.into()),
    }
}

/// What stands in the work area.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct WorkForm {
    /// The command line.
    line: String,
    /// The words of a pressed button.
    word: String,
    /// The notes as typed so far.
    text: String,
    outcome: String,
    with_elder: String,
}

/// Carries out a line or a button.
pub async fn act(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    Form(form): Form<WorkForm>,
) -> Reply {
    let id = id_of(&id)?;
    let typed = if form.word.is_empty() { form.line.clone() } else { form.word.clone() };
    let asked = Asked { text: Some(form.text.clone()), line: form.line.clone(), ..Asked::default() };
    let acts = match line::read(&typed) {
        Ok(acts) => acts,
        Err(unread) => {
            let asked = Asked { refused: unread.to_string(), ..asked };
            return open(&app, page, &signed, id, asked, StatusCode::UNPROCESSABLE_ENTITY).await;
        }
    };
    let (actor, text, wish) = (signed.actor(), form.text.clone(), acts.clone());
    let done = app
        .write(move |tx, now| {
            let ended = carry_out(tx, &actor, id, &wish, &text, now)?;
            // A signed note takes the draft with it; what is still being typed stays.
            let left = if ended { "" } else { &text };
            incidents::draft(tx, &actor, id, left, now)?;
            Ok(ended)
        })
        .await;
    match done {
        Ok(true) => Ok(see_with("/hotline", "警情已结案", None)),
        Ok(false) if acts.iter().any(|a| matches!(a, Act::Close(..))) => {
            Ok(see(format!("{}?closing=1", here(id))))
        }
        Ok(false) => Ok(see(here(id))),
        Err(no) => refused(&app, page, &signed, id, no, asked).await,
    }
}

/// Does all of a line or nothing; answers whether it ended the incident.
fn carry_out(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: IncidentId,
    acts: &[Act],
    text: &str,
    now: Now,
) -> Done<bool> {
    let said: Vec<&str> =
        acts.iter().filter_map(|a| if let Act::Say(s) = a { Some(*s) } else { None }).collect();
    if !said.is_empty() {
        incidents::note(tx, actor, id, &said.join("；"), now)?;
    }
    let mut ended = false;
    for act in acts {
        match act {
            Act::Say(_) => {}
            Act::Answer => drop(incidents::acknowledge(tx, actor, id, now)?),
            Act::Reach(to) => {
                let ask = Escalation { to: *to, text: String::new() };
                let (incident, _) = incidents::escalate(tx, actor, id, &ask, now)?;
                open_numbers(tx, actor, &incident, *to, now)?;
            }
            Act::Send(pick) => drop(incidents::send(tx, actor, id, pick, now)?),
            Act::Hold => drop(incidents::hold(tx, actor, id, HOLD_SECONDS, "", now)?),
            Act::Note(words) => drop(incidents::note(tx, actor, id, words, now)?),
            Act::Level(level, why) => drop(incidents::change_level(tx, actor, id, (*level, why), now)?),
            Act::HandOver(why) => drop(incidents::hand_over(tx, actor, id, why, now)?),
            Act::Close(Some(outcome), who) if !who.is_empty() => {
                let closure = Closure { outcome: *outcome, with_elder: who.clone(), text: text.to_owned() };
                incidents::close(tx, actor, id, &closure, now)?;
                ended = true;
            }
            Act::Close(..) => {}
        }
    }
    Ok(ended)
}

/// Whoever calls the elder's people needs their numbers now: the reason goes on record, so that from here on each
/// number opens with one key and no question.
fn open_numbers(tx: &mut Tx<'_>, actor: &Actor, incident: &Incident, to: Reach, now: Now) -> Done {
    let (Reach::Family | Reach::Neighbour | Reach::Elder, Some(person)) = (to, incident.person) else {
        return Ok(());
    };
    let first = match people::contacts(tx, actor, person) {
        Ok(contacts) => contacts.into_iter().next(),
        Err(No::NotFound) => None,
        Err(no) => return Err(no.map(|never| match never {})),
    };
    let field = match (to, first) {
        (Reach::Elder, _) => Field::Phone,
        (_, Some(contact)) => Field::ContactPhone(contact.id),
        (_, None) => return Ok(()),
    };
    let reason = format!("处置警情 {}", incident.id);
    match people::reveal(tx, actor, person, field, Some(&reason), now) {
        // No number, or a post that opens none: the incident goes on all the same.
        Ok(_) | Err(No::Refused(_) | No::NotFound | No::Forbidden(_)) => Ok(()),
        Err(No::Fault(fault)) => Err(No::Fault(fault)),
    }
}

/// Keeps what is typed, while it is typed.
pub async fn draft(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(form): Form<WorkForm>,
) -> Reply {
    let (id, actor) = (id_of(&id)?, signed.actor());
    app.write(move |tx, now| incidents::draft(tx, &actor, id, &form.text, now)).await?;
    if headers.contains_key("hx-request") {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(see_with(&here(id), "记录已暂存", None))
}

/// Signs what was typed as a note of its own.
pub async fn note(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    Form(form): Form<WorkForm>,
) -> Reply {
    let (id, actor) = (id_of(&id)?, signed.actor());
    let text = form.text.clone();
    match app.write(move |tx, now| incidents::note(tx, &actor, id, &text, now)).await {
        Ok(_) => Ok(see(here(id))),
        Err(no) => {
            let asked = Asked { text: Some(form.text), line: form.line, ..Asked::default() };
            refused(&app, page, &signed, id, no, asked).await
        }
    }
}

/// Ends it: an outcome, who is with the elder now, what happened.
pub async fn close(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    Form(form): Form<WorkForm>,
) -> Reply<Response> {
    let id = id_of(&id)?;
    let asked = Asked {
        closing: true,
        text: Some(form.text.clone()),
        outcome: form.outcome.clone(),
        with_elder: form.with_elder.clone(),
        ..Asked::default()
    };
    let Some(outcome) = IncidentOutcome::from_code(&form.outcome) else {
        let no = No::Refused(IncidentRefusal::Missing { what: "结案结果" });
        return refused(&app, page, &signed, id, no, asked).await;
    };
    let actor = signed.actor();
    let closure = Closure { outcome, with_elder: form.with_elder, text: form.text };
    let ended = app
        .write(move |tx, now| {
            let closed = incidents::close(tx, &actor, id, &closure, now)?;
            incidents::draft(tx, &actor, id, "", now)?;
            Ok(closed.awaits_review())
        })
        .await;
    match ended {
        Ok(to_review) => {
            let then = if to_review { "，等待另一人复看" } else { "" };
            Ok(see_with("/hotline", &format!("警情已结案：{}{then}", outcome.label()), None))
        }
        Err(no) => refused(&app, page, &signed, id, no, asked).await,
    }
}

/// What came of reaching for somebody.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ResultForm {
    round: i64,
    step: i64,
    result: String,
}

/// Notes what came of a step.
pub async fn result(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    Form(form): Form<ResultForm>,
) -> Reply {
    let (id, actor) = (id_of(&id)?, signed.actor());
    let result = ReachResult::from_code(&form.result).ok_or_else(|| Problem::malformed("请选择联络结果"))?;
    let step = (form.round, form.step);
    app.write(move |tx, now| incidents::reached(tx, &actor, id, step, (result, ""), now)).await?;
    Ok(see(here(id)))
}

/// A reason, for steps that need one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ReasonForm {
    text: String,
}

/// The shift's leader takes it from its owner.
pub async fn take_over(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    Form(form): Form<ReasonForm>,
) -> Reply {
    let (id, actor) = (id_of(&id)?, signed.actor());
    match app.write(move |tx, now| incidents::take_over(tx, &actor, id, &form.text, now)).await {
        Ok(_) => Ok(see(here(id))),
        Err(no) => refused(&app, page, &signed, id, no, Asked::default()).await,
    }
}

/// Who it is about.
#[derive(Debug, Clone, Deserialize)]
pub struct PersonForm {
    person: String,
}

/// Says about whom it is.
pub async fn identify(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    Form(form): Form<PersonForm>,
) -> Reply {
    let (id, actor) = (id_of(&id)?, signed.actor());
    let person: PersonId = form.person.parse().map_err(|_| Problem::not_found())?;
    app.write(move |tx, now| incidents::identify(tx, &actor, id, person, now)).await?;
    Ok(see(here(id)))
}

/// What an operator hears that is an emergency.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct EmergencyForm {
    call: String,
    kind: String,
    text: String,
}

/// An emergency on the telephone: the incident is opened and taken in one step, for one key.
pub async fn emergency(State(app): State<App>, signed: Signed, Form(form): Form<EmergencyForm>) -> Reply {
    let actor = signed.actor();
    let call: CallId = form.call.parse().map_err(|_| Problem::not_found())?;
    let id = app
        .write(move |tx, now| {
            let of =
                app::orders::calls::call(tx, &actor, call).map_err(|no| no.map(|never| match never {}))?;
            let text = if form.text.trim().is_empty() { "来电求助" } else { form.text.trim() };
            let ask = ByHand {
                kind: IncidentKind::from_code(&form.kind).unwrap_or(IncidentKind::Call),
                level: None,
                person: of.person,
                region: Some(of.region),
                call: Some(call),
                text: text.chars().take(domain::signals::incident::TEXT_MAX).collect(),
            };
            let opened = incidents::open_by_hand(tx, &actor, &ask, now)?;
            incidents::acknowledge(tx, &actor, opened.id, now)?;
            Ok::<_, No<IncidentRefusal>>(opened.id)
        })
        .await?;
    Ok(see(here(id)))
}
