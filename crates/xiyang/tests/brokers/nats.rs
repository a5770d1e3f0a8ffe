//! NATS JetStream: gateways publish to a stream, the program is its durable consumer.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    BUTTONS, Peer, Platform, Random, SENSORS, SOON, button, common::Folder, compare, free_port, local, press,
    reading, sensor, town, until,
};

pub const READY: &str = "taking device messages from NATS";
/// A cluster of one or more nodes, each with its own folder.
pub struct Cluster {
    folder: PathBuf,
    pub ports: Vec<u16>,
    nodes: Vec<Option<Peer>>,
}

/// The server of this machine, or another one that is named.
fn program() -> String {
    std::env::var("XIYANG_NATS_SERVER").unwrap_or_else(|_| {
        let usual = "/usr/sbin/nats-server";
        if Path::new(usual).exists() { usual } else { "nats-server" }.to_owned()
    })
}

impl Cluster {
    /// None when it is not installed.
    pub fn new(folder: &Path, nodes: usize) -> Option<Cluster> {
        std::process::Command::new(program()).arg("--version").output().ok()?;
        let ports: Vec<u16> = (0..nodes).map(|_| free_port()).collect();
        let routes: Vec<u16> = (0..nodes).map(|_| free_port()).collect();
        for n in 0..nodes {
            let here = folder.join(format!("node-{n}"));
            std::fs::create_dir_all(&here).unwrap();
            let cluster = if nodes == 1 {
                String::new()
            } else {
                let all: Vec<String> =
                    routes.iter().map(|port| format!("\"nats://127.0.0.1:{port}\"")).collect();
                let (own, all) = (routes[n], all.join(", "));
                format!("cluster {{ name: city, listen: \"127.0.0.1:{own}\", routes: [{all}] }}\n")
            };
            let config = |sync: &str| {
                format!(
                    "server_name: node-{n}\nlisten: \"127.0.0.1:{}\"\njetstream {{ store_dir: \"{}\"{sync} }}\n{cluster}",
                    ports[n],
                    here.display()
                )
            };
            let file = folder.join(format!("node-{n}.conf"));
            std::fs::write(&file, config(", sync_interval: always")).unwrap();
            let read = std::process::Command::new(program()).args(["-t", "-c"]).arg(&file).output().unwrap();
            if !read.status.success() {
                eprintln!("this nats-server is older than 2.10 and cannot be told to sync always");
                std::fs::write(&file, config("")).unwrap();
            }
        }
        let mut cluster =
            Cluster { folder: folder.to_owned(), ports, nodes: (0..nodes).map(|_| None).collect() };
        (0..nodes).for_each(|n| cluster.start(n));
        Some(cluster)
    }

    fn start(&mut self, n: usize) {
        let file = self.folder.join(format!("node-{n}.conf"));
        let log = self.folder.join("nats.log");
        self.nodes[n] = Peer::start(&program(), &["-c", file.to_str().unwrap()], &log);
        until("a node listens", SOON, || TcpStream::connect(local(self.ports[n])).is_ok());
    }

    /// kill -9.
    fn kill(&mut self, n: usize) {
        self.nodes[n] = None;
    }

    pub fn urls(&self) -> String {
        let urls: Vec<String> = self.ports.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
        urls.join(",")
    }
}

/// A gateway that speaks the text protocol by hand.
pub struct Gateway {
    read: BufReader<TcpStream>,
    write: TcpStream,
    /// Where its answers go: gateways do not read each other's.
    inbox: u16,
    sent: u64,
}

impl Gateway {
    pub fn connect(port: u16) -> std::io::Result<Gateway> {
        let write = TcpStream::connect(local(port))?;
        write.set_read_timeout(Some(Duration::from_secs(3)))?;
        write.set_nodelay(true)?;
        let inbox = write.local_addr()?.port();
        let mut gateway = Gateway { read: BufReader::new(write.try_clone()?), write, inbox, sent: 0 };
        let hello = "CONNECT {\"verbose\":false,\"pedantic\":false,\"name\":\"gateway\"}\r\n";
        let hello = format!("{hello}SUB answers.{inbox}.* 1\r\nPING\r\n");
        gateway.write.write_all(hello.as_bytes())?;
        while gateway.line()?.trim_end() != "PONG" {}
        Ok(gateway)
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        match self.read.read_line(&mut line)? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ if line.starts_with("-ERR") => Err(std::io::Error::other(line)),
            _ => Ok(line),
        }
    }

    /// What was asked for, by the number it was asked with.
    fn answer(&mut self) -> std::io::Result<(u64, Value)> {
        loop {
            let line = self.line()?;
            if line.starts_with("PING") {
                self.write.write_all(b"PONG\r\n")?;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            if words.first() == Some(&"MSG") {
                let mut body = vec![0; words.last().unwrap().parse::<usize>().unwrap() + 2];
                self.read.read_exact(&mut body)?;
                let number = words[1].rsplit('.').next().unwrap().parse().unwrap();
                return Ok((number, serde_json::from_slice(&body[..body.len() - 2])?));
            }
        }
    }

    fn ask(&mut self, subject: &str, body: &[u8]) -> std::io::Result<Value> {
        self.send(&[(subject.to_owned(), body.to_vec())])?;
        Ok(self.answer()?.1)
    }

    fn send(&mut self, messages: &[(String, Vec<u8>)]) -> std::io::Result<()> {
        let mut out = Vec::new();
        for (subject, payload) in messages {
            self.sent += 1;
            write!(out, "PUB {subject} answers.{}.{} {}\r\n", self.inbox, self.sent, payload.len())?;
            out.extend(payload);
            out.extend(b"\r\n");
        }
        self.write.write_all(&out)
    }

    /// Publishes all and waits until the stream has taken each.
    pub fn publish(&mut self, messages: &[(String, Vec<u8>)]) -> std::io::Result<()> {
        self.send(messages)?;
        for _ in messages {
            let (_, taken) = self.answer()?;
            if taken["stream"] != "DEVICES" || taken.get("error").is_some() {
                return Err(std::io::Error::other(taken.to_string()));
            }
        }
        Ok(())
    }
}

pub fn readings(n: usize, seqs: std::ops::RangeInclusive<u64>) -> Vec<(String, Vec<u8>)> {
    seqs.map(|seq| (format!("devices.mqtt.{}", sensor(n)), reading(seq))).collect()
}

fn pressed(n: usize, seq: u64) -> Vec<(String, Vec<u8>)> {
    vec![(format!("devices.mqtt.{}", button(n)), press(seq))]
}

fn a_town(folder: &Folder) -> PathBuf {
    let data = folder.0.join("data");
    super::devices_in(&data);
    data
}

/// Messages the stream has not given out, and such as were given out and not acknowledged.
pub fn left_over(port: u16) -> (u64, u64) {
    let info = Gateway::connect(port).and_then(|mut g| g.ask("$JS.API.CONSUMER.INFO.DEVICES.xiyang", b""));
    let info = info.unwrap_or_default();
    let number = |name: &str| info[name].as_u64().unwrap_or(u64::MAX);
    (number("num_pending"), number("num_ack_pending"))
}

#[test]
fn what_a_stream_acknowledged_is_stored_once_though_the_program_is_killed() {
    let folder = Folder::new("nats");
    let data = a_town(&folder);
    let Some(cluster) = Cluster::new(&folder.0, 1) else {
        eprintln!("nats-server is not installed, so it is not tried");
        return;
    };
    let mut platform = Platform::new(&folder.0, &["--nats", &cluster.urls()]);
    until("the program reads the stream", SOON, || platform.said(READY));
    let mut gateway = Gateway::connect(cluster.ports[0]).unwrap();
    let some = |gateway: &mut Gateway, seqs: std::ops::RangeInclusive<u64>| {
        for n in 0..SENSORS {
            gateway.publish(&readings(n, seqs.clone())).unwrap();
        }
    };
    some(&mut gateway, 1..=75);
    gateway.publish(&pressed(0, 1)).unwrap();
    until("something is stored", SOON, || town::stored(&data).0 > 0);
    some(&mut gateway, 76..=125);
    platform.kill();
    gateway.publish(&pressed(1, 1)).unwrap();
    some(&mut gateway, 126..=250);
    platform.start();
    gateway.publish(&pressed(2, 1)).unwrap();
    // A gateway that lost an acknowledgement says it again.
    gateway.publish(&pressed(2, 1)).unwrap();
    gateway.publish(&readings(0, 240..=250)).unwrap();
    until("all is stored", SOON, || town::stored(&data) == (4 * 250, 3));

    bad_messages(&mut gateway);
    until("all is answered for", SOON, || left_over(cluster.ports[0]) == (0, 0));
    platform.end();
    assert_eq!(town::stored(&data), (4 * 250, 5));
    assert_eq!(compare(&data, &[250; SENSORS]), (0, 0));
    let presses = town::presses(&data);
    assert_eq!(presses.len(), 5, "{presses:?}");
    assert_eq!(presses.iter().filter(|(verified, _)| !verified).count(), 2, "{presses:?}");
    assert_eq!(town::rejected(&data, &sensor(0)), ["json"]);
    assert_eq!(town::rejected(&data, "NOBODY"), ["unknown_device"]);
    assert_eq!(town::rejected(&data, ""), ["protocol"]);
}

/// One bad frame costs only itself. Two of these are alarms of somebody who cannot prove it.
fn bad_messages(gateway: &mut Gateway) {
    let watch = b"[3G*8800000010*00C0*AL,211126,010000,V,0.0,N,0.0,E,0.00,0.0,0.0,0,100,81,0,0,00010000,0]";
    let messages = [
        (format!("devices.mqtt.{}", sensor(0)), b"\xff no json".to_vec()),
        ("devices.mqtt.NOBODY".to_owned(), reading(1)),
        ("devices.xmpp.1".to_owned(), reading(1)),
        ("devices.mqtt.NOBODY".to_owned(), press(1)),
        // One that speaks for another.
        (format!("devices.watch.{}", button(0)), watch.to_vec()),
    ];
    gateway.publish(&messages).unwrap();
}

#[test]
#[ignore = "takes minutes; XIYANG_BROKER_SECONDS says how long there is load, 120 unless told"]
fn nothing_a_cluster_of_three_acknowledged_is_lost_though_nodes_and_program_are_killed() {
    let folder = Folder::new("nats-long");
    let data = a_town(&folder);
    let mut cluster = Cluster::new(&folder.0, 3).expect("nats-server is installed");
    let mut platform = Platform::new(&folder.0, &["--nats", &cluster.urls()]);
    until("the program reads the stream", SOON, || platform.said(READY));
    let (ports, over) = (cluster.ports.clone(), Arc::new(AtomicBool::new(false)));
    let copies = Gateway::connect(ports[0]).unwrap().ask("$JS.API.STREAM.INFO.DEVICES", b"").unwrap();
    assert_eq!(copies["config"]["num_replicas"], 3);
    let gateways: Vec<_> = (0..SENSORS + BUTTONS)
        .map(|n| {
            let (ports, over) = (ports.clone(), Arc::clone(&over));
            std::thread::spawn(move || self::gateway(&ports, n, &over))
        })
        .collect();
    let (began, mut random, mut kills, mut nodes) = (Instant::now(), Random(11), 0, 0);
    while began.elapsed() < Duration::from_secs(super::seconds()) {
        std::thread::sleep(Duration::from_millis(500 + random.below(2_000)));
        if random.below(3) == 0 {
            // One at a time: two of three are needed for an acknowledgement.
            let n = random.below(3) as usize;
            cluster.kill(n);
            std::thread::sleep(Duration::from_millis(500 + random.below(2_500)));
            cluster.start(n);
            nodes += 1;
            std::thread::sleep(Duration::from_secs(4));
        } else {
            platform.kill();
            std::thread::sleep(Duration::from_millis(random.below(500)));
            platform.start();
            kills += 1;
        }
    }
    over.store(true, Ordering::SeqCst);
    let told: Vec<u64> = gateways.into_iter().map(|g| g.join().unwrap()).collect();
    let (loaded, drain) = (began.elapsed(), Instant::now());
    let (sensors, buttons) = told.split_at(SENSORS);
    let (wanted, pressed): (u64, u64) = (sensors.iter().sum(), buttons.iter().sum());
    until("all is answered for", Duration::from_secs(180), || left_over(ports[0]) == (0, 0));
    let drained = drain.elapsed();
    platform.end();
    assert_eq!(compare(&data, sensors), (0, 0), "of {wanted} acknowledged, (lost, doubled)");
    super::each_press_is_an_incident(&data, buttons);
    eprintln!(
        "nats: {wanted} readings and {pressed} presses acknowledged in {loaded:.0?} over {kills} kills of the program \
         and {nodes} of nodes: 0 lost, 0 doubled; the rest was stored after {drained:.1?}"
    );
}

/// Sends 1, 2, 3 … and answers the last that was acknowledged, whichever node takes it. Sensors send many at a time,
/// buttons now and then.
fn gateway(ports: &[u16], n: usize, over: &AtomicBool) -> u64 {
    const TOGETHER: u64 = 50;
    let (mut done, mut turn) = (0, n);
    let pressing = n >= SENSORS;
    while !over.load(Ordering::SeqCst) {
        turn += 1;
        let Ok(mut line) = Gateway::connect(ports[turn % ports.len()]) else {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        };
        while !over.load(Ordering::SeqCst) {
            let (messages, pause) = if pressing {
                (self::pressed(n - SENSORS, done + 1), Duration::from_millis(300))
            } else {
                (readings(n, done + 1..=done + TOGETHER), Duration::from_millis(100))
            };
            if line.publish(&messages).is_err() {
                break;
            }
            done += messages.len() as u64;
            std::thread::sleep(pause);
        }
    }
    done
}
