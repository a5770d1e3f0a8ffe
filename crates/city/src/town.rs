//! A small town to drive hard: houses in which as many carers live as elders, and every elder has a right of the month.
//!
//! For benches and crash loops, which need many short visits at once and nothing of a city's variety. A carer and the
//! elders of one house can meet within minutes, so that a whole visit, with every rule in force, takes no time.

use app::{
    ledger::grants,
    pack::{self, Pack},
    parties::{
        accounts::{self, NewToken, TokenFor},
        carers::{self, NEVER, NewCarer, NewCertificate},
        people::{self, NewFact, NewPerson},
        providers::{self, NewProvider},
    },
    regions::{self, NewRegion},
    settings,
    store::{Fault, Store, Tx},
};
use domain::{
    access::Role,
    ids::{CarerId, PersonId},
    parties::{Certificate, CreditCode, FactValue, Hardship, IdNumber, PersonName, Phone, Sex, Span},
    regions::{RegionCode, RegionRange},
    time::{At, Day, Now},
};
use jiff::ToSpan as _;

use crate::{
    births::{self, Birth},
    ids,
    seed::{builder, must},
};

/// An elder and a carer who live in the same house.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// The elder.
    pub person: PersonId,
    /// The carer.
    pub carer: CarerId,
    /// Longitude and latitude of the house.
    pub home: (f64, f64),
}

/// The town as its clients know it.
#[derive(Debug, Clone)]
pub struct Town {
    /// House by house.
    pub pairs: Vec<Pair>,
    /// Token of the program that does everything.
    pub token: String,
    /// When the town was made; a server for it should begin its clock here.
    pub opens: At,
}

/// One visit to be ordered and made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Visit {
    /// For whom.
    pub person: PersonId,
    /// By whom.
    pub carer: CarerId,
    /// Where.
    pub home: (f64, f64),
    /// When it should begin.
    pub start: At,
}

/// Meals to the door: the shortest visit of the catalogue.
pub const SERVICE: &str = "A01";
/// How long it takes at least.
pub const VISIT_MINUTES: i64 = 5;
/// Elders, and carers, of one house.
pub const HOUSE: usize = 50;
/// Visits a carer can be given in the half hour by which one may check in ahead of the plan.
pub const SLOTS: usize = 4;
/// A visit and the way to the next one in the same house.
const SLOT_MINUTES: i64 = VISIT_MINUTES + 3;
/// The first visits begin late enough for two minutes of work before them.
const FIRST_SLOT_MINUTES: i64 = 5;
/// Rows entered in one transaction.
const BATCH: usize = 2_000;
/// The village of all houses, with everything above it.
const REGIONS: [(&str, &str); 5] = [
    ("410000000000", "河南省"),
    ("410200000000", "开封市"),
    ("410203000000", "顺河回族区"),
    ("410203001000", "测量街道"),
    ("410203001001", "测量社区"),
];

impl Town {
    /// The visit with this number: no two ask for the same hour of a carer or an elder, so nothing need be refused.
    /// None once every half hour is full.
    pub fn visit(&self, number: usize) -> Option<Visit> {
        let (slot, at) = (number / self.pairs.len(), number % self.pairs.len());
        let carer = self.pairs[at];
        // Another neighbour in each slot.
        let elder = self.pairs[at / HOUSE * HOUSE + (at + slot * 7) % HOUSE];
        let start = self.opens.plus_minutes(FIRST_SLOT_MINUTES + SLOT_MINUTES * slot as i64);
        (slot < SLOTS).then_some(Visit { person: elder.person, carer: carer.carer, home: carer.home, start })
    }
}

/// Makes a town of so many houses in an empty store, with the commands any city would use.
///
/// # Errors
/// When the store fails or a command refuses.
pub fn found(store: &Store, houses: usize, token: &str, now: Now) -> Result<Town, Fault> {
    let pack = Pack::load("kaifeng").map_err(|e| Fault::other(format!("the pack: {e:?}")))?;
    let hash = accounts::token_hash(token);
    let provider = store.write(move |tx| ground(tx, &pack, hash, now))?;
    let (mut elders, mut staff) = (Vec::new(), Vec::new());
    for first in (0..houses * HOUSE).step_by(BATCH) {
        let numbers = first..(first + BATCH).min(houses * HOUSE);
        let list: Vec<NewPerson> = numbers.clone().map(elder).collect::<Result<_, _>>()?;
        let entered = store.write(move |tx| {
            let done = people::enrol_many(tx, &builder(Role::System), &list, now);
            must("entering elders", done)
        })?;
        for one in entered {
            elders.push(one.map_err(|refusal| Fault::other(refusal.to_string()))?.person());
        }
        let list: Vec<(NewCarer, Vec<NewCertificate>)> =
            numbers.map(|n| carer(n, provider)).collect::<Result<_, _>>()?;
        staff.extend(store.write(move |tx| carers::enrol_many(tx, &list, now))?);
    }
    grants::grant_month(store, &builder(Role::System), now.month(), now)?;
    let pair = |(n, (person, carer))| Pair { person, carer, home: home(n) };
    let pairs = elders.into_iter().zip(staff).enumerate().map(pair).collect();
    Ok(Town { pairs, token: token.to_owned(), opens: now.0 })
}

/// Regions, the pack, one provider, the token.
fn ground(tx: &mut Tx<'_>, pack: &Pack, token: [u8; 32], now: Now) -> Result<domain::ids::ProviderId, Fault> {
    settings::set(tx, settings::ALLOW_TEST_REGIONS, "yes")?;
    settings::set(tx, settings::DEMO, "yes")?;
    let region = |(code, name): (&str, &str)| Ok(NewRegion { code: code_of(code)?, name: name.to_owned() });
    let rows: Vec<NewRegion> = REGIONS.into_iter().map(region).collect::<Result<_, Fault>>()?;
    regions::load(tx, &rows, now)?;
    must("installing the city pack", pack::install(tx, pack, now))?;
    let new = NewToken {
        name: "测量".to_owned(),
        holder: TokenFor::Program { range: RegionRange::ALL, provider: None },
        days: 30,
    };
    must(
        "making the token",
        accounts::make_token(tx, &builder(Role::Administrator), [0; 32], &new, token, now),
    )?;
    let provider = NewProvider {
        name: "测量养老服务中心".to_owned(),
        credit_code: right(CreditCode::parse(&ids::credit_code(9, 410_299, 1)))?,
        contact: "王敏".to_owned(),
        phone: right(Phone::parse("13800000000"))?,
        address: "测量社区 1 号".to_owned(),
        place: None,
        region: village()?,
        area: code_of("410200000000")?,
        contract_no: "测-1".to_owned(),
        contract_from: Day::constant(2020, 1, 1),
        contract_to: NEVER,
        services: vec![SERVICE.to_owned()],
    };
    let ids = providers::enrol_many(tx, &[provider], now)?;
    ids.first().copied().ok_or_else(|| Fault::other("one provider has one id"))
}

/// Somebody over eighty on a minimum income, whom the service subsidy is for.
fn elder(n: usize) -> Result<NewPerson, Fault> {
    let (days, ordinal) = (n % 5_000, n / 5_000);
    let day = Day::constant(1930, 1, 1).saturating_add((days as i64).days());
    let sex = if n.is_multiple_of(2) { births::Sex::Male } else { births::Sex::Female };
    let number = ids::identity_no(410_299, Birth { day, sex, ordinal: ordinal as u32 });
    let fact = NewFact {
        value: FactValue::Hardship(Hardship::Dibao),
        span: Span::since(Day::constant(2020, 1, 1)),
        source: "测量".to_owned(),
    };
    let (name, number) = (right(PersonName::parse("王秀英"))?, right(IdNumber::parse(&number, true))?);
    Ok(NewPerson {
        place: Some(home(n)),
        facts: vec![fact],
        ..NewPerson::of_id(name, number, village()?, format!("测量社区 {} 号楼", n / HOUSE + 1))
    })
}

fn carer(n: usize, provider: domain::ids::ProviderId) -> Result<(NewCarer, Vec<NewCertificate>), Fault> {
    let certificate = NewCertificate {
        skill: Certificate::HealthCertificate,
        certificate_no: format!("测-{n}"),
        valid_from: Day::constant(2020, 1, 1),
        valid_to: NEVER,
    };
    let carer = NewCarer {
        provider,
        region: village()?,
        name: right(PersonName::parse("李敏"))?,
        sex: Sex::Female,
        birth: Day::constant(1980, 1, 1),
        phone: Some(right(Phone::parse(&format!("139{n:08}")))?),
        home: Some(home(n)),
        languages: Vec::new(),
        work_days: 127,
        work_from: 6 * 60,
        work_to: 22 * 60,
        takes_at_once: true,
    };
    Ok((carer, vec![certificate]))
}

/// Houses stand some two hundred metres apart.
fn home(n: usize) -> (f64, f64) {
    let house = n / HOUSE;
    (114.30 + (house % 50) as f64 * 0.002, 34.75 + (house / 50) as f64 * 0.002)
}

fn village() -> Result<RegionCode, Fault> {
    code_of(REGIONS[4].0)
}

fn code_of(text: &str) -> Result<RegionCode, Fault> {
    right(RegionCode::parse(text))
}

fn right<T, E: std::fmt::Display>(parsed: Result<T, E>) -> Result<T, Fault> {
    parsed.map_err(|e| Fault::other(format!("the town: {e}")))
}
