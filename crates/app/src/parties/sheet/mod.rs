//! A clerk's own table of people, read as it is and given back with what is wrong in it.
//!
//! Bytes in, values out: nothing here knows a database, a clock or a page. Real files are not
//! tidy: a title above the header, merged villages, two header lines, numbers that Excel spoiled,
//! totals at the bottom, a web page saved as `.xls`. All of that is either understood or answered
//! with a sentence that tells the clerk what to do.
//!
//! The order of a caller: [`read`] → show and correct [`Mapping`] → [`parse_table`] →
//! [`write_back`] with the errors, so that the clerk repairs the file she knows.
//!
//! Files come from outside and may be made to hurt: sizes are checked on what the file declares
//! and again on what it really unpacks to, before the workbook library sees a byte.

mod book;
mod cfb;
mod dates;
mod fields;
mod guard;
mod header;
mod limits;
mod mapping;
mod patch;
mod people;
mod person;
mod refusal;
mod row;
mod sniff;
mod text_file;
mod words;
mod workbook;
mod write;

#[cfg(test)]
mod tests;

pub use book::{Book, Cell, Format, Row, Table, TextEncoding, Value, column_letters};
pub use fields::Field;
pub use limits::{Limits, Watch};
pub use mapping::{Column, ERROR_TITLE, Mapping};
pub use people::{Parsed, SkipReason, Skipped, parse_table};
pub use person::{Level, OtherDocument, PersonRow, RegionText, RowError, Rules};
pub use refusal::SheetRefusal;
pub use row::parse_row;
pub use words::DeclaredAbility;
pub use write::write_back;

/// Reads the table of people in a file: the sheet with a plausible header, or else the first one
/// with anything on it.
pub fn read(file_name: &str, bytes: &[u8], limits: &Limits) -> Result<Book, SheetRefusal> {
    read_sheet(file_name, bytes, None, limits, &mut Watch::nobody())
}

/// The same for one sheet chosen by name, and with somebody who may stop it.
pub fn read_sheet(
    file_name: &str,
    bytes: &[u8],
    wanted: Option<&str>,
    limits: &Limits,
    watch: &mut Watch<'_>,
) -> Result<Book, SheetRefusal> {
    if bytes.len() > limits.file_bytes {
        return Err(SheetRefusal::TooBig { megabytes: limits.file_bytes / (1024 * 1024) });
    }
    let (format, sheet_names, table) = match sniff::sniff(bytes)? {
        sniff::Kind::Text => {
            let (format, table) = text_file::read(bytes, limits, watch)?;
            (format, vec![table.name.clone()], table)
        }
        sniff::Kind::Workbook(format) => {
            guard::check(format, bytes, limits)?;
            let (names, table) = workbook::read(format, bytes, wanted, limits, watch)?;
            (format, names, table)
        }
    };
    if table.rows.is_empty() {
        return Err(SheetRefusal::Empty);
    }
    let mapping = header::guess(&table);
    Ok(Book { file_name: file_name.to_owned(), format, sheet_names, table, mapping })
}
