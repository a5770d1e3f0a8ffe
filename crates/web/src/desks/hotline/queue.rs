//! The queue of the desk: incidents and calls that are not over. What endangers a life and nobody has taken stands
//! first, the longest ringing at the top; then ringing calls, what one has in hand, and what can wait.

use app::{
    orders::calls::{self, Call},
    outcome::Answer,
    regions::{self, RegionBook},
    signals::incidents::{self, Filter, Line},
    store::Tx,
};
use askama::Template;
use domain::{
    access::{Act, Actor},
    ids::{AccountId, CallId, IncidentId},
    parties::{age, mask},
    regions::Level as RegionLevel,
    signals::incident::{IncidentState, Level},
    time::{At, Now},
};

use super::alarm::part::{self, Stage as AlarmStage};
use crate::{
    App, Page,
    desks::alarms::{look, missed},
    filters,
};

/// Incidents looked at for the queue; beyond this a list serves better.
const ALARMS_MOST: i64 = 200;
/// Those that can wait, shown in the queue.
const LATER_MOST: usize = 30;
/// Second looks offered in the queue.
const REVIEWS_MOST: i64 = 20;

/// How far a call is, as one operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nobody has answered.
    Ringing,
    /// This operator talks.
    Mine,
    /// Somebody else talks.
    Taken(String),
    /// It is over, with this outcome.
    Over(&'static str),
}

impl Stage {
    pub(super) fn of(call: &Call, me: AccountId) -> Stage {
        match (call.outcome, call.answered_by) {
            (Some(outcome), _) => Stage::Over(outcome.label()),
            (None, None) => Stage::Ringing,
            (None, Some(by)) if by == me => Stage::Mine,
            (None, Some(_)) => Stage::Taken(call.answered_name.clone()),
        }
    }

    pub(super) fn ringing(&self) -> bool {
        *self == Stage::Ringing
    }

    pub(super) fn mine(&self) -> bool {
        *self == Stage::Mine
    }
}

/// One call in the queue.
#[derive(Debug)]
pub(super) struct Ring {
    pub(super) id: CallId,
    pub(super) who: String,
    pub(super) number: String,
    pub(super) place: String,
    pub(super) line: String,
    pub(super) since: String,
    pub(super) wait: String,
    pub(super) stage: Stage,
}

impl Ring {
    pub(super) fn of(tx: &mut Tx<'_>, call: &Call, me: AccountId, now: Now) -> Answer<Ring> {
        let stage = Stage::of(call, me);
        let since = if stage.ringing() { call.rang_at } else { call.answered_at.unwrap_or(call.rang_at) };
        Ok(Ring {
            id: call.id,
            who: call.person_name.clone(),
            number: call.number_shown.clone(),
            place: regions::book(tx)?.path_of(call.region),
            line: call.line.clone(),
            since: since.rfc3339(),
            wait: waited(since, now),
            stage,
        })
    }
}

/// `00:14`, or hours in words where seconds no longer matter.
pub(super) fn waited(since: At, now: Now) -> String {
    let seconds = now.0.seconds_since(since).max(0);
    if seconds < 3_600 {
        format!("{:02}:{:02}", seconds / 60, seconds % 60)
    } else {
        format!("{} 小时", seconds / 3_600)
    }
}

/// One incident in the queue.
#[derive(Debug)]
pub(super) struct Alarm {
    pub(super) id: IncidentId,
    pub(super) kind: &'static str,
    pub(super) icon: &'static str,
    /// Masked name and age, or what is concerned when it is nobody.
    pub(super) who: String,
    pub(super) place: String,
    pub(super) since: String,
    pub(super) wait: String,
    pub(super) stage: AlarmStage,
    level: Level,
    round: i64,
}

impl Alarm {
    fn of(line: &Line, actor: &Actor, book: &RegionBook, now: Now) -> Alarm {
        let i = &line.incident;
        let since = part::since(line);
        let age = line.person_birth.and_then(|birth| age::full_years(birth, now.day()));
        let who = match (line.person_name.as_str(), age) {
            ("", _) if line.devices > 0 => format!("{} 台设备", line.devices),
            // Nobody is known: the device, and whether it proved itself, as the incident's text goes on after its kind.
            ("", _) => i.text.split_once('，').map_or_else(String::new, |(_, rest)| rest.to_owned()),
            (name, Some(age)) => format!("{} {age} 岁", mask::name(name)),
            (name, None) => mask::name(name),
        };
        Alarm {
            id: i.id,
            kind: i.kind.label(),
            icon: look::icon(i.kind),
            who,
            place: book.name_of(i.region.within(RegionLevel::Township)),
            since: since.rfc3339(),
            wait: waited(since, now),
            stage: AlarmStage::of(line, actor),
            level: i.level,
            round: i.round,
        }
    }

    pub(super) fn ringing(&self) -> bool {
        self.stage == AlarmStage::Ringing
    }

    /// Whether it cannot wait for what rings at the telephone.
    fn urgent(&self) -> bool {
        matches!(self.level, Level::P1 | Level::P2)
    }

    /// The class of its line: red is for life only.
    pub(super) fn class(&self) -> &'static str {
        match (&self.stage, self.level) {
            (AlarmStage::Over { .. }, _) => "",
            (_, Level::P1) => " alarm",
            (AlarmStage::Ringing, Level::P2) => " attention",
            _ => "",
        }
    }

    /// How it is heard while nobody has it.
    pub(super) fn rings(&self) -> Option<String> {
        self.ringing().then(|| self.level.code().to_lowercase())
    }

    /// The first rank decides, then the order of the question.
    fn rank(&self) -> u8 {
        match &self.stage {
            AlarmStage::Ringing if self.urgent() => 0,
            stage if stage.mine() => 1,
            AlarmStage::Ringing => 2,
            AlarmStage::Taken(_) => 3,
            _ => 4,
        }
    }
}

/// What one opened, or is offered: it is marked in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chosen {
    Call(CallId),
    Alarm(IncidentId),
}

/// The queue as a part of the page that is fetched anew when something happens.
#[derive(Debug, Template)]
#[template(path = "hotline/queue.html")]
pub(super) struct Queue {
    pub(super) page: Page,
    /// What cannot wait: rings for everybody, or is in this operator's hands.
    pub(super) urgent: Vec<Alarm>,
    pub(super) rings: Vec<Ring>,
    /// What can wait, and what others have.
    pub(super) later: Vec<Alarm>,
    pub(super) later_more: usize,
    pub(super) reviews: Vec<Alarm>,
    /// When nobody listened of late.
    pub(super) outage: Option<String>,
    pub(super) ringing: usize,
    pub(super) longest: String,
    pub(super) current: Option<Chosen>,
}

impl Queue {
    pub(super) fn load(
        tx: &mut Tx<'_>,
        actor: &Actor,
        page: Page,
        current: Option<Chosen>,
        now: Now,
    ) -> Answer<Queue> {
        let mut rings = Vec::new();
        for call in &calls::open(tx, actor)? {
            rings.push(Ring::of(tx, call, actor.account, now)?);
        }
        // The order within each kind stays that of the question: longest ringing first.
        rings.sort_by_key(|ring| match ring.stage {
            Stage::Ringing => 0,
            Stage::Mine => 1,
            Stage::Taken(_) | Stage::Over(_) => 2,
        });
        let book = regions::book(tx)?;
        let lines = incidents::desk(tx, actor, ALARMS_MOST)?;
        let mut alarms: Vec<Alarm> = lines.iter().map(|l| Alarm::of(l, actor, &book, now)).collect();
        alarms.sort_by_key(Alarm::rank);
        let (urgent, mut later): (Vec<Alarm>, Vec<Alarm>) = alarms.into_iter().partition(|a| a.rank() < 2);
        let later_more = later.len().saturating_sub(LATER_MOST);
        later.truncate(LATER_MOST);
        let ringing = urgent.iter().filter(|a| a.ringing()).count()
            + rings.iter().filter(|r| r.stage.ringing()).count();
        let longest = match urgent.first().filter(|a| a.ringing()) {
            Some(first) => first.wait.clone(),
            None => rings.first().filter(|r| r.stage.ringing()).map(|r| r.wait.clone()).unwrap_or_default(),
        };
        // Without a choice the middle shows what comes first, and the queue marks the same.
        let current = match current {
            Some(current) => Some(current),
            None => offered(tx, actor)?,
        };
        let reviews = reviews(tx, actor, &book, now)?;
        let outage = missed::banner(tx, now)?;
        Ok(Queue { page, urgent, rings, later, later_more, reviews, outage, ringing, longest, current })
    }

    pub(super) fn chosen(&self, ring: &Ring) -> bool {
        self.current == Some(Chosen::Call(ring.id))
    }

    pub(super) fn chosen_alarm(&self, alarm: &Alarm) -> bool {
        self.current == Some(Chosen::Alarm(alarm.id))
    }
}

/// Red ones that ended and wait for this one's second look.
fn reviews(tx: &mut Tx<'_>, actor: &Actor, book: &RegionBook, now: Now) -> Answer<Vec<Alarm>> {
    if actor.may(Act::ReviewAlarms).is_err() {
        return Ok(Vec::new());
    }
    let filter = Filter { to_review: true, ..Filter::default() };
    let lines = incidents::incidents(tx, actor, &filter, None, REVIEWS_MOST)?;
    let others = lines.iter().filter(|l| l.incident.closed_by != Some(actor.account));
    Ok(others.map(|l| Alarm::of(l, actor, book, now)).collect())
}

/// What a free operator should take next: the oldest of the most urgent that nobody has, then the telephone.
pub(super) fn offered(tx: &mut Tx<'_>, actor: &Actor) -> Answer<Option<Chosen>> {
    let lines = incidents::desk(tx, actor, ALARMS_MOST)?;
    let mut ringing = lines.iter().map(|l| &l.incident).filter(|i| i.state == IncidentState::Ringing);
    let first = ringing.next();
    if let Some(urgent) = first.filter(|i| matches!(i.level, Level::P1 | Level::P2)) {
        return Ok(Some(Chosen::Alarm(urgent.id)));
    }
    let open = calls::open(tx, actor)?;
    match open.iter().find(|c| c.answered_at.is_none()) {
        Some(call) => Ok(Some(Chosen::Call(call.id))),
        None => Ok(first.map(|i| Chosen::Alarm(i.id))),
    }
}

/// What the operator is in the middle of, which the desk opens by itself.
pub(super) fn in_hand(tx: &mut Tx<'_>, actor: &Actor) -> Answer<Option<Chosen>> {
    let filter =
        Filter { states: vec![IncidentState::Acknowledged], owner: Some(actor.account), ..Filter::default() };
    let mine = incidents::incidents(tx, actor, &filter, None, 20)?;
    let mut mine: Vec<_> = mine.iter().map(|l| &l.incident).collect();
    // What can wait does not keep its owner from what rings.
    mine.retain(|i| matches!(i.level, Level::P1 | Level::P2));
    mine.sort_by_key(|i| (i.level, i.received_at));
    if let Some(first) = mine.first() {
        return Ok(Some(Chosen::Alarm(first.id)));
    }
    let open = calls::open(tx, actor)?;
    Ok(open.iter().find(|c| Stage::of(c, actor.account).mine()).map(|c| Chosen::Call(c.id)))
}

/// Who is on and how fast calls are answered today.
#[derive(Debug, Template)]
#[template(path = "hotline/status.html")]
pub(super) struct Status {
    pub(super) page: Page,
    on: String,
    share: Option<String>,
    rang: i64,
    answered: i64,
    /// Red alarms of today, and of a hundred those taken within 15 seconds.
    red: i64,
    red_share: Option<String>,
    as_of: String,
}

impl Status {
    pub(super) fn load(tx: &mut Tx<'_>, actor: &Actor, app: &App, page: Page, now: Now) -> Answer<Status> {
        let today = At::from_local(now.day().into());
        let (fast, answered, rang) = calls::answer_times(tx, actor, today)?;
        let mut on = app.live().present().names(Act::TakeCalls, actor);
        if !on.contains(&actor.name) {
            on.push(actor.name.clone());
        }
        // Of all that rang, not of all that were answered: who waited in vain counts.
        let share = (rang > 0).then(|| tenths(fast * 1000 / rang));
        let red = incidents::figures(tx, actor, today, now.0)?.red;
        Ok(Status {
            page,
            on: on.join("、"),
            share,
            rang,
            answered,
            red: red.count(),
            red_share: red.permille_within(15).map(tenths),
            as_of: now.0.clock(),
        })
    }
}

/// `96.8` of a thousand.
fn tenths(permille: i64) -> String {
    format!("{}.{}", permille / 10, permille % 10)
}
