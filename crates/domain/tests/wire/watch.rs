//! Elder watches, `devices.md` §1.

use domain::signals::feed::Protocol::Watch;
use serde_json::json;

use crate::{all, has, hex, one};

const TAIL: &str = "0.0,0.0,100,7,60,90,1000,50";

fn framed(content: &str) -> String {
    format!("[3G*4700186508*{:04X}*{content}]", content.len())
}

#[test]
fn a_heartbeat_comes_with_figures_and_without() {
    let bare = one(Watch, "[SG*8800000015*0002*LK]");
    has(&bare, &json!({"kind": "heartbeat", "steps": "-", "rolls": "-", "battery_pct": "-", "index": null}));
    has(&bare, &json!({"reply": "[SG*8800000015*0002*LK]", "len_ok": true, "vendor": "SG"}));
    has(&one(Watch, &framed("LK, 0 ,,35")), &json!({"steps": 0, "rolls": "-", "battery_pct": 35}));
}

#[test]
fn an_index_is_repeated_in_the_answer() {
    let frame = one(Watch, "[ZJ*014111001332708*00aF*0002*LK]");
    has(&frame, &json!({"index": "00aF", "declared_len": 2, "device_id": "014111001332708"}));
    has(&frame, &json!({"reply": "[ZJ*014111001332708*00aF*0002*LK]"}));
    // The fourth part decides, and only when another star ends it: a word may look like hex.
    has(&one(Watch, "[3G*4700186508*0004*FACE]"), &json!({"index": null, "type": "FACE", "kind": "other"}));
    has(&one(Watch, "[3G*4700186508*0009*FACE,1*2*3]"), &json!({"index": null, "type": "FACE"}));
}

#[test]
fn a_wrong_length_is_told_and_forgiven() {
    let frame = one(Watch, "[3G*4700186508*00FF*heart,71]");
    has(&frame, &json!({"declared_len": 255, "actual_len": 8, "len_ok": false, "heart_rate": 71}));
    has(&one(Watch, "[3G*4700186508*0000*AL]"), &json!({"kind": "alarm", "alarms": [], "lat": null}));
}

#[test]
fn every_kind_of_position_is_read() {
    for word in ["UD", "UD2", "UD3", "UD_LTE", "UD_WCDMA", "WT"] {
        let frame = one(Watch, &framed(&format!("{word},220414,134652,A,22.5,N,113.8,E,{TAIL},0000,0")));
        has(&frame, &json!({"type": word, "kind": "position", "lat": 22.5, "lon": 113.8, "reply": null}));
        has(&frame, &json!({"battery_pct": 90, "cells": [], "mcc": "-", "mnc": "-"}));
    }
}

#[test]
fn every_kind_of_alarm_is_answered_by_the_same_word() {
    for word in ["AL", "AL_LTE", "AL2"] {
        let frame = one(Watch, &framed(&format!("{word},220414,134652,A,22.5,N,113.8,E,{TAIL},00010000,0")));
        has(&frame, &json!({"kind": "alarm", "alarms": ["sos"], "reply": "[3G*4700186508*0002*AL]"}));
    }
}

#[test]
fn hemispheres_decide_the_sign_of_south_and_west_only() {
    for (written, lat, lon) in [
        ("33.5,S,70.5,W", -33.5, -70.5),
        ("-33.5,S,-70.5,W", -33.5, -70.5),
        ("-33.5,N,-70.5,E", -33.5, -70.5),
        (" 33.5,, 70.5,", 33.5, 70.5),
        ("0.0,S,0.0,W", 0.0, 0.0),
    ] {
        let frame = one(Watch, &framed(&format!("UD,210716,231601,A,{written},{TAIL},0000,0")));
        has(&frame, &json!({"lat": lat, "lon": lon, "fix_valid": true}));
    }
    let no_fix = one(Watch, &framed(&format!("UD,210716,231601,V,0.000000,N,0.0000000,E,{TAIL},0000,0")));
    has(&no_fix, &json!({"fix_valid": false, "lat": 0.0, "lon": 0.0}));
}

#[test]
fn status_words_have_four_or_eight_digits_and_several_bits() {
    let with = |status: &str| one(Watch, &framed(&format!("AL,210716,231601,A,1,N,1,E,{TAIL},{status},0")));
    has(&with("0011"), &json!({"status_hex": "00000011", "states": ["low_battery", "moving"], "alarms": []}));
    has(
        &with("0037400E"),
        &json!({
            "states": ["out_of_fence", "in_fence", "strap_bit3", "power_cut"],
            "alarms": ["sos", "low_battery", "left_fence", "taken_off", "fall"],
        }),
    );
    has(&with("00480000"), &json!({"alarms": ["entered_fence", "fall"]}));
    // Two bits mean a fall; it happened once.
    has(&with("00600000"), &json!({"alarms": ["fall"]}));
    has(&with("xyz"), &json!({"status_hex": null, "states": [], "alarms": []}));
}

#[test]
fn a_position_may_carry_an_alarm_without_being_one() {
    let frame = one(Watch, &framed(&format!("UD,210716,231601,A,1,N,1,E,{TAIL},00200000,0")));
    has(&frame, &json!({"kind": "position", "alarms": ["fall"], "reply": null}));
}

#[test]
fn cells_are_read_by_their_count_with_or_without_strength() {
    let frame = one(
        Watch,
        &framed(&format!(
            "UD,210716,231601,V,1,N,1,E,{TAIL},0000,2,255,460,1,9336,3981,,9336,3912,140,0,25.0"
        )),
    );
    has(
        &frame,
        &json!({"mcc": 460, "mnc": 1, "cells": [
            {"lac": 9336, "cid": 3981, "rssi": null}, {"lac": 9336, "cid": 3912, "rssi": 140}]}),
    );
    // With no cell the tail means something else on every watch.
    for tail in ["0,1,0,0,,10", "0,0", "0,460,0,1,home,aa:bb:cc:dd:ee:ff,-60", "", "x", "7"] {
        let frame = one(Watch, &framed(&format!("UD,210716,231601,A,40.0,N,76.3,W,{TAIL},00010000,{tail}")));
        has(
            &frame,
            &json!({"lat": 40.0, "lon": -76.3, "alarms": ["sos"], "cells": [], "time_utc": "2016-07-21T23:16:01Z"}),
        );
    }
}

#[test]
fn networks_with_commas_and_brackets_in_their_names_cost_nothing() {
    let content = format!(
        "UD,210716,231601,A,1.5,N,1.5,E,{TAIL},00010000,1,0,460,0,9336,3981,141,2,Li, home,aa:bb:cc:dd:ee:01,-60,[a*b,aa:bb:cc:dd:ee:02,-61,30"
    );
    has(&one(Watch, &framed(&content)), &json!({"lat": 1.5, "alarms": ["sos"], "len_ok": true}));
}

#[test]
fn a_clock_that_makes_no_sense_is_none() {
    for clock in ["000000,000000", "320101,000000", "010126,246000", "010126,2400", "ab0126,000000", ","] {
        let frame = one(Watch, &framed(&format!("AL,{clock},A,1,N,1,E,{TAIL},00010000,0")));
        has(&frame, &json!({"time_utc": null, "alarms": ["sos"]}));
    }
    let far = one(Watch, &framed(&format!("UD,311299,235959,A,1,N,1,E,{TAIL},0000,0")));
    has(&far, &json!({"time_utc": "2099-12-31T23:59:59Z"}));
}

#[test]
fn measurements_are_read() {
    for (content, expected) in [
        ("PULSE,72", json!({"kind": "vital", "heart_rate": 72, "systolic": "-"})),
        ("heart, 68", json!({"heart_rate": 68})),
        ("BLOOD,141,89", json!({"systolic": 141, "diastolic": 89, "heart_rate": "-"})),
        ("bphrt,120,79,73,,,,", json!({"systolic": 120, "diastolic": 79, "heart_rate": 73})),
        ("btemp2,1,36.5", json!({"kind": "vital", "temperature": 36.5})),
        ("btemp2,0,36.5", json!({"kind": "vital", "temperature": "-"})),
        ("heart", json!({"kind": "vital", "heart_rate": "-"})),
    ] {
        has(&one(Watch, &framed(content)), &expected);
        has(&one(Watch, &framed(content)), &json!({"reply": null}));
    }
}

#[test]
fn questions_and_voice_are_answered_as_their_makers_expect() {
    for (content, kind, reply) in [
        ("TKQ", "control", json!("[3G*4700186508*0003*TKQ]")),
        ("TKQ2", "control", json!("[3G*4700186508*0004*TKQ2]")),
        ("INIT,1,2", "control", json!("[3G*4700186508*0006*INIT,1]")),
        ("JXTK,abc", "voice", json!("[3G*4700186508*0007*JXTKR,1]")),
        ("TK,abc", "voice", json!(null)),
        ("CCID,1", "other", json!(null)),
    ] {
        has(&one(Watch, &framed(content)), &json!({"kind": kind, "reply": reply}));
    }
}

#[test]
fn escaped_bytes_of_voice_count_once() {
    let mut frame = b"[3G*4700186508*0010*TK,".to_vec();
    frame.extend([0x7d, 0x01, 0x7d, 0x02, 0x7d, 0x03, 0x7d, 0x04, 0x7d, 0x05, 0x7d, 0x09, 0xff, b']']);
    // Binary content is written as hex; as text it could not be told from the frame around it.
    has(&one(Watch, &hex(&frame)), &json!({"type": "TK", "bytes": 8, "actual_len": 16, "len_ok": true}));
}

#[test]
fn rubbish_is_refused_with_a_reason() {
    for (bad, error) in [
        ("hello", "frame"),
        ("[3G*4700186508*0002*LK", "frame"),
        ("[3G*4700186508]", "head"),
        ("[3*4700186508*0002*LK]", "vendor"),
        ("[3G*47001x6508*0002*LK]", "device_id"),
        ("[3G*470018650*0002*LK]", "device_id"),
        ("[3G*4700186508*2*LK]", "length"),
        ("[3G*4700186508*XYZW*0002*LK]", "length"),
        ("[3G*4700186508*0000*]", "type"),
        ("[3G*4700186508*0002*你好]", "type"),
    ] {
        has(&one(Watch, bad), &json!({"protocol": "watch", "error": error}));
    }
}

#[test]
fn glued_broken_and_noisy_frames_are_told_apart() {
    let line = "xx[3G*4700186508*0002*LK][3G*4700186508*0008*heart,71]zz[3G*4700186508*000B*LK,0,1\
                [3G*4700186508*0002*AL] [3G*47001";
    let told: Vec<String> = all(Watch, line)
        .iter()
        .map(|t| t.get("type").or(t.get("error")).unwrap().as_str().unwrap().to_owned())
        .collect();
    // The refusal in the middle is both the letters and the frame that was broken off.
    assert_eq!(told, ["frame", "LK", "heart", "frame", "AL", "frame"]);
    let only_noise = all(Watch, "[3G*4700186508*0002*LK]zz[3G*4700186508*0002*LK]");
    has(&only_noise[1], &json!({"error": "noise"}));
    assert_eq!(only_noise.len(), 3);
}
