//! Mosquitto: gateways publish there, the program is one of its clients.

use std::{
    net::TcpStream,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    BUTTONS, Peer, Platform, Random, SENSORS, SOON, button,
    common::Folder,
    compare,
    doors::{Mqtt, topic},
    free_port, local, press, reading, sensor, town, until,
};

pub const READY: &str = "taking device messages from the MQTT broker";
/// Mosquitto with its own folder; it keeps what it took when it is ended in order.
pub struct Mosquitto {
    config: PathBuf,
    log: PathBuf,
    pub port: u16,
    peer: Option<Peer>,
}

impl Mosquitto {
    /// None when it is not installed.
    pub fn new(folder: &Path) -> Option<Mosquitto> {
        let port = free_port();
        let store = folder.join("mosquitto");
        std::fs::create_dir_all(&store).unwrap();
        let config = folder.join("mosquitto.conf");
        let user = if running_as_root() { "user root\n" } else { "" };
        let lines = format!(
            "{user}listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {}/\n\
             max_queued_messages 0\nmax_inflight_messages 1000\nautosave_interval 1\n",
            store.display()
        );
        std::fs::write(&config, lines).unwrap();
        let mut mosquitto = Mosquitto { config, log: folder.join("mosquitto.log"), port, peer: None };
        mosquitto.start().then_some(mosquitto)
    }

    fn start(&mut self) -> bool {
        let args = ["-c", self.config.to_str().unwrap()];
        let found = ["mosquitto", "/usr/sbin/mosquitto"].into_iter();
        self.peer = found.filter_map(|name| Peer::start(name, &args, &self.log)).next();
        if self.peer.is_some() {
            until("mosquitto listens", SOON, || TcpStream::connect(local(self.port)).is_ok());
        }
        self.peer.is_some()
    }

    fn restart(&mut self) {
        self.peer.take().unwrap().end();
        assert!(self.start());
    }

    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }
}

fn running_as_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

pub fn readings(n: usize, seqs: std::ops::RangeInclusive<u64>) -> Vec<(String, Vec<u8>)> {
    seqs.map(|seq| (topic("smoke", &sensor(n)), reading(seq))).collect()
}

fn a_town(folder: &Folder) -> PathBuf {
    let data = folder.0.join("data");
    super::devices_in(&data);
    data
}

#[test]
fn what_mosquitto_acknowledged_is_stored_once_though_the_program_is_killed() {
    let folder = Folder::new("mosquitto");
    let data = a_town(&folder);
    let Some(mosquitto) = Mosquitto::new(&folder.0) else {
        eprintln!("mosquitto is not installed, so it is not tried");
        return;
    };
    let mut platform = Platform::new(&folder.0, &["--broker", &mosquitto.url()]);
    until("the program subscribes", SOON, || platform.said(READY));
    let mut gateway = Mqtt::anonymous(local(mosquitto.port), "gateway").unwrap();
    let some = |gateway: &mut Mqtt, seqs: std::ops::RangeInclusive<u64>| {
        for n in 0..SENSORS {
            gateway.publish_all(&readings(n, seqs.clone())).unwrap();
        }
    };
    some(&mut gateway, 1..=75);
    gateway.publish_all(&[(topic("sos", &button(0)), press(1))]).unwrap();
    until("something is stored", SOON, || town::stored(&data).0 > 0);
    some(&mut gateway, 76..=125);
    platform.kill();
    // Nobody is there; the broker keeps it all.
    gateway.publish_all(&[(topic("sos", &button(1)), press(1))]).unwrap();
    some(&mut gateway, 126..=250);
    platform.start();
    gateway.publish_all(&[(topic("sos", &button(2)), press(1))]).unwrap();
    // A gateway that lost an acknowledgement says it again.
    gateway.publish_all(&[(topic("sos", &button(2)), press(1))]).unwrap();
    gateway.publish_all(&readings(0, 240..=250)).unwrap();
    until("all is stored", SOON, || town::stored(&data) == (4 * 250, 3));

    bad_messages(&mut gateway);
    until("the last is stored", SOON, || town::stored(&data).1 == 5);
    platform.end();
    assert_eq!(compare(&data, &[250; SENSORS]), (0, 0));
    let presses = town::presses(&data);
    assert_eq!(presses.len(), 5, "{presses:?}");
    assert_eq!(presses.iter().filter(|(verified, _)| !verified).count(), 2, "{presses:?}");
    assert_eq!(town::rejected(&data, &sensor(0)), ["json"]);
    assert_eq!(town::rejected(&data, "NOBODY"), ["unknown_device"]);
    assert_eq!(town::rejected(&data, ""), ["protocol"]);

    // Nothing is left over: another start brings nothing more.
    platform.start();
    until("the program subscribes again", SOON, || platform.said(READY));
    std::thread::sleep(Duration::from_millis(500));
    platform.end();
    assert_eq!(town::stored(&data), (4 * 250, 5));
}

/// Four messages of which two are alarms: one bad frame costs only itself.
fn bad_messages(gateway: &mut Mqtt) {
    let watch = b"[3G*8800000015*00C0*AL,211126,010000,V,0.0,N,0.0,E,0.00,0.0,0.0,0,100,81,0,0,00010000,0]";
    let messages = [
        (topic("smoke", &sensor(0)), b"\xff no json".to_vec()),
        ("devices/mqtt/NOBODY".to_owned(), reading(1)),
        ("devices/xmpp/1".to_owned(), reading(1)),
        // Nobody knows these, and they are heard.
        ("devices/mqtt/NOBODY".to_owned(), press(1)),
        ("devices/watch/8800000015".to_owned(), watch.to_vec()),
    ];
    gateway.publish_all(&messages).unwrap();
}

#[test]
#[ignore = "takes minutes; XIYANG_BROKER_SECONDS says how long there is load, 120 unless told"]
fn nothing_mosquitto_acknowledged_is_lost_though_both_are_restarted() {
    let seconds = super::seconds();
    let folder = Folder::new("mosquitto-long");
    let data = a_town(&folder);
    let mut mosquitto = Mosquitto::new(&folder.0).expect("mosquitto is installed");
    let mut platform = Platform::new(&folder.0, &["--broker", &mosquitto.url()]);
    until("the program subscribes", SOON, || platform.said(READY));
    let (port, over, count) = (mosquitto.port, Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let gateways: Vec<_> = (0..SENSORS + BUTTONS)
        .map(|n| {
            let (over, count) = (Arc::clone(&over), Arc::clone(&count));
            std::thread::spawn(move || gateway(port, n, &over, &count))
        })
        .collect();
    let (began, mut random, mut kills, mut restarts) = (Instant::now(), Random(7), 0, 0);
    while began.elapsed() < Duration::from_secs(seconds) {
        std::thread::sleep(Duration::from_millis(500 + random.below(2_500)));
        if random.below(4) == 0 {
            mosquitto.restart();
            restarts += 1;
        } else {
            platform.kill();
            std::thread::sleep(Duration::from_millis(random.below(500)));
            platform.start();
            kills += 1;
        }
    }
    over.store(true, Ordering::SeqCst);
    let told: Vec<u64> = gateways.into_iter().map(|g| g.join().unwrap()).collect();
    let (sensors, buttons) = told.split_at(SENSORS);
    let wanted: u64 = sensors.iter().sum();
    let pressed: u64 = buttons.iter().sum();
    let (loaded, drain) = (began.elapsed(), Instant::now());
    let mut there = (0, 0);
    while there.0 < wanted as i64 || there.1 < pressed as i64 {
        assert!(drain.elapsed() < Duration::from_secs(180), "{there:?} stored of {wanted} and {pressed}");
        std::thread::sleep(Duration::from_millis(500));
        there = town::stored(&data);
    }
    let drained = drain.elapsed();
    platform.end();
    assert_eq!(compare(&data, sensors), (0, 0), "of {wanted} acknowledged, (lost, doubled)");
    super::each_press_is_an_incident(&data, buttons);
    eprintln!(
        "mosquitto: {wanted} readings and {pressed} presses acknowledged in {loaded:.0?} over {kills} kills of the \
         program and {restarts} restarts of the broker: 0 lost, 0 doubled; the rest was stored after {drained:.1?}"
    );
}

/// Sends 1, 2, 3 … and answers the last that was acknowledged. Sensors send many at a time, buttons now and then.
fn gateway(port: u16, n: usize, over: &AtomicBool, count: &AtomicU64) -> u64 {
    const TOGETHER: u64 = 50;
    let mut done = 0;
    let pressing = n >= SENSORS;
    while !over.load(Ordering::SeqCst) {
        let Ok(mut line) = Mqtt::anonymous(local(port), &format!("gateway-{n}")) else {
            std::thread::sleep(Duration::from_millis(10));
            continue;
        };
        while !over.load(Ordering::SeqCst) {
            let (messages, pause) = if pressing {
                (vec![(topic("sos", &button(n - SENSORS)), press(done + 1))], Duration::from_millis(300))
            } else {
                (readings(n, done + 1..=done + TOGETHER), Duration::from_millis(100))
            };
            if line.publish_all(&messages).is_err() {
                break;
            }
            done += messages.len() as u64;
            count.fetch_add(messages.len() as u64, Ordering::Relaxed);
            std::thread::sleep(pause);
        }
    }
    done
}
