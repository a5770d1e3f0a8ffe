//! From a checked workbook to a table, cell by cell, never more than the limits allow.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Data, Dimensions, Reader, SheetType, SheetVisible, Sheets};
use jiff::civil::Date;

use super::book::{Area, Cell, Format, Row, Table, Value};
use super::header;
use super::limits::{Limits, Watch};
use super::refusal::SheetRefusal;

type Open<'a> = Sheets<Cursor<&'a [u8]>>;

/// The names of the visible sheets, and the table chosen among them.
pub(super) fn read(
    format: Format,
    bytes: &[u8],
    wanted: Option<&str>,
    limits: &Limits,
    watch: &mut Watch<'_>,
) -> Result<(Vec<String>, Table), SheetRefusal> {
    careful(|| {
        let mut book = open(format, bytes)?;
        let names = sheet_names(&book);
        if let Some(name) = wanted {
            if !names.iter().any(|n| n == name) {
                return Err(SheetRefusal::NoSuchSheet { name: name.to_owned() });
            }
            let table = table(&mut book, name, limits, watch)?;
            return Ok((names, table));
        }
        let mut first = None;
        for name in &names {
            let table = table(&mut book, name, limits, watch)?;
            if header::guess(&table).plausible() {
                return Ok((names, table));
            }
            if first.is_none() && !table.rows.is_empty() {
                first = Some(table);
            }
        }
        first.map(|table| (names, table)).ok_or(SheetRefusal::Empty)
    })
}

/// Every visible sheet, for writing the workbook anew.
pub(super) fn read_all(format: Format, bytes: &[u8], limits: &Limits) -> Result<Vec<Table>, SheetRefusal> {
    careful(|| {
        let mut book = open(format, bytes)?;
        let names = sheet_names(&book);
        names.iter().map(|name| table(&mut book, name, limits, &mut Watch::nobody())).collect()
    })
}

/// The library's parsers index into records without looking; on a damaged file that is a panic
/// like any other refusal, and must not take the process along.
fn careful<T>(work: impl FnOnce() -> Result<T, SheetRefusal>) -> Result<T, SheetRefusal> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(SheetRefusal::Broken))
}

fn open(format: Format, bytes: &[u8]) -> Result<Open<'_>, SheetRefusal> {
    let from = Cursor::new(bytes);
    match format {
        Format::Xlsx => calamine::Xlsx::new(from).map(Sheets::Xlsx).map_err(|e| match e {
            calamine::XlsxError::Password => SheetRefusal::Password,
            _ => SheetRefusal::Broken,
        }),
        Format::Xlsb => calamine::Xlsb::new(from).map(Sheets::Xlsb).map_err(|_| SheetRefusal::Broken),
        Format::Xls => calamine::Xls::new(from).map(Sheets::Xls).map_err(|e| match e {
            calamine::XlsError::Password => SheetRefusal::Password,
            _ => SheetRefusal::Broken,
        }),
        Format::Ods => calamine::Ods::new(from).map(Sheets::Ods).map_err(|e| match e {
            calamine::OdsError::Password => SheetRefusal::Password,
            _ => SheetRefusal::Broken,
        }),
        Format::Csv { .. } => Err(SheetRefusal::Broken),
    }
}

/// Hidden sheets hold lists for drop-downs; they count only where nothing is visible.
fn sheet_names(book: &Open<'_>) -> Vec<String> {
    let tables = || book.sheets_metadata().iter().filter(|s| s.typ == SheetType::WorkSheet);
    let visible: Vec<String> =
        tables().filter(|s| s.visible == SheetVisible::Visible).map(|s| s.name.clone()).collect();
    if visible.is_empty() { tables().map(|s| s.name.clone()).collect() } else { visible }
}

fn table(
    book: &mut Open<'_>,
    name: &str,
    limits: &Limits,
    watch: &mut Watch<'_>,
) -> Result<Table, SheetRefusal> {
    let mut collected = Collector::new(limits, watch);
    let broken = |_| SheetRefusal::Broken;
    let (merges, epoch_1904) = match book {
        Sheets::Xlsx(xlsx) => {
            let mut cells = xlsx.worksheet_cells_reader(name).map_err(broken)?;
            while let Some(cell) = cells.next_cell().map_err(broken)? {
                collected.add(cell.get_position(), Data::from(cell.get_value().clone()))?;
            }
            drop(cells);
            (xlsx.merge_cells_by_sheet_name(name).map_err(broken)?, xlsx.has_1904_epoch())
        }
        Sheets::Xlsb(xlsb) => {
            let broken = |_| SheetRefusal::Broken;
            let mut cells = xlsb.worksheet_cells_reader(name).map_err(broken)?;
            while let Some(cell) = cells.next_cell().map_err(broken)? {
                collected.add(cell.get_position(), Data::from(cell.get_value().clone()))?;
            }
            drop(cells);
            (Vec::new(), xlsb.has_1904_epoch())
        }
        Sheets::Xls(xls) => {
            let broken = |_| SheetRefusal::Broken;
            collected.add_range(&xls.worksheet_range(name).map_err(broken)?)?;
            (xls.merge_cells_by_sheet_name(name).map_err(broken)?, xls.has_1904_epoch())
        }
        Sheets::Ods(ods) => {
            collected.add_range(&ods.worksheet_range(name).map_err(|_| SheetRefusal::Broken)?)?;
            (Vec::new(), false)
        }
    };
    let rows = collected.finish(&merges)?;
    let merges = merges.iter().map(|m| Area {
        top: m.start.0.saturating_add(1),
        left: m.start.1,
        bottom: m.end.0.saturating_add(1),
        right: m.end.1,
    });
    Ok(Table { name: name.to_owned(), rows, epoch_1904, merges: merges.collect() })
}

struct Collector<'a, 'w> {
    limits: &'a Limits,
    watch: &'a Watch<'w>,
    rows: BTreeMap<u32, Vec<Cell>>,
    seen: usize,
    cells: usize,
    text_bytes: usize,
}

impl<'a, 'w> Collector<'a, 'w> {
    fn new(limits: &'a Limits, watch: &'a Watch<'w>) -> Collector<'a, 'w> {
        Collector { limits, watch, rows: BTreeMap::new(), seen: 0, cells: 0, text_bytes: 0 }
    }

    fn add_range(&mut self, range: &calamine::Range<Data>) -> Result<(), SheetRefusal> {
        let (top, left) = range.start().unwrap_or_default();
        for (row, column, data) in range.used_cells() {
            let row = top.saturating_add(u32::try_from(row).map_err(|_| SheetRefusal::TooManyCells)?);
            let column = left.saturating_add(u32::try_from(column).map_err(|_| SheetRefusal::TooManyCells)?);
            self.add((row, column), data.clone())?;
        }
        Ok(())
    }

    fn add(&mut self, (row, column): (u32, u32), data: Data) -> Result<(), SheetRefusal> {
        self.seen += 1;
        if self.seen.is_multiple_of(4096) && self.watch.stopped() {
            return Err(SheetRefusal::Stopped);
        }
        let value = value(data);
        if value == Value::Empty {
            return Ok(());
        }
        if row >= self.limits.rows || column >= self.limits.columns {
            return Err(SheetRefusal::TooManyCells);
        }
        if let Value::Text(text) = &value {
            self.text_bytes += text.len();
        }
        let cells = self.rows.entry(row).or_default();
        let at = column as usize;
        if at >= cells.len() {
            self.cells += at + 1 - cells.len();
            cells.resize(at + 1, Cell::default());
        }
        cells[at] = Cell::new(value);
        if self.cells > self.limits.cells || self.text_bytes > self.limits.text_bytes {
            return Err(SheetRefusal::TooManyCells);
        }
        Ok(())
    }

    /// Writes the value of a merged area into its other cells, in rows that exist anyway.
    fn finish(mut self, merges: &[Dimensions]) -> Result<Vec<Row>, SheetRefusal> {
        for merge in merges {
            let ((top, left), (bottom, right)) = (merge.start, merge.end);
            let right = right.min(self.limits.columns - 1);
            let anchor =
                self.rows.get(&top).and_then(|cells| cells.get(left as usize)).filter(|c| !c.carried);
            let Some(value) = anchor.map(|c| c.value.clone()).filter(|v| *v != Value::Empty) else {
                continue;
            };
            if bottom < top || right < left {
                continue;
            }
            for (&row, cells) in self.rows.range_mut(top..=bottom) {
                self.cells += (right - left + 1) as usize;
                self.text_bytes += if let Value::Text(text) = &value { text.len() } else { 0 };
                if self.cells > self.limits.cells || self.text_bytes > self.limits.text_bytes {
                    return Err(SheetRefusal::TooManyCells);
                }
                if cells.len() <= right as usize {
                    cells.resize(right as usize + 1, Cell::default());
                }
                for column in left..=right {
                    let cell = &mut cells[column as usize];
                    if (row, column) != (top, left) && cell.value == Value::Empty {
                        *cell = Cell { value: value.clone(), carried: true };
                    }
                }
            }
        }
        let rows = self.rows.into_iter().map(|(row, cells)| Row { number: row + 1, cells });
        Ok(rows.filter(|row| !row.blank()).collect())
    }
}

fn value(data: Data) -> Value {
    match data {
        Data::Int(number) => Value::Number(number as f64),
        Data::Float(number) => Value::Number(number),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => {
            if text.trim().is_empty() {
                Value::Empty
            } else {
                Value::Text(text.into())
            }
        }
        Data::Bool(truth) => Value::Bool(truth),
        Data::DateTime(moment) if moment.is_datetime() => {
            let (year, month, day, ..) = moment.to_ymd_hms_milli();
            let day = i16::try_from(year).ok().and_then(|year| Date::new(year, month as i8, day as i8).ok());
            day.map_or(Value::Number(moment.as_f64()), Value::Day)
        }
        Data::DateTime(span) => Value::Number(span.as_f64()),
        Data::Error(_) => Value::Error,
        Data::Empty => Value::Empty,
    }
}
