//! A statement, its lines and its sums.

use domain::{
    ids::{AccountId, OrderId, ProviderId, SettlementId, StatementId},
    money::{Fen, Minutes},
    orders::Earned,
    regions::RegionCode,
    time::At,
};

use crate::store::digest;

/// Where a statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waits for the second person.
    Made,
    /// Waits for the payer.
    Checked,
    /// Paid.
    Paid,
    /// Sent back; its orders are free again.
    Returned,
}

impl State {
    /// Every state.
    pub const ALL: [State; 4] = [State::Made, State::Checked, State::Paid, State::Returned];

    /// The word in addresses and APIs.
    pub fn code(self) -> &'static str {
        match self {
            State::Made => "made",
            State::Checked => "checked",
            State::Paid => "paid",
            State::Returned => "returned",
        }
    }

    /// The word on the screen.
    pub fn label(self) -> &'static str {
        match self {
            State::Made => "待复核",
            State::Checked => "待支付",
            State::Paid => "已支付",
            State::Returned => "已退回",
        }
    }

    /// The state with this word.
    pub fn from_code(code: &str) -> Option<State> {
        State::ALL.into_iter().find(|s| s.code() == code)
    }
}

/// Who did a step, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Whose account.
    pub by: AccountId,
    /// The account's name.
    pub name: String,
    /// When.
    pub at: At,
}

/// A statement as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Which.
    pub id: StatementId,
    /// Whose month.
    pub provider: ProviderId,
    /// Name of the provider.
    pub provider_name: String,
    /// Where the provider belongs.
    pub region: RegionCode,
    /// Which month the orders were settled in.
    pub month: String,
    /// How many orders.
    pub orders: i64,
    /// Price of all of them.
    pub price: Fen,
    /// What the elders pay to the provider themselves.
    pub own: Fen,
    /// What is to be paid: the price less the elders' part.
    pub amount: Fen,
    /// Digest over the lines.
    pub digest: Vec<u8>,
    /// The first person.
    pub made: Signature,
    /// The second.
    pub checked: Option<Signature>,
    /// The third.
    pub paid: Option<Signature>,
    /// Who sent it back, and why.
    pub returned: Option<(Signature, String)>,
}

impl Statement {
    /// Where it stands.
    pub fn state(&self) -> State {
        match (&self.returned, &self.paid, &self.checked) {
            (Some(_), ..) => State::Returned,
            (_, Some(_), _) => State::Paid,
            (_, _, Some(_)) => State::Checked,
            _ => State::Made,
        }
    }

    /// The first bytes of the digest as it is printed: `8F2C-41A9-77D0`.
    pub fn check_code(&self) -> String {
        let hex: Vec<String> = self.digest.iter().take(6).map(|b| format!("{b:02X}")).collect();
        hex.chunks(2).map(<[String]>::concat).collect::<Vec<_>>().join("-")
    }
}

/// One settled order on a statement, or the fee of one that was called off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The settlement.
    pub settlement: SettlementId,
    /// The order.
    pub order: OrderId,
    /// What is paid for.
    pub kind: Earned,
    /// Code of the item.
    pub service: String,
    /// Name of the item.
    pub service_name: String,
    /// Who was served.
    pub person_name: String,
    /// When the visit was planned.
    pub start_at: At,
    /// Minutes served.
    pub minutes: Minutes,
    /// Its price.
    pub price: Fen,
    /// The elder's part.
    pub own: Fen,
    /// When the provider had taken it, and who noted so.
    pub collected: Option<(At, String)>,
}

/// What came together under one heading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    /// The heading.
    pub name: String,
    /// How many orders.
    pub orders: i64,
    /// Minutes served.
    pub minutes: Minutes,
    /// Price.
    pub price: Fen,
    /// The elders' part.
    pub own: Fen,
}

impl Sum {
    /// The funders' part.
    pub fn funded(&self) -> Fen {
        self.price - self.own
    }
}

/// A statement with everything that makes it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// The statement.
    pub statement: Statement,
    /// Every order on it.
    pub lines: Vec<Line>,
    /// By item of the catalogue, fees after them by their kind.
    pub by_service: Vec<Sum>,
    /// Each funder's part, as the ledger has it.
    pub by_funder: Vec<(String, Fen)>,
    /// The elders' part, as the ledger has it.
    pub elders: Fen,
}

impl Sheet {
    /// How much of the elders' part the provider has taken.
    pub fn collected(&self) -> Fen {
        self.lines.iter().filter(|l| l.collected.is_some()).map(|l| l.own).sum()
    }

    /// How much of the elders' part is still to be taken.
    pub fn uncollected(&self) -> Fen {
        self.statement.own - self.collected()
    }

    /// Whether lines, statement and ledger tell the same sums.
    pub fn adds_up(&self) -> bool {
        let s = &self.statement;
        let funded: Fen = self.by_funder.iter().map(|(_, fen)| *fen).sum();
        let price: Fen = self.lines.iter().map(|l| l.price).sum();
        let own: Fen = self.lines.iter().map(|l| l.own).sum();
        (price, own, self.lines.len() as i64) == (s.price, s.own, s.orders)
            && (funded, self.elders) == (s.amount, s.own)
            && frozen(s.provider, &s.month, &self.lines)[..] == s.digest[..]
    }
}

/// What a provider has earned in a month and that is on no statement yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Whose.
    pub provider: ProviderId,
    /// Name of the provider.
    pub name: String,
    /// How many orders.
    pub orders: i64,
    /// Their price.
    pub price: Fen,
    /// The elders' part.
    pub own: Fen,
}

impl Open {
    /// The funders' part.
    pub fn funded(&self) -> Fen {
        self.price - self.own
    }
}

/// Which statements a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this month, `2026-11`; empty for any.
    pub month: String,
    /// Of this provider.
    pub provider: Option<ProviderId>,
    /// In this state.
    pub state: Option<State>,
}

/// The digest of what is frozen.
pub(super) fn frozen(provider: ProviderId, month: &str, lines: &[Line]) -> [u8; 32] {
    let mut numbers = Vec::with_capacity(lines.len() * 40);
    for line in lines {
        for n in [line.settlement.0, line.order.0, line.minutes.0, line.price.0, line.own.0] {
            numbers.extend(n.to_be_bytes());
        }
        // Visits were frozen before there were others.
        if line.kind != Earned::Visit {
            numbers.extend(line.kind.code().as_bytes());
        }
    }
    digest(&[&provider.0.to_be_bytes(), month.as_bytes(), &numbers])
}
