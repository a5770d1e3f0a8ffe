//! Suggestions for a field that takes a region: what is typed narrows, a whole name opens what lies below it.

use app::{outcome::Answer, regions, store::Tx};
use askama::Template;
use axum::extract::{Query, State};
use domain::{
    access::Actor,
    regions::{Level, RegionCode},
    time::Now,
};
use serde::Deserialize;

use crate::{App, Html, Reply, Signed};

/// Suggestions shown at once.
const MOST: usize = 40;

/// What stands in the field, whatever the field is called; or the region whose parts are wanted.
#[derive(Debug, Default, Deserialize)]
pub struct Typed {
    q: Option<String>,
    region: Option<String>,
    hukou: Option<String>,
    parent: Option<String>,
}

/// A region to choose.
#[derive(Debug, Clone)]
pub struct Choice {
    /// 12 digits.
    pub code: RegionCode,
    /// From the county down; what the field takes.
    pub path: String,
}

#[derive(Template)]
#[template(path = "regions/options.html")]
struct Options {
    choices: Vec<Choice>,
}

/// The options of a region field, as a fragment.
pub async fn index(
    State(app): State<App>,
    signed: Signed,
    Query(typed): Query<Typed>,
) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let choices = app
        .read(move |tx, now| match typed.parent.as_deref().map(RegionCode::parse) {
            Some(Ok(parent)) => below(tx, &actor, Some(parent), now),
            _ => {
                let text = typed.q.as_ref().or(typed.region.as_ref()).or(typed.hukou.as_ref());
                choices(tx, &actor, text.map_or("", String::as_str), now)
            }
        })
        .await?;
    Ok(Html(Options { choices }))
}

/// What a field offers for what stands in it.
pub fn choices(tx: &mut Tx<'_>, actor: &Actor, typed: &str, now: Now) -> Answer<Vec<Choice>> {
    let typed = typed.trim();
    if typed.is_empty() {
        return below(tx, actor, None, now);
    }
    if let Ok(region) = regions::locate(tx, actor, typed, now)
        && region.level() < Level::Village
    {
        return below(tx, actor, Some(region), now);
    }
    let found = regions::suggest(tx, actor, typed, MOST, now)?;
    let book = regions::book(tx)?;
    Ok(found.into_iter().map(|r| Choice { code: r.code, path: book.path_of(r.code) }).collect())
}

fn below(tx: &mut Tx<'_>, actor: &Actor, parent: Option<RegionCode>, now: Now) -> Answer<Vec<Choice>> {
    let step = regions::children(tx, actor, parent, now)?;
    let book = regions::book(tx)?;
    let items = step.items.into_iter().take(200);
    Ok(items.map(|r| Choice { code: r.code, path: book.path_of(r.code) }).collect())
}
