//! Instants, days and the present moment as arguments.
//!
//! Instants are UTC microseconds. A city's calendar is Beijing time, which all of mainland China keeps, without
//! summer time since 1991; a day is a day of that calendar.

mod said;

use std::fmt;

use jiff::{Timestamp, civil, tz};
use serde::{Deserialize, Serialize};

pub use said::{Unclear, said, suggested};

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct At(pub i64);

/// The present moment, handed to every decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now(pub At);

/// A day of the city's calendar.
pub type Day = civil::Date;

impl At {
    /// The instant `minutes` later (or earlier, when negative).
    pub fn plus_minutes(self, minutes: i64) -> At {
        At(self.0 + minutes * 60 * SECOND)
    }

    /// The instant `seconds` later (or earlier, when negative).
    pub fn plus_seconds(self, seconds: i64) -> At {
        At(self.0 + seconds * SECOND)
    }

    /// Whole minutes from `earlier` to this instant, rounded down.
    pub fn minutes_since(self, earlier: At) -> i64 {
        (self.0 - earlier.0).div_euclid(60 * SECOND)
    }

    /// Whole seconds from `earlier` to this instant, rounded down.
    pub fn seconds_since(self, earlier: At) -> i64 {
        (self.0 - earlier.0).div_euclid(SECOND)
    }

    /// Date and time on the city's wall clock.
    pub fn local(self) -> civil::DateTime {
        let stamp =
            Timestamp::from_microsecond(self.0.clamp(MIN_MICROS, MAX_MICROS)).expect("clamped into range");
        tz::offset(8).to_datetime(stamp)
    }

    /// The day of the city's calendar.
    pub fn day(self) -> Day {
        self.local().date()
    }

    /// The instant of a wall-clock date and time in the city.
    pub fn from_local(local: civil::DateTime) -> At {
        let stamp = tz::offset(8).to_timestamp(local).expect("dates of the city's calendar lie within range");
        At(stamp.as_microsecond())
    }

    /// Reads RFC 3339 (`2026-11-21T09:30:00+08:00`) or a wall-clock time without offset (`2026-11-21T09:30`).
    pub fn parse(text: &str) -> Option<At> {
        let text = text.trim();
        if let Ok(stamp) = text.parse::<Timestamp>() {
            return Some(At(stamp.as_microsecond()));
        }
        let local: civil::DateTime = text.parse().ok()?;
        (local.year() > 1800 && local.year() < 2300).then(|| At::from_local(local))
    }

    /// RFC 3339 with the city's offset, as the JSON API writes it.
    pub fn rfc3339(self) -> String {
        let at = self.local();
        let (Ok(year), milli) = (u16::try_from(at.year()), at.millisecond()) else {
            return format!("{}+08:00", at.strftime("%Y-%m-%dT%H:%M:%S%.3f"));
        };
        // By hand: every record of the log has some, and a formatter reads its pattern anew each time.
        let mut text = *b"0000-00-00T00:00:00.000+08:00";
        let mut put = |from: usize, to: usize, mut n: u16| {
            for digit in text[from..to].iter_mut().rev() {
                *digit = b'0' + (n % 10) as u8;
                n /= 10;
            }
        };
        let small = |n: i8| u16::from(n.unsigned_abs());
        put(0, 4, year);
        put(5, 7, small(at.month()));
        put(8, 10, small(at.day()));
        put(11, 13, small(at.hour()));
        put(14, 16, small(at.minute()));
        put(17, 19, small(at.second()));
        put(20, 23, milli.unsigned_abs());
        std::str::from_utf8(&text).expect("digits between what stands there").to_owned()
    }

    /// Wall-clock `14:05`.
    pub fn clock(self) -> String {
        self.local().strftime("%H:%M").to_string()
    }

    /// `2026-11-21 14:05`, for lists and prints.
    pub fn minute(self) -> String {
        self.local().strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// `14:05` today, `昨天 14:05`, otherwise the date and time.
    pub fn as_seen(self, now: Now) -> String {
        let (day, today) = (self.day(), now.day());
        if day == today {
            self.clock()
        } else if day.tomorrow().is_ok_and(|d| d == today) {
            format!("昨天 {}", self.clock())
        } else if today.tomorrow().is_ok_and(|d| d == day) {
            format!("明天 {}", self.clock())
        } else if day.year() == today.year() {
            self.local().strftime("%m-%d %H:%M").to_string()
        } else {
            self.minute()
        }
    }
}

/// Year 1000 and year 2900: everything the platform can mean lies between.
const MIN_MICROS: i64 = -30_610_224_000 * SECOND;
const MAX_MICROS: i64 = 29_348_006_400 * SECOND;

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.minute())
    }
}

impl Serialize for At {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.rfc3339())
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        At::parse(&text).ok_or_else(|| serde::de::Error::custom("时间应写成 2026-11-21T09:30:00+08:00"))
    }
}

impl Now {
    /// Today in the city.
    pub fn day(self) -> Day {
        self.0.day()
    }

    /// This month as `2026-11`, the key of monthly rights.
    pub fn month(self) -> Month {
        Month::of(self.day())
    }
}

/// A calendar month, written `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month {
    /// Four-digit year.
    pub year: i16,
    /// 1 to 12.
    pub month: i8,
}

impl Month {
    /// The month a day lies in.
    pub fn of(day: Day) -> Month {
        Month { year: day.year(), month: day.month() }
    }

    /// Reads `2026-11`.
    pub fn parse(text: &str) -> Option<Month> {
        let (year, month) = text.split_once('-')?;
        let day = civil::Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?;
        (year.len() == 4 && month.len() == 2).then(|| Month::of(day))
    }

    /// First day of the month.
    pub fn first(self) -> Day {
        civil::Date::new(self.year, self.month, 1).expect("a month has a first day")
    }

    /// The first instant of the month and of the next one, on the city's clock.
    pub fn span(self) -> (At, At) {
        let first = self.first();
        let next = first.last_of_month().tomorrow().expect("years stay far below the calendar's end");
        (At::from_local(first.into()), At::from_local(next.into()))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_beijing() {
        let late = At::parse("2026-11-20T16:00:00Z").unwrap();
        assert_eq!(late.day().to_string(), "2026-11-21");
        assert_eq!(late.rfc3339(), "2026-11-21T00:00:00.000+08:00");
        assert_eq!(At::parse("2026-11-21T00:00"), Some(late));
    }

    #[test]
    fn a_time_is_written_as_a_formatter_writes_it() {
        for n in 0..20_000_i64 {
            // Every few days of four centuries, at odd times of the day.
            let at = At(-5_000_000_000_000_000 + n * 631_139_517_377);
            let like = format!("{}+08:00", at.local().strftime("%Y-%m-%dT%H:%M:%S%.3f"));
            assert_eq!(at.rfc3339(), like);
        }
        assert!(At::parse("-0044-03-15T12:00:00Z").is_none_or(|ides| ides.rfc3339().starts_with('-')));
    }

    #[test]
    fn times_are_told_the_way_people_say_them() {
        let now = Now(At::parse("2026-11-21T09:00").unwrap());
        for (at, said) in [
            ("2026-11-21T14:05", "14:05"),
            ("2026-11-20T14:05", "昨天 14:05"),
            ("2026-11-22T08:00", "明天 08:00"),
            ("2026-03-01T14:05", "03-01 14:05"),
            ("2025-03-01T14:05", "2025-03-01 14:05"),
        ] {
            assert_eq!(At::parse(at).unwrap().as_seen(now), said);
        }
    }

    #[test]
    fn a_month_spans_to_the_first_of_the_next() {
        let (from, to) = Month::parse("2026-12").unwrap().span();
        assert_eq!((from.minute().as_str(), to.minute().as_str()), ("2026-12-01 00:00", "2027-01-01 00:00"));
        assert_eq!(Month::parse("2026-13"), None);
        assert_eq!(Month::parse("26-1"), None);
    }
}
