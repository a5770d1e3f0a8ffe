//! One client: who it is, what it may speak for, what becomes of each packet.

use std::{collections::HashMap, net::SocketAddr, sync::Arc};

use app::signals::{
    devices::Known,
    intake::{Batch, Intake, NotTaken},
};
use domain::{
    regions::RegionCode,
    signals::{
        Rejected, cjt188,
        device::Protocol,
        feed,
        mqtt::{self, Topic},
    },
    time::At,
};
use mqtt_protocol_core::mqtt::{
    packet::{Packet, Qos, v3_1_1, v5_0},
    result_code::{
        ConnectReasonCode, ConnectReturnCode, MqttError, PubackReasonCode, PubrecReasonCode,
        SubackReasonCode, SubackReturnCode, UnsubackReasonCode,
    },
};
use tokio::sync::mpsc;

use super::Stored;
use crate::intake::sender::{Becomes, Said, Sender, because, county, find, reject, too_many};

/// Topics a connection remembers; a gateway speaks for some hundred devices.
const TOPICS_MAX: usize = 65_536;
/// The reason of a reading beyond its device's share.
const TOO_MANY: &str = "rate";

/// The word for a stored or rejected message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    id: u16,
    five: bool,
    exactly_once: bool,
    refused: Option<PubackReasonCode>,
}

impl Answer {
    /// What to send when the frame was stored, or was not. MQTT 3.1.1 has no word for "no": what was rejected with a
    /// reason is acknowledged, or it would come for ever; what was not stored is not.
    pub(super) fn packet(self, outcome: Result<(), NotTaken>) -> Option<Packet> {
        let refused = match outcome {
            Ok(()) => self.refused,
            Err(_) if !self.five => return None,
            Err(_) => Some(PubackReasonCode::QuotaExceeded),
        };
        let id = self.id;
        match (self.five, self.exactly_once) {
            (false, false) => v3_1_1::Puback::builder().packet_id(id).build().ok().map(Packet::from),
            (false, true) => v3_1_1::Pubrec::builder().packet_id(id).build().ok().map(Packet::from),
            (true, false) => {
                let builder = v5_0::Puback::builder().packet_id(id);
                match refused {
                    Some(code) => builder.reason_code(code),
                    None => builder,
                }
                .build()
                .ok()
                .map(Packet::from)
            }
            (true, true) => {
                let builder = v5_0::Pubrec::builder().packet_id(id);
                match refused {
                    Some(PubackReasonCode::QuotaExceeded) => {
                        builder.reason_code(PubrecReasonCode::QuotaExceeded)
                    }
                    Some(_) => builder.reason_code(PubrecReasonCode::NotAuthorized),
                    None => builder,
                }
                .build()
                .ok()
                .map(Packet::from)
            }
        }
    }
}

/// What to do after a packet.
#[derive(Default)]
pub(super) struct Then {
    pub(super) packet: Option<Packet>,
    pub(super) close: bool,
}

/// A message, whichever version it came in.
struct Message<'a> {
    topic: &'a str,
    payload: &'a [u8],
    retain: bool,
    answer: Option<Answer>,
}

/// A connection's client.
pub(super) struct Session {
    intake: Intake,
    peer: String,
    stored: mpsc::UnboundedSender<Stored>,
    serial: String,
    known: Option<Arc<Known>>,
    verified: bool,
    will: Option<(String, Vec<u8>)>,
    clean: bool,
    /// Who each topic speaks for, and whether it speaks of what happens.
    topics: HashMap<String, (Arc<Sender>, bool)>,
    generation: u64,
    now: At,
    batch: Batch,
    answers: Vec<Answer>,
    flood_told: Option<At>,
    /// Frames handed over and not yet answered.
    pub(super) waiting: usize,
}

impl Session {
    pub(super) fn new(intake: Intake, peer: SocketAddr, stored: mpsc::UnboundedSender<Stored>) -> Session {
        let now = intake.now().0;
        Session {
            peer: peer.to_string(),
            stored,
            serial: String::new(),
            known: None,
            verified: false,
            will: None,
            clean: false,
            topics: HashMap::new(),
            generation: intake.registry().generation(),
            now,
            batch: Batch::default(),
            answers: Vec::new(),
            flood_told: None,
            waiting: 0,
            intake,
        }
    }

    /// Takes one packet.
    pub(super) async fn packet(&mut self, packet: Packet) -> Then {
        match packet {
            Packet::V3_1_1Publish(publish) => {
                let answer = answer(publish.qos(), publish.packet_id(), false);
                let (retain, payload) = (publish.retain(), publish.payload().as_slice());
                self.message(Message { topic: publish.topic_name(), payload, retain, answer }).await
            }
            Packet::V5_0Publish(publish) => {
                let answer = answer(publish.qos(), publish.packet_id(), true);
                let (retain, payload) = (publish.retain(), publish.payload().as_slice());
                self.message(Message { topic: publish.topic_name(), payload, retain, answer }).await
            }
            Packet::V3_1_1Connect(connect) => {
                self.connect(connect.user_name(), connect.password()).await;
                self.will =
                    connect.will_topic().map(str::to_owned).zip(connect.will_payload().map(<[u8]>::to_vec));
                let builder = v3_1_1::Connack::builder().session_present(false);
                then(builder.return_code(ConnectReturnCode::Accepted).build())
            }
            Packet::V5_0Connect(connect) => {
                self.connect(connect.user_name(), connect.password()).await;
                self.will =
                    connect.will_topic().map(str::to_owned).zip(connect.will_payload().map(<[u8]>::to_vec));
                let builder = v5_0::Connack::builder().session_present(false);
                then(builder.reason_code(ConnectReasonCode::Success).build())
            }
            Packet::V3_1_1Disconnect(_) | Packet::V5_0Disconnect(_) => {
                self.clean = true;
                Then { packet: None, close: true }
            }
            other => self.small_talk(other),
        }
    }

    /// What every client may ask for and nothing follows from.
    fn small_talk(&self, packet: Packet) -> Then {
        match packet {
            Packet::V3_1_1Pubrel(rel) => then(v3_1_1::Pubcomp::builder().packet_id(rel.packet_id()).build()),
            Packet::V5_0Pubrel(rel) => then(v5_0::Pubcomp::builder().packet_id(rel.packet_id()).build()),
            Packet::V3_1_1Subscribe(ask) => {
                let code = |topic: &str| {
                    if self.may_hear(topic) {
                        SubackReturnCode::SuccessMaximumQos1
                    } else {
                        SubackReturnCode::Failure
                    }
                };
                let codes = ask.entries().iter().map(|entry| code(entry.topic_filter())).collect();
                then(v3_1_1::Suback::builder().packet_id(ask.packet_id()).return_codes(codes).build())
            }
            Packet::V5_0Subscribe(ask) => {
                let code = |topic: &str| {
                    if self.may_hear(topic) {
                        SubackReasonCode::GrantedQos1
                    } else {
                        SubackReasonCode::NotAuthorized
                    }
                };
                let codes = ask.entries().iter().map(|entry| code(entry.topic_filter())).collect();
                then(v5_0::Suback::builder().packet_id(ask.packet_id()).reason_codes(codes).build())
            }
            Packet::V3_1_1Unsubscribe(ask) => {
                then(v3_1_1::Unsuback::builder().packet_id(ask.packet_id()).build())
            }
            Packet::V5_0Unsubscribe(ask) => {
                let codes = ask.entries().iter().map(|_| UnsubackReasonCode::Success).collect();
                then(v5_0::Unsuback::builder().packet_id(ask.packet_id()).reason_codes(codes).build())
            }
            _ => Then::default(),
        }
    }

    /// A device hears only what is said to it.
    fn may_hear(&self, filter: &str) -> bool {
        self.verified && mqtt::topic(filter).is_ok_and(|topic| topic.device == self.serial)
    }

    async fn connect(&mut self, name: Option<&str>, secret: Option<&[u8]>) {
        self.serial = name.unwrap_or_default().to_owned();
        self.known = if self.serial.is_empty() { None } else { find(&self.intake, &self.serial).await };
        let secret = secret.and_then(|s| std::str::from_utf8(s).ok()).unwrap_or_default();
        let vault = self.intake.store().vault();
        self.verified = self.known.as_ref().is_some_and(|known| known.proved(vault, &self.serial, secret));
        if self.verified {
            self.saw();
        } else {
            let why = if self.known.is_some() { "密钥不对" } else { "设备号未登记" };
            self.reject(&because(mqtt::PROTOCOL, "secret", why), b"");
        }
    }

    /// Being connected is being alive.
    fn saw(&self) {
        if let Some(known) = &self.known {
            self.intake.saw(known.id, self.intake.now().0);
        }
    }

    async fn message(&mut self, message: Message<'_>) -> Then {
        if self.batch.is_empty() {
            self.now = self.intake.now().0;
        }
        match self.read(&message).await {
            Ok(()) => Then::default(),
            Err(rejected) => {
                // What is too much was told, as often as that is told.
                if rejected.error != TOO_MANY {
                    self.reject(&rejected, message.payload);
                }
                let code = match rejected.error {
                    TOO_MANY => PubackReasonCode::QuotaExceeded,
                    "secret" | "speaks_for_another" => PubackReasonCode::NotAuthorized,
                    "topic" => PubackReasonCode::TopicNameInvalid,
                    _ => PubackReasonCode::PayloadFormatInvalid,
                };
                let refused = message.answer.map(|answer| Answer { refused: Some(code), ..answer });
                // Without a word for "no", whoever may not speak is shown the door.
                let close = rejected.error == "secret" && refused.is_none_or(|answer| !answer.five);
                let packet = refused.filter(|_| !close).and_then(|answer| answer.packet(Ok(())));
                Then { packet, close }
            }
        }
    }

    async fn read(&mut self, message: &Message<'_>) -> Result<(), Rejected> {
        let (sender, up) = self.sender(message.topic).await?;
        if sender.verified && message.payload == b"offline" {
            return self.keep(&sender, &Said { state: true, ..Said::default() }, message);
        }
        let mut read = mqtt::decode(None, message.payload)?;
        // Retained messages are told again whenever somebody connects; topics other than `up` are states.
        let frame = read.frame.take();
        let said = Said { state: message.retain || !up, ..Said::json(read) };
        if message.retain && !said.events.is_empty() {
            let reason = "带保留（retain）标志的消息按状态保存，不作为报警；请在设备或网关上关闭 retain";
            reject(
                &self.intake,
                &sender.serial,
                &self.peer,
                &because(mqtt::PROTOCOL, "retained", reason),
                message.payload,
            );
        }
        match frame {
            None => self.keep(&sender, &said, message),
            Some(frame) => self.meter(&sender, said, &frame, message).await,
        }
    }

    /// A frame of a meter that a gateway read out and passes on as it came, under its own name or the meter's.
    async fn meter(
        &mut self,
        sender: &Sender,
        mut said: Said,
        frame: &str,
        message: &Message<'_>,
    ) -> Result<(), Rejected> {
        let bytes = feed::from_hex(frame.trim().as_bytes())
            .map_err(|why| because(cjt188::PROTOCOL, "hex", &format!("frame 应为十六进制：{why}")))?;
        let read = cjt188::decode(&bytes)?;
        said.total = read.water();
        said.device_at = read.meter_time().and_then(At::parse).or(said.device_at);
        let address = read.address.to_string();
        if address == sender.serial {
            return self.keep(sender, &said, message);
        }
        let meter = self.speaker(&address, sender.region).await;
        self.keep(&meter, &said, message)
    }

    fn keep(&mut self, sender: &Sender, said: &Said, message: &Message<'_>) -> Result<(), Rejected> {
        match sender.says(Some(&self.intake), said, Protocol::Mqtt, self.now, message.payload) {
            Becomes::Reading(reading, counted) => {
                self.batch.push_counted(reading, counted, message.payload);
                self.answers.extend(message.answer);
            }
            Becomes::TooMany { say } => {
                let from = (self.peer.as_str(), say);
                return Err(too_many(&self.intake, mqtt::PROTOCOL, &sender.serial, from, message.payload));
            }
            Becomes::Alarms(alarms) => {
                self.waiting += 1;
                let (stored, answers) = (self.stored.clone(), message.answer.into_iter().collect());
                self.intake.take_alarms(
                    alarms,
                    Box::new(move |outcome| drop(stored.send(Stored { answers, frames: 1, outcome }))),
                );
            }
            Becomes::Unproved if self.verified => {
                return Err(because(mqtt::PROTOCOL, "speaks_for_another", "不能代其他设备上报"));
            }
            Becomes::Unproved => return Err(because(mqtt::PROTOCOL, "secret", "设备号或密钥不对")),
        }
        Ok(())
    }

    /// Who a topic says is speaking, and whether this client may say so.
    async fn sender(&mut self, topic: &str) -> Result<(Arc<Sender>, bool), Rejected> {
        let generation = self.intake.registry().generation();
        if generation != self.generation || self.topics.len() >= TOPICS_MAX {
            self.topics.clear();
            self.generation = generation;
        }
        if let Some(known) = self.topics.get(topic) {
            return Ok(known.clone());
        }
        let Topic { device, up, .. } = mqtt::topic(topic)?;
        let sender = Arc::new(self.speaker(device, county(topic)).await);
        self.generation = self.intake.registry().generation();
        self.topics.insert(topic.to_owned(), (Arc::clone(&sender), up));
        Ok((sender, up))
    }

    /// A device by its serial, and whether this client may speak for it.
    async fn speaker(&self, device: &str, region: Option<RegionCode>) -> Sender {
        let known = find(&self.intake, device).await;
        let own = device == self.serial;
        let through = self
            .known
            .as_ref()
            .is_some_and(|me| known.as_ref().is_some_and(|known| known.gateway == Some(me.id)));
        // What this client is may have changed since it connected: it is as good as the device it proved to be.
        let proved = self.verified && self.intake.registry().get(&self.serial).is_some();
        let verified = proved && (own || through) && known.is_some();
        Sender { serial: device.to_owned(), verified, known, region }
    }

    /// Hands over what one wake-up brought; answers how much that was.
    pub(super) fn hand_over(&mut self) -> usize {
        if self.batch.is_empty() {
            return 0;
        }
        let (batch, answers) = (std::mem::take(&mut self.batch), std::mem::take(&mut self.answers));
        let frames = batch.len();
        self.waiting += frames;
        let stored = self.stored.clone();
        self.intake.take_readings(
            batch,
            Box::new(move |outcome| drop(stored.send(Stored { answers, frames, outcome }))),
        );
        frames
    }

    /// The client sends more than its share: said once a minute, and it has to wait.
    pub(super) fn floods(&mut self) {
        if self.flood_told.is_none_or(|at| self.now.seconds_since(at) >= 60) {
            self.flood_told = Some(self.now);
            self.reject(&because(mqtt::PROTOCOL, "rate", "发送过快，已放慢接收；请降低上报频率"), b"");
        }
    }

    /// The connection is over. What the client left to be said when it goes without a word is kept as a state.
    pub(super) fn ended(mut self) {
        let Some((topic, payload)) = self.will.take().filter(|_| !self.clean && self.verified) else {
            return;
        };
        let Some(known) = self.known.clone() else { return };
        if mqtt::topic(&topic).is_ok_and(|topic| topic.device == self.serial) {
            let sender =
                Sender { serial: self.serial.clone(), known: Some(known), verified: true, region: None };
            let said = Said { state: true, ..Said::default() };
            let now = self.intake.now().0;
            if let Becomes::Reading(reading, _) =
                sender.says(Some(&self.intake), &said, Protocol::Mqtt, now, &payload)
            {
                let mut batch = Batch::default();
                batch.push(reading, &payload);
                self.intake.take_readings(batch, Box::new(|_| {}));
            }
        }
    }

    /// The client broke the protocol.
    pub(super) fn broken(&self, error: &MqttError) {
        self.reject(&because(mqtt::PROTOCOL, "protocol", &format!("不符合 MQTT：{error}")), b"");
    }

    fn reject(&self, rejected: &Rejected, raw: &[u8]) {
        reject(&self.intake, &self.serial, &self.peer, rejected, raw);
    }
}

fn answer(qos: Qos, id: Option<u16>, five: bool) -> Option<Answer> {
    let exactly_once = qos == Qos::ExactlyOnce;
    id.filter(|_| qos != Qos::AtMostOnce).map(|id| Answer { id, five, exactly_once, refused: None })
}

fn then<P: Into<Packet>>(packet: Result<P, MqttError>) -> Then {
    Then { packet: packet.ok().map(Into::into), close: false }
}
