//! Rows of the evidence log, its seals and the outbox.

use domain::{access::Scope, ids::AccountId, regions::RegionCode, time::At};

use super::{Entry, Filter, Seal, Sealed, Told};
use crate::{
    p,
    store::{Fault, Row, Tx},
};

/// What a post that acts for one provider (?4; 0 for the others) may see: itself, its carers, its orders, its
/// statements. The log knows regions only, so the tables are asked whose the subject is.
macro_rules! own {
    () => {
        "AND (CAST(?4 AS BIGINT) = 0 OR e.subject = ?4
            OR EXISTS (SELECT 1 FROM orders o WHERE o.id = e.subject AND o.provider = ?4)
            OR EXISTS (SELECT 1 FROM carer c WHERE c.id = e.subject AND c.provider = ?4)
            OR EXISTS (SELECT 1 FROM statement s WHERE s.id = e.subject AND s.provider = ?4))"
    };
}

crate::statements! {
    INSERT = "INSERT INTO evidence (at, by_account, role, act, subject, region, detail, digest, mac)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    TELL = "INSERT INTO outbox (at, topic, region, subject, payload) VALUES (?1, ?2, ?3, ?4, ?5)";
    OF_SUBJECT = concat!("SELECT e.seq, e.at, e.by_account, e.role, e.act, e.subject, e.region, e.detail, e.digest,
            e.mac, COALESCE(a.name, '')
        FROM evidence e LEFT JOIN account a ON a.id = e.by_account
        WHERE e.subject = ?1 AND e.region BETWEEN ?2 AND ?3 ", own!(), " ORDER BY e.seq");
    AFTER = "SELECT seq, at, by_account, role, act, subject, region, detail, digest, mac, ''
        FROM evidence WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3";
    CODES = "SELECT seq, mac FROM evidence WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3";
    RECENT = concat!("SELECT e.seq, e.at, e.by_account, e.role, e.act, e.subject, e.region, e.detail, e.digest, e.mac,
            COALESCE(a.name, '')
        FROM evidence e LEFT JOIN account a ON a.id = e.by_account
        WHERE e.seq < ?1 AND e.region BETWEEN ?2 AND ?3 ", own!(), "
            AND (?5 = '' OR e.act = ?5 OR e.act LIKE ?5 || '.%')
            AND e.at >= ?6 AND e.at < ?7 AND e.seq >= ?8
        ORDER BY e.seq DESC LIMIT ?9");
    NEXT_AT = "SELECT seq, at FROM evidence WHERE seq >= ?1 ORDER BY seq LIMIT 1";
    SEALED_TO = "SELECT batch, to_seq, sealed_at FROM seal ORDER BY batch DESC LIMIT 1";
    SEALS_OF = "SELECT e.seq, s.batch, s.sealed_at
        FROM evidence e
        JOIN seal s ON s.to_seq = (SELECT MIN(x.to_seq) FROM seal x WHERE x.to_seq >= e.seq)
        WHERE e.subject = ?1";
    LAST_AT = "SELECT at FROM evidence ORDER BY seq DESC LIMIT 1";
    LAST = "SELECT COALESCE(MAX(seq), 0) FROM evidence";
    SEALS = "SELECT batch, from_seq, to_seq, rows_sealed, digest, sealed_at, signature FROM seal ORDER BY batch";
    LAST_SEAL = "SELECT batch, from_seq, to_seq, rows_sealed, digest, sealed_at, signature FROM seal
        ORDER BY batch DESC LIMIT 1";
    INSERT_SEAL = "INSERT INTO seal (batch, from_seq, to_seq, rows_sealed, digest, sealed_at, signature)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    OUTBOX_AFTER = "SELECT seq, at, topic, region, subject, payload FROM outbox WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    OUTBOX_LAST = "SELECT COALESCE(MAX(seq), 0) FROM outbox";
    CURSOR = "SELECT seq FROM outbox_cursor WHERE reader = ?1";
    SET_CURSOR = "INSERT INTO outbox_cursor (reader, seq) VALUES (?1, ?2)
        ON CONFLICT (reader) DO UPDATE SET seq = excluded.seq";
}

pub(super) fn insert(tx: &mut Tx<'_>, e: &Entry) -> Result<(), Fault> {
    let (code, digest) = (e.mac, e.digest);
    tx.execute_one(INSERT, p![e.at, e.by, e.role, e.act, e.subject, e.region, e.detail, digest, code])
}

pub(super) fn tell(
    tx: &mut Tx<'_>,
    at: At,
    topic: &str,
    region: i64,
    subject: i64,
    payload: &str,
) -> Result<(), Fault> {
    tx.execute_one(TELL, p![at, topic, region, subject, payload])
}

/// Positions and codes of the entries between two positions.
pub(super) fn codes(tx: &mut Tx<'_>, after: i64, to: i64, limit: i64) -> Result<Vec<(i64, [u8; 16])>, Fault> {
    tx.all(CODES, p![after, to, limit], |row| Ok((row.get(0)?, blob(row.get(1)?)?)))
}

fn blob(bytes: Vec<u8>) -> Result<[u8; 16], Fault> {
    bytes.try_into().map_err(|_| Fault::other("a code has 16 bytes"))
}

fn entry(row: &Row<'_>) -> Result<Entry, Fault> {
    Ok(Entry {
        seq: row.get(0)?,
        at: row.get(1)?,
        by: AccountId(row.get(2)?),
        role: row.get(3)?,
        act: row.get(4)?,
        subject: row.get(5)?,
        region: row.get(6)?,
        detail: row.get(7)?,
        digest: row.get::<Option<Vec<u8>>>(8)?.map(blob).transpose()?,
        mac: blob(row.get(9)?)?,
        by_name: row.get(10)?,
    })
}

pub(super) fn of_subject(tx: &mut Tx<'_>, subject: i64, scope: Scope) -> Result<Vec<Entry>, Fault> {
    tx.all(OF_SUBJECT, p![subject, scope.lo, scope.hi, scope.provider], entry)
}

/// The latest entries of a scope that the filter holds, between two positions.
pub(super) fn recent(
    tx: &mut Tx<'_>,
    (first, before): (i64, i64),
    scope: Scope,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Entry>, Fault> {
    let (from, to) = (filter.from.map_or(0, |a| a.0), filter.to.map_or(i64::MAX, |a| a.0));
    let Scope { lo, hi, provider, .. } = scope;
    tx.all(RECENT, p![before, lo, hi, provider, filter.act, from, to, first, limit], entry)
}

/// The first entry at or after a position: where it stands and when it was made.
pub(super) fn next_at(tx: &mut Tx<'_>, seq: i64) -> Result<Option<(i64, At)>, Fault> {
    tx.find(NEXT_AT, p![seq], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(super) fn sealed_to(tx: &mut Tx<'_>) -> Result<Option<Sealed>, Fault> {
    tx.find(SEALED_TO, p![], |row| Ok(Sealed { batch: row.get(0)?, to_seq: row.get(1)?, at: row.get(2)? }))
}

/// Position, batch and moment of sealing of each sealed entry of a subject.
pub(super) fn seals_of(tx: &mut Tx<'_>, subject: i64) -> Result<Vec<(i64, i64, At)>, Fault> {
    tx.all(SEALS_OF, p![subject], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

pub(super) fn between(tx: &mut Tx<'_>, after: i64, to: i64, limit: i64) -> Result<Vec<Entry>, Fault> {
    tx.all(AFTER, p![after, to, limit], entry)
}

pub(super) fn last(tx: &mut Tx<'_>) -> Result<i64, Fault> {
    tx.one(LAST, p![], |row| row.get(0))
}

pub(super) fn last_at(tx: &mut Tx<'_>) -> Result<Option<At>, Fault> {
    tx.find(LAST_AT, p![], |row| row.get(0))
}

fn seal(row: &Row<'_>) -> Result<Seal, Fault> {
    Ok(Seal {
        batch: row.get(0)?,
        from_seq: row.get(1)?,
        to_seq: row.get(2)?,
        rows: row.get(3)?,
        digest: row.get(4)?,
        sealed_at: row.get(5)?,
        signature: row.get(6)?,
    })
}

pub(super) fn seals(tx: &mut Tx<'_>) -> Result<Vec<Seal>, Fault> {
    tx.all(SEALS, p![], seal)
}

pub(super) fn last_seal(tx: &mut Tx<'_>) -> Result<Option<Seal>, Fault> {
    tx.find(LAST_SEAL, p![], seal)
}

pub(super) fn insert_seal(tx: &mut Tx<'_>, s: &Seal) -> Result<(), Fault> {
    tx.execute_one(INSERT_SEAL, p![s.batch, s.from_seq, s.to_seq, s.rows, s.digest, s.sealed_at, s.signature])
}

pub(super) fn told_after(tx: &mut Tx<'_>, seq: i64, limit: i64) -> Result<Vec<Told>, Fault> {
    tx.all(OUTBOX_AFTER, p![seq, limit], |row| {
        Ok(Told {
            seq: row.get(0)?,
            at: row.get(1)?,
            topic: row.get(2)?,
            region: row.get::<RegionCode>(3).ok(),
            subject: row.get(4)?,
            payload: row.get(5)?,
        })
    })
}

pub(super) fn told_last(tx: &mut Tx<'_>) -> Result<i64, Fault> {
    tx.one(OUTBOX_LAST, p![], |row| row.get(0))
}

pub(super) fn cursor(tx: &mut Tx<'_>, reader: &str) -> Result<i64, Fault> {
    Ok(tx.find(CURSOR, p![reader], |row| row.get(0))?.unwrap_or(0))
}

pub(super) fn set_cursor(tx: &mut Tx<'_>, reader: &str, seq: i64) -> Result<(), Fault> {
    tx.execute_one(SET_CURSOR, p![reader, seq])
}
