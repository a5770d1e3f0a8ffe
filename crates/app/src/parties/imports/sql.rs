//! Rows of imports, their files and what was found in them.

use domain::{
    access::{Actor, Role},
    ids::ImportId,
    regions::RegionRange,
    time::{At, Now},
};

use super::{Choice, Counts, Import, State};
use crate::{
    p,
    store::{Fault, Row, Tx},
};

macro_rules! imports {
    ($where:literal) => {
        concat!(
            "SELECT i.id, i.file_name, i.file_bytes, i.state, i.rows_total, i.rows_done, i.added, i.changed, i.unchanged,
                i.rejected, i.warned, i.skipped, i.code, i.message, i.began_at, i.began_done, i.created_at,
                i.created_by, COALESCE(a.name, ''), i.created_role, i.created_lo, i.created_hi, i.accepted_at,
                i.changed_at
            FROM import i LEFT JOIN account a ON a.id = i.created_by
            WHERE i.created_lo >= ?1 AND i.created_hi <= ?2 AND ",
            $where
        )
    };
}

crate::statements! {
    INSERT = "INSERT INTO import (id, file_name, file_bytes, choice, state, began_at, created_at, created_by, created_role,
            created_lo, created_hi, changed_at, accepted_at, accepted_by, accepted_role)
        VALUES (?1, ?2, ?3, '{}', ?4, ?5, ?5, ?6, ?7, ?8, ?9, ?5, ?10, ?11, ?12)";
    INSERT_FILE = "INSERT INTO import_file (import, bytes) VALUES (?1, ?2)";
    FILE = "SELECT bytes FROM import_file WHERE import = ?1";
    FIND = imports!("i.id = ?3");
    LIST = imports!("i.id < ?3 ORDER BY i.id DESC LIMIT ?4");
    RUNNING = imports!("i.created_by = ?3 AND i.state IN ('reading', 'storing') ORDER BY i.id DESC LIMIT 5");
    CHOICE = "SELECT choice FROM import WHERE id = ?1";
    LAYOUT = "SELECT layout FROM import WHERE id = ?1";
    CHOOSE = "UPDATE import SET choice = ?2, state = 'reading', rows_done = 0, rows_total = 0, attempts = 0,
            worker = 0, lease_until = 0, code = '', message = '', began_at = ?3, began_done = 0, changed_at = ?3
        WHERE id = ?1 AND state = 'ready'";
    ACCEPT = "UPDATE import SET state = 'storing', rows_done = 0, stored_to = 0, added = 0, changed = 0, unchanged = 0,
            attempts = 0, worker = 0, lease_until = 0, began_at = ?2, began_done = 0, changed_at = ?2,
            accepted_at = ?2, accepted_by = ?3, accepted_role = ?4
        WHERE id = ?1 AND state = 'ready'";
    CANCEL = "UPDATE import SET state = 'cancelled', lease_until = 0, changed_at = ?2
        WHERE id = ?1 AND state IN ('reading', 'ready', 'storing')";
    NEXT = "SELECT id FROM import WHERE state IN ('reading', 'storing') AND lease_until <= ?1 ORDER BY id LIMIT 1";
    CLAIM = "UPDATE import SET worker = ?2, lease_until = ?3, attempts = attempts + 1, began_at = ?4,
            began_done = CASE state WHEN 'storing' THEN rows_done ELSE 0 END
        WHERE id = ?1 AND lease_until <= ?4 AND state IN ('reading', 'storing')";
    CLAIMED = "SELECT state, attempts, stored_to, created_lo, created_hi, created_by, created_role, accepted_by,
            accepted_role, file_name, choice, rejected
        FROM import WHERE id = ?1";
    BEAT = "UPDATE import SET lease_until = ?4, rows_total = ?5, rows_done = ?6, changed_at = ?7
        WHERE id = ?1 AND worker = ?2 AND state = ?3";
    HOLD = "UPDATE import SET lease_until = ?4 WHERE id = ?1 AND worker = ?2 AND state = ?3";
    RELEASE = "UPDATE import SET lease_until = ?3 WHERE id = ?1 AND worker = ?2 AND state IN ('reading', 'storing')";
    READY = "UPDATE import SET state = 'ready', layout = ?3, rows_total = ?4, rows_done = ?4, added = ?5, changed = ?6,
            unchanged = ?7, rejected = ?8, warned = ?9, skipped = ?10, code = ?11, message = ?12, lease_until = 0,
            changed_at = ?13
        WHERE id = ?1 AND worker = ?2 AND state = 'reading'";
    PREPARED = "UPDATE import SET layout = ?3, rows_total = ?4, rows_done = 0, rejected = ?5, warned = ?6, skipped = ?7,
            changed_at = ?8
        WHERE id = ?1 AND worker = ?2 AND state = 'storing'";
    STORED = "UPDATE import SET stored_to = ?3, rows_done = rows_done + ?4, added = added + ?5, changed = changed + ?6,
            unchanged = unchanged + ?7, rejected = rejected + ?8, attempts = 0, changed_at = ?9
        WHERE id = ?1 AND worker = ?2 AND state = 'storing'";
    END = "UPDATE import SET state = ?3, code = ?4, message = ?5, lease_until = 0, changed_at = ?6
        WHERE id = ?1 AND worker = ?2 AND state IN ('reading', 'storing')";
    DELETE_PARTS = "DELETE FROM import_part WHERE import = ?1";
    INSERT_PART = "INSERT INTO import_part (import, part, body) VALUES (?1, ?2, ?3)";
    NEXT_PART = "SELECT COALESCE(MAX(part) + 1, 0) FROM import_part WHERE import = ?1";
    PART = "SELECT body FROM import_part WHERE import = ?1 AND part = ?2";
    PARTS = "SELECT body FROM import_part WHERE import = ?1 ORDER BY part";
}

fn import(row: &Row<'_>) -> Result<Import, Fault> {
    Ok(Import {
        id: row.get(0)?,
        file_name: row.get(1)?,
        file_bytes: row.get(2)?,
        state: row.word(3, State::from_code)?,
        rows_total: row.get(4)?,
        rows_done: row.get(5)?,
        counts: Counts {
            added: row.get(6)?,
            changed: row.get(7)?,
            unchanged: row.get(8)?,
            rejected: row.get(9)?,
            warned: row.get(10)?,
            skipped: row.get(11)?,
        },
        code: row.get(12)?,
        message: row.get(13)?,
        began_at: row.get(14)?,
        began_done: row.get(15)?,
        created_at: row.get(16)?,
        created_by: domain::ids::AccountId(row.get(17)?),
        created_by_name: row.get(18)?,
        created_role: row.word(19, Role::from_code)?,
        range: RegionRange { lo: row.get(20)?, hi: row.get(21)? },
        accepted_at: row.get(22)?,
        changed_at: row.get(23)?,
    })
}

/// A new import; accepted already when `accepted`.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    id: ImportId,
    actor: &Actor,
    (file_name, file_bytes): (&str, i64),
    accepted: bool,
    at: At,
) -> Result<(), Fault> {
    let state = if accepted { State::Storing } else { State::Reading };
    let who = accepted.then_some(actor);
    tx.execute_one(
        INSERT,
        p![
            id,
            file_name,
            file_bytes,
            state.code(),
            at,
            actor.account,
            actor.role.code(),
            actor.range.lo,
            actor.range.hi,
            who.map(|_| at),
            who.map(|a| a.account),
            who.map(|a| a.role.code())
        ],
    )
}

pub(super) fn insert_file(tx: &mut Tx<'_>, id: ImportId, sealed: &[u8]) -> Result<(), Fault> {
    tx.execute_one(INSERT_FILE, p![id, sealed])
}

pub(super) fn file(tx: &mut Tx<'_>, id: ImportId) -> Result<Vec<u8>, Fault> {
    tx.one(FILE, p![id], |row| row.get(0))
}

pub(super) fn find(tx: &mut Tx<'_>, id: ImportId, range: RegionRange) -> Result<Option<Import>, Fault> {
    tx.find(FIND, p![range.lo, range.hi, id], import)
}

pub(super) fn list(
    tx: &mut Tx<'_>,
    range: RegionRange,
    before: Option<ImportId>,
    limit: i64,
) -> Result<Vec<Import>, Fault> {
    tx.all(LIST, p![range.lo, range.hi, before.map_or(i64::MAX, |b| b.0), limit], import)
}

pub(super) fn running(tx: &mut Tx<'_>, actor: &Actor) -> Result<Vec<Import>, Fault> {
    tx.all(RUNNING, p![actor.range.lo, actor.range.hi, actor.account], import)
}

pub(super) fn choice(tx: &mut Tx<'_>, id: ImportId) -> Result<Choice, Fault> {
    let text: String = tx.one(CHOICE, p![id], |row| row.get(0))?;
    Ok(serde_json::from_str(&text)?)
}

pub(super) fn layout(tx: &mut Tx<'_>, id: ImportId) -> Result<Option<Vec<u8>>, Fault> {
    tx.one(LAYOUT, p![id], |row| row.get(0))
}

pub(super) fn choose(tx: &mut Tx<'_>, id: ImportId, choice: &Choice, at: At) -> Result<u64, Fault> {
    let text = serde_json::to_string(choice)?;
    tx.execute(CHOOSE, p![id, text, at])
}

pub(super) fn accept(tx: &mut Tx<'_>, id: ImportId, actor: &Actor, at: At) -> Result<u64, Fault> {
    tx.execute(ACCEPT, p![id, at, actor.account, actor.role.code()])
}

pub(super) fn cancel(tx: &mut Tx<'_>, id: ImportId, at: At) -> Result<u64, Fault> {
    tx.execute(CANCEL, p![id, at])
}

/// What a worker needs to know of the import it took.
pub(super) struct Claimed {
    pub(super) id: ImportId,
    pub(super) worker: i64,
    pub(super) state: State,
    pub(super) attempts: i64,
    pub(super) stored_to: i64,
    pub(super) range: RegionRange,
    pub(super) by: domain::ids::AccountId,
    pub(super) role: Role,
    pub(super) file_name: String,
    pub(super) choice: Choice,
}

/// Takes an import nobody is at; not twice until the lease has run out.
pub(super) fn claim(tx: &mut Tx<'_>, worker: i64, now: Now, until: At) -> Result<Option<Claimed>, Fault> {
    let Some(id) = tx.find(NEXT, p![now.0], |row| row.get::<ImportId>(0))? else { return Ok(None) };
    if tx.execute(CLAIM, p![id, worker, until, now.0])? == 0 {
        return Ok(None);
    }
    tx.find(CLAIMED, p![id], |row| {
        let (by, role) = match row.get::<Option<i64>>(7)? {
            Some(by) => (by, row.word(8, Role::from_code)?),
            None => (row.get(5)?, row.word(6, Role::from_code)?),
        };
        let choice: String = row.get(10)?;
        Ok(Claimed {
            id,
            worker,
            state: row.word(0, State::from_code)?,
            attempts: row.get(1)?,
            stored_to: row.get(2)?,
            range: RegionRange { lo: row.get(3)?, hi: row.get(4)? },
            by: domain::ids::AccountId(by),
            role,
            file_name: row.get(9)?,
            choice: serde_json::from_str(&choice)?,
        })
    })
}

/// Whether there is anything to claim.
pub(super) fn waiting(tx: &mut Tx<'_>, now: Now) -> Result<bool, Fault> {
    Ok(tx.find(NEXT, p![now.0], |_| Ok(()))?.is_some())
}

/// Writes the progress and keeps the lease; false when the import is no longer ours.
pub(super) fn beat(
    tx: &mut Tx<'_>,
    (id, worker, state): (ImportId, i64, State),
    (total, done): (i64, i64),
    until: At,
    at: At,
) -> Result<bool, Fault> {
    Ok(tx.execute(BEAT, p![id, worker, state.code(), until, total, done.min(total), at])? == 1)
}

/// Keeps the lease; false when the import is no longer ours.
pub(super) fn hold(
    tx: &mut Tx<'_>,
    (id, worker, state): (ImportId, i64, State),
    until: At,
) -> Result<bool, Fault> {
    Ok(tx.execute(HOLD, p![id, worker, state.code(), until])? == 1)
}

/// Lets others take it from an instant on.
pub(super) fn release(tx: &mut Tx<'_>, id: ImportId, worker: i64, from: At) -> Result<(), Fault> {
    tx.execute(RELEASE, p![id, worker, from]).map(drop)
}

pub(super) fn ready(
    tx: &mut Tx<'_>,
    (id, worker): (ImportId, i64),
    layout: &[u8],
    counts: Counts,
    (code, message): (&str, &str),
    at: At,
) -> Result<bool, Fault> {
    let c = counts;
    let done = tx.execute(
        READY,
        p![
            id,
            worker,
            layout,
            c.rows(),
            c.added,
            c.changed,
            c.unchanged,
            c.rejected,
            c.warned,
            c.skipped,
            code,
            message,
            at
        ],
    )?;
    Ok(done == 1)
}

pub(super) fn prepared(
    tx: &mut Tx<'_>,
    (id, worker): (ImportId, i64),
    layout: &[u8],
    total: i64,
    counts: Counts,
    at: At,
) -> Result<bool, Fault> {
    let params = p![id, worker, layout, total, counts.rejected, counts.warned, counts.skipped, at];
    Ok(tx.execute(PREPARED, params)? == 1)
}

pub(super) fn stored(
    tx: &mut Tx<'_>,
    (id, worker): (ImportId, i64),
    (to, rows): (i64, i64),
    counts: Counts,
    at: At,
) -> Result<bool, Fault> {
    let c = counts;
    let params = p![id, worker, to, rows, c.added, c.changed, c.unchanged, c.rejected, at];
    Ok(tx.execute(STORED, params)? == 1)
}

pub(super) fn end(
    tx: &mut Tx<'_>,
    (id, worker): (ImportId, i64),
    state: State,
    (code, message): (&str, &str),
    at: At,
) -> Result<bool, Fault> {
    Ok(tx.execute(END, p![id, worker, state.code(), code, message, at])? == 1)
}

/// Replaces what was found in the file.
pub(super) fn replace_parts(tx: &mut Tx<'_>, id: ImportId, parts: &[Vec<u8>]) -> Result<(), Fault> {
    tx.execute(DELETE_PARTS, p![id])?;
    for (part, body) in (0i64..).zip(parts) {
        tx.execute_one(INSERT_PART, p![id, part, body.as_slice()])?;
    }
    Ok(())
}

pub(super) fn append_part(tx: &mut Tx<'_>, id: ImportId, body: &[u8]) -> Result<(), Fault> {
    let part: i64 = tx.one(NEXT_PART, p![id], |row| row.get(0))?;
    tx.execute_one(INSERT_PART, p![id, part, body])
}

/// How many parts there are.
pub(super) fn part_count(tx: &mut Tx<'_>, id: ImportId) -> Result<i64, Fault> {
    tx.one(NEXT_PART, p![id], |row| row.get(0))
}

pub(super) fn part(tx: &mut Tx<'_>, id: ImportId, part: i64) -> Result<Option<Vec<u8>>, Fault> {
    tx.find(PART, p![id, part], |row| row.get(0))
}

pub(super) fn parts(tx: &mut Tx<'_>, id: ImportId) -> Result<Vec<Vec<u8>>, Fault> {
    tx.all(PARTS, p![id], |row| row.get(0))
}
