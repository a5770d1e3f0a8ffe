//! Tidy: rules about the tree that only reading it can keep.
//!
//! Every rule is one file with one `check(&Tree, &mut Vec<Finding>)`, works on plain text, and tells the remedy. The
//! rules read what git knows or would add, so a build folder or a stray download is never judged.

mod area_order;
mod glossary;
mod licences;
mod machine_paths;
mod markers;
mod rust_text;
mod size;
mod sql_place;
mod templates;

use std::fmt;
use std::io;
use std::path::Path;
use std::process::Command;

/// One thing a rule found.
#[derive(Debug)]
pub(crate) struct Finding {
    /// Errors fail the run, warnings only speak.
    pub(crate) error: bool,
    path: String,
    line: usize,
    what: String,
    remedy: &'static str,
}

impl Finding {
    fn error(file: &File, line: usize, what: String, remedy: &'static str) -> Finding {
        Finding { error: true, path: file.path.clone(), line, what, remedy }
    }

    fn warning(file: &File, line: usize, what: String, remedy: &'static str) -> Finding {
        Finding { error: false, ..Finding::error(file, line, what, remedy) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.error { "error" } else { "warning" };
        write!(f, "{}:{}: {kind}: {}\n    remedy: {}", self.path, self.line, self.what, self.remedy)
    }
}

/// A text file, by its path from the root with forward slashes.
struct File {
    path: String,
    text: String,
}

impl File {
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    fn has_ending(&self, endings: &[&str]) -> bool {
        self.name().rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
    }

    /// Whether the whole file is test code. Unit tests inside a file are `RustText::test_from`'s business.
    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.name() == "tests.rs" || self.name().ends_with("_tests.rs")
    }
}

/// All text files of the workspace.
struct Tree {
    files: Vec<File>,
}

impl Tree {
    fn read(root: &Path) -> io::Result<Tree> {
        let listing = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()?;
        if !listing.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&listing.stderr).into_owned()));
        }
        let listing = String::from_utf8_lossy(&listing.stdout);
        // What is not UTF-8 is a picture, a font or a fixture; what cannot be read was deleted and not yet committed.
        let read = |path: &str| {
            Some(File { path: path.into(), text: std::fs::read_to_string(root.join(path)).ok()? })
        };
        Ok(Tree { files: listing.split('\0').filter(|path| !path.is_empty()).filter_map(read).collect() })
    }

    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Tree {
        let file = |(path, text): &(&str, &str)| File { path: (*path).into(), text: (*text).into() };
        Tree { files: files.iter().map(file).collect() }
    }

    /// The files below a folder.
    fn under(&self, folder: &str) -> impl Iterator<Item = &File> {
        self.files.iter().filter(move |file| file.path.starts_with(folder))
    }
}

/// Runs every rule on the tree below `root`.
pub(crate) fn run(root: &Path) -> io::Result<Vec<Finding>> {
    let tree = Tree::read(root)?;
    let mut found = Vec::new();
    sql_place::check(&tree, &mut found);
    area_order::check(&tree, &mut found);
    glossary::check(&tree, &mut found);
    markers::check(&tree, &mut found);
    licences::check(root, &tree, &mut found)?;
    size::check(&tree, &mut found);
    templates::check(&tree, &mut found);
    machine_paths::check(&tree, &mut found);
    found.sort_by(|a, b| (!a.error, &a.path, a.line).cmp(&(!b.error, &b.path, b.line)));
    Ok(found)
}

/// Runs one rule on a made-up tree and returns `path:line` of what it found.
#[cfg(test)]
fn found_by(rule: fn(&Tree, &mut Vec<Finding>), files: &[(&str, &str)]) -> Vec<String> {
    let mut found = Vec::new();
    rule(&Tree::of(files), &mut found);
    assert!(found.iter().all(|finding| !finding.remedy.is_empty() && !finding.what.is_empty()));
    found.iter().map(|finding| format!("{}:{}", finding.path, finding.line)).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_repository_is_tidy() {
        let found = super::run(&crate::root()).expect("the tests run inside the repository");
        let errors: Vec<String> = found.iter().filter(|f| f.error).map(ToString::to_string).collect();
        assert!(errors.is_empty(), "\n{}", errors.join("\n"));
    }

    #[test]
    fn the_tree_is_really_read() {
        let tree = super::Tree::read(&crate::root()).expect("the tests run inside the repository");
        assert!(tree.files.iter().any(|file| file.path == "xtask/src/tidy/mod.rs"));
        assert!(tree.files.iter().all(|file| !file.path.starts_with("target/")));
    }
}
