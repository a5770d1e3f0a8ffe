//! Answer times from raw events: from the moment an alarm or a call reached us until a person answered.
//!
//! Tests and duplicates are left out, and a second press within a minute is part of the first. What rang at the end of
//! the time asked for and was not answered counts as unanswered: nobody becomes faster by not answering.

use domain::{
    access::{Act, Actor},
    signals::{
        answering::Waits,
        incident::{IncidentKind, Level},
    },
    time::At,
};

use super::sql;
use crate::{outcome::Answer, store::Tx};

/// One alarm or call, as answer times see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rang {
    pub(super) at: At,
    pub(super) answered_at: Option<At>,
    pub(super) level: Level,
    pub(super) kind: IncidentKind,
}

impl Rang {
    /// Seconds until the answer, if there was one before the end.
    fn wait(&self, to: At) -> Option<i64> {
        self.answered_at.filter(|at| *at < to).map(|at| at.seconds_since(self.at))
    }
}

/// An hour that began at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hour {
    /// When it began.
    pub from: At,
    /// How long its alarms waited.
    pub alarms: Waits,
    /// How long its calls waited.
    pub calls: Waits,
}

/// How fast alarms and calls were answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// All alarms.
    pub alarms: Waits,
    /// Red ones only.
    pub red: Waits,
    /// Calls to the hotline.
    pub calls: Waits,
    /// By kind, the most frequent first.
    pub kinds: Vec<(IncidentKind, Waits)>,
    /// By level.
    pub levels: Vec<(Level, Waits)>,
    /// Hour by hour, those in which anything rang.
    pub hours: Vec<Hour>,
    /// The hour in which the smallest share of alarms was answered within 60 seconds; of several, the one with the most.
    pub worst: Option<Hour>,
    /// Alarms left out as tests or duplicates.
    pub left_out: i64,
}

/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;
/// What the worst hour is judged by.
const WORST_SECONDS: i64 = 60;

/// How fast what came in between two moments was answered, within the actor's regions.
pub fn figures(tx: &mut Tx<'_>, actor: &Actor, from: At, to: At) -> Answer<Figures> {
    actor.may(Act::SeeAlarms)?;
    let scope = actor.scope();
    let alarms = sql::rang(tx, scope, from, to)?;
    let calls = sql::calls_rang(tx, scope, from, to)?;
    let waits = |alarms: &mut dyn Iterator<Item = &Rang>| Waits::of(alarms.map(|a| a.wait(to)));
    let mut kinds: Vec<(IncidentKind, Waits)> = IncidentKind::ALL
        .iter()
        .map(|kind| (*kind, waits(&mut alarms.iter().filter(|a| a.kind == *kind))))
        .filter(|(_, waits)| waits.count() > 0)
        .collect();
    kinds.sort_by_key(|(_, waits)| -waits.count());
    let levels = Level::ALL
        .iter()
        .map(|level| (*level, waits(&mut alarms.iter().filter(|a| a.level == *level))))
        .filter(|(_, waits)| waits.count() > 0)
        .collect();
    let hours = by_hour(&alarms, &calls, to);
    Ok(Figures {
        red: waits(&mut alarms.iter().filter(|a| a.level == Level::P1)),
        alarms: waits(&mut alarms.iter()),
        calls: Waits::of(calls.iter().map(|call| wait(*call, to))),
        kinds,
        levels,
        worst: worst(&hours),
        hours,
        left_out: sql::left_out(tx, scope, from, to)?,
    })
}

fn wait((rang, answered): (At, Option<At>), to: At) -> Option<i64> {
    answered.filter(|at| *at < to).map(|at| at.seconds_since(rang))
}

fn by_hour(alarms: &[Rang], calls: &[(At, Option<At>)], to: At) -> Vec<Hour> {
    let hour = |at: At| at.0.div_euclid(HOUR);
    let mut begun: Vec<i64> =
        alarms.iter().map(|a| hour(a.at)).chain(calls.iter().map(|c| hour(c.0))).collect();
    begun.sort_unstable();
    begun.dedup();
    begun
        .into_iter()
        .map(|n| Hour {
            from: At(n * HOUR),
            alarms: Waits::of(alarms.iter().filter(|a| hour(a.at) == n).map(|a| a.wait(to))),
            calls: Waits::of(calls.iter().filter(|c| hour(c.0) == n).map(|c| wait(*c, to))),
        })
        .collect()
}

fn worst(hours: &[Hour]) -> Option<Hour> {
    hours
        .iter()
        .filter(|hour| hour.alarms.count() > 0)
        .min_by_key(|hour| (hour.alarms.permille_within(WORST_SECONDS), -hour.alarms.count()))
        .cloned()
}
