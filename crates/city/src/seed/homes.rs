//! Homes with devices, and who looks after whom: the list of those watched, what was seen of them, the alarms of the
//! last week and the visits of the personas' village.
//!
//! A city of any size gets at most as many devices and watched elders as are issued and listed here: those where the
//! personas work first. Everybody else comes on the list when the server first compares it, as in a city that begins.

use std::collections::HashMap;

use app::{
    settings,
    signals::{
        devices::{self as register, NewDevice, Seen},
        duties::{self, NewVisit},
        incidents::{self, Opening},
        sightings::{self, Sighting},
        silences,
    },
    store::{Fault, Store, Tx, Vault},
};
use domain::{
    access::Role,
    ids::{DeviceId, PersonId},
    parties::{Ability, Hardship, LivingArrangement, PersonState},
    regions::RegionCode,
    signals::{
        alarm,
        device::DeviceKind,
        incident::{Closure, IncidentKind},
        rounds::{Answer, DutyKind, Mark, Met, Report, Way},
        silence::{self, Profile},
    },
    time::{At, Day, Now},
};

use super::{Progress, Staff, Stage, builder, must};
use crate::{
    City, SimPerson,
    devices::{self, Happening, Plan, SimDevice},
    ending,
    rng::{Seed, Topic},
};

/// Elders who are looked at for the list, those near the personas first.
const LISTED_MAX: u32 = 20_000;
/// Rows in one transaction.
const BATCH: usize = 400;
/// Devices were entered so many days ago.
const ENTERED_DAYS: i64 = 45;
/// Days of the history of those who have devices; of the others the last two.
const SEEN_DAYS: i64 = 10;
const SEEN_DAYS_OTHERS: i64 = 2;
/// Days whose alarms are told, and how many times as much happened in them as in life, so that every page has some.
const ALARM_DAYS: i64 = 5;
const ALARM_PACE: f64 = 2.0;
/// What is still going on belongs to the city that lives.
const ALARMS_END_MINUTES: i64 = 30;
/// Devices were last looked at so long before the city was made, and how many of their faults are still open.
const FAULTS_MINUTES: i64 = 22 * 60;
const FAULTS_OPEN: usize = 2;
/// Setting that says who is looked after, as pairs of place in the list and id.
const LOOKED_AFTER: &str = "demo_looked_after";
/// Setting that says until when was told what was seen of them.
const SEEN_UNTIL: &str = "demo_seen_until";

/// What the simulated devices sign in with: as hard to guess as the installation's key.
pub(crate) fn secret(vault: &Vault, serial: &str) -> [u8; 16] {
    vault.index16("demo device", serial)
}

/// Who is looked at for the list: those near the personas, and then the others.
pub(super) fn listed(city: &City) -> Vec<u32> {
    let near = city.near();
    let others = (0..near.start).chain(near.end..city.spec.people);
    near.clone().chain(others).take(LISTED_MAX as usize).collect()
}

/// Everything at home, for a city that was just made.
pub(super) struct Homes<'a> {
    pub(super) store: &'a Store,
    pub(super) city: &'a City,
    pub(super) staff: &'a Staff,
    pub(super) people: &'a HashMap<u32, PersonId>,
    pub(super) now: Now,
}

impl Homes<'_> {
    /// Enters it all.
    pub(super) fn write(&self, progress: &mut Progress<'_>) -> Result<(), Fault> {
        let issued = devices::issued(self.city);
        progress("登记设备、关注名单和联系记录", 0, 4);
        let ids = self.enter(&issued)?;
        self.heard(&issued, &ids)?;
        progress("登记设备、关注名单和联系记录", 1, 4);
        self.faults()?;
        let watched = self.list(&issued)?;
        progress("登记设备、关注名单和联系记录", 2, 4);
        self.seen(&issued, &watched)?;
        progress("登记设备、关注名单和联系记录", 3, 4);
        self.visits(&issued)?;
        self.alarms(&issued, &ids)?;
        progress("登记设备、关注名单和联系记录", 4, 4);
        Ok(())
    }

    fn ago(&self, minutes: i64) -> Now {
        Now(self.now.0.plus_minutes(-minutes))
    }

    /// Enters gateways and devices; answers the ids of the devices in their order.
    fn enter(&self, issued: &[SimDevice]) -> Result<Vec<DeviceId>, Fault> {
        let then = self.ago(ENTERED_DAYS * 24 * 60);
        let gateways = devices::gateways(issued);
        let serials: Vec<String> = gateways.iter().map(|gateway| gateway.serial.clone()).collect();
        let new: Vec<NewDevice> = gateways.iter().map(gateway).collect();
        let ids = self.store.write(move |tx| add(tx, &new, then))?;
        let gateways: HashMap<String, DeviceId> = serials.into_iter().zip(ids).collect();
        let mut ids = Vec::with_capacity(issued.len());
        for some in issued.chunks(BATCH) {
            let new: Vec<NewDevice> = some.iter().map(|d| device(d, self.people, &gateways)).collect();
            ids.extend(self.store.write(move |tx| add(tx, &new, then))?);
        }
        Ok(ids)
    }

    /// When each was last heard of, and its battery.
    fn heard(&self, issued: &[SimDevice], ids: &[DeviceId]) -> Result<(), Fault> {
        let seen: Vec<Seen> =
            issued.iter().zip(ids).map(|(device, id)| last_heard(device, *id, self.now.0)).collect();
        for some in seen.chunks(BATCH) {
            let some = some.to_vec();
            self.store.write(move |tx| register::saw(tx, &some))?;
        }
        let gateways: Vec<String> = devices::gateways(issued).into_iter().map(|g| g.serial).collect();
        let now = self.now;
        self.store.write(move |tx| {
            for serial in &gateways {
                if let Some(known) = register::find_known(tx, serial)? {
                    register::saw(tx, &[Seen { device: known.id, at: now.0, battery: Some(100) }])?;
                }
            }
            Ok::<_, Fault>(())
        })
    }

    /// Batteries that died long ago were told of long ago, and somebody was sent; the last of them are still open.
    fn faults(&self) -> Result<(), Fault> {
        let then = self.ago(FAULTS_MINUTES);
        silences::check_devices(self.store, then)?;
        let (agents, leader, now) = (self.staff.agents.clone(), self.staff.leader.clone(), self.now);
        self.store.write(move |tx| {
            let filter = incidents::Filter {
                kinds: vec![IncidentKind::DeviceFault, IncidentKind::Area],
                ..incidents::Filter::default()
            };
            let lines = must("finding faults", incidents::incidents(tx, &leader, &filter, None, 500))?;
            for (n, line) in lines.iter().enumerate().skip(FAULTS_OPEN) {
                let (id, agent) = (line.incident.id, &agents[n % 2]);
                let at = |minutes: i64| Now(then.0.plus_minutes(minutes + n as i64 * 7 % 600).min(now.0));
                let ending = ending::ending_of(line.incident.kind, n as u64);
                must("taking a fault", incidents::acknowledge(tx, agent, id, at(20)))?;
                must("noting", incidents::note(tx, agent, id, ending.note, at(25)))?;
                let closure = Closure {
                    outcome: ending.outcome,
                    with_elder: "电话确认老人在家".to_owned(),
                    text: ending.text.to_owned(),
                };
                must("closing a fault", incidents::close(tx, agent, id, &closure, at(90)))?;
            }
            Ok(())
        })
    }

    /// Puts those on the list who need watching, as if they had come on it one after the other in the last week: so
    /// their first rounds fall due one after the other, too. Answers whom.
    fn list(&self, issued: &[SimDevice]) -> Result<Vec<u32>, Fault> {
        const GROUPS: u32 = 11;
        let today = self.now.day();
        let mut watched: Vec<u32> = listed(self.city);
        watched.retain(|index| silence::risk(&profile(&self.city.person(*index), today)).is_some());
        for group in 0..GROUPS {
            let people: Vec<PersonId> = watched
                .iter()
                .filter(|index| **index % GROUPS == group)
                .filter_map(|index| self.people.get(index).copied())
                .collect();
            // From 2.3 to 6.5 days ago: longer than anybody may be unseen, shorter than the first round may wait.
            let then = self.ago(3_312 + i64::from(group) * 605);
            for some in people.chunks(BATCH) {
                let some = some.to_vec();
                self.store.write(move |tx| silences::renew(tx, &some, then))?;
            }
        }
        watched.extend(issued.iter().map(|device| device.person));
        watched.sort_unstable();
        watched.dedup();
        let kept: Vec<(u32, i64)> =
            watched.iter().filter_map(|index| Some((*index, self.people.get(index)?.0))).collect();
        let kept = serde_json::to_string(&kept)?;
        self.store.write(move |tx| settings::set(tx, LOOKED_AFTER, &kept))?;
        Ok(watched)
    }

    /// What was seen of them by people and by devices.
    fn seen(&self, issued: &[SimDevice], watched: &[u32]) -> Result<(), Fault> {
        let until = self.now.0;
        let from = |days: i64| until.plus_minutes(-days * 24 * 60);
        let owners: std::collections::HashSet<u32> = issued.iter().map(|device| device.person).collect();
        let left = devices::forgotten(self.city, issued);
        let mut all = Vec::new();
        for index in watched {
            let days = if owners.contains(index) { SEEN_DAYS } else { SEEN_DAYS_OTHERS };
            let contacts =
                devices::contacts(self.city, *index, left.get(index).copied(), (from(days), until));
            all.extend(contacts.into_iter().filter_map(|contact| sighting(contact, self.people)));
        }
        let plan = Plan { pace: 0.0, ..Plan::hours(from(2), 48) };
        let period = devices::period(self.city, issued, plan);
        all.extend(period.sent.iter().filter(|sent| sent.life && sent.at < until).filter_map(|sent| {
            let device = &issued[sent.device as usize];
            let kind = match device.kind {
                devices::Kind::Meter => domain::signals::sighting::SightingKind::Meter,
                _ => domain::signals::sighting::SightingKind::Motion,
            };
            let person = *self.people.get(&device.person)?;
            Some(Sighting { person, at: sent.made, kind, source: "智能设备".to_owned() })
        }));
        see(self.store, all, until)
    }

    /// The rounds of the last days in the personas' village, but for some that are due soon.
    fn visits(&self, issued: &[SimDevice]) -> Result<(), Fault> {
        let left = devices::forgotten(self.city, issued);
        let left: Vec<PersonId> = left.keys().filter_map(|index| self.people.get(index).copied()).collect();
        let (range, now, seed) = (Stage::of(self.city).village, self.now, self.city.spec.seed);
        let worker = self.staff.worker.clone();
        self.store.write(move |tx| {
            let filter = duties::Filter { region: Some(range), ..duties::Filter::default() };
            let page = duties::Page { offset: 0, limit: 300 };
            let standing = must("finding duties", duties::duties(tx, &worker, &filter, page, now))?;
            for (n, duty) in
                standing.iter().enumerate().filter(|(n, d)| n % 6 != 5 && !left.contains(&d.person))
            {
                let mut rng = Seed(seed).stream(Topic::Contacts, 1 << 40 | n as u64);
                let days_ago = i64::from(rng.between(0, 5));
                let at = At::from_local(now.day().into())
                    .plus_minutes(-days_ago * 1_440 + 9 * 60 + i64::from(rng.below(480)));
                if at >= now.0 {
                    continue;
                }
                let visit = visit(duty.kind, at);
                must("recording a visit", duties::record(tx, &worker, duty.id, &visit, Now(at)))?;
            }
            Ok(())
        })
    }

    /// The alarms of the last days, each from the press to the second look.
    fn alarms(&self, issued: &[SimDevice], ids: &[DeviceId]) -> Result<(), Fault> {
        let minutes = ALARM_DAYS * 24 * 60;
        let from = self.now.0.plus_minutes(-minutes);
        let plan = Plan { from, minutes: minutes - ALARMS_END_MINUTES, pace: ALARM_PACE, storms: None };
        let happened = devices::period(self.city, issued, plan).happened;
        let mut past: Vec<Past> = Vec::new();
        for (n, one) in happened.iter().enumerate() {
            let device = &issued[one.device as usize];
            let Some(person) = self.people.get(&device.person).copied() else { continue };
            if one.heard < plan.until() {
                past.push(self.past(n, one, (device, ids[one.device as usize], person)));
            }
        }
        past.sort_by_key(|one| one.opening.received_at);
        for some in past.chunks(50) {
            let (some, staff) = (some.to_vec(), (self.staff.agents.clone(), self.staff.leader.clone()));
            self.store.write(move |tx| some.iter().try_for_each(|past| past.tell(tx, &staff.0, &staff.1)))?;
        }
        Ok(())
    }

    fn past(
        &self,
        n: usize,
        one: &devices::Happened,
        (device, id, person): (&SimDevice, DeviceId, PersonId),
    ) -> Past {
        let kind = match one.what {
            Happening::Press => IncidentKind::Sos,
            Happening::Fall => IncidentKind::Fall,
            Happening::Fire => IncidentKind::Smoke,
        };
        let mut rng = Seed(self.city.spec.seed).stream(Topic::Stories, 1 << 41 | n as u64);
        let ending = ending::ending_of(kind, rng.bits());
        let mut later = |from: i32, to: i32, at: At| at.plus_seconds(i64::from(rng.between(from, to)));
        let taken = later(3, 14, one.heard);
        let noted = later(20, 70, taken);
        let closed = later(120, 900, noted);
        Past {
            turn: n,
            opening: Opening {
                kind,
                level: kind.level(),
                person: Some(person),
                device: Some(id),
                region: RegionCode::new(device.region).expect("village codes have 12 digits"),
                pressed_at: alarm::pressed_at(Some(one.at), one.heard),
                received_at: one.heard,
                verified: true,
                text: format!("{}，设备 {}", kind.label(), device.serial),
                key: format!("before:{}:{}:{}", device.serial, kind.code(), one.at.0),
            },
            ending,
            taken,
            noted,
            closed,
            reviewed: later(600, 5_400, closed),
            now: self.now,
        }
    }
}

/// An alarm that is over.
#[derive(Clone)]
struct Past {
    turn: usize,
    opening: Opening,
    ending: ending::Ending,
    taken: At,
    noted: At,
    closed: At,
    reviewed: At,
    now: Now,
}

impl Past {
    fn tell(
        &self,
        tx: &mut Tx<'_>,
        agents: &[domain::access::Actor; 2],
        leader: &domain::access::Actor,
    ) -> Result<(), Fault> {
        let agent = &agents[self.turn % 2];
        let id = incidents::open(tx, &self.opening, Now(self.opening.received_at))?.id;
        must("taking an alarm", incidents::acknowledge(tx, agent, id, Now(self.taken)))?;
        must("noting", incidents::note(tx, agent, id, self.ending.note, Now(self.noted)))?;
        let closure = Closure {
            outcome: self.ending.outcome,
            with_elder: self.ending.with_elder.to_owned(),
            text: self.ending.text.to_owned(),
        };
        must("closing an alarm", incidents::close(tx, agent, id, &closure, Now(self.closed)))?;
        // The latest wait for whoever leads the shift.
        if self.reviewed < self.now.0 {
            must(
                "looking again",
                incidents::review(tx, leader, id, "回放录音，处置妥当", Now(self.reviewed)),
            )?;
        }
        Ok(())
    }
}

fn visit(kind: DutyKind, at: At) -> NewVisit {
    let (way, points) = match kind {
        DutyKind::Phone => (Way::Phone, [Mark::Unseen; 8]),
        _ => (Way::Door, [Mark::Fine; 8]),
    };
    let report = Report {
        at,
        way,
        met: Met::Met,
        points,
        answers: vec![Answer::Well],
        note: "老人精神好，家中整洁".to_owned(),
    };
    NewVisit { report, photo: None, needs: Vec::new() }
}

fn add(tx: &mut Tx<'_>, new: &[NewDevice], then: Now) -> Result<Vec<DeviceId>, Fault> {
    let actor = builder(Role::System);
    let mut ids = Vec::with_capacity(new.len());
    for one in new {
        let random = secret(tx.vault(), &one.serial);
        ids.push(must("entering a device", register::add(tx, &actor, one, random, then))?.0);
    }
    Ok(ids)
}

fn gateway(gateway: &devices::Gateway) -> NewDevice {
    NewDevice {
        vendor: gateway.vendor.to_owned(),
        region: RegionCode::new(gateway.region).ok(),
        place: "区县汇聚机房".to_owned(),
        // It keeps its connection, and speaks whenever one of many devices does.
        beat_seconds: Some(3_600),
        ..NewDevice::new(DeviceKind::Gateway, gateway.serial.clone())
    }
}

fn device(
    device: &SimDevice,
    people: &HashMap<u32, PersonId>,
    gateways: &HashMap<String, DeviceId>,
) -> NewDevice {
    NewDevice {
        vendor: device.vendor.to_owned(),
        person: people.get(&device.person).copied(),
        place: device.kind.place().to_owned(),
        gateway: device.gateway.as_ref().and_then(|serial| gateways.get(serial).copied()),
        beat_seconds: Some(device.kind.patience_seconds()),
        ..NewDevice::new(device.kind.device(), device.serial.clone())
    }
}

/// When a device was last heard of before `now`: at its last beat.
fn last_heard(device: &SimDevice, id: DeviceId, now: At) -> Seen {
    let ends = device.dies.map_or(now, |dies| dies.min(now));
    let beat = device.kind.beat_minutes();
    let at = ends.plus_minutes(-(i64::from(device.index) % beat));
    Seen { device: id, at, battery: Some(i64::from(device.battery(at))) }
}

/// What the register will know of somebody.
fn profile(person: &SimPerson, today: Day) -> Profile {
    let bits = person.hardships_on(today).filter_map(|kind| Hardship::from_code(kind.code()));
    Profile {
        state: PersonState::Active,
        age: u16::try_from(person.age).unwrap_or(0),
        living: LivingArrangement::from_code(person.living.code()),
        ability: person.assessed_on.and_then(|_| Ability::from_code(person.grade.code())),
        hardships: bits.map(Hardship::bit).fold(0, |all, bit| all | bit),
    }
}

fn sighting(contact: devices::Contact, people: &HashMap<u32, PersonId>) -> Option<Sighting> {
    let person = *people.get(&contact.person)?;
    Some(Sighting { person, at: contact.at, kind: contact.kind, source: contact.source })
}

fn see(store: &Store, all: Vec<Sighting>, until: At) -> Result<(), Fault> {
    for some in all.chunks(4 * BATCH) {
        let some = some.to_vec();
        store.write(move |tx| sightings::see(tx, &some, Now(until)))?;
    }
    let text = until.0.to_string();
    store.write(move |tx| settings::set(tx, SEEN_UNTIL, &text))
}

/// What people saw of the elders who are looked after since this was last told: canteens, neighbours and clinics whose
/// own systems have no door here yet.
///
/// # Errors
/// When the store fails or holds no simulated city.
pub fn keep_seeing(store: &Store, city: &City, left: &HashMap<u32, At>, now: Now) -> Result<usize, Fault> {
    let kept = store
        .read(|tx| Ok::<_, Fault>((settings::find(tx, LOOKED_AFTER)?, settings::find(tx, SEEN_UNTIL)?)))?;
    let (Some(people), Some(until)) = kept else { return Ok(0) };
    let people: Vec<(u32, i64)> = serde_json::from_str(&people)?;
    let until = At(until.parse().map_err(|_| Fault::other("the moment of the last contact is none"))?);
    // After a long pause what lies further back says nothing any more.
    let from = until.max(now.0.plus_minutes(-SEEN_DAYS_OTHERS * 24 * 60));
    let ids: HashMap<u32, PersonId> = people.iter().map(|(index, id)| (*index, PersonId(*id))).collect();
    let contacts = people
        .iter()
        .flat_map(|(index, _)| devices::contacts(city, *index, left.get(index).copied(), (from, now.0)));
    let all: Vec<Sighting> = contacts.filter_map(|contact| sighting(contact, &ids)).collect();
    let count = all.len();
    see(store, all, now.0)?;
    Ok(count)
}

/// Wakes a city that slept: whatever lives was heard of meanwhile, and whoever is looked after was seen.
///
/// # Errors
/// When the store fails or holds no simulated city.
pub fn wake(store: &Store, city: &City, now: Now) -> Result<(), Fault> {
    let issued = devices::issued(city);
    keep_seeing(store, city, &devices::forgotten(city, &issued), now)?;
    let known: HashMap<String, DeviceId> =
        store.read(register::known)?.into_iter().map(|(serial, known)| (serial, known.id)).collect();
    let mut seen: Vec<Seen> = issued
        .iter()
        .filter_map(|device| Some(last_heard(device, *known.get(&device.serial)?, now.0)))
        .collect();
    let gateways = devices::gateways(&issued);
    seen.extend(gateways.iter().filter_map(|gateway| {
        Some(Seen { device: *known.get(&gateway.serial)?, at: now.0, battery: Some(100) })
    }));
    for some in seen.chunks(BATCH) {
        let some = some.to_vec();
        store.write(move |tx| register::saw(tx, &some))?;
    }
    Ok(())
}
