//! From what a clerk writes to a code: "北道门街道办事处", "理事厅社区居委会", "龙亭区北道门街道理事厅社区", 410202001002.

use domain::{
    parties::text,
    regions::{Level, RegionCode, RegionRange},
    time::Day,
};

use super::{Region, RegionBook};

/// A name without the ending that says what it is, as clerks leave it out or write it in full.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Plain(String);

/// How a region was named; what was not given is empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Named<'a> {
    /// 区县
    pub county: &'a str,
    /// 乡镇（街道）
    pub township: &'a str,
    /// 村（社区）
    pub village: &'a str,
    /// Everything in one: a code or a path.
    pub whole: &'a str,
}

/// Why no region was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// Nothing was written.
    #[error("没有填写村（社区），请写明区县、乡镇（街道）和村（社区）")]
    Empty,
    /// Nothing has this name there.
    #[error("{place}没有“{name}”，请核对名称，或改填 12 位区划代码")]
    Unknown {
        /// Where it was looked for.
        place: String,
        /// What was written.
        name: String,
    },
    /// The name of a township where that of a village is wanted.
    #[error(
        "“{name}”是乡镇（街道）{path}，不是村（社区）：请填到“乡镇（街道）”一栏，村（社区）一栏写下面的村或社区"
    )]
    Township {
        /// What was written.
        name: String,
        /// Where that township is.
        path: String,
    },
    /// Several have this name.
    #[error("“{name}”有 {count} 个（{examples}），请写明上级区划")]
    Several {
        /// What was written.
        name: String,
        /// How many there are.
        count: usize,
        /// The first of them.
        examples: String,
    },
    /// Known, but not a village or community.
    #[error("“{0}”还不到村（社区）一级，请写到村（社区）")]
    TooHigh(String),
    /// Known, but not in one's range.
    #[error("“{0}”不在您的管辖范围内")]
    Elsewhere(String),
}

/// Endings by level; the longest that fits goes.
const VILLAGE: [&str; 9] =
    ["社区居民委员会", "社区居委会", "村民委员会", "居民委员会", "村委会", "居委会", "社区村", "社区", "村"];
const TOWNSHIP: [&str; 7] = ["街道办事处", "街道办", "办事处", "街道", "人民政府", "镇", "乡"];
const COUNTY: [&str; 4] = ["自治县", "区", "县", "市"];

pub(super) fn plain(name: &str, level: Level) -> Plain {
    let name = text::compact(name);
    let endings: &[&str] = match level {
        Level::Village => &VILLAGE,
        Level::Township => &TOWNSHIP,
        Level::County | Level::City => &COUNTY,
        Level::Province => &["省"],
    };
    let short = endings.iter().find_map(|ending| name.strip_suffix(ending)).filter(|s| !s.is_empty());
    Plain(short.map_or_else(|| name.clone(), str::to_owned))
}

impl RegionBook {
    /// The village or community that was named, within a range.
    ///
    /// # Errors
    /// When none or several are meant, in a sentence that says what to write instead.
    pub fn resolve(
        &self,
        named: &Named<'_>,
        within: RegionRange,
        day: Day,
    ) -> Result<RegionCode, Unresolved> {
        let parts = [
            (Level::County, named.county),
            (Level::Township, named.township),
            (Level::Village, named.village),
        ];
        let mut at: Option<RegionCode> = None;
        for (level, written) in parts {
            if !written.trim().is_empty() {
                at = Some(self.one(level, written, at, within, day)?);
            }
        }
        if !named.whole.trim().is_empty() && at.is_none_or(|code| code.level() < Level::Village) {
            at = Some(self.whole(named.whole, at, within, day)?);
        }
        let code = at.ok_or(Unresolved::Empty)?;
        if code.level() < Level::Village {
            return Err(Unresolved::TooHigh(self.path_of(code)));
        }
        Ok(code)
    }

    /// The region of any level that was named, for a filter: a code, a path, or a name that only one has.
    ///
    /// # Errors
    /// When none or several are meant.
    pub fn locate(&self, written: &str, within: RegionRange, day: Day) -> Result<RegionCode, Unresolved> {
        let whole = self.whole(written, None, within, day);
        if whole.is_ok() {
            return whole;
        }
        let found = [Level::County, Level::Township]
            .into_iter()
            .find_map(|level| self.one(level, written, None, within, day).ok());
        found.map_or(whole, Ok)
    }

    /// One name of a known level below what is known already.
    fn one(
        &self,
        level: Level,
        written: &str,
        below: Option<RegionCode>,
        within: RegionRange,
        day: Day,
    ) -> Result<RegionCode, Unresolved> {
        if let Ok(code) = RegionCode::parse(&text::compact(written)) {
            return self.known(code, within, day);
        }
        let range = below.map_or(RegionRange::ALL, RegionCode::range);
        let found = self.named(level, written, range, day);
        let mine: Vec<&Region> =
            found.iter().copied().filter(|r| within.meet(r.code.range()).is_some()).collect();
        match (mine.as_slice(), found.first()) {
            ([one], _) => Ok(one.code),
            ([], Some(other)) => Err(Unresolved::Elsewhere(self.path_of(other.code))),
            ([], None) => Err(self.nowhere(level, written, below, day)),
            (several, _) => Err(self.several(written, several)),
        }
    }

    /// Why a name that nothing has is not found.
    fn nowhere(&self, level: Level, written: &str, below: Option<RegionCode>, day: Day) -> Unresolved {
        let name = text::compact(written);
        let range = below.map_or(RegionRange::ALL, RegionCode::range);
        let township = if level == Level::Village {
            self.named(Level::Township, written, range, day).first().copied()
        } else {
            None
        };
        match township {
            Some(township) => Unresolved::Township { name, path: self.path_of(township.code) },
            None => {
                let place = below.map_or_else(|| "辖区内".to_owned(), |code| self.path_of(code));
                Unresolved::Unknown { place, name }
            }
        }
    }

    fn named(&self, level: Level, written: &str, range: RegionRange, day: Day) -> Vec<&Region> {
        let exact = text::compact(written);
        let rows = self.by_name.get(&plain(written, level)).into_iter().flatten();
        let all: Vec<&Region> = rows
            .map(|at| self.row(*at))
            .filter(|r| r.level == level && range.holds(r.code) && r.holds(day))
            .collect();
        // 前李楼村 and 前李楼社区 may stand side by side: whoever writes the ending means it.
        let same: Vec<&Region> = all.iter().copied().filter(|r| r.name == exact).collect();
        if same.is_empty() { all } else { same }
    }

    fn known(&self, code: RegionCode, within: RegionRange, day: Day) -> Result<RegionCode, Unresolved> {
        if self.at(code, day).is_none() {
            return Err(Unresolved::Unknown { place: "区划代码表里".into(), name: code.to_string() });
        }
        within.meet(code.range()).map(|_| code).ok_or_else(|| Unresolved::Elsewhere(self.path_of(code)))
    }

    /// A code, or names one after the other with or without separators; the last one that fits counts.
    fn whole(
        &self,
        written: &str,
        below: Option<RegionCode>,
        within: RegionRange,
        day: Day,
    ) -> Result<RegionCode, Unresolved> {
        if let Ok(code) = RegionCode::parse(&text::compact(written)) {
            return self.known(code, within, day);
        }
        let rest = text::compact(written);
        let mut rest: &str = &rest;
        let mut at = below;
        for known in below.map(|code| self.line(code)).unwrap_or_default() {
            rest = rest.strip_prefix(known.name.as_str()).unwrap_or(rest);
        }
        for level in [Level::Province, Level::City, Level::County, Level::Township] {
            let under = self.under(at, day);
            let fits = under.iter().filter(|r| r.level == level && rest.starts_with(r.name.as_str()));
            if let Some(region) = fits.max_by_key(|r| r.name.len()) {
                at = Some(region.code);
                rest = &rest[region.name.len()..];
            }
        }
        if rest.is_empty() {
            return at.ok_or(Unresolved::Empty);
        }
        // What follows the village is the street and the house.
        let under = self.under(at, day);
        let fits = under.iter().filter(|r| r.level == Level::Village && rest.starts_with(r.name.as_str()));
        match fits.max_by_key(|r| r.name.len()) {
            Some(village) if at.is_some_and(|a| a.level() == Level::Township) => {
                self.known(village.code, within, day)
            }
            _ => self.one(Level::Village, rest, at, within, day),
        }
    }

    /// Candidates for the next name: the direct children, or before anything is known the top levels.
    fn under(&self, at: Option<RegionCode>, day: Day) -> Vec<&Region> {
        match at {
            Some(code) => self.children_of(code, day),
            None => self.tops(day),
        }
    }

    fn several(&self, written: &str, several: &[&Region]) -> Unresolved {
        let examples: Vec<String> = several.iter().take(3).map(|r| self.path_of(r.code)).collect();
        Unresolved::Several {
            name: text::compact(written),
            count: several.len(),
            examples: examples.join("、"),
        }
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
