//! MQTT 3.1.1 and 5: one task a connection, the protocol itself by mqtt-protocol-core without I/O of its own.
//!
//! What arrives together is stored together: every wake-up makes at most one batch of readings, and all its PUBACKs
//! leave in one write once the batch is on disk. Alarms go their own way and are answered as soon as they are stored.
//! A sender with a wrong secret is let in, because its SOS must be heard; everything else it says is refused.

mod session;

use std::{net::SocketAddr, time::Duration};

use app::signals::intake::{Intake, NotTaken};
use mqtt_protocol_core::mqtt::{
    Connection, Version,
    common::Cursor,
    connection::{ConnectionOptions, Event, TimerKind},
    packet::Packet,
    role,
};
use tokio::{io::AsyncWriteExt as _, sync::mpsc, time::Instant};

use super::{Wire, read_some};
use session::{Answer, Session};

/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;
/// Largest packet read: what is longer than a payload may be is read to its end and refused with a reason, so that the
/// connection and what follows on it live on. Beyond this the connection ends.
const PACKET_BYTES_MAX: u32 = 4 * 1024 * 1024;
/// Frames of one connection that may wait for the disk before it is read on.
const WAITING_MAX: usize = 8_192;
/// Frames a second of one connection before it is made to wait: a third of what the whole platform takes, so that one
/// vendor's storm leaves room for all others. Nothing is thrown away; the sender's own buffers fill.
const FRAMES_PER_SECOND_MAX: usize = 50_000;
/// A connection that says nothing at first is none.
const FIRST_WORD: Duration = Duration::from_secs(20);

/// Frames that came off the disk's queue, by what they are answered with.
pub(super) struct Stored {
    answers: Vec<Answer>,
    frames: usize,
    outcome: Result<(), NotTaken>,
}

/// Serves one connection to its end.
pub(super) async fn serve<W: Wire>(mut wire: W, peer: SocketAddr, intake: Intake) {
    let (send, mut stored) = mpsc::unbounded_channel();
    let options = ConnectionOptions::new().maximum_packet_size_recv(PACKET_BYTES_MAX);
    let mut protocol: Connection<role::Server> = Connection::with_options(Version::Undetermined, options);
    protocol.set_auto_pub_response(false);
    protocol.set_auto_ping_response(true);
    let mut session = Session::new(intake, peer, send);
    let mut buffer = Vec::with_capacity(READ_BYTES);
    let mut link = Link {
        out: Vec::new(),
        close: false,
        silent_until: Some(Instant::now() + FIRST_WORD),
        every: None,
        turn: Turn::new(),
    };
    let alarm = tokio::time::sleep(FIRST_WORD);
    tokio::pin!(alarm);
    while !link.close {
        tokio::select! {
            Some(one) = stored.recv() => {
                link.answer(&mut protocol, &mut session, one);
                while let Ok(one) = stored.try_recv() {
                    link.answer(&mut protocol, &mut session, one);
                }
            }
            () = tokio::time::sleep_until(link.turn.ends), if link.turn.over => link.turn = Turn::new(),
            read = read_some(&mut wire, &mut buffer), if session.waiting < WAITING_MAX && !link.turn.over => {
                if !matches!(read, Ok(n) if n > 0) {
                    break;
                }
                link.heard();
                let mut cursor = Cursor::new(&buffer[..]);
                while (cursor.position() as usize) < buffer.len() && !link.close {
                    let events = protocol.recv(&mut cursor);
                    link.events(&mut protocol, &mut session, events).await;
                }
                buffer.clear();
                if link.turn.took(session.hand_over()) {
                    session.floods();
                }
            }
            () = &mut alarm => {
                match link.silent_until {
                    Some(until) if until <= Instant::now() => {
                        tracing::debug!(%peer, "silent for too long");
                        break;
                    }
                    until => alarm.as_mut().reset(until.unwrap_or_else(|| Instant::now() + FIRST_WORD)),
                }
            }
        }
        if !link.out.is_empty() {
            if wire.write_all(&link.out).await.is_err() {
                break;
            }
            link.out.clear();
        }
    }
    session.ended();
}

/// The outer side of a connection: what is to be sent, whether it ends, how long it may be silent.
struct Link {
    out: Vec<u8>,
    close: bool,
    silent_until: Option<Instant>,
    every: Option<Duration>,
    turn: Turn,
}

/// One second of a connection.
struct Turn {
    frames: usize,
    ends: Instant,
    /// It has sent what it may in this second.
    over: bool,
}

impl Turn {
    fn new() -> Turn {
        Turn { frames: 0, ends: Instant::now() + Duration::from_secs(1), over: false }
    }

    /// Counts frames; answers whether that was too many.
    fn took(&mut self, frames: usize) -> bool {
        if Instant::now() >= self.ends {
            *self = Turn::new();
        }
        self.frames += frames;
        self.over = self.frames > FRAMES_PER_SECOND_MAX;
        self.over
    }
}

impl Link {
    fn heard(&mut self) {
        if let Some(every) = self.every {
            self.silent_until = Some(Instant::now() + every);
        }
    }

    /// Does what the protocol asks for, in its order.
    async fn events(
        &mut self,
        protocol: &mut Connection<role::Server>,
        session: &mut Session,
        events: Vec<Event>,
    ) {
        for event in events {
            match event {
                Event::NotifyPacketReceived(packet) => {
                    let answer = session.packet(packet).await;
                    if let Some(packet) = answer.packet {
                        self.send(protocol, packet);
                    }
                    self.close |= answer.close;
                }
                other => self.event(session, other),
            }
        }
    }

    fn event(&mut self, session: &mut Session, event: Event) {
        match event {
            Event::RequestSendPacket { packet, .. } => {
                use mqtt_protocol_core::mqtt::packet::GenericPacketTrait as _;
                self.out.extend_from_slice(&packet.to_continuous_buffer());
            }
            Event::RequestTimerReset { kind: TimerKind::PingreqRecv, duration_ms } => {
                self.every = Some(Duration::from_millis(duration_ms));
                self.heard();
            }
            Event::RequestTimerCancel(TimerKind::PingreqRecv) => {
                self.every = None;
                self.silent_until = None;
            }
            Event::NotifyError(error) => session.broken(&error),
            Event::RequestClose => self.close = true,
            _ => {}
        }
    }

    fn send(&mut self, protocol: &mut Connection<role::Server>, packet: Packet) {
        for event in protocol.send(packet) {
            match event {
                Event::RequestSendPacket { packet, .. } => {
                    use mqtt_protocol_core::mqtt::packet::GenericPacketTrait as _;
                    self.out.extend_from_slice(&packet.to_continuous_buffer());
                }
                Event::RequestTimerReset { kind: TimerKind::PingreqRecv, duration_ms } => {
                    self.every = Some(Duration::from_millis(duration_ms));
                    self.heard();
                }
                Event::RequestClose => self.close = true,
                _ => {}
            }
        }
    }

    /// Answers what came off the disk's queue. What was not stored is not answered, or refused where the protocol has a
    /// word for that; the device sends it again.
    fn answer(&mut self, protocol: &mut Connection<role::Server>, session: &mut Session, stored: Stored) {
        session.waiting = session.waiting.saturating_sub(stored.frames);
        for answer in stored.answers {
            if let Some(packet) = answer.packet(stored.outcome) {
                self.send(protocol, packet);
            }
        }
        self.close |= stored.outcome == Err(NotTaken::Broken);
    }
}
