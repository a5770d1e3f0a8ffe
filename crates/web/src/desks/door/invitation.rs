//! Codes that open an account: the first administrator's, printed by the program, and the link of an invitation.

use app::parties::accounts::{self, AccountRefusal, Invited, Password, token_hash};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    response::IntoResponse,
};
use domain::parties::account::Username;
use serde::Deserialize;

use super::{
    super::form::{Mistake, again, mistake, wrong},
    sign_in::hashing,
};
use crate::{App, Html, Page, Problem, Reply, filters, page::see_with};

/// The two passwords must be the same; the second is there only for the person's fingers.
fn twice(password: &str, repeat: &str) -> Option<Mistake> {
    (password != repeat).then(|| Mistake::new("repeat", "两次输入的密码不一样"))
}

/// The field a refusal belongs to.
fn field(refusal: &AccountRefusal) -> &'static str {
    match refusal {
        AccountRefusal::Username | AccountRefusal::UsernameTaken(_) => "username",
        AccountRefusal::Name => "name",
        AccountRefusal::Password(_) => "password",
        _ => "code",
    }
}

#[derive(Template)]
#[template(path = "door/first.html")]
struct FirstPage {
    page: Page,
    code: String,
    username: String,
    name: String,
    mistakes: Vec<Mistake>,
}

/// `GET /first`
pub async fn first(State(app): State<App>, page: Page) -> Reply {
    let untouched =
        app.read(|tx, _| Ok::<_, app::outcome::No<AccountRefusal>>(accounts::untouched(tx)?)).await?;
    if !untouched {
        return Err(app::outcome::No::Refused(AccountRefusal::NotFirst).into());
    }
    let page = page.titled("设立首个管理员", "");
    let empty = String::new;
    Ok(Html(FirstPage { page, code: empty(), username: empty(), name: empty(), mistakes: vec![] })
        .into_response())
}

/// What was typed.
#[derive(Deserialize)]
pub struct FirstForm {
    #[serde(default)]
    code: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    repeat: String,
}

/// `POST /first`
pub async fn claim(State(app): State<App>, page: Page, Form(form): Form<FirstForm>) -> Reply {
    let mistake = match claimed(&app, &form).await? {
        None => {
            app.identities().forget();
            return Ok(see_with("/sign-in", "管理员账号已设立，请登录", None));
        }
        Some(mistake) => mistake,
    };
    let page = page.titled("设立首个管理员", "");
    let mistakes = vec![mistake];
    Ok(again(FirstPage { page, code: form.code, username: form.username, name: form.name, mistakes }))
}

async fn claimed(app: &App, form: &FirstForm) -> Result<Option<Mistake>, Problem> {
    let Ok(username) = Username::parse(&form.username) else {
        return Ok(Some(Mistake::new("username", AccountRefusal::Username)));
    };
    let password = match Password::parse(&form.password, &username) {
        Ok(password) => password,
        Err(refusal) => return Ok(Some(Mistake::new("password", refusal))),
    };
    if let Some(mistake) = twice(&form.password, &form.repeat) {
        return Ok(Some(mistake));
    }
    let hash = hash(app, password).await?;
    let (code, name) = (token_hash(form.code.trim()), form.name.clone());
    let made = app.write(move |tx, now| accounts::claim_first(tx, code, &username, &name, &hash, now)).await;
    match made {
        Ok(_) => Ok(None),
        Err(no) => mistake(no, field).map(Some),
    }
}

/// Hashes a password with a fresh salt.
pub(super) async fn hash(app: &App, password: Password) -> Result<accounts::PasswordHash, Problem> {
    let mut salt = [0; 16];
    app.random(&mut salt);
    hashing(move || password.hash(salt)).await
}

#[derive(Template)]
#[template(path = "door/invitation.html")]
struct InvitationPage {
    page: Page,
    code: String,
    username: String,
    name: String,
    mistakes: Vec<Mistake>,
}

async fn invited(app: &App, code: &str) -> Result<Invited, Problem> {
    let code = token_hash(code);
    Ok(app.read(move |tx, now| Invited::by(tx, code, now)).await?)
}

/// `GET /invitation/{code}`
pub async fn show(State(app): State<App>, page: Page, Path(code): Path<String>) -> Reply {
    let invited = invited(&app, &code).await?;
    let page = page.titled("设置密码", "");
    let username = invited.username.as_str().to_owned();
    Ok(Html(InvitationPage { page, code, username, name: invited.name, mistakes: vec![] }).into_response())
}

/// What was typed.
#[derive(Deserialize)]
pub struct InvitationForm {
    #[serde(default)]
    password: String,
    #[serde(default)]
    repeat: String,
}

/// `POST /invitation/{code}`
pub async fn accept(
    State(app): State<App>,
    page: Page,
    Path(code): Path<String>,
    Form(form): Form<InvitationForm>,
) -> Reply {
    let invited = invited(&app, &code).await?;
    let mistake = match (invited.password(&form.password), twice(&form.password, &form.repeat)) {
        (Err(refusal), _) => Mistake::new("password", refusal),
        (Ok(_), Some(mistake)) => mistake,
        (Ok(password), None) => {
            let hash = hash(&app, password).await?;
            let hashed = token_hash(&code);
            app.write(move |tx, now| Invited::accept(tx, hashed, &hash, now)).await?;
            app.identities().forget();
            return Ok(see_with("/sign-in", "密码已设置，请登录", None));
        }
    };
    let page = page.titled("设置密码", "");
    let username = invited.username.as_str().to_owned();
    Ok(again(InvitationPage { page, code, username, name: invited.name, mistakes: vec![mistake] }))
}
