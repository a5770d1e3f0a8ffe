//! Incidents as records: the list, one with everything that happened, the second look.

mod list;
pub(crate) mod look;
mod sheet;

pub use list::index;
pub use sheet::{hand_over, reopen, review, send_back, show};
