//! The duties of whoever looks after elders: who is overdue, who comes today, and the form of a visit. Made for a phone
//! at the door.

pub mod leaves;
pub mod rates;
pub mod rounds;
mod visit;

use app::{
    outcome::{Answer, Never, No},
    regions::{self, RegionBook},
    signals::{
        duties::{self, DutyLine, Filter, Page as Part},
        silences,
    },
    store::Tx,
};
use askama::Template;
use axum::extract::{Query, State};
use domain::{
    access::{Actor, Role},
    parties::age,
    signals::{rounds::DutyKind, silence::RiskGrade},
    time::{At, Now},
};
use serde::Deserialize;

pub use visit::{photo, record, show};

use crate::{App, Html, Page, Reply, Signed, desks::errands::Mine, filters};

/// Lines of each part of the list; the rest is reached by doing these.
const SHOWN: i64 = 60;

/// Whose duties are shown.
#[derive(Debug, Deserialize)]
pub struct Whose {
    #[serde(default)]
    all: String,
}

/// A duty, ready to show.
#[derive(Debug)]
pub struct DutyRow {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) about: String,
    pub(super) place: String,
    pub(super) what: String,
    pub(super) when: String,
    pub(super) charge: String,
    pub(super) grade: RiskGrade,
    pub(super) chip: &'static str,
    pub(super) overdue: bool,
    pub(super) step: &'static str,
}

/// Somebody nobody has seen for too long.
#[derive(Debug)]
pub struct SilentRow {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) place: String,
    pub(super) hours: i64,
    pub(super) last: String,
    pub(super) grade: RiskGrade,
    pub(super) charge: String,
}

impl DutyRow {
    pub(super) fn of(line: DutyLine, book: &RegionBook, now: Now) -> DutyRow {
        let years = age::full_years(line.birth, now.day()).unwrap_or(0);
        let kind = match line.kind {
            DutyKind::Extra => format!("{}：{}", line.kind.label(), line.occasion),
            kind => kind.label().to_owned(),
        };
        DutyRow {
            href: format!("/duties/{}", line.id),
            about: format!("{years} 岁 · {} · {}", line.sex.label(), line.why),
            place: if line.address.is_empty() { book.path_of(line.region) } else { line.address.clone() },
            what: kind,
            when: line.next.due.as_seen(now),
            overdue: line.overdue(now),
            step: line.next.step.label(),
            charge: line.charge.map(|c| c.1).unwrap_or_default(),
            name: line.name,
            chip: if line.grade == RiskGrade::High { "attention" } else { "quiet" },
            grade: line.grade,
        }
    }
}

/// What the page shows.
#[derive(Debug)]
struct Lists {
    silent: Vec<SilentRow>,
    silent_total: i64,
    late: Vec<DutyRow>,
    late_total: i64,
    today: Vec<DutyRow>,
    next: Vec<DutyRow>,
}

fn load(tx: &mut Tx<'_>, actor: &Actor, mine: bool, now: Now) -> Answer<Lists> {
    let book = regions::book(tx)?;
    let charge = mine.then_some(actor.account);
    let of = |due_before: Option<At>| Filter { charge, due_before, ..Filter::default() };
    let part = Part { offset: 0, limit: SHOWN };
    let midnight = now.day().tomorrow().map(|day| At::from_local(day.into())).unwrap_or(now.0);
    let week = midnight.plus_minutes(7 * 24 * 60);
    // One walk in the order of due times; what is due later than a week is not work yet.
    let all = duties::duties(tx, actor, &of(Some(week)), Part { limit: 500, ..part }, now)?;
    let late_total = duties::count(tx, actor, &of(Some(now.0)))?;
    let mut lists = Lists {
        silent: Vec::new(),
        silent_total: 0,
        late: Vec::new(),
        late_total,
        today: Vec::new(),
        next: Vec::new(),
    };
    for line in all {
        let due = line.next.due;
        let row = DutyRow::of(line, &book, now);
        let list = if row.overdue {
            &mut lists.late
        } else if due < midnight {
            &mut lists.today
        } else {
            &mut lists.next
        };
        if (list.len() as i64) < SHOWN {
            list.push(row);
        }
    }
    let silent = silences::Filter { charge, ..silences::Filter::default() };
    lists.silent_total = silences::count(tx, actor, &silent)?;
    let lines = silences::silences(tx, actor, &silent, silences::Page { offset: 0, limit: SHOWN })?;
    lists.silent = lines
        .into_iter()
        .map(|line| SilentRow {
            href: match line.duty {
                Some(duty) => format!("/duties/{duty}"),
                None => format!("/people/{}", line.person),
            },
            name: line.name,
            place: book.path_of(line.region),
            hours: now.0.minutes_since(line.from) / 60,
            last: line
                .last
                .map(|(at, kind, _)| format!("{} {}", at.as_seen(now), kind.label()))
                .unwrap_or_default(),
            grade: line.grade,
            charge: line.charge.map(|c| c.1).unwrap_or_default(),
        })
        .collect();
    Ok(lists)
}

#[derive(Template)]
#[template(path = "duties/index.html")]
struct Index {
    page: Page,
    mine: bool,
    lists: Lists,
    errands: Mine,
}

/// `GET /duties`: one's own; `?all=1` everybody's within one's regions.
pub async fn index(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(whose): Query<Whose>,
) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    // Whoever has nobody in charge looks at everybody.
    let mine = actor.role == Role::CommunityWorker && whose.all.is_empty();
    let page = page.titled("巡访", "duties");
    let within = page.clone();
    let (lists, errands) = app
        .read(move |tx, now| {
            Ok::<_, No<Never>>((load(tx, &actor, mine, now)?, Mine::load(tx, &actor, within.clone(), now)?))
        })
        .await?;
    Ok(Html(Index { page, mine, lists, errands }))
}
