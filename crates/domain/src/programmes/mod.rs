//! Programmes, the catalogue of services and how a price is shared among funders.

pub mod rule;
mod wished;

use crate::{
    access::words,
    ids::{EntitlementId, LedgerId},
    money::{Fen, Minutes},
};

pub use wished::{Unfound, Wish, wished};

/// An item of the service catalogue as it holds on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceItem {
    /// Short code, `A01`.
    pub code: String,
    /// Chinese name.
    pub name: String,
    /// Which of the six helps (or visit, spirit) it is.
    pub help_kind: String,
    /// Charged by the hour rather than by the visit.
    pub by_hour: bool,
    /// Planned time.
    pub minutes_std: Minutes,
    /// Below this a visit is too short.
    pub minutes_min: Minutes,
    /// Contract price of one unit.
    pub unit_price: Fen,
    /// How many carers must come.
    pub workers: i64,
    /// The carer must be of the elder's sex.
    pub same_sex: bool,
    /// What every carer must be able to do: `+` joins what must all hold, `|` what may stand for another.
    pub who_may: String,
    /// What at least one of the carers must be able to do, written the same way.
    pub one_of_them: String,
    /// What proves the service.
    pub evidence: String,
    /// When it must not be done.
    pub contraindication: String,
}

/// Reads `a+b|c` as "a, and one of b or c"; empty text asks for nothing.
pub fn skills(text: &str) -> Vec<Vec<String>> {
    text.split('+')
        .map(|any| any.split('|').map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect::<Vec<_>>())
        .filter(|any| !any.is_empty())
        .collect()
}

impl ServiceItem {
    /// Price of a visit of this length: per visit, or per hour to the minute (rounded down to the fen).
    pub fn price(&self, minutes: Minutes) -> Fen {
        if self.by_hour { self.unit_price.pro_rata(minutes, Minutes(60)) } else { self.unit_price }
    }
}

words! {
    /// What a right is counted in.
    Asset {
        /// Money.
        Fen = "fen" "元",
        /// Minutes of service.
        Minutes = "minutes" "分钟",
    }
}

/// One funder's part of a programme, in hundredths of a percent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Funder {
    /// The ledger account the money comes from.
    pub account: LedgerId,
    /// Weight against the other funders.
    pub weight: i64,
}

/// A person's right for the month, as much of it as is left (or was held).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// Which entitlement.
    pub entitlement: EntitlementId,
    /// Money or minutes.
    pub asset: Asset,
    /// How much is left.
    pub left: i64,
    /// Who pays for it.
    pub funders: Vec<Funder>,
}

/// A part of a price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Under which right; none means the elder's own money.
    pub right: Option<EntitlementId>,
    /// How much of the right is used, in its own asset.
    pub used: i64,
    /// The money.
    pub amount: Fen,
    /// The money by funder, in the order of the right's funders; empty for own money.
    pub by_funder: Vec<(LedgerId, Fen)>,
}

/// Shares a price over rights in the given order; what remains is the elder's own (`services.md` §3).
///
/// A right in minutes covers that many minutes of the visit at the visit's own rate; a right in money covers what it
/// has. The parts always add up to the price.
pub fn split(price: Fen, minutes: Minutes, rights: &[Right]) -> Vec<Share> {
    let (mut fen_left, mut minutes_left) = (price, minutes.0);
    let mut shares = Vec::with_capacity(rights.len() + 1);
    for right in rights {
        if fen_left == Fen::ZERO || right.left <= 0 {
            continue;
        }
        let (used, amount) = match right.asset {
            Asset::Fen => {
                let amount = fen_left.min(Fen(right.left));
                (amount.0, amount)
            }
            Asset::Minutes => {
                let used = minutes_left.min(right.left);
                if used == 0 {
                    continue;
                }
                // The last covered minute takes the rounding, so that a fully covered visit costs the elder nothing.
                let amount =
                    if used == minutes_left { fen_left } else { price.pro_rata(Minutes(used), minutes) };
                (used, amount.min(fen_left))
            }
        };
        let by_minutes =
            if right.asset == Asset::Minutes { used } else { minutes_covered(amount, price, minutes) };
        minutes_left = (minutes_left - by_minutes).max(0);
        fen_left = fen_left - amount;
        let weights: Vec<i64> = right.funders.iter().map(|f| f.weight).collect();
        let by_funder = right.funders.iter().map(|f| f.account).zip(amount.split(&weights)).collect();
        shares.push(Share { right: Some(right.entitlement), used, amount, by_funder });
    }
    if fen_left > Fen::ZERO {
        shares.push(Share { right: None, used: 0, amount: fen_left, by_funder: Vec::new() });
    }
    shares
}

/// Minutes of the visit that an amount of money stands for, rounded down.
fn minutes_covered(amount: Fen, price: Fen, minutes: Minutes) -> i64 {
    if price == Fen::ZERO {
        return 0;
    }
    i64::try_from(i128::from(amount.0) * i128::from(minutes.0) / i128::from(price.0))
        .expect("a part of the visit is no longer than the visit")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn right(id: i64, asset: Asset, left: i64) -> Right {
        let funders =
            vec![Funder { account: LedgerId(1), weight: 40 }, Funder { account: LedgerId(2), weight: 60 }];
        Right { entitlement: EntitlementId(id), asset, left, funders }
    }

    #[test]
    fn hours_first_then_money_then_own() {
        // 90 minutes at 60.00: 30 minutes are covered by hours, 15.00 by money, the rest is the elder's.
        let shares =
            split(Fen(6000), Minutes(90), &[right(1, Asset::Minutes, 30), right(2, Asset::Fen, 1500)]);
        let told: Vec<_> = shares.iter().map(|s| (s.right.map(|r| r.0), s.used, s.amount.0)).collect();
        assert_eq!(told, [(Some(1), 30, 2000), (Some(2), 1500, 1500), (None, 0, 2500)]);
        assert_eq!(shares[0].by_funder, [(LedgerId(1), Fen(800)), (LedgerId(2), Fen(1200))]);
    }

    #[test]
    fn a_right_without_rest_pays_nothing() {
        assert_eq!(split(Fen(100), Minutes(60), &[right(1, Asset::Fen, 0)])[0].right, None);
    }

    proptest! {
        #[test]
        fn shares_add_up(price in 0i64..100_000, minutes in 1i64..480, a in 0i64..600, b in 0i64..100_000) {
            let shares = split(Fen(price), Minutes(minutes), &[right(1, Asset::Minutes, a), right(2, Asset::Fen, b)]);
            prop_assert_eq!(shares.iter().map(|s| s.amount).sum::<Fen>(), Fen(price));
            for share in &shares {
                prop_assert!(share.amount.0 >= 0);
                if share.right.is_some() {
                    prop_assert_eq!(share.by_funder.iter().map(|f| f.1).sum::<Fen>(), share.amount);
                }
            }
        }
    }
}
