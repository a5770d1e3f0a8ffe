//! Rows of who is called or written to, and of the gateway that does it.

use domain::{
    access::{Role, Scope},
    ids::{AccountId, ErrandId, IncidentId, PersonId, ReachId},
    regions::RegionCode,
    signals::{
        ladder::{Reach, ReachResult},
        reach::{ReachChannel, ReachState},
    },
    time::At,
};

use super::word;
use crate::{
    p,
    signals::incidents::reaches::{Gateway, Reached},
    store::{Fault, Row, Tx},
};

macro_rules! reach {
    () => {
        "SELECT r.id, r.incident, r.region, r.round, r.step, r.errand, r.who, r.name, r.relation, r.channel, r.person,
            r.contact, r.carer, r.account, r.phone, r.say, r.asked_at, r.asked_by, r.state, r.attempts, r.next_at,
            r.tried_at, r.sent_at, r.result, r.result_at, r.ended_at, r.error FROM reach r "
    };
}

crate::statements! {
    INSERT_REACH = "INSERT INTO reach (id, incident, region, round, step, errand, who, name, relation, channel, person,
            contact, carer, account, phone, say, asked_at, asked_by, state, next_at, sent_at, ended_at, error)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)";
    UPDATE_REACH = "UPDATE reach SET state = ?4, attempts = ?5, next_at = ?6, tried_at = ?7, sent_at = ?8, result = ?9,
            result_at = ?10, ended_at = ?11, error = ?12
        WHERE id = ?1 AND state = ?2 AND attempts = ?3";
    REACH = concat!(reach!(), "WHERE r.id = ?1");
    REACHES_OF = concat!(reach!(), "WHERE r.incident = ?1 ORDER BY r.id");
    REACHES = concat!(reach!(), "WHERE r.region BETWEEN ?1 AND ?2 AND (CAST(?3 AS TEXT) = '' OR r.state = ?3)
            AND (CAST(?4 AS BIGINT) = 0 OR r.incident = ?4) AND (CAST(?5 AS BIGINT) = 0 OR r.id < ?5)
        ORDER BY r.id DESC LIMIT ?6");
    ANY_WAITING = "SELECT 1 FROM reach WHERE state = 'waiting' AND next_at <= ?1 LIMIT 1";
    WAITING = concat!(reach!(), "WHERE r.state = 'waiting' AND r.next_at <= ?1 ORDER BY r.next_at, r.id LIMIT ?2");
    OF_STEP = concat!(reach!(), "WHERE r.incident = ?1 AND r.round = ?2 AND r.step = ?3 ORDER BY r.id");
    WITHDRAW_STEPS = "UPDATE reach SET state = 'withdrawn', next_at = NULL, ended_at = ?2
        WHERE incident = ?1 AND asked_by = 0 AND errand IS NULL AND state = 'waiting'";
    WITHDRAW_ALL = "UPDATE reach SET state = 'withdrawn', next_at = NULL, ended_at = ?2
        WHERE incident = ?1 AND state IN ('waiting', 'by_hand')";
    WITHDRAW_ERRAND = "UPDATE reach SET state = 'withdrawn', next_at = NULL, ended_at = ?2
        WHERE errand = ?1 AND state IN ('waiting', 'by_hand')";
    GATEWAY = "SELECT seen_at, failing_since, error FROM gateway WHERE one = 1";
    SET_GATEWAY = "INSERT INTO gateway (one, seen_at, failing_since, error) VALUES (1, ?1, ?2, ?3)
        ON CONFLICT (one) DO UPDATE SET seen_at = excluded.seen_at, failing_since = excluded.failing_since,
            error = excluded.error";
    DROP_GATEWAY = "DELETE FROM gateway WHERE seen_at < ?1";
    CONTACT_NAMED = "SELECT name, relation FROM contact WHERE id = ?1";
    ELDER_OF = "SELECT name, address, CAST(CASE WHEN phone IS NULL THEN 0 ELSE 1 END AS BIGINT) FROM person WHERE id = ?1";
    HOLDERS_OVER = "SELECT a.id, a.name, CAST(CASE WHEN EXISTS (SELECT 1 FROM session s WHERE s.account = a.id
                AND s.ended_at IS NULL AND s.post IS NOT NULL AND s.expires_at > ?3) THEN 1 ELSE 0 END AS BIGINT)
        FROM post p JOIN account a ON a.id = p.account
        WHERE p.role = ?1 AND p.ended_at IS NULL AND a.closed_at IS NULL AND p.region_lo <= ?2 AND p.region_hi >= ?2
        ORDER BY p.region_hi - p.region_lo, a.id LIMIT ?4";
}

fn reach(row: &Row<'_>) -> Result<Reached, Fault> {
    Ok(Reached {
        id: row.get(0)?,
        incident: row.get(1)?,
        region: row.get(2)?,
        round: row.get(3)?,
        step: row.get(4)?,
        errand: row.get(5)?,
        to: row.word(6, Reach::from_code)?,
        name: row.get(7)?,
        relation: row.get(8)?,
        channel: row.word(9, ReachChannel::from_code)?,
        person: row.get(10)?,
        contact: row.get(11)?,
        carer: row.get(12)?,
        account: row.get(13)?,
        phone: row.get(14)?,
        say: row.get(15)?,
        asked_at: row.get(16)?,
        // 0 is the platform, which is no account.
        asked_by: AccountId(row.get(17)?),
        state: row.word(18, ReachState::from_code)?,
        attempts: row.get(19)?,
        next_at: row.get(20)?,
        tried_at: row.get(21)?,
        sent_at: row.get(22)?,
        result: word(row, 23, ReachResult::from_code)?,
        result_at: row.get(24)?,
        ended_at: row.get(25)?,
        error: row.get(26)?,
    })
}

pub(crate) fn insert_reach(tx: &mut Tx<'_>, r: &Reached) -> Result<(), Fault> {
    let (who, channel, state) = (r.to.code(), r.channel.code(), r.state.code());
    tx.execute_one(
        INSERT_REACH,
        p![
            r.id, r.incident, r.region, r.round, r.step, r.errand, who, r.name, r.relation, channel,
            r.person, r.contact, r.carer, r.account, r.phone, r.say, r.asked_at, r.asked_by, state,
            r.next_at, r.sent_at, r.ended_at, r.error
        ],
    )
}

/// Writes where a reach stands, if it still stood where `was` did; answers whether it did.
pub(crate) fn update_reach(tx: &mut Tx<'_>, r: &Reached, was: (ReachState, i64)) -> Result<bool, Fault> {
    let (before, state, result) = (was.0.code(), r.state.code(), r.result.map(ReachResult::code));
    let params = p![
        r.id,
        before,
        was.1,
        state,
        r.attempts,
        r.next_at,
        r.tried_at,
        r.sent_at,
        result,
        r.result_at,
        r.ended_at,
        r.error
    ];
    Ok(tx.execute(UPDATE_REACH, params)? == 1)
}

pub(crate) fn find_reach(tx: &mut Tx<'_>, id: ReachId) -> Result<Option<Reached>, Fault> {
    tx.find(REACH, p![id], reach)
}

pub(crate) fn reaches_of(tx: &mut Tx<'_>, incident: IncidentId) -> Result<Vec<Reached>, Fault> {
    tx.all(REACHES_OF, p![incident], reach)
}

/// Those of one step of a ladder.
pub(crate) fn reaches_of_step(
    tx: &mut Tx<'_>,
    (incident, round, step): (IncidentId, i64, i64),
) -> Result<Vec<Reached>, Fault> {
    tx.all(OF_STEP, p![incident, round, step], reach)
}

/// The latest first, from the one before `before`.
pub(crate) fn reaches(
    tx: &mut Tx<'_>,
    scope: Scope,
    (state, incident): (Option<ReachState>, Option<IncidentId>),
    before: Option<ReachId>,
    limit: i64,
) -> Result<Vec<Reached>, Fault> {
    let (state, incident) = (state.map_or("", ReachState::code), incident.map_or(0, |id| id.0));
    tx.all(REACHES, p![scope.lo, scope.hi, state, incident, before.map_or(0, |id| id.0), limit], reach)
}

/// Whether any waits for its next attempt: asked twice a second, so it must cost nothing when none does.
pub(crate) fn any_waiting(tx: &mut Tx<'_>, now: At) -> Result<bool, Fault> {
    Ok(tx.find(ANY_WAITING, p![now], |_| Ok(()))?.is_some())
}

pub(crate) fn waiting(tx: &mut Tx<'_>, now: At, limit: i64) -> Result<Vec<Reached>, Fault> {
    tx.all(WAITING, p![now, limit], reach)
}

/// Calls off what steps asked for by themselves and nobody did yet.
pub(crate) fn withdraw_steps(tx: &mut Tx<'_>, incident: IncidentId, at: At) -> Result<u64, Fault> {
    tx.execute(WITHDRAW_STEPS, p![incident, at])
}

/// Calls off everything nobody did yet.
pub(crate) fn withdraw_all(tx: &mut Tx<'_>, incident: IncidentId, at: At) -> Result<u64, Fault> {
    tx.execute(WITHDRAW_ALL, p![incident, at])
}

/// Calls off what an errand asked for and nobody did yet.
pub(crate) fn withdraw_errand(tx: &mut Tx<'_>, errand: ErrandId, at: At) -> Result<u64, Fault> {
    tx.execute(WITHDRAW_ERRAND, p![errand, at])
}

pub(crate) fn gateway(tx: &mut Tx<'_>) -> Result<Option<Gateway>, Fault> {
    tx.find(GATEWAY, p![], |row| {
        Ok(Gateway { seen_at: row.get(0)?, failing_since: row.get(1)?, error: row.get(2)? })
    })
}

pub(crate) fn set_gateway(tx: &mut Tx<'_>, g: &Gateway) -> Result<(), Fault> {
    tx.execute_one(SET_GATEWAY, p![g.seen_at, g.failing_since, g.error])
}

/// Forgets a gateway no server has spoken of since then.
pub(crate) fn drop_gateway(tx: &mut Tx<'_>, before: At) -> Result<u64, Fault> {
    tx.execute(DROP_GATEWAY, p![before])
}

/// Name and relation of somebody to call.
pub(crate) fn contact_named(tx: &mut Tx<'_>, contact: i64) -> Result<Option<(String, String)>, Fault> {
    tx.find(CONTACT_NAMED, p![contact], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// What those who are called hear of an elder.
#[derive(Debug, Clone, Default)]
pub(crate) struct Elder {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) has_phone: bool,
}

pub(crate) fn elder_of(tx: &mut Tx<'_>, person: PersonId) -> Result<Option<Elder>, Fault> {
    tx.find(ELDER_OF, p![person], |row| {
        Ok(Elder { name: row.get(0)?, address: row.get(1)?, has_phone: row.get(2)? })
    })
}

/// Who holds a role over a place, the closest first: account, name, whether signed in.
pub(crate) fn holders_over(
    tx: &mut Tx<'_>,
    role: Role,
    region: RegionCode,
    now: At,
    limit: i64,
) -> Result<Vec<(AccountId, String, bool)>, Fault> {
    tx.all(HOLDERS_OVER, p![role.code(), region, now, limit], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })
}
