//! The list of those who need watching, kept as the register says it should be.

use domain::{
    ids::PersonId,
    parties::age,
    regions::RegionCode,
    signals::silence::{Profile, Risk, Terms, risk},
    time::{Day, Now},
};

use super::sql;
use crate::{
    settings,
    signals::duties,
    store::{Fault, Store, Tx},
};

/// People read at once while the whole register is gone through.
const CHUNK: i64 = 5_000;
/// People changed in one transaction.
const CHANGES: usize = 500;
/// Setting that says on which day the whole list was last compared with the register.
const WATCH_DAY: &str = "watch_day";

/// Somebody as the register and the list know them.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub person: PersonId,
    pub region: i64,
    pub birth: Day,
    pub profile: Profile,
    /// Region, grade and why, when on the list.
    pub listed: Option<(i64, String, String)>,
}

impl Known {
    fn risk(&self, today: Day) -> Option<Risk> {
        risk(&Profile { age: age::full_years(self.birth, today).unwrap_or(0), ..self.profile })
    }

    /// Whether the list says of them what it should.
    fn right(&self, today: Day) -> bool {
        match (self.risk(today), &self.listed) {
            (None, None) => true,
            (Some(risk), Some((region, grade, why))) => {
                *region == self.region && grade == risk.grade.code() && *why == risk.why
            }
            _ => false,
        }
    }
}

/// Brings the list up to date for these people and has their clocks read anew: something about them changed.
///
/// # Errors
/// When the database fails.
pub fn renew(tx: &mut Tx<'_>, people: &[PersonId], now: Now) -> Result<(), Fault> {
    if people.is_empty() {
        return Ok(());
    }
    let terms = super::terms(tx)?;
    for some in people.chunks(CHANGES) {
        for known in sql::known(tx, some)? {
            set(tx, &known, &terms, now)?;
        }
        sql::look_at(tx, some, now.0)?;
    }
    Ok(())
}

fn set(tx: &mut Tx<'_>, known: &Known, terms: &Terms, now: Now) -> Result<(), Fault> {
    if known.right(now.day()) {
        return Ok(());
    }
    match known.risk(now.day()) {
        Some(risk) => {
            sql::list(tx, known, &risk, now.0)?;
            let region =
                RegionCode::new(known.region).map_err(|_| Fault::other("a person lives in no region"))?;
            duties::follow(tx, (known.person, region), risk.grade, terms, now)
        }
        None => {
            let why = known.profile.state.label();
            sql::unlist(tx, known.person, why, now.0)?;
            duties::end_all(tx, known.person, why, now)
        }
    }
}

/// Whether the whole list was compared with the register today.
///
/// # Errors
/// When the database fails.
pub fn compared(tx: &mut Tx<'_>, now: Now) -> Result<bool, Fault> {
    Ok(settings::find(tx, WATCH_DAY)? == Some(now.day().to_string()))
}

/// Has the whole list compared again: many people came in at once.
///
/// # Errors
/// When the database fails.
pub fn compare_again(tx: &mut Tx<'_>) -> Result<(), Fault> {
    settings::set(tx, WATCH_DAY, "")
}

/// Compares the whole list with the register, once a day or when `at_once`: birthdays and imports change grades without
/// anybody saying so. Answers how many entries were changed.
///
/// # Errors
/// When the database fails.
pub fn refresh(store: &Store, at_once: bool, now: Now) -> Result<usize, Fault> {
    let today = now.day();
    if !at_once && store.read(move |tx| compared(tx, now))? {
        return Ok(0);
    }
    let (mut after, mut changed) = ((0, 0), 0);
    loop {
        let from = after;
        let some = store.read(move |tx| sql::known_after(tx, from, CHUNK))?;
        let Some(last) = some.last() else { break };
        after = (last.region, last.person.0);
        let wrong: Vec<PersonId> = some.iter().filter(|k| !k.right(today)).map(|k| k.person).collect();
        changed += wrong.len();
        for some in wrong.chunks(CHANGES) {
            let some = some.to_vec();
            store.write(move |tx| renew(tx, &some, now))?;
        }
    }
    store.write(move |tx| {
        // Whoever is not in the register any more at all.
        sql::unlist_strangers(tx, now.0)?;
        settings::set(tx, WATCH_DAY, &today.to_string())
    })?;
    Ok(changed)
}
