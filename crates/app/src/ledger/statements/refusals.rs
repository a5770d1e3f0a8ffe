//! Why a step of a statement was not taken, in words that say what to do next.

use domain::refusal::{Refusal, RefusalKind};

use super::State;

/// A step of a statement that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementRefusal {
    /// Nothing is settled in the month, or all of it is on a statement.
    #[error("{month} 没有可以制单的工单：工单要先验收、结算，已在其他结算单上的不再重复")]
    Nothing {
        /// Which month.
        month: String,
    },
    /// The step does not follow the state.
    #[error("这张结算单{}，不能{wish}", .state.label())]
    WrongState {
        /// Where it stands.
        state: State,
        /// What was asked, as a verb.
        wish: &'static str,
    },
    /// The maker would check.
    #[error("制单人不能复核自己做的结算单，请换一位有复核岗位的人办理")]
    OwnStatement,
    /// Two of the three would be one.
    #[error("制单、复核、支付必须是三个人，您已办理过其中一步，请换一位有支付岗位的人办理")]
    ThreePeople,
    /// Lines, statement and ledger tell different sums.
    #[error("结算单的明细与账目不一致，已停止办理，请联系平台管理员核对留痕")]
    DoesNotAddUp,
    /// Sent back without a reason.
    #[error("请写明退回的原因（4 到 200 个字），制单人要照着改")]
    NoReason,
}

impl Refusal for StatementRefusal {
    fn code(&self) -> &'static str {
        match self {
            StatementRefusal::Nothing { .. } => "nothing_to_state",
            StatementRefusal::WrongState { .. } => "wrong_state",
            StatementRefusal::OwnStatement => "own_statement",
            StatementRefusal::ThreePeople => "three_people",
            StatementRefusal::DoesNotAddUp => "does_not_add_up",
            StatementRefusal::NoReason => "no_reason",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            StatementRefusal::NoReason => RefusalKind::Invalid,
            _ => RefusalKind::Conflict,
        }
    }
}
