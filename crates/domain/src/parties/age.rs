//! Age in full years (周岁), and the day a birthday counts.

use jiff::civil::{Date, date};

/// Full years on a day: somebody is N on the day of the N-th birthday. `None` before the birth.
pub fn full_years(birth: Date, on: Date) -> Option<u16> {
    if on < birth {
        return None;
    }
    let turned = birthday(birth, on.year()) <= on;
    let years = on.year() - birth.year() - if turned { 0 } else { 1 };
    Some(u16::try_from(years).expect("a day after the birth gives no negative age"))
}

/// The day the birthday counts in a year. Who was born on 29 February has it on 1 March in a year
/// without that day.
pub fn birthday(birth: Date, year: i16) -> Date {
    Date::new(year, birth.month(), birth.day()).unwrap_or_else(|_| date(year, 3, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_birthday_counts_from_its_own_day() {
        let birth = date(1944, 5, 10);
        for (on, years) in [(date(2024, 5, 9), 79), (date(2024, 5, 10), 80), (date(2024, 12, 31), 80)] {
            assert_eq!(full_years(birth, on), Some(years), "{on}");
        }
        assert_eq!(full_years(birth, birth), Some(0));
        assert_eq!(full_years(birth, date(1944, 5, 9)), None);
    }

    #[test]
    fn a_leap_day_birthday_counts_on_the_first_of_march_in_common_years() {
        let birth = date(1940, 2, 29);
        for (on, years) in [
            (date(2019, 2, 28), 78),
            (date(2019, 3, 1), 79),
            (date(2020, 2, 28), 79),
            (date(2020, 2, 29), 80),
            (date(2021, 2, 28), 80),
            (date(2021, 3, 1), 81),
        ] {
            assert_eq!(full_years(birth, on), Some(years), "{on}");
        }
        assert_eq!(birthday(birth, 1900), date(1900, 3, 1));
    }
}
