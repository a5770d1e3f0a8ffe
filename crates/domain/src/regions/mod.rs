//! A region is a number range.
//!
//! Codes have 12 digits (GB/T 2260 for the first six, then township and village). A county is the range of all codes
//! that begin with its digits, so "belongs to" is a comparison of numbers and a scope is `region BETWEEN lo AND hi`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A 12-digit region code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegionCode(i64);

/// The text or number is no region code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("区划代码应为 12 位数字，例如 410202000000")]
pub struct NotARegion;

/// Level of a region, from the whole country down to a village or community.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 省
    Province,
    /// 地级市
    City,
    /// 县（区）
    County,
    /// 乡镇（街道）
    Township,
    /// 村（社区）
    Village,
}

impl Level {
    /// How many codes a region of this level spans.
    pub fn span(self) -> i64 {
        match self {
            Level::Province => 10_000_000_000,
            Level::City => 100_000_000,
            Level::County => 1_000_000,
            Level::Township => 1_000,
            Level::Village => 1,
        }
    }

    /// 1 for province to 5 for village, as the national code lists number them.
    pub fn number(self) -> i64 {
        self as i64 + 1
    }

    /// The level with this number.
    pub fn from_number(n: i64) -> Option<Level> {
        [Level::Province, Level::City, Level::County, Level::Township, Level::Village]
            .into_iter()
            .find(|level| level.number() == n)
    }
}

impl RegionCode {
    /// Checks that the number has 12 digits and begins with a province.
    pub fn new(code: i64) -> Result<RegionCode, NotARegion> {
        if (110_000_000_000..1_000_000_000_000).contains(&code) {
            Ok(RegionCode(code))
        } else {
            Err(NotARegion)
        }
    }

    /// Reads digits; codes of 2, 4, 6 or 9 digits are padded with zeros at the right.
    pub fn parse(text: &str) -> Result<RegionCode, NotARegion> {
        let text = text.trim();
        if !matches!(text.len(), 2 | 4 | 6 | 9 | 12) || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotARegion);
        }
        RegionCode::new(format!("{text:0<12}").parse().map_err(|_| NotARegion)?)
    }

    /// The 12 digits as a number.
    pub fn number(self) -> i64 {
        self.0
    }

    /// The level, read off the trailing zeros.
    pub fn level(self) -> Level {
        [Level::Province, Level::City, Level::County, Level::Township]
            .into_iter()
            .find(|level| self.0 % level.span() == 0)
            .unwrap_or(Level::Village)
    }

    /// All codes that lie inside this region, itself included.
    pub fn range(self) -> RegionRange {
        RegionRange { lo: self.0, hi: self.0 + self.level().span() - 1 }
    }

    /// The region above, by the digits; none above a province.
    pub fn parent(self) -> Option<RegionCode> {
        let level = Level::from_number(self.level().number() - 1)?;
        Some(self.within(level))
    }

    /// The region of the given level this one lies in (itself when it has that level).
    pub fn within(self, level: Level) -> RegionCode {
        RegionCode(self.0 - self.0.rem_euclid(level.span()))
    }
}

impl fmt::Display for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

impl Serialize for RegionCode {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RegionCode {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        RegionCode::parse(&String::deserialize(input)?).map_err(serde::de::Error::custom)
    }
}

/// A span of region codes, both ends included: the scope of every view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RegionRange {
    /// First code inside.
    pub lo: i64,
    /// Last code inside.
    pub hi: i64,
}

impl RegionRange {
    /// Every region there is.
    pub const ALL: RegionRange = RegionRange { lo: 0, hi: 999_999_999_999 };

    /// Whether a region lies inside.
    pub fn holds(self, region: RegionCode) -> bool {
        (self.lo..=self.hi).contains(&region.number())
    }

    /// Whether another range lies wholly inside.
    pub fn covers(self, other: RegionRange) -> bool {
        self.lo <= other.lo && other.hi <= self.hi
    }

    /// The part both ranges share, if any: a narrower wish never widens a scope.
    pub fn meet(self, other: RegionRange) -> Option<RegionRange> {
        let both = RegionRange { lo: self.lo.max(other.lo), hi: self.hi.min(other.hi) };
        (both.lo <= both.hi).then_some(both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> RegionCode {
        RegionCode::parse(text).unwrap()
    }

    #[test]
    fn a_county_is_a_range_of_numbers() {
        let longting = code("410202");
        assert_eq!(longting.range(), RegionRange { lo: 410_202_000_000, hi: 410_202_999_999 });
        assert!(longting.range().holds(code("410202001002")));
        assert!(!longting.range().holds(code("410203001002")));
        assert!(code("4102").range().covers(longting.range()));
    }

    #[test]
    fn levels_are_read_off_the_digits() {
        for (text, level) in [
            ("41", Level::Province),
            ("4102", Level::City),
            ("410202", Level::County),
            ("410202001", Level::Township),
            ("410202001002", Level::Village),
        ] {
            assert_eq!(code(text).level(), level, "{text}");
        }
        assert_eq!(code("410202001002").within(Level::County), code("410202"));
        assert_eq!(code("410202001002").parent(), Some(code("410202001")));
        assert_eq!(code("41").parent(), None);
    }

    #[test]
    fn rubbish_is_no_region() {
        for bad in ["", "4", "41020", "4102020010023", "41020200100x", "000000000000", "४१"] {
            assert_eq!(RegionCode::parse(bad), Err(NotARegion), "{bad}");
        }
    }

    #[test]
    fn a_wish_never_widens_a_scope() {
        let county = code("410202").range();
        assert_eq!(county.meet(RegionRange::ALL), Some(county));
        assert_eq!(county.meet(code("410203").range()), None);
    }
}
