//! Providers and carers: who may write what, what is refused at which field, what runs out.

use app::{
    outcome::No,
    pack::{self, Pack},
    parties::{
        carers::{self, CarerAsk, CarerRefusal, CertificateAsk, Standing},
        providers::{self, Contract, Filter, ProviderAsk, ProviderRefusal},
    },
    store::Store,
};
use city::testing::on_both;
use domain::{
    access::{Actor, Role},
    ids::{AccountId, CarerId, ProviderId},
    regions::{RegionCode, RegionRange},
    time::{At, Now},
};

fn now() -> Now {
    Now(At::parse("2026-11-21T09:00").unwrap())
}

fn region(text: &str) -> RegionRange {
    RegionCode::parse(text).unwrap().range()
}

fn actor(role: Role, range: RegionRange, provider: Option<ProviderId>) -> Actor {
    Actor { account: AccountId(9), name: "王敏".into(), role, range, provider, carer: None }
}

fn county() -> Actor {
    actor(Role::CountyCivilAffairs, region("410202"), None)
}

fn ask() -> ProviderAsk {
    ProviderAsk {
        name: "开封康宁居家养老服务有限公司".into(),
        credit_code: "91350100M000100Y43".into(),
        contact: "李芳".into(),
        phone: "0378-2351234".into(),
        place: String::new(),
        address: "北道门街道 1 号".into(),
        region: "410202001000".into(),
        area: "410202000000".into(),
        contract_no: "养服〔2026〕0001号".into(),
        contract_from: "2026-01-01".into(),
        contract_to: "2026-12-15".into(),
        services: vec!["A04".into(), "A01".into(), "A01".into()],
    }
}

fn carer() -> CarerAsk {
    CarerAsk {
        name: "赵红".into(),
        sex: "女".into(),
        birth: "1980-05-01".into(),
        phone: "13800001234".into(),
        region: "410202001000".into(),
        languages: "普通话、本地话".into(),
        days: vec![1, 2, 3, 4, 5],
        from: "08:00".into(),
        to: "17:30".into(),
        ..CarerAsk::default()
    }
}

fn city(store: &Store) {
    let pack = Pack::load("kaifeng").unwrap();
    store.write(move |tx| pack::install(tx, &pack, now())).unwrap();
}

fn enter(store: &Store, by: Actor, ask: ProviderAsk) -> Result<ProviderId, No<ProviderRefusal>> {
    store.write(move |tx| providers::enter(tx, &by, &ask, now()))
}

fn employ(store: &Store, by: Actor, at: ProviderId, ask: CarerAsk) -> Result<CarerId, No<CarerRefusal>> {
    store.write(move |tx| carers::enter(tx, &by, at, &ask, now()))
}

fn certify(store: &Store, by: Actor, of: CarerId, paper: [&str; 4]) -> Result<(), No<CarerRefusal>> {
    let [skill, certificate_no, valid_from, valid_to] = paper.map(str::to_owned);
    let ask = CertificateAsk { skill, certificate_no, valid_from, valid_to };
    store.write(move |tx| carers::certify(tx, &by, of, &ask, now()))
}

fn fields(no: No<ProviderRefusal>) -> Vec<&'static str> {
    match no {
        No::Refused(refusal) => refusal.wrongs().into_iter().map(|w| w.field).collect(),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_provider_is_entered_and_found_by_those_it_serves() {
    on_both(|store| {
        city(&store);
        let id = enter(&store, county(), ask()).unwrap();
        for (range, found) in [("410202", true), ("410202001", true), ("410203", false), ("4102", true)] {
            let by = actor(Role::StreetOfficer, region(range), None);
            let answer = store.read(move |tx| providers::provider(tx, &by, id, now()));
            assert_eq!(answer.is_ok(), found, "{range}");
        }
        let by = county();
        let one = store.read(move |tx| providers::provider(tx, &by, id, now())).unwrap();
        assert_eq!(one.services, ["A01", "A04"]);
        assert_eq!(one.contract(now().day()), Contract::Ending);
    });
}

#[test]
fn every_field_is_told_at_once() {
    on_both(|store| {
        city(&store);
        let empty = enter(&store, county(), ProviderAsk::default()).unwrap_err();
        assert_eq!(
            fields(empty),
            [
                "name",
                "credit_code",
                "contact",
                "phone",
                "region",
                "area",
                "contract_no",
                "contract_from",
                "contract_to",
                "services"
            ]
        );
        for (field, wrong) in [
            ("contract_to", ProviderAsk { contract_to: "2025-12-31".into(), ..ask() }),
            ("credit_code", ProviderAsk { credit_code: "91350100M000100Y44".into(), ..ask() }),
            ("region", ProviderAsk { region: "410203001000".into(), ..ask() }),
            ("area", ProviderAsk { area: "410200000000".into(), ..ask() }),
            ("services", ProviderAsk { services: vec!["Z99".into()], ..ask() }),
        ] {
            assert_eq!(fields(enter(&store, county(), wrong).unwrap_err()), [field]);
        }
    });
}

#[test]
fn one_credit_code_is_one_provider() {
    on_both(|store| {
        city(&store);
        let first = enter(&store, county(), ask()).unwrap();
        let again = enter(&store, county(), ProviderAsk { name: "另一家".into(), ..ask() }).unwrap_err();
        assert_eq!(fields(again), ["credit_code"]);
        let other = ProviderAsk { credit_code: "914403001922038216".into(), ..ask() };
        let second = enter(&store, county(), other).unwrap();
        let taken = store.write(move |tx| providers::edit(tx, &county(), second, &ask(), now())).unwrap_err();
        assert_eq!(fields(taken), ["credit_code"]);
        store.write(move |tx| providers::edit(tx, &county(), first, &ask(), now())).unwrap();
    });
}

#[test]
fn a_providers_office_keeps_its_carers_but_never_its_contract() {
    on_both(|store| {
        city(&store);
        let mine = enter(&store, county(), ask()).unwrap();
        let code = "914403001922038216".to_owned();
        let other = enter(&store, county(), ProviderAsk { credit_code: code, ..ask() }).unwrap();
        let office = actor(Role::ProviderAdmin, region("410202"), Some(mine));
        let by = office.clone();
        let edited = store.write(move |tx| providers::edit(tx, &by, mine, &ask(), now()));
        assert!(matches!(edited, Err(No::Forbidden(_))), "{edited:?}");
        assert!(matches!(enter(&store, office.clone(), ask()), Err(No::Forbidden(_))));
        assert!(employ(&store, office.clone(), mine, carer()).is_ok());
        assert!(matches!(employ(&store, office.clone(), other, carer()), Err(No::NotFound)));
        let theirs = employ(&store, county(), other, carer()).unwrap();
        let by = office.clone();
        assert!(matches!(store.read(move |tx| carers::carer(tx, &by, theirs)), Err(No::NotFound)));
        let by = office.clone();
        let seen = store.read(move |tx| providers::list(tx, &by, &Filter::default(), 0, 50, now())).unwrap();
        assert_eq!(seen.iter().map(|p| p.id).collect::<Vec<_>>(), [mine]);
        let nurse = ["nurse", "N-1", "2026-01-01", ""];
        assert!(matches!(certify(&store, office, theirs, nurse), Err(No::NotFound)));
        let agent = actor(Role::Agent, region("410202"), None);
        assert!(matches!(employ(&store, agent, mine, carer()), Err(No::Forbidden(_))));
    });
}

#[test]
fn a_carer_with_wrong_fields_is_refused_at_each() {
    on_both(|store| {
        city(&store);
        let at = enter(&store, county(), ask()).unwrap();
        for (field, wrong) in [
            ("name", CarerAsk { name: " ".into(), ..carer() }),
            ("sex", CarerAsk { sex: "未知".into(), ..carer() }),
            ("birth", CarerAsk { birth: "2015-01-01".into(), ..carer() }),
            ("birth", CarerAsk { birth: "1880-01-01".into(), ..carer() }),
            ("phone", CarerAsk { phone: "138****1234".into(), ..carer() }),
            ("days", CarerAsk { days: vec![], ..carer() }),
            ("to", CarerAsk { to: "07:00".into(), ..carer() }),
            ("from", CarerAsk { from: "25:00".into(), ..carer() }),
        ] {
            let refused = employ(&store, county(), at, wrong).unwrap_err();
            let No::Refused(refusal) = refused else { panic!("not refused: {refused:?}") };
            assert_eq!(refusal.wrongs().iter().map(|w| w.field).collect::<Vec<_>>(), [field]);
        }
    });
}

#[test]
fn a_phone_is_masked_kept_when_left_masked_and_opened_with_a_reason() {
    on_both(|store| {
        city(&store);
        let at = enter(&store, county(), ask()).unwrap();
        let id = employ(&store, county(), at, carer()).unwrap();
        let shown = store.read(move |tx| carers::carer(tx, &county(), id)).unwrap();
        assert_eq!(
            (shown.phone_masked.as_str(), shown.hours().as_str()),
            ("138****1234", "周一、周二、周三、周四、周五 08:00–17:30")
        );
        let masked = CarerAsk { phone: shown.phone_masked, ..carer() };
        store.write(move |tx| carers::edit(tx, &county(), id, &masked, now())).unwrap();
        let none = store.write(move |tx| carers::reveal_phone(tx, &county(), id, " ", now()));
        assert!(matches!(none, Err(No::Refused(_))));
        let phone =
            store.write(move |tx| carers::reveal_phone(tx, &county(), id, "通知临时换班", now())).unwrap();
        assert_eq!(phone, "13800001234");
        let raw: i64 = store
            .read(|tx| {
                tx.one("SELECT COUNT(*) FROM evidence WHERE act = 'carer.revealed'", &[], |r| r.get(0))
            })
            .unwrap();
        assert_eq!(raw, 1);
    });
}

#[test]
fn certificates_run_out_unless_renewed() {
    on_both(|store| {
        city(&store);
        let at = enter(&store, county(), ask()).unwrap();
        let id = employ(&store, county(), at, carer()).unwrap();
        for paper in [
            ["health_certificate", "H-1", "2025-11-01", "2026-10-31"],
            ["first_aid", "F-1", "2024-12-01", "2026-12-21"],
            ["bathing", "B-1", "2024-12-01", "2026-12-22"],
            ["nurse", "N-1", "2020-01-01", ""],
        ] {
            certify(&store, county(), id, paper).unwrap();
        }
        let expiring = |store: &Store| {
            let rows = store.read(move |tx| carers::expiring(tx, &county(), Some(at), 50, now())).unwrap();
            rows.into_iter().map(|e| (e.held.skill.code(), e.held.standing(now().day()))).collect::<Vec<_>>()
        };
        assert_eq!(
            expiring(&store),
            [("health_certificate", Standing::Expired(21)), ("first_aid", Standing::Ending(30))]
        );
        let renewed = ["health_certificate", "H-2", "2026-11-01", "2027-10-31"];
        certify(&store, county(), id, renewed).unwrap();
        assert_eq!(expiring(&store), [("first_aid", Standing::Ending(30))]);
        let same = certify(&store, county(), id, renewed).unwrap_err();
        assert!(matches!(same, No::Refused(CarerRefusal::SameCertificate { .. })), "{same:?}");
        let tomorrow = certify(&store, county(), id, ["barber", "1", "2026-11-22", ""]).unwrap_err();
        assert!(matches!(tomorrow, No::Refused(CarerRefusal::Wrong(_))), "{tomorrow:?}");
        let one = store.read(move |tx| carers::carer(tx, &county(), id)).unwrap();
        assert_eq!(one.certificates.iter().filter(|h| h.renewed).count(), 1);
    });
}

#[test]
fn leave_has_an_end_and_who_has_left_is_not_changed() {
    on_both(|store| {
        city(&store);
        let at = enter(&store, county(), ask()).unwrap();
        let id = employ(&store, county(), at, carer()).unwrap();
        let go = |from: &'static str, to: &'static str| {
            store.write(move |tx| carers::leave(tx, &county(), id, from, to, now()))
        };
        assert!(go("2026-11-25", "2026-11-20").is_err());
        assert!(go("2026-11-01", "2026-11-10").is_err());
        go("2026-11-21", "2026-11-30").unwrap();
        let one = store.read(move |tx| carers::carer(tx, &county(), id)).unwrap();
        assert!(one.on_leave(now().day()) && !one.on_leave("2026-12-01".parse().unwrap()));
        store.write(move |tx| carers::back(tx, &county(), id, now())).unwrap();
        store.write(move |tx| carers::depart(tx, &county(), id, now())).unwrap();
        let again = store.write(move |tx| carers::depart(tx, &county(), id, now()));
        assert!(matches!(again, Err(No::Refused(CarerRefusal::Left))));
        let gone =
            store.read(move |tx| carers::list(tx, &county(), &carers::Filter::default(), 50, now())).unwrap();
        assert!(gone.is_empty());
    });
}

#[test]
fn contracts_are_found_by_how_they_stand() {
    on_both(|store| {
        city(&store);
        let codes = ["91350100M000100Y43", "914403001922038216", "91310000775785552L"];
        let spans =
            [("2026-01-01", "2026-11-20"), ("2026-01-01", "2026-11-21"), ("2026-11-22", "2027-11-21")];
        for (code, (from, to)) in codes.into_iter().zip(spans) {
            let (credit_code, contract_from, contract_to) = (code.into(), from.into(), to.into());
            enter(&store, county(), ProviderAsk { credit_code, contract_from, contract_to, ..ask() })
                .unwrap();
        }
        for (contract, found) in
            [(Contract::Ended, 1), (Contract::Ending, 1), (Contract::Coming, 1), (Contract::Current, 0)]
        {
            let filter = Filter { contract: Some(contract), ..Filter::default() };
            let (list, count) = store
                .read(move |tx| {
                    let list = providers::list(tx, &county(), &filter, 0, 50, now())?;
                    Ok::<_, No<app::outcome::Never>>((list, providers::count(tx, &county(), &filter, now())?))
                })
                .unwrap();
            assert_eq!((list.len(), count), (found, found as i64), "{}", contract.label());
            assert!(list.iter().all(|p| p.contract(now().day()) == contract));
        }
    });
}
