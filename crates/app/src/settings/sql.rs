//! Rows of settings.

use crate::{
    p,
    store::{Fault, Tx},
};

crate::statements! {
    FIND = "SELECT value FROM setting WHERE name = ?1";
    SET = "INSERT INTO setting (name, value) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    LAST_ID = "SELECT MAX(id) FROM (SELECT MAX(id) AS id FROM account
            UNION ALL SELECT MAX(id) FROM post
            UNION ALL SELECT MAX(id) FROM api_token
            UNION ALL SELECT MAX(id) FROM person
            UNION ALL SELECT MAX(id) FROM person_fact
            UNION ALL SELECT MAX(id) FROM contact
            UNION ALL SELECT MAX(id) FROM import
            UNION ALL SELECT MAX(id) FROM provider
            UNION ALL SELECT MAX(id) FROM carer
            UNION ALL SELECT MAX(id) FROM entitlement
            UNION ALL SELECT MAX(id) FROM ledger_account
            UNION ALL SELECT MAX(id) FROM ledger_transfer
            UNION ALL SELECT MAX(id) FROM call
            UNION ALL SELECT MAX(id) FROM orders
            UNION ALL SELECT MAX(id) FROM offer
            UNION ALL SELECT MAX(id) FROM reach
            UNION ALL SELECT MAX(id) FROM photo
            UNION ALL SELECT MAX(id) FROM settlement
            UNION ALL SELECT MAX(id) FROM statement
            UNION ALL SELECT MAX(id) FROM device
            UNION ALL SELECT MAX(id) FROM alarm_frame
            UNION ALL SELECT MAX(id) FROM reading_batch
            UNION ALL SELECT MAX(id) FROM rejected_frame
            UNION ALL SELECT MAX(id) FROM incident
            UNION ALL SELECT MAX(id) FROM server_window
            UNION ALL SELECT MAX(id) FROM silence
            UNION ALL SELECT MAX(id) FROM device_silence
            UNION ALL SELECT MAX(id) FROM visit_duty
            UNION ALL SELECT MAX(id) FROM visit_try
            UNION ALL SELECT MAX(id) FROM duty_leave
            UNION ALL SELECT MAX(id) FROM errand
            UNION ALL SELECT MAX(id) FROM meter) AS given";
}

/// The last id any row has; each table's is the end of its key.
pub(super) fn last_id(tx: &mut Tx<'_>) -> Result<Option<i64>, Fault> {
    tx.one(LAST_ID, &[], |row| row.get(0))
}

pub(super) fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>, Fault> {
    tx.find(FIND, p![name], |row| row.get(0))
}

pub(super) fn set(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<(), Fault> {
    tx.execute_one(SET, p![name, value])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// A table that is left out here could be given an id twice after a restart.
    #[test]
    fn every_table_with_an_id_of_ours_is_asked_for_its_last() {
        let mut with_ids = BTreeSet::new();
        let mut table = "";
        for line in crate::store::schema_lines() {
            if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
                table = rest.trim_end_matches(" (");
            } else if line.trim_start().starts_with("id BIGINT PRIMARY KEY") {
                with_ids.insert(table);
            }
        }
        let asked: BTreeSet<&str> =
            super::LAST_ID.split("FROM ").filter_map(|part| part.split([' ', '\n', ')']).next()).collect();
        let missing: Vec<_> = with_ids.difference(&asked).collect();
        assert!(with_ids.len() > 20 && missing.is_empty(), "{missing:?}");
    }
}
