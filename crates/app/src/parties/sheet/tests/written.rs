//! Files as an office program (LibreOffice 7.4) wrote them: one list kept as text, and the same list after its identity
//! numbers were taken for numbers. The comma-separated ones are in GB18030, one of them with semicolons.

use super::*;

const TEXT: [(&str, &[u8]); 4] = [
    ("名单.xls", include_bytes!("written/text.xls")),
    ("名单.xlsx", include_bytes!("written/text.xlsx")),
    ("名单.ods", include_bytes!("written/text.ods")),
    ("名单.csv", include_bytes!("written/text.csv")),
];

const NUMBERS: [(&str, &[u8]); 3] = [
    ("名单.xls", include_bytes!("written/numbers.xls")),
    ("名单.xlsx", include_bytes!("written/numbers.xlsx")),
    ("名单.csv", include_bytes!("written/numbers.csv")),
];

#[test]
fn a_list_kept_as_text_reads_the_same_from_every_kind_of_file() {
    for (name, bytes) in TEXT {
        let book = read(name, bytes, &Limits::default()).unwrap();
        assert_eq!(book.mapping.header_rows, [2], "{name}");
        assert_eq!(
            meanings(&book),
            "姓 名=name 公民身份号码=id_no 本人电话=phone 所属区县=county 乡镇（街道）=township 村（社区）=village 门牌=address",
            "{name}"
        );
        let parsed = parsed(&book);
        assert_eq!(faults(&parsed), [""; 0], "{name}");
        let people: Vec<_> =
            parsed.people.iter().map(|p| (p.row, p.name.as_str(), p.address.as_deref())).collect();
        assert_eq!(people, [(3, "王秀英", Some("3号楼2单元")), (4, "李明", Some("12号"))], "{name}");
    }
}

#[test]
fn identity_numbers_taken_for_numbers_are_told_and_nobody_is_guessed() {
    for (name, bytes) in NUMBERS {
        let parsed = parsed(&read(name, bytes, &Limits::default()).unwrap());
        assert_eq!(faults(&parsed), ["3 id_spoiled", "4 id_spoiled"], "{name}");
        assert!(parsed.people.is_empty(), "{name}");
    }
}
