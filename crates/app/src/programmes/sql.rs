//! Rows of the catalogue, programmes and rights.

use domain::{
    ids::{EntitlementId, LedgerId, PersonId},
    programmes::{Asset, Funder, Right, ServiceItem},
    regions::{Level, RegionCode},
};

use crate::{
    p,
    store::{Fault, Row, Tx},
};

/// The account of a funder for somebody who lives in a province, city and county.
macro_rules! funder {
    ($province:literal, $city:literal, $county:literal) => {
        concat!(
            "l.kind = 'funder' AND l.code = f.funder AND l.asset = 'fen' AND l.owner = CASE f.level WHEN 1 THEN CAST(",
            $province,
            " AS BIGINT) WHEN 2 THEN CAST(",
            $city,
            " AS BIGINT) ELSE CAST(",
            $county,
            " AS BIGINT) END"
        )
    };
}

crate::statements! {
    ITEM_ON = "SELECT code, name, help_kind, unit, minutes_std, minutes_min, price_fen, workers, same_sex, who_may,
            one_of_them, evidence, contraindication, valid_from
        FROM service_item
        WHERE code = ?1 AND valid_from <= ?2 AND (valid_to IS NULL OR valid_to > ?2)";
    CATALOGUE_ON = "SELECT code, name, help_kind, unit, minutes_std, minutes_min, price_fen, workers, same_sex, who_may,
            one_of_them, evidence, contraindication, valid_from
        FROM service_item
        WHERE valid_from <= ?1 AND (valid_to IS NULL OR valid_to > ?1)
        ORDER BY code";
    RIGHTS = concat!("SELECT e.id, e.asset, a.credits_posted - a.debits_posted - a.debits_pending, e.account, l.id, f.weight
        FROM entitlement e
        JOIN ledger_account a ON a.id = e.account
        JOIN programme g ON g.code = e.programme AND g.valid_from <= ?5 AND (g.valid_to IS NULL OR g.valid_to > ?5)
        LEFT JOIN programme_funder f ON f.programme = g.code AND f.valid_from = g.valid_from
        LEFT JOIN ledger_account l ON ", funder!("?1", "?2", "?3"), "
        WHERE e.person = ?4 AND e.month = ?6 AND ',' || g.covers || ',' LIKE '%,' || CAST(?7 AS TEXT) || ',%'
        ORDER BY g.pick_order, e.id, f.funder");
    PAYERS = concat!("SELECT e.asset, l.id, f.weight
        FROM entitlement e
        JOIN programme_funder f ON f.programme = e.programme AND f.valid_from = (SELECT MAX(x.valid_from)
            FROM programme_funder x WHERE x.programme = e.programme AND x.valid_from <= ?5)
        JOIN ledger_account l ON ", funder!("?1", "?2", "?3"), "
        WHERE e.id = ?4
        ORDER BY f.funder");
    NAME_OF_RIGHT = "SELECT g.name FROM entitlement e
        JOIN programme g ON g.code = e.programme
            AND g.valid_from = (SELECT MAX(x.valid_from) FROM programme x WHERE x.code = e.programme)
        WHERE e.id = ?1";
    ACCOUNT_OF = "SELECT account FROM entitlement WHERE id = ?1";
}

fn item(row: &Row<'_>) -> Result<ServiceItem, Fault> {
    let unit: String = row.get(3)?;
    Ok(ServiceItem {
        code: row.get(0)?,
        name: row.get(1)?,
        help_kind: row.get(2)?,
        by_hour: unit == "小时",
        minutes_std: row.get(4)?,
        minutes_min: row.get(5)?,
        unit_price: row.get(6)?,
        workers: row.get(7)?,
        same_sex: row.get(8)?,
        who_may: row.get(9)?,
        one_of_them: row.get(10)?,
        evidence: row.get(11)?,
        contraindication: row.get(12)?,
    })
}

pub(super) fn item_on(
    tx: &mut Tx<'_>,
    code: &str,
    day: &str,
) -> Result<Option<(ServiceItem, String)>, Fault> {
    tx.find(ITEM_ON, p![code, day], |row| Ok((item(row)?, row.get(13)?)))
}

pub(super) fn catalogue_on(tx: &mut Tx<'_>, day: &str) -> Result<Vec<ServiceItem>, Fault> {
    tx.all(CATALOGUE_ON, p![day], item)
}

/// Province, city and county of a place.
fn payers_of(lives_in: RegionCode) -> [RegionCode; 3] {
    [Level::Province, Level::City, Level::County].map(|level| lives_in.within(level))
}

pub(super) fn rights(
    tx: &mut Tx<'_>,
    person: PersonId,
    lives_in: RegionCode,
    item: &str,
    month: &str,
    day: &str,
) -> Result<Vec<(Right, LedgerId)>, Fault> {
    let [province, city, county] = payers_of(lives_in);
    let mut rights: Vec<(Right, LedgerId)> = Vec::new();
    tx.each(RIGHTS, p![province, city, county, person, day, month, item], |row| {
        let entitlement = row.get(0)?;
        if rights.last().is_none_or(|(last, _)| last.entitlement != entitlement) {
            let (asset, left) = (row.word(1, Asset::from_code)?, row.get(2)?);
            rights.push((Right { entitlement, asset, left, funders: Vec::new() }, row.get(3)?));
        }
        if let (Some((right, _)), Some(account)) = (rights.last_mut(), row.get(4)?) {
            right.funders.push(Funder { account, weight: row.get(5)? });
        }
        Ok(())
    })?;
    Ok(rights)
}

pub(super) fn payers(
    tx: &mut Tx<'_>,
    right: EntitlementId,
    lives_in: RegionCode,
    day: &str,
) -> Result<Option<(Asset, Vec<Funder>)>, Fault> {
    let [province, city, county] = payers_of(lives_in);
    let rows = tx.all(PAYERS, p![province, city, county, right, day], |row| {
        Ok((row.word(0, Asset::from_code)?, Funder { account: row.get(1)?, weight: row.get(2)? }))
    })?;
    let asset = rows.first().map(|(asset, _)| *asset);
    Ok(asset.map(|asset| (asset, rows.into_iter().map(|(_, funder)| funder).collect())))
}

pub(super) fn name_of_right(tx: &mut Tx<'_>, right: EntitlementId) -> Result<String, Fault> {
    tx.one(NAME_OF_RIGHT, p![right], |row| row.get(0))
}

pub(super) fn account_of(tx: &mut Tx<'_>, right: EntitlementId) -> Result<LedgerId, Fault> {
    tx.one(ACCOUNT_OF, p![right], |row| row.get(0))
}
