//! Packs that come with the program are read; every kind of mistake is told with file, line and remedy.

use expect_test::{Expect, expect};

use super::{Pack, Texts, embedded, embedded_regions, embedded_text};

fn kaifeng() -> Texts {
    let text = |file: &str| embedded_text(&format!("kaifeng/{file}")).unwrap();
    Texts {
        pack: text("pack.toml"),
        services: text("services.csv"),
        programmes: text("programmes.toml"),
        ladder: text("ladder.toml"),
        regions: embedded_regions(),
    }
}

fn told(texts: &Texts, expected: Expect) {
    let told = match Pack::read(texts) {
        Ok(_) => "no trouble".to_owned(),
        Err(fault) => fault.to_string(),
    };
    expected.assert_eq(&told);
}

/// Reads Kaifeng with the first occurrence of a text in one file replaced by another.
fn changed(file: &str, from: &str, to: &str, expected: Expect) {
    let mut texts = kaifeng();
    let text = match file {
        "pack" => &mut texts.pack,
        "services" => &mut texts.services,
        "programmes" => &mut texts.programmes,
        "ladder" => &mut texts.ladder,
        _ => &mut texts.regions,
    };
    assert!(text.contains(from), "the file has no {from:?}");
    *text = text.replacen(from, to, 1);
    told(&texts, expected);
}

#[test]
fn every_pack_that_comes_along_is_right() {
    assert_eq!(embedded(), ["huangshi", "kaifeng", "liaoning", "weifang"]);
    for name in embedded() {
        let pack = Pack::load(&name).unwrap_or_else(|fault| panic!("{name}:\n{fault}"));
        assert_eq!((pack.code.as_str(), pack.services.len()), (name.as_str(), 34));
        assert!(pack.programmes.len() >= 2 && !pack.areas.is_empty());
    }
}

#[test]
fn kaifeng_is_read_as_it_is_written() {
    let pack = Pack::load("kaifeng").unwrap();
    assert_eq!((pack.hotline.as_str(), pack.utc_offset_minutes, pack.figures.len()), ("12349", 480, 21));
    let bath = pack.services.iter().find(|s| s.item.code == "A04").unwrap();
    assert_eq!((bath.item.workers, bath.item.same_sex, bath.item.unit_price.0), (2, true, 17_500));
    assert_eq!(bath.item.one_of_them, "care_4|nurse");
    let care = &pack.programmes[0];
    assert_eq!((care.code.as_str(), care.rule.tiers.len(), care.rule.tiers[0].monthly), ("KF-JJZH", 4, 1800));
    assert_eq!(pack.areas.iter().filter(|(c, _)| c.level() == domain::regions::Level::County).count(), 9);
}

#[test]
fn a_missing_folder_says_which_packs_there_are() {
    let fault = Pack::load("/nowhere/at-all").unwrap_err();
    assert_eq!(fault.0.len(), 3);
    assert!(fault.to_string().contains("huangshi、kaifeng、liaoning、weifang"), "{fault}");
}

#[test]
fn a_wrong_number_is_told_with_its_line() {
    changed(
        "services",
        "A01,生活照料,助餐上门送餐,助餐,次,20,5,300",
        "A01,生活照料,助餐上门送餐,助餐,次,20,5,3.00",
        expect!["services.csv 第 6 行：price_fen 应是整数，这里是“3.00”（金额以分为单位，不写小数点）"],
    );
    changed(
        "programmes",
        "monthly = 1800",
        "monthly = \"1800\"",
        expect!["programmes.toml 第 28 行：monthly 应是整数，不加引号和小数点，例如 monthly = 1"],
    );
    changed(
        "programmes",
        "pick_order = 10",
        "pick_order = 0",
        expect!["programmes.toml 第 15 行：pick_order 是 0，应在 1 到 9999 之间"],
    );
}

#[test]
fn an_unknown_word_is_told_with_those_that_are_known() {
    changed(
        "programmes",
        "grade_in = [\"complete\"]",
        "grade_in = [\"complet\"]",
        expect![
            "programmes.toml 第 25 行：grade_in 里的“complet”不认识，可用的词：intact、mild、moderate、severe、complete"
        ],
    );
    changed(
        "programmes",
        "asset = \"minutes\"",
        "asset = \"hours\"",
        expect!["programmes.toml 第 11 行：asset 里的“hours”不认识，可用的词：minutes、fen、meals"],
    );
    changed(
        "services",
        "次,20,5,300,200,500,1,no",
        "次,20,5,300,200,500,1,否",
        expect!["services.csv 第 6 行：same_sex 里的“否”不认识，可用的词：yes、no"],
    );
    changed(
        "services",
        "care_4|nurse",
        "care_9|nurse",
        expect![
            "services.csv 第 9 行：one_of_them 里的“care_9”不认识，可用的词：care_5、care_4、care_3、care_2、care_1、bathing、health_certificate、first_aid、nurse、rehab_therapist、electrician、barber、cleaning、induction、safety_induction、visitor_induction、responder、social_worker、volunteer_training、counsellor、lawyer"
        ],
    );
    changed(
        "programmes",
        "\"A02\"",
        "\"Z02\"",
        expect!["programmes.toml 第 16 行：covers 里的 Z02 不在 services.csv 的目录里，请核对编号"],
    );
    changed(
        "programmes",
        "region_by =",
        "region_bye =",
        expect![[r#"
        programmes.toml 第 8 行：缺少 region_by，请补上一行，例如 region_by = "…"
        programmes.toml 第 12 行：不认识的字段 region_bye，请改正或删去。这里可以写：valid_from、valid_to、asset、region_by、elder_pays_monthly_fen、carry_over、illustrative_fields、code、name、pick_order、covers、regions、hardship_not_in、tiers、status、source、funders"#]],
    );
}

#[test]
fn missing_columns_and_fields_are_named() {
    changed(
        "services",
        ",evidence,contraindication\n",
        ",evidence\n",
        expect!["services.csv 第 5 行：缺少列 contraindication，请在表头补上，并在每行填写"],
    );
    changed(
        "pack",
        "hotline = \"12349\"",
        "",
        expect![[r#"pack.toml 第 1 行：缺少 hotline，请补上一行，例如 hotline = "…""#]],
    );
}

#[test]
fn a_price_outside_its_band_is_told() {
    changed(
        "services",
        "5,300,200,500",
        "5,600,200,500",
        expect!["services.csv 第 6 行：价格 ¥6.00 不在 ¥2.00 到 ¥5.00 之间，请核对价格或价格区间"],
    );
}

#[test]
fn shares_must_add_up() {
    changed(
        "pack",
        "share_percent = 40",
        "share_percent = 30",
        expect!["pack.toml 第 26 行：出资比例合计是 90，应为 100，请调整各 share_percent"],
    );
    changed(
        "programmes",
        "share_percent = 60",
        "share_percent = 61",
        expect!["programmes.toml 第 54 行：出资比例合计是 101，应为 100，请调整各 share_percent"],
    );
}

#[test]
fn what_stands_twice_is_told() {
    changed(
        "services",
        "\nA02,",
        "\nA01,",
        expect![[r#"
        programmes.toml 第 16 行：covers 里的 A02 不在 services.csv 的目录里，请核对编号
        programmes.toml 第 72 行：covers 里的 A02 不在 services.csv 的目录里，请核对编号
        services.csv 第 7 行：项目编号 A01 在第 6 行已经用过，请改成不重复的编号"#]],
    );
    changed(
        "programmes",
        "code = \"KF-FWBT\"",
        "code = \"KF-JJZH\"",
        expect![
            "programmes.toml 第 63 行：项目 KF-JJZH 自 2022-01-01 的规定在第 8 行已经写过。改额度请另起一段并写新的 valid_from"
        ],
    );
    changed(
        "programmes",
        "pick_order = 20",
        "pick_order = 10",
        expect![
            "programmes.toml 第 63 行：pick_order 10 与第 8 行的项目 KF-JJZH 相同，先用哪一个分不清，请改成不同的数"
        ],
    );
}

#[test]
fn a_day_that_does_not_exist_is_told() {
    changed(
        "programmes",
        "valid_from = \"2022-01-01\"",
        "valid_from = \"2022-02-30\"",
        expect![[
            r#"programmes.toml 第 14 行：valid_from 的日期“2022-02-30”不存在或写法不对，应写成 "2026-01-01" 这样"#
        ]],
    );
    changed(
        "pack",
        "as_of = \"2020-11-01\"",
        "as_of = \"2020/11/1\"",
        expect![[r#"pack.toml 第 43 行：as_of 的日期“2020/11/1”不存在或写法不对，应写成 "2026-01-01" 这样"#]],
    );
    changed(
        "programmes",
        "valid_from = \"2022-01-01\"",
        "valid_from = \"2022-01-01\"\nvalid_to = \"2021-12-31\"",
        expect!["programmes.toml 第 15 行：valid_to 2021-12-31 早于 valid_from 2022-01-01，请核对"],
    );
}

#[test]
fn a_region_from_elsewhere_is_told() {
    changed(
        "programmes",
        "regions = [\"410200000000\"]",
        "regions = [\"420200000000\"]",
        expect!["programmes.toml 第 13 行：420200000000 不在 pack.toml 的 regions 之内，请核对"],
    );
    changed(
        "pack",
        "regions = [\"410200000000\"]",
        "regions = [\"4102\"]",
        expect![[r#"pack.toml 第 9 行：区划代码“4102”应为 12 位数字，例如 "410200000000""#]],
    );
}

#[test]
fn broken_files_are_told_and_not_crashed_on() {
    changed(
        "programmes",
        "asset = \"minutes\"",
        "asset = \"minutes",
        expect![[
            r#"programmes.toml 第 11 行：这一行不合 TOML 的写法（invalid basic string, expected `"`）。常见原因：少了引号、等号或右括号，或同一字段写了两遍"#
        ]],
    );
    changed(
        "services",
        "助餐上门送餐,助餐,",
        "助餐上门送餐,",
        expect![[r#"
        programmes.toml 第 72 行：covers 里的 A01 不在 services.csv 的目录里，请核对编号
        programmes.toml 第 109 行：covers 里的 A01 不在 services.csv 的目录里，请核对编号
        services.csv 第 6 行：这一行有 15 列，应有 16 列，请检查是否多了或少了逗号"#]],
    );
    told(
        &Texts::default(),
        expect![[r#"
            pack.toml 第 1 行：文件里没有内容，请参照其他城市包填写
            programmes.toml 第 1 行：文件里没有内容，请参照其他城市包填写
            services.csv 第 1 行：缺少列 code，请在表头补上，并在每行填写
            services.csv 第 1 行：缺少列 category，请在表头补上，并在每行填写
            services.csv 第 1 行：缺少列 name，请在表头补上，并在每行填写
            services.csv 第 1 行：缺少列 help_kind，请在表头补上，并在每行填写
            services.csv 第 1 行：缺少列 unit，请在表头补上，并在每行填写
            services.csv 第 1 行：缺少列 minutes_std，请在表头补上，并在每行填写
            services.csv 第 1 行：缺少列 minutes_min，请在表头补上，并在每行填写
            services.csv 第 1 行：缺少列 price_fen，请在表头补上，并在每行填写
            services.csv 第 1 行：缺少列 price_low_fen，请在表头补上，并在每行填写
            services.csv 第 1 行：缺少列 price_high_fen，请在表头补上，并在每行填写
            services.csv 第 1 行：缺少列 workers，请在表头补上，并在每行填写
            services.csv 第 1 行：缺少列 same_sex，请在表头补上，并在每行填写
            services.csv 第 1 行：缺少列 who_may，请在表头补上，并在每行填写
            services.csv 第 1 行：缺少列 one_of_them，请在表头补上，并在每行填写
            services.csv 第 1 行：缺少列 evidence，请在表头补上，并在每行填写
            services.csv 第 1 行：缺少列 contraindication，请在表头补上，并在每行填写"#]],
    );
}

#[test]
fn the_ladder_of_every_pack_is_what_holds_everywhere_until_a_city_decides() {
    let standard = domain::signals::ladder::Terms::standard();
    for name in embedded() {
        assert_eq!(Pack::load(&name).unwrap().ladder, standard, "{name}");
    }
    let mut texts = kaifeng();
    texts.ladder = String::new();
    assert_eq!(Pack::read(&texts).unwrap().ladder, standard, "a pack without the file");
}

#[test]
fn a_ladder_that_would_leave_somebody_unheard_is_told() {
    changed(
        "ladder",
        "hold_seconds = 60",
        "hold_seconds = 600",
        expect!["ladder.toml 第 6 行：hold_seconds 是 600，应在 5 到 60 之间"],
    );
    changed(
        "ladder",
        r#"reach = "grid_worker""#,
        r#"reach = "gridworker""#,
        expect![
            "ladder.toml 第 121 行：reach 里的“gridworker”不认识，可用的词：operator、elder、family、neighbour、grid_worker、station、leader、street、county、ambulance、fire、police"
        ],
    );
    changed(
        "ladder",
        r#"levels = ["P1", "P2", "P3", "P4"]"#,
        r#"levels = ["P1", "P2", "P3"]"#,
        expect![[
            r#"ladder.toml 第 67 行：等级 P4 没有“坐席立即响铃”这一步，警情会没有人听到。请补一段 after_seconds = 0、reach = "operator""#
        ]],
    );
}
