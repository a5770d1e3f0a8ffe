//! SQLite: one writer thread that commits in groups, a pool of readers, a thread that checkpoints.
//!
//! The writer takes every waiting command into one transaction, each in its own savepoint, commits once with
//! `synchronous=FULL`, then answers them all. One fsync costs milliseconds, so this is the difference between some
//! hundred and many thousand durable commands a second.

use std::{
    path::Path,
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use refinery::Migration;
use rusqlite::Connection;

use super::{
    Fault, FaultKind, Job, Shared, Verdict,
    dialect::{self, Dialect},
    tx::{Conn, Tx},
};

/// Most commands in one commit. 512: far more than one machine's connections, small enough to answer in time.
const GROUP_MAX: usize = 512;
/// Readers at once; more than the cores, because a page's questions are short.
const READERS: usize = 4;
/// Statements each connection keeps parsed.
const STATEMENTS: usize = 512;
/// Write-ahead log pages after which the checkpointer goes to work (4 KiB each).
const CHECKPOINT_PAGES: i64 = 4_000;
/// Write-ahead log pages after which the writer itself starts a new log.
const RESTART_PAGES: i64 = 64_000;

pub(super) struct Lite {
    writes: Option<mpsc::Sender<Job>>,
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

        let (writes, write_jobs) = mpsc::channel();
        let (reads, read_jobs) = mpsc::channel();
        let (stop, stopped) = mpsc::channel();
        let mut threads = Vec::new();
        let mine = Arc::clone(shared);
        threads.push(spawn("store-writer", move || write_groups(&writer, &write_jobs, &mine))?);
        let read_jobs = Arc::new(Mutex::new(read_jobs));
        for n in 0..READERS {
            let reader = connect(&file)?;
            reader.pragma_update(None, "query_only", 1)?;
            let (jobs, mine) = (Arc::clone(&read_jobs), Arc::clone(shared));
            threads.push(spawn(&format!("store-reader-{n}"), move || read_jobs_of(&reader, &jobs, &mine))?);
        }
        let checkpointer = connect(&file)?;
        threads.push(spawn("store-checkpoint", move || checkpoint(&checkpointer, &stopped))?);
        Ok(Lite { writes: Some(writes), reads: Some(reads), stop: Some(stop), threads })
    }

    pub(super) fn write(&self, job: Job) {
        send(self.writes.as_ref(), job);
    }

    pub(super) fn read(&self, job: Job) {
        send(self.reads.as_ref(), job);
    }
}

impl Drop for Lite {
    fn drop(&mut self) {
        self.writes = None;
        self.reads = None;
        self.stop = None;
        for thread in self.threads.drain(..) {
            // The last clone may be dropped by a command on the writer itself, which cannot wait for its own end.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

fn send(to: Option<&mpsc::Sender<Job>>, job: Job) {
    if let Some(Err(mpsc::SendError(job))) = to.map(|to| to.send(job)) {
        job.finish(Err(Fault::other("the store has stopped")));
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
    conn.pragma_update(None, "mmap_size", 1_073_741_824_i64)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
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

fn write_groups(conn: &Connection, jobs: &mpsc::Receiver<Job>, shared: &Shared) {
    while let Ok(first) = jobs.recv() {
        let group: Vec<Job> = std::iter::once(first).chain(jobs.try_iter().take(GROUP_MAX - 1)).collect();
        write_group(conn, group, shared);
        if let Err(fault) = keep_log_short(conn) {
            tracing::warn!(%fault, "the write-ahead log was not restarted");
        }
    }
}

/// Runs a group in one transaction. When the group cannot be committed, each command is told so; none is half done.
fn write_group(conn: &Connection, mut group: Vec<Job>, shared: &Shared) {
    let mut told = false;
    let ran = (|| -> Result<(), Fault> {
        conn.execute_batch("BEGIN IMMEDIATE")?;
        for job in &mut group {
            cached(conn, "SAVEPOINT command")?;
            let mut tx = Tx::new(Conn::Lite(conn), shared);
            // With one writer a conflict is not the work of another transaction, so it is an answer like any other.
            match job.run(&mut tx) {
                Verdict::Keep => told |= tx.told,
                Verdict::RollBack | Verdict::Again => cached(conn, "ROLLBACK TO command")?,
            }
            cached(conn, "RELEASE command")?;
        }
        cached(conn, "COMMIT")
    })();
    if ran.is_err() && !conn.is_autocommit() {
        let _ = conn.execute_batch("ROLLBACK");
    }
    if let Err(fault) = &ran {
        tracing::error!(%fault, commands = group.len(), "a group of commands was not committed");
    }
    for job in group {
        job.finish(ran.clone());
    }
    if told && ran.is_ok() {
        shared.told();
    }
}

fn cached(conn: &Connection, sql: &str) -> Result<(), Fault> {
    conn.prepare_cached(sql)?.execute([])?;
    Ok(())
}

fn log_pages(conn: &Connection, mode: &str) -> Result<i64, Fault> {
    Ok(conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get(1))?)
}

/// Under steady load the log is never free of readers and writers at once, so now and then the writer makes it so.
fn keep_log_short(conn: &Connection) -> Result<(), Fault> {
    let file = conn.path().map(|p| format!("{p}-wal"));
    let pages = file.and_then(|f| std::fs::metadata(f).ok()).map_or(0, |m| m.len() / 4096);
    if i64::try_from(pages).unwrap_or(i64::MAX) > RESTART_PAGES {
        log_pages(conn, "TRUNCATE")?;
    }
    Ok(())
}

fn checkpoint(conn: &Connection, stopped: &mpsc::Receiver<()>) {
    let file = conn.path().map(|p| format!("{p}-wal")).unwrap_or_default();
    let mut written = 0;
    while let Err(mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(Duration::from_millis(500)) {
        let pages = std::fs::metadata(&file).map_or(0, |m| m.len() / 4096);
        if i64::try_from(pages).unwrap_or(i64::MAX) < CHECKPOINT_PAGES && pages == written {
            continue;
        }
        written = pages;
        match log_pages(conn, "PASSIVE") {
            Ok(_) => {}
            Err(fault) if fault.kind == FaultKind::Busy => {}
            Err(fault) => tracing::warn!(%fault, "checkpoint"),
        }
    }
}

fn read_jobs_of(conn: &Connection, jobs: &Mutex<mpsc::Receiver<Job>>, shared: &Shared) {
    loop {
        let job = jobs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
        let Ok(mut job) = job else { return };
        let ran = (|| -> Result<(), Fault> {
            cached(conn, "BEGIN")?;
            let mut tx = Tx::new(Conn::Lite(conn), shared);
            job.run(&mut tx);
            cached(conn, "COMMIT")
        })();
        if ran.is_err() && !conn.is_autocommit() {
            let _ = conn.execute_batch("ROLLBACK");
        }
        job.finish(ran);
    }
}
