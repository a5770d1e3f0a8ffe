//! A call in hand: who calls, what is known of them, what they have and whom one could ring.

use app::{
    ledger::grants,
    orders::{
        self,
        calls::{self, Call, Outcome},
    },
    outcome::{Answer, No},
    parties::people::{self, Card, Contact, search::PeopleQuery},
    store::Tx,
};
use askama::Template;
use domain::{
    access::{Act, Actor},
    ids::PersonId,
    orders::OrderState,
    parties::PersonState,
    time::{At, Now},
};

use super::{
    ordering::{OrderForm, Ordering, Place},
    queue::{Ring, waited},
};
use crate::{Page, desks::fields::whole_address, filters};

/// Lines in each part of the context.
const SHOWN: usize = 6;
/// People found at once: beyond this one types another letter.
const FOUND: usize = 12;
/// How far back visits are looked for.
const DAYS_BACK: i64 = 92;

/// Somebody as the desk greets them.
#[derive(Debug)]
pub(super) struct Who {
    pub(super) id: PersonId,
    pub(super) name: String,
    pub(super) age: u16,
    pub(super) sex: &'static str,
    pub(super) labels: Vec<&'static str>,
    pub(super) hearing: String,
    pub(super) language: String,
    pub(super) place: String,
    pub(super) address: String,
    pub(super) phone: String,
    /// Why no order can be placed, when none can.
    pub(super) state: Option<&'static str>,
    /// Whose number it is to them: 本人, 女儿.
    pub(super) relation: String,
}

impl Who {
    pub(super) fn of(card: Card, relation: String) -> Who {
        Who {
            id: card.id,
            name: card.name,
            age: card.age,
            sex: card.sex.label(),
            labels: card.labels,
            hearing: card.hearing,
            language: card.language,
            address: whole_address(&card.region_path, &card.address),
            place: card.region_path,
            phone: card.phone_masked,
            state: (card.state != PersonState::Active).then(|| card.state.label()),
            relation,
        }
    }
}

/// What surrounds somebody: contacts, people to ring, orders, rights. A part of a page.
#[derive(Debug, Template)]
#[template(path = "hotline/context.html")]
pub(super) struct Context {
    page: Page,
    person: PersonId,
    seen: Vec<(String, String)>,
    contacts: Vec<(Contact, String)>,
    open: Vec<(String, String, String, String)>,
    rights: Vec<(String, String)>,
}

impl Context {
    pub(super) fn load(
        tx: &mut Tx<'_>,
        actor: &Actor,
        page: Page,
        person: PersonId,
        now: Now,
    ) -> Answer<Context> {
        let filter = orders::Filter {
            person: Some(person),
            from: Some(now.0.plus_minutes(-DAYS_BACK * 24 * 60)),
            ..orders::Filter::default()
        };
        let lines = orders::lines(
            tx,
            actor,
            &filter,
            orders::Page { latest_first: true, limit: 40, ..orders::Page::default() },
        )?;
        let mut seen: Vec<(At, String)> = lines
            .iter()
            .filter_map(|l| {
                Some((
                    l.checked_out_at.or(l.checked_in_at)?,
                    format!("{} · {}", l.service_name, l.carer_name),
                ))
            })
            .collect();
        // Whoever may not take calls orders all the same, but is not told who rang.
        let calls = match actor.may(Act::TakeCalls) {
            Ok(()) => calls::calls(tx, actor, None, Some(person), 4)?,
            Err(_) => Vec::new(),
        };
        for call in calls {
            if let Some(at) = call.answered_at.filter(|_| call.outcome.is_some()) {
                let how = call.outcome.map_or("", Outcome::label);
                seen.push((at, format!("来电 · {how}")));
            }
        }
        seen.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let open = lines.iter().rev().filter(|l| waits(l.state)).map(|l| {
            (l.id.to_string(), l.start_at.as_seen(now), l.service_name.clone(), l.state.label().to_owned())
        });
        let rights = grants::rights_of(tx, actor, person, now.month())?.into_iter().map(|r| {
            let left = format!("余 {}，共 {}", r.quantity(r.left()), r.quantity(r.amount));
            (r.name.clone(), left)
        });
        Ok(Context {
            person,
            open: open.take(SHOWN).collect(),
            rights: rights.collect(),
            contacts: people::contacts(tx, actor, person)?
                .into_iter()
                .map(|c| {
                    let reveal = format!("/people/{person}/reveal/contact_phone?contact={}", c.id);
                    (c, reveal)
                })
                .collect(),
            seen: seen.into_iter().take(SHOWN).map(|(at, what)| (at.as_seen(now), what)).collect(),
            page,
        })
    }
}

/// Orders somebody may ask about: not yet served.
fn waits(state: OrderState) -> bool {
    matches!(
        state,
        OrderState::Placed
            | OrderState::Offered
            | OrderState::Accepted
            | OrderState::InService
            | OrderState::Disputed
            | OrderState::NobodyHome
            | OrderState::Interrupted
    )
}

/// The middle of the desk: the call in hand, or the one that rings. A part of a page.
#[derive(Debug, Template)]
#[template(path = "hotline/now.html")]
pub(super) struct NowPart {
    page: Page,
    pub(super) ring: Option<Ring>,
    pub(super) who: Option<Who>,
    /// People known by the number, when there are several.
    candidates: Vec<Who>,
    /// Whether it was asked to choose somebody else.
    asking: bool,
    searched: String,
    found: Vec<Who>,
    ordering: Option<Ordering>,
    placed: Vec<(String, String)>,
    note: String,
    outcome: Option<Outcome>,
    refused: String,
}

/// What the page of a call was asked for.
#[derive(Debug, Default, Clone)]
pub(super) struct Asked {
    /// Words to look somebody up by.
    pub(super) search: Option<String>,
    /// What was typed to order.
    pub(super) order: OrderForm,
    /// A refusal of the step before, to be shown with what was typed.
    pub(super) refused: String,
    /// Notes that were typed and not taken.
    pub(super) note: Option<String>,
}

impl NowPart {
    /// Nothing rings.
    pub(super) fn empty(page: Page) -> NowPart {
        NowPart {
            page,
            ring: None,
            who: None,
            candidates: Vec::new(),
            asking: false,
            searched: String::new(),
            found: Vec::new(),
            ordering: None,
            placed: Vec::new(),
            note: String::new(),
            outcome: None,
            refused: String::new(),
        }
    }

    /// One call, as far as it is.
    pub(super) fn of_call(
        tx: &mut Tx<'_>,
        actor: &Actor,
        page: Page,
        call: &Call,
        asked: &Asked,
        now: Now,
    ) -> Answer<NowPart> {
        let mut part = NowPart::empty(page.clone());
        let ring = Ring::of(tx, call, actor.account, now)?;
        let mine = ring.stage.mine();
        part.ring = Some(ring);
        part.refused.clone_from(&asked.refused);
        part.note = asked.note.clone().unwrap_or_else(|| call.note.clone());
        let known = match calls::caller(tx, actor, call)? {
            Some(phone) => people::cards_of_phone(tx, actor, &phone, now)?,
            None => Vec::new(),
        };
        if let Some(person) = call.person {
            let relation =
                known.iter().find(|(card, _)| card.id == person).map(|(_, r)| r.clone()).unwrap_or_default();
            part.who = match people::card(tx, actor, person, now) {
                Ok(card) => Some(Who::of(card, relation)),
                // Moved out of what this post may see since the call was identified.
                Err(No::NotFound) => None,
                Err(no) => return Err(no),
            };
        } else if mine {
            part.candidates = known.into_iter().map(|(card, relation)| Who::of(card, relation)).collect();
        }
        if !mine {
            return Ok(part);
        }
        if let Some(words) = &asked.search {
            part.asking = true;
            part.searched = words.trim().to_owned();
            part.found = search(tx, actor, &part.searched, now)?;
        }
        part.placed = placed_in(tx, actor, call, now)?;
        if let Some(who) = part.who.as_ref().filter(|w| w.state.is_none()) {
            let place = Place { person: who.id, call: Some(call.id) };
            let mut ordering = Ordering::load(tx, actor, page, place, &asked.order, now)?;
            // Once something was placed the keys belong to the desk again: C ends the call.
            ordering.focus &= part.placed.is_empty() || !ordering.line.is_empty();
            ordering.focus &= !part.asking && asked.refused.is_empty();
            part.ordering = Some(ordering);
        }
        part.outcome = Some(if part.placed.is_empty() { Outcome::Answered } else { Outcome::Ordered });
        Ok(part)
    }

    fn phone_href(&self, who: &Who) -> String {
        format!("/people/{}/reveal/phone", who.id)
    }

    fn unknown(&self) -> bool {
        self.asking || self.who.is_none()
    }

    fn outcomes(&self) -> impl Iterator<Item = (usize, Outcome, bool)> {
        Outcome::ALL.iter().enumerate().map(|(n, o)| (n + 1, *o, self.outcome == Some(*o)))
    }
}

fn placed_in(tx: &mut Tx<'_>, actor: &Actor, call: &Call, now: Now) -> Answer<Vec<(String, String)>> {
    let Some(person) = call.person else { return Ok(Vec::new()) };
    let filter = orders::Filter { person: Some(person), ..orders::Filter::default() };
    let page = orders::Page { latest_first: true, limit: 40, ..orders::Page::default() };
    let lines = orders::lines(tx, actor, &filter, page)?;
    let ours = lines.iter().filter(|l| l.call == Some(call.id) && l.state != OrderState::Cancelled);
    Ok(ours.map(|l| (l.id.to_string(), format!("{} {}", l.service_name, l.start_at.as_seen(now)))).collect())
}

fn search(tx: &mut Tx<'_>, actor: &Actor, words: &str, now: Now) -> Answer<Vec<Who>> {
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let query = PeopleQuery { text: words.to_owned(), limit: FOUND, ..PeopleQuery::default() };
    let found = people::search::search(tx, actor, &query, now)?;
    Ok(found.cards.into_iter().map(|card| Who::of(card, String::new())).collect())
}

/// Who somebody is, in one line.
impl Who {
    pub(super) fn brief(&self) -> String {
        let mut brief = format!("{} 岁 · {}", self.age, self.sex);
        for label in &self.labels {
            brief.push_str(" · ");
            brief.push_str(label);
        }
        brief
    }
}

/// How long somebody waited, in words.
pub(super) fn waited_for(call: &Call, now: Now) -> String {
    waited(call.rang_at, Now(call.answered_at.or(call.closed_at).unwrap_or(now.0)))
}
