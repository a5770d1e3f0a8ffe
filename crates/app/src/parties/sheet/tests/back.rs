//! The clerk's own file comes back, and can be sent again.

use std::io::{Cursor, Read};

use rust_xlsxwriter::{Color, Format as Style, Workbook};
use zip::ZipArchive;

use super::*;

/// Two rows wrong, one right, a second sheet, colours and widths.
fn styled() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("老人 & 名单").unwrap();
    let red = Style::new().set_background_color(Color::Red).set_bold();
    sheet.merge_range(0, 0, 0, 3, "登记表", &red).unwrap();
    for (column, text) in (0u16..).zip(["姓名", "身份证号", "性别"]) {
        sheet.write_string_with_format(1, column, text, &red).unwrap();
    }
    for (row, (name, id, sex)) in
        (2u32..).zip([("王秀英", IDS[0], "女"), ("李明", IDS[1], "女"), ("赵六", "123", "男")])
    {
        sheet.write_string(row, 0, name).unwrap();
        sheet.write_string(row, 1, id).unwrap();
        sheet.write_string(row, 2, sex).unwrap();
    }
    sheet.set_column_width(1, 33).unwrap();
    // A coloured empty cell just where our column will be.
    sheet.write_blank(3, 3, &red).unwrap();
    sheet.write_blank(2, 5, &red).unwrap();
    book.add_worksheet().set_name("另一张").unwrap().write_string(0, 0, "别动").unwrap();
    book.save_to_buffer().unwrap()
}

fn parts(package: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(package)).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut entry = archive.by_index(at).unwrap();
            let mut data = Vec::new();
            entry.read_to_end(&mut data).unwrap();
            (entry.name().unwrap().into_owned(), data)
        })
        .collect()
}

/// The text of a column, by row number.
fn column(book: &Book, at: u32) -> Vec<(u32, String)> {
    let filled = book
        .table
        .rows
        .iter()
        .filter_map(|r| r.cell(at).filter(|c| !c.blank()).map(|c| (r.number, c.text().into_owned())));
    filled.collect()
}

#[test]
fn a_workbook_comes_back_with_everything_it_had() {
    let original = styled();
    let book = read_ok(&original);
    let back = write_back(&original, &book, &parsed(&book).faults()).unwrap();
    let (before, after) = (parts(&original), parts(&back));
    for ((name, old), (same, new)) in before.iter().zip(&after) {
        assert_eq!(name, same);
        assert_eq!(old == new, name != "xl/worksheets/sheet1.xml", "{name}");
    }
    let sheet = |parts: &[(String, Vec<u8>)]| {
        String::from_utf8(parts.iter().find(|(n, _)| n.ends_with("sheet1.xml")).unwrap().1.clone()).unwrap()
    };
    let (old, new) = (sheet(&before), sheet(&after));
    assert!(new.contains("<dimension ref=\"A1:F5\"/>") && old.contains("<dimension ref=\"A1:F5\"/>"));
    assert!(new.contains("<col min=\"4\" max=\"4\" width=\"60\" customWidth=\"1\"/></cols>"), "{new}");
    assert!(new.contains("<mergeCell ref=\"A1:D1\"/>"));
    let again = read_ok(&back);
    assert_eq!(again.mapping.error_column, Some(3));
    let notes = column(&again, 3);
    assert_eq!(notes.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [2, 3, 5]);
    assert_eq!(notes[0].1, ERROR_TITLE);
    assert!(notes[1].1.contains("【C列 性别】"), "{}", notes[1].1);
    assert_eq!(again.name_back(), "名单_错误说明.xlsx");
}

#[test]
fn a_repaired_file_is_read_and_its_old_errors_go() {
    let original = styled();
    let book = read_ok(&original);
    let first = write_back(&original, &book, &parsed(&book).faults()).unwrap();
    let again = read_ok(&first);
    let parsed_again = parsed(&again);
    assert_eq!(faults(&parsed_again), faults(&parsed(&book)), "our own column is not read");
    // The clerk repaired row 3; only row 5 is left.
    let left: Vec<RowError> = parsed_again.errors.into_iter().filter(|e| e.row == 5).collect();
    let second = write_back(&first, &again, &left).unwrap();
    let rows: Vec<u32> = column(&read_ok(&second), 3).into_iter().map(|(row, _)| row).collect();
    assert_eq!(rows, [2, 5]);
    let third = write_back(&second, &read_ok(&second), &[]).unwrap();
    assert_eq!(column(&read_ok(&third), 3), [(2, ERROR_TITLE.to_owned())]);
}

#[test]
fn a_sheet_with_prefixed_names_and_no_places_is_patched() {
    let sheet = "<?xml version=\"1.0\"?><x:worksheet xmlns:x=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">\
                 <x:sheetData><x:row spans=\"1:2\"><x:c t=\"inlineStr\"><x:is><x:t>姓名</x:t></x:is></x:c>\
                 <x:c t=\"inlineStr\"><x:is><x:t>身份证号</x:t></x:is></x:c></x:row>\
                 <x:row/><x:row><x:c t=\"inlineStr\"><x:is><x:t>王秀英</x:t></x:is></x:c><x:c t=\"inlineStr\"><x:is>\
                 <x:t>1&lt;2</x:t></x:is></x:c></x:row></x:sheetData></x:worksheet>";
    let book = "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
                xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">\
                <sheets><sheet name=\"a\" sheetId=\"1\" r:id=\"rId7\"/></sheets></workbook>";
    let link = |id: &str, kind: &str, target: &str| {
        format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"{id}\" \
             Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}\" Target=\"{target}\"/></Relationships>"
        )
    };
    let original = made::package(&[
        ("_rels/.rels", link("rId1", "officeDocument", "/xl/workbook.xml").as_bytes()),
        ("xl/_rels/workbook.xml.rels", link("rId7", "worksheet", "worksheets/one.xml").as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/worksheets/one.xml", sheet.as_bytes()),
    ]);
    let book = read_ok(&original);
    let back = write_back(&original, &book, &parsed(&book).faults()).unwrap();
    let patched = String::from_utf8(parts(&back).pop().unwrap().1).unwrap();
    assert!(patched.contains("<x:cols><x:col min=\"3\""), "{patched}");
    assert!(patched.contains("<x:c r=\"C3\" t=\"inlineStr\">") && !patched.contains("spans"), "{patched}");
    assert!(patched.contains("1&lt;2"));
    let notes = column(&read_ok(&back), 2);
    assert_eq!(notes.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn a_text_file_comes_back_byte_for_byte_with_one_column_more() {
    let text = "sep=;\r\n名单\r\n姓名;身份证号;住址\r\n王秀英;123;\"东街;1号\"\r\n\r\n李明;420299193608150029\r\n赵六\r\n";
    let original = encoding_rs::GB18030.encode(text).0.into_owned();
    let book = read("名单.csv", &original, &Limits::default()).unwrap();
    let errors = [
        RowError {
            row: 4,
            column: "B列".into(),
            field: None,
            code: "x",
            message: "少;位".into(),
            level: Level::Error,
        },
        RowError {
            row: 7,
            column: String::new(),
            field: None,
            code: "x",
            message: "不全".into(),
            level: Level::Error,
        },
        RowError {
            row: 7,
            column: String::new(),
            field: None,
            code: "x",
            message: "再看".into(),
            level: Level::Warning,
        },
    ];
    let back = write_back(&original, &book, &errors).unwrap();
    let wanted = "sep=;\r\n名单\r\n姓名;身份证号;住址;错误说明\r\n王秀英;123;\"东街;1号\";\"【B列】少;位\"\r\n\r\n\
                  李明;420299193608150029\r\n赵六;;;不全；提醒：再看\r\n";
    assert_eq!(encoding_rs::GB18030.decode(&back).0, wanted);
    let again = read("名单.csv", &back, &Limits::default()).unwrap();
    assert_eq!(again.mapping.error_column, Some(3));
    let second = write_back(&back, &again, &errors[..1]).unwrap();
    let wanted = wanted.replace("赵六;;;不全；提醒：再看", "赵六;;;");
    assert_eq!(encoding_rs::GB18030.decode(&second).0, wanted);
}

#[test]
fn old_workbooks_come_back_as_new_ones_with_all_cells() {
    let cells = [
        made::label(0, 0, "名单"),
        made::label(1, 0, "姓名"),
        made::label(1, 1, "身份证号"),
        made::label(1, 2, "年龄"),
        made::label(2, 0, "王秀英"),
        made::label(2, 1, "123"),
        made::number(2, 2, 86.0),
        made::record(0x00E5, &[1, 0, 0, 0, 0, 0, 0, 0, 2, 0]),
    ];
    let original = made::xls(&[], &cells);
    let book = read("老人.xls", &original, &Limits::default()).unwrap();
    assert_eq!(book.name_back(), "老人_错误说明.xlsx");
    let back = write_back(&original, &book, &parsed(&book).faults()).unwrap();
    let again = read_ok(&back);
    assert_eq!((again.format, again.table.name.as_str()), (Format::Xlsx, "名单"));
    assert_eq!(again.table.rows[2].cells[2].value, Value::Number(86.0));
    assert!(again.table.rows[0].cells[2].carried, "the title is merged as before");
    let notes = column(&again, 3);
    assert_eq!(notes[0], (2, ERROR_TITLE.to_owned()));
    assert!(notes[1].1.contains("3位"));
}

#[test]
fn nothing_a_file_says_becomes_a_formula_or_breaks_the_xml() {
    let text = "姓名,=身份证号<\n王\u{1}<&>,123\n";
    let book = read_ok(text.as_bytes());
    let mut book = book;
    book.mapping.assign(0, Some(Field::Name));
    book.mapping.assign(1, Some(Field::IdNo));
    let errors = parsed(&book).faults();
    assert!(errors.iter().all(|e| e.sentence().starts_with('【')));
    let original = xlsx(&[&["姓名", "=身份证号<"], &["王<&>", "123"]]);
    let back = write_back(&original, &read_ok(&original), &errors).unwrap();
    assert!(column(&read_ok(&back), 2).len() == 2);
}
