//! Many devices silent at once are one incident: a mast, a maker's platform, a county's power, not a thousand elders.
//!
//! The device check calls `area` for each maker and each county with everything that is silent there now. Devices of
//! an open area incident do not ring by themselves; when it ends, those still silent do.

use std::collections::{HashMap, HashSet};

use domain::{
    access::Actor,
    ids::{DeviceId, IncidentId, PersonId},
    regions::{Level as RegionLevel, RegionCode},
    signals::{
        incident::{Incident, IncidentFactKind, IncidentKind, IncidentOutcome, IncidentState},
        ladder::Terms,
    },
    time::{At, Now},
};
use serde_json::json;

use super::{Opening, ladder, open, platform, save, save::Fact, sql};
use crate::store::{Fault, Tx};

/// What silent devices have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    /// A maker or the platform they report through.
    Vendor(String),
    /// A county.
    County(RegionCode),
}

/// Devices that may fall silent together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What they have in common.
    pub of: Of,
    /// Where: who sees this region sees the incident.
    pub region: RegionCode,
    /// What the desk reads: the maker's or county's name.
    pub name: String,
    /// How many there are, silent or not.
    pub devices: i64,
}

/// A device nothing was heard of for too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilentDevice {
    /// Which.
    pub device: DeviceId,
    /// Whose.
    pub person: Option<PersonId>,
    /// Since when.
    pub since: At,
}

/// What became of the silent devices of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// The one incident they share, if they do.
    pub incident: Option<IncidentId>,
    /// Whether it began just now.
    pub fresh: bool,
    /// Devices neither it nor another area stands for: each is to be told of by itself.
    pub singles: Vec<SilentDevice>,
}

/// Makes one incident of a group's silent devices when there are too many, and keeps its members up to date.
/// `silent` is everything of the group that is silent now. A reconciler: safe to run twice.
///
/// # Errors
/// Faults only.
pub fn area(tx: &mut Tx<'_>, group: &Group, silent: &[SilentDevice], now: Now) -> Result<Area, Fault> {
    let terms = ladder::terms(tx)?;
    let lane = match &group.of {
        Of::Vendor(vendor) => format!("area:vendor:{vendor}:{}", group.region.within(RegionLevel::City)),
        Of::County(county) => format!("area:county:{county}"),
    };
    let there = sql::in_lane(tx, &lane)?.filter(|i| i.state != IncidentState::Closed);
    // What another area stands for already is no second one: a maker's outage within a county is one incident.
    let elsewhere: HashSet<DeviceId> =
        sql::in_other_areas(tx, there.as_ref().map(|i| i.id))?.into_iter().collect();
    let own: Vec<SilentDevice> = silent.iter().filter(|s| !elsewhere.contains(&s.device)).cloned().collect();
    // What is explained already counts on neither side.
    let left = group.devices - (silent.len() - own.len()) as i64;
    let many = too_many(own.len(), left, &terms);
    let (mut incident, fresh) = match there {
        Some(there) => (there, false),
        None if !many => return Ok(Area { incident: None, fresh: false, singles: own }),
        None => (begin(tx, group, silent, &lane, now)?, true),
    };
    let covered = join(tx, &mut incident, &own, many, &terms, now)?;
    let singles = own.into_iter().filter(|s| !covered.contains(&s.device)).collect();
    Ok(Area { incident: Some(incident.id), fresh, singles })
}

fn too_many(silent: usize, devices: i64, terms: &Terms) -> bool {
    let silent = silent as i64;
    silent >= terms.area_devices_min && silent * 100 > devices * terms.area_percent
}

fn begin(
    tx: &mut Tx<'_>,
    group: &Group,
    silent: &[SilentDevice],
    lane: &str,
    now: Now,
) -> Result<Incident, Fault> {
    let opening = Opening {
        kind: IncidentKind::Area,
        level: IncidentKind::Area.level(),
        person: None,
        device: None,
        region: group.region,
        pressed_at: silent.iter().map(|s| s.since).min(),
        received_at: now.0,
        verified: true,
        text: format!("{}：{} 台设备中 {} 台同时失联", group.name, group.devices, silent.len()),
        key: format!("{lane}:{}", now.0.0),
    };
    let opened = open::open(tx, &opening, now)?;
    sql::set_lane(tx, lane, opened.id)?;
    sql::find(tx, opened.id)?.ok_or_else(|| Fault::other("an incident that was opened is there"))
}

/// Brings the members up to date; answers those the incident stands for.
fn join(
    tx: &mut Tx<'_>,
    incident: &mut Incident,
    silent: &[SilentDevice],
    many: bool,
    terms: &Terms,
    now: Now,
) -> Result<HashSet<DeviceId>, Fault> {
    let before: HashMap<DeviceId, bool> = sql::members(tx, incident.id)?.into_iter().collect();
    let (mut joined, mut left) = (0, 0);
    let mut covered = HashSet::new();
    for one in silent {
        let gone = match before.get(&one.device) {
            Some(false) => {
                covered.insert(one.device);
                continue;
            }
            Some(true) => true,
            None => false,
        };
        // While an outage ends, a device that falls silent then has a reason of its own.
        if many {
            sql::join(tx, incident.id, (one.device, one.person), one.since, now.0, gone)?;
            covered.insert(one.device);
            joined += 1;
        }
    }
    let now_silent: HashSet<DeviceId> = silent.iter().map(|s| s.device).collect();
    for device in before.iter().filter(|(device, left)| !**left && !now_silent.contains(device)).map(|m| m.0)
    {
        sql::leave(tx, incident.id, *device, now.0)?;
        left += 1;
    }
    if joined + left > 0 {
        let detail = json!({ "joined": joined, "left": left, "silent": covered.len() });
        let fact = Fact::new(IncidentFactKind::Members, "").with(detail);
        save::step(tx, &platform(), incident, &[fact], terms, now)?;
    }
    if joined > 0 {
        attach(tx, incident.id, terms, now)?;
    }
    Ok(covered)
}

/// What rings for single devices of an area falls silent: the area rings for all of them.
fn attach(tx: &mut Tx<'_>, area: IncidentId, terms: &Terms, now: Now) -> Result<(), Fault> {
    for mut single in sql::to_attach(tx, area)? {
        single.attach(area).map_err(|refusal| Fault::other(refusal.to_string()))?;
        let fact = Fact::new(IncidentFactKind::Attached, "").with(json!({ "area": area }));
        save::step(tx, &platform(), &mut single, &[fact], terms, now)?;
        ladder::stop(tx, &single, now)?;
    }
    Ok(())
}

/// The area incident is over: what was part of it ends with it, except where the device is still silent.
pub(super) fn dissolve(
    tx: &mut Tx<'_>,
    actor: &Actor,
    area: &Incident,
    terms: &Terms,
    now: Now,
) -> Result<(), Fault> {
    let outcome = area.outcome.unwrap_or(IncidentOutcome::FalseDevice);
    for (mut single, still_silent) in sql::attached(tx, area.id)? {
        if still_silent {
            let why = (IncidentFactKind::Rang, "area_closed", "成片警情已结案，本设备仍然失联");
            ladder::ring_again(tx, actor, single, why, terms, now)?;
        } else {
            single.close_with_area(actor.account, outcome, now);
            let detail = json!({ "outcome": outcome.code(), "area": area.id });
            let fact = Fact::new(IncidentFactKind::Closed, "随成片警情结案").with(detail);
            save::step(tx, actor, &mut single, &[fact], terms, now)?;
            super::reaches::over(tx, &single, now)?;
        }
    }
    Ok(())
}
