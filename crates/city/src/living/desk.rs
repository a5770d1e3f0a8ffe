//! A colleague at the alarm desk, and the leader of the shift: they answer what a visitor leaves, the way one would.
//!
//! INVARIANT: what rings is left alone for its time, so that a visitor can take it, and what anybody else has taken is
//! theirs.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
    net::SocketAddr,
    time::Duration,
};

use app::store::Fault;
use domain::{
    signals::incident::{IncidentKind, Level},
    time::At,
};
use serde_json::{Value, json};

use super::{
    Clock,
    client::{Client, ClientFault, Said},
};
use crate::{
    ending::{self, Ending},
    rng::{Rng, Seed, Topic},
    seed,
};

/// Alarms the colleague works at together.
const AT_ONCE: usize = 4;
/// Seconds between two looks at what rings.
const LOOK_EVERY: i64 = 5;
/// The leader looks again at an alarm so many seconds after its end, at least and at most.
const LOOK_AGAIN: (i64, i64) = (240, 900);

/// Seconds a visitor has before the colleague takes an alarm, at least and at most.
fn patience(level: Level) -> (i64, i64) {
    match level {
        Level::P1 => (90, 150),
        Level::P2 => (120, 300),
        Level::P3 => (300, 900),
        Level::P4 => (600, 2_400),
    }
}

/// What the colleague does next with an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Note,
    Reach,
    Close,
}

/// Signs somebody in by name; gives the session.
pub(super) type SignIn = std::sync::Arc<dyn Fn(&str) -> Result<String, Fault> + Send + Sync>;

/// Somebody with an account, signed in again when the session is over.
struct Person {
    name: &'static str,
    client: Client,
    address: SocketAddr,
    sign_in: SignIn,
}

impl Person {
    fn new(name: &'static str, address: SocketAddr, sign_in: SignIn) -> Person {
        Person { name, client: Client::with_session(address, ""), address, sign_in }
    }

    async fn get(&mut self, path: &str) -> Result<Said, ClientFault> {
        let said = self.client.get(path).await?;
        if said.status != super::steps::SIGNED_OUT {
            return Ok(said);
        }
        self.come_back();
        self.client.get(path).await
    }

    async fn post(&mut self, path: &str, key: &str, body: &Value) -> Result<Said, ClientFault> {
        let said = self.client.post(path, key, body).await?;
        if said.status != super::steps::SIGNED_OUT {
            return Ok(said);
        }
        self.come_back();
        self.client.post(path, key, body).await
    }

    fn come_back(&mut self) {
        match (self.sign_in)(self.name) {
            Ok(session) => self.client = Client::with_session(self.address, &session),
            Err(fault) => tracing::warn!(%fault, name = self.name, "could not sign in"),
        }
    }
}

/// An alarm the colleague has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Mine {
    id: String,
    kind: String,
}

/// The desk beside a visitor's.
pub(super) struct Desk {
    colleague: Person,
    leader: Person,
    clock: Clock,
    agenda: BinaryHeap<Reverse<(At, Mine, Act)>>,
    mine: HashSet<String>,
    rng: Rng,
}

impl Desk {
    pub(super) fn new(address: SocketAddr, clock: Clock, sign_in: SignIn, seed: u64) -> Desk {
        Desk {
            colleague: Person::new(seed::OPERATOR, address, sign_in.clone()),
            leader: Person::new(seed::LEADER, address, sign_in),
            rng: Seed(seed).stream(Topic::Stories, (clock.now)().0.0.unsigned_abs()),
            clock,
            agenda: BinaryHeap::new(),
            mine: HashSet::new(),
        }
    }

    /// Answers until the program ends.
    pub(super) async fn run(mut self) {
        let mut turn = 0_u64;
        loop {
            let done = async {
                self.take().await?;
                self.go_on().await?;
                if turn.is_multiple_of(6) {
                    self.look_again().await?;
                }
                Ok::<_, ClientFault>(())
            };
            if let Err(fault) = done.await {
                tracing::debug!(%fault, "the desk could not ask the server");
            }
            turn += 1;
            let wait = LOOK_EVERY.unsigned_abs() * 1_000_000 / self.clock.speed.max(1);
            tokio::time::sleep(Duration::from_micros(wait.max(20_000))).await;
        }
    }

    fn now(&self) -> At {
        (self.clock.now)().0
    }

    fn later(&mut self, (low, high): (i64, i64)) -> At {
        let seconds = low + i64::from(self.rng.below((high - low + 1).unsigned_abs() as u32));
        self.now().plus_seconds(seconds)
    }

    /// Takes what has rung for longer than a visitor needs, the most urgent first.
    async fn take(&mut self) -> Result<(), ClientFault> {
        let said = self.colleague.get("/api/v1/incidents?state=ringing,acknowledged&limit=200").await?;
        let now = self.now();
        let mut open: Vec<(Level, At, Mine)> = Vec::new();
        for one in said.body["items"].as_array().into_iter().flatten() {
            let text = |field: &str| one[field].as_str().unwrap_or_default();
            let mine = Mine { id: text("id").to_owned(), kind: text("kind").to_owned() };
            let (Some(level), Some(rang)) = (Level::from_code(text("level")), At::parse(text("rang_at")))
            else {
                continue;
            };
            if text("state") == "acknowledged" {
                // One that was taken before this start goes on; whoever else has one keeps it.
                if text("owner_name") == NAME && self.mine.insert(mine.id.clone()) {
                    self.plan(mine, true);
                }
                continue;
            }
            let (low, high) = patience(level);
            let number: i64 = mine.id.parse().unwrap_or_default();
            if now.seconds_since(rang) >= low + (number >> 8).rem_euclid(high - low + 1) {
                open.push((level, rang, mine));
            }
        }
        open.sort();
        for (_, _, mine) in open {
            if self.mine.len() >= AT_ONCE {
                break;
            }
            let path = format!("/api/v1/incidents/{}/acknowledgement", mine.id);
            let key = format!("take-{}-{}", mine.id, now.0);
            if self.colleague.post(&path, &key, &json!({})).await?.good() {
                self.mine.insert(mine.id.clone());
                self.plan(mine, false);
            }
        }
        Ok(())
    }

    fn plan(&mut self, mine: Mine, soon: bool) {
        let spans: [(Act, (i64, i64)); 3] = if soon {
            [(Act::Note, (2, 10)), (Act::Reach, (10, 20)), (Act::Close, (20, 60))]
        } else {
            [(Act::Note, (15, 40)), (Act::Reach, (45, 80)), (Act::Close, (90, 240))]
        };
        for (act, span) in spans {
            let at = self.later(span);
            self.agenda.push(Reverse((at, mine.clone(), act)));
        }
    }

    async fn go_on(&mut self) -> Result<(), ClientFault> {
        let now = self.now();
        while let Some(Reverse((at, mine, act))) = self.agenda.peek().cloned() {
            if at > now {
                break;
            }
            self.agenda.pop();
            let number: u64 = mine.id.parse().unwrap_or_default();
            let ending = ending::ending_of(
                IncidentKind::from_code(&mine.kind).unwrap_or(IncidentKind::Sos),
                number >> 8,
            );
            match act {
                Act::Note => self.note(&mine, ending).await?,
                Act::Reach => self.reach(&mine).await?,
                Act::Close => {
                    self.mine.remove(&mine.id);
                    self.close(&mine, ending).await?;
                }
            }
        }
        Ok(())
    }

    async fn note(&mut self, mine: &Mine, ending: Ending) -> Result<(), ClientFault> {
        let path = format!("/api/v1/incidents/{}/note", mine.id);
        let key = format!("note-{}-{}", mine.id, self.now().0);
        self.colleague.post(&path, &key, &json!({ "text": ending.note })).await.map(drop)
    }

    /// What became of those nobody called by itself: a colleague rang them up.
    async fn reach(&mut self, mine: &Mine) -> Result<(), ClientFault> {
        let sheet = self.colleague.get(&format!("/api/v1/incidents/{}", mine.id)).await?;
        let steps = sheet.body["steps"].as_array().cloned().unwrap_or_default();
        // What the telephone gateway has in hand it tells itself.
        let reaches = sheet.body["reaches"].as_array().cloned().unwrap_or_default();
        let in_hand = |step: &Value| {
            reaches.iter().any(|r| {
                r["round"] == step["round"] && r["step"] == step["step"] && r["attempts"].as_i64() > Some(0)
            })
        };
        let called = steps.iter().filter(|step| step["done_at"].is_string() && step["result"].is_null());
        for step in called.filter(|step| !in_hand(step)) {
            let result = match step["reach"].as_str().unwrap_or_default() {
                "elder" => "no_answer",
                "family" => "answered",
                "neighbour" | "grid_worker" | "station" => "coming",
                _ => continue,
            };
            let (round, number) = (&step["round"], &step["step"]);
            let path = format!("/api/v1/incidents/{}/contact-result", mine.id);
            let key = format!("reach-{}-{round}-{number}", mine.id);
            let body = json!({ "round": round, "step": number, "result": result });
            self.colleague.post(&path, &key, &body).await?;
        }
        Ok(())
    }

    async fn close(&mut self, mine: &Mine, ending: Ending) -> Result<(), ClientFault> {
        let path = format!("/api/v1/incidents/{}/closure", mine.id);
        let key = format!("close-{}-{}", mine.id, self.now().0);
        let body = json!({
            "outcome": ending.outcome.code(), "with_elder": ending.with_elder, "text": ending.text,
        });
        let said = self.colleague.post(&path, &key, &body).await?;
        // A thing that belongs to somebody ends with a word about that person, too.
        if said.status == 422 && ending.with_elder.is_empty() {
            let body = json!({
                "outcome": ending.outcome.code(), "with_elder": "电话确认老人在家", "text": ending.text,
            });
            self.colleague.post(&path, &format!("{key}-again"), &body).await?;
        }
        Ok(())
    }

    /// The leader looks a second time at red ones somebody else ended a while ago.
    async fn look_again(&mut self) -> Result<(), ClientFault> {
        let said = self.leader.get("/api/v1/incidents?state=to_review&limit=50").await?;
        let now = self.now();
        for one in said.body["items"].as_array().into_iter().flatten() {
            let (Some(id), Some(closed)) =
                (one["id"].as_str(), one["closed_at"].as_str().and_then(At::parse))
            else {
                continue;
            };
            let (low, high) = LOOK_AGAIN;
            let number: i64 = id.parse().unwrap_or_default();
            if now.seconds_since(closed) < low + (number >> 8).rem_euclid(high - low + 1) {
                continue;
            }
            let path = format!("/api/v1/incidents/{id}/review");
            let body = json!({ "agreed": true, "text": "回放录音，处置妥当" });
            self.leader.post(&path, &format!("review-{id}-{}", closed.0), &body).await?;
        }
        Ok(())
    }
}

/// The colleague's name as others read it.
const NAME: &str = "高敏";
