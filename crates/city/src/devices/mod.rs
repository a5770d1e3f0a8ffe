//! Devices of simulated elders: what they send, with all the faults real ones have, and what really happened.
//!
//! Each frame is written for the wire by encoders of our own ([`wire`]), which share no code with the decoders. Batteries
//! die, clocks stand in the year 2000 or 2099, frames come twice, late by up to 72 hours and in the wrong order, and a
//! whole block of flats tells of itself at once. The truth says which presses and falls there were and whom nobody has
//! heard of: what a platform finds can be held against it. INVARIANT: the same city and period send the same bytes.

mod day;
pub mod wire;

use domain::time::At;

use crate::{
    City, SimPerson,
    people::Living,
    rng::{Rng, Seed, Topic},
};
use wire::Wire;

/// Kinds of devices people have at home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A watch with a button.
    Watch,
    /// A button at the bed, over the gateway.
    Button,
    /// A motion sensor, over the gateway.
    Motion,
    /// A water meter, read out by the gateway.
    Meter,
    /// The smoke heads of a house behind one transmission device.
    Smoke,
}

/// What is wrong with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing.
    Sound,
    /// The battery dies in the middle of the period.
    Dies,
    /// The battery was dead before it began.
    Dead,
    /// The clock stands in the year 2000.
    Clock2000,
    /// The clock runs in the year 2099.
    Clock2099,
    /// Frames come twice or thrice.
    Repeats,
    /// Frames come hours late, in any order.
    Late,
}

/// A device somebody has.
#[derive(Debug, Clone, PartialEq)]
pub struct SimDevice {
    /// Place in the list of devices.
    pub index: u32,
    /// Whose it is.
    pub person: u32,
    /// Village of the home, 12 digits.
    pub region: i64,
    /// What it is.
    pub kind: Kind,
    /// The number it calls itself by on the wire.
    pub serial: String,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// A frame on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// When it arrives.
    pub at: At,
    /// Which device, by its index.
    pub device: u32,
    /// What goes over the wire.
    pub wire: Wire,
}

/// What really happened to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Happening {
    /// Pressed the button.
    Press,
    /// Fell.
    Fall,
    /// Fire in the house.
    Fire,
}

/// One thing that really happened. However often it is sent, it is one incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happened {
    /// What.
    pub what: Happening,
    /// When.
    pub at: At,
    /// Which device told it.
    pub device: u32,
}

/// A period as its devices sent it.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    /// Frames in the order they arrive.
    pub sent: Vec<Sent>,
    /// What happened, in order.
    pub happened: Vec<Happened>,
    /// People who live alone and of whom no device told anything in the last 48 hours of the period.
    pub unseen: Vec<u32>,
}

/// Nobody heard of for so long must be looked for.
pub const UNSEEN_HOURS: i64 = 48;
/// What comes later than this is history.
pub const LATE_HOURS_MAX: i64 = 72;

/// Who has devices: some of the elders who live alone, a few of the others; each of them one to three.
pub fn issued(city: &City) -> Vec<SimDevice> {
    let mut devices = Vec::new();
    for person in city.people() {
        let mut rng = Seed(city.spec.seed).stream(Topic::Devices, u64::from(person.index));
        let alone = person.living == Living::Alone;
        if person.living == Living::InCareInstitution || !rng.chance(if alone { 60 } else { 3 }) {
            continue;
        }
        let kinds: &[Kind] = match rng.below(6) {
            0 => &[Kind::Watch],
            1 => &[Kind::Watch, Kind::Meter],
            2 => &[Kind::Button, Kind::Motion],
            3 => &[Kind::Button, Kind::Motion, Kind::Meter],
            4 => &[Kind::Button, Kind::Smoke],
            _ => &[Kind::Motion, Kind::Meter],
        };
        // A dead battery at home is often not the only one.
        let flaw = flaw(&mut rng);
        for kind in kinds {
            let flaw = if flaw == Flaw::Dead || rng.chance(700) { flaw } else { Flaw::Sound };
            devices.push(device(devices.len(), &person, *kind, flaw));
        }
    }
    devices
}

fn device(index: usize, person: &SimPerson, kind: Kind, flaw: Flaw) -> SimDevice {
    let index = u32::try_from(index).expect("a city has fewer devices than people times three");
    let serial = match kind {
        // Ten digits of a block no maker has.
        Kind::Watch => format!("99{index:08}"),
        Kind::Meter => format!("{:014}", 99_000_000_000_000_u64 + u64::from(index)),
        Kind::Smoke => format!("9900{index:08}"),
        Kind::Button => format!("SOS-{index:06}"),
        Kind::Motion => format!("PIR-{index:06}"),
    };
    SimDevice { index, person: person.index, region: person.residence, kind, serial, flaw }
}

fn flaw(rng: &mut Rng) -> Flaw {
    const FLAWS: [(u32, Flaw); 7] = [
        (700, Flaw::Sound),
        (40, Flaw::Dies),
        (40, Flaw::Dead),
        (70, Flaw::Clock2000),
        (60, Flaw::Clock2099),
        (50, Flaw::Repeats),
        (40, Flaw::Late),
    ];
    FLAWS[rng.weighted(&FLAWS.map(|(weight, _)| weight))].1
}

/// What the devices send from `from` on, for so many hours.
pub fn period(city: &City, devices: &[SimDevice], from: At, hours: u32) -> Period {
    let until = from.plus_minutes(i64::from(hours) * 60);
    let mut period = Period { sent: Vec::new(), happened: Vec::new(), unseen: Vec::new() };
    for device in devices {
        day::of_device(city, device, (from, until), &mut period);
    }
    period.sent.sort_by_key(|sent| (sent.at, sent.device));
    period.happened.sort_by_key(|happened| (happened.at, happened.device));
    period.unseen = unseen(city, devices, &period.sent, until);
    period
}

/// Whom nobody heard of: what a device sends of itself (a heartbeat) does not tell that somebody is well, but a device
/// that is silent tells it even less.
fn unseen(city: &City, devices: &[SimDevice], sent: &[Sent], until: At) -> Vec<u32> {
    let since = until.plus_minutes(-UNSEEN_HOURS * 60);
    let mut heard = vec![false; devices.len()];
    for frame in sent.iter().filter(|frame| frame.at >= since && frame.at < until) {
        heard[frame.device as usize] = true;
    }
    let mut people: Vec<u32> = devices.iter().map(|device| device.person).collect();
    people.dedup();
    let silent = |person: &u32| {
        let mut own = devices.iter().filter(|device| device.person == *person);
        own.all(|device| !heard[device.index as usize])
    };
    people.retain(|person| city.person(*person).living == Living::Alone && silent(person));
    people
}
