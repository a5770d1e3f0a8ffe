//! The device inspector: a vendor pastes what a device sends and sees what we understand of it, or why not.
//!
//! Nothing that is pasted here is kept, and nothing happens because of it.

use askama::Template;
use axum::{Form, response::IntoResponse};
use domain::signals::{Rejected, cjt188, fhir, gb26875, mqtt, scaip, watch};
use serde::{Deserialize, Serialize};

use crate::{Html, Page, Reply, filters};

/// Frames shown of one paste; the rest is counted.
const SHOWN_MOST: usize = 50;
/// Bytes of a skipped stretch that are quoted.
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

/// One frame and what became of it.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// It was understood: the decoded values, and what the server would answer the device.
    Good { json: String, reply: String },
    /// It was not: the sentence, what stood there, what should have, and the reason's stable name.
    Bad { reason: String, got: String, want: String, error: &'static str },
    /// Bytes that belong to no frame.
    Noise(String),
}

impl Found {
    fn of<T: Serialize>(decoded: Result<T, Rejected>, reply: impl FnOnce(&T) -> String) -> Found {
        match decoded {
            Ok(frame) => Found::Good {
                json: serde_json::to_string_pretty(&frame).unwrap_or_default(),
                reply: reply(&frame),
            },
            Err(no) => Found::Bad {
                reason: no.reason,
                got: no.got.unwrap_or_default(),
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
    let text = pasted.frame.trim();
    if text.is_empty() {
        return Err("请先粘贴设备发来的内容");
    }
    let topic = Some(pasted.topic.trim()).filter(|t| !t.is_empty());
    Ok(match pasted.protocol.as_str() {
        "watch" => each(&bytes(text), watch::next_frame, |frame| {
            Found::of(watch::decode(frame), |f| f.reply.clone().unwrap_or_default())
        }),
        "gb26875" => each(&hex(text)?, gb26875::next_frame, |frame| {
            let decoded = gb26875::decode(frame);
            let good = decoded.is_ok();
            Found::of(decoded, |_| said(&gb26875::answer(frame, good).unwrap_or_default()))
        }),
        "cjt188" => {
            each(&hex(text)?, cjt188::next_frame, |frame| Found::of(cjt188::decode(frame), |_| String::new()))
        }
        "scaip" => vec![Found::of(scaip::decode(text.as_bytes()), |m| m.reply.clone())],
        "mqtt" => vec![Found::of(mqtt::decode(topic, text.as_bytes()), |_| "PUBACK".to_owned())],
        "fhir" => vec![Found::of(fhir::decode(text.as_bytes()), |_| "201 Created".to_owned())],
        _ => return Err("请选择协议"),
    })
}

/// Takes a stream apart. What stands between frames is shown too: that is where most mistakes are.
fn each(
    stream: &[u8],
    next: impl Fn(&[u8]) -> (usize, Option<&[u8]>),
    decode: impl Fn(&[u8]) -> Found,
) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut rest = stream;
    let mut skipped: Vec<u8> = Vec::new();
    while !rest.is_empty() {
        let (used, frame) = next(rest);
        let before = used - frame.map_or(0, <[u8]>::len);
        skipped.extend_from_slice(&rest[..before]);
        if frame.is_some() || used == 0 {
            note_skipped(&mut found, &mut skipped);
        }
        match frame {
            Some(frame) => found.push(decode(frame)),
            // The beginning of a frame that never ends: what is wrong with it is for the decoder to say.
            None if used == 0 => {
                found.push(decode(rest));
                return found;
            }
            None => {}
        }
        rest = &rest[used..];
    }
    note_skipped(&mut found, &mut skipped);
    found
}

fn note_skipped(found: &mut Vec<Found>, skipped: &mut Vec<u8>) {
    skipped.retain(|b| !b.is_ascii_whitespace());
    if !skipped.is_empty() {
        let dots = if skipped.len() > QUOTED_MOST { " …" } else { "" };
        found.push(Found::Noise(format!("{}{dots}", said(&skipped[..skipped.len().min(QUOTED_MOST)]))));
        skipped.clear();
    }
}

/// Bytes as a vendor writes them in a document.
fn said(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02X}")).collect::<Vec<_>>().join(" ")
}

/// Text as it is, or the bytes it spells when it is nothing but hex.
fn bytes(text: &str) -> Vec<u8> {
    hex(text).unwrap_or_else(|_| text.as_bytes().to_vec())
}

fn hex(text: &str) -> Result<Vec<u8>, &'static str> {
    const WRONG: &str = "这个协议的报文请写成十六进制，例如 40 40 01 00；空格、逗号和 0x 可有可无";
    let text = text.replace("0x", "").replace("0X", "");
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace() && !b",-:".contains(b)).collect();
    if digits.is_empty() || digits.len() % 2 == 1 {
        return Err(WRONG);
    }
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok()).ok_or(WRONG);
    digits.chunks_exact(2).map(|pair| Ok(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
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
        assert!(matches!(&found[..], [Found::Noise(_), Found::Good { .. }, Found::Good { .. }]), "{found:?}");
        assert_eq!(found[0], Found::Noise("78 78".to_owned()));
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
