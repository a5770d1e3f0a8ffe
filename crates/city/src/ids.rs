//! Numbers people carry: identity numbers, phones, bank cards, credit codes. All have the right shape and check digit,
//! and none can belong to anybody.

use jiff::civil::Date;

use crate::births::{Birth, Sex};

/// Areas for test people: county part 99 exists nowhere.
pub const TEST_AREAS: [u32; 7] = [410299, 420299, 370799, 210199, 210699, 210899, 211299];

/// Sequence numbers for one sex, day and area: 1, 3 … 997 for men and 2, 4 … 998 for women.
const SEQUENCES: u32 = 499;

/// Of sixteen people thirteen were first registered in the city itself and three elsewhere.
const LANES: u32 = 16;
const HOME_LANES: u32 = 13;

/// Rounds of sixteen: 30 × 13 sequences at home and 30 × 3 elsewhere fit below 499.
const ROUNDS: u32 = 30;

/// Most people of one sex born on one day for whom there are numbers.
pub const BIRTHS_A_DAY_MAX: u32 = ROUNDS * LANES;

/// The test area of the city a region belongs to, for instance 410299 for all of Kaifeng.
pub fn home_area(region: i64) -> u32 {
    (region / 100_000_000) as u32 * 100 + 99
}

/// Identity number of a birth. INVARIANT: different births never share one, whatever their home areas are, because the
/// sequence alone gives back the ordinal: those registered at home and elsewhere use separate sequences.
pub fn identity_no(home: u32, birth: Birth) -> String {
    assert!(
        birth.ordinal < BIRTHS_A_DAY_MAX,
        "more than {BIRTHS_A_DAY_MAX} of one sex born on {}",
        birth.day
    );
    // Turned by the day, or only those with a high ordinal, who do not exist in a small city, would come from elsewhere.
    let turn = birth.day.day() as u32 * 7 + birth.day.month() as u32 * 3 + birth.sex as u32 * 5;
    let (round, lane) = (birth.ordinal / LANES, (birth.ordinal + turn) % LANES);
    let (area, sequence) = if lane < HOME_LANES {
        (home, round * HOME_LANES + lane)
    } else {
        let lane = lane - HOME_LANES;
        let sequence = ROUNDS * HOME_LANES + round * (LANES - HOME_LANES) + lane;
        (elsewhere(home, lane + birth.day.day() as u32), sequence)
    };
    // 499 is prime, so the stride visits every sequence once; neighbours in the register do not get neighbouring numbers.
    let sequence = sequence * 37 % SEQUENCES;
    let sequence = 2 * sequence + if birth.sex == Sex::Male { 1 } else { 2 };
    let body = format!("{area:06}{}{sequence:03}", compact(birth.day));
    let check = identity_check(body.as_bytes());
    body + check
}

/// One of the other test areas.
fn elsewhere(home: u32, number: u32) -> u32 {
    let mut others = TEST_AREAS.iter().filter(|area| **area != home).cycle().skip((number % 6) as usize);
    *others.next().expect("a cycle does not end")
}

fn compact(day: Date) -> String {
    format!("{:04}{:02}{:02}", day.year(), day.month(), day.day())
}

/// Check digit of the first 17 digits (GB 11643, ISO 7064 MOD 11-2).
fn identity_check(body: &[u8]) -> &'static str {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: [&str; 11] = ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"];
    let sum: u32 = body.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    CHECKS[(sum % 11) as usize]
}

/// Blocks of eleven-digit mobile numbers, by whose they are. As far as we know no network gives out 169.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneBlock {
    /// The elder's own.
    Elder = 1690,
    /// First contact.
    FirstContact = 1691,
    /// Second contact.
    SecondContact = 1692,
    /// Third contact.
    ThirdContact = 1693,
    /// Carers.
    Carer = 1698,
    /// Offices of providers.
    Provider = 1699,
}

/// Numbers in each block.
pub const PHONES_A_BLOCK: u32 = 10_000_000;

/// A mobile number.
pub fn mobile(block: PhoneBlock, number: u32) -> String {
    format!("{}{:07}", block as u32, number % PHONES_A_BLOCK)
}

/// A 19-digit debit card with a right Luhn digit, in an issuer range that no bank has.
pub fn bank_card(branch: u32, number: u32) -> String {
    let mut card = format!("629999{:05}{:07}", branch % 100_000, number % PHONES_A_BLOCK);
    card.push(luhn_digit(card.as_bytes()));
    card
}

fn luhn_digit(body: &[u8]) -> char {
    let sum: u32 = body
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| luhn_value(u32::from(digit - b'0'), at % 2 == 0))
        .sum();
    char::from(b'0' + ((10 - sum % 10) % 10) as u8)
}

fn luhn_value(digit: u32, doubled: bool) -> u32 {
    match (doubled, digit) {
        (false, digit) => digit,
        (true, digit) if digit > 4 => digit * 2 - 9,
        (true, digit) => digit * 2,
    }
}

/// Unified social credit code (GB 32100): `authority` 91 for firms, 52 for private non-enterprise bodies.
pub fn credit_code(authority: u32, area: u32, number: u32) -> String {
    let organisation = format!("MA{number:06}");
    let organisation = format!("{organisation}{}", organisation_check(organisation.as_bytes()));
    let body = format!("{authority:02}{area:06}{organisation}");
    let check = credit_check(body.as_bytes());
    format!("{body}{check}")
}

/// Check of the organisation part (GB 11714).
fn organisation_check(body: &[u8]) -> char {
    const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    let value = |c: u8| if c.is_ascii_digit() { u32::from(c - b'0') } else { u32::from(c - b'A') + 10 };
    let sum: u32 = body.iter().zip(WEIGHTS).map(|(c, weight)| value(*c) * weight).sum();
    match 11 - sum % 11 {
        10 => 'X',
        11 => '0',
        digit => char::from(b'0' + digit as u8),
    }
}

/// Check of the whole code (GB 32100, modulo 31 over an alphabet without I, O, S, V and Z).
fn credit_check(body: &[u8]) -> char {
    const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    let value = |c: u8| {
        ALPHABET.iter().position(|of| *of == c).expect("only letters of the alphabet are put in") as u32
    };
    let mut weight = 1;
    let mut sum = 0;
    for c in body {
        sum += value(*c) * weight;
        weight = weight * 3 % 31;
    }
    char::from(ALPHABET[((31 - sum % 31) % 31) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn known_numbers_have_their_check_digits() {
        assert_eq!(identity_check(b"11010519491231002"), "X");
        assert_eq!(identity_check(b"44052418800101001"), "4");
        assert_eq!(identity_check(b"41029919400229001"), "1");
        assert_eq!(luhn_digit(b"7992739871"), '3');
    }

    #[test]
    fn all_births_of_one_day_have_different_numbers() {
        let mut seen = std::collections::HashSet::new();
        for ordinal in 0..BIRTHS_A_DAY_MAX {
            for sex in [Sex::Male, Sex::Female] {
                let number = identity_no(410299, Birth { sex, day: date(1962, 5, 30), ordinal });
                assert_eq!(number.len(), 18);
                assert_eq!(&number[4..6], "99");
                assert!(
                    seen.insert(number[6..17].to_string()),
                    "the sequence must tell people apart without the area"
                );
            }
        }
    }

    #[test]
    #[should_panic(expected = "of one sex born on")]
    fn a_day_with_too_many_births_is_refused() {
        identity_no(410299, Birth { sex: Sex::Male, day: date(1962, 5, 30), ordinal: BIRTHS_A_DAY_MAX });
    }
}
