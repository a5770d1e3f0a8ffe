//! With whom somebody lives (the code list of the ability assessment, GB/T 42195).

use serde::{Deserialize, Serialize};

/// One living arrangement at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LivingArrangement {
    /// 独居
    Alone,
    /// 与配偶同住
    WithSpouse,
    /// 与子女同住
    WithChildren,
    /// 与父母同住
    WithParents,
    /// 与兄弟姐妹同住
    WithSiblings,
    /// 与其他亲属同住
    WithOtherRelatives,
    /// 与非亲属同住
    WithNonRelatives,
    /// 住养老机构
    #[serde(rename = "in_care_institution")]
    CareInstitution,
}

impl LivingArrangement {
    /// All, in the order of the standard.
    pub const ALL: [LivingArrangement; 8] = [
        LivingArrangement::Alone,
        LivingArrangement::WithSpouse,
        LivingArrangement::WithChildren,
        LivingArrangement::WithParents,
        LivingArrangement::WithSiblings,
        LivingArrangement::WithOtherRelatives,
        LivingArrangement::WithNonRelatives,
        LivingArrangement::CareInstitution,
    ];

    /// The word in tables and APIs.
    pub fn code(self) -> &'static str {
        match self {
            LivingArrangement::Alone => "alone",
            LivingArrangement::WithSpouse => "with_spouse",
            LivingArrangement::WithChildren => "with_children",
            LivingArrangement::WithParents => "with_parents",
            LivingArrangement::WithSiblings => "with_siblings",
            LivingArrangement::WithOtherRelatives => "with_other_relatives",
            LivingArrangement::WithNonRelatives => "with_non_relatives",
            LivingArrangement::CareInstitution => "in_care_institution",
        }
    }

    /// Back from the table.
    pub fn from_code(code: &str) -> Option<LivingArrangement> {
        LivingArrangement::ALL.into_iter().find(|one| one.code() == code)
    }

    /// The words on the screen.
    pub fn label(self) -> &'static str {
        match self {
            LivingArrangement::Alone => "独居",
            LivingArrangement::WithSpouse => "与配偶同住",
            LivingArrangement::WithChildren => "与子女同住",
            LivingArrangement::WithParents => "与父母同住",
            LivingArrangement::WithSiblings => "与兄弟姐妹同住",
            LivingArrangement::WithOtherRelatives => "与其他亲属同住",
            LivingArrangement::WithNonRelatives => "与非亲属同住",
            LivingArrangement::CareInstitution => "住养老机构",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_go_both_ways_and_differ() {
        for one in LivingArrangement::ALL {
            assert_eq!(LivingArrangement::from_code(one.code()), Some(one));
        }
        assert_eq!(LivingArrangement::from_code("独居"), None);
    }
}
