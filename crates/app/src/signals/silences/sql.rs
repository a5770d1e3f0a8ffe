//! Rows of the list of those watched, of silences, and what of other areas decides about them.

use std::collections::HashMap;

use domain::{
    access::Scope,
    ids::{AccountId, DeviceId, IncidentId, OrderId, PersonId, VisitDutyId},
    parties::{Ability, FactKind, FactValue, LivingArrangement, PersonState, Span},
    regions::{RegionCode, RegionRange},
    signals::{
        sighting::SightingKind,
        silence::{Absence, Profile, Risk, RiskGrade},
    },
    time::{At, Day},
};
use serde_json::json;

use super::{
    devices::{DeviceLine, OpenDevice, Overdue},
    lists::{Filter, Line, Page},
    sweep::{Due, Open},
    watch::Known,
};
use crate::{
    p,
    store::{Fault, Row, Tx},
};

macro_rules! known {
    () => {
        "SELECT p.id, p.region, p.birth, p.state, p.living, p.ability, p.hardships, w.region, w.grade, w.why
        FROM person p LEFT JOIN watch w ON w.person = p.id AND w.ended_at IS NULL "
    };
}

macro_rules! due {
    ($more:literal) => {
        concat!(
            "SELECT w.person, w.region, p.name, w.grade, w.why, w.since, l.at, l.kind, s.id, s.incident, s.from_at",
            $more,
            " FROM watch w JOIN person p ON p.id = w.person
            LEFT JOIN last_sighting l ON l.person = w.person
            LEFT JOIN silence s ON s.person = w.person AND s.closed_at IS NULL "
        )
    };
}

macro_rules! lines {
    () => {
        "FROM silence s JOIN person p ON p.id = s.person
        LEFT JOIN watch w ON w.person = s.person AND w.ended_at IS NULL
        LEFT JOIN last_sighting l ON l.person = s.person
        LEFT JOIN account a ON a.id = w.charge
        WHERE s.closed_at IS NULL AND s.region BETWEEN ?1 AND ?2 AND (?3 = '' OR s.grade = ?3)
            AND (CAST(?4 AS BIGINT) = 0 OR w.charge = ?4) "
    };
}

crate::statements! {
    KNOWN = concat!(known!(), "WHERE p.id IN (SELECT CAST(v.value ->> 0 AS BIGINT) FROM json_each(?1) AS v)");
    KNOWN_AFTER = concat!(known!(), "WHERE (p.region, p.id) > (CAST(?1 AS BIGINT), CAST(?2 AS BIGINT))
        ORDER BY p.region, p.id LIMIT ?3");
    LIST = "INSERT INTO watch (person, region, grade, why, since, look_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)
        ON CONFLICT (person) DO UPDATE SET region = excluded.region, grade = excluded.grade, why = excluded.why,
            since = CASE WHEN watch.ended_at IS NULL THEN watch.since ELSE excluded.since END,
            charge = CASE WHEN watch.region = excluded.region THEN watch.charge ELSE NULL END,
            look_at = excluded.look_at, ended_at = NULL, end_why = NULL";
    UNLIST = "UPDATE watch SET ended_at = ?2, end_why = ?3, charge = NULL WHERE person = ?1 AND ended_at IS NULL";
    END_SILENCE = "UPDATE silence SET closed_at = ?2, closed_by = 'unwatched' WHERE person = ?1 AND closed_at IS NULL";
    UNLIST_STRANGERS = "UPDATE watch SET ended_at = ?1, end_why = 'gone', charge = NULL
        WHERE ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM person p WHERE p.id = watch.person)";
    LOOK_AT = "UPDATE watch SET look_at = ?2 WHERE ended_at IS NULL AND look_at > ?2
        AND person IN (SELECT CAST(v.value ->> 0 AS BIGINT) FROM json_each(?1) AS v)";
    LOOK_AT_ALL = "UPDATE watch SET look_at = 0 WHERE ended_at IS NULL";
    SET_LOOKS = "UPDATE watch SET look_at = x.look_at
        FROM (SELECT CAST(v.value ->> 0 AS BIGINT) AS person, CAST(v.value ->> 1 AS BIGINT) AS look_at
            FROM json_each(?1) AS v) AS x
        WHERE watch.person = x.person AND watch.ended_at IS NULL";
    DUE = concat!(due!(""), "WHERE w.ended_at IS NULL AND w.look_at < ?1 ORDER BY w.look_at, w.person LIMIT ?2");
    ONE = concat!(due!(", w.charge, a.name"),
        "LEFT JOIN account a ON a.id = w.charge WHERE w.person = ?1 AND w.ended_at IS NULL");
    ANYTHING_DUE = "SELECT person FROM watch WHERE ended_at IS NULL AND look_at < ?1 LIMIT 1";
    ABSENCES = "SELECT f.person, f.kind, f.value, f.valid_from, f.valid_to
        FROM json_each(?1) AS v JOIN person_fact f ON f.person = CAST(v.value ->> 0 AS BIGINT)
        WHERE f.known_to IS NULL AND (f.kind = 'away' OR (f.kind = 'state' AND f.value = 'hospital'))";
    OPEN = "INSERT INTO silence (id, person, region, grade, from_at, due_at, opened_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
    FOLLOW_UP = "UPDATE silence SET incident = ?2, order_id = ?3, duty = ?4 WHERE id = ?1";
    MOVED = "UPDATE silence SET from_at = ?2, due_at = ?3 WHERE id = ?1 AND closed_at IS NULL AND ?3 <= opened_at";
    CLOSE = "UPDATE silence SET closed_at = ?3, closed_by = ?2 WHERE id = ?1 AND closed_at IS NULL";
    RECENT = "SELECT COUNT(*) FROM silence WHERE opened_at >= ?3 AND closed_at IS NULL AND region BETWEEN ?1 AND ?2";
    WATCHED = "SELECT COUNT(*) FROM watch WHERE ended_at IS NULL AND region BETWEEN ?1 AND ?2";
    LINES = concat!("SELECT s.id, s.person, p.name, s.region, s.grade, COALESCE(w.why, ''), s.from_at, s.due_at,
            l.at, l.kind, l.source, w.charge, a.name, s.incident, s.order_id, s.duty ", lines!(),
        "ORDER BY s.due_at, s.id LIMIT ?5 OFFSET ?6");
    COUNT = concat!("SELECT COUNT(*) ", lines!());
    REGION = "SELECT region FROM person WHERE id = ?1 AND region BETWEEN ?2 AND ?3";
    DEVICES_OVERDUE = "SELECT id, region, person, vendor, COALESCE(last_seen_at, added_at), beat_seconds FROM device
        WHERE state = 'active'
            AND COALESCE(last_seen_at, added_at) + beat_seconds * CAST(1000000 AS BIGINT) < ?1";
    DEVICES_OPEN = "SELECT id, device, incident FROM device_silence WHERE closed_at IS NULL";
    DEVICE_OPEN = "INSERT INTO device_silence (id, device, region, from_at, due_at, opened_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
    DEVICE_CLOSE = "UPDATE device_silence SET closed_at = ?2 WHERE id = ?1 AND closed_at IS NULL";
    DEVICE_INCIDENT = "UPDATE device_silence SET incident = ?2 WHERE device = ?1 AND closed_at IS NULL";
    DEVICES_BY_COUNTY = "SELECT region / 1000000, COUNT(*) FROM device WHERE state = 'active' GROUP BY region / 1000000";
    DEVICES_BY_VENDOR = "SELECT vendor, region / 100000000, COUNT(*), MIN(region), MAX(region) FROM device
        WHERE state = 'active' GROUP BY vendor, region / 100000000";
    DEVICE_LINES = "SELECT s.id, s.device, d.serial, d.kind, d.vendor, d.person, s.region, s.from_at, s.due_at,
            s.incident
        FROM device_silence s JOIN device d ON d.id = s.device
        WHERE s.closed_at IS NULL AND s.region BETWEEN ?1 AND ?2 ORDER BY s.due_at, s.id LIMIT ?3 OFFSET ?4";
}

/// Ids as one text.
fn ids(people: &[PersonId]) -> String {
    let rows: Vec<[i64; 1]> = people.iter().map(|p| [p.0]).collect();
    json!(rows).to_string()
}

fn known_row(row: &Row<'_>) -> Result<Known, Fault> {
    let word = |n: usize| -> Result<String, Fault> { row.get(n) };
    let (living, ability) = (word(4)?, word(5)?);
    let region: Option<i64> = row.get(7)?;
    let listed = match region {
        Some(region) => Some((region, row.get(8)?, row.get(9)?)),
        None => None,
    };
    Ok(Known {
        person: row.get(0)?,
        region: row.get(1)?,
        birth: row.get(2)?,
        profile: Profile {
            state: row.word(3, PersonState::from_code)?,
            age: 0,
            living: LivingArrangement::from_code(&living),
            ability: Ability::from_code(&ability),
            hardships: row.get(6)?,
        },
        listed,
    })
}

pub(super) fn known(tx: &mut Tx<'_>, people: &[PersonId]) -> Result<Vec<Known>, Fault> {
    tx.all(KNOWN, p![ids(people)], known_row)
}

pub(super) fn known_after(tx: &mut Tx<'_>, after: (i64, i64), limit: i64) -> Result<Vec<Known>, Fault> {
    tx.all(KNOWN_AFTER, p![after.0, after.1, limit], known_row)
}

pub(super) fn list(tx: &mut Tx<'_>, known: &Known, risk: &Risk, now: At) -> Result<(), Fault> {
    tx.execute_one(LIST, p![known.person, known.region, risk.grade.code(), risk.why, now])
}

/// Takes somebody off the list, with the silence that was open.
pub(super) fn unlist(tx: &mut Tx<'_>, person: PersonId, why: &str, now: At) -> Result<(), Fault> {
    tx.execute(UNLIST, p![person, now, why])?;
    tx.execute(END_SILENCE, p![person, now]).map(drop)
}

pub(super) fn unlist_strangers(tx: &mut Tx<'_>, now: At) -> Result<(), Fault> {
    tx.execute(UNLIST_STRANGERS, p![now]).map(drop)
}

/// Has clocks read now.
pub(super) fn look_at(tx: &mut Tx<'_>, people: &[PersonId], now: At) -> Result<(), Fault> {
    tx.execute(LOOK_AT, p![ids(people), At(now.0 - 1)]).map(drop)
}

pub(super) fn look_at_all(tx: &mut Tx<'_>) -> Result<(), Fault> {
    tx.execute(LOOK_AT_ALL, p![]).map(drop)
}

pub(super) fn set_looks(tx: &mut Tx<'_>, looks: &[(PersonId, At)]) -> Result<(), Fault> {
    let rows: Vec<[i64; 2]> = looks.iter().map(|(person, at)| [person.0, at.0]).collect();
    tx.execute(SET_LOOKS, p![json!(rows).to_string()]).map(drop)
}

fn due_row(row: &Row<'_>) -> Result<Due, Fault> {
    let last: Option<At> = row.get(6)?;
    let open: Option<i64> = row.get(8)?;
    Ok(Due {
        person: row.get(0)?,
        region: row.get(1)?,
        name: row.get(2)?,
        grade: row.word(3, RiskGrade::from_code)?,
        why: row.get(4)?,
        since: row.get(5)?,
        last: match last {
            Some(at) => Some((at, row.word(7, SightingKind::from_code)?)),
            None => None,
        },
        open: match open {
            Some(id) => Some(Open { id, incident: row.get(9)?, from: row.get(10)? }),
            None => None,
        },
    })
}

pub(super) fn due(tx: &mut Tx<'_>, now: At, limit: i64) -> Result<Vec<Due>, Fault> {
    tx.all(DUE, p![now, limit], due_row)
}

pub(super) fn anything_due(tx: &mut Tx<'_>, now: At) -> Result<bool, Fault> {
    Ok(tx.find(ANYTHING_DUE, p![now], |_| Ok(()))?.is_some())
}

type Charge = Option<(AccountId, String)>;

fn charge(row: &Row<'_>, n: usize) -> Result<Charge, Fault> {
    let account: Option<AccountId> = row.get(n)?;
    let name: Option<String> = row.get(n + 1)?;
    Ok(account.map(|account| (account, name.unwrap_or_default())))
}

pub(super) fn one(tx: &mut Tx<'_>, person: PersonId) -> Result<Option<(Due, Charge)>, Fault> {
    tx.find(ONE, p![person], |row| Ok((due_row(row)?, charge(row, 11)?)))
}

pub(super) fn absences(
    tx: &mut Tx<'_>,
    people: &[PersonId],
) -> Result<HashMap<PersonId, Vec<Absence>>, Fault> {
    let mut all: HashMap<PersonId, Vec<Absence>> = HashMap::new();
    tx.each(ABSENCES, p![ids(people)], |row| {
        let kind = row.word(1, FactKind::from_code)?;
        let why = match row.word(2, |word| FactValue::parse(kind, word))? {
            FactValue::Away(away) => away.label(),
            _ => PersonState::Hospital.label(),
        };
        let (from, to): (Day, Option<Day>) = (row.get(3)?, row.get(4)?);
        all.entry(row.get(0)?).or_default().push(Absence { span: Span { from, to }, why });
        Ok(())
    })?;
    Ok(all)
}

/// Opens a silence unless the person has one.
pub(super) fn open(
    tx: &mut Tx<'_>,
    id: i64,
    one: &Due,
    (from, due): (At, At),
    now: At,
) -> Result<bool, Fault> {
    let rows = tx.execute(OPEN, p![id, one.person, one.region, one.grade.code(), from, due, now])?;
    Ok(rows == 1)
}

pub(super) fn follow_up(
    tx: &mut Tx<'_>,
    id: i64,
    incident: IncidentId,
    order: Option<OrderId>,
    duty: Option<VisitDutyId>,
) -> Result<(), Fault> {
    tx.execute_one(FOLLOW_UP, p![id, incident, order, duty])
}

/// A late report moved the beginning of a silence that goes on.
pub(super) fn moved(tx: &mut Tx<'_>, id: i64, from: At, due: At) -> Result<(), Fault> {
    tx.execute(MOVED, p![id, from, due]).map(drop)
}

pub(super) fn close(tx: &mut Tx<'_>, id: i64, by: &str, now: At) -> Result<bool, Fault> {
    Ok(tx.execute(CLOSE, p![id, by, now])? == 1)
}

/// Silences that began in a county since then, and how many are watched there.
pub(super) fn county(tx: &mut Tx<'_>, range: RegionRange, since: At) -> Result<(i64, i64), Fault> {
    let recent = tx.one(RECENT, p![range.lo, range.hi, since], |row| row.get(0))?;
    Ok((recent, tx.one(WATCHED, p![range.lo, range.hi], |row| row.get(0))?))
}

pub(super) fn lines(tx: &mut Tx<'_>, scope: Scope, filter: &Filter, page: Page) -> Result<Vec<Line>, Fault> {
    let (grade, charged) = wish(filter);
    let params = p![scope.lo, scope.hi, grade, charged, page.limit, page.offset];
    tx.all(LINES, params, |row| {
        let last: Option<At> = row.get(8)?;
        Ok(Line {
            id: row.get(0)?,
            person: row.get(1)?,
            name: row.get(2)?,
            region: row.get(3)?,
            grade: row.word(4, RiskGrade::from_code)?,
            why: row.get(5)?,
            from: row.get(6)?,
            due: row.get(7)?,
            last: match last {
                Some(at) => Some((at, row.word(9, SightingKind::from_code)?, row.get(10)?)),
                None => None,
            },
            charge: charge(row, 11)?,
            incident: row.get(13)?,
            order: row.get(14)?,
            duty: row.get(15)?,
        })
    })
}

fn wish(filter: &Filter) -> (&'static str, i64) {
    (filter.grade.map_or("", RiskGrade::code), filter.charge.map_or(0, |a| a.0))
}

pub(super) fn count(tx: &mut Tx<'_>, scope: Scope, filter: &Filter) -> Result<i64, Fault> {
    let (grade, charged) = wish(filter);
    tx.one(COUNT, p![scope.lo, scope.hi, grade, charged], |row| row.get(0))
}

pub(super) fn region(tx: &mut Tx<'_>, person: PersonId, scope: Scope) -> Result<Option<RegionCode>, Fault> {
    tx.find(REGION, p![person, scope.lo, scope.hi], |row| row.get(0))
}

pub(super) fn devices_overdue(tx: &mut Tx<'_>, now: At) -> Result<Vec<Overdue>, Fault> {
    tx.all(DEVICES_OVERDUE, p![now], |row| {
        Ok(Overdue {
            device: row.get(0)?,
            region: row.get(1)?,
            person: row.get(2)?,
            vendor: row.get(3)?,
            from: row.get(4)?,
            beat_seconds: row.get(5)?,
        })
    })
}

pub(super) fn devices_open(tx: &mut Tx<'_>) -> Result<Vec<OpenDevice>, Fault> {
    tx.all(DEVICES_OPEN, p![], |row| {
        Ok(OpenDevice { id: row.get(0)?, device: row.get(1)?, incident: row.get(2)? })
    })
}

pub(super) fn device_open(tx: &mut Tx<'_>, id: i64, one: &Overdue, now: At) -> Result<bool, Fault> {
    Ok(tx.execute(DEVICE_OPEN, p![id, one.device, one.region, one.from, one.due(), now])? == 1)
}

pub(super) fn device_close(tx: &mut Tx<'_>, id: i64, now: At) -> Result<(), Fault> {
    tx.execute(DEVICE_CLOSE, p![id, now]).map(drop)
}

pub(super) fn device_incident(tx: &mut Tx<'_>, device: DeviceId, incident: IncidentId) -> Result<(), Fault> {
    tx.execute(DEVICE_INCIDENT, p![device, incident]).map(drop)
}

/// Devices in use of each county (its code's first six digits).
pub(super) fn by_county(tx: &mut Tx<'_>) -> Result<HashMap<i64, i64>, Fault> {
    Ok(tx.all(DEVICES_BY_COUNTY, p![], |row| Ok((row.get(0)?, row.get(1)?)))?.into_iter().collect())
}

/// By maker and the first four digits of a city: devices in use, and the first and last region they stand in.
pub(super) fn by_vendor(tx: &mut Tx<'_>) -> Result<HashMap<(String, i64), (i64, i64, i64)>, Fault> {
    let rows = tx.all(DEVICES_BY_VENDOR, p![], |row| {
        Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?, row.get(4)?)))
    })?;
    Ok(rows.into_iter().collect())
}

pub(super) fn device_lines(tx: &mut Tx<'_>, scope: Scope, page: Page) -> Result<Vec<DeviceLine>, Fault> {
    tx.all(DEVICE_LINES, p![scope.lo, scope.hi, page.limit, page.offset], |row| {
        Ok(DeviceLine {
            id: row.get(0)?,
            device: row.get(1)?,
            serial: row.get(2)?,
            kind: row.word(3, domain::signals::device::DeviceKind::from_code)?,
            vendor: row.get(4)?,
            person: row.get(5)?,
            region: row.get(6)?,
            from: row.get(7)?,
            due: row.get(8)?,
            incident: row.get(9)?,
        })
    })
}
