//! A provider's month is made, checked and paid by three people, and adds up all the way.

use app::{
    ledger::{
        self, Move, NewAccount, Occasion,
        statements::{self, Filter, State, StatementRefusal},
    },
    outcome::No,
    p,
    pack::{self, Pack},
    parties::providers::{self, ProviderAsk},
    store::{Fault, Place, Store, Tx},
};
use city::testing::{Bed, on_both, on_both_beds};
use domain::{
    access::{Actor, Role},
    ids::{AccountId, ProviderId, StatementId},
    ledger::AccountKind,
    programmes::Asset,
    regions::{RegionCode, RegionRange},
    time::{At, Month, Now},
};

const PERSON: &str =
    "INSERT INTO person (id, region, name, initials, sex, birth, state, address, batch, code, entered_at, updated_at)
    VALUES (1, 410202001002, '王秀英', 'wxy', 2, '1940-01-01', 'active', '北道门', 0, ?1, 0, 0)";
const ORDER: &str = "INSERT INTO orders (id, region, person, service, service_from, channel, note, start_at, end_at, minutes,
    price_fen, own_fen, state, placed_at, placed_by, provider, carer, offered_at, offered_by, accepted_at, checked_in_at,
    checked_out_at, confirmed_at, confirmed_by, settled_at, settled_by)
    VALUES (?1, 410202001002, 1, ?2, '2022-01-01', 'hotline', '', ?3, ?4, 60, ?5, ?6, 'settled', ?3, 1, ?7, 1, ?3, 1, ?3,
    ?3, ?3, ?3, 'elder', ?4, 1)";
const SETTLEMENT: &str =
    "INSERT INTO settlement (id, order_id, region, provider, service, minutes, price_fen, own_fen, at,
    by_account) VALUES (?1, ?2, 410202001002, ?3, ?4, 60, ?5, ?6, ?7, 1)";
const FREE: &str = "SELECT COUNT(*) FROM settlement WHERE statement IS NULL";

fn at(text: &str) -> Now {
    Now(At::parse(text).unwrap())
}

fn now() -> Now {
    at("2026-12-02T09:00")
}

fn november() -> Month {
    Month::parse("2026-11").unwrap()
}

fn actor(account: i64, role: Role, provider: Option<ProviderId>) -> Actor {
    let range = RegionCode::parse("410202").unwrap().range();
    Actor {
        account: AccountId(account),
        name: format!("第 {account} 人"),
        role,
        range,
        provider,
        carer: None,
    }
}

fn maker() -> Actor {
    actor(11, Role::Dispatcher, None)
}

fn checker() -> Actor {
    actor(12, Role::CountyCivilAffairs, None)
}

fn payer() -> Actor {
    actor(13, Role::Finance, None)
}

fn open(
    tx: &mut Tx<'_>,
    kind: AccountKind,
    owner: i64,
    code: &str,
    name: &str,
) -> Result<domain::ids::LedgerId, Fault> {
    let new = NewAccount {
        kind,
        owner,
        code: code.into(),
        asset: Asset::Fen,
        region: RegionCode::parse("410202").unwrap(),
        name: name.into(),
        guarded: false,
    };
    ledger::open_account(tx, &new, now())
}

/// A settled order, booked as settling books it: funders 40 to 60, the rest the elder's.
fn settled(
    tx: &mut Tx<'_>,
    id: i64,
    of: ProviderId,
    service: &str,
    (price, own): (i64, i64),
    when: &str,
) -> Result<(), Fault> {
    let (start, end) = (at(when).0, at(when).0.plus_minutes(60));
    tx.execute_one(ORDER, p![id, service, start, end, price, own, of])?;
    tx.execute_one(SETTLEMENT, p![id + 1000, id, of, service, price, own, end])?;
    let credit = open(tx, AccountKind::Provider, of.0, "", "康宁")?;
    let mut moves = Vec::new();
    let city = (price - own) * 40 / 100;
    for (kind, owner, code, name, amount) in [
        (AccountKind::Funder, 410_200_000_000, "city", "开封市财政", city),
        (AccountKind::Funder, 410_202_000_000, "county", "龙亭区财政", price - own - city),
        (AccountKind::Elder, 1, "", "老人自付", own),
    ] {
        if amount > 0 {
            moves.push(Move { debit: open(tx, kind, owner, code, name)?, credit, amount, asset: Asset::Fen });
        }
    }
    let by = maker();
    let on = Occasion { actor: &by, subject: id, region: RegionCode::parse("410202").unwrap(), now: now() };
    ledger::post(tx, on, &moves)
}

/// Two providers; the first has three orders in November and one in December.
fn city(store: &Store) -> [ProviderId; 2] {
    let pack = Pack::load("kaifeng").unwrap();
    store.write(move |tx| pack::install(tx, &pack, at("2026-10-01T09:00"))).unwrap();
    let codes = ["91350100M000100Y43", "914403001922038216"];
    let providers = codes.map(|code| {
        let ask = ProviderAsk {
            name: format!("康宁{}", &code[..4]),
            credit_code: code.into(),
            contact: "李芳".into(),
            phone: "0378-2351234".into(),
            region: "410202001000".into(),
            area: "410202000000".into(),
            contract_no: "1".into(),
            contract_from: "2026-01-01".into(),
            contract_to: "2027-12-31".into(),
            services: vec!["A04".into()],
            ..ProviderAsk::default()
        };
        store.write(move |tx| providers::enter(tx, &checker(), &ask, now())).unwrap()
    });
    let first = providers[0];
    store
        .write(move |tx| {
            tx.execute_one(PERSON, p![Vec::<u8>::new()])?;
            settled(tx, 1, first, "A04", (17_500, 2_500), "2026-11-03T09:00")?;
            settled(tx, 2, first, "A04", (17_500, 0), "2026-11-20T09:00")?;
            settled(tx, 3, first, "B01", (3_800, 3_800), "2026-11-30T22:30")?;
            settled(tx, 4, first, "B01", (3_800, 0), "2026-11-30T23:30")
        })
        .unwrap();
    providers
}

fn make(store: &Store, by: Actor, of: ProviderId) -> Result<StatementId, No<StatementRefusal>> {
    store.write(move |tx| statements::make(tx, &by, of, november(), now()))
}

fn check(store: &Store, by: Actor, id: StatementId) -> Result<(), No<StatementRefusal>> {
    store.write(move |tx| statements::check(tx, &by, id, now()))
}

fn pay(store: &Store, by: Actor, id: StatementId) -> Result<(), No<StatementRefusal>> {
    store.write(move |tx| statements::pay(tx, &by, id, now()))
}

fn send_back(
    store: &Store,
    by: Actor,
    id: StatementId,
    why: &'static str,
) -> Result<(), No<StatementRefusal>> {
    store.write(move |tx| statements::send_back(tx, &by, id, why, now()))
}

fn sheet(store: &Store, id: StatementId) -> statements::Sheet {
    store.read(move |tx| statements::sheet(tx, &checker(), id)).unwrap()
}

fn refusal<T: std::fmt::Debug>(answer: Result<T, No<StatementRefusal>>) -> StatementRefusal {
    match answer {
        Err(No::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_month_is_made_checked_and_paid_and_adds_up() {
    on_both(|store| {
        let [first, _] = city(&store);
        let id = make(&store, maker(), first).unwrap();
        let sheet_now = sheet(&store, id);
        let s = &sheet_now.statement;
        // The order that ended at half past midnight belongs to December.
        assert_eq!((s.orders, s.price.0, s.own.0, s.amount.0), (3, 38_800, 6_300, 32_500));
        assert_eq!((s.state(), sheet_now.adds_up(), sheet_now.elders.0), (State::Made, true, 6_300));
        let funders: Vec<_> = sheet_now.by_funder.iter().map(|(n, f)| (n.as_str(), f.0)).collect();
        assert_eq!(funders, [("开封市财政", 13_000), ("龙亭区财政", 19_500)]);
        let services: Vec<_> = sheet_now.by_service.iter().map(|s| (s.name.as_str(), s.orders)).collect();
        assert_eq!(services, [("上门助浴", 2), ("居室清洁", 1)]);
        check(&store, checker(), id).unwrap();
        pay(&store, payer(), id).unwrap();
        assert_eq!(sheet(&store, id).statement.state(), State::Paid);
        let booked = store.read(move |tx| ledger::transfers_for(tx, id.0)).unwrap();
        assert_eq!(booked.len(), 1);
        assert_eq!((booked[0].0.moved.amount, booked[0].2.as_str()), (32_500, "财政支付专户"));
        assert!(store.read(ledger::verify).unwrap().is_empty());
        assert!(store.read(statements::verify).unwrap().is_empty());
    });
}

#[test]
fn an_order_is_stated_once() {
    on_both(|store| {
        let [first, second] = city(&store);
        make(&store, maker(), first).unwrap();
        let nothing = StatementRefusal::Nothing { month: "2026-11".into() };
        assert_eq!(refusal(make(&store, maker(), first)), nothing);
        assert_eq!(refusal(make(&store, maker(), second)), nothing);
        store.write(move |tx| settled(tx, 5, first, "A04", (17_500, 0), "2026-11-21T09:00")).unwrap();
        let more = make(&store, maker(), first).unwrap();
        assert_eq!(sheet(&store, more).statement.orders, 1);
        let filter = Filter { month: "2026-11".into(), provider: Some(first), state: Some(State::Made) };
        let (count, amount) = store.read(move |tx| statements::count(tx, &checker(), &filter)).unwrap();
        assert_eq!((count, amount.0), (2, 50_000));
    });
}

#[test]
fn steps_are_taken_in_order_and_by_their_roles() {
    on_both(|store| {
        let [first, _] = city(&store);
        let id = make(&store, maker(), first).unwrap();
        assert!(matches!(refusal(pay(&store, payer(), id)), StatementRefusal::WrongState { .. }));
        for (by, may_check, may_pay) in
            [(maker(), false, false), (checker(), true, false), (payer(), false, true)]
        {
            assert_eq!(!matches!(check(&store, by.clone(), id), Err(No::Forbidden(_))), may_check);
            assert_eq!(!matches!(pay(&store, by, id), Err(No::Forbidden(_))), may_pay);
        }
        assert_eq!(sheet(&store, id).statement.state(), State::Paid);
        assert!(matches!(refusal(check(&store, checker(), id)), StatementRefusal::WrongState { .. }));
        assert!(matches!(refusal(pay(&store, payer(), id)), StatementRefusal::WrongState { .. }));
        assert!(matches!(make(&store, checker(), first), Err(No::Forbidden(_))));
    });
}

#[test]
fn one_person_in_two_posts_is_refused() {
    on_both(|store| {
        let [first, _] = city(&store);
        let id = make(&store, maker(), first).unwrap();
        let same = actor(11, Role::CountyCivilAffairs, None);
        assert_eq!(refusal(check(&store, same, id)), StatementRefusal::OwnStatement);
        check(&store, checker(), id).unwrap();
        for account in [11, 12] {
            let same = actor(account, Role::Finance, None);
            assert_eq!(refusal(pay(&store, same, id)), StatementRefusal::ThreePeople);
        }
        pay(&store, payer(), id).unwrap();
    });
}

#[test]
fn the_schema_refuses_one_person_too() {
    on_both(|store| {
        let [first, _] = city(&store);
        let id = make(&store, maker(), first).unwrap();
        for sql in [
            "UPDATE statement SET checked_by = 11, checked_at = 1 WHERE id = ?1",
            "UPDATE statement SET paid_by = 13, paid_at = 1 WHERE id = ?1",
            "UPDATE statement SET checked_by = 12, checked_at = 1, paid_by = 12, paid_at = 1 WHERE id = ?1",
            "UPDATE statement SET checked_by = 12, checked_at = 1, paid_by = 11, paid_at = 1 WHERE id = ?1",
        ] {
            let fault = store.write(move |tx| tx.execute(sql, p![id])).unwrap_err();
            assert!(fault.broke("maker_checker_payer"), "{fault}");
        }
    });
}

#[test]
fn what_was_sent_back_keeps_its_lines_and_frees_its_orders() {
    on_both(|store| {
        let [first, _] = city(&store);
        let id = make(&store, maker(), first).unwrap();
        assert_eq!(refusal(send_back(&store, checker(), id, "错")), StatementRefusal::NoReason);
        assert!(matches!(send_back(&store, maker(), id, "我要改一改"), Err(No::Forbidden(_))));
        assert!(matches!(
            refusal(send_back(&store, payer(), id, "不该我退")),
            StatementRefusal::WrongState { .. }
        ));
        send_back(&store, checker(), id, "助浴两单缺照片").unwrap();
        let back = sheet(&store, id);
        assert_eq!((back.statement.state(), back.lines.len(), back.adds_up()), (State::Returned, 3, true));
        let free: i64 = store.read(|tx| tx.one(FREE, p![], |row| row.get(0))).unwrap();
        assert_eq!(free, 4);
        let again = make(&store, maker(), first).unwrap();
        check(&store, checker(), again).unwrap();
        send_back(&store, payer(), again, "账户信息有误").unwrap();
        assert_eq!(refusal(check(&store, checker(), again)).to_string(), "这张结算单已退回，不能复核");
        assert!(store.read(statements::verify).unwrap().is_empty());
    });
}

#[test]
fn a_provider_sees_and_makes_its_own_only() {
    on_both(|store| {
        let [first, second] = city(&store);
        let office = |of| actor(21, Role::ProviderAdmin, Some(of));
        assert!(matches!(make(&store, office(second), first), Err(No::NotFound)));
        let id = make(&store, office(first), first).unwrap();
        let seen = |by: Actor| store.read(move |tx| statements::sheet(tx, &by, id)).is_ok();
        assert!(seen(office(first)) && !seen(office(second)));
        let elsewhere = Actor { range: RegionCode::parse("410203").unwrap().range(), ..checker() };
        assert!(!seen(elsewhere.clone()) && matches!(check(&store, elsewhere, id), Err(No::NotFound)));
        let by = office(second);
        let filter = Filter { provider: Some(first), ..Filter::default() };
        assert!(store.read(move |tx| statements::list(tx, &by, &filter, 0, 50)).unwrap().is_empty());
        let other = Actor { range: RegionRange::ALL, ..maker() };
        assert!(matches!(make(&store, other, ProviderId(999)), Err(No::NotFound)));
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

#[test]
fn a_changed_line_is_found_and_stops_the_payment() {
    on_both_beds(|bed| {
        let [first, _] = city(&bed.store);
        let id = make(&bed.store, maker(), first).unwrap();
        check(&bed.store, checker(), id).unwrap();
        // Both sums stay the same: only the digest and the ledger can tell.
        behind_its_back(
            bed,
            "UPDATE settlement SET price_fen = price_fen + 100 WHERE order_id = 1;
            UPDATE settlement SET price_fen = price_fen - 100 WHERE order_id = 2;",
        );
        assert_eq!(refusal(pay(&bed.store, payer(), id)), StatementRefusal::DoesNotAddUp);
        assert_eq!(bed.store.read(statements::verify).unwrap().len(), 1);
    });
}

#[test]
fn what_is_open_is_told_by_provider() {
    on_both(|store| {
        let [first, _] = city(&store);
        let open = |store: &Store| store.read(|tx| statements::open(tx, &maker(), november())).unwrap();
        let before = open(&store);
        assert_eq!(
            (before.len(), before[0].orders, before[0].price.0, before[0].own.0),
            (1, 3, 38_800, 6_300)
        );
        make(&store, maker(), first).unwrap();
        assert!(open(&store).is_empty());
    });
}
