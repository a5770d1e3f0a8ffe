//! The month's money of each provider: what waits, statements, and the steps of three people.

mod sheet;

use app::{
    ledger::statements::{self, Filter, Open, State as Standing, Statement},
    outcome::{Never, No},
    parties::providers,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
};
use domain::{
    access::Act,
    ids::{ProviderId, StatementId},
    money::Fen,
    time::Month,
};
use serde::Deserialize;

use super::fields::{Choice, PAGE, Pages};
use crate::{App, Html, Page, Problem, Reply, Signed, encode, filters, see_with};

pub use sheet::{lines, show};

/// A chip: which kind, with which word.
struct Chip {
    kind: &'static str,
    word: &'static str,
}

fn chip(state: Standing) -> Chip {
    let kind = match state {
        Standing::Made | Standing::Checked => "info",
        Standing::Paid => "done",
        Standing::Returned => "attention",
    };
    Chip { kind, word: state.label() }
}

/// What the list is asked for.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct Asked {
    #[serde(default)]
    month: String,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    offset: i64,
}

impl Asked {
    fn filter(&self) -> Filter {
        Filter {
            month: Month::parse(&self.month).map(|m| m.to_string()).unwrap_or_default(),
            provider: self.provider.parse().ok(),
            state: Standing::from_code(&self.state),
        }
    }

    fn address(&self) -> String {
        let part = |name: &str, value: &str| match value {
            "" => String::new(),
            value => format!("{name}={}&", encode(value)),
        };
        let (month, provider) = (part("month", &self.month), part("provider", &self.provider));
        format!("/statements?{month}{provider}{}", part("state", &self.state))
    }
}

struct Row {
    statement: Statement,
    chip: Chip,
}

#[derive(Template)]
#[template(path = "statements/index.html")]
struct Index {
    page: Page,
    asked: Asked,
    providers: Vec<Choice>,
    states: Vec<Choice>,
    rows: Vec<Row>,
    pages: Pages,
    total: Fen,
    /// The month whose open orders are shown.
    month: String,
    open: Vec<Open>,
    may_make: bool,
}

/// Statements with what is settled and on none yet.
pub async fn index(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(asked): Query<Asked>,
) -> Reply<Html<impl Template>> {
    let page = page.titled("结算", "statements");
    let (actor, query) = (signed.actor(), asked.clone());
    let may_make = actor.may(Act::SettleOrders).is_ok();
    let month = Month::parse(&asked.month).unwrap_or(app.now().month());
    let (list, (count, total), open, names) = app
        .read(move |tx, _| {
            let filter = query.filter();
            let list = statements::list(tx, &actor, &filter, query.offset, PAGE)?;
            let sums = statements::count(tx, &actor, &filter)?;
            let mut open = statements::open(tx, &actor, month)?;
            open.retain(|o| filter.provider.is_none_or(|p| p == o.provider));
            Ok::<_, No<Never>>((list, sums, open, providers::names(tx, &actor)?))
        })
        .await?;
    let providers = names
        .into_iter()
        .map(|(id, name)| {
            let id = id.to_string();
            let chosen = id == asked.provider;
            Choice::new(id, name, chosen)
        })
        .collect();
    let states = Standing::ALL
        .into_iter()
        .map(|s| Choice::new(s.code(), s.label(), s.code() == asked.state))
        .collect();
    let rows = list.into_iter().map(|s| Row { chip: chip(s.state()), statement: s }).collect();
    let pages = Pages::of(&asked.address(), asked.offset, count);
    let month = month.to_string();
    Ok(Html(Index { page, asked, providers, states, rows, pages, total, month, open, may_make }))
}

/// Whose month is to be made.
#[derive(Debug, Deserialize)]
pub struct Make {
    provider: String,
    month: String,
}

/// Makes the statement of a provider's month.
pub async fn create(State(app): State<App>, signed: Signed, Form(form): Form<Make>) -> Reply {
    let provider: ProviderId = form.provider.parse().map_err(|_| Problem::not_found())?;
    let month = Month::parse(&form.month).ok_or_else(|| Problem::malformed("月份应写成 2026-11 这样"))?;
    let actor = signed.actor();
    let id = app.write(move |tx, now| statements::make(tx, &actor, provider, month, now)).await?;
    Ok(see_with(&format!("/statements/{id}"), "已制单，请另一位同事复核", None))
}

fn id_of(text: &str) -> Reply<StatementId> {
    text.parse().map_err(|_| Problem::not_found())
}

/// The second person's step.
pub async fn check(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply {
    let id = id_of(&id)?;
    let actor = signed.actor();
    app.write(move |tx, now| statements::check(tx, &actor, id, now)).await?;
    Ok(see_with(&format!("/statements/{id}"), "已复核，等待财政支付", None))
}

/// The third person's step.
pub async fn pay(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply {
    let id = id_of(&id)?;
    let actor = signed.actor();
    app.write(move |tx, now| statements::pay(tx, &actor, id, now)).await?;
    Ok(see_with(&format!("/statements/{id}"), "已支付并记账", None))
}

/// Why a statement is sent back.
#[derive(Debug, Deserialize)]
pub struct Why {
    #[serde(default)]
    why: String,
}

/// Sends a statement back.
pub async fn send_back(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    Form(form): Form<Why>,
) -> Reply {
    let id = id_of(&id)?;
    let actor = signed.actor();
    app.write(move |tx, now| statements::send_back(tx, &actor, id, &form.why, now)).await?;
    Ok(see_with(&format!("/statements/{id}"), "已退回，工单可以重新制单", None))
}
