//! Who sits at a desk: whoever has a page open that listens for news, in this process.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::access::{Act, Actor};

type Seats = Arc<Mutex<BTreeMap<u64, Arc<Actor>>>>;

/// Everybody with an open page.
#[derive(Debug, Default)]
pub struct Present(Seats);

/// Somebody's open page; gone when this is dropped.
#[derive(Debug)]
pub struct Seat {
    number: u64,
    seats: Seats,
}

impl Present {
    /// Notes an open page.
    pub fn enter(&self, actor: Arc<Actor>) -> Seat {
        let mut seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = seats.last_key_value().map_or(0, |(last, _)| last + 1);
        seats.insert(number, actor);
        Seat { number, seats: Arc::clone(&self.0) }
    }

    /// Names of those who may do this somewhere where `whom` may too, each once.
    pub fn names(&self, act: Act, whom: &Actor) -> Vec<String> {
        let seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut here: Vec<(i64, String)> = seats
            .values()
            .filter(|a| a.may(act).is_ok() && a.range.meet(whom.range).is_some())
            .map(|a| (a.account.0, a.name.clone()))
            .collect();
        here.sort_unstable();
        here.dedup();
        here.into_iter().map(|(_, name)| name).collect()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use domain::{access::Role, ids::AccountId, regions::RegionRange};

    use super::*;

    fn actor(account: i64, role: Role, lo: i64) -> Arc<Actor> {
        Arc::new(Actor {
            account: AccountId(account),
            name: format!("坐席{account}"),
            role,
            range: RegionRange { lo, hi: lo + 999_999 },
            provider: None,
            carer: None,
        })
    }

    #[test]
    fn who_closes_the_page_has_left() {
        let present = Present::default();
        let (here, there) = (410_202_000_000, 410_203_000_000);
        let _first = present.enter(actor(1, Role::Agent, here));
        let second = present.enter(actor(2, Role::Agent, here));
        let _again = present.enter(actor(1, Role::Agent, here));
        let _carer = present.enter(actor(3, Role::Worker, here));
        let _elsewhere = present.enter(actor(4, Role::Agent, there));
        let names = || present.names(Act::TakeCalls, &actor(9, Role::Agent, here));
        assert_eq!(names(), ["坐席1", "坐席2"]);
        drop(second);
        assert_eq!(names(), ["坐席1"]);
    }
}
