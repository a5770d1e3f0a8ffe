//! `xiyang verify`: reads everything and says what does not hold.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    io::Write as _,
    process::ExitCode,
};

use app::{
    evidence::{self, SealFile, Trouble},
    ledger::{self, statements},
    orders,
    parties::people,
    signals::incidents,
    store::{Fault, Store},
};

use crate::{
    VerifyArgs,
    complaint::{CHECK_FAILED, Complaint},
    open, outside,
};

/// What was found, and how much was looked at.
#[derive(Debug, Default)]
struct Report {
    troubles: Vec<Trouble>,
    /// What was counted, in words.
    read: Vec<(&'static str, i64)>,
}

pub(crate) fn run(args: VerifyArgs) -> Result<ExitCode, Complaint> {
    outside::log("warn");
    let opened = open::to_look(&args.place, args.keys.as_deref())?;
    let report = check(&opened.store, &opened.seals)?;
    let troubles = report.troubles.len();
    let mut out = std::io::stdout().lock();
    let mut say = || -> std::io::Result<()> {
        for trouble in &report.troubles {
            writeln!(out, "{trouble}")?;
        }
        let read: Vec<String> = report.read.iter().map(|(what, n)| format!("{what} {n}")).collect();
        writeln!(out, "{troubles} troubles ({})", read.join(", "))
    };
    say().map_err(|e| Complaint::file(std::path::Path::new("stdout"), &e))?;
    Ok(if troubles == 0 { ExitCode::SUCCESS } else { ExitCode::from(CHECK_FAILED) })
}

/// One reading transaction for everything, so that a server at work meanwhile cannot make parts disagree.
fn check(store: &Store, seals: &SealFile) -> Result<Report, Fault> {
    let seals = seals.clone();
    store.read(move |tx| {
        let mut report = Report::default();
        // What the log says each thing was left as, by id; later entries replace earlier ones.
        let mut left: HashMap<i64, [u8; 16]> = HashMap::new();
        let mut placed = HashSet::new();
        let mut opened = HashSet::new();
        let chain = evidence::verify_chain(tx, &seals, |entry| {
            left.extend(entry.digest.map(|digest| (entry.subject, digest)));
            if entry.act == "order.placed" {
                placed.insert(entry.subject);
            }
            if entry.act == "incident.opened" {
                opened.insert(entry.subject);
            }
        })?;
        report.add("evidence rows", chain);
        report.troubles.extend(people::verify_people(tx)?);
        let placed = RefCell::new(placed);
        let found = orders::verify(tx, |order| {
            placed.borrow_mut().remove(&order);
            left.get(&order).copied()
        })?;
        report.add("orders", found);
        let lost = placed.into_inner().into_iter().map(|id| Trouble::Row {
            table: "orders",
            id,
            what: "留痕里有这张工单，表里没有".to_owned(),
        });
        report.troubles.extend(lost);
        let opened = RefCell::new(opened);
        let found = incidents::verify(tx, |incident| {
            opened.borrow_mut().remove(&incident);
            left.get(&incident).copied()
        })?;
        report.add("incidents", found);
        report.troubles.extend(opened.into_inner().into_iter().map(|id| Trouble::Row {
            table: "incident",
            id,
            what: "留痕里有这起警情，表里没有".to_owned(),
        }));
        report.troubles.extend(ledger::verify(tx)?);
        report.troubles.extend(statements::verify(tx)?);
        Ok::<_, Fault>(report)
    })
}

impl Report {
    fn add(&mut self, what: &'static str, (troubles, read): (Vec<Trouble>, i64)) {
        self.troubles.extend(troubles);
        self.read.push((what, read));
    }
}
