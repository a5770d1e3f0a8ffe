//! Why something about the register was refused, in words that say what to do.

use domain::{
    ids::PersonId,
    parties::{FactValue, Span},
    refusal::{Refusal, RefusalKind},
    time::Day,
};

/// Somebody was not entered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnrolRefusal {
    /// The village or community does not exist today.
    #[error("没有区划 {0}，请重新选择村（社区）")]
    RegionUnknown(String),
    /// The region is not a village or community.
    #[error("“{0}”还不到村（社区）一级，请选到村（社区）")]
    RegionTooHigh(String),
    /// The region is not one's own.
    #[error("“{0}”不在您的管辖范围内，请由当地登记")]
    OutsideRange(String),
    /// A made-up number in a real office.
    #[error("这是测试用的号码（地区码为99），正式系统不接受，请填写真实证件号码")]
    TestRegion,
    /// Birth or sex contradict the number.
    #[error("出生日期或性别与身份证号不一致，请照证件核对")]
    AgainstId,
    /// Born in the future.
    #[error("出生日期 {0} 在今天之后，请核对")]
    BornLater(Day),
    /// No address, or too long.
    #[error("请填写住址，最多 200 字")]
    Address,
    /// Words too long.
    #[error("“{0}”太长，请缩短")]
    TooLong(&'static str),
    /// Too many contacts, or one without a name.
    #[error("联系人最多 10 位，每位要有姓名（30 字以内）和关系（20 字以内）")]
    Contacts,
    /// Two facts answer the same question for the same days.
    #[error("“{0}”与“{1}”的日期重叠，请改正起止日期")]
    Overlap(String, String),
    /// The number is taken by somebody one may not see.
    #[error("这个身份证号已在其他地区登记，请联系上级民政部门核实后办理迁入")]
    RegisteredElsewhere,
    /// The number belongs to another record.
    #[error("这个身份证号已登记在另一份档案上，请核对号码；如是同一人，请联系上级民政部门合并")]
    NumberTaken,
    /// The person has died; the file is kept as it is.
    #[error("本人已登记去世，档案已锁定，不再更新。如登记有误，请先在档案里更正状态")]
    Deceased,
    /// Somebody alike is there already, and neither has a number to tell them apart.
    #[error("同村已有同名、同日出生的“{name}”，请先核对是否同一人；如确为两人，请补充身份证号后登记")]
    Alike {
        /// The name.
        name: String,
        /// Who is there.
        person: PersonId,
    },
}

impl Refusal for EnrolRefusal {
    fn code(&self) -> &'static str {
        match self {
            EnrolRefusal::RegionUnknown(_) => "region_unknown",
            EnrolRefusal::RegionTooHigh(_) => "region_too_high",
            EnrolRefusal::OutsideRange(_) => "region_outside_range",
            EnrolRefusal::TestRegion => "id_test_region",
            EnrolRefusal::AgainstId => "against_id",
            EnrolRefusal::BornLater(_) => "born_later",
            EnrolRefusal::Address => "address",
            EnrolRefusal::TooLong(_) => "too_long",
            EnrolRefusal::Contacts => "contacts",
            EnrolRefusal::Overlap(..) => "facts_overlap",
            EnrolRefusal::RegisteredElsewhere => "registered_elsewhere",
            EnrolRefusal::NumberTaken => "id_taken",
            EnrolRefusal::Deceased => "deceased",
            EnrolRefusal::Alike { .. } => "alike",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            EnrolRefusal::RegisteredElsewhere
            | EnrolRefusal::NumberTaken
            | EnrolRefusal::Deceased
            | EnrolRefusal::Alike { .. } => RefusalKind::Conflict,
            _ => RefusalKind::Invalid,
        }
    }
}

impl EnrolRefusal {
    /// The field of the form it is about.
    pub fn field(&self) -> &'static str {
        match self {
            EnrolRefusal::RegionUnknown(_)
            | EnrolRefusal::RegionTooHigh(_)
            | EnrolRefusal::OutsideRange(_) => "region",
            EnrolRefusal::TestRegion | EnrolRefusal::RegisteredElsewhere | EnrolRefusal::NumberTaken => {
                "id_no"
            }
            EnrolRefusal::AgainstId | EnrolRefusal::BornLater(_) => "birth",
            EnrolRefusal::Address => "address",
            EnrolRefusal::TooLong(_) => "language",
            EnrolRefusal::Contacts => "contacts",
            EnrolRefusal::Overlap(..) => "living",
            EnrolRefusal::Alike { .. } | EnrolRefusal::Deceased => "name",
        }
    }
}

/// A record was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditRefusal {
    /// What was entered cannot be.
    #[error(transparent)]
    Entry(#[from] EnrolRefusal),
    /// Somebody else changed it in between.
    #[error("这份档案刚被别人改过，请刷新后核对再改")]
    ChangedMeanwhile,
    /// The person has died; the file is kept as it is.
    #[error("本人已登记去世，档案已锁定。如登记有误，请先更正状态")]
    Locked,
    /// Too late, or somebody else's change.
    #[error("只能由本人在十分钟内撤销刚才的修改；请打开档案改回来")]
    TooLate,
    /// Nothing is different.
    #[error("没有改动")]
    Nothing,
}

impl Refusal for EditRefusal {
    fn code(&self) -> &'static str {
        match self {
            EditRefusal::Entry(entry) => entry.code(),
            EditRefusal::ChangedMeanwhile => "changed_meanwhile",
            EditRefusal::Locked => "locked",
            EditRefusal::TooLate => "too_late",
            EditRefusal::Nothing => "nothing_changed",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            EditRefusal::Entry(entry) => entry.kind(),
            EditRefusal::Nothing => RefusalKind::Invalid,
            _ => RefusalKind::Conflict,
        }
    }
}

/// A fact was not stated or corrected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactRefusal {
    /// It is on record already.
    #[error("“{0}”已经登记过，不用重复登记")]
    Known(String),
    /// Another answer to the same question holds on some of the days.
    #[error("这段时间已登记为“{0}”，请先更正原来的登记")]
    Overlap(String),
    /// It ends before it begins.
    #[error("结束日期应晚于开始日期")]
    Backwards,
    /// Begins before the birth or too far ahead.
    #[error("开始日期 {0} 不合理，请核对")]
    Day(Day),
    /// No source given.
    #[error("请写明来源（谁、凭什么材料），最多 100 字")]
    Source,
    /// No reason given for a correction.
    #[error("请写明更正的原因，2 到 100 字")]
    Reason,
    /// The region of a hukou is not known.
    #[error("没有区划 {0}，请核对户籍地")]
    Region(String),
    /// The fact was corrected already.
    #[error("这条登记已被更正，请刷新后再看")]
    Corrected,
    /// Too late, or not one's own.
    #[error("只能在十分钟内撤销自己刚做的登记；之后请用“更正”")]
    TooLate,
    /// The person has died; the file is kept as it is.
    #[error("本人已登记去世，档案已锁定。如登记有误，请先更正状态")]
    Locked,
}

impl FactRefusal {
    /// Says which fact stands in the way.
    pub(super) fn overlap(value: &FactValue, span: Span) -> FactRefusal {
        FactRefusal::Overlap(said(value, span))
    }
}

/// A fact in a few words: "独居，2025-01-01 起".
pub(super) fn said(value: &FactValue, span: Span) -> String {
    match span.to {
        None => format!("{}，{} 起", value.label(), span.from),
        Some(to) => format!("{}，{} 至 {} 前", value.label(), span.from, to),
    }
}

impl Refusal for FactRefusal {
    fn code(&self) -> &'static str {
        match self {
            FactRefusal::Known(_) => "fact_known",
            FactRefusal::Overlap(_) => "facts_overlap",
            FactRefusal::Backwards => "fact_backwards",
            FactRefusal::Day(_) => "fact_day",
            FactRefusal::Source => "fact_source",
            FactRefusal::Reason => "reason_needed",
            FactRefusal::Region(_) => "region_unknown",
            FactRefusal::Corrected => "fact_corrected",
            FactRefusal::TooLate => "too_late",
            FactRefusal::Locked => "locked",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            FactRefusal::Backwards
            | FactRefusal::Day(_)
            | FactRefusal::Source
            | FactRefusal::Reason
            | FactRefusal::Region(_) => RefusalKind::Invalid,
            _ => RefusalKind::Conflict,
        }
    }
}

/// A masked value was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RevealRefusal {
    /// A reason is needed.
    #[error("请写明查看的原因，至少两个字")]
    Reason,
    /// The reason is too long.
    #[error("原因最多 80 字")]
    ReasonTooLong,
    /// Nothing is there to open.
    #[error("没有登记这一项")]
    Empty,
}

impl Refusal for RevealRefusal {
    fn code(&self) -> &'static str {
        match self {
            RevealRefusal::Reason => "reason_needed",
            RevealRefusal::ReasonTooLong => "reason_too_long",
            RevealRefusal::Empty => "nothing_there",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            RevealRefusal::Empty => RefusalKind::Conflict,
            _ => RefusalKind::Invalid,
        }
    }
}
