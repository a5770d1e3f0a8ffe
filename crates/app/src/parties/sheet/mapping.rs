//! Which column means what: our guess first, the clerk's word in the end.

use super::book::column_letters;
use super::fields::{self, Field};

/// The title of the column we add. A file that comes back repaired still has it.
pub const ERROR_TITLE: &str = "错误说明";

/// Columns and their meaning, and where the people start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapping {
    /// The line or lines of the header, as numbered in the file; empty when none was found.
    pub header_rows: Vec<u32>,
    /// All columns of the table.
    pub columns: Vec<Column>,
    /// Where our own column stands in a file that was given back once, counted from 0.
    pub error_column: Option<u32>,
    /// Days are counted from 1904.
    pub(super) epoch_1904: bool,
}

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Counted from 0.
    pub index: u32,
    /// As in the file, both lines of a double header together; may be empty.
    pub title: String,
    /// What it means; `None` is not read.
    pub field: Option<Field>,
}

impl Column {
    /// `C列 身份证号`
    pub fn name(&self) -> String {
        format!("{}列 {}", column_letters(self.index), self.title).trim_end().to_owned()
    }
}

impl Mapping {
    /// Gives a column another meaning. A field that stands in one column only leaves its old one.
    pub fn assign(&mut self, index: u32, field: Option<Field>) {
        for column in &mut self.columns {
            if column.index == index {
                column.field = field;
            } else if column.field == field && field.is_some_and(|f| !f.repeatable()) {
                column.field = None;
            }
        }
    }

    /// The columns of a field.
    pub fn columns_of(&self, field: Field) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(move |c| c.field == Some(field))
    }

    /// Is there a column for it?
    pub fn has(&self, field: Field) -> bool {
        self.columns_of(field).next().is_some()
    }

    /// Enough to believe that this is a list of people: a name or a number, and one thing more.
    pub fn plausible(&self) -> bool {
        let meant = self.columns.iter().filter(|c| c.field.is_some()).count();
        meant >= 2 && (self.has(Field::Name) || self.has(Field::IdNo))
    }

    /// The first line that may be a person.
    pub(super) fn first_row(&self) -> u32 {
        self.header_rows.last().map_or(1, |last| last + 1)
    }

    /// Is this the title of the column once more? Under a double header a line repeats one half.
    pub(super) fn same_title(&self, column: &Column, text: &str) -> bool {
        let (title, text) = (fields::plain(&column.title), fields::plain(text));
        let half = self.header_rows.len() > 1 && (title.starts_with(&text) || title.ends_with(&text));
        !text.is_empty() && (title == text || half)
    }
}
