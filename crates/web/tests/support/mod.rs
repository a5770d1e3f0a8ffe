//! A whole service in the test's own process: a temporary store, a router, accounts of any role, requests.

#![allow(dead_code, reason = "each test file takes what it needs")]

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use app::{
    parties::accounts::{self, Device, NewAccount, NewPost, Password, token_hash},
    settings,
};
use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode, header},
};
use city::testing::Bed;
use domain::{
    access::{Actor, Role},
    ids::AccountId,
    parties::account::Username,
    regions::{RegionCode, RegionRange},
    time::{At, Now},
};
use http_body_util::BodyExt;
use tower::ServiceExt;
use web::{App, Demo, Persona};

/// The password of everybody here.
pub const PASSWORD: &str = "harbour-lamp-19";

/// The service. Its clock stands still until it is moved; its randomness is a counter.
pub struct Service {
    pub app: App,
    router: Router,
    clock: Arc<AtomicI64>,
    // Last, so that the store is let go of before its folder is taken away.
    pub bed: Bed,
}

/// Somebody who is signed in, or nobody.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    pub cookie: Option<String>,
    pub bearer: Option<String>,
}

/// What came back.
pub struct Seen {
    pub status: StatusCode,
    pub location: Option<String>,
    pub cookies: Vec<String>,
    pub body: String,
}

impl Service {
    /// A service without accounts. Must run inside a tokio runtime.
    pub fn new() -> Service {
        Service::with_demo(None)
    }

    /// The demo with one persona, `liumin`.
    pub fn demo() -> Service {
        let persona = Persona {
            username: "liumin".into(),
            name: "刘敏".into(),
            role: "热线坐席".into(),
            hint: "接一通求助".into(),
        };
        Service::with_demo(Some(Demo { personas: vec![persona] }))
    }

    fn with_demo(demo: Option<Demo>) -> Service {
        let bed = Bed::sqlite();
        // Visitors of the tests come in as those of the demo do.
        bed.store.write(|tx| settings::set(tx, settings::DEMO, "yes")).unwrap();
        let clock = Arc::new(AtomicI64::new(At::parse("2026-11-21T09:00").unwrap().0));
        let (ticks, count) = (Arc::clone(&clock), AtomicU64::new(1));
        let random = move |bytes: &mut [u8]| {
            let n = count.fetch_add(1, Ordering::SeqCst).to_be_bytes();
            for (byte, n) in bytes.iter_mut().zip(n.into_iter().cycle()) {
                *byte = n;
            }
        };
        let app = App::new(bed.store.clone(), move || Now(At(ticks.load(Ordering::SeqCst))), random, demo);
        Service { router: web::router(app.clone()), app, clock, bed }
    }

    pub fn now(&self) -> Now {
        self.app.now()
    }

    /// Lets time pass.
    pub fn later(&self, minutes: i64) {
        self.clock.fetch_add(minutes * 60_000_000, Ordering::SeqCst);
    }

    /// An administrator of everything as commands see one; makes no account.
    pub fn root() -> Actor {
        actor(Role::Administrator, RegionRange::ALL)
    }

    /// Opens an account with a post; it has no password.
    pub fn account(&self, username: &str, post: NewPost) -> AccountId {
        let (new, now) = (NewAccount { username: username.into(), name: "刘敏".into(), post }, self.now());
        self.bed.store.write(move |tx| accounts::invite(tx, &Service::root(), &new, None, now)).unwrap()
    }

    /// Opens an account with a post and the common password.
    pub fn member(&self, username: &str, post: NewPost) -> AccountId {
        let id = self.account(username, post);
        let (code, now) = (token_hash(username), self.now());
        let name = Username::parse(username).unwrap();
        let hash = Password::parse(PASSWORD, &name).unwrap().hash([5; 16]);
        self.bed
            .store
            .write(move |tx| {
                accounts::invite_again(tx, &Service::root(), id, code, now)?;
                accounts::Invited::accept(tx, code, &hash, now)
            })
            .unwrap();
        id
    }

    /// Signs in as the owner of a new account with this post, without the ceremony of the door.
    pub fn signed_in(&self, username: &str, post: NewPost) -> Visitor {
        self.account(username, post);
        self.session(username)
    }

    /// A session of an account that is there.
    pub fn session(&self, username: &str) -> Visitor {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let token = format!("test-session-{}", COUNT.fetch_add(1, Ordering::SeqCst));
        let device = Device { token: token_hash(&token), agent: String::new() };
        let (username, now) = (username.to_owned(), self.now());
        self.bed.store.write(move |tx| accounts::demo_session(tx, &username, &device, now)).unwrap();
        Visitor { cookie: Some(format!("xiyang_session={token}")), bearer: None }
    }

    /// Makes a request as a browser: it accepts pages.
    pub async fn browse(&self, who: &Visitor, method: &str, path: &str, form: &[(&str, &str)]) -> Seen {
        let body = form
            .iter()
            .map(|(name, value)| format!("{name}={}", web::encode(value)))
            .collect::<Vec<_>>()
            .join("&");
        let request = self
            .request(who, method, path)
            .header(header::ACCEPT, "text/html")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body));
        self.send(request.unwrap()).await
    }

    /// Makes a request as a program: JSON in, JSON out.
    pub async fn call(&self, who: &Visitor, method: &str, path: &str, body: &serde_json::Value) -> Seen {
        let body = if method == "GET" { String::new() } else { body.to_string() };
        let request = self
            .request(who, method, path)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body));
        self.send(request.unwrap()).await
    }

    fn request(&self, who: &Visitor, method: &str, path: &str) -> axum::http::request::Builder {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "xiyang.test");
        if let Some(cookie) = &who.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if let Some(bearer) = &who.bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        request
    }

    /// Sends any request; a stream that never ends is read no further than its head.
    pub async fn send(&self, request: Request<Body>) -> Seen {
        let response: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let headers = response.headers();
        let text = |name| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let location = text(header::LOCATION);
        let endless = text(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/event-stream"));
        let cookies = headers
            .get_all(header::SET_COOKIE)
            .iter()
            .filter_map(|v| v.to_str().ok())
            .map(str::to_owned)
            .collect();
        let body = if endless {
            String::new()
        } else {
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Seen { status, location, cookies, body }
    }
}

/// An actor of a role over regions, as commands see one.
pub fn actor(role: Role, range: RegionRange) -> Actor {
    Actor { account: AccountId(1), name: "赵管理".into(), role, range, provider: None, carer: None }
}

/// The regions of a code.
pub fn region(text: &str) -> RegionRange {
    RegionCode::parse(text).unwrap().range()
}

/// A post without provider and carer.
pub fn post(role: Role, range: RegionRange) -> NewPost {
    NewPost { role, range, provider: None, carer: None }
}

impl Seen {
    /// The session cookie that was set, as a visitor.
    pub fn visitor(&self) -> Visitor {
        let cookie =
            self.cookies.iter().find(|c| c.starts_with("xiyang_session=")).expect("a session cookie");
        Visitor { cookie: Some(cookie.split(';').next().unwrap().to_owned()), bearer: None }
    }

    /// The value of the first attribute `name="…"` after a mark in the page.
    pub fn after(&self, mark: &str, name: &str) -> String {
        let rest = self.body.split_once(mark).unwrap_or_else(|| panic!("no {mark:?} in {}", self.body)).1;
        let rest = rest.split_once(&format!("{name}=\"")).unwrap().1;
        rest.split_once('"').unwrap().0.to_owned()
    }
}
