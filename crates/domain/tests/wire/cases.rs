//! Every published sample comes out exactly as its sheet expects it.

use domain::signals::feed::Protocol;
use serde_json::{Value, json};

use crate::one;

const FILES: [(Protocol, &str); 6] = [
    (Protocol::Watch, include_str!("cases/watch.json")),
    (Protocol::Gb26875, include_str!("cases/gb26875.json")),
    (Protocol::Cjt188, include_str!("cases/cjt188.json")),
    (Protocol::Scaip, include_str!("cases/scaip.json")),
    (Protocol::Mqtt, include_str!("cases/mqtt.json")),
    (Protocol::Fhir, include_str!("cases/fhir.json")),
];

/// The samples of a protocol: what is read, and what must come out.
pub fn samples(protocol: Protocol) -> Vec<(String, Value)> {
    let (_, text) = FILES.iter().find(|(p, _)| *p == protocol).unwrap();
    let file: Value = serde_json::from_str(text).unwrap();
    let input = |sample: &Value| match (&sample["topic"], &sample["data"]) {
        (Value::String(topic), data) => json!({"topic": topic, "payload": data}).to_string(),
        (_, Value::String(text)) => text.clone(),
        (_, data) => data.to_string(),
    };
    file["samples"].as_array().unwrap().iter().map(|s| (input(s), s["expect"].clone())).collect()
}

#[test]
fn every_published_sample_comes_out_as_expected() {
    let mut count = 0;
    for (protocol, _) in FILES {
        for (input, expected) in samples(protocol) {
            assert_eq!(one(protocol, &input), expected, "{input}");
            count += 1;
        }
    }
    assert_eq!(count, 30);
}

#[test]
fn samples_come_out_the_same_over_many_lines_and_one_after_the_other() {
    for (protocol, _) in FILES {
        let (inputs, expected): (Vec<_>, Vec<_>) = samples(protocol).into_iter().unzip();
        let capture = format!("# a capture\n\n{}\r\n", inputs.join("\r\n"));
        assert_eq!(crate::all(protocol, &capture), expected, "{protocol:?}");
    }
    for (input, expected) in samples(Protocol::Fhir) {
        let value: Value = serde_json::from_str(&input).unwrap();
        assert_eq!(one(Protocol::Fhir, &serde_json::to_string_pretty(&value).unwrap()), expected);
    }
    for (input, expected) in samples(Protocol::Mqtt) {
        let value: Value = serde_json::from_str(&input).unwrap();
        let line = format!("{} {}", value["topic"].as_str().unwrap(), value["payload"].as_str().unwrap());
        assert_eq!(one(Protocol::Mqtt, &line), expected);
    }
}
