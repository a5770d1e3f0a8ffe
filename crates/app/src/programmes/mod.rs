//! The catalogue as it holds on a day, and a person's rights of a month.

mod sql;

use domain::{
    ids::{EntitlementId, LedgerId, PersonId},
    programmes::{Asset, Funder, Right, ServiceItem},
    regions::RegionCode,
    time::{Day, Month},
};

use crate::store::{Fault, Tx};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// An item of the catalogue on a day, with the day its version began.
pub fn item_on(tx: &mut Tx<'_>, code: &str, day: Day) -> Result<Option<(ServiceItem, String)>, Fault> {
    sql::item_on(tx, code, &day.to_string())
}

/// The whole catalogue on a day, by code.
pub fn catalogue_on(tx: &mut Tx<'_>, day: Day) -> Result<Vec<ServiceItem>, Fault> {
    sql::catalogue_on(tx, &day.to_string())
}

/// A person's rights of the month of a day that cover an item, in the order they are used, with who pays.
pub fn rights(
    tx: &mut Tx<'_>,
    person: PersonId,
    lives_in: RegionCode,
    item: &str,
    day: Day,
) -> Result<Vec<(Right, LedgerId)>, Fault> {
    let (month, on) = (Month::of(day).to_string(), day.to_string());
    let rights = sql::rights(tx, person, lives_in, item, &month, &on)?;
    match rights.iter().find(|(right, _)| right.funders.is_empty()) {
        Some((right, _)) => Err(unfunded(right.entitlement, lives_in)),
        None => Ok(rights),
    }
}

/// What a right is counted in, and who pays for it on a day.
pub fn payers(
    tx: &mut Tx<'_>,
    right: EntitlementId,
    lives_in: RegionCode,
    day: Day,
) -> Result<(Asset, Vec<Funder>), Fault> {
    sql::payers(tx, right, lives_in, &day.to_string())?.ok_or_else(|| unfunded(right, lives_in))
}

fn unfunded(right: EntitlementId, lives_in: RegionCode) -> Fault {
    Fault::other(format!("entitlement {right} has no funder account for {lives_in}"))
}

/// Name of the programme a right was given under.
pub fn name_of_right(tx: &mut Tx<'_>, right: EntitlementId) -> Result<String, Fault> {
    sql::name_of_right(tx, right)
}

/// The account a person's right is kept in.
pub fn account_of(tx: &mut Tx<'_>, right: EntitlementId) -> Result<LedgerId, Fault> {
    sql::account_of(tx, right)
}
