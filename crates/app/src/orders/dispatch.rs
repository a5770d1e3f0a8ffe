//! Who goes: carers with reasons for and against, the offer, the answer.

use std::collections::HashMap;

use domain::{
    access::{Act, Actor},
    ids::{CarerId, OfferId, OrderId, ProviderId},
    orders::{self, OrderRefusal, OrderState},
    programmes,
    time::{At, Now},
};
use planner::dispatch::{self as plan, CarerDay, Hard, Reason, Visit};
use serde_json::json;

use super::{
    Line, Order,
    facts::{Facts, carer_id, day_number, facts_near, facts_of, instant, last_carer, visit_of},
    item_of,
    lists::Home,
    load, save, sql,
};
use crate::{
    outcome::{Answer, Decided, No, Outcome},
    store::{Fault, Tx},
};

/// What a reason says and which way it points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// `for`, `against` or `forbids`.
    pub side: &'static str,
    /// What kind of reason it is, in a few words; the same for all carers it holds for.
    pub kind: &'static str,
    /// The reason as a sentence.
    pub text: String,
}

/// A carer as the dispatcher sees one for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub carer: CarerId,
    /// Name.
    pub name: String,
    /// Of which provider.
    pub provider: ProviderId,
    /// Name of the provider.
    pub provider_name: String,
    /// Whether no hard reason stands against it.
    pub allowed: bool,
    /// Sum of the reasons' points over the base.
    pub score: i32,
    /// Minutes of the ride.
    pub travel_minutes: u32,
    /// Where the carer starts from, where it is known.
    pub place: Option<Home>,
    /// Why, hard reasons first.
    pub reasons: Vec<Judgement>,
}

/// Carers for an order, best first, then those who cannot and why.
pub fn candidates(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: OrderId,
    now: Now,
) -> Outcome<Vec<Candidate>, OrderRefusal> {
    let order = load(tx, actor, Act::DispatchOrders, id)?;
    let item = item_of(tx, &order)?;
    let visit = Visit { last_carer: last_carer(tx, &order)?, ..visit_of(tx, &order, &item)? };
    let facts = facts_near(tx, &order, visit.home, actor.scope(), now)?;
    let days: Vec<CarerDay> = facts.iter().map(|f| f.day.clone()).collect();
    let by_id: HashMap<u128, &Facts> = facts.iter().map(|f| (f.day.id.0, f)).collect();
    Ok(plan::propose(&visit, &days)
        .into_iter()
        .map(|p| {
            let facts = by_id[&p.carer.0];
            Candidate {
                carer: carer_id(p.carer),
                name: facts.day.name.clone(),
                provider: facts.provider,
                provider_name: facts.provider_name.clone(),
                allowed: p.allowed,
                score: p.score,
                travel_minutes: p.travel_in,
                place: facts.day.place.map(|p| Home::of(p.lon(), p.lat())),
                reasons: p.reasons.iter().map(judgement).collect(),
            }
        })
        .collect())
}

fn judgement(reason: &Reason) -> Judgement {
    let side = match reason {
        Reason::For(_) => "for",
        Reason::Soft(_) => "against",
        Reason::Hard(_) => "forbids",
    };
    Judgement { side, kind: reason.kind(), text: reason.to_string() }
}

/// Offers an order to a carer (and a partner, where two must come); takes it away from whoever had it.
pub fn assign(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: OrderId,
    carer: CarerId,
    partner: Option<CarerId>,
    now: Now,
) -> Outcome<OrderState, OrderRefusal> {
    let mut order = load(tx, actor, Act::DispatchOrders, id)?;
    let item = item_of(tx, &order)?;
    if item.workers > 1 && partner.is_none() {
        return Err(No::Refused(OrderRefusal::Missing {
            what: "第二名服务人员（该项目须两人上门）"
        }));
    }
    let partner = partner.filter(|p| *p != carer && item.workers > 1);
    if item.workers > 1 && partner.is_none() {
        return Err(No::Refused(OrderRefusal::Missing {
            what: "另一名服务人员，两人不能相同"
        }));
    }
    let asked: Vec<CarerId> = std::iter::once(carer).chain(partner).collect();
    // Locks the carers' rows first, so that two dispatchers cannot both find the same hour free.
    for one in &asked {
        sql::lock_carer(tx, *one)?;
    }
    let facts = facts_of(tx, &order, &asked, now)?;
    let lead = facts.iter().find(|f| carer_id(f.day.id) == carer).ok_or(No::NotFound)?;
    if facts.len() != asked.len() || facts.iter().any(|f| !actor.sees_provider(Some(f.provider))) {
        return Err(No::NotFound);
    }
    let visit = visit_of(tx, &order, &item)?;
    for one in &facts {
        suitable(&visit, &one.day)?;
    }
    together(&item, &order, &facts)?;
    let before = order.state;
    let decided = orders::assign(order.state, lead.takes_at_once).decided()?;
    if order.carer.is_some() {
        sql::end_offers(tx, order.id, "withdrawn", "", now.0)?;
    }
    order.state = decided.state;
    order.provider = Some(lead.provider);
    order.carer = Some(carer);
    order.partner = partner;
    order.offered_at = Some(now.0);
    order.offered_by = Some(actor.account);
    order.accepted_at = (decided.state == OrderState::Accepted).then_some(now.0);
    sql::insert_offer(tx, OfferId(tx.id(now)), &order, order.accepted_at)?;
    let detail =
        json!({ "carer": carer, "carer_name": lead.day.name, "partner": partner, "provider": lead.provider });
    // An accepted order given to somebody else is offered anew.
    let before = if before == OrderState::Accepted || before == OrderState::Offered {
        reopened(tx, &order, before)?
    } else {
        before
    };
    save(tx, actor, now, &order, before, "order.assigned", detail)?;
    Ok(order.state)
}

/// An order that had a carer passes through "placed" on its way to another one.
fn reopened(tx: &mut Tx<'_>, order: &Order, before: OrderState) -> Result<OrderState, Fault> {
    let bare = Order {
        state: OrderState::Placed,
        provider: None,
        carer: None,
        partner: None,
        offered_at: None,
        offered_by: None,
        accepted_at: None,
        ..order.clone()
    };
    sql::update_order(tx, &bare, before)?;
    Ok(OrderState::Placed)
}

fn suitable(visit: &Visit, day: &CarerDay) -> Result<(), No<OrderRefusal>> {
    let against = plan::check(visit, day);
    if let Some(Hard::Clash(span)) = against.iter().find(|h| matches!(h, Hard::Clash(_))) {
        return Err(No::Refused(OrderRefusal::DoubleBooked {
            carer: day.name.clone(),
            from: instant(span.start()).clock(),
            to: instant(span.end()).clock(),
        }));
    }
    if against.is_empty() {
        return Ok(());
    }
    let why = against.iter().map(|h| Reason::Hard(h.clone()).to_string()).collect::<Vec<_>>().join("；");
    Err(No::Refused(OrderRefusal::Unsuitable { carer: day.name.clone(), why }))
}

/// What at least one of the carers must be able to do.
fn together(item: &programmes::ServiceItem, order: &Order, facts: &[Facts]) -> Result<(), No<OrderRefusal>> {
    let day = day_number(order.start_at);
    for any_of in programmes::skills(&item.one_of_them) {
        let held = facts.iter().flat_map(|f| &f.day.skills).any(|s| {
            any_of.contains(&s.name) && s.valid_from <= day && s.valid_to.is_none_or(|to| day <= to)
        });
        if !held {
            let names = facts.iter().map(|f| f.day.name.as_str()).collect::<Vec<_>>().join("、");
            let why = format!("至少一人须持有 {} 证书", any_of.join(" 或 "));
            return Err(No::Refused(OrderRefusal::Unsuitable { carer: names, why }));
        }
    }
    Ok(())
}

/// The carer takes the order.
pub fn accept(tx: &mut Tx<'_>, actor: &Actor, id: OrderId, now: Now) -> Outcome<(), OrderRefusal> {
    let mut order = load(tx, actor, Act::VisitHomes, id)?;
    let carer = acting(actor, &order)?;
    orders::accept(order.state, order.carer, carer).decided()?;
    let before = order.state;
    order.state = OrderState::Accepted;
    order.accepted_at = Some(now.0);
    sql::end_offers(tx, id, "accepted", "", now.0)?;
    save(tx, actor, now, &order, before, "order.accepted", json!({ "carer": carer }))
}

/// The carer gives the order back, saying why; it waits for another one.
pub fn decline(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: OrderId,
    reason: &str,
    now: Now,
) -> Outcome<(), OrderRefusal> {
    let mut order = load(tx, actor, Act::VisitHomes, id)?;
    let carer = acting(actor, &order)?;
    orders::decline(order.state, order.carer, carer, reason).decided()?;
    let before = order.state;
    sql::end_offers(tx, id, "declined", reason.trim(), now.0)?;
    order.state = OrderState::Placed;
    order.provider = None;
    order.carer = None;
    order.partner = None;
    order.offered_at = None;
    order.offered_by = None;
    order.accepted_at = None;
    save(tx, actor, now, &order, before, "order.declined", json!({ "carer": carer, "reason": reason.trim() }))
}

/// In whose name a step of the visit is made: a carer's own, or (for a program of the provider) the order's carer.
pub(super) fn acting(actor: &Actor, order: &Order) -> Outcome<CarerId, OrderRefusal> {
    match (actor.carer, order.carer) {
        (Some(carer), _) => Ok(carer),
        (None, Some(carer)) => Ok(carer),
        (None, None) => Err(No::Refused(OrderRefusal::NotYours)),
    }
}

/// What a carer has to do on a day and after, in order.
pub fn my_day(tx: &mut Tx<'_>, actor: &Actor, now: Now) -> Answer<Vec<Line>> {
    actor.may(Act::VisitHomes)?;
    let carer = actor.carer.ok_or(No::NotFound)?;
    let today = At::from_local(now.day().into());
    Ok(sql::lines_of_carer(tx, carer, today, today.plus_minutes(8 * 24 * 60))?)
}
