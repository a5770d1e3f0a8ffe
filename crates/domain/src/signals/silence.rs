//! Who needs watching, how closely, and when somebody has not been seen for too long.
//!
//! The clock of a person counts from the newest of: the last trace of life, the day the person came on the list, the
//! end of the last absence. While somebody is known to be away it stands still, but never longer than the city allows
//! for an absence nobody gave an end to: a forgotten entry must not hide anybody for ever.

use serde::{Deserialize, Serialize};

use crate::{
    access::words,
    parties::{Ability, Hardship, LivingArrangement, PersonState, Span},
    time::{At, Day, Now},
};

/// Elders are watched from this age. Source: 老年人权益保障法 art. 2.
pub const ELDER_AGE: u16 = 60;
/// From this age living without others is high risk. Source: `hotline-and-alarms.md` §7.
pub const HIGH_AGE: u16 = 80;

words! {
    /// How closely somebody is watched.
    RiskGrade {
        /// 高龄独居、失智
        High = "high" "高风险",
        /// 失能、重残、分散供养特困、计生特殊家庭
        Key = "key" "重点",
        /// 独居、空巢、留守
        General = "general" "一般",
    }
}

/// What decides whether somebody is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// On the register or not.
    pub state: PersonState,
    /// Full years.
    pub age: u16,
    /// With whom the person lives.
    pub living: Option<LivingArrangement>,
    /// Grade of the last assessment.
    pub ability: Option<Ability>,
    /// Categories of hardship, one bit each.
    pub hardships: i64,
}

/// Why somebody is watched, and how closely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Risk {
    /// The highest grade a rule gives.
    pub grade: RiskGrade,
    /// The rules that give it: "80 岁及以上独居、失智".
    pub why: String,
}

impl Profile {
    fn has(&self, one: Hardship) -> bool {
        self.hardships & one.bit() != 0
    }

    /// Lives without anybody who would notice.
    fn left_to_oneself(&self) -> [(bool, &'static str); 3] {
        let alone = self.living == Some(LivingArrangement::Alone) || self.has(Hardship::Alone);
        [(alone, "独居"), (self.has(Hardship::EmptyNest), "空巢"), (self.has(Hardship::LeftBehind), "留守")]
    }
}

/// Whether somebody needs watching: the highest rule met counts. Whoever lives in an institution is watched there, and
/// nobody watches for those who moved, died or are being looked for already.
pub fn risk(of: &Profile) -> Option<Risk> {
    let at_home = matches!(of.state, PersonState::Active | PersonState::Hospital);
    if !at_home || of.age < ELDER_AGE || of.living == Some(LivingArrangement::CareInstitution) {
        return None;
    }
    let lonely = of.left_to_oneself();
    let told = |rules: &[(bool, &str)]| {
        let met: Vec<&str> = rules.iter().filter(|(met, _)| *met).map(|(_, why)| *why).collect();
        (!met.is_empty()).then(|| met.join("、"))
    };
    let old = of.age >= HIGH_AGE;
    let aged: Vec<String> =
        lonely.iter().filter(|(met, _)| *met && old).map(|(_, w)| (*w).to_owned()).collect();
    let mut high: Vec<String> = Vec::new();
    if !aged.is_empty() {
        high.push(format!("{HIGH_AGE} 岁及以上{}", aged.join("、")));
    }
    if of.has(Hardship::Dementia) {
        high.push("失智".to_owned());
    }
    if !high.is_empty() {
        return Some(Risk { grade: RiskGrade::High, why: high.join("、") });
    }
    let disabled = of.has(Hardship::DisabledAbility)
        || matches!(of.ability, Some(Ability::Moderate | Ability::Severe | Ability::Complete));
    let key = told(&[
        (disabled, "失能"),
        (of.has(Hardship::SevereDisability), "重残"),
        (of.has(Hardship::Tekun), "分散供养特困"),
        (of.has(Hardship::FamilyPlanningSpecial), "计划生育特殊家庭"),
    ]);
    if let Some(why) = key {
        return Some(Risk { grade: RiskGrade::Key, why });
    }
    told(&lonely).map(|why| Risk { grade: RiskGrade::General, why })
}

/// What a city decides for one grade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GradeTerms {
    /// Nobody may be unseen for longer, in hours.
    pub unseen_hours: i64,
    /// Days between two visits at the door.
    pub visit_days: i64,
    /// Days between two telephone calls; none when the visits are enough.
    pub phone_days: Option<i64>,
    /// Where the numbers come from.
    pub source: String,
}

/// What a city decides about watching.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// 高风险
    pub high: GradeTerms,
    /// 重点
    pub key: GradeTerms,
    /// 一般
    pub general: GradeTerms,
    /// An absence nobody gave an end to stops the clock for so many days at most.
    pub away_days_max: i64,
    /// Whoever is new on the list is visited within so many days.
    pub new_days: i64,
    /// Item of the catalogue for a knock at the door; empty for none.
    pub knock_item: String,
    /// More silences than this share of a county's watched at once, in percent, are one thing gone wrong and not many.
    pub area_percent: i64,
}

impl Default for Terms {
    /// The defaults of the sheet: 24 hours for those at high risk, 48 for others; weekly, monthly, quarterly.
    fn default() -> Terms {
        let grade = |unseen_hours, visit_days, phone_days, source: &str| GradeTerms {
            unseen_hours,
            visit_days,
            phone_days,
            source: source.to_owned(),
        };
        Terms {
            high: grade(24, 7, None, "上海独居监测 24 小时规则；2022 年巡访分级规定：高风险每周"),
            key: grade(48, 30, Some(7), "平台默认 48 小时；2022 年巡访分级规定：重点每月，每周电话"),
            general: grade(48, 90, Some(30), "平台默认 48 小时；2022 年巡访分级规定：一般每季，每月电话"),
            away_days_max: 15,
            new_days: 7,
            knock_item: "E01".to_owned(),
            area_percent: 20,
        }
    }
}

impl Terms {
    /// What holds for a grade.
    pub fn of(&self, grade: RiskGrade) -> &GradeTerms {
        match grade {
            RiskGrade::High => &self.high,
            RiskGrade::Key => &self.key,
            RiskGrade::General => &self.general,
        }
    }
}

/// Days somebody is known to be away, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absence {
    /// On which days.
    pub span: Span,
    /// 住院、外出…
    pub why: &'static str,
}

impl Absence {
    /// The day the clock goes on, at the latest.
    fn ends(&self, terms: &Terms) -> Day {
        let days = jiff::Span::new().days(terms.away_days_max);
        self.span.to.unwrap_or_else(|| self.span.from.saturating_add(days))
    }
}

/// What is known of somebody's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// How closely the person is watched.
    pub grade: RiskGrade,
    /// On the list since.
    pub since: At,
    /// The newest trace of life.
    pub last: Option<At>,
    /// Known absences.
    pub away: Vec<Absence>,
}

/// What a clock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// All is well until then.
    Running {
        /// Counted from here.
        from: At,
        /// Somebody must have been seen by then.
        due: At,
    },
    /// It stands still.
    Paused {
        /// Why.
        why: &'static str,
        /// Until then, at the latest.
        until: At,
    },
    /// Nobody has been seen for too long.
    Overdue {
        /// Since then nobody was seen.
        from: At,
        /// Somebody should have been seen by then.
        due: At,
    },
}

impl Told {
    /// When it is worth looking again.
    pub fn look_at(self) -> At {
        match self {
            Told::Running { due, .. } | Told::Overdue { due, .. } => due,
            Told::Paused { until, .. } => until,
        }
    }
}

impl Clock {
    /// What the clock says now.
    pub fn tell(&self, terms: &Terms, now: Now) -> Told {
        let today = now.day();
        let midnight = |day: Day| At::from_local(day.into());
        let mut from = self.last.map_or(self.since, |last| last.max(self.since));
        let mut paused: Option<(Day, &'static str)> = None;
        for absence in &self.away {
            let ends = absence.ends(terms);
            if absence.span.from <= today && today < ends {
                paused = paused.max(Some((ends, absence.why)));
            } else if ends <= today && absence.span.from < ends {
                from = from.max(midnight(ends));
            }
        }
        if let Some((ends, why)) = paused {
            return Told::Paused { why, until: midnight(ends) };
        }
        let due = from.plus_minutes(terms.of(self.grade).unseen_hours * 60);
        if due < now.0 { Told::Overdue { from, due } } else { Told::Running { from, due } }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn profile(age: u16) -> Profile {
        Profile { state: PersonState::Active, age, living: None, ability: None, hardships: 0 }
    }

    fn graded(of: Profile) -> String {
        risk(&of).map_or("-".to_owned(), |r| format!("{} {}", r.grade.code(), r.why))
    }

    #[test]
    fn the_highest_rule_met_decides() {
        let alone = Some(LivingArrangement::Alone);
        for (of, want) in [
            (profile(85), "-"),
            (Profile { living: alone, ..profile(79) }, "general 独居"),
            (Profile { living: alone, ..profile(80) }, "high 80 岁及以上独居"),
            (Profile { hardships: Hardship::EmptyNest.bit(), ..profile(90) }, "high 80 岁及以上空巢"),
            (
                Profile {
                    living: alone,
                    hardships: Hardship::Alone.bit() | Hardship::LeftBehind.bit(),
                    ..profile(66)
                },
                "general 独居、留守",
            ),
            (Profile { hardships: Hardship::Dementia.bit(), ..profile(61) }, "high 失智"),
            (
                Profile { living: alone, hardships: Hardship::Dementia.bit(), ..profile(81) },
                "high 80 岁及以上独居、失智",
            ),
            (Profile { ability: Some(Ability::Mild), ..profile(70) }, "-"),
            (Profile { ability: Some(Ability::Moderate), living: alone, ..profile(70) }, "key 失能"),
            (
                Profile {
                    hardships: Hardship::Tekun.bit() | Hardship::SevereDisability.bit(),
                    ..profile(70)
                },
                "key 重残、分散供养特困",
            ),
            (Profile { hardships: Hardship::Dibao.bit(), ..profile(70) }, "-"),
            (Profile { hardships: Hardship::Tekun.bit(), ..profile(59) }, "-"),
        ] {
            assert_eq!(graded(of), want, "{of:?}");
        }
    }

    #[test]
    fn who_is_not_at_home_is_not_watched_but_hospital_is_a_pause() {
        let alone = Profile { living: Some(LivingArrangement::Alone), ..profile(85) };
        for state in PersonState::ALL {
            let watched = matches!(state, PersonState::Active | PersonState::Hospital);
            assert_eq!(risk(&Profile { state: *state, ..alone }).is_some(), watched, "{state:?}");
        }
        let home = Some(LivingArrangement::CareInstitution);
        assert_eq!(risk(&Profile { living: home, hardships: Hardship::Dementia.bit(), ..alone }), None);
    }

    fn at(text: &str) -> At {
        At::parse(text).unwrap()
    }

    fn clock(last: Option<&str>) -> Clock {
        Clock { grade: RiskGrade::Key, since: at("2026-11-01T08:00"), last: last.map(at), away: Vec::new() }
    }

    fn told(clock: &Clock, now: &str) -> String {
        match clock.tell(&Terms::default(), Now(at(now))) {
            Told::Running { due, .. } => format!("due {due}"),
            Told::Paused { why, until } => format!("{why} until {until}"),
            Told::Overdue { from, due } => format!("overdue since {due}, from {from}"),
        }
    }

    #[test]
    fn the_clock_counts_from_the_newest() {
        assert_eq!(told(&clock(None), "2026-11-02T08:00"), "due 2026-11-03 08:00");
        assert_eq!(
            told(&clock(None), "2026-11-03T08:00"),
            "due 2026-11-03 08:00",
            "exactly 48 h is not more"
        );
        assert_eq!(
            told(&clock(None), "2026-11-03T08:01"),
            "overdue since 2026-11-03 08:00, from 2026-11-01 08:00"
        );
        assert_eq!(told(&clock(Some("2026-11-02T20:00")), "2026-11-03T08:01"), "due 2026-11-04 20:00");
        // Whoever came on the list today is not overdue for a visit of last year.
        assert_eq!(told(&clock(Some("2025-11-02T20:00")), "2026-11-02T08:00"), "due 2026-11-03 08:00");
    }

    #[test]
    fn an_absence_stops_the_clock_and_starts_it_anew() {
        let mut clock = clock(Some("2026-11-02T20:00"));
        clock.away = vec![Absence {
            span: Span { from: date(2026, 11, 3), to: Some(date(2026, 11, 10)) },
            why: "外出",
        }];
        assert_eq!(told(&clock, "2026-11-09T23:59"), "外出 until 2026-11-10 00:00");
        assert_eq!(told(&clock, "2026-11-10T00:00"), "due 2026-11-12 00:00");
        assert_eq!(told(&clock, "2026-11-12T00:01"), "overdue since 2026-11-12 00:00, from 2026-11-10 00:00");
        assert_eq!(
            told(&clock, "2026-11-02T23:59"),
            "due 2026-11-04 20:00",
            "tomorrow's journey changes nothing"
        );
    }

    #[test]
    fn an_absence_without_an_end_does_not_hide_anybody_for_ever() {
        let mut clock = clock(Some("2026-11-02T20:00"));
        clock.away = vec![Absence { span: Span::since(date(2026, 11, 3)), why: "住院" }];
        assert_eq!(told(&clock, "2026-11-17T12:00"), "住院 until 2026-11-18 00:00");
        assert_eq!(told(&clock, "2026-11-20T00:01"), "overdue since 2026-11-20 00:00, from 2026-11-18 00:00");
    }

    #[test]
    fn two_absences_pause_until_the_later_ends() {
        let mut clock = clock(None);
        clock.away = vec![
            Absence { span: Span { from: date(2026, 11, 3), to: Some(date(2026, 11, 6)) }, why: "外出" },
            Absence { span: Span { from: date(2026, 11, 4), to: Some(date(2026, 11, 9)) }, why: "住院" },
        ];
        assert_eq!(told(&clock, "2026-11-05T12:00"), "住院 until 2026-11-09 00:00");
        assert_eq!(told(&clock, "2026-11-06T12:00"), "住院 until 2026-11-09 00:00");
    }
}
