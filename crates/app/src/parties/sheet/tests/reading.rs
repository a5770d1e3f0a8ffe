//! Good files in all their shapes.

use rust_xlsxwriter::{Format as Style, FormatAlign, Workbook};

use super::*;

const CSV: &str =
    "姓名,身份证号,村社区\n王秀英,410299194002290011,东街社区\n李明,420299193608150029,西街社区\n";

#[test]
fn the_header_is_found_below_title_lines_and_merged_cells() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let title = Style::new().set_align(FormatAlign::Center);
    sheet.merge_range(0, 0, 0, 4, "2026年老年人基本信息登记表", &title).unwrap();
    sheet.write_string(1, 0, "填报单位：北书店街道").unwrap();
    for (column, text) in (0u16..).zip(["序号", "姓　名", "公民身份号码", "村（社区）", "手机（本人）"])
    {
        sheet.write_string(3, column, text).unwrap();
    }
    sheet.write_number(4, 0, 1).unwrap();
    for (column, text) in (1u16..).zip(["王秀英", IDS[0], "东街社区", "13812345678"]) {
        sheet.write_string(4, column, text).unwrap();
    }
    let book = read_ok(&book.save_to_buffer().unwrap());
    assert_eq!(book.mapping.header_rows, [4]);
    assert_eq!(meanings(&book), "姓 名=name 公民身份号码=id_no 村（社区）=village 手机（本人）=phone");
    let parsed = parsed(&book);
    assert_eq!((parsed.people.len(), parsed.people[0].row), (1, 5));
    assert_eq!(parsed.people[0].residence, Some(410_202_001_001));
}

#[test]
fn two_header_lines_are_read_together() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let plain = Style::new();
    for (column, text) in [(0u16, "姓名"), (1, "身份证号码")] {
        sheet.merge_range(0, column, 1, column, text, &plain).unwrap();
    }
    sheet.merge_range(0, 2, 0, 4, "家庭住址", &plain).unwrap();
    sheet.merge_range(0, 5, 0, 6, "紧急联系人", &plain).unwrap();
    sheet.merge_range(0, 7, 0, 8, "监护人", &plain).unwrap();
    for (column, text) in (2u16..).zip(["县区", "乡镇", "村", "姓名", "电话", "姓名", "电话"]) {
        sheet.write_string(1, column, text).unwrap();
    }
    let person =
        ["王秀英", IDS[0], "龙亭区", "北书店街道", "东街社区", "王强", "13812345678", "张三", "13900000000"];
    for (column, text) in (0u16..).zip(person) {
        sheet.write_string(2, column, text).unwrap();
    }
    let book = read_ok(&book.save_to_buffer().unwrap());
    assert_eq!(book.mapping.header_rows, [1, 2]);
    assert_eq!(
        meanings(&book),
        "姓名=name 身份证号码=id_no 家庭住址县区=county 家庭住址乡镇=township 家庭住址村=village \
         紧急联系人姓名=emergency_name 紧急联系人电话=emergency_phone"
    );
    let person = &parsed(&book).people[0];
    assert_eq!((person.name.as_str(), person.emergency_name.as_deref()), ("王秀英", Some("王强")));
    assert_eq!(person.phone, None, "the guardian's phone is nobody else's");
}

#[test]
fn a_double_header_survives_a_text_file_without_merged_cells() {
    let text = "姓名,身份证号,户籍地,,紧急联系人,\n,,乡镇,村,姓名,电话\n王秀英,410299194002290011,甲镇,东街社区,王强,13812345678\n";
    let book = read_ok(text.as_bytes());
    assert_eq!(
        meanings(&book),
        "姓名=name 身份证号=id_no 户籍地乡镇=hukou_township 户籍地村=hukou_village 紧急联系人姓名=emergency_name 紧急联系人电话=emergency_phone"
    );
    assert_eq!(parsed(&book).people[0].hukou, Some(410_202_001_001));
}

#[test]
fn a_merged_village_counts_for_all_its_rows_and_a_merged_name_does_not() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, text) in (0u16..).zip(["村社区", "姓名", "身份证号"]) {
        sheet.write_string(0, column, text).unwrap();
    }
    sheet.merge_range(1, 0, 2, 0, "东街社区", &Style::new()).unwrap();
    sheet.merge_range(1, 1, 2, 1, "王秀英", &Style::new()).unwrap();
    sheet.write_string(1, 2, IDS[0]).unwrap();
    sheet.write_string(2, 2, IDS[1]).unwrap();
    sheet.write_string(3, 1, "李明").unwrap();
    sheet.write_string(3, 2, IDS[2]).unwrap();
    let book = read_ok(&book.save_to_buffer().unwrap());
    let required = [Field::Region];
    let rules = rules(&village, &required);
    let parsed = parse_table(&book.table, &book.mapping, &rules, &mut Watch::nobody()).unwrap();
    assert_eq!(parsed.people.len(), 1);
    assert_eq!(faults(&parsed), ["3 name_missing", "4 region_missing"]);
}

#[test]
fn text_files_in_every_encoding_and_separator() {
    let utf16: Vec<u8> =
        "\u{FEFF}".encode_utf16().chain(CSV.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let files: [(Vec<u8>, TextEncoding, char); 5] = [
        (CSV.as_bytes().to_vec(), TextEncoding::Utf8, ','),
        (format!("\u{FEFF}{CSV}").into_bytes(), TextEncoding::Utf8Bom, ','),
        (encoding_rs::GB18030.encode(CSV).0.into_owned(), TextEncoding::Gb18030, ','),
        (encoding_rs::GB18030.encode(&CSV.replace(',', ";")).0.into_owned(), TextEncoding::Gb18030, ';'),
        (utf16, TextEncoding::Utf16Le, ','),
    ];
    for (bytes, encoding, separator) in files {
        let book = read("名单.csv", &bytes, &Limits::default()).unwrap();
        assert_eq!(book.format, Format::Csv { encoding, separator });
        let people = parsed(&book).people;
        let found: Vec<(u32, &str)> = people.iter().map(|p| (p.row, p.name.as_str())).collect();
        assert_eq!(found, [(2, "王秀英"), (3, "李明")]);
    }
}

#[test]
fn content_counts_and_not_the_name() {
    let bytes = xlsx(&[&["姓名", "身份证号"], &["王秀英", IDS[0]]]);
    assert_eq!(read("名单.csv", &bytes, &Limits::default()).unwrap().format, Format::Xlsx);
    let book = read("名单.xls", CSV.as_bytes(), &Limits::default()).unwrap();
    assert!(matches!(book.format, Format::Csv { .. }));
}

#[test]
fn old_workbooks_are_read() {
    let cells = [
        made::label(0, 0, "姓名"),
        made::label(0, 1, "身份证号"),
        made::label(0, 2, "出生日期"),
        made::label(1, 0, "王秀英"),
        made::label(1, 1, IDS[0]),
        made::number(1, 2, 14_670.0),
    ];
    let book = read_ok(&made::xls(&[], &cells));
    assert_eq!((book.format, book.table.name.as_str()), (Format::Xls, "名单"));
    let parsed = parsed(&book);
    assert_eq!(faults(&parsed), [""; 0]);
    assert_eq!(parsed.people[0].birth_stated, Some(date(1940, 2, 29)));
}

#[test]
fn open_document_tables_are_read() {
    let row = |cells: &[&str]| {
        let cells: String = cells.iter().map(|c| made::ods_cell(c)).collect();
        format!("<table:table-row>{cells}</table:table-row>")
    };
    let body = [row(&["姓名", "身份证号"]), row(&["王秀英", IDS[0]])].concat();
    let book = read_ok(&made::ods(&body));
    assert_eq!(book.format, Format::Ods);
    assert_eq!(parsed(&book).people.len(), 1);
}

#[test]
fn the_sheet_with_people_is_chosen_and_another_can_be() {
    let mut book = Workbook::new();
    book.add_worksheet().set_name("填表说明").unwrap().write_string(0, 0, "请按要求填写").unwrap();
    let hidden = book.add_worksheet();
    hidden.set_name("字典").unwrap().set_hidden(true);
    hidden.write_string(0, 0, "姓名").unwrap();
    for name in ["一村", "二村"] {
        let sheet = book.add_worksheet();
        sheet.set_name(name).unwrap();
        sheet.write_string(0, 0, "姓名").unwrap();
        sheet.write_string(0, 1, "身份证号").unwrap();
        sheet.write_string(1, 0, name.replace('村', "某")).unwrap();
        sheet.write_string(1, 1, IDS[0]).unwrap();
    }
    let bytes = book.save_to_buffer().unwrap();
    let book = read_ok(&bytes);
    assert_eq!(book.table.name, "一村");
    assert_eq!(book.sheet_names, ["填表说明", "一村", "二村"]);
    let second = read_sheet("", &bytes, Some("二村"), &Limits::default(), &mut Watch::nobody()).unwrap();
    assert_eq!(parsed(&second).people[0].name.as_str(), "二某");
    let none = read_sheet("", &bytes, Some("三村"), &Limits::default(), &mut Watch::nobody());
    assert_eq!(none.unwrap_err(), SheetRefusal::NoSuchSheet { name: "三村".into() });
}

#[test]
fn a_table_without_titles_is_read_once_the_clerk_names_the_columns() {
    let mut book = read_ok(&xlsx(&[&["王秀英", IDS[0], "东街社区"], &["李明", IDS[1], "西街社区"]]));
    assert!(!book.mapping.plausible());
    book.mapping.assign(0, Some(Field::Remark));
    book.mapping.assign(0, Some(Field::Name));
    book.mapping.assign(1, Some(Field::IdNo));
    book.mapping.assign(2, Some(Field::Village));
    let parsed = parsed(&book);
    assert_eq!(parsed.people.len(), 2);
    book.mapping.assign(2, Some(Field::Name));
    assert!(book.mapping.columns[0].field.is_none(), "a name stands in one column only");
}
