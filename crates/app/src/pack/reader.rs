//! Reads TOML tables field by field, so that every mistake can be told with its line and a remedy.

use std::cell::RefCell;

use domain::time::Day;
use toml::de::{DeTable, DeValue};

use super::Trouble;

/// What was found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Troubles(RefCell<Vec<Trouble>>);

impl Troubles {
    pub(super) fn tell(&self, file: &str, line: usize, say: impl Into<String>) {
        self.0.borrow_mut().push(Trouble { file: file.to_owned(), line, say: say.into() });
    }

    pub(super) fn into_sorted(self) -> Vec<Trouble> {
        let mut all = self.0.into_inner();
        all.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        all
    }
}

/// A TOML file.
pub(super) struct Doc<'a> {
    pub(super) file: &'static str,
    pub(super) text: &'a str,
    pub(super) found: &'a Troubles,
}

impl<'a> Doc<'a> {
    /// The file as a table; an empty one when it cannot be parsed at all.
    pub(super) fn parse(&self) -> DeTable<'a> {
        match DeTable::parse(self.text) {
            Ok(table) => {
                let table = table.into_inner();
                if table.is_empty() {
                    self.found.tell(self.file, 1, "文件里没有内容，请参照其他城市包填写");
                }
                table
            }
            Err(error) => {
                let line = self.line_of(error.span().map_or(0, |s| s.start));
                let say = format!(
                    "这一行不合 TOML 的写法（{}）。常见原因：少了引号、等号或右括号，或同一字段写了两遍",
                    error.message().lines().next().unwrap_or_default()
                );
                self.found.tell(self.file, line, say);
                DeTable::new()
            }
        }
    }

    fn line_of(&self, at: usize) -> usize {
        self.text.as_bytes()[..at.min(self.text.len())].iter().filter(|b| **b == b'\n').count() + 1
    }
}

/// One table of a file.
pub(super) struct Fields<'d, 'a> {
    doc: &'d Doc<'a>,
    table: &'d DeTable<'a>,
    line: usize,
    asked: RefCell<Vec<&'static str>>,
}

impl<'d, 'a> Fields<'d, 'a> {
    pub(super) fn new(doc: &'d Doc<'a>, table: &'d DeTable<'a>) -> Fields<'d, 'a> {
        Fields { doc, table, line: 1, asked: RefCell::default() }
    }

    /// The line the table begins on.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// The line a field stands on, or the table's when it is missing.
    pub(super) fn line_of(&self, key: &str) -> usize {
        self.table
            .iter()
            .find(|(k, _)| k.get_ref().as_ref() == key)
            .map_or(self.line, |(k, _)| self.doc.line_of(k.span().start))
    }

    pub(super) fn tell(&self, key: &str, say: impl Into<String>) {
        self.doc.found.tell(self.doc.file, self.line_of(key), say);
    }

    fn value(&self, key: &'static str) -> Option<&'d DeValue<'a>> {
        self.asked.borrow_mut().push(key);
        self.table.get(key).map(|value| value.get_ref())
    }

    fn needed(&self, key: &'static str, example: &str) -> Option<&'d DeValue<'a>> {
        let value = self.value(key);
        if value.is_none() {
            self.tell(key, format!("缺少 {key}，请补上一行，例如 {key} = {example}"));
        }
        value
    }

    /// A text that must be there and say something.
    pub(super) fn text(&self, key: &'static str) -> String {
        let Some(value) = self.needed(key, "\"…\"") else { return String::new() };
        match value.as_str().map(str::trim) {
            Some("") => self.tell(key, format!("{key} 不能为空，请填写")),
            Some(text) => return text.to_owned(),
            None => self.tell(key, format!("{key} 应是带引号的文字，例如 {key} = \"…\"")),
        }
        String::new()
    }

    /// A text that may be left out.
    pub(super) fn text_or_empty(&self, key: &'static str) -> String {
        if self.table.get(key).is_some() { self.text(key) } else { self.skip(key) }
    }

    fn skip<T: Default>(&self, key: &'static str) -> T {
        self.asked.borrow_mut().push(key);
        T::default()
    }

    /// A whole number that must be there.
    pub(super) fn number(&self, key: &'static str, from: i64, to: i64) -> i64 {
        self.needed(key, &from.to_string()).and_then(|value| self.whole(key, value, from, to)).unwrap_or(from)
    }

    /// A whole number that may be left out.
    pub(super) fn number_or_none(&self, key: &'static str, from: i64, to: i64) -> Option<i64> {
        self.value(key).and_then(|value| self.whole(key, value, from, to))
    }

    fn whole(&self, key: &str, value: &DeValue<'_>, from: i64, to: i64) -> Option<i64> {
        let number = value.as_integer().and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
        match number {
            Some(n) if (from..=to).contains(&n) => return Some(n),
            Some(n) => self.tell(key, format!("{key} 是 {n}，应在 {from} 到 {to} 之间")),
            None => self.tell(key, format!("{key} 应是整数，不加引号和小数点，例如 {key} = {from}")),
        }
        None
    }

    /// A number with or without decimals.
    pub(super) fn real(&self, key: &'static str) -> f64 {
        let Some(value) = self.needed(key, "1") else { return 0.0 };
        real(value).unwrap_or_else(|| {
            self.tell(key, format!("{key} 应是数字，不加引号"));
            0.0
        })
    }

    /// Two numbers: longitude and latitude.
    pub(super) fn point(&self, key: &'static str) -> [f64; 2] {
        let Some(value) = self.needed(key, "[114.3, 34.8]") else { return [0.0; 2] };
        let numbers: Vec<f64> = value
            .as_array()
            .map(|a| a.iter().filter_map(|v| real(v.get_ref())).collect())
            .unwrap_or_default();
        match numbers[..] {
            [lon, lat] if (70.0..140.0).contains(&lon) && (0.0..60.0).contains(&lat) => [lon, lat],
            _ => {
                self.tell(key, format!("{key} 应是国内的 [经度, 纬度]，例如 [114.3, 34.8]，不要写反"));
                [0.0; 2]
            }
        }
    }

    /// Yes or no; no when left out.
    pub(super) fn yes(&self, key: &'static str) -> bool {
        let Some(value) = self.value(key) else { return false };
        value.as_bool().unwrap_or_else(|| {
            self.tell(key, format!("{key} 只能是 true 或 false，不加引号"));
            false
        })
    }

    /// A day that must be there.
    pub(super) fn day(&self, key: &'static str) -> Option<Day> {
        self.needed(key, "\"2026-01-01\"").and_then(|value| self.a_day(key, value))
    }

    /// A day that may be left out.
    pub(super) fn day_or_none(&self, key: &'static str) -> Option<Day> {
        self.value(key).and_then(|value| self.a_day(key, value))
    }

    fn a_day(&self, key: &str, value: &DeValue<'_>) -> Option<Day> {
        let text = match value {
            DeValue::Datetime(day) => day.to_string(),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        let day = text.parse().ok().filter(|_| text.len() == 10);
        if day.is_none() {
            let say = format!("{key} 的日期“{text}”不存在或写法不对，应写成 \"2026-01-01\" 这样");
            self.tell(key, say);
        }
        day
    }

    /// A word of a known list that must be there.
    pub(super) fn word<T>(
        &self,
        key: &'static str,
        known: &[&str],
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let word = self.text(key);
        let value = parse(&word);
        if value.is_none() && !word.is_empty() {
            self.tell(key, unknown(key, &word, known));
        }
        value
    }

    /// A list of texts; empty when left out.
    pub(super) fn list(&self, key: &'static str) -> Vec<String> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let texts = value.as_array().map(|a| {
            a.iter().map(|v| v.get_ref().as_str().map(|t| t.trim().to_owned())).collect::<Option<Vec<_>>>()
        });
        texts.flatten().unwrap_or_else(|| {
            self.tell(key, format!("{key} 应是一组带引号的文字，例如 {key} = [\"…\", \"…\"]"));
            Vec::new()
        })
    }

    /// A list of words of a known list; empty when left out.
    pub(super) fn words<T>(
        &self,
        key: &'static str,
        known: &[&str],
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let read = |word: String| {
            let value = parse(&word);
            if value.is_none() {
                self.tell(key, unknown(key, &word, known));
            }
            value
        };
        self.list(key).into_iter().filter_map(read).collect()
    }

    /// The tables `[[key]]` below this one.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Fields<'d, 'a>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(items) = value.as_array() else {
            self.tell(key, format!("{key} 应写成 [[{key}]] 开头的若干段"));
            return Vec::new();
        };
        let fields = |item: &'d toml::Spanned<DeValue<'a>>| {
            let table = item.get_ref().as_table()?;
            let line = self.doc.line_of(item.span().start);
            Some(Fields { doc: self.doc, table, line, asked: RefCell::default() })
        };
        items.iter().filter_map(fields).collect()
    }

    /// Tells about fields nobody asked for.
    pub(super) fn finish(self) {
        let asked = self.asked.borrow();
        for (key, _) in self.table {
            let name = key.get_ref().as_ref();
            if !asked.contains(&name) {
                let say = format!("不认识的字段 {name}，请改正或删去。这里可以写：{}", asked.join("、"));
                self.doc.found.tell(self.doc.file, self.doc.line_of(key.span().start), say);
            }
        }
    }
}

fn real(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(n) => n.as_str().parse().ok(),
        DeValue::Float(n) => n.as_str().parse().ok(),
        _ => None,
    }
}

/// "This word is not known, these are."
pub(super) fn unknown(key: &str, word: &str, known: &[&str]) -> String {
    format!("{key} 里的“{word}”不认识，可用的词：{}", known.join("、"))
}
