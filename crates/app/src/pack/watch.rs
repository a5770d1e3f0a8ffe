//! `[[watch]]`, `[[visits]]`, `[[water]]` and `[[intake]]` of `pack.toml`: who is watched how closely, what a water meter
//! may say, how much devices may.
//! What a pack leaves out is as in the defaults, each with its source.

use domain::signals::{
    silence::{GradeTerms, RiskGrade, Terms},
    water::WaterRule,
};

use super::reader::Fields;
use crate::signals::intake;

/// Longest time unseen a city may allow: a fortnight.
const UNSEEN_HOURS_MAX: i64 = 14 * 24;

pub(super) fn terms(top: &Fields<'_, '_>) -> Terms {
    let mut terms = Terms::default();
    let mut seen: Vec<RiskGrade> = Vec::new();
    for table in top.tables("watch") {
        let known = ["high", "key", "general"];
        let grade = table.word("grade", &known, RiskGrade::from_code);
        let one = GradeTerms {
            unseen_hours: table.number("unseen_hours", 1, UNSEEN_HOURS_MAX),
            visit_days: table.number("visit_days", 1, 366),
            phone_days: table.number_or_none("phone_days", 1, 366),
            source: table.text("source"),
        };
        if let Some(grade) = grade {
            if seen.contains(&grade) {
                table.tell("grade", format!("等级 {} 写了两遍，请合并成一段", grade.code()));
            }
            seen.push(grade);
            match grade {
                RiskGrade::High => terms.high = one,
                RiskGrade::Key => terms.key = one,
                RiskGrade::General => terms.general = one,
            }
        }
        table.finish();
    }
    for table in top.tables("visits") {
        terms.away_days_max = table.number("away_days_max", 1, 92);
        terms.new_days = table.number("new_days", 1, 92);
        terms.knock_item = table.text_or_empty("knock_item");
        terms.area_percent = table.number("area_percent", 1, 100);
        table.text("source");
        table.finish();
    }
    terms
}

pub(super) fn water(top: &Fields<'_, '_>) -> WaterRule {
    let mut rule = WaterRule::default();
    for table in top.tables("water") {
        rule.low_millilitres = table.number("low_litres", 1, 1_000) * 1_000;
        rule.low_hours = table.number("low_hours", 1, 72);
        rule.high_millilitres = table.number("high_litres", 100, 100_000) * 1_000;
        rule.leak_hours = table.number("leak_hours", 1, 48);
        rule.source = table.text("source");
        table.finish();
    }
    rule
}

pub(super) fn devices(top: &Fields<'_, '_>) -> intake::Terms {
    let mut terms = intake::Terms::default();
    for table in top.tables("intake") {
        terms.per_minute = table.number("per_minute", 1, 60_000);
        terms.burst = table.number("burst", 1, 100_000);
        terms.keep_days = table.number("keep_days", 4, 3_660);
        terms.source = table.text("source");
        table.finish();
    }
    terms
}
