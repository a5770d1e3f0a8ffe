//! No markers of unfinished work: what is missing belongs into the issue list, not into the tree.

use super::{Finding, Tree};

/// Spelt in two halves so that this file does not find itself.
const WORDS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
const PHRASES: [&str; 5] = [
    concat!("dbg", "!("),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("待", "实现"),
    concat!("coming", " soon"),
];

const REMEDY: &str = "finish it or take it out; what remains to be done is an issue";

/// Written by tools, or by others.
const SKIPPED: [&str; 3] = ["Cargo.lock", "package-lock.json", "LICENSE"];

pub(super) fn check(tree: &Tree, found: &mut Vec<Finding>) {
    for file in
        tree.files.iter().filter(|file| !SKIPPED.contains(&file.name()) && !file.name().contains(".min."))
    {
        for (index, line) in file.text.lines().enumerate() {
            let lower = line.to_lowercase();
            let word =
                WORDS.iter().find(|word| line.split(|c: char| !c.is_alphanumeric()).any(|w| w == **word));
            if let Some(marker) = word.or_else(|| PHRASES.iter().find(|phrase| lower.contains(**phrase))) {
                found.push(Finding::error(file, index + 1, format!("leftover marker `{marker}`"), REMEDY));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::found_by;
    use super::{PHRASES, WORDS, check};

    #[test]
    fn every_marker_is_found() {
        for marker in WORDS.iter().chain(&PHRASES) {
            let text = format!("fine\n// {marker}: later)\n");
            assert_eq!(found_by(check, &[("docs/a.md", &text)]), ["docs/a.md:2"], "{marker}");
        }
        let shouted = PHRASES[4].to_uppercase();
        assert_eq!(found_by(check, &[("crates/web/templates/a.html", &shouted)]).len(), 1);
    }

    #[test]
    fn words_that_only_contain_a_marker_and_lock_files_are_left_alone() {
        let lock = format!("name = \"{}\"", WORDS[0]);
        let files = [("a.rs", "let mastodon = \"METODOS\"; // todo list"), ("Cargo.lock", &lock)];
        assert!(found_by(check, &files).is_empty());
    }
}
