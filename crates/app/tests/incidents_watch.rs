//! What watches over incidents: ladders through crashes and side by side, areas, outages, answer times, verify.

mod town;
mod watch;

use std::collections::HashMap;

use app::{
    p,
    signals::incidents::{self, Group, Of, Opening, SilentDevice},
    store::{Fault, IdSource, Place, Store, Vault},
};
use city::testing::{MASTER_KEY, on_both, on_both_beds};
use domain::{
    access::Role,
    ids::{DeviceId, IncidentId},
    signals::{
        answering::Standard,
        incident::{Closure, IncidentKind, IncidentOutcome, IncidentState, Level},
        silence::RiskGrade,
    },
    time::{At, Now},
};
use town::{COUNTY, VILLAGE, person, region};
use watch::{after, ending, open, press, seat, sheet, sos, take, tick};

/// Numbers that look random and are the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// How often each step was told to the outside, by incident, round and step.
fn told(store: &Store) -> HashMap<(String, i64, i64), usize> {
    let payloads: Vec<String> = store
        .read(|tx| {
            tx.all("SELECT payload FROM outbox WHERE topic = 'incident.reach' ORDER BY seq", p![], |row| {
                row.get(0)
            })
        })
        .unwrap();
    let mut told = HashMap::new();
    for payload in payloads {
        let one: serde_json::Value = serde_json::from_str(&payload).unwrap();
        let key = (
            one["incident"].as_str().unwrap().to_owned(),
            one["round"].as_i64().unwrap(),
            one["step"].as_i64().unwrap(),
        );
        *told.entry(key).or_default() += 1;
    }
    told
}

/// Steps as (incident, round, step, due, done, stopped).
fn steps(store: &Store) -> Vec<(i64, i64, i64, At, Option<At>, Option<At>)> {
    store
        .read(|tx| {
            tx.all(
                "SELECT incident, round, step, due_at, done_at, stopped_at FROM incident_step",
                p![],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)),
            )
        })
        .unwrap()
}

#[test]
fn whenever_it_ticks_and_whatever_breaks_no_step_is_skipped_or_done_twice() {
    on_both(|store| {
        let mut random = Random(7);
        let agent = seat(&store, 11, "赵敏", Role::Agent);
        let who = person(&store, "王秀英", 2);
        let mut ids: Vec<IncidentId> = Vec::new();
        let mut time = 0;
        for n in 0..150 {
            time += random.below(40) as i64;
            let now = after(time);
            match random.below(10) {
                0 | 1 => ids.push(open(&store, sos(who, 100 + n, &format!("k{n}"), now), now).id),
                2 if !ids.is_empty() => {
                    let id = ids[random.below(ids.len() as u64) as usize];
                    let actor = agent.clone();
                    let _ = store.write(move |tx| incidents::acknowledge(tx, &actor, id, now));
                }
                3 => {
                    // The process dies before its commit.
                    let broken: Result<(), Fault> = store.write(move |tx| {
                        incidents::tick(tx, now)?;
                        Err(Fault::other("killed"))
                    });
                    assert!(broken.is_err());
                }
                _ => {
                    tick(&store, now);
                }
            }
        }
        let last_kept = time + 1;
        tick(&store, after(last_kept));
        let (told, all) = (told(&store), steps(&store));
        assert!(told.len() > 100, "{}", told.len());
        assert!(told.values().all(|count| *count == 1), "a step was told twice: {told:?}");
        for (incident, round, step, due, done, stopped) in all {
            let key = (incident.to_string(), round, step);
            assert_eq!(told.contains_key(&key), done.is_some(), "{key:?}");
            assert!(
                done.is_some() || stopped.is_some() || due > after(last_kept).0,
                "{key:?} was due and is neither done nor called off"
            );
            assert!(done.is_none_or(|done| done >= due), "{key:?} was done before it was due");
        }
    });
}

#[test]
fn two_servers_side_by_side_do_each_step_once() {
    on_both_beds(|bed| {
        let Place::Postgres(_) = &bed.place else { return };
        let who = person(&bed.store, "王秀英", 2);
        for n in 0..20 {
            open(&bed.store, sos(who, 100 + n, &format!("k{n}"), after(0)), after(0));
        }
        let threads: Vec<_> = (0..2)
            .map(|n| {
                let store = Store::open(&bed.place, Vault::new(&MASTER_KEY), IdSource::new(10 + n)).unwrap();
                std::thread::spawn(move || {
                    for second in 0..40 {
                        tick(&store, after(second * 16));
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        let told = told(&bed.store);
        assert!(told.values().all(|count| *count == 1), "{told:?}");
        assert_eq!(told.len(), 20 * 11);
    });
}

#[test]
fn two_servers_that_hear_the_same_press_open_one_incident() {
    on_both_beds(|bed| {
        let Place::Postgres(_) = &bed.place else { return };
        let who = person(&bed.store, "王秀英", 2);
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let store = Store::open(&bed.place, Vault::new(&MASTER_KEY), IdSource::new(20 + n)).unwrap();
                std::thread::spawn(move || {
                    (0..10)
                        .map(|k| open(&store, sos(who, k, &format!("same{k}"), after(0)), after(0)))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let all: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        for k in 0..10 {
            assert_eq!(all.iter().filter(|one| one[k].fresh).count(), 1, "press {k}");
            assert!(all.iter().all(|one| one[k].id == all[0][k].id), "press {k}");
        }
    });
}

fn silent(devices: std::ops::Range<i64>) -> Vec<SilentDevice> {
    devices.map(|n| SilentDevice { device: DeviceId(n), person: None, since: after(-900).0 }).collect()
}

fn vendor(devices: i64) -> Group {
    Group { of: Of::Vendor("某厂".into()), region: region(COUNTY), name: "某厂".into(), devices }
}

fn area(store: &Store, group: &Group, silent: Vec<SilentDevice>, now: Now) -> incidents::Area {
    let group = group.clone();
    store.write(move |tx| incidents::area(tx, &group, &silent, now)).unwrap()
}

fn single(store: &Store, device: i64, now: Now) -> IncidentId {
    let opening = Opening {
        kind: IncidentKind::DeviceFault,
        level: Level::P4,
        person: None,
        device: Some(DeviceId(device)),
        region: region(VILLAGE),
        pressed_at: None,
        received_at: now.0,
        verified: true,
        text: "设备失联".into(),
        key: format!("silent:{device}"),
    };
    open(store, opening, now).id
}

#[test]
fn a_fifth_of_a_maker_is_not_an_area_and_one_more_is_exactly_one() {
    on_both(|store| {
        let group = vendor(100);
        let few = area(&store, &group, silent(1..21), after(0));
        assert_eq!((few.incident, few.singles.len()), (None, 20), "20 of 100 is not more than a fifth");
        let many = area(&store, &group, silent(1..22), after(60));
        assert!(many.fresh && many.singles.is_empty());
        let again = area(&store, &group, silent(1..30), after(120));
        assert_eq!((again.incident, again.fresh, again.singles.len()), (many.incident, false, 0));
        let tiny = Group { of: Of::Vendor("小厂".into()), ..vendor(4) };
        assert_eq!(
            area(&store, &tiny, silent(50..54), after(130)).incident,
            None,
            "four devices are no area"
        );
        let agent = seat(&store, 11, "赵敏", Role::Agent);
        assert_eq!(sheet(&store, &agent, many.incident.unwrap()).line.devices, 29);
    });
}

#[test]
fn what_rang_for_single_devices_is_part_of_the_area_and_rings_again_where_it_is_still_silent() {
    on_both(|store| {
        let agent = seat(&store, 11, "赵敏", Role::Agent);
        let (one, two, three) =
            (single(&store, 1, after(0)), single(&store, 2, after(0)), single(&store, 3, after(0)));
        take(&store, &agent, three, after(5));
        let found = area(&store, &vendor(10), silent(1..7), after(60)).incident.unwrap();
        let state = |id| sheet(&store, &agent, id).line.incident.state;
        assert_eq!((state(one), state(two)), (IncidentState::Attached, IncidentState::Attached));
        assert_eq!(state(three), IncidentState::Acknowledged, "what somebody is at stays with them");
        assert_eq!(
            tick(&store, after(60)),
            1,
            "only the area rings: for the desk, and it has no elder to call"
        );
        // Device 1 is back; a new one that falls silent while the outage ends speaks for itself.
        let rest = area(&store, &vendor(100), [silent(2..7), silent(40..41)].concat(), after(600));
        assert_eq!(rest.singles.iter().map(|s| s.device.0).collect::<Vec<_>>(), [40]);
        take(&store, &agent, found, after(700));
        let actor = agent.clone();
        let end = Closure {
            outcome: IncidentOutcome::FalseDevice,
            with_elder: String::new(),
            text: "厂家平台已恢复".into(),
        };
        store.write(move |tx| incidents::close(tx, &actor, found, &end, after(710))).unwrap();
        assert_eq!(state(one), IncidentState::Closed, "its device was heard of");
        assert_eq!(state(two), IncidentState::Ringing, "its device is still silent");
    });
}

#[test]
fn a_maker_that_fails_within_one_county_is_one_incident_not_two() {
    on_both(|store| {
        let county = Group {
            of: Of::County(region(COUNTY)),
            region: region(COUNTY),
            name: "龙亭区".into(),
            devices: 40,
        };
        let first = area(&store, &county, silent(1..13), after(0));
        assert!(first.fresh);
        let second = area(&store, &vendor(20), silent(1..13), after(0));
        assert_eq!((second.incident, second.singles.len()), (None, 0));
        let more = area(&store, &vendor(20), silent(1..19), after(60));
        assert!(more.fresh, "six more of the maker, outside the county, are an outage of their own");
        assert!(more.singles.is_empty());
        let again = area(&store, &county, silent(1..13), after(120));
        assert_eq!((again.incident, again.fresh), (first.incident, false));
    });
}

fn device(store: &Store, id: i64, person: Option<domain::ids::PersonId>, last_seen: Now) {
    let village = region(VILLAGE);
    store
        .write(move |tx| {
            tx.execute_one(
                "INSERT INTO device (id, serial, kind, protocol, vendor, person, region, secret_hash, beat_seconds,
                    last_seen_at, state, added_at, added_by)
                VALUES (?1, ?2, 'watch', 'watch', '某厂', ?3, ?4, ?5, 600, ?6, 'active', 0, 1)",
                p![id, format!("W{id}"), person, village, vec![0u8], last_seen.0],
            )
        })
        .unwrap();
}

#[test]
fn after_an_outage_it_is_known_whom_we_may_have_missed_by_risk() {
    on_both(|store| {
        let agent = seat(&store, 11, "赵敏", Role::Agent);
        let ask = agent.clone();
        let none = store.read(move |tx| incidents::missed(tx, &ask, after(0))).unwrap();
        assert_eq!(none, None);
        let first = store.write(|tx| incidents::begin_window(tx, after(0))).unwrap();
        store.write(move |tx| incidents::beat(tx, first, after(1_000))).unwrap();
        let (strong, alone) = (person(&store, "李大爷", 1), person(&store, "王秀英", 2));
        store
            .write(move |tx| tx.execute_one("UPDATE person SET living = 'alone' WHERE id = ?1", p![alone]))
            .unwrap();
        device(&store, 1, Some(strong), after(990));
        device(&store, 2, Some(alone), after(995));
        device(&store, 3, None, after(998));
        device(&store, 4, Some(alone), after(2_100));
        device(&store, 5, Some(alone), after(-5_000));
        for (id, rang, answered) in
            [(1_i64, 970_i64, false), (2, 1_500, false), (3, 1_500, true), (4, 100, false)]
        {
            let village = region(VILLAGE);
            store
                .write(move |tx| {
                    let answer = answered.then_some(after(rang + 5).0);
                    tx.execute_one(
                        "INSERT INTO call (id, external_id, line, region, number, number_index, number_shown, rang_at,
                            received_at, answered_at, answered_by, person)
                        VALUES (?1, ?2, '12349', ?3, ?4, 0, '138****0000', ?5, ?5, ?6, ?7, ?8)",
                        p![id, id.to_string(), village, vec![0u8], after(rang).0, answer, answered.then_some(11_i64), alone],
                    )
                })
                .unwrap();
        }
        store.write(|tx| incidents::begin_window(tx, after(2_000))).unwrap();
        let mut late = sos(alone, 4, "late", after(2_050));
        late.pressed_at = Some(after(1_400).0);
        let late = open(&store, late, after(2_050)).id;
        let ask = agent.clone();
        let missed = store.read(move |tx| incidents::missed(tx, &ask, after(2_060))).unwrap().unwrap();
        assert_eq!((missed.outage.from, missed.outage.to), (after(1_000).0, after(2_000).0));
        let devices: Vec<_> = missed.devices.iter().map(|d| (d.device.0, d.grade)).collect();
        assert_eq!(devices, [(2, Some(RiskGrade::High)), (1, None), (3, None)]);
        assert_eq!(missed.calls.iter().map(|c| c.call.0).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(missed.late, [late]);
        let stranger = watch::seat_in(&store, 13, "孙外", Role::Agent, town::ELSEWHERE);
        let other = store.read(move |tx| incidents::missed(tx, &stranger, after(2_060))).unwrap().unwrap();
        assert!(other.devices.is_empty() && other.calls.is_empty() && other.late.is_empty());
    });
}

#[test]
fn a_restart_or_a_second_server_is_no_outage() {
    on_both(|store| {
        let one = store.write(|tx| incidents::begin_window(tx, after(0))).unwrap();
        let two = store.write(|tx| incidents::begin_window(tx, after(500))).unwrap();
        store.write(move |tx| incidents::beat(tx, one, after(600))).unwrap();
        store.write(move |tx| incidents::beat(tx, two, after(5_000))).unwrap();
        store.write(|tx| incidents::begin_window(tx, after(5_009))).unwrap();
        // A clock that was set back takes nothing away from what was noted.
        store.write(move |tx| incidents::beat(tx, two, after(100))).unwrap();
        assert_eq!(store.read(|tx| incidents::latest_outage(tx, after(5_010))).unwrap(), None);
    });
}

#[test]
fn answer_times_count_from_the_raw_events_and_leave_tests_out() {
    on_both(|store| {
        let agent = seat(&store, 11, "赵敏", Role::Supervisor);
        let who = person(&store, "王秀英", 2);
        // Twenty red ones: nineteen answered at exactly 15 seconds, one at 61; a test; one that nobody answered.
        for n in 0..22 {
            let begun = after(n * 10);
            let id = open(&store, sos(who, n + 1, &format!("k{n}"), begun), begun).id;
            if n == 21 {
                continue;
            }
            let waited = if n == 19 { 61 } else { 15 };
            let answered = after(n * 10 + waited);
            take(&store, &agent, id, answered);
            if n == 20 {
                let actor = agent.clone();
                store
                    .write(move |tx| {
                        incidents::close(tx, &actor, id, &ending(IncidentOutcome::Test), after(400))
                    })
                    .unwrap();
            }
        }
        // A second press is no second alarm.
        open(&store, sos(who, 1, "again", after(10)), after(10));
        let actor = agent.clone();
        let f = store.read(move |tx| incidents::figures(tx, &actor, after(0).0, after(3_600).0)).unwrap();
        assert_eq!((f.red.count(), f.red.answered(), f.red.within(15), f.left_out), (21, 20, 19, 1));
        assert_eq!(f.red.permille_within(15), Some(904));
        assert_eq!((f.red.percentile(50), f.red.percentile(99)), (Some(15), None));
        let met =
            |standard: Standard| -> Vec<_> { standard.goals().iter().map(|g| f.red.meets(*g)).collect() };
        assert_eq!(met(Standard::Nena), [Some(true), Some(false)]);
        assert_eq!(met(Standard::Government), [Some(false)]);
        assert_eq!(met(Standard::Tsa), [Some(false), Some(false)]);
        assert_eq!((f.hours.len(), f.worst.as_ref().map(|h| h.from)), (1, Some(after(0).0)));
        let actor = agent.clone();
        let early = store.read(move |tx| incidents::figures(tx, &actor, after(0).0, after(10).0)).unwrap();
        assert_eq!(
            (early.red.count(), early.red.answered()),
            (1, 0),
            "not answered before the end of the time"
        );
    });
}

/// What the log says an incident was left as.
fn troubles(store: &Store) -> Vec<String> {
    store
        .read(|tx| {
            let mut left = HashMap::new();
            tx.each(
                "SELECT subject, digest FROM evidence WHERE digest IS NOT NULL ORDER BY seq",
                p![],
                |row| {
                    let digest: Vec<u8> = row.get(1)?;
                    left.insert(row.get::<i64>(0)?, <[u8; 16]>::try_from(digest).unwrap());
                    Ok(())
                },
            )?;
            let (troubles, _) = incidents::verify(tx, |id| left.get(&id).copied())?;
            Ok::<_, Fault>(troubles.iter().map(ToString::to_string).collect())
        })
        .unwrap()
}

#[test]
fn a_changed_row_note_or_history_is_found() {
    const CHANGES: [&str; 6] = [
        "UPDATE incident SET answered_at = answered_at - 1000000 WHERE id = ?1",
        "UPDATE incident SET level = 'P4', level_top = 'P4' WHERE id = ?1",
        "UPDATE incident_fact SET text = '老人说没事' WHERE incident = ?1 AND kind = 'noted'",
        "DELETE FROM incident_fact WHERE incident = ?1 AND kind = 'noted'",
        "UPDATE incident_fact SET by_account = 99 WHERE incident = ?1 AND kind = 'acknowledged'",
        "UPDATE incident SET owner = 99 WHERE id = ?1",
    ];
    on_both(|store| {
        let agent = seat(&store, 11, "赵敏", Role::Agent);
        for (n, change) in CHANGES.into_iter().enumerate() {
            let id = if n == 0 {
                press(&store, after(0))
            } else {
                let who = person(&store, "李大爷", 1);
                open(&store, sos(who, 50 + n as i64, &format!("c{n}"), after(0)), after(0)).id
            };
            take(&store, &agent, id, after(5));
            let actor = agent.clone();
            store.write(move |tx| incidents::note(tx, &actor, id, "老人说胸口痛", after(9))).unwrap();
            tick(&store, after(9));
            let before = troubles(&store).len();
            assert_eq!(before, n, "{change}");
            store.write(move |tx| tx.execute_one(change, p![id])).unwrap();
            assert_eq!(troubles(&store).len(), n + 1, "{change}");
        }
    });
}
