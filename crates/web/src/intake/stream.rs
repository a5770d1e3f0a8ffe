//! Watches, fire devices and gateways of meters: frames in a TCP stream, cut apart by the decoders, answered in their own
//! words. Meters are answered nothing: their protocol has no word for it.
//!
//! None of these protocols has a secret. A sender is who it says it is only as far as its number is registered; what an
//! unknown number sends is taken when it is an alarm, marked as not verified, and refused otherwise.

use std::{net::SocketAddr, time::Duration};

use app::signals::intake::{Batch, Intake, NotTaken};
use domain::{
    signals::{
        Rejected, cjt188,
        device::{DeviceKind, Protocol},
        gb26875,
        sighting::SightingKind,
        watch,
    },
    time::At,
};
use tokio::{io::AsyncWriteExt as _, sync::mpsc};

use super::{
    FIRST_WORD, Wire, read_some,
    sender::{Becomes, Said, Sender, because, find, reject, too_many},
};

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Watch,
    Fire,
    Meter,
}

/// Bytes kept of a frame that is not yet whole.
const BUFFER_MAX: usize = 256 * 1024;
/// Frames that may wait for the disk before the stream is read on.
const WAITING_MAX: usize = 1_024;
/// Devices of both kinds speak each few minutes; a line that is silent for so long is dead.
const SILENCE: Duration = Duration::from_secs(30 * 60);
/// The reason of a reading beyond its device's share.
const TOO_MANY: &str = "rate";
/// Noise is told once in so many bytes, not once a byte.
const NOISE_EVERY: usize = 64 * 1024;

/// A frame that came off the disk's queue: its answer, and whether it was stored.
struct Stored {
    answer: Option<Vec<u8>>,
    outcome: Result<(), NotTaken>,
}

/// One whole frame, read.
struct Frame {
    serial: String,
    said: Said,
    answer: Option<Vec<u8>>,
}

/// Serves one connection to its end.
pub(super) async fn serve<W: Wire>(mut wire: W, peer: SocketAddr, intake: Intake, language: Language) {
    let (send, mut stored) = mpsc::unbounded_channel::<Stored>();
    let mut line = Line { intake, peer: peer.to_string(), language, send, waiting: 0, noise: 0 };
    let mut buffer: Vec<u8> = Vec::with_capacity(4 * 1024);
    let (mut out, mut heard): (Vec<u8>, bool) = (Vec::new(), false);
    loop {
        tokio::select! {
            Some(one) = stored.recv() => {
                line.waiting -= 1;
                if one.outcome.is_ok() {
                    out.extend(one.answer.unwrap_or_default());
                }
            }
            read = tokio::time::timeout(
                if heard { SILENCE } else { FIRST_WORD },
                read_some(&mut wire, &mut buffer),
            ),
                if line.waiting < WAITING_MAX =>
            {
                if !matches!(read, Ok(Ok(n)) if n > 0) {
                    break;
                }
                heard = true;
                line.frames(&mut buffer, &mut out).await;
            }
        }
        if !out.is_empty() {
            if wire.write_all(&out).await.is_err() {
                break;
            }
            out.clear();
        }
    }
    // What waits for the disk is stored whether or not anybody is left to be told.
}

struct Line {
    intake: Intake,
    peer: String,
    language: Language,
    send: mpsc::UnboundedSender<Stored>,
    waiting: usize,
    noise: usize,
}

impl Line {
    /// Takes every whole frame off the front of the buffer.
    async fn frames(&mut self, buffer: &mut Vec<u8>, out: &mut Vec<u8>) {
        let mut used = 0;
        loop {
            let (bytes, frame) = match self.language {
                Language::Watch => watch::next_frame(&buffer[used..]),
                Language::Fire => gb26875::next_frame(&buffer[used..]),
                Language::Meter => cjt188::next_frame(&buffer[used..]),
            };
            let frame = frame.map(<[u8]>::to_vec);
            let noise = bytes - frame.as_ref().map_or(0, Vec::len).min(bytes);
            if noise > 0 {
                self.noise(&buffer[used..used + noise]);
            }
            used += bytes;
            match frame {
                Some(frame) => self.frame(&frame, out).await,
                None if bytes == 0 => break,
                None => {}
            }
        }
        buffer.drain(..used);
        if buffer.len() > BUFFER_MAX {
            self.noise(buffer);
            buffer.clear();
        }
    }

    /// Bytes between frames: told, but not byte by byte.
    fn noise(&mut self, bytes: &[u8]) {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        if self.noise == 0 || self.noise > NOISE_EVERY {
            self.noise = 0;
            self.reject("", &because(self.protocol_name(), "noise", "帧与帧之间有无法识别的数据"), bytes);
        }
        self.noise += bytes.len();
    }

    fn protocol_name(&self) -> &'static str {
        match self.language {
            Language::Watch => watch::PROTOCOL,
            Language::Fire => gb26875::PROTOCOL,
            Language::Meter => cjt188::PROTOCOL,
        }
    }

    async fn frame(&mut self, raw: &[u8], out: &mut Vec<u8>) {
        let read = match self.language {
            Language::Watch => read_watch(raw),
            Language::Fire => read_fire(raw),
            Language::Meter => read_meter(raw),
        };
        let frame = match read {
            Ok(frame) => frame,
            Err(rejected) => {
                self.reject("", &rejected, raw);
                if self.language == Language::Fire {
                    out.extend(gb26875::answer(raw, false).unwrap_or_default());
                }
                return;
            }
        };
        if let Err(rejected) = self.keep(&frame, raw).await {
            if rejected.error != TOO_MANY {
                self.reject(&frame.serial, &rejected, raw);
            }
            // A watch that nobody registered is answered all the same, or it would ask for ever.
            out.extend(match self.language {
                Language::Watch => frame.answer.unwrap_or_default(),
                Language::Fire => gb26875::answer(raw, false).unwrap_or_default(),
                Language::Meter => Vec::new(),
            });
        }
    }

    async fn keep(&mut self, frame: &Frame, raw: &[u8]) -> Result<(), Rejected> {
        let (kind, protocol) = match self.language {
            Language::Watch => (DeviceKind::Watch, Protocol::Watch),
            Language::Fire => (DeviceKind::Fire, Protocol::Gb26875),
            Language::Meter => (DeviceKind::Meter, Protocol::Cjt188),
        };
        let known = find(&self.intake, &frame.serial).await;
        // The number of a device that proves itself elsewhere is no proof here.
        let verified = known.as_ref().is_some_and(|known| known.kind == kind);
        let sender = Sender { serial: frame.serial.clone(), known, verified, region: None };
        let (answer, send) = (frame.answer.clone(), self.send.clone());
        let done = Box::new(move |outcome| drop(send.send(Stored { answer, outcome })));
        match sender.says(Some(&self.intake), &frame.said, protocol, self.intake.now().0, raw) {
            Becomes::Reading(reading, counted) => {
                let mut batch = Batch::default();
                batch.push_counted(reading, counted, raw);
                self.waiting += 1;
                self.intake.take_readings(batch, done);
                Ok(())
            }
            Becomes::Alarms(alarms) => {
                self.waiting += 1;
                self.intake.take_alarms(alarms, done);
                Ok(())
            }
            Becomes::TooMany { say } => {
                let from = (self.peer.as_str(), say);
                Err(too_many(&self.intake, self.protocol_name(), &frame.serial, from, raw))
            }
            Becomes::Unproved => Err(because(self.protocol_name(), "unknown_device", "设备号未登记")),
        }
    }

    fn reject(&self, serial: &str, rejected: &Rejected, raw: &[u8]) {
        reject(&self.intake, serial, &self.peer, rejected, raw);
    }
}

/// Who speaks in a whole frame, and what it says.
pub(super) fn says(language: Language, raw: &[u8]) -> Result<(String, Said), Rejected> {
    let frame = match language {
        Language::Watch => read_watch(raw)?,
        Language::Fire => read_fire(raw)?,
        Language::Meter => read_meter(raw)?,
    };
    Ok((frame.serial, frame.said))
}

fn read_watch(raw: &[u8]) -> Result<Frame, Rejected> {
    let frame = watch::decode(raw)?;
    let seq = frame.index.and_then(|index| i64::from_str_radix(index, 16).ok());
    let mut said = Said { seq, ..Said::default() };
    match &frame.body {
        watch::Body::Heartbeat { battery_pct, .. } => said.battery = percent(*battery_pct),
        watch::Body::Position(position) | watch::Body::Alarm(position) => {
            said.battery = percent(position.battery_pct);
            said.device_at = position.time_utc.as_deref().and_then(At::parse);
            if matches!(frame.body, watch::Body::Alarm(_)) {
                said.events = position.alarms.iter().map(|alarm| (*alarm).to_owned()).collect();
            }
            if let (true, Some(lat), Some(lon)) = (position.fix_valid, position.lat, position.lon) {
                said.text = format!("位置 {lon:.5},{lat:.5}");
            }
        }
        watch::Body::Vital { heart_rate: Some(1..), .. } => said.trace = Some(SightingKind::Motion),
        _ => {}
    }
    // A counter begins again when the watch does, so it tells frames apart only together with a time.
    if said.device_at.is_none() {
        said.seq = None;
    }
    let answer = frame.reply.map(String::into_bytes);
    Ok(Frame { serial: frame.device_id.to_owned(), said, answer })
}

fn percent(n: Option<i64>) -> Option<u8> {
    n.and_then(|n| u8::try_from(n).ok()).filter(|n| *n <= 100)
}

fn read_fire(raw: &[u8]) -> Result<Frame, Rejected> {
    let frame = gb26875::decode(raw)?;
    let objects = frame.app.as_ref().map_or(&[][..], |unit| &unit.objects);
    let on_fire = objects.iter().any(|object| object.flags.as_ref().is_some_and(|f| f.contains(&"fire")));
    let place = objects.iter().find_map(|object| object.text.clone()).unwrap_or_default();
    let said = Said {
        seq: Some(i64::from(frame.seq)),
        device_at: frame.time.as_deref().and_then(At::parse),
        events: on_fire.then(|| "fire".to_owned()).into_iter().collect(),
        text: place,
        ..Said::default()
    };
    Ok(Frame { serial: frame.source_addr_hex, said, answer: gb26875::answer(raw, true) })
}

/// Only what a meter says counts: a gateway that listens on the wire hears the questions too.
fn read_meter(raw: &[u8]) -> Result<Frame, Rejected> {
    let frame = cjt188::decode(raw)?;
    if !frame.from_meter {
        return Err(because(cjt188::PROTOCOL, "direction", "这是发给表具的命令，应上传表具的应答帧"));
    }
    let said =
        Said { device_at: frame.meter_time().and_then(At::parse), total: frame.water(), ..Said::default() };
    Ok(Frame { serial: frame.address.to_string(), said, answer: None })
}
