//! The carer's phone: the day, the one next step, the proof of the visit, and the hours of the month.

mod step;
mod unfinished;
mod visit;

use app::{
    orders::{self, Line, Served},
    outcome::{Answer, Never, No},
    store::Tx,
};
use askama::Template;
use axum::extract::{Query, State};
use domain::{
    access::Actor,
    ids::CarerId,
    money::Minutes,
    orders::OrderState,
    time::{Month, Now},
};
use serde::Deserialize;

use crate::{App, Html, Page, Reply, Signed, desks::errands::Mine, filters};

pub use step::Step;
pub use unfinished::{empty_visit, interruption};
pub use visit::{acceptance, arrival, departure, photo, photos, refusal, show, telephone};

/// Body of a request with photographs: four from a phone's camera as they are, with room for the rest of the form.
pub const PHOTO_BODY_MAX: usize = 4 * orders::PHOTO_BYTES_MAX + 64 * 1024;

/// One visit in the list of the day.
#[derive(Debug)]
struct Item {
    id: String,
    /// `14:15`, or `明天 14:15`.
    time: String,
    name: String,
    what: String,
    state: OrderState,
    /// Comes along with another carer who signs in and out.
    partner: bool,
}

impl Item {
    fn of(line: &Line, me: Option<CarerId>, now: Now) -> Item {
        Item {
            id: line.id.to_string(),
            time: line.start_at.as_seen(now),
            name: line.person_name.clone(),
            what: format!("{} · {}", line.service_name, length(line)),
            state: line.state,
            partner: line.carer != me,
        }
    }
}

fn length(line: &Line) -> Minutes {
    Minutes(line.end_at.minutes_since(line.start_at))
}

/// Whether a step of this carer is still to come.
fn to_do(line: &Line, me: Option<CarerId>) -> bool {
    line.carer == me
        && matches!(line.state, OrderState::Offered | OrderState::Accepted | OrderState::InService)
}

#[derive(Template)]
#[template(path = "carer/day.html")]
struct Day {
    page: Page,
    errands: Mine,
    next: Option<visit::Visit>,
    later: Vec<Item>,
    done: Vec<Item>,
    month: String,
}

/// The day: what is next, what comes then, what is done.
pub async fn day(State(app): State<App>, page: Page, signed: Signed) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let page = page.titled("今天", "carer");
    let within = page.clone();
    let ((next, later, done, served), errands) = app
        .read(move |tx, now| {
            Ok::<_, No<Never>>((today(tx, &actor, now)?, Mine::load(tx, &actor, within.clone(), now)?))
        })
        .await?;
    Ok(Html(Day { page, errands, next, later, done, month: in_words(&served) }))
}

type Today = (Option<visit::Visit>, Vec<Item>, Vec<Item>, Vec<Served>);

fn today(tx: &mut Tx<'_>, actor: &Actor, now: Now) -> Answer<Today> {
    let lines = orders::my_day(tx, actor, now)?;
    let served = orders::my_month(tx, actor, now.month())?;
    let me = actor.carer;
    // Whoever is in a home finishes there first.
    let next = lines
        .iter()
        .find(|l| l.state == OrderState::InService && l.carer == me)
        .or_else(|| lines.iter().find(|l| to_do(l, me)))
        .map(|l| l.id);
    let item = |l: &Line| Item::of(l, me, now);
    let open =
        |l: &Line| matches!(l.state, OrderState::Offered | OrderState::Accepted | OrderState::InService);
    let later = lines.iter().filter(|l| Some(l.id) != next && open(l)).map(item).collect();
    let done = lines.iter().filter(|l| !open(l) && l.start_at.day() == now.day()).map(item).collect();
    let next = match next {
        None => None,
        Some(id) => Some(visit::load(tx, actor, id, now).map_err(|no| match no {
            No::Fault(fault) => No::Fault(fault),
            No::Forbidden(forbidden) => No::Forbidden(forbidden),
            No::NotFound | No::Refused(_) => No::NotFound,
        })?),
    };
    Ok((next, later, done, served))
}

/// `12 次 · 9 小时 30 分钟`
fn in_words(served: &[Served]) -> String {
    let minutes: i64 = served.iter().filter_map(|s| s.minutes).map(|m| m.0).sum();
    format!("{} 次 · {}", served.len(), Minutes(minutes))
}

/// Which month.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    month: Option<String>,
}

/// One visit of the month.
struct Done {
    id: String,
    when: String,
    name: String,
    what: String,
    minutes: String,
    state: OrderState,
}

#[derive(Template)]
#[template(path = "carer/pay.html")]
struct Pay {
    page: Page,
    month: String,
    before: String,
    after: Option<String>,
    visits: usize,
    minutes: Minutes,
    settled: usize,
    settled_minutes: Minutes,
    rows: Vec<Done>,
}

/// The month's visits and minutes. What is paid for them is between the carer and the provider.
pub async fn pay(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(wanted): Query<Wanted>,
) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let page = page.titled("工时与报酬", "carer");
    let this = app.now().month();
    let month = wanted.month.as_deref().and_then(Month::parse).filter(|m| *m <= this).unwrap_or(this);
    let served = app.read(move |tx, _| orders::my_month(tx, &actor, month)).await?;
    let sum = |settled: bool| -> (usize, Minutes) {
        let counted = served.iter().filter(|s| !settled || s.state == OrderState::Settled);
        let minutes: i64 = counted.clone().filter_map(|s| s.minutes).map(|m| m.0).sum();
        (counted.count(), Minutes(minutes))
    };
    let ((visits, minutes), (settled, settled_minutes)) = (sum(false), sum(true));
    let (first, next) = month.span();
    let rows = served.iter().map(|s| Done {
        id: s.order.to_string(),
        when: s.began_at.local().strftime("%m-%d %H:%M").to_string(),
        name: s.person_name.clone(),
        what: s.service_name.clone(),
        minutes: s.minutes.map_or_else(|| "未签退".to_owned(), |m| m.to_string()),
        state: s.state,
    });
    Ok(Html(Pay {
        page,
        month: month.to_string(),
        before: Month::of(first.plus_minutes(-1).day()).to_string(),
        after: (month < this).then(|| Month::of(next.day()).to_string()),
        visits,
        minutes,
        settled,
        settled_minutes,
        rows: rows.collect(),
    }))
}
