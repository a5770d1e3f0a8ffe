//! The left pane: orders nobody has taken, each with its clock, and who gave orders back today.

use app::orders::{Decline, Waiting};
use domain::{
    ids::OrderId,
    orders::{OrderState, URGENT_ITEM},
    time::{At, Now},
};

use super::View;

/// The pane, ready to show.
pub(super) struct Waits {
    pub(super) cards: Vec<Card>,
    pub(super) late: usize,
    pub(super) declines: Vec<Given>,
}

/// One order that waits.
pub(super) struct Card {
    pub(super) id: OrderId,
    pub(super) href: String,
    pub(super) chosen: bool,
    pub(super) urgent: bool,
    pub(super) late: bool,
    pub(super) title: String,
    /// When the visit is to begin.
    pub(super) start: String,
    /// By when somebody must have taken it.
    pub(super) by: String,
    /// Since when it waits, for the clock that counts.
    pub(super) since: String,
    /// The same in words.
    pub(super) waited: String,
    pub(super) place: String,
    pub(super) state: &'static str,
    pub(super) declines: Vec<String>,
}

/// An order given back.
pub(super) struct Given {
    pub(super) href: String,
    pub(super) text: String,
    pub(super) reason: String,
    pub(super) at: String,
}

impl Waits {
    pub(super) fn of(waiting: &[Waiting], declines: &[Decline], view: &View, now: Now) -> Waits {
        let cards: Vec<Card> = waiting.iter().map(|w| card(w, view, now)).collect();
        let declines = declines
            .iter()
            .map(|d| Given {
                href: View { day: None, ..view.with_order(d.order) }.address(""),
                text: format!("{} 退回 {} {}", d.carer_name, d.service_name, d.person_name),
                reason: d.reason.clone(),
                at: d.at.as_seen(now),
            })
            .collect();
        Waits { late: cards.iter().filter(|c| c.late).count(), cards, declines }
    }
}

fn card(waiting: &Waiting, view: &View, now: Now) -> Card {
    let line = &waiting.line;
    let since = if waiting.unanswered { line.offered_at.unwrap_or(line.placed_at) } else { line.placed_at };
    let late = now.0 > waiting.by;
    let by = if late {
        format!("已超 {}", span(now.0.minutes_since(waiting.by)))
    } else {
        format!("{} 前", waiting.by.as_seen(now))
    };
    Card {
        id: line.id,
        href: href(view, line.id),
        chosen: view.order == Some(line.id),
        urgent: line.service == URGENT_ITEM,
        late,
        title: format!("{} {}", line.service_name, line.person_name),
        start: line.start_at.as_seen(now),
        by,
        since: since.rfc3339(),
        waited: span(now.0.minutes_since(since)),
        place: line.address.clone(),
        state: match line.state {
            _ if line.escalated_at.is_some() => "无人应答，请人工处理",
            OrderState::Offered => "已问未答",
            _ => "待派单",
        },
        declines: waiting.declines.iter().map(|d| format!("{} 退单：{}", d.carer_name, d.reason)).collect(),
    }
}

/// The desk with this order, on its own day.
pub(super) fn href(view: &View, order: OrderId) -> String {
    View { day: None, skip: 0, ..view.with_order(order) }.address("")
}

/// A length of time the way people say it.
pub(super) fn span(minutes: i64) -> String {
    match minutes {
        m if m < 60 => format!("{} 分钟", m.max(0)),
        m if m < 48 * 60 => format!("{} 小时", m / 60),
        m => format!("{} 天", m / (24 * 60)),
    }
}

/// The first instant of a visit as `14:15`, on another day with the date.
pub(super) fn from_to(from: At, to: At, now: Now) -> String {
    format!("{}–{}", from.as_seen(now), to.clock())
}
