//! Duty visits: who must be seen by when, in whose charge, and what was found.
//!
//! Standing duties follow the list of those watched (`follow`); a knock follows a silence; extra rounds follow weather
//! and festivals. A duty is in the charge of whoever the elder is, see `team`. What a visit finds becomes an order or
//! an incident in the transaction that records it.

mod lists;
mod progress;
mod rate;
mod record;
mod sql;
mod team;

use domain::{
    access::{Act, Actor},
    ids::{AccountId, IncidentId, PersonId, VisitDutyId},
    refusal::{Refusal, RefusalKind},
    regions::{RegionCode, RegionRange},
    signals::{
        rounds::{self, DutyKind},
        silence::{RiskGrade, Terms},
    },
    time::{At, Day, Now},
};
use serde_json::json;

pub use lists::{DutyLine, Filter, Page, Tried, count, duties, duty, tries};
pub use progress::{Progress, tick};
pub use rate::{Rate, month_rate};
pub use record::{Followed, Need, NewVisit, Recorded, VisitPhoto, photo, record};
pub use team::{Colleague, Leave, LeaveRefusal, assign_charges, colleagues, end_leave, leaves, take_leave};

use crate::{
    evidence::Event,
    outcome::{Answer, No, Outcome},
    store::{Fault, Tx},
};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// Standing duties have no occasion.
const STANDING: &str = "";

/// Whether the time of any duty has come.
///
/// # Errors
/// When the database fails.
pub fn anything_due(tx: &mut Tx<'_>, now: Now) -> Result<bool, Fault> {
    sql::anything_due(tx, now.0)
}

/// Gives somebody on the list the standing duties of the grade, and takes away those it does not have.
pub(super) fn follow(
    tx: &mut Tx<'_>,
    (person, region): (PersonId, RegionCode),
    grade: RiskGrade,
    terms: &Terms,
    now: Now,
) -> Result<(), Fault> {
    for kind in [DutyKind::Round, DutyKind::Phone] {
        let (first, next) =
            (rounds::first_due(kind, terms, grade, now.0), rounds::due(kind, terms.of(grade), At(0)));
        match (first, next) {
            (Some(first), Some(interval)) => {
                let id = VisitDutyId(tx.id(now));
                sql::stand(tx, id, (person, region), kind, (first, interval.0), now.0)?;
            }
            _ => sql::end(tx, person, kind, STANDING, "不再需要", now.0)?,
        }
    }
    Ok(())
}

/// Ends every duty towards somebody who is no longer watched.
pub(super) fn end_all(tx: &mut Tx<'_>, person: PersonId, why: &str, now: Now) -> Result<(), Fault> {
    sql::end_all(tx, person, why, now.0)
}

/// A knock at the door for a silence.
pub(super) fn add_knock(
    tx: &mut Tx<'_>,
    of: (PersonId, RegionCode),
    silence: i64,
    due: At,
    incident: Option<IncidentId>,
    now: Now,
) -> Result<VisitDutyId, Fault> {
    let id = VisitDutyId(tx.id(now));
    sql::add(tx, id, of, DutyKind::Knock, &silence.to_string(), due, incident, now.0)?;
    Ok(id)
}

/// The elder of a silence was seen: nobody needs to knock any more.
pub(super) fn end_knock(
    tx: &mut Tx<'_>,
    person: PersonId,
    silence: i64,
    why: &str,
    now: Now,
) -> Result<(), Fault> {
    sql::end(tx, person, DutyKind::Knock, &silence.to_string(), why, now.0)
}

/// Who is away that day, and who stands in for them.
pub(super) fn away(
    tx: &mut Tx<'_>,
    day: Day,
) -> Result<std::collections::HashMap<AccountId, Option<AccountId>>, Fault> {
    sql::away(tx, day)
}

/// An extra round: everybody of a grade and region, by a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallOut {
    /// Why, once: "橙色寒潮预警 2026-12-20", "春节 2027".
    pub occasion: String,
    /// Where.
    pub region: RegionRange,
    /// Whom.
    pub grade: RiskGrade,
    /// By when.
    pub due: At,
}

/// Longest name of an occasion.
const OCCASION_MAX: usize = 40;
/// How long an extra round is looked back at.
const CALLED_OUT_DAYS: i64 = 92;

/// Why an extra round was not called for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallOutRefusal {
    /// Nobody can be seen in the past.
    #[error("完成期限应晚于现在")]
    Late,
    /// An occasion is a name, not a story.
    #[error("事由最多 {OCCASION_MAX} 个字，请精简")]
    TooLong,
}

impl Refusal for CallOutRefusal {
    fn code(&self) -> &'static str {
        match self {
            CallOutRefusal::Late => "call_out_late",
            CallOutRefusal::TooLong => "call_out_too_long",
        }
    }

    fn kind(&self) -> RefusalKind {
        RefusalKind::Invalid
    }
}

/// How far an extra round is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalledOut {
    /// Why.
    pub occasion: String,
    /// By when.
    pub due: At,
    /// How many were to be seen.
    pub total: i64,
    /// How many were.
    pub done: i64,
    /// How many still are.
    pub open: i64,
}

/// Extra rounds of the last months within the actor's regions, the latest first.
pub fn called_out(tx: &mut Tx<'_>, actor: &Actor, now: Now) -> Answer<Vec<CalledOut>> {
    actor.may(Act::SeeAlarms)?;
    Ok(sql::called_out(tx, actor.scope(), now.0.plus_minutes(-CALLED_OUT_DAYS * 24 * 60))?)
}

/// Calls for an extra round; the same occasion again adds only whom it does not have yet. Answers how many are new.
///
/// # Errors
/// When the actor may not, or the database fails.
pub fn call_out(tx: &mut Tx<'_>, actor: &Actor, ask: &CallOut, now: Now) -> Outcome<usize, CallOutRefusal> {
    actor.may(Act::EditPeople)?;
    if ask.due <= now.0 {
        return Err(No::Refused(CallOutRefusal::Late));
    }
    if ask.occasion.trim().chars().count() > OCCASION_MAX {
        return Err(No::Refused(CallOutRefusal::TooLong));
    }
    let scope = actor.scope().narrowed(Some(ask.region));
    let today = now.day().to_string();
    let occasion = Some(ask.occasion.trim()).filter(|words| !words.is_empty()).unwrap_or(&today);
    let mut added = 0;
    for of in sql::watched(tx, scope, ask.grade)? {
        let id = VisitDutyId(tx.id(now));
        added += usize::from(sql::add(tx, id, of, DutyKind::Extra, occasion, ask.due, None, now.0)?);
    }
    let detail = json!({ "occasion": occasion, "grade": ask.grade.code(), "due": ask.due, "added": added });
    let event =
        Event { act: "visit.called_out", subject: actor.account.0, region: scope.lo, detail, digest: None };
    tx.record(actor, now, event)?;
    Ok(added)
}
