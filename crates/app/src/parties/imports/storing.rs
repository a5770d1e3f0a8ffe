//! Storing what was accepted, chunk by chunk.
//!
//! INVARIANT: a chunk's people, the counts, the place where to go on, and the evidence of it are one transaction, which
//! first makes sure that the import is still ours. So whoever stops an import is told exactly what was stored, and a
//! worker that takes over after a crash neither skips a row nor counts one twice.

use serde_json::json;

use super::{
    Counts, ImportRefusal, Layout, Line, State, commands,
    job::{Job, lease},
    lines,
    look::{self, Read},
    register, sql, worker,
};
use crate::{
    outcome::{No, Outcome},
    parties::sheet::{PersonRow, SheetRefusal},
    store::{Conflicting, Fault},
};

/// Reads the file again and stores what it says, from where the last chunk ended.
pub(super) fn store(job: &Job<'_>) -> Outcome<(), ImportRefusal> {
    let (upload, now) = (worker::upload(job)?, job.now());
    let read =
        job.with_steps(|steps| look::read(job.store, &job.actor, &upload, &job.claimed.choice, now, steps))?;
    if job.claimed.stored_to == 0 {
        prepare(job, &read)?;
    }
    let stored_to = u32::try_from(job.claimed.stored_to).unwrap_or(u32::MAX);
    let from = read.parsed.people.partition_point(|person| person.row <= stored_to);
    for chunk in read.parsed.people[from..].chunks(register::CHUNK) {
        if job.halted() {
            return Err(No::Refused(ImportRefusal::Sheet(SheetRefusal::Stopped)));
        }
        match store_chunk(job, &read, chunk) {
            Ok(()) => {}
            Err(Chunk::Lost) => {
                job.lose();
                return Err(No::Refused(ImportRefusal::Sheet(SheetRefusal::Stopped)));
            }
            Err(Chunk::Fault(fault)) => return Err(No::Fault(fault)),
        }
    }
    let (id, worker, actor, now) = (job.claimed.id, job.claimed.worker, job.actor.clone(), job.now());
    Ok(job.store.write(move |tx| worker::done(tx, (id, worker), &actor, now))?)
}

/// Writes down what the file alone says: rows that cannot be taken, and how many are to be stored.
fn prepare(job: &Job<'_>, read: &Read) -> Outcome<(), ImportRefusal> {
    let (id, worker, now) = (job.claimed.id, job.claimed.worker, job.now());
    let mut found = look::rejected(read);
    let warned = read.parsed.people.iter().filter(|person| !person.warnings.is_empty());
    found.extend(warned.map(|person| Line::of_person(person, super::Fate::Unchanged)));
    let parts = lines::sealed(job.store.vault(), id, &found)?;
    let layout = Layout::of(&read.book, &read.mapping).sealed(job.store.vault(), id)?;
    let counts = look::parsed_counts(read);
    let total = i64::try_from(read.parsed.people.len()).expect("rows are limited when the table is read");
    job.store.write(move |tx| {
        if sql::prepared(tx, (id, worker), &layout, total, counts, now.0)? {
            sql::replace_parts(tx, id, &parts)?;
        }
        Ok::<_, Fault>(())
    })?;
    Ok(())
}

/// Why a chunk was not stored.
enum Chunk {
    /// The import is not ours any more.
    Lost,
    Fault(Fault),
}

impl From<Fault> for Chunk {
    fn from(fault: Fault) -> Chunk {
        Chunk::Fault(fault)
    }
}

impl Conflicting for Chunk {
    fn conflict(&self) -> bool {
        matches!(self, Chunk::Fault(fault) if fault.conflict())
    }
}

fn store_chunk(job: &Job<'_>, read: &Read, chunk: &[PersonRow]) -> Result<(), Chunk> {
    let (id, worker) = (job.claimed.id, job.claimed.worker);
    let (actor, now, people, mapping) = (job.actor.clone(), job.now(), chunk.to_vec(), read.mapping.clone());
    job.store.write(move |tx| {
        // First, so that on PostgreSQL whoever stops the import waits for this chunk or goes before it.
        if !sql::hold(tx, (id, worker, State::Storing), lease(now))? {
            return Err(Chunk::Lost);
        }
        let registered = register::register(tx, &actor, &people, now)?;
        let (mut counts, mut refused) = (Counts::default(), Vec::new());
        for (person, one) in people.iter().zip(&registered) {
            look::count(&mut counts, one.fate());
            if let Some(fault) = one.fault(person, &mapping) {
                let mut line = Line::of_person(person, one.fate());
                line.faults.push(fault);
                refused.push(line);
            }
        }
        for part in lines::sealed(tx.vault(), id, &refused)? {
            sql::append_part(tx, id, &part)?;
        }
        let rows = i64::try_from(people.len()).expect("a chunk is small");
        let (first, last) = (people.first().map_or(0, |p| p.row), people.last().map_or(0, |p| p.row));
        if !sql::stored(tx, (id, worker), (i64::from(last), rows), counts, now.0)? {
            return Err(Chunk::Lost);
        }
        let detail = json!({ "from_row": first, "to_row": last, "added": counts.added, "changed": counts.changed,
            "unchanged": counts.unchanged, "rejected": counts.rejected });
        Ok(tx.record(&actor, now, commands::event("import.stored", id, actor.range.lo, detail))?)
    })
}
