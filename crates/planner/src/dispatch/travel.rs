//! How long a ride takes, from the straight line between two points.
//!
//! A straight line with a detour factor is wrong by minutes, never by the half hours that would change who goes; the
//! price of real streets would be paid once for every carer and visit. Minutes are rounded up, so that a promise
//! made on them is kept.

use super::model::Position;
use super::terms::{DETOUR_FACTOR, DOOR_MINUTES, RIDE_KM_PER_HOUR, UNKNOWN_TRAVEL_MINUTES};

/// Kilometres along one degree of latitude.
const KM_PER_DEGREE: f64 = 6371.0 * std::f64::consts::PI / 180.0;

/// Minutes of a ride, and whether both ends were known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ride {
    pub(super) minutes: u32,
    pub(super) known: bool,
}

/// The ride from one place to another.
pub(super) fn ride(from: Option<Position>, to: Option<Position>) -> Ride {
    match (from, to) {
        (Some(from), Some(to)) => Ride { minutes: minutes(straight_km(from, to)), known: true },
        _ => Ride { minutes: UNKNOWN_TRAVEL_MINUTES, known: false },
    }
}

/// Minutes of the ride from one place to another; a guess where a place is unknown.
pub fn ride_minutes(from: Option<Position>, to: Option<Position>) -> u32 {
    ride(from, to).minutes
}

fn minutes(km: f64) -> u32 {
    // A float cast saturates, so even the far side of the globe is only a large number.
    (km * DETOUR_FACTOR / RIDE_KM_PER_HOUR * 60.0 + DOOR_MINUTES).ceil() as u32
}

/// Flat earth around the two points' middle: within a prefecture it differs from the sphere by metres.
fn straight_km(from: Position, to: Position) -> f64 {
    let middle = ((from.lat() + to.lat()) / 2.0).to_radians();
    let east = (to.lon() - from.lon()) * middle.cos();
    let north = to.lat() - from.lat();
    KM_PER_DEGREE * (east * east + north * north).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lon: f64, lat: f64) -> Option<Position> {
        Position::new(lon, lat)
    }

    #[test]
    fn a_ride_of_one_kilometre_takes_nine_minutes() {
        // 1 km × 1.4 at 15 km/h is 5.6 minutes, and 3 for the door.
        assert_eq!(ride(at(114.3, 34.8), at(114.3, 34.8 + 1.0 / KM_PER_DEGREE)).minutes, 9);
    }

    #[test]
    fn the_same_house_still_costs_the_stairs() {
        assert_eq!(ride(at(114.3, 34.8), at(114.3, 34.8)), Ride { minutes: 3, known: true });
    }

    #[test]
    fn a_place_without_a_point_is_guessed_and_says_so() {
        assert_eq!(ride(None, at(114.3, 34.8)), Ride { minutes: 20, known: false });
    }
}
