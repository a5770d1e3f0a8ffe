//! Urgent orders ring: the nearest free carer is asked, then the next, until one comes or a dispatcher takes over.
//!
//! A reconciler: it looks at what is open and does the next step, so it may run twice and on two servers.

use domain::{
    access::{Actor, Role},
    ids::{AccountId, CarerId, OrderId},
    orders::{OrderState, URGENT_ITEM, URGENT_RING_MINUTES, accept_by},
    regions::RegionRange,
    time::Now,
};
use serde_json::json;

use super::{Order, assign, candidates, save, sql};
use crate::{
    outcome::No,
    store::{Fault, Store, Tx},
};

/// How many carers are tried in one step before the next step looks afresh.
const TRIES: usize = 3;

/// In whose name urgent orders ring.
fn bell() -> Actor {
    Actor {
        account: AccountId(0),
        name: "紧急派单".to_owned(),
        role: Role::System,
        range: RegionRange::ALL,
        provider: None,
        carer: None,
    }
}

/// Does the next step of every urgent order that nobody has taken; answers how many changed.
pub fn ring_all(store: &Store, now: Now) -> Result<usize, Fault> {
    let open = store.read(move |tx| sql::urgent_open(tx, URGENT_ITEM, now.0))?;
    let mut changed = 0;
    for id in open {
        if store.write(move |tx| ring(tx, id, now))? {
            changed += 1;
        }
    }
    Ok(changed)
}

/// Does the next step of one urgent order; answers whether anything changed.
pub fn ring(tx: &mut Tx<'_>, id: OrderId, now: Now) -> Result<bool, Fault> {
    let Some(order) = sql::order(tx, id)?.filter(|o| o.service == URGENT_ITEM) else { return Ok(false) };
    let rings = match (order.state, order.offered_at) {
        (OrderState::Placed, _) => true,
        (OrderState::Offered, Some(at)) => now.0 >= at.plus_minutes(URGENT_RING_MINUTES),
        _ => return Ok(false),
    };
    let asked = rings && ask_next(tx, id, now)?;
    let overdue = now.0 >= accept_by(URGENT_ITEM, order.placed_at);
    let alone = rings && !asked && order.state == OrderState::Placed;
    let escalated = order.escalated_at.is_none() && (overdue || alone) && escalate(tx, id, overdue, now)?;
    Ok(asked || escalated)
}

/// Asks the nearest free carer who was asked least; nobody who said no.
fn ask_next(tx: &mut Tx<'_>, id: OrderId, now: Now) -> Result<bool, Fault> {
    let bell = bell();
    let offers = sql::asked(tx, id)?;
    let times = |carer: CarerId| offers.iter().filter(|(who, _)| *who == carer).count();
    let said_no = |carer: CarerId| offers.iter().any(|(who, answer)| *who == carer && answer == "declined");
    let mut free: Vec<_> = match candidates(tx, &bell, id, now) {
        Ok(all) => all.into_iter().filter(|c| c.allowed && !said_no(c.carer)).collect(),
        Err(No::Fault(fault)) => return Err(fault),
        Err(_) => return Ok(false),
    };
    free.sort_by_key(|c| (times(c.carer), c.travel_minutes, c.carer));
    for one in free.into_iter().take(TRIES) {
        match assign(tx, &bell, id, one.carer, None, now) {
            Ok(_) => return Ok(true),
            Err(No::Fault(fault)) => return Err(fault),
            // Somebody else had the hour between our looking and our asking.
            Err(_) => {}
        }
    }
    Ok(false)
}

/// Hands the order to the dispatchers; it goes on ringing.
fn escalate(tx: &mut Tx<'_>, id: OrderId, overdue: bool, now: Now) -> Result<bool, Fault> {
    let Some(order) = sql::order(tx, id)? else { return Ok(false) };
    let asked = sql::asked(tx, id)?.len();
    let before = order.state;
    let told = Order { escalated_at: Some(now.0), ..order };
    let detail = json!({ "asked": asked, "overdue": overdue });
    match save(tx, &bell(), now, &told, before, "order.escalated", detail) {
        Ok(()) => Ok(true),
        Err(No::Fault(fault)) => Err(fault),
        Err(_) => Ok(false),
    }
}
