//! Rows of the ladder, and what is due.

use domain::{
    ids::{AccountId, IncidentId},
    signals::{
        incident::Incident,
        ladder::{Reach, ReachResult, Rung},
    },
    time::At,
};

use super::{columns, row};
use crate::{
    p,
    store::{Fault, Row, Tx},
};

crate::statements! {
    INSERT_STEP = "INSERT INTO incident_step (incident, round, step, region, reach, rank, label, due_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (incident, round, step) DO NOTHING";
    LAST_STEP = "SELECT COALESCE(MAX(step), 0) FROM incident_step WHERE incident = ?1 AND round = ?2";
    STOP_STEPS = "UPDATE incident_step SET stopped_at = ?2
        WHERE incident = ?1 AND done_at IS NULL AND stopped_at IS NULL";
    ANY_DUE = "SELECT 1 FROM incident_step WHERE done_at IS NULL AND stopped_at IS NULL AND due_at <= ?1
        UNION ALL SELECT 1 FROM incident WHERE again_at <= ?1
        UNION ALL SELECT 1 FROM errand WHERE state = 'asked' AND answer_by <= ?1
        UNION ALL SELECT 1 FROM incident o WHERE o.state IN ('acknowledged', 'held')
            AND NOT EXISTS (SELECT 1 FROM session s WHERE s.account = o.owner AND s.ended_at IS NULL
                AND s.post IS NOT NULL AND s.expires_at > ?1)
            AND NOT EXISTS (SELECT 1 FROM api_token t WHERE t.account = o.owner AND t.revoked_at IS NULL
                AND t.expires_at > ?1)
        LIMIT 1";
    DUE_STEPS = "SELECT incident, round, step, reach, rank, label, due_at
        FROM incident_step WHERE done_at IS NULL AND stopped_at IS NULL AND due_at <= ?1
        ORDER BY due_at, incident, step LIMIT ?2";
    DO_STEP = "UPDATE incident_step SET done_at = ?4, done_by = ?5
        WHERE incident = ?1 AND round = ?2 AND step = ?3 AND done_at IS NULL AND stopped_at IS NULL";
    SET_RESULT = "UPDATE incident_step SET result = ?4, result_at = ?5, result_by = ?6
        WHERE incident = ?1 AND round = ?2 AND step = ?3 AND done_at IS NOT NULL";
    TO_RING_AGAIN = concat!("SELECT ", columns!(), " FROM incident i WHERE i.again_at <= ?1
        ORDER BY i.again_at, i.id LIMIT ?2");
    LEFT_BEHIND = concat!("SELECT ", columns!(), " FROM incident i WHERE i.state IN ('acknowledged', 'held')
            AND NOT EXISTS (SELECT 1 FROM session s WHERE s.account = i.owner AND s.ended_at IS NULL
                AND s.post IS NOT NULL AND s.expires_at > ?1)
            AND NOT EXISTS (SELECT 1 FROM api_token t WHERE t.account = i.owner AND t.revoked_at IS NULL
                AND t.expires_at > ?1)
        ORDER BY i.id LIMIT ?2");
    TYPED_AT = "SELECT at FROM incident_draft WHERE incident = ?1 AND account = ?2";
}

/// One step that waits or waited to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) incident: IncidentId,
    pub(crate) round: i64,
    pub(crate) step: i64,
    pub(crate) reach: Reach,
    pub(crate) rank: i64,
    pub(crate) label: String,
    pub(crate) due_at: At,
}

pub(crate) fn insert_step(
    tx: &mut Tx<'_>,
    i: &Incident,
    step: i64,
    rung: &Rung,
    due_at: At,
) -> Result<(), Fault> {
    tx.execute_one(
        INSERT_STEP,
        p![i.id, i.round, step, i.region, rung.reach.code(), rung.rank, rung.label, due_at],
    )
}

pub(crate) fn last_step(tx: &mut Tx<'_>, id: IncidentId, round: i64) -> Result<i64, Fault> {
    tx.one(LAST_STEP, p![id, round], |row| row.get(0))
}

pub(crate) fn stop_steps(tx: &mut Tx<'_>, id: IncidentId, at: At) -> Result<u64, Fault> {
    tx.execute(STOP_STEPS, p![id, at])
}

/// Whether there is anything to do at all: asked every second, so it must cost nothing when there is not.
pub(crate) fn any_due(tx: &mut Tx<'_>, now: At) -> Result<bool, Fault> {
    Ok(tx.find(ANY_DUE, p![now], |_| Ok(()))?.is_some())
}

fn due(row: &Row<'_>) -> Result<Due, Fault> {
    Ok(Due {
        incident: row.get(0)?,
        round: row.get(1)?,
        step: row.get(2)?,
        reach: row.word(3, Reach::from_code)?,
        rank: row.get(4)?,
        label: row.get(5)?,
        due_at: row.get(6)?,
    })
}

pub(crate) fn due_steps(tx: &mut Tx<'_>, now: At, limit: i64) -> Result<Vec<Due>, Fault> {
    tx.all(DUE_STEPS, p![now, limit], due)
}

/// Marks a step as done; false when somebody else did it or it was stopped.
pub(crate) fn do_step(
    tx: &mut Tx<'_>,
    (id, round, step): (IncidentId, i64, i64),
    at: At,
    by: AccountId,
) -> Result<bool, Fault> {
    Ok(tx.execute(DO_STEP, p![id, round, step, at, by])? == 1)
}

pub(crate) fn set_result(
    tx: &mut Tx<'_>,
    (id, round, step): (IncidentId, i64, i64),
    result: ReachResult,
    at: At,
    by: AccountId,
) -> Result<bool, Fault> {
    Ok(tx.execute(SET_RESULT, p![id, round, step, result.code(), at, by])? == 1)
}

/// Incidents whose hold is over or whose owner fell silent.
pub(crate) fn to_ring_again(tx: &mut Tx<'_>, now: At, limit: i64) -> Result<Vec<Incident>, Fault> {
    tx.all(TO_RING_AGAIN, p![now, limit], row)
}

/// Incidents whose owner is signed in nowhere.
pub(crate) fn left_behind(tx: &mut Tx<'_>, now: At, limit: i64) -> Result<Vec<Incident>, Fault> {
    tx.all(LEFT_BEHIND, p![now, limit], row)
}

/// When somebody last typed on an incident.
pub(crate) fn typed_at(
    tx: &mut Tx<'_>,
    id: IncidentId,
    account: Option<AccountId>,
) -> Result<Option<At>, Fault> {
    let Some(account) = account else { return Ok(None) };
    tx.find(TYPED_AT, p![id, account], |row| row.get(0))
}
