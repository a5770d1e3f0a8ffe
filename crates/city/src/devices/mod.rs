//! Devices of simulated elders: what they send, with all the faults real ones have, and what really happened.
//!
//! Each frame is written for the wire by encoders of our own ([`wire`]), which share no code with the decoders. Batteries
//! die, clocks stand in the year 2000 or 2099, frames come twice, late by up to 72 hours and in the wrong order, some
//! devices babble rubbish between their frames, a maker's platform falls silent, and a house on fire tells of itself
//! again and again. The truth says which presses, falls and fires there were and whom nobody has heard of: what a
//! platform finds can be held against it. INVARIANT: the same city and period send the same bytes.

mod day;
mod issue;
mod storm;
mod truth;
pub mod wire;

use domain::{
    signals::device::{DeviceKind, Protocol},
    time::At,
};

use crate::City;
pub use issue::{Gateway, gateways, issued};
pub use storm::{Outage, Storms, outages};
pub use truth::{Contact, contacts, forgotten};
use wire::Wire;

/// Kinds of devices people have at home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A watch with a button.
    Watch,
    /// A button at the bed.
    Button,
    /// A motion sensor.
    Motion,
    /// A water meter, read out by its gateway.
    Meter,
    /// The smoke heads of a house behind one transmission device.
    Smoke,
    /// A care phone with a pendant.
    Unit,
}

impl Kind {
    /// What the platform calls it.
    pub fn device(self) -> DeviceKind {
        match self {
            Kind::Watch => DeviceKind::Watch,
            Kind::Button => DeviceKind::Sos,
            Kind::Motion => DeviceKind::Motion,
            Kind::Meter => DeviceKind::Meter,
            Kind::Smoke => DeviceKind::Fire,
            Kind::Unit => DeviceKind::Unit,
        }
    }

    /// What it speaks.
    pub fn protocol(self) -> Protocol {
        self.device().protocol()
    }

    /// Minutes between two beats.
    pub fn beat_minutes(self) -> i64 {
        match self {
            Kind::Watch => 8,
            Kind::Motion => 30,
            Kind::Button | Kind::Meter | Kind::Unit => 60,
            Kind::Smoke => 120,
        }
    }

    /// Seconds within which the platform should hear of it again: some beats may be lost on the way.
    pub fn patience_seconds(self) -> i64 {
        match self {
            Kind::Watch => 30 * 60,
            Kind::Motion => 2 * 3_600,
            Kind::Button | Kind::Unit => 4 * 3_600,
            Kind::Smoke => 6 * 3_600,
            Kind::Meter => 24 * 3_600,
        }
    }

    /// Where it is at home.
    pub fn place(self) -> &'static str {
        match self {
            Kind::Watch => "随身佩戴",
            Kind::Button => "卧室床头",
            Kind::Motion => "客厅",
            Kind::Meter => "楼道水表间",
            Kind::Smoke => "厨房",
            Kind::Unit => "客厅电话旁",
        }
    }
}

/// What is wrong with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing.
    Sound,
    /// The battery dies, within days before or after the city's day.
    Dies,
    /// The battery was dead long before.
    Dead,
    /// The clock stands in the year 2000.
    Clock2000,
    /// The clock runs in the year 2099.
    Clock2099,
    /// Frames come twice or thrice.
    Repeats,
    /// Frames come hours late, in any order.
    Late,
    /// Rubbish comes between its frames.
    Babbles,
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
    /// Longitude and latitude of the home.
    pub home: (f64, f64),
    /// What it is.
    pub kind: Kind,
    /// Who makes it.
    pub vendor: &'static str,
    /// The number it calls itself by on the wire.
    pub serial: String,
    /// The gateway that speaks for it; one without speaks for itself.
    pub gateway: Option<String>,
    /// What is wrong with it.
    pub flaw: Flaw,
    /// Since when it has been silent for good, or will be.
    pub dies: Option<At>,
}

impl SimDevice {
    /// Whether it lives at that moment.
    pub fn lives(&self, at: At) -> bool {
        self.dies.is_none_or(|dies| at < dies)
    }

    /// Percent left in its battery. What hangs on the mains is full.
    pub fn battery(&self, at: At) -> u8 {
        if matches!(self.kind, Kind::Smoke | Kind::Unit) {
            return 100;
        }
        match self.dies {
            // The last week goes fast.
            Some(dies) => (dies.minutes_since(at) / 60).clamp(2, 60) as u8,
            None if self.index % 19 == 7 => 9 + (self.index % 9) as u8,
            None => 98 - (self.index * 7 % 64) as u8,
        }
    }
}

/// A frame on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// When it arrives.
    pub at: At,
    /// When it was made.
    pub made: At,
    /// Which device, by its index.
    pub device: u32,
    /// What it tells of, if something happened.
    pub tells: Option<Happening>,
    /// Whether somebody must be well for it to be sent.
    pub life: bool,
    /// Whether it means nothing.
    pub rubbish: bool,
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
    /// When it is first heard of.
    pub heard: At,
    /// Which device told it.
    pub device: u32,
}

/// A period as its devices sent it.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    /// Frames in the order they arrive. Late ones arrive after its end.
    pub sent: Vec<Sent>,
    /// What happened, in order.
    pub happened: Vec<Happened>,
    /// When whole makers were silent.
    pub outages: Vec<Outage>,
    /// What was seen of those who have devices without any device.
    pub seen: Vec<Contact>,
    /// People who live alone and whom nobody and no device saw in the last 48 hours of the period.
    pub unseen: Vec<u32>,
}

/// What of a period is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// It begins.
    pub from: At,
    /// For so many minutes.
    pub minutes: i64,
    /// How many times as much happens as in life.
    pub pace: f64,
    /// Whether there are storms, and how often.
    pub storms: Option<Storms>,
}

impl Plan {
    /// Hours as they are in life.
    pub fn hours(from: At, hours: i64) -> Plan {
        Plan { from, minutes: hours * 60, pace: 1.0, storms: None }
    }

    /// It ends.
    pub fn until(&self) -> At {
        self.from.plus_minutes(self.minutes)
    }
}

/// Nobody heard of for so long must be looked for.
pub const UNSEEN_HOURS: i64 = 48;
/// What comes later than this is history.
pub const LATE_HOURS_MAX: i64 = 72;

/// What happens to all devices together in a week of ordinary life, on average.
pub fn happenings_a_week(devices: &[SimDevice]) -> f64 {
    devices.iter().flat_map(|device| day::rates(device.kind)).map(|(_, rate)| rate).sum()
}

/// What the devices send.
pub fn period(city: &City, devices: &[SimDevice], plan: Plan) -> Period {
    let until = plan.until();
    let mut period = Period {
        sent: Vec::new(),
        happened: Vec::new(),
        outages: plan.storms.map_or_else(Vec::new, |storms| outages(city, storms, plan.from, until)),
        seen: Vec::new(),
        unseen: Vec::new(),
    };
    let stormy = plan.storms.map_or_else(Vec::new, |storms| storm::fires(city, devices, storms, plan));
    for device in devices {
        day::of_device(city, device, plan, &stormy, &mut period);
    }
    period.sent.sort_by_key(|sent| (sent.at, sent.device));
    period.happened.sort_by_key(|happened| (happened.at, happened.device));
    let left = forgotten(city, devices);
    let mut people: Vec<u32> = devices.iter().map(|device| device.person).collect();
    people.dedup();
    let since = until.plus_minutes(-UNSEEN_HOURS * 60).min(plan.from);
    for person in &people {
        period.seen.extend(contacts(city, *person, left.get(person).copied(), (since, until)));
    }
    period.unseen = truth::unseen(city, devices, &period, until, people);
    period
}
