//! The same life cycle without HTTP: commands handed to the store by many threads.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use app::{orders, outcome::No, store::Store};
use city::town::{SERVICE, VISIT_MINUTES, Visit};
use domain::{
    access::Actor,
    money::Minutes,
    orders::{Channel, CheckIn, CheckOut, Confirmation, ConfirmedBy, Fix, Method, OrderRefusal},
    time::Now,
};

use super::cycle::Visits;

/// Cycles a second by so many threads.
pub(super) fn cycles_per_s(
    store: &Store,
    visits: &Arc<Visits>,
    actor: &Arc<Actor>,
    threads: usize,
    lasts: Duration,
) -> Result<f64, String> {
    let began = Instant::now();
    let threads: Vec<_> = (0..threads)
        .map(|_| {
            let (store, visits, actor) = (store.clone(), Arc::clone(visits), Arc::clone(actor));
            std::thread::spawn(move || {
                let mut cycles = 0_u64;
                while began.elapsed() < lasts {
                    let Some(visit) = visits.next() else { break };
                    cycle(&store, &actor, visit).map_err(|no| format!("{no:?}"))?;
                    cycles += 1;
                }
                Ok::<u64, String>(cycles)
            })
        })
        .collect();
    let mut cycles = 0;
    for thread in threads {
        cycles += thread.join().map_err(|_| "a thread broke down".to_owned())??;
    }
    Ok(cycles as f64 / began.elapsed().as_secs_f64())
}

fn cycle(store: &Store, actor: &Arc<Actor>, visit: Visit) -> Result<(), No<OrderRefusal>> {
    let now = Now(visit.start.plus_minutes(-4));
    let by = || Arc::clone(actor);
    let ask = orders::PlaceOrder {
        person: visit.person,
        service: SERVICE.to_owned(),
        start: visit.start,
        minutes: Some(Minutes(VISIT_MINUTES)),
        own_share_agreed: true,
        channel: Channel::Hotline,
        call: None,
        note: String::new(),
    };
    let actor = by();
    let id = store.write(move |tx| orders::place(tx, &actor, &ask, now))?;
    let actor = by();
    store.write(move |tx| orders::assign(tx, &actor, id, visit.carer, None, now))?;
    let fix = Some(Fix { lon: visit.home.0, lat: visit.home.1, accuracy: 12.0 });
    let arrived = CheckIn { method: Method::Gps, fix, device_at: now.0 };
    let actor = by();
    store.write(move |tx| orders::check_in(tx, &actor, id, &arrived, now))?;
    let left = CheckOut {
        fix: None,
        device_at: now.0,
        tasks: vec!["送餐上门".to_owned()],
        note: "当面交接".to_owned(),
    };
    let word = Confirmation { by: ConfirmedBy::Elder, satisfied: true, note: String::new() };
    let actor = by();
    store.write(move |tx| orders::check_out(tx, &actor, id, &left, Some(&word), now))?;
    let actor = by();
    store.write(move |tx| orders::settle(tx, &actor, id, now))?;
    Ok(())
}
