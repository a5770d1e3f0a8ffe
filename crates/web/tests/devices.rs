//! The inventory of devices through the whole router, and the inspector.

mod support;
mod town;

use axum::http::StatusCode;
use domain::access::Role;

use support::{Seen, Service, Visitor, post, region};
use town::{COUNTY, VILLAGE, town};

async fn get(service: &Service, who: &Visitor, path: &str) -> Seen {
    service.browse(who, "GET", path, &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_once() {
    let service = Service::new();
    let town = town(&service);
    let clerk = service.signed_in("wang.clerk", post(Role::StreetOfficer, region(COUNTY)));
    let empty = get(&service, &clerk, "/devices").await;
    assert!(empty.body.contains("还没有设备"));
    let person = format!("http://here/people/{}", town.wang);
    let form = [("serial", "SOS-17"), ("kind", "sos"), ("person", person.as_str()), ("vendor", "安心")];
    let label = service.browse(&clerk, "POST", "/devices", &form).await;
    assert_eq!(label.status, StatusCode::OK, "{}", label.body);
    let secret = label.body.split_once("id=\"secret\">").unwrap().1.split('<').next().unwrap().to_owned();
    assert_eq!(secret.len(), 32);
    let list = get(&service, &clerk, "/devices?vendor=%E5%AE%89%E5%BF%83").await;
    assert!(list.body.contains("SOS-17") && list.body.contains("王**") && list.body.contains("还没有上报过"));
    assert!(!list.body.contains(&secret));
    let href = list.after("row-link", "href");
    let page = get(&service, &clerk, &href).await;
    assert!(page.body.contains("王秀英") && !page.body.contains(&secret));

    let again = service.browse(&clerk, "POST", "/devices", &form).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        again.body.contains("设备号 SOS-17 已登记") && again.body.contains("value=\"安心\""),
        "what was typed stays"
    );
    let bare = service.browse(&clerk, "POST", "/devices", &[("serial", "W-1"), ("kind", "watch")]).await;
    assert!(bare.body.contains("要登记给一位老人"), "{}", bare.body);

    let renewed = service.browse(&clerk, "POST", &format!("{href}/secret"), &[]).await;
    assert!(renewed.body.contains("密钥只在这里显示一次") && !renewed.body.contains(&secret));
    service.browse(&clerk, "POST", &format!("{href}/retirement"), &[("reason", "老人搬走")]).await;
    assert!(!get(&service, &clerk, "/devices").await.body.contains("SOS-17"));
    assert!(get(&service, &clerk, "/devices?state=all").await.body.contains("已停用"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_device_is_found_and_given_to_somebody() {
    let service = Service::new();
    let town = town(&service);
    let clerk = service.signed_in("wang.clerk", post(Role::StreetOfficer, region(COUNTY)));
    let form = [("serial", "Y-1"), ("kind", "smoke"), ("region", VILLAGE), ("beat_minutes", "60")];
    let label = service.browse(&clerk, "POST", "/devices", &form).await;
    assert!(label.body.contains("id=\"secret\""), "{}", label.body);
    assert!(!get(&service, &clerk, "/devices?state=silent").await.body.contains("Y-1"));
    service.later(61);
    let silent = get(&service, &clerk, "/devices?state=silent").await;
    assert!(silent.body.contains("Y-1") && silent.body.contains("失联"));
    let href = silent.after("row-link", "href");
    let nobody = service.browse(&clerk, "POST", &format!("{href}/person"), &[("person", "9")]).await;
    assert_eq!(nobody.status, StatusCode::SEE_OTHER);
    assert!(get(&service, &clerk, &href).await.body.contains("没有登记给老人"));
    service.browse(&clerk, "POST", &format!("{href}/person"), &[("person", &town.wang.to_string())]).await;
    assert!(get(&service, &clerk, &href).await.body.contains("王秀英"));
    let agent = service.signed_in("liu.min", post(Role::Agent, region(COUNTY)));
    let page = get(&service, &agent, &href).await;
    assert!(page.body.contains("Y-1") && !page.body.contains("停用的原因"), "an operator only looks");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inspector_says_what_is_wrong_and_keeps_nothing() {
    let service = Service::new();
    let clerk = service.signed_in("wang.clerk", post(Role::StreetOfficer, region(COUNTY)));
    let empty =
        service.browse(&clerk, "POST", "/devices/inspect", &[("protocol", "watch"), ("frame", "")]).await;
    assert!(empty.body.contains("请先粘贴"));
    let form = [("protocol", "watch"), ("frame", "[3G*8800000001*0002*LK]<script>")];
    let good = service.browse(&clerk, "POST", "/devices/inspect", &form).await;
    assert!(good.body.contains("读懂了") && good.body.contains("heartbeat"), "{}", good.body);
    assert!(!good.body.contains("<script>"), "what is pasted is text");
    let bad =
        service.browse(&clerk, "POST", "/devices/inspect", &[("protocol", "mqtt"), ("frame", "{")]).await;
    assert!(bad.body.contains("不收") && bad.body.contains("应为一个 JSON 对象"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_post_may_ask_whether_the_disk_is_full() {
    let service = Service::new();
    let clerk = service.signed_in("wang.clerk", post(Role::StreetOfficer, region(COUNTY)));
    let seen = get(&service, &clerk, "/api/v1/signals/status").await;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
    assert!(seen.body.contains(r#""listening":false"#) && seen.body.contains(r#""disk_full":false"#));
}
