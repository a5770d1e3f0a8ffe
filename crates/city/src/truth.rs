//! What is really so about people, carers and providers, and stands in no file.
//!
//! Stories act it out: who calls, who does not answer, who shortens visits. Afterwards the program's findings can be
//! compared with it, because here the answer is known.

use crate::people::{Distance, Grade, Living, SimPerson};
use crate::rng::{Seed, Topic};

/// How an elder behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonTruth {
    /// Calls for a service in an average month, in thousandths.
    pub calls_per_mille: u32,
    /// What they call for, most wanted first.
    pub preferred: Vec<&'static str>,
    /// What they will not accept.
    pub refuses: Option<Refusal>,
    /// Seconds until the phone is picked up.
    pub answers_after_seconds: u32,
    /// Calls answered at all, in thousandths.
    pub answers_per_mille: u32,
    /// Calls answered by the first contact, in thousandths.
    pub contact_answers_per_mille: u32,
    /// Not at home when a carer comes, in thousandths of visits.
    pub away_per_mille: u32,
    /// Cancels an order, in thousandths.
    pub cancels_per_mille: u32,
    /// Rates a service at all, in thousandths.
    pub rates_per_mille: u32,
    /// Stars usually given, 1 to 5.
    pub usual_stars: u8,
    /// Falls in a year, in thousandths.
    pub falls_per_mille_year: u32,
    /// Deaths in a year, in thousandths.
    pub dies_per_mille_year: u32,
    /// Presses an alarm by mistake in a year, in thousandths.
    pub false_alarms_per_mille_year: u32,
    /// Loses the way when out alone.
    pub wanders: bool,
    /// The grade a new assessment would find.
    pub grade_now: Grade,
}

/// What an elder will not accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Nobody unknown in the home.
    Strangers,
    /// Anything that costs money.
    Paying,
    /// Devices and cameras.
    Devices,
    /// Being bathed.
    Bathing,
    /// Giving data or a signature.
    Papers,
}

/// How a carer works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CarerTruth {
    /// Visits begun late, in thousandths.
    pub late_per_mille: u32,
    /// Minutes late when late.
    pub late_minutes: u32,
    /// Offers turned down, in thousandths.
    pub refuses_per_mille: u32,
    /// Visits not made without a word, in thousandths.
    pub no_show_per_mille: u32,
    /// Time needed against the plan, in percent.
    pub pace_percent: u32,
    /// Seconds until an offer is answered.
    pub answers_after_seconds: u32,
    /// Without network during visits: signs in later from the phone's memory.
    pub offline: bool,
    /// Whether the proof is true.
    pub honesty: Honesty,
}

/// Whether what a carer reports is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Honesty {
    /// Everything is as reported.
    Honest,
    /// Leaves early and reports the full time.
    Shortens,
    /// Signs in without going there.
    FakesSignIn,
    /// Sends old photos again.
    ReusesPhotos,
    /// Keeps the elders' cards and signs for them.
    HoldsCards,
}

/// How a provider works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProviderTruth {
    /// Minutes until an order is accepted.
    pub accepts_after_minutes: u32,
    /// Orders refused, in thousandths.
    pub refuses_per_mille: u32,
    /// Orders written after the service, in thousandths.
    pub backfills_per_mille: u32,
    /// Orders crowded into the last five days of a month, in thousandths.
    pub month_end_per_mille: u32,
}

/// What is true about an elder.
pub fn of_person(person: &SimPerson, seed: Seed) -> PersonTruth {
    let mut rng = seed.stream(Topic::PersonTruth, u64::from(person.index));
    let grade = person.grade as u32;
    let decade = u32::from(person.age.clamp(60, 109).unsigned_abs() - 60) / 10;
    let home = person.living != Living::InCareInstitution;
    let habit = rng.between(20, 320) as u32;
    let calls = if home {
        habit * (1 + decade / 2 + grade.min(3)) / if person.living == Living::Alone { 1 } else { 2 }
    } else {
        0
    };
    let hearing = if person.hearing_loss { 2 } else { 1 };
    let near = person
        .contacts
        .first()
        .map_or(0, |contact| if contact.distance == Distance::Elsewhere { 640 } else { 860 });
    let worse = rng.chance(35 + 15 * decade);
    PersonTruth {
        calls_per_mille: calls,
        preferred: preferred(person, &mut rng),
        refuses: refusal(&mut rng),
        answers_after_seconds: rng.between(4, 22) as u32 * hearing,
        answers_per_mille: (960 - 40 * decade - 60 * grade) / hearing + 20,
        contact_answers_per_mille: near + rng.below(100),
        away_per_mille: (60 / (1 + decade + grade)).max(2),
        cancels_per_mille: 15 + rng.below(40),
        rates_per_mille: if person.smartphone { 450 } else { 120 },
        usual_stars: [5, 4, 3, 2, 1][rng.weighted(&[560, 300, 100, 25, 15])],
        falls_per_mille_year: (90 + 60 * decade + 70 * grade.min(3)) * if grade == 4 { 1 } else { 2 } / 2,
        dies_per_mille_year: [8, 22, 65, 170, 350][decade.min(4) as usize] * (2 + grade) / 2,
        false_alarms_per_mille_year: 200 + rng.below(900),
        wanders: grade < 4
            && person.hardships.iter().any(|fact| fact.kind.code() == "dementia")
            && rng.chance(300),
        grade_now: if worse { worse_than(person.grade) } else { person.grade },
    }
}

fn worse_than(grade: Grade) -> Grade {
    match grade {
        Grade::Intact => Grade::Mild,
        Grade::Mild => Grade::Moderate,
        Grade::Moderate => Grade::Severe,
        Grade::Severe | Grade::Complete => Grade::Complete,
    }
}

fn preferred(person: &SimPerson, rng: &mut crate::rng::Rng) -> Vec<&'static str> {
    let wishes: &[&str] = match person.grade {
        Grade::Intact => &["B01", "A07", "D01", "B02", "C02", "E02", "B06", "A01"],
        Grade::Mild => &["A01", "B01", "C01", "D01", "B04", "A07", "C03", "D02"],
        Grade::Moderate => &["A01", "A04", "A02", "C01", "B01", "C03", "A08", "C05"],
        Grade::Severe => &["A04", "A05", "A10", "A11", "C06", "A03", "C04", "A12"],
        Grade::Complete => &["A05", "A12", "A11", "C07", "C06", "A09", "A03", "A10"],
    };
    let start = rng.below(wishes.len() as u32) as usize;
    let count = rng.between(2, 4) as usize;
    wishes.iter().cycle().skip(start).take(count).copied().collect()
}

fn refusal(rng: &mut crate::rng::Rng) -> Option<Refusal> {
    match rng.below(1000) {
        ..35 => Some(Refusal::Strangers),
        35..85 => Some(Refusal::Paying),
        85..130 => Some(Refusal::Devices),
        130..150 => Some(Refusal::Bathing),
        150..160 => Some(Refusal::Papers),
        _ => None,
    }
}

/// What is true about carer number `index`.
pub fn of_carer(index: u32, seed: Seed) -> CarerTruth {
    let mut rng = seed.stream(Topic::StaffTruth, u64::from(index));
    let unreliable = rng.chance(70);
    CarerTruth {
        late_per_mille: if unreliable { 300 } else { 20 + rng.below(60) },
        late_minutes: rng.between(6, 45) as u32,
        refuses_per_mille: if unreliable { 180 } else { 10 + rng.below(50) },
        no_show_per_mille: if unreliable { 25 } else { 2 },
        pace_percent: rng.between(85, 120) as u32,
        answers_after_seconds: rng.between(15, 480) as u32,
        offline: rng.chance(120),
        // Three in a hundred, enough that every month has cases and few enough that a finding means something.
        honesty: match rng.below(1000) {
            ..12 => Honesty::Shortens,
            12..19 => Honesty::FakesSignIn,
            19..25 => Honesty::ReusesPhotos,
            25..30 => Honesty::HoldsCards,
            _ => Honesty::Honest,
        },
    }
}

/// What is true about provider number `index`.
pub fn of_provider(index: u32, seed: Seed) -> ProviderTruth {
    // Providers share the topic with carers; their numbers lie beyond those of any carer.
    let mut rng = seed.stream(Topic::StaffTruth, (1 << 40) + u64::from(index));
    let bad = rng.chance(50);
    ProviderTruth {
        accepts_after_minutes: if rng.chance(80) {
            rng.between(31, 90) as u32
        } else {
            rng.between(2, 25) as u32
        },
        refuses_per_mille: 10 + rng.below(40),
        backfills_per_mille: if bad { 120 } else { rng.below(15) },
        month_end_per_mille: if bad { 480 } else { 150 + rng.below(80) },
    }
}
