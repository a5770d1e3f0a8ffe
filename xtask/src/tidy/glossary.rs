//! Every table has its Chinese word: GLOSSARY.md names each table the migrations create.

use std::collections::BTreeSet;

use super::{File, Finding, Tree};

const REMEDY: &str = "add a row to GLOSSARY.md: 中文 | code | table | note";

pub(super) fn check(tree: &Tree, found: &mut Vec<Finding>) {
    let glossary = tree.files.iter().find(|file| file.path == "GLOSSARY.md");
    let known = glossary.map(tables_named).unwrap_or_default();
    let migrations = tree.under("crates/app/migrations/").filter(|file| file.has_ending(&["sql"]));
    for file in migrations {
        for (line, table) in tables_created(&file.text) {
            if !known.contains(table.as_str()) {
                found.push(Finding::error(
                    file,
                    line,
                    format!("table `{table}` is not in the glossary"),
                    REMEDY,
                ));
            }
        }
    }
}

/// What stands in the third column, several separated by commas.
fn tables_named(glossary: &File) -> BTreeSet<&str> {
    glossary
        .text
        .lines()
        .filter(|line| line.trim_start().starts_with('|'))
        .filter_map(|line| line.split('|').nth(3))
        .flat_map(|cell| cell.split(','))
        .map(|name| name.trim().trim_matches('`'))
        .filter(|name| !name.is_empty())
        .collect()
}

/// Tables made or renamed, with the line of the statement.
fn tables_created(sql: &str) -> Vec<(usize, String)> {
    let mut words: Vec<(usize, String)> = Vec::new();
    for (index, line) in sql.lines().enumerate() {
        let code = line.split("--").next().unwrap_or_default();
        let parts =
            code.split(|c: char| c.is_whitespace() || "();,\"".contains(c)).filter(|part| !part.is_empty());
        words.extend(parts.map(|part| (index + 1, part.to_lowercase())));
    }
    let mut tables = Vec::new();
    for at in 0..words.len() {
        let said = |ahead: usize| words.get(at + ahead).map_or("", |(_, word)| word.as_str());
        let name = match (said(0), said(1), said(2)) {
            ("create", "table", "if") => 5,
            ("create", "table", _) => 2,
            ("create", "virtual" | "temp" | "unlogged", "table") => 3,
            ("alter", "table", _) if said(3) == "rename" && said(4) == "to" => 5,
            _ => continue,
        };
        if !said(name).is_empty() {
            tables.push((words[at].0, said(name).to_owned()));
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::super::found_by;
    use super::check;

    const GLOSSARY: &str = "| 中文 | code | table | note |\n|---|---|---|---|\n| 工单 | order | `orders`, `order_share` | |\n| 老年人 | elder | `person` | |\n";

    #[test]
    fn a_table_without_a_word_is_found() {
        let sql = "-- CREATE TABLE ghost\nCREATE TABLE orders (\n  id BIGINT\n);\nCREATE TABLE IF NOT EXISTS offer(id BIGINT);\nALTER TABLE person RENAME TO elder;\n";
        let files = [("GLOSSARY.md", GLOSSARY), ("crates/app/migrations/V1__a.sql", sql)];
        assert_eq!(
            found_by(check, &files),
            ["crates/app/migrations/V1__a.sql:5", "crates/app/migrations/V1__a.sql:6"]
        );
    }

    #[test]
    fn the_code_column_does_not_count_as_a_table() {
        let sql = ("crates/app/migrations/V1__a.sql", "CREATE TABLE elder (id BIGINT);");
        assert_eq!(found_by(check, &[("GLOSSARY.md", GLOSSARY), sql]).len(), 1);
    }

    #[test]
    fn named_tables_pass_and_a_missing_glossary_does_not() {
        let sql = (
            "crates/app/migrations/V1__a.sql",
            "CREATE TABLE order_share (id BIGINT);\nCREATE INDEX i ON x (id);",
        );
        assert!(found_by(check, &[("GLOSSARY.md", GLOSSARY), sql]).is_empty());
        assert_eq!(found_by(check, &[sql]).len(), 1);
    }
}
