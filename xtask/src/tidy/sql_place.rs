//! SQL lives in `sql.rs` or `sql/` of `crates/app`, and in its migrations.
//!
//! Tests may ask a database what they like. Transaction control and pragmas are the store's trade and not queries;
//! neither is a SELECT in `crates/app/src/store/` that reads no table, for so one takes a lock or asks for a version.

use super::rust_text::RustText;
use super::{Finding, Tree};

const REMEDY: &str = "move the query into the area's sql.rs in crates/app and call it by name";

pub(super) fn check(tree: &Tree, found: &mut Vec<Finding>) {
    for file in tree.under("crates/") {
        let in_app = file.path.starts_with("crates/app/");
        let at_home = in_app && (file.name() == "sql.rs" || file.path.contains("/sql/"));
        if at_home || file.is_test() || file.path.starts_with("crates/app/migrations/") {
            continue;
        }
        if file.has_ending(&["sql"]) {
            found.push(Finding::error(file, 1, "an SQL file outside crates/app".into(), REMEDY));
        }
        if !file.has_ending(&["rs"]) {
            continue;
        }
        let read = RustText::of(&file.text);
        let in_store = file.path.starts_with("crates/app/src/store/");
        for (line, text) in &read.strings {
            let own_trade = in_store && text.trim_start().starts_with("SELECT") && !text.contains("FROM");
            if *line >= read.test_from || own_trade || !is_query(text) {
                continue;
            }
            let begin: String = text.trim_start().chars().take(40).collect();
            found.push(Finding::error(file, *line, format!("SQL outside sql.rs: {begin:?}"), REMEDY));
        }
    }
}

/// Whether a literal is a statement or the tail of one. Upper case, as all our SQL is written; English sentences that
/// begin with "select" or "update" are not.
fn is_query(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().filter(|word| *word != "\\").collect();
    let has = |word: &str| words.contains(&word);
    match words.as_slice() {
        ["SELECT", _, ..] => true,
        ["INSERT", "INTO" | "OR", ..] | ["REPLACE", "INTO", ..] | ["DELETE", "FROM", ..] => true,
        ["insert", "into", ..] | ["delete", "from", ..] | ["select", "*", "from", ..] => true,
        ["UPDATE", _, ..] => has("SET"),
        ["WITH", _, ..] => has("AS") || has("SELECT"),
        ["CREATE" | "ALTER" | "DROP", "TABLE" | "INDEX" | "UNIQUE" | "VIEW" | "TRIGGER", _, ..] => true,
        ["ORDER" | "GROUP", "BY", ..] | ["WHERE", _, ..] => true,
        _ => has("SELECT") && has("FROM"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::found_by;
    use super::check;

    const QUERY: &str = "fn a() {\n    one(\"SELECT id FROM person\")\n}\n";

    #[test]
    fn a_query_outside_sql_rs_is_found() {
        let files = [("crates/app/src/orders/mod.rs", QUERY), ("crates/web/src/sql.rs", QUERY)];
        assert_eq!(found_by(check, &files), ["crates/app/src/orders/mod.rs:2", "crates/web/src/sql.rs:2"]);
    }

    #[test]
    fn every_kind_of_statement_is_known() {
        for text in [
            "INSERT INTO a VALUES (1)",
            "UPDATE a SET b = 1",
            "DELETE FROM a",
            "WITH x AS (SELECT 1) SELECT * FROM x",
            "CREATE UNIQUE INDEX i ON a (b)",
            " ORDER BY id",
            "\\\n    SELECT 1",
            "EXPLAIN SELECT a FROM b",
        ] {
            let file = format!("const A: &str = \"{text}\";");
            assert_eq!(found_by(check, &[("crates/domain/src/a.rs", &file)]).len(), 1, "{text}");
        }
        assert_eq!(found_by(check, &[("crates/app/src/a.sql", "")]).len(), 1);
        assert_eq!(found_by(check, &[("crates/app/src/store/a.rs", QUERY)]).len(), 1);
    }

    #[test]
    fn its_home_tests_comments_and_plain_sentences_are_left_alone() {
        let tests = format!("#[cfg(test)]\nmod tests {{ {QUERY} }}");
        let plain = "// SELECT id FROM person\nconst A: [&str; 3] = [\"select a street from the list\", \"UPDATE now\", \"PRAGMA foreign_keys = ON\"];";
        let files = [
            ("crates/app/src/orders/sql.rs", QUERY),
            ("crates/app/src/orders/sql/list.rs", QUERY),
            ("crates/app/migrations/V1__a.sql", "CREATE TABLE a (b TEXT);"),
            ("crates/app/tests/store.rs", QUERY),
            ("crates/app/src/store.rs", &tests),
            ("crates/app/src/plain.rs", plain),
            (
                "crates/app/src/store/pg.rs",
                "const A: [&str; 2] = [\"SELECT pg_advisory_lock(1)\", \"CREATE TABLE \"];",
            ),
        ];
        assert!(found_by(check, &files).is_empty());
    }
}
