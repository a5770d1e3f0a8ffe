//! Rows of kept answers.

use domain::{ids::AccountId, time::At};

use super::Kept;
use crate::{
    p,
    store::{Fault, Tx},
};

crate::statements! {
    FIND = "SELECT request_hash, status, body FROM idempotency WHERE account = ?1 AND key = ?2";
    KEEP = "INSERT INTO idempotency (account, key, request_hash, status, body, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
}

pub(super) fn find(tx: &mut Tx<'_>, account: AccountId, key: &str) -> Result<Option<Kept>, Fault> {
    tx.find(FIND, p![account, key], |row| {
        let hash: Vec<u8> = row.get(0)?;
        let request_hash = hash.try_into().map_err(|_| Fault::other("a request hash has 32 bytes"))?;
        Ok(Kept { request_hash, status: row.get(1)?, body: row.get(2)? })
    })
}

pub(super) fn keep(tx: &mut Tx<'_>, account: AccountId, key: &str, kept: &Kept, at: At) -> Result<(), Fault> {
    tx.execute_one(KEEP, p![account, key, kept.request_hash, kept.status, kept.body, at])
}
