//! Rows of errands, and who could be sent on one.

use domain::{
    access::Role,
    ids::{AccountId, CarerId, ErrandId, IncidentId},
    regions::{RegionCode, RegionRange},
    signals::errand::{ErrandState, Finding},
    time::{At, Day},
};

use super::word;
use crate::{
    p,
    signals::incidents::Errand,
    store::{Fault, Row, Tx},
};

macro_rules! errand {
    () => {
        "SELECT e.id, e.incident, e.person, e.region, e.account, e.carer, e.name, e.station, e.phone, e.why, e.metres,
            e.state, e.sent_at, e.sent_by, e.answer_by, e.door_by, e.answered_at, e.arrived_at, e.ended_at, e.finding,
            e.note, COALESCE(a.name, '')
        FROM errand e LEFT JOIN account a ON a.id = e.sent_by "
    };
}

/// Whether an account has a page open or could have: it is signed in.
macro_rules! online {
    ($account:literal, $now:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM session s WHERE s.account = ",
            $account,
            " AND s.ended_at IS NULL AND s.post IS NOT NULL AND s.expires_at > ",
            $now,
            ")"
        )
    };
}

crate::statements! {
    INSERT_ERRAND = "INSERT INTO errand (id, incident, person, region, account, carer, name, station, phone, why, metres,
            state, sent_at, sent_by, answer_by, door_by)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
    UPDATE_ERRAND = "UPDATE errand SET state = ?3, answered_at = ?4, arrived_at = ?5, ended_at = ?6, finding = ?7, note = ?8
        WHERE id = ?1 AND state = ?2";
    ERRAND = concat!(errand!(), "WHERE e.id = ?1");
    ERRANDS = concat!(errand!(), "WHERE e.incident = ?1 ORDER BY e.id");
    ERRANDS_OF = concat!(errand!(), "WHERE e.account = ?1 AND e.ended_at IS NULL ORDER BY e.id LIMIT 50");
    LAPSED = concat!(errand!(), "WHERE e.state = 'asked' AND e.answer_by <= ?1 ORDER BY e.answer_by, e.id LIMIT ?2");
    HOME = "SELECT lon, lat FROM person WHERE id = ?1 AND lon IS NOT NULL AND lat IS NOT NULL";
    POSTS_OVER = concat!("SELECT a.id, a.name, p.role, p.region_lo, p.region_hi,
            CAST(CASE WHEN ", online!("a.id", "?3"), " THEN 1 ELSE 0 END AS BIGINT),
            CAST(CASE WHEN EXISTS (SELECT 1 FROM errand e WHERE e.account = a.id AND e.ended_at IS NULL)
                THEN 1 ELSE 0 END AS BIGINT)
        FROM post p JOIN account a ON a.id = p.account
        WHERE p.role IN ('community_worker', 'street_officer') AND p.ended_at IS NULL AND a.closed_at IS NULL
            AND p.region_lo <= ?1 AND p.region_hi >= ?1 AND p.region_hi - p.region_lo <= ?2
        ORDER BY p.region_hi - p.region_lo, a.id LIMIT 24");
    NAME_OF = concat!("SELECT a.name, CAST(CASE WHEN ", online!("a.id", "?2"), " THEN 1 ELSE 0 END AS BIGINT)
        FROM account a WHERE a.id = ?1 AND a.closed_at IS NULL");
    CARERS_NEAR = concat!("SELECT c.id, c.name, c.lon, c.lat, c.work_days, c.work_from, c.work_to, v.name, v.phone,
            (SELECT MIN(t.account) FROM post t JOIN account o ON o.id = t.account
                WHERE t.carer = c.id AND t.role = 'worker' AND t.ended_at IS NULL AND o.closed_at IS NULL),
            CAST(CASE WHEN EXISTS (SELECT 1 FROM post t WHERE t.carer = c.id AND t.ended_at IS NULL AND ",
            online!("t.account", "?9"), ") THEN 1 ELSE 0 END AS BIGINT),
            CAST(CASE WHEN EXISTS (SELECT 1 FROM errand e WHERE e.carer = c.id AND e.ended_at IS NULL)
                OR EXISTS (SELECT 1 FROM orders w WHERE w.carer = c.id AND w.state = 'in_service' AND w.start_at > ?10)
                THEN 1 ELSE 0 END AS BIGINT)
        FROM carer c JOIN provider v ON v.id = c.provider
        WHERE c.left_at IS NULL AND c.lon BETWEEN ?1 AND ?2 AND c.lat BETWEEN ?3 AND ?4
            AND v.contract_from <= ?5 AND v.contract_to >= ?5 AND v.area_lo <= ?6 AND v.area_hi >= ?6
            AND (c.on_leave_from IS NULL OR c.on_leave_from > ?5 OR c.on_leave_to < ?5)
        ORDER BY (c.lon - ?7) * (c.lon - ?7) + (c.lat - ?8) * (c.lat - ?8), c.id LIMIT 24");
    STATIONS_NEAR = "SELECT v.name, v.phone, v.address, v.lon, v.lat FROM provider v
        WHERE v.lon BETWEEN ?1 AND ?2 AND v.lat BETWEEN ?3 AND ?4
            AND v.contract_from <= ?5 AND v.contract_to >= ?5 AND v.area_lo <= ?6 AND v.area_hi >= ?6
        ORDER BY (v.lon - ?7) * (v.lon - ?7) + (v.lat - ?8) * (v.lat - ?8), v.id LIMIT 2";
}

fn errand(row: &Row<'_>) -> Result<Errand, Fault> {
    Ok(Errand {
        id: row.get(0)?,
        incident: row.get(1)?,
        person: row.get(2)?,
        region: row.get(3)?,
        account: row.get(4)?,
        carer: row.get(5)?,
        name: row.get(6)?,
        station: row.get(7)?,
        phone: row.get(8)?,
        why: row.get(9)?,
        metres: row.get(10)?,
        state: row.word(11, ErrandState::from_code)?,
        sent_at: row.get(12)?,
        // 0 is the platform, which is no account.
        sent_by: AccountId(row.get(13)?),
        answer_by: row.get(14)?,
        door_by: row.get(15)?,
        answered_at: row.get(16)?,
        arrived_at: row.get(17)?,
        ended_at: row.get(18)?,
        finding: word(row, 19, Finding::from_code)?,
        note: row.get(20)?,
        sent_by_name: row.get(21)?,
    })
}

pub(crate) fn insert_errand(tx: &mut Tx<'_>, e: &Errand) -> Result<(), Fault> {
    tx.execute_one(
        INSERT_ERRAND,
        p![
            e.id,
            e.incident,
            e.person,
            e.region,
            e.account,
            e.carer,
            e.name,
            e.station,
            e.phone,
            e.why,
            e.metres,
            e.state.code(),
            e.sent_at,
            e.sent_by,
            e.answer_by,
            e.door_by
        ],
    )
}

/// Writes where an errand stands, if it still stood there; answers whether it did.
pub(crate) fn update_errand(tx: &mut Tx<'_>, e: &Errand, was: ErrandState) -> Result<bool, Fault> {
    let (was, state, finding) = (was.code(), e.state.code(), e.finding.map(Finding::code));
    let params = p![e.id, was, state, e.answered_at, e.arrived_at, e.ended_at, finding, e.note];
    Ok(tx.execute(UPDATE_ERRAND, params)? == 1)
}

pub(crate) fn find_errand(tx: &mut Tx<'_>, id: ErrandId) -> Result<Option<Errand>, Fault> {
    tx.find(ERRAND, p![id], errand)
}

pub(crate) fn errands(tx: &mut Tx<'_>, incident: IncidentId) -> Result<Vec<Errand>, Fault> {
    tx.all(ERRANDS, p![incident], errand)
}

pub(crate) fn errands_of(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Errand>, Fault> {
    tx.all(ERRANDS_OF, p![account], errand)
}

/// Errands nobody answered in time.
pub(crate) fn lapsed(tx: &mut Tx<'_>, now: At, limit: i64) -> Result<Vec<Errand>, Fault> {
    tx.all(LAPSED, p![now, limit], errand)
}

pub(crate) fn home(tx: &mut Tx<'_>, person: domain::ids::PersonId) -> Result<Option<(f64, f64)>, Fault> {
    tx.find(HOME, p![person], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Somebody with a post over a place.
#[derive(Debug)]
pub(crate) struct PostOver {
    pub(crate) account: AccountId,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) range: RegionRange,
    pub(crate) online: bool,
    pub(crate) busy: bool,
}

/// Who has a post over a place, no wider than so many numbers, the closest first.
pub(crate) fn posts_over(
    tx: &mut Tx<'_>,
    region: RegionCode,
    width: i64,
    now: At,
) -> Result<Vec<PostOver>, Fault> {
    tx.all(POSTS_OVER, p![region, width, now], |row| {
        Ok(PostOver {
            account: row.get(0)?,
            name: row.get(1)?,
            role: row.word(2, Role::from_code)?,
            range: RegionRange { lo: row.get(3)?, hi: row.get(4)? },
            online: row.get(5)?,
            busy: row.get(6)?,
        })
    })
}

/// Name of an account that is not closed, and whether it is signed in.
pub(crate) fn name_of(tx: &mut Tx<'_>, account: AccountId, now: At) -> Result<Option<(String, bool)>, Fault> {
    tx.find(NAME_OF, p![account, now], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// A carer who lives near.
#[derive(Debug)]
pub(crate) struct CarerNear {
    pub(crate) carer: CarerId,
    pub(crate) name: String,
    pub(crate) place: (f64, f64),
    pub(crate) work_days: i64,
    pub(crate) work_from: i64,
    pub(crate) work_to: i64,
    pub(crate) station: String,
    pub(crate) phone: String,
    pub(crate) account: Option<AccountId>,
    pub(crate) online: bool,
    pub(crate) busy: bool,
}

/// Carers within so many degrees of a point, of providers who serve the place, the nearest first.
pub(crate) fn carers_near(
    tx: &mut Tx<'_>,
    (lon, lat): (f64, f64),
    degrees: f64,
    region: RegionCode,
    (today, now): (Day, At),
) -> Result<Vec<CarerNear>, Fault> {
    let day = today.to_string();
    let yesterday = now.plus_minutes(-24 * 60);
    let (west, east, south, north) = (lon - degrees, lon + degrees, lat - degrees, lat + degrees);
    let params = p![west, east, south, north, day, region, lon, lat, now, yesterday];
    tx.all(CARERS_NEAR, params, |row| {
        Ok(CarerNear {
            carer: row.get(0)?,
            name: row.get(1)?,
            place: (row.get(2)?, row.get(3)?),
            work_days: row.get(4)?,
            work_from: row.get(5)?,
            work_to: row.get(6)?,
            station: row.get(7)?,
            phone: row.get(8)?,
            account: row.get(9)?,
            online: row.get(10)?,
            busy: row.get(11)?,
        })
    })
}

/// Name, telephone, address and place.
pub(crate) type StationRow = (String, String, String, (f64, f64));

/// Stations of providers who serve a place, the nearest first.
pub(crate) fn stations_near(
    tx: &mut Tx<'_>,
    (lon, lat): (f64, f64),
    degrees: f64,
    region: RegionCode,
    today: Day,
) -> Result<Vec<StationRow>, Fault> {
    let day = today.to_string();
    let (west, east, south, north) = (lon - degrees, lon + degrees, lat - degrees, lat + degrees);
    tx.all(STATIONS_NEAR, p![west, east, south, north, day, region, lon, lat], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, (row.get(3)?, row.get(4)?)))
    })
}
