//! One device: whose it is, whether it speaks, what it sent; and what is done about it.

use app::{
    outcome::{Answer, No},
    regions,
    signals::{
        devices::{self, DeviceRefusal},
        incidents,
    },
    store::Tx,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use domain::{
    access::{Act, Actor},
    ids::{DeviceId, PersonId},
    signals::device::DeviceState,
    time::Now,
};
use serde::Deserialize;

use super::{list::BATTERY_LOW, since};
use crate::{App, Html, Page, Problem, Reply, Signed, desks::alarms::look, filters, see_with};

/// Frames shown of each kind.
const FRAMES_MOST: i64 = 20;
/// Bytes of a frame that are quoted.
const QUOTED_MOST: usize = 400;

struct AlarmLine {
    at: String,
    kind: String,
    late: String,
    verified: bool,
    incident: Option<String>,
    raw: String,
}

struct RejectedLine {
    at: String,
    protocol: String,
    peer: String,
    reason: String,
    error: String,
    raw: String,
}

#[derive(Template)]
#[template(path = "devices/show.html")]
struct Show {
    page: Page,
    id: DeviceId,
    title: String,
    silent: bool,
    low: bool,
    retired: bool,
    facts: Vec<(&'static str, String)>,
    person: Option<(PersonId, String)>,
    incidents: Vec<(String, String, &'static str)>,
    alarms: Vec<AlarmLine>,
    rejected: Vec<RejectedLine>,
    edits: bool,
    then: String,
}

pub(super) fn id_of(text: &str) -> Reply<DeviceId> {
    text.parse().map_err(|_| Problem::not_found())
}

/// `GET /devices/{id}`
pub async fn show(State(app): State<App>, signed: Signed, page: Page, Path(id): Path<String>) -> Reply {
    let (id, actor) = (id_of(&id)?, signed.actor());
    let page = page.titled("设备", "devices");
    let shown = app.read(move |tx, now| load(tx, &actor, page.clone(), id, now)).await?;
    Ok(Html(shown).into_response())
}

fn load(tx: &mut Tx<'_>, actor: &Actor, page: Page, id: DeviceId, now: Now) -> Answer<Show> {
    let d = devices::device(tx, actor, id)?;
    let (alarms, rejected) = devices::frames(tx, actor, id, FRAMES_MOST)?;
    let names = devices::names(tx, d.person.as_slice())?;
    let rang = match actor.may(Act::SeeAlarms) {
        Ok(()) => {
            let filter = incidents::Filter { device: Some(id), ..incidents::Filter::default() };
            incidents::incidents(tx, actor, &filter, None, 8)?
        }
        Err(_) => Vec::new(),
    };
    let place = format!("{} {}", regions::book(tx)?.path_of(d.region), d.place);
    let battery = d.battery.map(|b| format!("{b}%")).unwrap_or_default();
    let mut facts = vec![
        ("设备号", d.serial.clone()),
        ("种类", d.kind.label().to_owned()),
        ("协议", d.protocol.label().to_owned()),
        ("厂商", d.vendor.clone()),
        ("地点", place.trim().to_owned()),
        ("最近上报", since(d.last_seen_at, now)),
        ("应多久上报一次", look::length(d.beat_seconds)),
        ("电量", battery),
        ("登记", d.added_at.as_seen(now)),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    Ok(Show {
        id,
        title: format!("{} {}", d.kind.label(), d.serial),
        silent: d.overdue(now),
        low: d.battery.is_some_and(|b| b < BATTERY_LOW),
        retired: d.state == DeviceState::Retired,
        facts,
        person: d.person.and_then(|p| Some((p, names.get(&p)?.clone()))),
        incidents: rang
            .iter()
            .map(|l| {
                let i = &l.incident;
                let what = format!("{} {}", i.received_at.as_seen(now), i.kind.label());
                (format!("/alarms/{}", i.id), what, i.outcome.map_or(i.state.label(), |o| o.label()))
            })
            .collect(),
        alarms: alarms
            .into_iter()
            .map(|f| AlarmLine {
                at: f.received_at.as_seen(now),
                late: look::apart(f.device_at, f.received_at),
                kind: f.kind,
                verified: f.verified,
                incident: f.incident.map(|i| format!("/alarms/{i}")),
                raw: quoted(&f.raw),
            })
            .collect(),
        rejected: rejected
            .into_iter()
            .map(|f| RejectedLine {
                at: f.received_at.as_seen(now),
                protocol: f.protocol,
                peer: f.peer,
                reason: f.reason,
                error: f.error,
                raw: quoted(&f.raw),
            })
            .collect(),
        edits: d.state == DeviceState::Active && actor.may(Act::EditDevices).is_ok(),
        then: now.0.clock(),
        page,
    })
}

/// A frame as a maker would quote it: text as text, anything else as hex.
fn quoted(raw: &[u8]) -> String {
    let shown = &raw[..raw.len().min(QUOTED_MOST)];
    let dots = if raw.len() > QUOTED_MOST { " …" } else { "" };
    let text =
        std::str::from_utf8(shown).ok().filter(|t| !t.chars().any(|c| c.is_control() && !c.is_whitespace()));
    match text {
        Some(text) => format!("{text}{dots}"),
        None => shown.iter().map(|b| format!("{b:02X} ")).collect::<String>().trim_end().to_owned() + dots,
    }
}

/// Says what came of it: at the device, or why not.
fn said(id: DeviceId, done: Result<&str, No<DeviceRefusal>>) -> Reply {
    let text = match &done {
        Ok(text) => (*text).to_owned(),
        Err(No::Refused(refusal)) => refusal.to_string(),
        Err(_) => String::new(),
    };
    match done {
        Ok(_) | Err(No::Refused(_)) => Ok(see_with(&format!("/devices/{id}"), &text, None)),
        Err(no) => Err(no.into()),
    }
}

/// Whose it is to be.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PersonForm {
    person: String,
}

/// `POST /devices/{id}/person`
pub async fn give(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    Form(form): Form<PersonForm>,
) -> Reply {
    let (id, actor) = (id_of(&id)?, signed.actor());
    let Some(person) = super::person_of(&form.person) else {
        return Ok(see_with(&format!("/devices/{id}"), "请填写老人档案的编号或地址", None));
    };
    let done = app.write(move |tx, now| devices::give(tx, &actor, id, person, now)).await;
    said(id, done.map(|()| "已登记给这位老人"))
}

/// Why.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ReasonForm {
    reason: String,
}

/// `POST /devices/{id}/retirement`
pub async fn retire(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    Form(form): Form<ReasonForm>,
) -> Reply {
    let (id, actor) = (id_of(&id)?, signed.actor());
    let done = app.write(move |tx, now| devices::retire(tx, &actor, id, &form.reason, now)).await;
    said(id, done.map(|()| "已停用，不再接收它的数据"))
}

/// A secret on the only page that ever shows it, and the label to stick on the device.
#[derive(Template)]
#[template(path = "devices/label.html")]
struct Label {
    page: Page,
    id: DeviceId,
    serial: String,
    kind: &'static str,
    protocol: &'static str,
    vendor: String,
    secret: String,
}

/// Shows a secret once.
pub(super) async fn label(
    app: &App,
    page: Page,
    signed: &Signed,
    id: DeviceId,
    secret: String,
) -> Reply<Response> {
    let actor = signed.actor();
    let d = app.read(move |tx, _| devices::device(tx, &actor, id)).await?;
    let page = page.titled("设备密钥", "devices");
    let label = Label {
        page,
        id,
        serial: d.serial,
        kind: d.kind.label(),
        protocol: d.protocol.label(),
        vendor: d.vendor,
        secret,
    };
    Ok(Html(label).into_response())
}

/// `POST /devices/{id}/secret`: a new one; the old one no longer opens.
pub async fn renew(State(app): State<App>, signed: Signed, page: Page, Path(id): Path<String>) -> Reply {
    let (id, actor) = (id_of(&id)?, signed.actor());
    let mut random = [0; 16];
    app.random(&mut random);
    match app.write(move |tx, now| devices::renew_secret(tx, &actor, id, random, now)).await {
        Ok(secret) => label(&app, page, &signed, id, secret.reveal().to_owned()).await,
        Err(no) => said(id, Err(no)),
    }
}
