//! The threads that do the work of imports.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use domain::{ids::ImportId, time::Now};
use serde_json::json;

use super::{
    ImportRefusal, State, Upload, commands,
    job::{Job, lease},
    lines, look, sql, storing,
};
use crate::{
    outcome::{No, Outcome},
    parties::sheet::SheetRefusal,
    store::{Fault, Store, Tx},
};

/// Two, so that a small list need not wait behind a county's.
const THREADS: usize = 2;
/// How often a worker with nothing to do looks for something.
const LOOK: Duration = Duration::from_millis(250);
/// An import that broke this often without getting on would break for ever.
const ATTEMPTS: i64 = 4;
/// What broke may be mended a little later: a full disk, a database that restarts.
const AGAIN_SECONDS: i64 = 5;

type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// Worker threads; they end, between two chunks, when this is dropped.
#[derive(Debug)]
pub struct WorkerHandle {
    end: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for WorkerHandle {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Starts the threads that do the work of imports, also of those a process before left unfinished. Drop the handle
/// before the store.
pub fn spawn_worker(store: Store, clock: Clock) -> WorkerHandle {
    let end = Arc::new(AtomicBool::new(false));
    let threads = (0..THREADS).filter_map(|n| {
        let (store, clock, end) = (store.clone(), Arc::clone(&clock), Arc::clone(&end));
        let thread = std::thread::Builder::new().name(format!("imports-{n}"));
        let spawned = thread.spawn(move || work(&store, &*clock, &end));
        spawned.map_err(|error| tracing::error!(%error, "no thread for imports")).ok()
    });
    WorkerHandle { threads: threads.collect(), end }
}

/// Works at imports until told to end.
pub fn work(store: &Store, clock: &(dyn Fn() -> Now + Send + Sync), end: &AtomicBool) {
    let mut worker = None;
    while !end.load(Ordering::Relaxed) {
        match claim(store, &mut worker, clock()) {
            Ok(Some(claimed)) => run(&Job::new(store, clock, claimed, end)),
            Ok(None) => std::thread::park_timeout(LOOK),
            Err(fault) => {
                tracing::warn!(%fault, "looking for imports");
                std::thread::park_timeout(LOOK * 10);
            }
        }
    }
}

/// Takes the next import. Writes only when there is one.
fn claim(store: &Store, worker: &mut Option<i64>, now: Now) -> Result<Option<sql::Claimed>, Fault> {
    let mine = *worker;
    let (waiting, id) =
        store.read(move |tx| Ok::<_, Fault>((sql::waiting(tx, now)?, mine.unwrap_or_else(|| tx.id(now)))))?;
    *worker = Some(id);
    if !waiting {
        return Ok(None);
    }
    store.write(move |tx| sql::claim(tx, id, now, lease(now)))
}

/// How a run ended.
enum Ended {
    /// There is nothing left to do.
    Done,
    /// Somebody stopped it, took it over, or the process ends.
    Halted,
}

fn run(job: &Job<'_>) {
    let ended = std::thread::scope(|scope| {
        let keeper = scope.spawn(|| job.keep());
        // A file that breaks a library must not end the worker.
        let ended = catch_unwind(AssertUnwindSafe(|| step(job)));
        job.finish();
        keeper.thread().unpark();
        ended
    });
    let now = job.now();
    let again = match ended {
        Ok(Ok(Ended::Done)) => return,
        Ok(Ok(Ended::Halted)) => now.0,
        Ok(Err(fault)) => {
            tracing::error!(%fault, import = job.claimed.id.0, "an import broke off");
            now.0.plus_seconds(AGAIN_SECONDS)
        }
        Err(_) => {
            tracing::error!(import = job.claimed.id.0, "an import broke a library");
            now.0.plus_seconds(AGAIN_SECONDS)
        }
    };
    let (id, worker) = (job.claimed.id, job.claimed.worker);
    if let Err(fault) = job.store.write(move |tx| sql::release(tx, id, worker, again)) {
        tracing::warn!(%fault, import = id.0, "an import was not let go; its lease runs out by itself");
    }
}

fn step(job: &Job<'_>) -> Result<Ended, Fault> {
    if job.claimed.attempts > ATTEMPTS {
        return fail(job, "import_broken", BROKEN);
    }
    let done = match job.claimed.state {
        State::Storing => storing::store(job),
        _ => reading(job),
    };
    match done {
        Ok(()) => Ok(Ended::Done),
        Err(No::Refused(ImportRefusal::Sheet(SheetRefusal::Stopped))) => Ok(Ended::Halted),
        Err(No::Refused(refusal)) => {
            use domain::refusal::Refusal as _;
            fail(job, refusal.code(), &refusal.to_string())
        }
        Err(No::Fault(fault)) => Err(fault),
        Err(No::Forbidden(forbidden)) => fail(job, "forbidden", &forbidden.to_string()),
        Err(No::NotFound) => Ok(Ended::Halted),
    }
}

const BROKEN: &str = "处理这个文件时多次出错，已停止，我们已记录。已保存的行都在册；请另存为新的 .xlsx 后再上传，已登记的人不会重复";

fn fail(job: &Job<'_>, code: &'static str, message: &str) -> Result<Ended, Fault> {
    let (id, worker, region) = (job.claimed.id, job.claimed.worker, job.claimed.range.lo);
    let (message, actor, now) = (message.to_owned(), job.actor.clone(), job.now());
    job.store.write(move |tx| {
        if sql::end(tx, (id, worker), State::Failed, (code, &message), now.0)? {
            tx.record(&actor, now, commands::event("import.failed", id, region, json!({ "code": code })))?;
        }
        Ok::<_, Fault>(Ended::Done)
    })
}

/// The file with what was chosen about it.
pub(super) fn upload(job: &Job<'_>) -> Result<Upload, Fault> {
    let (id, file_name) = (job.claimed.id, job.claimed.file_name.clone());
    job.store.read(move |tx| Ok(Upload { file_name: file_name.clone(), bytes: commands::file(tx, id)? }))
}

fn reading(job: &Job<'_>) -> Outcome<(), ImportRefusal> {
    let (upload, now) = (upload(job)?, job.now());
    let looked = job.with_steps(|steps| {
        let read = look::read(job.store, &job.actor, &upload, &job.claimed.choice, now, steps)?;
        look::compared(job.store, &job.actor, &read, now, steps)
    })?;
    let (id, worker, region) = (job.claimed.id, job.claimed.worker, job.claimed.range.lo);
    let parts = lines::sealed(job.store.vault(), id, &looked.lines)?;
    let layout = looked.layout.sealed(job.store.vault(), id)?;
    let (counts, header_found, actor, now) =
        (looked.counts, looked.header_found, job.actor.clone(), job.now());
    job.store.write(move |tx| {
        let remark = if header_found { ("", "") } else { ("header_unknown", HEADER_UNKNOWN) };
        if sql::ready(tx, (id, worker), &layout, counts, remark, now.0)? {
            sql::replace_parts(tx, id, &parts)?;
            tx.record(&actor, now, commands::event("import.read", id, region, json!(counts)))?;
        }
        Ok::<_, Fault>(())
    })?;
    Ok(())
}

const HEADER_UNKNOWN: &str =
    "没有认出表头。请在下面逐列指明各列是什么，至少要有姓名和身份证号；或下载模板，把名单填进去再上传";

/// Notes the end of a whole import.
pub(super) fn done(
    tx: &mut Tx<'_>,
    job: (ImportId, i64),
    actor: &domain::access::Actor,
    now: Now,
) -> Result<(), Fault> {
    if sql::end(tx, job, State::Done, ("", ""), now.0)?
        && let Some(import) = sql::find(tx, job.0, actor.range)?
    {
        tx.record(actor, now, commands::event("import.done", job.0, actor.range.lo, json!(import.counts)))?;
    }
    Ok(())
}
