//! How much one device may say: a device or a vendor's platform that goes mad must not fill the disk for all others.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::time::At;

use super::Terms;

/// Whether a reading is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It is not, and nobody was told within the last minute.
    NoAndSay,
}

const MINUTE: i64 = 60_000_000;

/// What one device has said lately. Each reading is paid for with a share of a minute; a device may be in debt by its
/// burst. Two connections that speak for it at once may get one more now and then.
#[derive(Debug, Default)]
pub struct Budget {
    /// When all it said is paid for.
    paid: AtomicI64,
    told: AtomicI64,
}

/// Of the same device, however much it said.
impl PartialEq for Budget {
    fn eq(&self, _: &Budget) -> bool {
        true
    }
}

impl Eq for Budget {}

impl Budget {
    /// Takes one reading, if it may be.
    pub fn take(&self, terms: &Terms, at: At) -> Allowed {
        let price = MINUTE / terms.per_minute.max(1);
        // More than one a microsecond is no limit, and clocks of two threads are not that exact.
        if price == 0 {
            return Allowed::Yes;
        }
        let paid = self.paid.load(Ordering::Relaxed).max(at.0) + price;
        // After the clock was set back a debt of hours is none.
        let debt = (paid - at.0).min(MINUTE + price * terms.burst);
        if debt <= price * terms.burst {
            self.paid.store(at.0 + debt, Ordering::Relaxed);
            return Allowed::Yes;
        }
        if (at.0 - self.told.load(Ordering::Relaxed)).abs() < MINUTE {
            return Allowed::No;
        }
        self.told.store(at.0, Ordering::Relaxed);
        Allowed::NoAndSay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_its_share_and_told_once_a_minute() {
        let (budget, terms) = (Budget::default(), Terms { per_minute: 60, burst: 100, ..Terms::default() });
        let now = At::parse("2026-11-21T09:00").unwrap();
        for n in 0..100 {
            assert_eq!(budget.take(&terms, now), Allowed::Yes, "{n}");
        }
        assert_eq!(budget.take(&terms, now), Allowed::NoAndSay);
        assert_eq!(budget.take(&terms, now), Allowed::No);
        assert_eq!(budget.take(&terms, now.plus_seconds(1)), Allowed::Yes);
        assert_eq!(budget.take(&terms, now.plus_seconds(1)), Allowed::No);
        let free = Terms { per_minute: 100_000_000, ..Terms::default() };
        assert_eq!(budget.take(&free, now.plus_seconds(-5)), Allowed::Yes, "whatever its clock says");
        let later = now.plus_seconds(61);
        for _ in 0..60 {
            assert_eq!(budget.take(&terms, later), Allowed::Yes);
        }
        assert_eq!(budget.take(&terms, later), Allowed::NoAndSay);
    }
}
