//! When servers were up, and what happened while they were not.

use domain::{
    access::Scope,
    ids::IncidentId,
    parties::{Ability, LivingArrangement, PersonState, age},
    signals::silence::Profile,
    time::{At, Day},
};

use crate::{
    p,
    signals::incidents::outage::{About, MissedCall, MissedDevice, Outage},
    store::{Fault, Row, Tx},
};

/// What judging somebody's risk needs, of the person `p`.
macro_rules! about {
    () => {
        "p.id, COALESCE(p.name, ''), COALESCE(p.state, ''), COALESCE(p.birth, ''), COALESCE(p.living, ''),
            COALESCE(p.ability, ''), COALESCE(p.hardships, 0)"
    };
}

crate::statements! {
    INSERT_WINDOW = "INSERT INTO server_window (id, up_from, up_to) VALUES (?1, ?2, ?2)";
    STRETCH_WINDOW = "UPDATE server_window SET up_to = ?2 WHERE id = ?1 AND up_to < ?2";
    WINDOWS = "SELECT up_from, up_to FROM server_window WHERE up_to >= ?1 ORDER BY up_from, up_to";
    SILENT_SINCE = concat!("SELECT d.id, d.serial, d.kind, d.last_seen_at, d.region, ", about!(), "
        FROM device d LEFT JOIN person p ON p.id = d.person
        WHERE d.state = 'active' AND d.region BETWEEN ?1 AND ?2
            AND d.last_seen_at < ?4 AND d.last_seen_at + d.beat_seconds * 1000000 >= ?3
            AND d.last_seen_at + d.beat_seconds * 1000000 < ?5
        ORDER BY d.last_seen_at LIMIT ?6");
    ABANDONED = concat!("SELECT c.id, c.number_shown, c.rang_at, ", about!(), "
        FROM call c LEFT JOIN person p ON p.id = c.person
        WHERE c.rang_at >= ?3 AND c.rang_at < ?4 AND c.answered_at IS NULL AND c.region BETWEEN ?1 AND ?2
        ORDER BY c.rang_at");
    PRESSED_BETWEEN = "SELECT id FROM incident
        WHERE received_at >= ?4 AND pressed_at >= ?3 AND pressed_at < ?4 AND region BETWEEN ?1 AND ?2 ORDER BY id";
}

pub(crate) fn insert_window(tx: &mut Tx<'_>, id: i64, at: At) -> Result<(), Fault> {
    tx.execute_one(INSERT_WINDOW, p![id, at])
}

pub(crate) fn stretch_window(tx: &mut Tx<'_>, id: i64, at: At) -> Result<(), Fault> {
    tx.execute(STRETCH_WINDOW, p![id, at]).map(|_| ())
}

pub(crate) fn windows(tx: &mut Tx<'_>, since: At) -> Result<Vec<(At, At)>, Fault> {
    tx.all(WINDOWS, p![since], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The seven columns of `about!`, from column `n`.
fn about(row: &Row<'_>, n: usize, today: Day) -> Result<About, Fault> {
    let person = row.get(n)?;
    let state: String = row.get(n + 2)?;
    let birth: String = row.get(n + 3)?;
    let profile = match (PersonState::from_code(&state), birth.parse::<Day>()) {
        (Some(state), Ok(birth)) => Some(Profile {
            state,
            age: age::full_years(birth, today).unwrap_or(0),
            living: LivingArrangement::from_code(&row.get::<String>(n + 4)?),
            ability: Ability::from_code(&row.get::<String>(n + 5)?),
            hardships: row.get(n + 6)?,
        }),
        _ => None,
    };
    Ok(About { person, name: row.get(n + 1)?, profile })
}

/// Devices that were well before an outage and are overdue now, unheard of since.
pub(crate) fn silent_since(
    tx: &mut Tx<'_>,
    scope: Scope,
    outage: Outage,
    (now, today): (At, Day),
    limit: i64,
) -> Result<Vec<(MissedDevice, About)>, Fault> {
    tx.all(SILENT_SINCE, p![scope.lo, scope.hi, outage.from, outage.to, now, limit], |row| {
        let device = MissedDevice {
            device: row.get(0)?,
            serial: row.get(1)?,
            kind: row.get(2)?,
            last_seen_at: row.get(3)?,
            region: row.get(4)?,
            person: None,
            person_name: String::new(),
            grade: None,
            why: String::new(),
        };
        Ok((device, about(row, 5, today)?))
    })
}

/// Calls that rang between two moments and nobody took.
pub(crate) fn abandoned(
    tx: &mut Tx<'_>,
    scope: Scope,
    (from, to): (At, At),
    today: Day,
) -> Result<Vec<(MissedCall, About)>, Fault> {
    tx.all(ABANDONED, p![scope.lo, scope.hi, from, to], |row| {
        let call = MissedCall {
            call: row.get(0)?,
            number: row.get(1)?,
            rang_at: row.get(2)?,
            person: None,
            person_name: String::new(),
            grade: None,
        };
        Ok((call, about(row, 3, today)?))
    })
}

/// Incidents pressed between two moments that reached us only afterwards.
pub(crate) fn pressed_between(
    tx: &mut Tx<'_>,
    scope: Scope,
    from: At,
    to: At,
) -> Result<Vec<IncidentId>, Fault> {
    tx.all(PRESSED_BETWEEN, p![scope.lo, scope.hi, from, to], |row| row.get(0))
}
