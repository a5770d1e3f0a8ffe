//! Extra rounds: bad weather, a festival; who was called out for, and how far they are.

use app::{
    outcome::{Answer, No},
    signals::duties::{self, CallOut, CallOutRefusal},
    store::Tx,
};
use askama::Template;
use axum::{Form, extract::State, response::Response};
use domain::{
    access::Actor,
    regions::RegionCode,
    signals::silence::RiskGrade,
    time::{At, Now},
};
use serde::Deserialize;

use crate::{
    App, Page, Reply, Signed,
    desks::fields::{Choice, Mistake, Mistakes, region_choices, with_mistakes},
    filters, see_with,
    text::translate,
};

/// Hours one has for an extra round unless said otherwise.
const HOURS: i64 = 24;

/// An extra round in the list.
struct Line {
    occasion: String,
    due: String,
    total: i64,
    done: i64,
    open: i64,
    late: bool,
}

#[derive(Template)]
#[template(path = "duties/rounds.html")]
struct Index {
    page: Page,
    lines: Vec<Line>,
    regions: Vec<Choice>,
    grades: Vec<Choice>,
    typed: Typed,
    mistakes: Mistakes,
}

/// What was typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    occasion: String,
    region: String,
    grade: String,
    due: String,
}

fn load(
    tx: &mut Tx<'_>,
    actor: &Actor,
    page: Page,
    (typed, mistakes): (Typed, Mistakes),
    now: Now,
) -> Answer<Index> {
    let rounds = duties::called_out(tx, actor, now)?;
    let lines = rounds.into_iter().map(|r| Line {
        due: r.due.as_seen(now),
        late: r.open > 0 && r.due < now.0,
        occasion: r.occasion,
        total: r.total,
        done: r.done,
        open: r.open,
    });
    let grade =
        |g: &RiskGrade| Choice::new(g.code(), translate(g.label(), page.lang), g.code() == typed.grade);
    Ok(Index {
        lines: lines.collect(),
        regions: region_choices(tx, actor, &typed.region, now)?,
        grades: RiskGrade::ALL.iter().map(grade).collect(),
        typed,
        mistakes,
        page,
    })
}

/// `GET /duties/rounds`
pub async fn index(State(app): State<App>, page: Page, signed: Signed) -> Reply {
    let due = app.now().0.plus_minutes(HOURS * 60).local().strftime("%Y-%m-%dT%H:%M").to_string();
    let typed = Typed { due, grade: RiskGrade::High.code().to_owned(), ..Typed::default() };
    shown(&app, page, signed.actor().as_ref().clone(), typed, Vec::new()).await
}

async fn shown(app: &App, page: Page, actor: Actor, typed: Typed, wrong: Vec<Mistake>) -> Reply {
    let page = page.titled("专项巡访", "duties");
    with_mistakes(app, wrong, move |tx, wrong, now| {
        load(tx, &actor, page.clone(), (typed.clone(), wrong), now)
    })
    .await
}

/// `POST /duties/rounds`
pub async fn create(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Reply<Response> {
    let actor = signed.actor().as_ref().clone();
    let mut wrong = Vec::new();
    let mut say = |field: &str, text: &str| {
        wrong.push(Mistake { field: field.to_owned(), text: text.to_owned() });
    };
    if typed.occasion.trim().is_empty() {
        say("occasion", "请填写事由，例如“橙色寒潮预警”");
    }
    let due = At::parse(&typed.due);
    if due.is_none() {
        say("due", "请填写完成期限");
    }
    let region = RegionCode::parse(&typed.region).ok();
    let range = region.map_or(Some(actor.range), |code| actor.range.meet(code.range()));
    if range.is_none() {
        say("region", "不在您的辖区，请重新选择");
    }
    let grade = RiskGrade::from_code(&typed.grade).unwrap_or(RiskGrade::High);
    let (Some(due), Some(region), true) = (due, range, wrong.is_empty()) else {
        return shown(&app, page, actor, typed, wrong).await;
    };
    let ask = CallOut { occasion: typed.occasion.clone(), region, grade, due };
    let by = actor.clone();
    match app.write(move |tx, now| duties::call_out(tx, &by, &ask, now)).await {
        Ok(0) => Ok(see_with("/duties/rounds", "没有新增：这个事由的名单已经下发过，或名单里没有人", None)),
        Ok(added) => Ok(see_with("/duties/rounds", &format!("已下发，新增 {added} 位老人的巡访任务"), None)),
        Err(No::Refused(refusal)) => {
            let field = match refusal {
                CallOutRefusal::Late => "due",
                CallOutRefusal::TooLong => "occasion",
            };
            let wrong = vec![Mistake { field: field.to_owned(), text: refusal.to_string() }];
            shown(&app, page, actor, typed, wrong).await
        }
        Err(no) => Err(no.into()),
    }
}
