//! The JSON API under `/api/v1/`: bodies parsed into types, problem+json errors, idempotency keys, cursor pages.

mod call;
pub mod calls;
pub mod evidence;
pub mod imports;
pub mod incidents;
pub mod ledger;
pub mod me;
pub mod openapi;
pub mod orders;
pub mod people;
pub mod providers;
pub mod reaches;
pub mod regions;
pub mod signals;
pub mod silences;
pub mod statements;
pub mod visits;

use std::str::FromStr;

pub(crate) use call::known_names;
pub use call::{Call, Created, Cursor, Done, Listing};

use crate::Problem;

/// An id in a query, if it was given.
pub(crate) fn parsed<T: FromStr>(text: Option<&str>, name: &str) -> Result<Option<T>, Problem> {
    text.filter(|t| !t.is_empty())
        .map(|t| t.parse().map_err(|_| Problem::malformed(format!("{name} 应为编号（一串数字）"))))
        .transpose()
}

/// A number in a query, if it was given.
pub(crate) fn parsed_number(text: Option<&str>, name: &str) -> Result<Option<i64>, Problem> {
    parsed(text, name)
}
