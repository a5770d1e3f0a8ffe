//! Money and hours as integers. A yuan is 100 fen; nothing is ever a float.

use std::{
    fmt,
    iter::Sum,
    ops::{Add, Neg, Sub},
};

use serde::{Deserialize, Serialize};

/// An amount of money in fen.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fen(pub i64);

impl Fen {
    /// No money.
    pub const ZERO: Fen = Fen(0);

    /// Reads what a person types: `12`, `12.5`, `¥1,234.50`. More than two decimals or a sign is refused.
    pub fn parse(text: &str) -> Option<Fen> {
        let clean: String = text.trim().trim_start_matches(['¥', '￥']).replace(',', "");
        let (yuan, fen) = clean.split_once('.').unwrap_or((&clean, ""));
        if fen.len() > 2 || !yuan.chars().chain(fen.chars()).all(|c| c.is_ascii_digit()) || yuan.is_empty() {
            return None;
        }
        let yuan: i64 = yuan.parse().ok()?;
        let fen: i64 = format!("{fen:0<2}").parse().ok()?;
        yuan.checked_mul(100)?.checked_add(fen).map(Fen)
    }

    /// Splits an amount by whole-number weights so that the parts add up to the fen (largest remainder, ties to the
    /// first). Source: our rule, used wherever several funders share a price.
    ///
    /// # Panics
    /// When the weights are empty, negative or all zero: a split without a funder is a fault in the pack.
    pub fn split(self, weights: &[i64]) -> Vec<Fen> {
        let total: i128 = weights.iter().map(|w| i128::from(*w)).sum();
        assert!(total > 0 && weights.iter().all(|w| *w >= 0), "a split needs a positive weight");
        let whole = i128::from(self.0);
        let mut parts: Vec<i64> = Vec::with_capacity(weights.len());
        let mut left = self.0;
        let mut remainders: Vec<(i128, usize)> = Vec::with_capacity(weights.len());
        for (n, weight) in weights.iter().enumerate() {
            let product = whole * i128::from(*weight);
            let part = i64::try_from(product.div_euclid(total)).expect("a part is no larger than the whole");
            remainders.push((-product.rem_euclid(total), n));
            left -= part;
            parts.push(part);
        }
        remainders.sort_unstable();
        for (_, n) in
            remainders.into_iter().take(usize::try_from(left).expect("floors leave at most one fen each"))
        {
            parts[n] += 1;
        }
        parts.into_iter().map(Fen).collect()
    }

    /// The price of `done` minutes when `planned` minutes cost `self`, rounded down.
    ///
    /// # Panics
    /// When `planned` is not positive.
    pub fn pro_rata(self, done: Minutes, planned: Minutes) -> Fen {
        assert!(planned.0 > 0, "a plan has minutes");
        let fen = i128::from(self.0) * i128::from(done.0) / i128::from(planned.0);
        Fen(i64::try_from(fen).expect("a share of a price is no larger than the price"))
    }
}

impl fmt::Display for Fen {
    /// `¥1,234.50`, the way statements print money.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, fen) = if self.0 < 0 { ("-", self.0.unsigned_abs()) } else { ("", self.0.unsigned_abs()) };
        write!(f, "{sign}¥{}.{:02}", thousands(fen / 100), fen % 100)
    }
}

/// Groups digits by three: `1,234,567`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

impl Add for Fen {
    type Output = Fen;
    fn add(self, other: Fen) -> Fen {
        Fen(self.0 + other.0)
    }
}

impl Sub for Fen {
    type Output = Fen;
    fn sub(self, other: Fen) -> Fen {
        Fen(self.0 - other.0)
    }
}

impl Neg for Fen {
    type Output = Fen;
    fn neg(self) -> Fen {
        Fen(-self.0)
    }
}

impl Sum for Fen {
    fn sum<I: Iterator<Item = Fen>>(parts: I) -> Fen {
        Fen(parts.map(|p| p.0).sum())
    }
}

/// A length of service in minutes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Minutes(pub i64);

impl fmt::Display for Minutes {
    /// `1 小时 30 分钟`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 60, self.0 % 60) {
            (0, m) => write!(f, "{m} 分钟"),
            (h, 0) => write!(f, "{h} 小时"),
            (h, m) => write!(f, "{h} 小时 {m} 分钟"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn money_is_printed_and_read_to_the_fen() {
        assert_eq!(Fen(123_450).to_string(), "¥1,234.50");
        assert_eq!(Fen(-5).to_string(), "-¥0.05");
        assert_eq!(Fen::parse("¥1,234.5"), Some(Fen(123_450)));
        for bad in ["", "-1", "1.234", "1e3", "十元", "99999999999999999999"] {
            assert_eq!(Fen::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn one_fen_over_goes_to_the_largest_remainder() {
        assert_eq!(Fen(100).split(&[1, 1, 1]), [Fen(34), Fen(33), Fen(33)]);
        assert_eq!(Fen(101).split(&[40, 60]), [Fen(40), Fen(61)]);
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole(fen in 0i64..1_000_000_000, weights in prop::collection::vec(0i64..10_000, 1..6)) {
            prop_assume!(weights.iter().sum::<i64>() > 0);
            let parts = Fen(fen).split(&weights);
            prop_assert_eq!(parts.iter().copied().sum::<Fen>(), Fen(fen));
            prop_assert!(parts.iter().all(|p| p.0 >= 0));
        }
    }
}
