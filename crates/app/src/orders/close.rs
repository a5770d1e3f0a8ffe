//! After the visit: the receiver's word, the rating; and calling an order off.

use domain::{
    access::{Act, Actor},
    ids::OrderId,
    orders::{self, CancelReason, Confirmation, OrderRefusal, OrderState},
    time::Now,
};
use serde_json::json;

use super::{load, save, sql};
use crate::{
    ledger::{self, Occasion},
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
    order.stars = Some(stars);
    order.comment = Some(comment.trim().to_owned());
    for carer in order.carers().collect::<Vec<_>>() {
        sql::add_stars(tx, carer, stars)?;
    }
    let state = order.state;
    save(tx, actor, now, &order, state, "order.rated", json!({ "stars": stars, "comment": comment.trim() }))
}

/// Calls an order off and gives back what was held for it.
pub fn cancel(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: OrderId,
    reason: CancelReason,
    note: &str,
    now: Now,
) -> Outcome<(), OrderRefusal> {
    let mut order = load(tx, actor, Act::PlaceOrders, id)?;
    orders::cancel(order.state).decided()?;
    let before = order.state;
    order.state = OrderState::Cancelled;
    order.cancelled_at = Some(now.0);
    order.cancel_reason = Some(reason);
    sql::end_offers(tx, id, "withdrawn", reason.label(), now.0)?;
    let on = Occasion { actor, subject: id.0, region: order.region, now };
    for share in sql::held_shares(tx, id)? {
        ledger::release(tx, on, share.held)?;
    }
    save(
        tx,
        actor,
        now,
        &order,
        before,
        "order.cancelled",
        json!({ "reason": reason.code(), "note": note.trim() }),
    )
}
