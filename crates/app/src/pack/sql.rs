//! Rows of the catalogue and of programmes, as a pack is installed.

use domain::time::Day;

use super::{
    Funder, Service,
    install::{ProgrammeRow, Version},
};
use crate::{
    p,
    store::{Fault, Row, Tx},
};

crate::statements! {
    COUNT_ITEMS = "SELECT COUNT(*) FROM service_item";
    OPEN_ITEMS = "SELECT code, valid_from, category, name, help_kind, unit, minutes_std, minutes_min, price_fen, workers,
            same_sex, who_may, one_of_them, evidence, contraindication, price_low_fen, price_high_fen
        FROM service_item WHERE valid_to IS NULL ORDER BY code";
    VERSIONS = "SELECT code, valid_from, category, name, help_kind, unit, minutes_std, minutes_min, price_fen, workers,
            same_sex, who_may, one_of_them, evidence, contraindication, price_low_fen, price_high_fen, valid_to
        FROM service_item WHERE code = ?1 ORDER BY valid_from";
    INSERT_ITEM = "INSERT INTO service_item (code, valid_from, category, name, help_kind, unit, minutes_std, minutes_min,
            price_fen, workers, same_sex, who_may, one_of_them, evidence, contraindication, price_low_fen,
            price_high_fen)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
    END_ITEM = "UPDATE service_item SET valid_to = ?3 WHERE code = ?1 AND valid_from = ?2";
    DROP_ITEM = "DELETE FROM service_item WHERE code = ?1 AND valid_from = ?2";
    PROGRAMMES = "SELECT code, valid_from, valid_to, name, asset, pick_order, covers, rule, status, source
        FROM programme ORDER BY code, valid_from";
    INSERT_PROGRAMME = "INSERT INTO programme (code, valid_from, valid_to, name, asset, pick_order, covers, rule, status,
            source)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    END_PROGRAMME = "UPDATE programme SET valid_to = ?3 WHERE code = ?1 AND valid_from = ?2";
    DESCRIBE_PROGRAMME = "UPDATE programme SET status = ?3, source = ?4 WHERE code = ?1 AND valid_from = ?2";
    DROP_PROGRAMME = "DELETE FROM programme WHERE code = ?1 AND valid_from = ?2";
    FUNDERS = "SELECT funder, level, weight FROM programme_funder
        WHERE programme = ?1 AND valid_from = ?2 ORDER BY funder";
    INSERT_FUNDER = "INSERT INTO programme_funder (programme, valid_from, funder, name, level, weight)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    DROP_FUNDERS = "DELETE FROM programme_funder WHERE programme = ?1 AND valid_from = ?2";
}

pub(super) fn has_items(tx: &mut Tx<'_>) -> Result<bool, Fault> {
    Ok(tx.one(COUNT_ITEMS, p![], |row| row.get::<i64>(0))? > 0)
}

/// Items without an end, with the day their version began.
pub(super) fn open_items(tx: &mut Tx<'_>) -> Result<Vec<(Day, Service)>, Fault> {
    tx.all(OPEN_ITEMS, p![], |row| Ok((row.get(1)?, service(row)?)))
}

/// Every version of an item with its first day and the day after its last.
pub(super) fn versions(tx: &mut Tx<'_>, code: &str) -> Result<Vec<(Service, Day, Option<Day>)>, Fault> {
    tx.all(VERSIONS, p![code], |row| Ok((service(row)?, row.get(1)?, row.get(17)?)))
}

fn service(row: &Row<'_>) -> Result<Service, Fault> {
    let unit: String = row.get(5)?;
    let item = domain::programmes::ServiceItem {
        code: row.get(0)?,
        name: row.get(3)?,
        help_kind: row.get(4)?,
        by_hour: unit == "小时",
        minutes_std: row.get(6)?,
        minutes_min: row.get(7)?,
        unit_price: row.get(8)?,
        workers: row.get(9)?,
        same_sex: row.get(10)?,
        who_may: row.get(11)?,
        one_of_them: row.get(12)?,
        evidence: row.get(13)?,
        contraindication: row.get(14)?,
    };
    Ok(Service { category: row.get(2)?, item, price_low: row.get(15)?, price_high: row.get(16)? })
}

pub(super) fn insert_item(tx: &mut Tx<'_>, from: Day, s: &Service) -> Result<(), Fault> {
    let i = &s.item;
    let unit = if i.by_hour { "小时" } else { "次" };
    tx.execute_one(
        INSERT_ITEM,
        p![
            i.code,
            from.to_string(),
            s.category,
            i.name,
            i.help_kind,
            unit,
            i.minutes_std,
            i.minutes_min,
            i.unit_price,
            i.workers,
            i.same_sex,
            i.who_may,
            i.one_of_them,
            i.evidence,
            i.contraindication,
            s.price_low,
            s.price_high
        ],
    )
}

pub(super) fn end_item(tx: &mut Tx<'_>, code: &str, from: Day, to: Day) -> Result<(), Fault> {
    tx.execute_one(END_ITEM, p![code, from.to_string(), to.to_string()])
}

pub(super) fn drop_item(tx: &mut Tx<'_>, code: &str, from: Day) -> Result<(), Fault> {
    tx.execute_one(DROP_ITEM, p![code, from.to_string()])
}

pub(super) fn programmes(tx: &mut Tx<'_>) -> Result<Vec<ProgrammeRow>, Fault> {
    let mut rows = tx.all(PROGRAMMES, p![], |row| {
        Ok(ProgrammeRow {
            version: Version { code: row.get(0)?, from: row.get(1)? },
            to: row.get(2)?,
            name: row.get(3)?,
            asset: row.get(4)?,
            pick_order: row.get(5)?,
            covers: row.get(6)?,
            rule: row.get(7)?,
            status: row.get(8)?,
            source: row.get(9)?,
            funders: Vec::new(),
        })
    })?;
    for one in &mut rows {
        one.funders = tx.all(FUNDERS, p![one.version.code, one.version.from.to_string()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    }
    Ok(rows)
}

pub(super) fn insert_programme(tx: &mut Tx<'_>, one: &ProgrammeRow, funders: &[Funder]) -> Result<(), Fault> {
    let from = one.version.from.to_string();
    tx.execute_one(
        INSERT_PROGRAMME,
        p![
            one.version.code,
            from,
            one.to.map(|day| day.to_string()),
            one.name,
            one.asset,
            one.pick_order,
            one.covers,
            one.rule,
            one.status,
            one.source
        ],
    )?;
    for f in funders {
        tx.execute_one(
            INSERT_FUNDER,
            p![one.version.code, from, f.code, f.name, f.level.number(), f.share_percent],
        )?;
    }
    Ok(())
}

pub(super) fn end_programme(tx: &mut Tx<'_>, version: &Version, to: Option<Day>) -> Result<(), Fault> {
    let to = to.map(|day| day.to_string());
    tx.execute_one(END_PROGRAMME, p![version.code, version.from.to_string(), to])
}

pub(super) fn describe_programme(tx: &mut Tx<'_>, one: &ProgrammeRow) -> Result<(), Fault> {
    let from = one.version.from.to_string();
    tx.execute_one(DESCRIBE_PROGRAMME, p![one.version.code, from, one.status, one.source])
}

pub(super) fn drop_programme(tx: &mut Tx<'_>, version: &Version) -> Result<(), Fault> {
    let from = version.from.to_string();
    tx.execute(DROP_FUNDERS, p![version.code, from])?;
    tx.execute_one(DROP_PROGRAMME, p![version.code, from])
}
