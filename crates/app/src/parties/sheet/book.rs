//! A table as it stands in the file: rows with their own numbers, cells with what they hold.

use std::borrow::Cow;

use jiff::civil::Date;

use super::mapping::Mapping;

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Book {
    /// As the clerk named it.
    pub file_name: String,
    /// What it is, by content.
    pub format: Format,
    /// All visible sheets, so that another one can be chosen.
    pub sheet_names: Vec<String>,
    /// The sheet that was read.
    pub table: Table,
    /// What we think the columns mean.
    pub mapping: Mapping,
}

/// What a file is, whatever its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Excel 2007 and later, WPS.
    Xlsx,
    /// The binary variant of it.
    Xlsb,
    /// Excel 97–2003.
    Xls,
    /// OpenDocument.
    Ods,
    /// Text with separators.
    Csv {
        /// How characters are stored.
        encoding: TextEncoding,
        /// Between two fields.
        separator: char,
    },
}

/// Encodings that Chinese offices really send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextEncoding {
    /// Without a mark.
    Utf8,
    /// With the mark that makes Excel see it.
    Utf8Bom,
    /// "Unicode text" of Excel.
    Utf16Le,
    /// The other byte order.
    Utf16Be,
    /// What Excel writes as CSV on a Chinese Windows.
    Gb18030,
}

/// One sheet.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Its name; empty for text files.
    pub name: String,
    /// Rows with anything in them, in order.
    pub rows: Vec<Row>,
    /// Days are counted from 1904 (old Macs).
    pub epoch_1904: bool,
    /// Merged cells, where the format tells.
    pub(super) merges: Vec<Area>,
}

/// A merged area: rows as numbered in the file, columns from 0, both ends included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub(super) top: u32,
    pub(super) left: u32,
    pub(super) bottom: u32,
    pub(super) right: u32,
}

/// One row with anything in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// As the spreadsheet program shows it, from 1.
    pub number: u32,
    /// From column A; shorter than the table where the rest is empty.
    pub cells: Vec<Cell>,
}

/// One cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// What it holds.
    pub value: Value,
    /// The value stands in another cell, and this one is merged with it.
    pub carried: bool,
}

/// What a cell holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing, or only spaces.
    #[default]
    Empty,
    /// Text as stored.
    Text(Box<str>),
    /// A number, of which only 15 digits are real.
    Number(f64),
    /// A number that the sheet shows as a day.
    Day(Date),
    /// 真 or 假.
    Bool(bool),
    /// `#N/A`, `#REF!` …
    Error,
}

impl Table {
    /// The number of columns that hold anything.
    pub fn width(&self) -> u32 {
        let widest = self.rows.iter().map(Row::width).max().unwrap_or(0);
        u32::try_from(widest).expect("columns are limited when the table is read")
    }
}

impl Row {
    /// The cell in a column, counted from 0.
    pub fn cell(&self, column: u32) -> Option<&Cell> {
        self.cells.get(column as usize)
    }

    /// Nothing of its own in any cell.
    pub(super) fn blank(&self) -> bool {
        self.cells.iter().all(Cell::blank)
    }

    fn width(&self) -> usize {
        self.cells.iter().rposition(|c| !c.blank()).map_or(0, |at| at + 1)
    }
}

impl Cell {
    pub(super) fn new(value: Value) -> Cell {
        Cell { value, carried: false }
    }

    /// Nothing of its own.
    pub fn blank(&self) -> bool {
        self.carried || self.value == Value::Empty
    }

    /// What the cell holds as text.
    pub fn text(&self) -> Cow<'_, str> {
        match &self.value {
            Value::Empty => Cow::Borrowed(""),
            Value::Text(text) => Cow::Borrowed(unwrap_formula_text(text)),
            Value::Number(number) => Cow::Owned(number.to_string()),
            Value::Day(day) => Cow::Owned(day.to_string()),
            Value::Bool(true) => Cow::Borrowed("是"),
            Value::Bool(false) => Cow::Borrowed("否"),
            Value::Error => Cow::Borrowed("#错误"),
        }
    }

    /// The spreadsheet holds it as a number.
    pub fn numeric(&self) -> bool {
        matches!(self.value, Value::Number(_))
    }
}

/// Some systems export `="4102…"` so that Excel leaves the number alone.
fn unwrap_formula_text(text: &str) -> &str {
    text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
}

/// The letters above a column, counted from 0: A … Z, AA …
pub fn column_letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).expect("below 26");
        letters.push(char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_as_in_the_program() {
        for (column, letters) in
            [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
        {
            assert_eq!(column_letters(column), letters);
        }
    }

    #[test]
    fn numbers_are_written_out_and_formula_text_is_unwrapped() {
        assert_eq!(Cell::new(Value::Number(410_205_194_002_290_000.0)).text(), "410205194002290000");
        assert_eq!(Cell::new(Value::Text("=\"0378\"".into())).text(), "0378");
        assert_eq!(Cell::new(Value::Text("=\"".into())).text(), "=\"");
    }
}
