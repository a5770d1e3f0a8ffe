//! How far the making of a city has come, told on stderr with the time left.

use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// A line on a terminal is rewritten this often; in a log each would stay, so there they come less often.
const ON_TERMINAL: Duration = Duration::from_millis(200);
const IN_LOG: Duration = Duration::from_secs(3);

/// Tells how far something has come.
pub struct Progress {
    quiet: bool,
    terminal: bool,
    step: &'static str,
    begun: Instant,
    told: Instant,
}

impl Progress {
    /// Begins now.
    pub fn new(quiet: bool) -> Progress {
        let now = Instant::now();
        let terminal = std::io::stderr().is_terminal();
        Progress { quiet, terminal, step: "", begun: now, told: now }
    }

    /// `done` of `all` of this step; told now and then, and when the step is over.
    pub fn at(&mut self, step: &'static str, done: u64, all: u64) {
        if self.quiet {
            return;
        }
        let now = Instant::now();
        if self.step != step {
            (self.step, self.begun) = (step, now);
        }
        let over = done >= all;
        let every = if self.terminal { ON_TERMINAL } else { IN_LOG };
        if !over && now - self.told < every {
            return;
        }
        self.told = now;
        let left = left(now - self.begun, done, all);
        let mut out = std::io::stderr().lock();
        // Progress that nobody reads is no reason to stop.
        let _ = match (self.terminal, over) {
            (true, false) => write!(out, "\r\x1b[K{step} {done}/{all}{left}"),
            (true, true) => writeln!(out, "\r\x1b[K{step} {all}"),
            (false, _) => writeln!(out, "{step} {done}/{all}{left}"),
        };
        let _ = out.flush();
    }

    /// A sentence.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }
}

/// `，约剩 12 秒`, as soon as something can be said.
fn left(spent: Duration, done: u64, all: u64) -> String {
    if done == 0 || done >= all || spent < Duration::from_millis(500) {
        return String::new();
    }
    let seconds = spent.as_secs_f64() * (all - done) as f64 / done as f64;
    format!("，约剩 {:.0} 秒", seconds.ceil())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_the_pace_so_far() {
        assert_eq!(left(Duration::from_secs(10), 250, 1000), "，约剩 30 秒");
        for (spent, done) in [(10, 0), (0, 500), (10, 1000)] {
            assert_eq!(left(Duration::from_secs(spent), done, 1000), "");
        }
    }
}
