//! Whether incidents are what the log says they were left as, fact by fact.

use std::collections::HashMap;

use domain::ids::IncidentId;

use super::{save, sql};
use crate::{
    evidence::Trouble,
    store::{Fault, Tx},
};

/// Incidents whose row or history is not what the log says. `said` gives the last digest by incident.
///
/// # Errors
/// Faults only.
pub fn verify(tx: &mut Tx<'_>, said: impl Fn(i64) -> Option<[u8; 16]>) -> Result<(Vec<Trouble>, i64), Fault> {
    let mut troubles = Vec::new();
    let (mut rows, mut after) = (0, IncidentId(0));
    loop {
        let page = sql::page(tx, after)?;
        let Some(last) = page.last() else { break };
        let chains = chains(tx, after, last.id)?;
        after = last.id;
        for incident in page {
            rows += 1;
            let (facts, chain) = chains.get(&incident.id.0).copied().unwrap_or((0, [0; 16]));
            let what = match said(incident.id.0) {
                None => "没有留痕",
                Some(digest) if digest != save::digest(&incident) => "内容与留痕不符",
                Some(_) if (facts, chain) != (incident.facts, incident.chain) => "处置记录被改动、增删",
                Some(_) => continue,
            };
            troubles.push(Trouble::Row { table: "incident", id: incident.id.0, what: what.to_owned() });
        }
    }
    Ok((troubles, rows))
}

/// How many facts each incident of a range has, and the code of their chain.
fn chains(
    tx: &mut Tx<'_>,
    after: IncidentId,
    to: IncidentId,
) -> Result<HashMap<i64, (i64, [u8; 16])>, Fault> {
    let mut chains: HashMap<i64, (i64, [u8; 16])> = HashMap::new();
    sql::each_fact(tx, after, to, |incident, n, at, by, fact| {
        let (count, chain) = chains.entry(incident).or_insert((0, [0; 16]));
        *count += 1;
        *chain = save::link(*chain, incident, n, at, by, fact);
    })?;
    Ok(chains)
}
