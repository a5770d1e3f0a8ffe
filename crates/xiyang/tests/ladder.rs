//! The program killed again and again in the middle of ladders: what was due is done soon after each start, each step
//! once, and nothing is skipped.
//!
//! Each life begins half a minute later on the server's clock, so that a ladder of ten minutes is climbed in seconds.

#![expect(clippy::unwrap_used, reason = "a test that finds anything unexpected has failed")]

#[expect(dead_code, reason = "other tests use the rest of it")]
mod common;

use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, Instant},
};

use app::{
    p,
    signals::incidents::{self, Opening},
    store::{IdSource, Place, Store, Vault},
};
use common::{Folder, Server, xiyang};
use domain::{
    regions::RegionCode,
    signals::incident::{IncidentKind, Level},
    time::{At, Now},
};

const KEY: [u8; 32] = [0x42; 32];
const INCIDENTS: i64 = 60;
/// After a start, steps that fell due before it are done within this. Source: issue, "≤ 5 s after restart".
const SOON_SECONDS: i64 = 5;

#[test]
fn a_ladder_survives_kills_in_its_middle() {
    let folder = Folder::new("ladder");
    let data = folder.0.join("data");
    make_keys(&data.join("keys"));
    let begins = At::parse("2026-11-21T03:00").unwrap();
    open_incidents(&data, Now(begins));

    let log = folder.0.join("log");
    let start = |clock: At| {
        let (data, clock) = (data.to_str().unwrap(), clock.rfc3339());
        Server::start(&["serve", "--data", data, "--listen", "127.0.0.1:0", "--clock", &clock], &log)
    };
    let mut starts = Vec::new();
    let began = Instant::now();
    let mut random = Random(u64::from(std::process::id()) << 20 | began.elapsed().as_nanos() as u64);
    for life in 0..22 {
        let clock = begins.plus_seconds(life * 30);
        let server = start(clock);
        starts.push(clock);
        // Some lives end before the first tick is over, some a little later. Dropping kills with SIGKILL.
        std::thread::sleep(Duration::from_millis(random.below(900)));
        drop(server);
    }
    let last = begins.plus_seconds(22 * 30);
    let server = start(last);
    starts.push(last);
    std::thread::sleep(Duration::from_secs(SOON_SECONDS as u64));
    let (code, said) = server.end();
    assert_eq!(code, Some(0), "{said}");

    let store = store(&data);
    let done = each_step_once(&store);
    assert_eq!(done, INCIDENTS * 11, "every step of every ladder is done");
    in_time(&store, &starts);
    drop(store);
    let verify = xiyang(&["verify", "--data", data.to_str().unwrap()]);
    let said = String::from_utf8(verify.stdout).unwrap();
    assert!(verify.status.success() && said.starts_with("0 troubles"), "{said}");
}

/// Every step that was done told the outside once, and left one line in the history; answers how many there were.
fn each_step_once(store: &Store) -> i64 {
    let told: Vec<String> = store
        .read(|tx| {
            tx.all("SELECT payload FROM outbox WHERE topic = 'incident.reach'", p![], |row| row.get(0))
        })
        .unwrap();
    let mut seen: HashMap<(String, i64, i64), usize> = HashMap::new();
    for payload in told {
        let one: serde_json::Value = serde_json::from_str(&payload).unwrap();
        let key = (
            one["incident"].as_str().unwrap().to_owned(),
            one["round"].as_i64().unwrap(),
            one["step"].as_i64().unwrap(),
        );
        *seen.entry(key).or_default() += 1;
    }
    assert!(seen.values().all(|n| *n == 1), "a step was done twice: {seen:?}");
    let count = |sql: &'static str| store.read(move |tx| tx.one(sql, p![], |row| row.get::<i64>(0))).unwrap();
    let done = count("SELECT COUNT(*) FROM incident_step WHERE done_at IS NOT NULL");
    assert_eq!(done, seen.len() as i64);
    assert_eq!(done, count("SELECT COUNT(*) FROM incident_fact WHERE kind = 'stepped'"));
    done
}

/// No step waited longer than a few seconds while a server was up to do it.
fn in_time(store: &Store, starts: &[At]) {
    let steps: Vec<(At, At)> = store
        .read(|tx| {
            tx.all("SELECT due_at, done_at FROM incident_step WHERE done_at IS NOT NULL", p![], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
        })
        .unwrap();
    for (due, done) in steps {
        assert!(done >= due);
        // The start of the life it was done in; what was due before it waited for the start only.
        let up = starts.iter().copied().filter(|start| *start <= done).max().unwrap();
        let waited = done.seconds_since(due.max(up));
        assert!(waited <= SOON_SECONDS, "due {due:?}, up {up:?}, done {done:?}: {waited} s");
    }
}

fn open_incidents(data: &Path, now: Now) {
    let store = store(data);
    for n in 0..INCIDENTS {
        let opening = Opening {
            kind: IncidentKind::Sos,
            level: Level::P1,
            person: None,
            device: None,
            region: RegionCode::parse("410202001001").unwrap(),
            pressed_at: None,
            received_at: now.0,
            verified: true,
            text: "按下紧急按钮".into(),
            key: format!("press:{n}"),
        };
        let opened = store.write(move |tx| incidents::open(tx, &opening, now)).unwrap();
        assert!(opened.fresh);
    }
}

fn store(data: &Path) -> Store {
    Store::open(&Place::Folder(data.to_owned()), Vault::new(&KEY), IdSource::new(7)).unwrap()
}

/// The key the server will find, so that the test can open incidents before it starts and look at them afterwards.
fn make_keys(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir_all(folder).unwrap();
    let (path, hex) = (folder.join("master.key"), KEY.map(|b| format!("{b:02x}")).concat());
    std::fs::write(&path, format!("{hex}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
}

/// Enough randomness for the moment of a kill.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}
