//! The register of elders as a clerk sees it: the list, the record, entering and changing, facts, what is masked.

mod fact;
mod form;
mod list;
mod opened;
mod record;
mod story;

use std::collections::HashMap;

use domain::parties::{Ability, AwayKind, FactKind, Hardship, LivingArrangement, PersonState, Sex};

pub use fact::{correct, correction, create as state_fact, new as new_fact, undo};
pub use form::{create, edit, new, undo_change, update};
pub use list::{export, index, print as print_list};
pub use opened::{ask, open};
pub use record::{print, show};

/// One choice of a select.
#[derive(Debug, Clone)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// Whether it stands there now.
    pub chosen: bool,
}

fn choice(value: &str, label: &str, chosen: &str) -> Choice {
    Choice { value: value.to_owned(), label: label.to_owned(), chosen: value == chosen }
}

/// The first choice, which stands for none.
fn none(label: &str, chosen: &str) -> Choice {
    choice("", label, chosen)
}

fn livings(first: &str, chosen: &str) -> Vec<Choice> {
    let all = LivingArrangement::ALL.iter().map(|x| choice(x.code(), x.label(), chosen));
    std::iter::once(none(first, chosen)).chain(all).collect()
}

fn hardships(first: &str, chosen: &str) -> Vec<Choice> {
    let all = Hardship::ALL.iter().map(|x| choice(x.code(), x.label(), chosen));
    std::iter::once(none(first, chosen)).chain(all).collect()
}

fn abilities(first: &str, chosen: &str) -> Vec<Choice> {
    let all = Ability::ALL.iter().map(|x| choice(x.code(), x.label(), chosen));
    std::iter::once(none(first, chosen)).chain(all).collect()
}

fn states(first: &str, chosen: &str) -> Vec<Choice> {
    let all = PersonState::ALL.iter().map(|x| choice(x.code(), x.label(), chosen));
    std::iter::once(none(first, chosen)).chain(all).collect()
}

fn aways(first: &str, chosen: &str) -> Vec<Choice> {
    let all = AwayKind::ALL.iter().map(|x| choice(x.code(), x.label(), chosen));
    std::iter::once(none(first, chosen)).chain(all).collect()
}

/// The choices a kind of fact has; none for those one writes.
fn values_of(kind: FactKind, chosen: &str) -> Vec<Choice> {
    match kind {
        FactKind::Living => livings("请选择", chosen),
        FactKind::Hardship => hardships("请选择", chosen),
        FactKind::Ability => abilities("请选择", chosen),
        FactKind::State => states("请选择", chosen),
        FactKind::Away => aways("请选择", chosen),
        FactKind::Hukou | FactKind::Remark => Vec::new(),
    }
}

/// A state as a chip: its kind and its word.
#[derive(Debug, Clone)]
pub struct StateChip {
    /// Kind of chip.
    pub kind: &'static str,
    /// Word.
    pub word: &'static str,
}

impl StateChip {
    fn of(state: PersonState) -> StateChip {
        let kind = match state {
            PersonState::Active => "done",
            PersonState::Hospital | PersonState::Missing => "attention",
            PersonState::InInstitution => "info",
            PersonState::Moved | PersonState::Deceased => "quiet",
        };
        StateChip { kind, word: state.label() }
    }
}

fn sex_code(sex: Sex) -> &'static str {
    match sex {
        Sex::Male => "1",
        Sex::Female => "2",
        Sex::Unknown => "0",
        Sex::Unspecified => "9",
    }
}

/// A mistake at a field.
#[derive(Debug, Clone)]
pub struct Wrong {
    /// Id of the field.
    pub field: String,
    /// What is wrong and what to do.
    pub text: String,
}

/// What a form sent, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    values: HashMap<String, String>,
    /// Mistakes, in the order found.
    pub wrong: Vec<Wrong>,
}

impl Fields {
    fn of(values: HashMap<String, String>) -> Fields {
        Fields { values, wrong: Vec::new() }
    }

    /// What stands in a field.
    pub fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", |v| v.trim())
    }

    /// The mistake at a field; empty when there is none.
    pub fn error(&self, name: &str) -> &str {
        self.wrong.iter().find(|w| w.field == name).map_or("", |w| &w.text)
    }

    /// Whether a box is ticked.
    pub fn ticked(&self, name: &str) -> bool {
        !self.value(name).is_empty()
    }

    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.values.insert(name.to_owned(), value.into());
    }

    fn wrong(&mut self, field: &str, text: impl std::fmt::Display) {
        self.wrong.push(Wrong { field: field.to_owned(), text: text.to_string() });
    }

    /// A field that may be empty; a mistake is noted.
    fn some<T, E: std::fmt::Display>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.value(name).to_owned();
        if value.is_empty() {
            return None;
        }
        match parse(&value) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.wrong(name, error);
                None
            }
        }
    }
}
