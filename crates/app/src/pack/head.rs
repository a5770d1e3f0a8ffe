//! `pack.toml`: the place itself, default funders and published figures; and the names of its areas.

use std::collections::HashSet;

use domain::{
    regions::{Level, RegionCode},
    signals::{ladder, silence::Terms, water::WaterRule},
};

use crate::signals::intake;

use super::{
    Figure, Funder, Pack,
    reader::{Doc, Fields, Troubles},
    watch,
};

pub(super) const FILE: &str = "pack.toml";

/// Codes a funder may have: the level of government whose account pays.
const FUNDERS: &[&str] = &["province", "city", "county"];

pub(super) fn read(text: &str, found: &Troubles) -> Pack {
    let doc = Doc { file: FILE, text, found };
    let table = doc.parse();
    let top = Fields::new(&doc, &table);
    if table.is_empty() {
        return empty();
    }
    top.number("format", 1, 1);
    let pack = Pack {
        code: top.text("code"),
        name: top.text("name"),
        platform_name: top.text("platform_name"),
        regions: regions(&top),
        utc_offset_minutes: top.number("utc_offset_minutes", -720, 840),
        hotline: top.text("hotline"),
        centre: top.point("centre"),
        funders: funders(&top, &[]),
        figures: figures(&top),
        watch: watch::terms(&top),
        water: watch::water(&top),
        intake: watch::devices(&top),
        nobody_home_fee_fen: top.number_or_none("nobody_home_fee_fen", 0, 1_000_000),
        ..empty()
    };
    if pack.nobody_home_fee_fen.is_some() {
        // An amount that is paid out says where it comes from.
        top.text("nobody_home_fee_source");
    }
    top.finish();
    pack
}

fn empty() -> Pack {
    Pack {
        code: String::new(),
        name: String::new(),
        platform_name: String::new(),
        regions: Vec::new(),
        utc_offset_minutes: 480,
        hotline: String::new(),
        centre: [0.0; 2],
        funders: Vec::new(),
        figures: Vec::new(),
        services: Vec::new(),
        programmes: Vec::new(),
        watch: Terms::default(),
        water: WaterRule::default(),
        intake: intake::Terms::default(),
        ladder: ladder::Terms::standard(),
        areas: Vec::new(),
        nobody_home_fee_fen: None,
    }
}

/// The list `regions` of a table, at least one.
pub(super) fn regions(fields: &Fields<'_, '_>) -> Vec<RegionCode> {
    let texts = fields.list("regions");
    if texts.is_empty() {
        fields.tell("regions", "regions 不能为空，请写上区划代码，例如 regions = [\"410200000000\"]");
    }
    let read = |text: String| match RegionCode::parse(&text) {
        Ok(code) if text.len() == 12 => Some(code),
        _ => {
            fields.tell("regions", format!("区划代码“{text}”应为 12 位数字，例如 \"410200000000\""));
            None
        }
    };
    texts.into_iter().filter_map(read).collect()
}

/// The tables `[[funders]]`, whose shares must add up to 100. Names may come from `defaults`.
pub(super) fn funders(fields: &Fields<'_, '_>, defaults: &[Funder]) -> Vec<Funder> {
    let tables = fields.tables("funders");
    if tables.is_empty() {
        fields.tell("funders", "没有出资方，请写上 [[funders]]，比例合计为 100");
        return Vec::new();
    }
    let mut list: Vec<Funder> = Vec::new();
    for table in tables {
        let level = table.word("code", FUNDERS, |code| match code {
            "province" => Some(Level::Province),
            "city" => Some(Level::City),
            "county" => Some(Level::County),
            _ => None,
        });
        let code = table.text_or_empty("code");
        let default = defaults.iter().find(|f| f.code == code);
        let name = match default {
            Some(default) => {
                let own = table.text_or_empty("name");
                if own.is_empty() { default.name.clone() } else { own }
            }
            None => table.text("name"),
        };
        let share_percent = table.number("share_percent", 1, 100);
        if list.iter().any(|f| f.code == code) {
            table.tell("code", format!("出资方 {code} 写了两遍，请合并成一段"));
        } else if let Some(level) = level {
            list.push(Funder { code, level, name, share_percent });
        }
        table.finish();
    }
    let total: i64 = list.iter().map(|f| f.share_percent).sum();
    if total != 100 {
        fields.tell("funders", format!("出资比例合计是 {total}，应为 100，请调整各 share_percent"));
    }
    list
}

fn figures(top: &Fields<'_, '_>) -> Vec<Figure> {
    let mut seen = HashSet::new();
    let mut list = Vec::new();
    for table in top.tables("figures") {
        let (code, day) = (table.text("code"), table.day("as_of"));
        let stated = table.word("as_of_basis", &["stated", "inferred"], |word| match word {
            "stated" => Some(true),
            "inferred" => Some(false),
            _ => None,
        });
        let figure = |as_of, stated| Figure {
            code: code.clone(),
            name: table.text("name"),
            value: table.real("value"),
            unit: table.text("unit"),
            as_of,
            stated,
            at_least: table.yes("at_least"),
            note: table.text_or_empty("note"),
            source: table.text("source"),
        };
        if let (Some(as_of), Some(stated)) = (day, stated) {
            list.push(figure(as_of, stated));
            if !seen.insert((code.clone(), as_of)) {
                table.tell("code", format!("指标 {code} 在 {as_of} 有两个数，同一时点只能保留一个"));
            }
            table.finish();
        }
    }
    list
}

/// Areas of levels 1 to 3 that cover one of the pack's regions or lie inside one.
pub(super) fn areas(text: &str, regions: &[RegionCode], found: &Troubles) -> Vec<(RegionCode, String)> {
    const FILE: &str = "regions.csv";
    let mut list = Vec::new();
    for (n, line) in text.lines().enumerate().skip(1) {
        let mut cells = line.split(',');
        let (Some(code), Some(_), Some(name)) = (cells.next(), cells.next(), cells.next()) else {
            found.tell(FILE, n + 1, "这一行少了列，应为 code12,level,name,parent12,village_count");
            continue;
        };
        let Ok(code) = RegionCode::parse(code) else {
            found.tell(FILE, n + 1, format!("区划代码“{code}”应为 12 位数字"));
            continue;
        };
        let related =
            |region: &RegionCode| code.range().covers(region.range()) || region.range().covers(code.range());
        if code.level() <= Level::County && regions.iter().any(related) {
            list.push((code, name.trim().to_owned()));
        }
    }
    for region in regions {
        if !list.iter().any(|(code, _)| region.range().covers(code.range())) {
            let say =
                format!("没有找到 {region} 及其下级，请把它们补进 regions.csv，或更正 pack.toml 的 regions");
            found.tell(FILE, 1, say);
        }
    }
    list
}
