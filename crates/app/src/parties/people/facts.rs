//! Facts: stating one, correcting one, taking one back, and what was known when.
//!
//! A fact is never overwritten. Stating a new living arrangement ends the one before on the day the new one begins: the
//! old row is no longer believed (`known_to`), a row with the end takes its place. So any past day can be told as it was
//! known at any past moment.

use domain::{
    access::{Act, Actor},
    ids::{AccountId, FactId, PersonId},
    parties::{FactKind, FactValue, PersonState, Span},
    time::{At, Day, Now},
};
use jiff::ToSpan;
use serde_json::json;

use super::{Fact, FactRefusal, NewFact, Summary, Whole, code::hex, sql};
use crate::{
    evidence::Event,
    outcome::{Answer, Found, No, Outcome},
    regions, settings,
    store::{Fault, Tx},
};

/// How long one may take back what one stated by mistake.
pub(super) const TAKE_BACK_MINUTES: i64 = 10;
/// A fact may begin this far ahead: a decision is often known some weeks before it holds.
const AHEAD_DAYS: i64 = 366;
/// Setting that says up to which day the summaries were brought.
const SUMMARIES_DAY: &str = "summaries_day";

/// Changes of facts that were decided and not yet written.
#[derive(Debug, Default)]
pub(super) struct Plan {
    doubt: Vec<FactId>,
    insert: Vec<Fact>,
}

impl Plan {
    pub(super) fn is_empty(&self) -> bool {
        self.doubt.is_empty() && self.insert.is_empty()
    }

    /// Writes what was decided.
    pub(super) fn carry_out(&self, tx: &mut Tx<'_>, person: PersonId, now: Now) -> Result<(), Fault> {
        for fact in &self.doubt {
            sql::doubt_fact(tx, *fact, now.0)?;
        }
        self.insert.iter().try_for_each(|fact| sql::insert_fact(tx, person, fact))
    }
}

/// Changes the facts of a record in memory and notes what is to be written.
pub(super) struct Desk<'a> {
    pub(super) facts: &'a mut Vec<Fact>,
    pub(super) plan: &'a mut Plan,
    pub(super) by: AccountId,
    pub(super) now: Now,
}

impl Desk<'_> {
    fn insert(&mut self, id: i64, value: FactValue, span: Span, source: String) {
        let known_at = self.now.0;
        let fact = Fact { id: FactId(id), value, span, source, known_at, known_to: None, by: self.by };
        self.plan.insert.push(fact.clone());
        self.facts.push(fact);
    }

    fn doubt(&mut self, id: FactId) {
        if let Some(fact) = self.facts.iter_mut().find(|f| f.id == id) {
            fact.known_to = Some(self.now.0);
            self.plan.doubt.push(id);
        }
    }

    /// States a fact. One that was open gives way from the first day of the new one, and holds again after its last.
    pub(super) fn state(
        &mut self,
        new: &NewFact,
        mut next: impl FnMut() -> i64,
    ) -> Result<FactId, FactRefusal> {
        let mut gives_way: Option<Fact> = None;
        let rivals = self
            .facts
            .iter()
            .filter(|f| f.known_to.is_none() && f.value.rivals(&new.value) && f.span.overlaps(new.span));
        for rival in rivals {
            let same = rival.value == new.value;
            let longer = rival.span.to.is_none() && rival.span.from <= new.span.from;
            if same && (rival.span == new.span || longer && new.span.to.is_none()) {
                return Err(FactRefusal::Known(super::refusals::said(&rival.value, rival.span)));
            }
            if same || rival.span.to.is_some() || rival.span.from >= new.span.from {
                return Err(FactRefusal::overlap(&rival.value, rival.span));
            }
            gives_way = Some(rival.clone());
        }
        if let Some(old) = gives_way {
            self.doubt(old.id);
            let until = Span { from: old.span.from, to: Some(new.span.from) };
            self.insert(next(), old.value.clone(), until, old.source.clone());
            if let Some(end) = new.span.to {
                self.insert(next(), old.value, Span::since(end), old.source);
            }
        }
        let id = next();
        self.insert(id, new.value.clone(), new.span, new.source.trim().to_owned());
        Ok(FactId(id))
    }

    /// Puts another fact in the place of one, or nothing.
    pub(super) fn correct(
        &mut self,
        old: FactId,
        new: Option<&NewFact>,
        mut next: impl FnMut() -> i64,
    ) -> Result<Option<FactId>, FactRefusal> {
        self.doubt(old);
        let Some(new) = new else { return Ok(None) };
        let rival = self
            .facts
            .iter()
            .find(|f| f.known_to.is_none() && f.value.rivals(&new.value) && f.span.overlaps(new.span));
        if let Some(rival) = rival {
            return Err(FactRefusal::overlap(&rival.value, rival.span));
        }
        let id = next();
        self.insert(id, new.value.clone(), new.span, new.source.trim().to_owned());
        Ok(Some(FactId(id)))
    }

    /// Undoes what stating a fact did: those that gave way are believed again, what replaced them is not.
    fn take_back(&mut self, fact: &Fact, mut next: impl FnMut() -> i64) {
        let same_step: Vec<Fact> =
            self.facts.iter().filter(|f| f.value.kind() == fact.value.kind()).cloned().collect();
        for made in same_step.iter().filter(|f| f.known_to.is_none() && f.known_at == fact.known_at) {
            self.doubt(made.id);
        }
        for gone in same_step.iter().filter(|f| f.known_to == Some(fact.known_at)) {
            self.insert(next(), gone.value.clone(), gone.span, gone.source.clone());
        }
    }
}

/// The record of somebody one may change, with everything on it.
pub(super) fn opened<R>(tx: &mut Tx<'_>, actor: &Actor, id: PersonId) -> Outcome<Whole, R> {
    actor.may(Act::EditPeople)?;
    let row = sql::find(tx, id, actor.scope())?.found()?;
    Ok(sql::whole(tx, row)?)
}

/// States a fact about somebody.
pub fn state_fact(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person: PersonId,
    new: &NewFact,
    now: Now,
) -> Outcome<FactId, FactRefusal> {
    let mut whole = opened(tx, actor, person)?;
    check(tx, &whole, new, now)?;
    let mut plan = Plan::default();
    let mut desk = Desk { facts: &mut whole.facts, plan: &mut plan, by: actor.account, now };
    let fact = desk.state(new, || tx.id(now)).map_err(No::Refused)?;
    plan.carry_out(tx, person, now)?;
    finish(tx, actor, &mut whole, "person.fact_stated", shown(fact, new), now)?;
    Ok(fact)
}

/// Corrects a fact that was wrong from the beginning: another one takes its place, or none.
pub fn correct_fact(
    tx: &mut Tx<'_>,
    actor: &Actor,
    fact: FactId,
    new: Option<&NewFact>,
    reason: &str,
    now: Now,
) -> Outcome<Option<FactId>, FactRefusal> {
    let reason = reason.trim();
    let mut whole = of_fact(tx, actor, fact)?;
    if !(2..=100).contains(&reason.chars().count()) {
        return Err(No::Refused(FactRefusal::Reason));
    }
    let old = believed(&whole, fact)?;
    if let Some(new) = new {
        check(tx, &whole, new, now)?;
    } else if locked(&whole, &old.value) {
        return Err(No::Refused(FactRefusal::Locked));
    }
    let mut plan = Plan::default();
    let mut desk = Desk { facts: &mut whole.facts, plan: &mut plan, by: actor.account, now };
    let made = desk.correct(fact, new, || tx.id(now)).map_err(No::Refused)?;
    plan.carry_out(tx, whole.row.id, now)?;
    let mut detail = match (made, new) {
        (Some(made), Some(new)) => shown(made, new),
        _ => json!({ "kind": old.value.kind().code() }),
    };
    detail["corrects"] = json!(fact);
    detail["reason"] = json!(reason);
    finish(tx, actor, &mut whole, "person.fact_corrected", detail, now)?;
    Ok(made)
}

/// Takes back a fact one stated a moment ago; everything is as it was before.
pub fn take_back_fact(
    tx: &mut Tx<'_>,
    actor: &Actor,
    fact: FactId,
    now: Now,
) -> Outcome<PersonId, FactRefusal> {
    let mut whole = of_fact(tx, actor, fact)?;
    let stated = believed(&whole, fact)?;
    if stated.by != actor.account || now.0 > stated.known_at.plus_minutes(TAKE_BACK_MINUTES) {
        return Err(No::Refused(FactRefusal::TooLate));
    }
    let mut plan = Plan::default();
    let mut desk = Desk { facts: &mut whole.facts, plan: &mut plan, by: actor.account, now };
    desk.take_back(&stated, || tx.id(now));
    plan.carry_out(tx, whole.row.id, now)?;
    let detail = json!({ "kind": stated.value.kind().code(), "fact": fact });
    finish(tx, actor, &mut whole, "person.fact_taken_back", detail, now)?;
    Ok(whole.row.id)
}

/// What held on a day by what was known at a moment; without a moment by what is known now.
pub fn facts_as_of(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person: PersonId,
    day: Option<Day>,
    known: Option<At>,
) -> Answer<Vec<Fact>> {
    let row = super::card::seen(tx, actor, person)?;
    let mut facts = sql::facts(tx, row.id)?;
    facts.retain(|fact| {
        let believed = match known {
            None => fact.known_to.is_none(),
            Some(at) => fact.known_at <= at && fact.known_to.is_none_or(|to| at < to),
        };
        believed && day.is_none_or(|day| fact.span.holds(day))
    });
    Ok(facts)
}

/// Brings the columns that repeat the facts up to today, for facts that began or ended since the last time. Safe to run
/// twice; run once a day.
pub fn refresh_summaries(tx: &mut Tx<'_>, actor: &Actor, now: Now) -> Result<usize, Fault> {
    let today = now.day();
    let last = settings::find(tx, SUMMARIES_DAY)?.and_then(|day| day.parse().ok());
    let last: Option<Day> = match last {
        Some(day) => Some(day),
        None => sql::first_entered(tx)?.map(At::day),
    };
    let mut changed = 0;
    if let Some(last) = last.filter(|day| *day < today) {
        for person in sql::due(tx, last, today)? {
            let everywhere = domain::access::Scope { lo: 0, hi: i64::MAX, provider: 0, carer: 0 };
            let Some(row) = sql::find(tx, person, everywhere)? else { continue };
            let mut whole = sql::whole(tx, row)?;
            if Summary::of(&whole.facts, today) != whole.row.summary {
                finish(tx, actor, &mut whole, "person.renewed", json!({}), now)?;
                changed += 1;
            }
        }
    }
    settings::set(tx, SUMMARIES_DAY, &today.to_string())?;
    Ok(changed)
}

/// Brings summary and code of a record up to its facts, saves both and records what happened.
pub(super) fn finish(
    tx: &mut Tx<'_>,
    actor: &Actor,
    whole: &mut Whole,
    act: &'static str,
    mut detail: serde_json::Value,
    now: Now,
) -> Result<(), Fault> {
    detail["was"] = json!(hex(&whole.row.code));
    let before = whole.row.summary.state;
    whole.row.summary = Summary::of(&whole.facts, now.day());
    whole.row.updated_at = now.0;
    whole.row.code = whole.code(tx.vault());
    sql::update_summary(tx, &whole.row)?;
    let after = whole.row.summary.state;
    // Who waits for deaths, moves and stays in hospital listens to one name, however it came about.
    let act = if before == after { act } else { "person.state_changed" };
    if before != after {
        detail["state"] = json!({ "from": before.code(), "to": after.code() });
    }
    let event = Event::new(act, whole.row.id.0, whole.row.region, detail).leaving(whole.row.code);
    tx.record(actor, now, event)
}

fn of_fact(tx: &mut Tx<'_>, actor: &Actor, fact: FactId) -> Outcome<Whole, FactRefusal> {
    actor.may(Act::EditPeople)?;
    let person = sql::person_of_fact(tx, fact)?.found()?;
    opened(tx, actor, person)
}

fn believed(whole: &Whole, fact: FactId) -> Outcome<Fact, FactRefusal> {
    let found = whole.facts.iter().find(|f| f.id == fact).found()?;
    if found.known_to.is_some() {
        return Err(No::Refused(FactRefusal::Corrected));
    }
    Ok(found.clone())
}

/// A file of the dead is kept as it is; only the death itself may turn out to be wrong.
fn locked(whole: &Whole, value: &FactValue) -> bool {
    whole.row.summary.state == PersonState::Deceased && value.kind() != FactKind::State
}

fn check(tx: &mut Tx<'_>, whole: &Whole, new: &NewFact, now: Now) -> Outcome<(), FactRefusal> {
    let refuse = |refusal| Err(No::Refused(refusal));
    if locked(whole, &new.value) {
        return refuse(FactRefusal::Locked);
    }
    if !(1..=100).contains(&new.source.trim().chars().count()) {
        return refuse(FactRefusal::Source);
    }
    if new.span.to.is_some_and(|to| to <= new.span.from) {
        return refuse(FactRefusal::Backwards);
    }
    let latest = now.day().saturating_add(AHEAD_DAYS.days());
    if new.span.from < whole.row.birth || new.span.from > latest {
        return refuse(FactRefusal::Day(new.span.from));
    }
    if let FactValue::Hukou(code) = new.value
        && regions::book(tx)?.latest(code).is_none()
    {
        return refuse(FactRefusal::Region(code.to_string()));
    }
    Ok(())
}

/// A fact as the log shows it. Remarks may speak of illness, so their words stay in the record.
fn shown(id: FactId, new: &NewFact) -> serde_json::Value {
    let mut detail = json!({
        "fact": id,
        "kind": new.value.kind().code(),
        "since": new.span.from,
        "source": new.source.trim(),
    });
    if new.value.kind() != FactKind::Remark {
        detail["value"] = json!(new.value.code());
    }
    if let Some(to) = new.span.to {
        detail["until"] = json!(to);
    }
    detail
}
