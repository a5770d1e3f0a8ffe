//! Social-care alarms over SIP: the XML of SCAIP (SS 91100:2014, CLC/TS 50134-9). Source: `devices.md` §4.

use quick_xml::{Reader, events::Event};
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
/// When it is no well-formed `mrq`, or lacks ref, cid or dty; the missing ones are in `got`.
pub fn decode(document: &[u8]) -> Result<Message, Rejected> {
    let fields = elements(document)?;
    let get = |name: &str| {
        fields
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, text)| text.trim().to_owned())
            .filter(|t| !t.is_empty())
    };
    let missing: Vec<&str> = ["ref", "cid", "dty"].into_iter().filter(|name| get(name).is_none()).collect();
    if !missing.is_empty() {
        let mut rejected = Rejected::new(PROTOCOL, "missing", format!("缺少内容：{}", missing.join("、")));
        rejected.got = Some(missing.join(","));
        return Err(rejected);
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

/// The children of `mrq` with their text, in order.
fn elements(document: &[u8]) -> Result<Vec<(String, String)>, Rejected> {
    let bad = |reason: String| Rejected::new(PROTOCOL, "xml", reason);
    if document.len() > DOCUMENT_BYTES_MAX {
        return Err(Rejected::new(PROTOCOL, "size", "消息超过 32 KiB"));
    }
    let text = std::str::from_utf8(document).map_err(|_| bad("不是 UTF-8 文本".to_owned()))?;
    let mut reader = Reader::from_str(text);
    let (mut path, mut fields): (Vec<String>, Vec<(String, String)>) = (Vec::new(), Vec::new());
    let mut seen_root = false;
    loop {
        match reader.read_event().map_err(|e| bad(format!("不是有效的 XML：{e}")))? {
            Event::Start(tag) => {
                let name = tag.local_name().as_ref().to_owned();
                if path.is_empty() {
                    if name != "mrq" {
                        return Err(Rejected::new(PROTOCOL, "root", format!("根元素应为 mrq，收到 {name}")));
                    }
                    seen_root = true;
                } else if path.len() == 1 {
                    fields.push((name.clone(), String::new()));
                }
                path.push(name);
            }
            Event::Text(piece) if path.len() == 2 => {
                let piece: &str = &piece;
                if let Some((_, text)) = fields.last_mut() {
                    text.push_str(piece);
                }
            }
            Event::End(_) => {
                path.pop();
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if !seen_root || !path.is_empty() {
        return Err(bad("XML 不完整".to_owned()));
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pendant_alarm_expects_a_call() {
        let message = decode(
            b"<mrq><ref>803137200003</ref><mty>ME</mty><cid> 8031372</cid><dty>0004</dty><stc>0010</stc><crd>gsm:+</crd></mrq>",
        )
        .unwrap();
        assert_eq!((message.kind, message.voice_expected, message.caller), ("alarm", true, None));
        assert_eq!(
            (message.controller.as_str(), message.device_type, message.status_code),
            ("8031372", Some(4), Some(10))
        );
    }

    #[test]
    fn a_heartbeat_opens_nothing_and_a_missing_type_is_an_alarm() {
        let heartbeat =
            decode(b"<mrq><ref>1</ref><cid>2</cid><dty>02</dty><mty>PI</mty><crd>no-voice:</crd></mrq>")
                .unwrap();
        assert_eq!((heartbeat.kind, heartbeat.voice_expected), ("heartbeat", false));
        let alarm = decode(b"<mrq><ref>1</ref><cid>2</cid><dty>3</dty><stc>10</stc></mrq>").unwrap();
        assert!(alarm.message_type_defaulted && alarm.kind == "alarm");
    }

    #[test]
    fn rubbish_is_refused_with_a_reason() {
        for (bad, error) in [
            (&b"<mrq><ref>1</ref><cid></cid><dty>4</dty></mrq>"[..], "missing"),
            (b"<mrq><ref>1</ref>", "xml"),
            (b"<mrs><ref>1</ref></mrs>", "root"),
            (b"not xml", "xml"),
            (b"", "xml"),
            (b"\xff\xfe", "xml"),
        ] {
            assert_eq!(decode(bad).unwrap_err().error, error, "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn the_answer_cannot_be_broken_by_the_reference() {
        assert_eq!(reply("a<b", 0), "<mrs><ref>a&lt;b</ref><snu>0</snu></mrs>");
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), inner in "[<>a-z/&; ]{0,80}") {
            let _ = decode(&bytes);
            let _ = decode(format!("<mrq>{inner}</mrq>").as_bytes());
        }
    }
}
