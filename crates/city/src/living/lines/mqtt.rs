//! MQTT 3.1.1 as gateways and sleeping sensors speak it, by mqtt-protocol-core.

use std::{
    collections::{HashMap, HashSet},
    io,
    net::SocketAddr,
    time::Duration,
};

use mqtt_protocol_core::mqtt::{
    Connection, Version,
    common::Cursor,
    connection::Event,
    packet::{GenericPacketTrait as _, Packet, Qos, v3_1_1},
    result_code::MqttError,
    role,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
};

use super::{AGAIN_AFTER, ANSWERS_WITHIN, Load, Out, TRIES};

/// Seconds of silence after which the platform may take a connection for dead, and when a word is said before that.
const KEEP_ALIVE: u16 = 300;
const WORD_EVERY: Duration = Duration::from_secs(100);

/// Serves one line until nobody has anything to send.
pub(super) async fn run(door: SocketAddr, secrets: HashMap<String, String>, mut loads: mpsc::Receiver<Load>) {
    let mut clients: HashMap<String, Client> = HashMap::new();
    loop {
        let load = match tokio::time::timeout(WORD_EVERY, loads.recv()).await {
            Ok(Some(load)) => load,
            Ok(None) => return,
            Err(_) => {
                say_something(&mut clients).await;
                continue;
            }
        };
        let mut speakers: Vec<(String, bool, Vec<(String, Vec<u8>)>)> = Vec::new();
        for out in load.out {
            let Out::Publish { as_whom, keep, topic, payload } = out else { continue };
            match speakers.last_mut() {
                Some((whom, _, messages)) if *whom == as_whom => messages.push((topic, payload)),
                _ => speakers.push((as_whom, keep, vec![(topic, payload)])),
            }
        }
        let mut lost = 0;
        for (whom, keep, messages) in speakers {
            let secret = secrets.get(&whom).map_or("", String::as_str);
            lost += publish(door, &mut clients, (&whom, secret), messages).await;
            if !keep && let Some(client) = clients.remove(&whom) {
                client.leave().await;
            }
        }
        if let Some(done) = load.done {
            let _ = done.send(lost);
        }
    }
}

async fn say_something(clients: &mut HashMap<String, Client>) {
    let mut gone = Vec::new();
    for (name, client) in clients.iter_mut() {
        if client.ping().await.is_err() {
            gone.push(name.clone());
        }
    }
    for name in gone {
        clients.remove(&name);
    }
}

/// Publishes messages in somebody's name; answers how many were never acknowledged.
async fn publish(
    door: SocketAddr,
    clients: &mut HashMap<String, Client>,
    (whom, secret): (&str, &str),
    mut messages: Vec<(String, Vec<u8>)>,
) -> usize {
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        let client = match clients.remove(whom) {
            Some(client) => Ok(client),
            None => Client::connect(door, whom, secret).await,
        };
        let Ok(mut client) = client else { continue };
        match tokio::time::timeout(ANSWERS_WITHIN, client.publish(&messages)).await {
            Ok(Ok(())) => {
                clients.insert(whom.to_owned(), client);
                return 0;
            }
            Ok(Err(error)) => tracing::debug!(whom, %error, "a gateway lost its connection"),
            Err(_) => tracing::debug!(whom, "a gateway was not answered"),
        }
        // What was acknowledged before is not said again.
        let open = client.unanswered();
        let mut n = 0;
        messages.retain(|_| {
            n += 1;
            open.contains(&(n - 1))
        });
        if messages.is_empty() {
            return 0;
        }
    }
    messages.len()
}

/// A connection that has signed in.
struct Client {
    stream: TcpStream,
    protocol: Connection<role::Client>,
    buffer: Vec<u8>,
    /// Places of the messages on their way, by packet number.
    waiting: HashMap<u16, usize>,
    welcome: bool,
}

fn broken(error: MqttError) -> io::Error {
    io::Error::other(error.to_string())
}

impl Client {
    async fn connect(door: SocketAddr, whom: &str, secret: &str) -> io::Result<Client> {
        let stream = TcpStream::connect(door).await?;
        stream.set_nodelay(true)?;
        let protocol = Connection::new(Version::V3_1_1);
        let mut client =
            Client { stream, protocol, buffer: Vec::new(), waiting: HashMap::new(), welcome: false };
        let county = whom.strip_prefix("GW-").unwrap_or("000000");
        let will = format!("care/v1/{county}/gateway/{whom}/state");
        let connect = v3_1_1::Connect::builder()
            .client_id(whom)
            .and_then(|b| b.user_name(whom))
            .and_then(|b| b.password(secret))
            .and_then(|b| b.clean_session(true).will_message(will, b"offline", Qos::AtLeastOnce, false))
            .and_then(|b| b.keep_alive(KEEP_ALIVE).build())
            .map_err(broken)?;
        let events = client.protocol.checked_send(connect);
        let hello = client.take(events);
        client.stream.write_all(&hello).await?;
        while !client.welcome {
            tokio::time::timeout(ANSWERS_WITHIN, client.read()).await??;
        }
        Ok(client)
    }

    /// Sends all and waits for every acknowledgement.
    async fn publish(&mut self, messages: &[(String, Vec<u8>)]) -> io::Result<()> {
        self.waiting.clear();
        let mut bytes = Vec::new();
        for (n, (topic, payload)) in messages.iter().enumerate() {
            let id = self.protocol.acquire_packet_id().map_err(broken)?;
            let publish = v3_1_1::Publish::builder()
                .topic_name(topic.as_str())
                .and_then(|b| b.qos(Qos::AtLeastOnce).packet_id(id).payload(payload.clone()).build())
                .map_err(broken)?;
            self.waiting.insert(id, n);
            let events = self.protocol.checked_send(publish);
            bytes.extend(self.take(events));
        }
        // Networks cut where they like.
        let (one, other) = bytes.split_at(bytes.len() * 2 / 3);
        self.stream.write_all(one).await?;
        tokio::task::yield_now().await;
        self.stream.write_all(other).await?;
        while !self.waiting.is_empty() {
            self.read().await?;
        }
        Ok(())
    }

    fn unanswered(&self) -> HashSet<usize> {
        self.waiting.values().copied().collect()
    }

    async fn ping(&mut self) -> io::Result<()> {
        let ping = v3_1_1::Pingreq::builder().build().map_err(broken)?;
        let events = self.protocol.checked_send(ping);
        let bytes = self.take(events);
        self.stream.write_all(&bytes).await?;
        tokio::time::timeout(ANSWERS_WITHIN, self.read()).await?
    }

    /// Says goodbye, so that nobody takes it for lost.
    async fn leave(mut self) {
        if let Ok(bye) = v3_1_1::Disconnect::builder().build() {
            let events = self.protocol.checked_send(bye);
            let bytes = self.take(events);
            let _ = self.stream.write_all(&bytes).await;
        }
    }

    async fn read(&mut self) -> io::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let bytes = std::mem::take(&mut self.buffer);
        let mut cursor = Cursor::new(bytes.as_slice());
        while (cursor.position() as usize) < bytes.len() {
            let events = self.protocol.recv(&mut cursor);
            let answer = self.take(events);
            if !answer.is_empty() {
                self.stream.write_all(&answer).await?;
            }
        }
        Ok(())
    }

    /// Does what the protocol asks for; answers what is to be sent.
    fn take(&mut self, events: Vec<Event>) -> Vec<u8> {
        let mut bytes = Vec::new();
        for event in events {
            match event {
                Event::RequestSendPacket { packet, .. } => bytes.extend(packet.to_continuous_buffer()),
                Event::NotifyPacketReceived(Packet::V3_1_1Connack(_)) => self.welcome = true,
                Event::NotifyPacketReceived(Packet::V3_1_1Puback(ack)) => {
                    self.waiting.remove(&ack.packet_id());
                }
                Event::NotifyError(error) => tracing::debug!(%error, "MQTT"),
                _ => {}
            }
        }
        bytes
    }
}
