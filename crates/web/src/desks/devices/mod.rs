//! Devices: what is out there, whether it still speaks, and what it said.

pub mod inspect;
