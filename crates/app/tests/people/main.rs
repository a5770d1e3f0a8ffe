//! The register of elders keeps its promises on both databases.

mod changing;

use app::{
    evidence::Trouble,
    outcome::No,
    parties::people::{
        self, Card, Change, EditRefusal, EnrolRefusal, Enrolled, FactRefusal, Field, NewContact, NewFact,
        NewPerson, RevealRefusal,
    },
    regions::{self, NewRegion},
    settings,
    store::{Place, Store, Tx},
};
use city::testing::{Bed, on_both, on_both_beds};
use domain::{
    access::{Actor, Role},
    ids::{AccountId, PersonId},
    parties::{
        Ability, BankCard, FactValue, Hardship, IdNumber, LivingArrangement, PersonName, PersonState, Phone,
        Sex, Span,
    },
    regions::{RegionCode, RegionRange},
    time::{At, Day, Now},
};

const LISHITING: &str = "410202001001";
const WENCHANG: &str = "410202100201";
const QINGPING: &str = "410203001001";

fn now() -> Now {
    Now(At::parse("2026-11-21T09:00").unwrap())
}

fn later(minutes: i64) -> Now {
    Now(now().0.plus_minutes(minutes))
}

fn code(text: &str) -> RegionCode {
    RegionCode::parse(text).unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn actor(role: Role, range: RegionRange) -> Actor {
    Actor { account: AccountId(9), name: "王敏".into(), role, range, provider: None, carer: None }
}

fn officer() -> Actor {
    actor(Role::StreetOfficer, code("410202").range())
}

fn program() -> Actor {
    actor(Role::System, RegionRange::ALL)
}

/// A small city in an office that takes made-up numbers.
fn city(store: &Store) {
    let row = |code_: &str, name: &str| NewRegion { code: code(code_), name: name.into() };
    let rows = vec![
        row("41", "河南省"),
        row("4102", "开封市"),
        row("410202", "龙亭区"),
        row("410202001", "北道门街道"),
        row(LISHITING, "理事厅社区"),
        row("410202100", "北郊乡"),
        row(WENCHANG, "文昌村"),
        row("410203", "顺河区"),
        row("410203001", "清平街道"),
        row(QINGPING, "文昌社区"),
    ];
    store
        .write(move |tx| {
            regions::load(tx, &rows, now())?;
            settings::set(tx, settings::ALLOW_TEST_REGIONS, "yes")
        })
        .unwrap();
}

/// A made-up identity number of a woman born on a day.
fn number(birth: &str, n: u32) -> IdNumber {
    let body = format!("410299{birth}{:03}", n * 2);
    let found = (0..11).map(|d| format!("{body}{}", "0123456789X".chars().nth(d).unwrap()));
    found.into_iter().find_map(|text| IdNumber::parse(&text, true).ok()).unwrap()
}

fn elder(name: &str, birth: &str, n: u32, region: &str) -> NewPerson {
    let name = PersonName::parse(name).unwrap();
    NewPerson::of_id(name, number(birth, n), code(region), "3 号楼 2 单元 101")
}

fn fact(value: FactValue, from: &str) -> NewFact {
    NewFact { value, span: Span::since(day(from)), source: "村（社区）上报".into() }
}

fn wang() -> NewPerson {
    NewPerson {
        phone: Some(Phone::parse("13800001234").unwrap()),
        language: "方言".into(),
        hearing: "听力差".into(),
        bank_card: Some(BankCard::parse("6222020000000000000").unwrap()),
        health: "高血压，青霉素过敏".into(),
        contacts: vec![
            NewContact {
                name: "王建国".into(),
                relation: "儿子".into(),
                phone: Phone::parse("13900005678").unwrap(),
            },
            NewContact {
                name: "李梅".into(),
                relation: "邻居".into(),
                phone: Phone::parse("0378-2351234").unwrap(),
            },
        ],
        facts: vec![
            fact(FactValue::Living(LivingArrangement::Alone), "2020-05-01"),
            fact(FactValue::Hardship(Hardship::Dibao), "2024-01-01"),
            fact(FactValue::Ability(Ability::Moderate), "2026-03-11"),
            fact(FactValue::Hukou(code("410203")), "2000-01-01"),
        ],
        ..elder("王秀英", "19430412", 1, LISHITING)
    }
}

fn write<T: Send + 'static, R: Send + 'static + std::fmt::Debug>(
    store: &Store,
    mut work: impl FnMut(&mut Tx<'_>) -> Result<T, No<R>> + Send + 'static,
) -> Result<T, No<R>> {
    store.write(move |tx| work(tx))
}

fn enrol(store: &Store, new: &NewPerson) -> Result<Enrolled, EnrolRefusal> {
    let new = new.clone();
    write(store, move |tx| people::enrol(tx, &officer(), &new, now())).map_err(refusal)
}

fn refusal<R: std::fmt::Debug>(no: No<R>) -> R {
    match no {
        No::Refused(r) => r,
        other => panic!("not a refusal: {other:?}"),
    }
}

fn card(store: &Store, id: PersonId) -> Card {
    store.read(move |tx| people::card(tx, &officer(), id, now())).unwrap()
}

fn troubles(store: &Store) -> Vec<Trouble> {
    store.read(people::verify_people).unwrap()
}

#[test]
fn a_card_says_who_where_and_what_to_mind() {
    on_both(|store| {
        city(&store);
        let id = enrol(&store, &wang()).unwrap().person();
        let card = card(&store, id);
        assert_eq!((card.name.as_str(), card.age, card.sex), ("王秀英", 83, Sex::Female));
        assert_eq!(card.region_path, "龙亭区 北道门街道 理事厅社区");
        assert_eq!(card.phone_masked, "138****1234");
        assert_eq!(card.labels, ["低保", "中度失能", "独居"]);
        assert_eq!((card.language.as_str(), card.hearing.as_str()), ("方言", "听力差"));
        assert_eq!(troubles(&store), []);
    });
}

#[test]
fn a_record_is_shown_masked() {
    on_both(|store| {
        city(&store);
        let id = enrol(&store, &wang()).unwrap().person();
        let person = store.read(move |tx| people::person(tx, &officer(), id, now())).unwrap();
        assert!(person.id_no_masked.unwrap().starts_with("410*************"));
        assert_eq!(person.address_masked, "龙亭区 北道门街道 理事厅社区 ***");
        assert_eq!(person.bank_card_masked.unwrap(), "**** 0000");
        assert_eq!(person.hukou_path, "顺河区");
        let contacts: Vec<_> =
            person.contacts.iter().map(|c| (c.name.as_str(), c.phone_masked.as_str())).collect();
        assert_eq!(contacts, [("王建国", "139****5678"), ("李梅", "037****1234")]);
        assert_eq!(person.facts.len(), 4);
    });
}

#[test]
fn the_same_number_twice_is_one_person() {
    on_both(|store| {
        city(&store);
        let Enrolled::New(id) = enrol(&store, &wang()).unwrap() else { panic!() };
        assert_eq!(enrol(&store, &wang()), Ok(Enrolled::Unchanged(id)));
        // What a second list leaves empty stays.
        assert_eq!(enrol(&store, &elder("王秀英", "19430412", 1, LISHITING)), Ok(Enrolled::Unchanged(id)));
        let moved = NewPerson { region: code(WENCHANG), ..wang() };
        assert_eq!(enrol(&store, &moved), Ok(Enrolled::Changed(id)));
        assert_eq!(card(&store, id).region_path, "龙亭区 北郊乡 文昌村");
        assert_eq!(troubles(&store), []);
    });
}

#[test]
fn a_newer_list_ends_what_it_contradicts() {
    on_both(|store| {
        city(&store);
        let id = enrol(&store, &wang()).unwrap().person();
        let with_children = FactValue::Living(LivingArrangement::WithChildren);
        let second = NewPerson { facts: vec![fact(with_children, "2026-06-01")], ..wang() };
        assert_eq!(enrol(&store, &second), Ok(Enrolled::Changed(id)));
        assert_eq!(card(&store, id).living, Some(LivingArrangement::WithChildren));
        let may = day("2026-05-31");
        let then = store.read(move |tx| people::facts_as_of(tx, &officer(), id, Some(may), None)).unwrap();
        let alone = FactValue::Living(LivingArrangement::Alone);
        assert!(then.iter().any(|f| f.value == alone) && !then.iter().any(|f| f.value == with_children_()));
        // An older claim than the one that holds is not taken.
        let older = NewPerson { facts: vec![fact(alone.clone(), "2019-01-01")], ..wang() };
        assert!(matches!(enrol(&store, &older), Err(EnrolRefusal::Overlap(..))));
    });
    fn with_children_() -> FactValue {
        FactValue::Living(LivingArrangement::WithChildren)
    }
}

#[test]
fn what_cannot_be_entered_is_refused_with_a_reason() {
    on_both(|store| {
        city(&store);
        let outside = elder("张三", "19400101", 1, QINGPING);
        assert_eq!(
            enrol(&store, &outside),
            Err(EnrolRefusal::OutsideRange("顺河区 清平街道 文昌社区".into()))
        );
        let unknown = elder("张三", "19400101", 1, "410202001099");
        assert_eq!(enrol(&store, &unknown), Err(EnrolRefusal::RegionUnknown("410202001099".into())));
        let high = elder("张三", "19400101", 1, "410202001");
        assert_eq!(enrol(&store, &high), Err(EnrolRefusal::RegionTooHigh("龙亭区 北道门街道".into())));
        let unborn = NewPerson::without_id(
            PersonName::parse("张三").unwrap(),
            Sex::Male,
            day("2026-11-22"),
            code(LISHITING),
            "1 号",
        );
        assert_eq!(enrol(&store, &unborn), Err(EnrolRefusal::BornLater(day("2026-11-22"))));
        let homeless = NewPerson { address: " ".into(), ..elder("张三", "19400101", 1, LISHITING) };
        assert_eq!(enrol(&store, &homeless), Err(EnrolRefusal::Address));
        let other_birth = NewPerson { birth: day("1941-01-01"), ..elder("张三", "19400101", 1, LISHITING) };
        assert_eq!(enrol(&store, &other_birth), Err(EnrolRefusal::AgainstId));
        let two = NewPerson {
            facts: vec![
                fact(FactValue::Living(LivingArrangement::Alone), "2020-01-01"),
                fact(FactValue::Living(LivingArrangement::WithSpouse), "2021-01-01"),
            ],
            ..elder("张三", "19400101", 1, LISHITING)
        };
        assert!(matches!(enrol(&store, &two), Err(EnrolRefusal::Overlap(..))));
    });
}

#[test]
fn made_up_numbers_are_refused_in_a_real_office() {
    on_both(|store| {
        city(&store);
        store.write(|tx| settings::set(tx, settings::ALLOW_TEST_REGIONS, "no")).unwrap();
        assert_eq!(enrol(&store, &wang()), Err(EnrolRefusal::TestRegion));
    });
}

#[test]
fn without_a_number_name_birthday_and_village_tell_people_apart() {
    on_both(|store| {
        city(&store);
        let li = |region| {
            NewPerson::without_id(
                PersonName::parse("李桂芳").unwrap(),
                Sex::Female,
                day("1945-02-03"),
                code(region),
                "12 号",
            )
        };
        let id = enrol(&store, &li(LISHITING)).unwrap().person();
        let alike = EnrolRefusal::Alike { name: "李桂芳".into(), person: id };
        assert_eq!(enrol(&store, &li(LISHITING)), Err(alike));
        assert!(matches!(enrol(&store, &li(WENCHANG)), Ok(Enrolled::New(_))));
    });
}

#[test]
fn somebody_registered_elsewhere_is_neither_shown_nor_taken() {
    on_both(|store| {
        city(&store);
        let there = elder("赵明", "19360101", 5, QINGPING);
        let id = write(&store, move |tx| people::enrol(tx, &program(), &there, now())).unwrap().person();
        let here = elder("赵明", "19360101", 5, LISHITING);
        assert_eq!(enrol(&store, &here), Err(EnrolRefusal::RegisteredElsewhere));
        let seen = store.read(move |tx| people::card(tx, &officer(), id, now()));
        assert!(matches!(seen, Err(No::NotFound)));
        let opened =
            write(&store, move |tx| people::reveal(tx, &officer(), id, Field::IdNo, Some("核对身份"), now()));
        assert!(matches!(opened, Err(No::NotFound)));
        let stated = write(&store, move |tx| {
            let dead = fact(FactValue::State(PersonState::Deceased), "2026-11-20");
            people::state_fact(tx, &officer(), id, &dead, now())
        });
        assert!(matches!(stated, Err(No::NotFound)));
    });
}

#[test]
fn many_are_entered_under_one_evidence_and_a_bad_row_hurts_no_other() {
    on_both(|store| {
        city(&store);
        let people: Vec<NewPerson> = (0..700)
            .map(|n| {
                let region = if n == 3 { "410202001099" } else { LISHITING };
                elder("孙玉兰", &format!("19{:02}0101", 30 + n / 400), n % 400, region)
            })
            .chain([elder("孙玉兰", "19300101", 7, LISHITING), elder("孙玉英", "19300101", 8, LISHITING)])
            .collect();
        let answers = write(&store, move |tx| people::enrol_many(tx, &officer(), &people, now())).unwrap();
        assert_eq!(answers[3], Err(EnrolRefusal::RegionUnknown("410202001099".into())));
        assert_eq!(answers.iter().filter(|a| matches!(a, Ok(Enrolled::New(_)))).count(), 699);
        // The same number twice in one list: once as it was, once with another name.
        assert!(matches!(answers[700], Ok(Enrolled::Unchanged(_))));
        assert!(matches!(answers[701], Ok(Enrolled::Changed(_))));
        let entries = store.read(|tx| app::evidence::recent(tx, &officer(), None, 10)).unwrap();
        assert_eq!(entries.iter().filter(|e| e.act == "people.enrolled").count(), 1);
        assert_eq!(entries[0].detail, r#"{"people":699}"#);
        assert_eq!(entries[0].region, code(LISHITING).number());
        assert_eq!(troubles(&store), []);
    });
}

#[test]
fn entering_needs_the_act() {
    on_both(|store| {
        city(&store);
        for role in [Role::Agent, Role::Auditor, Role::Dispatcher, Role::Administrator] {
            let answer =
                write(&store, move |tx| people::enrol(tx, &actor(role, RegionRange::ALL), &wang(), now()));
            assert!(matches!(answer, Err(No::Forbidden(_))), "{role:?}");
        }
    });
}

#[test]
fn a_number_is_known_by_its_owner_and_as_a_contact() {
    on_both(|store| {
        city(&store);
        enrol(&store, &wang()).unwrap();
        let son = NewPerson {
            phone: Some(Phone::parse("13900005678").unwrap()),
            ..elder("王建国", "19660101", 3, LISHITING)
        };
        enrol(&store, &son).unwrap();
        let phone = Phone::parse("13900005678").unwrap();
        let of = move |actor: Actor, store: &Store| {
            let phone = phone.clone();
            let found = store.read(move |tx| people::cards_of_phone(tx, &actor, &phone, now())).unwrap();
            found.into_iter().map(|(card, relation)| (card.name, relation)).collect::<Vec<_>>()
        };
        let both = [("王建国".to_owned(), "本人".to_owned()), ("王秀英".to_owned(), "儿子".to_owned())];
        assert_eq!(of(officer(), &store), both);
        assert_eq!(of(actor(Role::Agent, code("410203").range()), &store), []);
    });
}

#[test]
fn a_masked_value_opens_with_a_reason_that_is_kept() {
    on_both(|store| {
        city(&store);
        let id = enrol(&store, &wang()).unwrap().person();
        let open = |field, reason: Option<&'static str>, at| {
            write(&store, move |tx| people::reveal(tx, &officer(), id, field, reason, at))
        };
        assert_eq!(refusal(open(Field::IdNo, None, now()).unwrap_err()), RevealRefusal::Reason);
        assert_eq!(refusal(open(Field::IdNo, Some(" 看 "), now()).unwrap_err()), RevealRefusal::Reason);
        assert_eq!(open(Field::Phone, Some("联系本人"), now()).unwrap(), "13800001234");
        // The reason holds for the rest of the visit, and no longer.
        assert_eq!(open(Field::BankCard, None, later(29)).unwrap(), "6222020000000000000");
        assert_eq!(open(Field::Health, Some("办理补贴"), later(90)).unwrap(), "高血压，青霉素过敏");
        assert_eq!(refusal(open(Field::IdNo, None, later(200)).unwrap_err()), RevealRefusal::Reason);
        let contact = store.read(move |tx| people::contacts(tx, &officer(), id)).unwrap()[0].id;
        assert_eq!(open(Field::ContactPhone(contact), Some("联系家属"), later(90)).unwrap(), "13900005678");
        let looks = store.read(move |tx| people::who_looked(tx, &officer(), id)).unwrap();
        let said: Vec<_> = looks.iter().map(|l| (l.field, l.reason.as_str())).collect();
        assert_eq!(
            said,
            [
                ("联系人电话", "联系家属"),
                ("健康情况", "办理补贴"),
                ("银行卡", "联系本人"),
                ("电话", "联系本人")
            ]
        );
    });
}

#[test]
fn another_account_gives_its_own_reason() {
    on_both(|store| {
        city(&store);
        let id = enrol(&store, &wang()).unwrap().person();
        let other = Actor { account: AccountId(10), ..officer() };
        write(&store, move |tx| people::reveal(tx, &officer(), id, Field::Phone, Some("联系本人"), now()))
            .unwrap();
        let answer = write(&store, move |tx| people::reveal(tx, &other, id, Field::Phone, None, later(1)));
        assert_eq!(refusal(answer.unwrap_err()), RevealRefusal::Reason);
    });
}

#[test]
fn a_change_behind_the_logs_back_is_found() {
    on_both_beds(|bed: &Bed| {
        let store = &bed.store;
        city(store);
        let people =
            vec![wang(), elder("赵明", "19360101", 5, LISHITING), elder("周凤", "19360101", 6, LISHITING)];
        let answers = write(store, move |tx| people::enrol_many(tx, &officer(), &people, now())).unwrap();
        let id = answers[0].as_ref().unwrap().person();
        let gone = answers[2].as_ref().unwrap().person();
        for sql in [
            format!("UPDATE person SET address = '别处' WHERE id = {id}"),
            format!(
                "UPDATE person_fact SET valid_from = '2010-01-01' WHERE person = {id} AND kind = 'living'"
            ),
            format!("UPDATE contact SET rank = 3 WHERE person = {id} AND rank = 1"),
        ] {
            behind_its_back(bed, &sql);
            let found = troubles(store);
            assert!(
                matches!(&found[..], [Trouble::Row { table: "person", id: at, .. }] if *at == id.0),
                "{sql}: {found:?}"
            );
            behind_its_back(bed, &format!("UPDATE person SET address = '3 号楼 2 单元 101' WHERE id = {id}"));
            behind_its_back(
                bed,
                &format!(
                    "UPDATE person_fact SET valid_from = '2020-05-01' WHERE person = {id} AND kind = 'living'"
                ),
            );
            behind_its_back(bed, &format!("UPDATE contact SET rank = 1 WHERE person = {id} AND rank = 3"));
            assert_eq!(troubles(store), []);
        }
        behind_its_back(bed, &format!("DELETE FROM person WHERE id = {gone}"));
        assert_eq!(troubles(store).len(), 1, "the batch misses somebody");
    });
}

#[test]
fn an_older_record_put_back_with_its_code_is_found() {
    on_both_beds(|bed: &Bed| {
        let store = &bed.store;
        city(store);
        let id = enrol(store, &wang()).unwrap().person();
        behind_its_back(bed, "CREATE TABLE kept AS SELECT * FROM person");
        let change = Change { hearing: Some("聋".into()), ..Change::default() };
        write(store, move |tx| people::edit(tx, &officer(), id, &change, later(1))).unwrap();
        assert_eq!(troubles(store), []);
        let back = ["hearing", "code", "updated_at"].map(|c| format!("{c} = (SELECT k.{c} FROM kept k)"));
        behind_its_back(bed, &format!("UPDATE person SET {}", back.join(", ")));
        let what = "档案与最后一次留痕不符，可能被换回旧内容".to_owned();
        assert_eq!(troubles(store), [Trouble::Row { table: "person", id: id.0, what }]);
    });
}

/// Speaks to the database behind the store's back.
fn behind_its_back(bed: &Bed, sql: &str) {
    match &bed.place {
        Place::Folder(folder) => {
            let conn = rusqlite::Connection::open(folder.join("xiyang.db")).unwrap();
            conn.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
            conn.execute_batch(sql).unwrap();
        }
        Place::Postgres(address) => {
            postgres::Client::connect(address, postgres::NoTls).unwrap().batch_execute(sql).unwrap();
        }
    }
}
