//! The monthly rights: who is entitled under which programme, granted for a whole city at once.
//!
//! The city is walked in chunks of people, each chunk a transaction of its own, so that desks keep working meanwhile.
//! Safe to run as often as one likes: one person has one right a month under one programme (`one_right_a_month`), and
//! what was granted is never changed; a later run of the same month adds those who have become entitled since.

mod sql;

use std::collections::BTreeMap;

use domain::{
    access::{Act, Actor},
    ids::{EntitlementId, LedgerId, PersonId, TransferId},
    ledger::AccountKind,
    parties::{Ability, FactKind, Hardship, LivingArrangement, PersonState},
    programmes::{
        Asset,
        rule::{Circumstances, Rule, quantity},
    },
    regions::{Level, RegionCode},
    time::{Day, Month, Now},
};
use serde_json::json;

use super::NewAccount;
use crate::{
    evidence::Event,
    outcome::{Answer, Found},
    store::{Fault, Store, Tx},
};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// People looked at in one transaction: about a twentieth of a second of writing, so nobody at a desk notices.
const CHUNK: i64 = 4_000;

/// A programme in force.
#[derive(Debug, Clone)]
struct InForce {
    code: String,
    name: String,
    from: Day,
    asset: Asset,
    rule: Rule,
}

/// What a run of a month did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Granted {
    /// People whose facts were looked at.
    pub looked_at: u64,
    /// Rights granted now.
    pub rights: u64,
    /// Amount granted now by programme, in the programme's asset.
    pub amounts: BTreeMap<String, i64>,
}

/// One right to be written.
struct NewRight<'a> {
    id: EntitlementId,
    account: LedgerId,
    issue: TransferId,
    person: PersonId,
    region: RegionCode,
    programme: &'a InForce,
    amount: i64,
    why: String,
}

/// A person with what is known on the day.
struct Known {
    id: PersonId,
    who: Circumstances,
    state: PersonState,
}

/// A right of a person, as pages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRight {
    /// Which.
    pub id: EntitlementId,
    /// Code of the programme.
    pub programme: String,
    /// Name of the programme.
    pub name: String,
    /// Money or minutes.
    pub asset: Asset,
    /// How much for the month.
    pub amount: i64,
    /// Held for orders that are not yet settled.
    pub held: i64,
    /// Used by settled orders.
    pub used: i64,
    /// Why it was granted.
    pub why: String,
}

impl HeldRight {
    /// What can still be used.
    pub fn left(&self) -> i64 {
        self.amount - self.held - self.used
    }

    /// An amount of this right in words: `20 小时`, `¥100.00`.
    pub fn quantity(&self, amount: i64) -> String {
        quantity(self.asset, amount)
    }
}

/// A programme in force with what it gave in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Money or minutes.
    pub asset: Asset,
    /// In force since.
    pub from: Day,
    /// `verified`, `floor` or `illustrative`.
    pub status: String,
    /// Where the rule comes from.
    pub source: String,
    /// Who is entitled to how much.
    pub rule: Rule,
    /// Codes of the items it may pay for.
    pub covers: Vec<String>,
    /// People who have it this month within the actor's regions.
    pub people: i64,
    /// How much they were given.
    pub amount: i64,
    /// How much of that was used.
    pub used: i64,
}

/// Grants the rights of a month to everybody entitled, by the facts of `judged_on`.
pub fn grant_month(store: &Store, actor: &Actor, month: Month, now: Now) -> Result<Granted, Fault> {
    let on = judged_on(month, now);
    let programmes = store.read(move |tx| in_force(tx, on))?;
    let mut done = Granted::default();
    if programmes.is_empty() {
        return Ok(done);
    }
    let hardship_only = programmes.iter().all(|p| p.rule.needs_hardship());
    let wanted = wanted_hardships(&programmes);
    let mut after = PersonId(0);
    loop {
        let chunk = Chunk { after, on, month, hardship_only, wanted: wanted.clone() };
        let (actor, programmes) = (actor.clone(), programmes.clone());
        let (upto, part) = store.write(move |tx| grant_chunk(tx, &actor, &programmes, &chunk, now))?;
        done.looked_at += part.looked_at;
        done.rights += part.rights;
        for (code, amount) in part.amounts {
            *done.amounts.entry(code).or_default() += amount;
        }
        match upto {
            Some(upto) => after = upto,
            None => return Ok(done),
        }
    }
}

/// The day whose facts decide: today within the month, its first day before, its last day after it.
pub fn judged_on(month: Month, now: Now) -> Day {
    now.day().clamp(month.first(), month.first().last_of_month())
}

fn in_force(tx: &mut Tx<'_>, on: Day) -> Result<Vec<InForce>, Fault> {
    sql::in_force(tx, on)?
        .into_iter()
        .map(|row| {
            let rule = serde_json::from_str(&row.rule)
                .map_err(|e| Fault::from(e).at(format!("rule of {}", row.code)))?;
            Ok(InForce { code: row.code, name: row.name, from: row.from, asset: row.asset, rule })
        })
        .collect()
}

/// The categories any tier asks for, as `,tekun,dibao,`.
fn wanted_hardships(programmes: &[InForce]) -> String {
    let mut codes: Vec<&str> = programmes
        .iter()
        .flat_map(|p| &p.rule.tiers)
        .flat_map(|tier| &tier.hardship_in)
        .map(|hardship| hardship.code())
        .collect();
    codes.sort_unstable();
    codes.dedup();
    format!(",{},", codes.join(","))
}

struct Chunk {
    after: PersonId,
    on: Day,
    month: Month,
    hardship_only: bool,
    wanted: String,
}

/// Grants one chunk; answers the last person looked at, or none when there was nobody left.
fn grant_chunk(
    tx: &mut Tx<'_>,
    actor: &Actor,
    programmes: &[InForce],
    chunk: &Chunk,
    now: Now,
) -> Result<(Option<PersonId>, Granted), Fault> {
    let mut done = Granted::default();
    let Some(upto) = sql::chunk_end(tx, chunk.hardship_only, &chunk.wanted, chunk.after, CHUNK)? else {
        return Ok((None, done));
    };
    let people = known(tx, chunk, upto)?;
    done.looked_at = people.len() as u64;
    let mut made: Vec<NewRight<'_>> = Vec::new();
    for person in &people {
        for programme in programmes {
            let Some(entitled) = programme.rule.entitled(programme.asset, &person.who, chunk.on) else {
                continue;
            };
            let right = NewRight {
                id: EntitlementId(tx.id(now)),
                account: LedgerId(tx.id(now)),
                issue: TransferId(tx.id(now)),
                person: person.id,
                region: person.who.lives_in,
                programme,
                amount: entitled.amount,
                why: entitled.why,
            };
            if sql::insert(tx, &right, chunk.month, now.0)? {
                made.push(right);
            }
        }
    }
    issue(tx, actor, &made, chunk.month, now)?;
    done.rights = made.len() as u64;
    for right in &made {
        *done.amounts.entry(right.programme.code.clone()).or_default() += right.amount;
    }
    record(tx, actor, &made, &done, chunk.month, now)?;
    Ok((Some(upto), done))
}

/// People of a chunk who are there to be entitled, with their facts of the day.
fn known(tx: &mut Tx<'_>, chunk: &Chunk, upto: PersonId) -> Result<Vec<Known>, Fault> {
    let mut people: Vec<Known> = Vec::new();
    sql::facts(tx, chunk.hardship_only, &chunk.wanted, (chunk.after, upto), chunk.on, |row| {
        if people.last().is_none_or(|last| last.id != row.person) {
            let who = Circumstances {
                birth: row.birth,
                lives_in: row.region,
                hukou: row.hukou,
                hardships: Vec::new(),
                ability: None,
                living: (row.state == PersonState::InInstitution)
                    .then_some(LivingArrangement::CareInstitution),
            };
            people.push(Known { id: row.person, who, state: row.state });
        }
        let who = &mut people.last_mut().expect("somebody was pushed above").who;
        match row.kind {
            FactKind::Hardship => who.hardships.extend(Hardship::from_code(&row.value)),
            FactKind::Ability => who.ability = Ability::from_code(&row.value),
            // Living in an institution by state outweighs an older fact about the home.
            FactKind::Living if row.state != PersonState::InInstitution => {
                who.living = LivingArrangement::from_code(&row.value);
            }
            _ => {}
        }
    })?;
    people.retain(|person| !matches!(person.state, PersonState::Deceased | PersonState::Moved));
    Ok(people)
}

/// Opens the accounts of new rights and issues the amounts into them, by programme and county.
fn issue(tx: &mut Tx<'_>, actor: &Actor, made: &[NewRight<'_>], month: Month, now: Now) -> Result<(), Fault> {
    let (Some(first), Some(last)) = (made.first(), made.last()) else { return Ok(()) };
    let mut totals: BTreeMap<(&str, RegionCode), (&InForce, i64)> = BTreeMap::new();
    for right in made {
        let county = right.region.within(Level::County);
        totals.entry((&right.programme.code, county)).or_insert((right.programme, 0)).1 += right.amount;
    }
    sql::open_right_accounts(tx, first.id, last.id, month)?;
    for ((code, county), (programme, total)) in totals {
        let issued = NewAccount {
            kind: AccountKind::Issued,
            owner: county.number(),
            code: code.to_owned(),
            asset: programme.asset,
            region: county,
            name: format!("{}额度发放", programme.name),
            guarded: false,
        };
        let from = super::open_account(tx, &issued, now)?;
        sql::issue(tx, from, code, county, (first.id, last.id), actor.account, now.0)?;
        super::sql::add_posted(tx, from, total, 0)?;
    }
    Ok(())
}

/// One row of evidence for each chunk that granted something.
fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    made: &[NewRight<'_>],
    done: &Granted,
    month: Month,
    now: Now,
) -> Result<(), Fault> {
    let (Some(first), Some(last)) = (made.first(), made.last()) else { return Ok(()) };
    let detail = json!({
        "month": month.to_string(), "rights": done.rights, "amounts": done.amounts,
        "first": first.id, "last": last.id,
        "programmes": made.iter().map(|r| (r.programme.code.clone(), r.programme.from.to_string()))
            .collect::<BTreeMap<_, _>>(),
    });
    let region = first.region.within(Level::City);
    tx.record(actor, now, Event::new("rights.granted", first.id.0, region, detail))
}

/// A person's rights of a month, in the order they are used.
pub fn rights_of(tx: &mut Tx<'_>, actor: &Actor, person: PersonId, month: Month) -> Answer<Vec<HeldRight>> {
    actor.may(Act::SeePeople)?;
    sql::region_of(tx, person)?.filter(|region| actor.sees(*region)).found()?;
    Ok(sql::rights_of(tx, person, month)?)
}

/// The programmes in force in a month with what they gave within the actor's regions.
pub fn overview(tx: &mut Tx<'_>, actor: &Actor, month: Month, now: Now) -> Answer<Vec<Overview>> {
    let mut list: Vec<Overview> = Vec::new();
    for row in sql::in_force(tx, judged_on(month, now))? {
        let rule = serde_json::from_str(&row.rule).map_err(Fault::from)?;
        list.push(Overview {
            code: row.code,
            name: row.name,
            asset: row.asset,
            from: row.from,
            status: row.status,
            source: row.source,
            rule,
            covers: row.covers.split(',').map(str::to_owned).collect(),
            people: 0,
            amount: 0,
            used: 0,
        });
    }
    for (code, people, amount, used) in sql::sums(tx, actor.scope(), month)? {
        if let Some(one) = list.iter_mut().find(|one| one.code == code) {
            (one.people, one.amount, one.used) = (people, amount, used);
        }
    }
    Ok(list)
}
