//! Entering people, one by one or by the hundred thousand.

use std::sync::Arc;

use domain::{
    access::{Act, Actor},
    ids::{AccountId, ContactId, FactId, PersonId},
    parties::{IdKind, IdNumber, PersonState, Sex},
    regions::{Level, RegionCode},
    time::{Day, Now},
};
use serde_json::json;

use super::{
    ContactRow, EnrolRefusal, Fact, NewContact, NewFact, NewPerson, PHONE, Row, Secret, SecretKind, Summary,
    Whole,
    code::BatchDigest,
    edit::{self, Open},
    id_index,
    refusals::said,
    sql::{self, Indexes},
    tail,
};
use crate::{
    evidence::Event,
    outcome::{No, Outcome},
    regions::{self, RegionBook},
    settings,
    store::{Fault, Store, Tx, Vault},
};

/// What came of entering somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enrolled {
    /// Was not on the register.
    New(PersonId),
    /// Was, and nothing is different.
    Unchanged(PersonId),
    /// Was, and something was added or changed.
    Changed(PersonId),
}

impl Enrolled {
    /// Whom it is about.
    pub fn person(self) -> PersonId {
        match self {
            Enrolled::New(id) | Enrolled::Unchanged(id) | Enrolled::Changed(id) => id,
        }
    }
}

/// Fewest people for whose encryption further threads are worth their start.
const ALONE_MOST: usize = 500;
/// Threads that encrypt a large batch.
const THREADS: usize = 4;

/// Enters somebody. The same identity number a second time brings the record up to date; what is left empty then is
/// left as it was.
pub fn enrol(tx: &mut Tx<'_>, actor: &Actor, new: &NewPerson, now: Now) -> Outcome<Enrolled, EnrolRefusal> {
    actor.may(Act::EditPeople)?;
    let gate = Gate::open(tx, actor, now)?;
    gate.check(new).map_err(No::Refused)?;
    if let Some(refusal) = stands_in_the_way(tx, new)? {
        return Err(No::Refused(refusal));
    }
    let id = tx.id(now);
    let ids: Vec<i64> = (0..rows_below(new)).map(|_| tx.id(now)).collect();
    let maker = Maker { now, by: actor.account, batch: id };
    let (whole, indexes) = maker.make(new, id, &ids, tx.vault());
    if !save(tx, new, &whole, &indexes, &new.name.initials())? {
        return again(tx, actor, new, now);
    }
    let detail = json!({ "facts": new.facts.len(), "contacts": new.contacts.len() });
    let event = Event::new("person.enrolled", id, new.region, detail).leaving(whole.row.code);
    tx.record(actor, now, event)?;
    Ok(Enrolled::New(PersonId(id)))
}

/// Enters many people at once, under one evidence for all that are new. Answers one by one, in order; a refusal of one
/// does not touch the others.
pub fn enrol_many(
    tx: &mut Tx<'_>,
    actor: &Actor,
    people: &[NewPerson],
    now: Now,
) -> Outcome<Vec<Result<Enrolled, EnrolRefusal>>, EnrolRefusal> {
    let ids = Ids::take(people, || tx.id(now));
    let made = ids.make(people, actor, tx.vault(), now);
    enrol_made(tx, actor, people, &made, now)
}

/// People made ready to be entered, which is most of the work and needs no transaction.
pub struct Prepared {
    people: Vec<NewPerson>,
    made: Made,
}

impl Prepared {
    /// How many.
    pub fn count(&self) -> usize {
        self.people.len()
    }
}

/// Makes many people ready while the store writes others.
pub fn prepare(store: &Store, actor: &Actor, people: Vec<NewPerson>, now: Now) -> Prepared {
    let made = Ids::take(&people, || store.id(now)).make(&people, actor, store.vault(), now);
    Prepared { people, made }
}

/// Enters people who were made ready; as [`enrol_many`] otherwise.
pub fn enrol_prepared(
    tx: &mut Tx<'_>,
    actor: &Actor,
    prepared: &Prepared,
    now: Now,
) -> Outcome<Vec<Result<Enrolled, EnrolRefusal>>, EnrolRefusal> {
    enrol_made(tx, actor, &prepared.people, &prepared.made, now)
}

fn enrol_made(
    tx: &mut Tx<'_>,
    actor: &Actor,
    people: &[NewPerson],
    made: &Made,
    now: Now,
) -> Outcome<Vec<Result<Enrolled, EnrolRefusal>>, EnrolRefusal> {
    actor.may(Act::ImportPeople)?;
    let gate = Gate::open(tx, actor, now)?;
    let mut answers = Vec::with_capacity(people.len());
    let (mut digest, mut regions) = (BatchDigest::new(), Vec::new());
    for (new, Record { whole, indexes, initials }) in people.iter().zip(&made.records) {
        let mut answer = match gate.check(new) {
            Ok(()) => stands_in_the_way(tx, new)?.map_or(Ok(()), Err),
            Err(refusal) => Err(refusal),
        };
        if answer.is_ok() && !save(tx, new, whole, indexes, initials)? {
            let changed = match again(tx, actor, new, now) {
                Ok(enrolled) => Ok(enrolled),
                Err(No::Refused(refusal)) => Err(refusal),
                Err(other) => return Err(other),
            };
            answers.push(changed);
            continue;
        }
        if answer.is_ok() {
            digest.take(whole.row.id.0, &whole.row.code);
            if regions.last() != Some(&new.region) {
                regions.push(new.region);
            }
        }
        answers.push(std::mem::replace(&mut answer, Ok(())).map(|()| Enrolled::New(whole.row.id)));
    }
    if digest.people > 0 {
        let detail = json!({ "people": digest.people });
        let region = common(&regions).map_or(0, RegionCode::number);
        let event = Event { act: "people.enrolled", subject: made.batch, region, detail, digest: None };
        tx.record(actor, now, event.leaving(digest.finish()))?;
    }
    Ok(answers)
}

/// Before an empty register is filled with a whole city: takes away the indexes that cost most to keep row by row.
/// Nobody else must be at work until [`end_bulk`].
///
/// # Errors
/// When the database fails.
pub fn begin_bulk(tx: &mut Tx<'_>) -> Result<(), Fault> {
    sql::drop_indexes(tx)
}

/// After it: makes the indexes again.
///
/// # Errors
/// When the database fails.
pub fn end_bulk(tx: &mut Tx<'_>) -> Result<(), Fault> {
    sql::make_indexes(tx)
}

/// The smallest region that holds all of these.
fn common(regions: &[RegionCode]) -> Option<RegionCode> {
    let mut all = *regions.first()?;
    for region in regions {
        while !all.range().holds(*region) {
            all = all.parent()?;
        }
    }
    Some(all)
}

/// What must be true of everybody one enters, with what is needed to tell.
pub(super) struct Gate {
    pub(super) book: Arc<RegionBook>,
    allow_test: bool,
    range: domain::regions::RegionRange,
    today: Day,
}

impl Gate {
    pub(super) fn open(tx: &mut Tx<'_>, actor: &Actor, now: Now) -> Result<Gate, Fault> {
        Ok(Gate {
            book: regions::book(tx)?,
            allow_test: settings::yes(tx, settings::ALLOW_TEST_REGIONS)?,
            range: actor.range,
            today: now.day(),
        })
    }

    pub(super) fn check(&self, new: &NewPerson) -> Result<(), EnrolRefusal> {
        self.region(new.region)?;
        self.identity(new.id_no.as_ref(), new.birth, new.sex)?;
        let address = if new.address.trim().is_empty() { "（不变）" } else { &new.address };
        words(address, [&new.language, &new.hearing, &new.health, &new.door_code], &new.contacts)?;
        overlaps(&new.facts)
    }

    /// The same of a change; what stays as it was is not judged again (a village may have been merged since).
    pub(super) fn check_change(&self, before: &Open, after: &Open) -> Result<(), EnrolRefusal> {
        if before.region != after.region {
            self.region(after.region)?;
        }
        if (&before.id_no, before.birth, before.sex) != (&after.id_no, after.birth, after.sex) {
            let id_no = Some(&after.id_no).filter(|no| !no.is_empty()).map(|no| IdNumber::parse(no, true));
            let id_no = id_no.transpose().map_err(|_| EnrolRefusal::AgainstId)?;
            self.identity(id_no.as_ref(), after.birth, after.sex)?;
        }
        words(
            &after.address,
            [&after.language, &after.hearing, &after.health, &after.door_code],
            &after.contacts,
        )
    }

    fn region(&self, region: RegionCode) -> Result<(), EnrolRefusal> {
        if self.book.at(region, self.today).is_none() {
            return Err(EnrolRefusal::RegionUnknown(region.to_string()));
        }
        if region.level() < Level::Village {
            return Err(EnrolRefusal::RegionTooHigh(self.book.path_of(region)));
        }
        if !self.range.holds(region) {
            return Err(EnrolRefusal::OutsideRange(self.book.path_of(region)));
        }
        Ok(())
    }

    fn identity(&self, id_no: Option<&IdNumber>, birth: Day, sex: Sex) -> Result<(), EnrolRefusal> {
        if birth > self.today {
            return Err(EnrolRefusal::BornLater(birth));
        }
        let Some(id_no) = id_no else { return Ok(()) };
        // County part 99 belongs to no county, so only made-up numbers carry it.
        if !self.allow_test && id_no.kind() == IdKind::Resident && id_no.area() % 100 == 99 {
            return Err(EnrolRefusal::TestRegion);
        }
        if id_no.birth() != birth || id_no.sex() != sex {
            return Err(EnrolRefusal::AgainstId);
        }
        Ok(())
    }
}

fn words(
    address: &str,
    [language, hearing, health, door_code]: [&str; 4],
    contacts: &[NewContact],
) -> Result<(), EnrolRefusal> {
    let fits = |text: &str, most| (1..=most).contains(&text.trim().chars().count());
    if !fits(address, 200) {
        return Err(EnrolRefusal::Address);
    }
    for (what, words, most) in
        [("语言", language, 20), ("听力", hearing, 20), ("健康情况", health, 2_000), ("门码", door_code, 40)]
    {
        if words.chars().count() > most {
            return Err(EnrolRefusal::TooLong(what));
        }
    }
    if contacts.len() > 10 || contacts.iter().any(|c| !fits(&c.name, 30) || !fits(&c.relation, 20)) {
        return Err(EnrolRefusal::Contacts);
    }
    Ok(())
}

fn overlaps(facts: &[NewFact]) -> Result<(), EnrolRefusal> {
    for (at, one) in facts.iter().enumerate() {
        if one.span.to.is_some_and(|to| to <= one.span.from) {
            return Err(EnrolRefusal::Overlap(said(&one.value, one.span), said(&one.value, one.span)));
        }
        let rival = facts[..at].iter().find(|o| o.value.rivals(&one.value) && o.span.overlaps(one.span));
        if let Some(rival) = rival {
            return Err(EnrolRefusal::Overlap(said(&rival.value, rival.span), said(&one.value, one.span)));
        }
    }
    Ok(())
}

/// What only the register can have against an entry.
fn stands_in_the_way(tx: &mut Tx<'_>, new: &NewPerson) -> Result<Option<EnrolRefusal>, Fault> {
    // A second entry leaves the address as it was when it has none; whoever is new needs one.
    if new.address.trim().is_empty() {
        let index = new.id_no.as_ref().map(|no| id_index(tx.vault(), no));
        if index.map(|i| sql::of_number(tx, i)).transpose()?.flatten().is_none() {
            return Ok(Some(EnrolRefusal::Address));
        }
    }
    alike(tx, new)
}

/// Without a number a name, a birthday and a village are all there is to tell people apart.
fn alike(tx: &mut Tx<'_>, new: &NewPerson) -> Result<Option<EnrolRefusal>, Fault> {
    if new.id_no.is_some() {
        return Ok(None);
    }
    let there = sql::alike(tx, new.name.as_str(), new.region, new.birth)?;
    Ok(there.map(|row| EnrolRefusal::Alike { name: row.name, person: row.id }))
}

/// How many ids somebody needs besides the own one.
fn rows_below(new: &NewPerson) -> usize {
    new.contacts.len() + new.facts.len()
}

/// A record as it will stand in the register.
struct Record {
    whole: Whole,
    indexes: Indexes,
    initials: String,
}

/// The records of one batch, in the order of the people.
struct Made {
    batch: i64,
    records: Vec<Record>,
}

/// Ids for a batch, its people and everything below them.
struct Ids {
    batch: i64,
    all: Vec<i64>,
    /// Where in `all` each person's begin.
    starts: Vec<usize>,
}

impl Ids {
    fn take(people: &[NewPerson], mut next: impl FnMut() -> i64) -> Ids {
        let batch = next();
        let mut all = Vec::with_capacity(people.len() * 6);
        let mut starts = Vec::with_capacity(people.len());
        for new in people {
            starts.push(all.len());
            all.extend((0..=rows_below(new)).map(|_| next()));
        }
        Ids { batch, all, starts }
    }

    fn make(&self, people: &[NewPerson], actor: &Actor, vault: &Vault, now: Now) -> Made {
        let maker = Maker { now, by: actor.account, batch: self.batch };
        let one = |(new, at): (&NewPerson, &usize)| {
            let (whole, indexes) = maker.make(new, self.all[*at], &self.all[at + 1..], vault);
            Record { whole, indexes, initials: new.name.initials() }
        };
        let work = |people: &[NewPerson], starts: &[usize]| -> Vec<Record> {
            people.iter().zip(starts).map(one).collect()
        };
        if people.len() <= ALONE_MOST {
            return Made { batch: self.batch, records: work(people, &self.starts) };
        }
        let share = people.len().div_ceil(THREADS);
        let records = std::thread::scope(|scope| {
            let parts: Vec<_> = people
                .chunks(share)
                .zip(self.starts.chunks(share))
                .map(|(people, starts)| scope.spawn(|| work(people, starts)))
                .collect();
            let done = parts.into_iter().flat_map(|part| part.join().expect("encrypting does not panic"));
            done.collect()
        });
        Made { batch: self.batch, records }
    }
}

/// Makes records from what was entered; encrypts, so this is most of the work.
struct Maker {
    now: Now,
    by: AccountId,
    batch: i64,
}

impl Maker {
    /// `ids` has one for each contact, then one for each fact.
    fn make(&self, new: &NewPerson, id: i64, ids: &[i64], vault: &Vault) -> (Whole, Indexes) {
        let mut ids = ids.iter().copied();
        let mut next = || ids.next().expect("one id was taken for each row");
        let contacts = contact_rows(&new.contacts, &mut next, vault);
        let facts: Vec<Fact> = new.facts.iter().map(|f| self.fact(f, next())).collect();
        let secret = |kind: SecretKind, open: &str| Secret {
            kind,
            value: vault.encrypt(kind.code(), id, open),
            known_at: self.now.0,
        };
        let bank = new.bank_card.as_ref().map(|card| secret(SecretKind::BankCard, card.reveal()));
        let health = Some(new.health.trim()).filter(|h| !h.is_empty()).map(|h| secret(SecretKind::Health, h));
        let door = Some(new.door_code.trim()).filter(|c| !c.is_empty());
        let door = door.map(|code| secret(SecretKind::DoorCode, code));
        let row = Row {
            id: PersonId(id),
            region: new.region,
            name: new.name.as_str().to_owned(),
            sex: new.sex,
            birth: new.birth,
            summary: Summary::of(&facts, self.now.day()),
            id_no: new.id_no.as_ref().map(|no| vault.encrypt("id_no", id, no.reveal())),
            phone: new.phone.as_ref().map(|no| vault.encrypt(PHONE, id, no.reveal())),
            address: new.address.trim().to_owned(),
            place: new.place,
            language: new.language.trim().to_owned(),
            hearing: new.hearing.trim().to_owned(),
            batch: self.batch,
            code: [0; 16],
            entered_at: self.now.0,
            updated_at: self.now.0,
        };
        let mut whole =
            Whole { row, contacts, secrets: bank.into_iter().chain(door).chain(health).collect(), facts };
        whole.row.code = whole.code(vault);
        let indexes = Indexes {
            id: new.id_no.as_ref().map(|no| id_index(vault, no)),
            id_tail: new.id_no.as_ref().map(|no| tail(vault, "id_tail", no.reveal())),
            phone: new.phone.as_ref().map(|no| vault.index(PHONE, no.reveal())),
            phone_tail: new.phone.as_ref().map(|no| tail(vault, "phone_tail", no.reveal())),
        };
        (whole, indexes)
    }

    fn fact(&self, new: &NewFact, id: i64) -> Fact {
        Fact {
            id: FactId(id),
            value: new.value.clone(),
            span: new.span,
            source: new.source.clone(),
            known_at: self.now.0,
            known_to: None,
            by: self.by,
        }
    }
}

/// Rows of contacts in their order; `next` gives an id for each.
pub(super) fn contact_rows(
    contacts: &[NewContact],
    mut next: impl FnMut() -> i64,
    vault: &Vault,
) -> Vec<ContactRow> {
    let each = contacts.iter().zip(1..);
    each.map(|(c, rank)| {
        let id = next();
        ContactRow {
            id: ContactId(id),
            rank,
            name: c.name.trim().to_owned(),
            relation: c.relation.trim().to_owned(),
            phone: vault.encrypt(PHONE, id, c.phone.reveal()),
        }
    })
    .collect()
}

/// Whether the record is new; nothing is written when the number is taken.
fn save(
    tx: &mut Tx<'_>,
    new: &NewPerson,
    whole: &Whole,
    indexes: &Indexes,
    initials: &str,
) -> Result<bool, Fault> {
    if !sql::insert(tx, &whole.row, initials, indexes)? {
        return Ok(false);
    }
    for (row, contact) in whole.contacts.iter().zip(&new.contacts) {
        let index = tx.vault().index(PHONE, contact.phone.reveal());
        sql::insert_contact(tx, whole.row.id, row, index)?;
    }
    for secret in &whole.secrets {
        sql::keep_secret(tx, whole.row.id, secret)?;
    }
    for fact in &whole.facts {
        sql::insert_fact(tx, whole.row.id, fact)?;
    }
    Ok(true)
}

/// Somebody with this number is there already: brings the record up to date.
fn again(tx: &mut Tx<'_>, actor: &Actor, new: &NewPerson, now: Now) -> Outcome<Enrolled, EnrolRefusal> {
    let index = new.id_no.as_ref().map(|no| id_index(tx.vault(), no));
    let Some(row) = index.map(|i| sql::of_number(tx, i)).transpose()?.flatten() else {
        return Err(Fault::other("an identity number was taken and is not there").into());
    };
    if !actor.sees(row.region) {
        return Err(No::Refused(EnrolRefusal::RegisteredElsewhere));
    }
    if row.summary.state == PersonState::Deceased {
        return Err(No::Refused(EnrolRefusal::Deceased));
    }
    let id = row.id;
    let mut whole = sql::whole(tx, row)?;
    let changed = edit::take_over(tx, actor, &mut whole, new, now)?;
    Ok(if changed { Enrolled::Changed(id) } else { Enrolled::Unchanged(id) })
}
