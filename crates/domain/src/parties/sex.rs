//! Sex as the national code list has it (GB/T 2261.1).

use serde::{Deserialize, Serialize};

/// One of the four codes of GB/T 2261.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// 0 未知
    Unknown,
    /// 1 男
    Male,
    /// 2 女
    Female,
    /// 9 未说明
    Unspecified,
}

impl Sex {
    /// The code of the standard.
    pub fn code(self) -> u8 {
        match self {
            Sex::Unknown => 0,
            Sex::Male => 1,
            Sex::Female => 2,
            Sex::Unspecified => 9,
        }
    }

    /// The other way round; `None` for a number the standard does not have.
    pub fn from_code(code: u8) -> Option<Sex> {
        [Sex::Unknown, Sex::Male, Sex::Female, Sex::Unspecified].into_iter().find(|s| s.code() == code)
    }

    /// The word on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Sex::Unknown => "未知",
            Sex::Male => "男",
            Sex::Female => "女",
            Sex::Unspecified => "未说明",
        }
    }

    /// What a clerk writes into a 性别 column; `None` when it means nothing to us.
    pub fn from_text(text: &str) -> Option<Sex> {
        let text = super::text::compact(text);
        match text.as_str() {
            "男" | "男性" | "1" | "M" | "m" => Some(Sex::Male),
            "女" | "女性" | "2" | "F" | "f" => Some(Sex::Female),
            "未知" | "0" => Some(Sex::Unknown),
            "未说明" | "9" => Some(Sex::Unspecified),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_words_go_both_ways() {
        for sex in [Sex::Unknown, Sex::Male, Sex::Female, Sex::Unspecified] {
            assert_eq!(Sex::from_code(sex.code()), Some(sex));
            assert_eq!(Sex::from_text(sex.label()), Some(sex));
        }
        assert_eq!(Sex::from_code(3), None);
        assert_eq!(Sex::from_text("　女 "), Some(Sex::Female));
        assert_eq!(Sex::from_text("男女"), None);
    }
}
