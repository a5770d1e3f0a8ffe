//! The last fourteen days: calls, orders, visits and payments, made by the commands that make them in life.
//!
//! Every step happens at its own past moment, in the order of time. Steps of one half hour are given to the store at
//! once, so that it can commit them together.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    sync::{Arc, mpsc},
};

use app::{
    orders::{self, PlaceOrder, calls},
    outcome::No,
    store::{Conflicting, Fault, Store, Tx},
};
use domain::{
    access::Actor,
    ids::{CallId, CarerId, OrderId, PersonId},
    money::Minutes,
    orders::{Channel, CheckIn, CheckOut, Confirmation, ConfirmedBy, Fix, Method, OrderState},
    regions::RegionCode,
    time::{At, Day, Now},
};

use super::Staff;
use crate::{
    City,
    story::{Step, Story, Went, Wish},
};

/// Days before today that have a history.
const DAYS: i64 = 14;
/// Visits on each of them.
const A_DAY: u64 = 22;
/// Visits planned for today.
const TODAY: u64 = 40;
/// Visits planned for tomorrow.
const TOMORROW: u64 = 12;
/// Calls of the last quarter of an hour.
const JUST_NOW: u64 = 18;
/// Steps that lie nearer together than this are committed together.
const WINDOW_MINUTES: i64 = 30;
/// Carers a dispatcher asks about before giving up.
const ASKED_MAX: usize = 12;

/// The first day that has a history.
pub(super) fn first_day(now: Now) -> Day {
    At::from_local(now.day().into()).plus_minutes(-DAYS * 24 * 60).day()
}

/// The stories of the past, today and tomorrow.
pub(super) fn stories(city: &City, near: &std::ops::Range<u32>, now: Now) -> Vec<Story> {
    let mut all = Vec::new();
    let plan = (-DAYS..0).map(|day| (day, A_DAY)).chain([(0, TODAY), (1, TOMORROW)]);
    for (day, count) in plan {
        let on = At::from_local(now.day().into()).plus_minutes(day * 24 * 60).day();
        for _ in 0..count {
            let number = all.len() as u64;
            let story = Story::past(city, number, near, on);
            all.push(if number % 4 == 3 { story.at_the_office() } else { story });
        }
    }
    // What came in within the last minutes is still to be done when the city opens.
    for _ in 0..JUST_NOW {
        let number = all.len() as u64;
        let mut story = Story::past(city, number, near, now.day().tomorrow().unwrap_or(now.day()));
        story.begins = now.0.plus_seconds(-60 * (1 + number as i64 % 14));
        all.push(story);
    }
    all
}

/// One story as it stands.
struct Told {
    story: Story,
    call: Option<CallId>,
    order: Option<OrderId>,
    carer: Option<u32>,
    /// Given to a carer whose work is left to visitors.
    left: bool,
}

/// What a step made.
#[derive(Debug, Clone, Copy)]
enum Made {
    Nothing,
    Call(CallId),
    Order(OrderId),
    Offer { carer: u32, at_once: bool },
}

/// Why a step was not made.
#[derive(Debug)]
enum Unmade {
    Refused,
    Fault(Fault),
}

impl From<Fault> for Unmade {
    fn from(fault: Fault) -> Unmade {
        Unmade::Fault(fault)
    }
}

impl Conflicting for Unmade {
    fn conflict(&self) -> bool {
        matches!(self, Unmade::Fault(fault) if fault.conflict())
    }
}

fn plain<R>(no: No<R>) -> Unmade {
    match no {
        No::Fault(fault) => Unmade::Fault(fault),
        No::Refused(_) | No::Forbidden(_) | No::NotFound => Unmade::Refused,
    }
}

/// Everything a step may need.
pub(super) struct History {
    pub(super) store: Store,
    pub(super) city: Arc<City>,
    pub(super) staff: Arc<Staff>,
    /// Ids of the elders in the stories.
    pub(super) people: HashMap<u32, PersonId>,
    /// Ids of all carers.
    pub(super) carers: Arc<Vec<CarerId>>,
    /// Which certificates each item asks for.
    pub(super) asks: HashMap<String, Vec<Vec<String>>>,
}

impl History {
    /// Tells the stories up to now.
    pub(super) fn tell(
        &self,
        stories: Vec<Story>,
        now: Now,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), Fault> {
        let mut told: Vec<Told> = stories
            .into_iter()
            .map(|story| Told { story, call: None, order: None, carer: None, left: false })
            .collect();
        let firsts = told.iter().enumerate().map(|(at, t)| {
            let (when, step) = t.story.first();
            Reverse((when, at, step))
        });
        let mut agenda: BinaryHeap<_> = firsts.collect();
        let begin = agenda.peek().map_or(now.0, |Reverse((at, ..))| *at);
        let all = now.0.minutes_since(begin).max(1).unsigned_abs();
        while let Some(window) = window(&mut agenda, now.0) {
            progress(window[0].0.minutes_since(begin).unsigned_abs().min(all), all);
            let (send, receive) = mpsc::channel();
            for (at, story, step) in window {
                let work = self.work(&told[story], step, at);
                let send = send.clone();
                self.store.write_then(work, move |went| drop(send.send((at, story, step, went))));
            }
            drop(send);
            for (at, story, step, went) in receive {
                for (when, next) in self.took(&mut told[story], step, went, at)? {
                    agenda.push(Reverse((when, story, next)));
                }
            }
        }
        progress(all, all);
        Ok(())
    }

    /// Notes how a step went; answers what comes next.
    fn took(
        &self,
        told: &mut Told,
        step: Step,
        went: Result<Made, Unmade>,
        at: At,
    ) -> Result<Vec<(At, Step)>, Fault> {
        let went = match went {
            Ok(Made::Nothing) => Went::Well,
            Ok(Made::Call(call)) => {
                told.call = Some(call);
                Went::Well
            }
            Ok(Made::Order(order)) => {
                told.order = Some(order);
                Went::Well
            }
            Ok(Made::Offer { carer, at_once }) => {
                told.carer = Some(carer);
                let today = told.story.start.day() >= self.city.spec.today;
                told.left = today && self.staff.visitors.contains(&carer);
                let truth = self.city.carer_truth(&self.city.carers[carer as usize]);
                Went::Offered { carer: truth, at_once }
            }
            Err(Unmade::Refused) => Went::Not,
            Err(Unmade::Fault(fault)) => return Err(fault.at(format!("{step:?}"))),
        };
        let next = told.story.next(step, went, at);
        Ok(if told.left { Vec::new() } else { next })
    }

    /// The step as a command.
    fn work(
        &self,
        told: &Told,
        step: Step,
        at: At,
    ) -> Box<dyn FnMut(&mut Tx<'_>) -> Result<Made, Unmade> + Send> {
        let (story, now, staff) = (told.story.clone(), Now(at), Arc::clone(&self.staff));
        let (call, order) = (told.call, told.order);
        match (step, call, order) {
            (Step::Ring, ..) => {
                let region = self.region_of(story.person);
                Box::new(move |tx| ring(tx, &staff.telephone, &story, region, now))
            }
            (Step::Answer, Some(call), _) => Box::new(move |tx| {
                calls::answer(tx, &staff.agents[story.number as usize % 2], call, now).map_err(plain)?;
                Ok(Made::Nothing)
            }),
            (Step::Place, ..) => {
                let Some(person) = self.people.get(&story.person).copied() else { return refused() };
                Box::new(move |tx| {
                    let actor =
                        if call.is_some() { &staff.agents[story.number as usize % 2] } else { &staff.clerk };
                    orders::place(tx, actor, &wish(&story, person, call), now).map(Made::Order).map_err(plain)
                })
            }
            (Step::HangUp, Some(call), _) => Box::new(move |tx| {
                let outcome = match story.wish {
                    Wish::Nothing => calls::Outcome::Wrong,
                    Wish::Service if order.is_some() => calls::Outcome::Ordered,
                    Wish::Service | Wish::Question => calls::Outcome::Answered,
                };
                calls::close(tx, &staff.agents[story.number as usize % 2], call, outcome, now)
                    .map_err(plain)?;
                Ok(Made::Nothing)
            }),
            (Step::Assign, _, Some(order)) => {
                let asked = self.asked(&story);
                Box::new(move |tx| assign(tx, &staff.dispatcher, order, &asked, now))
            }
            (_, _, Some(order)) => {
                let home = self.home(&story);
                Box::new(move |tx| {
                    visit(tx, &staff, &story, order, home, step, now)?;
                    Ok(Made::Nothing)
                })
            }
            _ => refused(),
        }
    }

    fn region_of(&self, person: u32) -> RegionCode {
        RegionCode::new(self.city.person(person).residence).expect("village codes have 12 digits")
    }

    fn home(&self, story: &Story) -> Fix {
        let person = self.city.person(story.person);
        // A phone's idea of the door is some metres off, differently for each visit.
        let off = (story.number % 9) as f64 * 0.000_06;
        Fix {
            lon: person.lon + off,
            lat: person.lat - off / 2.0,
            accuracy: 12.0 + (story.number % 5) as f64 * 6.0,
        }
    }

    /// Carers a dispatcher would think of, in an order that differs from story to story.
    fn asked(&self, story: &Story) -> Vec<(u32, CarerId)> {
        let city = &self.city;
        let county = self.region_of(story.person).number() / 1_000_000 * 1_000_000;
        let day = story.start.day();
        let minute = |at: At| i64::from(at.local().hour()) * 60 + i64::from(at.local().minute());
        let (from, to) = (minute(story.start), minute(story.start) + story.minutes);
        let groups = self.asks.get(story.service);
        let fits = |carer: &&crate::SimCarer| {
            i64::from(carer.hours.from_minute) <= from
                && to <= i64::from(carer.hours.to_minute)
                && groups.is_none_or(|groups| groups.iter().all(|any| holds(carer, any, day)))
        };
        let providers = city.providers.iter().filter(|p| {
            p.county == county
                && p.services.contains(&story.service)
                && p.contract_from <= day
                && day <= p.contract_to
        });
        let all: Vec<u32> = providers
            .flat_map(|p| &city.carers[p.carers.start as usize..p.carers.end as usize])
            .filter(fits)
            .map(|carer| carer.index)
            .collect();
        let turn = story.number as usize % all.len().max(1);
        let turned = all[turn..].iter().chain(&all[..turn]);
        // Those whose work is left to visitors should find some when they look.
        let wanted = day >= city.spec.today && story.number.is_multiple_of(2);
        let visitors = all.iter().filter(|index| wanted && self.staff.visitors.contains(index));
        visitors.chain(turned).take(ASKED_MAX).map(|index| (*index, self.carers[*index as usize])).collect()
    }
}

fn holds(carer: &crate::SimCarer, any_of: &[String], day: Day) -> bool {
    carer
        .certificates
        .iter()
        .any(|paper| paper.valid_on(day) && any_of.iter().any(|code| *code == paper.skill.code()))
}

fn refused() -> Box<dyn FnMut(&mut Tx<'_>) -> Result<Made, Unmade> + Send> {
    Box::new(|_| Err(Unmade::Refused))
}

/// Takes the steps of the next half hour, each story at most once.
fn window(agenda: &mut BinaryHeap<Reverse<(At, usize, Step)>>, until: At) -> Option<Vec<(At, usize, Step)>> {
    let Reverse((first, ..)) = *agenda.peek()?;
    if first > until {
        return None;
    }
    let mut window: Vec<(At, usize, Step)> = Vec::new();
    let mut later = Vec::new();
    while let Some(Reverse((at, story, step))) =
        agenda.pop_if_before(first.plus_minutes(WINDOW_MINUTES).min(until))
    {
        if window.iter().any(|(_, known, _)| *known == story) {
            later.push(Reverse((at, story, step)));
        } else {
            window.push((at, story, step));
        }
    }
    agenda.extend(later);
    Some(window)
}

trait PopIf {
    fn pop_if_before(&mut self, limit: At) -> Option<Reverse<(At, usize, Step)>>;
}

impl PopIf for BinaryHeap<Reverse<(At, usize, Step)>> {
    fn pop_if_before(&mut self, limit: At) -> Option<Reverse<(At, usize, Step)>> {
        if self.peek().is_some_and(|Reverse((at, ..))| *at <= limit) { self.pop() } else { None }
    }
}

fn ring(
    tx: &mut Tx<'_>,
    telephone: &Actor,
    story: &Story,
    region: RegionCode,
    now: Now,
) -> Result<Made, Unmade> {
    let new = calls::NewCall {
        external_id: format!("H{:06}", story.number),
        line: "12349".to_owned(),
        number: story.caller.clone().unwrap_or_default(),
        rang_at: now.0,
        region,
    };
    calls::report(tx, telephone, &new, now).map(Made::Call).map_err(plain)
}

fn wish(story: &Story, person: PersonId, call: Option<CallId>) -> PlaceOrder {
    PlaceOrder {
        person,
        service: story.service.to_owned(),
        start: story.start,
        minutes: Some(Minutes(story.minutes)),
        own_share_agreed: true,
        channel: if call.is_some() { Channel::Hotline } else { Channel::Office },
        call,
        note: story.note.to_owned(),
    }
}

fn assign(
    tx: &mut Tx<'_>,
    dispatcher: &Actor,
    order: OrderId,
    asked: &[(u32, CarerId)],
    now: Now,
) -> Result<Made, Unmade> {
    for (index, carer) in asked {
        match orders::assign(tx, dispatcher, order, *carer, None, now) {
            Ok(state) => return Ok(Made::Offer { carer: *index, at_once: state == OrderState::Accepted }),
            Err(No::Fault(fault)) => return Err(Unmade::Fault(fault)),
            // A refused offer leaves nothing behind, so the next carer can be asked in the same transaction.
            Err(_) => {}
        }
    }
    Err(Unmade::Refused)
}

/// The steps from the offer to the payment.
fn visit(
    tx: &mut Tx<'_>,
    staff: &Staff,
    story: &Story,
    order: OrderId,
    home: Fix,
    step: Step,
    now: Now,
) -> Result<(), Unmade> {
    let carers = &staff.visits;
    let (began, ended) = story.visit.unwrap_or((now.0, now.0));
    match step {
        Step::Accept => orders::accept(tx, carers, order, now).map_err(plain),
        Step::Decline => orders::decline(tx, carers, order, "时间排不开", now).map_err(plain),
        Step::Cancel => {
            let reason = story.cancels.unwrap_or(domain::orders::CancelReason::Elder);
            orders::cancel(tx, &staff.dispatcher, order, reason, "", now).map(drop).map_err(plain)
        }
        Step::CheckIn => {
            let device_at = if story.offline { began } else { now.0 };
            let ask = CheckIn { method: Method::Gps, fix: Some(home), device_at };
            orders::check_in(tx, carers, order, &ask, now).map(drop).map_err(plain)
        }
        Step::CheckOut => {
            let device_at = if story.offline { ended } else { now.0 };
            let ask =
                CheckOut {
                    fix: Some(home), device_at, tasks: Vec::new(), note: "已按约定完成".to_owned()
                };
            let word = Confirmation { by: ConfirmedBy::Elder, satisfied: true, note: String::new() };
            let word = (story.on_the_spot && story.satisfied).then_some(&word);
            orders::check_out(tx, carers, order, &ask, word, now).map(drop).map_err(plain)
        }
        Step::Confirm => {
            let note = if story.satisfied { "" } else { "老人反映来得晚、时间不够" };
            let ask =
                Confirmation { by: ConfirmedBy::CallBack, satisfied: story.satisfied, note: note.to_owned() };
            let agent = &staff.agents[story.number as usize % 2];
            orders::confirm(tx, agent, order, &ask, now).map(drop).map_err(plain)
        }
        Step::Rate => {
            let stars = i64::from(story.stars.unwrap_or(5));
            let comment = ["", "人很好", "准时", "做得细"][story.number as usize % 4];
            let agent = &staff.agents[story.number as usize % 2];
            orders::rate(tx, agent, order, stars, comment, now).map_err(plain)
        }
        Step::AskException => {
            orders::ask_exception(tx, &staff.dispatcher, order, "服务已完成，老人对时长有异议", now)
                .map_err(plain)
        }
        Step::Settle => orders::settle(tx, &staff.dispatcher, order, now).map(drop).map_err(plain),
        Step::Ring | Step::Answer | Step::Place | Step::HangUp | Step::Assign => Err(Unmade::Refused),
    }
}
