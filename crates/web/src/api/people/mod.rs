//! People on the register: finding them and reading a record; the rest stands in files of its own.

mod disclosures;
mod entering;
mod facts;

use app::parties::people::{
    self, Card, Contact, Fact, Person,
    search::{self, Cursor, PeopleQuery, Sort},
};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use domain::{
    ids::{ContactId, FactId, PersonId},
    parties::{Ability, FactKind, Hardship, LivingArrangement, PersonState, Sex},
    regions::RegionCode,
    time::{At, Day},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use disclosures::*;
pub use entering::*;
pub use facts::*;

use super::Listing;
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
    /// Whether the code of the door is on record.
    pub door_code_known: bool,
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
            door_code_known: p.door_code_known,
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
