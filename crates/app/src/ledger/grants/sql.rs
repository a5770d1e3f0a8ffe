//! Rows of rights: facts in, rights, accounts and transfers out, a set at a time.

use domain::{
    access::Scope,
    ids::{AccountId, EntitlementId, LedgerId, PersonId},
    parties::{FactKind, PersonState},
    programmes::Asset,
    regions::RegionCode,
    time::{At, Day, Month},
};

use super::{HeldRight, NewRight};
use crate::{
    p,
    store::{Fault, Tx},
};

/// People between two ids who have one of the wanted categories of hardship.
macro_rules! in_hardship {
    () => {
        "SELECT DISTINCT person FROM person_fact
        WHERE kind = 'hardship' AND person > ?1 AND person <= ?2 AND ?3 LIKE '%,' || value || ',%'"
    };
}

/// The facts of the people in a subquery, by person.
macro_rules! facts {
    ($people:expr) => {
        concat!(
            "SELECT p.id, p.region, p.birth, p.state, p.hukou_region, f.kind, f.value FROM (",
            $people,
            ") h JOIN person p ON p.id = h.person
            JOIN person_fact f ON f.person = h.person AND f.kind IN ('hardship', 'ability', 'living')
            WHERE f.valid_from <= ?4 AND (f.valid_to IS NULL OR f.valid_to > ?4) AND f.known_to IS NULL
            ORDER BY p.id, f.valid_from, f.id"
        )
    };
}

crate::statements! {
    IN_FORCE = "SELECT code, name, valid_from, asset, rule, status, source, covers FROM programme
        WHERE valid_from <= ?1 AND (valid_to IS NULL OR valid_to > ?1)
        ORDER BY pick_order, code";
    END_IN_HARDSHIP = "SELECT person FROM (
            SELECT DISTINCT person FROM person_fact
            WHERE kind = 'hardship' AND person > ?1 AND ?3 LIKE '%,' || value || ',%'
            ORDER BY person LIMIT ?2) x
        ORDER BY person DESC LIMIT 1";
    END_OF_ALL = "SELECT id FROM (SELECT id FROM person WHERE id > ?1 AND ?3 = ?3 ORDER BY id LIMIT ?2) x
        ORDER BY id DESC LIMIT 1";
    FACTS_IN_HARDSHIP = facts!(in_hardship!());
    FACTS_OF_ALL = facts!("SELECT id AS person FROM person WHERE id > ?1 AND id <= ?2 AND ?3 = ?3");
    INSERT = "INSERT INTO entitlement (id, person, region, programme, programme_from, month, asset, amount, account,
            issue, why, granted_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
        ON CONFLICT DO NOTHING";
    OPEN_RIGHT_ACCOUNTS = "INSERT INTO ledger_account (id, asset, kind, owner, code, region, name, guarded,
            credits_posted)
        SELECT e.account, e.asset, 'right', e.person, e.programme || ' ' || e.month, e.region,
            g.name || ' ' || e.month, 1, e.amount
        FROM entitlement e
        JOIN programme g ON g.code = e.programme AND g.valid_from = e.programme_from
        WHERE e.id BETWEEN ?1 AND ?2 AND e.month = ?3";
    ISSUE = "INSERT INTO ledger_transfer (id, kind, debit, credit, asset, amount, subject, region, at, by_account)
        SELECT e.issue, 'posted', ?1, e.account, e.asset, e.amount, e.id, e.region, ?7, ?8
        FROM entitlement e
        WHERE e.id BETWEEN ?2 AND ?3 AND e.programme = ?4 AND e.region BETWEEN ?5 AND ?6";
    REGION_OF = "SELECT region FROM person WHERE id = ?1";
    RIGHTS_OF = "SELECT e.id, e.programme, g.name, e.asset, e.amount, a.debits_pending, a.debits_posted, e.why
        FROM entitlement e
        JOIN programme g ON g.code = e.programme AND g.valid_from = e.programme_from
        JOIN ledger_account a ON a.id = e.account
        WHERE e.person = ?1 AND e.month = ?2
        ORDER BY g.pick_order, e.id";
    SUMS = "SELECT e.programme, COUNT(*), CAST(SUM(e.amount) AS BIGINT), CAST(SUM(a.debits_posted) AS BIGINT)
        FROM entitlement e JOIN ledger_account a ON a.id = e.account
        WHERE e.month = ?1 AND e.region BETWEEN ?2 AND ?3
        GROUP BY e.programme ORDER BY e.programme";
}

/// A programme as the table has it.
pub(super) struct ProgrammeRow {
    pub code: String,
    pub name: String,
    pub from: Day,
    pub asset: Asset,
    pub rule: String,
    pub status: String,
    pub source: String,
    pub covers: String,
}

pub(super) fn in_force(tx: &mut Tx<'_>, on: Day) -> Result<Vec<ProgrammeRow>, Fault> {
    tx.all(IN_FORCE, p![on.to_string()], |row| {
        Ok(ProgrammeRow {
            code: row.get(0)?,
            name: row.get(1)?,
            from: row.get(2)?,
            asset: row.word(3, Asset::from_code)?,
            rule: row.get(4)?,
            status: row.get(5)?,
            source: row.get(6)?,
            covers: row.get(7)?,
        })
    })
}

/// The last of the next so many people, or none when nobody is left.
pub(super) fn chunk_end(
    tx: &mut Tx<'_>,
    hardship_only: bool,
    wanted: &str,
    after: PersonId,
    size: i64,
) -> Result<Option<PersonId>, Fault> {
    let sql = if hardship_only { END_IN_HARDSHIP } else { END_OF_ALL };
    tx.find(sql, p![after, size, wanted], |row| row.get(0))
}

/// One fact of one person.
pub(super) struct FactRow {
    pub person: PersonId,
    pub region: RegionCode,
    pub birth: Day,
    pub state: PersonState,
    pub hukou: Option<RegionCode>,
    pub kind: FactKind,
    pub value: String,
}

/// The facts of the people after one id up to another, by person; a later fact of a kind comes later.
pub(super) fn facts(
    tx: &mut Tx<'_>,
    hardship_only: bool,
    wanted: &str,
    (after, upto): (PersonId, PersonId),
    on: Day,
    mut take: impl FnMut(FactRow),
) -> Result<(), Fault> {
    let sql = if hardship_only { FACTS_IN_HARDSHIP } else { FACTS_OF_ALL };
    tx.each(sql, p![after, upto, wanted, on.to_string()], |row| {
        take(FactRow {
            person: row.get(0)?,
            region: row.get(1)?,
            birth: row.get(2)?,
            state: row.word(3, PersonState::from_code)?,
            hukou: row.get(4)?,
            kind: row.word(5, FactKind::from_code)?,
            value: row.get(6)?,
        });
        Ok(())
    })
}

/// Inserts unless the person has this right already; answers whether it did.
pub(super) fn insert(tx: &mut Tx<'_>, right: &NewRight<'_>, month: Month, at: At) -> Result<bool, Fault> {
    let touched = tx.execute(
        INSERT,
        p![
            right.id,
            right.person,
            right.region,
            right.programme.code,
            right.programme.from.to_string(),
            month.to_string(),
            right.programme.asset.code(),
            right.amount,
            right.account,
            right.issue,
            right.why,
            at
        ],
    )?;
    Ok(touched == 1)
}

/// Opens the account of every new right, with its amount already in.
pub(super) fn open_right_accounts(
    tx: &mut Tx<'_>,
    first: EntitlementId,
    last: EntitlementId,
    month: Month,
) -> Result<(), Fault> {
    tx.execute(OPEN_RIGHT_ACCOUNTS, p![first, last, month.to_string()]).map(drop)
}

/// Writes the transfers that put the amounts there, for one programme in one county.
pub(super) fn issue(
    tx: &mut Tx<'_>,
    from: LedgerId,
    programme: &str,
    county: RegionCode,
    (first, last): (EntitlementId, EntitlementId),
    by: AccountId,
    at: At,
) -> Result<(), Fault> {
    let range = county.range();
    tx.execute(ISSUE, p![from, first, last, programme, range.lo, range.hi, at, by.0]).map(drop)
}

pub(super) fn region_of(tx: &mut Tx<'_>, person: PersonId) -> Result<Option<RegionCode>, Fault> {
    tx.find(REGION_OF, p![person], |row| row.get(0))
}

pub(super) fn rights_of(tx: &mut Tx<'_>, person: PersonId, month: Month) -> Result<Vec<HeldRight>, Fault> {
    tx.all(RIGHTS_OF, p![person, month.to_string()], |row| {
        Ok(HeldRight {
            id: row.get(0)?,
            programme: row.get(1)?,
            name: row.get(2)?,
            asset: row.word(3, Asset::from_code)?,
            amount: row.get(4)?,
            held: row.get(5)?,
            used: row.get(6)?,
            why: row.get(7)?,
        })
    })
}

/// People, amount and used by programme.
pub(super) fn sums(
    tx: &mut Tx<'_>,
    scope: Scope,
    month: Month,
) -> Result<Vec<(String, i64, i64, i64)>, Fault> {
    tx.all(SUMS, p![month.to_string(), scope.lo, scope.hi], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })
}
