//! Rows of statements and their lines.

use domain::{
    access::Scope,
    ids::{AccountId, ProviderId, StatementId},
    ledger::AccountKind,
    money::Fen,
    orders::Earned,
    regions::RegionCode,
    time::At,
};

use super::{Filter, Line, Open, Signature, State, Statement};
use crate::{
    p,
    store::{Fault, Row, Tx, Value},
};

macro_rules! columns {
    () => {
        "SELECT t.id, t.provider, v.name, t.region, t.month, t.orders, t.price_fen, t.own_fen, t.amount_fen, t.digest,
            t.made_at, t.made_by, COALESCE(m.name, ''), t.checked_at, t.checked_by, COALESCE(k.name, ''), t.paid_at,
            t.paid_by, COALESCE(y.name, ''), t.returned_at, t.returned_by, COALESCE(r.name, ''), t.returned_why
        FROM statement t
        JOIN provider v ON v.id = t.provider
        LEFT JOIN account m ON m.id = t.made_by
        LEFT JOIN account k ON k.id = t.checked_by
        LEFT JOIN account y ON y.id = t.paid_by
        LEFT JOIN account r ON r.id = t.returned_by "
    };
}

macro_rules! wanted {
    () => {
        "WHERE t.region BETWEEN ?1 AND ?2 AND (CAST(?3 AS BIGINT) = 0 OR t.provider = ?3)
            AND (?4 = '' OR t.month = ?4)
            AND (?5 = '' OR ?5 = CASE
                WHEN t.returned_at IS NOT NULL THEN 'returned' WHEN t.paid_at IS NOT NULL THEN 'paid'
                WHEN t.checked_at IS NOT NULL THEN 'checked' ELSE 'made' END)"
    };
}

crate::statements! {
    PROVIDER_REGION = "SELECT region FROM provider WHERE id = ?1";
    TAKE = "UPDATE settlement SET statement = ?1
        WHERE provider = ?2 AND at >= ?3 AND at < ?4 AND statement IS NULL";
    FREEZE = "INSERT INTO statement_line (statement, settlement)
        SELECT statement, id FROM settlement WHERE statement = ?1";
    RELEASE = "UPDATE settlement SET statement = NULL
        WHERE statement = ?1 AND id IN (SELECT settlement FROM statement_line WHERE statement = ?1)";
    INSERT = "INSERT INTO statement (id, provider, region, month, orders, price_fen, own_fen, amount_fen, digest, made_at,
            made_by)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    LINES = "SELECT s.id, s.order_id, s.service, COALESCE(i.name, s.service), n.name, o.start_at, s.minutes,
            s.price_fen, s.own_fen, o.collected_at, COALESCE(a.name, ''), s.kind
        FROM statement_line l
        JOIN settlement s ON s.id = l.settlement
        JOIN orders o ON o.id = s.order_id
        JOIN person n ON n.id = o.person
        LEFT JOIN account a ON a.id = o.collected_by
        LEFT JOIN service_item i ON i.code = s.service AND i.valid_from = o.service_from
        WHERE l.statement = ?1
        ORDER BY o.start_at, s.id";
    PAYERS = "SELECT d.kind, d.name, CAST(SUM(t.amount) AS BIGINT)
        FROM statement_line l
        JOIN settlement s ON s.id = l.settlement
        JOIN ledger_transfer t ON t.subject = s.order_id AND t.kind = 'posted' AND t.asset = 'fen'
        JOIN ledger_account c ON c.id = t.credit AND c.kind = 'provider' AND c.owner = ?2
        JOIN ledger_account d ON d.id = t.debit
        WHERE l.statement = ?1
        GROUP BY d.kind, CASE d.kind WHEN 'elder' THEN 0 ELSE d.id END, d.name
        ORDER BY d.kind DESC, d.name";
    CHECK = "UPDATE statement SET checked_by = ?2, checked_at = ?3
        WHERE id = ?1 AND checked_at IS NULL AND returned_at IS NULL";
    PAY = "UPDATE statement SET paid_by = ?2, paid_at = ?3
        WHERE id = ?1 AND paid_at IS NULL AND returned_at IS NULL";
    SEND_BACK = "UPDATE statement SET returned_by = ?2, returned_at = ?3, returned_why = ?4
        WHERE id = ?1 AND paid_at IS NULL AND returned_at IS NULL";
    STATEMENT = concat!(columns!(), "WHERE t.id = ?1");
    EVERY = concat!(columns!(), "ORDER BY t.id");
    LIST = concat!(columns!(), wanted!(), " ORDER BY t.month DESC, t.id DESC LIMIT ?6 OFFSET ?7");
    COUNT = concat!("SELECT COUNT(*), CAST(COALESCE(SUM(t.amount_fen), 0) AS BIGINT) FROM statement t ", wanted!());
    OPEN = "SELECT s.provider, v.name, COUNT(*), CAST(SUM(s.price_fen) AS BIGINT), CAST(SUM(s.own_fen) AS BIGINT)
        FROM settlement s JOIN provider v ON v.id = s.provider
        WHERE s.at >= ?4 AND s.at < ?5 AND s.statement IS NULL
            AND v.region BETWEEN ?1 AND ?2 AND (CAST(?3 AS BIGINT) = 0 OR s.provider = ?3)
        GROUP BY s.provider, v.name ORDER BY v.name, s.provider";
}

pub(super) fn provider_region(tx: &mut Tx<'_>, id: ProviderId) -> Result<Option<RegionCode>, Fault> {
    tx.find(PROVIDER_REGION, p![id], |row| row.get(0))
}

/// Puts every free settlement of a provider between two instants on a statement; answers how many.
pub(super) fn take(
    tx: &mut Tx<'_>,
    id: StatementId,
    provider: ProviderId,
    (from, to): (At, At),
) -> Result<u64, Fault> {
    tx.execute(TAKE, p![id, provider, from, to])
}

pub(super) fn freeze(tx: &mut Tx<'_>, id: StatementId) -> Result<(), Fault> {
    tx.execute(FREEZE, p![id]).map(drop)
}

pub(super) fn release(tx: &mut Tx<'_>, id: StatementId) -> Result<(), Fault> {
    tx.execute(RELEASE, p![id]).map(drop)
}

pub(super) fn insert(tx: &mut Tx<'_>, s: &Statement) -> Result<(), Fault> {
    tx.execute_one(
        INSERT,
        p![
            s.id, s.provider, s.region, s.month, s.orders, s.price, s.own, s.amount, s.digest, s.made.at,
            s.made.by
        ],
    )
}

pub(super) fn lines(tx: &mut Tx<'_>, id: StatementId) -> Result<Vec<Line>, Fault> {
    tx.all(LINES, p![id], |row| {
        Ok(Line {
            settlement: row.get(0)?,
            order: row.get(1)?,
            kind: row.word(11, Earned::from_code)?,
            service: row.get(2)?,
            service_name: row.get(3)?,
            person_name: row.get(4)?,
            start_at: row.get(5)?,
            minutes: row.get(6)?,
            price: row.get(7)?,
            own: row.get(8)?,
            collected: row.get::<Option<At>>(9)?.map(|at| Ok::<_, Fault>((at, row.get(10)?))).transpose()?,
        })
    })
}

/// Kind, name and part of each account that paid for the orders of a statement.
pub(super) fn payers(
    tx: &mut Tx<'_>,
    id: StatementId,
    provider: ProviderId,
) -> Result<Vec<(AccountKind, String, Fen)>, Fault> {
    tx.all(PAYERS, p![id, provider], |row| {
        Ok((row.word(0, AccountKind::from_code)?, row.get(1)?, row.get(2)?))
    })
}

pub(super) fn check(tx: &mut Tx<'_>, id: StatementId, by: AccountId, at: At) -> Result<(), Fault> {
    tx.execute_one(CHECK, p![id, by, at])
}

pub(super) fn pay(tx: &mut Tx<'_>, id: StatementId, by: AccountId, at: At) -> Result<(), Fault> {
    tx.execute_one(PAY, p![id, by, at])
}

pub(super) fn send_back(
    tx: &mut Tx<'_>,
    id: StatementId,
    by: AccountId,
    at: At,
    why: &str,
) -> Result<(), Fault> {
    tx.execute_one(SEND_BACK, p![id, by, at, why])
}

/// A step's signature in three columns from `n` on: when, who, name.
fn signature(row: &Row<'_>, n: usize) -> Result<Option<Signature>, Fault> {
    let Some(at) = row.get::<Option<At>>(n)? else { return Ok(None) };
    Ok(Some(Signature { at, by: row.get(n + 1)?, name: row.get(n + 2)? }))
}

fn statement_row(row: &Row<'_>) -> Result<Statement, Fault> {
    let returned = signature(row, 19)?;
    let why: Option<String> = row.get(22)?;
    Ok(Statement {
        id: row.get(0)?,
        provider: row.get(1)?,
        provider_name: row.get(2)?,
        region: row.get(3)?,
        month: row.get(4)?,
        orders: row.get(5)?,
        price: row.get(6)?,
        own: row.get(7)?,
        amount: row.get(8)?,
        digest: row.get(9)?,
        made: signature(row, 10)?.ok_or_else(|| Fault::other("a statement was made by somebody"))?,
        checked: signature(row, 13)?,
        paid: signature(row, 16)?,
        returned: returned.zip(why),
    })
}

pub(super) fn statement(tx: &mut Tx<'_>, id: StatementId) -> Result<Option<Statement>, Fault> {
    tx.find(STATEMENT, p![id], statement_row)
}

pub(super) fn every(tx: &mut Tx<'_>) -> Result<Vec<Statement>, Fault> {
    tx.all(EVERY, p![], statement_row)
}

fn parameters<'a>(scope: Scope, filter: &'a Filter) -> Vec<Value<'a>> {
    let provider = if scope.provider == 0 { filter.provider.map_or(0, |p| p.0) } else { scope.provider };
    vec![
        Value::Int(scope.lo),
        Value::Int(scope.hi),
        Value::Int(provider),
        Value::Text(&filter.month),
        Value::Text(filter.state.map_or("", State::code)),
    ]
}

/// Whether a post that acts for one provider asks for another's.
fn foreign(scope: Scope, filter: &Filter) -> bool {
    scope.provider != 0 && filter.provider.is_some_and(|p| p.0 != scope.provider)
}

pub(super) fn list(
    tx: &mut Tx<'_>,
    scope: Scope,
    filter: &Filter,
    offset: i64,
    limit: i64,
) -> Result<Vec<Statement>, Fault> {
    if foreign(scope, filter) {
        return Ok(Vec::new());
    }
    let mut params = parameters(scope, filter);
    params.extend([Value::Int(limit.clamp(1, 500)), Value::Int(offset.max(0))]);
    tx.all(LIST, &params, statement_row)
}

pub(super) fn count(tx: &mut Tx<'_>, scope: Scope, filter: &Filter) -> Result<(i64, Fen), Fault> {
    if foreign(scope, filter) {
        return Ok((0, Fen::ZERO));
    }
    tx.one(COUNT, &parameters(scope, filter), |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(super) fn open(tx: &mut Tx<'_>, scope: Scope, (from, to): (At, At)) -> Result<Vec<Open>, Fault> {
    tx.all(OPEN, p![scope.lo, scope.hi, scope.provider, from, to], |row| {
        Ok(Open {
            provider: row.get(0)?,
            name: row.get(1)?,
            orders: row.get(2)?,
            price: row.get(3)?,
            own: row.get(4)?,
        })
    })
}
