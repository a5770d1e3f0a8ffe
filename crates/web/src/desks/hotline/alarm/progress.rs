//! What was done about an incident and what comes next: who was sent, whose answer is awaited, the history.

use app::{
    outcome::{Answer, No},
    parties::people::{self, Contact},
    signals::incidents::{
        self, Errand, Sheet,
        reaches::{self, Gateway, Reached},
    },
    store::Tx,
};
use askama::Template;
use domain::{
    access::Actor,
    ids::{ErrandId, IncidentId},
    signals::{
        errand::{ErrandState, Finding},
        ladder::{Reach, ReachResult},
        reach::{ReachChannel, ReachState, shown},
    },
    time::{At, Now},
};

use super::part::Stage;
use crate::{Page, desks::alarms::look, filters, text::translate};

/// Calls and texts shown: a ladder with its two contacts twice over.
const CALLED_MOST: usize = 16;

/// One line of the history.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) at: String,
    pub(crate) what: String,
    pub(crate) text: String,
    /// Whether the text is a sentence of ours; what somebody typed stays as it was typed.
    pub(crate) made: bool,
    pub(crate) who: String,
    pub(crate) look: &'static str,
}

/// Somebody who was sent to the door.
#[derive(Debug)]
struct Sent {
    id: ErrandId,
    who: String,
    why: String,
    state: ErrandState,
    /// Where it stands; of whom nobody could tell on the platform, that somebody has to.
    word: &'static str,
    look: &'static str,
    /// How far they are, with times.
    when: String,
    door_by: String,
    late: bool,
    finding: String,
    /// What the owner does next about what was found.
    next: &'static str,
}

impl Sent {
    fn of(e: &Errand, lang: &str, now: Now) -> Sent {
        let times = [
            Some(("派出", e.sent_at)),
            e.answered_at.map(|at| ("答复", at)),
            e.arrived_at.map(|at| ("到达", at)),
        ];
        let when = times.into_iter().flatten();
        let when: Vec<String> =
            when.map(|(what, at)| format!("{} {}", translate(what, lang), exact(at, now))).collect();
        let finding = e.finding.map(|f| translate(f.label(), lang).into_owned()).unwrap_or_default();
        Sent {
            id: e.id,
            who: format!("{} {}", e.name, e.station),
            why: match e.phone.as_str() {
                "" => e.why.clone(),
                phone => format!("{} · {phone}", e.why),
            },
            state: e.state,
            word: match e.state {
                ErrandState::Asked if e.account.is_none() => "还没通知：要打电话",
                state => state.label(),
            },
            look: crate::desks::errands::chip(e.state),
            when: when.join(" · "),
            door_by: e.door_by.rfc3339(),
            late: e.state.open() && e.arrived_at.is_none() && now.0 > e.door_by,
            finding: if e.note.is_empty() { finding } else { format!("{finding}：{}", e.note) },
            next: e.finding.map_or("", Finding::next),
        }
    }

    fn waits(&self) -> bool {
        matches!(self.state, ErrandState::Asked | ErrandState::Coming)
    }
}

/// Somebody who was called or written to.
#[derive(Debug)]
struct Called {
    who: String,
    channel: ReachChannel,
    /// Where it stands, and when that began.
    state: &'static str,
    look: &'static str,
    at: String,
    /// Why it could not be done, or what was said.
    error: String,
    /// The number for whoever must dial: as shown, and where it opens.
    number: Option<(String, String)>,
}

impl Called {
    fn of(r: &Reached, contacts: &[Contact], own: &str, now: Now) -> Called {
        let role = if r.relation.is_empty() { r.to.label() } else { &r.relation };
        let dial = matches!(r.state, ReachState::ByHand | ReachState::Unanswered | ReachState::Failed)
            || (r.state == ReachState::Waiting && r.attempts > 0);
        Called {
            who: format!("{} {role}", r.name).trim().to_owned(),
            channel: r.channel,
            state: shown(r.channel, r.state, r.result),
            look: match (r.state, r.result) {
                (ReachState::Answered, Some(ReachResult::Refused)) => "attention",
                (ReachState::Answered, _) => "done",
                (ReachState::Sent, _) => "info",
                (ReachState::Waiting, _) if r.attempts == 0 => "info",
                (ReachState::Withdrawn, _) => "quiet",
                _ => "attention",
            },
            at: exact(r.since(), now),
            error: r.error.clone(),
            number: if dial && r.channel != ReachChannel::App { number(r, contacts, own) } else { None },
        }
    }
}

/// The number of somebody, masked, and where it opens; a station's is public.
fn number(r: &Reached, contacts: &[Contact], own: &str) -> Option<(String, String)> {
    let person = r.person?;
    match (r.contact, &r.phone, r.to) {
        (_, Some(phone), _) => Some((phone.clone(), String::new())),
        (Some(id), _, _) => {
            let masked = contacts.iter().find(|c| c.id == id)?.phone_masked.clone();
            Some((masked, format!("/people/{person}/reveal/contact_phone?contact={id}")))
        }
        (None, None, Reach::Elder) => Some((own.to_owned(), format!("/people/{person}/reveal/phone"))),
        _ => None,
    }
}

/// Who was sent, called and written to: above everything one types, and fetched anew by itself.
#[derive(Debug, Template)]
#[template(path = "hotline/alarm_sent.html")]
pub(crate) struct SentPart {
    page: Page,
    id: IncidentId,
    mine: bool,
    sent: Vec<Sent>,
    called: Vec<Called>,
    /// The gateway cannot be reached: since when, and why.
    failing: Option<(String, String)>,
}

impl SentPart {
    pub(crate) fn load(
        tx: &mut Tx<'_>,
        sheet: &Sheet,
        actor: &Actor,
        page: Page,
        now: Now,
    ) -> Answer<SentPart> {
        let id = sheet.line.incident.id;
        let errands = incidents::errands(tx, actor, id)?;
        // The latest first: that is who is under way.
        let sent = errands.iter().rev().map(|e| Sent::of(e, page.lang, now)).collect();
        Ok(SentPart {
            called: called(tx, actor, sheet, now)?,
            failing: reaches::gateway(tx, now)?.and_then(|g| failing(&g, now)),
            mine: Stage::of(&sheet.line, actor).mine(),
            id,
            sent,
            page,
        })
    }

    /// Whether nobody is under way yet.
    pub(crate) fn nobody(&self) -> bool {
        !self.sent.iter().any(|s| s.state.open())
    }
}

/// Who was called or written to, the latest first. What was called off and never tried says nothing.
fn called(tx: &mut Tx<'_>, actor: &Actor, sheet: &Sheet, now: Now) -> Answer<Vec<Called>> {
    let all = reaches::of_incident(tx, actor, sheet.line.incident.id)?;
    let seen = |r: &&Reached| r.state != ReachState::Withdrawn || r.attempts > 0;
    let all: Vec<&Reached> = all.iter().rev().filter(seen).take(CALLED_MOST).collect();
    let (contacts, own) = match sheet.line.incident.person.filter(|_| !all.is_empty()) {
        None => (Vec::new(), String::new()),
        // Moved out of what this post may see since it rang.
        Some(person) => match people::card(tx, actor, person, now) {
            Ok(card) => (people::contacts(tx, actor, person)?, card.phone_masked),
            Err(No::NotFound) => (Vec::new(), String::new()),
            Err(no) => return Err(no),
        },
    };
    Ok(all.into_iter().map(|r| Called::of(r, &contacts, &own, now)).collect())
}

fn failing(gateway: &Gateway, now: Now) -> Option<(String, String)> {
    Some((exact(gateway.failing_since?, now), gateway.error.clone()))
}

/// Somebody who was reached for and whose answer is not noted yet.
#[derive(Debug)]
struct Awaited {
    round: i64,
    step: i64,
    label: String,
    at: String,
}

/// What was done and what will be done: fetched anew while the operator types elsewhere.
#[derive(Debug, Template)]
#[template(path = "hotline/alarm_progress.html")]
pub(crate) struct Progress {
    page: Page,
    id: IncidentId,
    stage: Stage,
    mine: bool,
    /// Whether the operator's page still believes to own it.
    lost: bool,
    awaited: Vec<Awaited>,
    next: Vec<(String, String)>,
    told: Vec<Told>,
    /// What others are typing.
    typing: Vec<(String, String)>,
}

impl Progress {
    /// `working`: the page that asks shows the work area, so it must learn when the incident is no longer its own.
    pub(crate) fn of(sheet: &Sheet, actor: &Actor, page: Page, working: bool, now: Now) -> Progress {
        let stage = Stage::of(&sheet.line, actor);
        let round = sheet.line.incident.round;
        let awaited = sheet
            .steps
            .iter()
            .filter(|s| s.done_at.is_some() && s.result.is_none() && !look::of_desk(s.reach));
        let next =
            sheet.steps.iter().filter(|s| s.round == round && s.done_at.is_none() && s.stopped_at.is_none());
        Progress {
            id: sheet.line.incident.id,
            mine: stage.mine(),
            lost: working && !stage.mine(),
            awaited: awaited
                .map(|s| Awaited {
                    round: s.round,
                    step: s.step,
                    label: s.label.clone(),
                    at: s.done_at.unwrap_or(s.due_at).as_seen(now),
                })
                .collect(),
            next: next.take(3).map(|s| (s.due_at.rfc3339(), s.label.clone())).collect(),
            told: sheet.facts.iter().rev().map(|f| look::told(f, now)).collect(),
            typing: sheet
                .drafts
                .iter()
                .filter(|d| d.by != actor.account)
                .map(|d| (d.by_name.clone(), d.text.clone()))
                .collect(),
            stage,
            page,
        }
    }

    fn results(&self) -> &'static [ReachResult] {
        ReachResult::BY_HAND
    }
}

/// To the second: on this desk seconds matter.
pub(super) fn exact(at: At, now: Now) -> String {
    let clock = at.local().strftime("%H:%M:%S").to_string();
    if at.day() == now.day() { clock } else { format!("{} {clock}", at.day()) }
}
