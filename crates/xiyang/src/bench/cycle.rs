//! The life of an order as requests: at our API, and at the peer's.

use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use city::town::{SERVICE, Town, VISIT_MINUTES, Visit};

use super::load::Cycle;

/// Visits nobody has been given yet. All clients take from one list, so that no two ask for the same hour of a carer
/// and every refusal is an error.
#[derive(Debug)]
pub(super) struct Visits {
    pub(super) town: Town,
    taken: AtomicUsize,
}

impl Visits {
    pub(super) fn new(town: Town) -> Arc<Visits> {
        Arc::new(Visits { town, taken: AtomicUsize::new(0) })
    }

    /// The next visit, until every carer's half hour is full.
    pub(super) fn next(&self) -> Option<Visit> {
        self.town.visit(self.taken.fetch_add(1, Ordering::Relaxed))
    }
}

/// Our own API.
pub(super) struct Ours {
    visits: Arc<Visits>,
    visit: Option<Visit>,
}

impl Ours {
    pub(super) fn clients(visits: &Arc<Visits>, count: usize) -> Vec<Ours> {
        (0..count).map(|_| Ours { visits: Arc::clone(visits), visit: None }).collect()
    }
}

impl Cycle for Ours {
    const STEPS: usize = 5;

    fn begin(&mut self) -> bool {
        self.visit = self.visits.next();
        self.visit.is_some()
    }

    fn request(&self, step: usize, id: &str, out: &mut Vec<u8>) {
        let Visit { person, carer, home: (lon, lat), start } = self.visit.expect("a cycle was begun");
        let (what, body) = match step {
            0 => (
                "",
                format!(
                    r#"{{"person":"{person}","service":"{SERVICE}","start_at":"{}","minutes":{VISIT_MINUTES},"own_share_agreed":true,"channel":"hotline"}}"#,
                    start.rfc3339()
                ),
            ),
            1 => ("/assignment", format!(r#"{{"carer":"{carer}"}}"#)),
            2 => (
                "/check-in",
                format!(r#"{{"method":"gps","fix":{{"lon":{lon},"lat":{lat},"accuracy":12}}}}"#),
            ),
            3 => (
                "/check-out",
                r#"{"tasks":["送餐上门"],"note":"当面交接","confirmation":{"satisfied":true}}"#.to_owned(),
            ),
            _ => ("/settlement", "{}".to_owned()),
        };
        let slash = if step == 0 { "" } else { "/" };
        let id = if step == 0 { "" } else { id };
        let bearer = format!("Authorization: Bearer {}\r\n", self.visits.town.token);
        post(out, format_args!("/api/v1/orders{slash}{id}{what}"), &bearer, &body);
    }
}

/// The peer's API, of `bench/peers/fastapi_orders.py`.
pub(super) struct Peer {
    random: fastrand::Rng,
    elders: u32,
    carers: u32,
    elder: u32,
    carer: u32,
}

impl Peer {
    pub(super) fn clients(elders: u32, carers: u32, count: usize, seed: u64) -> Vec<Peer> {
        let random = |n| fastrand::Rng::with_seed(seed.wrapping_mul(1_000_003) + n as u64);
        (0..count).map(|n| Peer { random: random(n), elders, carers, elder: 1, carer: 1 }).collect()
    }
}

impl Cycle for Peer {
    const STEPS: usize = 5;

    fn begin(&mut self) -> bool {
        self.elder = self.random.u32(1..=self.elders);
        self.carer = self.random.u32(1..=self.carers);
        true
    }

    fn request(&self, step: usize, id: &str, out: &mut Vec<u8>) {
        let mut random = self.random.clone();
        let (what, body) = match step {
            0 => {
                let (price, start) = (random.u32(1_000..20_000), random.u32(0..100_000_000));
                let elder = self.elder;
                ("", format!(r#"{{"elder":{elder},"service":"A01","price_fen":{price},"start":{start}}}"#))
            }
            1 => ("/assignment", format!(r#"{{"carer":{}}}"#, self.carer)),
            2 => {
                let (east, north) = (self.elder % 500 * 12, self.elder % 400 * 12);
                ("/check-in", format!(r#"{{"east":{east},"north":{north}}}"#))
            }
            3 => ("/check-out", r#"{"tasks":["送餐上门"],"note":"当面交接"}"#.to_owned()),
            _ => ("/settlement", "{}".to_owned()),
        };
        let slash = if step == 0 { "" } else { "/" };
        let id = if step == 0 { "" } else { id };
        post(out, format_args!("/orders{slash}{id}{what}"), "", &body);
    }
}

fn post(out: &mut Vec<u8>, path: std::fmt::Arguments<'_>, more: &str, body: &str) {
    let length = body.len();
    write!(
        out,
        "POST {path} HTTP/1.1\r\nHost: bench\r\n{more}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .expect("a vector takes what is written to it");
}
