//! What devices send through somebody else's server: NATS JetStream and Mosquitto as they are installed, gateways with
//! hand-made packets, the real program killed in the middle. What the server acknowledged to a gateway is in the
//! database once, and every press is one incident.

#![expect(clippy::unwrap_used, reason = "a test that finds anything unexpected has failed")]

#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod common;
#[path = "../common/devices.rs"]
mod doors;
mod full;
mod mosquitto;
mod nats;
mod town;

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use common::Server;
use domain::signals::device::DeviceKind;

/// Devices that send readings, and buttons that are pressed.
const SENSORS: usize = 4;
const BUTTONS: usize = 3;

const SOON: Duration = Duration::from_secs(60);

/// A city with the devices of these tests.
fn devices_in(data: &Path) {
    let mut devices: Vec<_> = (0..SENSORS).map(|n| (DeviceKind::Smoke, sensor(n))).collect();
    devices.extend((0..BUTTONS).map(|n| (DeviceKind::Sos, button(n))));
    doors::prepare_at(data, &devices, Some(100_000_000));
}

fn sensor(n: usize) -> String {
    format!("YG-{n}")
}

fn button(n: usize) -> String {
    format!("SOS-{n}")
}

/// A frame with a counter and a time, as a gateway passes it on.
fn reading(seq: u64) -> Vec<u8> {
    format!(r#"{{"seq":{seq},"ts":"2026-11-21T09:00:00Z","battery":50}}"#).into_bytes()
}

fn press(seq: u64) -> Vec<u8> {
    format!(r#"{{"event":"sos","seq":{seq}}}"#).into_bytes()
}

/// A program of the machine that ends with the test.
struct Peer(Child);

impl Peer {
    /// None when it is not installed.
    fn start(program: &str, args: &[&str], log: &Path) -> Option<Peer> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        command.spawn().ok().map(Peer)
    }

    /// Asks it to end, as a service manager does.
    fn end(mut self) {
        Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port nobody uses at this moment.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Waits until something is so.
fn until(what: &str, within: Duration, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < within, "{what}: not within {within:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The real program, with one more door.
struct Platform {
    data: PathBuf,
    log: PathBuf,
    door: Vec<String>,
    server: Option<Server>,
}

impl Platform {
    fn new(folder: &Path, door: &[&str]) -> Platform {
        Platform::on(folder.join("data"), folder, door)
    }

    /// Its data elsewhere than its log.
    fn on(data: PathBuf, folder: &Path, door: &[&str]) -> Platform {
        let log = folder.join("log");
        let door = door.iter().map(|word| (*word).to_owned()).collect();
        let mut platform = Platform { data, log, door, server: None };
        platform.start();
        platform
    }

    fn start(&mut self) {
        let mut args = vec!["serve", "--listen", "127.0.0.1:0", "--data", self.data.to_str().unwrap()];
        args.extend(self.door.iter().map(String::as_str));
        self.server = Some(Server::start(&args, &self.log));
    }

    /// kill -9.
    fn kill(&mut self) {
        self.server = None;
    }

    fn said(&self, words: &str) -> bool {
        std::fs::read_to_string(&self.log).unwrap_or_default().contains(words)
    }

    fn end(&mut self) {
        let (code, said) = self.server.take().unwrap().end();
        assert_eq!(code, Some(0), "{said}");
    }
}

/// How often the frames of sensors are stored that were acknowledged: `(lost, doubled)`.
fn compare(data: &Path, acknowledged: &[u64]) -> (usize, usize) {
    let found = town::readings(data);
    let (mut lost, mut doubled) = (0, 0);
    for (n, last) in acknowledged.iter().enumerate() {
        let times: HashMap<i64, u32> = found.get(&sensor(n)).cloned().unwrap_or_default();
        lost += (1..=*last as i64).filter(|seq| !times.contains_key(seq)).count();
        doubled += times.values().filter(|times| **times > 1).count();
    }
    (lost, doubled)
}

/// Every press that was acknowledged is stored once with its incident (which is one as long as nobody has closed it); of
/// each button one more may be that nobody was told of.
fn each_press_is_an_incident(data: &Path, acknowledged: &[u64]) {
    let found = town::pressed(data);
    for (n, last) in acknowledged.iter().enumerate() {
        let mut stored = found[&button(n)].clone();
        stored.sort_unstable();
        let wanted: Vec<i64> = (1..=*last as i64).collect();
        assert!(stored.len() <= wanted.len() + 1, "{}: {} of {last}", button(n), stored.len());
        assert_eq!(stored[..wanted.len()], wanted, "{}", button(n));
    }
}

/// How long the long tests keep up their load.
fn seconds() -> u64 {
    std::env::var("XIYANG_BROKER_SECONDS").ok().and_then(|n| n.parse().ok()).unwrap_or(120)
}

/// Enough randomness for the moment of a kill.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}
