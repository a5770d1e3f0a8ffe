//! The door as a browser meets it.

mod support;

use axum::http::StatusCode;
use domain::access::Role;
use serde_json::json;
use support::{PASSWORD, Service, Visitor, post, region};
use totp_rs::{Builder, Secret};

const NOBODY: Visitor = Visitor { cookie: None, bearer: None };

async fn sign_in(service: &Service, username: &str, password: &str) -> support::Seen {
    service
        .browse(
            &NOBODY,
            "POST",
            "/sign-in",
            &[("username", username), ("password", password), ("next", "/people")],
        )
        .await
}

#[tokio::test]
async fn one_is_sent_to_the_door_and_back_again() {
    let service = Service::new();
    let seen = service.browse(&NOBODY, "GET", "/accounts?q=a", &[]).await;
    assert_eq!(seen.location.as_deref(), Some("/sign-in?next=/accounts%3Fq%3Da"));
    service.member("liumin", post(Role::Agent, region("410202")));
    let seen = sign_in(&service, "LiuMin ", PASSWORD).await;
    assert_eq!((seen.status, seen.location.as_deref()), (StatusCode::SEE_OTHER, Some("/people")));
    let cookie = &seen.cookies[0];
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"));
    let me = service.call(&seen.visitor(), "GET", "/api/v1/me", &json!({})).await;
    assert!(me.body.contains("\"role\":\"agent\""), "{}", me.body);
    let out = service.browse(&seen.visitor(), "POST", "/sign-out", &[]).await;
    assert!(out.cookies[0].contains("Max-Age=0"));
    let me = service.call(&seen.visitor(), "GET", "/api/v1/me", &json!({})).await;
    assert_eq!(me.status, StatusCode::UNAUTHORIZED, "the session is over, not only the cookie");
}

#[tokio::test]
async fn behind_tls_the_cookie_is_secure() {
    let service = Service::new();
    service.member("liumin", post(Role::Agent, region("410202")));
    let request = axum::http::Request::builder()
        .method("POST")
        .uri("/sign-in")
        .header("x-forwarded-proto", "https")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(axum::body::Body::from(format!("username=liumin&password={PASSWORD}")))
        .unwrap();
    assert!(service.send(request).await.cookies[0].contains("; Secure"));
}

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let service = Service::new();
    let request = axum::http::Request::builder()
        .method("POST")
        .uri("/sign-in")
        .header("sec-fetch-site", "cross-site")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(axum::body::Body::from("username=a&password=b"))
        .unwrap();
    assert_eq!(service.send(request).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn wrong_answers_say_the_same_and_the_lock_tells_the_time() {
    let service = Service::new();
    service.member("liumin", post(Role::Agent, region("410202")));
    for name in ["liumin", "nobody"] {
        let seen = sign_in(&service, name, "wrong-password").await;
        assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(seen.body.contains("账号或密码不对"), "{}", seen.body);
        assert!(seen.body.contains(&format!("value=\"{name}\"")), "what was typed stays");
        assert!(seen.cookies.is_empty());
        for _ in 0..4 {
            sign_in(&service, name, "wrong-password").await;
        }
        assert!(sign_in(&service, name, PASSWORD).await.body.contains("请在 15 分钟后再试"));
    }
    service.later(15);
    assert_eq!(sign_in(&service, "liumin", PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_second_factor_is_set_up_at_the_first_sign_in_and_asked_for_at_the_next() {
    let service = Service::new();
    service.member("caiwu", post(Role::Finance, region("4102")));
    let half = sign_in(&service, "caiwu", PASSWORD).await;
    assert_eq!(half.location.as_deref(), Some("/sign-in/factor?next=/people"));
    let who = half.visitor();
    let me = service.call(&who, "GET", "/api/v1/me", &json!({})).await;
    assert_eq!(me.status, StatusCode::UNAUTHORIZED, "half way through the door is outside");
    let page = service.browse(&who, "GET", "/sign-in/factor?next=/people", &[]).await;
    let secret: String =
        page.body.split_once("<code>").unwrap().1.split_once('<').unwrap().0.replace(' ', "");
    let code = |service: &Service| {
        let totp = Builder::new().with_secret(Secret::try_from_base32(&secret).unwrap()).build().unwrap();
        totp.generate(u64::try_from(service.now().0.0 / 1_000_000).unwrap()).to_string()
    };
    let wrong = service.browse(&who, "POST", "/sign-in/factor", &[("code", "12345")]).await;
    assert!(wrong.body.contains("动态码不对") && wrong.body.contains("<code>"), "{}", wrong.body);
    let form = [("code", &*code(&service)), ("next", "/people")];
    let done = service.browse(&who, "POST", "/sign-in/factor", &form).await;
    assert_eq!(done.location.as_deref(), Some("/people"));
    assert_eq!(service.call(&who, "GET", "/api/v1/me", &json!({})).await.status, StatusCode::OK);

    service.later(2);
    let half = sign_in(&service, "caiwu", PASSWORD).await;
    assert_eq!(half.location.as_deref(), Some("/sign-in/code?next=/people"));
    let who = half.visitor();
    let wrong = service.browse(&who, "POST", "/sign-in/code", &[("code", "1")]).await;
    assert!(wrong.body.contains("动态码不对"), "{}", wrong.body);
    let form = [("code", &*code(&service)), ("next", "/people")];
    let done = service.browse(&who, "POST", "/sign-in/code", &form).await;
    assert_eq!(done.location.as_deref(), Some("/people"), "{}", done.body);
}

#[tokio::test]
async fn the_first_administrator_needs_the_printed_code() {
    use app::parties::accounts::{first_code, token_hash};
    let service = Service::new();
    let now = service.now();
    service.bed.store.write(move |tx| first_code(tx, token_hash("xyf_secret"), now)).unwrap();
    let form = |code, password| {
        [
            ("code", code),
            ("username", "root.admin"),
            ("name", "赵管理"),
            ("password", password),
            ("repeat", password),
        ]
    };
    let page = service.browse(&NOBODY, "GET", "/first", &[]).await;
    assert_eq!(page.status, StatusCode::OK);
    let weak = service.browse(&NOBODY, "POST", "/first", &form("xyf_secret", "password123")).await;
    assert!(weak.body.contains("太常见") && weak.body.contains("value=\"赵管理\""), "{}", weak.body);
    let wrong = service.browse(&NOBODY, "POST", "/first", &form("xyf_guess", PASSWORD)).await;
    assert!(wrong.body.contains("已失效"), "{}", wrong.body);
    let done = service.browse(&NOBODY, "POST", "/first", &form("xyf_secret", PASSWORD)).await;
    assert_eq!(done.location.as_deref(), Some("/sign-in"), "{}", done.body);
    let again = service.browse(&NOBODY, "GET", "/first", &[]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn an_invitation_goes_from_the_administrator_to_the_person() {
    let service = Service::new();
    let admin = service.signed_in("root.admin", post(Role::Administrator, region("410202")));
    let form = [("username", "wangqiang"), ("name", "王强"), ("role", "agent"), ("region", "410202001")];
    let made = service.browse(&admin, "POST", "/accounts", &form).await;
    let link = made.after("id=\"link\"", "value");
    let path = link.strip_prefix("http://xiyang.test").expect("the link leads here").to_owned();
    let page = service.browse(&NOBODY, "GET", &path, &[]).await;
    assert!(page.body.contains("wangqiang"), "{}", page.body);
    let short = service.browse(&NOBODY, "POST", &path, &[("password", "short"), ("repeat", "short")]).await;
    assert!(short.body.contains("至少 10 位"), "{}", short.body);
    let typo = service.browse(&NOBODY, "POST", &path, &[("password", PASSWORD), ("repeat", "other")]).await;
    assert!(typo.body.contains("不一样"), "{}", typo.body);
    let set = service.browse(&NOBODY, "POST", &path, &[("password", PASSWORD), ("repeat", PASSWORD)]).await;
    assert_eq!(set.location.as_deref(), Some("/sign-in"));
    assert_eq!(sign_in(&service, "wangqiang", PASSWORD).await.status, StatusCode::SEE_OTHER);
    let again = service.browse(&NOBODY, "GET", &path, &[]).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "the link is used up");

    let outside = [("username", "other"), ("name", "王强"), ("role", "agent"), ("region", "410203")];
    let refused = service.browse(&admin, "POST", "/accounts", &outside).await;
    assert!(refused.body.contains("只能授予您管辖范围以内"), "{}", refused.body);
    assert!(refused.body.contains("value=\"王强\"") && refused.body.contains("value=\"410203\""));
}

#[tokio::test]
async fn a_closed_account_is_out_at_once_and_undo_brings_it_back() {
    let service = Service::new();
    let admin = service.signed_in("root.admin", post(Role::Administrator, region("4102")));
    let id = service.account("liumin", post(Role::Agent, region("410202")));
    let agent = service.session("liumin");
    // Remembered now, so that forgetting is put to the test.
    assert_eq!(service.call(&agent, "GET", "/api/v1/me", &json!({})).await.status, StatusCode::OK);
    let closed = service.browse(&admin, "POST", &format!("/accounts/{id}/closure"), &[]).await;
    assert_eq!(closed.status, StatusCode::SEE_OTHER);
    assert_eq!(service.call(&agent, "GET", "/api/v1/me", &json!({})).await.status, StatusCode::UNAUTHORIZED);
    let flash = closed.cookies.iter().find(|c| c.starts_with("xiyang_flash=")).unwrap();
    let who = Visitor {
        cookie: Some(format!("{}; {}", admin.cookie.clone().unwrap(), flash.split(';').next().unwrap())),
        bearer: None,
    };
    let page = service.browse(&who, "GET", &format!("/accounts/{id}"), &[]).await;
    assert!(page.body.contains(&format!("action=\"/accounts/{id}/reopening\"")), "{}", page.body);
    service.browse(&admin, "POST", &format!("/accounts/{id}/reopening"), &[]).await;
    let page = service.browse(&admin, "GET", &format!("/accounts/{id}"), &[]).await;
    assert!(page.body.contains("停用账号"), "{}", page.body);
}

#[tokio::test]
async fn a_token_is_shown_once_and_opens_the_api() {
    let service = Service::new();
    let admin = service.signed_in("root.admin", post(Role::Administrator, region("4102")));
    let form = [("name", "12349 电话系统"), ("holder", "program"), ("region", "410202"), ("days", "30")];
    let made = service.browse(&admin, "POST", "/accounts/tokens", &form).await;
    let token = made.after("id=\"token\"", "value");
    let list = service.browse(&admin, "GET", "/accounts/tokens", &[]).await;
    assert!(list.body.contains("12349 电话系统") && !list.body.contains(&token));
    let program = Visitor { cookie: None, bearer: Some(token) };
    let me = service.call(&program, "GET", "/api/v1/me", &json!({})).await;
    assert!(me.body.contains("\"role\":\"system\""), "{}", me.body);
    let path = list.body.split_once("action=\"/accounts/tokens/").unwrap().1.split_once('"').unwrap().0;
    service.browse(&admin, "POST", &format!("/accounts/tokens/{path}"), &[]).await;
    assert_eq!(
        service.call(&program, "GET", "/api/v1/me", &json!({})).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn what_another_process_changes_is_noticed() {
    let service = Service::new();
    service.account("liumin", post(Role::Agent, region("410202")));
    let agent = service.session("liumin");
    assert_eq!(service.call(&agent, "GET", "/api/v1/me", &json!({})).await.status, StatusCode::OK);
    let id = {
        let now = service.now();
        let filter = app::parties::accounts::Filter { text: "liumin".into(), ..Default::default() };
        let found = service
            .bed
            .store
            .read(move |tx| app::parties::accounts::accounts(tx, &Service::root(), &filter, 0, 1, now))
            .unwrap();
        found.lines[0].id
    };
    // A second store on the same folder stands for the other process; only the outbox tells of it.
    let other = city::testing::open(&service.bed.place);
    let now = service.now();
    other.write(move |tx| app::parties::accounts::close(tx, &Service::root(), id, now)).unwrap();
    // The hub looks every half second; the memory would hold for five by the clock, which stands still here.
    for _ in 0..40 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let me = service.call(&agent, "GET", "/api/v1/me", &json!({})).await;
        if me.status == StatusCode::UNAUTHORIZED {
            return;
        }
    }
    panic!("the closed account was still let in after two seconds");
}

#[tokio::test]
async fn the_personas_open_in_the_demo_only() {
    let real = Service::new();
    real.account("liumin", post(Role::Agent, region("410202")));
    let seen = real.browse(&NOBODY, "POST", "/sign-in/demo", &[("persona", "liumin")]).await;
    assert_eq!(seen.status, StatusCode::NOT_FOUND);
    assert!(!real.browse(&NOBODY, "GET", "/sign-in", &[]).await.body.contains("data-persona"));

    let demo = Service::demo();
    demo.account("liumin", post(Role::Agent, region("410202")));
    demo.account("root.admin", post(Role::Administrator, region("4102")));
    let page = demo.browse(&NOBODY, "GET", "/sign-in", &[]).await;
    assert!(page.body.contains("data-persona=\"liumin\""), "{}", page.body);
    let seen = demo.browse(&NOBODY, "POST", "/sign-in/demo", &[("persona", "liumin")]).await;
    assert_eq!(demo.call(&seen.visitor(), "GET", "/api/v1/me", &json!({})).await.status, StatusCode::OK);
    // Whoever is no persona cannot be had this way, account or not.
    let seen = demo.browse(&NOBODY, "POST", "/sign-in/demo", &[("persona", "root.admin")]).await;
    assert_eq!(seen.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_list_keeps_its_filters_and_says_why_it_is_empty() {
    let service = Service::new();
    let admin = service.signed_in("root.admin", post(Role::Administrator, region("4102")));
    service.account("liumin", post(Role::Agent, region("410202")));
    let seen = service.browse(&admin, "GET", "/accounts?q=liu&role=agent&state=invited", &[]).await;
    assert!(seen.body.contains("liumin") && !seen.body.contains(">root.admin<"), "{}", seen.body);
    assert!(
        seen.body.contains("?q=liu&amp;role=agent&amp;state=invited")
            || seen.body.contains("?q=liu&#38;role=agent&#38;state=invited"),
        "{}",
        seen.body
    );
    let none = service.browse(&admin, "GET", "/accounts?q=nobody", &[]).await;
    assert!(none.body.contains("没有符合条件的账号"), "{}", none.body);
    let bad = service.browse(&admin, "GET", "/accounts?region=nowhere", &[]).await;
    assert!(bad.body.contains("没有找到“nowhere”"), "{}", bad.body);
}
