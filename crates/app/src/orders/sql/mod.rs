//! Rows of orders, shares, offers, visits, photographs and settlements.

mod calls;
mod desk;
mod dispatch;
mod lists;
mod visits;

use domain::{
    ids::{AccountId, CarerId, EntitlementId, OrderId, PersonId, ProviderId, SettlementId, TransferId},
    money::{Fen, Minutes},
    orders::{
        CancelReason, Channel, ConfirmedBy, Earned, Exception, Interruption, LENGTH_MAX, Method, OrderState,
    },
    parties::{PersonState, Sex},
    programmes::{self, Asset},
    regions::RegionCode,
    time::At,
};

pub(super) use calls::*;
pub(super) use desk::*;
pub(super) use dispatch::*;
pub(super) use lists::*;
pub(super) use visits::*;

use super::{Order, Share};
use crate::{
    ledger::{Hold, Move},
    p,
    store::{Fault, Row, Tx},
};

pub(super) const EVERY: &[&[(&str, &str)]] =
    &[ALL, calls::ALL, desk::ALL, dispatch::ALL, lists::ALL, visits::ALL];
/// Columns that may change at any step; none of them is in an index over all orders.
macro_rules! progress {
    () => {
        "state = ?3, accepted_at = ?4, checked_in_at = ?5, checked_out_at = ?6, confirmed_at = ?7, confirmed_by = ?8,
            settled_at = ?9, settled_by = ?10, cancelled_at = ?11, cancel_reason = ?12, stars = ?13, comment = ?14,
            interruption = ?15, fee_fen = ?16, escalated_at = ?17, collected_at = ?18, collected_by = ?19"
    };
}

crate::statements! {
    PERSON = "SELECT region, name, state, sex, language, lon, lat FROM person WHERE id = ?1";
    INSERT_ORDER = "INSERT INTO orders (id, region, person, service, service_from, channel, call, note, start_at,
            end_at, minutes, price_fen, own_fen, state, placed_at, placed_by)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
    UPDATE_ORDER = concat!("UPDATE orders SET ", progress!(), ", provider = ?20, carer = ?21, partner = ?22,
            offered_at = ?23, offered_by = ?24
        WHERE id = ?1 AND state = ?2");
    UPDATE_PROGRESS = concat!("UPDATE orders SET ", progress!(), " WHERE id = ?1 AND state = ?2");
    ORDER = "SELECT id, region, person, service, service_from, channel, call, note, start_at, end_at, minutes,
            price_fen, own_fen, state, placed_at, placed_by, provider, carer, partner, offered_at, offered_by,
            accepted_at, checked_in_at, checked_out_at, confirmed_at, confirmed_by, settled_at, settled_by,
            cancelled_at, cancel_reason, stars, comment, interruption, fee_fen, escalated_at,
            collected_at, collected_by
        FROM orders WHERE id = ?1";
    ALL_ORDERS = "SELECT id, region, person, service, service_from, channel, call, note, start_at, end_at, minutes,
            price_fen, own_fen, state, placed_at, placed_by, provider, carer, partner, offered_at, offered_by,
            accepted_at, checked_in_at, checked_out_at, confirmed_at, confirmed_by, settled_at, settled_by,
            cancelled_at, cancel_reason, stars, comment, interruption, fee_fen, escalated_at,
            collected_at, collected_by
        FROM orders WHERE id > ?1 ORDER BY id LIMIT 5000";
    SAME_ITEM = "SELECT start_at FROM orders
        WHERE person = ?1 AND service = ?2 AND start_at > ?5 AND start_at < ?4 AND end_at > ?3
            AND state <> 'cancelled' AND state <> 'nobody_home' AND state <> 'interrupted'
        ORDER BY start_at LIMIT 1";
    INSERT_SHARE = "INSERT INTO order_share (order_id, line, entitlement, used, amount_fen, held)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    SHARES = "SELECT s.entitlement, COALESCE(g.name, ''), s.used, s.amount_fen, s.held
        FROM order_share s
        LEFT JOIN entitlement e ON e.id = s.entitlement
        LEFT JOIN programme g ON g.code = e.programme
            AND g.valid_from = (SELECT MAX(x.valid_from) FROM programme x WHERE x.code = e.programme)
        WHERE s.order_id = ?1 ORDER BY s.line";
    HELD_SHARES = "SELECT s.entitlement, e.programme, s.used, s.held, t.debit, t.credit, t.asset, t.amount
        FROM order_share s
        LEFT JOIN entitlement e ON e.id = s.entitlement
        LEFT JOIN ledger_transfer t ON t.id = s.held AND t.kind = 'pending'
        WHERE s.order_id = ?1 AND s.entitlement IS NOT NULL AND s.held IS NOT NULL ORDER BY s.line";
    PROOF = "SELECT v.minutes, x.asked_by, x.approved_by, o.provider, p.region, v.in_method, v.in_distance
        FROM orders o
        LEFT JOIN visit v ON v.order_id = o.id
        LEFT JOIN settlement_exception x ON x.order_id = o.id
        LEFT JOIN provider p ON p.id = o.provider
        WHERE o.id = ?1";
    INSERT_SETTLEMENT = "INSERT INTO settlement (id, order_id, region, provider, service, minutes, price_fen,
            own_fen, at, by_account, kind)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    DROP_FEE = "DELETE FROM settlement WHERE order_id = ?1 AND kind = 'late_cancel' AND statement IS NULL
            AND NOT EXISTS (SELECT 1 FROM statement_line l WHERE l.settlement = settlement.id)";
    EXCEPTION = "SELECT reason, asked_by, approved_by, approved_at FROM settlement_exception WHERE order_id = ?1";
    INSERT_EXCEPTION = "INSERT INTO settlement_exception (order_id, reason, asked_at, asked_by)
        VALUES (?1, ?2, ?3, ?4) ON CONFLICT (order_id) DO NOTHING";
    APPROVE_EXCEPTION = "UPDATE settlement_exception SET approved_at = ?2, approved_by = ?3
        WHERE order_id = ?1 AND approved_at IS NULL";
    DOORS_PAID = "SELECT COUNT(*) FROM orders o
        JOIN settlement s ON s.order_id = o.id
        JOIN visit v ON v.order_id = o.id
        WHERE o.person = ?1 AND o.start_at >= ?2 AND o.start_at < ?3 AND v.minutes = 0 AND o.interruption IS NULL";
    ON_A_STATEMENT = "SELECT COUNT(*) FROM settlement s
        JOIN statement_line l ON l.settlement = s.id
        JOIN statement t ON t.id = l.statement
        WHERE s.order_id = ?1 AND t.returned_at IS NULL";
    SETTLED_OWN = "SELECT own_fen FROM settlement WHERE order_id = ?1";
    URGENT_OPEN = "SELECT id FROM orders
        WHERE state IN ('placed', 'offered') AND service = ?1 AND end_at > ?2
        ORDER BY start_at LIMIT 200";
    ASKED = "SELECT carer, COALESCE(answer, '') FROM offer WHERE order_id = ?1 ORDER BY id";
    ADD_STARS = "UPDATE carer SET stars = stars + ?2, ratings = ratings + 1 WHERE id = ?1";
    SETTLED_UNPROVED = "SELECT s.id FROM settlement s
        JOIN orders o ON o.id = s.order_id
        LEFT JOIN visit v ON v.order_id = o.id
        LEFT JOIN settlement_exception x ON x.order_id = o.id
        WHERE (s.kind <> 'late_cancel' AND (v.out_at IS NULL OR o.state <> 'settled'
                OR (o.confirmed_at IS NULL AND (x.approved_by IS NULL OR x.approved_by = x.asked_by))))
            OR (s.kind = 'late_cancel' AND (o.state <> 'cancelled' OR o.fee_fen <> s.price_fen
                OR s.own_fen <> s.price_fen))
        ORDER BY s.id LIMIT 1000";
    FEES_UNSETTLED = "SELECT o.id FROM orders o LEFT JOIN settlement s ON s.order_id = o.id
        WHERE o.fee_fen > 0 AND s.id IS NULL ORDER BY o.id LIMIT 1000";
    SETTLED_UNBALANCED = "SELECT s.id FROM settlement s
        WHERE s.price_fen <> (SELECT COALESCE(SUM(t.amount), 0) FROM ledger_transfer t
            JOIN ledger_account c ON c.id = t.credit AND c.kind = 'provider'
            WHERE t.subject = s.order_id AND t.kind = 'posted' AND t.asset = 'fen')
        ORDER BY s.id LIMIT 1000";
}

/// Parameters of `UPDATE_ORDER`, and of `UPDATE_PROGRESS`, which takes the first of them.
const ASSIGNED: usize = 24;
const PROGRESS: usize = 19;

/// What an order needs to know of its person.
pub(super) struct PersonFacts {
    pub(super) region: RegionCode,
    pub(super) name: String,
    pub(super) state: PersonState,
    pub(super) sex: Sex,
    pub(super) language: String,
    pub(super) home: Option<(f64, f64)>,
}

pub(super) fn sex(row: &Row<'_>, n: usize) -> Result<Sex, Fault> {
    u8::try_from(row.get::<i64>(n)?)
        .ok()
        .and_then(Sex::from_code)
        .ok_or_else(|| Fault::other(format!("column {n} is no sex code")))
}

pub(super) fn person(tx: &mut Tx<'_>, id: PersonId) -> Result<Option<PersonFacts>, Fault> {
    tx.find(PERSON, p![id], |row| {
        Ok(PersonFacts {
            region: row.get(0)?,
            name: row.get(1)?,
            state: row.word(2, PersonState::from_code)?,
            sex: sex(row, 3)?,
            language: row.get(4)?,
            home: row.get::<Option<f64>>(5)?.zip(row.get(6)?),
        })
    })
}

pub(super) fn insert_order(tx: &mut Tx<'_>, o: &Order) -> Result<(), Fault> {
    tx.execute_one(
        INSERT_ORDER,
        p![
            o.id,
            o.region,
            o.person,
            o.service,
            o.service_from,
            o.channel.code(),
            o.call,
            o.note,
            o.start_at,
            o.end_at,
            o.minutes,
            o.price,
            o.own,
            o.state.code(),
            o.placed_at,
            o.placed_by
        ],
    )
}

/// Writes every column that may change; answers how many rows were still in `before`.
///
/// Who goes is decided while an order is placed or offered. Later steps leave those columns alone, and with them the
/// entries of an order in the lists of its carer and provider.
pub(super) fn update_order(tx: &mut Tx<'_>, o: &Order, before: OrderState) -> Result<u64, Fault> {
    let open = |state| matches!(state, OrderState::Placed | OrderState::Offered);
    let (sql, count) =
        if open(before) || open(o.state) { (UPDATE_ORDER, ASSIGNED) } else { (UPDATE_PROGRESS, PROGRESS) };
    tx.execute(
        sql,
        &p![
            o.id,
            before.code(),
            o.state.code(),
            o.accepted_at,
            o.checked_in_at,
            o.checked_out_at,
            o.confirmed_at,
            o.confirmed_by.map(ConfirmedBy::code),
            o.settled_at,
            o.settled_by,
            o.cancelled_at,
            o.cancel_reason.map(CancelReason::code),
            o.stars,
            o.comment,
            o.interruption.map(Interruption::code),
            o.fee,
            o.escalated_at,
            o.collected_at,
            o.collected_by,
            o.provider,
            o.carer,
            o.partner,
            o.offered_at,
            o.offered_by
        ][..count],
    )
}

fn order_row(row: &Row<'_>) -> Result<Order, Fault> {
    Ok(Order {
        id: row.get(0)?,
        region: row.get(1)?,
        person: row.get(2)?,
        service: row.get(3)?,
        service_from: row.get(4)?,
        channel: row.word(5, Channel::from_code)?,
        call: row.get(6)?,
        note: row.get(7)?,
        start_at: row.get(8)?,
        end_at: row.get(9)?,
        minutes: row.get(10)?,
        price: row.get(11)?,
        own: row.get(12)?,
        state: row.word(13, OrderState::from_code)?,
        placed_at: row.get(14)?,
        placed_by: AccountId(row.get(15)?),
        provider: row.get(16)?,
        carer: row.get(17)?,
        partner: row.get(18)?,
        offered_at: row.get(19)?,
        offered_by: row.get::<Option<i64>>(20)?.map(AccountId),
        accepted_at: row.get(21)?,
        checked_in_at: row.get(22)?,
        checked_out_at: row.get(23)?,
        confirmed_at: row.get(24)?,
        confirmed_by: row.word_or_none(25, ConfirmedBy::from_code)?,
        settled_at: row.get(26)?,
        settled_by: row.get::<Option<i64>>(27)?.map(AccountId),
        cancelled_at: row.get(28)?,
        cancel_reason: row.word_or_none(29, CancelReason::from_code)?,
        stars: row.get(30)?,
        comment: row.get(31)?,
        interruption: row.word_or_none(32, Interruption::from_code)?,
        fee: row.get(33)?,
        escalated_at: row.get(34)?,
        collected_at: row.get(35)?,
        collected_by: row.get::<Option<i64>>(36)?.map(AccountId),
    })
}

pub(super) fn order(tx: &mut Tx<'_>, id: OrderId) -> Result<Option<Order>, Fault> {
    tx.find(ORDER, p![id], order_row)
}

pub(super) fn each_order(tx: &mut Tx<'_>, mut each: impl FnMut(Order)) -> Result<(), Fault> {
    let mut after = 0;
    loop {
        let orders = tx.all(ALL_ORDERS, p![after], order_row)?;
        let Some(last) = orders.last() else { return Ok(()) };
        after = last.id.0;
        orders.into_iter().for_each(&mut each);
    }
}

/// Start of an order of the same item that overlaps, if there is one.
pub(super) fn same_item(
    tx: &mut Tx<'_>,
    person: PersonId,
    service: &str,
    from: At,
    to: At,
) -> Result<Option<At>, Fault> {
    // No order is longer, so that those of earlier days need not be looked at.
    let earliest = from.plus_minutes(-LENGTH_MAX.0);
    tx.find(SAME_ITEM, p![person, service, from, to, earliest], |row| row.get(0))
}

pub(super) fn insert_share(
    tx: &mut Tx<'_>,
    order: OrderId,
    line: i64,
    share: &programmes::Share,
    held: Option<TransferId>,
) -> Result<(), Fault> {
    tx.execute_one(INSERT_SHARE, p![order, line, share.right, share.used, share.amount, held])
}

pub(super) fn shares(tx: &mut Tx<'_>, order: OrderId) -> Result<Vec<Share>, Fault> {
    tx.all(SHARES, p![order], |row| {
        Ok(Share {
            entitlement: row.get(0)?,
            programme: row.get(1)?,
            used: row.get(2)?,
            amount: row.get(3)?,
            held: row.get(4)?,
        })
    })
}

/// What a provider is paid for an order.
pub(super) struct Settling<'a> {
    pub(super) id: SettlementId,
    pub(super) order: &'a Order,
    pub(super) kind: Earned,
    pub(super) minutes: Minutes,
    pub(super) price: Fen,
    /// The elder's part of it.
    pub(super) own: Fen,
}

pub(super) fn insert_settlement(
    tx: &mut Tx<'_>,
    s: &Settling<'_>,
    by: AccountId,
    at: At,
) -> Result<(), Fault> {
    let o = s.order;
    tx.execute_one(
        INSERT_SETTLEMENT,
        p![s.id, o.id, o.region, o.provider, o.service, s.minutes, s.price, s.own, at, by, s.kind.code()],
    )
}

/// Takes the fee of an order back from the provider's month, unless it was ever on a statement; answers whether.
pub(super) fn drop_fee(tx: &mut Tx<'_>, order: OrderId) -> Result<bool, Fault> {
    Ok(tx.execute(DROP_FEE, p![order])? == 1)
}

/// Orders with a fee that no provider's month has.
pub(super) fn fees_unsettled(tx: &mut Tx<'_>) -> Result<Vec<i64>, Fault> {
    tx.all(FEES_UNSETTLED, p![], |row| row.get(0))
}

/// A part of an order's price that a programme is held for.
pub(super) struct HeldShare {
    pub(super) right: EntitlementId,
    /// Under which the right was given.
    pub(super) programme: String,
    pub(super) used: i64,
    pub(super) hold: Hold,
}

pub(super) fn held_shares(tx: &mut Tx<'_>, order: OrderId) -> Result<Vec<HeldShare>, Fault> {
    tx.all(HELD_SHARES, p![order], |row| {
        let moved = Move {
            debit: row.get(4)?,
            credit: row.get(5)?,
            asset: row.word(6, Asset::from_code)?,
            amount: row.get(7)?,
        };
        let hold = Hold { id: row.get(3)?, moved };
        Ok(HeldShare { right: row.get(0)?, programme: row.get(1)?, used: row.get(2)?, hold })
    })
}

/// What a payment stands on.
pub(super) struct Proof {
    pub(super) served: Minutes,
    /// A second person's permission, once it is given.
    pub(super) exception: Option<Exception>,
    /// Whose carer came, and where that provider belongs.
    pub(super) provider: Option<(ProviderId, RegionCode)>,
    /// The sign-in shows that it happened at the home.
    pub(super) at_home: bool,
}

pub(super) fn proof(tx: &mut Tx<'_>, order: OrderId) -> Result<Proof, Fault> {
    tx.one(PROOF, p![order], |row| {
        let exception = row.get::<Option<i64>>(1)?.zip(row.get::<Option<i64>>(2)?);
        let (method, distance) = (row.get::<Option<String>>(5)?, row.get(6)?);
        Ok(Proof {
            served: row.get::<Option<Minutes>>(0)?.unwrap_or_default(),
            exception: exception.map(|(asked_by, approved_by)| Exception {
                asked_by: AccountId(asked_by),
                approved_by: AccountId(approved_by),
            }),
            provider: row.get::<Option<ProviderId>>(3)?.zip(row.get(4)?),
            at_home: method.and_then(|code| Method::from_code(&code)).is_some_and(|m| m.shows_home(distance)),
        })
    })
}

pub(super) fn exception_row(tx: &mut Tx<'_>, order: OrderId) -> Result<Option<(String, Option<At>)>, Fault> {
    tx.find(EXCEPTION, p![order], |row| Ok((row.get(0)?, row.get(3)?)))
}

pub(super) fn exception_asked_by(tx: &mut Tx<'_>, order: OrderId) -> Result<Option<AccountId>, Fault> {
    tx.find(EXCEPTION, p![order], |row| Ok(AccountId(row.get(1)?)))
}

pub(super) fn insert_exception(
    tx: &mut Tx<'_>,
    order: OrderId,
    reason: &str,
    by: AccountId,
    at: At,
) -> Result<bool, Fault> {
    Ok(tx.execute(INSERT_EXCEPTION, p![order, reason, at, by])? == 1)
}

pub(super) fn approve_exception(tx: &mut Tx<'_>, order: OrderId, by: AccountId, at: At) -> Result<(), Fault> {
    tx.execute_one(APPROVE_EXCEPTION, p![order, at, by])
}

pub(super) fn add_stars(tx: &mut Tx<'_>, carer: CarerId, stars: i64) -> Result<(), Fault> {
    tx.execute_one(ADD_STARS, p![carer, stars])
}

pub(super) fn settled_unproved(tx: &mut Tx<'_>) -> Result<Vec<i64>, Fault> {
    tx.all(SETTLED_UNPROVED, p![], |row| row.get(0))
}

pub(super) fn settled_unbalanced(tx: &mut Tx<'_>) -> Result<Vec<i64>, Fault> {
    tx.all(SETTLED_UNBALANCED, p![], |row| row.get(0))
}

/// How often a closed door was paid for a person's orders that were planned between two instants.
pub(super) fn doors_paid(tx: &mut Tx<'_>, person: PersonId, from: At, to: At) -> Result<i64, Fault> {
    tx.one(DOORS_PAID, p![person, from, to], |row| row.get(0))
}

/// Urgent orders nobody has taken and whose time is not over.
pub(super) fn urgent_open(tx: &mut Tx<'_>, service: &str, now: At) -> Result<Vec<OrderId>, Fault> {
    tx.all(URGENT_OPEN, p![service, now], |row| row.get(0))
}

/// Who was asked to take an order, and what they answered.
pub(super) fn asked(tx: &mut Tx<'_>, order: OrderId) -> Result<Vec<(CarerId, String)>, Fault> {
    tx.all(ASKED, p![order], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Whether an order is on a statement that was not sent back.
pub(super) fn on_a_statement(tx: &mut Tx<'_>, order: OrderId) -> Result<bool, Fault> {
    tx.one(ON_A_STATEMENT, p![order], |row| Ok(row.get::<i64>(0)? > 0))
}

/// What a settled order costs the elder.
pub(super) fn settled_own(tx: &mut Tx<'_>, order: OrderId) -> Result<Option<Fen>, Fault> {
    tx.find(SETTLED_OWN, p![order], |row| row.get(0))
}
