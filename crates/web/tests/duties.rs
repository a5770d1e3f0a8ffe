//! Who was last seen when, who is overdue, and the form of a visit, as a browser and a program meet them.

mod support;

use app::{
    p,
    regions::{self, NewRegion},
    settings,
    signals::{duties, feeds, sightings, silences},
};
use axum::http::StatusCode;
use domain::{access::Role, ids::PersonId, regions::RegionCode, signals::sighting::SightingKind, time::Now};
use serde_json::{Value, json};
use support::{Seen, Service, Visitor, post};

const VILLAGE: &str = "410202001001";
const HOUR: i64 = 60;

fn code(text: &str) -> RegionCode {
    RegionCode::parse(text).unwrap()
}

/// A community with a worker, and one elder of 90 who lives alone there.
struct Community {
    service: Service,
    worker: Visitor,
    agent: Visitor,
    person: PersonId,
}

async fn community() -> Community {
    let service = Service::new();
    let row = |c: &str, name: &str| NewRegion { code: code(c), name: name.into() };
    let rows = vec![
        row("41", "河南省"),
        row("4102", "开封市"),
        row("410202", "龙亭区"),
        row("410202001", "北道门街道"),
        row(VILLAGE, "理事厅社区"),
        row("410203", "顺河区"),
    ];
    let now = service.now();
    service
        .bed
        .store
        .write(move |tx| {
            regions::load(tx, &rows, now)?;
            settings::set(tx, settings::ALLOW_TEST_REGIONS, "yes")
        })
        .unwrap();
    let clerk = service.signed_in("clerk", post(Role::StreetOfficer, code("410202").range()));
    let worker = service.signed_in("zhang.li", post(Role::CommunityWorker, code(VILLAGE).range()));
    let agent = service.signed_in("agent", post(Role::Agent, code("410202").range()));
    let form = [
        ("name", "王秀英"),
        ("id_no", "420299193608150029"),
        ("region", "龙亭区 北道门街道 理事厅社区"),
        ("address", "3 号楼 2 单元 101"),
        ("living", "alone"),
        ("contact_name_1", "王建国"),
        ("contact_relation_1", "儿子"),
        ("contact_phone_1", "13900005678"),
    ];
    let seen = service.browse(&clerk, "POST", "/people", &form).await;
    let person = seen.location.expect("entered").rsplit('/').next().unwrap().parse().unwrap();
    let community = Community { service, worker, agent, person };
    community.watch();
    community
}

impl Community {
    /// What the watchman's thread does, at the clock of the service.
    fn watch(&self) {
        let (store, now): (_, Now) = (&self.service.bed.store, self.service.now());
        feeds::tick(store, now).unwrap();
        store.write(move |tx| silences::tick(tx, now)).unwrap();
        duties::assign_charges(store, now).unwrap();
    }

    async fn api(&self, who: &Visitor, path: &str) -> Value {
        let seen = self.service.call(who, "GET", path, &json!({})).await;
        assert_eq!(seen.status, StatusCode::OK, "{path}: {}", seen.body);
        serde_json::from_str(&seen.body).unwrap()
    }

    async fn page(&self, who: &Visitor, path: &str) -> Seen {
        let seen = self.service.browse(who, "GET", path, &[]).await;
        assert_eq!(seen.status, StatusCode::OK, "{path}: {}", seen.body);
        seen
    }

    async fn duty(&self) -> String {
        let all = self.api(&self.worker, "/api/v1/visit-duties?mine=true&kind=round").await;
        all["items"][0]["id"].as_str().expect("a duty").to_owned()
    }
}

#[tokio::test]
async fn whoever_is_entered_is_watched_and_missed_and_found() {
    let mut c = community().await;
    let contacts = format!("/api/v1/people/{}/contacts", c.person);
    let view = c.api(&c.agent, &contacts).await;
    assert_eq!((&view["clock"]["state"], &view["clock"]["grade"]), (&json!("running"), &json!("high")));
    assert_eq!(view["clock"]["due_at"], "2026-11-22T09:00:00.000+08:00");
    assert_eq!(view["clock"]["in_charge"]["name"], "刘敏");
    assert_eq!(c.api(&c.agent, "/api/v1/silences").await["people_total"], 0);
    c.service.later(25 * HOUR);
    // Nobody stays signed in that long.
    (c.agent, c.worker) = (c.service.session("agent"), c.service.session("zhang.li"));
    c.watch();
    let all = c.api(&c.agent, "/api/v1/silences").await;
    assert_eq!((&all["people_total"], &all["people"][0]["name"]), (&json!(1), &json!("王**")));
    assert!(all["people"][0]["incident"].is_string() && all["people"][0]["duty"].is_string(), "{all}");
    assert_eq!(c.api(&c.agent, &contacts).await["clock"]["state"], "overdue");
    let page = c.page(&c.worker, "/duties").await;
    assert!(page.body.contains("失联") && page.body.contains("25 小时"), "{}", page.body);
    let record = c.page(&c.agent, &format!("/people/{}", c.person)).await;
    assert!(record.body.contains("最近联系") && record.body.contains("无人联系上"));
    // Knocked and met, by the program of the community.
    let duty = all["people"][0]["duty"].as_str().unwrap().to_owned();
    let points: Value = ["health", "spirit", "living", "safety", "family", "devices", "needs", "looks"]
        .into_iter()
        .map(|point| (point.to_owned(), json!("fine")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let body = json!({ "points": points, "answers": ["well"] });
    let visit = format!("/api/v1/visit-duties/{duty}/visit");
    let done = c.service.call(&c.worker, "POST", &visit, &body).await;
    assert_eq!(done.status, StatusCode::CREATED, "{}", done.body);
    c.watch();
    let view = c.api(&c.agent, &contacts).await;
    assert_eq!((&view["clock"]["state"], &view["contacts"][0]["kind"]), (&json!("running"), &json!("knock")));
    assert_eq!(view["contacts"][0]["set_the_clock"], true);
    assert_eq!(c.api(&c.agent, "/api/v1/silences").await["people_total"], 0);
    let again = c.service.call(&c.worker, "POST", &visit, &body).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "the knock is done with: {}", again.body);
}

#[tokio::test]
async fn leaves_rates_and_extra_rounds_are_told_and_entered() {
    let c = community().await;
    let leave = json!({ "from": "2026-11-23", "to": "2026-11-24", "why": "年假" });
    let made = c.service.call(&c.worker, "POST", "/api/v1/visit-leaves", &leave).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let all = c.api(&c.worker, "/api/v1/visit-leaves").await;
    assert_eq!((&all["items"][0]["from"], &all["items"][0]["name"]), (&json!("2026-11-23"), &json!("刘敏")));
    let wrong = json!({ "from": "2026-11-24", "to": "2026-11-23" });
    let refused = c.service.call(&c.worker, "POST", "/api/v1/visit-leaves", &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let rates = c.api(&c.agent, "/api/v1/visit-rates?month=2026-12").await;
    assert_eq!((&rates["items"][0]["listed"], &rates["items"][0]["per_mille"]), (&json!(1), &json!(0)));
    assert_eq!(c.api(&c.agent, "/api/v1/visit-rates?month=2026-11").await["items"], json!([]));
    let clerk = c.service.session("clerk");
    let call = json!({ "occasion": "橙色寒潮预警" });
    for added in [1, 0] {
        let made = c.service.call(&clerk, "POST", "/api/v1/visit-call-outs", &call).await;
        assert_eq!((made.status, made.body), (StatusCode::CREATED, format!("{{\"added\":{added}}}")));
    }
    let seen = c.service.call(&c.worker, "POST", "/api/v1/visit-call-outs", &call).await;
    assert_eq!(seen.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_visit_is_recorded_by_a_form_that_says_what_is_missing() {
    let c = community().await;
    let duty = c.duty().await;
    let form = c.page(&c.worker, &format!("/duties/{duty}")).await;
    assert!(form.body.contains("王秀英") && form.body.contains("3 号楼"), "{}", form.body);
    let visit = format!("/duties/{duty}/visit");
    let half = [("way", "door"), ("met", "met"), ("answer", "hazard"), ("note", "灶台软管老化")];
    let wrong = c.service.browse(&c.worker, "POST", &visit, &half).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        wrong.body.contains("请查看八项情况后再保存") && wrong.body.contains("灶台软管老化"),
        "{}",
        wrong.body
    );
    let mut whole = half.to_vec();
    for point in ["health", "spirit", "living", "family", "devices", "needs", "looks"] {
        whole.push((point, "fine"));
    }
    whole.push(("safety", "worry"));
    let done = c.service.browse(&c.worker, "POST", &visit, &whole).await;
    assert_eq!(
        (done.status, done.location.as_deref()),
        (StatusCode::SEE_OTHER, Some("/duties")),
        "{}",
        done.body
    );
    let person = c.person;
    let last = c.service.bed.store.read(move |tx| sightings::last(tx, person)).unwrap().unwrap();
    assert_eq!(last.kind, SightingKind::Knock);
    let found = "SELECT COUNT(*) FROM incident WHERE kind = 'finding' AND person = ?1";
    let found: i64 = c.service.bed.store.read(move |tx| tx.one(found, p![person], |row| row.get(0))).unwrap();
    assert_eq!(found, 1);
    let form = c.page(&c.worker, &format!("/duties/{duty}")).await;
    assert!(form.body.contains("灶台软管老化"), "what was seen before is shown");
    // Who needs a service goes on to the order.
    let mut service: Vec<(&str, &str)> =
        whole.iter().copied().filter(|(name, _)| *name != "answer").collect();
    service.push(("answer", "service"));
    let done = c.service.browse(&c.worker, "POST", &visit, &service).await;
    assert_eq!(done.location, Some(format!("/orders/new?person={}", c.person)), "{}", done.body);
}

#[tokio::test]
async fn others_see_stars_and_elsewhere_nothing() {
    let c = community().await;
    let duty = c.duty().await;
    let shown = c.page(&c.agent, &format!("/duties/{duty}")).await;
    assert!(shown.body.contains("王**") && !shown.body.contains("王秀英") && !shown.body.contains("3 号楼"));
    let far = c.service.signed_in("far", post(Role::CommunityWorker, code("410203").range()));
    for path in [format!("/duties/{duty}"), format!("/people/{}", c.person)] {
        assert_eq!(c.service.browse(&far, "GET", &path, &[]).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let visit = format!("/api/v1/visit-duties/{duty}/visit");
    let photo = format!("/duties/{duty}/photos/1");
    assert_eq!(c.service.browse(&c.worker, "GET", &photo, &[]).await.status, StatusCode::NOT_FOUND);
    let seen = c.service.call(&far, "POST", &visit, &json!({ "met": "not_home" })).await;
    assert_eq!(seen.status, StatusCode::NOT_FOUND);
    assert_eq!(c.api(&far, "/api/v1/visit-duties").await["items"], json!([]));
    let finance = c.service.signed_in("finance", post(Role::Finance, code("410202").range()));
    let seen = c.service.call(&finance, "GET", "/api/v1/silences", &json!({})).await;
    assert_eq!(seen.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_team_leader_enters_who_is_away_and_who_stands_in() {
    let c = community().await;
    let leader = c.service.session("clerk");
    let here = c.page(&leader, "/duties/leaves").await;
    assert!(
        here.body.contains("今天和以后没有人请假") && here.body.contains("刘敏 理事厅社区"),
        "{}",
        here.body
    );
    let account = here.after("请选择</option>", "value");
    let form =
        |from, to, cover| [("account", account.as_str()), ("from", from), ("to", to), ("cover", cover)];
    for (form, said) in [
        (form("2026-11-24", "2026-11-23", ""), "请假日期不对"),
        (form("", "2026-11-23", ""), "请填写日期"),
        (form("2026-11-23", "2026-11-23", &account), "代班人不能是本人"),
        ([("account", ""), ("from", "2026-11-23"), ("to", "2026-11-23"), ("cover", "")], "请选择谁请假"),
    ] {
        let refused = c.service.browse(&leader, "POST", "/duties/leaves", &form).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains(said), "{said}: {}", refused.body);
    }
    let taken =
        c.service.browse(&leader, "POST", "/duties/leaves", &form("2026-11-21", "2026-11-23", "")).await;
    assert_eq!(taken.location.as_deref(), Some("/duties/leaves"), "{}", taken.body);
    let list = c.page(&leader, "/duties/leaves").await;
    assert!(list.body.contains("请假中") && list.body.contains("同事一起分担"), "{}", list.body);
    let end = list.after("请假中", "action");
    let far = c.service.signed_in("far", post(Role::StreetOfficer, code("410203").range()));
    assert_eq!(c.service.browse(&far, "POST", &end, &[]).await.status, StatusCode::NOT_FOUND);
    assert!(
        !c.page(&far, "/duties/leaves").await.body.contains("刘敏 理事厅社区"),
        "whoever is elsewhere is not offered"
    );
    c.service.browse(&leader, "POST", &end, &[]).await;
    assert!(c.page(&leader, "/duties/leaves").await.body.contains("今天和以后没有人请假"));
    // A community worker enters their own, and sees no choice of others.
    let own = c.page(&c.worker, "/duties/leaves").await;
    assert!(!own.body.contains(r#"name="account""#), "{}", own.body);
    let form = [("from", "2026-11-25"), ("to", "2026-11-26"), ("why", "年假")];
    c.service.browse(&c.worker, "POST", "/duties/leaves", &form).await;
    assert!(c.page(&c.worker, "/duties/leaves").await.body.contains("年假"));
}

#[tokio::test]
async fn extra_rounds_and_visit_rates_have_pages() {
    let c = community().await;
    let leader = c.service.session("clerk");
    let path = "/duties/rounds";
    assert!(c.page(&leader, path).await.body.contains("三个月内没有专项巡访"));
    let form = |occasion, due| [("occasion", occasion), ("grade", "high"), ("region", ""), ("due", due)];
    for (form, said) in [
        (form(" ", "2026-11-22T09:00"), "请填写事由"),
        (form("橙色寒潮预警", "2026-11-21T08:00"), "完成期限应晚于现在"),
        (form("橙色寒潮预警", ""), "请填写完成期限"),
        (
            form(
                "长长的事由长长的事由长长的事由长长的事由长长的事由长长的事由长长的事由长长的事由长",
                "2026-11-22T09:00",
            ),
            "事由最多",
        ),
    ] {
        let refused = c.service.browse(&leader, "POST", path, &form).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
        assert!(refused.body.contains(said), "{said}: {}", refused.body);
    }
    let called = c.service.browse(&leader, "POST", path, &form("橙色寒潮预警", "2026-11-22T09:00")).await;
    assert_eq!(called.status, StatusCode::SEE_OTHER, "{}", called.body);
    let list = c.page(&c.worker, path).await;
    assert!(
        list.body.contains("橙色寒潮预警") && list.body.contains(r#"data-th="要看望">1<"#),
        "{}",
        list.body
    );
    assert!(!list.body.contains("下发专项巡访"), "whoever may not call out is offered no form");
    let refused = c.service.browse(&c.worker, "POST", path, &form("x", "2026-11-22T09:00")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let rates = c.page(&leader, "/duties/rates").await;
    assert!(rates.body.contains("这个月初名单上没有人") && rates.body.contains("2026-10"), "{}", rates.body);
}
