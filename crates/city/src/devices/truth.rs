//! What is true about who was seen: the people around an elder, and whom nobody saw.

use std::collections::{HashMap, HashSet};

use domain::{
    signals::sighting::SightingKind,
    time::{At, Day},
};

use super::{Period, SimDevice, UNSEEN_HOURS};
use crate::{
    City,
    people::Living,
    rng::{Seed, Topic},
};

/// Somebody saw an elder, or spoke to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Whom.
    pub person: u32,
    /// When.
    pub at: At,
    /// How.
    pub kind: SightingKind,
    /// By whom, in words.
    pub source: String,
}

/// Nobody looks after those whose devices are all dead since some days before the city's day, at least and for so many
/// more at most, in hours.
const LEFT_HOURS: (i64, u32) = (52, 44);

/// People all of whose devices are silent for good, and since when nobody looks after them either: people go on coming
/// for a while after a battery has died.
pub fn forgotten(city: &City, devices: &[SimDevice]) -> HashMap<u32, At> {
    let mut since: HashMap<u32, Option<At>> = HashMap::new();
    for device in devices {
        let last = since.entry(device.person).or_insert(device.dies);
        *last = last.zip(device.dies).map(|(one, other)| one.max(other));
    }
    let today = At::from_local(city.spec.today.into());
    let left = |person: u32| today.plus_minutes(-60 * (LEFT_HOURS.0 + i64::from(person % LEFT_HOURS.1)));
    since.into_iter().filter_map(|(person, since)| Some((person, since?.max(left(person))))).collect()
}

const FAMILY: [&str; 4] = ["张丽", "王建军", "刘敏", "陈玉兰"];

/// Who meets an elder between two moments: somebody at noon and somebody in the evening, so that nobody is without a
/// word for a day, until they are forgotten.
pub fn contacts(city: &City, person: u32, left: Option<At>, (from, until): (At, At)) -> Vec<Contact> {
    let ends = left.map_or(until, |left| left.min(until));
    let mut all = Vec::new();
    let mut day = from.day();
    while At::from_local(day.into()) < ends {
        all.extend(on(city, person, day).into_iter().filter(|c| from <= c.at && c.at < ends));
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    all
}

fn on(city: &City, person: u32, day: Day) -> [Contact; 2] {
    let number = u64::from(person) << 20 ^ u64::from(day.day_of_year().unsigned_abs());
    let mut rng = Seed(city.spec.seed).stream(Topic::Contacts, number);
    let begins = At::from_local(day.into());
    let mut minute = |from: i64| begins.plus_minutes(from + i64::from(rng.below(50)));
    let (noon, evening) = (minute(11 * 60 + 10), minute(17 * 60 + 20));
    let who = FAMILY[person as usize % FAMILY.len()];
    let (kind, source) = match (person % 7, rng.below(10)) {
        (0..=3, 0..=8) => (SightingKind::Meal, "长者食堂送餐".to_owned()),
        (4, _) => (SightingKind::Volunteer, format!("志愿者 {who}")),
        (_, 9) => (SightingKind::Clinic, "社区卫生服务站".to_owned()),
        _ => (SightingKind::Meter, "智能电表有用电".to_owned()),
    };
    let noon = Contact { person, at: noon, kind, source };
    let (kind, source) = match rng.below(3) {
        0 => (SightingKind::Knock, format!("邻居 {who} 敲门问候")),
        1 => (SightingKind::Phone, "社区电话问候".to_owned()),
        _ => (SightingKind::Meter, "智能电表有用电".to_owned()),
    };
    [noon, Contact { person, at: evening, kind, source }]
}

/// Those who live alone and of whom there is no trace in the last 48 hours, neither by people nor by devices.
pub(super) fn unseen(
    city: &City,
    devices: &[SimDevice],
    period: &Period,
    until: At,
    people: Vec<u32>,
) -> Vec<u32> {
    let since = until.plus_minutes(-UNSEEN_HOURS * 60);
    let within = |at: At| since <= at && at < until;
    let lived = |sent: &&super::Sent| {
        (sent.life || sent.tells.is_some()) && within(sent.made) && sent.at < until && !sent.rubbish
    };
    let told = period.sent.iter().filter(lived).map(|sent| devices[sent.device as usize].person);
    let met = period.seen.iter().filter(|contact| within(contact.at)).map(|contact| contact.person);
    let heard: HashSet<u32> = told.chain(met).collect();
    let lost = |person: &u32| !heard.contains(person) && city.person(*person).living == Living::Alone;
    people.into_iter().filter(lost).collect()
}
