//! People on the register: finding, entering, changing, facts, opening what is masked.

use app::{
    outcome::{No, Outcome},
    parties::people::{
        self, Card, Change, Contact, ContactChange, EditRefusal, EnrolRefusal, Enrolled, Fact, FactRefusal,
        Field, NewContact, NewFact, NewPerson, Person, RevealRefusal,
        search::{self, Cursor, PeopleQuery, Sort},
    },
    regions,
    store::Tx,
};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use domain::{
    access::Actor,
    ids::{ContactId, FactId, PersonId},
    parties::{
        Ability, BankCard, FactKind, FactValue, Hardship, IdNumber, LivingArrangement, PersonName,
        PersonState, Phone, Sex, Span,
    },
    refusal::{Refusal, RefusalKind},
    regions::RegionCode,
    time::{At, Day, Now},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Call, Created, Done, Listing, parsed};
use crate::{App, Problem, Reply, Signed};

/// Somebody in a list. Private values are masked.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonView {
    /// Id.
    #[schema(value_type = String)]
    pub id: PersonId,
    /// Full name.
    pub name: String,
    /// Full years today.
    pub age: u16,
    /// unknown, male, female or unspecified.
    #[schema(value_type = String)]
    pub sex: Sex,
    /// Day of birth.
    #[schema(value_type = String)]
    pub birth: Day,
    /// Village or community of residence, 12 digits.
    #[schema(value_type = String)]
    pub region: RegionCode,
    /// Its name, from the county down.
    pub region_path: String,
    /// Masked phone; empty when none is known.
    pub phone: String,
    /// Living arrangement.
    #[schema(value_type = Option<String>)]
    pub living: Option<LivingArrangement>,
    /// Grade of ability.
    #[schema(value_type = Option<String>)]
    pub ability: Option<Ability>,
    /// Hardships that hold today.
    #[schema(value_type = Vec<String>)]
    pub hardships: Vec<Hardship>,
    /// active, moved, in_institution, hospital, missing or deceased.
    #[schema(value_type = String)]
    pub state: PersonState,
    /// Hearing, when it matters.
    pub hearing: String,
    /// Language or dialect, when it matters.
    pub language: String,
}

impl From<Card> for PersonView {
    fn from(c: Card) -> PersonView {
        PersonView {
            id: c.id,
            name: c.name,
            age: c.age,
            sex: c.sex,
            birth: c.birth,
            region: c.region,
            region_path: c.region_path,
            phone: c.phone_masked,
            living: c.living,
            ability: c.ability,
            hardships: c.hardships,
            state: c.state,
            hearing: c.hearing,
            language: c.language,
        }
    }
}

/// Somebody to call, masked.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactView {
    /// Id.
    #[schema(value_type = String)]
    pub id: ContactId,
    /// Name.
    pub name: String,
    /// Who that is to the person.
    pub relation: String,
    /// Masked phone.
    pub phone: String,
}

impl From<Contact> for ContactView {
    fn from(c: Contact) -> ContactView {
        ContactView { id: c.id, name: c.name, relation: c.relation, phone: c.phone_masked }
    }
}

/// A fact with its source, the days it holds and when we knew it.
#[derive(Debug, Serialize, ToSchema)]
pub struct FactView {
    /// Id.
    #[schema(value_type = String)]
    pub id: FactId,
    /// living, hardship, ability, hukou, state or remark.
    #[schema(value_type = String)]
    pub kind: FactKind,
    /// The word, code or text.
    pub value: String,
    /// Who says so.
    pub source: String,
    /// First day it holds.
    #[schema(value_type = String)]
    pub valid_from: Day,
    /// The day it no longer holds.
    #[schema(value_type = Option<String>)]
    pub valid_to: Option<Day>,
    /// Since when it was known here.
    #[schema(value_type = String)]
    pub known_at: At,
    /// Until when it was believed; absent while it is.
    #[schema(value_type = Option<String>)]
    pub known_to: Option<At>,
}

impl From<Fact> for FactView {
    fn from(f: Fact) -> FactView {
        FactView {
            id: f.id,
            kind: f.value.kind(),
            value: f.value.code(),
            source: f.source,
            valid_from: f.span.from,
            valid_to: f.span.to,
            known_at: f.known_at,
            known_to: f.known_to,
        }
    }
}

/// A whole record. Private values are masked; see disclosures.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonSheet {
    /// As in lists.
    #[serde(flatten)]
    pub person: PersonView,
    /// Masked identity number.
    pub id_no: Option<String>,
    /// Down to the community.
    pub address: String,
    /// Where the household is registered, 12 digits.
    #[schema(value_type = Option<String>)]
    pub hukou: Option<RegionCode>,
    /// Masked bank card.
    pub bank_card: Option<String>,
    /// Whether something about health is on record.
    pub health_known: bool,
    /// Whom to call, in order.
    pub contacts: Vec<ContactView>,
    /// What is believed now.
    pub facts: Vec<FactView>,
    /// When the record was made.
    #[schema(value_type = String)]
    pub entered_at: At,
    /// Version of the record: send it as `seen` with a change.
    pub version: String,
}

impl From<Person> for PersonSheet {
    fn from(p: Person) -> PersonSheet {
        PersonSheet {
            person: p.card.into(),
            id_no: p.id_no_masked,
            address: p.address_masked,
            hukou: p.hukou,
            bank_card: p.bank_card_masked,
            health_known: p.health_known,
            contacts: p.contacts.into_iter().map(ContactView::from).collect(),
            facts: p.facts.into_iter().map(FactView::from).collect(),
            entered_at: p.entered_at,
            version: p.updated_at.0.to_string(),
        }
    }
}

/// Whom to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub struct PeopleParams {
    /// A name, pinyin initials, a whole phone or identity number, or the last four digits of either.
    q: Option<String>,
    /// Only this region (12 digits, or fewer for a whole county or township).
    region: Option<String>,
    /// At least this old.
    age_from: Option<u16>,
    /// At most this old.
    age_to: Option<u16>,
    /// Only this living arrangement.
    living: Option<String>,
    /// Only this hardship.
    hardship: Option<String>,
    /// Only this grade of ability.
    ability: Option<String>,
    /// Only this state.
    state: Option<String>,
    /// place, name, oldest, youngest or newest.
    sort: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// 1 to 200; 50 when not given.
    limit: Option<usize>,
}

fn word<T>(text: Option<&str>, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Problem> {
    text.filter(|t| !t.is_empty())
        .map(|t| parse(t).ok_or_else(|| Problem::malformed(format!("{name} 没有 {t} 这个值"))))
        .transpose()
}

impl PeopleParams {
    fn query(&self) -> Result<PeopleQuery, Problem> {
        Ok(PeopleQuery {
            text: self.q.clone().unwrap_or_default(),
            region: word(self.region.as_deref(), "region", |r| RegionCode::parse(r).ok())?,
            age_from: self.age_from,
            age_to: self.age_to,
            living: word(self.living.as_deref(), "living", LivingArrangement::from_code)?,
            hardship: word(self.hardship.as_deref(), "hardship", Hardship::from_code)?,
            ability: word(self.ability.as_deref(), "ability", Ability::from_code)?,
            state: word(self.state.as_deref(), "state", PersonState::from_code)?,
            sort: word(self.sort.as_deref(), "sort", Sort::from_code)?.unwrap_or_default(),
            cursor: word(self.after.as_deref(), "after", Cursor::parse)?,
            limit: self.limit.unwrap_or(50),
            count_most: None,
        })
    }
}

/// People the token may see.
#[utoipa::path(get, path = "/api/v1/people", tag = "people", params(PeopleParams),
    responses((status = 200, body = Listing<PersonView>), (status = 400, body = Problem)))]
pub async fn index(
    State(app): State<App>,
    signed: Signed,
    Query(params): Query<PeopleParams>,
) -> Reply<Listing<PersonView>> {
    let (query, actor) = (params.query()?, signed.actor());
    let found = app.read(move |tx, now| search::search(tx, &actor, &query, now)).await?;
    Ok(Listing {
        items: found.cards.into_iter().map(PersonView::from).collect(),
        next: found.next.map(|cursor| cursor.to_text()),
    })
}

/// One record.
#[utoipa::path(get, path = "/api/v1/people/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 200, body = PersonSheet), (status = 404, body = Problem)))]
pub async fn show(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<PersonId>,
) -> Reply<Json<PersonSheet>> {
    let actor = signed.actor();
    Ok(Json(app.read(move |tx, now| people::person(tx, &actor, id, now)).await?.into()))
}

/// Something in a body does not parse: which field, and why.
#[derive(Debug, thiserror::Error)]
#[error("{field}：{why}")]
pub struct BadField {
    field: &'static str,
    why: String,
}

impl BadField {
    fn new(field: &'static str, why: impl std::fmt::Display) -> BadField {
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

fn field<T>(parsed: Result<T, BadField>) -> Outcome<T, PeopleRefusal> {
    parsed.map_err(|bad| No::Refused(bad.into()))
}

/// A fact in a body.
#[derive(Debug, Deserialize, ToSchema)]
pub struct FactBody {
    /// living, hardship, ability, hukou, state or remark.
    #[schema(value_type = String)]
    kind: FactKind,
    /// The word of the kind; a region code for hukou; text for a remark.
    value: String,
    /// First day it holds; today when not given.
    #[schema(value_type = Option<String>)]
    valid_from: Option<Day>,
    /// The day it no longer holds.
    #[schema(value_type = Option<String>)]
    valid_to: Option<Day>,
    /// Who says so.
    source: String,
}

impl FactBody {
    fn fact(&self, now: Now) -> Result<NewFact, BadField> {
        let value = FactValue::parse(self.kind, &self.value).ok_or_else(|| {
            BadField::new("value", format!("{} 没有 {} 这个值", self.kind.label(), self.value))
        })?;
        let span = Span { from: self.valid_from.unwrap_or(now.day()), to: self.valid_to };
        Ok(NewFact { value, span, source: self.source.clone() })
    }
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

/// What to open, and why.
#[derive(Debug, Deserialize, ToSchema)]
pub struct DisclosureBody {
    /// id_no, phone, address, bank_card, health or contact_phone.
    field: String,
    /// Whose phone, for contact_phone.
    #[schema(value_type = Option<String>)]
    contact: Option<ContactId>,
    /// Why; kept, and shown to whoever asks who looked.
    reason: String,
}

/// An open value.
#[derive(Debug, Serialize, ToSchema)]
pub struct DisclosureView {
    /// Which.
    pub field: String,
    /// The value.
    pub value: String,
}

/// Opens a masked value. A repeated call is a second look and is kept as one.
#[utoipa::path(post, path = "/api/v1/people/{id}/disclosures", tag = "people", params(("id" = String, Path)),
    request_body = DisclosureBody,
    responses((status = 200, body = DisclosureView), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn disclose(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<PersonId>,
    Json(body): Json<DisclosureBody>,
) -> Reply<Json<DisclosureView>> {
    let field = Field::from_code(&body.field, body.contact).ok_or_else(|| {
        Problem::malformed("field 应为 id_no、phone、address、bank_card、health 或 contact_phone")
    })?;
    let actor = signed.actor();
    let value = app
        .write(move |tx, now| {
            // A program gives a reason each time; an empty one is not "the same as before".
            let reason = Some(body.reason.trim()).filter(|r| !r.is_empty());
            let reason = reason.ok_or(No::Refused(RevealRefusal::Reason))?;
            people::reveal(tx, &actor, id, field, Some(reason), now)
        })
        .await?;
    Ok(Json(DisclosureView { field: field.code().to_owned(), value }))
}

/// When to look from.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub struct AsOf {
    /// Only what held on this day.
    day: Option<String>,
    /// By what was known at this moment (RFC 3339); now when not given.
    known: Option<String>,
}

/// Facts about somebody.
#[utoipa::path(get, path = "/api/v1/people/{id}/facts", tag = "people", params(("id" = String, Path), AsOf),
    responses((status = 200, body = Vec<FactView>), (status = 404, body = Problem)))]
pub async fn facts(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<PersonId>,
    Query(as_of): Query<AsOf>,
) -> Reply<Json<Vec<FactView>>> {
    let day: Option<Day> =
        parsed(as_of.day.as_deref(), "day").map_err(|_| Problem::malformed("day 应写成 2026-11-21"))?;
    let known = word(as_of.known.as_deref(), "known", At::parse)?;
    let actor = signed.actor();
    let facts = app.read(move |tx, _| people::facts_as_of(tx, &actor, id, day, known)).await?;
    Ok(Json(facts.into_iter().map(FactView::from).collect()))
}

/// A made fact.
#[derive(Debug, Serialize, ToSchema)]
pub struct FactMade {
    /// Its id.
    #[schema(value_type = String)]
    pub id: FactId,
}

/// States a fact; one that answered the same question ends on the day the new one begins.
#[utoipa::path(post, path = "/api/v1/people/{id}/facts", tag = "people", params(("id" = String, Path)), request_body = FactBody,
    responses((status = 201, body = FactMade), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn state_fact(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<PersonId>,
    call: Call<FactBody>,
) -> Reply {
    call.run(&app, &signed, Created, move |tx, actor, body, now| {
        let fact = field(body.fact(now))?;
        let id = people::state_fact(tx, actor, id, &fact, now).map_err(|no| no.map(PeopleRefusal::Fact))?;
        Ok(FactMade { id })
    })
    .await
}
