//! Sealing the log in signed batches, and finding what was changed.

use std::{
    fmt,
    io::Write as _,
    path::{Path, PathBuf},
};

use domain::time::Now;
use sha2::{Digest, Sha256};

use super::{Entry, Seal, sql};
use crate::store::{Fault, Store, Tx, Vault};

/// Rows read at once while sealing or verifying.
const CHUNK: i64 = 5_000;

/// What a round of sealing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealing {
    /// Rows that are sealed now and were not before.
    pub rows: i64,
}

/// Where the head of the chain is kept outside the database: one line a batch.
#[derive(Debug, Clone)]
pub struct SealFile(PathBuf);

impl SealFile {
    /// The file of a key folder.
    pub fn in_folder(folder: &Path) -> SealFile {
        SealFile(folder.join("seals.log"))
    }

    fn append(&self, seal: &Seal) -> Result<(), Fault> {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&self.0)?;
        writeln!(file, "{} {} {}", seal.batch, seal.to_seq, hex(&seal.digest))?;
        Ok(file.sync_data()?)
    }

    /// Last batch number and digest noted outside, if any.
    fn last(&self) -> Result<Option<(i64, String)>, Fault> {
        let text = match std::fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        let line = text.lines().rfind(|line| line.split(' ').count() == 3);
        Ok(line.and_then(|line| {
            let mut words = line.split(' ');
            Some((words.next()?.parse().ok()?, words.nth(1)?.to_owned()))
        }))
    }
}

/// Seals everything that is committed and not yet sealed. Safe to run twice; run by one worker.
///
/// # Errors
/// When the database or the seal file fails.
pub fn seal(store: &Store, outside: &SealFile, now: Now) -> Result<Sealing, Fault> {
    let to: i64 = store.write(|tx| {
        tx.settle_evidence()?;
        sql::last(tx)
    })?;
    // Read and hashed beside the writer: a busy hour's rows take longer than an alarm may wait.
    let made: Option<Seal> = store.read(move |tx| {
        let before = sql::last_seal(tx)?;
        let from = before.as_ref().map_or(0, |s| s.to_seq);
        if to <= from {
            return Ok(None);
        }
        let mut chain = Chain::after(before.as_ref());
        // The codes stand for what they were made of; whether they still do is `verify`'s question.
        let mut at = from;
        loop {
            let codes = sql::codes(tx, at, to, CHUNK)?;
            let Some((last, _)) = codes.last() else { break };
            at = *last;
            codes.into_iter().for_each(|(seq, mac)| chain.link(seq, mac));
        }
        if chain.rows == 0 {
            return Ok(None);
        }
        let digest = chain.hash.finalize().to_vec();
        Ok::<_, Fault>(Some(Seal {
            batch: before.map_or(1, |s| s.batch + 1),
            from_seq: from + 1,
            to_seq: to,
            rows: chain.rows,
            signature: tx.vault().sign(&digest).to_vec(),
            digest,
            sealed_at: now.0,
        }))
    })?;
    let Some(seal) = made else { return Ok(Sealing { rows: 0 }) };
    let (seal, fresh) = store.write(move |tx| {
        // Two at once must not both go on from the same seal.
        let last = sql::last_seal(tx)?.map_or(0, |s| s.batch);
        let fresh = last + 1 == seal.batch;
        if fresh {
            sql::insert_seal(tx, &seal)?;
        }
        Ok::<_, Fault>((seal.clone(), fresh))
    })?;
    if !fresh {
        return Ok(Sealing { rows: 0 });
    }
    outside.append(&seal)?;
    Ok(Sealing { rows: seal.rows })
}

/// Something the log cannot explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// A row's keyed code does not fit its content.
    Changed {
        /// Position of the row.
        seq: i64,
    },
    /// A batch has other rows than it was sealed with.
    Batch {
        /// Number of the batch.
        batch: i64,
        /// Rows it was sealed with.
        sealed: i64,
        /// Rows it has now.
        found: i64,
    },
    /// A seal is not signed by this installation.
    Signature {
        /// Number of the batch.
        batch: i64,
    },
    /// Batches do not follow one another.
    Gap {
        /// Number of the batch after the gap.
        batch: i64,
    },
    /// The seal file outside the database knows a batch the database does not have.
    CutOff {
        /// Number of the batch that is noted outside.
        batch: i64,
    },
    /// A row of another table is not what the log says.
    Row {
        /// Which table.
        table: &'static str,
        /// Which row.
        id: i64,
        /// What is wrong with it.
        what: String,
    },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Changed { seq } => write!(f, "留痕第 {seq} 条内容被改动或伪造"),
            Trouble::Batch { batch, sealed, found } => {
                write!(f, "封存批次 {batch} 的记录与封存时不同：封存 {sealed} 条，现有 {found} 条")
            }
            Trouble::Signature { batch } => write!(f, "封存批次 {batch} 的签名不是本平台的"),
            Trouble::Gap { batch } => write!(f, "封存批次 {batch} 与前一批不衔接"),
            Trouble::CutOff { batch } => {
                write!(f, "库外登记了封存批次 {batch}，库内没有：末尾被截断或库被换过")
            }
            Trouble::Row { table, id, what } => write!(f, "{table} {id}：{what}"),
        }
    }
}

/// Reads the whole log and says what does not hold; `each` sees every row once, in order.
pub fn verify_chain(
    tx: &mut Tx<'_>,
    outside: &SealFile,
    mut each: impl FnMut(&Entry),
) -> Result<(Vec<Trouble>, i64), Fault> {
    let mut troubles = Vec::new();
    let mut rows = 0;
    // Noted outside only after its commit, so what is noted before the first look at the database must be in it, even
    // while a server goes on sealing.
    let noted = outside.last()?;
    let seals = sql::seals(tx)?;
    let mut before: Option<&Seal> = None;
    for seal in &seals {
        if seal.batch != before.map_or(1, |b| b.batch + 1)
            || seal.from_seq != before.map_or(1, |b| b.to_seq + 1)
        {
            troubles.push(Trouble::Gap { batch: seal.batch });
        }
        let mut chain = Chain::after(before);
        chain.rows_between(tx, seal.from_seq - 1, seal.to_seq, &mut each)?;
        troubles.append(&mut chain.changed);
        rows += chain.rows;
        if chain.hash.finalize().as_slice() != seal.digest.as_slice() {
            troubles.push(Trouble::Batch { batch: seal.batch, sealed: seal.rows, found: chain.rows });
        }
        if !tx.vault().signed(&seal.digest, &seal.signature) {
            troubles.push(Trouble::Signature { batch: seal.batch });
        }
        before = Some(seal);
    }
    let mut rest = Chain::after(before);
    rest.rows_between(tx, before.map_or(0, |s| s.to_seq), i64::MAX, &mut each)?;
    rows += rest.rows;
    troubles.append(&mut rest.changed);
    if let Some((batch, digest)) = noted {
        let known = seals.iter().any(|s| s.batch == batch && hex(&s.digest) == digest);
        if !known {
            troubles.push(Trouble::CutOff { batch });
        }
    }
    Ok((troubles, rows))
}

/// The running digest of one batch.
struct Chain {
    hash: Sha256,
    rows: i64,
    changed: Vec<Trouble>,
}

impl Chain {
    fn after(before: Option<&Seal>) -> Chain {
        let mut hash = Sha256::new();
        if let Some(seal) = before {
            hash.update(&seal.digest);
        }
        Chain { hash, rows: 0, changed: Vec::new() }
    }

    fn rows_between(
        &mut self,
        tx: &mut Tx<'_>,
        from: i64,
        to: i64,
        mut each: impl FnMut(&Entry),
    ) -> Result<(), Fault> {
        let mut at = from;
        loop {
            let entries = sql::between(tx, at, to, CHUNK)?;
            let Some(last) = entries.last() else { return Ok(()) };
            at = last.seq;
            for entry in &entries {
                self.take(entry, tx.vault());
                each(entry);
            }
        }
    }

    fn take(&mut self, entry: &Entry, vault: &Vault) {
        if entry.code(vault) != entry.mac {
            self.changed.push(Trouble::Changed { seq: entry.seq });
        }
        self.link(entry.seq, entry.mac);
    }

    fn link(&mut self, seq: i64, mac: [u8; 16]) {
        self.hash.update(seq.to_be_bytes());
        self.hash.update(mac);
        self.rows += 1;
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}
