//! SQLite: one writer that commits in groups (see `writer`), a pool of readers, a thread that checkpoints.

mod statements;
mod writer;

use std::{
    fs::File,
    mem::ManuallyDrop,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::Duration,
};

use refinery::Migration;
use rusqlite::{Connection, config::DbConfig};

use super::{
    Fault, FaultKind, Job, Shared,
    dialect::{self, Dialect},
    tx::Tx,
};
use statements::Statements;
use writer::{First, Message, Writer};

/// Readers at once; more than the cores, because a page's questions are short.
const READERS: usize = 4;
/// Bytes of the file each connection looks at without copying. Every reader counts them as its own, so all of them
/// together must stay far below the memory of a small server however long it runs.
const MAPPED: i64 = 512 * 1024 * 1024;
/// Pages the writer keeps, in KiB as SQLite wants it. Few: whenever a b-tree is balanced (every commit, under load) SQLite
/// goes through all pages it keeps at the end of the commit, and what it does not keep comes from the system's memory.
const WRITER_CACHE: i64 = -16_384;
/// How long a statement waits for another process.
const BUSY: Duration = Duration::from_secs(20);
/// How often the log is copied back while there is something new in it. A quarter of a second of devices at full speed
/// is some twenty megabytes: what is copied more seldom keeps the disk from the commits when it is.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(250);
/// Write-ahead log pages after which a new log is begun.
const RESTART_PAGES: i64 = 32_000;
/// So few pages left to copy that the writer may do it: two megabytes, some milliseconds with both syncs.
const LAST_STEP_PAGES: i64 = 512;
/// Pages after which the writer is asked however much is left. Devices at full speed fill as many in two seconds, and
/// what six steps leave of that takes it some ten milliseconds.
const LONG_PAGES: i64 = 64_000;
/// How often in a row the checkpointer tries to come so near to the end of a log that grows meanwhile.
const STEPS_MAX: u32 = 6;
/// How long the writer waits for readers of the old log to end before it goes on with it.
const READERS_END: Duration = Duration::from_millis(10);

pub(super) struct Lite {
    writes: mpsc::Sender<Message>,
    first: Arc<First>,
    reads: Option<mpsc::Sender<Job>>,
    stop: Option<mpsc::Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Lite {
    pub(super) fn open(folder: &Path, shared: &Arc<Shared>) -> Result<Lite, Fault> {
        std::fs::create_dir_all(folder)
            .map_err(|e| Fault::from(e).at(format!("data folder {}", folder.display())))?;
        let file = folder.join("xiyang.db");
        let mut writer = connect(&file)?;
        migrate(&mut writer)?;
        writer.pragma_update(None, "wal_autocheckpoint", 0)?;
        writer.pragma_update(None, "synchronous", "normal")?;
        // With a map of the file every page is looked for in the log first, even one the writer itself keeps in memory.
        writer.pragma_update(None, "mmap_size", 0)?;
        writer.pragma_update(None, "cache_size", WRITER_CACHE)?;

        let (writes, inbox) = mpsc::channel();
        let (to_disk, committed) = mpsc::channel();
        let (reads, read_jobs) = mpsc::channel();
        let (stop, stopped) = mpsc::channel();
        let mut threads = Vec::new();
        let log = Arc::new(Log::of(&file)?);
        let wal = File::open(&log.file).map_err(|e| Fault::from(e).at(log.file.display().to_string()))?;
        let first = Arc::new(First::default());
        let lane = Arc::clone(&first);
        let (mine, his) = (Arc::clone(shared), Arc::clone(&log));
        threads.push(spawn("store-writer", move || {
            Writer::new(&writer, inbox, lane, to_disk).run(&mine, &his);
        })?);
        let (mine, back) = (Arc::clone(shared), writes.clone());
        threads.push(spawn("store-sync", move || writer::sync(&wal, &committed, &back, &mine))?);
        let read_jobs = Arc::new(Mutex::new(read_jobs));
        for n in 0..READERS {
            let reader = connect(&file)?;
            reader.pragma_update(None, "query_only", 1)?;
            let (jobs, mine) = (Arc::clone(&read_jobs), Arc::clone(shared));
            threads.push(spawn(&format!("store-reader-{n}"), move || read_jobs_of(&reader, &jobs, &mine))?);
        }
        let checkpointer = connect(&file)?;
        threads.push(spawn("store-checkpoint", move || log.checkpoint(&checkpointer, &stopped))?);
        Ok(Lite { writes, first, reads: Some(reads), stop: Some(stop), threads })
    }

    pub(super) fn write(&self, job: Job) {
        if let Err(mpsc::SendError(Message::Job(job))) = self.writes.send(Message::Job(job)) {
            job.finish(Err(Fault::other("the store has stopped")));
        }
    }

    /// Into the lane that is looked at before every other command.
    pub(super) fn write_first(&self, job: Job) {
        self.first.push(job);
        if self.writes.send(Message::First).is_err() {
            for job in self.first.all() {
                job.finish(Err(Fault::other("the store has stopped")));
            }
        }
    }

    pub(super) fn read(&self, job: Job) {
        if let Some(Err(mpsc::SendError(job))) = self.reads.as_ref().map(|to| to.send(job)) {
            job.finish(Err(Fault::other("the store has stopped")));
        }
    }
}

impl Drop for Lite {
    fn drop(&mut self) {
        let _ = self.writes.send(Message::Stop);
        self.reads = None;
        self.stop = None;
        // The last clone may be dropped by what a command's answer set off, on one of these threads, which cannot wait
        // for its own end.
        let here = std::thread::current().id();
        if self.threads.iter().all(|thread| thread.thread().id() != here) {
            for thread in self.threads.drain(..) {
                let _ = thread.join();
            }
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Fault> {
    Ok(std::thread::Builder::new().name(name.to_owned()).spawn(work)?)
}

fn connect(file: &Path) -> Result<Connection, Fault> {
    let conn = Connection::open(file).map_err(|e| Fault::from(e).at(file.display().to_string()))?;
    conn.busy_timeout(BUSY)?;
    conn.pragma_update(None, "journal_mode", "wal")?;
    conn.pragma_update(None, "synchronous", "full")?;
    conn.pragma_update(None, "foreign_keys", 1)?;
    conn.pragma_update(None, "cache_size", -131_072)?;
    conn.pragma_update(None, "temp_store", "memory")?;
    conn.pragma_update(None, "mmap_size", MAPPED)?;
    // Otherwise a statement on a table with partial indexes is parsed and planned anew whenever a bound value changes.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(conn)
}

fn migrate(conn: &mut Connection) -> Result<(), Fault> {
    super::pg::runner(Dialect::Sqlite)?
        .run(conn)
        .map(|_| ())
        .map_err(|e| Fault::other(format!("migration: {e}")))
}

/// The migrations in the words of one database.
pub(super) fn migrations(to: Dialect) -> Result<Vec<Migration>, Fault> {
    dialect::MIGRATIONS
        .iter()
        .map(|(name, text)| Migration::unapplied(name, &dialect::schema(text, to)))
        .collect::<Result<_, _>>()
        .map_err(|e| Fault::other(format!("migration: {e}")))
}

fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// The write-ahead log: copying it back, and keeping it from growing.
///
/// A log is begun anew only when all of it is in the database and synced, which never happens by itself under steady
/// load: the checkpointer is always some commits behind. So it copies and syncs in small steps, and when the log is long
/// and hardly anything is left, it asks the writer for the last step between two groups. SQLite alone syncs the database
/// only with that last step; left to it, the writer would wait for hundreds of megabytes.
/// It is written again from its beginning rather than cut, because a sync of a file that keeps its size is cheaper.
struct Log {
    file: PathBuf,
    /// The database, to be synced. Never closed: closing any descriptor of a file gives up all locks this process has on
    /// it, those of SQLite's own descriptors too.
    database: ManuallyDrop<File>,
    /// The writer is asked for the last step.
    asked: AtomicBool,
}

/// How far a log was copied back.
struct Copied {
    pages: i64,
    done: i64,
}

impl Log {
    fn of(database: &Path) -> Result<Log, Fault> {
        let open = File::open(database).map_err(|e| Fault::from(e).at(database.display().to_string()))?;
        let (file, database) = (log_of(database), ManuallyDrop::new(open));
        Ok(Log { file, database, asked: AtomicBool::new(false) })
    }

    /// Does the last step, when asked. Readers that are still in the old log may keep it from being begun anew; then it
    /// is asked for again.
    fn restart_when_asked(&self, conn: &Connection) {
        if self.asked.load(Ordering::Relaxed) {
            self.asked.store(false, Ordering::Relaxed);
            let _ = conn.busy_timeout(READERS_END);
            self.copy_back(conn, "RESTART");
            let _ = conn.busy_timeout(BUSY);
        }
    }

    /// Copies what is in the log into the database; nothing when somebody else does.
    fn copy_back(&self, conn: &Connection, mode: &str) -> Option<Copied> {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        let copied = conn.query_row(&sql, [], |row| Ok(Copied { pages: row.get(1)?, done: row.get(2)? }));
        match copied.map_err(Fault::from) {
            Ok(copied) => Some(copied).filter(|copied| copied.pages >= 0),
            Err(fault) => {
                if fault.kind != FaultKind::Busy {
                    tracing::warn!(%fault, mode, "checkpoint");
                }
                None
            }
        }
    }

    /// Copies back in the background whatever is new.
    fn checkpoint(&self, conn: &Connection, stopped: &mpsc::Receiver<()>) {
        let changed = || std::fs::metadata(&self.file).and_then(|m| m.modified()).ok();
        let mut seen = None;
        while let Err(mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(CHECKPOINT_EVERY) {
            let now = changed();
            if now != seen {
                seen = now;
                self.steps(conn);
            }
        }
    }

    /// Copies and syncs until hardly anything is left of a long log, and asks the writer for that; once when it is short.
    fn steps(&self, conn: &Connection) {
        let mut before = None;
        for _ in 0..STEPS_MAX {
            let Some(Copied { pages, done }) = self.copy_back(conn, "PASSIVE") else { return };
            if let Err(fault) = self.database.sync_data() {
                // The log keeps what the database may have lost until SQLite's own sync of it, which will fail too.
                tracing::error!(%fault, "sync of the database");
                return;
            }
            if pages <= RESTART_PAGES {
                return;
            }
            // Before the first step it is not known how much of it was new.
            if before.is_some_and(|before| pages - before <= LAST_STEP_PAGES)
                && pages - done <= LAST_STEP_PAGES
            {
                self.asked.store(true, Ordering::Relaxed);
                return;
            }
            before = Some(pages);
        }
        if before.is_some_and(|pages| pages > LONG_PAGES) {
            self.asked.store(true, Ordering::Relaxed);
        }
    }
}

fn read_jobs_of(conn: &Connection, jobs: &Mutex<mpsc::Receiver<Job>>, shared: &Shared) {
    let mut db = Statements::new(conn);
    loop {
        let job = jobs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
        let Ok(mut job) = job else { return };
        let ran = (|| -> Result<(), Fault> {
            let began_after = shared.ids.given();
            db.control("BEGIN")?;
            job.run(&mut Tx::new(&mut db, shared, began_after));
            db.control("COMMIT")
        })();
        if ran.is_err() && !conn.is_autocommit() {
            let _ = conn.execute_batch("ROLLBACK");
        }
        job.finish(ran);
    }
}
