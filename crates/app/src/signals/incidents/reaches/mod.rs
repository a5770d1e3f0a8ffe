//! Who is called or written to for an incident: rows written with the step that asks for it, handed to the city's telephone
//! gateway by a worker, and what came of it.
//!
//! A number is nowhere here: it is opened, on record, at the moment the gateway gets it. INVARIANT: an attempt is written
//! before it is made, and every attempt of one reach carries the same key, so a server that dies in between makes nobody's
//! telephone ring twice for it. Without a gateway every call says at once that somebody must dial.

mod ask;
mod result;
mod send;

use domain::{
    access::{Act, Actor},
    ids::{AccountId, CarerId, ContactId, ErrandId, IncidentId, PersonId, ReachId},
    regions::RegionCode,
    signals::{
        ladder::{Reach, ReachResult},
        reach::{ReachChannel, ReachState},
    },
    time::{At, Now},
};

pub(super) use ask::{for_errand, for_step};
pub use result::result;
pub(super) use result::{by_desk, errand_over, over, stopped};
pub use send::{Hand, Handed, Message, begin, signature, watch};

use super::{platform, sql};
use crate::{
    outcome::{Answer, Found},
    store::{Fault, Tx},
};

/// No gateway is there any more when no server spoke of it for so long.
const GATEWAY_SECONDS: i64 = 60;

/// Somebody who is called or written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Its number, and the key under which the gateway does it once.
    pub id: ReachId,
    /// For which incident.
    pub incident: IncidentId,
    /// Where.
    pub region: RegionCode,
    /// In which round of the ladder.
    pub round: i64,
    /// For which step of it.
    pub step: Option<i64>,
    /// For which errand.
    pub errand: Option<ErrandId>,
    /// As whom: family, a neighbour, a station.
    pub to: Reach,
    /// Name; empty when nobody like that is known.
    pub name: String,
    /// What they are to the elder, or whose they are.
    pub relation: String,
    /// By which way.
    pub channel: ReachChannel,
    /// About which elder.
    pub person: Option<PersonId>,
    /// Which of the elder's contacts.
    pub contact: Option<ContactId>,
    /// Which carer.
    pub carer: Option<CarerId>,
    /// Which account, on the platform.
    pub account: Option<AccountId>,
    /// The number of a station, which is public.
    pub phone: Option<String>,
    /// What they hear or read.
    pub say: String,
    /// When it was asked for.
    pub asked_at: At,
    /// By whom; 0 is the platform.
    pub asked_by: AccountId,
    /// Where it stands.
    pub state: ReachState,
    /// How often it was handed to the gateway, or tried to.
    pub attempts: i64,
    /// When it is tried next.
    pub next_at: Option<At>,
    /// When it was tried last.
    pub tried_at: Option<At>,
    /// When the gateway took it.
    pub sent_at: Option<At>,
    /// What came of it.
    pub result: Option<ReachResult>,
    /// When that was heard.
    pub result_at: Option<At>,
    /// When it was over.
    pub ended_at: Option<At>,
    /// Why it could not be done, in words.
    pub error: String,
}

impl Reached {
    /// When it came to stand where it stands.
    pub fn since(&self) -> At {
        self.result_at.or(self.ended_at).or(self.sent_at).or(self.tried_at).unwrap_or(self.asked_at)
    }
}

/// The telephone gateway, as the servers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// When a server last said that it has one.
    pub seen_at: At,
    /// It cannot be reached since then.
    pub failing_since: Option<At>,
    /// Why.
    pub error: String,
}

/// The gateway, while some server has one.
///
/// # Errors
/// Faults only.
pub fn gateway(tx: &mut Tx<'_>, now: Now) -> Result<Option<Gateway>, Fault> {
    Ok(sql::gateway(tx)?.filter(|g| now.0.seconds_since(g.seen_at) <= GATEWAY_SECONDS))
}

/// Who was called or written to for an incident, in order.
///
/// # Errors
/// When the incident cannot be seen.
pub fn of_incident(tx: &mut Tx<'_>, actor: &Actor, id: IncidentId) -> Answer<Vec<Reached>> {
    actor.may(Act::SeeAlarms)?;
    sql::find(tx, id)?.filter(|i| actor.sees(i.region)).found()?;
    Ok(sql::reaches_of(tx, id)?)
}

/// Who is or was called or written to, the latest first.
///
/// # Errors
/// Faults only.
pub fn reaches(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (state, incident): (Option<ReachState>, Option<IncidentId>),
    before: Option<ReachId>,
    limit: i64,
) -> Answer<Vec<Reached>> {
    actor.may(Act::ReportReaches)?;
    Ok(sql::reaches(tx, actor.scope(), (state, incident), before, limit.clamp(1, 201))?)
}

/// Tells open pages that something about an incident's calls changed.
fn tell(tx: &mut Tx<'_>, r: &Reached, now: Now) -> Result<(), Fault> {
    tx.tell(now, "reach.changed", r.region, r.incident.0, &format!("{{\"reach\":\"{}\"}}", r.id))
}
