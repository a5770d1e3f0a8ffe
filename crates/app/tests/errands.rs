//! Somebody sent to the door, on both databases: the nearest first, the next when nobody answers, and what they found.

mod town;
mod watch;

use app::{
    outcome::No,
    p,
    signals::incidents::{self, Errand, Pick},
    signals::sightings,
    store::Store,
};
use city::testing::on_both;
use domain::{
    access::{Actor, Role},
    ids::{CarerId, ErrandId, IncidentId, PersonId},
    signals::{
        errand::{ErrandRefusal, ErrandState as State, Finding},
        incident::{IncidentFactKind as Kind, IncidentKind, IncidentOutcome, IncidentRefusal},
        sighting::SightingKind,
    },
    time::Now,
};
use town::{ALL_SKILLS, COUNTY, ELSEWHERE, HOME, VILLAGE, carer, person, provider, region, town, worker};
use watch::{after, ending, open, refusal, seat, seat_in, sheet, sos, take};

/// A town with a community worker, a carer with an account nearby and one without nearer by.
struct Scene {
    store: Store,
    zhao: Actor,
    liu: Actor,
    tian: Actor,
    who: PersonId,
    id: IncidentId,
}

fn post_over(store: &Store, account: i64, place: &'static str) {
    let range = region(place).range();
    store
        .write(move |tx| {
            tx.execute_one(
                "UPDATE post SET region_lo = ?2, region_hi = ?3 WHERE account = ?1",
                p![account, range.lo, range.hi],
            )
        })
        .unwrap();
}

fn place(store: &Store, carer: CarerId, lon: f64, lat: f64) {
    store
        .write(move |tx| {
            tx.execute_one("UPDATE carer SET lon = ?2, lat = ?3 WHERE id = ?1", p![carer, lon, lat])
        })
        .unwrap();
}

fn scene(store: Store) -> Scene {
    town(&store);
    let (zhao, liu) = (
        seat(&store, 11, "赵敏", Role::Agent),
        seat_in(&store, 21, "刘丽娟", Role::CommunityWorker, VILLAGE),
    );
    post_over(&store, 21, VILLAGE);
    let near = provider(&store, "安康居家");
    let (told, rung) =
        (carer(&store, near, "田芳", 2, ALL_SKILLS), carer(&store, near, "何工", 1, ALL_SKILLS));
    // Saturday is a working day of theirs; some 900 and 500 metres off.
    place(&store, told, HOME.0 + 0.0098, HOME.1);
    place(&store, rung, HOME.0 + 0.0055, HOME.1);
    let seated = seat(&store, 31, "田芳", Role::Worker);
    store.write(move |tx| tx.execute_one("UPDATE post SET carer = ?1 WHERE account = 31", p![told])).unwrap();
    let tian = Actor { account: seated.account, name: "田芳".into(), ..worker(31, near, told) };
    let who = person(&store, "王秀英", 2);
    let id = open(&store, sos(who, 1, "first", after(0)), after(0)).id;
    take(&store, &zhao, id, after(5));
    Scene { store, zhao, liu, tian, who, id }
}

type Done<R> = Result<Errand, No<R>>;

impl Scene {
    fn send(&self, pick: Pick, now: Now) -> Done<IncidentRefusal> {
        let (by, id) = (self.zhao.clone(), self.id);
        self.store.write(move |tx| incidents::send(tx, &by, id, &pick, now))
    }

    fn answer(&self, by: &Actor, id: ErrandId, coming: bool, now: Now) -> Done<ErrandRefusal> {
        let by = by.clone();
        self.store.write(move |tx| incidents::answer(tx, &by, id, coming, now))
    }

    fn arrive(&self, by: &Actor, id: ErrandId, now: Now) -> Done<ErrandRefusal> {
        let by = by.clone();
        self.store.write(move |tx| incidents::arrive(tx, &by, id, now.0, now))
    }

    fn report(
        &self,
        by: &Actor,
        id: ErrandId,
        found: (Finding, &'static str),
        now: Now,
    ) -> Done<ErrandRefusal> {
        let by = by.clone();
        self.store.write(move |tx| incidents::report(tx, &by, id, found, now))
    }

    fn all(&self) -> Vec<(String, State)> {
        let (by, id) = (self.zhao.clone(), self.id);
        let all = self.store.read(move |tx| incidents::errands(tx, &by, id)).unwrap();
        all.into_iter().map(|e| (e.name, e.state)).collect()
    }

    fn tick(&self, now: Now) {
        self.store.write(move |tx| incidents::tick(tx, now)).unwrap();
    }

    /// Lines of the history about errands.
    fn told(&self) -> Vec<String> {
        let sheet = sheet(&self.store, &self.zhao, self.id);
        let about = sheet.facts.into_iter().filter(|f| matches!(f.kind, Kind::Sent | Kind::Errand));
        about.map(|f| f.text).collect()
    }
}

fn refused<R: std::fmt::Debug>(done: Done<R>) -> R {
    match done {
        Err(No::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn the_soonest_at_the_door_is_first_with_the_reason() {
    on_both(|store| {
        let s = scene(store);
        let (by, id) = (s.zhao.clone(), s.id);
        let all = s.store.read(move |tx| incidents::helpers(tx, &by, id, after(6))).unwrap();
        let said: Vec<String> = all.iter().map(|h| format!("{} {}", h.name, h.why)).collect();
        assert_eq!(
            said,
            [
                "刘丽娟 负责本村（社区），在线".to_owned(),
                format!("田芳 {}，在线", domain::signals::errand::distance(all[1].metres.unwrap())),
                format!(
                    "何工 {}，没有账号，要打电话",
                    domain::signals::errand::distance(all[2].metres.unwrap())
                ),
            ],
            "the community's own, then who can be told, then who must be rung up though nearer"
        );
        assert!(all[1].metres.unwrap() > all[2].metres.unwrap());
    });
}

#[test]
fn who_is_sent_goes_arrives_and_finds_and_the_clock_of_the_elder_is_set() {
    on_both(|store| {
        let s = scene(store);
        let errand = s.send(Pick::Nearest, after(10)).unwrap();
        assert_eq!((errand.name.as_str(), errand.state), ("刘丽娟", State::Asked));
        assert_eq!(errand.answer_by.seconds_since(errand.sent_at), 60, "a red one has a minute");
        s.answer(&s.liu, errand.id, true, after(20)).unwrap();
        s.answer(&s.liu, errand.id, true, after(21)).unwrap();
        s.arrive(&s.liu, errand.id, after(300)).unwrap();
        s.report(&s.liu, errand.id, (Finding::Helped, "扶到床上，没有外伤"), after(400)).unwrap();
        assert_eq!(
            s.told(),
            [
                "派刘丽娟（410202001001工作人员）上门：负责本村（社区），在线",
                "刘丽娟答应去，在路上",
                "刘丽娟已到门口",
                "刘丽娟：见到老人，已帮助。扶到床上，没有外伤",
            ],
            "saying the same twice is once"
        );
        let who = s.who;
        let seen = s.store.read(move |tx| sightings::last(tx, who)).unwrap().expect("a trace of life");
        assert_eq!((seen.kind, seen.source.as_str()), (SightingKind::Knock, "派人上门 刘丽娟"));
        let again = refused(s.report(&s.liu, errand.id, (Finding::NobodyHome, ""), after(500)));
        assert_eq!(again, ErrandRefusal::WrongState { state: State::Found });
    });
}

#[test]
fn an_arrival_sent_later_counts_for_when_it_was_and_no_clock_is_believed_blindly() {
    // What the telephone says, and what is kept: the same, but not before they said they go and not after now.
    for (said, kept) in [(240, 240), (0, 20), (9_000, 600)] {
        on_both(move |store| {
            let s = scene(store);
            let id = s.send(Pick::Nearest, after(10)).unwrap().id;
            s.answer(&s.liu, id, true, after(20)).unwrap();
            let by = s.liu.clone();
            let there =
                s.store.write(move |tx| incidents::arrive(tx, &by, id, after(said).0, after(600))).unwrap();
            assert_eq!(there.arrived_at, Some(after(kept).0));
            let later = format!("（{}，后来才有网络）", after(kept).0.clock());
            assert_eq!(s.told().pop().unwrap().contains(&later), kept < 600);
        });
    }
}

#[test]
fn nobody_home_sets_no_clock_and_words_are_asked_for() {
    on_both(|store| {
        let s = scene(store);
        let errand = s.send(Pick::Grid, after(10)).unwrap();
        s.arrive(&s.liu, errand.id, after(200)).unwrap();
        for finding in [Finding::NeedsHelp, Finding::Refused, Finding::Helped] {
            let said = refused(s.report(&s.liu, errand.id, (finding, " "), after(210)));
            assert_eq!(said, ErrandRefusal::NoWords { finding });
        }
        s.report(&s.liu, errand.id, (Finding::NobodyHome, ""), after(220)).unwrap();
        let who = s.who;
        assert!(s.store.read(move |tx| sightings::last(tx, who)).unwrap().is_none());
    });
}

#[test]
fn who_does_not_answer_in_a_minute_is_followed_by_the_next_and_at_last_by_the_leader() {
    on_both(|store| {
        let s = scene(store);
        s.send(Pick::Nearest, after(10)).unwrap();
        s.tick(after(69));
        assert_eq!(s.all(), [("刘丽娟".into(), State::Asked)]);
        s.tick(after(70));
        s.tick(after(70));
        assert_eq!(s.all(), [("刘丽娟".into(), State::Lapsed), ("田芳".into(), State::Asked)]);
        let second = s.store.read({
            let tian = s.tian.clone();
            move |tx| incidents::my_errands(tx, &tian)
        });
        let second = second.unwrap().pop().expect("it is in the hands of the next");
        s.answer(&s.tian, second.id, false, after(80)).unwrap();
        let told = s.told();
        assert_eq!(told.last().unwrap(), "能派的人都没有答复或去不了，已上报班长");
        let steps = sheet(&s.store, &s.zhao, s.id).steps;
        assert!(steps.iter().any(|step| step.label == "派人上门没有人能去" && step.done_at.is_some()));
        // Whoever comes to the door in spite of it is listened to.
        let first = s.store.read({
            let (zhao, id) = (s.zhao.clone(), s.id);
            move |tx| incidents::errands(tx, &zhao, id)
        });
        let first = first.unwrap().remove(0).id;
        s.report(&s.liu, first, (Finding::Well, ""), after(900)).unwrap();
    });
}

#[test]
fn one_is_chosen_by_place_kind_or_name_and_not_sent_twice() {
    on_both(|store| {
        let s = scene(store);
        assert_eq!(s.send(Pick::Said("2".into()), after(10)).unwrap().name, "田芳");
        let twice = refused(s.send(Pick::Said("田芳".into()), after(11)));
        assert_eq!(twice, IncidentRefusal::SentAlready { name: "田芳".into() });
        for nobody in ["9", "0", "张三"] {
            let said = refused(s.send(Pick::Said(nobody.into()), after(12)));
            assert_eq!(said, IncidentRefusal::NoSuchHelper { said: nobody.into() });
        }
        assert_eq!(s.send(Pick::Station, after(13)).unwrap().name, "何工");
        assert_eq!(s.send(Pick::Grid, after(14)).unwrap().name, "刘丽娟");
        assert_eq!(refused(s.send(Pick::Nearest, after(15))), IncidentRefusal::NobodyToSend);
    });
}

#[test]
fn an_errand_is_the_business_of_who_was_sent_and_of_the_desk() {
    on_both(|store| {
        let s = scene(store);
        let errand = s.send(Pick::Grid, after(10)).unwrap();
        let stranger = seat_in(&s.store, 41, "孙外", Role::Agent, ELSEWHERE);
        for other in [&s.tian, &stranger, &seat(&s.store, 42, "派单", Role::Dispatcher)] {
            assert!(
                matches!(s.answer(other, errand.id, true, after(11)), Err(No::NotFound)),
                "{}",
                other.name
            );
        }
        // The desk notes what it was told on the telephone, and that it was the desk.
        s.answer(&s.zhao, errand.id, true, after(12)).unwrap();
        assert_eq!(s.told().last().unwrap(), "刘丽娟答应去，在路上（坐席代记）");
        let other = seat(&s.store, 43, "钱宁", Role::Agent);
        let id = s.id;
        let said = refusal(&s.store, move |tx| incidents::send(tx, &other, id, &Pick::Nearest, after(13)));
        assert_eq!(said, IncidentRefusal::NotYours { name: "赵敏".into() });
        let tian = s.tian.clone();
        let carer = s.store.write(move |tx| incidents::send(tx, &tian, id, &Pick::Nearest, after(13)));
        assert!(matches!(carer, Err(No::Forbidden(_))));
    });
}

#[test]
fn the_end_calls_back_who_is_on_the_way_and_what_is_found_later_opens_a_new_one() {
    on_both(|store| {
        let s = scene(store);
        let coming = s.send(Pick::Grid, after(10)).unwrap();
        s.answer(&s.liu, coming.id, true, after(11)).unwrap();
        let (zhao, id) = (s.zhao.clone(), s.id);
        s.store
            .write(move |tx| incidents::close(tx, &zhao, id, &ending(IncidentOutcome::FalsePress), after(60)))
            .unwrap();
        assert_eq!(s.all(), [("刘丽娟".into(), State::Recalled)]);
        s.tick(after(2_000));
        assert_eq!(s.all().len(), 1, "nobody is sent to what is over");
        s.report(&s.liu, coming.id, (Finding::NeedsHelp, "人在门后呼救"), after(2_100)).unwrap();
        let zhao = s.zhao.clone();
        let ringing = s.store.read(move |tx| incidents::desk(tx, &zhao, 10)).unwrap();
        assert_eq!(ringing.len(), 1);
        assert_eq!(ringing[0].incident.kind, IncidentKind::Finding);
        assert!(ringing[0].incident.text.contains("人在门后呼救"));
    });
}

#[test]
fn whoever_is_away_is_stood_in_for() {
    on_both(|store| {
        let s = scene(store);
        seat(&s.store, 22, "周海燕", Role::CommunityWorker);
        post_over(&s.store, 22, COUNTY);
        s.store
            .write(|tx| {
                tx.execute_one(
                    "INSERT INTO duty_leave (id, account, from_day, to_day, cover, why, entered_at, entered_by)
                    VALUES (1, 21, '2026-11-20', '2026-11-22', 22, '', 0, 21)",
                    p![],
                )
            })
            .unwrap();
        let errand = s.send(Pick::Nearest, after(10)).unwrap();
        assert_eq!(errand.name, "周海燕");
        assert_eq!(errand.why, "负责本村（社区），在线，替刘丽娟");
    });
}
