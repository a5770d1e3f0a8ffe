//! Raw events for answer times.

use domain::{
    access::Scope,
    signals::incident::{IncidentKind, Level},
    time::At,
};

use crate::{
    p,
    signals::incidents::figures::Rang,
    store::{Fault, Tx},
};

crate::statements! {
    RANG = "SELECT received_at, answered_at, level_top, kind FROM incident
        WHERE received_at >= ?1 AND received_at < ?2 AND region BETWEEN ?3 AND ?4 AND area IS NULL
            AND (outcome IS NULL OR outcome NOT IN ('test', 'duplicate'))
        ORDER BY received_at";
    LEFT_OUT = "SELECT COUNT(*) FROM incident
        WHERE received_at >= ?1 AND received_at < ?2 AND region BETWEEN ?3 AND ?4
            AND outcome IN ('test', 'duplicate')";
    CALLS_RANG = "SELECT rang_at, answered_at FROM call
        WHERE rang_at >= ?1 AND rang_at < ?2 AND region BETWEEN ?3 AND ?4
            AND (outcome IS NULL OR outcome <> 'wrong') ORDER BY rang_at";
}

pub(crate) fn rang(tx: &mut Tx<'_>, scope: Scope, from: At, to: At) -> Result<Vec<Rang>, Fault> {
    tx.all(RANG, p![from, to, scope.lo, scope.hi], |row| {
        Ok(Rang {
            at: row.get(0)?,
            answered_at: row.get(1)?,
            level: row.word(2, Level::from_code)?,
            kind: row.word(3, IncidentKind::from_code)?,
        })
    })
}

pub(crate) fn left_out(tx: &mut Tx<'_>, scope: Scope, from: At, to: At) -> Result<i64, Fault> {
    tx.one(LEFT_OUT, p![from, to, scope.lo, scope.hi], |row| row.get(0))
}

pub(crate) fn calls_rang(
    tx: &mut Tx<'_>,
    scope: Scope,
    from: At,
    to: At,
) -> Result<Vec<(At, Option<At>)>, Fault> {
    tx.all(CALLS_RANG, p![from, to, scope.lo, scope.hi], |row| Ok((row.get(0)?, row.get(1)?)))
}
