//! Stores for tests, on both databases.
//!
//! A test says `on_both(|store| …)` and is run twice: on SQLite in a temporary folder, on PostgreSQL in a database of
//! its own. Where PostgreSQL is not installed a sentence says so and only SQLite is tried; with `CI` set that is an
//! error, so that nobody believes in tests that were not run.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use app::store::{IdSource, Place, Store, Vault};

use crate::cluster::{self, ClusterFault};

/// The master key of every test installation.
pub const MASTER_KEY: [u8; 32] = [7; 32];

/// A folder that is gone when this is dropped.
#[derive(Debug)]
pub struct TempFolder(PathBuf);

impl TempFolder {
    /// Makes an empty folder.
    ///
    /// # Panics
    /// When the temporary folder of the machine cannot be written.
    pub fn new() -> TempFolder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let name = format!("xiyang-test-{}-{}-{n}", std::process::id(), since.as_nanos());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("the temporary folder can be written");
        TempFolder(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Default for TempFolder {
    fn default() -> Self {
        TempFolder::new()
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An open store with the place it lies in, for tests that reach around it.
#[derive(Debug)]
pub struct Bed {
    // The order is the order of dropping: the store lets go before its database is taken away.
    /// The store.
    pub store: Store,
    /// Where its data lies.
    pub place: Place,
    _database: Option<cluster::Database>,
    folder: TempFolder,
}

impl Bed {
    /// A new store on SQLite.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub fn sqlite() -> Bed {
        let folder = TempFolder::new();
        let place = Place::Folder(folder.path().to_owned());
        Bed { store: open(&place), place, _database: None, folder }
    }

    /// A new store on PostgreSQL; `None` where that is not installed and need not be.
    ///
    /// # Panics
    /// When it cannot be opened, and when it is not installed although `CI` is set.
    #[expect(clippy::print_stderr, reason = "whoever runs the tests must see that half of them were not run")]
    pub fn postgres() -> Option<Bed> {
        let database = match cluster::database() {
            Ok(database) => database,
            Err(ClusterFault::NotInstalled) if std::env::var_os("CI").is_none() => {
                eprintln!("skipped on PostgreSQL: {}", ClusterFault::NotInstalled);
                return None;
            }
            Err(fault) => panic!("{fault}"),
        };
        let place = Place::Postgres(database.url());
        Some(Bed { store: open(&place), place, _database: Some(database), folder: TempFolder::new() })
    }

    /// A folder beside the database, for keys and seals.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Opens a store as every test does.
///
/// # Panics
/// When it cannot be opened.
pub fn open(place: &Place) -> Store {
    match Store::open(place, Vault::new(&MASTER_KEY), IdSource::new(1)) {
        Ok(store) => store,
        Err(fault) => panic!("{place:?}: {fault}"),
    }
}

/// Runs a test on a new store of each database.
///
/// # Panics
/// When the test does; it says on which database.
pub fn on_both(test: impl Fn(Store)) {
    on_both_beds(|bed| test(bed.store.clone()));
}

/// Runs a test on a new store of each database, with the place it lies in.
///
/// # Panics
/// When the test does; it says on which database.
#[expect(clippy::print_stderr, reason = "a failed test must say on which database it failed")]
pub fn on_both_beds(test: impl Fn(&Bed)) {
    for make in [|| Some(Bed::sqlite()), Bed::postgres] {
        let Some(bed) = make() else { continue };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| test(&bed))) {
            eprintln!("failed on {:?}", bed.store.dialect());
            resume_unwind(panic);
        }
    }
}
