//! A second opinion on the hard rules, written without looking at how the proposer works.
//!
//! It must never call into `rules.rs`, `propose.rs` or `travel.rs`: it is slow and plain on purpose. Days are walked
//! one by one, nights minute by minute, and distance is taken on the sphere, so a slip in one of the two shows up as
//! a difference in the property tests.

use super::model::{Booking, CarerDay, Position, Visit};
use super::reason::Hard;
use super::terms;

/// Half a minute of grace for rides: the two earth models and rounding differ by less, a real delay by more.
const GRACE_MINUTES: f64 = 0.5;

/// Everything that forbids sending `carer` to `visit`; empty when it may go.
pub fn check(visit: &Visit, carer: &CarerDay) -> Vec<Hard> {
    let mut broken = Vec::new();
    broken.extend(check_papers(visit, carer));
    broken.extend(check_skills(visit, carer));
    broken.extend(check_time(visit, carer));
    broken.extend(check_bookings(visit, carer));
    broken
}

fn check_papers(visit: &Visit, carer: &CarerDay) -> Vec<Hard> {
    let wrong_sex = visit.same_sex.and_then(|wanted| {
        let fits = wanted == carer.sex;
        if fits { None } else { Some(Hard::WrongSex { wanted }) }
    });
    let listed = visit.blacklist.iter().any(|listed| listed.0 == carer.id.0);
    [
        wrong_sex,
        listed.then_some(Hard::Blacklisted),
        carer.on_leave.then_some(Hard::OnLeave),
        (!carer.region_ok).then_some(Hard::OutsideArea),
        (!carer.provider_offers).then_some(Hard::NotOffered),
        (!carer.provider_contracted).then_some(Hard::NotContracted),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn check_skills(visit: &Visit, carer: &CarerDay) -> Vec<Hard> {
    let mut broken = Vec::new();
    let first = visit.span.start().div_euclid(terms::DAY_MINUTES);
    let last = (visit.span.end() - 1).div_euclid(terms::DAY_MINUTES);
    for group in &visit.skills {
        let held: Vec<_> = carer.skills.iter().filter(|skill| group.contains(&skill.name)).collect();
        let good = held.iter().any(|skill| {
            (first..=last).all(|day| day >= skill.valid_from && day <= skill.valid_to.unwrap_or(i64::MAX))
        });
        if good {
            continue;
        }
        let ended = held.iter().filter_map(|skill| skill.valid_to).filter(|to| last > *to).max();
        let begins = held.iter().map(|skill| skill.valid_from).min();
        let name = held.first().map(|skill| skill.name.clone()).unwrap_or_default();
        broken.push(match (ended, begins) {
            (Some(to), _) => Hard::SkillExpired { skill: name, days: last.saturating_sub(to) },
            (None, Some(from)) => Hard::SkillNotYet { skill: name, days: from - first },
            (None, None) => Hard::NoSkill { any_of: group.clone() },
        });
    }
    broken
}

fn check_time(visit: &Visit, carer: &CarerDay) -> Vec<Hard> {
    let mut broken = Vec::new();
    let minutes = visit.span.start()..visit.span.end();
    let mut shifts = carer.work.iter();
    if !shifts.any(|shift| minutes.start >= shift.start() && minutes.end <= shift.end()) {
        broken.push(Hard::OutsideHours { shift: carer.work.first().copied() });
    }
    let mut clocks = minutes.clone().map(|minute| minute.rem_euclid(terms::DAY_MINUTES));
    if !visit.night && clocks.any(|clock| !(terms::NIGHT_TO..terms::NIGHT_FROM).contains(&clock)) {
        broken.push(Hard::NightNotSold);
    }
    let length = minutes.end - minutes.start;
    let day = i64::from(carer.minutes_today) + length;
    let week = i64::from(carer.minutes_week) + length;
    if day > i64::from(terms::WORK_DAY_MINUTES_MAX) {
        broken.push(Hard::OverDay { minutes: u32::try_from(day).unwrap_or(u32::MAX) });
    }
    if week > i64::from(terms::WORK_WEEK_MINUTES_MAX) {
        broken.push(Hard::OverWeek { minutes: u32::try_from(week).unwrap_or(u32::MAX) });
    }
    broken
}

fn check_bookings(visit: &Visit, carer: &CarerDay) -> Vec<Hard> {
    let mut broken = Vec::new();
    let (start, end) = (visit.span.start(), visit.span.end());
    let overlaps = |other: &&Booking| other.span.start().max(start) < other.span.end().min(end);
    broken.extend(carer.bookings.iter().filter(overlaps).map(|other| Hard::Clash(other.span)));

    let earlier = carer.bookings.iter().filter(|other| other.span.end() <= start);
    let mut origins: Vec<(i64, Option<Position>)> =
        earlier.map(|other| (other.span.end(), other.place)).collect();
    if let Some(free) = carer.free_from
        && origins.iter().all(|(ended, _)| *ended < free)
    {
        origins.push((free, carer.place));
    }
    let leave = origins.iter().map(|(leave, _)| *leave).max();
    for (leave, place) in origins.iter().filter(|origin| Some(origin.0) == leave) {
        let (need, have) = (exact_minutes(*place, visit.home), start.saturating_sub(*leave));
        if need > have as f64 + GRACE_MINUTES {
            broken.push(Hard::CannotArrive { need: need.round() as u32, have });
        }
    }

    let later: Vec<&Booking> = carer.bookings.iter().filter(|other| other.span.start() >= end).collect();
    let next = later.iter().map(|other| other.span.start()).min();
    for other in later.iter().filter(|other| Some(other.span.start()) == next) {
        let (need, have) = (exact_minutes(visit.home, other.place), other.span.start() - end);
        if need > have as f64 + GRACE_MINUTES {
            broken.push(Hard::CannotReachNext { next: other.span.start(), need: need.round() as u32, have });
        }
    }
    broken
}

/// Minutes of a ride by the haversine formula, not rounded.
fn exact_minutes(from: Option<Position>, to: Option<Position>) -> f64 {
    let (Some(from), Some(to)) = (from, to) else {
        return f64::from(terms::UNKNOWN_TRAVEL_MINUTES);
    };
    let (lat_a, lat_b) = (from.lat().to_radians(), to.lat().to_radians());
    let lat_half = (lat_b - lat_a) / 2.0;
    let lon_half = (to.lon() - from.lon()).to_radians() / 2.0;
    let chord = lat_half.sin().powi(2) + lat_a.cos() * lat_b.cos() * lon_half.sin().powi(2);
    let km = 2.0 * 6371.0 * chord.sqrt().min(1.0).asin();
    terms::DOOR_MINUTES + 60.0 * km * terms::DETOUR_FACTOR / terms::RIDE_KM_PER_HOUR
}
