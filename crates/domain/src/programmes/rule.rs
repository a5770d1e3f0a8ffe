//! Who is entitled to how much a month, and why: the simple tests of a programme on the facts of one person.
//!
//! Tiers are read from the top and the first whose tests all hold decides; a test left out does not limit. The answer
//! carries the reason in the words an official would use, because it is shown with every right.

use serde::{Deserialize, Serialize};

use super::Asset;
use crate::{
    access::words,
    money::{Fen, Minutes},
    parties::{Ability, Hardship, LivingArrangement, age::full_years},
    regions::RegionCode,
    time::Day,
};

words! {
    /// Which region of a person decides.
    RegionBy {
        /// Where the person lives: services.
        Residence = "residence" "居住地",
        /// Where the person is registered: money.
        Hukou = "hukou" "户籍地",
    }
}

/// The tests of a programme and what they give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Which region decides.
    pub region_by: RegionBy,
    /// Regions it applies in, with all below them.
    pub regions: Vec<RegionCode>,
    /// Who may not have it at all.
    #[serde(default)]
    pub hardship_not_in: Vec<Hardship>,
    /// From the top, the first that holds.
    pub tiers: Vec<Tier>,
}

/// One line of a programme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// What officials call it.
    pub label: String,
    /// Full years, at least.
    #[serde(default)]
    pub age_min: Option<u16>,
    /// Full years, at most.
    #[serde(default)]
    pub age_max: Option<u16>,
    /// Any of these grades.
    #[serde(default)]
    pub grade_in: Vec<Ability>,
    /// Any of these categories.
    #[serde(default)]
    pub hardship_in: Vec<Hardship>,
    /// Any of these arrangements.
    #[serde(default)]
    pub living_in: Vec<LivingArrangement>,
    /// None of these arrangements.
    #[serde(default)]
    pub living_not_in: Vec<LivingArrangement>,
    /// How much a month, in the programme's asset.
    pub monthly: i64,
}

/// What is known of a person on the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circumstances {
    /// Day of birth.
    pub birth: Day,
    /// Where the person lives.
    pub lives_in: RegionCode,
    /// Where the person is registered, when known.
    pub hukou: Option<RegionCode>,
    /// Categories that hold.
    pub hardships: Vec<Hardship>,
    /// The grade of the last assessment.
    pub ability: Option<Ability>,
    /// With whom the person lives.
    pub living: Option<LivingArrangement>,
}

/// A right for one month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entitled {
    /// How much, in the programme's asset.
    pub amount: i64,
    /// Why, in a sentence: `重度失能，低保：每月 20 小时`.
    pub why: String,
}

impl Rule {
    /// What the person is entitled to in the month of the day, or nothing.
    pub fn entitled(&self, asset: Asset, who: &Circumstances, on: Day) -> Option<Entitled> {
        let (deciding, assumed) = match (self.region_by, who.hukou) {
            (RegionBy::Residence, _) => (who.lives_in, false),
            (RegionBy::Hukou, Some(hukou)) => (hukou, false),
            // Nobody loses a right over a blank field; the reason says so, and a clerk can fill it in.
            (RegionBy::Hukou, None) => (who.lives_in, true),
        };
        let inside = self.regions.iter().any(|region| region.range().holds(deciding));
        if !inside || self.hardship_not_in.iter().any(|h| who.hardships.contains(h)) {
            return None;
        }
        let age = full_years(who.birth, on)?;
        let tier = self.tiers.iter().find(|tier| tier.holds(who, age))?;
        let mut reasons = tier.reasons(who, age);
        if assumed {
            reasons.push("户籍地未登记，按居住地".to_owned());
        }
        let why = format!("{}：每月 {}", reasons.join("，"), quantity(asset, tier.monthly));
        Some(Entitled { amount: tier.monthly, why })
    }

    /// Whether nobody without a category of hardship can be entitled, so that only those need be looked at.
    pub fn needs_hardship(&self) -> bool {
        self.tiers.iter().all(|tier| !tier.hardship_in.is_empty())
    }
}

impl Tier {
    fn holds(&self, who: &Circumstances, age: u16) -> bool {
        let lives = |wanted: &LivingArrangement| {
            who.living == Some(*wanted)
                // The register may say it as a category instead (独居老人).
                || (*wanted == LivingArrangement::Alone
                    && who.living.is_none()
                    && who.hardships.contains(&Hardship::Alone))
        };
        self.age_min.is_none_or(|min| age >= min)
            && self.age_max.is_none_or(|max| age <= max)
            && (self.grade_in.is_empty() || who.ability.is_some_and(|grade| self.grade_in.contains(&grade)))
            && (self.hardship_in.is_empty() || self.hardship_in.iter().any(|h| who.hardships.contains(h)))
            && (self.living_in.is_empty() || self.living_in.iter().any(lives))
            && !self.living_not_in.iter().any(lives)
    }

    /// The facts this tier asked for, as the person has them.
    fn reasons(&self, who: &Circumstances, age: u16) -> Vec<String> {
        let mut said = Vec::new();
        // Everybody on the register is an elder; an age is a reason only where more is asked.
        if self.age_min.is_some_and(|min| min > 60) || self.age_max.is_some() {
            said.push(format!("{age} 岁"));
        }
        if let (false, Some(grade)) = (self.grade_in.is_empty(), who.ability) {
            said.push(grade.label().to_owned());
        }
        let held: Vec<&str> =
            self.hardship_in.iter().filter(|h| who.hardships.contains(h)).map(|h| h.label()).collect();
        if !held.is_empty() {
            said.push(held.join("、"));
        }
        if !self.living_in.is_empty() {
            said.push(who.living.unwrap_or(LivingArrangement::Alone).label().to_owned());
        }
        if said.is_empty() {
            said.push(self.label.clone());
        }
        said
    }
}

/// An amount in the words of its asset.
pub fn quantity(asset: Asset, amount: i64) -> String {
    match asset {
        Asset::Fen => Fen(amount).to_string(),
        Asset::Minutes => Minutes(amount).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn code(text: &str) -> RegionCode {
        RegionCode::parse(text).unwrap()
    }

    fn tier(label: &str, monthly: i64) -> Tier {
        Tier {
            label: label.to_owned(),
            age_min: Some(60),
            age_max: None,
            grade_in: Vec::new(),
            hardship_in: Vec::new(),
            living_in: Vec::new(),
            living_not_in: vec![LivingArrangement::CareInstitution],
            monthly,
        }
    }

    fn home_care() -> Rule {
        let poor = vec![Hardship::Tekun, Hardship::Dibao];
        Rule {
            region_by: RegionBy::Residence,
            regions: vec![code("4102")],
            hardship_not_in: Vec::new(),
            tiers: vec![
                Tier {
                    grade_in: vec![Ability::Severe],
                    hardship_in: poor.clone(),
                    ..tier("重度失能的困难老年人", 1200)
                },
                Tier {
                    age_min: Some(80),
                    hardship_in: poor,
                    living_in: vec![LivingArrangement::Alone],
                    ..tier("高龄独居", 450)
                },
            ],
        }
    }

    fn somebody() -> Circumstances {
        Circumstances {
            birth: date(1943, 5, 10),
            lives_in: code("410202001002"),
            hukou: Some(code("410202")),
            hardships: vec![Hardship::Dibao],
            ability: Some(Ability::Severe),
            living: Some(LivingArrangement::Alone),
        }
    }

    fn why(rule: &Rule, asset: Asset, who: &Circumstances) -> Option<String> {
        rule.entitled(asset, who, date(2026, 11, 1)).map(|e| e.why)
    }

    #[test]
    fn the_first_tier_that_holds_decides_and_gives_its_reason() {
        let rule = home_care();
        let severe = why(&rule, Asset::Minutes, &somebody());
        assert_eq!(severe.as_deref(), Some("重度失能，低保：每月 20 小时"));
        let fit = Circumstances { ability: Some(Ability::Intact), ..somebody() };
        let told = why(&rule, Asset::Minutes, &fit);
        assert_eq!(told.as_deref(), Some("83 岁，低保，独居：每月 7 小时 30 分钟"));
    }

    #[test]
    fn every_test_can_refuse() {
        let rule = home_care();
        let who = somebody();
        let refused = [
            Circumstances { lives_in: code("420202"), ..who.clone() },
            Circumstances { hardships: vec![Hardship::EmptyNest], ..who.clone() },
            Circumstances { living: Some(LivingArrangement::CareInstitution), ..who.clone() },
            Circumstances { birth: date(1970, 1, 1), ..who.clone() },
            Circumstances { birth: date(2030, 1, 1), ..who.clone() },
            Circumstances { ability: None, living: Some(LivingArrangement::WithSpouse), ..who.clone() },
            Circumstances { ability: None, birth: date(1946, 11, 2), ..who },
        ];
        for (n, who) in refused.iter().enumerate() {
            assert_eq!(why(&rule, Asset::Minutes, who), None, "case {n}");
        }
    }

    #[test]
    fn a_tier_that_wants_someone_alone_believes_the_category_only_without_a_better_fact() {
        let rule = home_care();
        let base =
            Circumstances { ability: None, hardships: vec![Hardship::Dibao, Hardship::Alone], ..somebody() };
        assert!(why(&rule, Asset::Minutes, &Circumstances { living: None, ..base.clone() }).is_some());
        let married = Circumstances { living: Some(LivingArrangement::WithSpouse), ..base };
        assert_eq!(why(&rule, Asset::Minutes, &married), None);
    }

    #[test]
    fn money_follows_the_hukou_and_a_blank_one_the_residence() {
        let rule = Rule {
            region_by: RegionBy::Hukou,
            hardship_not_in: vec![Hardship::Tekun],
            tiers: vec![Tier {
                age_min: Some(80),
                hardship_in: vec![Hardship::Dibao],
                ..tier("八十岁以上", 10_000)
            }],
            ..home_care()
        };
        let who = somebody();
        assert_eq!(why(&rule, Asset::Fen, &who).as_deref(), Some("83 岁，低保：每月 ¥100.00"));
        let elsewhere = Circumstances { hukou: Some(code("370700")), ..who.clone() };
        assert_eq!(why(&rule, Asset::Fen, &elsewhere), None);
        let blank = Circumstances { hukou: None, ..who.clone() };
        assert_eq!(
            why(&rule, Asset::Fen, &blank).as_deref(),
            Some("83 岁，低保，户籍地未登记，按居住地：每月 ¥100.00")
        );
        let full_support = Circumstances { hardships: vec![Hardship::Tekun, Hardship::Dibao], ..who };
        assert_eq!(why(&rule, Asset::Fen, &full_support), None);
    }
}
