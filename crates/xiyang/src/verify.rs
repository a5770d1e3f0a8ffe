//! `xiyang verify`: reads everything and says what does not hold.

use std::{io::Write as _, process::ExitCode};

use app::{
    evidence::{self, SealFile, Trouble},
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
        let (troubles, rows) = evidence::verify_chain(tx, &seals, |_| {})?;
        report.troubles.extend(troubles);
        report.read.push(("evidence rows", rows));
        Ok::<_, Fault>(report)
    })
}
