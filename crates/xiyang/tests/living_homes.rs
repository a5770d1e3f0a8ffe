//! A city that was just made, and one that slept for three days: its devices, the list of those watched and the clocks
//! of everybody say what is true, and nothing rings that has no cause.

#![expect(clippy::unwrap_used, reason = "a test that finds anything unexpected has failed")]

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use app::{
    evidence::{self, SealFile},
    pack::Pack,
    signals::{
        devices::{self as register, Filter},
        duties, incidents, silences,
    },
    store::Store,
};
use city::{
    City, CitySpec,
    devices::{self, SimDevice},
    people::Living,
    seed,
    testing::Bed,
};
use domain::{
    access::{Actor, Role},
    ids::{AccountId, PersonId},
    regions::RegionRange,
    signals::{device::DeviceKind, incident::IncidentKind},
    time::{At, Now},
};

fn overseer() -> Actor {
    let (name, range) = ("检查".to_owned(), RegionRange::ALL);
    Actor { account: AccountId(1), name, role: Role::Supervisor, range, provider: None, carer: None }
}

/// Who is on the list of silences, after every clock that is due was read.
fn silent(store: &Store, now: Now) -> BTreeSet<PersonId> {
    while store.read(move |tx| silences::anything_due(tx, now)).unwrap() {
        store.write(move |tx| silences::tick(tx, now)).unwrap();
    }
    let page = silences::Page { offset: 0, limit: 500 };
    let lines = store.read(move |tx| silences::silences(tx, &overseer(), &silences::Filter::default(), page));
    lines.unwrap().into_iter().map(|line| line.person).collect()
}

/// Devices that should have been heard of, by what they call themselves.
fn overdue(store: &Store, now: Now) -> BTreeSet<String> {
    silences::check_devices(store, now).unwrap();
    let page = silences::Page { offset: 0, limit: 500 };
    let lines = store.read(move |tx| silences::silent_devices(tx, &overseer(), page)).unwrap();
    lines.into_iter().map(|line| line.serial).collect()
}

/// Who lives alone and has nobody, by the truth.
fn lost(store: &Store, city: &City, issued: &[SimDevice], now: Now) -> BTreeSet<PersonId> {
    let since = now.0.plus_minutes(-devices::UNSEEN_HOURS * 60);
    let left = devices::forgotten(city, issued);
    let alone = |d: &&SimDevice| city.person(d.person).living == Living::Alone;
    let all = issued.iter().filter(|d| left.get(&d.person).is_some_and(|left| *left < since)).filter(alone);
    let known = store.read(register::known).unwrap();
    all.map(|d| known.iter().find(|(serial, _)| *serial == d.serial).unwrap().1.person.unwrap()).collect()
}

#[test]
fn homes_are_as_they_are_in_truth() {
    let bed = Bed::sqlite();
    let now = Now(At::parse("2026-11-23T09:00").unwrap());
    let city = Arc::new(City::build(CitySpec::kaifeng(7, 6_000, now.day()), city::REGIONS).unwrap());
    let begun = Instant::now();
    let mut at_home = Instant::now();
    seed::write(&bed.store, &city, &Pack::load("kaifeng").unwrap(), now, &mut |step, done, all| {
        if step.contains("登记设备") {
            if done == 0 {
                at_home = Instant::now();
            }
            if done == all {
                eprintln!("homes took {:?} of {:?}", at_home.elapsed(), begun.elapsed());
            }
        }
    })
    .unwrap();
    let issued = devices::issued(&city);
    let page = register::Page { after: 0, limit: 500 };
    let list =
        bed.store.read(move |tx| register::devices(tx, &overseer(), &Filter::default(), page, now)).unwrap();
    assert_eq!(list.len(), issued.len() + devices::gateways(&issued).len());
    assert!(list.iter().all(|d| d.battery.is_some() && d.last_seen_at.is_some() && !d.vendor.is_empty()));
    let spoken_for = list.iter().filter(|d| d.gateway.is_some()).count();
    assert!(spoken_for > 10 && list.iter().any(|d| d.kind == DeviceKind::Unit), "{spoken_for}");

    let wanted = lost(&bed.store, &city, &issued, now);
    assert!(wanted.len() >= 2, "the personas' village has two: {wanted:?}");
    assert_eq!(silent(&bed.store, now), wanted);
    let dead = |now: Now| -> BTreeSet<String> {
        let heard = |d: &&SimDevice| {
            d.dies.is_some_and(|dies| {
                dies.plus_minutes(-d.kind.beat_minutes()).plus_seconds(d.kind.patience_seconds()) < now.0
            })
        };
        issued.iter().filter(heard).map(|d| d.serial.clone()).collect()
    };
    let found = overdue(&bed.store, now);
    assert!(found.is_subset(&dead(now)) && found.len() + 3 > dead(now).len(), "{found:?} of {:?}", dead(now));

    let filter = duties::Filter { due_before: Some(now.0), ..duties::Filter::default() };
    let late = bed.store.read(move |tx| duties::count(tx, &overseer(), &filter)).unwrap();
    let all = bed.store.read(|tx| duties::count(tx, &overseer(), &duties::Filter::default())).unwrap();
    assert!(all > 200 && late <= wanted.len() as i64 + 5, "{late} of {all} duties are overdue");
    let rung = bed
        .store
        .read(|tx| incidents::incidents(tx, &overseer(), &incidents::Filter::default(), None, 500))
        .unwrap();
    let closed: Vec<_> = rung.iter().filter(|l| l.incident.closed_at.is_some()).collect();
    assert!(closed.len() > 10, "{}", closed.len());
    assert!(closed.iter().all(|l| l.incident.answered_at.is_some() && !l.person_name.is_empty()));
    let open = rung.iter().filter(|l| l.incident.closed_at.is_none());
    let causes = [IncidentKind::Silence, IncidentKind::DeviceFault, IncidentKind::MissedVisit];
    assert!(open.clone().all(|l| causes.contains(&l.incident.kind)), "{:?}", open.collect::<Vec<_>>());

    // Three days later it wakes.
    let later = Now(now.0.plus_minutes(3 * 24 * 60));
    seed::wake(&bed.store, &city, later).unwrap();
    let wanted = lost(&bed.store, &city, &issued, later);
    assert_eq!(silent(&bed.store, later), wanted, "whoever has somebody was seen");
    let found = overdue(&bed.store, later);
    assert!(found.is_subset(&dead(later)) && found.len() + 3 > dead(later).len(), "{found:?}");
    let seals = SealFile::in_folder(bed.folder());
    let (troubles, _) = bed.store.read(move |tx| evidence::verify_chain(tx, &seals, |_| {})).unwrap();
    assert_eq!(troubles, []);
}
