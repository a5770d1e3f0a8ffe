//! The words of an incident: what happened, how urgent it is, where it stands, how it ended.

use crate::access::words;

words! {
    /// What happened.
    IncidentKind {
        /// Somebody pressed for help.
        Sos = "sos" "紧急呼叫",
        /// A fall was felt or seen.
        Fall = "fall" "跌倒",
        /// Smoke.
        Smoke = "smoke" "烟雾报警",
        /// Gas.
        Gas = "gas" "燃气报警",
        /// Nobody moved at home for too long.
        NoMovement = "no_movement" "长时间无活动",
        /// A door that did not open, or stays open.
        Door = "door" "门磁异常",
        /// Hardly any water was used.
        WaterLow = "water_low" "用水过少",
        /// Too much water runs.
        WaterHigh = "water_high" "用水过多",
        /// Out of bed too long, or not breathing as one should.
        Bed = "bed" "床垫异常",
        /// Blood pressure, glucose, oxygen, pulse.
        Vital = "vital" "体征异常",
        /// Somebody who must not walk alone left the fence.
        Fence = "fence" "走出安全区",
        /// Too cold or too hot at home.
        Temperature = "temperature" "室温异常",
        /// Nobody has seen or heard an elder for too long.
        Silence = "silence" "长时间失联",
        /// Nobody came for a due visit.
        MissedVisit = "missed_visit" "探访逾期",
        /// A device is broken, empty or silent.
        DeviceFault = "device_fault" "设备故障或离线",
        /// Many devices of one maker or county are silent at once.
        Area = "area" "成片失联",
        /// A caller who says nothing.
        SilentCall = "silent_call" "无声来电",
        /// A call that is an emergency.
        Call = "call" "来电求助",
        /// Somebody is lost.
        Lost = "lost" "走失",
        /// Something a visitor found.
        Finding = "finding" "巡访发现",
    }
}

words! {
    /// How urgent it is.
    Level {
        /// Life may be in danger.
        P1 = "P1" "一级（红）",
        /// Serious doubt.
        P2 = "P2" "二级（橙）",
        /// Care is needed.
        P3 = "P3" "三级（黄）",
        /// A device or data.
        P4 = "P4" "四级（蓝）",
    }
}

words! {
    /// Where an incident stands.
    IncidentState {
        /// Nobody has taken it: it rings for all.
        Ringing = "ringing" "响铃中",
        /// A named person has it.
        Acknowledged = "acknowledged" "处置中",
        /// Its owner put it aside for a moment.
        Held = "held" "已保持",
        /// Part of an area incident; does not ring by itself.
        Attached = "attached" "并入成片警情",
        /// Over, with an outcome.
        Closed = "closed" "已结案",
    }
}

words! {
    /// How an incident ended.
    IncidentOutcome {
        /// True, and helped on the spot.
        RealHelped = "real_helped" "属实，已救助",
        /// True, taken to hospital.
        RealHospital = "real_hospital" "属实，已送医",
        /// True; suspected death until it is confirmed.
        RealDeath = "real_death" "属实，疑似离世",
        /// Pressed by mistake.
        FalsePress = "false_press" "误按",
        /// The device was wrong.
        FalseDevice = "false_device" "设备误报",
        /// The rule was wrong: away, asleep.
        FalseRule = "false_rule" "规则误报（外出、睡觉等）",
        /// A test.
        Test = "test" "测试",
        /// The same thing as another incident.
        Duplicate = "duplicate" "重复警情",
        /// Nobody could be reached; only the shift's leader may end it so.
        CannotReach = "cannot_reach" "联系不上（班长结案）",
    }
}

words! {
    /// What is noted on an incident, one line of its history each.
    IncidentFactKind {
        /// It came in.
        Opened = "opened" "警情产生",
        /// It rings anew.
        Rang = "rang" "重新响铃",
        /// The same button again within a minute.
        PressedAgain = "pressed_again" "再次按下",
        /// Somebody took it.
        Acknowledged = "acknowledged" "接手",
        /// Its owner put it aside.
        Held = "held" "保持",
        /// Somebody wrote something down.
        Noted = "noted" "记录",
        /// Its owner called for others.
        Escalated = "escalated" "上报或求援",
        /// The ladder reached out by itself.
        Stepped = "stepped" "自动升级",
        /// What came of reaching out.
        Reached = "reached" "联络结果",
        /// Somebody was sent to the door.
        Sent = "sent" "派人上门",
        /// What became of whoever was sent.
        Errand = "errand" "上门进展",
        /// More or less urgent than before.
        LevelChanged = "level_changed" "调整等级",
        /// It is about this person.
        Identified = "identified" "确认老人",
        /// The owner left or was relieved.
        HandedOver = "handed_over" "交接",
        /// It became part of an area incident.
        Attached = "attached" "并入成片警情",
        /// Devices joined or left an area incident.
        Members = "members" "涉及设备变化",
        /// Over.
        Closed = "closed" "结案",
        /// A second person agreed.
        Reviewed = "reviewed" "复核通过",
        /// A second person did not agree.
        Returned = "returned" "复核退回",
        /// Open again under the same number.
        Reopened = "reopened" "重新打开",
    }
}

impl IncidentKind {
    /// How urgent it is unless somebody knows better. Source: `hotline-and-alarms.md` §3.
    pub fn level(self) -> Level {
        use IncidentKind::*;
        match self {
            Sos | Fall | Smoke | Gas | Fence | Call | Lost => Level::P1,
            NoMovement | WaterLow | Bed | Vital | Silence | Area | SilentCall => Level::P2,
            Door | WaterHigh | Temperature | MissedVisit | Finding => Level::P3,
            DeviceFault => Level::P4,
        }
    }

    /// Whether somebody must be with an elder when it ends: not when only things are concerned.
    pub fn about_people(self) -> bool {
        !matches!(self, IncidentKind::DeviceFault | IncidentKind::Area)
    }
}

impl IncidentState {
    /// Whether somebody owns it.
    pub fn owned(self) -> bool {
        matches!(self, IncidentState::Acknowledged | IncidentState::Held)
    }
}

impl IncidentOutcome {
    /// Whether it counts among alarms that were real: tests and duplicates are left out of every figure.
    pub fn counts(self) -> bool {
        !matches!(self, IncidentOutcome::Test | IncidentOutcome::Duplicate)
    }
}
