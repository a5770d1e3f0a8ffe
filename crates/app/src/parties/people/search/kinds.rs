//! Which kinds of people a list is narrowed to.
//!
//! `person.kind` is one number for state, ability, living arrangement and hardships, which the database computes from the
//! row (see the first migration); a city of a million has about a thousand different ones. Whoever looks for the rare ones
//! finds which of these numbers fit, and then the people of just those in an index.

use domain::parties::{Ability, Hardship, LivingArrangement, PersonState};

/// Where each word lies in the number: the value of one step, and of all bits.
const STATE: (i64, i64) = (1, 0b111);
const ABILITY: (i64, i64) = (8, 0b111);
const LIVING: (i64, i64) = (64, 0b1111);
/// The first bit of the hardships.
const HARDSHIPS: i64 = 1024;

/// Bits that must be as wanted, and bits of which one must be set (0: it does not matter).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Kinds {
    pub(super) mask: i64,
    pub(super) want: i64,
    pub(super) any: i64,
}

impl Kinds {
    pub(super) fn of(
        state: Option<PersonState>,
        ability: Option<Ability>,
        living: Option<LivingArrangement>,
        hardship: Option<Hardship>,
    ) -> Kinds {
        let mut kinds = Kinds { any: hardship.map_or(0, Hardship::bit) * HARDSHIPS, ..Kinds::default() };
        // Ability and living arrangement may be unknown, which is 0.
        kinds.must(STATE, state.map(|s| place(PersonState::ALL, s)));
        kinds.must(ABILITY, ability.map(|a| place(Ability::ALL, a) + 1));
        kinds.must(LIVING, living.map(|l| place(&LivingArrangement::ALL, l) + 1));
        kinds
    }

    fn must(&mut self, (step, bits): (i64, i64), word: Option<i64>) {
        if let Some(word) = word {
            self.mask += bits * step;
            self.want += word * step;
        }
    }

    /// Whether everybody fits.
    pub(super) fn all(self) -> bool {
        self == Kinds::default()
    }
}

fn place<T: PartialEq>(all: &[T], one: T) -> i64 {
    all.iter().position(|other| *other == one).expect("a word stands in the list of its words") as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wish_has_its_own_bits() {
        assert!(Kinds::of(None, None, None, None).all());
        let kinds = Kinds::of(
            Some(PersonState::Missing),
            Some(Ability::Intact),
            Some(LivingArrangement::Alone),
            Some(Hardship::Dibao),
        );
        assert_eq!(kinds, Kinds { mask: 0b11_1111_1111, want: 4 + 8 + 64, any: 2 * 1024 });
        // On the register is a wish too, though its number is 0.
        assert!(!Kinds::of(Some(PersonState::Active), None, None, None).all());
    }
}
