//! Small values that stand in frames and become text only when somebody wants to read them.

use std::fmt;

use jiff::civil;
use serde::{Serialize, Serializer};

/// A device's own clock as text, `2014-04-22T13:46:52` and its zone; none when there is no such time. It may be years
/// off. Written by hand: it is the dearest part of a position otherwise.
pub(super) fn clock_text(
    (year, month, day): (i16, u8, u8),
    (hour, minute, second): (u8, u8, u8),
    zone: &str,
) -> Option<String> {
    let small = |n: u8| i8::try_from(n).ok();
    civil::Date::new(year, small(month)?, small(day)?).ok()?;
    if year < 1 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut text = String::with_capacity("2014-04-22T13:46:52".len() + zone.len());
    let mut pair = |n: u8, after: &str| {
        text.push(char::from(b'0' + n / 10));
        text.push(char::from(b'0' + n % 10));
        text.push_str(after);
    };
    pair((year / 100) as u8, "");
    pair((year % 100) as u8, "-");
    pair(month, "-");
    pair(day, "T");
    pair(hour, ":");
    pair(minute, ":");
    pair(second, zone);
    Some(text)
}

/// The city's zone.
pub(super) const CITY: &str = "+08:00";

/// Some bytes that are read as upper-case hex, in the order they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hex<const N: usize>(pub [u8; N]);

impl<const N: usize> Hex<N> {
    /// Bytes that come low first.
    pub(super) fn low_first(mut bytes: [u8; N]) -> Hex<N> {
        bytes.reverse();
        Hex(bytes)
    }
}

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        upper(&self.0, f)
    }
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

/// Any number of bytes that are read as upper-case hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HexBytes(pub Vec<u8>);

impl fmt::Display for HexBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        upper(&self.0, f)
    }
}

impl Serialize for HexBytes {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

fn upper(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|b| write!(f, "{b:02X}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_clock_is_a_time_or_nothing() {
        let told = |date, clock| clock_text(date, clock, CITY);
        assert_eq!(told((2019, 2, 28), (9, 7, 44)).unwrap(), "2019-02-28T09:07:44+08:00");
        assert_eq!(told((2099, 12, 31), (23, 59, 59)).unwrap(), "2099-12-31T23:59:59+08:00");
        for (date, clock) in [
            ((2019, 2, 29), (0, 0, 0)),
            ((2019, 12, 200), (0, 0, 0)),
            ((0, 1, 1), (0, 0, 0)),
            ((2019, 1, 1), (24, 0, 0)),
            ((2019, 1, 1), (0, 60, 0)),
            ((2019, 1, 1), (0, 0, 60)),
        ] {
            assert_eq!(told(date, clock), None);
        }
    }

    #[test]
    fn hex_is_upper_case_and_whole() {
        assert_eq!(Hex::low_first([0xd9, 0x00, 0x06, 0x00]).to_string(), "000600D9");
        assert_eq!(HexBytes(vec![0x0a, 0xff]).to_string(), "0AFF");
    }
}
