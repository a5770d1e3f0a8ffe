//! The list of orders and the same list as a file.

use app::{
    orders::{self, COUNTED_MOST, Filter, Key, Line},
    outcome::{Never, No},
    parties::providers,
    programmes, regions,
    store::Tx,
};
use askama::Template;
use axum::{
    extract::{Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use domain::{
    access::{Act, Actor},
    ids::OrderId,
    orders::OrderState,
    time::{At, Now},
};
use serde::Deserialize;

use super::look;
use crate::{
    App, Html, Page, Reply, Signed,
    desks::accounts::{Choice, region_names, region_typed},
    encode, filters,
};

/// Orders on one page of the list.
const PAGE: i64 = 50;

/// What the list is narrowed to; lives in the address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Ask {
    state: String,
    region: String,
    service: String,
    from: String,
    to: String,
    provider: String,
    person: String,
    carer: String,
    sort: String,
    page: String,
}

impl Ask {
    /// The page asked for, with how many orders stand before it; the first where the address says nothing.
    fn window(&self) -> (orders::Page, i64) {
        let mut page =
            orders::Page { latest_first: self.latest_first(), limit: PAGE + 1, ..Default::default() };
        let Some((before, key, offset)) = place(&self.page) else { return (page, 0) };
        (page.before, page.from) = (before, Some(key));
        (page, offset)
    }

    fn latest_first(&self) -> bool {
        self.sort != "earliest"
    }

    /// The query of the address without the page.
    fn query(&self) -> String {
        let all = [
            ("state", &self.state),
            ("region", &self.region),
            ("service", &self.service),
            ("from", &self.from),
            ("to", &self.to),
            ("provider", &self.provider),
            ("person", &self.person),
            ("carer", &self.carer),
            ("sort", &self.sort),
        ];
        let said = all.into_iter().filter(|(_, value)| !value.is_empty());
        said.map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
    }

    fn address(&self, path: &str, page: &str) -> String {
        let query = self.query();
        match (query.is_empty(), page) {
            (true, "") => path.to_owned(),
            (true, page) => format!("{path}?page={page}"),
            (false, "") => format!("{path}?{query}"),
            (false, page) => format!("{path}?{query}&page={page}"),
        }
    }

    fn narrowed(&self) -> bool {
        let sort = Ask { sort: self.sort.clone(), ..Ask::default() };
        self.query() != sort.query()
    }

    /// The filter, or what is wrong with the region. Days are whole days of the city; both ends count.
    fn filter(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        now: Now,
    ) -> Result<(Filter, Option<String>), No<Never>> {
        let (region, wrong) = match region_typed(tx, actor, &self.region, now)? {
            Ok(region) => (region, None),
            Err(wrong) => (None, Some(wrong)),
        };
        let day =
            |text: &str| text.trim().parse().ok().map(|day: domain::time::Day| At::from_local(day.into()));
        let filter = Filter {
            states: OrderState::from_code(&self.state).into_iter().collect(),
            region,
            person: self.person.parse().ok(),
            provider: self.provider.parse().ok(),
            carer: self.carer.parse().ok(),
            service: Some(self.service.clone()).filter(|s| !s.is_empty()),
            from: day(&self.from),
            to: day(&self.to).map(|to| to.plus_minutes(24 * 60)),
        };
        Ok((filter, wrong))
    }
}

struct Row {
    href: String,
    title: String,
    person: String,
    address: String,
    start: String,
    carer: String,
    provider: String,
    look: &'static str,
    state: &'static str,
    price: String,
    own: String,
}

struct Pages {
    from: i64,
    to: i64,
    total: String,
    prev: Option<String>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "orders/index.html")]
struct Index {
    page: Page,
    ask: Ask,
    narrowed: bool,
    states: Vec<Choice>,
    services: Vec<Choice>,
    providers: Vec<Choice>,
    regions: Vec<String>,
    region_wrong: Option<String>,
    /// Name of the person or carer the list is narrowed to, and the list without that.
    only: Option<(String, String)>,
    rows: Vec<Row>,
    pages: Pages,
    sort: Sort,
    export: String,
    too_many: bool,
    then: String,
}

struct Sort {
    latest_first: bool,
    href: String,
}

/// `GET /orders`
pub async fn index(State(app): State<App>, signed: Signed, page: Page, Query(ask): Query<Ask>) -> Reply {
    let actor = signed.actor();
    let shown = app
        .read(move |tx, now| {
            let (filter, region_wrong) = ask.filter(tx, &actor, now)?;
            let total = orders::count(tx, &actor, &filter)?;
            let (window, offset) = ask.window();
            let mut lines = orders::lines(tx, &actor, &filter, window)?;
            let pages = pages(&ask, total, window, offset, &mut lines);
            let book = regions::book(tx)?;
            let step = regions::children(tx, &actor, None, now)?;
            let only = lines.first().and_then(|line| only(&ask, line));
            let other_way = if ask.latest_first() { "earliest" } else { "" };
            let turned = Ask { sort: other_way.to_owned(), ..ask.clone() };
            Ok::<_, No<Never>>(Index {
                page: page.clone().titled("工单", "orders"),
                narrowed: ask.narrowed(),
                states: states(&ask.state),
                services: services(tx, &ask.service, now)?,
                providers: names(tx, &actor, &ask.provider)?,
                regions: region_names(&book, &actor, now, &step.items),
                region_wrong,
                only,
                rows: lines.iter().map(|line| row(line, now)).collect(),
                pages,
                sort: Sort { latest_first: ask.latest_first(), href: turned.address("/orders", "") },
                export: ask.address("/orders/export.csv", ""),
                too_many: total == COUNTED_MOST,
                then: now.0.clock(),
                ask: ask.clone(),
            })
        })
        .await?;
    Ok(Html(shown).into_response())
}

fn only(ask: &Ask, line: &Line) -> Option<(String, String)> {
    if !ask.person.is_empty() {
        let without = Ask { person: String::new(), ..ask.clone() };
        return Some((line.person_name.clone(), without.address("/orders", "")));
    }
    let without = Ask { carer: String::new(), ..ask.clone() };
    (!ask.carer.is_empty()).then(|| (line.carer_name.clone(), without.address("/orders", "")))
}

fn states(chosen: &str) -> Vec<Choice> {
    let choice = |state: &OrderState| Choice {
        value: state.code().to_owned(),
        label: state.label().to_owned(),
        chosen: state.code() == chosen,
    };
    OrderState::ALL.iter().map(choice).collect()
}

fn services(tx: &mut Tx<'_>, chosen: &str, now: Now) -> Result<Vec<Choice>, No<Never>> {
    let items = programmes::catalogue_on(tx, now.day())?;
    let choice = |item: domain::programmes::ServiceItem| Choice {
        chosen: item.code == chosen,
        label: format!("{} {}", item.code, item.name),
        value: item.code,
    };
    Ok(items.into_iter().map(choice).collect())
}

/// Providers to choose from; a post that acts for one, or sees none, has nothing to choose.
fn names(tx: &mut Tx<'_>, actor: &Actor, chosen: &str) -> Result<Vec<Choice>, No<Never>> {
    if actor.provider.is_some() || actor.may(Act::SeeProviders).is_err() {
        return Ok(Vec::new());
    }
    let names = providers::names(tx, actor)?;
    let choice = |(id, name): (domain::ids::ProviderId, String)| Choice {
        chosen: id.to_string() == chosen,
        value: id.to_string(),
        label: name,
    };
    Ok(names.into_iter().map(choice).collect())
}

fn row(line: &Line, now: Now) -> Row {
    Row {
        href: format!("/orders/{}", line.id),
        title: line.service_name.clone(),
        person: line.person_name.clone(),
        address: line.address.clone(),
        start: line.start_at.as_seen(now),
        carer: line.carer_name.clone(),
        provider: line.provider_name.clone(),
        look: look(line.state),
        state: line.state.label(),
        price: line.price.to_string(),
        own: line.own.to_string(),
    }
}

/// A place as it stands in an address: after or before an order's start and id, with how many stand before the page.
fn place_text(before: bool, key: Key, offset: i64) -> String {
    format!("{}{}.{}.{offset}", if before { 'b' } else { 'a' }, key.start_at.0, key.id.0)
}

fn place(text: &str) -> Option<(bool, Key, i64)> {
    let (before, rest) = match text.split_at_checked(1)? {
        ("a", rest) => (false, rest),
        ("b", rest) => (true, rest),
        _ => return None,
    };
    let mut numbers = rest.splitn(3, '.').map(|n| n.parse::<i64>().ok());
    let (start_at, id) = (At(numbers.next()??), OrderId(numbers.next()??));
    Some((before, Key { start_at, id }, numbers.next()??.clamp(0, i64::from(u32::MAX))))
}

/// The pages around the one shown; one line more was asked for, which tells whether there is a further page.
fn pages(ask: &Ask, total: i64, window: orders::Page, offset: i64, lines: &mut Vec<Line>) -> Pages {
    let further = lines.len() as i64 > PAGE;
    match (further, window.before) {
        (true, true) => drop(lines.remove(0)),
        (true, false) => drop(lines.pop()),
        _ => {}
    }
    let shown = lines.len() as i64;
    // Going back one reaches the first page sooner or later than was counted when orders came meanwhile.
    let offset = if window.before && !further { 0 } else { offset };
    let (has_prev, has_next) = if window.before { (further, true) } else { (window.from.is_some(), further) };
    let link = |before, line: Option<&Line>, offset: i64| {
        line.map(|line| ask.address("/orders", &place_text(before, line.key(), offset)))
    };
    let all = domain::money::thousands(total.unsigned_abs());
    Pages {
        from: if shown == 0 { 0 } else { offset + 1 },
        to: offset + shown,
        total: if total == COUNTED_MOST { format!("{all}+") } else { all },
        prev: has_prev.then(|| link(true, lines.first(), (offset - PAGE).max(0))).flatten(),
        next: has_next.then(|| link(false, lines.last(), offset + shown)).flatten(),
    }
}

/// `GET /orders/export.csv`: the list as a file a spreadsheet opens. Taking a list away is put on record.
pub async fn export(State(app): State<App>, signed: Signed, Query(ask): Query<Ask>) -> Reply {
    let (actor, wish) = (signed.actor(), ask.clone());
    let (lines, day) = app
        .read(move |tx, now| {
            let (filter, _) = wish.filter(tx, &actor, now)?;
            Ok::<_, No<Never>>((orders::export(tx, &actor, &filter, wish.latest_first())?, now.day()))
        })
        .await?;
    let (actor, rows, query) = (signed.actor(), lines.len(), ask.query());
    app.write(move |tx, now| orders::exported(tx, &actor, rows, &query, now)).await?;
    Ok(file(&format!("orders-{day}.csv"), &table(&lines)))
}

fn file(name: &str, text: &str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    // Spreadsheets take a file for UTF-8 only when it begins with this mark.
    (headers, format!("\u{feff}{text}")).into_response()
}

const HEAD: [&str; 13] = [
    "工单号",
    "状态",
    "项目",
    "老人",
    "住址",
    "计划开始",
    "计划结束",
    "服务商",
    "服务人员",
    "签到",
    "签退",
    "价格（元）",
    "其中自付（元）",
];

fn table(lines: &[Line]) -> String {
    let mut text = HEAD.join(",") + "\r\n";
    let at = |at: Option<At>| at.map(At::minute).unwrap_or_default();
    let yuan = |fen: domain::money::Fen| format!("{}.{:02}", fen.0 / 100, fen.0 % 100);
    for line in lines {
        let cells = [
            line.id.to_string(),
            line.state.label().to_owned(),
            line.service_name.clone(),
            line.person_name.clone(),
            line.address.clone(),
            line.start_at.minute(),
            line.end_at.minute(),
            line.provider_name.clone(),
            line.carer_name.clone(),
            at(line.checked_in_at),
            at(line.checked_out_at),
            yuan(line.price),
            yuan(line.own),
        ];
        text += &cells.map(|cell| quoted(&cell)).join(",");
        text += "\r\n";
    }
    text
}

/// A cell as it must be written. What a spreadsheet would take for a formula is given a mark that makes it text, and
/// so is a long number, of which a spreadsheet would drop the last digits.
fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let long = cell.len() > 15 && cell.bytes().all(|b| b.is_ascii_digit());
    let cell = if formula || long { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_cell_is_never_a_formula_nor_two_cells() {
        for (cell, written) in [
            ("王秀英", "王秀英"),
            ("3 号楼, 101", "\"3 号楼, 101\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("-1", "'-1"),
            ("1234567890123456789", "'1234567890123456789"),
        ] {
            assert_eq!(quoted(cell), written);
        }
    }
}
