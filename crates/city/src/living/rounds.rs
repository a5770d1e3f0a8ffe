//! The people of the neighbourhoods: community workers on their rounds, and whoever else sees an elder.

use std::{collections::HashMap, sync::Arc, time::Duration};

use app::store::{Fault, Store};
use domain::{
    regions::RegionRange,
    time::{At, Now},
};
use serde_json::{Value, json};

use super::{
    Clock,
    client::{Client, ClientFault},
};
use crate::{City, seed};

/// Seconds between two turns.
const EVERY: u64 = 60;
/// Rounds walked in one turn at most.
const AT_ONCE: usize = 4;
/// A round is walked so many minutes before it is due; in the personas' village only so long after, for a visitor may.
const BEFORE_MINUTES: i64 = 6 * 60;
const AFTER_MINUTES: i64 = 3 * 60;
/// Turns between two tellings of who was seen.
const TELL_EVERY: u64 = 5;

/// What it takes to walk rounds.
pub(super) struct Rounds {
    pub(super) city: Arc<City>,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) workers: Client,
    /// The village a visitor may look after.
    pub(super) visited: RegionRange,
    /// Who has nobody, since when.
    pub(super) left: HashMap<u32, At>,
}

impl Rounds {
    /// Walks until the program ends.
    pub(super) async fn run(mut self) {
        for turn in 0_u64.. {
            let now = (self.clock.now)();
            if turn.is_multiple_of(TELL_EVERY)
                && let Err(fault) = self.tell(now).await
            {
                tracing::warn!(%fault, "who was seen could not be told");
            }
            if let Err(fault) = self.walk(now.0).await {
                tracing::debug!(%fault, "a round could not be walked");
            }
            tokio::time::sleep(Duration::from_micros(EVERY * 1_000_000 / self.clock.speed.max(1))).await;
        }
    }

    /// What systems without a door here know of who was seen.
    async fn tell(&self, now: Now) -> Result<(), Fault> {
        let (store, city, left) = (self.store.clone(), Arc::clone(&self.city), self.left.clone());
        let done = tokio::task::spawn_blocking(move || seed::keep_seeing(&store, &city, &left, now)).await;
        done.map_err(|_| Fault::other("the neighbourhood broke down"))?.map(drop)
    }

    async fn walk(&mut self, now: At) -> Result<(), ClientFault> {
        let said = self.workers.get("/api/v1/visit-duties?limit=100").await?;
        let due = said.body["items"].as_array().into_iter().flatten().filter(|duty| self.mine(duty, now));
        for duty in due.take(AT_ONCE).cloned().collect::<Vec<_>>() {
            let Some(id) = duty["id"].as_str() else { continue };
            let fine = json!({
                "health": "fine", "spirit": "fine", "living": "fine", "safety": "fine", "family": "fine",
                "devices": "fine", "needs": "fine", "looks": "fine",
            });
            let body = match duty["kind"].as_str() {
                Some("phone") => json!({ "way": "phone", "answers": ["well"], "note": "电话里声音洪亮" }),
                _ => json!({ "points": fine, "answers": ["well"], "note": "老人精神好，家中整洁" }),
            };
            let key = format!("round-{id}-{}", now.0);
            self.workers.post(&format!("/api/v1/visit-duties/{id}/visit"), &key, &body).await?;
        }
        Ok(())
    }

    /// Whether a simulated worker goes there now.
    fn mine(&self, duty: &Value, now: At) -> bool {
        let text = |field: &str| duty[field].as_str();
        let region = text("region").and_then(|code| code.parse::<i64>().ok()).unwrap_or_default();
        let visited = (self.visited.lo..=self.visited.hi).contains(&region);
        let Some(due) = text("due_at").and_then(At::parse) else { return false };
        let from = if visited { AFTER_MINUTES } else { -BEFORE_MINUTES };
        // Who knocks because nobody was seen is sent by an order or by the desk.
        text("kind") != Some("knock") && now >= due.plus_minutes(from)
    }
}
