//! Rows of meters and their readings.

use std::collections::{HashMap, HashSet};

use domain::{
    ids::{DeviceId, PersonId},
    signals::water,
    time::At,
};
use serde_json::json;

use super::{Alarm, Meter, Reading};
use crate::{
    p,
    store::{Fault, Row, Tx},
};

macro_rules! meter {
    () => {
        "SELECT m.id, m.person, m.region, m.step_millilitres, m.last_at, m.last_millilitres, m.low_since, m.high_day,
            m.leak_since FROM meter m "
    };
}

crate::statements! {
    METERS = concat!(meter!(), "WHERE m.id IN (SELECT CAST(v.value ->> 0 AS BIGINT) FROM json_each(?1) AS v)");
    DUE = concat!(meter!(), "WHERE m.look_at <= ?1 ORDER BY m.look_at, m.id LIMIT ?2");
    ANYTHING_DUE = "SELECT id FROM meter WHERE look_at <= ?1 LIMIT 1";
    INSERT = "INSERT INTO meter_reading (meter, at, person, millilitres)
        SELECT CAST(v.value ->> 0 AS BIGINT), CAST(v.value ->> 1 AS BIGINT), CAST(v.value ->> 2 AS BIGINT),
            CAST(v.value ->> 3 AS BIGINT)
        FROM json_each(?1) AS v WHERE 1 = 1 ON CONFLICT DO NOTHING";
    SET_LAST = "INSERT INTO meter (id, person, region, step_millilitres, last_at, last_millilitres, look_at)
        SELECT CAST(v.value ->> 0 AS BIGINT), CAST(v.value ->> 1 AS BIGINT), CAST(v.value ->> 2 AS BIGINT),
            CAST(v.value ->> 3 AS BIGINT), CAST(v.value ->> 4 AS BIGINT), CAST(v.value ->> 5 AS BIGINT),
            CAST(?2 AS BIGINT)
        FROM json_each(?1) AS v WHERE 1 = 1
        ON CONFLICT (id) DO UPDATE SET person = excluded.person, region = excluded.region,
            step_millilitres = excluded.step_millilitres, last_at = excluded.last_at,
            last_millilitres = excluded.last_millilitres, look_at = excluded.look_at
        WHERE excluded.last_at > meter.last_at";
    READINGS = "SELECT r.meter, r.at, r.millilitres FROM json_each(?1) AS v
        JOIN meter_reading r ON r.meter = CAST(v.value ->> 0 AS BIGINT) AND r.at >= ?2 ORDER BY r.meter, r.at";
    WATCHED = "SELECT w.person FROM json_each(?1) AS v
        JOIN watch w ON w.person = CAST(v.value ->> 0 AS BIGINT) AND w.ended_at IS NULL";
    SET_LOOKS = "UPDATE meter SET look_at = ?2
        WHERE id IN (SELECT CAST(v.value ->> 0 AS BIGINT) FROM json_each(?1) AS v)";
    QUIET = "UPDATE meter SET low_since = ?2, low_incident = ?3, high_day = ?4, leak_since = ?5 WHERE id = ?1";
    TIDY = "DELETE FROM meter_reading WHERE (meter, at) IN
        (SELECT meter, at FROM meter_reading WHERE at < ?1 ORDER BY at LIMIT 5000)";
}

fn ids(all: impl Iterator<Item = i64>) -> String {
    json!(all.map(|id| [id]).collect::<Vec<_>>()).to_string()
}

fn meter(row: &Row<'_>) -> Result<Meter, Fault> {
    Ok(Meter {
        id: row.get(0)?,
        person: row.get(1)?,
        region: row.get(2)?,
        step: row.get(3)?,
        last_at: row.get(4)?,
        last: row.get(5)?,
        low_since: row.get(6)?,
        high_day: row.get(7)?,
        leak_since: row.get(8)?,
    })
}

pub(super) fn meters(tx: &mut Tx<'_>, of: &[DeviceId]) -> Result<Vec<Meter>, Fault> {
    tx.all(METERS, p![ids(of.iter().map(|d| d.0))], meter)
}

pub(super) fn due(tx: &mut Tx<'_>, now: At, limit: i64) -> Result<Vec<Meter>, Fault> {
    tx.all(DUE, p![now, limit], meter)
}

pub(super) fn anything_due(tx: &mut Tx<'_>, now: At) -> Result<bool, Fault> {
    Ok(tx.find(ANYTHING_DUE, p![now], |_| Ok(()))?.is_some())
}

pub(super) fn insert(tx: &mut Tx<'_>, rows: &[Reading]) -> Result<(), Fault> {
    for some in rows.chunks(500) {
        let some: Vec<_> = some.iter().map(|r| [r.meter.0, r.at.0, r.person.0, r.millilitres]).collect();
        tx.execute(INSERT, p![json!(some).to_string()])?;
    }
    Ok(())
}

pub(super) fn set_last(tx: &mut Tx<'_>, rows: &[Reading], now: At) -> Result<(), Fault> {
    for some in rows.chunks(500) {
        let row = |r: &Reading| {
            [r.meter.0, r.person.0, r.region.number(), r.step_millilitres, r.at.0, r.millilitres]
        };
        let some: Vec<_> = some.iter().map(row).collect();
        tx.execute(SET_LAST, p![json!(some).to_string(), now])?;
    }
    Ok(())
}

pub(super) fn readings(
    tx: &mut Tx<'_>,
    of: &[DeviceId],
    since: At,
) -> Result<HashMap<DeviceId, Vec<water::Reading>>, Fault> {
    let mut all: HashMap<DeviceId, Vec<water::Reading>> = HashMap::new();
    tx.each(READINGS, p![ids(of.iter().map(|d| d.0)), since], |row| {
        let one = water::Reading { at: row.get(1)?, millilitres: row.get(2)? };
        all.entry(row.get(0)?).or_default().push(one);
        Ok(())
    })?;
    Ok(all)
}

/// Which of these people are on the list of those watched.
pub(super) fn watched(tx: &mut Tx<'_>, people: &[PersonId]) -> Result<HashSet<PersonId>, Fault> {
    Ok(tx.all(WATCHED, p![ids(people.iter().map(|p| p.0))], |row| row.get(0))?.into_iter().collect())
}

pub(super) fn set_looks(tx: &mut Tx<'_>, of: &[DeviceId], at: At) -> Result<(), Fault> {
    tx.execute(SET_LOOKS, p![ids(of.iter().map(|d| d.0)), at]).map(drop)
}

/// Notes what was said of a meter; writes only what is new.
pub(super) fn quiet(
    tx: &mut Tx<'_>,
    of: &Meter,
    low_since: Option<At>,
    incident: Alarm,
    high_day: Option<&str>,
    leak_since: Option<At>,
) -> Result<(), Fault> {
    let nothing = low_since.is_none() && high_day.is_none() && leak_since.is_none();
    if nothing && of.low_since.is_none() && of.high_day.is_none() && of.leak_since.is_none() {
        return Ok(());
    }
    tx.execute_one(QUIET, p![of.id, low_since, incident, high_day, leak_since])
}

pub(super) fn tidy(tx: &mut Tx<'_>, before: At) -> Result<u64, Fault> {
    tx.execute(TIDY, p![before])
}
