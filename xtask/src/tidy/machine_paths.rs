//! No path of somebody's machine in a tracked file: it works for one person and tells others where they work.

use super::{Finding, Tree};

/// Spelt in two halves so that this file does not find itself.
const PATHS: [&str; 4] =
    [concat!("/wo", "rk"), concat!("/tmp", "/wt"), concat!("/ro", "ot"), concat!("../sha", "red")];

const REMEDY: &str = "name it relative to the repository, or take it as an argument";

pub(super) fn check(tree: &Tree, found: &mut Vec<Finding>) {
    for file in tree.files.iter().filter(|file| file.name() != "package-lock.json") {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(path) = PATHS.iter().find(|path| names(line, path)) {
                found.push(Finding::error(file, index + 1, format!("a machine's path: {path}"), REMEDY));
            }
        }
    }
}

/// Whether the path stands in the line as a whole: not as the tail of a longer path, nor cut out of a longer word.
fn names(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + path.len()..].chars().next();
        let joins = |c: char| c.is_alphanumeric() || "_-".contains(c);
        !before.is_some_and(|c| joins(c) || ".}/>".contains(c)) && !after.is_some_and(joins)
    })
}

#[cfg(test)]
mod tests {
    use super::super::found_by;
    use super::{PATHS, check};

    #[test]
    fn a_path_of_a_machine_is_found() {
        for path in PATHS {
            let text = format!("fine\nsee `{path}/a.csv`\n");
            assert_eq!(found_by(check, &[("docs/a.md", &text)]), ["docs/a.md:2"], "{path}");
            assert_eq!(found_by(check, &[("a.rs", &format!("\"{path}\""))]).len(), 1, "{path}");
        }
    }

    #[test]
    fn longer_paths_and_words_are_left_alone() {
        for path in PATHS {
            let text = format!("home{path} {path}ers x.{path} {{base}}{path}_day");
            assert!(found_by(check, &[("a.md", &text)]).is_empty(), "{path}");
        }
    }
}
