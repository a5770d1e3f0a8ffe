//! Readings into rows: everything that waits becomes one row, in one command.

use std::sync::{Arc, Mutex, atomic::Ordering};

use domain::{
    signals::alarm,
    time::{At, Now},
};

use super::{
    Batch, Done, Inner,
    batch::encode,
    batch::frames,
    lock, sql,
    window::{KEYS_MAX, Window},
};
use crate::{
    signals::{devices::Seen, meters},
    store::{Fault, Tx, span},
};

/// Frames in one command: two milliseconds of the writer's time, so that an alarm never waits longer for its turn.
const FRAMES_MAX: usize = 8_192;
/// A meter's count costs as much of that time as so many frames: rows and clocks of its own.
const COUNTED_FRAMES: usize = 64;
/// How far back from the last stored frames are looked at when the program starts, however long it was away and however
/// late they came: what was stored and not answered just before the end comes again, a broker keeps it for days.
const WINDOW_MINUTES: i64 = 60;

/// What one command stores. Made when its turn comes, and only once however often the command runs.
#[derive(Default)]
struct Group {
    batches: Vec<(Batch, Done)>,
    keys: Vec<u64>,
    first_at: i64,
    last_at: i64,
    body: Vec<u8>,
    counted: Vec<meters::Reading>,
    made: bool,
}

/// Sends one command on its way that takes what waits by then.
pub(super) fn write(inner: &Arc<Inner>) {
    let group = Arc::new(Mutex::new(Group::default()));
    let (here, there) = (Arc::clone(inner), Arc::clone(&group));
    let (after, made) = (Arc::clone(inner), group);
    inner.store.write_then(
        move |tx| {
            let mut group = lock(&there);
            if !group.made {
                here.gather(&mut group);
            }
            group.store(tx, (here.clock)())
        },
        move |answer| after.answer(std::mem::take(&mut *lock(&made)), answer),
    );
}

impl Inner {
    /// Takes what waits; what does not fit gets a command of its own.
    fn gather(self: &Arc<Self>, group: &mut Group) {
        let mut queue = lock(&self.readings);
        let mut count = 0;
        while count < FRAMES_MAX
            && let Some(next) = queue.waiting.pop_front()
        {
            count += next.0.len() + next.0.counted.len() * COUNTED_FRAMES;
            group.batches.push(next);
        }
        queue.scheduled = !queue.waiting.is_empty();
        let more = queue.scheduled;
        drop(queue);
        if more {
            write(self);
        }
        group.make(&mut lock(&self.window));
    }

    fn answer(self: &Arc<Self>, group: Group, answer: Result<(), Fault>) {
        let frames: usize = group.batches.iter().map(|(batch, _)| batch.len()).sum();
        let counts = &self.counts;
        let outcome = match answer {
            Ok(()) => {
                counts.readings.fetch_add(group.keys.len() as u64, Ordering::Relaxed);
                counts.duplicates.fetch_add((frames - group.keys.len()) as u64, Ordering::Relaxed);
                Ok(())
            }
            Err(fault) => {
                let mut window = lock(&self.window);
                group.keys.iter().for_each(|key| window.forget(*key));
                drop(window);
                tracing::warn!(%fault, frames, "readings were not stored");
                counts.shed.fetch_add(frames as u64, Ordering::Relaxed);
                Err(self.failed(&fault))
            }
        };
        let mut heard = Vec::with_capacity(group.batches.len());
        for (batch, done) in group.batches {
            done(outcome);
            heard.push(batch);
        }
        if outcome.is_ok() {
            self.note(&heard);
        }
    }

    /// Gathers when devices and people were heard of.
    fn note(&self, batches: &[Batch]) {
        let mut gathered = lock(&self.gathered);
        for (reading, _, _) in batches.iter().flat_map(|batch| &batch.readings) {
            let battery = reading.battery.map(i64::from);
            gathered.saw(Seen { device: reading.device, at: reading.received_at, battery });
            if let (Some(person), Some(kind)) = (reading.person, reading.trace) {
                // What comes two days late tells that somebody was there two days ago.
                let at = alarm::pressed_at(reading.device_at, reading.received_at);
                gathered.traced(person, at.unwrap_or(reading.received_at), kind);
            }
        }
    }
}

impl Group {
    /// Leaves out what was here before and writes the rest one behind the other.
    fn make(&mut self, window: &mut Window) {
        self.made = true;
        let at = |(reading, _, _): &(super::Reading, u64, usize)| reading.received_at.0;
        let all = || self.batches.iter().flat_map(|(batch, _)| &batch.readings);
        self.first_at = all().map(at).min().unwrap_or(0);
        self.last_at = all().map(at).max().unwrap_or(0);
        for (batch, _) in &self.batches {
            let mut from = 0;
            let mut counted = batch.counted.iter().peekable();
            for (n, (reading, key, length)) in batch.readings.iter().enumerate() {
                let own = counted.next_if(|(at, _)| *at == n);
                let raw = &batch.raw[from..from + length];
                from += length;
                if window.enter(*key) {
                    self.keys.push(*key);
                    encode(&mut self.body, reading, *key, At(self.first_at), raw);
                    self.counted.extend(own.map(|(_, counted)| *counted));
                }
            }
        }
    }

    fn store(&self, tx: &mut Tx<'_>, now: Now) -> Result<(), Fault> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let id = tx.id(now);
        sql::insert_batch(tx, id, At(self.first_at), At(self.last_at), self.keys.len() as i64, &self.body)?;
        if self.counted.is_empty() { Ok(()) } else { meters::record(tx, &self.counted, now) }
    }
}

/// The keys of the frames of a moment ago, for a program that starts: what was stored and not answered comes again.
pub(super) fn window(tx: &mut Tx<'_>) -> Result<Window, Fault> {
    let mut keys = Vec::new();
    // Fewer rows at a time than memory could mind, from the newest back.
    for row in sql::last_batches(tx, span(WINDOW_MINUTES), 20_000)? {
        let from = keys.len();
        for frame in frames(&row.body, row.first_at) {
            keys.push(frame?.key);
        }
        keys[from..].reverse();
        if keys.len() >= KEYS_MAX {
            break;
        }
    }
    let mut window = Window::default();
    for key in keys.into_iter().rev() {
        window.enter(key);
    }
    Ok(window)
}
