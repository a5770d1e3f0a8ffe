//! Every incident and every fact, in order.

use domain::{ids::IncidentId, signals::incident::Incident};

use super::{columns, row};
use crate::{
    p,
    store::{Fault, Tx},
};

crate::statements! {
    PAGE = concat!("SELECT ", columns!(), " FROM incident i WHERE i.id > ?1 ORDER BY i.id LIMIT 2000");
    FACTS_BETWEEN = "SELECT incident, n, at, by_account, kind, text, detail FROM incident_fact
        WHERE incident > ?1 AND incident <= ?2 ORDER BY incident, n";
}

pub(crate) fn page(tx: &mut Tx<'_>, after: IncidentId) -> Result<Vec<Incident>, Fault> {
    tx.all(PAGE, p![after], row)
}

/// Every fact of a range of incidents: incident, number, when, by whom, and its kind, text and detail.
pub(crate) fn each_fact(
    tx: &mut Tx<'_>,
    after: IncidentId,
    to: IncidentId,
    mut each: impl FnMut(i64, i64, i64, i64, (&str, &str, &str)),
) -> Result<(), Fault> {
    tx.each(FACTS_BETWEEN, p![after, to], |row| {
        let (kind, text, detail) = (row.get::<String>(4)?, row.get::<String>(5)?, row.get::<String>(6)?);
        each(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, (&kind, &text, &detail));
        Ok(())
    })
}
