//! What dispatch must know of carers around one order, as the planner wants it.
//!
//! One carer is asked with a handful of key look-ups, which is what an assignment needs; the hundreds of a proposal are
//! asked as a set, with the same few statements however many they are.

use std::collections::HashMap;

use domain::{
    access::Scope,
    ids::{CarerId, ProviderId},
    orders::URGENT_ITEM,
    parties::Sex,
    programmes::{self, ServiceItem},
    time::{At, Now},
};
use planner::dispatch::{self as plan, Booking, CarerDay, Position, Rating, Skill, Span, Visit};

use super::{Order, sql};
use crate::store::{Fault, Tx};

/// Most carers judged for one order: those nearest to the home come first.
const JUDGED_MAX: i64 = 400;

/// A carer's day and what an assignment writes down.
pub(super) struct Facts {
    pub(super) provider: ProviderId,
    pub(super) provider_name: String,
    pub(super) takes_at_once: bool,
    pub(super) day: CarerDay,
}

/// The order as the planner sees it, but for who came last, which only a proposal asks.
pub(super) fn visit_of(tx: &mut Tx<'_>, order: &Order, item: &ServiceItem) -> Result<Visit, Fault> {
    let person = sql::person(tx, order.person)?.ok_or_else(|| Fault::other("an order without a person"))?;
    let mut skills = programmes::skills(&item.who_may);
    if item.workers == 1 {
        skills.extend(programmes::skills(&item.one_of_them));
    }
    Ok(Visit {
        span: span(order.start_at, order.end_at),
        home: person.home.and_then(|(lon, lat)| Position::new(lon, lat)),
        skills,
        same_sex: item.same_sex.then(|| sex(person.sex)).flatten(),
        elder_language: (!person.language.is_empty()).then_some(person.language),
        blacklist: Vec::new(),
        wishlist: Vec::new(),
        night: false,
        last_carer: None,
    })
}

/// Who came to the person last before this order.
pub(super) fn last_carer(tx: &mut Tx<'_>, order: &Order) -> Result<Option<plan::CarerId>, Fault> {
    Ok(sql::last_carer(tx, order.person, order.start_at)?.map(|c| plan::CarerId(c.0 as u128)))
}

/// The days of these carers around an order; of one or two, for each costs a few look-ups. Refusals of the day only
/// lower a proposal and are not asked.
pub(super) fn facts_of(
    tx: &mut Tx<'_>,
    order: &Order,
    carers: &[CarerId],
    now: Now,
) -> Result<Vec<Facts>, Fault> {
    let around = Around::of(order, now);
    let mut all = Vec::with_capacity(carers.len());
    for carer in carers {
        let Some(row) = sql::carer(tx, *carer, &order.service)? else { continue };
        let rows = sql::CarerRows {
            carer: *carer,
            skills: sql::skills(tx, *carer)?,
            bookings: sql::bookings(tx, *carer, order.id, around.week, around.until)?,
            refusals: 0,
            row,
        };
        all.push(around.facts(rows));
    }
    Ok(all)
}

/// The days of the carers nearest to the home, read as a set.
pub(super) fn facts_near(
    tx: &mut Tx<'_>,
    order: &Order,
    home: Option<Position>,
    scope: Scope,
    now: Now,
) -> Result<Vec<Facts>, Fault> {
    let around = Around::of(order, now);
    let near = sql::Near { order, home: home.map(|p| (p.lon(), p.lat())), scope, limit: JUDGED_MAX };
    let mut rows: HashMap<CarerId, sql::CarerRows> =
        near.carers(tx)?.into_iter().map(|rows| (rows.carer, rows)).collect();
    let carers: Vec<CarerId> = rows.keys().copied().collect();
    sql::each_skill(tx, &carers, |carer, skill| {
        if let Some(rows) = rows.get_mut(&carer) {
            rows.skills.push(skill);
        }
    })?;
    sql::each_booking(tx, &carers, order.id, (around.week, around.until), |carer, booking| {
        if let Some(rows) = rows.get_mut(&carer) {
            rows.bookings.push(booking);
        }
    })?;
    sql::each_refusal(tx, around.today, |carer, count| {
        if let Some(rows) = rows.get_mut(&carer) {
            rows.refusals = count;
        }
    })?;
    Ok(rows.into_values().map(|rows| around.facts(rows)).collect())
}

/// The order's place in time, worked out once for all carers.
struct Around<'a> {
    order: &'a Order,
    now: Now,
    /// Midnight of the day of the visit.
    day: At,
    /// Monday of its week.
    week: At,
    /// A day beyond that week, so that a booking after a Sunday night still counts.
    until: At,
    /// Midnight of the present day.
    today: At,
}

impl Around<'_> {
    fn of(order: &Order, now: Now) -> Around<'_> {
        let day = At::from_local(order.start_at.day().into());
        let week = day.plus_minutes(-weekday(order) * 24 * 60);
        let until = week.plus_minutes(8 * 24 * 60);
        Around { order, now, day, week, until, today: At::from_local(now.day().into()) }
    }

    fn facts(&self, rows: sql::CarerRows) -> Facts {
        let sql::CarerRows { carer, row, skills, bookings, refusals } = rows;
        let order = self.order;
        let on = order.start_at.day().to_string();
        let (today, week) = self.minutes(&bookings);
        let works = row.work_days >> weekday(order) & 1 == 1;
        let leave_begun = row.on_leave_from.is_none_or(|from| from <= on);
        Facts {
            provider: row.provider,
            provider_name: row.provider_name,
            takes_at_once: row.takes_at_once,
            day: CarerDay {
                id: plan::CarerId(carer.0 as u128),
                name: row.name,
                sex: sex(row.sex).unwrap_or(plan::Sex::Female),
                place: row.place.and_then(|(lon, lat)| Position::new(lon, lat)),
                // An urgent visit begins when somebody can be there: its start is a wish, not an appointment.
                free_from: (order.start_at.day() == self.now.day() && order.service != URGENT_ITEM)
                    .then(|| minute(self.now.0)),
                skills: skills.into_iter().map(skill).collect(),
                languages: row.languages.split('、').filter(|l| !l.is_empty()).map(str::to_owned).collect(),
                work: if works { work(self.day, row.work_from, row.work_to) } else { Vec::new() },
                minutes_today: today,
                minutes_week: week,
                bookings: bookings.into_iter().map(booking).collect(),
                refusals_today: u32::try_from(refusals).unwrap_or(u32::MAX),
                rating: rating(row.stars, row.ratings),
                region_ok: (row.area.0..=row.area.1).contains(&order.region.number()),
                provider_offers: row.offers_item,
                provider_contracted: row.contract_from <= on && on <= row.contract_to,
                on_leave: leave_begun && row.on_leave_to.is_some_and(|to| on <= to),
            },
        }
    }

    /// Minutes promised on the day and in the week of the visit.
    fn minutes(&self, bookings: &[sql::BookingRow]) -> (u32, u32) {
        let sum = |from: At, days: i64| {
            let to = from.plus_minutes(days * 24 * 60);
            let sum: i64 =
                bookings.iter().filter(|b| b.start >= from && b.start < to).map(|b| b.minutes).sum();
            u32::try_from(sum).unwrap_or(u32::MAX)
        };
        (sum(self.day, 1), sum(self.week, 7))
    }
}

/// Days since Monday; also the bit of `work_days`.
fn weekday(order: &Order) -> i64 {
    i64::from(order.start_at.day().weekday().to_monday_zero_offset())
}

fn booking(row: sql::BookingRow) -> Booking {
    Booking {
        span: span(row.start, row.end),
        place: row.place.and_then(|(lon, lat)| Position::new(lon, lat)),
    }
}

fn work(day: At, from: i64, to: i64) -> Vec<Span> {
    let begin = minute(day);
    Span::new(begin + from, begin + if to > from { to } else { to + 24 * 60 }).into_iter().collect()
}

fn rating(stars: i64, count: i64) -> Option<Rating> {
    let tenths = (stars * 10).checked_div(count)?;
    Rating::new(u8::try_from(tenths).ok()?, u32::try_from(count).ok()?)
}

fn skill((name, from, to): (String, String, String)) -> Skill {
    let level = name.strip_prefix("care_").and_then(|l| l.parse().ok());
    Skill {
        level,
        valid_from: from.parse().map_or(i64::MAX, day_of),
        valid_to: to.parse().map_or(Some(i64::MIN), |d| Some(day_of(d))),
        name,
    }
}

fn day_of(day: domain::time::Day) -> i64 {
    day_number(At::from_local(day.into()))
}

fn sex(sex: Sex) -> Option<plan::Sex> {
    match sex {
        Sex::Male => Some(plan::Sex::Male),
        Sex::Female => Some(plan::Sex::Female),
        Sex::Unknown | Sex::Unspecified => None,
    }
}

/// Minutes of the city's clock, as the planner counts.
fn minute(at: At) -> i64 {
    at.0.div_euclid(60_000_000) + 8 * 60
}

pub(super) fn day_number(at: At) -> i64 {
    minute(at).div_euclid(24 * 60)
}

pub(super) fn instant(minute: i64) -> At {
    At((minute - 8 * 60) * 60_000_000)
}

fn span(from: At, to: At) -> Span {
    let (start, end) = (minute(from), minute(to));
    Span::new(start, end.max(start + 1)).expect("orders lie within the calendar")
}

pub(super) fn carer_id(id: plan::CarerId) -> CarerId {
    CarerId(i64::try_from(id.0).expect("made from a carer's id"))
}
