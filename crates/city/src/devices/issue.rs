//! Who has which devices, what is wrong with them, and through what they speak.

use domain::time::At;

use super::{Flaw, Kind, SimDevice};
use crate::{
    City, SimPerson,
    people::Living,
    rng::{Rng, Seed, Topic},
    seed::Stage,
};

/// Devices of one city at most: what a desk of two operators can answer for. A larger city has them where the personas
/// work, and its other elders have none yet.
const DEVICES_MAX: usize = 1_200;
/// Elders of the personas' own village whom nobody hears of, so that its community worker has a door to knock at.
const FORGOTTEN_NEAR: u32 = 2;
/// MQTT devices of which one in so many speaks for itself, and wakes up only for that.
const ON_ITS_OWN: u32 = 5;

/// A gateway of a county that speaks for the devices of many homes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// What it calls itself.
    pub serial: String,
    /// Its county, 12 digits.
    pub region: i64,
    /// Who makes it.
    pub vendor: &'static str,
}

/// Makers, none of which exists.
const GREEN: &str = "青禾（模拟厂商）";
const NORTH: &str = "北辰（模拟厂商）";
const BRIDGE: &str = "长桥（模拟厂商）";
/// Makes watches only; its platform is the one that fails.
pub(super) const FIELD: &str = "星野（模拟厂商）";

/// Who has devices: some of the elders who live alone, a few of the others; each of them one to three.
pub fn issued(city: &City) -> Vec<SimDevice> {
    let (near, stage) = (city.near(), Stage::of(city));
    let mut devices = Vec::new();
    let mut left = FORGOTTEN_NEAR;
    let others = (0..near.start).chain(near.end..city.spec.people);
    for index in near.clone().chain(others) {
        if devices.len() + 3 > DEVICES_MAX {
            break;
        }
        let mut rng = Seed(city.spec.seed).stream(Topic::Devices, u64::from(index));
        // Most people have none whoever they are, and making a person costs more than this draw.
        if rng.below(1_000) >= 400 {
            continue;
        }
        let person = city.person(index);
        let here = (stage.village.lo..=stage.village.hi).contains(&person.residence);
        if person.living == Living::InCareInstitution || !rng.chance(share(&person, here)) {
            continue;
        }
        let kinds: &[Kind] = match rng.below(8) {
            0 => &[Kind::Watch],
            1 => &[Kind::Watch, Kind::Meter],
            2 => &[Kind::Button, Kind::Motion],
            3 => &[Kind::Button, Kind::Motion, Kind::Meter],
            4 => &[Kind::Button, Kind::Smoke],
            5 => &[Kind::Unit, Kind::Motion],
            6 => &[Kind::Watch, Kind::Smoke],
            _ => &[Kind::Motion, Kind::Meter],
        };
        // A dead battery at home is often not the only one.
        let mut of_home = flaw(&mut rng);
        if here && left > 0 && person.living == Living::Alone {
            (of_home, left) = (Flaw::Dead, left - 1);
        }
        for kind in kinds {
            let flaw = if of_home == Flaw::Dead || rng.chance(700) { of_home } else { Flaw::Sound };
            devices.push(device(city, devices.len(), &person, *kind, flaw, &mut rng));
        }
    }
    devices
}

/// Of a thousand, after four in ten were looked at.
fn share(person: &SimPerson, here: bool) -> u32 {
    match (person.living == Living::Alone, here) {
        (true, true) => 900,
        (true, false) => 150,
        (false, true) => 60,
        (false, false) => 8,
    }
}

fn device(city: &City, index: usize, person: &SimPerson, kind: Kind, flaw: Flaw, rng: &mut Rng) -> SimDevice {
    let index = u32::try_from(index).expect("a city has fewer devices than people times three");
    let serial = match kind {
        // Ten digits of a block no maker has.
        Kind::Watch => format!("99{index:08}"),
        Kind::Meter => format!("{:014}", 99_000_000_000_000_u64 + u64::from(index)),
        Kind::Smoke => format!("9900{index:08}"),
        Kind::Button => format!("SOS-{index:06}"),
        Kind::Motion => format!("PIR-{index:06}"),
        Kind::Unit => format!("UNIT-{index:06}"),
    };
    let vendor = match kind {
        Kind::Watch if rng.chance(300) => FIELD,
        Kind::Watch => GREEN,
        Kind::Button | Kind::Motion if rng.chance(500) => GREEN,
        Kind::Button | Kind::Motion | Kind::Meter => BRIDGE,
        Kind::Smoke | Kind::Unit => NORTH,
    };
    let county = person.residence / 1_000_000;
    let through = match kind {
        Kind::Meter => true,
        Kind::Button | Kind::Motion => !index.is_multiple_of(ON_ITS_OWN),
        Kind::Watch | Kind::Smoke | Kind::Unit => false,
    };
    let today = At::from_local(city.spec.today.into());
    let dies = match flaw {
        Flaw::Dies => Some(today.plus_minutes(i64::from(rng.between(-4 * 1_440, 2 * 1_440)))),
        Flaw::Dead => Some(today.plus_minutes(-i64::from(rng.between(9 * 1_440, 40 * 1_440)))),
        _ => None,
    };
    SimDevice {
        index,
        person: person.index,
        region: person.residence,
        home: (person.lon, person.lat),
        kind,
        vendor,
        serial,
        gateway: through.then(|| format!("GW-{county}")),
        flaw,
        dies,
    }
}

fn flaw(rng: &mut Rng) -> Flaw {
    const FLAWS: [(u32, Flaw); 8] = [
        (650, Flaw::Sound),
        (40, Flaw::Dies),
        (40, Flaw::Dead),
        (70, Flaw::Clock2000),
        (60, Flaw::Clock2099),
        (50, Flaw::Repeats),
        (40, Flaw::Late),
        (50, Flaw::Babbles),
    ];
    FLAWS[rng.weighted(&FLAWS.map(|(weight, _)| weight))].1
}

/// The gateways the devices speak through.
pub fn gateways(devices: &[SimDevice]) -> Vec<Gateway> {
    let mut all: Vec<Gateway> = devices
        .iter()
        .filter_map(|device| {
            let region = device.region / 1_000_000 * 1_000_000;
            Some(Gateway { serial: device.gateway.clone()?, region, vendor: BRIDGE })
        })
        .collect();
    all.sort_by(|a, b| a.serial.cmp(&b.serial));
    all.dedup();
    all
}
