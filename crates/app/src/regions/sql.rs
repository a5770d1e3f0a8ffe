//! Rows of regions.

use domain::{
    regions::{Level, RegionCode},
    time::Day,
};

use super::Region;
use crate::{
    p,
    store::{Fault, Tx},
};

crate::statements! {
    ALL_REGIONS = "SELECT code, level, name, parent, valid_from, valid_to, successor FROM region ORDER BY code, valid_from";
    INSERT = "INSERT INTO region (code, valid_from, valid_to, level, name, parent, successor)
        VALUES (?1, ?2, NULL, ?3, ?4, ?5, NULL)
        ON CONFLICT (code, valid_from) DO UPDATE SET name = excluded.name, parent = excluded.parent";
    CLOSE = "UPDATE region SET valid_to = ?2, successor = ?3 WHERE code = ?1 AND valid_to IS NULL AND valid_from < ?2";
}

pub(super) fn all(tx: &mut Tx<'_>) -> Result<Vec<Region>, Fault> {
    tx.all(ALL_REGIONS, p![], |row| {
        let level: i64 = row.get(1)?;
        let parent: i64 = row.get(3)?;
        Ok(Region {
            code: row.get(0)?,
            level: Level::from_number(level)
                .ok_or_else(|| Fault::other(format!("{level} is no level of a region")))?,
            name: row.get(2)?,
            parent: RegionCode::new(parent).ok(),
            from: row.get(4)?,
            to: row.get(5)?,
            successor: row.get(6)?,
        })
    })
}

pub(super) fn insert(
    tx: &mut Tx<'_>,
    code: RegionCode,
    from: Day,
    name: &str,
    parent: Option<RegionCode>,
) -> Result<(), Fault> {
    let parent = parent.map_or(0, RegionCode::number);
    tx.execute_one(INSERT, p![code, from.to_string(), code.level().number(), name, parent])
}

/// How many rows were closed: none when the region is not open or began on or after that day.
pub(super) fn close(
    tx: &mut Tx<'_>,
    code: RegionCode,
    to: Day,
    successor: Option<RegionCode>,
) -> Result<u64, Fault> {
    tx.execute(CLOSE, p![code, to.to_string(), successor])
}
