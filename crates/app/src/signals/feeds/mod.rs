//! Traces of life that other areas leave: visits, talks, confirmations; and changes of the register.
//!
//! Orders and people know nothing of the clock: a worker reads the outbox behind them, within seconds. Reading the same
//! piece twice changes nothing, so it is safe on two servers and after a crash.

mod sql;

use domain::{ids::PersonId, time::Now};

use super::{
    sightings::{self, Sighting},
    silences,
};
use crate::{
    evidence,
    store::{Fault, Store, Tx},
};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// The name under which it is noted how far the outbox was read.
const READER: &str = "sightings";
/// Pieces of news taken in one transaction.
const NEWS: i64 = 1_000;

/// What one reading found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fed {
    /// Pieces of news.
    pub news: usize,
    /// Traces of life.
    pub sightings: usize,
    /// People whose record changed.
    pub people: usize,
    /// Many people came in at once: the whole list must be compared.
    pub bulk: bool,
}

/// Reads all news there is. Run each second or two.
///
/// # Errors
/// When the database fails.
pub fn tick(store: &Store, now: Now) -> Result<Fed, Fault> {
    let there = store.read(|tx| Ok::<_, Fault>((evidence::cursor(tx, READER)?, evidence::told_last(tx)?)))?;
    let mut all = Fed::default();
    if there.0 >= there.1 {
        return Ok(all);
    }
    // Numbers are given before the commit: what lies below the last one must be there before it is passed over.
    let to = store.write(|tx| {
        tx.settle_evidence()?;
        evidence::told_last(tx)
    })?;
    // Asked on a reader, so that the one writer of SQLite only writes what was found.
    while let Some(news) = store.read(move |tx| gather(tx, to))? {
        let fed = news.fed;
        if !store.write(move |tx| news.keep(tx, now))? {
            // Another server was faster; it goes on from there.
            break;
        }
        all.news += fed.news;
        all.sightings += fed.sightings;
        all.people += fed.people;
        all.bulk |= fed.bulk;
        if (fed.news as i64) < NEWS {
            break;
        }
    }
    if all.bulk {
        // A county that is being imported says so every second; the whole list is compared once a minute.
        store.write(silences::compare_again)?;
    }
    Ok(all)
}

/// A share of the news and what was found in it.
#[derive(Debug)]
struct News {
    from: i64,
    last: i64,
    seen: Vec<Sighting>,
    people: Vec<PersonId>,
    fed: Fed,
}

fn gather(tx: &mut Tx<'_>, to: i64) -> Result<Option<News>, Fault> {
    let from = evidence::cursor(tx, READER)?;
    let mut news = evidence::told_after(tx, from, NEWS)?;
    news.retain(|told| told.seq <= to);
    let Some(last) = news.last().map(|told| told.seq) else { return Ok(None) };
    let about = |topics: &[&str]| -> Vec<i64> {
        let mut ids: Vec<i64> =
            news.iter().filter(|t| topics.contains(&t.topic.as_str())).map(|t| t.subject).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let mut seen: Vec<Sighting> = Vec::new();
    let visits = about(&["order.checked_in", "order.checked_out"]);
    let knock = silences::terms(tx)?.knock_item;
    sql::visits(tx, &visits, &knock, &mut seen)?;
    sql::confirmed(tx, &about(&["order.confirmed"]), &mut seen)?;
    sql::calls(tx, &about(&["call.closed"]), &mut seen)?;
    sql::incidents(tx, &about(&["incident.closed"]), &mut seen)?;
    let changes = |topic: &str| topic.starts_with("person.") && topic != "person.revealed";
    let mut people: Vec<PersonId> =
        news.iter().filter(|t| changes(&t.topic)).map(|t| PersonId(t.subject)).collect();
    people.sort_unstable();
    people.dedup();
    let bulk = news.iter().any(|t| t.topic == "people.enrolled" || t.topic == "import.stored");
    let fed = Fed { news: news.len(), sightings: seen.len(), people: people.len(), bulk };
    Ok(Some(News { from, last, seen, people, fed }))
}

impl News {
    /// Writes what was found, unless somebody else did; answers whether it was written.
    fn keep(&self, tx: &mut Tx<'_>, now: Now) -> Result<bool, Fault> {
        if evidence::cursor(tx, READER)? != self.from {
            return Ok(false);
        }
        sightings::see(tx, &self.seen, now)?;
        silences::renew(tx, &self.people, now)?;
        evidence::set_cursor(tx, READER, self.last)?;
        Ok(true)
    }
}
