//! One import in the hands of one worker: its progress, its lease, and whether to stop.

use std::{
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
    time::Duration,
};

use domain::{
    access::Actor,
    time::{At, Now},
};

use super::{State, look::Steps, sql};
use crate::store::{Fault, Store};

/// How often progress is written and the lease renewed.
const BEAT: Duration = Duration::from_millis(500);
/// Without a beat for this long others take the import over: the process has died. A machine that swaps may be silent
/// for seconds.
const LEASE_SECONDS: i64 = 10;

/// One import being worked at.
pub(super) struct Job<'a> {
    pub(super) store: &'a Store,
    pub(super) clock: &'a (dyn Fn() -> Now + Send + Sync),
    pub(super) claimed: sql::Claimed,
    /// In whose name people are entered.
    pub(super) actor: Actor,
    /// The whole worker is to end.
    end: &'a AtomicBool,
    /// This import is no longer ours: stopped by somebody, or taken over.
    lost: AtomicBool,
    over: AtomicBool,
    total: AtomicI64,
    done: AtomicI64,
}

/// Until when a beat at this moment keeps others away.
pub(super) fn lease(now: Now) -> At {
    now.0.plus_seconds(LEASE_SECONDS)
}

impl<'a> Job<'a> {
    pub(super) fn new(
        store: &'a Store,
        clock: &'a (dyn Fn() -> Now + Send + Sync),
        claimed: sql::Claimed,
        end: &'a AtomicBool,
    ) -> Job<'a> {
        let actor = Actor {
            account: claimed.by,
            name: String::new(),
            role: claimed.role,
            range: claimed.range,
            provider: None,
            carer: None,
        };
        let no = || AtomicBool::new(false);
        Job {
            store,
            clock,
            claimed,
            actor,
            end,
            lost: no(),
            over: no(),
            total: AtomicI64::new(0),
            done: AtomicI64::new(0),
        }
    }

    pub(super) fn now(&self) -> Now {
        (self.clock)()
    }

    /// Whether to leave the work where it is.
    pub(super) fn halted(&self) -> bool {
        self.lost.load(Ordering::Relaxed) || self.end.load(Ordering::Relaxed)
    }

    /// Notes that somebody else decides about the import now.
    pub(super) fn lose(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    /// The work is done, one way or another.
    pub(super) fn finish(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// How far it is; written with the next beat.
    pub(super) fn tell(&self, done: usize, total: usize) {
        let size = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.total.store(size(total), Ordering::Relaxed);
        self.done.store(size(done), Ordering::Relaxed);
    }

    pub(super) fn with_steps<T>(&self, work: impl FnOnce(&Steps<'_>) -> T) -> T {
        work(&Steps { tell: &|done, total| self.tell(done, total), stop: &|| self.halted() })
    }

    /// Beats until the work is over. Runs beside the work, so that a long step of it does not lose the lease.
    pub(super) fn keep(&self) {
        while !self.over.load(Ordering::Relaxed) {
            std::thread::park_timeout(BEAT);
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            match self.beat() {
                Ok(true) => {}
                Ok(false) => self.lose(),
                Err(fault) => {
                    tracing::warn!(%fault, import = self.claimed.id.0, "an import's progress was not written")
                }
            }
        }
    }

    fn beat(&self) -> Result<bool, Fault> {
        let now = self.now();
        let (id, worker, state) = (self.claimed.id, self.claimed.worker, self.claimed.state);
        let progress = (self.total.load(Ordering::Relaxed), self.done.load(Ordering::Relaxed));
        self.store.write(move |tx| match state {
            // While storing, the rows are counted with what they stored.
            State::Storing => sql::hold(tx, (id, worker, state), lease(now)),
            _ => sql::beat(tx, (id, worker, state), progress, lease(now), now.0),
        })
    }
}
