//! Where an elder of an incident lives: who it is, how one gets in, which station is near, which device rang.

use app::{
    outcome::{Answer, No},
    parties::people,
    signals::{
        devices,
        incidents::{self, Line},
    },
    store::Tx,
};
use domain::{
    access::{Act, Actor},
    ids::PersonId,
    parties::FactValue,
    signals::errand::distance,
    time::Now,
};

use crate::desks::hotline::talk::Who;

/// Below this a battery is worth a word.
const BATTERY_LOW: i64 = 20;

/// Stations named on the card.
const STATIONS: usize = 1;

/// Who it is and how one gets in.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) who: Option<Who>,
    pub(super) remarks: Vec<String>,
    pub(super) door: Door,
    pub(super) stations: Vec<(String, String)>,
}

impl Home {
    pub(super) fn load(tx: &mut Tx<'_>, actor: &Actor, line: &Line, now: Now) -> Answer<Home> {
        let nobody = Home { who: None, remarks: Vec::new(), door: Door::Unknown, stations: Vec::new() };
        let Some(person) = line.incident.person else { return Ok(nobody) };
        let who = match people::card(tx, actor, person, now) {
            Ok(card) => Who::of(card, String::new()),
            // Moved out of what this post may see since it rang.
            Err(No::NotFound) => return Ok(nobody),
            Err(no) => return Err(no),
        };
        let (remarks, door_known) = remarks(tx, actor, person, now)?;
        let door = match (incidents::door_code(tx, actor, line.incident.id)?, door_known) {
            (Some(code), true) => Door::Open(code),
            (_, true) => Door::Kept,
            (_, false) => Door::Unknown,
        };
        Ok(Home { stations: near(tx, actor, person, now)?, who: Some(who), remarks, door })
    }
}

/// What is shown of the door's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Door {
    /// None is on record.
    Unknown,
    /// There is one, for whoever takes the incident.
    Kept,
    /// This.
    Open(String),
}

/// Stations near somebody's home: name with telephone, and how far.
fn near(tx: &mut Tx<'_>, actor: &Actor, person: PersonId, now: Now) -> Answer<Vec<(String, String)>> {
    let all = incidents::stations(tx, actor, person, now)?;
    Ok(all
        .into_iter()
        .take(STATIONS)
        .map(|s| (format!("{} {}", s.name, s.phone), distance(s.metres)))
        .collect())
}

/// The remarks that hold on an elder's record, and whether it has a door's code.
fn remarks(tx: &mut Tx<'_>, actor: &Actor, person: PersonId, now: Now) -> Answer<(Vec<String>, bool)> {
    let record = people::person(tx, actor, person, now)?;
    let facts = record.facts;
    let holds = |fact: &people::Fact| fact.known_to.is_none() && fact.span.holds(now.day());
    let words = facts
        .iter()
        .filter(|fact| holds(fact))
        .filter_map(
            |fact| if let FactValue::Remark(words) = &fact.value { Some(words.to_string()) } else { None },
        )
        .collect();
    Ok((words, record.door_code_known))
}

/// The device that rang.
#[derive(Debug)]
pub(super) struct DeviceLine {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) battery: Option<i64>,
    pub(super) low: bool,
    pub(super) seen: String,
}

pub(super) fn device(tx: &mut Tx<'_>, actor: &Actor, line: &Line, now: Now) -> Answer<Option<DeviceLine>> {
    let (Some(id), Ok(())) = (line.incident.device, actor.may(Act::SeeDevices)) else { return Ok(None) };
    Ok(match devices::device(tx, actor, id) {
        Ok(d) => Some(DeviceLine {
            href: format!("/devices/{id}"),
            name: format!("{} {} {}", d.kind.label(), d.serial, d.place).trim().to_owned(),
            low: d.battery.is_some_and(|b| b < BATTERY_LOW),
            battery: d.battery,
            seen: d.last_seen_at.map(|at| at.as_seen(now)).unwrap_or_default(),
        }),
        Err(No::NotFound) => None,
        Err(no) => return Err(no),
    })
}
