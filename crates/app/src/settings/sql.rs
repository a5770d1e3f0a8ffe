//! Rows of settings.

use crate::{
    p,
    store::{Fault, Tx},
};

crate::statements! {
    FIND = "SELECT value FROM setting WHERE name = ?1";
    SET = "INSERT INTO setting (name, value) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
}

pub(super) fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>, Fault> {
    tx.find(FIND, p![name], |row| row.get(0))
}

pub(super) fn set(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<(), Fault> {
    tx.execute_one(SET, p![name, value])
}
