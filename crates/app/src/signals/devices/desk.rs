//! What the pages of devices ask and do beyond the list: names, whose a device is, what it sent.

use std::collections::HashMap;

use domain::{
    access::{Act, Actor},
    ids::{DeviceId, IncidentId, PersonId},
    time::{At, Now},
};
use serde_json::json;

use super::{DeviceRefusal, editable, sql};
use crate::{
    evidence::Event,
    outcome::{Answer, Found, No, Outcome},
    parties::people,
    store::{Fault, Tx},
};

/// A frame that opened an incident, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmFrame {
    /// When it came.
    pub received_at: At,
    /// What the device's clock said.
    pub device_at: Option<At>,
    /// What it told.
    pub kind: String,
    /// Whether the device had proved itself.
    pub verified: bool,
    /// The incident it belongs to.
    pub incident: Option<IncidentId>,
    /// Its bytes.
    pub raw: Vec<u8>,
}

/// A frame that was not taken, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedFrame {
    /// When it came.
    pub received_at: At,
    /// In which protocol.
    pub protocol: String,
    /// From where.
    pub peer: String,
    /// Stable name of the reason.
    pub error: String,
    /// The reason in words.
    pub reason: String,
    /// Its bytes.
    pub raw: Vec<u8>,
}

/// Names of the people some devices belong to. The caller has been shown the devices, which checks what may be seen.
///
/// # Errors
/// When the database fails.
pub fn names(tx: &mut Tx<'_>, people: &[PersonId]) -> Result<HashMap<PersonId, String>, Fault> {
    let ids: Vec<Vec<i64>> = people.iter().map(|p| vec![p.0]).collect();
    Ok(sql::names(tx, &json!(ids).to_string())?.into_iter().collect())
}

/// Makers of the devices the actor may see, with how many each has.
///
/// # Errors
/// When the post may not see devices.
pub fn vendors(tx: &mut Tx<'_>, actor: &Actor) -> Answer<Vec<(String, i64)>> {
    actor.may(Act::SeeDevices)?;
    Ok(sql::vendors(tx, actor.scope())?)
}

/// The last frames of a device that opened incidents, and the last that were refused.
///
/// # Errors
/// When the device cannot be seen.
pub fn frames(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: DeviceId,
    limit: i64,
) -> Answer<(Vec<AlarmFrame>, Vec<RejectedFrame>)> {
    actor.may(Act::SeeDevices)?;
    let device = sql::find(tx, id, actor.scope())?.found()?;
    Ok((sql::alarm_frames(tx, &device.serial, limit)?, sql::rejected_frames(tx, &device.serial, limit)?))
}

/// Gives a device to a person: it is where the person lives from now on.
///
/// # Errors
/// When the device is out of use or the person cannot be seen.
pub fn give(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: DeviceId,
    person: PersonId,
    now: Now,
) -> Outcome<(), DeviceRefusal> {
    let device = editable(tx, actor, id)?;
    let card = match people::card(tx, actor, person, now) {
        Ok(card) => card,
        Err(No::NotFound) => return Err(No::Refused(DeviceRefusal::NoPerson(person))),
        Err(no) => return Err(no.map(|never| match never {})),
    };
    sql::give(tx, id, person, card.region)?;
    let detail = json!({ "serial": device.serial, "person": person, "before": device.person });
    tx.record(actor, now, Event::new("device.given", id.0, card.region, detail))?;
    Ok(())
}
