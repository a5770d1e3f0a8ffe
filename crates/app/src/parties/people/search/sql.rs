//! Keys of people who fit a query, and the rows of a page.

use super::{Filter, Key, LAST_NAME, Needle, Sort};
use crate::{
    p,
    parties::people::{Row, sql::row},
    store::{Fault, Row as Found, Tx, Value},
};

/// What holds for every match. Each part without a wish holds for everybody; the index of regions has all the columns.
/// A column written `(x || '')` keeps the database from walking the index of that column: measured, it otherwise takes
/// the one of births for everything, because it cannot know that the span of births is nearly always everybody.
macro_rules! fits {
    () => {
        fits!("(p.birth || '')")
    };
    ($birth:literal) => {
        concat!(
            $birth,
            " >= ?3 AND ",
            $birth,
            " <= ?4 AND (?5 = '' OR p.living = ?5) AND (?6 = '' OR p.ability = ?6)
            AND (CAST(?7 AS BIGINT) = 0 OR (p.hardships & CAST(?7 AS BIGINT)) <> 0) AND (?8 = '' OR p.state = ?8)"
        )
    };
}

/// The key of a match; the name is only read from its row when one sorts by it.
macro_rules! keys {
    () => {
        "SELECT p.id, p.region, CASE CAST(?9 AS BIGINT) WHEN 1 THEN p.name WHEN 2 THEN p.birth ELSE '' END FROM person p"
    };
}

/// A walk along an index: filters, spans of name and initials, from a key on. `+` keeps the database from choosing the
/// index of regions, which would make it sort everything.
macro_rules! walk {
    ($text:literal, $from:literal, $order:literal) => {
        walk!($text, "(p.birth || '')", "(p.name || '')", $from, $order)
    };
    ($text:literal, $birth:literal, $name:literal, $from:literal, $order:literal) => {
        concat!(
            "SELECT p.id, p.region, ",
            $text,
            " FROM person p WHERE ",
            fits!($birth),
            " AND ",
            $name,
            " >= ?9 AND ",
            $name,
            " < ?10 AND (p.initials || '') >= ?11 AND (p.initials || '') < ?12 AND ",
            $from,
            " ORDER BY ",
            $order,
            " LIMIT ?16"
        )
    };
}

crate::statements! {
    ALL_IN = concat!(keys!(), " WHERE p.region BETWEEN ?1 AND ?2 AND ", fits!(), " LIMIT ?10");
    BY_NAME = concat!(keys!(), " WHERE p.name >= ?11 AND p.name < ?12 AND +p.region BETWEEN ?1 AND ?2 AND ", fits!(),
        " LIMIT ?10");
    BY_INITIALS = concat!(keys!(), " WHERE p.initials >= ?11 AND p.initials < ?12 AND +p.region BETWEEN ?1 AND ?2 AND ",
        fits!(), " LIMIT ?10");
    BY_NUMBER = concat!(keys!(), " WHERE p.id_index = ?11 AND +p.region BETWEEN ?1 AND ?2 AND ", fits!(), " LIMIT ?10");
    BY_PHONE = concat!(keys!(), " WHERE p.id IN (SELECT id FROM person WHERE phone_index = ?11
            UNION SELECT person FROM contact WHERE phone_index = ?11) AND +p.region BETWEEN ?1 AND ?2 AND ", fits!(),
        " LIMIT ?10");
    BY_TAIL = concat!(keys!(), " WHERE p.id IN (SELECT id FROM person WHERE id_tail = ?11
            UNION SELECT id FROM person WHERE phone_tail = ?12) AND +p.region BETWEEN ?1 AND ?2 AND ", fits!(),
        " LIMIT ?10");
    BY_ID = concat!(keys!(), " WHERE p.id = ?11 AND +p.region BETWEEN ?1 AND ?2 AND ", fits!(), " LIMIT ?10");
    PLACE_UP = walk!("''", "p.region >= ?1 AND p.region <= ?2 AND ?13 = ?13 AND (p.region, p.id) > (?14, ?15)",
        "p.region, p.id");
    PLACE_DOWN = walk!("''", "p.region >= ?1 AND p.region <= ?2 AND ?13 = ?13 AND (p.region, p.id) < (?14, ?15)",
        "p.region DESC, p.id DESC");
    NAME_UP = walk!("p.name", "(p.birth || '')", "p.name", "+p.region BETWEEN ?1 AND ?2 AND (p.name, p.region, p.id) > (?13, ?14, ?15)",
        "p.name, p.region, p.id");
    NAME_DOWN = walk!("p.name", "(p.birth || '')", "p.name", "+p.region BETWEEN ?1 AND ?2 AND (p.name, p.region, p.id) < (?13, ?14, ?15)",
        "p.name DESC, p.region DESC, p.id DESC");
    BIRTH_UP = walk!("p.birth", "p.birth", "(p.name || '')", "+p.region BETWEEN ?1 AND ?2 AND (p.birth, p.region, p.id) > (?13, ?14, ?15)",
        "p.birth, p.region, p.id");
    BIRTH_DOWN = walk!("p.birth", "p.birth", "(p.name || '')", "+p.region BETWEEN ?1 AND ?2 AND (p.birth, p.region, p.id) < (?13, ?14, ?15)",
        "p.birth DESC, p.region DESC, p.id DESC");
    ID_UP = walk!("''", "+p.region BETWEEN ?1 AND ?2 AND ?13 = ?13 AND CAST(?14 AS BIGINT) <= 1 AND p.id > ?15", "p.id");
    ID_DOWN = walk!("''", "+p.region BETWEEN ?1 AND ?2 AND ?13 = ?13 AND CAST(?14 AS BIGINT) <= 1 AND p.id < ?15",
        "p.id DESC");
    ROWS = concat!("SELECT ", super::super::sql::columns!(), " FROM person p WHERE p.id IN (
            ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
            ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, ?41, ?42, ?43, ?44,
            ?45, ?46, ?47, ?48, ?49, ?50)");
}

/// How many marks `ROWS` has.
const AT_ONCE: usize = 50;

/// The end of the span of everything that begins with a text.
fn after(prefix: &str) -> String {
    format!("{prefix}{LAST_NAME}")
}

fn key(found: &Found<'_>, sort: Sort) -> Result<Key, Fault> {
    Ok(Key {
        id: found.get(0)?,
        region: if sort == Sort::Newest { 0 } else { found.get(1)? },
        text: found.get(2)?,
    })
}

/// Keys of up to `limit` people who fit, in no order.
pub(super) fn collect(
    tx: &mut Tx<'_>,
    needle: &Needle,
    f: &Filter,
    sort: Sort,
    limit: usize,
) -> Result<Vec<Key>, Fault> {
    let by = match sort {
        Sort::Name => 1_i64,
        Sort::Oldest | Sort::Youngest => 2,
        Sort::Place | Sort::Newest => 0,
    };
    let limit = limit as i64;
    let (from, to);
    let mut params = p![
        f.scope.lo,
        f.scope.hi,
        f.born_from,
        f.born_to,
        f.living,
        f.ability,
        f.hardships,
        f.state,
        by,
        limit
    ]
    .to_vec();
    let sql = match needle {
        Needle::All => ALL_IN,
        Needle::Name(prefix) | Needle::Initials(prefix) => {
            (from, to) = (prefix.clone(), after(prefix));
            params.extend([Value::Text(&from), Value::Text(&to)]);
            if matches!(needle, Needle::Name(_)) { BY_NAME } else { BY_INITIALS }
        }
        Needle::IdNo(index) => {
            params.push(Value::Blob(index));
            BY_NUMBER
        }
        Needle::Phone(index) => {
            params.push(Value::Int(*index));
            BY_PHONE
        }
        Needle::Tail { id, phone } => {
            params.extend([Value::Int(*id), Value::Int(*phone)]);
            BY_TAIL
        }
        Needle::Register(id) => {
            params.push(Value::Int(*id));
            BY_ID
        }
    };
    tx.all(sql, &params, |found| key(found, sort))
}

/// The next keys along an order, after `from`; `falls` walks from the end.
pub(super) fn walk(
    tx: &mut Tx<'_>,
    needle: &Needle,
    f: &Filter,
    sort: Sort,
    falls: bool,
    from: Option<&Key>,
    limit: usize,
) -> Result<Vec<Key>, Fault> {
    let (mut names, mut initials) = ((String::new(), after("")), (String::new(), after("")));
    match needle {
        Needle::Name(prefix) => names = (prefix.clone(), after(prefix)),
        Needle::Initials(prefix) => initials = (prefix.clone(), after(prefix)),
        _ => {}
    }
    let edge = if falls {
        Key { text: after(""), region: i64::MAX, id: i64::MAX }
    } else {
        Key { text: String::new(), region: -1, id: -1 }
    };
    let edge = from.unwrap_or(&edge);
    let (mut lo, mut hi) = (f.scope.lo, f.scope.hi);
    let (mut born_from, mut born_to) = (f.born_from.as_str(), f.born_to.as_str());
    // The key also bounds the index, which two spans of one column would not do in every database.
    match (sort, falls) {
        (Sort::Place, false) => lo = lo.max(edge.region),
        (Sort::Place, true) => hi = hi.min(edge.region),
        (Sort::Name, false) => names.0 = names.0.max(edge.text.clone()),
        (Sort::Name, true) if from.is_some() => names.1 = names.1.min(format!("{}\u{1}", edge.text)),
        (Sort::Oldest | Sort::Youngest, false) => born_from = born_from.max(&edge.text),
        (Sort::Oldest | Sort::Youngest, true) => born_to = born_to.min(&edge.text),
        _ => {}
    }
    let sql = match (sort, falls) {
        (Sort::Place, false) => PLACE_UP,
        (Sort::Place, true) => PLACE_DOWN,
        (Sort::Name, false) => NAME_UP,
        (Sort::Name, true) => NAME_DOWN,
        (Sort::Oldest | Sort::Youngest, false) => BIRTH_UP,
        (Sort::Oldest | Sort::Youngest, true) => BIRTH_DOWN,
        (Sort::Newest, false) => ID_UP,
        (Sort::Newest, true) => ID_DOWN,
    };
    let region = if sort == Sort::Newest { 0 } else { edge.region };
    let limit = limit as i64;
    tx.all(
        sql,
        p![
            lo,
            hi,
            born_from,
            born_to,
            f.living,
            f.ability,
            f.hardships,
            f.state,
            names.0,
            names.1,
            initials.0,
            initials.1,
            edge.text,
            region,
            edge.id,
            limit
        ],
        |found| key(found, sort),
    )
}

/// The rows of these people, in this order.
pub(super) fn rows(tx: &mut Tx<'_>, ids: &[i64]) -> Result<Vec<Row>, Fault> {
    let mut rows = Vec::with_capacity(ids.len());
    for some in ids.chunks(AT_ONCE) {
        let params: Vec<Value<'_>> =
            (0..AT_ONCE).map(|n| some.get(n).map_or(Value::Null, |id| Value::Int(*id))).collect();
        let mut found = tx.all(ROWS, &params, row)?;
        found.sort_by_key(|r| some.iter().position(|id| *id == r.id.0));
        rows.append(&mut found);
    }
    Ok(rows)
}
