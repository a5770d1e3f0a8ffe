//! `ladder.toml`: who is reached for when nobody takes an incident, and how patient the desk is.

use std::collections::HashSet;

use domain::signals::{
    errand::Going,
    incident::{IncidentKind, Level},
    ladder::{Pace, Reach, Rung, Terms},
};

use super::reader::{Doc, Fields, Troubles};

pub(super) const FILE: &str = "ladder.toml";

/// A day: nothing on a ladder waits longer.
const SECONDS_MAX: i64 = 86_400;

/// Reads the file; a pack without one has the terms that hold everywhere.
pub(super) fn read(text: &str, found: &Troubles) -> Terms {
    if text.is_empty() {
        return Terms::standard();
    }
    let doc = Doc { file: FILE, text, found };
    let table = doc.parse();
    let top = Fields::new(&doc, &table);
    if table.is_empty() {
        return Terms::standard();
    }
    top.number("format", 1, 1);
    let terms = Terms {
        // Never longer than a minute, whatever a city writes: no hold is silent.
        hold_seconds: top.number("hold_seconds", 5, 60),
        repeat_seconds: top.number("repeat_seconds", 0, 600),
        area_percent: top.number("area_percent", 1, 100),
        area_devices_min: top.number("area_devices_min", 2, 1_000),
        reconnect_seconds: top
            .number_or_none("reconnect_seconds", 0, 3_600)
            .unwrap_or(Terms::standard().reconnect_seconds),
        reconnect_beats: top
            .number_or_none("reconnect_beats", 0, 10)
            .unwrap_or(Terms::standard().reconnect_beats),
        going: going(&top),
        paces: paces(&top),
        rungs: rungs(&top),
    };
    for level in Level::ALL {
        let rings = |rung: &Rung| {
            rung.reach == Reach::Operator
                && rung.after_seconds == 0
                && rung.kinds.is_empty()
                && rung.levels.contains(level)
        };
        if !terms.rungs.iter().any(rings) {
            let say = format!(
                "等级 {} 没有“坐席立即响铃”这一步，警情会没有人听到。请补一段 after_seconds = 0、reach = \"operator\"",
                level.code()
            );
            top.tell("steps", say);
        }
    }
    top.finish();
    terms
}

/// Who is sent to a door first; what a city does not say is our rule.
fn going(top: &Fields<'_, '_>) -> Going {
    let usual = Going::default();
    let metres = |key, usual| top.number_or_none(key, 0, 1_000_000).unwrap_or(usual);
    Going {
        village_metres: metres("village_metres", usual.village_metres),
        township_metres: metres("township_metres", usual.township_metres),
        wider_metres: metres("wider_metres", usual.wider_metres),
        unknown_metres: metres("unknown_metres", usual.unknown_metres),
        busy_metres: metres("busy_metres", usual.busy_metres),
        off_metres: metres("off_metres", usual.off_metres),
        offline_metres: metres("offline_metres", usual.offline_metres),
        to_ring_metres: metres("to_ring_metres", usual.to_ring_metres),
    }
}

fn codes<T: Copy>(all: &[T], code: impl Fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|one| code(*one)).collect()
}

fn paces(top: &Fields<'_, '_>) -> Vec<Pace> {
    let known = codes(Level::ALL, Level::code);
    let mut seen = HashSet::new();
    let mut list = Vec::new();
    for table in top.tables("levels") {
        let level = table.word("code", &known, Level::from_code);
        table.text("name");
        let factor = table.number("factor", 1, 20);
        let take_seconds = table.number("take_seconds", 5, SECONDS_MAX);
        let idle_seconds = table.number("idle_seconds", 60, SECONDS_MAX);
        if let Some(level) = level {
            if !seen.insert(level) {
                table.tell("code", format!("等级 {} 写了两遍，请合并成一段", level.code()));
            }
            list.push(Pace { level, factor, take_seconds, idle_seconds });
        }
        table.text("source");
        table.finish();
    }
    let missing: Vec<&str> =
        Level::ALL.iter().filter(|level| !seen.contains(level)).map(|level| level.code()).collect();
    if !missing.is_empty() {
        top.tell("levels", format!("缺少等级 {}，请各补一段 [[levels]]", missing.join("、")));
    }
    list
}

fn rungs(top: &Fields<'_, '_>) -> Vec<Rung> {
    let (reaches, levels, kinds) = (
        codes(Reach::ALL, Reach::code),
        codes(Level::ALL, Level::code),
        codes(IncidentKind::ALL, IncidentKind::code),
    );
    let mut list: Vec<Rung> = Vec::new();
    for table in top.tables("steps") {
        let reach = table.word("reach", &reaches, Reach::from_code);
        let after_seconds = table.number("after_seconds", 0, SECONDS_MAX);
        let rank = table.number_or_none("rank", 1, 9).unwrap_or(1);
        let label = table.text("label");
        let levels = table.words("levels", &levels, Level::from_code);
        let kinds = table.words("kinds", &kinds, IncidentKind::from_code);
        if levels.is_empty() {
            table.tell("levels", "levels 不能为空，请写明用于哪些等级，例如 levels = [\"P1\", \"P2\"]");
        }
        if list.last().is_some_and(|before| before.after_seconds > after_seconds) {
            table.tell("after_seconds", "步骤应按时间先后排列，请把这一段移到前面");
        }
        list.extend(reach.map(|reach| Rung { after_seconds, reach, rank, label, levels, kinds }));
        table.text("source");
        table.finish();
    }
    list
}
