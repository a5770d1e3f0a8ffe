//! Rows of incidents and their facts.

mod area;
mod errands;
mod figures;
mod ladder;
mod lists;
mod outage;
mod reaches;
mod verify;

pub(super) use area::*;
pub(super) use errands::*;
pub(super) use figures::*;
pub(super) use ladder::*;
pub(super) use lists::*;
pub(super) use outage::*;
pub(super) use reaches::*;
pub(super) use verify::*;

use domain::{
    ids::{AccountId, CallId, IncidentId, PersonId},
    regions::RegionCode,
    signals::incident::{Incident, IncidentKind, IncidentOutcome, IncidentState, Level},
    time::At,
};

use crate::{
    p,
    store::{Fault, Row, Tx},
};

pub(super) const EVERY: &[&[(&str, &str)]] = &[
    ALL,
    area::ALL,
    errands::ALL,
    figures::ALL,
    ladder::ALL,
    lists::ALL,
    outage::ALL,
    reaches::ALL,
    verify::ALL,
];

/// The columns `row` reads, in its order.
macro_rules! columns {
    () => {
        "i.id, i.region, i.kind, i.level, i.level_top, i.person, i.device, i.call, i.area, i.verified, i.text,
            i.pressed_at, i.received_at, i.opened_at, i.presses, i.last_press_at, i.state, i.rang_at, i.round, i.owner,
            i.owned_at, i.active_at, i.hold_until, i.answered_at, i.answered_by, i.closed_at, i.closed_by, i.outcome,
            i.with_elder, i.reviewed_at, i.reviewed_by, i.facts, i.chain"
    };
}
pub(super) use columns;

/// How many columns `row` reads.
pub(super) const COLUMNS: usize = 33;

crate::statements! {
    INSERT = "INSERT INTO incident (id, region, kind, level, level_top, person, device, call, verified, text, pressed_at,
            received_at, opened_at, presses, last_press_at, state, rang_at, round, facts, chain)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)";
    UPDATE = "UPDATE incident SET level = ?3, level_top = ?4, person = ?5, area = ?6, verified = ?7, presses = ?8,
            last_press_at = ?9, state = ?10, rang_at = ?11, round = ?12, owner = ?13, owned_at = ?14, active_at = ?15,
            hold_until = ?16, again_at = ?17, answered_at = ?18, answered_by = ?19, closed_at = ?20, closed_by = ?21,
            outcome = ?22, with_elder = ?23, reviewed_at = ?24, reviewed_by = ?25, facts = ?26, chain = ?27, region = ?28
        WHERE id = ?1 AND facts = ?2";
    FIND = concat!("SELECT ", columns!(), " FROM incident i WHERE i.id = ?1");
    INSERT_FACT = "INSERT INTO incident_fact (incident, n, at, by_account, kind, text, detail)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    OF_KEY = "SELECT incident FROM incident_key WHERE key = ?1";
    INSERT_KEY = "INSERT INTO incident_key (key, incident, at) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO NOTHING";
    IN_LANE = concat!("SELECT ", columns!(), " FROM incident_lane l JOIN incident i ON i.id = l.incident
        WHERE l.lane = ?1");
    SET_LANE = "INSERT INTO incident_lane (lane, incident) VALUES (?1, ?2)
        ON CONFLICT (lane) DO UPDATE SET incident = excluded.incident";
    PERSON_REGION = "SELECT region FROM person WHERE id = ?1";
    CALL_REGION = "SELECT region FROM call WHERE id = ?1";
    ACCOUNT_NAME = "SELECT name FROM account WHERE id = ?1";
    SET_DRAFT = "INSERT INTO incident_draft (incident, account, text, at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (incident, account) DO UPDATE SET text = excluded.text, at = excluded.at";
    CLEAR_DRAFT = "UPDATE incident_draft SET text = '', at = ?3 WHERE incident = ?1 AND account = ?2";
    CONTACTS = "SELECT id, relation FROM contact WHERE person = ?1 ORDER BY rank, id";
    DRAFT = "SELECT text FROM incident_draft WHERE incident = ?1 AND account = ?2 AND text <> ''";
}

fn word<T>(row: &Row<'_>, n: usize, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Fault> {
    match row.get::<Option<String>>(n)? {
        None => Ok(None),
        Some(_) => row.word(n, parse).map(Some),
    }
}

/// Reads the columns of `columns!`, from the first.
pub(super) fn row(row: &Row<'_>) -> Result<Incident, Fault> {
    let account = |n: usize| Ok::<_, Fault>(row.get::<Option<i64>>(n)?.map(AccountId));
    let chain: Vec<u8> = row.get(32)?;
    Ok(Incident {
        id: row.get(0)?,
        region: row.get(1)?,
        kind: row.word(2, IncidentKind::from_code)?,
        level: row.word(3, Level::from_code)?,
        level_top: row.word(4, Level::from_code)?,
        person: row.get(5)?,
        device: row.get(6)?,
        call: row.get(7)?,
        area: row.get(8)?,
        verified: row.get(9)?,
        text: row.get(10)?,
        pressed_at: row.get(11)?,
        received_at: row.get(12)?,
        opened_at: row.get(13)?,
        presses: row.get(14)?,
        last_press_at: row.get(15)?,
        state: row.word(16, IncidentState::from_code)?,
        rang_at: row.get(17)?,
        round: row.get(18)?,
        owner: account(19)?,
        owned_at: row.get(20)?,
        active_at: row.get(21)?,
        hold_until: row.get(22)?,
        answered_at: row.get(23)?,
        answered_by: account(24)?,
        closed_at: row.get(25)?,
        closed_by: account(26)?,
        outcome: word(row, 27, IncidentOutcome::from_code)?,
        with_elder: row.get(28)?,
        reviewed_at: row.get(29)?,
        reviewed_by: account(30)?,
        facts: row.get(31)?,
        chain: chain.try_into().map_err(|_| Fault::other("a chain has 16 bytes"))?,
    })
}

pub(super) fn find(tx: &mut Tx<'_>, id: IncidentId) -> Result<Option<Incident>, Fault> {
    tx.find(FIND, p![id], row)
}

pub(super) fn insert(tx: &mut Tx<'_>, i: &Incident) -> Result<(), Fault> {
    tx.execute_one(
        INSERT,
        p![
            i.id,
            i.region,
            i.kind.code(),
            i.level.code(),
            i.level_top.code(),
            i.person,
            i.device,
            i.call,
            i.verified,
            i.text,
            i.pressed_at,
            i.received_at,
            i.opened_at,
            i.presses,
            i.last_press_at,
            i.state.code(),
            i.rang_at,
            i.round,
            i.facts,
            &i.chain[..]
        ],
    )
}

/// Writes every column that may change; answers how many rows still had so many facts.
pub(super) fn update(tx: &mut Tx<'_>, i: &Incident, before: i64, again_at: Option<At>) -> Result<u64, Fault> {
    tx.execute(
        UPDATE,
        p![
            i.id,
            before,
            i.level.code(),
            i.level_top.code(),
            i.person,
            i.area,
            i.verified,
            i.presses,
            i.last_press_at,
            i.state.code(),
            i.rang_at,
            i.round,
            i.owner,
            i.owned_at,
            i.active_at,
            i.hold_until,
            again_at,
            i.answered_at,
            i.answered_by,
            i.closed_at,
            i.closed_by,
            i.outcome.map(IncidentOutcome::code),
            i.with_elder,
            i.reviewed_at,
            i.reviewed_by,
            i.facts,
            &i.chain[..],
            i.region
        ],
    )
}

pub(super) fn insert_fact(
    tx: &mut Tx<'_>,
    id: IncidentId,
    n: i64,
    (at, by): (At, AccountId),
    (kind, text, detail): (&str, &str, &str),
) -> Result<(), Fault> {
    tx.execute_one(INSERT_FACT, p![id, n, at, by, kind, text, detail])
}

pub(super) fn of_key(tx: &mut Tx<'_>, key: &str) -> Result<Option<IncidentId>, Fault> {
    tx.find(OF_KEY, p![key], |row| row.get(0))
}

/// A key another server took meanwhile is a conflict: the next attempt finds its incident.
pub(super) fn insert_key(tx: &mut Tx<'_>, key: &str, id: IncidentId, at: At) -> Result<(), Fault> {
    tx.execute_one(INSERT_KEY, p![key, id, at])
}

/// The latest incident of a lane.
pub(super) fn in_lane(tx: &mut Tx<'_>, lane: &str) -> Result<Option<Incident>, Fault> {
    tx.find(IN_LANE, p![lane], row)
}

pub(super) fn set_lane(tx: &mut Tx<'_>, lane: &str, id: IncidentId) -> Result<(), Fault> {
    tx.execute_one(SET_LANE, p![lane, id])
}

pub(super) fn person_region(tx: &mut Tx<'_>, id: PersonId) -> Result<Option<RegionCode>, Fault> {
    tx.find(PERSON_REGION, p![id], |row| row.get(0))
}

pub(super) fn call_region(tx: &mut Tx<'_>, id: CallId) -> Result<Option<RegionCode>, Fault> {
    tx.find(CALL_REGION, p![id], |row| row.get(0))
}

/// The display name of an account; empty for the platform itself.
pub(super) fn account_name(tx: &mut Tx<'_>, id: Option<AccountId>) -> Result<String, Fault> {
    let Some(id) = id else { return Ok(String::new()) };
    Ok(tx.find(ACCOUNT_NAME, p![id], |row| row.get(0))?.unwrap_or_default())
}

pub(super) fn set_draft(
    tx: &mut Tx<'_>,
    id: IncidentId,
    account: AccountId,
    text: &str,
    at: At,
) -> Result<(), Fault> {
    tx.execute_one(SET_DRAFT, p![id, account, text, at])
}

/// What somebody typed and did not send.
pub(super) fn draft(tx: &mut Tx<'_>, id: IncidentId, account: AccountId) -> Result<Option<String>, Fault> {
    tx.find(DRAFT, p![id, account], |row| row.get(0))
}

/// A draft became a note.
pub(super) fn clear_draft(tx: &mut Tx<'_>, id: IncidentId, account: AccountId, at: At) -> Result<(), Fault> {
    tx.execute(CLEAR_DRAFT, p![id, account, at]).map(|_| ())
}

/// Whom to call for a person, in order: id and relation.
pub(super) fn contacts(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<(i64, String)>, Fault> {
    tx.all(CONTACTS, p![person], |row| Ok((row.get(0)?, row.get(1)?)))
}
