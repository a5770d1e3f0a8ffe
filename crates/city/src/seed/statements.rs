//! Some providers' statements of the month, each as far as three different people have brought it.
//!
//! The provider of the personas has none yet, so that a visitor can make it.

use app::{
    ledger::statements::{self, StatementRefusal},
    outcome::No,
    store::{Fault, Store},
};
use domain::{ids::ProviderId, time::Now};

use super::{Staff, Stage, must};
use crate::City;

/// Statements that wait to be checked, are checked, are paid.
const MADE: usize = 4;
const CHECKED: usize = 2;
const PAID: usize = 1;

pub(super) fn make(
    store: &Store,
    city: &City,
    staff: &Staff,
    providers: &[ProviderId],
    now: Now,
) -> Result<(), Fault> {
    let (maker, checker, payer) = (staff.dispatcher.clone(), staff.checker.clone(), staff.payer.clone());
    let visited = Stage::of(city).provider as usize;
    let others: Vec<ProviderId> =
        providers.iter().enumerate().filter(|(at, _)| *at != visited).map(|(_, id)| *id).collect();
    store.write(move |tx| {
        let mut made = 0;
        for provider in &others {
            if made == MADE {
                break;
            }
            let id = match statements::make(tx, &maker, *provider, now.month(), now) {
                // Nothing was settled for this one yet.
                Err(No::Refused(StatementRefusal::Nothing { .. })) => continue,
                other => must("making a statement", other)?,
            };
            if made < CHECKED {
                must("checking a statement", statements::check(tx, &checker, id, now))?;
            }
            if made < PAID {
                must("paying a statement", statements::pay(tx, &payer, id, now))?;
            }
            made += 1;
        }
        Ok::<_, Fault>(())
    })
}
