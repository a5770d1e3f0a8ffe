//! `xiyang bench desk`: from the moment a button is pressed to the line in the page an operator has open, in a real
//! browser: while other devices speak as usual, and while all of them come back after an outage.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, ChildStdout, Command, ExitCode, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use app::signals::incidents;
use clap::Args;
use domain::{ids::DeviceId, signals::device::DeviceKind, time::At};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{
    browse::Visitor,
    crowd::{self, Device, Wanted},
    intake::{machine, told},
    reconnect::{self, OTHER_FILES, open_files},
    report::{Report, percentile},
    scratch::{self, Scratch},
    server::Server,
};
use crate::{
    PlaceArgs,
    complaint::{CHECK_FAILED, Complaint},
    folder, open, outside,
};

#[derive(Debug, Args)]
pub(crate) struct DeskArgs {
    /// 输出一个 JSON 对象。Print one JSON object
    #[arg(long)]
    json: bool,
    /// 平时负载下测量的秒数。Seconds measured under the usual load
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=300))]
    seconds: u64,
    /// 断线后同时重连的设备数；打开文件数的限制不够时减少。Devices that come back; fewer where the limit of open files is lower
    #[arg(long, value_name = "D", default_value_t = 46_000)]
    devices: usize,
    /// 打开告警台并报告所见的脚本。The script that opens the desk and tells what it sees
    #[arg(long, value_name = "FILE", default_value = "tests/browser/watch.mjs")]
    watcher: PathBuf,
}

/// Elders of the demo city behind the desk.
const PEOPLE: u32 = 2_000;
/// Devices that speak all the time, and how often each does: together 1,000 messages a second.
const TALKERS: usize = 200;
const TALK_EVERY: Duration = Duration::from_millis(200);
/// Buttons are pressed one after another, each once: a second press would belong to the incident of the first.
const PRESS_EVERY: Duration = Duration::from_secs(1);
const PRESSES_MAX: usize = 400;
/// How long a line may take before it counts as not shown.
const LATE: Duration = Duration::from_secs(10);
/// The operator of the demo who has the desk open.
const OPERATOR: &str = "hujing";

pub(crate) fn run(args: &DeskArgs) -> Result<ExitCode, Complaint> {
    let scratch = Scratch::below(scratch::USUAL.as_ref())?;
    let data = scratch.0.join("city");
    Server::demo(&data, PEOPLE)?.end();
    let comers = args.devices.min(open_files().saturating_sub(OTHER_FILES));
    let wanted = |kind, count| Wanted { kind, count, beat_seconds: None };
    let [buttons, talkers, comers] = {
        let opened = open::to_serve_folder(&data, folder::hold(&data)?, None)?;
        let mats = [wanted(DeviceKind::BedMat, TALKERS), wanted(DeviceKind::Smoke, comers)];
        let all = [wanted(DeviceKind::Sos, 2 * PRESSES_MAX), mats[0], mats[1]];
        <[Vec<Device>; 3]>::try_from(crowd::enter(&opened.store, &all)?).expect("three were wanted")
    };
    let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    let door = free.map_err(|e| Complaint::file("127.0.0.1:0".as_ref(), &e))?;
    let server = Server::demo_with(&data, PEOPLE, &["--mqtt", &door.to_string()])?;
    let operator = Visitor::enter(server.address, OPERATOR)?;
    let watcher = Watcher::start(&args.watcher, server.address, &operator.session)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Complaint::file("runtime".as_ref(), &e))?;
    let usual = Duration::from_secs(args.seconds);
    let [first, second] = runtime.block_on(shifts(door, buttons, talkers, comers, usual));
    std::thread::sleep(LATE);
    let shown = watcher.end();
    let opened = open::to_look(&PlaceArgs { data: Some(data.clone()), database: None }, None)?;
    let everything = incidents::Filter::default();
    let lines = opened.store.read(move |tx| incidents::incidents(tx, &machine(), &everything, None, 100_000));
    let lines = lines.map_err(|no| Complaint::from(told(no)))?;
    let seen: HashMap<DeviceId, At> = lines
        .iter()
        .filter_map(|line| Some((line.incident.device?, *shown.get(&line.incident.id.0)?)))
        .collect();
    let mut report = Report::new("desk");
    report.limit("open_files", open_files() as f64);
    report.figure("messages_per_s", TALKERS as f64 / TALK_EVERY.as_secs_f64());
    report.figure("reconnected", second.devices as f64);
    report.figure("reconnect_s", second.seconds);
    let mut sound = second.failed == 0;
    for (name, shift) in [("usual", &first), ("reconnect", &second)] {
        sound &= tell(&mut report, name, shift, &seen);
    }
    report.print(args.json)?;
    sound &= server.end();
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(CHECK_FAILED) })
}

/// Figures of a shift; whether every press was answered and shown.
fn tell(report: &mut Report, name: &str, shift: &Shift, seen: &HashMap<DeviceId, At>) -> bool {
    let mut micros: Vec<u32> = shift
        .pressed
        .iter()
        .filter_map(|(device, at)| u32::try_from(seen.get(device)?.0 - at.0).ok())
        .collect();
    let (pressed, shown) = (shift.pressed.len(), micros.len());
    report.figure(format!("{name}_presses"), pressed as f64);
    report.figure(format!("{name}_not_answered"), shift.unanswered as f64);
    report.figure(format!("{name}_not_shown"), (pressed - shown) as f64);
    for (share, what) in [(0.5, "p50"), (0.99, "p99"), (1.0, "max")] {
        report.figure(format!("{name}_to_page_{what}_ms"), percentile(&mut micros, share) / 1000.0);
    }
    shift.unanswered == 0 && shown == pressed && pressed > 0
}

/// A browser with the desk open, that says which incidents it shows from when on.
struct Watcher {
    browser: Child,
    out: BufReader<ChildStdout>,
}

impl Watcher {
    fn start(script: &std::path::Path, server: SocketAddr, session: &str) -> Result<Watcher, Complaint> {
        let fail = |e: std::io::Error| Complaint::file(script, &e);
        let mut node = Command::new("node");
        let node = node.arg(script).arg(format!("http://{server}")).arg(session);
        let mut browser = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(fail)?;
        let out = browser.stdout.take().ok_or_else(|| fail(std::io::Error::other("no output")))?;
        let mut out = BufReader::new(out);
        // What the desk showed when it was opened is of no interest.
        let ready = out.by_ref().lines().map_while(Result::ok).any(|line| line == "ready");
        if !ready {
            let _ = browser.wait();
            let why = "the browser did not open the desk: `make setup` installs it, `npm ci` its driver";
            return Err(Complaint::new("浏览器没有打开告警台，请先运行 make setup 和 npm ci", why));
        }
        Ok(Watcher { browser, out })
    }

    /// Closes the browser; by the number of each incident, when its line stood in the page.
    fn end(self) -> HashMap<i64, At> {
        let Watcher { mut browser, out } = self;
        drop(browser.stdin.take());
        let shown = out
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| {
                let (id, millis) = line.split_once(' ')?;
                Some((id.parse().ok()?, At(millis.parse::<i64>().ok()? * 1000)))
            })
            .collect();
        let _ = browser.wait();
        shown
    }
}

/// What was done in one part of the measurement.
#[derive(Debug, Default)]
struct Shift {
    /// Which button was pressed when.
    pressed: Vec<(DeviceId, At)>,
    unanswered: usize,
    /// Devices that came back meanwhile, and how long all of them took.
    devices: usize,
    failed: usize,
    seconds: f64,
}

async fn shifts(
    door: SocketAddr,
    mut buttons: Vec<Device>,
    talkers: Vec<Device>,
    comers: Vec<Device>,
    usual: Duration,
) -> [Shift; 2] {
    let rest = buttons.split_off(PRESSES_MAX);
    let talking = Arc::new(AtomicBool::new(true));
    let count = talkers.len().max(1) as u32;
    let talks: Vec<_> = (0..)
        .zip(talkers)
        .map(|(n, device)| tokio::spawn(talk(door, device, TALK_EVERY * n / count, Arc::clone(&talking))))
        .collect();
    let pressing = Arc::new(AtomicBool::new(true));
    let presses = tokio::spawn(press(door, buttons, Arc::clone(&pressing)));
    tokio::time::sleep(usual).await;
    pressing.store(false, Ordering::Relaxed);
    let first = presses.await.unwrap_or_default();
    talking.store(false, Ordering::Relaxed);
    for one in talks {
        let _ = one.await;
    }

    let comers = Arc::new(comers);
    // The whole city loses its network.
    drop(reconnect::connect_all(door, &comers).await);
    let pressing = Arc::new(AtomicBool::new(true));
    let presses = tokio::spawn(press(door, rest, Arc::clone(&pressing)));
    let round = reconnect::connect_all(door, &comers).await;
    // A few more, so that even a quick return is measured.
    tokio::time::sleep(8 * PRESS_EVERY).await;
    pressing.store(false, Ordering::Relaxed);
    let mut second = presses.await.unwrap_or_default();
    (second.devices, second.failed, second.seconds) = (round.streams.len(), round.failed, round.seconds);
    [first, second]
}

/// One device that says something each time and waits until it is stored.
async fn talk(door: SocketAddr, device: Device, wait: Duration, on: Arc<AtomicBool>) {
    tokio::time::sleep(wait).await;
    let Ok(mut stream) = reconnect::connect(door, 0, &device).await else { return };
    let mut turns = tokio::time::interval(TALK_EVERY);
    for id in 1..u16::MAX {
        turns.tick().await;
        let payload = format!(r#"{{"seq":{id},"battery":88,"heart_rate":64}}"#);
        let said = reconnect::message(&device, "bedmat", id, &payload);
        let mut answer = [0; 4];
        if !on.load(Ordering::Relaxed)
            || stream.write_all(&said).await.is_err()
            || stream.read_exact(&mut answer).await.is_err()
        {
            break;
        }
    }
}

/// Presses one button after another, each over its own connection, until it is over.
async fn press(door: SocketAddr, buttons: Vec<Device>, on: Arc<AtomicBool>) -> Shift {
    let mut turns = tokio::time::interval(PRESS_EVERY);
    let mut shift = Shift::default();
    let mut answers = Vec::new();
    for button in buttons {
        turns.tick().await;
        if !on.load(Ordering::Relaxed) {
            break;
        }
        let Ok(mut stream) = reconnect::connect(door, 0, &button).await else {
            shift.unanswered += 1;
            continue;
        };
        let said = reconnect::message(&button, "sos", 1, r#"{"event":"sos","seq":1}"#);
        shift.pressed.push((button.id, outside::now().0));
        answers.push(tokio::spawn(async move {
            let mut answer = [0; 4];
            stream.write_all(&said).await?;
            stream.read_exact(&mut answer).await.map(drop)
        }));
    }
    for answer in answers {
        let answered = tokio::time::timeout(LATE, answer).await;
        shift.unanswered += usize::from(!matches!(answered, Ok(Ok(Ok(())))));
    }
    shift
}
