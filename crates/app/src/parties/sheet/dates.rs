//! Days of birth as people write them. What is not certain is asked, never guessed.

use domain::parties::text;
use jiff::ToSpan;
use jiff::civil::{Date, date};

use super::book::{Cell, Value};

const YEARS: std::ops::RangeInclusive<i16> = 1850..=2100;

/// What a cell says about a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stated {
    /// A whole day.
    Day(Date),
    /// Year and month.
    Month(i16, i8),
    /// A year alone.
    Year(i16),
    /// `54/3/2`: which century?
    ShortYear(i16),
    /// The lunar calendar.
    Lunar,
    /// Something else.
    Unclear,
}

/// `None` for a blank cell.
pub(super) fn stated(cell: &Cell, epoch_1904: bool) -> Option<Stated> {
    Some(match &cell.value {
        Value::Empty => return None,
        Value::Day(day) => whole(day.year(), day.month().into(), day.day().into()),
        Value::Number(number) => from_number(*number, epoch_1904),
        Value::Text(_) => return from_text(&cell.text(), epoch_1904),
        Value::Bool(_) | Value::Error => Stated::Unclear,
    })
}

fn from_number(number: f64, epoch_1904: bool) -> Stated {
    if !(0.0..1e9).contains(&number) {
        return Stated::Unclear;
    }
    // 1954.3 may be March or October (1954.10); the year is all that is certain.
    let whole_part = number.trunc() as i64;
    let year = i16::try_from(whole_part).ok().filter(|y| YEARS.contains(y));
    match (year, number.fract() == 0.0) {
        (Some(year), _) => Stated::Year(year),
        (None, true) if whole_part > 99_999 => from_digits(&whole_part.to_string()),
        (None, _) => serial(whole_part, epoch_1904),
    }
}

/// Days since the epoch of the spreadsheet. Excel believes in a 29 February 1900, so its days
/// from March 1900 on are one ahead.
fn serial(days: i64, epoch_1904: bool) -> Stated {
    let start = if epoch_1904 { date(1904, 1, 1) } else { date(1899, 12, 30) };
    let day = (61..=100_000).contains(&days).then(|| start.checked_add(days.days()).ok()).flatten();
    day.map_or(Stated::Unclear, Stated::Day)
}

fn from_text(written: &str, epoch_1904: bool) -> Option<Stated> {
    let narrow = text::narrow(written);
    if narrow.is_empty() || matches!(narrow.as_str(), "无" | "-" | "/" | "不详" | "未知") {
        return None;
    }
    if narrow.contains("农历") || narrow.contains("阴历") {
        return Some(Stated::Lunar);
    }
    // A time of day behind the day says nothing about a birth.
    let day = match narrow.split_once([' ', 'T']) {
        Some((day, time)) if time.contains(':') => day.to_owned(),
        _ => narrow.chars().filter(|c| !c.is_whitespace()).collect(),
    };
    if day.bytes().all(|b| b.is_ascii_digit()) {
        return Some(match day.len() {
            5 => day.parse().map_or(Stated::Unclear, |days| serial(days, epoch_1904)),
            _ => from_digits(&day),
        });
    }
    let groups: Vec<&str> = day
        .split(['.', '-', '/', '年', '月', '日', '号', '、', ',', '\\'])
        .filter(|g| !g.is_empty())
        .collect();
    if groups.iter().any(|g| !g.bytes().all(|b| b.is_ascii_digit()) || g.len() > 4) {
        return Some(Stated::Unclear);
    }
    let numbers: Vec<i16> = groups.iter().filter_map(|g| g.parse().ok()).collect();
    Some(match (numbers.as_slice(), groups.first().map(|g| g.len())) {
        ([year, month, day], Some(4)) => whole(*year, *month, *day),
        ([year, month, day], Some(1 | 2)) if groups[2].len() <= 2 => short(*year, *month, *day),
        ([year, month], Some(4)) => month_of(*year, *month),
        ([year], Some(4)) if YEARS.contains(year) => Stated::Year(*year),
        _ => Stated::Unclear,
    })
}

fn from_digits(digits: &str) -> Stated {
    let part =
        |range: std::ops::Range<usize>| digits.get(range).and_then(|d| d.parse::<i16>().ok()).unwrap_or(0);
    match digits.len() {
        8 => whole(part(0..4), part(4..6), part(6..8)),
        6 if YEARS.contains(&part(0..4)) && (1..=12).contains(&part(4..6)) => {
            month_of(part(0..4), part(4..6))
        }
        6 => short(part(0..2), part(2..4), part(4..6)),
        4 if YEARS.contains(&part(0..4)) => Stated::Year(part(0..4)),
        _ => Stated::Unclear,
    }
}

fn whole(year: i16, month: i16, day: i16) -> Stated {
    let day =
        i8::try_from(month).ok().zip(i8::try_from(day).ok()).and_then(|(m, d)| Date::new(year, m, d).ok());
    day.filter(|d| YEARS.contains(&d.year())).map_or(Stated::Unclear, Stated::Day)
}

/// Only a day that exists in some year of that ending; 54/13/2 is no date at all.
fn short(year: i16, month: i16, day: i16) -> Stated {
    match (whole(1900 + year, month, day), whole(2000 + year, month, day)) {
        (Stated::Unclear, Stated::Unclear) => Stated::Unclear,
        _ => Stated::ShortYear(year),
    }
}

fn month_of(year: i16, month: i16) -> Stated {
    match whole(year, month, 1) {
        Stated::Day(day) => Stated::Month(day.year(), day.month()),
        _ => Stated::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_says(text: &str) -> Option<Stated> {
        stated(&Cell::new(Value::Text(text.into())), false)
    }

    #[test]
    fn every_way_of_writing_a_day() {
        let day = Some(Stated::Day(date(1954, 3, 2)));
        for text in [
            "1954-03-02",
            "1954.3.2",
            "1954/03/02",
            "1954年3月2日",
            "１９５４年３月２日",
            "19540302",
            "1954 . 03 . 02",
            "1954-03-02 00:00:00",
            "1954-03-02T00:00:00",
            "1954年3月2号",
            "19785",
        ] {
            assert_eq!(text_says(text), day, "{text}");
        }
        for number in [19_540_302.0, 19_785.0] {
            assert_eq!(stated(&Cell::new(Value::Number(number)), false), day);
        }
        assert_eq!(stated(&Cell::new(Value::Number(18_323.0)), true), day);
        assert_eq!(stated(&Cell::new(Value::Day(date(1954, 3, 2))), false), day);
    }

    #[test]
    fn what_is_not_certain_is_not_guessed() {
        for (text, stated) in [
            ("54/3/2", Some(Stated::ShortYear(54))),
            ("540302", Some(Stated::ShortYear(54))),
            ("24-2-29", Some(Stated::ShortYear(24))),
            ("1954年3月", Some(Stated::Month(1954, 3))),
            ("1954.03", Some(Stated::Month(1954, 3))),
            ("195403", Some(Stated::Month(1954, 3))),
            ("1954", Some(Stated::Year(1954))),
            ("农历1954年二月初八", Some(Stated::Lunar)),
            ("3/2/1954", Some(Stated::Unclear)),
            ("1954-02-30", Some(Stated::Unclear)),
            ("54/13/2", Some(Stated::Unclear)),
            ("三月", Some(Stated::Unclear)),
            ("0000000", Some(Stated::Unclear)),
            ("12345678901234567890", Some(Stated::Unclear)),
            ("不详", None),
        ] {
            assert_eq!(text_says(text), stated, "{text}");
        }
        assert_eq!(stated(&Cell::new(Value::Number(1954.3)), false), Some(Stated::Year(1954)));
        assert_eq!(stated(&Cell::new(Value::Number(1954.0)), false), Some(Stated::Year(1954)));
        assert_eq!(stated(&Cell::new(Value::Number(f64::NAN)), false), Some(Stated::Unclear));
    }
}
