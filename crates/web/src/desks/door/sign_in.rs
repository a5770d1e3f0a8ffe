//! Coming in: account and password, the code of the second factor, the post; and going out.

use app::{
    outcome::Answer,
    parties::accounts::{
        self, AccountRefusal, Answered, Device, Door, Signing, Stage, challenge, token_hash,
    },
    signals::incidents,
    store::Tx,
};
use askama::Template;
use axum::{
    Extension, Form,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    access::{Act, Actor},
    ids::PostId,
    signals::incident::IncidentState,
    time::Now,
};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::super::form::{Mistake, again, with_cookie, wrong};
use crate::{
    App, Html, Page, Problem, Reply, filters,
    identity::{COOKIE, Identity, cookie},
    page::encode,
    respond::see,
    state::Persona,
};

/// Passwords hashed at once: each takes 19 MiB and a core, and a flood of them must not take the machine.
static HASHING: Semaphore = Semaphore::const_new(4);

/// Runs password work on a thread that may take its time.
pub(crate) async fn hashing<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let broken = |_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "系统繁忙，请稍后再试");
    let _turn = HASHING.acquire().await.map_err(|_| broken(()))?;
    tokio::task::spawn_blocking(work).await.map_err(|_| broken(()))
}

/// Checks a typed password, equally long whether or not there is such an account.
pub(crate) async fn answer(app: &App, username: &str, password: &str) -> Result<Answered, Problem> {
    let (username, password) = (username.to_owned(), password.to_owned());
    let challenge =
        app.read(move |tx, _| Ok::<_, app::outcome::No<AccountRefusal>>(challenge(tx, &username)?)).await?;
    hashing(move || challenge.answer(&password)).await
}

/// The hash of the session a browser brings, signed in or half way.
pub(crate) fn session_of(headers: &HeaderMap) -> Option<[u8; 32]> {
    cookie(headers, COOKIE).map(|token| token_hash(&token))
}

/// Where to go afterwards: a page of ours, never another site.
pub(crate) fn inside(next: &str) -> &str {
    // Browsers drop tabs and line ends before they read an address, and take \ for /.
    let odd = |c: char| c == '\\' || c.is_control();
    let local = next.starts_with('/') && !next.starts_with("//") && !next.contains(odd);
    if local { next } else { "/" }
}

#[derive(Template)]
#[template(path = "door/sign_in.html")]
struct SignInPage {
    page: Page,
    username: String,
    next: String,
    mistakes: Vec<Mistake>,
    personas: Vec<Persona>,
}

/// Where to go afterwards.
#[derive(Debug, Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

fn personas(app: &App) -> Vec<Persona> {
    app.demo().map(|demo| demo.personas.clone()).unwrap_or_default()
}

/// `GET /sign-in`
pub async fn new(State(app): State<App>, page: Page, Query(next): Query<Next>) -> Response {
    if !page.user_name.is_empty() {
        return see(inside(&next.next));
    }
    let page = page.titled("登录", "");
    let next = inside(&next.next).to_owned();
    let personas = personas(&app);
    Html(SignInPage { page, username: String::new(), next, mistakes: vec![], personas }).into_response()
}

/// What was typed.
#[derive(Deserialize)]
pub struct SignInForm {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// `POST /sign-in`
pub async fn create(
    State(app): State<App>,
    page: Page,
    headers: HeaderMap,
    Form(form): Form<SignInForm>,
) -> Reply {
    let answered = answer(&app, &form.username, &form.password).await?;
    let token = app.token("xys");
    let device = device(&token, &headers);
    let door = app
        .write(move |tx, now| {
            Ok::<_, app::outcome::No<AccountRefusal>>(accounts::sign_in(tx, &answered, &device, now)?)
        })
        .await?;
    let next = inside(&form.next);
    let mistake = match said(door) {
        Ok(stage) => return Ok(with_cookie(session_cookie(&headers, &token), onward(stage, next))),
        Err(text) => Mistake::new("username", text),
    };
    let page = page.titled("登录", "");
    let (next, personas) = (next.to_owned(), personas(&app));
    Ok(again(SignInPage { page, username: form.username, next, mistakes: vec![mistake], personas }))
}

/// The answer of the door in words, where it stays shut.
pub(crate) fn said(door: Door) -> Result<Stage, String> {
    match door {
        Door::Open(stage) => Ok(stage),
        Door::Wrong => Err("账号或密码不对，请检查大小写后再试".to_owned()),
        Door::Locked(minutes) => {
            Err(format!("错误次数过多，已暂时锁定。请在 {minutes} 分钟后再试，忘记密码请联系平台管理员"))
        }
        Door::NoPost => Err("您的账号没有有效的岗位，请联系平台管理员".to_owned()),
    }
}

/// The page of the next step.
pub(crate) fn onward(stage: Stage, next: &str) -> Response {
    match stage {
        Stage::In => see(next),
        Stage::Code => see(format!("/sign-in/code?next={}", encode(next))),
        Stage::Enrol => see(format!("/sign-in/factor?next={}", encode(next))),
        Stage::Post => see(format!("/sign-in/post?next={}", encode(next))),
    }
}

/// The session a browser brings and where it stands.
pub(crate) async fn signing(app: &App, headers: &HeaderMap) -> Result<Option<(Signing, [u8; 32])>, Problem> {
    let Some(token) = session_of(headers) else { return Ok(None) };
    let found = app
        .read(move |tx, now| Ok::<_, app::outcome::No<AccountRefusal>>(accounts::signing(tx, token, now)?))
        .await?;
    Ok(found.map(|signing| (signing, token)))
}

#[derive(Template)]
#[template(path = "door/code.html")]
struct CodePage {
    page: Page,
    name: String,
    next: String,
    mistakes: Vec<Mistake>,
}

/// `GET /sign-in/code`
pub async fn code(State(app): State<App>, page: Page, headers: HeaderMap, Query(next): Query<Next>) -> Reply {
    let next = inside(&next.next).to_owned();
    match signing(&app, &headers).await? {
        Some((signing, _)) if signing.stage == Stage::Code => {
            let page = page.titled("动态码", "");
            Ok(Html(CodePage { page, name: signing.name, next, mistakes: vec![] }).into_response())
        }
        Some((signing, _)) => Ok(onward(signing.stage, &next)),
        None => Ok(see("/sign-in")),
    }
}

/// What was typed.
#[derive(Deserialize)]
pub struct CodeForm {
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// `POST /sign-in/code`
pub async fn prove(
    State(app): State<App>,
    page: Page,
    headers: HeaderMap,
    Form(form): Form<CodeForm>,
) -> Reply {
    let Some((signing, token)) = signing(&app, &headers).await? else { return Ok(see("/sign-in")) };
    let code = form.code;
    let door = app.write(move |tx, now| accounts::prove(tx, token, &code, now)).await?;
    let next = inside(&form.next).to_owned();
    let text = match (door, said(door)) {
        (_, Ok(stage)) => return Ok(onward(stage, &next)),
        (Door::Wrong, _) => AccountRefusal::WrongCode.to_string(),
        (_, Err(text)) => text,
    };
    let (page, mistakes) = (page.titled("动态码", ""), vec![Mistake::new("code", text)]);
    Ok(again(CodePage { page, name: signing.name, next, mistakes }))
}

/// A post to choose.
pub(crate) struct Choice {
    pub(crate) id: PostId,
    pub(crate) role: &'static str,
    pub(crate) place: String,
    pub(crate) chosen: bool,
}

/// The posts of an account, with the names of their regions.
pub(crate) async fn choices(
    app: &App,
    posts: Vec<accounts::Post>,
    chosen: Option<PostId>,
) -> Result<Vec<Choice>, Problem> {
    Ok(app
        .read(move |tx, _| {
            let book = app::regions::book(tx)?;
            let choice = |post: &accounts::Post| Choice {
                id: post.id,
                role: post.role.label(),
                place: super::super::accounts::place(&book, post.range),
                chosen: Some(post.id) == chosen,
            };
            Ok::<_, app::outcome::No<AccountRefusal>>(posts.iter().map(choice).collect())
        })
        .await?)
}

#[derive(Template)]
#[template(path = "door/post.html")]
struct PostPage {
    page: Page,
    name: String,
    next: String,
    choices: Vec<Choice>,
}

/// `GET /sign-in/post`
pub async fn posts(
    State(app): State<App>,
    page: Page,
    headers: HeaderMap,
    Query(next): Query<Next>,
) -> Reply {
    let next = inside(&next.next).to_owned();
    let Some((signing, _)) = signing(&app, &headers).await? else { return Ok(see("/sign-in")) };
    if signing.stage != Stage::Post {
        return Ok(onward(signing.stage, &next));
    }
    let choices = choices(&app, signing.posts, None).await?;
    let page = page.titled("选择岗位", "");
    Ok(Html(PostPage { page, name: signing.name, next, choices }).into_response())
}

/// Which post.
#[derive(Deserialize)]
pub struct PostForm {
    #[serde(default)]
    post: String,
    #[serde(default)]
    next: String,
}

impl PostForm {
    pub(crate) fn chosen(&self) -> Result<PostId, Problem> {
        self.post.parse().map_err(|_| Problem::malformed("请选一个岗位"))
    }
}

/// `POST /sign-in/post`
pub async fn choose(State(app): State<App>, headers: HeaderMap, Form(form): Form<PostForm>) -> Reply {
    let Some(token) = session_of(&headers) else { return Ok(see("/sign-in")) };
    let post = form.chosen()?;
    app.write(move |tx, now| accounts::choose_post(tx, token, post, now)).await?;
    app.identities().forget();
    Ok(see(inside(&form.next)))
}

/// Whether somebody who has incidents in hand goes all the same.
#[derive(Debug, Default, Deserialize)]
pub struct Leaving {
    #[serde(default)]
    confirmed: String,
}

#[derive(Template)]
#[template(path = "door/leaving.html")]
struct LeavingPage {
    page: Page,
    owned: i64,
}

/// Incidents somebody has in hand.
fn in_hand(tx: &mut Tx<'_>, actor: &Actor) -> Answer<i64> {
    if actor.may(Act::AnswerAlarms).is_err() {
        return Ok(0);
    }
    let filter = incidents::Filter {
        states: vec![IncidentState::Acknowledged, IncidentState::Held],
        owner: Some(actor.account),
        ..incidents::Filter::default()
    };
    incidents::count(tx, actor, &filter)
}

/// `POST /sign-out`. Whoever has incidents in hand is told first that they go back to all.
pub async fn destroy(
    State(app): State<App>,
    page: Page,
    identity: Option<Extension<Identity>>,
    headers: HeaderMap,
    Query(leaving): Query<Leaving>,
) -> Reply {
    if let Some(Extension(identity)) = identity.filter(|i| !i.program && leaving.confirmed.is_empty()) {
        let owned = app.read(move |tx, _| in_hand(tx, &identity.actor)).await?;
        if owned > 0 {
            let page = page.titled("退出前请看一眼", "");
            return Ok(Html(LeavingPage { page, owned }).into_response());
        }
    }
    if let Some(token) = session_of(&headers) {
        app.write(move |tx, now| {
            accounts::sign_out(tx, token, now)?;
            // What was in hand rings for all at once, not when the next check comes round.
            incidents::hand_over_left(tx, now)?;
            Ok::<_, app::outcome::No<AccountRefusal>>(())
        })
        .await?;
        app.identities().forget();
    }
    let gone = format!("{COOKIE}=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
    Ok(with_cookie(gone, see("/sign-in")))
}

/// Which persona.
#[derive(Deserialize)]
pub struct DemoForm {
    #[serde(default)]
    persona: String,
}

/// `POST /sign-in/demo`: in the demo only, and only as one of its people.
pub async fn demo(State(app): State<App>, headers: HeaderMap, Form(form): Form<DemoForm>) -> Reply {
    let known = personas(&app).into_iter().any(|persona| persona.username == form.persona);
    if !known {
        return Err(Problem::not_found());
    }
    let token = app.token("xys");
    let device = device(&token, &headers);
    app.write(move |tx, now: Now| accounts::demo_session(tx, &form.persona, &device, now)).await?;
    Ok(with_cookie(session_cookie(&headers, &token), see("/")))
}

/// `Secure` only behind TLS, which a proxy before us tells; a browser would not send it back over plain HTTP.
fn session_cookie(headers: &HeaderMap, token: &str) -> String {
    let secure = if behind_tls(headers) { "; Secure" } else { "" };
    format!("{COOKIE}={token}; HttpOnly; SameSite=Lax; Path=/{secure}")
}

/// Whether the proxy before us took the request over TLS.
pub(crate) fn behind_tls(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"https"))
}

fn device(token: &str, headers: &HeaderMap) -> Device {
    let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    Device { token: token_hash(token), agent: browser(agent) }
}

/// `Chrome · Windows`: enough to recognise one's own device.
fn browser(agent: &str) -> String {
    let first = |words: &[(&str, &'static str)]| {
        words.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    // The order matters: most browsers also claim to be Chrome and Safari.
    let browser = first(&[
        ("MicroMessenger", "微信"),
        ("Edg", "Edge"),
        ("Firefox", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Macintosh", "Mac"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} · {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => agent.chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for (next, goes) in [
            ("/people?q=1", "/people?q=1"),
            ("", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("/a\r\nSet-Cookie: x=1", "/"),
            ("/\t/evil.example", "/"),
            ("/\u{0}/evil.example", "/"),
        ] {
            assert_eq!(inside(next), goes, "{next}");
        }
    }

    #[test]
    fn a_browser_is_recognised_among_its_claims() {
        let edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140 Safari/537.36 Edg/140";
        assert_eq!(browser(edge), "Edge · Windows");
        assert_eq!(browser("curl/8"), "curl/8");
    }
}
