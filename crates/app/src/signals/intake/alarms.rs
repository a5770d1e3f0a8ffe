//! Alarms into incidents: the frame as it came and the incident it opens, in one transaction, before all others.

use std::sync::{Arc, Mutex, atomic::Ordering};

use domain::{
    ids::DeviceId,
    signals::{
        alarm,
        incident::{IncidentKind, Level},
        sighting::SightingKind,
    },
    time::{At, Now},
};

use super::{AlarmFrame, Done, Inner, NotTaken, lock, sql};
use crate::{
    signals::{
        devices::{self, Seen},
        incidents::{self, Opening},
    },
    store::{Fault, FaultKind, Tx, digest},
};

/// Alarms in one command. 64: some ten milliseconds of the writer's time.
const ALARMS_MAX: usize = 64;
/// What cannot prove itself opens one incident for each name, kind and ten minutes, so that nobody can flood the desk.
const UNVERIFIED_MINUTES: i64 = 10;
/// So many of them in that time; the rest stand on one card.
const STRANGERS_MAX: u32 = 50;

/// News for open pages: the disk is full, and has room again.
const FULL: &str = "intake.full";
const ROOM: &str = "intake.room";

type Taken = Vec<(Vec<AlarmFrame>, Done)>;

/// Sends one command on its way that takes what waits by then.
pub(super) fn write(inner: &Arc<Inner>) {
    write_these(inner, None);
}

fn write_these(inner: &Arc<Inner>, these: Option<Taken>) {
    let taken = Arc::new(Mutex::new(these));
    let (here, there) = (Arc::clone(inner), Arc::clone(&taken));
    let after = Arc::clone(inner);
    inner.store.write_first_then(
        move |tx| {
            let mut taken = lock(&there);
            let group = taken.get_or_insert_with(|| here.next_alarms());
            let now = (here.clock)();
            for alarm in group.iter().flat_map(|(alarms, _)| alarms) {
                store(tx, &here, alarm, now)?;
            }
            Ok(())
        },
        move |answer| {
            let group = lock(&taken).take().unwrap_or_default();
            after.answer_alarms(group, answer);
        },
    );
}

impl Inner {
    fn next_alarms(self: &Arc<Self>) -> Taken {
        let mut queue = lock(&self.alarms);
        let (mut taken, mut count) = (Vec::new(), 0);
        while count < ALARMS_MAX
            && let Some(next) = queue.waiting.pop_front()
        {
            count += next.0.len();
            taken.push(next);
        }
        queue.scheduled = !queue.waiting.is_empty();
        let more = queue.scheduled;
        drop(queue);
        if more {
            write(self);
        }
        taken
    }

    fn answer_alarms(self: &Arc<Self>, group: Taken, answer: Result<(), Fault>) {
        match answer {
            Ok(()) => {
                let mut gathered = lock(&self.gathered);
                for alarm in group.iter().flat_map(|(alarms, _)| alarms).filter(|alarm| alarm.verified) {
                    if let (Some(person), Some(trace)) = (alarm.person, trace(alarm.kind)) {
                        gathered.traced(person, alarm.received_at, trace);
                    }
                }
                drop(gathered);
                for (alarms, done) in group {
                    self.counts.alarms.fetch_add(alarms.len() as u64, Ordering::Relaxed);
                    done(Ok(()));
                }
            }
            Err(fault) => {
                tracing::error!(%fault, alarms = group.len(), "alarms were not stored");
                self.not_stored(group, &fault);
            }
        }
    }

    /// A full disk is no reason to lose an alarm: it waits for the space that is given up, and the keeper tries again
    /// each second. One that cannot be stored for another reason must not take the others of its group with it.
    fn not_stored(self: &Arc<Self>, mut group: Taken, fault: &Fault) {
        if fault.kind == FaultKind::Full {
            let gave = self.found_full();
            let mut queue = lock(&self.alarms);
            group.into_iter().rev().for_each(|one| queue.waiting.push_front(one));
            drop(queue);
            if gave {
                self.again();
            }
        } else if group.len() > 1 {
            group.into_iter().for_each(|one| write_these(self, Some(vec![one])));
        } else if let Some((_, done)) = group.pop() {
            done(Err(NotTaken::Broken));
        }
    }

    /// Tries again what waits because the disk was full.
    pub(super) fn again(self: &Arc<Self>) {
        let mut queue = lock(&self.alarms);
        if !queue.waiting.is_empty() && !std::mem::replace(&mut queue.scheduled, true) {
            drop(queue);
            write(self);
        }
    }
}

/// The trace of life an alarm leaves: somebody pressed, somebody got up.
fn trace(kind: IncidentKind) -> Option<SightingKind> {
    match kind {
        IncidentKind::Sos => Some(SightingKind::Button),
        IncidentKind::Bed => Some(SightingKind::Motion),
        _ => None,
    }
}

/// The same for the same event: by the device's counter or clock, by the moment of arrival when it has neither. What is
/// not proved has names of its own, so that nobody can take a true alarm's place beforehand.
fn key(alarm: &AlarmFrame) -> String {
    let AlarmFrame { serial, received_at, .. } = alarm;
    let kind = alarm.kind.code();
    if !alarm.verified {
        return format!("unverified:{serial}:{kind}:{}", received_at.0 / (UNVERIFIED_MINUTES * 60_000_000));
    }
    match (alarm.seq, alarm.device_at) {
        (None, None) => format!("{serial}:{kind}:received:{}", received_at.0),
        (seq, at) => {
            let word = |n: Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
            format!("{serial}:{kind}:{}:{}", word(seq), word(at.map(|at| at.0)))
        }
    }
}

fn store(tx: &mut Tx<'_>, inner: &Inner, alarm: &AlarmFrame, now: Now) -> Result<(), Fault> {
    let key = key(alarm);
    let id = tx.id(now);
    let code: [u8; 16] = digest(&[b"alarm", key.as_bytes()])[..16].try_into().expect("32 bytes hold 16");
    if !sql::insert_alarm(tx, id, code, alarm)? {
        return Ok(());
    }
    let opening = opening(inner, alarm, key);
    // A device that is known and only cannot prove itself always has a card of its own: somebody lives there.
    let stranger = !alarm.verified && alarm.device.is_none();
    let opened = if stranger && lock(&inner.strangers).crowded(alarm.received_at) {
        let lane = format!("unverified:{}:{}:{}", opening.region, opening.kind.code(), opening.level.code());
        incidents::open_among(tx, &opening, &lane, now)?
    } else {
        incidents::open(tx, &opening, now)?
    };
    if let Some(device) = alarm.device.filter(|_| alarm.verified) {
        devices::saw(tx, &[Seen { device, at: alarm.received_at, battery: alarm.battery.map(i64::from) }])?;
    }
    sql::set_incident(tx, id, opened.id)
}

/// How many alarms of senders that proved nothing opened an incident of their own in these ten minutes.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    window: i64,
    count: u32,
}

impl Strangers {
    /// Whether there are too many for a card each. Anybody can send such alarms without end; none is dropped, but what
    /// goes beyond is told on one card, so that the true ones stay in sight.
    fn crowded(&mut self, at: At) -> bool {
        let window = at.0 / (UNVERIFIED_MINUTES * 60_000_000);
        if window != self.window {
            *self = Strangers { window, count: 0 };
        }
        self.count = self.count.saturating_add(1);
        self.count > STRANGERS_MAX
    }
}

fn opening(inner: &Inner, alarm: &AlarmFrame, key: String) -> Opening {
    let pressed_at = alarm::pressed_at(alarm.device_at, alarm.received_at);
    Opening {
        kind: alarm.kind,
        level: alarm.level,
        person: alarm.person,
        // A device that is not proved is named in the text only.
        device: alarm.device.filter(|_| alarm.verified),
        region: alarm.region.unwrap_or(inner.home),
        pressed_at,
        received_at: alarm.received_at,
        verified: alarm.verified,
        text: text(alarm),
        key,
    }
}

fn text(alarm: &AlarmFrame) -> String {
    let mut text = format!("{}，设备 {}", alarm.kind.label(), alarm.serial);
    if !alarm.text.is_empty() {
        text = format!("{text}，{}", alarm.text);
    }
    if let Some(at) = alarm.device_at
        && alarm::pressed_at(Some(at), alarm.received_at).is_none()
    {
        text.push_str("，设备时钟不可信");
    }
    if !alarm.verified {
        text.push_str("，设备身份未核实");
    }
    text
}

/// Opens the incident that says the disk is full. It is small, and the space given up is there for such things.
pub(super) fn say_full(inner: &Arc<Inner>) {
    let home = inner.home;
    let (here, after) = (Arc::clone(inner), Arc::clone(inner));
    inner.store.write_first_then(
        move |tx| {
            let now = (here.clock)();
            let opening = Opening {
                kind: IncidentKind::DeviceFault,
                level: Level::P2,
                person: None,
                device: None::<DeviceId>,
                region: home,
                pressed_at: None,
                received_at: now.0,
                verified: true,
                text: "服务器磁盘已满：报警照常接收，普通读数暂不接收，设备会稍后重发。请尽快清理磁盘"
                    .to_owned(),
                key: format!("disk-full:{}", now.0.0 / 3_600_000_000),
            };
            incidents::open(tx, &opening, now)?;
            tx.tell(now, FULL, home, 0, "{}")
        },
        move |answer: Result<(), Fault>| match answer {
            Ok(()) => after.told_full.store(true, Ordering::Relaxed),
            Err(fault) if fault.kind == FaultKind::Full => {}
            Err(fault) => tracing::error!(%fault, "the full disk could not be told"),
        },
    );
}

/// Tells open pages that there is room again.
pub(super) fn say_room(inner: &Arc<Inner>) {
    let (home, now) = (inner.home, (inner.clock)());
    inner.store.write_first_then(
        move |tx| tx.tell(now, ROOM, home, 0, "{}"),
        |answer: Result<(), Fault>| {
            if let Err(fault) = answer {
                tracing::error!(%fault, "the room on the disk could not be told");
            }
        },
    );
}
