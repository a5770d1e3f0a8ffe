//! The tree of regions with its history.
//!
//! A region is never overwritten: a new name or an end is a new row or a closed one, so an old case keeps the name of
//! its day. The whole tree (a few thousand rows a city) is kept in memory as a [`RegionBook`] and read again after a
//! change, in whichever process it was made.

mod book;
mod resolve;
mod sql;

use std::sync::Arc;

use domain::{
    access::{Act, Actor},
    refusal::{Refusal, RefusalKind},
    regions::{Level, RegionCode},
    time::{Day, Now},
};

pub use book::RegionBook;
pub use resolve::{Named, Unresolved};

use crate::{
    evidence::Event,
    outcome::{Answer, No, Outcome},
    settings,
    store::{Fault, Tx},
};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// One region as it is or was for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// 12-digit code.
    pub code: RegionCode,
    /// Province to village.
    pub level: Level,
    /// Official name.
    pub name: String,
    /// The region above; none for a province.
    pub parent: Option<RegionCode>,
    /// First day.
    pub from: Day,
    /// The day it ended, when it did.
    pub to: Option<Day>,
    /// What took its place.
    pub successor: Option<RegionCode>,
}

impl Region {
    /// Whether it exists on a day.
    pub fn holds(&self, day: Day) -> bool {
        self.from <= day && self.to.is_none_or(|to| day < to)
    }
}

/// A region as a pack or a list of codes has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRegion {
    /// 12-digit code.
    pub code: RegionCode,
    /// Official name.
    pub name: String,
}

/// What a load did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Regions that were not known.
    pub new: usize,
    /// Regions that got another name from today on.
    pub renamed: usize,
    /// Regions that are as they were.
    pub unchanged: usize,
}

/// Why a change of the tree was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegionRefusal {
    /// No such region today.
    #[error("没有区划 {0}，或它已经撤销，请核对代码")]
    Unknown(RegionCode),
    /// It has this name already.
    #[error("这个区划已经叫“{0}”，不用改")]
    SameName(String),
    /// A name is missing or too long.
    #[error("区划名称应为 1 到 40 个字")]
    Name,
    /// What takes its place does not exist or is itself.
    #[error("接替的区划 {0} 不存在或已撤销，请先登记接替的区划")]
    Successor(RegionCode),
    /// The end lies before the beginning.
    #[error("生效日期 {0} 不晚于这个区划的设立或上次变更日期，请改为更晚的日期")]
    TooEarly(Day),
    /// There are regions below it.
    #[error("下面还有 {0} 个区划，请先处理它们")]
    HasChildren(usize),
}

impl Refusal for RegionRefusal {
    fn code(&self) -> &'static str {
        match self {
            RegionRefusal::Unknown(_) => "region_unknown",
            RegionRefusal::SameName(_) => "region_same_name",
            RegionRefusal::Name => "region_name",
            RegionRefusal::Successor(_) => "region_successor",
            RegionRefusal::TooEarly(_) => "region_too_early",
            RegionRefusal::HasChildren(_) => "region_has_children",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            RegionRefusal::Name => RefusalKind::Invalid,
            _ => RefusalKind::Conflict,
        }
    }
}

/// Codes that were there when a tree was first loaded hold since the national code list began (GB/T 2260, 1980): of
/// anything earlier nothing is known.
fn beginning() -> Day {
    jiff::civil::date(1980, 1, 1)
}

/// Setting under which the version of the tree stands: an id, so that no two contents ever share one.
const VERSION: &str = "regions_version";

/// The tree as this transaction sees it.
pub fn book(tx: &mut Tx<'_>) -> Result<Arc<RegionBook>, Fault> {
    let version = settings::version(tx, VERSION)?;
    if let Some(book) = tx.kept::<RegionBook>(version) {
        return Ok(book);
    }
    let book = Arc::new(RegionBook::new(sql::all(tx)?));
    tx.keep(version, Arc::clone(&book));
    Ok(book)
}

/// Takes the regions of a pack: new ones are added, other names hold from today; what the pack does not list stays.
/// Safe to run again.
///
/// # Errors
/// When the database fails.
pub fn load(tx: &mut Tx<'_>, rows: &[NewRegion], now: Now) -> Result<Loaded, Fault> {
    let known = book(tx)?;
    let first = known.is_empty();
    let mut loaded = Loaded::default();
    for row in rows {
        match known.at(row.code, now.day()) {
            Some(region) if region.name == row.name => loaded.unchanged += 1,
            Some(region) => {
                if region.from < now.day() {
                    sql::close(tx, row.code, now.day(), Some(row.code))?;
                }
                sql::insert(tx, row.code, now.day(), &row.name, row.code.parent())?;
                loaded.renamed += 1;
            }
            None => {
                let from = if first { beginning() } else { now.day() };
                sql::insert(tx, row.code, from, &row.name, row.code.parent())?;
                loaded.new += 1;
            }
        }
    }
    if loaded.new + loaded.renamed > 0 {
        changed(tx, now)?;
    }
    Ok(loaded)
}

/// Gives a region another name from a day on; the old name stays true for the days before.
pub fn rename(
    tx: &mut Tx<'_>,
    actor: &Actor,
    code: RegionCode,
    name: &str,
    from: Day,
    now: Now,
) -> Outcome<(), RegionRefusal> {
    let region = open(tx, actor, code, now)?;
    let name = domain::parties::text::compact(name);
    if !(1..=40).contains(&name.chars().count()) {
        return Err(No::Refused(RegionRefusal::Name));
    }
    if name == region.name {
        return Err(No::Refused(RegionRefusal::SameName(name)));
    }
    if sql::close(tx, code, from, Some(code))? == 0 {
        return Err(No::Refused(RegionRefusal::TooEarly(from)));
    }
    sql::insert(tx, code, from, &name, region.parent)?;
    changed(tx, now)?;
    let detail = serde_json::json!({ "from": region.name, "to": name, "since": from });
    Ok(tx.record(actor, now, Event::new("region.renamed", code.number(), code, detail))?)
}

/// Ends a region from a day on and says what took its place. A merger retires each of the old ones with the same
/// successor; a split loads the new ones first. Rows keep the code of their time.
pub fn retire(
    tx: &mut Tx<'_>,
    actor: &Actor,
    code: RegionCode,
    successor: RegionCode,
    to: Day,
    now: Now,
) -> Outcome<(), RegionRefusal> {
    let region = open(tx, actor, code, now)?;
    let book = book(tx)?;
    if successor == code || book.at(successor, now.day()).is_none() {
        return Err(No::Refused(RegionRefusal::Successor(successor)));
    }
    let below = book.children_of(code, now.day()).len();
    if below > 0 {
        return Err(No::Refused(RegionRefusal::HasChildren(below)));
    }
    if sql::close(tx, code, to, Some(successor))? == 0 {
        return Err(No::Refused(RegionRefusal::TooEarly(to)));
    }
    changed(tx, now)?;
    let detail = serde_json::json!({ "name": region.name, "until": to, "successor": successor });
    Ok(tx.record(actor, now, Event::new("region.retired", code.number(), code, detail))?)
}

fn open(tx: &mut Tx<'_>, actor: &Actor, code: RegionCode, now: Now) -> Outcome<Region, RegionRefusal> {
    actor.may(Act::Administer)?;
    let found = book(tx)?.at(code, now.day()).cloned();
    found.filter(|_| actor.sees(code)).ok_or(No::Refused(RegionRefusal::Unknown(code)))
}

fn changed(tx: &mut Tx<'_>, now: Now) -> Result<(), Fault> {
    let version = tx.id(now);
    settings::set_version(tx, VERSION, version)
}

impl Refusal for Unresolved {
    fn code(&self) -> &'static str {
        match self {
            Unresolved::Empty => "region_missing",
            Unresolved::Unknown { .. } => "region_unknown",
            Unresolved::Township { .. } => "region_is_township",
            Unresolved::Several { .. } => "region_ambiguous",
            Unresolved::TooHigh(_) => "region_too_high",
            Unresolved::Elsewhere(_) => "region_outside_range",
        }
    }

    fn kind(&self) -> RefusalKind {
        RefusalKind::Invalid
    }
}

/// A step down the tree, for a cascader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What lies above, from the province down to the parent.
    pub above: Vec<Region>,
    /// What one may choose among.
    pub items: Vec<Region>,
}

/// The regions below one (or the first choice there is), as far as they lie in the actor's range.
pub fn children(tx: &mut Tx<'_>, actor: &Actor, parent: Option<RegionCode>, now: Now) -> Answer<Step> {
    let book = book(tx)?;
    if let Some(parent) = parent
        && (actor.range.meet(parent.range()).is_none() || book.latest(parent).is_none())
    {
        return Err(No::NotFound);
    }
    Ok(book.step(actor.range, parent, now.day()))
}

/// The region somebody named, of any level, within the actor's range.
pub fn locate(tx: &mut Tx<'_>, actor: &Actor, written: &str, now: Now) -> Outcome<RegionCode, Unresolved> {
    book(tx)?.locate(written, actor.range, now.day()).map_err(No::Refused)
}

/// The village or community somebody named, within the actor's range.
pub fn locate_village(
    tx: &mut Tx<'_>,
    actor: &Actor,
    written: &str,
    now: Now,
) -> Outcome<RegionCode, Unresolved> {
    let named = Named { whole: written, ..Named::default() };
    book(tx)?.resolve(&named, actor.range, now.day()).map_err(No::Refused)
}

/// A region one may see, with what lies above it.
pub fn region(tx: &mut Tx<'_>, actor: &Actor, code: RegionCode) -> Answer<(Region, Vec<Region>)> {
    let book = book(tx)?;
    let found = book.latest(code).filter(|_| actor.range.meet(code.range()).is_some());
    let region = found.cloned().ok_or(No::NotFound)?;
    let mut above = book.line(code);
    above.pop();
    Ok((region, above))
}

/// Regions of the actor's range whose name or initials match, for a field with suggestions.
pub fn suggest(tx: &mut Tx<'_>, actor: &Actor, text: &str, limit: usize, now: Now) -> Answer<Vec<Region>> {
    let book = book(tx)?;
    Ok(book.suggest(text, actor.range, now.day(), limit.min(100)).into_iter().cloned().collect())
}
