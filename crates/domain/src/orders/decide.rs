//! The decisions of an order, one function a step. `ask` is the wish, `facts` what was loaded, `now` the time.

use serde::{Deserialize, Serialize};

use super::{
    OrderRefusal, OrderState, PLANNED_WINDOW_MINUTES, SIGN_IN_METRES_MAX,
    proof::{self, CheckIn, CheckOut, Visit},
};
use crate::{
    access::words,
    ids::{AccountId, CarerId, PersonId},
    money::{Fen, Minutes},
    parties::PersonState,
    programmes::{self, Right, ServiceItem, Share},
    time::{At, Now},
};

/// Orders are taken at most this far ahead. Source: our rule; a quarter is the longest plan interval.
const DAYS_AHEAD_MAX: i64 = 92;
/// Longest words about an order: what is said goes into the evidence, which nobody can shorten.
pub const NOTE_MAX: usize = 500;
/// A wish for "now" may reach us a little late.
const GRACE_MINUTES: i64 = 30;
/// Longest visit: a working day.
pub const LENGTH_MAX: Minutes = Minutes(8 * 60);

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceAsk {
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
}

/// What must be known to decide.
#[derive(Debug, Clone)]
pub struct PlaceFacts<'a> {
    /// Name as the desk shows it.
    pub name: String,
    /// Whether the person is on the register.
    pub state: PersonState,
    /// The item on the day of service.
    pub item: Option<&'a ServiceItem>,
    /// Start of an open order of the same item that would overlap.
    pub same_item_at: Option<At>,
    /// Rights of the month of service that fit the item, in the order they are used.
    pub rights: Vec<Right>,
}

/// A decided order.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Planned end.
    pub end: At,
    /// Planned length.
    pub minutes: Minutes,
    /// Contract price for the planned length.
    pub price: Fen,
    /// Who is to pay what; adds up to the price.
    pub shares: Vec<Share>,
}

/// Whether the time asked for can be served at all. Asked before anything is looked up: the catalogue of another year
/// would answer that there is no such item.
pub fn timely(start: At, now: Now) -> Result<(), OrderRefusal> {
    if start < now.0.plus_minutes(-GRACE_MINUTES) {
        return Err(OrderRefusal::InThePast { start });
    }
    if start > now.0.plus_minutes(DAYS_AHEAD_MAX * 24 * 60) {
        return Err(OrderRefusal::TooFarAhead { days: DAYS_AHEAD_MAX });
    }
    Ok(())
}

/// Decides whether an order can be taken and who would pay.
pub fn place(ask: &PlaceAsk, facts: &PlaceFacts<'_>, now: Now) -> Result<Placed, OrderRefusal> {
    timely(ask.start, now)?;
    let item = facts.item.ok_or_else(|| OrderRefusal::UnknownService { code: ask.service.clone() })?;
    if facts.state != PersonState::Active {
        return Err(OrderRefusal::NotServed { name: facts.name.clone(), state: facts.state.label() });
    }
    let minutes = ask.minutes.unwrap_or(item.minutes_std);
    if minutes < item.minutes_min || minutes > LENGTH_MAX {
        return Err(OrderRefusal::BadLength { min: item.minutes_min, max: LENGTH_MAX });
    }
    if let Some(start) = facts.same_item_at {
        return Err(OrderRefusal::AlreadyOrdered { start });
    }
    let price = item.price(minutes);
    let shares = programmes::split(price, minutes, &facts.rights);
    let own: Fen = shares.iter().filter(|s| s.right.is_none()).map(|s| s.amount).sum();
    if own > Fen::ZERO && !ask.own_share_agreed {
        return Err(OrderRefusal::OwnShareNotAgreed { own });
    }
    assert_eq!(shares.iter().map(|s| s.amount).sum::<Fen>(), price, "shares add up to the price");
    Ok(Placed { end: ask.start.plus_minutes(minutes.0), minutes, price, shares })
}

/// What an assignment leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assigned {
    /// Offered, or accepted at once where the carer takes whatever the roster gives.
    pub state: OrderState,
}

/// Decides whether an order can be given to a carer who has no hard reason against it.
pub fn assign(state: OrderState, takes_at_once: bool) -> Result<Assigned, OrderRefusal> {
    match state {
        OrderState::Placed | OrderState::Offered | OrderState::Accepted => {
            Ok(Assigned { state: if takes_at_once { OrderState::Accepted } else { OrderState::Offered } })
        }
        state => Err(OrderRefusal::WrongState { state, wish: "派单" }),
    }
}

/// Decides whether a carer can take the offer.
pub fn accept(state: OrderState, offered_to: Option<CarerId>, carer: CarerId) -> Result<(), OrderRefusal> {
    yours(offered_to, carer)?;
    expect_state(state, OrderState::Offered, "接单")
}

/// Decides whether a carer can give the order back; a reason is required.
pub fn decline(
    state: OrderState,
    offered_to: Option<CarerId>,
    carer: CarerId,
    reason: &str,
) -> Result<(), OrderRefusal> {
    yours(offered_to, carer)?;
    if !matches!(state, OrderState::Offered | OrderState::Accepted) {
        return Err(OrderRefusal::WrongState { state, wish: "退单" });
    }
    said(reason, "退单原因", NOTE_MAX)?;
    required(reason, "退单原因")
}

/// Decides whether a visit begins.
pub fn check_in(
    state: OrderState,
    start: At,
    home: Option<(f64, f64)>,
    ask: &CheckIn,
    now: Now,
) -> Result<Visit, OrderRefusal> {
    expect_state(state, OrderState::Accepted, "签到")?;
    let (began_at, offline) = proof::moment(ask.device_at, now)?;
    if began_at < start.plus_minutes(-PLANNED_WINDOW_MINUTES) {
        return Err(OrderRefusal::TooEarly { start, minutes: PLANNED_WINDOW_MINUTES });
    }
    let distance_metres = proof::distance(home, ask.fix)?;
    match distance_metres {
        Some(metres) if metres > SIGN_IN_METRES_MAX => {
            Err(OrderRefusal::TooFar { metres, max: SIGN_IN_METRES_MAX })
        }
        _ => Ok(Visit { began_at, distance_metres, offline }),
    }
}

/// Decides whether a visit ends, and how long it was.
pub fn check_out(
    state: OrderState,
    began_at: At,
    minutes_min: Minutes,
    ask: &CheckOut,
    now: Now,
) -> Result<(At, Minutes), OrderRefusal> {
    expect_state(state, OrderState::InService, "签退")?;
    ask.fix.map(super::Fix::checked).transpose()?;
    said(&ask.note, "服务说明", NOTE_MAX)?;
    said(&ask.tasks.join("、"), "服务内容", NOTE_MAX)?;
    let (ended_at, _) = proof::moment(ask.device_at, now)?;
    let minutes = proof::served(began_at, ended_at);
    if minutes < minutes_min && ask.note.trim().is_empty() {
        return Err(OrderRefusal::TooShort { minutes, min: minutes_min });
    }
    Ok((ended_at.max(began_at), minutes))
}

words! {
    /// Who accepted a service.
    ConfirmedBy {
        /// The elder, on the spot or on the telephone.
        Elder = "elder" "老人本人",
        /// A relative.
        Family = "family" "家属",
        /// The hotline's call-back.
        CallBack = "call_back" "电话回访",
    }
}

/// The word of whoever received the service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Who said it.
    pub by: ConfirmedBy,
    /// Whether it was as it should be.
    pub satisfied: bool,
    /// What was said; required when not satisfied.
    #[serde(default)]
    pub note: String,
}

/// Decides what the receiver's word does to the order.
pub fn confirm(state: OrderState, ask: &Confirmation) -> Result<OrderState, OrderRefusal> {
    if !matches!(state, OrderState::Served | OrderState::Disputed | OrderState::Interrupted) {
        return Err(OrderRefusal::WrongState { state, wish: "验收" });
    }
    said(&ask.note, "验收说明", NOTE_MAX)?;
    if ask.satisfied {
        return Ok(OrderState::Confirmed);
    }
    required(&ask.note, "不满意的原因")?;
    Ok(OrderState::Disputed)
}

/// Decides whether a rating counts: once, one to five stars, after the service.
pub fn rate(state: OrderState, stars: i64, rated: bool) -> Result<(), OrderRefusal> {
    if !matches!(
        state,
        OrderState::Served | OrderState::Confirmed | OrderState::Disputed | OrderState::Settled
    ) {
        return Err(OrderRefusal::WrongState { state, wish: "评价" });
    }
    if !(1..=5).contains(&stars) {
        return Err(OrderRefusal::BadStars);
    }
    if rated { Err(OrderRefusal::AlreadyRated) } else { Ok(()) }
}

words! {
    /// Why an order will not happen.
    CancelReason {
        /// The elder does not want it any more.
        Elder = "elder" "老人取消",
        /// The family asks so.
        Family = "family" "家属取消",
        /// In hospital, away or died.
        Absent = "absent" "老人不在家",
        /// Nobody can come.
        NoCarer = "no_carer" "无人可派",
        /// Entered by mistake.
        Mistake = "mistake" "录入错误",
    }
}

/// Decides whether an order can be called off.
pub fn cancel(state: OrderState) -> Result<(), OrderRefusal> {
    if OrderState::Cancelled.may_follow(state) {
        Ok(())
    } else {
        Err(OrderRefusal::WrongState { state, wish: "取消" })
    }
}

/// What a settled order costs whom.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// Price for the minutes really served, never above the plan.
    pub price: Fen,
    /// Who pays what; adds up to the price.
    pub shares: Vec<Share>,
}

/// A second person's permission to settle without the receiver's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exception {
    /// Who asked.
    pub asked_by: AccountId,
    /// Who allowed it.
    pub approved_by: AccountId,
}

/// Decides what an accepted and proved visit is paid.
///
/// By the visit: the full price. By the hour: the real minutes rounded down to half hours, at most the plan
/// (`services.md` §3). `rights` are the amounts that were held when the order was placed.
pub fn settle(
    state: OrderState,
    item: &ServiceItem,
    planned: Minutes,
    served: Minutes,
    held: &[Right],
    exception: Option<Exception>,
) -> Result<Settled, OrderRefusal> {
    if state != OrderState::Confirmed {
        excused(state, &[OrderState::Served, OrderState::Disputed], exception)?;
    }
    let paid = if item.by_hour { Minutes((served.0.min(planned.0)) / 30 * 30) } else { planned };
    let price = item.price(paid);
    let shares = programmes::split(price, paid, held);
    assert_eq!(shares.iter().map(|s| s.amount).sum::<Fen>(), price, "shares add up to the price");
    Ok(Settled { price, shares })
}

/// Whether a visit's place was shown, or a second person excuses that it was not: whoever accepted it, one who was never
/// at the home is not paid on the carer's word alone.
pub fn proved(shown: bool, exception: Option<Exception>) -> Result<(), OrderRefusal> {
    match exception {
        _ if shown => Ok(()),
        Some(e) if e.asked_by == e.approved_by => Err(OrderRefusal::SamePerson),
        Some(_) => Ok(()),
        None => Err(OrderRefusal::NotProved),
    }
}

fn yours(offered_to: Option<CarerId>, carer: CarerId) -> Result<(), OrderRefusal> {
    if offered_to == Some(carer) { Ok(()) } else { Err(OrderRefusal::NotYours) }
}

/// Whether a second person allowed to settle an order that stands in one of these states.
pub(super) fn excused(
    state: OrderState,
    states: &[OrderState],
    exception: Option<Exception>,
) -> Result<(), OrderRefusal> {
    if !states.contains(&state) {
        return Err(OrderRefusal::WrongState { state, wish: "结算" });
    }
    match exception {
        Some(e) if e.asked_by == e.approved_by => Err(OrderRefusal::SamePerson),
        Some(_) => Ok(()),
        None => Err(OrderRefusal::NotAccepted),
    }
}

pub(super) fn expect_state(
    state: OrderState,
    wanted: OrderState,
    wish: &'static str,
) -> Result<(), OrderRefusal> {
    if state == wanted { Ok(()) } else { Err(OrderRefusal::WrongState { state, wish }) }
}

/// A text that may be empty and does not say more than anybody reads; answers it without the space around it.
pub fn said(text: &str, what: &'static str, max: usize) -> Result<String, OrderRefusal> {
    let text = text.trim();
    if text.chars().count() > max {
        Err(OrderRefusal::NoteTooLong { what, max })
    } else {
        Ok(text.to_owned())
    }
}

pub(super) fn required(text: &str, what: &'static str) -> Result<(), OrderRefusal> {
    if text.trim().is_empty() { Err(OrderRefusal::Missing { what }) } else { Ok(()) }
}
