//! The English catalogue.
//!
//! Chinese text stands in the templates and is the key; what is missing in English falls back to Chinese.

use std::{borrow::Cow, collections::HashMap, sync::OnceLock};

fn english() -> &'static HashMap<&'static str, &'static str> {
    static MAP: OnceLock<HashMap<&str, &str>> = OnceLock::new();
    MAP.get_or_init(|| {
        include_str!("../text/en.txt").lines().filter_map(|line| line.split_once(" = ")).collect()
    })
}

/// Sentences with places for numbers and names: what stands around the places, and the English with its own.
fn patterns() -> &'static [(Vec<&'static str>, &'static str)] {
    static LIST: OnceLock<Vec<(Vec<&str>, &str)>> = OnceLock::new();
    LIST.get_or_init(|| {
        let with_places = english().iter().filter(|(key, _)| key.contains("{}"));
        with_places.map(|(key, english)| (key.split("{}").collect(), *english)).collect()
    })
}

/// What stands in the places of a sentence that was made from a pattern.
fn fillings<'a>(text: &'a str, around: &[&str]) -> Option<Vec<&'a str>> {
    let (first, rest) = around.split_first()?;
    let (last, middle) = rest.split_last()?;
    let mut left = text.strip_prefix(first)?.strip_suffix(last)?;
    let mut found = Vec::with_capacity(rest.len());
    for part in middle {
        let (filling, after) = left.split_once(part)?;
        found.push(filling);
        left = after;
    }
    found.push(left);
    Some(found)
}

/// A sentence in the language of the page: `zh-CN` or `en`.
pub fn translate<'a>(text: &'a str, lang: &str) -> Cow<'a, str> {
    if lang != "en" {
        return Cow::Borrowed(text);
    }
    if let Some(said) = english().get(text) {
        return Cow::Borrowed(said);
    }
    // Of several patterns that fit, the one that leaves the least open says the most.
    let fitting = patterns().iter().filter_map(|(around, said)| Some((fillings(text, around)?, said)));
    let open = |found: &[&str]| found.iter().map(|f| f.len()).sum::<usize>();
    match fitting.min_by_key(|(found, _)| open(found)) {
        None => Cow::Borrowed(text),
        Some((found, said)) => {
            let put =
                |sentence: String, filling: &&str| sentence.replacen("{}", &translate(filling, lang), 1);
            Cow::Owned(found.iter().fold((*said).to_owned(), put))
        }
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

    #[test]
    fn a_sentence_with_numbers_and_names_is_found_by_what_stands_around_them() {
        assert_eq!(
            translate("请再等 11 分钟；等满后仍无人应答才能登记空访", "en"),
            "Wait another 11 minutes; only then can an empty visit be entered"
        );
        assert_eq!(
            translate("工单现在是“待派单”，不能结算", "en"),
            "The order stands at “To dispatch”; not possible now: Settlement"
        );
        // What only resembles a pattern stays as it is.
        assert_eq!(translate("请再等一会儿", "en"), "请再等一会儿");
    }
}
