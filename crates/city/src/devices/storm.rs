//! What happens to many at once: a maker's platform that falls silent, a house on fire whose neighbours all press.

use domain::time::At;

use super::{Happening, Kind, Plan, SimDevice, issue::FIELD};
use crate::{
    City,
    rng::{Seed, Topic},
};

/// How often storms come and how long makers are silent.
#[derive(Debug, Clone, Copy)]
pub struct Storms {
    /// One at most in so many minutes.
    pub every_minutes: i64,
    /// A platform that fails comes back after so many.
    pub silent_minutes: i64,
}

/// A time in which nothing came from a maker's devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// Whose.
    pub vendor: &'static str,
    /// It began.
    pub from: At,
    /// It ended.
    pub until: At,
}

impl Outage {
    /// Whether a frame of that moment is lost.
    pub fn swallows(&self, vendor: &str, at: At) -> bool {
        self.vendor == vendor && self.from <= at && at < self.until
    }
}

/// What a storm is, by the number of its span of time.
enum Storm {
    Silence(At),
    Fire(At, u64),
    Calm,
}

fn storm(city: &City, storms: Storms, number: i64) -> Storm {
    let mut rng = Seed(city.spec.seed).stream(Topic::Storms, number.unsigned_abs());
    let begins = At(number * storms.every_minutes * 60_000_000).plus_seconds(i64::from(rng.below(300)));
    match rng.below(3) {
        0 => Storm::Silence(begins),
        1 => Storm::Fire(begins, rng.bits()),
        _ => Storm::Calm,
    }
}

fn numbers(storms: Storms, from: At, until: At) -> std::ops::RangeInclusive<i64> {
    let length = storms.every_minutes * 60_000_000;
    from.0.div_euclid(length)..=until.0.div_euclid(length)
}

/// When makers are silent between two moments.
pub fn outages(city: &City, storms: Storms, from: At, until: At) -> Vec<Outage> {
    let earlier = from.plus_minutes(-storms.silent_minutes - 10);
    let all = numbers(storms, earlier, until).filter_map(|number| match storm(city, storms, number) {
        Storm::Silence(from) => {
            Some(Outage { vendor: FIELD, from, until: from.plus_minutes(storms.silent_minutes) })
        }
        Storm::Fire(..) | Storm::Calm => None,
    });
    all.filter(|outage| outage.from < until && from < outage.until).collect()
}

/// What fires make of devices: which, what, when.
pub(super) type Stormy = Vec<(u32, Happening, At)>;

/// The houses on fire, each with neighbours who press.
pub(super) fn fires(city: &City, devices: &[SimDevice], storms: Storms, plan: Plan) -> Stormy {
    let heads: Vec<&SimDevice> = devices.iter().filter(|device| device.kind == Kind::Smoke).collect();
    let mut all = Stormy::new();
    for number in numbers(storms, plan.from, plan.until()) {
        let Storm::Fire(at, draw) = storm(city, storms, number) else { continue };
        if heads.is_empty() || at < plan.from || at >= plan.until() {
            continue;
        }
        let house = heads[(draw % heads.len() as u64) as usize];
        all.push((house.index, Happening::Fire, at));
        let beside = devices.iter().filter(|device| {
            device.region == house.region && matches!(device.kind, Kind::Watch | Kind::Button | Kind::Unit)
        });
        let press = |(n, device): (usize, &SimDevice)| {
            (device.index, Happening::Press, at.plus_seconds(20 + 25 * n as i64))
        };
        all.extend(beside.take(2).enumerate().map(press));
    }
    // One that burns or presses twice within a period would be two or one, depending on how near they are.
    let mut known = std::collections::HashSet::new();
    all.retain(|(device, ..)| known.insert(*device));
    all
}
