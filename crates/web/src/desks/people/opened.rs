//! Opening a masked value: in place where scripts run, on a page of its own everywhere.

use app::{
    outcome::No,
    parties::people::{self, Field, RevealRefusal},
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use domain::ids::{ContactId, PersonId};
use serde::Deserialize;

use crate::{App, Html, Page, Problem, Reply, Signed, filters};

/// Whose phone, when it is a contact's.
#[derive(Debug, Default, Deserialize)]
pub struct Whose {
    contact: Option<ContactId>,
}

/// Why.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    reason: String,
}

#[derive(Template)]
#[template(path = "people/reveal.html")]
struct Reveal {
    page: Page,
    person: PersonId,
    name: String,
    what: &'static str,
    here: String,
    reason: String,
    error: String,
    value: Option<String>,
}

fn field(code: &str, whose: &Whose) -> Reply<Field> {
    Field::from_code(code, whose.contact).ok_or_else(Problem::not_found)
}

fn here(id: PersonId, code: &str, whose: &Whose) -> String {
    let contact = whose.contact.map(|c| format!("?contact={c}")).unwrap_or_default();
    format!("/people/{id}/reveal/{code}{contact}")
}

/// `GET /people/{id}/reveal/{field}`: asks for the reason.
pub async fn ask(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path((id, code)): Path<(PersonId, String)>,
    Query(whose): Query<Whose>,
) -> Reply<Html<impl Template>> {
    let what = field(&code, &whose)?.label();
    let actor = signed.actor();
    let name = app.read(move |tx, now| people::card(tx, &actor, id, now)).await?.name;
    Ok(Html(Reveal {
        page: page.titled("查看完整信息", "people"),
        person: id,
        name,
        what,
        here: here(id, &code, &whose),
        reason: String::new(),
        error: String::new(),
        value: None,
    }))
}

/// `POST /people/{id}/reveal/{field}`: opens it. A script gets the bare value, and 428 where a reason is needed.
pub async fn open(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    headers: HeaderMap,
    Path((id, code)): Path<(PersonId, String)>,
    Query(whose): Query<Whose>,
    Form(asked): Form<Asked>,
) -> Reply<Response> {
    let field = field(&code, &whose)?;
    let actor = signed.actor();
    let reason = asked.reason.clone();
    let opened = app
        .write(move |tx, now| {
            let value = people::reveal(tx, &actor, id, field, Some(&reason), now)?;
            let card = people::card(tx, &actor, id, now).map_err(|no| no.map(|never| match never {}))?;
            Ok((value, card.name))
        })
        .await;
    if headers.contains_key("hx-request") {
        return match opened {
            Ok((value, _)) => Ok(value.into_response()),
            Err(No::Refused(RevealRefusal::Reason)) => {
                let refusal = RevealRefusal::Reason.to_string();
                Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "reason_needed", refusal))
            }
            Err(no) => Err(no.into()),
        };
    }
    let (value, name, error) = match opened {
        Ok((value, name)) => (Some(value), name, String::new()),
        Err(No::Refused(refusal)) => {
            let actor = signed.actor();
            let card = app.read(move |tx, now| people::card(tx, &actor, id, now)).await?;
            (None, card.name, refusal.to_string())
        }
        Err(no) => return Err(no.into()),
    };
    let status = if value.is_some() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let shown = Reveal {
        page: page.titled("查看完整信息", "people"),
        person: id,
        name,
        what: field.label(),
        here: here(id, &code, &whose),
        reason: asked.reason,
        error,
        value,
    };
    Ok((status, Html(shown)).into_response())
}
