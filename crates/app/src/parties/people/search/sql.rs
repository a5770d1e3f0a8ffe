//! Keys of people who fit a query, and the rows of a page.

use super::{Filter, Key, LAST_NAME, Needle, Sort};
use crate::{
    p,
    parties::people::{Row, sql::row},
    store::{Fault, Row as Found, Tx, Value},
};

/// What holds for every match. Each part without a wish holds for everybody, and every index that is walked has all the
/// columns. A column written `(x || '')` keeps the database from walking the index of that column: measured, it otherwise
/// takes the one of births for everything, because it cannot know that the span of births is nearly always everybody.
macro_rules! fits {
    () => {
        fits!("(p.birth || '')")
    };
    ($birth:literal) => {
        concat!(
            $birth,
            " >= ?3 AND ",
            $birth,
            " <= ?4 AND (p.kind & CAST(?5 AS BIGINT)) = CAST(?6 AS BIGINT)
            AND (CAST(?7 AS BIGINT) = 0 OR (p.kind & CAST(?7 AS BIGINT)) <> 0)"
        )
    };
}

/// The kinds there are that fit, read by leaps: from each to the next larger one.
macro_rules! kinds {
    () => {
        "(WITH RECURSIVE known (kind) AS (SELECT MIN(kind) FROM person
                UNION ALL SELECT (SELECT MIN(q.kind) FROM person q WHERE q.kind > known.kind) FROM known
                    WHERE known.kind IS NOT NULL)
            SELECT kind FROM known WHERE (kind & CAST(?5 AS BIGINT)) = CAST(?6 AS BIGINT)
                AND (CAST(?7 AS BIGINT) = 0 OR (kind & CAST(?7 AS BIGINT)) <> 0))"
    };
}

/// The key of a match; the name is only read from its row when one sorts by it.
macro_rules! keys {
    () => {
        "SELECT p.id, p.region, CASE CAST(?8 AS BIGINT) WHEN 1 THEN p.name WHEN 2 THEN p.birth ELSE '' END FROM person p"
    };
}

/// A walk along an index: filters, spans of name and initials, from a key on. `+` keeps the database from choosing the
/// index of regions, which would make it sort everything.
macro_rules! walk {
    ($text:literal, $from:expr, $order:literal) => {
        walk!($text, "(p.birth || '')", "(p.name || '')", $from, $order)
    };
    ($text:literal, $birth:literal, $name:literal, $from:expr, $order:literal) => {
        concat!(
            "SELECT p.id, p.region, ",
            $text,
            " FROM person p WHERE ",
            fits!($birth),
            " AND ",
            $name,
            " >= ?8 AND ",
            $name,
            " < ?9 AND (p.initials || '') >= ?10 AND (p.initials || '') < ?11 AND ",
            $from,
            " ORDER BY ",
            $order,
            " LIMIT ?15"
        )
    };
}

/// A walk from id to id; `$place` names the index of the place it may stay in.
macro_rules! ids {
    ($place:literal, $from:literal, $order:literal) => {
        walk!(
            "''",
            concat!(
                $place,
                "+p.region BETWEEN ?1 AND ?2 AND ?12 = ?12 AND CAST(?13 AS BIGINT) <= 1 AND ",
                $from
            ),
            $order
        )
    };
}

crate::statements! {
    ALL_IN = concat!(keys!(), " WHERE p.region BETWEEN ?1 AND ?2 AND ", fits!(), " LIMIT ?9");
    OF_KINDS = concat!(keys!(), " WHERE p.kind IN ", kinds!(), " AND p.region BETWEEN ?1 AND ?2
            AND (p.birth || '') >= ?3 AND (p.birth || '') <= ?4 LIMIT ?9");
    OF_BIRTHS = concat!(keys!(), " WHERE +p.region BETWEEN ?1 AND ?2 AND ", fits!("p.birth"), " LIMIT ?9");
    NAMED_IN = concat!(keys!(), " WHERE p.region BETWEEN ?1 AND ?2 AND ", fits!(), "
            AND (p.name || '') >= ?10 AND (p.name || '') < ?11 AND (p.initials || '') >= ?12 AND (p.initials || '') < ?13
        LIMIT ?9");
    BY_NAME = concat!(keys!(), " WHERE p.name >= ?10 AND p.name < ?11 AND +p.region BETWEEN ?1 AND ?2 AND ", fits!(),
        " LIMIT ?9");
    BY_INITIALS = concat!(keys!(), " WHERE p.initials >= ?10 AND p.initials < ?11 AND +p.region BETWEEN ?1 AND ?2 AND ",
        fits!(), " LIMIT ?9");
    BY_NUMBER = concat!(keys!(), " WHERE p.id_index = ?10 AND +p.region BETWEEN ?1 AND ?2 AND ", fits!(), " LIMIT ?9");
    BY_PHONE = concat!(keys!(), " WHERE p.id IN (SELECT id FROM person WHERE phone_index = ?10
            UNION SELECT person FROM contact WHERE phone_index = ?10) AND +p.region BETWEEN ?1 AND ?2 AND ", fits!(),
        " LIMIT ?9");
    BY_TAIL = concat!(keys!(), " WHERE p.id IN (SELECT id FROM person WHERE id_tail = ?10
            UNION SELECT id FROM person WHERE phone_tail = ?11) AND +p.region BETWEEN ?1 AND ?2 AND ", fits!(),
        " LIMIT ?9");
    BY_ID = concat!(keys!(), " WHERE p.id = ?10 AND +p.region BETWEEN ?1 AND ?2 AND ", fits!(), " LIMIT ?9");
    // How much there would be to look through: counted no further than it matters.
    COUNT_IN = "SELECT COUNT(*) FROM (SELECT 1 FROM person WHERE region BETWEEN ?1 AND ?2 LIMIT ?3) few";
    COUNT_BORN = "SELECT COUNT(*) FROM (SELECT 1 FROM person WHERE birth BETWEEN ?1 AND ?2 LIMIT ?3) few";
    COUNT_KINDS = concat!("SELECT COUNT(*) FROM (SELECT 1 FROM person p WHERE p.kind IN ", kinds!(), "
            AND p.region BETWEEN ?1 AND ?2 AND ?3 <= ?4 LIMIT ?8) few");
    PLACE_UP = walk!("''", "p.region >= ?1 AND p.region <= ?2 AND ?12 = ?12 AND (p.region, p.id) > (?13, ?14)",
        "p.region, p.id");
    PLACE_DOWN = walk!("''", "p.region >= ?1 AND p.region <= ?2 AND ?12 = ?12 AND (p.region, p.id) < (?13, ?14)",
        "p.region DESC, p.id DESC");
    NAME_UP = walk!("p.name", "(p.birth || '')", "p.name", "+p.region BETWEEN ?1 AND ?2 AND (p.name, p.region, p.id) > (?12, ?13, ?14)",
        "p.name, p.region, p.id");
    NAME_DOWN = walk!("p.name", "(p.birth || '')", "p.name", "+p.region BETWEEN ?1 AND ?2 AND (p.name, p.region, p.id) < (?12, ?13, ?14)",
        "p.name DESC, p.region DESC, p.id DESC");
    BIRTH_UP = walk!("p.birth", "p.birth", "(p.name || '')", "+p.region BETWEEN ?1 AND ?2 AND (p.birth, p.region, p.id) > (?12, ?13, ?14)",
        "p.birth, p.region, p.id");
    BIRTH_DOWN = walk!("p.birth", "p.birth", "(p.name || '')", "+p.region BETWEEN ?1 AND ?2 AND (p.birth, p.region, p.id) < (?12, ?13, ?14)",
        "p.birth DESC, p.region DESC, p.id DESC");
    ID_UP = ids!("", "p.id > ?14", "p.id");
    ID_DOWN = ids!("", "p.id < ?14", "p.id DESC");
    COUNTY_UP = ids!("(p.region / 1000000) = CAST(?1 AS BIGINT) / 1000000 AND ", "p.id > ?14", "p.id");
    COUNTY_DOWN = ids!("(p.region / 1000000) = CAST(?1 AS BIGINT) / 1000000 AND ", "p.id < ?14", "p.id DESC");
    TOWNSHIP_UP = ids!("(p.region / 1000) = CAST(?1 AS BIGINT) / 1000 AND ", "p.id > ?14", "p.id");
    TOWNSHIP_DOWN = ids!("(p.region / 1000) = CAST(?1 AS BIGINT) / 1000 AND ", "p.id < ?14", "p.id DESC");
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

/// Keys of up to `limit` people who fit, in no order. When the limit is reached they may lack what they are ordered by.
pub(super) fn collect(
    tx: &mut Tx<'_>,
    needle: &Needle,
    f: &Filter,
    sort: Sort,
    limit: usize,
) -> Result<Vec<Key>, Fault> {
    if sort == Sort::Name && !matches!(needle, Needle::Name(_)) {
        // Names stand in the rows, which are not worth reading when there are too many to be sorted here.
        let keys = collected(tx, needle, f, Sort::Place, limit)?;
        if keys.len() == limit {
            return Ok(keys);
        }
    }
    collected(tx, needle, f, sort, limit)
}

fn collected(
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
    let (all, span);
    let mut params = filter(f).to_vec();
    params.extend([Value::Int(by), Value::Int(limit as i64)]);
    let sql = match needle {
        Needle::All => narrowest(tx, f)?,
        Needle::Name(prefix) | Needle::Initials(prefix) => {
            (all, span) = ((String::new(), after("")), (prefix.clone(), after(prefix)));
            let named = matches!(needle, Needle::Name(_));
            if count_in(tx, f, FEW + 1)? <= FEW {
                let spans = if named { [&span, &all] } else { [&all, &span] };
                params.extend(spans.into_iter().flat_map(texts));
                NAMED_IN
            } else {
                params.extend(texts(&span));
                if named { BY_NAME } else { BY_INITIALS }
            }
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

fn texts((from, to): &(String, String)) -> [Value<'_>; 2] {
    [Value::Text(from), Value::Text(to)]
}

/// Fewer people in a place than this are looked through one by one for a name; a village or a small township.
const FEW: usize = 4_000;
/// Beyond this it no longer matters how much there is to look through: what one filters by is then not rare.
const MANY: usize = 50_000;

/// The first seven parameters: scope, births, kinds.
fn filter(f: &Filter) -> [Value<'_>; 7] {
    let [lo, hi] = [f.scope.lo, f.scope.hi].map(Value::Int);
    let [mask, want, any] = [f.kinds.mask, f.kinds.want, f.kinds.any].map(Value::Int);
    [lo, hi, Value::Text(&f.born_from), Value::Text(&f.born_to), mask, want, any]
}

/// The statement whose index leaves least to look through. The databases cannot tell: they plan without knowing what is
/// asked for, and one plan serves all.
fn narrowest(tx: &mut Tx<'_>, f: &Filter) -> Result<&'static str, Fault> {
    let other = if f.kinds.all() { ALL_IN } else { OF_KINDS };
    if !f.by_age() {
        return Ok(other);
    }
    let born = tx.one(COUNT_BORN, p![f.born_from, f.born_to, MANY as i64], few)?;
    let rest = if f.kinds.all() {
        count_in(tx, f, MANY)?
    } else {
        let params = [&filter(f)[..], &[Value::Int(MANY as i64)]].concat();
        tx.one(COUNT_KINDS, &params, few)?
    };
    Ok(if born < rest { OF_BIRTHS } else { other })
}

/// How many live in the place, counted up to `most`.
pub(super) fn count_in(tx: &mut Tx<'_>, f: &Filter, most: usize) -> Result<usize, Fault> {
    tx.one(COUNT_IN, p![f.scope.lo, f.scope.hi, most as i64], few)
}

fn few(row: &Found<'_>) -> Result<usize, Fault> {
    let count: i64 = row.get(0)?;
    usize::try_from(count).map_err(|_| Fault::other("a count is never negative"))
}

/// Codes of one township share all digits before these, codes of one county all before those.
const TOWNSHIP: i64 = 1_000;
const COUNTY: i64 = 1_000_000;

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
    let within = |unit: i64| f.scope.lo / unit == f.scope.hi / unit;
    let sql = match (sort, falls) {
        (Sort::Newest, false) if within(TOWNSHIP) => TOWNSHIP_UP,
        (Sort::Newest, true) if within(TOWNSHIP) => TOWNSHIP_DOWN,
        (Sort::Newest, false) if within(COUNTY) => COUNTY_UP,
        (Sort::Newest, true) if within(COUNTY) => COUNTY_DOWN,
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
            f.kinds.mask,
            f.kinds.want,
            f.kinds.any,
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
