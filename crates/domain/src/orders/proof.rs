//! Proof of a visit: the six facts (service, receiver, giver, date, place, start and end) with both clocks.

use serde::{Deserialize, Serialize};

use super::OrderRefusal;
use crate::{
    access::words,
    money::Minutes,
    time::{At, Now},
};

/// Up to here a sign-in is taken without remark. Source: our rule, `services.md` §5.
pub const SIGN_IN_METRES_WARN: i64 = 300;
/// Beyond this a sign-in is refused. Source: our rule, `services.md` §5.
pub const SIGN_IN_METRES_MAX: i64 = 1_000;
/// A fix less sure than this says nothing about the place. Source: our rule, `services.md` §5.
const ACCURACY_METRES_MAX: f64 = 200.0;
/// Visits may begin this much before the plan. Source: planned window of `services.md` §5.
pub const PLANNED_WINDOW_MINUTES: i64 = 30;
/// An offline record must arrive within a day. Source: our rule, `services.md` §4.
const OFFLINE_HOURS_MAX: i64 = 24;
/// A phone's clock may run ahead this much before we stop believing it.
const CLOCK_AHEAD_MINUTES_MAX: i64 = 10;

words! {
    /// How presence at the home was shown.
    Method {
        /// Position of the phone.
        Gps = "gps" "手机定位",
        /// Card or code at the door.
        Code = "code" "门口二维码",
        /// Call from the elder's own telephone.
        Landline = "landline" "老人座机",
        /// None of these; looked at by a person.
        Manual = "manual" "人工补录",
    }
}

/// A position with its accuracy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fix {
    /// Degrees east.
    pub lon: f64,
    /// Degrees north.
    pub lat: f64,
    /// Radius in metres within which the device believes to be.
    pub accuracy: f64,
}

impl Method {
    /// Whether this shows that the carer was at the home: a position that was compared with it. That a code was read or
    /// the elder's telephone used is the carer's word as long as the platform has not seen it itself.
    pub fn shows_home(self, distance_metres: Option<i64>) -> bool {
        self == Method::Gps && distance_metres.is_some()
    }
}

impl Fix {
    /// Refuses positions that cannot be on Earth or that are not numbers.
    pub fn checked(self) -> Result<Fix, OrderRefusal> {
        let sane =
            self.lon.abs() <= 180.0 && self.lat.abs() <= 90.0 && (0.0..=100_000.0).contains(&self.accuracy);
        if sane { Ok(self) } else { Err(OrderRefusal::BadFix) }
    }
}

/// What a phone sends at the door.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckIn {
    /// How presence was shown.
    pub method: Method,
    /// Where the phone was, if it knew.
    pub fix: Option<Fix>,
    /// The phone's own clock.
    pub device_at: At,
}

/// What a phone sends when the carer leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckOut {
    /// Where the phone was, if it knew.
    pub fix: Option<Fix>,
    /// The phone's own clock.
    pub device_at: At,
    /// What was done, as ticked.
    pub tasks: Vec<String>,
    /// Free words; required when the visit was short.
    pub note: String,
}

/// A begun visit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Visit {
    /// When it began for the record: the server's clock, or the phone's when it was offline.
    pub began_at: At,
    /// Distance from the home in metres, when both are known well enough.
    pub distance_metres: Option<i64>,
    /// Whether the record came later than it was made.
    pub offline: bool,
}

/// Great-circle distance in metres between two points in degrees (haversine, mean Earth radius 6,371,009 m).
pub fn distance_metres(a: (f64, f64), b: (f64, f64)) -> i64 {
    let (lon1, lat1, lon2, lat2) = (a.0.to_radians(), a.1.to_radians(), b.0.to_radians(), b.1.to_radians());
    let h =
        ((lat2 - lat1) / 2.0).sin().powi(2) + lat1.cos() * lat2.cos() * ((lon2 - lon1) / 2.0).sin().powi(2);
    (2.0 * 6_371_009.0 * h.sqrt().min(1.0).asin()).round() as i64
}

/// Distance between home and phone, or nothing when either is unknown or the phone is not sure.
pub(super) fn distance(home: Option<(f64, f64)>, fix: Option<Fix>) -> Result<Option<i64>, OrderRefusal> {
    let Some(fix) = fix.map(Fix::checked).transpose()? else { return Ok(None) };
    Ok(home
        .filter(|_| fix.accuracy <= ACCURACY_METRES_MAX)
        .map(|home| distance_metres(home, (fix.lon, fix.lat))))
}

/// The instant a step counts from, and whether it was recorded offline.
///
/// A record within two minutes of the server's clock counts from the server; an older one counts from the phone.
pub(super) fn moment(device_at: At, now: Now) -> Result<(At, bool), OrderRefusal> {
    let behind = now.0.minutes_since(device_at);
    if behind < -CLOCK_AHEAD_MINUTES_MAX {
        return Err(OrderRefusal::DeviceClock { device: device_at });
    }
    if behind > OFFLINE_HOURS_MAX * 60 {
        return Err(OrderRefusal::TooLate { hours: OFFLINE_HOURS_MAX });
    }
    if behind < 2 { Ok((now.0, false)) } else { Ok((device_at, true)) }
}

/// Whole minutes of service between two instants, never negative.
pub(super) fn served(from: At, to: At) -> Minutes {
    Minutes(to.minutes_since(from).max(0))
}
