//! The desks of providers and statements as a browser without scripts meets them.

mod support;
#[expect(dead_code, reason = "the matrix of routes takes the rest")]
#[path = "support/world.rs"]
mod world;

use axum::http::StatusCode;
use domain::access::Role;
use world::{Seat, World};

/// A provider's form with everything in it; the credit code is the caller's.
fn form<'a>(code: &'a str, region: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("name", "开封试点居家养老服务中心"),
        ("credit_code", code),
        ("contact", "李芳"),
        ("phone", "0378-2351234"),
        ("region", region),
        ("area", region),
        ("contract_no", "养服〔2026〕0999号"),
        ("contract_from", "2026-01-01"),
        ("contract_to", "2027-12-31"),
        ("services", "A04"),
        ("services", "B01"),
    ]
}

#[tokio::test]
async fn a_provider_is_entered_corrected_and_given_a_carer() {
    let world = World::new();
    let (county, clerk) =
        (world.range(Seat::Own).lo.to_string(), world.visitor(Role::CountyCivilAffairs, Seat::Own));
    let service = &world.service;

    let wrong = service.browse(&clerk, "POST", "/providers", &form("91350100M000100Y44", &county)).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("校验位不对") && wrong.body.contains("开封试点居家养老服务中心"));
    // Both boxes that were ticked are still ticked.
    assert_eq!(wrong.body.matches("checked").count(), 2);

    let made = service.browse(&clerk, "POST", "/providers", &form("91350100M000100Y43", &county)).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER);
    let page = made.location.expect("it goes to the provider's page");
    let seen = service.browse(&clerk, "GET", &page, &[]).await;
    assert!(seen.body.contains("上门助浴") && seen.body.contains("还没有登记服务人员"));
    let list = service.browse(&clerk, "GET", "/providers?q=试点", &[]).await;
    assert!(list.body.contains("开封试点居家养老服务中心") && list.body.contains("共 <b>1</b> 家"));

    let carer = [
        ("name", "赵红"),
        ("sex", "女"),
        ("birth", "1980-05-01"),
        ("phone", "13800001234"),
        ("region", county.as_str()),
        ("languages", "普通话、本地话"),
        ("days", "1"),
        ("days", "3"),
        ("from", "08:00"),
        ("to", "17:00"),
    ];
    let employed = service.browse(&clerk, "POST", &format!("{page}/carers"), &carer).await;
    let her = employed.location.unwrap_or_else(|| panic!("{}", employed.body));
    let paper = [
        ("skill", "nurse"),
        ("certificate_no", "N-1"),
        ("valid_from", "2024-11-01"),
        ("valid_to", "2026-11-30"),
    ];
    let certified = service.browse(&clerk, "POST", &format!("{her}/certificates"), &paper).await;
    assert_eq!(certified.status, StatusCode::SEE_OTHER);
    let seen = service.browse(&clerk, "GET", &her, &[]).await;
    for told in ["周一、周三 08:00–17:00", "138****1234", "9 天后到期", "注册护士"] {
        assert!(seen.body.contains(told), "{told}");
    }
    assert!(!seen.body.contains("13800001234"));
    let expiring = service.browse(&clerk, "GET", "/providers/expiring", &[]).await;
    assert!(expiring.body.contains("赵红"));
    let opened = service.browse(&clerk, "POST", &format!("{her}/phone"), &[("reason", "通知换班")]).await;
    assert!(opened.body.contains("13800001234"));
}

#[tokio::test]
async fn a_providers_office_is_offered_its_carers_and_not_its_contract() {
    let world = World::new();
    let office = world.visitor(Role::ProviderAdmin, Seat::Own);
    let (provider, _) = world.example("/providers/{id}", "id").unwrap();
    let seen = world.service.browse(&office, "GET", &format!("/providers/{provider}"), &[]).await;
    assert!(
        seen.body.contains("登记服务人员") && !seen.body.contains(&format!("/providers/{provider}/edit"))
    );
    let county = world.range(Seat::Own).lo.to_string();
    let refused = world
        .service
        .browse(&office, "POST", &format!("/providers/{provider}"), &form("91350100M000100Y43", &county))
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_statement_offers_each_post_its_own_step() {
    let world = World::new();
    let (id, _) = world.example("/statements/{id}", "id").unwrap();
    for (role, sees) in [(Role::Auditor, true), (Role::Finance, true), (Role::Agent, false)] {
        let who = world.visitor(role, Seat::Own);
        let seen = world.service.browse(&who, "GET", &format!("/statements/{id}"), &[]).await;
        assert_eq!(seen.status == StatusCode::OK, sees, "{role:?}");
        if sees {
            assert!(seen.body.contains("居家养老服务结算单") && seen.body.contains("校验码"));
            let (links, trails) =
                (seen.body.matches("href=\"/orders/").count(), seen.body.matches("/trail\"").count());
            // Finance may follow what it pays for, but an order's own page is not its business.
            assert!(links > 0, "{role:?}");
            assert_eq!(links == trails, role == Role::Finance, "{role:?}");
        }
    }
    let auditor = world.visitor(Role::Auditor, Seat::Child);
    let file = world.service.browse(&auditor, "GET", &format!("/statements/{id}/lines.csv"), &[]).await;
    assert!(file.status == StatusCode::NOT_FOUND || file.body.starts_with('\u{feff}'));
}

#[tokio::test]
async fn everybody_who_is_signed_in_reads_the_catalogue() {
    let world = World::new();
    for role in [Role::Worker, Role::Finance, Role::Administrator] {
        let who = world.visitor(role, Seat::Own);
        let seen = world.service.browse(&who, "GET", "/services", &[]).await;
        assert!(
            seen.status == StatusCode::OK && seen.body.contains("其中至少一人有养老护理员四级或注册护士")
        );
    }
    let who = world.visitor(Role::Agent, Seat::Own);
    let one = world.service.browse(&who, "GET", "/services/A04", &[]).await;
    assert!(one.body.contains("收缩压≥180") && one.body.contains("¥120.00–¥260.00"));
    let none = world.service.browse(&who, "GET", "/services/Z99", &[]).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}
