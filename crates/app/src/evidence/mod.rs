//! The append-only evidence log, its seals, and the outbox that tells others what happened.
//!
//! Every command records what it did in the transaction that did it. Each row carries a keyed code, so a changed or
//! invented row shows; batches are sealed in a signed hash chain, so a missing or reordered row shows too. The head
//! of the chain is also written outside the database (see `SealFile`), so that cutting off its end shows as well.

mod seal;
mod sql;

use domain::{
    access::{Act, Actor},
    ids::AccountId,
    regions::RegionCode,
    time::{At, Now},
};

pub use seal::{SealFile, Sealing, Trouble, seal, verify_chain};

use crate::{
    outcome::Answer,
    store::{Fault, Tx, digest},
};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// What a command did, for the log and for those who wait for news.
#[derive(Debug, Clone)]
pub struct Event {
    /// Dotted name of what happened: `order.placed`.
    pub act: &'static str,
    /// Id of what it happened to.
    pub subject: i64,
    /// Where that belongs; 0 for what belongs nowhere (accounts of the whole installation).
    pub region: i64,
    /// What changed, as JSON; never a secret in the clear.
    pub detail: serde_json::Value,
    /// Digest of the subject's row as it now is, for `verify`.
    pub digest: Option<[u8; 16]>,
}

impl Event {
    /// An event about something in a region.
    pub fn new(act: &'static str, subject: i64, region: RegionCode, detail: serde_json::Value) -> Event {
        Event { act, subject, region: region.number(), detail, digest: None }
    }

    /// With the digest of the row it left behind.
    #[must_use]
    pub fn leaving(mut self, digest: [u8; 16]) -> Event {
        self.digest = Some(digest);
        self
    }
}

/// One row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Position; grows, may have gaps on PostgreSQL.
    pub seq: i64,
    /// When.
    pub at: At,
    /// Who.
    pub by: AccountId,
    /// In which role, as its code.
    pub role: String,
    /// What happened.
    pub act: String,
    /// To what.
    pub subject: i64,
    /// Where.
    pub region: i64,
    /// What changed, as JSON text.
    pub detail: String,
    /// Digest of the subject's row afterwards.
    pub digest: Option<[u8; 16]>,
    /// Keyed code over all of the above but the position.
    pub mac: [u8; 16],
    /// Name of the account, for display.
    pub by_name: String,
}

impl Entry {
    fn code(&self, vault: &crate::store::Vault) -> [u8; 16] {
        vault.code(&[
            &self.at.0.to_be_bytes(),
            &self.by.0.to_be_bytes(),
            self.role.as_bytes(),
            self.act.as_bytes(),
            &self.subject.to_be_bytes(),
            &self.region.to_be_bytes(),
            self.detail.as_bytes(),
            self.digest.as_ref().map_or(&[][..], |d| &d[..]),
        ])
    }
}

/// A signed batch of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Number of the batch, from 1.
    pub batch: i64,
    /// First position (the one after the batch before).
    pub from_seq: i64,
    /// Last position.
    pub to_seq: i64,
    /// How many rows lie between.
    pub rows: i64,
    /// Digest over the batch before and every row.
    pub digest: Vec<u8>,
    /// When.
    pub sealed_at: At,
    /// Signature of the digest.
    pub signature: Vec<u8>,
}

/// One piece of news from the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Position.
    pub seq: i64,
    /// When.
    pub at: At,
    /// The act it tells of.
    pub topic: String,
    /// Where, when it belongs somewhere.
    pub region: Option<RegionCode>,
    /// Of what.
    pub subject: i64,
    /// Anything the reader needs beyond the subject.
    pub payload: String,
}

impl Tx<'_> {
    /// Writes what happened into the log and the outbox, in this transaction.
    pub fn record(&mut self, actor: &Actor, now: Now, event: Event) -> Result<(), Fault> {
        let mut entry = Entry {
            seq: 0,
            at: now.0,
            by: actor.account,
            role: actor.role.code().to_owned(),
            act: event.act.to_owned(),
            subject: event.subject,
            region: event.region,
            detail: event.detail.to_string(),
            digest: event.digest,
            mac: [0; 16],
            by_name: String::new(),
        };
        entry.mac = entry.code(self.vault());
        sql::insert(self, &entry)?;
        sql::tell(self, now.0, event.act, event.region, event.subject, "")?;
        self.told = true;
        Ok(())
    }

    /// Puts something to be done outside into the outbox, in this transaction: whom to call, what to send.
    pub fn tell(
        &mut self,
        now: Now,
        topic: &str,
        region: RegionCode,
        subject: i64,
        payload: &str,
    ) -> Result<(), Fault> {
        sql::tell(self, now.0, topic, region.number(), subject, payload)?;
        self.told = true;
        Ok(())
    }
}

/// The first 16 bytes of a digest over a row's columns.
pub fn row_digest(parts: &[&[u8]]) -> [u8; 16] {
    digest(parts)[..16].try_into().expect("the digest has 32 bytes")
}

/// What happened to one thing, oldest first, as far as the actor may see.
pub fn trail(tx: &mut Tx<'_>, actor: &Actor, subject: i64) -> Answer<Vec<Entry>> {
    actor.may(Act::SeeEvidence)?;
    Ok(sql::of_subject(tx, subject, actor.scope())?)
}

/// What happened of late within the actor's regions, newest first, before a position.
pub fn recent(tx: &mut Tx<'_>, actor: &Actor, before: Option<i64>, limit: i64) -> Answer<Vec<Entry>> {
    search(tx, actor, &Filter::default(), before, limit)
}

/// What a list of evidence is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// An act (`order.placed`) or all of a kind (`order`); all when empty.
    pub act: String,
    /// From this moment on.
    pub from: Option<At>,
    /// Before this moment.
    pub to: Option<At>,
}

/// What happened within the actor's regions, newest first, before a position, as far as the filter holds it.
pub fn search(
    tx: &mut Tx<'_>,
    actor: &Actor,
    filter: &Filter,
    before: Option<i64>,
    limit: i64,
) -> Answer<Vec<Entry>> {
    actor.may(Act::SeeEvidence)?;
    // The log has no index by time; it grows with time, so the days asked for are found by halving.
    let first = filter.from.map_or(Ok(0), |from| position(tx, from.plus_minutes(-SLACK_MINUTES)))?;
    let after = filter.to.map_or(Ok(i64::MAX), |to| position(tx, to.plus_minutes(SLACK_MINUTES)))?;
    let between = (first, before.unwrap_or(i64::MAX).min(after));
    Ok(sql::recent(tx, between, actor.scope(), filter, limit.clamp(1, 500))?)
}

/// A writer's moment and its position may come in another order than a neighbour's, but never by this much.
const SLACK_MINUTES: i64 = 5;

/// The position of the first entry made at or after a moment, up to the slack.
fn position(tx: &mut Tx<'_>, at: At) -> Result<i64, Fault> {
    let (mut low, mut high) = (0, sql::last(tx)? + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        match sql::next_at(tx, middle)? {
            Some((seq, when)) if when < at => low = seq + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// How far the log is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    /// Number of the last batch.
    pub batch: i64,
    /// Its last position.
    pub to_seq: i64,
    /// When.
    pub at: At,
}

/// How far the log is sealed; nothing before the first batch.
pub fn sealed_to(tx: &mut Tx<'_>) -> Result<Option<Sealed>, Fault> {
    sql::sealed_to(tx)
}

/// The batch each entry of one thing is sealed in, by position; what is not there is not sealed yet.
///
/// The caller has shown the trail, which checks what the actor may see.
pub fn seals_of(tx: &mut Tx<'_>, subject: i64) -> Result<std::collections::HashMap<i64, (i64, At)>, Fault> {
    Ok(sql::seals_of(tx, subject)?.into_iter().map(|(seq, batch, at)| (seq, (batch, at))).collect())
}

/// When the latest thing happened.
pub(crate) fn last_at(tx: &mut Tx<'_>) -> Result<Option<At>, Fault> {
    sql::last_at(tx)
}

/// News after a position, for live desks and workers.
pub fn told_after(tx: &mut Tx<'_>, seq: i64, limit: i64) -> Result<Vec<Told>, Fault> {
    sql::told_after(tx, seq, limit)
}

/// The position of the latest news.
pub fn told_last(tx: &mut Tx<'_>) -> Result<i64, Fault> {
    sql::told_last(tx)
}

/// How far a named reader has come.
pub fn cursor(tx: &mut Tx<'_>, reader: &str) -> Result<i64, Fault> {
    sql::cursor(tx, reader)
}

/// Notes how far a named reader has come.
pub fn set_cursor(tx: &mut Tx<'_>, reader: &str, seq: i64) -> Result<(), Fault> {
    sql::set_cursor(tx, reader, seq)
}
