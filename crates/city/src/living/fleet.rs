//! The devices of the city, speaking on their lines hour after hour.

use std::{cmp::Reverse, collections::BinaryHeap, net::SocketAddr, sync::Arc, time::Duration};

use domain::time::At;
use serde_json::json;

use super::{Clock, client::Client, lines::Lines};
use crate::{
    City,
    devices::{self, Plan, Sent, SimDevice, Storms},
    rng::{Rng, Seed, Topic},
};

/// A press, a fall or a fire each so many minutes, so that a night at the desk is lively and bearable.
const HAPPENS_EVERY: f64 = 4.0;
/// A storm may come in each span of so many minutes, and a maker's platform is down for so long.
const STORMS: Storms = Storms { every_minutes: 50, silent_minutes: 40 };
/// Minutes that are made ahead.
const AHEAD: i64 = 30;
/// Somebody's blood pressure is told each so many seconds.
const PRESSURE_EVERY: i64 = 45;

/// What it takes to let the devices speak.
pub(super) struct Fleet {
    pub(super) city: Arc<City>,
    pub(super) issued: Vec<SimDevice>,
    pub(super) lines: Lines,
    pub(super) clock: Clock,
    /// Who says what clinics measured.
    pub(super) clinics: Client,
    /// Ids of those who have devices.
    pub(super) people: Vec<i64>,
}

/// A frame in the order of its arrival.
struct Due(At, u64, Sent);

impl PartialEq for Due {
    fn eq(&self, other: &Due) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Due) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Due) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

impl Fleet {
    fn now(&self) -> At {
        (self.clock.now)().0
    }

    /// Lets them speak until the program ends.
    pub(super) async fn run(mut self) {
        let mut made_until = self.now();
        let mut due: BinaryHeap<Reverse<Due>> = BinaryHeap::new();
        let (mut number, mut next_pressure) = (0, made_until.plus_seconds(20));
        let week = devices::happenings_a_week(&self.issued).max(0.1);
        let pace = 7.0 * 24.0 * 60.0 / HAPPENS_EVERY / week;
        let mut rng = Seed(self.city.spec.seed).stream(Topic::DeviceDays, made_until.0.unsigned_abs());
        loop {
            let now = self.now();
            while made_until < now.plus_minutes(2) {
                let plan = Plan { from: made_until, minutes: AHEAD, pace, storms: Some(STORMS) };
                for sent in devices::period(&self.city, &self.issued, plan).sent {
                    number += 1;
                    due.push(Reverse(Due(sent.at, number, sent)));
                }
                made_until = plan.until();
            }
            let mut frames = Vec::new();
            while due.peek().is_some_and(|Reverse(first)| first.0 <= now) {
                frames.extend(due.pop().map(|Reverse(first)| first.2));
            }
            let lost = self.lines.post(&self.issued, &frames);
            if lost > 0 {
                tracing::warn!(lost, "frames of devices were lost, their lines are full");
            }
            if next_pressure <= now {
                next_pressure = now.plus_seconds(PRESSURE_EVERY);
                self.pressure(&mut rng, now).await;
            }
            let next = due.peek().map_or(now.plus_seconds(1), |Reverse(first)| first.0);
            let wait = (next.0 - now.0).clamp(50_000, 1_000_000).unsigned_abs() / self.clock.speed.max(1);
            tokio::time::sleep(Duration::from_micros(wait.max(2_000))).await;
        }
    }

    /// A clinic or a cuff at home measured somebody.
    async fn pressure(&mut self, rng: &mut Rng, now: At) {
        if self.people.is_empty() {
            return;
        }
        let person = *rng.pick(&self.people);
        let (systolic, diastolic) = (rng.between(108, 158), rng.between(62, 94));
        let body = pressure(person, now, systolic, diastolic);
        let key = format!("P{}-{person}", now.0);
        match self.clinics.post("/api/v1/observations", &key, &body).await {
            Ok(said) if !said.good() => {
                tracing::debug!(status = said.status, body = %said.body, "a measurement was refused");
            }
            Ok(_) => {}
            Err(fault) => tracing::debug!(%fault, "a measurement could not be told"),
        }
    }
}

/// A blood pressure as a FHIR R4 Observation.
fn pressure(person: i64, at: At, systolic: i32, diastolic: i32) -> serde_json::Value {
    let code = |loinc: &str| json!({ "coding": [{ "system": "http://loinc.org", "code": loinc }] });
    let part = |loinc: &str, value: i32| {
        json!({
            "code": code(loinc),
            "valueQuantity": {
                "value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]",
            },
        })
    };
    json!({
        "resourceType": "Observation",
        "id": format!("bp-{person}-{}", at.0 / 1_000_000),
        "status": "final",
        "code": code("85354-9"),
        "subject": { "reference": format!("Patient/{person}") },
        "effectiveDateTime": at.rfc3339(),
        "component": [part("8480-6", systolic), part("8462-4", diastolic)],
    })
}

/// Where the doors of a demo are and where its pages are answered.
#[derive(Debug, Clone, Copy)]
pub struct Platform {
    /// Pages and JSON.
    pub web: SocketAddr,
    /// Devices.
    pub doors: super::Doors,
}
