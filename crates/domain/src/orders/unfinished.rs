//! What an order's life meets beside the plan: nobody opens, a visit breaks off, an order is called off late.
//!
//! The rules are those of `services.md` §4; what a city decides itself (the flat fee) is an argument.

use super::{
    Exception, Fix, OrderRefusal, OrderState, Settled,
    decide::{NOTE_MAX, excused, expect_state, required, said},
    proof,
};
use crate::{
    access::words,
    ids::{EntitlementId, LedgerId},
    money::{Fen, Minutes},
    orders::CancelReason,
    programmes::{Funder, Right, ServiceItem, Share, split},
    time::{At, Now},
};

/// A carer before a closed door waits this long. Source: `services.md` §4.
pub const NOBODY_HOME_WAIT_MINUTES: i64 = 15;
/// A visit to a closed door is paid this often a month. Source: `services.md` §4.
pub const NOBODY_HOME_PAID_A_MONTH: i64 = 2;
/// Until so long before the planned start calling off costs nothing. Source: `services.md` §4.
pub const CANCEL_FREE_MINUTES: i64 = 2 * 60;
/// What calling off later costs, in percent of the price. Source: `services.md` §4 (illustrative).
pub const CANCEL_LATE_PERCENT: i64 = 30;

words! {
    /// Why a visit broke off.
    Interruption {
        /// The elder fell ill or felt unwell.
        Illness = "illness" "老人身体不适",
        /// The elder did not want it any longer.
        Refusal = "refusal" "老人不愿继续",
    }
}

words! {
    /// What a provider is paid for.
    Earned {
        /// A visit, whole or broken off.
        Visit = "visit" "服务",
        /// The way to a closed door.
        ClosedDoor = "nobody_home" "空访补偿",
        /// An order that was called off late.
        LateCancel = "late_cancel" "临时取消费",
    }
}

/// What a carer before a closed door says.
#[derive(Debug, Clone, PartialEq)]
pub struct NobodyHome {
    /// Where the phone is, if it knows.
    pub fix: Option<Fix>,
    /// The phone's own clock.
    pub device_at: At,
    /// The elder's number was rung.
    pub rang_elder: bool,
    /// A contact's number was rung.
    pub rang_contact: bool,
    /// What neighbours said, what was heard.
    pub note: String,
}

/// What is known when a carer says that nobody is at home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoorFacts {
    /// When the carer signed in at the door.
    pub began_at: At,
    /// Photographs of the order.
    pub photos: i64,
    /// Whether the record has the elder's number.
    pub elder_has_phone: bool,
    /// Whether the record has a contact.
    pub has_contact: bool,
}

/// Decides whether a visit ends before a closed door; answers when.
pub fn nobody_home(
    state: OrderState,
    facts: DoorFacts,
    ask: &NobodyHome,
    now: Now,
) -> Result<At, OrderRefusal> {
    expect_state(state, OrderState::InService, "登记空访")?;
    ask.fix.map(Fix::checked).transpose()?;
    said(&ask.note, "空访说明", NOTE_MAX)?;
    let (at, _) = proof::moment(ask.device_at, now)?;
    let waited = at.minutes_since(facts.began_at);
    if waited < NOBODY_HOME_WAIT_MINUTES {
        return Err(OrderRefusal::WaitLonger { minutes: NOBODY_HOME_WAIT_MINUTES - waited.max(0) });
    }
    if facts.photos == 0 {
        return Err(OrderRefusal::Missing { what: "门口的照片（先拍照上传，再登记空访）" });
    }
    if facts.elder_has_phone && !ask.rang_elder {
        return Err(OrderRefusal::Missing {
            what: "给老人打电话的情况（请先拨打老人电话）"
        });
    }
    if facts.has_contact && !ask.rang_contact {
        return Err(OrderRefusal::Missing {
            what: "给联系人打电话的情况（请先拨打联系人电话）"
        });
    }
    Ok(at)
}

/// What a carer says whose visit breaks off.
#[derive(Debug, Clone, PartialEq)]
pub struct Interrupt {
    /// Where the phone is, if it knows.
    pub fix: Option<Fix>,
    /// The phone's own clock.
    pub device_at: At,
    /// Why.
    pub why: Interruption,
    /// What happened and who was told.
    pub note: String,
}

/// Decides whether a visit breaks off; answers when, and the minutes that were served.
pub fn interrupt(
    state: OrderState,
    began_at: At,
    ask: &Interrupt,
    now: Now,
) -> Result<(At, Minutes), OrderRefusal> {
    expect_state(state, OrderState::InService, "中断服务")?;
    ask.fix.map(Fix::checked).transpose()?;
    said(&ask.note, "中断的经过", NOTE_MAX)?;
    required(&ask.note, "中断的经过（发生了什么、告诉了谁）")?;
    let (at, _) = proof::moment(ask.device_at, now)?;
    Ok((at.max(began_at), proof::served(began_at, at)))
}

/// Decides what a broken-off visit is paid: the real minutes, when they reach the item's minimum (`services.md` §4).
/// Below it only a second person's exception pays them.
pub fn settle_interrupted(
    state: OrderState,
    item: &ServiceItem,
    planned: Minutes,
    served: Minutes,
    held: &[Right],
    exception: Option<Exception>,
) -> Result<Settled, OrderRefusal> {
    if state != OrderState::Confirmed {
        excused(state, &[OrderState::Interrupted, OrderState::Disputed], exception)?;
    }
    if served < item.minutes_min && exception.is_none_or(|e| e.asked_by == e.approved_by) {
        return Err(OrderRefusal::BrokeOffEarly { minutes: served, min: item.minutes_min });
    }
    let real = served.min(planned);
    let paid = if item.by_hour { Minutes(real.0 / 30 * 30) } else { real };
    let price = if item.by_hour { item.price(paid) } else { item.price(planned).pro_rata(paid, planned) };
    let shares = split(price, paid, held);
    assert_eq!(shares.iter().map(|s| s.amount).sum::<Fen>(), price, "shares add up to the price");
    Ok(Settled { price, shares })
}

/// Who was to pay a part of an order's price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payer {
    /// Under which right; none means the elder's own money.
    pub right: Option<EntitlementId>,
    /// How much of the price was to be paid.
    pub amount: Fen,
    /// The funders behind it; empty for the elder's own money.
    pub funders: Vec<Funder>,
}

/// Decides what a visit to a closed door is paid: the city's flat fee, at most the price, at most twice a month.
///
/// No right is used up, for nothing was received: the payers of the order bear the fee as they would have borne the
/// price (our rule).
pub fn settle_nobody_home(
    state: OrderState,
    fee: Option<Fen>,
    price: Fen,
    paid_this_month: i64,
    payers: &[Payer],
    exception: Option<Exception>,
) -> Result<Settled, OrderRefusal> {
    excused(state, &[OrderState::NobodyHome], exception)?;
    let fee = fee.ok_or(OrderRefusal::NoFeeSet)?.min(price);
    if paid_this_month >= NOBODY_HOME_PAID_A_MONTH {
        return Err(OrderRefusal::PaidOften { times: NOBODY_HOME_PAID_A_MONTH });
    }
    let weights: Vec<i64> = payers.iter().map(|p| p.amount.0).collect();
    let parts = if fee == Fen::ZERO { vec![Fen::ZERO; weights.len()] } else { fee.split(&weights) };
    let share = |(payer, amount): (&Payer, Fen)| {
        let weights: Vec<i64> = payer.funders.iter().map(|f| f.weight).collect();
        let accounts = payer.funders.iter().map(|f| f.account);
        let by_funder: Vec<(LedgerId, Fen)> =
            if weights.is_empty() { Vec::new() } else { accounts.zip(amount.split(&weights)).collect() };
        Share { right: payer.right, used: 0, amount, by_funder }
    };
    let shares: Vec<Share> = payers.iter().zip(parts).map(share).collect();
    assert_eq!(shares.iter().map(|s| s.amount).sum::<Fen>(), fee, "shares add up to the fee");
    Ok(Settled { price: fee, shares })
}

/// Decides whether the elder's own part can be noted as taken: once, when it is known what it is.
pub fn collect(state: OrderState, own: Fen, collected_at: Option<At>) -> Result<(), OrderRefusal> {
    if !matches!(state, OrderState::Settled | OrderState::Cancelled) {
        return Err(OrderRefusal::WrongState { state, wish: "登记收取自付" });
    }
    if own <= Fen::ZERO {
        return Err(OrderRefusal::NothingOwed);
    }
    collected_at.map_or(Ok(()), |at| Err(OrderRefusal::Collected { at }))
}

/// What calling an order off costs whoever asked for it.
///
/// Nothing while nobody was to come, nothing more than two hours before, and nothing once the carer is late.
pub fn cancel_fee(state: OrderState, reason: CancelReason, start: At, price: Fen, now: Now) -> Fen {
    let theirs = matches!(reason, CancelReason::Elder | CancelReason::Family | CancelReason::Absent);
    let soon = now.0 > start.plus_minutes(-CANCEL_FREE_MINUTES) && now.0 <= start;
    if state == OrderState::Accepted && theirs && soon {
        price.pro_rata(Minutes(CANCEL_LATE_PERCENT), Minutes(100))
    } else {
        Fen::ZERO
    }
}
