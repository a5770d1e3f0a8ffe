//! Rows of calls.

use domain::{
    access::Scope,
    ids::{AccountId, CallId, PersonId},
    time::At,
};

use crate::{
    orders::calls::{Call, Filter},
    p,
    store::{Fault, Row, Tx},
};

crate::statements! {
    INSERT_CALL = "INSERT INTO call (id, external_id, line, region, number, number_index, number_shown, rang_at,
            received_at, person)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT (line, external_id) DO NOTHING";
    CALL = "SELECT c.id, c.external_id, c.line, c.region, c.number, c.number_index, c.number_shown, c.rang_at,
            c.received_at, c.answered_at, c.answered_by, c.person, c.note, c.closed_at, c.outcome,
            COALESCE(n.name, ''), COALESCE(a.name, '')
        FROM call c
        LEFT JOIN person n ON n.id = c.person
        LEFT JOIN account a ON a.id = c.answered_by
        WHERE c.id = ?1";
    CALL_BY_EXTERNAL = "SELECT id FROM call WHERE line = ?1 AND external_id = ?2";
    OPEN_CALLS = "SELECT c.id, c.external_id, c.line, c.region, c.number, c.number_index, c.number_shown, c.rang_at,
            c.received_at, c.answered_at, c.answered_by, c.person, c.note, c.closed_at, c.outcome,
            COALESCE(n.name, ''), COALESCE(a.name, '')
        FROM call c
        LEFT JOIN person n ON n.id = c.person
        LEFT JOIN account a ON a.id = c.answered_by
        WHERE c.closed_at IS NULL AND c.region BETWEEN ?1 AND ?2
        ORDER BY c.rang_at LIMIT 200";
    CALLS = "SELECT c.id, c.external_id, c.line, c.region, c.number, c.number_index, c.number_shown, c.rang_at,
            c.received_at, c.answered_at, c.answered_by, c.person, c.note, c.closed_at, c.outcome,
            COALESCE(n.name, ''), COALESCE(a.name, '')
        FROM call c
        LEFT JOIN person n ON n.id = c.person
        LEFT JOIN account a ON a.id = c.answered_by
        WHERE c.region BETWEEN ?1 AND ?2 AND c.id < ?3 AND (CAST(?4 AS BIGINT) = 0 OR c.person = ?4)
        ORDER BY c.id DESC LIMIT ?5";
    CALL_HISTORY = "SELECT c.id, c.external_id, c.line, c.region, c.number, c.number_index, c.number_shown, c.rang_at,
            c.received_at, c.answered_at, c.answered_by, c.person, c.note, c.closed_at, c.outcome,
            COALESCE(n.name, ''), COALESCE(a.name, '')
        FROM call c
        LEFT JOIN person n ON n.id = c.person
        LEFT JOIN account a ON a.id = c.answered_by
        WHERE c.region BETWEEN ?1 AND ?2 AND c.id < ?3 AND (?4 = 0 OR c.person = ?4)
            AND c.rang_at >= ?5 AND c.rang_at < ?6 AND (?7 = '' OR c.outcome = ?7)
        ORDER BY c.id DESC LIMIT ?8";
    ANSWER = "UPDATE call SET answered_at = ?2, answered_by = ?3 WHERE id = ?1 AND answered_at IS NULL";
    TAKE_OVER = "UPDATE call SET answered_by = ?3 WHERE id = ?1 AND answered_by = ?2 AND closed_at IS NULL";
    SET_PERSON = "UPDATE call SET person = ?2 WHERE id = ?1 AND closed_at IS NULL";
    SET_NOTE = "UPDATE call SET note = ?2 WHERE id = ?1 AND closed_at IS NULL";
    CLOSE = "UPDATE call SET closed_at = ?2, closed_by = ?3, outcome = ?4 WHERE id = ?1 AND closed_at IS NULL";
    ANSWER_TIMES = "SELECT rang_at, answered_at FROM call WHERE rang_at >= ?1 AND region BETWEEN ?2 AND ?3";
    KNOWN_BY = "SELECT id, region FROM person WHERE phone_index = ?1
        UNION SELECT p.id, p.region FROM contact k JOIN person p ON p.id = k.person WHERE k.phone_index = ?1
        ORDER BY 1 LIMIT 20";
}

fn call(row: &Row<'_>) -> Result<Call, Fault> {
    Ok(Call {
        id: row.get(0)?,
        external_id: row.get(1)?,
        line: row.get(2)?,
        region: row.get(3)?,
        number: row.get(4)?,
        number_index: row.get(5)?,
        number_shown: row.get(6)?,
        rang_at: row.get(7)?,
        received_at: row.get(8)?,
        answered_at: row.get(9)?,
        answered_by: row.get::<Option<i64>>(10)?.map(AccountId),
        person: row.get(11)?,
        note: row.get(12)?,
        closed_at: row.get(13)?,
        outcome: match row.get::<Option<String>>(14)? {
            None => None,
            Some(_) => Some(row.word(14, crate::orders::calls::Outcome::from_code)?),
        },
        person_name: row.get(15)?,
        answered_name: row.get(16)?,
    })
}

pub(in crate::orders) fn insert_call(tx: &mut Tx<'_>, c: &Call) -> Result<bool, Fault> {
    let rows = tx.execute(
        INSERT_CALL,
        p![
            c.id,
            c.external_id,
            c.line,
            c.region,
            c.number,
            c.number_index,
            c.number_shown,
            c.rang_at,
            c.received_at,
            c.person
        ],
    )?;
    Ok(rows == 1)
}

pub(in crate::orders) fn find_call(tx: &mut Tx<'_>, id: CallId) -> Result<Option<Call>, Fault> {
    tx.find(CALL, p![id], call)
}

pub(in crate::orders) fn call_by_external(
    tx: &mut Tx<'_>,
    line: &str,
    external: &str,
) -> Result<CallId, Fault> {
    tx.one(CALL_BY_EXTERNAL, p![line, external], |row| row.get(0))
}

pub(in crate::orders) fn open_calls(tx: &mut Tx<'_>, scope: Scope) -> Result<Vec<Call>, Fault> {
    tx.all(OPEN_CALLS, p![scope.lo, scope.hi], call)
}

pub(in crate::orders) fn calls(
    tx: &mut Tx<'_>,
    scope: Scope,
    before: Option<CallId>,
    person: Option<PersonId>,
    limit: i64,
) -> Result<Vec<Call>, Fault> {
    let (before, person) = (before.map_or(i64::MAX, |b| b.0), person.map_or(0, |p| p.0));
    tx.all(CALLS, p![scope.lo, scope.hi, before, person, limit], call)
}

pub(in crate::orders) fn call_history(
    tx: &mut Tx<'_>,
    scope: Scope,
    filter: Filter,
    before: Option<CallId>,
    limit: i64,
) -> Result<Vec<Call>, Fault> {
    let (before, person) = (before.map_or(i64::MAX, |b| b.0), filter.person.map_or(0, |p| p.0));
    let (from, to) = filter.day.map_or((0, i64::MAX), |day| {
        let from = At::from_local(day.into());
        (from.0, from.plus_minutes(24 * 60).0)
    });
    let outcome = filter.outcome.map_or("", |o| o.code());
    tx.all(CALL_HISTORY, p![scope.lo, scope.hi, before, person, from, to, outcome, limit], call)
}

pub(in crate::orders) fn answer_call(
    tx: &mut Tx<'_>,
    id: CallId,
    at: At,
    by: AccountId,
) -> Result<bool, Fault> {
    Ok(tx.execute(ANSWER, p![id, at, by])? == 1)
}

pub(in crate::orders) fn set_call_person(
    tx: &mut Tx<'_>,
    id: CallId,
    person: PersonId,
) -> Result<bool, Fault> {
    Ok(tx.execute(SET_PERSON, p![id, person])? == 1)
}

pub(in crate::orders) fn set_call_note(tx: &mut Tx<'_>, id: CallId, note: &str) -> Result<bool, Fault> {
    Ok(tx.execute(SET_NOTE, p![id, note])? == 1)
}

pub(in crate::orders) fn close_call(
    tx: &mut Tx<'_>,
    id: CallId,
    at: At,
    by: AccountId,
    outcome: &str,
) -> Result<bool, Fault> {
    Ok(tx.execute(CLOSE, p![id, at, by, outcome])? == 1)
}

pub(in crate::orders) fn answer_times(
    tx: &mut Tx<'_>,
    since: At,
    scope: Scope,
) -> Result<Vec<(At, Option<At>)>, Fault> {
    tx.all(ANSWER_TIMES, p![since, scope.lo, scope.hi], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// People known by a number: their own, or a contact's.
pub(in crate::orders) fn known_by(
    tx: &mut Tx<'_>,
    number_index: i64,
) -> Result<Vec<(PersonId, domain::regions::RegionCode)>, Fault> {
    tx.all(KNOWN_BY, p![number_index], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Gives an open call from one operator to another; answers whether it was still the first one's.
pub(in crate::orders) fn take_over_call(
    tx: &mut Tx<'_>,
    id: CallId,
    from: AccountId,
    to: AccountId,
) -> Result<bool, Fault> {
    Ok(tx.execute(TAKE_OVER, p![id, from, to])? == 1)
}
