//! Rows the dispatch desk shows: lanes of a day, declines, offers, figures.

use domain::{
    access::Scope,
    ids::{CarerId, OrderId},
    orders::OrderState,
    time::At,
};

use crate::{
    orders::{Block, Day, Decline, Lane, LaneAsk, OfferLine, lists::Home},
    p,
    store::{Fault, Row, Tx, Value},
};

/// Carers of the scope with a visit between ?5 and ?6 whose or whose provider's name holds ?4. The visits of the day lead
/// to them: asking each carer of a city for visits takes a hundred times as long.
macro_rules! working {
    () => {
        "c.id IN (SELECT o.carer FROM orders o WHERE o.start_at >= ?5 AND o.start_at < ?6 AND o.state <> 'cancelled'
                    AND o.carer IS NOT NULL
                UNION SELECT o.partner FROM orders o WHERE o.start_at >= ?5 AND o.start_at < ?6
                    AND o.state <> 'cancelled' AND o.partner IS NOT NULL)
            AND c.left_at IS NULL AND +c.region BETWEEN ?1 AND ?2 AND (CAST(?3 AS BIGINT) = 0 OR c.provider = ?3)
            AND (?4 = '' OR c.name LIKE '%' || ?4 || '%' OR v.name LIKE '%' || ?4 || '%')"
    };
}

/// The lanes of one page of the timeline.
macro_rules! lanes {
    ($rest:literal) => {
        concat!(
            "WITH lane AS (SELECT c.id, c.name, v.name AS provider_name, c.on_leave_from, c.on_leave_to
                FROM carer c JOIN provider v ON v.id = c.provider WHERE ",
            working!(),
            " ORDER BY v.name, c.name, c.id LIMIT ?7 OFFSET ?8) ",
            $rest
        )
    };
}

crate::statements! {
    LANES_COUNT = concat!("SELECT COUNT(*) FROM carer c JOIN provider v ON v.id = c.provider WHERE ", working!());
    LANES = lanes!("SELECT id, name, provider_name, on_leave_from, on_leave_to FROM lane
        ORDER BY provider_name, name, id");
    BLOCKS = lanes!("SELECT b.who, b.id, b.start_at, b.end_at, b.state, COALESCE(i.name, b.service), n.name,
            n.lon, n.lat, b.checked_in_at, b.checked_out_at
        FROM (SELECT lane.id AS who, o.id, o.person, o.service, o.service_from, o.start_at, o.end_at, o.state,
                    o.checked_in_at, o.checked_out_at
                FROM lane JOIN orders o ON o.carer = lane.id AND o.start_at >= ?5 AND o.start_at < ?6
            UNION ALL SELECT lane.id AS who, o.id, o.person, o.service, o.service_from, o.start_at, o.end_at, o.state,
                    o.checked_in_at, o.checked_out_at
                FROM lane JOIN orders o ON o.partner = lane.id AND o.start_at >= ?5 AND o.start_at < ?6) b
        JOIN person n ON n.id = b.person
        LEFT JOIN service_item i ON i.code = b.service AND i.valid_from = b.service_from
        WHERE b.state <> 'cancelled'
        ORDER BY b.who, b.start_at");
    DECLINES_OF_WAITING = "SELECT f.order_id, c.name, f.reason, f.answered_at, COALESCE(i.name, o.service), n.name
        FROM orders o
        JOIN offer f ON f.order_id = o.id AND f.answer = 'declined'
        JOIN carer c ON c.id = f.carer
        JOIN person n ON n.id = o.person
        LEFT JOIN service_item i ON i.code = o.service AND i.valid_from = o.service_from
        WHERE o.state IN ('placed', 'offered') AND o.region BETWEEN ?1 AND ?2 AND (CAST(?3 AS BIGINT) = 0 OR o.provider = ?3)
        ORDER BY f.answered_at";
    DECLINES_SINCE = "SELECT f.order_id, c.name, f.reason, f.answered_at, COALESCE(i.name, o.service), n.name
        FROM offer f
        JOIN orders o ON o.id = f.order_id
        JOIN carer c ON c.id = f.carer
        JOIN person n ON n.id = o.person
        LEFT JOIN service_item i ON i.code = o.service AND i.valid_from = o.service_from
        WHERE f.answer = 'declined' AND f.answered_at >= ?4 AND o.region BETWEEN ?1 AND ?2
            AND (CAST(?3 AS BIGINT) = 0 OR c.provider = ?3)
        ORDER BY f.answered_at DESC LIMIT ?5";
    OFFERS = "SELECT c.name, f.offered_at, f.answered_at, f.answer, f.reason
        FROM offer f JOIN carer c ON c.id = f.carer
        WHERE f.order_id = ?1 ORDER BY f.id";
    DAY = "SELECT COUNT(*), COUNT(o.checked_out_at), COUNT(o.checked_in_at),
            COUNT(CASE WHEN o.checked_in_at <= o.start_at + ?6 THEN 1 END)
        FROM orders o
        WHERE o.start_at >= ?4 AND o.start_at < ?5 AND o.region BETWEEN ?1 AND ?2
            AND (CAST(?3 AS BIGINT) = 0 OR o.provider = ?3) AND o.state <> 'cancelled'";
}

/// The first six parameters of every question about lanes.
fn day_of<'a>(scope: Scope, ask: &'a LaneAsk) -> [Value<'a>; 6] {
    let from = At::from_local(ask.day.into());
    let to = from.plus_minutes(24 * 60);
    let [lo, hi, provider, from, to] = [scope.lo, scope.hi, scope.provider, from.0, to.0].map(Value::Int);
    [lo, hi, provider, Value::Text(&ask.name), from, to]
}

fn page<'a>(scope: Scope, ask: &'a LaneAsk) -> Vec<Value<'a>> {
    let window = [Value::Int(ask.limit.clamp(1, 100)), Value::Int(ask.offset.max(0))];
    [&day_of(scope, ask)[..], &window].concat()
}

pub(in crate::orders) fn lanes_count(tx: &mut Tx<'_>, scope: Scope, ask: &LaneAsk) -> Result<i64, Fault> {
    tx.one(LANES_COUNT, &day_of(scope, ask), |row| row.get(0))
}

pub(in crate::orders) fn lanes(tx: &mut Tx<'_>, scope: Scope, ask: &LaneAsk) -> Result<Vec<Lane>, Fault> {
    let on = ask.day.to_string();
    tx.all(LANES, &page(scope, ask), |row| {
        let (from, to): (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
        Ok(Lane {
            carer: row.get(0)?,
            name: row.get(1)?,
            provider_name: row.get(2)?,
            on_leave: from.is_none_or(|from| from <= on) && to.is_some_and(|to| on <= to),
            blocks: Vec::new(),
        })
    })
}

pub(in crate::orders) fn blocks(
    tx: &mut Tx<'_>,
    scope: Scope,
    ask: &LaneAsk,
) -> Result<Vec<(CarerId, Block)>, Fault> {
    tx.all(BLOCKS, &page(scope, ask), |row| {
        let (start, end): (At, At) = (row.get(2)?, row.get(3)?);
        let home = row.get::<Option<f64>>(7)?.zip(row.get::<Option<f64>>(8)?);
        let block = Block {
            order: row.get(1)?,
            from: row.get::<Option<At>>(9)?.unwrap_or(start),
            to: row.get::<Option<At>>(10)?.unwrap_or(end),
            planned: start,
            state: row.word(4, OrderState::from_code)?,
            service_name: row.get(5)?,
            person_name: row.get(6)?,
            ride: 0,
            home: home.map(|(lon, lat)| Home::of(lon, lat)),
        };
        Ok((row.get(0)?, block))
    })
}

fn decline(row: &Row<'_>) -> Result<Decline, Fault> {
    Ok(Decline {
        order: row.get(0)?,
        carer_name: row.get(1)?,
        reason: row.get(2)?,
        at: row.get(3)?,
        service_name: row.get(4)?,
        person_name: row.get(5)?,
    })
}

pub(in crate::orders) fn declines_of_waiting(tx: &mut Tx<'_>, scope: Scope) -> Result<Vec<Decline>, Fault> {
    tx.all(DECLINES_OF_WAITING, p![scope.lo, scope.hi, scope.provider], decline)
}

pub(in crate::orders) fn declines_since(
    tx: &mut Tx<'_>,
    scope: Scope,
    since: At,
    limit: i64,
) -> Result<Vec<Decline>, Fault> {
    tx.all(DECLINES_SINCE, p![scope.lo, scope.hi, scope.provider, since, limit], decline)
}

pub(in crate::orders) fn offers(tx: &mut Tx<'_>, order: OrderId) -> Result<Vec<OfferLine>, Fault> {
    tx.all(OFFERS, p![order], |row| {
        Ok(OfferLine {
            carer_name: row.get(0)?,
            offered_at: row.get(1)?,
            answered_at: row.get(2)?,
            answer: row.get(3)?,
            reason: row.get(4)?,
        })
    })
}

pub(in crate::orders) fn day(
    tx: &mut Tx<'_>,
    scope: Scope,
    from: At,
    to: At,
    window_minutes: i64,
) -> Result<Day, Fault> {
    let window = window_minutes * 60_000_000;
    tx.one(DAY, p![scope.lo, scope.hi, scope.provider, from, to, window], |row| {
        Ok(Day { visits: row.get(0)?, done: row.get(1)?, begun: row.get(2)?, on_time: row.get(3)? })
    })
}
