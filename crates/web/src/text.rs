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
    use std::{collections::BTreeSet, fs, path::Path};

    use super::{english, translate};

    /// Every sentence the templates hand to the catalogue.
    fn spoken(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                spoken(&path, found);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for (end, _) in text.match_indices("\"|t(") {
                let begin = text[..end].rfind('"').unwrap() + 1;
                found.insert(text[begin..end].to_owned());
            }
        }
    }

    #[test]
    fn nearly_every_sentence_of_the_templates_is_in_the_catalogue() {
        let mut all = BTreeSet::new();
        spoken(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"), &mut all);
        let missing: Vec<_> = all.iter().filter(|text| !english().contains_key(text.as_str())).collect();
        eprintln!("{} of {} sentences have no English: {missing:#?}", missing.len(), all.len());
        assert!(missing.len() * 20 <= all.len(), "more than one in twenty is missing");
    }

    #[test]
    fn no_sentence_stands_twice_in_the_catalogue() {
        let mut seen = BTreeSet::new();
        for line in include_str!("../text/en.txt").lines() {
            let (key, _) =
                line.split_once(" = ").unwrap_or_else(|| panic!("not a line of the catalogue: {line}"));
            assert!(seen.insert(key), "twice: {key}");
        }
    }

    #[test]
    fn what_is_missing_in_english_stays_chinese() {
        assert_eq!(translate("退出", "en"), "Sign out");
        assert_eq!(translate("退出", "zh-CN"), "退出");
        assert_eq!(translate("尚无译文的一句话", "en"), "尚无译文的一句话");
    }
}
