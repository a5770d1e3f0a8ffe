//! What must hold before the workbook library may see a file.
//!
//! The library trusts what a file declares: it reserves memory for the counts it reads and lays
//! sparse cells out as a full rectangle. So here every size is read and measured first, on the
//! real unpacked bytes.

use std::io::{Cursor, Read};

use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::book::Format;
use super::cfb::Compound;
use super::limits::Limits;
use super::refusal::SheetRefusal;

/// Parts in one workbook; a real one has a few dozen.
const ENTRIES: usize = 5_000;
/// Sheets in one `.xls`; all of them are laid out at once.
const XLS_SHEETS: usize = 256;

pub(super) fn check(format: Format, bytes: &[u8], limits: &Limits) -> Result<(), SheetRefusal> {
    match format {
        Format::Xlsx | Format::Xlsb => zip(bytes, limits),
        Format::Ods => zip(bytes, limits).and_then(|()| ods(bytes, limits)),
        Format::Xls => xls(bytes, limits),
        Format::Csv { .. } => Ok(()),
    }
}

fn zip(bytes: &[u8], limits: &Limits) -> Result<(), SheetRefusal> {
    let mut archive = open(bytes)?;
    if archive.len() > ENTRIES {
        return Err(SheetRefusal::UnpacksTooBig);
    }
    let mut declared = 0u64;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|_| SheetRefusal::Broken)?;
        if entry.encrypted() {
            return Err(SheetRefusal::Password);
        }
        declared = declared.saturating_add(entry.size());
    }
    if declared > limits.unpacked_bytes {
        return Err(SheetRefusal::UnpacksTooBig);
    }
    let mut left = limits.unpacked_bytes;
    for index in 0..archive.len() {
        let data = unpack(&mut archive, index, left)?;
        left -= data.len() as u64;
        shared_strings_count(&data)?;
    }
    Ok(())
}

fn open(bytes: &[u8]) -> Result<ZipArchive<Cursor<&[u8]>>, SheetRefusal> {
    ZipArchive::new(Cursor::new(bytes)).map_err(|_| SheetRefusal::Broken)
}

/// The zip library stops at the declared size of a part by itself; the bound here does not depend on it.
fn unpack(archive: &mut ZipArchive<Cursor<&[u8]>>, index: usize, most: u64) -> Result<Vec<u8>, SheetRefusal> {
    let entry = archive.by_index(index).map_err(|_| SheetRefusal::Broken)?;
    let mut data = Vec::new();
    entry.take(most + 1).read_to_end(&mut data).map_err(|_| SheetRefusal::Broken)?;
    if data.len() as u64 > most {
        return Err(SheetRefusal::UnpacksTooBig);
    }
    Ok(data)
}

/// The count of shared strings is memory reserved unseen. A string takes at least five bytes of
/// XML, so a count above the size of the part is a lie.
fn shared_strings_count(part: &[u8]) -> Result<(), SheetRefusal> {
    // UTF-16 would hide the word we look for, and no spreadsheet program writes it.
    if part.starts_with(&[0xFF, 0xFE]) || part.starts_with(&[0xFE, 0xFF]) || part.starts_with(b"<\0") {
        return Err(SheetRefusal::Broken);
    }
    let text = String::from_utf8_lossy(part);
    for (at, word) in text.match_indices("uniqueCount") {
        let value = text[at + word.len()..].trim_start_matches([' ', '\t', '\r', '\n', '=', '"', '\'']);
        let digits = value.bytes().take_while(u8::is_ascii_digit).count();
        let count = value[..digits].parse::<usize>().unwrap_or(if digits == 0 { 0 } else { usize::MAX });
        if count > part.len() {
            return Err(SheetRefusal::UnpacksTooBig);
        }
    }
    Ok(())
}

/// OpenDocument says "this cell 16,000 times, this row a million times" in forty bytes.
fn ods(bytes: &[u8], limits: &Limits) -> Result<(), SheetRefusal> {
    let mut archive = open(bytes)?;
    let index = archive.index_for_name("content.xml").ok_or(SheetRefusal::Broken)?;
    let data = unpack(&mut archive, index, limits.unpacked_bytes)?;
    let text = String::from_utf8(data).map_err(|_| SheetRefusal::Broken)?;
    let mut reader = quick_xml::Reader::from_str(&text);
    let mut grid = Grid::default();
    loop {
        match reader.read_event().map_err(|_| SheetRefusal::Broken)? {
            Event::Start(e) | Event::Empty(e) => match e.name().as_ref() {
                "table:table" => grid = Grid::default(),
                "table:table-row" => {
                    grid.end_row();
                    grid.repeat = repeated(&e, "table:number-rows-repeated");
                }
                "table:table-cell" | "table:covered-table-cell" => grid.cell(&e),
                "text:p" => grid.filled(),
                _ => {}
            },
            Event::Eof => break,
            _ => {}
        }
        if grid.cells() > limits.cells as u64 * 4 {
            return Err(SheetRefusal::TooManyCells);
        }
    }
    Ok(())
}

/// The rectangle the library will lay out: down to the last row and right to the last column with
/// anything in it.
#[derive(Default)]
struct Grid {
    /// Rows before the present one.
    above: u64,
    /// How often the present row stands there.
    repeat: u64,
    /// Columns of the present row so far.
    columns: u64,
    row_filled: bool,
    last_row: u64,
    last_column: u64,
}

impl Grid {
    fn end_row(&mut self) {
        self.above += self.repeat;
        if self.row_filled {
            self.last_row = self.above;
        }
        (self.repeat, self.columns, self.row_filled) = (0, 0, false);
    }

    fn cell(&mut self, e: &BytesStart<'_>) {
        self.columns += repeated(e, "table:number-columns-repeated").min(16_384);
        if matches!(e.try_get_attribute("office:value-type"), Ok(Some(_))) {
            self.filled();
        }
    }

    fn filled(&mut self) {
        self.row_filled = true;
        self.last_column = self.last_column.max(self.columns);
    }

    fn cells(&self) -> u64 {
        let open_row = if self.row_filled { self.above + self.repeat } else { 0 };
        self.last_row.max(open_row).min(1_048_576).saturating_mul(self.last_column)
    }
}

fn repeated(e: &BytesStart<'_>, name: &str) -> u64 {
    match e.try_get_attribute(name) {
        Ok(Some(value)) => value.value.parse().unwrap_or(1),
        _ => 1,
    }
}

/// The records of an old workbook, read for their places only.
fn xls(bytes: &[u8], limits: &Limits) -> Result<(), SheetRefusal> {
    let file = Compound::open(bytes).ok_or(SheetRefusal::Broken)?;
    let stream = file.stream("Workbook").or_else(|| file.stream("Book")).ok_or(SheetRefusal::Broken)?;
    let mut sheets = Vec::new();
    for (kind, data) in records(&stream, 0) {
        match kind {
            0x002F if data.iter().any(|b| *b != 0) => return Err(SheetRefusal::Password),
            0x0085 => sheets.push(u32_le(data, 0).ok_or(SheetRefusal::Broken)? as usize),
            0x000A => break,
            _ => {}
        }
    }
    if sheets.len() > XLS_SHEETS {
        return Err(SheetRefusal::TooManyCells);
    }
    let mut all = 0u64;
    for start in sheets {
        all += xls_rectangle(&stream, start)?;
        if all > limits.cells as u64 * 4 {
            return Err(SheetRefusal::TooManyCells);
        }
    }
    Ok(())
}

fn xls_rectangle(stream: &[u8], start: usize) -> Result<u64, SheetRefusal> {
    let (mut top, mut bottom, mut left, mut right) = (u64::MAX, 0, u64::MAX, 0);
    let mut depth = 0usize;
    for (kind, data) in records(stream, start) {
        match kind {
            0x0809 => depth += 1,
            0x000A if depth <= 1 => break,
            0x000A => depth -= 1,
            // The declared size is memory reserved unseen.
            0x0200 if data.len() >= 14 && u32_le(data, 4).is_none_or(|rows| rows > 65_536) => {
                return Err(SheetRefusal::Broken);
            }
            0x0006 | 0x00BD | 0x00D6 | 0x00FD | 0x0203 | 0x0204 | 0x0205 | 0x027E => {
                let row = u64::from(u16_le(data, 0).ok_or(SheetRefusal::Broken)?);
                let column = u64::from(u16_le(data, 2).ok_or(SheetRefusal::Broken)?);
                // One record of several numbers: six bytes each, six bytes around them.
                let more = if kind == 0x00BD { (data.len() as u64).saturating_sub(6) / 6 } else { 1 };
                (top, bottom) = (top.min(row), bottom.max(row + 1));
                (left, right) = (left.min(column), right.max(column + more));
            }
            _ => {}
        }
    }
    Ok(bottom.saturating_sub(top).saturating_mul(right.saturating_sub(left)))
}

fn records(stream: &[u8], start: usize) -> impl Iterator<Item = (u16, &[u8])> {
    let mut at = start;
    std::iter::from_fn(move || {
        let head = stream.get(at..)?;
        let (kind, length) = (u16_le(head, 0)?, u16_le(head, 2)? as usize);
        let data = head.get(4..4 + length)?;
        at += 4 + length;
        Some((kind, data))
    })
}

fn u16_le(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]))
}

fn u32_le(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn unpacking_stops_at_the_bound_whatever_was_declared() {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("a", zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(&[b' '; 5000]).unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        let mut archive = open(&bytes).unwrap();
        assert_eq!(unpack(&mut archive, 0, 4999), Err(SheetRefusal::UnpacksTooBig));
        assert_eq!(unpack(&mut archive, 0, 5000).map(|data| data.len()), Ok(5000));
    }
}
