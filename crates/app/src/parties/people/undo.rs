//! Taking back the last change of a record: what stood there before is in the log, readable only with the key.

use base64::Engine as _;
use domain::{
    access::Actor,
    ids::PersonId,
    parties::{Phone, Sex},
    regions::RegionCode,
    time::Now,
};
use serde_json::{Map, Value, json};

use super::{
    EditRefusal, NewContact,
    edit::{Open, write},
    facts::{self, Plan, TAKE_BACK_MINUTES},
    sql,
};
use crate::{
    outcome::{No, Outcome},
    store::{Fault, Tx},
};

/// Takes back the last change of a record: by whoever made it, within ten minutes, and only while nobody has changed
/// the record since.
pub fn take_back_edit(tx: &mut Tx<'_>, actor: &Actor, id: PersonId, now: Now) -> Outcome<(), EditRefusal> {
    let mut whole = facts::opened(tx, actor, id)?;
    let late = || No::Refused(EditRefusal::TooLate);
    let last = sql::last_change(tx, id)?.ok_or_else(late)?;
    if last.by != actor.account || now.0 > last.at.plus_minutes(TAKE_BACK_MINUTES) {
        return Err(late());
    }
    if last.at != whole.row.updated_at {
        return Err(No::Refused(EditRefusal::ChangedMeanwhile));
    }
    let current = Open::of(&whole, tx.vault())?;
    let detail: Value = serde_json::from_str(&last.detail).map_err(Fault::from)?;
    let sealed = detail["before"].as_str().ok_or_else(late)?;
    let sealed = base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(sealed)
        .map_err(|e| Fault::other(format!("what stood before in {id}: {e}")))?;
    let opened = tx.vault().decrypt("before", id.0, &sealed)?;
    let old: Map<String, Value> = serde_json::from_str(&opened).map_err(Fault::from)?;
    let before = current.restored(&old)?;
    write(tx, actor, &mut whole, &current, &before, &Plan::default(), "person.change_undone", now)?;
    Ok(())
}

impl Open {
    /// What one field says, so that it can be put back; readable for whoever looks at the log.
    pub(super) fn value(&self, field: &str) -> Value {
        match field {
            "name" => json!(self.name),
            "sex" => json!(self.sex.code()),
            "birth" => json!(self.birth.to_string()),
            "id_no" => json!(self.id_no),
            "region" => json!(self.region.to_string()),
            "address" => json!(self.address),
            "place" => json!(self.place.map(|(lon, lat)| [lon, lat])),
            "phone" => json!(self.phone),
            "language" => json!(self.language),
            "hearing" => json!(self.hearing),
            "bank_card" => json!(self.bank_card),
            "health" => json!(self.health),
            "door_code" => json!(self.door_code),
            _ => {
                let of = |c: &NewContact| json!([c.name, c.relation, c.phone.reveal()]);
                json!(self.contacts.iter().map(of).collect::<Vec<_>>())
            }
        }
    }

    /// The same with the fields of `old` put back.
    fn restored(&self, old: &Map<String, Value>) -> Result<Open, Fault> {
        let mut open = self.clone();
        for (field, value) in old {
            open.put_back(field, value).ok_or_else(|| Fault::other(format!("no {field} to put back")))?;
        }
        Ok(open)
    }

    fn put_back(&mut self, field: &str, value: &Value) -> Option<()> {
        let text = || value.as_str().map(str::to_owned);
        match field {
            "name" => self.name = text()?,
            "sex" => self.sex = Sex::from_code(u8::try_from(value.as_u64()?).ok()?)?,
            "birth" => self.birth = value.as_str()?.parse().ok()?,
            "id_no" => self.id_no = text()?,
            "region" => self.region = RegionCode::parse(value.as_str()?).ok()?,
            "address" => self.address = text()?,
            "place" => self.place = place(value)?,
            "phone" => self.phone = text()?,
            "language" => self.language = text()?,
            "hearing" => self.hearing = text()?,
            "bank_card" => self.bank_card = text()?,
            "health" => self.health = text()?,
            "door_code" => self.door_code = text()?,
            "contacts" => self.contacts = value.as_array()?.iter().map(contact).collect::<Option<_>>()?,
            _ => return None,
        }
        Some(())
    }
}

fn place(value: &Value) -> Option<Option<(f64, f64)>> {
    if value.is_null() {
        return Some(None);
    }
    Some(Some((value[0].as_f64()?, value[1].as_f64()?)))
}

fn contact(value: &Value) -> Option<NewContact> {
    let text = |n: usize| value[n].as_str().map(str::to_owned);
    Some(NewContact { name: text(0)?, relation: text(1)?, phone: Phone::parse(value[2].as_str()?).ok()? })
}
