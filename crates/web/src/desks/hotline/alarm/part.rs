//! An incident as the desk shows it: the card, what can be done, what was done, and what surrounds the elder.

use app::{
    outcome::{Answer, No},
    parties::people,
    regions,
    signals::{
        devices,
        incidents::{self, Errand, Helper, Line, Sheet},
        sightings,
    },
    store::Tx,
};
use askama::Template;
use domain::{
    access::{Act, Actor},
    ids::{ErrandId, IncidentId, PersonId},
    parties::FactValue,
    signals::{
        errand::{ErrandState, Finding, distance},
        incident::{IncidentOutcome, IncidentState, Level},
        ladder::ReachResult,
    },
    time::{At, Now},
};

use super::line;
use crate::{
    Page,
    desks::{
        alarms::look,
        hotline::{
            queue::waited,
            talk::{Context, Who},
        },
    },
    filters,
    text::translate,
};

/// Traces of life shown beside an incident.
const SEEN_MOST: i64 = 8;
/// Below this a battery is worth a word.
const BATTERY_LOW: i64 = 20;

/// How far an incident is, as one operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nobody has it.
    Ringing,
    /// This operator has it.
    Mine,
    /// This operator put it aside until then.
    Held(String),
    /// Somebody else has it.
    Taken(String),
    /// Part of an area incident.
    Attached,
    /// Over; whether a second person must still look, and whether this one may.
    Over { to_review: bool, may_review: bool },
}

impl Stage {
    pub(crate) fn of(line: &Line, actor: &Actor) -> Stage {
        let i = &line.incident;
        let mine = i.owner == Some(actor.account);
        match i.state {
            IncidentState::Ringing => Stage::Ringing,
            IncidentState::Held if mine => Stage::Held(i.hold_until.unwrap_or(i.received_at).rfc3339()),
            IncidentState::Acknowledged if mine => Stage::Mine,
            IncidentState::Acknowledged | IncidentState::Held => Stage::Taken(line.owner_name.clone()),
            IncidentState::Attached => Stage::Attached,
            IncidentState::Closed => Stage::Over {
                to_review: i.awaits_review(),
                may_review: i.awaits_review()
                    && i.closed_by != Some(actor.account)
                    && actor.may(Act::ReviewAlarms).is_ok(),
            },
        }
    }

    /// Whether this operator works at it.
    pub(crate) fn mine(&self) -> bool {
        matches!(self, Stage::Mine | Stage::Held(_))
    }
}

/// What the page of an incident was asked for, or why the step before was refused.
#[derive(Debug, Default, Clone)]
pub(crate) struct Asked {
    /// Whether its ending is being written.
    pub(crate) closing: bool,
    /// A refusal, to be shown with what was typed.
    pub(crate) refused: String,
    /// What was typed and not taken.
    pub(crate) text: Option<String>,
    pub(crate) line: String,
    pub(crate) outcome: String,
    pub(crate) with_elder: String,
}

/// The device that rang.
#[derive(Debug)]
struct DeviceLine {
    href: String,
    name: String,
    battery: Option<i64>,
    low: bool,
    seen: String,
}

/// One line of the history.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) at: String,
    pub(crate) what: String,
    pub(crate) text: String,
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
    sent: Vec<Sent>,
    awaited: Vec<Awaited>,
    next: Vec<(String, String)>,
    told: Vec<Told>,
    /// What others are typing.
    typing: Vec<(String, String)>,
}

impl Progress {
    /// `working`: the page that asks shows the work area, so it must learn when the incident is no longer its own.
    pub(crate) fn load(
        tx: &mut Tx<'_>,
        sheet: &Sheet,
        actor: &Actor,
        page: Page,
        working: bool,
        now: Now,
    ) -> Answer<Progress> {
        let errands = incidents::errands(tx, actor, sheet.line.incident.id)?;
        // The latest first: that is who is under way.
        let sent = errands.iter().rev().map(|e| Sent::of(e, page.lang, now)).collect();
        Ok(Progress { sent, ..Progress::of(sheet, actor, page, working, now) })
    }

    fn of(sheet: &Sheet, actor: &Actor, page: Page, working: bool, now: Now) -> Progress {
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
            sent: Vec::new(),
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

    /// Whether nobody is under way yet.
    pub(crate) fn nobody_sent(&self) -> bool {
        !self.sent.iter().any(|s| s.state.open())
    }

    fn results(&self) -> &'static [ReachResult] {
        ReachResult::ALL
    }
}

/// The middle of the desk for an incident.
#[derive(Debug, Template)]
#[template(path = "hotline/alarm.html")]
pub(crate) struct AlarmPart {
    page: Page,
    pub(crate) id: IncidentId,
    pub(crate) red: bool,
    pub(crate) stage: Stage,
    /// Whether this one may take it from whoever has it.
    may_take_over: bool,
    /// Level and kind, as the mark at the top says them.
    mark: String,
    icon: &'static str,
    level_look: &'static str,
    pub(crate) who: Option<Who>,
    place: String,
    /// What the record says to whoever must get in: a door's code, a key at the neighbour's.
    remarks: Vec<String>,
    /// The code of the door; who has no claim to it reads only that there is one.
    door: Door,
    /// Stations near the home, with how far.
    stations: Vec<(String, String)>,
    text: String,
    verified: bool,
    presses: i64,
    pressed: String,
    received: String,
    /// The device's clock and ours are so far apart that it must be said.
    late: String,
    since: String,
    clock: String,
    device: Option<DeviceLine>,
    devices: i64,
    outcome: Option<IncidentOutcome>,
    with_elder: String,
    asked: Asked,
    draft: String,
    commands: String,
    helpers: Vec<String>,
    /// Who could be sent, the soonest at the door first.
    nearest: Vec<Helper>,
    pub(crate) progress: Progress,
}

impl AlarmPart {
    pub(crate) fn load(
        tx: &mut Tx<'_>,
        actor: &Actor,
        page: Page,
        sheet: &Sheet,
        asked: &Asked,
        now: Now,
    ) -> Answer<AlarmPart> {
        let line = &sheet.line;
        let i = &line.incident;
        let stage = Stage::of(line, actor);
        let who = match i.person {
            Some(person) => match people::card(tx, actor, person, now) {
                Ok(card) => Some(Who::of(card, String::new())),
                // Moved out of what this post may see since it rang.
                Err(No::NotFound) => None,
                Err(no) => return Err(no),
            },
            None => None,
        };
        let (remarks, door_known) = match &who {
            Some(who) => remarks(tx, actor, who.id, now)?,
            None => (Vec::new(), false),
        };
        let door = match (incidents::door_code(tx, actor, i.id)?, door_known) {
            (Some(code), true) => Door::Open(code),
            (_, true) => Door::Kept,
            (_, false) => Door::Unknown,
        };
        let stations = match &who {
            Some(who) => near(tx, actor, who.id, now)?,
            None => Vec::new(),
        };
        let helpers = match (&who, asked.closing) {
            (Some(who), true) => helpers(tx, actor, who.id)?,
            _ => Vec::new(),
        };
        let mine = sheet.drafts.iter().find(|d| d.by == actor.account);
        let draft = asked.text.clone().or(mine.map(|d| d.text.clone())).unwrap_or_default();
        let since = since(line);
        Ok(AlarmPart {
            id: i.id,
            red: i.level == Level::P1 && i.state != IncidentState::Closed,
            may_take_over: matches!(stage, Stage::Taken(_)) && actor.may(Act::ReviewAlarms).is_ok(),
            mark: format!("{} {}", i.level.code(), translate(i.kind.label(), page.lang)),
            icon: look::icon(i.kind),
            level_look: if i.state == IncidentState::Closed { "quiet" } else { look::chip(i.level) },
            place: regions::book(tx)?.path_of(i.region),
            remarks,
            door,
            stations,
            text: i.text.clone(),
            verified: i.verified,
            presses: i.presses,
            pressed: i.pressed_at.map(|at| exact(at, now)).unwrap_or_default(),
            received: exact(i.received_at, now),
            late: look::apart(i.pressed_at, i.received_at),
            since: since.rfc3339(),
            clock: waited(since, now),
            device: device(tx, actor, line, now)?,
            devices: line.devices,
            outcome: i.outcome,
            with_elder: i.with_elder.clone().unwrap_or_default(),
            commands: line::suggestions(page.lang),
            progress: Progress::load(tx, sheet, actor, page.clone(), stage.mine(), now)?,
            nearest: match stage.mine() && !asked.closing {
                true => incidents::helpers(tx, actor, i.id, now)?,
                false => Vec::new(),
            },
            asked: asked.clone(),
            draft,
            helpers,
            who,
            stage,
            page,
        })
    }

    fn phone_href(&self, who: &Who) -> String {
        format!("/people/{}/reveal/phone", who.id)
    }

    fn outcomes(&self) -> impl Iterator<Item = (usize, IncidentOutcome, bool)> {
        let leads = self.page.may(Act::ReviewAlarms);
        IncidentOutcome::ALL
            .iter()
            .filter(move |o| leads || **o != IncidentOutcome::CannotReach)
            .enumerate()
            .map(|(n, o)| (n + 1, *o, o.code() == self.asked.outcome))
    }
}

/// Since when the clock counts: since it rings, or since it has an owner.
pub(crate) fn since(line: &Line) -> At {
    let i = &line.incident;
    match i.state {
        IncidentState::Closed => i.closed_at.unwrap_or(i.received_at),
        IncidentState::Acknowledged | IncidentState::Held => i.owned_at.unwrap_or(i.rang_at),
        IncidentState::Ringing | IncidentState::Attached => i.rang_at,
    }
}

/// To the second: on this desk seconds matter.
fn exact(at: At, now: Now) -> String {
    let clock = at.local().strftime("%H:%M:%S").to_string();
    if at.day() == now.day() { clock } else { format!("{} {clock}", at.day()) }
}

fn device(tx: &mut Tx<'_>, actor: &Actor, line: &Line, now: Now) -> Answer<Option<DeviceLine>> {
    let (Some(id), Ok(())) = (line.incident.device, actor.may(Act::SeeDevices)) else { return Ok(None) };
    Ok(match devices::device(tx, actor, id) {
        Ok(d) => Some(DeviceLine {
            href: format!("/devices/{id}"),
            name: format!("{} {} {}", d.kind.label(), d.serial, d.place).trim().to_owned(),
            low: d.battery.is_some_and(|b| b < BATTERY_LOW),
            battery: d.battery,
            seen: d.last_seen_at.map(|at| at.as_seen(now)).unwrap_or_default(),
        }),
        Err(No::NotFound) => None,
        Err(no) => return Err(no),
    })
}

/// What is shown of the door's code.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Door {
    /// None is on record.
    Unknown,
    /// There is one, for whoever takes the incident.
    Kept,
    /// This.
    Open(String),
}

/// Stations near somebody's home: name with telephone, and how far.
fn near(tx: &mut Tx<'_>, actor: &Actor, person: PersonId, now: Now) -> Answer<Vec<(String, String)>> {
    let all = incidents::stations(tx, actor, person, now)?;
    Ok(all.into_iter().map(|s| (format!("{} {}", s.name, s.phone), distance(s.metres))).collect())
}

/// The remarks that hold on an elder's record, and whether it has a door's code.
fn remarks(tx: &mut Tx<'_>, actor: &Actor, person: PersonId, now: Now) -> Answer<(Vec<String>, bool)> {
    let record = people::person(tx, actor, person, now)?;
    let facts = record.facts;
    let holds = |fact: &people::Fact| fact.known_to.is_none() && fact.span.holds(now.day());
    let words = facts
        .iter()
        .filter(|fact| holds(fact))
        .filter_map(
            |fact| if let FactValue::Remark(words) = &fact.value { Some(words.to_string()) } else { None },
        )
        .collect();
    Ok((words, record.door_code_known))
}

/// Who may be with the elder, to choose from while writing the ending.
fn helpers(tx: &mut Tx<'_>, actor: &Actor, person: PersonId) -> Answer<Vec<String>> {
    let contacts = people::contacts(tx, actor, person)?;
    let mut names: Vec<String> =
        contacts.into_iter().map(|c| format!("{} {}", c.relation, c.name).trim().to_owned()).collect();
    names.extend(["本人独自在家，情况平稳", "社区网格员", "服务站人员", "120 急救人员"].map(str::to_owned));
    Ok(names)
}

/// What surrounds the elder of an incident.
#[derive(Debug, Template)]
#[template(path = "hotline/alarm_aside.html")]
pub(crate) struct AlarmAside {
    page: Page,
    id: IncidentId,
    seen: Vec<(String, String)>,
    before: Vec<(String, String, String)>,
    context: Option<Context>,
}

impl AlarmAside {
    pub(crate) fn load(
        tx: &mut Tx<'_>,
        actor: &Actor,
        page: Page,
        part: &AlarmPart,
        now: Now,
    ) -> Answer<AlarmAside> {
        let Some(who) = &part.who else {
            return Ok(AlarmAside { page, id: part.id, seen: Vec::new(), before: Vec::new(), context: None });
        };
        let seen = sightings::of_person(tx, actor, who.id, SEEN_MOST)?;
        let filter = incidents::Filter { person: Some(who.id), ..incidents::Filter::default() };
        let before = incidents::incidents(tx, actor, &filter, None, 6)?;
        Ok(AlarmAside {
            id: part.id,
            seen: seen
                .into_iter()
                .map(|s| (s.at.as_seen(now), format!("{} {}", s.kind.label(), s.source).trim().to_owned()))
                .collect(),
            before: before
                .into_iter()
                .filter(|l| l.incident.id != part.id)
                .map(|l| {
                    let how = l.incident.outcome.map_or(l.incident.state.label(), IncidentOutcome::label);
                    (
                        format!("/alarms/{}", l.incident.id),
                        format!("{} {}", l.incident.received_at.as_seen(now), l.incident.kind.label()),
                        how.to_owned(),
                    )
                })
                .collect(),
            context: Some(Context::load(tx, actor, page.clone(), who.id, now)?),
            page,
        })
    }
}
