//! The contracted providers of the city: at least two in every county, which together may do every service there.

use jiff::{ToSpan, civil::Date};

use crate::addresses;
use crate::births::Sex;
use crate::ids::{self, PhoneBlock};
use crate::names;
use crate::regions::RegionTree;
use crate::rng::{Rng, Seed, Shuffle, Topic, apportion};
use crate::villages::Village;

/// A provider under contract with the civil affairs office.
#[derive(Debug, Clone, PartialEq)]
pub struct SimProvider {
    /// Place in the city's list, from 0.
    pub index: u32,
    /// Registered name.
    pub name: String,
    /// What people call it.
    pub short_name: String,
    /// Kind of business.
    pub kind: ProviderKind,
    /// Unified social credit code with a right check digit and a test area.
    pub credit_code: String,
    /// County it is contracted in, 12 digits.
    pub county: i64,
    /// Village its office stands in, 12 digits.
    pub village: i64,
    /// Address of the office.
    pub address: String,
    /// Longitude of the office.
    pub lon: f64,
    /// Latitude of the office.
    pub lat: f64,
    /// Contract number.
    pub contract_no: String,
    /// First day of the contract.
    pub contract_from: Date,
    /// Last day of the contract; a few have run out.
    pub contract_to: Date,
    /// Codes of the services it may do.
    pub services: &'static [&'static str],
    /// Who answers for it.
    pub contact_name: String,
    /// That person's phone, unique.
    pub contact_phone: String,
    /// Indices of its carers in the city's list.
    pub carers: std::ops::Range<u32>,
}

/// Kind of business, which decides what it may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProviderKind {
    /// 综合居家养老服务
    Comprehensive,
    /// 医养结合（有诊所或护理站）
    Clinic,
    /// 家政
    Housekeeping,
    /// 物业
    Property,
    /// 助餐
    Meals,
    /// 社会工作
    SocialWork,
}

impl ProviderKind {
    /// Service items a provider of this kind may do. INVARIANT: the first two kinds together cover all 34.
    pub fn services(self) -> &'static [&'static str] {
        match self {
            ProviderKind::Comprehensive => &[
                "A01", "A02", "A03", "A04", "A05", "A06", "A07", "A08", "A09", "A10", "A11", "A12", "B01",
                "B02", "B03", "B04", "B05", "B06", "B07", "B08", "C01", "C02", "C03", "C04", "D01", "D02",
                "D03", "D04", "E01", "E02", "E03",
            ],
            ProviderKind::Clinic => &[
                "A03", "A04", "A05", "A06", "A08", "A09", "A10", "A11", "A12", "C01", "C02", "C03", "C04",
                "C05", "C06", "C07", "D02", "D04", "E01",
            ],
            ProviderKind::Housekeeping => {
                &["A02", "B01", "B02", "B03", "B04", "B05", "B07", "B08", "C02", "D01", "D03", "E01"]
            }
            ProviderKind::Property => &["B01", "B06", "B07", "B08", "C02", "D01", "D03", "D04", "E01"],
            ProviderKind::Meals => &["A01", "A02", "D01", "E01"],
            ProviderKind::SocialWork => &["C02", "D01", "D02", "D03", "E01", "E02", "E03"],
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            ProviderKind::Comprehensive => "居家养老服务有限公司",
            ProviderKind::Clinic => "医养服务中心",
            ProviderKind::Housekeeping => "家政服务有限公司",
            ProviderKind::Property => "物业服务有限公司",
            ProviderKind::Meals => "餐饮管理有限公司",
            ProviderKind::SocialWork => "社会工作服务中心",
        }
    }

    /// First two digits of the credit code: 91 firms, 52 private non-enterprise bodies.
    fn authority(self) -> u32 {
        if matches!(self, ProviderKind::Clinic | ProviderKind::SocialWork) { 52 } else { 91 }
    }
}

/// Kaifeng has 124 contracted providers for 930,790 elders (its published figures).
const PROVIDERS_OF_KAIFENG: u64 = 124;
const ELDERS_OF_KAIFENG: u64 = 930_790;

/// Every county has at least so many, or an elder there would have no choice.
pub const PROVIDERS_A_COUNTY_MIN: u32 = 2;

/// Makes all providers, ordered by county; their carers are given to them later.
pub(crate) fn contract(
    tree: &RegionTree,
    villages: &[Village],
    people: u32,
    today: Date,
    seed: Seed,
) -> Vec<SimProvider> {
    let counties = tree.counties.len() as u32;
    let fair = (u64::from(people) * PROVIDERS_OF_KAIFENG + ELDERS_OF_KAIFENG / 2) / ELDERS_OF_KAIFENG;
    let extra = (fair as u32).saturating_sub(counties * PROVIDERS_A_COUNTY_MIN);
    let extras = apportion(extra, &county_people(tree, villages));
    let brands = Shuffle::new((FIRST.len() * SECOND.len()) as u32, seed.stream(Topic::Providers, u64::MAX));
    let mut providers = Vec::new();
    for (county, extra) in extras.into_iter().enumerate() {
        let homes: Vec<&Village> =
            villages.iter().filter(|village| tree.townships[village.township].county == county).collect();
        if homes.is_empty() {
            continue;
        }
        for number in 0..PROVIDERS_A_COUNTY_MIN + extra {
            let index = providers.len() as u32;
            let mut rng = seed.stream(Topic::Providers, u64::from(index));
            let office = *rng.pick(&homes);
            providers.push(provider(
                index,
                number,
                office,
                brands.of(index),
                Place { tree, seed, today },
                &mut rng,
            ));
        }
    }
    providers
}

/// Elders of each county, for sharing out what follows people.
pub(crate) fn county_people(tree: &RegionTree, villages: &[Village]) -> Vec<u64> {
    let mut people = vec![0; tree.counties.len()];
    for village in villages {
        people[tree.townships[village.township].county] += u64::from(village.people);
    }
    people
}

/// Where and when a provider is made.
struct Place<'a> {
    tree: &'a RegionTree,
    seed: Seed,
    today: Date,
}

fn provider(
    index: u32,
    number: u32,
    office: &Village,
    brand: u32,
    place: Place<'_>,
    rng: &mut Rng,
) -> SimProvider {
    let kind = kind(number, rng);
    let township = &place.tree.townships[office.township];
    let county = &place.tree.counties[township.county];
    let (lon, lat) = addresses::home_point(office, rng);
    let brand = format!("{}{}", FIRST[brand as usize / SECOND.len()], SECOND[brand as usize % SECOND.len()]);
    let city = county.city.trim_end_matches('市');
    let (contract_from, contract_to) = contract_span(number, place.today, rng);
    let sex = if rng.chance(450) { Sex::Female } else { Sex::Male };
    let boss_year = place.today.year() - rng.between(30, 58) as i16;
    SimProvider {
        index,
        name: format!("{city}{brand}{}", kind.suffix()),
        short_name: brand,
        kind,
        credit_code: ids::credit_code(kind.authority(), ids::home_area(county.code), index),
        county: county.code,
        village: office.code,
        address: addresses::home_address(place.seed, county, township, office, rng),
        lon,
        lat,
        contract_no: format!("养服〔{}〕{:04}号", contract_from.year(), index + 1),
        contract_from,
        contract_to,
        services: kind.services(),
        contact_name: names::full_name(names::surname(rng), sex, boss_year, rng),
        contact_phone: ids::mobile(PhoneBlock::Provider, index),
        carers: 0..0,
    }
}

/// The first two of a county cover the whole catalogue, the others are mixed.
fn kind(number: u32, rng: &mut Rng) -> ProviderKind {
    use ProviderKind::{Clinic, Comprehensive, Housekeeping, Meals, Property, SocialWork};
    match number {
        0 => Comprehensive,
        1 => Clinic,
        _ => [Comprehensive, Clinic, Housekeeping, Property, Meals, SocialWork]
            [rng.weighted(&[30, 15, 20, 12, 13, 10])],
    }
}

/// Contracts run for one to three years. The first two of a county are in force; of the others some end soon, some have ended.
fn contract_span(number: u32, today: Date, rng: &mut Rng) -> (Date, Date) {
    let fate = if number < PROVIDERS_A_COUNTY_MIN { 999 } else { rng.below(1000) };
    let days_left = match fate {
        ..40 => -rng.between(1, 60),
        40..110 => rng.between(1, 30),
        _ => rng.between(40, 700),
    };
    let years = if days_left > 360 { rng.between(2, 3) } else { rng.between(1, 3) };
    let to = today.checked_add(i64::from(days_left).days()).expect("within two years of today");
    let from = to
        .checked_sub(i64::from(years).years())
        .and_then(|day| day.checked_add(1.days()))
        .expect("within four years of today");
    (from, to)
}

/// 30 × 30 brands, so 900 providers have different ones.
const FIRST: [&str; 30] = [
    "康", "福", "松", "鹤", "颐", "安", "暖", "孝", "和", "瑞", "祥", "德", "仁", "惠", "乐", "寿", "春",
    "夕", "金", "爱", "佑", "荣", "嘉", "益", "善", "馨", "恒", "润", "众", "汇",
];
const SECOND: [&str; 30] = [
    "宁", "泰", "园", "龄", "年", "居", "家", "阳", "心", "怡", "晚", "邻", "助", "护", "伴", "享", "悦",
    "源", "庭", "华", "民", "诚", "信", "达", "康", "和", "健", "晨", "晖", "亲",
];
