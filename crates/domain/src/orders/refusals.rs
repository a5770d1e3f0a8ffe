//! Why a step of an order was not taken, in words that say what to do next.

use super::OrderState;
use crate::{
    money::{Fen, Minutes},
    refusal::{Refusal, RefusalKind},
    time::At,
};

/// A step of an order that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefusal {
    /// The step does not follow the state.
    #[error("工单现在是“{}”，不能{wish}", .state.label())]
    WrongState {
        /// Where the order stands.
        state: OrderState,
        /// What was asked, as a verb.
        wish: &'static str,
    },
    /// No such item in the catalogue on that day.
    #[error("服务目录里没有项目 {code}，请从目录中选择")]
    UnknownService {
        /// The code that was asked.
        code: String,
    },
    /// The wish lies in the past.
    #[error("上门时间 {start} 已经过去，请改约以后的时间")]
    InThePast {
        /// The asked start.
        start: At,
    },
    /// The wish lies too far ahead.
    #[error("最多提前 {days} 天预约，请改约更近的时间")]
    TooFarAhead {
        /// How many days ahead are allowed.
        days: i64,
    },
    /// The length makes no sense.
    #[error("时长应在 {min} 到 {max} 之间")]
    BadLength {
        /// Shortest plan.
        min: Minutes,
        /// Longest plan.
        max: Minutes,
    },
    /// The person cannot be served.
    #[error("{name}的档案状态是“{state}”，不能下单；如有误请先更正档案")]
    NotServed {
        /// Who, masked as the desk shows it.
        name: String,
        /// Label of the state.
        state: &'static str,
    },
    /// The same elder has the same item at that time already.
    #[error("这位老人 {start} 已有同一项目的工单，请勿重复下单")]
    AlreadyOrdered {
        /// Start of the other order.
        start: At,
    },
    /// Nobody pays the rest.
    #[error("补贴余额不足，需自付 {own}；请先告知老人或家属并确认自付")]
    OwnShareNotAgreed {
        /// What the elder would pay.
        own: Fen,
    },
    /// A price that was typed is not a price.
    #[error("金额应为正数")]
    BadPrice,
    /// The carer has another visit.
    #[error("{carer}在 {from}–{to} 已有上门任务，请换人或改时间")]
    DoubleBooked {
        /// Name of the carer.
        carer: String,
        /// Start of the other visit.
        from: String,
        /// End of the other visit.
        to: String,
    },
    /// A hard reason against the carer.
    #[error("{carer}不能接这一单：{why}")]
    Unsuitable {
        /// Name of the carer.
        carer: String,
        /// The reasons, joined.
        why: String,
    },
    /// The order was offered to somebody else.
    #[error("这一单没有派给您，可能已改派，请刷新任务列表")]
    NotYours,
    /// Too far from the home.
    #[error("签到位置离老人住处 {metres} 米，超过 {max} 米；请到门口再签到，定位不准请联系派单员")]
    TooFar {
        /// Distance to the home.
        metres: i64,
        /// The farthest allowed.
        max: i64,
    },
    /// The place cannot be true.
    #[error("定位数据不合理，请打开手机定位后重试")]
    BadFix,
    /// Too early.
    #[error("还没到约定时间（{start}），最早可提前 {minutes} 分钟签到")]
    TooEarly {
        /// Planned start.
        start: At,
        /// How much earlier is allowed.
        minutes: i64,
    },
    /// The device's clock says something impossible.
    #[error("手机时间 {device} 与服务器时间相差太多，请校准手机时间")]
    DeviceClock {
        /// What the device said.
        device: At,
    },
    /// An offline record came too late.
    #[error("离线记录超过 {hours} 小时才上传，请联系派单员人工补录")]
    TooLate {
        /// The limit.
        hours: i64,
    },
    /// The visit was shorter than the item's minimum.
    #[error("实际服务 {minutes}，少于该项目最短 {min}；请写明原因")]
    TooShort {
        /// What was served.
        minutes: Minutes,
        /// The item's minimum.
        min: Minutes,
    },
    /// A carer before a closed door has not waited long enough.
    #[error("请再等 {minutes} 分钟；等满后仍无人应答才能登记空访")]
    WaitLonger {
        /// How much longer.
        minutes: i64,
    },
    /// A visit broke off before the item's minimum.
    #[error("中断前只服务了 {minutes}，不足该项目最短 {min}，按规定不付费；请取消工单退回额度，或申请例外")]
    BrokeOffEarly {
        /// What was served.
        minutes: Minutes,
        /// The item's minimum.
        min: Minutes,
    },
    /// The city has not said what a visit to a closed door is paid.
    #[error("本市没有规定空访补偿的金额，不能结算；请在城市包里写明后再办")]
    NoFeeSet,
    /// Such visits were paid often enough this month.
    #[error("这位老人本月已付过 {times} 次空访补偿，不再付")]
    PaidOften {
        /// How often it is paid.
        times: i64,
    },
    /// The elder owes nothing for the order.
    #[error("这一单没有自付部分，不用收取")]
    NothingOwed,
    /// The elder's part was taken already.
    #[error("这一单的自付已于 {at} 收取，请勿重复登记")]
    Collected {
        /// When.
        at: At,
    },
    /// A word that must be given is missing.
    #[error("请填写{what}")]
    Missing {
        /// What is missing.
        what: &'static str,
    },
    /// More than anybody reads.
    #[error("{what}最多 {max} 个字，请精简")]
    NoteTooLong {
        /// What is too long.
        what: &'static str,
        /// How much is taken.
        max: usize,
    },
    /// Stars out of range.
    #[error("评分应为 1 到 5 星")]
    BadStars,
    /// There is a rating already.
    #[error("这一单已经评价过")]
    AlreadyRated,
    /// Nobody accepted the service and no second person excused it.
    #[error("未经验收的服务不能结算；请先验收，或由另一人批准例外")]
    NotAccepted,
    /// Nothing shows that the carer was at the home.
    #[error("到场没有定位证明，不能直接结算；请写明原因申请例外，由另一人批准")]
    NotProved,
    /// The second person is the first.
    #[error("申请人和批准人必须是两个人")]
    SamePerson,
    /// A right is used up.
    #[error("额度不足：需要 {needed}，剩余 {left}")]
    NoRightLeft {
        /// What the step needs.
        needed: i64,
        /// What is left.
        left: i64,
    },
}

impl Refusal for OrderRefusal {
    fn code(&self) -> &'static str {
        use OrderRefusal::*;
        match self {
            WrongState { .. } => "wrong_state",
            UnknownService { .. } => "unknown_service",
            InThePast { .. } => "in_the_past",
            TooFarAhead { .. } => "too_far_ahead",
            BadLength { .. } => "bad_length",
            NotServed { .. } => "not_served",
            AlreadyOrdered { .. } => "already_ordered",
            OwnShareNotAgreed { .. } => "own_share_not_agreed",
            BadPrice => "bad_price",
            DoubleBooked { .. } => "double_booked",
            Unsuitable { .. } => "unsuitable",
            NotYours => "not_yours",
            TooFar { .. } => "too_far",
            BadFix => "bad_fix",
            TooEarly { .. } => "too_early",
            DeviceClock { .. } => "device_clock",
            TooLate { .. } => "too_late",
            TooShort { .. } => "too_short",
            WaitLonger { .. } => "wait_longer",
            BrokeOffEarly { .. } => "broke_off_early",
            NoFeeSet => "no_fee_set",
            PaidOften { .. } => "paid_often",
            NothingOwed => "nothing_owed",
            Collected { .. } => "collected",
            Missing { .. } => "missing",
            NoteTooLong { .. } => "note_too_long",
            BadStars => "bad_stars",
            AlreadyRated => "already_rated",
            NotAccepted => "not_accepted",
            NotProved => "not_proved",
            SamePerson => "same_person",
            NoRightLeft { .. } => "no_right_left",
        }
    }

    fn kind(&self) -> RefusalKind {
        use OrderRefusal::*;
        match self {
            UnknownService { .. }
            | InThePast { .. }
            | TooFarAhead { .. }
            | BadLength { .. }
            | BadPrice
            | BadFix
            | DeviceClock { .. }
            | Missing { .. }
            | NoteTooLong { .. }
            | BadStars => RefusalKind::Invalid,
            _ => RefusalKind::Conflict,
        }
    }
}
