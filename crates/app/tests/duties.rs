//! Duty visits on both databases: who must be seen by when, what a visit leads to, who stands in.

mod town;

use app::{
    outcome::No,
    p,
    signals::{
        duties::{self, CallOut, DutyLine, Filter, Followed, LeaveRefusal, Need, NewVisit, Page, Recorded},
        incidents, sightings, silences,
    },
    store::Store,
};
use city::testing::on_both;
use domain::{
    access::{Actor, Role},
    ids::{AccountId, PersonId, VisitDutyId},
    money::Minutes,
    parties::Hardship,
    programmes::Asset,
    signals::{
        incident::{IncidentKind, Level},
        rounds::{Answer, DutyKind, Mark, Met, Report, Step, VisitRefusal, Way},
        sighting::SightingKind,
        silence::RiskGrade,
    },
    time::{At, Month},
};
use jiff::civil::date;
use town::{VILLAGE, at, person, region, somebody};

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

fn elder(store: &Store, name: &'static str, hardships: i64) -> PersonId {
    let id = person(store, name, 2);
    store
        .write(move |tx| {
            let sql =
                "UPDATE person SET living = 'alone', birth = '1950-05-01', hardships = ?2 WHERE id = ?1";
            tx.execute_one(sql, p![id, hardships])
        })
        .unwrap();
    id
}

fn high(store: &Store, name: &'static str) -> PersonId {
    elder(store, name, Hardship::Dementia.bit())
}

fn list(store: &Store, minutes: i64) {
    silences::refresh(store, true, at(minutes)).unwrap();
}

/// A community worker of the village who can sign in.
fn neighbour(store: &Store, account: i64, name: &'static str, place: &'static str) -> Actor {
    let range = region(place).range();
    store
        .write(move |tx| {
            tx.execute_one(
                "INSERT INTO account (id, username, name, created_at) VALUES (?1, ?2, ?3, 0)",
                p![account, format!("u{account}"), name],
            )?;
            tx.execute_one(
                "INSERT INTO post (id, account, role, region_lo, region_hi, granted_at, granted_by)
                VALUES (?1, ?1, 'community_worker', ?2, ?3, 0, 1)",
                p![account, range.lo, range.hi],
            )
        })
        .unwrap();
    Actor { range, name: name.into(), ..somebody(Role::CommunityWorker, account) }
}

fn lines(store: &Store, filter: Filter, minutes: i64) -> Vec<DutyLine> {
    let (agent, page) = (somebody(Role::Agent, 1), Page { offset: 0, limit: 100 });
    store.read(move |tx| duties::duties(tx, &agent, &filter, page, at(minutes))).unwrap()
}

fn duty(store: &Store, person: PersonId, kind: DutyKind) -> DutyLine {
    let filter = Filter { person: Some(person), kind: Some(kind), ..Filter::default() };
    lines(store, filter, 0).pop().expect("a duty")
}

fn well(minutes: i64) -> NewVisit {
    let report = Report {
        at: at(minutes).0,
        way: Way::Door,
        met: Met::Met,
        points: [Mark::Fine; 8],
        answers: vec![Answer::Well],
        note: String::new(),
    };
    NewVisit { report, photo: None, needs: Vec::new() }
}

fn nobody_there(minutes: i64, way: Way) -> NewVisit {
    let mut new = well(minutes);
    new.report.way = way;
    new.report.met = Met::NotHome;
    new.report.answers.clear();
    new.report.points = [Mark::Unseen; 8];
    new
}

fn record(
    store: &Store,
    by: &Actor,
    id: VisitDutyId,
    new: &NewVisit,
    minutes: i64,
) -> Result<Recorded, No<VisitRefusal>> {
    let (by, new) = (by.clone(), new.clone());
    store.write(move |tx| duties::record(tx, &by, id, &new, at(minutes)))
}

fn refused<T: std::fmt::Debug, R: std::fmt::Debug>(answer: Result<T, No<R>>) -> R {
    match answer {
        Err(No::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn tick(store: &Store, minutes: i64) -> usize {
    store.write(move |tx| duties::tick(tx, at(minutes))).unwrap().alarmed
}

fn open_incidents(store: &Store) -> Vec<(IncidentKind, Level)> {
    let agent = somebody(Role::Agent, 1);
    let all = store.read(move |tx| incidents::desk(tx, &agent, 100)).unwrap();
    let mut all: Vec<_> = all.into_iter().map(|l| (l.incident.kind, l.incident.level)).collect();
    all.sort();
    all
}

#[test]
fn who_comes_on_the_list_gets_the_duties_of_the_grade() {
    on_both(|store| {
        let (weekly, monthly) =
            (high(&store, "王秀英"), elder(&store, "张德福", Hardship::SevereDisability.bit()));
        let quarterly = elder(&store, "李春兰", 0);
        list(&store, 0);
        let due = |person, kind| {
            let filter = Filter { person: Some(person), kind: Some(kind), ..Filter::default() };
            lines(&store, filter, 0).pop().map(|d| d.due.minutes_since(at(0).0) / DAY)
        };
        assert_eq!((due(weekly, DutyKind::Round), due(weekly, DutyKind::Phone)), (Some(7), None));
        assert_eq!((due(monthly, DutyKind::Round), due(monthly, DutyKind::Phone)), (Some(7), Some(7)));
        assert_eq!((due(quarterly, DutyKind::Round), due(quarterly, DutyKind::Phone)), (Some(7), Some(7)));
        // Comparing again makes none twice; leaving the list ends them, coming back gives new ones.
        list(&store, DAY);
        assert_eq!(lines(&store, Filter::default(), 0).len(), 5);
        store
            .write(move |tx| {
                tx.execute_one("UPDATE person SET state = 'moved' WHERE id = ?1", p![weekly])?;
                silences::renew(tx, &[weekly], at(2 * DAY))
            })
            .unwrap();
        assert_eq!(due(weekly, DutyKind::Round), None);
        store
            .write(move |tx| {
                tx.execute_one("UPDATE person SET state = 'active' WHERE id = ?1", p![weekly])?;
                silences::renew(tx, &[weekly], at(10 * DAY))
            })
            .unwrap();
        assert_eq!(due(weekly, DutyKind::Round), Some(17));
    });
}

#[test]
fn a_visit_sets_the_clock_and_every_duty_it_fulfils() {
    on_both(|store| {
        let by = neighbour(&store, 50, "张丽", VILLAGE);
        let p = elder(&store, "王秀英", Hardship::SevereDisability.bit());
        list(&store, 0);
        let (round, phone) = (duty(&store, p, DutyKind::Round), duty(&store, p, DutyKind::Phone));
        let done = record(&store, &by, round.id, &well(2 * HOUR), 3 * HOUR).unwrap();
        assert!(done.success && done.followed.is_empty());
        assert_eq!(done.next_due, Some(at(2 * HOUR + 30 * DAY).0));
        assert_eq!(
            duty(&store, p, DutyKind::Phone).due,
            at(2 * HOUR + 7 * DAY).0,
            "she was spoken to as well"
        );
        let last = store.read(move |tx| sightings::last(tx, p)).unwrap().unwrap();
        assert_eq!(
            (last.at, last.kind, last.source.as_str()),
            (at(2 * HOUR).0, SightingKind::Knock, "定期巡访 张丽")
        );
        // A call is a contact and fulfils the call, but no visit at the door.
        let mut call = well(DAY);
        call.report.way = Way::Phone;
        assert!(record(&store, &by, phone.id, &call, DAY).unwrap().success);
        assert_eq!(duty(&store, p, DutyKind::Phone).due, at(8 * DAY).0);
        assert_eq!(duty(&store, p, DutyKind::Round).due, at(2 * HOUR + 30 * DAY).0);
        // What is recorded late sets nothing back.
        record(&store, &by, phone.id, &Report { at: at(HOUR).0, ..call.report.clone() }.into_visit(), DAY)
            .unwrap();
        assert_eq!(duty(&store, p, DutyKind::Phone).due, at(8 * DAY).0);
        let tried = store.read(move |tx| duties::tries(tx, &by, p, 10)).unwrap();
        assert_eq!((tried.len(), tried[0].by_name.as_str(), tried[2].way), (3, "张丽", Way::Phone));
    });
}

trait IntoVisit {
    fn into_visit(self) -> NewVisit;
}

impl IntoVisit for Report {
    fn into_visit(self) -> NewVisit {
        NewVisit { report: self, photo: None, needs: Vec::new() }
    }
}

#[test]
fn not_at_home_is_tried_again_then_contacts_then_an_incident_that_grows() {
    on_both(|store| {
        let by = neighbour(&store, 50, "张丽", VILLAGE);
        let p = elder(&store, "王秀英", Hardship::SevereDisability.bit());
        list(&store, 0);
        let id = duty(&store, p, DutyKind::Round).id;
        let no = record(&store, &by, id, &nobody_there(HOUR, Way::Door), HOUR).unwrap();
        assert!(!no.success);
        assert_eq!(store.read(move |tx| sightings::last(tx, p)).unwrap(), None);
        assert_eq!(duty(&store, p, DutyKind::Round).next.step, Step::SecondTry);
        assert_eq!(tick(&store, 25 * HOUR), 0);
        record(&store, &by, id, &nobody_there(20 * HOUR, Way::Door), 20 * HOUR).unwrap();
        assert_eq!(duty(&store, p, DutyKind::Round).next.step, Step::Contacts);
        assert_eq!(open_incidents(&store), []);
        record(&store, &by, id, &nobody_there(21 * HOUR, Way::Contacts), 21 * HOUR).unwrap();
        assert_eq!(open_incidents(&store), [(IncidentKind::MissedVisit, Level::P3)]);
        assert_eq!((tick(&store, 22 * HOUR), tick(&store, 49 * HOUR)), (0, 0));
        assert_eq!((tick(&store, 49 * HOUR + 1), tick(&store, 50 * HOUR)), (1, 0));
        let grown = [(IncidentKind::MissedVisit, Level::P2), (IncidentKind::MissedVisit, Level::P3)];
        assert_eq!(open_incidents(&store), grown);
        // Found at last: the duty begins anew and alarms no more.
        record(&store, &by, id, &well(51 * HOUR), 51 * HOUR).unwrap();
        let now = duty(&store, p, DutyKind::Round);
        assert_eq!((now.missed, now.next.step, now.due), (0, Step::Visit, at(51 * HOUR + 30 * DAY).0));
        assert_eq!(tick(&store, 60 * HOUR), 0);
    });
}

#[test]
fn a_try_nobody_followed_up_alarms_by_itself() {
    on_both(|store| {
        let by = neighbour(&store, 50, "张丽", VILLAGE);
        let p = elder(&store, "王秀英", Hardship::SevereDisability.bit());
        list(&store, 0);
        let id = duty(&store, p, DutyKind::Round).id;
        record(&store, &by, id, &nobody_there(HOUR, Way::Door), HOUR).unwrap();
        assert_eq!((tick(&store, 25 * HOUR + 1), tick(&store, 27 * HOUR)), (0, 0));
        assert_eq!(tick(&store, 27 * HOUR + 1), 1);
        // A contact who vouches calms it until tomorrow, but is no visit.
        let mut vouched = nobody_there(28 * HOUR, Way::Contacts);
        vouched.report.met = Met::Vouched;
        assert!(!record(&store, &by, id, &vouched, 28 * HOUR).unwrap().success);
        let now = duty(&store, p, DutyKind::Round);
        assert_eq!((now.missed, now.due), (0, at(52 * HOUR).0));
        assert_eq!(store.read(move |tx| sightings::last(tx, p)).unwrap(), None);
    });
}

#[test]
fn a_due_visit_nobody_made_is_an_incident_only_at_high_risk_and_at_home() {
    on_both(|store| {
        let (weekly, away) = (high(&store, "王秀英"), high(&store, "张德福"));
        elder(&store, "李春兰", 0);
        list(&store, 0);
        store
            .write(move |tx| {
                tx.execute_one(
                    "INSERT INTO person_fact (id, person, kind, value, source, valid_from, valid_to, known_at,
                        by_account)
                    VALUES (77, ?1, 'away', 'children', '家属', '2026-11-22', '2026-12-02', 0, 1)",
                    p![away],
                )
            })
            .unwrap();
        assert_eq!(tick(&store, 7 * DAY), 0);
        assert_eq!((tick(&store, 7 * DAY + 1), tick(&store, 7 * DAY + 2)), (1, 0));
        assert_eq!(open_incidents(&store), [(IncidentKind::MissedVisit, Level::P3)]);
        assert!(duty(&store, weekly, DutyKind::Round).incident.is_some());
        let overdue = Filter { due_before: Some(at(8 * DAY).0), ..Filter::default() };
        assert_eq!(lines(&store, overdue, 8 * DAY).len(), 4, "the list of the overdue shows them all");
        assert_eq!(tick(&store, 11 * DAY), 1, "back home, and still nobody came");
    });
}

#[test]
fn what_a_visit_finds_becomes_an_order_or_an_incident_at_once() {
    on_both(|store| {
        town::town(&store);
        let by = neighbour(&store, 50, "张丽", VILLAGE);
        let p = high(&store, "王秀英");
        town::right(&store, p, "KF-JJZH", Asset::Minutes, 1_800);
        list(&store, 0);
        let id = duty(&store, p, DutyKind::Round).id;
        let need = Need {
            service: "B01".into(),
            start: at(2 * DAY).0,
            minutes: Some(Minutes(60)),
            own_share_agreed: false,
            note: String::new(),
        };
        let mut found = well(HOUR);
        found.report.answers = vec![Answer::Service, Answer::Hazard];
        found.report.note = "灶台软管老化".into();
        found.needs = vec![need.clone()];
        let done = record(&store, &by, id, &found, HOUR).unwrap();
        let [Followed::Order(order), Followed::Incident(incident)] = done.followed[..] else {
            panic!("{:?}", done.followed)
        };
        let agent = somebody(Role::Agent, 1);
        let order = store.read(move |tx| app::orders::order(tx, &agent, order)).unwrap();
        assert_eq!((order.person, order.service.as_str(), order.placed_by), (p, "B01", AccountId(50)));
        let agent = somebody(Role::Agent, 1);
        let sheet = store.read(move |tx| incidents::incident(tx, &agent, incident)).unwrap();
        assert_eq!((sheet.line.incident.kind, sheet.line.incident.level), (IncidentKind::Finding, Level::P3));
        assert!(sheet.line.incident.text.contains("灶台软管老化"));
        // An urgent one is red.
        let mut urgent = well(2 * HOUR);
        urgent.report.points[0] = Mark::Urgent;
        urgent.report.answers = vec![Answer::Urgent];
        urgent.report.note = "胸闷出汗".into();
        record(&store, &by, id, &urgent, 2 * HOUR).unwrap();
        assert_eq!(open_incidents(&store)[0], (IncidentKind::Finding, Level::P1));
        // A need nobody can order keeps the whole visit from being recorded half.
        let mut cannot = found.clone();
        cannot.report.at = at(3 * HOUR).0;
        cannot.needs = vec![Need { service: "Z99".into(), ..need }];
        assert!(matches!(refused(record(&store, &by, id, &cannot, 3 * HOUR)), VisitRefusal::Order(_)));
        let tried = store.read(move |tx| duties::tries(tx, &by, p, 10)).unwrap();
        assert_eq!(tried.len(), 2);
    });
}

#[test]
fn a_picture_proves_one_visit_and_must_be_one() {
    on_both(|store| {
        let by = neighbour(&store, 50, "张丽", VILLAGE);
        let p = high(&store, "王秀英");
        list(&store, 0);
        let id = duty(&store, p, DutyKind::Round).id;
        let mut png = Vec::new();
        town::picture(&mut png);
        let picture = |bytes: &[u8]| duties::VisitPhoto::parse(bytes.to_vec(), at(1).0);
        let with = |minutes, bytes: &[u8]| NewVisit { photo: Some(picture(bytes).unwrap()), ..well(minutes) };
        assert_eq!(picture(b"GIF89a").unwrap_err(), VisitRefusal::BadPhoto);
        let done = record(&store, &by, id, &with(1, &png), 1).unwrap();
        let (actor, bytes) = (by.clone(), png.clone());
        let kept = store.read(move |tx| duties::photo(tx, &actor, done.id)).unwrap();
        assert_eq!(kept, ("image/png".to_owned(), bytes));
        assert_eq!(refused(record(&store, &by, id, &with(2, &png), 2)), VisitRefusal::PhotoUsed);
    });
}

#[test]
fn who_may_not_or_lives_elsewhere_cannot_record() {
    on_both(|store| {
        let p = high(&store, "王秀英");
        list(&store, 0);
        let id = duty(&store, p, DutyKind::Round).id;
        let far = Actor { range: region(town::ELSEWHERE).range(), ..somebody(Role::CommunityWorker, 5) };
        assert!(matches!(record(&store, &far, id, &well(1), 1), Err(No::NotFound)));
        for role in [Role::Dispatcher, Role::Worker, Role::Auditor, Role::Administrator, Role::Finance] {
            assert!(
                matches!(record(&store, &somebody(role, 5), id, &well(1), 1), Err(No::Forbidden(_))),
                "{role:?}"
            );
        }
        let agent = somebody(Role::Agent, 5);
        assert!(matches!(record(&store, &agent, VisitDutyId(1), &well(1), 1), Err(No::NotFound)));
        store
            .write(move |tx| {
                tx.execute_one("UPDATE person SET state = 'deceased' WHERE id = ?1", p![p])?;
                silences::renew(tx, &[p], at(1))
            })
            .unwrap();
        assert_eq!(refused(record(&store, &agent, id, &well(1), 1)), VisitRefusal::Ended);
    });
}

fn charges(store: &Store) -> Vec<(PersonId, Option<i64>)> {
    let rounds = Filter { kind: Some(DutyKind::Round), ..Filter::default() };
    let mut all: Vec<_> =
        lines(store, rounds, 0).into_iter().map(|d| (d.person, d.charge.map(|c| c.0.0))).collect();
    all.sort();
    all
}

#[test]
fn each_elder_is_in_somebodys_charge_and_in_anothers_while_that_one_is_away() {
    on_both(|store| {
        let mut people: Vec<PersonId> = (0..6).map(|_| high(&store, "王秀英")).collect();
        people.sort_unstable();
        list(&store, 0);
        let give = |minutes| duties::assign_charges(&store, at(minutes)).unwrap();
        assert_eq!(give(0), 0);
        assert!(charges(&store).iter().all(|(_, c)| c.is_none()));
        let own = neighbour(&store, 50, "张丽", VILLAGE);
        neighbour(&store, 60, "刘强", "410202001000");
        assert_eq!((give(1), give(2)), (6, 0));
        assert!(charges(&store).iter().all(|(_, c)| *c == Some(50)), "the closest post");
        // Whole name and address for whoever goes; others read stars.
        let mine = Filter { charge: Some(AccountId(50)), kind: Some(DutyKind::Round), ..Filter::default() };
        let (actor, filter) = (own.clone(), mine.clone());
        let page = Page { offset: 0, limit: 9 };
        let seen = store.read(move |tx| duties::duties(tx, &actor, &filter, page, at(0))).unwrap();
        assert_eq!((seen.len(), seen[0].name.as_str(), seen[0].address.is_empty()), (6, "王秀英", false));
        let by_others = lines(&store, mine, 0);
        assert_eq!((by_others[0].name.as_str(), by_others[0].address.as_str()), ("王**", ""));
        // Away from the 22nd to the 24th, 60 stands in.
        let (from, to) = (date(2026, 11, 22), date(2026, 11, 24));
        let me = own.clone();
        let leave = |who: i64, cover: Option<i64>, from, to| {
            let me = me.clone();
            let pair = (AccountId(who), cover.map(AccountId));
            store.write(move |tx| duties::take_leave(tx, &me, pair, (from, to), "年假", at(0)))
        };
        assert_eq!(refused(leave(50, Some(50), from, to)), LeaveRefusal::OwnCover);
        assert_eq!(refused(leave(50, None, to, from)), LeaveRefusal::Days);
        assert_eq!(refused(leave(60, None, from, to)), LeaveRefusal::NobodyHere, "not one's own");
        assert_eq!(refused(leave(50, Some(99), from, to)), LeaveRefusal::NobodyHere);
        leave(50, Some(60), from, to).unwrap();
        assert_eq!(give(3), 0);
        assert_eq!((give(DAY), give(DAY + 1)), (6, 0));
        assert!(charges(&store).iter().all(|(_, c)| *c == Some(60)));
        assert_eq!(give(4 * DAY), 6);
        assert!(charges(&store).iter().all(|(_, c)| *c == Some(50)), "back again");
        // Two of one place share its elders.
        neighbour(&store, 70, "陈静", VILLAGE);
        give(4 * DAY);
        let shared: std::collections::BTreeSet<_> = charges(&store).into_iter().map(|(_, c)| c).collect();
        assert!(shared.is_subset(&[Some(50), Some(70)].into()), "{shared:?}");
        // Whose account was closed has nobody in charge.
        store.write(|tx| tx.execute("UPDATE account SET closed_at = 1 WHERE id IN (50, 70)", p![])).unwrap();
        give(4 * DAY);
        assert!(charges(&store).iter().all(|(_, c)| *c == Some(60)));
    });
}

#[test]
fn a_cold_wave_calls_out_for_those_at_high_risk_once() {
    on_both(|store| {
        let by = neighbour(&store, 50, "张丽", VILLAGE);
        let (weekly, other) = (high(&store, "王秀英"), elder(&store, "张德福", 0));
        list(&store, 0);
        let ask = CallOut {
            occasion: "橙色寒潮预警".into(),
            region: region(town::COUNTY).range(),
            grade: RiskGrade::High,
            due: at(DAY).0,
        };
        let call = |actor: Actor| {
            let ask = ask.clone();
            store.write(move |tx| duties::call_out(tx, &actor, &ask, at(0)))
        };
        assert!(matches!(call(by.clone()), Err(No::Forbidden(_))));
        assert_eq!(call(somebody(Role::StreetOfficer, 1)).unwrap(), 1);
        assert_eq!(call(somebody(Role::StreetOfficer, 1)).unwrap(), 0);
        let extra = duty(&store, weekly, DutyKind::Extra);
        assert_eq!((extra.occasion.as_str(), extra.due), ("橙色寒潮预警", at(DAY).0));
        let none = Filter { person: Some(other), kind: Some(DutyKind::Extra), ..Filter::default() };
        assert_eq!(lines(&store, none, 0).len(), 0);
        record(&store, &by, extra.id, &well(HOUR), HOUR).unwrap();
        assert_eq!(refused(record(&store, &by, extra.id, &well(2 * HOUR), 2 * HOUR)), VisitRefusal::Ended);
    });
}

#[test]
fn the_rate_of_a_month_counts_who_was_on_the_list_on_the_first() {
    on_both(|store| {
        let by = neighbour(&store, 50, "张丽", VILLAGE);
        let all: Vec<PersonId> = (0..4).map(|_| high(&store, "王秀英")).collect();
        list(&store, 0);
        let december = Month::parse("2026-12").unwrap();
        let later = high(&store, "赵玉兰");
        list(&store, 12 * DAY);
        let rounds = |person| duty(&store, person, DutyKind::Round).id;
        record(&store, &by, rounds(all[0]), &well(15 * DAY), 15 * DAY).unwrap();
        record(&store, &by, rounds(all[0]), &well(20 * DAY), 20 * DAY).unwrap();
        record(&store, &by, rounds(all[1]), &nobody_there(15 * DAY, Way::Door), 15 * DAY).unwrap();
        record(&store, &by, rounds(later), &well(15 * DAY), 15 * DAY).unwrap();
        let dead = all[3];
        store
            .write(move |tx| {
                tx.execute_one("UPDATE person SET state = 'deceased' WHERE id = ?1", p![dead])?;
                silences::renew(tx, &[dead], at(16 * DAY))
            })
            .unwrap();
        let agent = somebody(Role::Agent, 1);
        let rates = store.read(move |tx| duties::month_rate(tx, &agent, december, None)).unwrap();
        assert_eq!(rates.len(), 1);
        let rate = rates[0];
        assert_eq!((rate.region, rate.listed, rate.visited, rate.apart), (region("410202001000"), 3, 1, 1));
        assert_eq!(rate.per_mille(), Some(333));
    });
}

#[test]
fn instants_of_the_town_are_what_the_tests_believe() {
    assert_eq!(at(0).0, At::parse("2026-11-21T09:00").unwrap());
}
