//! The catalogue as it holds on a day, and a person's rights of a month.

mod sql;

use domain::{
    ids::PersonId,
    programmes::{Right, ServiceItem},
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
) -> Result<Vec<(Right, domain::ids::LedgerId)>, Fault> {
    let (month, on) = (Month::of(day).to_string(), day.to_string());
    let mut rights = sql::rights(tx, person, item, &month, &on)?;
    for (right, programme, _) in &mut rights {
        right.funders = sql::funders(tx, programme, &on, lives_in)?;
        if right.funders.is_empty() {
            return Err(Fault::other(format!("programme {programme} has no funder account for {lives_in}")));
        }
    }
    Ok(rights.into_iter().map(|(right, _, account)| (right, account)).collect())
}

/// Name of the programme a right was given under.
pub fn name_of_right(tx: &mut Tx<'_>, right: domain::ids::EntitlementId) -> Result<String, Fault> {
    sql::name_of_right(tx, right)
}

/// The account a person's right is kept in.
pub fn account_of(
    tx: &mut Tx<'_>,
    right: domain::ids::EntitlementId,
) -> Result<domain::ids::LedgerId, Fault> {
    sql::account_of(tx, right)
}
