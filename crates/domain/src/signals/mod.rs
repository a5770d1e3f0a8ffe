//! Signals and what they lead to.
//!
//! Wire decoders: bytes in, one event or one reason out. One file a protocol; nothing here allocates more than a small
//! multiple of its input, and nothing panics on any input. [`feed`] reads whole captures line by line. `incident` and
//! `ladder` decide what becomes of an alarm.

pub mod alarm;
pub mod answering;
pub mod cjt188;
pub mod device;
pub mod errand;
pub mod feed;
pub mod fhir;
pub mod gb26875;
pub mod incident;
pub mod ladder;
pub mod mqtt;
pub mod reach;
mod rejected;
pub mod rounds;
pub mod scaip;
pub mod sighting;
pub mod silence;
mod values;
pub mod watch;
pub mod water;

pub use rejected::Rejected;
use values::{CITY, clock_text};
pub use values::{Hex, HexBytes};

/// What stands at the beginning of a stream.
enum Head<'a> {
    /// Start, length and end fit together; what is inside may still be refused.
    Frame(&'a [u8]),
    /// The beginning of a frame whose end has not come yet.
    Short,
    /// No frame begins here.
    Noise,
}

/// Takes the first frame off a stream: `(bytes used, frame)`. Noise before it is used up and is what the bytes used are
/// more than the frame; without a frame, what is not used may become one when more comes.
///
/// A frame that is not sound (a wrong sum) may be half of one with a whole one behind it: its length then reaches into
/// the next. It is cut where a sound one begins, so that the bad one is refused and the good one still found.
fn next_frame(
    stream: &[u8],
    head: impl Fn(&[u8]) -> Head<'_>,
    sound: impl Fn(&[u8]) -> bool,
) -> (usize, Option<&[u8]>) {
    let length = |at: usize| match head(&stream[at..]) {
        Head::Frame(frame) => Ok(frame.len()),
        Head::Short => Err(true),
        Head::Noise => Err(false),
    };
    let mut at = 0;
    while at < stream.len() {
        match length(at) {
            Ok(whole) => {
                let frame = &stream[at..at + whole];
                if sound(frame) {
                    return (at + whole, Some(frame));
                }
                let behind = |n: &usize| length(at + n).is_ok_and(|len| sound(&stream[at + n..at + n + len]));
                let cut = (1..whole).find(behind).unwrap_or(whole);
                return (at + cut, Some(&stream[at..at + cut]));
            }
            Err(true) => return (at, None),
            Err(false) => at += 1,
        }
    }
    (at, None)
}
