//! Changing a record: what it says now, what it is to say, and the difference kept in the log.

use domain::{
    access::Actor,
    ids::{ContactId, PersonId},
    parties::{BankCard, IdNumber, PersonName, PersonState, Phone, Sex},
    regions::RegionCode,
    time::{At, Day, Now},
};
use serde_json::json;

use super::{
    EditRefusal, EnrolRefusal, Fact, FactRefusal, NewContact, NewPerson, PHONE, Secret, SecretKind, Whole,
    enrol::{Gate, contact_rows},
    facts::{self, Desk, Plan},
    refusals::said,
    sql::{self, Indexes},
    tail,
};
use crate::{
    outcome::{No, Outcome},
    store::{Fault, Tx, Vault},
};

/// What one wants to change; `None` leaves a thing as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The version one saw; refused when somebody changed the record since.
    pub seen: Option<At>,
    /// Name.
    pub name: Option<PersonName>,
    /// Identity number; brings its sex and birth.
    pub id_no: Option<IdNumber>,
    /// Sex, for people without a number.
    pub sex: Option<Sex>,
    /// Birth, for people without a number.
    pub birth: Option<Day>,
    /// Village or community of residence.
    pub region: Option<RegionCode>,
    /// House and door.
    pub address: Option<String>,
    /// Longitude and latitude.
    pub place: Option<(f64, f64)>,
    /// Own phone; `Some(None)` takes it away.
    pub phone: Option<Option<Phone>>,
    /// Language or dialect.
    pub language: Option<String>,
    /// Hearing.
    pub hearing: Option<String>,
    /// Bank card; `Some(None)` takes it away.
    pub bank_card: Option<Option<BankCard>>,
    /// Health; empty takes it away.
    pub health: Option<String>,
    /// Code of the door; empty takes it away.
    pub door_code: Option<String>,
    /// The whole list of contacts.
    pub contacts: Option<Vec<ContactChange>>,
}

/// A contact of the new list.
#[derive(Debug, Clone)]
pub struct ContactChange {
    /// The contact it was, whose phone stays when none is given.
    pub was: Option<ContactId>,
    /// Name.
    pub name: String,
    /// Who that is to the person.
    pub relation: String,
    /// Phone; none keeps that of `was`.
    pub phone: Option<Phone>,
}

/// A record with its secrets open, for comparing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Open {
    pub(super) name: String,
    pub(super) sex: Sex,
    pub(super) birth: Day,
    pub(super) id_no: String,
    pub(super) region: RegionCode,
    pub(super) address: String,
    pub(super) place: Option<(f64, f64)>,
    pub(super) phone: String,
    pub(super) language: String,
    pub(super) hearing: String,
    pub(super) bank_card: String,
    pub(super) health: String,
    pub(super) door_code: String,
    pub(super) contacts: Vec<NewContact>,
}

impl Open {
    pub(super) fn of(whole: &Whole, vault: &Vault) -> Result<Open, Fault> {
        let r = &whole.row;
        let open = |kind: &str, owner: i64, sealed: Option<&[u8]>| -> Result<String, Fault> {
            sealed.map_or(Ok(String::new()), |s| vault.decrypt(kind, owner, s))
        };
        let secret = |kind: SecretKind| -> Result<String, Fault> {
            open(kind.code(), r.id.0, whole.secret(kind).map(|s| &s.value[..]))
        };
        let contacts: Result<Vec<NewContact>, Fault> = whole
            .contacts
            .iter()
            .map(|c| {
                let number = open(PHONE, c.id.0, Some(&c.phone))?;
                let phone =
                    Phone::parse(&number).map_err(|e| Fault::other(format!("contact {}: {e}", c.id)))?;
                Ok(NewContact { name: c.name.clone(), relation: c.relation.clone(), phone })
            })
            .collect();
        Ok(Open {
            name: r.name.clone(),
            sex: r.sex,
            birth: r.birth,
            id_no: open("id_no", r.id.0, r.id_no.as_deref())?,
            region: r.region,
            address: r.address.clone(),
            place: r.place,
            phone: open(PHONE, r.id.0, r.phone.as_deref())?,
            language: r.language.clone(),
            hearing: r.hearing.clone(),
            bank_card: secret(SecretKind::BankCard)?,
            health: secret(SecretKind::Health)?,
            door_code: secret(SecretKind::DoorCode)?,
            contacts: contacts?,
        })
    }

    /// The same with what a second entry says; what it leaves empty stays.
    pub(super) fn with(&self, new: &NewPerson) -> Open {
        let or =
            |new: &str, old: &str| if new.trim().is_empty() { old.to_owned() } else { new.trim().to_owned() };
        let phone = new.phone.as_ref().map_or("", |p| p.reveal());
        Open {
            name: new.name.as_str().to_owned(),
            region: new.region,
            address: or(&new.address, &self.address),
            place: new.place.or(self.place),
            phone: or(phone, &self.phone),
            language: or(&new.language, &self.language),
            hearing: or(&new.hearing, &self.hearing),
            bank_card: or(new.bank_card.as_ref().map_or("", |c| c.reveal()), &self.bank_card),
            health: or(&new.health, &self.health),
            door_code: or(&new.door_code, &self.door_code),
            contacts: joined(&self.contacts, &new.contacts),
            ..self.clone()
        }
    }

    /// Names of the fields that differ.
    fn differences(&self, other: &Open) -> Vec<&'static str> {
        let differ = [
            ("name", self.name != other.name),
            ("sex", self.sex != other.sex),
            ("birth", self.birth != other.birth),
            ("id_no", self.id_no != other.id_no),
            ("region", self.region != other.region),
            ("address", self.address != other.address),
            ("place", self.place != other.place),
            ("phone", self.phone != other.phone),
            ("language", self.language != other.language),
            ("hearing", self.hearing != other.hearing),
            ("bank_card", self.bank_card != other.bank_card),
            ("health", self.health != other.health),
            ("door_code", self.door_code != other.door_code),
            ("contacts", self.contacts != other.contacts),
        ];
        differ.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
    }
}

/// Who was to be called already stays, in their order; somebody with another number comes after them.
fn joined(known: &[NewContact], new: &[NewContact]) -> Vec<NewContact> {
    let unknown = new.iter().filter(|n| !known.iter().any(|k| k.phone == n.phone));
    known.iter().chain(unknown).cloned().collect()
}

/// Changes a record.
pub fn edit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: PersonId,
    change: &Change,
    now: Now,
) -> Outcome<(), EditRefusal> {
    let refuse = |refusal| Err(No::Refused(refusal));
    let mut whole = facts::opened(tx, actor, id)?;
    if change.seen.is_some_and(|seen| seen != whole.row.updated_at) {
        return refuse(EditRefusal::ChangedMeanwhile);
    }
    if whole.row.summary.state == PersonState::Deceased {
        return refuse(EditRefusal::Locked);
    }
    let before = Open::of(&whole, tx.vault())?;
    let Some(after) = changed(&before, &whole, change) else {
        return refuse(EditRefusal::Entry(EnrolRefusal::Contacts));
    };
    let gate = Gate::open(tx, actor, now)?;
    gate.check_change(&before, &after).map_err(|e| No::Refused(EditRefusal::Entry(e)))?;
    if before == after {
        return refuse(EditRefusal::Nothing);
    }
    if before.id_no != after.id_no {
        let index = tx.vault().index16("id_no", &after.id_no);
        if sql::of_number(tx, index)?.is_some_and(|other| other.id != id) {
            return refuse(EditRefusal::Entry(EnrolRefusal::NumberTaken));
        }
    }
    write(tx, actor, &mut whole, &before, &after, &Plan::default(), "person.changed", now)?;
    Ok(())
}

/// What the record is to say; `None` when a contact has no phone.
fn changed(before: &Open, whole: &Whole, change: &Change) -> Option<Open> {
    let mut after = before.clone();
    let set = |field: &mut String, new: &Option<String>| {
        if let Some(new) = new {
            new.trim().clone_into(field);
        }
    };
    if let Some(name) = &change.name {
        name.as_str().clone_into(&mut after.name);
    }
    after.sex = change.sex.unwrap_or(after.sex);
    after.birth = change.birth.unwrap_or(after.birth);
    if let Some(id_no) = &change.id_no {
        id_no.reveal().clone_into(&mut after.id_no);
        (after.sex, after.birth) = (id_no.sex(), id_no.birth());
    }
    after.region = change.region.unwrap_or(after.region);
    after.place = change.place.or(after.place);
    set(&mut after.address, &change.address);
    set(&mut after.language, &change.language);
    set(&mut after.hearing, &change.hearing);
    set(&mut after.health, &change.health);
    set(&mut after.door_code, &change.door_code);
    if let Some(phone) = &change.phone {
        after.phone = phone.as_ref().map(|p| p.reveal().to_owned()).unwrap_or_default();
    }
    if let Some(card) = &change.bank_card {
        after.bank_card = card.as_ref().map(|c| c.reveal().to_owned()).unwrap_or_default();
    }
    if let Some(contacts) = &change.contacts {
        let list: Option<Vec<NewContact>> = contacts
            .iter()
            .map(|c| {
                let was = whole.contacts.iter().position(|old| Some(old.id) == c.was);
                let phone = c.phone.clone().or_else(|| was.map(|at| before.contacts[at].phone.clone()))?;
                let (name, relation) = (c.name.trim().to_owned(), c.relation.trim().to_owned());
                Some(NewContact { name, relation, phone })
            })
            .collect();
        after.contacts = list?;
    }
    Some(after)
}

/// A second entry of the same identity number: whether anything was different.
pub(super) fn take_over(
    tx: &mut Tx<'_>,
    actor: &Actor,
    whole: &mut Whole,
    new: &NewPerson,
    now: Now,
) -> Outcome<bool, EnrolRefusal> {
    let before = Open::of(whole, tx.vault())?;
    let after = before.with(new);
    let mut plan = Plan::default();
    for fact in &new.facts {
        let believed = |f: &&Fact| f.known_to.is_none() && f.span.to.is_none();
        // A remark may stand beside another; the same words twice say nothing new.
        if whole.facts.iter().filter(believed).any(|f| f.value == fact.value && f.span.from <= fact.span.from)
        {
            continue;
        }
        // Said today and said otherwise later today: the first was a slip, not a change.
        let slip = whole
            .facts
            .iter()
            .filter(believed)
            .find(|f| f.value.rivals(&fact.value) && f.span.from == fact.span.from)
            .map(|f| f.id);
        let mut desk = Desk { facts: &mut whole.facts, plan: &mut plan, by: actor.account, now };
        let stated = match slip {
            Some(old) => desk.correct(old, Some(fact), || tx.id(now)).map(drop),
            None => desk.state(fact, || tx.id(now)).map(drop),
        };
        match stated {
            Ok(()) | Err(FactRefusal::Known(_)) => {}
            Err(FactRefusal::Overlap(there)) => {
                return Err(No::Refused(EnrolRefusal::Overlap(there, said(&fact.value, fact.span))));
            }
            Err(other) => return Err(Fault::other(format!("a fact of a list: {other}")).into()),
        }
    }
    if before == after && plan.is_empty() {
        return Ok(false);
    }
    write(tx, actor, whole, &before, &after, &plan, "person.changed", now)?;
    Ok(true)
}

#[expect(clippy::too_many_arguments, reason = "one step of a command, with everything it was decided from")]
pub(super) fn write(
    tx: &mut Tx<'_>,
    actor: &Actor,
    whole: &mut Whole,
    before: &Open,
    after: &Open,
    plan: &Plan,
    act: &'static str,
    now: Now,
) -> Result<(), Fault> {
    let id = whole.row.id;
    let fields = before.differences(after);
    if before.contacts != after.contacts {
        whole.contacts = contact_rows(&after.contacts, || tx.id(now), tx.vault());
        sql::drop_contacts(tx, id)?;
        for (row, contact) in whole.contacts.iter().zip(&after.contacts) {
            let index = tx.vault().index(PHONE, contact.phone.reveal());
            sql::insert_contact(tx, id, row, index)?;
        }
    }
    for (kind, old, new) in [
        (SecretKind::BankCard, &before.bank_card, &after.bank_card),
        (SecretKind::DoorCode, &before.door_code, &after.door_code),
        (SecretKind::Health, &before.health, &after.health),
    ] {
        if old != new {
            change_secret(tx, whole, kind, new, now)?;
        }
    }
    plan.carry_out(tx, id, now)?;
    let indexes = change_row(whole, after, tx.vault());
    whole.row.updated_at = now.0;
    // `finish` makes the code again over everything; the row is written first so that its columns stand.
    sql::update(tx, &whole.row, &domain::parties::name::initials(&after.name), &indexes)?;
    let mut detail = json!({ "fields": fields });
    if !plan.is_empty() {
        detail["facts"] = json!(true);
    }
    // What stood there before is kept, readable only with the key.
    let old: serde_json::Map<String, serde_json::Value> =
        fields.iter().map(|field| ((*field).to_owned(), before.value(field))).collect();
    if !old.is_empty() {
        use base64::Engine as _;
        let sealed = tx.vault().encrypt("before", id.0, &serde_json::Value::Object(old).to_string());
        detail["before"] = json!(base64::engine::general_purpose::STANDARD_NO_PAD.encode(sealed));
    }
    facts::finish(tx, actor, whole, act, detail, now)
}

fn change_secret(
    tx: &mut Tx<'_>,
    whole: &mut Whole,
    kind: SecretKind,
    new: &str,
    now: Now,
) -> Result<(), Fault> {
    let id = whole.row.id;
    whole.secrets.retain(|s| s.kind != kind);
    if new.is_empty() {
        return sql::drop_secret(tx, id, kind);
    }
    let secret = Secret { kind, value: tx.vault().encrypt(kind.code(), id.0, new), known_at: now.0 };
    sql::keep_secret(tx, id, &secret)?;
    whole.secrets.push(secret);
    whole.secrets.sort_by_key(|s| s.kind.code());
    Ok(())
}

fn change_row(whole: &mut Whole, after: &Open, vault: &Vault) -> Indexes {
    let r = &mut whole.row;
    after.name.clone_into(&mut r.name);
    (r.sex, r.birth, r.region, r.place) = (after.sex, after.birth, after.region, after.place);
    after.address.clone_into(&mut r.address);
    after.language.clone_into(&mut r.language);
    after.hearing.clone_into(&mut r.hearing);
    let some = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    let (id_no, phone) = (some(&after.id_no), some(&after.phone));
    r.id_no = id_no.as_ref().map(|no| vault.encrypt("id_no", r.id.0, no));
    r.phone = phone.as_ref().map(|no| vault.encrypt(PHONE, r.id.0, no));
    Indexes {
        id: id_no.as_ref().map(|no| vault.index16("id_no", no)),
        id_tail: id_no.as_ref().map(|no| tail(vault, "id_tail", no)),
        phone: phone.as_ref().map(|no| vault.index(PHONE, no)),
        phone_tail: phone.as_ref().map(|no| tail(vault, "phone_tail", no)),
    }
}
