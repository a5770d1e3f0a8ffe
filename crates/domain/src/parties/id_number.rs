//! The 18-character citizen number (GB 11643-1999) and the cards that follow the same rule.
//!
//! A number is parsed once, at the edge. It never prints itself: `Debug` is masked and there is no
//! `Display`; whoever needs the digits calls [`IdNumber::reveal`], which is easy to search for.
//! The area code says where somebody was FIRST registered, so nothing may derive a residence or a
//! hukou from it, and an area no list has is no reason to refuse (very old cards carry such codes).

use std::fmt;

use jiff::civil::Date;

use super::{Sex, mask, text};

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK: &[u8; 11] = b"10X98765432";
/// Nobody alive, and nobody in the files of this century, was born earlier; the example in the
/// standard itself was born in 1880.
const FIRST_YEAR: i16 = 1850;
/// First two digits that were ever given out to a province or special region.
const PROVINCES: [&str; 34] = [
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42",
    "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82",
];

/// A number whose form, birth date and check digit hold. Kept as 18 upper-case characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdNumber(String);

/// Which card the number belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdKind {
    /// 居民身份证
    Resident,
    /// 港澳台居民居住证
    HkMacauTaiwan,
    /// 外国人永久居留身份证 (the 2023 form)
    ForeignPermanent,
}

/// Where the text stood. A numeric cell keeps 15 digits only, whatever it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Typed, or a text cell.
    Text,
    /// A cell that the spreadsheet holds as a number.
    NumericCell,
}

/// Why a number was not taken, in a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdRefusal {
    /// Nothing there.
    #[error("没有填写身份证号，请填写18位号码")]
    Empty,
    /// Excel kept 15 digits and threw the rest away.
    #[error("身份证号被表格软件当成数字，后几位已经丢失；请把这一列设为“文本”格式，再照证件重新填写18位号码")]
    Spoiled,
    /// A wrong number of characters.
    #[error("身份证号应为18位，这里是{length}位，请照证件补全或删去多余的字")]
    Length {
        /// What was found.
        length: usize,
    },
    /// A character that cannot stand there.
    #[error("身份证号第{position}位是“{found}”，这里只能是数字（最后一位可以是X），请照证件改正")]
    Character {
        /// 1-based.
        position: usize,
        /// What stood there.
        found: char,
    },
    /// Looks like another document.
    #[error("这不是身份证号，像是护照或通行证号码，请把证件类型改成对应的证件")]
    OtherDocument,
    /// No place code starts with 0.
    #[error("身份证号的前6位地区码不存在，请照证件核对开头几位")]
    Area,
    /// Digits 7 to 14 are not a day.
    #[error("身份证号第7至14位的出生日期“{digits}”不存在，请照证件核对")]
    Birth {
        /// The eight digits.
        digits: String,
    },
    /// The last character does not fit the others.
    #[error("身份证号有误：最后一位校验码与前17位对不上，请照证件逐位核对")]
    CheckDigit,
    /// A made-up number in a real office.
    #[error("这是测试用的号码（地区码为99），正式系统不接受，请填写真实证件号码")]
    TestRegion,
}

impl IdRefusal {
    /// A stable word for programs and statistics.
    pub fn code(&self) -> &'static str {
        match self {
            IdRefusal::Empty => "id_missing",
            IdRefusal::Spoiled => "id_spoiled",
            IdRefusal::Length { .. } => "id_length",
            IdRefusal::Character { .. } => "id_character",
            IdRefusal::OtherDocument => "id_other_document",
            IdRefusal::Area => "id_area",
            IdRefusal::Birth { .. } => "id_birth",
            IdRefusal::CheckDigit => "id_check_digit",
            IdRefusal::TestRegion => "id_test_region",
        }
    }
}

impl IdNumber {
    /// Reads a number as typed: full-width characters, spaces and a small `x` are fine; a 15-digit
    /// number of the first generation is converted.
    /// `allow_test` lets county part 99 through; it must be off in a real office.
    pub fn parse(typed: &str, allow_test: bool) -> Result<IdNumber, IdRefusal> {
        IdNumber::from_cell(typed, Origin::Text, allow_test)
    }

    /// The same for a cell of a workbook, where a number may have been spoiled before we saw it.
    pub fn from_cell(typed: &str, origin: Origin, allow_test: bool) -> Result<IdNumber, IdRefusal> {
        let plain = plain_form(typed);
        if plain.is_empty() {
            return Err(IdRefusal::Empty);
        }
        // More than 15 digits in a numeric cell are wrong even when the check digit happens to fit.
        if text::scientific(&plain) || (origin == Origin::NumericCell && plain.len() > 15) {
            return Err(IdRefusal::Spoiled);
        }
        let full = match plain.chars().count() {
            15 => from_first_generation(&plain)?,
            18 => plain,
            _ if other_document(&plain) => return Err(IdRefusal::OtherDocument),
            length => return Err(IdRefusal::Length { length }),
        };
        check(&full, allow_test)?;
        Ok(IdNumber(full))
    }

    /// Was this text a 15-digit number, so that the 18 digits we hold are computed, not read?
    pub fn first_generation(typed: &str) -> bool {
        let plain = plain_form(typed);
        plain.len() == 15 && plain.bytes().all(|b| b.is_ascii_digit())
    }

    /// The digits themselves. Only for encryption, hashing and a revealed field.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The day of birth.
    pub fn birth(&self) -> Date {
        birth_of(&self.0[6..14]).expect("checked when the number was parsed")
    }

    /// Male or female: the 17th digit is odd for men.
    pub fn sex(&self) -> Sex {
        if (self.0.as_bytes()[16] - b'0') % 2 == 1 { Sex::Male } else { Sex::Female }
    }

    /// The six digits of the first registration. Not where somebody lives.
    pub fn area(&self) -> u32 {
        self.0[..6].parse().expect("checked when the number was parsed")
    }

    /// Which card carries the number.
    pub fn kind(&self) -> IdKind {
        kind_of(&self.0)
    }

    /// Whether the first two digits were ever given out. An unknown one deserves a second look,
    /// never a refusal.
    pub fn province_known(&self) -> bool {
        self.kind() != IdKind::Resident || PROVINCES.contains(&&self.0[..2])
    }
}

impl fmt::Debug for IdNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdNumber({})", mask::id(&self.0))
    }
}

/// Narrow, upper case, without the separators people put between the groups and without the
/// apostrophe that forces text in Excel.
fn plain_form(typed: &str) -> String {
    let narrow = text::compact(typed).to_uppercase();
    narrow.chars().filter(|c| !matches!(c, '-' | '\'' | '‘' | '’' | '`' | '·')).collect()
}

fn from_first_generation(plain: &str) -> Result<String, IdRefusal> {
    if let Some(at) = plain.bytes().position(|b| !b.is_ascii_digit()) {
        return Err(bad_character(plain, at));
    }
    // Sequence numbers 996 to 999 were kept for people already a hundred years old.
    let century = if ("996"..="999").contains(&&plain[12..]) { "18" } else { "19" };
    let mut full = format!("{}{century}{}", &plain[..6], &plain[6..]);
    full.push(check_char(&full));
    Ok(full)
}

fn check(full: &str, allow_test: bool) -> Result<(), IdRefusal> {
    if let Some(at) = full.chars().position(|c| !c.is_ascii_digit()).filter(|&at| at < 17) {
        return Err(bad_character(full, at));
    }
    let last = full.chars().next_back().unwrap_or_default();
    if !last.is_ascii_digit() && last != 'X' {
        return Err(IdRefusal::Character { position: 18, found: last });
    }
    if full.starts_with('0') {
        return Err(IdRefusal::Area);
    }
    let fits = check_char(&full[..17]) == last;
    // Excel writes zeros where it lost digits, so this tells more than "check digit wrong".
    if !fits && full.ends_with("000") {
        return Err(IdRefusal::Spoiled);
    }
    if birth_of(&full[6..14]).is_none() {
        return Err(IdRefusal::Birth { digits: full[6..14].to_owned() });
    }
    if !fits {
        return Err(IdRefusal::CheckDigit);
    }
    if !allow_test && kind_of(full) == IdKind::Resident && &full[4..6] == "99" {
        return Err(IdRefusal::TestRegion);
    }
    Ok(())
}

fn bad_character(text: &str, at: usize) -> IdRefusal {
    let found = text.chars().nth(at).unwrap_or_default();
    IdRefusal::Character { position: at + 1, found }
}

fn check_char(first_17: &str) -> char {
    let sum: u32 = first_17.bytes().zip(WEIGHTS).map(|(b, weight)| u32::from(b - b'0') * weight).sum();
    char::from(CHECK[(sum % 11) as usize])
}

fn kind_of(full: &str) -> IdKind {
    match &full[..6] {
        "810000" | "820000" | "830000" => IdKind::HkMacauTaiwan,
        area if area.starts_with('9') => IdKind::ForeignPermanent,
        _ => IdKind::Resident,
    }
}

fn birth_of(digits: &str) -> Option<Date> {
    let year: i16 = digits[..4].parse().ok()?;
    let month = digits[4..6].parse().ok()?;
    let day = digits[6..8].parse().ok()?;
    Date::new(year, month, day).ok().filter(|_| year >= FIRST_YEAR)
}

/// Passports (E12345678), home-return and Taiwan permits (H12345678, 8 or 10 characters).
fn other_document(plain: &str) -> bool {
    let bytes = plain.as_bytes();
    let letters = bytes.iter().take_while(|b| b.is_ascii_uppercase()).count();
    (7..=11).contains(&bytes.len())
        && (1..=3).contains(&letters)
        && bytes[letters..].iter().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
#[path = "id_number_tests.rs"]
mod tests;
