//! Entering somebody and changing a record, with what such bodies may say.

use app::{
    outcome::{No, Outcome},
    parties::people::{
        self, Change, ContactChange, EditRefusal, EnrolRefusal, Enrolled, FactRefusal, NewContact, NewFact,
        NewPerson,
    },
    regions,
    store::Tx,
};
use axum::extract::{Path, State};
use domain::{
    access::Actor,
    ids::{ContactId, PersonId},
    parties::{BankCard, IdNumber, PersonName, Phone, Sex},
    refusal::{Refusal, RefusalKind},
    regions::RegionCode,
    time::{At, Day, Now},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{PersonSheet, facts::FactBody};
use crate::{
    App, Problem, Reply, Signed,
    api::{Call, Created, Done},
};

/// Something in a body does not parse: which field, and why.
#[derive(Debug, thiserror::Error)]
#[error("{field}：{why}")]
pub struct BadField {
    field: &'static str,
    why: String,
}

impl BadField {
    pub(super) fn new(field: &'static str, why: impl std::fmt::Display) -> BadField {
        BadField { field, why: why.to_string() }
    }
}

/// Why a call about people was refused.
#[derive(Debug, thiserror::Error)]
pub enum PeopleRefusal {
    /// A field does not parse.
    #[error(transparent)]
    Field(#[from] BadField),
    /// Not entered.
    #[error(transparent)]
    Enrol(#[from] EnrolRefusal),
    /// Not changed.
    #[error(transparent)]
    Edit(#[from] EditRefusal),
    /// Fact not stated.
    #[error(transparent)]
    Fact(#[from] FactRefusal),
}

impl Refusal for PeopleRefusal {
    fn code(&self) -> &'static str {
        match self {
            PeopleRefusal::Field(_) => "invalid_field",
            PeopleRefusal::Enrol(r) => r.code(),
            PeopleRefusal::Edit(r) => r.code(),
            PeopleRefusal::Fact(r) => r.code(),
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            PeopleRefusal::Field(_) => RefusalKind::Invalid,
            PeopleRefusal::Enrol(r) => r.kind(),
            PeopleRefusal::Edit(r) => r.kind(),
            PeopleRefusal::Fact(r) => r.kind(),
        }
    }
}

pub(super) fn field<T>(parsed: Result<T, BadField>) -> Outcome<T, PeopleRefusal> {
    parsed.map_err(|bad| No::Refused(bad.into()))
}

/// A contact in a body.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ContactBody {
    /// The contact it was; then the phone may be left out.
    #[schema(value_type = Option<String>)]
    id: Option<ContactId>,
    /// Name.
    name: String,
    /// Who that is to the person.
    relation: String,
    /// Phone.
    phone: Option<String>,
}

/// Somebody to enter.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewPersonBody {
    /// Full name.
    name: String,
    /// Identity number; without one give sex and birth.
    id_no: Option<String>,
    /// male or female, without a number.
    #[schema(value_type = Option<String>)]
    sex: Option<Sex>,
    /// Day of birth, without a number.
    #[schema(value_type = Option<String>)]
    birth: Option<Day>,
    /// Village or community: a 12-digit code, or names as people write them.
    region: String,
    /// House and door.
    address: String,
    /// Degrees east.
    lon: Option<f64>,
    /// Degrees north.
    lat: Option<f64>,
    /// Own phone.
    phone: Option<String>,
    /// Language or dialect.
    #[serde(default)]
    language: String,
    /// Hearing.
    #[serde(default)]
    hearing: String,
    /// The person's own bank card.
    bank_card: Option<String>,
    /// Diagnoses, drugs, allergies.
    #[serde(default)]
    health: String,
    /// The code that opens the door of the house.
    #[serde(default)]
    door_code: String,
    /// Whom to call, in order.
    #[serde(default)]
    contacts: Vec<ContactBody>,
    /// What holds.
    #[serde(default)]
    facts: Vec<FactBody>,
}

fn some<T, E: std::fmt::Display>(
    name: &'static str,
    text: Option<&String>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, BadField> {
    text.filter(|t| !t.trim().is_empty()).map(|t| parse(t).map_err(|e| BadField::new(name, e))).transpose()
}

/// The command decides whether numbers of the county part 99 are taken, so parsing lets them through.
fn id_no(text: &str) -> Result<IdNumber, domain::parties::IdRefusal> {
    IdNumber::parse(text, true)
}

fn place(lon: Option<f64>, lat: Option<f64>) -> Result<Option<(f64, f64)>, BadField> {
    match (lon, lat) {
        (None, None) => Ok(None),
        (Some(lon), Some(lat)) if (70.0..140.0).contains(&lon) && (3.0..55.0).contains(&lat) => {
            Ok(Some((lon, lat)))
        }
        _ => Err(BadField::new("lon", "坐标应在中国境内，经度和纬度一起填")),
    }
}

impl NewPersonBody {
    fn person(&self, region: RegionCode, now: Now) -> Result<NewPerson, BadField> {
        let name = PersonName::parse(&self.name).map_err(|e| BadField::new("name", e))?;
        let base = match (some("id_no", self.id_no.as_ref(), id_no)?, self.sex, self.birth) {
            (Some(number), ..) => NewPerson::of_id(name, number, region, self.address.clone()),
            (None, Some(sex), Some(birth)) => {
                NewPerson::without_id(name, sex, birth, region, self.address.clone())
            }
            _ => return Err(BadField::new("id_no", "请填写身份证号；没有证件的，请填写性别和出生日期")),
        };
        let contacts: Result<Vec<NewContact>, BadField> = self
            .contacts
            .iter()
            .map(|c| {
                let phone = some("contacts", c.phone.as_ref(), Phone::parse)?
                    .ok_or_else(|| BadField::new("contacts", "联系人没有填写电话"))?;
                Ok(NewContact { name: c.name.clone(), relation: c.relation.clone(), phone })
            })
            .collect();
        let facts: Result<Vec<NewFact>, BadField> = self.facts.iter().map(|f| f.fact(now)).collect();
        Ok(NewPerson {
            place: place(self.lon, self.lat)?,
            phone: some("phone", self.phone.as_ref(), Phone::parse)?,
            language: self.language.clone(),
            hearing: self.hearing.clone(),
            bank_card: some("bank_card", self.bank_card.as_ref(), BankCard::parse)?,
            health: self.health.clone(),
            door_code: self.door_code.clone(),
            contacts: contacts?,
            facts: facts?,
            ..base
        })
    }
}

fn village(tx: &mut Tx<'_>, actor: &Actor, text: &str, now: Now) -> Outcome<RegionCode, PeopleRefusal> {
    regions::locate_village(tx, actor, text, now).map_err(|no| no.map(|e| BadField::new("region", e).into()))
}

/// What came of entering somebody.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnrolledView {
    /// Whom it is about.
    #[schema(value_type = String)]
    pub id: PersonId,
    /// new, unchanged or changed.
    pub outcome: &'static str,
}

impl From<Enrolled> for EnrolledView {
    fn from(enrolled: Enrolled) -> EnrolledView {
        let outcome = match enrolled {
            Enrolled::New(_) => "new",
            Enrolled::Unchanged(_) => "unchanged",
            Enrolled::Changed(_) => "changed",
        };
        EnrolledView { id: enrolled.person(), outcome }
    }
}

/// Enters somebody; the same identity number a second time brings the record up to date.
#[utoipa::path(post, path = "/api/v1/people", tag = "people", request_body = NewPersonBody,
    responses((status = 201, body = EnrolledView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn create(State(app): State<App>, signed: Signed, call: Call<NewPersonBody>) -> Reply {
    call.run(&app, &signed, Created, |tx, actor, body, now| {
        let region = village(tx, actor, &body.region, now)?;
        let new = field(body.person(region, now))?;
        let enrolled = people::enrol(tx, actor, &new, now).map_err(|no| no.map(PeopleRefusal::Enrol))?;
        Ok(EnrolledView::from(enrolled))
    })
    .await
}

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ChangeBody {
    /// The version one saw; refused when the record was changed since.
    seen: Option<String>,
    /// Name.
    name: Option<String>,
    /// Identity number.
    id_no: Option<String>,
    /// Village or community.
    region: Option<String>,
    /// House and door.
    address: Option<String>,
    /// Degrees east.
    lon: Option<f64>,
    /// Degrees north.
    lat: Option<f64>,
    /// Own phone; empty takes it away.
    phone: Option<String>,
    /// Language or dialect.
    language: Option<String>,
    /// Hearing.
    hearing: Option<String>,
    /// Bank card; empty takes it away.
    bank_card: Option<String>,
    /// Health; empty takes it away.
    health: Option<String>,
    /// Code of the door; empty takes it away.
    door_code: Option<String>,
    /// The whole list of contacts.
    contacts: Option<Vec<ContactBody>>,
}

impl ChangeBody {
    fn change(&self, region: Option<RegionCode>) -> Result<Change, BadField> {
        let contact = |c: &ContactBody| -> Result<ContactChange, BadField> {
            let phone = some("contacts", c.phone.as_ref(), Phone::parse)?;
            Ok(ContactChange { was: c.id, name: c.name.clone(), relation: c.relation.clone(), phone })
        };
        let seen = some("seen", self.seen.as_ref(), str::parse::<i64>)?;
        Ok(Change {
            seen: seen.map(At),
            name: some("name", self.name.as_ref(), PersonName::parse)?,
            id_no: some("id_no", self.id_no.as_ref(), id_no)?,
            sex: None,
            birth: None,
            region,
            address: self.address.clone(),
            place: place(self.lon, self.lat)?,
            phone: self.phone.as_ref().map(|p| some("phone", Some(p), Phone::parse)).transpose()?,
            language: self.language.clone(),
            hearing: self.hearing.clone(),
            bank_card: self
                .bank_card
                .as_ref()
                .map(|c| some("bank_card", Some(c), BankCard::parse))
                .transpose()?,
            health: self.health.clone(),
            door_code: self.door_code.clone(),
            contacts: self.contacts.as_ref().map(|all| all.iter().map(contact).collect()).transpose()?,
        })
    }
}

/// Changes a record.
#[utoipa::path(put, path = "/api/v1/people/{id}", tag = "people", params(("id" = String, Path)), request_body = ChangeBody,
    responses((status = 200, body = PersonSheet), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn update(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<PersonId>,
    call: Call<ChangeBody>,
) -> Reply {
    call.run(&app, &signed, Done, move |tx, actor, body, now| {
        let region = body.region.as_deref().map(|r| village(tx, actor, r, now)).transpose()?;
        let change = field(body.change(region))?;
        people::edit(tx, actor, id, &change, now).map_err(|no| no.map(PeopleRefusal::Edit))?;
        let person = people::person(tx, actor, id, now).map_err(|no| no.map(|never| match never {}))?;
        Ok(PersonSheet::from(person))
    })
    .await
}
