//! The devices in use, known by heart.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use domain::ids::DeviceId;

use crate::{
    signals::devices::{self, Known},
    store::{Fault, Store},
};

/// Devices by serial.
#[derive(Debug, Default)]
pub struct Registry {
    known: RwLock<HashMap<String, Arc<Known>>>,
    generation: AtomicU64,
}

impl Registry {
    pub(super) fn new(known: Vec<(String, Known)>) -> Registry {
        let known = known.into_iter().map(|(serial, known)| (serial, Arc::new(known))).collect();
        Registry { known: RwLock::new(known), generation: AtomicU64::new(0) }
    }

    /// Another number whenever a device was learned or forgotten, so that a connection may remember what it found.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<String, Arc<Known>>)) {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// The device in use with this serial, as far as it is known here.
    pub fn get(&self, serial: &str) -> Option<Arc<Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(serial).cloned()
    }

    /// Looks into the database for a serial that is not known here and calls back: it may have been entered a moment ago,
    /// or by another process.
    pub fn learn_then(
        self: &Arc<Self>,
        store: &Store,
        serial: &str,
        then: impl FnOnce(Option<Arc<Known>>) + Send + 'static,
    ) {
        let (name, wanted, here) = (serial.to_owned(), serial.to_owned(), Arc::clone(self));
        store.read_then(
            move |tx| devices::find_known(tx, &wanted),
            move |answer: Result<_, Fault>| {
                let found = answer.unwrap_or_else(|fault| {
                    tracing::warn!(%fault, "looking for a device");
                    None
                });
                let found = found.map(Arc::new);
                if let Some(known) = &found {
                    here.change(|all| drop(all.insert(name, Arc::clone(known))));
                }
                then(found);
            },
        );
    }

    /// Forgets a device that was changed; it is looked up again when it speaks next.
    pub fn forget(&self, id: DeviceId) {
        self.change(|all| all.retain(|_, known| known.id != id));
    }

    /// Forgets all.
    pub fn clear(&self) {
        self.change(HashMap::clear);
    }
}
