//! Lists of incidents and their histories.

use domain::{
    access::Scope,
    ids::{AccountId, IncidentId},
    signals::{
        incident::IncidentFactKind,
        ladder::{Reach, ReachResult},
    },
};

use super::{COLUMNS, columns, row, word};
use crate::{
    p,
    signals::incidents::{DraftLine, FactLine, Filter, Line, StepLine},
    store::{Fault, Row, Tx, Value},
};

/// An incident with the names a list shows.
macro_rules! line {
    () => {
        concat!(
            "SELECT ",
            columns!(),
            ", COALESCE(p.name, ''), COALESCE(o.name, ''), COALESCE(c.name, ''),
                (SELECT COUNT(*) FROM incident_member m WHERE m.incident = i.id AND m.left_at IS NULL), p.birth
            FROM incident i
            LEFT JOIN person p ON p.id = i.person
            LEFT JOIN account o ON o.id = i.owner
            LEFT JOIN account c ON c.id = i.closed_by"
        )
    };
}

/// What a filter asks for.
macro_rules! wanted {
    () => {
        " WHERE i.region BETWEEN ?1 AND ?2
            AND (?3 = '' OR ?3 LIKE '%,' || i.state || ',%')
            AND (?4 = '' OR ?4 LIKE '%,' || i.level || ',%')
            AND (?5 = '' OR ?5 LIKE '%,' || i.kind || ',%')
            AND (CAST(?6 AS BIGINT) = 0 OR i.person = ?6)
            AND (CAST(?7 AS BIGINT) = 0 OR i.device = ?7)
            AND (CAST(?8 AS BIGINT) = 0 OR i.owner = ?8)
            AND (CAST(?9 AS BIGINT) = 0 OR i.area = ?9)
            AND (CAST(?10 AS BIGINT) = 0 OR i.state = 'closed' AND i.level_top = 'P1' AND i.reviewed_at IS NULL)
            AND i.received_at >= ?11 AND i.received_at < ?12
            AND (?13 = '' OR ?13 LIKE '%,' || i.outcome || ',%')
            AND (CAST(?14 AS BIGINT) < 0 OR i.answered_at IS NULL OR i.answered_at - i.received_at > ?14)"
    };
}

crate::statements! {
    LINE = concat!(line!(), " WHERE i.id = ?1");
    DESK = concat!(line!(), " WHERE i.region BETWEEN ?1 AND ?2 AND i.state <> 'closed' AND i.state <> 'attached'
        ORDER BY CASE i.state WHEN 'ringing' THEN 0 ELSE 1 END, i.level, i.received_at, i.id LIMIT ?3");
    LINES = concat!(line!(), wanted!(), " AND i.id < ?15 ORDER BY i.id DESC LIMIT ?16");
    COUNT = concat!("SELECT COUNT(*) FROM incident i", wanted!());
    FACTS = "SELECT f.n, f.at, f.by_account, COALESCE(a.name, ''), f.kind, f.text, f.detail
        FROM incident_fact f LEFT JOIN account a ON a.id = f.by_account
        WHERE f.incident = ?1 ORDER BY f.n";
    STEPS = "SELECT round, step, reach, label, due_at, done_at, stopped_at, result, result_at
        FROM incident_step WHERE incident = ?1 ORDER BY round, due_at, step";
    DRAFTS = "SELECT d.account, COALESCE(a.name, ''), d.at, d.text
        FROM incident_draft d LEFT JOIN account a ON a.id = d.account
        WHERE d.incident = ?1 AND d.text <> '' ORDER BY d.at DESC";
}

fn line_row(r: &Row<'_>) -> Result<Line, Fault> {
    Ok(Line {
        incident: row(r)?,
        person_name: r.get(COLUMNS)?,
        owner_name: r.get(COLUMNS + 1)?,
        closed_name: r.get(COLUMNS + 2)?,
        devices: r.get(COLUMNS + 3)?,
        person_birth: r.get(COLUMNS + 4)?,
    })
}

/// Words between commas, so that one of them can be looked for.
fn words(words: impl Iterator<Item = &'static str>) -> String {
    let all: Vec<&str> = words.collect();
    if all.is_empty() { String::new() } else { format!(",{},", all.join(",")) }
}

struct Wanted {
    scope: Scope,
    states: String,
    levels: String,
    kinds: String,
    outcomes: String,
}

impl Wanted {
    fn of(scope: Scope, filter: &Filter) -> Wanted {
        Wanted {
            scope: scope.narrowed(filter.region),
            states: words(filter.states.iter().map(|x| x.code())),
            levels: words(filter.levels.iter().map(|x| x.code())),
            kinds: words(filter.kinds.iter().map(|x| x.code())),
            outcomes: words(filter.outcomes.iter().map(|x| x.code())),
        }
    }

    fn parameters<'a>(&'a self, filter: &'a Filter) -> Vec<Value<'a>> {
        vec![
            Value::Int(self.scope.lo),
            Value::Int(self.scope.hi),
            Value::Text(&self.states),
            Value::Text(&self.levels),
            Value::Text(&self.kinds),
            Value::Int(filter.person.map_or(0, |x| x.0)),
            Value::Int(filter.device.map_or(0, |x| x.0)),
            Value::Int(filter.owner.map_or(0, |x| x.0)),
            Value::Int(filter.area.map_or(0, |x| x.0)),
            Value::Int(i64::from(filter.to_review)),
            Value::Int(filter.from.map_or(0, |x| x.0)),
            Value::Int(filter.to.map_or(i64::MAX, |x| x.0)),
            Value::Text(&self.outcomes),
            Value::Int(filter.slower_than.map_or(-1, |seconds| seconds.saturating_mul(1_000_000))),
        ]
    }
}

pub(crate) fn line(tx: &mut Tx<'_>, id: IncidentId) -> Result<Option<Line>, Fault> {
    tx.find(LINE, p![id], line_row)
}

pub(crate) fn desk(tx: &mut Tx<'_>, scope: Scope, limit: i64) -> Result<Vec<Line>, Fault> {
    tx.all(DESK, p![scope.lo, scope.hi, limit], line_row)
}

pub(crate) fn lines(
    tx: &mut Tx<'_>,
    scope: Scope,
    filter: &Filter,
    before: Option<IncidentId>,
    limit: i64,
) -> Result<Vec<Line>, Fault> {
    let wanted = Wanted::of(scope, filter);
    let mut parameters = wanted.parameters(filter);
    parameters.extend([Value::Int(before.map_or(i64::MAX, |b| b.0)), Value::Int(limit)]);
    tx.all(LINES, &parameters, line_row)
}

pub(crate) fn count(tx: &mut Tx<'_>, scope: Scope, filter: &Filter) -> Result<i64, Fault> {
    let wanted = Wanted::of(scope, filter);
    tx.one(COUNT, &wanted.parameters(filter), |row| row.get(0))
}

pub(crate) fn facts(tx: &mut Tx<'_>, id: IncidentId) -> Result<Vec<FactLine>, Fault> {
    tx.all(FACTS, p![id], |row| {
        Ok(FactLine {
            n: row.get(0)?,
            at: row.get(1)?,
            by: AccountId(row.get(2)?),
            by_name: row.get(3)?,
            kind: row.word(4, IncidentFactKind::from_code)?,
            text: row.get(5)?,
            detail: row.get(6)?,
        })
    })
}

pub(crate) fn steps(tx: &mut Tx<'_>, id: IncidentId) -> Result<Vec<StepLine>, Fault> {
    tx.all(STEPS, p![id], |row| {
        Ok(StepLine {
            round: row.get(0)?,
            step: row.get(1)?,
            reach: row.word(2, Reach::from_code)?,
            label: row.get(3)?,
            due_at: row.get(4)?,
            done_at: row.get(5)?,
            stopped_at: row.get(6)?,
            result: word(row, 7, ReachResult::from_code)?,
            result_at: row.get(8)?,
        })
    })
}

pub(crate) fn drafts(tx: &mut Tx<'_>, id: IncidentId) -> Result<Vec<DraftLine>, Fault> {
    tx.all(DRAFTS, p![id], |row| {
        Ok(DraftLine { by: AccountId(row.get(0)?), by_name: row.get(1)?, at: row.get(2)?, text: row.get(3)? })
    })
}
