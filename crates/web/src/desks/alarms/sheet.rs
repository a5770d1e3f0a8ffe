//! One incident with everything that happened, and what is decided about it away from the desk.

use app::{
    outcome::{Answer, No, Outcome},
    parties::people,
    regions,
    signals::incidents::{self, Sheet},
    store::Tx,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    response::IntoResponse,
};
use domain::{
    access::{Act, Actor},
    ids::IncidentId,
    signals::incident::{Incident, IncidentRefusal, IncidentState},
    time::{At, Now},
};
use serde::Deserialize;

use super::look;
use crate::{App, Html, Page, Problem, Reply, Signed, desks::hotline::alarm::Told, filters, see, see_with};

/// A step of the ladder.
struct Step {
    due: String,
    label: String,
    state: String,
    look: &'static str,
}

/// What this one may do here.
struct May {
    work: bool,
    review: bool,
    reopen: bool,
    hand_over: bool,
    trail: bool,
}

#[derive(Template)]
#[template(path = "alarms/show.html")]
struct Show {
    page: Page,
    id: IncidentId,
    title: String,
    level: &'static str,
    level_look: &'static str,
    icon: &'static str,
    state: &'static str,
    state_look: &'static str,
    to_review: bool,
    facts: Vec<(&'static str, String)>,
    person_href: Option<String>,
    device_href: Option<String>,
    members: i64,
    steps: Vec<Step>,
    told: Vec<Told>,
    may: May,
    then: String,
}

fn id_of(text: &str) -> Reply<IncidentId> {
    text.parse().map_err(|_| Problem::not_found())
}

/// `GET /alarms/{id}`
pub async fn show(State(app): State<App>, signed: Signed, page: Page, Path(id): Path<String>) -> Reply {
    let (id, actor) = (id_of(&id)?, signed.actor());
    let page = page.titled("警情", "alarms");
    let shown = app
        .read(move |tx, now| {
            let sheet = incidents::incident(tx, &actor, id)?;
            load(tx, &actor, page.clone(), &sheet, now)
        })
        .await?;
    Ok(Html(shown).into_response())
}

fn load(tx: &mut Tx<'_>, actor: &Actor, page: Page, sheet: &Sheet, now: Now) -> Answer<Show> {
    let i = &sheet.line.incident;
    let name = match i.person {
        Some(person) => match people::card(tx, actor, person, now) {
            Ok(card) => format!("{} {} 岁", card.name, card.age),
            Err(No::NotFound) => String::new(),
            Err(no) => return Err(no),
        },
        None => String::new(),
    };
    let place = regions::book(tx)?.path_of(i.region);
    Ok(Show {
        id: i.id,
        title: format!("{} {name}", i.kind.label()).trim().to_owned(),
        level: i.level.label(),
        level_look: if i.state == IncidentState::Closed { "quiet" } else { look::chip(i.level) },
        icon: look::icon(i.kind),
        state: i.state.label(),
        state_look: look::state_chip(i.state, i.level),
        to_review: i.awaits_review(),
        facts: facts(sheet, place, now),
        person_href: i.person.filter(|_| actor.may(Act::SeePeople).is_ok()).map(|p| format!("/people/{p}")),
        device_href: i.device.filter(|_| actor.may(Act::SeeDevices).is_ok()).map(|d| format!("/devices/{d}")),
        members: sheet.line.devices,
        steps: steps(sheet, now),
        told: sheet.facts.iter().map(|f| look::told(f, now)).collect(),
        may: May {
            work: actor.may(Act::AnswerAlarms).is_ok() && actor.may(Act::TakeCalls).is_ok(),
            review: i.awaits_review()
                && actor.may(Act::ReviewAlarms).is_ok()
                && i.closed_by != Some(actor.account),
            reopen: i.state == IncidentState::Closed && actor.may(Act::AnswerAlarms).is_ok(),
            hand_over: i.owner == Some(actor.account) && i.state.owned(),
            trail: actor.may(Act::SeeEvidence).is_ok(),
        },
        then: now.0.clock(),
        page,
    })
}

fn facts(sheet: &Sheet, place: String, now: Now) -> Vec<(&'static str, String)> {
    let line = &sheet.line;
    let i = &line.incident;
    let at = |at: Option<At>| at.map(|at| at.as_seen(now)).unwrap_or_default();
    let seconds = |at: At| {
        format!("{}，用时 {}", at.as_seen(now), look::length(at.seconds_since(i.received_at).max(0)))
    };
    let mut facts = vec![
        ("内容", i.text.clone()),
        ("地点", place),
        ("按下", at(i.pressed_at)),
        ("收到", at(Some(i.received_at))),
        ("时钟", look::apart(i.pressed_at, i.received_at)),
        ("次数", if i.presses > 1 { format!("{} 次", i.presses) } else { String::new() }),
        ("来源", if i.verified { String::new() } else { "未核实：设备没有通过认证".to_owned() }),
        ("接手", i.answered_at.map(seconds).unwrap_or_default()),
        ("现由谁负责", if i.state.owned() { line.owner_name.clone() } else { String::new() }),
        (
            "结案",
            i.closed_at.map(|at| format!("{} {}", at.as_seen(now), line.closed_name)).unwrap_or_default(),
        ),
        ("结果", i.outcome.map_or(String::new(), |o| o.label().to_owned())),
        ("和老人在一起的人", i.with_elder.clone().unwrap_or_default()),
        ("复看", at(i.reviewed_at)),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

fn steps(sheet: &Sheet, now: Now) -> Vec<Step> {
    let of = |s: &incidents::StepLine| {
        let (state, look) = match (s.done_at, s.stopped_at, s.result) {
            (Some(at), _, Some(result)) => (format!("{} {}", at.as_seen(now), result.label()), "done"),
            (Some(at), _, None) => (format!("{} 已做", at.as_seen(now)), "info"),
            (None, Some(_), _) => ("有人接手，不再进行".to_owned(), "quiet"),
            (None, None, _) => ("未到时间".to_owned(), "quiet"),
        };
        Step { due: s.due_at.as_seen(now), label: s.label.clone(), state, look }
    };
    sheet.steps.iter().map(of).collect()
}

/// A reason or a remark.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct TextForm {
    text: String,
}

/// Says what came of a decision: at the incident, or why not.
fn said(id: IncidentId, done: Result<&'static str, No<IncidentRefusal>>) -> Reply {
    match done {
        Ok(text) => Ok(see_with(&format!("/alarms/{id}"), text, None)),
        Err(No::Refused(refusal)) => Ok(see_with(&format!("/alarms/{id}"), &refusal.to_string(), None)),
        Err(no) => Err(no.into()),
    }
}

/// A decision about an incident with words: what `incidents` calls review, send back and reopen.
type Decide = fn(&mut Tx<'_>, &Actor, IncidentId, &str, Now) -> Outcome<Incident, IncidentRefusal>;

/// Takes one, and says what came of it.
async fn decide(
    app: App,
    signed: Signed,
    id: String,
    form: TextForm,
    (decide, words): (Decide, &'static str),
) -> Reply {
    let (id, actor) = (id_of(&id)?, signed.actor());
    let done = app.write(move |tx, now| decide(tx, &actor, id, &form.text, now)).await;
    said(id, done.map(|_| words))
}

/// `POST /alarms/{id}/review`: a second person agrees.
pub async fn review(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    Form(form): Form<TextForm>,
) -> Reply {
    decide(app, signed, id, form, (incidents::review, "复看通过，已记录")).await
}

/// `POST /alarms/{id}/return`: a second person does not agree; it rings again.
pub async fn send_back(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    Form(form): Form<TextForm>,
) -> Reply {
    decide(app, signed, id, form, (incidents::send_back, "已退回，警情重新响铃")).await
}

/// `POST /alarms/{id}/reopening`
pub async fn reopen(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    Form(form): Form<TextForm>,
) -> Reply {
    decide(app, signed, id, form, (incidents::reopen, "已重新打开，警情重新响铃")).await
}

/// `POST /alarms/{id}/handover`: its owner gives it back to all.
pub async fn hand_over(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    Form(form): Form<TextForm>,
) -> Reply {
    let (id, actor) = (id_of(&id)?, signed.actor());
    match app.write(move |tx, now| incidents::hand_over(tx, &actor, id, &form.text, now)).await {
        Ok(_) => Ok(see("/hotline")),
        Err(no) => said(id, Err(no)),
    }
}
