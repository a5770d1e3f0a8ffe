//! The desk of the register as a browser without scripts meets it.

mod support;

use app::{
    parties::accounts::NewPost,
    regions::{self, NewRegion},
    settings,
};
use axum::http::StatusCode;
use domain::{
    access::Role,
    regions::{RegionCode, RegionRange},
};
use support::{Seen, Service, Visitor};

const VILLAGE: &str = "410202001001";

fn code(text: &str) -> RegionCode {
    RegionCode::parse(text).unwrap()
}

/// An office with a clerk of 龙亭区.
fn office() -> (Service, Visitor) {
    let service = Service::new();
    let row = |c: &str, name: &str| NewRegion { code: code(c), name: name.into() };
    let rows = vec![
        row("41", "河南省"),
        row("4102", "开封市"),
        row("410202", "龙亭区"),
        row("410202001", "北道门街道"),
        row(VILLAGE, "理事厅社区"),
        row("410202001002", "豆芽街社区"),
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
    let clerk = clerk_of(&service, "clerk", Role::StreetOfficer, code("410202").range());
    (service, clerk)
}

fn clerk_of(service: &Service, name: &str, role: Role, range: RegionRange) -> Visitor {
    service.signed_in(name, NewPost { role, range, provider: None, carer: None })
}

fn wang() -> Vec<(&'static str, &'static str)> {
    vec![
        ("name", "王秀英"),
        ("id_no", "420299193608150029"),
        ("region", "龙亭区 北道门街道 理事厅社区"),
        ("address", "3 号楼 2 单元 101"),
        ("phone", "13800001234"),
        ("living", "alone"),
        ("hardship_dibao", "1"),
        ("contact_name_1", "王建国"),
        ("contact_relation_1", "儿子"),
        ("contact_phone_1", "13900005678"),
        ("bank_card", "6222020000000000000"),
    ]
}

async fn entered(service: &Service, clerk: &Visitor) -> String {
    let seen = service.browse(clerk, "POST", "/people", &wang()).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.body);
    seen.location.unwrap()
}

async fn get(service: &Service, who: &Visitor, path: &str) -> Seen {
    let seen = service.browse(who, "GET", path, &[]).await;
    assert_eq!(seen.status, StatusCode::OK, "{path}: {}", seen.body);
    seen
}

#[tokio::test]
async fn somebody_is_entered_and_found_again() {
    let (service, clerk) = office();
    let record = entered(&service, &clerk).await;
    for q in ["王秀", "wxy", "13800001234", "420299193608150029", "1234", "0029"] {
        let list = get(&service, &clerk, &format!("/people?q={}", web::encode(q))).await;
        assert!(list.body.contains("王秀英") && list.body.contains("共 <b>1</b>"), "{q}");
        let found = service.browse(&clerk, "GET", &format!("/search?q={}", web::encode(q)), &[]).await;
        assert_eq!(found.location.as_deref(), Some(record.as_str()), "{q}");
    }
    for nobody in
        ["/people?q=%E6%9D%8E", "/people?age_from=91", "/people?hardship=tekun", "/people?state=moved"]
    {
        assert!(get(&service, &clerk, nobody).await.body.contains("没有符合条件的老人"), "{nobody}");
    }
    for one in
        ["/people?age_from=90&age_to=90", "/people?hardship=dibao&living=alone", "/people?region=410202001"]
    {
        assert!(get(&service, &clerk, one).await.body.contains("王秀英"), "{one}");
    }
    let region = service.browse(&clerk, "GET", "/search?q=%E8%B1%86%E8%8A%BD%E8%A1%97", &[]).await;
    assert!(region.location.unwrap().starts_with("/people?region="));
}

#[tokio::test]
async fn a_record_shows_nothing_that_is_to_be_masked() {
    let (service, clerk) = office();
    let record = entered(&service, &clerk).await;
    let id = record.rsplit('/').next().unwrap().to_owned();
    let masked = ["420299193608150029", "13800001234", "13900005678", "6222020000000000000", "3 号楼"];
    for page in [
        record.clone(),
        format!("{record}/print"),
        format!("{record}/edit"),
        format!("/people?open={id}"),
        "/people/print".into(),
        "/people/export.csv".into(),
    ] {
        let seen = get(&service, &clerk, &page).await;
        assert!(seen.body.contains("王秀英"), "{page}");
        for value in masked {
            assert!(!seen.body.contains(value), "{page} shows {value}");
        }
    }
}

#[tokio::test]
async fn a_wrong_form_comes_back_with_what_was_typed_and_what_to_do() {
    let (service, clerk) = office();
    let mut form = wang();
    form[1].1 = "420299193608150020";
    form[2].1 = "龙亭区 北道门街道";
    let seen = service.browse(&clerk, "POST", "/people", &form).await;
    assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
    for told in
        ["最后一位校验码与前17位对不上", "还不到村（社区）一级", "value=\"王秀英\"", "value=\"13900005678\""]
    {
        assert!(seen.body.contains(told), "{told}");
    }
    let outside = clerk_of(&service, "other", Role::StreetOfficer, code("410203").range());
    let seen = service.browse(&outside, "POST", "/people", &wang()).await;
    assert!(seen.body.contains("不在您的管辖范围内"));
}

#[tokio::test]
async fn a_masked_value_opens_with_a_reason_only() {
    let (service, clerk) = office();
    let record = entered(&service, &clerk).await;
    let page = format!("{record}/reveal/id_no");
    assert!(get(&service, &clerk, &page).await.body.contains("name=\"reason\""));
    let seen = service.browse(&clerk, "POST", &page, &[("reason", "看")]).await;
    assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!seen.body.contains("420299193608150029"));
    let seen = service.browse(&clerk, "POST", &page, &[("reason", "核对身份")]).await;
    assert!(seen.body.contains("420299193608150029"));
    assert!(get(&service, &clerk, &record).await.body.contains("证件号（核对身份）"));
    let elsewhere = clerk_of(&service, "other", Role::StreetOfficer, code("410203").range());
    let seen = service.browse(&elsewhere, "POST", &page, &[("reason", "核对身份")]).await;
    assert_eq!(seen.status, StatusCode::NOT_FOUND);
    let dispatcher = clerk_of(&service, "dispatcher", Role::Dispatcher, RegionRange::ALL);
    assert!(!get(&service, &dispatcher, &record).await.body.contains("/reveal/"));
    let seen = service.browse(&dispatcher, "POST", &page, &[("reason", "核对身份")]).await;
    assert_eq!(seen.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_change_of_state_can_be_taken_back_at_once() {
    let (service, clerk) = office();
    let record = entered(&service, &clerk).await;
    assert!(get(&service, &clerk, &format!("{record}/facts/new?kind=state")).await.body.contains("去世"));
    let fact = [("kind", "state"), ("value", "deceased"), ("from", "2026-11-20"), ("source", "死亡医学证明")];
    let facts = format!("{record}/facts");
    let missing = service.browse(&clerk, "POST", &facts, &fact[..3]).await;
    assert_eq!(missing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(missing.body.contains("请写明来源"));
    let seen = service.browse(&clerk, "POST", &facts, &fact).await;
    assert_eq!(seen.location.as_deref(), Some(record.as_str()), "{}", seen.body);
    let shown = get(&service, &clerk, &record).await;
    assert!(shown.body.contains("档案已锁定"));
    // The state stands first among the facts.
    let links = shown.body.split('"').filter(|part| part.ends_with("/correction"));
    let correction = links.into_iter().next().expect("a fact can be corrected").to_owned();
    assert!(get(&service, &clerk, &correction).await.body.contains("去世，2026-11-20 起"));
    let undo = correction.replace("/correction", "/undo");
    let seen = service.browse(&clerk, "POST", &undo, &[]).await;
    assert_eq!(seen.location.as_deref(), Some(record.as_str()));
    assert!(!get(&service, &clerk, &record).await.body.contains("档案已锁定"));
}

#[tokio::test]
async fn an_edit_keeps_what_is_left_empty_and_tells_of_another_one_in_between() {
    let (service, clerk) = office();
    let record = entered(&service, &clerk).await;
    let form = get(&service, &clerk, &format!("{record}/edit")).await;
    let value = |name: &str| {
        let at = form.body.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{name}"));
        form.body[at..].split('"').nth(3).unwrap().to_owned()
    };
    let (seen, contact) = (value("seen"), value("contact_id_1"));
    service.later(1);
    let change = |hearing: &'static str| {
        vec![
            ("seen", seen.clone()),
            ("name", "王秀英".to_owned()),
            ("region", "龙亭区 北道门街道 豆芽街社区".to_owned()),
            ("hearing", hearing.to_owned()),
            ("contact_id_1", contact.clone()),
            ("contact_name_1", "王建国".to_owned()),
            ("contact_relation_1", "儿子".to_owned()),
        ]
    };
    let send = async |fields: Vec<(&'static str, String)>| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        service.browse(&clerk, "POST", &record, &fields).await
    };
    let first = send(change("听力差")).await;
    assert_eq!(first.location.as_deref(), Some(record.as_str()), "{}", first.body);
    let shown = get(&service, &clerk, &record).await;
    for kept in ["138****1234", "139****5678", "**** 0000", "豆芽街社区", "听力差", "修改了居住地、听力"]
    {
        assert!(shown.body.contains(kept), "{kept}");
    }
    let second = send(change("聋")).await;
    assert_eq!(second.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(second.body.contains("刚被别人改过"));
}

#[tokio::test]
async fn a_sixth_contact_is_shown_and_kept() {
    let (service, clerk) = office();
    let record = entered(&service, &clerk).await;
    for round in 0..2 {
        let form = get(&service, &clerk, &format!("{record}/edit")).await;
        let value = |name: &str| {
            let at = form.body.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{name}"));
            form.body[at..].split('"').nth(3).unwrap().to_owned()
        };
        let mut fields = vec![
            ("seen".to_owned(), value("seen")),
            ("name".to_owned(), "王秀英".to_owned()),
            ("region".to_owned(), "龙亭区 北道门街道 豆芽街社区".to_owned()),
        ];
        for n in 1..=6 {
            let known = form.body.contains(&format!("name=\"contact_id_{n}\""));
            assert!(known || round == 0, "row {n} is shown");
            let id = if known { value(&format!("contact_id_{n}")) } else { String::new() };
            let phone = if id.is_empty() { format!("1390000000{n}") } else { String::new() };
            fields.push((format!("contact_id_{n}"), id));
            fields.push((format!("contact_name_{n}"), format!("联系人{n}")));
            fields.push((format!("contact_relation_{n}"), "邻居".to_owned()));
            fields.push((format!("contact_phone_{n}"), phone));
        }
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let answer = service.browse(&clerk, "POST", &record, &fields).await;
        assert_eq!(answer.location.as_deref(), Some(record.as_str()), "{}", answer.body);
        service.later(1);
        let shown = get(&service, &clerk, &record).await;
        assert!(shown.body.contains("联系人6"), "round {round}");
    }
}

#[tokio::test]
async fn a_region_field_offers_what_may_be_chosen_and_no_more() {
    let (service, clerk) = office();
    assert!(get(&service, &clerk, "/regions?q=").await.body.contains("理事厅社区"));
    assert!(get(&service, &clerk, "/regions?region=bdm").await.body.contains("龙亭区 北道门街道"));
    assert!(!get(&service, &clerk, "/regions?q=%E9%A1%BA%E6%B2%B3").await.body.contains("顺河区"));
}

#[tokio::test]
async fn what_is_taken_out_is_on_record() {
    let (service, clerk) = office();
    entered(&service, &clerk).await;
    get(&service, &clerk, "/people/export.csv?hardship=dibao").await;
    let auditor = clerk_of(&service, "auditor", Role::Auditor, RegionRange::ALL);
    let seen = service.call(&auditor, "GET", "/api/v1/evidence", &serde_json::Value::Null).await;
    assert!(seen.body.contains("people.exported") && seen.body.contains("dibao"), "{}", seen.body);
}
