//! Calls to the hotline: reported by the telephone system, answered by a person, closed with an outcome.

use domain::{
    access::{Act, Actor},
    ids::{AccountId, CallId, PersonId},
    parties::{Phone, mask, text},
    refusal::{Refusal, RefusalKind},
    regions::RegionCode,
    time::{At, Day, Now},
};
use serde_json::json;

use super::sql;
use crate::{
    evidence::Event,
    outcome::{Answer, Found, No, Outcome as Result2},
    store::Tx,
};

/// The name under which telephone numbers are indexed, the same for people and contacts.
pub const PHONE: &str = "phone";

/// Closest two clocks must be: a telephone system may be this far ahead of us.
const AHEAD_MINUTES_MAX: i64 = 10;
/// Longest id a telephone system may give a call, and longest name of a line.
const EXTERNAL_ID_MAX: usize = 128;
const LINE_MAX: usize = 64;
/// What is kept of a number, readable or not; the longest of ITU-T E.164 has 15 digits.
const NUMBER_MAX: usize = 32;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// An order was placed.
    Ordered,
    /// A question was answered.
    Answered,
    /// Passed on: complaint, 12345, 120.
    PassedOn,
    /// Wrong number or a test.
    Wrong,
    /// The caller hung up before or during the call.
    HungUp,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: &'static [Outcome] =
        &[Outcome::Ordered, Outcome::Answered, Outcome::PassedOn, Outcome::Wrong, Outcome::HungUp];

    /// Stable name.
    pub fn code(self) -> &'static str {
        match self {
            Outcome::Ordered => "ordered",
            Outcome::Answered => "answered",
            Outcome::PassedOn => "passed_on",
            Outcome::Wrong => "wrong",
            Outcome::HungUp => "hung_up",
        }
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Outcome::Ordered => "已下单",
            Outcome::Answered => "已解答",
            Outcome::PassedOn => "已转办",
            Outcome::Wrong => "打错或测试",
            Outcome::HungUp => "对方挂断",
        }
    }

    /// The outcome with this stable name.
    pub fn from_code(code: &str) -> Option<Outcome> {
        Outcome::ALL.iter().copied().find(|o| o.code() == code)
    }
}

/// A step of a call that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallRefusal {
    /// The telephone system sent no usable number or id.
    #[error("来电记录缺少{0}")]
    Missing(&'static str),
    /// More than such a text can be.
    #[error("{what}最多 {max} 个字，请精简")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// How much is taken.
        max: usize,
    },
    /// Words about a call that nobody would read.
    #[error("通话记录最多 {0} 个字，请精简")]
    NoteTooLong(usize),
    /// The call is said to ring in the future.
    #[error("来电时间 {0} 在将来，请校准话务系统时钟")]
    Ahead(At),
    /// Somebody else was faster.
    #[error("这通电话已由{0}接听")]
    Taken(String),
    /// Another operator has the call in hand.
    #[error("这通电话由{0}接听；要由您继续处理，请先接手")]
    Others(String),
    /// Nobody has it in hand, or it is one's own already.
    #[error("这通电话现在不用接手，请直接处理")]
    NothingToTakeOver,
    /// It is over.
    #[error("这通电话已经结束")]
    Closed,
    /// Not answered yet.
    #[error("请先接听再结束")]
    NotAnswered,
}

impl Refusal for CallRefusal {
    fn code(&self) -> &'static str {
        match self {
            CallRefusal::Missing(_) => "missing",
            CallRefusal::TooLong { .. } => "too_long",
            CallRefusal::NoteTooLong(_) => "note_too_long",
            CallRefusal::Ahead(_) => "ahead",
            CallRefusal::Taken(_) => "taken",
            CallRefusal::Others(_) => "others",
            CallRefusal::NothingToTakeOver => "nothing_to_take_over",
            CallRefusal::Closed => "closed",
            CallRefusal::NotAnswered => "not_answered",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            CallRefusal::Missing(_)
            | CallRefusal::TooLong { .. }
            | CallRefusal::NoteTooLong(_)
            | CallRefusal::Ahead(_) => RefusalKind::Invalid,
            _ => RefusalKind::Conflict,
        }
    }
}

/// Longest note of a call, characters: what an operator writes while somebody tells a long story.
const NOTE_MAX: usize = 4_000;

/// A call as the telephone system reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCall {
    /// The telephone system's own id; the same call reported twice is one call.
    pub external_id: String,
    /// Which line it came in on.
    pub line: String,
    /// The caller's number as it was sent; empty when withheld.
    pub number: String,
    /// When it began to ring.
    pub rang_at: At,
    /// Where the line belongs, when nobody is known by the number.
    pub region: RegionCode,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the column of the same name")]
pub struct Call {
    pub id: CallId,
    pub external_id: String,
    pub line: String,
    pub region: RegionCode,
    pub number: Vec<u8>,
    pub number_index: i64,
    pub number_shown: String,
    pub rang_at: At,
    pub received_at: At,
    pub answered_at: Option<At>,
    pub answered_by: Option<AccountId>,
    pub person: Option<PersonId>,
    pub note: String,
    pub closed_at: Option<At>,
    pub outcome: Option<Outcome>,
    pub person_name: String,
    pub answered_name: String,
}

/// Takes a report of a ringing call. Who is known by the number is found at once.
pub fn report(tx: &mut Tx<'_>, actor: &Actor, new: &NewCall, now: Now) -> Result2<CallId, CallRefusal> {
    actor.may(Act::ReportCalls)?;
    if new.external_id.trim().is_empty() {
        return Err(No::Refused(CallRefusal::Missing("话单编号 external_id")));
    }
    if new.rang_at > now.0.plus_minutes(AHEAD_MINUTES_MAX) {
        return Err(No::Refused(CallRefusal::Ahead(new.rang_at)));
    }
    let bounded = |text: &str, what, max| {
        let long = text.trim().chars().count() > max;
        if long { Err(No::Refused(CallRefusal::TooLong { what, max })) } else { Ok(text.trim().to_owned()) }
    };
    let external_id = bounded(&new.external_id, "话单编号 external_id", EXTERNAL_ID_MAX)?;
    let line = bounded(&new.line, "线路 line", LINE_MAX)?;
    let number = shown_number(&new.number);
    let number_index = tx.vault().index(PHONE, &number);
    let known = if number.is_empty() { Vec::new() } else { sql::known_by(tx, number_index)? };
    let known: Vec<_> = known.into_iter().filter(|(_, region)| actor.sees(*region)).collect();
    let id = CallId(tx.id(now));
    let call = Call {
        id,
        external_id,
        line,
        region: known.first().map_or(new.region, |(_, region)| *region),
        number: tx.vault().encrypt("call", id.0, &number),
        number_index,
        number_shown: if number.is_empty() { "未显示号码".to_owned() } else { mask::phone(&number) },
        rang_at: new.rang_at,
        received_at: now.0,
        answered_at: None,
        answered_by: None,
        // One person: that is who calls. Several: the operator asks.
        person: (known.len() == 1).then(|| known[0].0),
        note: String::new(),
        closed_at: None,
        outcome: None,
        person_name: String::new(),
        answered_name: String::new(),
    };
    if !actor.sees(call.region) {
        return Err(No::NotFound);
    }
    if !sql::insert_call(tx, &call)? {
        return Ok(sql::call_by_external(tx, &call.line, &call.external_id)?);
    }
    let detail = json!({ "line": call.line, "number": call.number_shown, "person": call.person, "rang_at": call.rang_at });
    tx.record(actor, now, Event::new("call.rang", id.0, call.region, detail))?;
    Ok(id)
}

/// A number as it is kept. One we cannot read is still a person who called: what can be seen of it is kept.
fn shown_number(sent: &str) -> String {
    if let Ok(phone) = Phone::parse(sent) {
        return phone.reveal().to_owned();
    }
    let narrow = text::narrow(&sent.chars().take(4 * NUMBER_MAX).collect::<String>());
    narrow.chars().filter(|c| !c.is_control() && !c.is_whitespace()).take(NUMBER_MAX).collect()
}

fn open_call(tx: &mut Tx<'_>, actor: &Actor, id: CallId) -> Result2<Call, CallRefusal> {
    actor.may(Act::TakeCalls)?;
    let call = sql::find_call(tx, id)?.filter(|c| actor.sees(c.region)).found()?;
    if call.closed_at.is_some() {
        return Err(No::Refused(CallRefusal::Closed));
    }
    Ok(call)
}

/// An open call that nobody else has in hand.
fn mine(tx: &mut Tx<'_>, actor: &Actor, id: CallId) -> Result2<Call, CallRefusal> {
    let call = open_call(tx, actor, id)?;
    match call.answered_by {
        Some(by) if by != actor.account => Err(No::Refused(CallRefusal::Others(call.answered_name))),
        _ => Ok(call),
    }
}

/// Takes a call over that another operator has in hand; who had it stays on record.
pub fn take_over(tx: &mut Tx<'_>, actor: &Actor, id: CallId, now: Now) -> Result2<Call, CallRefusal> {
    let mut call = open_call(tx, actor, id)?;
    let Some(from) = call.answered_by.filter(|by| *by != actor.account) else {
        return Err(No::Refused(CallRefusal::NothingToTakeOver));
    };
    if !sql::take_over_call(tx, id, from, actor.account)? {
        return Err(No::Refused(CallRefusal::Others("别的坐席".to_owned())));
    }
    call.answered_by = Some(actor.account);
    let detail = json!({ "from": from, "from_name": call.answered_name });
    tx.record(actor, now, Event::new("call.taken_over", id.0, call.region, detail))?;
    Ok(call)
}

/// Answers a ringing call; the faster of two operators gets it.
pub fn answer(tx: &mut Tx<'_>, actor: &Actor, id: CallId, now: Now) -> Result2<Call, CallRefusal> {
    let mut call = open_call(tx, actor, id)?;
    match call.answered_by {
        Some(by) if by == actor.account => return Ok(call),
        Some(_) => return Err(No::Refused(CallRefusal::Taken(call.answered_name))),
        None => {}
    }
    if !sql::answer_call(tx, id, now.0, actor.account)? {
        return Err(No::Refused(CallRefusal::Taken("别的坐席".to_owned())));
    }
    call.answered_at = Some(now.0);
    call.answered_by = Some(actor.account);
    let waited = now.0.seconds_since(call.rang_at);
    tx.record(
        actor,
        now,
        Event::new("call.answered", id.0, call.region, json!({ "waited_seconds": waited })),
    )?;
    Ok(call)
}

/// Says who is calling.
pub fn identify(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: CallId,
    person: PersonId,
    now: Now,
) -> Result2<(), CallRefusal> {
    let call = mine(tx, actor, id)?;
    sql::person(tx, person)?.filter(|p| actor.sees(p.region)).found()?;
    sql::set_call_person(tx, id, person)?;
    tx.record(actor, now, Event::new("call.identified", id.0, call.region, json!({ "person": person })))?;
    Ok(())
}

/// Keeps what the operator types while typing.
pub fn note(tx: &mut Tx<'_>, actor: &Actor, id: CallId, text: &str, now: Now) -> Result2<(), CallRefusal> {
    let call = mine(tx, actor, id)?;
    if call.note == text {
        return Ok(());
    }
    if text.chars().count() > NOTE_MAX {
        return Err(No::Refused(CallRefusal::NoteTooLong(NOTE_MAX)));
    }
    sql::set_call_note(tx, id, text)?;
    tx.record(
        actor,
        now,
        Event::new("call.noted", id.0, call.region, json!({ "length": text.chars().count() })),
    )?;
    Ok(())
}

/// Ends an answered call with an outcome. A call nobody answered may only be closed as hung up.
pub fn close(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: CallId,
    outcome: Outcome,
    now: Now,
) -> Result2<(), CallRefusal> {
    let call = mine(tx, actor, id)?;
    if call.answered_at.is_none() && outcome != Outcome::HungUp {
        return Err(No::Refused(CallRefusal::NotAnswered));
    }
    if !sql::close_call(tx, id, now.0, actor.account, outcome.code())? {
        return Err(No::Refused(CallRefusal::Closed));
    }
    tx.record(
        actor,
        now,
        Event::new("call.closed", id.0, call.region, json!({ "outcome": outcome.code() })),
    )?;
    Ok(())
}

/// Calls that are not over, longest ringing first.
pub fn open(tx: &mut Tx<'_>, actor: &Actor) -> Answer<Vec<Call>> {
    actor.may(Act::TakeCalls)?;
    Ok(sql::open_calls(tx, actor.scope())?)
}

/// One call.
pub fn call(tx: &mut Tx<'_>, actor: &Actor, id: CallId) -> Answer<Call> {
    actor.may(Act::TakeCalls).or_else(|_| actor.may(Act::ReportCalls))?;
    sql::find_call(tx, id)?.filter(|c| actor.sees(c.region)).found()
}

/// Calls of the past, latest first, of everybody or one person.
pub fn calls(
    tx: &mut Tx<'_>,
    actor: &Actor,
    before: Option<CallId>,
    person: Option<PersonId>,
    limit: i64,
) -> Answer<Vec<Call>> {
    actor.may(Act::TakeCalls).or_else(|_| actor.may(Act::ReportCalls))?;
    Ok(sql::calls(tx, actor.scope(), before, person, limit.clamp(1, 200))?)
}

/// The number a call came from, where one was sent that can be dialled. For finding who calls; it is never shown.
pub fn caller(tx: &mut Tx<'_>, actor: &Actor, call: &Call) -> Answer<Option<Phone>> {
    actor.may(Act::TakeCalls)?;
    let number = tx.vault().decrypt("call", call.id.0, &call.number)?;
    Ok(Phone::parse(&number).ok())
}

/// Which calls a list of the past shows; everything that is none or empty shows all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those that rang on this day.
    pub day: Option<Day>,
    /// Those that ended so.
    pub outcome: Option<Outcome>,
    /// Those of this person.
    pub person: Option<PersonId>,
}

/// Calls of the past that a filter finds, latest first, from the one before `before`.
pub fn history(
    tx: &mut Tx<'_>,
    actor: &Actor,
    filter: Filter,
    before: Option<CallId>,
    limit: i64,
) -> Answer<Vec<Call>> {
    actor.may(Act::TakeCalls)?;
    Ok(sql::call_history(tx, actor.scope(), filter, before, limit.clamp(1, 200))?)
}

/// People known by the number of a call, as far as the actor may see them.
pub fn known_by(tx: &mut Tx<'_>, actor: &Actor, call: &Call) -> Answer<Vec<PersonId>> {
    actor.may(Act::TakeCalls)?;
    let known = sql::known_by(tx, call.number_index)?;
    Ok(known.into_iter().filter(|(_, region)| actor.sees(*region)).map(|(id, _)| id).collect())
}

/// How fast calls were answered since an instant: (answered within 15 s, answered, rang).
pub fn answer_times(tx: &mut Tx<'_>, actor: &Actor, since: At) -> Answer<(i64, i64, i64)> {
    actor.may(Act::TakeCalls)?;
    let times = sql::answer_times(tx, since, actor.scope())?;
    let answered: Vec<i64> =
        times.iter().filter_map(|(rang, at)| at.map(|at| at.seconds_since(*rang))).collect();
    let fast = answered.iter().filter(|s| **s <= 15).count();
    Ok((fast as i64, answered.len() as i64, times.len() as i64))
}
