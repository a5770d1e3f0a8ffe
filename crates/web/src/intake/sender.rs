//! Who speaks: from what a frame calls its sender to the device that is known, and from what it says to a reading or
//! alarms.

use std::sync::Arc;

use app::signals::{
    devices::Known,
    intake::{AlarmFrame, Allowed, Intake, Reading, Rejection},
    meters,
};
use domain::{
    ids::DeviceId,
    regions::RegionCode,
    signals::{
        Rejected, alarm,
        device::{DeviceKind, Protocol},
        mqtt,
        sighting::SightingKind,
        water::Count,
    },
    time::At,
};
use tokio::sync::{broadcast::error::RecvError, oneshot};

use crate::App;

/// A sender as far as it is known.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    /// What it calls itself.
    pub(crate) serial: String,
    /// The device of that serial.
    pub(crate) known: Option<Arc<Known>>,
    /// Whether it proved it.
    pub(crate) verified: bool,
    /// Where, when the message says so and nobody knows better.
    pub(crate) region: Option<RegionCode>,
}

/// What one frame says, whatever the language.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    pub(crate) seq: Option<i64>,
    pub(crate) device_at: Option<At>,
    pub(crate) battery: Option<u8>,
    /// Names of events as the decoders give them.
    pub(crate) events: Vec<String>,
    /// A trace of life beyond what the events tell.
    pub(crate) trace: Option<SightingKind>,
    /// What the desk should read beside the event.
    pub(crate) text: String,
    /// A state that is told again to whoever asks, not something that happens now.
    pub(crate) state: bool,
    /// What a meter counted.
    pub(crate) total: Option<Count>,
}

impl Said {
    /// What a decoded JSON message says; whether it is a state is for the caller to know.
    pub(crate) fn json(read: mqtt::Message) -> Said {
        let number = |name: &str| read.values.get(name).and_then(serde_json::Value::as_f64);
        let battery = number("battery").filter(|b| (0.0..=100.0).contains(b)).map(|b| b as u8);
        // A heart that beats is as good a trace as a step.
        let alive =
            ["heart_rate", "breath_rate"].into_iter().any(|name| number(name).is_some_and(|n| n > 0.0));
        Said {
            seq: read.seq,
            device_at: read.event_time.as_deref().and_then(At::parse),
            battery,
            trace: alive.then_some(SightingKind::Motion),
            text: String::new(),
            state: false,
            total: read.values.get("water_total_l").and_then(|total| Count::litres(&total.to_string())),
            events: read.events,
        }
    }
}

/// What becomes of a frame.
pub(crate) enum Becomes {
    /// A reading, and what a meter counted in it.
    Reading(Reading, Option<meters::Reading>),
    Alarms(Vec<AlarmFrame>),
    /// A reading beyond what its device may say.
    TooMany {
        /// Nobody was told within the last minute.
        say: bool,
    },
    /// Not an alarm, and nobody we may believe.
    Unproved,
}

/// `care/v1/410202/…` lies in that county.
pub(crate) fn county(topic: &str) -> Option<RegionCode> {
    topic.strip_prefix("care/v1/").and_then(|rest| RegionCode::parse(rest.get(..6)?).ok())
}

/// The device in use with this serial, from memory or else from the database.
pub(crate) async fn find(intake: &Intake, serial: &str) -> Option<Arc<Known>> {
    if let Some(known) = intake.registry().get(serial) {
        return Some(known);
    }
    let (send, receive) = oneshot::channel();
    intake.registry().learn_then(intake.store(), serial, move |found| drop(send.send(found)));
    receive.await.ok().flatten()
}

impl Sender {
    /// What becomes of a frame of this sender. `bounds` counts what it says against its share; none where a broker keeps
    /// what waits: that a backlog comes at once is not the device's haste, and what is refused there is lost.
    pub(crate) fn says(
        &self,
        bounds: Option<&Intake>,
        said: &Said,
        protocol: Protocol,
        received_at: At,
        raw: &[u8],
    ) -> Becomes {
        let alarms = if said.state { Vec::new() } else { self.alarms(said, protocol, received_at, raw) };
        if !alarms.is_empty() {
            return Becomes::Alarms(alarms);
        }
        let Some(known) = self.known.as_ref().filter(|_| self.verified) else { return Becomes::Unproved };
        match bounds.map_or(Allowed::Yes, |intake| intake.allows(known, received_at)) {
            Allowed::Yes => {}
            refused => return Becomes::TooMany { say: refused == Allowed::NoAndSay },
        }
        let trace = if said.state {
            None
        } else {
            said.trace.or_else(|| said.events.iter().find_map(|event| alarm::trace(event)))
        };
        let reading = Reading {
            device: known.id,
            person: known.person,
            protocol,
            received_at,
            device_at: said.device_at,
            seq: said.seq,
            battery: said.battery,
            trace,
        };
        Becomes::Reading(reading, counted(known, said, received_at))
    }

    fn alarms(&self, said: &Said, protocol: Protocol, received_at: At, raw: &[u8]) -> Vec<AlarmFrame> {
        let mut alarms: Vec<AlarmFrame> = Vec::new();
        for (kind, level) in said.events.iter().filter_map(|event| alarm::incident(event)) {
            if alarms.iter().any(|alarm| alarm.kind == kind) {
                continue;
            }
            let known = self.known.as_deref();
            alarms.push(AlarmFrame {
                device: known.map(|known| known.id),
                serial: self.serial.clone(),
                person: known.and_then(|known| known.person),
                region: known.map(|known| known.region).or(self.region),
                protocol,
                kind,
                level,
                seq: said.seq,
                device_at: said.device_at,
                received_at,
                battery: said.battery,
                verified: self.verified,
                text: said.text.clone(),
                raw: raw.to_vec(),
            });
        }
        alarms
    }
}

/// What a meter of somebody counted, at its own time where that can be believed.
fn counted(known: &Known, said: &Said, received_at: At) -> Option<meters::Reading> {
    let (count, person) = said.total.zip(known.person)?;
    let fresh = known.kind == DeviceKind::Meter && !said.state;
    fresh.then(|| meters::Reading {
        meter: known.id,
        person,
        region: known.region,
        at: alarm::pressed_at(said.device_at, received_at).unwrap_or(received_at),
        millilitres: count.millilitres,
        step_millilitres: count.step,
    })
}

/// Why a reading beyond its device's share is not stored; in the log and, once a minute, among its rejected frames.
pub(crate) fn too_many(
    intake: &Intake,
    protocol: &'static str,
    serial: &str,
    (peer, say): (&str, bool),
    raw: &[u8],
) -> Rejected {
    let most = intake.terms().per_minute;
    let reason =
        format!("上报过快，每分钟最多保存 {most} 条普通读数，多余的不保存；报警不受限制。请检查上报周期");
    let rejected = because(protocol, "rate", &reason);
    if say {
        tracing::warn!(serial, peer, protocol, most, "a device sends more readings than it may");
        reject(intake, serial, peer, &rejected, raw);
    }
    rejected
}

/// Notes a frame that was not taken.
pub(crate) fn reject(intake: &Intake, serial: &str, peer: &str, rejected: &Rejected, raw: &[u8]) {
    intake.reject(Rejection {
        serial: serial.to_owned(),
        protocol: rejected.protocol.to_owned(),
        peer: peer.to_owned(),
        error: rejected.error.to_owned(),
        reason: rejected.reason.clone(),
        received_at: intake.now().0,
        raw: raw[..raw.len().min(app::signals::intake::REJECTED_BYTES)].to_vec(),
    });
}

/// A reason of the intake itself.
pub(crate) fn because(protocol: &'static str, error: &'static str, reason: &str) -> Rejected {
    Rejected { protocol, error, got: None, want: None, reason: reason.to_owned() }
}

/// Forgets devices that were changed, also by another process.
pub(crate) async fn forget_changed(app: App, intake: Intake) {
    let mut news = app.live().subscribe();
    drop(app);
    loop {
        match news.recv().await {
            Ok(told) if told.topic.starts_with("device.") => intake.registry().forget(DeviceId(told.subject)),
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => intake.registry().clear(),
            Err(RecvError::Closed) => return,
        }
    }
}
