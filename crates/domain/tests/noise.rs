//! Random and mutated frames against every decoder: nothing panics, and no frame costs more than a mebibyte.
//!
//! `XIYANG_NOISE_SECONDS` is the time each protocol gets (about a second and a half otherwise), `XIYANG_NOISE_SEED` the
//! seed of its draws. What fails is told with its seed and its bytes.

#![expect(clippy::disallowed_methods, reason = "a time budget needs a clock")]

use std::{
    io::Write as _,
    sync::Mutex,
    time::{Duration, Instant},
};

use domain::signals::{
    cjt188,
    feed::{self, Event, Feed, Protocol},
    fhir, gb26875, mqtt, scaip, watch,
};
use peak_alloc::PeakAlloc;
use serde_json::Value;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The allocator counts for all threads, so one protocol is measured at a time.
static TURN: Mutex<()> = Mutex::new(());

/// Most bytes one input may hold at a time while it is decoded; more is a way to bring a server down.
const BYTES_MAX: usize = 1 << 20;

/// Longest input: longer than the longest frame or document of any protocol.
const INPUT_MAX: usize = 80 * 1024;

macro_rules! noise {
    ($($name:ident = $protocol:ident $cases:literal),*) => {$(
        #[test]
        fn $name() {
            endure(Protocol::$protocol, include_str!(concat!("wire/cases/", $cases)));
        }
    )*};
}

noise! {
    watch_endures_noise = Watch "watch.json",
    gb26875_endures_noise = Gb26875 "gb26875.json",
    cjt188_endures_noise = Cjt188 "cjt188.json",
    scaip_endures_noise = Scaip "scaip.json",
    mqtt_endures_noise = Mqtt "mqtt.json",
    fhir_endures_noise = Fhir "fhir.json"
}

fn endure(protocol: Protocol, cases: &str) {
    let set = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    let lasts = set("XIYANG_NOISE_SECONDS").map_or(Duration::from_millis(1_500), Duration::from_secs);
    let seed = set("XIYANG_NOISE_SEED").unwrap_or(7);
    let seeds = frames_of(cases);
    let (began, mut number, mut good, mut most) = (Instant::now(), 0_u64, 0_u64, 0);
    while began.elapsed() < lasts {
        let _turn = TURN.lock();
        for _ in 0..64 {
            let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number);
            let input = draw(protocol, &seeds, &mut rng);
            let (accepted, bytes) = measured(protocol, &input);
            assert!(
                bytes <= BYTES_MAX,
                "{protocol:?} seed {seed} number {number}: {bytes} bytes for {} of {:?}",
                input.len(),
                String::from_utf8_lossy(&input[..input.len().min(400)])
            );
            (number, good, most) = (number + 1, good + u64::from(accepted), most.max(bytes));
        }
    }
    let _ = writeln!(
        std::io::stdout(),
        "{protocol:?} seed {seed}: {number} inputs, {good} of them accepted, at most {most} bytes held"
    );
    assert!(
        good > 0 && good < number,
        "the draws must hold frames that are accepted and frames that are not"
    );
}

/// Decodes as a server would, then as a capture; whether the frame itself was accepted, and the most bytes it held.
fn measured(protocol: Protocol, input: &[u8]) -> (bool, usize) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let accepted = decoded(protocol, input);
    let held = ALLOCATOR.peak_usage().saturating_sub(before);
    captured(protocol, input);
    (accepted, held)
}

fn decoded(protocol: Protocol, input: &[u8]) -> bool {
    match protocol {
        Protocol::Watch => {
            let _ = watch::next_frame(input);
            watch::decode(input).map(Event::Watch).is_ok_and(|event| used(&event))
        }
        Protocol::Gb26875 => {
            let (_, _) = (gb26875::next_frame(input), gb26875::answer(input, false));
            gb26875::decode(input).map(Event::Gb26875).is_ok_and(|event| used(&event))
        }
        Protocol::Cjt188 => {
            let _ = cjt188::next_frame(input);
            cjt188::decode(input).map(Event::Cjt188).is_ok_and(|event| used(&event))
        }
        Protocol::Scaip => {
            let _ = scaip::next_document(input);
            scaip::decode(input).is_ok()
        }
        Protocol::Mqtt => {
            let captured = mqtt::decode_captured(input).is_ok();
            let _ = mqtt::topic(&String::from_utf8_lossy(&input[..input.len().min(100)]));
            let _ = mqtt::decode_line(input);
            mqtt::decode(None, input).is_ok() || captured
        }
        Protocol::Fhir => {
            fhir::decode_each(input, |_| {});
            fhir::decode(input).is_ok()
        }
    }
}

/// Everything a server asks of a frame.
fn used(event: &Event<'_>) -> bool {
    match event {
        Event::Watch(frame) => {
            if let watch::Body::Position(p) | watch::Body::Alarm(p) = &frame.body {
                let _ = (p.place(), p.wifi(), p.time_utc.is_some(), p.alarms.contains(&"sos"));
            }
            frame.reply.as_ref().is_none_or(|reply| !reply.is_empty())
        }
        Event::Gb26875(frame) => {
            let objects = frame.app.iter().flat_map(|unit| &unit.objects);
            objects.for_each(|object| drop(object.measured()));
            true
        }
        _ => true,
    }
}

/// As lines of a capture, written out as JSON.
fn captured(protocol: Protocol, input: &[u8]) {
    let mut tell = |told: feed::Told<'_>| match told.result {
        Ok(event) => drop(serde_json::to_string(&event).expect("events are plain data")),
        Err(rejected) => drop((rejected.to_string(), serde_json::to_string(&rejected))),
    };
    feed::frames(protocol_of_frames(protocol), input, &mut |_, result| tell(feed::Told { line: 0, result }));
    let mut feed = Feed::new(protocol);
    for line in input.split(|b| *b == b'\n') {
        feed.line(line, &mut tell);
    }
    feed.end(&mut tell);
}

/// Only three of them come as frames.
fn protocol_of_frames(protocol: Protocol) -> Protocol {
    match protocol {
        Protocol::Watch | Protocol::Gb26875 => protocol,
        _ => Protocol::Cjt188,
    }
}

/// The published samples as bytes on the wire.
fn frames_of(cases: &str) -> Vec<Vec<u8>> {
    let file: Value = serde_json::from_str(cases).expect("the samples are JSON");
    let samples = file["samples"].as_array().expect("a file of samples");
    samples
        .iter()
        .map(|sample| match (&sample["data"], sample["encoding"].as_str()) {
            (Value::String(text), Some("hex")) => {
                let byte = |b: &str| u8::from_str_radix(b, 16).expect("samples are hex");
                text.split_whitespace().map(byte).collect()
            }
            (Value::String(text), _) => text.clone().into_bytes(),
            (other, _) => other.to_string().into_bytes(),
        })
        .collect()
}

/// Noise, or a real frame that something happened to.
fn draw(protocol: Protocol, seeds: &[Vec<u8>], rng: &mut fastrand::Rng) -> Vec<u8> {
    if rng.u8(..) < 8 {
        let longest = if rng.bool() { 64 } else { INPUT_MAX };
        let length = rng.usize(..longest);
        return (0..length).map(|_| rng.u8(..)).collect();
    }
    let mut input = rng.choice(seeds).cloned().unwrap_or_default();
    for _ in 0..rng.usize(..6) {
        mutate(&mut input, seeds, rng);
        input.truncate(INPUT_MAX);
    }
    // A wrong sum stops most inputs at the door; most of them get a right one.
    if rng.u8(..) < 200 {
        mend(protocol, &mut input);
    }
    input
}

fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut fastrand::Rng) {
    const TOKENS: [&[u8]; 16] = [
        b"[",
        b"]",
        b"*",
        b",",
        b"{",
        b"}",
        b"\"",
        b"\\u0000",
        b"<mrq>",
        b"</mrq>",
        b"&#x41;",
        b"99999999999999999999",
        b"-1",
        b"1e308",
        b"\n",
        b"null",
    ];
    let token = |rng: &mut fastrand::Rng| TOKENS[rng.usize(..TOKENS.len())].iter().copied();
    let at = rng.usize(..=input.len());
    let end = (at + rng.usize(..40)).min(input.len());
    match rng.u8(..10) {
        0 if at < input.len() => input[at] ^= 1 << rng.u8(..8),
        1 if at < input.len() => input[at] = rng.u8(..),
        2 => input.insert(at, rng.u8(..)),
        3 => drop(input.drain(at..end)),
        4 => input.truncate(at),
        5 => {
            let piece = input[at..end].to_vec();
            input.splice(at..at, piece);
        }
        // The same piece very often: long lists, deep nests, many fields.
        6 if rng.u8(..) < 64 && at < end => {
            let piece = input[at..end].to_vec();
            let times = rng.usize(..INPUT_MAX / piece.len());
            input.splice(at..at, piece.repeat(times));
        }
        7 => {
            let other = rng.choice(seeds).cloned().unwrap_or_default();
            input.splice(at..at, other);
        }
        8 => drop(input.splice(at..at, token(rng))),
        _ => drop(input.splice(at..end, token(rng))),
    }
}

/// Sets length and sum as a device would.
fn mend(protocol: Protocol, input: &mut [u8]) {
    let sum = |bytes: &[u8]| bytes.iter().fold(0u8, |sum, b| sum.wrapping_add(*b));
    match protocol {
        Protocol::Gb26875 if (30..1054).contains(&input.len()) => {
            let whole = input.len();
            input[..2].fill(0x40);
            input[24..26].copy_from_slice(&((whole - 30) as u16).to_le_bytes());
            input[whole - 3] = sum(&input[2..whole - 3]);
            input[whole - 2..].fill(0x23);
        }
        Protocol::Cjt188 => {
            let start = input.iter().take_while(|b| **b == 0xfe).count();
            let frame = &mut input[start..];
            if (13..=113).contains(&frame.len()) {
                let whole = frame.len();
                frame[0] = 0x68;
                frame[10] = (whole - 13) as u8;
                frame[whole - 2] = sum(&frame[..whole - 2]);
                frame[whole - 1] = 0x16;
            }
        }
        Protocol::Watch if input.len() > 1 => {
            let last = input.len() - 1;
            (input[0], input[last]) = (b'[', b']');
        }
        _ => {}
    }
}
