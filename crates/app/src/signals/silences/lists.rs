//! Who is overdue now, and what the clock of one person says.

use domain::{
    access::{Act, Actor},
    ids::{AccountId, IncidentId, OrderId, PersonId, VisitDutyId},
    parties::mask,
    regions::{RegionCode, RegionRange},
    signals::{
        sighting::SightingKind,
        silence::{RiskGrade, Told},
    },
    time::{At, Now},
};

use super::{sql, sweep, terms};
use crate::{
    outcome::{Answer, Found},
    signals::sightings::Seen,
    store::Tx,
};

/// Which silences a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this region.
    pub region: Option<RegionRange>,
    /// Only this grade.
    pub grade: Option<RiskGrade>,
    /// Only those in this account's charge.
    pub charge: Option<AccountId>,
}

/// Where a list begins: the longest overdue first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Skip this many.
    pub offset: i64,
    /// Give this many (1 to 500).
    pub limit: i64,
}

/// Somebody nobody has seen for too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Number of the silence.
    pub id: i64,
    /// Who.
    pub person: PersonId,
    /// Name with stars.
    pub name: String,
    /// Where the person lives.
    pub region: RegionCode,
    /// How closely the person is watched.
    pub grade: RiskGrade,
    /// Why the person is watched.
    pub why: String,
    /// Nobody was seen since.
    pub from: At,
    /// Somebody should have been seen by then.
    pub due: At,
    /// The last trace of life, when there was one.
    pub last: Option<(At, SightingKind, String)>,
    /// Who is in charge.
    pub charge: Option<(AccountId, String)>,
    /// The incident it became.
    pub incident: Option<IncidentId>,
    /// The order to knock at the door.
    pub order: Option<OrderId>,
    /// The duty to knock at the door.
    pub duty: Option<VisitDutyId>,
}

/// People nobody has seen for too long, as far as the actor may see, the longest overdue first.
pub fn silences(tx: &mut Tx<'_>, actor: &Actor, filter: &Filter, page: Page) -> Answer<Vec<Line>> {
    actor.may(Act::SeeAlarms)?;
    let page = Page { limit: page.limit.clamp(1, 500), ..page };
    let mut lines = sql::lines(tx, actor.scope().narrowed(filter.region), filter, page)?;
    for line in &mut lines {
        line.name = mask::name(&line.name);
    }
    Ok(lines)
}

/// How many there are.
pub fn count(tx: &mut Tx<'_>, actor: &Actor, filter: &Filter) -> Answer<i64> {
    actor.may(Act::SeeAlarms)?;
    Ok(sql::count(tx, actor.scope().narrowed(filter.region), filter)?)
}

/// What the clock of one person says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The last trace of life.
    pub last: Option<Seen>,
    /// How closely the person is watched, why and since when; none when not on the list.
    pub watched: Option<(RiskGrade, String, At)>,
    /// What the clock says; none when not on the list.
    pub told: Option<Told>,
    /// Who is in charge.
    pub charge: Option<(AccountId, String)>,
    /// The open silence and its incident.
    pub silence: Option<(i64, Option<IncidentId>)>,
}

/// What the clock of somebody the actor may see says now.
pub fn standing(tx: &mut Tx<'_>, actor: &Actor, person: PersonId, now: Now) -> Answer<Standing> {
    actor.may(Act::SeePeople)?;
    sql::region(tx, person, actor.scope())?.found()?;
    let last = crate::signals::sightings::last(tx, person)?;
    let Some((due, charge)) = sql::one(tx, person)? else {
        return Ok(Standing { last, watched: None, told: None, charge: None, silence: None });
    };
    let away = sql::absences(tx, &[person])?.remove(&person);
    let terms = terms(tx)?;
    Ok(Standing {
        told: Some(sweep::clock(&due, away).tell(&terms, now)),
        silence: due.open.map(|open| (open.id, open.incident)),
        watched: Some((due.grade, due.why, due.since)),
        last,
        charge,
    })
}
