//! The hotline desk through the whole router: two operators, unknown callers, orders by one line, outcomes.

mod support;
mod town;

use axum::http::StatusCode;
use domain::{access::Role, ids::CallId, orders::OrderState};

use support::{Seen, Service, Visitor, post, region};
use town::{COUNTY, DAUGHTER, OWN, elder, operator, orders_of, ring, town};

async fn get(service: &Service, who: &Visitor, path: &str) -> Seen {
    service.browse(who, "GET", path, &[]).await
}

async fn step(service: &Service, who: &Visitor, call: CallId, what: &str, form: &[(&str, &str)]) -> Seen {
    service.browse(who, "POST", &format!("/hotline/calls/{call}/{what}"), form).await
}

/// The flash a redirect carries, in words.
fn told(seen: &Seen) -> String {
    use base64::Engine as _;
    let cookie =
        seen.cookies.iter().find_map(|c| c.strip_prefix("xiyang_flash=")).expect("something is told");
    let value = cookie.split(';').next().unwrap();
    String::from_utf8(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(value).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_becomes_an_order() {
    let service = Service::new();
    let (town, liu) = (town(&service), operator(&service, "liu.min"));
    let call = ring(&service, "c-1", OWN);
    service.later(0);

    let desk = get(&service, &liu, "/hotline").await;
    assert_eq!(desk.status, StatusCode::OK);
    assert!(
        desk.body.contains("王秀英") && desk.body.contains("响铃中"),
        "known by the number: {}",
        desk.body
    );
    assert!(desk.body.contains("138****1234") && !desk.body.contains(OWN), "the number is masked");

    let answered = step(&service, &liu, call, "answer", &[]).await;
    assert_eq!(answered.location.as_deref(), Some(format!("/hotline/calls/{call}").as_str()));
    let talk = get(&service, &liu, &format!("/hotline/calls/{call}")).await;
    for word in
        ["83", "听力差", "方言", "3 号楼 2 单元 101", "本人", "女儿 刘芳", "139****5678", "没有补贴额度"]
    {
        assert!(talk.body.contains(word), "{word} is on the desk: {}", talk.body);
    }
    assert!(!talk.body.contains(DAUGHTER));

    let quoted = get(
        &service,
        &liu,
        &format!("/hotline/calls/{call}?line=xf%20明天9点").replace("明天9点", &web::encode("明天9点")),
    )
    .await;
    assert!(
        quoted.body.contains("没有“xf”") || quoted.body.contains("有几种服务"),
        "洗发 is no item: {}",
        quoted.body
    );
    let line = web::encode("擦浴 明天9点");
    let quoted = get(&service, &liu, &format!("/hotline/calls/{call}?line={line}")).await;
    assert!(quoted.body.contains("明天 09:00 – 10:00") && quoted.body.contains("¥85.00"), "{}", quoted.body);
    assert!(orders_of(&service, town.wang).is_empty(), "asking what it costs places nothing");

    let fields = [
        ("line", "擦浴 明天9点"),
        ("service", "A05"),
        ("start", &quoted.after(r#"name="start""#, "value")),
        ("minutes", "60"),
        ("note", "带围裙"),
    ];
    let refused = step(&service, &liu, call, "order", &fields).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.body.contains("需自付 ¥85.00"), "without the elder's word nothing is placed");
    assert!(refused.body.contains("擦浴 明天9点") && refused.body.contains("带围裙"), "what was typed stays");

    let mut agreed = fields.to_vec();
    agreed.push(("agreed", "yes"));
    let placed = step(&service, &liu, call, "order", &agreed).await;
    assert_eq!(placed.status, StatusCode::SEE_OTHER, "{}", placed.body);
    assert!(told(&placed).starts_with("已下单"));
    let orders = orders_of(&service, town.wang);
    assert_eq!((orders.len(), orders[0].call, orders[0].note.as_str()), (1, Some(call), "带围裙"));

    let twice = step(&service, &liu, call, "order", &agreed).await;
    assert_eq!(twice.status, StatusCode::CONFLICT);
    assert!(twice.body.contains("请勿重复下单"));

    let ended = step(&service, &liu, call, "outcome", &[("outcome", "ordered"), ("text", "女儿陪同")]).await;
    assert_eq!(told(&ended), "来电已办结：已下单\n");
    let list =
        get(&service, &liu, &format!("/calls?outcome=ordered&day=2026-11-21&person={}", town.wang)).await;
    assert!(list.body.contains("女儿陪同") && list.body.contains("00:00"), "{}", list.body);
    let other = get(&service, &liu, "/calls?outcome=wrong").await;
    assert!(other.body.contains("这些条件下没有来电"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_slower_operator_is_told_who_has_the_call() {
    let service = Service::new();
    town(&service);
    let (liu, he) = (operator(&service, "liu.min"), operator(&service, "he.jing"));
    let call = ring(&service, "c-1", OWN);
    assert_eq!(ring(&service, "c-1", OWN), call, "a call reported twice is one call");
    step(&service, &liu, call, "answer", &[]).await;
    let late = step(&service, &he, call, "answer", &[]).await;
    assert_eq!(late.location.as_deref(), Some("/hotline"));
    assert!(told(&late).starts_with("这通电话已由刘敏接听"));
    let looked = get(&service, &he, &format!("/hotline/calls/{call}")).await;
    assert!(
        looked.body.contains("这通电话由") && !looked.body.contains(r#"name="text""#),
        "nothing to type into"
    );
    let again = step(&service, &liu, call, "answer", &[]).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER, "pressed twice is answered once");
    let meddled = step(&service, &he, call, "outcome", &[("outcome", "answered")]).await;
    assert_eq!(meddled.status, StatusCode::CONFLICT);
    assert!(meddled.body.contains("请先接手"), "{}", meddled.body);
    let over = step(&service, &he, call, "takeover", &[]).await;
    assert!(told(&over).starts_with("已接手"), "{}", told(&over));
    let mine = get(&service, &he, &format!("/hotline/calls/{call}")).await;
    assert!(mine.body.contains(r#"name="text""#), "whoever took it over writes on");
    let late = step(&service, &liu, call, "note", &[("text", "还在写")]).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_are_kept_as_they_are_typed_until_the_call_is_over() {
    let service = Service::new();
    town(&service);
    let liu = operator(&service, "liu.min");
    let call = ring(&service, "c-1", OWN);
    step(&service, &liu, call, "answer", &[]).await;
    let saved = step(&service, &liu, call, "note", &[("text", "想改到下午")]).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "a page without script comes back to the call");
    let page = get(&service, &liu, &format!("/hotline/calls/{call}")).await;
    assert!(page.body.contains("想改到下午</textarea>"));
    let bad = step(&service, &liu, call, "outcome", &[("text", "还没选结果")]).await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(bad.body.contains("请选择办结结果") && bad.body.contains("还没选结果</textarea>"));
    step(&service, &liu, call, "outcome", &[("outcome", "answered"), ("text", "已解答")]).await;
    let late = step(&service, &liu, call, "note", &[("text", "之后")]).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "an ended call takes no more notes");
    let twice = step(&service, &liu, call, "outcome", &[("outcome", "wrong")]).await;
    assert_eq!(twice.status, StatusCode::CONFLICT);
    assert!(twice.body.contains("这通电话已经结束"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_calls_is_chosen_or_looked_up() {
    let service = Service::new();
    town(&service);
    let li = elder(&service, "李桂芳", "13700001111", DAUGHTER);
    let liu = operator(&service, "liu.min");
    let call = ring(&service, "c-1", DAUGHTER);
    step(&service, &liu, call, "answer", &[]).await;
    let page = get(&service, &liu, &format!("/hotline/calls/{call}")).await;
    assert!(page.body.contains("请核对姓名") && page.body.contains("王秀英") && page.body.contains("李桂芳"));
    assert!(!page.body.contains(r#"id="cmd""#), "no order before it is known for whom");
    let early =
        step(&service, &liu, call, "order", &[("service", "A05"), ("start", "2026-11-22T09:00")]).await;
    assert!(early.status.is_client_error());
    step(&service, &liu, call, "person", &[("person", &li.to_string())]).await;
    let page = get(&service, &liu, &format!("/hotline/calls/{call}")).await;
    assert!(page.body.contains("李桂芳") && page.body.contains(r#"id="cmd""#));
    let nobody = step(&service, &liu, call, "person", &[("person", "12345")]).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);

    let stranger = ring(&service, "c-2", "");
    step(&service, &liu, stranger, "answer", &[]).await;
    let path = format!("/hotline/calls/{stranger}?who=13700001111");
    let found = get(&service, &liu, &path).await;
    assert!(found.body.contains("未显示号码") && found.body.contains("李桂芳"), "{}", found.body);
    let path = format!("/hotline/calls/{stranger}?who={}", web::encode("欧阳"));
    assert!(get(&service, &liu, &path).await.body.contains("没有找到这样的老人"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_of_another_county_sees_and_does_nothing() {
    let service = Service::new();
    town(&service);
    let liu = operator(&service, "liu.min");
    let other = service.signed_in("sun.tao", post(Role::Agent, region("410203")));
    let carer = service.signed_in("tian.fang", post(Role::Finance, region(COUNTY)));
    let call = ring(&service, "c-1", OWN);
    let desk = get(&service, &other, "/hotline").await;
    assert!(!desk.body.contains("王秀英") && desk.body.contains("没有等待的来电"));
    for what in ["answer", "note", "outcome", "person"] {
        let form = [("text", "x"), ("outcome", "hung_up"), ("person", "1")];
        assert_eq!(step(&service, &other, call, what, &form).await.status, StatusCode::NOT_FOUND, "{what}");
        assert_eq!(step(&service, &carer, call, what, &form).await.status, StatusCode::FORBIDDEN, "{what}");
    }
    let unanswered = step(&service, &liu, call, "outcome", &[("outcome", "answered")]).await;
    assert_eq!(unanswered.status, StatusCode::CONFLICT, "only a hang-up ends a call nobody answered");
    let hung_up = step(&service, &liu, call, "outcome", &[("outcome", "hung_up")]).await;
    assert_eq!(hung_up.status, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_placed_from_the_page_of_a_person_too() {
    let service = Service::new();
    let town = town(&service);
    let street = service.signed_in("wang.min", post(Role::StreetOfficer, region(COUNTY)));
    let wang = town.wang.to_string();
    let line = web::encode("理发 后天下午3点");
    let page = get(&service, &street, &format!("/orders/new?person={wang}&line={line}")).await;
    assert!(page.body.contains("理发") && page.body.contains("¥18.00"), "{}", page.body);
    let start = page.after(r#"name="start""#, "value");
    let fields = [
        ("person", wang.as_str()),
        ("service", "A07"),
        ("start", &start),
        ("minutes", "30"),
        ("agreed", "yes"),
    ];
    let placed = service.browse(&street, "POST", "/orders/new", &fields).await;
    assert_eq!(placed.status, StatusCode::SEE_OTHER, "{}", placed.body);
    let orders = orders_of(&service, town.wang);
    assert_eq!((orders[0].call, orders[0].state), (None, OrderState::Placed));
    assert_eq!(orders[0].start_at.minute(), "2026-11-23 15:00");
    let past = service
        .browse(
            &street,
            "POST",
            "/orders/new",
            &[fields[0], fields[1], ("start", "2026-11-20T09:00"), fields[4]],
        )
        .await;
    assert!(past.status.is_client_error() && past.body.contains("已经过去"));
    assert_eq!(get(&service, &street, "/orders/new?person=77").await.status, StatusCode::NOT_FOUND);
}
