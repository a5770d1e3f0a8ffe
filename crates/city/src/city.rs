//! The city as a whole: built once, then asked for people.

use jiff::civil::Date;

use crate::addresses;
use crate::births::{Births, age_on};
use crate::carers::{self, SimCarer};
use crate::ids::{self, BIRTHS_A_DAY_MAX, PHONES_A_BLOCK, PhoneBlock};
use crate::people::{self, Basis, SimPerson};
use crate::providers::{self, SimProvider};
use crate::regions::{RegionFault, RegionTree};
use crate::rng::{Rng, Seed, Shuffle, Topic};
use crate::truth::{self, CarerTruth, PersonTruth, ProviderTruth};
use crate::villages::{self, Village};

/// Twice the largest city we aim at; beyond it identity numbers of a day run out.
pub const PEOPLE_MAX: u32 = 4_000_000;

/// What a city is grown from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CitySpec {
    /// Seed; the same seed and head count on the same day give the same city.
    pub seed: u64,
    /// How many elders it has, exactly.
    pub people: u32,
    /// The day on which everybody is 60 or more.
    pub today: Date,
    /// Codes of the cities or counties it consists of, 12 digits.
    pub regions: Vec<i64>,
}

impl CitySpec {
    /// Kaifeng with so many elders.
    pub fn kaifeng(seed: u64, people: u32, today: Date) -> CitySpec {
        CitySpec { seed, people, today, regions: vec![410_200_000_000] }
    }
}

/// The city cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CityFault {
    /// The region list is wrong.
    #[error(transparent)]
    Regions(#[from] RegionFault),
    /// Too many people.
    #[error("a simulated city has at most {PEOPLE_MAX} elders, {0} were asked for")]
    TooMany(u32),
}

/// A simulated city.
#[derive(Debug)]
pub struct City {
    /// What it was grown from.
    pub spec: CitySpec,
    /// Counties and townships.
    pub regions: RegionTree,
    /// Villages, ordered by code.
    pub villages: Vec<Village>,
    /// Providers, ordered by county.
    pub providers: Vec<SimProvider>,
    /// Carers, ordered by provider.
    pub carers: Vec<SimCarer>,
    births: Births,
    /// Which birth each person gets.
    deal: Shuffle,
    phones: Shuffle,
    cards: Shuffle,
}

impl City {
    /// Grows the city; `regions_csv` is the text of `cities/regions.csv`.
    pub fn build(spec: CitySpec, regions_csv: &str) -> Result<City, CityFault> {
        if spec.people > PEOPLE_MAX {
            return Err(CityFault::TooMany(spec.people));
        }
        let seed = Seed(spec.seed);
        let regions = RegionTree::parse(regions_csv, &spec.regions)?;
        let villages = villages::found(&regions, spec.people, seed);
        let mut providers = providers::contract(&regions, &villages, spec.people, spec.today, seed);
        let carers = carers::hire(&regions, &villages, &mut providers, spec.people, spec.today, seed);
        let births = Births::of_elders(spec.people, spec.today);
        assert!(
            births.most_on_a_day() < BIRTHS_A_DAY_MAX,
            "the largest city must leave room on its fullest birthday"
        );
        let deal = Shuffle::new(spec.people, seed.stream(Topic::Births, 0));
        let phones = Shuffle::new(PHONES_A_BLOCK, seed.stream(Topic::Phones, 0));
        let cards = Shuffle::new(PHONES_A_BLOCK, seed.stream(Topic::Cards, 0));
        Ok(City { spec, regions, villages, providers, carers, births, deal, phones, cards })
    }

    /// Person number `index`, below the head count. The same person whenever and from whichever thread it is asked.
    pub fn person(&self, index: u32) -> SimPerson {
        let at = self.villages.partition_point(|village| village.first <= index) - 1;
        self.person_of(index, &self.villages[at])
    }

    /// Everybody, ordered by where they live.
    pub fn people(&self) -> impl Iterator<Item = SimPerson> + '_ {
        self.villages.iter().flat_map(|village| self.people_of(village))
    }

    /// The elders of one village. Villages may be asked for in any order and on any thread.
    pub fn people_of<'a>(&'a self, village: &'a Village) -> impl ExactSizeIterator<Item = SimPerson> + 'a {
        village.indices().map(move |index| self.person_of(index, village))
    }

    /// Splits the villages into `parts` runs of about as many people each, for as many threads.
    pub fn parts(&self, parts: usize) -> Vec<&[Village]> {
        let mut rest = &self.villages[..];
        let mut runs = Vec::with_capacity(parts);
        for part in 1..=parts as u64 {
            let until = (u64::from(self.spec.people) * part / parts.max(1) as u64) as u32;
            let cut = if part == parts as u64 {
                rest.len()
            } else {
                rest.partition_point(|village| village.first < until)
            };
            let (run, after) = rest.split_at(cut);
            runs.push(run);
            rest = after;
        }
        runs
    }

    /// What is really so about this person.
    pub fn truth(&self, person: &SimPerson) -> PersonTruth {
        truth::of_person(person, self.seed())
    }

    /// What is really so about this carer.
    pub fn carer_truth(&self, carer: &SimCarer) -> CarerTruth {
        truth::of_carer(carer.index, self.seed())
    }

    /// What is really so about this provider.
    pub fn provider_truth(&self, provider: &SimProvider) -> ProviderTruth {
        truth::of_provider(provider.index, self.seed())
    }

    fn seed(&self) -> Seed {
        Seed(self.spec.seed)
    }

    fn person_of(&self, index: u32, village: &Village) -> SimPerson {
        let mut rng = self.seed().stream(Topic::Person, u64::from(index));
        let township = &self.regions.townships[village.township];
        let county = &self.regions.counties[township.county];
        let birth = self.births.place(self.deal.of(index));
        let basis = Basis { birth, urban: village.urban(), today: self.spec.today };
        let (surname, name) = people::name(birth, &mut rng);
        let life = people::circumstances(&basis, &mut rng);
        let phone = self.phones.of(index);
        let (lon, lat) = addresses::home_point(village, &mut rng);
        SimPerson {
            index,
            name,
            sex: birth.sex,
            birth: birth.day,
            age: age_on(birth.day, self.spec.today),
            id_no: ids::identity_no(ids::home_area(county.code), birth),
            phone: ids::mobile(PhoneBlock::Elder, phone),
            residence: village.code,
            hukou: self.hukou(village, &mut rng),
            address: addresses::home_address(self.seed(), county, township, village, &mut rng),
            lon,
            lat,
            contacts: people::contacts(&basis, surname, life.living, life.childless, phone, &mut rng),
            living: life.living,
            hardships: life.hardships,
            grade: life.grade,
            assessed_on: life.assessed_on,
            hearing_loss: life.hearing_loss,
            dialect_only: life.dialect_only,
            smartphone: life.smartphone,
            bank_card: rng.chance(965).then(|| ids::bank_card(village.township as u32, self.cards.of(index))),
        }
    }

    /// Nine of ten are registered where they live, others in another village of the city, a few far away.
    fn hukou(&self, village: &Village, rng: &mut Rng) -> i64 {
        match rng.below(1000) {
            ..60 => rng.pick(&self.villages).code,
            60..80 if !self.regions.elsewhere.is_empty() => *rng.pick(&self.regions.elsewhere),
            _ => village.code,
        }
    }
}
