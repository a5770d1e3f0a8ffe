//! Meters by CJ/T 188 (water, heat, gas), as frames of a gateway. Source: `devices.md` §3.
//!
//! `FE`×0–4, `68`, type, 7 address bytes (BCD, low first), control, length, data, checksum, `16`. Totals are decimal
//! strings: a reading is money to somebody and must not pass through a float.

mod totals;

use serde::Serialize;

use super::{Head, Hex, HexBytes, Rejected, water::Count};
pub use totals::{Hundredths, Status, Totals};

/// Name of the protocol.
pub const PROTOCOL: &str = "cjt188";

/// Longest data the protocol allows.
const DATA_MAX: usize = 0x64;
/// Bytes of a frame around its data: start, type, address, control, length, checksum, end.
const AROUND: usize = 13;
/// Most waking bytes before a frame. The protocol says four; radio gateways send more.
const PREAMBLE_MAX: usize = 16;

/// A decoded frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// Always `cjt188`.
    pub protocol: &'static str,
    /// How many `FE` came before.
    pub preamble: usize,
    /// `10` cold water, `11` hot … as hex.
    pub meter_type: Hex<1>,
    /// Fourteen digits, high byte first; all `A` asks any meter.
    pub address: Hex<7>,
    /// The control byte as hex.
    pub control: Hex<1>,
    /// Bit 7 of it.
    pub from_meter: bool,
    /// Bit 6 of it.
    pub error_reply: bool,
    /// What its low bits mean.
    pub function: &'static str,
    /// Data identifier, as written in the standard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub di: Option<Hex<2>>,
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
    /// Totals of a meter.
    Totals(Totals),
    /// Open or close.
    Valve {
        /// `open`, `close` or the raw byte.
        valve_command: String,
    },
    /// What the meter answers to a valve command.
    State(Status),
    /// The meter could not answer.
    Error {
        /// The raw bytes.
        error_bytes: HexBytes,
    },
    /// Anything else, kept raw.
    Other {
        /// The raw bytes.
        data_hex: HexBytes,
    },
    /// Nothing beyond the identifier.
    None {},
}

impl Frame {
    /// What a water meter counted, when the frame is a total from one.
    pub fn water(&self) -> Option<Count> {
        match &self.data {
            Data::Totals(totals) if self.from_meter && (0x10..=0x19).contains(&self.meter_type.0[0]) => {
                totals.count()
            }
            _ => None,
        }
    }

    /// The meter's own time, when its clock was set.
    pub fn meter_time(&self) -> Option<&str> {
        match &self.data {
            Data::Totals(totals) => totals.meter_time.as_deref(),
            _ => None,
        }
    }
}

/// Decodes one frame with the waking bytes before it.
///
/// # Errors
/// When start, length, checksum or end are not those of the protocol.
pub fn decode(bytes: &[u8]) -> Result<Frame, Rejected> {
    let preamble = preamble(bytes);
    let body = checked(&bytes[preamble..])?;
    let (control, data) = (body[9], &body[11..]);
    let (from_meter, error_reply) = (control & 0x80 != 0, control & 0x40 != 0);
    let identifier = data.get(..2).map(|di| identifier(di[0], di[1]));
    let rest = data.get(3..).unwrap_or_default();
    Ok(Frame {
        protocol: PROTOCOL,
        preamble,
        meter_type: Hex([body[1]]),
        address: Hex::low_first(std::array::from_fn(|n| body[2 + n])),
        control: Hex([control]),
        from_meter,
        error_reply,
        function: function(control),
        di: identifier.map(|(di, _)| Hex(di.to_be_bytes())),
        di_byte_order: identifier.map(|(_, order)| order),
        ser: data.get(2).copied(),
        data: read(control, identifier.map(|(di, _)| di), rest),
    })
}

/// Everything before the checksum of a frame whose ends, length and sum are right.
fn checked(frame: &[u8]) -> Result<&[u8], Rejected> {
    let bad = |error, reason: &str| Rejected::new(PROTOCOL, error, reason);
    if frame.first() != Some(&0x68) {
        return Err(bad("start", "帧应以 68 开头（前面可有最多 4 个 FE）"));
    }
    if frame.len() < AROUND {
        return Err(bad("length", "帧不完整，至少 13 个字节").found(frame.len().to_string(), "13"));
    }
    let length = usize::from(frame[10]);
    if length > DATA_MAX {
        return Err(bad("length", "数据长度最多为 64H").found(format!("{length:02X}"), "64"));
    }
    if frame.len() != AROUND + length {
        let rejected = bad("length", "帧的字节数与长度字节不符");
        return Err(rejected.found(frame.len().to_string(), (AROUND + length).to_string()));
    }
    let (body, tail) = frame.split_at(11 + length);
    let want = body.iter().fold(0u8, |sum, b| sum.wrapping_add(*b));
    if tail[0] != want {
        return Err(Rejected::checksum(PROTOCOL, tail[0], want));
    }
    if tail[1] != 0x16 {
        return Err(bad("end", "帧应以 16 结尾").found(Hex([tail[1]]).to_string(), "16"));
    }
    Ok(body)
}

fn preamble(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| **b == 0xfe).count()
}

/// Takes the first whole frame off a stream: `(bytes used, frame)`; noise is used up, `None` waits for more.
pub fn next_frame(stream: &[u8]) -> (usize, Option<&[u8]>) {
    super::next_frame(stream, head, |frame| checked(&frame[preamble(frame)..]).is_ok())
}

fn head(stream: &[u8]) -> Head<'_> {
    let preamble = preamble(&stream[..stream.len().min(PREAMBLE_MAX + 1)]);
    match stream.get(preamble) {
        _ if preamble > PREAMBLE_MAX => return Head::Noise,
        None => return Head::Short,
        Some(0x68) => {}
        Some(_) => return Head::Noise,
    }
    let length = match stream.get(preamble + 10) {
        None => return Head::Short,
        Some(length) if usize::from(*length) > DATA_MAX => return Head::Noise,
        Some(length) => usize::from(*length),
    };
    match stream.get(..preamble + AROUND + length) {
        None => Head::Short,
        Some(frame) if frame.ends_with(&[0x16]) => Head::Frame(frame),
        Some(_) => Head::Noise,
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

/// What follows identifier and serial.
fn read(control: u8, di: Option<u16>, rest: &[u8]) -> Data {
    const TOTALS: u16 = 0x901f;
    const VALVE: u16 = 0xa017;
    let raw = || HexBytes(rest.to_vec());
    if control & 0x40 != 0 {
        return Data::Error { error_bytes: raw() };
    }
    match (control & 0x80 != 0, di, rest) {
        (_, _, []) => Data::None {},
        (true, Some(TOTALS), rest) => {
            Totals::read(rest).map_or_else(|| Data::Other { data_hex: raw() }, Data::Totals)
        }
        (true, Some(VALVE), [low, high]) => Data::State(Status::new([*low, *high])),
        (false, Some(VALVE), [command, ..]) => Data::Valve {
            valve_command: match command {
                0x55 => "open".to_owned(),
                0x99 => "close".to_owned(),
                other => format!("{other:02X}"),
            },
        },
        (_, _, _) => Data::Other { data_hex: raw() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_come_in_either_order() {
        assert_eq!(identifier(0x1f, 0x90), (0x901f, "little"));
        assert_eq!(identifier(0x0a, 0x81), (0x810a, "little"));
        assert_eq!(identifier(0x17, 0xa0), (0xa017, "little"));
        assert_eq!(identifier(0x90, 0x1f), (0x901f, "big"));
        assert_eq!(identifier(0x12, 0x34), (0x1234, "big"));
    }
}
