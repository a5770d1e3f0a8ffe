//! Rows of the last-contact clock and its short history.

use domain::{access::Scope, ids::PersonId, regions::RegionCode, signals::sighting::SightingKind, time::At};
use serde_json::json;

use super::{Seen, Sighting};
use crate::{
    p,
    store::{Fault, Row, Tx},
};

crate::statements! {
    SET_CLOCKS = "INSERT INTO last_sighting (person, at, kind, source, recorded_at)
        SELECT CAST(v.value ->> 0 AS BIGINT), CAST(v.value ->> 1 AS BIGINT), v.value ->> 2, v.value ->> 3,
            CAST(?2 AS BIGINT)
        FROM json_each(?1) AS v WHERE 1 = 1
        ON CONFLICT (person) DO UPDATE SET
            at = excluded.at, kind = excluded.kind, source = excluded.source, recorded_at = excluded.recorded_at
        WHERE excluded.at > last_sighting.at";
    KEEP = "INSERT INTO sighting (person, kind, slot, at, source, recorded_at)
        SELECT CAST(v.value ->> 0 AS BIGINT), v.value ->> 1, CAST(v.value ->> 2 AS BIGINT),
            CAST(v.value ->> 3 AS BIGINT), v.value ->> 4, CAST(?2 AS BIGINT)
        FROM json_each(?1) AS v WHERE 1 = 1
        ON CONFLICT (person, kind, slot) DO UPDATE SET
            at = excluded.at, source = excluded.source, recorded_at = excluded.recorded_at
        WHERE excluded.at > sighting.at";
    LAST = "SELECT at, kind, source, recorded_at FROM last_sighting WHERE person = ?1";
    OF_PERSON = "SELECT at, kind, source, recorded_at FROM sighting WHERE person = ?1
        ORDER BY at DESC, kind LIMIT ?2";
    REGION = "SELECT region FROM person WHERE id = ?1 AND region BETWEEN ?2 AND ?3";
    TIDY = "DELETE FROM sighting WHERE (person, kind, slot) IN
        (SELECT person, kind, slot FROM sighting WHERE slot < ?1 ORDER BY slot LIMIT ?2)";
}

/// Sets the clocks that are behind.
pub(super) fn set_clocks<'a>(
    tx: &mut Tx<'_>,
    rows: impl Iterator<Item = (&'a Sighting, At, String)>,
    now: At,
) -> Result<(), Fault> {
    let rows: Vec<_> =
        rows.map(|(one, at, source)| json!([one.person.0, at.0, one.kind.code(), source])).collect();
    tx.execute(SET_CLOCKS, p![serde_json::to_string(&rows)?, now]).map(drop)
}

/// Keeps the newest of each slot.
pub(super) fn keep<'a>(
    tx: &mut Tx<'_>,
    rows: impl Iterator<Item = (&'a Sighting, At, At, String)>,
    now: At,
) -> Result<(), Fault> {
    let rows: Vec<_> = rows
        .map(|(one, slot, at, source)| json!([one.person.0, one.kind.code(), slot.0, at.0, source]))
        .collect();
    tx.execute(KEEP, p![serde_json::to_string(&rows)?, now]).map(drop)
}

fn seen(row: &Row<'_>) -> Result<Seen, Fault> {
    Ok(Seen {
        at: row.get(0)?,
        kind: row.word(1, SightingKind::from_code)?,
        source: row.get(2)?,
        recorded_at: row.get(3)?,
    })
}

pub(super) fn last(tx: &mut Tx<'_>, person: PersonId) -> Result<Option<Seen>, Fault> {
    tx.find(LAST, p![person], seen)
}

pub(super) fn of_person(tx: &mut Tx<'_>, person: PersonId, limit: i64) -> Result<Vec<Seen>, Fault> {
    tx.all(OF_PERSON, p![person, limit], seen)
}

pub(super) fn tidy(tx: &mut Tx<'_>, before: At, limit: i64) -> Result<u64, Fault> {
    tx.execute(TIDY, p![before, limit])
}

pub(super) fn region(tx: &mut Tx<'_>, person: PersonId, scope: Scope) -> Result<Option<RegionCode>, Fault> {
    tx.find(REGION, p![person, scope.lo, scope.hi], |row| row.get(0))
}
