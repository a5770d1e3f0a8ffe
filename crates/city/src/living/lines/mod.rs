//! The lines devices speak on: real sockets to the platform's doors, each kept by a task of its own.
//!
//! What is handed to a line is sent in order and is done when the platform has answered it. What a door does not answer
//! in time, or loses with its connection, is sent again: the platform must know it as the same.

mod mqtt;
mod sip;
mod stream;

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    time::Duration,
};

use app::{signals::devices::Secret, store::Vault};
use tokio::sync::{mpsc, oneshot};

use crate::{
    devices::{self, Kind, Sent, SimDevice, wire::Wire},
    seed,
};

/// How long a line waits for answers before it sends again.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// How often it tries.
const TRIES: usize = 4;
/// A line that was closed is opened again after this.
const AGAIN_AFTER: Duration = Duration::from_millis(300);
/// Watches of one telephone network share so many lines.
const WATCH_LINES: u32 = 12;
/// Fire devices share so many.
const FIRE_LINES: u32 = 4;
/// Loads that wait on a line; beyond it a device's frames are lost, as with a full buffer at sea.
const WAITING_MAX: usize = 256;

/// Where the platform listens to devices; what is absent is not spoken to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Doors {
    /// MQTT.
    pub mqtt: Option<SocketAddr>,
    /// Watches.
    pub watch: Option<SocketAddr>,
    /// Fire devices.
    pub fire: Option<SocketAddr>,
    /// Care phones, by packets.
    pub sip: Option<SocketAddr>,
}

/// One frame as a line sends it.
#[derive(Debug, Clone)]
enum Out {
    /// Published in the name of somebody who signs in, and keeps the connection or not.
    Publish { as_whom: String, keep: bool, topic: String, payload: Vec<u8> },
    /// Bytes in a stream, and the beginning of their answer if they have one.
    Bytes { bytes: Vec<u8>, answer: Option<Vec<u8>> },
    /// A document in a packet.
    Document { from: String, body: Vec<u8> },
}

/// Frames for one line, and who wants to know how many were not answered.
struct Load {
    out: Vec<Out>,
    done: Option<oneshot::Sender<usize>>,
}

/// All lines.
pub struct Lines {
    doors: Doors,
    secrets: HashMap<String, String>,
    open: BTreeMap<String, mpsc::Sender<Load>>,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lines({} open)", self.open.len())
    }
}

impl Lines {
    /// Lines of these devices, whose secrets follow from the installation's key.
    pub fn new(doors: Doors, vault: &Vault, issued: &[SimDevice]) -> Lines {
        let own = issued.iter().map(|device| device.serial.clone());
        let gateways = devices::gateways(issued).into_iter().map(|gateway| gateway.serial);
        let secret = |serial: String| {
            let random = seed::secret(vault, &serial);
            (serial, Secret::of(random).reveal().to_owned())
        };
        Lines { doors, secrets: own.chain(gateways).map(secret).collect(), open: BTreeMap::new() }
    }

    /// Hands frames over without waiting; answers how many no line could take.
    pub fn post(&mut self, issued: &[SimDevice], frames: &[Sent]) -> usize {
        let mut lost = 0;
        for (name, (out, door)) in self.sorted(issued, frames) {
            let count = out.len();
            let sent = self.line(name, door).map(|line| line.try_send(Load { out, done: None }).is_ok());
            lost += if sent == Some(true) { 0 } else { count };
        }
        lost
    }

    /// Sends frames and waits until all are answered; answers how many were not.
    pub async fn deliver(&mut self, issued: &[SimDevice], frames: &[Sent]) -> usize {
        let mut lost = 0;
        let mut waiting = Vec::new();
        for (name, (out, door)) in self.sorted(issued, frames) {
            let count = out.len();
            let (send, done) = oneshot::channel();
            match self.line(name, door).cloned() {
                Some(line) if line.send(Load { out, done: Some(send) }).await.is_ok() => {
                    waiting.push((done, count))
                }
                _ => lost += count,
            }
        }
        for (done, count) in waiting {
            lost += done.await.unwrap_or(count);
        }
        lost
    }

    /// Frames by the line they go on.
    fn sorted(&self, issued: &[SimDevice], frames: &[Sent]) -> BTreeMap<String, (Vec<Out>, SocketAddr)> {
        let mut all: BTreeMap<String, (Vec<Out>, SocketAddr)> = BTreeMap::new();
        for frame in frames {
            let device = &issued[frame.device as usize];
            let (name, door, out) = match &frame.wire {
                Wire::Mqtt { topic, payload } | Wire::Meter { topic, payload, .. } => {
                    let (name, as_whom, keep) = match &device.gateway {
                        Some(gateway) => (format!("mqtt {gateway}"), gateway.clone(), true),
                        None => ("mqtt sleepers".to_owned(), device.serial.clone(), false),
                    };
                    let out = Out::Publish { as_whom, keep, topic: topic.clone(), payload: payload.clone() };
                    (name, self.doors.mqtt, out)
                }
                Wire::Watch(bytes) => {
                    let answer = (!frame.rubbish).then(|| watch_answer(&device.serial, bytes)).flatten();
                    let out = Out::Bytes { bytes: bytes.clone(), answer };
                    (format!("watch {}", device.index % WATCH_LINES), self.doors.watch, out)
                }
                Wire::Fire(bytes) => {
                    // The answer repeats the mark and the serial number, whether it is yes or no.
                    let answer = bytes.get(..4).map(<[u8]>::to_vec);
                    let out = Out::Bytes { bytes: bytes.clone(), answer };
                    (format!("fire {}", device.index % FIRE_LINES), self.doors.fire, out)
                }
                Wire::Unit(document) => {
                    let out = Out::Document { from: device.serial.clone(), body: document.clone() };
                    ("sip".to_owned(), self.doors.sip, out)
                }
            };
            if let Some(door) = door {
                all.entry(name).or_insert_with(|| (Vec::new(), door)).0.push(out);
            }
        }
        all
    }

    fn line(&mut self, name: String, door: SocketAddr) -> Option<&mpsc::Sender<Load>> {
        if self.open.get(&name).is_none_or(mpsc::Sender::is_closed) {
            let (send, receive) = mpsc::channel(WAITING_MAX);
            if name.starts_with("mqtt") {
                tokio::spawn(mqtt::run(door, self.secrets.clone(), receive));
            } else if name == "sip" {
                tokio::spawn(sip::run(door, receive));
            } else {
                tokio::spawn(stream::run(door, receive));
            }
            self.open.insert(name.clone(), send);
        }
        self.open.get(&name)
    }
}

/// What the platform answers a watch, for those words it answers at all.
fn watch_answer(serial: &str, frame: &[u8]) -> Option<Vec<u8>> {
    let words = std::str::from_utf8(frame).ok()?.split('*').nth(3)?;
    let word = words.split([',', ']']).next().filter(|word| matches!(*word, "LK" | "AL"))?;
    Some(format!("[3G*{serial}*0002*{word}]").into_bytes())
}

/// What a device knows of its kind's door, for whoever wants to see that all are open.
impl Doors {
    /// Whether devices of a kind have a door to speak to.
    pub fn hears(&self, kind: Kind) -> bool {
        match kind {
            Kind::Watch => self.watch.is_some(),
            Kind::Smoke => self.fire.is_some(),
            Kind::Unit => self.sip.is_some(),
            Kind::Button | Kind::Motion | Kind::Meter => self.mqtt.is_some(),
        }
    }
}
