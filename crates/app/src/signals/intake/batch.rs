//! What a connection hands over: readings gathered for one commit, alarms one by one, and how readings lie in a row.
//!
//! A row of `reading_batch` holds many frames, because a row for each with an index by device costs thirty times as
//! much (docs/decisions/0009-device-readings.md). A frame in a body is: its key (8 bytes), device (8), arrival as
//! microseconds after the batch's first (varint), protocol (1), flags (1), device time (8, if told), counter (8, if
//! told), battery (1, if told), length (varint), bytes as they came. Numbers are little-endian.

use domain::{
    ids::{DeviceId, PersonId},
    regions::RegionCode,
    signals::{
        device::Protocol,
        incident::{IncidentKind, Level},
        sighting::SightingKind,
    },
    time::At,
};

use crate::{signals::meters, store::Fault};

/// One frame that opens no incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// From which device.
    pub device: DeviceId,
    /// Whom it watches.
    pub person: Option<PersonId>,
    /// In which language.
    pub protocol: Protocol,
    /// When it reached us.
    pub received_at: At,
    /// When the device says it was.
    pub device_at: Option<At>,
    /// The device's counter.
    pub seq: Option<i64>,
    /// Percent.
    pub battery: Option<u8>,
    /// The trace of life it leaves.
    pub trace: Option<SightingKind>,
}

/// A frame that opens an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmFrame {
    /// From which device; none when nobody knows it.
    pub device: Option<DeviceId>,
    /// What it calls itself.
    pub serial: String,
    /// Whom it watches.
    pub person: Option<PersonId>,
    /// Where; the platform's own region when nobody knows.
    pub region: Option<RegionCode>,
    /// In which language.
    pub protocol: Protocol,
    /// What happened.
    pub kind: IncidentKind,
    /// How urgent it is.
    pub level: Level,
    /// The device's counter.
    pub seq: Option<i64>,
    /// When the device says it was.
    pub device_at: Option<At>,
    /// When it reached us.
    pub received_at: At,
    /// Percent left, when it said so.
    pub battery: Option<u8>,
    /// Whether the device proved who it is.
    pub verified: bool,
    /// What the desk reads.
    pub text: String,
    /// As it came.
    pub raw: Vec<u8>,
}

/// Readings on their way into one commit.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) readings: Vec<(Reading, u64, usize)>,
    pub(super) raw: Vec<u8>,
    /// What meters counted, each with the place of its frame.
    pub(super) counted: Vec<(usize, meters::Reading)>,
}

impl Batch {
    /// Adds a frame as it came.
    pub fn push(&mut self, reading: Reading, raw: &[u8]) {
        self.push_counted(reading, None, raw);
    }

    /// Adds a frame as it came, and what a meter counted in it.
    pub fn push_counted(&mut self, reading: Reading, counted: Option<meters::Reading>, raw: &[u8]) {
        self.counted.extend(counted.map(|counted| (self.readings.len(), counted)));
        self.raw.extend_from_slice(raw);
        self.readings.push((reading, key(&reading, raw), raw.len()));
    }

    /// How many frames there are.
    pub fn len(&self) -> usize {
        self.readings.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.readings.is_empty()
    }
}

/// The same for the same frame however often it comes. Frames that tell neither time nor counter are told apart by when
/// they came: two equal heartbeats are two heartbeats.
fn key(reading: &Reading, raw: &[u8]) -> u64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    hash.number(reading.device.0);
    hash.number(reading.seq.unwrap_or(-1));
    hash.number(reading.device_at.map_or(-1, |at| at.0));
    if reading.seq.is_none() && reading.device_at.is_none() {
        hash.number(reading.received_at.0);
    }
    hash.bytes(raw);
    hash.0
}

/// A plain hash; nobody gains by a collision but losing their own reading.
struct Fnv(u64);

impl Fnv {
    fn number(&mut self, n: i64) {
        self.0 = (self.0 ^ n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 29;
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let mut eights = bytes.chunks_exact(8);
        for eight in &mut eights {
            self.number(i64::from_le_bytes(eight.try_into().expect("eight bytes")));
        }
        let mut rest = [0; 8];
        rest[..eights.remainder().len()].copy_from_slice(eights.remainder());
        self.number(i64::from_le_bytes(rest));
        self.number(bytes.len() as i64);
    }
}

const HAS_TIME: u8 = 1;
const HAS_SEQ: u8 = 2;
const HAS_BATTERY: u8 = 4;

/// Writes one frame behind those before it.
pub(super) fn encode(out: &mut Vec<u8>, reading: &Reading, key: u64, first_at: At, raw: &[u8]) {
    out.extend_from_slice(&key.to_le_bytes());
    out.extend_from_slice(&reading.device.0.to_le_bytes());
    varint(out, (reading.received_at.0 - first_at.0).max(0) as u64);
    let protocol = Protocol::ALL.iter().position(|p| *p == reading.protocol).unwrap_or(0);
    out.push(protocol as u8);
    let flag = |there: bool, bit: u8| if there { bit } else { 0 };
    out.push(
        flag(reading.device_at.is_some(), HAS_TIME)
            | flag(reading.seq.is_some(), HAS_SEQ)
            | flag(reading.battery.is_some(), HAS_BATTERY),
    );
    if let Some(at) = reading.device_at {
        out.extend_from_slice(&at.0.to_le_bytes());
    }
    if let Some(seq) = reading.seq {
        out.extend_from_slice(&seq.to_le_bytes());
    }
    out.extend(reading.battery);
    varint(out, raw.len() as u64);
    out.extend_from_slice(raw);
}

fn varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// A frame as it lies in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored<'a> {
    /// The same for the same frame.
    pub key: u64,
    /// From which device.
    pub device: DeviceId,
    /// When it reached us.
    pub received_at: At,
    /// In which language.
    pub protocol: Protocol,
    /// When the device says it was.
    pub device_at: Option<At>,
    /// The device's counter.
    pub seq: Option<i64>,
    /// Percent.
    pub battery: Option<u8>,
    /// As it came.
    pub raw: &'a [u8],
}

/// The frames of a row's body, in the order they came.
pub fn frames(body: &[u8], first_at: At) -> impl Iterator<Item = Result<Stored<'_>, Fault>> {
    let mut left = Left(body);
    std::iter::from_fn(move || {
        if left.0.is_empty() {
            return None;
        }
        let frame = left.frame(first_at).ok_or_else(|| Fault::other("a batch of readings is cut off"));
        if frame.is_err() {
            left.0 = &[];
        }
        Some(frame)
    })
}

struct Left<'a>(&'a [u8]);

impl<'a> Left<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    fn eight(&mut self) -> Option<[u8; 8]> {
        self.take(8)?.try_into().ok()
    }

    fn varint(&mut self) -> Option<u64> {
        let mut n = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(n);
            }
        }
        None
    }

    fn frame(&mut self, first_at: At) -> Option<Stored<'a>> {
        let key = u64::from_le_bytes(self.eight()?);
        let device = DeviceId(i64::from_le_bytes(self.eight()?));
        let received_at = At(first_at.0 + i64::try_from(self.varint()?).ok()?);
        let protocol = *Protocol::ALL.get(usize::from(self.take(1)?[0]))?;
        let flags = self.take(1)?[0];
        let mut number = |bit: u8| -> Option<Option<i64>> {
            if flags & bit == 0 { Some(None) } else { Some(Some(i64::from_le_bytes(self.eight()?))) }
        };
        let device_at = number(HAS_TIME)?.map(At);
        let seq = number(HAS_SEQ)?;
        let battery = if flags & HAS_BATTERY == 0 { None } else { Some(self.take(1)?[0]) };
        let length = usize::try_from(self.varint()?).ok()?;
        let raw = self.take(length)?;
        Some(Stored { key, device, received_at, protocol, device_at, seq, battery, raw })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(n: i64) -> Reading {
        Reading {
            device: DeviceId(n),
            person: None,
            protocol: Protocol::Watch,
            received_at: At(1_000_000 + n),
            device_at: (n % 2 == 0).then_some(At(n)),
            seq: (n % 3 == 0).then_some(n),
            battery: (n % 5 == 0).then_some(77),
            trace: None,
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut body = Vec::new();
        for n in 1..300 {
            let raw = vec![n as u8; n as usize];
            encode(&mut body, &reading(n), key(&reading(n), &raw), At(1_000_000), &raw);
        }
        let read: Vec<_> = frames(&body, At(1_000_000)).map(Result::unwrap).collect();
        assert_eq!(read.len(), 299);
        for (n, frame) in (1..300).zip(&read) {
            let was = reading(n);
            assert_eq!((frame.device, frame.received_at, frame.seq), (was.device, was.received_at, was.seq));
            assert_eq!(
                (frame.device_at, frame.battery, frame.raw.len()),
                (was.device_at, was.battery, n as usize)
            );
        }
        assert!(frames(&body[..body.len() - 1], At(0)).last().unwrap().is_err(), "a cut is seen");
    }

    #[test]
    fn the_same_frame_has_the_same_key_and_another_has_not() {
        let one = Reading { seq: Some(7), ..reading(2) };
        let later = Reading { received_at: At(9), ..one };
        assert_eq!(key(&one, b"x"), key(&later, b"x"));
        for other in [Reading { seq: Some(8), ..one }, Reading { device: DeviceId(3), ..one }] {
            assert_ne!(key(&one, b"x"), key(&other, b"x"));
        }
        assert_ne!(key(&one, b"x"), key(&one, b"y"));
        let beat = Reading { seq: None, device_at: None, ..one };
        assert_ne!(key(&beat, b"LK"), key(&Reading { received_at: At(9), ..beat }, b"LK"));
    }
}
