//! Devices that speak JSON over MQTT: our own envelope and the shape of a zigbee2mqtt bridge. Source: `devices.md` §5.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Rejected;
use crate::time::At;

/// Name of the protocol.
pub const PROTOCOL: &str = "mqtt";

/// Longest payload read; sensors send some hundred bytes.
pub const PAYLOAD_BYTES_MAX: usize = 64 * 1024;

/// Which device a topic belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic<'a> {
    /// The device.
    pub device: &'a str,
    /// Its kind (`sos`, `door` …), when the topic says so.
    pub kind: Option<&'a str>,
    /// Whether it is a message upwards; `down` and `state` are not events.
    pub up: bool,
}

/// A decoded message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// Where it was published; absent when not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// What happened, in the order of the list below.
    pub events: Vec<String>,
    /// Readings that are kept.
    pub values: Map<String, Value>,
    /// The device's own time as it was sent; the server's counts when null.
    pub event_time: Option<String>,
    /// The device's counter.
    #[serde(skip)]
    pub seq: Option<i64>,
}

/// Fields that become an event of this name when true.
const TRUE_MEANS: [(&str, &str); 8] = [
    ("smoke", "smoke"),
    ("gas", "gas"),
    ("water_leak", "water_leak"),
    ("occupancy", "motion"),
    ("fall", "fall"),
    ("tamper", "tamper"),
    ("battery_low", "low_battery"),
    ("sos", "sos"),
];

/// Values of `event` that are taken over.
const EVENTS: [&str; 10] =
    ["sos", "fall", "bed_exit", "no_motion", "smoke", "gas", "motion", "tamper", "low_battery", "water_leak"];

/// Readings that are kept.
const VALUES: [&str; 7] =
    ["battery", "linkquality", "temperature", "humidity", "heart_rate", "breath_rate", "water_total_l"];

/// Reads a topic: `care/v1/{county6}/{kind}/{device}/up` or `zigbee2mqtt/{name}`.
///
/// # Errors
/// When it is neither.
pub fn topic(topic: &str) -> Result<Topic<'_>, Rejected> {
    let parts: Vec<&str> = topic.split('/').collect();
    match parts.as_slice() {
        ["care", "v1", county, kind, device, way @ ("up" | "down" | "state")]
            if county.len() == 6
                && county.bytes().all(|b| b.is_ascii_digit())
                && name(device)
                && name(kind) =>
        {
            Ok(Topic { device, kind: Some(kind), up: *way == "up" })
        }
        ["zigbee2mqtt", device] if name(device) => Ok(Topic { device, kind: None, up: true }),
        _ => Err(Rejected::new(
            PROTOCOL,
            "topic",
            "主题应为 care/v1/区县六位/类别/设备号/up 或 zigbee2mqtt/设备号",
        )),
    }
}

fn name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && !text.contains(['+', '#', '\0'])
}

/// Decodes one payload.
///
/// # Errors
/// When it is no JSON object, is too long, or its time is no time.
pub fn decode(topic: Option<&str>, payload: &[u8]) -> Result<Message, Rejected> {
    let bad = |error, reason: String| Rejected::new(PROTOCOL, error, reason);
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(bad("size", format!("消息超过 {PAYLOAD_BYTES_MAX} 字节")));
    }
    let value: Value =
        serde_json::from_slice(payload).map_err(|e| bad("json", format!("不是有效的 JSON：{e}")))?;
    let Value::Object(object) = value else { return Err(bad("json", "应为 JSON 对象".to_owned())) };
    let event_time = match object.get("ts") {
        None | Some(Value::Null) => None,
        Some(Value::String(ts)) if ts.parse::<jiff::Timestamp>().is_ok() && At::parse(ts).is_some() => {
            Some(ts.clone())
        }
        Some(_) => return Err(bad("time", "ts 应为带时区的 RFC 3339 时间".to_owned())),
    };
    Ok(Message {
        topic: topic.map(str::to_owned),
        events: events(&object),
        values: VALUES
            .iter()
            .filter_map(|name| {
                object.get(*name).filter(|v| v.is_number()).map(|v| ((*name).to_owned(), v.clone()))
            })
            .collect(),
        event_time,
        seq: object.get("seq").and_then(Value::as_i64),
    })
}

fn events(object: &Map<String, Value>) -> Vec<String> {
    let mut events: Vec<String> = Vec::new();
    let mut add = |event: &str| {
        if !events.iter().any(|e| e == event) {
            events.push(event.to_owned());
        }
    };
    if matches!(object.get("action").and_then(Value::as_str), Some("emergency" | "sos")) {
        add("sos");
    }
    if let Some(event) = object.get("event").and_then(Value::as_str)
        && EVENTS.contains(&event)
    {
        add(event);
    }
    for (field, event) in TRUE_MEANS {
        if object.get(field) == Some(&Value::Bool(true)) {
            add(event);
        }
    }
    match object.get("contact") {
        Some(Value::Bool(false)) => add("door_opened"),
        Some(Value::Bool(true)) => add("door_closed"),
        _ => {}
    }
    events
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_emergency_press_is_an_sos() {
        let message = decode(None, br#"{"action":"emergency","battery":88,"linkquality":61}"#).unwrap();
        assert_eq!(message.events, ["sos"]);
        assert_eq!(message.values["battery"], 88);
    }

    #[test]
    fn false_and_null_are_no_events() {
        let message = decode(None, br#"{"smoke":false,"tamper":null,"fall":"yes","battery":null}"#).unwrap();
        assert!(message.events.is_empty() && message.values.is_empty());
    }

    #[test]
    fn rubbish_is_refused_with_a_reason() {
        for (bad, error) in [
            (&b"{"[..], "json"),
            (b"[1]", "json"),
            (b"{\"ts\":\"yesterday\"}", "time"),
            (b"{\"ts\":1700000000}", "time"),
            (b"{\"ts\":\"2026-03-01T02:13:45\"}", "time"),
        ] {
            assert_eq!(decode(None, bad).unwrap_err().error, error);
        }
        assert_eq!(decode(None, &vec![b' '; PAYLOAD_BYTES_MAX + 1]).unwrap_err().error, "size");
    }

    #[test]
    fn topics_name_their_device() {
        let ours = topic("care/v1/370705/bedmat/BM-0001/up").unwrap();
        assert_eq!((ours.device, ours.kind, ours.up), ("BM-0001", Some("bedmat"), true));
        assert!(!topic("care/v1/370705/sos/S-1/down").unwrap().up);
        for bad in ["", "care/v1/3707/sos/S-1/up", "zigbee2mqtt/a/b", "care/v1/370705/sos/+/up"] {
            assert!(topic(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,80}") {
            let _ = decode(None, &bytes);
            let _ = topic(&text);
        }
    }
}
