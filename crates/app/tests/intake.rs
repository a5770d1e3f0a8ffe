//! The intake without any protocol: what is stored once, what is an incident, what a full disk refuses.

use std::{
    path::Path,
    process::Command,
    sync::mpsc,
    time::{Duration, Instant},
};

use app::{
    signals::{
        incidents,
        intake::{self, AlarmFrame, Batch, Intake, Keeper, NotTaken, Reading, Reserved, counts, each_stored},
    },
    store::{Fault, IdSource, Place, Store, Vault},
};
use city::testing::{TempFolder, on_both};
use domain::{
    access::{Actor, Role},
    ids::{AccountId, DeviceId},
    regions::{RegionCode, RegionRange},
    signals::{
        device::Protocol,
        incident::{IncidentKind, Level},
    },
    time::{At, Now},
};

fn now() -> Now {
    Now(At::parse("2026-11-21T09:00").unwrap())
}

fn home() -> RegionCode {
    RegionCode::parse("4102").unwrap()
}

fn start(store: &Store, reserved: Option<Reserved>) -> (Intake, Keeper) {
    Intake::start(store.clone(), now, home(), reserved).unwrap()
}

fn reading(seq: i64) -> Reading {
    Reading {
        device: DeviceId(7),
        person: None,
        protocol: Protocol::Mqtt,
        received_at: now().0,
        device_at: Some(now().0),
        seq: Some(seq),
        battery: None,
        trace: None,
    }
}

fn alarm(seq: Option<i64>, device_at: Option<At>) -> AlarmFrame {
    AlarmFrame {
        device: None,
        serial: "SOS-1".into(),
        person: None,
        region: None,
        protocol: Protocol::Mqtt,
        kind: IncidentKind::Sos,
        level: Level::P1,
        seq,
        device_at,
        received_at: now().0,
        battery: Some(40),
        verified: true,
        text: String::new(),
        raw: b"{}".to_vec(),
    }
}

fn take(intake: &Intake, seqs: &[i64], bytes: usize) -> Result<(), NotTaken> {
    let mut batch = Batch::default();
    seqs.iter().for_each(|seq| batch.push(reading(*seq), &vec![b'x'; bytes]));
    let (send, receive) = mpsc::channel();
    intake.take_readings(batch, Box::new(move |outcome| send.send(outcome).unwrap()));
    receive.recv_timeout(Duration::from_secs(30)).unwrap()
}

fn ring(intake: &Intake, alarm: AlarmFrame) -> Result<(), NotTaken> {
    let (send, receive) = mpsc::channel();
    intake.take_alarms(vec![alarm], Box::new(move |outcome| send.send(outcome).unwrap()));
    receive.recv_timeout(Duration::from_secs(30)).unwrap()
}

fn stored(store: &Store) -> Vec<i64> {
    store
        .read(|tx| {
            let mut seqs = Vec::new();
            each_stored(tx, At(0), At(i64::MAX), 1_000_000, |frame| seqs.extend(frame.seq))?;
            seqs.sort_unstable();
            Ok::<_, Fault>(seqs)
        })
        .unwrap()
}

fn incidents_of(store: &Store) -> Vec<incidents::Line> {
    let (name, range) = ("测试".to_owned(), RegionRange::ALL);
    let actor = Actor { account: AccountId(0), name, role: Role::System, range, provider: None, carer: None };
    store.read(move |tx| incidents::incidents(tx, &actor, &incidents::Filter::default(), None, 100)).unwrap()
}

#[test]
fn a_reading_that_comes_again_is_stored_once_also_after_a_restart() {
    on_both(|store| {
        let (intake, keeper) = start(&store, None);
        take(&intake, &[1, 2, 2, 3], 10).unwrap();
        take(&intake, &[3, 4], 10).unwrap();
        drop((intake, keeper));
        let (intake, _keeper) = start(&store, None);
        take(&intake, &[4, 5, 1], 10).unwrap();
        assert_eq!(stored(&store), [1, 2, 3, 4, 5]);
        assert_eq!((intake.status().readings, intake.status().duplicates), (1, 2));
    });
}

#[test]
fn what_a_broker_delivers_again_after_hours_is_stored_once() {
    on_both(|store| {
        let late = |intake: &Intake, seqs: std::ops::Range<i64>, received_at: At| {
            let mut batch = Batch::default();
            seqs.for_each(|seq| batch.push(Reading { received_at, ..reading(seq) }, b"x"));
            let (send, receive) = mpsc::channel();
            intake.take_readings(batch, Box::new(move |outcome| send.send(outcome).unwrap()));
            receive.recv_timeout(Duration::from_secs(30)).unwrap().unwrap();
        };
        let (intake, keeper) = start(&store, None);
        late(&intake, 10..12, now().0);
        // The broker took these while nobody was here.
        late(&intake, 1..4, now().0.plus_minutes(-3 * 60));
        drop((intake, keeper));
        // The next server starts a night later, and they were never acknowledged.
        let clock = || Now(now().0.plus_minutes(9 * 60));
        let (intake, _keeper) = Intake::start(store.clone(), clock, home(), None).unwrap();
        late(&intake, 1..5, now().0.plus_minutes(-3 * 60));
        assert_eq!(stored(&store), [1, 2, 3, 4, 10, 11]);
    });
}

#[test]
fn one_press_is_one_incident_however_often_and_late_it_comes() {
    on_both(|store| {
        let (intake, _keeper) = start(&store, None);
        let late = now().0.plus_minutes(-71 * 60);
        for frame in [alarm(Some(7), Some(late)), alarm(Some(7), Some(late)), alarm(Some(7), Some(late))] {
            ring(&intake, frame).unwrap();
        }
        let all = incidents_of(&store);
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].incident.pressed_at, all[0].incident.received_at), (Some(late), now().0));
        // Two days apart by the device's clock are two, in whatever order they come.
        ring(&intake, alarm(Some(6), Some(late.plus_minutes(-30)))).unwrap();
        assert_eq!(incidents_of(&store).len(), 2);
        assert_eq!(store.read(counts).unwrap(), (0, 2));
    });
}

#[test]
fn who_is_not_proved_neither_floods_the_desk_nor_takes_a_true_alarms_place() {
    on_both(|store| {
        let (intake, _keeper) = start(&store, None);
        for seq in 1..50 {
            ring(&intake, AlarmFrame { verified: false, ..alarm(Some(seq), None) }).unwrap();
        }
        assert_eq!(incidents_of(&store).len(), 1);
        ring(&intake, alarm(Some(7), None)).unwrap();
        let all = incidents_of(&store);
        assert_eq!(all.iter().map(|line| line.incident.verified).filter(|verified| *verified).count(), 1);
        assert_eq!(all.len(), 2);
    });
}

#[test]
fn strangers_without_number_share_a_card_and_none_is_dropped() {
    on_both(|store| {
        let (intake, _keeper) = start(&store, None);
        for n in 0..80 {
            let stranger = AlarmFrame { verified: false, serial: format!("XX-{n}"), ..alarm(Some(1), None) };
            ring(&intake, stranger).unwrap();
        }
        let all = incidents_of(&store);
        assert_eq!(all.len(), 51, "fifty of their own and one for the rest");
        assert_eq!(all.iter().map(|line| line.incident.presses).max(), Some(30));
        assert_eq!(store.read(counts).unwrap().1, 80, "every frame is kept");
        ring(&intake, alarm(Some(7), None)).unwrap();
        assert_eq!(incidents_of(&store).len(), 52, "a true one has a card of its own");
    });
}

/// A small disk, gone when this is dropped.
struct Disk(TempFolder);

impl Disk {
    fn mount(megabytes: u32) -> Option<Disk> {
        let folder = TempFolder::new();
        let size = format!("size={megabytes}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path());
        mount.output().is_ok_and(|done| done.status.success()).then(|| Disk(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[expect(clippy::disallowed_methods, reason = "a test that does not wait for ever")]
#[test]
fn a_full_disk_refuses_readings_takes_alarms_and_says_so() {
    let Some(disk) = Disk::mount(48) else {
        eprintln!("no small disk can be mounted here, so a full one is not tried");
        return;
    };
    let place = Place::Folder(disk.path().to_owned());
    let store = Store::open(&place, Vault::new(&[7; 32]), IdSource::new(0)).unwrap();
    let reserved = Reserved { folder: disk.path().to_owned(), bytes: Some(8 * 1024 * 1024) };
    let (intake, keeper) = start(&store, Some(reserved));
    take(&intake, &[1], 10).unwrap();
    let filler = disk.path().join("filler");
    fill(&filler);
    let mut seq = 1;
    while take(&intake, &[seq + 1], 200_000) != Err(NotTaken::Full) {
        seq += 1;
        assert!(seq < 500, "the disk does not get full");
    }
    assert!(intake.status().disk_full);
    for press in 0..20 {
        ring(&intake, alarm(Some(press), None)).unwrap();
    }
    assert_eq!(take(&intake, &[10_000], 10), Err(NotTaken::Full));
    let all = incidents_of(&store);
    assert_eq!(all.iter().filter(|line| line.incident.kind == IncidentKind::Sos).count(), 20);
    assert!(all.iter().any(|line| line.incident.text.contains("磁盘已满")), "it says so");
    assert_eq!(told(&store), ["intake.full"]);

    std::fs::remove_file(&filler).unwrap();
    let began = Instant::now();
    while take(&intake, &[10_000], 10).is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "room again, and not noticed");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(!intake.status().disk_full);
    while told(&store) != ["intake.full", "intake.room"] {
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", told(&store));
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut wanted: Vec<i64> = (1..=seq).collect();
    wanted.push(10_000);
    assert_eq!(stored(&store), wanted, "what was refused came again and is there once");
    drop((intake, keeper, store));
}

/// What open pages were told of the disk.
fn told(store: &Store) -> Vec<String> {
    let all = store.read(|tx| app::evidence::told_after(tx, 0, 1_000)).unwrap();
    all.into_iter().map(|told| told.topic).filter(|topic| topic.starts_with("intake.")).collect()
}

#[test]
fn old_readings_go_and_alarms_stay() {
    on_both(|store| {
        let (intake, keeper) = start(&store, None);
        for seq in 1..=30 {
            take(&intake, &[seq], 10).unwrap();
        }
        ring(&intake, alarm(Some(1), None)).unwrap();
        drop((intake, keeper));
        let days = |days: i64| Now(now().0.plus_minutes(days * 24 * 60));
        assert_eq!(intake::tidy(&store, days(89)).unwrap(), 0);
        assert_eq!(intake::tidy(&store, days(91)).unwrap(), 30);
        assert_eq!(store.read(counts).unwrap(), (0, 1));
        assert_eq!(incidents_of(&store).len(), 1);
        let terms = intake::Terms { keep_days: 7, ..intake::Terms::default() };
        store.write(move |tx| intake::set_terms(tx, &terms)).unwrap();
        let (intake, _keeper) = start(&store, None);
        take(&intake, &[99], 10).unwrap();
        assert_eq!(intake::tidy(&store, days(8)).unwrap(), 1);
    });
}

fn fill(file: &Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(file).unwrap();
    for size in [1 << 20, 1 << 12] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}
