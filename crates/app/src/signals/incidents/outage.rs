//! When nobody listened, and whom we may have missed then.
//!
//! A server notes every few seconds that it is up. What lies between the last such moment of all servers and the next
//! start is an outage: known at the start, with the devices that have been silent since and the calls nobody took.

use domain::{
    access::{Act, Actor},
    ids::{CallId, DeviceId, IncidentId, PersonId},
    regions::RegionCode,
    signals::silence::{Profile, Risk, RiskGrade, risk},
    time::{At, Now},
};

use super::sql;
use crate::{
    outcome::Answer,
    store::{Fault, Tx},
};

/// Shorter than this is a restart: no call rings so briefly, and devices send again.
const OUTAGE_SECONDS: i64 = 10;
/// Callers who began to ring shortly before were cut off.
const BEFORE_SECONDS: i64 = 60;
/// Devices listed at most: a county's may all be silent, and nobody reads further.
const DEVICES_MAX: i64 = 2_000;
/// How far back an outage is looked for.
const DAYS: i64 = 7;

/// A time in which no server was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// Nobody was up from here.
    pub from: At,
    /// Somebody was up again.
    pub to: At,
}

/// A device that was well before an outage and has not been heard of since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissedDevice {
    /// Which.
    pub device: DeviceId,
    /// What its maker calls it.
    pub serial: String,
    /// What it is, as its code.
    pub kind: String,
    /// When it was last heard of.
    pub last_seen_at: At,
    /// Where.
    pub region: RegionCode,
    /// Whose.
    pub person: Option<PersonId>,
    /// Name of whose.
    pub person_name: String,
    /// How closely that person is watched.
    pub grade: Option<RiskGrade>,
    /// Why.
    pub why: String,
}

/// A call that rang when nobody could take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissedCall {
    /// Which.
    pub call: CallId,
    /// The masked number.
    pub number: String,
    /// When it rang.
    pub rang_at: At,
    /// Who called, if known.
    pub person: Option<PersonId>,
    /// Name of who.
    pub person_name: String,
    /// How closely that person is watched.
    pub grade: Option<RiskGrade>,
}

/// Whom an outage may have cost: to be rung up, the highest risk first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// When nobody listened.
    pub outage: Outage,
    /// Devices silent since.
    pub devices: Vec<MissedDevice>,
    /// Calls nobody took.
    pub calls: Vec<MissedCall>,
    /// Incidents that were pressed then and reached us later.
    pub late: Vec<IncidentId>,
}

/// A row of a person for judging risk, with what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct About {
    pub(super) person: Option<PersonId>,
    pub(super) name: String,
    pub(super) profile: Option<Profile>,
}

impl About {
    fn risk(&self) -> Option<Risk> {
        self.profile.as_ref().and_then(risk)
    }
}

/// A server begins to listen; answers the number of its window.
///
/// # Errors
/// Faults only.
pub fn begin_window(tx: &mut Tx<'_>, now: Now) -> Result<i64, Fault> {
    let id = tx.id(now);
    sql::insert_window(tx, id, now.0)?;
    Ok(id)
}

/// The server is still up.
///
/// # Errors
/// Faults only.
pub fn beat(tx: &mut Tx<'_>, window: i64, now: Now) -> Result<(), Fault> {
    sql::stretch_window(tx, window, now.0)
}

/// The latest outage of the last week.
///
/// # Errors
/// Faults only.
pub fn latest_outage(tx: &mut Tx<'_>, now: Now) -> Result<Option<Outage>, Fault> {
    let windows = sql::windows(tx, now.0.plus_minutes(-DAYS * 24 * 60))?;
    let mut latest = None;
    let mut up_to: Option<At> = None;
    for (from, to) in windows {
        if let Some(before) = up_to
            && from.seconds_since(before) >= OUTAGE_SECONDS
        {
            latest = Some(Outage { from: before, to: from });
        }
        up_to = up_to.max(Some(to));
    }
    Ok(latest)
}

/// Whom we may have missed in the latest outage, the highest risk first; nothing when there was none.
pub fn missed(tx: &mut Tx<'_>, actor: &Actor, now: Now) -> Answer<Option<Missed>> {
    actor.may(Act::SeeAlarms)?;
    let Some(outage) = latest_outage(tx, now)? else { return Ok(None) };
    let scope = actor.scope();
    let today = now.day();
    let mut devices: Vec<MissedDevice> = sql::silent_since(tx, scope, outage, (now.0, today), DEVICES_MAX)?
        .into_iter()
        .map(|(mut device, about)| {
            let found = about.risk();
            device.person = about.person;
            device.person_name = about.name;
            device.grade = found.as_ref().map(|r| r.grade);
            device.why = found.map(|r| r.why).unwrap_or_default();
            device
        })
        .collect();
    devices.sort_by_key(|d| (d.grade.is_none(), d.grade, d.person.is_none(), d.last_seen_at, d.device));
    let from = outage.from.plus_seconds(-BEFORE_SECONDS);
    let mut calls: Vec<MissedCall> = sql::abandoned(tx, scope, (from, outage.to), today)?
        .into_iter()
        .map(|(mut call, about)| {
            call.grade = about.risk().map(|r| r.grade);
            call.person = about.person;
            call.person_name = about.name;
            call
        })
        .collect();
    calls.sort_by_key(|c| (c.grade.is_none(), c.grade, c.rang_at, c.call));
    let late = sql::pressed_between(tx, scope, outage.from, outage.to)?;
    Ok(Some(Missed { outage, devices, calls, late }))
}
