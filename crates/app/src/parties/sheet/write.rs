//! The clerk's own file back, with one column more that says what is wrong in each row.

use std::collections::BTreeMap;

use rust_xlsxwriter::{Format as Style, FormatBorder, Workbook, XlsxError};

use super::book::{Book, Format, Table, Value};
use super::limits::Limits;
use super::mapping::ERROR_TITLE;
use super::patch;
use super::person::RowError;
use super::refusal::SheetRefusal;
use super::text_file;
use super::workbook;

/// A cell holds no more; Excel calls a longer text damage.
const CELL_CHARS: usize = 32_000;
/// Merged cells are written one by one, and a file may merge a million of them.
const MERGED_CELLS: u64 = 200_000;
/// Wide enough for a sentence.
pub(super) const ERROR_COLUMN_WIDTH: f64 = 60.0;

/// Notes for rows, and the column they go to.
pub(super) struct Notes {
    /// Counted from 0.
    pub(super) column: u32,
    /// By row number, from 1; the title of the column among them.
    pub(super) texts: BTreeMap<u32, String>,
    /// The row with the title.
    pub(super) title_row: u32,
}

/// Writes the errors into the file they were found in. `.xlsx` and `.csv` keep everything they
/// had; formats that cannot be patched (`.xls`, `.ods`, `.xlsb`) become a new `.xlsx` with all
/// cells. An error column of an earlier round is replaced.
/// INVARIANT: `original` is what `book` was read from; its sizes were checked then.
pub fn write_back(original: &[u8], book: &Book, errors: &[RowError]) -> Result<Vec<u8>, SheetRefusal> {
    let notes = notes(book, errors);
    match book.format {
        Format::Csv { encoding, separator } => {
            let (_, text) = text_file::decode(original)?;
            Ok(text_file::encode(
                encoding,
                &csv(&text, separator, &notes, book.mapping.error_column.is_some()),
            ))
        }
        Format::Xlsx => match patch::xlsx(original, &book.table.name, &notes) {
            Some(patched) => Ok(patched),
            // A workbook we could read but not patch is rare; the clerk still gets her cells.
            None => anew(original, book, &notes),
        },
        Format::Xlsb | Format::Xls | Format::Ods => anew(original, book, &notes),
    }
}

/// The file name extension of what [`write_back`] gives.
pub(super) fn extension(format: Format) -> &'static str {
    if matches!(format, Format::Csv { .. }) { "csv" } else { "xlsx" }
}

impl Book {
    /// The name under which the file goes back: the clerk's own, with a word added.
    pub fn name_back(&self) -> String {
        let stem = self.file_name.rsplit_once('.').map_or(self.file_name.as_str(), |(stem, _)| stem);
        format!("{}_错误说明.{}", stem.trim_end_matches("_错误说明"), extension(self.format))
    }
}

fn notes(book: &Book, errors: &[RowError]) -> Notes {
    let mut texts = BTreeMap::<u32, String>::new();
    for error in errors {
        let text = texts.entry(error.row).or_default();
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&error.sentence());
    }
    for text in texts.values_mut() {
        *text = text.chars().filter(|c| !c.is_control() || *c == '\n').take(CELL_CHARS).collect();
    }
    let title_row = book.mapping.header_rows.first().copied().unwrap_or(1);
    // Without a header the first row may be a person, and her note is worth more than a title.
    texts.entry(title_row).or_insert_with(|| ERROR_TITLE.to_owned());
    Notes { column: book.mapping.error_column.unwrap_or_else(|| book.table.width()), texts, title_row }
}

fn csv(text: &str, separator: char, notes: &Notes, replace: bool) -> String {
    let mut written = String::with_capacity(text.len() + notes.texts.len() * 100);
    let mut copied = 0;
    for (number, record) in (1u32..).zip(text_file::Records::new(text, separator)) {
        let note = notes.texts.get(&number).map(|note| quoted(&note.replace('\n', "；"), separator));
        let at = notes.column as usize;
        match record.fields.get(at) {
            Some(old) if replace || old.content(text).trim().is_empty() => {
                written.push_str(&text[copied..old.raw.start]);
                written.push_str(&note.unwrap_or_default());
                copied = old.raw.end;
            }
            _ => {
                let Some(note) = note else { continue };
                written.push_str(&text[copied..record.whole.end]);
                // A short row gets the separators it lacks, so that the note lands in its column.
                let missing = (at + 1).saturating_sub(record.fields.len()).max(1);
                written.extend(std::iter::repeat_n(separator, missing));
                written.push_str(&note);
                copied = record.whole.end;
            }
        }
    }
    written.push_str(&text[copied..]);
    written
}

fn quoted(field: &str, separator: char) -> String {
    if field.contains(['"', '\n', '\r', separator]) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// All sheets in a new workbook: values are kept, looks are not.
fn anew(original: &[u8], book: &Book, notes: &Notes) -> Result<Vec<u8>, SheetRefusal> {
    // Other sheets may be larger than what we lay out; the one with the people was read already.
    let tables = workbook::read_all(book.format, original, &Limits::default());
    let tables = tables.unwrap_or_else(|_| vec![book.table.clone()]);
    let mut workbook = Workbook::new();
    for table in &tables {
        let mine = (table.name == book.table.name).then_some((book, notes));
        sheet(&mut workbook, table, mine).map_err(|_| SheetRefusal::Broken)?;
    }
    workbook.save_to_buffer().map_err(|_| SheetRefusal::Broken)
}

fn sheet(workbook: &mut Workbook, table: &Table, mine: Option<(&Book, &Notes)>) -> Result<(), XlsxError> {
    let day = Style::new().set_num_format("yyyy-mm-dd");
    let head = Style::new().set_bold().set_border(FormatBorder::Thin).set_text_wrap();
    let note_style = Style::new().set_text_wrap();
    let header_rows = mine.map(|(book, _)| book.mapping.header_rows.as_slice()).unwrap_or_default();
    let sheet = workbook.add_worksheet().set_name(&table.name)?;
    for row in &table.rows {
        for (column, cell) in (0u16..).zip(&row.cells) {
            if mine.is_some_and(|(_, notes)| notes.column == u32::from(column)) {
                continue;
            }
            let at = (row.number - 1, column);
            match &cell.value {
                _ if cell.carried => {}
                Value::Empty => {}
                Value::Text(text) if header_rows.contains(&row.number) => {
                    sheet.write_string_with_format(at.0, at.1, text.as_ref(), &head)?;
                }
                Value::Text(text) => {
                    sheet.write_string(at.0, at.1, text.as_ref())?;
                }
                Value::Number(number) => {
                    sheet.write_number(at.0, at.1, *number)?;
                }
                Value::Day(date) => write_day(sheet, at, date, &day)?,
                Value::Bool(truth) => {
                    sheet.write_boolean(at.0, at.1, *truth)?;
                }
                Value::Error => {
                    sheet.write_string(at.0, at.1, cell.text().as_ref())?;
                }
            }
        }
    }
    let Some((_, notes)) = mine else {
        merge(sheet, table);
        return Ok(());
    };
    let column = u16::try_from(notes.column).map_err(|_| XlsxError::RowColumnLimitError)?;
    for (number, note) in &notes.texts {
        let style = if *number == notes.title_row { &head } else { &note_style };
        sheet.write_string_with_format(number - 1, column, note, style)?;
    }
    sheet.set_column_width(column, ERROR_COLUMN_WIDTH)?;
    merge(sheet, table);
    Ok(())
}

fn write_day(
    sheet: &mut rust_xlsxwriter::Worksheet,
    at: (u32, u16),
    date: &jiff::civil::Date,
    style: &Style,
) -> Result<(), XlsxError> {
    let (year, month, day) =
        (date.year().unsigned_abs(), date.month().unsigned_abs(), date.day().unsigned_abs());
    match rust_xlsxwriter::ExcelDateTime::from_ymd(year, month, day) {
        Ok(moment) => sheet.write_datetime_with_format(at.0, at.1, &moment, style)?,
        // A day before 1900 is text in every spreadsheet.
        Err(_) => sheet.write_string(at.0, at.1, date.to_string())?,
    };
    Ok(())
}

/// Merged cells come back as they were. An area that cannot be (it overlaps another, or has no
/// text to show) leaves its cells unmerged, which loses nothing.
fn merge(sheet: &mut rust_xlsxwriter::Worksheet, table: &Table) {
    let mut cells_left = MERGED_CELLS;
    for area in &table.merges {
        let rows = u64::from(area.bottom.saturating_sub(area.top)) + 1;
        let columns = u64::from(area.right.saturating_sub(area.left)) + 1;
        let Some(left) = cells_left.checked_sub(rows * columns) else { continue };
        let anchor = table.rows.binary_search_by_key(&area.top, |r| r.number).ok();
        let anchor = anchor.and_then(|at| table.rows[at].cell(area.left));
        let (Some(Value::Text(text)), Ok(first), Ok(last)) =
            (anchor.map(|c| &c.value), u16::try_from(area.left), u16::try_from(area.right))
        else {
            continue;
        };
        if sheet.merge_range(area.top - 1, first, area.bottom - 1, last, text, &Style::new()).is_ok() {
            cells_left = left;
        }
    }
}
