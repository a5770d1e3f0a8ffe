//! The common shape of a refusal: a normal answer that tells a person what to do next.

use std::fmt::Display;

/// What kind of answer a refusal is, so that each door can say it in its own way (a status, a page, an exit code).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// What was sent does not make sense by itself.
    Invalid,
    /// It makes sense, but not with what is already true.
    Conflict,
}

/// A refusal of one command.
pub trait Refusal: Display + std::fmt::Debug + Send + 'static {
    /// A stable name for programs, in snake_case.
    fn code(&self) -> &'static str;

    /// Whether the wish or the world stands in the way.
    fn kind(&self) -> RefusalKind {
        RefusalKind::Conflict
    }
}
