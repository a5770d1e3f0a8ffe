//! Writes a simulated city into a store, with the commands that any city would use.
//!
//! Order matters: regions and the pack first, then people, providers, rights and accounts, at last the history that
//! stands on all of them. Safe to interrupt only in the sense that a half-written city is thrown away and made again.

mod history;
mod homes;
mod people;
mod personas;
mod staff;
mod statements;

use std::{
    collections::HashMap,
    sync::{Arc, mpsc},
};

use app::{
    pack::{self, Pack},
    parties::people::{self as register, NewPerson, Prepared},
    programmes,
    regions::{self, NewRegion},
    settings,
    store::{Fault, Store, Tx},
};
use domain::{
    access::{Actor, Role},
    ids::{AccountId, PersonId},
    regions::{RegionCode, RegionRange},
    time::Now,
};

pub(crate) use homes::secret;
pub use homes::{keep_seeing, wake};
pub use personas::Persona;
pub(crate) use personas::Stage;
use staff::Staff;
pub(crate) use staff::carers_of;
pub use staff::{LEADER, OPERATOR, Program, grant_rights};

use crate::City;

/// Elders entered in one transaction: enough that its price is small beside theirs, few enough to show progress.
const BATCH: usize = 2_000;
/// Batches that wait for the store, so that neither side waits for the other and memory stays small.
const AHEAD: usize = 3;
/// Batches that are with the store.
const AT_ONCE: usize = 2;

/// Told how far a step has come: its name, how much is done, of how much.
pub type Progress<'a> = dyn FnMut(&'static str, u64, u64) + 'a;

/// Writes the whole city.
///
/// # Errors
/// When the store fails, or a command refuses what a simulated city must be able to do.
pub fn write(
    store: &Store,
    city: &Arc<City>,
    pack: &Pack,
    now: Now,
    progress: &mut Progress<'_>,
) -> Result<(), Fault> {
    ground(store, city, pack, now)?;
    let near = city.near();
    let stories = history::stories(city, &near, now);
    let of_devices = crate::devices::issued(city).into_iter().map(|device| device.person);
    let told = stories.iter().map(|story| story.person);
    let wanted: Vec<u32> = told.chain(of_devices).chain(homes::listed(city)).collect();
    let people = enrol_people(store, city, wanted, now, progress)?;
    let (providers, carers) = staff::enrol(store, city, now, progress)?;
    let since = domain::time::Month::of(history::first_day(now));
    staff::grant_rights(store, since, now, progress)?;
    let staff = Arc::new(staff::appoint(store, city, &providers, &carers, now)?);
    let day = now.day();
    let items = store.read(move |tx| programmes::catalogue_on(tx, day))?;
    let asks = items.into_iter().map(|item| (item.code.clone(), domain::programmes::skills(&item.who_may)));
    homes::Homes { store, city, staff: &staff, people: &people, now }.write(progress)?;
    let history = history::History {
        store: store.clone(),
        city: Arc::clone(city),
        staff: Arc::clone(&staff),
        people,
        carers: Arc::new(carers),
        asks: asks.collect(),
    };
    history.tell(stories, now, &mut |done, all| progress("近十四天的来电和工单", done, all))?;
    statements::make(store, city, &staff, &providers, now)
}

/// Who does what happens before anybody has an account.
pub(crate) fn builder(role: Role) -> Actor {
    Actor {
        account: AccountId(0),
        name: "演示数据".to_owned(),
        role,
        range: RegionRange::ALL,
        provider: None,
        carer: None,
    }
}

/// A refusal of a command that a simulated city must be able to do: the city or the command is wrong.
pub(crate) fn must<T, R: std::fmt::Display>(
    what: &'static str,
    done: Result<T, app::outcome::No<R>>,
) -> Result<T, Fault> {
    use app::outcome::No;
    done.map_err(|no| match no {
        No::Fault(fault) => fault.at(what),
        No::Refused(refusal) => Fault::other(refusal.to_string()).at(what),
        No::Forbidden(act) => Fault::other(act.to_string()).at(what),
        No::NotFound => Fault::other("not found").at(what),
    })
}

/// Settings, regions and the city pack.
fn ground(store: &Store, city: &City, pack: &Pack, now: Now) -> Result<(), Fault> {
    let rows = region_rows(city, pack);
    let pack = pack.clone();
    store.write(move |tx| {
        settings::set(tx, settings::ALLOW_TEST_REGIONS, "yes")?;
        settings::set(tx, settings::DEMO, "yes")?;
        settings::set(tx, DEMO, "yes")?;
        regions::load(tx, &rows, now)?;
        must("installing the city pack", pack::install(tx, &pack, now))?;
        Ok::<_, Fault>(())
    })
}

/// Setting that tells a simulated city from a real one.
pub const DEMO: &str = "demo";

fn region_rows(city: &City, pack: &Pack) -> Vec<NewRegion> {
    let code = |number| RegionCode::new(number).expect("regions have 12 digits");
    let above = pack.areas.iter().map(|(code, name)| NewRegion { code: *code, name: name.clone() });
    let counties =
        city.regions.counties.iter().map(|c| NewRegion { code: code(c.code), name: c.name.clone() });
    let townships =
        city.regions.townships.iter().map(|t| NewRegion { code: code(t.code), name: t.name.clone() });
    let villages = city.villages.iter().map(|v| NewRegion { code: code(v.code), name: v.name.clone() });
    let mut rows: Vec<NewRegion> = above.chain(counties).chain(townships).chain(villages).collect();
    rows.sort_by_key(|row| row.code);
    rows.dedup_by_key(|row| row.code);
    rows
}

/// Enters everybody, village by village, while a second thread makes the next people and encrypts them. Answers the ids
/// of those that are wanted later.
fn enrol_people(
    store: &Store,
    city: &Arc<City>,
    wanted: Vec<u32>,
    now: Now,
    progress: &mut Progress<'_>,
) -> Result<HashMap<u32, PersonId>, Fault> {
    let wanted: std::collections::HashSet<u32> = wanted.into_iter().collect();
    let mut ids = HashMap::with_capacity(wanted.len());
    let all = u64::from(city.spec.people);
    store.write(register::begin_bulk)?;
    let (send, receive) = mpsc::sync_channel::<(u32, Prepared)>(AHEAD);
    let maker = {
        let (city, store) = (Arc::clone(city), store.clone());
        std::thread::spawn(move || make_batches(&city, &store, now, &send))
    };
    let (answer, answers) = mpsc::channel();
    let (mut asked, mut more) = (0, true);
    // One batch is written while the one before is on its way to the disk.
    while more || asked > 0 {
        if more && asked < AT_ONCE {
            let Ok((first, batch)) = receive.recv() else {
                more = false;
                continue;
            };
            let (answer, count) = (answer.clone(), batch.count());
            asked += 1;
            let enter = move |tx: &mut Tx<'_>| {
                let done = register::enrol_prepared(tx, &builder(Role::System), &batch, now);
                must("entering elders", done)
            };
            store.write_then(enter, move |enrolled| drop(answer.send((first, count, enrolled))));
            continue;
        }
        let (first, count, enrolled) =
            answers.recv().map_err(|_| Fault::other("the store answered nothing"))?;
        asked -= 1;
        for (index, enrolled) in (first..).zip(enrolled?) {
            let enrolled = enrolled.map_err(|no| Fault::other(no.to_string()).at("entering an elder"))?;
            if wanted.contains(&index) {
                ids.insert(index, enrolled.person());
            }
        }
        progress("写入老年人档案", u64::from(first) + count as u64, all);
    }
    maker.join().map_err(|_| Fault::other("making people broke down"))?;
    progress("整理索引", 0, 1);
    store.write(register::end_bulk)?;
    progress("整理索引", 1, 1);
    Ok(ids)
}

fn make_batches(city: &City, store: &Store, now: Now, to: &mpsc::SyncSender<(u32, Prepared)>) {
    let actor = builder(Role::System);
    let mut first = 0;
    let mut batch = Vec::with_capacity(BATCH);
    let mut give = |batch: Vec<NewPerson>| {
        let prepared = register::prepare(store, &actor, batch, now);
        let at = first;
        first += prepared.count() as u32;
        // Nobody listens any more when the store failed; that is told on the other side.
        to.send((at, prepared)).is_ok()
    };
    for person in city.people() {
        batch.push(people::entered(&person, city.spec.today));
        if batch.len() == BATCH && !give(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))) {
            return;
        }
    }
    if !batch.is_empty() {
        give(batch);
    }
}
