//! What a water meter says of whoever lives behind it.
//!
//! Readings are whole millilitres of the meter's own count. A reading that is lower than the one before, or higher than
//! a pipe can carry, is left out: meters are exchanged and misread. Whether the elder is at home is for the caller.

use serde::{Deserialize, Serialize};

use crate::time::At;

/// One reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// When.
    pub at: At,
    /// The meter's count.
    pub millilitres: i64,
}

/// What the face of a meter says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Its count.
    pub millilitres: i64,
    /// What it counts in.
    pub step: i64,
}

impl Count {
    /// Of litres as a decimal number: a meter with one decimal counts in tenths.
    pub fn litres(text: &str) -> Option<Count> {
        const PLACES: usize = 3;
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > 12 || !digits(whole) || !digits(part) {
            return None;
        }
        let part = part.trim_end_matches('0');
        let part = &part[..part.len().min(PLACES)];
        let step = 10_i64.pow((PLACES - part.len()) as u32);
        let part: i64 = if part.is_empty() { 0 } else { part.parse().ok()? };
        Some(Count { millilitres: whole.parse::<i64>().ok()? * 1_000 + part * step, step })
    }
}

/// What a city decides about water.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaterRule {
    /// Less than this within the window is too little. 10 L.
    pub low_millilitres: i64,
    /// The window, in hours. 12 h.
    pub low_hours: i64,
    /// More than this in a day is too much. 2 m³.
    pub high_millilitres: i64,
    /// Use in each half hour of so many hours is a leak. 24 h.
    pub leak_hours: i64,
    /// More than this in an hour is a misreading: a household pipe carries less.
    pub jump_millilitres_per_hour: i64,
    /// Where the numbers come from.
    pub source: String,
}

impl Default for WaterRule {
    fn default() -> WaterRule {
        WaterRule {
            low_millilitres: 10_000,
            low_hours: 12,
            high_millilitres: 2_000_000,
            leak_hours: 24,
            jump_millilitres_per_hour: 3_000_000,
            source: "上海长宁、深圳龙岗：12 小时不足 0.01 立方米；上海静安、浙江安吉：一天超过 2 立方米；龙岗：24 小时每半小时都有用水为漏水"
                .to_owned(),
        }
    }
}

/// What the readings say at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Water {
    /// Nothing was reported within the window: that is for the device, not for the elder.
    NoReading,
    /// As usual.
    Usual {
        /// Used within the window of the low rule.
        used: i64,
    },
    /// Hardly any.
    Low {
        /// Used within the window.
        used: i64,
        /// The window began.
        since: At,
    },
    /// Too much in a day.
    High {
        /// Used within 24 hours.
        used: i64,
    },
    /// It never stops.
    Leak {
        /// Used within 24 hours.
        used: i64,
    },
}

/// The readings that can be believed, oldest first. One that does not follow from the one before is left out, unless
/// the next follows from it and not from the one before: then it was the one before that was wrong, or the meter is new.
pub fn believed(readings: &[Reading], rule: &WaterRule) -> Vec<Reading> {
    let follows = |before: &Reading, after: &Reading| {
        let minutes = after.at.minutes_since(before.at).max(60);
        let more = after.millilitres - before.millilitres;
        more >= 0 && more <= rule.jump_millilitres_per_hour / 60 * minutes
    };
    let mut kept: Vec<Reading> = Vec::with_capacity(readings.len());
    for (n, one) in readings.iter().enumerate() {
        let Some(last) = kept.last() else {
            kept.push(*one);
            continue;
        };
        if follows(last, one) {
            kept.push(*one);
        } else if readings.get(n + 1).is_some_and(|next| follows(one, next) && !follows(last, next)) {
            kept = vec![*one];
        }
    }
    kept
}

/// What was used since then: from the newest reading at or before it, or the oldest after it.
fn used(readings: &[Reading], since: At) -> i64 {
    let first = readings.iter().rev().find(|r| r.at <= since).or(readings.first());
    match (first, readings.last()) {
        (Some(first), Some(last)) => last.millilitres - first.millilitres,
        _ => 0,
    }
}

/// What the readings (oldest first) say now. `step` is what the meter counts in: one of 10 L cannot tell 9 L from none,
/// so for it "too little" is "the same reading for the whole window".
pub fn water(readings: &[Reading], step: i64, rule: &WaterRule, now: At) -> Water {
    let until = readings.partition_point(|r| r.at <= now);
    let readings = believed(&readings[..until], rule);
    let since = now.plus_minutes(-rule.low_hours * 60);
    if readings.last().is_none_or(|r| r.at <= since) {
        return Water::NoReading;
    }
    let day = used(&readings, now.plus_minutes(-24 * 60));
    if leaks(&readings, rule, now) {
        return Water::Leak { used: day };
    }
    if day > rule.high_millilitres {
        return Water::High { used: day };
    }
    let low = used(&readings, since);
    // Without a reading from before the window nobody knows what was used in all of it.
    let whole = readings.first().is_some_and(|r| r.at <= since);
    let too_little = if step >= rule.low_millilitres { low == 0 } else { low < rule.low_millilitres };
    if whole && too_little { Water::Low { used: low, since } } else { Water::Usual { used: low } }
}

/// Whether something ran in each half hour, as far as the meter reports often enough to tell.
fn leaks(readings: &[Reading], rule: &WaterRule, now: At) -> bool {
    let halves = rule.leak_hours * 2;
    let begin = now.plus_minutes(-rule.leak_hours * 60);
    (0..halves).all(|n| {
        let (from, to) = (begin.plus_minutes(n * 30), begin.plus_minutes((n + 1) * 30));
        let before = readings.iter().rev().find(|r| r.at <= from);
        let until = readings.iter().rev().find(|r| r.at <= to);
        match (before, until) {
            (Some(before), Some(until)) => until.millilitres > before.millilitres,
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> At {
        At::parse("2026-11-21T00:00").unwrap().plus_minutes(hours * 60)
    }

    fn readings(all: &[(i64, i64)]) -> Vec<Reading> {
        all.iter().map(|(h, ml)| Reading { at: at(*h), millilitres: *ml }).collect()
    }

    fn told(all: &[(i64, i64)], step: i64, now: i64) -> Water {
        water(&readings(all), step, &WaterRule::default(), at(now))
    }

    #[test]
    fn litres_are_read_without_rounding() {
        let count = |millilitres, step| Some(Count { millilitres, step });
        assert_eq!(Count::litres("123456"), count(123_456_000, 1_000));
        assert_eq!(Count::litres("123456.0"), count(123_456_000, 1_000));
        assert_eq!(Count::litres("12.5"), count(12_500, 100));
        assert_eq!(Count::litres("0.1239"), count(123, 1));
        for none in ["", "-1", "1e5", ".5", "1.2.3", "1234567890123", "NaN"] {
            assert_eq!(Count::litres(none), None, "{none}");
        }
    }

    #[test]
    fn nine_litres_in_twelve_hours_alarm_and_ten_do_not() {
        let low = Water::Low { used: 9_000, since: at(0) };
        assert_eq!(told(&[(0, 100_000_000), (6, 100_004_000), (12, 100_009_000)], 1_000, 12), low);
        let ten = [(0, 100_000_000), (6, 100_004_000), (12, 100_010_000)];
        assert_eq!(told(&ten, 1_000, 12), Water::Usual { used: 10_000 });
    }

    #[test]
    fn a_coarse_meter_alarms_only_when_it_stands_still() {
        let still = [(0, 100_000_000), (6, 100_000_000), (12, 100_000_000)];
        assert_eq!(told(&still, 10_000, 12), Water::Low { used: 0, since: at(0) });
        let one = [(0, 100_000_000), (6, 100_000_000), (12, 100_010_000)];
        assert_eq!(told(&one, 10_000, 12), Water::Usual { used: 10_000 });
        assert_eq!(told(&one, 10_000, 23), Water::Usual { used: 10_000 });
    }

    #[test]
    fn a_meter_that_says_nothing_says_nothing_of_the_elder() {
        assert_eq!(told(&[], 1_000, 12), Water::NoReading);
        assert_eq!(told(&[(0, 5)], 1_000, 12), Water::NoReading);
        // Reporting began in the middle of the window.
        assert_eq!(told(&[(6, 100), (12, 200)], 1_000, 12), Water::Usual { used: 100 });
    }

    #[test]
    fn the_window_slides() {
        let day = [(0, 0), (6, 40_000), (12, 44_000), (18, 46_000)];
        assert_eq!(told(&day, 1_000, 12), Water::Usual { used: 44_000 });
        assert_eq!(told(&day, 1_000, 17), Water::Usual { used: 44_000 }, "the flush at six is still inside");
        assert_eq!(told(&day, 1_000, 18), Water::Low { used: 6_000, since: at(6) });
    }

    #[test]
    fn readings_that_go_back_or_jump_are_left_out() {
        let back = [(0, 50_000), (6, 20_000), (12, 54_000)];
        assert_eq!(told(&back, 1_000, 12), Water::Low { used: 4_000, since: at(0) });
        let jump = [(0, 50_000), (6, 900_000_000), (12, 54_000)];
        assert_eq!(told(&jump, 1_000, 12), Water::Low { used: 4_000, since: at(0) });
        // A wrong first reading does not spoil what follows.
        let first = [(0, 900_000_000), (1, 50_000), (6, 52_000), (13, 53_000)];
        assert_eq!(told(&first, 1_000, 13), Water::Low { used: 3_000, since: at(1) });
    }

    #[test]
    fn two_cubic_metres_are_much_and_water_in_each_half_hour_is_a_leak() {
        assert_eq!(
            told(&[(0, 0), (12, 1_000_000), (24, 2_000_001)], 1_000, 24),
            Water::High { used: 2_000_001 }
        );
        assert_eq!(
            told(&[(0, 0), (12, 1_000_000), (24, 2_000_000)], 1_000, 24),
            Water::Usual { used: 1_000_000 }
        );
        let drip = |skip: i64| -> Vec<Reading> {
            let mut used = 0;
            (0..=48)
                .map(|n| {
                    used += if n == skip { 0 } else { 500 };
                    Reading { at: at(0).plus_minutes(n * 30), millilitres: used }
                })
                .collect()
        };
        assert_eq!(water(&drip(-1), 1, &WaterRule::default(), at(24)), Water::Leak { used: 24_000 });
        assert!(!matches!(water(&drip(20), 1, &WaterRule::default(), at(24)), Water::Leak { .. }));
    }
}
