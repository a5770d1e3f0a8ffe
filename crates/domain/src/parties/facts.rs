//! Facts about people: a value with its source, when it was true and when we knew it.

use crate::access::words;

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
        /// 慢性病、过敏等
        Remark = "remark" "备注",
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
