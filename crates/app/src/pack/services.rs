//! `services.csv`: the catalogue, one item a row.

use std::collections::HashMap;

use domain::{
    money::{Fen, Minutes},
    parties::Certificate,
    programmes::{ServiceItem, skills},
};

use super::{
    Service,
    reader::{Troubles, unknown},
};

const FILE: &str = "services.csv";

const COLUMNS: [&str; 16] = [
    "code",
    "category",
    "name",
    "help_kind",
    "unit",
    "minutes_std",
    "minutes_min",
    "price_fen",
    "price_low_fen",
    "price_high_fen",
    "workers",
    "same_sex",
    "who_may",
    "one_of_them",
    "evidence",
    "contraindication",
];

const HELPS: [&str; 9] = ["助餐", "助浴", "助洁", "助医", "助购", "助行", "助急", "巡访", "精神"];

/// Reads the catalogue; rows with troubles are left out.
pub(super) fn read(text: &str, found: &Troubles) -> Vec<Service> {
    let mut reader =
        csv::ReaderBuilder::new().comment(Some(b'#')).flexible(true).from_reader(text.as_bytes());
    let Some(columns) = columns(&mut reader, text, found) else { return Vec::new() };
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut list = Vec::new();
    let mut record = csv::StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                let line = error.position().map_or(1, |p| p.line() as usize);
                found.tell(FILE, line, "这一行读不出来，请检查引号是否成对，文件是否存为 UTF-8");
                break;
            }
        }
        let line = record.position().map_or(1, |p| p.line() as usize);
        let row = Row { record: &record, columns: &columns, line, found };
        if record.len() != COLUMNS.len() {
            let say =
                format!("这一行有 {} 列，应有 {} 列，请检查是否多了或少了逗号", record.len(), COLUMNS.len());
            row.tell(say);
            continue;
        }
        let service = row.service();
        if let Some(first) = seen.insert(service.item.code.clone(), line) {
            let say = format!("项目编号 {} 在第 {first} 行已经用过，请改成不重复的编号", service.item.code);
            row.tell(say);
        }
        list.push(service);
    }
    if list.is_empty() {
        found.tell(FILE, 1, "目录里没有一个项目，请至少写一行");
    }
    list
}

/// Where each column stands, by the header.
fn columns(
    reader: &mut csv::Reader<&[u8]>,
    text: &str,
    found: &Troubles,
) -> Option<HashMap<&'static str, usize>> {
    let line = text.lines().position(|l| !l.starts_with('#') && !l.trim().is_empty()).map_or(1, |n| n + 1);
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(_) => {
            found.tell(FILE, line, "表头读不出来，请存为 UTF-8 的 CSV");
            return None;
        }
    };
    let mut whole = true;
    for header in &headers {
        if !COLUMNS.contains(&header.trim().trim_start_matches('\u{feff}')) {
            whole = false;
            found.tell(FILE, line, unknown("表头", header, &COLUMNS));
        }
    }
    let mut at = HashMap::new();
    for column in COLUMNS {
        match headers.iter().position(|h| h.trim().trim_start_matches('\u{feff}') == column) {
            Some(n) => drop(at.insert(column, n)),
            None => {
                whole = false;
                found.tell(FILE, line, format!("缺少列 {column}，请在表头补上，并在每行填写"));
            }
        }
    }
    whole.then_some(at)
}

struct Row<'a> {
    record: &'a csv::StringRecord,
    columns: &'a HashMap<&'static str, usize>,
    line: usize,
    found: &'a Troubles,
}

impl Row<'_> {
    fn tell(&self, say: String) {
        self.found.tell(FILE, self.line, say);
    }

    fn cell(&self, column: &str) -> &str {
        self.columns.get(column).and_then(|n| self.record.get(*n)).unwrap_or_default().trim()
    }

    fn text(&self, column: &str) -> String {
        let text = self.cell(column);
        if text.is_empty() {
            self.tell(format!("{column} 是空的，请填写"));
        }
        text.to_owned()
    }

    fn number(&self, column: &str, from: i64, to: i64) -> Option<i64> {
        let text = self.cell(column);
        match text.parse::<i64>() {
            Ok(n) if (from..=to).contains(&n) => return Some(n),
            Ok(n) => self.tell(format!("{column} 是 {n}，应在 {from} 到 {to} 之间")),
            Err(_) => {
                self.tell(format!("{column} 应是整数，这里是“{text}”（金额以分为单位，不写小数点）"));
            }
        }
        None
    }

    fn one_of(&self, column: &str, known: &[&str]) -> String {
        let word = self.text(column);
        if !word.is_empty() && !known.contains(&word.as_str()) {
            self.tell(unknown(column, &word, known));
        }
        word
    }

    /// A demand for certificates, whose words must be known.
    fn demand(&self, column: &str) -> String {
        let text = self.cell(column).to_owned();
        for word in skills(&text).into_iter().flatten() {
            if Certificate::from_code(&word).is_none() {
                let known: Vec<&str> = Certificate::ALL.iter().map(|c| c.code()).collect();
                self.tell(unknown(column, &word, &known));
            }
        }
        if text.contains('+') && text.contains('|') {
            self.tell(format!(
                "{column} 里“+”和“|”混用，含义不清，请只用一种；确需两者时把其中一项写到另一列"
            ));
        }
        text
    }

    fn service(&self) -> Service {
        // A number that could not be read was told already; comparing its stand-in would only confuse.
        let [minutes_std, minutes_min] =
            ["minutes_std", "minutes_min"].map(|column| self.number(column, 1, 1440).map(Minutes));
        if let (Some(std), Some(min)) = (minutes_std, minutes_min)
            && min > std
        {
            self.tell(format!("最短时长 {min} 比计划时长 {std} 还长，请核对"));
        }
        let [price, low, high] = ["price_fen", "price_low_fen", "price_high_fen"]
            .map(|column| self.number(column, 0, 100_000_000).map(Fen));
        if let (Some(price), Some(low), Some(high)) = (price, low, high)
            && !(low..=high).contains(&price)
        {
            self.tell(format!("价格 {price} 不在 {low} 到 {high} 之间，请核对价格或价格区间"));
        }
        if self.cell("who_may").is_empty() {
            self.tell("who_may 是空的；没有特别要求的写 induction（岗前培训）".to_owned());
        }
        Service {
            category: self.text("category"),
            price_low: low.unwrap_or_default(),
            price_high: high.unwrap_or_default(),
            item: ServiceItem {
                code: self.code(),
                name: self.text("name"),
                help_kind: self.one_of("help_kind", &HELPS),
                by_hour: self.one_of("unit", &["次", "小时"]) == "小时",
                minutes_std: minutes_std.unwrap_or_default(),
                minutes_min: minutes_min.unwrap_or_default(),
                unit_price: price.unwrap_or_default(),
                workers: self.number("workers", 1, 4).unwrap_or(1),
                same_sex: self.one_of("same_sex", &["yes", "no"]) == "yes",
                who_may: self.demand("who_may"),
                one_of_them: self.demand("one_of_them"),
                evidence: self.text("evidence"),
                contraindication: self.cell("contraindication").to_owned(),
            },
        }
    }

    /// A code stands in lists with commas and in addresses, so it is kept to letters and digits.
    fn code(&self) -> String {
        let code = self.text("code");
        if !code.chars().all(|c| c.is_ascii_alphanumeric()) {
            self.tell(format!("项目编号“{code}”只能用字母和数字，例如 A01"));
        }
        code
    }
}
