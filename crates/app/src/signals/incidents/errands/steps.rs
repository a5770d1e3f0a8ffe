//! What whoever was sent says: going, there, found. At the desk somebody may note it for them.

use domain::{
    access::Actor,
    ids::ErrandId,
    signals::{
        errand::{self, ErrandRefusal, ErrandState, Finding},
        incident::{Incident, IncidentFactKind as Kind, IncidentKind, IncidentState, Level},
        sighting::SightingKind,
    },
    time::{At, Now},
};

use super::{Errand, ask_next, by_hand, ladder, reaches, seen, sql, tell, wrong};
use crate::{
    outcome::{Decided, No, Outcome},
    parties::people,
    signals::{
        incidents::{Opening, open},
        sightings::{self, Sighting},
        silences,
    },
    store::{Fault, FaultKind, Tx},
};

type Done = Outcome<Errand, ErrandRefusal>;

/// Saves a step; somebody who was faster makes it a conflict, and the next attempt sees theirs. Whom nobody rang up for it
/// yet need not be.
fn save(tx: &mut Tx<'_>, errand: &Errand, i: &Incident, was: ErrandState, now: Now) -> Result<(), Fault> {
    if sql::update_errand(tx, errand, was)? {
        return reaches::errand_over(tx, i, (errand.id, errand.state), now);
    }
    Err(Fault {
        kind: FaultKind::Conflict,
        message: format!("errand {} moved on", errand.id),
        context: Vec::new(),
    })
}

/// Says whether they go. Saying the same twice is once.
///
/// # Errors
/// When it is none of the actor's business, or over.
pub fn answer(tx: &mut Tx<'_>, actor: &Actor, id: ErrandId, coming: bool, now: Now) -> Done {
    let (errand, i) = seen(tx, actor, id)?;
    let how = by_hand(&errand, actor);
    decide(tx, actor, (errand, i), (coming, how), now)
}

/// Whoever was sent said so by a key of the telephone. What is over by then stays as it is.
pub(in super::super) fn answered_by_phone(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: ErrandId,
    coming: bool,
    now: Now,
) -> Result<(), Fault> {
    let Some(errand) = sql::find_errand(tx, id)? else { return Ok(()) };
    let Some(i) = sql::find(tx, errand.incident)? else { return Ok(()) };
    match decide(tx, actor, (errand, i), (coming, "（电话答复）"), now) {
        Err(No::Fault(fault)) => Err(fault),
        _ => Ok(()),
    }
}

fn decide(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (mut errand, mut i): (Errand, Incident),
    (coming, how): (bool, &str),
    now: Now,
) -> Done {
    let was = errand.state;
    let wanted = if coming { ErrandState::Coming } else { ErrandState::Declined };
    if was == wanted {
        return Ok(errand);
    }
    match (was, coming) {
        (ErrandState::Asked, _) | (ErrandState::Coming, false) => {}
        _ => return Err(wrong(&errand)),
    }
    errand.state = wanted;
    errand.answered_at = errand.answered_at.or(Some(now.0));
    errand.ended_at = (!coming).then_some(now.0);
    save(tx, &errand, &i, was, now)?;
    if coming && errand.of(actor) {
        let reason = format!("派我上门处置警情 {}", errand.incident);
        people::open_door_code(tx, actor, errand.person, &reason, now)?;
    }
    let terms = ladder::terms(tx)?;
    let said = if coming { "答应去，在路上" } else { "去不了" };
    let text = format!("{}{said}{how}", errand.name);
    tell(tx, actor, &mut i, (Kind::Errand, text), &errand, &terms, now)?;
    if !coming {
        ask_next(tx, &mut i, &terms, now)?;
    }
    Ok(errand)
}

/// Is at the door, since `said_at` by the telephone's own clock: a stairwell may have no network, and the step comes later.
///
/// # Errors
/// When it is none of the actor's business, or over.
pub fn arrive(tx: &mut Tx<'_>, actor: &Actor, id: ErrandId, said_at: At, now: Now) -> Done {
    let (mut errand, mut i) = seen(tx, actor, id)?;
    let was = errand.state;
    match was {
        ErrandState::There => return Ok(errand),
        ErrandState::Asked | ErrandState::Coming => {}
        _ => return Err(wrong(&errand)),
    }
    // A telephone's clock may be wrong; nobody arrives before they were sent, or later than now.
    let at = said_at.max(errand.answered_at.unwrap_or(errand.sent_at)).min(now.0);
    errand.state = ErrandState::There;
    errand.answered_at = errand.answered_at.or(Some(at));
    errand.arrived_at = Some(at);
    save(tx, &errand, &i, was, now)?;
    let late = if at > errand.door_by { "，超过时限" } else { "" };
    let then = if now.0.minutes_since(at) > 0 {
        format!("（{}，后来才有网络）", at.clock())
    } else {
        String::new()
    };
    let text = format!("{}已到门口{late}{then}{}", errand.name, by_hand(&errand, actor));
    let terms = ladder::terms(tx)?;
    tell(tx, actor, &mut i, (Kind::Errand, text), &errand, &terms, now)?;
    Ok(errand)
}

/// Says what was found: that ends the errand. Who was met sets the last-contact clock.
///
/// # Errors
/// When it is none of the actor's business, over, or words are missing.
pub fn report(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: ErrandId,
    (finding, note): (Finding, &str),
    now: Now,
) -> Done {
    let (mut errand, mut i) = seen(tx, actor, id)?;
    let note = errand::said(finding, note).decided()?;
    let was = errand.state;
    if was == ErrandState::Found && errand.finding == Some(finding) {
        return Ok(errand);
    }
    // What is seen at the door counts, even when somebody called them back meanwhile or they forgot to say they go.
    if matches!(was, ErrandState::Found | ErrandState::Declined) {
        return Err(wrong(&errand));
    }
    errand.state = ErrandState::Found;
    errand.answered_at = errand.answered_at.or(Some(now.0));
    errand.arrived_at = errand.arrived_at.or(Some(now.0));
    errand.ended_at = Some(now.0);
    errand.finding = Some(finding);
    errand.note = note;
    save(tx, &errand, &i, was, now)?;
    let words = if errand.note.is_empty() { String::new() } else { format!("。{}", errand.note) };
    let text = format!("{}：{}{words}{}", errand.name, finding.label(), by_hand(&errand, actor));
    let terms = ladder::terms(tx)?;
    tell(tx, actor, &mut i, (Kind::Errand, text.clone()), &errand, &terms, now)?;
    if finding.met() {
        let seen = Sighting {
            person: errand.person,
            at: now.0,
            kind: SightingKind::Knock,
            source: format!("派人上门 {}", errand.name),
        };
        sightings::see(tx, &[seen], now)?;
        silences::look_now(tx, errand.person, now)?;
    }
    if finding == Finding::NeedsHelp && i.state == IncidentState::Closed {
        let opening = Opening {
            kind: IncidentKind::Finding,
            level: Level::P1,
            person: Some(errand.person),
            device: None,
            region: errand.region,
            pressed_at: Some(now.0),
            received_at: now.0,
            verified: true,
            text: format!("结案后上门发现：{text}"),
            key: format!("errand:{}", errand.id),
        };
        open(tx, &opening, now)?;
    }
    Ok(errand)
}

/// The desk does not need them any more.
///
/// # Errors
/// When it is over, or they are at the door.
pub fn recall(tx: &mut Tx<'_>, actor: &Actor, id: ErrandId, now: Now) -> Done {
    actor.may(domain::access::Act::AnswerAlarms)?;
    let (mut errand, mut i) = seen(tx, actor, id)?;
    let was = errand.state;
    if !matches!(was, ErrandState::Asked | ErrandState::Coming) {
        return Err(wrong(&errand));
    }
    errand.state = ErrandState::Recalled;
    errand.ended_at = Some(now.0);
    save(tx, &errand, &i, was, now)?;
    let text = format!("不用{}去了", errand.name);
    let terms = ladder::terms(tx)?;
    tell(tx, actor, &mut i, (Kind::Errand, text), &errand, &terms, now)?;
    Ok(errand)
}
