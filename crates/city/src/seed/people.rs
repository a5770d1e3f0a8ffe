//! A simulated elder as somebody to enter in the register.

use app::parties::people::{NewContact, NewFact, NewPerson};
use domain::{
    parties::{Ability, BankCard, FactValue, Hardship, IdNumber, LivingArrangement, PersonName, Phone, Span},
    regions::RegionCode,
    time::Day,
};

use crate::SimPerson;

/// Who says what nobody decided or assessed.
const REPORTED: &str = "村（社区）上报";

/// The elder as a register's clerk would enter one. INVARIANT: everything in a simulated city can be entered.
pub(super) fn entered(person: &SimPerson, today: Day) -> NewPerson {
    let name = PersonName::parse(&person.name).expect("simulated names are names");
    let id_no =
        IdNumber::parse(&person.id_no, true).expect("simulated identity numbers hold their check digit");
    let region = RegionCode::new(person.residence).expect("village codes have 12 digits");
    let phone = |number: &str| Phone::parse(number).expect("simulated phones can be dialled");
    let contacts = person.contacts.iter().map(|contact| NewContact {
        name: contact.name.clone(),
        relation: contact.relation.zh().to_owned(),
        phone: phone(&contact.phone),
    });
    NewPerson {
        place: Some((person.lon, person.lat)),
        phone: Some(phone(&person.phone)),
        language: if person.dialect_only { "本地话".to_owned() } else { String::new() },
        hearing: if person.hearing_loss { "听力差".to_owned() } else { String::new() },
        contacts: contacts.collect(),
        bank_card: person
            .bank_card
            .as_deref()
            .map(|card| BankCard::parse(card).expect("simulated cards hold")),
        // Some houses have a lock with a code, and their elders told it.
        door_code: if person.index.is_multiple_of(8) {
            format!("{:04}#", u64::from(person.index) * 37 % 10_000)
        } else {
            String::new()
        },
        facts: facts(person, today),
        ..NewPerson::of_id(name, id_no, region, person.address.clone())
    }
}

fn facts(person: &SimPerson, today: Day) -> Vec<NewFact> {
    // Reported in the yearly round, a different day in each village.
    let reported = today.saturating_sub(jiff::Span::new().days(20 + person.residence % 300));
    let mut facts = Vec::with_capacity(3 + person.hardships.len());
    let living =
        LivingArrangement::from_code(person.living.code()).expect("both sides use the national words");
    facts.push(NewFact {
        value: FactValue::Living(living),
        span: Span::since(reported),
        source: REPORTED.to_owned(),
    });
    if person.hukou != person.residence {
        let hukou = RegionCode::new(person.hukou).expect("regions have 12 digits");
        facts.push(NewFact {
            value: FactValue::Hukou(hukou),
            span: Span::since(reported),
            source: "户口簿".to_owned(),
        });
    }
    if let Some(on) = person.assessed_on {
        let grade = Ability::from_code(person.grade.code()).expect("both sides use the national words");
        facts.push(NewFact {
            value: FactValue::Ability(grade),
            span: Span::since(on),
            source: "老年人能力评估（GB/T 42195）".to_owned(),
        });
    }
    facts.extend(person.hardships.iter().map(|fact| {
        let kind = Hardship::from_code(fact.kind.code()).expect("both sides use the same words");
        let until = fact.to.map(|last| last.tomorrow().expect("years stay far below the calendar's end"));
        NewFact {
            value: FactValue::Hardship(kind),
            span: Span { from: fact.from, to: until },
            source: fact.decision_no.clone().unwrap_or_else(|| REPORTED.to_owned()),
        }
    }));
    facts
}
