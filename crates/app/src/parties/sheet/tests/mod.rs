//! Files as they come, made here byte by byte or by the writer library.

mod back;
mod made;
mod reading;
mod refusals;
mod rows;
mod speed;
mod written;

use jiff::civil::date;
use rust_xlsxwriter::Workbook;

use super::*;

/// Four made-up people of the test regions.
const IDS: [&str; 4] =
    ["410299194002290011", "420299193608150029", "370799192510010034", "210199193101010049"];

fn rules<'a>(resolve: &'a dyn Fn(&RegionText) -> Result<i64, String>, required: &'a [Field]) -> Rules<'a> {
    Rules {
        resolve,
        resolve_hukou: resolve,
        region_default: None,
        allow_test: true,
        required,
        today: date(2026, 7, 1),
    }
}

/// The villages of these tests.
fn village(named: &RegionText) -> Result<i64, String> {
    match named.village.as_deref().or(named.whole.as_deref()) {
        Some("东街社区") => Ok(410_202_001_001),
        Some("西街社区") => Ok(410_202_001_002),
        Some(other) => Err(format!("没有找到“{other}”，请填写本乡镇的村社区名称")),
        None => Err("只填了乡镇，请补填村社区".to_owned()),
    }
}

fn parsed(book: &Book) -> Parsed {
    parse_table(&book.table, &book.mapping, &rules(&village, &[]), &mut Watch::nobody()).unwrap()
}

fn read_ok(bytes: &[u8]) -> Book {
    read("名单.xlsx", bytes, &Limits::default()).unwrap()
}

/// A workbook of text cells; an empty string leaves the cell out.
fn xlsx(rows: &[&[&str]]) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (row, cells) in (0u32..).zip(rows) {
        for (column, text) in (0u16..).zip(*cells) {
            if !text.is_empty() {
                sheet.write_string(row, column, *text).unwrap();
            }
        }
    }
    book.save_to_buffer().unwrap()
}

/// What each column means, as `标题=code`, those without a meaning left out.
fn meanings(book: &Book) -> String {
    let meant =
        book.mapping.columns.iter().filter_map(|c| c.field.map(|f| format!("{}={}", c.title, f.code())));
    meant.collect::<Vec<_>>().join(" ")
}

/// The errors as `row code`, in order.
fn faults(parsed: &Parsed) -> Vec<String> {
    parsed.faults().iter().map(|f| format!("{} {}", f.row, f.code)).collect()
}
