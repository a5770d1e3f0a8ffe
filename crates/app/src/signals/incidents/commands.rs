//! What people do with an incident, one command a step.

use domain::{
    access::{Act, Actor},
    ids::{IncidentId, PersonId},
    signals::{
        incident::{
            Closure, Incident, IncidentFactKind as Kind, IncidentKind, IncidentRefusal, IncidentState, Level,
            TEXT_MAX, said,
        },
        ladder::{Reach, ReachResult, Terms},
    },
    time::Now,
};
use serde_json::json;

use super::{ladder, load, save, save::Fact, sql};
use crate::{
    outcome::{Answer, Decided, Found, No, Outcome},
    parties::people,
    store::{Fault, Tx},
};

type Done<T = ()> = Outcome<T, IncidentRefusal>;

/// An incident an operator may work at, with the name of its owner and the city's terms.
fn open_one(tx: &mut Tx<'_>, actor: &Actor, id: IncidentId) -> Done<(Incident, String, Terms)> {
    let incident = load(tx, actor, Act::AnswerAlarms, id)?;
    let owner = sql::account_name(tx, incident.owner)?;
    Ok((incident, owner, ladder::terms(tx)?))
}

/// Takes an incident: the first wins, a second is told who has it. Its owner takes it off hold the same way.
///
/// # Errors
/// When somebody else has it or it is over.
pub fn acknowledge(tx: &mut Tx<'_>, actor: &Actor, id: IncidentId, now: Now) -> Done<Incident> {
    let (mut i, owner, terms) = open_one(tx, actor, id)?;
    let before = i.state;
    i.acknowledge(actor.account, &owner, now).decided()?;
    if before == IncidentState::Acknowledged {
        return Ok(i);
    }
    let waited = now.0.seconds_since(i.rang_at);
    let detail = json!({ "waited_seconds": waited, "from_hold": before == IncidentState::Held });
    save::step(tx, actor, &mut i, &[Fact::new(Kind::Acknowledged, "").with(detail)], &terms, now)?;
    ladder::stop(tx, &i, now)?;
    open_door(tx, actor, &i, now)?;
    Ok(i)
}

/// Whoever owns an incident may have to tell somebody how to get in: the door's code is opened for them, on record.
fn open_door(tx: &mut Tx<'_>, actor: &Actor, i: &Incident, now: Now) -> Result<(), Fault> {
    match i.person.filter(|_| i.owner == Some(actor.account)) {
        Some(person) => people::open_door_code(tx, actor, person, &format!("处置警情 {}", i.id), now),
        None => Ok(()),
    }
}

/// The code of the elder's door, for the owner of an open incident.
///
/// # Errors
/// When the incident cannot be seen.
pub fn door_code(tx: &mut Tx<'_>, actor: &Actor, id: IncidentId) -> Answer<Option<String>> {
    actor.may(Act::AnswerAlarms)?;
    let i = sql::find(tx, id)?.filter(|i| actor.sees(i.region)).found()?;
    let mine = i.state.owned() && i.owner == Some(actor.account);
    Ok(match (i.person, i.owned_at) {
        (Some(person), Some(since)) if mine => people::door_code_opened(tx, actor.account, person, since)?,
        _ => None,
    })
}

/// Puts it aside for some seconds; then it rings for all.
///
/// # Errors
/// When somebody else owns it, nobody does, or the hold would be a silent one.
pub fn hold(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: IncidentId,
    seconds: i64,
    text: &str,
    now: Now,
) -> Done<Incident> {
    let (mut i, owner, terms) = open_one(tx, actor, id)?;
    i.hold(actor.account, &owner, seconds, &terms, now).decided()?;
    let fact = Fact::new(Kind::Held, brief(text)?).with(json!({ "until": i.hold_until }));
    save::step(tx, actor, &mut i, &[fact], &terms, now)?;
    Ok(i)
}

/// A text that may be left out.
fn brief(text: &str) -> Done<String> {
    if text.trim().is_empty() { Ok(String::new()) } else { said(text, "说明", TEXT_MAX).decided() }
}

/// Keeps what an operator types, while typing: nothing is lost with the server. It becomes a note by `note`.
///
/// # Errors
/// When it is longer than a note may be.
pub fn draft(tx: &mut Tx<'_>, actor: &Actor, id: IncidentId, text: &str, now: Now) -> Done {
    load(tx, actor, Act::AnswerAlarms, id)?;
    if text.chars().count() > TEXT_MAX {
        return Err(No::Refused(IncidentRefusal::TooLong { what: "记录", max: TEXT_MAX }));
    }
    Ok(sql::set_draft(tx, id, actor.account, text, now.0)?)
}

/// Writes something down. Anybody at the desk may, also after the end.
///
/// # Errors
/// When nothing is said, or too much.
pub fn note(tx: &mut Tx<'_>, actor: &Actor, id: IncidentId, text: &str, now: Now) -> Done<Incident> {
    let (mut i, _, terms) = open_one(tx, actor, id)?;
    let text = said(text, "记录", TEXT_MAX).decided()?;
    i.active(actor.account, now);
    let detail = json!({ "length": text.chars().count() });
    save::step(tx, actor, &mut i, &[Fact::new(Kind::Noted, text).with(detail)], &terms, now)?;
    sql::clear_draft(tx, id, actor.account, now.0)?;
    Ok(i)
}

/// Whom the owner calls for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// Whom.
    pub to: Reach,
    /// What for.
    pub text: String,
}

/// The owner calls for others. Answers the step under which its result is noted.
///
/// # Errors
/// When somebody else owns it or nobody does.
pub fn escalate(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: IncidentId,
    ask: &Escalation,
    now: Now,
) -> Done<(Incident, i64)> {
    let (mut i, owner, terms) = open_one(tx, actor, id)?;
    let text = brief(&ask.text)?;
    i.escalate(actor.account, &owner, now).decided()?;
    let step = ladder::add_step(tx, &i, (ask.to, ask.to.label()), actor.account, now)?;
    let detail = json!({ "reach": ask.to.code(), "round": i.round, "step": step });
    save::step(tx, actor, &mut i, &[Fact::new(Kind::Escalated, text).with(detail)], &terms, now)?;
    Ok((i, step))
}

/// Notes what came of a step: who answered, who is coming, who could not be reached.
///
/// # Errors
/// When the step was not done.
pub fn reached(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: IncidentId,
    (round, step): (i64, i64),
    (result, text): (ReachResult, &str),
    now: Now,
) -> Done<Incident> {
    let (mut i, _, terms) = open_one(tx, actor, id)?;
    let text = brief(text)?;
    if !sql::set_result(tx, (id, round, step), result, now.0, actor.account)? {
        return Err(No::Refused(IncidentRefusal::NoSuchStep));
    }
    super::reaches::by_desk(tx, (id, round, step), result, now)?;
    i.active(actor.account, now);
    let detail = json!({ "round": round, "step": step, "result": result.code() });
    save::step(tx, actor, &mut i, &[Fact::new(Kind::Reached, text).with(detail)], &terms, now)?;
    Ok(i)
}

/// More or less urgent from now on; what still rings climbs the ladder of its new level from the start.
///
/// # Errors
/// When no reason is given, it has this level, it is over, or somebody else owns it.
pub fn change_level(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: IncidentId,
    (to, reason): (Level, &str),
    now: Now,
) -> Done<Incident> {
    let (mut i, owner, terms) = open_one(tx, actor, id)?;
    let reason = said(reason, "调整原因", TEXT_MAX).decided()?;
    let (from, round) = (i.level, i.round);
    i.change_level(to, actor.account, &owner, now).decided()?;
    if i.round != round {
        i.rang_at = now.0;
    }
    let detail = json!({ "from": from.code(), "to": to.code() });
    save::step(tx, actor, &mut i, &[Fact::new(Kind::LevelChanged, reason).with(detail)], &terms, now)?;
    if i.round != round {
        ladder::stop(tx, &i, now)?;
        ladder::begin(tx, &i, &terms)?;
    }
    Ok(i)
}

/// Says about whom it is.
///
/// # Errors
/// When the person cannot be seen, or the incident is over.
pub fn identify(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: IncidentId,
    person: PersonId,
    now: Now,
) -> Done<Incident> {
    let (mut i, _, terms) = open_one(tx, actor, id)?;
    let home = sql::person_region(tx, person)?.filter(|region| actor.sees(*region));
    let home = home.ok_or(No::Refused(IncidentRefusal::UnknownPerson))?;
    if i.state == IncidentState::Closed {
        return Err(No::Refused(IncidentRefusal::WrongState { state: i.state, wish: "更改老人" }));
    }
    let detail = json!({ "person": person, "before": i.person });
    i.person = Some(person);
    i.region = home;
    i.active(actor.account, now);
    save::step(tx, actor, &mut i, &[Fact::new(Kind::Identified, "").with(detail)], &terms, now)?;
    open_door(tx, actor, &i, now)?;
    Ok(i)
}

/// The owner gives it back to all: it rings again.
///
/// # Errors
/// When no reason is given, or the actor does not own it.
pub fn hand_over(tx: &mut Tx<'_>, actor: &Actor, id: IncidentId, reason: &str, now: Now) -> Done<Incident> {
    let (mut i, owner, terms) = open_one(tx, actor, id)?;
    let reason = said(reason, "交接说明", TEXT_MAX).decided()?;
    i.escalate(actor.account, &owner, now).decided()?;
    Ok(ladder::ring_again(tx, actor, i, (Kind::HandedOver, "given_back", &reason), &terms, now)?)
}

/// The shift's leader takes it from its owner.
///
/// # Errors
/// When no reason is given, nobody owns it, or the leader does.
pub fn take_over(tx: &mut Tx<'_>, actor: &Actor, id: IncidentId, reason: &str, now: Now) -> Done<Incident> {
    actor.may(Act::ReviewAlarms)?;
    let (mut i, _, terms) = open_one(tx, actor, id)?;
    let reason = said(reason, "改派原因", TEXT_MAX).decided()?;
    let from = i.owner;
    i.take_over(actor.account, now).decided()?;
    let detail = json!({ "why": "taken_over", "from": from, "to": actor.account });
    save::step(tx, actor, &mut i, &[Fact::new(Kind::HandedOver, reason).with(detail)], &terms, now)?;
    open_door(tx, actor, &i, now)?;
    Ok(i)
}

/// Ends it: with an outcome, who is with the elder now, and what happened.
///
/// # Errors
/// When the actor does not own it or words are missing.
pub fn close(tx: &mut Tx<'_>, actor: &Actor, id: IncidentId, closure: &Closure, now: Now) -> Done<Incident> {
    let (mut i, owner, terms) = open_one(tx, actor, id)?;
    let leads = actor.may(Act::ReviewAlarms).is_ok();
    i.close(closure, actor.account, &owner, leads, now).decided()?;
    let detail = json!({ "outcome": closure.outcome.code(), "with_elder": closure.with_elder.trim() });
    let fact = Fact::new(Kind::Closed, closure.text.trim()).with(detail);
    save::step(tx, actor, &mut i, &[fact], &terms, now)?;
    super::errands::call_back(tx, actor, &mut i, &terms, now)?;
    super::reaches::over(tx, &i, now)?;
    if i.kind == IncidentKind::Area {
        super::area::dissolve(tx, actor, &i, &terms, now)?;
    }
    Ok(i)
}

/// A second person agrees with how a red one ended.
///
/// # Errors
/// When nothing waits for a second look, or the second person is the first.
pub fn review(tx: &mut Tx<'_>, actor: &Actor, id: IncidentId, text: &str, now: Now) -> Done<Incident> {
    let (mut i, terms) = to_review(tx, actor, id)?;
    let text = brief(text)?;
    i.review(actor.account, now).decided()?;
    save::step(tx, actor, &mut i, &[Fact::new(Kind::Reviewed, text)], &terms, now)?;
    Ok(i)
}

/// A second person does not agree: it rings again.
///
/// # Errors
/// The same, and when no reason is given.
pub fn send_back(tx: &mut Tx<'_>, actor: &Actor, id: IncidentId, reason: &str, now: Now) -> Done<Incident> {
    let (mut i, terms) = to_review(tx, actor, id)?;
    let reason = said(reason, "退回原因", TEXT_MAX).decided()?;
    i.send_back(actor.account, now).decided()?;
    begin_again(tx, actor, i, Fact::new(Kind::Returned, reason), &terms, now)
}

fn to_review(tx: &mut Tx<'_>, actor: &Actor, id: IncidentId) -> Done<(Incident, Terms)> {
    Ok((load(tx, actor, Act::ReviewAlarms, id)?, ladder::terms(tx)?))
}

/// Opens it again under its number, within 72 hours of its end.
///
/// # Errors
/// When no reason is given, it is not closed, or too much time has passed.
pub fn reopen(tx: &mut Tx<'_>, actor: &Actor, id: IncidentId, reason: &str, now: Now) -> Done<Incident> {
    let (mut i, _, terms) = open_one(tx, actor, id)?;
    let reason = said(reason, "重新打开的原因", TEXT_MAX).decided()?;
    i.reopen(now).decided()?;
    begin_again(tx, actor, i, Fact::new(Kind::Reopened, reason), &terms, now)
}

fn begin_again(
    tx: &mut Tx<'_>,
    actor: &Actor,
    mut i: Incident,
    fact: Fact,
    terms: &Terms,
    now: Now,
) -> Done<Incident> {
    save::step(tx, actor, &mut i, &[fact], terms, now)?;
    ladder::begin(tx, &i, terms)?;
    Ok(i)
}
