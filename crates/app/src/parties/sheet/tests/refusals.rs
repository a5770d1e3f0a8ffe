//! Files that are not taken, each with a sentence that helps.

use super::*;

fn refused(bytes: &[u8]) -> SheetRefusal {
    refused_within(bytes, &Limits::default())
}

fn refused_within(bytes: &[u8], limits: &Limits) -> SheetRefusal {
    read("名单.xls", bytes, limits).expect_err("this file must not be taken")
}

fn good() -> Vec<u8> {
    xlsx(&[&["姓名", "身份证号"], &["王秀英", IDS[0]]])
}

#[test]
fn empty_files_and_empty_tables() {
    assert_eq!(refused(b""), SheetRefusal::Empty);
    assert_eq!(refused(b"\r\n \r\n"), SheetRefusal::Empty);
    assert_eq!(refused(b",,,\n,,\n"), SheetRefusal::Empty);
    assert_eq!(refused(&xlsx(&[])), SheetRefusal::Empty);
    assert_eq!(refused(&made::xls(&[], &[])), SheetRefusal::Empty);
}

#[test]
fn a_file_cut_short_is_broken_wherever_it_is_cut() {
    let whole = good();
    for part in 1..20 {
        let cut = &whole[..whole.len() * part / 20];
        assert_eq!(refused(cut), SheetRefusal::Broken, "{part}/20");
    }
    let old = made::xls(&[], &[made::label(0, 0, "姓名")]);
    assert_eq!(refused(&old[..600]), SheetRefusal::Broken);
}

#[test]
fn a_damaged_byte_anywhere_never_panics() {
    let whole = good();
    let old =
        made::xls(&[], &[made::label(0, 0, "姓名"), made::label(0, 1, "身份证号"), made::number(1, 1, 5.0)]);
    for file in [whole, old] {
        for at in (0..file.len().min(3000)).step_by(7) {
            let mut damaged = file.clone();
            damaged[at] ^= 0xFF;
            let _ = read("", &damaged, &Limits::default());
        }
    }
}

#[test]
fn a_password_is_named_as_such() {
    let office = made::compound(&[("EncryptionInfo", vec![1; 100]), ("EncryptedPackage", vec![2; 100])]);
    assert_eq!(refused(&office), SheetRefusal::Password);
    let file_pass = made::record(0x002F, &[1, 0, 1, 0, 1, 0]);
    assert_eq!(refused(&made::xls(&file_pass, &[made::label(0, 0, "x")])), SheetRefusal::Password);
    // The package's own encryption flag, in the local and the central header.
    let mut zip = good();
    let mut at = 0;
    while let Some(found) = zip[at..].windows(4).position(|w| w == b"PK\x01\x02" || w == b"PK\x03\x04") {
        let head = at + found;
        let flags = head + if zip[head + 2] == 1 { 8 } else { 6 };
        zip[flags] |= 1;
        at = head + 4;
    }
    assert_eq!(refused(&zip), SheetRefusal::Password);
}

#[test]
fn web_pages_and_other_documents_are_told_apart() {
    for page in [
        "<html><body><table><tr><td>姓名</td></tr></table></body></html>",
        "\u{FEFF}\n<!DOCTYPE html><html></html>",
        "<table border=1><tr><td>姓名</td></tr></table>",
        "<html xmlns:x=\"urn:schemas-microsoft-com:office:spreadsheet\"><body></body></html>",
        "MIME-Version: 1.0\nContent-Type: multipart/related",
    ] {
        assert_eq!(refused(page.as_bytes()), SheetRefusal::Html, "{page}");
    }
    let xml =
        "<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\"></Workbook>";
    assert_eq!(refused(xml.as_bytes()), SheetRefusal::OldFormat);
    assert_eq!(refused(&[9, 8, 8, 0, 0, 5, 0x10, 0]), SheetRefusal::OldFormat);
    assert_eq!(refused(b"%PDF-1.7 ..."), SheetRefusal::OtherFile { what: "PDF文件" });
    assert_eq!(
        refused(&made::package(&[("word/document.xml", b"<a/>")])),
        SheetRefusal::OtherFile { what: "Word文档" }
    );
    assert_eq!(
        refused(&made::compound(&[("WordDocument", vec![])])),
        SheetRefusal::OtherFile { what: "Word文档" }
    );
    assert_eq!(refused(&made::package(&[("名单.xlsx", b"PK")])), SheetRefusal::Archive);
    assert_eq!(refused(b"Rar!\x1A\x07"), SheetRefusal::Archive);
    assert!(SheetRefusal::Html.to_string().contains("另存为.xlsx"));
}

#[test]
fn too_many_bytes_rows_columns_or_cells() {
    let limits = Limits { file_bytes: 1024 * 1024, ..Limits::default() };
    assert_eq!(refused_within(&vec![b'a'; 1024 * 1024 + 1], &limits), SheetRefusal::TooBig { megabytes: 1 });
    let rows: Vec<&[&str]> = vec![&["姓名", "身份证号"]; 11];
    let few_rows = Limits { rows: 10, ..Limits::default() };
    assert_eq!(refused_within(&xlsx(&rows), &few_rows), SheetRefusal::TooManyCells);
    assert_eq!(
        refused_within("姓名,身份证号\n".repeat(11).as_bytes(), &few_rows),
        SheetRefusal::TooManyCells
    );
    let few_cells = Limits { cells: 20, ..Limits::default() };
    assert_eq!(refused_within(&xlsx(&rows), &few_cells), SheetRefusal::TooManyCells);
    let little_text = Limits { text_bytes: 50, ..Limits::default() };
    assert_eq!(refused_within(&xlsx(&rows), &little_text), SheetRefusal::TooManyCells);
    let few_columns = Limits { columns: 1, ..Limits::default() };
    assert_eq!(refused_within(&xlsx(&rows), &few_columns), SheetRefusal::TooManyCells);
}

#[test]
fn a_package_that_unpacks_to_too_much_is_refused_unread() {
    let limits = Limits { unpacked_bytes: 1_000_000, ..Limits::default() };
    let zeros = vec![b' '; 2_000_000];
    let bomb = made::package(&[("xl/workbook.xml", b"<workbook/>"), ("xl/worksheets/sheet1.xml", &zeros)]);
    assert!(bomb.len() < 20_000);
    assert_eq!(refused_within(&bomb, &limits), SheetRefusal::UnpacksTooBig);
    // The same with a small size declared: only unpacking shows it.
    let mut liar = bomb.clone();
    let size = 2_000_000u32.to_le_bytes();
    while let Some(at) = liar.windows(4).position(|w| w == size) {
        liar[at..at + 4].copy_from_slice(&100u32.to_le_bytes());
    }
    let refusal = refused_within(&liar, &limits);
    assert!(matches!(refusal, SheetRefusal::UnpacksTooBig | SheetRefusal::Broken), "{refusal:?}");
}

#[test]
fn counts_that_would_reserve_the_whole_memory_are_refused() {
    let strings = "<sst xmlns=\"x\" uniqueCount=\"99999999999999999\"><si><t>a</t></si></sst>";
    let parts: [(&str, &[u8]); 2] =
        [("xl/workbook.xml", b"<workbook/>"), ("xl/sharedStrings.xml", strings.as_bytes())];
    assert_eq!(refused(&made::package(&parts)), SheetRefusal::UnpacksTooBig);
    // 4,294,967,295 rows declared in an old workbook.
    let size = [&0u32.to_le_bytes()[..], &u32::MAX.to_le_bytes(), &[0, 0, 255, 0, 0, 0]].concat();
    let old = made::xls(&[], &[made::record(0x0200, &size), made::label(0, 0, "姓名")]);
    assert_eq!(refused(&old), SheetRefusal::Broken);
    // Two cells in opposite corners are laid out as a full rectangle.
    let corners = made::xls(&[], &[made::label(0, 0, "姓名"), made::label(65_535, 65_000, "x")]);
    assert_eq!(refused(&corners), SheetRefusal::TooManyCells);
    let row = "<table:table-row table:number-rows-repeated=\"1000000\"><table:table-cell table:number-columns-repeated=\"16000\" \
         office:value-type=\"string\"><text:p>x</text:p></table:table-cell></table:table-row>";
    assert_eq!(refused(&made::ods(row)), SheetRefusal::TooManyCells);
}

#[test]
fn a_chain_that_bites_its_tail_is_broken() {
    let mut old = made::xls(&[], &[made::label(0, 0, "姓名")]);
    // The second sector of the stream points back to the first.
    let fat = 512 + 3 * 4;
    old[fat..fat + 4].copy_from_slice(&2u32.to_le_bytes());
    assert_eq!(refused(&old), SheetRefusal::Broken);
    let mut directory = made::xls(&[], &[made::label(0, 0, "姓名")]);
    directory[516..520].copy_from_slice(&1u32.to_le_bytes());
    assert_eq!(refused(&directory), SheetRefusal::Broken);
}

#[test]
fn two_far_cells_of_a_new_workbook_cost_no_rectangle() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "姓名").unwrap();
    sheet.write_string(0, 1, "身份证号").unwrap();
    sheet.write_string(1_048_575, 0, "王秀英").unwrap();
    let book = read_ok(&book.save_to_buffer().unwrap());
    assert_eq!(book.table.rows.last().unwrap().number, 1_048_576);
}

#[test]
fn somebody_may_stop_it() {
    let rows: Vec<&[&str]> = vec![&["姓名", "身份证号"]; 3000];
    let bytes = xlsx(&rows);
    let mut quiet = |_: usize, _: usize| {};
    let mut watch = Watch::new(&mut quiet, &|| true);
    let stopped = read_sheet("", &bytes, None, &Limits::default(), &mut watch);
    assert_eq!(stopped.unwrap_err(), SheetRefusal::Stopped);
    let book = read_ok(&bytes);
    let stopped = parse_table(&book.table, &book.mapping, &rules(&village, &[]), &mut watch);
    assert_eq!(stopped.unwrap_err(), SheetRefusal::Stopped);
}
