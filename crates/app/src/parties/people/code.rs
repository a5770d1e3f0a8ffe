//! The keyed code of a whole record, and the check that no record was changed behind the log's back.
//!
//! The code covers the person, the contacts, the secrets and every fact. Whoever writes to the database without the key
//! cannot make it; whoever puts an older record back with its older code is found because the last evidence about the
//! person names another one. People entered together share one evidence with a digest over all their codes; later
//! evidence about one of them keeps the code it had before, so the batch can be checked for ever.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{Whole, sql};
use crate::{
    evidence::Trouble,
    store::{Fault, Tx, Vault},
};

/// People read at once while verifying.
const CHUNK: i64 = 2_000;

/// Bytes of many values, each with its length, so that values cannot slide into each other.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn put(&mut self, value: &[u8]) {
        self.0.extend_from_slice(&(value.len() as u32).to_be_bytes());
        self.0.extend_from_slice(value);
    }

    fn number(&mut self, value: i64) {
        self.put(&value.to_be_bytes());
    }

    fn maybe(&mut self, value: Option<i64>) {
        match value {
            None => self.put(&[]),
            Some(value) => self.number(value),
        }
    }
}

impl Whole {
    /// The keyed code of the record as it is here.
    pub(super) fn code(&self, vault: &Vault) -> [u8; 16] {
        let mut all = Bytes(Vec::with_capacity(1024));
        self.put_row(&mut all);
        for contact in &self.contacts {
            all.number(contact.id.0);
            all.number(contact.rank);
            all.put(contact.name.as_bytes());
            all.put(contact.relation.as_bytes());
            all.put(&contact.phone);
        }
        for secret in &self.secrets {
            all.put(secret.kind.code().as_bytes());
            all.put(&secret.value);
        }
        for fact in &self.facts {
            all.number(fact.id.0);
            all.put(fact.value.kind().code().as_bytes());
            all.put(fact.value.code().as_bytes());
            all.put(fact.source.as_bytes());
            all.put(fact.span.from.to_string().as_bytes());
            all.put(fact.span.to.map(|d| d.to_string()).unwrap_or_default().as_bytes());
            all.number(fact.known_at.0);
            all.maybe(fact.known_to.map(|at| at.0));
        }
        vault.code(&[b"person", &all.0])
    }

    fn put_row(&self, all: &mut Bytes) {
        let r = &self.row;
        all.number(r.id.0);
        all.number(r.region.number());
        all.put(r.name.as_bytes());
        all.number(r.sex.code().into());
        all.put(r.birth.to_string().as_bytes());
        all.put(r.summary.state.code().as_bytes());
        all.maybe(r.summary.hukou.map(|h| h.number()));
        all.put(r.id_no.as_deref().unwrap_or_default());
        all.put(r.phone.as_deref().unwrap_or_default());
        all.put(r.address.as_bytes());
        all.put(
            &r.place.map(|(lon, lat)| [lon.to_be_bytes(), lat.to_be_bytes()].concat()).unwrap_or_default(),
        );
        all.put(r.language.as_bytes());
        all.put(r.hearing.as_bytes());
        all.number(r.batch);
    }
}

/// Digest over the codes of people entered together, in the order of their ids.
pub(super) struct BatchDigest {
    hash: Sha256,
    pub(super) people: i64,
}

impl BatchDigest {
    pub(super) fn new() -> BatchDigest {
        BatchDigest { hash: Sha256::new(), people: 0 }
    }

    pub(super) fn take(&mut self, id: i64, code: &[u8; 16]) {
        self.hash.update(id.to_be_bytes());
        self.hash.update(code);
        self.people += 1;
    }

    pub(super) fn finish(self) -> [u8; 16] {
        self.hash.finalize()[..16].try_into().expect("the digest has 32 bytes")
    }
}

/// What evidence says about somebody: the code before the first change, and the last one.
struct Told {
    first: Option<[u8; 16]>,
    last: [u8; 16],
}

/// Compares every record with its code and with what the log says about it.
///
/// # Errors
/// When the database fails; a record that does not fit is an answer, not an error.
pub fn verify_people(tx: &mut Tx<'_>) -> Result<Vec<Trouble>, Fault> {
    let (mut told, batches) = read_log(tx)?;
    let mut found: HashMap<i64, BatchDigest> = HashMap::new();
    let mut troubles = Vec::new();
    let mut after = 0;
    loop {
        let wholes = sql::wholes_after(tx, after, CHUNK)?;
        let Some(last) = wholes.last() else { break };
        after = last.row.id.0;
        for whole in &wholes {
            let (id, kept) = (whole.row.id.0, whole.row.code);
            let mut trouble =
                |what: &str| troubles.push(Trouble::Row { table: "person", id, what: what.into() });
            if whole.code(tx.vault()) != kept {
                trouble("档案内容与校验码不符，可能被绕过平台改动");
            }
            let told = told.remove(&id);
            if told.as_ref().is_some_and(|t| t.last != kept) {
                trouble("档案与最后一次留痕不符，可能被换回旧内容");
            }
            if batches.contains_key(&whole.row.batch) {
                let first = told.and_then(|t| t.first).unwrap_or(kept);
                found.entry(whole.row.batch).or_insert_with(BatchDigest::new).take(id, &first);
            } else if told.is_none() {
                trouble("档案没有登记的留痕");
            }
        }
    }
    for id in told.into_keys() {
        troubles.push(Trouble::Row {
            table: "person", id, what: "留痕里有这份档案，库里没有".into()
        });
    }
    for (batch, digest) in batches {
        let now = found.remove(&batch).unwrap_or_else(BatchDigest::new).finish();
        if now != digest {
            let what = "这一批登记的人数或内容与留痕不符".to_owned();
            troubles.push(Trouble::Row { table: "person", id: batch, what });
        }
    }
    Ok(troubles)
}

type Log = (HashMap<i64, Told>, HashMap<i64, [u8; 16]>);

/// What the log says: by person, and by batch.
fn read_log(tx: &mut Tx<'_>) -> Result<Log, Fault> {
    let (mut told, mut batches) = (HashMap::new(), HashMap::new());
    sql::proofs(tx, |subject, act, detail, digest| {
        let Some(digest) = digest else { return };
        if act == "people.enrolled" {
            batches.insert(subject, digest);
        } else {
            let first = told.remove(&subject).map_or_else(|| was(detail), |t: Told| t.first);
            told.insert(subject, Told { first, last: digest });
        }
    })?;
    Ok((told, batches))
}

/// The code a record had before the evidence with this detail.
fn was(detail: &str) -> Option<[u8; 16]> {
    let detail: serde_json::Value = serde_json::from_str(detail).ok()?;
    from_hex(detail.get("was")?.as_str()?)
}

/// A code as text.
pub(super) fn hex(code: &[u8; 16]) -> String {
    code.iter().map(|b| format!("{b:02x}")).collect()
}

fn from_hex(text: &str) -> Option<[u8; 16]> {
    let bytes: Option<Vec<u8>> =
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect();
    bytes?.try_into().ok()
}
