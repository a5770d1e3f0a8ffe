//! Living, ability and hardship of an elder, drawn so that they agree with age, sex, place and each other.
//!
//! The rates are ours, set to give about the national picture: 8 % disabled, one in eight alone, 6 % in hardship.

use jiff::civil::Date;

use super::{Basis, Grade, Hardship, HardshipKind, Living, days_ago};
use crate::births::Sex;
use crate::rng::Rng;

/// What the life of an elder is like.
pub(crate) struct Circumstances {
    pub(crate) grade: Grade,
    pub(crate) assessed_on: Option<Date>,
    pub(crate) living: Living,
    pub(crate) hardships: Vec<Hardship>,
    /// Special hardship or an only child lost: no son or daughter to call.
    pub(crate) childless: bool,
    pub(crate) hearing_loss: bool,
    pub(crate) dialect_only: bool,
    pub(crate) smartphone: bool,
}

/// Draws them all.
pub(crate) fn circumstances(basis: &Basis, rng: &mut Rng) -> Circumstances {
    let age = basis.age();
    let grade = grade(age, rng);
    let demented = rng.chance(if grade >= Grade::Moderate { 4 * dementia(age) } else { dementia(age) / 3 });
    let living = living(basis, grade, rng);
    let assessed = rng.chance(if grade >= Grade::Moderate { 700 } else { 160 });
    // An assessment counts for about two years.
    let assessed_on = assessed.then(|| days_ago(basis.today, 5, 700, rng));
    let mut facts = Facts { basis, list: Vec::new() };
    facts.aid(rng);
    let poor = facts.list.iter().any(|fact| fact.to.is_none() && fact.kind == HardshipKind::Tekun);
    let living = if poor && matches!(living, Living::WithSpouse | Living::WithChildren) {
        Living::Alone
    } else {
        living
    };
    facts.family(living, poor, rng);
    facts.health(grade, assessed_on, demented, rng);
    let childless = poor || facts.list.iter().any(|fact| fact.kind == HardshipKind::FamilyPlanning);
    let smart = match age {
        ..70 => 680,
        70..80 => 360,
        80..90 => 90,
        _ => 15,
    };
    Circumstances {
        grade,
        assessed_on,
        living,
        hardships: facts.list,
        childless,
        hearing_loss: rng.chance(by_age(age, [60, 150, 340, 560])),
        dialect_only: rng.chance(by_age(age, [40, 110, 260, 420]) / if basis.urban { 2 } else { 1 }),
        smartphone: !demented
            && grade < Grade::Severe
            && rng.chance(if basis.urban { smart } else { smart * 3 / 5 }),
    }
}

/// Takes the entry for below 70, below 80, below 90 and above.
fn by_age<T: Copy>(age: i16, of: [T; 4]) -> T {
    of[match age {
        ..70 => 0,
        70..80 => 1,
        80..90 => 2,
        _ => 3,
    }]
}

fn grade(age: i16, rng: &mut Rng) -> Grade {
    const WEIGHTS: [[u32; 5]; 4] =
        [[905, 65, 15, 9, 6], [800, 130, 40, 18, 12], [580, 235, 100, 52, 33], [300, 280, 200, 120, 100]];
    const GRADES: [Grade; 5] = [Grade::Intact, Grade::Mild, Grade::Moderate, Grade::Severe, Grade::Complete];
    GRADES[rng.weighted(&by_age(age, WEIGHTS))]
}

/// Dementia in a thousand, before grade is looked at.
fn dementia(age: i16) -> u32 {
    by_age(age, [12, 40, 110, 180])
}

fn living(basis: &Basis, grade: Grade, rng: &mut Rng) -> Living {
    const KINDS: [Living; 8] = [
        Living::Alone,
        Living::WithSpouse,
        Living::WithChildren,
        Living::WithParents,
        Living::WithSiblings,
        Living::WithOtherRelatives,
        Living::WithNonRelatives,
        Living::InCareInstitution,
    ];
    let mut weights = by_age(
        basis.age(),
        [
            [75, 545, 340, 12, 6, 10, 4, 3],
            [125, 450, 390, 1, 6, 12, 5, 8],
            [200, 240, 500, 0, 5, 17, 6, 30],
            [130, 60, 710, 0, 2, 25, 5, 70],
        ],
    );
    // Widows are many more than widowers.
    if basis.birth.sex == Sex::Female {
        weights[1] = weights[1] * 4 / 5;
        weights[0] = weights[0] * 6 / 5;
    }
    if grade >= Grade::Severe {
        weights[0] /= 4;
        weights[7] *= 5;
    }
    KINDS[rng.weighted(&weights)]
}

struct Facts<'a> {
    basis: &'a Basis,
    list: Vec<Hardship>,
}

impl Facts<'_> {
    fn add(&mut self, kind: HardshipKind, from: Date) {
        self.list.push(Hardship { kind, from, to: None, decision_no: None });
    }

    /// Poverty aid: at most one kind holds, some had one that ended.
    fn aid(&mut self, rng: &mut Rng) {
        let rates = if self.basis.urban { [4, 15, 9, 3] } else { [14, 42, 18, 5] };
        let drawn = rng.below(1000);
        let kinds = [
            HardshipKind::Tekun,
            HardshipKind::Dibao,
            HardshipKind::DibaoBianyuan,
            HardshipKind::RigidExpense,
        ];
        let mut limit = 0;
        for (kind, rate) in kinds.into_iter().zip(rates) {
            limit += rate;
            if drawn < limit {
                let from = days_ago(self.basis.today, 400, 3600, rng);
                let ended = kind != HardshipKind::Tekun && rng.chance(80);
                let to = ended.then(|| days_ago(self.basis.today, 1, 390, rng));
                let decision_no = Some(format!("民助〔{}〕{:05}号", from.year(), rng.below(100_000)));
                self.list.push(Hardship { kind, from, to, decision_no });
                return;
            }
        }
    }

    /// Who is left with whom.
    fn family(&mut self, living: Living, poor: bool, rng: &mut Rng) {
        let today = self.basis.today;
        if !poor && self.basis.age() < 82 && rng.chance(4) {
            self.add(HardshipKind::FamilyPlanning, days_ago(today, 200, 5000, rng));
        }
        if living == Living::Alone {
            self.add(HardshipKind::Alone, days_ago(today, 60, 3000, rng));
        }
        if matches!(living, Living::Alone | Living::WithSpouse) && rng.chance(300) {
            self.add(HardshipKind::EmptyNest, days_ago(today, 60, 3000, rng));
            if !self.basis.urban && rng.chance(450) {
                self.add(HardshipKind::LeftBehind, days_ago(today, 180, 1500, rng));
            }
        }
        if self.basis.birth.sex == Sex::Male && rng.chance(14) {
            self.add(HardshipKind::Veteran, days_ago(today, 1500, 7000, rng));
        }
    }

    /// What illness did. Disability of ability needs an assessment; a diagnosis of dementia needs a doctor.
    fn health(&mut self, grade: Grade, assessed_on: Option<Date>, demented: bool, rng: &mut Rng) {
        let today = self.basis.today;
        if let (true, Some(day)) = (grade >= Grade::Moderate, assessed_on) {
            self.add(HardshipKind::DisabledAbility, day);
        }
        if demented {
            self.add(HardshipKind::Dementia, days_ago(today, 30, 2500, rng));
        }
        if rng.chance(if grade >= Grade::Severe { 260 } else { 16 }) {
            self.add(HardshipKind::SevereDisability, days_ago(today, 300, 6000, rng));
        }
    }
}
