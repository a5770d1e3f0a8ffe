//! Orders: the list with its filters in the address, one order with everything that belongs to it, its paper.

mod acts;
mod list;
mod sheet;

pub use acts::{again, approval, cancellation, confirmation, exception, own_share, rating, settlement};
pub use list::{export, index};
pub use sheet::{paper, photo, show};

use domain::{ids::OrderId, orders::OrderState};

use crate::Problem;

/// How a state looks: the kind of its chip.
pub(crate) fn look(state: OrderState) -> &'static str {
    match state {
        OrderState::Placed
        | OrderState::Offered
        | OrderState::Disputed
        | OrderState::NobodyHome
        | OrderState::Interrupted => "attention",
        OrderState::Accepted | OrderState::InService | OrderState::Served => "info",
        OrderState::Confirmed | OrderState::Settled => "done",
        OrderState::Cancelled => "quiet",
    }
}

/// The order of an address; what is no number is not there.
fn order_id(text: &str) -> Result<OrderId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}
