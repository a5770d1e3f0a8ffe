//! Opening a masked value: with a reason, on record, visible to whoever asks who looked.

use domain::{
    access::{Act, Actor, Scope},
    ids::{AccountId, ContactId, PersonId},
    time::{At, Now},
};
use serde_json::json;

use super::{PHONE, RevealRefusal, SecretKind, sql};
use crate::{
    evidence::Event,
    outcome::{Answer, Found, No, Outcome},
    store::{Fault, FaultKind, Tx},
};

/// How long a reason once given holds for the same person and the same account: one visit of the page.
const REASON_MINUTES: i64 = 30;

/// Whoever goes in for an incident need not have the register.
const EVERYWHERE: Scope = Scope { lo: 0, hi: i64::MAX, provider: 0, carer: 0 };

/// What may be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// 证件号
    IdNo,
    /// 本人电话
    Phone,
    /// 详细住址
    Address,
    /// 银行卡
    BankCard,
    /// 健康情况
    Health,
    /// 门码
    DoorCode,
    /// 联系人电话
    ContactPhone(ContactId),
}

impl Field {
    /// The word in addresses and in the log.
    pub fn code(self) -> &'static str {
        match self {
            Field::IdNo => "id_no",
            Field::Phone => "phone",
            Field::Address => "address",
            Field::BankCard => "bank_card",
            Field::Health => "health",
            Field::DoorCode => "door_code",
            Field::ContactPhone(_) => "contact_phone",
        }
    }

    /// The words on the screen.
    pub fn label(self) -> &'static str {
        Field::label_of(self.code())
    }

    /// The words for a code of the log.
    pub fn label_of(code: &str) -> &'static str {
        match code {
            "id_no" => "证件号",
            "phone" => "电话",
            "address" => "详细住址",
            "bank_card" => "银行卡",
            "health" => "健康情况",
            "door_code" => "门码",
            "contact_phone" => "联系人电话",
            "list" => "名册",
            _ => "其他信息",
        }
    }

    /// Back from an address; a contact's phone needs to know whose.
    pub fn from_code(code: &str, contact: Option<ContactId>) -> Option<Field> {
        Some(match code {
            "id_no" => Field::IdNo,
            "phone" => Field::Phone,
            "address" => Field::Address,
            "bank_card" => Field::BankCard,
            "health" => Field::Health,
            "door_code" => Field::DoorCode,
            "contact_phone" => Field::ContactPhone(contact?),
            _ => return None,
        })
    }
}

/// Somebody looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// When.
    pub at: At,
    /// Who.
    pub by_name: String,
    /// In which role, as its code.
    pub role: String,
    /// At what.
    pub field: &'static str,
    /// Why.
    pub reason: String,
}

/// Opens a masked value. Without a reason the one given for the same person within the last half hour counts.
pub fn reveal(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person: PersonId,
    field: Field,
    reason: Option<&str>,
    now: Now,
) -> Outcome<String, RevealRefusal> {
    actor.may(Act::RevealPeople)?;
    let row = sql::find(tx, person, actor.scope())?.found()?;
    let reason = match reason.map(str::trim).filter(|r| !r.is_empty()) {
        Some(reason) => reason.to_owned(),
        None => sql::last_reason(tx, person, actor.account, now.0.plus_minutes(-REASON_MINUTES))?
            .ok_or(No::Refused(RevealRefusal::Reason))?,
    };
    match reason.chars().count() {
        2..=80 => {}
        0 | 1 => return Err(No::Refused(RevealRefusal::Reason)),
        _ => return Err(No::Refused(RevealRefusal::ReasonTooLong)),
    }
    let value = open(tx, &row, field)?.ok_or(No::Refused(RevealRefusal::Empty))?;
    let mut detail = json!({ "field": field.code(), "reason": reason });
    if let Field::ContactPhone(contact) = field {
        detail["contact"] = json!(contact);
    }
    tx.record(actor, now, Event::new("person.revealed", person.0, row.region, detail))?;
    Ok(value)
}

fn open(tx: &mut Tx<'_>, row: &super::Row, field: Field) -> Result<Option<String>, Fault> {
    let id = row.id.0;
    let secret = |tx: &mut Tx<'_>, kind: SecretKind| -> Result<Option<String>, Fault> {
        let found = sql::secrets(tx, row.id)?.into_iter().find(|s| s.kind == kind);
        found.map(|s| tx.vault().decrypt(kind.code(), id, &s.value)).transpose()
    };
    match field {
        Field::IdNo => row.id_no.as_deref().map(|s| tx.vault().decrypt("id_no", id, s)).transpose(),
        Field::Phone => row.phone.as_deref().map(|s| tx.vault().decrypt(PHONE, id, s)).transpose(),
        Field::Address => Ok(Some(row.address.clone())),
        Field::BankCard => secret(tx, SecretKind::BankCard),
        Field::Health => secret(tx, SecretKind::Health),
        Field::DoorCode => secret(tx, SecretKind::DoorCode),
        Field::ContactPhone(contact) => {
            let found = sql::contacts(tx, row.id)?.into_iter().find(|c| c.id == contact);
            found.map(|c| tx.vault().decrypt(PHONE, c.id.0, &c.phone)).transpose()
        }
    }
}

/// Opens the code of a door for whoever must go in now, which the caller has decided; it goes on record as any other.
///
/// # Errors
/// When the database fails.
pub fn open_door_code(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person: PersonId,
    reason: &str,
    now: Now,
) -> Result<(), Fault> {
    if sealed_door_code(tx, person)?.is_none() {
        return Ok(());
    }
    let Some(row) = sql::find(tx, person, EVERYWHERE)? else { return Ok(()) };
    let detail = json!({ "field": Field::DoorCode.code(), "reason": reason });
    tx.record(actor, now, Event::new("person.revealed", person.0, row.region, detail))
}

/// The code of a door that was opened for an account since then; what is not on record is not shown.
///
/// # Errors
/// When the database fails.
pub fn door_code_opened(
    tx: &mut Tx<'_>,
    account: AccountId,
    person: PersonId,
    since: At,
) -> Result<Option<String>, Fault> {
    if !sql::door_opened(tx, person, account, since)? {
        return Ok(None);
    }
    let sealed = sealed_door_code(tx, person)?;
    sealed.map(|s| tx.vault().decrypt(SecretKind::DoorCode.code(), person.0, &s)).transpose()
}

/// Opens the number of somebody or of one of their contacts for a call that is made now, which the caller has decided; it
/// goes on record as any other. Nothing when there is none, or it does not open.
///
/// # Errors
/// When the database fails.
pub fn phone_to_call(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person: PersonId,
    contact: Option<ContactId>,
    reason: &str,
    now: Now,
) -> Result<Option<String>, Fault> {
    let field = contact.map_or(Field::Phone, Field::ContactPhone);
    let found = match sql::find(tx, person, EVERYWHERE) {
        Ok(Some(row)) => open(tx, &row, field).map(|number| number.map(|number| (row, number))),
        Ok(None) => Ok(None),
        Err(fault) => Err(fault),
    };
    let (row, number) = match found {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(None),
        // A record that cannot be read must not hold up the calls for everybody else.
        Err(fault) if fault.kind == FaultKind::Other => {
            tracing::error!(%fault, %person, "a number does not open");
            return Ok(None);
        }
        Err(fault) => return Err(fault),
    };
    let mut detail = json!({ "field": field.code(), "reason": reason });
    if let Some(contact) = contact {
        detail["contact"] = json!(contact);
    }
    tx.record(actor, now, Event::new("person.revealed", person.0, row.region, detail))?;
    Ok(Some(number))
}

fn sealed_door_code(tx: &mut Tx<'_>, person: PersonId) -> Result<Option<Vec<u8>>, Fault> {
    let found = sql::secrets(tx, person)?.into_iter().find(|s| s.kind == SecretKind::DoorCode);
    Ok(found.map(|s| s.value))
}

/// Who opened masked values of somebody, the latest first.
pub fn who_looked(tx: &mut Tx<'_>, actor: &Actor, person: PersonId) -> Answer<Vec<Look>> {
    let row = super::card::seen(tx, actor, person)?;
    Ok(sql::looks(tx, row.id)?)
}
