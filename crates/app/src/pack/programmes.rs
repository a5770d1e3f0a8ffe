//! `programmes.toml`: who is entitled to what, from when, and who pays.

use std::collections::{HashMap, HashSet};

use domain::{
    parties::{Ability, Hardship, LivingArrangement},
    programmes::rule::{RegionBy, Rule, Tier},
    time::Day,
};

use super::{
    Counted, Pack, Programme, head,
    reader::{Doc, Fields, Troubles},
};

const FILE: &str = "programmes.toml";

/// The most a programme may give one person in a month: 10,000.00 yuan, or 44,640 minutes, which is a whole month.
const MONTHLY_MAX: i64 = 1_000_000;

pub(super) fn read(text: &str, pack: &Pack, found: &Troubles) -> Vec<Programme> {
    let doc = Doc { file: FILE, text, found };
    let table = doc.parse();
    let top = Fields::new(&doc, &table);
    let mut list = Vec::new();
    for table in top.tables("programme") {
        list.extend(programme(table, pack));
    }
    top.finish();
    versions(&list, found);
    list
}

fn programme(table: Fields<'_, '_>, pack: &Pack) -> Option<Programme> {
    let valid_from = table.day("valid_from");
    let valid_to = table.day_or_none("valid_to");
    if let (Some(from), Some(to)) = (valid_from, valid_to)
        && to < from
    {
        table.tell("valid_to", format!("valid_to {to} 早于 valid_from {from}，请核对"));
    }
    let counted = table.word("asset", &["minutes", "fen", "meals"], |word| match word {
        "minutes" => Some(Counted::Minutes),
        "fen" => Some(Counted::Fen),
        "meals" => Some(Counted::Meals),
        _ => None,
    });
    let region_by = table.word("region_by", &["residence", "hukou"], RegionBy::from_code);
    table.number_or_none("elder_pays_monthly_fen", 0, MONTHLY_MAX);
    if table.yes("carry_over") {
        table.tell("carry_over", "平台目前只支持当月作废，请写 carry_over = false");
    }
    table.list("illustrative_fields");
    let made = Programme {
        code: code(&table),
        name: table.text("name"),
        counted: counted.unwrap_or(Counted::Minutes),
        valid_from: valid_from.unwrap_or_default(),
        valid_to,
        pick_order: table.number("pick_order", 1, 9_999),
        covers: covers(&table, pack),
        rule: Rule {
            region_by: region_by.unwrap_or(RegionBy::Residence),
            regions: head::regions(&table),
            hardship_not_in: table.words("hardship_not_in", &hardships(), Hardship::from_code),
            tiers: tiers(&table),
        },
        status: table
            .word("status", &["verified", "floor", "illustrative"], |w| {
                ["verified", "floor", "illustrative"].contains(&w).then(|| w.to_owned())
            })
            .unwrap_or_default(),
        source: table.text("source"),
        funders: head::funders(&table, &pack.funders),
        line: table.line(),
    };
    let outside =
        made.rule.regions.iter().find(|r| !pack.regions.iter().any(|p| p.range().covers(r.range())));
    if let Some(region) = outside.filter(|_| !pack.regions.is_empty()) {
        table.tell("regions", format!("{region} 不在 pack.toml 的 regions 之内，请核对"));
    }
    table.finish();
    valid_from.and(counted).and(region_by).map(|_| made)
}

fn code(table: &Fields<'_, '_>) -> String {
    let code = table.text("code");
    if !code.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        table.tell("code", format!("项目代码“{code}”只能用字母、数字和短横线"));
    }
    code
}

fn covers(table: &Fields<'_, '_>, pack: &Pack) -> Vec<String> {
    let known: HashSet<&str> = pack.services.iter().map(|s| s.item.code.as_str()).collect();
    let covers = table.list("covers");
    if covers.is_empty() {
        table.tell("covers", "covers 不能为空，请写上可以使用的服务项目编号，例如 covers = [\"A01\"]");
    }
    // Without a catalogue every code would be unknown; its own trouble says enough.
    for code in covers.iter().filter(|code| !known.is_empty() && !known.contains(code.as_str())) {
        table.tell("covers", format!("covers 里的 {code} 不在 services.csv 的目录里，请核对编号"));
    }
    covers
}

fn hardships() -> Vec<&'static str> {
    Hardship::ALL.iter().map(|h| h.code()).collect()
}

fn tiers(programme: &Fields<'_, '_>) -> Vec<Tier> {
    let living: Vec<&str> = LivingArrangement::ALL.iter().map(|l| l.code()).collect();
    let grades: Vec<&str> = Ability::ALL.iter().map(|a| a.code()).collect();
    let age = |table: &Fields<'_, '_>, key| {
        table.number_or_none(key, 0, 150).map(|age| u16::try_from(age).expect("checked to be at most 150"))
    };
    let read = |table: Fields<'_, '_>| {
        let tier = Tier {
            label: table.text("label"),
            age_min: age(&table, "age_min"),
            age_max: age(&table, "age_max"),
            grade_in: table.words("grade_in", &grades, Ability::from_code),
            hardship_in: table.words("hardship_in", &hardships(), Hardship::from_code),
            living_in: table.words("living_in", &living, LivingArrangement::from_code),
            living_not_in: table.words("living_not_in", &living, LivingArrangement::from_code),
            monthly: table.number("monthly", 1, MONTHLY_MAX),
        };
        if tier.age_min.zip(tier.age_max).is_some_and(|(min, max)| max < min) {
            table.tell("age_max", "age_max 小于 age_min，没有人能符合，请核对");
        }
        table.finish();
        tier
    };
    let tiers: Vec<Tier> = programme.tables("tiers").into_iter().map(read).collect();
    if tiers.is_empty() {
        programme.tell("tiers", "没有享受条件，请写上 [[programme.tiers]]");
    }
    tiers
}

/// Versions of one code may not overlap, and two programmes of one time may not have the same place in the order.
fn versions(list: &[Programme], found: &Troubles) {
    let mut begun: HashMap<(&str, Day), usize> = HashMap::new();
    for one in list {
        if let Some(first) = begun.insert((&one.code, one.valid_from), one.line) {
            let say = format!(
                "项目 {} 自 {} 的规定在第 {first} 行已经写过。改额度请另起一段并写新的 valid_from",
                one.code, one.valid_from
            );
            found.tell(FILE, one.line, say);
        }
        let ends = |p: &Programme| p.valid_to.unwrap_or(Day::MAX);
        let clash = list.iter().find(|other| {
            other.code != one.code
                && other.pick_order == one.pick_order
                && other.line < one.line
                && other.valid_from <= ends(one)
                && one.valid_from <= ends(other)
        });
        if let Some(other) = clash {
            let say = format!(
                "pick_order {} 与第 {} 行的项目 {} 相同，先用哪一个分不清，请改成不同的数",
                one.pick_order, other.line, other.code
            );
            found.tell(FILE, one.line, say);
        }
    }
}
