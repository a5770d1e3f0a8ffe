//! Who is called and written to for an incident, on both databases: exactly once each, through outages of the gateway and
//! deaths of the server, and what they answer.

#![expect(clippy::disallowed_methods, reason = "it is waited for a real thread")]

mod town;
mod watch;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use app::{
    outcome::No,
    p,
    parties::{carers, people},
    signals::incidents::{
        self, Pick,
        reaches::{self, Hand, Handed, Message, Reached},
    },
    store::{Fault, Store},
};
use city::testing::on_both;
use domain::{
    access::{Actor, Role},
    ids::{IncidentId, PersonId, ReachId},
    signals::{
        errand::ErrandState,
        incident::{IncidentFactKind as Kind, IncidentOutcome},
        ladder::{Reach, ReachResult},
        reach::{ReachChannel, ReachRefusal, ReachState as State},
    },
    time::Now,
};
use town::{ALL_SKILLS, COUNTY, HOME, carer, person, provider, town};
use watch::{after, ending, open, seat, sheet, sos, take, tick};

/// A gateway that is told what to answer and remembers what it was asked.
#[derive(Clone, Default)]
struct Gateway {
    asked: Arc<Mutex<Vec<Message>>>,
    answers: Arc<Mutex<Vec<Handed>>>,
}

impl Gateway {
    fn hand(&self) -> Hand {
        let gateway = self.clone();
        Box::new(move |messages| {
            let answers = gateway.answers.lock().unwrap().clone();
            let of = |n: usize| answers.get(n).or(answers.last()).cloned().unwrap_or(Handed::Taken);
            let said = (0..messages.len()).map(of).collect();
            gateway.asked.lock().unwrap().extend(messages);
            said
        })
    }

    fn answers(&self, all: &[Handed]) {
        *self.answers.lock().unwrap() = all.to_vec();
    }

    fn asked(&self) -> Vec<Message> {
        self.asked.lock().unwrap().clone()
    }
}

/// Lets the worker look once at this moment.
fn look(store: &Store, gateway: Option<&Gateway>, now: Now) {
    let before = Instant::now();
    let worker = reaches::watch(store.clone(), Arc::new(move || now), gateway.map(Gateway::hand)).unwrap();
    // Its first look comes after half a second; then it finds nothing more to do at the same moment.
    while before.elapsed() < Duration::from_millis(700) {
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(worker);
}

fn phone_of(n: i64) -> String {
    format!("1380000{n:04}")
}

/// An elder with a number, a neighbour and two children, and somebody at the desk.
fn family(store: &Store) -> (Actor, PersonId) {
    let who = person(store, "王秀英", 2);
    store
        .write(move |tx| {
            let own = tx.vault().encrypt(people::PHONE, who.0, &phone_of(1));
            tx.execute_one("UPDATE person SET phone = ?2, code = ?3 WHERE id = ?1", p![who, own, [0u8; 16]])?;
            for (id, rank, name, relation) in
                [(901, 1, "李婶", "邻居"), (902, 2, "王芳", "女儿"), (903, 3, "王强", "儿子")]
            {
                let sealed = tx.vault().encrypt(people::PHONE, id, &phone_of(id));
                tx.execute_one(
                    "INSERT INTO contact (id, person, rank, name, relation, phone, phone_index)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
                    p![id, who, rank, name, relation, sealed],
                )?;
            }
            Ok::<_, Fault>(())
        })
        .unwrap();
    (seat(store, 11, "赵敏", Role::Agent), who)
}

fn gateway_there(store: &Store, there: bool, now: Now) {
    store.write(move |tx| reaches::begin(tx, there, now)).unwrap();
}

fn all(store: &Store, id: IncidentId) -> Vec<Reached> {
    let everybody = program();
    store.read(move |tx| reaches::of_incident(tx, &everybody, id)).unwrap()
}

fn states(store: &Store, id: IncidentId) -> Vec<(String, ReachChannel, State)> {
    all(store, id).into_iter().map(|r| (r.name, r.channel, r.state)).collect()
}

fn program() -> Actor {
    let range = town::region(COUNTY).range();
    let (role, account) = (Role::System, domain::ids::AccountId(99));
    Actor { account, name: "话务网关".into(), role, range, provider: None, carer: None }
}

fn told(store: &Store, id: ReachId, result: ReachResult, now: Now) -> Result<Reached, No<ReachRefusal>> {
    let by = program();
    store.write(move |tx| reaches::result(tx, &by, id, (result, ""), now))
}

#[test]
fn a_due_step_hands_one_call_to_the_gateway_and_its_answer_stands_at_the_incident() {
    on_both(|store| {
        let (zhao, who) = family(&store);
        let gateway = Gateway::default();
        gateway_there(&store, true, after(0));
        let id = open(&store, sos(who, 1, "a", after(0)), after(0)).id;
        tick(&store, after(1));
        look(&store, Some(&gateway), after(1));
        look(&store, Some(&gateway), after(2));
        let asked = gateway.asked();
        assert_eq!(asked.len(), 1, "the elder alone, once: {asked:?}");
        assert_eq!(
            (asked[0].number.as_str(), asked[0].to, asked[0].attempt),
            (phone_of(1).as_str(), "elder", 1)
        );
        assert_eq!(asked[0].keys, serde_json::json!({}), "who pressed for help is not asked to go");
        let own = all(&store, id).remove(0);
        assert_eq!((own.state, own.sent_at), (State::Sent, Some(after(1).0)));
        told(&store, own.id, ReachResult::NoAnswer, after(40)).unwrap();

        gateway_there(&store, true, after(60));
        tick(&store, after(60));
        look(&store, Some(&gateway), after(61));
        let numbers: Vec<(String, &str)> =
            gateway.asked()[1..].iter().map(|m| (m.number.clone(), m.channel)).collect();
        let wanted = [(902, "phone"), (902, "text"), (901, "phone"), (901, "text")];
        assert_eq!(numbers, wanted.map(|(n, channel)| (phone_of(n), channel)));
        assert!(gateway.asked()[2].say.contains("王秀英") && gateway.asked()[2].say.contains("回复 1"));
        let daughter = all(&store, id).into_iter().find(|r| r.name == "王芳").unwrap();
        told(&store, daughter.id, ReachResult::Answered, after(70)).unwrap();
        told(&store, daughter.id, ReachResult::Coming, after(75)).unwrap();
        told(&store, daughter.id, ReachResult::Coming, after(76)).unwrap();
        told(&store, daughter.id, ReachResult::NoAnswer, after(90)).unwrap();
        let sheet = sheet(&store, &zhao, id);
        let heard: Vec<&str> =
            sheet.facts.iter().filter(|f| f.kind == Kind::Reached).map(|f| f.text.as_str()).collect();
        assert_eq!(
            heard,
            ["王秀英（本人），电话", "王芳（女儿），电话", "王芳（女儿），电话"],
            "each word once"
        );
        let step = sheet.steps.iter().find(|s| s.reach == Reach::Family).unwrap();
        assert_eq!(step.result, Some(ReachResult::Coming));
        let looks = store
            .read(move |tx| people::who_looked(tx, &Actor { role: Role::Agent, ..program() }, who))
            .unwrap();
        assert_eq!(looks.len(), 5, "each time a number left it is on record: {looks:?}");
        assert!(looks.iter().all(|l| l.reason.starts_with("话务网关")));
    });
}

#[test]
fn without_a_gateway_somebody_must_dial_at_once() {
    on_both(|store| {
        let (zhao, who) = family(&store);
        let id = open(&store, sos(who, 1, "a", after(0)), after(0)).id;
        tick(&store, after(60));
        let all = all(&store, id);
        let by_hand: Vec<&str> =
            all.iter().filter(|r| r.state == State::ByHand).map(|r| r.name.as_str()).collect();
        assert_eq!(by_hand, ["王秀英", "王芳", "李婶"]);
        assert!(all.iter().filter(|r| r.state == State::ByHand).all(|r| r.error.contains("请人工拨打")));
        take(&store, &zhao, id, after(61));
        assert_eq!(
            states(&store, id).iter().filter(|s| s.2 == State::ByHand).count(),
            3,
            "they can still be rung"
        );
        let daughter = all.iter().find(|r| r.name == "王芳").unwrap().clone();
        let refused = told(&store, daughter.id, ReachResult::Coming, after(62));
        assert!(matches!(refused, Err(No::Refused(ReachRefusal::NotSent { .. }))), "{refused:?}");
        let (by, step) = (zhao.clone(), daughter.step.unwrap());
        store
            .write(move |tx| incidents::reached(tx, &by, id, (1, step), (ReachResult::Coming, ""), after(63)))
            .unwrap();
        let now = states(&store, id).into_iter().find(|s| s.0 == "王芳").unwrap();
        assert_eq!(now.2, State::Answered, "what the desk noted counts");
    });
}

#[test]
fn a_gateway_that_goes_away_is_tried_again_and_the_desk_knows() {
    on_both(|store| {
        let (_, who) = family(&store);
        let gateway = Gateway::default();
        gateway.answers(&[Handed::Unreachable("连接被拒绝".into())]);
        gateway_there(&store, true, after(0));
        let id = open(&store, sos(who, 1, "a", after(0)), after(0)).id;
        tick(&store, after(1));
        let mut time = 1;
        while time < 300 {
            look(&store, Some(&gateway), after(time));
            time += 40;
        }
        let own = all(&store, id).remove(0);
        assert_eq!((own.state, own.attempts, own.error.as_str()), (State::Waiting, 8, "连接被拒绝"));
        let seen = store.read(move |tx| reaches::gateway(tx, after(300))).unwrap().unwrap();
        assert_eq!((seen.failing_since, seen.error.as_str()), (Some(after(1).0), "连接被拒绝"));
        gateway.answers(&[Handed::Taken]);
        look(&store, Some(&gateway), after(330));
        let own = all(&store, id).remove(0);
        assert_eq!((own.state, own.error.as_str()), (State::Sent, ""));
        assert_eq!(
            store.read(move |tx| reaches::gateway(tx, after(331))).unwrap().unwrap().failing_since,
            None
        );
        let keys: Vec<ReachId> = gateway.asked().iter().map(|m| m.id).collect();
        assert!(keys.iter().all(|key| *key == own.id), "one key for all attempts");
    });
}

#[test]
fn a_server_that_dies_in_the_middle_tries_again_with_the_same_key() {
    on_both(|store| {
        let (_, who) = family(&store);
        gateway_there(&store, true, after(0));
        let id = open(&store, sos(who, 1, "a", after(0)), after(0)).id;
        tick(&store, after(1));
        // The gateway got it, and the server died before it could write so.
        let asked = Arc::new(Mutex::new(Vec::new()));
        let dying = Arc::clone(&asked);
        let hand: Hand = Box::new(move |messages| {
            dying.lock().unwrap().extend(messages);
            panic!("killed")
        });
        let worker = reaches::watch(store.clone(), Arc::new(|| after(1)), Some(hand)).unwrap();
        let began = Instant::now();
        while asked.lock().unwrap().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(20), "nothing was handed over");
            std::thread::sleep(Duration::from_millis(20));
        }
        drop(worker);
        let own = all(&store, id).remove(0);
        assert_eq!((own.state, own.attempts), (State::Waiting, 1), "the attempt is on record");
        let gateway = Gateway::default();
        look(&store, Some(&gateway), after(5));
        assert!(gateway.asked().is_empty(), "it may still be under way elsewhere");
        look(&store, Some(&gateway), after(20));
        let again = gateway.asked();
        assert_eq!((again.len(), again[0].id, again[0].attempt), (1, asked.lock().unwrap()[0].id, 2));
        assert_eq!(all(&store, id).remove(0).state, State::Sent);
    });
}

#[test]
fn what_nobody_needs_any_more_is_withdrawn() {
    on_both(|store| {
        let (zhao, who) = family(&store);
        gateway_there(&store, true, after(0));
        let id = open(&store, sos(who, 1, "a", after(0)), after(0)).id;
        tick(&store, after(60));
        take(&store, &zhao, id, after(61));
        let waiting = |store: &Store| states(store, id).iter().filter(|s| s.2 == State::Waiting).count();
        assert_eq!(waiting(&store), 0, "somebody has it");
        // The owner's own wish stays until the end.
        gateway_there(&store, true, after(61));
        let (by, ask) = (zhao.clone(), incidents::Escalation { to: Reach::Family, text: String::new() });
        store.write(move |tx| incidents::escalate(tx, &by, id, &ask, after(62))).unwrap();
        let by = zhao.clone();
        store.write(move |tx| incidents::hold(tx, &by, id, 30, "", after(63))).unwrap();
        take(&store, &zhao, id, after(64));
        assert_eq!(waiting(&store), 2, "by call and by text");
        let by = zhao.clone();
        store
            .write(move |tx| incidents::close(tx, &by, id, &ending(IncidentOutcome::FalsePress), after(65)))
            .unwrap();
        assert_eq!(waiting(&store), 0);
        let gateway = Gateway::default();
        look(&store, Some(&gateway), after(70));
        assert_eq!(gateway.asked(), []);
    });
}

#[test]
fn a_number_that_is_none_fails_and_holds_up_nobody() {
    on_both(|store| {
        let (_, who) = family(&store);
        store.write(|tx| tx.execute("UPDATE contact SET phone = ?1 WHERE id = 902", p![vec![0u8]])).unwrap();
        gateway_there(&store, true, after(0));
        let id = open(&store, sos(who, 1, "a", after(0)), after(0)).id;
        tick(&store, after(60));
        let gateway = Gateway::default();
        gateway.answers(&[Handed::Refused("网关回答 422：空号".into()), Handed::Taken]);
        look(&store, Some(&gateway), after(61));
        let of = |name: &str| states(&store, id).into_iter().find(|s| s.0 == name).unwrap().2;
        assert_eq!((of("王秀英"), of("王芳"), of("李婶")), (State::Failed, State::Failed, State::Sent));
    });
}

#[test]
fn who_is_sent_without_an_account_is_rung_up_and_answers_with_a_key() {
    on_both(|store| {
        town(&store);
        let (zhao, who) = family(&store);
        let near = provider(&store, "安康居家");
        let he = carer(&store, near, "何工", 1, ALL_SKILLS);
        let tian = carer(&store, near, "田芳", 2, ALL_SKILLS);
        store
            .write(move |tx| {
                for (n, (id, off)) in [(he, 0.004), (tian, 0.008)].into_iter().enumerate() {
                    let sealed = tx.vault().encrypt(carers::PHONE, id.0, &phone_of(700 + n as i64));
                    tx.execute_one(
                        "UPDATE carer SET phone = ?2, lon = ?3, lat = ?4 WHERE id = ?1",
                        p![id, sealed, HOME.0 + off, HOME.1],
                    )?;
                }
                Ok::<_, Fault>(())
            })
            .unwrap();
        gateway_there(&store, true, after(0));
        let id = open(&store, sos(who, 1, "a", after(0)), after(0)).id;
        take(&store, &zhao, id, after(5));
        let by = zhao.clone();
        let errand = store.write(move |tx| incidents::send(tx, &by, id, &Pick::Nearest, after(10))).unwrap();
        assert_eq!(errand.name, "何工");
        let gateway = Gateway::default();
        look(&store, Some(&gateway), after(11));
        let asked = gateway.asked();
        assert_eq!((asked.len(), asked[0].number.as_str()), (1, phone_of(700).as_str()));
        assert!(asked[0].say.contains("理事厅社区 3 号楼"), "{}", asked[0].say);
        told(&store, asked[0].id, ReachResult::Refused, after(20)).unwrap();
        let by = zhao.clone();
        let all = store.read(move |tx| incidents::errands(tx, &by, id)).unwrap();
        let now: Vec<(&str, ErrandState)> = all.iter().map(|e| (e.name.as_str(), e.state)).collect();
        assert_eq!(
            now,
            [("何工", ErrandState::Declined), ("田芳", ErrandState::Asked)],
            "the next nearest by itself"
        );
        look(&store, Some(&gateway), after(21));
        told(&store, gateway.asked()[1].id, ReachResult::Coming, after(30)).unwrap();
        let by = zhao.clone();
        let all = store.read(move |tx| incidents::errands(tx, &by, id)).unwrap();
        assert_eq!(all[1].state, ErrandState::Coming);
        let outs: HashMap<&str, usize> = gateway.asked().iter().fold(HashMap::new(), |mut all, m| {
            *all.entry(m.to).or_default() += 1;
            all
        });
        assert_eq!(outs, HashMap::from([("station", 2)]));
    });
}

#[test]
fn the_worker_climbs_ladders_on_either_database() {
    on_both(|store| {
        let (_, who) = family(&store);
        let id = open(&store, sos(who, 1, "a", after(0)), after(0)).id;
        let worker = incidents::watch(store.clone(), Arc::new(|| after(60))).unwrap();
        let began = Instant::now();
        while all(&store, id).len() < 3 {
            assert!(began.elapsed() < Duration::from_secs(20), "no step was done");
            std::thread::sleep(Duration::from_millis(50));
        }
        drop(worker);
    });
}
