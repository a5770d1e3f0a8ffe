//! Rows of what devices send.

use domain::{ids::IncidentId, time::At};

use super::{AlarmFrame, Rejection};
use crate::{
    p,
    store::{Fault, Tx},
};

crate::statements! {
    INSERT_BATCH = "INSERT INTO reading_batch (id, first_at, last_at, frames, body) VALUES (?1, ?2, ?3, ?4, ?5)";
    INSERT_ALARM = "INSERT INTO alarm_frame (id, code, device, serial, protocol, kind, seq, device_at, received_at,
            verified, raw)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING";
    SET_INCIDENT = "UPDATE alarm_frame SET incident = ?2 WHERE id = ?1";
    INSERT_REJECTED = "INSERT INTO rejected_frame (id, serial, protocol, peer, error, reason, received_at, raw)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    FORGET_REJECTED = "DELETE FROM rejected_frame WHERE serial = ?1 AND id <= (
            SELECT id FROM rejected_frame WHERE serial = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)";
    REJECTED = "SELECT serial, protocol, peer, error, reason, received_at, raw FROM rejected_frame
        WHERE serial = ?1 ORDER BY id DESC LIMIT ?2";
    LAST_BATCHES = "SELECT first_at, frames, body FROM reading_batch
        WHERE id >= (SELECT MAX(id) FROM reading_batch) - ?1 ORDER BY id DESC LIMIT ?2";
    BATCHES_BETWEEN = "SELECT first_at, frames, body FROM reading_batch
        WHERE last_at >= ?1 AND first_at < ?2 ORDER BY last_at DESC LIMIT ?3";
    OLD_BATCHES = "SELECT id, frames FROM reading_batch WHERE last_at < ?1 ORDER BY last_at LIMIT ?2";
    FORGET_BATCHES = "DELETE FROM reading_batch
        WHERE id IN (SELECT CAST(v.value ->> 0 AS BIGINT) FROM json_each(?1) AS v)";
    COUNT_READINGS = "SELECT CAST(COALESCE(SUM(frames), 0) AS BIGINT) FROM reading_batch";
    COUNT_ALARMS = "SELECT COUNT(*) FROM alarm_frame";
}

/// A row of readings: when its first came, how many there are, the body.
pub(super) struct BatchRow {
    pub(super) first_at: At,
    pub(super) body: Vec<u8>,
}

pub(super) fn insert_batch(
    tx: &mut Tx<'_>,
    id: i64,
    first_at: At,
    last_at: At,
    frames: i64,
    body: &[u8],
) -> Result<(), Fault> {
    tx.execute_one(INSERT_BATCH, p![id, first_at, last_at, frames, body])
}

/// Inserts unless the same event is there; answers whether it did.
pub(super) fn insert_alarm(
    tx: &mut Tx<'_>,
    id: i64,
    code: [u8; 16],
    alarm: &AlarmFrame,
) -> Result<bool, Fault> {
    let touched = tx.execute(
        INSERT_ALARM,
        p![
            id,
            code,
            alarm.device,
            alarm.serial,
            alarm.protocol.code(),
            alarm.kind.code(),
            alarm.seq,
            alarm.device_at,
            alarm.received_at,
            alarm.verified,
            alarm.raw
        ],
    )?;
    Ok(touched == 1)
}

pub(super) fn set_incident(tx: &mut Tx<'_>, id: i64, incident: IncidentId) -> Result<(), Fault> {
    tx.execute_one(SET_INCIDENT, p![id, incident])
}

pub(super) fn insert_rejected(tx: &mut Tx<'_>, id: i64, rejection: &Rejection) -> Result<(), Fault> {
    let r = rejection;
    tx.execute_one(
        INSERT_REJECTED,
        p![id, r.serial, r.protocol, r.peer, r.error, r.reason, r.received_at, r.raw],
    )
}

pub(super) fn forget_rejected(tx: &mut Tx<'_>, serial: &str, keep: i64) -> Result<(), Fault> {
    tx.execute(FORGET_REJECTED, p![serial, keep]).map(|_| ())
}

pub(super) fn rejected(tx: &mut Tx<'_>, serial: &str, limit: i64) -> Result<Vec<Rejection>, Fault> {
    tx.all(REJECTED, p![serial, limit], |row| {
        Ok(Rejection {
            serial: row.get(0)?,
            protocol: row.get(1)?,
            peer: row.get(2)?,
            error: row.get(3)?,
            reason: row.get(4)?,
            received_at: row.get(5)?,
            raw: row.get(6)?,
        })
    })
}

/// The newest batches, those stored within a span of ids.
pub(super) fn last_batches(tx: &mut Tx<'_>, span: i64, limit: i64) -> Result<Vec<BatchRow>, Fault> {
    tx.all(LAST_BATCHES, p![span, limit], |row| Ok(BatchRow { first_at: row.get(0)?, body: row.get(2)? }))
}

pub(super) fn batches_between(tx: &mut Tx<'_>, from: At, to: At, limit: i64) -> Result<Vec<BatchRow>, Fault> {
    tx.all(BATCHES_BETWEEN, p![from, to, limit], |row| {
        Ok(BatchRow { first_at: row.get(0)?, body: row.get(2)? })
    })
}

/// Number and frames of the oldest rows that are older than that.
pub(super) fn old_batches(tx: &mut Tx<'_>, before: At, limit: i64) -> Result<Vec<(i64, i64)>, Fault> {
    tx.all(OLD_BATCHES, p![before, limit], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(super) fn forget_batches(tx: &mut Tx<'_>, ids: &[i64]) -> Result<(), Fault> {
    let ids: Vec<[i64; 1]> = ids.iter().map(|id| [*id]).collect();
    tx.execute(FORGET_BATCHES, p![serde_json::to_string(&ids)?]).map(drop)
}

pub(super) fn counts(tx: &mut Tx<'_>) -> Result<(i64, i64), Fault> {
    Ok((tx.one(COUNT_READINGS, &[], |row| row.get(0))?, tx.one(COUNT_ALARMS, &[], |row| row.get(0))?))
}
