//! What came of calls and texts: from the gateway, from the desk, or because nobody needs them any more.

use domain::{
    access::{Act, Actor},
    ids::{ErrandId, IncidentId, ReachId},
    parties::mask,
    signals::{
        errand::ErrandState,
        incident::{Incident, IncidentFactKind as Kind},
        ladder::ReachResult,
        reach::{REMARK_MAX, ReachRefusal, ReachState, heard},
    },
    time::Now,
};
use serde_json::json;

use super::{Reached, sql, tell};
use crate::{
    outcome::{Found, No, Outcome},
    signals::incidents::{errands, ladder, save, save::Fact},
    store::{Fault, FaultKind, Tx},
};

/// The gateway says what came of one. The same said twice is once; what is late and weighs less changes nothing.
///
/// # Errors
/// When it is out of sight or never left the platform.
pub fn result(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: ReachId,
    (result, remark): (ReachResult, &str),
    now: Now,
) -> Outcome<Reached, ReachRefusal> {
    actor.may(Act::ReportReaches)?;
    let mut r = sql::find_reach(tx, id)?.filter(|r| actor.sees(r.region)).found()?;
    let remark = mask::numbers_in(remark.trim());
    let remark = remark.as_str();
    if remark.chars().count() > REMARK_MAX {
        return Err(No::Refused(ReachRefusal::TooLong));
    }
    // A gateway whose answer was lost on the way may know more than we do.
    if r.attempts == 0 {
        return Err(No::Refused(ReachRefusal::NotSent { state: r.state }));
    }
    let Some(state) = heard(r.state, r.result, result) else { return Ok(r) };
    become_of(tx, &mut r, (state, result), remark, now)?;
    let mut i = sql::find(tx, r.incident)?.found()?;
    note(tx, actor, &mut i, &r, remark, now)?;
    if let (Some(errand), ReachResult::Coming | ReachResult::Refused) = (r.errand, result) {
        errands::answered_by_phone(tx, actor, errand, result == ReachResult::Coming, now)?;
    }
    Ok(r)
}

/// Writes where it stands now.
fn become_of(
    tx: &mut Tx<'_>,
    r: &mut Reached,
    (state, result): (ReachState, ReachResult),
    remark: &str,
    now: Now,
) -> Result<(), Fault> {
    let was = (r.state, r.attempts);
    let over = !matches!(state, ReachState::Sent | ReachState::Waiting | ReachState::ByHand);
    r.state = state;
    r.result = Some(result);
    r.result_at = Some(now.0);
    r.sent_at = r.sent_at.or(Some(now.0));
    r.next_at = None;
    r.ended_at = if over { r.ended_at.or(Some(now.0)) } else { None };
    r.error = remark.to_owned();
    match sql::update_reach(tx, r, was)? {
        true => tell(tx, r, now),
        false => Err(moved_on(r.id)),
    }
}

fn moved_on(id: ReachId) -> Fault {
    Fault { kind: FaultKind::Conflict, message: format!("reach {id} moved on"), context: Vec::new() }
}

/// The incident's history and the step's result say so as well.
fn note(
    tx: &mut Tx<'_>,
    actor: &Actor,
    i: &mut Incident,
    r: &Reached,
    remark: &str,
    now: Now,
) -> Result<(), Fault> {
    let Some(result) = r.result.filter(|result| *result != ReachResult::Delivered) else { return Ok(()) };
    if let Some(step) = r.step {
        let weightier = sql::reaches_of_step(tx, (r.incident, r.round, step))?.iter().any(|other| {
            other.id != r.id && other.state == ReachState::Answered && r.state != ReachState::Answered
        });
        if !weightier {
            sql::set_result(tx, (r.incident, r.round, step), result, now.0, actor.account)?;
        }
    }
    let relation = if r.relation.is_empty() { String::new() } else { format!("（{}）", r.relation) };
    let words = if remark.is_empty() { String::new() } else { format!("：{remark}") };
    let text = format!("{}{relation}，{}{words}", r.name, r.channel.label());
    let detail = json!({
        "round": r.round, "step": r.step, "errand": r.errand, "reach": r.to.code(), "channel": r.channel.code(),
        "result": result.code(), "reach_id": r.id,
    });
    let terms = ladder::terms(tx)?;
    save::step(tx, actor, i, &[Fact::new(Kind::Reached, text).with(detail)], &terms, now)
}

/// Somebody at the desk noted what came of a step: its calls that nobody heard of are answered with it.
pub(in super::super) fn by_desk(
    tx: &mut Tx<'_>,
    of: (IncidentId, i64, i64),
    result: ReachResult,
    now: Now,
) -> Result<(), Fault> {
    for mut r in sql::reaches_of_step(tx, of)? {
        let open = matches!(r.state, ReachState::Waiting | ReachState::ByHand | ReachState::Sent);
        let next = heard(r.state, r.result, result).filter(|_| open);
        if let Some(state) = next {
            become_of(tx, &mut r, (state, result), "坐席记录", now)?;
        }
    }
    Ok(())
}

/// Somebody took the incident, or it rings anew: what the ladder asked for and nobody did is not needed.
pub(in super::super) fn stopped(tx: &mut Tx<'_>, i: &Incident, now: Now) -> Result<(), Fault> {
    let gone = sql::withdraw_steps(tx, i.id, now.0)?;
    said(tx, i, gone, now)
}

/// The incident is over.
pub(in super::super) fn over(tx: &mut Tx<'_>, i: &Incident, now: Now) -> Result<(), Fault> {
    let gone = sql::withdraw_all(tx, i.id, now.0)?;
    said(tx, i, gone, now)
}

/// The errand is over or answered.
pub(in super::super) fn errand_over(
    tx: &mut Tx<'_>,
    i: &Incident,
    (errand, state): (ErrandId, ErrandState),
    now: Now,
) -> Result<(), Fault> {
    if state == ErrandState::Asked {
        return Ok(());
    }
    let gone = sql::withdraw_errand(tx, errand, now.0)?;
    said(tx, i, gone, now)
}

fn said(tx: &mut Tx<'_>, i: &Incident, gone: u64, now: Now) -> Result<(), Fault> {
    match gone {
        0 => Ok(()),
        _ => tx.tell(now, "reach.changed", i.region, i.id.0, "{}"),
    }
}
