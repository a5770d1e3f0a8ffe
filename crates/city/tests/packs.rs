//! The city packs: they parse, agree with each other and with the simulated city, and their numbers stay inside their bounds.

use std::collections::{HashMap, HashSet};

use city::births::Sex;
use city::carers::{SimCarer, Skill};
use city::{City, CitySpec};
use jiff::civil::{Date, date};
use serde::Deserialize;

const REGIONS: &str = include_str!("../../../cities/regions.csv");

struct Texts {
    folder: &'static str,
    pack: &'static str,
    services: &'static str,
    programmes: &'static str,
}

macro_rules! texts {
    ($folder:literal) => {
        Texts {
            folder: $folder,
            pack: include_str!(concat!("../../../cities/", $folder, "/pack.toml")),
            services: include_str!(concat!("../../../cities/", $folder, "/services.csv")),
            programmes: include_str!(concat!("../../../cities/", $folder, "/programmes.toml")),
        }
    };
}

const PACKS: [Texts; 4] = [texts!("kaifeng"), texts!("huangshi"), texts!("weifang"), texts!("liaoning")];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "fields stand here so that an unknown one is refused")]
struct Pack {
    format: u32,
    code: String,
    name: String,
    platform_name: String,
    regions: Vec<String>,
    utc_offset_minutes: i32,
    hotline: String,
    centre: [f64; 2],
    nobody_home_fee_fen: Option<i64>,
    nobody_home_fee_source: Option<String>,
    funders: Vec<Funder>,
    figures: Vec<Figure>,
    watch: Vec<Watch>,
    visits: Vec<Visits>,
    water: Vec<Water>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "fields stand here so that an unknown one is refused")]
struct Watch {
    grade: String,
    unseen_hours: u32,
    visit_days: u32,
    phone_days: Option<u32>,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "fields stand here so that an unknown one is refused")]
struct Visits {
    away_days_max: u32,
    new_days: u32,
    knock_item: String,
    area_percent: u32,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "fields stand here so that an unknown one is refused")]
struct Water {
    low_litres: u32,
    low_hours: u32,
    high_litres: u32,
    leak_hours: u32,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Funder {
    code: String,
    name: Option<String>,
    share_percent: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "fields stand here so that an unknown one is refused")]
struct Figure {
    code: String,
    name: String,
    value: f64,
    unit: String,
    as_of: Date,
    as_of_basis: String,
    #[serde(default)]
    at_least: bool,
    note: Option<String>,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    code: String,
    category: String,
    name: String,
    #[serde(rename = "help_kind")]
    _help_kind: String,
    unit: String,
    minutes_std: u32,
    minutes_min: u32,
    price_fen: i64,
    price_low_fen: i64,
    price_high_fen: i64,
    workers: usize,
    same_sex: String,
    who_may: String,
    one_of_them: String,
    evidence: String,
    #[serde(rename = "contraindication")]
    _contraindication: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Programmes {
    programme: Vec<Programme>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "fields stand here so that an unknown one is refused")]
struct Programme {
    code: String,
    name: String,
    asset: String,
    region_by: String,
    regions: Vec<String>,
    valid_from: Date,
    valid_to: Option<Date>,
    pick_order: u32,
    covers: Vec<String>,
    #[serde(default)]
    hardship_not_in: Vec<String>,
    elder_pays_monthly_fen: Option<i64>,
    carry_over: bool,
    status: String,
    illustrative_fields: Vec<String>,
    source: String,
    tiers: Vec<Tier>,
    funders: Vec<Funder>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "fields stand here so that an unknown one is refused")]
struct Tier {
    label: String,
    age_min: Option<u32>,
    age_max: Option<u32>,
    #[serde(default)]
    grade_in: Vec<String>,
    #[serde(default)]
    hardship_in: Vec<String>,
    #[serde(default)]
    living_in: Vec<String>,
    #[serde(default)]
    living_not_in: Vec<String>,
    monthly: i64,
}

fn services(text: &str) -> Vec<Service> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    reader.deserialize().collect::<Result<_, _>>().expect("every row of services.csv has all columns")
}

fn region_codes() -> HashSet<String> {
    REGIONS.lines().skip(1).map(|line| line[..12].to_string()).collect()
}

#[test]
fn the_region_list_is_whole() {
    let codes = region_codes();
    assert_eq!(codes.len(), 829);
    for line in REGIONS.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(fields.len(), 5, "{line}");
        assert!(fields[3].is_empty() || codes.contains(fields[3]), "{line}");
        assert_eq!(fields[4].is_empty(), fields[1] != "4", "{line}");
    }
}

#[test]
fn packs_name_their_place_and_their_figures_have_sources() {
    let codes = region_codes();
    for texts in &PACKS {
        let pack: Pack =
            toml::from_str(texts.pack).unwrap_or_else(|fault| panic!("{}: {fault}", texts.folder));
        assert_eq!((pack.code.as_str(), pack.format, pack.utc_offset_minutes), (texts.folder, 1, 480));
        assert!(pack.regions.iter().all(|code| codes.contains(code)));
        assert_eq!(pack.hotline, "12349");
        assert_eq!(pack.funders.iter().map(|funder| funder.share_percent).sum::<u32>(), 100);
        assert!(pack.funders.iter().all(|funder| funder.name.is_some()));
        let mut seen = HashSet::new();
        for figure in &pack.figures {
            assert!(
                !figure.source.is_empty() && ["stated", "inferred"].contains(&figure.as_of_basis.as_str())
            );
            assert!(figure.value > 0.0);
            assert!(seen.insert((figure.code.clone(), figure.as_of)), "{} twice on one day", figure.code);
        }
    }
}

#[test]
fn kaifengs_figures_keep_their_days_apart_and_add_up() {
    let pack: Pack = toml::from_str(PACKS[0].pack).unwrap();
    let of = |code: &str| -> Vec<f64> {
        pack.figures.iter().filter(|figure| figure.code == code).map(|figure| figure.value).collect()
    };
    assert_eq!(of("street_centres"), [13.0, 15.0]);
    assert_eq!(of("community_facilities"), [338.0, 370.0]);
    assert_eq!(of("elders"), [930_790.0]);
    let parts = of("private_homes")[0]
        + of("rural_homes")[0]
        + of("county_tekun_homes")[0]
        + of("street_centres")[0]
        + of("community_facilities")[0];
    assert_eq!(of("facilities"), [parts]);
}

#[test]
fn prices_lie_inside_their_bands() {
    for texts in &PACKS {
        let services = services(texts.services);
        assert_eq!(services.len(), 34);
        assert_eq!(services.iter().map(|service| &service.category).collect::<HashSet<_>>().len(), 5);
        assert_eq!(services.iter().map(|service| &service.code).collect::<HashSet<_>>().len(), 34);
        for service in &services {
            let band = service.price_low_fen..=service.price_high_fen;
            assert!(
                band.contains(&service.price_fen),
                "{} {} costs {}",
                texts.folder,
                service.code,
                service.price_fen
            );
            assert!(
                service.price_fen > 0 && service.price_fen % 50 == 0,
                "{} {}",
                texts.folder,
                service.code
            );
            assert!(service.minutes_min <= service.minutes_std && service.workers >= 1);
            assert!(["yes", "no"].contains(&service.same_sex.as_str()));
            assert!(["次", "小时"].contains(&service.unit.as_str()));
            assert!(!service.name.is_empty() && !service.who_may.is_empty() && !service.evidence.is_empty());
        }
    }
}

#[test]
fn programmes_are_paid_in_full_and_for_known_services() {
    let regions = region_codes();
    for texts in &PACKS {
        let pack: Pack = toml::from_str(texts.pack).unwrap();
        let funders: HashSet<String> = pack.funders.into_iter().map(|funder| funder.code).collect();
        let items: HashSet<String> =
            services(texts.services).into_iter().map(|service| service.code).collect();
        let file: Programmes =
            toml::from_str(texts.programmes).unwrap_or_else(|fault| panic!("{}: {fault}", texts.folder));
        assert!(file.programme.len() >= 2);
        let mut orders = HashSet::new();
        for programme in &file.programme {
            let code = &programme.code;
            assert_eq!(
                programme.funders.iter().map(|funder| funder.share_percent).sum::<u32>(),
                100,
                "{code}"
            );
            assert!(programme.funders.iter().all(|funder| funders.contains(&funder.code)), "{code}");
            assert!(programme.covers.iter().all(|item| items.contains(item)), "{code}");
            assert!(programme.regions.iter().all(|region| regions.contains(region)), "{code}");
            assert!(["minutes", "fen", "meals"].contains(&programme.asset.as_str()), "{code}");
            assert!(["hukou", "residence"].contains(&programme.region_by.as_str()), "{code}");
            assert!(["verified", "floor", "illustrative"].contains(&programme.status.as_str()), "{code}");
            assert!(!programme.source.is_empty() && orders.insert(programme.pick_order), "{code}");
            assert!(
                !programme.tiers.is_empty() && programme.tiers.iter().all(|tier| tier.monthly > 0),
                "{code}"
            );
            tests_use_known_words(programme);
        }
    }
}

fn tests_use_known_words(programme: &Programme) {
    let grades = ["intact", "mild", "moderate", "severe", "complete"];
    let hardships =
        ["tekun", "dibao", "dibao_bianyuan", "rigid_expense", "family_planning_special", "severe_disability"];
    let living = ["alone", "with_spouse", "with_children", "in_care_institution"];
    let known = |words: &[String], of: &[&str]| words.iter().all(|word| of.contains(&word.as_str()));
    for tier in &programme.tiers {
        assert!(known(&tier.grade_in, &grades), "{} {}", programme.code, tier.label);
        assert!(known(&tier.hardship_in, &hardships), "{} {}", programme.code, tier.label);
        assert!(known(&tier.living_in, &living) && known(&tier.living_not_in, &living), "{}", programme.code);
    }
    assert!(known(&programme.hardship_not_in, &hardships));
}

/// Reads `a+b|c`: both a and b, or c.
fn may(carer: &SimCarer, rule: &str, today: Date) -> bool {
    rule.split('|')
        .any(|all| all.split('+').all(|code| skill(code).is_some_and(|skill| carer.holds(skill, today))))
}

fn skill(code: &str) -> Option<Skill> {
    use Skill::*;
    let plain = [
        Bathing,
        HealthCertificate,
        FirstAid,
        Nurse,
        RehabTherapist,
        Electrician,
        Barber,
        Cleaning,
        Induction,
        SafetyInduction,
        VisitorInduction,
        Responder,
        SocialWorker,
        Counsellor,
    ];
    let levels = (1..=5).map(CareWorker);
    plain.into_iter().chain(levels).find(|skill| skill.code() == code)
}

#[test]
fn every_provider_can_really_do_what_it_may() {
    let today = date(2026, 11, 21);
    let catalogue: HashMap<String, Service> =
        services(PACKS[0].services).into_iter().map(|service| (service.code.clone(), service)).collect();
    for people in [2000, 200_000] {
        let city = City::build(CitySpec::kaifeng(1, people, today), REGIONS).unwrap();
        for provider in &city.providers {
            let staff = &city.carers[provider.carers.start as usize..provider.carers.end as usize];
            for code in provider.services {
                let service = &catalogue[*code];
                let able: Vec<&SimCarer> =
                    staff.iter().filter(|carer| may(carer, &service.who_may, today)).collect();
                let leads = |carer: &&&SimCarer| {
                    service.one_of_them.is_empty() || may(carer, &service.one_of_them, today)
                };
                for sex in [Sex::Male, Sex::Female] {
                    let team: Vec<&&SimCarer> =
                        able.iter().filter(|carer| service.workers == 1 || carer.sex == sex).collect();
                    assert!(team.len() >= service.workers, "{} lacks people for {code}", provider.name);
                    assert!(
                        team.into_iter().any(|carer| leads(&carer)),
                        "{} lacks a lead for {code}",
                        provider.name
                    );
                }
            }
        }
    }
}
