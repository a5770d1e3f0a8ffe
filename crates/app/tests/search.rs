//! Finding people: whatever is asked, on either database, in any order and from page to page, the answer is what going
//! through the whole list with a pencil would give.

use app::{
    outcome::No,
    parties::people::{
        self, NewFact, NewPerson,
        search::{Cursor, PeopleQuery, Sort, search},
    },
    regions::{self, NewRegion},
    settings,
    store::{Fault, Store},
};
use city::testing::on_both;
use domain::{
    access::{Actor, Role},
    ids::{AccountId, PersonId},
    parties::{
        Ability, FactValue, Hardship, IdNumber, LivingArrangement, PersonName, PersonState, Phone, Span, name,
    },
    regions::{RegionCode, RegionRange},
    time::{At, Day, Now},
};

const VILLAGES: [&str; 5] = ["410202001001", "410202001002", "410202100201", "410203001001", "410203001002"];
const PEOPLE: usize = 420;

/// Somebody as the pencil sees them.
#[derive(Debug, Clone)]
struct Entry {
    id: PersonId,
    name: String,
    region: i64,
    birth: Day,
    living: Option<LivingArrangement>,
    ability: Option<Ability>,
    hardships: Vec<Hardship>,
    state: PersonState,
}

fn now() -> Now {
    Now(At::parse("2026-11-21T09:00").unwrap())
}

fn code(text: &str) -> RegionCode {
    RegionCode::parse(text).unwrap()
}

fn actor(region: &str) -> Actor {
    let range = if region.is_empty() { RegionRange::ALL } else { code(region).range() };
    let name = "王敏".to_owned();
    Actor { account: AccountId(9), name, role: Role::System, range, provider: None, carer: None }
}

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

fn person(dice: &mut Dice, n: usize) -> (NewPerson, Entry) {
    let name = format!("{}{}", dice.one(&["王", "李", "张", "赵"]), dice.one(&["秀英", "建国", "芳", "文"]));
    let birth: Day =
        format!("19{}-0{}-1{}", 24 + dice.below(43), 1 + dice.below(9), dice.below(10)).parse().unwrap();
    let region = dice.one(&VILLAGES);
    let body = format!("410299{}{:03}", birth.strftime("%Y%m%d"), n % 500 * 2);
    let numbers = "0123456789X".chars().map(|last| format!("{body}{last}"));
    let id_no = numbers.into_iter().find_map(|text| IdNumber::parse(&text, true).ok()).unwrap();
    let mut facts = Vec::new();
    let mut state_that = |value| {
        facts.push(NewFact { value, span: Span::since("2024-01-01".parse().unwrap()), source: "村".into() })
    };
    let living = (dice.below(4) > 0).then(|| dice.one(&LivingArrangement::ALL));
    let ability = (dice.below(3) == 0).then(|| dice.one(Ability::ALL));
    let state = if dice.below(8) == 0 { dice.one(PersonState::ALL) } else { PersonState::Active };
    let hardships: Vec<Hardship> = Hardship::ALL.into_iter().filter(|_| dice.below(12) == 0).collect();
    living.into_iter().for_each(|l| state_that(FactValue::Living(l)));
    ability.into_iter().for_each(|a| state_that(FactValue::Ability(a)));
    hardships.iter().for_each(|h| state_that(FactValue::Hardship(*h)));
    if state != PersonState::Active {
        state_that(FactValue::State(state));
    }
    let new = NewPerson {
        facts,
        phone: Some(Phone::parse(&format!("1380000{n:04}")).unwrap()),
        ..NewPerson::of_id(PersonName::parse(&name).unwrap(), id_no, code(region), "1 号")
    };
    let region = code(region).number();
    (new, Entry { id: PersonId(0), name, region, birth, living, ability, hardships, state })
}

/// A register of some hundred people, entered as a city is: its indexes taken away before and made afterwards.
fn register(store: &Store) -> Vec<Entry> {
    let above = [("41", "河南省"), ("4102", "开封市"), ("410202", "龙亭区"), ("410203", "顺河区")];
    let towns = [("410202001", "甲街道"), ("410202100", "乙乡"), ("410203001", "丙街道")];
    let villages = VILLAGES.iter().zip(["一村", "二村", "三村", "四村", "五村"]).map(|(c, n)| (*c, n));
    let rows: Vec<NewRegion> = above
        .into_iter()
        .chain(towns)
        .chain(villages)
        .map(|(code_, name)| NewRegion { code: code(code_), name: name.into() })
        .collect();
    let mut dice = Dice(7);
    let (new, mut entries): (Vec<NewPerson>, Vec<Entry>) = (0..PEOPLE).map(|n| person(&mut dice, n)).unzip();
    let enrolled = store
        .write(move |tx| {
            regions::load(tx, &rows, now())?;
            settings::set(tx, settings::ALLOW_TEST_REGIONS, "yes")?;
            people::begin_bulk(tx)?;
            let enrolled = people::enrol_many(tx, &actor(""), &new, now());
            people::end_bulk(tx)?;
            Ok::<_, Fault>(enrolled.unwrap())
        })
        .unwrap();
    for (entry, enrolled) in entries.iter_mut().zip(enrolled) {
        entry.id = enrolled.unwrap().person();
    }
    entries
}

fn age(birth: Day) -> u16 {
    let (today, birthday) = (now().day(), (birth.month(), birth.day()));
    let years = today.year() - birth.year() - i16::from(birthday > (today.month(), today.day()));
    u16::try_from(years).unwrap()
}

/// What the pencil finds.
fn pencil(entries: &[Entry], actor: &Actor, query: &PeopleQuery) -> Vec<PersonId> {
    let letters = query.text.is_ascii() && !query.text.is_empty();
    let mut found: Vec<&Entry> = entries
        .iter()
        .filter(|e| actor.sees(RegionCode::new(e.region).unwrap()))
        .filter(|e| query.region.is_none_or(|r| r.range().holds(RegionCode::new(e.region).unwrap())))
        .filter(|e| {
            if letters {
                name::initials(&e.name).starts_with(&query.text)
            } else {
                e.name.starts_with(&query.text)
            }
        })
        .filter(|e| query.age_from.is_none_or(|from| age(e.birth) >= from))
        .filter(|e| query.age_to.is_none_or(|to| age(e.birth) <= to))
        .filter(|e| query.living.is_none_or(|l| e.living == Some(l)))
        .filter(|e| query.ability.is_none_or(|a| e.ability == Some(a)))
        .filter(|e| query.hardship.is_none_or(|h| e.hardships.contains(&h)))
        .filter(|e| query.state.is_none_or(|s| e.state == s))
        .collect();
    match query.sort {
        Sort::Place => found.sort_by_key(|e| (e.region, e.id)),
        Sort::Name => found.sort_by_key(|e| (e.name.clone(), e.region, e.id)),
        Sort::Oldest => found.sort_by_key(|e| (e.birth, e.region, e.id)),
        Sort::Youngest => found.sort_by_key(|e| std::cmp::Reverse((e.birth, e.region, e.id))),
        Sort::Newest => found.sort_by_key(|e| std::cmp::Reverse(e.id)),
    }
    found.into_iter().map(|e| e.id).collect()
}

/// A page: who, and the pages after and before.
type Leaf = (Vec<PersonId>, Option<Cursor>, Option<Cursor>, (usize, bool));

fn page(store: &Store, actor: &Actor, query: &PeopleQuery) -> Leaf {
    let (actor, query) = (actor.clone(), query.clone());
    let found = store.read(move |tx| search(tx, &actor, &query, now()).map_err(|no: No<_>| no)).unwrap();
    let ids = found.cards.iter().map(|card| card.id).collect();
    (ids, found.next, found.prev, (found.total, found.more))
}

/// Turns the pages to the end and back again.
fn check(store: &Store, entries: &[Entry], actor: &Actor, query: &PeopleQuery) {
    let expected = pencil(entries, actor, query);
    let most = query.count_most.unwrap_or(usize::MAX);
    let mut query = PeopleQuery { limit: 23, ..query.clone() };
    let (mut forward, mut leaves) = (Vec::new(), 0);
    let last = loop {
        let (ids, next, prev, counted) = page(store, actor, &query);
        assert_eq!(counted, (expected.len().min(most), expected.len() > most), "{query:?}");
        forward.extend(ids);
        leaves += 1;
        match next {
            Some(next) => query.cursor = Some(next),
            None => break prev,
        }
        assert!(leaves < 100, "{query:?} goes in circles");
    };
    assert_eq!(forward, expected, "{query:?}");
    let Some(last) = last else { return };
    query.cursor = Some(last);
    let (before, ..) = page(store, actor, &query);
    let from = (leaves - 2) * 23;
    assert_eq!(before, expected[from..from + 23], "back: {query:?}");
}

/// Queries of every kind: rare and common wishes, alone and together.
fn queries() -> Vec<PeopleQuery> {
    let all = PeopleQuery::default;
    let mut queries = vec![
        all(),
        PeopleQuery { text: "王".into(), ..all() },
        PeopleQuery { text: "王秀英".into(), state: Some(PersonState::Active), ..all() },
        PeopleQuery { text: "zjg".into(), ..all() },
        PeopleQuery { text: "w".into(), age_from: Some(80), ..all() },
        PeopleQuery { text: "陈".into(), ..all() },
        PeopleQuery { age_from: Some(101), ..all() },
        PeopleQuery { age_from: Some(70), age_to: Some(74), ..all() },
        PeopleQuery { age_from: Some(90), living: Some(LivingArrangement::Alone), ..all() },
        PeopleQuery {
            age_to: Some(65),
            ability: Some(Ability::Severe),
            state: Some(PersonState::Active),
            ..all()
        },
        PeopleQuery {
            hardship: Some(Hardship::Tekun),
            living: Some(LivingArrangement::WithSpouse),
            ability: Some(Ability::Intact),
            ..all()
        },
    ];
    queries.extend(PersonState::ALL.iter().map(|s| PeopleQuery { state: Some(*s), ..all() }));
    queries.extend(Ability::ALL.iter().map(|a| PeopleQuery { ability: Some(*a), ..all() }));
    queries.extend(LivingArrangement::ALL.map(|l| PeopleQuery { living: Some(l), ..all() }));
    queries.extend(Hardship::ALL.map(|h| PeopleQuery { hardship: Some(h), ..all() }));
    queries
}

#[test]
fn every_filter_order_and_place_finds_whom_the_list_has() {
    on_both(|store| {
        let entries = register(&store);
        for (n, query) in queries().into_iter().enumerate() {
            // Few matches are sorted in memory, many walked along an index; both must agree with the pencil.
            for count_most in [None, Some(20)] {
                let sort = Sort::ALL[n % Sort::ALL.len()];
                check(&store, &entries, &actor(""), &PeopleQuery { sort, count_most, ..query.clone() });
            }
        }
    });
}

#[test]
fn every_order_holds_in_every_place() {
    on_both(|store| {
        let entries = register(&store);
        for sort in Sort::ALL {
            for place in ["", "410202", "410203001", "410202001001"] {
                let all = PeopleQuery { sort, count_most: Some(10), ..PeopleQuery::default() };
                check(&store, &entries, &actor(place), &all);
                let narrowed = PeopleQuery { region: (!place.is_empty()).then(|| code(place)), ..all };
                check(&store, &entries, &actor("4102"), &narrowed);
                let named = PeopleQuery { text: "李".into(), living: None, ..narrowed };
                check(&store, &entries, &actor("4102"), &named);
            }
        }
    });
}

#[test]
fn a_post_finds_nobody_elsewhere() {
    on_both(|store| {
        let entries = register(&store);
        let elsewhere = PeopleQuery { region: Some(code("410203")), ..PeopleQuery::default() };
        assert!(page(&store, &actor("410202"), &elsewhere).0.is_empty());
        let stranger = entries.iter().find(|e| e.region >= 410_203_000_000).unwrap();
        let by_number = PeopleQuery { text: stranger.id.to_string(), ..PeopleQuery::default() };
        assert!(page(&store, &actor("410202"), &by_number).0.is_empty());
        assert_eq!(page(&store, &actor("410203"), &by_number).0, [stranger.id]);
    });
}
