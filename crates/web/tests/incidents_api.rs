//! Incidents over the JSON API: one night's alarm as a partner's program would work at it.

mod support;

use app::signals::incidents::{self, Opening};
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use domain::{
    access::Role,
    ids::DeviceId,
    regions::RegionCode,
    signals::incident::{IncidentKind, Level},
};
use serde_json::{Value, json};
use support::{Seen, Service, Visitor, post, region};

const COUNTY: &str = "410202";

fn press(service: &Service, key: &str) -> String {
    let now = service.now();
    let opening = Opening {
        kind: IncidentKind::Sos,
        level: Level::P1,
        person: None,
        device: Some(DeviceId(1)),
        region: RegionCode::parse("410202001001").unwrap(),
        pressed_at: Some(now.0),
        received_at: now.0,
        verified: false,
        text: "按下紧急按钮".into(),
        key: key.into(),
    };
    service.bed.store.write(move |tx| incidents::open(tx, &opening, now)).unwrap().id.to_string()
}

fn said(seen: &Seen) -> Value {
    serde_json::from_str(&seen.body).unwrap_or_else(|_| panic!("{} {}", seen.status, seen.body))
}

async fn step(service: &Service, who: &Visitor, id: &str, step: &str, body: Value) -> (StatusCode, Value) {
    let seen = service.call(who, "POST", &format!("/api/v1/incidents/{id}/{step}"), &body).await;
    (seen.status, said(&seen))
}

#[tokio::test]
async fn an_alarm_is_taken_worked_at_closed_and_looked_at_by_another() {
    let service = Service::new();
    let zhao = service.signed_in("zhao", post(Role::Agent, region(COUNTY)));
    let qian = service.signed_in("qian", post(Role::Agent, region(COUNTY)));
    let boss = service.signed_in("boss", post(Role::Supervisor, region(COUNTY)));
    let id = press(&service, "one");
    assert_eq!(press(&service, "one"), id);

    let list = said(&service.call(&zhao, "GET", "/api/v1/incidents?state=open&level=P1", &json!({})).await);
    assert_eq!((list["items"].as_array().unwrap().len(), &list["items"][0]["verified"]), (1, &json!(false)));
    let closing = json!({ "outcome": "false_press", "with_elder": "女儿", "text": "误按" });
    let (status, answer) = step(&service, &zhao, &id, "closure", closing.clone()).await;
    assert_eq!((status, &answer["code"]), (StatusCode::CONFLICT, &json!("wrong_state")));
    let (status, answer) = step(&service, &zhao, &id, "acknowledgement", json!({})).await;
    assert_eq!((status, &answer["state"]), (StatusCode::OK, &json!("acknowledged")), "{answer}");
    let (status, answer) = step(&service, &qian, &id, "acknowledgement", json!({})).await;
    assert_eq!((status, &answer["code"]), (StatusCode::CONFLICT, &json!("taken")));

    let (status, _) = step(&service, &zhao, &id, "hold", json!({ "seconds": 600 })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, answer) = step(&service, &zhao, &id, "hold", json!({ "seconds": 60 })).await;
    assert_eq!((status, &answer["state"]), (StatusCode::OK, &json!("held")));
    step(&service, &zhao, &id, "acknowledgement", json!({})).await;
    step(&service, &zhao, &id, "draft", json!({ "text": "正在和女" })).await;
    let seen = said(&service.call(&qian, "GET", &format!("/api/v1/incidents/{id}"), &json!({})).await);
    assert_eq!(seen["drafts"][0]["text"], "正在和女", "what is typed is there when the server is not");
    let (status, _) = step(&service, &zhao, &id, "note", json!({ "text": "正在和女儿通话" })).await;
    assert_eq!(status, StatusCode::OK);
    let (status, answer) = step(&service, &zhao, &id, "escalation", json!({ "to": "nobody" })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
    let (status, _) = step(&service, &zhao, &id, "escalation", json!({ "to": "ambulance" })).await;
    assert_eq!(status, StatusCode::OK);

    let (status, answer) =
        step(&service, &zhao, &id, "closure", json!({ "outcome": "false_press", "text": "误按" })).await;
    assert_eq!((status, &answer["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("missing")));
    let (status, answer) = step(&service, &zhao, &id, "closure", closing).await;
    assert_eq!((status, &answer["awaits_review"]), (StatusCode::OK, &json!(true)));
    let (status, _) = step(&service, &zhao, &id, "review", json!({})).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, answer) = step(&service, &boss, &id, "review", json!({ "agreed": false })).await;
    assert_eq!((status, &answer["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("missing")));
    let (status, answer) = step(&service, &boss, &id, "review", json!({})).await;
    assert_eq!((status, &answer["awaits_review"]), (StatusCode::OK, &json!(false)));
    let seen = said(&service.call(&qian, "GET", &format!("/api/v1/incidents/{id}"), &json!({})).await);
    let kinds: Vec<&str> =
        seen["timeline"].as_array().unwrap().iter().map(|f| f["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["opened", "acknowledged", "held", "acknowledged", "noted", "escalated", "closed", "reviewed"]
    );
    let figures = said(&service.call(&boss, "GET", "/api/v1/incidents/figures", &json!({})).await);
    assert!(figures["goals"].as_array().unwrap().iter().any(|g| g["standard"] == "nena"), "{figures}");
    let missed = said(&service.call(&boss, "GET", "/api/v1/incidents/missed", &json!({})).await);
    assert!(missed["from"].is_null());
}

#[tokio::test]
async fn a_repeated_request_writes_one_note() {
    let service = Service::new();
    let zhao = service.signed_in("zhao", post(Role::Agent, region(COUNTY)));
    let id = press(&service, "one");
    let send = |text: &'static str| {
        let request = Request::builder()
            .method("POST")
            .uri(format!("/api/v1/incidents/{id}/note"))
            .header(header::HOST, "xiyang.test")
            .header(header::COOKIE, zhao.cookie.clone().unwrap())
            .header("idempotency-key", "note-1")
            .body(Body::from(json!({ "text": text }).to_string()));
        service.send(request.unwrap())
    };
    assert_eq!(send("老人说没事").await.status, StatusCode::OK);
    assert_eq!(send("老人说没事").await.status, StatusCode::OK);
    assert_eq!(send("别的话").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let seen = said(&service.call(&zhao, "GET", &format!("/api/v1/incidents/{id}"), &json!({})).await);
    assert_eq!(seen["timeline"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn bad_questions_are_told_and_strangers_see_nothing() {
    let service = Service::new();
    let zhao = service.signed_in("zhao", post(Role::Agent, region(COUNTY)));
    let stranger = service.signed_in("sun", post(Role::Agent, region("410203")));
    let id = press(&service, "one");
    for query in ["state=asleep", "level=P9", "kind=ufo", "region=x", "from=yesterday", "person=x"] {
        let seen = service.call(&zhao, "GET", &format!("/api/v1/incidents?{query}"), &json!({})).await;
        assert_eq!(seen.status, StatusCode::BAD_REQUEST, "{query}: {}", seen.body);
    }
    let list = said(&service.call(&stranger, "GET", "/api/v1/incidents", &json!({})).await);
    assert!(list["items"].as_array().unwrap().is_empty());
    let region = json!({ "kind": "call", "text": "胸口痛", "region": "410202001001" });
    let seen = service.call(&stranger, "POST", "/api/v1/incidents", &region).await;
    assert_eq!(seen.status, StatusCode::NOT_FOUND, "nobody opens an incident out of sight");
    for step_name in ["acknowledgement", "reopening"] {
        let (status, _) = step(&service, &stranger, &id, step_name, json!({ "text": "x" })).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
    let seen = service.call(&zhao, "GET", "/api/v1/incidents/abc", &json!({})).await;
    assert_eq!(seen.status, StatusCode::NOT_FOUND);
}
