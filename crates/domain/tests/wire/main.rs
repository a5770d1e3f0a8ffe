//! Decoders as a capture meets them: the published samples, then each rule of the sheet they follow (`devices.md`) with
//! samples of our own.

#![expect(clippy::unwrap_used, reason = "a test that finds anything unexpected has failed")]

mod captures;
mod cases;
mod cjt188;
mod fhir;
mod gb26875;
mod mqtt;
mod scaip;
mod watch;

use domain::signals::feed::{Feed, Protocol};
use serde_json::Value;

/// What a capture tells, each with its line.
fn lines(protocol: Protocol, capture: &[u8]) -> Vec<(usize, Value)> {
    let mut told = Vec::new();
    let mut tell = |one: domain::signals::feed::Told<'_>| {
        let object = match &one.result {
            Ok(event) => serde_json::to_value(event),
            Err(rejected) => serde_json::to_value(rejected),
        };
        told.push((one.line, object.unwrap()));
    };
    let mut feed = Feed::new(protocol);
    for line in capture.split(|b| *b == b'\n') {
        feed.line(line, &mut tell);
    }
    feed.end(&mut tell);
    told
}

fn all(protocol: Protocol, capture: &str) -> Vec<Value> {
    lines(protocol, capture.as_bytes()).into_iter().map(|(_, object)| object).collect()
}

/// The one object a capture tells.
#[track_caller]
fn one(protocol: Protocol, capture: &str) -> Value {
    let mut told = all(protocol, capture);
    assert_eq!(told.len(), 1, "{capture}: {told:?}");
    told.remove(0)
}

/// Every field of `expected` stands in `found`; `"-"` means that it must be absent.
#[track_caller]
fn has(found: &Value, expected: &Value) {
    for (key, value) in expected.as_object().unwrap() {
        let told = found.get(key);
        if value == "-" {
            assert_eq!(told, None, "{key} in {found}");
        } else {
            assert_eq!(told, Some(value), "{key} in {found}");
        }
    }
}

/// Bytes as hex.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02X} ")).collect()
}

/// Hex as bytes.
fn bytes(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|b| u8::from_str_radix(b, 16).unwrap()).collect()
}

/// The low byte of a sum.
fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, b| sum.wrapping_add(*b))
}
