//! Who should go to one visit, and why: every carer gets a score made of named reasons for and against.
//!
//! A dispatcher must be able to read the answer aloud to a carer who was passed over, so the score is nothing but
//! the sum of its reasons' points ([`BASE_SCORE`] + Σ [`Reason::points`]), and a carer who may not go says every
//! rule that stands against it, not only the first. Nothing here reads a clock: "now" arrives as
//! [`CarerDay::free_from`].
//!
//! All numbers that are policy rather than arithmetic stand in [`terms`]. [`check`] judges the same rules once more
//! in `checker.rs`, written separately; property tests hold the two against each other.

mod checker;
mod model;
mod propose;
mod reason;
mod rules;
pub mod terms;
mod travel;

pub use checker::check;
pub use model::{Booking, CarerDay, CarerId, Minute, Position, Rating, Sex, Skill, Span, Visit};
pub use propose::{BASE_SCORE, Proposal, propose};
pub use reason::{Against, Favour, Hard, Reason};
pub use travel::ride_minutes;
