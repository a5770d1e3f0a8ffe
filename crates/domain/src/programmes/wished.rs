//! What an operator types while somebody is on the line: `zy 明天9点 90分钟` is an item, a time and a length.

use super::ServiceItem;
use crate::{
    money::Minutes,
    parties::name,
    time::{At, Now, Unclear, said},
};

/// A line of the call desk, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish<'a> {
    /// What is wanted.
    pub item: &'a ServiceItem,
    /// When.
    pub start: At,
    /// For how long, when it was said.
    pub minutes: Option<Minutes>,
}

/// Why a line was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfound {
    /// Nothing in the catalogue is called that.
    #[error("服务目录里没有“{0}”。可以输入名称、拼音首字母或项目编号")]
    NoItem(String),
    /// Several items are.
    #[error("“{0}”有几种服务：{1}。请再输入几个字")]
    SeveralItems(String, String),
    /// The time makes no sense.
    #[error(transparent)]
    NoTime(#[from] Unclear),
}

/// Most items named when a word fits several.
const NAMED_MAX: usize = 5;

/// Understands a line by the catalogue. The first word is the item, the rest its time and length.
pub fn wished<'a>(items: &'a [ServiceItem], line: &str, now: Now) -> Result<Wish<'a>, Unfound> {
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    let item = item(items, first)?;
    let (lengths, times): (Vec<&str>, Vec<&str>) = words.partition(|word| length(word).is_some());
    let minutes = lengths.first().and_then(|word| length(word));
    let start = said(&times.join(" "), now)?;
    Ok(Wish { item, start, minutes })
}

fn item<'a>(items: &'a [ServiceItem], word: &str) -> Result<&'a ServiceItem, Unfound> {
    let wanted = word.to_lowercase();
    if let Some(exact) = items.iter().find(|i| i.code.to_lowercase() == wanted || i.name == word) {
        return Ok(exact);
    }
    if wanted.is_empty() {
        return Err(Unfound::NoItem(String::new()));
    }
    let letters = |i: &ServiceItem| name::initials(&i.name);
    // The surer kinds of likeness come first: one answer of a kind is the answer.
    let kinds: [&dyn Fn(&ServiceItem) -> bool; 5] = [
        &|i| letters(i) == wanted,
        &|i| letters(i).starts_with(&wanted) || i.name.starts_with(word),
        &|i| i.name.contains(word),
        &|i| i.help_kind == word,
        &|i| letters(i).contains(&wanted),
    ];
    for fits in kinds {
        let mut found = items.iter().filter(|i| fits(i));
        match (found.next(), found.next()) {
            (Some(one), None) => return Ok(one),
            (Some(_), Some(_)) => {
                let names: Vec<&str> =
                    items.iter().filter(|i| fits(i)).take(NAMED_MAX).map(|i| i.name.as_str()).collect();
                return Err(Unfound::SeveralItems(word.to_owned(), names.join("、")));
            }
            _ => {}
        }
    }
    Err(Unfound::NoItem(word.to_owned()))
}

/// `90分钟`, `2小时`, `1.5小时`.
fn length(word: &str) -> Option<Minutes> {
    if let Some(minutes) = word.strip_suffix("分钟").or_else(|| word.strip_suffix('分')) {
        return minutes.parse().ok().map(Minutes);
    }
    let hours = word.strip_suffix("个小时").or_else(|| word.strip_suffix("小时"))?;
    let (whole, half) = match hours.strip_suffix(".5") {
        Some(whole) => (whole, 30),
        None => (hours, 0),
    };
    whole.parse::<i64>().ok()?.checked_mul(60)?.checked_add(half).map(Minutes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Fen;

    fn items() -> Vec<ServiceItem> {
        [
            ("A01", "助餐上门送餐", "助餐"),
            ("A04", "上门助浴", "助浴"),
            ("A05", "擦浴", "助浴"),
            ("B01", "居室清洁", "助洁"),
        ]
        .map(|(code, name, help)| ServiceItem {
            code: code.to_owned(),
            name: name.to_owned(),
            help_kind: help.to_owned(),
            by_hour: false,
            minutes_std: Minutes(60),
            minutes_min: Minutes(30),
            unit_price: Fen(100),
            workers: 1,
            same_sex: false,
            who_may: String::new(),
            one_of_them: String::new(),
            evidence: String::new(),
            contraindication: String::new(),
        })
        .to_vec()
    }

    fn check(line: &str) -> String {
        let now = Now(At::parse("2026-11-21T10:12").unwrap());
        match wished(&items(), line, now) {
            Ok(wish) => {
                let minutes = wish.minutes.map_or("-".to_owned(), |m| m.to_string());
                format!("{} {} {minutes}", wish.item.code, wish.start)
            }
            Err(unfound) => unfound.to_string(),
        }
    }

    #[test]
    fn an_item_is_found_by_name_letters_or_code() {
        assert_eq!(check("a04"), "A04 2026-11-21 10:30 -");
        assert_eq!(check("smzy 明天9点"), "A04 2026-11-22 09:00 -");
        assert_eq!(check("擦 明天 9点 90分钟"), "A05 2026-11-22 09:00 1 小时 30 分钟");
        assert_eq!(check("清洁 14:30 1.5小时"), "B01 2026-11-21 14:30 1 小时 30 分钟");
        assert_eq!(check("zc"), "A01 2026-11-21 10:30 -");
    }

    #[test]
    fn what_fits_several_or_nothing_is_told() {
        assert_eq!(check("助浴 现在"), "A04 2026-11-21 10:12 -", "a part of one name only");
        assert_eq!(check("浴"), "“浴”有几种服务：上门助浴、擦浴。请再输入几个字");
        assert!(check("游泳 明天").starts_with("服务目录里没有“游泳”"));
        assert!(check("").starts_with("服务目录里没有"));
        assert!(check("擦浴 哪天都行").starts_with("看不懂时间“哪天都行”"));
    }
}
