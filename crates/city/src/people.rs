//! The elders of the city, each as a register would hold them.

use jiff::{ToSpan, civil::Date};

use crate::births::{Birth, Sex, age_on};
use crate::ids::{self, PhoneBlock};
use crate::names;
use crate::rng::Rng;

mod facts;

pub(crate) use facts::circumstances;

/// One elder.
#[derive(Debug, Clone, PartialEq)]
pub struct SimPerson {
    /// Place in the city's list, from 0; people are ordered by where they live.
    pub index: u32,
    /// Full name.
    pub name: String,
    /// Sex.
    pub sex: Sex,
    /// Day of birth.
    pub birth: Date,
    /// Full years on the city's day.
    pub age: i16,
    /// Identity number, unique, never a real one.
    pub id_no: String,
    /// Own mobile number, unique.
    pub phone: String,
    /// Village of residence (常住), 12 digits.
    pub residence: i64,
    /// Village or county of the household register (户籍), 12 digits; mostly the residence.
    pub hukou: i64,
    /// Full address.
    pub address: String,
    /// Longitude of the home.
    pub lon: f64,
    /// Latitude of the home.
    pub lat: f64,
    /// With whom the person lives.
    pub living: Living,
    /// Hardship facts, past ones too.
    pub hardships: Vec<Hardship>,
    /// What the person can really do.
    pub grade: Grade,
    /// Day of the formal assessment that found this grade, when there was one.
    pub assessed_on: Option<Date>,
    /// Hears badly: calls need patience, bells may be missed.
    pub hearing_loss: bool,
    /// Speaks dialect only.
    pub dialect_only: bool,
    /// Has a smartphone and can use it.
    pub smartphone: bool,
    /// One to three people to call, the first one first.
    pub contacts: Vec<Contact>,
    /// Own debit card, for those who have one.
    pub bank_card: Option<String>,
}

impl SimPerson {
    /// The categories that hold on `day`.
    pub fn hardships_on(&self, day: Date) -> impl Iterator<Item = HardshipKind> + '_ {
        self.hardships.iter().filter(move |fact| fact.holds_on(day)).map(|fact| fact.kind)
    }
}

/// With whom an elder lives (GB/T 42195 Annex A).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Living {
    /// 独居
    Alone,
    /// 与配偶
    WithSpouse,
    /// 与子女
    WithChildren,
    /// 与父母
    WithParents,
    /// 与兄弟姐妹
    WithSiblings,
    /// 与其他亲属
    WithOtherRelatives,
    /// 与非亲属
    WithNonRelatives,
    /// 养老机构
    InCareInstitution,
}

impl Living {
    /// Name in city packs and interfaces.
    pub fn code(self) -> &'static str {
        match self {
            Living::Alone => "alone",
            Living::WithSpouse => "with_spouse",
            Living::WithChildren => "with_children",
            Living::WithParents => "with_parents",
            Living::WithSiblings => "with_siblings",
            Living::WithOtherRelatives => "with_other_relatives",
            Living::WithNonRelatives => "with_non_relatives",
            Living::InCareInstitution => "in_care_institution",
        }
    }
}

/// Ability grade (GB/T 42195), best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grade {
    /// 能力完好
    Intact,
    /// 轻度失能
    Mild,
    /// 中度失能
    Moderate,
    /// 重度失能
    Severe,
    /// 完全失能
    Complete,
}

impl Grade {
    /// Name in city packs and interfaces.
    pub fn code(self) -> &'static str {
        match self {
            Grade::Intact => "intact",
            Grade::Mild => "mild",
            Grade::Moderate => "moderate",
            Grade::Severe => "severe",
            Grade::Complete => "complete",
        }
    }
}

/// A hardship category that holds for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hardship {
    /// Category.
    pub kind: HardshipKind,
    /// First day.
    pub from: Date,
    /// Last day, when it ended.
    pub to: Option<Date>,
    /// Number of the decision, for categories an office decides.
    pub decision_no: Option<String>,
}

impl Hardship {
    /// Whether the category holds on `day`.
    pub fn holds_on(&self, day: Date) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }
}

/// Hardship categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HardshipKind {
    /// 特困
    Tekun,
    /// 低保
    Dibao,
    /// 低保边缘
    DibaoBianyuan,
    /// 刚性支出困难
    RigidExpense,
    /// 计划生育特殊家庭
    FamilyPlanning,
    /// 独居
    Alone,
    /// 空巢
    EmptyNest,
    /// 留守
    LeftBehind,
    /// 失能
    DisabledAbility,
    /// 失智
    Dementia,
    /// 重残
    SevereDisability,
    /// 优抚
    Veteran,
}

impl HardshipKind {
    /// Name in city packs and interfaces.
    pub fn code(self) -> &'static str {
        match self {
            HardshipKind::Tekun => "tekun",
            HardshipKind::Dibao => "dibao",
            HardshipKind::DibaoBianyuan => "dibao_bianyuan",
            HardshipKind::RigidExpense => "rigid_expense",
            HardshipKind::FamilyPlanning => "family_planning_special",
            HardshipKind::Alone => "alone",
            HardshipKind::EmptyNest => "empty_nest",
            HardshipKind::LeftBehind => "left_behind",
            HardshipKind::DisabledAbility => "disabled_ability",
            HardshipKind::Dementia => "dementia",
            HardshipKind::SevereDisability => "severe_disability",
            HardshipKind::Veteran => "veteran_benefit",
        }
    }
}

/// Somebody to call for an elder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Full name.
    pub name: String,
    /// Who they are to the elder.
    pub relation: Relation,
    /// Mobile number, unique.
    pub phone: String,
    /// How far they live.
    pub distance: Distance,
}

/// Who a contact is to the elder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// 配偶
    Spouse,
    /// 儿子
    Son,
    /// 女儿
    Daughter,
    /// 儿媳
    DaughterInLaw,
    /// 孙辈
    Grandchild,
    /// 侄甥
    Nephew,
    /// 邻居
    Neighbour,
    /// 村（社区）干部
    Cadre,
}

impl Relation {
    /// Name in interfaces.
    pub fn code(self) -> &'static str {
        match self {
            Relation::Spouse => "spouse",
            Relation::Son => "son",
            Relation::Daughter => "daughter",
            Relation::DaughterInLaw => "daughter_in_law",
            Relation::Grandchild => "grandchild",
            Relation::Nephew => "nephew",
            Relation::Neighbour => "neighbour",
            Relation::Cadre => "cadre",
        }
    }

    /// What a social worker writes.
    pub fn zh(self) -> &'static str {
        match self {
            Relation::Spouse => "配偶",
            Relation::Son => "儿子",
            Relation::Daughter => "女儿",
            Relation::DaughterInLaw => "儿媳",
            Relation::Grandchild => "孙辈",
            Relation::Nephew => "侄甥",
            Relation::Neighbour => "邻居",
            Relation::Cadre => "村（社区）干部",
        }
    }
}

/// How far a contact lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Distance {
    /// In the same home.
    SameHouse,
    /// In the same city.
    SameCity,
    /// Elsewhere.
    Elsewhere,
}

/// What the facts of a person hang on.
pub(crate) struct Basis {
    pub(crate) birth: Birth,
    pub(crate) urban: bool,
    pub(crate) today: Date,
}

/// Name of the elder, with the surname kept apart because sons share it.
pub(crate) fn name(birth: Birth, rng: &mut Rng) -> (&'static str, String) {
    let surname = names::surname(rng);
    (surname, names::full_name(surname, birth.sex, birth.day.year(), rng))
}

/// One to three contacts that fit the way the elder lives. `phone` is the elder's number in each contact block.
pub(crate) fn contacts(
    basis: &Basis,
    surname: &str,
    living: Living,
    childless: bool,
    phone: u32,
    rng: &mut Rng,
) -> Vec<Contact> {
    let blocks = [PhoneBlock::FirstContact, PhoneBlock::SecondContact, PhoneBlock::ThirdContact];
    let count = 1 + rng.weighted(&[150, 600, 250]);
    // A woman's children bear her husband's surname.
    let family = if basis.birth.sex == Sex::Male { surname } else { names::surname(rng) };
    let mut list: Vec<Contact> = Vec::with_capacity(count);
    for (at, block) in blocks.into_iter().take(count).enumerate() {
        // A shift within the block keeps numbers unique and unlike the elder's own.
        let phone = (phone + 2_718_281 * (at as u32 + 1)) % ids::PHONES_A_BLOCK;
        let mut relation = relation(living, childless, list.len(), rng);
        if relation == Relation::Spouse && list.iter().any(|other| other.relation == Relation::Spouse) {
            relation = Relation::Daughter;
        }
        list.push(contact(basis, family, living, relation, ids::mobile(block, phone), rng));
    }
    list
}

fn relation(living: Living, childless: bool, at: usize, rng: &mut Rng) -> Relation {
    if childless {
        return [Relation::Nephew, Relation::Neighbour, Relation::Cadre][rng.weighted(&[40, 30, 30])];
    }
    if at == 0 && living == Living::WithSpouse && rng.chance(550) {
        return Relation::Spouse;
    }
    const FAMILY: [Relation; 6] = [
        Relation::Son,
        Relation::Daughter,
        Relation::DaughterInLaw,
        Relation::Grandchild,
        Relation::Neighbour,
        Relation::Cadre,
    ];
    FAMILY[rng.weighted(&[430, 340, 90, 60, 60, 20])]
}

fn contact(
    basis: &Basis,
    family: &str,
    living: Living,
    relation: Relation,
    phone: String,
    rng: &mut Rng,
) -> Contact {
    let elder_year = i32::from(basis.birth.day.year());
    let (sex, year) = match relation {
        Relation::Spouse if basis.birth.sex == Sex::Male => (Sex::Female, elder_year + rng.between(-2, 5)),
        Relation::Spouse => (Sex::Male, elder_year - rng.between(-2, 5)),
        Relation::Son => (Sex::Male, elder_year + rng.between(21, 34)),
        Relation::Daughter => (Sex::Female, elder_year + rng.between(20, 33)),
        Relation::DaughterInLaw => (Sex::Female, elder_year + rng.between(22, 36)),
        Relation::Grandchild => (either(rng), elder_year + rng.between(45, 56)),
        Relation::Nephew => (either(rng), elder_year + rng.between(15, 32)),
        Relation::Neighbour | Relation::Cadre => {
            (either(rng), i32::from(basis.today.year()) - rng.between(35, 68))
        }
    };
    // Nobody below twenty answers for an elder.
    let year = year.min(i32::from(basis.today.year()) - 20) as i16;
    let shares_surname = match relation {
        Relation::Son | Relation::Daughter | Relation::Nephew => true,
        Relation::Spouse => basis.birth.sex == Sex::Female,
        Relation::Grandchild => rng.chance(700),
        Relation::DaughterInLaw | Relation::Neighbour | Relation::Cadre => false,
    };
    let surname = if shares_surname { family } else { names::surname(rng) };
    let distance = match relation {
        Relation::Spouse => Distance::SameHouse,
        Relation::Neighbour | Relation::Cadre => Distance::SameCity,
        _ if living == Living::WithChildren && rng.chance(600) => Distance::SameHouse,
        _ if rng.chance(if basis.urban { 700 } else { 520 }) => Distance::SameCity,
        _ => Distance::Elsewhere,
    };
    Contact { name: names::full_name(surname, sex, year, rng), relation, phone, distance }
}

fn either(rng: &mut Rng) -> Sex {
    if rng.chance(500) { Sex::Male } else { Sex::Female }
}

/// A day between `least` and `most` days before `today`.
pub(crate) fn days_ago(today: Date, least: i32, most: i32, rng: &mut Rng) -> Date {
    today
        .checked_sub(i64::from(rng.between(least, most)).days())
        .expect("some years ago is still in the calendar")
}

impl Basis {
    /// Full years today.
    pub(crate) fn age(&self) -> i16 {
        age_on(self.birth.day, self.today)
    }
}
