//! The answer of a command: a value, a refusal that speaks to a person, or a fault that speaks to us.

use domain::access::Forbidden;

use crate::store::{Conflicting, Fault};

/// Why a command did not happen.
#[derive(Debug)]
pub enum No<R> {
    /// A normal answer: what the person can do next is in the words.
    Refused(R),
    /// The post does not include the act.
    Forbidden(Forbidden),
    /// There is no such thing, or none this actor may see; the two must look alike.
    NotFound,
    /// Something broke.
    Fault(Fault),
}

/// `T`, or why not.
pub type Outcome<T, R> = Result<T, No<R>>;

/// An answer that cannot be refused for a reason of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Never {}

impl domain::refusal::Refusal for Never {
    fn code(&self) -> &'static str {
        match *self {}
    }
}

/// The answer of a question.
pub type Answer<T> = Outcome<T, Never>;

impl<R> From<Fault> for No<R> {
    fn from(fault: Fault) -> Self {
        No::Fault(fault)
    }
}

impl<R> From<Forbidden> for No<R> {
    fn from(forbidden: Forbidden) -> Self {
        No::Forbidden(forbidden)
    }
}

impl<R> Conflicting for No<R> {
    fn conflict(&self) -> bool {
        matches!(self, No::Fault(fault) if fault.conflict())
    }
}

impl<R> No<R> {
    /// The same answer for a wider kind of refusal.
    pub fn map<S>(self, f: impl FnOnce(R) -> S) -> No<S> {
        match self {
            No::Refused(r) => No::Refused(f(r)),
            No::Forbidden(x) => No::Forbidden(x),
            No::NotFound => No::NotFound,
            No::Fault(x) => No::Fault(x),
        }
    }
}

/// Turns an absent row into "not found".
pub trait Found<T> {
    /// The value, or "not found".
    fn found<R>(self) -> Outcome<T, R>;
}

impl<T> Found<T> for Option<T> {
    fn found<R>(self) -> Outcome<T, R> {
        self.ok_or(No::NotFound)
    }
}

/// Turns a domain refusal into a command's answer.
pub trait Decided<T, R> {
    /// The value, or the refusal.
    fn decided(self) -> Outcome<T, R>;
}

impl<T, R> Decided<T, R> for Result<T, R> {
    fn decided(self) -> Outcome<T, R> {
        self.map_err(No::Refused)
    }
}
