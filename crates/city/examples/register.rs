use std::{path::PathBuf, sync::mpsc, time::Instant};
use app::{parties::people::{self, *, search::*}, regions::{self, NewRegion}, settings, store::*};
use city::{City, CitySpec, SimPerson};
use domain::{access::*, ids::AccountId, parties::{Ability, BankCard, FactValue, Hardship, IdNumber, LivingArrangement, PersonName, Phone, Span}, regions::*, time::*};

fn entered(person: &SimPerson, today: Day) -> NewPerson {
    let name = PersonName::parse(&person.name).unwrap();
    let id_no = IdNumber::parse(&person.id_no, true).unwrap();
    let region = RegionCode::new(person.residence).unwrap();
    let phone = |number: &str| Phone::parse(number).unwrap();
    let contacts = person.contacts.iter().map(|c| NewContact { name: c.name.clone(), relation: c.relation.zh().into(), phone: phone(&c.phone) });
    let mut facts = vec![NewFact { value: FactValue::Living(LivingArrangement::from_code(person.living.code()).unwrap()), span: Span::since(today), source: "村（社区）上报".into() }];
    if person.hukou != person.residence { facts.push(NewFact { value: FactValue::Hukou(RegionCode::new(person.hukou).unwrap()), span: Span::since(today), source: "户口簿".into() }); }
    if let Some(on) = person.assessed_on { facts.push(NewFact { value: FactValue::Ability(Ability::from_code(person.grade.code()).unwrap()), span: Span::since(on), source: "老年人能力评估".into() }); }
    for f in &person.hardships { facts.push(NewFact { value: FactValue::Hardship(Hardship::from_code(f.kind.code()).unwrap()), span: Span { from: f.from, to: f.to.map(|d| d.tomorrow().unwrap()) }, source: f.decision_no.clone().unwrap_or_else(|| "村（社区）上报".into()) }); }
    NewPerson {
        place: Some((person.lon, person.lat)), phone: Some(phone(&person.phone)),
        language: if person.dialect_only { "本地话".into() } else { String::new() },
        hearing: if person.hearing_loss { "听力差".into() } else { String::new() },
        contacts: contacts.collect(),
        bank_card: person.bank_card.as_deref().map(|c| BankCard::parse(c).unwrap()),
        facts, ..NewPerson::of_id(name, id_no, region, person.address.clone())
    }
}

fn main() {
    let n: u32 = std::env::args().nth(1).unwrap().parse().unwrap();
    let place = std::env::args().nth(2).unwrap();
    let place = if place.starts_with("postgres") { Place::Postgres(place) } else { Place::Folder(PathBuf::from(place)) };
    let fill = std::env::args().nth(3).is_some();
    let store = Store::open(&place, Vault::new(&[7; 32]), IdSource::new(0)).unwrap();
    let now = Now(At::parse("2026-11-21T09:00").unwrap());
    let csv = std::fs::read_to_string("cities/regions.csv").unwrap();
    let city = City::build(CitySpec::kaifeng(7, n, now.day()), &csv).unwrap();
    let actor = Actor { account: AccountId(1), name: "x".into(), role: Role::System, range: RegionRange::ALL, provider: None, carer: None };
    if fill {
        let code = |c| RegionCode::new(c).unwrap();
        let mut rows: Vec<NewRegion> = vec![NewRegion{code: code(410000000000), name: "河南省".into()}, NewRegion{code: code(410200000000), name: "开封市".into()}];
        rows.extend(city.regions.counties.iter().map(|c| NewRegion { code: code(c.code), name: c.name.clone() }));
        rows.extend(city.regions.townships.iter().map(|c| NewRegion { code: code(c.code), name: c.name.clone() }));
        rows.extend(city.villages.iter().map(|c| NewRegion { code: code(c.code), name: c.name.clone() }));
        store.write(move |tx| { regions::load(tx, &rows, now)?; settings::set(tx, settings::ALLOW_TEST_REGIONS, "yes") }).unwrap();
        let t = Instant::now();
        store.write(|tx| people::begin_bulk(tx)).unwrap();
        let (send, receive) = mpsc::sync_channel::<Vec<NewPerson>>(2);
        std::thread::scope(|s| {
            s.spawn(|| { let send = send; let mut batch = vec![]; for p in city.people() { batch.push(entered(&p, now.day())); if batch.len() == 10_000 { send.send(std::mem::take(&mut batch)).unwrap(); } } send.send(batch).unwrap(); });
            for batch in receive { let actor = actor.clone(); store.write(move |tx| people::enrol_many(tx, &actor, &batch, now)).unwrap(); }
        });
        println!("enrolled {n} in {:?}", t.elapsed());
        let e = Instant::now();
        store.write(|tx| people::end_bulk(tx)).unwrap();
        println!("indexes {:?}; all {:.0} persons/s", e.elapsed(), f64::from(n) / t.elapsed().as_secs_f64());
        let v = Instant::now();
        println!("verify: {:?} troubles in {:?}", store.read(people::verify_people).unwrap().len(), v.elapsed());
    }
    let someone = city.person(n / 2);
    let village = RegionCode::new(someone.residence).unwrap();
    let q = PeopleQuery { limit: 50, ..Default::default() };
    let wide: Vec<(&str, PeopleQuery)> = vec![
        ("browse", q.clone()),
        ("browse by name", PeopleQuery { sort: Sort::Name, ..q.clone() }),
        ("oldest", PeopleQuery { sort: Sort::Oldest, ..q.clone() }),
        ("youngest", PeopleQuery { sort: Sort::Youngest, ..q.clone() }),
        ("newest", PeopleQuery { sort: Sort::Newest, ..q.clone() }),
        ("name 王", PeopleQuery { text: "王".into(), ..q.clone() }),
        ("name 王 oldest", PeopleQuery { text: "王".into(), sort: Sort::Oldest, ..q.clone() }),
        ("name 王秀", PeopleQuery { text: "王秀".into(), ..q.clone() }),
        ("initials w", PeopleQuery { text: "w".into(), sort: Sort::Name, ..q.clone() }),
        ("initials wxy", PeopleQuery { text: "wxy".into(), ..q.clone() }),
        ("initials wxy by name", PeopleQuery { text: "wxy".into(), sort: Sort::Name, ..q.clone() }),
        ("phone", PeopleQuery { text: someone.phone.clone(), ..q.clone() }),
        ("id", PeopleQuery { text: someone.id_no.clone(), ..q.clone() }),
        ("tail", PeopleQuery { text: someone.phone[7..].into(), ..q.clone() }),
        ("80+", PeopleQuery { age_from: Some(80), ..q.clone() }),
        ("100+", PeopleQuery { age_from: Some(100), ..q.clone() }),
        ("80+ alone by name", PeopleQuery { age_from: Some(80), living: Some(LivingArrangement::Alone), sort: Sort::Name, ..q.clone() }),
        ("tekun", PeopleQuery { hardship: Some(Hardship::Tekun), ..q.clone() }),
        ("tekun by name", PeopleQuery { hardship: Some(Hardship::Tekun), sort: Sort::Name, ..q.clone() }),
        ("dibao oldest", PeopleQuery { hardship: Some(Hardship::Dibao), sort: Sort::Oldest, ..q.clone() }),
        ("garrison (nobody)", PeopleQuery { hardship: Some(Hardship::GarrisonRetiree), ..q.clone() }),
        ("complete", PeopleQuery { ability: Some(Ability::Complete), ..q.clone() }),
        ("王 tekun", PeopleQuery { text: "王".into(), hardship: Some(Hardship::Tekun), ..q.clone() }),
        ("deceased", PeopleQuery { state: Some(domain::parties::PersonState::Deceased), ..q.clone() }),
    ];
    for (scope, range) in [("city", RegionRange::ALL), ("county", village.within(Level::County).range()), ("township", village.within(Level::Township).range()), ("village", village.range())] {
        let mut all = vec![];
        for (what, query) in &wide {
            let mut times = vec![]; let mut total = 0;
            for i in 0..8 {
                let (query, actor) = (query.clone(), Actor { range, ..actor.clone() });
                let t = Instant::now();
                let found = store.read(move |tx| search(tx, &actor, &query, now)).unwrap();
                if i > 0 { times.push(t.elapsed().as_secs_f64() * 1e3); }
                total = found.total;
            }
            times.sort_by(f64::total_cmp); all.extend(times.iter().copied());
            println!("{scope:8} {what:24} total {total:6} median {:7.2} ms max {:7.2}", times[3], times[6]);
        }
        all.sort_by(f64::total_cmp);
        println!("{scope}: p50 {:.2} p95 {:.2} p99 {:.2}", all[all.len() / 2], all[all.len() * 95 / 100], all[all.len() * 99 / 100]);
    }
    // deep pages
    for sort in [Sort::Place, Sort::Name, Sort::Oldest, Sort::Newest] {
        let mut query = PeopleQuery { sort, limit: 200, ..Default::default() };
        let t = Instant::now(); let mut worst = 0.0f64; let mut seen = 0;
        for _ in 0..200 {
            let (q2, a2) = (query.clone(), actor.clone());
            let s = Instant::now();
            let found = store.read(move |tx| search(tx, &a2, &q2, now)).unwrap();
            worst = worst.max(s.elapsed().as_secs_f64() * 1e3); seen += found.cards.len();
            query.cursor = found.next; if query.cursor.is_none() { break; }
        }
        println!("200 pages of 200 by {}: {seen} in {:?}, worst {worst:.1} ms", sort.code(), t.elapsed());
    }
}
