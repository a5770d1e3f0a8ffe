//! Proposals for one visit: every carer judged, scored and ranked.

use std::cmp::Reverse;

use super::model::{CarerDay, CarerId, Visit};
use super::reason::{Against, Favour, Reason};
use super::rules::{self, Fit};
use super::terms::{
    FULL_DAY_MINUTES, FULL_WEEK_MINUTES, HIGH_RATING_TENTHS, LIGHT_DAY_MINUTES, LOW_RATING_TENTHS,
    NEAR_MINUTES, RATINGS_TO_COUNT, REFUSALS_TO_ASK, ROOMY_MINUTES, SENIOR_LEVEL, TIGHT_MINUTES,
};

/// Where every score starts, so that an ordinary carer with a few soft reasons against stays above zero.
pub const BASE_SCORE: i32 = 100;

/// One carer's standing for the visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Who.
    pub carer: CarerId,
    /// Whether no hard reason stands against it.
    pub allowed: bool,
    /// [`BASE_SCORE`] and the points of all reasons.
    pub score: i32,
    /// Minutes left over on arrival; None when the carer comes from home with nothing before. Negative when late.
    pub arrive_slack: Option<i64>,
    /// Minutes of the ride to the visit.
    pub travel_in: u32,
    /// Minutes of the ride to the next booking, if there is one.
    pub travel_out: Option<u32>,
    /// Hard reasons first, then those for, then the soft ones against.
    pub reasons: Vec<Reason>,
}

impl Proposal {
    /// How many rules forbid this carer.
    pub fn hard_count(&self) -> usize {
        self.reasons.iter().filter(|reason| matches!(reason, Reason::Hard(_))).count()
    }
}

/// Ranks all carers: the allowed by score, then the others by how few rules stand against them; equals by id.
///
/// INVARIANT: the result is the same for any order of `carers`, provided their ids differ.
pub fn propose(visit: &Visit, carers: &[CarerDay]) -> Vec<Proposal> {
    let mut proposals: Vec<Proposal> = carers.iter().map(|carer| judge(visit, carer)).collect();
    proposals.sort_by_cached_key(|proposal| (proposal.hard_count(), Reverse(proposal.score), proposal.carer));
    proposals
}

fn judge(visit: &Visit, carer: &CarerDay) -> Proposal {
    let mut reasons = Vec::with_capacity(12);
    rules::standing(visit, carer, &mut reasons);
    let level = rules::skills(visit, carer, &mut reasons);
    rules::hours(visit, carer, &mut reasons);
    let fit = rules::rides(visit, carer, &mut reasons);
    let allowed = reasons.is_empty();

    favours(visit, carer, &fit, level, &mut reasons);
    doubts(visit, carer, &fit, &mut reasons);
    Proposal {
        carer: carer.id,
        allowed,
        score: BASE_SCORE + reasons.iter().map(Reason::points).sum::<i32>(),
        arrive_slack: fit.slack_in,
        travel_in: fit.ride_in.minutes,
        travel_out: fit.ride_out.map(|ride| ride.minutes),
        reasons,
    }
}

fn favours(visit: &Visit, carer: &CarerDay, fit: &Fit, level: Option<(&str, u8)>, reasons: &mut Vec<Reason>) {
    let mut add = |favour| reasons.push(Reason::For(favour));
    if visit.last_carer == Some(carer.id) {
        add(Favour::Continuity);
    }
    if visit.wishlist.contains(&carer.id) {
        add(Favour::Wished);
    }
    if let Some(language) =
        visit.elder_language.as_ref().filter(|language| carer.languages.contains(language))
    {
        add(Favour::SpeaksLanguage(language.clone()));
    }
    if fit.ride_in.known && fit.ride_in.minutes <= NEAR_MINUTES {
        add(Favour::Near { minutes: fit.ride_in.minutes });
    }
    if fit.slack_in.is_none_or(|slack| slack >= ROOMY_MINUTES) {
        add(Favour::FreeBefore);
    }
    if fit.slack_out.is_none_or(|slack| slack >= ROOMY_MINUTES) {
        add(Favour::FreeAfter);
    }
    if let Some((skill, level)) = level.filter(|(_, level)| *level <= SENIOR_LEVEL) {
        add(Favour::SkillLevel { skill: skill.to_owned(), level });
    }
    if let Some(rating) = carer.rating.filter(|rating| rating.count() >= RATINGS_TO_COUNT)
        && rating.tenths() >= HIGH_RATING_TENTHS
    {
        add(Favour::HighRating { tenths: rating.tenths(), count: rating.count() });
    }
    if carer.minutes_today < LIGHT_DAY_MINUTES {
        add(Favour::LowLoad { minutes: carer.minutes_today });
    }
}

fn doubts(visit: &Visit, carer: &CarerDay, fit: &Fit, reasons: &mut Vec<Reason>) {
    let mut add = |against| reasons.push(Reason::Soft(against));
    if let Some(language) =
        visit.elder_language.as_ref().filter(|language| !carer.languages.contains(language))
    {
        add(Against::Language(language.clone()));
    }
    if !fit.ride_in.known || fit.ride_out.is_some_and(|ride| !ride.known) {
        add(Against::PlaceUnknown);
    }
    if fit.ride_in.minutes > NEAR_MINUTES {
        add(Against::Far { minutes: fit.ride_in.minutes });
    }
    if let Some(slack) = fit.slack_in.filter(|slack| (0..TIGHT_MINUTES).contains(slack)) {
        add(Against::TightBefore { slack });
    }
    if let Some(slack) = fit.slack_out.filter(|slack| (0..TIGHT_MINUTES).contains(slack)) {
        add(Against::TightAfter { slack });
    }
    let today = carer.minutes_today.saturating_add(visit.span.minutes());
    if today >= FULL_DAY_MINUTES {
        add(Against::FullDay { minutes: today });
    }
    let week = carer.minutes_week.saturating_add(visit.span.minutes());
    if week >= FULL_WEEK_MINUTES {
        add(Against::FullWeek { minutes: week });
    }
    if carer.refusals_today >= REFUSALS_TO_ASK {
        add(Against::Refusals { count: carer.refusals_today });
    }
    if let Some(rating) = carer.rating.filter(|rating| rating.count() >= RATINGS_TO_COUNT)
        && rating.tenths() < LOW_RATING_TENTHS
    {
        add(Against::LowRating { tenths: rating.tenths(), count: rating.count() });
    }
}
