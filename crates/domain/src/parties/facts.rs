//! Facts about people: a value with its source, when it was true and when we knew it.

use super::{Hardship, LivingArrangement};
use crate::{access::words, regions::RegionCode, time::Day};

words! {
    /// What a fact is about.
    FactKind {
        /// 独居、与配偶同住…
        Living = "living" "居住状况",
        /// 特困、低保… several may hold at once.
        Hardship = "hardship" "困难类别",
        /// 能力等级
        Ability = "ability" "能力等级",
        /// 户籍地
        Hukou = "hukou" "户籍地",
        /// 在册状态
        State = "state" "在册状态",
        /// 外出期间，巡访和失联计时暂停
        Away = "away" "外出",
        /// 慢性病、过敏等
        Remark = "remark" "备注",
    }
}

words! {
    /// Where somebody is who is away from home for some days.
    AwayKind {
        /// 旅行
        Travel = "travel" "外出旅行",
        /// 到子女家小住
        Children = "children" "在子女家",
        /// 走亲访友
        Relatives = "relatives" "走亲访友",
        /// 短期托养
        Respite = "respite" "短期托养",
    }
}

words! {
    /// Grade of the ability assessment (GB/T 42195-2022).
    Ability {
        /// 能力完好
        Intact = "intact" "能力完好",
        /// 轻度失能
        Mild = "mild" "轻度失能",
        /// 中度失能
        Moderate = "moderate" "中度失能",
        /// 重度失能
        Severe = "severe" "重度失能",
        /// 完全失能
        Complete = "complete" "完全失能",
    }
}

words! {
    /// Whether a person is on the register, and if not, why.
    PersonState {
        /// On the register.
        Active = "active" "在册",
        /// Gone to another city.
        Moved = "moved" "迁出",
        /// Lives in an institution.
        InInstitution = "in_institution" "入住机构",
        /// In hospital.
        Hospital = "hospital" "住院",
        /// Not found.
        Missing = "missing" "走失",
        /// Died.
        Deceased = "deceased" "去世",
    }
}

/// What a fact says, by kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactValue {
    /// With whom the person lives.
    Living(LivingArrangement),
    /// One category of hardship.
    Hardship(Hardship),
    /// Grade of the ability assessment.
    Ability(Ability),
    /// Where the household is registered.
    Hukou(RegionCode),
    /// On the register or not.
    State(PersonState),
    /// Away from home.
    Away(AwayKind),
    /// Words.
    Remark(String),
}

/// Longest remark, in characters: a few sentences.
pub const REMARK_MAX: usize = 500;

impl FactValue {
    /// What it is about.
    pub fn kind(&self) -> FactKind {
        match self {
            FactValue::Living(_) => FactKind::Living,
            FactValue::Hardship(_) => FactKind::Hardship,
            FactValue::Ability(_) => FactKind::Ability,
            FactValue::Hukou(_) => FactKind::Hukou,
            FactValue::State(_) => FactKind::State,
            FactValue::Away(_) => FactKind::Away,
            FactValue::Remark(_) => FactKind::Remark,
        }
    }

    /// The word (or code, or words) in tables and APIs.
    pub fn code(&self) -> String {
        match self {
            FactValue::Living(x) => x.code().to_owned(),
            FactValue::Hardship(x) => x.code().to_owned(),
            FactValue::Ability(x) => x.code().to_owned(),
            FactValue::Hukou(x) => x.to_string(),
            FactValue::State(x) => x.code().to_owned(),
            FactValue::Away(x) => x.code().to_owned(),
            FactValue::Remark(x) => x.clone(),
        }
    }

    /// Back from a table or an API; `None` when the kind knows no such value.
    pub fn parse(kind: FactKind, code: &str) -> Option<FactValue> {
        Some(match kind {
            FactKind::Living => FactValue::Living(LivingArrangement::from_code(code)?),
            FactKind::Hardship => FactValue::Hardship(Hardship::from_code(code)?),
            FactKind::Ability => FactValue::Ability(Ability::from_code(code)?),
            FactKind::Hukou => FactValue::Hukou(RegionCode::parse(code).ok()?),
            FactKind::State => FactValue::State(PersonState::from_code(code)?),
            FactKind::Away => FactValue::Away(AwayKind::from_code(code)?),
            FactKind::Remark => {
                let words = code.trim();
                let length = words.chars().count();
                (1..=REMARK_MAX).contains(&length).then(|| FactValue::Remark(words.to_owned()))?
            }
        })
    }

    /// The words on the screen; a hukou shows its code, because its name is the register's to tell.
    pub fn label(&self) -> String {
        match self {
            FactValue::Living(x) => x.label().to_owned(),
            FactValue::Hardship(x) => x.label().to_owned(),
            FactValue::Ability(x) => x.label().to_owned(),
            FactValue::Hukou(x) => x.to_string(),
            FactValue::State(x) => x.label().to_owned(),
            FactValue::Away(x) => x.label().to_owned(),
            FactValue::Remark(x) => x.clone(),
        }
    }

    /// Whether two facts answer the same question, so that both cannot hold on one day: there is one living arrangement
    /// at a time, but several hardships and any number of remarks.
    pub fn rivals(&self, other: &FactValue) -> bool {
        match (self, other) {
            (FactValue::Remark(_), _) => false,
            (FactValue::Hardship(a), FactValue::Hardship(b)) => a == b,
            _ => self.kind() == other.kind(),
        }
    }
}

/// Days on which a fact is true: from the first day up to, not including, the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First day.
    pub from: Day,
    /// The day it no longer holds; none while no end is known.
    pub to: Option<Day>,
}

impl Span {
    /// From a day on, with no end known.
    pub fn since(from: Day) -> Span {
        Span { from, to: None }
    }

    /// Whether a day lies inside.
    pub fn holds(self, day: Day) -> bool {
        self.from <= day && self.to.is_none_or(|to| day < to)
    }

    /// Whether some day lies in both.
    pub fn overlaps(self, other: Span) -> bool {
        self.to.is_none_or(|to| other.from < to) && other.to.is_none_or(|to| self.from < to)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn values_go_both_ways_and_fit_their_kind() {
        for value in [
            FactValue::Living(LivingArrangement::CareInstitution),
            FactValue::Hardship(Hardship::Tekun),
            FactValue::Ability(Ability::Severe),
            FactValue::Hukou(RegionCode::parse("410202001002").unwrap()),
            FactValue::State(PersonState::Moved),
            FactValue::Away(AwayKind::Children),
            FactValue::Remark("青霉素过敏".into()),
        ] {
            assert_eq!(FactValue::parse(value.kind(), &value.code()), Some(value));
        }
        assert_eq!(FactValue::parse(FactKind::Living, "tekun"), None);
        assert_eq!(FactValue::parse(FactKind::Remark, " "), None);
        assert_eq!(FactValue::parse(FactKind::Remark, &"长".repeat(REMARK_MAX + 1)), None);
    }

    #[test]
    fn one_living_arrangement_but_several_hardships_at_a_time() {
        let living = |x| FactValue::Living(x);
        assert!(living(LivingArrangement::Alone).rivals(&living(LivingArrangement::WithSpouse)));
        assert!(!FactValue::Hardship(Hardship::Dibao).rivals(&FactValue::Hardship(Hardship::Alone)));
        assert!(FactValue::Hardship(Hardship::Dibao).rivals(&FactValue::Hardship(Hardship::Dibao)));
        assert!(!FactValue::Remark("一".into()).rivals(&FactValue::Remark("一".into())));
    }

    #[test]
    fn a_span_ends_before_its_last_day() {
        let may = Span { from: date(2026, 5, 1), to: Some(date(2026, 6, 1)) };
        assert!(may.holds(date(2026, 5, 31)) && !may.holds(date(2026, 6, 1)));
        assert!(!may.overlaps(Span::since(date(2026, 6, 1))));
        assert!(may.overlaps(Span::since(date(2026, 5, 31))));
    }
}
