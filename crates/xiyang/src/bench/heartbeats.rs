//! `xiyang bench heartbeats`: what it costs to watch over devices that are all well, and how soon one that is not is
//! found. The server's clock is the machine's, so nothing is sped up.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use app::{
    signals::silences::{self, Page},
    store::Store,
};
use clap::Args;
use domain::{ids::DeviceId, signals::device::DeviceKind};

use super::{
    crowd::{self, Wanted},
    intake::{machine, told},
    report::Report,
    scratch::Scratch,
    server::Server,
};
use crate::{
    PlaceArgs,
    complaint::{CHECK_FAILED, Complaint},
    open, outside,
};

#[derive(Debug, Args)]
pub(crate) struct HeartbeatArgs {
    /// 输出一个 JSON 对象。Print one JSON object
    #[arg(long)]
    json: bool,
    /// 设备数。Devices
    #[arg(long, value_name = "D", default_value_t = 46_000)]
    devices: usize,
    /// 测量处理器占用的秒数。Seconds in which the processor's time is measured
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(10..=600))]
    seconds: u64,
    /// 在此目录下测量；结束后清理。Measure below this folder, on the disk it lies on
    #[arg(long, value_name = "DIR", default_value = "/var/tmp")]
    folder: PathBuf,
}

/// Devices that will go missing, and when: after the processor's time was measured.
const MISSING: usize = 20;
/// What a server does once when it starts.
const SETTLE: Duration = Duration::from_secs(5);
/// How long a missing device may stay unfound.
const LATE_SECONDS: i64 = 300;
const LOOK: Duration = Duration::from_millis(250);

pub(crate) fn run(args: &HeartbeatArgs) -> Result<ExitCode, Complaint> {
    let scratch = Scratch::below(&args.folder)?;
    let data = scratch.0.join("city");
    let beat = args.seconds as i64 + 15;
    let wanted = [
        Wanted { kind: DeviceKind::Smoke, count: args.devices, beat_seconds: Some(86_400) },
        Wanted { kind: DeviceKind::Sos, count: MISSING, beat_seconds: Some(beat) },
    ];
    let missing = crowd::found(&data, &wanted)?.pop().unwrap_or_default();
    let due = outside::now().0.plus_seconds(beat);
    let server = Server::start(&data, outside::now().0)?;
    std::thread::sleep(SETTLE);
    let cpu = server.cpu_seconds();
    std::thread::sleep(Duration::from_secs(args.seconds));
    let cpu = server.cpu_seconds() - cpu;
    let mut report = Report::new("heartbeats");
    report.figure("devices", args.devices as f64);
    report.figure("heartbeat_cpu_percent", cpu / args.seconds as f64 * 100.0);
    let opened = open::to_look(&PlaceArgs { data: Some(data.clone()), database: None }, None)?;
    let ids: Vec<DeviceId> = missing.iter().map(|device| device.id).collect();
    let found = loop {
        let late = outside::now().0.seconds_since(due);
        if all_listed(&opened.store, &ids)? {
            break Some(late);
        }
        if late > LATE_SECONDS {
            break None;
        }
        std::thread::sleep(LOOK);
    };
    match found {
        Some(seconds) => report.figure("missing_found_s", seconds as f64),
        None => report.skipped("missing_found_s", "not all of them were found within five minutes"),
    }
    report.print(args.json)?;
    let sound = server.end() && found.is_some();
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(CHECK_FAILED) })
}

/// Whether all of these are on the list of silent devices.
fn all_listed(store: &Store, ids: &[DeviceId]) -> Result<bool, Complaint> {
    let page = Page { offset: 0, limit: 500 };
    let lines = store.read(move |tx| silences::silent_devices(tx, &machine(), page));
    let lines = lines.map_err(|no| Complaint::from(told(no)))?;
    Ok(ids.iter().all(|id| lines.iter().any(|line| line.device == *id)))
}
