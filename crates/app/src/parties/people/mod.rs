//! The register of elders: who they are, where they live, whom to call, what holds for them and since when.
//!
//! Identity numbers, phones, bank cards, door codes and health are encrypted, shown masked and opened one by one with a reason that
//! is kept. What changes over time (living, hardship, ability, hukou, state) is a fact with a source, the days it holds
//! and the time we knew it; the columns of `person` only repeat what the facts say today.
//! INVARIANT: `person.code` is the keyed code of the whole record (facts, contacts and secrets included), and the last
//! evidence about the person, or the batch it came in with, names that code. See [`verify_people`].

mod card;
mod code;
mod edit;
mod enrol;
mod facts;
mod refusals;
mod reveal;
pub mod search;
mod sql;
mod timeline;
mod undo;

use domain::{
    ids::{ContactId, FactId, PersonId},
    parties::{
        BankCard, FactKind, FactValue, Hardship, IdNumber, LivingArrangement, PersonName, PersonState, Phone,
        Sex, Span,
    },
    regions::RegionCode,
    time::{At, Day},
};

pub use card::{Card, Contact, Person, card, card_of, cards_of_phone, contacts, of_id_number, person};
pub use code::verify_people;
pub use edit::{Change, ContactChange, edit};
pub use enrol::{Enrolled, Prepared, begin_bulk, end_bulk, enrol, enrol_many, enrol_prepared, prepare};
pub use facts::{correct_fact, facts_as_of, refresh_summaries, state_fact, take_back_fact};
pub use refusals::{EditRefusal, EnrolRefusal, FactRefusal, RevealRefusal};
pub use reveal::{Field, Look, door_code_opened, open_door_code, phone_to_call, reveal, who_looked};
pub use timeline::{Happening, timeline};
pub use undo::take_back_edit;

pub(crate) const STATEMENTS: &[&[(&str, &str)]] = &[sql::ALL, search::STATEMENTS];

/// The name under which telephone numbers are indexed, the same for people, contacts and calls.
pub const PHONE: &str = "phone";

/// Somebody to enter. Whatever is parsed here is right; [`enrol`] checks what only the register knows.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPerson {
    /// Full name.
    pub name: PersonName,
    /// Sex; that of the identity number where there is one.
    pub sex: Sex,
    /// Day of birth; that of the identity number where there is one.
    pub birth: Day,
    /// Identity number.
    pub id_no: Option<IdNumber>,
    /// Village or community of residence (常住).
    pub region: RegionCode,
    /// House and door, or the full address.
    pub address: String,
    /// Longitude and latitude of the home.
    pub place: Option<(f64, f64)>,
    /// Own phone.
    pub phone: Option<Phone>,
    /// Language or dialect, when it matters to whoever calls; empty for plain Mandarin.
    pub language: String,
    /// How well the person hears, when it matters; empty for well.
    pub hearing: String,
    /// Whom to call, the first one first.
    pub contacts: Vec<NewContact>,
    /// The person's own bank card.
    pub bank_card: Option<BankCard>,
    /// Diagnoses, drugs, allergies; empty for none known.
    pub health: String,
    /// The code that opens the door of the house; empty for none known.
    pub door_code: String,
    /// What holds for the person.
    pub facts: Vec<NewFact>,
}

impl NewPerson {
    /// Somebody with an identity number, which tells sex and birth.
    pub fn of_id(
        name: PersonName,
        id_no: IdNumber,
        region: RegionCode,
        address: impl Into<String>,
    ) -> NewPerson {
        let (sex, birth) = (id_no.sex(), id_no.birth());
        NewPerson { id_no: Some(id_no), ..NewPerson::without_id(name, sex, birth, region, address) }
    }

    /// Somebody whose number is not known.
    pub fn without_id(
        name: PersonName,
        sex: Sex,
        birth: Day,
        region: RegionCode,
        address: impl Into<String>,
    ) -> NewPerson {
        NewPerson {
            name,
            sex,
            birth,
            id_no: None,
            region,
            address: address.into(),
            place: None,
            phone: None,
            language: String::new(),
            hearing: String::new(),
            contacts: Vec::new(),
            bank_card: None,
            health: String::new(),
            door_code: String::new(),
            facts: Vec::new(),
        }
    }
}

/// Somebody to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewContact {
    /// Name.
    pub name: String,
    /// Who that is to the person: 女儿, 邻居.
    pub relation: String,
    /// Phone.
    pub phone: Phone,
}

/// A fact to state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFact {
    /// What holds.
    pub value: FactValue,
    /// On which days.
    pub span: Span,
    /// Who says so: 村（社区）上报, a decision number, an assessment.
    pub source: String,
}

/// A fact as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Its id.
    pub id: FactId,
    /// What holds.
    pub value: FactValue,
    /// On which days.
    pub span: Span,
    /// Who says so.
    pub source: String,
    /// Since when we knew.
    pub known_at: At,
    /// Until when we believed it; none while we do.
    pub known_to: Option<At>,
    /// Which account entered it.
    pub by: domain::ids::AccountId,
}

/// What the facts say on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// On the register or not; `active` when nothing else was stated.
    pub state: PersonState,
    /// With whom the person lives.
    pub living: Option<LivingArrangement>,
    /// Grade of the last assessment.
    pub ability: Option<domain::parties::Ability>,
    /// Categories of hardship, one bit each.
    pub hardships: i64,
    /// Where the household is registered.
    pub hukou: Option<RegionCode>,
}

impl Summary {
    /// What holds on a day by what is believed now.
    fn of(facts: &[Fact], day: Day) -> Summary {
        let mut all =
            Summary { state: PersonState::Active, living: None, ability: None, hardships: 0, hukou: None };
        for fact in facts.iter().filter(|f| f.known_to.is_none() && f.span.holds(day)) {
            match fact.value {
                FactValue::State(x) => all.state = x,
                FactValue::Living(x) => all.living = Some(x),
                FactValue::Ability(x) => all.ability = Some(x),
                FactValue::Hardship(x) => all.hardships |= x.bit(),
                FactValue::Hukou(x) => all.hukou = Some(x),
                FactValue::Away(_) | FactValue::Remark(_) => {}
            }
        }
        all
    }
}

/// The row of a person. Secrets stay encrypted.
#[derive(Debug, Clone)]
struct Row {
    id: PersonId,
    region: RegionCode,
    name: String,
    sex: Sex,
    birth: Day,
    summary: Summary,
    id_no: Option<Vec<u8>>,
    phone: Option<Vec<u8>>,
    address: String,
    place: Option<(f64, f64)>,
    language: String,
    hearing: String,
    batch: i64,
    code: [u8; 16],
    entered_at: At,
    updated_at: At,
}

/// What a secret of its own table is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SecretKind {
    BankCard,
    DoorCode,
    Health,
}

impl SecretKind {
    fn code(self) -> &'static str {
        match self {
            SecretKind::BankCard => "bank_card",
            SecretKind::DoorCode => "door_code",
            SecretKind::Health => "health",
        }
    }

    fn from_code(code: &str) -> Option<SecretKind> {
        [SecretKind::BankCard, SecretKind::DoorCode, SecretKind::Health]
            .into_iter()
            .find(|k| k.code() == code)
    }
}

/// A secret, encrypted for its person and kind.
#[derive(Debug, Clone)]
struct Secret {
    kind: SecretKind,
    value: Vec<u8>,
    known_at: At,
}

/// The row of a contact; the phone is encrypted for the contact.
#[derive(Debug, Clone)]
struct ContactRow {
    id: ContactId,
    rank: i64,
    name: String,
    relation: String,
    phone: Vec<u8>,
}

/// A record with everything that hangs on it.
#[derive(Debug, Clone)]
struct Whole {
    row: Row,
    contacts: Vec<ContactRow>,
    secrets: Vec<Secret>,
    /// Every fact, those no longer believed too, oldest first.
    facts: Vec<Fact>,
}

impl Whole {
    fn secret(&self, kind: SecretKind) -> Option<&Secret> {
        self.secrets.iter().find(|s| s.kind == kind)
    }
}

/// Blind index of an identity number.
fn id_index(vault: &crate::store::Vault, id_no: &IdNumber) -> [u8; 16] {
    vault.index16("id_no", id_no.reveal())
}

/// Blind index of the last four characters.
fn tail(vault: &crate::store::Vault, kind: &str, number: &str) -> i64 {
    let at = number.len().saturating_sub(4);
    vault.index(kind, number.get(at..).unwrap_or(number))
}

/// Labels people use of somebody, the most telling first: hardships, then ability, then living.
pub fn labels(summary: &Summary) -> Vec<&'static str> {
    let mut labels: Vec<&'static str> = Hardship::of_bits(summary.hardships).map(Hardship::label).collect();
    if let Some(grade) = summary.ability.filter(|a| *a != domain::parties::Ability::Intact) {
        labels.push(grade.label());
    }
    if let Some(living) = summary.living.map(LivingArrangement::label).filter(|l| !labels.contains(l)) {
        labels.push(living);
    }
    labels
}

/// The kinds of facts one states by hand, in the order of the form.
pub const FACT_KINDS: [FactKind; 7] = [
    FactKind::State,
    FactKind::Away,
    FactKind::Living,
    FactKind::Hardship,
    FactKind::Ability,
    FactKind::Hukou,
    FactKind::Remark,
];
