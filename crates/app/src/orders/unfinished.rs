//! What becomes of a visit that was begun and became no service: nobody opened, or it broke off.

use domain::{
    access::{Act, Actor},
    ids::OrderId,
    money::{Fen, Minutes},
    orders::{self, CheckOut, DoorFacts, Exception, Interrupt, NobodyHome, OrderRefusal, OrderState, Payer},
    time::Now,
};
use serde_json::json;

use super::{Order, dispatch::acting, item_of, load, save, sql};
use crate::{
    ledger::{self, Occasion},
    outcome::{Decided, Found, No, Outcome},
    pack, programmes,
    store::{Fault, Tx},
};

/// The order of a carer who is at the door or in the home.
fn mine(tx: &mut Tx<'_>, actor: &Actor, id: OrderId) -> Outcome<Order, OrderRefusal> {
    let order = load(tx, actor, Act::VisitHomes, id)?;
    let carer = acting(actor, &order)?;
    if order.carer == Some(carer) { Ok(order) } else { Err(No::Refused(OrderRefusal::NotYours)) }
}

/// The carer stood before a closed door. What was held for the order is free again, so that a second try can use it.
pub fn nobody_home(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: OrderId,
    ask: &NobodyHome,
    now: Now,
) -> Outcome<(), OrderRefusal> {
    let mut order = mine(tx, actor, id)?;
    let (elder_has_phone, has_contact) = sql::reachable(tx, order.person)?;
    let photos = sql::photos(tx, id)?.len() as i64;
    let began_at = order.checked_in_at.unwrap_or(now.0);
    let facts = DoorFacts { began_at, photos, elder_has_phone, has_contact };
    let at = orders::nobody_home(order.state, facts, ask, now).decided()?;
    let before = order.state;
    order.state = OrderState::NobodyHome;
    order.checked_out_at = Some(at);
    let end = CheckOut { fix: ask.fix, device_at: ask.device_at, tasks: Vec::new(), note: ask.note.clone() };
    // Waiting is no service: the visit counts no minutes.
    sql::end_visit(tx, &order, &end, at, Minutes::default(), now.0)?;
    let on = Occasion { actor, subject: id.0, region: order.region, now };
    give_back(tx, on, id)?;
    let detail = json!({
        "carer": order.carer, "at": at, "server_at": now.0, "device_at": ask.device_at, "photos": photos,
        "waited_minutes": at.minutes_since(began_at), "rang_elder": ask.rang_elder,
        "rang_contact": ask.rang_contact, "note": ask.note.trim(),
    });
    save(tx, actor, now, &order, before, "order.nobody_home", detail)
}

/// The visit breaks off; answers the minutes that were served.
pub fn interrupt(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: OrderId,
    ask: &Interrupt,
    now: Now,
) -> Outcome<Minutes, OrderRefusal> {
    let mut order = mine(tx, actor, id)?;
    let item = item_of(tx, &order)?;
    let began_at = order.checked_in_at.unwrap_or(now.0);
    let (at, minutes) = orders::interrupt(order.state, began_at, ask, now).decided()?;
    let before = order.state;
    order.state = OrderState::Interrupted;
    order.checked_out_at = Some(at);
    order.interruption = Some(ask.why);
    let end = CheckOut { fix: ask.fix, device_at: ask.device_at, tasks: Vec::new(), note: ask.note.clone() };
    sql::end_visit(tx, &order, &end, at, minutes, now.0)?;
    let detail = json!({
        "carer": order.carer, "at": at, "server_at": now.0, "device_at": ask.device_at, "minutes": minutes,
        "short": minutes < item.minutes_min, "why": ask.why.code(), "note": ask.note.trim(),
    });
    save(tx, actor, now, &order, before, "order.interrupted", detail)?;
    Ok(minutes)
}

/// Frees whatever is held for an order.
pub(super) fn give_back(tx: &mut Tx<'_>, on: Occasion<'_>, id: OrderId) -> Result<(), Fault> {
    for share in sql::held_shares(tx, id)? {
        ledger::release(tx, on, share.hold)?;
    }
    Ok(())
}

/// What a visit to a closed door is paid, by those who were to pay the order.
pub(super) fn door_fee(
    tx: &mut Tx<'_>,
    order: &Order,
    exception: Option<Exception>,
) -> Outcome<orders::Settled, OrderRefusal> {
    let mut payers = Vec::new();
    for share in sql::shares(tx, order.id)? {
        let funders = match share.entitlement {
            Some(right) => {
                let programme = programmes::programme_of(tx, right)?;
                programmes::payers(tx, right, &programme, order.region, order.start_at.day())?
            }
            None => Vec::new(),
        };
        payers.push(Payer { right: share.entitlement, amount: share.amount, funders });
    }
    let fee = pack::place(tx)?.found()?.nobody_home_fee_fen.map(Fen);
    let (from, to) = domain::time::Month::of(order.start_at.day()).span();
    let paid = sql::doors_paid(tx, order.person, from, to)?;
    orders::settle_nobody_home(order.state, fee, order.price, paid, &payers, exception).decided()
}
