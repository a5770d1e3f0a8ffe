//! Social-care alarms over SIP: the XML of SCAIP (SS 91100:2014, CLC/TS 50134-9). Source: `devices.md` §4.

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesRef, Event},
};
use serde::Serialize;

use super::Rejected;

/// Name of the protocol.
pub const PROTOCOL: &str = "scaip";

/// Longest document read; units send some hundred bytes.
pub const DOCUMENT_BYTES_MAX: usize = 32 * 1024;

/// A decoded message of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Always `scaip`.
    pub protocol: &'static str,
    /// Always `mrq`: what units send.
    pub root: &'static str,
    /// Reference, echoed in the answer.
    #[serde(rename = "ref")]
    pub reference: String,
    /// ME alarm, RE reset, IN information, PI heartbeat.
    pub message_type: String,
    /// Whether the type was missing and ME was taken.
    pub message_type_defaulted: bool,
    /// The controller.
    pub controller: String,
    /// Type of the device that alarmed.
    pub device_type: Option<i64>,
    /// The device.
    pub device: Option<String>,
    /// What happened.
    pub status_code: Option<i64>,
    /// Where in the home.
    pub location_code: Option<String>,
    /// `gsm`, `sip`, `sip-pp` or `no-voice`.
    pub caller_scheme: Option<String>,
    /// The number to call back, if one was given.
    pub caller: Option<String>,
    /// alarm, cancel, reset, information or heartbeat.
    pub kind: &'static str,
    /// Whether a call from the unit is to follow.
    pub voice_expected: bool,
    /// What to answer, once the event is stored.
    pub reply: String,
}

/// Decodes one document.
///
/// # Errors
/// When it is no well-formed `mrq`, or lacks ref, cid or dty.
pub fn decode(document: &[u8]) -> Result<Message, Rejected> {
    let elements = Elements::read(document)?;
    let get = |name: &str| elements.get(name);
    let missing: Vec<&str> = ["ref", "cid", "dty"].into_iter().filter(|name| get(name).is_none()).collect();
    if !missing.is_empty() {
        return Err(Rejected::missing(PROTOCOL, &missing));
    }
    let number = |name: &str| get(name).and_then(|t| t.parse::<i64>().ok());
    let message_type = get("mty");
    let message_type_defaulted = message_type.is_none();
    let message_type = message_type.unwrap_or_else(|| "ME".to_owned()).to_uppercase();
    let status_code = number("stc");
    let crd = get("crd");
    let (caller_scheme, caller) = match crd.as_deref().and_then(|c| c.split_once(':')) {
        None => (None, None),
        Some((scheme, number)) => {
            let number = number.trim().trim_start_matches('+').to_owned();
            (Some(scheme.to_owned()), Some(number).filter(|n| !n.is_empty()))
        }
    };
    let voice_expected =
        message_type == "ME" && matches!(caller_scheme.as_deref(), Some("gsm" | "sip" | "sip-pp"));
    let reference = get("ref").expect("checked above");
    Ok(Message {
        protocol: PROTOCOL,
        root: "mrq",
        reply: reply(&reference, 0),
        reference,
        kind: match (message_type.as_str(), status_code) {
            ("PI", _) => "heartbeat",
            ("RE", _) => "reset",
            ("IN", _) => "information",
            (_, Some(19)) => "cancel",
            _ => "alarm",
        },
        message_type,
        message_type_defaulted,
        controller: get("cid").expect("checked above"),
        device_type: number("dty"),
        device: get("did"),
        status_code,
        location_code: get("lco"),
        caller_scheme,
        caller,
        voice_expected,
    })
}

/// The centre's answer: `snu` 0 is good, 99 an undefined error.
pub fn reply(reference: &str, status: u8) -> String {
    format!("<mrs><ref>{}</ref><snu>{status}</snu></mrs>", quick_xml::escape::escape(reference))
}

/// Elements that are read, in any order.
const ELEMENTS: [&str; 8] = ["ref", "mty", "cid", "dty", "did", "stc", "lco", "crd"];

/// The text of the elements of `mrq`; of several of one name the first with content.
#[derive(Debug, Default)]
struct Elements {
    text: [String; ELEMENTS.len()],
}

impl Elements {
    fn get(&self, name: &str) -> Option<String> {
        let at = ELEMENTS.iter().position(|known| *known == name)?;
        Some(self.text[at].trim()).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn read(document: &[u8]) -> Result<Elements, Rejected> {
        if document.len() > DOCUMENT_BYTES_MAX {
            return Err(Rejected::new(PROTOCOL, "size", "消息超过 32 KiB"));
        }
        // Older units write their notes in Latin 1; what is asked of them is plain letters, which survive.
        let text = String::from_utf8_lossy(document);
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
        let (mut elements, mut depth, mut seen_root) = (Elements::default(), 0_usize, false);
        // The element we stand in, unless one of its name was filled before.
        let mut within = None;
        loop {
            let event = reader.read_event().map_err(|e| bad_xml(format!("不是有效的 XML：{e}")))?;
            let piece = match &event {
                Event::Start(tag) | Event::Empty(tag) if depth == 0 => {
                    root(tag.local_name().as_ref(), seen_root)?;
                    seen_root = true;
                    depth += usize::from(matches!(event, Event::Start(_)));
                    continue;
                }
                Event::Start(tag) => {
                    let name = tag.local_name();
                    let known = || ELEMENTS.iter().position(|known| *known == name.as_ref());
                    if depth == 1 {
                        within = known().filter(|at| elements.text[*at].trim().is_empty());
                    }
                    depth += 1;
                    continue;
                }
                Event::End(_) => {
                    depth -= 1;
                    continue;
                }
                Event::Eof => break,
                Event::Text(text) => text.to_string(),
                Event::CData(text) => text.to_string(),
                Event::GeneralRef(name) => character(name),
                _ => continue,
            };
            if let (2, Some(at)) = (depth, within) {
                elements.text[at].push_str(&piece);
            }
        }
        if seen_root && depth == 0 { Ok(elements) } else { Err(bad_xml("XML 不完整")) }
    }
}

/// There is one root, and it is `mrq`.
fn root(name: &str, seen: bool) -> Result<(), Rejected> {
    match (name, seen) {
        ("mrq", false) => Ok(()),
        (_, true) => Err(bad_xml("根元素之后还有内容")),
        _ => Err(Rejected::new(PROTOCOL, "root", "根元素不对").found(name, "mrq")),
    }
}

fn bad_xml(reason: impl Into<String>) -> Rejected {
    Rejected::new(PROTOCOL, "xml", reason)
}

/// What an entity stands for; one that is not of XML itself stays as it is written.
fn character(name: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = name.resolve_char_ref() {
        return character.to_string();
    }
    resolve_predefined_entity(name).map_or_else(|| format!("&{};", &**name), str::to_owned)
}

/// Takes the first document off a text that may hold several: `(bytes used, document)`. What stands before it is used
/// up; without a document, what is not used may become one when more comes. One that is broken off ends where the next
/// begins.
pub fn next_document(text: &[u8]) -> (usize, Option<&[u8]>) {
    let Some(start) = start_after(text, 0) else { return (text.len(), None) };
    let root = if text[start..].starts_with(b"<?") {
        match start_after(text, start + 2) {
            None => return (start, None),
            Some(second) if text[second..].starts_with(b"<?") => return (second, Some(&text[start..second])),
            Some(root) => root,
        }
    } else {
        start
    };
    let next = start_after(text, root + 1);
    match end_after(&text[..next.unwrap_or(text.len())], root).or(next) {
        Some(end) => (end, Some(&text[start..end])),
        None => (start, None),
    }
}

/// Where a declaration or an `mrq` begins, with or without a prefix.
fn start_after(text: &[u8], from: usize) -> Option<usize> {
    (from..text.len()).find(|at| {
        let rest = &text[*at..];
        rest.starts_with(b"<?xml") || rest[0] == b'<' && root_name(&rest[1..])
    })
}

/// Whether the text begins with the name `mrq`, a prefix before it or not.
fn root_name(text: &[u8]) -> bool {
    // Names are short; a flood of opening brackets must not be searched to its end from each.
    let text = &text[..text.len().min(64)];
    let end = text.iter().position(|b| matches!(b, b'>' | b'/') || b.is_ascii_whitespace());
    let name = &text[..end.unwrap_or(0)];
    name == b"mrq" || name.ends_with(b":mrq")
}

/// Behind the end of the root that begins at `root`.
fn end_after(text: &[u8], root: usize) -> Option<usize> {
    let open = root + text[root..].iter().position(|b| *b == b'>')?;
    if text[open - 1] == b'/' {
        return Some(open + 1);
    }
    let close = (open..text.len()).find(|at| text[*at..].starts_with(b"</") && root_name(&text[at + 2..]))?;
    Some(close + text[close..].iter().position(|b| *b == b'>')? + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_cannot_be_broken_by_the_reference() {
        assert_eq!(reply("a<b", 0), "<mrs><ref>a&lt;b</ref><snu>0</snu></mrs>");
    }

    #[test]
    fn documents_are_told_apart() {
        let text = b"junk<?xml version='1.0'?>\n<s:mrq a='1'>1</s:mrq><mrq/><mrq><ref>2<mrq>3</mrq><mrq>4";
        let (mut rest, mut found) = (&text[..], Vec::new());
        loop {
            let (used, document) = next_document(rest);
            let Some(document) = document else { break };
            found.push(String::from_utf8_lossy(document).into_owned());
            rest = &rest[used..];
        }
        let told = ["<?xml version='1.0'?>\n<s:mrq a='1'>1</s:mrq>", "<mrq/>", "<mrq><ref>2", "<mrq>3</mrq>"];
        assert_eq!(found, told);
        assert_eq!(rest, b"<mrq>4");
    }
}
