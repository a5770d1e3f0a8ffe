//! The one writer: groups of commands, each group a transaction, and the thread that waits for the disk.
//!
//! While a group is on its way to the disk the next one is being run, and whoever comes meanwhile joins it. One sync
//! costs milliseconds, so this is the difference between some hundred and many thousand durable commands a second.
//!
//! INVARIANT: a command is answered only after a sync of the log that began after its commit. The writer's connection
//! therefore leaves the syncing to us (`synchronous=NORMAL`: SQLite itself syncs only around checkpoints); all other
//! connections keep `FULL`.

use std::{
    collections::VecDeque,
    fs::File,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, TryRecvError},
    },
};

use rusqlite::Connection;

use super::{Log, Statements};
use crate::store::{Fault, Job, Shared, Verdict, tx::Tx};

/// Most commands in one commit. 24: a full group is committed while others wait, so that its answers are on their way
/// while the next one runs; with one group for all who ask, they and we would wait for each other in turn. A slow disk
/// loses nothing by it, for one sync makes every group safe that was committed before it began.
const GROUP_MAX: usize = 24;

/// Commands that go before all others.
#[derive(Default)]
pub(super) struct First(Mutex<VecDeque<Job>>);

impl First {
    pub(super) fn push(&self, job: Job) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(job);
    }

    fn pop(&self) -> Option<Job> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub(super) fn all(&self) -> VecDeque<Job> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What reaches the writer.
pub(super) enum Message {
    Job(Job),
    /// There is something in the first lane; it may have been taken already.
    First,
    /// So many groups have come off the disk's queue, safe or not.
    Synced(usize, Result<(), Fault>),
    Stop,
}

/// A group that is committed and not yet safe.
pub(super) struct Committed {
    jobs: Vec<Job>,
    told: bool,
}

pub(super) struct Writer<'c> {
    db: Statements<'c>,
    inbox: Receiver<Message>,
    first: Arc<First>,
    to_disk: Sender<Committed>,
    /// Groups that are committed and not yet safe.
    on_the_way: usize,
    stopped: bool,
    /// Set once the disk has failed us: what was written before may be lost, so nothing more is taken.
    broken: Option<Fault>,
}

impl<'c> Writer<'c> {
    pub(super) fn new(
        conn: &'c Connection,
        inbox: Receiver<Message>,
        first: Arc<First>,
        to_disk: Sender<Committed>,
    ) -> Writer<'c> {
        Writer {
            db: Statements::new(conn),
            inbox,
            first,
            to_disk,
            on_the_way: 0,
            stopped: false,
            broken: None,
        }
    }

    pub(super) fn run(mut self, shared: &Shared, log: &Log) {
        while !self.stopped {
            match self.inbox.recv() {
                Ok(Message::Job(job)) => {
                    if let Some(first) = self.first.pop() {
                        self.begin(first, shared, log);
                    }
                    self.begin(job, shared, log);
                }
                Ok(Message::First) => {
                    if let Some(first) = self.first.pop() {
                        self.begin(first, shared, log);
                    }
                }
                Ok(other) => self.note(other),
                Err(_) => return,
            }
        }
        for job in self.first.all() {
            job.finish(Err(Fault::other("the store has stopped")));
        }
    }

    fn begin(&mut self, job: Job, shared: &Shared, log: &Log) {
        match &self.broken {
            Some(fault) => job.finish(Err(fault.clone())),
            None => {
                self.group(job, shared);
                log.restart_when_asked(self.db.conn);
            }
        }
    }

    fn note(&mut self, message: Message) {
        match message {
            Message::Synced(groups, outcome) => {
                self.on_the_way -= groups;
                self.broken = self.broken.take().or(outcome.err());
            }
            Message::Stop => self.stopped = true,
            // What it announced was taken with another's turn.
            Message::First => {}
            Message::Job(_) => unreachable!("jobs are taken before"),
        }
    }

    /// Runs a group in one transaction. When it cannot be committed, each command is told so; none is half done.
    fn group(&mut self, first: Job, shared: &Shared) {
        let mut group = vec![first];
        let ran = self.transaction(&mut group, shared);
        if ran.is_err() && !self.db.conn.is_autocommit() {
            let _ = self.db.conn.execute_batch("ROLLBACK");
        }
        match ran {
            Ok(told) => match self.to_disk.send(Committed { jobs: group, told }) {
                Ok(()) => self.on_the_way += 1,
                Err(unsent) => finish(unsent.0.jobs, &Err(Fault::other("the store's sync has stopped"))),
            },
            Err(fault) => {
                tracing::error!(%fault, commands = group.len(), "a group of commands was not committed");
                finish(group, &Err(fault));
            }
        }
    }

    /// Runs the first command and all that join; commits. Answers whether there is news in the outbox.
    ///
    /// Savepoints cost a tenth of everything and are needed only where a command is refused after it has written, which
    /// is rare: such a group is begun anew, with a savepoint for each.
    fn transaction(&mut self, group: &mut Vec<Job>, shared: &Shared) -> Result<bool, Fault> {
        let began_after = shared.ids.given();
        self.db.control("BEGIN IMMEDIATE")?;
        let (mut told, mut at, mut careful) = (false, 0, false);
        loop {
            let ran = if careful {
                self.undoable(&mut group[at], shared, began_after)?
            } else {
                self.plain(&mut group[at], shared, began_after)
            };
            match ran {
                Some(news) => told |= news,
                None => {
                    self.db.control("ROLLBACK")?;
                    self.db.control("BEGIN IMMEDIATE")?;
                    (told, at, careful) = (false, 0, true);
                    continue;
                }
            }
            at += 1;
            if at < group.len() {
                continue;
            }
            match self.another(at) {
                Some(job) => group.push(job),
                None => break,
            }
        }
        self.db.control("COMMIT")?;
        Ok(told)
    }

    /// Runs a command; nothing when what it wrote must be undone. With one writer a conflict is not the work of another
    /// transaction, so it is an answer like any other.
    fn plain(&mut self, job: &mut Job, shared: &Shared, began_after: i64) -> Option<bool> {
        let mut tx = Tx::new(&mut self.db, shared, began_after);
        match job.run(&mut tx) {
            Verdict::Keep => Some(tx.told),
            Verdict::RollBack | Verdict::Again => (!tx.wrote).then_some(false),
        }
    }

    /// Runs a command in a savepoint of its own, so that a refusal undoes nobody else's work.
    fn undoable(&mut self, job: &mut Job, shared: &Shared, began_after: i64) -> Result<Option<bool>, Fault> {
        self.db.control("SAVEPOINT command")?;
        let ran = self.plain(job, shared, began_after);
        if ran.is_none() {
            self.db.control("ROLLBACK TO command")?;
        }
        self.db.control("RELEASE command")?;
        Ok(Some(ran.unwrap_or(false)))
    }

    /// One more command for the open group: whoever waits, and while the disk is busy anyway, whoever comes.
    fn another(&mut self, so_far: usize) -> Option<Job> {
        while so_far < GROUP_MAX && !self.stopped && self.broken.is_none() {
            if let Some(first) = self.first.pop() {
                return Some(first);
            }
            let message = match self.inbox.try_recv() {
                Ok(message) => message,
                Err(TryRecvError::Empty) if self.on_the_way > 0 => self.inbox.recv().ok()?,
                Err(_) => return None,
            };
            match message {
                Message::Job(job) => return Some(job),
                other => self.note(other),
            }
        }
        None
    }
}

/// Waits for the disk and answers, group by group, until the writer has ended.
pub(super) fn sync(log: &File, groups: &Receiver<Committed>, writer: &Sender<Message>, shared: &Shared) {
    while let Ok(first) = groups.recv() {
        let waiting: Vec<Committed> = std::iter::once(first).chain(groups.try_iter()).collect();
        let safe = log.sync_data().map_err(|e| Fault::from(e).at("sync of the write-ahead log"));
        if let Err(fault) = &safe {
            tracing::error!(%fault, "the disk did not keep what was written; no more writes until a restart");
        }
        // First, so that the next group is on its way while these are answered. A writer that is gone needs no news.
        let _ = writer.send(Message::Synced(waiting.len(), safe.clone()));
        for Committed { jobs, told } in waiting {
            finish(jobs, &safe);
            if told && safe.is_ok() {
                shared.told();
            }
        }
    }
}

fn finish(jobs: Vec<Job>, outcome: &Result<(), Fault>) {
    for job in jobs {
        job.finish(outcome.clone());
    }
}
