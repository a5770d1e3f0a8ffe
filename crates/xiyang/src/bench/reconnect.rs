//! `xiyang bench reconnect`: all devices lose their connections and come back as fast as they can, each with its own
//! secret and a first message, while buttons are pressed all the time.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use clap::Args;
use domain::signals::device::DeviceKind;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    sync::Semaphore,
};

use super::{
    crowd::{self, Device, Wanted},
    intake::COUNTY,
    mqtt_load::packet,
    report::{Report, percentile},
    scratch::Scratch,
    server::Server,
};
use crate::{
    complaint::{CHECK_FAILED, Complaint},
    outside,
};

#[derive(Debug, Args)]
pub(crate) struct ReconnectArgs {
    /// 输出一个 JSON 对象。Print one JSON object
    #[arg(long)]
    json: bool,
    /// 设备数；打开文件数的限制不够时减少。Devices; fewer where the limit of open files is lower
    #[arg(long, value_name = "D", default_value_t = 46_000)]
    devices: usize,
    /// 按键数，每个每秒按一次。Buttons, each pressed once a second
    #[arg(long, value_name = "B", default_value_t = 40)]
    buttons: usize,
    /// 在此目录下测量；结束后清理。Measure below this folder, on the disk it lies on
    #[arg(long, value_name = "DIR", default_value = "/var/tmp")]
    folder: PathBuf,
}

/// Devices that are on their way to a connection at once.
const AT_ONCE: usize = 512;
/// Descriptors for everything else.
pub(super) const OTHER_FILES: usize = 1_000;
/// Connections from one address of ours: there are 28,000 ports, those of the last round rest for a minute, and the system
/// looks for a free one longer the fewer there are.
const OF_ADDRESS: usize = 2_000;
/// How long anything may take before it counts as lost.
const LATE: Duration = Duration::from_secs(30);
const PRESS_EVERY: Duration = Duration::from_secs(1);

pub(crate) fn run(args: &ReconnectArgs) -> Result<ExitCode, Complaint> {
    let scratch = Scratch::below(&args.folder)?;
    let data = scratch.0.join("city");
    let devices = args.devices.min(open_files().saturating_sub(OTHER_FILES));
    let wanted = |kind, count| Wanted { kind, count, beat_seconds: None };
    let mut made =
        crowd::found(&data, &[wanted(DeviceKind::BedMat, devices), wanted(DeviceKind::Sos, args.buttons)])?;
    let (buttons, mats) = (made.pop().unwrap_or_default(), made.pop().unwrap_or_default());
    let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    let door = free.map_err(|e| Complaint::file("127.0.0.1:0".as_ref(), &e))?;
    let server = Server::start_with(&data, outside::now().0, &["--mqtt", &door.to_string()])?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Complaint::file("runtime".as_ref(), &e))?;
    let mut seen = runtime.block_on(storm(door, mats, buttons));
    let mut report = Report::new("reconnect");
    report.limit("open_files", open_files() as f64);
    report.figure("devices", devices as f64);
    report.figure("connect_s", seen.first.seconds);
    report.figure("reconnect_s", seen.again.seconds);
    report.figure("not_connected", (seen.first.failed + seen.again.failed) as f64);
    report.figure("sos_sent", seen.sent as f64);
    report.figure("sos_shed", (seen.sent - seen.micros.len()) as f64);
    report.figure("alarm_p50_ms", percentile(&mut seen.micros, 0.5) / 1000.0);
    report.figure("alarm_p99_ms", percentile(&mut seen.micros, 0.99) / 1000.0);
    report.figure("alarm_max_ms", percentile(&mut seen.micros, 1.0) / 1000.0);
    report.figure("server_memory_mib", server.memory_mib());
    report.print(args.json)?;
    let sound = server.end() && seen.micros.len() == seen.sent && seen.again.failed == 0;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(CHECK_FAILED) })
}

/// The soft limit of this process, which the server inherits.
pub(super) fn open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(1_024)
}

/// One round of connecting.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) seconds: f64,
    pub(super) failed: usize,
    pub(super) streams: Vec<TcpStream>,
}

struct Seen {
    first: Round,
    again: Round,
    /// Presses during the second round, and how long the answered ones took.
    sent: usize,
    micros: Vec<u32>,
}

async fn storm(door: SocketAddr, mats: Vec<Device>, buttons: Vec<Device>) -> Seen {
    let mats = Arc::new(mats);
    let mut first = connect_all(door, &mats).await;
    let over = Arc::new(AtomicBool::new(false));
    let sent = Arc::new(AtomicUsize::new(0));
    let count = buttons.len().max(1) as u32;
    let presses: Vec<_> = (0..)
        .zip(buttons)
        .map(|(n, button)| {
            let (over, sent) = (Arc::clone(&over), Arc::clone(&sent));
            tokio::spawn(press(door, button, PRESS_EVERY * n / count, over, sent))
        })
        .collect();
    // The whole city loses its network.
    first.streams.clear();
    let again = connect_all(door, &mats).await;
    over.store(true, Ordering::Relaxed);
    let mut micros = Vec::new();
    for one in presses {
        micros.extend(one.await.unwrap_or_default());
    }
    Seen { first, again, sent: sent.load(Ordering::Relaxed), micros }
}

pub(super) async fn connect_all(door: SocketAddr, mats: &Arc<Vec<Device>>) -> Round {
    let began = Instant::now();
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = Vec::with_capacity(mats.len());
    for n in 0..mats.len() {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { break };
        let mats = Arc::clone(mats);
        tasks.push(tokio::spawn(async move {
            let done = tokio::time::timeout(LATE, come(door, n, &mats[n])).await;
            drop(place);
            done.ok().and_then(Result::ok)
        }));
    }
    let mut round = Round::default();
    for task in tasks {
        match task.await {
            Ok(Some(stream)) => round.streams.push(stream),
            _ => round.failed += 1,
        }
    }
    round.seconds = began.elapsed().as_secs_f64();
    round
}

/// Connects, proves itself, and says a first word that is stored.
async fn come(door: SocketAddr, n: usize, device: &Device) -> std::io::Result<TcpStream> {
    let mut stream = connect(door, n, device).await?;
    let body = message(device, "bedmat", 1, r#"{"battery":88,"heart_rate":64}"#);
    stream.write_all(&body).await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    Ok(stream)
}

pub(super) async fn connect(door: SocketAddr, n: usize, device: &Device) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let own = Ipv4Addr::new(127, 0, 0, 2 + (n / OF_ADDRESS) as u8);
    // A port that was let go a moment ago waits for stray packets.
    socket.set_reuseaddr(true)?;
    socket.bind((own, 0).into())?;
    let mut stream = socket.connect(door).await?;
    stream.set_nodelay(true)?;
    let mut body = b"\x00\x04MQTT\x04\xc2\x00\x00".to_vec();
    for text in [&device.serial, &device.serial, &device.secret] {
        body.extend((text.len() as u16).to_be_bytes());
        body.extend(text.as_bytes());
    }
    stream.write_all(&packet(0x10, &body)).await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    if answer[3] == 0 { Ok(stream) } else { Err(std::io::Error::other("the connection was refused")) }
}

pub(super) fn message(device: &Device, kind: &str, id: u16, payload: &str) -> Vec<u8> {
    let topic = format!("care/v1/{COUNTY}/{kind}/{}/up", device.serial);
    let mut body = (topic.len() as u16).to_be_bytes().to_vec();
    body.extend(topic.as_bytes());
    body.extend(id.to_be_bytes());
    body.extend(payload.as_bytes());
    packet(0x32, &body)
}

/// Presses a button each second until it is over; answers how long each answer took.
async fn press(
    door: SocketAddr,
    button: Device,
    wait: Duration,
    over: Arc<AtomicBool>,
    sent: Arc<AtomicUsize>,
) -> Vec<u32> {
    let mut micros = Vec::new();
    tokio::time::sleep(wait).await;
    let Ok(mut stream) = connect(door, 0, &button).await else { return micros };
    let mut turns = tokio::time::interval(PRESS_EVERY);
    for id in 1..u16::MAX {
        turns.tick().await;
        if over.load(Ordering::Relaxed) {
            break;
        }
        let said = message(&button, "sos", id, &format!(r#"{{"event":"sos","seq":{id}}}"#));
        let began = Instant::now();
        sent.fetch_add(1, Ordering::Relaxed);
        let mut answer = [0; 4];
        let answered = async {
            stream.write_all(&said).await?;
            stream.read_exact(&mut answer).await.map(drop)
        };
        match tokio::time::timeout(LATE, answered).await {
            Ok(Ok(())) => micros.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX)),
            _ => break,
        }
    }
    micros
}
