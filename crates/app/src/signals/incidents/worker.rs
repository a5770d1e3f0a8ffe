//! The work that climbs ladders, rings again what was forgotten, and notes that the server is up.

use std::{sync::Arc, time::Duration};

use domain::time::Now;

use super::{ladder, outage};
use crate::{
    repeat::Repeating,
    store::{Fault, Store},
};

/// How often it is asked whether something is due: a step is late by no more.
const LOOK: Duration = Duration::from_millis(500);
/// Each how many looks the server notes that it is up, every four seconds; an outage is known to this.
const LOOKS_A_BEAT: u32 = 8;

type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// Starts the work.
///
/// # Errors
/// When this start cannot be noted: then an outage before it would stay unknown.
pub fn watch(store: Store, clock: Clock) -> Result<Repeating, Fault> {
    let now = clock();
    let window = store.write(move |tx| outage::begin_window(tx, now))?;
    let mut looks: u32 = 0;
    let work = move |last: bool| {
        let now = clock();
        if !last && let Err(fault) = everything_due(&store, now) {
            tracing::error!(%fault, "climbing ladders");
        }
        looks = looks.wrapping_add(1);
        // An orderly end leaves no doubt about when it was.
        if last || looks.is_multiple_of(LOOKS_A_BEAT) {
            beat(&store, now, window);
        }
    };
    Ok(Repeating::start("incidents", LOOK, work)?)
}

fn beat(store: &Store, now: Now, window: i64) {
    if let Err(fault) = store.write(move |tx| outage::beat(tx, window, now)) {
        tracing::error!(%fault, "noting that the server is up");
    }
}

/// Ticks until nothing is due any more. Writes only when something is.
fn everything_due(store: &Store, now: Now) -> Result<(), Fault> {
    if !store.read(move |tx| ladder::anything_due(tx, now))? {
        return Ok(());
    }
    while store.write(move |tx| ladder::tick(tx, now))?.more {}
    Ok(())
}
