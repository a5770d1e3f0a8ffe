//! Signals: devices, what they say, the incidents that follow, and silence as a signal of its own.

pub mod devices;
pub mod incidents;
pub mod intake;
pub mod sightings;
