//! `xiyang bench pages`: the ten pages that are open all day, in a whole city, as those see them who sit there.

use std::{process::ExitCode, time::Duration};

use clap::Args;

use super::{
    browse::{self, Ask, Visitor},
    place::{CityArgs, Place},
    report::Report,
};
use crate::complaint::{CHECK_FAILED, Complaint};

#[derive(Debug, Args)]
pub(crate) struct PagesArgs {
    #[command(flatten)]
    city: CityArgs,
    /// 测量的秒数。Seconds of the measurement
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// 并发连接数。Connections at once
    #[arg(long, value_name = "C", default_value_t = 4)]
    connections: usize,
}

/// Within which the slowest of the pages must answer 99 of 100 times.
const P99_MS_MAX: f64 = 50.0;
/// Different elders and orders that are looked at.
const SUBJECTS: usize = 60;

pub(crate) fn run(args: &PagesArgs) -> Result<ExitCode, Complaint> {
    let mut report = Report::new("pages");
    let place = args.city.open(&mut report)?;
    let asks = asks(&place)?;
    let file = |e: std::io::Error| Complaint::file("xiyang demo".as_ref(), &e);
    let address = place.server.address;
    let measure = |asks: &[Ask], seconds| {
        browse::browse(address, asks, args.connections, Duration::from_secs(seconds)).map_err(file)
    };
    measure(&asks, 3)?;
    let cpu = place.server.cpu_seconds();
    let mut seen = measure(&asks, args.seconds)?;
    let cpu = place.server.cpu_seconds() - cpu;
    let mut worst: f64 = 0.0;
    for (name, kind) in &mut seen.kinds {
        worst = worst.max(kind.milliseconds(0.99));
        for (share, what) in [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")] {
            report.figure(format!("{name}_{what}_ms"), kind.milliseconds(share));
        }
        report.figure(format!("{name}_kib"), kind.bytes() / 1024.0);
    }
    report.figure("worst_p99_ms", worst);
    report.figure("pages_per_s", seen.requests() as f64 / seen.seconds);
    report.figure("server_cpu_ms_per_page", cpu / seen.requests() as f64 * 1000.0);
    report.figure("memory_mib", place.server.memory_mib());
    report.figure("errors", seen.errors as f64);
    if let Some(error) = &seen.first_error {
        report.skipped("first_error", error);
    }
    // What the same connections wait for an answer that asks no table: the floor under every page.
    let empty = Ask { kind: "health", path: "/health".into(), session: "".into() };
    if let Some(mut least) = measure(&[empty], 2)?.kinds.remove("health") {
        report.limit("empty_answer_p50_ms", least.milliseconds(0.5));
        report.limit("empty_answer_p99_ms", least.milliseconds(0.99));
    }
    report.limit("worst_p99_ms_max", P99_MS_MAX);
    report.limit("connections", args.connections as f64);
    report.print(args.city.json)?;
    let good = seen.errors == 0 && worst <= P99_MS_MAX;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(CHECK_FAILED) })
}

/// Every page as often as the others, over ids of all parts of the city, each as somebody who has it open in life.
fn asks(place: &Place) -> Result<Vec<Ask>, Complaint> {
    let enter = |persona| Visitor::enter(place.server.address, persona);
    let (mut city, town, mut agent) = (enter("zhoujianguo")?, enter("wangxiufang")?, enter("hujing")?);
    let (mut dispatcher, office, mut carer) = (enter("zhaolei")?, enter("fuwushang")?, enter("fuwu1")?);
    let (auditor, mut finance) = (enter("heguangming")?, enter("songkai")?);

    let mut people = Vec::new();
    let step = place.city.spec.people / SUBJECTS as u32;
    for n in 0..SUBJECTS as u32 {
        let person = place.city.person(n * step);
        let led = city.look(&format!("/search?q={}", person.id_no))?;
        people.extend(led.starts_with("/people/").then_some(led));
    }
    let counties: Vec<i64> = place.city.regions.counties.iter().map(|c| c.code).collect();
    let mut orders = Vec::new();
    for page in 1..=4 {
        orders.extend(dispatcher.numbers(&format!("/orders?page={page}"), "/orders/")?);
    }
    orders.truncate(SUBJECTS);
    let waiting = dispatcher.numbers("/dispatch", "order=")?;
    let calls = agent.numbers("/calls", "/hotline/calls/")?;
    let visits = carer.numbers("/carer", "/carer/visits/")?;
    let statements = finance.numbers("/statements", "/statements/")?;

    let nth = |all: &[String], n: usize, path: &str, none: &str| {
        if all.is_empty() { none.to_owned() } else { format!("{path}{}", all[n % all.len()]) }
    };
    let mut asks = Vec::new();
    for n in 0..SUBJECTS {
        let county = counties[n % counties.len()];
        asks.push(match n % 3 {
            0 => city.ask("people", "/people"),
            1 => city.ask("people", format!("/people?region={county}&limit=50")),
            _ => town.ask("people", "/people?sort=name"),
        });
        asks.push(city.ask("person", nth(&people, n, "", "/people")));
        asks.push(if n % 2 == 0 {
            agent.ask("hotline", "/hotline")
        } else {
            agent.ask("hotline", nth(&calls, n, "/hotline/calls/", "/hotline"))
        });
        asks.push(if n % 2 == 0 {
            dispatcher.ask("dispatch", "/dispatch")
        } else {
            dispatcher.ask("dispatch", nth(&waiting, n, "/dispatch?order=", "/dispatch"))
        });
        asks.push(if n % 2 == 0 {
            carer.ask("carer", "/carer")
        } else {
            carer.ask("carer", nth(&visits, n, "/carer/visits/", "/carer"))
        });
        asks.push(match n % 3 {
            0 => dispatcher.ask("orders", "/orders"),
            1 => office.ask("orders", "/orders"),
            _ => city.ask("orders", format!("/orders?region={county}&sort=earliest")),
        });
        asks.push(dispatcher.ask("order", nth(&orders, n, "/orders/", "/orders")));
        asks.push(auditor.ask("trail", nth(&orders, n, "/orders/", "/orders") + "/trail"));
        asks.push(if n % 2 == 0 {
            finance.ask("statements", "/statements")
        } else {
            finance.ask("statements", nth(&statements, n, "/statements/", "/statements"))
        });
        asks.push(auditor.ask("evidence", "/evidence"));
    }
    fastrand::Rng::with_seed(u64::from(place.city.spec.people)).shuffle(&mut asks);
    Ok(asks)
}
