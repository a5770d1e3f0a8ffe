//! Lists of orders. The filter's narrowest key chooses the index; the rest is compared on the way.

use domain::{
    access::Scope,
    ids::{CarerId, OrderId},
    orders::{ACCEPT_MINUTES, ACCEPT_URGENT_MINUTES, OrderState, URGENT_ITEM},
    time::At,
};

use super::sex;
use crate::{
    orders::{Filter, Line, Page, lists::Home},
    p,
    store::{Fault, Row, Tx, Value},
};

/// The columns of a line; `$where` begins after WHERE.
macro_rules! line {
    ($where:literal) => {
        concat!(
            "SELECT o.id, o.region, o.person, n.name, n.birth, n.sex, n.address, n.lon, n.lat, o.service,
                COALESCE(i.name, o.service), o.start_at, o.end_at, o.state, o.price_fen, o.own_fen, o.placed_at,
                o.provider, COALESCE(v.name, ''), o.carer, COALESCE(c.name, ''), o.accepted_at, o.checked_in_at,
                o.checked_out_at, o.note, o.stars, o.call, o.partner, o.offered_at, o.escalated_at
            FROM orders o
            JOIN person n ON n.id = o.person
            LEFT JOIN service_item i ON i.code = o.service AND i.valid_from = o.service_from
            LEFT JOIN provider v ON v.id = o.provider
            LEFT JOIN carer c ON c.id = o.carer
            WHERE ",
            $where
        )
    };
}

/// What every list compares: scope, provider, states, item, person, carer.
macro_rules! rest {
    () => {
        "o.region BETWEEN ?1 AND ?2 AND (CAST(?3 AS BIGINT) = 0 OR o.provider = ?3)
            AND (?4 = '' OR ?4 LIKE '%,' || o.state || ',%') AND (?5 = '' OR o.service = ?5)
            AND (CAST(?8 AS BIGINT) = 0 OR o.person = ?8) AND (CAST(?9 AS BIGINT) = 0 OR o.carer = ?9)"
    };
}

/// A page of a list by the planned start, after (or before) the key ?10, ?11. One end of the time asked for is the key's
/// business; the plus sign keeps it from being taken for a better way into the index.
macro_rules! page {
    ($where:literal, up) => {
        concat!(
            line!($where),
            rest!(),
            " AND +o.start_at >= ?6 AND o.start_at < ?7 AND (o.start_at, o.id) > (?10, ?11)
            ORDER BY o.start_at, o.id LIMIT ?12"
        )
    };
    ($where:literal, down) => {
        concat!(
            line!($where),
            rest!(),
            " AND o.start_at >= ?6 AND +o.start_at < ?7 AND (o.start_at, o.id) < (?10, ?11)
            ORDER BY o.start_at DESC, o.id DESC LIMIT ?12"
        )
    };
}

crate::statements! {
    LINE = line!("o.id = ?1");
    LINES_UP = page!("", up);
    LINES_DOWN = page!("", down);
    LINES_AFTER = concat!(line!("o.id > ?10 AND "), rest!(),
        " AND o.start_at >= ?6 AND o.start_at < ?7 ORDER BY o.id LIMIT ?11");
    LINES_OF_PERSON_UP = page!("o.person = ?8 AND ", up);
    LINES_OF_PERSON_DOWN = page!("o.person = ?8 AND ", down);
    LINES_OF_PROVIDER_UP = page!("o.provider = ?3 AND ", up);
    LINES_OF_PROVIDER_DOWN = page!("o.provider = ?3 AND ", down);
    LINES_OF_CARER = line!("o.carer = ?1 AND o.start_at >= ?2 AND o.start_at < ?3 AND o.state <> 'cancelled'
        ORDER BY o.start_at, o.id LIMIT 200");
    LINES_BY_PARTNER = line!("o.partner = ?1 AND o.start_at >= ?2 AND o.start_at < ?3 AND o.state <> 'cancelled'
        ORDER BY o.start_at, o.id LIMIT 200");
    WAITING = line!("o.state IN ('placed', 'offered') AND o.region BETWEEN ?1 AND ?2
            AND (CAST(?3 AS BIGINT) = 0 OR o.provider = ?3) AND (o.state = 'placed' OR o.offered_at < ?4 OR o.escalated_at IS NOT NULL)
        ORDER BY CASE WHEN o.escalated_at IS NOT NULL THEN 0 WHEN o.state = 'offered' THEN 1 ELSE 2 END,
            o.placed_at + CASE o.service WHEN ?5 THEN CAST(?6 AS BIGINT) ELSE CAST(?7 AS BIGINT) END, o.id
        LIMIT ?8");
    COUNT = concat!("SELECT COUNT(*) FROM (SELECT 1 FROM orders o WHERE ", rest!(),
        " AND o.start_at >= ?6 AND o.start_at < ?7 LIMIT ?10) few");
}

fn line_row(row: &Row<'_>) -> Result<Line, Fault> {
    let home = row.get::<Option<f64>>(7)?.zip(row.get::<Option<f64>>(8)?);
    Ok(Line {
        id: row.get(0)?,
        region: row.get(1)?,
        person: row.get(2)?,
        person_name: row.get(3)?,
        person_birth: row.get(4)?,
        person_sex: sex(row, 5)?,
        address: row.get(6)?,
        home: home.map(|(lon, lat)| Home::of(lon, lat)),
        service: row.get(9)?,
        service_name: row.get(10)?,
        start_at: row.get(11)?,
        end_at: row.get(12)?,
        state: row.word(13, OrderState::from_code)?,
        price: row.get(14)?,
        own: row.get(15)?,
        placed_at: row.get(16)?,
        provider: row.get(17)?,
        provider_name: row.get(18)?,
        carer: row.get(19)?,
        carer_name: row.get(20)?,
        accepted_at: row.get(21)?,
        checked_in_at: row.get(22)?,
        checked_out_at: row.get(23)?,
        note: row.get(24)?,
        stars: row.get(25)?,
        call: row.get(26)?,
        partner: row.get(27)?,
        offered_at: row.get(28)?,
        escalated_at: row.get(29)?,
    })
}

pub(in crate::orders) fn line(tx: &mut Tx<'_>, id: OrderId) -> Result<Line, Fault> {
    tx.one(LINE, p![id], line_row)
}

fn wanted(filter: &Filter) -> String {
    if filter.states.is_empty() {
        return String::new();
    }
    filter.states.iter().fold(",".to_owned(), |text, state| text + state.code() + ",")
}

/// The first nine parameters of every list.
fn parameters<'a>(scope: Scope, filter: &'a Filter, states: &'a str) -> [Value<'a>; 9] {
    let own = if scope.provider == 0 { filter.provider.map_or(0, |p| p.0) } else { scope.provider };
    [
        Value::Int(scope.lo),
        Value::Int(scope.hi),
        Value::Int(own),
        Value::Text(states),
        Value::Text(filter.service.as_deref().unwrap_or("")),
        Value::Int(filter.from.map_or(0, |a| a.0)),
        Value::Int(filter.to.map_or(i64::MAX, |a| a.0)),
        Value::Int(filter.person.map_or(0, |p| p.0)),
        Value::Int(filter.carer.map_or(scope.carer, |c| c.0)),
    ]
}

pub(in crate::orders) fn lines(
    tx: &mut Tx<'_>,
    scope: Scope,
    filter: &Filter,
    page: Page,
) -> Result<Vec<Line>, Fault> {
    // A post that acts for one provider never sees another's, whatever the filter asks.
    if scope.provider != 0 && filter.provider.is_some_and(|p| p.0 != scope.provider) {
        return Ok(Vec::new());
    }
    let states = wanted(filter);
    let mut params = parameters(scope, filter, &states).to_vec();
    // What stands before a place is walked from there, away from the beginning.
    let down = page.latest_first != page.before;
    let end = match (page.from, down) {
        (Some(key), _) => (key.start_at.0, key.id.0),
        (None, true) => (filter.to.map_or(i64::MAX, |to| to.0), i64::MIN),
        (None, false) => (filter.from.map_or(i64::MIN, |from| from.0), i64::MIN),
    };
    params.extend([end.0, end.1, page.limit].map(Value::Int));
    let of_provider = scope.provider != 0 || filter.provider.is_some();
    let sql = match (filter.person.is_some(), of_provider, down) {
        (true, _, true) => LINES_OF_PERSON_DOWN,
        (true, _, false) => LINES_OF_PERSON_UP,
        (_, true, true) => LINES_OF_PROVIDER_DOWN,
        (_, true, false) => LINES_OF_PROVIDER_UP,
        (_, _, true) => LINES_DOWN,
        (_, _, false) => LINES_UP,
    };
    let mut lines = tx.all(sql, &params, line_row)?;
    if page.before {
        lines.reverse();
    }
    Ok(lines)
}

pub(in crate::orders) fn lines_after(
    tx: &mut Tx<'_>,
    scope: Scope,
    filter: &Filter,
    after: i64,
    limit: i64,
) -> Result<Vec<Line>, Fault> {
    if scope.provider != 0 && filter.provider.is_some_and(|p| p.0 != scope.provider) {
        return Ok(Vec::new());
    }
    let states = wanted(filter);
    let mut params = parameters(scope, filter, &states).to_vec();
    params.extend([Value::Int(after), Value::Int(limit.clamp(1, 501))]);
    tx.all(LINES_AFTER, &params, line_row)
}

/// How many there are, counted up to `most`.
pub(in crate::orders) fn count(
    tx: &mut Tx<'_>,
    scope: Scope,
    filter: &Filter,
    most: i64,
) -> Result<i64, Fault> {
    if scope.provider != 0 && filter.provider.is_some_and(|p| p.0 != scope.provider) {
        return Ok(0);
    }
    let states = wanted(filter);
    let mut params = parameters(scope, filter, &states).to_vec();
    params.push(Value::Int(most));
    tx.one(COUNT, &params, |row| row.get(0))
}

/// What a carer is to do between two instants, alone or as the partner of another.
pub(in crate::orders) fn lines_of_carer(
    tx: &mut Tx<'_>,
    carer: CarerId,
    from: At,
    to: At,
) -> Result<Vec<Line>, Fault> {
    let mut lines = tx.all(LINES_OF_CARER, p![carer, from, to], line_row)?;
    lines.extend(tx.all(LINES_BY_PARTNER, p![carer, from, to], line_row)?);
    lines.sort_by_key(|l| (l.start_at, l.id));
    Ok(lines)
}

/// Orders nobody has taken: asked in vain first, then by the deadline of `domain::orders`.
pub(in crate::orders) fn waiting(
    tx: &mut Tx<'_>,
    scope: Scope,
    asked_before: At,
    limit: i64,
) -> Result<Vec<Line>, Fault> {
    const MICROS: i64 = 60_000_000;
    let (urgent, other) = (ACCEPT_URGENT_MINUTES * MICROS, ACCEPT_MINUTES * MICROS);
    tx.all(
        WAITING,
        p![scope.lo, scope.hi, scope.provider, asked_before, URGENT_ITEM, urgent, other, limit],
        line_row,
    )
}
