//! What is shown of a file: the lines with something to say, and how its columns were understood.
//!
//! Both quote what people wrote about people, so they are kept encrypted, in parts of one page each: a list of 50,000
//! problems costs a page, not the list.

use domain::{ids::ImportId, parties::mask};
use serde::{Deserialize, Serialize};

use super::LINES_A_PAGE;
use crate::{
    parties::sheet::{Book, Column, Field, Level, Mapping, PersonRow, Row, RowError, column_letters},
    store::{Fault as StoreFault, Vault},
};

/// Lines that are taken and of which nothing is to be said: enough to see that the columns are right.
const SAMPLES: usize = 100;
/// Example values beside each column of the layout.
const EXAMPLES: usize = 3;
/// A cell may hold a page of text; its beginning tells what it is.
const EXAMPLE_CHARS: usize = 20;
/// Under these names the vault keeps them.
const LINES: &str = "import_lines";
const LAYOUT: &str = "import_layout";

/// How a row fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Cannot be taken.
    Rejected,
    /// Somebody new.
    Added,
    /// Something new about somebody.
    Changed,
    /// The register says the same.
    Unchanged,
}

impl Fate {
    /// The word on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Fate::Rejected => "不能接受",
            Fate::Added => "新登记",
            Fate::Changed => "更新",
            Fate::Unchanged => "相同",
        }
    }
}

/// Something wrong in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Letters and title, such as `C列 身份证号`; empty when it concerns the whole row.
    pub column: String,
    /// What the column means.
    pub field: Option<Field>,
    /// A stable word.
    pub code: String,
    /// What is wrong and how to repair it.
    pub message: String,
    /// Only worth a look; the row is taken.
    pub warning: bool,
}

impl From<&RowError> for Fault {
    fn from(error: &RowError) -> Fault {
        Fault {
            column: error.column.clone(),
            field: error.field,
            code: error.code.to_owned(),
            message: error.message.clone(),
            warning: error.level == Level::Warning,
        }
    }
}

/// One row of the file as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// As numbered in the file.
    pub row: u32,
    /// The name as it was written.
    pub name: String,
    /// The identity number as it was written, masked.
    pub id_no: String,
    /// How it fares.
    pub fate: Fate,
    /// What is wrong with it, or worth a look.
    pub faults: Vec<Fault>,
}

impl Line {
    /// A row with its faults, named by what stands in its cells.
    pub(super) fn of_row(row: &Row, mapping: &Mapping, fate: Fate, faults: Vec<Fault>) -> Line {
        let text = |field| {
            let cells = mapping.columns_of(field).filter_map(|c| row.cell(c.index)).filter(|c| !c.blank());
            cells.map(|c| c.text().trim().to_owned()).next().unwrap_or_default()
        };
        Line {
            row: row.number,
            name: shortened(&text(Field::Name)),
            id_no: mask::id(&text(Field::IdNo)),
            fate,
            faults,
        }
    }

    /// Someone who can be taken.
    pub(super) fn of_person(person: &PersonRow, fate: Fate) -> Line {
        Line {
            row: person.row,
            name: person.name.as_str().to_owned(),
            id_no: person.id.as_ref().map(|id| mask::id(id.reveal())).unwrap_or_default(),
            fate,
            faults: person.warnings.iter().map(Fault::from).collect(),
        }
    }

    /// Somebody should look at it.
    pub fn problem(&self) -> bool {
        !self.faults.is_empty()
    }

    fn urgency(&self) -> u8 {
        match (self.fate, self.problem()) {
            (Fate::Rejected, _) => 0,
            (_, true) => 1,
            (Fate::Changed, _) => 2,
            (Fate::Added, _) => 3,
            (Fate::Unchanged, _) => 4,
        }
    }
}

/// Lines worth showing, problems first, and only a sample of those with nothing to say.
pub(super) fn worth_showing(mut lines: Vec<Line>) -> Vec<Line> {
    lines.sort_by_key(|line| (line.urgency(), line.row));
    let problems = lines.iter().take_while(|line| line.problem()).count();
    lines.truncate(problems + SAMPLES);
    lines
}

/// Lines as parts of one page each, ready to be kept.
pub(super) fn sealed(vault: &Vault, id: ImportId, lines: &[Line]) -> Result<Vec<Vec<u8>>, StoreFault> {
    lines
        .chunks(LINES_A_PAGE)
        .map(|page| Ok(vault.encrypt_bytes(LINES, id.0, &serde_json::to_vec(page)?)))
        .collect()
}

pub(super) fn opened(vault: &Vault, id: ImportId, part: &[u8]) -> Result<Vec<Line>, StoreFault> {
    Ok(serde_json::from_slice(&vault.decrypt_bytes(LINES, id.0, part)?)?)
}

/// How the file was understood, for the clerk to correct.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Every visible sheet.
    pub sheets: Vec<String>,
    /// The one that was read.
    pub sheet: String,
    /// The line or lines of the header, as numbered in the file.
    pub header_rows: Vec<u32>,
    /// Every column.
    pub columns: Vec<LayoutColumn>,
}

/// One column of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayoutColumn {
    /// Counted from 0.
    pub index: u32,
    /// Letters above it.
    pub letters: String,
    /// Its title in the file.
    pub title: String,
    /// What it means; `None` is not read.
    pub field: Option<Field>,
    /// What stands in it.
    pub examples: Vec<String>,
}

impl Layout {
    pub(super) fn of(book: &Book, mapping: &Mapping) -> Layout {
        let first = mapping.header_rows.last().map_or(1, |last| last + 1);
        let examples = |column: &Column| -> Vec<String> {
            let rows = book.table.rows.iter().filter(|row| row.number >= first);
            let cells = rows.filter_map(|row| row.cell(column.index)).filter(|cell| !cell.blank());
            cells.take(EXAMPLES).map(|cell| example(&cell.text(), column.field)).collect()
        };
        Layout {
            sheets: book.sheet_names.clone(),
            sheet: book.table.name.clone(),
            header_rows: mapping.header_rows.clone(),
            columns: mapping
                .columns
                .iter()
                .map(|column| LayoutColumn {
                    index: column.index,
                    letters: column_letters(column.index),
                    title: column.title.clone(),
                    field: column.field,
                    examples: examples(column),
                })
                .collect(),
        }
    }

    pub(super) fn sealed(&self, vault: &Vault, id: ImportId) -> Result<Vec<u8>, StoreFault> {
        Ok(vault.encrypt_bytes(LAYOUT, id.0, &serde_json::to_vec(self)?))
    }

    pub(super) fn opened(vault: &Vault, id: ImportId, sealed: &[u8]) -> Result<Layout, StoreFault> {
        Ok(serde_json::from_slice(&vault.decrypt_bytes(LAYOUT, id.0, sealed)?)?)
    }
}

/// Long rows of digits are numbers of people, cards or phones, whatever the column is called.
fn example(text: &str, field: Option<Field>) -> String {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let secret = matches!(field, Some(Field::IdNo | Field::Phone | Field::BankCard | Field::EmergencyPhone));
    if secret || digits >= 7 { mask::id(text.trim()) } else { shortened(text.trim()) }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(EXAMPLE_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
