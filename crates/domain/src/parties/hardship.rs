//! Hardship categories (困难类型). Several may hold for one person, each a dated fact of its own.

use serde::{Deserialize, Serialize};

/// One category. What follows from it is decided by the programmes of a city, not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hardship {
    /// 特困
    Tekun,
    /// 低保
    Dibao,
    /// 低保边缘
    DibaoBianyuan,
    /// 刚性支出困难
    RigidExpense,
    /// 计划生育特殊家庭
    FamilyPlanningSpecial,
    /// 独居
    Alone,
    /// 空巢
    EmptyNest,
    /// 留守
    LeftBehind,
    /// 失能
    DisabledAbility,
    /// 失智
    Dementia,
    /// 重残
    SevereDisability,
    /// 优抚对象
    VeteranBenefit,
    /// 驻军离退休
    GarrisonRetiree,
}

impl Hardship {
    /// All of them.
    pub const ALL: [Hardship; 13] = [
        Hardship::Tekun,
        Hardship::Dibao,
        Hardship::DibaoBianyuan,
        Hardship::RigidExpense,
        Hardship::FamilyPlanningSpecial,
        Hardship::Alone,
        Hardship::EmptyNest,
        Hardship::LeftBehind,
        Hardship::DisabledAbility,
        Hardship::Dementia,
        Hardship::SevereDisability,
        Hardship::VeteranBenefit,
        Hardship::GarrisonRetiree,
    ];

    /// The word in tables and APIs.
    pub fn code(self) -> &'static str {
        match self {
            Hardship::Tekun => "tekun",
            Hardship::Dibao => "dibao",
            Hardship::DibaoBianyuan => "dibao_bianyuan",
            Hardship::RigidExpense => "rigid_expense",
            Hardship::FamilyPlanningSpecial => "family_planning_special",
            Hardship::Alone => "alone",
            Hardship::EmptyNest => "empty_nest",
            Hardship::LeftBehind => "left_behind",
            Hardship::DisabledAbility => "disabled_ability",
            Hardship::Dementia => "dementia",
            Hardship::SevereDisability => "severe_disability",
            Hardship::VeteranBenefit => "veteran_benefit",
            Hardship::GarrisonRetiree => "garrison_retiree",
        }
    }

    /// The place of this category in a set kept as one number.
    pub fn bit(self) -> i64 {
        1 << self as i64
    }

    /// The categories of a set kept as one number.
    pub fn of_bits(bits: i64) -> impl Iterator<Item = Hardship> {
        Hardship::ALL.into_iter().filter(move |one| bits & one.bit() != 0)
    }

    /// Back from the table.
    pub fn from_code(code: &str) -> Option<Hardship> {
        Hardship::ALL.into_iter().find(|one| one.code() == code)
    }

    /// The word on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Hardship::Tekun => "特困",
            Hardship::Dibao => "低保",
            Hardship::DibaoBianyuan => "低保边缘",
            Hardship::RigidExpense => "刚性支出困难",
            Hardship::FamilyPlanningSpecial => "计划生育特殊家庭",
            Hardship::Alone => "独居",
            Hardship::EmptyNest => "空巢",
            Hardship::LeftBehind => "留守",
            Hardship::DisabledAbility => "失能",
            Hardship::Dementia => "失智",
            Hardship::SevereDisability => "重残",
            Hardship::VeteranBenefit => "优抚对象",
            Hardship::GarrisonRetiree => "驻军离退休",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_go_both_ways_and_differ() {
        for one in Hardship::ALL {
            assert_eq!(Hardship::from_code(one.code()), Some(one));
        }
        assert_eq!(Hardship::from_code("特困"), None);
        let bits = Hardship::Tekun.bit() | Hardship::GarrisonRetiree.bit();
        assert_eq!(Hardship::of_bits(bits).collect::<Vec<_>>(), [Hardship::Tekun, Hardship::GarrisonRetiree]);
    }
}
