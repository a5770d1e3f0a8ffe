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
