//! One order: a service for an elder at a time, from the wish to the payment.
//!
//! A state is a dated, signed fact. This file says which step may follow which and decides each of them; it never
//! loads or saves anything.

mod decide;
mod proof;
mod refusals;
mod unfinished;

pub use decide::{
    Assigned, CancelReason, Confirmation, ConfirmedBy, Exception, LENGTH_MAX, NOTE_MAX, PlaceAsk, PlaceFacts,
    Placed, Settled, accept, assign, cancel, check_in, check_out, confirm, decline, place, proved, rate,
    said, settle, timely,
};
pub use proof::{
    CheckIn, CheckOut, Fix, Method, PLANNED_WINDOW_MINUTES, SIGN_IN_METRES_MAX, SIGN_IN_METRES_WARN, Visit,
    distance_metres,
};
pub use refusals::OrderRefusal;
pub use unfinished::{
    CANCEL_FREE_MINUTES, CANCEL_LATE_PERCENT, DoorFacts, Earned, Interrupt, Interruption,
    NOBODY_HOME_PAID_A_MONTH, NOBODY_HOME_WAIT_MINUTES, NobodyHome, Payer, cancel_fee, collect, interrupt,
    nobody_home, settle_interrupted, settle_nobody_home,
};

use crate::{access::words, time::At};

/// An order must be taken this long after it was placed. Source: `services.md` §4.
pub const ACCEPT_MINUTES: i64 = 30;
/// An urgent order must be taken this soon. Source: `services.md` §4.
pub const ACCEPT_URGENT_MINUTES: i64 = 5;
/// A carer who has not answered for so long is asked no longer. Source: `services.md` §4.
pub const ANSWER_MINUTES: i64 = 15;
/// The urgent item of the catalogue: emergency call-out.
pub const URGENT_ITEM: &str = "D04";

/// An urgent order rings at one carer for so long before the next nearest is asked. Source: our rule; five are asked
/// within the five minutes of `services.md` §4.
pub const URGENT_RING_MINUTES: i64 = 1;

/// By when an order must be taken.
pub fn accept_by(service: &str, placed_at: At) -> At {
    let minutes = if service == URGENT_ITEM { ACCEPT_URGENT_MINUTES } else { ACCEPT_MINUTES };
    placed_at.plus_minutes(minutes)
}

words! {
    /// Where an order stands.
    OrderState {
        /// Made, nobody asked yet.
        Placed = "placed" "待派单",
        /// A carer was asked and has not answered.
        Offered = "offered" "待接单",
        /// The carer will come.
        Accepted = "accepted" "待上门",
        /// The carer is in the home.
        InService = "in_service" "服务中",
        /// The carer left; nobody has accepted the service yet.
        Served = "served" "待验收",
        /// The elder, the family or a call-back accepted the service.
        Confirmed = "confirmed" "待结算",
        /// The receiver says it was not as it should be.
        Disputed = "disputed" "有争议",
        /// Booked in the ledger.
        Settled = "settled" "已结算",
        /// The carer stood before a closed door.
        NobodyHome = "nobody_home" "空访",
        /// The visit broke off; nobody has accepted what was done.
        Interrupted = "interrupted" "中断",
        /// Will not happen.
        Cancelled = "cancelled" "已取消",
    }
}

words! {
    /// How an order came in.
    Channel {
        /// A call to the hotline.
        Hotline = "hotline" "热线",
        /// A clerk or partner platform.
        Office = "office" "窗口",
        /// The family's page.
        Family = "family" "家属",
        /// A plan that repeats.
        Plan = "plan" "计划",
    }
}

impl OrderState {
    /// States in which the carer's time is taken.
    pub const BUSY: &'static [OrderState] =
        &[OrderState::Offered, OrderState::Accepted, OrderState::InService];

    /// Nothing more happens to the order.
    pub fn ended(self) -> bool {
        matches!(self, OrderState::Settled | OrderState::Cancelled)
    }

    /// The states from which this one may be entered.
    pub fn may_follow(self, before: OrderState) -> bool {
        use OrderState::*;
        matches!(
            (before, self),
            (Placed, Offered | Accepted)
                | (Offered, Accepted | Placed)
                | (Accepted, InService | Placed)
                | (InService, Served | Confirmed | NobodyHome | Interrupted)
                | (Served | Interrupted, Confirmed | Disputed)
                | (Disputed, Confirmed)
                | (Confirmed | Served | Disputed | NobodyHome | Interrupted, Settled)
                | (Placed | Offered | Accepted | Disputed | Interrupted, Cancelled)
        )
    }
}

#[cfg(test)]
mod tests;
