//! Captures as people have them: a frame a line as hex or text, several glued on one, documents over many lines, and
//! noise. Each event or reason is told with the line it began on; a bad one never hides the rest.
//!
//! Memory stays within one line or one document, however long the capture is.

mod documents;

use serde::Serialize;

use super::{Rejected, cjt188, fhir, gb26875, mqtt, scaip, watch};
use crate::access::words;
use documents::Documents;

words! {
    /// A language devices speak.
    Protocol {
        /// Elder watches with brackets.
        Watch = "watch" "老人手表",
        /// Fire devices by GB/T 26875.3.
        Gb26875 = "gb26875" "消防用户信息传输装置",
        /// Meters by CJ/T 188.
        Cjt188 = "cjt188" "水表、燃气表",
        /// Social alarms over SIP.
        Scaip = "scaip" "社会照护报警",
        /// JSON over MQTT.
        Mqtt = "mqtt" "物联网传感器",
        /// Measurements as FHIR Observations.
        Fhir = "fhir" "健康测量",
    }
}

/// Longest line taken: some hundred frames glued together.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// What a frame said. As JSON it is the decoder's own object.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "one for each protocol")]
pub enum Event<'a> {
    Watch(watch::Frame<'a>),
    Gb26875(gb26875::Frame),
    Cjt188(cjt188::Frame),
    Scaip(scaip::Message),
    Mqtt(mqtt::Message),
    Fhir(fhir::Observation),
}

/// One event or one reason, and on which line it began.
#[derive(Debug)]
pub struct Told<'a> {
    /// Counted from 1.
    pub line: usize,
    /// What came of it.
    pub result: Result<Event<'a>, Rejected>,
}

/// Reads a capture line by line.
#[derive(Debug)]
pub struct Feed {
    protocol: Protocol,
    line: usize,
    documents: Documents,
}

impl Feed {
    /// Of this protocol.
    pub fn new(protocol: Protocol) -> Feed {
        Feed { protocol, line: 0, documents: Documents::default() }
    }

    /// Takes one line, its end taken off or not.
    pub fn line(&mut self, line: &[u8], tell: &mut dyn FnMut(Told<'_>)) {
        self.line += 1;
        // Some editors begin a file with a mark of its encoding.
        let line = if self.line == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        let at = self.line;
        let idle = self.documents.idle();
        let text = line.trim_ascii();
        if idle && (text.is_empty() || text.starts_with(b"#")) {
            return;
        }
        match self.protocol {
            Protocol::Watch | Protocol::Gb26875 | Protocol::Cjt188 => {
                frames_of_line(self.protocol, text, &mut |_, result| tell(Told { line: at, result }));
            }
            Protocol::Mqtt if idle && !matches!(text[0], b'{' | b'[') => {
                tell(Told { line: at, result: mqtt::decode_line(text).map(Event::Mqtt) });
            }
            Protocol::Scaip => self.documents.xml_line(at, line, &mut |at, document| {
                tell(Told { line: at, result: scaip::decode(document).map(Event::Scaip) });
            }),
            Protocol::Mqtt | Protocol::Fhir => {
                let protocol = self.protocol;
                self.documents.json_line(at, line, &mut |at, document| {
                    json_document(protocol, document, &mut |result| tell(Told { line: at, result }));
                });
            }
        }
    }

    /// A line that was too long to be kept.
    pub fn line_too_long(&mut self, tell: &mut dyn FnMut(Told<'_>)) {
        self.line += 1;
        let reason = format!("一行超过 {LINE_BYTES_MAX} 字节，请每帧一行");
        let result = Err(Rejected::new(self.protocol.name(), "size", reason));
        tell(Told { line: self.line, result });
    }

    /// Tells what was begun and never ended.
    pub fn end(&mut self, tell: &mut dyn FnMut(Told<'_>)) {
        let Some((line, document)) = self.documents.end() else { return };
        match self.protocol {
            Protocol::Scaip => tell(Told { line, result: scaip::decode(&document).map(Event::Scaip) }),
            protocol => json_document(protocol, &document, &mut |result| tell(Told { line, result })),
        }
    }
}

impl Protocol {
    /// The name its objects carry.
    fn name(self) -> &'static str {
        match self {
            Protocol::Watch => watch::PROTOCOL,
            Protocol::Gb26875 => gb26875::PROTOCOL,
            Protocol::Cjt188 => cjt188::PROTOCOL,
            Protocol::Scaip => scaip::PROTOCOL,
            Protocol::Mqtt => mqtt::PROTOCOL,
            Protocol::Fhir => fhir::PROTOCOL,
        }
    }
}

fn json_document(protocol: Protocol, document: &[u8], tell: &mut dyn FnMut(Result<Event<'_>, Rejected>)) {
    if protocol == Protocol::Fhir {
        fhir::decode_each(document, |result| tell(result.map(Event::Fhir)));
    } else {
        tell(mqtt::decode_captured(document).map(Event::Mqtt));
    }
}

/// Takes what came of one frame, or of bytes that are in none, with those bytes.
type Tell<'t> = dyn FnMut(&[u8], Result<Event<'_>, Rejected>) + 't;

/// A line of hex, or for watches of text.
fn frames_of_line(protocol: Protocol, text: &[u8], tell: &mut Tell<'_>) {
    if protocol == Protocol::Watch && text.contains(&b'[') {
        return frames(protocol, text, tell);
    }
    match (from_hex(text), protocol) {
        (Ok(bytes), _) => frames(protocol, &bytes, tell),
        (Err(_), Protocol::Watch) => frames(protocol, text, tell),
        (Err(found), _) => {
            let rejected = Rejected::new(protocol.name(), "hex", "每行应为一帧的十六进制字节");
            tell(text, Err(rejected.found(found, "0–9、A–F，每字节两位")));
        }
    }
}

/// Hex digits with blanks, colons, dashes or commas between the bytes, `0x` before them or not.
///
/// # Errors
/// What is no hex, and where it begins.
pub fn from_hex(text: &[u8]) -> Result<Vec<u8>, String> {
    let (mut bytes, mut high, mut at) = (Vec::with_capacity(text.len() / 2), None, 0);
    while let Some(sign) = text.get(at) {
        match (char::from(*sign).to_digit(16), high) {
            (Some(0), None) if matches!(text.get(at + 1), Some(b'x' | b'X')) => at += 1,
            (Some(digit), None) => high = Some(digit),
            (Some(digit), Some(before)) => {
                bytes.push((before << 4 | digit) as u8);
                high = None;
            }
            (None, None) if matches!(sign, b':' | b'-' | b',') || sign.is_ascii_whitespace() => {}
            (None, _) => {
                let near = String::from_utf8_lossy(&text[at..text.len().min(at + 12)]).into_owned();
                return Err(format!("第 {} 个字符起的 {near}", at + 1));
            }
        }
        at += 1;
    }
    if high.is_some() { Err("最后一个字节只有一位".to_owned()) } else { Ok(bytes) }
}

/// Takes bytes apart that hold whole frames, several frames, or none. Every run of bytes that is in no frame is one
/// refusal, with what is wrong with the frame that seems to begin in it.
pub fn frames(protocol: Protocol, bytes: &[u8], tell: &mut Tell<'_>) {
    let (mut at, mut noise_from) = (0, 0);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (used, frame) = match protocol {
            Protocol::Watch => watch::next_frame(rest),
            Protocol::Gb26875 => gb26875::next_frame(rest),
            _ => cjt188::next_frame(rest),
        };
        at += used;
        let Some(frame) = frame else {
            // No bracket closes any more; of the others another start may follow.
            let hopeless = protocol == Protocol::Watch;
            at = if hopeless { bytes.len() } else { at + 1 };
            continue;
        };
        refuse_noise(protocol, &bytes[noise_from..at - frame.len()], noise_from > 0, tell);
        tell(frame, decode(protocol, frame));
        noise_from = at;
    }
    refuse_noise(protocol, &bytes[noise_from..], noise_from > 0, tell);
}

fn decode(protocol: Protocol, frame: &[u8]) -> Result<Event<'_>, Rejected> {
    match protocol {
        Protocol::Watch => watch::decode(frame).map(Event::Watch),
        Protocol::Gb26875 => gb26875::decode(frame).map(Event::Gb26875),
        _ => cjt188::decode(frame).map(Event::Cjt188),
    }
}

fn refuse_noise(protocol: Protocol, noise: &[u8], behind: bool, tell: &mut Tell<'_>) {
    let noise = if protocol == Protocol::Watch { noise.trim_ascii() } else { noise };
    if noise.is_empty() {
        return;
    }
    let start: &[u8] = match protocol {
        Protocol::Watch => b"[",
        Protocol::Gb26875 => &[0x40, 0x40],
        _ => &[0x68],
    };
    let begins = noise.windows(start.len()).position(|w| w == start);
    let rejected = match begins.map(|at| decode(protocol, &noise[at..])) {
        Some(Err(rejected)) => rejected,
        _ if behind => {
            Rejected::new(protocol.name(), "noise", format!("帧外有 {} 个多余的字节", noise.len()))
        }
        _ => match decode(protocol, noise) {
            Err(rejected) => rejected,
            Ok(_) => return,
        },
    };
    tell(noise, Err(rejected));
}
