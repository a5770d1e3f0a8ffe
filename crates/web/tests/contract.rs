//! What the document of the JSON API says is what the server does, and refusals of every kind are problems.

mod support;
#[allow(dead_code, reason = "what the permission list is tried with besides")]
#[path = "support/world.rs"]
mod world;

use std::collections::HashMap;

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use domain::access::Role;
use serde_json::{Value, json};
use support::{Seen, Service, Visitor, post, region};
use web::{Gate, Route};
use world::{Seat, World};

/// A request as it stands on the wire.
async fn send(
    service: &Service,
    who: &Visitor,
    head: (&str, &str, &[(&str, &str)]),
    body: impl Into<Body>,
) -> Seen {
    let (method, path, headers) = head;
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "xiyang.test");
    if let Some(cookie) = &who.cookie {
        request = request.header(header::COOKIE, cookie);
    }
    if let Some(bearer) = &who.bearer {
        request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    service.send(request.body(body.into()).unwrap()).await
}

/// The JSON routes with addresses of records that are there, and somebody who may use each.
fn targets(world: &World) -> Vec<(Route, String, Visitor)> {
    let mut visitors: HashMap<Role, Visitor> = HashMap::new();
    let mut all = Vec::new();
    for route in web::table().into_iter().filter(|r| r.path.starts_with("/api/v1/")) {
        let fill = |piece: &str| match piece.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            Some(name) => world.example(route.path, name).expect("an example").0,
            None => piece.to_owned(),
        };
        let url = route.path.split('/').map(fill).collect::<Vec<_>>().join("/");
        let passes = |role: &&Role| match route.gate {
            Gate::May(act) => role.acts().contains(&act),
            Gate::Open | Gate::SignedIn => true,
        };
        let people = Role::ALL.iter().filter(|role| **role != Role::System).chain([&Role::System]);
        let role = *people.into_iter().find(passes).expect("somebody may");
        let who = visitors.entry(role).or_insert_with(|| world.visitor(role, Seat::Own)).clone();
        all.push((route, url, who));
    }
    all
}

async fn document(service: &Service) -> Value {
    let seen = service.call(&Visitor::default(), "GET", "/api/openapi.json", &json!({})).await;
    serde_json::from_str(&seen.body).unwrap()
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// What of a value does not fit a schema. `whole`: the schema tells all of an object's fields.
fn misfits(document: &Value, schema: &Value, value: &Value, way: &str, whole: bool) -> Vec<String> {
    let fits = |schema: &Value, value: &Value, way: &str| misfits(document, schema, value, way, true);
    if let Some(place) = schema["$ref"].as_str() {
        let schema = document.pointer(&place[1..]).expect("the reference leads somewhere");
        return misfits(document, schema, value, way, whole);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return parts.iter().flat_map(|part| misfits(document, part, value, way, false)).collect();
    }
    if let Some(one_of) = schema["oneOf"].as_array() {
        let all: Vec<Vec<String>> = one_of.iter().map(|one| fits(one, value, way)).collect();
        return if all.iter().any(Vec::is_empty) { Vec::new() } else { all.concat() };
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind.as_str()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return Vec::new(),
    };
    if !kinds.iter().any(|kind| is(kind, value)) {
        return vec![format!("{way}: {value} is not {kinds:?}")];
    }
    let mut wrong = Vec::new();
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        wrong.push(format!("{way}: {value} is none of {}", schema["enum"]));
    }
    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
        wrong.extend(fits(&schema["items"], item, &format!("{way}[{at}]")));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.is_object() && value.get(name).is_none() {
            wrong.push(format!("{way}.{name} is missing"));
        }
    }
    for (name, field) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(name) {
            Some(schema) => wrong.extend(fits(schema, field, &format!("{way}.{name}"))),
            None if whole && schema["properties"].is_object() => {
                wrong.push(format!("{way}.{name} is untold"))
            }
            None => {}
        }
    }
    wrong
}

#[tokio::test]
async fn answers_are_as_the_document_says() {
    let world = World::new();
    let document = document(&world.service).await;
    let (mut wrong, mut read) = (Vec::new(), 0);
    for (route, url, who) in targets(&world).into_iter().filter(|(route, ..)| route.method == "GET") {
        let operation = &document["paths"][route.path]["get"];
        let seen = world.service.call(&who, "GET", &url, &json!({})).await;
        if seen.status != StatusCode::OK {
            continue;
        }
        let value: Value = serde_json::from_str(&seen.body).unwrap();
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{}", route.path);
        wrong.extend(misfits(&document, schema, &value, route.path, true));
        read += 1;
    }
    assert!(read >= 25, "only {read} answers were looked at");
    assert!(
        wrong.is_empty(),
        "{} differences, such as\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
}

#[tokio::test]
async fn a_key_is_told_where_it_is_read_and_queries_have_known_names() {
    let world = World::new();
    let document = document(&world.service).await;
    let long = "k".repeat(200);
    let mut wrong = Vec::new();
    for (route, url, who) in targets(&world) {
        let operation = &document["paths"][route.path][route.method.to_lowercase()];
        if route.method == "GET" {
            let seen = world.service.call(&who, "GET", &format!("{url}?regoin=410202"), &json!({})).await;
            let problem: Value = serde_json::from_str(&seen.body).unwrap();
            assert_eq!(problem["code"], "unknown_query", "{}: {}", route.path, seen.body);
            continue;
        }
        let told = operation["parameters"].as_array().into_iter().flatten();
        let told = told.filter(|one| one["in"] == "header" && one["name"] == "Idempotency-Key").count() == 1;
        let headers = [("idempotency-key", long.as_str()), ("content-type", "application/json")];
        let body = world.body(route.method, route.path).to_string();
        let seen = send(&world.service, &who, (route.method, &url, &headers), body).await;
        let read = seen.status == StatusCode::BAD_REQUEST && seen.body.contains("Idempotency-Key");
        if told != read {
            wrong.push(format!("{} {}: told {told}, read {read}", route.method, route.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A problem with this status in Chinese, as programs read it.
fn problem(seen: &Seen, status: StatusCode) -> Value {
    assert_eq!(seen.status, status, "{}", seen.body);
    let problem: Value =
        serde_json::from_str(&seen.body).unwrap_or_else(|_| panic!("no problem: {}", seen.body));
    assert_eq!(problem["status"], status.as_u16());
    let title = problem["title"].as_str().unwrap();
    assert!(title.chars().any(|c| c > '\u{4e00}'), "{title}");
    problem
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_words_of_ours() {
    let service = Service::new();
    let officer = service.signed_in("officer", post(Role::StreetOfficer, region("410202")));
    let auditor = service.signed_in("auditor", post(Role::Auditor, region("410202")));
    for (who, path) in [
        (&auditor, "/api/v1/ledger/transfers"),
        (&officer, "/api/v1/people?q=a&q=b"),
        (&officer, "/api/v1/people?limit=abc"),
        (&officer, "/api/v1/people/-1"),
        (&officer, "/api/v1/people/abc"),
        (&officer, "/api/v1/people/%ff"),
        (&officer, "/api/v1/orders?limit=abc"),
    ] {
        let seen = service.call(who, "GET", path, &json!({})).await;
        problem(&seen, StatusCode::BAD_REQUEST);
    }
    let json = [("content-type", "application/json")];
    let place = "/api/v1/people/1/disclosures";
    let seen = send(&service, &officer, ("POST", place, &json), "{\"field\":\"phone\"}").await;
    assert!(problem(&seen, StatusCode::UNPROCESSABLE_ENTITY)["detail"].as_str().unwrap().contains("reason"));
    let seen = send(&service, &officer, ("POST", place, &[("content-type", "text/plain")]), "{}").await;
    problem(&seen, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let seen = send(&service, &officer, ("POST", place, &json), vec![b' '; 10 << 20]).await;
    assert_eq!(problem(&seen, StatusCode::PAYLOAD_TOO_LARGE)["code"], "too_large");

    // People see a page.
    let form = [("content-type", "application/x-www-form-urlencoded"), ("accept", "text/html")];
    let large = format!("by={}", "a".repeat(10 << 20));
    let other = [("content-type", "text/plain"), ("accept", "text/html")];
    for (head, body, status) in [
        (("POST", "/orders/1/confirmation", &form[..]), String::new(), StatusCode::UNPROCESSABLE_ENTITY),
        (("POST", "/orders/1/confirmation", &form[..]), large, StatusCode::PAYLOAD_TOO_LARGE),
        (("POST", "/orders/1/confirmation", &other[..]), "a=b".into(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (("GET", "/orders/%ff", &form[..]), String::new(), StatusCode::BAD_REQUEST),
    ] {
        let seen = send(&service, &officer, head, body).await;
        assert_eq!(seen.status, status, "{head:?}: {}", seen.body);
        assert!(seen.body.contains("回到首页"), "{head:?}: {}", seen.body);
    }
}

#[tokio::test]
async fn the_scheme_of_a_token_is_written_in_any_case() {
    let world = World::new();
    let token = world.visitor(Role::System, Seat::Own).bearer.unwrap();
    for (scheme, status) in
        [("bearer", StatusCode::OK), ("BEARER", StatusCode::OK), ("Basic", StatusCode::UNAUTHORIZED)]
    {
        let value = format!("{scheme} {token}");
        let head = ("GET", "/api/v1/me", &[("authorization", value.as_str())][..]);
        let seen = send(&world.service, &Visitor::default(), head, "").await;
        assert_eq!(seen.status, status, "{scheme}");
    }
}

#[tokio::test]
async fn lists_are_cut_and_filters_are_obeyed() {
    let world = World::new();
    let who = world.visitor(Role::CountyCivilAffairs, Seat::Own);
    let get = async |path: &str| {
        let seen = world.service.call(&who, "GET", path, &json!({})).await;
        (seen.status, serde_json::from_str::<Value>(&seen.body).unwrap())
    };
    let mut names = Vec::new();
    let mut next = String::new();
    loop {
        let (_, list) = get(&format!("/api/v1/regions?limit=2{next}")).await;
        let items = list["items"].as_array().unwrap();
        assert!((1..=2).contains(&items.len()), "{list}");
        names.extend(items.iter().map(|one| one["code"].to_string()));
        match list["next"].as_str() {
            Some(after) => next = format!("&after={after}"),
            None => break,
        }
    }
    let (_, all) = get("/api/v1/regions?limit=200").await;
    let all: Vec<String> =
        all["items"].as_array().unwrap().iter().map(|one| one["code"].to_string()).collect();
    assert!(all.len() > 2);
    assert_eq!(names, all);

    let own = world.range(Seat::Own).lo;
    let sibling = world.range(Seat::Sibling).lo;
    let duties = async |lo: i64| get(&format!("/api/v1/visit-duties?region={lo}")).await.1;
    assert!(!duties(own).await["items"].as_array().unwrap().is_empty());
    assert_eq!(duties(sibling).await["items"], json!([]));
    let (status, answer) = get("/api/v1/incidents/figures?from=2026-11-21T09:00&to=2026-11-20T09:00").await;
    assert_eq!((status, &answer["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("span")));
    let (_, carers) = get("/api/v1/carers").await;
    assert!(
        ["male", "female"].contains(&carers["items"][0]["sex"].as_str().unwrap()),
        "{}",
        carers["items"][0]
    );
}
