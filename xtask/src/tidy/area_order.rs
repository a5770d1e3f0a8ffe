//! An area imports only areas to its left, in `domain` and in `app`.
//!
//! Tests are free: what they import does not ship.

use super::rust_text::{RustText, line_of};
use super::{File, Finding, Tree};

/// From left to right.
const AREAS: [&str; 10] = [
    "regions",
    "parties",
    "places",
    "assessments",
    "programmes",
    "ledger",
    "orders",
    "signals",
    "targets",
    "documents",
];

const REMEDY: &str = "let the area on the right do it, or tell it by an event; areas in order: regions, parties, \
                      places, assessments, programmes, ledger, orders, signals, targets, documents";

pub(super) fn check(tree: &Tree, found: &mut Vec<Finding>) {
    for source in ["crates/domain/src/", "crates/app/src/"] {
        for file in tree.under(source).filter(|file| file.has_ending(&["rs"]) && !file.is_test()) {
            let inside = file.path[source.len()..].trim_end_matches(".rs");
            let first = inside.split('/').next().unwrap_or(inside);
            if let Some(area) = AREAS.iter().position(|area| *area == first) {
                check_file(file, area, inside, found);
            }
        }
    }
}

fn check_file(file: &File, area: usize, inside: &str, found: &mut Vec<Finding>) {
    let read = RustText::of(&file.text);
    // `a/mod.rs` and `a.rs` are one step below the crate, `a/b.rs` two.
    let steps = inside.split('/').filter(|part| *part != "mod").count();
    for root in ["crate::".to_owned(), "super::".repeat(steps)] {
        for (at, _) in read.code.match_indices(&root) {
            let before = read.code[..at].chars().next_back();
            let line = line_of(&read.code, at);
            // `self::super::` and `$crate::` do not occur here; a `:` before means a longer chain of `super::`.
            if line >= read.test_from || before.is_some_and(|c| c == ':' || c.is_alphanumeric() || c == '_') {
                continue;
            }
            for (name, offset) in imported(&read.code[at + root.len()..]) {
                let line = line_of(&read.code, at + root.len() + offset);
                if AREAS.iter().position(|other| *other == name).is_some_and(|other| other > area) {
                    let what = format!("`{}` imports `{name}`, which stands to its right", AREAS[area]);
                    found.push(Finding::error(file, line, what, REMEDY));
                }
            }
        }
    }
}

/// The first names after a path's root with their offsets: one for `a::b`, several for `{a::b, c}`.
fn imported(rest: &str) -> Vec<(&str, usize)> {
    let Some(group) = rest.strip_prefix('{') else {
        return vec![(word(rest), 0)];
    };
    let mut names = Vec::new();
    let (mut depth, mut begins) = (0, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            c if begins && !c.is_whitespace() => {
                names.push((word(&group[at..]), at + 1));
                begins = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::super::found_by;
    use super::check;

    #[test]
    fn an_import_from_the_right_is_found_wherever_it_hides() {
        let hold = "use crate::regions::Region;\nuse crate::orders::Order;\n";
        let group = "use crate::{\n    parties::{Person, orders},\n    signals::Signal,\n};\n";
        let files = [
            ("crates/domain/src/ledger/hold.rs", hold),
            ("crates/app/src/ledger.rs", "fn a() { crate::documents::print() }"),
            ("crates/app/src/ledger/mod.rs", group),
            ("crates/app/src/regions/deep.rs", "use super::super::parties;"),
            ("crates/app/src/places/mod.rs", "use super::targets::Target;"),
        ];
        assert_eq!(
            found_by(check, &files),
            [
                "crates/domain/src/ledger/hold.rs:2",
                "crates/app/src/ledger.rs:1",
                "crates/app/src/ledger/mod.rs:3",
                "crates/app/src/regions/deep.rs:1",
                "crates/app/src/places/mod.rs:1",
            ]
        );
    }

    #[test]
    fn imports_from_the_left_shared_files_comments_and_tests_are_left_alone() {
        let orders = "use crate::{ledger::Hold, money::Fen, parties};\n// crate::signals\n\
                      #[cfg(test)]\nmod tests { use crate::targets::Target; }\n";
        let files = [
            ("crates/domain/src/orders/mod.rs", orders),
            ("crates/domain/src/orders/tests.rs", "use crate::signals::Signal;"),
            // A module of its own that happens to be called like an area.
            ("crates/domain/src/ledger/hold.rs", "use super::orders::Line;"),
            ("crates/app/src/store.rs", "use crate::documents::Scan;"),
            ("crates/web/src/regions/mod.rs", "use crate::orders::OrderUrl;"),
        ];
        assert!(found_by(check, &files).is_empty());
    }
}
