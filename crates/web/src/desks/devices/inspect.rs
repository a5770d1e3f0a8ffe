//! The device inspector: a vendor pastes what a device sends and sees what we understand of it, or why not.
//!
//! Nothing that is pasted here is kept, and nothing happens because of it.

use askama::Template;
use axum::{Form, response::IntoResponse};
use domain::signals::{
    Rejected,
    feed::{self, Event, Protocol as Language},
    fhir, gb26875, mqtt, scaip,
};
use serde::Deserialize;

use crate::{Html, Page, Reply, filters};

/// Frames shown of one paste; the rest is counted.
const SHOWN_MOST: usize = 50;
/// Bytes of a refused stretch that are quoted.
const QUOTED_MOST: usize = 24;

/// What was pasted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Pasted {
    protocol: String,
    topic: String,
    frame: String,
}

/// A protocol one can choose.
struct Protocol {
    code: &'static str,
    label: &'static str,
    /// Where devices of this kind connect.
    example: &'static str,
}

const PROTOCOLS: &[Protocol] = &[
    Protocol {
        code: "watch",
        label: "老人手表（TCP，方括号文本帧）",
        example: "[3G*8800000001*000D*LK,1200,10,85]",
    },
    Protocol {
        code: "gb26875",
        label: "消防设备（GB/T 26875.3，十六进制）",
        example: "40 40 01 00 01 01 00 1E 0E 15 0B 1A 01 00 00 00 00 00 00 00 00 00 00 00 00 00 03 6D 23 23",
    },
    Protocol {
        code: "cjt188",
        label: "水表（CJ/T 188，十六进制）",
        example: "FE FE FE 68 10 01 00 00 05 08 00 00 01 03 90 1F 00 39 16",
    },
    Protocol {
        code: "scaip",
        label: "呼叫器（SCAIP，XML）",
        example: "<mrq><ref>1</ref><cid>8800001</cid><dty>0004</dty><mty>ME</mty><stc>0010</stc></mrq>",
    },
    Protocol {
        code: "mqtt",
        label: "物联网消息（MQTT，JSON）",
        example: r#"{"event":"sos","battery":34,"seq":7}"#,
    },
    Protocol {
        code: "fhir",
        label: "健康数据（FHIR R4 Observation，JSON）",
        example: r#"{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"subject":{"reference":"Patient/1"},"valueQuantity":{"value":72,"unit":"/min","code":"/min"}}"#,
    },
];

/// One frame, or bytes that are in none, and what became of it.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// It was understood: the decoded values, and what the server would answer the device.
    Good { json: String, reply: String },
    /// It was not: the sentence, what stood there, what should have, and the reason's stable name.
    Bad { reason: String, got: String, want: String, error: &'static str },
}

impl Found {
    /// Of a frame or a whole document.
    fn of(raw: &[u8], decoded: Result<Event<'_>, Rejected>) -> Found {
        match decoded {
            Ok(event) => Found::Good {
                json: serde_json::to_string_pretty(&event).unwrap_or_default(),
                reply: match event {
                    Event::Watch(frame) => frame.reply.unwrap_or_default(),
                    Event::Gb26875(_) => quoted(&gb26875::answer(raw, true).unwrap_or_default()),
                    Event::Cjt188(_) => String::new(),
                    Event::Scaip(message) => message.reply,
                    Event::Mqtt(_) => "PUBACK".to_owned(),
                    Event::Fhir(_) => "201 Created".to_owned(),
                },
            },
            Err(no) => Found::Bad {
                reason: no.reason,
                got: no.got.unwrap_or_else(|| quoted(raw)),
                want: no.want.unwrap_or_default(),
                error: no.error,
            },
        }
    }
}

#[derive(Template)]
#[template(path = "devices/inspect.html")]
struct Inspect {
    page: Page,
    pasted: Pasted,
    /// What is wrong with the paste itself.
    wrong: String,
    asked: bool,
    found: Vec<Found>,
    more: usize,
}

impl Inspect {
    fn protocols(&self) -> impl Iterator<Item = (&'static Protocol, bool)> {
        PROTOCOLS.iter().map(|p| (p, p.code == self.pasted.protocol))
    }
}

/// `GET /devices/inspect`
pub async fn new(page: Page) -> Reply<Html<impl Template>> {
    let first = PROTOCOLS.first().map_or("", |p| p.code);
    let pasted = Pasted { protocol: first.to_owned(), ..Pasted::default() };
    let page = page.titled("设备报文检查", "devices");
    Ok(Html(Inspect { page, pasted, wrong: String::new(), asked: false, found: Vec::new(), more: 0 }))
}

/// `POST /devices/inspect`
pub async fn show(page: Page, Form(pasted): Form<Pasted>) -> Reply {
    let (mut found, wrong) = match inspect(&pasted) {
        Ok(found) => (found, String::new()),
        Err(wrong) => (Vec::new(), wrong.to_owned()),
    };
    let more = found.len().saturating_sub(SHOWN_MOST);
    found.truncate(SHOWN_MOST);
    let page = page.titled("设备报文检查", "devices");
    Ok(Html(Inspect { page, pasted, wrong, asked: true, found, more }).into_response())
}

fn inspect(pasted: &Pasted) -> Result<Vec<Found>, &'static str> {
    const NO_HEX: &str = "这个协议的报文请写成十六进制，例如 40 40 01 00；空格、逗号和 0x 可有可无";
    let text = pasted.frame.trim().as_bytes();
    if text.is_empty() {
        return Err("请先粘贴设备发来的内容");
    }
    let topic = Some(pasted.topic.trim()).filter(|t| !t.is_empty());
    let language = Language::from_code(&pasted.protocol).ok_or("请选择协议")?;
    let bytes = match (language, feed::from_hex(text)) {
        (Language::Watch, bytes) => bytes.unwrap_or_else(|_| text.to_vec()),
        (Language::Gb26875 | Language::Cjt188, bytes) => bytes.map_err(|_| NO_HEX)?,
        (Language::Scaip, _) => return Ok(vec![Found::of(text, scaip::decode(text).map(Event::Scaip))]),
        (Language::Mqtt, _) => return Ok(vec![Found::of(text, mqtt::decode(topic, text).map(Event::Mqtt))]),
        (Language::Fhir, _) => return Ok(vec![Found::of(text, fhir::decode(text).map(Event::Fhir))]),
    };
    let mut found = Vec::new();
    feed::frames(language, &bytes, &mut |raw, decoded| found.push(Found::of(raw, decoded)));
    Ok(found)
}

/// Bytes as a vendor writes them in a document: text as it is, others in hex.
fn quoted(bytes: &[u8]) -> String {
    let some = &bytes[..bytes.len().min(QUOTED_MOST)];
    let dots = if bytes.len() > QUOTED_MOST { " …" } else { "" };
    let text = std::str::from_utf8(some).ok().filter(|text| !text.chars().any(char::is_control));
    let hex = || some.iter().map(|b| format!("{b:02X}")).collect::<Vec<_>>().join(" ");
    format!("{}{dots}", text.map_or_else(hex, str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(protocol: &str, frame: &str) -> Result<Vec<Found>, &'static str> {
        inspect(&Pasted { protocol: protocol.to_owned(), topic: String::new(), frame: frame.to_owned() })
    }

    #[test]
    fn every_example_is_understood() {
        for protocol in PROTOCOLS {
            let found = of(protocol.code, protocol.example).unwrap();
            assert!(matches!(&found[..], [Found::Good { .. }]), "{}: {found:?}", protocol.code);
        }
    }

    #[test]
    fn glued_frames_are_told_apart_and_noise_is_shown() {
        let found = of("watch", "xx[3G*8800000001*000D*LK,1200,10,85][3G*8800000001*0002*LK]").unwrap();
        let [Found::Bad { got, .. }, Found::Good { .. }, Found::Good { .. }] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(got, "xx");
    }

    #[test]
    fn what_is_wrong_is_said_in_words() {
        let checksum = PROTOCOLS[1].example.replace("6D 23 23", "6E 23 23");
        let found = of("gb26875", &checksum).unwrap();
        let [Found::Bad { reason, got, want, error }] = &found[..] else { panic!("{found:?}") };
        assert_eq!(
            (reason.contains("校验和不符"), got.as_str(), want.as_str(), *error),
            (true, "6E", "6D", "checksum")
        );
        assert!(matches!(&of("watch", "[3G*88").unwrap()[..], [Found::Bad { .. }]), "half a frame");
        for (protocol, frame) in [("gb26875", "4040 0"), ("cjt188", "水表"), ("", "1"), ("watch", "  ")] {
            assert!(of(protocol, frame).is_err(), "{protocol} {frame}");
        }
    }
}
