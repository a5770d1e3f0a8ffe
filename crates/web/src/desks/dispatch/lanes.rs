//! The timeline: a lane per carer, blocks by state, rides as thin lines, the line of the present.
//!
//! A block is placed by classes the asset build writes (`from-0830`, `for-45`), because the policy allows no inline
//! style.

use app::{
    orders::{self, Block, Lane},
    outcome::Outcome,
    store::Tx,
};
use domain::{
    access::Actor,
    ids::CarerId,
    orders::{OrderRefusal, OrderState},
    time::{At, Day, Now},
};

use super::{View, chosen::Chosen, wider};

/// The timeline's first minute and the minute after its last, as `scripts/slots.mjs` has them.
const FIRST: i64 = 6 * 60;
const LAST: i64 = 21 * 60;
/// Minutes of a slot.
const SLOT: i64 = 5;
/// Below this a block is narrower than three characters.
const NARROW_MINUTES: i64 = 60;
/// Free time after a narrow block that a name can be written across.
const BESIDE_MINUTES: i64 = 60;
/// A carer who has not come this long after the planned start is late.
const LATE_MINUTES: i64 = 10;

/// The timeline, ready to show.
pub(super) struct Lanes {
    /// The day shown; an order of another day is not drawn in.
    pub(super) day: Day,
    /// The best carers' days with the chosen order drawn in.
    pub(super) proposed: Vec<Row>,
    pub(super) rows: Vec<Row>,
    pub(super) total: i64,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) previous: Option<String>,
    pub(super) next: Option<String>,
    pub(super) name: String,
    pub(super) hours: Vec<(String, String)>,
}

/// One carer's day.
pub(super) struct Row {
    pub(super) carer: CarerId,
    pub(super) name: String,
    pub(super) sub: String,
    pub(super) away: bool,
    pub(super) items: Vec<Item>,
    pub(super) now: Option<String>,
}

/// Something on a lane.
pub(super) struct Item {
    pub(super) place: String,
    pub(super) look: &'static str,
    /// Too short for words across: the name stands beside it where there is room, else downwards in it.
    pub(super) width: &'static str,
    pub(super) href: String,
    pub(super) text: String,
    /// Everything about it in one sentence.
    pub(super) label: String,
    pub(super) chosen: bool,
    /// The ride before it, as the classes of its own line.
    pub(super) ride: Option<String>,
}

/// The page of the timeline the view asks for.
pub(super) fn load(
    tx: &mut Tx<'_>,
    actor: &Actor,
    view: &View,
    chosen: Option<&Chosen>,
    now: Now,
) -> Outcome<Lanes, OrderRefusal> {
    let ask = view.lanes(now);
    let total = orders::lanes_count(tx, actor, &ask).map_err(wider)?;
    let lanes = orders::lanes(tx, actor, &ask).map_err(wider)?;
    let mut proposed = Vec::new();
    for best in
        chosen.into_iter().filter(|c| c.day == ask.day).flat_map(|c| c.best.iter().map(move |b| (c, b)))
    {
        let (chosen, best) = best;
        let blocks = orders::lane(tx, actor, best.carer, ask.day).map_err(wider)?;
        let mut row = row(best.carer, &blocks, ask.day, view, now);
        row.name = best.name.clone();
        row.items.push(suggestion(chosen, view, ask.day));
        proposed.push(row);
    }
    let page = |skip: i64| View { skip, ..view.clone() }.address("");
    let shown = lanes.len() as i64;
    Ok(Lanes {
        day: ask.day,
        proposed,
        rows: lanes.iter().map(|lane| of_carer(lane, ask.day, view, now)).collect(),
        total,
        from: if shown == 0 { 0 } else { ask.offset + 1 },
        to: ask.offset + shown,
        previous: (ask.offset > 0).then(|| page((ask.offset - ask.limit).max(0))),
        next: (ask.offset + shown < total).then(|| page(ask.offset + ask.limit)),
        name: ask.name,
        hours: (3..=10).map(|n| (format!("from-{:02}00 for-60", n * 2), format!("{:02}", n * 2))).collect(),
    })
}

fn of_carer(lane: &Lane, day: Day, view: &View, now: Now) -> Row {
    let mut row = row(lane.carer, &lane.blocks, day, view, now);
    row.name = lane.name.clone();
    row.away = lane.on_leave;
    if lane.on_leave {
        row.sub = format!("请假 · {}", row.sub);
    }
    row
}

fn row(carer: CarerId, blocks: &[Block], day: Day, view: &View, now: Now) -> Row {
    let minutes: i64 = blocks.iter().map(|b| b.to.minutes_since(b.from).max(0)).sum();
    let items = blocks.iter().enumerate().filter_map(|(n, block)| {
        let before = n.checked_sub(1).map(|n| &blocks[n]);
        item(block, (before, blocks.get(n + 1)), day, view, now)
    });
    let present = minute_of(now.0, day);
    Row {
        carer,
        name: String::new(),
        sub: format!("{} 次 · {:.1} 小时", blocks.len(), minutes as f64 / 60.0),
        away: false,
        items: items.collect(),
        now: (FIRST..LAST).contains(&present).then(|| from_class(present)),
    }
}

fn item(
    block: &Block,
    (before, after): (Option<&Block>, Option<&Block>),
    day: Day,
    view: &View,
    now: Now,
) -> Option<Item> {
    let place = place(block.from, block.to, day)?;
    let clash = before.is_some_and(|b| b.to > block.from && busy(b) && busy(block));
    let (look, words) = if clash { ("clash", "时间冲突".to_owned()) } else { look(block, now) };
    let ride = before.filter(|b| b.to < block.from && block.ride > 0).and_then(|b| {
        let begins = block.from.plus_minutes(-block.ride.min(block.from.minutes_since(b.to)));
        self::place(begins, block.from, day)
    });
    let narrow = block.to.minutes_since(block.from) < NARROW_MINUTES;
    let (person, service) = (&block.person_name, &block.service_name);
    let clocks = format!("{}–{}", block.from.clock(), block.to.clock());
    // What is seen comes first in what is read aloud, so that both mean the same.
    let (text, label) = if narrow {
        (person.clone(), format!("{person}，{clocks} {service}，{words}"))
    } else if look == "late" || look == "clash" {
        (format!("{words} {person}"), format!("{words} {person}，{clocks} {service}"))
    } else {
        (format!("{person} {service}"), format!("{person} {service}，{clocks}，{words}"))
    };
    Some(Item {
        place,
        width: if narrow { beside(block.to, after, day) } else { "" },
        look,
        href: view.with_order(block.order).address(""),
        text,
        label,
        chosen: view.order == Some(block.order),
        ride,
    })
}

/// Where a narrow block's name goes: beside it when the carer is free long enough afterwards.
fn beside(to: At, after: Option<&Block>, day: Day) -> &'static str {
    let until = after.map_or(LAST, |b| minute_of(b.from, day) - b.ride).min(LAST);
    if until - minute_of(to, day) >= BESIDE_MINUTES { " narrow beside" } else { " narrow" }
}

fn suggestion(chosen: &Chosen, view: &View, day: Day) -> Item {
    let clocks = format!("{}–{}", chosen.start.clock(), chosen.end.clock());
    Item {
        place: place(chosen.start, chosen.end, day).unwrap_or_default(),
        look: "proposed",
        width: if chosen.end.minutes_since(chosen.start) < NARROW_MINUTES { " narrow" } else { "" },
        href: view.with_order(chosen.id).address(""),
        text: if chosen.end.minutes_since(chosen.start) < NARROW_MINUTES {
            "建议".to_owned()
        } else {
            format!("建议 {}", chosen.title)
        },
        label: format!("建议 {}，{clocks}", chosen.title),
        chosen: true,
        ride: None,
    }
}

fn busy(block: &Block) -> bool {
    OrderState::BUSY.contains(&block.state)
}

/// How a block looks, and what that means.
fn look(block: &Block, now: Now) -> (&'static str, String) {
    let late = now.0.minutes_since(block.planned);
    match block.state {
        OrderState::Offered => ("proposed", "待接单".to_owned()),
        OrderState::Accepted if late > LATE_MINUTES => ("late", format!("晚 {late} 分钟")),
        OrderState::InService => ("under-way", "服务中".to_owned()),
        OrderState::Served | OrderState::Confirmed | OrderState::Settled => {
            ("done", block.state.label().to_owned())
        }
        OrderState::Disputed | OrderState::NobodyHome | OrderState::Interrupted => {
            ("late", block.state.label().to_owned())
        }
        state => ("planned", state.label().to_owned()),
    }
}

/// The classes that place something on the lane; nothing when it lies outside the shown hours.
pub(super) fn place(from: At, to: At, day: Day) -> Option<String> {
    let (from, to) = (minute_of(from, day).max(FIRST), minute_of(to, day).min(LAST));
    (to > from).then(|| format!("{} for-{}", from_class(from), slots_up(to - from / SLOT * SLOT)))
}

fn from_class(minute: i64) -> String {
    let slot = minute / SLOT * SLOT;
    format!("from-{:02}{:02}", slot / 60, slot % 60)
}

fn slots_up(minutes: i64) -> i64 {
    (minutes + SLOT - 1) / SLOT * SLOT
}

/// Minutes since the day's midnight; beyond it for what ends the day after.
fn minute_of(at: At, day: Day) -> i64 {
    at.minutes_since(At::from_local(day.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(from: &str, to: &str) -> Option<String> {
        let at = |clock: &str| At::parse(&format!("2026-11-21T{clock}")).unwrap();
        place(at(from), at(to), "2026-11-21".parse().unwrap())
    }

    #[test]
    fn a_block_stands_on_whole_slots() {
        assert_eq!(placed("09:02", "09:58").as_deref(), Some("from-0900 for-60"));
        assert_eq!(placed("09:00", "09:01").as_deref(), Some("from-0900 for-5"));
    }

    #[test]
    fn what_reaches_beyond_the_shown_hours_is_cut() {
        assert_eq!(placed("05:30", "06:30").as_deref(), Some("from-0600 for-30"));
        assert_eq!(placed("20:30", "22:30").as_deref(), Some("from-2030 for-30"));
        assert_eq!(placed("04:00", "05:00"), None);
    }
}
