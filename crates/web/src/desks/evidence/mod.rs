//! What happened: the latest within one's scope, and everything that happened to one thing, with its seals.

pub(crate) mod words;

use app::{
    evidence::{self, Entry, Filter, Sealed},
    orders,
    outcome::{Never, No},
};
use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::IntoResponse,
};
use domain::{
    access::Act,
    ids::OrderId,
    orders::OrderRefusal,
    parties::mask,
    time::{At, Day, Now},
};
use serde::Deserialize;

use crate::{App, Html, Page, Problem, Reply, Signed, encode, filters};

/// Entries on one page.
const PAGE: i64 = 100;
/// A search for a kind of act without days looks back so far: a rare act in a large log must not read all of it.
const LOOK_BACK_DAYS: i64 = 31;

/// What the list is narrowed to; lives in the address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Ask {
    kind: String,
    from: String,
    to: String,
    before: String,
}

/// An entry, ready to read.
struct Line {
    look: &'static str,
    at: String,
    /// The moment to the second, and the phone's where it has its own.
    exact: String,
    device: String,
    what: String,
    who: String,
    seal: String,
    sealed: bool,
    subject_href: String,
    seq: i64,
    code: String,
}

#[derive(Template)]
#[template(path = "evidence/index.html")]
struct Index {
    page: Page,
    ask: Ask,
    kinds: Vec<(&'static str, &'static str, bool)>,
    lines: Vec<Line>,
    sealed: String,
    next: Option<String>,
    then: String,
}

#[derive(Template)]
#[template(path = "evidence/trail.html")]
struct Trail {
    page: Page,
    title: String,
    back: String,
    lines: Vec<Line>,
    all_sealed: bool,
    then: String,
    number: String,
}

/// `GET /evidence`
pub async fn index(State(app): State<App>, signed: Signed, page: Page, Query(mut ask): Query<Ask>) -> Reply {
    let actor = signed.actor();
    let shown = app
        .read(move |tx, now| {
            if !ask.kind.is_empty() && ask.from.is_empty() {
                ask.from = now.0.plus_minutes(-LOOK_BACK_DAYS * 24 * 60).day().to_string();
            }
            let day = |text: &str| text.trim().parse().ok().map(|day: Day| At::from_local(day.into()));
            let filter = Filter {
                act: ask.kind.clone(),
                from: day(&ask.from),
                to: day(&ask.to).map(|to| to.plus_minutes(24 * 60)),
            };
            let found = evidence::search(tx, &actor, &filter, ask.before.parse().ok(), PAGE + 1)?;
            let sealed = evidence::sealed_to(tx)?;
            let more = found.len() as i64 > PAGE;
            let lines: Vec<Line> = found
                .iter()
                .take(usize::try_from(PAGE).unwrap_or(usize::MAX))
                .map(|entry| line(entry, within(entry, sealed), now))
                .collect();
            let next = lines.last().filter(|_| more).map(|last| {
                let (kind, from, to) = (encode(&ask.kind), encode(&ask.from), encode(&ask.to));
                format!("/evidence?kind={kind}&from={from}&to={to}&before={}", last.seq)
            });
            Ok::<_, No<Never>>(Index {
                page: page.clone().titled("留痕", "evidence"),
                kinds: words::KINDS.iter().map(|(code, label)| (*code, *label, *code == ask.kind)).collect(),
                lines,
                sealed: match sealed {
                    Some(s) => format!("已封存到第 {} 批（{}）", s.batch, s.at.as_seen(now)),
                    None => "还没有封存过".to_owned(),
                },
                next,
                then: now.0.clock(),
                ask: ask.clone(),
            })
        })
        .await?;
    Ok(Html(shown).into_response())
}

/// `GET /orders/{id}/trail`: for whoever may see the order or pays the statement it is on.
pub async fn of_order(State(app): State<App>, signed: Signed, page: Page, Path(id): Path<String>) -> Reply {
    let id: OrderId = id.parse().map_err(|_| Problem::not_found())?;
    let actor = signed.actor();
    let shown = app
        .read(move |tx, now| {
            let line = orders::traced(tx, &actor, id)?;
            let sees_orders = actor.may(Act::SeeOrders).is_ok();
            let back = if sees_orders { format!("/orders/{id}") } else { "/statements".to_owned() };
            // Whoever pays follows what was done, not whom it was done for.
            let who = if sees_orders { line.person_name } else { mask::name(&line.person_name) };
            let title = format!("{} {who}", line.service_name);
            trail(tx, &actor, id.0, page.clone(), (title, back), now)
        })
        .await?;
    Ok(Html(shown).into_response())
}

/// `GET /evidence/{subject}`: whatever the subject is.
pub async fn of_subject(
    State(app): State<App>,
    signed: Signed,
    page: Page,
    Path(subject): Path<String>,
) -> Reply {
    let subject: i64 = subject.parse().map_err(|_| Problem::not_found())?;
    let actor = signed.actor();
    let shown = app
        .read(move |tx, now| {
            let names = (format!("编号 {subject}"), "/evidence".to_owned());
            let shown = trail(tx, &actor, subject, page.clone(), names, now)?;
            // A subject without evidence and one that may not be seen must look alike.
            if shown.lines.is_empty() { Err(No::NotFound) } else { Ok(shown) }
        })
        .await?;
    Ok(Html(shown).into_response())
}

fn trail(
    tx: &mut app::store::Tx<'_>,
    actor: &domain::access::Actor,
    subject: i64,
    page: Page,
    (title, back): (String, String),
    now: Now,
) -> Result<Trail, No<OrderRefusal>> {
    let entries = evidence::trail(tx, actor, subject).map_err(|no| no.map(|never| match never {}))?;
    let seals = evidence::seals_of(tx, subject)?;
    let lines: Vec<Line> = entries
        .iter()
        .map(|entry| {
            let seal = seals
                .get(&entry.seq)
                .map(|(batch, at)| format!("已封存，第 {batch} 批（{}）", at.as_seen(now)));
            line(entry, seal, now)
        })
        .collect();
    Ok(Trail {
        all_sealed: lines.iter().all(|line| line.sealed),
        lines,
        back,
        then: now.0.minute(),
        number: subject.to_string(),
        page: page.titled(&format!("证据链 {title}"), "evidence"),
        title,
    })
}

/// Whether a recent entry lies within the sealed part of the log.
fn within(entry: &Entry, sealed: Option<Sealed>) -> Option<String> {
    sealed.filter(|s| entry.seq <= s.to_seq).map(|_| "已封存".to_owned())
}

fn line(entry: &Entry, seal: Option<String>, now: Now) -> Line {
    let said = words::sentence(&entry.act, &entry.detail);
    let role = words::role(&entry.role);
    let who = if entry.by_name.is_empty() { role.to_owned() } else { format!("{role} {}", entry.by_name) };
    let detail: serde_json::Value = serde_json::from_str(&entry.detail).unwrap_or_default();
    let device = detail["device_at"].as_str().and_then(At::parse);
    let seconds = |at: At| at.local().strftime("%Y-%m-%d %H:%M:%S").to_string();
    Line {
        look: said.look,
        at: entry.at.as_seen(now),
        exact: seconds(entry.at),
        device: device.map(seconds).unwrap_or_default(),
        what: said.text,
        who,
        sealed: seal.is_some(),
        seal: seal.unwrap_or_else(|| "尚未封存".to_owned()),
        subject_href: format!("/evidence/{}", entry.subject),
        seq: entry.seq,
        code: entry.mac.iter().map(|b| format!("{b:02x}")).collect(),
    }
}
