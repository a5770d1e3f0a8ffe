//! Finding people: one box, filters, an order, pages.
//!
//! What is typed is a name, pinyin initials, a whole phone or identity number, the last four digits of either, or a
//! register number. First everything that fits is collected, up to ten thousand keys, from the index that has least to
//! look through and holds all one filters by; mostly that is all, and sorting it in memory beats any plan. When there is
//! more, the matches are dense, so walking the index of the wanted order meets a page of them soon.

mod kinds;
mod sql;

use std::cmp::Ordering;

use domain::{
    access::{Act, Actor},
    ids::PersonId,
    parties::{Ability, Hardship, IdNumber, LivingArrangement, PersonState, Phone, age, name, text},
    refusal::Refusal,
    regions::RegionCode,
    time::{Day, Now},
};

use serde_json::json;

use kinds::Kinds;

use super::{Card, PHONE, card::Cards, tail};
use crate::{
    evidence::Event,
    outcome::{Answer, No, Outcome},
    regions,
    store::{Fault, Tx},
};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// More matches than this are not counted.
pub const COUNTED_MOST: usize = 10_000;
/// Longest page.
pub const PAGE_MOST: usize = 200;

/// In which order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// By where people live, as the codes of regions run.
    #[default]
    Place,
    /// By name.
    Name,
    /// The oldest first.
    Oldest,
    /// The youngest first.
    Youngest,
    /// The last entered first.
    Newest,
}

impl Sort {
    /// Every order, as a form offers them.
    pub const ALL: [Sort; 5] = [Sort::Place, Sort::Name, Sort::Oldest, Sort::Youngest, Sort::Newest];

    /// The word in addresses.
    pub fn code(self) -> &'static str {
        match self {
            Sort::Place => "place",
            Sort::Name => "name",
            Sort::Oldest => "oldest",
            Sort::Youngest => "youngest",
            Sort::Newest => "newest",
        }
    }

    /// Back from an address.
    pub fn from_code(code: &str) -> Option<Sort> {
        Sort::ALL.into_iter().find(|s| s.code() == code)
    }

    /// Whether the keys fall along the list.
    fn falls(self) -> bool {
        matches!(self, Sort::Youngest | Sort::Newest)
    }
}

/// Whom one looks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeopleQuery {
    /// What stands in the box.
    pub text: String,
    /// Only in this region.
    pub region: Option<RegionCode>,
    /// At least this old today.
    pub age_from: Option<u16>,
    /// At most this old today.
    pub age_to: Option<u16>,
    /// Only who lives so.
    pub living: Option<LivingArrangement>,
    /// Only who has this hardship today.
    pub hardship: Option<Hardship>,
    /// Only of this grade.
    pub ability: Option<Ability>,
    /// Only in this state.
    pub state: Option<PersonState>,
    /// In which order.
    pub sort: Sort,
    /// `next` or `prev` of another page.
    pub cursor: Option<Cursor>,
    /// How many on a page.
    pub limit: usize,
    /// Count no further than this. Nothing means [`COUNTED_MOST`], for which the walk beyond is made: it counts on dense
    /// matches. Fewer is for tests, which would otherwise need as many people.
    pub count_most: Option<usize>,
}

/// A place in a list: before or after one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Whether the page ends before the key rather than beginning after it.
    before: bool,
    /// How many lie before the page, for "51–100".
    offset: usize,
    key: Key,
}

/// What a list is ordered by: name, birth or nothing; region or 0; id.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    text: String,
    region: i64,
    id: i64,
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        // Empty texts are not compared: they point nowhere, which some processors take a hundred times as long to look at.
        let texts = match (self.text.is_empty(), other.text.is_empty()) {
            (false, false) => self.text.cmp(&other.text),
            (mine, other) => other.cmp(&mine),
        };
        texts.then((self.region, self.id).cmp(&(other.region, other.id)))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Cursor {
    /// As it stands in an address.
    pub fn to_text(&self) -> String {
        let side = if self.before { 'b' } else { 'a' };
        format!("{side}{}.{}.{}.{}", self.offset, self.key.region, self.key.id, self.key.text)
    }

    /// Back from an address.
    pub fn parse(written: &str) -> Option<Cursor> {
        let before = match written.chars().next()? {
            'a' => false,
            'b' => true,
            _ => return None,
        };
        let mut parts = written[1..].splitn(4, '.');
        let offset = parts.next()?.parse().ok()?;
        let (region, id) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Cursor { before, offset, key: Key { text: parts.next()?.to_owned(), region, id } })
    }
}

/// A page of people.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundPeople {
    /// Who, in order.
    pub cards: Vec<Card>,
    /// How many there are; as far as they were counted when there are more.
    pub total: usize,
    /// Whether there are more than were counted.
    pub more: bool,
    /// How many lie before this page.
    pub offset: usize,
    /// The page after.
    pub next: Option<Cursor>,
    /// The page before.
    pub prev: Option<Cursor>,
}

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Needle {
    All,
    Name(String),
    Initials(String),
    IdNo([u8; 16]),
    Phone(i64),
    Tail { id: i64, phone: i64 },
    Register(i64),
}

impl Needle {
    fn read(typed: &str, vault: &crate::store::Vault) -> Needle {
        let plain = text::compact(typed);
        if plain.is_empty() {
            return Needle::All;
        }
        if let Ok(id_no) = IdNumber::parse(&plain, true) {
            return Needle::IdNo(super::id_index(vault, &id_no));
        }
        if let Ok(phone) = Phone::parse(&plain) {
            return Needle::Phone(vault.index(PHONE, phone.reveal()));
        }
        let four = plain.to_uppercase();
        if four.len() == 4
            && four.bytes().enumerate().all(|(at, b)| b.is_ascii_digit() || at == 3 && b == b'X')
        {
            return Needle::Tail {
                id: tail(vault, "id_tail", &four),
                phone: tail(vault, "phone_tail", &four),
            };
        }
        if let Some(id) = plain.parse::<PersonId>().ok().filter(|_| plain.len() > 4) {
            return Needle::Register(id.0);
        }
        if plain.len() <= 8 && plain.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Needle::Initials(plain.to_lowercase());
        }
        Needle::Name(name::normalise(typed))
    }
}

/// Everything a statement needs to know about a query.
#[derive(Debug)]
struct Filter {
    scope: domain::access::Scope,
    born_from: String,
    born_to: String,
    kinds: Kinds,
}

/// After every day, and after every name.
const LAST_DAY: &str = "9999-12-31";
const LAST_NAME: &str = "\u{10FFFF}";

impl Filter {
    fn of(query: &PeopleQuery, actor: &Actor, today: Day) -> Filter {
        let born = |years: u16| years_before(today, years);
        Filter {
            scope: actor.scope().narrowed(query.region.map(RegionCode::range)),
            // Who is at most 80 had the 81st birthday not yet.
            born_from: query.age_to.map_or_else(String::new, |to| born(to.saturating_add(1)).1),
            born_to: query.age_from.map_or_else(|| LAST_DAY.to_owned(), |from| born(from).0),
            kinds: Kinds::of(query.state, query.ability, query.living, query.hardship),
        }
    }

    /// Whether everybody in the scope fits.
    fn everybody(&self) -> bool {
        self.kinds.all() && !self.by_age()
    }

    /// Whether some ages do not fit.
    fn by_age(&self) -> bool {
        !self.born_from.is_empty() || self.born_to != LAST_DAY
    }
}

/// The last birthday of those who are `years` old today, and the first of those who are not yet.
fn years_before(today: Day, years: u16) -> (String, String) {
    let year = today.year().saturating_sub(i16::try_from(years).unwrap_or(i16::MAX)).max(1);
    // On 1 March of a common year those of 29 February have their birthday too; on 28 February they have not yet.
    let last = Day::new(year, today.month(), today.day()).unwrap_or_else(|_| jiff::civil::date(year, 2, 28));
    let leap = Day::new(year, 2, 29);
    let last = match leap {
        Ok(leap) if last < leap && age::birthday(leap, today.year()) <= today => leap,
        _ => last,
    };
    let next = last.tomorrow().unwrap_or(last);
    (last.to_string(), next.to_string())
}

/// Looks for people.
pub fn search(tx: &mut Tx<'_>, actor: &Actor, query: &PeopleQuery, now: Now) -> Answer<FoundPeople> {
    actor.may(Act::SeePeople)?;
    let today = now.day();
    let needle = Needle::read(&query.text, tx.vault());
    let filter = Filter::of(query, actor, today);
    let most = query.count_most.map_or(COUNTED_MOST, |most| most.clamp(1, COUNTED_MOST));
    let limit = query.limit.clamp(1, PAGE_MOST);
    let (total, more, page) = match all(tx, &needle, &filter, query.sort, most)? {
        Some(keys) => (keys.len(), false, cut(keys, query, limit)),
        None => (most, true, walk(tx, &needle, &filter, query, limit)?),
    };
    let ids: Vec<i64> = page.keys.iter().map(|key| key.id).collect();
    let rows = sql::rows(tx, &ids)?;
    let book = regions::book(tx)?;
    let cards = Cards { book: &book, today };
    let cards: Result<Vec<Card>, Fault> = rows.iter().map(|row| cards.card(row, tx.vault())).collect();
    Ok(FoundPeople {
        cards: cards?,
        total,
        more,
        offset: page.offset,
        next: page.after.then(|| page.cursor(false)).flatten(),
        prev: page.before.then(|| page.cursor(true)).flatten(),
    })
}

/// How many there are: a number, and whether there are more than that.
pub fn count(tx: &mut Tx<'_>, actor: &Actor, query: &PeopleQuery, now: Now) -> Answer<(usize, bool)> {
    actor.may(Act::SeePeople)?;
    let needle = Needle::read(&query.text, tx.vault());
    let filter = Filter::of(query, actor, now.day());
    let found = all(tx, &needle, &filter, Sort::Place, COUNTED_MOST)?;
    Ok(found.map_or((COUNTED_MOST, true), |keys| (keys.len(), false)))
}

/// Keys of all who fit, unless they are more than `most`.
fn all(
    tx: &mut Tx<'_>,
    needle: &Needle,
    filter: &Filter,
    sort: Sort,
    most: usize,
) -> Result<Option<Vec<Key>>, Fault> {
    if *needle == Needle::All && filter.everybody() && sql::count_in(tx, filter, most + 1)? > most {
        return Ok(None);
    }
    let keys = sql::collect(tx, needle, filter, sort, most + 1)?;
    Ok((keys.len() <= most).then_some(keys))
}

/// A list is longer than one may take out at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("超过 {COUNTED_MOST} 人，请先缩小范围再导出")]
pub struct TooMany;

impl Refusal for TooMany {
    fn code(&self) -> &'static str {
        "too_many"
    }
}

/// The whole list that fits a query, masked, for a file or a print. Who took it out is kept.
pub fn export(tx: &mut Tx<'_>, actor: &Actor, query: &PeopleQuery, now: Now) -> Outcome<Vec<Card>, TooMany> {
    actor.may(Act::SeePeople)?;
    let needle = Needle::read(&query.text, tx.vault());
    let filter = Filter::of(query, actor, now.day());
    let keys = all(tx, &needle, &filter, query.sort, COUNTED_MOST)?.ok_or(No::Refused(TooMany))?;
    let whole = PeopleQuery { cursor: None, ..query.clone() };
    let ids: Vec<i64> = cut(keys, &whole, COUNTED_MOST).keys.iter().map(|key| key.id).collect();
    let rows = sql::rows(tx, &ids)?;
    let book = regions::book(tx)?;
    let cards = Cards { book: &book, today: now.day() };
    let cards: Result<Vec<Card>, Fault> = rows.iter().map(|row| cards.card(row, tx.vault())).collect();
    let region = query.region.map_or(filter.scope.lo, RegionCode::number);
    let detail = json!({
        "people": rows.len(),
        "filters": {
            "living": query.living.map_or("", LivingArrangement::code),
            "ability": query.ability.map_or("", Ability::code),
            "hardship": query.hardship.map(Hardship::code),
            "state": query.state.map_or("", PersonState::code),
            "age_from": query.age_from,
            "age_to": query.age_to,
            // What was typed may be a number of somebody.
            "text": !query.text.trim().is_empty(),
        },
    });
    let subject = tx.id(now);
    tx.record(actor, now, Event { act: "people.exported", subject, region, detail, digest: None })?;
    Ok(cards?)
}

/// The keys of one page and what lies around it.
struct PageOfKeys {
    keys: Vec<Key>,
    offset: usize,
    before: bool,
    after: bool,
}

impl PageOfKeys {
    fn cursor(&self, before: bool) -> Option<Cursor> {
        let (key, offset) = if before {
            (self.keys.first()?, self.offset)
        } else {
            (self.keys.last()?, self.offset + self.keys.len())
        };
        Some(Cursor { before, offset, key: key.clone() })
    }
}

/// All matches are here: sorts them and cuts the page out.
fn cut(mut keys: Vec<Key>, query: &PeopleQuery, limit: usize) -> PageOfKeys {
    keys.sort_unstable();
    if query.sort.falls() {
        keys.reverse();
    }
    let beyond = |key: &Key, at: &Key| if query.sort.falls() { key < at } else { key > at };
    let (from, to) = match &query.cursor {
        None => (0, limit),
        Some(cursor) if cursor.before => {
            let to = keys.iter().position(|k| !beyond(&cursor.key, k)).unwrap_or(keys.len());
            (to.saturating_sub(limit), to)
        }
        Some(cursor) => {
            let from = keys.iter().position(|k| beyond(k, &cursor.key)).unwrap_or(keys.len());
            (from, from + limit)
        }
    };
    let (from, to) = (from.min(keys.len()), to.min(keys.len()));
    let after = to < keys.len();
    PageOfKeys { keys: keys.drain(from..to).collect(), offset: from, before: from > 0, after }
}

/// There are too many to hold: walks the index of the order, forwards or backwards.
fn walk(
    tx: &mut Tx<'_>,
    needle: &Needle,
    filter: &Filter,
    query: &PeopleQuery,
    limit: usize,
) -> Result<PageOfKeys, Fault> {
    let back = query.cursor.as_ref().is_some_and(|c| c.before);
    let falls = query.sort.falls() != back;
    let from = query.cursor.as_ref().map(|c| &c.key);
    let mut keys = sql::walk(tx, needle, filter, query.sort, falls, from, limit + 1)?;
    let further = keys.len() > limit;
    keys.truncate(limit);
    let offset = query.cursor.as_ref().map_or(0, |c| c.offset);
    Ok(if back {
        keys.reverse();
        let offset = if further { offset.saturating_sub(limit) } else { 0 };
        PageOfKeys { keys, offset, before: further, after: true }
    } else {
        PageOfKeys { keys, offset, before: query.cursor.is_some(), after: further }
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::store::Vault;

    #[test]
    fn an_age_is_a_span_of_birthdays() {
        let today = date(2026, 11, 21);
        assert_eq!(years_before(today, 80), ("1946-11-21".into(), "1946-11-22".into()));
        // Born on 29 February: not yet on 28 February of a common year, but on 1 March.
        assert_eq!(years_before(date(2027, 2, 28), 79).0, "1948-02-28");
        assert_eq!(years_before(date(2027, 3, 1), 79).0, "1948-03-01");
        assert_eq!(years_before(date(2028, 2, 29), 79).0, "1949-02-28");
    }

    #[test]
    fn one_box_understands_what_is_typed() {
        let vault = Vault::new(&[7; 32]);
        let read = |typed| Needle::read(typed, &vault);
        assert_eq!(read(" "), Needle::All);
        assert_eq!(read("王 秀"), Needle::Name("王秀".into()));
        assert_eq!(read("WXY"), Needle::Initials("wxy".into()));
        assert!(matches!(read("4102 9919 4002 2900 11"), Needle::IdNo(_)));
        assert!(matches!(read("138-0000-1234"), Needle::Phone(_)));
        assert!(matches!(read("001x"), Needle::Tail { .. }));
        assert!(matches!(read("1234"), Needle::Tail { .. }));
        assert_eq!(read("123456789012345"), Needle::Register(123_456_789_012_345));
    }

    #[test]
    fn a_cursor_goes_through_an_address() {
        let key = Key { text: "王·秀.英".into(), region: 410_202_001_001, id: 7 };
        let cursor = Cursor { before: true, offset: 50, key };
        assert_eq!(Cursor::parse(&cursor.to_text()), Some(cursor));
        for bad in ["", "x", "a1", "a1.2", "a1.2.x.", "王"] {
            assert_eq!(Cursor::parse(bad), None, "{bad}");
        }
    }
}
