//! x
pub mod parties;
