//! The list of incidents: filters in the address, a count, pages from one incident back to the next, paper.

use app::{
    outcome::Answer,
    parties::people,
    regions::{self, RegionBook},
    signals::incidents::{self, Filter, Line},
    store::Tx,
};
use askama::Template;
use axum::{
    extract::{Query, State},
    response::IntoResponse,
};
use domain::{
    access::Actor,
    parties::mask,
    signals::incident::{IncidentKind, IncidentOutcome, IncidentState, Level},
    time::{At, Now},
};
use serde::Deserialize;

use super::look;
use crate::{
    App, Html, Page, Reply, Signed,
    desks::{accounts::region_typed, fields::Choice, regions::choices},
    encode, filters,
};

/// Incidents on one page of the list.
const PAGE: usize = 50;

/// What the list is narrowed to; lives in the address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Ask {
    state: String,
    level: String,
    kind: String,
    region: String,
    from: String,
    to: String,
    person: String,
    device: String,
    area: String,
    outcome: String,
    slower: String,
    before: String,
    print: String,
}

/// States one asks for together.
const STATES: &[(&str, &str)] = &[
    ("open", "未结案"),
    ("ringing", "响铃中"),
    ("owned", "有人处置"),
    ("review", "待复看"),
    ("closed", "已结案"),
];

impl Ask {
    fn fields(&self) -> [(&'static str, &str); 11] {
        [
            ("state", &self.state),
            ("level", &self.level),
            ("kind", &self.kind),
            ("region", &self.region),
            ("from", &self.from),
            ("to", &self.to),
            ("person", &self.person),
            ("device", &self.device),
            ("area", &self.area),
            ("outcome", &self.outcome),
            ("slower", &self.slower),
        ]
    }

    /// The address with all but `without`.
    fn address(&self, without: &str) -> String {
        let said = self.fields().into_iter().filter(|(name, value)| !value.is_empty() && *name != without);
        let query: Vec<String> = said.map(|(name, value)| format!("{name}={}", encode(value))).collect();
        if query.is_empty() { "/alarms".to_owned() } else { format!("/alarms?{}", query.join("&")) }
    }

    fn with(&self, name: &str, value: &str) -> String {
        let address = self.address("");
        let sign = if address.contains('?') { '&' } else { '?' };
        format!("{address}{sign}{name}={value}")
    }

    fn narrowed(&self) -> bool {
        self.fields().iter().any(|(_, value)| !value.is_empty())
    }

    /// Days are whole days of the city; both ends count.
    fn filter(&self, tx: &mut Tx<'_>, actor: &Actor, now: Now) -> Answer<(Filter, Option<String>)> {
        use IncidentState::*;
        let (region, wrong) = match region_typed(tx, actor, &self.region, now)? {
            Ok(region) => (region, None),
            Err(wrong) => (None, Some(wrong)),
        };
        let day = |text: &str| text.trim().parse().ok().map(|d: domain::time::Day| At::from_local(d.into()));
        let states = match self.state.as_str() {
            "open" => vec![Ringing, Acknowledged, Held, Attached],
            "ringing" => vec![Ringing],
            "owned" => vec![Acknowledged, Held],
            "closed" => vec![Closed],
            _ => Vec::new(),
        };
        let filter = Filter {
            states,
            levels: Level::from_code(&self.level).into_iter().collect(),
            kinds: IncidentKind::from_code(&self.kind).into_iter().collect(),
            region,
            person: self.person.parse().ok(),
            device: self.device.parse().ok(),
            area: self.area.parse().ok(),
            outcomes: outcomes(&self.outcome),
            slower_than: self.slower.parse().ok(),
            to_review: self.state == "review",
            from: day(&self.from),
            to: day(&self.to).map(|to| to.plus_minutes(24 * 60)),
            ..Filter::default()
        };
        Ok((filter, wrong))
    }
}

/// Outcomes by the name of one, or all false alarms, or all that were real.
pub(super) fn outcomes(wanted: &str) -> Vec<IncidentOutcome> {
    use IncidentOutcome::*;
    match wanted {
        "false" => vec![FalsePress, FalseDevice, FalseRule],
        "real" => vec![RealHelped, RealHospital, RealDeath],
        one => IncidentOutcome::from_code(one).into_iter().collect(),
    }
}

struct Row {
    href: String,
    kind: &'static str,
    icon: &'static str,
    level: Level,
    level_look: &'static str,
    who: String,
    place: String,
    received: String,
    answered: String,
    state: &'static str,
    state_look: &'static str,
    outcome: &'static str,
    owner: String,
    to_review: bool,
}

#[derive(Template)]
#[template(path = "alarms/index.html")]
struct Index {
    page: Page,
    ask: Ask,
    states: Vec<Choice>,
    levels: Vec<Choice>,
    kinds: Vec<Choice>,
    outcomes: Vec<Choice>,
    regions: Vec<crate::desks::regions::Choice>,
    region_wrong: String,
    /// Conditions that have no field: a person, a device, an area; and the list without them.
    only: Vec<(String, String)>,
    rows: Vec<Row>,
    total: String,
    older: Option<String>,
    paper: String,
    on_paper: bool,
    then: String,
}

/// `GET /alarms`
pub async fn index(State(app): State<App>, signed: Signed, page: Page, Query(ask): Query<Ask>) -> Reply {
    let actor = signed.actor();
    let page = page.titled("警情", "alarms");
    let shown = app.read(move |tx, now| load(tx, &actor, page.clone(), &ask, now)).await?;
    Ok(Html(shown).into_response())
}

fn load(tx: &mut Tx<'_>, actor: &Actor, page: Page, ask: &Ask, now: Now) -> Answer<Index> {
    let (filter, wrong) = ask.filter(tx, actor, now)?;
    let total = incidents::count(tx, actor, &filter)?;
    let mut lines = incidents::incidents(tx, actor, &filter, ask.before.parse().ok(), PAGE as i64 + 1)?;
    let more = lines.len() > PAGE;
    lines.truncate(PAGE);
    let older = lines.last().filter(|_| more).map(|l| ask.with("before", &l.incident.id.to_string()));
    let book = regions::book(tx)?;
    Ok(Index {
        states: STATES.iter().map(|(v, l)| Choice::new(*v, *l, ask.state == *v)).collect(),
        levels: Level::ALL.iter().map(|l| Choice::new(l.code(), l.label(), ask.level == l.code())).collect(),
        kinds: IncidentKind::ALL
            .iter()
            .map(|k| Choice::new(k.code(), k.label(), ask.kind == k.code()))
            .collect(),
        outcomes: [("real", "属实"), ("false", "误报")]
            .into_iter()
            .chain(IncidentOutcome::ALL.iter().map(|o| (o.code(), o.label())))
            .map(|(value, label)| Choice::new(value, label, ask.outcome == value))
            .collect(),
        regions: choices(tx, actor, "", now)?,
        region_wrong: wrong.unwrap_or_default(),
        only: only(tx, actor, ask, &filter, now)?,
        rows: lines.iter().map(|line| row(line, &book, now)).collect(),
        total: domain::money::thousands(total.unsigned_abs()),
        older,
        paper: ask.with("print", "1"),
        on_paper: !ask.print.is_empty(),
        then: now.0.clock(),
        ask: ask.clone(),
        page,
    })
}

fn only(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ask: &Ask,
    filter: &Filter,
    now: Now,
) -> Answer<Vec<(String, String)>> {
    let mut only = Vec::new();
    if let Some(person) = filter.person {
        only.push((people::card(tx, actor, person, now)?.name, ask.address("person")));
    }
    if let Some(device) = filter.device {
        only.push((format!("设备 {device}"), ask.address("device")));
    }
    if let Some(area) = filter.area {
        only.push((format!("成片警情 {area}"), ask.address("area")));
    }
    if let Some(seconds) = filter.slower_than {
        only.push((format!("{seconds} 秒内没有接手"), ask.address("slower")));
    }
    Ok(only)
}

fn row(line: &Line, book: &RegionBook, now: Now) -> Row {
    let i = &line.incident;
    let owner = if line.owner_name.is_empty() { &line.closed_name } else { &line.owner_name };
    Row {
        href: format!("/alarms/{}", i.id),
        kind: i.kind.label(),
        icon: look::icon(i.kind),
        level: i.level,
        level_look: if i.state == IncidentState::Closed { "quiet" } else { look::chip(i.level) },
        who: match line.devices {
            0 => mask::name(&line.person_name),
            n => format!("{n} 台设备"),
        },
        place: book.path_of(i.region),
        received: i.received_at.as_seen(now),
        answered: i
            .answered_at
            .map(|at| look::length(at.seconds_since(i.received_at).max(0)))
            .unwrap_or_default(),
        state: i.state.label(),
        state_look: look::state_chip(i.state, i.level),
        outcome: i.outcome.map_or("", |o| o.label()),
        owner: owner.clone(),
        to_review: i.awaits_review(),
    }
}
