//! Fire devices, `devices.md` §2.

use domain::signals::{feed::Protocol::Gb26875, gb26875};
use serde_json::{Value, json};

use crate::{all, bytes, has, hex, one, sum};

/// 2026-11-21 08:30:15.
const CLOCK: [u8; 6] = [15, 30, 8, 21, 11, 26];
const TIME: &str = "2026-11-21T08:30:15+08:00";

fn frame_at(clock: [u8; 6], command: u8, unit: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x40, 0x40, 0x2a, 0x01, 1, 3];
    frame.extend(clock);
    frame.extend([0x17, 0, 0, 0x05, 0x07, 0x37, 1, 0, 0, 0, 0, 0]);
    frame.extend((unit.len() as u16).to_le_bytes());
    frame.push(command);
    frame.extend(unit);
    frame.push(sum(&frame[2..]));
    frame.extend([0x23, 0x23]);
    frame
}

fn unit(kind: u8, objects: &[&[u8]]) -> Value {
    let mut unit = vec![kind, objects.len() as u8];
    objects.iter().for_each(|object| unit.extend(*object));
    one(Gb26875, &hex(&frame_at(CLOCK, 2, &unit)))["app"].take()
}

fn with_time(body: &[u8]) -> Vec<u8> {
    [body, &CLOCK].concat()
}

fn text(bytes: &[u8], size: usize) -> Vec<u8> {
    let mut text = bytes.to_vec();
    text.resize(size, 0);
    text
}

#[test]
fn the_head_is_read_low_byte_first() {
    let told = one(Gb26875, &hex(&frame_at(CLOCK, 2, &[])));
    has(&told, &json!({"protocol": "gb26875.3", "seq": 298, "version": "1.3", "time": TIME, "app_len": 0}));
    has(
        &told,
        &json!({"source_addr_hex": "370705000017", "dest_addr_hex": "000000000001", "app": "-", "command": "send"}),
    );
}

#[test]
fn every_command_has_its_name() {
    for (byte, name) in [
        (1, "control"),
        (2, "send"),
        (3, "confirm"),
        (4, "request"),
        (5, "answer"),
        (6, "deny"),
        (9, "other"),
    ] {
        has(&one(Gb26875, &hex(&frame_at(CLOCK, byte, &[]))), &json!({"command": name}));
    }
}

#[test]
fn states_of_a_system_and_its_components() {
    let app = unit(1, &[&with_time(&[1, 2, 0xff, 0x3f]), &with_time(&[11, 0, 1, 0])]);
    has(&app, &json!({"type": 1, "count": 2, "consumed": true, "raw_hex": "-"}));
    has(
        &app["objects"][0],
        &json!({"status_hex": "3FFF", "normal_running": true, "time": TIME, "flags": [
            "fire", "fault", "shielded", "supervised", "started", "feedback", "delayed", "main_power_fault",
            "backup_power_fault", "bus_fault", "manual", "config_changed", "reset"]}),
    );
    has(
        &app["objects"][1],
        &json!({"system_type": 11, "system_addr": 0, "normal_running": true, "flags": []}),
    );

    let mut smoke = vec![1, 3, 40, 0xd9, 0, 6, 0, 0x02, 0x01];
    smoke.extend(text(&[0xb3, 0xf8, 0xb7, 0xbf], 31));
    let app = unit(2, &[&with_time(&smoke)]);
    has(
        &app["objects"][0],
        &json!({"component_type": 40, "component_addr_hex": "000600D9", "status_hex": "0102", "text": "厨房",
                "flags": ["fire", "power_fault"], "normal_running": false}),
    );
}

#[test]
fn analog_values_are_signed_and_have_units() {
    let app = unit(3, &[&with_time(&[1, 2, 30, 4, 3, 2, 1, 3, 0xf1, 0xff])]);
    has(
        &app["objects"][0],
        &json!({"component_type": 30, "component_addr_hex": "01020304", "analog_type": 3, "analog_value": -15, "time": TIME}),
    );
    let mut object = vec![3, 1];
    object.extend(with_time(&[1, 2, 30, 4, 3, 2, 1, 2, 0x3b, 1]));
    let frame = frame_at(CLOCK, 2, &object);
    let app = gb26875::decode(&frame).unwrap().app.unwrap();
    assert_eq!(app.objects[0].measured(), Some(("3.15".to_owned(), "m")));
}

#[test]
fn operations_versions_and_configurations() {
    let object = |kind, body: &[u8]| unit(kind, &[body])["objects"][0].take();
    has(
        &object(4, &with_time(&[1, 2, 0b10_0001, 7])),
        &json!({"system_type": 1, "operation_hex": "21", "operations": ["reset", "confirm"], "operator": 7, "time": TIME}),
    );
    has(
        &object(5, &[1, 2, 3, 4]),
        &json!({"system_type": 1, "system_addr": 2, "version": "3.4", "time": "-"}),
    );
    has(&object(6, &[1, 2, 4, 0xb3, 0xf8, 0xb7, 0xbf]), &json!({"text": "厨房", "time": "-"}));
    let mut config = vec![1, 2, 40, 1, 0, 0, 0];
    config.extend(text(b"3F", 31));
    has(&object(7, &config), &json!({"component_type": 40, "component_addr_hex": "00000001", "text": "3F"}));
    has(&object(8, &with_time(&[1, 2])), &json!({"system_type": 1, "system_addr": 2, "time": TIME}));
}

#[test]
fn what_the_transmission_device_tells_of_itself() {
    let object = |kind, body: &[u8]| unit(kind, &[body])["objects"][0].take();
    has(
        &object(21, &with_time(&[0x7f])),
        &json!({"status_hex": "7F", "normal_running": true, "flags": [
            "fire", "fault", "main_power_fault", "backup_power_fault", "link_fault", "line_fault"]}),
    );
    // The answer to a duty check is an operation of the device.
    has(
        &object(24, &with_time(&[0x20, 9])),
        &json!({"operations": ["confirm"], "operator": 9, "system_type": "-"}),
    );
    has(&object(25, &[1, 2]), &json!({"version": "1.2"}));
    has(&object(26, &[2, b'o', b'k']), &json!({"text": "ok"}));
    has(&object(28, &CLOCK), &json!({"time": TIME}));
    has(&object(90, &CLOCK), &json!({"time": TIME}));
    has(&object(91, &[10]), &json!({"timeout_minutes": 10}));
}

#[test]
fn unknown_types_are_kept_raw_and_not_refused() {
    for kind in [0, 9, 61, 89, 128, 254] {
        let app = unit(kind, &[&[1, 2, 3]]);
        has(&app, &json!({"type": kind, "count": 1, "objects": [], "consumed": false, "raw_hex": "010203"}));
    }
}

#[test]
fn fewer_or_more_objects_than_promised_are_told() {
    let mut promised = vec![21, 3];
    promised.extend(with_time(&[1]));
    let app = one(Gb26875, &hex(&frame_at(CLOCK, 2, &promised)))["app"].take();
    assert_eq!(app["objects"].as_array().unwrap().len(), 1);
    has(&app, &json!({"count": 3, "consumed": false, "raw_hex": ""}));

    let mut more = vec![21, 1];
    more.extend(with_time(&[1]));
    more.extend([0xaa, 0xbb]);
    has(
        &one(Gb26875, &hex(&frame_at(CLOCK, 2, &more)))["app"],
        &json!({"consumed": false, "raw_hex": "AABB"}),
    );
    has(&one(Gb26875, &hex(&frame_at(CLOCK, 2, &[6, 1, 1, 2, 200, 1])))["app"], &json!({"consumed": false}));
}

#[test]
fn a_clock_in_bcd_is_refused_and_one_that_was_never_set_is_not() {
    let bcd = [0x15, 0x45, 0x08, 0x21, 0x11, 0x26];
    let told = one(Gb26875, &hex(&frame_at(bcd, 2, &[])));
    has(&told, &json!({"error": "time", "got": "154508211126", "want": "0F2D08150B1A"}));
    has(&one(Gb26875, &hex(&frame_at([0; 6], 2, &[]))), &json!({"time": null, "command": "send"}));
    has(&one(Gb26875, &hex(&frame_at([0xff; 6], 2, &[]))), &json!({"time": null}));
}

#[test]
fn answers_repeat_serial_and_turn_addresses_round() {
    let frame = frame_at(CLOCK, 2, &unit_of_fire());
    for (good, command) in [(true, "confirm"), (false, "deny")] {
        let answer = gb26875::answer(&frame, good).unwrap();
        has(
            &one(Gb26875, &hex(&answer)),
            &json!({"command": command, "seq": 298, "app": "-", "app_len": 0,
                    "source_addr_hex": "000000000001", "dest_addr_hex": "370705000017"}),
        );
    }
    assert_eq!(gb26875::answer(&frame[..20], false), None);
}

fn unit_of_fire() -> Vec<u8> {
    let mut unit = vec![1, 1];
    unit.extend(with_time(&[1, 2, 2, 0]));
    unit
}

#[test]
fn wrong_frames_are_refused_with_what_is_wrong() {
    let good = frame_at(CLOCK, 2, &unit_of_fire());
    let changed = |at: usize, to: u8| {
        let mut frame = good.clone();
        frame[at] = to;
        one(Gb26875, &hex(&frame))
    };
    has(
        &changed(2, 0xff),
        &json!({"error": "checksum", "want": format!("{:02X}", good[good.len() - 3].wrapping_add(0xd5))}),
    );
    has(&changed(0, 0x41), &json!({"error": "start"}));
    has(&changed(24, 13), &json!({"error": "length", "got": "42", "want": "43"}));
    has(&changed(25, 0xff), &json!({"error": "length", "want": "1024"}));
    has(&changed(good.len() - 1, 0x24), &json!({"error": "end", "got": "2324"}));
    has(&one(Gb26875, &hex(&good[..20])), &json!({"error": "length", "got": "20", "want": "30"}));
    has(&one(Gb26875, "40 40 zz"), &json!({"error": "hex"}));
    has(&one(Gb26875, "40 4"), &json!({"error": "hex"}));
}

#[test]
fn glued_broken_and_noisy_frames_are_told_apart() {
    let good = frame_at(CLOCK, 2, &unit_of_fire());
    let mut wrong = good.clone();
    wrong[7] ^= 1;
    let mut capture = vec![0x00, 0x40, 0x11];
    for part in [&good[..], &wrong, &good, &[0x40, 0x40, 0x01], &good, &good[..good.len() - 5], &good] {
        capture.extend(part);
    }
    let told: Vec<String> = all(Gb26875, &hex(&capture))
        .iter()
        .map(|t| t.get("command").or(t.get("error")).unwrap().as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told, ["start", "send", "checksum", "send", "length", "send", "length", "send"]);
}

#[test]
fn a_stream_waits_for_the_rest_of_a_frame() {
    let good = frame_at(CLOCK, 2, &unit_of_fire());
    for cut in 1..good.len() {
        assert_eq!(gb26875::next_frame(&good[..cut]), (0, None), "{cut}");
    }
    assert_eq!(gb26875::next_frame(&good), (good.len(), Some(&good[..])));
    assert_eq!(gb26875::next_frame(&bytes("01 02 03")), (3, None));
}
