//! A city with devices, and what its database holds in the end.

use std::{collections::HashMap, path::Path};

use app::{
    pack::{self, Pack},
    signals::{
        devices::{self, NewDevice},
        incidents,
        intake::{Terms, counts, each_stored, rejections},
    },
    store::{Fault, IdSource, Place, Store, Vault},
};
use domain::{
    access::{Actor, Role},
    ids::AccountId,
    regions::{RegionCode, RegionRange},
    signals::device::DeviceKind,
    time::{At, Now},
};

const KEY: [u8; 32] = [0x42; 32];

fn actor() -> Actor {
    let (name, range) = ("测试".to_owned(), RegionRange::ALL);
    Actor { account: AccountId(0), name, role: Role::System, range, provider: None, carer: None }
}

fn store(data: &Path) -> Store {
    Store::open(&Place::Folder(data.to_owned()), Vault::new(&KEY), IdSource::new(9)).unwrap()
}

/// A folder with keys, a city and devices.
pub fn prepare(data: &Path, devices: &[(DeviceKind, String)]) {
    use std::os::unix::fs::PermissionsExt as _;
    let keys = data.join("keys");
    std::fs::create_dir_all(&keys).unwrap();
    let hex: String = KEY.iter().map(|b| format!("{b:02x}")).collect();
    std::fs::write(keys.join("master.key"), hex).unwrap();
    for (file, mode) in [(keys.join("master.key"), 0o600), (keys, 0o700)] {
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let store = store(data);
    let mut pack = Pack::load("kaifeng").unwrap();
    // What is sent here comes from few devices, much faster than real ones may.
    pack.intake = Terms { per_minute: 100_000_000, ..pack.intake };
    let now = Now(At::parse("2026-11-21T09:00").unwrap());
    store.write(move |tx| pack::install(tx, &pack, now)).unwrap();
    let wanted = devices.to_vec();
    store
        .write(move |tx| {
            for (n, (kind, serial)) in wanted.iter().enumerate() {
                let region = RegionCode::parse("410202001000").ok();
                let new = NewDevice { region, ..NewDevice::new(*kind, serial.clone()) };
                devices::add(tx, &actor(), &new, [n as u8; 16], now)?;
            }
            Ok::<_, app::outcome::No<devices::DeviceRefusal>>(())
        })
        .unwrap();
}

/// Readings and alarm frames stored.
pub fn stored(data: &Path) -> (i64, i64) {
    store(data).read(counts).unwrap()
}

/// Of each device, how often each of its counters is stored.
pub fn readings(data: &Path) -> HashMap<String, HashMap<i64, u32>> {
    let store = store(data);
    let names: HashMap<i64, String> =
        store.read(devices::known).unwrap().into_iter().map(|(serial, known)| (known.id.0, serial)).collect();
    store
        .read(move |tx| {
            let mut found: HashMap<String, HashMap<i64, u32>> = HashMap::new();
            each_stored(tx, At(0), At(i64::MAX), i64::MAX, |frame| {
                let times = found.entry(names[&frame.device.0].clone()).or_default();
                *times.entry(frame.seq.unwrap_or(0)).or_default() += 1;
            })?;
            Ok::<_, Fault>(found)
        })
        .unwrap()
}

/// Of each button, which presses are stored and belong to an incident.
pub fn pressed(data: &Path) -> HashMap<String, Vec<i64>> {
    let all = "SELECT serial, seq FROM alarm_frame WHERE incident IS NOT NULL ORDER BY id";
    let rows = store(data).read(|tx| tx.all(all, &[], |row| Ok((row.get::<String>(0)?, row.get::<i64>(1)?))));
    let mut found: HashMap<String, Vec<i64>> = HashMap::new();
    rows.unwrap().into_iter().for_each(|(serial, seq)| found.entry(serial).or_default().push(seq));
    found
}

/// Whether verified and text of every incident a press opened.
pub fn presses(data: &Path) -> Vec<(bool, String)> {
    let lines = store(data)
        .read(|tx| incidents::incidents(tx, &actor(), &incidents::Filter::default(), None, 1_000))
        .unwrap();
    let presses = lines.into_iter().filter(|line| line.incident.kind.code() == "sos");
    presses.map(|line| (line.incident.verified, line.incident.text)).collect()
}

/// Stable names of the reasons why frames of a device were not taken.
pub fn rejected(data: &Path, serial: &str) -> Vec<String> {
    let serial = serial.to_owned();
    let told = store(data).read(move |tx| rejections(tx, &actor(), &serial, 50)).unwrap();
    assert!(told.iter().all(|rejection| !rejection.reason.is_empty()));
    let mut errors: Vec<String> = told.into_iter().map(|rejection| rejection.error).collect();
    errors.sort_unstable();
    errors
}
