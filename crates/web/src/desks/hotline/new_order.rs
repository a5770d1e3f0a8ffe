//! An order without a call: from a person's page, by whoever may place orders.

use app::{outcome::No, parties::people};
use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::ids::PersonId;

use super::{
    ordering::{self, OrderForm, Ordering, Place},
    talk::{Context, Who},
};
use crate::{App, Html, Page, Problem, Reply, Signed, filters, see_with};

#[derive(Template)]
#[template(path = "hotline/new_order.html")]
struct NewOrder {
    page: Page,
    who: Who,
    refused: String,
    ordering: Option<Ordering>,
    context: Context,
}

/// The form for a person; what was typed so far is in the address.
pub async fn show(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(form): Query<OrderForm>,
) -> Reply<Response> {
    open(&app, page, &signed, form, String::new(), StatusCode::OK).await
}

fn person_of(form: &OrderForm) -> Reply<PersonId> {
    form.person.as_deref().and_then(|p| p.parse().ok()).ok_or_else(Problem::not_found)
}

async fn open(
    app: &App,
    page: Page,
    signed: &Signed,
    form: OrderForm,
    refused: String,
    status: StatusCode,
) -> Reply<Response> {
    let person = person_of(&form)?;
    let actor = signed.actor();
    let page = page.titled("下单", "people");
    let shown = app
        .read(move |tx, now| {
            let who = Who::of(people::card(tx, &actor, person, now)?, String::new());
            let place = Place { person, call: None };
            let ordering = match who.state {
                None => Some(Ordering::load(tx, &actor, page.clone(), place, &form, now)?),
                Some(_) => None,
            };
            let context = Context::load(tx, &actor, page.clone(), person, now)?;
            Ok::<_, No<app::outcome::Never>>(NewOrder {
                page: page.clone(),
                who,
                refused: refused.clone(),
                ordering,
                context,
            })
        })
        .await?;
    Ok((status, Html(shown)).into_response())
}

/// Places it.
pub async fn create(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Form(form): Form<OrderForm>,
) -> Reply<Response> {
    let person = person_of(&form)?;
    let actor = signed.actor();
    let typed = form.clone();
    let place = Place { person, call: None };
    match app.write(move |tx, now| ordering::place(tx, &actor, place, &typed, now)).await {
        Ok(_) => Ok(see_with(&format!("/people/{person}"), "已下单，派单员已看到", None)),
        Err(No::Refused(refusal)) => {
            let refused = refusal.to_string();
            let status = Problem::from(No::Refused(refusal)).status();
            open(&app, page, &signed, form, refused, status).await
        }
        Err(no) => Err(no.into()),
    }
}
