//! Finds the header: below the title lines, one line or two, merged or not.

use super::book::{Row, Table, Value};
use super::fields::{self, Field};
use super::mapping::{Column, ERROR_TITLE, Mapping};

/// Lines with anything in them that may stand above the header.
const LOOK_AT: usize = 30;

/// What the columns mean, as far as the titles tell. Always gives all columns, so that a clerk can
/// name them where we could not.
pub(super) fn guess(table: &Table) -> Mapping {
    let width = table.width();
    let rows = &table.rows[..table.rows.len().min(LOOK_AT)];
    let mut best: Option<(usize, Mapping)> = None;
    for (at, row) in rows.iter().enumerate() {
        let (score, mapping) = candidate(row, table.rows.get(at + 1), width);
        // Only a better one replaces, so the upper line wins a draw.
        if mapping.plausible() && best.as_ref().is_none_or(|(highest, _)| score > *highest) {
            best = Some((score, mapping));
        }
    }
    let mut mapping = best.map(|(_, mapping)| mapping).unwrap_or_else(|| untitled(width));
    mapping.epoch_1904 = table.epoch_1904;
    mapping
}

/// The line alone, or with the one below it when both have something to say: a title above a
/// header adds nothing to it, and a person below a header takes nothing from it.
fn candidate(row: &Row, below: Option<&Row>, width: u32) -> (usize, Mapping) {
    let score = |mapping: &Mapping| mapping.columns.iter().filter(|c| c.field.is_some()).count();
    let alone = single(row, width);
    if let Some(below) = below
        && let Some(both) = double(row, below, width)
        && score(&both) >= score(&alone)
        && score(&both) > score(&single(below, width))
    {
        return (score(&both), both);
    }
    (score(&alone), alone)
}

fn single(row: &Row, width: u32) -> Mapping {
    let titles = (0..width).map(|at| own_text(row, at));
    build(vec![row.number], titles.map(|title| (fields::recognise(&title), title)))
}

/// Two lines read together, when the lower one looks like titles.
fn double(upper: &Row, lower: &Row, width: u32) -> Option<Mapping> {
    let own: Vec<String> = (0..width).map(|at| own_text(lower, at)).collect();
    let titles: Vec<&String> = own.iter().filter(|t| !t.is_empty()).collect();
    let like_a_title = |t: &&&String| t.chars().count() <= 14 && !t.chars().any(|c| c.is_ascii_digit());
    if titles.is_empty() || titles.iter().filter(like_a_title).count() < titles.len() {
        return None;
    }
    let known = titles.iter().filter(|t| fields::recognise(t).is_some()).count();
    if lower.number != upper.number + 1 || known * 2 < titles.len() {
        return None;
    }
    let mut above = String::new();
    let mut columns = Vec::new();
    for at in 0..width {
        let bottom = own[at as usize].clone();
        let top = upper.cell(at).map(|c| c.text().trim().to_owned()).unwrap_or_default();
        // Without merged cells (a text file) a title over several columns stands in the first.
        let spans = top.is_empty() && !bottom.is_empty() && at > 0 && !own[at as usize - 1].is_empty();
        if !spans {
            above = top;
        }
        columns.push(join(&above, &bottom));
    }
    Some(build(vec![upper.number, lower.number], columns.into_iter()))
}

fn join(top: &str, bottom: &str) -> (Option<Field>, String) {
    if bottom.is_empty() {
        return (fields::recognise(top), top.to_owned());
    }
    if top.is_empty() || top == bottom {
        return (fields::recognise(bottom), bottom.to_owned());
    }
    let whole = format!("{top}{bottom}");
    let field = if fields::qualifies(top) {
        fields::recognise(&whole)
    } else {
        fields::recognise(bottom).or_else(|| fields::recognise(&whole))
    };
    (field, whole)
}

fn build(header_rows: Vec<u32>, titles: impl Iterator<Item = (Option<Field>, String)>) -> Mapping {
    let mut mapping = Mapping { header_rows, ..Mapping::default() };
    for (index, (mut field, title)) in (0u32..).zip(titles) {
        if fields::plain(&title) == ERROR_TITLE {
            mapping.error_column = Some(index);
            field = None;
        }
        // The first of two equal columns is the one that is filled.
        if field.is_some_and(|f| !f.repeatable() && mapping.has(f)) {
            field = None;
        }
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        mapping.columns.push(Column { index, title, field });
    }
    mapping
}

fn untitled(width: u32) -> Mapping {
    build(Vec::new(), (0..width).map(|_| (None, String::new())))
}

fn own_text(row: &Row, at: u32) -> String {
    match row.cell(at) {
        Some(cell) if !cell.blank() && matches!(cell.value, Value::Text(_)) => cell.text().trim().to_owned(),
        _ => String::new(),
    }
}
