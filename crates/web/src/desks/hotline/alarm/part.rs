//! An incident as the desk shows it: the card, what can be done, what was done, and what surrounds the elder.

use app::{
    outcome::Answer,
    parties::people,
    regions,
    signals::{
        incidents::{self, Helper, Line, Sheet},
        sightings,
    },
    store::Tx,
};
use askama::Template;
use domain::{
    access::{Act, Actor},
    ids::{IncidentId, PersonId},
    signals::{
        errand::distance,
        incident::{IncidentKind, IncidentOutcome, IncidentState, Level},
    },
    time::{At, Now},
};

use super::{
    home::{self, DeviceLine, Door, Home},
    line,
    progress::{Progress, SentPart, exact},
};
use crate::{
    Page,
    desks::{
        alarms::look,
        hotline::{
            queue::waited,
            talk::{Context, Who},
        },
        map::Map,
    },
    filters,
    text::translate,
};

/// Traces of life shown beside an incident.
const SEEN_MOST: i64 = 8;
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
    /// What stands in place of a name where there is none.
    nobody: &'static str,
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
    /// Where they are.
    map: Option<Map>,
    sent: SentPart,
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
        let home = Home::load(tx, actor, line, now)?;
        let nearest = match stage.mine() && !asked.closing {
            true => incidents::helpers(tx, actor, i.id, now)?,
            false => Vec::new(),
        };
        let map = if nearest.is_empty() { None } else { home.map(&nearest, page.lang) };
        let Home { who, remarks, door, stations, .. } = home;
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
            nobody: match i.kind {
                // A machine or a place is in trouble, not somebody.
                IncidentKind::DeviceFault | IncidentKind::Area => i.kind.label(),
                _ => "还不知道是谁",
            },
            place: regions::book(tx)?.path_of(i.region),
            remarks,
            door,
            stations: stations
                .into_iter()
                .map(|s| (format!("{} {}", s.name, s.phone), distance(s.metres)))
                .collect(),
            text: i.text.clone(),
            verified: i.verified,
            presses: i.presses,
            pressed: i.pressed_at.map(|at| exact(at, now)).unwrap_or_default(),
            received: exact(i.received_at, now),
            late: look::apart(i.pressed_at, i.received_at),
            since: since.rfc3339(),
            clock: waited(since, now),
            device: home::device(tx, actor, line, now)?,
            devices: line.devices,
            outcome: i.outcome,
            with_elder: i.with_elder.clone().unwrap_or_default(),
            commands: line::suggestions(page.lang),
            progress: Progress::of(sheet, actor, page.clone(), stage.mine(), now),
            sent: SentPart::load(tx, sheet, actor, page.clone(), now)?,
            nearest,
            map,
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
