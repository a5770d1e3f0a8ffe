//! `xiyang bench decode`: how many frames one core decodes a second, beside copying and scanning the same bytes.

use std::{
    hint::black_box,
    io::Write as _,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Args;
use domain::signals::{Rejected, cjt188, fhir, gb26875, mqtt, scaip, watch};

use super::report::Report;
use crate::complaint::{CHECK_FAILED, Complaint};

#[derive(Debug, Args)]
pub(crate) struct DecodeArgs {
    /// 输出一个 JSON 对象。Print one JSON object
    #[arg(long)]
    json: bool,
    /// 每种协议测量的秒数。Seconds for each protocol
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=20))]
    seconds: u64,
}

/// A day of a watch: mostly heartbeats and stored positions, now and then something measured, once a press.
const WATCH: [&str; 8] = [
    "[3G*4700186508*000B*LK,0,10,100]",
    "[3G*4700186508*0002*LK]",
    "[3G*4700186508*0063*UD,211126,083015,A,34.797200,N,114.307300,E,0.5,90.0,72,9,80,76,1830,4,00000010,0,0,0.0]",
    "[3G*4700186508*000B*LK,0,12,99]",
    "[3G*4700186508*0085*UD2,211126,084015,V,34.797200,N,114.307300,E,0.00,0.0,0.0,0,100,75,1830,4,00000000,3,255,460,0,\
     9336,3981,141,9336,3912,140,9765,4233,134]",
    "[3G*4700186508*0008*heart,71]",
    "[ZJ*357653059860416*0007*000d*BLOOD,129,78]",
    "[3G*4700186508*0071*AL,211126,094744,A,34.797200,N,114.307300,E,0.00,0.0,72.0,7,100,74,1902,4,00010000,1,0,460,0,\
     9336,3981,141]",
];

const CJT188: [&[u8]; 2] = [
    // A reading with totals and clock, and a question.
    &[
        0xfe, 0xfe, 0xfe, 0x68, 0x10, 0x44, 0x33, 0x22, 0x11, 0x00, 0x33, 0x78, 0x81, 0x16, 0x1f, 0x90, 0x00,
        0x00, 0x77, 0x66, 0x55, 0x2c, 0x00, 0x77, 0x66, 0x55, 0x2c, 0x31, 0x01, 0x22, 0x11, 0x05, 0x15, 0x20,
        0x21, 0x84, 0x13, 0x16,
    ],
    &[
        0xfe, 0xfe, 0xfe, 0x68, 0x10, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0x01, 0x03, 0x90, 0x1f, 0x01,
        0xd2, 0x16,
    ],
];

/// A fault of the backup supply, told by its system.
const GB26875: [&[u8]; 1] = [&[
    0x40, 0x40, 0x02, 0x01, 0x01, 0x00, 0x05, 0x00, 0x09, 0x02, 0x07, 0x15, 0x17, 0x00, 0x00, 0x05, 0x07,
    0x37, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x02, 0x01, 0x01, 0x01, 0x02, 0x04, 0x02, 0x04,
    0x00, 0x09, 0x02, 0x07, 0x15, 0xcf, 0x23, 0x23,
]];

const SCAIP: &str = "<mrq><ref>803137200003</ref><mty>ME</mty><cid> 8031372</cid><dty>0004</dty><stc>0010</stc>\
                     <crd>gsm:+</crd></mrq>";

const MQTT: &str = r#"{"battery":97,"battery_low":false,"linkquality":105,"smoke":true,"tamper":false}"#;
const TOPIC: &str = "zigbee2mqtt/SMK-1";

const FHIR: &str = r#"{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org",
"code":"8867-4"}]},"subject":{"reference":"Patient/1"},"effectiveDateTime":"2026-03-01T07:32:10+08:00",
"valueQuantity":{"value":72,"unit":"/min","code":"/min"}}"#;

/// A million frames is what a city of a million sends in a minute or two; the goal leaves room.
const GOAL_PER_S: f64 = 2_000_000.0;

pub(crate) fn run(args: DecodeArgs) -> Result<ExitCode, Complaint> {
    let lasts = Duration::from_secs(args.seconds);
    let mut report = Report::new("decode");
    let watch: Vec<&[u8]> = WATCH.iter().map(|frame| frame.as_bytes()).collect();

    let reached = [
        measure(&mut report, "watch", &watch, lasts, |f| seen(watch::decode(f)))?,
        measure(&mut report, "cjt188", &CJT188, lasts, |f| seen(cjt188::decode(f)))?,
    ];
    measure(&mut report, "gb26875", &GB26875, lasts, |f| seen(gb26875::decode(f)))?;
    measure(&mut report, "scaip", &[SCAIP.as_bytes()], lasts, |f| seen(scaip::decode(f)))?;
    measure(&mut report, "mqtt", &[MQTT.as_bytes()], lasts, |f| seen(mqtt::decode(Some(TOPIC), f)))?;
    measure(&mut report, "fhir", &[FHIR.as_bytes()], lasts, |f| seen(fhir::decode(f)))?;
    physical(&mut report, "watch", &watch, lasts);
    physical(&mut report, "cjt188", &CJT188, lasts);
    report.limit("goal_per_s", GOAL_PER_S);
    report.print(args.json)?;
    // An unoptimised build says nothing about the goal.
    let good = cfg!(debug_assertions) || reached.iter().all(|per_s| *per_s >= GOAL_PER_S);
    if !good {
        let _ = writeln!(std::io::stderr(), "未达到每核每秒 {GOAL_PER_S:.0} 帧");
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(CHECK_FAILED) })
}

/// Keeps the optimiser from leaving out what nobody reads.
fn seen<T>(decoded: Result<T, Rejected>) -> Result<(), Rejected> {
    decoded.map(|event| drop(black_box(event)))
}

/// Frames a second on one core; the frames of the bench must all be good ones.
fn measure(
    report: &mut Report,
    name: &str,
    frames: &[&[u8]],
    lasts: Duration,
    decode: impl Fn(&[u8]) -> Result<(), Rejected>,
) -> Result<f64, Complaint> {
    if let Some(rejected) = frames.iter().find_map(|frame| decode(frame).err()) {
        return Err(Complaint::new(
            format!("测量用的 {name} 报文不能解码：{rejected}"),
            format!("a frame of the bench is refused: {name} {rejected}"),
        ));
    }
    let per_s = rounds_per_s(lasts, || {
        for frame in frames {
            let _ = black_box(decode(black_box(frame)));
        }
    }) * frames.len() as f64;
    report.figure(format!("{name}_frames_per_s"), per_s);
    report.figure(format!("{name}_ns"), 1e9 / per_s);
    Ok(per_s)
}

/// What nobody can beat: copying the same bytes, and looking at each of them once.
fn physical(report: &mut Report, name: &str, frames: &[&[u8]], lasts: Duration) {
    let longest = frames.iter().map(|frame| frame.len()).max().unwrap_or(0);
    let mut room = vec![0; longest];
    let count = frames.len() as f64;
    let copied = rounds_per_s(lasts / 2, || {
        for frame in frames {
            room[..frame.len()].copy_from_slice(black_box(frame));
            black_box(&mut room);
        }
    });
    report.limit(format!("{name}_copied_per_s"), copied * count);
    let scanned = rounds_per_s(lasts / 2, || {
        for frame in frames {
            black_box(black_box(frame).iter().fold(0u8, |sum, b| sum.wrapping_add(*b)));
        }
    });
    report.limit(format!("{name}_summed_per_s"), scanned * count);
}

/// How often a second something can be done, after a tenth of the time to warm up.
fn rounds_per_s(lasts: Duration, mut round: impl FnMut()) -> f64 {
    const AT_ONCE: u32 = 256;
    let mut run = |lasts: Duration| {
        let (began, mut rounds) = (Instant::now(), 0_u64);
        while began.elapsed() < lasts {
            (0..AT_ONCE).for_each(|_| round());
            rounds += u64::from(AT_ONCE);
        }
        rounds as f64 / began.elapsed().as_secs_f64()
    };
    run(lasts / 10);
    run(lasts)
}
