//! The beginning of an incident: once for one real-world event.

use domain::{
    access::{Act, Actor},
    ids::{CallId, IncidentId, PersonId},
    regions::RegionCode,
    signals::{
        incident::{
            Incident, IncidentFactKind, IncidentKind, IncidentRefusal, IncidentState, Level, TEXT_MAX, said,
        },
        ladder::Terms,
    },
    time::Now,
};
use serde_json::json;

use super::{Opened, Opening, ladder, platform, save, save::Fact, sql};
use crate::{
    outcome::{Decided, No, Outcome},
    store::{Fault, Tx},
};

/// Opens the incident of an event, or finds the one it belongs to: the same key, or the same button within a minute.
///
/// # Errors
/// Faults only: an alarm is never refused.
pub fn open(tx: &mut Tx<'_>, opening: &Opening, now: Now) -> Result<Opened, Fault> {
    place(tx, &platform(), opening, None, lane(opening), now)
}

/// The same among others of its sort: while one of them is open, the next ones are further presses of it.
pub fn open_among(tx: &mut Tx<'_>, opening: &Opening, lane: &str, now: Now) -> Result<Opened, Fault> {
    place(tx, &platform(), opening, None, Some(lane.to_owned()), now)
}

/// What an operator opens by hand, usually from a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByHand {
    /// What happened.
    pub kind: IncidentKind,
    /// How urgent; the kind's own level when not said.
    pub level: Option<Level>,
    /// About whom.
    pub person: Option<PersonId>,
    /// Where; the person's region when not said.
    pub region: Option<RegionCode>,
    /// The call it came from: one call opens one incident.
    pub call: Option<CallId>,
    /// What the operator heard.
    pub text: String,
}

/// An operator opens an incident.
///
/// # Errors
/// When words are missing or the person cannot be seen.
pub fn open_by_hand(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ask: &ByHand,
    now: Now,
) -> Outcome<Opened, IncidentRefusal> {
    actor.may(Act::AnswerAlarms)?;
    let text = said(&ask.text, "警情内容", TEXT_MAX).decided()?;
    let home = match ask.person {
        Some(person) => {
            let home = sql::person_region(tx, person)?.filter(|region| actor.sees(*region));
            Some(home.ok_or(No::Refused(IncidentRefusal::UnknownPerson))?)
        }
        None => None,
    };
    if let Some(call) = ask.call
        && !sql::call_region(tx, call)?.is_some_and(|region| actor.sees(region))
    {
        return Err(No::NotFound);
    }
    let here = ask.region.or(home).or_else(|| RegionCode::new(actor.range.lo).ok());
    let region = here.ok_or(No::Refused(IncidentRefusal::Missing { what: "所在区划" }))?;
    if !actor.sees(region) {
        return Err(No::NotFound);
    }
    let key = match ask.call {
        Some(call) => format!("call:{call}"),
        None => format!("hand:{}", tx.id(now)),
    };
    let opening = Opening {
        kind: ask.kind,
        level: ask.level.unwrap_or(ask.kind.level()),
        person: ask.person,
        device: None,
        region,
        pressed_at: None,
        received_at: now.0,
        verified: true,
        text,
        key,
    };
    Ok(place(tx, actor, &opening, ask.call, lane(&opening), now)?)
}

/// The thing a repeated press belongs to.
fn lane(opening: &Opening) -> Option<String> {
    opening.device.map(|device| format!("device:{device}:{}", opening.kind.code()))
}

fn place(
    tx: &mut Tx<'_>,
    actor: &Actor,
    opening: &Opening,
    call: Option<CallId>,
    lane: Option<String>,
    now: Now,
) -> Result<Opened, Fault> {
    if let Some(id) = sql::of_key(tx, &opening.key)? {
        return Ok(Opened { id, fresh: false });
    }
    let terms = ladder::terms(tx)?;
    if let Some(lane) = &lane
        && let Some(mut there) = sql::in_lane(tx, lane)?
        && repeats(&there, opening, &terms)
    {
        sql::insert_key(tx, &opening.key, there.id, now.0)?;
        press_again(tx, actor, &mut there, opening, &terms, now)?;
        return Ok(Opened { id: there.id, fresh: false });
    }
    let mut incident = incident(IncidentId(tx.id(now)), opening, call, now);
    sql::insert_key(tx, &opening.key, incident.id, now.0)?;
    if let Some(lane) = &lane {
        sql::set_lane(tx, lane, incident.id)?;
    }
    let detail = json!({
        "person": opening.person, "device": opening.device, "call": call, "verified": opening.verified,
        "pressed_at": opening.pressed_at, "received_at": opening.received_at,
    });
    let opened = Fact::new(IncidentFactKind::Opened, opening.text.clone()).with(detail);
    save::begin(tx, actor, &mut incident, &[opened], now)?;
    ladder::begin(tx, &incident, &terms)?;
    Ok(Opened { id: incident.id, fresh: true })
}

/// Whether an event is another press of the button an open incident came from.
fn repeats(there: &Incident, opening: &Opening, terms: &Terms) -> bool {
    let apart = opening.received_at.seconds_since(there.last_press_at).abs();
    // Strangers share a card only while it rings: what comes after somebody took it rings by itself.
    let stranger = opening.device.is_none() && !opening.verified;
    let open =
        if stranger { there.state == IncidentState::Ringing } else { there.state != IncidentState::Closed };
    open && apart <= terms.repeat_seconds
}

fn press_again(
    tx: &mut Tx<'_>,
    actor: &Actor,
    there: &mut Incident,
    opening: &Opening,
    terms: &Terms,
    now: Now,
) -> Result<(), Fault> {
    there.presses += 1;
    there.last_press_at = there.last_press_at.max(opening.received_at);
    there.verified |= opening.verified;
    let detail = json!({
        "presses": there.presses, "pressed_at": opening.pressed_at, "received_at": opening.received_at,
        "verified": opening.verified,
    });
    let fact = Fact::new(IncidentFactKind::PressedAgain, opening.text.clone()).with(detail);
    save::step(tx, actor, there, &[fact], terms, now)
}

fn incident(id: IncidentId, opening: &Opening, call: Option<CallId>, now: Now) -> Incident {
    Incident {
        id,
        region: opening.region,
        kind: opening.kind,
        level: opening.level,
        level_top: opening.level,
        person: opening.person,
        device: opening.device,
        call,
        area: None,
        verified: opening.verified,
        text: opening.text.clone(),
        pressed_at: opening.pressed_at,
        received_at: opening.received_at,
        opened_at: now.0,
        presses: 1,
        last_press_at: opening.received_at,
        state: IncidentState::Ringing,
        rang_at: now.0,
        round: 1,
        owner: None,
        owned_at: None,
        active_at: None,
        hold_until: None,
        answered_at: None,
        answered_by: None,
        closed_at: None,
        closed_by: None,
        outcome: None,
        with_elder: None,
        reviewed_at: None,
        reviewed_by: None,
        facts: 0,
        chain: [0; 16],
    }
}
