//! The thread that climbs ladders, rings again what was forgotten, and notes that the server is up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use domain::time::Now;

use super::{ladder, outage};
use crate::store::{Fault, Store};

/// How often it is asked whether something is due: a step is late by no more.
const LOOK: Duration = Duration::from_millis(500);
/// How often the server notes that it is up; an outage is known to this.
const BEAT: Duration = Duration::from_secs(4);

type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// The thread; it ends when this is dropped. Drop it before the store.
#[derive(Debug)]
pub struct Watch {
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Starts the thread.
///
/// # Errors
/// When this start cannot be noted: then an outage before it would stay unknown.
pub fn watch(store: Store, clock: Clock) -> Result<Watch, Fault> {
    let now = clock();
    let window = store.write(move |tx| outage::begin_window(tx, now))?;
    let end = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&end);
    let thread = std::thread::Builder::new()
        .name("incidents".to_owned())
        .spawn(move || work(&store, &*clock, window, &ended))?;
    Ok(Watch { end, thread: Some(thread) })
}

#[expect(clippy::disallowed_methods, reason = "how long to rest, not what time it is")]
fn work(store: &Store, clock: &(dyn Fn() -> Now + Send + Sync), window: i64, end: &AtomicBool) {
    let mut beaten = Instant::now();
    while !end.load(Ordering::Relaxed) {
        if let Err(fault) = everything_due(store, clock, end) {
            tracing::error!(%fault, "climbing ladders");
        }
        if beaten.elapsed() >= BEAT {
            beaten = Instant::now();
            beat(store, clock(), window);
        }
        std::thread::park_timeout(LOOK);
    }
    // An orderly end leaves no doubt about when it was.
    beat(store, clock(), window);
}

fn beat(store: &Store, now: Now, window: i64) {
    if let Err(fault) = store.write(move |tx| outage::beat(tx, window, now)) {
        tracing::error!(%fault, "noting that the server is up");
    }
}

/// Ticks until nothing is due any more. Writes only when something is.
fn everything_due(
    store: &Store,
    clock: &(dyn Fn() -> Now + Send + Sync),
    end: &AtomicBool,
) -> Result<(), Fault> {
    let now = clock();
    if !store.read(move |tx| ladder::anything_due(tx, now))? {
        return Ok(());
    }
    while !end.load(Ordering::Relaxed) && store.write(move |tx| ladder::tick(tx, now))?.more {}
    Ok(())
}
