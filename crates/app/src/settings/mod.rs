//! Settings of the installation: few named words, each read where it counts.

mod sql;

use crate::store::{Fault, Tx};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// Whether identity numbers of the county part 99, which no real card carries, are taken; `yes` in demo and test only.
pub const ALLOW_TEST_REGIONS: &str = "allow_test_regions";

/// Whether this is a demonstration, whose visitors sign in as one of its people; `yes` in demo and test only.
pub const DEMO: &str = "demo";

/// The value of a setting.
pub fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>, Fault> {
    sql::find(tx, name)
}

/// Gives a setting its value.
pub fn set(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<(), Fault> {
    sql::set(tx, name, value)
}

/// The version that stands under a name, 0 before there is one; asked once in a transaction.
pub(crate) fn version(tx: &mut Tx<'_>, name: &'static str) -> Result<i64, Fault> {
    if let Some((_, version)) = tx.read_once().iter().find(|(known, _)| *known == name) {
        return Ok(*version);
    }
    let version = find(tx, name)?.and_then(|text| text.parse().ok()).unwrap_or(0);
    tx.read_once().push((name, version));
    Ok(version)
}

/// Notes a new version: an id, so that no two contents ever share one.
pub(crate) fn set_version(tx: &mut Tx<'_>, name: &'static str, version: i64) -> Result<(), Fault> {
    tx.read_once().retain(|(known, _)| *known != name);
    set(tx, name, &version.to_string())
}

/// Whether a setting says `yes`.
pub fn yes(tx: &mut Tx<'_>, name: &str) -> Result<bool, Fault> {
    Ok(find(tx, name)?.as_deref() == Some("yes"))
}

/// The last id any row has, for a store that opens: ids are not given twice, however the clock was set meanwhile.
pub(crate) fn last_id(tx: &mut Tx<'_>) -> Result<Option<i64>, Fault> {
    sql::last_id(tx)
}
