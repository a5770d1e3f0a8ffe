//! No file over 800 lines of code; from 500 on a warning to look for the second noun in it.

use super::rust_text::RustText;
use super::{File, Finding, Tree};

/// Nearly all files of good service code we measured stay below.
const WARN: usize = 500;

/// Nobody reads further than this in one sitting.
const MAX: usize = 800;

const REMEDY: &str = "look for the second noun in it and give that its own file; tests can move to tests.rs";

pub(super) fn check(tree: &Tree, found: &mut Vec<Finding>) {
    let written =
        |file: &&File| file.has_ending(&["rs", "ts", "js", "html"]) && !file.path.contains("/dist/");
    for file in tree.under("crates/").filter(written) {
        let lines = code_lines(file);
        if lines > MAX {
            found.push(Finding::error(file, 1, format!("{lines} lines of code, at most {MAX}"), REMEDY));
        } else if lines > WARN {
            found.push(Finding::warning(
                file,
                1,
                format!("{lines} lines of code, better below {WARN}"),
                REMEDY,
            ));
        }
    }
}

/// Lines that hold more than space and comments.
fn code_lines(file: &File) -> usize {
    let filled = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count();
    if !file.has_ending(&["rs"]) {
        return filled(&file.text);
    }
    // A line inside a long string is blank in `code` though it is a line of the file: such strings count as written.
    let read = RustText::of(&file.text);
    let inside: usize = read.strings.iter().map(|(_, text)| filled(text).saturating_sub(2)).sum();
    filled(&read.code) + inside
}

#[cfg(test)]
mod tests {
    use super::super::{Tree, found_by};
    use super::{Finding, check};

    fn errors(text: &str) -> Vec<bool> {
        let mut found: Vec<Finding> = Vec::new();
        check(&Tree::of(&[("crates/app/src/a.rs", text)]), &mut found);
        found.iter().map(|finding| finding.error).collect()
    }

    #[test]
    fn over_eight_hundred_lines_is_an_error_and_over_five_hundred_a_warning() {
        assert_eq!(errors(&"let a = 1;\n".repeat(801)), [true]);
        assert_eq!(errors(&"let a = 1;\n".repeat(800)), [false]);
        assert_eq!(errors(&"let a = 1;\n".repeat(501)), [false]);
        assert!(errors(&"let a = 1;\n".repeat(500)).is_empty());
    }

    #[test]
    fn comments_and_blank_lines_are_free_and_long_strings_are_not() {
        assert!(errors(&"/// Why.\n\n".repeat(2000)).is_empty());
        assert_eq!(errors(&format!("const A: &str = \"\n{}\";", "row\n".repeat(900))), [true]);
    }

    #[test]
    fn what_a_bundler_wrote_is_left_alone() {
        assert!(found_by(check, &[("crates/web/dist/a.js", &"a();\n".repeat(900))]).is_empty());
    }
}
