//! Rows of accounts and transfers.

use domain::{
    access::Scope,
    ids::{AccountId, LedgerId, TransferId},
    ledger::{AccountKind, Balance, TransferKind},
    programmes::Asset,
};

use super::{Account, Key, Move, NewAccount, Transfer};
use crate::{
    p,
    store::{Fault, Row, Tx},
};

crate::statements! {
    FIND_ACCOUNT = "SELECT id FROM ledger_account WHERE owner = ?1 AND kind = ?2 AND code = ?3 AND asset = ?4";
    INSERT_ACCOUNT = "INSERT INTO ledger_account (id, asset, kind, owner, code, region, name, guarded)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    ACCOUNT = "SELECT id, kind, owner, code, asset, region, name, debits_pending, debits_posted, credits_pending,
            credits_posted
        FROM ledger_account WHERE id = ?1";
    ACCOUNTS = "SELECT id, kind, owner, code, asset, region, name, debits_pending, debits_posted, credits_pending,
            credits_posted
        FROM ledger_account
        WHERE id > ?1 AND region BETWEEN ?2 AND ?3 AND (?4 = '' OR kind = ?4)
            AND (CAST(?5 AS BIGINT) = 0 OR (kind = 'provider' AND owner = ?5))
        ORDER BY id LIMIT ?6";
    ADD_POSTED = "UPDATE ledger_account
        SET debits_posted = debits_posted + ?2, credits_posted = credits_posted + ?3 WHERE id = ?1";
    ADD_PENDING = "UPDATE ledger_account
        SET debits_pending = debits_pending + ?2, credits_pending = credits_pending + ?3 WHERE id = ?1";
    END_PENDING = "UPDATE ledger_account
        SET debits_pending = debits_pending - ?2, credits_pending = credits_pending - ?3,
            debits_posted = debits_posted + ?4, credits_posted = credits_posted + ?5
        WHERE id = ?1";
    INSERT_TRANSFER = "INSERT INTO ledger_transfer
            (id, kind, debit, credit, asset, amount, pending, subject, region, at, by_account)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    TRANSFERS_OF_ACCOUNT = "SELECT id, kind, debit, credit, asset, amount, pending, subject, region, at, by_account
        FROM ledger_transfer
        WHERE (debit = ?1 OR credit = ?1) AND id < ?2
        ORDER BY id DESC LIMIT ?3";
    TRANSFERS_FOR = "SELECT t.id, t.kind, t.debit, t.credit, t.asset, t.amount, t.pending, t.subject, t.region, t.at,
            t.by_account, d.name, c.name
        FROM ledger_transfer t
        JOIN ledger_account d ON d.id = t.debit
        JOIN ledger_account c ON c.id = t.credit
        WHERE t.subject = ?1 ORDER BY t.id";
    UNBALANCED = "WITH ended AS (
            SELECT pending FROM ledger_transfer WHERE pending IS NOT NULL
        ), lines AS (
            SELECT debit AS account,
                CASE WHEN kind IN ('posted', 'post_pending') THEN amount ELSE 0 END AS dp,
                CASE WHEN kind = 'pending' AND id NOT IN (SELECT pending FROM ended) THEN amount ELSE 0 END AS dh,
                0 AS cp, 0 AS ch
            FROM ledger_transfer
            UNION ALL
            SELECT credit, 0, 0,
                CASE WHEN kind IN ('posted', 'post_pending') THEN amount ELSE 0 END,
                CASE WHEN kind = 'pending' AND id NOT IN (SELECT pending FROM ended) THEN amount ELSE 0 END
            FROM ledger_transfer
        ), sums AS (
            SELECT account, SUM(dp) AS dp, SUM(dh) AS dh, SUM(cp) AS cp, SUM(ch) AS ch FROM lines GROUP BY account
        )
        SELECT a.id FROM ledger_account a LEFT JOIN sums s ON s.account = a.id
        WHERE a.debits_posted <> COALESCE(s.dp, 0) OR a.debits_pending <> COALESCE(s.dh, 0)
            OR a.credits_posted <> COALESCE(s.cp, 0) OR a.credits_pending <> COALESCE(s.ch, 0)
        ORDER BY a.id LIMIT 1000";
    ASSET_SUMS = "SELECT asset, CAST(SUM(debits_posted) - SUM(credits_posted)
            + SUM(debits_pending) - SUM(credits_pending) AS BIGINT)
        FROM ledger_account GROUP BY asset ORDER BY asset";
}

pub(super) fn find_account(tx: &mut Tx<'_>, key: &Key) -> Result<Option<i64>, Fault> {
    tx.find(FIND_ACCOUNT, p![key.owner, key.kind.code(), key.code, key.asset.code()], |row| row.get(0))
}

pub(super) fn insert_account(tx: &mut Tx<'_>, id: LedgerId, new: &NewAccount) -> Result<(), Fault> {
    tx.execute_one(
        INSERT_ACCOUNT,
        p![id, new.asset.code(), new.kind.code(), new.owner, new.code, new.region, new.name, new.guarded],
    )
}

fn account_row(row: &Row<'_>) -> Result<Account, Fault> {
    Ok(Account {
        id: row.get(0)?,
        kind: row.word(1, AccountKind::from_code)?,
        owner: row.get(2)?,
        code: row.get(3)?,
        asset: row.word(4, Asset::from_code)?,
        region: row.get(5)?,
        name: row.get(6)?,
        balance: Balance {
            debits_pending: row.get(7)?,
            debits_posted: row.get(8)?,
            credits_pending: row.get(9)?,
            credits_posted: row.get(10)?,
        },
    })
}

pub(super) fn account(tx: &mut Tx<'_>, id: LedgerId) -> Result<Option<Account>, Fault> {
    tx.find(ACCOUNT, p![id], account_row)
}

pub(super) fn accounts(
    tx: &mut Tx<'_>,
    scope: Scope,
    kind: Option<AccountKind>,
    after: Option<LedgerId>,
    limit: i64,
) -> Result<Vec<Account>, Fault> {
    let (after, kind) = (after.map_or(0, |a| a.0), kind.map_or("", AccountKind::code));
    tx.all(ACCOUNTS, p![after, scope.lo, scope.hi, kind, scope.provider, limit], account_row)
}

pub(super) fn add_posted(tx: &mut Tx<'_>, id: LedgerId, debit: i64, credit: i64) -> Result<(), Fault> {
    tx.execute_one(ADD_POSTED, p![id, debit, credit])
}

pub(super) fn add_pending(tx: &mut Tx<'_>, id: LedgerId, debit: i64, credit: i64) -> Result<(), Fault> {
    tx.execute_one(ADD_PENDING, p![id, debit, credit])
}

pub(super) fn end_pending(
    tx: &mut Tx<'_>,
    id: LedgerId,
    debit_held: i64,
    credit_held: i64,
    debit: i64,
    credit: i64,
) -> Result<(), Fault> {
    tx.execute_one(END_PENDING, p![id, debit_held, credit_held, debit, credit])
}

pub(super) fn insert_transfer(tx: &mut Tx<'_>, t: &Transfer) -> Result<(), Fault> {
    tx.execute_one(
        INSERT_TRANSFER,
        p![
            t.id,
            t.kind.code(),
            t.moved.debit,
            t.moved.credit,
            t.moved.asset.code(),
            t.moved.amount,
            t.pending,
            t.subject,
            t.region,
            t.at,
            t.by
        ],
    )
}

fn transfer_row(row: &Row<'_>) -> Result<Transfer, Fault> {
    Ok(Transfer {
        id: row.get(0)?,
        kind: row.word(1, TransferKind::from_code)?,
        moved: Move {
            debit: row.get(2)?,
            credit: row.get(3)?,
            asset: row.word(4, Asset::from_code)?,
            amount: row.get(5)?,
        },
        pending: row.get(6)?,
        subject: row.get(7)?,
        region: row.get(8)?,
        at: row.get(9)?,
        by: AccountId(row.get(10)?),
    })
}

pub(super) fn transfers_of_account(
    tx: &mut Tx<'_>,
    id: LedgerId,
    before: Option<TransferId>,
    limit: i64,
) -> Result<Vec<Transfer>, Fault> {
    tx.all(TRANSFERS_OF_ACCOUNT, p![id, before.map_or(i64::MAX, |b| b.0), limit], transfer_row)
}

pub(super) fn transfers_for(tx: &mut Tx<'_>, subject: i64) -> Result<Vec<(Transfer, String, String)>, Fault> {
    tx.all(TRANSFERS_FOR, p![subject], |row| Ok((transfer_row(row)?, row.get(11)?, row.get(12)?)))
}

pub(super) fn unbalanced(tx: &mut Tx<'_>) -> Result<Vec<i64>, Fault> {
    tx.all(UNBALANCED, p![], |row| row.get(0))
}

pub(super) fn asset_sums(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>, Fault> {
    tx.all(ASSET_SUMS, p![], |row| Ok((row.get(0)?, row.get(1)?)))
}
