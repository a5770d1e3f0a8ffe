//! The one place where evidence becomes a sentence: an act and its detail, said the way people say it.
//!
//! What is not known here is still shown, with its name, so that nothing in the log can hide behind a missing word.

use domain::{
    access::Role,
    money::Fen,
    orders::{CancelReason, Channel, ConfirmedBy, Interruption, Method},
    signals::{
        errand::{ErrandState, Finding},
        incident::{IncidentKind, IncidentOutcome, Level},
        ladder::{Reach, ReachResult},
        reach::ReachChannel,
        rounds::{DutyKind, Met, Way},
        sighting::SightingKind,
        silence::RiskGrade,
    },
    time::At,
};
use serde_json::Value;

/// An entry of the log as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// What happened.
    pub(crate) text: String,
    /// `done`, `attention` or nothing.
    pub(crate) look: &'static str,
}

/// Kinds of acts, as a list can be narrowed to.
pub(super) const KINDS: &[(&str, &str)] = &[
    ("order", "工单"),
    ("call", "来电"),
    ("incident", "警情"),
    ("reach", "联络"),
    ("silence", "失联"),
    ("visit", "巡访"),
    ("person", "老人档案"),
    ("provider", "服务商"),
    ("carer", "服务人员"),
    ("statement", "结算单"),
    ("rights", "额度"),
    ("import", "导入"),
    ("account", "账号"),
    ("region", "行政区划"),
    ("pack", "城市包"),
    ("device", "设备"),
];

/// The sentence of an entry.
pub(crate) fn sentence(act: &str, detail: &str) -> Said {
    let detail: Value = serde_json::from_str(detail).unwrap_or(Value::Null);
    let d = Detail(&detail);
    let text = match act.split_once('.') {
        Some(("order", what)) => order(what, &d),
        Some(("call", what)) => call(what, &d),
        Some(("incident", what)) => incident(what, &d),
        Some(("reach", "handed")) => Some(handed(&d)),
        Some(("silence", what)) => silence(what, &d),
        Some(("visit", what)) => visit(what, &d),
        Some(("person", what)) => person(what, &d),
        Some(("account", what)) => account(what, &d),
        Some(("carer" | "provider", _)) => office(act, &d),
        Some(("statement", what)) => statement(what, &d),
        _ => other(act, &d),
    };
    Said { text: text.unwrap_or_else(|| format!("其他记录（{act}）")), look: look(act, &d) }
}

/// The name of a role's code.
pub(crate) fn role(code: &str) -> &str {
    Role::from_code(code).map_or(code, |role| role.label())
}

fn look(act: &str, d: &Detail<'_>) -> &'static str {
    match act {
        "order.confirmed" | "order.settled" | "statement.checked" | "statement.paid" | "call.closed"
        | "incident.closed" | "incident.reviewed" | "silence.closed" => "done",
        "order.disputed"
        | "order.declined"
        | "order.cancelled"
        | "order.nobody_home"
        | "order.interrupted"
        | "order.escalated"
        | "order.exception_asked"
        | "statement.returned"
        | "person.revealed"
        | "carer.revealed"
        | "account.locked"
        | "incident.opened"
        | "incident.rang"
        | "silence.opened"
        | "incident.returned"
        | "order.exported" => "attention",
        "order.checked_out" if d.yes("short") => "attention",
        "order.photographed" if !d.text("reused_from").is_empty() => "attention",
        _ => "",
    }
}

/// Reads what is there and leaves out what is not.
struct Detail<'a>(&'a Value);

impl Detail<'_> {
    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or("")
    }

    fn number(&self, name: &str) -> i64 {
        self.0[name].as_i64().unwrap_or(0)
    }

    fn yes(&self, name: &str) -> bool {
        self.0[name].as_bool().unwrap_or(false)
    }

    fn money(&self, name: &str) -> Fen {
        Fen(self.number(name))
    }

    /// `14:05` of an instant, with its day.
    fn time(&self, name: &str) -> String {
        At::parse(self.text(name))
            .map(|at| at.local().strftime("%m-%d %H:%M").to_string())
            .unwrap_or_default()
    }

    /// `：text`, or nothing.
    fn after(&self, name: &str) -> String {
        match self.text(name) {
            "" => String::new(),
            text => format!("：{text}"),
        }
    }
}

fn order(what: &str, d: &Detail<'_>) -> Option<String> {
    let by = || ConfirmedBy::from_code(d.text("by")).map_or("", ConfirmedBy::label);
    Some(match what {
        "placed" => {
            let channel = Channel::from_code(d.text("channel")).map_or("", Channel::label);
            let (service, start) = (d.text("service"), d.time("start"));
            let (price, own) = (d.money("price_fen"), d.money("own_fen"));
            format!("{channel}下单 {service}，约 {start} 上门，价格 {price}，其中自付 {own}")
        }
        "assigned" => {
            let two = if d.0["partner"].is_null() { "" } else { "，两人同去" };
            format!("派给{}{two}", d.text("carer_name"))
        }
        "accepted" => "服务人员接单".to_owned(),
        "declined" => format!("服务人员退单{}", d.after("reason")),
        "checked_in" => checked_in(d),
        "photographed" => match d.text("reused_from") {
            "" => "上传现场照片".to_owned(),
            other => format!("上传现场照片，与工单 {other} 的照片相同"),
        },
        "checked_out" => {
            let short = if d.yes("short") { "，不足最短时长" } else { "" };
            let word = match d.0["on_the_spot"].as_bool() {
                Some(true) => "，老人当面验收满意",
                Some(false) => "，老人当面表示不满意",
                None => "",
            };
            format!("签退，服务 {} 分钟{short}{word}{}", d.number("minutes"), d.after("note"))
        }
        "nobody_home" => {
            let rang = match (d.yes("rang_elder"), d.yes("rang_contact")) {
                (true, true) => "，已打老人和联系人电话",
                (true, false) => "，已打老人电话",
                (false, true) => "，已打联系人电话",
                (false, false) => "",
            };
            format!("空访：等候 {} 分钟无人应答{rang}{}", d.number("waited_minutes"), d.after("note"))
        }
        "interrupted" => {
            let why = Interruption::from_code(d.text("why")).map_or("", Interruption::label);
            let short = if d.yes("short") { "，不足最短时长" } else { "" };
            format!("中断服务（{why}），服务 {} 分钟{short}{}", d.number("minutes"), d.after("note"))
        }
        "escalated" => {
            let why = if d.yes("overdue") { "到时限仍无人接单" } else { "附近没有可派的人" };
            format!("紧急工单{why}，已问 {} 人，转派单员", d.number("asked"))
        }
        "own_collected" => format!("服务商收取自付 {}", d.money("amount_fen")),
        "fee_waived" => format!("按原时间重新下单，退回取消费 {}", d.money("fee_fen")),
        "confirmed" => format!("{}验收，满意{}", by(), d.after("note")),
        "disputed" => format!("{}表示不满意{}", by(), d.after("note")),
        "rated" => format!("评价 {} 星{}", d.number("stars"), d.after("comment")),
        "cancelled" => {
            let reason = CancelReason::from_code(d.text("reason")).map_or("", CancelReason::label);
            let fee = match d.money("fee_fen") {
                Fen::ZERO => String::new(),
                fee => format!("，收取 {fee}"),
            };
            format!("取消工单（{reason}），退回占用的额度{fee}{}", d.after("note"))
        }
        "settled" => {
            let excused = if d.yes("exception") { "，按例外批准" } else { "" };
            format!("结算 {}，其中自付 {}{excused}", d.money("price_fen"), d.money("own_fen"))
        }
        "exception_asked" => format!("申请不经验收结算{}", d.after("reason")),
        "exception_approved" => "另一人批准不经验收结算".to_owned(),
        "exported" => format!("导出工单 {} 条", d.number("rows")),
        _ => return None,
    })
}

fn checked_in(d: &Detail<'_>) -> String {
    let how = Method::from_code(d.text("method")).map_or("", Method::label);
    let place = match d.0["distance_metres"].as_i64() {
        Some(metres) => format!("，距住处 {metres} 米"),
        None => "，位置不确定".to_owned(),
    };
    let offline = if d.yes("offline") { "，离线记录后补传" } else { "" };
    format!("签到（{how}）{place}{offline}")
}

fn call(what: &str, d: &Detail<'_>) -> Option<String> {
    Some(match what {
        "rang" => "来电振铃".to_owned(),
        "answered" => format!("接听，等候 {} 秒", d.number("waited_seconds")),
        "identified" => "认出来电的老人".to_owned(),
        "taken_over" => format!("接手{}的通话", d.text("from_name")),
        "noted" => format!("记录通话内容 {} 字", d.number("length")),
        "closed" => "来电办结".to_owned(),
        _ => return None,
    })
}

fn silence(what: &str, d: &Detail<'_>) -> Option<String> {
    Some(match what {
        "opened" => {
            let grade = RiskGrade::from_code(d.text("grade")).map_or("", RiskGrade::label);
            let then = match (d.yes("area"), d.text("order"), d.text("duty")) {
                (true, ..) => "，并入区县成片警情",
                (_, "", "") => "",
                (_, "", _) => "，已派责任人敲门",
                _ => "，已下敲门工单",
            };
            format!("{grade}老人失联，自 {} 起无人见到{then}", d.time("from"))
        }
        "closed" => match SightingKind::from_code(d.text("by")) {
            Some(kind) => format!("失联解除：{}", kind.label()),
            None => "失联解除：已登记外出或住院".to_owned(),
        },
        _ => return None,
    })
}

fn visit(what: &str, d: &Detail<'_>) -> Option<String> {
    Some(match what {
        "recorded" => {
            let kind = DutyKind::from_code(d.text("kind")).map_or("", DutyKind::label);
            let way = Way::from_code(d.text("way")).map_or("", Way::label);
            let met = Met::from_code(d.text("met")).map_or("", Met::label);
            let followed = match d.0["followed"].as_array().map_or(0, Vec::len) {
                0 => String::new(),
                n => format!("，转出 {n} 件"),
            };
            format!("{kind}（{way}）：{met}{followed}")
        }
        "called_out" => format!("组织专项巡访“{}”，{} 人", d.text("occasion"), d.number("added")),
        "leave_entered" => format!("登记请假 {} 至 {}", d.text("from"), d.text("to")),
        "leave_ended" => "销假".to_owned(),
        _ => return None,
    })
}

/// A number left for the telephone gateway.
fn handed(d: &Detail<'_>) -> String {
    let who = Reach::from_code(d.text("who")).map_or("", Reach::label);
    let channel = ReachChannel::from_code(d.text("channel")).map_or("", ReachChannel::label);
    match d.number("attempt") {
        again @ 2.. => format!("交话务网关{channel}联系{who}{}，第 {again} 次", d.text("name")),
        _ => format!("交话务网关{channel}联系{who}{}", d.text("name")),
    }
}

fn incident(what: &str, d: &Detail<'_>) -> Option<String> {
    let kind = IncidentKind::from_code(d.text("kind")).map_or("", IncidentKind::label);
    let reach = || Reach::from_code(d.text("reach")).map_or("", Reach::label);
    let level = |name| Level::from_code(d.text(name)).map_or("", Level::label);
    Some(match what {
        "opened" => {
            let doubt = if d.yes("verified") { "" } else { "，来源未经验证" };
            format!("警情产生：{kind}，{}{doubt}", level("level"))
        }
        "rang" => match d.text("why") {
            "hold_over" => "保持时间已到，再次响铃".to_owned(),
            "area_closed" => "成片警情结案后设备仍失联，再次响铃".to_owned(),
            _ => "接手人长时间没有动作，再次响铃".to_owned(),
        },
        "pressed_again" => format!("一分钟内再次报警，第 {} 次", d.number("presses")),
        "acknowledged" if d.yes("from_hold") => "结束保持，继续处置".to_owned(),
        "acknowledged" => format!("接手警情，响铃 {} 秒", d.number("waited_seconds")),
        "held" => format!("保持到 {}", d.time("until")),
        "noted" if d.yes("draft") => "未发送的记录自动留存".to_owned(),
        "noted" => format!("记录处置情况 {} 字", d.number("length")),
        "escalated" => format!("求援：{}", reach()),
        "stepped" => match d.number("late_seconds") {
            late @ 6.. => format!("自动升级：{}，迟 {late} 秒", reach()),
            _ => format!("自动升级：{}", reach()),
        },
        "reached" => {
            let result = ReachResult::from_code(d.text("result")).map_or("", ReachResult::label);
            format!("联络结果：{result}")
        }
        "sent" => format!("派{}上门", d.text("name")),
        "errand" => {
            match (ErrandState::from_code(d.text("errand_state")), Finding::from_code(d.text("finding"))) {
                (_, Some(found)) => format!("{}上门：{}", d.text("name"), found.label()),
                (Some(state), None) => format!("{}上门：{}", d.text("name"), state.label()),
                (None, None) => "派人上门没有人能去".to_owned(),
            }
        }
        "level_changed" => format!("等级由{}调整为{}", level("from"), level("to")),
        "identified" => "确认警情涉及的老人".to_owned(),
        "handed_over" => match d.text("why") {
            "signed_out" => "接手人退出登录，交还全体坐席".to_owned(),
            "taken_over" => "班长改派给自己".to_owned(),
            _ => "接手人交还全体坐席".to_owned(),
        },
        "attached" => "并入成片失联警情".to_owned(),
        "members" => {
            format!("成片失联的设备：新增 {} 台，恢复 {} 台", d.number("joined"), d.number("left"))
        }
        "closed" => {
            let outcome = IncidentOutcome::from_code(d.text("outcome")).map_or("", IncidentOutcome::label);
            let with = match d.text("with_elder") {
                "" => String::new(),
                with => format!("，老人现由{with}陪同"),
            };
            format!("结案：{outcome}{with}")
        }
        "reviewed" => "另一人复核通过".to_owned(),
        "returned" => "另一人复核不同意，重新响铃".to_owned(),
        "reopened" => "重新打开，沿用原编号".to_owned(),
        _ => return None,
    })
}

fn person(what: &str, d: &Detail<'_>) -> Option<String> {
    Some(match what {
        "enrolled" => "登记入册".to_owned(),
        "changed" => "修改档案".to_owned(),
        "change_undone" => "撤销刚才的修改".to_owned(),
        "fact_stated" => "登记一项情况".to_owned(),
        "fact_corrected" => "更正一项情况".to_owned(),
        "fact_taken_back" => "撤销刚才登记的情况".to_owned(),
        "state_changed" => "档案状态变化".to_owned(),
        "renewed" => "按起止日期更新了当前情况".to_owned(),
        "revealed" => format!("查看隐藏信息{}", d.after("reason")),
        _ => return None,
    })
}

fn account(what: &str, d: &Detail<'_>) -> Option<String> {
    Some(match what {
        "first_claimed" => "第一个管理员开通".to_owned(),
        "invited" => "开户".to_owned(),
        "invited_again" => "重新发出开户链接".to_owned(),
        "signed_in" => "登录".to_owned(),
        "signed_out" => "退出".to_owned(),
        "locked" => format!("密码连续错误，锁定 {} 分钟", d.number("minutes")),
        "password_set" | "password_changed" => "设置密码".to_owned(),
        "factor_set" => "绑定动态口令".to_owned(),
        "factor_removed" | "factor_cleared" => "解除动态口令".to_owned(),
        "post_given" => "授予岗位".to_owned(),
        "post_ended" => "结束岗位".to_owned(),
        "post_chosen" => "切换岗位".to_owned(),
        "session_ended" => "结束一处登录".to_owned(),
        "closed" => "停用账号".to_owned(),
        "reopened" => "恢复账号".to_owned(),
        "token_made" => "发放接口令牌".to_owned(),
        "token_revoked" => "吊销接口令牌".to_owned(),
        _ => return None,
    })
}

fn office(act: &str, d: &Detail<'_>) -> Option<String> {
    Some(match act {
        "provider.entered" => format!("登记服务商{}", d.after("name")),
        "provider.edited" => format!("修改服务商资料{}", d.after("name")),
        "carer.entered" => format!("登记服务人员{}", d.after("name")),
        "carer.edited" => format!("修改服务人员资料{}", d.after("name")),
        "carer.certified" => format!("登记证书{}", d.after("skill")),
        "carer.on_leave" => format!("请假 {} 至 {}", d.text("from"), d.text("to")),
        "carer.back" => "销假".to_owned(),
        "carer.left" => "离职".to_owned(),
        "carer.revealed" => format!("查看服务人员电话{}", d.after("reason")),
        _ => return None,
    })
}

fn statement(what: &str, d: &Detail<'_>) -> Option<String> {
    Some(match what {
        "made" => format!("生成结算单，金额 {}", d.money("amount_fen")),
        "checked" => format!("复核结算单，金额 {}", d.money("amount_fen")),
        "paid" => format!("支付 {}", d.money("amount_fen")),
        "returned" => format!("退回结算单{}", d.after("why")),
        _ => return None,
    })
}

fn other(act: &str, d: &Detail<'_>) -> Option<String> {
    Some(match act {
        "rights.granted" => "发放本月额度".to_owned(),
        "region.renamed" => format!("行政区划改名{}", d.after("name")),
        "region.retired" => "行政区划撤并".to_owned(),
        "pack.installed" => "安装城市包".to_owned(),
        "device.added" => format!("登记设备{}", d.after("serial")),
        "device.secret_renewed" => "更换设备密钥".to_owned(),
        "device.given" => "设备登记给一位老人".to_owned(),
        "device.retired" => format!("停用设备{}", d.after("reason")),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_said_the_way_people_say_it() {
        for (act, detail, said) in [
            (
                "order.placed",
                r#"{"channel":"hotline","service":"B01","start":"2026-11-21T10:00:00.000+08:00","price_fen":5700,"own_fen":0}"#,
                "热线下单 B01，约 11-21 10:00 上门，价格 ¥57.00，其中自付 ¥0.00",
            ),
            ("order.assigned", r#"{"carer_name":"田芳","partner":null}"#, "派给田芳"),
            ("order.assigned", r#"{"carer_name":"田芳","partner":"7"}"#, "派给田芳，两人同去"),
            ("order.declined", r#"{"reason":"孩子生病"}"#, "服务人员退单：孩子生病"),
            (
                "order.checked_in",
                r#"{"method":"gps","distance_metres":12,"offline":true}"#,
                "签到（手机定位），距住处 12 米，离线记录后补传",
            ),
            ("order.checked_in", r#"{"method":"manual"}"#, "签到（人工补录），位置不确定"),
            (
                "order.checked_out",
                r#"{"minutes":30,"short":true,"on_the_spot":true,"note":"老人不适"}"#,
                "签退，服务 30 分钟，不足最短时长，老人当面验收满意：老人不适",
            ),
            (
                "order.nobody_home",
                r#"{"waited_minutes":16,"rang_elder":true,"rang_contact":true,"note":"邻居说去了女儿家"}"#,
                "空访：等候 16 分钟无人应答，已打老人和联系人电话：邻居说去了女儿家",
            ),
            (
                "order.interrupted",
                r#"{"why":"illness","minutes":20,"short":true,"note":"头晕"}"#,
                "中断服务（老人身体不适），服务 20 分钟，不足最短时长：头晕",
            ),
            (
                "order.escalated",
                r#"{"asked":3,"overdue":true}"#,
                "紧急工单到时限仍无人接单，已问 3 人，转派单员",
            ),
            (
                "order.cancelled",
                r#"{"reason":"elder","fee_fen":1710}"#,
                "取消工单（老人取消），退回占用的额度，收取 ¥17.10",
            ),
            ("order.settled", r#"{"price_fen":12000,"own_fen":2400}"#, "结算 ¥120.00，其中自付 ¥24.00"),
            (
                "incident.opened",
                r#"{"kind":"sos","level":"P1","verified":false}"#,
                "警情产生：紧急呼叫，一级（红），来源未经验证",
            ),
            (
                "incident.closed",
                r#"{"outcome":"false_press","with_elder":"女儿"}"#,
                "结案：误按，老人现由女儿陪同",
            ),
            ("incident.stepped", r#"{"reach":"family","late_seconds":9}"#, "自动升级：家属，迟 9 秒"),
            ("order.invented", "{}", "其他记录（order.invented）"),
            ("nonsense", "not json", "其他记录（nonsense）"),
        ] {
            assert_eq!(sentence(act, detail).text, said, "{act}");
        }
    }
}
