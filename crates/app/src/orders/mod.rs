//! Orders: from the wish to the payment, one command a step.
//!
//! Every command loads the order within the actor's scope, lets `domain::orders` decide, saves the whole row and
//! records what it left behind. INVARIANT: an order's row is what its last evidence says (see `verify`).

pub mod calls;
mod close;
mod desk;
mod dispatch;
mod facts;
mod lists;
mod place;
mod settle;
mod sql;
mod unfinished;
pub mod urgent;
mod visit;

use std::sync::Arc;

use domain::{
    access::{Act, Actor},
    ids::{AccountId, CallId, CarerId, OrderId, PersonId, ProviderId},
    money::{Fen, Minutes},
    orders::{CancelReason, Channel, ConfirmedBy, Interruption, OrderRefusal, OrderState},
    programmes::ServiceItem,
    regions::RegionCode,
    time::{At, Now},
};
use serde_json::json;

pub use close::{cancel, confirm, rate};
pub use desk::{
    Block, Day, Decline, Lane, LaneAsk, OfferLine, Waiting, declines, lane, lanes, lanes_count, offers,
    the_day, waiting,
};
pub use dispatch::{Candidate, Judgement, accept, assign, candidates, decline, my_day};
pub use lists::{
    COUNTED_MOST, EXPORT_MAX, Filter, Home, Key, Line, Page, Served, Share, Sheet, VisitProof, count, export,
    exported, lines, lines_after, my_month, sheet,
};
pub use place::{Cover, PlaceOrder, Quote, again, place, quote};
pub use settle::{approve_exception, ask_exception, collect_own, owed, settle};
pub use unfinished::{interrupt, nobody_home};
pub use visit::{
    NewPhoto, PHOTO_BYTES_MAX, Photo, Telephone, add_photo, check_in, check_out, photo, telephones, thumbnail,
};

use crate::{
    evidence::{Event, Trouble, row_digest},
    outcome::{Found, No, Outcome},
    programmes,
    store::{Fault, Tx},
};

pub(crate) const STATEMENTS: &[&[(&str, &str)]] = sql::EVERY;

/// An order as it stands.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each field is the column of the same name")]
pub struct Order {
    pub id: OrderId,
    pub region: RegionCode,
    pub person: PersonId,
    pub service: String,
    pub service_from: String,
    pub channel: Channel,
    pub call: Option<CallId>,
    pub note: String,
    pub start_at: At,
    pub end_at: At,
    pub minutes: Minutes,
    pub price: Fen,
    pub own: Fen,
    pub state: OrderState,
    pub placed_at: At,
    pub placed_by: AccountId,
    pub provider: Option<ProviderId>,
    pub carer: Option<CarerId>,
    pub partner: Option<CarerId>,
    pub offered_at: Option<At>,
    pub offered_by: Option<AccountId>,
    pub accepted_at: Option<At>,
    pub checked_in_at: Option<At>,
    pub checked_out_at: Option<At>,
    pub confirmed_at: Option<At>,
    pub confirmed_by: Option<ConfirmedBy>,
    pub settled_at: Option<At>,
    pub settled_by: Option<AccountId>,
    pub cancelled_at: Option<At>,
    pub cancel_reason: Option<CancelReason>,
    pub stars: Option<i64>,
    pub comment: Option<String>,
    pub interruption: Option<Interruption>,
    pub fee: Fen,
    pub escalated_at: Option<At>,
    pub collected_at: Option<At>,
    pub collected_by: Option<AccountId>,
}

impl Order {
    /// Digest of everything that matters about the row, for `verify`.
    pub fn digest(&self) -> [u8; 16] {
        let n = |x: Option<i64>| x.unwrap_or(-1).to_be_bytes();
        let at = |x: Option<At>| n(x.map(|a| a.0));
        row_digest(&[
            &self.id.0.to_be_bytes(),
            &self.region.number().to_be_bytes(),
            &self.person.0.to_be_bytes(),
            self.service.as_bytes(),
            self.service_from.as_bytes(),
            &self.start_at.0.to_be_bytes(),
            &self.end_at.0.to_be_bytes(),
            &self.minutes.0.to_be_bytes(),
            &self.price.0.to_be_bytes(),
            &self.own.0.to_be_bytes(),
            self.state.code().as_bytes(),
            &n(self.provider.map(|x| x.0)),
            &n(self.carer.map(|x| x.0)),
            &n(self.partner.map(|x| x.0)),
            &at(self.offered_at),
            &at(self.accepted_at),
            &at(self.checked_in_at),
            &at(self.checked_out_at),
            &at(self.confirmed_at),
            self.confirmed_by.map_or("", ConfirmedBy::code).as_bytes(),
            &at(self.settled_at),
            &at(self.cancelled_at),
            &n(self.stars),
            self.interruption.map_or("", Interruption::code).as_bytes(),
            &self.fee.0.to_be_bytes(),
            &at(self.escalated_at),
            &at(self.collected_at),
        ])
    }

    /// The other carer, when two must come and this is one of them.
    pub fn carers(&self) -> impl Iterator<Item = CarerId> {
        self.carer.into_iter().chain(self.partner)
    }
}

/// The order, if the actor may touch it at all; `may` is what for.
fn load(tx: &mut Tx<'_>, actor: &Actor, act: Act, id: OrderId) -> Outcome<Order, OrderRefusal> {
    actor.may(act)?;
    visible(tx, actor, id)?.found()
}

/// The order, unless it lies outside the actor's regions, provider or day's work.
fn visible(tx: &mut Tx<'_>, actor: &Actor, id: OrderId) -> Result<Option<Order>, Fault> {
    let order = sql::order(tx, id)?;
    Ok(order.filter(|o| {
        actor.sees(o.region)
            && actor.sees_provider(o.provider)
            && actor.carer.is_none_or(|c| o.carers().any(|x| x == c))
    }))
}

/// The item in the version the order was made under.
fn item_of(tx: &mut Tx<'_>, order: &Order) -> Result<Arc<ServiceItem>, Fault> {
    let day = order.service_from.parse().map_err(|_| Fault::other("an order's item version is not a day"))?;
    programmes::item_on(tx, &order.service, day)?
        .map(|(item, _)| item)
        .ok_or_else(|| Fault::other(format!("order {} has an item that never was", order.id)))
}

/// Saves an order that was in `before`, and records what happened to it.
fn save(
    tx: &mut Tx<'_>,
    actor: &Actor,
    now: Now,
    order: &Order,
    before: OrderState,
    act: &'static str,
    mut detail: serde_json::Value,
) -> Outcome<(), OrderRefusal> {
    assert!(
        before == order.state || order.state.may_follow(before),
        "order {}: {} may not follow {}",
        order.id,
        order.state.code(),
        before.code()
    );
    if sql::update_order(tx, order, before)? != 1 {
        // Somebody else moved it between our reading and our writing.
        return Err(No::Fault(Fault {
            kind: crate::store::FaultKind::Conflict,
            message: format!("order {} moved on", order.id),
            context: Vec::new(),
        }));
    }
    detail["state"] = json!(order.state.code());
    tx.record(actor, now, Event::new(act, order.id.0, order.region, detail).leaving(order.digest()))?;
    Ok(())
}

/// A line about an order whose trail somebody may read: whoever may see the order, and whoever pays the statement it is
/// on.
pub fn traced(tx: &mut Tx<'_>, actor: &Actor, id: OrderId) -> Outcome<Line, OrderRefusal> {
    actor.may(Act::SeeEvidence)?;
    visible(tx, actor, id)?.found()?;
    if actor.may(Act::SeeOrders).is_err() {
        actor.may(Act::SeeMoney)?;
        // An order nobody asks money for is not the payer's business.
        if !sql::on_a_statement(tx, id)? {
            return Err(No::NotFound);
        }
    }
    Ok(sql::line(tx, id)?)
}

/// The order as it stands, for whoever may see orders (or is its carer).
pub fn order(tx: &mut Tx<'_>, actor: &Actor, id: OrderId) -> Outcome<Order, OrderRefusal> {
    if actor.may(Act::SeeOrders).is_err() {
        actor.may(Act::VisitHomes)?;
    }
    visible(tx, actor, id)?.found()
}

/// Orders whose row is not what the log says was left behind. `said` gives the last digest by order.
pub fn verify(tx: &mut Tx<'_>, said: impl Fn(i64) -> Option<[u8; 16]>) -> Result<(Vec<Trouble>, i64), Fault> {
    let mut troubles = Vec::new();
    let mut rows = 0;
    sql::each_order(tx, |order| {
        rows += 1;
        let what = match said(order.id.0) {
            None => "没有留痕",
            Some(digest) if digest != order.digest() => "内容与留痕不符",
            Some(_) => return,
        };
        troubles.push(Trouble::Row { table: "orders", id: order.id.0, what: what.to_owned() });
    })?;
    for id in sql::settled_unproved(tx)? {
        troubles.push(Trouble::Row {
            table: "settlement",
            id,
            what: "结算的工单没有验收或例外批准".to_owned(),
        });
    }
    for id in sql::fees_unsettled(tx)? {
        let what = "取消费没有列入服务商的结算".to_owned();
        troubles.push(Trouble::Row { table: "orders", id, what });
    }
    for id in sql::settled_unbalanced(tx)? {
        troubles
            .push(Trouble::Row { table: "settlement", id, what: "结算金额与转账不符".to_owned() });
    }
    Ok((troubles, rows))
}
