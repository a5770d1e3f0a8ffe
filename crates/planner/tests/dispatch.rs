//! Dispatch, seen from outside: each rule refuses in words, scores explain themselves, and the checker agrees.

#![expect(clippy::unwrap_used, reason = "a test may panic; helpers outside #[test] count as code to clippy")]

use std::mem::discriminant;

use planner::dispatch::{
    BASE_SCORE, Booking, CarerDay, CarerId, Hard, Position, Proposal, Rating, Reason, Sex, Skill, Span,
    Visit, check, propose,
};
use proptest::prelude::*;

/// A Tuesday: day 20,000 since 1970-01-01.
const DAY: i64 = 20_000;

fn at(hour: i64, minute: i64) -> i64 {
    DAY * 1440 + hour * 60 + minute
}

fn span(from: (i64, i64), to: (i64, i64)) -> Span {
    Span::new(at(from.0, from.1), at(to.0, to.1)).unwrap()
}

/// A point some kilometres north of the centre of Kaifeng.
fn north(km: f64) -> Option<Position> {
    Position::new(114.3, 34.8 + km / 111.195)
}

fn visit() -> Visit {
    Visit {
        span: span((10, 0), (11, 0)),
        home: north(0.0),
        skills: vec![vec!["助浴".into(), "护理".into()], vec!["健康证".into()]],
        same_sex: Some(Sex::Female),
        elder_language: None,
        blacklist: vec![],
        wishlist: vec![],
        night: false,
        last_carer: None,
    }
}

fn skill(name: &str, level: Option<u8>, from: i64, to: Option<i64>) -> Skill {
    Skill { name: name.into(), level, valid_from: from, valid_to: to }
}

fn carer(id: u128) -> CarerDay {
    CarerDay {
        id: CarerId(id),
        name: format!("护理员{id}"),
        sex: Sex::Female,
        place: north(1.0),
        free_from: None,
        skills: vec![skill("助浴", Some(4), DAY - 100, None), skill("健康证", None, DAY - 100, Some(DAY))],
        languages: vec!["开封话".into()],
        work: vec![span((8, 0), (17, 0))],
        bookings: vec![],
        minutes_today: 300,
        minutes_week: 900,
        refusals_today: 0,
        rating: None,
        region_ok: true,
        provider_offers: true,
        provider_contracted: true,
        on_leave: false,
    }
}

fn booking(from: (i64, i64), to: (i64, i64), place: Option<Position>) -> Booking {
    Booking { span: span(from, to), place }
}

/// The only proposal, as a dispatcher reads it: every reason in words, hard ones marked.
fn words(visit: &Visit, carer: &CarerDay) -> String {
    let proposal = propose(visit, std::slice::from_ref(carer)).remove(0);
    let line = |reason: &Reason| match reason {
        Reason::Hard(hard) => format!("✗{hard}"),
        other => format!("{:+} {other}", other.points()),
    };
    proposal.reasons.iter().map(line).collect::<Vec<_>>().join("；")
}

/// Changes one thing about the visit or the carer and returns the hard reasons in words.
fn refusals(change: impl FnOnce(&mut Visit, &mut CarerDay)) -> String {
    let (mut visit, mut carer) = (visit(), carer(1));
    change(&mut visit, &mut carer);
    let proposal = propose(&visit, std::slice::from_ref(&carer)).remove(0);
    let hard: Vec<_> = proposal.reasons.iter().filter(|reason| matches!(reason, Reason::Hard(_))).collect();
    assert_eq!(proposal.allowed, hard.is_empty());
    assert_eq!(kinds(&check(&visit, &carer)), proposed_kinds(&proposal), "the checker disagrees");
    hard.iter().map(|reason| reason.to_string()).collect::<Vec<_>>().join("；")
}

#[test]
fn a_free_carer_nearby_may_go_and_says_why() {
    assert_eq!(refusals(|_, _| ()), "");
    assert_eq!(words(&visit(), &carer(1)), "+11 路程约 9 分钟，就在附近；+3 之前时间宽裕；+3 之后时间宽裕");
}

#[test]
fn everything_in_favour_is_named() {
    let (mut visit, mut carer) = (visit(), carer(1));
    visit.last_carer = Some(CarerId(1));
    visit.wishlist = vec![CarerId(1)];
    visit.elder_language = Some("开封话".into());
    carer.skills[0].level = Some(2);
    carer.rating = Rating::new(48, 32);
    carer.minutes_today = 90;
    assert_eq!(
        words(&visit, &carer),
        "+30 上次就是这位护理员；+25 老人点名要这位护理员；+10 会说开封话；+11 路程约 9 分钟，就在附近；\
         +3 之前时间宽裕；+3 之后时间宽裕；+8 助浴技师；+13 评分 4.8（32 次评价）；+8 当天只排了 1 小时 30 分"
    );
}

#[test]
fn everything_doubtful_is_named_and_forbids_nothing() {
    let (mut visit, mut carer) = (visit(), carer(1));
    visit.elder_language = Some("兰考话".into());
    carer.place = north(4.0);
    carer.free_from = Some(at(9, 30));
    carer.bookings = vec![booking((11, 25), (12, 0), None)];
    carer.minutes_today = 380;
    carer.minutes_week = 2400;
    carer.refusals_today = 3;
    carer.rating = Rating::new(30, 5);
    assert!(check(&visit, &carer).is_empty());
    assert_eq!(
        words(&visit, &carer),
        "-15 没有登记会说兰考话；-3 地址没有定位，路程是估计的；-11 路程约 26 分钟，超出一刻钟；\
         -8 到达前只有 4 分钟余量；-5 赶下一单只有 5 分钟余量；-10 加上这单当天满 7 小时 20 分；\
         -6 加上这单本周满 41 小时；-12 当天已拒单 3 次，派前先问一声；-15 评分只有 3.0（5 次评价）"
    );
}

#[test]
fn four_ratings_are_too_few_to_count() {
    let mut carer = carer(1);
    carer.rating = Rating::new(10, 4);
    assert!(!words(&visit(), &carer).contains("评分"));
}

#[test]
fn a_skill_never_held_is_refused_with_all_that_would_do() {
    assert_eq!(refusals(|_, c| c.skills.truncate(0)), "缺少资质：助浴或护理；缺少资质：健康证");
}

#[test]
fn a_certificate_counts_on_its_last_day_and_not_the_day_after() {
    assert_eq!(refusals(|_, c| c.skills[1].valid_to = Some(DAY)), "");
    assert_eq!(refusals(|_, c| c.skills[1].valid_to = Some(DAY - 1)), "健康证到服务当天已过期 1 天");
    assert_eq!(refusals(|_, c| c.skills[1].valid_from = DAY + 3), "健康证要到服务日之后 3 天才生效");
}

#[test]
fn a_renewed_certificate_heals_the_expired_one() {
    let renew = |_: &mut Visit, c: &mut CarerDay| {
        c.skills[1].valid_to = Some(DAY - 1);
        c.skills.push(skill("健康证", None, DAY, Some(DAY + 365)));
    };
    assert_eq!(refusals(renew), "");
}

#[test]
fn a_certificate_ending_at_midnight_does_not_cover_a_night_visit() {
    let night = |v: &mut Visit, c: &mut CarerDay| {
        v.span = Span::new(at(23, 0), at(25, 0)).unwrap();
        v.night = true;
        c.work = vec![Span::new(at(20, 0), at(32, 0)).unwrap()];
    };
    assert_eq!(refusals(night), "健康证到服务当天已过期 1 天");
}

#[test]
fn sex_list_area_contract_and_leave_each_forbid() {
    assert_eq!(refusals(|_, c| c.sex = Sex::Male), "这项服务须由女护理员上门");
    assert_eq!(refusals(|v, _| v.blacklist.push(CarerId(1))), "已约定不再派这位护理员");
    assert_eq!(refusals(|_, c| c.region_ok = false), "老人家不在其服务区域");
    assert_eq!(refusals(|_, c| c.provider_offers = false), "所属服务商不做这项服务");
    assert_eq!(refusals(|_, c| c.provider_contracted = false), "所属服务商的合同在服务当天无效");
    assert_eq!(refusals(|_, c| c.on_leave = true), "当天请假");
}

#[test]
fn a_booking_that_touches_the_visit_clashes_and_one_that_meets_it_does_not() {
    let here = north(0.0);
    assert_eq!(refusals(|_, c| c.bookings.push(booking((9, 0), (10, 1), here))), "09:00–10:01 已有安排");
    assert_eq!(refusals(|_, c| c.bookings.push(booking((10, 59), (12, 0), here))), "10:59–12:00 已有安排");
    // Three minutes for the door are the shortest ride.
    assert_eq!(refusals(|_, c| c.bookings.push(booking((9, 0), (9, 57), here))), "");
}

#[test]
fn a_ride_that_does_not_fit_is_refused_on_either_side() {
    assert_eq!(
        refusals(|_, c| c.bookings.push(booking((9, 0), (9, 50), north(3.0)))),
        "路上要 20 分钟，只有 10 分钟，赶不到"
    );
    assert_eq!(
        refusals(|_, c| c.bookings.push(booking((11, 5), (12, 0), north(3.0)))),
        "赶不上 11:05 的下一单：路上要 20 分钟，只有 5 分钟"
    );
}

#[test]
fn who_is_free_only_after_the_start_cannot_arrive() {
    assert_eq!(refusals(|_, c| c.free_from = Some(at(10, 10))), "路上要 9 分钟，已来不及出发");
    assert_eq!(refusals(|_, c| c.free_from = Some(at(9, 51))), "");
}

#[test]
fn a_booking_after_now_decides_where_the_carer_comes_from() {
    // Far away now, but the nine o'clock booking is next door.
    let next_door = |_: &mut Visit, c: &mut CarerDay| {
        c.place = north(40.0);
        c.free_from = Some(at(8, 30));
        c.bookings.push(booking((9, 0), (9, 50), north(0.1)));
    };
    assert_eq!(refusals(next_door), "");
}

#[test]
fn eight_hours_a_day_and_forty_four_a_week_are_the_law() {
    assert_eq!(refusals(|_, c| c.minutes_today = 420), "");
    assert_eq!(refusals(|_, c| c.minutes_today = 421), "加上这单当天 8 小时 1 分，超过 8 小时");
    assert_eq!(refusals(|_, c| c.minutes_week = 2580), "");
    assert_eq!(refusals(|_, c| c.minutes_week = 2581), "加上这单本周 44 小时 1 分，超过 44 小时");
}

#[test]
fn a_visit_must_lie_in_one_shift() {
    assert_eq!(refusals(|_, c| c.work.clear()), "当天休息");
    let split =
        |_: &mut Visit, c: &mut CarerDay| c.work = vec![span((8, 0), (10, 30)), span((10, 45), (17, 0))];
    assert_eq!(refusals(split), "不在上班时间（08:00–10:30）");
}

#[test]
fn a_visit_at_night_needs_an_item_sold_for_it() {
    let late = |night| {
        move |v: &mut Visit, c: &mut CarerDay| {
            v.span = span((21, 30), (22, 1));
            v.night = night;
            c.work = vec![span((14, 0), (23, 0))];
        }
    };
    assert_eq!(refusals(late(false)), "22:00 到 06:00 上门须选夜间服务项目");
    assert_eq!(refusals(late(true)), "");
}

#[test]
fn the_known_face_outranks_the_neighbour_and_ids_break_ties() {
    let mut visit = visit();
    visit.last_carer = Some(CarerId(9));
    let mut known = carer(9);
    known.place = north(2.0);
    let order: Vec<u128> = propose(&visit, &[carer(5), known, carer(4)]).iter().map(|p| p.carer.0).collect();
    assert_eq!(order, [9, 4, 5]);
}

#[test]
fn those_who_may_not_go_come_last_and_by_fewest_obstacles() {
    let mut two = carer(1);
    (two.on_leave, two.region_ok) = (true, false);
    let mut one = carer(2);
    one.on_leave = true;
    let mut poor = carer(3);
    poor.place = north(30.0);
    let order: Vec<u128> = propose(&visit(), &[two, one, poor]).iter().map(|p| p.carer.0).collect();
    assert_eq!(order, [3, 2, 1]);
}

#[test]
fn nonsense_cannot_be_built() {
    assert_eq!(Span::new(10, 10), None);
    assert_eq!(Span::new(0, i64::MAX), None);
    assert_eq!(Position::new(f64::NAN, 30.0), None);
    assert_eq!(Position::new(0.0, 0.0), None);
    assert_eq!(Rating::new(51, 1), None);
}

// ---- properties ----

fn kinds(hard: &[Hard]) -> Vec<String> {
    // The name of the variant is enough: numbers may differ by the rounding the two sides do on purpose.
    let mut names: Vec<String> = hard.iter().map(|hard| format!("{:?}", discriminant(hard))).collect();
    names.sort();
    names.dedup();
    names
}

fn hard(proposal: &Proposal) -> Vec<Hard> {
    let only = |reason: &Reason| if let Reason::Hard(hard) = reason { Some(hard.clone()) } else { None };
    proposal.reasons.iter().filter_map(only).collect()
}

fn proposed_kinds(proposal: &Proposal) -> Vec<String> {
    kinds(&hard(proposal))
}

/// A ride within a minute of fitting, where rounding up may refuse what an exact sum lets pass.
fn borderline(hard: &Hard) -> bool {
    match hard {
        Hard::CannotArrive { need, have } | Hard::CannotReachNext { need, have, .. } => {
            i64::from(*need) - have <= 1
        }
        _ => false,
    }
}

fn some_place() -> impl Strategy<Value = Option<Position>> {
    // Mostly within one county, sometimes without a point.
    let point = (0..150i32, 0..150i32);
    prop_oneof![1 => Just(None), 9 => point.prop_map(|(x, y)| {
        Position::new(114.2 + f64::from(x) / 1000.0, 34.7 + f64::from(y) / 1000.0)
    })]
}

fn some_span(longest: i64) -> impl Strategy<Value = Span> {
    (0..288i64, 1..=longest)
        .prop_map(|(five, minutes)| Span::new(at(0, five * 5), at(0, five * 5 + minutes)).unwrap())
}

fn some_skill() -> impl Strategy<Value = Skill> {
    let name = prop::sample::select(vec!["助浴", "护理", "健康证"]);
    (name, prop::option::of(1..=5u8), -2..=1i64, prop::option::of(-2..=3i64))
        .prop_map(|(name, level, from, to)| skill(name, level, DAY + from, to.map(|to| DAY + to)))
}

fn some_visit() -> impl Strategy<Value = Visit> {
    let group = prop::collection::vec(
        prop::sample::select(vec!["助浴".to_owned(), "护理".into(), "健康证".into()]),
        1..3,
    );
    let sex = prop::option::weighted(0.3, prop::sample::select(vec![Sex::Male, Sex::Female]));
    let ids = || prop::collection::vec((0..12u128).prop_map(CarerId), 0..3);
    let language = prop::option::of(prop::sample::select(vec!["开封话".to_owned(), "兰考话".into()]));
    let skills = prop::collection::vec(group, 0..3);
    let last = prop::option::of((0..12u128).prop_map(CarerId));
    (some_span(180), some_place(), skills, sex, language, ids(), ids(), any::<bool>(), last).prop_map(
        |(span, home, skills, same_sex, elder_language, blacklist, wishlist, night, last_carer)| Visit {
            span,
            home,
            skills,
            same_sex,
            elder_language,
            blacklist,
            wishlist,
            night,
            last_carer,
        },
    )
}

fn some_carer(id: u128) -> impl Strategy<Value = CarerDay> {
    let shift = prop_oneof![
        4 => Just(vec![Span::new(at(0, 0), at(24, 0)).unwrap()]),
        2 => Just(vec![span((8, 0), (12, 0)), span((13, 0), (20, 0))]),
        1 => Just(vec![]),
    ];
    let bookings = prop::collection::vec((some_span(90), some_place()), 0..5);
    let load = (0..500u32, 0..2800u32, 0..5u32, prop::option::of((0..=50u8, 0..20u32)));
    let mostly = || prop::bool::weighted(0.9);
    let flags = (any::<bool>(), mostly(), mostly(), prop::bool::weighted(0.1), mostly());
    let skills = prop::collection::vec(some_skill(), 0..5);
    let free = prop::option::weighted(0.4, 0..1500i64);
    (some_place(), free, skills, shift, bookings, load, flags).prop_map(
        move |(place, free, skills, work, bookings, (today, week, refusals, rating), flags)| CarerDay {
            sex: if flags.0 { Sex::Male } else { Sex::Female },
            place,
            free_from: free.map(|minute| at(0, minute)),
            skills,
            work,
            bookings: bookings.into_iter().map(|(span, place)| Booking { span, place }).collect(),
            minutes_today: today,
            minutes_week: week,
            refusals_today: refusals,
            rating: rating.and_then(|(tenths, count)| Rating::new(tenths, count)),
            region_ok: flags.1,
            provider_contracted: flags.2,
            on_leave: flags.3,
            provider_offers: flags.4,
            ..carer(id)
        },
    )
}

fn some_carers() -> impl Strategy<Value = Vec<CarerDay>> {
    (0..12u128).map(some_carer).collect::<Vec<_>>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_allowed_proposal_fails_the_checker(visit in some_visit(), carers in some_carers()) {
        for proposal in propose(&visit, &carers).iter().filter(|proposal| proposal.allowed) {
            let carer = &carers[usize::try_from(proposal.carer.0).unwrap()];
            prop_assert_eq!(check(&visit, carer), vec![], "{:?}", proposal);
        }
    }

    #[test]
    fn proposer_and_checker_name_the_same_obstacles(visit in some_visit(), carers in some_carers()) {
        for proposal in propose(&visit, &carers) {
            let carer = &carers[usize::try_from(proposal.carer.0).unwrap()];
            let strict: Vec<Hard> = hard(&proposal).into_iter().filter(|hard| !borderline(hard)).collect();
            let found = kinds(&check(&visit, carer));
            for kind in kinds(&strict) {
                prop_assert!(found.contains(&kind), "the checker missed one of {:?}", strict);
            }
            for kind in found {
                prop_assert!(proposed_kinds(&proposal).contains(&kind), "the proposer missed {}", kind);
            }
        }
    }

    #[test]
    fn the_ranking_does_not_depend_on_the_order_carers_come_in(
        visit in some_visit(),
        (carers, shuffled) in some_carers().prop_flat_map(|carers| (Just(carers.clone()), Just(carers).prop_shuffle())),
    ) {
        prop_assert_eq!(propose(&visit, &carers), propose(&visit, &shuffled));
    }

    #[test]
    fn the_ranking_is_by_permission_then_score_and_the_score_is_its_reasons(
        visit in some_visit(),
        carers in some_carers(),
    ) {
        let proposals = propose(&visit, &carers);
        prop_assert_eq!(proposals.len(), carers.len());
        for proposal in &proposals {
            let points: i32 = proposal.reasons.iter().map(Reason::points).sum();
            prop_assert_eq!(proposal.score, BASE_SCORE + points);
            prop_assert_eq!(proposal.allowed, hard(proposal).is_empty());
            prop_assert!(proposal.reasons.iter().all(|reason| !reason.to_string().is_empty()));
        }
        for pair in proposals.windows(2) {
            let (better, worse) = (&pair[0], &pair[1]);
            let fewer = better.hard_count() < worse.hard_count();
            let equal = better.hard_count() == worse.hard_count();
            let score = better.score > worse.score || better.score == worse.score && better.carer < worse.carer;
            prop_assert!(fewer || equal && score);
        }
    }
}
