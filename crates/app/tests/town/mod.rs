//! A small town for tests of orders: a catalogue, people, providers, carers, rights and the people at the desks.
//!
//! Rows are put straight into the tables, because what is tested is what happens to orders afterwards.

#![allow(dead_code, reason = "each test binary uses its own part of the town")]

use app::{
    ledger::{self, Move, NewAccount, Occasion},
    orders::{self, PlaceOrder},
    outcome::No,
    p,
    pack::{self, Pack},
    store::{Fault, Store},
};
use domain::{
    access::{Actor, Role},
    ids::{AccountId, CarerId, EntitlementId, OrderId, PersonId, ProviderId},
    ledger::AccountKind,
    money::Minutes,
    orders::{Channel, CheckIn, CheckOut, Confirmation, ConfirmedBy, Fix, Method, OrderRefusal},
    programmes::Asset,
    regions::RegionCode,
    time::{At, Now},
};

/// The county the town lies in, and one of its villages.
pub const COUNTY: &str = "410202000000";
pub const VILLAGE: &str = "410202001001";
/// Another county of the city.
pub const ELSEWHERE: &str = "410203000000";
/// Where the elders live.
pub const HOME: (f64, f64) = (114.35, 34.80);

/// Saturday morning, `minutes` later.
pub fn at(minutes: i64) -> Now {
    Now(At::parse("2026-11-21T09:00").unwrap().plus_minutes(minutes))
}

pub fn region(code: &str) -> RegionCode {
    RegionCode::parse(code).unwrap()
}

/// A town with the catalogue and programmes of Kaifeng.
pub fn town(store: &Store) {
    let pack = Pack::load("kaifeng").unwrap();
    store.write(move |tx| pack::install(tx, &pack, at(0))).unwrap();
}

pub fn person(store: &Store, name: &'static str, sex: i64) -> PersonId {
    person_in(store, name, sex, VILLAGE)
}

pub fn person_in(store: &Store, name: &'static str, sex: i64, village: &str) -> PersonId {
    let village = region(village);
    store
        .write(move |tx| {
            let id = tx.id(at(0));
            tx.execute_one(
                "INSERT INTO person (id, region, name, initials, sex, birth, state, address, lon, lat, entered_at,
                    updated_at, batch, code)
                VALUES (?1, ?2, ?3, 'x', ?4, '1940-05-01', 'active', '理事厅社区 3 号楼', ?5, ?6, ?7, ?7, 0, ?8)",
                p![id, village, name, sex, HOME.0, HOME.1, at(0).0, vec![0u8]],
            )?;
            Ok::<_, Fault>(PersonId(id))
        })
        .unwrap()
}

/// A provider of the county that may do everything the tests ask for.
pub fn provider(store: &Store, name: &'static str) -> ProviderId {
    let county = region(COUNTY);
    store
        .write(move |tx| {
            let id = tx.id(at(0));
            let range = county.range();
            tx.execute_one(
                "INSERT INTO provider (id, region, name, credit_code, phone, contract_no, contract_from, contract_to,
                    area_lo, area_hi, entered_at)
                VALUES (?1, ?2, ?3, ?4, '0371-1', 'HT-1', '2026-01-01', '2027-12-31', ?5, ?6, ?7)",
                p![id, county, name, id.to_string(), range.lo, range.hi, at(0).0],
            )?;
            for service in ["A04", "A05", "B01", "C01", "D04", "E01"] {
                tx.execute_one("INSERT INTO provider_service (provider, service) VALUES (?1, ?2)", p![id, service])?;
            }
            Ok::<_, Fault>(ProviderId(id))
        })
        .unwrap()
}

/// A carer with certificates `(skill, last day)`.
pub fn carer(
    store: &Store,
    of: ProviderId,
    name: &'static str,
    sex: i64,
    skills: &'static [(&'static str, &'static str)],
) -> CarerId {
    let county = region(COUNTY);
    store
        .write(move |tx| {
            let id = tx.id(at(0));
            tx.execute_one(
                "INSERT INTO carer (id, region, provider, name, sex, birth, phone, phone_index, lon, lat)
                VALUES (?1, ?2, ?3, ?4, ?5, '1980-01-01', ?6, 0, ?7, ?8)",
                p![id, county, of, name, sex, vec![0u8], HOME.0 + 0.004, HOME.1 + 0.002],
            )?;
            for (skill, to) in skills {
                tx.execute_one(
                    "INSERT INTO carer_skill (carer, skill, certificate_no, valid_from, valid_to)
                    VALUES (?1, ?2, 'Z-1', '2020-01-01', ?3)",
                    p![id, *skill, *to],
                )?;
            }
            Ok::<_, Fault>(CarerId(id))
        })
        .unwrap()
}

/// Certificates of somebody who may do every item of the tests.
pub const ALL_SKILLS: &[(&str, &str)] = &[
    ("induction", "2028-12-31"),
    ("care_5", "2028-12-31"),
    ("care_4", "2028-12-31"),
    ("bathing", "2028-12-31"),
    ("first_aid", "2028-12-31"),
    ("responder", "2028-12-31"),
];

/// Gives a person a right of this month.
pub fn right(
    store: &Store,
    of: PersonId,
    programme: &'static str,
    asset: Asset,
    amount: i64,
) -> EntitlementId {
    store
        .write(move |tx| {
            let id = tx.id(at(0));
            let lives = region(VILLAGE);
            let mut open = |kind, owner, guarded| {
                let name = if guarded { "王秀英的额度" } else { "额度发放" }.to_owned();
                let code = if guarded { id.to_string() } else { programme.to_owned() };
                let new = NewAccount { kind, owner, code, asset, region: lives, name, guarded };
                ledger::open_account(tx, &new, at(0))
            };
            let issued = open(AccountKind::Issued, region(COUNTY).number(), false)?;
            let account = open(AccountKind::Right, of.0, true)?;
            let actor = somebody(Role::System, 1);
            let on = Occasion { actor: &actor, subject: id, region: lives, now: at(0) };
            ledger::post(tx, on, &[Move { debit: issued, credit: account, amount, asset }])?;
            tx.execute_one(
                "INSERT INTO entitlement (id, person, region, programme, programme_from, month, asset, amount,
                    account, why, granted_at)
                VALUES (?1, ?2, ?3, ?4, '2022-01-01', '2026-11', ?5, ?6, ?7, '测试', ?8)",
                p![id, of, lives, programme, asset.code(), amount, account, at(0).0],
            )?;
            Ok::<_, Fault>(EntitlementId(id))
        })
        .unwrap()
}

/// Somebody of the county in a role.
pub fn somebody(role: Role, account: i64) -> Actor {
    Actor {
        account: AccountId(account),
        name: role.label().to_owned(),
        role,
        range: region(COUNTY).range(),
        provider: None,
        carer: None,
    }
}

pub fn of_provider(role: Role, account: i64, provider: ProviderId) -> Actor {
    Actor { provider: Some(provider), ..somebody(role, account) }
}

pub fn worker(account: i64, provider: ProviderId, carer: CarerId) -> Actor {
    Actor { carer: Some(carer), ..of_provider(Role::Worker, account, provider) }
}

/// A wish for an item at `minutes` after nine, the elder agreeing to pay the rest.
pub fn wish(person: PersonId, service: &str, minutes: i64, length: Option<i64>) -> PlaceOrder {
    PlaceOrder {
        person,
        service: service.to_owned(),
        start: at(minutes).0,
        minutes: length.map(Minutes),
        own_share_agreed: true,
        channel: Channel::Hotline,
        call: None,
        note: String::new(),
    }
}

pub fn place(store: &Store, wish: &PlaceOrder) -> OrderId {
    let (agent, wish) = (somebody(Role::Agent, 10), wish.clone());
    store.write(move |tx| orders::place(tx, &agent, &wish, at(0))).unwrap()
}

pub fn assign(
    store: &Store,
    order: OrderId,
    to: CarerId,
    partner: Option<CarerId>,
    minutes: i64,
) -> Result<(), No<OrderRefusal>> {
    let dispatcher = somebody(Role::Dispatcher, 11);
    store.write(move |tx| orders::assign(tx, &dispatcher, order, to, partner, at(minutes))).map(|_| ())
}

pub fn accept(store: &Store, order: OrderId, by: &Actor, minutes: i64) -> Result<(), No<OrderRefusal>> {
    let by = by.clone();
    store.write(move |tx| orders::accept(tx, &by, order, at(minutes)))
}

/// The carer comes and leaves.
pub fn visit(store: &Store, order: OrderId, by: &Actor, from: i64, to: i64) {
    let (by, fix) = (by.clone(), Some(Fix { lon: HOME.0, lat: HOME.1, accuracy: 10.0 }));
    let (arrive, leave) = (by.clone(), by);
    store
        .write(move |tx| {
            let ask = CheckIn { method: Method::Gps, fix, device_at: at(from).0 };
            orders::check_in(tx, &arrive, order, &ask, at(from))
        })
        .unwrap();
    store
        .write(move |tx| {
            let ask =
                CheckOut { fix, device_at: at(to).0, tasks: vec!["助浴".into()], note: "正常".into() };
            orders::check_out(tx, &leave, order, &ask, None, at(to))
        })
        .unwrap();
}

pub fn confirm(store: &Store, order: OrderId, satisfied: bool, minutes: i64) {
    let street = somebody(Role::StreetOfficer, 12);
    let note = if satisfied { "" } else { "没有洗干净" }.to_owned();
    let word = Confirmation { by: ConfirmedBy::CallBack, satisfied, note };
    store.write(move |tx| orders::confirm(tx, &street, order, &word, at(minutes))).unwrap();
}

/// The refusal of a step that must not have happened.
pub fn refused<T: std::fmt::Debug>(answer: Result<T, No<OrderRefusal>>) -> OrderRefusal {
    match answer {
        Err(No::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// The smallest picture that is one: a PNG of one white point.
pub fn picture(out: &mut impl std::io::Write) {
    const PNG: &[u8] = &[
        137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0,
        58, 126, 155, 85, 0, 0, 0, 10, 73, 68, 65, 84, 120, 156, 99, 248, 15, 0, 1, 1, 1, 0, 177, 56, 246,
        20, 0, 0, 0, 0, 73, 69, 78, 68, 174, 66, 96, 130,
    ];
    out.write_all(PNG).unwrap();
}
