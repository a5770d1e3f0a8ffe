//! What orders, calls and incidents know of who was seen when.

use domain::{signals::sighting::SightingKind, time::At};

use crate::{
    p,
    signals::sightings::Sighting,
    store::{Fault, Tx},
};

crate::statements! {
    VISITS = "SELECT v.person, v.in_at, v.out_at, COALESCE(c.name, ''), v.service
        FROM json_each(?1) AS x JOIN visit v ON v.order_id = CAST(x.value ->> 0 AS BIGINT)
        LEFT JOIN carer c ON c.id = v.carer";
    CONFIRMED = "SELECT o.person, o.confirmed_at FROM json_each(?1) AS x
        JOIN orders o ON o.id = CAST(x.value ->> 0 AS BIGINT)
        WHERE o.confirmed_by = 'elder' AND o.confirmed_at IS NOT NULL";
    CALLS = "SELECT c.person, c.answered_at FROM json_each(?1) AS x
        JOIN call c ON c.id = CAST(x.value ->> 0 AS BIGINT)
        JOIN person p ON p.id = c.person AND p.phone_index = c.number_index
        WHERE c.answered_at IS NOT NULL AND c.outcome NOT IN ('hung_up', 'wrong')";
    INCIDENTS = "SELECT i.person, i.closed_at FROM json_each(?1) AS x
        JOIN incident i ON i.id = CAST(x.value ->> 0 AS BIGINT)
        WHERE i.person IS NOT NULL AND i.closed_at IS NOT NULL
            AND i.outcome IN ('real_helped', 'real_hospital', 'false_press')";
}

fn ids(all: &[i64]) -> Result<String, Fault> {
    Ok(serde_json::to_string(&all.iter().map(|id| [id]).collect::<Vec<_>>())?)
}

/// A carer was in the home: when coming and, later, when leaving. Whoever knocks signs in before the door opens, if it
/// does: of the item `knock` only the leaving counts, with what was seen written down.
pub(super) fn visits(
    tx: &mut Tx<'_>,
    orders: &[i64],
    knock: &str,
    seen: &mut Vec<Sighting>,
) -> Result<(), Fault> {
    if orders.is_empty() {
        return Ok(());
    }
    tx.each(VISITS, p![ids(orders)?], |row| {
        let (came, left): (At, Option<At>) = (row.get(1)?, row.get(2)?);
        let (name, service): (String, String) = (row.get(3)?, row.get(4)?);
        let source = format!("服务人员 {name}");
        for at in Some(came).filter(|_| service != knock).into_iter().chain(left) {
            seen.push(Sighting {
                person: row.get(0)?,
                at,
                kind: SightingKind::Visit,
                source: source.clone(),
            });
        }
        Ok(())
    })
}

/// The elder said that a service was as it should be.
pub(super) fn confirmed(tx: &mut Tx<'_>, orders: &[i64], seen: &mut Vec<Sighting>) -> Result<(), Fault> {
    told(tx, CONFIRMED, orders, SightingKind::Phone, "本人确认服务", seen)
}

/// The elder talked to the hotline, from a number that is the elder's own: a daughter who calls has not seen her.
pub(super) fn calls(tx: &mut Tx<'_>, calls: &[i64], seen: &mut Vec<Sighting>) -> Result<(), Fault> {
    told(tx, CALLS, calls, SightingKind::Call, "本人电话打进热线", seen)
}

/// Whoever ended an incident knows who is with the elder.
pub(super) fn incidents(tx: &mut Tx<'_>, incidents: &[i64], seen: &mut Vec<Sighting>) -> Result<(), Fault> {
    told(tx, INCIDENTS, incidents, SightingKind::Call, "警情处置中联系上", seen)
}

fn told(
    tx: &mut Tx<'_>,
    sql: &'static str,
    of: &[i64],
    kind: SightingKind,
    source: &str,
    seen: &mut Vec<Sighting>,
) -> Result<(), Fault> {
    if of.is_empty() {
        return Ok(());
    }
    tx.each(sql, p![ids(of)?], |row| {
        seen.push(Sighting { person: row.get(0)?, at: row.get(1)?, kind, source: source.to_owned() });
        Ok(())
    })
}
