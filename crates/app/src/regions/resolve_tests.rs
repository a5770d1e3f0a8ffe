use jiff::civil::date;

use super::*;

fn book() -> RegionBook {
    let row = |code: &str, name: &str| {
        let code = RegionCode::parse(code).unwrap();
        Region {
            code,
            level: code.level(),
            name: name.into(),
            parent: code.parent(),
            from: date(1980, 1, 1),
            to: None,
            successor: None,
        }
    };
    RegionBook::new(vec![
        row("41", "河南省"),
        row("4102", "开封市"),
        row("410202", "龙亭区"),
        row("410202001", "北道门街道"),
        row("410202001001", "理事厅社区"),
        row("410202001002", "前李楼社区"),
        row("410202100", "北郊乡"),
        row("410202100201", "前李楼村"),
        row("410202100202", "文昌村"),
        row("410203", "顺河区"),
        row("410203001", "清平街道"),
        row("410203001001", "文昌社区"),
    ])
}

fn found(named: Named<'_>) -> Result<String, String> {
    let found = book().resolve(&named, RegionRange::ALL, date(2026, 1, 1));
    found.map(|code| code.to_string()).map_err(|no| no.to_string())
}

fn whole(text: &str) -> Result<String, String> {
    found(Named { whole: text, ..Named::default() })
}

#[test]
fn names_are_found_however_their_ending_is_written() {
    for village in
        ["理事厅社区", "理事厅", "理事厅居委会", "理事厅社区居委会", " 理事厅 社区居民委员会", "410202001001"]
    {
        let named = Named { county: "龙亭", township: "北道门街道办事处", village, whole: "" };
        assert_eq!(found(named), Ok("410202001001".into()), "{village}");
    }
}

#[test]
fn a_path_in_one_cell_is_read_and_the_house_behind_it_ignored() {
    for text in [
        "河南省开封市龙亭区北道门街道理事厅社区3号楼2单元101",
        "开封市 龙亭区 北道门街道 理事厅社区",
        "龙亭区北道门街道理事厅",
        "理事厅社区",
        "410202001001",
    ] {
        assert_eq!(whole(text), Ok("410202001001".into()), "{text}");
    }
    let named =
        Named { county: "龙亭区", whole: "龙亭区北道门街道理事厅社区", ..Named::default() };
    assert_eq!(found(named), Ok("410202001001".into()));
}

#[test]
fn an_ending_that_is_written_decides_between_neighbours() {
    let of = |village| found(Named { county: "龙亭区", village, ..Named::default() });
    assert_eq!(of("前李楼村"), Ok("410202100201".into()));
    assert_eq!(of("前李楼社区"), Ok("410202001002".into()));
    assert_eq!(
        of("前李楼").unwrap_err(),
        "“前李楼”有 2 个（龙亭区 北道门街道 前李楼社区、龙亭区 北郊乡 前李楼村），请写明上级区划"
    );
}

#[test]
fn what_cannot_be_found_says_what_to_write() {
    assert_eq!(whole(" ").unwrap_err(), "没有填写村（社区），请写明区县、乡镇（街道）和村（社区）");
    assert_eq!(
        whole("龙亭区北道门街道").unwrap_err(),
        "“龙亭区 北道门街道”还不到村（社区）一级，请写到村（社区）"
    );
    assert_eq!(
        found(Named { county: "龙亭区", village: "无名村", ..Named::default() }).unwrap_err(),
        "龙亭区没有“无名村”，请核对名称，或改填 12 位区划代码"
    );
    assert_eq!(
        whole("410202001009").unwrap_err(),
        "区划代码表里没有“410202001009”，请核对名称，或改填 12 位区划代码"
    );
}

#[test]
fn a_range_makes_a_name_unique_and_hides_the_rest() {
    let longting = RegionCode::parse("410202").unwrap().range();
    let book = book();
    let named = Named { village: "文昌", ..Named::default() };
    let day = date(2026, 1, 1);
    assert_eq!(book.resolve(&named, longting, day).unwrap().to_string(), "410202100202");
    assert!(matches!(book.resolve(&named, RegionRange::ALL, day), Err(Unresolved::Several { count: 2, .. })));
    let other = Named { whole: "410203001001", ..Named::default() };
    assert!(matches!(book.resolve(&other, longting, day), Err(Unresolved::Elsewhere(_))));
}

#[test]
fn a_filter_takes_any_level() {
    let book = book();
    let at = |text| book.locate(text, RegionRange::ALL, date(2026, 1, 1)).map(|c| c.to_string());
    assert_eq!(at("龙亭区"), Ok("410202000000".into()));
    assert_eq!(at("龙亭区 北道门街道"), Ok("410202001000".into()));
    assert_eq!(at("北道门"), Ok("410202001000".into()));
    assert_eq!(at("理事厅社区"), Ok("410202001001".into()));
    assert!(at("无名").is_err());
}

#[test]
fn a_township_in_the_column_of_villages_is_told_as_such() {
    let told = "“北道门”是乡镇（街道）龙亭区 北道门街道，不是村（社区）：请填到“乡镇（街道）”一栏，村（社区）一栏写下面的村或社区";
    let named = Named { village: "北道门", ..Named::default() };
    assert_eq!(found(named).unwrap_err(), told);
    assert_eq!(found(Named { county: "龙亭区", ..named }).unwrap_err(), told);
    assert_eq!(whole("北道门").unwrap_err(), told);
    // Another county's township is not meant.
    assert!(found(Named { county: "顺河区", ..named }).unwrap_err().starts_with("顺河区没有“北道门”"));
}
