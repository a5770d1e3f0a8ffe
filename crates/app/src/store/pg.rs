//! PostgreSQL: threads with a connection each run commands side by side; the server groups their commits.
//!
//! Commands run at REPEATABLE READ, so that what a decision read cannot change under it; a command that stood in
//! another's way (40001, 40P01) is run again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use postgres::{
    Client, NoTls, Statement,
    types::{IsNull, ToSql, Type, to_sql_checked},
};
use refinery::Runner;

use super::{
    Fault, FaultKind, Job, Shared, Verdict,
    dialect::{self, Dialect},
    tx::{Conn, ReadOnce, Row, Tx, Value},
};

/// Connections for commands and for questions.
const WRITERS: usize = 16;
const READERS: usize = 6;
/// How often a command in another's way is run again before it is given up.
const ATTEMPTS: u32 = 12;

pub(super) struct Pg {
    writes: Option<mpsc::Sender<Job>>,
    reads: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Pg {
    pub(super) fn open(address: &str, shared: &Arc<Shared>) -> Result<Pg, Fault> {
        let mut client = connect(address)?;
        // Two processes that start together must not both create the schema.
        client.batch_execute("SELECT pg_advisory_lock(7307)")?;
        let ran =
            runner(Dialect::Postgres)?.run(&mut client).map_err(|e| Fault::other(format!("migration: {e}")));
        client.batch_execute("SELECT pg_advisory_unlock(7307)")?;
        ran?;
        drop(client);
        let (writes, write_jobs) = mpsc::channel();
        let (reads, read_jobs) = mpsc::channel();
        let mut threads = Vec::new();
        for (jobs, count, name) in [(write_jobs, WRITERS, "writer"), (read_jobs, READERS, "reader")] {
            let jobs = Arc::new(Mutex::new(jobs));
            for n in 0..count {
                let tx = PgTx::new(connect(address)?);
                let (jobs, shared, address) = (Arc::clone(&jobs), Arc::clone(shared), address.to_owned());
                let thread = std::thread::Builder::new()
                    .name(format!("store-{name}-{n}"))
                    .spawn(move || work(tx, &address, &jobs, &shared))?;
                threads.push(thread);
            }
        }
        Ok(Pg { writes: Some(writes), reads: Some(reads), threads })
    }

    pub(super) fn write(&self, job: Job) {
        send(self.writes.as_ref(), job);
    }

    pub(super) fn read(&self, job: Job) {
        send(self.reads.as_ref(), job);
    }
}

impl Drop for Pg {
    fn drop(&mut self) {
        self.writes = None;
        self.reads = None;
        for thread in self.threads.drain(..) {
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

fn connect(address: &str) -> Result<Client, Fault> {
    Client::connect(address, NoTls).map_err(|e| Fault::from(e).at("connecting to PostgreSQL"))
}

/// The migrations ready to run on one database.
pub(super) fn runner(to: Dialect) -> Result<Runner, Fault> {
    Ok(Runner::new(&super::lite::migrations(to)?))
}

fn work(mut tx: PgTx, address: &str, jobs: &Mutex<mpsc::Receiver<Job>>, shared: &Shared) {
    loop {
        let job = jobs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
        let Ok(mut job) = job else { return };
        if tx.client.is_closed() {
            match connect(address) {
                Ok(client) => tx = PgTx::new(client),
                Err(fault) => {
                    job.finish(Err(fault));
                    std::thread::sleep(Duration::from_millis(200));
                    continue;
                }
            }
        }
        let (done, told) = attempts(&mut tx, &mut job, shared);
        job.finish(done);
        if told {
            shared.told();
        }
    }
}

/// Runs a job until it neither conflicts nor runs out of attempts.
fn attempts(tx: &mut PgTx, job: &mut Job, shared: &Shared) -> (Result<(), Fault>, bool) {
    for attempt in 0..ATTEMPTS {
        match once(tx, job, shared) {
            Ok((true, told)) => return (Ok(()), told),
            Ok((false, _)) => {}
            Err(fault) if fault.kind == FaultKind::Conflict => {}
            Err(fault) => return (Err(fault), false),
        }
        std::thread::sleep(Duration::from_millis(u64::from(attempt * attempt)));
    }
    let fault = Fault {
        kind: FaultKind::Conflict,
        message: "another command kept changing the same rows".into(),
        context: vec![],
    };
    (Err(fault), false)
}

/// One attempt: whether it is final, and whether the outbox got something.
fn once(tx: &mut PgTx, job: &mut Job, shared: &Shared) -> Result<(bool, bool), Fault> {
    let began_after = shared.ids.given();
    tx.read_once.clear();
    tx.client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ")?;
    let mut open = Tx::new(tx, shared, began_after);
    let verdict = job.run(&mut open);
    let told = open.told;
    match verdict {
        Verdict::Keep => {
            tx.client.batch_execute("COMMIT")?;
            Ok((true, told))
        }
        Verdict::RollBack | Verdict::Again => {
            tx.client.batch_execute("ROLLBACK")?;
            Ok((matches!(verdict, Verdict::RollBack), false))
        }
    }
}

/// A connection with the statements it has parsed, by the address of their text.
pub(super) struct PgTx {
    client: Client,
    statements: HashMap<(usize, usize), Statement>,
    read_once: ReadOnce,
}

impl PgTx {
    fn new(client: Client) -> PgTx {
        PgTx { client, statements: HashMap::new(), read_once: ReadOnce::new() }
    }

    fn statement(&mut self, sql: &'static str) -> Result<Statement, Fault> {
        let key = (sql.as_ptr() as usize, sql.len());
        if let Some(statement) = self.statements.get(&key) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&dialect::numbered(sql))?;
        self.statements.insert(key, statement.clone());
        Ok(statement)
    }
}

impl Conn for PgTx {
    fn execute(&mut self, sql: &'static str, params: &[Value<'_>]) -> Result<u64, Fault> {
        let statement = self.statement(sql)?;
        Ok(self.client.execute(&statement, &references(params))?)
    }

    /// A writer rolls back whatever it ran when its command is refused, so nobody asks whether a query may write.
    fn each(
        &mut self,
        sql: &'static str,
        params: &[Value<'_>],
        read: &mut dyn FnMut(&Row<'_>) -> Result<(), Fault>,
    ) -> Result<bool, Fault> {
        let statement = self.statement(sql)?;
        for row in self.client.query(&statement, &references(params))? {
            read(&Row::Pg(&row))?;
        }
        Ok(true)
    }

    fn prepare(&mut self, sql: &'static str) -> Result<(), Fault> {
        self.statement(sql).map(|_| ())
    }

    fn settle_evidence(&mut self) -> Result<(), Fault> {
        Ok(self.client.batch_execute("LOCK TABLE evidence IN SHARE MODE")?)
    }

    fn alone(&self) -> bool {
        false
    }

    fn read_once(&mut self) -> &mut ReadOnce {
        &mut self.read_once
    }
}

fn references<'a>(params: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|p| p as &(dyn ToSql + Sync)).collect()
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut postgres::types::private::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, ty) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Int(x), &Type::INT4) => i32::try_from(*x)?.to_sql(ty, out),
            (Value::Int(x), _) => x.to_sql(ty, out),
            (Value::Real(x), _) => x.to_sql(ty, out),
            (Value::Text(x), _) => x.to_sql(ty, out),
            (Value::Blob(x), _) => x.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT8, Type::INT4, Type::FLOAT8, Type::TEXT, Type::BYTEA].contains(ty)
    }

    to_sql_checked!();
}
