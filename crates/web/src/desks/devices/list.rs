//! The inventory: what is out there, what is silent, what is nearly empty.

use std::collections::HashMap;

use app::{
    outcome::Answer,
    regions::{self, RegionBook},
    signals::devices::{self, Device, Filter},
    store::Tx,
};
use askama::Template;
use axum::{
    extract::{Query, State},
    response::IntoResponse,
};
use domain::{
    access::Actor,
    ids::PersonId,
    parties::mask,
    regions::RegionCode,
    signals::device::{DeviceKind, DeviceState},
    time::Now,
};
use serde::Deserialize;

use super::since;
use crate::{
    App, Html, Page, Reply, Signed,
    desks::{accounts::region_typed, fields::Choice, regions::choices},
    encode, filters,
};

/// Devices on one page of the list.
const PAGE: i64 = 50;
/// Below this percentage a battery is low. Source: `hotline-and-alarms.md` §3.
pub(super) const BATTERY_LOW: i64 = 20;

/// What the list is narrowed to; lives in the address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Ask {
    q: String,
    kind: String,
    vendor: String,
    state: String,
    region: String,
    person: String,
    after: String,
}

/// What one looks for in an inventory.
const STATES: &[(&str, &str)] = &[("silent", "失联"), ("battery", "电量低"), ("all", "全部，含已停用")];

impl Ask {
    fn address(&self, without: &str) -> String {
        let fields = [
            ("q", &self.q),
            ("kind", &self.kind),
            ("vendor", &self.vendor),
            ("state", &self.state),
            ("region", &self.region),
            ("person", &self.person),
        ];
        let said = fields.into_iter().filter(|(name, value)| !value.is_empty() && *name != without);
        said.fold("/devices?".to_owned(), |all, (name, value)| format!("{all}{name}={}&", encode(value)))
    }

    fn narrowed(&self) -> bool {
        self.address("") != "/devices?"
    }

    fn filter(&self, tx: &mut Tx<'_>, actor: &Actor, now: Now) -> Answer<(Filter, String)> {
        let (region, wrong) = match region_typed(tx, actor, &self.region, now)? {
            Ok(region) => (region.and_then(|range| RegionCode::new(range.lo).ok()), String::new()),
            Err(wrong) => (None, wrong),
        };
        let filter = Filter {
            words: self.q.trim().to_owned(),
            kind: DeviceKind::from_code(&self.kind),
            person: self.person.parse().ok(),
            vendor: self.vendor.clone(),
            overdue: self.state == "silent",
            battery_below: (self.state == "battery").then_some(BATTERY_LOW),
            retired: self.state == "all",
            region,
        };
        Ok((filter, wrong))
    }
}

struct Row {
    href: String,
    serial: String,
    kind: &'static str,
    vendor: String,
    person: Option<(PersonId, String)>,
    place: String,
    seen: String,
    silent: bool,
    battery: Option<i64>,
    low: bool,
    retired: bool,
}

#[derive(Template)]
#[template(path = "devices/index.html")]
struct Index {
    page: Page,
    ask: Ask,
    kinds: Vec<Choice>,
    vendors: Vec<Choice>,
    states: Vec<Choice>,
    regions: Vec<crate::desks::regions::Choice>,
    region_wrong: String,
    only: Option<(String, String)>,
    rows: Vec<Row>,
    next: Option<String>,
    then: String,
}

/// `GET /devices`
pub async fn index(State(app): State<App>, signed: Signed, page: Page, Query(ask): Query<Ask>) -> Reply {
    let actor = signed.actor();
    let page = page.titled("设备", "devices");
    let shown = app.read(move |tx, now| load(tx, &actor, page.clone(), &ask, now)).await?;
    Ok(Html(shown).into_response())
}

fn load(tx: &mut Tx<'_>, actor: &Actor, page: Page, ask: &Ask, now: Now) -> Answer<Index> {
    let (filter, region_wrong) = ask.filter(tx, actor, now)?;
    let window = devices::Page { after: ask.after.parse().unwrap_or(0), limit: PAGE + 1 };
    let mut found = devices::devices(tx, actor, &filter, window, now)?;
    let more = found.len() as i64 > PAGE;
    found.truncate(PAGE as usize);
    let next = found.last().filter(|_| more).map(|d| format!("{}after={}", ask.address(""), d.id));
    let people: Vec<PersonId> = found.iter().filter_map(|d| d.person).collect();
    let names = devices::names(tx, &people)?;
    let book = regions::book(tx)?;
    let vendor = |(name, devices): (String, i64)| {
        let chosen = ask.vendor == name;
        Choice::new(name.clone(), format!("{name}（{devices}）"), chosen)
    };
    let only = filter.person.map(|p| {
        let name = names.get(&p).cloned().unwrap_or_else(|| p.to_string());
        (name, ask.address("person"))
    });
    Ok(Index {
        kinds: DeviceKind::ALL
            .iter()
            .map(|k| Choice::new(k.code(), k.label(), ask.kind == k.code()))
            .collect(),
        vendors: devices::vendors(tx, actor)?.into_iter().map(vendor).collect(),
        states: STATES.iter().map(|(v, l)| Choice::new(*v, *l, ask.state == *v)).collect(),
        regions: choices(tx, actor, "", now)?,
        region_wrong,
        only,
        rows: found.iter().map(|d| row(d, &names, &book, now)).collect(),
        next,
        then: now.0.clock(),
        ask: ask.clone(),
        page,
    })
}

fn row(d: &Device, names: &HashMap<PersonId, String>, book: &RegionBook, now: Now) -> Row {
    let person = d.person.and_then(|id| Some((id, mask::name(names.get(&id)?))));
    Row {
        href: format!("/devices/{}", d.id),
        serial: d.serial.clone(),
        kind: d.kind.label(),
        vendor: d.vendor.clone(),
        person,
        place: format!("{} {}", book.path_of(d.region), d.place).trim().to_owned(),
        seen: since(d.last_seen_at, now),
        silent: d.overdue(now),
        battery: d.battery,
        low: d.battery.is_some_and(|b| b < BATTERY_LOW),
        retired: d.state == DeviceState::Retired,
    }
}
