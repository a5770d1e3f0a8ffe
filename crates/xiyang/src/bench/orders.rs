//! `xiyang bench orders`: the life of an order over HTTP, beside the same in pgbench and FastAPI.

use std::{
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    sync::Arc,
    time::Duration,
};

use city::town::{HOUSE, SLOTS, Town};
use clap::Args;

use super::{
    cycle::{Ours, Visits},
    disk, load, peers,
    report::Report,
    scratch::Scratch,
    seed,
    server::{self, Server},
    store,
};
use crate::complaint::{CHECK_FAILED, Complaint};

#[derive(Debug, Args)]
pub(crate) struct OrdersArgs {
    /// 输出一个 JSON 对象。Print one JSON object
    #[arg(long)]
    json: bool,
    /// 每项测量的秒数。Seconds of each measurement
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=20))]
    seconds: u64,
    /// 并发连接数，第一个用于主要指标。Connections at once; the first makes the main figures
    #[arg(long, value_name = "C", value_delimiter = ',', default_values_t = [64, 16])]
    connections: Vec<usize>,
    /// 同场比较的对象：fastapi、pgbench、store，或 none。Whom to measure beside us
    #[arg(long, value_name = "P", value_delimiter = ',', default_values = ["pgbench", "fastapi", "store"])]
    peers: Vec<String>,
    /// 在此目录下测量；结束后清理。Measure below this folder, on the disk it lies on
    #[arg(long, value_name = "DIR", default_value = "/var/tmp")]
    folder: PathBuf,
}

const WARM_UP: Duration = Duration::from_secs(2);
/// More than any machine of two cores has done, so that visits do not run out.
const CYCLES_PER_S_MAX: usize = 5_000;

pub(crate) fn run(args: OrdersArgs) -> Result<ExitCode, Complaint> {
    let scratch = Scratch::below(&args.folder)?;
    let file = |e: std::io::Error| Complaint::file(&scratch.0, &e);
    let lasts = Duration::from_secs(args.seconds);
    let mut report = Report::new("orders");

    let sync = disk::sync(&scratch.0, Duration::from_secs(2)).map_err(file)?;
    report.limit("fsync_p50_ms", sync.p50_ms);
    report.limit("fsync_p99_ms", sync.p99_ms);
    report.limit("fsyncs_per_s", sync.per_s);

    let busy = WARM_UP + lasts * u32::try_from(args.connections.len()).unwrap_or(u32::MAX);
    let houses = (busy.as_secs() as usize * CYCLES_PER_S_MAX / SLOTS).div_ceil(HOUSE);
    let town = seed::make(&scratch.0.join("ours"), houses)?;
    if args.peers.iter().any(|p| p == "store") {
        copy(&scratch.0.join("ours"), &scratch.0.join("store")).map_err(file)?;
        store_alone(&scratch.0.join("store"), &town, lasts, &mut report)?;
    }
    let sound = over_http(&scratch.0.join("ours"), town, &args.connections, lasts, &mut report)?;
    beside(&scratch.0, &args, lasts, &mut report);
    report.compare("cycles_per_s", "fastapi_cycles_per_s", "times_fastapi");
    report.compare("cycles_per_s", "pgbench_cycles_per_s", "times_pgbench");
    report.compare("p99_ms", "fsync_p50_ms", "p99_in_fsyncs");
    report.print(args.json)?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(CHECK_FAILED) })
}

/// Our server under load; false when anything went wrong or the data do not verify afterwards.
fn over_http(
    data: &Path,
    town: Town,
    connections: &[usize],
    lasts: Duration,
    report: &mut Report,
) -> Result<bool, Complaint> {
    let server = Server::start(data, town.opens)?;
    let visits = Visits::new(town);
    let drive = |count: usize, lasts| {
        load::drive(server.address, Ours::clients(&visits, count), lasts)
            .map_err(|e| Complaint::file("xiyang serve".as_ref(), &e))
    };
    let mut errors = 0;
    for (n, count) in connections.iter().copied().enumerate() {
        if n == 0 {
            errors += drive(count, WARM_UP)?.errors;
        }
        let cpu = server.cpu_seconds();
        let mut seen = drive(count, lasts)?;
        let cpu = (server.cpu_seconds() - cpu) / seen.seconds;
        let name = |what: &str| if n == 0 { what.to_owned() } else { format!("{what}_{count}") };
        report.figure(name("cycles_per_s"), seen.cycles_per_s());
        report.figure(name("requests_per_s"), seen.requests_per_s());
        report.figure(name("p50_ms"), seen.milliseconds(0.5));
        report.figure(name("p99_ms"), seen.milliseconds(0.99));
        report.figure(name("server_cpu_us_per_request"), cpu / seen.requests_per_s() * 1e6);
        errors += seen.errors;
        if let Some(error) = seen.first_error {
            report.skipped(name("first_error"), &error);
        }
    }
    report.figure("errors", errors as f64);
    let ended = server.end();
    let verify = server::program()?.args(["verify", "--data"]).arg(data).stdout(Stdio::null()).status();
    let verified = verify.is_ok_and(|status| status.success());
    report.figure("verified", f64::from(u8::from(verified)));
    Ok(errors == 0 && ended && verified)
}

fn store_alone(data: &Path, town: &Town, lasts: Duration, report: &mut Report) -> Result<(), Complaint> {
    let (opened, actor) = seed::open(data, town)?;
    let visits = Visits::new(town.clone());
    let done = store::cycles_per_s(&opened.store, &visits, &Arc::new(actor), 64, lasts / 2);
    match done {
        Ok(figure) => report.figure("store_cycles_per_s", figure),
        Err(why) => report.skipped("store_cycles_per_s", &why),
    }
    Ok(())
}

fn beside(folder: &Path, args: &OrdersArgs, lasts: Duration, report: &mut Report) {
    let wanted = |name: &str| args.peers.iter().any(|p| p == name);
    if !wanted("pgbench") && !wanted("fastapi") {
        return;
    }
    let postgres = match peers::Postgres::start(folder) {
        Ok(postgres) => postgres,
        Err(why) => return report.skipped("pgbench_cycles_per_s", &why),
    };
    if wanted("pgbench") {
        // Its best with any of our numbers of connections.
        let runs = args.connections.iter().map(|count| postgres.pgbench(*count, lasts));
        match runs.collect::<Result<Vec<f64>, String>>() {
            Ok(runs) => report.figure("pgbench_cycles_per_s", runs.into_iter().fold(0.0, f64::max)),
            Err(why) => report.skipped("pgbench_cycles_per_s", &why),
        }
    }
    if wanted("fastapi") {
        let count = args.connections.first().copied().unwrap_or(64);
        match peers::python().and_then(|python| postgres.fastapi(&python, count, lasts)) {
            Ok(mut seen) => {
                report.figure("fastapi_cycles_per_s", seen.cycles_per_s());
                report.figure("fastapi_p99_ms", seen.milliseconds(0.99));
                report.figure("fastapi_errors", seen.errors as f64);
            }
            Err(why) => report.skipped("fastapi_cycles_per_s", &why),
        }
    }
}

/// Copies a closed data folder.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
