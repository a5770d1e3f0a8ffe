//! CSV as Chinese offices send it: any of five encodings, three separators, and sometimes a quote
//! that nobody closed.
//!
//! A field remembers where its bytes stand in the text, so that the same file can be given back
//! with one column more and nothing else changed.

use std::borrow::Cow;
use std::ops::Range;

use super::book::{Cell, Format, Row, Table, TextEncoding, Value};
use super::limits::{Limits, Watch};
use super::refusal::SheetRefusal;

/// Quotes that are opened and never closed, before we stop believing in quotes at all.
const STRAY_QUOTES: usize = 50;

pub(super) fn read(
    bytes: &[u8],
    limits: &Limits,
    watch: &Watch<'_>,
) -> Result<(Format, Table), SheetRefusal> {
    let (encoding, text) = decode(bytes)?;
    let separator = separator(&text);
    let mut rows = Vec::new();
    let mut cells_seen = 0;
    for (index, record) in Records::new(&text, separator).enumerate() {
        let number = u32::try_from(index + 1).map_err(|_| SheetRefusal::TooManyCells)?;
        if index % 4096 == 0 && watch.stopped() {
            return Err(SheetRefusal::Stopped);
        }
        if number == 1 && separator_line(&text[record.whole.clone()]).is_some() {
            continue;
        }
        let cells: Vec<Cell> = record.fields.iter().map(|field| cell(field, &text)).collect();
        let Some(last) = cells.iter().rposition(|c| !c.blank()) else {
            continue;
        };
        cells_seen += last + 1;
        if number > limits.rows || last >= limits.columns as usize || cells_seen > limits.cells {
            return Err(SheetRefusal::TooManyCells);
        }
        rows.push(Row { number, cells: cells.into_iter().take(last + 1).collect() });
    }
    let table = Table { name: String::new(), rows, ..Table::default() };
    Ok((Format::Csv { encoding, separator }, table))
}

fn cell(field: &Field, text: &str) -> Cell {
    let content = field.content(text);
    Cell::new(if content.trim().is_empty() { Value::Empty } else { Value::Text(content.into()) })
}

/// The text and how it was stored.
pub(super) fn decode(bytes: &[u8]) -> Result<(TextEncoding, String), SheetRefusal> {
    let (encoding, text) = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => (TextEncoding::Utf8Bom, String::from_utf8_lossy(rest).into_owned()),
        [0xFF, 0xFE, rest @ ..] => (TextEncoding::Utf16Le, utf16(rest, u16::from_le_bytes)),
        [0xFE, 0xFF, rest @ ..] => (TextEncoding::Utf16Be, utf16(rest, u16::from_be_bytes)),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => (TextEncoding::Utf8, text.to_owned()),
            Err(_) => (
                TextEncoding::Gb18030,
                encoding_rs::GB18030.decode_without_bom_handling(bytes).0.into_owned(),
            ),
        },
    };
    // A binary file becomes control characters or a crowd of replacement characters; a lost rare
    // character or two is told to the clerk at the name it stands in.
    let strange = text
        .chars()
        .filter(|c| (c.is_control() && !matches!(c, '\t' | '\r' | '\n' | '\u{1A}')) || *c == '\u{FFFD}');
    let strange = strange.count();
    if strange > 2 && strange * 50 > text.chars().count() {
        return Err(SheetRefusal::Unknown);
    }
    if text.trim().is_empty() {
        return Err(SheetRefusal::Empty);
    }
    Ok((encoding, text))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')).collect()
}

/// The way back; the mark at the front included.
pub(super) fn encode(encoding: TextEncoding, text: &str) -> Vec<u8> {
    match encoding {
        TextEncoding::Utf8 => text.as_bytes().to_vec(),
        TextEncoding::Utf8Bom => [&[0xEF, 0xBB, 0xBF], text.as_bytes()].concat(),
        TextEncoding::Utf16Le => {
            [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
        }
        TextEncoding::Utf16Be => {
            [0xFE, 0xFF].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect()
        }
        TextEncoding::Gb18030 => encoding_rs::GB18030.encode(text).0.into_owned(),
    }
}

/// The separator that cuts the first lines most evenly. `sep=;` in the first line decides at once.
fn separator(text: &str) -> char {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(30).collect();
    if let Some(told) = lines.first().and_then(|line| separator_line(line)) {
        return told;
    }
    // First how many lines have it at all, so that neither a title nor addresses full of commas
    // decide; then how often the middle line has it.
    let weight = |separator: char| {
        let mut counts: Vec<usize> = lines.iter().map(|line| outside_quotes(line, separator)).collect();
        counts.sort_unstable();
        (counts.iter().filter(|c| **c > 0).count(), counts.get(counts.len() / 2).copied())
    };
    // On equal terms the earlier one wins, and a comma is the commonest.
    [',', '\t', ';'].into_iter().rev().max_by_key(|s| weight(*s)).unwrap_or(',')
}

fn separator_line(line: &str) -> Option<char> {
    let rest = line.trim().trim_matches('"').strip_prefix("sep=")?;
    let mut chars = rest.chars();
    chars.next().filter(|c| matches!(c, ',' | ';' | '\t') && chars.next().is_none())
}

fn outside_quotes(line: &str, separator: char) -> usize {
    let mut quoted = false;
    let mut count = 0;
    for c in line.chars() {
        quoted ^= c == '"';
        count += usize::from(!quoted && c == separator);
    }
    count
}

/// One record: its fields, and the bytes it takes without the line end.
pub(super) struct Record {
    pub(super) fields: Vec<Field>,
    pub(super) whole: Range<usize>,
}

/// One field and its bytes in the text, quotes included.
pub(super) struct Field {
    pub(super) raw: Range<usize>,
    quoted: bool,
}

impl Field {
    /// What the field says.
    pub(super) fn content<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let raw = &text[self.raw.clone()];
        if !self.quoted {
            return Cow::Borrowed(raw);
        }
        // What stands behind the closing quote belongs to the field all the same.
        let inner = raw.strip_prefix('"').unwrap_or(raw);
        let (inside, behind) = inner.rsplit_once('"').unwrap_or((inner, ""));
        if inside.contains('"') || !behind.is_empty() {
            Cow::Owned(format!("{}{behind}", inside.replace("\"\"", "\"")))
        } else {
            Cow::Borrowed(inside)
        }
    }
}

/// The records of a text, in the numbering of the spreadsheet programs: a blank line counts, a
/// line break inside quotes does not.
pub(super) struct Records<'t> {
    text: &'t str,
    separator: u8,
    at: usize,
    stray_quotes: usize,
}

impl<'t> Records<'t> {
    pub(super) fn new(text: &'t str, separator: char) -> Records<'t> {
        // A Ctrl-Z of the DOS days ends the text.
        let text = text.trim_end_matches('\u{1A}');
        Records { text, separator: separator as u8, at: 0, stray_quotes: 0 }
    }

    /// `None` when a quote is opened and never closed.
    fn record(&self, believe_quotes: bool) -> Option<(Record, usize)> {
        let bytes = self.text.as_bytes();
        let mut fields = Vec::new();
        let mut at = self.at;
        loop {
            let start = at;
            let quoted = believe_quotes && bytes.get(at) == Some(&b'"');
            if quoted {
                at = closing_quote(bytes, at + 1)?;
            }
            while at < bytes.len() && !matches!(bytes[at], b'\r' | b'\n') && bytes[at] != self.separator {
                at += 1;
            }
            fields.push(Field { raw: start..at, quoted });
            if bytes.get(at) == Some(&self.separator) {
                at += 1;
                continue;
            }
            let whole = self.at..at;
            let next = match &bytes[at..] {
                [b'\r', b'\n', ..] => at + 2,
                [_, ..] => at + 1,
                [] => at,
            };
            return Some((Record { fields, whole }, next));
        }
    }
}

/// Behind the quote that closes a field; a doubled quote does not.
fn closing_quote(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|b| *b == b'"')? + 1;
        if bytes.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        if self.at >= self.text.len() {
            return None;
        }
        let believed = if self.stray_quotes < STRAY_QUOTES { self.record(true) } else { None };
        let (record, next) = match believed {
            Some(found) => found,
            None => {
                self.stray_quotes += 1;
                self.record(false).expect("without quotes every line ends")
            }
        };
        self.at = next;
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(text: &str, separator: char) -> Vec<Vec<String>> {
        Records::new(text, separator)
            .map(|r| r.fields.iter().map(|f| f.content(text).into_owned()).collect())
            .collect()
    }

    #[test]
    fn quotes_line_breaks_and_blank_lines() {
        let text = "a,\"b,\"\"x\"\"\r\ny\",c\r\n\r\n1,,\n";
        assert_eq!(fields(text, ','), [vec!["a", "b,\"x\"\r\ny", "c"], vec![""], vec!["1", "", ""]]);
        assert_eq!(fields("\"a\"b,c", ','), [["ab", "c"]]);
    }

    #[test]
    fn a_quote_that_is_never_closed_costs_its_own_line_only() {
        assert_eq!(fields("\"a,b\nc,d\n", ','), [["\"a", "b"], ["c", "d"]]);
    }

    #[test]
    fn the_separator_is_found() {
        for (text, wanted) in [
            ("姓名;住址\n王;a,b\n李;c,d\n", ';'),
            ("姓名\t住址\n王\ta,b\n", '\t'),
            ("名单\n姓名,住址\n王,a\n", ','),
            ("sep=;\n姓名;a,b,c\n", ';'),
            ("姓名\n", ','),
        ] {
            assert_eq!(separator(text), wanted, "{text}");
        }
    }

    #[test]
    fn binary_rubbish_is_no_text() {
        let rubbish: Vec<u8> = (0..4000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert_eq!(decode(&rubbish).unwrap_err(), SheetRefusal::Unknown);
        assert_eq!(decode(b" \n \n").unwrap_err(), SheetRefusal::Empty);
    }

    proptest! {
        #[test]
        fn encodings_go_both_ways(text in "[a-z0-9王秀英䶮𠮷,\n]{1,40}") {
            prop_assume!(!text.trim().is_empty());
            for encoding in [TextEncoding::Utf8Bom, TextEncoding::Utf16Le, TextEncoding::Utf16Be] {
                prop_assert_eq!(decode(&encode(encoding, &text)).unwrap(), (encoding, text.clone()));
            }
            // A handful of bytes can be both; a header never is.
            let text = format!("姓名,{text}");
            prop_assert_eq!(decode(&encode(TextEncoding::Gb18030, &text)).unwrap().1, text);
        }

        #[test]
        fn no_byte_is_lost_between_records(text in "[a,\"\r\n王]{0,60}") {
            let mut end = 0;
            for record in Records::new(&text, ',') {
                prop_assert!(text[end..record.whole.start].chars().all(|c| c == '\r' || c == '\n'));
                end = record.whole.end;
            }
            prop_assert!(text[end..].chars().all(|c| c == '\r' || c == '\n'));
        }
    }
}
