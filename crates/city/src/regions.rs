//! The administrative tree of a simulated city, read from the text of `cities/regions.csv`.

/// Kind of a township-level unit, told by the third part of its code (001 street, 100 town, 200 township, 400 other).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TownshipKind {
    /// 街道
    Street,
    /// 开发区、农场等
    Quasi,
    /// 镇
    Town,
    /// 乡
    Township,
}

/// A county, district or county-level city.
#[derive(Debug, Clone, PartialEq)]
pub struct County {
    /// 12-digit code.
    pub code: i64,
    /// Name, for instance 龙亭区.
    pub name: String,
    /// Name of the city above it.
    pub city: String,
    /// Name of the province above that.
    pub province: String,
}

/// A street, town or township.
#[derive(Debug, Clone, PartialEq)]
pub struct Township {
    /// 12-digit code.
    pub code: i64,
    /// Name.
    pub name: String,
    /// Index of its county in the city's list.
    pub county: usize,
    /// Kind.
    pub kind: TownshipKind,
    /// How many communities and villages it has.
    pub village_count: u16,
}

/// The regions of a city, ordered by code, and some counties outside for people who come from elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionTree {
    /// Counties.
    pub counties: Vec<County>,
    /// Townships.
    pub townships: Vec<Township>,
    /// Codes of counties in the same file that do not belong to the city.
    pub elsewhere: Vec<i64>,
}

/// The region list cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegionFault {
    /// A line is not `code12,level,name,parent12,village_count`.
    #[error("regions.csv line {line}: expected code12,level,name,parent12,village_count but found `{text}`")]
    Line {
        /// Line number, from 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// A township or county names a region above it that is not in the file.
    #[error("regions.csv: {0} lies below a region that is not in the file")]
    Orphan(i64),
    /// Nothing lies inside the regions asked for.
    #[error("regions.csv has no township inside {0:?}")]
    Nothing(Vec<i64>),
}

struct Row<'a> {
    code: i64,
    level: u8,
    name: &'a str,
    parent: i64,
    villages: u16,
}

impl RegionTree {
    /// Reads the tree of all regions inside `scopes` (codes of cities or counties).
    pub fn parse(text: &str, scopes: &[i64]) -> Result<RegionTree, RegionFault> {
        let mut rows = Vec::new();
        for (at, line) in text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty()) {
            let row = parse_row(line).ok_or_else(|| RegionFault::Line { line: at + 1, text: line.into() })?;
            rows.push(row);
        }
        rows.sort_by_key(|row| row.code);
        let find = |code: i64| rows.binary_search_by_key(&code, |row| row.code).ok().map(|at| &rows[at]);
        let mut tree = RegionTree { counties: Vec::new(), townships: Vec::new(), elsewhere: Vec::new() };
        for row in rows.iter().filter(|row| row.level == 3) {
            if !scopes.iter().any(|scope| inside(row.code, *scope)) {
                tree.elsewhere.push(row.code);
                continue;
            }
            let city = find(row.parent).ok_or(RegionFault::Orphan(row.code))?;
            let province = find(city.parent).ok_or(RegionFault::Orphan(city.code))?;
            tree.counties.push(County {
                code: row.code,
                name: row.name.into(),
                city: city.name.into(),
                province: province.name.into(),
            });
        }
        for row in rows.iter().filter(|row| row.level == 4 && row.villages > 0) {
            let found = tree.counties.binary_search_by_key(&row.parent, |county| county.code);
            match found {
                Ok(county) => tree.townships.push(Township {
                    code: row.code,
                    name: row.name.into(),
                    county,
                    kind: kind(row.code),
                    village_count: row.villages,
                }),
                Err(_) if find(row.parent).is_none() => return Err(RegionFault::Orphan(row.code)),
                Err(_) => {}
            }
        }
        if tree.townships.is_empty() {
            return Err(RegionFault::Nothing(scopes.to_vec()));
        }
        Ok(tree)
    }
}

fn parse_row(line: &str) -> Option<Row<'_>> {
    let mut fields = line.trim_end().split(',');
    let number = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<i64>().ok() };
    let row = Row {
        code: fields.next().filter(|code| code.len() == 12)?.parse().ok()?,
        level: fields.next()?.parse().ok().filter(|level| (1..=4).contains(level))?,
        name: fields.next().filter(|name| !name.is_empty())?,
        parent: number(fields.next()?)?,
        villages: u16::try_from(number(fields.next()?)?).ok()?,
    };
    fields.next().is_none().then_some(row)
}

/// A region is a range of codes: 410200000000 holds everything that begins with 4102.
pub fn inside(code: i64, scope: i64) -> bool {
    let span = [100_000_000_000_000, 10_000_000_000, 100_000_000, 1_000_000, 1_000, 1];
    let width = span.into_iter().find(|width| scope % width == 0).unwrap_or(1);
    (scope..scope + width).contains(&code)
}

fn kind(code: i64) -> TownshipKind {
    match code / 1000 % 1000 {
        0..100 => TownshipKind::Street,
        100..200 => TownshipKind::Town,
        200..400 => TownshipKind::Township,
        _ => TownshipKind::Quasi,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "code12,level,name,parent12,village_count\n410000000000,1,河南省,,\n410200000000,2,开封市,410000000000,\n";

    #[test]
    fn a_scope_is_a_range_of_codes() {
        assert!(inside(410202001003, 410200000000));
        assert!(inside(410202001003, 410202000000));
        assert!(!inside(410203001003, 410202000000));
        assert!(!inside(420202001003, 410200000000));
        assert!(inside(210103005000, 210103000000));
        assert!(!inside(210104002000, 210103000000));
    }

    #[test]
    fn a_broken_line_is_named() {
        let text = format!("{HEAD}410202000000,3,龙亭区\n");
        let fault = RegionTree::parse(&text, &[410200000000]).unwrap_err();
        assert_eq!(fault, RegionFault::Line { line: 4, text: "410202000000,3,龙亭区".into() });
    }

    #[test]
    fn a_township_without_its_county_is_refused() {
        let text = format!("{HEAD}410202001000,4,北书店街道,410202000000,2\n");
        assert_eq!(RegionTree::parse(&text, &[410200000000]), Err(RegionFault::Orphan(410202001000)));
    }

    #[test]
    fn a_scope_with_nothing_in_it_is_refused() {
        let text =
            format!("{HEAD}410202000000,3,龙亭区,410200000000,\n410202001000,4,北书店街道,410202000000,2\n");
        assert_eq!(RegionTree::parse(&text, &[420200000000]), Err(RegionFault::Nothing(vec![420200000000])));
        assert_eq!(RegionTree::parse(&text, &[410200000000]).unwrap().townships.len(), 1);
    }
}
