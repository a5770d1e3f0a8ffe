//! Who is asking: a session cookie for people, a bearer token for programs.
//!
//! What was found is remembered for a few seconds, so that a busy desk does not look itself up on every request; news
//! about accounts empties the memory at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use app::{
    outcome::{Never, No},
    parties::accounts,
};
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{access::Actor, time::At};

use crate::{App, Problem};

/// Name of the session cookie.
pub const COOKIE: &str = "xiyang_session";
/// A remembered identity is looked up again after this many seconds.
const REMEMBER_SECONDS: i64 = 5;
/// Identities remembered at most; the memory is emptied when it is full.
const REMEMBER_MAX: usize = 10_000;

/// Who is asking, and how they showed it.
#[derive(Debug, Clone)]
pub struct Identity {
    /// In which capacity.
    pub actor: Arc<Actor>,
    /// Hash of the session or API token.
    pub token: [u8; 32],
    /// Whether a program is asking.
    pub program: bool,
}

/// Somebody is signed in; the gate of the route has been passed.
#[derive(Debug, Clone)]
pub struct Signed(pub Identity);

impl Signed {
    /// In which capacity.
    pub fn actor(&self) -> Arc<Actor> {
        Arc::clone(&self.0.actor)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Signed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Identity>().cloned().map(Signed).ok_or_else(Problem::signed_out)
    }
}

#[derive(Default)]
pub(crate) struct Identities(Mutex<HashMap<[u8; 32], (Identity, At)>>);

impl Identities {
    fn recall(&self, token: &[u8; 32], now: At) -> Option<Identity> {
        let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        map.get(token).filter(|(_, until)| *until > now).map(|(identity, _)| identity.clone())
    }

    fn remember(&self, identity: &Identity, until: At) {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= REMEMBER_MAX {
            map.clear();
        }
        map.insert(identity.token, (identity.clone(), until));
    }

    /// Forgets everybody: an account, a post, a session or a token changed.
    pub(crate) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Finds out who is asking and notes it on the request; refuses state-changing requests of other sites.
pub(crate) async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if foreign(request.method(), request.headers()) {
        return Problem::new(StatusCode::FORBIDDEN, "cross_site", "请求来自其他网站，已拒绝").into_response();
    }
    let found = match credential(request.headers()) {
        None => None,
        Some((token, program)) => match look_up(&app, accounts::token_hash(&token), program).await {
            Ok(found) => found,
            Err(no) => return Problem::from(no).into_response(),
        },
    };
    if let Some(identity) = found {
        request.extensions_mut().insert(identity);
    }
    next.run(request).await
}

async fn look_up(app: &App, token: [u8; 32], program: bool) -> Result<Option<Identity>, No<Never>> {
    let now = app.now();
    if let Some(identity) = app.identities().recall(&token, now.0) {
        return Ok(Some(identity));
    }
    let found = app
        .read(move |tx, now| {
            Ok(if program {
                accounts::actor_of_token(tx, token, now)?
            } else {
                accounts::actor_of_session(tx, token, now)?
            })
        })
        .await?;
    Ok(found.map(|(actor, until)| {
        let identity = Identity { actor: Arc::new(actor), token, program };
        app.identities().remember(&identity, until.min(now.0.plus_seconds(REMEMBER_SECONDS)));
        identity
    }))
}

/// The token of the request and whether a program sent it.
fn credential(headers: &HeaderMap) -> Option<(String, bool)> {
    let text = |name| headers.get(name).and_then(|v: &axum::http::HeaderValue| v.to_str().ok());
    // The scheme's name is written in any case (RFC 9110 §11.1).
    if let Some((scheme, token)) = text(header::AUTHORIZATION).and_then(|v| v.split_once(' '))
        && scheme.eq_ignore_ascii_case("bearer")
    {
        return Some((token.trim().to_owned(), true));
    }
    cookie(headers, COOKIE).map(|token| (token, false))
}

/// The value of one cookie.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
}

/// Whether a request that changes something was made by a page of another site. Browsers say so themselves; programs
/// send neither header and no cookie.
fn foreign(method: &Method, headers: &HeaderMap) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return false;
    }
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some("same-origin" | "none"), _) => false,
        (Some(_), _) => true,
        (None, Some(origin)) => text("host").is_none_or(|host| origin.split("://").nth(1) != Some(host)),
        (None, None) => false,
    }
}
