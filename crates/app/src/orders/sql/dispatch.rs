//! Rows of carers as dispatch needs them, and of offers.

use domain::{
    access::Scope,
    ids::{CarerId, OfferId, OrderId, PersonId, ProviderId},
    parties::Sex,
    time::At,
};

use super::{Order, sex};
use crate::{
    p,
    store::{Fault, Tx},
};

crate::statements! {
    CARERS_NEAR = "SELECT c.id FROM carer c
        JOIN provider v ON v.id = c.provider
        WHERE c.left_at IS NULL AND (CAST(?5 AS BIGINT) = 0 OR c.provider = ?5)
            AND v.area_lo <= ?1 AND v.area_hi >= ?1
            AND c.region BETWEEN ?6 AND ?7
        ORDER BY CASE WHEN c.lon IS NULL OR CAST(?2 AS DOUBLE PRECISION) IS NULL THEN 1000.0
            ELSE (c.lon - ?2) * (c.lon - ?2) * 0.67 + (c.lat - ?3) * (c.lat - ?3) END, c.id
        LIMIT ?4";
    CARER = "SELECT c.provider, v.name, c.name, c.sex, c.lon, c.lat, c.languages, c.work_from, c.work_to,
            c.takes_at_once, c.on_leave_to, c.stars, c.ratings, v.contract_from, v.contract_to, v.area_lo, v.area_hi,
            (SELECT COUNT(*) FROM provider_service s WHERE s.provider = v.id AND s.service = ?2)
        FROM carer c JOIN provider v ON v.id = c.provider
        WHERE c.id = ?1 AND c.left_at IS NULL";
    SKILLS = "SELECT skill, valid_from, valid_to FROM carer_skill WHERE carer = ?1 ORDER BY skill, valid_from";
    BOOKINGS = "SELECT b.start_at, b.end_at, b.minutes, n.lon, n.lat
        FROM (SELECT id, person, start_at, end_at, minutes, state FROM orders
                WHERE carer = ?1 AND start_at >= ?3 AND start_at < ?4
            UNION ALL SELECT id, person, start_at, end_at, minutes, state FROM orders
                WHERE partner = ?1 AND start_at >= ?3 AND start_at < ?4) b
        JOIN person n ON n.id = b.person
        WHERE b.id <> ?2 AND b.state <> 'cancelled'
        ORDER BY b.start_at";
    REFUSALS = "SELECT COUNT(*) FROM offer WHERE carer = ?1 AND answered_at >= ?2 AND answer = 'declined'";
    LAST_CARER = "SELECT carer FROM orders
        WHERE person = ?1 AND start_at < ?2 AND checked_out_at IS NOT NULL
        ORDER BY start_at DESC LIMIT 1";
    LOCK_CARER = "UPDATE carer SET bookings = bookings + 1 WHERE id = ?1 AND left_at IS NULL";
    INSERT_OFFER = "INSERT INTO offer (id, order_id, carer, offered_at, offered_by, answered_at, answer)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    END_OFFERS = "UPDATE offer SET answered_at = ?2, answer = ?3, reason = ?4
        WHERE order_id = ?1 AND (answered_at IS NULL OR (answer = 'accepted' AND ?3 <> 'accepted'))";
}

/// A carer with the provider's contract.
pub(in crate::orders) struct CarerRow {
    pub(in crate::orders) provider: ProviderId,
    pub(in crate::orders) provider_name: String,
    pub(in crate::orders) name: String,
    pub(in crate::orders) sex: Sex,
    pub(in crate::orders) place: Option<(f64, f64)>,
    pub(in crate::orders) languages: String,
    pub(in crate::orders) work_from: i64,
    pub(in crate::orders) work_to: i64,
    pub(in crate::orders) takes_at_once: bool,
    pub(in crate::orders) on_leave_to: Option<String>,
    pub(in crate::orders) stars: i64,
    pub(in crate::orders) ratings: i64,
    pub(in crate::orders) contract_from: String,
    pub(in crate::orders) contract_to: String,
    pub(in crate::orders) area: (i64, i64),
    pub(in crate::orders) offers_item: bool,
}

/// A promised visit.
pub(in crate::orders) struct BookingRow {
    pub(in crate::orders) start: At,
    pub(in crate::orders) end: At,
    pub(in crate::orders) minutes: i64,
    pub(in crate::orders) place: Option<(f64, f64)>,
}

/// Carers who serve the order's region, nearest homes first. 0.67 shrinks a degree of longitude at 35° north.
pub(in crate::orders) fn carers_near(
    tx: &mut Tx<'_>,
    order: &Order,
    home: Option<(f64, f64)>,
    scope: Scope,
    limit: i64,
) -> Result<Vec<CarerId>, Fault> {
    let (lon, lat) = home.unzip();
    tx.all(CARERS_NEAR, p![order.region, lon, lat, limit, scope.provider, scope.lo, scope.hi], |row| {
        row.get(0)
    })
}

pub(in crate::orders) fn carer(
    tx: &mut Tx<'_>,
    id: CarerId,
    service: &str,
) -> Result<Option<CarerRow>, Fault> {
    tx.find(CARER, p![id, service], |row| {
        Ok(CarerRow {
            provider: row.get(0)?,
            provider_name: row.get(1)?,
            name: row.get(2)?,
            sex: sex(row, 3)?,
            place: row.get::<Option<f64>>(4)?.zip(row.get(5)?),
            languages: row.get(6)?,
            work_from: row.get(7)?,
            work_to: row.get(8)?,
            takes_at_once: row.get(9)?,
            on_leave_to: row.get(10)?,
            stars: row.get(11)?,
            ratings: row.get(12)?,
            contract_from: row.get(13)?,
            contract_to: row.get(14)?,
            area: (row.get(15)?, row.get(16)?),
            offers_item: row.get::<i64>(17)? > 0,
        })
    })
}

pub(in crate::orders) fn skills(
    tx: &mut Tx<'_>,
    carer: CarerId,
) -> Result<Vec<(String, String, String)>, Fault> {
    tx.all(SKILLS, p![carer], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// What a carer is promised to between two instants, other than one order.
pub(in crate::orders) fn bookings(
    tx: &mut Tx<'_>,
    carer: CarerId,
    but: OrderId,
    from: At,
    to: At,
) -> Result<Vec<BookingRow>, Fault> {
    tx.all(BOOKINGS, p![carer, but, from, to], |row| {
        Ok(BookingRow {
            start: row.get(0)?,
            end: row.get(1)?,
            minutes: row.get(2)?,
            place: row.get::<Option<f64>>(3)?.zip(row.get(4)?),
        })
    })
}

pub(in crate::orders) fn refusals(tx: &mut Tx<'_>, carer: CarerId, since: At) -> Result<i64, Fault> {
    tx.one(REFUSALS, p![carer, since], |row| row.get(0))
}

pub(in crate::orders) fn last_carer(
    tx: &mut Tx<'_>,
    person: PersonId,
    before: At,
) -> Result<Option<CarerId>, Fault> {
    Ok(tx.find(LAST_CARER, p![person, before], |row| row.get::<Option<CarerId>>(0))?.flatten())
}

/// Takes the carer's row for this transaction; answers 0 when there is no such carer.
pub(in crate::orders) fn lock_carer(tx: &mut Tx<'_>, carer: CarerId) -> Result<u64, Fault> {
    tx.execute(LOCK_CARER, p![carer])
}

pub(in crate::orders) fn insert_offer(
    tx: &mut Tx<'_>,
    id: OfferId,
    order: &Order,
    answered_at: Option<At>,
) -> Result<(), Fault> {
    let answer = answered_at.map(|_| "accepted");
    tx.execute_one(
        INSERT_OFFER,
        p![id, order.id, order.carer, order.offered_at, order.offered_by, answered_at, answer],
    )
}

/// Ends whatever offer of the order is open (or was taken and is now given back).
pub(in crate::orders) fn end_offers(
    tx: &mut Tx<'_>,
    order: OrderId,
    answer: &str,
    reason: &str,
    at: At,
) -> Result<(), Fault> {
    tx.execute(END_OFFERS, p![order, at, answer, reason]).map(|_| ())
}
