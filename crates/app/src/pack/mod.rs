//! City packs: everything a city decides, read from the files of `cities/<place>/` into typed values.
//!
//! Reading is pure: texts in, a `Pack` or a list of troubles out, each with file, line and remedy in the words of the
//! official who keeps the file. All troubles of a pack are told at once. `install` writes a pack into the store and
//! never changes what an old day had. What the files mean is described in `cities/README.md`.

mod head;
mod install;
mod ladder;
mod programmes;
mod reader;
mod services;
mod sql;
#[cfg(test)]
mod tests;
mod watch;

use std::path::Path;

use domain::{
    money::Fen,
    programmes::{ServiceItem, rule::Rule},
    regions::{Level, RegionCode},
    signals::{silence::Terms, water::WaterRule},
    time::Day,
};
use rust_embed::RustEmbed;

pub use install::{Installed, PackRefusal, Place, install, place, versions};
use reader::Troubles;

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// The packs that come with the program.
#[derive(RustEmbed)]
#[folder = "../../cities/"]
struct Cities;

/// A city pack.
#[derive(Debug, Clone, PartialEq)]
pub struct Pack {
    /// Folder name.
    pub code: String,
    /// Name of the place.
    pub name: String,
    /// Title on the screens.
    pub platform_name: String,
    /// Regions it covers, with all below them.
    pub regions: Vec<RegionCode>,
    /// Minutes ahead of UTC.
    pub utc_offset_minutes: i64,
    /// Short number elders call.
    pub hotline: String,
    /// Longitude and latitude of the first view of the map.
    pub centre: [f64; 2],
    /// Who pays when a programme names nobody.
    pub funders: Vec<Funder>,
    /// What a visit to a closed door is paid, in fen, where the city has said so.
    pub nobody_home_fee_fen: Option<i64>,
    /// Published figures.
    pub figures: Vec<Figure>,
    /// The catalogue.
    pub services: Vec<Service>,
    /// Programmes, one for each validity.
    pub programmes: Vec<Programme>,
    /// Who is watched how closely.
    pub watch: Terms,
    /// What a water meter may say.
    pub water: WaterRule,
    /// How much a device may say, and how long it is kept.
    pub intake: crate::signals::intake::Terms,
    /// Who is reached for when nobody takes an incident.
    pub ladder: domain::signals::ladder::Terms,
    /// Regions of levels 1 to 3 that cover the pack or lie inside, with their names.
    pub areas: Vec<(RegionCode, String)>,
}

/// Who bears which share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Funder {
    /// `province`, `city` or `county`.
    pub code: String,
    /// Level of the region whose account pays.
    pub level: Level,
    /// Name of the kind of funder.
    pub name: String,
    /// Whole percents.
    pub share_percent: i64,
}

/// A published figure with its day and source.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Stable name; may occur with several days.
    pub code: String,
    /// Name on the screens.
    pub name: String,
    /// The number.
    pub value: f64,
    /// Of what.
    pub unit: String,
    /// The day it holds for.
    pub as_of: Day,
    /// Whether the source names the day or we took it from the publication.
    pub stated: bool,
    /// The source says "more than".
    pub at_least: bool,
    /// Anything else to know.
    pub note: String,
    /// Where it was published.
    pub source: String,
}

/// An item of the catalogue with its price band.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// One of five categories.
    pub category: String,
    /// The item.
    pub item: ServiceItem,
    /// Lowest price of municipal catalogues.
    pub price_low: Fen,
    /// Highest price of municipal catalogues.
    pub price_high: Fen,
}

/// What a right of a programme is counted in, as the files say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Money.
    Fen,
    /// Minutes of service.
    Minutes,
    /// Meals; the platform does not grant these yet.
    Meals,
}

/// A programme as it holds from a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programme {
    /// Stable code.
    pub code: String,
    /// Name on decisions.
    pub name: String,
    /// What its rights are counted in.
    pub counted: Counted,
    /// First day.
    pub valid_from: Day,
    /// Last day, if it is limited.
    pub valid_to: Option<Day>,
    /// The lower number pays first.
    pub pick_order: i64,
    /// Service items it may pay for.
    pub covers: Vec<String>,
    /// Who is entitled to how much.
    pub rule: Rule,
    /// `verified`, `floor` or `illustrative`.
    pub status: String,
    /// Where it comes from.
    pub source: String,
    /// Who pays.
    pub funders: Vec<Funder>,
    /// Where it begins in its file, for what is found out later.
    pub line: usize,
}

/// A trouble with a file, for the person who keeps it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file} 第 {line} 行：{say}")]
pub struct Trouble {
    /// File name.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub say: String,
}

/// Why a pack cannot be read: every trouble found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackFault(pub Vec<Trouble>);

impl std::fmt::Display for PackFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, trouble) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            trouble.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for PackFault {}

/// The texts of a pack.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    /// `pack.toml`
    pub pack: String,
    /// `services.csv`
    pub services: String,
    /// `programmes.toml`
    pub programmes: String,
    /// `ladder.toml`; empty for the terms that hold everywhere
    pub ladder: String,
    /// `regions.csv`, shared by all packs
    pub regions: String,
}

/// Names of the packs that come with the program.
pub fn embedded() -> Vec<String> {
    let mut names: Vec<String> =
        Cities::iter().filter_map(|path| path.strip_suffix("/pack.toml").map(str::to_owned)).collect();
    names.sort();
    names
}

/// The shared region list that comes with the program.
pub fn embedded_regions() -> String {
    embedded_text("regions.csv").unwrap_or_default()
}

fn embedded_text(path: &str) -> Option<String> {
    Cities::get(path).map(|file| String::from_utf8_lossy(&file.data).into_owned())
}

impl Pack {
    /// A pack that comes with the program, by its name, or one of a folder, by its path.
    ///
    /// # Errors
    /// All troubles of its files.
    pub fn load(name_or_path: &str) -> Result<Pack, PackFault> {
        if embedded().iter().any(|name| name == name_or_path) {
            let text = |file: &str| embedded_text(&format!("{name_or_path}/{file}")).unwrap_or_default();
            return Pack::read(&Texts {
                pack: text("pack.toml"),
                services: text("services.csv"),
                programmes: text("programmes.toml"),
                ladder: text(ladder::FILE),
                regions: embedded_regions(),
            });
        }
        Pack::of_folder(Path::new(name_or_path))
    }

    fn of_folder(folder: &Path) -> Result<Pack, PackFault> {
        let mut troubles = Vec::new();
        let mut text = |file: &str| {
            std::fs::read_to_string(folder.join(file)).unwrap_or_else(|error| {
                let say = format!(
                    "在 {} 里读不到这个文件（{error}）。内置的城市包有：{}；自己的城市包请给出文件夹路径，文件存为 UTF-8",
                    folder.display(),
                    embedded().join("、")
                );
                troubles.push(Trouble { file: file.to_owned(), line: 1, say });
                String::new()
            })
        };
        let mut texts = Texts {
            pack: text("pack.toml"),
            services: text("services.csv"),
            programmes: text("programmes.toml"),
            ladder: std::fs::read_to_string(folder.join(ladder::FILE)).unwrap_or_default(),
            regions: String::new(),
        };
        if !troubles.is_empty() {
            return Err(PackFault(troubles));
        }
        // A city that is not in our list brings its own beside its folder or in it.
        texts.regions = std::fs::read_to_string(folder.join("regions.csv"))
            .or_else(|_| std::fs::read_to_string(folder.join("../regions.csv")))
            .unwrap_or_else(|_| embedded_regions());
        Pack::read(&texts)
    }

    /// Reads a pack from its texts.
    ///
    /// # Errors
    /// All troubles of its files.
    pub fn read(texts: &Texts) -> Result<Pack, PackFault> {
        let found = Troubles::default();
        let mut pack = head::read(&texts.pack, &found);
        pack.areas = head::areas(&texts.regions, &pack.regions, &found);
        pack.services = services::read(&texts.services, &found);
        pack.ladder = ladder::read(&texts.ladder, &found);
        pack.programmes = programmes::read(&texts.programmes, &pack, &found);
        let troubles = found.into_sorted();
        if troubles.is_empty() { Ok(pack) } else { Err(PackFault(troubles)) }
    }

    /// The name of a region of levels 1 to 3.
    pub fn area_name(&self, region: RegionCode) -> Option<&str> {
        self.areas.iter().find(|(code, _)| *code == region).map(|(_, name)| name.as_str())
    }
}
