//! How fast dispatch ranks a whole city's carers. Not part of the ordinary run, for a busy machine proves nothing:
//! `cargo test -p planner --release --test dispatch_speed -- --ignored --nocapture`.

#![expect(clippy::disallowed_methods, reason = "measuring time is what this file is for")]

use std::hint::black_box;
use std::time::Instant;

use planner::dispatch::{Booking, CarerDay, CarerId, Position, Rating, Sex, Skill, Span, Visit, propose};

/// A dispatcher's click must feel instant also with every other desk at work; 5 ms leaves room for the page.
const MILLIS_MAX: f64 = 5.0;

const START: i64 = 20_000 * 1440;

/// Spreads numbers without a random source: a fixed odd multiplier walks through all residues.
fn spread(seed: u128, salt: u128, below: u128) -> u128 {
    (seed + 1).wrapping_mul(6_364_136_223_846_793_005 + 2 * salt) / 65_536 % below
}

fn carer(id: u128) -> CarerDay {
    let pick = |salt, below| u32::try_from(spread(id, salt, below)).expect("below is small");
    let place = |salt| {
        let (east, north) = (f64::from(pick(salt, 400)), f64::from(pick(salt + 1, 300)));
        Position::new(114.1 + east / 1000.0, 34.6 + north / 1000.0)
    };
    let span = |from: i64, minutes: i64| {
        Span::new(START + from, START + from + minutes).expect("minutes are positive")
    };
    let skill = |name: &str, salt| Skill {
        name: name.to_owned(),
        level: Some(1 + u8::try_from(pick(salt, 5)).expect("below 5")),
        valid_from: 19_000,
        valid_to: Some(19_990 + i64::from(pick(salt + 1, 400))),
    };
    let bookings = (0..pick(7, 6)).map(|nth| Booking {
        span: span(480 + 100 * i64::from(nth), 60),
        place: place(20 + 2 * u128::from(nth)),
    });
    CarerDay {
        id: CarerId(id),
        name: format!("护理员{id}"),
        sex: if pick(1, 4) == 0 { Sex::Male } else { Sex::Female },
        place: place(2),
        free_from: Some(START + 420),
        skills: vec![skill("健康证", 40), skill(["助洁", "助浴", "护理"][pick(3, 3) as usize], 50)],
        languages: vec!["普通话".into(), "开封话".into()],
        work: vec![span(480, 240), span(780, 300)],
        bookings: bookings.collect(),
        minutes_today: pick(8, 460),
        minutes_week: pick(9, 2700),
        refusals_today: pick(10, 4),
        rating: Rating::new(30 + u8::try_from(pick(11, 20)).expect("below 20"), pick(12, 50)),
        region_ok: pick(13, 10) > 0,
        provider_offers: pick(16, 10) > 0,
        provider_contracted: pick(14, 10) > 0,
        on_leave: pick(15, 20) == 0,
    }
}

#[test]
#[ignore = "measures a release build on a quiet machine"]
fn five_thousand_carers_are_ranked_in_under_five_milliseconds() {
    let carers: Vec<CarerDay> = (0..5000).map(carer).collect();
    let visit = Visit {
        span: Span::new(START + 620, START + 680).expect("an hour"),
        home: Position::new(114.3, 34.8),
        skills: vec![vec!["助浴".into(), "护理".into()], vec!["健康证".into()]],
        same_sex: Some(Sex::Female),
        elder_language: Some("开封话".into()),
        blacklist: vec![CarerId(3)],
        wishlist: vec![CarerId(4)],
        night: false,
        last_carer: Some(CarerId(5)),
    };
    let mut millis: Vec<f64> = (0..200)
        .map(|_| {
            let begun = Instant::now();
            black_box(propose(black_box(&visit), black_box(&carers)));
            begun.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    millis.sort_by(f64::total_cmp);
    let allowed = propose(&visit, &carers).iter().filter(|proposal| proposal.allowed).count();
    println!("5,000 carers, {allowed} allowed: median {:.2} ms, p99 {:.2} ms", millis[100], millis[198]);
    assert!(millis[100] < MILLIS_MAX);
}
