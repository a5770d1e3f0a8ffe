//! Where an elder of an incident lives: who it is, how one gets in, which station is near, which device rang.

use app::{
    outcome::{Answer, No},
    parties::people,
    signals::{
        devices,
        incidents::{self, Helper, Line, Station},
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

use crate::{
    desks::{
        hotline::talk::Who,
        map::{Map, Spot},
    },
    text::translate,
};

/// Below this a battery is worth a word.
const BATTERY_LOW: i64 = 20;

/// Stations named on the card.
const STATIONS: usize = 1;

/// The map reaches at least as far as one goes on foot.
const MAP_METRES: f64 = 1_000.0;

/// The map as large as the list beside it.
const MAP_SIZE: (f64, f64) = (280.0, 280.0);

/// Who it is and how one gets in.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) who: Option<Who>,
    pub(super) remarks: Vec<String>,
    pub(super) door: Door,
    pub(super) stations: Vec<Station>,
    /// Longitude and latitude.
    place: Option<(f64, f64)>,
}

impl Home {
    pub(super) fn load(tx: &mut Tx<'_>, actor: &Actor, line: &Line, now: Now) -> Answer<Home> {
        let nobody =
            Home { who: None, remarks: Vec::new(), door: Door::Unknown, stations: Vec::new(), place: None };
        let Some(person) = line.incident.person else { return Ok(nobody) };
        let (place, who) = match people::card(tx, actor, person, now) {
            Ok(card) => (card.place, Who::of(card, String::new())),
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
        let mut stations = incidents::stations(tx, actor, person, now)?;
        stations.truncate(STATIONS);
        Ok(Home { stations, who: Some(who), remarks, door, place })
    }

    /// The home, the station and who could be sent, numbered as in the list of them.
    pub(super) fn map(&self, nearest: &[Helper], lang: &'static str) -> Option<Map> {
        let home = Spot::new(self.place?, "home", "", self.who.as_ref().map_or("", |w| w.name.as_str()));
        let station =
            |s: &Station| Spot::new(s.place, "station", "", format!("{} {}", s.name, distance(s.metres)));
        let helper = |(n, h): (usize, &Helper)| {
            let far = h.metres.map(distance).unwrap_or_default();
            Some(Spot::new(h.place?, "helper", (n + 1).to_string(), format!("{} {} {far}", n + 1, h.name)))
        };
        let helpers = nearest.iter().enumerate().filter_map(helper);
        let spots: Vec<Spot> =
            std::iter::once(home).chain(helpers).chain(self.stations.iter().map(station)).collect();
        let label =
            translate("地图：住处在中间，上方是北；数字是名单里的人，菱形是服务站，边上虚线的在更远处", lang);
        // Drawn for those who are there first; whoever is farther stands at the edge.
        let mut far: Vec<i64> = nearest.iter().filter_map(|h| h.metres).collect();
        far.sort_unstable();
        let within = far.get(1).map_or(MAP_METRES, |m| (*m as f64).max(MAP_METRES));
        Map::around(lang, label.into_owned(), MAP_SIZE, within, &spots)
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
