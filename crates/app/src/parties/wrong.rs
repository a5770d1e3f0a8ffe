//! What is wrong with one field of a form, so that it can be told at the field.

use domain::refusal::{Refusal, RefusalKind};

/// A field that cannot be taken as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Name of the field.
    pub field: &'static str,
    /// What is wrong and what to do.
    pub say: String,
}

impl Wrong {
    /// A mistake at a field.
    pub fn new(field: &'static str, say: impl Into<String>) -> Wrong {
        Wrong { field, say: say.into() }
    }
}

/// All fields of a form that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrongs(pub Vec<Wrong>);

impl std::fmt::Display for Wrongs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, wrong) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("；")?;
            }
            f.write_str(&wrong.say)?;
        }
        Ok(())
    }
}

impl Refusal for Wrongs {
    fn code(&self) -> &'static str {
        "invalid_fields"
    }

    fn kind(&self) -> RefusalKind {
        RefusalKind::Invalid
    }
}

/// Keeps a value, or notes what is wrong with it.
pub(super) fn take<T, E: std::fmt::Display>(
    wrongs: &mut Vec<Wrong>,
    field: &'static str,
    read: Result<T, E>,
) -> Option<T> {
    read.map_err(|e| wrongs.push(Wrong::new(field, e.to_string()))).ok()
}

/// A text that must be there and not be longer than a line.
pub(super) fn line(wrongs: &mut Vec<Wrong>, field: &'static str, what: &str, text: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        wrongs.push(Wrong::new(field, format!("没有填写{what}")));
    } else if text.chars().count() > 120 {
        wrongs.push(Wrong::new(field, format!("{what}太长了，请不超过 120 个字")));
    }
    text.to_owned()
}

/// A day as a form or a program writes it.
pub(super) fn day(
    wrongs: &mut Vec<Wrong>,
    field: &'static str,
    what: &str,
    text: &str,
) -> Option<domain::time::Day> {
    let day = text.trim().parse().ok();
    if day.is_none() {
        wrongs.push(Wrong::new(field, format!("{what}应写成 2026-01-01 这样的日期")));
    }
    day
}
