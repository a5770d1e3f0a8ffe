//! The carer's phone through the whole router: a day's work, reports that come late or twice, steps that are refused.

mod support;
mod town;

use app::orders::{self, PlaceOrder};
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use domain::{
    access::Role,
    ids::OrderId,
    orders::{Channel, OrderState},
    time::At,
};

use support::{Seen, Service, Visitor, actor, region};
use town::{COUNTY, HOME, OWN, Town, assign, elder, orders_of, phone, town};

/// One pixel, as a camera would send it.
const PIXEL: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0,
    1, 8, 4, 0, 0, 0, 0xb5, 0x1c, 0x0c, 0x02, 0, 0, 0, 11, b'I', b'D', b'A', b'T', 0x78, 0xda, 0x63, 0x64,
    0xf8, 0x0f, 0, 1, 0x05, 1, 1, 0x27, 0x18, 0xe3, 0x66, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42,
    0x60, 0x82,
];

fn place(service: &Service, town: &Town, item: &str, start: &str) -> OrderId {
    let ask = PlaceOrder {
        person: town.wang,
        service: item.into(),
        start: At::parse(start).unwrap(),
        minutes: None,
        own_share_agreed: true,
        channel: Channel::Hotline,
        call: None,
        note: "带围裙".into(),
    };
    let (agent, now) = (actor(Role::Agent, region(COUNTY)), service.now());
    let id = service.bed.store.write(move |tx| orders::place(tx, &agent, &ask, now)).unwrap();
    assign(service, id, town.carer);
    id
}

async fn step(service: &Service, who: &Visitor, order: OrderId, what: &str, form: &[(&str, &str)]) -> Seen {
    service.browse(who, "POST", &format!("/carer/visits/{order}/{what}"), form).await
}

/// A form as the phone's script sends it, with files.
async fn multipart(
    service: &Service,
    who: &Visitor,
    path: &str,
    fields: &[(&str, &str)],
    files: &[&[u8]],
) -> Seen {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    for file in files {
        body.extend(
            b"--b\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"photo.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n",
        );
        body.extend(*file);
        body.extend(b"\r\n");
    }
    body.extend(b"--b--\r\n");
    let request = Request::builder()
        .method("POST")
        .uri(path)
        .header(header::HOST, "xiyang.test")
        .header(header::COOKIE, who.cookie.as_deref().unwrap_or_default())
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
        .header("hx-request", "true")
        .body(Body::from(body));
    service.send(request.unwrap()).await
}

fn state(service: &Service, town: &Town) -> OrderState {
    orders_of(service, town.wang)[0].state
}

fn at_home() -> [(&'static str, String); 3] {
    [("lng", HOME.0.to_string()), ("lat", HOME.1.to_string()), ("accuracy", "12".to_owned())]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_from_the_offer_to_the_elders_word() {
    let service = Service::new();
    let town = town(&service);
    let zhao = phone(&service, &town, "zhao.hong");
    let order = place(&service, &town, "A05", "2026-11-21T09:10");

    let day = service.browse(&zhao, "GET", "/carer", &[]).await;
    for word in ["王秀英", "擦浴", "带围裙", "接单", "发热；急性病期"] {
        assert!(day.body.contains(word), "{word}: {}", day.body);
    }
    step(&service, &zhao, order, "acceptance", &[]).await;
    let page = service.browse(&zhao, "GET", &format!("/carer/visits/{order}"), &[]).await;
    assert!(page.body.contains("到达签到后显示") && !page.body.contains(OWN), "no number before the door");
    let early = step(&service, &zhao, order, "telephone", &[]).await;
    assert_eq!(early.status, StatusCode::CONFLICT);

    let [lng, lat, accuracy] = at_home();
    let fix = [(lng.0, lng.1.as_str()), (lat.0, lat.1.as_str()), (accuracy.0, accuracy.1.as_str())];
    let arrived = step(&service, &zhao, order, "arrival", &fix).await;
    assert_eq!(arrived.status, StatusCode::SEE_OTHER, "{}", arrived.body);
    let number = step(&service, &zhao, order, "telephone", &[]).await;
    assert!(number.body.contains(&format!("tel:{OWN}")), "at the door the number is there");

    let path = format!("/carer/visits/{order}/photos");
    let sent = multipart(&service, &zhao, &path, &[("client_key", "p-1")], &[PIXEL]).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let page = service.browse(&zhao, "GET", &format!("/carer/visits/{order}"), &[]).await;
    let picture = page.after("class=\"photo-list\"", "src");
    let picture = service.browse(&zhao, "GET", &picture, &[]).await;
    assert_eq!(picture.status, StatusCode::OK);

    service.later(20);
    let short =
        step(&service, &zhao, order, "departure", &[("tasks", "已按项目要求完成服务"), ("said", "还行")])
            .await;
    assert_eq!(short.status, StatusCode::CONFLICT);
    assert!(short.body.contains("实际服务 20 分钟，少于该项目最短 40 分钟"), "{}", short.body);
    assert!(
        short.body.contains("checked>已按项目要求完成服务") && short.body.contains(r#"value="还行""#),
        "what was ticked stays"
    );
    service.later(30);
    let left =
        step(&service, &zhao, order, "departure", &[("tasks", "已按项目要求完成服务"), ("satisfied", "yes")])
            .await;
    assert_eq!(left.status, StatusCode::SEE_OTHER, "{}", left.body);
    assert_eq!(state(&service, &town), OrderState::Confirmed);

    let pay = service.browse(&zhao, "GET", "/carer/pay", &[]).await;
    assert!(pay.body.contains("2026-11 上门 1 次") && pay.body.contains("50 分钟"), "{}", pay.body);
    assert!(!pay.body.contains('¥'), "what is paid is between carer and provider");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_made_in_a_cellar_counts_when_it_was_made_and_once() {
    let service = Service::new();
    let town = town(&service);
    let zhao = phone(&service, &town, "zhao.hong");
    let order = place(&service, &town, "A05", "2026-11-21T09:10");
    step(&service, &zhao, order, "acceptance", &[]).await;
    service.later(300);
    let path = |what: &str| format!("/carer/visits/{order}/{what}");
    let arrive = [("client_key", "k-1"), ("device_time", "2026-11-21T01:12:00.000Z"), ("device_seq", "1")];
    for _ in 0..2 {
        let sent = multipart(&service, &zhao, &path("arrival"), &arrive, &[]).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "sent twice is answered twice alike: {}", sent.body);
    }
    let other = multipart(&service, &zhao, &path("departure"), &arrive, &[]).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND, "one key is one step");
    let leave = [
        ("client_key", "k-2"),
        ("device_time", "2026-11-21T02:15:00.000Z"),
        ("satisfied", "no"),
        ("said", "来晚了"),
    ];
    let sent = multipart(&service, &zhao, &path("departure"), &leave, &[]).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let line = &orders_of(&service, town.wang)[0];
    assert_eq!(
        (line.checked_in_at.unwrap().clock(), line.checked_out_at.unwrap().clock()),
        ("09:12".into(), "10:15".into())
    );
    assert_eq!(line.state, OrderState::Disputed);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_in_words() {
    let service = Service::new();
    let town = town(&service);
    let zhao = phone(&service, &town, "zhao.hong");
    let order = place(&service, &town, "A05", "2026-11-21T14:00");
    let path = |what: &str| format!("/carer/visits/{order}/{what}");

    let unsaid = step(&service, &zhao, order, "refusal", &[("reason", " ")]).await;
    assert!(unsaid.status.is_client_error() && unsaid.body.contains("请填写退单原因"), "{}", unsaid.body);
    let before = step(&service, &zhao, order, "arrival", &[]).await;
    assert_eq!(before.status, StatusCode::CONFLICT, "an offer is accepted first");
    step(&service, &zhao, order, "acceptance", &[]).await;
    let early = multipart(&service, &zhao, &path("arrival"), &[("client_key", "k")], &[]).await;
    assert!(early.status.is_client_error() && early.body.contains("还没到约定时间"), "{}", early.body);
    assert!(early.body.starts_with('{'), "a script gets the sentence, not a page");

    service.later(300);
    let far = [("lng", "114.40"), ("lat", "34.80"), ("accuracy", "10")];
    let far = step(&service, &zhao, order, "arrival", &far).await;
    assert!(far.body.contains("离老人住处") && far.body.contains("请到门口再签到"), "{}", far.body);
    let old = [("device_time", "2026-11-20T01:00:00Z")];
    assert!(step(&service, &zhao, order, "arrival", &old).await.body.contains("超过 24 小时"));
    let ahead = [("device_time", "2026-11-21T12:00:00Z")];
    assert!(step(&service, &zhao, order, "arrival", &ahead).await.body.contains("请校准手机时间"));
    let picture = multipart(&service, &zhao, &path("photos"), &[], &[PIXEL]).await;
    assert_eq!(picture.status, StatusCode::CONFLICT, "no photographs before the visit");
    step(&service, &zhao, order, "arrival", &[]).await;
    assert_eq!(state(&service, &town), OrderState::InService);
    let text = multipart(&service, &zhao, &path("photos"), &[], &[b"<svg onload=alert(1)>"]).await;
    assert!(text.status.is_client_error() && text.body.contains("有效的照片"), "{}", text.body);
    let none = multipart(&service, &zhao, &path("photos"), &[], &[b""]).await;
    assert!(none.status.is_client_error() && none.body.contains("要上传的照片"));
    let large = vec![0; 25 * 1024 * 1024];
    let large = multipart(&service, &zhao, &path("photos"), &[], &[&large]).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    let form = vec![0; 2 * 1024 * 1024];
    let form = multipart(&service, &zhao, &path("departure"), &[], &[&form]).await;
    assert_eq!(form.status, StatusCode::PAYLOAD_TOO_LARGE, "only photographs may be large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_door_is_entered_after_waiting_a_picture_and_two_calls() {
    let service = Service::new();
    let town = town(&service);
    let zhao = phone(&service, &town, "zhao.hong");
    let order = place(&service, &town, "A05", "2026-11-21T09:10");
    step(&service, &zhao, order, "acceptance", &[]).await;
    let [lng, lat, accuracy] = at_home();
    let fix = [(lng.0, lng.1.as_str()), (lat.0, lat.1.as_str()), (accuracy.0, accuracy.1.as_str())];
    let rang = [("rang_elder", "yes"), ("rang_contact", "yes"), ("note", "邻居说去了女儿家")];
    let before = step(&service, &zhao, order, "empty-visit", &rang).await;
    assert_eq!(before.status, StatusCode::CONFLICT, "nobody was at the door yet");
    step(&service, &zhao, order, "arrival", &fix).await;
    let page = service.browse(&zhao, "GET", &format!("/carer/visits/{order}"), &[]).await;
    for word in ["没有人开门", "登记空访", "中断服务", "老人身体不适"] {
        assert!(page.body.contains(word), "{word}");
    }
    let early = step(&service, &zhao, order, "empty-visit", &rang).await;
    assert!(early.body.contains("请再等 15 分钟"), "{}", early.body);
    service.later(16);
    let unseen = step(&service, &zhao, order, "empty-visit", &rang).await;
    assert!(unseen.body.contains("门口的照片"), "{}", unseen.body);
    let path = format!("/carer/visits/{order}/photos");
    multipart(&service, &zhao, &path, &[("client_key", "door-1")], &[PIXEL]).await;
    let silent = step(&service, &zhao, order, "empty-visit", &[]).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
    let told = step(&service, &zhao, order, "empty-visit", &rang).await;
    assert_eq!(told.status, StatusCode::SEE_OTHER, "{}", told.body);
    assert_eq!(state(&service, &town), OrderState::NobodyHome);
    let page = service.browse(&zhao, "GET", &format!("/carer/visits/{order}"), &[]).await;
    assert!(page.body.contains("空访") && page.body.contains("邻居说去了女儿家"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_breaks_off_with_a_reason_and_words() {
    let service = Service::new();
    let town = town(&service);
    let zhao = phone(&service, &town, "zhao.hong");
    let order = place(&service, &town, "A05", "2026-11-21T09:10");
    step(&service, &zhao, order, "acceptance", &[]).await;
    let [lng, lat, accuracy] = at_home();
    let fix = [(lng.0, lng.1.as_str()), (lat.0, lat.1.as_str()), (accuracy.0, accuracy.1.as_str())];
    step(&service, &zhao, order, "arrival", &fix).await;
    service.later(20);
    let without = step(&service, &zhao, order, "interruption", &[("note", "头晕")]).await;
    assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY, "a reason is chosen");
    let wordless = step(&service, &zhao, order, "interruption", &[("why", "illness")]).await;
    assert!(wordless.body.contains("中断的经过"), "{}", wordless.body);
    let form = [("why", "illness"), ("note", "头晕，已告知女儿")];
    let told = step(&service, &zhao, order, "interruption", &form).await;
    assert_eq!(told.status, StatusCode::SEE_OTHER, "{}", told.body);
    assert_eq!(state(&service, &town), OrderState::Interrupted);
    let again = step(&service, &zhao, order, "departure", &[]).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "what broke off is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_elses_visit_is_there() {
    let service = Service::new();
    let mut town = town(&service);
    let zhao = phone(&service, &town, "zhao.hong");
    let order = place(&service, &town, "A05", "2026-11-21T09:10");
    let other = town::colleague(&service, &town);
    town.carer = other;
    let qian = phone(&service, &town, "qian.hua");
    assert_eq!(
        service.browse(&qian, "GET", &format!("/carer/visits/{order}"), &[]).await.status,
        StatusCode::NOT_FOUND
    );
    assert!(!service.browse(&qian, "GET", "/carer", &[]).await.body.contains("王秀英"));
    for what in ["acceptance", "refusal", "arrival", "departure", "telephone", "photos"] {
        let form = [("reason", "不想去")];
        assert!(step(&service, &qian, order, what, &form).await.status.is_client_error(), "{what}");
    }
    assert_eq!(state(&service, &town), OrderState::Offered);
    let given_back = step(&service, &zhao, order, "refusal", &[("reason", "身体不适")]).await;
    assert_eq!(given_back.location.as_deref(), Some("/carer"));
    assert_eq!(state(&service, &town), OrderState::Placed);
    let _ = elder(&service, "李桂芳", "13700001111", "13700002222");
    let hotline = town::operator(&service, "liu.min");
    assert_eq!(service.browse(&hotline, "GET", "/carer", &[]).await.status, StatusCode::FORBIDDEN);
    let worker = service.browse(&Visitor::default(), "GET", "/sw.js", &[]).await;
    assert!(worker.status == StatusCode::OK && worker.body.contains("/carer"));
}
