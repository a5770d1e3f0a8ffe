//! A small town for tests of the desks: a catalogue, an elder with a telephone, a provider with a carer, and the
//! people who sit at the desks. Everything comes in through the commands.

#![allow(dead_code, reason = "each test binary uses its own part of the town")]

use app::{
    orders,
    orders::calls::{self, NewCall},
    pack::{self, Pack},
    parties::{
        accounts::NewPost,
        carers::{self, CarerAsk, CertificateAsk},
        people::{self, NewContact, NewPerson},
        providers::{self, ProviderAsk},
    },
    regions::{self, NewRegion},
};
use domain::{
    access::{Actor, Role},
    ids::{AccountId, CallId, CarerId, OrderId, PersonId, ProviderId},
    parties::{PersonName, Phone, Sex},
    regions::{RegionCode, RegionRange},
};

use crate::support::{Service, Visitor, actor, region};

/// The county, one of its villages, and the home there.
pub const COUNTY: &str = "410202";
pub const VILLAGE: &str = "410202001001";
pub const HOME: (f64, f64) = (114.35, 34.80);
/// The elder's own number and the daughter's.
pub const OWN: &str = "13800001234";
pub const DAUGHTER: &str = "13900005678";

/// Who lives and works here.
pub struct Town {
    pub wang: PersonId,
    pub provider: ProviderId,
    pub carer: CarerId,
}

fn village() -> RegionCode {
    RegionCode::parse(VILLAGE).unwrap()
}

fn clerk() -> Actor {
    actor(Role::StreetOfficer, region(COUNTY))
}

/// Enters an elder with a daughter to call.
pub fn elder(service: &Service, name: &str, own: &str, daughter: &str) -> PersonId {
    let new = NewPerson {
        place: Some(HOME),
        phone: Some(Phone::parse(own).unwrap()),
        hearing: "听力差".into(),
        language: "方言".into(),
        door_code: "2580#".into(),
        contacts: vec![NewContact {
            name: "刘芳".into(),
            relation: "女儿".into(),
            phone: Phone::parse(daughter).unwrap(),
        }],
        ..NewPerson::without_id(
            PersonName::parse(name).unwrap(),
            Sex::Female,
            "1943-05-10".parse().unwrap(),
            village(),
            "3 号楼 2 单元 101",
        )
    };
    let now = service.now();
    service.bed.store.write(move |tx| people::enrol(tx, &clerk(), &new, now)).unwrap().person()
}

/// Opens the town.
pub fn town(service: &Service) -> Town {
    let now = service.now();
    let store = &service.bed.store;
    let pack = Pack::load("kaifeng").unwrap();
    store.write(move |tx| pack::install(tx, &pack, now)).unwrap();
    let places = [("410202001", "北道门街道"), (VILLAGE, "理事厅社区")];
    let places =
        places.map(|(code, name)| NewRegion { code: RegionCode::parse(code).unwrap(), name: name.into() });
    store.write(move |tx| regions::load(tx, &places, now)).unwrap();
    let county = actor(Role::CountyCivilAffairs, region(COUNTY));
    let provider = ProviderAsk {
        name: "开封康宁居家养老服务有限公司".into(),
        credit_code: "91350100M000100Y43".into(),
        contact: "李芳".into(),
        phone: "0378-2351234".into(),
        address: "北道门街道 1 号".into(),
        place: "114.355,34.80".into(),
        region: VILLAGE.into(),
        area: "410202000000".into(),
        contract_no: "养服〔2026〕0001号".into(),
        contract_from: "2026-01-01".into(),
        contract_to: "2027-12-15".into(),
        services: ["A03", "A05", "A07", "B01"].map(str::to_owned).to_vec(),
    };
    let carer = carer();
    let (provider, carer) = store
        .write(move |tx| {
            let id =
                providers::enter(tx, &county, &provider, now).map_err(|no| no.map(|r| format!("{r:?}")))?;
            let carer =
                carers::enter(tx, &county, id, &carer, now).map_err(|no| no.map(|r| format!("{r:?}")))?;
            for skill in ["care_5", "induction", "health_certificate"] {
                let paper = CertificateAsk {
                    skill: skill.into(),
                    certificate_no: "Z-1".into(),
                    valid_from: "2024-01-01".into(),
                    valid_to: "2028-12-31".into(),
                };
                carers::certify(tx, &county, carer, &paper, now)
                    .map_err(|no| no.map(|r| format!("{r:?}")))?;
            }
            Ok::<_, app::outcome::No<String>>((id, carer))
        })
        .unwrap();
    Town { wang: elder(service, "王秀英", OWN, DAUGHTER), provider, carer }
}

/// Another carer of the same provider.
pub fn colleague(service: &Service, town: &Town) -> CarerId {
    let (now, provider) = (service.now(), town.provider);
    let ask = CarerAsk { name: "钱华".into(), phone: "13800008888".into(), ..carer() };
    let county = actor(Role::CountyCivilAffairs, region(COUNTY));
    service.bed.store.write(move |tx| carers::enter(tx, &county, provider, &ask, now)).unwrap()
}

fn carer() -> CarerAsk {
    CarerAsk {
        name: "赵红".into(),
        sex: "女".into(),
        birth: "1980-05-01".into(),
        phone: "13800007777".into(),
        region: VILLAGE.into(),
        lon: Some(HOME.0 + 0.002),
        lat: Some(HOME.1),
        languages: "普通话、方言".into(),
        days: vec![1, 2, 3, 4, 5, 6, 7],
        from: "08:00".into(),
        to: "18:00".into(),
        takes_at_once: false,
    }
}

/// A hotline operator of the county.
pub fn operator(service: &Service, username: &str) -> Visitor {
    service.signed_in(
        username,
        NewPost { role: Role::Agent, range: region(COUNTY), provider: None, carer: None },
    )
}

/// The town's carer with her phone.
pub fn phone(service: &Service, town: &Town, username: &str) -> Visitor {
    let post = NewPost {
        role: Role::Worker,
        range: region(COUNTY),
        provider: Some(town.provider),
        carer: Some(town.carer),
    };
    service.signed_in(username, post)
}

/// The telephone system reports a call.
pub fn ring(service: &Service, external: &str, number: &str) -> CallId {
    let now = service.now();
    let new = NewCall {
        external_id: external.into(),
        line: "12349".into(),
        number: number.into(),
        rang_at: now.0,
        region: village(),
    };
    let telephone = actor(Role::System, RegionRange::ALL);
    service.bed.store.write(move |tx| calls::report(tx, &telephone, &new, now)).unwrap()
}

/// The only order there is, as a dispatcher sees it.
pub fn orders_of(service: &Service, person: PersonId) -> Vec<orders::Line> {
    let dispatcher = actor(Role::Dispatcher, region(COUNTY));
    let filter = orders::Filter { person: Some(person), ..orders::Filter::default() };
    let page = orders::Page { latest_first: false, limit: 50, ..Default::default() };
    service.bed.store.read(move |tx| orders::lines(tx, &dispatcher, &filter, page)).unwrap()
}

/// Gives an order to the town's carer.
pub fn assign(service: &Service, order: OrderId, carer: CarerId) {
    let dispatcher = Actor { account: AccountId(2), ..actor(Role::Dispatcher, region(COUNTY)) };
    let now = service.now();
    service.bed.store.write(move |tx| orders::assign(tx, &dispatcher, order, carer, None, now)).unwrap();
}
