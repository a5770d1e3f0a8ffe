//! One step of an incident: the row, its new facts, and what the log says of them.

use domain::{
    access::Actor,
    ids::AccountId,
    signals::{
        incident::{Incident, IncidentFactKind, IncidentOutcome},
        ladder::Terms,
    },
    time::Now,
};
use serde_json::{Value, json};

use super::sql;
use crate::{
    evidence::{Event, row_digest},
    store::{Fault, FaultKind, Tx},
};

/// One line of an incident's history, before it has a number.
#[derive(Debug, Clone)]
pub(super) struct Fact {
    pub(super) kind: IncidentFactKind,
    pub(super) text: String,
    pub(super) detail: Value,
    /// Whose words they are, when not those of whoever takes the step.
    by: Option<AccountId>,
}

impl Fact {
    pub(super) fn new(kind: IncidentFactKind, text: impl Into<String>) -> Fact {
        Fact { kind, text: text.into(), detail: json!({}), by: None }
    }

    pub(super) fn signed(mut self, by: AccountId) -> Fact {
        self.by = Some(by);
        self
    }

    pub(super) fn with(mut self, detail: Value) -> Fact {
        self.detail = detail;
        self
    }
}

/// The code over a fact and all before it.
pub(super) fn link(
    before: [u8; 16],
    incident: i64,
    n: i64,
    at: i64,
    by: i64,
    fact: (&str, &str, &str),
) -> [u8; 16] {
    let (kind, text, detail) = fact;
    row_digest(&[
        &before,
        &incident.to_be_bytes(),
        &n.to_be_bytes(),
        &at.to_be_bytes(),
        &by.to_be_bytes(),
        kind.as_bytes(),
        text.as_bytes(),
        detail.as_bytes(),
    ])
}

/// Digest of everything that matters about the row, its facts included.
pub(super) fn digest(i: &Incident) -> [u8; 16] {
    let n = |x: Option<i64>| x.unwrap_or(-1).to_be_bytes();
    let at = |x: Option<domain::time::At>| n(x.map(|a| a.0));
    row_digest(&[
        &i.id.0.to_be_bytes(),
        &i.region.number().to_be_bytes(),
        i.kind.code().as_bytes(),
        i.level.code().as_bytes(),
        i.level_top.code().as_bytes(),
        &n(i.person.map(|x| x.0)),
        &n(i.device.map(|x| x.0)),
        &n(i.call.map(|x| x.0)),
        &n(i.area.map(|x| x.0)),
        &[u8::from(i.verified)],
        i.text.as_bytes(),
        &at(i.pressed_at),
        &i.received_at.0.to_be_bytes(),
        &i.opened_at.0.to_be_bytes(),
        &i.presses.to_be_bytes(),
        i.state.code().as_bytes(),
        &i.rang_at.0.to_be_bytes(),
        &n(i.owner.map(|x| x.0)),
        &at(i.owned_at),
        &at(i.hold_until),
        &at(i.answered_at),
        &n(i.answered_by.map(|x| x.0)),
        &at(i.closed_at),
        &n(i.closed_by.map(|x| x.0)),
        i.outcome.map_or("", IncidentOutcome::code).as_bytes(),
        i.with_elder.as_deref().unwrap_or("").as_bytes(),
        &at(i.reviewed_at),
        &n(i.reviewed_by.map(|x| x.0)),
        &i.facts.to_be_bytes(),
        &i.chain,
    ])
}

/// The name under which a fact stands in the evidence log.
fn act(kind: IncidentFactKind) -> &'static str {
    use IncidentFactKind::*;
    match kind {
        Opened => "incident.opened",
        Rang => "incident.rang",
        PressedAgain => "incident.pressed_again",
        Acknowledged => "incident.acknowledged",
        Held => "incident.held",
        Noted => "incident.noted",
        Escalated => "incident.escalated",
        Stepped => "incident.stepped",
        Reached => "incident.reached",
        Sent => "incident.sent",
        Errand => "incident.errand",
        LevelChanged => "incident.level_changed",
        Identified => "incident.identified",
        HandedOver => "incident.handed_over",
        Attached => "incident.attached",
        Members => "incident.members",
        Closed => "incident.closed",
        Reviewed => "incident.reviewed",
        Returned => "incident.returned",
        Reopened => "incident.reopened",
    }
}

/// A fact with its number, its author and its detail as text.
struct Numbered<'a> {
    n: i64,
    by: AccountId,
    fact: &'a Fact,
    detail: String,
}

/// Appends facts to the chain; the incident counts them.
fn append<'a>(actor: &Actor, i: &mut Incident, facts: &'a [Fact], now: Now) -> Vec<Numbered<'a>> {
    let mut numbered = Vec::new();
    for fact in facts {
        i.facts += 1;
        let (by, detail) = (fact.by.unwrap_or(actor.account), fact.detail.to_string());
        let said = (fact.kind.code(), fact.text.as_str(), detail.as_str());
        i.chain = link(i.chain, i.id.0, i.facts, now.0.0, by.0, said);
        numbered.push(Numbered { n: i.facts, by, fact, detail });
    }
    numbered
}

/// Writes the facts. The row is written first: two who meet at one incident meet there, and one of them tries again.
fn write(tx: &mut Tx<'_>, i: &Incident, facts: &[Numbered<'_>], now: Now) -> Result<(), Fault> {
    for one in facts {
        let said = (one.fact.kind.code(), one.fact.text.as_str(), one.detail.as_str());
        sql::insert_fact(tx, i.id, one.n, (now.0, one.by), said)?;
    }
    Ok(())
}

/// What the log says of a fact. The words of a note stay out of it: the chain vouches for them.
fn record(tx: &mut Tx<'_>, actor: &Actor, i: &Incident, facts: &[Fact], now: Now) -> Result<(), Fault> {
    for (n, fact) in facts.iter().enumerate() {
        let mut detail = fact.detail.clone();
        detail["state"] = json!(i.state.code());
        detail["kind"] = json!(i.kind.code());
        detail["level"] = json!(i.level.code());
        let event = Event::new(act(fact.kind), i.id.0, i.region, detail);
        // The last of several says what the row was left as.
        let last = n + 1 == facts.len();
        tx.record(actor, now, if last { event.leaving(digest(i)) } else { event })?;
    }
    Ok(())
}

/// Saves a new incident with its first facts.
pub(super) fn begin(
    tx: &mut Tx<'_>,
    actor: &Actor,
    i: &mut Incident,
    facts: &[Fact],
    now: Now,
) -> Result<(), Fault> {
    let numbered = append(actor, i, facts, now);
    sql::insert(tx, i)?;
    write(tx, i, &numbered, now)?;
    record(tx, actor, i, facts, now)
}

/// Saves what changed, with the facts that say so. `before` is how many facts there were when it was loaded.
pub(super) fn step(
    tx: &mut Tx<'_>,
    actor: &Actor,
    i: &mut Incident,
    facts: &[Fact],
    terms: &Terms,
    now: Now,
) -> Result<(), Fault> {
    let before = i.facts;
    let numbered = append(actor, i, facts, now);
    if sql::update(tx, i, before, i.rings_again_at(terms))? != 1 {
        // Somebody else moved it between our reading and our writing.
        return Err(Fault {
            kind: FaultKind::Conflict,
            message: format!("incident {} moved on", i.id),
            context: Vec::new(),
        });
    }
    write(tx, i, &numbered, now)?;
    record(tx, actor, i, facts, now)
}
