//! What is worth keeping in memory between transactions: small, read often, changed seldom.
//!
//! A kept thing carries the version it was read at. Whoever asks says which version counts now (from a row read in the
//! same transaction), so that a change made by another process is seen at once.
//!
//! Ids that never change need no version, but must not be kept before the row they belong to is committed: see
//! `Tx::lasting`.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Fault, Tx};

type Thing = (i64, Arc<dyn Any + Send + Sync>);

/// Things by type.
#[derive(Default)]
pub(super) struct Kept(Mutex<HashMap<TypeId, Thing>>);

impl Kept {
    pub(super) fn find<T: Any + Send + Sync>(&self, version: i64) -> Option<Arc<T>> {
        let things = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, thing) = things.get(&TypeId::of::<T>())?;
        (*at == version).then(|| Arc::clone(thing).downcast().ok())?
    }

    pub(super) fn keep<T: Any + Send + Sync>(&self, version: i64, thing: Arc<T>) {
        let mut things = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        things.insert(TypeId::of::<T>(), (version, thing));
    }
}

/// Ids by key. Emptied when it is full.
struct Lasting<K>(Mutex<HashMap<K, i64>>);

/// Most ids kept of one kind of key.
const LASTING_MAX: usize = 50_000;

impl Tx<'_> {
    /// The id of a row that keeps its key and is never deleted; asked of the database until it is known.
    ///
    /// A row that is found may be of this transaction, or of a command before us in its group, and be rolled back yet:
    /// only an id that was given before the transaction began is kept, for its row is committed.
    pub(crate) fn lasting<K: Clone + Eq + Hash + Send + 'static>(
        &mut self,
        key: K,
        find: impl FnOnce(&mut Tx<'_>, &K) -> Result<Option<i64>, Fault>,
    ) -> Result<Option<i64>, Fault> {
        let ids = self.kept::<Lasting<K>>(0).unwrap_or_else(|| {
            let new = Arc::new(Lasting(Mutex::new(HashMap::new())));
            self.keep(0, Arc::clone(&new));
            new
        });
        let lock = || ids.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = lock().get(&key) {
            return Ok(Some(*id));
        }
        let found = find(self, &key)?;
        if let Some(id) = found.filter(|id| *id <= self.began_after) {
            let mut ids = lock();
            if ids.len() >= LASTING_MAX {
                ids.clear();
            }
            ids.insert(key, id);
        }
        Ok(found)
    }
}
