//! The ladder at work: steps that are due are done, once, by whichever server comes first; what was put aside,
//! forgotten or left behind rings again.
//!
//! A step is done in the transaction that marks it, and what it asks for is a row of the outbox in the same one: a
//! process that dies between two steps leaves nothing half done, and the next tick, here or elsewhere, goes on.

use domain::{
    access::Actor,
    ids::{AccountId, ContactId},
    signals::{
        incident::{Incident, IncidentFactKind, IncidentState},
        ladder::{Reach, Rung, Terms},
    },
    time::Now,
};
use serde_json::json;

use super::{
    platform, reaches, save,
    save::Fact,
    sql::{self, Due},
};
use crate::{
    settings,
    store::{Fault, Tx},
};

/// Setting that holds the city's terms.
const TERMS: &str = "alarms";
/// Steps and incidents looked at in one transaction: a county's outage must not hold up a press. A step costs some tens of
/// microseconds.
const BATCH: i64 = 40;

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ticked {
    /// Steps of ladders that were done.
    pub steps: usize,
    /// Incidents that ring again.
    pub rang: usize,
    /// Whether there is more that is due already.
    pub more: bool,
}

/// What the city decided about incidents.
pub fn terms(tx: &mut Tx<'_>) -> Result<Terms, Fault> {
    match settings::find(tx, TERMS)? {
        Some(text) => Ok(serde_json::from_str(&text)?),
        None => Ok(Terms::standard()),
    }
}

/// Keeps what the city decided. Incidents whose ladder has begun climb it as they began.
pub fn set_terms(tx: &mut Tx<'_>, terms: &Terms) -> Result<(), Fault> {
    settings::set(tx, TERMS, &serde_json::to_string(terms)?)
}

/// Lays out the steps of an incident from the moment it rings.
pub(super) fn begin(tx: &mut Tx<'_>, i: &Incident, terms: &Terms) -> Result<(), Fault> {
    for (n, after, rung) in terms.steps(i.kind, i.level) {
        sql::insert_step(tx, i, n, rung, i.rang_at.plus_seconds(after))?;
    }
    Ok(())
}

/// What is left of the ladder is not climbed any more, and whom it wanted called and nobody called yet is left alone.
pub(super) fn stop(tx: &mut Tx<'_>, i: &Incident, now: Now) -> Result<(), Fault> {
    sql::stop_steps(tx, i.id, now.0)?;
    reaches::stopped(tx, i, now)
}

/// Whether a tick would do anything.
pub fn anything_due(tx: &mut Tx<'_>, now: Now) -> Result<bool, Fault> {
    sql::any_due(tx, now.0)
}

/// Does what is due. A reconciler: safe to run twice, and on two servers side by side.
///
/// # Errors
/// Faults only.
pub fn tick(tx: &mut Tx<'_>, now: Now) -> Result<Ticked, Fault> {
    let terms = terms(tx)?;
    let mut rang = hand_over_left(tx, now)?;
    for incident in sql::to_ring_again(tx, now.0, BATCH)? {
        rang += usize::from(wake(tx, incident, &terms, now)?);
    }
    let lapsed = super::errands::lapse(tx, now, BATCH)?;
    let due = sql::due_steps(tx, now.0, BATCH)?;
    let more = due.len() as i64 == BATCH;
    let mut steps = 0;
    let mut due = due.into_iter().peekable();
    while let Some(first) = due.next() {
        let mut of_one = vec![first];
        while let Some(next) = due.next_if(|next| next.incident == of_one[0].incident) {
            of_one.push(next);
        }
        steps += climb(tx, &of_one, &terms, now)?;
    }
    Ok(Ticked { steps, rang, more: more || rang as i64 >= BATCH || lapsed as i64 >= BATCH })
}

/// Does the due steps of one incident.
fn climb(tx: &mut Tx<'_>, due: &[Due], terms: &Terms, now: Now) -> Result<usize, Fault> {
    let id = due[0].incident;
    let mut incident = sql::find(tx, id)?.ok_or_else(|| Fault::other(format!("step of no incident {id}")))?;
    let by = platform();
    let mut facts = Vec::new();
    for step in due {
        if incident.state != IncidentState::Ringing || step.round != incident.round {
            // Somebody took it; what is left is not climbed.
            stop(tx, &incident, now)?;
            break;
        }
        if sql::do_step(tx, (id, step.round, step.step), now.0, by.account)? {
            let contact = reach_out(tx, &incident, step, by.account, now)?;
            let late = now.0.seconds_since(step.due_at);
            facts.push(Fact::new(IncidentFactKind::Stepped, step.label.clone()).with(json!({
                "round": step.round, "step": step.step, "reach": step.reach.code(), "contact": contact,
                "due_at": step.due_at, "late_seconds": late,
            })));
        }
    }
    if !facts.is_empty() {
        save::step(tx, &by, &mut incident, &facts, terms, now)?;
    }
    Ok(facts.len())
}

/// Writes who is to be called or written to, and tells the outbox of it. Answers the elder's contact, when it is one.
pub(super) fn reach_out(
    tx: &mut Tx<'_>,
    i: &Incident,
    step: &Due,
    by: AccountId,
    now: Now,
) -> Result<Option<ContactId>, Fault> {
    if step.reach.suggested_only() {
        return Ok(None);
    }
    let contact = reaches::for_step(tx, i, step, by, now)?;
    let payload = json!({
        "incident": i.id, "round": step.round, "step": step.step, "reach": step.reach.code(), "rank": step.rank,
        "label": step.label, "person": i.person, "contact": contact, "device": i.device,
    });
    tx.tell(now, "incident.reach", i.region, i.id.0, &payload.to_string())?;
    Ok(contact)
}

/// An operator reaches for somebody: a step of its own, done at once.
pub(super) fn add_step(
    tx: &mut Tx<'_>,
    i: &Incident,
    (reach, label): (Reach, &str),
    by: AccountId,
    now: Now,
) -> Result<i64, Fault> {
    let step = sql::last_step(tx, i.id, i.round)? + 1;
    let rung = Rung {
        after_seconds: 0,
        reach,
        rank: 1,
        label: label.to_owned(),
        levels: Vec::new(),
        kinds: Vec::new(),
    };
    sql::insert_step(tx, i, step, &rung, now.0)?;
    sql::do_step(tx, (i.id, i.round, step), now.0, by)?;
    let due =
        Due { incident: i.id, round: i.round, step, reach, rank: 1, label: label.to_owned(), due_at: now.0 };
    reach_out(tx, i, &due, by, now)?;
    Ok(step)
}

/// Rings an incident again whose hold is over or whose owner fell silent. Typing is not silence.
fn wake(tx: &mut Tx<'_>, mut i: Incident, terms: &Terms, now: Now) -> Result<bool, Fault> {
    let held = i.state == IncidentState::Held;
    if !held && let Some(typed) = sql::typed_at(tx, i.id, i.owner)? {
        i.active_at = i.active_at.max(Some(typed));
        if i.rings_again_at(terms).is_some_and(|at| at > now.0) {
            return match sql::update(tx, &i, i.facts, i.rings_again_at(terms))? {
                1 => Ok(false),
                _ => Err(Fault::other(format!("incident {} moved on", i.id))),
            };
        }
    }
    let (why, text) = if held {
        ("hold_over", "保持时间已到，再次响铃")
    } else {
        ("idle", "接手人长时间没有动作，再次响铃")
    };
    ring_again(tx, &platform(), i, (IncidentFactKind::Rang, why, text), terms, now)?;
    Ok(true)
}

/// Hands over what belongs to people who are signed in nowhere any more. A reconciler.
///
/// # Errors
/// Faults only.
pub fn hand_over_left(tx: &mut Tx<'_>, now: Now) -> Result<usize, Fault> {
    let left = sql::left_behind(tx, now.0, BATCH)?;
    if left.is_empty() {
        return Ok(0);
    }
    let terms = terms(tx)?;
    let count = left.len();
    for incident in left {
        let why = (IncidentFactKind::HandedOver, "signed_out", "接手人已退出登录，交还全体坐席，再次响铃");
        ring_again(tx, &platform(), incident, why, &terms, now)?;
    }
    Ok(count)
}

/// Rings for all again, with what the owner typed and did not send kept as a note.
pub(super) fn ring_again(
    tx: &mut Tx<'_>,
    actor: &Actor,
    mut i: Incident,
    (kind, why, text): (IncidentFactKind, &str, &str),
    terms: &Terms,
    now: Now,
) -> Result<Incident, Fault> {
    let owner = i.owner;
    let mut facts = Vec::new();
    if let Some(owner) = owner
        && let Some(typed) = sql::draft(tx, i.id, owner)?
    {
        sql::clear_draft(tx, i.id, owner, now.0)?;
        let note = Fact::new(IncidentFactKind::Noted, typed).with(json!({ "draft": true }));
        facts.push(note.signed(owner));
    }
    i.ring_again(now);
    facts.push(Fact::new(kind, text).with(json!({ "why": why, "from": owner, "round": i.round })));
    save::step(tx, actor, &mut i, &facts, terms, now)?;
    stop(tx, &i, now)?;
    begin(tx, &i, terms)?;
    Ok(i)
}
