//! Fire devices by GB/T 26875.3-2011: user information transmission devices over TCP or UDP. Source: `devices.md` §2.
//!
//! `40 40`, serial, version, time, source, destination, length, command, data unit, checksum, `23 23`; everything low
//! byte first. A good frame is confirmed and a bad one denied, with the serial it came with.

mod unit;

use serde::Serialize;

use super::{CITY, Head, Hex, Rejected, clock_text};
pub use unit::{Object, Unit};

/// Name of the protocol.
pub const PROTOCOL: &str = "gb26875.3";

/// Bytes before the data unit.
const HEAD: usize = 27;
/// Bytes after it.
const TAIL: usize = 3;
/// Longest data unit.
const DATA_MAX: usize = 1024;

/// A decoded frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// Always `gb26875.3`.
    pub protocol: &'static str,
    /// Serial; an answer repeats it.
    pub seq: u16,
    /// Main and user version, `1.1`.
    pub version: Version,
    /// The device's clock on the city's time; absent when it is no time.
    pub time: Option<String>,
    /// Source address, high byte first.
    pub source_addr_hex: String,
    /// Destination address, high byte first.
    pub dest_addr_hex: String,
    /// Bytes of the data unit.
    pub app_len: usize,
    /// control, send, confirm, request, answer, deny or other.
    pub command: &'static str,
    /// What the data unit says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<Unit>,
}

/// Main and user version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(pub u8, pub u8);

impl Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(&format_args!("{}.{}", self.0, self.1))
    }
}

/// Decodes one frame.
///
/// # Errors
/// When start, length, checksum, end or clock coding are not those of the standard.
pub fn decode(frame: &[u8]) -> Result<Frame, Rejected> {
    let body = checked(frame)?;
    let unit = &body[HEAD..];
    Ok(Frame {
        protocol: PROTOCOL,
        seq: u16::from_le_bytes([body[2], body[3]]),
        version: Version(body[4], body[5]),
        time: clock(six(body, 6))?,
        source_addr_hex: Hex::low_first(six(body, 12)).to_string(),
        dest_addr_hex: Hex::low_first(six(body, 18)).to_string(),
        app_len: unit.len(),
        command: match body[26] {
            1 => "control",
            2 => "send",
            3 => "confirm",
            4 => "request",
            5 => "answer",
            6 => "deny",
            _ => "other",
        },
        app: (!unit.is_empty()).then(|| unit::read(unit)),
    })
}

/// Head and data unit of a frame whose ends, length and sum are right.
fn checked(frame: &[u8]) -> Result<&[u8], Rejected> {
    let bad = |error, reason: &str| Rejected::new(PROTOCOL, error, reason);
    if !frame.starts_with(&[0x40, 0x40]) {
        return Err(bad("start", "帧应以 40 40 开头"));
    }
    if frame.len() < HEAD + TAIL {
        return Err(bad("length", "帧不完整，至少 30 个字节").found(frame.len().to_string(), "30"));
    }
    let length = usize::from(u16::from_le_bytes([frame[24], frame[25]]));
    if length > DATA_MAX {
        return Err(bad("length", "应用数据单元最长 1024 字节").found(length.to_string(), "1024"));
    }
    let whole = HEAD + length + TAIL;
    if frame.len() != whole {
        let rejected = bad("length", "帧的字节数与第 25、26 字节的长度不符");
        return Err(rejected.found(frame.len().to_string(), whole.to_string()));
    }
    let (body, tail) = frame.split_at(HEAD + length);
    let want = sum(body);
    if tail[0] != want {
        return Err(Rejected::checksum(PROTOCOL, tail[0], want));
    }
    if tail[1..] != [0x23, 0x23] {
        let end = Hex([tail[1], tail[2]]).to_string();
        return Err(bad("end", "帧应以 23 23 结尾").found(end, "2323"));
    }
    Ok(body)
}

/// The low byte of the sum from the serial to the end of the data unit.
fn sum(body: &[u8]) -> u8 {
    body[2..].iter().fold(0, |sum, b| sum.wrapping_add(*b))
}

fn six(body: &[u8], at: usize) -> [u8; 6] {
    std::array::from_fn(|n| body[at + n])
}

/// The answer to a frame: confirm or deny, with its serial and the addresses turned round.
///
/// `frame` must hold at least a head; a shorter one cannot be answered.
pub fn answer(frame: &[u8], good: bool) -> Option<Vec<u8>> {
    let head = frame.get(..HEAD)?;
    let mut out = Vec::with_capacity(HEAD + TAIL);
    out.extend_from_slice(&head[..12]);
    out.extend_from_slice(&head[18..24]);
    out.extend_from_slice(&head[12..18]);
    out.extend_from_slice(&[0, 0, if good { 3 } else { 6 }]);
    let sum = sum(&out);
    out.extend_from_slice(&[sum, 0x23, 0x23]);
    Some(out)
}

/// Takes the first whole frame off a stream: `(bytes used, frame)`; noise is used up, `None` waits for more.
///
/// A frame whose end is not where its length says is skipped by one byte, so that what follows is still found.
pub fn next_frame(stream: &[u8]) -> (usize, Option<&[u8]>) {
    super::next_frame(stream, head, |frame| checked(frame).is_ok())
}

fn head(stream: &[u8]) -> Head<'_> {
    match stream {
        [0x40, 0x40, ..] => {}
        [0x40] => return Head::Short,
        _ => return Head::Noise,
    }
    let Some(head) = stream.get(..HEAD) else { return Head::Short };
    let length = usize::from(u16::from_le_bytes([head[24], head[25]]));
    if length > DATA_MAX {
        return Head::Noise;
    }
    match stream.get(..HEAD + length + TAIL) {
        None => Head::Short,
        Some(frame) if frame.ends_with(&[0x23, 0x23]) => Head::Frame(frame),
        Some(_) => Head::Noise,
    }
}

/// Six plain binary bytes: second, minute, hour, day, month, year − 2000, on the city's clock.
fn time(bytes: [u8; 6]) -> Option<String> {
    let [second, minute, hour, day, month, year] = bytes;
    clock_text((2000 + i16::from(year), month, day), (hour, minute, second), CITY)
}

/// The clock of a frame. One that was never set is no reason to refuse a fire. One in BCD is: read as binary it gives
/// wrong times on most days, and the maker must hear of it when the device is put up.
fn clock(bytes: [u8; 6]) -> Result<Option<String>, Rejected> {
    // Only looked at when both halves are digits.
    let decimal = |b: u8| (b >> 4).wrapping_mul(10).wrapping_add(b & 0x0f);
    let digits = bytes.iter().all(|b| b >> 4 < 10 && b & 0x0f < 10);
    let time = time(bytes);
    let meant = bytes.map(decimal);
    if time.is_none() && digits && self::time(meant).is_some() {
        let rejected = Rejected::new(PROTOCOL, "time", "时间标签应为二进制，不是 BCD 码");
        return Err(rejected.found(Hex(bytes).to_string(), Hex(meant).to_string()));
    }
    Ok(time)
}
