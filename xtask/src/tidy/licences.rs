//! What may enter the dependency tree: the licences and the refused crates of `deny.toml`, held to what cargo resolves.
//!
//! `cargo deny` reads the same file and knows more (advisories, sources); this needs nothing but cargo, and no network.

use std::io;
use std::path::Path;
use std::process::Command;

use super::{File, Finding, Tree};

const LIST: &str = "deny.toml";

/// Name with version, and licence, of every crate for the system we ship for.
fn crates(root: &Path) -> io::Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tree = Command::new(cargo)
        .args(["tree", "--workspace", "--locked", "--offline", "--prefix", "none", "--format", "{p}\t{l}"])
        .args(["--edges", "normal,build,dev", "--target", "x86_64-unknown-linux-gnu"])
        .current_dir(root)
        .output()?;
    if !tree.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&tree.stderr).into_owned()));
    }
    Ok(String::from_utf8_lossy(&tree.stdout).into_owned())
}

pub(super) fn check(root: &Path, tree: &Tree, found: &mut Vec<Finding>) -> io::Result<()> {
    let Some(list) = tree.files.iter().find(|file| file.path == LIST) else { return Ok(()) };
    compare(list, &crates(root)?, found);
    Ok(())
}

fn compare(list: &File, crates: &str, found: &mut Vec<Finding>) {
    let allowed = quoted(list.text.lines().find(|line| line.starts_with("allow = ")).unwrap_or_default());
    let refused: Vec<(usize, &str)> = list
        .text
        .lines()
        .enumerate()
        .filter_map(|(n, line)| Some((n + 1, quoted(line.split_once("crate = ")?.1).first().copied()?)))
        .collect();
    // The star stands where a crate was told before.
    let mut lines: Vec<&str> = crates.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    lines.sort_unstable();
    lines.dedup();
    for line in lines {
        let Some((package, licence)) = line.split_once('\t') else { continue };
        let name = package.split(' ').next().unwrap_or(package);
        if let Some((line, _)) = refused.iter().find(|(_, refused)| *refused == name) {
            let what = format!("{name} is in the dependency tree");
            found.push(Finding::error(
                list,
                *line,
                what,
                "see the reason beside it; `cargo tree -i` tells who wants it",
            ));
        }
        if !permitted(licence, &allowed) {
            let what = format!("{package} is licensed as {licence:?}");
            found.push(Finding::error(
                list,
                1,
                what,
                "do without it, or allow the licence once it is read and permissive",
            ));
        }
    }
}

/// What stands in quotation marks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('"').skip(1).step_by(2).collect()
}

/// Whether an expression of licences can be met with those that are allowed. A slash is an old way to say OR.
fn permitted(expression: &str, allowed: &[&str]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    any(&words, &mut at, allowed) && at == words.len()
}

fn any(words: &[&str], at: &mut usize, allowed: &[&str]) -> bool {
    let mut met = all(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all(words, at, allowed);
    }
    met
}

fn all(words: &[&str], at: &mut usize, allowed: &[&str]) -> bool {
    let mut met = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at, allowed);
    }
    met
}

fn one(words: &[&str], at: &mut usize, allowed: &[&str]) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let met = any(words, at, allowed);
        *at += usize::from(words.get(*at) == Some(&")"));
        return met;
    }
    // An exception is a licence of its own, which the list would have to name whole.
    if words.get(*at) == Some(&"WITH") {
        *at += 2;
        return false;
    }
    allowed.contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: [&str; 3] = ["MIT", "Apache-2.0", "ISC"];

    #[test]
    fn an_expression_is_met_by_what_is_allowed() {
        for (expression, met) in [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("", false),
            ("MIT OR GPL-3.0-only", true),
            ("Unlicense/MIT", true),
            ("Apache-2.0 AND ISC", true),
            ("(MIT OR Apache-2.0) AND BSD-3-Clause", false),
            ("MIT AND (GPL-2.0-only OR Apache-2.0)", true),
            ("Apache-2.0 WITH LLVM-exception", false),
            ("Apache-2.0 WITH LLVM-exception OR MIT", true),
        ] {
            assert_eq!(permitted(expression, &ALLOWED), met, "{expression}");
        }
    }

    #[test]
    fn a_refused_crate_and_a_strange_licence_are_told_once() {
        let text = "allow = [\"MIT\"]\ndeny = [\n    { crate = \"chrono\", reason = \"jiff\" },\n]\n";
        let list = File { path: LIST.into(), text: text.into() };
        let crates =
            "chrono v0.4.0\tMIT\nours v0.1.0 (/x)\tMIT\nodd v1.0.0\tGPL-3.0\nodd v1.0.0\tGPL-3.0 (*)\n";
        let mut found = Vec::new();
        compare(&list, crates, &mut found);
        let told: Vec<(usize, &str)> = found.iter().map(|f| (f.line, f.what.as_str())).collect();
        let expected =
            [(3, "chrono is in the dependency tree"), (1, "odd v1.0.0 is licensed as \"GPL-3.0\"")];
        assert_eq!(told, expected);
    }
}
