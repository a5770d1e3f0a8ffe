//! The escalation ladder: who is reached for when nobody takes an incident, and how patient the desk is.
//!
//! The numbers are the city's (`alarms.toml` of its pack). `Terms::standard` is what holds where it says nothing.

use serde::{Deserialize, Serialize};

use super::{
    errand::Going,
    incident::{IncidentKind, Level},
};
use crate::{access::words, time::At};

words! {
    /// Whom to reach for.
    Reach {
        /// Everybody at the alarm desk.
        Operator = "operator" "坐席",
        /// The elder, by the device's voice or telephone.
        Elder = "elder" "老人本人",
        /// An emergency contact.
        Family = "family" "家属",
        /// Whoever lives next door or keeps the key.
        Neighbour = "neighbour" "邻居或钥匙保管人",
        /// The grid worker of the community.
        GridWorker = "grid_worker" "网格员",
        /// The nearest station with somebody who can come.
        Station = "station" "服务站",
        /// The shift's leader.
        Leader = "leader" "热线班长",
        /// The street's officer on duty.
        Street = "street" "街道（乡镇）值班",
        /// The county's officer on duty.
        County = "county" "区县值班",
        /// 120.
        Ambulance = "ambulance" "120 急救",
        /// 119.
        Fire = "fire" "119 消防",
        /// 110.
        Police = "police" "110 报警",
    }
}

words! {
    /// What came of reaching for somebody.
    ReachResult {
        /// Spoke with them.
        Answered = "answered" "已接通",
        /// They go there.
        Coming = "coming" "已答应前往",
        /// Engaged.
        Busy = "busy" "占线",
        /// They will not.
        Refused = "refused" "拒绝",
        /// Nobody picked up.
        NoAnswer = "no_answer" "无人接听",
        /// The number is wrong or dead.
        Unreachable = "unreachable" "号码无效",
        /// A text lies on their telephone.
        Delivered = "delivered" "短信已送达",
        /// The telephone gateway could not.
        Failed = "failed" "没有打通",
    }
}

impl ReachResult {
    /// What somebody at the desk may note; the rest only a gateway knows.
    pub const BY_HAND: &'static [ReachResult] = &[
        ReachResult::Answered,
        ReachResult::Coming,
        ReachResult::Busy,
        ReachResult::Refused,
        ReachResult::NoAnswer,
        ReachResult::Unreachable,
    ];
}

impl Reach {
    /// Whether it is somebody around an elder: not to be woken for a mast or a battery.
    pub fn around_elder(self) -> bool {
        matches!(self, Reach::Elder | Reach::Family | Reach::Neighbour | Reach::GridWorker | Reach::Station)
    }

    /// Whether it is only put before the operator: the platform never calls the emergency services by itself.
    pub fn suggested_only(self) -> bool {
        matches!(self, Reach::Ambulance | Reach::Fire | Reach::Police)
    }
}

/// One step of the ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// So long after the incident began to ring, at the pace of a red one.
    pub after_seconds: i64,
    /// Whom.
    pub reach: Reach,
    /// Which of several: the first or second contact.
    pub rank: i64,
    /// What the desk reads.
    pub label: String,
    /// For which levels.
    pub levels: Vec<Level>,
    /// For which kinds; all when empty.
    pub kinds: Vec<IncidentKind>,
}

/// How one level is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Which level.
    pub level: Level,
    /// The ladder's seconds are multiplied by this.
    pub factor: i64,
    /// To be taken within.
    pub take_seconds: i64,
    /// An owner who does nothing for so long has lost it.
    pub idle_seconds: i64,
}

fn reconnect_seconds() -> i64 {
    120
}

fn reconnect_beats() -> i64 {
    1
}

/// Everything a city decides about incidents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Longest hold.
    pub hold_seconds: i64,
    /// A press of the same button within so many seconds is the same incident.
    pub repeat_seconds: i64,
    /// More silent devices than this share of a maker's or county's are one incident.
    pub area_percent: i64,
    /// Fewer devices than this are never an area.
    pub area_devices_min: i64,
    /// After an outage of ours a device has at least so many seconds to come back before it counts as silent …
    #[serde(default = "reconnect_seconds")]
    pub reconnect_seconds: i64,
    /// … and at least so many of its own beats.
    #[serde(default = "reconnect_beats")]
    pub reconnect_beats: i64,
    /// Who is sent to a door first.
    #[serde(default)]
    pub going: Going,
    /// One for each level.
    pub paces: Vec<Pace>,
    /// The steps, in order.
    pub rungs: Vec<Rung>,
}

impl Terms {
    /// What holds where a city decides nothing. Sources: `hotline-and-alarms.md` §4 and §5; the idle times of P3 and P4
    /// are our rule, because nobody should be rung for a flat battery every ten minutes.
    pub fn standard() -> Terms {
        use Level::{P1, P2, P3, P4};
        let pace =
            |level, factor, take_seconds, idle_seconds| Pace { level, factor, take_seconds, idle_seconds };
        let rung = |after_seconds, reach, rank, label: &str, levels: &[Level], kinds: &[IncidentKind]| Rung {
            after_seconds,
            reach,
            rank,
            label: label.to_owned(),
            levels: levels.to_vec(),
            kinds: kinds.to_vec(),
        };
        let red = &[P1, P2];
        let fire = &[IncidentKind::Smoke, IncidentKind::Gas];
        let body = &[IncidentKind::Fall, IncidentKind::Vital, IncidentKind::Bed];
        Terms {
            hold_seconds: 60,
            repeat_seconds: 60,
            area_percent: 20,
            area_devices_min: 5,
            reconnect_seconds: reconnect_seconds(),
            reconnect_beats: reconnect_beats(),
            going: Going::default(),
            paces: vec![
                pace(P1, 1, 15, 600),
                pace(P2, 4, 180, 600),
                pace(P3, 1, 1_800, 7_200),
                pace(P4, 1, 86_400, 86_400),
            ],
            rungs: vec![
                rung(0, Reach::Operator, 1, "坐席响铃", &[P1, P2, P3, P4], &[]),
                rung(0, Reach::Elder, 1, "呼叫老人（设备通话或电话）", red, &[]),
                rung(15, Reach::Operator, 2, "全体坐席再次响铃", red, &[]),
                rung(30, Reach::Fire, 1, "建议拨打 119", red, fire),
                rung(30, Reach::Ambulance, 1, "建议拨打 120", red, body),
                rung(60, Reach::Family, 1, "呼叫第一紧急联系人", red, &[]),
                rung(60, Reach::Neighbour, 1, "呼叫邻居或钥匙保管人", red, &[]),
                rung(60, Reach::GridWorker, 1, "通知网格员上门", red, &[]),
                rung(60, Reach::Station, 1, "通知就近服务站", red, &[]),
                rung(90, Reach::Family, 2, "呼叫第二紧急联系人", red, &[]),
                rung(180, Reach::Leader, 1, "通知热线班长", red, &[]),
                rung(300, Reach::Street, 1, "通知街道（乡镇）值班", red, &[]),
                rung(600, Reach::County, 1, "通知区县值班", red, &[]),
                rung(1_800, Reach::Leader, 1, "通知热线班长：仍无人接手", &[P3], &[]),
                rung(86_400, Reach::Leader, 1, "通知热线班长：仍无人接手", &[P4], &[]),
            ],
        }
    }

    /// By when a device that was not heard of through an outage must have come back: nobody can say that it is silent
    /// before it had the time to speak.
    pub fn back_by(&self, up_again: At, beat_seconds: i64) -> At {
        up_again.plus_seconds(self.reconnect_seconds.max(self.reconnect_beats * beat_seconds))
    }

    fn pace(&self, level: Level) -> Option<&Pace> {
        self.paces.iter().find(|p| p.level == level)
    }

    /// An owner who does nothing for so long has lost it.
    pub fn idle_seconds(&self, level: Level) -> i64 {
        self.pace(level).map_or(600, |p| p.idle_seconds)
    }

    /// To be taken within so many seconds.
    pub fn take_seconds(&self, level: Level) -> i64 {
        self.pace(level).map_or(15, |p| p.take_seconds)
    }

    /// The steps of one incident: number, seconds after it began to ring, and what to do.
    pub fn steps(&self, kind: IncidentKind, level: Level) -> impl Iterator<Item = (i64, i64, &Rung)> {
        let factor = self.pace(level).map_or(1, |p| p.factor);
        let meant = move |rung: &&Rung| {
            rung.levels.contains(&level)
                && (rung.kinds.is_empty() || rung.kinds.contains(&kind))
                && (kind.about_people() || !rung.reach.around_elder())
        };
        (1..)
            .zip(self.rungs.iter().filter(meant))
            .map(move |(n, rung)| (n, rung.after_seconds * factor, rung))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_orange_one_climbs_at_a_quarter_of_the_pace() {
        let terms = Terms::standard();
        let seconds = |level| -> Vec<i64> {
            terms.steps(IncidentKind::Sos, level).map(|(_, after, _)| after).collect()
        };
        let red = seconds(Level::P1);
        assert_eq!(red, [0, 0, 15, 60, 60, 60, 60, 90, 180, 300, 600]);
        assert_eq!(seconds(Level::P2), red.iter().map(|s| s * 4).collect::<Vec<_>>());
        assert_eq!(seconds(Level::P4), [0, 86_400]);
    }

    #[test]
    fn a_device_has_one_beat_and_never_less_than_two_minutes_to_come_back() {
        let (terms, up) = (Terms::standard(), At(0));
        assert_eq!(terms.back_by(up, 60).seconds_since(up), 120);
        assert_eq!(terms.back_by(up, 600).seconds_since(up), 600);
    }

    #[test]
    fn nobody_wakes_a_family_for_a_mast() {
        let terms = Terms::standard();
        let reached: Vec<Reach> =
            terms.steps(IncidentKind::Area, Level::P2).map(|(_, _, rung)| rung.reach).collect();
        assert_eq!(reached, [Reach::Operator, Reach::Operator, Reach::Leader, Reach::Street, Reach::County]);
    }

    #[test]
    fn the_fire_brigade_is_suggested_for_smoke_only_and_never_called_by_itself() {
        let terms = Terms::standard();
        let asks = |kind| terms.steps(kind, Level::P1).any(|(_, _, rung)| rung.reach == Reach::Fire);
        assert!(asks(IncidentKind::Smoke) && !asks(IncidentKind::Sos));
        assert!(Reach::Fire.suggested_only() && !Reach::Family.suggested_only());
    }
}
