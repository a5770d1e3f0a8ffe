//! Entering somebody and changing a record.

use std::collections::HashMap;

use app::{
    outcome::{Answer, Never, No},
    parties::people::{
        self, Change, ContactChange, EditRefusal, EnrolRefusal, Enrolled, NewContact, NewFact, NewPerson,
        Person,
    },
    regions,
    store::Tx,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{
    access::Actor,
    ids::PersonId,
    parties::{
        Ability, BankCard, FactValue, Hardship, IdNumber, LivingArrangement, PersonName, Phone, Sex, Span,
    },
    regions::RegionCode,
    time::{At, Day, Now},
};

use super::{Choice, Fields, abilities, choice, livings, sex_code};
use crate::{App, Html, Page, Reply, Signed, desks::regions as region_field, filters, see_with};

/// Rows for contacts on an empty form; one more than there are on a full one.
const CONTACTS: usize = 4;
/// Rows that are read: more contacts than anybody has, so that none is dropped by saving.
const CONTACTS_READ: usize = 50;

/// A row for a contact.
struct ContactFields {
    n: usize,
    id: String,
    name: String,
    relation: String,
    /// The masked phone that stays when nothing is typed.
    known: String,
    phone: String,
    error: String,
}

#[derive(Template)]
#[template(path = "people/form.html")]
struct PersonForm {
    page: Page,
    /// Who is changed; none when somebody is entered.
    person: Option<PersonId>,
    action: String,
    fields: Fields,
    sexes: Vec<Choice>,
    livings: Vec<Choice>,
    abilities: Vec<Choice>,
    hardships: Vec<(String, &'static str, bool)>,
    contacts: Vec<ContactFields>,
    regions: Vec<region_field::Choice>,
    /// Masked values that stay when their field is left empty.
    known: Known,
}

/// What is on record already, masked.
#[derive(Default)]
struct Known {
    id_no: String,
    phone: String,
    bank_card: String,
    health: bool,
    door_code: bool,
    contacts: Vec<(String, String)>,
}

impl Known {
    fn of(person: &Person) -> Known {
        Known {
            id_no: person.id_no_masked.clone().unwrap_or_default(),
            phone: person.card.phone_masked.clone(),
            bank_card: person.bank_card_masked.clone().unwrap_or_default(),
            health: person.health_known,
            door_code: person.door_code_known,
            contacts: person.contacts.iter().map(|c| (c.id.to_string(), c.phone_masked.clone())).collect(),
        }
    }
}

fn show(
    page: Page,
    person: Option<PersonId>,
    fields: Fields,
    regions: Vec<region_field::Choice>,
    known: Known,
) -> PersonForm {
    let (title, action) = match person {
        None => ("登记老人", "/people".to_owned()),
        Some(id) => ("修改档案", format!("/people/{id}")),
    };
    let sex = fields.value("sex");
    let contacts = (1..=CONTACTS.max(known.contacts.len() + 1))
        .map(|n| {
            let of = |what: &str| fields.value(&format!("contact_{what}_{n}")).to_owned();
            let id = of("id");
            let known = known.contacts.iter().find(|c| c.0 == id).map(|c| c.1.clone()).unwrap_or_default();
            let error = fields.error(&format!("contact_phone_{n}")).to_owned();
            ContactFields {
                n,
                error,
                name: of("name"),
                relation: of("relation"),
                phone: of("phone"),
                known,
                id,
            }
        })
        .collect();
    PersonForm {
        page: page.titled(title, "people"),
        sexes: [choice("", "按身份证号", sex), choice("1", "男", sex), choice("2", "女", sex)].into(),
        livings: livings("未知", fields.value("living")),
        abilities: abilities("未评估", fields.value("ability")),
        hardships: Hardship::ALL
            .iter()
            .map(|h| {
                (
                    format!("hardship_{}", h.code()),
                    h.label(),
                    fields.ticked(&format!("hardship_{}", h.code())),
                )
            })
            .collect(),
        contacts,
        person,
        action,
        fields,
        regions,
        known,
    }
}

/// `GET /people/new`
pub async fn new(State(app): State<App>, page: Page, signed: Signed) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let regions = app.read(move |tx, now| region_field::choices(tx, &actor, "", now)).await?;
    Ok(Html(show(page, None, Fields::default(), regions, Known::default())))
}

/// `GET /people/{id}/edit`
pub async fn edit(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<PersonId>,
) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let (person, regions) = app.read(move |tx, now| stands(tx, &actor, id, now)).await?;
    Ok(Html(show(page, Some(id), filled(&person), regions, Known::of(&person))))
}

fn stands(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: PersonId,
    now: Now,
) -> Answer<(Person, Vec<region_field::Choice>)> {
    let person = people::person(tx, actor, id, now)?;
    let regions = region_field::choices(tx, actor, &person.card.region_path, now)?;
    Ok((person, regions))
}

/// The form as it stands for a record; what is masked stays empty, and empty means "as it was".
fn filled(person: &Person) -> Fields {
    let mut fields = Fields::default();
    let card = &person.card;
    fields.set("name", &card.name);
    fields.set("region", &card.region_path);
    fields.set("language", &card.language);
    fields.set("hearing", &card.hearing);
    fields.set("seen", person.updated_at.0.to_string());
    if person.id_no_masked.is_none() {
        fields.set("sex", sex_code(card.sex));
        fields.set("birth", card.birth.to_string());
    }
    for (contact, n) in person.contacts.iter().zip(1..) {
        fields.set(&format!("contact_id_{n}"), contact.id.to_string());
        fields.set(&format!("contact_name_{n}"), &contact.name);
        fields.set(&format!("contact_relation_{n}"), &contact.relation);
    }
    fields
}

fn no_test(text: &str) -> Result<IdNumber, domain::parties::IdRefusal> {
    // Whether made-up numbers are taken is decided by the command.
    IdNumber::parse(text, true)
}

fn sex(text: &str) -> Result<Sex, &'static str> {
    Sex::from_text(text).ok_or("请选择性别")
}

fn birthday(text: &str) -> Result<Day, &'static str> {
    text.parse().map_err(|_| "日期应写成 1943-04-12")
}

fn village(tx: &mut Tx<'_>, actor: &Actor, fields: &mut Fields, now: Now) -> Answer<Option<RegionCode>> {
    match regions::locate_village(tx, actor, fields.value("region"), now) {
        Ok(code) => Ok(Some(code)),
        Err(No::Refused(refusal)) => {
            fields.wrong("region", refusal);
            Ok(None)
        }
        Err(No::Forbidden(forbidden)) => Err(No::Forbidden(forbidden)),
        Err(No::NotFound) => Err(No::NotFound),
        Err(No::Fault(fault)) => Err(No::Fault(fault)),
    }
}

/// A phone that was typed; an empty one is none.
fn phone(fields: &mut Fields, name: &str) -> Option<Phone> {
    fields.some(name, Phone::parse)
}

/// Facts a new record begins with.
fn facts(fields: &mut Fields, today: Day) -> Vec<NewFact> {
    let source = "登记时申报".to_owned();
    let fact = |value| NewFact { value, span: Span::since(today), source: source.clone() };
    let mut facts = Vec::new();
    facts.extend(LivingArrangement::from_code(fields.value("living")).map(|x| fact(FactValue::Living(x))));
    facts.extend(Ability::from_code(fields.value("ability")).map(|x| fact(FactValue::Ability(x))));
    for hardship in Hardship::ALL {
        if fields.ticked(&format!("hardship_{}", hardship.code())) {
            facts.push(fact(FactValue::Hardship(hardship)));
        }
    }
    facts
}

/// Somebody as the form describes; mistakes are noted in the fields.
fn read_new(tx: &mut Tx<'_>, actor: &Actor, fields: &mut Fields, now: Now) -> Answer<Option<NewPerson>> {
    let name = PersonName::parse(fields.value("name"));
    if let Err(refusal) = &name {
        fields.wrong("name", refusal);
    }
    let id_no = fields.some("id_no", no_test);
    let (sex, birth) = (fields.some("sex", sex), fields.some("birth", birthday));
    let region = village(tx, actor, fields, now)?;
    if fields.value("id_no").is_empty() && (sex.is_none() || birth.is_none()) {
        fields.wrong("id_no", "请填写身份证号；没有证件的，请填写性别和出生日期");
    }
    let mut contacts = Vec::new();
    for n in 1..=CONTACTS_READ {
        let of = |what: &str| format!("contact_{what}_{n}");
        let (name, relation) =
            (fields.value(&of("name")).to_owned(), fields.value(&of("relation")).to_owned());
        let phone = phone(fields, &of("phone"));
        if name.is_empty() && relation.is_empty() && fields.value(&of("phone")).is_empty() {
            continue;
        }
        match phone {
            Some(phone) => contacts.push(NewContact { name, relation, phone }),
            None if fields.value(&of("phone")).is_empty() => {
                fields.wrong(&of("phone"), "联系人没有填写电话");
            }
            None => {}
        }
    }
    let (phone, bank_card) = (phone(fields, "phone"), fields.some("bank_card", BankCard::parse));
    let facts = facts(fields, now.day());
    let (Ok(name), Some(region), true) = (name, region, fields.wrong.is_empty()) else { return Ok(None) };
    let address = fields.value("address").to_owned();
    let base = match (id_no, sex, birth) {
        (Some(number), ..) => NewPerson::of_id(name, number, region, address),
        (None, Some(sex), Some(birth)) => NewPerson::without_id(name, sex, birth, region, address),
        _ => return Ok(None),
    };
    Ok(Some(NewPerson {
        phone,
        bank_card,
        contacts,
        facts,
        language: fields.value("language").to_owned(),
        hearing: fields.value("hearing").to_owned(),
        health: fields.value("health").to_owned(),
        door_code: fields.value("door_code").to_owned(),
        ..base
    }))
}

/// What came of sending a form.
enum Sent<T> {
    Done(T),
    Again(Fields),
}

fn never<R>(no: No<Never>) -> No<R> {
    no.map(|never| match never {})
}

/// `POST /people`
pub async fn create(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Form(sent): Form<HashMap<String, String>>,
) -> Reply<Response> {
    let actor = signed.actor();
    let fields = Fields::of(sent);
    let sent = app
        .write(move |tx, now| {
            let mut fields = fields.clone();
            let Some(new) = read_new(tx, &actor, &mut fields, now).map_err(never)? else {
                return Ok(Sent::Again(fields));
            };
            match people::enrol(tx, &actor, &new, now) {
                Ok(enrolled) => Ok(Sent::Done((enrolled, new.name.to_string()))),
                Err(No::Refused(refusal)) => {
                    fields.wrong(refusal.field(), &refusal);
                    Ok(Sent::Again(fields))
                }
                Err(other) => Err::<_, No<EnrolRefusal>>(other),
            }
        })
        .await?;
    match sent {
        Sent::Done((enrolled, name)) => {
            let text = match enrolled {
                Enrolled::New(_) => format!("已登记{name}"),
                Enrolled::Unchanged(_) => format!("{name}已在册，内容没有变化"),
                Enrolled::Changed(_) => format!("{name}已在册，已按这次填写的内容更新"),
            };
            Ok(see_with(&format!("/people/{}", enrolled.person()), &text, None))
        }
        Sent::Again(fields) => {
            let actor = signed.actor();
            let typed = fields.value("region").to_owned();
            let regions = app.read(move |tx, now| region_field::choices(tx, &actor, &typed, now)).await?;
            let form = show(page, None, fields, regions, Known::default());
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(form)).into_response())
        }
    }
}

/// The change the form describes; mistakes are noted in the fields.
fn read_change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person: &Person,
    fields: &mut Fields,
    now: Now,
) -> Answer<Option<Change>> {
    let name = PersonName::parse(fields.value("name"));
    if let Err(refusal) = &name {
        fields.wrong("name", refusal);
    }
    let region = if fields.value("region") == person.card.region_path {
        None
    } else {
        village(tx, actor, fields, now)?
    };
    let mut contacts = Vec::new();
    for n in 1..=CONTACTS_READ {
        let of = |what: &str| format!("contact_{what}_{n}");
        let (name, relation) =
            (fields.value(&of("name")).to_owned(), fields.value(&of("relation")).to_owned());
        if name.is_empty() && relation.is_empty() && fields.value(&of("phone")).is_empty() {
            continue;
        }
        let was = fields.value(&of("id")).parse().ok();
        let phone = phone(fields, &of("phone"));
        if phone.is_none() && was.is_none() && fields.error(&of("phone")).is_empty() {
            fields.wrong(&of("phone"), "联系人没有填写电话");
        }
        contacts.push(ContactChange { was, name, relation, phone });
    }
    let gone = |fields: &Fields, name: &str| fields.ticked(&format!("{name}_none"));
    let phone = phone(fields, "phone").map(Some).or_else(|| gone(fields, "phone").then_some(None));
    let bank_card = fields.some("bank_card", BankCard::parse).map(Some);
    let bank_card = bank_card.or_else(|| gone(fields, "bank_card").then_some(None));
    let typed = |fields: &Fields, name: &str| Some(fields.value(name).to_owned()).filter(|t| !t.is_empty());
    let health = typed(fields, "health").or_else(|| gone(fields, "health").then(String::new));
    let door_code = typed(fields, "door_code").or_else(|| gone(fields, "door_code").then(String::new));
    let change = Change {
        seen: fields.value("seen").parse().ok().map(At),
        name: name.ok(),
        id_no: fields.some("id_no", no_test),
        sex: fields.some("sex", sex),
        birth: fields.some("birth", birthday),
        region,
        address: typed(fields, "address"),
        place: None,
        phone,
        language: Some(fields.value("language").to_owned()),
        hearing: Some(fields.value("hearing").to_owned()),
        bank_card,
        health,
        door_code,
        contacts: Some(contacts),
    };
    Ok(fields.wrong.is_empty().then_some(change))
}

/// `POST /people/{id}`
pub async fn update(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<PersonId>,
    Form(sent): Form<HashMap<String, String>>,
) -> Reply<Response> {
    let actor = signed.actor();
    let fields = Fields::of(sent);
    let sent = app
        .write(move |tx, now| {
            let mut fields = fields.clone();
            let person = people::person(tx, &actor, id, now).map_err(never)?;
            let Some(change) = read_change(tx, &actor, &person, &mut fields, now).map_err(never)? else {
                return Ok(Sent::Again(fields));
            };
            match people::edit(tx, &actor, id, &change, now) {
                Ok(()) => Ok(Sent::Done(("已保存修改", Some(format!("/people/{id}/undo"))))),
                Err(No::Refused(EditRefusal::Nothing)) => Ok(Sent::Done(("没有改动", None))),
                Err(No::Refused(refusal)) => {
                    let field = match &refusal {
                        EditRefusal::Entry(entry) => entry.field(),
                        _ => "name",
                    };
                    fields.wrong(field, &refusal);
                    Ok(Sent::Again(fields))
                }
                Err(other) => Err::<_, No<EditRefusal>>(other),
            }
        })
        .await?;
    match sent {
        Sent::Done((text, undo)) => Ok(see_with(&format!("/people/{id}"), text, undo.as_deref())),
        Sent::Again(fields) => {
            let actor = signed.actor();
            let (person, regions) = app.read(move |tx, now| stands(tx, &actor, id, now)).await?;
            let form = show(page, Some(id), fields, regions, Known::of(&person));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(form)).into_response())
        }
    }
}

/// `POST /people/{id}/undo`: takes back the last change, by whoever just made it.
pub async fn undo_change(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<PersonId>,
) -> Reply<Response> {
    let actor = signed.actor();
    app.write(move |tx, now| people::take_back_edit(tx, &actor, id, now)).await?;
    Ok(see_with(&format!("/people/{id}"), "已撤销刚才的修改", None))
}
