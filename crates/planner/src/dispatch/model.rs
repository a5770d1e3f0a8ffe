//! The small world dispatch works in: one visit, and each carer's day around it.
//!
//! Values that could be nonsense ([`Span`], [`Position`], [`Rating`]) can only be made through a constructor, so the
//! engine never meets a visit that ends before it starts or a coordinate that is not a number.

use super::terms::DAY_MINUTES;

/// Minutes since 1970-01-01 00:00 on the city's own clock. China keeps one offset all year, so this is a straight
/// line; a caller holding UTC adds the 480 minutes once.
pub type Minute = i64;

/// A carer, by any number the caller can find again; wide enough for a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CarerId(pub u128);

/// Sex as the residents' register writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sex {
    /// 男
    Male,
    /// 女
    Female,
}

/// From a minute up to, not including, a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    start: Minute,
    end: Minute,
}

impl Span {
    /// None unless `end` is later than `start` and both lie within 380 years of 1970: a year mistyped in an import
    /// must not overflow the sums made with it.
    pub fn new(start: Minute, end: Minute) -> Option<Span> {
        let sane = -200_000_000..200_000_000;
        (end > start && sane.contains(&start) && sane.contains(&end)).then_some(Span { start, end })
    }

    /// The first minute.
    pub fn start(self) -> Minute {
        self.start
    }

    /// The minute after the last.
    pub fn end(self) -> Minute {
        self.end
    }

    /// How long.
    pub fn minutes(self) -> u32 {
        u32::try_from(self.end - self.start).unwrap_or(u32::MAX)
    }

    /// The calendar days it touches, as days since 1970-01-01, first and last.
    pub fn days(self) -> (i64, i64) {
        (self.start.div_euclid(DAY_MINUTES), (self.end - 1).div_euclid(DAY_MINUTES))
    }
}

/// A point on the map in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    lon: f64,
    lat: f64,
}

impl Position {
    /// None unless both are numbers on the globe. 0,0 is refused too: it is what a phone without a fix reports.
    pub fn new(lon: f64, lat: f64) -> Option<Position> {
        let on_globe = (-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat);
        (on_globe && (lon, lat) != (0.0, 0.0)).then_some(Position { lon, lat })
    }

    /// Degrees east.
    pub fn lon(self) -> f64 {
        self.lon
    }

    /// Degrees north.
    pub fn lat(self) -> f64 {
        self.lat
    }
}

/// What elders gave a carer so far, in tenths of a star so that scores stay whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rating {
    tenths: u8,
    count: u32,
}

impl Rating {
    /// None above five stars.
    pub fn new(tenths: u8, count: u32) -> Option<Rating> {
        (tenths <= 50).then_some(Rating { tenths, count })
    }

    /// The mean, 0 to 50.
    pub fn tenths(self) -> u8 {
        self.tenths
    }

    /// How many ratings it is made of.
    pub fn count(self) -> u32 {
        self.count
    }
}

/// A certificate or ability with its days of validity, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skill {
    /// As the item asks for it, for example 助浴 or 健康证.
    pub name: String,
    /// National level, 5 (entry) to 1 (senior technician), where the skill has levels.
    pub level: Option<u8>,
    /// First valid day since 1970-01-01.
    pub valid_from: i64,
    /// Last valid day; None where it does not expire.
    pub valid_to: Option<i64>,
}

/// Work already promised to someone.
#[derive(Clone, Debug, PartialEq)]
pub struct Booking {
    /// When.
    pub span: Span,
    /// Where, if its address has a point.
    pub place: Option<Position>,
}

/// One visit looking for a carer.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Planned arrival and end.
    pub span: Span,
    /// The elder's home, if its address has a point.
    pub home: Option<Position>,
    /// Every group must be met; within a group any one skill is enough.
    pub skills: Vec<Vec<String>>,
    /// Set where the item demands a carer of the elder's sex.
    pub same_sex: Option<Sex>,
    /// The language or dialect the elder is at home in.
    pub elder_language: Option<String>,
    /// Carers the elder or a manager ruled out.
    pub blacklist: Vec<CarerId>,
    /// Carers the elder asked for.
    pub wishlist: Vec<CarerId>,
    /// Whether the item is sold for the night.
    pub night: bool,
    /// Who came last time.
    pub last_carer: Option<CarerId>,
}

/// One carer on the day of the visit.
#[derive(Clone, Debug)]
pub struct CarerDay {
    /// Must be unique among the carers handed in: it breaks ties.
    pub id: CarerId,
    /// As shown to the dispatcher.
    pub name: String,
    /// Sex.
    pub sex: Sex,
    /// Where the carer is without a booking before the visit: home, or the last known point.
    pub place: Option<Position>,
    /// The earliest minute the carer can set out from `place`: "now" for a visit today. None when the carer comes
    /// from home before the first visit, whose ride is nobody's working time.
    pub free_from: Option<Minute>,
    /// Certificates and abilities.
    pub skills: Vec<Skill>,
    /// Languages and dialects.
    pub languages: Vec<String>,
    /// Shifts around the visit; a night shift is one span across midnight. Empty on a day off.
    pub work: Vec<Span>,
    /// Bookings around the visit, in any order.
    pub bookings: Vec<Booking>,
    /// Minutes of work booked on the day of the visit, without it.
    pub minutes_today: u32,
    /// Minutes of work booked in the week of the visit, without it.
    pub minutes_week: u32,
    /// Orders the carer turned down on that day.
    pub refusals_today: u32,
    /// None before the first rating.
    pub rating: Option<Rating>,
    /// Whether the elder's region belongs to the carer's service area.
    pub region_ok: bool,
    /// Whether the carer's provider does this item at all.
    pub provider_offers: bool,
    /// Whether the provider's contract covers that day.
    pub provider_contracted: bool,
    /// On leave on that day.
    pub on_leave: bool,
}
