//! Somebody sent to an elder's door: who is nearest, how long they have, what they may find.
//!
//! Whoever is asked says quickly whether they go; silence is a no, and the next nearest is asked. What they find closes
//! the loop: seen, refused, or nobody home. Sources: `hotline-and-alarms.md` §4 (someone at the door) and §5 (accept in
//! 60 s or next).

use serde::{Deserialize, Serialize};

use super::incident::Level;
use crate::{
    access::words,
    refusal::{Refusal, RefusalKind},
    time::{At, Now},
};

/// Longest words about what was found.
pub const NOTE_MAX: usize = 500;
/// How many are offered to choose from.
pub const OFFERED: usize = 6;

words! {
    /// Where an errand stands.
    ErrandState {
        /// Told, no answer yet.
        Asked = "asked" "已通知，等答复",
        /// On the way.
        Coming = "coming" "已答应，在路上",
        /// At the door.
        There = "there" "已到门口",
        /// Something was found; the errand is over.
        Found = "found" "已有结果",
        /// Cannot go.
        Declined = "declined" "去不了",
        /// Did not answer in time.
        Lapsed = "lapsed" "没有答复",
        /// Not needed any more.
        Recalled = "recalled" "不用去了",
    }
}

words! {
    /// What was found at the door.
    Finding {
        /// Seen, all is well.
        Well = "well" "见到老人，平安",
        /// Seen, and helped on the spot.
        Helped = "helped" "见到老人，已帮助",
        /// Seen, and more help must come.
        NeedsHelp = "needs_help" "见到老人，需要急救或加人",
        /// Somebody is there and does not let anybody in.
        Refused = "refused" "老人在家，不肯开门",
        /// Nobody answers.
        NobodyHome = "nobody_home" "敲门没人应",
    }
}

impl Finding {
    /// Whether the elder was seen or heard.
    pub fn met(self) -> bool {
        self != Finding::NobodyHome
    }

    /// Whether words must say what is the matter.
    pub fn needs_words(self) -> bool {
        matches!(self, Finding::Helped | Finding::NeedsHelp | Finding::Refused)
    }

    /// What whoever owns the incident does next; empty when the loop is closed.
    pub fn next(self) -> &'static str {
        match self {
            Finding::Well => "",
            Finding::Helped => "问清老人现在怎样，再结案",
            Finding::NeedsHelp => "马上转 120，并通知家属",
            Finding::Refused => "请家属或熟人打电话劝说，再定是否离开",
            Finding::NobodyHome => "打老人和家属电话，问邻居和钥匙保管人；有理由担心就请 110 和开锁",
        }
    }
}

impl ErrandState {
    /// Whether it is still under way.
    pub fn open(self) -> bool {
        matches!(self, ErrandState::Asked | ErrandState::Coming | ErrandState::There)
    }
}

/// By when whoever is asked must have answered, and somebody must be at the door.
pub fn due(level: Level, town: bool, now: Now) -> (At, At) {
    let (answer_seconds, door_minutes) = match level {
        Level::P1 => (60, if town { 15 } else { 30 }),
        Level::P2 => (180, 60),
        Level::P3 => (30 * 60, 24 * 60),
        Level::P4 => (4 * 60 * 60, 3 * 24 * 60),
    };
    (now.0.plus_seconds(answer_seconds), now.0.plus_minutes(door_minutes))
}

/// How closely a post looks after a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closeness {
    /// The village or community itself.
    Village,
    /// The street or township.
    Township,
    /// More than that.
    Wider,
}

/// What is known of somebody who could go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Near {
    /// From there to the elder's home, as the crow flies.
    pub metres: Option<i64>,
    /// For whoever has a post over the place.
    pub post: Option<Closeness>,
    /// At work by their hours; posts have none.
    pub at_work: bool,
    /// Signed in now, so that they read it at once.
    pub online: bool,
    /// Another errand or a service is in their hands.
    pub busy: bool,
    /// Can be told by the platform; others are rung up.
    pub told: bool,
}

/// What stands for a distance where none is known, and what delays, all in metres: whoever has the fewest is asked first.
/// The numbers are the city's (`ladder.toml`); the default is our rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Going {
    /// The community's own is next door.
    pub village_metres: i64,
    /// The street's is a ride away.
    pub township_metres: i64,
    /// The county's.
    pub wider_metres: i64,
    /// Where neither a place nor a post is known.
    pub unknown_metres: i64,
    /// Somebody who has another errand or a service in hand.
    pub busy_metres: i64,
    /// Somebody off duty.
    pub off_metres: i64,
    /// Somebody with an account who is not signed in.
    pub offline_metres: i64,
    /// Somebody without an account, who cannot see that they are asked: after everybody who can.
    pub to_ring_metres: i64,
}

impl Default for Going {
    fn default() -> Going {
        Going {
            village_metres: 300,
            township_metres: 2_500,
            wider_metres: 15_000,
            unknown_metres: 8_000,
            busy_metres: 6_000,
            off_metres: 4_000,
            offline_metres: 200,
            to_ring_metres: 30_000,
        }
    }
}

impl Near {
    /// The smaller, the sooner at the door: metres, with what costs time added as metres.
    pub fn rank(&self, going: &Going) -> i64 {
        let place = self.metres.unwrap_or(match self.post {
            Some(Closeness::Village) => going.village_metres,
            Some(Closeness::Township) => going.township_metres,
            Some(Closeness::Wider) => going.wider_metres,
            None => going.unknown_metres,
        });
        let costs = [
            (self.busy, going.busy_metres),
            (!self.at_work, going.off_metres),
            (!self.told, going.to_ring_metres),
            (self.told && !self.online, going.offline_metres),
        ];
        place + costs.iter().filter(|(holds, _)| *holds).map(|(_, metres)| metres).sum::<i64>()
    }

    /// Why this one, in words: what counts first, first.
    pub fn why(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        match (self.metres, self.post) {
            (Some(metres), _) => words.push(distance(metres)),
            (None, Some(Closeness::Village)) => words.push("负责本村（社区）".to_owned()),
            (None, Some(Closeness::Township)) => words.push("负责本街道（乡镇）".to_owned()),
            (None, Some(Closeness::Wider)) => words.push("负责本区县".to_owned()),
            (None, None) => words.push("距离不明".to_owned()),
        }
        let more = [
            (self.online, "在线"),
            (self.busy, "手上有任务"),
            (!self.at_work, "不在班"),
            (!self.told, "没有账号，要打电话"),
        ];
        words.extend(more.iter().filter(|(holds, _)| *holds).map(|(_, word)| (*word).to_owned()));
        words.join("，")
    }
}

/// "650 米", "1.2 公里".
pub fn distance(metres: i64) -> String {
    match metres {
        ..1_000 => format!("{} 米", (metres / 10).max(1) * 10),
        _ => format!("{}.{} 公里", metres / 1_000, metres % 1_000 / 100),
    }
}

/// Why a step of an errand was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ErrandRefusal {
    /// The step does not follow the state.
    #[error("这次上门现在是“{}”，不能再改", .state.label())]
    WrongState {
        /// Where it stands.
        state: ErrandState,
    },
    /// What was found must be said.
    #[error("请选择看到的情况")]
    NoFinding,
    /// What is wrong must be said.
    #[error("选了“{}”，请写清楚情况", .finding.label())]
    NoWords {
        /// What was chosen.
        finding: Finding,
    },
    /// More than anybody reads.
    #[error("情况说明最多 {NOTE_MAX} 个字，请精简")]
    TooLong,
}

impl Refusal for ErrandRefusal {
    fn code(&self) -> &'static str {
        match self {
            ErrandRefusal::WrongState { .. } => "errand_state",
            ErrandRefusal::NoFinding => "errand_no_finding",
            ErrandRefusal::NoWords { .. } => "errand_no_words",
            ErrandRefusal::TooLong => "errand_too_long",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            ErrandRefusal::WrongState { .. } => RefusalKind::Conflict,
            _ => RefusalKind::Invalid,
        }
    }
}

/// Words about a finding that fit it.
///
/// # Errors
/// When they are missing or too many.
pub fn said(finding: Finding, note: &str) -> Result<String, ErrandRefusal> {
    let note = note.trim();
    match note.chars().count() {
        0 if finding.needs_words() => Err(ErrandRefusal::NoWords { finding }),
        n if n > NOTE_MAX => Err(ErrandRefusal::TooLong),
        _ => Ok(note.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: Near =
        Near { metres: Some(1_200), post: None, at_work: true, online: false, busy: false, told: true };

    #[test]
    fn the_communitys_own_goes_before_a_carer_further_off_and_after_one_next_door() {
        let own = Near { metres: None, post: Some(Closeness::Village), ..FREE };
        assert!(own.rank(&Going::default()) < FREE.rank(&Going::default()));
        assert!(Near { metres: Some(200), ..FREE }.rank(&Going::default()) < own.rank(&Going::default()));
        assert!(
            Near { post: Some(Closeness::Township), ..own }.rank(&Going::default())
                > FREE.rank(&Going::default())
        );
    }

    #[test]
    fn whoever_is_busy_or_off_duty_comes_after_those_who_can_go() {
        for later in
            [Near { busy: true, ..FREE }, Near { at_work: false, ..FREE }, Near { told: false, ..FREE }]
        {
            assert!(later.rank(&Going::default()) > FREE.rank(&Going::default()), "{later:?}");
        }
        assert_eq!(Near { busy: true, ..FREE }.why(), "1.2 公里，手上有任务");
        assert_eq!(Near { metres: Some(655), told: false, ..FREE }.why(), "650 米，没有账号，要打电话");
    }

    #[test]
    fn who_cannot_see_the_asking_comes_after_everybody_who_can() {
        let going = Going::default();
        let next_door = Near { metres: Some(100), told: false, ..FREE };
        let far = Near { metres: Some(9_000), busy: true, at_work: false, ..FREE };
        assert!(far.rank(&going) < next_door.rank(&going));
        let patient = Going { to_ring_metres: 1_500, ..going };
        assert!(next_door.rank(&patient) < far.rank(&patient), "a city may see it otherwise");
    }

    #[test]
    fn a_red_one_has_a_minute_to_answer_and_a_quarter_of_an_hour_to_the_door() {
        let now = Now(At::parse("2026-11-21T09:00").unwrap());
        let (answer, door) = due(Level::P1, true, now);
        assert_eq!((answer.seconds_since(now.0), door.minutes_since(now.0)), (60, 15));
        assert_eq!(due(Level::P1, false, now).1.minutes_since(now.0), 30);
        assert_eq!(due(Level::P2, true, now).1.minutes_since(now.0), 60);
    }

    #[test]
    fn what_is_wrong_is_said_in_words() {
        assert_eq!(said(Finding::Well, " "), Ok(String::new()));
        assert_eq!(said(Finding::Refused, " "), Err(ErrandRefusal::NoWords { finding: Finding::Refused }));
        assert_eq!(said(Finding::Well, &"长".repeat(NOTE_MAX + 1)), Err(ErrandRefusal::TooLong));
        assert_eq!(said(Finding::NobodyHome, "").as_deref(), Ok(""));
    }
}
