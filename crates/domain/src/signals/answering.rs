//! How fast alarms and calls are answered, by the standards people compare themselves with.

use crate::access::words;

words! {
    /// A standard for answering.
    Standard {
        /// GB/T 33358-2016 政府热线服务规范: within 15 seconds; 95 of 100 calls of 24 hours are connected.
        Government = "gbt33358" "GB/T 33358 政府热线服务规范",
        /// NENA-STA-020.1-2020, the North American emergency number association.
        Nena = "nena" "NENA-STA-020.1（北美应急呼叫）",
        /// TSA / TEC Quality, British telecare.
        Tsa = "tsa" "TSA/TEC Quality（英国远程照护）",
        /// Our own, for red alarms. Source: `hotline-and-alarms.md` §2.
        Own = "own" "本平台目标",
    }
}

/// One goal: so many of a thousand answered within so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goal {
    /// Within.
    pub seconds: i64,
    /// So many of a thousand.
    pub permille: i64,
}

impl Standard {
    /// Its goals. Sources: `hotline-and-alarms.md` §2 (TSA, own); the press release of GB/T 33358-2016; NENA's
    /// announcement of 25 June 2020.
    pub fn goals(self) -> &'static [Goal] {
        const fn goal(seconds: i64, permille: i64) -> Goal {
            Goal { seconds, permille }
        }
        match self {
            Standard::Government => const { &[goal(15, 950)] },
            Standard::Nena => const { &[goal(15, 900), goal(20, 950)] },
            Standard::Tsa => const { &[goal(60, 975), goal(180, 990)] },
            Standard::Own => const { &[goal(15, 950), goal(60, 990)] },
        }
    }
}

/// How long a number of alarms or calls waited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waits {
    /// Seconds until the answer, of those that were answered, sorted.
    answered: Vec<i64>,
    /// Nobody answered.
    unanswered: i64,
}

impl Waits {
    /// Gathers waits; `None` is one nobody answered.
    pub fn of(waits: impl IntoIterator<Item = Option<i64>>) -> Waits {
        let mut all = Waits::default();
        for wait in waits {
            match wait {
                // A clock that ran ahead makes nobody faster than at once.
                Some(seconds) => all.answered.push(seconds.max(0)),
                None => all.unanswered += 1,
            }
        }
        all.answered.sort_unstable();
        all
    }

    /// How many there were.
    pub fn count(&self) -> i64 {
        self.answered.len() as i64 + self.unanswered
    }

    /// How many were answered.
    pub fn answered(&self) -> i64 {
        self.answered.len() as i64
    }

    /// How many were answered within so many seconds.
    pub fn within(&self, seconds: i64) -> i64 {
        self.answered.partition_point(|wait| *wait <= seconds) as i64
    }

    /// The same of a thousand, rounded down; nothing when there were none.
    pub fn permille_within(&self, seconds: i64) -> Option<i64> {
        (self.count() > 0).then(|| self.within(seconds) * 1000 / self.count())
    }

    /// The wait that so many of a hundred did not exceed, by nearest rank. Nothing when there were none, or when so
    /// many were not answered at all.
    pub fn percentile(&self, percent: i64) -> Option<i64> {
        let rank = (self.count() * percent + 99).div_euclid(100).max(1);
        usize::try_from(rank - 1).ok().and_then(|n| self.answered.get(n)).copied()
    }

    /// The longest wait among those answered.
    pub fn longest(&self) -> Option<i64> {
        self.answered.last().copied()
    }

    /// Whether a goal is met; nothing when there was nothing to answer.
    pub fn meets(&self, goal: Goal) -> Option<bool> {
        (self.count() > 0).then(|| self.within(goal.seconds) * 1000 >= goal.permille * self.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_of_exactly_the_limit_is_in_time() {
        let waits = Waits::of((1..=20).map(|n| Some(if n == 20 { 16 } else { 15 })));
        assert_eq!((waits.within(15), waits.within(14), waits.permille_within(15)), (19, 0, Some(950)));
        assert_eq!(waits.meets(Goal { seconds: 15, permille: 950 }), Some(true));
        assert_eq!(waits.meets(Goal { seconds: 15, permille: 951 }), Some(false));
    }

    #[test]
    fn what_nobody_answered_is_no_percentile_and_counts_against_every_goal() {
        let waits = Waits::of([Some(5), Some(9), None, None]);
        assert_eq!((waits.percentile(50), waits.percentile(75)), (Some(9), None));
        assert_eq!(waits.permille_within(1_000), Some(500));
    }

    #[test]
    fn nothing_to_answer_is_neither_good_nor_bad() {
        let none = Waits::default();
        assert_eq!((none.percentile(95), none.permille_within(15), none.longest()), (None, None, None));
        assert!(Standard::ALL.iter().flat_map(|s| s.goals()).all(|goal| none.meets(*goal).is_none()));
    }
}
