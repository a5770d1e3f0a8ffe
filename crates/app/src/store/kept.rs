//! What is worth keeping in memory between transactions: small, read often, changed seldom.
//!
//! A kept thing carries the version it was read at. Whoever asks says which version counts now (from a row read in the
//! same transaction), so that a change made by another process is seen at once.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

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
