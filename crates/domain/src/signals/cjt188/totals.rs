//! Totals of a meter: BCD with two decimals, a unit, the meter's clock and its status word.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::signals::{CITY, Hex, clock_text, water::Count};

/// Totals of a meter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Reading now.
    pub current_total: Option<Hundredths>,
    /// Its unit.
    pub unit: Option<&'static str>,
    /// Reading at the last settlement; null when it is no number, absent when the meter sends none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settlement_total: Option<Option<Hundredths>>,
    /// Its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settlement_unit: Option<Option<&'static str>>,
    /// The meter's clock; null when it was never set.
    pub meter_time: Option<String>,
    /// Valve and battery.
    #[serde(flatten)]
    pub status: Status,
}

/// The status word of a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The word, high byte first.
    pub status_hex: Hex<2>,
    /// `open`, `closed`, `fault` or `unknown`.
    pub valve: &'static str,
    /// Whether the battery is low.
    pub battery_low: bool,
}

/// A number with two decimals, `123.00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hundredths(pub u32);

impl fmt::Display for Hundredths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl Serialize for Hundredths {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl Totals {
    /// The total as a count of water; nothing without a unit, for a guess could alarm or keep silent wrongly.
    pub(super) fn count(&self) -> Option<Count> {
        let step = match self.unit? {
            "m3" => 10_000,
            "L" => 10,
            _ => return None,
        };
        Some(Count { millilitres: i64::from(self.current_total?.0) * step, step })
    }

    /// 19 bytes: total, unit, settlement total, unit, time, status; 6 bytes: total, status. Others belong to heat
    /// meters and to makers of their own.
    pub(super) fn read(rest: &[u8]) -> Option<Totals> {
        match rest {
            [total @ .., low, high] if total.len() == 4 => Some(Totals {
                current_total: hundredths(total),
                unit: None,
                settlement_total: None,
                settlement_unit: None,
                meter_time: None,
                status: Status::new([*low, *high]),
            }),
            [data @ .., low, high] if data.len() == 17 => Some(Totals {
                current_total: hundredths(&data[..4]),
                unit: unit(data[4]),
                settlement_total: Some(hundredths(&data[5..9])),
                settlement_unit: Some(unit(data[9])),
                meter_time: time(&data[10..]),
                status: Status::new([*low, *high]),
            }),
            _ => None,
        }
    }
}

impl Status {
    /// Low byte first.
    pub(super) fn new(bytes: [u8; 2]) -> Status {
        Status {
            status_hex: Hex::low_first(bytes),
            valve: match bytes[0] & 0b11 {
                0b00 => "open",
                0b01 => "closed",
                0b11 => "fault",
                _ => "unknown",
            },
            battery_low: bytes[0] & 0b100 != 0,
        }
    }
}

/// Four BCD bytes, low first; nothing when a half byte is no digit.
fn hundredths(bytes: &[u8]) -> Option<Hundredths> {
    let whole = bytes.iter().rev().try_fold(0u32, |n, b| bcd(*b).map(|d| n * 100 + u32::from(d)))?;
    Some(Hundredths(whole))
}

fn bcd(byte: u8) -> Option<u8> {
    let (high, low) = (byte >> 4, byte & 0x0f);
    (high < 10 && low < 10).then_some(high * 10 + low)
}

fn unit(byte: u8) -> Option<&'static str> {
    match byte {
        0x2c => Some("m3"),
        0x29 => Some("L"),
        0x05 => Some("kWh"),
        0x35 => Some("m3/h"),
        _ => None,
    }
}

/// Seven BCD bytes ss mm hh DD MM YY CC on the city's clock; all zero means the clock was never set.
fn time(bytes: &[u8]) -> Option<String> {
    let digits = |at: usize| bcd(*bytes.get(at)?);
    let year = i16::from(digits(6)?) * 100 + i16::from(digits(5)?);
    let date = (year, digits(4)?, digits(3)?);
    clock_text(date, (digits(2)?, digits(1)?, digits(0)?), CITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_byte_letters_are_no_digits() {
        assert_eq!(hundredths(&[0x1a, 0, 0, 0]), None);
        assert_eq!(hundredths(&[0x99, 0x99, 0x99, 0x99]).unwrap().to_string(), "999999.99");
        assert_eq!(hundredths(&[0x05, 0, 0, 0]).unwrap().to_string(), "0.05");
    }

    #[test]
    fn a_meter_clock_is_a_time_or_nothing() {
        let told = |bytes: [u8; 7]| time(&bytes);
        assert_eq!(told([0x31, 0x01, 0x22, 0x11, 0x05, 0x15, 0x20]).unwrap(), "2015-05-11T22:01:31+08:00");
        assert_eq!(told([0; 7]), None);
        assert_eq!(told([0x00, 0x00, 0x24, 0x01, 0x01, 0x26, 0x20]), None);
        assert_eq!(told([0x00, 0x00, 0x00, 0x0a, 0x01, 0x26, 0x20]), None);
    }
}
