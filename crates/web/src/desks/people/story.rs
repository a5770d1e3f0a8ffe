//! An elder's timeline: incidents, visits, calls, traces of life and what was entered, in one line of time.

use app::{
    orders,
    orders::calls,
    outcome::Answer,
    parties::people::Happening,
    signals::{devices, incidents, sightings},
    store::Tx,
};
use domain::{
    access::{Act, Actor, Role},
    ids::PersonId,
    orders::OrderState,
    time::{At, Now},
};

use crate::desks::alarms::look;

/// Moments shown of each kind, and of all.
const OF_EACH: i64 = 12;
const SHOWN_MOST: usize = 40;

/// A kind of moment: its word and its icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Alarm,
    Visit,
    Call,
    Trace,
    Record,
}

impl Kind {
    pub(super) fn label(self) -> &'static str {
        match self {
            Kind::Alarm => "警情",
            Kind::Visit => "上门",
            Kind::Call => "来电",
            Kind::Trace => "联系",
            Kind::Record => "档案",
        }
    }

    pub(super) fn icon(self) -> &'static str {
        match self {
            Kind::Alarm => "bell",
            Kind::Visit => "user-heart",
            Kind::Call => "phone",
            Kind::Trace => "activity",
            Kind::Record => "file-text",
        }
    }
}

/// One moment.
#[derive(Debug)]
pub(super) struct Event {
    when: At,
    pub(super) at: String,
    pub(super) kind: Kind,
    pub(super) what: String,
    pub(super) who: String,
    pub(super) href: Option<String>,
}

/// One of the elder's devices.
#[derive(Debug)]
pub(super) struct Owned {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) battery: Option<i64>,
    pub(super) seen: String,
    pub(super) silent: bool,
}

/// The moments of somebody's life as far as this post may see them, the latest first.
pub(super) fn story(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person: PersonId,
    happened: &[Happening],
    now: Now,
) -> Answer<Vec<Event>> {
    let mut all: Vec<Event> = happened.iter().map(|h| record(h, now)).collect();
    if actor.may(Act::SeeAlarms).is_ok() {
        let filter = incidents::Filter { person: Some(person), ..incidents::Filter::default() };
        for line in incidents::incidents(tx, actor, &filter, None, OF_EACH)? {
            let i = &line.incident;
            let how = i.outcome.map_or(i.state.label(), |o| o.label());
            let who = if line.closed_name.is_empty() { &line.owner_name } else { &line.closed_name };
            let what = format!("{}：{how}", i.kind.label());
            all.push(event(i.received_at, now, Kind::Alarm, what, who, Some(format!("/alarms/{}", i.id))));
        }
    }
    if actor.may(Act::SeeOrders).is_ok() {
        let filter = orders::Filter { person: Some(person), ..orders::Filter::default() };
        let page = orders::Page { latest_first: true, limit: OF_EACH, ..Default::default() };
        for line in orders::lines(tx, actor, &filter, page)? {
            let Some(at) = line.checked_in_at.filter(|_| line.state != OrderState::Cancelled) else {
                continue;
            };
            let href = Some(format!("/orders/{}", line.id));
            all.push(event(at, now, Kind::Visit, line.service_name, &line.carer_name, href));
        }
    }
    if actor.may(Act::TakeCalls).is_ok() {
        for call in calls::calls(tx, actor, None, Some(person), OF_EACH)? {
            let how = call.outcome.map_or("还没有办结", calls::Outcome::label);
            let href = Some(format!("/hotline/calls/{}", call.id));
            all.push(event(call.rang_at, now, Kind::Call, format!("来电：{how}"), &call.answered_name, href));
        }
    }
    for seen in sightings::of_person(tx, actor, person, OF_EACH)? {
        all.push(event(seen.at, now, Kind::Trace, seen.kind.label().to_owned(), &seen.source, None));
    }
    all.sort_by_key(|e| std::cmp::Reverse(e.when));
    all.truncate(SHOWN_MOST);
    Ok(all)
}

fn event(when: At, now: Now, kind: Kind, what: String, who: &str, href: Option<String>) -> Event {
    Event { when, at: when.as_seen(now), kind, what, who: who.to_owned(), href }
}

fn record(h: &Happening, now: Now) -> Event {
    let role = Role::from_code(&h.role).map_or("", Role::label);
    let who = format!("{} {role}", h.by_name);
    event(h.at, now, Kind::Record, h.what.clone(), who.trim(), None)
}

/// The elder's devices; none for a post that may not see devices.
pub(super) fn owned(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person: PersonId,
    now: Now,
) -> Answer<Option<Vec<Owned>>> {
    if actor.may(Act::SeeDevices).is_err() {
        return Ok(None);
    }
    let filter = devices::Filter { person: Some(person), ..devices::Filter::default() };
    let page = devices::Page { after: 0, limit: 20 };
    let of = |d: devices::Device| Owned {
        href: format!("/devices/{}", d.id),
        name: format!("{} {} {}", d.kind.label(), d.serial, d.place).trim().to_owned(),
        battery: d.battery,
        seen: d.last_seen_at.map_or_else(
            || "还没有上报过".to_owned(),
            |at| format!("{}前", look::length(now.0.seconds_since(at).max(0))),
        ),
        silent: d.overdue(now),
    };
    Ok(Some(devices::devices(tx, actor, &filter, page, now)?.into_iter().map(of).collect()))
}
