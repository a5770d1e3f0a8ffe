use proptest::prelude::*;

use super::*;
use crate::{
    ids::{AccountId, CarerId, PersonId},
    money::{Fen, Minutes},
    parties::PersonState,
    programmes::ServiceItem,
    time::{At, Now},
};

fn item(by_hour: bool) -> ServiceItem {
    ServiceItem {
        code: "B01".into(),
        name: "居室清洁".into(),
        help_kind: "助洁".into(),
        by_hour,
        minutes_std: Minutes(60),
        minutes_min: Minutes(50),
        unit_price: Fen(4000),
        workers: 1,
        same_sex: false,
        who_may: String::new(),
        one_of_them: String::new(),
        evidence: String::new(),
        contraindication: String::new(),
    }
}

fn at(text: &str) -> At {
    At::parse(text).unwrap()
}

fn ask(start: &str) -> PlaceAsk {
    PlaceAsk {
        person: PersonId(1),
        service: "B01".into(),
        start: at(start),
        minutes: None,
        own_share_agreed: true,
    }
}

fn facts(item: Option<&ServiceItem>) -> PlaceFacts<'_> {
    PlaceFacts { name: "王**".into(), state: PersonState::Active, item, same_item_at: None, rights: vec![] }
}

const NOW: &str = "2026-11-21T09:00";

fn told<T: std::fmt::Debug>(answer: Result<T, OrderRefusal>) -> String {
    answer.expect_err("should be refused").to_string()
}

#[test]
fn an_order_in_the_past_is_refused() {
    let item = item(false);
    let now = Now(at(NOW));
    assert_eq!(
        told(place(&ask("2026-11-21T08:00"), &facts(Some(&item)), now)),
        "上门时间 2026-11-21 08:00 已经过去，请改约以后的时间"
    );
    assert!(
        place(&ask("2026-11-21T08:45"), &facts(Some(&item)), now).is_ok(),
        "a wish for now may come late"
    );
}

#[test]
fn a_person_who_died_gets_no_order() {
    let item = item(false);
    let mut facts = facts(Some(&item));
    facts.state = PersonState::Deceased;
    assert_eq!(
        told(place(&ask("2026-11-22T08:00"), &facts, Now(at(NOW)))),
        "王**的档案状态是“去世”，不能下单；如有误请先更正档案"
    );
}

#[test]
fn the_own_share_is_told_before_it_is_taken() {
    let item = item(false);
    let mut ask = ask("2026-11-22T08:00");
    ask.own_share_agreed = false;
    assert_eq!(
        told(place(&ask, &facts(Some(&item)), Now(at(NOW)))),
        "补贴余额不足，需自付 ¥40.00；请先告知老人或家属并确认自付"
    );
}

#[test]
fn an_unknown_item_a_double_order_and_a_silly_length_are_refused() {
    let item = item(false);
    let now = Now(at(NOW));
    assert_eq!(
        told(place(&ask("2026-11-22T08:00"), &facts(None), now)),
        "服务目录里没有项目 B01，请从目录中选择"
    );
    let mut twice = facts(Some(&item));
    twice.same_item_at = Some(at("2026-11-22T08:00"));
    assert!(matches!(place(&ask("2026-11-22T08:00"), &twice, now), Err(OrderRefusal::AlreadyOrdered { .. })));
    let mut long = ask("2026-11-22T08:00");
    long.minutes = Some(Minutes(10_000));
    assert_eq!(told(place(&long, &facts(Some(&item)), now)), "时长应在 50 分钟 到 8 小时 之间");
}

fn sign_in(metres_north: f64, accuracy: f64) -> CheckIn {
    let fix = Fix { lon: 114.31, lat: 34.80 + metres_north / 111_195.0, accuracy };
    CheckIn { method: Method::Gps, fix: Some(fix), device_at: at(NOW) }
}

#[test]
fn signing_in_far_from_the_home_is_refused() {
    let home = Some((114.31, 34.80));
    let start = at(NOW);
    let try_at = |ask: &CheckIn| check_in(OrderState::Accepted, start, home, ask, Now(at(NOW)));
    assert_eq!(try_at(&sign_in(120.0, 20.0)).unwrap().distance_metres, Some(120));
    assert!(matches!(try_at(&sign_in(1_500.0, 20.0)), Err(OrderRefusal::TooFar { metres: 1_500, .. })));
    // A phone that does not know where it is says nothing about the place.
    assert_eq!(try_at(&sign_in(1_500.0, 900.0)).unwrap().distance_metres, None);
    assert_eq!(try_at(&sign_in(f64::NAN, 20.0)), Err(OrderRefusal::BadFix));
}

#[test]
fn a_record_made_offline_counts_from_the_phone_for_a_day() {
    let start = at(NOW);
    let mut ask = sign_in(0.0, 10.0);
    let later = |minutes: i64| Now(start.plus_minutes(minutes));
    assert!(!check_in(OrderState::Accepted, start, None, &ask, later(1)).unwrap().offline);
    let visit = check_in(OrderState::Accepted, start, None, &ask, later(300)).unwrap();
    assert!(visit.offline && visit.began_at == start);
    assert!(matches!(
        check_in(OrderState::Accepted, start, None, &ask, later(25 * 60)),
        Err(OrderRefusal::TooLate { .. })
    ));
    ask.device_at = start.plus_minutes(60);
    assert!(matches!(
        check_in(OrderState::Accepted, start, None, &ask, later(0)),
        Err(OrderRefusal::DeviceClock { .. })
    ));
}

#[test]
fn a_short_visit_needs_a_reason() {
    let mut ask =
        CheckOut { fix: None, device_at: at("2026-11-21T09:20"), tasks: vec![], note: String::new() };
    let now = Now(ask.device_at);
    assert_eq!(
        told(check_out(OrderState::InService, at(NOW), Minutes(50), &ask, now)),
        "实际服务 20 分钟，少于该项目最短 50 分钟；请写明原因"
    );
    ask.note = "老人要去医院".into();
    let (_, minutes) = check_out(OrderState::InService, at(NOW), Minutes(50), &ask, now).unwrap();
    assert_eq!(minutes, Minutes(20));
}

#[test]
fn hours_are_paid_by_the_half_hour_and_never_above_the_plan() {
    let item = item(true);
    for (served, paid) in [(20, 0), (59, 2000), (60, 4000), (200, 4000)] {
        let settled = settle(OrderState::Confirmed, &item, Minutes(60), Minutes(served), &[], None).unwrap();
        assert_eq!(settled.price, Fen(paid), "{served} minutes");
    }
}

#[test]
fn nothing_is_paid_without_a_word_or_a_second_person() {
    let item = item(false);
    let try_with = |exception| settle(OrderState::Served, &item, Minutes(60), Minutes(60), &[], exception);
    assert_eq!(try_with(None), Err(OrderRefusal::NotAccepted));
    let same = Exception { asked_by: AccountId(1), approved_by: AccountId(1) };
    assert_eq!(try_with(Some(same)), Err(OrderRefusal::SamePerson));
    let two = Exception { asked_by: AccountId(1), approved_by: AccountId(2) };
    assert_eq!(try_with(Some(two)).unwrap().price, Fen(4000));
    assert!(settle(OrderState::Placed, &item, Minutes(60), Minutes(60), &[], Some(two)).is_err());
}

#[test]
fn only_the_asked_carer_answers() {
    assert_eq!(accept(OrderState::Offered, Some(CarerId(1)), CarerId(2)), Err(OrderRefusal::NotYours));
    assert_eq!(accept(OrderState::Offered, Some(CarerId(2)), CarerId(2)), Ok(()));
    assert_eq!(
        decline(OrderState::Offered, Some(CarerId(2)), CarerId(2), " "),
        Err(OrderRefusal::Missing { what: "退单原因" })
    );
}

proptest! {
    /// Whatever is asked in whatever order, a closed order stays closed.
    #[test]
    fn an_ended_order_stays_ended(next in prop::sample::select(OrderState::ALL)) {
        for ended in OrderState::ALL.iter().filter(|s| s.ended()) {
            prop_assert!(!next.may_follow(*ended));
        }
    }
}

fn door(photos: i64) -> DoorFacts {
    DoorFacts { began_at: at(NOW), photos, elder_has_phone: true, has_contact: true }
}

fn nobody(minutes: i64) -> NobodyHome {
    NobodyHome {
        fix: None,
        device_at: at(NOW).plus_minutes(minutes),
        rang_elder: true,
        rang_contact: true,
        note: String::new(),
    }
}

#[test]
fn an_empty_visit_needs_a_quarter_of_an_hour_a_photo_and_two_calls() {
    let ask = nobody(15);
    let try_with = |state, facts, ask: &NobodyHome| nobody_home(state, facts, ask, Now(ask.device_at));
    assert_eq!(try_with(OrderState::InService, door(1), &ask), Ok(at(NOW).plus_minutes(15)));
    let early = nobody(4);
    assert_eq!(
        told(try_with(OrderState::InService, door(1), &early)),
        "请再等 11 分钟；等满后仍无人应答才能登记空访"
    );
    assert!(told(try_with(OrderState::InService, door(0), &ask)).contains("门口的照片"));
    let silent = NobodyHome { rang_elder: false, ..ask.clone() };
    assert!(told(try_with(OrderState::InService, door(1), &silent)).contains("老人打电话"));
    let silent = NobodyHome { rang_contact: false, ..ask.clone() };
    assert!(told(try_with(OrderState::InService, door(1), &silent)).contains("联系人打电话"));
    // Whoever is on no record cannot be rung.
    let unknown = DoorFacts { elder_has_phone: false, has_contact: false, ..door(1) };
    let unrung = NobodyHome { rang_elder: false, rang_contact: false, ..ask.clone() };
    assert!(try_with(OrderState::InService, unknown, &unrung).is_ok());
    for state in [OrderState::Accepted, OrderState::Served, OrderState::NobodyHome] {
        assert!(matches!(try_with(state, door(1), &ask), Err(OrderRefusal::WrongState { .. })), "{state:?}");
    }
}

#[test]
fn a_closed_door_is_paid_the_citys_fee_twice_a_month_and_by_those_who_would_have_paid() {
    let two = Some(Exception { asked_by: AccountId(1), approved_by: AccountId(2) });
    let payers = [
        Payer {
            right: Some(crate::ids::EntitlementId(7)),
            amount: Fen(3000),
            funders: vec![crate::programmes::Funder { account: crate::ids::LedgerId(5), weight: 1 }],
        },
        Payer { right: None, amount: Fen(1000), funders: vec![] },
    ];
    let try_with = |state, fee: Option<i64>, paid, exception| {
        settle_nobody_home(state, fee.map(Fen), Fen(4000), paid, &payers, exception)
    };
    let settled = try_with(OrderState::NobodyHome, Some(1000), 1, two).unwrap();
    assert_eq!(settled.shares.iter().map(|s| s.amount.0).collect::<Vec<_>>(), [750, 250]);
    assert!(settled.shares.iter().all(|s| s.used == 0), "no right is used up");
    // Never more than the visit would have cost.
    assert_eq!(try_with(OrderState::NobodyHome, Some(9000), 0, two).unwrap().price, Fen(4000));
    assert_eq!(try_with(OrderState::NobodyHome, None, 0, two), Err(OrderRefusal::NoFeeSet));
    assert_eq!(
        try_with(OrderState::NobodyHome, Some(1000), 2, two),
        Err(OrderRefusal::PaidOften { times: 2 })
    );
    assert_eq!(try_with(OrderState::NobodyHome, Some(1000), 0, None), Err(OrderRefusal::NotAccepted));
    assert!(try_with(OrderState::Cancelled, Some(1000), 0, two).is_err());
}

#[test]
fn a_broken_off_visit_is_paid_its_real_minutes_from_the_minimum_on() {
    let (by_visit, by_hour) = (item(false), item(true));
    let pay = |item: &ServiceItem, state, served, exception| {
        settle_interrupted(state, item, Minutes(60), Minutes(served), &[], exception).map(|s| s.price.0)
    };
    assert_eq!(pay(&by_visit, OrderState::Confirmed, 54, None), Ok(3600));
    assert_eq!(pay(&by_hour, OrderState::Confirmed, 54, None), Ok(2000));
    assert_eq!(
        told(pay(&by_visit, OrderState::Confirmed, 20, None)),
        "中断前只服务了 20 分钟，不足该项目最短 50 分钟，按规定不付费；请取消工单退回额度，或申请例外"
    );
    assert_eq!(pay(&by_visit, OrderState::Interrupted, 54, None), Err(OrderRefusal::NotAccepted));
    let same = Some(Exception { asked_by: AccountId(1), approved_by: AccountId(1) });
    assert_eq!(pay(&by_visit, OrderState::Interrupted, 54, same), Err(OrderRefusal::SamePerson));
    assert!(pay(&by_visit, OrderState::Confirmed, 20, same).is_err());
    let two = Some(Exception { asked_by: AccountId(1), approved_by: AccountId(2) });
    assert_eq!(pay(&by_visit, OrderState::Interrupted, 15, two), Ok(1000));
    assert!(
        pay(&by_visit, OrderState::Served, 54, two).is_err(),
        "what did not break off is not paid in part"
    );
}

#[test]
fn breaking_off_needs_words_and_a_visit() {
    let mut ask = Interrupt {
        fix: None,
        device_at: at(NOW).plus_minutes(20),
        why: Interruption::Illness,
        note: " ".into(),
    };
    let now = Now(ask.device_at);
    assert!(told(interrupt(OrderState::InService, at(NOW), &ask, now)).contains("中断的经过"));
    ask.note = "头晕，已通知女儿".into();
    assert_eq!(interrupt(OrderState::InService, at(NOW), &ask, now).unwrap().1, Minutes(20));
    assert!(interrupt(OrderState::Accepted, at(NOW), &ask, now).is_err());
}

#[test]
fn calling_off_late_costs_and_only_whoever_asked_for_it() {
    let start = at("2026-11-21T12:00");
    let fee = |state, reason, clock: &str| cancel_fee(state, reason, start, Fen(5700), Now(at(clock))).0;
    let (accepted, elder) = (OrderState::Accepted, CancelReason::Elder);
    assert_eq!(fee(accepted, elder, "2026-11-21T10:00"), 0, "two hours before is early enough");
    assert_eq!(fee(accepted, elder, "2026-11-21T10:01"), 1710);
    assert_eq!(fee(accepted, elder, "2026-11-21T12:01"), 0, "the carer is late");
    assert_eq!(fee(OrderState::Offered, elder, "2026-11-21T11:00"), 0, "nobody was to come yet");
    assert_eq!(fee(accepted, CancelReason::NoCarer, "2026-11-21T11:00"), 0);
    assert_eq!(fee(accepted, CancelReason::Mistake, "2026-11-21T11:00"), 0);
}
