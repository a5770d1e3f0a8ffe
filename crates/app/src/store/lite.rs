//! SQLite: one writer that commits in groups (see `writer`), a pool of readers, a thread that checkpoints.

mod statements;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
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
    tx::{Conn as _, Tx},
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
/// How often the log is copied back while there is something new in it.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// Write-ahead log pages after which the writer itself starts a new log.
const RESTART_PAGES: i64 = 64_000;

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
        let log = Arc::new(Log { file: log_of(&file), pages: AtomicI64::new(0) });
        let wal =
            std::fs::File::open(&log.file).map_err(|e| Fault::from(e).at(log.file.display().to_string()))?;
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
    conn.busy_timeout(Duration::from_secs(20))?;
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

/// The write-ahead log: how long it is, and keeping it from growing.
///
/// It is written again from its beginning rather than cut, because a sync of a file that keeps its size is cheaper.
struct Log {
    file: PathBuf,
    /// Pages in use, as far as the checkpointer saw last.
    pages: AtomicI64,
}

impl Log {
    /// Under steady load the log is never free of readers and writers at once, so now and then the writer makes it so.
    fn restart_when_long(&self, conn: &Connection) {
        if self.pages.load(Ordering::Relaxed) > RESTART_PAGES {
            self.copy_back(conn, "RESTART");
            self.pages.store(0, Ordering::Relaxed);
        }
    }

    /// Copies what is in the log into the database.
    fn copy_back(&self, conn: &Connection, mode: &str) {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        match conn.query_row(&sql, [], |row| row.get(1)).map_err(Fault::from) {
            Ok(pages) => self.pages.store(pages, Ordering::Relaxed),
            Err(fault) if fault.kind == FaultKind::Busy => {}
            Err(fault) => tracing::warn!(%fault, mode, "checkpoint"),
        }
    }

    /// Copies back in the background, so that the writer seldom has to wait for it.
    fn checkpoint(&self, conn: &Connection, stopped: &mpsc::Receiver<()>) {
        let changed = || std::fs::metadata(&self.file).and_then(|m| m.modified()).ok();
        let mut seen = None;
        while let Err(mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(CHECKPOINT_EVERY) {
            let now = changed();
            if now != seen {
                seen = now;
                self.copy_back(conn, "PASSIVE");
            }
        }
    }
}

fn read_jobs_of(conn: &Connection, jobs: &Mutex<mpsc::Receiver<Job>>, shared: &Shared) {
    let mut db = Statements::new(conn);
    loop {
        let job = jobs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
        let Ok(mut job) = job else { return };
        let ran = (|| -> Result<(), Fault> {
            db.execute("BEGIN", &[])?;
            job.run(&mut Tx::new(&mut db, shared));
            db.execute("COMMIT", &[]).map(|_| ())
        })();
        if ran.is_err() && !conn.is_autocommit() {
            let _ = conn.execute_batch("ROLLBACK");
        }
        job.finish(ran);
    }
}
