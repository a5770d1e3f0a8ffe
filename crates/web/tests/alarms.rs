//! The alarm desk through the whole router: what rings, who takes it, what is typed, how it ends, who looks again.

mod support;
mod town;

use app::signals::incidents::{self, Opening};
use axum::http::StatusCode;
use domain::{
    access::Role,
    ids::{IncidentId, PersonId},
    regions::RegionCode,
    signals::incident::{IncidentKind, Level},
};

use support::{Seen, Service, Visitor, post, region};
use town::{COUNTY, OWN, Town, VILLAGE, operator, ring, town};

/// Something happened to somebody.
fn alarm(service: &Service, person: Option<PersonId>, kind: IncidentKind, key: &str) -> IncidentId {
    let now = service.now();
    let opening = Opening {
        kind,
        level: kind.level(),
        person,
        device: None,
        region: RegionCode::parse(VILLAGE).unwrap(),
        pressed_at: Some(now.0.plus_minutes(-180)),
        received_at: now.0,
        verified: false,
        text: "卧室呼叫器按下".into(),
        key: key.into(),
    };
    service.bed.store.write(move |tx| incidents::open(tx, &opening, now)).unwrap().id
}

fn desk() -> (Service, Town, Visitor, IncidentId) {
    let service = Service::new();
    let town = town(&service);
    let liu = operator(&service, "liu.min");
    let id = alarm(&service, Some(town.wang), IncidentKind::Sos, "sos-1");
    (service, town, liu, id)
}

async fn get(service: &Service, who: &Visitor, path: &str) -> Seen {
    service.browse(who, "GET", path, &[]).await
}

async fn step(service: &Service, who: &Visitor, id: IncidentId, what: &str, form: &[(&str, &str)]) -> Seen {
    service.browse(who, "POST", &format!("/hotline/alarms/{id}/{what}"), form).await
}

fn leader(service: &Service, name: &str) -> Visitor {
    service.signed_in(name, post(Role::Supervisor, region(COUNTY)))
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
async fn what_endangers_a_life_stands_above_the_telephone() {
    let (service, _, liu, id) = desk();
    ring(&service, "c-1", OWN);
    alarm(&service, None, IncidentKind::DeviceFault, "fault-1");
    let seen = get(&service, &liu, "/hotline").await;
    assert_eq!(seen.status, StatusCode::OK);
    let at = |what: &str| seen.body.find(what).unwrap_or_else(|| panic!("no {what} in {}", seen.body));
    assert!(at("紧急呼叫") < at("138****1234"), "the press stands above the call");
    assert!(at("138****1234") < at("设备故障或离线"), "a broken device stands below");
    let row = &seen.body[at(&format!("/hotline/alarms/{id}"))..];
    assert!(row.contains("data-rings=\"p1\"") && row.contains("王** 83 岁"), "{row}");
    for word in ["王秀英", "83", "听力差", "方言", "3 号楼 2 单元 101", "未核实", "迟到 3 小时", "女儿 刘芳"]
    {
        assert!(seen.body.contains(word), "the middle says {word}");
    }
    assert!(!seen.body.contains(r#"name="text""#), "nobody works at it yet");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_by_keyboard_from_the_ring_to_the_second_look() {
    let (service, _, liu, id) = desk();
    let taken = step(&service, &liu, id, "acknowledgement", &[]).await;
    assert_eq!(taken.location.as_deref(), Some(format!("/hotline/alarms/{id}").as_str()));
    let typed = [("line", "跌倒 conscious dispatch 邻居 120"), ("text", "左髋疼，门反锁")];
    let done = step(&service, &liu, id, "acts", &typed).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let page = get(&service, &liu, &format!("/hotline/alarms/{id}")).await;
    for word in
        ["出了什么事：跌倒；意识：清醒", "联系邻居或钥匙保管人", "联系120 急救", "左髋疼，门反锁</textarea>"]
    {
        assert!(page.body.contains(word), "{word} in {}", page.body);
    }

    let back = get(&service, &liu, "/hotline").await;
    assert_eq!(
        back.location.as_deref(),
        Some(format!("/hotline/alarms/{id}").as_str()),
        "the desk comes back to it"
    );
    let closing = get(&service, &liu, &format!("/hotline/alarms/{id}?closing=1")).await;
    assert!(closing.body.contains("女儿 刘芳") && closing.body.contains("现在谁和老人在一起"));
    for (outcome, with, text, said) in [
        ("", "女儿", "好了", "请填写结案结果"),
        ("real_helped", " ", "好了", "请填写现在谁和老人在一起"),
        ("real_helped", "女儿", "", "请填写处置情况"),
        ("cannot_reach", "无", "好了", "只能由班长结案"),
    ] {
        let form = [("outcome", outcome), ("with_elder", with), ("text", text)];
        let refused = step(&service, &liu, id, "closure", &form).await;
        assert!(refused.status.is_client_error() && refused.body.contains(said), "{said}: {}", refused.body);
        assert!(refused.body.contains(&format!("{text}</textarea>")), "what was typed stays");
    }
    let form = [("outcome", "real_helped"), ("with_elder", "女儿 刘芳"), ("text", "邻居开门，扶起")];
    let ended = step(&service, &liu, id, "closure", &form).await;
    assert_eq!(told(&ended), "警情已结案：属实，已救助，等待另一人复看\n");

    let own = get(&service, &liu, &format!("/hotline/alarms/{id}")).await;
    assert!(own.body.contains("等待另一人复看") && !own.body.contains("同意结案"));
    assert_eq!(step(&service, &liu, id, "takeover", &[("text", "x")]).await.status, StatusCode::FORBIDDEN);
    let boss = leader(&service, "lin.hui");
    assert!(get(&service, &boss, "/hotline").await.body.contains("待我复看"));
    let agreed = service.browse(&boss, "POST", &format!("/alarms/{id}/review"), &[("text", "")]).await;
    assert_eq!(told(&agreed), "复看通过，已记录\n");
    let again = service.browse(&boss, "POST", &format!("/alarms/{id}/review"), &[]).await;
    assert!(told(&again).contains("不需要复核"));
    let record = get(&service, &boss, &format!("/alarms/{id}")).await;
    for word in ["邻居开门，扶起", "结案：属实，已救助，现在和老人在一起的是女儿 刘芳", "复核通过", "证据链"]
    {
        assert!(record.body.contains(word), "{word} in {}", record.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_slower_operator_reads_who_has_it() {
    let (service, _, liu, id) = desk();
    let he = operator(&service, "he.jing");
    step(&service, &liu, id, "acknowledgement", &[]).await;
    let late = step(&service, &he, id, "acknowledgement", &[]).await;
    assert!(told(&late).starts_with("这起警情已由刘敏接手"), "{}", told(&late));
    let page = get(&service, &he, &format!("/hotline/alarms/{id}")).await;
    assert!(page.body.contains("<b>刘敏</b> 处置") && !page.body.contains(r#"id="work""#));
    let refused = step(&service, &he, id, "acts", &[("line", "hold")]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.body.contains("由刘敏负责"));
    let boss = leader(&service, "lin.hui");
    assert!(step(&service, &boss, id, "takeover", &[("text", "")]).await.body.contains("请填写改派原因"));
    step(&service, &boss, id, "takeover", &[("text", "刘敏接 120 电话")]).await;
    let lost = get(&service, &liu, &format!("/hotline/alarms/{id}/progress?working=1")).await;
    assert!(lost.body.contains("这起警情已由") && lost.body.contains("写的内容已保存"), "{}", lost.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_is_kept_and_a_line_is_done_wholly_or_not_at_all() {
    let (service, _, liu, id) = desk();
    step(&service, &liu, id, "acknowledgement", &[]).await;
    let kept = step(&service, &liu, id, "draft", &[("text", "洗澡时滑倒")]).await;
    assert_eq!(kept.status, StatusCode::SEE_OTHER, "without scripts one comes back to the incident");
    let path = format!("/hotline/alarms/{id}");
    assert!(get(&service, &liu, &path).await.body.contains("洗澡时滑倒</textarea>"));
    let refused = step(&service, &liu, id, "acts", &[("line", "家属 胡说"), ("text", "洗澡时滑倒")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("不认识“胡说”") && refused.body.contains("家属 胡说"));
    let page = get(&service, &liu, &path).await;
    assert!(!page.body.contains("联系家属"), "nothing of the line was done");
    step(&service, &liu, id, "note", &[("text", "洗澡时滑倒")]).await;
    let page = get(&service, &liu, &path).await;
    assert!(page.body.contains("<p>洗澡时滑倒</p>") && !page.body.contains("洗澡时滑倒</textarea>"));
    let one_line = [("line", "close 误按 女儿在家"), ("text", "误碰，已安抚")];
    let ended = step(&service, &liu, id, "acts", &one_line).await;
    assert_eq!(told(&ended), "警情已结案\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_with_incidents_in_hand_is_told_and_they_ring_again() {
    let (service, _, liu, id) = desk();
    step(&service, &liu, id, "acknowledgement", &[]).await;
    step(&service, &liu, id, "draft", &[("text", "说到一半")]).await;
    let asked = service.browse(&liu, "POST", "/sign-out", &[]).await;
    assert!(asked.body.contains("交还全体坐席") && asked.cookies.is_empty(), "{}", asked.body);
    let gone = service.browse(&liu, "POST", "/sign-out?confirmed=1", &[]).await;
    assert_eq!(gone.location.as_deref(), Some("/sign-in"));
    let he = operator(&service, "he.jing");
    let page = get(&service, &he, "/hotline").await;
    assert!(page.body.contains("响铃中，等人接手") && page.body.contains("说到一半"), "{}", page.body);
    assert!(page.body.contains(&format!("/hotline/alarms/{id}/acknowledgement")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_on_the_telephone_is_one_key() {
    let service = Service::new();
    town(&service);
    let liu = operator(&service, "liu.min");
    let call = ring(&service, "c-1", OWN);
    service.browse(&liu, "POST", &format!("/hotline/calls/{call}/answer"), &[]).await;
    let form = [("call", call.to_string())];
    let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let opened = service.browse(&liu, "POST", "/hotline/emergency", &form).await;
    let there = opened.location.expect("it goes to the incident");
    let page = get(&service, &liu, &there).await;
    assert!(
        page.body.contains("来电求助") && page.body.contains("王秀英") && page.body.contains(r#"id="work""#)
    );
    let twice = service.browse(&liu, "POST", "/hotline/emergency", &form).await;
    assert_eq!(twice.location.as_deref(), Some(there.as_str()), "one call is one incident");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_narrowed_by_its_address() {
    let (service, town, liu, id) = desk();
    let fault = alarm(&service, None, IncidentKind::DeviceFault, "fault-1");
    let all = get(&service, &liu, "/alarms").await;
    assert!(
        all.body.contains(&format!("/alarms/{id}\"")) && all.body.contains(&format!("/alarms/{fault}\""))
    );
    assert!(all.body.contains("王**") && !all.body.contains("王秀英"), "names are masked in lists");
    for (query, holds) in [
        ("level=P1", true),
        ("level=P4", false),
        ("state=open&kind=sos", true),
        ("state=closed", false),
        ("state=review", false),
        ("from=2026-11-22", false),
        ("from=2026-11-21&to=2026-11-21", true),
    ] {
        let seen = get(&service, &liu, &format!("/alarms?{query}")).await;
        assert_eq!(seen.body.contains(&format!("/alarms/{id}\"")), holds, "{query}");
    }
    let none = get(&service, &liu, "/alarms?state=closed").await;
    assert!(none.body.contains("没有符合条件的警情"));
    let one = get(&service, &liu, &format!("/alarms?person={}", town.wang)).await;
    assert!(one.body.contains("去掉条件"));
    let paper = get(&service, &liu, "/alarms?level=P1&print=1").await;
    assert!(paper.body.contains("data-print") && !paper.body.contains("class=\"filters\""));
    let elsewhere = service.signed_in("far.away", post(Role::Agent, region("410203")));
    assert!(get(&service, &elsewhere, "/alarms").await.body.contains("还没有警情"));
    assert_eq!(get(&service, &elsewhere, &format!("/alarms/{id}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(Level::P1.code(), "P1");
}

#[tokio::test(flavor = "multi_thread")]
async fn answer_times_open_the_rows_behind_them() {
    let (service, _, liu, slow) = desk();
    service.later(2);
    step(&service, &liu, slow, "acknowledgement", &[]).await;
    let form = [("outcome", "false_press"), ("with_elder", "女儿"), ("text", "误碰")];
    step(&service, &liu, slow, "closure", &form).await;
    let fast = alarm(&service, None, IncidentKind::Smoke, "smoke-1");
    step(&service, &liu, fast, "acknowledgement", &[]).await;
    service.later(1);
    let seen = get(&service, &liu, "/alarms/figures").await;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
    for word in ["50.0%", "未达标", "GB/T 33358", "NENA", "TSA", "100.0%", "烟雾报警", "最差的一小时"]
    {
        assert!(seen.body.contains(word), "{word} in {}", seen.body);
    }
    let rows = get(&service, &liu, "/alarms?from=2026-11-21&to=2026-11-21&slower=60").await;
    assert!(
        rows.body.contains(&format!("/alarms/{slow}\"")) && !rows.body.contains(&format!("/alarms/{fast}\""))
    );
    assert!(rows.body.contains("60 秒内没有接手"));
    let wrong = get(&service, &liu, "/alarms?outcome=false").await;
    assert!(
        wrong.body.contains(&format!("/alarms/{slow}\""))
            && !wrong.body.contains(&format!("/alarms/{fast}\""))
    );
    let real = get(&service, &liu, "/alarms?outcome=real").await;
    assert!(real.body.contains("没有符合条件的警情"));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_the_desk_asks_whom_it_missed() {
    let (service, _, liu, _) = desk();
    assert!(!get(&service, &liu, "/hotline").await.body.contains("看看漏了谁"));
    assert!(get(&service, &liu, "/alarms/missed").await.body.contains("最近七天没有中断"));
    let first = service.now();
    let store = &service.bed.store;
    store.write(move |tx| incidents::begin_window(tx, first)).unwrap();
    service.later(30);
    ring(&service, "c-9", OWN);
    service.later(1);
    let second = service.now();
    store.write(move |tx| incidents::begin_window(tx, second)).unwrap();
    assert!(get(&service, &liu, "/hotline").await.body.contains("看看漏了谁"));
    let missed = get(&service, &liu, "/alarms/missed").await;
    assert!(missed.body.contains("系统中断") && missed.body.contains("138****1234"), "{}", missed.body);
    service.later(25 * 60);
    assert!(!get(&service, &liu, "/hotline").await.body.contains("看看漏了谁"), "a day later it is no news");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_calls_the_family_opens_the_number_without_a_question() {
    let (service, town, liu, id) = desk();
    step(&service, &liu, id, "acknowledgement", &[]).await;
    let person = town.wang;
    let actor = support::actor(Role::Agent, region(COUNTY));
    let store = service.bed.store.clone();
    let contacts = store.read(move |tx| app::parties::people::contacts(tx, &actor, person)).unwrap();
    let eye = format!("/people/{person}/reveal/contact_phone?contact={}", contacts[0].id);
    let open = async || {
        let request = axum::http::Request::builder()
            .method("POST")
            .uri(&eye)
            .header("host", "xiyang.test")
            .header("hx-request", "true")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", liu.cookie.clone().unwrap());
        service.send(request.body(axum::body::Body::empty()).unwrap()).await
    };
    assert_eq!(open().await.status, StatusCode::PRECONDITION_REQUIRED, "a reason is asked for");
    step(&service, &liu, id, "acts", &[("word", "family")]).await;
    let opened = open().await;
    assert_eq!((opened.status, opened.body.as_str()), (StatusCode::OK, town::DAUGHTER));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_sent_to_the_door_reads_it_on_the_telephone_and_the_desk_reads_the_answer() {
    let (service, _, liu, id) = desk();
    let near = service.signed_in("li.juan", post(Role::CommunityWorker, region(VILLAGE)));
    step(&service, &liu, id, "acknowledgement", &[]).await;
    let page = get(&service, &liu, &format!("/hotline/alarms/{id}")).await;
    assert!(
        page.body.contains("负责本村（社区），在线"),
        "who could go stands there with the reason: {}",
        page.body
    );
    let (_, map) =
        page.body.split_once("<svg class=\"map\"").unwrap_or_else(|| panic!("no map: {}", page.body));
    assert!(map.contains("<title>开封康宁居家养老服务有限公司 450 米<"), "{map}");
    let wrong = step(&service, &liu, id, "acts", &[("line", "派人 张三"), ("text", "半句")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("能派的人里没有“张三”") && wrong.body.contains("半句</textarea>"));
    let sent = step(&service, &liu, id, "acts", &[("line", "派人"), ("text", "半句")]).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let page = get(&service, &liu, &format!("/hotline/alarms/{id}")).await;
    for word in ["派出的人", "已通知，等答复", "代记：去", "半句</textarea>"] {
        assert!(page.body.contains(word), "{word} in {}", page.body);
    }

    // Whoever was sent finds it above their other work.
    let list = get(&service, &near, "/duties").await;
    assert!(list.body.contains("请马上去敲门") && list.body.contains("王秀英"), "{}", list.body);
    let href = format!("/errands/{}", list.after("请马上去敲门", "href").trim_start_matches("/errands/"));
    let errand = get(&service, &near, &href).await;
    for word in ["王秀英", "听力差", "3 号楼 2 单元 101", "卧室呼叫器按下", "我去", "去不了"]
    {
        assert!(errand.body.contains(word), "{word} in {}", errand.body);
    }
    let stranger = service.signed_in("zhang.san", post(Role::CommunityWorker, region(VILLAGE)));
    assert_eq!(get(&service, &stranger, &href).await.status, StatusCode::NOT_FOUND);
    let neither = service.browse(&near, "POST", &format!("{href}/answer"), &[]).await;
    assert_eq!(neither.status, StatusCode::BAD_REQUEST);
    assert!(!errand.body.contains("2580#"), "who has not said they go needs no code");
    let part = get(&service, &near, &format!("{href}?part=body")).await;
    assert!(part.body.contains("我去") && !part.body.contains("<html"), "all but the frame follows the news");
    service.browse(&near, "POST", &format!("{href}/answer"), &[("coming", "yes")]).await;
    assert!(get(&service, &near, &href).await.body.contains("2580#"), "who goes can get in");
    let progress = get(&service, &liu, &format!("/hotline/alarms/{id}/errands")).await;
    assert!(progress.body.contains("已答应，在路上") && progress.body.contains("还剩"), "{}", progress.body);
    // A telephone that got no answer sends the same step again, and later steps after it.
    let kept = [("client_key", "stairwell-1"), ("device_time", "2026-11-21T09:00:30+08:00")];
    for _ in 0..2 {
        let there = service.browse(&near, "POST", &format!("{href}/arrival"), &kept).await;
        assert_eq!(there.status, StatusCode::SEE_OTHER);
    }
    let other = service.browse(&near, "POST", &format!("{href}/answer"), &[("coming", "no"), kept[0]]).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND, "a key stands for one step");
    let nothing = service.browse(&near, "POST", &format!("{href}/finding"), &[("note", "门虚掩")]).await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(nothing.body.contains("请选择看到的情况") && nothing.body.contains("门虚掩</textarea>"));
    let form = [("finding", "nobody_home"), ("note", "敲了五分钟")];
    let found = service.browse(&near, "POST", &format!("{href}/finding"), &form).await;
    assert_eq!((found.status, found.location.as_deref()), (StatusCode::SEE_OTHER, Some("/duties")));
    let page = get(&service, &liu, &format!("/hotline/alarms/{id}")).await;
    for word in ["敲门没人应：敲了五分钟", "问邻居和钥匙保管人", "已有结果"] {
        assert!(page.body.contains(word), "{word} in {}", page.body);
    }
    let record = get(&service, &liu, &format!("/alarms/{id}")).await;
    assert!(record.body.contains("刘敏：敲门没人应。敲了五分钟"), "{}", record.body);
    assert!(!get(&service, &near, "/duties").await.body.contains("请马上去敲门"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doors_code_is_for_whoever_has_the_incident_while_it_is_open_and_is_logged() {
    let (service, town, liu, id) = desk();
    let (he, path) = (operator(&service, "he.jing"), format!("/hotline/alarms/{id}"));
    let ringing = get(&service, &liu, &path).await;
    assert!(ringing.body.contains("门码已登记") && !ringing.body.contains("2580#"), "{}", ringing.body);
    let sheet = format!("/people/{}", town.wang);
    let record = || get(&service, &liu, &sheet);
    assert!(!record().await.body.contains("处置警情"));
    step(&service, &liu, id, "acknowledgement", &[]).await;
    let mine = get(&service, &liu, &path).await;
    assert!(mine.body.contains("2580#") && mine.body.contains("最近的服务站"), "{}", mine.body);
    assert!(mine.body.contains("康宁居家养老服务有限公司"), "with how far it is");
    assert!(!get(&service, &he, &path).await.body.contains("2580#"), "a colleague who only looks");
    assert!(record().await.body.contains(&format!("处置警情 {id}")), "the elder can read who looked and why");
    let form = [("outcome", "false_press"), ("with_elder", "女儿"), ("text", "误按")];
    step(&service, &liu, id, "closure", &form).await;
    assert!(!get(&service, &liu, &path).await.body.contains("2580#"), "nor after it is over");
}
