//! The whole tree in memory: names, paths, children.

use std::collections::HashMap;

use domain::{
    parties::{name, text},
    regions::{Level, RegionCode, RegionRange},
    time::Day,
};

use super::{Region, resolve::Plain, resolve::plain};

/// Every region there is or was, by code.
#[derive(Debug, Default)]
pub struct RegionBook {
    /// Ordered by code and first day.
    rows: Vec<Region>,
    /// Rows of a code: first and one past the last.
    by_code: HashMap<RegionCode, (usize, usize)>,
    /// Codes below a code, in order.
    below: HashMap<Option<RegionCode>, Vec<RegionCode>>,
    /// Pinyin initials of each row's name.
    initials: Vec<String>,
    /// Rows by their name without the ending that says what they are.
    pub(super) by_name: HashMap<Plain, Vec<usize>>,
}

impl RegionBook {
    pub(super) fn new(mut rows: Vec<Region>) -> RegionBook {
        rows.sort_by_key(|r| (r.code, r.from));
        let mut book = RegionBook { initials: Vec::with_capacity(rows.len()), ..RegionBook::default() };
        for (at, row) in rows.iter().enumerate() {
            let known = book.by_code.entry(row.code).or_insert((at, at));
            known.1 = at + 1;
            if known.0 == at {
                book.below.entry(row.parent).or_default().push(row.code);
            }
            book.initials.push(name::initials(&row.name));
            book.by_name.entry(plain(&row.name, row.level)).or_default().push(at);
        }
        book.rows = rows;
        book
    }

    /// Whether nothing was loaded yet.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Provinces, cities and counties: where a path as people write it may begin.
    pub(super) fn tops(&self, day: Day) -> Vec<&Region> {
        self.rows.iter().filter(|r| r.level <= Level::County && r.holds(day)).collect()
    }

    pub(super) fn row(&self, at: usize) -> &Region {
        &self.rows[at]
    }

    fn versions(&self, code: RegionCode) -> &[Region] {
        self.by_code.get(&code).map_or(&[], |(from, to)| &self.rows[*from..*to])
    }

    /// The region as it is on a day.
    pub fn at(&self, code: RegionCode, day: Day) -> Option<&Region> {
        self.versions(code).iter().rev().find(|r| r.holds(day))
    }

    /// The region as it last was, also when it has ended.
    pub fn latest(&self, code: RegionCode) -> Option<&Region> {
        self.versions(code).last()
    }

    /// Today's code of a region that may have ended: its successor's successor and so on.
    pub fn today(&self, code: RegionCode, day: Day) -> RegionCode {
        let mut code = code;
        // A chain of successors is short; a ring made by mistake must not hang.
        for _ in 0..20 {
            match self.latest(code) {
                Some(Region { to: Some(to), successor: Some(next), .. }) if *to <= day && *next != code => {
                    code = *next;
                }
                _ => break,
            }
        }
        code
    }

    /// The name as it last was; the code itself when nobody knows it.
    pub fn name_of(&self, code: RegionCode) -> String {
        self.latest(code).map_or_else(|| code.to_string(), |r| r.name.clone())
    }

    /// From the county down: "龙亭区 北道门街道 理事厅社区". A city or province is just its name.
    pub fn path_of(&self, code: RegionCode) -> String {
        let levels = [Level::County, Level::Township, Level::Village];
        let names: Vec<String> = levels
            .into_iter()
            .filter(|level| *level <= code.level())
            .map(|level| self.name_of(code.within(level)))
            .collect();
        if names.is_empty() { self.name_of(code) } else { names.join(" ") }
    }

    /// The regions above and the region itself, province first, as far as they are known.
    pub fn line(&self, code: RegionCode) -> Vec<Region> {
        [Level::Province, Level::City, Level::County, Level::Township, Level::Village]
            .into_iter()
            .filter(|level| *level <= code.level())
            .filter_map(|level| self.latest(code.within(level)).cloned())
            .collect()
    }

    /// What lies directly below on a day, in order of code.
    pub fn children_of(&self, code: RegionCode, day: Day) -> Vec<&Region> {
        self.below_of(Some(code), day)
    }

    fn below_of(&self, code: Option<RegionCode>, day: Day) -> Vec<&Region> {
        self.below.get(&code).into_iter().flatten().filter_map(|c| self.at(*c, day)).collect()
    }

    /// What one may choose below a region within a range. Without a parent it begins at the first level where there is
    /// a choice, so that nobody has to pick the only province.
    pub(super) fn step(&self, range: RegionRange, parent: Option<RegionCode>, day: Day) -> super::Step {
        let within = |parent: Option<RegionCode>| -> Vec<Region> {
            let items = self.below_of(parent, day).into_iter();
            items.filter(|r| range.meet(r.code.range()).is_some()).cloned().collect()
        };
        let mut at = parent;
        let mut items = within(at);
        while parent.is_none() && items.len() == 1 && items[0].level < Level::Village {
            at = Some(items[0].code);
            items = within(at);
        }
        super::Step { above: at.map_or_else(Vec::new, |code| self.line(code)), items }
    }

    /// Regions whose name contains the text or whose initials begin with it, nearer to the top first.
    pub fn suggest(&self, typed: &str, range: RegionRange, day: Day, limit: usize) -> Vec<&Region> {
        let typed = text::compact(typed).to_lowercase();
        if typed.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<(&Region, bool)> = self
            .rows
            .iter()
            .zip(&self.initials)
            .filter(|(r, _)| r.holds(day) && range.meet(r.code.range()).is_some())
            .filter(|(r, initials)| {
                r.name.contains(&typed) || initials.starts_with(&typed) || self.says(r, &typed)
            })
            .map(|(r, _)| (r, r.name.starts_with(&typed)))
            .collect();
        found.sort_by_key(|(r, starts)| (!starts, r.level, r.code));
        found.into_iter().take(limit).map(|(r, _)| r).collect()
    }

    /// Whether the text is the end of the region's whole path, as a browser puts a chosen suggestion into its field.
    fn says(&self, region: &Region, typed: &str) -> bool {
        typed.ends_with(&region.name) && typed == text::compact(&self.path_of(region.code))
    }
}
