//! Chores of the workspace. `cargo run -p xtask -- tidy` checks what neither the compiler nor clippy can see.

mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let chore = std::env::args().nth(1);
    let mut out = std::io::stdout().lock();
    match chore.as_deref() {
        Some("tidy") => match tidy::run(&root()) {
            Ok(findings) => report(&mut out, &findings),
            Err(fault) => {
                say(&mut out, &format!("tidy could not read the tree: {fault}"));
                ExitCode::from(2)
            }
        },
        _ => {
            say(&mut out, "usage: cargo run -p xtask -- tidy");
            ExitCode::from(2)
        }
    }
}

/// The workspace: the folder above this crate, which cargo names when it runs us.
fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    here.as_deref().and_then(Path::parent).map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

fn report(out: &mut impl std::io::Write, findings: &[tidy::Finding]) -> ExitCode {
    for finding in findings {
        say(out, &finding.to_string());
    }
    let errors = findings.iter().filter(|finding| finding.error).count();
    say(out, &format!("tidy: {errors} errors, {} warnings", findings.len() - errors));
    if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A closed pipe (`| head`) is no reason to fail.
fn say(out: &mut impl std::io::Write, line: &str) {
    let _ = writeln!(out, "{line}");
}
