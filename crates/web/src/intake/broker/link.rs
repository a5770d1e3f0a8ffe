//! One connection to a broker, from its first word to its end. MQTT 5: the version that lets a client say how long its
//! session is to be kept, and a broker say why it refuses.

use std::{fmt, io, time::Duration};

use mqtt_protocol_core::mqtt::{
    Connection, Version,
    common::Cursor,
    connection::{ConnectionOptions, Event, TimerKind},
    packet::{
        GenericPacketTrait as _, Packet, Property, Qos, RetainHandling, SessionExpiryInterval, SubEntry,
        SubOpts, v5_0,
    },
    result_code::{ConnectReasonCode, MqttError},
    role,
};
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    sync::mpsc::UnboundedReceiver,
    time::{Instant, Interval, MissedTickBehavior, interval, timeout},
};

use super::{Broker, Next, Stored, Taker, WAITING_MAX};
use crate::intake::read_some;

/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;
/// Largest packet read.
const PACKET_BYTES_MAX: u32 = 4 * 1024 * 1024;
/// How long the broker keeps our session when we are away: alarms count up to 72 hours late.
const SESSION_SECONDS: u32 = 7 * 24 * 3600;
/// We say something at least this often.
const KEEP_ALIVE_SECONDS: u16 = 20;
/// A broker that does not answer a ping within this is gone.
const PING_ANSWER_MS: u64 = 10_000;
/// How long a broker may take to let us in.
const LET_IN: Duration = Duration::from_secs(10);
/// How often it is looked whether what was left with the broker can be had.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum Ended {
    Wire(io::Error),
    Protocol(MqttError),
    Refused(ConnectReasonCode),
    Topic(String),
    Because(&'static str),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Wire(error) => write!(f, "{error}"),
            Ended::Protocol(error) => write!(f, "not MQTT 5: {error}"),
            Ended::Refused(code) => write!(f, "the broker does not let us in: {code}"),
            Ended::Topic(topic) => write!(f, "the broker does not let us hear {topic}"),
            Ended::Because(why) => f.write_str(why),
        }
    }
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Ended {
        Ended::Wire(error)
    }
}

impl From<MqttError> for Ended {
    fn from(error: MqttError) -> Ended {
        Ended::Protocol(error)
    }
}

/// Connects, hears and acknowledges until the connection ends.
pub(super) async fn run(broker: &Broker, taker: &mut Taker) -> Ended {
    let opened = timeout(LET_IN, Link::open(broker)).await;
    let opened = opened.unwrap_or(Err(Ended::Because("the broker does not answer")));
    let (mut link, session_kept) = match opened {
        Ok(opened) => opened,
        Err(ended) => return ended,
    };
    let stored = taker.begin(session_kept);
    tracing::info!(broker = broker.address, session_kept, "taking device messages from the MQTT broker");
    match link.serve(taker, stored).await {
        Ok(()) => Ended::Because("the broker ended the connection"),
        Err(ended) => ended,
    }
}

struct Link {
    wire: TcpStream,
    protocol: Connection<role::Client>,
    buffer: Vec<u8>,
    out: Vec<u8>,
    /// When to say something, and when to have heard something.
    ping_at: Option<Instant>,
    answer_by: Option<Instant>,
    close: bool,
    /// Packets that were heard and not looked at yet.
    heard: Vec<Packet>,
}

impl Link {
    /// Connects and subscribes. Answers whether the broker kept our session.
    async fn open(broker: &Broker) -> Result<(Link, bool), Ended> {
        let wire = TcpStream::connect(&broker.address).await?;
        wire.set_nodelay(true)?;
        // How much is handed out at a time is the broker's to say: Mosquitto 2.0 keeps a session that was promised more
        // than its own `max_inflight_messages` across a restart, and never delivers the rest.
        let options = ConnectionOptions::new().maximum_packet_size_recv(PACKET_BYTES_MAX);
        let mut protocol = Connection::with_options(Version::V5_0, options);
        protocol.set_auto_pub_response(false);
        protocol.set_pingresp_recv_timeout(PING_ANSWER_MS);
        let mut link = Link {
            wire,
            protocol,
            buffer: Vec::with_capacity(READ_BYTES),
            out: Vec::new(),
            ping_at: None,
            answer_by: None,
            close: false,
            heard: Vec::new(),
        };
        link.send(hello(broker)?)?;
        let session_kept = match link.next().await? {
            Packet::V5_0Connack(answer) if answer.reason_code() == ConnectReasonCode::Success => {
                answer.session_present()
            }
            Packet::V5_0Connack(answer) => return Err(Ended::Refused(answer.reason_code())),
            _ => return Err(Ended::Because("the broker said something else first")),
        };
        let id = link.protocol.acquire_packet_id()?;
        link.send(subscription(broker, id)?)?;
        link.subscribed(broker).await?;
        Ok((link, session_kept))
    }

    /// Waits for the answer to our subscription. Messages of a kept session may come before it.
    async fn subscribed(&mut self, broker: &Broker) -> Result<(), Ended> {
        let mut early = Vec::new();
        loop {
            match self.next().await? {
                Packet::V5_0Suback(answer) => {
                    let codes = answer.reason_codes();
                    if let Some((topic, _)) =
                        broker.topics.iter().zip(&codes).find(|(_, code)| !code.is_success())
                    {
                        return Err(Ended::Topic(topic.clone()));
                    }
                    early.append(&mut self.heard);
                    self.heard = early;
                    return Ok(());
                }
                other => early.push(other),
            }
        }
    }

    /// The next packet.
    async fn next(&mut self) -> Result<Packet, Ended> {
        loop {
            if !self.heard.is_empty() {
                return Ok(self.heard.remove(0));
            }
            self.flush().await?;
            self.read().await?;
        }
    }

    async fn serve(&mut self, taker: &mut Taker, mut stored: UnboundedReceiver<Stored>) -> Result<(), Ended> {
        let mut look = ticks();
        loop {
            for packet in std::mem::take(&mut self.heard) {
                self.packet(taker, packet).await?;
            }
            taker.hand_over();
            self.flush().await?;
            if self.close {
                return Ok(());
            }
            let timer = self.ping_at.into_iter().chain(self.answer_by).min();
            tokio::select! {
                biased;
                Some(one) = stored.recv() => {
                    self.answer(taker, one)?;
                    while let Ok(one) = stored.try_recv() {
                        self.answer(taker, one)?;
                    }
                }
                read = self.read(), if taker.waiting < WAITING_MAX => read?,
                () = at(timer) => self.time()?,
                _ = look.tick() => if taker.look() == Next::ConnectAgain {
                    return Err(Ended::Because("the disk has room again: asking for what was left with the broker"));
                },
            }
        }
    }

    async fn packet(&mut self, taker: &mut Taker, packet: Packet) -> Result<(), Ended> {
        match packet {
            Packet::V5_0Publish(publish) => {
                if let Some(id) = taker.message(&publish).await {
                    self.acknowledge(id)?;
                }
            }
            Packet::V5_0Disconnect(_) => self.close = true,
            _ => {}
        }
        Ok(())
    }

    fn answer(&mut self, taker: &mut Taker, stored: Stored) -> Result<(), Ended> {
        for id in taker.answered(stored).map_err(Ended::Because)? {
            self.acknowledge(id)?;
        }
        Ok(())
    }

    fn acknowledge(&mut self, id: u16) -> Result<(), Ended> {
        self.send(v5_0::Puback::builder().packet_id(id).build()?.into())
    }

    fn time(&mut self) -> Result<(), Ended> {
        let now = Instant::now();
        if self.answer_by.is_some_and(|at| at <= now) {
            return Err(Ended::Because("the broker fell silent"));
        }
        if self.ping_at.take_if(|at| *at <= now).is_some() {
            let events = self.protocol.notify_timer_fired(TimerKind::PingreqSend);
            self.events(events)?;
        }
        Ok(())
    }

    fn send(&mut self, packet: Packet) -> Result<(), Ended> {
        let events = self.protocol.send(packet);
        self.events(events)
    }

    /// Does what the protocol asks for, in its order.
    fn events(&mut self, events: Vec<Event>) -> Result<(), Ended> {
        for event in events {
            let after = |ms| Some(Instant::now() + Duration::from_millis(ms));
            match event {
                Event::NotifyPacketReceived(packet) => self.heard.push(packet),
                Event::RequestSendPacket { packet, .. } => {
                    self.out.extend_from_slice(&packet.to_continuous_buffer());
                }
                Event::RequestTimerReset { kind: TimerKind::PingreqSend, duration_ms } => {
                    self.ping_at = after(duration_ms);
                }
                Event::RequestTimerReset { kind: TimerKind::PingrespRecv, duration_ms } => {
                    self.answer_by = after(duration_ms);
                }
                Event::RequestTimerCancel(TimerKind::PingreqSend) => self.ping_at = None,
                Event::RequestTimerCancel(TimerKind::PingrespRecv) => self.answer_by = None,
                Event::NotifyError(error) => return Err(error.into()),
                Event::RequestClose => self.close = true,
                _ => {}
            }
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<(), Ended> {
        if read_some(&mut self.wire, &mut self.buffer).await? == 0 {
            return Err(Ended::Because("the broker closed the connection"));
        }
        let buffer = std::mem::take(&mut self.buffer);
        let mut cursor = Cursor::new(&buffer[..]);
        while (cursor.position() as usize) < buffer.len() {
            let events = self.protocol.recv(&mut cursor);
            self.events(events)?;
        }
        self.buffer = buffer;
        self.buffer.clear();
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Ended> {
        if !self.out.is_empty() {
            self.wire.write_all(&self.out).await?;
            self.out.clear();
        }
        Ok(())
    }
}

fn ticks() -> Interval {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn hello(broker: &Broker) -> Result<Packet, MqttError> {
    let mut hello = v5_0::Connect::builder()
        .client_id(broker.client.as_str())?
        .clean_start(false)
        .keep_alive(KEEP_ALIVE_SECONDS)
        .props(vec![Property::from(SessionExpiryInterval::new(SESSION_SECONDS)?)]);
    if let Some(user) = &broker.user {
        hello = hello.user_name(user.as_str())?;
    }
    if let Some(password) = &broker.password {
        hello = hello.password(password.as_str())?;
    }
    hello.build().map(Packet::from)
}

fn subscription(broker: &Broker, id: u16) -> Result<Packet, MqttError> {
    // How things stand is not asked for: a retained press would be one for ever.
    let how = SubOpts::new().set_qos(Qos::AtLeastOnce).set_rh(RetainHandling::DoNotSendRetained);
    let entries = broker.topics.iter().map(|topic| SubEntry::new(topic.as_str(), how));
    let entries = entries.collect::<Result<Vec<_>, _>>()?;
    v5_0::Subscribe::builder().packet_id(id).entries(entries).build().map(Packet::from)
}
