//! Orders in a list, on their page, on paper and as a file, and what each role may do with them.

mod support;
#[path = "../../app/tests/town/mod.rs"]
mod town;

use app::{orders, parties::accounts::NewPost};
use axum::http::StatusCode;
use domain::{
    access::Role,
    ids::{CarerId, OrderId, PersonId, ProviderId},
    orders::OrderState,
    programmes::Asset,
};
use support::{Seen, Service, Visitor, post, region};
use town::{
    ALL_SKILLS, COUNTY, ELSEWHERE, accept, assign, carer, person, place, right, somebody, wish, worker,
};

struct Scene {
    service: Service,
    elder: PersonId,
    provider: ProviderId,
    tian: CarerId,
}

fn scene() -> Scene {
    let service = Service::new();
    let store = service.bed.store.clone();
    town::town(&store);
    let provider = town::provider(&store, "安康养老");
    Scene {
        elder: person(&store, "王秀英", 2),
        provider,
        tian: carer(&store, provider, "田芳", 2, ALL_SKILLS),
        service,
    }
}

impl Scene {
    fn sit(&self, username: &str, role: Role) -> Visitor {
        self.service.signed_in(username, post(role, region(COUNTY)))
    }

    fn order(&self) -> OrderId {
        place(&self.service.bed.store, &wish(self.elder, "B01", 60, Some(90)))
    }

    /// An order whose visit is over.
    fn served(&self) -> OrderId {
        let (store, order) = (&self.service.bed.store, self.order());
        let who = worker(20, self.provider, self.tian);
        assign(store, order, self.tian, None, 1).unwrap();
        accept(store, order, &who, 2).unwrap();
        town::visit(store, order, &who, 60, 150);
        self.service.later(160);
        order
    }

    fn state(&self, order: OrderId) -> OrderState {
        let actor = somebody(Role::Auditor, 90);
        self.service.bed.store.read(move |tx| orders::order(tx, &actor, order)).unwrap().state
    }

    async fn see(&self, who: &Visitor, path: &str) -> Seen {
        self.service.browse(who, "GET", path, &[]).await
    }

    async fn send(&self, who: &Visitor, path: &str, form: &[(&str, &str)]) -> Seen {
        self.service.browse(who, "POST", path, form).await
    }
}

#[tokio::test]
async fn an_order_is_accepted_settled_and_adds_up_on_its_page() {
    let s = scene();
    right(&s.service.bed.store, s.elder, "KF-JJZH", Asset::Minutes, 20);
    right(&s.service.bed.store, s.elder, "KF-FWBT", Asset::Fen, 2000);
    let order = s.served();
    let dispatcher = s.sit("suntao", Role::Dispatcher);
    let page = format!("/orders/{order}");
    let seen = s.see(&dispatcher, &page).await;
    for told in [
        "王秀英，女，1940 年生",
        "困难老年人居家照护服务（政府购买）",
        "用时长 20 分钟",
        "¥12.66",
        "用额度 ¥20.00",
        "老人自付",
        "¥24.34",
        "手机定位，距住处 0 米（精度 ±10 米）",
        "签到</dt><dd>服务器 11-21 10:00:00，手机 10:00:00",
        "10:00–11:30",
    ] {
        assert!(seen.body.contains(told), "{told} in {}", seen.body);
    }
    assert!(!seen.body.contains(&format!("action=\"{page}/settlement\"")), "nobody has accepted it yet");
    let word = [("by", "call_back"), ("satisfied", "yes"), ("note", "")];
    let answer = s.send(&dispatcher, &format!("{page}/confirmation"), &word).await;
    assert_eq!(answer.location.as_deref(), Some(page.as_str()));
    let answer = s.send(&dispatcher, &format!("{page}/settlement"), &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let seen = s.see(&dispatcher, &page).await;
    let (_, paid) = seen.body.split_once("结算时实际出资").unwrap();
    assert!(paid.contains("老人自付<span class=\"end\">¥24.34</span>"), "{paid}");
    let (_, nets) = seen.body.split_once("借贷相抵为零").unwrap();
    assert!(
        nets.contains("合计<span class=\"end\">0 分钟</span>")
            && nets.contains("合计<span class=\"end\">¥0.00</span>")
    );
    let again = s.send(&dispatcher, &format!("{page}/settlement"), &[]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.body.contains("工单现在是“已结算”，不能结算"), "told on the order's page");
}

#[tokio::test]
async fn what_the_post_does_not_include_has_no_button() {
    let s = scene();
    let order = s.served();
    let page = format!("/orders/{order}");
    let all =
        ["confirmation", "rating", "exception\"", "settlement", "cancellation", "trail", "dispatch?order"];
    for (n, (role, has)) in [
        (Role::Dispatcher, &["confirmation", "rating", "exception\"", "trail"][..]),
        (Role::StreetOfficer, &["confirmation", "rating", "trail"]),
        (Role::CommunityWorker, &["confirmation", "rating"]),
        (Role::CountyCivilAffairs, &["trail"]),
        (Role::Auditor, &["trail"]),
    ]
    .into_iter()
    .enumerate()
    {
        let who = s.sit(&format!("person{n}"), role);
        let seen = s.see(&who, &page).await;
        assert_eq!(seen.status, StatusCode::OK, "{role:?}");
        for act in all {
            let link = if act.starts_with("dispatch") { format!("/{act}") } else { format!("{page}/{act}") };
            assert_eq!(seen.body.contains(&link), has.contains(&act), "{role:?} {act}");
        }
    }
    let finance = s.sit("finance", Role::Finance);
    assert_eq!(s.see(&finance, &page).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_exception_is_asked_by_one_and_allowed_by_another() {
    let s = scene();
    let order = s.served();
    let page = format!("/orders/{order}");
    let (dispatcher, county) = (s.sit("suntao", Role::Dispatcher), s.sit("zhang", Role::CountyCivilAffairs));
    let short = s.send(&dispatcher, &format!("{page}/exception"), &[("reason", "住院")]).await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(short.body.contains("请填写申请例外的原因（至少四个字）"));
    s.send(&dispatcher, &format!("{page}/exception"), &[("reason", "老人住院无法验收")]).await;
    let approval = format!("{page}/exception/approval");
    assert!(!s.see(&dispatcher, &page).await.body.contains(&approval));
    assert_eq!(s.send(&dispatcher, &approval, &[]).await.status, StatusCode::FORBIDDEN);
    assert!(s.see(&county, &page).await.body.contains(&approval));
    assert_eq!(s.send(&county, &approval, &[]).await.status, StatusCode::SEE_OTHER);
    s.send(&dispatcher, &format!("{page}/settlement"), &[]).await;
    assert_eq!(s.state(order), OrderState::Settled);
}

#[tokio::test]
async fn a_dispute_needs_words_and_a_rating_counts_once() {
    let s = scene();
    let order = s.served();
    let page = format!("/orders/{order}");
    let street = s.sit("street", Role::StreetOfficer);
    let word = [("by", "elder"), ("satisfied", "no"), ("note", " ")];
    let silent = s.send(&street, &format!("{page}/confirmation"), &word).await;
    assert!(silent.body.contains("请填写不满意的原因"));
    for (stars, says) in [("6", "评分应为 1 到 5 星"), ("", "评分应为 1 到 5 星")] {
        let seen = s.send(&street, &format!("{page}/rating"), &[("stars", stars)]).await;
        assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(seen.body.contains(says));
    }
    let rating = [("stars", "4"), ("comment", "很仔细")];
    assert_eq!(s.send(&street, &format!("{page}/rating"), &rating).await.status, StatusCode::SEE_OTHER);
    let twice = s.send(&street, &format!("{page}/rating"), &rating).await;
    assert!(twice.body.contains("这一单已经评价过"));
    assert!(!twice.body.contains(&format!("{page}/rating")), "the form is gone");
}

#[tokio::test]
async fn a_cancelled_order_can_be_placed_again_as_it_was() {
    let s = scene();
    let order = s.order();
    let page = format!("/orders/{order}");
    let agent = s.sit("liumin", Role::Agent);
    let form = [("reason", "mistake"), ("note", ""), ("back", "https://elsewhere.example")];
    let answer = s.send(&agent, &format!("{page}/cancellation"), &form).await;
    assert_eq!(answer.location.as_deref(), Some(page.as_str()), "never to another site");
    assert_eq!(s.state(order), OrderState::Cancelled);
    let twice = s.send(&agent, &format!("{page}/cancellation"), &form).await;
    assert!(twice.body.contains("工单现在是“已取消”，不能取消"));
    let answer = s.send(&agent, &format!("{page}/again"), &[]).await;
    let new = answer.location.unwrap();
    assert_ne!(new, page);
    let new: OrderId = new.trim_start_matches("/orders/").parse().unwrap();
    assert_eq!((s.state(new), s.state(order)), (OrderState::Placed, OrderState::Cancelled));
    let answer = s.send(&agent, &format!("/orders/{new}/again"), &[]).await;
    assert!(answer.body.contains("工单现在是“待派单”，不能重新下单"));
}

#[tokio::test]
async fn the_list_is_narrowed_by_its_address() {
    let s = scene();
    let store = &s.service.bed.store;
    let (second, away) = (person(store, "李桂芳", 2), town::person_in(store, "张德福", 1, "410203001001"));
    let first = s.order();
    place(store, &wish(second, "D04", 24 * 60, None));
    let city = domain::access::Actor { range: region("410200"), ..somebody(Role::Agent, 10) };
    let far = wish(away, "B01", 60, None);
    store.write(move |tx| orders::place(tx, &city, &far, town::at(0))).unwrap();
    assign(store, first, s.tian, None, 0).unwrap();
    let agent = s.sit("liumin", Role::Agent);
    for (query, there, not_there) in [
        ("", &["王秀英", "李桂芳", "共 <b>2</b> 单"][..], &["张德福"][..]),
        ("?state=offered", &["王秀英"], &["李桂芳"]),
        ("?state=placed", &["李桂芳"], &["王秀英"]),
        ("?service=D04", &["李桂芳"], &["王秀英"]),
        ("?from=2026-11-22", &["李桂芳"], &["王秀英"]),
        ("?to=2026-11-21", &["王秀英"], &["李桂芳"]),
        ("?region=410203", &["没有符合条件的工单"], &["张德福", "王秀英"]),
        ("?state=settled", &["没有符合条件的工单", "清除条件"], &["王秀英"]),
    ] {
        let seen = s.see(&agent, &format!("/orders{query}")).await;
        for text in there {
            assert!(seen.body.contains(text), "{query} shows {text}");
        }
        for text in not_there {
            assert!(!seen.body.contains(text), "{query} hides {text}");
        }
    }
    let of_person = s.see(&agent, &format!("/orders?person={second}")).await;
    assert!(of_person.body.contains("去掉条件：李桂芳") && !of_person.body.contains("王秀英"));
    let earliest = s.see(&agent, "/orders?sort=earliest").await.body;
    let latest = s.see(&agent, "/orders").await.body;
    assert!(
        earliest.find("王秀英") < earliest.find("李桂芳") && latest.find("李桂芳") < latest.find("王秀英")
    );
}

#[tokio::test]
async fn the_pages_of_the_list_lead_on_and_back() {
    let s = scene();
    let store = &s.service.bed.store;
    let elder = person(store, "李桂芳", 2);
    for n in 0..120 {
        store
            .write(move |tx| {
                let (start, end) = (town::at(600 + n / 2).0, town::at(660 + n / 2).0);
                tx.execute_one(
                    "INSERT INTO orders (id, region, person, service, service_from, channel, note, start_at, end_at,
                        minutes, price_fen, own_fen, state, placed_at, placed_by)
                    VALUES (?1, 410202001002, ?2, 'B01', '2022-01-01', 'hotline', '', ?3, ?4, 60, 100, 0, 'placed', ?3, 1)",
                    app::p![n + 1_000, elder, start, end],
                )
            })
            .unwrap();
    }
    let agent = s.sit("liumin", Role::Agent);
    let link = |body: &str, rel: &str| {
        let rest = body.split_once(&format!("rel=\"{rel}\" href=\""))?.1;
        Some(rest.split('"').next()?.replace("&amp;", "&").replace("&#38;", "&"))
    };
    let shown = |body: &str| -> Vec<String> {
        let rows = body.split("class=\"row-link\" href=\"/orders/").skip(1);
        rows.map(|row| row.split('"').next().unwrap().to_owned()).collect()
    };
    let (mut pages, mut at) = (Vec::new(), "/orders?state=placed".to_owned());
    let last = loop {
        let body = s.see(&agent, &at).await.body;
        pages.push(shown(&body));
        match link(&body, "next") {
            Some(next) => at = next,
            None => break body,
        }
    };
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 20]);
    assert!(last.contains("101–120"), "it is told where one is");
    let mut seen = pages.concat();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 120, "each once");
    let middle = s.see(&agent, &link(&last, "prev").unwrap()).await.body;
    assert_eq!((shown(&middle), middle.contains("51–100")), (pages[1].clone(), true));
    let first = s.see(&agent, &link(&middle, "prev").unwrap()).await.body;
    assert_eq!((shown(&first), link(&first, "prev")), (pages[0].clone(), None));
    // What nobody's pages ever said is the first page.
    let odd = s.see(&agent, "/orders?state=placed&page=b1.2").await.body;
    assert_eq!(shown(&odd), pages[0]);
}

#[tokio::test]
async fn the_list_is_taken_away_as_a_file_and_that_is_on_record() {
    let s = scene();
    s.order();
    let dispatcher = s.sit("suntao", Role::Dispatcher);
    let seen = s.see(&dispatcher, "/orders/export.csv?state=placed").await;
    let lines: Vec<&str> = seen.body.lines().collect();
    assert!(lines[0].starts_with("\u{feff}工单号,状态,项目,老人"));
    assert!(
        lines[1].contains("待派单,居室清洁,王秀英,")
            && lines[1].ends_with("2026-11-21 11:30,,,,,57.00,57.00")
    );
    assert_eq!(lines.len(), 2);
    let log = s.see(&dispatcher, "/evidence").await;
    assert!(log.body.contains("导出工单 1 条"));
}

#[tokio::test]
async fn the_paper_and_the_photographs_are_for_those_who_see_the_order() {
    let s = scene();
    let order = s.served();
    let store = s.service.bed.store.clone();
    let who = worker(20, s.provider, s.tian);
    let mut picture = std::io::Cursor::new(Vec::new());
    town::picture(&mut picture);
    let new = orders::NewPhoto::parse(picture.into_inner(), town::at(70).0).unwrap();
    let photo = store.write(move |tx| orders::add_photo(tx, &who, order, &new, town::at(155))).unwrap();
    let agent = s.sit("liumin", Role::Agent);
    let page = s.see(&agent, &format!("/orders/{order}")).await;
    let small = format!("/orders/{order}/photos/{photo}?small=1");
    assert!(page.body.contains(&small));
    let seen = s.see(&agent, &small).await;
    assert_eq!(seen.status, StatusCode::OK);
    let paper = s.see(&agent, &format!("/orders/{order}/paper")).await;
    for told in ["居家养老上门服务记录单", "安康养老", "校验码", "老人或家属", "实际时长"]
    {
        assert!(paper.body.contains(told), "{told}");
    }
    let away = s.service.signed_in("away", post(Role::Agent, region(ELSEWHERE)));
    let rival = town::provider(&store, "康寿养老");
    let rival = NewPost { provider: Some(rival), ..post(Role::ProviderAdmin, region(COUNTY)) };
    let rival = s.service.signed_in("rival", rival);
    for who in [away, rival] {
        for path in ["", "/paper", "/trail", &format!("/photos/{photo}")] {
            let seen = s.see(&who, &format!("/orders/{order}{path}")).await;
            assert_eq!(seen.status, StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(s.see(&who, &format!("/evidence/{order}")).await.status, StatusCode::NOT_FOUND);
        assert!(!s.see(&who, "/evidence").await.body.contains("派给田芳"));
    }
    // A photograph is found under its own order only.
    let other = s.order_of_another();
    let seen = s.see(&agent, &format!("/orders/{other}/photos/{photo}")).await;
    assert_eq!(seen.status, StatusCode::NOT_FOUND);
}

impl Scene {
    fn order_of_another(&self) -> OrderId {
        let other = person(&self.service.bed.store, "李桂芳", 2);
        place(&self.service.bed.store, &wish(other, "B01", 60, None))
    }
}
