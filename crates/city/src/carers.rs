//! The people who go to the homes.
//!
//! INVARIANT: whatever a provider may do, enough of its own carers hold valid certificates for it. The first eight carers of
//! each provider fill fixed roles for that; the rest are drawn, and some of their papers have run out.

use jiff::{ToSpan, civil::Date};

use crate::addresses;
use crate::births::{Births, Sex};
use crate::ids::{self, PhoneBlock};
use crate::names;
use crate::people::days_ago;
use crate::providers::{SimProvider, county_people};
use crate::regions::RegionTree;
use crate::rng::{Rng, Seed, Shuffle, Topic, apportion};
use crate::villages::Village;

/// One care worker.
#[derive(Debug, Clone, PartialEq)]
pub struct SimCarer {
    /// Place in the city's list, from 0; carers are ordered by provider.
    pub index: u32,
    /// Index of the employer.
    pub provider: u32,
    /// Full name.
    pub name: String,
    /// Sex.
    pub sex: Sex,
    /// Day of birth.
    pub birth: Date,
    /// Identity number, unique among carers and elders.
    pub id_no: String,
    /// Mobile number, unique.
    pub phone: String,
    /// Certificates, some expired.
    pub certificates: Vec<Certificate>,
    /// Village of the home, 12 digits.
    pub village: i64,
    /// Longitude of the home.
    pub lon: f64,
    /// Latitude of the home.
    pub lat: f64,
    /// Languages spoken.
    pub languages: Vec<Language>,
    /// When the carer works.
    pub hours: WorkHours,
    /// Hired on.
    pub hired: Date,
}

impl SimCarer {
    /// Holds a certificate that is valid on `day` and is this one or, for care workers, a higher level.
    pub fn holds(&self, skill: Skill, day: Date) -> bool {
        self.certificates.iter().any(|paper| paper.skill.satisfies(skill) && paper.valid_on(day))
    }
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// What it proves.
    pub skill: Skill,
    /// Number on it.
    pub number: String,
    /// Day of issue.
    pub issued: Date,
    /// Last day it is valid; none for those that do not expire.
    pub expires: Option<Date>,
}

impl Certificate {
    /// Whether it is valid on `day`.
    pub fn valid_on(&self, day: Date) -> bool {
        self.issued <= day && self.expires.is_none_or(|last| day <= last)
    }
}

/// What a certificate proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Skill {
    /// 养老护理员, level 5 (entry) to 1
    CareWorker(u8),
    /// 助浴培训
    Bathing,
    /// 健康证
    HealthCertificate,
    /// 急救证
    FirstAid,
    /// 注册护士
    Nurse,
    /// 康复治疗师
    RehabTherapist,
    /// 电工证
    Electrician,
    /// 理发
    Barber,
    /// 专业清洗
    Cleaning,
    /// 岗前培训
    Induction,
    /// 安全排查培训
    SafetyInduction,
    /// 探访培训
    VisitorInduction,
    /// 应急响应培训
    Responder,
    /// 社会工作者
    SocialWorker,
    /// 心理咨询
    Counsellor,
}

impl Skill {
    /// Name in `services.csv`.
    pub fn code(self) -> &'static str {
        match self {
            Skill::CareWorker(1) => "care_1",
            Skill::CareWorker(2) => "care_2",
            Skill::CareWorker(3) => "care_3",
            Skill::CareWorker(4) => "care_4",
            Skill::CareWorker(_) => "care_5",
            Skill::Bathing => "bathing",
            Skill::HealthCertificate => "health_certificate",
            Skill::FirstAid => "first_aid",
            Skill::Nurse => "nurse",
            Skill::RehabTherapist => "rehab_therapist",
            Skill::Electrician => "electrician",
            Skill::Barber => "barber",
            Skill::Cleaning => "cleaning",
            Skill::Induction => "induction",
            Skill::SafetyInduction => "safety_induction",
            Skill::VisitorInduction => "visitor_induction",
            Skill::Responder => "responder",
            Skill::SocialWorker => "social_worker",
            Skill::Counsellor => "counsellor",
        }
    }

    /// A care worker of level 3 may do what asks for level 5.
    pub fn satisfies(self, asked: Skill) -> bool {
        match (self, asked) {
            (Skill::CareWorker(has), Skill::CareWorker(asked)) => has <= asked,
            _ => self == asked,
        }
    }

    /// Years until it must be renewed.
    fn years(self) -> Option<i64> {
        match self {
            Skill::HealthCertificate => Some(1),
            Skill::FirstAid
            | Skill::Induction
            | Skill::SafetyInduction
            | Skill::VisitorInduction
            | Skill::Responder => Some(2),
            Skill::Bathing | Skill::Electrician => Some(3),
            Skill::Nurse => Some(5),
            _ => None,
        }
    }
}

/// A language a carer speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// 普通话
    Mandarin,
    /// 本地话
    Dialect,
    /// 手语
    Sign,
}

/// Weekly working time, within 8 hours a day and 44 a week; an hour of rest lies inside days longer than six hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkHours {
    /// Bit 0 Monday to bit 6 Sunday.
    pub days: u8,
    /// Minutes after midnight when the day starts.
    pub from_minute: u16,
    /// Minutes after midnight when it ends.
    pub to_minute: u16,
}

impl WorkHours {
    /// Minutes worked in a week, rest taken off.
    pub fn weekly_minutes(self) -> u32 {
        let day = u32::from(self.to_minute - self.from_minute);
        self.days.count_ones() * if day > 360 { day - 60 } else { day }
    }
}

/// One carer for so many elders.
pub const ELDERS_A_CARER: u32 = 150;
/// No city has fewer.
pub const CARERS_MIN: u32 = 40;
/// Fixed roles of a provider.
const ROLES: u32 = 8;

const fn week(days: u8, from_hour: u16, to_hour: u16) -> WorkHours {
    WorkHours { days, from_minute: from_hour * 60, to_minute: to_hour * 60 }
}

/// The patterns carers work in; the first eight are those of the fixed roles, so that every day of the week has somebody.
const WEEKS: [WorkHours; 8] = [
    week(0b001_1111, 8, 17),
    week(0b111_1100, 8, 17),
    week(0b111_1001, 8, 17),
    week(0b011_1110, 8, 17),
    week(0b101_1101, 8, 17),
    week(0b110_0111, 9, 18),
    week(0b011_1111, 8, 15),
    week(0b111_1010, 12, 21),
];

/// Hires the carers and tells every provider which are its own.
pub(crate) fn hire(
    tree: &RegionTree,
    villages: &[Village],
    providers: &mut [SimProvider],
    people: u32,
    today: Date,
    seed: Seed,
) -> Vec<SimCarer> {
    let sizes = sizes(tree, villages, providers, people);
    let mut posts = Vec::new();
    for (provider, size) in providers.iter_mut().zip(sizes) {
        let first = posts.len() as u32;
        provider.carers = first..first + size;
        for number in 0..size {
            let mut rng = seed.stream(Topic::Carers, posts.len() as u64);
            let sex = if number < ROLES { role_sex(number) } else { drawn_sex(&mut rng) };
            posts.push(Post { provider: provider.index, county: provider.county, number, sex, rng });
        }
    }
    let mut men = Queue::new(Sex::Male, &posts, today, seed);
    let mut women = Queue::new(Sex::Female, &posts, today, seed);
    let mut carers = Vec::with_capacity(posts.len());
    for post in posts {
        let birth = if post.sex == Sex::Male { men.next() } else { women.next() };
        let index = carers.len() as u32;
        let low = villages.partition_point(|village| village.code < post.county);
        let high = villages.partition_point(|village| village.code < post.county + 1_000_000);
        carers.push(carer(index, birth, post, &villages[low..high], today));
    }
    carers
}

struct Post {
    provider: u32,
    county: i64,
    number: u32,
    sex: Sex,
    rng: Rng,
}

/// Hands out births of one sex in mixed order.
struct Queue {
    births: Births,
    order: Shuffle,
    next: u32,
}

impl Queue {
    fn new(sex: Sex, posts: &[Post], today: Date, seed: Seed) -> Queue {
        let count = posts.iter().filter(|post| post.sex == sex).count() as u32;
        let order = Shuffle::new(count, seed.stream(Topic::Carers, u64::MAX - sex as u64));
        Queue { births: Births::of_carers(count, sex, today), order, next: 0 }
    }

    fn next(&mut self) -> crate::births::Birth {
        self.next += 1;
        self.births.place(self.order.of(self.next - 1))
    }
}

/// Carers of each provider: the fixed roles first, the rest where the elders are.
fn sizes(tree: &RegionTree, villages: &[Village], providers: &[SimProvider], people: u32) -> Vec<u32> {
    let wanted = (people / ELDERS_A_CARER).max(CARERS_MIN);
    let rest = wanted.saturating_sub(ROLES * providers.len() as u32);
    let elders = county_people(tree, villages);
    let weights: Vec<u64> = providers
        .iter()
        .map(|provider| {
            let county = tree.counties.iter().position(|county| county.code == provider.county);
            let sharing = providers.iter().filter(|other| other.county == provider.county).count() as u64;
            county.map_or(0, |county| elders[county] * 100 / sharing)
        })
        .collect();
    apportion(rest, &weights).into_iter().map(|more| ROLES + more).collect()
}

/// Bathing a man takes two men: the third and fourth role.
fn role_sex(number: u32) -> Sex {
    if matches!(number, 2 | 3) { Sex::Male } else { Sex::Female }
}

fn drawn_sex(rng: &mut Rng) -> Sex {
    if rng.chance(860) { Sex::Female } else { Sex::Male }
}

fn carer(index: u32, birth: crate::births::Birth, post: Post, homes: &[Village], today: Date) -> SimCarer {
    let mut rng = post.rng;
    let surname = names::surname(&mut rng);
    let home = rng.pick(homes);
    let (lon, lat) = addresses::home_point(home, &mut rng);
    let mut languages = vec![Language::Mandarin];
    if post.number < ROLES || rng.chance(880) {
        languages.push(Language::Dialect);
    }
    if rng.chance(15) {
        languages.push(Language::Sign);
    }
    let hours = if post.number < ROLES { WEEKS[post.number as usize] } else { *rng.pick(&WEEKS) };
    SimCarer {
        index,
        provider: post.provider,
        name: names::full_name(surname, birth.sex, birth.day.year(), &mut rng),
        sex: birth.sex,
        birth: birth.day,
        id_no: ids::identity_no(ids::home_area(post.county), birth),
        phone: ids::mobile(PhoneBlock::Carer, index),
        certificates: certificates(index, post.number, birth.sex, today, &mut rng),
        village: home.code,
        lon,
        lat,
        languages,
        hours,
        hired: days_ago(today, 20, 1500, &mut rng),
    }
}

/// Everybody has induction and a health certificate; roles and chance add the rest.
fn certificates(carer: u32, number: u32, sex: Sex, today: Date, rng: &mut Rng) -> Vec<Certificate> {
    let mut skills = vec![Skill::Induction, Skill::HealthCertificate];
    skills.extend(role_skills(number));
    if number >= ROLES {
        skills.extend(drawn_skills(sex, rng));
    }
    let key_role = number < ROLES;
    skills.into_iter().map(|skill| certificate(skill, carer, key_role, today, rng)).collect()
}

fn role_skills(number: u32) -> &'static [Skill] {
    use Skill::*;
    match number {
        0 => &[CareWorker(3), Bathing, FirstAid, Responder, VisitorInduction],
        1 => &[CareWorker(4), Bathing, FirstAid, Barber, VisitorInduction],
        2 => &[CareWorker(4), Bathing, FirstAid, Electrician, Responder],
        3 => &[CareWorker(5), Bathing, Cleaning, SafetyInduction],
        4 => &[Nurse, FirstAid],
        5 => &[RehabTherapist],
        6 => &[SocialWorker, Counsellor, VisitorInduction, FirstAid],
        7 => &[CareWorker(5), Cleaning, SafetyInduction, FirstAid],
        _ => &[],
    }
}

fn drawn_skills(sex: Sex, rng: &mut Rng) -> Vec<Skill> {
    let mut skills = Vec::new();
    match rng.below(1000) {
        ..520 => skills.push(Skill::CareWorker(5)),
        520..700 => skills.push(Skill::CareWorker(4)),
        700..770 => skills.push(Skill::CareWorker(3)),
        770..780 => skills.push(Skill::CareWorker(2)),
        780..830 => skills.push(Skill::Nurse),
        830..850 => skills.push(Skill::RehabTherapist),
        _ => skills.push(Skill::Cleaning),
    }
    let optional = [
        (Skill::FirstAid, 420),
        (Skill::Bathing, 300),
        (Skill::VisitorInduction, 300),
        (Skill::SafetyInduction, 140),
        (Skill::Responder, 100),
        (Skill::Barber, if sex == Sex::Female { 60 } else { 90 }),
        (Skill::Electrician, if sex == Sex::Male { 250 } else { 10 }),
        (Skill::SocialWorker, 35),
    ];
    skills
        .extend(optional.into_iter().filter(|(_, per_mille)| rng.chance(*per_mille)).map(|(skill, _)| skill));
    skills
}

/// One certificate. Key roles are always valid for half a year more; of the others 4 % have run out and 6 % soon will.
fn certificate(skill: Skill, carer: u32, key_role: bool, today: Date, rng: &mut Rng) -> Certificate {
    let number = format!("{}{carer:05}{:03}", today.year() % 100, rng.below(1000));
    let number = format!("{}-{number}", skill.code().to_uppercase().replace('_', ""));
    let Some(years) = skill.years() else {
        return Certificate { skill, number, issued: days_ago(today, 30, 3000, rng), expires: None };
    };
    let days_left = match rng.below(1000) {
        _ if key_role => rng.between(185, 364),
        ..40 => -rng.between(1, 200),
        40..100 => rng.between(0, 30),
        _ => rng.between(31, (years * 365) as i32 - 1),
    };
    let expires = today.checked_add(i64::from(days_left).days()).expect("within five years of today");
    let issued = expires
        .checked_sub(years.years())
        .and_then(|day| day.checked_add(1.days()))
        .expect("within six years of today");
    Certificate { skill, number, issued, expires: Some(expires) }
}
