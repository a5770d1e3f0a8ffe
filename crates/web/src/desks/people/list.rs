//! The list of people: filters in the address, one record beside it, out as a file or on paper.

use app::{
    outcome::{Answer, No},
    parties::people::{
        Card,
        search::{self, Cursor, FoundPeople, PeopleQuery, Sort},
    },
    regions,
    store::Tx,
};
use askama::Template;
use axum::{
    extract::{Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use domain::{
    access::Actor,
    ids::PersonId,
    money::thousands,
    parties::{Ability, Hardship, LivingArrangement, PersonState, name},
    time::Now,
};
use serde::Deserialize;

use super::{Choice, StateChip, Wrong, abilities, hardships, livings, record::Record, states};
use crate::{App, Html, Page, Reply, Signed, desks::regions as region_field, encode, filters};

/// What stands in the address; words that mean nothing are told and find nobody.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Params {
    q: String,
    region: String,
    age_from: String,
    age_to: String,
    living: String,
    hardship: String,
    ability: String,
    state: String,
    sort: String,
    limit: String,
    cols: String,
    page: String,
    open: String,
}

/// Columns one may add.
const COLUMNS: [(&str, &str); 3] = [("birth", "出生日期"), ("phone", "电话"), ("talk", "沟通")];
/// Lengths of a page.
const LIMITS: [&str; 3] = ["25", "50", "100"];

impl Params {
    fn pairs(&self) -> [(&'static str, &str); 13] {
        [
            ("q", &self.q),
            ("region", &self.region),
            ("age_from", &self.age_from),
            ("age_to", &self.age_to),
            ("living", &self.living),
            ("hardship", &self.hardship),
            ("ability", &self.ability),
            ("state", &self.state),
            ("sort", &self.sort),
            ("limit", &self.limit),
            ("cols", &self.cols),
            ("page", &self.page),
            ("open", &self.open),
        ]
    }

    /// The same list with some things otherwise.
    fn url(&self, path: &str, otherwise: &[(&str, &str)]) -> String {
        let mut url = path.to_owned();
        for (name, value) in self.pairs() {
            let value = otherwise.iter().find(|o| o.0 == name).map_or(value, |o| o.1).trim();
            if !value.is_empty() {
                url.push(if url.contains('?') { '&' } else { '?' });
                url.push_str(&format!("{name}={}", encode(value)));
            }
        }
        url
    }

    fn query(&self, tx: &mut Tx<'_>, actor: &Actor, now: Now, wrong: &mut Vec<Wrong>) -> Answer<PeopleQuery> {
        let region = match self.region.trim() {
            "" => None,
            text => match regions::locate(tx, actor, text, now) {
                Ok(region) => Some(region),
                Err(No::Refused(refusal)) => {
                    wrong.push(Wrong { field: "region".into(), text: refusal.to_string() });
                    None
                }
                Err(No::Fault(fault)) => return Err(fault.into()),
                Err(_) => return Err(No::NotFound),
            },
        };
        let mut age = |field: &str, text: &str| -> Option<u16> {
            let text = text.trim();
            let age = text.parse().ok().filter(|age| *age <= 150);
            if age.is_none() && !text.is_empty() {
                wrong.push(Wrong { field: field.into(), text: "年龄应为 0 到 150 的整数".into() });
            }
            age
        };
        Ok(PeopleQuery {
            text: self.q.clone(),
            region,
            age_from: age("age_from", &self.age_from),
            age_to: age("age_to", &self.age_to),
            living: LivingArrangement::from_code(&self.living),
            hardship: Hardship::from_code(&self.hardship),
            ability: Ability::from_code(&self.ability),
            state: PersonState::from_code(&self.state),
            sort: Sort::from_code(&self.sort).unwrap_or_default(),
            cursor: Cursor::parse(&self.page),
            limit: self.limit.parse().unwrap_or(25),
            count_most: None,
        })
    }

    fn has(&self, column: &str) -> bool {
        self.cols.split(',').any(|c| c == column)
    }
}

/// One row.
struct Line {
    href: String,
    name: String,
    sex: &'static str,
    age: u16,
    birth: String,
    place: String,
    labels: String,
    phone: String,
    talk: String,
    state: StateChip,
    open: bool,
}

impl Line {
    fn of(card: &Card, params: &Params) -> Line {
        let id = card.id.to_string();
        let talk = [card.hearing.as_str(), card.language.as_str()];
        Line {
            href: params.url("/people", &[("open", &id)]),
            name: card.name.clone(),
            sex: card.sex.label(),
            age: card.age,
            birth: card.birth.to_string(),
            place: card.region_path.clone(),
            labels: card.labels.join(" · "),
            phone: card.phone_masked.clone(),
            talk: talk.into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" · "),
            state: StateChip::of(card.state),
            open: params.open == id,
        }
    }
}

/// A filter that is set, and the list without it.
struct Removable {
    text: String,
    href: String,
}

/// A thing of a menu: a column or a length of page.
struct Toggle {
    label: String,
    href: String,
    on: bool,
}

/// What the pager needs.
struct Pages {
    from: String,
    to: String,
    total: String,
    prev: Option<String>,
    next: Option<String>,
}

/// A heading one sorts by.
struct Heading {
    href: String,
    mark: &'static str,
    sorted: &'static str,
}

#[derive(Template)]
#[template(path = "people/index.html")]
struct Index {
    page: Page,
    params: Params,
    as_of: String,
    total: String,
    lines: Vec<Line>,
    pages: Pages,
    wrong: Vec<Wrong>,
    removable: Vec<Removable>,
    columns: Vec<Toggle>,
    limits: Vec<Toggle>,
    by_name: Heading,
    by_age: Heading,
    by_place: Heading,
    newest: Toggle,
    csv: String,
    paper: String,
    regions: Vec<region_field::Choice>,
    livings: Vec<Choice>,
    hardships: Vec<Choice>,
    abilities: Vec<Choice>,
    states: Vec<Choice>,
    side: Option<Record>,
    close: String,
}

impl Index {
    fn error(&self, field: &str) -> &str {
        self.wrong.iter().find(|w| w.field == field).map_or("", |w| &w.text)
    }

    fn filtered(&self) -> bool {
        !self.removable.is_empty()
    }
}

/// `GET /people`
pub async fn index(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(params): Query<Params>,
) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let page = page.titled("老人", "people");
    let shown = app.read(move |tx, now| load(tx, &actor, page.clone(), params.clone(), now)).await?;
    Ok(Html(shown))
}

fn load(tx: &mut Tx<'_>, actor: &Actor, page: Page, params: Params, now: Now) -> Answer<Index> {
    let mut wrong = Vec::new();
    let query = params.query(tx, actor, now, &mut wrong)?;
    let found = if wrong.is_empty() {
        search::search(tx, actor, &query, now)?
    } else {
        FoundPeople { cards: Vec::new(), total: 0, more: false, offset: 0, next: None, prev: None }
    };
    let side = match params.open.parse::<PersonId>() {
        Ok(id) => match Record::load(tx, actor, id, now) {
            Ok(record) => Some(record),
            Err(No::NotFound) => None,
            Err(other) => return Err(other),
        },
        Err(_) => None,
    };
    let regions = region_field::choices(tx, actor, &params.region, now)?;
    let total = if found.more {
        format!("{}+", thousands(found.total as u64))
    } else {
        thousands(found.total as u64)
    };
    Ok(Index {
        as_of: now.0.clock(),
        lines: found.cards.iter().map(|card| Line::of(card, &params)).collect(),
        pages: pages(&found, &params, &total),
        total,
        removable: removable(&params, &page),
        columns: columns(&params),
        limits: limits(&params),
        by_name: heading(&params, query.sort, &[Sort::Name]),
        by_age: heading(&params, query.sort, &[Sort::Oldest, Sort::Youngest]),
        by_place: heading(&params, query.sort, &[Sort::Place]),
        newest: Toggle {
            label: "最近登记在前".into(),
            href: params.url("/people", &[("sort", "newest"), ("page", "")]),
            on: query.sort == Sort::Newest,
        },
        csv: params.url("/people/export.csv", &[("page", ""), ("open", ""), ("cols", ""), ("limit", "")]),
        paper: params.url("/people/print", &[("page", ""), ("open", ""), ("cols", ""), ("limit", "")]),
        livings: livings("全部", &params.living),
        hardships: hardships("全部", &params.hardship),
        abilities: abilities("全部", &params.ability),
        states: states("全部", &params.state),
        close: params.url("/people", &[("open", "")]),
        page,
        params,
        wrong,
        regions,
        side,
    })
}

fn pages(found: &FoundPeople, params: &Params, total: &str) -> Pages {
    let link = |cursor: &Option<Cursor>| {
        cursor.as_ref().map(|c| params.url("/people", &[("page", &c.to_text()), ("open", "")]))
    };
    let from = if found.cards.is_empty() { 0 } else { found.offset + 1 };
    Pages {
        from: thousands(from as u64),
        to: thousands((found.offset + found.cards.len()) as u64),
        total: total.to_owned(),
        prev: link(&found.prev),
        next: link(&found.next),
    }
}

fn heading(params: &Params, now: Sort, sorts: &[Sort]) -> Heading {
    // A second press turns the order round where there is another one.
    let at = sorts.iter().position(|s| *s == now);
    let next = sorts[at.map_or(0, |at| (at + 1) % sorts.len())];
    let (mark, sorted) = match (at, now) {
        (None, _) => ("", "none"),
        (_, Sort::Oldest) => (" ↓", "descending"),
        _ => (" ↑", "ascending"),
    };
    Heading { href: params.url("/people", &[("sort", next.code()), ("page", "")]), mark, sorted }
}

fn columns(params: &Params) -> Vec<Toggle> {
    COLUMNS
        .iter()
        .map(|(code, label)| {
            let on = params.has(code);
            let cols: Vec<&str> =
                COLUMNS.iter().map(|c| c.0).filter(|c| if c == code { !on } else { params.has(c) }).collect();
            let href = params.url("/people", &[("cols", &cols.join(","))]);
            Toggle { label: (*label).to_owned(), href, on }
        })
        .collect()
}

fn limits(params: &Params) -> Vec<Toggle> {
    let now = if params.limit.is_empty() { "25" } else { &params.limit };
    LIMITS
        .iter()
        .map(|limit| Toggle {
            label: format!("每页 {limit} 人"),
            href: params.url("/people", &[("limit", limit), ("page", "")]),
            on: *limit == now,
        })
        .collect()
}

fn removable(params: &Params, page: &Page) -> Vec<Removable> {
    let t = |text: &str| crate::text::translate(text, page.lang).into_owned();
    let word = |label: Option<&'static str>| label.map(t).unwrap_or_default();
    let all = [
        ("q", name::normalise(&params.q)),
        ("region", params.region.trim().to_owned()),
        ("age_from", format!("{} {}", params.age_from, t("岁及以上"))),
        ("age_to", format!("{} {}", params.age_to, t("岁及以下"))),
        ("living", word(LivingArrangement::from_code(&params.living).map(|x| x.label()))),
        ("hardship", word(Hardship::from_code(&params.hardship).map(|x| x.label()))),
        ("ability", word(Ability::from_code(&params.ability).map(|x| x.label()))),
        ("state", word(PersonState::from_code(&params.state).map(|x| x.label()))),
    ];
    let set = params.pairs();
    all.into_iter()
        .filter(|(name, text)| {
            !text.is_empty() && set.iter().any(|(n, value)| n == name && !value.trim().is_empty())
        })
        .map(|(name, text)| Removable {
            text,
            href: params.url("/people", &[(name, ""), ("page", ""), ("open", "")]),
        })
        .collect()
}

async fn taken_out(app: &App, signed: &Signed, params: Params) -> Reply<Vec<Card>> {
    let actor = signed.actor();
    let cards = app
        .write(move |tx, now| {
            let mut wrong = Vec::new();
            let query =
                params.query(tx, &actor, now, &mut wrong).map_err(|no| no.map(|never| match never {}))?;
            if !wrong.is_empty() {
                return Ok(Vec::new());
            }
            search::export(tx, &actor, &query, now)
        })
        .await?;
    Ok(cards)
}

/// `GET /people/export.csv`: the whole list, masked, for a spreadsheet. Who took it out is kept.
pub async fn export(State(app): State<App>, signed: Signed, Query(params): Query<Params>) -> Reply<Response> {
    let cards = taken_out(&app, &signed, params).await?;
    // The mark makes spreadsheets read UTF-8.
    let mut text = String::from("\u{FEFF}姓名,性别,年龄,出生日期,村（社区）,情况,电话（隐藏）,状态\r\n");
    for c in &cards {
        let cells = [
            safe(&c.name),
            c.sex.label().to_owned(),
            c.age.to_string(),
            c.birth.to_string(),
            safe(&c.region_path),
            c.labels.join("、"),
            c.phone_masked.clone(),
            c.state.label().to_owned(),
        ];
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    let name = format!("people-{}.csv", app.now().day());
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, text).into_response())
}

/// A cell that can neither end itself nor be taken for a formula.
fn safe(cell: &str) -> String {
    let plain = cell.replace(['"', '\r', '\n'], " ");
    let formula = plain.starts_with(['=', '+', '-', '@', '\t']);
    if formula || plain.contains(',') {
        format!("\"{}{plain}\"", if formula { "'" } else { "" })
    } else {
        plain
    }
}

#[derive(Template)]
#[template(path = "people/print_list.html")]
struct Paper {
    page: Page,
    as_of: String,
    conditions: Vec<Removable>,
    lines: Vec<Line>,
    total: String,
}

/// `GET /people/print`: the whole list, masked, on A4. Who took it out is kept.
pub async fn print(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(params): Query<Params>,
) -> Reply<Html<impl Template>> {
    let cards = taken_out(&app, &signed, params.clone()).await?;
    let page = page.titled("老人名册", "people");
    Ok(Html(Paper {
        as_of: app.now().0.minute(),
        conditions: removable(&params, &page),
        lines: cards.iter().map(|card| Line::of(card, &params)).collect(),
        total: thousands(cards.len() as u64),
        page,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_the_filters_and_drops_what_is_empty() {
        let params =
            Params { q: "王".into(), age_from: "80".into(), page: "a25.0.7.".into(), ..Params::default() };
        assert_eq!(params.url("/people", &[("page", "")]), "/people?q=%E7%8E%8B&age_from=80");
        assert_eq!(params.url("/people", &[("q", ""), ("age_from", ""), ("page", "")]), "/people");
    }

    #[test]
    fn a_cell_is_never_a_formula() {
        assert_eq!(safe("=1+1"), "\"'=1+1\"");
        assert_eq!(safe("a,\"b"), "\"a, b\"");
        assert_eq!(safe("王秀英"), "王秀英");
    }
}
