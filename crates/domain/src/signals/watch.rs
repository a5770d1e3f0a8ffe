//! The bracket protocol of elder watches (3G, SG, CS, ZJ), as text over TCP. Source: `devices.md` §1.
//!
//! A frame is `[VV*ID*LLLL*CONTENT]` or `[VV*ID*IIII*LLLL*CONTENT]`. Makers send wrong lengths, so the brackets decide
//! where a frame ends and the length is only compared. Numbers that cannot be read are left out; a frame is refused
//! only when it cannot be told who sent what.

use serde::Serialize;

use super::Rejected;

/// Name of the protocol.
pub const PROTOCOL: &str = "watch";

/// Longest frame: a voice message of ten seconds has room to spare.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// Most cells read from one position; phones hear about seven.
const CELLS_MAX: usize = 32;

/// A mobile cell heard by the watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Location area code.
    pub lac: i64,
    /// Cell id.
    pub cid: i64,
    /// Strength as the watch tells it.
    pub rssi: Option<i64>,
}

/// A position with the state of the watch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Position {
    /// The watch's clock, `2014-04-22T13:46:52Z`; absent when it makes no sense.
    pub time_utc: Option<String>,
    /// Whether the watch trusts its satellites.
    pub fix_valid: bool,
    /// Degrees north.
    pub lat: Option<f64>,
    /// Degrees east.
    pub lon: Option<f64>,
    /// Speed in km/h.
    pub speed_kmh: Option<f64>,
    /// Course in degrees.
    pub course: Option<f64>,
    /// Metres above the sea.
    pub altitude_m: Option<f64>,
    /// Satellites heard.
    pub satellites: Option<i64>,
    /// Mobile signal 0–100.
    pub gsm: Option<i64>,
    /// Battery 0–100.
    pub battery_pct: Option<i64>,
    /// Steps counted.
    pub steps: Option<i64>,
    /// Rolls counted.
    pub rolls: Option<i64>,
    /// The status word, 8 hex digits.
    pub status_hex: Option<String>,
    /// States in the status word.
    pub states: Vec<&'static str>,
    /// Alarms in the status word.
    pub alarms: Vec<&'static str>,
    /// Mobile country code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcc: Option<i64>,
    /// Mobile network code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mnc: Option<i64>,
    /// Cells heard.
    pub cells: Vec<Cell>,
}

/// What a frame says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
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
    /// Where I am.
    Position(Box<Position>),
    /// Something is wrong, and where.
    Alarm(Box<Position>),
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
    pub body: Body,
    /// What to answer, once the event is stored.
    pub reply: Option<String>,
}

/// Decodes one frame, brackets included.
///
/// # Errors
/// When brackets or head are not those of the protocol.
pub fn decode(frame: &[u8]) -> Result<Frame<'_>, Rejected> {
    let bad = |error, reason: &str| Rejected::new(PROTOCOL, error, reason);
    let trimmed = trim(frame);
    let inner = trimmed
        .strip_prefix(b"[")
        .and_then(|f| f.strip_suffix(b"]"))
        .ok_or_else(|| bad("frame", "帧应以 [ 开头、以 ] 结尾"))?;
    let mut stars = inner.iter().enumerate().filter(|(_, b)| **b == b'*').map(|(n, _)| n);
    let too_few = || bad("head", "帧头应为 厂商*设备号*长度*内容");
    let (first, second, third) = (
        stars.next().ok_or_else(too_few)?,
        stars.next().ok_or_else(too_few)?,
        stars.next().ok_or_else(too_few)?,
    );
    let text =
        |from: usize, to: usize| std::str::from_utf8(inner.get(from..to).unwrap_or_default()).unwrap_or("");
    let vendor = text(0, first);
    if vendor.len() != 2 || !vendor.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(bad("vendor", "厂商代码应为两个字符，如 3G、SG、CS、ZJ"));
    }
    let device_id = text(first + 1, second);
    if !(device_id.len() == 10 || device_id.len() == 15) || !device_id.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad("device_id", "设备号应为 10 位数字或 15 位 IMEI"));
    }
    let third_word = text(second + 1, third);
    // With a counter the length stands one star further on, and is again four hex digits.
    let fourth = stars.next().filter(|at| hex4(text(third + 1, *at)));
    let (index, length, content_at) = match fourth {
        Some(at) if hex4(third_word) => (Some(third_word), text(third + 1, at), at + 1),
        _ => (None, third_word, third + 1),
    };
    if !hex4(length) {
        return Err(bad("length", "长度应为四位十六进制数"));
    }
    let declared_len =
        usize::from_str_radix(length, 16).map_err(|_| bad("length", "长度应为四位十六进制数"))?;
    let content = inner.get(content_at..).unwrap_or_default();
    let comma = content.iter().position(|b| *b == b',').unwrap_or(content.len());
    let word = std::str::from_utf8(&content[..comma]).unwrap_or("");
    if word.is_empty() || !word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(bad("type", "内容的第一个词应是消息类型，如 LK、UD、AL"));
    }
    let rest = content.get(comma + 1..).unwrap_or_default();
    let (body, answer) = read(word, rest);
    let reply = answer.map(|answer| {
        let counter = index.map(|i| format!("{i}*")).unwrap_or_default();
        format!("[{vendor}*{device_id}*{counter}{:04X}*{answer}]", answer.len())
    });
    let actual_len = content.len();
    Ok(Frame {
        protocol: PROTOCOL,
        vendor,
        device_id,
        index,
        declared_len,
        actual_len,
        len_ok: declared_len == actual_len,
        word,
        body,
        reply,
    })
}

/// Takes the first whole frame off a stream: `(bytes used, frame)`. Noise before a frame is used up; `None` waits for
/// more. A start without an end within the limit is noise.
pub fn next_frame(stream: &[u8]) -> (usize, Option<&[u8]>) {
    let Some(start) = stream.iter().position(|b| *b == b'[') else { return (stream.len(), None) };
    match stream[start..].iter().position(|b| *b == b']') {
        Some(end) => (start + end + 1, Some(&stream[start..=start + end])),
        None if stream.len() - start > FRAME_BYTES_MAX => (start + 1, None),
        None => (start, None),
    }
}

fn trim(frame: &[u8]) -> &[u8] {
    frame.trim_ascii()
}

fn hex4(text: &str) -> bool {
    text.len() == 4 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// What the content says, and the word to answer with.
fn read<'a>(word: &'a str, rest: &[u8]) -> (Body, Option<&'a str>) {
    let text = std::str::from_utf8(rest).unwrap_or("");
    let mut fields = text.split(',').map(str::trim);
    let mut number = || fields.next().and_then(|f| f.parse().ok());
    match word {
        "LK" => (Body::Heartbeat { steps: number(), rolls: number(), battery_pct: number() }, Some("LK")),
        "UD" | "UD2" | "UD3" | "UD_LTE" | "UD_WCDMA" | "WT" => {
            (Body::Position(Box::new(position(text))), None)
        }
        _ if word.starts_with("AL") => (Body::Alarm(Box::new(position(text))), Some("AL")),
        "PULSE" | "heart" => (vital(number(), None, None, None), None),
        "BLOOD" => (vital(None, number(), number(), None), None),
        "bphrt" => {
            let (systolic, diastolic) = (number(), number());
            (vital(number(), systolic, diastolic, None), None)
        }
        "btemp2" => {
            let valid = number();
            let temperature = text.split(',').nth(1).and_then(|f| f.trim().parse::<f64>().ok());
            (vital(None, None, None, temperature.filter(|t| valid != Some(0) && t.is_finite())), None)
        }
        "TKQ" | "TKQ2" => (Body::Control, Some(word)),
        "TK" => (Body::Voice { bytes: unescaped(rest) }, None),
        "JXTK" => (Body::Voice { bytes: unescaped(rest) }, Some("JXTKR,1")),
        "INIT" => (Body::Control, Some("INIT,1")),
        _ => (Body::Other, None),
    }
}

fn vital(
    heart_rate: Option<i64>,
    systolic: Option<i64>,
    diastolic: Option<i64>,
    temperature: Option<f64>,
) -> Body {
    Body::Vital { heart_rate, systolic, diastolic, temperature }
}

/// Bytes of binary content after 0x7D escapes.
fn unescaped(bytes: &[u8]) -> usize {
    let escapes = bytes.windows(2).filter(|w| w[0] == 0x7d && (1..=5).contains(&w[1])).count();
    bytes.len() - escapes
}

fn position(text: &str) -> Position {
    let fields: FieldReader<'_> = FieldReader { fields: text.split(',') };
    fields.read()
}

struct FieldReader<'a> {
    fields: std::str::Split<'a, char>,
}

impl<'a> FieldReader<'a> {
    fn word(&mut self) -> &'a str {
        self.fields.next().unwrap_or("").trim()
    }

    fn int(&mut self) -> Option<i64> {
        self.word().parse().ok()
    }

    fn real(&mut self) -> Option<f64> {
        self.word().parse().ok().filter(|x: &f64| x.is_finite())
    }

    /// A coordinate and its hemisphere: south and west are negative whatever sign was sent, north and east keep it.
    fn coordinate(&mut self, limit: f64) -> Option<f64> {
        let value = self.real();
        let side = self.word();
        value.map(|v| if matches!(side, "S" | "W") { -v.abs() } else { v }).filter(|v| v.abs() <= limit)
    }

    fn read(mut self) -> Position {
        let (date, clock) = (self.word(), self.word());
        let fix_valid = self.word() == "A";
        let (lat, lon) = (self.coordinate(90.0), self.coordinate(180.0));
        let (speed_kmh, course, altitude_m) = (self.real(), self.real(), self.real());
        let (satellites, gsm, battery_pct) = (self.int(), self.int(), self.int());
        let (steps, rolls) = (self.int(), self.int());
        let status = u32::from_str_radix(self.word(), 16).ok();
        let (mut mcc, mut mnc, mut cells) = (None, None, Vec::new());
        // What follows differs by device; a tail that cannot be read never costs the position.
        let count = self.int().and_then(|n| usize::try_from(n).ok()).unwrap_or(0).min(CELLS_MAX);
        if count > 0 {
            let _timing_advance = self.word();
            (mcc, mnc) = (self.int(), self.int());
            for _ in 0..count {
                let (Some(lac), Some(cid)) = (self.int(), self.int()) else { break };
                cells.push(Cell { lac, cid, rssi: self.int() });
            }
        }
        let bits = |names: &[(u32, &'static str)]| -> Vec<&'static str> {
            let status = status.unwrap_or(0);
            names.iter().filter(|(bit, _)| status & (1 << bit) != 0).map(|(_, name)| *name).collect()
        };
        let mut alarms = bits(&ALARMS);
        alarms.dedup();
        Position {
            time_utc: time(date, clock),
            fix_valid,
            lat,
            lon,
            speed_kmh,
            course,
            altitude_m,
            satellites,
            gsm,
            battery_pct,
            steps,
            rolls,
            status_hex: status.map(|s| format!("{s:08X}")),
            states: bits(&STATES),
            alarms,
            mcc,
            mnc,
            cells,
        }
    }
}

/// Low bits of the status word. Bit 3 means different things on different watches and never alarms.
const STATES: [(u32, &str); 6] = [
    (0, "low_battery"),
    (1, "out_of_fence"),
    (2, "in_fence"),
    (3, "strap_bit3"),
    (4, "moving"),
    (14, "power_cut"),
];

/// High bits of the status word.
const ALARMS: [(u32, &str); 7] = [
    (16, "sos"),
    (17, "low_battery"),
    (18, "left_fence"),
    (19, "entered_fence"),
    (20, "taken_off"),
    (21, "fall"),
    (22, "fall"),
];

/// `220414` and `134652` are 2014-04-22 13:46:52 UTC.
fn time(date: &str, clock: &str) -> Option<String> {
    let pair = |text: &str, at: usize| -> Option<i8> { text.get(at..at + 2)?.parse().ok() };
    if date.len() != 6 || clock.len() != 6 {
        return None;
    }
    let year = 2000 + i16::from(pair(date, 4)?);
    let day = jiff::civil::Date::new(year, pair(date, 2)?, pair(date, 0)?).ok()?;
    let time = jiff::civil::Time::new(pair(clock, 0)?, pair(clock, 2)?, pair(clock, 4)?, 0).ok()?;
    Some(format!("{day}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_sos_is_an_alarm_and_is_answered() {
        let frame = decode(
            b"[3G*8809008845*00C0*AL,271219,094744,V,00.000000,N, 0.0000000,E,0.00,0.0,0.0,0,100,81,0,0,00010000,1,0,460,0,9336,3981,141]",
        )
        .unwrap();
        let Body::Alarm(position) = &frame.body else { panic!("{frame:?}") };
        assert_eq!(position.alarms, ["sos"]);
        assert_eq!(position.time_utc.as_deref(), Some("2019-12-27T09:47:44Z"));
        assert_eq!(frame.reply.as_deref(), Some("[3G*8809008845*0002*AL]"));
        assert!(!frame.len_ok, "a wrong length is told and forgiven");
    }

    #[test]
    fn a_counter_is_told_from_a_length() {
        let frame = decode(b"[ZJ*357653059860416*0007*000c*BLOOD,109,68]").unwrap();
        assert_eq!((frame.index, frame.len_ok), (Some("0007"), true));
        assert_eq!(frame.body, vital(None, Some(109), Some(68), None));
    }

    #[test]
    fn south_and_west_are_negative_whatever_sign_was_sent() {
        for lat in ["33.5,S", "-33.5,S", "-33.5,N"] {
            let text =
                format!("[3G*6105117105*008D*UD,210716,231601,A,{lat},70.5,W,0,0,0,0,100,34,0,0,00000000]");
            let frame = decode(text.as_bytes()).unwrap();
            let Body::Position(p) = frame.body else { panic!() };
            assert_eq!((p.lat, p.lon), (Some(-33.5), Some(-70.5)), "{lat}");
        }
    }

    #[test]
    fn rubbish_is_refused_with_a_reason() {
        for (bad, error) in [
            ("", "frame"),
            ("[3G*4700186508*0002*LK", "frame"),
            ("[3G*4700186508]", "head"),
            ("[3*4700186508*0002*LK]", "vendor"),
            ("[3G*47001x6508*0002*LK]", "device_id"),
            ("[3G*4700186508*2*LK]", "length"),
            ("[3G*4700186508*0000*]", "type"),
        ] {
            assert_eq!(decode(bad.as_bytes()).unwrap_err().error, error, "{bad}");
        }
    }

    #[test]
    fn glued_and_halved_frames_are_taken_apart() {
        let stream = b"noise[3G*4700186508*0002*LK][3G*4700186508*00";
        let (used, frame) = next_frame(stream);
        assert_eq!(frame.unwrap(), b"[3G*4700186508*0002*LK]");
        assert_eq!(next_frame(&stream[used..]), (0, None));
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), word in "(LK|UD|AL|TK|heart|INIT)") {
            let _ = decode(&bytes);
            let mut frame = format!("[3G*4700186508*0002*{word},").into_bytes();
            frame.extend(&bytes);
            frame.push(b']');
            let _ = decode(&frame);
            let _ = next_frame(&frame);
        }
    }
}
