//! The right pane: the chosen order, the best carers with reasons, and why the others not.

use app::{
    orders::{self, Candidate, Home, Sheet},
    outcome::{No, Outcome},
    store::Tx,
};
use domain::{
    access::{Act, Actor},
    ids::{CarerId, OrderId},
    orders::{CancelReason, OrderRefusal, OrderState},
    time::{At, Day, Now},
};

use super::{
    View,
    waiting::{from_to, span},
};

/// The best that are shown with their reasons, one key each.
const BEST: usize = 3;
/// Others who could go, for the choice of a partner and for "somebody else".
const OTHERS_MAX: usize = 20;
/// Names shown of those who cannot go for one kind of reason.
const NAMES_MAX: usize = 12;

/// The pane, ready to show.
pub(super) struct Chosen {
    pub(super) id: OrderId,
    pub(super) day: Day,
    pub(super) start: At,
    pub(super) end: At,
    pub(super) title: String,
    /// Longitude and latitude of the home.
    pub(super) place: Option<(f64, f64)>,
    pub(super) state: &'static str,
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) offers: Vec<Asked>,
    /// Whether somebody may still be sent.
    pub(super) open: bool,
    /// Whether somebody has it now.
    pub(super) again: bool,
    pub(super) two: bool,
    pub(super) best: Vec<Best>,
    pub(super) others: Vec<Choice>,
    pub(super) against: Vec<Group>,
    pub(super) judged: usize,
    pub(super) may_cancel: bool,
    pub(super) reasons: Vec<(&'static str, &'static str)>,
    /// Goes back with every form.
    pub(super) view_day: String,
    pub(super) view_name: String,
    pub(super) on_map: bool,
    pub(super) back: String,
}

/// Somebody who was asked.
pub(super) struct Asked {
    pub(super) text: String,
    pub(super) declined: bool,
}

/// One of the best.
pub(super) struct Best {
    pub(super) key: usize,
    pub(super) carer: CarerId,
    pub(super) name: String,
    pub(super) provider: String,
    pub(super) reasons: Vec<(bool, String)>,
    pub(super) travel_minutes: u32,
    pub(super) place: Option<(f64, f64)>,
    pub(super) partners: Vec<Choice>,
}

/// Somebody who may go, in a list to choose from.
#[derive(Clone)]
pub(super) struct Choice {
    pub(super) carer: CarerId,
    pub(super) label: String,
}

/// Carers who cannot go for the same kind of reason.
pub(super) struct Group {
    pub(super) kind: &'static str,
    pub(super) count: usize,
    pub(super) names: Vec<String>,
    pub(super) more: usize,
}

/// The chosen order with its candidates; nothing when there is no such order for this actor.
pub(super) fn load(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: OrderId,
    view: &View,
    now: Now,
) -> Outcome<Option<Chosen>, OrderRefusal> {
    let sheet = match orders::sheet(tx, actor, id) {
        Err(No::NotFound) => return Ok(None),
        other => other?,
    };
    let open = matches!(sheet.order.state, OrderState::Placed | OrderState::Offered | OrderState::Accepted);
    let candidates = if open { orders::candidates(tx, actor, id, now)? } else { Vec::new() };
    // Whoever has the order already is no news.
    let candidates: Vec<Candidate> =
        candidates.into_iter().filter(|c| sheet.order.carer != Some(c.carer)).collect();
    let allowed: Vec<&Candidate> = candidates.iter().filter(|c| c.allowed).collect();
    let two = sheet.item.workers > 1;
    let choices: Vec<Choice> = allowed.iter().take(OTHERS_MAX).map(|c| choice(c)).collect();
    Ok(Some(Chosen {
        id,
        day: sheet.order.start_at.day(),
        start: sheet.order.start_at,
        end: sheet.order.end_at,
        title: format!("{} {}", sheet.line.service_name, sheet.line.person_name),
        place: sheet.line.home.map(Home::degrees),
        state: sheet.order.state.label(),
        facts: facts(&sheet, now),
        offers: asked(&sheet, now),
        open,
        again: sheet.order.carer.is_some(),
        two,
        best: allowed.iter().take(BEST).enumerate().map(|(n, c)| best(n, c, two, &choices)).collect(),
        others: choices.iter().skip(BEST).cloned().collect(),
        against: groups(candidates.iter().filter(|c| !c.allowed)),
        judged: candidates.len(),
        may_cancel: open && actor.may(Act::PlaceOrders).is_ok(),
        reasons: CancelReason::ALL.iter().map(|r| (r.code(), r.label())).collect(),
        view_day: view.day.map(|d| d.to_string()).unwrap_or_default(),
        view_name: view.name.clone(),
        on_map: view.map,
        back: View { order: None, ..view.clone() }.address(""),
    }))
}

fn facts(sheet: &Sheet, now: Now) -> Vec<(&'static str, String)> {
    let line = &sheet.line;
    let mut facts = vec![
        ("时间", format!("{}，{}", from_to(line.start_at, line.end_at, now), sheet.order.minutes)),
        ("地址", line.address.clone()),
        ("老人", format!("{}，{}", line.person_name, line.person_sex.label())),
    ];
    if sheet.item.workers > 1 {
        facts.push(("人数", format!("须 {} 人同去", sheet.item.workers)));
    }
    if sheet.item.same_sex {
        facts.push(("要求", "与老人同性别".to_owned()));
    }
    if !line.carer_name.is_empty() {
        facts.push(("现在派给", format!("{}（{}）", line.carer_name, line.provider_name)));
    }
    if !line.note.is_empty() {
        facts.push(("备注", line.note.clone()));
    }
    facts
}

fn asked(sheet: &Sheet, now: Now) -> Vec<Asked> {
    sheet
        .offers
        .iter()
        .map(|offer| {
            let at = offer.answered_at.unwrap_or(offer.offered_at).as_seen(now);
            let name = &offer.carer_name;
            let text = match offer.answer.as_deref() {
                None => format!("{at} 派给{name}，已等 {}", span(now.0.minutes_since(offer.offered_at))),
                Some("accepted") => format!("{at} {name} 接单"),
                Some("declined") => format!("{at} {name} 退单：{}", offer.reason),
                Some(_) => format!("{at} 从{name}收回"),
            };
            Asked { text, declined: offer.answer.as_deref() == Some("declined") }
        })
        .collect()
}

fn best(n: usize, candidate: &Candidate, two: bool, choices: &[Choice]) -> Best {
    let mut reasons: Vec<(bool, String)> =
        candidate.reasons.iter().map(|r| (r.side == "for", r.text.clone())).collect();
    // What speaks for a carer first, whatever order the planner found it in.
    reasons.sort_by_key(|(favours, _)| !favours);
    let partners = choices.iter().filter(|c| two && c.carer != candidate.carer).cloned().collect();
    Best {
        key: n + 1,
        carer: candidate.carer,
        name: candidate.name.clone(),
        provider: candidate.provider_name.clone(),
        reasons,
        travel_minutes: candidate.travel_minutes,
        place: candidate.place.map(Home::degrees),
        partners,
    }
}

fn choice(candidate: &Candidate) -> Choice {
    let label =
        format!("{}（{}，路上 {} 分钟）", candidate.name, candidate.provider_name, candidate.travel_minutes);
    Choice { carer: candidate.carer, label }
}

/// Those who cannot go by the first rule against them, largest group first.
fn groups<'a>(candidates: impl Iterator<Item = &'a Candidate>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for candidate in candidates {
        let Some(first) = candidate.reasons.iter().find(|r| r.side == "forbids") else { continue };
        let place = groups.iter().position(|g| g.kind == first.kind).unwrap_or_else(|| {
            groups.push(Group { kind: first.kind, count: 0, names: Vec::new(), more: 0 });
            groups.len() - 1
        });
        let group = &mut groups[place];
        group.count += 1;
        if group.names.len() < NAMES_MAX {
            group.names.push(format!("{}：{}", candidate.name, first.text));
        } else {
            group.more += 1;
        }
    }
    groups.sort_by_key(|g| std::cmp::Reverse(g.count));
    groups
}
