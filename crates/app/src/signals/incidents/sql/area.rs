//! Rows of area incidents' devices.

use domain::{
    ids::{DeviceId, IncidentId, PersonId},
    signals::incident::Incident,
    time::At,
};

use super::{COLUMNS, columns, row};
use crate::{
    p,
    store::{Fault, Tx},
};

crate::statements! {
    MEMBERS = "SELECT device, left_at FROM incident_member WHERE incident = ?1";
    IN_OTHER_AREAS = "SELECT m.device FROM incident_member m JOIN incident i ON i.id = m.incident
        WHERE m.left_at IS NULL AND i.id <> ?1 AND i.state <> 'closed'";
    JOIN = "INSERT INTO incident_member (incident, device, person, silent_since, joined_at)
        VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (incident, device) DO NOTHING";
    JOIN_AGAIN = "UPDATE incident_member SET left_at = NULL, silent_since = ?3, joined_at = ?4
        WHERE incident = ?1 AND device = ?2";
    LEAVE = "UPDATE incident_member SET left_at = ?3 WHERE incident = ?1 AND device = ?2 AND left_at IS NULL";
    TO_ATTACH = concat!("SELECT ", columns!(), " FROM incident_member m JOIN incident i ON i.device = m.device
        WHERE m.incident = ?1 AND m.left_at IS NULL AND i.state = 'ringing' AND i.kind IN ('device_fault', 'silence')
        ORDER BY i.id");
    ATTACHED = concat!("SELECT ", columns!(), ",
        CAST(CASE WHEN m.device IS NOT NULL AND m.left_at IS NULL THEN 1 ELSE 0 END AS BIGINT)
        FROM incident i LEFT JOIN incident_member m ON m.incident = i.area AND m.device = i.device
        WHERE i.area = ?1 AND i.state = 'attached' ORDER BY i.id");
}

/// The devices of an area and whether they were heard of again.
pub(crate) fn members(tx: &mut Tx<'_>, area: IncidentId) -> Result<Vec<(DeviceId, bool)>, Fault> {
    tx.all(MEMBERS, p![area], |row| Ok((row.get(0)?, row.get::<Option<At>>(1)?.is_some())))
}

/// Devices other open areas stand for.
pub(crate) fn in_other_areas(tx: &mut Tx<'_>, not: Option<IncidentId>) -> Result<Vec<DeviceId>, Fault> {
    tx.all(IN_OTHER_AREAS, p![not.map_or(0, |id| id.0)], |row| row.get(0))
}

pub(crate) fn join(
    tx: &mut Tx<'_>,
    area: IncidentId,
    (device, person): (DeviceId, Option<PersonId>),
    since: At,
    at: At,
    again: bool,
) -> Result<(), Fault> {
    if again {
        tx.execute_one(JOIN_AGAIN, p![area, device, since, at])
    } else {
        tx.execute_one(JOIN, p![area, device, person, since, at])
    }
}

pub(crate) fn leave(tx: &mut Tx<'_>, area: IncidentId, device: DeviceId, at: At) -> Result<(), Fault> {
    tx.execute_one(LEAVE, p![area, device, at])
}

/// Incidents that ring for single devices of an area.
pub(crate) fn to_attach(tx: &mut Tx<'_>, area: IncidentId) -> Result<Vec<Incident>, Fault> {
    tx.all(TO_ATTACH, p![area], row)
}

/// Incidents that are part of an area, and whether their device is still silent.
pub(crate) fn attached(tx: &mut Tx<'_>, area: IncidentId) -> Result<Vec<(Incident, bool)>, Fault> {
    tx.all(ATTACHED, p![area], |r| Ok((row(r)?, r.get(COLUMNS)?)))
}
