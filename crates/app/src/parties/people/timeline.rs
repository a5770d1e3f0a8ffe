//! What happened to somebody, in sentences, from the log.

use domain::{
    access::Actor,
    ids::PersonId,
    parties::{FactKind, FactValue, PersonState},
    time::At,
};

use super::{Field, sql};
use crate::{
    outcome::Answer,
    regions::{self, RegionBook},
    store::Tx,
};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// When.
    pub at: At,
    /// What, in a sentence.
    pub what: String,
    /// Who entered it.
    pub by_name: String,
    /// In which role, as its code.
    pub role: String,
    /// A fact that may still be taken back by whoever stated it.
    pub fact: Option<i64>,
}

/// What happened to a record, the latest first. Looks at masked values have their own list.
pub fn timeline(tx: &mut Tx<'_>, actor: &Actor, person: PersonId) -> Answer<Vec<Happening>> {
    let row = super::card::seen(tx, actor, person)?;
    let book = regions::book(tx)?;
    let mut all: Vec<Happening> = sql::happenings(tx, row.id)?
        .into_iter()
        .map(|(at, act, detail, by_name, role)| {
            let detail: serde_json::Value = serde_json::from_str(&detail).unwrap_or_default();
            let fact = detail["fact"].as_str().and_then(|f| f.parse().ok());
            Happening { at, what: sentence(&act, &detail, &book), by_name, role, fact }
        })
        .collect();
    // People entered by a list share one evidence that names nobody.
    if row.batch != row.id.0 {
        all.push(Happening {
            at: row.entered_at,
            what: "随批量名单登记入册".into(),
            by_name: String::new(),
            role: String::new(),
            fact: None,
        });
    }
    Ok(all)
}

fn sentence(act: &str, detail: &serde_json::Value, book: &RegionBook) -> String {
    match act {
        "person.enrolled" => "登记入册".into(),
        "person.changed" => {
            let fields: Vec<&str> = detail["fields"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|f| f.as_str())
                .map(field)
                .collect();
            if fields.is_empty() {
                "按名单更新了情况".into()
            } else {
                format!("修改了{}", fields.join("、"))
            }
        }
        "person.change_undone" => "撤销刚才的修改".into(),
        "person.fact_stated" => format!("登记{}", fact(detail, book)),
        "person.fact_corrected" => {
            let reason = detail["reason"].as_str().unwrap_or_default();
            format!("更正{}（{reason}）", fact(detail, book))
        }
        "person.fact_taken_back" => format!("撤销刚才登记的{}", kind(detail)),
        "person.state_changed" => {
            let state = |key: &str| {
                detail["state"][key]
                    .as_str()
                    .and_then(PersonState::from_code)
                    .map_or("未知", PersonState::label)
            };
            format!("状态由“{}”变为“{}”", state("from"), state("to"))
        }
        "person.renewed" => "按起止日期更新了当前情况".into(),
        "person.revealed" => {
            format!("查看了{}", Field::label_of(detail["field"].as_str().unwrap_or_default()))
        }
        other => other.to_owned(),
    }
}

fn kind(detail: &serde_json::Value) -> &'static str {
    detail["kind"].as_str().and_then(FactKind::from_code).map_or("情况", FactKind::label)
}

fn fact(detail: &serde_json::Value, book: &RegionBook) -> String {
    let value = detail["kind"]
        .as_str()
        .and_then(FactKind::from_code)
        .zip(detail["value"].as_str())
        .and_then(|(kind, code)| FactValue::parse(kind, code));
    let words = match value {
        Some(FactValue::Hukou(code)) => book.path_of(code),
        Some(value) => value.label(),
        None => return kind(detail).to_owned(),
    };
    let since = detail["since"].as_str().map(|s| format!("，{s} 起")).unwrap_or_default();
    format!("{}：{words}{since}", kind(detail))
}

/// What people call a column.
fn field(code: &str) -> &'static str {
    match code {
        "name" => "姓名",
        "sex" => "性别",
        "birth" => "出生日期",
        "region" => "居住地",
        "place" => "坐标",
        "language" => "语言",
        "hearing" => "听力",
        "contacts" => "联系人",
        other => Field::label_of(other),
    }
}
