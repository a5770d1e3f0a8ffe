//! Requests that carry a key happen once: a repeat gets the first answer.

mod sql;

use domain::{ids::AccountId, time::Now};

use crate::store::{Fault, Tx};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// The first answer under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Digest of the request that got it.
    pub request_hash: [u8; 32],
    /// HTTP status.
    pub status: i64,
    /// Body.
    pub body: String,
}

/// The answer an account was given under this key.
pub fn find(tx: &mut Tx<'_>, account: AccountId, key: &str) -> Result<Option<Kept>, Fault> {
    sql::find(tx, account, key)
}

/// Keeps an answer in the transaction of the command it belongs to.
pub fn keep(
    tx: &mut Tx<'_>,
    account: AccountId,
    key: &str,
    request_hash: [u8; 32],
    status: i64,
    body: &str,
    now: Now,
) -> Result<(), Fault> {
    sql::keep(tx, account, key, &Kept { request_hash, status, body: body.to_owned() }, now.0)
}
