//! A working day in minutes: the real server and the living city on a clock that runs two hundred times as fast.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use app::{
    evidence::{self, SealFile},
    ledger,
    orders::{self, Filter},
    pack::Pack,
    parties::people,
    signals::{
        incidents,
        intake::{Intake, counts},
    },
    store::Fault,
};
use city::{
    City, CitySpec,
    living::{self, Clock},
    seed,
    testing::Bed,
};
use domain::{
    access::{Actor, Role},
    ids::AccountId,
    orders::OrderState,
    regions::{RegionCode, RegionRange},
    time::{At, Now},
};
use tokio::net::{TcpListener, UdpSocket};

const SPEED: i64 = 200;

fn overseer() -> Actor {
    let range = RegionRange::ALL;
    let name = "检查".to_owned();
    Actor { account: AccountId(1), name, role: Role::Dispatcher, range, provider: None, carer: None }
}

fn count(bed: &Bed, state: OrderState) -> i64 {
    let filter = Filter { states: vec![state], ..Filter::default() };
    bed.store.read(move |tx| orders::count(tx, &overseer(), &filter)).unwrap()
}

/// Opens a door for each kind of device.
async fn open_doors(app: &web::App, intake: &Intake) -> living::Doors {
    let tcp = || async { TcpListener::bind("127.0.0.1:0").await.unwrap() };
    let (mqtt, watch, fire, streams) = (tcp().await, tcp().await, tcp().await, tcp().await);
    let packets = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let doors = living::Doors {
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
    web::intake::listen(app, intake, listeners);
    doors
}

/// What devices told in two hours was answered by the colleague, none of it before a visitor could have, and nothing
/// piled up.
fn check_desk(bed: &Bed, since: Now) {
    let filter = incidents::Filter { from: Some(since.0), ..incidents::Filter::default() };
    let leader = Actor { role: Role::Supervisor, ..overseer() };
    let lines = bed.store.read(move |tx| incidents::incidents(tx, &leader, &filter, None, 500)).unwrap();
    let closed: Vec<_> = lines.iter().filter(|line| line.incident.closed_at.is_some()).collect();
    let open = lines.len() - closed.len();
    assert!(closed.len() >= 8, "{} of {} closed", closed.len(), lines.len());
    assert!(open <= 12, "{open} of {} wait", lines.len());
    assert!(closed.iter().any(|line| line.incident.reviewed_at.is_some()), "nobody looked a second time");
    for line in &closed {
        let waited = line.incident.answered_at.unwrap().seconds_since(line.incident.opened_at);
        assert!(waited >= 90 && line.closed_name == "高敏", "taken after {waited} s: {line:?}");
        assert!(line.incident.verified && line.incident.device.is_some());
    }
    let (readings, alarms) = bed.store.read(counts).unwrap();
    assert!(readings > 60 && alarms >= lines.len() as i64, "{readings} readings, {alarms} alarms");
}

#[test]
fn a_working_day_passes_from_the_call_to_the_payment() {
    let bed = Bed::sqlite();
    let morning = Now(At::parse("2026-11-23T09:00").unwrap());
    let pack = Pack::load("kaifeng").unwrap();
    let spec = CitySpec::kaifeng(7, 500, morning.day());
    let city = Arc::new(City::build(spec, city::REGIONS).unwrap());
    seed::write(&bed.store, &city, &pack, morning, &mut |_, _, _| {}).unwrap();
    let settled = count(&bed, OrderState::Settled);
    assert!(settled > 150, "{settled} settled at the start");

    let begun = Instant::now();
    let now = move || {
        let passed = i64::try_from(begun.elapsed().as_micros()).unwrap();
        Now(At(morning.0.0 + passed * SPEED))
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let clock = Clock { now: Arc::new(now), speed: SPEED.unsigned_abs() };
    let driver =
        living::prepare(&bed.store, city, clock, || format!("session-{:?}", Instant::now())).unwrap();
    let app = {
        let _inside = runtime.enter();
        web::App::new(bed.store.clone(), now, |bytes| bytes.fill(7), None)
    };
    let home = RegionCode::new(410_200_000_000).unwrap();
    let (intake, keeper) = Intake::start(bed.store.clone(), now, home, None).unwrap();
    let doors = runtime.block_on(open_doors(&app, &intake));
    runtime.spawn(axum::serve(listener, web::router(app)).into_future());
    runtime.spawn(driver.run(living::Platform { web: address, doors }));
    std::thread::sleep(Duration::from_secs(40));
    drop(runtime);
    drop(keeper);
    check_desk(&bed, morning);

    let after = count(&bed, OrderState::Settled);
    assert!(after > settled + 20, "{settled} were settled, now {after}");
    let seals = SealFile::in_folder(bed.folder());
    let troubles = bed.store.read(move |tx| {
        let (mut troubles, _) = evidence::verify_chain(tx, &seals, |_| {})?;
        troubles.extend(people::verify_people(tx)?);
        troubles.extend(ledger::verify(tx)?);
        Ok::<_, Fault>(troubles)
    });
    assert_eq!(troubles.unwrap(), []);
}

#[test]
fn the_same_seed_makes_the_same_people() {
    let write = || {
        let bed = Bed::sqlite();
        let now = Now(At::parse("2026-11-23T09:00").unwrap());
        let city = Arc::new(City::build(CitySpec::kaifeng(3, 120, now.day()), city::REGIONS).unwrap());
        seed::write(&bed.store, &city, &Pack::load("kaifeng").unwrap(), now, &mut |_, _, _| {}).unwrap();
        let cards = bed.store.read(|tx| {
            let actor = Actor { role: Role::Auditor, ..overseer() };
            let found = orders::lines_after(tx, &actor, &Filter::default(), 0, 500)?;
            Ok::<_, app::outcome::No<app::outcome::Never>>(
                found
                    .into_iter()
                    .map(|l| {
                        format!(
                            "{} {} {} {} {}",
                            l.person_name,
                            l.address,
                            l.service,
                            l.start_at,
                            l.state.code()
                        )
                    })
                    .collect::<Vec<_>>(),
            )
        });
        cards.unwrap()
    };
    let (mut first, mut second) = (write(), write());
    first.sort();
    second.sort();
    assert!(first.len() > 200);
    assert_eq!(first, second);
}
