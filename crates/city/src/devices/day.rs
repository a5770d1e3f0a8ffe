//! What one device sends: its beats, what happens to its owner, and how its flaw changes both.

use domain::time::At;

use super::{
    Flaw, Happened, Happening, Kind, LATE_HOURS_MAX, Period, Plan, Sent, SimDevice,
    storm::Stormy,
    wire::{self, Wire},
};
use crate::{
    City,
    rng::{Rng, Seed, Topic},
};

/// Frames of one fire: each head of the house tells of it.
const FIRE_FRAMES: i64 = 5;
/// Seconds between them.
const FIRE_EVERY: i64 = 10;

/// Seconds between two presses that are two.
const PAUSE: i64 = 300;

/// What happens with a device of that kind, and how often in a week.
pub(super) fn rates(kind: Kind) -> &'static [(Happening, f64)] {
    match kind {
        Kind::Watch => &[(Happening::Press, 0.4), (Happening::Fall, 0.1)],
        Kind::Button | Kind::Unit => &[(Happening::Press, 0.5)],
        Kind::Smoke => &[(Happening::Fire, 0.05)],
        Kind::Motion | Kind::Meter => &[],
    }
}

/// One device over the period.
pub(super) fn of_device(city: &City, device: &SimDevice, plan: Plan, stormy: &Stormy, period: &mut Period) {
    let (from, until) = (plan.from, plan.until());
    let ends = device.dies.map_or(until, |dies| dies.min(until));
    if ends <= from {
        return;
    }
    let begins = from.0.div_euclid(60_000_000).unsigned_abs();
    let stream = u64::from(device.index) << 32 ^ begins;
    let mut rng = Seed(city.spec.seed).stream(Topic::DeviceDays, stream);
    let mut line = Line { device, rng: rng.clone(), period };

    // Beats stand on a grid of their own, so that periods that follow each other fit together.
    let every = device.kind.beat_minutes() * 60_000_000;
    let offset = i64::from(device.index) * 7_919_000_000 % every;
    let mut at = At((from.0 - offset).div_euclid(every) * every + offset + every);
    while at < ends {
        line.beat(at);
        at = At(at.0 + every);
    }
    let storms: Vec<_> = stormy.iter().filter(|(index, ..)| *index == device.index).collect();
    for (_, what, at) in &storms {
        if *at < ends {
            line.happens(*what, *at);
        }
    }
    if !storms.is_empty() {
        return;
    }
    let weeks = plan.minutes.max(1) as f64 / (7.0 * 24.0 * 60.0);
    for (what, a_week) in rates(device.kind) {
        let wanted = a_week * weeks * plan.pace;
        let times = wanted.floor() as i64 + i64::from(rng.fraction() < wanted.fract());
        for n in 0..times {
            // Each in a span of its own with a pause behind it, so that no two are one press.
            let span = plan.minutes * 60 / times;
            let after = n * span + (rng.fraction() * (span - PAUSE.min(span / 2)) as f64) as i64;
            let at = from.plus_seconds(after);
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
    period: &'a mut Period,
}

/// Whether people are up.
fn awake(at: At) -> bool {
    (6..22).contains(&at.local().hour())
}

/// A counter that no two frames of a device share, without anything to be remembered.
fn seq(at: At) -> u32 {
    (at.0.div_euclid(5_000_000) & 0x7fff_ffff) as u32
}

/// What a meter has counted, in litres: so many a day since it was new, between getting up and going to bed.
fn litres(device: &SimDevice, at: At) -> u32 {
    let daily = 80 + i64::from(device.index % 9) * 15;
    let local = at.local();
    let days = at.0.div_euclid(86_400_000_000) - 20_000;
    let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
    // The day of the counter begins when the day of the clock does, which is eight hours before that of the world.
    let today = if local.hour() < 8 { 1 } else { 0 };
    let up = (minute - 6 * 60).clamp(0, 16 * 60);
    ((days + today) * daily + daily * up / (16 * 60)).max(0) as u32
}

impl Line<'_> {
    fn beat(&mut self, at: At) {
        let device = self.device;
        let (serial, clock, seq) = (&device.serial, self.clock(at), seq(at));
        let battery = u32::from(device.battery(at));
        let turn = at.0.div_euclid(device.kind.beat_minutes() * 60_000_000);
        let (wire, life) = match device.kind {
            Kind::Watch if turn % 5 == 0 => {
                (wire::watch_position(serial, clock, battery, ("UD", 0), device.home), false)
            }
            Kind::Watch if turn % 5 == 2 && awake(at) => {
                (wire::watch_pulse(serial, 58 + self.rng.below(30)), true)
            }
            Kind::Watch => (wire::watch_beat(serial, seq % 9_000, battery), false),
            Kind::Button => (wire::state(self.county(), "sos", serial, clock, seq, battery), false),
            Kind::Motion => {
                let moved = awake(at) && self.rng.chance(700);
                (wire::motion(self.county(), serial, clock, seq, battery, moved), moved)
            }
            Kind::Meter => {
                let now = litres(device, at);
                let used = now / 10 > litres(device, at.plus_minutes(-device.kind.beat_minutes())) / 10;
                (wire::meter(self.county(), serial, clock, seq, now), used)
            }
            Kind::Smoke => (wire::fire_device_state(serial, clock, seq as u16), false),
            Kind::Unit => (wire::unit(serial, seq, false), false),
        };
        let late = self.late();
        self.send(at, wire, None, life, late);
        if device.flaw == Flaw::Babbles && self.rng.chance(300) {
            let wire = wire::rubbish(device.kind, self.county(), serial, &mut self.rng);
            self.period.sent.push(Sent {
                at: at.plus_seconds(3),
                made: at,
                device: device.index,
                tells: None,
                life: false,
                rubbish: true,
                wire,
            });
        }
    }

    fn happens(&mut self, what: Happening, at: At) {
        let before = self.period.sent.len();
        self.tells(what, at);
        // The first to arrive may be any of them.
        let told = &self.period.sent[before..];
        let Some(heard) = told.iter().map(|sent| sent.at).min() else { return };
        self.period.happened.push(Happened { what, at, heard, device: self.device.index });
    }

    fn tells(&mut self, what: Happening, at: At) {
        let device = self.device;
        let (serial, clock, seq) = (&device.serial, self.clock(at), seq(at));
        let (battery, late) = (u32::from(device.battery(at)), self.late());
        if what == Happening::Fire {
            for n in 0..FIRE_FRAMES {
                let at = at.plus_seconds(n * FIRE_EVERY);
                let wire = wire::smoke(serial, self.clock(at), (seq as u16).wrapping_add(2 * n as u16));
                self.send(at, wire, Some(what), false, late);
            }
            return;
        }
        let wire = match (what, device.kind) {
            (Happening::Fall, _) => {
                wire::watch_position(serial, clock, battery, ("AL", 1 << 21), device.home)
            }
            (_, Kind::Watch) => wire::watch_position(serial, clock, battery, ("AL", 1 << 16), device.home),
            (_, Kind::Unit) => wire::unit(serial, seq, true),
            _ => wire::press(self.county(), serial, clock, seq),
        };
        self.send(at, wire, Some(what), false, late);
    }

    /// Seconds for which the device has no network, so that whatever it tells of one thing comes together.
    fn late(&mut self) -> i64 {
        // A care phone hangs on the telephone line and tells no time: it is heard at once or not at all.
        let may_wait = self.device.kind != Kind::Unit;
        if self.device.flaw != Flaw::Late || !may_wait || !self.rng.chance(250) {
            return 0;
        }
        i64::from(self.rng.below(LATE_HOURS_MAX as u32 * 3_600 - 7_200))
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

    /// Sends a frame, as often and as late as the flaw makes it, unless the maker's platform is down: then a watch tries
    /// an alarm again when it is back, and its beats are lost.
    fn send(&mut self, made: At, wire: Wire, tells: Option<Happening>, life: bool, late: i64) {
        let mut at = made.plus_seconds(late + i64::from(self.rng.below(3)));
        let vendor = self.device.vendor;
        if let Some(outage) = self.period.outages.iter().find(|outage| outage.swallows(vendor, at)) {
            if tells.is_none() {
                return;
            }
            at = outage.until.plus_seconds(i64::from(self.rng.below(60)));
        }
        let times = if self.device.flaw == Flaw::Repeats { self.rng.between(1, 3) } else { 1 };
        let device = self.device.index;
        for again in 0..times {
            let at = at.plus_seconds(i64::from(again) * 5);
            let wire = wire.clone();
            self.period.sent.push(Sent { at, made, device, tells, life, rubbish: false, wire });
        }
    }
}
