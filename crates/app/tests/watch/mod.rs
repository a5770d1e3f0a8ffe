//! An alarm desk for tests of incidents: people signed in at it, buttons, and what they leave behind.

#![allow(dead_code, reason = "each test binary uses its own part of the desk")]

use app::{
    outcome::No,
    p,
    signals::incidents::{self, Opened, Opening, Sheet},
    store::{Fault, Store},
};
use domain::{
    access::{Actor, Role},
    ids::{AccountId, DeviceId, IncidentId, PersonId},
    signals::incident::{
        Closure, IncidentFactKind as Kind, IncidentKind, IncidentOutcome, IncidentRefusal, Level,
    },
    time::Now,
};

use super::town::{COUNTY, VILLAGE, at, person, region};

/// So many seconds into the morning.
pub fn after(seconds: i64) -> Now {
    Now(at(0).0.plus_seconds(seconds))
}

/// Somebody who sits at a desk, signed in.
pub fn seat(store: &Store, account: i64, name: &'static str, role: Role) -> Actor {
    seat_in(store, account, name, role, COUNTY)
}

pub fn seat_in(store: &Store, account: i64, name: &'static str, role: Role, place: &str) -> Actor {
    store
        .write(move |tx| {
            tx.execute_one(
                "INSERT INTO account (id, username, name, created_at) VALUES (?1, ?2, ?3, 0)",
                p![account, format!("user{account}"), name],
            )?;
            tx.execute_one(
                "INSERT INTO post (id, account, role, region_lo, region_hi, granted_at, granted_by)
                VALUES (?1, ?1, ?2, 0, 1, 0, 0)",
                p![account, role.code()],
            )?;
            sign_in(tx, account)
        })
        .unwrap();
    let range = region(place).range();
    Actor { account: AccountId(account), name: name.into(), role, range, provider: None, carer: None }
}

pub fn sign_in(tx: &mut app::store::Tx<'_>, account: i64) -> Result<(), Fault> {
    let id = tx.id(at(0));
    tx.execute_one(
        "INSERT INTO session (token_hash, id, account, post, proved_at, created_at, expires_at)
        VALUES (?1, ?2, ?3, ?3, 0, 0, ?4)",
        p![id.to_be_bytes().to_vec(), id, account, after(1_000_000).0],
    )
}

pub fn sign_out(store: &Store, account: i64, now: Now) {
    const END: &str = "UPDATE session SET ended_at = ?2 WHERE account = ?1 AND ended_at IS NULL";
    assert!(store.write(move |tx| tx.execute(END, p![account, now.0])).unwrap() > 0);
}

pub fn sos(person: PersonId, device: i64, key: &str, now: Now) -> Opening {
    Opening {
        kind: IncidentKind::Sos,
        level: Level::P1,
        person: Some(person),
        device: Some(DeviceId(device)),
        region: region(VILLAGE),
        pressed_at: Some(now.0.plus_seconds(-2)),
        received_at: now.0,
        verified: true,
        text: "按下紧急按钮".into(),
        key: key.into(),
    }
}

pub fn open(store: &Store, opening: Opening, now: Now) -> Opened {
    store.write(move |tx| incidents::open(tx, &opening, now)).unwrap()
}

pub fn press(store: &Store, now: Now) -> IncidentId {
    let who = person(store, "王秀英", 2);
    open(store, sos(who, 1, "first", now), now).id
}

pub type Wish<T> = Result<T, No<IncidentRefusal>>;

/// Runs a command and reads the refusal.
pub fn refusal<T: Send + 'static>(
    store: &Store,
    work: impl FnMut(&mut app::store::Tx<'_>) -> Wish<T> + Send + 'static,
) -> IncidentRefusal {
    match store.write(work) {
        Err(No::Refused(refusal)) => refusal,
        Err(other) => panic!("{other:?} instead of a refusal"),
        Ok(_) => panic!("no refusal"),
    }
}

pub fn take(store: &Store, who: &Actor, id: IncidentId, now: Now) {
    let who = who.clone();
    store.write(move |tx| incidents::acknowledge(tx, &who, id, now)).unwrap();
}

pub fn sheet(store: &Store, who: &Actor, id: IncidentId) -> Sheet {
    let who = who.clone();
    store.read(move |tx| incidents::incident(tx, &who, id)).unwrap()
}

pub fn history(sheet: &Sheet) -> Vec<Kind> {
    sheet.facts.iter().map(|f| f.kind).collect()
}

pub fn tick(store: &Store, now: Now) -> usize {
    let mut steps = 0;
    loop {
        let ticked = store.write(move |tx| incidents::tick(tx, now)).unwrap();
        steps += ticked.steps;
        if !ticked.more {
            return steps;
        }
    }
}

pub fn ending(outcome: IncidentOutcome) -> Closure {
    Closure {
        outcome, with_elder: "女儿张丽".into(), text: "电话里说话清楚，女儿已到家".into()
    }
}
