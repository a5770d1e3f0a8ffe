//! Traces of life: whatever shows that an elder was there and well enough to leave it.

use crate::{access::words, time::At};

words! {
    /// What kind of trace it is.
    SightingKind {
        /// A meal was handed over.
        Meal = "meal" "送餐交接",
        /// A meter counted water, power or gas that somebody used.
        Meter = "meter" "水电燃气有用量",
        /// A carer was in the home.
        Visit = "visit" "上门服务",
        /// The elder called and was talked to.
        Call = "call" "热线通话",
        /// A button was pressed, a watch tapped.
        Button = "button" "按键",
        /// Something moved at home.
        Motion = "motion" "室内活动",
        /// The door was opened.
        Door = "door" "门磁",
        /// A volunteer met the elder.
        Volunteer = "volunteer" "志愿者探望",
        /// The elder was at a clinic or a health check.
        Clinic = "clinic" "就诊体检",
        /// Somebody rang up and the elder answered.
        Phone = "phone" "电话问候",
        /// Somebody knocked and met the elder.
        Knock = "knock" "上门巡访",
    }
}

impl SightingKind {
    /// Whether a machine tells it by itself, many times a day.
    pub fn automatic(self) -> bool {
        matches!(self, SightingKind::Meter | SightingKind::Motion | SightingKind::Door)
    }

    /// How long one row of the history stands for: people's meetings to the minute, machines' reports by six hours, so
    /// that a chatty sensor cannot push the last visit out of sight.
    pub fn slot_minutes(self) -> i64 {
        if self.automatic() { 6 * 60 } else { 1 }
    }

    /// The first instant of the span of the history that holds `at`.
    pub fn slot(self, at: At) -> At {
        let length = At(0).plus_minutes(self.slot_minutes()).0;
        At(at.0.div_euclid(length) * length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_begins_before_what_it_holds() {
        let at = At::parse("2026-11-21T09:30:30").unwrap();
        assert_eq!(SightingKind::Visit.slot(at), At::parse("2026-11-21T09:30").unwrap());
        // Six hours of UTC, which are 02, 08, 14 and 20 o'clock here.
        assert_eq!(SightingKind::Meter.slot(at), At::parse("2026-11-21T08:00").unwrap());
        assert!(SightingKind::Meter.slot(At(-1)) < At(0));
    }
}
