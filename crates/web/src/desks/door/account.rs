//! One's own account: password, second factor, devices, posts.

use app::parties::accounts::{self, AccountRefusal, Door, OwnAccount, OwnSession, Password};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    response::IntoResponse,
};
use domain::{ids::SessionId, time::Now};
use serde::Deserialize;

use super::{
    super::form::{Mistake, again, wrong},
    invitation::hash,
    sign_in::{Choice, PostForm, answer, choices, said},
};
use crate::{App, Html, Page, Problem, Reply, Signed, filters, page::see_with, respond::see};

#[derive(Template)]
#[template(path = "door/account.html")]
struct AccountPage {
    page: Page,
    now: Now,
    username: String,
    name: String,
    has_factor: bool,
    needs_factor: bool,
    choices: Vec<Choice>,
    sessions: Vec<OwnSession>,
    mistakes: Vec<Mistake>,
}

async fn own(app: &App, signed: &Signed) -> Result<OwnAccount, Problem> {
    let token = signed.0.token;
    Ok(app.read(move |tx, now| accounts::own_account(tx, token, now)).await?)
}

async fn form(app: &App, page: Page, signed: &Signed, mistakes: Vec<Mistake>) -> Reply {
    let own = own(app, signed).await?;
    let bad = !mistakes.is_empty();
    let shown = AccountPage {
        page: page.titled("我的账号", ""),
        now: app.now(),
        username: own.username.as_str().to_owned(),
        name: own.name,
        has_factor: own.has_factor,
        needs_factor: own.needs_factor,
        choices: choices(app, own.posts, own.post).await?,
        sessions: own.sessions,
        mistakes,
    };
    Ok(if bad { again(shown) } else { Html(shown).into_response() })
}

/// `GET /account`
pub async fn show(State(app): State<App>, page: Page, signed: Signed) -> Reply {
    form(&app, page, &signed, vec![]).await
}

/// What was typed.
#[derive(Deserialize)]
pub struct PasswordForm {
    #[serde(default)]
    old: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    repeat: String,
}

/// `POST /account/password`
pub async fn change_password(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Form(typed): Form<PasswordForm>,
) -> Reply {
    let username = own(&app, &signed).await?.username;
    let mistake = match Password::parse(&typed.password, &username) {
        Err(refusal) => Mistake::new("password", refusal),
        Ok(_) if typed.password != typed.repeat => Mistake::new("repeat", "两次输入的密码不一样"),
        Ok(password) => {
            let old = answer(&app, username.as_str(), &typed.old).await?;
            let (new, token) = (hash(&app, password).await?, signed.0.token);
            let door =
                app.write(move |tx, now| accounts::change_password(tx, token, &old, &new, now)).await?;
            app.identities().forget();
            match (door, said(door)) {
                (_, Ok(_)) => return Ok(see_with("/account", "密码已修改，其他设备已退出", None)),
                (Door::Wrong, _) => Mistake::new("old", AccountRefusal::WrongPassword),
                (_, Err(text)) => Mistake::new("old", text),
            }
        }
    };
    form(&app, page, &signed, vec![mistake]).await
}

/// `POST /account/post`
pub async fn choose_post(State(app): State<App>, signed: Signed, Form(form): Form<PostForm>) -> Reply {
    let token = signed.0.token;
    let post = form.chosen()?;
    app.write(move |tx, now| accounts::choose_post(tx, token, post, now)).await?;
    app.identities().forget();
    Ok(see("/"))
}

/// `POST /account/sessions/{id}/end`
pub async fn end_session(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply {
    let id: SessionId = id.parse().map_err(|_| Problem::not_found())?;
    let token = signed.0.token;
    app.write(move |tx, now| accounts::end_session(tx, token, id, now)).await?;
    app.identities().forget();
    Ok(see_with("/account", "那台设备已退出", None))
}
