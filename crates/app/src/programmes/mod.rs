//! The catalogue as it holds on a day, and a person's rights of a month.
//!
//! Items and programmes are read with every order and changed with a new pack only, so all of them are kept in memory
//! (see `catalogue`).

mod catalogue;
mod sql;

use std::sync::Arc;

use domain::{
    ids::{EntitlementId, LedgerId, PersonId},
    programmes::{Funder, Right, ServiceItem},
    regions::{Level, RegionCode},
    time::{Day, Month},
};

use crate::store::{Fault, Tx};

pub(crate) use catalogue::changed;
use catalogue::{Paying, catalogue};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// An item of the catalogue on a day, with the day its version began.
pub fn item_on(tx: &mut Tx<'_>, code: &str, day: Day) -> Result<Option<(Arc<ServiceItem>, Day)>, Fault> {
    Ok(catalogue(tx)?.item_on(code, day))
}

/// The whole catalogue on a day, by code.
pub fn catalogue_on(tx: &mut Tx<'_>, day: Day) -> Result<Vec<ServiceItem>, Fault> {
    Ok(catalogue(tx)?.items_on(day))
}

/// A person's rights of the month of a day that cover an item, in the order they are used, with who pays.
pub fn rights(
    tx: &mut Tx<'_>,
    person: PersonId,
    lives_in: RegionCode,
    item: &str,
    day: Day,
) -> Result<Vec<(Right, LedgerId)>, Fault> {
    let catalogue = catalogue(tx)?;
    let mut found = Vec::new();
    for given in sql::given(tx, person, &Month::of(day).to_string())? {
        let Some(programme) = catalogue.programme_on(&given.programme, day) else { continue };
        if programme.covers(item) {
            let funders = funders(tx, &programme.funders, lives_in)?;
            if funders.is_empty() {
                return Err(unfunded(given.entitlement, lives_in));
            }
            let right =
                Right { entitlement: given.entitlement, asset: given.asset, left: given.left, funders };
            found.push((programme.pick_order, right, given.account));
        }
    }
    // Rights of one rank stay in the order they were given.
    found.sort_by_key(|(rank, ..)| *rank);
    Ok(found.into_iter().map(|(_, right, account)| (right, account)).collect())
}

/// Who pays for a right on a day; `programme` is what it was given under.
pub fn payers(
    tx: &mut Tx<'_>,
    right: EntitlementId,
    programme: &str,
    lives_in: RegionCode,
    day: Day,
) -> Result<Vec<Funder>, Fault> {
    let catalogue = catalogue(tx)?;
    let paying = catalogue.funders_since(programme, day).ok_or_else(|| unfunded(right, lives_in))?;
    let funders = funders(tx, paying, lives_in)?;
    if funders.is_empty() { Err(unfunded(right, lives_in)) } else { Ok(funders) }
}

/// A funder of a place; each has one account.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Payer {
    region: i64,
    funder: String,
}

/// The accounts of those who pay for somebody who lives there.
fn funders(tx: &mut Tx<'_>, paying: &[Paying], lives_in: RegionCode) -> Result<Vec<Funder>, Fault> {
    let mut funders = Vec::with_capacity(paying.len());
    for Paying { funder, level, weight } in paying {
        let owner = match level {
            1 => Level::Province,
            2 => Level::City,
            _ => Level::County,
        };
        let payer = Payer { region: lives_in.within(owner).number(), funder: funder.clone() };
        if let Some(account) = tx.lasting(payer, |tx, payer| sql::account(tx, payer.region, &payer.funder))? {
            funders.push(Funder { account: LedgerId(account), weight: *weight });
        }
    }
    Ok(funders)
}

fn unfunded(right: EntitlementId, lives_in: RegionCode) -> Fault {
    Fault::other(format!("entitlement {right} has no funder account for {lives_in}"))
}

/// The programme a right was given under.
pub fn programme_of(tx: &mut Tx<'_>, right: EntitlementId) -> Result<String, Fault> {
    sql::programme_of(tx, right)
}

/// Name of the programme a right was given under.
pub fn name_of_right(tx: &mut Tx<'_>, right: EntitlementId) -> Result<String, Fault> {
    sql::name_of_right(tx, right)
}
