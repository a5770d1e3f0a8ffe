//! Seeded randomness that never changes: same seed, topic and number give the same draws on every machine.
//!
//! Our own SplitMix64 and not a crate, because a library may improve its generator in a minor version and every
//! simulated city, with all the recorded stories in it, would become another one.

/// What a stream of draws is for. Each topic has its own streams, so a new draw in one never shifts another.
#[derive(Debug, Clone, Copy)]
pub enum Topic {
    /// Names and sizes of villages.
    Villages = 1,
    /// Who is born when.
    Births = 2,
    /// Everything visible about one person.
    Person = 3,
    /// What is true but not written about one person.
    PersonTruth = 4,
    /// Phones.
    Phones = 5,
    /// Bank cards.
    Cards = 6,
    /// Providers.
    Providers = 7,
    /// Carers.
    Carers = 8,
    /// What is true about carers and providers.
    StaffTruth = 9,
    /// Roads and estates of a village.
    Roads = 10,
    /// Who calls when, and how it goes on.
    Stories = 11,
    /// Who has which devices, and what is wrong with them.
    Devices = 12,
    /// What a device sends over a period.
    DeviceDays = 13,
    /// What happens to many devices at once.
    Storms = 14,
    /// Who meets whom on which day.
    Contacts = 15,
}

/// The number a whole city grows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// An independent stream for this topic and number, for instance for one person.
    pub fn stream(self, topic: Topic, number: u64) -> Rng {
        let topic = mix(self.0 ^ (topic as u64).wrapping_mul(0xD6E8_FEB8_6659_FD93));
        Rng(mix(topic ^ number.wrapping_mul(0xA076_1D64_78BD_642F)))
    }
}

/// A stream of draws (SplitMix64).
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number from 0 to `n` - 1; 0 when `n` is 0.
    pub fn below(&mut self, n: u32) -> u32 {
        (((self.bits() >> 32) * u64::from(n)) >> 32) as u32
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i32, high: i32) -> i32 {
        debug_assert!(low <= high);
        low + self.below((high - low + 1) as u32) as i32
    }

    /// True `per_mille` times in a thousand.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1000) < per_mille
    }

    /// A fraction from 0 to below 1.
    pub fn fraction(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Roughly bell-shaped around 0 with spread 1, never beyond ±3.5.
    pub fn bell(&mut self) -> f64 {
        let sum: f64 = (0..4).map(|_| self.fraction()).sum();
        (sum - 2.0) * 1.732
    }

    /// One of these. The slice must not be empty.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u32) as usize]
    }

    /// Index into `weights`, each as likely as its weight says.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (at, &weight) in weights.iter().enumerate() {
            if left < weight {
                return at;
            }
            left -= weight;
        }
        0
    }
}

/// A fixed rearrangement of 0..size in which every number appears exactly once.
///
/// This is how things are unique by construction: person 17 gets phone `shuffle.of(17)`, and no table of used numbers
/// is needed, whichever thread makes person 17. A Feistel network over the next power of four, walked until it falls
/// inside the range.
#[derive(Debug, Clone, Copy)]
pub struct Shuffle {
    size: u32,
    half_bits: u32,
    key: u64,
}

impl Shuffle {
    /// A rearrangement of 0..size; size up to 2^30.
    pub fn new(size: u32, mut rng: Rng) -> Shuffle {
        assert!(size <= 1 << 30, "a shuffle of {size} numbers is beyond what its network covers");
        let bits = 32 - size.saturating_sub(1).leading_zeros();
        Shuffle { size, half_bits: bits.div_ceil(2).max(1), key: rng.bits() }
    }

    /// Where `number` goes. `number` must be inside the range.
    pub fn of(&self, number: u32) -> u32 {
        assert!(number < self.size, "{number} is outside of a shuffle of {}", self.size);
        let mut at = self.network(number);
        while at >= self.size {
            at = self.network(at);
        }
        at
    }

    fn network(&self, number: u32) -> u32 {
        let mask = (1u32 << self.half_bits) - 1;
        let (mut left, mut right) = (number >> self.half_bits, number & mask);
        for round in 0..4u64 {
            let noise = mix(self.key ^ (u64::from(right) << 8) ^ round) as u32;
            (left, right) = (right, (left ^ noise) & mask);
        }
        (left << self.half_bits) | right
    }
}

/// Splits `total` over the weights so that the parts add up exactly; every part is within one of its fair share.
pub fn apportion(total: u32, weights: &[u64]) -> Vec<u32> {
    let sum: u64 = weights.iter().sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let share = |so_far: u64| (u128::from(total) * u128::from(so_far) / u128::from(sum)) as u32;
    let mut so_far = 0;
    weights
        .iter()
        .map(|&weight| {
            let before = share(so_far);
            so_far += weight;
            share(so_far) - before
        })
        .collect()
}

/// Scrambles 64 bits; the finaliser of SplitMix64.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_uses_every_number_once() {
        for size in [1, 2, 3, 7, 64, 65, 1000, 4097] {
            let shuffle = Shuffle::new(size, Seed(3).stream(Topic::Phones, 0));
            let mut seen = vec![false; size as usize];
            for number in 0..size {
                assert!(!std::mem::replace(&mut seen[shuffle.of(number) as usize], true));
            }
        }
    }

    #[test]
    #[should_panic(expected = "outside of a shuffle")]
    fn a_number_beyond_the_shuffle_is_refused() {
        Shuffle::new(10, Seed(3).stream(Topic::Phones, 0)).of(10);
    }

    #[test]
    fn apportioned_parts_add_up_and_stay_fair() {
        let parts = apportion(1000, &[1, 1, 1, 0, 7]);
        assert_eq!(parts, [100, 100, 100, 0, 700]);
        assert_eq!(apportion(7, &[3, 3, 3]).iter().sum::<u32>(), 7);
        assert_eq!(apportion(7, &[0, 0]), [0, 0]);
    }

    #[test]
    fn streams_of_neighbours_do_not_repeat_each_other() {
        let first = |number| Seed(1).stream(Topic::Person, number).bits();
        let mut draws: Vec<u64> = (0..10_000).map(first).collect();
        draws.sort_unstable();
        draws.dedup();
        assert_eq!(draws.len(), 10_000);
        assert_ne!(first(1), Seed(2).stream(Topic::Person, 1).bits());
        assert_ne!(first(1), Seed(1).stream(Topic::PersonTruth, 1).bits());
    }

    #[test]
    fn the_generator_never_changes() {
        // Recorded cities depend on these numbers: if this fails, every recorded story is about other people.
        let mut rng = Rng(0);
        assert_eq!(rng.bits(), 0xE220_A839_7B1D_CDAF);
        assert_eq!(rng.bits(), 0x6E78_9E6A_A1B9_65F4);
    }
}
