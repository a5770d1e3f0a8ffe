//! Imports: a clerk's list of people becomes records, in three steps she can watch and stop.
//!
//! An import is a row that goes from `reading` over `ready` to `storing` and `done`. Nothing about a person is stored
//! before somebody accepted what was found. The work is done by threads of their own (see [`spawn_worker`]), which
//! hold an import by a lease: when a process dies, another one goes on where the last committed chunk ended.
//! INVARIANT: the counts of an import change in the transaction that stored the rows they count.

mod back;
mod commands;
mod job;
mod lines;
mod look;
mod refusal;
mod register;
mod sql;
mod storing;
mod worker;

use std::collections::BTreeMap;

use domain::{
    access::Role,
    ids::{AccountId, ImportId},
    regions::RegionRange,
    time::{At, Now},
};
use serde::{Deserialize, Serialize};

pub use domain::parties::ImportState as State;

pub use back::{FileBack, annotated, file_back, template};
pub use commands::{
    Upload, accept, accept_at_once, cancel, choose, find, layout, lines, list, problems, running, start,
};
pub use lines::{Fate, Fault as LineFault, Layout, LayoutColumn, Line};
pub use look::{Looked, look};
pub use refusal::ImportRefusal;
pub use worker::{WorkerHandle, spawn_worker, work};

use super::sheet::Field;

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// The largest file taken: a county's list of 500,000 people as a workbook is about half of it.
pub const FILE_MAX: usize = 25 * 1024 * 1024;
/// Lines shown at once.
pub const LINES_A_PAGE: usize = 50;

/// How many rows fared how: what would happen while `ready`, what did happen afterwards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// People who are not on the register.
    pub added: i64,
    /// People about whom the file says something new.
    pub changed: i64,
    /// People about whom the register says the same.
    pub unchanged: i64,
    /// Rows that cannot be taken.
    pub rejected: i64,
    /// Rows that are taken, with something to look at.
    pub warned: i64,
    /// Lines that are no people: titles, totals, notes.
    pub skipped: i64,
}

impl Counts {
    /// Rows that change the register.
    pub fn accepted(self) -> i64 {
        self.added + self.changed
    }

    /// Rows with a person in them.
    pub fn rows(self) -> i64 {
        self.accepted() + self.unchanged + self.rejected
    }
}

/// One import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// As the clerk named the file.
    pub file_name: String,
    /// Its size.
    pub file_bytes: i64,
    /// Where it stands.
    pub state: State,
    /// Rows of the present step.
    pub rows_total: i64,
    /// Rows of the present step that are done.
    pub rows_done: i64,
    /// How the rows fared.
    pub counts: Counts,
    /// A stable word for why it failed; empty otherwise.
    pub code: String,
    /// The same as a sentence.
    pub message: String,
    /// When the present run of the present step began.
    pub began_at: At,
    /// Rows that were done then.
    pub began_done: i64,
    /// When the file came.
    pub created_at: At,
    /// Who sent it.
    pub created_by: AccountId,
    /// Their name.
    pub created_by_name: String,
    /// Their role then.
    pub created_role: Role,
    /// The regions people may be imported into.
    pub range: RegionRange,
    /// When it was accepted.
    pub accepted_at: Option<At>,
    /// When it last got on.
    pub changed_at: At,
}

impl Import {
    /// Seconds until the present step is done, once enough is done to tell.
    pub fn seconds_left(&self, now: Now) -> Option<i64> {
        let done = self.rows_done - self.began_done;
        let passed = now.0.0 - self.began_at.0;
        if done <= 0 || passed <= 0 {
            return None;
        }
        let left = i128::from(self.rows_total - self.rows_done) * i128::from(passed) / i128::from(done);
        i64::try_from(left / 1_000_000).ok().map(|seconds| seconds + 1)
    }

    /// 0 to 100.
    pub fn percent(&self) -> i64 {
        if self.rows_total == 0 { 0 } else { self.rows_done * 100 / self.rows_total }
    }
}

/// What the clerk says about her file where our guess is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Another sheet than the one with the most plausible header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Columns (counted from 0) and what they mean; `None` is not read.
    #[serde(default)]
    pub columns: BTreeMap<u32, Option<Field>>,
}

impl Choice {
    /// A field that stands in two columns although it can stand in one only.
    pub fn twice(&self) -> Option<Field> {
        let mut seen = Vec::new();
        for field in self.columns.values().flatten().filter(|f| !f.repeatable()) {
            if seen.contains(field) {
                return Some(*field);
            }
            seen.push(*field);
        }
        None
    }
}
