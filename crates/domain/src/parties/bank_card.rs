//! Bank cards that benefits are paid to.

use std::fmt;

use super::{Origin, mask, text};

/// A UnionPay card number whose check digit holds. Prints masked.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BankCard(String);

/// Why a card was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BankCardRefusal {
    /// Nothing there.
    #[error("没有填写银行卡号")]
    Empty,
    /// Excel kept 15 digits.
    #[error("银行卡号被表格软件当成数字，后几位已经丢失；请把这一列设为“文本”格式，再照卡面重新填写")]
    Spoiled,
    /// Something that is no digit.
    #[error("银行卡号里有“{found}”，请只填卡面上的数字")]
    Character {
        /// What stood there.
        found: char,
    },
    /// A wrong number of digits.
    #[error("银行卡号应为16至19位，这里是{length}位，请照卡面核对")]
    Length {
        /// What was found.
        length: usize,
    },
    /// Another kind of account.
    #[error("银行卡号应以62开头；存折账号和境外卡不能代发补贴，请改填本人的银联卡或社保卡")]
    NotUnionPay,
    /// The Luhn sum is wrong.
    #[error("银行卡号有误：校验不通过，请照卡面逐位核对")]
    CheckDigit,
}

impl BankCardRefusal {
    /// A stable word for programs and statistics.
    pub fn code(&self) -> &'static str {
        match self {
            BankCardRefusal::Empty => "card_missing",
            BankCardRefusal::Spoiled => "card_spoiled",
            BankCardRefusal::Character { .. } => "card_character",
            BankCardRefusal::Length { .. } => "card_length",
            BankCardRefusal::NotUnionPay => "card_not_unionpay",
            BankCardRefusal::CheckDigit => "card_check_digit",
        }
    }
}

impl BankCard {
    /// Reads a card number as typed, with or without spaces between the groups.
    pub fn parse(typed: &str) -> Result<BankCard, BankCardRefusal> {
        BankCard::from_cell(typed, Origin::Text)
    }

    /// The same for a cell of a workbook.
    pub fn from_cell(typed: &str, origin: Origin) -> Result<BankCard, BankCardRefusal> {
        let plain: String = text::compact(typed).chars().filter(|c| !matches!(c, '-' | '\'')).collect();
        if plain.is_empty() {
            return Err(BankCardRefusal::Empty);
        }
        if text::scientific(&plain) || (origin == Origin::NumericCell && plain.len() > 15) {
            return Err(BankCardRefusal::Spoiled);
        }
        if let Some(found) = plain.chars().find(|c| !c.is_ascii_digit()) {
            return Err(BankCardRefusal::Character { found });
        }
        let fits = luhn(&plain);
        if !fits && plain.len() >= 16 && plain.ends_with("000") {
            return Err(BankCardRefusal::Spoiled);
        }
        if !(16..=19).contains(&plain.len()) {
            return Err(BankCardRefusal::Length { length: plain.len() });
        }
        if !plain.starts_with("62") {
            return Err(BankCardRefusal::NotUnionPay);
        }
        if !fits {
            return Err(BankCardRefusal::CheckDigit);
        }
        Ok(BankCard(plain))
    }

    /// The digits themselves. Only for encryption, payment files and a revealed field.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BankCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BankCard({})", mask::bank_card(&self.0))
    }
}

/// Every second digit from the right counts double, two-digit results by their digit sum.
fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, b)| {
            let digit = u32::from(b - b'0') << (place % 2);
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cards_are_read_with_groups_and_full_width_digits() {
        for text in
            ["6222020000000000000", "6222 0200 0000 0000 000", "６２２２０２０００００００００００００"]
        {
            assert_eq!(BankCard::parse(text).expect(text).reveal(), "6222020000000000000");
        }
        assert_eq!(format!("{:?}", BankCard::parse("6222020000000000000").unwrap()), "BankCard(**** 0000)");
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        for (text, refusal) in [
            ("", BankCardRefusal::Empty),
            ("6.22202E+18", BankCardRefusal::Spoiled),
            ("6222020000000012000", BankCardRefusal::Spoiled),
            ("62220200000O0000007", BankCardRefusal::Character { found: 'O' }),
            ("622202000000007", BankCardRefusal::Length { length: 15 }),
            ("4111111111111111", BankCardRefusal::NotUnionPay),
            ("6222020000000000001", BankCardRefusal::CheckDigit),
        ] {
            assert_eq!(BankCard::parse(text), Err(refusal), "{text}");
        }
        let numeric = BankCard::from_cell("6222020000000000000", Origin::NumericCell);
        assert_eq!(numeric, Err(BankCardRefusal::Spoiled));
    }

    proptest! {
        #[test]
        fn one_wrong_digit_never_passes(body in "62[0-9]{13,16}", at in 0usize..15, other in 0u8..10) {
            let whole = (0..10).map(|d| format!("{body}{d}")).find(|c| luhn(c)).unwrap();
            let mut wrong = whole.clone().into_bytes();
            wrong[at] = b'0' + other;
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert_eq!(BankCard::parse(&wrong).is_ok(), wrong == whole);
        }
    }
}
