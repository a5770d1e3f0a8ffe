//! Writes a pack into the store, as often as one likes.
//!
//! INVARIANT: what held on a day that has passed still holds for it afterwards. A changed item of the catalogue gets a
//! new version from tomorrow; a changed programme needs a new block with a day to come, and a change of a block that
//! has begun is refused.

use std::collections::HashSet;

use domain::{
    access::{Actor, Role},
    ids::AccountId,
    ledger::AccountKind,
    programmes::Asset,
    refusal::{Refusal, RefusalKind},
    regions::{Level, RegionCode, RegionRange},
    time::{Day, Now},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Counted, Pack, Programme, Service, sql};
use crate::{
    evidence::Event,
    ledger::{self, NewAccount},
    outcome::{No, Outcome},
    programmes, settings,
    signals::{incidents, intake, meters, silences},
    store::{Fault, Tx},
};

/// Setting that holds the place.
const PLACE: &str = "pack";
/// Setting that holds the published figures.
const FIGURES: &str = "pack_figures";

/// What an installation did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installed {
    /// New versions of catalogue items.
    pub items: usize,
    /// Catalogue items that end tomorrow.
    pub items_ended: usize,
    /// New versions of programmes.
    pub programmes: usize,
    /// Programmes that are read but not granted, with the reason.
    pub left_out: Vec<String>,
}

/// Why a pack was not installed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackRefusal {
    /// A rule that has begun was changed.
    #[error(
        "programmes.toml 第 {line} 行：项目 {code} 自 {from} 的规定已经生效，不能改动。请恢复原样，另起一段并把 valid_from 写成今天以后的日子"
    )]
    Begun {
        /// Of which programme.
        code: String,
        /// From when.
        from: Day,
        /// Where it stands.
        line: usize,
    },
    /// A new rule begins in the past.
    #[error(
        "programmes.toml 第 {line} 行：项目 {code} 的新规定从 {from} 开始，但以前的月份已按旧规定办理，请把 valid_from 写成今天以后的日子"
    )]
    Backdated {
        /// Of which programme.
        code: String,
        /// From when.
        from: Day,
        /// Where it stands.
        line: usize,
    },
    /// The store holds another place.
    #[error("这个平台已经装了“{installed}”的城市包，不能再装“{wanted}”的；另一个城市请用另一个数据目录")]
    OtherPlace {
        /// What is there.
        installed: String,
        /// What was asked.
        wanted: String,
    },
}

impl Refusal for PackRefusal {
    fn code(&self) -> &'static str {
        match self {
            PackRefusal::Begun { .. } => "programme_has_begun",
            PackRefusal::Backdated { .. } => "programme_backdated",
            PackRefusal::OtherPlace { .. } => "other_place_installed",
        }
    }

    fn kind(&self) -> RefusalKind {
        RefusalKind::Conflict
    }
}

/// The installed place, as pages and programs need it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Folder name of the pack.
    pub code: String,
    /// Name of the place.
    pub name: String,
    /// Title on the screens.
    pub platform_name: String,
    /// Short number elders call.
    pub hotline: String,
    /// Longitude and latitude of the first view of the map.
    pub centre: [f64; 2],
    /// Regions it covers.
    pub regions: Vec<RegionCode>,
    /// What a visit to a closed door is paid, in fen; nothing is paid where the city has not said.
    #[serde(default)]
    pub nobody_home_fee_fen: Option<i64>,
}

/// The installed place, if a pack was installed.
pub fn place(tx: &mut Tx<'_>) -> Result<Option<Place>, Fault> {
    settings::find(tx, PLACE)?.map(|text| Ok(serde_json::from_str(&text)?)).transpose()
}

/// Every version of a catalogue item, with its first day and the day after its last.
pub fn versions(tx: &mut Tx<'_>, code: &str) -> Result<Vec<(Service, Day, Option<Day>)>, Fault> {
    sql::versions(tx, code)
}

/// Code and first day of a version of a programme.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Version {
    pub code: String,
    pub from: Day,
}

/// A version as the table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProgrammeRow {
    pub version: Version,
    /// The day after the last.
    pub to: Option<Day>,
    pub name: String,
    pub asset: String,
    pub pick_order: i64,
    pub covers: String,
    pub rule: String,
    pub status: String,
    pub source: String,
    /// Code, level and weight of each funder, by code.
    pub funders: Vec<(String, i64, i64)>,
}

impl ProgrammeRow {
    /// Whether both decide the same; what only describes may differ.
    fn decides_like(&self, other: &ProgrammeRow) -> bool {
        let bare = |row: &ProgrammeRow| ProgrammeRow {
            to: None,
            status: String::new(),
            source: String::new(),
            ..row.clone()
        };
        bare(self) == bare(other)
    }
}

/// Installs a pack: catalogue, programmes, funders with their ledger accounts, settings. Safe to repeat.
///
/// # Errors
/// When it would change what an old day had, or another place is installed.
pub fn install(tx: &mut Tx<'_>, pack: &Pack, now: Now) -> Outcome<Installed, PackRefusal> {
    if let Some(there) = place(tx)?
        && there.code != pack.code
    {
        return Err(No::Refused(PackRefusal::OtherPlace {
            installed: there.name,
            wanted: pack.name.clone(),
        }));
    }
    let mut done = Installed::default();
    install_items(tx, pack, now, &mut done)?;
    install_programmes(tx, pack, now, &mut done)?;
    open_accounts(tx, pack, now)?;
    install_settings(tx, pack)?;
    silences::set_terms(tx, &pack.watch)?;
    meters::set_rule(tx, &pack.water)?;
    intake::set_terms(tx, &pack.intake)?;
    let version = tx.id(now);
    programmes::changed(tx, version)?;
    if done.items + done.items_ended + done.programmes > 0 {
        let detail = json!({
            "pack": pack.code, "items": done.items, "items_ended": done.items_ended, "programmes": done.programmes,
        });
        let region = pack.regions.first().copied().ok_or_else(|| Fault::other("a pack has a region"))?;
        tx.record(&installer(), now, Event::new("pack.installed", 0, region, detail))?;
    }
    Ok(done)
}

/// Installing happens at the machine, before anybody has an account.
fn installer() -> Actor {
    Actor {
        account: AccountId(0),
        name: "安装".to_owned(),
        role: Role::Administrator,
        range: RegionRange::ALL,
        provider: None,
        carer: None,
    }
}

fn tomorrow(now: Now) -> Day {
    now.day().tomorrow().expect("years stay far below the calendar's end")
}

fn install_items(tx: &mut Tx<'_>, pack: &Pack, now: Now, done: &mut Installed) -> Result<(), Fault> {
    // The first catalogue holds since the first programme, so that orders of earlier days can be imported.
    let first_day = pack.programmes.iter().map(|p| p.valid_from).min().unwrap_or(now.day()).min(now.day());
    let from = if sql::has_items(tx)? { tomorrow(now) } else { first_day };
    let there = sql::open_items(tx)?;
    for service in &pack.services {
        let old = there.iter().find(|(_, old)| old.item.code == service.item.code);
        if old.is_some_and(|(_, old)| old == service) {
            continue;
        }
        if let Some((began, _)) = old {
            end_item(tx, &service.item.code, *began, from)?;
        }
        sql::insert_item(tx, from, service)?;
        done.items += 1;
    }
    let kept: HashSet<&str> = pack.services.iter().map(|s: &Service| s.item.code.as_str()).collect();
    for (began, old) in there.iter().filter(|(_, old)| !kept.contains(old.item.code.as_str())) {
        end_item(tx, &old.item.code, *began, from)?;
        done.items_ended += 1;
    }
    Ok(())
}

/// Ends a version; one that has not begun never was.
fn end_item(tx: &mut Tx<'_>, code: &str, began: Day, to: Day) -> Result<(), Fault> {
    if began >= to { sql::drop_item(tx, code, began) } else { sql::end_item(tx, code, began, to) }
}

fn install_programmes(
    tx: &mut Tx<'_>,
    pack: &Pack,
    now: Now,
    done: &mut Installed,
) -> Outcome<(), PackRefusal> {
    let (today, tomorrow) = (now.day(), tomorrow(now));
    let there = sql::programmes(tx)?;
    refuse_backdated(&there, pack, today)?;
    let mut kept = HashSet::new();
    for one in &pack.programmes {
        let Some(row) = row(one, pack)? else {
            done.left_out.push(format!("{}：按餐次计的权益尚不能发放", one.name));
            continue;
        };
        kept.insert(row.version.clone());
        let begun = one.valid_from <= today;
        match there.iter().find(|old| old.version == row.version) {
            Some(old) if old.decides_like(&row) => {
                describe(tx, old, &row, one, today)?;
                continue;
            }
            Some(_) if begun => {
                let Version { code, from } = row.version;
                return Err(No::Refused(PackRefusal::Begun { code, from, line: one.line }));
            }
            Some(old) => sql::drop_programme(tx, &old.version)?,
            None => {}
        }
        sql::insert_programme(tx, &row, &one.funders)?;
        done.programmes += 1;
    }
    for old in there.iter().filter(|old| !kept.contains(&old.version)) {
        if old.version.from > today {
            sql::drop_programme(tx, &old.version)?;
        } else if old.to.is_none_or(|to| to > tomorrow) {
            sql::end_programme(tx, &old.version, Some(tomorrow))?;
        }
    }
    Ok(())
}

/// A version nobody knew of may not begin on a day that has passed, unless the whole programme is new.
fn refuse_backdated(there: &[ProgrammeRow], pack: &Pack, today: Day) -> Outcome<(), PackRefusal> {
    let known = |one: &&Programme| there.iter().any(|old| old.version.code == one.code);
    let late = |one: &&Programme| {
        let same = |old: &ProgrammeRow| old.version.code == one.code && old.version.from == one.valid_from;
        one.valid_from <= today && !there.iter().any(same)
    };
    match pack.programmes.iter().filter(known).find(late) {
        Some(one) => {
            let (code, from) = (one.code.clone(), one.valid_from);
            Err(No::Refused(PackRefusal::Backdated { code, from, line: one.line }))
        }
        None => Ok(()),
    }
}

/// Brings the end and the description of an unchanged rule up to date; an end in the past stays as it is.
fn describe(
    tx: &mut Tx<'_>,
    old: &ProgrammeRow,
    row: &ProgrammeRow,
    one: &Programme,
    today: Day,
) -> Outcome<(), PackRefusal> {
    if old.to != row.to {
        let still_open = |to: Option<Day>| to.is_none_or(|to| to > today);
        if !still_open(old.to) || !still_open(row.to) {
            let Version { code, from } = row.version.clone();
            return Err(No::Refused(PackRefusal::Begun { code, from, line: one.line }));
        }
        sql::end_programme(tx, &row.version, row.to)?;
    }
    if (&old.status, &old.source) != (&row.status, &row.source) {
        sql::describe_programme(tx, row)?;
    }
    Ok(())
}

/// The row of a version; none for what is not granted.
fn row(one: &Programme, pack: &Pack) -> Result<Option<ProgrammeRow>, Fault> {
    let asset = match one.counted {
        Counted::Fen => Asset::Fen,
        Counted::Minutes => Asset::Minutes,
        Counted::Meals => return Ok(None),
    };
    let after = one.valid_to.and_then(|day| day.tomorrow().ok());
    let next = pack
        .programmes
        .iter()
        .filter(|other| other.code == one.code && other.valid_from > one.valid_from)
        .map(|other| other.valid_from)
        .min();
    let mut funders: Vec<(String, i64, i64)> =
        one.funders.iter().map(|f| (f.code.clone(), f.level.number(), f.share_percent)).collect();
    funders.sort();
    Ok(Some(ProgrammeRow {
        version: Version { code: one.code.clone(), from: one.valid_from },
        to: [after, next].into_iter().flatten().min(),
        name: one.name.clone(),
        asset: asset.code().to_owned(),
        pick_order: one.pick_order,
        covers: one.covers.join(","),
        rule: serde_json::to_string(&one.rule)?,
        status: one.status.clone(),
        source: one.source.clone(),
        funders,
    }))
}

/// Each funder has an account in each region of its level, because a county pays for its own elders.
fn open_accounts(tx: &mut Tx<'_>, pack: &Pack, now: Now) -> Result<(), Fault> {
    let counties: Vec<RegionCode> =
        pack.areas.iter().map(|(code, _)| *code).filter(|code| code.level() == Level::County).collect();
    let mut funders: Vec<(&str, Level)> = pack
        .funders
        .iter()
        .chain(pack.programmes.iter().flat_map(|p| &p.funders))
        .map(|f| (f.code.as_str(), f.level))
        .collect();
    funders.sort();
    funders.dedup();
    for (code, level) in funders {
        let mut payers: Vec<RegionCode> = counties.iter().map(|county| county.within(level)).collect();
        payers.dedup();
        for region in payers {
            let area = pack.area_name(region).map_or_else(|| region.to_string(), str::to_owned);
            let new = NewAccount {
                kind: AccountKind::Funder,
                owner: region.number(),
                code: code.to_owned(),
                asset: Asset::Fen,
                region,
                name: format!("{area}财政"),
                guarded: false,
            };
            ledger::open_account(tx, &new, now)?;
        }
    }
    Ok(())
}

fn install_settings(tx: &mut Tx<'_>, pack: &Pack) -> Result<(), Fault> {
    let place = Place {
        code: pack.code.clone(),
        name: pack.name.clone(),
        platform_name: pack.platform_name.clone(),
        hotline: pack.hotline.clone(),
        centre: pack.centre,
        regions: pack.regions.clone(),
        nobody_home_fee_fen: pack.nobody_home_fee_fen,
    };
    incidents::set_terms(tx, &pack.ladder)?;
    settings::set(tx, PLACE, &serde_json::to_string(&place)?)?;
    let figures: Vec<_> = pack
        .figures
        .iter()
        .map(|f| {
            json!({
                "code": f.code, "name": f.name, "value": f.value, "unit": f.unit, "as_of": f.as_of.to_string(),
                "stated": f.stated, "at_least": f.at_least, "note": f.note, "source": f.source,
            })
        })
        .collect();
    settings::set(tx, FIGURES, &serde_json::to_string(&figures)?)
}
