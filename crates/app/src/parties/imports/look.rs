//! Reading a file and comparing it with the register, before anything is stored.

use domain::{
    access::{Act, Actor},
    regions::{RegionCode, RegionRange},
    time::Now,
};

use super::{
    Choice, Counts, FILE_MAX, Fate, ImportRefusal, Layout, Line, LineFault, Upload, commands, lines, register,
};
use crate::{
    outcome::{No, Outcome},
    parties::sheet::{self, Book, Field, Limits, Mapping, Parsed, RegionText, Row, Rules, Watch},
    regions::{self, Named},
    settings,
    store::{Conflicting, Fault, Store},
};

/// What nobody is entered without. The number makes a second import of the same list harmless.
const REQUIRED: &[Field] = &[Field::Name, Field::IdNo, Field::Region];

/// A file that was read.
pub(super) struct Read {
    pub(super) book: Book,
    pub(super) mapping: Mapping,
    pub(super) parsed: Parsed,
}

/// What a file would do to the register.
#[derive(Debug, Clone)]
pub struct Looked {
    /// How many rows would fare how.
    pub counts: Counts,
    /// Lines worth showing, problems first.
    pub lines: Vec<Line>,
    /// How the file was understood.
    pub layout: Layout,
    /// Whether the header was understood at all; without it no row can be.
    pub header_found: bool,
}

/// Who is told how far it is, and who may stop it.
pub(super) struct Steps<'a> {
    pub(super) tell: &'a dyn Fn(usize, usize),
    pub(super) stop: &'a dyn Fn() -> bool,
}

/// Reads a file and says what it would do; stores nothing.
pub fn look(
    store: &Store,
    actor: &Actor,
    upload: &Upload,
    now: Now,
    tell: &dyn Fn(usize, usize),
) -> Outcome<Looked, ImportRefusal> {
    actor.may(Act::ImportPeople)?;
    commands::check_size(&upload.bytes).map_err(No::Refused)?;
    let steps = Steps { tell, stop: &|| false };
    let read = read(store, actor, upload, &Choice::default(), now, &steps)?;
    compared(store, actor, &read, now, &steps)
}

/// Reads a file by our guess and the clerk's word.
pub(super) fn read(
    store: &Store,
    actor: &Actor,
    upload: &Upload,
    choice: &Choice,
    now: Now,
    steps: &Steps<'_>,
) -> Outcome<Read, ImportRefusal> {
    let (regions, allow_test) = store
        .read(|tx| Ok::<_, Fault>((regions::book(tx)?, settings::yes(tx, settings::ALLOW_TEST_REGIONS)?)))?;
    let limits = Limits { file_bytes: FILE_MAX, ..Limits::default() };
    // Rows are counted when they are compared, which is what takes the time.
    let mut silent = |_, _| ();
    let mut watch = Watch::new(&mut silent, steps.stop);
    let refused = |refusal| No::Refused(ImportRefusal::Sheet(refusal));
    let book =
        sheet::read_sheet(&upload.file_name, &upload.bytes, choice.sheet.as_deref(), &limits, &mut watch)
            .map_err(refused)?;
    let mut mapping = book.mapping.clone();
    for (index, field) in &choice.columns {
        mapping.assign(*index, *field);
    }
    if !mapping.plausible() {
        return Ok(Read { book, mapping, parsed: Parsed::default() });
    }
    let within = |range: RegionRange, text: &RegionText| -> Result<i64, String> {
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        let (county, township, village, whole) =
            (part(&text.county), part(&text.township), part(&text.village), part(&text.whole));
        let named = Named { county: &county, township: &township, village: &village, whole: &whole };
        let found = regions.resolve(&named, range, now.day());
        found.map(RegionCode::number).map_err(|unresolved| unresolved.to_string())
    };
    let rules = Rules {
        resolve: &|text| within(actor.range, text),
        resolve_hukou: &|text| within(RegionRange::ALL, text),
        region_default: (actor.range.lo == actor.range.hi).then_some(actor.range.lo),
        allow_test,
        required: REQUIRED,
        today: now.day(),
    };
    let parsed = sheet::parse_table(&book.table, &mapping, &rules, &mut watch).map_err(refused)?;
    Ok(Read { book, mapping, parsed })
}

/// Compares a file with the register, in pieces, by doing everything and undoing it: what is foretold is what the same
/// code will do.
pub(super) fn compared(
    store: &Store,
    actor: &Actor,
    read: &Read,
    now: Now,
    steps: &Steps<'_>,
) -> Outcome<Looked, ImportRefusal> {
    let mut lines = rejected(read);
    let mut counts = parsed_counts(read);
    let all = read.parsed.people.len();
    for (at, chunk) in read.parsed.people.chunks(register::CHUNK).enumerate() {
        (steps.tell)(at * register::CHUNK, all);
        if (steps.stop)() {
            return Err(No::Refused(ImportRefusal::Sheet(sheet::SheetRefusal::Stopped)));
        }
        let (people, actor) = (chunk.to_vec(), actor.clone());
        let fates = match store
            .write(move |tx| Err::<(), _>(Undone::of(register::register(tx, &actor, &people, now))))
        {
            Err(Undone::Fates(fates)) => fates,
            Err(Undone::Fault(fault)) => return Err(No::Fault(fault)),
            Ok(()) => unreachable!("the work above never succeeds"),
        };
        for (person, fate) in chunk.iter().zip(fates) {
            let mut line = Line::of_person(person, fate.fate());
            line.faults.extend(fate.fault(person, &read.mapping));
            count(&mut counts, line.fate);
            lines.push(line);
        }
    }
    (steps.tell)(all, all);
    counts.warned = warned(&lines);
    Ok(Looked {
        counts,
        lines: lines::worth_showing(lines),
        layout: Layout::of(&read.book, &read.mapping),
        header_found: read.mapping.plausible(),
    })
}

/// What a rehearsed piece of work answers; being an error, it is undone.
enum Undone {
    Fates(Vec<register::Registered>),
    Fault(Fault),
}

impl Undone {
    fn of(done: Result<Vec<register::Registered>, Fault>) -> Undone {
        done.map_or_else(Undone::Fault, Undone::Fates)
    }
}

impl From<Fault> for Undone {
    fn from(fault: Fault) -> Undone {
        Undone::Fault(fault)
    }
}

impl Conflicting for Undone {
    fn conflict(&self) -> bool {
        matches!(self, Undone::Fault(fault) if fault.conflict())
    }
}

/// The counts that do not depend on the register.
pub(super) fn parsed_counts(read: &Read) -> Counts {
    let mut rows: Vec<u32> = read.parsed.errors.iter().map(|e| e.row).collect();
    rows.dedup();
    let size = |n: usize| i64::try_from(n).expect("rows are limited when the table is read");
    Counts {
        rejected: size(rows.len()),
        warned: size(read.parsed.people.iter().filter(|p| !p.warnings.is_empty()).count()),
        skipped: size(read.parsed.skipped.len()),
        ..Counts::default()
    }
}

/// A line for each row that cannot be taken, whatever the register says.
pub(super) fn rejected(read: &Read) -> Vec<Line> {
    let mut lines = Vec::<Line>::new();
    for error in &read.parsed.errors {
        match lines.last_mut() {
            Some(line) if line.row == error.row => line.faults.push(LineFault::from(error)),
            _ => {
                let at = read.book.table.rows.binary_search_by_key(&error.row, |row| row.number);
                let none = Row { number: error.row, cells: Vec::new() };
                let row = at.map_or(&none, |at| &read.book.table.rows[at]);
                lines.push(Line::of_row(row, &read.mapping, Fate::Rejected, vec![LineFault::from(error)]));
            }
        }
    }
    lines
}

pub(super) fn count(counts: &mut Counts, fate: Fate) {
    match fate {
        Fate::Rejected => counts.rejected += 1,
        Fate::Added => counts.added += 1,
        Fate::Changed => counts.changed += 1,
        Fate::Unchanged => counts.unchanged += 1,
    }
}

fn warned(lines: &[Line]) -> i64 {
    let warned = lines.iter().filter(|line| line.fate != Fate::Rejected && line.problem()).count();
    i64::try_from(warned).expect("rows are limited when the table is read")
}
