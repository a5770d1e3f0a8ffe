//! `xiyang bench people`: finding people in a whole city, by everything the box and the filters take.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use app::{outcome::No, parties::people};
use city::City;
use clap::Args;
use domain::{
    access::{Actor, Role},
    ids::{AccountId, PersonId},
    parties::name,
    regions::RegionRange,
};

use super::{
    browse::{self, Ask, Visitor, encoded},
    place::{CityArgs, Place},
    report::{Report, percentile},
};
use crate::{
    complaint::{CHECK_FAILED, Complaint},
    open, outside,
};

#[derive(Debug, Args)]
pub(crate) struct PeopleArgs {
    #[command(flatten)]
    city: CityArgs,
    /// 测量的秒数。Seconds of the measurement
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// 并发连接数。Connections at once
    #[arg(long, value_name = "C", default_value_t = 4)]
    connections: usize,
}

/// Within which 95 of 100 searches must be answered, whatever is looked for.
const P95_MS_MAX: f64 = 100.0;
/// Different people and places that are looked for.
const SUBJECTS: u32 = 40;
/// Rows of a page.
const ROWS: usize = 25;

pub(crate) fn run(args: &PeopleArgs) -> Result<ExitCode, Complaint> {
    let mut report = Report::new("people");
    let place = args.city.open(&mut report)?;
    let mut city = Visitor::enter(place.server.address, "zhoujianguo")?;
    let others = ["liwenbo", "wangxiufang", "liulijuan"];
    let others = others.map(|persona| Visitor::enter(place.server.address, persona));
    let [county, town, village] = others;
    let asks = asks(&place.city, &city, [&county?, &town?, &village?]);
    for ask in asks.iter().take(60) {
        // A refusal would be answered quickly and prove nothing.
        city.look(&ask.path)?;
    }
    let file = |e: std::io::Error| Complaint::file("xiyang demo".as_ref(), &e);
    let measure = |seconds| {
        browse::browse(place.server.address, &asks, args.connections, Duration::from_secs(seconds))
            .map_err(file)
    };
    measure(3)?;
    let mut seen = measure(args.seconds)?;
    let mut worst: f64 = 0.0;
    for (name, kind) in &mut seen.kinds {
        worst = worst.max(kind.milliseconds(0.95));
        report.figure(format!("{name}_p50_ms"), kind.milliseconds(0.5));
        report.figure(format!("{name}_p95_ms"), kind.milliseconds(0.95));
    }
    report.figure("p50_ms", seen.milliseconds(0.5));
    report.figure("p95_ms", seen.milliseconds(0.95));
    report.figure("p99_ms", seen.milliseconds(0.99));
    report.figure("worst_kind_p95_ms", worst);
    report.figure("searches_per_s", seen.requests() as f64 / seen.seconds);
    report.figure("errors", seen.errors as f64);
    report.figure("memory_mib", place.server.memory_mib());
    if let Some(error) = &seen.first_error {
        report.skipped("first_error", error);
    }
    by_key(&place, &mut city, &mut report)?;
    report.limit("p95_ms_max", P95_MS_MAX);
    report.limit("connections", args.connections as f64);
    report.print(args.city.json)?;
    let good = seen.errors == 0 && worst <= P95_MS_MAX;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(CHECK_FAILED) })
}

/// Everything one looks for: kinds of words and filters, rare and common, for every level of post.
fn asks(city: &City, whole: &Visitor, scoped: [&Visitor; 3]) -> Vec<Ask> {
    let mut asks = Vec::new();
    let step = city.spec.people / SUBJECTS;
    for n in 0..SUBJECTS {
        let person = city.person(n * step);
        let mut add = |kind, path: String| asks.push(whole.ask(kind, path));
        let name = encoded(&person.name);
        let surname = encoded(&person.name.chars().take(1).collect::<String>());
        let letters = name::initials(&person.name);
        let tail = &person.id_no[person.id_no.len() - 4..];
        let (village, township, county) =
            (person.residence, person.residence / 1000 * 1000, person.residence / 1_000_000 * 1_000_000);
        add("name", format!("/people?q={name}"));
        add("surname", format!("/people?q={surname}"));
        add("initials", format!("/people?q={letters}"));
        add("initial", format!("/people?q={}", &letters[..1]));
        add("digits", format!("/people?q={tail}"));
        add("phone", format!("/people?q={}", person.phone));
        add("number", format!("/people?q={}", person.id_no));
        add("name_in_village", format!("/people?q={}&region={village}", &letters[..1]));
        add("county", format!("/people?region={county}"));
        add("township", format!("/people?region={township}"));
        add("village", format!("/people?region={village}&sort=oldest"));
        for (kind, filter) in FILTERS {
            add(kind, format!("/people?{filter}"));
        }
        add("rare_in_county", format!("/people?region={county}&living=with_non_relatives&ability=complete"));
        add("tag_in_township", format!("/people?region={township}&hardship=dibao&living=alone"));
        add("old_in_county", format!("/people?region={county}&age_from=90&living=alone&sort=oldest"));
        add("newest", "/people?sort=newest".to_owned());
        add("newest_in_county", format!("/people?region={county}&sort=newest"));
        add("newest_in_township", format!("/people?region={township}&sort=newest"));
        add("newest_rare", format!("/people?region={county}&sort=newest&ability=severe"));
        for visitor in scoped {
            asks.push(visitor.ask("own_list", "/people?sort=newest"));
            asks.push(visitor.ask("own_name", format!("/people?q={surname}&sort=name")));
            asks.push(visitor.ask("own_filter", "/people?living=alone&hardship=tekun&age_from=80"));
        }
    }
    fastrand::Rng::with_seed(u64::from(city.spec.people)).shuffle(&mut asks);
    asks
}

/// Filters over the whole city: what hardly anybody has, what many have, and what nobody has together.
const FILTERS: [(&str, &str); 11] = [
    ("state_none", "state=missing"),
    ("state_all", "state=active&sort=name"),
    ("ability_rare", "ability=complete"),
    ("living_rare", "living=with_non_relatives&sort=oldest"),
    ("living_common", "living=with_spouse&sort=youngest"),
    ("hardship_rare", "hardship=family_planning_special"),
    ("hardship_common", "hardship=empty_nest&sort=oldest"),
    ("three_tags", "hardship=tekun&living=alone&ability=severe"),
    ("age_rare", "age_from=100"),
    ("age_and_tag", "age_from=95&living=alone"),
    ("age_common", "age_from=70&age_to=74&ability=mild"),
];

/// What cannot be beaten: the cards of a page, each read by its key from the same data without HTTP.
fn by_key(place: &Place, city: &mut Visitor, report: &mut Report) -> Result<(), Complaint> {
    let ids = city.numbers("/people?limit=25&sort=name", "open=")?;
    let ids: Vec<PersonId> = ids.iter().filter_map(|id| id.parse().ok()).take(ROWS).collect();
    let actor = Actor {
        account: AccountId(0),
        name: String::new(),
        role: Role::System,
        range: RegionRange::ALL,
        provider: None,
        carer: None,
    };
    let opened = open::to_look(&crate::PlaceArgs { data: Some(place.data.clone()), database: None }, None)?;
    let mut micros = Vec::new();
    for _ in 0..400 {
        let (wanted, actor, now) = (ids.clone(), actor.clone(), outside::now());
        let asked = Instant::now();
        let cards = opened.store.read(move |tx| {
            wanted.iter().map(|id| people::card(tx, &actor, *id, now)).collect::<Result<Vec<_>, No<_>>>()
        });
        let cards = cards.map_err(|no| Complaint::new(format!("{no:?}"), "the cards cannot be read"))?;
        assert_eq!(cards.len(), ids.len(), "whoever is listed has a card");
        micros.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    report.limit("same_rows_by_key_p95_ms", percentile(&mut micros, 0.95) / 1000.0);
    Ok(())
}
