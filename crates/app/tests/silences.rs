//! Who is watched, whose silence is found, what follows from it, and what ends it: on both databases.

mod town;

use app::{
    orders::calls,
    p,
    signals::{
        duties, feeds, incidents,
        sightings::{self, Sighting},
        silences::{self, Filter, Line, Page},
    },
    store::{Fault, Store},
};
use city::testing::on_both;
use domain::{
    access::Role,
    ids::{AccountId, OrderId, PersonId},
    orders::{CheckIn, CheckOut, Fix, Method},
    parties::Hardship,
    programmes::Asset,
    signals::{
        incident::{IncidentKind, Level},
        sighting::SightingKind,
        silence::{RiskGrade, Terms, Told},
    },
    time::{At, Now},
};
use town::{ALL_SKILLS, at, carer, person, provider, right, somebody, worker};

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// Somebody of the village; `more` sets what decides whether they are watched.
fn elder(
    store: &Store,
    name: &'static str,
    birth: &'static str,
    living: &'static str,
    hardships: i64,
) -> PersonId {
    let id = person(store, name, 2);
    store
        .write(move |tx| {
            tx.execute_one(
                "UPDATE person SET birth = ?2, living = ?3, hardships = ?4 WHERE id = ?1",
                p![id, birth, living, hardships],
            )
        })
        .unwrap();
    id
}

/// Eighty-six and alone: high risk, 24 hours.
fn alone(store: &Store, name: &'static str) -> PersonId {
    elder(store, name, "1940-05-01", "alone", 0)
}

fn list(store: &Store, minutes: i64) {
    silences::refresh(store, true, at(minutes)).unwrap();
}

fn see(store: &Store, person: PersonId, minutes: i64, told: i64) {
    let one = Sighting { person, at: at(minutes).0, kind: SightingKind::Meter, source: "水表".into() };
    store.write(move |tx| sightings::see(tx, std::slice::from_ref(&one), at(told))).unwrap();
}

fn sweep(store: &Store, minutes: i64) -> (usize, usize) {
    let (mut opened, mut closed) = (0, 0);
    loop {
        let swept = store.write(move |tx| silences::tick(tx, at(minutes))).unwrap();
        opened += swept.opened;
        closed += swept.closed;
        if swept.read < 500 {
            return (opened, closed);
        }
    }
}

fn lines(store: &Store) -> Vec<Line> {
    let agent = somebody(Role::Agent, 1);
    let page = Page { offset: 0, limit: 500 };
    store.read(move |tx| silences::silences(tx, &agent, &Filter::default(), page)).unwrap()
}

fn silent(store: &Store) -> Vec<PersonId> {
    lines(store).into_iter().map(|l| l.person).collect()
}

fn open_incidents(store: &Store) -> Vec<(IncidentKind, Level)> {
    let agent = somebody(Role::Agent, 1);
    let all = store.read(move |tx| incidents::desk(tx, &agent, 100)).unwrap();
    all.into_iter().map(|l| (l.incident.kind, l.incident.level)).collect()
}

#[test]
fn the_list_follows_the_register() {
    on_both(|store| {
        let high = alone(&store, "王秀英");
        let key = elder(&store, "张德福", "1955-01-01", "with_spouse", Hardship::SevereDisability.bit());
        let nobody = elder(&store, "李春兰", "1950-01-01", "with_children", 0);
        list(&store, 0);
        let clerk = somebody(Role::StreetOfficer, 1);
        let watched = |person: PersonId| {
            let clerk = clerk.clone();
            let standing = store.read(move |tx| silences::standing(tx, &clerk, person, at(0))).unwrap();
            standing.watched.map(|(grade, why, _)| (grade, why))
        };
        assert_eq!(watched(high), Some((RiskGrade::High, "80 岁及以上独居".into())));
        assert_eq!(watched(key), Some((RiskGrade::Key, "重残".into())));
        assert_eq!(watched(nobody), None);
        // A change of the register is followed at once, and a silence that was open ends with it.
        sweep(&store, 3 * DAY);
        assert_eq!(silent(&store), [high, key]);
        store
            .write(move |tx| {
                tx.execute_one("UPDATE person SET state = 'deceased' WHERE id = ?1", p![high])?;
                silences::renew(tx, &[high], at(3 * DAY))
            })
            .unwrap();
        assert_eq!((watched(high), silent(&store)), (None, vec![key]));
        // The whole comparison finds the same; a second one finds nothing.
        assert_eq!(silences::refresh(&store, true, at(3 * DAY)).unwrap(), 0);
        // Turning eighty is nobody's doing: only the daily comparison sees it.
        let younger = elder(&store, "赵玉兰", "1946-11-30", "alone", 0);
        list(&store, 3 * DAY);
        assert_eq!(watched(younger), Some((RiskGrade::General, "独居".into())));
        list(&store, 10 * DAY);
        assert_eq!(watched(younger), Some((RiskGrade::High, "80 岁及以上独居".into())));
    });
}

#[test]
fn one_silence_is_one_incident_and_one_knock_however_often_one_looks() {
    on_both(|store| {
        let p = alone(&store, "王秀英");
        list(&store, 0);
        see(&store, p, HOUR, HOUR);
        assert_eq!(sweep(&store, 25 * HOUR), (0, 0), "exactly 24 hours is not more");
        assert_eq!(sweep(&store, 25 * HOUR + 1), (1, 0));
        for minutes in [25 * HOUR + 1, 25 * HOUR + 2, 30 * HOUR] {
            assert_eq!(sweep(&store, minutes), (0, 0));
        }
        assert_eq!(open_incidents(&store), [(IncidentKind::Silence, Level::P2)]);
        let line = &lines(&store)[0];
        assert_eq!(
            (line.person, line.name.as_str(), line.from, line.due),
            (p, "王**", at(HOUR).0, at(25 * HOUR).0)
        );
        assert!(line.incident.is_some() && line.duty.is_some() && line.order.is_none());
        // Somebody was seen: the silence ends, the knock with it, and the incident is told of it but left to people.
        see(&store, p, 30 * HOUR + 5, 30 * HOUR + 6);
        assert_eq!(sweep(&store, 30 * HOUR + 7), (0, 1));
        assert_eq!(silent(&store), []);
        assert_eq!(open_incidents(&store).len(), 1);
        let (agent, incident) = (somebody(Role::Agent, 1), line.incident.unwrap());
        let sheet = store.read(move |tx| incidents::incident(tx, &agent, incident)).unwrap();
        assert!(sheet.facts.iter().any(|f| f.text.contains("水电燃气有用量")), "{:?}", sheet.facts);
        let agent = somebody(Role::Agent, 1);
        let knocks =
            duties::Filter { kind: Some(domain::signals::rounds::DutyKind::Knock), ..Default::default() };
        assert_eq!(store.read(move |tx| duties::count(tx, &agent, &knocks)).unwrap(), 0);
        // The next silence is another one.
        assert_eq!(sweep(&store, 60 * HOUR), (1, 0));
        assert_eq!(open_incidents(&store).len(), 2);
    });
}

#[test]
fn two_servers_side_by_side_open_one() {
    on_both(|store| {
        for _ in 0..12 {
            alone(&store, "王秀英");
        }
        list(&store, 0);
        let swept: Vec<usize> = std::thread::scope(|scope| {
            let sweeps: Vec<_> = (0..4).map(|_| scope.spawn(|| sweep(&store, 2 * DAY).0)).collect();
            sweeps.into_iter().map(|s| s.join().unwrap()).collect()
        });
        assert_eq!(swept.iter().sum::<usize>(), 12, "{swept:?}");
        assert_eq!((silent(&store).len(), open_incidents(&store).len()), (12, 12));
    });
}

#[test]
fn a_knock_that_programmes_pay_is_an_order_to_the_nearest_carer() {
    on_both(|store| {
        town::town(&store);
        let p = alone(&store, "王秀英");
        right(&store, p, "KF-JJZH", Asset::Minutes, 1_800);
        let of = provider(&store, "康乐");
        let skills: &[(&str, &str)] = &[("visitor_induction", "2028-12-31"), ("induction", "2028-12-31")];
        let goes = carer(&store, of, "张丽", 2, skills);
        carer(&store, of, "刘强", 1, &ALL_SKILLS[..1]);
        list(&store, 0);
        assert_eq!(sweep(&store, 25 * HOUR), (1, 0));
        let line = &lines(&store)[0];
        assert!(line.order.is_some() && line.duty.is_none(), "{line:?}");
        let (agent, order) = (somebody(Role::Dispatcher, 1), line.order.unwrap());
        let order = store.read(move |tx| app::orders::order(tx, &agent, order)).unwrap();
        assert_eq!((order.service.as_str(), order.own.0, order.carer), ("E01", 0, Some(goes)));
        assert!(order.note.contains("王**"), "{}", order.note);
        // Signing in at the door is no trace of life: nobody may open. What is written down on leaving is.
        let (hands, id) = (worker(20, of, goes), order.id);
        town::accept(&store, id, &hands, 25 * HOUR + 5).unwrap();
        let fix = Some(Fix { lon: town::HOME.0, lat: town::HOME.1, accuracy: 10.0 });
        let (came, left) = (25 * HOUR + 45, 25 * HOUR + 65);
        let arrive = CheckIn { method: Method::Gps, fix, device_at: at(came).0 };
        let by = hands.clone();
        store.write(move |tx| app::orders::check_in(tx, &by, id, &arrive, at(came))).unwrap();
        feeds::tick(&store, at(came)).unwrap();
        assert_eq!(clock(&store, p), None);
        let leave =
            CheckOut {
                fix, device_at: at(left).0, tasks: vec!["敲门".into()], note: "见到本人".into()
            };
        store.write(move |tx| app::orders::check_out(tx, &hands, id, &leave, None, at(left))).unwrap();
        feeds::tick(&store, at(left)).unwrap();
        assert_eq!(clock(&store, p), Some((at(left).0, SightingKind::Visit)));
        assert_eq!(sweep(&store, left), (0, 1));
    });
}

#[test]
fn late_reports_move_the_beginning_or_end_the_silence() {
    on_both(|store| {
        let p = alone(&store, "王秀英");
        list(&store, 0);
        assert_eq!(sweep(&store, 30 * HOUR), (1, 0));
        // What lay in a buffer since: she was there after two hours, which is still too long ago.
        see(&store, p, 2 * HOUR, 30 * HOUR);
        assert_eq!(sweep(&store, 31 * HOUR), (0, 0));
        assert_eq!(lines(&store)[0].from, at(2 * HOUR).0);
        // And after twenty: it was no silence at all.
        see(&store, p, 20 * HOUR, 31 * HOUR);
        assert_eq!(sweep(&store, 32 * HOUR), (0, 1));
        assert_eq!(sweep(&store, 44 * HOUR), (0, 0));
        assert_eq!(sweep(&store, 44 * HOUR + 1), (1, 0));
    });
}

fn fact(
    store: &Store,
    person: PersonId,
    kind: &'static str,
    value: &'static str,
    from: &'static str,
    to: Option<&'static str>,
) {
    store
        .write(move |tx| {
            let id = tx.id(at(0));
            tx.execute_one(
                "INSERT INTO person_fact (id, person, kind, value, source, valid_from, valid_to, known_at, by_account)
                VALUES (?1, ?2, ?3, ?4, '家属', ?5, ?6, 0, 1)",
                p![id, person, kind, value, from, to],
            )?;
            silences::renew(tx, &[person], at(0))
        })
        .unwrap();
}

#[test]
fn who_is_known_to_be_away_is_not_missed_but_is_when_it_is_over() {
    on_both(|store| {
        let (away, ill) = (alone(&store, "王秀英"), alone(&store, "张德福"));
        list(&store, 0);
        // The town's clock begins on Saturday the 21st at nine.
        fact(&store, away, "away", "children", "2026-11-21", Some("2026-11-25"));
        fact(&store, ill, "state", "hospital", "2026-11-22", None);
        assert_eq!(sweep(&store, 3 * DAY), (0, 0));
        let clerk = somebody(Role::StreetOfficer, 1);
        let standing = store.read(move |tx| silences::standing(tx, &clerk, away, at(3 * DAY))).unwrap();
        let until = At::parse("2026-11-25T00:00").unwrap();
        assert_eq!(standing.told, Some(Told::Paused { why: "在子女家", until }));
        // Back since Wednesday midnight, unseen until Thursday midnight.
        assert_eq!(sweep(&store, 4 * DAY + 15 * HOUR), (0, 0));
        assert_eq!(sweep(&store, 4 * DAY + 15 * HOUR + 1), (1, 0));
        assert_eq!(silent(&store), [away]);
        // It turns out she stayed on: the clock stands still again, and the silence ends.
        store
            .write(move |tx| {
                tx.execute_one("UPDATE person_fact SET valid_to = '2026-11-29' WHERE person = ?1", p![away])?;
                silences::renew(tx, &[away], at(4 * DAY + 16 * HOUR))
            })
            .unwrap();
        assert_eq!(sweep(&store, 4 * DAY + 16 * HOUR), (0, 1));
        // Nobody entered when the hospital let the other one go.
        assert_eq!(sweep(&store, 15 * DAY), (1, 0));
        assert_eq!(silent(&store), [away]);
        assert_eq!(sweep(&store, 17 * DAY), (1, 0));
        assert_eq!(silent(&store).len(), 2);
    });
}

#[test]
fn a_fifth_of_a_county_silent_at_once_is_one_thing() {
    on_both(|store| {
        let all: Vec<PersonId> = (0..60).map(|_| alone(&store, "王秀英")).collect();
        list(&store, 0);
        for person in &all[30..] {
            see(&store, *person, 20 * HOUR, 20 * HOUR);
        }
        assert_eq!(sweep(&store, 25 * HOUR), (30, 0));
        assert_eq!(open_incidents(&store), [(IncidentKind::Area, Level::P2)]);
        assert_eq!(silent(&store).len(), 30, "each of them is on the list all the same");
    });
}

#[test]
fn what_the_city_decides_holds_at_once() {
    on_both(|store| {
        let p = alone(&store, "王秀英");
        list(&store, 0);
        assert_eq!(sweep(&store, 13 * HOUR), (0, 0));
        let mut terms = Terms::default();
        terms.high.unseen_hours = 12;
        store.write(move |tx| silences::set_terms(tx, &terms)).unwrap();
        assert_eq!((sweep(&store, 13 * HOUR), silent(&store)), ((1, 0), vec![p]));
    });
}

#[test]
fn lists_show_what_the_post_may_see() {
    on_both(|store| {
        alone(&store, "王秀英");
        list(&store, 0);
        sweep(&store, 2 * DAY);
        let page = Page { offset: 0, limit: 10 };
        let elsewhere = domain::access::Actor {
            range: town::region(town::ELSEWHERE).range(),
            ..somebody(Role::Agent, 1)
        };
        let of = |actor: domain::access::Actor, filter: Filter| {
            store.read(move |tx| silences::silences(tx, &actor, &filter, page))
        };
        assert_eq!(of(elsewhere, Filter::default()).unwrap(), []);
        assert!(of(somebody(Role::Finance, 1), Filter::default()).is_err());
        let mine = Filter { charge: Some(AccountId(9)), ..Filter::default() };
        assert_eq!(of(somebody(Role::Agent, 1), mine).unwrap(), []);
        let general = Filter { grade: Some(RiskGrade::General), ..Filter::default() };
        assert_eq!(of(somebody(Role::Agent, 1), general).unwrap(), []);
    });
}

fn clock(store: &Store, person: PersonId) -> Option<(At, SightingKind)> {
    store.read(move |tx| sightings::last(tx, person)).unwrap().map(|s| (s.at, s.kind))
}

#[test]
fn visits_confirmations_and_talks_set_the_clock_within_one_reading() {
    on_both(|store| {
        town::town(&store);
        let p = alone(&store, "王秀英");
        let of = provider(&store, "康乐");
        let goes = carer(&store, of, "张丽", 2, ALL_SKILLS);
        let order: OrderId = town::place(&store, &town::wish(p, "B01", 60, Some(60)));
        town::assign(&store, order, goes, None, 1).unwrap();
        let hands = worker(20, of, goes);
        town::accept(&store, order, &hands, 2).unwrap();
        feeds::tick(&store, at(3)).unwrap();
        assert_eq!(clock(&store, p), None, "an order is no trace of life");
        town::visit(&store, order, &hands, 60, 120);
        let fed = feeds::tick(&store, at(121)).unwrap();
        assert_eq!(fed.sightings, 2);
        assert_eq!(clock(&store, p), Some((at(120).0, SightingKind::Visit)));
        // Reading again, or reading what was read, changes nothing.
        assert_eq!(feeds::tick(&store, at(122)).unwrap(), feeds::Fed::default());
        store.write(|tx| app::evidence::set_cursor(tx, "sightings", 0)).unwrap();
        assert_eq!(feeds::tick(&store, at(123)).unwrap().sightings, 2);
        assert_eq!(clock(&store, p), Some((at(120).0, SightingKind::Visit)));
        // A call-back that reached the family is no word of the elder.
        town::confirm(&store, order, true, 130);
        assert_eq!(feeds::tick(&store, at(131)).unwrap().sightings, 0);
    });
}

#[test]
fn only_a_talk_with_the_elder_counts() {
    on_both(|store| {
        let (own, other) = (alone(&store, "王秀英"), alone(&store, "张德福"));
        let number = "13800138000";
        store
            .write(move |tx| {
                let index = tx.vault().index("phone", number);
                tx.execute_one("UPDATE person SET phone_index = ?2 WHERE id = ?1", p![own, index])
            })
            .unwrap();
        let talk =
            |id: &'static str, number: &'static str, person: PersonId, answered: bool, minutes: i64| {
                let (system, agent) = (somebody(Role::System, 1), somebody(Role::Agent, 2));
                let new = calls::NewCall {
                    external_id: id.into(),
                    line: "12349".into(),
                    number: number.into(),
                    rang_at: at(minutes).0,
                    region: town::region(town::COUNTY),
                };
                store
                    .write(move |tx| {
                        let no = |n: app::outcome::No<calls::CallRefusal>| Fault::other(format!("{n:?}"));
                        let call = calls::report(tx, &system, &new, at(minutes)).map_err(no)?;
                        calls::identify(tx, &agent, call, person, at(minutes)).map_err(no)?;
                        let outcome =
                            if answered { calls::Outcome::Answered } else { calls::Outcome::HungUp };
                        if answered {
                            calls::answer(tx, &agent, call, at(minutes)).map_err(no)?;
                        }
                        calls::close(tx, &agent, call, outcome, at(minutes + 3)).map_err(no)
                    })
                    .unwrap();
            };
        talk("a", number, own, false, 1);
        talk("b", "13900139000", other, true, 2);
        feeds::tick(&store, at(10)).unwrap();
        assert_eq!(
            (clock(&store, own), clock(&store, other)),
            (None, None),
            "rang off; somebody else's number"
        );
        talk("c", number, own, true, 20);
        feeds::tick(&store, at(30)).unwrap();
        assert_eq!(clock(&store, own), Some((at(20).0, SightingKind::Call)));
    });
}

/// A number that follows from the one before, for histories that can be told again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % sides as u64) as i64
    }
}

/// What happened to one person, as somebody who saw everything would tell it.
struct Life {
    person: PersonId,
    needs_watching: bool,
    /// Minute seen, minute reported.
    seen: Vec<(i64, i64)>,
    /// Days away: first, and the day back.
    away: Option<(i64, i64)>,
}

/// Whether nobody saw the person for more than two days, at a minute. Told from the life alone.
fn unseen(life: &Life, minute: i64) -> bool {
    // Days begin at midnight; the town's clock at nine in the morning.
    let day = |d: i64| d * DAY - 9 * HOUR;
    if !life.needs_watching {
        return false;
    }
    let mut newest = 0;
    for (seen, reported) in &life.seen {
        if *reported <= minute && seen.min(reported) > &newest {
            newest = *seen.min(reported);
        }
    }
    if let Some((from, back)) = life.away {
        if minute >= day(from) && minute < day(back) {
            return false;
        }
        if minute >= day(back) && day(back) > newest {
            newest = day(back);
        }
    }
    minute - newest > 48 * HOUR
}

fn live(store: &Store, dice: &mut Dice) -> Life {
    let (birth, living, hardships, needs_watching) = match dice.roll(7) {
        0 => ("1938-01-01", "alone", 0, true),
        1 => ("1962-01-01", "alone", 0, true),
        2 => ("1950-01-01", "with_spouse", Hardship::Dementia.bit(), true),
        3 => ("1950-01-01", "with_children", Hardship::LeftBehind.bit(), true),
        4 => ("1935-01-01", "with_children", Hardship::Dibao.bit(), false),
        5 => ("1970-01-01", "alone", Hardship::Alone.bit(), false),
        _ => ("1936-01-01", "in_care_institution", Hardship::Alone.bit(), false),
    };
    let person = elder(store, "王秀英", birth, living, hardships);
    let seen = (0..dice.roll(9)).map(|_| {
        let at = dice.roll(10 * DAY);
        // Late by up to three days, or told by a clock that runs ahead.
        let told = match dice.roll(4) {
            0 => at + dice.roll(3 * DAY),
            1 => at - dice.roll(2 * HOUR),
            _ => at,
        };
        (at, told)
    });
    let seen = seen.collect();
    let away = (dice.roll(4) == 0).then(|| {
        let from = dice.roll(8);
        (from, from + 1 + dice.roll(4))
    });
    Life { person, needs_watching, seen, away }
}

#[test]
fn everybody_unseen_for_two_days_is_on_the_list_and_nobody_else() {
    on_both(|store| {
        let mut terms = Terms::default();
        terms.high.unseen_hours = 48;
        store.write(move |tx| silences::set_terms(tx, &terms)).unwrap();
        let mut dice = Dice(20_261_121);
        let lives: Vec<Life> = (0..120).map(|_| live(&store, &mut dice)).collect();
        list(&store, 0);
        let days: Vec<&'static str> =
            (0..16).map(|d| &*Box::leak(at(d * DAY - 9 * HOUR).day().to_string().into_boxed_str())).collect();
        for life in &lives {
            if let Some((from, back)) = life.away {
                fact(&store, life.person, "away", "travel", days[from as usize], Some(days[back as usize]));
            }
        }
        let mut reports: Vec<(i64, i64, PersonId)> =
            lives.iter().flat_map(|l| l.seen.iter().map(|(seen, told)| (*told, *seen, l.person))).collect();
        reports.sort();
        let (mut next, mut checked, mut found) = (0, 0, 0);
        let mut minute = 0;
        while minute < 14 * DAY {
            minute += 37 + dice.roll(11 * HOUR);
            while next < reports.len() && reports[next].0 <= minute {
                let (told, seen, person) = reports[next];
                see(&store, person, seen, told.max(0));
                next += 1;
            }
            sweep(&store, minute);
            let mut want: Vec<PersonId> =
                lives.iter().filter(|l| unseen(l, minute)).map(|l| l.person).collect();
            want.sort_unstable();
            let mut got = silent(&store);
            got.sort_unstable();
            assert_eq!(got, want, "minute {minute}");
            checked += 1;
            found += got.len();
        }
        assert!(checked > 30 && found > 500, "{checked} moments, {found} silences");
    });
}

#[test]
fn a_beat_in_which_nothing_happens_asks_for_nothing() {
    on_both(|store| {
        alone(&store, "王秀英");
        list(&store, 0);
        let due = |minutes| store.read(move |tx| silences::anything_due(tx, Now(at(minutes).0))).unwrap();
        sweep(&store, 1);
        assert!(!due(1) && !due(24 * HOUR) && due(24 * HOUR + 1));
    });
}
