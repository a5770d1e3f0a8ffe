//! Intake: what devices send becomes rows, and only then is it answered.
//!
//! Connections hand over batches of decoded frames. Readings wait in one queue and go into the database many at a
//! time; alarms have a lane of their own that goes before every other command, so an SOS never stands behind thousands
//! of readings. An alarm's frame and its incident are one transaction.
//! INVARIANT: a batch's callback hears `Ok` only after its frames are on disk.
//! INVARIANT: alarms are never shed. When the disk is full a reserved file is given up for them, readings are refused
//! (and so sent again later), and an incident says so.

mod alarms;
mod batch;
mod budget;
mod keeper;
mod readings;
mod registry;
mod reserve;
mod sql;
mod terms;
mod window;

use std::{
    collections::{HashMap, VecDeque},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use domain::{
    access::{Act, Actor},
    ids::{DeviceId, PersonId},
    regions::RegionCode,
    signals::sighting::SightingKind,
    time::{At, Now},
};

pub use batch::{AlarmFrame, Batch, Reading, Stored, frames};
pub use budget::{Allowed, Budget};
pub use keeper::Keeper;
pub use registry::Registry;
pub use terms::{Terms, set_terms, terms, tidy};

use super::devices::{self, Known, Seen};
use crate::{
    outcome::Answer,
    store::{Fault, FaultKind, Store, Tx},
};
use reserve::Reserve;
use window::Window;

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// Bytes kept of a frame that was not taken: enough to see what it was.
pub const REJECTED_BYTES: usize = 512;
/// Rejected frames kept of each sender.
const REJECTED_KEPT: i64 = 100;
/// Rejected frames waiting to be written; a storm of rubbish loses the rest, never memory.
const REJECTED_WAITING_MAX: usize = 2_000;

/// Why a batch was not stored; whoever sent it was not answered and sends it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// The disk is full; only alarms are taken.
    Full,
    /// Something broke.
    Broken,
}

/// What a batch hears when its frames are on disk, or are not.
pub type Done = Box<dyn FnOnce(Result<(), NotTaken>) + Send>;

/// A frame that could not be taken, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// What the sender calls itself, as far as that is known.
    pub serial: String,
    /// In which language.
    pub protocol: String,
    /// Where it came from.
    pub peer: String,
    /// Stable name of the reason.
    pub error: String,
    /// The sentence.
    pub reason: String,
    /// When.
    pub received_at: At,
    /// Its beginning, as it came.
    pub raw: Vec<u8>,
}

/// How the intake is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Status {
    /// The disk is full: only alarms are taken.
    pub disk_full: bool,
    /// Readings stored since the start.
    pub readings: u64,
    /// Frames that were there already.
    pub duplicates: u64,
    /// Alarms stored since the start, repeated ones too.
    pub alarms: u64,
    /// Readings refused because the disk was full.
    pub shed: u64,
    /// Frames rejected with a reason.
    pub rejected: u64,
    /// Readings not stored because their device said more than it may.
    pub too_many: u64,
}

/// Things waiting for a command, and whether one is under way that will take them.
struct Queue<T> {
    waiting: VecDeque<T>,
    scheduled: bool,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Queue { waiting: VecDeque::new(), scheduled: false }
    }
}

/// What is gathered in memory and written now and then.
#[derive(Default)]
struct Gathered {
    seen: HashMap<DeviceId, Seen>,
    traces: HashMap<PersonId, (At, SightingKind)>,
    /// When each person's trace was last written.
    traced: HashMap<PersonId, At>,
    rejected: Vec<Rejection>,
}

#[derive(Default)]
struct Counts {
    readings: AtomicU64,
    duplicates: AtomicU64,
    alarms: AtomicU64,
    shed: AtomicU64,
    rejected: AtomicU64,
    too_many: AtomicU64,
}

struct Inner {
    store: Store,
    clock: Box<dyn Fn() -> Now + Send + Sync>,
    home: RegionCode,
    registry: Arc<Registry>,
    readings: Mutex<Queue<(Batch, Done)>>,
    alarms: Mutex<Queue<(Vec<AlarmFrame>, Done)>>,
    window: Mutex<Window>,
    gathered: Mutex<Gathered>,
    strangers: Mutex<alarms::Strangers>,
    reserve: Option<Reserve>,
    full: AtomicBool,
    /// Pages were told that the disk is full.
    told_full: AtomicBool,
    terms: Terms,
    counts: Counts,
}

/// The intake. Cheap to clone.
#[derive(Clone)]
pub struct Intake(Arc<Inner>);

impl std::fmt::Debug for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Intake({:?})", self.status())
    }
}

/// Where space is kept for alarms.
#[derive(Debug, Clone)]
pub struct Reserved {
    /// The data folder.
    pub folder: PathBuf,
    /// How much; the usual when absent.
    pub bytes: Option<u64>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Intake {
    /// Starts the intake: learns the devices and the frames of a moment ago, keeps space for alarms. `home` is where an
    /// alarm belongs whose sender nobody knows. The keeper writes what is gathered, and the rest when it is dropped.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn start(
        store: Store,
        clock: impl Fn() -> Now + Send + Sync + 'static,
        home: RegionCode,
        reserved: Option<Reserved>,
    ) -> Result<(Intake, Keeper), Fault> {
        let known = store.read(devices::known)?;
        let terms = store.read(terms::terms)?;
        let window = store.read(readings::window)?;
        let reserve = reserved.map(|r| Reserve::new(&r.folder, r.bytes));
        let full = reserve.as_ref().is_some_and(|reserve| !reserve.hold());
        let intake = Intake(Arc::new(Inner {
            store,
            clock: Box::new(clock),
            home,
            registry: Arc::new(Registry::new(known)),
            readings: Mutex::default(),
            alarms: Mutex::default(),
            window: Mutex::new(window),
            gathered: Mutex::default(),
            strangers: Mutex::default(),
            reserve,
            full: AtomicBool::new(false),
            told_full: AtomicBool::new(false),
            terms,
            counts: Counts::default(),
        }));
        if full {
            intake.0.found_full();
        }
        let keeper = Keeper::start(intake.clone())?;
        Ok((intake, keeper))
    }

    /// The present moment.
    pub fn now(&self) -> Now {
        (self.0.clock)()
    }

    /// The store it writes to.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The devices in use.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.0.registry
    }

    /// How it is.
    pub fn status(&self) -> Status {
        let count = |n: &AtomicU64| n.load(Ordering::Relaxed);
        let counts = &self.0.counts;
        Status {
            disk_full: self.0.full.load(Ordering::Relaxed),
            readings: count(&counts.readings),
            duplicates: count(&counts.duplicates),
            alarms: count(&counts.alarms),
            shed: count(&counts.shed),
            rejected: count(&counts.rejected),
            too_many: count(&counts.too_many),
        }
    }

    /// Whether a reading of this device is still within what it may say. Alarms are never asked for.
    pub fn allows(&self, device: &Known, at: At) -> Allowed {
        let allowed = device.budget.take(&self.0.terms, at);
        if allowed != Allowed::Yes {
            self.0.counts.too_many.fetch_add(1, Ordering::Relaxed);
        }
        allowed
    }

    /// What the city decided about devices.
    pub fn terms(&self) -> &Terms {
        &self.0.terms
    }

    /// Stores readings with others that come at the same time.
    pub fn take_readings(&self, batch: Batch, done: Done) {
        if self.0.full.load(Ordering::Relaxed) {
            self.0.counts.shed.fetch_add(batch.len() as u64, Ordering::Relaxed);
            return done(Err(NotTaken::Full));
        }
        let mut queue = lock(&self.0.readings);
        queue.waiting.push_back((batch, done));
        if !std::mem::replace(&mut queue.scheduled, true) {
            drop(queue);
            readings::write(&self.0);
        }
    }

    /// Stores alarms with their incidents, before everything else that waits.
    pub fn take_alarms(&self, alarms: Vec<AlarmFrame>, done: Done) {
        let mut queue = lock(&self.0.alarms);
        queue.waiting.push_back((alarms, done));
        if !std::mem::replace(&mut queue.scheduled, true) {
            drop(queue);
            alarms::write(&self.0);
        }
    }

    /// Notes that a device was heard of without a frame to keep.
    pub fn saw(&self, device: DeviceId, at: At) {
        lock(&self.0.gathered).saw(Seen { device, at, battery: None });
    }

    /// Notes a frame that could not be taken. Written within a second; a storm is counted, not kept.
    pub fn reject(&self, mut rejection: Rejection) {
        self.0.counts.rejected.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(serial = %rejection.serial, error = %rejection.error, peer = %rejection.peer, "rejected");
        rejection.raw.truncate(REJECTED_BYTES);
        let mut gathered = lock(&self.0.gathered);
        if gathered.rejected.len() < REJECTED_WAITING_MAX {
            gathered.rejected.push(rejection);
        }
    }

    /// Writes what is gathered now.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn flush(&self) -> Result<(), Fault> {
        keeper::flush(&self.0, true)
    }
}

impl Inner {
    /// The disk is full: gives the reserved space to the alarms and says so, once. Answers whether there was some.
    fn found_full(self: &Arc<Self>) -> bool {
        let gave = self.reserve.as_ref().is_some_and(Reserve::give_up);
        if !self.full.swap(true, Ordering::Relaxed) {
            tracing::error!(gave, "the disk is full: readings are refused, alarms are taken");
            alarms::say_full(self);
        }
        gave
    }

    fn failed(self: &Arc<Self>, fault: &Fault) -> NotTaken {
        if fault.kind == FaultKind::Full {
            self.found_full();
            NotTaken::Full
        } else {
            NotTaken::Broken
        }
    }
}

impl Gathered {
    fn saw(&mut self, seen: Seen) {
        let newest = self.seen.entry(seen.device).or_insert(seen);
        newest.at = newest.at.max(seen.at);
        newest.battery = seen.battery.or(newest.battery);
    }

    fn traced(&mut self, person: PersonId, at: At, kind: SightingKind) {
        let newest = self.traces.entry(person).or_insert((at, kind));
        if at >= newest.0 {
            *newest = (at, kind);
        }
    }
}

/// The last frames of a sender that could not be taken, newest first. Frames without a known sender have an empty
/// serial and are shown to those who see every region.
pub fn rejections(tx: &mut Tx<'_>, actor: &Actor, serial: &str, limit: i64) -> Answer<Vec<Rejection>> {
    actor.may(Act::SeeDevices)?;
    Ok(sql::rejected(tx, serial, limit.clamp(1, REJECTED_KEPT))?)
}

/// How many readings and alarm frames are stored.
pub fn counts(tx: &mut Tx<'_>) -> Result<(i64, i64), Fault> {
    sql::counts(tx)
}

/// Hands every stored frame since a moment to `look`, newest batch first, until it has looked at `batches` batches.
pub fn each_stored(
    tx: &mut Tx<'_>,
    from: At,
    to: At,
    batches: i64,
    mut look: impl FnMut(Stored<'_>),
) -> Result<(), Fault> {
    for row in sql::batches_between(tx, from, to, batches)? {
        for frame in frames(&row.body, row.first_at) {
            look(frame?);
        }
    }
    Ok(())
}
