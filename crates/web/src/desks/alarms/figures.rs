//! The shift leader's page: how fast alarms and calls are answered by three standards and our own, when it was worst,
//! who is on, what is open, how often an alarm was false. Every figure opens its rows.

use app::{
    outcome::Answer,
    signals::incidents::{self, Figures, Filter},
    store::Tx,
};
use askama::Template;
use axum::{
    extract::{Query, State},
    response::IntoResponse,
};
use domain::{
    access::{Act, Actor},
    signals::{
        answering::{Standard, Waits},
        incident::{IncidentState, Level},
    },
    time::{At, Day, Now},
};
use serde::Deserialize;

use super::{list::outcomes, look};
use crate::{App, Html, Page, Reply, Signed, filters};

/// Longest time looked at: beyond this the figures belong into a report.
const DAYS_MOST: i64 = 92;

/// Which days; both ends count, today when nothing is said.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Ask {
    from: String,
    to: String,
}

/// One goal of a standard.
struct Goal {
    said: String,
    alarms: Share,
    calls: Share,
}

/// A share with its verdict and the rows behind it.
struct Share {
    value: String,
    look: &'static str,
    word: &'static str,
    href: String,
}

struct Rule {
    name: &'static str,
    goals: Vec<Goal>,
}

/// How long some alarms or calls waited.
struct Line {
    name: String,
    count: i64,
    answered: i64,
    within: String,
    p50: String,
    p95: String,
    longest: String,
    href: String,
}

#[derive(Template)]
#[template(path = "alarms/figures.html")]
struct Show {
    page: Page,
    from: String,
    to: String,
    rules: Vec<Rule>,
    totals: Vec<Line>,
    kinds: Vec<Line>,
    hours: Vec<Line>,
    worst: Option<(String, String, String)>,
    open: Vec<(&'static str, &'static str, i64, String)>,
    to_review: i64,
    closed: i64,
    false_count: i64,
    false_share: String,
    left_out: i64,
    days: String,
    on: Vec<String>,
    then: String,
}

/// `GET /alarms/figures`
pub async fn show(State(app): State<App>, signed: Signed, page: Page, Query(ask): Query<Ask>) -> Reply {
    let actor = signed.actor();
    let page = page.titled("接警时限", "alarms");
    let on = app.live().present().names(Act::AnswerAlarms, &actor);
    let shown = app.read(move |tx, now| load(tx, &actor, page.clone(), &ask, on.clone(), now)).await?;
    Ok(Html(shown).into_response())
}

fn load(tx: &mut Tx<'_>, actor: &Actor, page: Page, ask: &Ask, on: Vec<String>, now: Now) -> Answer<Show> {
    let day = |text: &str, other: Day| text.trim().parse::<Day>().unwrap_or(other);
    let to = day(&ask.to, now.day());
    let from = day(&ask.from, to).min(to);
    let begin = At::from_local(from.into());
    let end = At::from_local(to.into()).plus_minutes(24 * 60);
    let begin = begin.max(end.plus_minutes(-DAYS_MOST * 24 * 60));
    let f = incidents::figures(tx, actor, begin, end.min(now.0))?;
    let days = format!("from={}&to={}", begin.day(), to);
    let within = Filter { from: Some(begin), to: Some(end), ..Filter::default() };
    let closed_filter = Filter { states: vec![IncidentState::Closed], ..within.clone() };
    let closed = incidents::count(tx, actor, &closed_filter)?;
    let false_count = incidents::count(tx, actor, &Filter { outcomes: outcomes("false"), ..within.clone() })?;
    let real = incidents::count(tx, actor, &Filter { outcomes: outcomes("real"), ..within })?;
    let review = Filter { to_review: true, ..Filter::default() };
    Ok(Show {
        rules: rules(&f, &days),
        totals: vec![
            line("全部警情", &f.alarms, format!("/alarms?{days}")),
            line("一级（红）", &f.red, format!("/alarms?level=P1&{days}")),
            line("来电", &f.calls, calls_href(from, to)),
        ],
        kinds: f
            .kinds
            .iter()
            .map(|(kind, waits)| line(kind.label(), waits, format!("/alarms?kind={}&{days}", kind.code())))
            .collect(),
        hours: f
            .hours
            .iter()
            .rev()
            .take(48)
            .map(|h| line(&h.from.as_seen(now), &h.alarms, format!("/alarms?from={0}&to={0}", h.from.day())))
            .collect(),
        worst: f.worst.as_ref().map(|h| {
            (
                h.from.as_seen(now),
                percent(h.alarms.permille_within(60)),
                format!("/alarms?from={0}&to={0}&slower=60", h.from.day()),
            )
        }),
        open: open(tx, actor)?,
        to_review: incidents::count(tx, actor, &review)?,
        closed,
        false_count,
        false_share: percent(share(false_count, false_count + real)),
        left_out: f.left_out,
        from: begin.day().to_string(),
        to: to.to_string(),
        days,
        on,
        then: now.0.clock(),
        page,
    })
}

/// Of a thousand, rounded down.
fn share(part: i64, whole: i64) -> Option<i64> {
    (whole > 0).then(|| part * 1000 / whole)
}

/// `96.8%`, or a dash where there is nothing to divide.
fn percent(permille: Option<i64>) -> String {
    permille.map_or("–".to_owned(), |p| format!("{}.{}%", p / 10, p % 10))
}

fn calls_href(from: Day, to: Day) -> String {
    if from == to { format!("/calls?day={from}") } else { "/calls".to_owned() }
}

fn rules(f: &Figures, days: &str) -> Vec<Rule> {
    let of = |standard: &Standard| {
        // Our own is for red alarms; the others count every alarm.
        let (alarms, level) =
            if *standard == Standard::Own { (&f.red, "level=P1&") } else { (&f.alarms, "") };
        let goals = standard.goals().iter().map(|goal| Goal {
            said: format!("{} 秒内 {}", goal.seconds, percent(Some(goal.permille))),
            alarms: judged(alarms, *goal, format!("/alarms?{level}{days}&slower={}", goal.seconds)),
            calls: judged(&f.calls, *goal, "/calls".to_owned()),
        });
        Rule { name: standard.label(), goals: goals.collect() }
    };
    Standard::ALL.iter().map(of).collect()
}

fn judged(waits: &Waits, goal: domain::signals::answering::Goal, href: String) -> Share {
    let (look, word) = match waits.meets(goal) {
        Some(true) => ("done", "达标"),
        Some(false) => ("attention", "未达标"),
        None => ("quiet", "没有数据"),
    };
    Share { value: percent(waits.permille_within(goal.seconds)), look, word, href }
}

fn line(name: &str, waits: &Waits, href: String) -> Line {
    let length = |seconds: Option<i64>| seconds.map_or("–".to_owned(), look::length);
    Line {
        name: name.to_owned(),
        count: waits.count(),
        answered: waits.answered(),
        within: percent(waits.permille_within(60)),
        p50: length(waits.percentile(50)),
        p95: length(waits.percentile(95)),
        longest: length(waits.longest()),
        href,
    }
}

/// What is open now, by level.
fn open(tx: &mut Tx<'_>, actor: &Actor) -> Answer<Vec<(&'static str, &'static str, i64, String)>> {
    use IncidentState::*;
    let mut open = Vec::new();
    for level in Level::ALL {
        let filter = Filter {
            states: vec![Ringing, Acknowledged, Held, Attached],
            levels: vec![*level],
            ..Filter::default()
        };
        let count = incidents::count(tx, actor, &filter)?;
        let look = if count > 0 { look::chip(*level) } else { "quiet" };
        open.push((level.label(), look, count, format!("/alarms?state=open&level={}", level.code())));
    }
    Ok(open)
}
