//! Which frames were here a moment ago: a bounded memory of keys, so that what a device sends again after an answer was
//! lost is stored once.

use std::{
    collections::{HashSet, VecDeque},
    hash::{BuildHasherDefault, Hasher},
};

/// Keys remembered: seven seconds at 150,000 frames a second, two hours of a county's ordinary traffic. 24 MB.
pub(super) const KEYS_MAX: usize = 1 << 20;

/// Keys are hashes already.
#[derive(Debug, Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are numbers")
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

/// The memory.
#[derive(Debug, Default)]
pub(super) struct Window {
    keys: HashSet<u64, BuildHasherDefault<AsIs>>,
    order: VecDeque<u64>,
}

impl Window {
    /// Remembers a key; false when it was there.
    pub(super) fn enter(&mut self, key: u64) -> bool {
        if !self.keys.insert(key) {
            return false;
        }
        if self.order.len() >= KEYS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.keys.remove(&oldest);
        }
        self.order.push_back(key);
        true
    }

    /// Forgets a key whose frame was not stored after all.
    pub(super) fn forget(&mut self, key: u64) {
        self.keys.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut window = Window::default();
        for key in 0..KEYS_MAX as u64 {
            assert!(window.enter(key));
        }
        assert!(!window.enter(0));
        assert!(window.enter(u64::MAX));
        assert!(window.enter(0), "it had to make room");
        assert!(!window.enter(u64::MAX));
        window.forget(u64::MAX);
        assert!(window.enter(u64::MAX));
    }
}
