//! Disk space kept for alarms: a file of zeros beside the database that is given up when the disk is full.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

/// Room for some ten thousand incidents and what operators do about them; on a small disk a quarter of what a test's
/// has.
const BYTES: u64 = 32 * 1024 * 1024;
const PIECE: usize = 1024 * 1024;

/// The file.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    bytes: u64,
}

impl Reserve {
    /// In a data folder.
    pub(super) fn new(folder: &Path, bytes: Option<u64>) -> Reserve {
        Reserve { path: folder.join("reserve"), bytes: bytes.unwrap_or(BYTES) }
    }

    /// Takes the space, unless it is taken; false when there is none.
    pub(super) fn hold(&self) -> bool {
        if std::fs::metadata(&self.path).is_ok_and(|m| m.len() >= self.bytes) {
            return true;
        }
        let held = self.fill();
        if held.is_err() {
            self.give_up();
        }
        held.is_ok()
    }

    fn fill(&self) -> std::io::Result<()> {
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).open(&self.path)?;
        let zeros = vec![0; PIECE];
        for _ in 0..self.bytes.div_ceil(PIECE as u64) {
            file.write_all(&zeros)?;
        }
        File::sync_all(&file)
    }

    /// Gives the space back; true when there was some.
    pub(super) fn give_up(&self) -> bool {
        std::fs::remove_file(&self.path).is_ok()
    }
}
