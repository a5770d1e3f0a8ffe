//! Signals: devices, what they say, the incidents that follow, and silence as a signal of its own.

pub mod devices;
pub mod duties;
pub mod feeds;
pub mod incidents;
pub mod intake;
pub mod meters;
pub mod sightings;
pub mod silences;
pub mod worker;
