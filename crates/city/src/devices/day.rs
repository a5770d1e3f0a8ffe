//! What one device sends: its beats, what happens to its owner, and how its flaw changes both.

use domain::time::At;

use super::{
    Flaw, Happened, Happening, Kind, LATE_HOURS_MAX, Period, Sent, SimDevice,
    wire::{self, Wire},
};
use crate::{
    City,
    rng::{Rng, Seed, Topic},
};

/// Minutes between two beats.
fn beat_minutes(kind: Kind) -> i64 {
    match kind {
        Kind::Watch => 8,
        Kind::Motion => 30,
        Kind::Button | Kind::Meter => 60,
        Kind::Smoke => 120,
    }
}

/// One device over the period.
pub(super) fn of_device(city: &City, device: &SimDevice, (from, until): (At, At), period: &mut Period) {
    if device.flaw == Flaw::Dead {
        return;
    }
    let begins = from.0.div_euclid(60_000_000).unsigned_abs();
    let stream = u64::from(device.index) << 32 ^ begins;
    let mut rng = Seed(city.spec.seed).stream(Topic::DeviceDays, stream);
    let minutes = until.minutes_since(from);
    let ends = if device.flaw == Flaw::Dies { from.plus_minutes(minutes / 2) } else { until };
    let mut line = Line { device, rng: rng.clone(), seq: 0, litres: rng.below(900_000), period };

    let mut at = from.plus_seconds(i64::from(rng.below(3_600)));
    while at < ends {
        line.beat(at);
        at = at.plus_minutes(beat_minutes(device.kind)).plus_seconds(i64::from(rng.between(-60, 60)));
    }
    let of_week = minutes.max(1) as f64 / (7.0 * 24.0 * 60.0);
    let happenings: &[(Happening, f64)] = match device.kind {
        Kind::Watch => &[(Happening::Press, 0.4), (Happening::Fall, 0.1)],
        Kind::Button => &[(Happening::Press, 0.5)],
        Kind::Smoke => &[(Happening::Fire, 0.05)],
        Kind::Motion | Kind::Meter => &[],
    };
    for (what, a_week) in happenings {
        if rng.fraction() < a_week * of_week {
            let after = (rng.fraction() * minutes as f64) as i64;
            let at = from.plus_minutes(after).plus_seconds(i64::from(rng.below(60)));
            if at < ends {
                line.happens(*what, at);
            }
        }
    }
}

/// A device at work.
struct Line<'a> {
    device: &'a SimDevice,
    rng: Rng,
    seq: u32,
    litres: u32,
    period: &'a mut Period,
}

impl Line<'_> {
    fn beat(&mut self, at: At) {
        let (serial, clock) = (&self.device.serial, self.clock(at));
        self.seq += 1;
        let battery = 100 - (self.seq / 40).min(90);
        let wire = match self.device.kind {
            Kind::Watch if self.seq.is_multiple_of(5) => {
                wire::watch_position(serial, clock, battery, "UD", 0)
            }
            Kind::Watch => wire::watch_beat(serial, self.seq * 7, battery),
            Kind::Button => wire::state(self.county(), "sos", serial, clock, self.seq, battery),
            Kind::Motion => wire::motion(self.county(), serial, clock, self.seq, self.rng.chance(600)),
            Kind::Meter => {
                self.litres += self.rng.below(25);
                wire::meter(serial, clock, self.litres)
            }
            Kind::Smoke => wire::fire_device_state(serial, clock, self.seq as u16),
        };
        self.send(at, wire);
    }

    fn happens(&mut self, what: Happening, at: At) {
        let (serial, clock) = (&self.device.serial, self.clock(at));
        self.seq += 1;
        let wire = match (what, self.device.kind) {
            (Happening::Fire, _) => wire::smoke(serial, clock, self.seq as u16),
            (Happening::Fall, _) => wire::watch_position(serial, clock, 80, "AL", 1 << 21),
            (Happening::Press, Kind::Watch) => wire::watch_position(serial, clock, 80, "AL", 1 << 16),
            (Happening::Press, _) => wire::press(self.county(), serial, clock, self.seq),
        };
        self.send(at, wire);
        self.period.happened.push(Happened { what, at, device: self.device.index });
    }

    /// What the device believes the time to be.
    fn clock(&self, at: At) -> At {
        let years = |to: i16| {
            let local = at.local();
            // 2000 and 2096 are leap years, so the 29th of February moves by a day at most.
            let date = jiff::civil::Date::new(to, local.month(), local.day().min(28));
            date.map_or(at, |date| At::from_local(date.to_datetime(local.time())))
        };
        match self.device.flaw {
            Flaw::Clock2000 => years(2000),
            Flaw::Clock2099 => years(2099),
            _ => at,
        }
    }

    fn county(&self) -> i64 {
        self.device.region / 1_000_000
    }

    /// Sends a frame, as often and as late as the flaw makes it.
    fn send(&mut self, at: At, wire: Wire) {
        let mut arrives = at.plus_seconds(i64::from(self.rng.below(3)));
        if self.device.flaw == Flaw::Late && self.rng.chance(400) {
            arrives = arrives.plus_seconds(i64::from(self.rng.below(LATE_HOURS_MAX as u32 * 3_600 - 60)));
        }
        let times = if self.device.flaw == Flaw::Repeats { self.rng.between(1, 3) } else { 1 };
        for again in 0..times {
            let at = arrives.plus_seconds(i64::from(again) * 5);
            self.period.sent.push(Sent { at, device: self.device.index, wire: wire.clone() });
        }
    }
}
