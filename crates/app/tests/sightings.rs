//! The last-contact clock on both databases.

mod town;

use app::{
    outcome::No,
    signals::sightings::{self, Sighting},
    store::Store,
};
use city::testing::on_both;
use domain::{
    access::Role,
    ids::PersonId,
    signals::sighting::SightingKind::{self, Call, Meal, Meter, Visit},
    time::At,
};
use town::{ELSEWHERE, VILLAGE, at, person, person_in, somebody};

fn seen(person: PersonId, minutes: i64, kind: SightingKind) -> Sighting {
    Sighting { person, at: at(minutes).0, kind, source: format!("{} {minutes}", kind.code()) }
}

fn see(store: &Store, all: &[Sighting], now: i64) {
    let all = all.to_vec();
    store.write(move |tx| sightings::see(tx, &all, at(now))).unwrap();
}

fn clock(store: &Store, person: PersonId) -> Option<(At, SightingKind)> {
    store.read(move |tx| sightings::last(tx, person)).unwrap().map(|s| (s.at, s.kind))
}

fn history(store: &Store, person: PersonId) -> Vec<(i64, SightingKind)> {
    let actor = somebody(Role::Agent, 1);
    let all = store.read(move |tx| sightings::of_person(tx, &actor, person, 50)).unwrap();
    all.into_iter().map(|s| (s.at.minutes_since(at(0).0), s.kind)).collect()
}

#[test]
fn the_newest_wins_in_whatever_order_they_come() {
    on_both(|store| {
        let p = person(&store, "王秀英", 2);
        assert_eq!(clock(&store, p), None);
        see(&store, &[seen(p, -60, Visit), seen(p, -300, Meal), seen(p, -61, Call)], 0);
        assert_eq!(clock(&store, p), Some((at(-60).0, Visit)));
        see(&store, &[seen(p, -90, Call)], 5);
        assert_eq!(clock(&store, p), Some((at(-60).0, Visit)), "what comes late does not set it back");
        see(&store, &[seen(p, 3, Meal)], 5);
        assert_eq!(clock(&store, p), Some((at(3).0, Meal)));
        assert_eq!(history(&store, p), [(3, Meal), (-60, Visit), (-61, Call), (-90, Call), (-300, Meal)]);
    });
}

#[test]
fn a_clock_that_runs_ahead_counts_as_now() {
    on_both(|store| {
        let p = person(&store, "王秀英", 2);
        let far = Sighting { at: At::parse("2099-01-01T00:00").unwrap(), ..seen(p, 0, Meter) };
        see(&store, &[far], 10);
        assert_eq!(clock(&store, p), Some((at(10).0, Meter)));
        see(&store, &[seen(p, 20, Visit)], 20);
        assert_eq!(clock(&store, p), Some((at(20).0, Visit)));
    });
}

#[test]
fn a_chatty_meter_leaves_one_line_a_slot_and_the_visit_in_sight() {
    on_both(|store| {
        let p = person(&store, "王秀英", 2);
        let mut all: Vec<Sighting> = (0..1_000).map(|n| seen(p, n % 240, Meter)).collect();
        all.push(seen(p, 1, Visit));
        see(&store, &all, 300);
        see(&store, &all, 300);
        assert_eq!(history(&store, p), [(239, Meter), (1, Visit)]);
        assert_eq!(clock(&store, p), Some((at(239).0, Meter)));
    });
}

#[test]
fn a_thousand_people_go_in_at_once_and_a_name_may_hold_anything() {
    on_both(|store| {
        let all: Vec<Sighting> = (1..=1_200).map(|n| seen(PersonId(n), -n, Meter)).collect();
        see(&store, &all, 0);
        let odd = Sighting { source: "\"引号\\ 'x', ]} \u{1F600}".into(), ..seen(PersonId(7), 0, Call) };
        see(&store, std::slice::from_ref(&odd), 0);
        assert_eq!(clock(&store, PersonId(1_200)), Some((at(-1_200).0, Meter)));
        let last = store.read(|tx| sightings::last(tx, PersonId(7))).unwrap().unwrap();
        assert_eq!(last.source, odd.source);
    });
}

#[test]
fn old_history_goes_and_the_clock_stays() {
    on_both(|store| {
        let p = person(&store, "王秀英", 2);
        let day = 24 * 60;
        see(&store, &[seen(p, -day, Visit)], 0);
        let gone = store.write(|tx| sightings::tidy(tx, at(13 * 24 * 60))).unwrap();
        assert_eq!(gone, 0);
        let gone = store.write(|tx| sightings::tidy(tx, at(15 * 24 * 60))).unwrap();
        assert_eq!((gone, history(&store, p).len()), (1, 0));
        assert_eq!(clock(&store, p), Some((at(-day).0, Visit)));
        // Something very old that is the only thing known still sets the clock.
        let q = person(&store, "张德福", 1);
        see(&store, &[seen(q, -40 * day, Visit)], 0);
        assert_eq!((clock(&store, q), history(&store, q).len()), (Some((at(-40 * day).0, Visit)), 0));
    });
}

#[test]
fn who_lives_elsewhere_does_not_exist() {
    on_both(|store| {
        let (here, there) =
            (person_in(&store, "王秀英", 2, VILLAGE), person_in(&store, "张德福", 1, ELSEWHERE));
        for (person, role) in [(there, Role::Agent), (PersonId(99), Role::Agent)] {
            let actor = somebody(role, 1);
            let no = store.read(move |tx| sightings::of_person(tx, &actor, person, 9)).unwrap_err();
            assert!(matches!(no, No::NotFound), "{no:?}");
        }
        let carer = somebody(Role::Worker, 1);
        let no = store.read(move |tx| sightings::of_person(tx, &carer, here, 9)).unwrap_err();
        assert!(matches!(no, No::Forbidden(_)), "{no:?}");
        store.write(|tx| sightings::see(tx, &[], at(0))).unwrap();
    });
}
