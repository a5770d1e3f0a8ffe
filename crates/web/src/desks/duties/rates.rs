//! The visit rate of a month by township, as the guidance counts it.

use app::{
    outcome::Answer,
    regions,
    signals::duties::{self, Rate},
    store::Tx,
};
use askama::Template;
use axum::extract::{Query, State};
use domain::{
    access::Actor,
    time::{Month, Now},
};
use serde::Deserialize;

use crate::{App, Html, Page, Reply, Signed, filters};

/// Below this share of a thousand a township needs a look: the guidance asks for all.
const GOAL_PER_MILLE: i64 = 1_000;

/// Which month.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    month: String,
}

struct Line {
    place: String,
    listed: i64,
    visited: i64,
    left: i64,
    apart: i64,
    rate: String,
    good: Option<bool>,
}

impl Line {
    fn of(rate: &Rate, place: String) -> Line {
        let share = rate.per_mille();
        Line {
            place,
            listed: rate.listed,
            visited: rate.visited,
            left: rate.listed - rate.visited,
            apart: rate.apart,
            rate: share.map_or("–".to_owned(), |p| format!("{}.{}%", p / 10, p % 10)),
            good: share.map(|p| p >= GOAL_PER_MILLE),
        }
    }
}

#[derive(Template)]
#[template(path = "duties/rates.html")]
struct Show {
    page: Page,
    month: String,
    before: String,
    after: Option<String>,
    lines: Vec<Line>,
    total: Line,
    running: bool,
    then: String,
}

fn load(tx: &mut Tx<'_>, actor: &Actor, page: Page, month: Month, now: Now) -> Answer<Show> {
    let book = regions::book(tx)?;
    let rates = duties::month_rate(tx, actor, month, None)?;
    let sum = |of: fn(&Rate) -> i64| rates.iter().map(of).sum::<i64>();
    let listed = sum(|r| r.listed);
    let region = rates.first().map(|r| r.region);
    let total = match region {
        Some(region) => Line::of(
            &Rate { region, listed, visited: sum(|r| r.visited), apart: sum(|r| r.apart) },
            String::new(),
        ),
        None => Line {
            place: String::new(),
            listed: 0,
            visited: 0,
            left: 0,
            apart: 0,
            rate: "–".to_owned(),
            good: None,
        },
    };
    let (first, next) = month.span();
    let this = now.month();
    Ok(Show {
        month: month.to_string(),
        before: Month::of(first.plus_minutes(-1).day()).to_string(),
        after: (month < this).then(|| Month::of(next.day()).to_string()),
        lines: rates.iter().map(|r| Line::of(r, book.path_of(r.region))).collect(),
        total,
        running: month == this,
        then: now.0.clock(),
        page,
    })
}

/// `GET /duties/rates`
pub async fn show(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(wanted): Query<Wanted>,
) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let page = page.titled("巡访率", "duties");
    let this = app.now().month();
    let month = Month::parse(&wanted.month).filter(|m| *m <= this).unwrap_or(this);
    Ok(Html(app.read(move |tx, now| load(tx, &actor, page.clone(), month, now)).await?))
}
