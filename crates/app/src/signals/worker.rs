//! The work that watches over silence: it feeds the clock, reads what is due, and keeps lists and charges right.
//!
//! Each step is a reconciler of its own; a step that fails is tried again in its next turn and holds up no other.

use std::{sync::Arc, time::Duration};

use domain::time::Now;

use super::{duties, feeds, intake, meters, sightings, silences};
use crate::{
    parties::people,
    repeat::Repeating,
    store::{Fault, Store},
};

type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// How often a step may have its turn.
const BEAT: Duration = Duration::from_secs(1);

type Step = fn(&Store, Now) -> Result<(), Fault>;

/// What is done, each how many beats, and its name in the log.
const STEPS: &[(&str, u64, Step)] = &[
    ("feeding the clock", 1, feed),
    ("reading clocks", 2, sweep),
    ("looking at duties", 5, look),
    ("looking at meters", 10, measure),
    ("checking devices", 20, check),
    ("comparing the list", 60, compare),
    ("giving charges", 60, charge),
    ("tidying", 60, tidy),
    ("forgetting readings", 600, forget),
];

/// Starts the work; every step has its first turn with the first beat.
///
/// # Errors
/// When the machine gives no thread.
pub fn watch(store: Store, clock: Clock) -> std::io::Result<Repeating> {
    let mut beat = 0_u64;
    Repeating::start("silence", BEAT, move |last| {
        let due = STEPS.iter().filter(|(_, every, _)| !last && beat.is_multiple_of(*every));
        for (name, _, step) in due {
            if let Err(fault) = step(&store, clock()) {
                tracing::warn!(%fault, "{name}");
            }
        }
        beat += 1;
    })
}

fn feed(store: &Store, now: Now) -> Result<(), Fault> {
    feeds::tick(store, now).map(drop)
}

/// Reads first whether anything is due: a beat in which nothing happens writes nothing.
fn sweep(store: &Store, now: Now) -> Result<(), Fault> {
    while store.read(move |tx| silences::anything_due(tx, now))? {
        let swept = store.write(move |tx| silences::tick(tx, now))?;
        if swept.read == 0 {
            break;
        }
    }
    Ok(())
}

fn look(store: &Store, now: Now) -> Result<(), Fault> {
    while store.read(move |tx| duties::anything_due(tx, now))? {
        let done = store.write(move |tx| duties::tick(tx, now))?;
        if done.read == 0 {
            break;
        }
    }
    Ok(())
}

fn measure(store: &Store, now: Now) -> Result<(), Fault> {
    while store.read(move |tx| meters::anything_due(tx, now))? {
        let done = store.write(move |tx| meters::tick(tx, now))?;
        if done.meters == 0 {
            break;
        }
    }
    Ok(())
}

fn check(store: &Store, now: Now) -> Result<(), Fault> {
    silences::check_devices(store, now).map(drop)
}

fn charge(store: &Store, now: Now) -> Result<(), Fault> {
    duties::assign_charges(store, now).map(drop)
}

/// Facts begin and end with the day, so the summaries come first.
fn compare(store: &Store, now: Now) -> Result<(), Fault> {
    if store.read(move |tx| silences::compared(tx, now))? {
        return Ok(());
    }
    store.write(move |tx| people::refresh_summaries(tx, &silences::platform(), now))?;
    silences::refresh(store, false, now).map(drop)
}

fn forget(store: &Store, now: Now) -> Result<(), Fault> {
    intake::tidy(store, now).map(drop)
}

fn tidy(store: &Store, now: Now) -> Result<(), Fault> {
    store.write(move |tx| {
        sightings::tidy(tx, now)?;
        meters::tidy(tx, now).map(drop)
    })
}
