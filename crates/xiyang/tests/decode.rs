//! `xiyang decode` from outside: exit codes, stdin and files, a capture longer than memory should hold.

#![expect(clippy::unwrap_used, reason = "a test that finds anything unexpected has failed")]

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

fn decode(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_xiyang"))
        .arg("decode")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn objects(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn good_frames_end_well_and_a_bad_one_with_a_sentence() {
    let good = decode(&["watch"], b"# two\n[3G*4700186508*0002*LK]\n\n[3G*4700186508*0008*heart,71]");
    assert_eq!((good.status.code(), objects(&good).len()), (Some(0), 2));
    assert_eq!(objects(&good)[1]["heart_rate"], 71);
    assert!(good.stderr.is_empty());

    let bad = decode(&["CJT188", "-"], b"68 10\n68 10 AA AA AA AA AA AA AA 01 03 90 1F 01 D3 16\n");
    assert_eq!((bad.status.code(), objects(&bad).len()), (Some(1), 2));
    let said = String::from_utf8(bad.stderr).unwrap();
    assert!(
        said.contains("第 1 行") && said.contains("第 2 行：校验和不符：帧内为 D3，按内容计算应为 D2"),
        "{said}"
    );
    assert_eq!(decode(&["fhir"], b"").status.code(), Some(0));
}

#[test]
fn wrong_use_says_what_there_is() {
    let unknown = decode(&["zigbee"], b"");
    let said = String::from_utf8(unknown.stderr).unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        ["watch", "gb26875", "cjt188", "scaip", "mqtt", "fhir"].iter().all(|p| said.contains(p)),
        "{said}"
    );

    let missing = decode(&["watch", "no-such-file.txt"], b"");
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("no-such-file.txt"));
    assert_eq!(decode(&["watch", "."], b"").status.code(), Some(2));
    assert_eq!(decode(&[], b"").status.code(), Some(2));
}

#[test]
fn a_long_capture_with_a_line_that_never_ends_is_read_to_its_end() {
    let mut capture = b"[3G*4700186508*0002*LK]\n".repeat(20_000);
    capture.extend(vec![b'x'; 3 << 20]);
    capture.extend(b"\n[3G*4700186508*0002*AL]\n");
    capture.extend(b"junk\n".repeat(30));
    let output = decode(&["watch"], &capture);
    let told = objects(&output);
    assert_eq!((output.status.code(), told.len()), (Some(1), 20_032));
    assert_eq!((&told[20_000]["error"], &told[20_001]["type"]), (&"size".into(), &"AL".into()));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.lines().count() == 21 && said.contains("20001 个事件，31 处不能解码"), "{said}");
}
