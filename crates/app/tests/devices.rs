//! Devices: who may enter them, what is refused, what a secret opens.

use app::{
    outcome::No,
    pack::{self, Pack},
    signals::devices::{self, DeviceRefusal, Filter, NewDevice, Page, Seen},
    store::Store,
};
use city::testing::on_both;
use domain::{
    access::{Actor, Role},
    ids::{AccountId, DeviceId, PersonId},
    regions::{RegionCode, RegionRange},
    signals::device::DeviceKind,
    time::{At, Now},
};

fn now() -> Now {
    Now(At::parse("2026-11-21T09:00").unwrap())
}

fn actor(role: Role, range: RegionRange) -> Actor {
    Actor { account: AccountId(9), name: "王敏".into(), role, range, provider: None, carer: None }
}

fn county() -> Actor {
    actor(Role::CountyCivilAffairs, RegionCode::parse("410202").unwrap().range())
}

fn smoke(serial: &str) -> NewDevice {
    NewDevice { region: RegionCode::parse("410202001000").ok(), ..NewDevice::new(DeviceKind::Smoke, serial) }
}

fn prepare(store: &Store) {
    let pack = Pack::load("kaifeng").unwrap();
    store.write(move |tx| pack::install(tx, &pack, now())).unwrap();
}

fn add(store: &Store, actor: &Actor, new: NewDevice) -> Result<(DeviceId, String), No<DeviceRefusal>> {
    let actor = actor.clone();
    store
        .write(move |tx| devices::add(tx, &actor, &new, [7; 16], now()))
        .map(|(id, secret)| (id, secret.reveal().to_owned()))
}

fn refused(store: &Store, new: NewDevice) -> DeviceRefusal {
    match add(store, &county(), new) {
        Err(No::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_device_is_entered_once_and_opens_with_its_secret_only() {
    on_both(|store| {
        prepare(&store);
        let (id, secret) = add(&store, &county(), smoke("YG-1")).unwrap();
        assert_eq!(secret.len(), 32);
        assert_eq!(refused(&store, smoke("YG-1")), DeviceRefusal::Taken("YG-1".into()));
        let known = store.read(|tx| devices::find_known(tx, "YG-1")).unwrap().unwrap();
        assert_eq!((known.id, known.region.number()), (id, 410_202_001_000));
        assert!(known.proved(store.vault(), "YG-1", &secret));
        assert!(!known.proved(store.vault(), "YG-2", &secret) && !known.proved(store.vault(), "YG-1", ""));
        let renewed =
            store.write(move |tx| devices::renew_secret(tx, &county(), id, [8; 16], now())).unwrap();
        let known = store.read(|tx| devices::find_known(tx, "YG-1")).unwrap().unwrap();
        assert!(known.proved(store.vault(), "YG-1", renewed.reveal()));
        assert!(!known.proved(store.vault(), "YG-1", &secret), "the old secret no longer opens");
    });
}

#[test]
fn what_makes_no_sense_is_refused() {
    on_both(|store| {
        prepare(&store);
        for bad in ["", "a/b", "汉字", "#", &"x".repeat(65)] {
            assert_eq!(refused(&store, smoke(bad)), DeviceRefusal::Serial, "{bad}");
        }
        assert_eq!(refused(&store, NewDevice::new(DeviceKind::Smoke, "Y1")), DeviceRefusal::Nowhere);
        let watch = NewDevice { kind: DeviceKind::Watch, ..smoke("W1") };
        assert_eq!(refused(&store, watch), DeviceRefusal::Unworn(DeviceKind::Watch));
        let elsewhere = NewDevice { region: RegionCode::parse("370705001000").ok(), ..smoke("Y2") };
        assert_eq!(refused(&store, elsewhere), DeviceRefusal::Nowhere);
        let nobody = NewDevice { person: Some(PersonId(5)), ..smoke("Y3") };
        assert_eq!(refused(&store, nobody), DeviceRefusal::NoPerson(PersonId(5)));
        let ghost = NewDevice { gateway: Some(DeviceId(5)), ..smoke("Y4") };
        assert_eq!(refused(&store, ghost), DeviceRefusal::NoGateway(DeviceId(5)));
        assert_eq!(refused(&store, NewDevice { beat_seconds: Some(1), ..smoke("Y5") }), DeviceRefusal::Beat);
        let agent = actor(Role::Agent, RegionRange::ALL);
        assert!(matches!(add(&store, &agent, smoke("Y6")), Err(No::Forbidden(_))));
    });
}

#[test]
fn what_is_out_of_use_or_out_of_sight_is_not_there() {
    on_both(|store| {
        prepare(&store);
        let (id, _) = add(&store, &county(), smoke("YG-9")).unwrap();
        let stranger = actor(Role::CountyCivilAffairs, RegionCode::parse("410203").unwrap().range());
        assert!(matches!(store.read(move |tx| devices::device(tx, &stranger, id)), Err(No::NotFound)));
        let retire =
            |why: &'static str| store.write(move |tx| devices::retire(tx, &county(), id, why, now()));
        assert!(matches!(retire(" "), Err(No::Refused(DeviceRefusal::Reason))));
        retire("损坏").unwrap();
        assert!(matches!(retire("损坏"), Err(No::Refused(DeviceRefusal::Retired))));
        assert!(store.read(|tx| devices::find_known(tx, "YG-9")).unwrap().is_none());
        let page = Page { after: 0, limit: 10 };
        let listed = |filter: Filter| {
            store.read(move |tx| devices::devices(tx, &county(), &filter, page, now())).unwrap().len()
        };
        assert_eq!(listed(Filter::default()), 0);
        assert_eq!(listed(Filter { retired: true, words: "YG".into(), ..Filter::default() }), 1);
    });
}

#[test]
fn an_older_moment_never_takes_the_place_of_a_newer_one() {
    on_both(|store| {
        prepare(&store);
        let (id, _) = add(&store, &county(), smoke("YG-3")).unwrap();
        let later = now().0.plus_minutes(5);
        let saw = |at, battery| {
            store.write(move |tx| devices::saw(tx, &[Seen { device: id, at, battery }])).unwrap();
        };
        saw(later, Some(40));
        saw(now().0, Some(90));
        saw(later.plus_minutes(1), None);
        let device = store.read(move |tx| devices::device(tx, &county(), id)).unwrap();
        assert_eq!((device.battery, device.last_seen_at), (Some(40), Some(later.plus_minutes(1))));
        let overdue = |hours: i64| device.overdue(Now(later.plus_minutes(hours * 60)));
        assert!(!overdue(4) && overdue(5));
    });
}

/// An installer's list: a line above the titles, their words for things, one bad line of each sort.
const LIST: &str = "\
开封市龙亭区烟感安装清单,,,,,
IMEI,设备类型,区划代码,安装位置,厂家,网关设备号,身份证号
GW-1,网关,410202001000,楼道,,,
YG-1,烟感,410202001000,厨房,海康,GW-1,
YG-2,SMOKE,410202001000,厨房,海康,GW-9,
YG-3,飞碟,410202001000,,,,
YG-4,烟感,4102,,,,
YG-5,烟感,410202001000,,,,410202194001010015
SH-1,智能手表,,,,,410202194001010010
";

#[test]
fn a_list_of_devices_is_entered_line_by_line_and_may_come_again() {
    use devices::list::{self, Entered};
    let book = app::parties::sheet::read("清单.csv", LIST.as_bytes(), &Default::default()).unwrap();
    let lines = list::lines(&book).expect("titles");
    assert_eq!(lines.iter().map(|line| line.row).collect::<Vec<_>>(), [3, 4, 5, 6, 7, 8, 9]);
    on_both(|store| {
        prepare(&store);
        let enter = || {
            let lines = lines.clone();
            let random: Vec<[u8; 16]> = (1..=lines.len() as u8).map(|n| [n; 16]).collect();
            let entered = store.write(move |tx| list::enter(tx, &county(), &lines, &random, now())).unwrap();
            let word = |one: &Entered| match one {
                Entered::Added(..) => "added",
                Entered::Known(_) => "known",
                Entered::Refused((code, _)) => code,
            };
            entered.iter().map(word).collect::<Vec<_>>()
        };
        let bad = [
            "device_gateway_unknown",
            "device_kind",
            "device_nowhere",
            "device_person_unknown",
            "id_check_digit",
        ];
        let first = enter();
        assert_eq!(first[..2], ["added", "added"], "{first:?}");
        assert_eq!(first[2..], bad, "{first:?}");
        assert_eq!(enter()[..2], ["known", "known"]);
        let known = store.read(|tx| devices::find_known(tx, "YG-1")).unwrap().unwrap();
        assert!(known.gateway.is_some() && known.vendor == "海康");
        assert!(known.proved(store.vault(), "YG-1", &"02".repeat(16)), "the secret of the first time");
        let agent = actor(Role::Agent, RegionRange::ALL);
        let (one, random) = (lines[..1].to_vec(), [[1; 16]]);
        let denied = store.write(move |tx| list::enter(tx, &agent, &one, &random, now()));
        assert!(matches!(denied, Err(No::Forbidden(_))), "{denied:?}");
    });
}
