//! A folder to measure in.

use std::path::{Path, PathBuf};

use crate::complaint::Complaint;

/// Where benches measure unless told otherwise: on a disk, which `/tmp` may not be.
pub(super) const USUAL: &str = "/var/tmp";

/// A folder that is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    /// A new one below this folder, on the disk it lies on.
    pub(super) fn below(folder: &Path) -> Result<Scratch, Complaint> {
        let scratch = Scratch(folder.join(format!("xiyang-bench-{}", std::process::id())));
        std::fs::create_dir_all(&scratch.0).map_err(|e| Complaint::file(&scratch.0, &e))?;
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
