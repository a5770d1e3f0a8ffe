//! Whose turn it is: the lists of duties, and what was tried.

use domain::{
    access::{Act, Actor},
    ids::{AccountId, IncidentId, PersonId, VisitDutyId},
    parties::{Sex, mask},
    regions::{RegionCode, RegionRange},
    signals::{
        rounds::{self, Answer as Said, DutyKind, Met, Next, Points, Way},
        silence::RiskGrade,
    },
    time::{At, Day, Now},
};

use super::{progress::Standing, sql};
use crate::{
    outcome::{Answer, Found},
    store::Tx,
};

/// Which duties a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those in this account's charge.
    pub charge: Option<AccountId>,
    /// Only those in nobody's charge.
    pub unassigned: bool,
    /// Only this region.
    pub region: Option<RegionRange>,
    /// Only of this kind.
    pub kind: Option<DutyKind>,
    /// Only of this person.
    pub person: Option<PersonId>,
    /// Only those due before then.
    pub due_before: Option<At>,
}

/// Where a list begins: the longest overdue first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Skip this many.
    pub offset: i64,
    /// Give this many (1 to 500).
    pub limit: i64,
}

/// A duty in a list. Name and address are whole for whoever is in charge, masked for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyLine {
    /// Its number.
    pub id: VisitDutyId,
    /// Who is to be seen.
    pub person: PersonId,
    /// Name.
    pub name: String,
    /// Day of birth.
    pub birth: Day,
    /// Sex.
    pub sex: Sex,
    /// Where the person lives.
    pub region: RegionCode,
    /// House and door; empty for others than whoever is in charge.
    pub address: String,
    /// How closely the person is watched.
    pub grade: RiskGrade,
    /// Why the person is watched.
    pub why: String,
    /// What it is.
    pub kind: DutyKind,
    /// "橙色寒潮预警", for extra rounds.
    pub occasion: String,
    /// By when the elder must be seen.
    pub due: At,
    /// What to do next, and by when.
    pub next: Next,
    /// When the elder was last seen under it.
    pub last_success: Option<At>,
    /// Tries in vain since then.
    pub missed: i64,
    /// Who is in charge.
    pub charge: Option<(AccountId, String)>,
    /// The incident it became.
    pub incident: Option<IncidentId>,
}

impl DutyLine {
    /// Whether it should have been done by now.
    pub fn overdue(&self, now: Now) -> bool {
        self.next.due < now.0
    }
}

/// A row before it is told to somebody.
#[derive(Debug, Clone)]
pub(super) struct DutyRow {
    pub standing: Standing,
    pub name: String,
    pub birth: Day,
    pub sex: Sex,
    pub address: String,
    pub why: String,
    pub last_success: Option<At>,
    pub charge: Option<(AccountId, String)>,
    pub incident: Option<IncidentId>,
}

impl DutyRow {
    fn line(self, actor: &Actor, now: Now) -> DutyLine {
        let mine = self.charge.as_ref().is_some_and(|(account, _)| *account == actor.account);
        let s = self.standing;
        DutyLine {
            next: rounds::next(&s.duty, s.grade, now),
            id: s.id,
            person: s.person,
            name: if mine { self.name } else { mask::name(&self.name) },
            birth: self.birth,
            sex: self.sex,
            region: s.region,
            address: if mine { self.address } else { String::new() },
            grade: s.grade,
            why: self.why,
            kind: s.duty.kind,
            occasion: if s.duty.kind == DutyKind::Extra { s.occasion } else { String::new() },
            due: s.duty.due,
            last_success: self.last_success,
            missed: s.duty.missed,
            charge: self.charge,
            incident: self.incident,
        }
    }
}

/// Open duties the actor may see, the longest overdue first.
pub fn duties(
    tx: &mut Tx<'_>,
    actor: &Actor,
    filter: &Filter,
    page: Page,
    now: Now,
) -> Answer<Vec<DutyLine>> {
    actor.may(Act::SeeAlarms)?;
    let page = Page { limit: page.limit.clamp(1, 500), ..page };
    let rows = sql::lines(tx, actor.scope().narrowed(filter.region), filter, page)?;
    Ok(rows.into_iter().map(|row| row.line(actor, now)).collect())
}

/// How many there are.
pub fn count(tx: &mut Tx<'_>, actor: &Actor, filter: &Filter) -> Answer<i64> {
    actor.may(Act::SeeAlarms)?;
    Ok(sql::count(tx, actor.scope().narrowed(filter.region), filter)?)
}

/// One open duty.
pub fn duty(tx: &mut Tx<'_>, actor: &Actor, id: VisitDutyId, now: Now) -> Answer<DutyLine> {
    actor.may(Act::SeeAlarms)?;
    Ok(sql::line(tx, id, actor.scope())?.found()?.line(actor, now))
}

/// A try to see somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: At,
    /// How.
    pub way: Way,
    /// Whether the elder was met.
    pub met: Met,
    /// The eight points.
    pub points: Points,
    /// The answers.
    pub answers: Vec<Said>,
    /// Words.
    pub note: String,
    /// Whether there is a photograph.
    pub photo: bool,
    /// Who.
    pub by_name: String,
}

/// What was tried to see somebody the actor may see, the latest first.
pub fn tries(tx: &mut Tx<'_>, actor: &Actor, person: PersonId, limit: i64) -> Answer<Vec<Tried>> {
    actor.may(Act::SeeAlarms)?;
    Ok(sql::tries(tx, person, actor.scope(), limit.clamp(1, 200))?)
}
