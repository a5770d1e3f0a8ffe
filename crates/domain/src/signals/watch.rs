//! The bracket protocol of elder watches (3G, SG, CS, ZJ), as text over TCP. Source: `devices.md` §1.
//!
//! A frame is `[VV*ID*LLLL*CONTENT]` or `[VV*ID*IIII*LLLL*CONTENT]`. Makers send wrong lengths, so the brackets decide
//! where a frame ends and the length is only compared. Numbers that cannot be read are left out; a frame is refused
//! only when it cannot be told who sent what.

mod fields;
mod position;

use serde::Serialize;

use super::Rejected;
use fields::Fields;
pub use position::{Cell, Position, Wifi};

/// Name of the protocol.
pub const PROTOCOL: &str = "watch";

/// Longest frame: a voice message of ten seconds has room to spare.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// What a frame says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body<'a> {
    /// I am here.
    Heartbeat {
        /// Steps counted.
        #[serde(skip_serializing_if = "Option::is_none")]
        steps: Option<i64>,
        /// Rolls counted.
        #[serde(skip_serializing_if = "Option::is_none")]
        rolls: Option<i64>,
        /// Battery 0–100.
        #[serde(skip_serializing_if = "Option::is_none")]
        battery_pct: Option<i64>,
    },
    /// Where I am. It may carry alarms too: some watches set only the bits.
    Position(Box<Position<'a>>),
    /// Something is wrong, and where.
    Alarm(Box<Position<'a>>),
    /// A measurement.
    Vital {
        /// Beats a minute.
        #[serde(skip_serializing_if = "Option::is_none")]
        heart_rate: Option<i64>,
        /// mm Hg.
        #[serde(skip_serializing_if = "Option::is_none")]
        systolic: Option<i64>,
        /// mm Hg.
        #[serde(skip_serializing_if = "Option::is_none")]
        diastolic: Option<i64>,
        /// Degrees Celsius.
        #[serde(skip_serializing_if = "Option::is_none")]
        temperature: Option<f64>,
    },
    /// A voice message; only its length is told.
    Voice {
        /// Bytes after unescaping.
        bytes: usize,
    },
    /// Configuration and questions.
    Control,
    /// A type we do not know; the frame is kept raw.
    Other,
}

/// A decoded frame.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Frame<'a> {
    /// Always `watch`.
    pub protocol: &'static str,
    /// Two letters of the vendor.
    pub vendor: &'a str,
    /// Ten digits, or fifteen of an IMEI.
    pub device_id: &'a str,
    /// The counter, when the vendor sends one.
    pub index: Option<&'a str>,
    /// Length the frame says.
    pub declared_len: usize,
    /// Length the content has.
    pub actual_len: usize,
    /// Whether both agree.
    pub len_ok: bool,
    /// The first word of the content.
    #[serde(rename = "type")]
    pub word: &'a str,
    /// What it says.
    #[serde(flatten)]
    pub body: Body<'a>,
    /// What to answer, once the event is stored.
    pub reply: Option<String>,
}

/// Decodes one frame, brackets included.
///
/// # Errors
/// When brackets or head are not those of the protocol.
pub fn decode(frame: &[u8]) -> Result<Frame<'_>, Rejected> {
    let frame = frame.trim_ascii();
    if frame.len() > FRAME_BYTES_MAX {
        return Err(Rejected::new(PROTOCOL, "size", format!("帧超过 {FRAME_BYTES_MAX} 字节")));
    }
    let inner = frame
        .strip_prefix(b"[")
        .and_then(|f| f.strip_suffix(b"]"))
        .ok_or_else(|| Rejected::new(PROTOCOL, "frame", "帧应以 [ 开头、以 ] 结尾"))?;
    let head = head_of(inner)?;
    let content = &inner[head.content_at..];
    let (word, rest) = word(content)?;
    let (body, answer) = read(word, rest);
    let Addressed { vendor, device_id, index, .. } = head;
    Ok(Frame {
        protocol: PROTOCOL,
        vendor,
        device_id,
        index,
        declared_len: head.declared_len,
        actual_len: content.len(),
        len_ok: head.declared_len == content.len(),
        word,
        body,
        reply: answer.map(|answer| reply(vendor, device_id, index, answer)),
    })
}

/// The answer with vendor, number and counter of what is answered.
fn reply(vendor: &str, device_id: &str, index: Option<&str>, answer: &str) -> String {
    let length = answer.len();
    let digit = |shift: usize| {
        char::from_digit((length >> shift & 15) as u32, 16).map_or('0', |d| d.to_ascii_uppercase())
    };
    let mut text = String::with_capacity(16 + vendor.len() + device_id.len() + length);
    text.push('[');
    for part in [Some(vendor), Some(device_id), index].into_iter().flatten() {
        text.push_str(part);
        text.push('*');
    }
    text.extend([12, 8, 4, 0].map(digit));
    text.push('*');
    text.push_str(answer);
    text.push(']');
    text
}

/// Takes the first whole frame off a stream: `(bytes used, frame)`. Noise before a frame is used up; `None` waits for
/// more. A start without an end within the limit is noise, and so is one in front of another start.
///
/// Binary content sends the brackets escaped, so they part frames. A network's name may hold one all the same: only an
/// opening bracket with vendor and number behind it begins another frame. One pass, so that a flood of brackets costs
/// no more than their number.
pub fn next_frame(stream: &[u8]) -> (usize, Option<&[u8]>) {
    let mut start = None;
    for (at, byte) in stream.iter().enumerate() {
        match (byte, start) {
            (b'[', None) => start = Some(at),
            (b'[', Some(_)) if begins(&stream[at..]) => start = Some(at),
            (b']', Some(from)) => return (at + 1, Some(&stream[from..=at])),
            (_, Some(from)) if at - from >= FRAME_BYTES_MAX => start = None,
            _ => {}
        }
    }
    (start.unwrap_or(stream.len()), None)
}

/// A bracket, two letters of a vendor, a star and a digit.
fn begins(stream: &[u8]) -> bool {
    matches!(stream, [b'[', v, w, b'*', digit, ..]
        if v.is_ascii_alphanumeric() && w.is_ascii_alphanumeric() && digit.is_ascii_digit())
}

/// What stands before the content.
struct Addressed<'a> {
    vendor: &'a str,
    device_id: &'a str,
    index: Option<&'a str>,
    declared_len: usize,
    content_at: usize,
}

fn head_of(inner: &[u8]) -> Result<Addressed<'_>, Rejected> {
    let bad = |error, reason: &str| Rejected::new(PROTOCOL, error, reason);
    let too_few = || bad("head", "帧头应为 厂商*设备号*长度*内容");
    let mut from = 0;
    let mut part = || {
        let star = inner[from..].iter().position(|b| *b == b'*').map(|n| from + n)?;
        let text = std::str::from_utf8(&inner[from..star]).unwrap_or("");
        from = star + 1;
        Some((text, from))
    };
    let (Some((vendor, _)), Some((device_id, _)), Some((third, after_third))) = (part(), part(), part())
    else {
        return Err(too_few());
    };
    if vendor.len() != 2 || !vendor.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(bad("vendor", "厂商代码应为两个字符，如 3G、SG、CS、ZJ"));
    }
    if !matches!(device_id.len(), 10 | 15) || !device_id.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad("device_id", "设备号应为 10 位数字或 15 位 IMEI"));
    }
    // With a counter the length stands one star further on, and is again four hex digits.
    let longest = (after_third + 5).min(inner.len());
    let fourth = inner[after_third..longest].ends_with(b"*").then(part).flatten();
    let (index, length, content_at) = match (hex4(third), fourth) {
        (Some(_), Some((text, after))) if hex4(text).is_some() => (Some(third), hex4(text), after),
        (length, _) => (None, length, after_third),
    };
    let declared_len =
        length.ok_or_else(|| bad("length", "长度应为四位十六进制数").found(third, "四位十六进制数"))?;
    Ok(Addressed { vendor, device_id, index, declared_len, content_at })
}

fn hex4(text: &str) -> Option<usize> {
    let digits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_hexdigit());
    digits.then(|| usize::from_str_radix(text, 16).ok()).flatten()
}

/// The first word of the content and what follows its comma.
fn word(content: &[u8]) -> Result<(&str, &[u8]), Rejected> {
    let comma = content.iter().position(|b| *b == b',').unwrap_or(content.len());
    let word = std::str::from_utf8(&content[..comma]).unwrap_or("").trim();
    if word.is_empty() || !word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(Rejected::new(PROTOCOL, "type", "内容的第一个词应是消息类型，如 LK、UD、AL"));
    }
    Ok((word, content.get(comma + 1..).unwrap_or_default()))
}

/// What the content says, and the word to answer with.
fn read<'a>(word: &'a str, rest: &'a [u8]) -> (Body<'a>, Option<&'a str>) {
    let mut fields = Fields::of(rest);
    let mut int = || fields.int();
    match word {
        "LK" => (Body::Heartbeat { steps: int(), rolls: int(), battery_pct: int() }, Some("LK")),
        "UD" | "UD2" | "UD3" | "UD_LTE" | "UD_WCDMA" | "WT" => {
            (Body::Position(Box::new(Position::read(fields))), None)
        }
        "PULSE" | "heart" => (vital(int(), None, None, None), None),
        "BLOOD" => (vital(None, int(), int(), None), None),
        "bphrt" => {
            let (systolic, diastolic) = (int(), int());
            (vital(int(), systolic, diastolic, None), None)
        }
        "btemp2" => {
            let valid = int() != Some(0);
            (vital(None, None, None, fields.real().filter(|_| valid)), None)
        }
        "TKQ" | "TKQ2" => (Body::Control, Some(word)),
        "TK" => (Body::Voice { bytes: unescaped(rest) }, None),
        "JXTK" => (Body::Voice { bytes: unescaped(rest) }, Some("JXTKR,1")),
        "INIT" => (Body::Control, Some("INIT,1")),
        _ if word.starts_with("AL") => (Body::Alarm(Box::new(Position::read(fields))), Some("AL")),
        _ => (Body::Other, None),
    }
}

fn vital(
    heart_rate: Option<i64>,
    systolic: Option<i64>,
    diastolic: Option<i64>,
    temperature: Option<f64>,
) -> Body<'static> {
    Body::Vital { heart_rate, systolic, diastolic, temperature }
}

/// Bytes of binary content after its escapes: 7D and 01 to 05 stand for one byte.
fn unescaped(bytes: &[u8]) -> usize {
    let (mut at, mut count) = (0, 0);
    while at < bytes.len() {
        at += if bytes[at] == 0x7d && matches!(bytes.get(at + 1), Some(1..=5)) { 2 } else { 1 };
        count += 1;
    }
    count
}
