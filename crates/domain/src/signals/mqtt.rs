//! Devices that speak JSON over MQTT: our own envelope and the shape of a zigbee2mqtt bridge. Source: `devices.md` §5.

mod payload;

use serde::Serialize;
use serde_json::{Map, Number};

use super::Rejected;
use payload::{Captured, Inner, Payload, Scalar};

/// Name of the protocol.
pub const PROTOCOL: &str = "mqtt";

/// Longest payload read; sensors send some hundred bytes. As JSON values it grows thirty-fold.
pub const PAYLOAD_BYTES_MAX: usize = 16 * 1024;

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
    /// What happened.
    pub events: Vec<String>,
    /// Readings that are kept.
    pub values: Map<String, serde_json::Value>,
    /// The device's own time as it was sent; the server's counts when null.
    pub event_time: Option<String>,
    /// `online` or `offline`, on a topic that tells so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'static str>,
    /// The device's counter.
    #[serde(skip)]
    pub seq: Option<i64>,
    /// A frame of another language that a gateway read out, as hexadecimal digits.
    #[serde(skip)]
    pub frame: Option<String>,
}

impl Message {
    /// What a broker gives to a new subscriber is how things stand, not something that happens now.
    pub fn retained(mut self) -> Message {
        self.events.clear();
        self
    }
}

/// Fields that become an event of this name when true, in two parts: others stand between them.
const TRUE_FIRST: [(&str, &str); 3] = [("smoke", "smoke"), ("gas", "gas"), ("water_leak", "water_leak")];
const TRUE_LAST: [(&str, &str); 3] = [("sos", "sos"), ("tamper", "tamper"), ("battery_low", "low_battery")];

/// Values of `event` that are taken over.
const EVENTS: [&str; 12] = [
    "sos",
    "fall",
    "bed_exit",
    "no_motion",
    "smoke",
    "gas",
    "water_leak",
    "motion",
    "door_opened",
    "door_closed",
    "tamper",
    "low_battery",
];

/// Readings that are kept.
const VALUES: [&str; 7] =
    ["battery", "linkquality", "temperature", "humidity", "heart_rate", "breath_rate", "water_total_l"];

/// Reads a topic: `care/v1/{county6}/{kind}/{device}/up`, `zigbee2mqtt/{name}` or its `availability`.
///
/// # Errors
/// When it is none of them.
pub fn topic(topic: &str) -> Result<Topic<'_>, Rejected> {
    let parts: Vec<&str> = topic.splitn(7, '/').collect();
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
        ["zigbee2mqtt", device, "availability"] if name(device) => {
            Ok(Topic { device, kind: None, up: false })
        }
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

/// Decodes one payload. Only what is sent upwards can be an event.
///
/// # Errors
/// When the topic is none of ours, or the payload is no JSON object or too long.
pub fn decode(topic: Option<&str>, payload: &[u8]) -> Result<Message, Rejected> {
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(too_long());
    }
    let up = topic.map(self::topic).transpose()?.is_none_or(|topic| topic.up);
    // A last will is a plain word.
    if let Some(said) = state(payload).filter(|_| !up) {
        return Ok(Message { state: Some(said), ..message(topic, up, &Payload::default()) });
    }
    let fields = serde_json::from_slice(payload).map_err(|e| no_object(&e))?;
    Ok(message(topic, up, &fields))
}

fn message(topic: Option<&str>, up: bool, fields: &Payload<'_>) -> Message {
    let reading = |name: &&str| Some(((*name).to_owned(), fields.number(name)?.clone().into()));
    Message {
        topic: topic.map(str::to_owned),
        events: if up { events(fields) } else { Vec::new() },
        values: VALUES.iter().filter_map(reading).collect(),
        event_time: event_time(fields),
        state: fields.text("state").filter(|_| !up).and_then(word),
        seq: fields.number("seq").and_then(Number::as_i64),
        frame: fields.text("frame").map(str::to_owned),
    }
}

fn no_object(error: &serde_json::Error) -> Rejected {
    bad("json", format!("应为一个 JSON 对象：{error}"))
}

fn bad(error: &'static str, reason: String) -> Rejected {
    Rejected::new(PROTOCOL, error, reason)
}

fn too_long() -> Rejected {
    bad("size", format!("消息超过 {PAYLOAD_BYTES_MAX} 字节"))
}

/// A press by a device whose clock is broken is still a press: a time that is none counts as absent.
fn event_time(fields: &Payload<'_>) -> Option<String> {
    let text = fields.text("ts")?;
    text.parse::<jiff::Timestamp>().ok().map(|_| text.to_owned())
}

/// The plain word of a last will, in quotes or not.
fn state(payload: &[u8]) -> Option<&'static str> {
    word(std::str::from_utf8(payload).ok()?.trim().trim_matches('"'))
}

fn word(text: &str) -> Option<&'static str> {
    ["online", "offline"].into_iter().find(|known| *known == text)
}

fn events(fields: &Payload<'_>) -> Vec<String> {
    let mut events: Vec<String> = Vec::new();
    let mut add = |event: &str| {
        if !events.iter().any(|known| known == event) {
            events.push(event.to_owned());
        }
    };
    let set = |field: &str| *fields.get(field) == Scalar::Bool(true);
    TRUE_FIRST.iter().filter(|(field, _)| set(field)).for_each(|(_, event)| add(event));
    if matches!(fields.text("action"), Some("emergency" | "sos")) {
        add("sos");
    }
    if set("occupancy") {
        add("motion");
    }
    match fields.get("contact") {
        Scalar::Bool(false) => add("door_opened"),
        Scalar::Bool(true) => add("door_closed"),
        _ => {}
    }
    if set("fall") {
        add("fall");
    }
    let said = fields.text("event");
    EVENTS.iter().filter(|event| said == Some(event)).for_each(|event| add(event));
    TRUE_LAST.iter().filter(|(field, _)| set(field)).for_each(|(_, event)| add(event));
    events
}

/// Decodes a message as a capture holds it: `{"topic", "payload", "retain"}` with the payload as an object or as text,
/// or the payload alone.
///
/// # Errors
/// As [`decode`], or when a topic stands there without a payload.
pub fn decode_captured(document: &[u8]) -> Result<Message, Rejected> {
    if document.len() > 2 * PAYLOAD_BYTES_MAX {
        return Err(too_long());
    }
    let captured: Captured<'_> = serde_json::from_slice(document).map_err(|e| no_object(&e))?;
    let Scalar::Text(topic) = &captured.topic else {
        return if document.len() > PAYLOAD_BYTES_MAX {
            Err(too_long())
        } else {
            Ok(message(None, true, &captured.alone))
        };
    };
    let message = match &captured.payload {
        Inner::Nothing => return Err(Rejected::missing(PROTOCOL, &["payload"])),
        Inner::Text(text) => decode(Some(topic), text.as_bytes())?,
        Inner::Fields(fields) => message(Some(topic), self::topic(topic)?.up, fields),
    };
    let retained = captured.alone.flag("retain") || captured.alone.flag("retained");
    Ok(if retained { message.retained() } else { message })
}

/// Decodes a line `topic payload`, as `mosquitto_sub -v` writes it.
///
/// # Errors
/// As [`decode`], or when the line is not of this shape.
pub fn decode_line(line: &[u8]) -> Result<Message, Rejected> {
    let shape =
        || Rejected::new(PROTOCOL, "line", "一行应为“主题 空格 JSON”，或一个带 topic、payload 的 JSON 对象");
    let blank = line.iter().position(u8::is_ascii_whitespace).ok_or_else(shape)?;
    let topic = std::str::from_utf8(&line[..blank]).ok().filter(|t| t.contains('/')).ok_or_else(shape)?;
    decode(Some(topic), line[blank..].trim_ascii())
}
