//! Who is born when: an exact age pyramid, dealt out so that birthdays never overflow the identity numbers of a day.
//!
//! The whole population is first laid out as cells of one sex and one day with a whole number of people each. A person
//! then takes a place in this layout; the place gives sex, birth and the ordinal among those born that day, from
//! which the identity number follows. INVARIANT: two people never have the same sex, birth and ordinal.

use jiff::{ToSpan, civil::Date};

use crate::rng::apportion;

/// Sex as the national code numbers it (GB/T 2261.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sex {
    /// 男
    Male = 1,
    /// 女
    Female = 2,
}

/// One place in the population.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Birth {
    /// Sex.
    pub sex: Sex,
    /// Day of birth.
    pub day: Date,
    /// Which of those of this sex born on this day, from 0.
    pub ordinal: u32,
}

/// All places of a population, by number.
#[derive(Debug)]
pub struct Births {
    days: Vec<(Sex, Date)>,
    /// First place of each day, one entry more than days.
    firsts: Vec<u32>,
}

/// A span of ages, `from` included and `below` not, with its share of all people and the part of women in it.
struct Band {
    from: i16,
    below: i16,
    share: f64,
    women: f64,
    /// How much more people the young end has than the old end, 0 for even.
    tilt: f64,
}

/// 60 and over: four fifths of them below 75, 11.5 % from 80, three in ten thousand from 100. Shares rounded from
/// the census of 2020 and moved towards a younger old age, as in a prefecture city.
const ELDERS: [Band; 9] = [
    Band { from: 60, below: 65, share: 27.50, women: 0.502, tilt: 0.0 },
    Band { from: 65, below: 70, share: 28.50, women: 0.512, tilt: 0.2 },
    Band { from: 70, below: 75, share: 20.30, women: 0.523, tilt: 0.4 },
    Band { from: 75, below: 80, share: 12.20, women: 0.540, tilt: 0.4 },
    Band { from: 80, below: 85, share: 6.90, women: 0.565, tilt: 0.5 },
    Band { from: 85, below: 90, share: 3.35, women: 0.605, tilt: 0.6 },
    Band { from: 90, below: 95, share: 1.02, women: 0.660, tilt: 1.0 },
    Band { from: 95, below: 100, share: 0.20, women: 0.715, tilt: 1.4 },
    Band { from: 100, below: 108, share: 0.03, women: 0.770, tilt: 1.8 },
];

/// Care workers are mostly in their forties and fifties; men and women are laid out apart, so `women` is even here.
const CARERS: [Band; 4] = [
    Band { from: 20, below: 30, share: 7.0, women: 0.5, tilt: -0.4 },
    Band { from: 30, below: 40, share: 18.0, women: 0.5, tilt: -0.4 },
    Band { from: 40, below: 50, share: 36.0, women: 0.5, tilt: -0.2 },
    Band { from: 50, below: 60, share: 39.0, women: 0.5, tilt: 0.6 },
];

impl Births {
    /// Lays out `count` people aged 60 and over on `today`.
    pub fn of_elders(count: u32, today: Date) -> Births {
        Births::lay_out(count, today, &ELDERS, &[Sex::Male, Sex::Female])
    }

    /// Lays out `count` people of one sex and of working age; none is 60 yet, so no birth is shared with an elder.
    pub fn of_carers(count: u32, sex: Sex, today: Date) -> Births {
        Births::lay_out(count, today, &CARERS, &[sex])
    }

    /// How many people there are.
    pub fn count(&self) -> u32 {
        *self.firsts.last().expect("there is always the end of the last day")
    }

    /// Most people of one sex born on one day.
    pub fn most_on_a_day(&self) -> u32 {
        self.firsts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
    }

    /// Place number `number`; it must be below [`Births::count`].
    pub fn place(&self, number: u32) -> Birth {
        let at = self.firsts.partition_point(|&first| first <= number) - 1;
        let (sex, day) = self.days[at];
        Birth { sex, day, ordinal: number - self.firsts[at] }
    }

    fn lay_out(count: u32, today: Date, bands: &[Band], sexes: &[Sex]) -> Births {
        let mut days = Vec::new();
        let mut weights = Vec::new();
        // Men first, then women, each from the youngest to the oldest: the rounding of `apportion` then spreads over
        // all ages of a sex, and a small city keeps the shape of a large one.
        for &sex in sexes {
            for band in bands {
                band_days(band, sex, today, &mut days, &mut weights);
            }
        }
        let mut firsts = Vec::with_capacity(days.len() + 1);
        let mut first = 0;
        for people in apportion(count, &weights) {
            firsts.push(first);
            first += people;
        }
        firsts.push(first);
        Births { days, firsts }
    }
}

fn band_days(band: &Band, sex: Sex, today: Date, days: &mut Vec<(Sex, Date)>, weights: &mut Vec<u64>) {
    let youngest = years_before(today, band.from);
    let oldest =
        years_before(today, band.below).tomorrow().expect("a day long before the end of the calendar");
    let mut shape = Vec::new();
    let mut day = youngest;
    let span = f64::from(band.below - band.from) * 365.25;
    while day >= oldest {
        let position = shape.len() as f64 / span;
        shape.push(famine(day.year()) * (1.0 + band.tilt * (0.5 - position)).max(0.02));
        days.push((sex, day));
        day = day.yesterday().expect("a day long after the start of the calendar");
    }
    let part = if sex == Sex::Female { band.women } else { 1.0 - band.women };
    // 10^10 a band keeps seven digits for a single day and the sum far inside 64 bits.
    let scale = band.share * part * 1e10 / shape.iter().sum::<f64>();
    weights.extend(shape.iter().map(|weight| (weight * scale) as u64));
}

/// Few children were born in the hungry years around 1960 and many in the years after; any real list shows the dent.
fn famine(year: i16) -> f64 {
    match year {
        1959 => 0.80,
        1960 => 0.70,
        1961 => 0.62,
        1962 => 1.15,
        1963 => 1.35,
        _ => 1.0,
    }
}

fn years_before(day: Date, years: i16) -> Date {
    day.checked_sub(i64::from(years).years()).expect("a birth within the last two hundred years")
}

/// Full years on `today`; who is born on 29 February has the birthday on 1 March of a common year.
pub fn age_on(birth: Date, today: Date) -> i16 {
    let before_birthday = (today.month(), today.day()) < (birth.month(), birth.day());
    today.year() - birth.year() - i16::from(before_birthday)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn every_place_is_taken_once_and_all_are_sixty() {
        for today in [date(2026, 11, 21), date(2028, 2, 29), date(2027, 2, 28), date(2025, 3, 1)] {
            let births = Births::of_elders(50_000, today);
            assert_eq!(births.count(), 50_000);
            let mut seen = std::collections::HashSet::new();
            for number in 0..births.count() {
                let birth = births.place(number);
                assert!(age_on(birth.day, today) >= 60, "{birth:?} on {today}");
                assert!(seen.insert((birth.sex, birth.day, birth.ordinal)));
            }
        }
    }

    #[test]
    fn nobody_who_works_is_sixty() {
        let today = date(2026, 11, 21);
        let births = Births::of_carers(6000, Sex::Female, today);
        let ages = (0..6000).map(|number| age_on(births.place(number).day, today));
        assert!(ages.clone().all(|age| (20..60).contains(&age)));
        assert!(ages.filter(|age| *age >= 40).count() > 4000);
    }

    #[test]
    fn a_birthday_on_29_february_counts_on_1_march() {
        let birth = date(1964, 2, 29);
        assert_eq!(age_on(birth, date(2025, 2, 28)), 60);
        assert_eq!(age_on(birth, date(2025, 3, 1)), 61);
        assert_eq!(age_on(birth, date(2024, 2, 29)), 60);
    }
}
