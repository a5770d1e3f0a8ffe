//! The numbers behind the rules, each with where it comes from.
//!
//! The proposer and the checker both read them: they are the statement of the problem, not part of its solution.

/// A day on the city's clock.
pub const DAY_MINUTES: i64 = 24 * 60;

/// 8 hours: the longest working day of the Labour Law, article 36.
pub const WORK_DAY_MINUTES_MAX: u32 = 8 * 60;

/// 44 hours: the longest working week of the Labour Law, article 36.
pub const WORK_WEEK_MINUTES_MAX: u32 = 44 * 60;

/// 15 km/h: carers ride e-bikes, which the national standard caps at 25 km/h; lights and crossings take the rest.
pub const RIDE_KM_PER_HOUR: f64 = 15.0;

/// 1.4: streets are longer than the crow flies by 1.2 (grid) to 1.6 (rivers, railways); the middle of that range.
pub const DETOUR_FACTOR: f64 = 1.4;

/// 3 minutes on top of every ride: lock the bike, find the entrance, climb the stairs.
pub const DOOR_MINUTES: f64 = 3.0;

/// 20 minutes where an address has no point: a quarter-hour service circle plus five to find the door.
pub const UNKNOWN_TRAVEL_MINUTES: u32 = 20;

/// Night begins at 22:00 …
pub const NIGHT_FROM: i64 = 22 * 60;

/// … and ends at 06:00; visits in between need an item that is sold for the night.
pub const NIGHT_TO: i64 = 6 * 60;

/// 15 minutes: the quarter-hour circle; a ride below it counts in favour, above it against.
pub const NEAR_MINUTES: u32 = 15;

/// 10 minutes of slack: less than one missed traffic light and a slow lift away from being late.
pub const TIGHT_MINUTES: i64 = 10;

/// 60 minutes without other work on a side of the visit lets it start early or run long.
pub const ROOMY_MINUTES: i64 = 60;

/// 4 hours: half a legal day, below it a carer counts as lightly loaded.
pub const LIGHT_DAY_MINUTES: u32 = 4 * 60;

/// 7 hours including this visit: one more hour fills the legal day.
pub const FULL_DAY_MINUTES: u32 = 7 * 60;

/// 40 hours including this visit: from here one long visit breaks the legal week.
pub const FULL_WEEK_MINUTES: u32 = 40 * 60;

/// 3 refusals a day: from here the dispatcher asks the carer before sending more.
pub const REFUSALS_TO_ASK: u32 = 3;

/// 5 ratings: fewer say more about one elder's mood than about the carer.
pub const RATINGS_TO_COUNT: u32 = 5;

/// 4.5 of 5 and above is a high rating.
pub const HIGH_RATING_TENTHS: u8 = 45;

/// Below 3.5 of 5 is a low rating.
pub const LOW_RATING_TENTHS: u8 = 35;

/// Level 3 (senior) and better is worth naming; levels run from 5 (entry) to 1 (senior technician).
pub const SENIOR_LEVEL: u8 = 3;
