//! Questions about incidents.

use domain::{
    access::{Act, Actor},
    ids::{AccountId, DeviceId, IncidentId, PersonId},
    regions::RegionRange,
    signals::{
        incident::{Incident, IncidentFactKind, IncidentKind, IncidentOutcome, IncidentState, Level},
        ladder::{Reach, ReachResult},
    },
    time::{At, Day},
};

use super::sql;
use crate::{
    outcome::{Answer, Found},
    store::Tx,
};

/// An incident in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The incident.
    pub incident: Incident,
    /// Name of the person; empty when nobody is known.
    pub person_name: String,
    /// When that person was born: whoever answers wants to know how old.
    pub person_birth: Option<Day>,
    /// Name of whoever owns it, or owned it last.
    pub owner_name: String,
    /// Name of whoever closed it.
    pub closed_name: String,
    /// How many devices an area incident stands for now.
    pub devices: i64,
}

/// What a list of incidents is narrowed to; empty is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// In one of these states.
    pub states: Vec<IncidentState>,
    /// Of one of these levels.
    pub levels: Vec<Level>,
    /// Of one of these kinds.
    pub kinds: Vec<IncidentKind>,
    /// Within this region.
    pub region: Option<RegionRange>,
    /// About this person.
    pub person: Option<PersonId>,
    /// From this device.
    pub device: Option<DeviceId>,
    /// Owned by this account.
    pub owner: Option<AccountId>,
    /// Part of this area incident.
    pub area: Option<IncidentId>,
    /// That ended in one of these ways.
    pub outcomes: Vec<IncidentOutcome>,
    /// That nobody answered within so many seconds.
    pub slower_than: Option<i64>,
    /// Closed red ones nobody has looked at a second time.
    pub to_review: bool,
    /// Received from this moment on.
    pub from: Option<At>,
    /// Received before this moment.
    pub to: Option<At>,
}

/// One line of an incident's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactLine {
    /// Its number, from 1.
    pub n: i64,
    /// When.
    pub at: At,
    /// Who; 0 is the platform.
    pub by: AccountId,
    /// Name of who; empty for the platform.
    pub by_name: String,
    /// What.
    pub kind: IncidentFactKind,
    /// In which words.
    pub text: String,
    /// What else, as JSON.
    pub detail: String,
}

/// One step of an incident's ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepLine {
    /// How often the ladder had begun.
    pub round: i64,
    /// Number of the step in its round.
    pub step: i64,
    /// Whom.
    pub reach: Reach,
    /// In which words.
    pub label: String,
    /// When it is or was due.
    pub due_at: At,
    /// When it was done.
    pub done_at: Option<At>,
    /// When it was called off, because somebody took the incident.
    pub stopped_at: Option<At>,
    /// What came of it.
    pub result: Option<ReachResult>,
    /// When that was noted.
    pub result_at: Option<At>,
}

/// What somebody typed and did not send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftLine {
    /// Who.
    pub by: AccountId,
    /// Name of who.
    pub by_name: String,
    /// When the last letter came.
    pub at: At,
    /// What.
    pub text: String,
}

/// An incident with all that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// The incident.
    pub line: Line,
    /// Its history, oldest first.
    pub facts: Vec<FactLine>,
    /// Its ladder, in order.
    pub steps: Vec<StepLine>,
    /// What is being typed.
    pub drafts: Vec<DraftLine>,
}

/// Incidents that are not over and ring or are worked at: the most urgent first, the longest waiting first.
pub fn desk(tx: &mut Tx<'_>, actor: &Actor, limit: i64) -> Answer<Vec<Line>> {
    actor.may(Act::SeeAlarms)?;
    Ok(sql::desk(tx, actor.scope(), limit.clamp(1, 500))?)
}

/// Incidents, latest first, from the one before `before`.
pub fn incidents(
    tx: &mut Tx<'_>,
    actor: &Actor,
    filter: &Filter,
    before: Option<IncidentId>,
    limit: i64,
) -> Answer<Vec<Line>> {
    actor.may(Act::SeeAlarms)?;
    Ok(sql::lines(tx, actor.scope(), filter, before, limit.clamp(1, 501))?)
}

/// How many incidents a filter finds.
pub fn count(tx: &mut Tx<'_>, actor: &Actor, filter: &Filter) -> Answer<i64> {
    actor.may(Act::SeeAlarms)?;
    Ok(sql::count(tx, actor.scope(), filter)?)
}

/// One incident with its history.
pub fn incident(tx: &mut Tx<'_>, actor: &Actor, id: IncidentId) -> Answer<Sheet> {
    actor.may(Act::SeeAlarms)?;
    let line = sql::line(tx, id)?.filter(|line| actor.sees(line.incident.region)).found()?;
    Ok(Sheet { line, facts: sql::facts(tx, id)?, steps: sql::steps(tx, id)?, drafts: sql::drafts(tx, id)? })
}
