//! Incidents as records: the list, one with everything that happened, the second look.

pub mod figures;
mod list;
pub(crate) mod look;
pub(crate) mod missed;
mod sheet;

pub use list::index;
pub use missed::show as missed;
pub use sheet::{hand_over, reopen, review, send_back, show};
