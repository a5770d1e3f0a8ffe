//! SCAIP: a care phone's SIP MESSAGE with an XML request, over UDP or TCP.
//!
//! 200 OK leaves once the alarm is on disk, then our own MESSAGE with the `<mrs>` answer. Only what a MESSAGE needs is
//! read here, some header lines and a body: dialogs, media and registration belong to the telephone side, and a whole
//! SIP stack for one method would be more to trust than it takes away.

mod message;

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use app::{
    signals::intake::{Batch, Intake},
    store::digest,
};
use domain::{
    signals::{Rejected, device::Protocol, scaip},
    time::At,
};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpStream, UdpSocket},
    sync::{Mutex, oneshot},
};

use super::{
    FIRST_WORD, read_some,
    sender::{Becomes, Said, Sender, because, find, reject, too_many},
};
use message::{Request, cut};

/// Largest datagram there is.
const PACKET_BYTES: usize = 64 * 1024;
/// Answers remembered, so that a request sent again over UDP gets the same one …
const REMEMBERED: usize = 4_096;
/// … within the time a sender goes on sending it (RFC 3261, 17.2.2: 64 × T1).
const REMEMBERED_SECONDS: i64 = 32;
const SILENCE: Duration = Duration::from_secs(30 * 60);

/// Serves datagrams until the runtime ends.
pub(super) async fn packets(socket: UdpSocket, intake: Intake) {
    let (socket, mut buffer) = (Arc::new(socket), vec![0; PACKET_BYTES]);
    let answered: Arc<Mutex<Answered>> = Arc::default();
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else { continue };
        let (socket, intake, answered) = (Arc::clone(&socket), intake.clone(), Arc::clone(&answered));
        let packet = buffer[..length].to_vec();
        tokio::spawn(async move {
            let Ok(request) = Request::read(&packet) else { return unreadable(&intake, peer, &packet) };
            let (key, now) = (digest(&[peer.to_string().as_bytes(), &packet]), intake.now().0);
            let known = answered.lock().await.find(&key, now);
            let (good, answers) = match known {
                Some(answers) => (false, answers),
                None => answer(&intake, peer, "UDP", &request).await,
            };
            for one in &answers {
                let _ = socket.send_to(one, peer).await;
            }
            // Only what is on disk is answered from memory: whoever was refused, or came too early, is heard again.
            if good {
                answered.lock().await.keep(key, now, answers);
            }
        });
    }
}

/// Serves one stream to its end.
pub(super) async fn stream(mut wire: TcpStream, peer: SocketAddr, intake: Intake) {
    let (mut buffer, mut heard) = (Vec::new(), false);
    loop {
        while let Some(length) = cut(&buffer) {
            let packet: Vec<u8> = buffer.drain(..length).collect();
            let Ok(request) = Request::read(&packet) else {
                unreadable(&intake, peer, &packet);
                continue;
            };
            for one in answer(&intake, peer, "TCP", &request).await.1 {
                if wire.write_all(&one).await.is_err() {
                    return;
                }
            }
        }
        if buffer.len() > 2 * PACKET_BYTES {
            return unreadable(&intake, peer, &buffer);
        }
        let patience = if heard { SILENCE } else { FIRST_WORD };
        match tokio::time::timeout(patience, read_some(&mut wire, &mut buffer)).await {
            Ok(Ok(n)) if n > 0 => heard = true,
            _ => return,
        }
    }
}

fn unreadable(intake: &Intake, peer: SocketAddr, raw: &[u8]) {
    // Answers to our own MESSAGE come here too and ask for nothing.
    if !raw.starts_with(b"SIP/2.0 ") && !raw.trim_ascii().is_empty() {
        reject(intake, "", &peer.to_string(), &because(scaip::PROTOCOL, "sip", "不是有效的 SIP 请求"), raw);
    }
}

/// What a request is answered with, once its alarm is on disk; and whether it is.
async fn answer(
    intake: &Intake,
    peer: SocketAddr,
    transport: &str,
    request: &Request,
) -> (bool, Vec<Vec<u8>>) {
    if request.method != "MESSAGE" {
        let status = if request.method == "OPTIONS" { "200 OK" } else { "405 Method Not Allowed" };
        let answers = if request.method == "ACK" { Vec::new() } else { vec![request.response(status)] };
        return (false, answers);
    }
    let read = match scaip::decode(&request.body) {
        Ok(read) => read,
        Err(rejected) => {
            reject(intake, "", &peer.to_string(), &rejected, &request.body);
            return (false, vec![request.response("400 Bad Request")]);
        }
    };
    let serial = read.controller.trim().to_owned();
    match keep(intake, &read, &serial, &request.body).await {
        Ok(()) => {
            static COUNT: AtomicU64 = AtomicU64::new(1);
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            (true, vec![request.response("200 OK"), request.message(transport, peer, &read.reply, number)])
        }
        Err(Some(rejected)) => {
            reject(intake, &serial, &peer.to_string(), &rejected, &request.body);
            (false, vec![request.response("403 Forbidden")])
        }
        // Not on disk: the unit tries again.
        Err(None) => (false, vec![request.response("503 Service Unavailable")]),
    }
}

async fn keep(
    intake: &Intake,
    read: &scaip::Message,
    serial: &str,
    raw: &[u8],
) -> Result<(), Option<Rejected>> {
    let known = find(intake, serial).await;
    let verified = known.is_some();
    let sender = Sender { serial: serial.to_owned(), known, verified, region: None };
    let mut said = Said::default();
    if read.kind == "alarm" {
        said.events.push("sos".to_owned());
    }
    let (send, stored) = oneshot::channel();
    let done = Box::new(move |outcome| {
        let _ = send.send(outcome);
    });
    match sender.says(Some(intake), &said, Protocol::Scaip, intake.now().0, raw) {
        Becomes::TooMany { say } => {
            too_many(intake, scaip::PROTOCOL, serial, ("", say), raw);
            return Err(None);
        }
        Becomes::Reading(reading, _) => {
            let mut batch = Batch::default();
            batch.push(reading, raw);
            intake.take_readings(batch, done);
        }
        Becomes::Alarms(alarms) => intake.take_alarms(alarms, done),
        Becomes::Unproved => return Err(Some(because(scaip::PROTOCOL, "unknown_device", "设备号未登记"))),
    }
    match stored.await {
        Ok(Ok(())) => Ok(()),
        _ => Err(None),
    }
}

/// Answers given of late, by the digest of the whole request and where it came from: two units may well give their
/// messages the same numbers.
#[derive(Default)]
struct Answered {
    answers: HashMap<[u8; 32], (At, Vec<Vec<u8>>)>,
    order: VecDeque<[u8; 32]>,
}

impl Answered {
    fn find(&self, key: &[u8; 32], now: At) -> Option<Vec<Vec<u8>>> {
        let (at, answers) = self.answers.get(key)?;
        (now.seconds_since(*at) <= REMEMBERED_SECONDS).then(|| answers.clone())
    }

    fn keep(&mut self, key: [u8; 32], now: At, answers: Vec<Vec<u8>>) {
        if self.answers.insert(key, (now, answers)).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
    }
}
