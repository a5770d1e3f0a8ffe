//! Who goes: carers with reasons for and against, the offer, the answer.

use std::collections::HashMap;

use domain::{
    access::{Act, Actor},
    ids::{CarerId, OfferId, OrderId, ProviderId},
    orders::{self, OrderRefusal, OrderState},
    parties::Sex,
    programmes,
    time::{At, Now},
};
use planner::dispatch::{
    self as plan, Booking, CarerDay, Hard, Position, Rating, Reason, Skill, Span, Visit,
};
use serde_json::json;

use super::{Line, Order, item_of, load, save, sql};
use crate::{
    outcome::{Answer, Decided, No, Outcome},
    store::{Fault, Tx},
};

/// Most carers judged for one order: those nearest to the home come first.
const JUDGED_MAX: i64 = 400;

/// What a reason says and which way it points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// `for`, `against` or `forbids`.
    pub side: &'static str,
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
    /// Why, hard reasons first.
    pub reasons: Vec<Judgement>,
}

pub(super) struct Facts {
    pub(super) provider: ProviderId,
    pub(super) provider_name: String,
    pub(super) takes_at_once: bool,
    pub(super) day: CarerDay,
}

/// Carers for an order, best first, then those who cannot and why.
pub fn candidates(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: OrderId,
    now: Now,
) -> Outcome<Vec<Candidate>, OrderRefusal> {
    let order = load(tx, actor, Act::DispatchOrders, id)?;
    let visit = visit_of(tx, &order)?;
    let home = visit.home.map(|p| (p.lon(), p.lat()));
    let carers = sql::carers_near(tx, &order, home, actor.scope(), JUDGED_MAX)?;
    let facts = facts_of(tx, &order, &carers, now)?;
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
    Judgement { side, text: reason.to_string() }
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
        if sql::lock_carer(tx, *one)? == 0 {
            return Err(No::NotFound);
        }
    }
    let facts = facts_of(tx, &order, &asked, now)?;
    let lead = facts.iter().find(|f| carer_id(f.day.id) == carer).ok_or(No::NotFound)?;
    if facts.len() != asked.len() || facts.iter().any(|f| !actor.sees_provider(Some(f.provider))) {
        return Err(No::NotFound);
    }
    let visit = visit_of(tx, &order)?;
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

/// The order as the planner sees it.
fn visit_of(tx: &mut Tx<'_>, order: &Order) -> Result<Visit, Fault> {
    let item = item_of(tx, order)?;
    let person = sql::person(tx, order.person)?.ok_or_else(|| Fault::other("an order without a person"))?;
    let last = sql::last_carer(tx, order.person, order.start_at)?;
    let mut skills = programmes::skills(&item.who_may);
    if item.workers == 1 {
        skills.extend(programmes::skills(&item.one_of_them));
    }
    Ok(Visit {
        span: span(order.start_at, order.end_at),
        home: person.home.and_then(|(lon, lat)| Position::new(lon, lat)),
        skills,
        same_sex: item.same_sex.then(|| sex(person.sex)).flatten(),
        elder_language: (!person.language.is_empty()).then_some(person.language),
        blacklist: Vec::new(),
        wishlist: Vec::new(),
        night: false,
        last_carer: last.map(|c| plan::CarerId(c.0 as u128)),
    })
}

/// The carers' days around an order.
pub(super) fn facts_of(
    tx: &mut Tx<'_>,
    order: &Order,
    carers: &[CarerId],
    now: Now,
) -> Result<Vec<Facts>, Fault> {
    let day = At::from_local(order.start_at.day().into());
    let weekday = i64::from(order.start_at.day().weekday().to_monday_zero_offset());
    let week = day.plus_minutes(-weekday * 24 * 60);
    let mut all = Vec::with_capacity(carers.len());
    for carer in carers {
        let Some(row) = sql::carer(tx, *carer, &order.service)? else { continue };
        let bookings = sql::bookings(tx, *carer, order.id, week, week.plus_minutes(8 * 24 * 60))?;
        let minutes = |from: At, to: At| -> u32 {
            let sum: i64 =
                bookings.iter().filter(|b| b.start >= from && b.start < to).map(|b| b.minutes).sum();
            u32::try_from(sum).unwrap_or(u32::MAX)
        };
        let on = order.start_at.day().to_string();
        let contracted = row.offers_item && row.contract_from <= on && on <= row.contract_to;
        all.push(Facts {
            provider: row.provider,
            provider_name: row.provider_name,
            takes_at_once: row.takes_at_once,
            day: CarerDay {
                id: plan::CarerId(carer.0 as u128),
                name: row.name,
                sex: sex(row.sex).unwrap_or(plan::Sex::Female),
                place: row.place.and_then(|(lon, lat)| Position::new(lon, lat)),
                free_from: (order.start_at.day() == now.day()).then(|| minute(now.0)),
                skills: sql::skills(tx, *carer)?.into_iter().map(skill).collect(),
                languages: row.languages.split('、').filter(|l| !l.is_empty()).map(str::to_owned).collect(),
                work: work(day, row.work_from, row.work_to),
                minutes_today: minutes(day, day.plus_minutes(24 * 60)),
                minutes_week: minutes(week, week.plus_minutes(7 * 24 * 60)),
                bookings: bookings
                    .into_iter()
                    .map(|b| Booking {
                        span: span(b.start, b.end),
                        place: b.place.and_then(|(lon, lat)| Position::new(lon, lat)),
                    })
                    .collect(),
                refusals_today: u32::try_from(sql::refusals(tx, *carer, At::from_local(now.day().into()))?)
                    .unwrap_or(u32::MAX),
                rating: rating(row.stars, row.ratings),
                region_ok: (row.area.0..=row.area.1).contains(&order.region.number()),
                provider_contracted: contracted,
                on_leave: row.on_leave_to.is_some_and(|to| on <= to),
            },
        });
    }
    Ok(all)
}

fn work(day: At, from: i64, to: i64) -> Vec<Span> {
    let begin = minute(day);
    Span::new(begin + from, begin + if to > from { to } else { to + 24 * 60 }).into_iter().collect()
}

fn rating(stars: i64, count: i64) -> Option<Rating> {
    let tenths = (stars * 10).checked_div(count)?;
    Rating::new(u8::try_from(tenths).ok()?, u32::try_from(count).ok()?)
}

fn skill((name, from, to): (String, String, String)) -> Skill {
    let level = name.strip_prefix("care_").and_then(|l| l.parse().ok());
    Skill {
        level,
        valid_from: from.parse().map_or(i64::MAX, day_of),
        valid_to: to.parse().map_or(Some(i64::MIN), |d| Some(day_of(d))),
        name,
    }
}

fn day_of(day: domain::time::Day) -> i64 {
    day_number(At::from_local(day.into()))
}

fn sex(sex: Sex) -> Option<plan::Sex> {
    match sex {
        Sex::Male => Some(plan::Sex::Male),
        Sex::Female => Some(plan::Sex::Female),
        Sex::Unknown | Sex::Unspecified => None,
    }
}

/// Minutes of the city's clock, as the planner counts.
fn minute(at: At) -> i64 {
    at.0.div_euclid(60_000_000) + 8 * 60
}

fn day_number(at: At) -> i64 {
    minute(at).div_euclid(24 * 60)
}

fn instant(minute: i64) -> At {
    At((minute - 8 * 60) * 60_000_000)
}

fn span(from: At, to: At) -> Span {
    let (start, end) = (minute(from), minute(to));
    Span::new(start, end.max(start + 1)).expect("orders lie within the calendar")
}

fn carer_id(id: plan::CarerId) -> CarerId {
    CarerId(i64::try_from(id.0).expect("made from a carer's id"))
}
