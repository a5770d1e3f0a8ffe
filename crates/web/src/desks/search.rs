//! The search box of every page: a person, an order, or a region.

use app::{
    orders,
    outcome::Answer,
    parties::people::search::{PeopleQuery, search},
    regions,
    store::Tx,
};
use axum::{
    extract::{Query, State},
    response::Response,
};
use domain::{
    access::{Act, Actor},
    ids::OrderId,
    time::Now,
};
use serde::Deserialize;

use crate::{App, Reply, Signed, encode, see};

/// What was typed.
#[derive(Debug, Deserialize)]
pub struct Typed {
    #[serde(default)]
    q: String,
}

/// To what was meant: the only person or order that fits, a region's people, or the list of people.
pub async fn index(State(app): State<App>, signed: Signed, Query(typed): Query<Typed>) -> Reply<Response> {
    let actor = signed.actor();
    let to = app.read(move |tx, now| meant(tx, &actor, typed.q.trim(), now)).await?;
    Ok(see(to))
}

fn meant(tx: &mut Tx<'_>, actor: &Actor, typed: &str, now: Now) -> Answer<String> {
    if let (Ok(id), Ok(())) = (typed.parse::<OrderId>(), actor.may(Act::SeeOrders))
        && orders::sheet(tx, actor, id).is_ok()
    {
        return Ok(format!("/orders/{id}"));
    }
    if actor.may(Act::SeePeople).is_err() {
        return Ok(format!("/orders?q={}", encode(typed)));
    }
    let query = PeopleQuery { text: typed.to_owned(), limit: 2, ..PeopleQuery::default() };
    let found = search(tx, actor, &query, now)?;
    match &found.cards[..] {
        _ if typed.is_empty() => Ok("/people".to_owned()),
        [only] => Ok(format!("/people/{}", only.id)),
        [] => {
            let region = regions::locate(tx, actor, typed, now).ok();
            let book = regions::book(tx)?;
            Ok(region.map_or_else(
                || format!("/people?q={}", encode(typed)),
                |code| format!("/people?region={}", encode(&book.path_of(code))),
            ))
        }
        _ => Ok(format!("/people?q={}", encode(typed))),
    }
}
