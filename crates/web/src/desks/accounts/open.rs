//! Opening accounts and closing them; links by which people set their own password.

use app::{
    outcome::{Never, No},
    parties::accounts::{self, AccountRefusal, NewAccount, NewPost, token_hash},
    regions,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use domain::{
    access::{Actor, Role},
    regions::RegionRange,
};
use serde::Deserialize;

use super::{
    super::{
        door::sign_in::behind_tls,
        form::{Mistake, again, mistake, wrong},
    },
    Choice, account_id, region_names, region_typed, roles,
};
use crate::{App, Html, Page, Problem, Reply, Signed, filters, page::see_with};

/// A post as it was typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PostTyped {
    #[serde(default)]
    role: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    carer: String,
}

/// Reads a post; the answer is a mistake where something does not read.
pub(super) async fn post_typed(
    app: &App,
    actor: std::sync::Arc<Actor>,
    typed: &PostTyped,
) -> Result<Result<NewPost, Mistake>, Problem> {
    let Some(role) = Role::from_code(&typed.role) else {
        return Ok(Err(Mistake::new("role", "请选一个岗位")));
    };
    let typed = typed.clone();
    Ok(app
        .read(move |tx, now| {
            let range = match region_typed(tx, &actor, &typed.region, now)? {
                Ok(range) => range.unwrap_or(actor.range),
                Err(text) => return Ok(Err(Mistake::new("region", text))),
            };
            let provider = typed.provider.parse().ok();
            let carer = match (provider, typed.carer.trim()) {
                (_, "") | (None, _) => None,
                (Some(provider), carer) => match &accounts::carers_named(tx, &actor, provider, carer)?[..] {
                    [only] => Some(*only),
                    [] => return Ok(Err(Mistake::new("carer", "这家服务商没有这位护理员，请核对姓名"))),
                    _ => return Ok(Err(Mistake::new("carer", "有同名的护理员，请改填护理员编号"))),
                },
            };
            Ok::<_, No<Never>>(Ok(NewPost { role, range, provider, carer }))
        })
        .await?)
}

/// The field of a post a refusal belongs to.
pub(super) fn post_field(refusal: &AccountRefusal) -> &'static str {
    use domain::parties::account::PostRefusal;
    match refusal {
        AccountRefusal::Username | AccountRefusal::UsernameTaken(_) => "username",
        AccountRefusal::Name => "name",
        AccountRefusal::Post(PostRefusal::OutsideRange) => "region",
        AccountRefusal::Post(PostRefusal::ProviderMissing | PostRefusal::ProviderUnfit) => "provider",
        AccountRefusal::Post(PostRefusal::CarerMissing) => "carer",
        _ => "role",
    }
}

#[derive(Template)]
#[template(path = "accounts/new.html")]
struct NewPage {
    page: Page,
    username: String,
    name: String,
    post: PostTyped,
    roles: Vec<Choice>,
    regions: Vec<String>,
    providers: Vec<Choice>,
    all_regions: bool,
    mistakes: Vec<Mistake>,
}

/// What was typed.
#[derive(Debug, Default, Deserialize)]
pub struct NewForm {
    #[serde(default)]
    username: String,
    #[serde(default)]
    name: String,
    #[serde(flatten)]
    post: PostTyped,
}

async fn form(app: &App, page: Page, signed: &Signed, typed: NewForm, mistakes: Vec<Mistake>) -> Reply {
    let actor = signed.actor();
    let all_regions = actor.range == RegionRange::ALL;
    let (regions, providers) = app
        .read(move |tx, now| {
            let book = regions::book(tx)?;
            let step = regions::children(tx, &actor, None, now)?;
            let providers = accounts::providers_to_choose(tx, &actor)?;
            Ok::<_, No<Never>>((region_names(&book, &actor, now, &step.items), providers))
        })
        .await?;
    let bad = !mistakes.is_empty();
    let choice = |(id, label): (domain::ids::ProviderId, String)| Choice {
        chosen: typed.post.provider == id.to_string(),
        value: id.to_string(),
        label,
    };
    let shown = NewPage {
        page: page.titled("开户", "accounts"),
        roles: roles(&typed.post.role),
        providers: providers.into_iter().map(choice).collect(),
        username: typed.username,
        name: typed.name,
        post: typed.post,
        regions,
        all_regions,
        mistakes,
    };
    Ok(if bad { again(shown) } else { Html(shown).into_response() })
}

/// `GET /accounts/new`
pub async fn new(State(app): State<App>, page: Page, signed: Signed) -> Reply {
    form(&app, page, &signed, NewForm::default(), vec![]).await
}

/// `POST /accounts`
pub async fn create(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    headers: HeaderMap,
    Form(typed): Form<NewForm>,
) -> Reply {
    let post = match post_typed(&app, signed.actor(), &typed.post).await? {
        Ok(post) => post,
        Err(mistake) => return form(&app, page, &signed, typed, vec![mistake]).await,
    };
    let (code, actor) = (app.token("xyi"), signed.actor());
    let hash = token_hash(&code);
    let new = NewAccount { username: typed.username.clone(), name: typed.name.clone(), post };
    match app.write(move |tx, now| accounts::invite(tx, &actor, &new, Some(hash), now)).await {
        Ok(id) => Ok(link(page, &headers, &typed.name, &code, format!("/accounts/{id}"))),
        Err(no) => {
            let mistake = mistake(no, post_field)?;
            form(&app, page, &signed, typed, vec![mistake]).await
        }
    }
}

#[derive(Template)]
#[template(path = "accounts/link.html")]
struct LinkPage {
    page: Page,
    name: String,
    link: String,
    back: String,
}

/// Shows a link, once: it stands in no address and in no log.
fn link(page: Page, headers: &HeaderMap, name: &str, code: &str, back: String) -> Response {
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let scheme = if behind_tls(headers) { "https" } else { "http" };
    let link = format!("{scheme}://{host}/invitation/{code}");
    let page = page.titled("设密码链接", "accounts");
    Html(LinkPage { page, name: name.to_owned(), link, back }).into_response()
}

/// `POST /accounts/{id}/invitation`
pub async fn invite_again(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Reply {
    let (id, code, actor) = (account_id(&id)?, app.token("xyi"), signed.actor());
    let hash = token_hash(&code);
    let line = app
        .write(move |tx, now| {
            accounts::invite_again(tx, &actor, id, hash, now)?;
            accounts::account(tx, &actor, id, now).map_err(|no| no.map(|never: Never| match never {}))
        })
        .await?;
    Ok(link(page, &headers, &line.name, &code, format!("/accounts/{id}")))
}

/// `POST /accounts/{id}/closure`
pub async fn close(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply {
    let (id, actor) = (account_id(&id)?, signed.actor());
    app.write(move |tx, now| accounts::close(tx, &actor, id, now)).await?;
    app.identities().forget();
    let undo = format!("/accounts/{id}/reopening");
    Ok(see_with(&format!("/accounts/{id}"), "账号已停用，所有设备已退出", Some(&undo)))
}

/// `POST /accounts/{id}/reopening`
pub async fn reopen(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply {
    let (id, actor) = (account_id(&id)?, signed.actor());
    app.write(move |tx, now| accounts::reopen(tx, &actor, id, now)).await?;
    app.identities().forget();
    Ok(see_with(&format!("/accounts/{id}"), "账号已恢复", None))
}

/// `POST /accounts/{id}/factor-removal`
pub async fn clear_factor(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply {
    let (id, actor) = (account_id(&id)?, signed.actor());
    app.write(move |tx, now| accounts::clear_second_factor(tx, &actor, id, now)).await?;
    app.identities().forget();
    Ok(see_with(&format!("/accounts/{id}"), "动态码已解除，下次登录可重新绑定", None))
}
