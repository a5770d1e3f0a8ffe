//! The trail of an order as people read it, and the list of what happened of late.

mod support;
#[path = "../../app/tests/town/mod.rs"]
mod town;

use app::{
    evidence::{SealFile, seal},
    orders,
};
use axum::http::StatusCode;
use domain::{access::Role, orders::CancelReason};
use support::{Service, post, region};
use town::{ALL_SKILLS, COUNTY, assign, carer, person, place, somebody, wish, worker};

#[tokio::test]
async fn a_trail_tells_who_did_what_and_what_is_sealed() {
    let service = Service::new();
    let store = service.bed.store.clone();
    town::town(&store);
    let provider = town::provider(&store, "安康养老");
    let tian = carer(&store, provider, "田芳", 2, ALL_SKILLS);
    let elder = person(&store, "王秀英", 2);
    let order = place(&store, &wish(elder, "B01", 60, Some(90)));
    assign(&store, order, tian, None, 1).unwrap();
    let who = worker(20, provider, tian);
    let gone = who.clone();
    store.write(move |tx| orders::decline(tx, &gone, order, "孩子生病", town::at(2))).unwrap();
    assert!(seal(&store, &SealFile::in_folder(service.bed.folder()), town::at(3)).unwrap().rows > 0);
    assign(&store, order, tian, None, 4).unwrap();
    let street = service.signed_in("street", post(Role::StreetOfficer, region(COUNTY)));
    service.later(5);
    let seen = service.browse(&street, "GET", &format!("/orders/{order}/trail"), &[]).await;
    let told = [
        "热线下单 B01，约 11-21 10:00 上门，价格 ¥57.00，其中自付 ¥57.00",
        "热线坐席 · 已封存，第 1 批（09:03）",
        "派给田芳",
        "服务人员退单：孩子生病",
        "派单员 · 尚未封存",
        "最近几条尚未封存",
    ];
    for text in told {
        assert!(seen.body.contains(text), "{text} in {}", seen.body);
    }
    let order_of = |text: &str| seen.body.find(text).unwrap();
    assert!(order_of("热线下单") < order_of("服务人员退单"), "oldest first");
    assert!(seal(&store, &SealFile::in_folder(service.bed.folder()), town::at(6)).unwrap().rows > 0);
    let seen = service.browse(&street, "GET", &format!("/evidence/{order}"), &[]).await;
    assert!(seen.body.contains("全部已封存") && seen.body.contains("已封存，第 2 批"));
}

#[tokio::test]
async fn the_list_is_narrowed_by_kind_and_day() {
    let service = Service::new();
    let store = service.bed.store.clone();
    town::town(&store);
    let elder = person(&store, "王秀英", 2);
    let first = place(&store, &wish(elder, "B01", 60, Some(90)));
    let agent = somebody(Role::Agent, 10);
    store
        .write(move |tx| orders::cancel(tx, &agent, first, CancelReason::Elder, "", town::at(3 * 24 * 60)))
        .unwrap();
    service.later(3 * 24 * 60 + 1);
    let street = service.signed_in("street", post(Role::StreetOfficer, region(COUNTY)));
    for (query, placed, cancelled) in [
        ("", true, true),
        ("?kind=order", true, true),
        ("?kind=order.cancelled", false, true),
        ("?kind=call", false, false),
        ("?from=2026-11-24", false, true),
        ("?to=2026-11-21", true, false),
        ("?from=2026-11-22&to=2026-11-23", false, false),
        // A kind that only begins alike is another kind.
        ("?kind=ord", false, false),
    ] {
        let seen = service.browse(&street, "GET", &format!("/evidence{query}"), &[]).await;
        let found = (seen.body.contains("热线下单"), seen.body.contains("取消工单（老人取消）"));
        assert_eq!(found, (placed, cancelled), "{query}");
    }
    let away = service.signed_in("away", post(Role::StreetOfficer, region("410203")));
    let seen = service.browse(&away, "GET", "/evidence", &[]).await;
    assert!(!seen.body.contains("热线下单"), "another county's");
    let worker = service.signed_in("community", post(Role::CommunityWorker, region(COUNTY)));
    assert_eq!(service.browse(&worker, "GET", "/evidence", &[]).await.status, StatusCode::FORBIDDEN);
    let seen = service.browse(&street, "GET", "/evidence/nothing", &[]).await;
    assert_eq!(seen.status, StatusCode::NOT_FOUND);
}
