//! The keeper: once a second it writes what was gathered in memory, and looks whether a full disk has room again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use domain::{ids::PersonId, signals::sighting::SightingKind, time::At};

use super::{Gathered, Inner, Intake, REJECTED_KEPT, Rejection, alarms, lock, reserve::Reserve, sql};
use crate::{
    signals::{
        devices::{self, Seen},
        sightings::{self, Sighting},
    },
    store::Fault,
};

/// How often rejected frames are written.
const EVERY: Duration = Duration::from_secs(1);
/// How often, in those, it is written when devices were heard of.
const SEEN_EVERY: u32 = 5;
/// Rows in one command: about a millisecond of the writer's time, so that an alarm need not wait long.
const ROWS: usize = 100;
/// A person whose sensors speak all day is written down this often; what watches the silence counts in hours.
const TRACE_MINUTES: i64 = 3;

/// The thread; when this is dropped it writes what is left and ends.
#[derive(Debug)]
pub struct Keeper {
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    pub(super) fn start(intake: Intake) -> Result<Keeper, Fault> {
        let end = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&end);
        let thread = std::thread::Builder::new().name("intake-keeper".into()).spawn(move || {
            let mut round = 0_u32;
            while !told.load(Ordering::Relaxed) {
                std::thread::park_timeout(EVERY);
                round = round.wrapping_add(1);
                turn(&intake.0, round.is_multiple_of(SEEN_EVERY));
            }
            turn(&intake.0, true);
        })?;
        Ok(Keeper { end, thread: Some(thread) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn turn(inner: &Arc<Inner>, seen: bool) {
    if inner.full.load(Ordering::Relaxed) && inner.reserve.as_ref().is_none_or(Reserve::hold) {
        tracing::warn!("the disk has room again: readings are taken");
        inner.full.store(false, Ordering::Relaxed);
        if inner.told_full.swap(false, Ordering::Relaxed) {
            alarms::say_room(inner);
        }
    } else if inner.full.load(Ordering::Relaxed) && !inner.told_full.load(Ordering::Relaxed) {
        alarms::say_full(inner);
    }
    inner.again();
    if let Err(fault) = flush(inner, seen) {
        tracing::warn!(%fault, "what was gathered was not written");
    }
}

/// Writes rejected frames and, when asked, who was heard of. What cannot be written is gathered again.
pub(super) fn flush(inner: &Inner, seen: bool) -> Result<(), Fault> {
    let rejected = std::mem::take(&mut lock(&inner.gathered).rejected);
    let now = (inner.clock)();
    for some in rejected.chunks(ROWS) {
        let some = some.to_vec();
        inner.store.write(move |tx| {
            for rejection in &some {
                let id = tx.id(now);
                sql::insert_rejected(tx, id, rejection)?;
            }
            for serial in senders(&some) {
                sql::forget_rejected(tx, serial, REJECTED_KEPT)?;
            }
            Ok::<_, Fault>(())
        })?;
    }
    if seen && !inner.full.load(Ordering::Relaxed) {
        let (seen, traces) = lock(&inner.gathered).due(now.0);
        for some in seen.chunks(ROWS) {
            let some = some.to_vec();
            inner.store.write(move |tx| devices::saw(tx, &some))?;
        }
        for some in traces.chunks(ROWS) {
            let some = some.to_vec();
            inner.store.write(move |tx| sightings::see(tx, &some, now))?;
        }
    }
    Ok(())
}

fn senders(rejected: &[Rejection]) -> Vec<&str> {
    let mut senders: Vec<&str> = rejected.iter().map(|r| r.serial.as_str()).collect();
    senders.sort_unstable();
    senders.dedup();
    senders
}

impl Gathered {
    /// What is to be written now; traces of people written a moment ago wait.
    fn due(&mut self, now: At) -> (Vec<Seen>, Vec<Sighting>) {
        let mut seen: Vec<Seen> = self.seen.drain().map(|(_, seen)| seen).collect();
        // Neighbours lie on the same pages: one page is written for twenty devices instead of twenty.
        seen.sort_unstable_by_key(|seen| seen.device);
        let written = |traced: &std::collections::HashMap<PersonId, At>, person: &PersonId| {
            traced.get(person).is_some_and(|at| now.minutes_since(*at) < TRACE_MINUTES)
        };
        let mut traces = Vec::new();
        self.traces.retain(|person, (at, kind): &mut (At, SightingKind)| {
            if written(&self.traced, person) {
                return true;
            }
            traces
                .push(Sighting { person: *person, at: *at, kind: *kind, source: "智能设备".to_owned() });
            self.traced.insert(*person, now);
            false
        });
        (seen, traces)
    }
}
