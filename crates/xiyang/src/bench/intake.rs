//! `xiyang bench intake`: devices' messages to durable rows and incidents, over MQTT with QoS 1, by the real program.
//!
//! Gateways speak for twenty thousand devices. First as fast as acknowledgements come, then at a given rate with an SOS
//! among each two hundred messages, each of another device, so that each opens an incident of its own. In the end the
//! rows are counted: what was acknowledged and is not there is lost.

use std::{
    collections::HashSet,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use app::{
    outcome::No,
    pack::{self, Pack},
    signals::{
        devices::{self, NewDevice},
        intake::{self, Batch, Intake, Reading, counts, each_stored},
    },
    store::Fault,
};
use clap::Args;
use domain::{
    access::{Actor, Role},
    ids::{AccountId, DeviceId},
    regions::{RegionCode, RegionRange},
    signals::device::{DeviceKind, Protocol},
    time::At,
};

use super::{
    disk,
    mosquitto::Mosquitto,
    mqtt_load::{self, Gateway, Pace},
    report::Report,
    server::Server,
};
use crate::{
    complaint::{CHECK_FAILED, Complaint},
    folder, open, outside,
};

#[derive(Debug, Args)]
pub(crate) struct IntakeArgs {
    /// 输出一个 JSON 对象。Print one JSON object
    #[arg(long)]
    json: bool,
    /// 每项测量的秒数。Seconds of each measurement
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// 测量报警时的消息速率，第一个用于主要指标。Messages a second while alarms are timed
    #[arg(long, value_name = "R", value_delimiter = ',', default_values_t = [30_000, 10_000])]
    rates: Vec<u64>,
    /// 连接数。Connections
    #[arg(long, value_name = "C", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    connections: u32,
    /// 设备数。Devices
    #[arg(long, value_name = "D", default_value_t = 20_000)]
    devices: usize,
    /// 在此目录下测量；结束后清理。Measure below this folder, on the disk it lies on
    #[arg(long, value_name = "DIR", default_value = "/var/tmp")]
    folder: PathBuf,
}

/// A folder that is gone when this is dropped.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const WARM_UP: Duration = Duration::from_secs(2);
/// Where the devices of a bench are.
pub(super) const COUNTY: &str = "410202";

pub(crate) fn run(args: IntakeArgs) -> Result<ExitCode, Complaint> {
    let scratch = Scratch(args.folder.join(format!("xiyang-bench-{}", std::process::id())));
    let file = |e: std::io::Error| Complaint::file(&scratch.0, &e);
    std::fs::create_dir_all(&scratch.0).map_err(file)?;
    let lasts = Duration::from_secs(args.seconds);
    let mut report = Report::new("intake");
    let sync = disk::sync(&scratch.0, Duration::from_secs(2)).map_err(file)?;
    report.limit("fsync_p50_ms", sync.p50_ms);
    report.limit("fsyncs_per_s", sync.per_s);

    let data = scratch.0.join("ours");
    let gateways = found(&data, &args)?;
    report.limit("store_alone_msgs_per_s", store_alone(&scratch.0.join("alone"), lasts / 2)?);
    let sound = over_mqtt(&data, &gateways, &args, lasts, &mut report)?;
    match Mosquitto::start(&scratch.0) {
        Ok(mosquitto) => {
            let seen = drive(mosquitto.address, &gateways, Pace::Flat, lasts / 2)?;
            report.figure("mosquitto_publishes_per_s", seen.per_s());
            report.compare("msgs_per_s", "mosquitto_publishes_per_s", "times_mosquitto");
        }
        Err(why) => report.skipped("mosquitto_publishes_per_s", &why),
    }
    report.print(args.json)?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(CHECK_FAILED) })
}

/// Whoever enters a bench's own city.
pub(super) fn machine() -> Actor {
    let (name, range) = ("测量".to_owned(), RegionRange::ALL);
    Actor { account: AccountId(0), name, role: Role::System, range, provider: None, carer: None }
}

/// Makes a city with gateways and devices.
fn found(data: &Path, args: &IntakeArgs) -> Result<Vec<Gateway>, Complaint> {
    let opened = open::to_serve_folder(data, folder::hold(data)?, None)?;
    let now = outside::now();
    let pack = Pack::load("kaifeng").expect("the packs in the program are tested");
    let installed = opened.store.write(move |tx| pack::install(tx, &pack, now)).map(|_| ());
    installed.map_err(|no| Complaint::from(told(no)))?;
    // Twenty thousand devices speak for ten times as many.
    let terms = intake::Terms { per_minute: 100_000, ..intake::Terms::default() };
    opened.store.write(move |tx| intake::set_terms(tx, &terms))?;
    let mut gateways = Vec::new();
    let each = args.devices.div_ceil(args.connections as usize);
    for n in 0..args.connections {
        let made = opened.store.write(move |tx| {
            let region = RegionCode::parse(COUNTY).ok();
            let name = format!("GW-{n}");
            let new = NewDevice { region, ..NewDevice::new(DeviceKind::Gateway, &name) };
            let (id, secret) = devices::add(tx, &machine(), &new, [n as u8; 16], now)?;
            let mut gateway =
                Gateway { serial: name, secret: secret.reveal().to_owned(), devices: Vec::new() };
            for m in 0..each {
                let serial = format!("BM-{n}-{m}");
                let kind = DeviceKind::BedMat;
                let new = NewDevice { region, gateway: Some(id), ..NewDevice::new(kind, &serial) };
                devices::add(tx, &machine(), &new, [0; 16], now)?;
                gateway.devices.push(serial);
            }
            Ok::<_, No<devices::DeviceRefusal>>(gateway)
        });
        gateways.push(made.map_err(|no| Complaint::from(told(no)))?);
    }
    Ok(gateways)
}

/// What went wrong while a bench made its own city.
pub(super) fn told<R: std::fmt::Debug>(no: No<R>) -> Fault {
    match no {
        No::Fault(fault) => fault,
        other => Fault::other(format!("the bench's own city: {other:?}")),
    }
}

fn drive(
    to: SocketAddr,
    gateways: &[Gateway],
    pace: Pace,
    lasts: Duration,
) -> Result<mqtt_load::Seen, Complaint> {
    mqtt_load::drive(to, COUNTY, gateways, pace, lasts).map_err(|e| Complaint::file("mqtt".as_ref(), &e))
}

/// Our server under load; false when something acknowledged is not there.
fn over_mqtt(
    data: &Path,
    gateways: &[Gateway],
    args: &IntakeArgs,
    lasts: Duration,
    report: &mut Report,
) -> Result<bool, Complaint> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    let door = free.map_err(|e| Complaint::file("127.0.0.1:0".as_ref(), &e))?;
    let server = Server::start_with(data, outside::now().0, &["--mqtt", &door.to_string()])?;
    let mut acknowledged = drive(door, gateways, Pace::Flat, WARM_UP)?.acknowledged;
    let cpu = server.cpu_seconds();
    let seen = drive(door, gateways, Pace::Flat, lasts)?;
    let cpu = (server.cpu_seconds() - cpu) / seen.seconds;
    acknowledged += seen.acknowledged;
    report.figure("msgs_per_s", seen.per_s());
    report.figure("server_cpu_us_per_msg", cpu / seen.per_s() * 1e6);
    for (n, rate) in args.rates.iter().enumerate() {
        let mut seen = drive(door, gateways, Pace::PerSecond(*rate), lasts)?;
        acknowledged += seen.acknowledged;
        let name = |what: &str| if n == 0 { what.to_owned() } else { format!("{what}_{rate}") };
        report.figure(name("alarm_p50_ms"), seen.alarm_ms(0.5));
        report.figure(name("alarm_p99_ms"), seen.alarm_ms(0.99));
        report.figure(name("alarms"), seen.alarms() as f64);
        report.figure(name("paced_msgs_per_s"), seen.per_s());
    }
    let ended = server.end();
    let opened = open::to_serve_folder(data, folder::hold(data)?, None)?;
    let (stored, alarms, distinct) = opened.store.read(|tx| {
        let (stored, alarms) = counts(tx)?;
        let mut distinct = HashSet::new();
        each_stored(tx, At(0), At(i64::MAX), i64::MAX, |frame| {
            distinct.insert((frame.device.0, frame.seq));
        })?;
        Ok::<_, Fault>((stored, alarms, distinct.len() as i64))
    })?;
    let lost = acknowledged as i64 - distinct - alarms;
    report.figure("acknowledged", acknowledged as f64);
    report.figure("lost", lost.max(0) as f64);
    report.figure("doubled", (stored - distinct) as f64);
    Ok(ended && lost <= 0 && stored == distinct)
}

/// How many readings the store takes without any network: what the intake could do at most.
fn store_alone(data: &Path, lasts: Duration) -> Result<f64, Complaint> {
    let opened = open::to_serve_folder(data, folder::hold(data)?, None)?;
    let home = RegionCode::parse(COUNTY).expect("a county");
    let (intake, keeper) = Intake::start(opened.store.clone(), outside::now, home, None)?;
    let raw =
        br#"{"ts":"2026-11-21T10:00:00+08:00","seq":123456,"battery":88,"linkquality":61,"heart_rate":72}"#;
    let began = std::time::Instant::now();
    let (send, receive) = std::sync::mpsc::channel();
    let mut given = 0_i64;
    // Two thousand frames at once, sixteen times: what connections have on the way under load.
    let mut give = || {
        let (mut batch, now) = (Batch::default(), intake.now().0);
        for _ in 0..2_000 {
            given += 1;
            batch.push(reading(given, now), raw);
        }
        let send = send.clone();
        intake.take_readings(
            batch,
            Box::new(move |outcome| {
                let _ = send.send(outcome);
            }),
        );
    };
    (0..16).for_each(|_| give());
    let mut stored = 0;
    while began.elapsed() < lasts {
        if receive.recv().is_ok_and(|outcome| outcome.is_ok()) {
            stored += 2_000;
        }
        give();
    }
    let seconds = began.elapsed().as_secs_f64();
    drop(keeper);
    Ok(f64::from(stored) / seconds)
}

fn reading(n: i64, now: At) -> Reading {
    Reading {
        device: DeviceId(1 + n % 20_000),
        person: None,
        protocol: Protocol::Mqtt,
        received_at: now,
        device_at: Some(now),
        seq: Some(n),
        battery: Some(88),
        trace: None,
    }
}
