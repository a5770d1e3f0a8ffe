//! The door: where one is sent first, how one comes in and goes out, what everybody may set, and the stream of news.

pub mod account;
pub mod factor;
pub mod invitation;
pub mod sign_in;

use askama::Template;
use axum::{
    Form,
    extract::State,
    http::{HeaderMap, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use crate::{App, Html, Page, Reply, Signed, filters};

/// To the first desk of one's post, or to the sign-in page.
pub async fn home(page: Page) -> Response {
    let signed_in = !page.user_name.is_empty();
    Redirect::to(if signed_in { page.home() } else { "/sign-in" }).into_response()
}

/// For whoever watches the process: it answers when the store answers.
pub async fn health(State(app): State<App>) -> Reply<&'static str> {
    app.read(|tx, _| Ok::<_, app::outcome::No<app::outcome::Never>>(app::evidence::told_last(tx)?)).await?;
    Ok("ok")
}

/// Language and theme of this browser.
#[derive(Debug, Deserialize)]
pub struct Preferences {
    lang: Option<String>,
    theme: Option<String>,
}

/// Keeps language and theme in the browser and goes back.
pub async fn preferences(headers: HeaderMap, Form(form): Form<Preferences>) -> Response {
    let keep = |name: &str, value: &str| {
        (header::SET_COOKIE, format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Lax"))
    };
    let mut cookies = Vec::new();
    if let Some(lang) = form.lang.filter(|l| ["zh", "en"].contains(&l.as_str())) {
        cookies.push(keep("xiyang_lang", &lang));
    }
    if let Some(theme) = form.theme.filter(|t| ["normal", "large", "contrast"].contains(&t.as_str())) {
        cookies.push(keep("xiyang_theme", &theme));
    }
    let back = headers
        .get(header::REFERER)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.split_once("://"))
        .and_then(|(_, rest)| rest.find('/').map(|at| rest[at..].to_owned()))
        .unwrap_or_else(|| "/".to_owned());
    (AppendHeaders(cookies), Redirect::to(sign_in::inside(&back))).into_response()
}

/// What everybody must know, above every desk.
#[derive(Debug, Template)]
#[template(path = "layout/notices.html")]
struct Notices {
    page: Page,
}

/// The same part alone, fetched anew when the disk fills or has room again.
pub async fn notices(page: Page) -> Html<impl Template> {
    Html(Notices { page })
}

/// News about what the signed-in post may see.
pub async fn live(State(app): State<App>, signed: Signed) -> impl IntoResponse {
    app.live().stream(signed.actor())
}
