//! Silence is a signal: who is watched, whose clock stood still for too long, and what was done about it.
//!
//! `watch` keeps the list of those who need watching, `sweep` reads the clocks that are due and opens or closes
//! silences, `devices` does the same for what should have sent a heartbeat. All are reconcilers: they look at what is,
//! compare it with what should be, and are safe to run twice and on two servers.
//! INVARIANT: while a watched person is overdue and at home, one silence of theirs is open, and only then.

mod devices;
mod lists;
mod sql;
mod sweep;
mod watch;

use std::collections::HashMap;

use domain::{
    access::{Actor, Role},
    ids::{AccountId, PersonId},
    regions::RegionRange,
    signals::silence::{Absence, Clock, RiskGrade, Terms, Told},
    time::{At, Now},
};

pub use devices::{Checked, DeviceLine, check as check_devices, silent_devices};
pub use lists::{Filter, Line, Page, Standing, count, silences, standing};
pub use sweep::{Swept, tick};
pub use watch::{compare_again, compared, refresh, renew};

use crate::{
    settings,
    store::{Fault, Tx},
};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// Setting that holds what the city decided about watching.
const TERMS: &str = "watch_terms";

/// What the city decided about watching; the defaults of the sheet where it decided nothing.
///
/// # Errors
/// When the database fails, or the setting is not one.
pub fn terms(tx: &mut Tx<'_>) -> Result<Terms, Fault> {
    Ok(settings::find(tx, TERMS)?.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
}

/// Sets what the city decides; every clock is read anew when it changed.
///
/// # Errors
/// When the database fails.
pub fn set_terms(tx: &mut Tx<'_>, terms: &Terms) -> Result<(), Fault> {
    let text = serde_json::to_string(terms)?;
    if settings::find(tx, TERMS)?.as_deref() == Some(&text) {
        return Ok(());
    }
    settings::set(tx, TERMS, &text)?;
    sql::look_at_all(tx)
}

/// Whether the clock of anybody is to be read.
///
/// # Errors
/// When the database fails.
pub fn anything_due(tx: &mut Tx<'_>, now: Now) -> Result<bool, Fault> {
    sql::anything_due(tx, now.0)
}

/// Until when those of these people who are known to be away are, at the latest.
pub(super) fn away_until(
    tx: &mut Tx<'_>,
    people: &[PersonId],
    now: Now,
) -> Result<HashMap<PersonId, At>, Fault> {
    let terms = terms(tx)?;
    let away = sql::absences(tx, people)?;
    let until = |(person, away): (PersonId, Vec<Absence>)| {
        let clock = Clock { grade: RiskGrade::General, since: now.0, last: None, away };
        match clock.tell(&terms, now) {
            Told::Paused { until, .. } => Some((person, until)),
            Told::Running { .. } | Told::Overdue { .. } => None,
        }
    };
    Ok(away.into_iter().filter_map(until).collect())
}

/// Has the clock of somebody read with the next sweep.
pub(super) fn look_now(tx: &mut Tx<'_>, person: PersonId, now: Now) -> Result<(), Fault> {
    sql::look_at(tx, &[person], now.0)
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
