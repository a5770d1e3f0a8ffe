//! Rows of devices.

use std::sync::Arc;

use domain::{
    access::Scope,
    ids::{AccountId, DeviceId, PersonId},
    regions::RegionCode,
    signals::device::{DeviceKind, DeviceState, Protocol},
    time::{At, Now},
};

use super::{AlarmFrame, Device, Filter, Known, NewDevice, Page, RejectedFrame, Seen};
use crate::{
    p,
    store::{Fault, Row, Tx},
};

macro_rules! columns {
    () => {
        "SELECT id, serial, kind, protocol, vendor, person, region, place, gateway, beat_seconds, battery,
            last_seen_at, state, added_at
        FROM device "
    };
}

macro_rules! known_columns {
    () => {
        "SELECT serial, id, kind, vendor, person, region, gateway, secret_hash FROM device WHERE state = 'active' "
    };
}

crate::statements! {
    INSERT = "INSERT INTO device (id, serial, kind, protocol, vendor, person, region, place, gateway, secret_hash,
            beat_seconds, state, added_at, added_by)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'active', ?12, ?13) ON CONFLICT DO NOTHING";
    SET_SECRET = "UPDATE device SET secret_hash = ?2 WHERE id = ?1";
    RETIRE = "UPDATE device SET state = 'retired', retired_at = ?2, retired_why = ?3 WHERE id = ?1";
    SAW = "UPDATE device SET last_seen_at = ?2, battery = COALESCE(?3, battery)
        WHERE id = ?1 AND (last_seen_at IS NULL OR last_seen_at < ?2)";
    DEVICE = concat!(columns!(), "WHERE id = ?3 AND region BETWEEN ?1 AND ?2");
    LIST = concat!(columns!(), "WHERE region BETWEEN ?1 AND ?2 AND id > ?3
            AND (?4 = '' OR serial LIKE ?4) AND (?5 = '' OR kind = ?5)
            AND (CAST(?6 AS BIGINT) = 0 OR person = ?6) AND (?7 = '' OR vendor = ?7)
            AND (?8 = 1 OR state = 'active')
            AND (CAST(?9 AS BIGINT) < 0 OR battery < ?9)
            AND (CAST(?10 AS BIGINT) = 0
                OR COALESCE(last_seen_at, added_at) + beat_seconds * CAST(1000000 AS BIGINT) < ?10)
        ORDER BY id LIMIT ?11");
    NAMES = "SELECT p.id, p.name FROM person p
        WHERE p.id IN (SELECT CAST(v.value ->> 0 AS BIGINT) FROM json_each(?1) AS v)";
    VENDORS = "SELECT vendor, COUNT(*) FROM device
        WHERE region BETWEEN ?1 AND ?2 AND state = 'active' AND vendor <> '' GROUP BY vendor ORDER BY vendor";
    ALARM_FRAMES = "SELECT received_at, device_at, kind, verified, incident, raw FROM alarm_frame
        WHERE serial = ?1 ORDER BY received_at DESC, id DESC LIMIT ?2";
    REJECTED_FRAMES = "SELECT received_at, protocol, peer, error, reason, raw FROM rejected_frame
        WHERE serial = ?1 ORDER BY id DESC LIMIT ?2";
    GIVE = "UPDATE device SET person = ?2, region = ?3 WHERE id = ?1";
    KNOWN = known_columns!();
    FIND_KNOWN = concat!(known_columns!(), "AND serial = ?1");
}

fn device_row(row: &Row<'_>) -> Result<Device, Fault> {
    Ok(Device {
        id: row.get(0)?,
        serial: row.get(1)?,
        kind: row.word(2, DeviceKind::from_code)?,
        protocol: row.word(3, Protocol::from_code)?,
        vendor: row.get(4)?,
        person: row.get(5)?,
        region: row.get(6)?,
        place: row.get(7)?,
        gateway: row.get(8)?,
        beat_seconds: row.get(9)?,
        battery: row.get(10)?,
        last_seen_at: row.get(11)?,
        state: row.word(12, DeviceState::from_code)?,
        added_at: row.get(13)?,
    })
}

fn known_row(row: &Row<'_>) -> Result<(String, Known), Fault> {
    let hash: Vec<u8> = row.get(7)?;
    let known = Known {
        id: row.get(1)?,
        kind: row.word(2, DeviceKind::from_code)?,
        vendor: row.get(3)?,
        person: row.get(4)?,
        region: row.get(5)?,
        gateway: row.get(6)?,
        secret_hash: hash.try_into().map_err(|_| Fault::other("a secret's code has not 16 bytes"))?,
        budget: Arc::default(),
    };
    Ok((row.get(0)?, known))
}

/// Inserts unless the serial is there; answers whether it did.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    id: DeviceId,
    new: &NewDevice,
    region: RegionCode,
    hash: [u8; 16],
    by: AccountId,
    at: At,
) -> Result<bool, Fault> {
    let protocol = new.protocol.unwrap_or(new.kind.protocol());
    let touched = tx.execute(
        INSERT,
        p![
            id,
            new.serial,
            new.kind.code(),
            protocol.code(),
            new.vendor,
            new.person,
            region,
            new.place,
            new.gateway,
            hash,
            new.beat_seconds.unwrap_or(new.kind.beat_seconds()),
            at,
            by
        ],
    )?;
    Ok(touched == 1)
}

pub(super) fn set_secret(tx: &mut Tx<'_>, id: DeviceId, hash: [u8; 16]) -> Result<(), Fault> {
    tx.execute_one(SET_SECRET, p![id, hash])
}

pub(super) fn retire(tx: &mut Tx<'_>, id: DeviceId, why: &str, at: At) -> Result<(), Fault> {
    tx.execute_one(RETIRE, p![id, at, why])
}

pub(super) fn saw(tx: &mut Tx<'_>, seen: &Seen) -> Result<(), Fault> {
    tx.execute(SAW, p![seen.device, seen.at, seen.battery]).map(|_| ())
}

pub(super) fn find(tx: &mut Tx<'_>, id: DeviceId, scope: Scope) -> Result<Option<Device>, Fault> {
    tx.find(DEVICE, p![scope.lo, scope.hi, id], device_row)
}

pub(super) fn list(
    tx: &mut Tx<'_>,
    scope: Scope,
    filter: &Filter,
    page: Page,
    now: Now,
) -> Result<Vec<Device>, Fault> {
    let words = if filter.words.is_empty() { String::new() } else { format!("%{}%", filter.words) };
    tx.all(
        LIST,
        p![
            scope.lo,
            scope.hi,
            page.after,
            words,
            filter.kind.map_or("", DeviceKind::code),
            filter.person.map_or(0, |p| p.0),
            filter.vendor,
            filter.retired,
            filter.battery_below.unwrap_or(-1),
            if filter.overdue { now.0.0 } else { 0 },
            page.limit.clamp(1, 500)
        ],
        device_row,
    )
}

pub(super) fn names(tx: &mut Tx<'_>, ids: &str) -> Result<Vec<(PersonId, String)>, Fault> {
    tx.all(NAMES, p![ids], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(super) fn vendors(tx: &mut Tx<'_>, scope: Scope) -> Result<Vec<(String, i64)>, Fault> {
    tx.all(VENDORS, p![scope.lo, scope.hi], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(super) fn alarm_frames(tx: &mut Tx<'_>, serial: &str, limit: i64) -> Result<Vec<AlarmFrame>, Fault> {
    tx.all(ALARM_FRAMES, p![serial, limit], |row| {
        Ok(AlarmFrame {
            received_at: row.get(0)?,
            device_at: row.get(1)?,
            kind: row.get(2)?,
            verified: row.get::<i64>(3)? == 1,
            incident: row.get(4)?,
            raw: row.get(5)?,
        })
    })
}

pub(super) fn rejected_frames(
    tx: &mut Tx<'_>,
    serial: &str,
    limit: i64,
) -> Result<Vec<RejectedFrame>, Fault> {
    tx.all(REJECTED_FRAMES, p![serial, limit], |row| {
        Ok(RejectedFrame {
            received_at: row.get(0)?,
            protocol: row.get(1)?,
            peer: row.get(2)?,
            error: row.get(3)?,
            reason: row.get(4)?,
            raw: row.get(5)?,
        })
    })
}

pub(super) fn give(tx: &mut Tx<'_>, id: DeviceId, person: PersonId, region: RegionCode) -> Result<(), Fault> {
    tx.execute_one(GIVE, p![id, person, region])
}

pub(super) fn known(tx: &mut Tx<'_>) -> Result<Vec<(String, Known)>, Fault> {
    tx.all(KNOWN, &[], known_row)
}

pub(super) fn find_known(tx: &mut Tx<'_>, serial: &str) -> Result<Option<Known>, Fault> {
    Ok(tx.find(FIND_KNOWN, p![serial], known_row)?.map(|(_, known)| known))
}
