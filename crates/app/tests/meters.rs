//! Water meters and silent devices on both databases.

mod town;

use app::{
    p,
    signals::{
        incidents,
        meters::{self, Reading},
        sightings,
        silences::{self, Page},
    },
    store::Store,
};
use city::testing::on_both;
use domain::{
    access::Role,
    ids::{DeviceId, PersonId},
    signals::{
        incident::{IncidentKind, Level},
        sighting::SightingKind,
    },
};
use town::{ELSEWHERE, VILLAGE, at, person, region, somebody};

const HOUR: i64 = 60;
const METER: DeviceId = DeviceId(7);

fn alone(store: &Store) -> PersonId {
    let id = person(store, "王秀英", 2);
    store
        .write(move |tx| tx.execute_one("UPDATE person SET living = 'alone' WHERE id = ?1", p![id]))
        .unwrap();
    silences::refresh(store, true, at(0)).unwrap();
    id
}

fn report(store: &Store, person: PersonId, all: &[(i64, i64)], now: i64) {
    let all: Vec<Reading> = all
        .iter()
        .map(|(minutes, millilitres)| Reading {
            meter: METER,
            person,
            region: region(VILLAGE),
            at: at(*minutes).0,
            millilitres: *millilitres,
            step_millilitres: 1_000,
        })
        .collect();
    store.write(move |tx| meters::record(tx, &all, at(now))).unwrap();
}

fn look(store: &Store, minutes: i64) -> usize {
    store.write(move |tx| meters::tick(tx, at(minutes))).unwrap().alarmed
}

fn open_incidents(store: &Store) -> Vec<(IncidentKind, Level)> {
    // A maker's incident is the city's.
    let agent =
        domain::access::Actor { range: domain::regions::RegionRange::ALL, ..somebody(Role::Agent, 1) };
    let all = store.read(move |tx| incidents::desk(tx, &agent, 500)).unwrap();
    let mut all: Vec<_> = all.into_iter().map(|l| (l.incident.kind, l.incident.level)).collect();
    all.sort();
    all
}

#[test]
fn too_little_water_alarms_once_a_quiet_period() {
    on_both(|store| {
        let p = alone(&store);
        report(&store, p, &[(0, 100_000_000), (6 * HOUR, 100_004_000)], 6 * HOUR);
        assert_eq!(look(&store, 6 * HOUR), 0);
        assert_eq!(look(&store, 6 * HOUR + 1), 0);
        report(&store, p, &[(12 * HOUR, 100_009_000)], 12 * HOUR);
        assert_eq!(look(&store, 12 * HOUR), 1);
        assert_eq!(open_incidents(&store), [(IncidentKind::WaterLow, Level::P2)]);
        // The quiet goes on: nothing new. It ends, and another one begins.
        report(&store, p, &[(18 * HOUR, 100_010_000)], 18 * HOUR);
        assert_eq!(look(&store, 18 * HOUR), 0);
        report(&store, p, &[(20 * HOUR, 100_200_000)], 20 * HOUR);
        assert_eq!(look(&store, 20 * HOUR), 0);
        report(&store, p, &[(33 * HOUR, 100_201_000)], 33 * HOUR);
        assert_eq!((look(&store, 33 * HOUR), look(&store, 33 * HOUR)), (1, 0));
        assert_eq!(open_incidents(&store).len(), 2);
    });
}

#[test]
fn who_is_away_or_not_watched_uses_no_water_and_nobody_worries() {
    on_both(|store| {
        let p = alone(&store);
        store
            .write(move |tx| {
                tx.execute_one(
                    "INSERT INTO person_fact (id, person, kind, value, source, valid_from, valid_to, known_at,
                        by_account)
                    VALUES (77, ?1, 'away', 'children', '家属', '2026-11-21', '2026-11-23', 0, 1)",
                    p![p],
                )
            })
            .unwrap();
        report(&store, p, &[(0, 5_000), (6 * HOUR, 5_000), (12 * HOUR, 5_000)], 12 * HOUR);
        assert_eq!(look(&store, 12 * HOUR), 0);
        // Back since midnight, the 39th hour: the night before does not count, the day after does.
        report(&store, p, &[(30 * HOUR, 5_000), (50 * HOUR, 5_000)], 50 * HOUR);
        assert_eq!(look(&store, 50 * HOUR), 0);
        assert_eq!(look(&store, 51 * HOUR), 1);
        let other = person(&store, "张德福", 1);
        let of_other = |minutes, millilitres| Reading {
            meter: DeviceId(8),
            person: other,
            region: region(VILLAGE),
            at: at(minutes).0,
            millilitres,
            step_millilitres: 1_000,
        };
        let all = vec![of_other(0, 5_000), of_other(12 * HOUR, 5_000)];
        store.write(move |tx| meters::record(tx, &all, at(12 * HOUR))).unwrap();
        assert_eq!(look(&store, 53 * HOUR), 0);
    });
}

#[test]
fn water_that_was_used_is_a_trace_of_life_in_whatever_order_it_is_told() {
    on_both(|store| {
        let p = alone(&store);
        let last = || store.read(move |tx| sightings::last(tx, p)).unwrap().map(|s| (s.at, s.kind));
        report(&store, p, &[(0, 1_000)], 0);
        assert_eq!(last(), None, "a first reading tells nothing");
        report(&store, p, &[(60, 1_000)], 60);
        assert_eq!(last(), None, "standing still neither");
        report(&store, p, &[(180, 9_000), (120, 4_000)], 180);
        assert_eq!(last(), Some((at(180).0, SightingKind::Meter)));
        // The same again, an older one, one from a clock of the year 2099.
        report(&store, p, &[(180, 9_000), (90, 2_000)], 200);
        assert_eq!(last(), Some((at(180).0, SightingKind::Meter)));
        report(&store, p, &[(38_000_000, 12_000)], 240);
        assert_eq!(last(), Some((at(240).0, SightingKind::Meter)));
    });
}

#[test]
fn a_leak_is_told_to_the_house_and_is_no_trace_of_life() {
    on_both(|store| {
        let p = alone(&store);
        let drip: Vec<(i64, i64)> = (0..=48).map(|n| (n * 30, n * 500)).collect();
        report(&store, p, &drip, 24 * HOUR);
        assert_eq!((look(&store, 24 * HOUR), look(&store, 24 * HOUR)), (1, 0));
        assert_eq!(open_incidents(&store), [(IncidentKind::WaterHigh, Level::P3)]);
        let before = store.read(move |tx| sightings::last(tx, p)).unwrap();
        report(&store, p, &[(24 * HOUR + 30, 25_000)], 25 * HOUR);
        assert_eq!(store.read(move |tx| sightings::last(tx, p)).unwrap(), before);
    });
}

/// Devices heard of at minute 0, of a maker, with a beat of ten minutes.
fn devices(store: &Store, from: i64, count: i64, vendor: &'static str, place: &'static str) {
    let place = region(place);
    store
        .write(move |tx| {
            for n in from..from + count {
                tx.execute_one(
                    "INSERT INTO device (id, serial, kind, protocol, vendor, region, secret_hash, beat_seconds,
                        last_seen_at, state, added_at, added_by)
                    VALUES (?1, ?2, 'sos', 'mqtt', ?3, ?4, ?5, 600, ?6, 'active', ?6, 1)",
                    p![n, format!("D{n}"), vendor, place, vec![0u8], at(0).0],
                )?;
            }
            Ok::<_, app::store::Fault>(())
        })
        .unwrap();
}

fn heard(store: &Store, from: i64, count: i64, minutes: i64) {
    let sql = "UPDATE device SET last_seen_at = ?3 WHERE id >= ?1 AND id < ?2";
    store.write(move |tx| tx.execute(sql, p![from, from + count, at(minutes).0])).unwrap();
}

fn silent(store: &Store) -> usize {
    let agent = somebody(Role::Agent, 1);
    let page = Page { offset: 0, limit: 500 };
    store.read(move |tx| silences::silent_devices(tx, &agent, page)).unwrap().len()
}

#[test]
fn a_device_that_is_not_heard_of_is_a_ticket_of_its_own_until_it_is() {
    on_both(|store| {
        devices(&store, 1, 100, "甲", VILLAGE);
        let check = |minutes| silences::check_devices(&store, at(minutes)).unwrap();
        heard(&store, 1, 98, 5);
        assert_eq!(check(10), silences::Checked::default(), "exactly ten minutes is not more");
        let found = check(11);
        assert_eq!((found.silent, found.opened, found.closed), (2, 2, 0));
        assert_eq!((check(12).opened, silent(&store)), (0, 2));
        assert_eq!(open_incidents(&store), [(IncidentKind::DeviceFault, Level::P4); 2]);
        heard(&store, 1, 99, 13);
        let found = check(14);
        assert_eq!((found.opened, found.closed, silent(&store)), (0, 1, 1));
        assert_eq!(open_incidents(&store).len(), 2, "a person ends the ticket");
        // Out of use is not silent.
        store
            .write(|tx| {
                tx.execute("UPDATE device SET state = 'retired', retired_at = 1 WHERE id = 100", p![])
            })
            .unwrap();
        assert_eq!((check(14).closed, silent(&store)), (1, 0));
    });
}

#[test]
fn a_makers_platform_that_is_down_is_one_incident() {
    on_both(|store| {
        devices(&store, 1, 200, "甲", VILLAGE);
        devices(&store, 1_001, 300, "乙", VILLAGE);
        devices(&store, 2_001, 10, "乙", ELSEWHERE);
        heard(&store, 1, 200, 5);
        heard(&store, 1_061, 240, 5);
        heard(&store, 2_001, 10, 5);
        // Sixty of the maker's 310 are silent: not yet a fifth. Then ninety.
        let check = |minutes| silences::check_devices(&store, at(minutes)).unwrap();
        assert_eq!(check(11).opened, 60);
        assert!(open_incidents(&store).iter().all(|(kind, _)| *kind == IncidentKind::DeviceFault));
        heard(&store, 1, 200, 9);
        heard(&store, 2_001, 10, 9);
        heard(&store, 1_091, 210, 9);
        assert_eq!(check(16).opened, 30);
        let areas =
            open_incidents(&store).into_iter().filter(|(kind, _)| *kind == IncidentKind::Area).count();
        assert_eq!(areas, 1);
        assert_eq!(silent(&store), 90);
    });
}

fn areas(store: &Store) -> Vec<(i64, String)> {
    let sql = "SELECT region, text FROM incident WHERE kind = 'area' ORDER BY id";
    store.read(move |tx| tx.all(sql, p![], |row| Ok((row.get(0)?, row.get(1)?)))).unwrap()
}

#[test]
fn a_maker_that_is_silent_in_two_counties_is_no_power_cut_of_either() {
    on_both(|store| {
        devices(&store, 1, 40, "甲", VILLAGE);
        devices(&store, 101, 40, "甲", ELSEWHERE);
        devices(&store, 201, 100, "乙", VILLAGE);
        devices(&store, 301, 100, "乙", ELSEWHERE);
        heard(&store, 201, 200, 9);
        silences::check_devices(&store, at(11)).unwrap();
        let said = areas(&store);
        assert_eq!(said, [(410_200_000_000, "甲：80 台设备中 80 台同时失联".to_owned())]);
        assert_eq!(open_incidents(&store).len(), 1, "nothing rings besides");
    });
}

#[test]
fn after_an_outage_of_ours_devices_have_their_time_to_come_back() {
    on_both(|store| {
        devices(&store, 1, 100, "甲", VILLAGE);
        heard(&store, 1, 90, 5);
        let check = |minutes| silences::check_devices(&store, at(minutes)).unwrap();
        let window = store.write(|tx| incidents::begin_window(tx, at(0))).unwrap();
        store.write(move |tx| incidents::beat(tx, window, at(12))).unwrap();
        assert_eq!(check(11).opened, 10, "silent while we listened");
        // Nobody listened from 12 to 30; ninety were due at 15.
        store.write(|tx| incidents::begin_window(tx, at(30))).unwrap();
        assert_eq!((check(30).opened, silent(&store)), (0, 10), "they had no time to come back yet");
        assert_eq!(areas(&store), []);
        let agent = somebody(Role::Agent, 1);
        let missed = store.read(move |tx| incidents::missed(tx, &agent, at(31))).unwrap().unwrap();
        assert_eq!(missed.devices.len(), 90, "whom we may have missed stands at once");
        heard(&store, 1, 85, 32);
        assert_eq!(check(40).opened, 0);
        assert_eq!((check(41).opened, silent(&store)), (5, 15), "a beat later who stays away is silent");
        assert_eq!(areas(&store), []);
    });
}

#[test]
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn a_check_of_46_000_devices_that_are_well_takes_less_than_a_hundredth_of_its_interval() {
    const EVERY: std::time::Duration = std::time::Duration::from_secs(20);
    on_both(|store| {
        let place = region(VILLAGE);
        store
            .write(move |tx| {
                tx.execute(
                    "WITH RECURSIVE s(n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM s WHERE n < 46000)
                    INSERT INTO device (id, serial, kind, protocol, vendor, region, secret_hash, beat_seconds,
                        last_seen_at, state, added_at, added_by)
                    SELECT n, 'D' || n, 'sos', 'mqtt', 'V', CAST(?1 AS BIGINT), ?2, 600, CAST(?3 AS BIGINT), 'active',
                        CAST(?3 AS BIGINT), 1
                    FROM s",
                    p![place, vec![0u8; 16], at(0).0],
                )
            })
            .unwrap();
        let check = |minutes| silences::check_devices(&store, at(minutes)).unwrap();
        assert_eq!(check(10), silences::Checked::default());
        let quickest = (0..5).map(|_| {
            let began = std::time::Instant::now();
            check(10);
            began.elapsed()
        });
        let quickest = quickest.min().unwrap();
        assert!(quickest < EVERY / 100, "{quickest:?}");
        heard(&store, 1, 45_999, 5);
        assert_eq!(check(11).opened, 1);
    });
}
