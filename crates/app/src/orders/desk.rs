//! What the dispatch desk asks: what waits, who does what on a day, how the day goes, who declined and why.

use domain::{
    access::{Act, Actor},
    ids::{CarerId, OrderId},
    orders::{ANSWER_MINUTES, OrderRefusal, OrderState, PLANNED_WINDOW_MINUTES, accept_by},
    time::{At, Day as Date, Now},
};
use planner::dispatch::{Position, ride_minutes};

use super::{Line, lists::Home, sql};
use crate::{
    outcome::{Answer, Outcome},
    store::Tx,
};

/// Most orders the waiting list shows; a dispatcher with more needs colleagues, not a longer list.
const WAITING_MAX: i64 = 200;
/// Most declines of a day that are shown.
const DECLINES_MAX: i64 = 50;

/// An order that waits for a carer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The order.
    pub line: Line,
    /// By when somebody must have taken it.
    pub by: At,
    /// Whether somebody was asked and has not answered in time.
    pub unanswered: bool,
    /// Who gave it back, and why, in order.
    pub declines: Vec<Decline>,
}

/// An order given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decline {
    /// Which order.
    pub order: OrderId,
    /// Name of the carer.
    pub carer_name: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: At,
    /// Name of the item.
    pub service_name: String,
    /// Name of the elder.
    pub person_name: String,
}

/// A carer who was asked to take an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferLine {
    /// Name of the carer.
    pub carer_name: String,
    /// When asked.
    pub offered_at: At,
    /// When answered, or taken back.
    pub answered_at: Option<At>,
    /// `accepted`, `declined` or `withdrawn`.
    pub answer: Option<String>,
    /// Why declined or withdrawn.
    pub reason: String,
}

/// Which lanes of the timeline are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneAsk {
    /// The day.
    pub day: Date,
    /// Part of a carer's or provider's name; all when empty.
    pub name: String,
    /// Skip this many carers.
    pub offset: i64,
    /// Show this many carers (1 to 100).
    pub limit: i64,
}

/// A carer's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// Who.
    pub carer: CarerId,
    /// Name.
    pub name: String,
    /// Name of the provider.
    pub provider_name: String,
    /// On leave on that day.
    pub on_leave: bool,
    /// Visits in order.
    pub blocks: Vec<Block>,
}

/// One visit of a carer's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The order.
    pub order: OrderId,
    /// Planned start, or when the carer came.
    pub from: At,
    /// Planned end, or when the carer left.
    pub to: At,
    /// Planned start.
    pub planned: At,
    /// Where it stands.
    pub state: OrderState,
    /// Name of the item.
    pub service_name: String,
    /// Name of the elder.
    pub person_name: String,
    /// Minutes of the ride from the visit before; 0 for the first.
    pub ride: i64,
    /// Where it is.
    pub home: Option<Home>,
}

/// A day in figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Day {
    /// Visits that are not cancelled.
    pub visits: i64,
    /// Visits that are over.
    pub done: i64,
    /// Visits that have begun.
    pub begun: i64,
    /// Of those, begun within the planned window.
    pub on_time: i64,
}

/// Orders nobody has taken yet: those asked in vain first, then by deadline.
pub fn waiting(tx: &mut Tx<'_>, actor: &Actor, now: Now) -> Answer<Vec<Waiting>> {
    actor.may(Act::DispatchOrders)?;
    let lines = sql::waiting(tx, actor.scope(), now.0.plus_minutes(-ANSWER_MINUTES), WAITING_MAX)?;
    let declines = sql::declines_of_waiting(tx, actor.scope())?;
    Ok(lines
        .into_iter()
        .map(|line| {
            let unanswered = line.state == OrderState::Offered;
            let asked_until = line.offered_at.map(|at| at.plus_minutes(ANSWER_MINUTES));
            Waiting {
                by: asked_until.filter(|_| unanswered).unwrap_or(accept_by(&line.service, line.placed_at)),
                unanswered,
                declines: declines.iter().filter(|d| d.order == line.id).cloned().collect(),
                line,
            }
        })
        .collect())
}

/// Orders given back since midnight, latest first.
pub fn declines(tx: &mut Tx<'_>, actor: &Actor, now: Now) -> Answer<Vec<Decline>> {
    actor.may(Act::DispatchOrders)?;
    let midnight = At::from_local(now.day().into());
    Ok(sql::declines_since(tx, actor.scope(), midnight, DECLINES_MAX)?)
}

/// Everybody who was asked to take an order, in order.
pub fn offers(tx: &mut Tx<'_>, actor: &Actor, id: OrderId) -> Outcome<Vec<OfferLine>, OrderRefusal> {
    super::order(tx, actor, id)?;
    Ok(sql::offers(tx, id)?)
}

/// Days of carers who work on a day, by provider and name.
pub fn lanes(tx: &mut Tx<'_>, actor: &Actor, ask: &LaneAsk) -> Answer<Vec<Lane>> {
    actor.may(Act::DispatchOrders)?;
    let mut lanes = sql::lanes(tx, actor.scope(), ask)?;
    for (carer, block) in sql::blocks(tx, actor.scope(), ask)? {
        if let Some(lane) = lanes.iter_mut().find(|l| l.carer == carer) {
            lane.blocks.push(block);
        }
    }
    for lane in &mut lanes {
        ride_between(&mut lane.blocks);
    }
    Ok(lanes)
}

/// How many carers work on the day, and are found by the name.
pub fn lanes_count(tx: &mut Tx<'_>, actor: &Actor, ask: &LaneAsk) -> Answer<i64> {
    actor.may(Act::DispatchOrders)?;
    Ok(sql::lanes_count(tx, actor.scope(), ask)?)
}

/// One carer's visits on a day, for a carer the actor was shown as a candidate.
pub fn lane(tx: &mut Tx<'_>, actor: &Actor, carer: CarerId, day: Date) -> Answer<Vec<Block>> {
    actor.may(Act::DispatchOrders)?;
    let from = At::from_local(day.into());
    let lines = sql::lines_of_carer(tx, carer, from, from.plus_minutes(24 * 60))?;
    let mut blocks: Vec<Block> = lines
        .into_iter()
        .filter(|l| actor.sees(l.region) && actor.sees_provider(l.provider))
        .map(|line| Block {
            order: line.id,
            from: line.checked_in_at.unwrap_or(line.start_at),
            to: line.checked_out_at.unwrap_or(line.end_at),
            planned: line.start_at,
            state: line.state,
            service_name: line.service_name,
            person_name: line.person_name,
            ride: 0,
            home: line.home,
        })
        .collect();
    ride_between(&mut blocks);
    Ok(blocks)
}

/// The day in figures.
pub fn the_day(tx: &mut Tx<'_>, actor: &Actor, day: Date) -> Answer<Day> {
    actor.may(Act::DispatchOrders)?;
    let from = At::from_local(day.into());
    Ok(sql::day(tx, actor.scope(), from, from.plus_minutes(24 * 60), PLANNED_WINDOW_MINUTES)?)
}

fn ride_between(blocks: &mut [Block]) {
    let place = |home: Option<Home>| {
        let (lon, lat) = home?.degrees();
        Position::new(lon, lat)
    };
    for n in 1..blocks.len() {
        blocks[n].ride = i64::from(ride_minutes(place(blocks[n - 1].home), place(blocks[n].home)));
    }
}
