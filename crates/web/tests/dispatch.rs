//! The dispatch desk as a browser without scripts meets it.

mod support;
#[path = "../../app/tests/town/mod.rs"]
mod town;

use app::{orders, parties::accounts::NewPost};
use axum::http::StatusCode;
use domain::{
    access::Role,
    ids::{CarerId, OrderId, PersonId, ProviderId},
    orders::OrderState,
};
use support::{Service, Visitor, post, region};
use town::{ALL_SKILLS, COUNTY, assign, carer, person, place, somebody, wish, worker};

struct Scene {
    service: Service,
    dispatcher: Visitor,
    elder: PersonId,
    provider: ProviderId,
    tian: CarerId,
    ma: CarerId,
}

/// A county with one elder, one provider, two women who can do everything, and a dispatcher.
fn scene() -> Scene {
    let service = Service::new();
    let store = service.bed.store.clone();
    town::town(&store);
    let provider = town::provider(&store, "安康养老");
    Scene {
        dispatcher: service.signed_in("suntao", post(Role::Dispatcher, region(COUNTY))),
        elder: person(&store, "王秀英", 2),
        provider,
        tian: carer(&store, provider, "田芳", 2, ALL_SKILLS),
        ma: carer(&store, provider, "马丽", 2, ALL_SKILLS),
        service,
    }
}

impl Scene {
    fn order(&self, elder: PersonId, service: &str, minutes: i64) -> OrderId {
        place(&self.service.bed.store, &wish(elder, service, minutes, None))
    }

    fn state(&self, order: OrderId) -> OrderState {
        let actor = somebody(Role::Auditor, 90);
        self.service.bed.store.read(move |tx| orders::order(tx, &actor, order)).unwrap().state
    }
}

#[tokio::test]
async fn the_most_urgent_order_is_chosen_and_one_press_offers_it() {
    let s = scene();
    let second = person(&s.service.bed.store, "李桂芳", 2);
    let plain = s.order(s.elder, "B01", 60);
    let urgent = s.order(second, "D04", 90);
    let seen = s.service.browse(&s.dispatcher, "GET", "/dispatch", &[]).await;
    assert_eq!(seen.status, StatusCode::OK);
    let (first, then) = (format!("id=\"order-{urgent}\""), format!("id=\"order-{plain}\""));
    assert!(seen.body.find(&first).unwrap() < seen.body.find(&then).unwrap());
    assert_eq!(seen.after(&first, "aria-current"), "true", "the first of the list is chosen");
    assert!(seen.body.contains("data-key=\"1\"") && seen.body.contains("data-key=\"2\""));
    assert!(!seen.body.contains("data-key=\"3\""), "there are two carers, not three");
    let offer = format!("/dispatch/{urgent}/offer");
    let carer = seen.after(&format!("action=\"{offer}\""), "value");
    let answer = s.service.browse(&s.dispatcher, "POST", &offer, &[("carer", &carer)]).await;
    assert_eq!((answer.status, answer.location.as_deref()), (StatusCode::SEE_OTHER, Some("/dispatch")));
    assert_eq!(s.state(urgent), OrderState::Offered);
    let seen = s.service.browse(&s.dispatcher, "GET", "/dispatch", &[]).await;
    assert!(!seen.body.contains(&first), "what was offered waits no longer");
    assert_eq!(seen.after(&then, "aria-current"), "true", "the next one is chosen");
}

#[tokio::test]
async fn an_offer_without_answer_comes_back_after_a_quarter_of_an_hour() {
    let s = scene();
    let order = s.order(s.elder, "B01", 60);
    assign(&s.service.bed.store, order, s.tian, None, 0).unwrap();
    let part = "/dispatch/waiting";
    s.service.later(14);
    let seen = s.service.browse(&s.dispatcher, "GET", part, &[]).await;
    assert!(seen.body.contains("都派出去了"));
    s.service.later(2);
    let seen = s.service.browse(&s.dispatcher, "GET", part, &[]).await;
    assert!(seen.body.contains("已问未答，已超 1 分钟"), "{}", seen.body);
    assert!(!seen.body.contains("<html"), "a part of the page, not a page");
}

#[tokio::test]
async fn a_clash_is_told_in_words_and_the_order_stays_chosen() {
    let s = scene();
    let second = person(&s.service.bed.store, "李桂芳", 2);
    let (taken, order) = (s.order(s.elder, "B01", 60), s.order(second, "B01", 90));
    assign(&s.service.bed.store, taken, s.tian, None, 0).unwrap();
    let form = [("carer", s.tian.to_string())];
    let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let answer = s.service.browse(&s.dispatcher, "POST", &format!("/dispatch/{order}/offer"), &form).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.body.contains("田芳在 10:00–11:00 已有上门任务，请换人或改时间"), "{}", answer.body);
    assert_eq!(answer.after(&format!("id=\"order-{order}\""), "aria-current"), "true");
    assert_eq!(s.state(order), OrderState::Placed);
    // The page had warned of it: the carer stands among those who cannot go.
    let (_, why) = answer.body.split_once("其他人为什么不行").unwrap();
    assert!(why.contains("时间冲突 <b>1</b>") && why.contains("田芳：10:00–11:00 已有安排"), "{why}");
}

#[tokio::test]
async fn bathing_asks_for_a_partner() {
    let s = scene();
    let order = s.order(s.elder, "A04", 60);
    let seen = s.service.browse(&s.dispatcher, "GET", &format!("/dispatch?order={order}"), &[]).await;
    assert!(seen.body.contains("须 2 人同去"));
    let (carer, partner) = (s.tian.to_string(), s.ma.to_string());
    let offer = format!("/dispatch/{order}/offer");
    let alone = s.service.browse(&s.dispatcher, "POST", &offer, &[("carer", &carer), ("partner", "")]).await;
    assert_eq!(alone.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(alone.body.contains("请填写第二名服务人员（该项目须两人上门）"));
    let both = [("carer", carer.as_str()), ("partner", partner.as_str())];
    let answer = s.service.browse(&s.dispatcher, "POST", &offer, &both).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let lanes = s.service.browse(&s.dispatcher, "GET", "/dispatch/lanes", &[]).await;
    let block = "aria-label=\"王秀英 上门助浴，10:00–11:30，待接单\"";
    assert_eq!(lanes.body.matches(block).count(), 2, "both carers are taken: {}", lanes.body);
}

#[tokio::test]
async fn who_declined_and_why_stands_on_the_desk() {
    let s = scene();
    let order = s.order(s.elder, "B01", 60);
    let store = s.service.bed.store.clone();
    assign(&store, order, s.tian, None, 0).unwrap();
    let who = worker(20, s.provider, s.tian);
    store.write(move |tx| orders::decline(tx, &who, order, "孩子生病", town::at(1))).unwrap();
    s.service.later(2);
    let seen = s.service.browse(&s.dispatcher, "GET", "/dispatch", &[]).await;
    for told in ["田芳 退单：孩子生病", "今天退单 1", "09:01 田芳 退单：孩子生病"] {
        assert!(seen.body.contains(told), "{told}");
    }
}

#[tokio::test]
async fn a_provider_sees_its_own_people_and_orders_only() {
    let s = scene();
    let store = &s.service.bed.store;
    let rival = town::provider(store, "康寿养老");
    let theirs = carer(store, rival, "许静", 2, ALL_SKILLS);
    let second = person(store, "李桂芳", 2);
    let (ours, other) = (s.order(s.elder, "B01", 60), s.order(second, "B01", 60));
    assign(store, ours, s.tian, None, 0).unwrap();
    assign(store, other, theirs, None, 0).unwrap();
    let of_ours = NewPost { provider: Some(s.provider), ..post(Role::ProviderAdmin, region(COUNTY)) };
    let admin = s.service.signed_in("ankang", of_ours);
    s.service.later(20);
    let seen = s.service.browse(&admin, "GET", "/dispatch", &[]).await;
    assert!(seen.body.contains("王秀英") && seen.body.contains("马丽"));
    assert!(!seen.body.contains("李桂芳") && !seen.body.contains("许静"), "another provider's");
    assert!(!seen.body.contains("取消这一单"), "calling orders off is not a provider's business");
    let seen = s.service.browse(&admin, "GET", &format!("/dispatch?order={other}"), &[]).await;
    assert!(!seen.body.contains("李桂芳"));
    let carer = s.ma.to_string();
    let offer = format!("/dispatch/{other}/offer");
    let answer = s.service.browse(&admin, "POST", &offer, &[("carer", &carer)]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let offer = format!("/dispatch/{ours}/offer");
    let answer = s.service.browse(&admin, "POST", &offer, &[("carer", &theirs.to_string())]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "another provider's carer");
}

#[tokio::test]
async fn the_timeline_follows_day_and_search() {
    let s = scene();
    let store = &s.service.bed.store;
    let second = person(store, "李桂芳", 2);
    let (today, tomorrow) = (s.order(s.elder, "B01", 60), s.order(second, "B01", 24 * 60));
    assign(store, today, s.tian, None, 0).unwrap();
    assign(store, tomorrow, s.ma, None, 0).unwrap();
    for (path, there, not_there) in [
        ("/dispatch/lanes", "田芳", "马丽"),
        ("/dispatch/lanes?day=2026-11-22", "马丽", "田芳"),
        ("/dispatch/lanes?q=%E7%94%B0", "田芳", "马丽"),
        ("/dispatch/lanes?q=%E9%A9%AC", "没有找到这个名字", "田芳"),
        // A pattern is a name that nobody has.
        ("/dispatch/lanes?day=2026-11-23&q=%25", "这一天没有安排", "田芳"),
    ] {
        let seen = s.service.browse(&s.dispatcher, "GET", path, &[]).await;
        assert!(seen.body.contains(there) && !seen.body.contains(not_there), "{path}: {}", seen.body);
    }
}

#[tokio::test]
async fn only_dispatchers_come_in() {
    let s = scene();
    let agent = s.service.signed_in("liumin", post(Role::Agent, region(COUNTY)));
    let seen = s.service.browse(&agent, "GET", "/dispatch", &[]).await;
    assert_eq!(seen.status, StatusCode::FORBIDDEN);
    let seen = s.service.browse(&Visitor::default(), "GET", "/dispatch", &[]).await;
    assert_eq!(seen.location.as_deref(), Some("/sign-in?next=/dispatch"));
}

#[tokio::test]
async fn while_an_order_is_dragged_every_carer_says_whether_it_fits_and_why() {
    let s = scene();
    let second = person(&s.service.bed.store, "李桂芳", 2);
    let (taken, order) = (s.order(s.elder, "B01", 60), s.order(second, "B01", 90));
    assign(&s.service.bed.store, taken, s.tian, None, 0).unwrap();
    let path = format!("/dispatch/{order}/fits");
    let told = s.service.call(&s.dispatcher, "GET", &path, &serde_json::Value::Null).await;
    assert_eq!(told.status, StatusCode::OK);
    let told: serde_json::Value = serde_json::from_str(&told.body).unwrap();
    let of = |carer: CarerId| {
        let carer = carer.to_string();
        told["carers"].as_array().unwrap().iter().find(|c| c["carer"] == carer.as_str()).unwrap().clone()
    };
    assert_eq!(of(s.tian)["fits"], false);
    assert!(of(s.tian)["why"].as_str().unwrap().contains("10:00–11:00 已有安排"), "{told}");
    assert_eq!(of(s.ma)["fits"], true);
    assert!(!of(s.ma)["why"].as_str().unwrap().is_empty(), "{told}");
    assert_eq!((&told["place"], &told["two"]), (&"from-1030 for-60".into(), &false.into()));
    let stranger = s.service.signed_in("weiqi", post(Role::Dispatcher, region("410203")));
    let none = s.service.call(&stranger, "GET", &path, &serde_json::Value::Null).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND, "another county's order does not exist");
}

#[tokio::test]
async fn the_map_shows_what_waits_and_who_is_where_and_says_the_same_in_words() {
    let s = scene();
    let second = person(&s.service.bed.store, "李桂芳", 2);
    let (taken, order) = (s.order(s.elder, "B01", 60), s.order(second, "B01", 90));
    assign(&s.service.bed.store, taken, s.tian, None, 0).unwrap();
    let seen = s.service.browse(&s.dispatcher, "GET", "/dispatch?view=map", &[]).await;
    assert_eq!(seen.status, StatusCode::OK);
    let (_, map) = seen.body.split_once("<svg class=\"map\"").expect("a map");
    let (drawn, words) = map.split_once("</svg>").unwrap();
    let href = format!("/dispatch?view=map&amp;order={order}");
    for part in [drawn, words] {
        assert!(part.contains("李桂芳") && part.contains("田芳，接下来 10:00 王秀英"), "{part}");
        assert!(part.contains(&href) || part.contains(&href.replace("&amp;", "&#38;")), "{part}");
    }
    assert!(!seen.body.contains("class=\"lane-grid\""), "the map stands in place of the lanes");
    let lanes = s.service.browse(&s.dispatcher, "GET", "/dispatch/lanes", &[]).await;
    assert!(lanes.body.contains("class=\"lane-grid\"") && !lanes.body.contains("<svg class=\"map\""));
}
