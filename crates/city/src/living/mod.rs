//! A city that goes on living while somebody looks: people call, carers go, elders say how it was, offices pay.
//!
//! Everything goes through the doors any other program would use, with tokens made when the city was written. Nothing
//! here is needed: when the server refuses, somebody else was faster, and the story ends there.

mod client;
mod desk;
mod fleet;
mod lines;
mod rounds;
mod steps;
mod switchboard;

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use app::{
    parties::accounts::{self, Device},
    signals::devices::known,
    store::{Fault, Store},
};
use domain::time::{At, Now};

use crate::{
    City,
    devices::{self, SimDevice},
    rng::{Rng, Seed, Topic},
    seed::{self, Program, Stage},
    story::{Step, Story, Went},
};
use client::{Client, ClientFault};
use desk::{Desk, SignIn};
use fleet::Fleet;
pub use fleet::Platform;
pub use lines::{Doors, Lines};
use rounds::Rounds;
pub use switchboard::Switchboard;

/// Seconds between two calls, at least and at most.
const CALL_EVERY: (i32, i32) = (10, 20);
/// Stories at once; beyond it nobody new calls until some end.
const STORIES_MAX: usize = 400;
/// Seconds between two looks for orders the platform placed by itself.
const LOOK_FOR_ORDERS: i64 = 300;
/// Numbers of living stories lie beyond those of any history.
const FIRST_NUMBER: u64 = 1 << 32;

/// The clock of a city and its server; a rehearsal may let a day pass in minutes.
#[derive(Clone)]
pub struct Clock {
    /// The present moment.
    pub now: Arc<dyn Fn() -> Now + Send + Sync>,
    /// How many seconds pass in one.
    pub speed: u64,
}

/// Gets everything ready to live in a city that [`crate::seed::write`] wrote.
///
/// # Errors
/// When the store fails or holds no simulated city.
pub fn prepare(
    store: &Store,
    city: Arc<City>,
    clock: Clock,
    token: impl Fn() -> String + Send + Sync + 'static,
) -> Result<Driver, Fault> {
    let ids = store.read(seed::carers_of)?;
    let visitors = city.personas().iter().filter_map(|p| Some(*ids.get(p.carer? as usize)?)).collect();
    let issued = devices::issued(&city);
    let serials: HashSet<&str> = issued.iter().map(|device| device.serial.as_str()).collect();
    let known = store.read(known)?;
    let owned = known.iter().filter(|(serial, _)| serials.contains(serial.as_str()));
    let owners = owned.filter_map(|(_, known)| Some(known.person?.0)).collect();
    Ok(Driver {
        telephone: Program::Telephone.token(store.vault()),
        offices: Program::Offices.token(store.vault()),
        clinics: Program::Clinics.token(store.vault()),
        carers: ids.into_iter().zip(0..).collect(),
        sign_in: sign_in(store, &clock, token),
        store: store.clone(),
        visitors,
        clock,
        city,
        issued,
        owners,
    })
}

/// A door for those of the city who have accounts.
fn sign_in(store: &Store, clock: &Clock, token: impl Fn() -> String + Send + Sync + 'static) -> SignIn {
    let (store, clock) = (store.clone(), clock.clone());
    Arc::new(move |name| {
        let (session, now, name) = (token(), (clock.now)(), name.to_owned());
        let device = Device { token: accounts::token_hash(&session), agent: "演示城市".to_owned() };
        let signed = store.write(move |tx| {
            seed::must("signing somebody in", accounts::demo_session(tx, &name, &device, now))
        });
        signed.map(|()| session)
    })
}

/// What the living city needs to know and to hold.
pub struct Driver {
    /// The city, for who calls and how people are.
    pub city: Arc<City>,
    /// Token of the telephone system.
    pub telephone: String,
    /// Token of everybody else's programs.
    pub offices: String,
    /// Token of whoever measures blood pressures.
    pub clinics: String,
    /// Signs in by name those who answer when no visitor does; gives the session.
    sign_in: SignIn,
    /// The store, for what other systems see that have no door here.
    store: Store,
    /// The devices.
    issued: Vec<SimDevice>,
    /// Ids of those who have some.
    owners: Vec<i64>,
    /// Index of each carer by id.
    pub carers: HashMap<i64, u32>,
    /// Carers whose work is left to visitors.
    pub visitors: HashSet<i64>,
    /// The clock.
    pub clock: Clock,
}

impl Driver {
    /// Lives until the program ends.
    pub async fn run(self, platform: Platform) {
        let address = platform.web;
        let fleet = Fleet {
            city: Arc::clone(&self.city),
            issued: self.issued.clone(),
            lines: Lines::new(platform.doors, self.store.vault(), &self.issued),
            clock: self.clock.clone(),
            clinics: Client::with_token(address, &self.clinics),
            people: self.owners.clone(),
        };
        tokio::spawn(fleet.run());
        let rounds = Rounds {
            city: Arc::clone(&self.city),
            store: self.store.clone(),
            clock: self.clock.clone(),
            workers: Client::with_token(address, &self.offices),
            visited: Stage::of(&self.city).village,
            left: devices::forgotten(&self.city, &self.issued),
        };
        tokio::spawn(rounds.run());
        let desk = Desk::new(address, self.clock.clone(), Arc::clone(&self.sign_in), self.city.spec.seed);
        tokio::spawn(desk.run());
        let mut life = Life::new(self, address);
        if let Err(fault) = life.find_open_orders().await {
            tracing::warn!(%fault, "the living city could not find its open orders");
        }
        let mut looked = life.now();
        loop {
            life.once().await;
            // What the platform orders by itself is carried out by the same people.
            if life.now().seconds_since(looked) > LOOK_FOR_ORDERS {
                looked = life.now();
                if let Err(fault) = life.find_open_orders().await {
                    tracing::debug!(%fault, "open orders");
                }
            }
        }
    }
}

/// The stories under way.
struct Life {
    driver: Driver,
    address: SocketAddr,
    telephone: Client,
    offices: Client,
    operator: Client,
    near: std::ops::Range<u32>,
    stories: HashMap<u64, Told>,
    agenda: BinaryHeap<Reverse<(At, u64, Step)>>,
    next_call: At,
    next_number: u64,
    rng: Rng,
}

/// One story as it stands.
struct Told {
    story: Story,
    call: Option<String>,
    order: Option<String>,
    person: Option<String>,
}

impl Life {
    fn new(driver: Driver, address: SocketAddr) -> Life {
        let now = (driver.clock.now)().0;
        // Seconds of the clock keep the numbers of two runs apart.
        let next_number = FIRST_NUMBER + now.0.div_euclid(1_000_000).unsigned_abs();
        Life {
            telephone: Client::with_token(address, &driver.telephone),
            offices: Client::with_token(address, &driver.offices),
            operator: Client::with_session(address, ""),
            near: driver.city.near(),
            stories: HashMap::new(),
            agenda: BinaryHeap::new(),
            next_call: now.plus_seconds(3),
            next_number,
            rng: Seed(driver.city.spec.seed).stream(Topic::Stories, next_number),
            driver,
            address,
        }
    }

    fn now(&self) -> At {
        (self.driver.clock.now)().0
    }

    /// Waits for what comes next and does it.
    async fn once(&mut self) {
        let due = self.agenda.peek().map_or(self.next_call, |Reverse((at, ..))| (*at).min(self.next_call));
        let wait = due.0 - self.now().0;
        // The clock may be set meanwhile, so no sleep is long.
        let wait = wait.max(0).unsigned_abs() / self.driver.clock.speed.max(1);
        tokio::time::sleep(Duration::from_micros(wait.min(2_000_000))).await;
        let now = self.now();
        if self.next_call <= now {
            self.begin(now);
        }
        while let Some(Reverse((at, number, step))) = self.agenda.peek().copied() {
            if at > now {
                break;
            }
            self.agenda.pop();
            self.step(number, step).await;
        }
    }

    /// Somebody calls.
    fn begin(&mut self, now: At) {
        let (low, high) = CALL_EVERY;
        self.next_call = now.plus_seconds(i64::from(self.rng.between(low, high)));
        if self.stories.len() >= STORIES_MAX {
            return;
        }
        let number = self.next_number;
        self.next_number += 1;
        let story = Story::watched(&self.driver.city, number, &self.near, now);
        let (at, step) = story.first();
        self.tell(number, Told { story, call: None, order: None, person: None }, [(at, step)]);
    }

    fn tell(&mut self, number: u64, told: Told, next: impl IntoIterator<Item = (At, Step)>) {
        self.stories.insert(number, told);
        self.agenda.extend(next.into_iter().map(|(at, step)| Reverse((at, number, step))));
    }

    /// Does one step and finds out what comes after it.
    async fn step(&mut self, number: u64, step: Step) {
        let Some(mut told) = self.stories.remove(&number) else { return };
        let went = match self.act(&mut told, step).await {
            Ok(went) => went,
            Err(fault) => {
                tracing::warn!(%fault, ?step, "the living city could not ask the server");
                Went::Not
            }
        };
        tracing::debug!(number, ?step, ?went, "story");
        let now = self.now();
        let next = told.story.next(step, went, now);
        let waits = self.agenda.iter().any(|Reverse((_, other, _))| *other == number);
        if !next.is_empty() || waits {
            self.tell(number, told, next);
        }
    }

    /// Takes up the orders that are open, so that what began before this start goes on.
    async fn find_open_orders(&mut self) -> Result<(), ClientFault> {
        for state in ["placed", "offered", "accepted", "in_service", "served", "confirmed"] {
            let mut after = String::new();
            loop {
                let page =
                    self.offices.get(&format!("/api/v1/orders?state={state}&limit=200{after}")).await?;
                for order in page.body["items"].as_array().into_iter().flatten() {
                    self.take_up(state, order);
                }
                let Some(next) = page.text("next") else { break };
                after = format!("&after={next}");
            }
        }
        Ok(())
    }

    fn take_up(&mut self, state: &str, order: &serde_json::Value) {
        let text = |field: &str| order[field].as_str();
        let at = |field: &str| text(field).and_then(At::parse);
        let (Some(id), Some(start), Some(end)) = (text("id"), at("start_at"), at("end_at")) else { return };
        let carer = text("carer").and_then(|id| id.parse::<i64>().ok());
        if carer.is_some_and(|carer| self.driver.visitors.contains(&carer))
            || self.stories.len() >= STORIES_MAX
            || self.stories.values().any(|told| told.order.as_deref() == Some(id))
        {
            return;
        }
        let now = self.now();
        let number = self.next_number;
        self.next_number += 1;
        let mut story = Story::found(&self.driver.city, number, start, end.minutes_since(start), now);
        let soon = |rng: &mut Rng, low, high| now.plus_seconds(i64::from(rng.between(low, high)));
        let began =
            at("checked_in_at").unwrap_or_else(|| start.plus_minutes(i64::from(self.rng.between(-3, 6))));
        story.visit = Some((began, began.plus_minutes(end.minutes_since(start))));
        let rng = &mut self.rng;
        let next = match state {
            // Slowly, so that a visitor at the dispatch desk finds some to give out.
            "placed" => (soon(rng, 90, 2_400), Step::Assign),
            "offered" => (soon(rng, 20, 300), Step::Accept),
            "accepted" => (began.max(soon(rng, 10, 900)), Step::CheckIn),
            "in_service" => (story.visit.map_or(now, |v| v.1).max(soon(rng, 10, 600)), Step::CheckOut),
            "served" => (soon(rng, 30, 1_800), Step::Confirm),
            _ => (soon(rng, 60, 3_600), Step::Settle),
        };
        let told = Told { story, call: None, order: Some(id.to_owned()), person: None };
        self.tell(number, told, [next]);
    }
}
