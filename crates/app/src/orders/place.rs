//! Placing an order: who it is for, what, when, and who would pay.

use domain::{
    access::{Act, Actor},
    ids::{CallId, OrderId, PersonId},
    ledger::AccountKind,
    money::{Fen, Minutes},
    orders::{self, Channel, OrderRefusal, OrderState, PlaceAsk, PlaceFacts, Placed},
    parties::mask,
    programmes::{Asset, Right},
    time::{At, Now},
};
use serde_json::json;

use super::{Order, sql};
use crate::{
    evidence::Event,
    ledger::{self, Move, NewAccount, OVERDRAWN, Occasion},
    outcome::{Decided, Found, No, Outcome},
    programmes,
    store::Tx,
};

/// A wish for an order.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceOrder {
    /// For whom.
    pub person: PersonId,
    /// Item of the catalogue.
    pub service: String,
    /// When the carer should come.
    pub start: At,
    /// For how long; the item's standard when not given.
    pub minutes: Option<Minutes>,
    /// The elder agreed to pay what programmes do not.
    pub own_share_agreed: bool,
    /// How it came in.
    pub channel: Channel,
    /// The call it came from.
    pub call: Option<CallId>,
    /// Words for the carer.
    pub note: String,
}

/// What an order would cost whom, before it is placed.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    /// Planned end.
    pub end: At,
    /// Planned length.
    pub minutes: Minutes,
    /// Contract price.
    pub price: Fen,
    /// What programmes pay.
    pub covered: Fen,
    /// What the elder pays.
    pub own: Fen,
    /// What each programme pays, in the order they are used.
    pub by: Vec<Cover>,
}

/// What one programme pays of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// Its name.
    pub programme: String,
    /// Whether it pays in money or in minutes.
    pub asset: Asset,
    /// How much of the right is used, in its own asset.
    pub used: i64,
    /// The money.
    pub amount: Fen,
}

struct Decision {
    region: domain::regions::RegionCode,
    version: String,
    rights: Vec<(Right, domain::ids::LedgerId)>,
    placed: Placed,
}

fn decide(tx: &mut Tx<'_>, actor: &Actor, ask: &PlaceOrder, now: Now) -> Outcome<Decision, OrderRefusal> {
    orders::timely(ask.start, now).decided()?;
    let person = sql::person(tx, ask.person)?.filter(|p| actor.sees(p.region)).found()?;
    let day = ask.start.day();
    let item = programmes::item_on(tx, &ask.service, day)?;
    let minutes = ask.minutes.or(item.as_ref().map(|(i, _)| i.minutes_std)).unwrap_or_default();
    // Whether the length is one at all is decided below.
    let end = ask.start.plus_minutes(minutes.0.clamp(0, orders::LENGTH_MAX.0));
    let same_item_at = sql::same_item(tx, ask.person, &ask.service, ask.start, end)?;
    let rights = programmes::rights(tx, ask.person, person.region, &ask.service, day)?;
    let wish = PlaceAsk {
        person: ask.person,
        service: ask.service.clone(),
        start: ask.start,
        minutes: ask.minutes,
        own_share_agreed: ask.own_share_agreed,
    };
    let facts = PlaceFacts {
        name: mask::name(&person.name),
        state: person.state,
        item: item.as_ref().map(|(item, _)| &**item),
        same_item_at,
        rights: rights.iter().map(|(right, _)| right.clone()).collect(),
    };
    let placed = orders::place(&wish, &facts, now).decided()?;
    let version = item.map(|(_, from)| from.to_string()).unwrap_or_default();
    Ok(Decision { region: person.region, version, rights, placed })
}

/// What the order would cost whom; refuses whatever placing would refuse, but for the elder's agreement.
pub fn quote(tx: &mut Tx<'_>, actor: &Actor, ask: &PlaceOrder, now: Now) -> Outcome<Quote, OrderRefusal> {
    actor.may(Act::PlaceOrders)?;
    let ask = PlaceOrder { own_share_agreed: true, ..ask.clone() };
    let Decision { rights, placed: Placed { end, minutes, price, shares }, .. } =
        decide(tx, actor, &ask, now)?;
    let own: Fen = shares.iter().filter(|s| s.right.is_none()).map(|s| s.amount).sum();
    let mut by = Vec::new();
    for (right, _) in &rights {
        if let Some(share) = shares.iter().find(|s| s.right == Some(right.entitlement)) {
            by.push(Cover {
                programme: programmes::name_of_right(tx, right.entitlement)?,
                asset: right.asset,
                used: share.used,
                amount: share.amount,
            });
        }
    }
    Ok(Quote { end, minutes, price, covered: price - own, own, by })
}

/// Places an order and holds what programmes are to pay.
pub fn place(tx: &mut Tx<'_>, actor: &Actor, ask: &PlaceOrder, now: Now) -> Outcome<OrderId, OrderRefusal> {
    actor.may(Act::PlaceOrders)?;
    let note = orders::said(&ask.note, "备注", orders::NOTE_MAX).decided()?;
    let Decision { region, version, rights, placed } = decide(tx, actor, ask, now)?;
    let own: Fen = placed.shares.iter().filter(|s| s.right.is_none()).map(|s| s.amount).sum();
    let order = Order {
        id: OrderId(tx.id(now)),
        region,
        person: ask.person,
        service: ask.service.clone(),
        service_from: version,
        channel: ask.channel,
        call: ask.call,
        note,
        start_at: ask.start,
        end_at: placed.end,
        minutes: placed.minutes,
        price: placed.price,
        own,
        state: OrderState::Placed,
        placed_at: now.0,
        placed_by: actor.account,
        provider: None,
        carer: None,
        partner: None,
        offered_at: None,
        offered_by: None,
        accepted_at: None,
        checked_in_at: None,
        checked_out_at: None,
        confirmed_at: None,
        confirmed_by: None,
        settled_at: None,
        settled_by: None,
        cancelled_at: None,
        cancel_reason: None,
        stars: None,
        comment: None,
        interruption: None,
        fee: Fen::ZERO,
        escalated_at: None,
        collected_at: None,
        collected_by: None,
    };
    sql::insert_order(tx, &order)?;
    let on = Occasion { actor, subject: order.id.0, region, now };
    for (line, share) in placed.shares.iter().enumerate() {
        let held = match share.right {
            None => None,
            Some(right) => {
                let (asset, account) = rights
                    .iter()
                    .find(|(r, _)| r.entitlement == right)
                    .map(|(r, account)| (r.asset, *account))
                    .expect("a share is made from one of these rights");
                let used = used_account(tx, asset, region, now)?;
                let wish = Move { debit: account, credit: used, amount: share.used, asset };
                Some(ledger::hold(tx, on, wish).map_err(|fault| overdrawn(fault, share.used))?)
            }
        };
        sql::insert_share(tx, order.id, line as i64, share, held)?;
    }
    let detail = json!({
        "person": ask.person, "service": order.service, "start": order.start_at, "minutes": order.minutes,
        "price_fen": order.price, "own_fen": own, "channel": order.channel.code(), "call": order.call,
        "note": order.note, "state": order.state.code(),
    });
    tx.record(actor, now, Event::new("order.placed", order.id.0, region, detail).leaving(order.digest()))?;
    Ok(order.id)
}

/// Places an order anew as one was that will not be done: a slip taken back or a second try is a new fact, the old
/// order stays. `start` says when; the old time when not given.
///
/// The elder agreed to a share once; more than that needs to be agreed again. A fee for calling the old order off is
/// taken back when the new one is for the same time and the fee was not taken yet.
pub fn again(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: OrderId,
    start: Option<At>,
    now: Now,
) -> Outcome<OrderId, OrderRefusal> {
    let old = super::load(tx, actor, Act::PlaceOrders, id)?;
    if !matches!(old.state, OrderState::Cancelled | OrderState::NobodyHome | OrderState::Interrupted) {
        return Err(No::Refused(OrderRefusal::WrongState { state: old.state, wish: "重新下单" }));
    }
    let wish = PlaceOrder {
        person: old.person,
        service: old.service.clone(),
        start: start.unwrap_or(old.start_at),
        minutes: Some(old.minutes),
        own_share_agreed: false,
        channel: old.channel,
        call: old.call,
        note: old.note.clone(),
    };
    if old.fee > Fen::ZERO && wish.start == old.start_at && old.collected_at.is_none() {
        super::close::waive(tx, actor, old.clone(), now)?;
    }
    let own = quote(tx, actor, &wish, now)?.own;
    place(tx, actor, &PlaceOrder { own_share_agreed: own <= old.own, ..wish }, now)
}

/// Two commands may have read the same rest of a right; the ledger lets only one of them have it.
fn overdrawn(fault: crate::store::Fault, needed: i64) -> No<OrderRefusal> {
    if fault.broke(OVERDRAWN) {
        No::Refused(OrderRefusal::NoRightLeft { needed, left: 0 })
    } else {
        No::Fault(fault)
    }
}

/// Where used rights of a county go.
fn used_account(
    tx: &mut Tx<'_>,
    asset: Asset,
    region: domain::regions::RegionCode,
    now: Now,
) -> Result<domain::ids::LedgerId, crate::store::Fault> {
    let county = region.within(domain::regions::Level::County);
    let new = NewAccount {
        kind: AccountKind::Used,
        owner: county.number(),
        code: String::new(),
        asset,
        region: county,
        name: "已使用额度".to_owned(),
        guarded: false,
    };
    ledger::open_account(tx, &new, now)
}
