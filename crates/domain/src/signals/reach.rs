//! Somebody who is called or written to for an incident: by which way, where it stands, what they hear.
//!
//! Whoever is called can answer with a key: 1 they go, 2 they cannot. What the telephone gateway tells may come late, twice
//! or out of order; `heard` says what counts. Source of who is called and what with: `hotline-and-alarms.md` §5.

use super::{
    incident::{IncidentKind, Level},
    ladder::{Reach, ReachResult},
};
use crate::{
    access::words,
    refusal::{Refusal, RefusalKind},
};

words! {
    /// By which way somebody is reached.
    ReachChannel {
        /// A call.
        Phone = "phone" "电话",
        /// A text message.
        Text = "text" "短信",
        /// On the platform, by whoever is signed in.
        App = "app" "应用通知",
    }
}

words! {
    /// Where the reaching of somebody stands.
    ReachState {
        /// To be handed to the gateway.
        Waiting = "waiting" "等待发出",
        /// The gateway has it.
        Sent = "sent" "已发出",
        /// Spoken with, or they answered with a key.
        Answered = "answered" "已接通",
        /// Engaged, or nobody picked up.
        Unanswered = "unanswered" "未接",
        /// There is no such number, or the gateway would not.
        Failed = "failed" "失败",
        /// There is no way to do it by itself: somebody at the desk does.
        ByHand = "by_hand" "请人工拨打",
        /// Not needed any more.
        Withdrawn = "withdrawn" "已撤回",
    }
}

/// The elder's telephone rings so long, and so often. Source: `hotline-and-alarms.md` §5, "ring 20 s, twice".
pub const RING_SECONDS: i64 = 20;
/// How often a call is tried before it counts as not answered.
pub const RINGS: i64 = 2;
/// The longest pause between two attempts to hand something to the gateway: somebody may lie on the floor meanwhile.
const AGAIN_SECONDS_MAX: i64 = 30;

/// So long after an attempt that failed the next is made.
pub fn again_after(attempts: i64) -> i64 {
    let doubled = 1_i64 << attempts.clamp(1, 6);
    doubled.min(AGAIN_SECONDS_MAX)
}

/// The words on the card: where it stands, as whoever sits at the desk says it.
pub fn shown(channel: ReachChannel, state: ReachState, result: Option<ReachResult>) -> &'static str {
    match (state, channel, result) {
        (ReachState::Sent, _, Some(ReachResult::Delivered)) => ReachResult::Delivered.label(),
        (ReachState::Sent, ReachChannel::Phone, _) => "呼叫中",
        (ReachState::Sent, ReachChannel::Text, _) => "已发短信",
        (ReachState::Sent, ReachChannel::App, _) => "已发应用通知",
        (ReachState::Answered | ReachState::Unanswered, _, Some(result)) => result.label(),
        _ => state.label(),
    }
}

/// Where it stands after something was heard of it, or nothing when what is known already weighs more: who spoke is not
/// made silent by a late "nobody picked up".
pub fn heard(state: ReachState, had: Option<ReachResult>, result: ReachResult) -> Option<ReachState> {
    let weight = |result: ReachResult| match result {
        ReachResult::Coming | ReachResult::Refused => 3,
        ReachResult::Answered => 2,
        _ => 1,
    };
    if had.is_some_and(|had| had == result || weight(had) > weight(result)) {
        return None;
    }
    Some(match result {
        ReachResult::Answered | ReachResult::Coming | ReachResult::Refused => ReachState::Answered,
        ReachResult::Busy | ReachResult::NoAnswer => ReachState::Unanswered,
        ReachResult::Unreachable | ReachResult::Failed => ReachState::Failed,
        // A text lies on their telephone; whether they read it is not known.
        ReachResult::Delivered if state == ReachState::Waiting => ReachState::Sent,
        ReachResult::Delivered => state,
    })
}

/// What an incident is, for whoever is told of it.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// What happened.
    pub kind: IncidentKind,
    /// How urgent it is.
    pub level: Level,
    /// Name of the elder; empty when nobody knows.
    pub elder: &'a str,
    /// Where; only for whoever is sent there.
    pub place: &'a str,
    /// When it came in, hour and minute.
    pub clock: &'a str,
}

impl About<'_> {
    /// What is read out to somebody, or written.
    pub fn say(&self, to: Reach, channel: ReachChannel, sent: bool) -> String {
        let About { kind, level, elder, place, clock } = *self;
        let elder = if elder.is_empty() { "辖区内老人" } else { elder };
        let what = format!("{elder} {clock} {}，{}", kind.label(), level.label());
        let key = if channel == ReachChannel::Text { "回复" } else { "按" };
        let keys = format!("能去请{key} 1，去不了请{key} 2。");
        match to {
            Reach::Elder => {
                format!(
                    "这里是 12349 养老服务平台。收到您的{}，请听到后说话，我们马上派人联系您。",
                    kind.label()
                )
            }
            _ if sent => format!("12349 派您上门：{what}，地址{place}。{keys}"),
            _ => format!("12349 养老服务平台通知：{what}，请马上联系或前往查看。{keys}"),
        }
    }
}

/// Whether whoever is reached is asked if they go.
pub fn asks_to_go(to: Reach) -> bool {
    to != Reach::Elder
}

/// Why what was told of a reach was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReachRefusal {
    /// It never left the platform.
    #[error("这次联络还没有发给网关（{}），不能回报结果", .state.label())]
    NotSent {
        /// Where it stands.
        state: ReachState,
    },
    /// A remark nobody reads to its end.
    #[error("说明最多 {REMARK_MAX} 个字")]
    TooLong,
}

/// Longest remark of the gateway.
pub const REMARK_MAX: usize = 200;

impl Refusal for ReachRefusal {
    fn code(&self) -> &'static str {
        match self {
            ReachRefusal::NotSent { .. } => "reach_not_sent",
            ReachRefusal::TooLong => "reach_remark_too_long",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            ReachRefusal::NotSent { .. } => RefusalKind::Conflict,
            ReachRefusal::TooLong => RefusalKind::Invalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReachResult::*;

    #[test]
    fn who_spoke_is_not_made_silent_by_what_comes_late() {
        let sent = ReachState::Sent;
        assert_eq!(heard(sent, None, Answered), Some(ReachState::Answered));
        assert_eq!(heard(ReachState::Answered, Some(Answered), Coming), Some(ReachState::Answered));
        assert_eq!(heard(ReachState::Answered, Some(Coming), Coming), None, "told twice is once");
        assert_eq!(heard(ReachState::Answered, Some(Coming), NoAnswer), None);
        assert_eq!(heard(ReachState::Answered, Some(Coming), Answered), None);
        assert_eq!(
            heard(ReachState::Answered, Some(Coming), Refused),
            Some(ReachState::Answered),
            "minds change"
        );
        assert_eq!(
            heard(ReachState::Unanswered, Some(NoAnswer), Answered),
            Some(ReachState::Answered),
            "rang back"
        );
        assert_eq!(heard(sent, None, Unreachable), Some(ReachState::Failed));
        assert_eq!(
            heard(ReachState::Waiting, None, Delivered),
            Some(sent),
            "its answer was lost, the text was not"
        );
        assert_eq!(heard(ReachState::Withdrawn, None, Delivered), Some(ReachState::Withdrawn));
    }

    #[test]
    fn attempts_come_apart_and_never_further_than_half_a_minute() {
        assert_eq!([1, 2, 3, 4, 5, 90].map(again_after), [2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn only_who_is_sent_hears_the_address() {
        let about = About {
            kind: IncidentKind::Sos,
            level: Level::P1,
            elder: "王秀英",
            place: "理事厅社区 3 号楼",
            clock: "09:00",
        };
        let family = about.say(Reach::Family, ReachChannel::Text, false);
        assert_eq!(
            family,
            "12349 养老服务平台通知：王秀英 09:00 紧急呼叫，一级（红），请马上联系或前往查看。能去请回复 1，去不了请回复 2。"
        );
        let sent = about.say(Reach::Station, ReachChannel::Phone, true);
        assert!(sent.contains("理事厅社区 3 号楼") && sent.ends_with("能去请按 1，去不了请按 2。"), "{sent}");
        assert!(
            !about.say(Reach::Elder, ReachChannel::Phone, false).contains("请按"),
            "the elder is asked to speak"
        );
    }

    #[test]
    fn the_card_says_what_is_the_matter() {
        use ReachChannel::{Phone, Text};
        assert_eq!(shown(Phone, ReachState::Sent, None), "呼叫中");
        assert_eq!(shown(Text, ReachState::Sent, None), "已发短信");
        assert_eq!(shown(Phone, ReachState::Answered, Some(Coming)), "已答应前往");
        assert_eq!(shown(Phone, ReachState::Unanswered, Some(NoAnswer)), "无人接听");
        assert_eq!(shown(Phone, ReachState::ByHand, None), "请人工拨打");
    }
}
