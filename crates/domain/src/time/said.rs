//! Times as people say them on the telephone: 现在、明天 9点、周三下午两点半、11月25日 14:30、半小时后.
//!
//! What is read is always shown back before anything is done with it, so a guess that is usually right (three o'clock
//! means the afternoon) is worth more than a question.

use jiff::{ToSpan, civil};

use super::{At, Day, Now};

/// Why a time was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("看不懂时间“{0}”。可以写：现在、明天 9点、周三下午2点半、11月25日 14:30")]
pub struct Unclear(pub String);

/// The next full half hour: what an operator is offered before anything is typed.
pub fn suggested(now: Now) -> At {
    let local = now.0.local();
    let past = i64::from(local.minute()) % 30;
    let whole = At::from_local(local.date().at(local.hour(), local.minute(), 0, 0));
    whole.plus_minutes(30 - past)
}

/// Reads a time as it was said. Nothing at all means the suggested one.
pub fn said(text: &str, now: Now) -> Result<At, Unclear> {
    if text.trim().is_empty() {
        return Ok(suggested(now));
    }
    if let Some(at) = At::parse(text) {
        return Ok(at);
    }
    let compact = narrow(text);
    Reader { rest: &compact, now, day: None, part: None, clock: None, at: None }
        .read()
        .ok_or_else(|| Unclear(text.trim().to_owned()))
}

fn narrow(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '，' => ' ',
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            ',' | '的' => ' ',
            c if c.is_whitespace() => ' ',
            c => c,
        })
        .collect::<String>()
        .trim_end()
        .to_owned()
}

/// Which day was named.
#[derive(Debug, Clone, Copy)]
enum Named {
    /// A certain day.
    Day(Day),
    /// A weekday: the next one whose time has not passed.
    Weekday(Day),
}

/// Part of the day: what it does to an hour, and which hour it means by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Night,
    Morning,
    Noon,
    Afternoon,
    Dusk,
    Evening,
}

const PARTS: [(&str, Part); 16] = [
    ("凌晨", Part::Night),
    ("早上", Part::Morning),
    ("早晨", Part::Morning),
    ("清晨", Part::Morning),
    ("清早", Part::Morning),
    ("上午", Part::Morning),
    ("中午", Part::Noon),
    ("下午", Part::Afternoon),
    ("午后", Part::Afternoon),
    ("傍晚", Part::Dusk),
    ("晚上", Part::Evening),
    ("夜里", Part::Evening),
    ("am", Part::Morning),
    ("pm", Part::Afternoon),
    ("早", Part::Morning),
    ("晚", Part::Evening),
];

impl Part {
    fn by_itself(self) -> Option<i64> {
        match self {
            Part::Night => None,
            Part::Morning => Some(9),
            Part::Noon => Some(12),
            Part::Afternoon => Some(14),
            Part::Dusk => Some(17),
            Part::Evening => Some(19),
        }
    }

    fn hour(self, hour: i64) -> i64 {
        match self {
            Part::Night | Part::Morning => hour,
            Part::Noon if hour >= 10 => hour,
            // Twelve in the evening is the end of that day.
            Part::Evening if hour == 12 => 24,
            _ if hour < 12 => hour + 12,
            _ => hour,
        }
    }
}

/// An hour as it was said, and whether it can mean the afternoon.
#[derive(Debug, Clone, Copy)]
struct Clock {
    hour: i64,
    minute: i64,
    /// Said without a leading zero: nobody orders a visit for three in the night.
    loose: bool,
}

struct Reader<'a> {
    rest: &'a str,
    now: Now,
    day: Option<Named>,
    part: Option<Part>,
    clock: Option<Clock>,
    at: Option<At>,
}

impl Reader<'_> {
    fn read(mut self) -> Option<At> {
        while !self.rest.is_empty() {
            let before = self.rest.len();
            self.rest = self.rest.trim_start();
            self.step()?;
            if self.rest.len() == before {
                return None;
            }
        }
        match self.at {
            Some(at) if self.day.is_none() && self.part.is_none() && self.clock.is_none() => Some(at),
            Some(_) => None,
            None => self.together(),
        }
    }

    /// Reads one more piece; none when it makes no sense.
    fn step(&mut self) -> Option<()> {
        if self.take_any(&["现在", "马上", "立刻", "尽快"]) {
            return self.set_at(self.now.0);
        }
        if self.take_any(&["半小时后", "半个小时后", "半小时以后"]) {
            return self.set_at(self.now.0.plus_minutes(30));
        }
        if let Some(days) = self.relative_day() {
            return self.set_day(Named::Day(self.today().checked_add(days.days()).ok()?));
        }
        let whole = self.rest;
        if let Some(named) = self.weekday() {
            return self.set_day(named);
        }
        self.rest = whole;
        if let Some((word, part)) = PARTS.iter().find(|(word, _)| self.rest.starts_with(word)) {
            self.rest = &self.rest[word.len()..];
            return self.part.replace(*part).is_none().then_some(());
        }
        self.number_and_what_follows()
    }

    fn relative_day(&mut self) -> Option<i32> {
        const DAYS: [(&str, i32); 10] = [
            ("大后天", 3),
            ("后天", 2),
            ("后日", 2),
            ("明天", 1),
            ("明日", 1),
            ("明儿", 1),
            ("明", 1),
            ("今天", 0),
            ("今日", 0),
            ("今", 0),
        ];
        let (word, days) = DAYS.iter().find(|(word, _)| self.rest.starts_with(word))?;
        self.rest = &self.rest[word.len()..];
        Some(*days)
    }

    fn weekday(&mut self) -> Option<Named> {
        let next = self.take_any(&["下个", "下"]);
        let this = !next && self.take_any(&["这个", "这", "本"]);
        if !self.take_any(&["星期", "礼拜", "周"]) {
            return None;
        }
        let c = self.rest.chars().next()?;
        let index = match c {
            '日' | '天' | '7' => 6,
            '1'..='6' => i32::try_from(u32::from(c) - u32::from('1')).ok()?,
            c => i32::try_from("一二三四五六".chars().position(|d| d == c)?).ok()?,
        };
        self.rest = &self.rest[c.len_utf8()..];
        let today = self.today();
        let here = i32::from(today.weekday().to_monday_zero_offset());
        let ahead = match (next, this) {
            (true, _) => 7 + index - here,
            (_, true) => index - here,
            _ => (index - here).rem_euclid(7),
        };
        let day = today.checked_add(ahead.days()).ok()?;
        Some(if next || this { Named::Day(day) } else { Named::Weekday(day) })
    }

    /// A number means what follows it: a date, a clock, a while from now.
    fn number_and_what_follows(&mut self) -> Option<()> {
        let typed = self.rest;
        let n = self.number()?;
        let digits = typed.len() - self.rest.len();
        let alone = self.rest.is_empty();
        if self.take_any(&["年"]) {
            let month = self.number().filter(|_| self.take_any(&["月"]))?;
            return self.date(Some(n), month);
        }
        if self.take_any(&["月"]) {
            return self.date(None, n);
        }
        if self.take_any(&["日", "号"]) {
            return self.day_of_month(n);
        }
        if self.take_any(&["-", "/"]) {
            // 2026-11-25 has a year; 11-25 has none.
            if digits == 4 {
                let month = self.number().filter(|_| self.take_any(&["-", "/"]))?;
                return self.date(Some(n), month);
            }
            return self.date(None, n);
        }
        if self.take_any(&["个半小时后", "个半小时以后"]) {
            return self.set_at(self.now.0.plus_minutes(n.checked_mul(60)?.checked_add(30)?));
        }
        if self.take_any(&["小时后", "个小时后", "小时以后", "个小时以后"]) {
            return self.set_at(self.now.0.plus_minutes(n.checked_mul(60)?));
        }
        if self.take_any(&["分钟后", "分钟以后"]) {
            return self.set_at(self.now.0.plus_minutes(n));
        }
        let loose = !typed.starts_with('0');
        if self.take_any(&[":"]) {
            let minute = self.number()?;
            return self.set_clock(n, minute, loose);
        }
        if self.take_any(&["点钟", "点", "时"]) {
            let minute = self.minute_after_the_hour()?;
            return self.set_clock(n, minute, loose);
        }
        // "明天 9", "930": only where nothing else can be meant.
        match (alone, digits) {
            (true, 1 | 2) => self.set_clock(n, 0, loose),
            (true, 3 | 4) => self.set_clock(n / 100, n % 100, loose),
            _ => None,
        }
    }

    fn minute_after_the_hour(&mut self) -> Option<i64> {
        if self.take_any(&["半"]) {
            return Some(30);
        }
        if self.take_any(&["一刻"]) {
            return Some(15);
        }
        if self.take_any(&["三刻"]) {
            return Some(45);
        }
        if self.rest.is_empty() || self.take_any(&["整"]) {
            return Some(0);
        }
        let minute = self.number().unwrap_or(0);
        self.take_any(&["分"]);
        Some(minute)
    }

    fn date(&mut self, year: Option<i64>, month: i64) -> Option<()> {
        let day = self.number()?;
        self.take_any(&["日", "号"]);
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        let today = self.today();
        let found = match year {
            Some(year) => Day::new(i16::try_from(year).ok()?, month, day).ok()?,
            // Without a year the next such day is meant.
            None => (today.year()..today.year() + 5)
                .filter_map(|year| Day::new(year, month, day).ok())
                .find(|d| *d >= today)?,
        };
        self.set_day(Named::Day(found))
    }

    fn day_of_month(&mut self, n: i64) -> Option<()> {
        let n = i8::try_from(n).ok()?;
        let today = self.today();
        let first = today.first_of_month();
        let found = (0..3)
            .filter_map(|months: i32| first.checked_add(months.months()).ok())
            .filter_map(|month| Day::new(month.year(), month.month(), n).ok())
            .find(|d| *d >= today)?;
        self.set_day(Named::Day(found))
    }

    /// The instant that day, part of day and clock make together.
    fn together(self) -> Option<At> {
        let Clock { hour, minute, loose } = match (self.clock, self.part) {
            (Some(clock), _) => clock,
            (None, Some(part)) => Clock { hour: part.by_itself()?, minute: 0, loose: false },
            (None, None) => Clock { hour: 9, minute: 0, loose: false },
        };
        let hour = match self.part {
            Some(part) if self.clock.is_some() => part.hour(hour),
            None if loose && (1..=6).contains(&hour) => hour + 12,
            _ => hour,
        };
        if hour > 24 || minute > 59 || (hour == 24 && minute > 0) {
            return None;
        }
        let on = |day: Day| At::from_local(day.at(0, 0, 0, 0)).plus_minutes(hour * 60 + minute);
        let later = |day: Day, days: i32| day.checked_add(days.days()).ok();
        Some(match self.day {
            Some(Named::Day(day)) => on(day),
            Some(Named::Weekday(day)) if on(day) < self.now.0 => on(later(day, 7)?),
            Some(Named::Weekday(day)) => on(day),
            None if on(self.today()) < self.now.0 => on(later(self.today(), 1)?),
            None => on(self.today()),
        })
    }

    fn today(&self) -> civil::Date {
        self.now.day()
    }

    fn set_at(&mut self, at: At) -> Option<()> {
        self.at.replace(at).is_none().then_some(())
    }

    fn set_day(&mut self, day: Named) -> Option<()> {
        self.day.replace(day).is_none().then_some(())
    }

    fn set_clock(&mut self, hour: i64, minute: i64, loose: bool) -> Option<()> {
        (hour <= 24 && minute <= 59 && self.clock.replace(Clock { hour, minute, loose }).is_none())
            .then_some(())
    }

    fn take_any(&mut self, words: &[&str]) -> bool {
        match words.iter().find_map(|word| self.rest.trim_start().strip_prefix(word)) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Up to four digits, or a Chinese number below sixty.
    fn number(&mut self) -> Option<i64> {
        self.rest = self.rest.trim_start();
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            let (number, rest) = self.rest.split_at(digits);
            self.rest = rest;
            return (digits <= 4).then(|| number.parse().ok())?;
        }
        let length: usize =
            self.rest.chars().take_while(|c| CHINESE.contains(*c) || *c == '十').map(char::len_utf8).sum();
        let (number, rest) = self.rest.split_at(length);
        let read = chinese(number)?;
        self.rest = rest;
        Some(read)
    }
}

const CHINESE: &str = "零一二三四五六七八九两";

fn chinese(text: &str) -> Option<i64> {
    let digit = |text: &str| -> Option<i64> {
        let mut chars = text.chars();
        match (chars.next(), chars.next(), chars.next()) {
            (Some('两'), None, _) => Some(2),
            // 九点零五
            (Some('零'), Some(c), None) | (Some(c), None, _) => {
                CHINESE.chars().position(|d| d == c).and_then(|n| i64::try_from(n).ok())
            }
            _ => None,
        }
    };
    match text.split_once('十') {
        None => digit(text),
        Some((tens, ones)) => {
            let tens = if tens.is_empty() { 1 } else { digit(tens)? };
            let ones = if ones.is_empty() { 0 } else { digit(ones)? };
            Some(tens * 10 + ones).filter(|n| *n < 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Saturday, 21 November 2026, 10:12.
    fn now() -> Now {
        Now(At::parse("2026-11-21T10:12").unwrap())
    }

    #[test]
    fn what_people_say_is_understood() {
        for (text, means) in [
            ("", "2026-11-21 10:30"),
            ("现在", "2026-11-21 10:12"),
            ("半小时后", "2026-11-21 10:42"),
            ("两小时后", "2026-11-21 12:12"),
            ("1个半小时后", "2026-11-21 11:42"),
            ("今天下午", "2026-11-21 14:00"),
            ("今晚7点", "2026-11-21 19:00"),
            ("明天 9", "2026-11-22 09:00"),
            ("明天9点半", "2026-11-22 09:30"),
            ("明早八点一刻", "2026-11-22 08:15"),
            ("明天 9:05", "2026-11-22 09:05"),
            ("后天 下午两点", "2026-11-23 14:00"),
            ("大后天", "2026-11-24 09:00"),
            ("周三 上午9点", "2026-11-25 09:00"),
            ("星期天九点", "2026-11-22 09:00"),
            ("下周一十点三刻", "2026-11-23 10:45"),
            ("下周六 9点", "2026-11-28 09:00"),
            ("14:30", "2026-11-21 14:30"),
            ("３：３０", "2026-11-21 15:30"),
            ("11月25日 14:30", "2026-11-25 14:30"),
            ("11-25 9点", "2026-11-25 09:00"),
            ("2026-12-01 0800", "2026-12-01 08:00"),
            ("2026-12-01T08:00", "2026-12-01 08:00"),
            ("30号上午", "2026-11-30 09:00"),
            ("5号", "2026-12-05 09:00"),
            ("1月2日", "2027-01-02 09:00"),
            ("中午", "2026-11-21 12:00"),
            ("中午1点", "2026-11-21 13:00"),
            ("晚上12点", "2026-11-22 00:00"),
            ("二十三日 二十点零五分", "2026-11-23 20:05"),
        ] {
            let read = said(text, now()).map(At::minute);
            assert_eq!(read.as_deref(), Ok(means), "{text}");
        }
    }

    #[test]
    fn a_bare_hour_means_the_next_time_a_visit_would_be_made() {
        let minute = |text| said(text, now()).unwrap().minute();
        assert_eq!(minute("3点"), "2026-11-21 15:00", "three o'clock is the afternoon");
        assert_eq!(minute("03:00"), "2026-11-22 03:00", "unless written as a clock shows it");
        assert_eq!(minute("9点"), "2026-11-22 09:00", "nine has passed today");
        assert_eq!(minute("周六 9点"), "2026-11-28 09:00", "and so has Saturday's nine");
        assert_eq!(minute("周六 11点"), "2026-11-21 11:00");
        assert_eq!(minute("今天9点"), "2026-11-21 09:00", "said is said: the order refuses what has passed");
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for text in [
            "随便",
            "明天25点",
            "9:75",
            "2月30日",
            "32号",
            "明天后天",
            "上午下午3点",
            "周八",
            "凌晨",
            "99999",
            "现在明天",
            "明天9点x",
            "-",
            "十十点",
        ] {
            assert_eq!(said(text, now()), Err(Unclear(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn half_hours_are_full_and_ahead() {
        let at = |text: &str| suggested(Now(At::parse(text).unwrap())).minute();
        assert_eq!(at("2026-11-21T10:00"), "2026-11-21 10:30");
        assert_eq!(at("2026-11-21T10:29"), "2026-11-21 10:30");
        assert_eq!(at("2026-11-21T23:45"), "2026-11-22 00:00");
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in ".{0,24}") {
            let _ = said(&text, now());
        }

        #[test]
        fn no_mixture_of_its_own_words_breaks_it(
            words in proptest::collection::vec(
                proptest::sample::select(vec![
                    "明", "下周", "周", "日", "十", "9", "2026", "月", "-", ":", "点", "半", "零", "晚", "两", "小时后",
                ]),
                0..6,
            )
        ) {
            let _ = said(&words.concat(), now());
        }
    }
}
