//! Incidents at the desk: opened once, rung until somebody answers, closed with an outcome.

mod town;
mod watch;

use app::{
    outcome::No,
    p,
    signals::incidents::{self, ByHand, Escalation, Filter},
    store::Fault,
};
use city::testing::on_both;
use domain::{
    access::Role,
    signals::{
        incident::{
            IncidentFactKind as Kind, IncidentKind, IncidentOutcome, IncidentRefusal, IncidentState, Level,
        },
        ladder::{Reach, ReachResult},
    },
};
use town::{ELSEWHERE, person};
use watch::{
    after, ending, history, open, press, refusal, seat, seat_in, sheet, sign_in, sign_out, sos, take, tick,
};

#[test]
fn one_event_is_one_incident_however_often_it_is_reported() {
    on_both(|store| {
        let who = person(&store, "王秀英", 2);
        let first = open(&store, sos(who, 1, "w1:17", after(0)), after(0));
        let again = open(&store, sos(who, 1, "w1:17", after(900)), after(900));
        assert!(first.fresh && !again.fresh);
        assert_eq!(first.id, again.id);
        let agent = seat(&store, 11, "赵敏", Role::Agent);
        assert_eq!(sheet(&store, &agent, first.id).line.incident.presses, 1, "a repeat is no press");
    });
}

#[test]
fn a_second_press_within_a_minute_counts_once_and_is_written_down() {
    on_both(|store| {
        let (who, agent) = (person(&store, "王秀英", 2), seat(&store, 11, "赵敏", Role::Agent));
        let first = open(&store, sos(who, 1, "a", after(0)), after(0));
        let second = open(&store, sos(who, 1, "b", after(50)), after(50));
        let third = open(&store, sos(who, 1, "c", after(105)), after(105));
        assert_eq!((second.id, third.id, second.fresh), (first.id, first.id, false));
        let repeated = open(&store, sos(who, 1, "b", after(300)), after(300));
        assert_eq!(repeated.id, first.id, "a press that was appended has its key too");
        let other = open(&store, sos(who, 2, "d", after(60)), after(60));
        assert!(other.fresh, "another button is another incident");
        let late = open(&store, sos(who, 1, "e", after(170)), after(170));
        assert!(late.fresh, "a minute later it is a new one");
        let seen = sheet(&store, &agent, first.id);
        assert_eq!(seen.line.incident.presses, 3);
        assert_eq!(history(&seen), [Kind::Opened, Kind::PressedAgain, Kind::PressedAgain]);
    });
}

#[test]
fn the_first_has_it_and_the_second_reads_who() {
    on_both(|store| {
        let id = press(&store, after(0));
        let (zhao, qian) = (seat(&store, 11, "赵敏", Role::Agent), seat(&store, 12, "钱宁", Role::Agent));
        take(&store, &zhao, id, after(9));
        let said = refusal(&store, move |tx| incidents::acknowledge(tx, &qian, id, after(10)));
        assert_eq!(said, IncidentRefusal::Taken { name: "赵敏".into() });
        take(&store, &zhao, id, after(11));
        let seen = sheet(&store, &zhao, id);
        assert_eq!(history(&seen), [Kind::Opened, Kind::Acknowledged], "taking it twice is one fact");
        assert_eq!(seen.line.owner_name, "赵敏");
        assert!(seen.steps.iter().all(|s| s.stopped_at.is_some()), "an accepted owner stops the ladder");
        assert_eq!(tick(&store, after(500)), 0);
    });
}

#[test]
fn what_one_may_not_see_is_not_there() {
    on_both(|store| {
        let id = press(&store, after(0));
        let stranger = seat_in(&store, 13, "孙外", Role::Supervisor, ELSEWHERE);
        let carer = seat(&store, 14, "李工", Role::Dispatcher);
        let looks = stranger.clone();
        assert!(matches!(store.read(move |tx| incidents::incident(tx, &looks, id)), Err(No::NotFound)));
        let acts = stranger.clone();
        let all: Vec<Result<(), No<IncidentRefusal>>> = vec![
            store.write({
                let a = acts.clone();
                move |tx| incidents::acknowledge(tx, &a, id, after(1)).map(drop)
            }),
            store.write({
                let a = acts.clone();
                move |tx| incidents::note(tx, &a, id, "x", after(1)).map(drop)
            }),
            store.write({
                let a = acts.clone();
                move |tx| incidents::draft(tx, &a, id, "x", after(1))
            }),
            store.write({
                let a = acts.clone();
                move |tx| incidents::take_over(tx, &a, id, "x", after(1)).map(drop)
            }),
            store.write({
                let a = acts.clone();
                move |tx| incidents::review(tx, &a, id, "x", after(1)).map(drop)
            }),
            store.write({
                let a = acts.clone();
                move |tx| incidents::reopen(tx, &a, id, "x", after(1)).map(drop)
            }),
        ];
        assert!(all.iter().all(|r| matches!(r, Err(No::NotFound))), "{all:?}");
        let list =
            store.read(move |tx| incidents::incidents(tx, &stranger, &Filter::default(), None, 50)).unwrap();
        assert!(list.is_empty());
        let refused = store.write(move |tx| incidents::acknowledge(tx, &carer, id, after(1)).map(drop));
        assert!(matches!(refused, Err(No::Forbidden(_))));
    });
}

#[test]
fn a_hold_rings_again_for_all_after_a_minute() {
    on_both(|store| {
        let id = press(&store, after(0));
        let zhao = seat(&store, 11, "赵敏", Role::Agent);
        take(&store, &zhao, id, after(9));
        let who = zhao.clone();
        let said = refusal(&store, move |tx| incidents::hold(tx, &who, id, 61, "", after(10)));
        assert_eq!(said, IncidentRefusal::HoldTooLong { seconds: 60 });
        let who = zhao.clone();
        store.write(move |tx| incidents::hold(tx, &who, id, 60, "接另一个电话", after(10))).unwrap();
        tick(&store, after(69));
        assert_eq!(sheet(&store, &zhao, id).line.incident.state, IncidentState::Held);
        tick(&store, after(70));
        let seen = sheet(&store, &zhao, id);
        assert_eq!((seen.line.incident.state, seen.line.incident.owner), (IncidentState::Ringing, None));
        assert_eq!(seen.line.incident.round, 2, "the ladder begins anew");
        assert_eq!(seen.steps.iter().filter(|s| s.round == 2 && s.done_at.is_some()).count(), 2);
    });
}

#[test]
fn an_owner_who_does_nothing_for_ten_minutes_has_lost_it_but_typing_is_doing() {
    on_both(|store| {
        let id = press(&store, after(0));
        let zhao = seat(&store, 11, "赵敏", Role::Agent);
        take(&store, &zhao, id, after(0));
        let who = zhao.clone();
        store.write(move |tx| incidents::draft(tx, &who, id, "正在和女儿通", after(300))).unwrap();
        tick(&store, after(600));
        assert_eq!(sheet(&store, &zhao, id).line.incident.state, IncidentState::Acknowledged);
        tick(&store, after(899));
        assert_eq!(sheet(&store, &zhao, id).line.incident.state, IncidentState::Acknowledged);
        tick(&store, after(900));
        let seen = sheet(&store, &zhao, id);
        assert_eq!(seen.line.incident.state, IncidentState::Ringing);
        let note = seen.facts.iter().find(|f| f.kind == Kind::Noted).expect("what was typed is kept");
        assert_eq!((note.text.as_str(), note.by_name.as_str()), ("正在和女儿通", "赵敏"));
        assert!(seen.drafts.is_empty());
    });
}

#[test]
fn signing_out_hands_over_what_one_has() {
    on_both(|store| {
        let id = press(&store, after(0));
        let zhao = seat(&store, 11, "赵敏", Role::Agent);
        take(&store, &zhao, id, after(5));
        store.write(|tx| sign_in(tx, 11)).unwrap();
        tick(&store, after(20));
        assert_eq!(sheet(&store, &zhao, id).line.incident.state, IncidentState::Acknowledged);
        sign_out(&store, 11, after(30));
        tick(&store, after(31));
        let seen = sheet(&store, &zhao, id);
        assert_eq!(seen.line.incident.state, IncidentState::Ringing);
        assert!(history(&seen).contains(&Kind::HandedOver));
        assert!(seen.facts.iter().any(|f| f.detail.contains("\"from\":\"11\"")), "{:?}", seen.facts);
    });
}

#[test]
fn a_red_one_ends_with_two_people_and_a_named_companion() {
    on_both(|store| {
        let id = press(&store, after(0));
        let (zhao, boss) =
            (seat(&store, 11, "赵敏", Role::Supervisor), seat(&store, 12, "周班长", Role::Supervisor));
        take(&store, &zhao, id, after(5));
        let who = zhao.clone();
        let mut bare = ending(IncidentOutcome::RealHelped);
        bare.with_elder.clear();
        let said = refusal(&store, move |tx| incidents::close(tx, &who, id, &bare, after(60)));
        assert_eq!(said.to_string(), "请填写现在谁和老人在一起");
        let who = zhao.clone();
        store
            .write(move |tx| incidents::close(tx, &who, id, &ending(IncidentOutcome::RealHelped), after(61)))
            .unwrap();
        let who = zhao.clone();
        let said = refusal(&store, move |tx| incidents::review(tx, &who, id, "", after(70)));
        assert_eq!(said, IncidentRefusal::SamePerson);
        let who = boss.clone();
        let waiting = store
            .read(move |tx| {
                let filter = Filter { to_review: true, ..Filter::default() };
                incidents::count(tx, &who, &filter)
            })
            .unwrap();
        assert_eq!(waiting, 1);
        let who = boss.clone();
        store.write(move |tx| incidents::review(tx, &who, id, "录音已听", after(80))).unwrap();
        let who = zhao.clone();
        let said = refusal(&store, move |tx| incidents::reopen(tx, &who, id, " ", after(90)));
        assert_eq!(said, IncidentRefusal::Missing { what: "重新打开的原因" });
        let who = zhao.clone();
        let again =
            store.write(move |tx| incidents::reopen(tx, &who, id, "家属来电说又不舒服", after(90))).unwrap();
        assert_eq!((again.id, again.state), (id, IncidentState::Ringing));
    });
}

#[test]
fn the_database_itself_refuses_a_closer_who_reviews() {
    on_both(|store| {
        let id = press(&store, after(0));
        let zhao = seat(&store, 11, "赵敏", Role::Supervisor);
        take(&store, &zhao, id, after(5));
        let who = zhao.clone();
        store
            .write(move |tx| incidents::close(tx, &who, id, &ending(IncidentOutcome::RealHelped), after(61)))
            .unwrap();
        let fault = store
            .write(move |tx| {
                tx.execute(
                    "UPDATE incident SET reviewed_at = 1, reviewed_by = closed_by WHERE id = ?1",
                    p![id],
                )
            })
            .unwrap_err();
        assert!(fault.broke("closer_is_not_reviewer"), "{fault}");
    });
}

#[test]
fn the_ladder_climbs_by_itself_and_each_step_is_done_once() {
    on_both(|store| {
        let who = person(&store, "王秀英", 2);
        store
            .write(move |tx| {
                for (id, rank, relation) in [(901, 1, "邻居"), (902, 2, "女儿"), (903, 3, "儿子")] {
                    tx.execute_one(
                        "INSERT INTO contact (id, person, rank, name, relation, phone, phone_index)
                        VALUES (?1, ?2, ?3, '某', ?4, ?5, 0)",
                        p![id, who, rank, relation, vec![0u8]],
                    )?;
                }
                Ok::<_, Fault>(())
            })
            .unwrap();
        let id = open(&store, sos(who, 1, "a", after(0)), after(0)).id;
        assert_eq!(tick(&store, after(0)), 2);
        assert_eq!(tick(&store, after(1)), 0);
        assert_eq!(tick(&store, after(15)), 1);
        assert_eq!(tick(&store, after(100)), 5, "what fell due while nobody ticked is done, all of it");
        assert_eq!(tick(&store, after(100)), 0);
        assert_eq!(tick(&store, after(3600)), 3);
        let told: Vec<String> = store
            .read(move |tx| {
                tx.all(
                    "SELECT payload FROM outbox WHERE topic = 'incident.reach' AND subject = ?1 ORDER BY seq",
                    p![id],
                    |row| row.get(0),
                )
            })
            .unwrap();
        assert_eq!(told.len(), 11, "one wish to reach somebody a step");
        let of = |reach: &str| told.iter().filter(|t| t.contains(&format!("\"reach\":\"{reach}\""))).count();
        assert_eq!((of("family"), of("neighbour"), of("leader")), (2, 1, 1));
        assert!(told.iter().any(|t| t.contains("family") && t.contains("\"contact\":\"902\"")));
        assert!(told.iter().any(|t| t.contains("family") && t.contains("\"contact\":\"903\"")));
        assert!(told.iter().any(|t| t.contains("neighbour") && t.contains("\"contact\":\"901\"")));
    });
}

#[test]
fn calling_for_help_is_a_step_with_a_result() {
    on_both(|store| {
        let id = press(&store, after(0));
        let (zhao, qian) = (seat(&store, 11, "赵敏", Role::Agent), seat(&store, 12, "钱宁", Role::Agent));
        let ask = Escalation { to: Reach::Ambulance, text: "胸痛".into() };
        let (who, wish) = (zhao.clone(), ask.clone());
        let said = refusal(&store, move |tx| incidents::escalate(tx, &who, id, &wish, after(3)));
        assert!(matches!(said, IncidentRefusal::WrongState { .. }), "{said}");
        take(&store, &zhao, id, after(5));
        let (who, wish) = (qian.clone(), ask.clone());
        let said = refusal(&store, move |tx| incidents::escalate(tx, &who, id, &wish, after(6)));
        assert_eq!(said, IncidentRefusal::NotYours { name: "赵敏".into() });
        let who = zhao.clone();
        let (_, step) = store.write(move |tx| incidents::escalate(tx, &who, id, &ask, after(7))).unwrap();
        let who = qian.clone();
        store
            .write(move |tx| {
                incidents::reached(tx, &who, id, (1, step), (ReachResult::Coming, "8 分钟到"), after(20))
            })
            .unwrap();
        let said = refusal(&store, move |tx| {
            incidents::reached(tx, &qian, id, (1, 99), (ReachResult::Busy, ""), after(21))
        });
        assert_eq!(said, IncidentRefusal::NoSuchStep);
        let seen = sheet(&store, &zhao, id);
        let called = seen.steps.iter().find(|s| s.reach == Reach::Ambulance).unwrap();
        assert_eq!(called.result, Some(ReachResult::Coming));
    });
}

#[test]
fn an_operator_opens_one_by_hand_for_whom_they_may_see_only() {
    on_both(|store| {
        let who = person(&store, "王秀英", 2);
        let zhao = seat(&store, 11, "赵敏", Role::Agent);
        let stranger = seat_in(&store, 13, "孙外", Role::Agent, ELSEWHERE);
        let ask = ByHand {
            kind: IncidentKind::Call,
            level: None,
            person: Some(who),
            region: None,
            call: None,
            text: "说胸口痛".into(),
        };
        let wish = ask.clone();
        let said = refusal(&store, move |tx| incidents::open_by_hand(tx, &stranger, &wish, after(1)));
        assert_eq!(said, IncidentRefusal::UnknownPerson);
        let (actor, mut wish) = (zhao.clone(), ask.clone());
        wish.text = "  ".into();
        let said = refusal(&store, move |tx| incidents::open_by_hand(tx, &actor, &wish, after(1)));
        assert_eq!(said, IncidentRefusal::Missing { what: "警情内容" });
        let actor = zhao.clone();
        let opened = store.write(move |tx| incidents::open_by_hand(tx, &actor, &ask, after(1))).unwrap();
        let seen = sheet(&store, &zhao, opened.id);
        assert_eq!((seen.line.incident.level, seen.facts[0].by_name.as_str()), (Level::P1, "赵敏"));
    });
}
