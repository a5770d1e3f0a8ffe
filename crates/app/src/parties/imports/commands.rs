//! What people do with imports, and what they ask about them.

use domain::{
    access::{Act, Actor},
    ids::ImportId,
    time::Now,
};
use serde_json::json;

use super::{Choice, FILE_MAX, Import, ImportRefusal, Layout, Line, State, lines as shown, sql};
use crate::{
    evidence::Event,
    outcome::{Answer, Found, No, Outcome},
    store::{Fault, Store, Tx},
};

/// Under this name the vault keeps files.
const FILE: &str = "import_file";
/// Longest file name kept.
const NAME_CHARS: usize = 120;

/// A file as it came.
#[derive(Debug, Clone)]
pub struct Upload {
    /// As the clerk named it; only the last part of a path is kept.
    pub file_name: String,
    /// The whole file.
    pub bytes: Vec<u8>,
}

/// Takes a file; a worker reads it, and nothing is stored of it before [`accept`].
///
/// Not a part of a transaction: encrypting a large file takes longer than others should wait for.
pub fn start(store: &Store, actor: &Actor, upload: &Upload, now: Now) -> Outcome<ImportId, ImportRefusal> {
    keep(store, actor, upload, false, now)
}

/// Takes a file and stores at once whatever can be stored, for programs and the command line.
pub fn accept_at_once(
    store: &Store,
    actor: &Actor,
    upload: &Upload,
    now: Now,
) -> Outcome<ImportId, ImportRefusal> {
    keep(store, actor, upload, true, now)
}

fn keep(
    store: &Store,
    actor: &Actor,
    upload: &Upload,
    accepted: bool,
    now: Now,
) -> Outcome<ImportId, ImportRefusal> {
    actor.may(Act::ImportPeople)?;
    check_size(&upload.bytes).map_err(No::Refused)?;
    let id = store.read(move |tx| Ok::<_, Fault>(ImportId(tx.id(now))))?;
    let sealed = store.vault().encrypt_bytes(FILE, id.0, &upload.bytes);
    let size = i64::try_from(upload.bytes.len()).expect("limited above");
    let (name, actor) = (plain_name(&upload.file_name), actor.clone());
    store.write(move |tx| {
        sql::insert(tx, id, &actor, (&name, size), accepted, now.0)?;
        sql::insert_file(tx, id, &sealed)?;
        let act = if accepted { "import.accepted" } else { "import.started" };
        let detail = json!({ "file": name, "bytes": size });
        tx.record(&actor, now, event(act, id, actor.range.lo, detail))
    })?;
    Ok(id)
}

pub(super) fn check_size(bytes: &[u8]) -> Result<(), ImportRefusal> {
    match bytes.len() {
        0 => Err(ImportRefusal::Empty),
        n if n > FILE_MAX => Err(ImportRefusal::TooBig { megabytes: FILE_MAX / (1024 * 1024) }),
        _ => Ok(()),
    }
}

/// Old browsers send whole paths; what is left must not break a header or a page.
fn plain_name(sent: &str) -> String {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|c| !c.is_control()).take(NAME_CHARS).collect();
    let name = name.trim();
    if name.is_empty() { "名单".to_owned() } else { name.to_owned() }
}

/// An import belongs to a range rather than to a region; it is told where that begins.
pub(super) fn event(act: &'static str, id: ImportId, region: i64, detail: serde_json::Value) -> Event {
    Event { act, subject: id.0, region, detail, digest: None }
}

/// The file of an import.
pub(super) fn file(tx: &mut Tx<'_>, id: ImportId) -> Result<Vec<u8>, Fault> {
    let sealed = sql::file(tx, id)?;
    tx.vault().decrypt_bytes(FILE, id.0, &sealed)
}

/// One import, if it lies within the actor's regions.
pub fn find(tx: &mut Tx<'_>, actor: &Actor, id: ImportId) -> Outcome<Import, ImportRefusal> {
    actor.may(Act::ImportPeople)?;
    sql::find(tx, id, actor.range)?.found()
}

/// Imports within the actor's regions, latest first, before one of them.
pub fn list(tx: &mut Tx<'_>, actor: &Actor, before: Option<ImportId>, limit: i64) -> Answer<Vec<Import>> {
    actor.may(Act::ImportPeople)?;
    Ok(sql::list(tx, actor.range, before, limit.clamp(1, 201))?)
}

/// The actor's own imports a worker is at.
pub fn running(tx: &mut Tx<'_>, actor: &Actor) -> Answer<Vec<Import>> {
    actor.may(Act::ImportPeople)?;
    Ok(sql::running(tx, actor)?)
}

/// One page of the lines worth showing (from 0), and how many pages there are.
pub fn lines(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: ImportId,
    page: i64,
) -> Outcome<(Vec<Line>, i64), ImportRefusal> {
    find(tx, actor, id)?;
    let pages = sql::part_count(tx, id)?;
    let lines = match sql::part(tx, id, page)? {
        Some(part) => shown::opened(tx.vault(), id, &part)?,
        None => Vec::new(),
    };
    Ok((lines, pages))
}

/// Every line something is wrong with or that is worth a look, in the order of the file.
pub fn problems(tx: &mut Tx<'_>, actor: &Actor, id: ImportId) -> Outcome<Vec<Line>, ImportRefusal> {
    find(tx, actor, id)?;
    let mut all = Vec::new();
    for part in sql::parts(tx, id)? {
        all.extend(shown::opened(tx.vault(), id, &part)?.into_iter().filter(Line::problem));
    }
    all.sort_by_key(|line| line.row);
    Ok(all)
}

/// How the file was understood; none before it was read.
pub fn layout(tx: &mut Tx<'_>, actor: &Actor, id: ImportId) -> Outcome<Option<Layout>, ImportRefusal> {
    find(tx, actor, id)?;
    let sealed = sql::layout(tx, id)?;
    Ok(sealed.map(|sealed| Layout::opened(tx.vault(), id, &sealed)).transpose()?)
}

/// Says what the columns mean where the guess is wrong; the file is read again.
pub fn choose(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: ImportId,
    choice: &Choice,
    now: Now,
) -> Outcome<(), ImportRefusal> {
    let import = find(tx, actor, id)?;
    must_be_ready(import.state)?;
    if let Some(field) = choice.twice() {
        return Err(No::Refused(ImportRefusal::Twice(field)));
    }
    let layout = layout(tx, actor, id)?.unwrap_or_default();
    if let Some(sheet) = choice.sheet.as_ref().filter(|sheet| !layout.sheets.contains(sheet)) {
        return Err(No::Refused(ImportRefusal::NoSheet(sheet.clone())));
    }
    let same_sheet = choice.sheet.as_ref().is_none_or(|sheet| *sheet == layout.sheet);
    let known = |index: &u32| layout.columns.iter().any(|column| column.index == *index);
    if let Some(index) = choice.columns.keys().find(|index| !known(index)).filter(|_| same_sheet) {
        return Err(No::Refused(ImportRefusal::NoColumn(index + 1)));
    }
    if sql::choose(tx, id, choice, now.0)? == 0 {
        return Err(No::Refused(ImportRefusal::Over(import.state)));
    }
    Ok(tx.record(actor, now, event("import.remapped", id, import.range.lo, json!(choice)))?)
}

/// Lets what was found be stored.
pub fn accept(tx: &mut Tx<'_>, actor: &Actor, id: ImportId, now: Now) -> Outcome<(), ImportRefusal> {
    let import = find(tx, actor, id)?;
    must_be_ready(import.state)?;
    if import.counts.accepted() == 0 {
        return Err(No::Refused(ImportRefusal::NothingToTake));
    }
    if sql::accept(tx, id, actor, now.0)? == 0 {
        return Err(No::Refused(ImportRefusal::Over(import.state)));
    }
    Ok(tx.record(actor, now, event("import.accepted", id, import.range.lo, json!(import.counts)))?)
}

/// Stops an import at whatever it is. What was stored stays; the answer says what that is.
pub fn cancel(tx: &mut Tx<'_>, actor: &Actor, id: ImportId, now: Now) -> Outcome<Import, ImportRefusal> {
    let import = find(tx, actor, id)?;
    if sql::cancel(tx, id, now.0)? == 0 {
        return Err(No::Refused(ImportRefusal::Over(import.state)));
    }
    let detail = json!({ "while": import.state.code(), "rows_done": import.rows_done });
    tx.record(actor, now, event("import.cancelled", id, import.range.lo, detail))?;
    find(tx, actor, id)
}

fn must_be_ready(state: State) -> Outcome<(), ImportRefusal> {
    match state {
        State::Ready => Ok(()),
        State::Reading => Err(No::Refused(ImportRefusal::StillReading)),
        other => Err(No::Refused(ImportRefusal::Over(other))),
    }
}
