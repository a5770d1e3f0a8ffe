//! Fire devices by GB/T 26875.3-2011: user information transmission devices over TCP or UDP. Source: `devices.md` §2.
//!
//! `40 40`, serial, version, time, source, destination, length, command, data unit, checksum, `23 23`; everything low
//! byte first. A good frame is confirmed and a bad one denied, with the serial it came with.

use encoding_rs::GB18030;
use serde::Serialize;

use super::{Rejected, hex};

/// Name of the protocol.
pub const PROTOCOL: &str = "gb26875.3";

/// Bytes before the data unit.
const HEAD: usize = 27;
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
    pub version: String,
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

/// The data unit of a frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// Type of its objects.
    #[serde(rename = "type")]
    pub kind: u8,
    /// How many it says.
    pub count: u8,
    /// The objects that could be read.
    pub objects: Vec<Object>,
    /// Whether every byte was understood.
    pub consumed: bool,
    /// What was not understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_hex: Option<String>,
}

/// One object: only the fields its type has.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "fields are named as in the standard")]
#[serde(default)]
pub struct Object {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_type: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_addr: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component_type: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component_addr_hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analog_type: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analog_value: Option<i16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normal_running: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flags: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
}

/// Decodes one frame.
///
/// # Errors
/// When start, length, checksum, end or clock coding are not those of the standard.
pub fn decode(frame: &[u8]) -> Result<Frame, Rejected> {
    let bad = |error, reason: &str| Rejected::new(PROTOCOL, error, reason);
    if !frame.starts_with(&[0x40, 0x40]) {
        return Err(bad("start", "帧应以 40 40 开头"));
    }
    if frame.len() < HEAD + 3 {
        return Err(bad("length", "帧太短，至少 30 个字节"));
    }
    let length = usize::from(u16::from_le_bytes([frame[24], frame[25]]));
    if length > DATA_MAX {
        return Err(bad("length", "应用数据单元超过 1024 字节"));
    }
    if frame.len() != HEAD + length + 3 {
        let mut rejected = bad("length", "帧的实际长度与数据长度不符");
        rejected.got = Some(frame.len().to_string());
        rejected.want = Some((HEAD + length + 3).to_string());
        return Err(rejected);
    }
    let (body, tail) = frame.split_at(HEAD + length);
    let want = body[2..].iter().fold(0u8, |sum, b| sum.wrapping_add(*b));
    if tail[0] != want {
        return Err(Rejected::checksum(PROTOCOL, tail[0], want));
    }
    if tail[1..] != [0x23, 0x23] {
        return Err(bad("end", "帧应以 23 23 结尾"));
    }
    let unit = &body[HEAD..];
    Ok(Frame {
        protocol: PROTOCOL,
        seq: u16::from_le_bytes([body[2], body[3]]),
        version: format!("{}.{}", body[4], body[5]),
        time: time(&body[6..12]),
        source_addr_hex: hex(body[12..18].iter().rev().copied()),
        dest_addr_hex: hex(body[18..24].iter().rev().copied()),
        app_len: length,
        command: match body[26] {
            1 => "control",
            2 => "send",
            3 => "confirm",
            4 => "request",
            5 => "answer",
            6 => "deny",
            _ => "other",
        },
        app: (!unit.is_empty()).then(|| read_unit(unit)),
    })
}

/// The answer to a frame: confirm or deny, with its serial and the addresses turned round.
///
/// `frame` must hold at least a head; a shorter one cannot be answered.
pub fn answer(frame: &[u8], good: bool) -> Option<Vec<u8>> {
    let head = frame.get(..HEAD)?;
    let mut out = Vec::with_capacity(HEAD + 3);
    out.extend_from_slice(&head[..12]);
    out.extend_from_slice(&head[18..24]);
    out.extend_from_slice(&head[12..18]);
    out.extend_from_slice(&[0, 0, if good { 3 } else { 6 }]);
    let sum = out[2..].iter().fold(0u8, |sum, b| sum.wrapping_add(*b));
    out.extend_from_slice(&[sum, 0x23, 0x23]);
    Some(out)
}

/// Takes the first whole frame off a stream: `(bytes used, frame)`; noise is used up, `None` waits for more.
///
/// A frame whose end is not where its length says is skipped by one byte, so that what follows is still found.
pub fn next_frame(stream: &[u8]) -> (usize, Option<&[u8]>) {
    let Some(start) = stream.windows(2).position(|w| w == [0x40, 0x40]) else {
        return (stream.len() - usize::from(stream.last() == Some(&0x40)), None);
    };
    let rest = &stream[start..];
    let Some(head) = rest.get(..HEAD) else { return (start, None) };
    let length = usize::from(u16::from_le_bytes([head[24], head[25]]));
    if length > DATA_MAX {
        return (start + 1, None);
    }
    let end = HEAD + length + 3;
    match rest.get(..end) {
        None => (start, None),
        Some(frame) if frame.ends_with(&[0x23, 0x23]) => (start + end, Some(frame)),
        Some(_) => (start + 1, None),
    }
}

/// Six plain binary bytes: second, minute, hour, day, month, year − 2000, on the city's clock.
fn time(bytes: &[u8]) -> Option<String> {
    let small = |n: u8| i8::try_from(n).ok();
    let day = jiff::civil::Date::new(2000 + i16::from(bytes[5]), small(bytes[4])?, small(bytes[3])?).ok()?;
    let clock = jiff::civil::Time::new(small(bytes[2])?, small(bytes[1])?, small(bytes[0])?, 0).ok()?;
    Some(format!("{day}T{clock}+08:00"))
}

fn read_unit(unit: &[u8]) -> Unit {
    let (kind, count) = (unit[0], unit.get(1).copied().unwrap_or(0));
    let mut rest = unit.get(2..).unwrap_or_default();
    let mut objects = Vec::new();
    if let Some(size) = size(kind) {
        for _ in 0..count {
            let Some((object, left)) = rest.split_at_checked(size) else { break };
            objects.push(object_of(kind, object));
            rest = left;
        }
    }
    let consumed = rest.is_empty() && objects.len() == usize::from(count) && unit.len() > 1;
    let raw_hex = (!consumed).then(|| hex(rest.iter().copied()));
    Unit { kind, count, objects, consumed, raw_hex }
}

/// Bytes of one object, its time included; nothing for types we keep raw.
fn size(kind: u8) -> Option<usize> {
    match kind {
        1 | 4 => Some(4 + 6),
        2 => Some(40 + 6),
        3 => Some(10 + 6),
        5 => Some(4),
        7 => Some(38),
        8 => Some(2 + 6),
        21 => Some(1 + 6),
        24 => Some(2 + 6),
        28 => Some(6),
        _ => None,
    }
}

fn object_of(kind: u8, bytes: &[u8]) -> Object {
    let word = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let address = |at: usize| hex(bytes[at..at + 4].iter().rev().copied());
    let state = |word: u16, names: &[(u32, &'static str)]| (Some(word & 1 == 1), Some(flags(word, names)));
    let mut object = Object::default();
    if !matches!(kind, 21 | 24 | 28) {
        (object.system_type, object.system_addr) = (Some(bytes[0]), Some(bytes[1]));
    }
    match kind {
        1 => {
            object.status_hex = Some(format!("{:04X}", word(2)));
            (object.normal_running, object.flags) = state(word(2), &SYSTEM);
        }
        2 => {
            object.component_type = Some(bytes[2]);
            object.component_addr_hex = Some(address(3));
            object.status_hex = Some(format!("{:04X}", word(7)));
            (object.normal_running, object.flags) = state(word(7), &COMPONENT);
            object.text = Some(text(&bytes[9..40]));
        }
        3 => {
            object.component_type = Some(bytes[2]);
            object.component_addr_hex = Some(address(3));
            object.analog_type = Some(bytes[7]);
            object.analog_value = Some(i16::from_le_bytes([bytes[8], bytes[9]]));
        }
        4 => (object.operation_hex, object.operator) = (Some(hex([bytes[2]])), Some(bytes[3])),
        7 => {
            object.component_type = Some(bytes[2]);
            object.component_addr_hex = Some(address(3));
            object.text = Some(text(&bytes[7..38]));
        }
        21 => {
            object.status_hex = Some(hex([bytes[0]]));
            (object.normal_running, object.flags) = state(u16::from(bytes[0]), &DEVICE);
        }
        24 => (object.operation_hex, object.operator) = (Some(hex([bytes[0]])), Some(bytes[1])),
        _ => {}
    }
    if matches!(kind, 1..=4 | 8 | 21 | 24 | 28) {
        object.time = time(&bytes[bytes.len() - 6..]);
    }
    object
}

fn flags(word: u16, names: &[(u32, &'static str)]) -> Vec<&'static str> {
    names.iter().filter(|(bit, _)| word & (1 << bit) != 0).map(|(_, name)| *name).collect()
}

/// 31 bytes of GB 18030, filled up with zeros.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    GB18030.decode_without_bom_handling(&bytes[..end]).0.trim().to_owned()
}

const SYSTEM: [(u32, &str); 13] = [
    (1, "fire"),
    (2, "fault"),
    (3, "shielded"),
    (4, "supervised"),
    (5, "started"),
    (6, "feedback"),
    (7, "delayed"),
    (8, "main_power_fault"),
    (9, "backup_power_fault"),
    (10, "bus_fault"),
    (11, "manual"),
    (12, "config_changed"),
    (13, "reset"),
];

const COMPONENT: [(u32, &str); 8] = [
    (1, "fire"),
    (2, "fault"),
    (3, "shielded"),
    (4, "supervised"),
    (5, "started"),
    (6, "feedback"),
    (7, "delayed"),
    (8, "power_fault"),
];

const DEVICE: [(u32, &str); 6] = [
    (1, "fire"),
    (2, "fault"),
    (3, "main_power_fault"),
    (4, "backup_power_fault"),
    (5, "link_fault"),
    (6, "line_fault"),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIRE: &str = "40 40 00 00 01 01 18 0D 11 16 0A 14 00 00 00 00 00 00 06 05 04 03 02 01 30 00 02 02 01 01 03 00 \
        D9 00 06 00 02 00 A3 C1 C7 F8 A3 B1 B2 E3 DF C8 B2 B8 D7 DF C0 C8 00 00 00 00 00 00 00 00 00 00 00 00 00 00 \
        00 30 12 13 01 08 14 68 23 23";

    fn bytes(text: &str) -> Vec<u8> {
        text.split_whitespace().map(|b| u8::from_str_radix(b, 16).unwrap()).collect()
    }

    #[test]
    fn a_smoke_head_tells_of_fire_with_its_place() {
        let frame = decode(&bytes(FIRE)).unwrap();
        let object = &frame.app.as_ref().unwrap().objects[0];
        assert_eq!(object.flags.as_deref(), Some(&["fire"][..]));
        assert_eq!(object.text.as_deref(), Some("Ａ区１层呷哺走廊"));
        assert_eq!(frame.time.as_deref(), Some("2020-10-22T17:13:24+08:00"));
    }

    #[test]
    fn a_bad_frame_is_denied_with_its_serial() {
        let mut frame = bytes(FIRE);
        frame[2] = 7;
        assert_eq!(decode(&frame).unwrap_err().error, "checksum");
        let denied = decode(&answer(&frame, false).unwrap()).unwrap();
        assert_eq!(
            (denied.seq, denied.command, denied.source_addr_hex.as_str()),
            (7, "deny", "010203040506")
        );
    }

    #[test]
    fn a_clock_in_bcd_is_no_time() {
        let mut frame = bytes(FIRE);
        frame[6..12].copy_from_slice(&[0x59, 0x59, 0x23, 0x31, 0x12, 0x20]);
        let at = frame.len() - 3;
        frame[at] = frame[2..at].iter().fold(0u8, |s, b| s.wrapping_add(*b));
        assert_eq!(decode(&frame).unwrap().time, None);
    }

    #[test]
    fn an_unknown_type_is_kept_raw() {
        let mut frame = bytes(FIRE);
        frame[27] = 200;
        let at = frame.len() - 3;
        frame[at] = frame[2..at].iter().fold(0u8, |s, b| s.wrapping_add(*b));
        let unit = decode(&frame).unwrap().app.unwrap();
        assert!(!unit.consumed && unit.objects.is_empty() && unit.raw_hex.unwrap().starts_with("0103"));
    }

    #[test]
    fn noise_before_and_between_frames_is_skipped() {
        let one = bytes(FIRE);
        let mut stream = vec![0x40, 0x01, 0x99];
        stream.extend(&one);
        stream.extend([0x40, 0x40, 0x00]);
        let (used, frame) = next_frame(&stream);
        assert_eq!(frame.unwrap(), &one[..]);
        assert_eq!(next_frame(&stream[used..]), (0, None));
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), unit in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
            let _ = next_frame(&bytes);
            let _ = answer(&bytes, true);
            let mut frame = vec![0x40, 0x40];
            frame.extend([1u8; 22]);
            frame.extend((unit.len() as u16).to_le_bytes());
            frame.push(2);
            frame.extend(&unit);
            frame.push(frame[2..].iter().fold(0u8, |s, b| s.wrapping_add(*b)));
            frame.extend([0x23, 0x23]);
            prop_assert!(decode(&frame).is_ok());
        }
    }
}
