//! What becomes of duties nobody fulfils.

use std::collections::HashMap;

use domain::{
    ids::{IncidentId, PersonId, VisitDutyId},
    regions::RegionCode,
    signals::{
        incident::{IncidentKind, Level},
        rounds::{self, Duty, Next},
        silence::RiskGrade,
    },
    time::{At, Now},
};

use super::sql;
use crate::{
    signals::{
        incidents::{self, Opening},
        silences,
    },
    store::{Fault, Tx},
};

/// Duties looked at in one transaction.
const DUTIES: i64 = 500;

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Duties looked at.
    pub read: usize,
    /// Incidents that were opened.
    pub alarmed: usize,
}

/// An open duty as it stands.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub id: VisitDutyId,
    pub person: PersonId,
    pub region: RegionCode,
    pub grade: RiskGrade,
    pub duty: Duty,
    pub occasion: String,
    /// The most urgent incident that was opened for it: 3, then 2.
    pub level: Option<u8>,
}

/// Looks at duties whose time has come: missed visits, tries that were not followed up. Safe to run twice.
///
/// # Errors
/// When the database fails.
pub fn tick(tx: &mut Tx<'_>, now: Now) -> Result<Progress, Fault> {
    let due = sql::due(tx, now.0, DUTIES)?;
    let mut done = Progress { read: due.len(), alarmed: 0 };
    if due.is_empty() {
        return Ok(done);
    }
    let people: Vec<PersonId> = due.iter().map(|d| d.person).collect();
    let away: HashMap<PersonId, At> = silences::away_until(tx, &people, now)?;
    for one in &due {
        match away.get(&one.person) {
            Some(until) => sql::set_look(tx, one.id, *until)?,
            None => done.alarmed += usize::from(go_on(tx, one, now)?),
        }
    }
    Ok(done)
}

/// Brings one duty to where it should be now; answers whether an incident was opened.
pub(super) fn go_on(tx: &mut Tx<'_>, one: &Standing, now: Now) -> Result<bool, Fault> {
    let next = rounds::next(&one.duty, one.grade, now);
    let mut alarmed = false;
    if let Some(level) = next.level.filter(|level| one.level.is_none_or(|was| *level < was)) {
        let incident = alarm(tx, one, next, level, now)?;
        sql::alarmed(tx, one.id, level, incident)?;
        alarmed = true;
    }
    // A duty that waits for people only is looked at when they say something.
    sql::set_look(tx, one.id, next.look_at.unwrap_or(At(i64::MAX)))?;
    Ok(alarmed)
}

fn alarm(tx: &mut Tx<'_>, one: &Standing, next: Next, level: u8, now: Now) -> Result<IncidentId, Fault> {
    let since = one.duty.first_missed.unwrap_or(one.duty.due);
    let text = match one.duty.first_missed {
        None => format!("{}逾期：应在 {} 前见到老人", one.duty.kind.label(), one.duty.due.as_seen(now)),
        Some(first) => format!(
            "{} 起 {} 次没有找到老人（{}），下一步：{}",
            first.as_seen(now),
            one.duty.missed,
            one.duty.kind.label(),
            next.step.label()
        ),
    };
    let opening = Opening {
        kind: IncidentKind::MissedVisit,
        level: if level <= 2 { Level::P2 } else { Level::P3 },
        person: Some(one.person),
        device: None,
        region: one.region,
        pressed_at: None,
        received_at: now.0,
        verified: true,
        text,
        key: format!("visit:{}:{}:{level}", one.id, since.0),
    };
    Ok(incidents::open(tx, &opening, now)?.id)
}
