//! "Whom did we miss": after an outage, the devices that stayed silent, the calls nobody took, the presses that came
//! late; the highest risk first. To be worked down by telephone.

use app::{
    outcome::Answer,
    regions,
    signals::incidents::{self, Missed, Outage},
    store::Tx,
};
use askama::Template;
use axum::{extract::State, response::IntoResponse};
use domain::{
    access::{Act, Actor},
    ids::PersonId,
    signals::device::DeviceKind,
    time::Now,
};

use super::look;
use crate::{App, Html, Page, Reply, Signed, filters};

/// How long after an outage the desk is told of it.
const TOLD_HOURS: i64 = 24;

struct Device {
    href: String,
    name: String,
    person: Option<(PersonId, String)>,
    grade: &'static str,
    urgent: bool,
    why: String,
    place: String,
    seen: String,
}

struct Call {
    href: Option<String>,
    number: String,
    rang: String,
    person: String,
    grade: &'static str,
}

#[derive(Template)]
#[template(path = "alarms/missed.html")]
struct Show {
    page: Page,
    window: Option<String>,
    devices: Vec<Device>,
    calls: Vec<Call>,
    late: Vec<(String, String)>,
    then: String,
}

/// `GET /alarms/missed`
pub async fn show(State(app): State<App>, signed: Signed, page: Page) -> Reply {
    let actor = signed.actor();
    let page = page.titled("漏了谁", "alarms");
    let shown = app.read(move |tx, now| load(tx, &actor, page.clone(), now)).await?;
    Ok(Html(shown).into_response())
}

fn load(tx: &mut Tx<'_>, actor: &Actor, page: Page, now: Now) -> Answer<Show> {
    let then = now.0.clock();
    let Some(missed) = incidents::missed(tx, actor, now)? else {
        return Ok(Show { page, window: None, devices: vec![], calls: vec![], late: vec![], then });
    };
    let Missed { outage, devices, calls, late } = missed;
    let book = regions::book(tx)?;
    let calls_open = actor.may(Act::TakeCalls).is_ok();
    Ok(Show {
        window: Some(window(outage, now)),
        devices: devices
            .into_iter()
            .map(|d| Device {
                href: format!("/devices/{}", d.device),
                name: format!(
                    "{} {}",
                    DeviceKind::from_code(&d.kind).map_or("", DeviceKind::label),
                    d.serial
                ),
                person: d.person.map(|p| (p, d.person_name)),
                grade: d.grade.map_or("", |g| g.label()),
                urgent: d.grade.is_some(),
                why: d.why,
                place: book.path_of(d.region),
                seen: d.last_seen_at.as_seen(now),
            })
            .collect(),
        calls: calls
            .into_iter()
            .map(|c| Call {
                href: calls_open.then(|| format!("/hotline/calls/{}", c.call)),
                number: c.number,
                rang: c.rang_at.as_seen(now),
                person: c.person_name,
                grade: c.grade.map_or("", |g| g.label()),
            })
            .collect(),
        late: late.into_iter().map(|id| (format!("/alarms/{id}"), id.to_string())).collect(),
        page,
        then,
    })
}

fn window(outage: Outage, now: Now) -> String {
    let length = look::length(outage.to.seconds_since(outage.from));
    format!("{} 至 {}，共 {length}", outage.from.as_seen(now), outage.to.as_seen(now))
}

/// What the desk is told for a day after an outage.
pub(crate) fn banner(tx: &mut Tx<'_>, now: Now) -> Answer<Option<String>> {
    let outage = incidents::latest_outage(tx, now)?;
    let fresh = outage.filter(|o| now.0.minutes_since(o.to) < TOLD_HOURS * 60);
    Ok(fresh.map(|o| window(o, now)))
}
