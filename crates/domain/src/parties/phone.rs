//! Phone numbers somebody can dial: mobiles, and landlines with their area code.

use std::fmt;

use super::{mask, text};

/// A number as it is dialled inside the country: 11 digits for a mobile, area code and number for
/// a landline. Prints masked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(String);

/// What kind of line it is. Only mobiles can receive a text message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneKind {
    /// 手机
    Mobile,
    /// 固定电话
    Landline,
}

/// Why a number was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneRefusal {
    /// Nothing there.
    #[error("没有填写电话号码")]
    Empty,
    /// Two numbers in one field.
    #[error("这里填了不止一个号码，请只留一个，其余的写到备注里")]
    Several,
    /// `1.38123E+10`
    #[error("电话号码被表格软件改成了科学计数法，请把这一列设为“文本”格式后重新填写")]
    Spoiled,
    /// Something that is no digit.
    #[error("电话号码里有“{found}”，请只填数字")]
    Character {
        /// What stood there.
        found: char,
    },
    /// A mobile with a wrong length.
    #[error("手机号应为11位，这里是{length}位，请核对")]
    MobileLength {
        /// What was found.
        length: usize,
    },
    /// 7 or 8 digits.
    #[error("固定电话缺少区号，请写成“区号-号码”，例如 0378-2351234")]
    NoAreaCode,
    /// A numeric cell lost the zero.
    #[error("号码开头的0丢失了，请把这一列设为“文本”格式，并写成“区号-号码”，例如 0378-2351234")]
    LostZero,
    /// Nothing we know.
    #[error("电话号码格式不对，请填11位手机号，或“区号-号码”的固定电话")]
    Unknown,
}

impl PhoneRefusal {
    /// A stable word for programs and statistics.
    pub fn code(&self) -> &'static str {
        match self {
            PhoneRefusal::Empty => "phone_missing",
            PhoneRefusal::Several => "phone_several",
            PhoneRefusal::Spoiled => "phone_spoiled",
            PhoneRefusal::Character { .. } => "phone_character",
            PhoneRefusal::MobileLength { .. } => "phone_length",
            PhoneRefusal::NoAreaCode => "phone_no_area_code",
            PhoneRefusal::LostZero => "phone_lost_zero",
            PhoneRefusal::Unknown => "phone_unknown",
        }
    }
}

impl Phone {
    /// Reads a number as typed.
    pub fn parse(typed: &str) -> Result<Phone, PhoneRefusal> {
        let narrow = text::narrow(typed);
        if narrow.is_empty() {
            return Err(PhoneRefusal::Empty);
        }
        if several(&narrow) {
            return Err(PhoneRefusal::Several);
        }
        if text::scientific(&narrow) {
            return Err(PhoneRefusal::Spoiled);
        }
        let digits = digits(&narrow)?;
        let dialled = without_country(&digits, narrow.starts_with('+'));
        classify(dialled)?;
        Ok(Phone(dialled.to_owned()))
    }

    /// The digits themselves. Only for encryption, dialling and a revealed field.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Mobile or landline.
    pub fn kind(&self) -> PhoneKind {
        if self.0.starts_with('1') { PhoneKind::Mobile } else { PhoneKind::Landline }
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({})", mask::phone(&self.0))
    }
}

/// A separator with at least seven digits on both sides stands between two numbers. A space or a
/// dash inside one number never has that many on both.
fn several(narrow: &str) -> bool {
    let runs = narrow
        .split([' ', '/', '、', ',', ';', '，', '；', '|', '或'])
        .map(|part| part.chars().filter(char::is_ascii_digit).count());
    runs.filter(|&count| count >= 7).count() > 1
}

fn digits(narrow: &str) -> Result<String, PhoneRefusal> {
    let separator = |c: char| matches!(c, ' ' | '-' | '(' | ')' | '+' | '.' | '\'' | '*' | '_');
    match narrow.chars().find(|&c| !c.is_ascii_digit() && !separator(c)) {
        Some(found) => Err(PhoneRefusal::Character { found }),
        None if narrow.contains('*') => Err(PhoneRefusal::Character { found: '*' }),
        None => Ok(narrow.chars().filter(char::is_ascii_digit).collect()),
    }
}

/// `+86`, `0086` and a bare `86` before a mobile go; `+86 378…` needs its zero back, which only
/// the plus sign makes certain, so that one is left to the refusal.
fn without_country(digits: &str, plus: bool) -> &str {
    let rest =
        digits.strip_prefix("0086").or_else(|| digits.strip_prefix("86").filter(|r| plus || r.len() == 11));
    match rest {
        Some(rest) if rest.len() >= 10 => rest,
        _ => digits,
    }
}

fn classify(digits: &str) -> Result<PhoneKind, PhoneRefusal> {
    let bytes = digits.as_bytes();
    match (bytes.first(), bytes.len()) {
        (Some(b'1'), 11) if (b'3'..=b'9').contains(&bytes[1]) => Ok(PhoneKind::Mobile),
        (Some(b'1'), length @ (9 | 10 | 12 | 13)) if (b'3'..=b'9').contains(&bytes[1]) => {
            Err(PhoneRefusal::MobileLength { length })
        }
        (Some(b'0'), length) if landline(bytes, length) => Ok(PhoneKind::Landline),
        (Some(b'2'..=b'9'), 7 | 8) => Err(PhoneRefusal::NoAreaCode),
        (Some(b'2'..=b'9'), 10 | 11) => Err(PhoneRefusal::LostZero),
        (Some(_), _) => Err(PhoneRefusal::Unknown),
        (None, _) => Err(PhoneRefusal::Empty),
    }
}

/// 010 and 02x are followed by eight digits, the four-digit codes 03xx to 09xx by seven or eight;
/// no subscriber number starts with 0 or 1.
fn landline(bytes: &[u8], length: usize) -> bool {
    let (code, wanted) = match bytes {
        [b'0', b'1', b'0', ..] | [b'0', b'2', ..] => (3, 11..=11),
        [b'0', b'3'..=b'9', ..] => (4, 11..=12),
        _ => return false,
    };
    wanted.contains(&length) && (b'2'..=b'9').contains(&bytes[code])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_one_mobile_is_the_same_number() {
        for text in [
            "13812345678",
            "138 1234 5678",
            "138-1234-5678",
            "+86 138 1234 5678",
            "8613812345678",
            "008613812345678",
            "１３８１２３４５６７８",
            "\u{202D}13812345678\u{202C}",
        ] {
            let phone = Phone::parse(text).expect(text);
            assert_eq!((phone.reveal(), phone.kind()), ("13812345678", PhoneKind::Mobile), "{text}");
        }
    }

    #[test]
    fn landlines_need_their_area_code() {
        for (text, dialled) in [
            ("0378-2351234", "03782351234"),
            ("(0371)66551234", "037166551234"),
            ("010 6655 1234", "01066551234"),
        ] {
            let phone = Phone::parse(text).expect(text);
            assert_eq!((phone.reveal(), phone.kind()), (dialled, PhoneKind::Landline));
        }
        assert_eq!(Phone::parse("2351234"), Err(PhoneRefusal::NoAreaCode));
        assert_eq!(Phone::parse("3782351234"), Err(PhoneRefusal::LostZero));
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        for (text, refusal) in [
            ("  ", PhoneRefusal::Empty),
            ("--", PhoneRefusal::Empty),
            ("1381234567", PhoneRefusal::MobileLength { length: 10 }),
            ("138123456789", PhoneRefusal::MobileLength { length: 12 }),
            ("13812345678/13912345678", PhoneRefusal::Several),
            ("13812345678 0378-2351234", PhoneRefusal::Several),
            ("1.38123E+10", PhoneRefusal::Spoiled),
            ("138****5678", PhoneRefusal::Character { found: '*' }),
            ("儿子", PhoneRefusal::Character { found: '儿' }),
            ("12345678901", PhoneRefusal::Unknown),
            ("0", PhoneRefusal::Unknown),
            ("01", PhoneRefusal::Unknown),
            ("0378123", PhoneRefusal::Unknown),
        ] {
            assert_eq!(Phone::parse(text), Err(refusal), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_whatever_makes_the_parser_panic(text in "\\PC{0,14}", digits in "[0-9+ -]{0,16}") {
            let _ = Phone::parse(&text);
            let _ = Phone::parse(&digits);
        }
    }

    #[test]
    fn debug_is_masked() {
        assert_eq!(format!("{:?}", Phone::parse("13812345678").unwrap()), "Phone(138****5678)");
    }
}
