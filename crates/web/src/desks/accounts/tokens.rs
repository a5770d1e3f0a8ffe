//! Tokens for programs: made, shown once, revoked.

use app::{
    outcome::{Never, No},
    parties::accounts::{self, AccountRefusal, NewToken, TokenFor, TokenLine, token_hash},
    regions,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    response::IntoResponse,
};
use domain::{ids::TokenId, parties::account::PostRefusal, time::Now};
use serde::Deserialize;

use super::{
    super::form::{Mistake, again, mistake, wrong},
    Choice, place, region_names, region_typed,
};
use crate::{App, Html, Page, Problem, Reply, Signed, filters, page::see_with};

/// Days a token holds unless something else is chosen.
const DAYS: &str = "180";

struct Row {
    line: TokenLine,
    place: String,
    expired: bool,
}

#[derive(Template)]
#[template(path = "accounts/tokens.html")]
struct TokensPage {
    page: Page,
    now: Now,
    typed: TokenForm,
    rows: Vec<Row>,
    regions: Vec<String>,
    providers: Vec<Choice>,
    fresh: Option<String>,
    mistakes: Vec<Mistake>,
}

/// What was typed.
#[derive(Debug, Default, Deserialize)]
pub struct TokenForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    holder: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    days: String,
}

async fn form(
    app: &App,
    page: Page,
    signed: &Signed,
    mut typed: TokenForm,
    fresh: Option<String>,
    mistakes: Vec<Mistake>,
) -> Reply {
    let actor = signed.actor();
    let now = app.now();
    let (rows, regions, providers) = app
        .read(move |tx, now| {
            let book = regions::book(tx)?;
            let row =
                |line: TokenLine| Row { place: place(&book, line.range), expired: line.until <= now.0, line };
            let rows = accounts::tokens(tx, &actor)?.into_iter().map(row).collect();
            let step = regions::children(tx, &actor, None, now)?;
            let providers = accounts::providers_to_choose(tx, &actor)?;
            Ok::<_, No<Never>>((rows, region_names(&book, &actor, now, &step.items), providers))
        })
        .await?;
    if typed.days.is_empty() {
        DAYS.clone_into(&mut typed.days);
    }
    let bad = !mistakes.is_empty();
    let choice = |(id, label): (domain::ids::ProviderId, String)| Choice {
        chosen: typed.provider == id.to_string(),
        value: id.to_string(),
        label,
    };
    let providers = providers.into_iter().map(choice).collect();
    let page = page.titled("接口令牌", "accounts");
    let shown = TokensPage { page, now, typed, rows, regions, providers, fresh, mistakes };
    Ok(if bad { again(shown) } else { Html(shown).into_response() })
}

/// `GET /accounts/tokens`
pub async fn index(State(app): State<App>, page: Page, signed: Signed) -> Reply {
    form(&app, page, &signed, TokenForm::default(), None, vec![]).await
}

fn field(refusal: &AccountRefusal) -> &'static str {
    match refusal {
        AccountRefusal::Expiry => "days",
        AccountRefusal::Post(PostRefusal::OutsideRange) => "region",
        _ => "name",
    }
}

/// `POST /accounts/tokens`: the answer shows the token, once.
pub async fn create(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Form(typed): Form<TokenForm>,
) -> Reply {
    let (actor, region) = (signed.actor(), typed.region.clone());
    let range = app.read(move |tx, now| region_typed(tx, &actor, &region, now)).await?;
    let range = match range {
        Ok(range) => range.unwrap_or(signed.actor().range),
        Err(text) => {
            return form(&app, page, &signed, typed, None, vec![Mistake::new("region", text)]).await;
        }
    };
    let holder = match typed.holder.as_str() {
        "oneself" => TokenFor::Oneself,
        _ => TokenFor::Program { range, provider: typed.provider.parse().ok() },
    };
    let new = NewToken { name: typed.name.clone(), holder, days: typed.days.trim().parse().unwrap_or(0) };
    let (token, actor, session) = (app.token("xyt"), signed.actor(), signed.0.token);
    let hash = token_hash(&token);
    match app.write(move |tx, now| accounts::make_token(tx, &actor, session, &new, hash, now)).await {
        Ok(_) => form(&app, page, &signed, TokenForm::default(), Some(token), vec![]).await,
        Err(no) => {
            let mistake = mistake(no, field)?;
            form(&app, page, &signed, typed, None, vec![mistake]).await
        }
    }
}

/// `POST /accounts/tokens/{id}/revocation`
pub async fn revoke(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply {
    let id: TokenId = id.parse().map_err(|_| Problem::not_found())?;
    let actor = signed.actor();
    app.write(move |tx, now| accounts::revoke_token(tx, &actor, id, now)).await?;
    app.identities().forget();
    Ok(see_with("/accounts/tokens", "令牌已吊销，立即失效", None))
}
