//! How alarms end in a simulated city: what the operator hears, writes down and decides.

use domain::signals::incident::{IncidentKind, IncidentOutcome};

/// How one alarm ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ending {
    /// What is noted while it goes on.
    pub(crate) note: &'static str,
    /// The outcome.
    pub(crate) outcome: IncidentOutcome,
    /// Who is with the elder then; empty for things.
    pub(crate) with_elder: &'static str,
    /// What happened.
    pub(crate) text: &'static str,
}

const fn ending(
    note: &'static str,
    outcome: IncidentOutcome,
    with_elder: &'static str,
    text: &'static str,
) -> Ending {
    Ending { note, outcome, with_elder, text }
}

use IncidentOutcome::{FalseDevice, FalsePress, FalseRule, RealHelped, RealHospital, Test};

const PRESSES: &[Ending] = &[
    ending(
        "电话接通，老人说没事",
        FalsePress,
        "老人独自在家，状态良好",
        "翻身时误按床头按钮，已安慰老人，告知不用担心",
    ),
    ending(
        "电话接通，老人说找不到药",
        RealHelped,
        "邻居已到家中",
        "老人找不到降压药，邻居上门帮忙找到，看着服下",
    ),
    ending(
        "无人接听，已联系邻居上门",
        FalsePress,
        "邻居已见到老人",
        "老人在厨房没听见电话，按钮是擦桌子时碰到的",
    ),
    ending(
        "老人说头晕，正联系家属",
        RealHelped,
        "女儿已到家中",
        "起身过快头晕，女儿陪同休息，约明天社区卫生站复查",
    ),
    ending(
        "老人说胸口闷，已建议拨打 120",
        RealHospital,
        "120 医护人员",
        "胸闷持续，120 送医，家属已在医院等候",
    ),
    ending("老人和家属一起试设备", Test, "女儿在旁", "家属试按，设备正常"),
    ending("老人想找人说说话", RealHelped, "老人独自在家，情绪平稳", "陪聊八分钟，已请志愿者下午上门看望"),
];

const FALLS: &[Ending] = &[
    ending(
        "电话接通，老人说手表掉在地上",
        FalseDevice,
        "老人独自在家，状态良好",
        "手表掉落触发跌倒，已请老人重新戴好",
    ),
    ending(
        "老人坐在地上起不来，邻居正赶去",
        RealHelped,
        "邻居和网格员在场",
        "在卫生间滑倒，无外伤，扶起后观察半小时正常",
    ),
    ending("老人说腿疼不能动，建议 120", RealHospital, "120 医护人员", "疑似髋部骨折，120 送医，儿子随车"),
];

const FIRES: &[Ending] = &[
    ending("家属在家，炒菜油烟大", FalseDevice, "女儿在家", "炒菜油烟触发烟感，已开窗，建议调整安装位置"),
    ending("邻居上门，锅烧干了", RealHelped, "邻居在场", "锅烧干冒烟，已关火开窗，无人受伤"),
];

const SILENCES: &[Ending] = &[
    ending(
        "电话无人接，已请网格员上门",
        RealHelped,
        "网格员已见到老人",
        "老人在家，设备没电没有发觉，已换电池，约定每天报平安",
    ),
    ending("联系上女儿", FalseRule, "在女儿家", "老人到女儿家小住，已请家属登记外出"),
    ending("敲门后老人开门", RealHelped, "社区工作人员在场", "感冒卧床两天没出门，已联系卫生站上门"),
];

const VISITS: &[Ending] =
    &[ending("已电话联系老人", RealHelped, "老人独自在家，状态良好", "电话联系上，社区今天补上门")];

const WATER: &[Ending] = &[
    ending("电话接通，老人在家", FalseRule, "老人独自在家，状态良好", "昨晚在邻居家吃饭，睡得早，用水少"),
    ending("请物业查看", RealHelped, "物业人员在场", "马桶漏水，物业已修"),
];

const VITALS: &[Ending] =
    &[ending("电话接通，请老人静坐后复测", RealHelped, "老伴在家", "复测已下降，已告知家庭医生，明天随访")];

const THINGS: &[Ending] = &[
    ending("已通知运维", FalseDevice, "", "设备没电或离线，运维已派单更换电池"),
    ending("已联系厂商", FalseDevice, "", "厂商平台中断，已恢复上报"),
];

/// How an alarm of that kind ends, by a draw.
pub(crate) fn ending_of(kind: IncidentKind, draw: u64) -> Ending {
    let of = match kind {
        IncidentKind::Fall | IncidentKind::Bed => FALLS,
        IncidentKind::Smoke | IncidentKind::Gas => FIRES,
        IncidentKind::Silence | IncidentKind::NoMovement => SILENCES,
        IncidentKind::MissedVisit | IncidentKind::Finding => VISITS,
        IncidentKind::WaterLow | IncidentKind::WaterHigh => WATER,
        IncidentKind::Vital | IncidentKind::Temperature => VITALS,
        IncidentKind::Area => return THINGS[1],
        IncidentKind::DeviceFault => return THINGS[0],
        _ => PRESSES,
    };
    of[(draw % of.len() as u64) as usize]
}
