//! A county's list must not take a coffee break. Run with `--ignored`; figures are for optimised
//! builds, a debug build is given ten times as long.

use std::fmt::Write;

use super::*;

const PEOPLE: usize = 50_000;

/// Right numbers for made-up people, one a day.
fn id(at: usize) -> String {
    let born = date(1900, 1, 1).checked_add(jiff::Span::new().days((at % 20_000) as i64)).unwrap();
    let first = format!("410299{}{:03}", born.strftime("%Y%m%d"), at / 20_000);
    let whole = (0..10).map(|d| d.to_string()).chain(["X".to_owned()]).map(|last| format!("{first}{last}"));
    whole.into_iter().find(|id| domain::parties::IdNumber::parse(id, true).is_ok()).unwrap()
}

#[test]
#[ignore = "takes a minute in a debug build"]
#[expect(clippy::disallowed_methods, reason = "a test that measures")]
fn fifty_thousand_rows_in_a_few_seconds() {
    let mut text = String::from(
        "姓名,身份证号,性别,出生日期,联系电话,乡镇街道,村社区,详细地址,居住状况,人员类别,备注\n",
    );
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for at in 0..PEOPLE {
        let id = id(at);
        writeln!(text, "王秀英,{id},,,13812345678,甲镇,东街社区,{at}号,独居,低保,").unwrap();
    }
    for (row, line) in (0u32..).zip(text.lines()) {
        for (column, cell) in (0u16..).zip(line.split(',')) {
            sheet.write_string(row, column, cell).unwrap();
        }
    }
    let xlsx = book.save_to_buffer().unwrap();
    for (name, bytes) in [("csv", text.as_bytes()), ("xlsx", xlsx.as_slice())] {
        let started = std::time::Instant::now();
        let book = read_ok(bytes);
        let read = started.elapsed();
        let parsed = parsed(&book);
        let all = started.elapsed();
        assert_eq!((parsed.people.len(), parsed.errors.len()), (PEOPLE, 0));
        let errors: Vec<RowError> = (2..PEOPLE as u32)
            .map(|row| RowError {
                row,
                column: "B列".into(),
                field: None,
                code: "x",
                message: "错".into(),
                level: Level::Error,
            })
            .collect();
        let back = write_back(bytes, &book, &errors).unwrap();
        println!(
            "{name}: read {read:?}, parsed {:?}, written back {:?} ({} bytes)",
            all - read,
            started.elapsed() - all,
            back.len()
        );
        let seconds = if cfg!(debug_assertions) { 60 } else { 6 };
        assert!(all.as_secs() < seconds, "{all:?}");
    }
}
