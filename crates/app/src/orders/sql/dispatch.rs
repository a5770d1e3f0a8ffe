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
    store::{Fault, Row, Tx, Value},
};

/// The carers who serve the order's region, nearest homes first; 0.67 shrinks a degree of longitude at 35° north. `CROSS`
/// leads by way of the providers who serve the place rather than through all carers of a wide scope.
macro_rules! near {
    ($rest:literal) => {
        concat!(
            "WITH near AS (SELECT c.id, c.provider FROM provider v CROSS JOIN carer c
                WHERE c.provider = v.id AND c.left_at IS NULL AND (CAST(?5 AS BIGINT) = 0 OR c.provider = ?5)
                    AND v.area_lo <= ?1 AND v.area_hi >= ?1
                    AND +c.region BETWEEN ?6 AND ?7
                ORDER BY CASE WHEN c.lon IS NULL OR CAST(?2 AS DOUBLE PRECISION) IS NULL THEN 1000.0
                    ELSE (c.lon - ?2) * (c.lon - ?2) * 0.67 + (c.lat - ?3) * (c.lat - ?3) END, c.id
                LIMIT ?4) ",
            $rest
        )
    };
}

/// Marks for so many carers at once, after three others.
macro_rules! carers {
    () => {
        "?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
            ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38,
            ?39, ?40, ?41, ?42, ?43, ?44, ?45, ?46, ?47, ?48, ?49, ?50, ?51, ?52, ?53"
    };
}

crate::statements! {
    CARER = "SELECT c.id, c.provider, v.name, c.name, c.sex, c.lon, c.lat, c.languages, c.work_from, c.work_to,
            c.work_days, c.takes_at_once, c.on_leave_from, c.on_leave_to, c.stars, c.ratings, v.contract_from,
            v.contract_to, v.area_lo, v.area_hi,
            (SELECT COUNT(*) FROM provider_service s WHERE s.provider = v.id AND s.service = ?2)
        FROM carer c JOIN provider v ON v.id = c.provider
        WHERE c.id = ?1 AND c.left_at IS NULL";
    CARERS_NEAR = near!("SELECT c.id, c.provider, v.name, c.name, c.sex, c.lon, c.lat, c.languages, c.work_from,
            c.work_to, c.work_days, c.takes_at_once, c.on_leave_from, c.on_leave_to, c.stars, c.ratings,
            v.contract_from, v.contract_to, v.area_lo, v.area_hi,
            (SELECT COUNT(*) FROM provider_service s WHERE s.provider = v.id AND s.service = ?8)
        FROM near JOIN carer c ON c.id = near.id JOIN provider v ON v.id = c.provider");
    SKILLS_OF = "SELECT s.carer, s.skill, s.valid_from, s.valid_to FROM carer_skill s
        WHERE s.carer IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
            ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36,
            ?37, ?38, ?39, ?40, ?41, ?42, ?43, ?44, ?45, ?46, ?47, ?48, ?49, ?50)
        ORDER BY s.carer, s.skill, s.valid_from";
    BOOKINGS_OF = concat!("SELECT b.who, b.start_at, b.end_at, b.minutes, n.lon, n.lat
        FROM (SELECT o.carer AS who, o.id, o.person, o.start_at, o.end_at, o.minutes, o.state FROM orders o
                WHERE o.carer IN (", carers!(), ") AND o.start_at >= ?2 AND o.start_at < ?3
            UNION ALL SELECT o.partner AS who, o.id, o.person, o.start_at, o.end_at, o.minutes, o.state FROM orders o
                WHERE o.partner IN (", carers!(), ") AND o.start_at >= ?2 AND o.start_at < ?3) b
        JOIN person n ON n.id = b.person
        WHERE b.id <> ?1 AND b.state <> 'cancelled'
        ORDER BY b.who, b.start_at");
    REFUSALS_SINCE = "SELECT carer, COUNT(*) FROM offer WHERE answered_at >= ?1 AND answer = 'declined' GROUP BY carer";
    SKILLS = "SELECT skill, valid_from, valid_to FROM carer_skill WHERE carer = ?1 ORDER BY skill, valid_from";
    BOOKINGS = "SELECT b.start_at, b.end_at, b.minutes, n.lon, n.lat
        FROM (SELECT id, person, start_at, end_at, minutes, state FROM orders
                WHERE carer = ?1 AND start_at >= ?3 AND start_at < ?4
            UNION ALL SELECT id, person, start_at, end_at, minutes, state FROM orders
                WHERE partner = ?1 AND start_at >= ?3 AND start_at < ?4) b
        JOIN person n ON n.id = b.person
        WHERE b.id <> ?2 AND b.state <> 'cancelled'
        ORDER BY b.start_at";
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
    /// Bit 0 is Monday.
    pub(in crate::orders) work_days: i64,
    pub(in crate::orders) takes_at_once: bool,
    pub(in crate::orders) on_leave_from: Option<String>,
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

/// A carer with everything that is asked for the planner.
pub(in crate::orders) struct CarerRows {
    pub(in crate::orders) carer: CarerId,
    pub(in crate::orders) row: CarerRow,
    pub(in crate::orders) skills: Vec<SkillRow>,
    pub(in crate::orders) bookings: Vec<BookingRow>,
    pub(in crate::orders) refusals: i64,
}

/// A certificate: what for, first and last day.
pub(in crate::orders) type SkillRow = (String, String, String);

/// The carers around a home.
pub(in crate::orders) struct Near<'a> {
    pub(in crate::orders) order: &'a Order,
    pub(in crate::orders) home: Option<(f64, f64)>,
    pub(in crate::orders) scope: Scope,
    pub(in crate::orders) limit: i64,
}

impl Near<'_> {
    /// The parameters of the list, and room for what a statement asks beyond it.
    fn with<'a>(&'a self, more: &[Value<'a>]) -> Vec<Value<'a>> {
        let degree = |d: Option<f64>| d.map_or(Value::Null, Value::Real);
        let (lon, lat) = self.home.unzip();
        let Scope { lo, hi, provider, .. } = self.scope;
        let ints = [self.limit, provider, lo, hi].map(Value::Int);
        let list = [Value::Int(self.order.region.number()), degree(lon), degree(lat)];
        [&list[..], &ints, more].concat()
    }

    pub(in crate::orders) fn carers(&self, tx: &mut Tx<'_>) -> Result<Vec<CarerRows>, Fault> {
        tx.all(CARERS_NEAR, &self.with(p![self.order.service]), |row| {
            let (skills, bookings) = (Vec::new(), Vec::new());
            Ok(CarerRows { carer: row.get(0)?, row: carer_row(row)?, skills, bookings, refusals: 0 })
        })
    }
}

/// How many carers are asked about at once.
const AT_ONCE: usize = 50;

/// These carers in lots of as many values as there are marks; what is left over finds nobody.
fn lots(carers: &[CarerId]) -> impl Iterator<Item = Vec<Value<'static>>> + '_ {
    carers.chunks(AT_ONCE).map(|lot| {
        (0..AT_ONCE).map(|n| lot.get(n).map_or(Value::Null, |carer| Value::Int(carer.0))).collect()
    })
}

pub(in crate::orders) fn each_skill(
    tx: &mut Tx<'_>,
    carers: &[CarerId],
    mut each: impl FnMut(CarerId, SkillRow),
) -> Result<(), Fault> {
    for lot in lots(carers) {
        tx.each(SKILLS_OF, &lot, |row| {
            each(row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?));
            Ok(())
        })?;
    }
    Ok(())
}

/// What these carers are promised to between two instants, other than one order.
pub(in crate::orders) fn each_booking(
    tx: &mut Tx<'_>,
    carers: &[CarerId],
    but: OrderId,
    (from, to): (At, At),
    mut each: impl FnMut(CarerId, BookingRow),
) -> Result<(), Fault> {
    for lot in lots(carers) {
        let params = [p![but, from, to], &lot].concat();
        tx.each(BOOKINGS_OF, &params, |row| {
            each(row.get(0)?, booking_row(row, 1)?);
            Ok(())
        })?;
    }
    Ok(())
}

/// How often each carer declined since a moment: the few of a day, whosever they are.
pub(in crate::orders) fn each_refusal(
    tx: &mut Tx<'_>,
    since: At,
    mut each: impl FnMut(CarerId, i64),
) -> Result<(), Fault> {
    tx.each(REFUSALS_SINCE, p![since], |row| {
        each(row.get(0)?, row.get(1)?);
        Ok(())
    })
}

pub(in crate::orders) fn carer(
    tx: &mut Tx<'_>,
    id: CarerId,
    service: &str,
) -> Result<Option<CarerRow>, Fault> {
    tx.find(CARER, p![id, service], carer_row)
}

fn carer_row(row: &Row<'_>) -> Result<CarerRow, Fault> {
    Ok(CarerRow {
        provider: row.get(1)?,
        provider_name: row.get(2)?,
        name: row.get(3)?,
        sex: sex(row, 4)?,
        place: row.get::<Option<f64>>(5)?.zip(row.get(6)?),
        languages: row.get(7)?,
        work_from: row.get(8)?,
        work_to: row.get(9)?,
        work_days: row.get(10)?,
        takes_at_once: row.get(11)?,
        on_leave_from: row.get(12)?,
        on_leave_to: row.get(13)?,
        stars: row.get(14)?,
        ratings: row.get(15)?,
        contract_from: row.get(16)?,
        contract_to: row.get(17)?,
        area: (row.get(18)?, row.get(19)?),
        offers_item: row.get::<i64>(20)? > 0,
    })
}

/// Reads a booking whose start stands in column `n`.
fn booking_row(row: &Row<'_>, n: usize) -> Result<BookingRow, Fault> {
    Ok(BookingRow {
        start: row.get(n)?,
        end: row.get(n + 1)?,
        minutes: row.get(n + 2)?,
        place: row.get::<Option<f64>>(n + 3)?.zip(row.get(n + 4)?),
    })
}

pub(in crate::orders) fn skills(tx: &mut Tx<'_>, carer: CarerId) -> Result<Vec<SkillRow>, Fault> {
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
    tx.all(BOOKINGS, p![carer, but, from, to], |row| booking_row(row, 0))
}

pub(in crate::orders) fn last_carer(
    tx: &mut Tx<'_>,
    person: PersonId,
    before: At,
) -> Result<Option<CarerId>, Fault> {
    Ok(tx.find(LAST_CARER, p![person, before], |row| row.get::<Option<CarerId>>(0))?.flatten())
}

/// Takes the carer's row for this transaction, unless nobody else can write anyway.
pub(in crate::orders) fn lock_carer(tx: &mut Tx<'_>, carer: CarerId) -> Result<(), Fault> {
    if tx.alone() { Ok(()) } else { tx.execute(LOCK_CARER, p![carer]).map(drop) }
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
