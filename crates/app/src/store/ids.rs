//! New ids: 41 bits of milliseconds since 2024, 14 bits of order within the millisecond, 8 bits of process.
//!
//! They grow with time, so rows lie on disk in the order they were made. A burst beyond 16,384 a millisecond borrows
//! from the next one. Decision and reasons: docs/decisions/0002-ids.md.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::time::At;

/// 2024-01-01T00:00:00Z in milliseconds.
const EPOCH_MS: i64 = 1_704_067_200_000;

/// Where ids come from.
#[derive(Debug)]
pub struct IdSource {
    /// Milliseconds and order of the last id.
    last: AtomicI64,
    process: i64,
}

impl IdSource {
    /// A source for one of up to 256 processes on the same database.
    pub fn new(process: u8) -> IdSource {
        IdSource { last: AtomicI64::new(0), process: i64::from(process) }
    }

    /// Gives no id of a moment before this one any more, whatever the clock says.
    pub fn not_before(&self, at: At) {
        self.last.fetch_max(floor(at), Ordering::Relaxed);
    }

    /// Gives only ids after this one, which some process gave before.
    pub fn after(&self, id: i64) {
        self.last.fetch_max(id >> 8, Ordering::Relaxed);
    }

    /// No id that was given so far is beyond this one, and every later one is.
    pub(super) fn given(&self) -> i64 {
        self.last.load(Ordering::Relaxed) << 8 | 0xff
    }

    /// An id never given before by this source, near this moment.
    pub fn next(&self, now: At) -> i64 {
        let floor = floor(now);
        let mut last = self.last.load(Ordering::Relaxed);
        loop {
            let next = floor.max(last + 1);
            match self.last.compare_exchange_weak(last, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return (next << 8) | self.process,
                Err(seen) => last = seen,
            }
        }
    }
}

/// How far apart ids are that were given so many minutes apart.
pub(crate) const fn span(minutes: i64) -> i64 {
    (minutes * 60_000) << 22
}

/// The first position of a moment's millisecond.
fn floor(at: At) -> i64 {
    (at.0.div_euclid(1000) - EPOCH_MS).max(1) << 14
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_and_never_repeat_even_when_the_clock_steps_back() {
        let ids = IdSource::new(3);
        let now = At(1_790_000_000_000_000);
        let mut last = 0;
        for n in 0..50_000 {
            let id = ids.next(if n % 7 == 0 { now.plus_minutes(-5) } else { now });
            assert!(id > last && id & 0xff == 3);
            last = id;
        }
    }

    #[test]
    fn ids_tell_how_much_time_lies_between_them() {
        let at = At(1_790_000_000_000_000);
        let (first, later) = (IdSource::new(3).next(at), IdSource::new(3).next(at.plus_minutes(60)));
        assert_eq!(later - first, span(60));
    }

    #[test]
    fn what_was_given_lies_before_what_will_be() {
        let ids = IdSource::new(3);
        let now = At(1_790_000_000_000_000);
        let before = ids.next(now);
        let mark = ids.given();
        assert!(before <= mark && ids.next(now.plus_minutes(-5)) > mark);
    }

    #[test]
    fn a_source_that_begins_anew_can_be_told_where() {
        let (old, new) = (IdSource::new(0), IdSource::new(0));
        let now = At(1_790_000_000_000_000);
        let given = old.next(now);
        new.not_before(now.plus_seconds(1));
        assert!(new.next(now.plus_minutes(-5)) > given);
    }
}
