//! After the visit: the receiver's word, the rating; and calling an order off.

use domain::{
    access::{Act, Actor},
    ids::{OrderId, SettlementId},
    money::{Fen, Minutes},
    orders::{self, CancelReason, Confirmation, Earned, OrderRefusal, OrderState},
    programmes::Asset,
    time::Now,
};
use serde_json::json;

use super::{Order, load, save, settle::own_accounts, sql, unfinished::give_back};
use crate::{
    ledger::{self, Move, Occasion},
    outcome::{Decided, Outcome},
    store::Tx,
};

/// Records what the elder, the family or a call-back says of the service.
pub fn confirm(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: OrderId,
    ask: &Confirmation,
    now: Now,
) -> Outcome<OrderState, OrderRefusal> {
    let mut order = load(tx, actor, Act::ConfirmOrders, id)?;
    let before = order.state;
    order.state = orders::confirm(order.state, ask).decided()?;
    order.confirmed_at = Some(now.0);
    order.confirmed_by = Some(ask.by);
    let act = if ask.satisfied { "order.confirmed" } else { "order.disputed" };
    save(tx, actor, now, &order, before, act, json!({ "by": ask.by.code(), "note": ask.note.trim() }))?;
    Ok(order.state)
}

/// Records a rating of one to five stars, once.
pub fn rate(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: OrderId,
    stars: i64,
    comment: &str,
    now: Now,
) -> Outcome<(), OrderRefusal> {
    let mut order = load(tx, actor, Act::ConfirmOrders, id)?;
    orders::rate(order.state, stars, order.stars.is_some()).decided()?;
    let comment = orders::said(comment, "评价", orders::NOTE_MAX).decided()?;
    order.stars = Some(stars);
    order.comment = Some(comment.clone());
    for carer in order.carers().collect::<Vec<_>>() {
        sql::add_stars(tx, carer, stars)?;
    }
    let state = order.state;
    save(tx, actor, now, &order, state, "order.rated", json!({ "stars": stars, "comment": comment }))
}

/// Calls an order off and gives back what was held for it; answers what it costs whoever called it off late.
pub fn cancel(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: OrderId,
    reason: CancelReason,
    note: &str,
    now: Now,
) -> Outcome<Fen, OrderRefusal> {
    let mut order = load(tx, actor, Act::PlaceOrders, id)?;
    orders::cancel(order.state).decided()?;
    let note = orders::said(note, "取消说明", orders::NOTE_MAX).decided()?;
    let before = order.state;
    order.fee = orders::cancel_fee(before, reason, order.start_at, order.price, now);
    order.state = OrderState::Cancelled;
    order.cancelled_at = Some(now.0);
    order.cancel_reason = Some(reason);
    sql::end_offers(tx, id, "withdrawn", reason.label(), now.0)?;
    let on = Occasion { actor, subject: id.0, region: order.region, now };
    give_back(tx, on, id)?;
    if order.fee > Fen::ZERO {
        let (elder, provider) = own_accounts(tx, &order, now)?;
        let fee = Move { debit: elder, credit: provider, amount: order.fee.0, asset: Asset::Fen };
        ledger::post(tx, on, &[fee])?;
        // Nobody funds it: the elder owes it to the provider, and it stands on the provider's month.
        let (id, price, minutes) = (SettlementId(tx.id(now)), order.fee, Minutes::default());
        let row = sql::Settling { id, order: &order, kind: Earned::LateCancel, minutes, price, own: price };
        sql::insert_settlement(tx, &row, actor.account, now.0)?;
    }
    let detail = json!({ "reason": reason.code(), "note": note, "fee_fen": order.fee });
    save(tx, actor, now, &order, before, "order.cancelled", detail)?;
    Ok(order.fee)
}

/// Takes back the fee of a late cancellation, because the visit will happen after all. What was stated once stays.
pub(super) fn waive(tx: &mut Tx<'_>, actor: &Actor, order: Order, now: Now) -> Outcome<(), OrderRefusal> {
    if !sql::drop_fee(tx, order.id)? {
        return Ok(());
    }
    let (elder, provider) = own_accounts(tx, &order, now)?;
    let on = Occasion { actor, subject: order.id.0, region: order.region, now };
    let back = Move { debit: provider, credit: elder, amount: order.fee.0, asset: Asset::Fen };
    ledger::post(tx, on, &[back])?;
    let detail = json!({ "fee_fen": order.fee });
    let waived = Order { fee: Fen::ZERO, ..order };
    save(tx, actor, now, &waived, OrderState::Cancelled, "order.fee_waived", detail)
}
