//! The same intake from somebody else's MQTT broker: this program is one of its clients, with a session that the broker
//! keeps while we are away, and acknowledges a message only after its frame is on disk.
//!
//! What is not acknowledged the broker delivers again when we connect again, and only then. The acknowledgement of a
//! message therefore belongs to the connection that brought it: one that comes after the connection was lost is dropped,
//! because its number may mean another message by then.

mod link;

use std::{collections::HashMap, time::Duration};

use app::signals::intake::{Intake, NotTaken};
use domain::time::At;
use mqtt_protocol_core::mqtt::packet::{Qos, v5_0};
use tokio::sync::mpsc;

use super::{
    carried::{Became, Carried, Courier},
    sender::{because, reject},
};

/// Messages that may wait for the disk before more are read.
const WAITING_MAX: usize = 4_096;
/// Readings left with the broker while the disk is full: fewer than the twenty that Mosquitto hands out at a time unless
/// told otherwise. Beyond them readings are let go, because a press that stands behind them would not come through.
const LEFT_MAX: usize = 16;
/// Between two attempts, at first and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));
/// The topics devices speak under: our own, a zigbee2mqtt bridge's, and any language by device.
const TOPICS: [&str; 5] =
    ["care/v1/+/+/+/up", "care/v1/+/+/+/state", "zigbee2mqtt/+", "zigbee2mqtt/+/availability", "devices/+/#"];

/// A broker and what is read from it.
#[derive(Clone)]
pub struct Broker {
    /// `host:port`.
    address: String,
    user: Option<String>,
    password: Option<String>,
    /// Under which name the broker keeps our session.
    client: String,
    topics: Vec<String>,
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Broker({} as {})", self.address, self.client)
    }
}

impl Broker {
    /// Reads `mqtt://user:password@host:1883`. Without topics those that devices speak under are taken.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(url: &str, client: &str, topics: &[String]) -> Result<Broker, String> {
        let rest = url.strip_prefix("mqtt://").ok_or("mqtt://…")?.trim_end_matches('/');
        let (who, address) = rest.rsplit_once('@').map_or((None, rest), |(who, rest)| (Some(who), rest));
        if address.is_empty() || address.contains('/') || client.is_empty() || client.len() > 64 {
            return Err(url.to_owned());
        }
        let port_given = address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let (user, password) = who.map_or((None, None), |who| match who.split_once(':') {
            Some((user, password)) => (Some(plain(user)), Some(plain(password))),
            None => (Some(plain(who)), None),
        });
        let topics = if topics.is_empty() { TOPICS.map(str::to_owned).to_vec() } else { topics.to_vec() };
        Ok(Broker {
            address: if port_given { address.to_owned() } else { format!("{address}:1883") },
            user,
            password,
            client: client.to_owned(),
            topics,
        })
    }
}

/// Undoes `%40` and its like.
fn plain(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let two = more.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match two.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                out.push(byte);
                rest = &more[2..];
            }
            None => {
                out.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Carries messages until the runtime ends; whatever breaks, it begins again.
pub(super) async fn carry(broker: Broker, intake: Intake) {
    let mut taker = Taker::new(&broker, intake);
    let (mut pause, mut said) = (AGAIN.0, String::new());
    loop {
        let began = tokio::time::Instant::now();
        let ended = link::run(&broker, &mut taker).await;
        let lived = began.elapsed() > AGAIN.1;
        let told = ended.to_string();
        // An outage is told when it begins and when its reason changes.
        if lived || told != said {
            tracing::warn!(
                broker = broker.address,
                error = told,
                "no messages from the MQTT broker, trying again"
            );
            said = told;
        }
        pause = if lived { AGAIN.0 } else { (pause * 2).min(AGAIN.1) };
        tokio::time::sleep(pause).await;
    }
}

/// What came off the disk's queue.
struct Stored {
    ids: Vec<u16>,
    outcome: Result<(), NotTaken>,
}

/// What becomes of messages, whichever connection brings them.
struct Taker {
    intake: Intake,
    courier: Courier,
    peer: String,
    /// Messages not acknowledged yet: what each is, and when it came first. One that comes again after a break is still
    /// the one that came then.
    open: HashMap<u16, (u64, At)>,
    stored: mpsc::UnboundedSender<Stored>,
    /// Readings that wait for the end of this wake-up.
    ids: Vec<u16>,
    /// Messages handed over and not heard of.
    waiting: usize,
    /// Readings left with the broker because the disk is full.
    left: usize,
    let_go: u64,
    let_go_told: Option<At>,
}

/// What to do after a round.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    /// What was left with the broker is wanted now, and comes with a new connection.
    ConnectAgain,
}

impl Taker {
    fn new(broker: &Broker, intake: Intake) -> Taker {
        let peer = format!("mqtt:{}", broker.address);
        let courier = Courier::new(intake.clone(), peer.clone());
        let (stored, _) = mpsc::unbounded_channel();
        Taker {
            intake,
            courier,
            peer,
            open: HashMap::new(),
            stored,
            ids: Vec::new(),
            waiting: 0,
            left: 0,
            let_go: 0,
            let_go_told: None,
        }
    }

    /// A new connection: answers of the one before lead nowhere. Without a session the broker has forgotten all.
    fn begin(&mut self, session_kept: bool) -> mpsc::UnboundedReceiver<Stored> {
        let (send, receive) = mpsc::unbounded_channel();
        self.stored = send;
        self.left = 0;
        self.waiting = 0;
        self.ids.clear();
        drop(self.courier.batch());
        if !session_kept {
            self.open.clear();
        }
        receive
    }

    /// Takes one message; answers its number when it is to be acknowledged at once.
    async fn message(&mut self, publish: &v5_0::Publish) -> Option<u16> {
        let id = publish.packet_id().filter(|_| publish.qos() != Qos::AtMostOnce);
        let (name, payload) = (publish.topic_name(), publish.payload().as_slice());
        let carried = Carried {
            name,
            payload,
            received_at: self.first_came(id, name, payload),
            retained: publish.retain(),
        };
        match self.courier.take(&carried).await {
            Became::Reading => self.ids.extend(id),
            Became::Alarms(alarms) => {
                let (stored, ids) = (self.stored.clone(), Vec::from_iter(id));
                self.waiting += ids.len();
                let done = move |outcome| drop(stored.send(Stored { ids, outcome }));
                self.intake.take_alarms(alarms, Box::new(done));
            }
            Became::Rejected => {
                // It will not become better by coming again.
                if let Some(id) = id {
                    self.open.remove(&id);
                }
                return id;
            }
        }
        None
    }

    fn first_came(&mut self, id: Option<u16>, name: &str, payload: &[u8]) -> At {
        let now = self.intake.now().0;
        let Some(id) = id else { return now };
        let what = {
            use std::hash::{DefaultHasher, Hash as _, Hasher as _};
            let mut hash = DefaultHasher::new();
            (name, payload).hash(&mut hash);
            hash.finish()
        };
        let open = self.open.entry(id).or_insert((what, now));
        if open.0 != what {
            *open = (what, now);
        }
        open.1
    }

    /// Hands over what one wake-up brought.
    fn hand_over(&mut self) {
        let batch = self.courier.batch();
        if batch.is_empty() {
            return;
        }
        let (stored, ids) = (self.stored.clone(), std::mem::take(&mut self.ids));
        self.waiting += ids.len();
        let done = move |outcome| drop(stored.send(Stored { ids, outcome }));
        self.intake.take_readings(batch, Box::new(done));
    }

    /// What may be acknowledged of what came off the disk's queue, or the end of this connection.
    fn answered(&mut self, stored: Stored) -> Result<Vec<u16>, &'static str> {
        self.waiting = self.waiting.saturating_sub(stored.ids.len());
        match stored.outcome {
            Ok(()) => {}
            Err(NotTaken::Broken) => return Err("the database took nothing"),
            Err(NotTaken::Full) if self.left + stored.ids.len() <= LEFT_MAX => {
                self.left += stored.ids.len();
                return Ok(Vec::new());
            }
            Err(NotTaken::Full) => self.let_go(stored.ids.len()),
        }
        for id in &stored.ids {
            self.open.remove(id);
        }
        Ok(stored.ids)
    }

    fn let_go(&mut self, readings: usize) {
        let now = self.intake.now().0;
        self.let_go += readings as u64;
        if self.let_go_told.is_none_or(|at| now.seconds_since(at) >= 60) {
            self.let_go_told = Some(now);
            tracing::error!(readings = self.let_go, "the disk is full: readings of the MQTT broker are lost");
            let why = format!("磁盘已满，已放弃 {} 条普通读数以便报警通过", self.let_go);
            reject(&self.intake, "", &self.peer, &because("broker", "disk_full", &why), b"");
        }
    }

    /// Once in a while: whether what was left can be had now.
    fn look(&self) -> Next {
        if self.left > 0 && !self.intake.status().disk_full { Next::ConnectAgain } else { Next::GoOn }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_named_by_a_url() {
        let broker = |url| Broker::new(url, "xiyang", &[]);
        let read = broker("mqtt://me:p%40ss:w@broker.example:2883/").unwrap();
        assert_eq!(read.address, "broker.example:2883");
        assert_eq!((read.user.as_deref(), read.password.as_deref()), (Some("me"), Some("p@ss:w")));
        assert!(!format!("{read:?}").contains("p@ss"));
        let read = broker("mqtt://10.0.0.1").unwrap();
        assert_eq!((read.address.as_str(), &read.user), ("10.0.0.1:1883", &None));
        assert_eq!(read.topics.len(), TOPICS.len());
        for wrong in ["10.0.0.1:1883", "mqtt://", "mqtt://a@", "mqtt://a/b", "mqtts://a"] {
            assert!(broker(wrong).is_err(), "{wrong}");
        }
        assert!(Broker::new("mqtt://a", "", &[]).is_err());
    }
}
