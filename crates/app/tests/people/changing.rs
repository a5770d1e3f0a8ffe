//! What is known of somebody changes: facts give way, are corrected and taken back; nothing is lost.

use super::*;

#[test]
fn a_fact_gives_way_to_a_newer_one_and_the_past_stays() {
    on_both(|store| {
        city(&store);
        let id = enrol(&store, &wang()).unwrap().person();
        let spouse = FactValue::Living(LivingArrangement::WithSpouse);
        let state =
            |new: NewFact, at| write(&store, move |tx| people::state_fact(tx, &officer(), id, &new, at));
        state(fact(spouse.clone(), "2026-10-01"), later(1)).unwrap();
        assert_eq!(card(&store, id).living, Some(LivingArrangement::WithSpouse));
        assert!(matches!(
            refusal(state(fact(spouse.clone(), "2026-10-01"), later(2)).unwrap_err()),
            FactRefusal::Known(_)
        ));
        let before = fact(FactValue::Living(LivingArrangement::WithChildren), "2026-09-01");
        assert!(matches!(refusal(state(before, later(2)).unwrap_err()), FactRefusal::Overlap(_)));
        let nameless = NewFact { source: " ".into(), ..fact(spouse.clone(), "2026-11-01") };
        assert_eq!(refusal(state(nameless, later(2)).unwrap_err()), FactRefusal::Source);
        let far = fact(spouse, "2029-01-01");
        assert_eq!(refusal(state(far, later(2)).unwrap_err()), FactRefusal::Day(day("2029-01-01")));
        // What held on a day, by what was known then.
        let living = |on: &str, known: Option<At>| {
            let on = day(on);
            let facts =
                store.read(move |tx| people::facts_as_of(tx, &officer(), id, Some(on), known)).unwrap();
            facts.into_iter().find_map(|f| match f.value {
                FactValue::Living(x) => Some(x),
                _ => None,
            })
        };
        assert_eq!(living("2026-11-01", None), Some(LivingArrangement::WithSpouse));
        assert_eq!(living("2026-11-01", Some(now().0)), Some(LivingArrangement::Alone));
        assert_eq!(living("2026-09-30", None), Some(LivingArrangement::Alone));
        assert_eq!(troubles(&store), []);
    });
}

#[test]
fn a_stay_in_hospital_ends_by_itself() {
    on_both(|store| {
        city(&store);
        let id = enrol(&store, &wang()).unwrap().person();
        let stay = NewFact {
            span: Span { from: day("2026-11-20"), to: Some(day("2026-12-01")) },
            ..fact(FactValue::State(PersonState::Hospital), "2026-11-20")
        };
        write(&store, move |tx| people::state_fact(tx, &officer(), id, &stay, later(1))).unwrap();
        assert_eq!(card(&store, id).state, PersonState::Hospital);
        let refresh = |at: Now| store.write(move |tx| people::refresh_summaries(tx, &program(), at)).unwrap();
        let day_of = |text| Now(At::parse(text).unwrap());
        assert_eq!(refresh(day_of("2026-11-30T01:00")), 0);
        assert_eq!(refresh(day_of("2026-12-01T01:00")), 1);
        assert_eq!(refresh(day_of("2026-12-01T02:00")), 0);
        assert_eq!(card(&store, id).state, PersonState::Active);
        assert_eq!(troubles(&store), []);
    });
}

#[test]
fn the_last_change_is_taken_back_whole_by_whoever_made_it() {
    on_both(|store| {
        city(&store);
        let id = enrol(&store, &wang()).unwrap().person();
        let seen = |store: &Store| {
            let person = store.read(move |tx| people::person(tx, &officer(), id, later(1))).unwrap();
            (person.card.name, person.card.address, person.card.hearing, person.contacts)
        };
        let before = seen(&store);
        let edit = |at| {
            let change = Change {
                name: Some(PersonName::parse("王秀云").unwrap()),
                region: Some(code(WENCHANG)),
                address: Some("写错的地址".into()),
                phone: Some(None),
                hearing: Some(String::new()),
                bank_card: Some(None),
                health: Some(String::new()),
                contacts: Some(Vec::new()),
                ..Change::default()
            };
            write(&store, move |tx| people::edit(tx, &officer(), id, &change, at))
        };
        let undo = |who: Actor, at| write(&store, move |tx| people::take_back_edit(tx, &who, id, at));
        assert_eq!(
            refusal(undo(officer(), later(1)).unwrap_err()),
            EditRefusal::TooLate,
            "nothing was changed"
        );
        edit(later(2)).unwrap();
        assert_ne!(seen(&store).1, before.1);
        let other = Actor { account: AccountId(10), ..officer() };
        assert_eq!(refusal(undo(other, later(3)).unwrap_err()), EditRefusal::TooLate);
        assert_eq!(refusal(undo(officer(), later(13)).unwrap_err()), EditRefusal::TooLate);
        undo(officer(), later(3)).unwrap();
        let after = seen(&store);
        assert_eq!((&after.0, &after.1, &after.2), (&before.0, &before.1, &before.2));
        let names =
            |contacts: &[people::Contact]| contacts.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&after.3), names(&before.3));
        for field in [Field::Phone, Field::BankCard, Field::Health] {
            write(&store, move |tx| people::reveal(tx, &officer(), id, field, Some("核对身份"), later(4)))
                .unwrap();
        }
        let again = undo(officer(), later(4));
        assert_eq!(refusal(again.unwrap_err()), EditRefusal::ChangedMeanwhile, "once");
        assert_eq!(troubles(&store), []);
    });
}

#[test]
fn a_wrong_fact_is_corrected_with_a_reason_and_a_fresh_one_taken_back() {
    on_both(|store| {
        city(&store);
        let id = enrol(&store, &wang()).unwrap().person();
        let dead = fact(FactValue::State(PersonState::Deceased), "2026-11-20");
        let stated =
            write(&store, move |tx| people::state_fact(tx, &officer(), id, &dead, later(1))).unwrap();
        assert_eq!(card(&store, id).state, PersonState::Deceased);
        // The file of the dead is kept as it is.
        let living = fact(FactValue::Living(LivingArrangement::WithChildren), "2026-11-01");
        let answer = write(&store, move |tx| people::state_fact(tx, &officer(), id, &living, later(2)));
        assert_eq!(refusal(answer.unwrap_err()), FactRefusal::Locked);
        let change = Change { hearing: Some("聋".into()), ..Change::default() };
        let answer = write(&store, move |tx| people::edit(tx, &officer(), id, &change, later(2)));
        assert_eq!(refusal(answer.unwrap_err()), EditRefusal::Locked);
        // Not by another, not too late.
        let other = Actor { account: AccountId(10), ..officer() };
        let answer = write(&store, move |tx| people::take_back_fact(tx, &other, stated, later(3)));
        assert_eq!(refusal(answer.unwrap_err()), FactRefusal::TooLate);
        let answer = write(&store, move |tx| people::take_back_fact(tx, &officer(), stated, later(12)));
        assert_eq!(refusal(answer.unwrap_err()), FactRefusal::TooLate);
        let correct = |reason: &'static str, at| {
            write(&store, move |tx| people::correct_fact(tx, &officer(), stated, None, reason, at))
        };
        assert_eq!(refusal(correct("误", later(60)).unwrap_err()), FactRefusal::Reason);
        correct("同名误报", later(60)).unwrap();
        assert_eq!(card(&store, id).state, PersonState::Active);
        assert_eq!(refusal(correct("同名误报", later(61)).unwrap_err()), FactRefusal::Corrected);
        assert_eq!(troubles(&store), []);
    });
}

#[test]
fn taking_back_brings_back_what_gave_way() {
    on_both(|store| {
        city(&store);
        let id = enrol(&store, &wang()).unwrap().person();
        let spouse = fact(FactValue::Living(LivingArrangement::WithSpouse), "2026-10-01");
        let stated =
            write(&store, move |tx| people::state_fact(tx, &officer(), id, &spouse, later(1))).unwrap();
        write(&store, move |tx| people::take_back_fact(tx, &officer(), stated, later(2))).unwrap();
        assert_eq!(card(&store, id).living, Some(LivingArrangement::Alone));
        let facts = store.read(move |tx| people::facts_as_of(tx, &officer(), id, None, None)).unwrap();
        let living: Vec<_> =
            facts.iter().filter(|f| matches!(f.value, FactValue::Living(_))).map(|f| f.span).collect();
        assert_eq!(living, [Span::since(day("2020-05-01"))]);
        assert_eq!(troubles(&store), []);
    });
}

#[test]
fn a_record_is_edited_once_per_version_and_keeps_what_was_there() {
    on_both(|store| {
        city(&store);
        let id = enrol(&store, &wang()).unwrap().person();
        let edit =
            |change: Change, at| write(&store, move |tx| people::edit(tx, &officer(), id, &change, at));
        let phone = |text| Some(Some(Phone::parse(text).unwrap()));
        let change = Change { seen: Some(now().0), phone: phone("13712345678"), ..Change::default() };
        edit(change.clone(), later(1)).unwrap();
        assert_eq!(card(&store, id).phone_masked, "137****5678");
        assert_eq!(refusal(edit(change, later(2)).unwrap_err()), EditRefusal::ChangedMeanwhile);
        let same = Change { hearing: Some("听力差".into()), ..Change::default() };
        assert_eq!(refusal(edit(same, later(2)).unwrap_err()), EditRefusal::Nothing);
        let away = Change { region: Some(code(QINGPING)), ..Change::default() };
        assert!(matches!(
            refusal(edit(away, later(2)).unwrap_err()),
            EditRefusal::Entry(EnrolRefusal::OutsideRange(_))
        ));
        let taken = elder("赵明", "19360101", 5, LISHITING);
        enrol(&store, &taken).unwrap();
        let steal = Change { id_no: Some(number("19360101", 5)), ..Change::default() };
        assert_eq!(
            refusal(edit(steal, later(2)).unwrap_err()),
            EditRefusal::Entry(EnrolRefusal::NumberTaken)
        );
        let entries = store.read(move |tx| app::evidence::trail(tx, &officer(), id.0)).unwrap();
        let last = entries.last().unwrap();
        assert!(last.detail.contains(r#""fields":["phone"]"#) && !last.detail.contains("13800001234"));
        let said = store.read(move |tx| people::timeline(tx, &officer(), id)).unwrap();
        assert_eq!(said.iter().map(|h| h.what.as_str()).collect::<Vec<_>>(), ["修改了电话", "登记入册"]);
        assert_eq!(troubles(&store), []);
    });
}
