//! A folder with devices, the program that listens to them, and a client made by hand. Stands beside `common`, for few
//! tests need it.

#![allow(dead_code, reason = "each test binary uses its own part of it")]

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use app::{
    pack::{self, Pack},
    signals::devices::{self, NewDevice},
    store::{IdSource, Place, Store, Vault},
};
use domain::{
    access::{Actor, Role},
    ids::AccountId,
    regions::{RegionCode, RegionRange},
    signals::device::DeviceKind,
    time::{At, Now},
};

use crate::common::Server;

const KEY: [u8; 32] = [0x42; 32];

pub fn actor() -> Actor {
    Actor {
        account: AccountId(0),
        name: "测试".into(),
        role: Role::System,
        range: RegionRange::ALL,
        provider: None,
        carer: None,
    }
}

pub fn now() -> Now {
    Now(At::parse("2026-11-21T09:00").unwrap())
}

pub fn store(data: &Path) -> Store {
    Store::open(&Place::Folder(data.to_owned()), Vault::new(&KEY), IdSource::new(9)).unwrap()
}

/// A folder with a city, keys and devices; gives each device's secret.
pub fn prepare(data: &Path, devices: &[(DeviceKind, String)]) -> Vec<String> {
    prepare_at(data, devices, None)
}

/// The same, where a device may send as many readings a minute: in tests few speak for a whole city.
pub fn prepare_at(data: &Path, devices: &[(DeviceKind, String)], per_minute: Option<i64>) -> Vec<String> {
    let keys = data.join("keys");
    std::fs::create_dir_all(&keys).unwrap();
    let hex: String = KEY.iter().map(|b| format!("{b:02x}")).collect();
    std::fs::write(keys.join("master.key"), hex).unwrap();
    private(&keys.join("master.key"), 0o600);
    private(&keys, 0o700);
    let store = store(data);
    let mut pack = Pack::load("kaifeng").unwrap();
    pack.intake.per_minute = per_minute.unwrap_or(pack.intake.per_minute);
    store.write(move |tx| pack::install(tx, &pack, now())).unwrap();
    let wanted = devices.to_vec();
    store
        .write(move |tx| {
            let mut secrets = Vec::new();
            for (n, (kind, serial)) in wanted.iter().enumerate() {
                let region = RegionCode::parse("410202001000").ok();
                let new = NewDevice { region, ..NewDevice::new(*kind, serial.clone()) };
                secrets.push(devices::add(tx, &actor(), &new, [n as u8; 16], now())?.1.reveal().to_owned());
            }
            Ok::<_, app::outcome::No<devices::DeviceRefusal>>(secrets)
        })
        .unwrap()
}

fn private(file: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The running program and where its doors are.
pub struct City {
    pub server: Server,
    log: std::path::PathBuf,
}

impl City {
    pub fn start(data: &Path, log: &Path, doors: &[&str]) -> City {
        City::start_with(data, log, doors, &[])
    }

    pub fn start_with(data: &Path, log: &Path, doors: &[&str], more: &[&str]) -> City {
        let mut args = vec!["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
        for door in doors {
            args.extend([*door, "127.0.0.1:0"]);
        }
        args.extend(more);
        City { server: Server::start(&args, log), log: log.to_owned() }
    }

    /// One that may open so many files.
    pub fn limited(data: &Path, log: &Path, doors: &[&str], files: u32) -> City {
        let mut args = vec!["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
        for door in doors {
            args.extend([*door, "127.0.0.1:0"]);
        }
        City { server: Server::limited(&args, log, files), log: log.to_owned() }
    }

    pub fn door(&self, name: &str) -> SocketAddr {
        let said = std::fs::read_to_string(&self.log).unwrap();
        let wanted = format!("listening {name} ");
        let line = said.lines().find_map(|line| line.strip_prefix(&wanted));
        line.unwrap_or_else(|| panic!("no door {name}: {said}")).parse().unwrap()
    }
}

/// A client with hand-made packets of MQTT 3.1.1.
pub struct Mqtt(pub TcpStream);

impl Mqtt {
    pub fn connect(to: SocketAddr, serial: &str, secret: &str) -> std::io::Result<Mqtt> {
        Mqtt::open(to, 0xc2, &[serial, serial, secret])
    }

    /// One that a broker takes without a password.
    pub fn anonymous(to: SocketAddr, name: &str) -> std::io::Result<Mqtt> {
        Mqtt::open(to, 2, &[name])
    }

    fn open(to: SocketAddr, flags: u8, texts: &[&str]) -> std::io::Result<Mqtt> {
        let mut stream = TcpStream::connect(to)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.set_nodelay(true)?;
        let mut body = b"\x00\x04MQTT\x04".to_vec();
        body.extend([flags, 0, 60]);
        for text in texts {
            body.extend((text.len() as u16).to_be_bytes());
            body.extend(text.as_bytes());
        }
        stream.write_all(&packet(0x10, &body))?;
        let mut answer = [0; 4];
        stream.read_exact(&mut answer)?;
        assert_eq!(answer, [0x20, 2, 0, 0]);
        Ok(Mqtt(stream))
    }

    /// Publishes and waits for the acknowledgement.
    pub fn publish(&mut self, topic: &str, id: u16, payload: &[u8]) -> std::io::Result<()> {
        self.0.write_all(&publish(topic, id, payload))?;
        let mut answer = [0; 4];
        self.0.read_exact(&mut answer)?;
        assert_eq!(answer, [0x40, 2, (id >> 8) as u8, id as u8]);
        Ok(())
    }

    /// Publishes all and waits for their acknowledgements.
    pub fn publish_all(&mut self, messages: &[(String, Vec<u8>)]) -> std::io::Result<()> {
        let mut out = Vec::new();
        for (n, (topic, payload)) in messages.iter().enumerate() {
            out.extend(publish(topic, n as u16 + 1, payload));
        }
        self.0.write_all(&out)?;
        let mut answers = vec![0; 4 * messages.len()];
        self.0.read_exact(&mut answers)?;
        assert!(answers.chunks(4).all(|answer| answer[..2] == [0x40, 2]));
        Ok(())
    }
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    let mut n = body.len();
    loop {
        let more = n >= 128;
        out.push((n % 128) as u8 | if more { 128 } else { 0 });
        n /= 128;
        if !more {
            break;
        }
    }
    out.extend(body);
    out
}

pub fn publish(topic: &str, id: u16, payload: &[u8]) -> Vec<u8> {
    let mut body = (topic.len() as u16).to_be_bytes().to_vec();
    body.extend(topic.as_bytes());
    body.extend(id.to_be_bytes());
    body.extend(payload);
    packet(0x32, &body)
}

pub fn topic(kind: &str, serial: &str) -> String {
    format!("care/v1/410202/{kind}/{serial}/up")
}
