//! Rows of the catalogue, programmes and rights.

use std::sync::Arc;

use domain::{
    ids::{EntitlementId, LedgerId, PersonId},
    programmes::{Asset, ServiceItem},
    time::Day,
};

use super::catalogue::{Paying, Programme, Since};
use crate::{
    p,
    store::{Fault, Row, Tx},
};

crate::statements! {
    ITEMS = "SELECT code, name, help_kind, unit, minutes_std, minutes_min, price_fen, workers, same_sex, who_may,
            one_of_them, evidence, contraindication, valid_from, valid_to
        FROM service_item ORDER BY code, valid_from";
    PROGRAMMES = "SELECT code, valid_from, valid_to, pick_order, covers FROM programme ORDER BY code, valid_from";
    FUNDERS = "SELECT programme, valid_from, funder, level, weight FROM programme_funder
        ORDER BY programme, valid_from, funder";
    GIVEN = "SELECT e.id, e.asset, a.credits_posted - a.debits_posted - a.debits_pending, e.account, e.programme
        FROM entitlement e JOIN ledger_account a ON a.id = e.account
        WHERE e.person = ?1 AND e.month = ?2
        ORDER BY e.id";
    PROGRAMME_OF = "SELECT programme FROM entitlement WHERE id = ?1";
    NAME_OF_RIGHT = "SELECT g.name FROM entitlement e
        JOIN programme g ON g.code = e.programme
            AND g.valid_from = (SELECT MAX(x.valid_from) FROM programme x WHERE x.code = e.programme)
        WHERE e.id = ?1";
    ACCOUNT = "SELECT id FROM ledger_account WHERE owner = ?1 AND kind = 'funder' AND code = ?2 AND asset = 'fen'";
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

/// Every version of every item, by code and first day.
pub(super) fn each_item(
    tx: &mut Tx<'_>,
    mut each: impl FnMut(String, Since<Arc<ServiceItem>>),
) -> Result<(), Fault> {
    tx.each(ITEMS, p![], |row| {
        each(row.get(0)?, Since { from: row.get(13)?, to: row.get(14)?, what: Arc::new(item(row)?) });
        Ok(())
    })
}

/// Every version of every programme, by code and first day, without its funders.
pub(super) fn each_programme(
    tx: &mut Tx<'_>,
    mut each: impl FnMut(String, Since<Programme>),
) -> Result<(), Fault> {
    tx.each(PROGRAMMES, p![], |row| {
        let what = Programme { pick_order: row.get(3)?, covers: row.get(4)?, funders: Vec::new() };
        each(row.get(0)?, Since { from: row.get(1)?, to: row.get(2)?, what });
        Ok(())
    })
}

/// Every funder of every version of a programme.
pub(super) fn each_funder(tx: &mut Tx<'_>, mut each: impl FnMut(&str, Day, Paying)) -> Result<(), Fault> {
    tx.each(FUNDERS, p![], |row| {
        let programme: String = row.get(0)?;
        let paying = Paying { funder: row.get(2)?, level: row.get(3)?, weight: row.get(4)? };
        each(&programme, row.get(1)?, paying);
        Ok(())
    })
}

/// A right of a month.
pub(super) struct Given {
    pub(super) entitlement: EntitlementId,
    pub(super) asset: Asset,
    pub(super) left: i64,
    pub(super) account: LedgerId,
    pub(super) programme: String,
}

/// What a person was given for a month, in the order it was given.
pub(super) fn given(tx: &mut Tx<'_>, person: PersonId, month: &str) -> Result<Vec<Given>, Fault> {
    tx.all(GIVEN, p![person, month], |row| {
        Ok(Given {
            entitlement: row.get(0)?,
            asset: row.word(1, Asset::from_code)?,
            left: row.get(2)?,
            account: row.get(3)?,
            programme: row.get(4)?,
        })
    })
}

pub(super) fn programme_of(tx: &mut Tx<'_>, right: EntitlementId) -> Result<String, Fault> {
    tx.one(PROGRAMME_OF, p![right], |row| row.get(0))
}

pub(super) fn name_of_right(tx: &mut Tx<'_>, right: EntitlementId) -> Result<String, Fault> {
    tx.one(NAME_OF_RIGHT, p![right], |row| row.get(0))
}

/// The account of a funder of a region.
pub(super) fn account(tx: &mut Tx<'_>, region: i64, funder: &str) -> Result<Option<i64>, Fault> {
    tx.find(ACCOUNT, p![region, funder], |row| row.get(0))
}
