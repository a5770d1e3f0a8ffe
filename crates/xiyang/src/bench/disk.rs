//! How long the disk takes to make something durable: the floor below which no acknowledged write can go.

use std::{
    fs::OpenOptions,
    os::unix::fs::FileExt as _,
    path::Path,
    time::{Duration, Instant},
};

use super::report::percentile;

/// Milliseconds of one sync of a 4 KiB write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sync {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) per_s: f64,
}

/// Writes over a file that has its size already, as a database writes over its log, one block after the other.
pub(super) fn sync(folder: &Path, lasts: Duration) -> std::io::Result<Sync> {
    const BLOCK: usize = 4096;
    const BLOCKS: u64 = 1024;
    let path = folder.join("sync");
    let file = OpenOptions::new().create(true).write(true).truncate(true).open(&path)?;
    let block = [0x5a; BLOCK];
    for n in 0..BLOCKS {
        file.write_all_at(&block, n * BLOCK as u64)?;
    }
    file.sync_all()?;
    let (began, mut micros) = (Instant::now(), Vec::new());
    while began.elapsed() < lasts {
        let at = micros.len() as u64 % BLOCKS * BLOCK as u64;
        let asked = Instant::now();
        file.write_all_at(&block, at)?;
        file.sync_data()?;
        micros.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    let per_s = micros.len() as f64 / began.elapsed().as_secs_f64();
    std::fs::remove_file(&path)?;
    let p50_ms = percentile(&mut micros, 0.5) / 1000.0;
    Ok(Sync { p50_ms, p99_ms: percentile(&mut micros, 0.99) / 1000.0, per_s })
}
