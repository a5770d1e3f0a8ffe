//! What every page has around its content: language, theme, desks, who is signed in, the last answer.

use std::convert::Infallible;

use askama::Template;
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use domain::access::Act;

use crate::{App, Html, Identity, Problem, desks::door::sign_in, filters, identity::cookie, text::translate};

/// A desk in the top bar.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Stable name.
    pub key: &'static str,
    /// Where it is.
    pub href: &'static str,
    /// Its name in the page's language.
    pub label: String,
    /// The letter after `g`.
    pub shortcut: &'static str,
    /// Whether the page belongs to it.
    pub active: bool,
}

/// The answer to the last action.
#[derive(Debug, Clone)]
pub struct Flash {
    /// What was done.
    pub text: String,
    /// Where to take it back, for ten seconds.
    pub undo_href: Option<String>,
}

/// The surroundings of a page; an extractor. Templates hold it as `page`.
#[derive(Debug, Clone)]
pub struct Page {
    /// Title of the page, in its language.
    pub title: String,
    /// `zh-CN` or `en`.
    pub lang: &'static str,
    /// `normal`, `large` or `contrast`.
    pub theme: &'static str,
    /// Desks the signed-in person may use.
    pub nav: Vec<Desk>,
    /// Number of the account that is signed in; empty when nobody is. What a browser keeps for somebody bears it.
    pub account: String,
    /// Who is signed in; empty when nobody is.
    pub user_name: String,
    /// In which role, in words.
    pub role_name: String,
    /// Whether this is the demo.
    pub demo: bool,
    /// The server's disk is full: alarms are taken, other things may not be kept.
    pub disk_full: bool,
    /// The answer to the last action, shown once.
    pub flash: Option<Flash>,
    identity: Option<Identity>,
}

const DESKS: &[(&str, &str, &str, &str, Act)] = &[
    ("hotline", "/hotline", "热线", "h", Act::TakeCalls),
    ("dispatch", "/dispatch", "派单", "d", Act::DispatchOrders),
    ("orders", "/orders", "工单", "o", Act::SeeOrders),
    ("people", "/people", "老人", "p", Act::SeePeople),
    ("alarms", "/alarms", "警情", "l", Act::SeeAlarms),
    ("devices", "/devices", "设备", "v", Act::SeeDevices),
    ("duties", "/duties", "巡访", "r", Act::MakeRounds),
    ("imports", "/imports", "导入", "i", Act::ImportPeople),
    ("providers", "/providers", "服务商", "s", Act::SeeProviders),
    ("statements", "/statements", "结算", "m", Act::SeeMoney),
    ("evidence", "/evidence", "留痕", "e", Act::SeeEvidence),
    ("carer", "/carer", "上门", "c", Act::VisitHomes),
    ("accounts", "/accounts", "账号", "a", Act::Administer),
];

impl Page {
    /// The same surroundings for a page with this title (Chinese) on this desk.
    #[must_use]
    pub fn titled(mut self, title: &str, desk: &str) -> Page {
        self.title = translate(title, self.lang).into_owned();
        for one in &mut self.nav {
            one.active = one.key == desk;
        }
        self
    }

    /// Whether the signed-in post includes an act, for showing or hiding a button (the command decides again).
    pub fn may(&self, act: Act) -> bool {
        self.identity.as_ref().is_some_and(|i| i.actor.may(act).is_ok())
    }

    /// Whether long imports may be under way that the corner of each page should show.
    pub fn imports(&self) -> bool {
        self.may(Act::ImportPeople)
    }

    /// Where somebody begins to work: the first desk of the post.
    pub fn home(&self) -> &'static str {
        self.nav.first().map_or("/account", |desk| desk.href)
    }

    fn of(app: &App, headers: &HeaderMap, identity: Option<Identity>) -> Page {
        let lang = if cookie(headers, "xiyang_lang").as_deref() == Some("en") { "en" } else { "zh-CN" };
        let theme = match cookie(headers, "xiyang_theme").as_deref() {
            Some("large") => "large",
            Some("contrast") => "contrast",
            _ => "normal",
        };
        let may = |act| identity.as_ref().is_some_and(|i| i.actor.may(act).is_ok());
        let nav = DESKS
            .iter()
            .filter(|desk| may(desk.4))
            .map(|(key, href, label, shortcut, _)| Desk {
                key,
                href,
                label: translate(label, lang).into_owned(),
                shortcut,
                active: false,
            })
            .collect();
        Page {
            title: String::new(),
            lang,
            theme,
            nav,
            account: identity.as_ref().map(|i| i.actor.account.to_string()).unwrap_or_default(),
            user_name: identity.as_ref().map(|i| i.actor.name.clone()).unwrap_or_default(),
            role_name: identity.as_ref().map(|i| i.actor.role.label().to_owned()).unwrap_or_default(),
            demo: app.demo().is_some(),
            disk_full: app.signals().is_some_and(|signals| signals.status().disk_full),
            flash: flash_of(headers),
            identity,
        }
    }
}

impl FromRequestParts<App> for Page {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Page, Infallible> {
        Ok(Page::of(app, &parts.headers, parts.extensions.get::<Identity>().cloned()))
    }
}

const FLASH: &str = "xiyang_flash";

/// Goes to a page and says there, once, what was done; with an address that takes it back where one exists.
pub fn see_with(url: &str, text: &str, undo_href: Option<&str>) -> Response {
    use base64::Engine as _;
    let value = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .encode(format!("{text}\n{}", undo_href.unwrap_or_default()));
    let cookie = format!("{FLASH}={value}; Path=/; Max-Age=20; HttpOnly; SameSite=Lax");
    ([(header::SET_COOKIE, cookie)], Redirect::to(url)).into_response()
}

fn flash_of(headers: &HeaderMap) -> Option<Flash> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(cookie(headers, FLASH)?).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (text, undo) = text.split_once('\n')?;
    Some(Flash {
        text: text.to_owned(),
        undo_href: (undo.starts_with('/') && sign_in::inside(undo) == undo).then(|| undo.to_owned()),
    })
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    page: Page,
    problem: Problem,
}

/// Turns problems into pages for browsers, sends people to the sign-in page, and forgets a flash once shown.
pub(crate) async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/api/") {
        return next.run(request).await;
    }
    let headers = request.headers().clone();
    let identity = request.extensions().get::<Identity>().cloned();
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let get = request.method() == axum::http::Method::GET;
    let mut response = next.run(request).await;
    let browser = !path.starts_with("/api/")
        && headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("text/html"));
    if browser && let Some(problem) = response.extensions_mut().remove::<Problem>() {
        if problem.status() == StatusCode::UNAUTHORIZED {
            let next = if get { path } else { "/".to_owned() };
            return Redirect::to(&format!("/sign-in?next={}", encode(&next))).into_response();
        }
        let status = problem.status();
        let page = Page::of(&app, &headers, identity).titled("出了点问题", "");
        return (status, Html(ProblemPage { page, problem })).into_response();
    }
    let html =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"text/html"));
    if html && cookie(&headers, FLASH).is_some() && headers.get("hx-request").is_none() {
        let gone = axum::http::HeaderValue::from_static("xiyang_flash=; Path=/; Max-Age=0");
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
    response
}

/// Percent-encodes a value for a query string.
pub fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-_.~/".contains(&b) {
            out.push(char::from(b));
        } else {
            use std::fmt::Write as _;
            let _ = write!(out, "%{b:02X}");
        }
        out
    })
}
