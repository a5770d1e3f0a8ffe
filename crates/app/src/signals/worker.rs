//! The thread that watches over silence: it feeds the clock, reads what is due, and keeps lists and charges right.
//!
//! Each step is a reconciler of its own; a step that fails is tried again with the next beat and holds up no other.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use domain::time::Now;

use super::{duties, feeds, meters, sightings, silences};
use crate::{
    parties::people,
    store::{Fault, Store},
};

type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// How often the thread looks whether something is to be done.
const BEAT: Duration = Duration::from_millis(250);

/// The thread; it ends, between two steps, when this is dropped.
#[derive(Debug)]
pub struct Watchman {
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Watchman {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Starts the thread. Drop the handle before the store.
pub fn spawn(store: Store, clock: Clock) -> Watchman {
    let end = Arc::new(AtomicBool::new(false));
    let ending = Arc::clone(&end);
    let thread = std::thread::Builder::new().name("watchman".into());
    let thread = thread.spawn(move || watch(&store, &*clock, &ending));
    let thread = thread.map_err(|error| tracing::error!(%error, "no thread to watch over silence")).ok();
    Watchman { end, thread }
}

type Step = fn(&Store, Now) -> Result<(), Fault>;

/// What is done, how often, and its name in the log.
const STEPS: &[(&str, Duration, Step)] = &[
    ("feeding the clock", Duration::from_secs(1), feed),
    ("reading clocks", Duration::from_secs(2), sweep),
    ("looking at duties", Duration::from_secs(5), look),
    ("looking at meters", Duration::from_secs(10), measure),
    ("checking devices", Duration::from_secs(20), check),
    ("comparing the list", Duration::from_secs(60), compare),
    ("giving charges", Duration::from_secs(60), charge),
    ("tidying", Duration::from_secs(60), tidy),
];

#[expect(clippy::disallowed_methods, reason = "how long to rest, not what time it is")]
fn watch(store: &Store, clock: &(dyn Fn() -> Now + Send + Sync), end: &AtomicBool) {
    let mut next: Vec<Instant> = vec![Instant::now(); STEPS.len()];
    while !end.load(Ordering::Relaxed) {
        for ((name, every, step), next) in STEPS.iter().zip(&mut next) {
            if Instant::now() < *next || end.load(Ordering::Relaxed) {
                continue;
            }
            if let Err(fault) = step(store, clock()) {
                tracing::warn!(%fault, "{name}");
            }
            *next = Instant::now() + *every;
        }
        std::thread::park_timeout(BEAT);
    }
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

fn tidy(store: &Store, now: Now) -> Result<(), Fault> {
    store.write(move |tx| {
        sightings::tidy(tx, now)?;
        meters::tidy(tx, now).map(drop)
    })
}
