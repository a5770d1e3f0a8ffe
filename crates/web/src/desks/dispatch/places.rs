//! The day on a map: where the carers are and go next, what waits, and who would go best to the chosen order.

use app::{
    orders::{self, Block, Home, Lane, LaneAsk, Waiting},
    outcome::Outcome,
    store::Tx,
};
use domain::{
    access::Actor,
    orders::{OrderRefusal, OrderState},
    time::Now,
};

use super::{
    View,
    chosen::{Best, Chosen},
    waiting::href,
    wider,
};
use crate::{
    desks::map::{Map, Spot},
    text::translate,
};

/// Carers on one map; more would hide each other.
const CARERS_SHOWN: i64 = 100;
/// Around the chosen order; what is farther off would shrink what matters to a dot.
const NEAR_METRES: f64 = 10_000.0;
/// The drawing fills the middle pane.
const SIZE: (f64, f64) = (760.0, 560.0);

/// The map and the same in words.
pub(super) struct Places {
    /// Nothing when nobody and nothing has a known place.
    pub(super) map: Option<Map>,
    pub(super) told: Vec<(String, Option<String>)>,
}

/// Everything of the shown day that has a place.
pub(super) fn load(
    tx: &mut Tx<'_>,
    actor: &Actor,
    view: &View,
    chosen: Option<&Chosen>,
    lang: &'static str,
    now: Now,
) -> Outcome<Places, OrderRefusal> {
    let ask = LaneAsk { offset: 0, limit: CARERS_SHOWN, ..view.lanes(now) };
    let lanes = orders::lanes(tx, actor, &ask).map_err(wider)?;
    let waiting = orders::waiting(tx, actor, now).map_err(wider)?;
    // What matters most comes first: it is drawn above the rest.
    let mut spots: Vec<Spot> = Vec::new();
    if let Some(chosen) = chosen {
        spots.extend(here(chosen, view, lang));
        spots.extend(chosen.best.iter().filter_map(|b| best(b, lang)));
    }
    let others = waiting.iter().filter(|w| view.order != Some(w.line.id));
    spots.extend(others.filter_map(|w| waits(w, view, lang, now)));
    spots.extend(lanes.iter().filter_map(|l| carer(l, view, lang)));
    let label =
        translate("地图，上方是北：方块是待派工单，圆点是服务人员，线连到下一家，边上虚线的在更远处", lang);
    let label = label.into_owned();
    let near = match spots.first() {
        Some(first) if first.chosen => Map::around(lang, label.clone(), SIZE, NEAR_METRES, &spots),
        _ => None,
    };
    Ok(Places {
        map: near.or_else(|| Map::over(lang, label, SIZE, &spots)),
        told: spots.into_iter().map(|s| (s.name, s.href)).collect(),
    })
}

fn here(chosen: &Chosen, view: &View, lang: &str) -> Option<Spot> {
    let name = format!("{}：{}", translate("选中的工单", lang), chosen.title);
    let spot = Spot::new(chosen.place?, "order", "", name);
    Some(Spot { href: Some(href(view, chosen.id)), chosen: true, ..spot })
}

fn best(best: &Best, lang: &str) -> Option<Spot> {
    let ride = translate(&format!("路上 {} 分钟", best.travel_minutes), lang).into_owned();
    let name = format!("{} {} {}，{ride}", translate("建议人选", lang), best.key, best.name);
    Some(Spot::new(best.place?, "best", best.key.to_string(), name))
}

fn waits(waiting: &Waiting, view: &View, lang: &str, now: Now) -> Option<Spot> {
    let line = &waiting.line;
    let late = now.0 > waiting.by;
    let (look, sign, state) = if late { ("late", "!", "超时") } else { ("order", "", "待派") };
    let name = format!(
        "{}：{} {}，{}",
        translate(state, lang),
        line.service_name,
        line.person_name,
        line.start_at.as_seen(now)
    );
    let spot = Spot::new(line.home.map(Home::degrees)?, look, sign, name);
    Some(Spot { href: Some(href(view, line.id)), ..spot })
}

/// A carer where the last visit took them, on the way to the next one.
fn carer(lane: &Lane, view: &View, lang: &str) -> Option<Spot> {
    let (last, next) = whereabouts(&lane.blocks);
    let place = |block: Option<&Block>| block.and_then(|b| b.home).map(Home::degrees);
    let told = |word: &str, block: Option<&Block>| {
        block.map(|b| format!("，{} {} {}", translate(word, lang), b.from.clock(), b.person_name))
    };
    let under_way = last.is_some_and(|b| b.state == OrderState::InService);
    let name = format!(
        "{}{}{}",
        lane.name,
        told(if under_way { "正在" } else { "刚才" }, last).unwrap_or_default(),
        told("接下来", next).unwrap_or_default()
    );
    let sign: String = lane.name.chars().take(1).collect();
    let at = place(last).or(place(next))?;
    let spot = Spot::new(at, if under_way { "under-way" } else { "carer" }, sign, name);
    let order = last.filter(|_| under_way).or(next).or(last)?.order;
    Some(Spot {
        href: Some(view.with_order(order).address("")),
        to: place(next).filter(|to| *to != at),
        ..spot
    })
}

/// The visit somebody is at or was at last, and the one to come.
fn whereabouts(blocks: &[Block]) -> (Option<&Block>, Option<&Block>) {
    let to_come = |b: &&Block| matches!(b.state, OrderState::Offered | OrderState::Accepted);
    (blocks.iter().rfind(|b| !to_come(b)), blocks.iter().find(to_come))
}
