//! What an event means: an incident to be answered, a trace of life, or only a reading.
//!
//! Names are those the decoders give. What they mean is what the city's hotline does about them
//! (`hotline-and-alarms.md` §2); a reading beyond a threshold is not judged here but where thresholds are.

use super::{
    incident::{IncidentKind, Level},
    sighting::SightingKind,
};
use crate::time::At;

/// The incident an event opens, if it opens one.
pub fn incident(event: &str) -> Option<(IncidentKind, Level)> {
    Some(match event {
        "sos" => (IncidentKind::Sos, Level::P1),
        "fall" => (IncidentKind::Fall, Level::P1),
        "smoke" | "fire" => (IncidentKind::Smoke, Level::P1),
        "gas" => (IncidentKind::Gas, Level::P1),
        "water_leak" => (IncidentKind::WaterHigh, Level::P2),
        "no_motion" => (IncidentKind::NoMovement, Level::P2),
        "left_fence" => (IncidentKind::Fence, Level::P2),
        "bed_exit" => (IncidentKind::Bed, Level::P3),
        "tamper" | "taken_off" => (IncidentKind::DeviceFault, Level::P4),
        _ => return None,
    })
}

/// The trace of life an event leaves, if somebody must have been there for it to happen.
pub fn trace(event: &str) -> Option<SightingKind> {
    Some(match event {
        "sos" => SightingKind::Button,
        "motion" | "bed_exit" => SightingKind::Motion,
        "door_opened" | "door_closed" => SightingKind::Door,
        _ => return None,
    })
}

/// Events a device repeats for weeks, or that one word of its message means: kept as readings, shown in the inventory.
pub fn only_reading(event: &str) -> bool {
    incident(event).is_none()
}

/// How late a device may tell: three days without a network.
pub const LATE_HOURS: i64 = 72;
/// How far a device's clock may run ahead before it is not believed.
const AHEAD_MINUTES: i64 = 5;

/// When it was pressed, by the device's clock, if that clock can be believed; many begin in the year 2000 or 1970 after
/// a change of battery, some in 2099.
pub fn pressed_at(device_at: Option<At>, received_at: At) -> Option<At> {
    device_at.filter(|at| {
        *at >= received_at.plus_minutes(-LATE_HOURS * 60) && *at <= received_at.plus_minutes(AHEAD_MINUTES)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_calls_for_help_is_red() {
        for event in ["sos", "fall", "smoke", "fire", "gas"] {
            assert_eq!(incident(event).unwrap().1, Level::P1, "{event}");
        }
        for event in ["motion", "door_opened", "low_battery", "entered_fence", "", "SOS"] {
            assert!(incident(event).is_none(), "{event}");
            assert!(only_reading(event));
        }
    }

    #[test]
    fn a_clock_nobody_can_believe_is_no_moment_of_pressing() {
        let received = At::parse("2026-11-21T09:00").unwrap();
        let told = |text: &str| pressed_at(At::parse(text), received).is_some();
        assert!(told("2026-11-21T08:59") && told("2026-11-18T09:00") && told("2026-11-21T09:05"));
        assert!(!told("2026-11-18T08:59") && !told("2026-11-21T09:06") && !told("2000-01-01T00:00"));
        assert!(!told("2099-01-01T00:00") && pressed_at(None, received).is_none());
    }
}
