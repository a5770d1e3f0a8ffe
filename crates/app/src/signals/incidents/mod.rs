//! Incidents: opened once for one real-world event, rung until a named person answers, closed with an outcome.
//!
//! Every command loads the incident within the actor's scope, lets `domain::signals::incident` decide, appends a fact,
//! saves the row and records what it left behind. INVARIANT: an incident's row is what its last evidence says, and its
//! chain is the code over all its facts (see `verify`). Nothing is deleted.

mod area;
mod commands;
mod errands;
mod figures;
mod ladder;
mod lists;
mod open;
mod outage;
pub mod reaches;
mod save;
mod sql;
mod verify;
mod worker;

use domain::{
    access::{Act, Actor, Role},
    ids::{AccountId, DeviceId, IncidentId, PersonId},
    regions::{RegionCode, RegionRange},
    signals::incident::{Incident, IncidentKind, IncidentRefusal, Level},
    time::At,
};

pub use area::{Area, Group, Of, SilentDevice, area};
pub use commands::{
    Escalation, acknowledge, change_level, close, door_code, draft, escalate, hand_over, hold, identify,
    note, reached, reopen, review, send_back, take_over,
};
pub use errands::{
    Errand, Helper, Pick, Station, answer, arrive, errand, errand_door_code, errands, helpers, my_errands,
    recall, report, send, stations,
};
pub use figures::{Figures, Hour, figures};
pub use ladder::{Ticked, anything_due, hand_over_left, set_terms, terms, tick};
pub use lists::{DraftLine, FactLine, Filter, Line, Sheet, StepLine, count, desk, incident, incidents};
pub use open::{ByHand, open, open_among, open_by_hand};
pub use outage::{Missed, MissedCall, MissedDevice, Outage, beat, begin_window, latest_outage, missed};
pub use verify::verify;
pub use worker::watch;

use crate::{
    outcome::{Found, Outcome},
    store::Tx,
};

pub(crate) const STATEMENTS: &[&[(&str, &str)]] = sql::EVERY;

/// Something that happened and must be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// What happened.
    pub kind: IncidentKind,
    /// How urgent it is; `kind.level()` unless somebody knows better.
    pub level: Level,
    /// About whom.
    pub person: Option<PersonId>,
    /// Which device said so.
    pub device: Option<DeviceId>,
    /// Where.
    pub region: RegionCode,
    /// When the button was pressed, by the device's clock.
    pub pressed_at: Option<At>,
    /// When it reached the server.
    pub received_at: At,
    /// Whether the device proved who it is.
    pub verified: bool,
    /// What the desk reads.
    pub text: String,
    /// The same key is the same real-world event and the same incident.
    pub key: String,
}

/// The incident of an opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Its number.
    pub id: IncidentId,
    /// Whether it began with this opening.
    pub fresh: bool,
}

/// Who signs what the platform does by itself.
pub(super) fn platform() -> Actor {
    Actor {
        account: AccountId(0),
        name: "平台".to_owned(),
        role: Role::System,
        range: RegionRange::ALL,
        provider: None,
        carer: None,
    }
}

/// The incident, if the actor may do this with it at all.
fn load(tx: &mut Tx<'_>, actor: &Actor, act: Act, id: IncidentId) -> Outcome<Incident, IncidentRefusal> {
    actor.may(act)?;
    sql::find(tx, id)?.filter(|i| actor.sees(i.region)).found()
}
