//! Identities as types, so that an order can never be passed where a person is meant.
//!
//! An id is a positive 63-bit number that grows with time (see docs/decisions/0002-ids.md). In JSON it is a string,
//! because JavaScript loses digits above 2^53.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The text is not an id: ids are decimal digits, at most 19 of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("编号应为一串数字")]
pub struct NotAnId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                text.parse().ok().filter(|n| *n > 0).map(Self).ok_or(NotAnId)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                String::deserialize(input)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// Someone who signs in.
    AccountId,
    /// A post: one account in one role over one region range.
    PostId,
    /// A person on the register, usually an elder.
    PersonId,
    /// Someone to call for a person.
    ContactId,
    /// A dated fact about a person.
    FactId,
    /// An organisation under contract that serves elders.
    ProviderId,
    /// A worker of a provider who visits homes.
    CarerId,
    /// A telephone call to the hotline.
    CallId,
    /// One service for one elder at one time.
    OrderId,
    /// The asking of one carer to take one order.
    OfferId,
    /// A person's right under a programme for one month.
    EntitlementId,
    /// An account of the ledger.
    LedgerId,
    /// A transfer between two ledger accounts.
    TransferId,
    /// What one settled order paid and who paid it.
    SettlementId,
    /// A provider's month, made, checked and paid by three people.
    StatementId,
    /// A photograph kept as proof.
    PhotoId,
    /// The reading of one uploaded file.
    ImportId,
    /// A token a program uses instead of a password.
    TokenId,
    /// Somebody being signed in on one device.
    SessionId,
    /// A device that reports for a person or a place.
    DeviceId,
    /// An incident: something that has to be answered until it is closed with an outcome.
    IncidentId,
    /// A standing duty to visit a person.
    VisitDutyId,
    /// Somebody sent to a door for an incident.
    ErrandId,
    /// Somebody called or written to for an incident.
    ReachId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_positive_digits_are_an_id() {
        assert_eq!("42".parse(), Ok(PersonId(42)));
        for bad in ["", "0", "-1", "x", "99999999999999999999"] {
            assert_eq!(bad.parse::<PersonId>(), Err(NotAnId), "{bad}");
        }
    }
}
