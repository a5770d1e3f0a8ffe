//! Rounds: whose duty it is to see whom by when, and what follows when nobody opens the door.
//!
//! Success is an elder seen or spoken to. "Not at home" is a try: a second within a day, then the contacts, then an
//! incident that becomes more urgent. Source: `hotline-and-alarms.md` §7.

use serde::{Deserialize, Serialize};

use super::silence::{GradeTerms, RiskGrade, Terms};
use crate::{
    access::words,
    refusal::{Refusal, RefusalKind},
    time::{At, Now},
};

/// The second try comes within so many hours of the first.
pub const SECOND_TRY_HOURS: i64 = 24;
/// An elder not found for so long after the first try is serious.
pub const SERIOUS_HOURS: i64 = 48;
/// Contacts are called within so many hours of the second try.
pub const CONTACTS_HOURS: i64 = 2;
/// A visit is recorded within so many days: a phone may have been without network for a weekend.
pub const RECORD_DAYS: i64 = 3;
/// Longest note.
pub const NOTE_MAX: usize = 1_000;

words! {
    /// What a duty is.
    DutyKind {
        /// At the door, again and again.
        Round = "round" "定期巡访",
        /// By telephone, again and again.
        Phone = "phone" "电话问候",
        /// Nobody has seen the elder for too long.
        Knock = "knock" "失联敲门",
        /// Weather or a festival.
        Extra = "extra" "专项巡访",
    }
}

words! {
    /// How somebody tried to see the elder.
    Way {
        /// At the door.
        Door = "door" "上门",
        /// By telephone.
        Phone = "phone" "电话",
        /// By video.
        Video = "video" "视频",
        /// By asking the contacts.
        Contacts = "contacts" "询问联系人",
    }
}

words! {
    /// Whether the elder was met.
    Met {
        /// Seen or spoken to.
        Met = "met" "见到或联系上本人",
        /// Nobody opened, nobody answered.
        NotHome = "not_home" "没有见到，也没有接通",
        /// A contact knows that all is well.
        Vouched = "vouched" "联系人确认平安",
    }
}

words! {
    /// The eight points one looks at.
    Point {
        /// 身体
        Health = "health" "身体状况",
        /// 精神
        Spirit = "spirit" "精神状态",
        /// 吃饭和钱
        Living = "living" "饮食与经济",
        /// 燃气、电线、炉灶、地面
        Safety = "safety" "居家安全",
        /// 家人联系与赡养
        Family = "family" "家庭联系与赡养",
        /// 设备
        Devices = "devices" "设备是否正常",
        /// 需求
        Needs = "needs" "服务需求",
        /// 看上去怎么样
        Looks = "looks" "气色与仪容",
    }
}

words! {
    /// How a point stands.
    Mark {
        /// Not looked at.
        Unseen = "unseen" "未查看",
        /// All is well.
        Fine = "fine" "正常",
        /// Somebody should look after it.
        Worry = "worry" "需关注",
        /// Now.
        Urgent = "urgent" "紧急",
    }
}

words! {
    /// Six answers, of which the visitor chooses what fits.
    Answer {
        /// All is well.
        Well = "well" "一切正常",
        /// Needs a service.
        Service = "service" "需要服务",
        /// Needs a doctor.
        Doctor = "doctor" "需要就医",
        /// The home is not safe.
        Hazard = "hazard" "有安全隐患",
        /// Something weighs on the elder.
        Worried = "worried" "有心事、烦闷",
        /// Help is needed now.
        Urgent = "urgent" "情况紧急",
    }
}

/// Marks of the eight points, in their order.
pub type Points = [Mark; 8];

/// A visit as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// When it was.
    pub at: At,
    /// How.
    pub way: Way,
    /// Whether the elder was met.
    pub met: Met,
    /// The eight points.
    pub points: Points,
    /// What fits of the six answers.
    pub answers: Vec<Answer>,
    /// Words.
    pub note: String,
}

/// Where a duty stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duty {
    /// What it is.
    pub kind: DutyKind,
    /// By when the elder must be seen.
    pub due: At,
    /// The first try since the last success at which nobody was met.
    pub first_missed: Option<At>,
    /// How many such tries there were.
    pub missed: i64,
}

/// Why a visit was not recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VisitRefusal {
    /// The time lies in the future or too far back.
    #[error("巡访时间 {0} 不对：应在最近 {RECORD_DAYS} 天内，且不晚于现在")]
    Time(At),
    /// Met, but nothing was looked at and nothing said.
    #[error("请至少选一项结论（例如“一切正常”）")]
    NoAnswer,
    /// "All is well" beside something that is not.
    #[error("“一切正常”不能与“{0}”同时选")]
    Contradiction(&'static str),
    /// What is wrong must be said.
    #[error("选了“{0}”，请在备注里写清楚情况")]
    NoWords(&'static str),
    /// Too many words.
    #[error("备注不超过 {NOTE_MAX} 个字")]
    TooLong,
    /// At the door one sees.
    #[error("上门见到老人，请查看八项情况后再保存")]
    PointsMissing,
    /// By asking contacts one does not meet the elder.
    #[error("询问联系人时，结果只能是“联系人确认平安”或“没有接通”")]
    NotByContacts,
    /// Nobody can be vouched for at the door.
    #[error("“联系人确认平安”只用于询问联系人")]
    OnlyByContacts,
    /// The duty is done with.
    #[error("这项巡访已经完成或取消")]
    Ended,
    /// The photograph is none.
    #[error("照片读不出来，应为 JPEG、PNG 或 WebP，不超过 6 MB")]
    BadPhoto,
    /// The same picture proves another visit.
    #[error("这张照片已用于另一次巡访，请重新拍摄")]
    PhotoUsed,
    /// The service a need asks for was refused.
    #[error("记下的需求没能下单：{0}")]
    Order(String),
}

impl Refusal for VisitRefusal {
    fn code(&self) -> &'static str {
        match self {
            VisitRefusal::Time(_) => "visit_time",
            VisitRefusal::NoAnswer => "visit_no_answer",
            VisitRefusal::Contradiction(_) => "visit_contradiction",
            VisitRefusal::NoWords(_) => "visit_no_words",
            VisitRefusal::TooLong => "visit_too_long",
            VisitRefusal::PointsMissing => "visit_points_missing",
            VisitRefusal::NotByContacts => "visit_not_by_contacts",
            VisitRefusal::OnlyByContacts => "visit_only_by_contacts",
            VisitRefusal::Ended => "visit_duty_ended",
            VisitRefusal::BadPhoto => "visit_photo",
            VisitRefusal::PhotoUsed => "visit_photo_used",
            VisitRefusal::Order(_) => "visit_order",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            VisitRefusal::Ended | VisitRefusal::PhotoUsed | VisitRefusal::Order(_) => RefusalKind::Conflict,
            _ => RefusalKind::Invalid,
        }
    }
}

/// What a recorded visit leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// The elder was seen or spoken to.
    pub success: bool,
    /// Whether that also fulfils the duty: a telephone call does not replace a visit at the door.
    pub fulfils: bool,
    /// Somebody must come now.
    pub urgent: bool,
    /// Something must be followed up.
    pub worry: bool,
}

/// Decides what a recorded visit is worth.
pub fn judge(duty: &Duty, grade: RiskGrade, report: &Report, now: Now) -> Result<Judged, VisitRefusal> {
    if report.at > now.0 || report.at < now.0.plus_minutes(-RECORD_DAYS * 24 * 60) {
        return Err(VisitRefusal::Time(report.at));
    }
    if report.note.trim().chars().count() > NOTE_MAX {
        return Err(VisitRefusal::TooLong);
    }
    match (report.way, report.met) {
        (Way::Contacts, Met::Met) => return Err(VisitRefusal::NotByContacts),
        (Way::Door | Way::Phone | Way::Video, Met::Vouched) => return Err(VisitRefusal::OnlyByContacts),
        _ => {}
    }
    if report.met != Met::Met {
        let urgent = report.answers.contains(&Answer::Urgent);
        if urgent && report.note.trim().is_empty() {
            return Err(VisitRefusal::NoWords(Answer::Urgent.label()));
        }
        return Ok(Judged { success: false, fulfils: false, urgent, worry: false });
    }
    answers_fit(report)?;
    let marked = |mark| report.points.contains(&mark);
    let urgent = report.answers.contains(&Answer::Urgent) || marked(Mark::Urgent);
    let troubled = [Answer::Doctor, Answer::Hazard, Answer::Worried];
    let worry = marked(Mark::Worry) || report.answers.iter().any(|a| troubled.contains(a));
    Ok(Judged { success: true, fulfils: fulfils(duty.kind, grade, report.way), urgent, worry })
}

/// Whether an elder met this way is what a duty asks for: a call does not replace a visit at the door, but those at
/// lower risk may be rung up when the weather is bad.
pub fn fulfils(kind: DutyKind, grade: RiskGrade, way: Way) -> bool {
    match kind {
        DutyKind::Phone => true,
        DutyKind::Round | DutyKind::Knock => way == Way::Door,
        DutyKind::Extra => way == Way::Door || grade != RiskGrade::High,
    }
}

fn answers_fit(report: &Report) -> Result<(), VisitRefusal> {
    if report.answers.is_empty() {
        return Err(VisitRefusal::NoAnswer);
    }
    if report.way == Way::Door && report.points.contains(&Mark::Unseen) {
        return Err(VisitRefusal::PointsMissing);
    }
    let other = report.answers.iter().find(|a| **a != Answer::Well);
    let bad = report.points.iter().find(|m| matches!(m, Mark::Worry | Mark::Urgent));
    if report.answers.contains(&Answer::Well) {
        if let Some(other) = other {
            return Err(VisitRefusal::Contradiction(other.label()));
        }
        if let Some(bad) = bad {
            return Err(VisitRefusal::Contradiction(bad.label()));
        }
    }
    let words = [Answer::Doctor, Answer::Hazard, Answer::Worried, Answer::Urgent];
    match report.answers.iter().find(|a| words.contains(a)) {
        Some(answer) if report.note.trim().is_empty() => Err(VisitRefusal::NoWords(answer.label())),
        _ => Ok(()),
    }
}

/// What a duty waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The visit.
    Visit,
    /// A second try.
    SecondTry,
    /// Calls to the contacts.
    Contacts,
    /// Others were called for: an incident is open.
    Alarmed,
}

impl Step {
    /// What to do, in words.
    pub fn label(self) -> &'static str {
        match self {
            Step::Visit => "按期巡访",
            Step::SecondTry => "24 小时内再去一次",
            Step::Contacts => "询问联系人",
            Step::Alarmed => "已报警情，继续寻找",
        }
    }
}

/// What must be done now, by when, and how urgent an incident it is by now, if it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// What to do.
    pub step: Step,
    /// By when.
    pub due: At,
    /// 3 for an incident of the third level, 2 of the second.
    pub level: Option<u8>,
    /// When it is worth looking again; none when nothing changes by itself.
    pub look_at: Option<At>,
}

/// What a duty waits for now.
pub fn next(duty: &Duty, grade: RiskGrade, now: Now) -> Next {
    let Some(first) = duty.first_missed else {
        // Nobody came for a due visit: that is an incident for those at high risk, a line on a list for others.
        let alarm = grade == RiskGrade::High && duty.kind != DutyKind::Knock;
        let level = (alarm && duty.due < now.0).then_some(3);
        let step = if level.is_some() { Step::Alarmed } else { Step::Visit };
        let look_at = (alarm && level.is_none()).then_some(duty.due);
        return Next { step, due: duty.due, level, look_at };
    };
    let hours = |n: i64| first.plus_minutes(n * 60);
    let (second, contacts) = (hours(SECOND_TRY_HOURS), hours(SECOND_TRY_HOURS + CONTACTS_HOURS));
    let serious = hours(SERIOUS_HOURS);
    if serious < now.0 {
        return Next { step: Step::Alarmed, due: serious, level: Some(2), look_at: None };
    }
    // The door, the door again, the contacts: after three tries in vain nobody waits any longer.
    if duty.missed >= 3 || contacts < now.0 {
        return Next { step: Step::Alarmed, due: serious, level: Some(3), look_at: Some(serious) };
    }
    if duty.missed >= 2 || second < now.0 {
        return Next { step: Step::Contacts, due: contacts, level: None, look_at: Some(contacts) };
    }
    Next { step: Step::SecondTry, due: second, level: None, look_at: Some(second) }
}

/// When the next visit of a standing duty is due.
pub fn due(kind: DutyKind, terms: &GradeTerms, after: At) -> Option<At> {
    let days = match kind {
        DutyKind::Round => Some(terms.visit_days),
        DutyKind::Phone => terms.phone_days,
        DutyKind::Knock | DutyKind::Extra => None,
    };
    days.map(|days| after.plus_minutes(days * 24 * 60))
}

/// When the first visit of somebody new on the list is due.
pub fn first_due(kind: DutyKind, terms: &Terms, grade: RiskGrade, listed: At) -> Option<At> {
    let new = listed.plus_minutes(terms.new_days * 24 * 60);
    due(kind, terms.of(grade), listed).map(|due| due.min(new))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> At {
        At::parse(text).unwrap()
    }

    const NOW: &str = "2026-11-21T15:00";

    fn duty(kind: DutyKind) -> Duty {
        Duty { kind, due: at("2026-11-25T09:00"), first_missed: None, missed: 0 }
    }

    fn well() -> Report {
        Report {
            at: at("2026-11-21T14:30"),
            way: Way::Door,
            met: Met::Met,
            points: [Mark::Fine; 8],
            answers: vec![Answer::Well],
            note: String::new(),
        }
    }

    fn judged(report: &Report) -> Result<Judged, VisitRefusal> {
        judge(&duty(DutyKind::Round), RiskGrade::High, report, Now(at(NOW)))
    }

    #[test]
    fn what_does_not_make_sense_is_refused() {
        use VisitRefusal::*;
        let mut points = [Mark::Fine; 8];
        points[3] = Mark::Worry;
        for (report, want) in [
            (Report { at: at("2026-11-21T15:01"), ..well() }, Time(at("2026-11-21T15:01"))),
            (Report { at: at("2026-11-18T14:59"), ..well() }, Time(at("2026-11-18T14:59"))),
            (Report { answers: vec![], ..well() }, NoAnswer),
            (
                Report { answers: vec![Answer::Well, Answer::Doctor], note: "x".into(), ..well() },
                Contradiction("需要就医"),
            ),
            (Report { points, ..well() }, Contradiction("需关注")),
            (Report { answers: vec![Answer::Hazard], ..well() }, NoWords("有安全隐患")),
            (Report { points: [Mark::Unseen; 8], ..well() }, PointsMissing),
            (Report { way: Way::Contacts, ..well() }, NotByContacts),
            (Report { met: Met::Vouched, ..well() }, OnlyByContacts),
            (Report { note: "长".repeat(NOTE_MAX + 1), ..well() }, TooLong),
        ] {
            assert_eq!(judged(&report), Err(want), "{report:?}");
        }
    }

    #[test]
    fn a_call_is_a_contact_but_no_visit_at_the_door() {
        let call = Report { way: Way::Phone, points: [Mark::Unseen; 8], ..well() };
        let on = |kind| judge(&duty(kind), RiskGrade::High, &call, Now(at(NOW))).unwrap();
        assert_eq!((on(DutyKind::Round).success, on(DutyKind::Round).fulfils), (true, false));
        assert!(on(DutyKind::Phone).fulfils && !on(DutyKind::Knock).fulfils);
        let vouched = Report { way: Way::Contacts, met: Met::Vouched, ..call };
        let vouched = judge(&duty(DutyKind::Phone), RiskGrade::Key, &vouched, Now(at(NOW))).unwrap();
        assert!(!vouched.success && !vouched.fulfils, "whoever vouches has not seen the elder today");
    }

    #[test]
    fn what_is_found_is_urgent_or_a_worry() {
        let found = Report {
            answers: vec![Answer::Worried], note: "老伴去世，夜里睡不着".into(), ..well()
        };
        let judged = judged(&found).unwrap();
        assert_eq!((judged.urgent, judged.worry), (false, true));
        let mut points = [Mark::Fine; 8];
        points[0] = Mark::Urgent;
        let urgent = Report { points, answers: vec![Answer::Urgent], note: "胸闷".into(), ..well() };
        assert!(super::judge(&duty(DutyKind::Round), RiskGrade::Key, &urgent, Now(at(NOW))).unwrap().urgent);
    }

    fn said(duty: &Duty, grade: RiskGrade, now: &str) -> String {
        let next = next(duty, grade, Now(at(now)));
        let level = next.level.map_or(String::new(), |l| format!(" P{l}"));
        format!("{} by {}{level}", next.step.label(), next.due)
    }

    #[test]
    fn not_at_home_goes_on_to_contacts_and_then_to_an_incident() {
        let missed =
            |n| Duty { first_missed: Some(at("2026-11-21T10:00")), missed: n, ..duty(DutyKind::Round) };
        let key = RiskGrade::Key;
        assert_eq!(said(&missed(1), key, "2026-11-22T10:00"), "24 小时内再去一次 by 2026-11-22 10:00");
        assert_eq!(said(&missed(2), key, "2026-11-21T18:00"), "询问联系人 by 2026-11-22 12:00");
        assert_eq!(said(&missed(1), key, "2026-11-22T10:01"), "询问联系人 by 2026-11-22 12:00");
        assert_eq!(said(&missed(3), key, "2026-11-21T18:00"), "已报警情，继续寻找 by 2026-11-23 10:00 P3");
        assert_eq!(said(&missed(1), key, "2026-11-22T12:01"), "已报警情，继续寻找 by 2026-11-23 10:00 P3");
        assert_eq!(said(&missed(1), key, "2026-11-23T10:01"), "已报警情，继续寻找 by 2026-11-23 10:00 P2");
    }

    #[test]
    fn a_due_visit_nobody_made_is_an_incident_for_those_at_high_risk() {
        let round = duty(DutyKind::Round);
        assert_eq!(said(&round, RiskGrade::High, "2026-11-25T09:00"), "按期巡访 by 2026-11-25 09:00");
        assert_eq!(
            said(&round, RiskGrade::High, "2026-11-25T09:01"),
            "已报警情，继续寻找 by 2026-11-25 09:00 P3"
        );
        assert_eq!(said(&round, RiskGrade::Key, "2026-11-26T09:01"), "按期巡访 by 2026-11-25 09:00");
    }

    #[test]
    fn who_is_new_is_visited_within_a_week_however_low_the_grade() {
        let terms = Terms::default();
        let listed = at("2026-11-01T08:00");
        let first = |kind, grade| first_due(kind, &terms, grade, listed).map(|at| at.minute());
        assert_eq!(first(DutyKind::Round, RiskGrade::General).as_deref(), Some("2026-11-08 08:00"));
        assert_eq!(first(DutyKind::Phone, RiskGrade::High), None);
        assert_eq!(due(DutyKind::Round, &terms.general, listed).unwrap().minute(), "2027-01-30 08:00");
        assert_eq!(due(DutyKind::Phone, &terms.key, listed).unwrap().minute(), "2026-11-08 08:00");
    }
}
