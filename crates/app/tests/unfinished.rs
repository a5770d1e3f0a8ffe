//! Visits that become no service, orders called off late, and urgent orders that ring.

mod town;

use app::{
    ledger::{
        self,
        statements::{self, StatementRefusal},
    },
    orders,
    outcome::No,
    p, pack, settings,
    store::Store,
};
use city::testing::on_both;
use domain::{
    access::Role,
    ids::{CarerId, OrderId, PersonId, ProviderId, StatementId},
    money::{Fen, Minutes},
    orders::{
        CancelReason, CheckIn, Earned, Fix, Interrupt, Interruption, Method, NobodyHome, OrderRefusal,
        OrderState,
    },
    programmes::Asset,
};
use town::*;

struct Scene {
    elder: PersonId,
    provider: ProviderId,
    tian: CarerId,
    ma: CarerId,
}

fn scene(store: &Store) -> Scene {
    town(store);
    let provider = provider(store, "安康养老");
    Scene {
        elder: person(store, "王秀英", 2),
        provider,
        tian: carer(store, provider, "田芳", 2, ALL_SKILLS),
        ma: carer(store, provider, "马丽", 2, ALL_SKILLS),
    }
}

fn order_of(store: &Store, order: OrderId) -> orders::Order {
    let actor = somebody(Role::Auditor, 90);
    store.read(move |tx| orders::order(tx, &actor, order)).unwrap()
}

fn acts(store: &Store, order: OrderId) -> Vec<String> {
    store
        .read(move |tx| {
            tx.all("SELECT act FROM evidence WHERE subject = ?1 ORDER BY seq", p![order], |r| r.get(0))
        })
        .unwrap()
}

/// The balance of the elder's own account in fen: below zero is owed.
fn owed(store: &Store, elder: PersonId) -> i64 {
    store
        .read(move |tx| {
            tx.one(
                "SELECT CAST(COALESCE(SUM(credits_posted - debits_posted), 0) AS BIGINT) FROM ledger_account
                WHERE kind = 'elder' AND owner = ?1",
                p![elder],
                |r| r.get(0),
            )
        })
        .unwrap()
}

fn ledger_is_sound(store: &Store) {
    assert_eq!(store.read(ledger::verify).unwrap(), []);
}

/// Brings an order to the door at `minutes` after nine.
fn at_the_door(store: &Store, s: &Scene, order: OrderId, minutes: i64) -> domain::access::Actor {
    let who = worker(20, s.provider, s.tian);
    assign(store, order, s.tian, None, 1).unwrap();
    accept(store, order, &who, 2).unwrap();
    let (carer, fix) = (who.clone(), Some(Fix { lon: HOME.0, lat: HOME.1, accuracy: 10.0 }));
    store
        .write(move |tx| {
            let ask = CheckIn { method: Method::Gps, fix, device_at: at(minutes).0 };
            orders::check_in(tx, &carer, order, &ask, at(minutes))
        })
        .unwrap();
    who
}

fn nobody(
    store: &Store,
    order: OrderId,
    by: &domain::access::Actor,
    minutes: i64,
    rang: bool,
) -> Result<(), No<OrderRefusal>> {
    let by = by.clone();
    let ask = NobodyHome {
        fix: None,
        device_at: at(minutes).0,
        rang_elder: rang,
        rang_contact: rang,
        note: "邻居说去了女儿家".into(),
    };
    store.write(move |tx| orders::nobody_home(tx, &by, order, &ask, at(minutes)))
}

fn photographed(store: &Store, order: OrderId, by: &domain::access::Actor, minutes: i64) {
    let (by, mut bytes) = (by.clone(), Vec::new());
    picture(&mut bytes);
    let photo = orders::NewPhoto::parse(bytes, at(minutes).0).unwrap();
    store.write(move |tx| orders::add_photo(tx, &by, order, &photo, at(minutes))).unwrap();
}

/// Two people excuse an order from the receiver's word.
fn excuse(store: &Store, order: OrderId, minutes: i64) {
    let (asks, allows) = (somebody(Role::Dispatcher, 13), somebody(Role::CountyCivilAffairs, 14));
    store
        .write(move |tx| orders::ask_exception(tx, &asks, order, "老人不在家，照片已核对", at(minutes)))
        .unwrap();
    store.write(move |tx| orders::approve_exception(tx, &allows, order, at(minutes))).unwrap();
}

fn settle(store: &Store, order: OrderId, minutes: i64) -> Result<Fen, No<OrderRefusal>> {
    let actor = somebody(Role::Dispatcher, 13);
    store.write(move |tx| orders::settle(tx, &actor, order, at(minutes)))
}

fn hours_left(store: &Store, elder: PersonId) -> i64 {
    store
        .read(move |tx| {
            tx.one(
                "SELECT CAST(SUM(credits_posted - debits_posted - debits_pending) AS BIGINT) FROM ledger_account
                WHERE kind = 'right' AND owner = ?1",
                p![elder],
                |r| r.get(0),
            )
        })
        .unwrap()
}

/// The city says what a visit to a closed door is paid.
fn fee_is(store: &Store, fen: Option<i64>) {
    store
        .write(move |tx| {
            let place = pack::place(tx)?.unwrap();
            let told = pack::Place { nobody_home_fee_fen: fen, ..place };
            settings::set(tx, "pack", &serde_json::to_string(&told)?)
        })
        .unwrap();
}

#[test]
fn a_closed_door_frees_the_hours_and_is_tried_again() {
    on_both(|store| {
        let s = scene(&store);
        store
            .write(move |tx| {
                tx.execute_one("UPDATE person SET phone = ?2 WHERE id = ?1", p![s.elder, vec![1u8]])
            })
            .unwrap();
        right(&store, s.elder, "KF-JJZH", Asset::Minutes, 600);
        let order = place(&store, &wish(s.elder, "B01", 60, None));
        let before = hours_left(&store, s.elder);
        let who = at_the_door(&store, &s, order, 60);
        assert!(matches!(
            refused(nobody(&store, order, &who, 65, true)),
            OrderRefusal::WaitLonger { minutes: 10 }
        ));
        assert!(refused(nobody(&store, order, &who, 76, true)).to_string().contains("门口的照片"));
        photographed(&store, order, &who, 62);
        assert!(refused(nobody(&store, order, &who, 76, false)).to_string().contains("老人打电话"));
        let other = worker(21, s.provider, s.ma);
        assert!(matches!(nobody(&store, order, &other, 76, true), Err(No::NotFound)));
        nobody(&store, order, &who, 76, true).unwrap();
        assert_eq!(order_of(&store, order).state, OrderState::NobodyHome);
        assert_eq!(hours_left(&store, s.elder), before.max(600), "the hours can be used for the second try");
        assert!(nobody(&store, order, &who, 77, true).is_err(), "once is enough");
        assert!(settle(&store, order, 80).is_err(), "nothing is paid without a second person");
        let agent = somebody(Role::Agent, 10);
        let second =
            store.write(move |tx| orders::again(tx, &agent, order, Some(at(24 * 60).0), at(90))).unwrap();
        assert_eq!(order_of(&store, second).start_at, at(24 * 60).0);
        assert_eq!(acts(&store, order).last().map(String::as_str), Some("order.nobody_home"));
        ledger_is_sound(&store);
    });
}

#[test]
fn a_closed_door_is_paid_what_the_city_says_and_twice_a_month() {
    on_both(|store| {
        let s = scene(&store);
        let tries: Vec<OrderId> = (0..3)
            .map(|n| {
                let order = place(&store, &wish(s.elder, "B01", 60 + n * 180, None));
                let who = at_the_door(&store, &s, order, 60 + n * 180);
                photographed(&store, order, &who, 61 + n * 180);
                nobody(&store, order, &who, 76 + n * 180, true).unwrap();
                excuse(&store, order, 600);
                order
            })
            .collect();
        fee_is(&store, None);
        assert_eq!(refused(settle(&store, tries[0], 601)), OrderRefusal::NoFeeSet);
        fee_is(&store, Some(1_000));
        assert_eq!(settle(&store, tries[0], 602).unwrap(), Fen(1_000));
        assert_eq!(settle(&store, tries[1], 603).unwrap(), Fen(1_000));
        assert_eq!(refused(settle(&store, tries[2], 604)), OrderRefusal::PaidOften { times: 2 });
        assert_eq!(owed(&store, s.elder), -2_000, "who was to pay the order pays the fee");
        ledger_is_sound(&store);
    });
}

fn broken_off(store: &Store, order: OrderId, by: &domain::access::Actor, minutes: i64) -> Minutes {
    let by = by.clone();
    let ask = Interrupt {
        fix: None,
        device_at: at(minutes).0,
        why: Interruption::Illness,
        note: "头晕，已通知女儿".into(),
    };
    store.write(move |tx| orders::interrupt(tx, &by, order, &ask, at(minutes))).unwrap()
}

#[test]
fn a_visit_broken_off_early_is_paid_only_by_exception() {
    on_both(|store| {
        let s = scene(&store);
        let order = place(&store, &wish(s.elder, "B01", 60, None));
        let who = at_the_door(&store, &s, order, 60);
        assert_eq!(broken_off(&store, order, &who, 80), Minutes(20));
        confirm(&store, order, true, 100);
        assert!(matches!(refused(settle(&store, order, 101)), OrderRefusal::BrokeOffEarly { .. }));
        excuse(&store, order, 110);
        settle(&store, order, 120).unwrap();
        assert_eq!(order_of(&store, order).state, OrderState::Settled);
        ledger_is_sound(&store);
    });
}

#[test]
fn a_visit_broken_off_late_is_paid_its_minutes_and_one_not_accepted_is_not() {
    on_both(|store| {
        let s = scene(&store);
        let order = place(&store, &wish(s.elder, "A05", 60, None));
        let who = at_the_door(&store, &s, order, 60);
        let planned = order_of(&store, order).minutes;
        broken_off(&store, order, &who, 60 + planned.0 - 10);
        assert_eq!(refused(settle(&store, order, 200)), OrderRefusal::NotAccepted);
        confirm(&store, order, true, 210);
        let price = order_of(&store, order).price;
        let paid = settle(&store, order, 220).unwrap();
        assert_eq!(paid, price.pro_rata(Minutes(planned.0 - 10), planned));
        ledger_is_sound(&store);
    });
}

#[test]
fn calling_off_an_hour_before_costs_the_elder_and_taking_it_back_does_not() {
    on_both(|store| {
        let s = scene(&store);
        let order = place(&store, &wish(s.elder, "B01", 120, None));
        assign(&store, order, s.tian, None, 1).unwrap();
        accept(&store, order, &worker(20, s.provider, s.tian), 2).unwrap();
        let price = order_of(&store, order).price;
        let agent = somebody(Role::Agent, 10);
        let fee = store
            .write(move |tx| orders::cancel(tx, &agent, order, CancelReason::Family, "", at(60)))
            .unwrap();
        assert_eq!(fee, price.pro_rata(Minutes(30), Minutes(100)));
        assert_eq!(owed(&store, s.elder), -fee.0);
        let agent = somebody(Role::Agent, 10);
        store.write(move |tx| orders::again(tx, &agent, order, None, at(60))).unwrap();
        assert_eq!((owed(&store, s.elder), order_of(&store, order).fee), (0, Fen::ZERO));
        assert!(make(&store, s.provider).is_err(), "what was taken back is on no statement");
        ledger_is_sound(&store);
    });
}

fn make(store: &Store, of: ProviderId) -> Result<StatementId, No<StatementRefusal>> {
    let clerk = somebody(Role::Dispatcher, 13);
    store.write(move |tx| statements::make(tx, &clerk, of, at(0).month(), at(700)))
}

/// An order whose carer had it, called off an hour before the visit at `start`; answers the fee.
fn called_off(store: &Store, s: &Scene, order: OrderId, start: i64) -> Fen {
    assign(store, order, s.tian, None, 1).unwrap();
    accept(store, order, &worker(20, s.provider, s.tian), 2).unwrap();
    let agent = somebody(Role::Agent, 10);
    store
        .write(move |tx| orders::cancel(tx, &agent, order, CancelReason::Family, "", at(start - 60)))
        .unwrap()
}

/// What `verify` says of fees and settlements; the digests of rows are not looked at.
fn settlement_troubles(store: &Store) -> Vec<String> {
    let (troubles, _) = store.read(|tx| orders::verify(tx, |_| None)).unwrap();
    let told = troubles.iter().map(ToString::to_string);
    told.filter(|t| !t.contains("没有留痕")).collect()
}

#[test]
fn fees_stand_on_the_month_with_their_reason_and_are_checked_and_paid() {
    on_both(|store| {
        let s = scene(&store);
        right(&store, s.elder, "KF-JJZH", Asset::Minutes, 60);
        let door = place(&store, &wish(s.elder, "B01", 60, None));
        let who = at_the_door(&store, &s, door, 60);
        photographed(&store, door, &who, 61);
        nobody(&store, door, &who, 76, true).unwrap();
        excuse(&store, door, 90);
        // The pack of the city says what it is.
        let told = pack::Pack::load("kaifeng").unwrap().nobody_home_fee_fen.unwrap();
        assert_eq!(settle(&store, door, 100).unwrap(), Fen(told));
        let off = place(&store, &wish(s.elder, "B01", 400, None));
        let fee = called_off(&store, &s, off, 400);
        assert!(fee > Fen::ZERO);
        assert_eq!(settlement_troubles(&store), [""; 0]);

        let open =
            store.read(|tx| statements::open(tx, &somebody(Role::Finance, 50), at(0).month())).unwrap();
        assert_eq!((open[0].orders, open[0].price, open[0].own), (2, Fen(told) + fee, fee));
        let id = make(&store, s.provider).unwrap();
        let sheet = || store.read(move |tx| statements::sheet(tx, &somebody(Role::Finance, 50), id)).unwrap();
        let made = sheet();
        let lines: Vec<_> = made.lines.iter().map(|l| (l.order, l.kind, l.price, l.own)).collect();
        let (closed, late) = (Earned::ClosedDoor, Earned::LateCancel);
        assert_eq!(lines, [(door, closed, Fen(told), Fen::ZERO), (off, late, fee, fee)]);
        let sums: Vec<_> = made.by_service.iter().map(|sum| sum.name.as_str()).collect();
        assert_eq!(sums, ["空访补偿", "临时取消费"]);
        assert_eq!((made.statement.amount, made.elders, made.adds_up()), (Fen(told), fee, true));

        let checker = somebody(Role::CountyCivilAffairs, 14);
        store.write(move |tx| statements::check(tx, &checker, id, at(701))).unwrap();
        let payer = somebody(Role::Finance, 50);
        store.write(move |tx| statements::pay(tx, &payer, id, at(702))).unwrap();
        assert_eq!(sheet().statement.state(), statements::State::Paid);

        // What was stated is not taken back when the visit is ordered again for the same time.
        let agent = somebody(Role::Agent, 10);
        store.write(move |tx| orders::again(tx, &agent, off, None, at(380))).unwrap();
        assert_eq!(order_of(&store, off).fee, fee);
        let admin = of_provider(Role::ProviderAdmin, 40, s.provider);
        assert_eq!(store.write(move |tx| orders::collect_own(tx, &admin, off, at(710))).unwrap(), fee);
        assert_eq!((sheet().collected(), owed(&store, s.elder)), (fee, 0));
        ledger_is_sound(&store);
        assert_eq!(store.read(statements::verify).unwrap(), []);
        assert_eq!(settlement_troubles(&store), [""; 0]);
    });
}

#[test]
fn a_fee_that_is_on_no_month_or_is_another_is_told() {
    on_both(|store| {
        let s = scene(&store);
        let off = place(&store, &wish(s.elder, "B01", 400, None));
        called_off(&store, &s, off, 400);
        let change = |sql: &'static str| store.write(move |tx| tx.execute_one(sql, p![off])).unwrap();
        change("UPDATE settlement SET kind = 'visit' WHERE order_id = ?1");
        assert_eq!(settlement_troubles(&store).len(), 1, "nobody was visited");
        change("UPDATE settlement SET kind = 'late_cancel', price_fen = price_fen + 1 WHERE order_id = ?1");
        assert_eq!(settlement_troubles(&store).len(), 2, "neither the order's fee nor what was booked");
        change("DELETE FROM settlement WHERE order_id = ?1");
        assert_eq!(settlement_troubles(&store).len(), 1);
    });
}

#[test]
fn the_provider_notes_once_that_the_own_share_was_taken() {
    on_both(|store| {
        let s = scene(&store);
        let order = place(&store, &wish(s.elder, "B01", 60, Some(60)));
        let collect = |provider, minutes: i64| {
            let admin = of_provider(Role::ProviderAdmin, 40, provider);
            store.write(move |tx| orders::collect_own(tx, &admin, order, at(minutes)))
        };
        let who = worker(20, s.provider, s.tian);
        assign(&store, order, s.tian, None, 1).unwrap();
        accept(&store, order, &who, 2).unwrap();
        visit(&store, order, &who, 60, 120);
        confirm(&store, order, true, 130);
        assert!(matches!(refused(collect(s.provider, 135)), OrderRefusal::WrongState { .. }));
        let price = settle(&store, order, 140).unwrap();
        assert_eq!(owed(&store, s.elder), -price.0);
        let other = provider(&store, "康乐养老");
        assert!(matches!(collect(other, 150), Err(No::NotFound)));
        assert_eq!(collect(s.provider, 150).unwrap(), price);
        assert_eq!(owed(&store, s.elder), 0);
        assert!(matches!(refused(collect(s.provider, 151)), OrderRefusal::Collected { .. }));
        ledger_is_sound(&store);
        let troubles = store.read(|tx| orders::verify(tx, |_| None)).unwrap().0;
        assert!(!troubles.iter().any(|t| t.to_string().contains("结算金额")), "{troubles:?}");

        // Whoever pays the statement reads the trails of its orders, and of no other.
        let payer = || somebody(Role::Finance, 50);
        let traced = |order| store.read(move |tx| orders::traced(tx, &payer(), order)).map(|line| line.id);
        assert!(matches!(traced(order), Err(No::NotFound)), "it is on no statement yet");
        let (clerk, from) = (somebody(Role::Dispatcher, 13), s.provider);
        let month = at(0).month();
        store.write(move |tx| ledger::statements::make(tx, &clerk, from, month, at(160))).unwrap();
        assert_eq!(traced(order).unwrap(), order);
        let sheet = store
            .read(move |tx| {
                let id = tx.one("SELECT MAX(id) FROM statement", p![], |r| r.get(0))?;
                ledger::statements::sheet(tx, &payer(), id)
                    .map_err(|_| app::store::Fault::other("no statement"))
            })
            .unwrap();
        assert_eq!((sheet.collected(), sheet.uncollected()), (price, Fen::ZERO));
        let open = place(&store, &wish(s.elder, "B01", 600, Some(60)));
        assert!(matches!(traced(open), Err(No::NotFound)));
    });
}

/// A responder further from the home than the others.
fn far_away(store: &Store, carer: CarerId) {
    store
        .write(move |tx| tx.execute_one("UPDATE carer SET lon = lon + 0.03 WHERE id = ?1", p![carer]))
        .unwrap();
}

#[test]
fn an_urgent_order_rings_at_the_nearest_then_the_next_then_at_the_dispatchers() {
    on_both(|store| {
        let s = scene(&store);
        far_away(&store, s.ma);
        let order = place(&store, &wish(s.elder, "D04", 0, None));
        let quiet = place(&store, &wish(s.elder, "B01", 120, None));
        let ring = |minutes: i64| orders::urgent::ring_all(&store, at(minutes)).unwrap();
        assert_eq!(ring(0), 1);
        assert_eq!(order_of(&store, order).carer, Some(s.tian), "the nearest is asked first");
        assert_eq!(ring(0), 0, "and is given a moment");
        assert_eq!(ring(1), 1);
        assert_eq!(order_of(&store, order).carer, Some(s.ma));
        let ma = worker(21, s.provider, s.ma);
        store.write(move |tx| orders::decline(tx, &ma, order, "在外地", at(1))).unwrap();
        ring(2);
        assert_eq!(order_of(&store, order).carer, Some(s.tian), "who said no is not asked again");
        assert_eq!(order_of(&store, order).escalated_at, None);
        ring(5);
        assert_eq!(order_of(&store, order).escalated_at, Some(at(5).0));
        let dispatcher = somebody(Role::Dispatcher, 11);
        let waiting = store.read(move |tx| orders::waiting(tx, &dispatcher, at(5))).unwrap();
        assert_eq!(waiting[0].line.id, order, "what nobody took stands first");
        ring(6);
        assert_eq!(acts(&store, order).iter().filter(|a| *a == "order.escalated").count(), 1);
        accept(&store, order, &worker(20, s.provider, s.tian), 6).unwrap();
        assert_eq!(ring(8), 0, "what is taken rings no more");
        assert_eq!(
            order_of(&store, quiet).state,
            OrderState::Placed,
            "an ordinary order waits for a dispatcher"
        );
    });
}

#[test]
fn an_urgent_order_nobody_can_take_is_handed_over_at_once() {
    on_both(|store| {
        town(&store);
        let elder = person(&store, "王秀英", 2);
        let order = place(&store, &wish(elder, "D04", 0, None));
        assert_eq!(orders::urgent::ring_all(&store, at(0)).unwrap(), 1);
        let order = order_of(&store, order);
        assert_eq!((order.state, order.escalated_at), (OrderState::Placed, Some(at(0).0)));
        assert_eq!(orders::urgent::ring_all(&store, at(1)).unwrap(), 0);
    });
}
