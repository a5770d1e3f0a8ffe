//! Devices: what is out there, whether it still speaks, and what it said.

mod enter;
pub mod inspect;
mod list;
mod sheet;

pub use enter::{create, new};
pub use list::index;
pub use sheet::{give, renew, retire, show};

use domain::{
    ids::PersonId,
    time::{At, Now},
};

use crate::desks::alarms::look;

/// When something was last heard of, in words.
fn since(at: Option<At>, now: Now) -> String {
    match at {
        None => "还没有上报过".to_owned(),
        Some(at) => format!("{}（{}前）", at.as_seen(now), look::length(now.0.seconds_since(at).max(0))),
    }
}

/// A person by number, or by the address of the record as one copies it.
fn person_of(typed: &str) -> Option<PersonId> {
    let typed = typed.trim().trim_end_matches('/');
    typed.rsplit('/').next().and_then(|last| last.parse().ok())
}
