//! The unified social credit code of an organisation (统一社会信用代码, GB 32100).
//!
//! Eighteen signs: who registered it, what kind it is, the area, the organisation and a check sign over all of them.

use std::fmt;

use super::text;

/// The signs a code may have; I, O, S, V and Z are left out because they look like digits.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// A code whose check sign holds. It is public, so it prints in full.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CreditCode(String);

/// Why a code was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreditCodeRefusal {
    /// Nothing there.
    #[error("没有填写统一社会信用代码")]
    Empty,
    /// Too short or too long.
    #[error("统一社会信用代码应为18位，这里是{length}位，请对照营业执照或登记证书核对")]
    Length {
        /// What was found.
        length: usize,
    },
    /// A sign the standard does not use.
    #[error("统一社会信用代码里有“{found}”，只能是数字和大写字母，且不含 I、O、S、V、Z")]
    Character {
        /// What stood there.
        found: char,
    },
    /// The area is not made of digits.
    #[error("统一社会信用代码的第3到8位是行政区划，应全是数字，请核对")]
    Area,
    /// The last sign does not follow from the others.
    #[error("统一社会信用代码的校验位不对，多半有一位抄错了，请对照营业执照或登记证书核对")]
    Check,
}

impl CreditCodeRefusal {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            CreditCodeRefusal::Empty => "credit_code_missing",
            CreditCodeRefusal::Length { .. } => "credit_code_length",
            CreditCodeRefusal::Character { .. } => "credit_code_character",
            CreditCodeRefusal::Area => "credit_code_area",
            CreditCodeRefusal::Check => "credit_code_check",
        }
    }
}

impl CreditCode {
    /// Reads a code as typed: full-width signs, small letters and blanks are mended.
    pub fn parse(typed: &str) -> Result<CreditCode, CreditCodeRefusal> {
        let code: String = text::narrow(typed)
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .collect();
        if code.is_empty() {
            return Err(CreditCodeRefusal::Empty);
        }
        if let Some(found) = code.chars().find(|c| value(*c).is_none()) {
            return Err(CreditCodeRefusal::Character { found });
        }
        if code.len() != 18 {
            return Err(CreditCodeRefusal::Length { length: code.len() });
        }
        if !code[2..8].bytes().all(|b| b.is_ascii_digit()) {
            return Err(CreditCodeRefusal::Area);
        }
        if check(&code[..17]) != code.chars().next_back() {
            return Err(CreditCodeRefusal::Check);
        }
        Ok(CreditCode(code))
    }

    /// The eighteen signs.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn value(sign: char) -> Option<usize> {
    ALPHABET.iter().position(|of| char::from(*of) == sign)
}

/// The check sign of seventeen signs: weights are the powers of 3 modulo 31 (GB 32100, annex).
fn check(body: &str) -> Option<char> {
    let (mut weight, mut sum) = (1, 0);
    for sign in body.chars() {
        sum += value(sign)? * weight;
        weight = weight * 3 % 31;
    }
    Some(char::from(ALPHABET[(31 - sum % 31) % 31]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_standard_hold() {
        // Widely published codes, not made with the function under test.
        for code in ["91350100M000100Y43", "91310000775785552L", "914403001922038216"] {
            assert_eq!(CreditCode::parse(code).map(|c| c.to_string()), Ok(code.to_owned()));
        }
    }

    #[test]
    fn what_is_typed_carelessly_is_mended() {
        let mended = CreditCode::parse(" 91350100m000100y43 ").unwrap();
        assert_eq!(mended.as_str(), "91350100M000100Y43");
        assert_eq!(CreditCode::parse("９１３５０１００Ｍ０００１００Ｙ４３"), Ok(mended));
    }

    #[test]
    fn every_single_wrong_sign_is_found() {
        let good = "91350100M000100Y43";
        for at in 0..18 {
            for sign in ALPHABET.iter().map(|b| char::from(*b)) {
                let wrong: String =
                    good.chars().enumerate().map(|(n, c)| if n == at { sign } else { c }).collect();
                assert_eq!(CreditCode::parse(&wrong).is_ok(), wrong == good, "{wrong}");
            }
        }
    }

    #[test]
    fn swapped_neighbours_are_found() {
        let good = "91350100M000100Y43";
        for at in 8..17 {
            let mut signs: Vec<char> = good.chars().collect();
            signs.swap(at, at + 1);
            let wrong: String = signs.into_iter().collect();
            if wrong != good {
                assert_eq!(CreditCode::parse(&wrong), Err(CreditCodeRefusal::Check), "{wrong}");
            }
        }
    }

    #[test]
    fn each_mistake_says_what_to_do() {
        for (typed, code) in [
            ("", "credit_code_missing"),
            ("9135010", "credit_code_length"),
            ("91350100M000100Y4I", "credit_code_character"),
            ("913501A0M000100Y43", "credit_code_area"),
            ("91350100M000100Y44", "credit_code_check"),
        ] {
            assert_eq!(CreditCode::parse(typed).unwrap_err().code(), code, "{typed}");
        }
    }
}
