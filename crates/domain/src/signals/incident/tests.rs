use proptest::prelude::*;

use super::*;

const A: AccountId = AccountId(1);
const B: AccountId = AccountId(2);

fn at(seconds: i64) -> Now {
    Now(At(1_790_000_000_000_000).plus_seconds(seconds))
}

fn incident(kind: IncidentKind, level: Level) -> Incident {
    let now = at(0).0;
    Incident {
        id: IncidentId(7),
        region: RegionCode::parse("410202001001").unwrap(),
        kind,
        level,
        level_top: level,
        person: Some(PersonId(3)),
        device: None,
        call: None,
        area: None,
        verified: true,
        text: String::new(),
        pressed_at: None,
        received_at: now,
        opened_at: now,
        presses: 1,
        last_press_at: now,
        state: IncidentState::Ringing,
        rang_at: now,
        round: 1,
        owner: None,
        owned_at: None,
        active_at: None,
        hold_until: None,
        answered_at: None,
        answered_by: None,
        closed_at: None,
        closed_by: None,
        outcome: None,
        with_elder: None,
        reviewed_at: None,
        reviewed_by: None,
        facts: 1,
        chain: [0; 16],
    }
}

fn sos() -> Incident {
    incident(IncidentKind::Sos, Level::P1)
}

fn closure(outcome: IncidentOutcome) -> Closure {
    Closure { outcome, with_elder: "女儿在家".into(), text: "已通话，老人无恙".into() }
}

#[test]
fn the_first_to_take_it_has_it_and_the_second_reads_who() {
    let mut one = sos();
    one.acknowledge(A, "", at(3)).unwrap();
    let refused = one.acknowledge(B, "赵敏", at(4)).unwrap_err();
    assert_eq!(refused.to_string(), "这起警情已由赵敏接手");
    assert_eq!((one.owner, one.answered_by, one.answered_at), (Some(A), Some(A), Some(at(3).0)));
}

#[test]
fn nobody_closes_what_nobody_took() {
    let refused = sos().close(&closure(IncidentOutcome::FalsePress), A, "", true, at(5)).unwrap_err();
    assert_eq!(refused.to_string(), "警情现在是“响铃中”，不能结案");
}

#[test]
fn nobody_closes_what_another_has() {
    let mut one = sos();
    one.acknowledge(A, "", at(3)).unwrap();
    let refused = one.close(&closure(IncidentOutcome::FalsePress), B, "赵敏", true, at(5)).unwrap_err();
    assert_eq!(refused, IncidentRefusal::NotYours { name: "赵敏".into() });
}

#[test]
fn an_ending_says_who_is_with_the_elder_and_what_happened() {
    let mut one = sos();
    one.acknowledge(A, "", at(3)).unwrap();
    for (with_elder, text, what) in [("", "好", "现在谁和老人在一起"), ("女儿", " ", "处置情况")]
    {
        let bad = Closure {
            outcome: IncidentOutcome::RealHelped,
            with_elder: with_elder.into(),
            text: text.into(),
        };
        assert_eq!(one.close(&bad, A, "", false, at(5)), Err(IncidentRefusal::Missing { what }));
    }
    assert_eq!(one.state, IncidentState::Acknowledged);
}

#[test]
fn a_device_ends_without_anybody_beside_it() {
    let mut one = incident(IncidentKind::DeviceFault, Level::P4);
    one.person = None;
    one.acknowledge(A, "", at(3)).unwrap();
    let bare =
        Closure {
            outcome: IncidentOutcome::FalseDevice, with_elder: String::new(), text: "已换电池".into()
        };
    one.close(&bare, A, "", false, at(5)).unwrap();
    assert!(!one.awaits_review());
}

#[test]
fn only_the_leader_ends_what_could_not_be_reached() {
    let mut one = sos();
    one.acknowledge(A, "", at(3)).unwrap();
    let end = closure(IncidentOutcome::CannotReach);
    assert_eq!(one.close(&end, A, "", false, at(5)), Err(IncidentRefusal::LeaderOnly));
    one.close(&end, A, "", true, at(5)).unwrap();
}

#[test]
fn no_hold_is_longer_than_a_minute_or_on_top_of_another() {
    let terms = Terms::standard();
    let mut one = sos();
    assert!(matches!(one.hold(A, "", 30, &terms, at(1)), Err(IncidentRefusal::WrongState { .. })));
    one.acknowledge(A, "", at(3)).unwrap();
    for bad in [0, -5, 61] {
        assert_eq!(one.hold(A, "", bad, &terms, at(4)), Err(IncidentRefusal::HoldTooLong { seconds: 60 }));
    }
    one.hold(A, "", 60, &terms, at(4)).unwrap();
    assert_eq!(one.rings_again_at(&terms), Some(at(64).0));
    assert!(matches!(one.hold(A, "", 60, &terms, at(50)), Err(IncidentRefusal::WrongState { .. })));
    one.acknowledge(A, "", at(60)).unwrap();
    assert_eq!(one.rings_again_at(&terms), Some(at(660).0));
}

#[test]
fn a_red_one_needs_another_person_even_when_it_was_lowered_meanwhile() {
    let mut one = sos();
    one.acknowledge(A, "", at(3)).unwrap();
    one.change_level(Level::P3, A, "", at(4)).unwrap();
    one.close(&closure(IncidentOutcome::FalsePress), A, "", false, at(5)).unwrap();
    assert!(one.awaits_review());
    assert_eq!(one.review(A, at(6)), Err(IncidentRefusal::SamePerson));
    assert_eq!(one.send_back(A, at(6)), Err(IncidentRefusal::SamePerson));
    one.review(B, at(7)).unwrap();
    assert_eq!(one.review(B, at(8)), Err(IncidentRefusal::NothingToReview));
}

#[test]
fn what_a_second_person_sends_back_rings_again() {
    let mut one = sos();
    one.acknowledge(A, "", at(3)).unwrap();
    one.close(&closure(IncidentOutcome::FalsePress), A, "", false, at(5)).unwrap();
    one.send_back(B, at(9)).unwrap();
    assert_eq!((one.state, one.owner, one.outcome), (IncidentState::Ringing, None, None));
    assert_eq!(one.answered_at, Some(at(3).0), "answer times count from the first answer");
}

#[test]
fn it_is_opened_again_within_three_days_only() {
    let mut one = sos();
    assert!(matches!(one.reopen(at(1)), Err(IncidentRefusal::WrongState { .. })));
    one.acknowledge(A, "", at(3)).unwrap();
    one.close(&closure(IncidentOutcome::FalsePress), A, "", false, at(5)).unwrap();
    let mut late = one.clone();
    assert_eq!(late.reopen(at(6 + 72 * 3600)), Err(IncidentRefusal::ReopenTooLate { hours: 72 }));
    one.reopen(at(5 + 72 * 3600)).unwrap();
    assert_eq!((one.state, one.round), (IncidentState::Ringing, 2));
}

#[test]
fn what_somebody_is_at_does_not_vanish_in_an_area() {
    let mut one = incident(IncidentKind::DeviceFault, Level::P4);
    one.acknowledge(A, "", at(3)).unwrap();
    assert!(matches!(one.attach(IncidentId(9)), Err(IncidentRefusal::WrongState { .. })));
    let mut other = incident(IncidentKind::DeviceFault, Level::P4);
    other.attach(IncidentId(9)).unwrap();
    assert!(matches!(other.acknowledge(A, "", at(4)), Err(IncidentRefusal::WrongState { .. })));
}

#[derive(Debug, Clone)]
enum Wish {
    Acknowledge,
    Hold(i64),
    Escalate,
    Level(usize),
    TakeOver,
    Close(usize),
    Review,
    SendBack,
    Reopen,
    RingAgain,
    Attach,
}

fn wish() -> impl Strategy<Value = (Wish, i64, i64)> {
    let what = prop_oneof![
        4 => Just(Wish::Acknowledge),
        2 => (-1_i64..90).prop_map(Wish::Hold),
        1 => Just(Wish::Escalate),
        1 => (0_usize..4).prop_map(Wish::Level),
        1 => Just(Wish::TakeOver),
        3 => (0_usize..IncidentOutcome::ALL.len()).prop_map(Wish::Close),
        2 => Just(Wish::Review),
        1 => Just(Wish::SendBack),
        1 => Just(Wish::Reopen),
        1 => Just(Wish::RingAgain),
        1 => Just(Wish::Attach),
    ];
    (what, 1_i64..4, 0_i64..40_000)
}

proptest! {
    #[test]
    fn whatever_people_do_an_incident_makes_sense(wishes in proptest::collection::vec(wish(), 0..60)) {
        let terms = Terms::standard();
        let mut one = sos();
        let mut time = 0;
        for (wish, who, wait) in wishes {
            time += wait;
            let (by, now, before) = (AccountId(who), at(time), one.clone());
            let done = match wish {
                Wish::Acknowledge => one.acknowledge(by, "某人", now),
                Wish::Hold(seconds) => one.hold(by, "某人", seconds, &terms, now),
                Wish::Escalate => one.escalate(by, "某人", now),
                Wish::Level(n) => one.change_level(Level::ALL[n], by, "某人", now),
                Wish::TakeOver => one.take_over(by, now),
                Wish::Close(n) => one.close(&closure(IncidentOutcome::ALL[n]), by, "某人", false, now),
                Wish::Review => one.review(by, now),
                Wish::SendBack => one.send_back(by, now),
                Wish::Reopen => one.reopen(now),
                Wish::Attach => one.attach(IncidentId(99)),
                Wish::RingAgain => {
                    if one.rings_again_at(&terms).is_some_and(|at| at <= now.0) {
                        one.ring_again(now);
                    }
                    Ok(())
                }
            };
            if done.is_err() {
                prop_assert_eq!(&one, &before, "a refusal changes nothing");
            }
            prop_assert_eq!(one.state.owned(), one.active_at.is_some());
            prop_assert!(!one.state.owned() || one.owner.is_some());
            prop_assert_eq!(one.state == IncidentState::Closed, one.outcome.is_some());
            prop_assert_eq!(one.state == IncidentState::Closed, one.closed_by.is_some());
            prop_assert_eq!(one.state == IncidentState::Held, one.hold_until.is_some());
            prop_assert_eq!(one.state == IncidentState::Attached, one.area.is_some());
            prop_assert!(one.reviewed_by.is_none() || one.reviewed_by != one.closed_by);
            prop_assert!(one.round >= before.round && one.level_top <= one.level);
            prop_assert!(before.answered_at.is_none() || one.answered_at == before.answered_at);
            // No state may lie silent: it rings, or it will ring by itself, or it is over or part of an area.
            let silent = !matches!(one.state, IncidentState::Ringing | IncidentState::Attached | IncidentState::Closed);
            prop_assert_eq!(silent, one.rings_again_at(&terms).is_some());
        }
    }
}
