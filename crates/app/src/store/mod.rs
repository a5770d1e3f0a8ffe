//! The store: one small door to SQLite or PostgreSQL.
//!
//! A command is a closure. `write` runs it inside a transaction and answers only after the commit is on disk; `read`
//! runs it on a pool. Both are synchronous; the `_then` forms call back instead of blocking and are what the web uses.
//! INVARIANT: a writer's answer is never given before its commit returned.
//!
//! A write closure may run more than once (another attempt after a conflict), so it must not act outside.

mod dialect;
mod fault;
mod ids;
mod kept;
mod lite;
mod pg;
mod tx;
mod vault;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, OnceLock, mpsc},
};

use domain::time::Now;

pub use dialect::Dialect;
pub use fault::{Fault, FaultKind};
pub use ids::IdSource;
pub(crate) use ids::span;
pub use tx::{FromColumn, Row, ToValue, Tx, Value};
pub use vault::{Vault, digest};

/// The lines of all migrations, for tests that read the schema.
#[cfg(test)]
pub(crate) fn schema_lines() -> impl Iterator<Item = &'static str> {
    dialect::MIGRATIONS.iter().flat_map(|(_, text)| text.lines())
}

/// How far ahead of the clock ids may have run: many times what the entry of a whole city borrows.
const BORROWED_SECONDS: i64 = 10;

/// Where the data lies.
#[derive(Debug, Clone)]
pub enum Place {
    /// A data folder; the database is `xiyang.db` in it.
    Folder(PathBuf),
    /// A `postgres://` address.
    Postgres(String),
}

/// One piece of work for a transaction.
trait Work: Send {
    /// Runs inside the transaction; answers whether to keep what it did.
    fn run(&mut self, tx: &mut Tx<'_>) -> Verdict;
    /// Called once, after the commit (or with the fault that prevented it).
    fn finish(self: Box<Self>, committed: Result<(), Fault>);
}

/// What became of a piece of work.
enum Verdict {
    Keep,
    RollBack,
    /// Stood in another's way; worth another attempt.
    Again,
}

type Job = Box<dyn Work>;

struct Call<F, T, E, S> {
    work: F,
    answer: Option<Result<T, E>>,
    then: S,
}

impl<F, T, E, S> Work for Call<F, T, E, S>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Fault> + Conflicting + Send,
    S: FnOnce(Result<T, E>) + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Verdict {
        // A panic in one command must not take the others of its group with it.
        let answer = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)))
            .unwrap_or_else(|panic| Err(Fault::other(format!("panic: {}", panic_text(&*panic))).into()));
        let verdict = match &answer {
            Ok(_) => Verdict::Keep,
            Err(e) if e.conflict() => Verdict::Again,
            Err(_) => Verdict::RollBack,
        };
        self.answer = Some(answer);
        verdict
    }

    fn finish(self: Box<Self>, committed: Result<(), Fault>) {
        let answer = match (committed, self.answer) {
            (Ok(()), Some(answer)) => answer,
            (Ok(()), None) => Err(Fault::other("the work was never run").into()),
            // A refusal stands whether or not the others could be committed.
            (Err(_), Some(Err(refused))) => Err(refused),
            (Err(fault), _) => Err(fault.into()),
        };
        (self.then)(answer);
    }
}

/// Errors that can tell whether trying again may help.
pub trait Conflicting {
    /// Two transactions stood in each other's way.
    fn conflict(&self) -> bool;
}

impl Conflicting for Fault {
    fn conflict(&self) -> bool {
        self.kind == FaultKind::Conflict
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned())
}

type Listener = Box<dyn Fn() + Send + Sync>;

/// What the threads of either database share.
struct Shared {
    ids: IdSource,
    vault: Vault,
    kept: kept::Kept,
    listener: OnceLock<Listener>,
}

impl Shared {
    fn told(&self) {
        if let Some(listener) = self.listener.get() {
            listener();
        }
    }
}

enum Backend {
    Lite(lite::Lite),
    Pg(pg::Pg),
}

/// The store. Cheap to clone; the threads end when the last clone is dropped.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    backend: Arc<Backend>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({:?})", self.dialect())
    }
}

impl Store {
    /// Opens (or creates) the database, brings its schema up to date and starts the threads.
    ///
    /// # Errors
    /// When the place cannot be opened or a migration fails.
    pub fn open(place: &Place, vault: Vault, ids: IdSource) -> Result<Store, Fault> {
        let shared = Arc::new(Shared { ids, vault, kept: kept::Kept::default(), listener: OnceLock::new() });
        let backend = match place {
            Place::Folder(folder) => Backend::Lite(lite::Lite::open(folder, &shared)?),
            Place::Postgres(address) => Backend::Pg(pg::Pg::open(address, &shared)?),
        };
        let store = Store { shared, backend: Arc::new(backend) };
        // A clock that was set back while we were down must not give the ids of rows that are there.
        if let Some(last) = store.read(crate::evidence::last_at)? {
            store.shared.ids.not_before(last.plus_seconds(BORROWED_SECONDS));
        }
        // Not every row has its evidence, and a clock that was set back makes the last moment an earlier one.
        if let Some(last) = store.read(crate::settings::last_id)? {
            store.shared.ids.after(last);
        }
        Ok(store)
    }

    /// Which database this is.
    pub fn dialect(&self) -> Dialect {
        match &*self.backend {
            Backend::Lite(_) => Dialect::Sqlite,
            Backend::Pg(_) => Dialect::Postgres,
        }
    }

    /// Keys of the installation, for what is encrypted or signed outside a transaction.
    pub fn vault(&self) -> &Vault {
        &self.shared.vault
    }

    /// A new id, for what is made ready outside a transaction.
    pub fn id(&self, now: Now) -> i64 {
        self.shared.ids.next(now.0)
    }

    /// Asks to be called after every commit that put something into the outbox. Only the first caller is heard.
    pub fn on_told(&self, listener: impl Fn() + Send + Sync + 'static) {
        let _ = self.shared.listener.set(Box::new(listener));
    }

    /// Runs a command and calls back after its commit.
    pub fn write_then<T, E>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        then: impl FnOnce(Result<T, E>) + Send + 'static,
    ) where
        T: Send + 'static,
        E: From<Fault> + Conflicting + Send + 'static,
    {
        let job = Box::new(Call { work, answer: None, then });
        match &*self.backend {
            Backend::Lite(lite) => lite.write(job),
            Backend::Pg(pg) => pg.write(job),
        }
    }

    /// Runs a command before all that wait, and calls back after its commit: for alarms, which must not stand behind a
    /// thousand readings or a list that is being imported. On PostgreSQL commands run side by side anyway.
    pub fn write_first_then<T, E>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        then: impl FnOnce(Result<T, E>) + Send + 'static,
    ) where
        T: Send + 'static,
        E: From<Fault> + Conflicting + Send + 'static,
    {
        let job = Box::new(Call { work, answer: None, then });
        match &*self.backend {
            Backend::Lite(lite) => lite.write_first(job),
            Backend::Pg(pg) => pg.write(job),
        }
    }

    /// Runs a question and calls back.
    pub fn read_then<T, E>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        then: impl FnOnce(Result<T, E>) + Send + 'static,
    ) where
        T: Send + 'static,
        E: From<Fault> + Conflicting + Send + 'static,
    {
        let job = Box::new(Call { work, answer: None, then });
        match &*self.backend {
            Backend::Lite(lite) => lite.read(job),
            Backend::Pg(pg) => pg.read(job),
        }
    }

    /// Runs a command; returns after its commit is on disk.
    ///
    /// # Errors
    /// What the command refused, or a fault.
    pub fn write<T, E>(&self, work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Fault> + Conflicting + Send + 'static,
    {
        let (send, receive) = mpsc::sync_channel(1);
        self.write_then(work, move |answer| drop(send.send(answer)));
        receive.recv().unwrap_or_else(|_| Err(Fault::other("the store has stopped").into()))
    }

    /// Runs a question.
    ///
    /// # Errors
    /// What the question refused, or a fault.
    pub fn read<T, E>(&self, work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Fault> + Conflicting + Send + 'static,
    {
        let (send, receive) = mpsc::sync_channel(1);
        self.read_then(work, move |answer| drop(send.send(answer)));
        receive.recv().unwrap_or_else(|_| Err(Fault::other("the store has stopped").into()))
    }
}
