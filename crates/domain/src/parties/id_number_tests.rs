use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn refused(text: &str) -> IdRefusal {
    IdNumber::parse(text, true).expect_err(text)
}

#[test]
fn numbers_of_the_standard_are_read() {
    let woman = IdNumber::parse("11010519491231002X", false).unwrap();
    assert_eq!((woman.birth(), woman.sex(), woman.area()), (date(1949, 12, 31), Sex::Female, 110_105));
    assert_eq!(woman.kind(), IdKind::Resident);
    let man = IdNumber::parse("440524188001010014", false).unwrap();
    assert_eq!((man.birth(), man.sex()), (date(1880, 1, 1), Sex::Male));
    assert_eq!(refused("110105194912310021"), IdRefusal::CheckDigit);
}

#[test]
fn test_numbers_pass_only_where_the_switch_is_on() {
    for (text, sex, birth) in [
        ("410299194002290011", Sex::Male, date(1940, 2, 29)),
        ("420299193608150029", Sex::Female, date(1936, 8, 15)),
        ("370799192510010034", Sex::Male, date(1925, 10, 1)),
        ("210199193101010049", Sex::Female, date(1931, 1, 1)),
    ] {
        let number = IdNumber::parse(text, true).unwrap();
        assert_eq!((number.sex(), number.birth()), (sex, birth));
        assert_eq!(IdNumber::parse(text, false), Err(IdRefusal::TestRegion));
    }
}

#[test]
fn pasted_forms_are_normalised() {
    let plain = IdNumber::parse("11010519491231002X", false).unwrap();
    for text in [
        "11010519491231002x",
        " １１０１０５１９４９１２３１００２Ｘ　",
        "110105 19491231 002x",
        "'11010519491231002X",
        "\u{202D}11010519491231002X\u{202C}",
    ] {
        assert_eq!(IdNumber::parse(text, false).as_ref(), Ok(&plain), "{text}");
    }
}

#[test]
fn first_generation_numbers_are_converted() {
    let number = IdNumber::parse("110105491231002", false).unwrap();
    assert_eq!(number.reveal(), "11010519491231002X");
    assert!(IdNumber::first_generation(" 110105491231002"));
    assert!(!IdNumber::first_generation("11010519491231002X"));
    // A centenarian of that time.
    assert_eq!(IdNumber::parse("110105800101996", false).unwrap().birth(), date(1880, 1, 1));
    assert_eq!(refused("11010549123100X"), IdRefusal::Character { position: 15, found: 'X' });
    assert_eq!(refused("110105491331002"), IdRefusal::Birth { digits: "19491331".into() });
}

#[test]
fn what_excel_spoiled_is_named_as_such() {
    for text in ["4.10205E+17", "4.10205194002E+17", "410205194002290000", "410205193512150000"] {
        let found = refused(text);
        assert_eq!(found, IdRefusal::Spoiled, "{text}");
        assert!(found.to_string().contains("文本"));
    }
    // 15 digits survive in a numeric cell, 18 never do, even if the check digit fits by chance.
    assert!(IdNumber::from_cell("110105491231002", Origin::NumericCell, false).is_ok());
    let good = "110105194912310185";
    assert!(IdNumber::parse(good, false).is_ok());
    assert_eq!(IdNumber::from_cell(good, Origin::NumericCell, false), Err(IdRefusal::Spoiled));
}

#[test]
fn refusals_name_the_place_of_the_fault() {
    assert_eq!(refused(" 　"), IdRefusal::Empty);
    assert_eq!(refused("1101051949123100"), IdRefusal::Length { length: 16 });
    assert_eq!(refused("11O105194912310021"), IdRefusal::Character { position: 3, found: 'O' });
    assert_eq!(refused("11010519491231002Y"), IdRefusal::Character { position: 18, found: 'Y' });
    assert_eq!(refused("11010519490229002X"), IdRefusal::Birth { digits: "19490229".into() });
    assert_eq!(refused("010105194912310021"), IdRefusal::Area);
    assert_eq!(refused("E12345678"), IdRefusal::OtherDocument);
    assert_eq!(refused("身份证丢失待补办理的一位老年人家住村东"), IdRefusal::Length { length: 19 });
    assert_eq!(
        refused("一二三四五六七八九十一二三四五六七八"),
        IdRefusal::Character { position: 1, found: '一' }
    );
    assert_eq!(refused("一二三四五六七八九十一二三四五"), IdRefusal::Character { position: 1, found: '一' });
}

#[test]
fn old_and_unknown_areas_are_accepted() {
    for first_17 in ["41022419400229001", "42020019400229001", "99019919400229001"] {
        let number = IdNumber::parse(&format!("{first_17}{}", check_char(first_17)), false).unwrap();
        assert_eq!(&number.reveal()[..17], first_17);
    }
    let nowhere = format!("77010119400229001{}", check_char("77010119400229001"));
    assert!(!IdNumber::parse(&nowhere, false).unwrap().province_known());
}

#[test]
fn permits_of_hong_kong_macau_and_taiwan_follow_the_same_rule() {
    for area in ["810000", "820000", "830000"] {
        let first_17 = format!("{area}19400229001");
        let number = IdNumber::parse(&format!("{first_17}{}", check_char(&first_17)), false).unwrap();
        assert_eq!(number.kind(), IdKind::HkMacauTaiwan);
        assert!(number.province_known());
    }
}

#[test]
fn debug_never_shows_the_number() {
    let number = IdNumber::parse("41029919400229001 1", true).unwrap();
    assert_eq!(format!("{number:?}"), "IdNumber(410*************11)");
}

proptest! {
    /// ISO 7064 MOD 11-2 promises this: one wrong digit, or two neighbours swapped, always shows.
    #[test]
    fn one_wrong_or_two_swapped_characters_never_pass(
        days in 0i32..40_000, sequence in 0u32..1000, at in 0usize..17, other in 0u8..10,
    ) {
        let born = date(1900, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
        let first = format!("410203{}{sequence:03}", born.strftime("%Y%m%d"));
        let whole = format!("{first}{}", check_char(&first));
        let number = IdNumber::parse(&whole, false).unwrap();
        prop_assert_eq!(number.birth(), born);
        prop_assert_eq!(number.sex() == Sex::Male, sequence % 2 == 1);

        let mut wrong = whole.clone().into_bytes();
        wrong[at] = b'0' + other;
        let wrong = String::from_utf8(wrong).unwrap();
        prop_assert_eq!(IdNumber::parse(&wrong, true).is_ok(), wrong == whole);

        let mut swapped = whole.clone().into_bytes();
        swapped.swap(at, at + 1);
        let swapped = String::from_utf8(swapped).unwrap();
        prop_assert_eq!(IdNumber::parse(&swapped, true).is_ok(), swapped == whole);
    }

    #[test]
    fn no_text_whatever_makes_the_parser_panic(text in "\\PC{0,20}", digits in "[0-9Xx０-９ ]{13,20}") {
        let _ = IdNumber::parse(&text, true);
        let _ = IdNumber::parse(&digits, true);
        let _ = IdNumber::from_cell(&digits, Origin::NumericCell, true);
    }
}
