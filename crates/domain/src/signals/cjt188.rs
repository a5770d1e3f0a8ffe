//! Meters by CJ/T 188 (water, heat, gas), as frames of a gateway. Source: `devices.md` §3.
//!
//! `FE`×0–4, `68`, type, 7 address bytes (BCD, low first), control, length, data, checksum, `16`. Totals are decimal
//! strings: a reading is money to somebody and must not pass through a float.

use serde::Serialize;

use super::{Rejected, hex};

/// Name of the protocol.
pub const PROTOCOL: &str = "cjt188";

/// Longest data the protocol allows.
const DATA_MAX: usize = 0x64;
/// Bytes of a frame around its data: start, type, address, control, length, checksum, end.
const AROUND: usize = 13;

/// A decoded frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// Always `cjt188`.
    pub protocol: &'static str,
    /// How many `FE` came before.
    pub preamble: usize,
    /// `10` cold water, `11` hot … as hex.
    pub meter_type: String,
    /// Fourteen digits, high byte first.
    pub address: String,
    /// The control byte as hex.
    pub control: String,
    /// Bit 7 of it.
    pub from_meter: bool,
    /// Bit 6 of it.
    pub error_reply: bool,
    /// What its low bits mean.
    pub function: &'static str,
    /// Data identifier, as written in the standard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub di: Option<String>,
    /// In which order the identifier came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub di_byte_order: Option<&'static str>,
    /// Serial of the question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ser: Option<u8>,
    /// What the data says.
    #[serde(flatten)]
    pub data: Data,
}

/// What the data of a frame says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Data {
    /// Totals of a water meter.
    Totals(Totals),
    /// Open or close.
    Valve {
        /// `open`, `close` or the raw byte.
        valve_command: String,
    },
    /// The meter could not answer.
    Error {
        /// The raw bytes.
        error_bytes: String,
    },
    /// Anything else, kept raw.
    Other {
        /// The raw bytes.
        data_hex: String,
    },
    /// Nothing beyond the identifier.
    None {},
}

/// Totals of a water meter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Reading now, two decimals.
    pub current_total: Option<String>,
    /// Its unit.
    pub unit: Option<&'static str>,
    /// Reading at the last settlement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settlement_total: Option<String>,
    /// Its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settlement_unit: Option<&'static str>,
    /// The meter's clock; null when it was never set.
    pub meter_time: Option<String>,
    /// The status word, high byte first.
    pub status_hex: String,
    /// `open`, `closed` or `fault`.
    pub valve: &'static str,
    /// Whether the battery is low.
    pub battery_low: bool,
}

/// Decodes one frame with up to four bytes before it.
///
/// # Errors
/// When start, length, checksum or end are not those of the protocol.
pub fn decode(bytes: &[u8]) -> Result<Frame, Rejected> {
    let bad = |error, reason: &str| Rejected::new(PROTOCOL, error, reason);
    let preamble = bytes.iter().take_while(|b| **b == 0xfe).count();
    let frame = &bytes[preamble..];
    if frame.first() != Some(&0x68) {
        return Err(bad("start", "帧应以 68 开头（前面可有最多 4 个 FE）"));
    }
    if frame.len() < AROUND {
        return Err(bad("length", "帧太短，至少 13 个字节"));
    }
    let length = usize::from(frame[10]);
    if length > DATA_MAX {
        return Err(bad("length", "数据长度超过 64H"));
    }
    if frame.len() != AROUND + length {
        let mut rejected = bad("length", "帧的实际长度与长度字节不符");
        rejected.got = Some(frame.len().to_string());
        rejected.want = Some((AROUND + length).to_string());
        return Err(rejected);
    }
    let (body, tail) = frame.split_at(11 + length);
    let want = body.iter().fold(0u8, |sum, b| sum.wrapping_add(*b));
    if tail[0] != want {
        return Err(Rejected::checksum(PROTOCOL, tail[0], want));
    }
    if tail[1] != 0x16 {
        return Err(bad("end", "帧应以 16 结尾"));
    }
    let (control, data) = (body[9], &body[11..]);
    let (from_meter, error_reply) = (control & 0x80 != 0, control & 0x40 != 0);
    let identifier = data.get(..2).map(|di| identifier(di[0], di[1]));
    let rest = data.get(3..).unwrap_or_default();
    Ok(Frame {
        protocol: PROTOCOL,
        preamble,
        meter_type: hex([body[1]]),
        address: hex(body[2..9].iter().rev().copied()),
        control: hex([control]),
        from_meter,
        error_reply,
        function: function(control),
        di: identifier.map(|(di, _)| format!("{di:04X}")),
        di_byte_order: identifier.map(|(_, order)| order),
        ser: data.get(2).copied(),
        data: read(from_meter, error_reply, identifier.map(|(di, _)| di), body[1], rest),
    })
}

/// Takes the first whole frame off a stream: `(bytes used, frame)`; noise is used up, `None` waits for more.
pub fn next_frame(stream: &[u8]) -> (usize, Option<&[u8]>) {
    let Some(start) = stream.iter().position(|b| *b == 0x68) else {
        // Bytes before a start may be its preamble: keep up to four.
        let preamble = stream.iter().rev().take_while(|b| **b == 0xfe).count().min(4);
        return (stream.len() - preamble, None);
    };
    let preamble = stream[..start].iter().rev().take_while(|b| **b == 0xfe).count().min(4);
    let from = start - preamble;
    match stream.get(start + 10) {
        None => (from, None),
        Some(length) if usize::from(*length) > DATA_MAX => (start + 1, None),
        Some(length) => {
            let end = start + AROUND + usize::from(*length);
            match stream.get(end - 1) {
                None => (from, None),
                Some(0x16) => (end, Some(&stream[from..end])),
                Some(_) => (start + 1, None),
            }
        }
    }
}

/// Identifiers are sent in either order; those of the standard begin with 90, 81, A0 and the like in their own order.
fn identifier(first: u8, second: u8) -> (u16, &'static str) {
    let big = u16::from_be_bytes([first, second]);
    let little = u16::from_be_bytes([second, first]);
    let known = |di: u16| {
        matches!(di, 0x901f | 0x8102..=0x810a | 0xa010..=0xa01b | 0xd120..=0xd12b)
            || (0x9000..=0x9fff).contains(&di) && (di & 0xf0) == 0x10
    };
    match (known(big), known(little)) {
        (false, true) => (little, "little"),
        _ => (big, "big"),
    }
}

fn function(control: u8) -> &'static str {
    match control & 0x3f {
        0x01 => "read",
        0x03 => "read_address",
        0x04 => "write",
        0x09 => "key_version",
        0x15 => "write_address",
        0x16 => "sync",
        _ => "other",
    }
}

fn read(from_meter: bool, error_reply: bool, di: Option<u16>, kind: u8, rest: &[u8]) -> Data {
    if error_reply {
        return Data::Error { error_bytes: hex(rest.iter().copied()) };
    }
    match (from_meter, di, rest) {
        (_, _, []) => Data::None {},
        (true, Some(0x901f), rest) if matches!(kind, 0x10..=0x19) => match totals(rest) {
            Some(totals) => Data::Totals(totals),
            None => Data::Other { data_hex: hex(rest.iter().copied()) },
        },
        (false, Some(0xa017), [command, ..]) => Data::Valve {
            valve_command: match command {
                0x55 => "open".to_owned(),
                0x99 => "close".to_owned(),
                other => format!("{other:02X}"),
            },
        },
        (_, _, rest) => Data::Other { data_hex: hex(rest.iter().copied()) },
    }
}

/// 19 bytes: total, unit, settlement total, unit, time, status; 6 bytes: total, status.
fn totals(rest: &[u8]) -> Option<Totals> {
    let (status, current_total, unit, settlement, meter_time) = match rest.len() {
        19 => {
            let settlement = (decimal(&rest[5..9]), self::unit(rest[9]));
            (&rest[17..19], decimal(&rest[..4]), self::unit(rest[4]), settlement, time(&rest[10..17]))
        }
        6 => (&rest[4..6], decimal(&rest[..4]), None, (None, None), None),
        _ => return None,
    };
    let word = u16::from_le_bytes([status[0], status[1]]);
    Some(Totals {
        current_total,
        unit,
        settlement_total: settlement.0,
        settlement_unit: settlement.1,
        meter_time,
        status_hex: format!("{word:04X}"),
        valve: match word & 0b11 {
            0b00 => "open",
            0b01 => "closed",
            0b11 => "fault",
            _ => "unknown",
        },
        battery_low: word & 0b100 != 0,
    })
}

/// Four BCD bytes, low first, two decimals; nothing when a half byte is no digit.
fn decimal(bytes: &[u8]) -> Option<String> {
    let whole = bytes.iter().rev().try_fold(0u64, |n, b| bcd(*b).map(|d| n * 100 + u64::from(d)))?;
    Some(format!("{}.{:02}", whole / 100, whole % 100))
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
    let d: Vec<u8> = bytes.iter().map(|b| bcd(*b)).collect::<Option<_>>()?;
    let year = i16::from(d[6]) * 100 + i16::from(d[5]);
    let small = |n: u8| i8::try_from(n).ok();
    let day = jiff::civil::Date::new(year, small(d[4])?, small(d[3])?).ok()?;
    let clock = jiff::civil::Time::new(small(d[2])?, small(d[1])?, small(d[0])?, 0).ok()?;
    (year > 1999).then(|| format!("{day}T{clock}+08:00"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        text.split_whitespace().map(|b| u8::from_str_radix(b, 16).unwrap()).collect()
    }

    const READING: &str = "FE FE FE 68 10 01 00 00 05 08 00 00 81 16 90 1F 00 00 23 01 00 2C 00 00 00 00 2C \
        00 00 00 00 00 00 00 00 00 48 16";

    #[test]
    fn a_reading_is_a_decimal_string() {
        let frame = decode(&bytes(READING)).unwrap();
        let Data::Totals(totals) = frame.data else { panic!("{frame:?}") };
        assert_eq!(totals.current_total.as_deref(), Some("123.00"));
        assert_eq!((totals.unit, totals.meter_time, totals.valve), (Some("m3"), None, "open"));
        assert_eq!(frame.address, "00000805000001");
    }

    #[test]
    fn a_wrong_checksum_names_both_sums() {
        let mut frame = bytes(READING);
        let at = frame.len() - 2;
        frame[at] = 0x49;
        let rejected = decode(&frame).unwrap_err();
        assert_eq!(
            (rejected.error, rejected.got.as_deref(), rejected.want.as_deref()),
            ("checksum", Some("49"), Some("48"))
        );
    }

    #[test]
    fn half_byte_letters_are_no_digits() {
        assert_eq!(decimal(&[0x1a, 0, 0, 0]), None);
        assert_eq!(time(&[0x00, 0x00, 0x24, 0x01, 0x01, 0x26, 0x20]), None);
    }

    #[test]
    fn identifiers_come_in_either_order() {
        assert_eq!(identifier(0x1f, 0x90), (0x901f, "little"));
        assert_eq!(identifier(0x0a, 0x81), (0x810a, "little"));
        assert_eq!(identifier(0x90, 0x1f), (0x901f, "big"));
    }

    #[test]
    fn a_stream_is_taken_apart() {
        let one = bytes(READING);
        let mut stream = vec![0x11, 0x22];
        stream.extend(&one);
        stream.extend(&one[..9]);
        let (used, frame) = next_frame(&stream);
        assert_eq!(frame.unwrap(), &one[..]);
        assert_eq!(next_frame(&stream[used..]).1, None);
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..150), data in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode(&bytes);
            let _ = next_frame(&bytes);
            let mut frame = vec![0x68, 0x10, 1, 2, 3, 4, 5, 6, 7, 0x81, data.len() as u8];
            frame.extend(&data);
            frame.push(frame.iter().fold(0u8, |s, b| s.wrapping_add(*b)));
            frame.push(0x16);
            prop_assert!(decode(&frame).is_ok());
        }
    }
}
