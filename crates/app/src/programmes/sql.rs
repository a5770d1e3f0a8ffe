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
    RIGHTS = "SELECT e.id, e.asset, a.credits_posted - a.debits_posted - a.debits_pending, e.programme, e.account
        FROM entitlement e
        JOIN ledger_account a ON a.id = e.account
        JOIN programme g ON g.code = e.programme AND g.valid_from <= ?4 AND (g.valid_to IS NULL OR g.valid_to > ?4)
        WHERE e.person = ?1 AND e.month = ?3 AND ',' || g.covers || ',' LIKE '%,' || CAST(?2 AS TEXT) || ',%'
        ORDER BY g.pick_order, e.id";
    FUNDERS = "SELECT l.id, f.weight
        FROM programme_funder f
        JOIN ledger_account l ON l.kind = 'funder' AND l.code = f.funder AND l.asset = 'fen'
            AND l.owner = CASE f.level WHEN 1 THEN CAST(?5 AS BIGINT) WHEN 2 THEN CAST(?3 AS BIGINT) ELSE CAST(?4 AS BIGINT) END
        WHERE f.programme = ?1
            AND f.valid_from = (SELECT MAX(x.valid_from) FROM programme x WHERE x.code = ?1 AND x.valid_from <= ?2)
        ORDER BY f.funder";
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

pub(super) fn rights(
    tx: &mut Tx<'_>,
    person: PersonId,
    item: &str,
    month: &str,
    day: &str,
) -> Result<Vec<(Right, String, LedgerId)>, Fault> {
    tx.all(RIGHTS, p![person, item, month, day], |row| {
        let right = Right {
            entitlement: row.get(0)?,
            asset: row.word(1, Asset::from_code)?,
            left: row.get(2)?,
            funders: Vec::new(),
        };
        Ok((right, row.get(3)?, row.get(4)?))
    })
}

pub(super) fn funders(
    tx: &mut Tx<'_>,
    programme: &str,
    day: &str,
    lives_in: RegionCode,
) -> Result<Vec<Funder>, Fault> {
    let [province, city, county] =
        [Level::Province, Level::City, Level::County].map(|level| lives_in.within(level));
    tx.all(FUNDERS, p![programme, day, city, county, province], |row| {
        Ok(Funder { account: row.get(0)?, weight: row.get(1)? })
    })
}

pub(super) fn name_of_right(tx: &mut Tx<'_>, right: EntitlementId) -> Result<String, Fault> {
    tx.one(NAME_OF_RIGHT, p![right], |row| row.get(0))
}

pub(super) fn account_of(tx: &mut Tx<'_>, right: EntitlementId) -> Result<LedgerId, Fault> {
    tx.one(ACCOUNT_OF, p![right], |row| row.get(0))
}
