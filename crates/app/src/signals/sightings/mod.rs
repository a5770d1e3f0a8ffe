//! The last-contact clock: any trace of life sets it, and it never goes back.
//!
//! Whoever learns that an elder was there calls [`see`] in the transaction that learned it. Nothing is decided here:
//! what it means that a clock stands still is for `silences`.
//! INVARIANT: `last_sighting.at` of a person only grows, whatever order reports come in.

mod sql;

use std::collections::BTreeMap;

use domain::{
    access::{Act, Actor},
    ids::PersonId,
    signals::sighting::SightingKind,
    time::{At, Now},
};

use crate::{
    outcome::{Answer, Found},
    store::{Fault, Tx},
};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// How long the history is kept: two rounds of the weekly visit and what lies between.
const HISTORY_DAYS: i64 = 15;
/// Rows of history one tidying takes away at most, so that it never holds the writer for long.
const TIDY_ROWS: i64 = 5_000;
/// Longest name of a source, in characters.
const SOURCE_MAX: usize = 80;
/// Rows one statement takes: a city's hour of meters goes in a hundred of them.
const ROWS: usize = 500;

/// A trace of life of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Whose.
    pub person: PersonId,
    /// When it was left; a clock that is ahead of ours counts as now.
    pub at: At,
    /// What kind it is.
    pub kind: SightingKind,
    /// Who or what tells it, in words for the timeline: "水表 370799-001", "巡访 张丽".
    pub source: String,
}

/// Sets the clocks of those who were seen. The newest wins; what comes late or twice changes nothing it should not.
///
/// # Errors
/// When the database fails.
pub fn see(tx: &mut Tx<'_>, sightings: &[Sighting], now: Now) -> Result<(), Fault> {
    let mut last: BTreeMap<PersonId, &Sighting> = BTreeMap::new();
    let mut history: BTreeMap<(PersonId, SightingKind, At), &Sighting> = BTreeMap::new();
    let oldest = kept_since(now);
    // Sorted by person, so that two writers lock rows in the same order; once each, as an upsert must.
    for one in sightings {
        let newer = |other: &&Sighting| when(one, now) > when(other, now);
        let entry = last.entry(one.person).or_insert(one);
        if newer(entry) {
            *entry = one;
        }
        if when(one, now) < oldest {
            continue;
        }
        let entry = history.entry((one.person, one.kind, one.kind.slot(when(one, now)))).or_insert(one);
        if newer(entry) {
            *entry = one;
        }
    }
    let last: Vec<&Sighting> = last.into_values().collect();
    for rows in last.chunks(ROWS) {
        sql::set_clocks(tx, rows.iter().map(|one| (*one, when(one, now), name(one))), now.0)?;
    }
    let history: Vec<_> = history.into_iter().collect();
    for rows in history.chunks(ROWS) {
        let rows = rows.iter().map(|((_, _, slot), one)| (*one, *slot, when(one, now), name(one)));
        sql::keep(tx, rows, now.0)?;
    }
    Ok(())
}

/// A device whose clock runs ahead must not stop a person's clock until then.
fn when(one: &Sighting, now: Now) -> At {
    one.at.min(now.0)
}

fn name(one: &Sighting) -> String {
    one.source.trim().chars().take(SOURCE_MAX).collect()
}

fn kept_since(now: Now) -> At {
    now.0.plus_minutes(-HISTORY_DAYS * 24 * 60)
}

/// A trace of life that set, or would have set, the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When it was left.
    pub at: At,
    /// What kind it is.
    pub kind: SightingKind,
    /// Who or what told it.
    pub source: String,
    /// When we learned of it.
    pub recorded_at: At,
}

/// The newest trace of life of somebody; none when there never was one.
///
/// # Errors
/// When the database fails.
pub fn last(tx: &mut Tx<'_>, person: PersonId) -> Result<Option<Seen>, Fault> {
    sql::last(tx, person)
}

/// What traces of life there are of somebody the actor may see, newest first.
///
/// # Errors
/// When the person cannot be seen, or the database fails.
pub fn of_person(tx: &mut Tx<'_>, actor: &Actor, person: PersonId, limit: i64) -> Answer<Vec<Seen>> {
    actor.may(Act::SeePeople)?;
    sql::region(tx, person, actor.scope())?.found()?;
    Ok(sql::of_person(tx, person, limit.clamp(1, 200))?)
}

/// Takes away history that is older than the history is kept; answers how many rows.
///
/// # Errors
/// When the database fails.
pub fn tidy(tx: &mut Tx<'_>, now: Now) -> Result<u64, Fault> {
    sql::tidy(tx, kept_since(now), TIDY_ROWS)
}
