//! Why a carer should go, had better not, or may not, as facts a dispatcher can read.
//!
//! A reason carries the numbers it rests on and renders them itself, so screens, logs and print say the same. Points
//! belong to the reason and not to the code that found it: the list of reasons is the whole account of a score.

use std::fmt;

use super::model::{Minute, Sex, Span};
use super::terms::{DAY_MINUTES, LIGHT_DAY_MINUTES, NEAR_MINUTES};

/// One fact for or against sending this carer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Speaks for the carer.
    For(Favour),
    /// Speaks against, yet the dispatcher may still choose so.
    Soft(Against),
    /// Forbids it.
    Hard(Hard),
}

/// What speaks for a carer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Favour {
    /// Came last time.
    Continuity,
    /// The elder asked for this carer.
    Wished,
    /// Speaks the elder's language.
    SpeaksLanguage(String),
    /// Within the quarter-hour circle.
    Near {
        /// Minutes of the ride.
        minutes: u32,
    },
    /// Room before the visit.
    FreeBefore,
    /// Room after the visit.
    FreeAfter,
    /// A senior level in a skill this visit needs.
    SkillLevel {
        /// The skill.
        skill: String,
        /// National level, 3 to 1.
        level: u8,
    },
    /// Rated highly, often enough to mean something.
    HighRating {
        /// Tenths of a star.
        tenths: u8,
        /// Number of ratings.
        count: u32,
    },
    /// Little work on that day so far.
    LowLoad {
        /// Minutes booked without this visit.
        minutes: u32,
    },
}

/// What speaks against a carer without forbidding it.
///
/// Language stands here and not among the hard rules: few files name a carer's dialects, and an unfilled field must
/// not leave an elder without a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Against {
    /// Nothing on file says the carer speaks the elder's language.
    Language(String),
    /// Outside the quarter-hour circle.
    Far {
        /// Minutes of the ride.
        minutes: u32,
    },
    /// An address without a point: the ride is a guess.
    PlaceUnknown,
    /// Hardly any slack before the visit.
    TightBefore {
        /// Minutes left over after the ride.
        slack: i64,
    },
    /// Hardly any slack before the next booking.
    TightAfter {
        /// Minutes left over after the ride.
        slack: i64,
    },
    /// The legal day is nearly full with this visit.
    FullDay {
        /// Minutes including this visit.
        minutes: u32,
    },
    /// The legal week is nearly full with this visit.
    FullWeek {
        /// Minutes including this visit.
        minutes: u32,
    },
    /// Turned orders down on that day.
    Refusals {
        /// How many.
        count: u32,
    },
    /// Rated poorly, often enough to mean something.
    LowRating {
        /// Tenths of a star.
        tenths: u8,
        /// Number of ratings.
        count: u32,
    },
}

/// What forbids sending a carer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hard {
    /// Has none of these skills.
    NoSkill {
        /// Any one would do.
        any_of: Vec<String>,
    },
    /// Had the skill, but not on the day.
    SkillExpired {
        /// The skill.
        skill: String,
        /// Days between its last valid day and the visit.
        days: i64,
    },
    /// Will have the skill, but not on the day.
    SkillNotYet {
        /// The skill.
        skill: String,
        /// Days from the visit to its first valid day.
        days: i64,
    },
    /// The item asks for a carer of this sex.
    WrongSex {
        /// The elder's sex.
        wanted: Sex,
    },
    /// Ruled out by the elder or a manager.
    Blacklisted,
    /// Already promised elsewhere.
    Clash(Span),
    /// Not working then.
    OutsideHours {
        /// The carer's nearest shift, if there is any.
        shift: Option<Span>,
    },
    /// A visit in the night with an item that is not sold for it.
    NightNotSold,
    /// Would be late.
    CannotArrive {
        /// Minutes of the ride.
        need: u32,
        /// Minutes there are.
        have: i64,
    },
    /// Would be late for the booking after.
    CannotReachNext {
        /// Start of that booking.
        next: Minute,
        /// Minutes of the ride.
        need: u32,
        /// Minutes there are.
        have: i64,
    },
    /// Over 8 hours on the day.
    OverDay {
        /// Minutes including this visit.
        minutes: u32,
    },
    /// Over 44 hours in the week.
    OverWeek {
        /// Minutes including this visit.
        minutes: u32,
    },
    /// On leave.
    OnLeave,
    /// The home is outside the carer's area.
    OutsideArea,
    /// The provider does not do this item.
    NotOffered,
    /// The provider's contract does not cover the day.
    NotContracted,
}

impl Reason {
    /// The kind of reason in a few words, without its numbers: what a list of carers is grouped by.
    pub fn kind(&self) -> &'static str {
        match self {
            Reason::For(_) => "有利",
            Reason::Soft(_) => "不利",
            Reason::Hard(hard) => hard.kind(),
        }
    }

    /// What this reason adds to the score. Hard reasons add nothing: they decide, they do not weigh.
    pub fn points(&self) -> i32 {
        match self {
            Reason::For(favour) => favour.points(),
            Reason::Soft(against) => -against.cost(),
            Reason::Hard(_) => 0,
        }
    }
}

impl Hard {
    fn kind(&self) -> &'static str {
        match self {
            Hard::NoSkill { .. } => "缺少资质",
            Hard::SkillExpired { .. } | Hard::SkillNotYet { .. } => "证书当天无效",
            Hard::WrongSex { .. } => "性别不符",
            Hard::Blacklisted => "约定不再派",
            Hard::Clash(_) => "时间冲突",
            Hard::OutsideHours { .. } => "不在班",
            Hard::NightNotSold => "夜间项目不符",
            Hard::CannotArrive { .. } | Hard::CannotReachNext { .. } => "路上赶不及",
            Hard::OverDay { .. } | Hard::OverWeek { .. } => "超过法定工时",
            Hard::OnLeave => "请假",
            Hard::OutsideArea => "不在服务区域",
            Hard::NotOffered => "不做这一项",
            Hard::NotContracted => "合同不在期内",
        }
    }
}

impl Favour {
    /// Continuity weighs most, for a known face is what elders ask for; a wish is nearly as strong; nearness and
    /// load follow because they decide what the carer can do for others.
    fn points(&self) -> i32 {
        match self {
            Favour::Continuity => 30,
            Favour::Wished => 25,
            Favour::SpeaksLanguage(_) => 10,
            Favour::Near { minutes } => small(NEAR_MINUTES.saturating_sub(*minutes)) + 5,
            Favour::FreeBefore | Favour::FreeAfter => 3,
            Favour::SkillLevel { level, .. } => 2 * (6 - i32::from((*level).min(5))),
            Favour::HighRating { tenths, .. } => i32::from(*tenths) - 35,
            Favour::LowLoad { minutes } => small(LIGHT_DAY_MINUTES.saturating_sub(*minutes)) / 24 + 2,
        }
    }
}

impl Against {
    fn cost(&self) -> i32 {
        match self {
            Against::Language(_) => 15,
            // One point a minute, as for nearness; past an hour more distance changes nothing for the dispatcher.
            Against::Far { minutes } => small((*minutes).min(60).saturating_sub(NEAR_MINUTES)),
            Against::PlaceUnknown => 3,
            Against::TightBefore { .. } => 8,
            Against::TightAfter { .. } => 5,
            Against::FullDay { .. } => 10,
            Against::FullWeek { .. } => 6,
            Against::Refusals { count } => small((*count).min(5)) * 4,
            Against::LowRating { tenths, .. } => 45 - i32::from(*tenths),
        }
    }
}

fn small(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::For(favour) => favour.fmt(f),
            Reason::Soft(against) => against.fmt(f),
            Reason::Hard(hard) => hard.fmt(f),
        }
    }
}

impl fmt::Display for Favour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Favour::Continuity => write!(f, "上次就是这位护理员"),
            Favour::Wished => write!(f, "老人点名要这位护理员"),
            Favour::SpeaksLanguage(language) => write!(f, "会说{language}"),
            Favour::Near { minutes } => write!(f, "路程约 {minutes} 分钟，就在附近"),
            Favour::FreeBefore => write!(f, "之前时间宽裕"),
            Favour::FreeAfter => write!(f, "之后时间宽裕"),
            Favour::SkillLevel { skill, level } => write!(f, "{skill}{}", level_name(*level)),
            Favour::HighRating { tenths, count } => write!(f, "评分 {}（{count} 次评价）", Stars(*tenths)),
            Favour::LowLoad { minutes: 0 } => write!(f, "当天还没有安排"),
            Favour::LowLoad { minutes } => write!(f, "当天只排了 {}", Hours(*minutes)),
        }
    }
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Against::Language(language) => write!(f, "没有登记会说{language}"),
            Against::Far { minutes } => write!(f, "路程约 {minutes} 分钟，超出一刻钟"),
            Against::PlaceUnknown => write!(f, "地址没有定位，路程是估计的"),
            Against::TightBefore { slack } => write!(f, "到达前只有 {slack} 分钟余量"),
            Against::TightAfter { slack } => write!(f, "赶下一单只有 {slack} 分钟余量"),
            Against::FullDay { minutes } => write!(f, "加上这单当天满 {}", Hours(*minutes)),
            Against::FullWeek { minutes } => write!(f, "加上这单本周满 {}", Hours(*minutes)),
            Against::Refusals { count } => write!(f, "当天已拒单 {count} 次，派前先问一声"),
            Against::LowRating { tenths, count } => {
                write!(f, "评分只有 {}（{count} 次评价）", Stars(*tenths))
            }
        }
    }
}

impl fmt::Display for Hard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hard::NoSkill { any_of } => write!(f, "缺少资质：{}", any_of.join("或")),
            Hard::SkillExpired { skill, days } => write!(f, "{skill}到服务当天已过期 {days} 天"),
            Hard::SkillNotYet { skill, days } => write!(f, "{skill}要到服务日之后 {days} 天才生效"),
            Hard::WrongSex { wanted: Sex::Male } => write!(f, "这项服务须由男护理员上门"),
            Hard::WrongSex { wanted: Sex::Female } => write!(f, "这项服务须由女护理员上门"),
            Hard::Blacklisted => write!(f, "已约定不再派这位护理员"),
            Hard::Clash(span) => write!(f, "{} 已有安排", Clocks(*span)),
            Hard::OutsideHours { shift: Some(span) } => write!(f, "不在上班时间（{}）", Clocks(*span)),
            Hard::OutsideHours { shift: None } => write!(f, "当天休息"),
            Hard::NightNotSold => write!(f, "22:00 到 06:00 上门须选夜间服务项目"),
            Hard::CannotArrive { need, have } if *have <= 0 => write!(f, "路上要 {need} 分钟，已来不及出发"),
            Hard::CannotArrive { need, have } => write!(f, "路上要 {need} 分钟，只有 {have} 分钟，赶不到"),
            Hard::CannotReachNext { next, need, have } => {
                write!(f, "赶不上 {} 的下一单：路上要 {need} 分钟，只有 {have} 分钟", Clock(*next))
            }
            Hard::OverDay { minutes } => write!(f, "加上这单当天 {}，超过 8 小时", Hours(*minutes)),
            Hard::OverWeek { minutes } => write!(f, "加上这单本周 {}，超过 44 小时", Hours(*minutes)),
            Hard::OnLeave => write!(f, "当天请假"),
            Hard::OutsideArea => write!(f, "老人家不在其服务区域"),
            Hard::NotOffered => write!(f, "所属服务商不做这项服务"),
            Hard::NotContracted => write!(f, "所属服务商的合同在服务当天无效"),
        }
    }
}

/// The names the national occupational standard gives the levels.
fn level_name(level: u8) -> &'static str {
    match level {
        1 => "高级技师",
        2 => "技师",
        3 => "高级工",
        4 => "中级工",
        _ => "初级工",
    }
}

struct Clock(Minute);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minute = self.0.rem_euclid(DAY_MINUTES);
        write!(f, "{:02}:{:02}", minute / 60, minute % 60)
    }
}

struct Clocks(Span);

impl fmt::Display for Clocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}–{}", Clock(self.0.start()), Clock(self.0.end()))
    }
}

struct Hours(u32);

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 60, self.0 % 60) {
            (0, minutes) => write!(f, "{minutes} 分钟"),
            (hours, 0) => write!(f, "{hours} 小时"),
            (hours, minutes) => write!(f, "{hours} 小时 {minutes} 分"),
        }
    }
}

struct Stars(u8);

impl fmt::Display for Stars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}
