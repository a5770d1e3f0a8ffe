//! The English catalogue.
//!
//! Chinese text stands in the templates and is the key; what is missing in English falls back to Chinese.

use std::{collections::HashMap, sync::OnceLock};

fn english() -> &'static HashMap<&'static str, &'static str> {
    static MAP: OnceLock<HashMap<&str, &str>> = OnceLock::new();
    MAP.get_or_init(|| {
        include_str!("../text/en.txt").lines().filter_map(|line| line.split_once(" = ")).collect()
    })
}

/// A sentence in the language of the page: `zh-CN` or `en`.
pub fn translate<'a>(text: &'a str, lang: &str) -> &'a str {
    match lang {
        "en" => english().get(text).copied().unwrap_or(text),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn what_is_missing_in_english_stays_chinese() {
        assert_eq!(translate("退出", "en"), "Sign out");
        assert_eq!(translate("退出", "zh-CN"), "退出");
        assert_eq!(translate("尚无译文的一句话", "en"), "尚无译文的一句话");
    }
}
