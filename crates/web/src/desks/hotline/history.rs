//! Calls of the past: by day, outcome and person.

use app::{
    orders::calls::{self, Call, Filter, Outcome},
    outcome::Answer,
    parties::people,
    store::Tx,
};
use askama::Template;
use axum::extract::{Query, State};
use domain::{
    access::Actor,
    ids::{CallId, PersonId},
    time::Now,
};
use serde::Deserialize;

use super::talk;
use crate::{App, Html, Page, Reply, Signed, encode, filters};

/// Calls on one page of the list.
const PAGE: usize = 50;

/// The filters, as they stand in the address.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    day: String,
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    person: String,
    #[serde(default)]
    before: String,
}

/// One call of the list.
struct Row {
    id: CallId,
    rang: String,
    number: String,
    person: Option<(PersonId, String)>,
    waited: String,
    by: String,
    outcome: String,
    open: bool,
    note: String,
}

#[derive(Template)]
#[template(path = "hotline/calls.html")]
struct Calls {
    page: Page,
    wanted: Wanted,
    person_name: String,
    rows: Vec<Row>,
    older: Option<String>,
    filtered: bool,
    as_of: String,
}

impl Calls {
    fn outcomes(&self) -> impl Iterator<Item = (Outcome, bool)> {
        Outcome::ALL.iter().map(|o| (*o, o.code() == self.wanted.outcome))
    }
}

/// The list, latest first.
pub async fn index(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(wanted): Query<Wanted>,
) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let page = page.titled("来电记录", "hotline");
    Ok(Html(app.read(move |tx, now| load(tx, &actor, page.clone(), &wanted, now)).await?))
}

fn load(tx: &mut Tx<'_>, actor: &Actor, page: Page, wanted: &Wanted, now: Now) -> Answer<Calls> {
    let filter = Filter {
        day: wanted.day.parse().ok(),
        outcome: Outcome::from_code(&wanted.outcome),
        person: wanted.person.parse().ok(),
    };
    let mut found = calls::history(tx, actor, filter, wanted.before.parse().ok(), PAGE as i64 + 1)?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let older = found.last().filter(|_| more).map(|last| {
        format!(
            "/calls?day={}&outcome={}&person={}&before={}",
            encode(&wanted.day),
            encode(&wanted.outcome),
            encode(&wanted.person),
            last.id
        )
    });
    let person_name = match filter.person {
        Some(person) => people::card(tx, actor, person, now)?.name,
        None => String::new(),
    };
    Ok(Calls {
        page,
        person_name,
        rows: found.iter().map(|call| row(call, now)).collect(),
        older,
        filtered: filter != Filter::default(),
        as_of: now.0.clock(),
        wanted: wanted.clone(),
    })
}

fn row(call: &Call, now: Now) -> Row {
    Row {
        id: call.id,
        rang: call.rang_at.as_seen(now),
        number: call.number_shown.clone(),
        person: call.person.map(|id| (id, call.person_name.clone())),
        waited: talk::waited_for(call, now),
        by: call.answered_name.clone(),
        outcome: match (call.outcome, call.answered_at) {
            (Some(outcome), _) => outcome.label(),
            (None, Some(_)) => "通话中",
            (None, None) => "响铃中",
        }
        .to_owned(),
        open: call.outcome.is_none(),
        note: call.note.clone(),
    }
}
