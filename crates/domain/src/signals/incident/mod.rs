//! An incident: something that rings until a named person answers, and stays open until it ends with an outcome.
//!
//! Every state is a dated, signed fact. This file says which step may follow which; a step either changes the incident
//! as a whole or refuses and changes nothing. Nothing is ever deleted, and nothing may lie silent: what is put aside,
//! forgotten or left behind rings again by itself (`rings_again_at`).

mod refusals;
#[cfg(test)]
mod tests;
mod words;

pub use refusals::IncidentRefusal;
pub use words::{IncidentFactKind, IncidentKind, IncidentOutcome, IncidentState, Level};

use super::ladder::Terms;
use crate::{
    ids::{AccountId, CallId, DeviceId, IncidentId, PersonId},
    regions::RegionCode,
    time::{At, Now},
};

/// Longest text of a note, a reason or an ending: a page.
pub const TEXT_MAX: usize = 2_000;
/// Longest answer to "who is with the elder now".
pub const WITH_ELDER_MAX: usize = 100;
/// Within so many hours a closed incident is opened again under its number. Source: `hotline-and-alarms.md` §6.
pub const REOPEN_HOURS: i64 = 72;

/// An incident as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the column of the same name")]
pub struct Incident {
    pub id: IncidentId,
    pub region: RegionCode,
    pub kind: IncidentKind,
    pub level: Level,
    /// The most urgent it ever was: lowering the level does not lower the care taken.
    pub level_top: Level,
    pub person: Option<PersonId>,
    pub device: Option<DeviceId>,
    pub call: Option<CallId>,
    /// The area incident this is part of.
    pub area: Option<IncidentId>,
    pub verified: bool,
    pub text: String,
    pub pressed_at: Option<At>,
    pub received_at: At,
    pub opened_at: At,
    pub presses: i64,
    pub last_press_at: At,
    pub state: IncidentState,
    /// Since when it rings, or rang last.
    pub rang_at: At,
    /// How often the ladder began.
    pub round: i64,
    pub owner: Option<AccountId>,
    pub owned_at: Option<At>,
    /// When the owner last did something.
    pub active_at: Option<At>,
    pub hold_until: Option<At>,
    /// When it was answered for the first time, and by whom: what answer times are counted from.
    pub answered_at: Option<At>,
    pub answered_by: Option<AccountId>,
    pub closed_at: Option<At>,
    pub closed_by: Option<AccountId>,
    pub outcome: Option<IncidentOutcome>,
    pub with_elder: Option<String>,
    pub reviewed_at: Option<At>,
    pub reviewed_by: Option<AccountId>,
    /// How many facts are noted, and the code of their chain.
    pub facts: i64,
    pub chain: [u8; 16],
}

/// How an incident ended, as its owner says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    /// The outcome.
    pub outcome: IncidentOutcome,
    /// Who is with the elder now.
    pub with_elder: String,
    /// What happened and what follows.
    pub text: String,
}

/// A text that must say something and not too much.
pub fn said(text: &str, what: &'static str, max: usize) -> Result<String, IncidentRefusal> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err(IncidentRefusal::Missing { what }),
        n if n > max => Err(IncidentRefusal::TooLong { what, max }),
        _ => Ok(text.to_owned()),
    }
}

impl Incident {
    /// When it rings again for all if nobody does anything: a hold that is over, an owner who fell silent.
    pub fn rings_again_at(&self, terms: &Terms) -> Option<At> {
        match self.state {
            IncidentState::Held => self.hold_until,
            IncidentState::Acknowledged => {
                self.active_at.map(|at| at.plus_seconds(terms.idle_seconds(self.level)))
            }
            IncidentState::Ringing | IncidentState::Attached | IncidentState::Closed => None,
        }
    }

    /// Whether a second person must look at it before it is done with.
    pub fn awaits_review(&self) -> bool {
        self.state == IncidentState::Closed && self.level_top == Level::P1 && self.reviewed_at.is_none()
    }

    fn not(&self, wish: &'static str) -> IncidentRefusal {
        IncidentRefusal::WrongState { state: self.state, wish }
    }

    /// Only whoever owns it; `name` is the owner's.
    fn own(&self, by: AccountId, name: &str, wish: &'static str) -> Result<(), IncidentRefusal> {
        match self.owner {
            _ if !self.state.owned() => Err(self.not(wish)),
            Some(owner) if owner != by => Err(IncidentRefusal::NotYours { name: name.to_owned() }),
            _ => Ok(()),
        }
    }

    /// Somebody takes it. The first one wins; the owner takes it off hold with the same step.
    ///
    /// # Errors
    /// When somebody else (`name`) has it, or it is over.
    pub fn acknowledge(&mut self, by: AccountId, name: &str, now: Now) -> Result<(), IncidentRefusal> {
        match self.state {
            IncidentState::Ringing => self.owned_at = Some(now.0),
            IncidentState::Acknowledged | IncidentState::Held if self.owner == Some(by) => {}
            IncidentState::Acknowledged | IncidentState::Held => {
                return Err(IncidentRefusal::Taken { name: name.to_owned() });
            }
            IncidentState::Attached | IncidentState::Closed => return Err(self.not("接手")),
        }
        self.state = IncidentState::Acknowledged;
        self.owner = Some(by);
        self.active_at = Some(now.0);
        self.hold_until = None;
        if self.answered_at.is_none() {
            self.answered_at = Some(now.0);
            self.answered_by = Some(by);
        }
        Ok(())
    }

    /// The owner puts it aside for at most `terms.hold_seconds`; then it rings for all.
    ///
    /// # Errors
    /// When somebody else owns it, nobody does, or the hold would be too long.
    pub fn hold(
        &mut self,
        by: AccountId,
        name: &str,
        seconds: i64,
        terms: &Terms,
        now: Now,
    ) -> Result<(), IncidentRefusal> {
        self.own(by, name, "保持")?;
        if self.state == IncidentState::Held {
            // A hold on top of a hold would be a silent one.
            return Err(self.not("再次保持"));
        }
        if !(1..=terms.hold_seconds).contains(&seconds) {
            return Err(IncidentRefusal::HoldTooLong { seconds: terms.hold_seconds });
        }
        self.state = IncidentState::Held;
        self.hold_until = Some(now.0.plus_seconds(seconds));
        self.active_at = Some(now.0);
        Ok(())
    }

    /// The owner did something; anybody else's doing does not keep it from ringing again.
    pub fn active(&mut self, by: AccountId, now: Now) {
        if self.state.owned() && self.owner == Some(by) {
            self.active_at = Some(now.0);
        }
    }

    /// The owner calls for others.
    ///
    /// # Errors
    /// When somebody else owns it or nobody does.
    pub fn escalate(&mut self, by: AccountId, name: &str, now: Now) -> Result<(), IncidentRefusal> {
        self.own(by, name, "求援")?;
        self.active(by, now);
        Ok(())
    }

    /// More or less urgent from now on.
    ///
    /// # Errors
    /// When it is over, somebody else owns it, or it has this level.
    pub fn change_level(
        &mut self,
        to: Level,
        by: AccountId,
        name: &str,
        now: Now,
    ) -> Result<(), IncidentRefusal> {
        if matches!(self.state, IncidentState::Closed | IncidentState::Attached) {
            return Err(self.not("调整等级"));
        }
        if self.state.owned() {
            self.own(by, name, "调整等级")?;
        }
        if self.level == to {
            return Err(IncidentRefusal::SameLevel { level: to });
        }
        self.level = to;
        self.level_top = self.level_top.min(to);
        self.active(by, now);
        if self.state == IncidentState::Ringing {
            self.round += 1;
        }
        Ok(())
    }

    /// Rings again for all: nobody owns it any more and the ladder begins anew.
    pub fn ring_again(&mut self, now: Now) {
        self.state = IncidentState::Ringing;
        self.rang_at = now.0;
        self.round += 1;
        self.owner = None;
        self.owned_at = None;
        self.active_at = None;
        self.hold_until = None;
        self.area = None;
    }

    /// Another person takes it from its owner.
    ///
    /// # Errors
    /// When nobody owns it, or the same person does.
    pub fn take_over(&mut self, by: AccountId, now: Now) -> Result<(), IncidentRefusal> {
        if !self.state.owned() || self.owner == Some(by) {
            return Err(self.not("改派"));
        }
        self.state = IncidentState::Acknowledged;
        self.owner = Some(by);
        self.owned_at = Some(now.0);
        self.active_at = Some(now.0);
        self.hold_until = None;
        Ok(())
    }

    /// Becomes part of an area incident, if nobody is at it.
    ///
    /// # Errors
    /// When somebody is, or it is over.
    pub fn attach(&mut self, area: IncidentId) -> Result<(), IncidentRefusal> {
        if self.state != IncidentState::Ringing || self.kind == IncidentKind::Area {
            return Err(self.not("并入成片警情"));
        }
        self.state = IncidentState::Attached;
        self.area = Some(area);
        Ok(())
    }

    /// Its owner ends it.
    ///
    /// # Errors
    /// When somebody else owns it or nobody does, when words are missing, or when only the leader may end it so.
    pub fn close(
        &mut self,
        closure: &Closure,
        by: AccountId,
        name: &str,
        leads: bool,
        now: Now,
    ) -> Result<(), IncidentRefusal> {
        self.own(by, name, "结案")?;
        if closure.outcome == IncidentOutcome::CannotReach && !leads {
            return Err(IncidentRefusal::LeaderOnly);
        }
        said(&closure.text, "处置情况", TEXT_MAX)?;
        let with_elder = closure.with_elder.trim();
        if self.kind.about_people() || self.person.is_some() || !with_elder.is_empty() {
            said(with_elder, "现在谁和老人在一起", WITH_ELDER_MAX)?;
        }
        self.state = IncidentState::Closed;
        self.closed_at = Some(now.0);
        self.closed_by = Some(by);
        self.outcome = Some(closure.outcome);
        self.with_elder = Some(with_elder.to_owned());
        self.hold_until = None;
        self.active_at = None;
        Ok(())
    }

    /// Ends together with the area incident it was part of.
    pub fn close_with_area(&mut self, by: AccountId, outcome: IncidentOutcome, now: Now) {
        assert_eq!(self.state, IncidentState::Attached, "incident {} is no part of an area", self.id);
        self.state = IncidentState::Closed;
        self.closed_at = Some(now.0);
        self.closed_by = Some(by);
        self.outcome = Some(outcome);
        self.with_elder = Some(String::new());
    }

    /// A second person agrees with how a red one ended.
    ///
    /// # Errors
    /// When nothing waits for a second look, or the second person is the first.
    pub fn review(&mut self, by: AccountId, now: Now) -> Result<(), IncidentRefusal> {
        self.may_review(by)?;
        self.reviewed_at = Some(now.0);
        self.reviewed_by = Some(by);
        Ok(())
    }

    /// A second person does not agree: it rings again.
    ///
    /// # Errors
    /// The same.
    pub fn send_back(&mut self, by: AccountId, now: Now) -> Result<(), IncidentRefusal> {
        self.may_review(by)?;
        self.unclose(now);
        Ok(())
    }

    fn may_review(&self, by: AccountId) -> Result<(), IncidentRefusal> {
        if !self.awaits_review() {
            return Err(IncidentRefusal::NothingToReview);
        }
        if self.closed_by == Some(by) {
            return Err(IncidentRefusal::SamePerson);
        }
        Ok(())
    }

    /// Open again under the same number.
    ///
    /// # Errors
    /// When it is not closed, or was closed too long ago.
    pub fn reopen(&mut self, now: Now) -> Result<(), IncidentRefusal> {
        let Some(closed_at) = self.closed_at.filter(|_| self.state == IncidentState::Closed) else {
            return Err(self.not("重新打开"));
        };
        if now.0 > closed_at.plus_minutes(REOPEN_HOURS * 60) {
            return Err(IncidentRefusal::ReopenTooLate { hours: REOPEN_HOURS });
        }
        self.unclose(now);
        Ok(())
    }

    /// The facts keep what the row forgets.
    fn unclose(&mut self, now: Now) {
        self.closed_at = None;
        self.closed_by = None;
        self.outcome = None;
        self.with_elder = None;
        self.reviewed_at = None;
        self.reviewed_by = None;
        self.ring_again(now);
    }
}
