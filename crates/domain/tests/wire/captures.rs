//! What holds for captures of every protocol.

use domain::signals::feed::{Feed, LINE_BYTES_MAX, Protocol};
use serde_json::json;

use crate::{has, lines};

#[test]
fn comments_blank_lines_marks_and_line_ends_are_read_over() {
    let capture = b"\xef\xbb\xbf# a comment\r\n\r\n  \n[3G*4700186508*0002*LK]\r\n\n  # another\n[3G*4700186508*0002*LK]";
    let told = lines(Protocol::Watch, capture);
    assert_eq!(told.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [4, 7]);
}

#[test]
fn a_bad_line_never_stops_the_rest() {
    let told = lines(Protocol::Cjt188, b"68 10\nzz\n68 10 AA AA AA AA AA AA AA 01 03 90 1F 01 D2 16\n");
    let errors: Vec<_> = told.iter().map(|(line, t)| (*line, t.get("error").is_some())).collect();
    assert_eq!(errors, [(1, true), (2, true), (3, false)]);
}

#[test]
fn hex_is_written_in_many_ways() {
    for line in [
        "6810AAAAAAAAAAAAAA0103901F01D216",
        "68:10:aa:aa:aa:aa:aa:aa:aa:01:03:90:1f:01:d2:16",
        "0x68, 0x10, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0x01, 0x03, 0x90, 0x1F, 0x01, 0xD2, 0x16",
    ] {
        has(&lines(Protocol::Cjt188, line.as_bytes())[0].1, &json!({"function": "read", "ser": 1}));
    }
    let watch: String = b"[3G*4700186508*0002*LK]".iter().map(|b| format!("{b:02x}")).collect();
    has(&lines(Protocol::Watch, watch.as_bytes())[0].1, &json!({"kind": "heartbeat"}));
}

#[test]
fn a_line_without_end_is_one_refusal() {
    let mut told = Vec::new();
    let mut feed = Feed::new(Protocol::Watch);
    feed.line_too_long(&mut |t| told.push((t.line, t.result.unwrap_err().error)));
    feed.line(b"[3G*4700186508*0002*LK]", &mut |t| told.push((t.line, t.result.map(|_| "ok").unwrap())));
    assert_eq!(told, [(1, "size"), (2, "ok")]);
}

#[test]
fn a_flood_of_beginnings_is_read_in_time() {
    for (protocol, start) in [
        (Protocol::Watch, "[3G*"),
        (Protocol::Watch, "["),
        (Protocol::Gb26875, "4040"),
        (Protocol::Cjt188, "68"),
    ] {
        let flood = start.repeat(LINE_BYTES_MAX / 2 / start.len());
        assert_eq!(lines(protocol, flood.as_bytes()).len(), 1);
        if protocol == Protocol::Watch {
            assert_eq!(lines(protocol, format!("{flood}]").as_bytes()).len(), 2);
        }
    }
}
