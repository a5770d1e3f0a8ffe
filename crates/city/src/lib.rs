//! A simulated city that is the same every time: its people, villages, providers and carers, and what is true about them.
//!
//! [`City::build`] needs a seed, a head count, the day and the text of `cities/regions.csv`; it reads no file, no clock and
//! no ambient randomness, so two builds agree to the last digit. People are not stored: [`City::person`] makes any of
//! them from its index in about a microsecond, which is why a million people need no memory and any number of threads
//! may generate at once.
//!
//! Beside the city stands what tests need of the world: a private PostgreSQL ([`cluster`]) and stores on both databases
//! ([`testing`]).
//!
//! Nothing here can belong to a real person: identity numbers carry the county part 99, which no county has, and phones
//! and cards stand in blocks not given to anybody.

pub mod addresses;
pub mod births;
pub mod carers;
mod city;
pub mod cluster;
pub mod devices;
mod ending;
pub mod ids;
pub mod living;
pub mod names;
pub mod people;
pub mod providers;
pub mod regions;
pub mod rng;
pub mod seed;
mod story;
pub mod testing;
pub mod town;
pub mod truth;
pub mod villages;

pub use carers::SimCarer;
pub use city::{City, CityFault, CitySpec, PEOPLE_MAX};
pub use people::SimPerson;
pub use providers::SimProvider;
pub use truth::{CarerTruth, PersonTruth, ProviderTruth};
pub use villages::Village;

/// The text of `cities/regions.csv`, which every city is built from.
pub const REGIONS: &str = include_str!("../../../cities/regions.csv");
