//! The queue of the hotline desk: every call that is not over, the longest ringing first.

use app::{
    orders::calls::{self, Call},
    outcome::Answer,
    regions,
    store::Tx,
};
use askama::Template;
use domain::{
    access::{Act, Actor},
    ids::{AccountId, CallId},
    time::{At, Now},
};

use crate::{App, Page, filters};

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

/// The queue as a part of the page that is fetched anew when something happens.
#[derive(Debug, Template)]
#[template(path = "hotline/queue.html")]
pub(super) struct Queue {
    pub(super) page: Page,
    pub(super) rings: Vec<Ring>,
    pub(super) ringing: usize,
    pub(super) longest: String,
    pub(super) current: Option<CallId>,
}

impl Queue {
    /// Ringing calls first, then what is being talked about: mine before that of others.
    pub(super) fn load(
        tx: &mut Tx<'_>,
        actor: &Actor,
        page: Page,
        current: Option<CallId>,
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
        let ringing = rings.iter().filter(|r| r.stage.ringing()).count();
        let longest = rings.first().filter(|r| r.stage.ringing()).map(|r| r.wait.clone()).unwrap_or_default();
        // Without a choice the middle shows what rings longest, and the queue marks the same.
        let first = rings.first().filter(|r| r.stage.ringing()).map(|r| r.id);
        let current = current.or(first);
        Ok(Queue { page, rings, ringing, longest, current })
    }

    pub(super) fn chosen(&self, ring: &Ring) -> bool {
        self.current == Some(ring.id)
    }
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
        let share = (rang > 0).then(|| format!("{}.{}", fast * 1000 / rang / 10, fast * 1000 / rang % 10));
        Ok(Status { page, on: on.join("、"), share, rang, answered, as_of: now.0.clock() })
    }
}
