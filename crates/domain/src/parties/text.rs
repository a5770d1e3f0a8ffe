//! Text as people paste it: full-width digits, invisible marks, spaces in the middle of a number.
//!
//! This is the small part of Unicode's NFKC that Chinese office files need. We do not fold more,
//! because full NFKC would also rewrite rare characters in names.

/// Full-width letters, digits and signs become their narrow form; every kind of space becomes one
/// ordinary space character; marks nobody can see are dropped; the ends are trimmed.
///
/// Phones and messengers wrap copied numbers in direction marks (U+202D … U+202C): the clerk sees
/// a perfect number and cannot understand a refusal, so they go.
pub fn narrow(text: &str) -> String {
    let folded: String = text.chars().filter(|c| !invisible(*c)).map(narrow_char).collect();
    folded.trim().to_owned()
}

/// [`narrow`], without any space or line break left inside.
pub fn compact(text: &str) -> String {
    narrow(text).chars().filter(|c| !c.is_whitespace()).collect()
}

/// A number as Excel shows it when the cell is too small for it, such as `4.10205E+17`.
/// The digits behind the `E` are gone for good.
pub fn scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else {
        return false;
    };
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let mantissa_holds = match mantissa.split_once('.') {
        Some((whole, rest)) => digits(whole) && (rest.is_empty() || digits(rest)),
        None => digits(mantissa),
    };
    mantissa_holds && digits(exponent) && exponent.len() <= 3
}

fn narrow_char(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => {
            char::from_u32(u32::from(c) - 0xFEE0).expect("the full-width block maps onto ASCII")
        }
        '–' | '—' | '−' | '‐' | '‑' => '-',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

fn invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{00AD}')
        || (c.is_control() && !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_and_invisible_marks_are_folded() {
        assert_eq!(
            narrow("　４１０２９９１９４００２２９００１１Ｘ "),
            "41029919400229001".to_owned() + "1X"
        );
        assert_eq!(narrow("\u{202D}13812345678\u{202C}"), "13812345678");
        assert_eq!(compact("4102 9919\n4002"), "410299194002");
        assert_eq!(narrow("０３７１－６６５５"), "0371-6655");
    }

    #[test]
    fn scientific_notation_is_seen_only_where_it_is() {
        for text in ["4.10205E+17", "4.10205e17", "1E+18", "4.E+17"] {
            assert!(scientific(text), "{text}");
        }
        for text in ["410205", "E+17", "4.1.2E+17", "李E", "12E+1234", "4E"] {
            assert!(!scientific(text), "{text}");
        }
    }
}
