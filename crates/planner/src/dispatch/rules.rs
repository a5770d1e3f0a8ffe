//! The hard rules: everything that forbids sending one carer to one visit.
//!
//! Each function pushes what it finds and goes on, because a dispatcher who frees one obstacle wants to know the next.

use super::model::{CarerDay, Skill, Span, Visit};
use super::reason::{Hard, Reason};
use super::terms::{DAY_MINUTES, NIGHT_FROM, NIGHT_TO, WORK_DAY_MINUTES_MAX, WORK_WEEK_MINUTES_MAX};
use super::travel::{Ride, ride};

/// How the visit fits between what the carer does before and after.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fit {
    pub(super) ride_in: Ride,
    pub(super) slack_in: Option<i64>,
    pub(super) ride_out: Option<Ride>,
    pub(super) slack_out: Option<i64>,
}

/// Standing of the carer and the provider, before any clock is looked at.
pub(super) fn standing(visit: &Visit, carer: &CarerDay, found: &mut Vec<Reason>) {
    if !carer.provider_offers {
        found.push(Reason::Hard(Hard::NotOffered));
    }
    if !carer.provider_contracted {
        found.push(Reason::Hard(Hard::NotContracted));
    }
    if !carer.region_ok {
        found.push(Reason::Hard(Hard::OutsideArea));
    }
    if visit.blacklist.contains(&carer.id) {
        found.push(Reason::Hard(Hard::Blacklisted));
    }
    if let Some(wanted) = visit.same_sex.filter(|sex| *sex != carer.sex) {
        found.push(Reason::Hard(Hard::WrongSex { wanted }));
    }
}

/// Every skill group must be met on every day the visit touches. Returns the best levelled skill that met one.
pub(super) fn skills<'a>(
    visit: &Visit,
    carer: &'a CarerDay,
    found: &mut Vec<Reason>,
) -> Option<(&'a str, u8)> {
    let (first, last) = visit.span.days();
    let mut best: Option<(&str, u8)> = None;
    for group in &visit.skills {
        let mut met = false;
        for skill in carer.skills.iter().filter(|skill| group.contains(&skill.name)) {
            if skill.valid_from > first || skill.valid_to.is_some_and(|to| to < last) {
                continue;
            }
            met = true;
            if let Some(level) = skill.level.filter(|level| best.is_none_or(|(_, known)| *level < known)) {
                best = Some((&skill.name, level));
            }
        }
        if !met {
            found.push(Reason::Hard(unmet(group, &carer.skills, first, last)));
        }
    }
    best
}

/// The kindest true account of a missing skill: expired last, else valid soonest, else never held.
fn unmet(group: &[String], skills: &[Skill], first: i64, last: i64) -> Hard {
    let held = || skills.iter().filter(|skill| group.contains(&skill.name));
    let expired = held().filter_map(|skill| Some((skill.valid_to.filter(|to| *to < last)?, skill)));
    if let Some((to, skill)) = expired.max_by(|a, b| (a.0, &b.1.name).cmp(&(b.0, &a.1.name))) {
        return Hard::SkillExpired { skill: skill.name.clone(), days: last.saturating_sub(to) };
    }
    if let Some(skill) = held().min_by_key(|skill| (skill.valid_from, &skill.name)) {
        return Hard::SkillNotYet { skill: skill.name.clone(), days: skill.valid_from - first };
    }
    Hard::NoSkill { any_of: group.to_vec() }
}

/// Leave, shifts, night items and the legal day and week.
pub(super) fn hours(visit: &Visit, carer: &CarerDay, found: &mut Vec<Reason>) {
    if carer.on_leave {
        found.push(Reason::Hard(Hard::OnLeave));
    }
    if !carer.work.iter().any(|shift| holds(*shift, visit.span)) {
        let shift = carer.work.iter().copied().min_by_key(|shift| (gap(*shift, visit.span), *shift));
        found.push(Reason::Hard(Hard::OutsideHours { shift }));
    }
    if !visit.night && touches_night(visit.span) {
        found.push(Reason::Hard(Hard::NightNotSold));
    }
    let today = carer.minutes_today.saturating_add(visit.span.minutes());
    if today > WORK_DAY_MINUTES_MAX {
        found.push(Reason::Hard(Hard::OverDay { minutes: today }));
    }
    let week = carer.minutes_week.saturating_add(visit.span.minutes());
    if week > WORK_WEEK_MINUTES_MAX {
        found.push(Reason::Hard(Hard::OverWeek { minutes: week }));
    }
}

fn holds(outer: Span, inner: Span) -> bool {
    outer.start() <= inner.start() && inner.end() <= outer.end()
}

fn gap(a: Span, b: Span) -> i64 {
    (a.start() - b.end()).max(b.start() - a.end()).max(0)
}

fn touches_night(span: Span) -> bool {
    let clock = span.start().rem_euclid(DAY_MINUTES);
    clock < NIGHT_TO || clock + i64::from(span.minutes()) > NIGHT_FROM
}

/// Bookings: clashes, and whether the rides before and after fit.
///
/// Only the last booking before and the first after are asked. Of two that end in the same minute (a faulty file)
/// the longer ride counts.
pub(super) fn rides(visit: &Visit, carer: &CarerDay, found: &mut Vec<Reason>) -> Fit {
    let (start, end) = (visit.span.start(), visit.span.end());
    let mut before: Option<(i64, Ride)> = None;
    let mut after: Option<(i64, Ride)> = None;
    for booking in &carer.bookings {
        let span = booking.span;
        if span.end() <= start {
            if before.is_none_or(|(known, _)| span.end() >= known) {
                let ride = ride(booking.place, visit.home);
                before = Some((span.end(), longer(ride, before, span.end())));
            }
        } else if span.start() >= end {
            if after.is_none_or(|(known, _)| span.start() <= known) {
                let ride = ride(visit.home, booking.place);
                after = Some((span.start(), longer(ride, after, span.start())));
            }
        } else {
            found.push(Reason::Hard(Hard::Clash(span)));
        }
    }
    let (ride_in, leaves) = way_in(visit, carer, before);
    let slack_in =
        leaves.map(|leaves| start.saturating_sub(leaves).saturating_sub(i64::from(ride_in.minutes)));
    if let Some(slack) = slack_in.filter(|slack| *slack < 0) {
        let need = ride_in.minutes;
        found.push(Reason::Hard(Hard::CannotArrive { need, have: slack.saturating_add(i64::from(need)) }));
    }
    let slack_out = after.map(|(next, ride)| next - end - i64::from(ride.minutes));
    if let Some((next, ride)) = after.filter(|_| slack_out.is_some_and(|slack| slack < 0)) {
        found.push(Reason::Hard(Hard::CannotReachNext { next, need: ride.minutes, have: next - end }));
    }
    Fit { ride_in, slack_in, ride_out: after.map(|(_, ride)| ride), slack_out }
}

fn longer(ride: Ride, other: Option<(i64, Ride)>, at: i64) -> Ride {
    match other {
        Some((when, other)) if when == at && other.minutes > ride.minutes => other,
        _ => ride,
    }
}

/// Where the carer comes from and when it can leave; without a minute the ride is the way to work.
fn way_in(visit: &Visit, carer: &CarerDay, before: Option<(i64, Ride)>) -> (Ride, Option<i64>) {
    match (before, carer.free_from) {
        (Some((ended, ride_in)), None) => (ride_in, Some(ended)),
        (Some((ended, ride_in)), Some(free)) if ended >= free => (ride_in, Some(ended)),
        (_, free) => (ride(carer.place, visit.home), free),
    }
}
