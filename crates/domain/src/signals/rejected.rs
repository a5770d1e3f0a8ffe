//! Why a frame was not taken, in words a device maker can act on.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap as _};

/// A refused frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Name of the protocol.
    pub protocol: &'static str,
    /// Stable name of the reason.
    pub error: &'static str,
    /// What was found; of `missing` the names of what was not, between commas.
    pub got: Option<String>,
    /// What should have been found.
    pub want: Option<String>,
    /// The sentence.
    pub reason: String,
}

/// The reason whose finding is a list of names.
const MISSING: &str = "missing";

impl Rejected {
    pub(super) fn new(protocol: &'static str, error: &'static str, reason: impl Into<String>) -> Rejected {
        Rejected { protocol, error, got: None, want: None, reason: reason.into() }
    }

    pub(super) fn checksum(protocol: &'static str, got: u8, want: u8) -> Rejected {
        Rejected {
            protocol,
            error: "checksum",
            got: Some(format!("{got:02X}")),
            want: Some(format!("{want:02X}")),
            reason: format!("校验和不符：帧内为 {got:02X}，按内容计算应为 {want:02X}"),
        }
    }

    pub(super) fn missing(protocol: &'static str, fields: &[&str]) -> Rejected {
        let reason = format!("缺少内容：{}", fields.join("、"));
        Rejected { got: Some(fields.join(",")), ..Rejected::new(protocol, MISSING, reason) }
    }

    /// Says what was found and what should have been, also in the sentence.
    pub(super) fn found(mut self, got: impl Into<String>, want: impl Into<String>) -> Rejected {
        let (got, want) = (got.into(), want.into());
        self.reason = format!("{}：收到 {got}，应为 {want}", self.reason);
        (self.got, self.want) = (Some(got), Some(want));
        self
    }
}

impl fmt::Display for Rejected {
    /// The sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Serialize for Rejected {
    /// Protocol and name of the reason, then what says more: a sum tells all by what was found and what is right, missing
    /// fields by their names, anything else by its sentence too.
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        map.serialize_entry("protocol", self.protocol)?;
        map.serialize_entry("error", self.error)?;
        if self.error == MISSING {
            let names = self.got.as_deref().unwrap_or_default();
            map.serialize_entry("fields", &names.split(',').collect::<Vec<_>>())?;
            return map.end();
        }
        if let Some(got) = &self.got {
            map.serialize_entry("got", got)?;
        }
        if let Some(want) = &self.want {
            map.serialize_entry("want", want)?;
        }
        if self.error != "checksum" {
            map.serialize_entry("reason", &self.reason)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_what_was_found_and_what_is_right() {
        let sum = Rejected::checksum("cjt188", 8, 0x13);
        assert_eq!(sum.to_string(), "校验和不符：帧内为 08，按内容计算应为 13");
        let length = Rejected::new("cjt188", "length", "帧的字节数与长度字节不符").found("33", "35");
        assert_eq!(length.to_string(), "帧的字节数与长度字节不符：收到 33，应为 35");
        let missing = Rejected::missing("scaip", &["ref", "cid"]);
        assert_eq!(missing.to_string(), "缺少内容：ref、cid");
        let json = serde_json::json!({"protocol": "scaip", "error": "missing", "fields": ["ref", "cid"]});
        assert_eq!(serde_json::to_value(&missing).unwrap(), json);
    }
}
