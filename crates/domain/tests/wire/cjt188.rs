//! Meters, `devices.md` §3.

use domain::signals::{cjt188, feed::Protocol::Cjt188};
use serde_json::{Value, json};

use crate::{all, bytes, has, hex, one, sum};

const ADDRESS: &str = "44 33 22 11 00 33 78";

fn frame(preamble: usize, kind: u8, control: u8, data: &str) -> Vec<u8> {
    let data = bytes(data);
    let mut frame = vec![0x68, kind];
    frame.extend(bytes(ADDRESS));
    frame.extend([control, data.len() as u8]);
    frame.extend(data);
    frame.push(sum(&frame));
    frame.push(0x16);
    [vec![0xfe; preamble], frame].concat()
}

fn told(kind: u8, control: u8, data: &str) -> Value {
    one(Cjt188, &hex(&frame(2, kind, control, data)))
}

/// Total 556677.00, settlement 12.34, units as told, clock and status as told.
fn totals(di: &str, unit: &str, clock: &str, status: &str) -> String {
    format!("{di} 07 00 77 66 55 {unit} 34 12 00 00 {unit} {clock} {status}")
}

const CLOCK: &str = "31 01 22 11 05 15 20";

#[test]
fn totals_with_every_field() {
    let reading = told(0x10, 0x81, &totals("90 1F", "2C", CLOCK, "00 00"));
    has(
        &reading,
        &json!({"current_total": "556677.00", "settlement_total": "12.34", "unit": "m3", "settlement_unit": "m3",
                "meter_time": "2015-05-11T22:01:31+08:00", "status_hex": "0000", "valve": "open", "battery_low": false,
                "address": "78330011223344", "ser": 7, "preamble": 2, "from_meter": true, "function": "read"}),
    );
}

#[test]
fn identifiers_in_either_order_mean_the_same() {
    let big = told(0x10, 0x81, &totals("90 1F", "2C", CLOCK, "00 00"));
    let little = told(0x10, 0x81, &totals("1F 90", "2C", CLOCK, "00 00"));
    has(&big, &json!({"di": "901F", "di_byte_order": "big"}));
    has(&little, &json!({"di": "901F", "di_byte_order": "little", "current_total": "556677.00"}));
}

#[test]
fn units_are_told_by_their_codes() {
    for (code, unit) in [
        ("2C", json!("m3")),
        ("29", json!("L")),
        ("05", json!("kWh")),
        ("35", json!("m3/h")),
        ("77", json!(null)),
    ] {
        has(
            &told(0x10, 0x81, &totals("90 1F", code, CLOCK, "00 00")),
            &json!({"unit": unit, "settlement_unit": unit}),
        );
    }
}

#[test]
fn a_short_answer_has_no_unit() {
    let short = told(0x10, 0x81, "90 1F 01 05 23 01 00 04 00");
    has(
        &short,
        &json!({"current_total": "123.05", "unit": null, "status_hex": "0004", "battery_low": true, "valve": "open",
                "settlement_total": "-", "meter_time": null}),
    );
}

#[test]
fn status_words_tell_valve_and_battery() {
    for (status, valve, low, word) in [
        ("00 00", "open", false, "0000"),
        ("01 00", "closed", false, "0001"),
        ("03 00", "fault", false, "0003"),
        ("02 00", "unknown", false, "0002"),
        ("05 80", "closed", true, "8005"),
    ] {
        let reading = told(0x10, 0x81, &totals("90 1F", "2C", CLOCK, status));
        has(&reading, &json!({"valve": valve, "battery_low": low, "status_hex": word}));
    }
}

#[test]
fn a_clock_that_was_never_set_or_makes_no_sense_is_null() {
    for clock in
        ["00 00 00 00 00 00 00", "00 00 24 01 01 26 20", "00 00 00 31 02 26 20", "0A 00 00 01 01 26 20"]
    {
        has(
            &told(0x10, 0x81, &totals("90 1F", "2C", clock, "00 00")),
            &json!({"meter_time": null, "unit": "m3"}),
        );
    }
}

#[test]
fn digits_that_are_none_are_no_total() {
    let reading = told(0x10, 0x81, "90 1F 00 0A 00 00 00 2C 00 00 0B 00 2C 00 00 00 00 00 00 00 00 00");
    has(&reading, &json!({"current_total": null, "settlement_total": null, "unit": "m3"}));
}

#[test]
fn every_kind_of_meter_is_taken() {
    for (kind, name) in
        [(0x10, "10"), (0x11, "11"), (0x12, "12"), (0x13, "13"), (0x20, "20"), (0x30, "30"), (0x49, "49")]
    {
        has(
            &told(kind, 0x81, &totals("90 1F", "2C", CLOCK, "00 00")),
            &json!({"meter_type": name, "unit": "m3"}),
        );
    }
    // Heat meters send more; it is kept as it is.
    let heat = told(0x20, 0x81, &format!("90 1F 00 {}", "00 ".repeat(43)));
    has(&heat, &json!({"current_total": "-", "data_hex": "00".repeat(43)}));
}

#[test]
fn control_bytes_are_told() {
    for (control, function, from_meter, error) in [
        (0x01, "read", false, false),
        (0x81, "read", true, false),
        (0xc1, "read", true, true),
        (0x03, "read_address", false, false),
        (0x04, "write", false, false),
        (0x09, "key_version", false, false),
        (0x15, "write_address", false, false),
        (0x16, "sync", false, false),
        (0x1f, "other", false, false),
    ] {
        let told = told(0x10, control, "90 1F 01");
        has(
            &told,
            &json!({"function": function, "from_meter": from_meter, "error_reply": error, "control": format!("{control:02X}")}),
        );
    }
}

#[test]
fn valves_are_commanded_and_answer() {
    for (byte, command) in [("55", "open"), ("99", "close"), ("66", "66"), ("77", "77")] {
        has(&told(0x10, 0x04, &format!("A0 17 01 {byte}")), &json!({"di": "A017", "valve_command": command}));
        has(
            &told(0x10, 0x04, &format!("17 A0 01 {byte}")),
            &json!({"di": "A017", "di_byte_order": "little"}),
        );
    }
    has(
        &told(0x10, 0x84, "A0 17 01 01 00"),
        &json!({"valve": "closed", "status_hex": "0001", "valve_command": "-"}),
    );
}

#[test]
fn an_error_answer_is_kept_raw() {
    has(
        &told(0x30, 0xc1, "90 1F 01 02 03"),
        &json!({"error_reply": true, "error_bytes": "0203", "current_total": "-"}),
    );
}

#[test]
fn the_address_of_any_meter_and_waking_bytes() {
    let mut any = frame(0, 0x10, 0x03, "81 0A 01");
    any[2..9].fill(0xaa);
    let at = any.len() - 2;
    any[at] = sum(&any[..at]);
    has(&one(Cjt188, &hex(&any)), &json!({"address": "AAAAAAAAAAAAAA", "preamble": 0}));
    for preamble in 0..=4 {
        has(&one(Cjt188, &hex(&frame(preamble, 0x10, 0x01, "90 1F 01"))), &json!({"preamble": preamble}));
    }
}

#[test]
fn wrong_frames_are_refused_with_what_is_wrong() {
    let good = frame(0, 0x10, 0x81, &totals("90 1F", "2C", CLOCK, "00 00"));
    let changed = |at: usize, to: u8| {
        let mut frame = good.clone();
        frame[at] = to;
        one(Cjt188, &hex(&frame))
    };
    has(&changed(2, good[2] + 1), &json!({"error": "checksum", "reason": "-"}));
    has(&changed(0, 0x69), &json!({"error": "start"}));
    has(&changed(10, 21), &json!({"error": "length", "got": "35", "want": "34"}));
    has(&changed(10, 0x65), &json!({"error": "length", "got": "65", "want": "64"}));
    has(&changed(good.len() - 1, 0x17), &json!({"error": "end", "got": "17"}));
    has(&one(Cjt188, "68 10"), &json!({"error": "length"}));
}

#[test]
fn glued_broken_and_noisy_frames_are_told_apart() {
    let good = frame(3, 0x10, 0x81, &totals("90 1F", "2C", CLOCK, "00 00"));
    let mut capture = vec![0x11, 0x22];
    for part in [&good[..], &good, &[0x33], &good[..20], &good] {
        capture.extend(part);
    }
    let told: Vec<String> = all(Cjt188, &hex(&capture))
        .iter()
        .map(|t| t.get("error").map_or("ok", |e| e.as_str().unwrap()).to_owned())
        .collect();
    assert_eq!(told, ["start", "ok", "ok", "length", "ok"]);
}

#[test]
fn a_half_frame_never_hides_the_whole_one_behind_it() {
    let good = frame(0, 0x10, 0x01, "90 1F 01");
    // Its length ends on the last byte of the good frame: as a whole it fits, only its sum is wrong.
    let mut half = vec![0x68, 0x10, 1, 2, 3, 4, 5, 6, 7, 0x81, 0];
    half[10] = (half.len() + good.len() - 13) as u8;
    half.extend(&good);
    let told = all(Cjt188, &hex(&half));
    assert_eq!(told.len(), 2, "{told:?}");
    has(&told[0], &json!({"error": "length"}));
    has(&told[1], &json!({"function": "read"}));
}

#[test]
fn a_stream_waits_for_the_rest_of_a_frame() {
    let good = frame(4, 0x10, 0x81, &totals("90 1F", "2C", CLOCK, "00 00"));
    for cut in 1..good.len() {
        assert_eq!(cjt188::next_frame(&good[..cut]), (0, None), "{cut}");
    }
    assert_eq!(cjt188::next_frame(&good), (good.len(), Some(&good[..])));
}
