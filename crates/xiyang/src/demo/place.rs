//! Where a demo city lies, and whether it is complete.
//!
//! A note beside the data says what city it is. INVARIANT: only a folder with such a note is ever cleared, so a demo can
//! never destroy the data of a real installation.

use std::path::{Path, PathBuf};

use domain::time::Day;
use serde::{Deserialize, Serialize};

use crate::{
    complaint::Complaint,
    folder::{self, Hold},
};

const NOTE: &str = "demo.json";

/// Changes whenever the way a city is written changes so much that an older one no longer fits.
const FORMAT: u32 = 3;

/// What city a folder holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    format: u32,
    /// Folder name of the city pack.
    pub pack: String,
    /// Head count.
    pub people: u32,
    /// Seed of the city.
    pub seed: u64,
    /// The day the city was made: with the seed it decides who was born when.
    pub day: Day,
    complete: bool,
}

impl Note {
    /// A city that is yet to be made.
    pub fn new(pack: &str, people: u32, seed: u64, day: Day) -> Note {
        Note { format: FORMAT, pack: pack.to_owned(), people, seed, day, complete: false }
    }

    fn same_city(&self, other: &Note) -> bool {
        (&self.pack, self.people, self.seed) == (&other.pack, other.people, other.seed)
    }
}

/// A folder that is held for a demo.
pub struct DemoFolder {
    /// Where.
    pub path: PathBuf,
    /// What city.
    pub note: Note,
    /// Whether it can be used as it is; otherwise it is empty now.
    pub complete: bool,
    /// Keeps other programs away.
    pub hold: Hold,
}

/// Takes hold of the folder for a city: a complete one is used again, a half-made one is cleared.
pub fn prepare(path: Option<PathBuf>, wanted: Note) -> Result<DemoFolder, Complaint> {
    let path = path.unwrap_or_else(|| usual(&wanted));
    let hold = folder::hold(&path)?;
    let found = read(&path)?;
    if found.is_none() && path.join("xiyang.db").exists() {
        let shown = path.display();
        return Err(Complaint::new(
            format!("{shown} 里有不属于演示的数据，不会覆盖。请为演示换一个 --data"),
            format!("{shown} holds data that is no demo and is left alone; choose another --data"),
        ));
    }
    match found {
        Some(note) if note.complete && note.format == FORMAT && !note.same_city(&wanted) => {
            let city = format!("{} {} {}", note.pack, note.people, note.seed);
            Err(Complaint::new(
                format!("{} 里是另一座演示城市（{city}）。请换一个 --data，或先删除该目录", path.display()),
                format!(
                    "{} holds another demo city ({city}); choose another --data or delete it",
                    path.display()
                ),
            ))
        }
        Some(note) if note.complete && note.format == FORMAT => {
            Ok(DemoFolder { path, note, complete: true, hold })
        }
        _ => {
            clear(&path)?;
            write(&path, &wanted)?;
            Ok(DemoFolder { path, note: wanted, complete: false, hold })
        }
    }
}

impl DemoFolder {
    /// Notes that the city is made.
    pub fn completed(path: &Path, note: &Note) -> Result<(), Complaint> {
        write(path, &Note { complete: true, ..note.clone() })
    }
}

/// What city a folder holds, when it is complete and of this version.
pub fn complete_in(path: &Path) -> Result<Option<Note>, Complaint> {
    Ok(read(path)?.filter(|note| note.complete && note.format == FORMAT))
}

/// A folder of its own for each city, where programs keep their data.
fn usual(note: &Note) -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = set("XDG_DATA_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local/share")))
        .unwrap_or_else(std::env::temp_dir);
    base.join("xiyang").join(format!("demo-{}-{}-{}", note.pack, note.people, note.seed))
}

fn read(path: &Path) -> Result<Option<Note>, Complaint> {
    let file = path.join(NOTE);
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok(Some(serde_json::from_str(&text).unwrap_or_else(|_| unreadable()))),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Complaint::file(&file, &e)),
    }
}

/// A note cut off by a full disk or written by another version still says that this is a demo.
fn unreadable() -> Note {
    Note { format: 0, pack: String::new(), people: 0, seed: 0, day: Day::ZERO, complete: false }
}

fn write(path: &Path, note: &Note) -> Result<(), Complaint> {
    let file = path.join(NOTE);
    let text = serde_json::to_string_pretty(note).expect("a note is plain data");
    std::fs::write(&file, text).map_err(|e| Complaint::file(&file, &e))
}

fn clear(path: &Path) -> Result<(), Complaint> {
    let gone = |e: std::io::Error| if e.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(e) };
    let remove = || -> std::io::Result<()> {
        for name in ["xiyang.db", "xiyang.db-wal", "xiyang.db-shm"] {
            std::fs::remove_file(path.join(name)).or_else(gone)?;
        }
        std::fs::remove_dir_all(path.join("keys")).or_else(gone)
    };
    remove().map_err(|e| Complaint::file(path, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("xiyang-place-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn note(people: u32) -> Note {
        Note::new("kaifeng", people, 7, "2026-11-21".parse().unwrap())
    }

    #[test]
    fn a_half_made_city_is_cleared_and_a_complete_one_kept_with_its_day() {
        let path = folder("half");
        drop(prepare(Some(path.clone()), note(500)).unwrap());
        std::fs::write(path.join("xiyang.db"), "half").unwrap();
        let again = prepare(Some(path.clone()), note(500)).unwrap();
        assert!(!again.complete && !path.join("xiyang.db").exists());
        drop(again);

        std::fs::write(path.join("xiyang.db"), "whole").unwrap();
        DemoFolder::completed(&path, &note(500)).unwrap();
        let later = Note { day: "2026-11-23".parse().unwrap(), ..note(500) };
        let kept = prepare(Some(path.clone()), later).unwrap();
        assert!(kept.complete && path.join("xiyang.db").exists());
        assert_eq!(kept.note.day, note(500).day);
        drop(kept);

        let other = prepare(Some(path.clone()), note(600)).err().unwrap().to_string();
        assert!(other.contains("另一座演示城市") && path.join("xiyang.db").exists(), "{other}");
        std::fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn data_that_is_no_demo_is_left_alone() {
        let path = folder("real");
        std::fs::write(path.join("xiyang.db"), "real").unwrap();
        assert!(prepare(Some(path.clone()), note(500)).is_err());
        assert_eq!(std::fs::read_to_string(path.join("xiyang.db")).unwrap(), "real");
        std::fs::remove_dir_all(&path).unwrap();
    }
}
