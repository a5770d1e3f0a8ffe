//! Signals and what they lead to.
//!
//! Wire decoders: bytes in, one event or one reason out. One file a protocol; nothing here allocates more than a small
//! multiple of its input, and nothing panics on any input. `incident` and `ladder` decide what becomes of an alarm.

pub mod alarm;
pub mod cjt188;
pub mod device;
pub mod fhir;
pub mod gb26875;
pub mod incident;
pub mod ladder;
pub mod mqtt;
pub mod scaip;
pub mod sighting;
pub mod silence;
pub mod watch;

/// Why a frame was not taken, in words a device maker can act on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Rejected {
    /// Name of the protocol.
    pub protocol: &'static str,
    /// Stable name of the reason.
    pub error: &'static str,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub got: Option<String>,
    /// What should have been found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub want: Option<String>,
    /// The sentence.
    pub reason: String,
}

impl Rejected {
    pub(crate) fn new(protocol: &'static str, error: &'static str, reason: impl Into<String>) -> Rejected {
        Rejected { protocol, error, got: None, want: None, reason: reason.into() }
    }

    pub(crate) fn checksum(protocol: &'static str, got: u8, want: u8) -> Rejected {
        Rejected {
            protocol,
            error: "checksum",
            got: Some(format!("{got:02X}")),
            want: Some(format!("{want:02X}")),
            reason: format!("校验和不符：帧内为 {got:02X}，按内容计算应为 {want:02X}"),
        }
    }
}

/// Upper-case hex without blanks.
pub(crate) fn hex(bytes: impl IntoIterator<Item = u8>) -> String {
    use std::fmt::Write as _;
    bytes.into_iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02X}");
        out
    })
}
