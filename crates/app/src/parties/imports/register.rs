//! From a row of a file to a person on the register.

use domain::{
    access::Actor,
    parties::{Ability, FactValue, REMARK_MAX, Span},
    refusal::Refusal as _,
    regions::RegionCode,
    time::{Day, Now},
};

use super::{Fate, LineFault};
use crate::{
    outcome::No,
    parties::{
        people::{self, EnrolRefusal, Enrolled, NewContact, NewFact, NewPerson},
        sheet::{DeclaredAbility, Field, Mapping, PersonRow},
    },
    regions,
    store::{Fault, Tx},
};

/// Rows in one transaction: long enough to spread the cost of a commit, short enough for others to come in between.
pub(super) const CHUNK: usize = 500;
/// Who says what an imported list says.
const SOURCE: &str = "名单导入";

/// What became of one row.
pub(super) struct Registered(Result<Enrolled, EnrolRefusal>);

impl Registered {
    pub(super) fn fate(&self) -> Fate {
        match &self.0 {
            Ok(Enrolled::New(_)) => Fate::Added,
            Ok(Enrolled::Changed(_)) => Fate::Changed,
            Ok(Enrolled::Unchanged(_)) => Fate::Unchanged,
            Err(_) => Fate::Rejected,
        }
    }

    /// What the register had against it, at the column it is about.
    pub(super) fn fault(&self, person: &PersonRow, mapping: &Mapping) -> Option<LineFault> {
        let refusal = self.0.as_ref().err()?;
        let field = match refusal.field() {
            "id_no" => Field::IdNo,
            "birth" => Field::Birth,
            "address" => Field::Address,
            "living" => Field::Living,
            "region" => Field::Village,
            _ => Field::Name,
        };
        let column = mapping.columns_of(field).next().map(|column| column.name()).unwrap_or_default();
        debug_assert!(person.id.is_some() || field != Field::IdNo || person.other_document.is_some());
        Some(LineFault {
            column,
            field: Some(field),
            code: refusal.code().to_owned(),
            message: refusal.to_string(),
            warning: false,
        })
    }
}

/// Enters people or brings their records up to date, in the order of the rows.
pub(super) fn register(
    tx: &mut Tx<'_>,
    actor: &Actor,
    rows: &[PersonRow],
    now: Now,
) -> Result<Vec<Registered>, Fault> {
    let book = regions::book(tx)?;
    let people: Vec<NewPerson> = rows
        .iter()
        .map(|row| {
            let region = row.residence.and_then(|code| RegionCode::new(code).ok());
            let region = region.ok_or_else(|| Fault::other("a row without a region was let through"))?;
            Ok(new_person(row, region, now.day()))
        })
        .collect::<Result<_, Fault>>()?;
    let mut answers = enrol(tx, actor, &people, now)?;
    // A list may say where somebody lives without the house. Only who is new needs an address at all, and then the
    // village is better than nothing; a better one on record is never overwritten with it.
    let homeless: Vec<usize> =
        (0..answers.len()).filter(|at| matches!(answers[*at], Err(EnrolRefusal::Address))).collect();
    let somewhere: Vec<NewPerson> = homeless
        .iter()
        .filter(|at| people[**at].address.is_empty())
        .map(|at| NewPerson { address: book.path_of(people[*at].region), ..people[*at].clone() })
        .collect();
    if somewhere.len() == homeless.len() && !somewhere.is_empty() {
        for (at, answer) in homeless.into_iter().zip(enrol(tx, actor, &somewhere, now)?) {
            answers[at] = answer;
        }
    }
    Ok(answers.into_iter().map(Registered).collect())
}

fn enrol(
    tx: &mut Tx<'_>,
    actor: &Actor,
    people: &[NewPerson],
    now: Now,
) -> Result<Vec<Result<Enrolled, EnrolRefusal>>, Fault> {
    people::enrol_many(tx, actor, people, now).map_err(|no| match no {
        No::Fault(fault) => fault,
        // The post was checked when the import was accepted, and each row answers for itself.
        other => Fault::other(format!("a chunk was refused as a whole: {other:?}")),
    })
}

fn new_person(row: &PersonRow, region: RegionCode, today: Day) -> NewPerson {
    let birth = row.birth.unwrap_or(today);
    let contacts = row.emergency_phone.clone().map(|phone| NewContact {
        name: row.emergency_name.clone().unwrap_or_else(|| "紧急联系人".to_owned()),
        relation: "紧急联系人".to_owned(),
        phone,
    });
    NewPerson {
        id_no: row.id.clone(),
        phone: row.phone.clone(),
        bank_card: row.bank_card.clone(),
        contacts: contacts.into_iter().collect(),
        facts: facts(row, today),
        ..NewPerson::without_id(
            row.name.clone(),
            row.sex,
            birth,
            region,
            row.address.clone().unwrap_or_default(),
        )
    }
}

fn facts(row: &PersonRow, today: Day) -> Vec<NewFact> {
    let ability = row.ability.map(|grade| match grade {
        DeclaredAbility::Intact => Ability::Intact,
        DeclaredAbility::Mild => Ability::Mild,
        DeclaredAbility::Moderate => Ability::Moderate,
        DeclaredAbility::Severe => Ability::Severe,
        DeclaredAbility::Complete => Ability::Complete,
    });
    let hukou = row.hukou.and_then(|code| RegionCode::new(code).ok());
    let remark = row.remark.as_ref().map(|words| words.chars().take(REMARK_MAX).collect());
    let values = [
        row.living.map(FactValue::Living),
        ability.map(FactValue::Ability),
        hukou.map(FactValue::Hukou),
        remark.map(FactValue::Remark),
    ];
    let hardships = row.hardships.iter().copied().map(FactValue::Hardship);
    let all = values.into_iter().flatten().chain(hardships);
    all.map(|value| NewFact { value, span: Span::since(today), source: SOURCE.to_owned() }).collect()
}
