//! Generates a whole city on two threads and prints how long it took: `cargo run --release -p city --example measure [people]`.

use std::time::Instant;

use city::{City, CitySpec};
use jiff::civil::date;

#[expect(clippy::print_stdout, reason = "printing the figures is what this is for")]
fn main() {
    let people = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(930_790);
    let started = Instant::now();
    let spec = CitySpec::kaifeng(1, people, date(2026, 11, 21));
    let city = City::build(spec, include_str!("../../../cities/regions.csv"))
        .expect("the region list of this repository is sound");
    println!(
        "built: {} villages, {} providers, {} carers in {:?}",
        city.villages.len(),
        city.providers.len(),
        city.carers.len(),
        started.elapsed()
    );
    let started = Instant::now();
    let (mut persons, mut bytes) = (0u64, 0u64);
    std::thread::scope(|scope| {
        let city = &city;
        let count = |run: &[city::Village]| {
            let people = run.iter().flat_map(|village| city.people_of(village));
            people.fold((0u64, 0u64), |(persons, bytes), person| {
                (persons + 1, bytes + person.address.len() as u64)
            })
        };
        let threads: Vec<_> = city.parts(2).into_iter().map(|run| scope.spawn(move || count(run))).collect();
        for thread in threads {
            let (more, size) = thread.join().expect("generating people does not panic");
            persons += more;
            bytes += size;
        }
    });
    println!("{persons} people ({bytes} bytes of addresses) in {:?}", started.elapsed());
    for index in (0..people).step_by((people / 6).max(1) as usize) {
        let person = city.person(index);
        println!("{person:#?}\n{:?}", city.truth(&person));
    }
}
