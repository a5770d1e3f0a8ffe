//! Days of simulated devices through the real doors, on a clock that stands still until everybody was answered: what the
//! platform found is what really happened, and nothing else.

#![expect(clippy::unwrap_used, reason = "a test that finds anything unexpected has failed")]

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use app::{
    pack::Pack,
    signals::{
        devices::{self as register},
        incidents::{self, Line},
        intake::{Intake, Keeper, rejections},
        silences,
    },
    store::Store,
};
use city::{
    City, CitySpec,
    devices::{self, Flaw, Happened, Happening, Kind, Period, Plan, Sent, SimDevice, Storms},
    living::{Doors, Lines},
    seed,
    testing::Bed,
};
use domain::{
    access::{Actor, Role},
    ids::{AccountId, DeviceId, IncidentId, PersonId},
    regions::{RegionCode, RegionRange},
    signals::{alarm, incident::IncidentKind},
    time::{At, Now},
};
use tokio::{
    net::{TcpListener, UdpSocket},
    runtime::Runtime,
};

/// How much is rehearsed.
struct Size {
    people: u32,
    hours: i64,
    /// Times as much happens as in life.
    pace: f64,
}

/// Frames without news are sent together when they lie within so many minutes.
const TOGETHER_MINUTES: i64 = 12;

fn overseer() -> Actor {
    let (name, range) = ("检查".to_owned(), RegionRange::ALL);
    Actor { account: AccountId(1), name, role: Role::Supervisor, range, provider: None, carer: None }
}

/// A platform with its doors open and a clock that is set by hand.
struct Stage {
    bed: Bed,
    city: Arc<City>,
    issued: Vec<SimDevice>,
    clock: Arc<AtomicI64>,
    runtime: Runtime,
    intake: Intake,
    keeper: Option<Keeper>,
    lines: Lines,
    began: Now,
}

impl Stage {
    fn open(size: &Size) -> Stage {
        let bed = Bed::sqlite();
        let began = Now(At::parse("2026-11-23T09:00").unwrap());
        let city =
            Arc::new(City::build(CitySpec::kaifeng(7, size.people, began.day()), city::REGIONS).unwrap());
        seed::write(&bed.store, &city, &Pack::load("kaifeng").unwrap(), began, &mut |_, _, _| {}).unwrap();
        let issued = devices::issued(&city);
        let clock = Arc::new(AtomicI64::new(began.0.0));
        let now = {
            let clock = Arc::clone(&clock);
            move || Now(At(clock.load(Ordering::SeqCst)))
        };
        let home = RegionCode::new(410_200_000_000).unwrap();
        let (intake, keeper) = Intake::start(bed.store.clone(), now.clone(), home, None).unwrap();
        let runtime = Runtime::new().unwrap();
        let app = {
            let _inside = runtime.enter();
            web::App::new(bed.store.clone(), now, |bytes| bytes.fill(7), None)
        };
        let doors = runtime.block_on(async {
            let tcp = || async { TcpListener::bind("127.0.0.1:0").await.unwrap() };
            let (mqtt, watch, fire, streams) = (tcp().await, tcp().await, tcp().await, tcp().await);
            let packets = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let doors = Doors {
                mqtt: mqtt.local_addr().ok(),
                watch: watch.local_addr().ok(),
                fire: fire.local_addr().ok(),
                sip: packets.local_addr().ok(),
            };
            let listeners = web::intake::Listeners {
                mqtt: Some(mqtt),
                watch: Some(watch),
                fire: Some(fire),
                sip: Some((packets, streams)),
                ..web::intake::Listeners::default()
            };
            web::intake::listen(&app, &intake, listeners);
            doors
        });
        assert!([Kind::Watch, Kind::Smoke, Kind::Unit, Kind::Meter].iter().all(|kind| doors.hears(*kind)));
        let lines = Lines::new(doors, bed.store.vault(), &issued);
        Stage { bed, city, issued, clock, runtime, intake, keeper: Some(keeper), lines, began }
    }

    fn now(&self) -> Now {
        Now(At(self.clock.load(Ordering::SeqCst)))
    }

    fn set(&self, at: At) {
        self.clock.fetch_max(at.0, Ordering::SeqCst);
    }

    /// Sends the frames of a period that arrive within it, each alarm at its own moment; answers how many were not
    /// acknowledged. `each_hour` happens between them.
    fn play(&mut self, period: &Period, until: At, mut each_hour: impl FnMut(&Stage)) -> usize {
        let due: Vec<Sent> = period.sent.iter().filter(|sent| sent.at < until).cloned().collect();
        let (mut lost, mut from, mut hour) = (0, 0, self.now().0.plus_minutes(60));
        while from < due.len() {
            let first = due[from].at;
            let alone = due[from].tells.is_some();
            let fits = |sent: &&Sent| {
                !alone
                    && sent.tells.is_none()
                    && sent.at < first.plus_minutes(TOGETHER_MINUTES)
                    && sent.at < hour
            };
            let count = due[from..].iter().take_while(fits).count().max(1);
            while first >= hour {
                self.set(hour);
                each_hour(self);
                hour = hour.plus_minutes(60);
            }
            self.set(first);
            let (runtime, lines) = (&self.runtime, &mut self.lines);
            lost += runtime.block_on(lines.deliver(&self.issued, &due[from..from + count]));
            from += count;
        }
        self.set(until);
        lost
    }

    /// What the platform does by itself, now.
    fn work(&self) {
        self.intake.flush().unwrap();
        let (store, now) = (&self.bed.store, self.now());
        seed::keep_seeing(store, &self.city, &devices::forgotten(&self.city, &self.issued), now).unwrap();
        while store.read(move |tx| silences::anything_due(tx, now)).unwrap() {
            store.write(move |tx| silences::tick(tx, now)).unwrap();
        }
        silences::check_devices(store, now).unwrap();
    }

    /// Every incident since the rehearsal began.
    fn incidents(&self) -> Vec<Line> {
        let mut all: Vec<Line> = Vec::new();
        let mut before: Option<IncidentId> = None;
        let filter = incidents::Filter { from: Some(self.began.0), ..incidents::Filter::default() };
        loop {
            let filter = filter.clone();
            let some = self
                .bed
                .store
                .read(move |tx| incidents::incidents(tx, &overseer(), &filter, before, 200))
                .unwrap();
            let Some(last) = some.last() else { return all };
            before = Some(last.incident.id);
            all.extend(some);
        }
    }
}

fn known(store: &Store) -> HashMap<String, (DeviceId, Option<PersonId>)> {
    let all = store.read(register::known).unwrap();
    all.into_iter().map(|(serial, known)| (serial, (known.id, known.person))).collect()
}

fn kind(what: Happening) -> IncidentKind {
    match what {
        Happening::Press => IncidentKind::Sos,
        Happening::Fall => IncidentKind::Fall,
        Happening::Fire => IncidentKind::Smoke,
    }
}

/// What was lost when somebody stood at a door: held against the truth.
fn compare(stage: &Stage, period: &Period, until: At) {
    let known = known(&stage.bed.store);
    let device = |index: u32| &stage.issued[index as usize];
    let all = stage.incidents();

    // Every press, fall and fire is one incident, from the right device, marked with both times.
    let told: Vec<&Happened> = period.happened.iter().filter(|one| one.heard < until).collect();
    let mut alarms: BTreeMap<(DeviceId, IncidentKind), Vec<&Line>> = BTreeMap::new();
    let pressed = [IncidentKind::Sos, IncidentKind::Fall, IncidentKind::Smoke];
    for line in all.iter().filter(|line| pressed.contains(&line.incident.kind)) {
        let from = line.incident.device.unwrap_or_else(|| panic!("an alarm of nobody: {line:?}"));
        alarms.entry((from, line.incident.kind)).or_default().push(line);
    }
    for one in &told {
        let sim = device(one.device);
        let (id, person) = known[&sim.serial];
        let found = alarms.get_mut(&(id, kind(one.what))).filter(|lines| !lines.is_empty());
        let lines = found.unwrap_or_else(|| panic!("lost: {one:?} of {sim:?}"));
        let at = lines.iter().position(|line| {
            let late = line.incident.received_at.seconds_since(one.heard);
            (0..120).contains(&late)
        });
        let at = at.unwrap_or_else(|| panic!("not at {}: {one:?} of {sim:?}: {lines:?}", one.heard));
        let incident = &lines.remove(at).incident;
        assert_eq!((incident.person, incident.verified), (person, true), "{sim:?}");
        let clock = match sim.flaw {
            Flaw::Clock2000 | Flaw::Clock2099 => None,
            _ if sim.kind == Kind::Unit => None,
            _ => alarm::pressed_at(Some(one.at), one.heard),
        };
        let apart = |at: At| clock.map(|clock| at.seconds_since(clock).abs() <= 60);
        assert_eq!(
            incident.pressed_at.map(|at| apart(at) == Some(true)),
            clock.map(|_| true),
            "{one:?} {sim:?}"
        );
    }
    let more: Vec<_> = alarms.values().flatten().collect();
    assert!(more.is_empty(), "{} alarms that never happened: {more:?}", more.len());
    assert!(told.len() > 8, "too little happened to say anything: {}", told.len());

    // Nothing else rings but silence: of elders whom nobody saw, of devices nothing was heard of.
    let quiet = [IncidentKind::Silence, IncidentKind::DeviceFault, IncidentKind::Area];
    let other: Vec<_> = all
        .iter()
        .filter(|line| !pressed.contains(&line.incident.kind) && !quiet.contains(&line.incident.kind))
        .collect();
    assert!(other.is_empty(), "{other:?}");
    compare_silences(stage, period, &known, until);
    compare_devices(stage, period, &known, until);
    eprintln!(
        "{} frames, {} happenings, {} unseen, {} incidents",
        period.sent.len(),
        told.len(),
        period.unseen.len(),
        all.len()
    );
}

fn compare_silences(
    stage: &Stage,
    period: &Period,
    known: &HashMap<String, (DeviceId, Option<PersonId>)>,
    until: At,
) {
    let page = silences::Page { offset: 0, limit: 500 };
    let lines = stage
        .bed
        .store
        .read(move |tx| silences::silences(tx, &overseer(), &silences::Filter::default(), page));
    let listed: BTreeSet<PersonId> = lines.unwrap().into_iter().map(|line| line.person).collect();
    let person = |index: u32| {
        let own = stage.issued.iter().find(|device| device.person == index).unwrap();
        known[&own.serial].1.unwrap()
    };
    let unseen: BTreeSet<PersonId> = period.unseen.iter().map(|index| person(*index)).collect();
    assert!(!unseen.is_empty());
    assert!(unseen.is_subset(&listed), "not looked for: {:?}", unseen.difference(&listed));
    // Who is at high risk is looked for after a day: the others on the list must have nobody, either.
    let left = devices::forgotten(&stage.city, &stage.issued);
    let day = until.plus_minutes(-24 * 60);
    let lost: BTreeSet<PersonId> =
        left.iter().filter(|(_, since)| **since <= day).map(|(index, _)| person(*index)).collect();
    assert!(listed.is_subset(&lost), "looked for without need: {:?}", listed.difference(&lost));
}

fn compare_devices(
    stage: &Stage,
    period: &Period,
    known: &HashMap<String, (DeviceId, Option<PersonId>)>,
    until: At,
) {
    let page = silences::Page { offset: 0, limit: 500 };
    let lines = stage.bed.store.read(move |tx| silences::silent_devices(tx, &overseer(), page)).unwrap();
    let listed: BTreeSet<String> = lines.into_iter().map(|line| line.serial).collect();
    let mut last: HashMap<u32, At> = HashMap::new();
    for sent in period.sent.iter().filter(|sent| sent.at < until && !sent.rubbish) {
        let at = last.entry(sent.device).or_insert(sent.at);
        *at = (*at).max(sent.at);
    }
    for device in &stage.issued {
        let heard = last.get(&device.index).map(|at| until.seconds_since(*at));
        let shown = listed.contains(&device.serial);
        // Frames that are sent together arrive together: some minutes either way say nothing.
        let about = TOGETHER_MINUTES * 60;
        match heard {
            Some(seconds) if seconds < device.kind.patience_seconds() - about => {
                assert!(!shown, "heard {seconds} s ago: {device:?}");
            }
            Some(seconds) if seconds <= device.kind.patience_seconds() + about => {}
            Some(seconds) => assert!(shown, "not heard for {seconds} s: {device:?}"),
            None => assert!(shown || device.lives(until), "never heard: {device:?}"),
        }
    }
    assert!(known.len() >= stage.issued.len());
    let dead = stage.issued.iter().filter(|device| device.flaw == Flaw::Dead);
    assert!(dead.clone().count() > 0 && dead.clone().all(|device| listed.contains(&device.serial)));
}

fn rehearse(size: &Size) {
    let begun = Instant::now();
    let mut stage = Stage::open(size);
    let from = stage.began.0;
    let storms = Some(Storms { every_minutes: 600, silent_minutes: 50 });
    let plan = Plan { from, minutes: size.hours * 60, pace: size.pace, storms };
    let period = devices::period(&stage.city, &stage.issued, plan);
    let until = plan.until();
    eprintln!("{} devices, ready after {:?}", stage.issued.len(), begun.elapsed());
    let lost = stage.play(&period, until, Stage::work);
    assert_eq!(lost, 0, "frames that no door answered");
    stage.work();
    compare(&stage, &period, until);

    // What was refused is told with its reason, and of nobody but those who sent it.
    let babblers = stage.issued.iter().filter(|device| device.flaw == Flaw::Babbles).count();
    let refused = stage.bed.store.read(|tx| rejections(tx, &overseer(), "", 100)).unwrap();
    assert!(babblers == 0 || !refused.is_empty(), "{babblers} babble and nothing was refused");
    let status = stage.intake.status();
    assert!(status.rejected > 0 && status.duplicates > 0 && status.shed == 0, "{status:?}");
    eprintln!("rehearsed in {:?}: {status:?}", begun.elapsed());
    drop(stage.keeper.take());
}

#[test]
fn what_the_platform_finds_is_what_happened() {
    rehearse(&Size { people: 10_000, hours: 60, pace: 4.0 });
}

/// A county's week. Run by `make test-long`.
#[test]
#[ignore = "minutes long"]
fn a_week_of_a_whole_city_is_what_happened() {
    rehearse(&Size { people: 40_000, hours: 7 * 24, pace: 1.5 });
}
