//! Who is away and who stands in: the elders go to whoever stands in, and back afterwards.

use app::{
    outcome::{Answer, No},
    regions,
    signals::duties::{self, LeaveRefusal},
    store::Tx,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    response::Response,
};
use domain::{
    access::{Actor, Role},
    ids::AccountId,
    regions::{Level, RegionCode},
    time::{Day, Now},
};
use serde::Deserialize;

use crate::{
    App, Page, Problem, Reply, Signed,
    desks::fields::{Choice, Mistake, Mistakes, with_mistakes},
    filters, see_with,
};

/// A leave in the list.
struct Line {
    id: i64,
    name: String,
    days: String,
    now: bool,
    cover: String,
    why: String,
}

#[derive(Template)]
#[template(path = "duties/leaves.html")]
struct Index {
    page: Page,
    lines: Vec<Line>,
    /// Whether only one's own leave can be entered.
    own: bool,
    people: Vec<Choice>,
    covers: Vec<Choice>,
    typed: Typed,
    mistakes: Mistakes,
}

/// What was typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    account: String,
    from: String,
    to: String,
    cover: String,
    why: String,
}

fn load(
    tx: &mut Tx<'_>,
    actor: &Actor,
    page: Page,
    (typed, mistakes): (Typed, Mistakes),
    now: Now,
) -> Answer<Index> {
    let book = regions::book(tx)?;
    let today = now.day();
    let leaves = duties::leaves(tx, actor, now)?;
    let lines = leaves.into_iter().map(|l| Line {
        id: l.id,
        days: if l.from == l.to { l.from.to_string() } else { format!("{} – {}", l.from, l.to) },
        now: l.from <= today && today <= l.to,
        cover: l.cover.map(|(_, name)| name).unwrap_or_default(),
        name: l.name,
        why: l.why,
    });
    let lines = lines.collect();
    let own = actor.role == Role::CommunityWorker;
    let colleagues = duties::colleagues(tx, actor)?;
    let choice = |c: &duties::Colleague, chosen: &str| {
        let place = RegionCode::new(c.range.lo).ok().map(|code| {
            let level = if c.range.lo == c.range.hi { code } else { code.within(Level::Township) };
            book.name_of(level)
        });
        let value = c.account.to_string();
        let is = value == chosen;
        Choice::new(value, format!("{} {}", c.name, place.unwrap_or_default()), is)
    };
    let first = |label: &str, chosen: bool| Choice::new("", label, chosen);
    let mut people = vec![first("请选择", typed.account.is_empty())];
    let mut covers = vec![first("不指定，由同一地方的同事一起分担", typed.cover.is_empty())];
    people.extend(colleagues.iter().map(|c| choice(c, &typed.account)));
    let others = colleagues.iter().filter(|c| !own || c.account != actor.account);
    covers.extend(others.map(|c| choice(c, &typed.cover)));
    Ok(Index { page, lines, own, people, covers, typed, mistakes })
}

/// `GET /duties/leaves`
pub async fn index(State(app): State<App>, page: Page, signed: Signed) -> Reply {
    let actor = signed.actor();
    let today = app.now().day().to_string();
    let typed = Typed { from: today.clone(), to: today, ..Typed::default() };
    shown(&app, page, actor.as_ref().clone(), typed, Vec::new()).await
}

async fn shown(app: &App, page: Page, actor: Actor, typed: Typed, wrong: Vec<Mistake>) -> Reply {
    let page = page.titled("请假与替班", "duties");
    with_mistakes(app, wrong, move |tx, wrong, now| {
        load(tx, &actor, page.clone(), (typed.clone(), wrong), now)
    })
    .await
}

fn mistake(field: &str, text: impl ToString) -> Mistake {
    Mistake { field: field.to_owned(), text: text.to_string() }
}

/// `POST /duties/leaves`
pub async fn create(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Reply<Response> {
    let actor = signed.actor().as_ref().clone();
    let mut wrong = Vec::new();
    let day = |text: &str, field: &str, wrong: &mut Vec<Mistake>| {
        let day: Option<Day> = text.trim().parse().ok();
        if day.is_none() {
            wrong.push(mistake(field, "请填写日期，例如 2026-01-01"));
        }
        day
    };
    let (from, to) = (day(&typed.from, "from", &mut wrong), day(&typed.to, "to", &mut wrong));
    let who: Option<AccountId> = match actor.role {
        Role::CommunityWorker => Some(actor.account),
        _ => typed.account.parse().ok(),
    };
    if who.is_none() {
        wrong.push(mistake("account", "请选择谁请假"));
    }
    let (Some(from), Some(to), Some(who), true) = (from, to, who, wrong.is_empty()) else {
        return shown(&app, page, actor, typed, wrong).await;
    };
    let (by, why, cover) = (actor.clone(), typed.why.clone(), typed.cover.parse().ok());
    let done =
        app.write(move |tx, now| duties::take_leave(tx, &by, (who, cover), (from, to), &why, now)).await;
    match done {
        Ok(_) => Ok(see_with("/duties/leaves", "已登记请假，到时由替班的人接手", None)),
        Err(No::Refused(refusal)) => {
            let field = match refusal {
                LeaveRefusal::Days => "to",
                LeaveRefusal::NobodyHere => "account",
                LeaveRefusal::OwnCover => "cover",
            };
            shown(&app, page, actor, typed, vec![mistake(field, refusal)]).await
        }
        Err(no) => Err(no.into()),
    }
}

/// `POST /duties/leaves/{leave}/end`: back again, or entered by mistake.
pub async fn end(State(app): State<App>, signed: Signed, Path(leave): Path<String>) -> Reply {
    let actor = signed.actor();
    let leave: i64 = leave.parse().map_err(|_| Problem::not_found())?;
    app.write(move |tx, now| duties::end_leave(tx, &actor, leave, now)).await?;
    Ok(see_with("/duties/leaves", "已销假，老人一分钟内交还本人", None))
}
