//! How incidents look and read: icons, marks, one line of history as a sentence.

use app::signals::incidents::FactLine;
use domain::{
    signals::{
        incident::{IncidentFactKind, IncidentKind, IncidentOutcome, IncidentState, Level},
        ladder::{Reach, ReachResult},
    },
    time::{At, Now},
};
use serde_json::Value;

use crate::desks::hotline::alarm::Told;

/// A device clock this far from ours is told of.
const APART_SECONDS: i64 = 120;

/// The icon of a kind.
pub(crate) fn icon(kind: IncidentKind) -> &'static str {
    use IncidentKind::*;
    match kind {
        Sos | Lost | Fence => "sos",
        Fall | NoMovement | Bed | Vital => "activity",
        Smoke | Gas | Temperature => "alert-triangle",
        Door => "door",
        WaterLow | WaterHigh => "bath",
        Silence | MissedVisit => "clock",
        Finding => "clipboard-list",
        DeviceFault => "tool",
        Area => "wifi-off",
        SilentCall | Call => "phone-incoming",
    }
}

/// The kind of chip of a level.
pub(crate) fn chip(level: Level) -> &'static str {
    match level {
        Level::P1 => "alarm",
        Level::P2 => "attention",
        Level::P3 => "info",
        Level::P4 => "quiet",
    }
}

/// The kind of chip of a state; only what still rings at the highest level is red.
pub(crate) fn state_chip(state: IncidentState, level: Level) -> &'static str {
    match state {
        IncidentState::Ringing if level == Level::P1 => "alarm",
        IncidentState::Ringing | IncidentState::Held => "attention",
        IncidentState::Acknowledged | IncidentState::Attached => "info",
        IncidentState::Closed => "done",
    }
}

/// Whether a step only rings at this desk, so that nobody outside could answer it.
pub(crate) fn of_desk(reach: Reach) -> bool {
    matches!(reach, Reach::Operator)
}

/// How far the device's clock is from ours, when that is worth a word.
pub(crate) fn apart(pressed: Option<At>, received: At) -> String {
    let Some(pressed) = pressed else { return String::new() };
    let seconds = received.seconds_since(pressed);
    if seconds.abs() < APART_SECONDS {
        return String::new();
    }
    let length = length(seconds.abs());
    if seconds > 0 { format!("迟到 {length}") } else { format!("设备时钟快 {length}") }
}

/// A length of time in words.
pub(crate) fn length(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} 秒"),
        60..3_600 => format!("{} 分钟", seconds / 60),
        3_600..172_800 => format!("{} 小时", seconds / 3_600),
        _ => format!("{} 天", seconds / 86_400),
    }
}

/// A fact as a sentence.
pub(crate) fn told(fact: &FactLine, now: Now) -> Told {
    use IncidentFactKind::*;
    let detail: Value = serde_json::from_str(&fact.detail).unwrap_or(Value::Null);
    let word = |name: &str| detail[name].as_str().unwrap_or("");
    let number = |name: &str| detail[name].as_i64().unwrap_or(0);
    let reach = |name: &str| Reach::from_code(word(name)).map_or("", Reach::label);
    let what = match fact.kind {
        Acknowledged if detail["from_hold"] == true => "取消保持，继续处置".to_owned(),
        Acknowledged => format!("接手，响铃 {}", length(number("waited_seconds"))),
        Held => "保持".to_owned(),
        Escalated => format!("联系{}", reach("reach")),
        Stepped => match number("late_seconds") {
            ..=5 => "自动升级".to_owned(),
            late => format!("自动升级，晚了 {}", length(late)),
        },
        Reached => ReachResult::from_code(word("result")).map_or("联络结果", ReachResult::label).to_owned(),
        LevelChanged => {
            let level = |name| Level::from_code(word(name)).map_or("", Level::label);
            format!("等级由{}调为{}", level("from"), level("to"))
        }
        PressedAgain => format!("第 {} 次按下", number("presses")),
        Closed => {
            let outcome = IncidentOutcome::from_code(word("outcome")).map_or("", IncidentOutcome::label);
            match word("with_elder") {
                "" => format!("结案：{outcome}"),
                who => format!("结案：{outcome}，现在和老人在一起的是{who}"),
            }
        }
        Members => format!("新失联 {} 台，恢复 {} 台", number("joined"), number("left")),
        Noted if detail["draft"] == true => "记录（交接时未发送的草稿）".to_owned(),
        other => other.label().to_owned(),
    };
    let look = match fact.kind {
        Opened | Rang | PressedAgain | Returned | Reopened | Stepped | HandedOver => "attention",
        Acknowledged | Closed | Reviewed => "done",
        Errand if matches!(word("errand_state"), "lapsed" | "declined" | "") => "attention",
        Errand if matches!(word("finding"), "needs_help" | "refused" | "nobody_home") => "attention",
        Errand if word("errand_state") == "found" => "done",
        _ => "",
    };
    let clock = fact.at.local().strftime("%H:%M:%S").to_string();
    Told {
        at: if fact.at.day() == now.day() { clock } else { format!("{} {clock}", fact.at.day()) },
        what,
        text: fact.text.clone(),
        made: fact.by.0 == 0 || matches!(fact.kind, Sent | Errand),
        who: if fact.by_name.is_empty() { "平台".to_owned() } else { fact.by_name.clone() },
        look,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_told_of() {
        let at = |text| At::parse(text).unwrap();
        let received = at("2026-11-21T10:00:00");
        assert_eq!(apart(None, received), "");
        assert_eq!(apart(Some(at("2026-11-21T09:59:10")), received), "");
        assert_eq!(apart(Some(at("2026-11-21T08:00:00")), received), "迟到 2 小时");
        assert_eq!(apart(Some(at("2026-11-24T10:00:00")), received), "设备时钟快 3 天");
    }
}
