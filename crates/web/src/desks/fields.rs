//! What lists and forms of several desks share: choices, pages, what was typed.

use app::{
    outcome::Answer,
    parties::wrong::Wrong,
    regions,
    store::{Fault, Tx},
};
use askama::Template;
use axum::{http::StatusCode, response::IntoResponse};
use domain::{
    access::Actor,
    regions::{Level, RegionCode},
    time::Now,
};

use crate::{App, Html, Reply};

/// An option of a select.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

impl Choice {
    pub(crate) fn new(value: impl Into<String>, label: impl Into<String>, chosen: bool) -> Choice {
        Choice { value: value.into(), label: label.into(), chosen }
    }
}

/// Where somebody lives, for whoever must go there: a full address names its village itself.
pub(crate) fn whole_address(place: &str, address: &str) -> String {
    match place.split(' ').next_back() {
        Some(village) if address.contains(village) => address.to_owned(),
        _ => format!("{place} {address}"),
    }
}

/// Rows on one page of a list.
pub(crate) const PAGE: i64 = 50;

/// Where a page of a list stands.
#[derive(Debug, Clone)]
pub(crate) struct Pages {
    pub from: i64,
    pub to: i64,
    pub total: String,
    pub prev: Option<String>,
    pub next: Option<String>,
}

impl Pages {
    /// The page that begins at `offset`; `address` ends in `?` or `&`.
    pub(crate) fn of(address: &str, offset: i64, total: i64) -> Pages {
        let at = |offset: i64| format!("{address}offset={offset}");
        Pages {
            from: (offset + 1).min(total),
            to: (offset + PAGE).min(total),
            total: domain::money::thousands(total.unsigned_abs()),
            prev: (offset > 0).then(|| at((offset - PAGE).max(0))),
            next: (offset + PAGE < total).then(|| at(offset + PAGE)),
        }
    }
}

/// A mistake with the input it belongs to, as the form parts want it.
#[derive(Debug, Clone)]
pub(crate) struct Mistake {
    pub field: String,
    pub text: String,
}

/// The mistakes of a form.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mistakes(pub Vec<Mistake>);

impl Mistakes {
    pub(crate) fn of(wrongs: Vec<Wrong>) -> Mistakes {
        let mistake = |w: Wrong| Mistake { field: w.field.to_owned(), text: w.say };
        Mistakes(wrongs.into_iter().map(mistake).collect())
    }

    /// What is wrong with a field; empty when nothing is.
    pub(crate) fn at(&self, field: &str) -> &str {
        self.0.iter().find(|m| m.field == field).map_or("", |m| m.text.as_str())
    }
}

/// A page with a form on it: in good order, or with what is wrong with what was typed.
pub(crate) async fn with_mistakes<T: Template + Send + 'static>(
    app: &App,
    wrong: Vec<Mistake>,
    load: impl Fn(&mut Tx<'_>, Mistakes, Now) -> Answer<T> + Send + 'static,
) -> Reply {
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = app.read(move |tx, now| load(tx, Mistakes(wrong.clone()), now)).await?;
    Ok((status, Html(page)).into_response())
}

/// The fields of a form as the browser sent them; a name may come several times.
pub(crate) struct Sent(pub Vec<(String, String)>);

impl Sent {
    pub(crate) fn text(&self, name: &str) -> String {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap_or_default()
    }

    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(n, _)| n == name).map(|(_, v)| v.clone()).collect()
    }
}

/// The actor's own region and those below down to the township, to choose one of. What is chosen already is among
/// them even when it lies deeper, so that saving a form never moves anything.
pub(crate) fn region_choices(
    tx: &mut Tx<'_>,
    actor: &Actor,
    chosen: &str,
    now: Now,
) -> Result<Vec<Choice>, Fault> {
    let book = regions::book(tx)?;
    let own = RegionCode::new(actor.range.lo).ok().filter(|code| code.range() == actor.range);
    let mut codes: Vec<RegionCode> = own.into_iter().collect();
    let mut next = 0;
    let first = match own {
        Some(_) => Vec::new(),
        None => regions::children(tx, actor, None, now).map(|step| step.items).unwrap_or_default(),
    };
    codes.extend(first.into_iter().map(|region| region.code));
    // A list that grows while it is walked: each region is followed by those below it.
    while next < codes.len() {
        let code = codes[next];
        next += 1;
        if code.level() < Level::Township {
            let below: Vec<RegionCode> =
                book.children_of(code, now.day()).into_iter().map(|r| r.code).collect();
            let at = next;
            codes.splice(at..at, below);
        }
    }
    let choice = |code: &RegionCode| {
        let value = code.to_string();
        let is = value == chosen;
        Choice::new(value, book.path_of(*code), is)
    };
    let mut choices: Vec<Choice> = codes.iter().map(choice).collect();
    if let Ok(code) = RegionCode::parse(chosen)
        && !choices.iter().any(|c| c.chosen)
    {
        choices.insert(0, choice(&code));
    }
    Ok(choices)
}

/// The same for a form: nothing is chosen until somebody chooses it.
pub(crate) fn region_options(
    tx: &mut Tx<'_>,
    actor: &Actor,
    chosen: &str,
    now: Now,
) -> Result<Vec<Choice>, Fault> {
    let mut choices = region_choices(tx, actor, chosen, now)?;
    if !choices.iter().any(|c| c.chosen) {
        choices.insert(0, Choice::new("", "请选择", true));
    }
    Ok(choices)
}

/// A name as a list of several: `a、b 等 5 项`.
pub(crate) fn some_of(names: &[String], at_most: usize) -> String {
    let shown = names.iter().take(at_most).cloned().collect::<Vec<_>>().join("、");
    if names.len() > at_most { format!("{shown} 等 {} 项", names.len()) } else { shown }
}
