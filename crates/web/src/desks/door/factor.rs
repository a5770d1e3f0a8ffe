//! Setting up the second factor: while signing in, when a post asks for it, or later from one's own account.

use app::parties::accounts::{self, AccountRefusal, Door, Enrolment, Stage};
use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::{HeaderMap, Uri},
    response::IntoResponse,
};
use serde::Deserialize;

use super::{
    super::form::{Mistake, again, wrong},
    sign_in::{inside, onward, said, signing},
};
use crate::{App, Html, Page, Problem, Reply, filters, page::see_with, respond::see};

#[derive(Template)]
#[template(path = "door/factor.html")]
struct FactorPage {
    page: Page,
    /// Where the form goes: the two doors differ only in their address.
    action: &'static str,
    has_factor: bool,
    secret: String,
    qr: Qr,
    next: String,
    mistakes: Vec<Mistake>,
}

/// A picture of squares.
struct Qr {
    size: i32,
    path: String,
}

impl Qr {
    fn of(text: &str) -> Result<Qr, Problem> {
        use std::fmt::Write as _;
        let code = qrcodegen::QrCode::encode_text(text, qrcodegen::QrCodeEcc::Medium)
            .map_err(|_| Problem::malformed("账号名太长，画不出二维码"))?;
        let mut path = String::new();
        for y in 0..code.size() {
            for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
                // Two squares of quiet zone on each side; four are asked for, the page's white gives the rest.
                let _ = write!(path, "M{} {}h1v1h-1z", x + 2, y + 2);
            }
        }
        Ok(Qr { size: code.size() + 4, path })
    }
}

/// The secret in groups of four, as one types it.
fn grouped(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// Where to go afterwards.
#[derive(Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

/// Which of the two doors an address is.
fn action(uri: &Uri) -> &'static str {
    if uri.path().starts_with("/account") { "/account/factor" } else { "/sign-in/factor" }
}

/// `GET /sign-in/factor` and `GET /account/factor`
pub async fn show(
    State(app): State<App>,
    page: Page,
    uri: Uri,
    headers: HeaderMap,
    Query(next): Query<Next>,
) -> Reply {
    let next = inside(&next.next).to_owned();
    let Some((signing, _)) = signing(&app, &headers).await? else { return Ok(see("/sign-in")) };
    match signing.stage {
        Stage::Enrol | Stage::In => form(&app, page, &headers, action(&uri), next, vec![]).await,
        stage => Ok(onward(stage, &next)),
    }
}

async fn form(
    app: &App,
    page: Page,
    headers: &HeaderMap,
    action: &'static str,
    next: String,
    mistakes: Vec<Mistake>,
) -> Reply {
    let Some((signing, token)) = signing(app, headers).await? else { return Ok(see("/sign-in")) };
    let mut fresh = [0; 20];
    app.random(&mut fresh);
    let Enrolment { secret, uri } =
        app.write(move |tx, now| accounts::enrolment(tx, token, fresh, now)).await?;
    let page = page.titled("绑定动态码", "");
    let bad = !mistakes.is_empty();
    let shown = FactorPage {
        page,
        action,
        has_factor: signing.has_second_factor(),
        secret: grouped(&secret),
        qr: Qr::of(&uri)?,
        next,
        mistakes,
    };
    Ok(if bad { again(shown) } else { Html(shown).into_response() })
}

/// What was typed.
#[derive(Deserialize)]
pub struct FactorForm {
    #[serde(default)]
    current: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// `POST /sign-in/factor` and `POST /account/factor`
pub async fn confirm(
    State(app): State<App>,
    page: Page,
    uri: Uri,
    headers: HeaderMap,
    Form(typed): Form<FactorForm>,
) -> Reply {
    let next = inside(&typed.next).to_owned();
    let Some((before, token)) = signing(&app, &headers).await? else { return Ok(see("/sign-in")) };
    let door = app
        .write(move |tx, now| accounts::confirm_enrolment(tx, token, &typed.current, &typed.code, now))
        .await?;
    app.identities().forget();
    match (door, said(door)) {
        (_, Ok(_)) if before.stage == Stage::In => {
            Ok(see_with("/account", "动态码已绑定，其他设备已退出", None))
        }
        (_, Ok(stage)) => Ok(onward(stage, &next)),
        (door, Err(text)) => {
            let text = if door == Door::Wrong { AccountRefusal::WrongCode.to_string() } else { text };
            form(&app, page, &headers, action(&uri), next, vec![Mistake::new("code", text)]).await
        }
    }
}

/// What was typed.
#[derive(Deserialize)]
pub struct RemovalForm {
    #[serde(default)]
    code: String,
}

/// `POST /account/factor/removal`
pub async fn remove(State(app): State<App>, headers: HeaderMap, Form(form): Form<RemovalForm>) -> Reply {
    let Some((_, token)) = signing(&app, &headers).await? else { return Ok(see("/sign-in")) };
    let door = app.write(move |tx, now| accounts::remove_own_factor(tx, token, &form.code, now)).await?;
    app.identities().forget();
    match (door, said(door)) {
        (_, Ok(_)) => Ok(see_with("/account", "动态码已停用", None)),
        (Door::Wrong, _) => Ok(see_with("/account", &AccountRefusal::WrongCode.to_string(), None)),
        (_, Err(text)) => Ok(see_with("/account", &text, None)),
    }
}
