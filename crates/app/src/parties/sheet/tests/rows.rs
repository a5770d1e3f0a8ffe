//! Rows: what is wrong with each, and what is no person at all.

use expect_test::{Expect, expect};
use rust_xlsxwriter::Workbook;

use super::*;

/// Reads a table of text cells and shows people and faults as a clerk would see them.
fn check(rows: &[&[&str]], required: &[Field], wanted: Expect) {
    let book = read_ok(&xlsx(rows));
    let parsed =
        parse_table(&book.table, &book.mapping, &rules(&village, required), &mut Watch::nobody()).unwrap();
    let mut lines = Vec::new();
    lines.extend(parsed.people.iter().map(|p| {
        let birth = p.birth.map_or("-".to_owned(), |b| b.to_string());
        format!("{} {} {} {birth}", p.row, p.name, p.sex.label())
    }));
    lines.extend(parsed.faults().iter().map(|f| format!("{} {} {}", f.row, f.code, f.sentence())));
    lines.extend(parsed.skipped.iter().map(|s| format!("{} {}", s.row, s.reason.label())));
    wanted.assert_eq(&lines.join("\n"));
}

#[test]
fn numbers_that_excel_spoiled() {
    check(
        &[
            &["姓名", "身份证号"],
            &["王秀英", "4.10205E+17"],
            &["李明", "410299194002290000"],
            &["赵六", "１１０１０５１９４９１２３１００２Ｘ"],
            &["孙七", "110105491231002"],
        ],
        &[],
        expect![[r#"
            4 赵六 女 1949-12-31
            2 id_spoiled 【B列 身份证号】身份证号被表格软件当成数字，后几位已经丢失；请把这一列设为“文本”格式，再照证件重新填写18位号码
            3 id_spoiled 【B列 身份证号】身份证号被表格软件当成数字，后几位已经丢失；请把这一列设为“文本”格式，再照证件重新填写18位号码
            5 id_twice 【B列 身份证号】与第4行的身份证号相同，请删去重复的一行，或改正填错的号码"#]],
    );
}

#[test]
fn a_numeric_cell_is_spoiled_even_when_it_looks_whole() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, text) in (0u16..).zip(["姓名", "身份证号", "银行卡号", "联系电话"]) {
        sheet.write_string(0, column, text).unwrap();
    }
    sheet.write_string(1, 0, "王秀英").unwrap();
    sheet.write_number(1, 1, 410_299_194_002_290_011.0).unwrap();
    sheet.write_number(1, 2, 6_222_020_000_000_000_000.0).unwrap();
    sheet.write_number(1, 3, 13_812_345_678.0).unwrap();
    let parsed = parsed(&read_ok(&book.save_to_buffer().unwrap()));
    assert_eq!(faults(&parsed), ["2 id_spoiled", "2 card_spoiled"]);
}

#[test]
fn sex_and_birth_are_held_against_the_number() {
    check(
        &[
            &["姓名", "身份证号", "性别", "出生日期"],
            &["王秀英", IDS[0], "女", ""],
            &["李明", IDS[1], "女", "1936.08.16"],
            &["赵六", IDS[2], "男性", "25/10/1"],
            &["孙七", IDS[3], "", "农历1930年冬月"],
        ],
        &[],
        expect![[r#"
            3 李明 女 1936-08-15
            4 赵六 男 1925-10-01
            5 孙七 女 1931-01-01
            2 sex_differs 【C列 性别】性别填的是“女”，身份证号显示为“男”，请核对是哪一个填错了
            3 birth_differs 【D列 出生日期】提醒：出生日期填的是“1936.08.16”，与身份证号里的1936-08-15不一致，已按身份证号登记，请核对"#]],
    );
}

#[test]
fn without_a_number_a_birth_is_asked_for_and_never_guessed() {
    check(
        &[
            &["姓名", "身份证号", "性别", "出生日期"],
            &["王一", "无", "男", "1954年3月2日"],
            &["王二", "", "男", "54/3/2"],
            &["王三", "", "男", "1954.3"],
            &["王四", "", "男", "2054-03-02"],
            &["王五", "", "中", "三月"],
        ],
        &[],
        expect![[r#"
            2 王一 男 1954-03-02
            3 birth_two_digit_year 【D列 出生日期】出生日期“54/3/2”的年份只有两位，请写成四位，例如 1954-03-02
            4 birth_incomplete 【D列 出生日期】出生日期“1954.3”不完整，请写全年月日，例如 1954-03-02
            5 birth_future 【D列 出生日期】出生日期“2054-03-02”还没有到，请核对年份
            6 birth_unclear 【D列 出生日期】出生日期“三月”看不明白，请写成年月日，例如 1954-03-02
            6 sex_unclear 【C列 性别】性别“中”看不明白，请填“男”或“女”"#]],
    );
}

#[test]
fn what_is_required_is_said_for_each_column() {
    check(
        &[
            &["姓名", "证件类型", "身份证号", "性别", "联系电话", "乡镇街道", "村社区"],
            &["", "", "", "", "2351234", "", ""],
            &["李明", "", IDS[0], "", "13812345678/13912345678", "甲镇", ""],
            &["赵六", "护照", "E12345678", "", "无", "甲镇", "南街社区"],
            &["孙七", "", IDS[1], "", "0378-2351234", "甲镇", "东街社区"],
        ],
        &[Field::IdNo, Field::Sex, Field::Phone, Field::Region],
        expect![[r#"
            5 孙七 女 1936-08-15
            2 name_missing 【A列 姓名】没有填写姓名，请补填
            2 phone_no_area_code 【E列 联系电话】固定电话缺少区号，请写成“区号-号码”，例如 0378-2351234
            2 id_missing 【C列 身份证号】没有填写身份证号，请补填
            2 sex_missing 【D列 性别】没有填写性别，请补填
            2 region_missing 【G列 村社区】没有填写居住区划，请补填
            3 phone_several 【E列 联系电话】这里填了不止一个号码，请只留一个，其余的写到备注里
            3 region_unknown 【F列 乡镇街道】只填了乡镇，请补填村社区
            4 region_unknown 【G列 村社区】没有找到“南街社区”，请填写本乡镇的村社区名称
            4 sex_missing 【D列 性别】没有填写性别，请补填
            4 phone_missing 【E列 联系电话】没有填写联系电话，请补填"#]],
    );
}

#[test]
fn lines_that_are_no_people_are_skipped_and_said_so() {
    check(
        &[
            &["序号", "姓名", "身份证号", "村社区"],
            &["1", "王秀英", IDS[0], "东街社区"],
            &["", "", "", ""],
            &["序号", "姓名", "身份证号", "村社区"],
            &["2", "合计秀", IDS[1], "东街社区"],
            &["3", "", "", ""],
            &["合计", "", "2人", ""],
            &["填表人：张三", "", "审核人：李四", ""],
        ],
        &[],
        expect![[r#"
            2 王秀英 男 1940-02-29
            5 合计秀 女 1936-08-15
            4 重复的表头
            6 没有填写的空行
            7 合计行
            8 表尾说明"#]],
    );
}

#[test]
fn words_for_living_hardship_and_ability() {
    let bytes = xlsx(&[
        &["姓名", "身份证号", "居住状况", "人员类别", "是否低保", "能力等级", "备注"],
        &["王秀英", IDS[0], "空巢", "失独、建档立卡", "是", "半失能", "腿脚不便"],
        &["李明", IDS[1], "独居", "无", "否", "中度失能", ""],
    ]);
    let parsed = parsed(&read_ok(&bytes));
    use domain::parties::{Hardship, LivingArrangement};
    let [first, second] = parsed.people.as_slice() else { panic!("two people") };
    assert_eq!(first.hardships, [Hardship::FamilyPlanningSpecial, Hardship::Dibao, Hardship::EmptyNest]);
    assert_eq!((first.living, first.ability, first.remark.as_deref()), (None, None, Some("腿脚不便")));
    assert_eq!(second.living, Some(LivingArrangement::Alone));
    assert_eq!((second.hardships.len(), second.ability), (0, Some(DeclaredAbility::Moderate)));
    assert_eq!(faults(&parsed), ["2 hardship_unknown", "2 ability_unknown"]);
}

#[test]
fn test_numbers_are_refused_in_a_real_office() {
    let book = read_ok(&xlsx(&[&["姓名", "身份证号"], &["王秀英", IDS[0]]]));
    let rules = Rules { allow_test: false, ..rules(&village, &[]) };
    let errors = parse_row(&book.table.rows[1], &book.mapping, &rules).unwrap_err();
    assert_eq!(errors[0].code, "id_test_region");
}

#[test]
fn the_office_of_the_clerk_stands_in_where_a_row_names_no_place() {
    let book = read_ok(&xlsx(&[&["姓名", "身份证号"], &["王秀英", IDS[0]]]));
    let required = [Field::Region];
    let rules = Rules { region_default: Some(7), ..rules(&village, &required) };
    let person = parse_row(&book.table.rows[1], &book.mapping, &rules).unwrap();
    assert_eq!(person.residence, Some(7));
}

#[test]
fn a_village_is_looked_up_once() {
    let asked = std::cell::Cell::new(0);
    let resolve = |named: &RegionText| {
        asked.set(asked.get() + 1);
        village(named)
    };
    let text = format!(
        "姓名,身份证号,村社区\n王秀英,{},东街社区\n李明,{},东街社区\n赵六,{},西街社区\n",
        IDS[0], IDS[1], IDS[2]
    );
    let book = read_ok(text.as_bytes());
    let mut told = Vec::new();
    let mut progress = |done, all| told.push((done, all));
    let mut watch = Watch::new(&mut progress, &|| false);
    let parsed = parse_table(&book.table, &book.mapping, &rules(&resolve, &[]), &mut watch).unwrap();
    assert_eq!((parsed.people.len(), asked.get()), (3, 2));
    assert_eq!(told, [(0, 4), (4, 4)]);
}

#[test]
fn a_number_stands_twice_even_when_the_first_row_is_wrong_otherwise() {
    check(
        &[
            &["姓名", "身份证号", "联系电话"],
            &["王秀英", IDS[0], "2351234"],
            &["王秀英", IDS[0], ""],
            &["", IDS[0], ""],
        ],
        &[],
        expect![[r#"
            2 phone_no_area_code 【C列 联系电话】固定电话缺少区号，请写成“区号-号码”，例如 0378-2351234
            3 id_twice 【B列 身份证号】与第2行的身份证号相同，请删去重复的一行，或改正填错的号码
            4 name_missing 【A列 姓名】没有填写姓名，请补填
            4 id_twice 【B列 身份证号】与第2行的身份证号相同，请删去重复的一行，或改正填错的号码"#]],
    );
}

#[test]
fn a_formula_that_failed_is_named() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "姓名").unwrap();
    sheet.write_string(0, 1, "身份证号").unwrap();
    sheet.write_string(1, 0, "王秀英").unwrap();
    sheet
        .write_formula(1, 1, rust_xlsxwriter::Formula::new("=VLOOKUP(1,A1:B1,2,0)").set_result("#N/A"))
        .unwrap();
    assert_eq!(faults(&parsed(&read_ok(&book.save_to_buffer().unwrap()))), ["2 cell_error"]);
}

/// 身份证号 that ends in its own check digit.
fn id_number(born: &str) -> String {
    let body = format!("410299{born}001");
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body.chars().zip(weights).map(|(c, w)| c.to_digit(10).unwrap() * w).sum();
    format!("{body}{}", "10X98765432".chars().nth(sum as usize % 11).unwrap())
}

#[test]
fn somebody_below_sixty_is_taken_with_a_word() {
    // The day of reading is 2026-07-01.
    let (day_before, day_of) = (id_number("19660702"), id_number("19660701"));
    check(
        &[
            &["姓名", "身份证号", "出生日期"],
            &["王秀英", day_before.as_str(), ""],
            &["李明", day_of.as_str(), ""],
            &["赵六", "", "2001-03-04"],
        ],
        &[],
        expect![[r#"
            2 王秀英 男 1966-07-02
            3 李明 男 1966-07-01
            4 赵六 未知 2001-03-04
            2 under_60 【B列 身份证号】提醒：未满60周岁，请核对出生日期；确需登记可保留
            4 under_60 【C列 出生日期】提醒：未满60周岁，请核对出生日期；确需登记可保留"#]],
    );
}
