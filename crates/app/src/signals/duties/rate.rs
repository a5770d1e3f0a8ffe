//! The monthly visit rate, as the guidance counts it.

use domain::{
    access::{Act, Actor},
    regions::{RegionCode, RegionRange},
    time::Month,
};

use super::sql;
use crate::{outcome::Answer, store::Tx};

/// One township's month. Source: `hotline-and-alarms.md` §7: elders with at least one success, of those on the list on
/// the first; who moved, died or lay in hospital is shown apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The township.
    pub region: RegionCode,
    /// On the list on the first and still there.
    pub listed: i64,
    /// Of those, seen or spoken to at least once in the month.
    pub visited: i64,
    /// Left the list within the month, or in hospital.
    pub apart: i64,
}

impl Rate {
    /// Thousandths; none where nobody is on the list.
    pub fn per_mille(&self) -> Option<i64> {
        (self.listed > 0).then(|| self.visited * 1_000 / self.listed)
    }
}

/// The visit rate of a month, by township, as far as the actor may see.
pub fn month_rate(
    tx: &mut Tx<'_>,
    actor: &Actor,
    month: Month,
    region: Option<RegionRange>,
) -> Answer<Vec<Rate>> {
    actor.may(Act::SeeAlarms)?;
    let (from, to) = month.span();
    Ok(sql::rates(tx, actor.scope().narrowed(region), from, to)?)
}
