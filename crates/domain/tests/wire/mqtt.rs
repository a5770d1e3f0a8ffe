//! Sensors over MQTT, `devices.md` §5.

use domain::signals::{feed::Protocol::Mqtt, mqtt};
use serde_json::{Value, json};

use crate::{all, has, one};

const BRIDGE: &str = "zigbee2mqtt/SMK-370705-0017";

fn events(payload: &Value) -> Value {
    one(Mqtt, &format!("{BRIDGE} {payload}"))["events"].take()
}

#[test]
fn every_field_becomes_its_event_only_when_it_is_true() {
    for (field, event) in [
        ("smoke", "smoke"),
        ("gas", "gas"),
        ("water_leak", "water_leak"),
        ("occupancy", "motion"),
        ("fall", "fall"),
        ("tamper", "tamper"),
        ("battery_low", "low_battery"),
    ] {
        assert_eq!(events(&json!({field: true})), json!([event]), "{field}");
        for quiet in [json!(false), json!(null), json!("true"), json!(1), json!([true])] {
            assert_eq!(events(&json!({field: quiet})), json!([]), "{field} {quiet}");
        }
    }
}

#[test]
fn actions_doors_and_named_events() {
    for action in ["emergency", "sos"] {
        assert_eq!(events(&json!({"action": action})), json!(["sos"]));
    }
    for quiet in [json!("arm_all"), json!(""), json!(null), json!(true)] {
        assert_eq!(events(&json!({"action": quiet})), json!([]));
    }
    assert_eq!(events(&json!({"contact": false})), json!(["door_opened"]));
    assert_eq!(events(&json!({"contact": true})), json!(["door_closed"]));
    assert_eq!(events(&json!({"contact": null})), json!([]));
    for event in ["sos", "bed_exit", "no_motion", "fall"] {
        assert_eq!(events(&json!({"event": event})), json!([event]));
    }
    assert_eq!(events(&json!({"event": "hello"})), json!([]));
}

#[test]
fn several_events_stand_once_each() {
    let both = json!({"smoke": true, "tamper": true, "battery_low": true, "fall": true, "event": "fall"});
    assert_eq!(events(&both), json!(["smoke", "fall", "tamper", "low_battery"]));
}

#[test]
fn readings_are_kept_as_they_were_sent() {
    let payload = json!({
        "battery": 97, "linkquality": 105, "temperature": 21.5, "humidity": 40.25, "heart_rate": 71, "breath_rate": 16,
        "water_total_l": 123456, "voltage": 3000, "update": {"state": "idle", "battery": 5}, "device": ["x"],
    });
    let told = one(Mqtt, &format!("{BRIDGE} {payload}"));
    assert_eq!(
        told["values"],
        json!({"battery": 97, "linkquality": 105, "temperature": 21.5, "humidity": 40.25, "heart_rate": 71,
               "breath_rate": 16, "water_total_l": 123456})
    );
    assert_eq!(one(Mqtt, &format!("{BRIDGE} {{\"battery\":null,\"humidity\":\"40\"}}"))["values"], json!({}));
}

#[test]
fn our_own_topic_in_every_direction() {
    let payload = json!({"ts": "2026-03-01T02:13:45+08:00", "seq": 118, "event": "sos", "battery": 5});
    let way = |way: &str| one(Mqtt, &format!("care/v1/370705/sos/SOS-1/{way} {payload}"));
    has(
        &way("up"),
        &json!({"events": ["sos"], "event_time": "2026-03-01T02:13:45+08:00", "values": {"battery": 5}}),
    );
    // A command on its way down and the state of a device are no events.
    has(&way("down"), &json!({"events": []}));
    has(&way("state"), &json!({"events": []}));
    let will = one(Mqtt, "care/v1/370705/sos/SOS-1/state offline");
    has(&will, &json!({"events": [], "state": "offline", "event_time": null}));
    has(
        &one(Mqtt, "zigbee2mqtt/SOS-1/availability {\"state\":\"online\"}"),
        &json!({"state": "online", "events": []}),
    );
}

#[test]
fn a_retained_message_is_no_event() {
    for flag in ["\"retain\":true", "\"retained\":true", "\"retain\":1"] {
        let line = format!("{{\"topic\":\"{BRIDGE}\",{flag},\"payload\":{{\"smoke\":true,\"battery\":9}}}}");
        has(&one(Mqtt, &line), &json!({"events": [], "values": {"battery": 9}}));
    }
    let line = format!("{{\"topic\":\"{BRIDGE}\",\"retain\":false,\"payload\":\"{{\\\"smoke\\\":true}}\"}}");
    has(&one(Mqtt, &line), &json!({"events": ["smoke"]}));
}

#[test]
fn a_press_with_a_broken_clock_is_still_a_press() {
    for ts in [json!("yesterday"), json!(1_700_000_000), json!("2026-03-01T02:13:45"), json!(null)] {
        let told = one(Mqtt, &format!("{BRIDGE} {}", json!({"ts": ts, "event": "sos"})));
        has(&told, &json!({"events": ["sos"], "event_time": null}));
    }
    has(&one(Mqtt, &format!("{BRIDGE} {{\"event\":\"sos\"}}")), &json!({"event_time": null}));
    let zulu = one(Mqtt, &format!("{BRIDGE} {{\"ts\":\"2099-01-01T00:00:00Z\"}}"));
    has(&zulu, &json!({"event_time": "2099-01-01T00:00:00Z"}));
}

#[test]
fn a_payload_may_stand_alone_in_a_line_a_list_or_over_lines() {
    has(&one(Mqtt, "{\"smoke\":true}"), &json!({"topic": "-", "events": ["smoke"]}));
    let list = format!(
        "[\n{{\"topic\":\"{BRIDGE}\",\n \"payload\":{{\"gas\":true}}}},{{\"fall\":true}}\n]\n{{\"sos\":true}}"
    );
    let told: Vec<Value> = all(Mqtt, &list).into_iter().map(|mut t| t["events"].take()).collect();
    assert_eq!(told, [json!(["gas"]), json!(["fall"]), json!(["sos"])]);
}

#[test]
fn rubbish_is_refused_with_a_reason_and_hides_nothing() {
    let capture = format!(
        "{{\"smoke\":tr\n{{\"smoke\":true}}\n{BRIDGE} {{\n{BRIDGE}\nnonsense here\n[1,{{\"gas\":true}}]\n{BRIDGE} [1]\n{BRIDGE} {{}} {{}}"
    );
    let told: Vec<String> = all(Mqtt, &capture)
        .iter()
        .map(|t| t.get("error").map_or_else(|| t["events"].to_string(), |e| e.as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(told, ["json", "[\"smoke\"]", "json", "line", "line", "json", "[\"gas\"]", "json", "json"]);
    for (bad, error) in [
        ("care/v1/3707/sos/S-1/up {}", "topic"),
        ("zigbee2mqtt/a/b {}", "topic"),
        ("{\"topic\":\"zigbee2mqtt/a\"}", "missing"),
        ("{\"topic\":\"other/a\",\"payload\":{}}", "topic"),
        ("{\"topic\":\"zigbee2mqtt/a\",\"payload\":[]}", "json"),
    ] {
        has(&one(Mqtt, bad), &json!({"protocol": "mqtt", "error": error}));
    }
    let big = format!("{BRIDGE} {{\"a\":\"{}\"}}", "x".repeat(mqtt::PAYLOAD_BYTES_MAX));
    has(&one(Mqtt, &big), &json!({"error": "size"}));
}

#[test]
fn topics_name_their_device() {
    let ours = mqtt::topic("care/v1/370705/bedmat/BM-0001/up").unwrap();
    assert_eq!((ours.device, ours.kind, ours.up), ("BM-0001", Some("bedmat"), true));
    for bad in ["", "care/v1/37070a/sos/S-1/up", "care/v1/370705/sos/+/up", "care/v1/370705/sos/S-1/up/more"]
    {
        assert!(mqtt::topic(bad).is_err(), "{bad}");
    }
}
