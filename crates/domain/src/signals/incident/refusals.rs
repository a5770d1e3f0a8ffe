//! Why a step of an incident was not taken, in words that say what to do next.

use super::{IncidentState, Level};
use crate::refusal::{Refusal, RefusalKind};

/// A step of an incident that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IncidentRefusal {
    /// Somebody else was faster.
    #[error("这起警情已由{name}接手")]
    Taken {
        /// Who has it.
        name: String,
    },
    /// Somebody else has it.
    #[error("这起警情由{name}负责，请联系{name}，或请班长改派")]
    NotYours {
        /// Who has it.
        name: String,
    },
    /// The step does not follow the state.
    #[error("警情现在是“{}”，不能{wish}", .state.label())]
    WrongState {
        /// Where it stands.
        state: IncidentState,
        /// What was asked, as a verb.
        wish: &'static str,
    },
    /// A word that must be given is missing.
    #[error("请填写{what}")]
    Missing {
        /// What is missing.
        what: &'static str,
    },
    /// More than anybody reads.
    #[error("{what}最多 {max} 个字，请精简")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// How much is taken.
        max: usize,
    },
    /// A hold that would be silent for too long.
    #[error("保持时间应为 1 到 {seconds} 秒，到时会再次响铃")]
    HoldTooLong {
        /// The limit.
        seconds: i64,
    },
    /// It has this level.
    #[error("警情已经是{}", .level.label())]
    SameLevel {
        /// Which.
        level: Level,
    },
    /// Only the shift's leader ends it so.
    #[error("“联系不上”只能由班长结案，请先上报班长")]
    LeaderOnly,
    /// The second person is the first.
    #[error("结案人不能复核自己的结案，请由另一人复核")]
    SamePerson,
    /// Nothing waits for a second look.
    #[error("这起警情不需要复核，或已经复核")]
    NothingToReview,
    /// The time to open it again is over.
    #[error("结案已超过 {hours} 小时，不能重新打开；请新建警情")]
    ReopenTooLate {
        /// The limit.
        hours: i64,
    },
    /// There is no such step of the ladder.
    #[error("没有这一步联络，请刷新后再填结果")]
    NoSuchStep,
    /// Nobody who could go is known, or everybody was asked.
    #[error("没有别人可派了：请打电话给社区或街道值班，或转 110、120")]
    NobodyToSend,
    /// The choice is not in the list.
    #[error("能派的人里没有“{said}”，请写序号、姓名，或不写派最近的")]
    NoSuchHelper {
        /// What was said.
        said: String,
    },
    /// The same person was sent and is not back.
    #[error("已经派了{name}，还没有结果")]
    SentAlready {
        /// Who.
        name: String,
    },
    /// The other incident does not exist or is out of sight.
    #[error("找不到这位老人，请先核对档案")]
    UnknownPerson,
}

impl Refusal for IncidentRefusal {
    fn code(&self) -> &'static str {
        use IncidentRefusal::*;
        match self {
            Taken { .. } => "taken",
            NotYours { .. } => "not_yours",
            WrongState { .. } => "wrong_state",
            Missing { .. } => "missing",
            TooLong { .. } => "too_long",
            HoldTooLong { .. } => "hold_too_long",
            SameLevel { .. } => "same_level",
            LeaderOnly => "leader_only",
            SamePerson => "same_person",
            NothingToReview => "nothing_to_review",
            ReopenTooLate { .. } => "reopen_too_late",
            NoSuchStep => "no_such_step",
            NobodyToSend => "nobody_to_send",
            NoSuchHelper { .. } => "no_such_helper",
            SentAlready { .. } => "sent_already",
            UnknownPerson => "unknown_person",
        }
    }

    fn kind(&self) -> RefusalKind {
        use IncidentRefusal::*;
        match self {
            Missing { .. }
            | TooLong { .. }
            | HoldTooLong { .. }
            | NoSuchStep
            | NoSuchHelper { .. }
            | UnknownPerson => RefusalKind::Invalid,
            _ => RefusalKind::Conflict,
        }
    }
}
