//! Words clerks use for living, hardship and ability.

use domain::parties::{Hardship, LivingArrangement, text};
use serde::{Deserialize, Serialize};

/// The ability grade a file states (GB/T 42195). It is somebody's word, not an assessment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclaredAbility {
    /// 能力完好
    Intact,
    /// 轻度失能
    Mild,
    /// 中度失能
    Moderate,
    /// 重度失能
    Severe,
    /// 完全失能
    Complete,
}

impl DeclaredAbility {
    /// The word in tables and APIs.
    pub fn code(self) -> &'static str {
        match self {
            DeclaredAbility::Intact => "intact",
            DeclaredAbility::Mild => "mild",
            DeclaredAbility::Moderate => "moderate",
            DeclaredAbility::Severe => "severe",
            DeclaredAbility::Complete => "complete",
        }
    }
}

/// A cell that says "nothing" in words.
pub(super) fn nothing(text: &str) -> bool {
    matches!(
        text::compact(text).as_str(),
        "" | "无" | "没有" | "暂无" | "未知" | "不详" | "/" | "-" | "--" | "\\" | "0" | "空"
    )
}

/// What one living column says: an arrangement, or a hardship (空巢, 留守) written in its place.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Living {
    pub(super) arrangement: Option<LivingArrangement>,
    pub(super) hardship: Option<Hardship>,
}

/// `None` when the words mean nothing to us.
pub(super) fn living(title: &str, written: &str) -> Option<Living> {
    let value = text::compact(written);
    match yes_or_no(&value) {
        // 是 under 是否独居 is the title's word.
        Some(true) => return living_word(&text::compact(title)),
        Some(false) => return Some(Living::default()),
        None => {}
    }
    if nothing(&value) { Some(Living::default()) } else { living_word(&value) }
}

fn living_word(word: &str) -> Option<Living> {
    const ARRANGEMENTS: [(&[&str], LivingArrangement); 8] = [
        (
            &["养老机构", "敬老院", "养老院", "福利院", "护理院", "集中供养"],
            LivingArrangement::CareInstitution,
        ),
        (&["非亲属", "保姆", "雇"], LivingArrangement::WithNonRelatives),
        (&["独居", "独自", "一人", "单独", "自己住"], LivingArrangement::Alone),
        (&["子女", "儿子", "女儿", "儿女"], LivingArrangement::WithChildren),
        (&["配偶", "老伴", "夫妻", "夫妇"], LivingArrangement::WithSpouse),
        (&["父母", "父亲", "母亲"], LivingArrangement::WithParents),
        (&["兄弟", "姐妹"], LivingArrangement::WithSiblings),
        (&["亲属", "亲戚", "孙"], LivingArrangement::WithOtherRelatives),
    ];
    let arrangement =
        ARRANGEMENTS.iter().find(|(words, _)| words.iter().any(|w| word.contains(w))).map(|(_, one)| *one);
    let hardship = [("空巢", Hardship::EmptyNest), ("留守", Hardship::LeftBehind)];
    let hardship = hardship.iter().find(|(w, _)| word.contains(w)).map(|(_, one)| *one);
    (arrangement.is_some() || hardship.is_some()).then_some(Living { arrangement, hardship })
}

/// All categories a cell names; the words we do not know come back beside them.
pub(super) fn hardships(title: &str, written: &str) -> (Vec<Hardship>, Vec<String>) {
    let value = text::narrow(written);
    match yes_or_no(&text::compact(&value)) {
        Some(true) => return (hardship(&text::compact(title)).into_iter().collect(), Vec::new()),
        Some(false) => return (Vec::new(), Vec::new()),
        None => {}
    }
    let mut found = Vec::new();
    let mut unknown = Vec::new();
    for word in value.split(['、', ',', ';', '/', '+', ' ', '\n', '|', '及', '和']).filter(|w| !nothing(w))
    {
        match hardship(word) {
            Some(one) if found.contains(&one) => {}
            Some(one) => found.push(one),
            None if word.contains("一般") || word.contains("普通") || word.contains("非困难") => {}
            None => unknown.push(word.to_owned()),
        }
    }
    (found, unknown)
}

/// The narrower word first: 低保边缘 contains 低保.
fn hardship(word: &str) -> Option<Hardship> {
    const WORDS: [(&[&str], Hardship); 13] = [
        (&["低保边缘", "低边", "边缘家庭", "边缘户"], Hardship::DibaoBianyuan),
        (&["低保", "最低生活保障"], Hardship::Dibao),
        (&["特困", "五保", "三无"], Hardship::Tekun),
        (&["刚性支出", "支出型"], Hardship::RigidExpense),
        (&["计划生育", "计生", "失独"], Hardship::FamilyPlanningSpecial),
        (&["独居"], Hardship::Alone),
        (&["空巢"], Hardship::EmptyNest),
        (&["留守"], Hardship::LeftBehind),
        (&["失智", "痴呆", "认知障碍"], Hardship::Dementia),
        (&["失能"], Hardship::DisabledAbility),
        (&["重残", "重度残疾"], Hardship::SevereDisability),
        (&["优抚"], Hardship::VeteranBenefit),
        (&["驻军离退休"], Hardship::GarrisonRetiree),
    ];
    WORDS.iter().find(|(words, _)| words.iter().any(|w| word.contains(w))).map(|(_, one)| *one)
}

/// `Err` for words of an older scheme that fit two grades, or none.
pub(super) fn ability(written: &str) -> Result<Option<DeclaredAbility>, ()> {
    let value = text::compact(written);
    if !matches!(value.as_str(), "0") && nothing(&value) {
        return Ok(None);
    }
    const WORDS: [(&[&str], DeclaredAbility); 5] = [
        (&["完好", "正常", "自理", "0级", "0"], DeclaredAbility::Intact),
        (&["轻度", "1级", "1"], DeclaredAbility::Mild),
        (&["中度", "2级", "2"], DeclaredAbility::Moderate),
        (&["重度", "3级", "3"], DeclaredAbility::Severe),
        (&["完全失能", "4级", "4"], DeclaredAbility::Complete),
    ];
    // 半自理, 不能自理 and plain 失能 belong to the old three steps; a grade cannot be read off them.
    if ["半", "不能", "部分", "介助", "介护"].iter().any(|w| value.contains(w)) {
        return Err(());
    }
    let matches = |word: &str| if word.len() == 1 { value == word } else { value.contains(word) };
    WORDS.iter().find(|(words, _)| words.iter().any(|w| matches(w))).map(|(_, grade)| Some(*grade)).ok_or(())
}

fn yes_or_no(value: &str) -> Option<bool> {
    match value {
        "是" | "有" | "√" | "✓" | "✔" | "Y" | "y" | "1" => Some(true),
        "否" | "×" | "✗" | "N" | "n" | "不是" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn living_is_read_with_its_title() {
        let alone = Living { arrangement: Some(LivingArrangement::Alone), hardship: None };
        assert_eq!(living("居住状况", "独 居"), Some(alone));
        assert_eq!(living("是否独居", "是").unwrap().arrangement, Some(LivingArrangement::Alone));
        assert_eq!(living("是否独居", "否"), Some(Living::default()));
        assert_eq!(
            living("居住状况", "与老伴同住").unwrap().arrangement,
            Some(LivingArrangement::WithSpouse)
        );
        assert_eq!(living("居住状况", "空巢").unwrap().hardship, Some(Hardship::EmptyNest));
        assert_eq!(living("居住状况", "良好"), None);
    }

    #[test]
    fn several_hardships_in_one_cell() {
        let (found, unknown) = hardships("人员类别", "低保边缘、失独；建档立卡 低保边缘");
        assert_eq!(found, [Hardship::DibaoBianyuan, Hardship::FamilyPlanningSpecial]);
        assert_eq!(unknown, ["建档立卡"]);
        assert_eq!(hardships("是否低保", "是").0, [Hardship::Dibao]);
        assert_eq!(hardships("人员类别", "一般户"), (vec![], vec![]));
        assert_eq!(hardships("人员类别", "无"), (vec![], vec![]));
        assert_eq!(hardships("人员类别", "分散供养五保").0, [Hardship::Tekun]);
    }

    #[test]
    fn a_grade_of_the_old_scheme_is_asked_for() {
        assert_eq!(ability("能力完好"), Ok(Some(DeclaredAbility::Intact)));
        assert_eq!(ability("中度失能"), Ok(Some(DeclaredAbility::Moderate)));
        assert_eq!(ability("完全失能"), Ok(Some(DeclaredAbility::Complete)));
        assert_eq!(ability("2级"), Ok(Some(DeclaredAbility::Moderate)));
        assert_eq!(ability("0"), Ok(Some(DeclaredAbility::Intact)));
        assert_eq!(ability(""), Ok(None));
        for old in ["半失能", "不能自理", "失能", "12"] {
            assert_eq!(ability(old), Err(()), "{old}");
        }
    }
}
