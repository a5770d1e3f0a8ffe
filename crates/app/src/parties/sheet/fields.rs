//! What a column can mean, and the many titles clerks give it.

use serde::{Deserialize, Serialize};

use domain::parties::text;

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident $code:literal $label:literal),* $(,)?) => {
        /// The meaning of one column.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Field {
            $($(#[$doc])* $name,)*
        }

        impl Field {
            /// All, in the order a form would ask.
            pub const ALL: &'static [Field] = &[$(Field::$name),*];

            /// The word in forms and APIs.
            pub fn code(self) -> &'static str {
                match self { $(Field::$name => $code),* }
            }

            /// The words on the screen.
            pub fn label(self) -> &'static str {
                match self { $(Field::$name => $label),* }
            }
        }
    };
}

fields! {
    /// Name.
    Name "name" "姓名",
    /// Kind of document.
    IdType "id_type" "证件类型",
    /// Identity number.
    IdNo "id_no" "身份证号",
    /// Sex.
    Sex "sex" "性别",
    /// Day of birth.
    Birth "birth" "出生日期",
    /// Own phone.
    Phone "phone" "联系电话",
    /// County of residence.
    County "county" "县区",
    /// Township of residence.
    Township "township" "乡镇街道",
    /// Village or community of residence.
    Village "village" "村社区",
    /// Residence in one text, such as 龙亭区北书店街某社区.
    Region "region" "居住区划",
    /// House and door.
    Address "address" "详细地址",
    /// County of the hukou.
    HukouCounty "hukou_county" "户籍县区",
    /// Township of the hukou.
    HukouTownship "hukou_township" "户籍乡镇街道",
    /// Village of the hukou.
    HukouVillage "hukou_village" "户籍村社区",
    /// Hukou in one text.
    Hukou "hukou" "户籍地",
    /// With whom somebody lives.
    Living "living" "居住状况",
    /// Hardship categories.
    Hardship "hardship" "困难类型",
    /// Ability grade.
    Ability "ability" "能力等级",
    /// Bank card.
    BankCard "bank_card" "银行卡号",
    /// Who to call.
    EmergencyName "emergency_name" "紧急联系人",
    /// Their phone.
    EmergencyPhone "emergency_phone" "紧急联系电话",
    /// Anything else.
    Remark "remark" "备注",
}

impl Field {
    /// Back from a form.
    pub fn from_code(code: &str) -> Option<Field> {
        Field::ALL.iter().copied().find(|field| field.code() == code)
    }

    /// May stand in several columns: 是否低保 beside 是否特困, 居住状况 beside 是否独居.
    pub fn repeatable(self) -> bool {
        matches!(self, Field::Hardship | Field::Living | Field::Remark)
    }

    /// Part of where somebody lives.
    pub(super) const RESIDENCE: [Field; 4] = [Field::Village, Field::Township, Field::County, Field::Region];
    /// Part of where somebody is registered.
    pub(super) const HUKOU: [Field; 4] =
        [Field::HukouVillage, Field::HukouTownship, Field::HukouCounty, Field::Hukou];

    /// Merged cells reach into rows below only where places are concerned: a merged village is a
    /// village for all its people, a merged name is a mistake.
    pub(super) fn carries(self) -> bool {
        Field::RESIDENCE.contains(&self) || Field::HUKOU.contains(&self)
    }
}

/// Titles that name a field whole.
const EXACT: &[(Field, &[&str])] = &[
    (Field::Name, &["姓名", "名字", "老年人", "老人"]),
    (Field::IdType, &["证件类型", "证件类别", "证件种类", "证件名称"]),
    (
        Field::IdNo,
        &[
            "身份证号",
            "身份证号码",
            "身份证",
            "公民身份号码",
            "公民身份证号码",
            "证件号",
            "证件号码",
            "身份号码",
            "身份证件号码",
        ],
    ),
    (Field::Sex, &["性别"]),
    (Field::Birth, &["出生日期", "出生年月", "出生年月日", "生日", "出生时间"]),
    (
        Field::Phone,
        &[
            "联系电话",
            "电话",
            "手机",
            "手机号",
            "手机号码",
            "电话号码",
            "联系方式",
            "联系手机",
            "移动电话",
            "固定电话",
        ],
    ),
    (Field::County, &["县区", "区县", "县", "区", "县市区", "市县", "市县区", "县/区", "区/县"]),
    (
        Field::Township,
        &[
            "乡镇街道",
            "乡镇",
            "街道",
            "镇街",
            "街镇",
            "街道乡镇",
            "镇",
            "乡",
            "镇办",
            "乡镇办",
            "办事处",
            "乡镇/街道",
            "街道/乡镇",
            "乡镇办事处",
        ],
    ),
    (
        Field::Village,
        &[
            "村社区",
            "村",
            "社区",
            "村居",
            "行政村",
            "村委会",
            "居委会",
            "社区村",
            "村委",
            "村名",
            "村/社区",
            "社区/村",
            "居村",
        ],
    ),
    (
        Field::Region,
        &["区划", "行政区划", "居住区划", "地区", "居住地区", "常住地", "居住地", "辖区", "属地"],
    ),
    (
        Field::Address,
        &[
            "详细地址",
            "家庭住址",
            "家庭地址",
            "住址",
            "地址",
            "居住地址",
            "现住址",
            "现居住地址",
            "现居住地",
            "通讯地址",
            "常住地址",
            "门牌号",
            "门牌",
            "门牌号码",
            "门牌地址",
            "楼栋门牌",
            "组户号",
        ],
    ),
    (Field::Hukou, &["户籍地", "户籍地址", "户籍所在地", "户口所在地", "户籍", "户籍住址", "户口地址"]),
    (Field::Living, &["居住状况", "居住情况", "是否独居", "居住方式", "居住类型", "是否空巢", "是否留守"]),
    (
        Field::Hardship,
        &[
            "人员类别",
            "人员类型",
            "困难类型",
            "困难类别",
            "类别",
            "类型",
            "对象类别",
            "对象类型",
            "保障类型",
            "救助类型",
            "身份类别",
            "特殊困难类型",
        ],
    ),
    (
        Field::Ability,
        &[
            "能力等级",
            "失能等级",
            "能力评估等级",
            "评估等级",
            "失能程度",
            "自理能力",
            "自理情况",
            "能力状况",
            "生活自理能力",
            "失能情况",
            "能力评估结果",
        ],
    ),
    (
        Field::BankCard,
        &["银行卡号", "银行账号", "银行卡", "卡号", "银行账户", "账号", "银行帐号", "发放账号"],
    ),
    (Field::EmergencyName, &["紧急联系人", "紧急联系人姓名", "联系人", "联系人姓名", "家属姓名"]),
    (
        Field::EmergencyPhone,
        &[
            "紧急联系电话",
            "紧急联系人电话",
            "紧急联系人联系电话",
            "联系人电话",
            "家属电话",
            "家属联系电话",
            "紧急联系方式",
        ],
    ),
    (Field::Remark, &["备注", "说明", "备注说明"]),
];

/// Who a list is about; 老人姓名 and 姓名 are the same.
const SUBJECTS: [&str; 9] =
    ["老年人", "老人", "本人", "申请人", "申请对象", "服务对象", "对象", "受益人", "所在"];

/// Other people who turn up in a list of elders. Their number must never become the elder's.
const OTHERS: [&str; 18] = [
    "户主",
    "监护",
    "配偶",
    "子女",
    "儿子",
    "女儿",
    "经办",
    "评估员",
    "评估人",
    "代领",
    "领取人",
    "负责人",
    "志愿者",
    "网格员",
    "护理员",
    "责任人",
    "包保",
    "开户",
];

/// The field a title names.
pub(super) fn recognise(title: &str) -> Option<Field> {
    let title = plain(title);
    if title.is_empty() || title.chars().count() > 20 {
        return None;
    }
    exact(&title).or_else(|| {
        let shorter = SUBJECTS.iter().find_map(|subject| title.strip_prefix(subject));
        shorter.and_then(|rest| exact(rest.trim_start_matches('的'))).or_else(|| loose(&title))
    })
}

/// A title over several columns that changes whose column it is, as 紧急联系人 over 姓名 and 电话.
pub(super) fn qualifies(top: &str) -> bool {
    let top = plain(top);
    let words = ["户籍", "户口", "紧急", "家属", "联系人"];
    words.iter().chain(&OTHERS).any(|word| top.contains(word))
}

/// Without spaces, stars, colons, quotes, and without what stands in brackets.
pub(super) fn plain(title: &str) -> String {
    let mut depth = 0usize;
    let mut kept = String::new();
    for c in text::compact(title).chars() {
        match c {
            '(' | '[' | '【' | '〔' => depth += 1,
            ')' | ']' | '】' | '〕' => depth = depth.saturating_sub(1),
            '*' | ':' | '"' | '“' | '”' | '★' | '、' | '.' | '。' => {}
            c if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

fn exact(title: &str) -> Option<Field> {
    EXACT.iter().find(|(_, titles)| titles.contains(&title)).map(|(field, _)| *field)
}

fn loose(title: &str) -> Option<Field> {
    let has = |words: &[&str]| words.iter().any(|word| title.contains(word));
    if has(&OTHERS) {
        return None;
    }
    if has(&["紧急", "家属", "联系人"]) {
        let phone = has(&["电话", "手机", "联系方式"]);
        let other = has(&["身份证", "关系", "地址", "住址"]);
        return if phone { Some(Field::EmergencyPhone) } else { (!other).then_some(Field::EmergencyName) };
    }
    if has(&["身份证", "公民身份"]) {
        return Some(Field::IdNo);
    }
    if has(&["户籍", "户口"]) && !has(&["性质", "类型", "类别"]) {
        return Some(match () {
            () if has(&["村", "社区"]) => Field::HukouVillage,
            () if has(&["乡", "镇", "街道"]) => Field::HukouTownship,
            () if has(&["县", "区"]) => Field::HukouCounty,
            () => Field::Hukou,
        });
    }
    const RULES: [(&[&str], Field); 14] = [
        (&["性别"], Field::Sex),
        (&["出生"], Field::Birth),
        (&["电话", "手机", "联系方式"], Field::Phone),
        (&["银行卡", "银行账", "银行帐"], Field::BankCard),
        (&["独居", "空巢", "留守", "居住状", "居住情"], Field::Living),
        (&["低保", "特困", "困难类", "人员类", "重残", "优抚", "计生", "计划生育"], Field::Hardship),
        (&["失能", "自理", "能力等级"], Field::Ability),
        (&["地址", "住址"], Field::Address),
        (&["街道", "乡镇"], Field::Township),
        (&["社区", "行政村", "村居"], Field::Village),
        (&["县区", "区县", "县市区"], Field::County),
        (&["姓名"], Field::Name),
        (&["门牌", "楼号"], Field::Address),
        (&["备注"], Field::Remark),
    ];
    RULES.iter().find(|(words, _)| has(words)).map(|(_, field)| *field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_of_real_lists_are_recognised() {
        for (title, field) in [
            ("姓　名", Field::Name),
            ("*老人姓名（必填）", Field::Name),
            ("身份证\n号码", Field::IdNo),
            ("公民身份号码", Field::IdNo),
            ("证件号码:", Field::IdNo),
            ("出生年月", Field::Birth),
            ("手机（本人）", Field::Phone),
            ("本人联系电话", Field::Phone),
            ("所在乡镇（街道）", Field::Township),
            ("村（社区）", Field::Village),
            ("家庭详细住址", Field::Address),
            ("门牌", Field::Address),
            ("所在小区门牌号", Field::Address),
            ("户籍所在村社区", Field::HukouVillage),
            ("户籍地址", Field::Hukou),
            ("是否独居", Field::Living),
            ("是否低保", Field::Hardship),
            ("老年人能力评估等级", Field::Ability),
            ("本人银行卡号", Field::BankCard),
            ("紧急联系人手机", Field::EmergencyPhone),
            ("家属姓名", Field::EmergencyName),
        ] {
            assert_eq!(recognise(title), Some(field), "{title}");
        }
    }

    #[test]
    fn other_peoples_columns_stay_unread() {
        for title in [
            "户主身份证号",
            "监护人电话",
            "配偶姓名",
            "网格员联系方式",
            "开户行",
            "与紧急联系人关系",
            "年龄",
            "序号",
            "",
        ] {
            assert_eq!(recognise(title), None, "{title}");
        }
    }

    #[test]
    fn codes_go_both_ways() {
        for field in Field::ALL {
            assert_eq!(Field::from_code(field.code()), Some(*field));
            assert_eq!(recognise(field.label()), Some(*field), "a template of ours must read itself");
        }
    }
}
