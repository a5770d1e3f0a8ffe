//! Rows of people, their contacts, secrets and facts.

use domain::{
    access::Scope,
    ids::{AccountId, FactId, PersonId},
    parties::{Ability, FactKind, FactValue, LivingArrangement, PersonState, Sex, Span},
    regions::RegionCode,
    time::{At, Day},
};

use super::{ContactRow, Fact, Field, Look, Row, Secret, SecretKind, Summary, Whole};
use crate::{
    p,
    store::{Fault, Row as Found, Tx},
};

/// The columns of a person in the order `row` reads them.
macro_rules! columns {
    () => {
        "p.id, p.region, p.name, p.sex, p.birth, p.state, p.living, p.ability, p.hardships, p.hukou_region, \
         p.id_no, p.phone, p.address, p.lon, p.lat, p.language, p.hearing, p.batch, p.code, p.entered_at, p.updated_at"
    };
}
pub(super) use columns;

crate::statements! {
    INSERT = "INSERT INTO person (id, region, name, initials, sex, birth, state, living, ability, hardships,
            hukou_region, id_no, id_index, id_tail, phone, phone_index, phone_tail, address, lon, lat, language,
            hearing, batch, code, entered_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
            ?23, ?24, ?25, ?25)
        ON CONFLICT (id_index) DO NOTHING";
    UPDATE = "UPDATE person SET region = ?2, name = ?3, initials = ?4, sex = ?5, birth = ?6, state = ?7, living = ?8,
            ability = ?9, hardships = ?10, hukou_region = ?11, id_no = ?12, id_index = ?13, id_tail = ?14, phone = ?15,
            phone_index = ?16, phone_tail = ?17, address = ?18, lon = ?19, lat = ?20, language = ?21, hearing = ?22,
            code = ?23, updated_at = ?24
        WHERE id = ?1";
    UPDATE_SUMMARY = "UPDATE person SET state = ?2, living = ?3, ability = ?4, hardships = ?5, hukou_region = ?6,
            code = ?7, updated_at = ?8
        WHERE id = ?1";
    OF_ID = concat!("SELECT ", columns!(), " FROM person p WHERE p.id = ?1 AND p.region BETWEEN ?2 AND ?3");
    OF_NUMBER = concat!("SELECT ", columns!(), " FROM person p WHERE p.id_index = ?1");
    ALIKE = concat!("SELECT ", columns!(), " FROM person p
        WHERE p.name = ?1 AND p.region = ?2 AND p.birth = ?3 ORDER BY p.id LIMIT 1");
    OWN_PHONE = concat!("SELECT ", columns!(), " FROM person p
        WHERE p.phone_index = ?1 AND p.region BETWEEN ?2 AND ?3 ORDER BY p.id LIMIT 20");
    PHONE_OF_CONTACT = concat!("SELECT ", columns!(), ", k.id, k.relation, k.phone
        FROM contact k JOIN person p ON p.id = k.person
        WHERE k.phone_index = ?1 AND p.region BETWEEN ?2 AND ?3 ORDER BY p.id LIMIT 20");
    CONTACTS = "SELECT id, rank, name, relation, phone FROM contact WHERE person = ?1 ORDER BY rank";
    INSERT_CONTACT = "INSERT INTO contact (id, person, rank, name, relation, phone, phone_index)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    DROP_CONTACTS = "DELETE FROM contact WHERE person = ?1";
    SECRETS = "SELECT kind, value, known_at FROM person_secret WHERE person = ?1 ORDER BY kind";
    KEEP_SECRET = "INSERT INTO person_secret (person, kind, value, known_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (person, kind) DO UPDATE SET value = excluded.value, known_at = excluded.known_at";
    DROP_SECRET = "DELETE FROM person_secret WHERE person = ?1 AND kind = ?2";
    FACTS = "SELECT id, kind, value, source, valid_from, valid_to, known_at, known_to, by_account
        FROM person_fact WHERE person = ?1 ORDER BY id";
    INSERT_FACT = "INSERT INTO person_fact (id, person, kind, value, source, valid_from, valid_to, known_at, known_to,
            by_account)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL, ?9)";
    DOUBT_FACT = "UPDATE person_fact SET known_to = ?2 WHERE id = ?1 AND known_to IS NULL";
    PERSON_OF_FACT = "SELECT person FROM person_fact WHERE id = ?1";
    DUE = "SELECT DISTINCT person FROM person_fact
        WHERE known_to IS NULL AND (valid_from > ?1 AND valid_from <= ?2 OR valid_to > ?1 AND valid_to <= ?2)
        ORDER BY person";
    FIRST_ENTERED = "SELECT entered_at FROM person ORDER BY id LIMIT 1";
    LAST_REASON = "SELECT detail FROM evidence
        WHERE subject = ?1 AND act = 'person.revealed' AND by_account = ?2 AND at >= ?3
            AND detail NOT LIKE '%\"door_code\"%' ORDER BY seq DESC LIMIT 1";
    DOOR_OPENED = "SELECT seq FROM evidence WHERE subject = ?1 AND act = 'person.revealed' AND by_account = ?2
            AND at >= ?3 AND detail LIKE '%\"door_code\"%' LIMIT 1";
    LOOKS = "SELECT e.at, COALESCE(a.name, ''), e.role, e.detail
        FROM evidence e LEFT JOIN account a ON a.id = e.by_account
        WHERE e.subject = ?1 AND e.act = 'person.revealed' ORDER BY e.seq DESC LIMIT 200";
    HAPPENINGS = "SELECT e.at, e.act, e.detail, COALESCE(a.name, ''), e.role
        FROM evidence e LEFT JOIN account a ON a.id = e.by_account
        WHERE e.subject = ?1 AND e.act LIKE 'person.%' AND e.act <> 'person.revealed' ORDER BY e.seq DESC LIMIT 200";
    LAST_CHANGE = "SELECT e.at, e.by_account, e.detail FROM evidence e
        WHERE e.subject = ?1 AND e.act = 'person.changed' ORDER BY e.seq DESC LIMIT 1";
    // For verify: everything, person by person.
    PEOPLE_AFTER = concat!("SELECT ", columns!(), " FROM person p WHERE p.id > ?1 ORDER BY p.id LIMIT ?2");
    CONTACTS_BETWEEN = "SELECT id, rank, name, relation, phone, person FROM contact
        WHERE person BETWEEN ?1 AND ?2 ORDER BY person, rank";
    SECRETS_BETWEEN = "SELECT kind, value, known_at, person FROM person_secret
        WHERE person BETWEEN ?1 AND ?2 ORDER BY person, kind";
    FACTS_BETWEEN = "SELECT id, kind, value, source, valid_from, valid_to, known_at, known_to, by_account, person
        FROM person_fact WHERE person BETWEEN ?1 AND ?2 ORDER BY person, id";
    PROOFS = "SELECT subject, act, detail, digest FROM evidence
        WHERE act LIKE 'person.%' AND digest IS NOT NULL OR act = 'people.enrolled' ORDER BY seq";
    // Filling an empty register: these indexes are made at once from sorted rows instead of row by row.
    DROP_KIND = "DROP INDEX IF EXISTS person_kind";
    DROP_NAME = "DROP INDEX IF EXISTS person_name";
    DROP_INITIALS = "DROP INDEX IF EXISTS person_initials";
    DROP_BIRTH = "DROP INDEX IF EXISTS person_birth";
    DROP_ID_TAIL = "DROP INDEX IF EXISTS person_id_tail";
    DROP_PHONE = "DROP INDEX IF EXISTS person_phone";
    DROP_PHONE_TAIL = "DROP INDEX IF EXISTS person_phone_tail";
    DROP_CONTACT_PHONE = "DROP INDEX IF EXISTS contact_phone";
    MAKE_KIND = "CREATE INDEX IF NOT EXISTS person_kind ON person (kind, region, id, birth)";
    MAKE_NAME = "CREATE INDEX IF NOT EXISTS person_name ON person (name, region, id, birth, kind)";
    MAKE_INITIALS = "CREATE INDEX IF NOT EXISTS person_initials ON person (initials, region, id, birth, kind)";
    MAKE_BIRTH = "CREATE INDEX IF NOT EXISTS person_birth ON person (birth, region, id, kind)";
    MAKE_ID_TAIL = "CREATE INDEX IF NOT EXISTS person_id_tail ON person (id_tail)";
    MAKE_PHONE = "CREATE INDEX IF NOT EXISTS person_phone ON person (phone_index)";
    MAKE_PHONE_TAIL = "CREATE INDEX IF NOT EXISTS person_phone_tail ON person (phone_tail)";
    MAKE_CONTACT_PHONE = "CREATE INDEX IF NOT EXISTS contact_phone ON contact (phone_index)";
}

const DROPS: [&str; 8] = [
    DROP_KIND,
    DROP_NAME,
    DROP_INITIALS,
    DROP_BIRTH,
    DROP_ID_TAIL,
    DROP_PHONE,
    DROP_PHONE_TAIL,
    DROP_CONTACT_PHONE,
];
const MAKES: [&str; 8] = [
    MAKE_KIND,
    MAKE_NAME,
    MAKE_INITIALS,
    MAKE_BIRTH,
    MAKE_ID_TAIL,
    MAKE_PHONE,
    MAKE_PHONE_TAIL,
    MAKE_CONTACT_PHONE,
];

/// What one may look a person up by, blind.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Indexes {
    pub(super) id: Option<[u8; 16]>,
    pub(super) id_tail: Option<i64>,
    pub(super) phone: Option<i64>,
    pub(super) phone_tail: Option<i64>,
}

fn code_of(value: Option<&'static str>) -> &'static str {
    value.unwrap_or("")
}

/// Whether the row is new; `false` when the identity number is taken.
pub(super) fn insert(tx: &mut Tx<'_>, r: &Row, initials: &str, at: &Indexes) -> Result<bool, Fault> {
    let s = &r.summary;
    let (lon, lat) = (r.place.map(|p| p.0), r.place.map(|p| p.1));
    let rows = tx.execute(
        INSERT,
        p![
            r.id,
            r.region,
            r.name,
            initials,
            r.sex.code(),
            r.birth.to_string(),
            s.state.code(),
            code_of(s.living.map(LivingArrangement::code)),
            code_of(s.ability.map(Ability::code)),
            s.hardships,
            s.hukou,
            r.id_no,
            at.id,
            at.id_tail,
            r.phone,
            at.phone,
            at.phone_tail,
            r.address,
            lon,
            lat,
            r.language,
            r.hearing,
            r.batch,
            r.code,
            r.entered_at,
        ],
    )?;
    Ok(rows == 1)
}

pub(super) fn update(tx: &mut Tx<'_>, r: &Row, initials: &str, at: &Indexes) -> Result<(), Fault> {
    let s = &r.summary;
    let (lon, lat) = (r.place.map(|p| p.0), r.place.map(|p| p.1));
    tx.execute_one(
        UPDATE,
        p![
            r.id,
            r.region,
            r.name,
            initials,
            r.sex.code(),
            r.birth.to_string(),
            s.state.code(),
            code_of(s.living.map(LivingArrangement::code)),
            code_of(s.ability.map(Ability::code)),
            s.hardships,
            s.hukou,
            r.id_no,
            at.id,
            at.id_tail,
            r.phone,
            at.phone,
            at.phone_tail,
            r.address,
            lon,
            lat,
            r.language,
            r.hearing,
            r.code,
            r.updated_at,
        ],
    )
}

pub(super) fn update_summary(tx: &mut Tx<'_>, r: &Row) -> Result<(), Fault> {
    let s = &r.summary;
    let (living, ability) =
        (code_of(s.living.map(LivingArrangement::code)), code_of(s.ability.map(Ability::code)));
    tx.execute_one(
        UPDATE_SUMMARY,
        p![r.id, s.state.code(), living, ability, s.hardships, s.hukou, r.code, r.updated_at],
    )
}

/// An empty word stands for "not known".
fn known<T>(row: &Found<'_>, n: usize, parse: impl Fn(&str) -> Option<T> + Copy) -> Result<Option<T>, Fault> {
    row.word(n, |word| if word.is_empty() { Some(None) } else { parse(word).map(Some) })
}

fn code16(bytes: Vec<u8>) -> Result<[u8; 16], Fault> {
    bytes.try_into().map_err(|_| Fault::other("a code has 16 bytes"))
}

pub(super) fn row(row: &Found<'_>) -> Result<Row, Fault> {
    let sex: i64 = row.get(3)?;
    let (lon, lat): (Option<f64>, Option<f64>) = (row.get(13)?, row.get(14)?);
    Ok(Row {
        id: row.get(0)?,
        region: row.get(1)?,
        name: row.get(2)?,
        sex: u8::try_from(sex)
            .ok()
            .and_then(Sex::from_code)
            .ok_or_else(|| Fault::other(format!("person.sex {sex}")))?,
        birth: row.get(4)?,
        summary: Summary {
            state: row.word(5, PersonState::from_code)?,
            living: known(row, 6, LivingArrangement::from_code)?,
            ability: known(row, 7, Ability::from_code)?,
            hardships: row.get(8)?,
            hukou: row.get(9)?,
        },
        id_no: row.get(10)?,
        phone: row.get(11)?,
        address: row.get(12)?,
        place: lon.zip(lat),
        language: row.get(15)?,
        hearing: row.get(16)?,
        batch: row.get(17)?,
        code: code16(row.get(18)?)?,
        entered_at: row.get(19)?,
        updated_at: row.get(20)?,
    })
}

pub(super) fn find(tx: &mut Tx<'_>, id: PersonId, scope: Scope) -> Result<Option<Row>, Fault> {
    tx.find(OF_ID, p![id, scope.lo, scope.hi], row)
}

pub(super) fn of_number(tx: &mut Tx<'_>, index: [u8; 16]) -> Result<Option<Row>, Fault> {
    tx.find(OF_NUMBER, p![index], row)
}

pub(super) fn alike(
    tx: &mut Tx<'_>,
    name: &str,
    region: RegionCode,
    birth: Day,
) -> Result<Option<Row>, Fault> {
    tx.find(ALIKE, p![name, region, birth.to_string()], row)
}

pub(super) fn of_phone(tx: &mut Tx<'_>, index: i64, scope: Scope) -> Result<Vec<Row>, Fault> {
    tx.all(OWN_PHONE, p![index, scope.lo, scope.hi], row)
}

/// People who may be reached through a contact with this phone.
pub(super) fn of_contact_phone(
    tx: &mut Tx<'_>,
    index: i64,
    scope: Scope,
) -> Result<Vec<(Row, i64, String, Vec<u8>)>, Fault> {
    tx.all(PHONE_OF_CONTACT, p![index, scope.lo, scope.hi], |found| {
        Ok((row(found)?, found.get(21)?, found.get(22)?, found.get(23)?))
    })
}

fn contact(row: &Found<'_>) -> Result<ContactRow, Fault> {
    Ok(ContactRow {
        id: row.get(0)?,
        rank: row.get(1)?,
        name: row.get(2)?,
        relation: row.get(3)?,
        phone: row.get(4)?,
    })
}

pub(super) fn contacts(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<ContactRow>, Fault> {
    tx.all(CONTACTS, p![person], contact)
}

pub(super) fn insert_contact(
    tx: &mut Tx<'_>,
    person: PersonId,
    c: &ContactRow,
    phone_index: i64,
) -> Result<(), Fault> {
    tx.execute_one(INSERT_CONTACT, p![c.id, person, c.rank, c.name, c.relation, c.phone, phone_index])
}

pub(super) fn drop_contacts(tx: &mut Tx<'_>, person: PersonId) -> Result<(), Fault> {
    tx.execute(DROP_CONTACTS, p![person]).map(drop)
}

fn secret(row: &Found<'_>) -> Result<Secret, Fault> {
    Ok(Secret { kind: row.word(0, SecretKind::from_code)?, value: row.get(1)?, known_at: row.get(2)? })
}

pub(super) fn secrets(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Secret>, Fault> {
    tx.all(SECRETS, p![person], secret)
}

pub(super) fn keep_secret(tx: &mut Tx<'_>, person: PersonId, s: &Secret) -> Result<(), Fault> {
    tx.execute_one(KEEP_SECRET, p![person, s.kind.code(), s.value, s.known_at])
}

pub(super) fn drop_secret(tx: &mut Tx<'_>, person: PersonId, kind: SecretKind) -> Result<(), Fault> {
    tx.execute(DROP_SECRET, p![person, kind.code()]).map(drop)
}

fn fact(row: &Found<'_>) -> Result<Fact, Fault> {
    let kind = row.word(1, FactKind::from_code)?;
    Ok(Fact {
        id: row.get(0)?,
        value: row.word(2, |word| FactValue::parse(kind, word))?,
        source: row.get(3)?,
        span: Span { from: row.get(4)?, to: row.get(5)? },
        known_at: row.get(6)?,
        known_to: row.get(7)?,
        by: AccountId(row.get(8)?),
    })
}

pub(super) fn facts(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Fact>, Fault> {
    tx.all(FACTS, p![person], fact)
}

pub(super) fn insert_fact(tx: &mut Tx<'_>, person: PersonId, f: &Fact) -> Result<(), Fault> {
    let (from, to) = (f.span.from.to_string(), f.span.to.map(|d| d.to_string()));
    tx.execute_one(
        INSERT_FACT,
        p![f.id, person, f.value.kind().code(), f.value.code(), f.source, from, to, f.known_at, f.by],
    )
}

/// A fact is no longer believed from now on.
pub(super) fn doubt_fact(tx: &mut Tx<'_>, fact: FactId, now: At) -> Result<(), Fault> {
    tx.execute_one(DOUBT_FACT, p![fact, now])
}

pub(super) fn person_of_fact(tx: &mut Tx<'_>, fact: FactId) -> Result<Option<PersonId>, Fault> {
    tx.find(PERSON_OF_FACT, p![fact], |row| row.get(0))
}

/// People for whom a fact began or ended after one day and up to another.
pub(super) fn due(tx: &mut Tx<'_>, after: Day, to: Day) -> Result<Vec<PersonId>, Fault> {
    tx.all(DUE, p![after.to_string(), to.to_string()], |row| row.get(0))
}

/// The reason an account gave when it last looked at somebody since a moment.
pub(super) fn last_reason(
    tx: &mut Tx<'_>,
    person: PersonId,
    by: AccountId,
    since: At,
) -> Result<Option<String>, Fault> {
    let detail: Option<String> = tx.find(LAST_REASON, p![person, by, since], |row| row.get(0))?;
    Ok(detail.and_then(|d| word_of(&d, "reason")))
}

fn word_of(detail: &str, name: &str) -> Option<String> {
    let detail: serde_json::Value = serde_json::from_str(detail).ok()?;
    detail.get(name)?.as_str().map(str::to_owned)
}

/// Whether the door's code was opened for an account since then.
pub(super) fn door_opened(
    tx: &mut Tx<'_>,
    person: PersonId,
    by: AccountId,
    since: At,
) -> Result<bool, Fault> {
    Ok(tx.find(DOOR_OPENED, p![person, by, since], |_| Ok(()))?.is_some())
}

pub(super) fn looks(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Look>, Fault> {
    tx.all(LOOKS, p![person], |row| {
        let detail: String = row.get(3)?;
        Ok(Look {
            at: row.get(0)?,
            by_name: row.get(1)?,
            role: row.get(2)?,
            field: Field::label_of(&word_of(&detail, "field").unwrap_or_default()),
            reason: word_of(&detail, "reason").unwrap_or_default(),
        })
    })
}

/// What happened to a record: when, act, detail, who, in which role; the latest first.
pub(super) fn happenings(
    tx: &mut Tx<'_>,
    person: PersonId,
) -> Result<Vec<(At, String, String, String, String)>, Fault> {
    tx.all(HAPPENINGS, p![person], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
    })
}

/// The last change of a record.
pub(super) struct LastChange {
    pub(super) at: At,
    pub(super) by: AccountId,
    pub(super) detail: String,
}

/// The last change of a record, if there was one.
pub(super) fn last_change(tx: &mut Tx<'_>, person: PersonId) -> Result<Option<LastChange>, Fault> {
    tx.find(LAST_CHANGE, p![person], |row| {
        Ok(LastChange { at: row.get(0)?, by: AccountId(row.get(1)?), detail: row.get(2)? })
    })
}

/// When the first record was made.
pub(super) fn first_entered(tx: &mut Tx<'_>) -> Result<Option<At>, Fault> {
    tx.find(FIRST_ENTERED, p![], |row| row.get(0))
}

pub(super) fn whole(tx: &mut Tx<'_>, row: Row) -> Result<Whole, Fault> {
    let id = row.id;
    Ok(Whole { row, contacts: contacts(tx, id)?, secrets: secrets(tx, id)?, facts: facts(tx, id)? })
}

/// The next people by id with everything that hangs on them, for a check of them all.
pub(super) fn wholes_after(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<Whole>, Fault> {
    let rows = tx.all(PEOPLE_AFTER, p![after, limit], row)?;
    let (Some(first), Some(last)) = (rows.first().map(|r| r.id), rows.last().map(|r| r.id)) else {
        return Ok(Vec::new());
    };
    let mut wholes: Vec<Whole> = rows
        .into_iter()
        .map(|row| Whole { row, contacts: Vec::new(), secrets: Vec::new(), facts: Vec::new() })
        .collect();
    let mut place = |person: PersonId, put: &mut dyn FnMut(&mut Whole)| {
        if let Ok(at) = wholes.binary_search_by_key(&person, |w| w.row.id) {
            put(&mut wholes[at]);
        }
    };
    tx.each(CONTACTS_BETWEEN, p![first, last], |row| {
        let one = contact(row)?;
        place(row.get(5)?, &mut |w| w.contacts.push(one.clone()));
        Ok(())
    })?;
    tx.each(SECRETS_BETWEEN, p![first, last], |row| {
        let one = secret(row)?;
        place(row.get(3)?, &mut |w| w.secrets.push(one.clone()));
        Ok(())
    })?;
    tx.each(FACTS_BETWEEN, p![first, last], |row| {
        let one = fact(row)?;
        place(row.get(9)?, &mut |w| w.facts.push(one.clone()));
        Ok(())
    })?;
    Ok(wholes)
}

/// Every piece of evidence that names a code of a record or of a batch: subject, act, detail, digest.
pub(super) fn proofs(
    tx: &mut Tx<'_>,
    mut each: impl FnMut(i64, &str, &str, Option<[u8; 16]>),
) -> Result<(), Fault> {
    tx.each(PROOFS, p![], |row| {
        let digest: Option<Vec<u8>> = row.get(3)?;
        let (act, detail): (String, String) = (row.get(1)?, row.get(2)?);
        each(row.get(0)?, &act, &detail, digest.map(code16).transpose()?);
        Ok(())
    })
}

/// Takes away the indexes that cost most while many people are entered at once.
pub(super) fn drop_indexes(tx: &mut Tx<'_>) -> Result<(), Fault> {
    DROPS.into_iter().try_for_each(|drop| tx.execute(drop, p![]).map(std::mem::drop))
}

/// Makes them again.
pub(super) fn make_indexes(tx: &mut Tx<'_>) -> Result<(), Fault> {
    MAKES.into_iter().try_for_each(|make| tx.execute(make, p![]).map(std::mem::drop))
}
