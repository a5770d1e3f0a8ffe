//! How one call or wish goes on: from the ring to the payment, step by step.
//!
//! A story knows who it is about and what will happen if nobody interferes; it never acts. Whoever tells it (the history
//! of the first fourteen days, the living city afterwards) does a step, says how it went, and is told what comes next
//! and when. INVARIANT: the same seed and number make the same story.

use domain::{
    orders::CancelReason,
    time::{At, Day},
};
use jiff::civil::time;

use crate::{
    City, SimPerson,
    people::{Grade, HardshipKind, Living},
    rng::{Rng, Seed, Topic},
    truth::CarerTruth,
};

/// Something somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// The telephone rings.
    Ring,
    /// An operator picks up.
    Answer,
    /// The wish becomes an order.
    Place,
    /// The operator ends the call.
    HangUp,
    /// The dispatcher offers the order.
    Assign,
    /// The carer takes it.
    Accept,
    /// The carer gives it back.
    Decline,
    /// The order is called off.
    Cancel,
    /// The visit begins.
    CheckIn,
    /// The visit ends.
    CheckOut,
    /// The elder says how it was.
    Confirm,
    /// The elder gives stars.
    Rate,
    /// The order is settled.
    Settle,
    /// A second person is asked to let an order be settled that the elder did not accept.
    AskException,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Went {
    /// As wished.
    Well,
    /// Offered to this carer; `at_once` when the carer takes whatever the roster gives.
    Offered {
        /// How the carer works.
        carer: CarerTruth,
        /// No answer is needed.
        at_once: bool,
    },
    /// Refused in words, or somebody else was faster.
    Not,
}

/// What a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// A service.
    Service,
    /// A question that is answered at once.
    Question,
    /// A wrong number.
    Nothing,
}

/// How fast things happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As in life.
    Life,
    /// Offices answer within a minute or two, so that a visitor sees the end of what began.
    Watched,
}

/// One call or wish.
#[derive(Debug, Clone)]
pub struct Story {
    /// Its number; also the telephone system's.
    pub number: u64,
    /// Index of the elder.
    pub person: u32,
    /// The number that calls; none when somebody came to an office.
    pub caller: Option<String>,
    /// What it is about.
    pub wish: Wish,
    /// Service item.
    pub service: &'static str,
    /// When the carer should come.
    pub start: At,
    /// Words for the carer.
    pub note: &'static str,
    /// When it begins.
    pub begins: At,
    /// Planned length of the visit.
    pub minutes: i64,
    /// The elder agrees on the spot that all was well.
    pub on_the_spot: bool,
    /// The elder is content.
    pub satisfied: bool,
    /// Stars the elder gives.
    pub stars: Option<u8>,
    /// When the visit really began and ended, once it has.
    pub visit: Option<(At, At)>,
    /// The carer had no network: the record comes hours later.
    pub offline: bool,
    /// The order is called off before the visit.
    pub cancels: Option<CancelReason>,
    pace: Pace,
    offers: u32,
    rng: Rng,
}

/// Short services with their length: in a watched city a visit should end while somebody watches.
const SHORT: [(&str, i64); 6] =
    [("A01", 20), ("C03", 20), ("C04", 15), ("A08", 20), ("E01", 20), ("D03", 30)];

/// What is wished for over a fortnight.
const USUAL: [(&str, i64); 14] = [
    ("A01", 20),
    ("A02", 60),
    ("A05", 60),
    ("A06", 30),
    ("A07", 30),
    ("A08", 20),
    ("B01", 60),
    ("B04", 60),
    ("C02", 60),
    ("C03", 20),
    ("C06", 40),
    ("D01", 60),
    ("E01", 20),
    ("E02", 60),
];

const NOTES: [&str; 7] =
    ["", "", "", "耳背，敲门重一些", "门口有狗，先打电话", "家属周末在家", "住二楼，楼道没有灯"];

impl Story {
    /// A story that begins now and is watched.
    pub fn watched(city: &City, number: u64, near: &std::ops::Range<u32>, now: At) -> Story {
        let mut rng = Seed(city.spec.seed).stream(Topic::Stories, number);
        let (service, minutes) = *rng.pick(&SHORT);
        let start = if rng.chance(700) {
            // Half an hour is a carer's longest ride inside a county.
            daytime(now.plus_minutes(30 + i64::from(rng.below(10))))
        } else {
            slot(now.day(), rng.between(1, 3), &mut rng)
        };
        let mut story = Story::new(city, number, near, (now, start, service, minutes), rng);
        story.pace = Pace::Watched;
        story
    }

    /// A story of the past that led (or leads) to a visit on this day.
    pub fn past(city: &City, number: u64, near: &std::ops::Range<u32>, day: Day) -> Story {
        let mut rng = Seed(city.spec.seed).stream(Topic::Stories, number);
        let (service, minutes) = *rng.pick(&USUAL);
        let start = slot(day, 0, &mut rng);
        let begins = start.plus_minutes(-i64::from(rng.between(50, 1_600)));
        Story::new(city, number, near, (begins, start, service, minutes), rng)
    }

    /// The rest of an order that is found, by where it stands: its elder is not looked up, only drawn.
    pub fn found(city: &City, number: u64, start: At, minutes: i64, now: At) -> Story {
        let rng = Seed(city.spec.seed).stream(Topic::Stories, number);
        let mut story = Story::new(city, number, &(0..city.spec.people), (now, start, "", minutes), rng);
        story.pace = Pace::Watched;
        story.cancels = None;
        story
    }

    fn new(
        city: &City,
        number: u64,
        near: &std::ops::Range<u32>,
        (begins, start, service, minutes): (At, At, &'static str, i64),
        mut rng: Rng,
    ) -> Story {
        let person = elder(city, near, &mut rng);
        let truth = city.truth(&person);
        let kind = rng.below(1000);
        let wish = match kind {
            ..60 => Wish::Nothing,
            60..150 => Wish::Question,
            _ => Wish::Service,
        };
        let caller = caller(&person, wish, &mut rng);
        let reasons = [CancelReason::Elder, CancelReason::Family, CancelReason::Absent];
        Story {
            number,
            person: person.index,
            caller: Some(caller),
            wish,
            service,
            start,
            note: NOTES[rng.below(NOTES.len() as u32) as usize],
            begins,
            minutes,
            on_the_spot: rng.chance(450),
            satisfied: rng.chance(965),
            stars: rng.chance(truth.rates_per_mille.max(500)).then_some(truth.usual_stars),
            visit: None,
            offline: false,
            cancels: rng.chance(truth.cancels_per_mille).then(|| *rng.pick(&reasons)),
            pace: Pace::Life,
            offers: 0,
            rng,
        }
    }

    /// Somebody came to an office instead of calling.
    #[must_use]
    pub fn at_the_office(mut self) -> Story {
        self.caller = None;
        self.wish = Wish::Service;
        self
    }

    /// What happens first, and when.
    pub fn first(&self) -> (At, Step) {
        (self.begins, if self.caller.is_some() { Step::Ring } else { Step::Place })
    }

    /// What happens after a step, and when.
    pub fn next(&mut self, step: Step, went: Went, at: At) -> Vec<(At, Step)> {
        match (step, went) {
            (Step::Ring, Went::Well) => vec![(self.answered(at), Step::Answer)],
            (Step::Answer, Went::Well) => vec![self.talked(at)],
            (Step::Place, Went::Well) => {
                let mut next = vec![(at.plus_seconds(self.seconds((90, 900), (20, 60))), Step::Assign)];
                next.extend(self.caller.is_some().then(|| (at.plus_seconds(9), Step::HangUp)));
                next
            }
            (Step::Place, _) => {
                self.caller.is_some().then(|| (at.plus_seconds(20), Step::HangUp)).into_iter().collect()
            }
            (Step::Assign, Went::Offered { carer, at_once }) => vec![self.offered(carer, at_once, at)],
            (Step::Assign | Step::Decline, _) => self.asked_again(at),
            (Step::Accept, Went::Well) => self.accepted(at),
            (Step::CheckIn, Went::Well) => {
                self.visit.map(|(_, out)| (out.max(at.plus_seconds(2)), Step::CheckOut)).into_iter().collect()
            }
            (Step::CheckOut, Went::Well) => self.served(at),
            (Step::Confirm, Went::Well) if self.satisfied => self.content(at),
            // Some providers ask to be paid all the same; a second person decides.
            (Step::Confirm, Went::Well) if self.number.is_multiple_of(3) => {
                vec![(daytime(at.plus_seconds(self.seconds((3_000, 90_000), (60, 300)))), Step::AskException)]
            }
            _ => Vec::new(),
        }
    }

    fn answered(&mut self, at: At) -> At {
        // A visitor at the hotline desk should have the first chance to pick up.
        at.plus_seconds(self.seconds((4, 14), (20, 45)))
    }

    fn talked(&mut self, at: At) -> (At, Step) {
        let talk = at.plus_seconds(self.seconds((50, 240), (20, 70)));
        (talk, if self.wish == Wish::Service { Step::Place } else { Step::HangUp })
    }

    /// Nobody can come: the dispatcher tries twice more. Then the order is called off, or, where somebody watches, waits
    /// for a person.
    fn asked_again(&mut self, at: At) -> Vec<(At, Step)> {
        self.offers += 1;
        if self.offers < 3 {
            return vec![(at.plus_seconds(self.seconds((120, 900), (30, 90))), Step::Assign)];
        }
        if self.pace == Pace::Watched {
            return Vec::new();
        }
        self.cancels = Some(CancelReason::NoCarer);
        vec![(at.plus_seconds(self.seconds((1_800, 7_200), (0, 0))), Step::Cancel)]
    }

    fn offered(&mut self, carer: CarerTruth, at_once: bool, at: At) -> (At, Step) {
        self.offline = carer.offline && self.pace == Pace::Life;
        let late = if self.rng.chance(carer.late_per_mille) { i64::from(carer.late_minutes) } else { 0 };
        let early = i64::from(self.rng.between(-4, 8));
        let early = if self.pace == Pace::Watched { i64::from(self.rng.between(5, 25)) } else { early };
        let begun = self.start.plus_minutes(if late > 0 { late } else { -early });
        let length = (self.minutes * i64::from(carer.pace_percent) / 100).max(1);
        self.visit = Some((begun, begun.plus_minutes(length)));
        let answer = i64::from(carer.answers_after_seconds);
        let answer = if self.pace == Pace::Watched { 5 + answer / 8 } else { answer };
        match self.rng.chance(carer.refuses_per_mille) {
            _ if at_once => (at.plus_seconds(1), Step::Accept),
            true => (at.plus_seconds(answer), Step::Decline),
            false => (at.plus_seconds(answer), Step::Accept),
        }
    }

    fn accepted(&mut self, at: At) -> Vec<(At, Step)> {
        let Some((begun, ended)) = self.visit else { return Vec::new() };
        if self.cancels.is_some() {
            let before = self.start.plus_minutes(-i64::from(self.rng.between(20, 200)));
            return vec![(before.max(at.plus_seconds(30)), Step::Cancel)];
        }
        // A record made without network reaches the server hours after the visit.
        let shown =
            if self.offline { ended.plus_minutes(i64::from(self.rng.between(60, 420))) } else { begun };
        vec![(shown.max(at.plus_seconds(5)), Step::CheckIn)]
    }

    fn served(&mut self, at: At) -> Vec<(At, Step)> {
        if self.on_the_spot && self.satisfied {
            return self.content(at);
        }
        let call_back = at.plus_seconds(self.seconds((1_200, 90_000), (40, 150)));
        vec![(if self.pace == Pace::Life { daytime(call_back) } else { call_back }, Step::Confirm)]
    }

    fn content(&mut self, at: At) -> Vec<(At, Step)> {
        let settle = at.plus_seconds(self.seconds((3_600, 130_000), (60, 240)));
        let mut next = vec![(if self.pace == Pace::Life { daytime(settle) } else { settle }, Step::Settle)];
        let rated = at.plus_seconds(self.seconds((30, 1_800), (10, 40)));
        next.extend(self.stars.map(|_| (rated, Step::Rate)));
        next
    }

    /// Seconds drawn from the range of the pace.
    fn seconds(&mut self, life: (i32, i32), watched: (i32, i32)) -> i64 {
        let (low, high) = if self.pace == Pace::Life { life } else { watched };
        i64::from(self.rng.between(low, high))
    }
}

/// Half of those who call live where the personas work, so that every desk has something to show.
fn elder(city: &City, near: &std::ops::Range<u32>, rng: &mut Rng) -> SimPerson {
    let draw = |rng: &mut Rng| {
        let (from, count) = if rng.chance(500) && !near.is_empty() {
            (near.start, near.end - near.start)
        } else {
            (0, city.spec.people)
        };
        city.person(from + rng.below(count))
    };
    // Those whom the city helps call more than half of the time: the hotline was set up for them.
    if rng.chance(550)
        && let Some(person) =
            (0..HELPED_DRAWS).map(|_| draw(rng)).find(|person| helped(person, city.spec.today))
    {
        return person;
    }
    // Of the others, who calls more is drawn more: of a few at random, the one with the strongest habit.
    let few = [draw(rng), draw(rng), draw(rng)];
    few.into_iter().max_by_key(|person| city.truth(person).calls_per_mille).expect("three were drawn")
}

/// About one elder in a hundred is helped.
const HELPED_DRAWS: u32 = 250;

/// Whether a city's programmes are made for somebody like this.
fn helped(person: &SimPerson, today: Day) -> bool {
    use HardshipKind::{Dibao, DibaoBianyuan, Tekun};
    let poor = person.hardships_on(today).any(|kind| matches!(kind, Tekun | Dibao | DibaoBianyuan));
    let frail = person.grade >= Grade::Moderate && person.assessed_on.is_some();
    poor && (person.age >= 80 || frail) && person.living != Living::InCareInstitution
}

fn caller(person: &SimPerson, wish: Wish, rng: &mut Rng) -> String {
    if wish == Wish::Nothing {
        // A block of numbers that nobody in the city has either.
        return format!("1697{:07}", rng.below(10_000_000));
    }
    match person.contacts.first() {
        Some(contact) if rng.chance(180) => contact.phone.clone(),
        _ => person.phone.clone(),
    }
}

/// A time when homes are visited, so many days after a day.
fn slot(day: Day, days: i32, rng: &mut Rng) -> At {
    let mut on = day;
    for _ in 0..days {
        on = on.tomorrow().expect("years stay far below the calendar's end");
    }
    let quarter = rng.between(33, 62);
    let time = time((quarter / 4) as i8, (quarter % 4 * 15) as i8, 0, 0);
    At::from_local(on.to_datetime(time))
}

/// The instant itself by day, the next morning by night.
fn daytime(at: At) -> At {
    let local = at.local();
    let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
    let morning = At::from_local(local.date().to_datetime(time(8, 10, 0, 0)));
    match minute {
        ..480 => morning.plus_minutes(minute % 40),
        480..1_020 => at,
        _ => morning.plus_minutes(24 * 60 + minute % 40),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;

    use super::*;
    use crate::{CitySpec, REGIONS};

    fn city() -> City {
        City::build(CitySpec::kaifeng(7, 300, date(2026, 11, 21)), REGIONS).unwrap()
    }

    /// Tells a story in which everything is done as wished.
    fn told(city: &City, mut story: Story) -> Vec<(At, Step)> {
        let carer = CarerTruth { refuses_per_mille: 0, ..city.carer_truth(&city.carers[0]) };
        let mut agenda = BTreeSet::from([story.first()]);
        let mut done = Vec::new();
        while let Some((at, step)) = agenda.pop_first() {
            done.push((at, step));
            assert!(done.len() < 20, "{done:?}");
            let went =
                if step == Step::Assign { Went::Offered { carer, at_once: false } } else { Went::Well };
            for next in story.next(step, went, at) {
                assert!(next.0 > at, "{next:?} after {at:?} {step:?}");
                agenda.insert(next);
            }
        }
        done
    }

    #[test]
    fn the_same_number_tells_the_same_story() {
        let city = city();
        for number in 0..50 {
            let day = date(2026, 11, 10);
            let tell = || told(&city, Story::past(&city, number, &city.near(), day));
            assert_eq!(tell(), tell());
        }
    }

    #[test]
    fn a_story_ends_with_payment_a_cancellation_or_the_end_of_a_call() {
        let city = city();
        let mut ends = BTreeSet::new();
        for number in 0..400 {
            let story = Story::past(&city, number, &city.near(), date(2026, 11, 10));
            let (satisfied, wish) = (story.satisfied, story.wish);
            let done = told(&city, story);
            let has = |step| done.iter().any(|(_, s)| *s == step);
            assert!(has(Step::HangUp), "who called hangs up");
            assert_eq!(has(Step::Place), wish == Wish::Service);
            let ends_well = has(Step::Settle) || has(Step::Cancel) || !satisfied;
            assert_eq!(has(Step::Place), ends_well && wish == Wish::Service, "{done:?}");
            assert!(!(has(Step::Cancel) && has(Step::CheckIn)));
            ends.extend(done.last().map(|(_, step)| *step));
        }
        assert!(
            ends.contains(&Step::Cancel) && ends.contains(&Step::Settle) && ends.contains(&Step::Confirm)
        );
    }

    #[test]
    fn an_order_nobody_can_take_is_called_off_or_waits_for_a_person() {
        let city = city();
        let story = Story::past(&city, 3, &city.near(), date(2026, 11, 10)).at_the_office();
        assert_eq!(story.first().1, Step::Place);
        assert_eq!(refused(story), (Step::Cancel, 3));
        let now = At::parse("2026-11-21T10:00").unwrap();
        assert_eq!(refused(Story::watched(&city, 3, &city.near(), now).at_the_office()), (Step::Assign, 3));
    }

    /// The last step of a story in which nobody can come, and how often somebody was asked.
    fn refused(mut story: Story) -> (Step, i32) {
        let (mut at, mut step) = story.first();
        let mut asked = 0;
        loop {
            let went = if step == Step::Assign { Went::Not } else { Went::Well };
            asked += i32::from(step == Step::Assign);
            match story.next(step, went, at).first() {
                Some(next) => (at, step) = *next,
                None => break,
            }
        }
        (step, asked)
    }

    #[test]
    fn a_watched_story_has_its_visit_soon_or_on_a_later_day() {
        let city = city();
        let now = At::parse("2026-11-21T10:00").unwrap();
        let stories = (0..200).map(|n| Story::watched(&city, n, &city.near(), now));
        let soon = stories.filter(|s| s.start.minutes_since(now) < 45).count();
        assert!((100..180).contains(&soon), "{soon}");
        let night = At::parse("2026-11-21T23:30").unwrap();
        let story = Story::watched(&city, 5, &city.near(), night);
        assert!((8..18).contains(&story.start.local().hour()), "{}", story.start);
    }
}
