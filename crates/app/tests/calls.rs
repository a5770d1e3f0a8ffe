//! Calls of the hotline: who has one in hand, and how another operator goes on with it.

mod town;

use app::{
    orders::calls::{self, CallRefusal, NewCall, Outcome},
    outcome::No,
    p,
    store::Store,
};
use city::testing::on_both;
use domain::{access::Role, ids::CallId};
use town::*;

fn ringing(store: &Store) -> CallId {
    let system = somebody(Role::System, 1);
    let call = NewCall {
        external_id: "c-1".into(),
        line: "12349".into(),
        number: "13903780001".into(),
        rang_at: at(0).0,
        region: region(COUNTY),
    };
    store.write(move |tx| calls::report(tx, &system, &call, at(0))).unwrap()
}

fn refusal<T: std::fmt::Debug>(answer: Result<T, No<CallRefusal>>) -> CallRefusal {
    match answer {
        Err(No::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_call_is_noted_and_closed_by_whoever_has_it_in_hand() {
    on_both(|store| {
        town(&store);
        let id = ringing(&store);
        let (liu, chen) = (|| somebody(Role::Agent, 10), || somebody(Role::Agent, 11));
        let taken = |who: domain::access::Actor| store.write(move |tx| calls::take_over(tx, &who, id, at(2)));
        assert_eq!(refusal(taken(chen())), CallRefusal::NothingToTakeOver, "nobody has it yet");
        store.write(move |tx| calls::answer(tx, &liu(), id, at(1))).unwrap();
        let note = |who: domain::access::Actor, text: &'static str| {
            store.write(move |tx| calls::note(tx, &who, id, text, at(2)))
        };
        let close = |who: domain::access::Actor| {
            store.write(move |tx| calls::close(tx, &who, id, Outcome::Answered, at(3)))
        };
        assert!(matches!(refusal(note(chen(), "插话")), CallRefusal::Others(_)));
        let refused = refusal(close(chen()));
        assert!(refused.to_string().contains("请先接手"), "{refused}");
        assert_eq!(refusal(taken(liu())), CallRefusal::NothingToTakeOver);
        taken(chen()).unwrap();
        assert!(matches!(refusal(note(liu(), "还在说")), CallRefusal::Others(_)), "it is the other's now");
        note(chen(), "老人问助餐").unwrap();
        close(chen()).unwrap();
        assert_eq!(refusal(taken(liu())), CallRefusal::Closed);
        let acts: Vec<String> = store
            .read(move |tx| {
                tx.all("SELECT act FROM evidence WHERE subject = ?1 ORDER BY seq", p![id], |row| row.get(0))
            })
            .unwrap();
        assert_eq!(acts, ["call.rang", "call.answered", "call.taken_over", "call.noted", "call.closed"]);
    });
}

#[test]
fn a_call_of_another_county_cannot_be_taken_over() {
    on_both(|store| {
        town(&store);
        let id = ringing(&store);
        store.write(move |tx| calls::answer(tx, &somebody(Role::Agent, 10), id, at(1))).unwrap();
        let mut stranger = somebody(Role::Agent, 12);
        stranger.range = region(ELSEWHERE).range();
        let answer = store.write(move |tx| calls::take_over(tx, &stranger, id, at(2)));
        assert!(matches!(answer, Err(No::NotFound)), "{answer:?}");
        let auditor = somebody(Role::Auditor, 13);
        let answer = store.write(move |tx| calls::take_over(tx, &auditor, id, at(2)));
        assert!(matches!(answer, Err(No::Forbidden(_))), "{answer:?}");
    });
}

#[test]
fn a_call_keeps_no_more_of_what_is_sent_than_a_call_can_have() {
    on_both(|store| {
        town(&store);
        let report = |external_id: String, line: String, number: String| {
            let system = somebody(Role::System, 1);
            let call = NewCall { external_id, line, number, rang_at: at(0).0, region: region(COUNTY) };
            store.write(move |tx| calls::report(tx, &system, &call, at(0)))
        };
        let long = |c: &str, n: usize| c.repeat(n);
        for (external_id, line) in [(long("x", 129), "12349".into()), ("c-1".into(), long("线", 65))] {
            let refused = refusal(report(external_id, line, String::new()));
            assert!(matches!(refused, CallRefusal::TooLong { .. }), "{refused:?}");
        }
        let kept = |n: &str, number: String| {
            let id = report(n.into(), "12349".into(), number).unwrap();
            let agent = somebody(Role::Agent, 10);
            store.read(move |tx| {
                let call =
                    calls::call(tx, &agent, id).map_err(|no| app::store::Fault::other(format!("{no:?}")))?;
                tx.vault().decrypt("call", id.0, &call.number)
            })
        };
        assert_eq!(kept("1", "１３９０３７８０００１".into()).unwrap(), "13903780001");
        assert_eq!(kept("2", String::new()).unwrap(), "", "a number may be withheld");
        assert_eq!(kept("3", "anonymous\u{7}\n".into()).unwrap(), "anonymous", "it is a call all the same");
        assert_eq!(kept("4", long("７", 200_000)).unwrap(), long("7", 32));

        let id = ringing(&store);
        let note = |text: String| {
            store.write(move |tx| calls::note(tx, &somebody(Role::Agent, 10), id, &text, at(2)))
        };
        assert_eq!(refusal(note(long("长", 4_001))), CallRefusal::NoteTooLong(4_000));
        note(long("长", 4_000)).unwrap();
    });
}
