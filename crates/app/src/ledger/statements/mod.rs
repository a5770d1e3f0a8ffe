//! A provider's month: made from settled orders, checked by a second person, paid by a third.
//!
//! What is on a statement is frozen with a digest when it is made. One that was sent back keeps its lines; its orders
//! are free for a new one. INVARIANT: maker, checker and payer are three people, which the schema enforces too
//! (`maker_checker_payer`), and a settled order is on one living statement at most.

mod refusals;
mod sql;

use std::collections::BTreeMap;

use domain::{
    access::{Act, Actor},
    ids::{AccountId, LedgerId, OrderId, ProviderId, SettlementId, StatementId},
    ledger::AccountKind,
    money::{Fen, Minutes},
    programmes::Asset,
    regions::{Level, RegionCode},
    time::{At, Month, Now},
};
use serde_json::json;

pub use refusals::StatementRefusal;

use super::{Move, NewAccount, Occasion};
use crate::{
    evidence::{Event, Trouble},
    outcome::{Answer, Found, No, Outcome},
    store::{Fault, Tx, digest},
};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

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

/// One settled order on a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The settlement.
    pub settlement: SettlementId,
    /// The order.
    pub order: OrderId,
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
    /// By item of the catalogue.
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

/// Makes the statement of a provider's month from what is settled and on no statement yet.
pub fn make(
    tx: &mut Tx<'_>,
    actor: &Actor,
    provider: ProviderId,
    month: Month,
    now: Now,
) -> Outcome<StatementId, StatementRefusal> {
    actor.may(Act::SettleOrders)?;
    let region = sql::provider_region(tx, provider)?.filter(|region| actor.sees(*region)).found()?;
    if !actor.sees_provider(Some(provider)) {
        return Err(No::NotFound);
    }
    let id = StatementId(tx.id(now));
    if sql::take(tx, id, provider, month.span())? == 0 {
        return Err(No::Refused(StatementRefusal::Nothing { month: month.to_string() }));
    }
    sql::freeze(tx, id)?;
    let lines = sql::lines(tx, id)?;
    let statement = Statement {
        id,
        provider,
        provider_name: String::new(),
        region,
        month: month.to_string(),
        orders: lines.len() as i64,
        price: lines.iter().map(|l| l.price).sum(),
        own: lines.iter().map(|l| l.own).sum(),
        amount: lines.iter().map(|l| l.price - l.own).sum(),
        digest: frozen(provider, &month.to_string(), &lines).to_vec(),
        made: Signature { by: actor.account, name: actor.name.clone(), at: now.0 },
        checked: None,
        paid: None,
        returned: None,
    };
    sql::insert(tx, &statement)?;
    let sheet = put_together(tx, statement, lines)?;
    if !sheet.adds_up() {
        return Err(No::Refused(StatementRefusal::DoesNotAddUp));
    }
    let s = &sheet.statement;
    let detail = json!({
        "provider": provider, "month": s.month, "orders": s.orders, "price_fen": s.price, "own_fen": s.own,
        "amount_fen": s.amount, "check_code": s.check_code(),
    });
    record(tx, actor, s, "statement.made", detail, now)?;
    Ok(id)
}

/// The second person: what is on it is right.
pub fn check(tx: &mut Tx<'_>, actor: &Actor, id: StatementId, now: Now) -> Outcome<(), StatementRefusal> {
    let statement = load(tx, actor, Act::ApproveMoney, id)?;
    expect(&statement, State::Made, "复核")?;
    if statement.made.by == actor.account {
        return Err(No::Refused(StatementRefusal::OwnStatement));
    }
    let sheet = whole(tx, statement)?;
    if !sheet.adds_up() {
        return Err(No::Refused(StatementRefusal::DoesNotAddUp));
    }
    sql::check(tx, id, actor.account, now.0).map_err(three_people)?;
    let s = &sheet.statement;
    record(tx, actor, s, "statement.checked", json!({ "amount_fen": s.amount, "made_by": s.made.by }), now)
}

/// Sends a statement back, with the reason; its orders are free for a new one.
pub fn send_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: StatementId,
    why: &str,
    now: Now,
) -> Outcome<(), StatementRefusal> {
    let act = if actor.may(Act::PayMoney).is_ok() { Act::PayMoney } else { Act::ApproveMoney };
    let statement = load(tx, actor, act, id)?;
    // Whoever checks sends back what waits for checking, whoever pays what waits for payment.
    let from = if act == Act::PayMoney { State::Checked } else { State::Made };
    expect(&statement, from, "退回")?;
    let why = why.trim();
    if why.chars().count() < 4 || why.chars().count() > 200 {
        return Err(No::Refused(StatementRefusal::NoReason));
    }
    sql::send_back(tx, id, actor.account, now.0, why)?;
    sql::release(tx, id)?;
    record(tx, actor, &statement, "statement.returned", json!({ "why": why }), now)
}

/// The third person: pays, which the ledger books from the provider's account to the bank.
pub fn pay(tx: &mut Tx<'_>, actor: &Actor, id: StatementId, now: Now) -> Outcome<(), StatementRefusal> {
    let statement = load(tx, actor, Act::PayMoney, id)?;
    expect(&statement, State::Checked, "支付")?;
    let before = [Some(&statement.made), statement.checked.as_ref()];
    if before.into_iter().flatten().any(|signature| signature.by == actor.account) {
        return Err(No::Refused(StatementRefusal::ThreePeople));
    }
    let sheet = whole(tx, statement)?;
    if !sheet.adds_up() {
        return Err(No::Refused(StatementRefusal::DoesNotAddUp));
    }
    let s = &sheet.statement;
    sql::pay(tx, id, actor.account, now.0).map_err(three_people)?;
    if s.amount > Fen::ZERO {
        let moved = Move {
            debit: account(tx, AccountKind::Provider, s, now)?,
            credit: account(tx, AccountKind::Bank, s, now)?,
            amount: s.amount.0,
            asset: Asset::Fen,
        };
        let on = Occasion { actor, subject: id.0, region: s.region, now };
        super::post(tx, on, &[moved])?;
    }
    record(tx, actor, s, "statement.paid", json!({ "amount_fen": s.amount, "provider": s.provider }), now)
}

/// The provider's account, or the bank account of its county.
fn account(tx: &mut Tx<'_>, kind: AccountKind, s: &Statement, now: Now) -> Result<LedgerId, Fault> {
    let county = s.region.within(Level::County);
    let (owner, region, name) = match kind {
        AccountKind::Bank => (county.number(), county, "财政支付专户".to_owned()),
        _ => (s.provider.0, s.region, s.provider_name.clone()),
    };
    let new =
        NewAccount { kind, owner, code: String::new(), asset: Asset::Fen, region, name, guarded: false };
    super::open_account(tx, &new, now)
}

fn expect(statement: &Statement, state: State, wish: &'static str) -> Outcome<(), StatementRefusal> {
    let now = statement.state();
    if now == state { Ok(()) } else { Err(No::Refused(StatementRefusal::WrongState { state: now, wish })) }
}

/// The schema's own refusal, should two people ever be one after all.
fn three_people(fault: Fault) -> No<StatementRefusal> {
    if fault.broke("maker_checker_payer") {
        No::Refused(StatementRefusal::ThreePeople)
    } else {
        No::Fault(fault)
    }
}

fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    s: &Statement,
    act: &'static str,
    detail: serde_json::Value,
    now: Now,
) -> Outcome<(), StatementRefusal> {
    tx.record(actor, now, Event::new(act, s.id.0, s.region, detail))?;
    Ok(())
}

fn load<R>(tx: &mut Tx<'_>, actor: &Actor, act: Act, id: StatementId) -> Outcome<Statement, R> {
    actor.may(act)?;
    let statement = sql::statement(tx, id)?.found()?;
    if actor.sees(statement.region) && actor.sees_provider(Some(statement.provider)) {
        Ok(statement)
    } else {
        Err(No::NotFound)
    }
}

/// The digest of what is frozen.
fn frozen(provider: ProviderId, month: &str, lines: &[Line]) -> [u8; 32] {
    let mut numbers = Vec::with_capacity(lines.len() * 40);
    for line in lines {
        for n in [line.settlement.0, line.order.0, line.minutes.0, line.price.0, line.own.0] {
            numbers.extend(n.to_be_bytes());
        }
    }
    digest(&[&provider.0.to_be_bytes(), month.as_bytes(), &numbers])
}

fn whole(tx: &mut Tx<'_>, statement: Statement) -> Result<Sheet, Fault> {
    let lines = sql::lines(tx, statement.id)?;
    put_together(tx, statement, lines)
}

fn put_together(tx: &mut Tx<'_>, statement: Statement, lines: Vec<Line>) -> Result<Sheet, Fault> {
    let mut by_code: BTreeMap<&str, Sum> = BTreeMap::new();
    for line in &lines {
        let sum = by_code.entry(&line.service).or_default();
        sum.name.clone_from(&line.service_name);
        sum.orders += 1;
        sum.minutes = Minutes(sum.minutes.0 + line.minutes.0);
        sum.price = sum.price + line.price;
        sum.own = sum.own + line.own;
    }
    let by_service = by_code.into_values().collect();
    let (mut by_funder, mut elders) = (Vec::new(), Fen::ZERO);
    for (kind, name, fen) in sql::payers(tx, statement.id, statement.provider)? {
        match kind {
            AccountKind::Elder => elders = elders + fen,
            _ => by_funder.push((name, fen)),
        }
    }
    Ok(Sheet { statement, lines, by_service, by_funder, elders })
}

/// One statement with its lines, if the actor may see it.
pub fn sheet(tx: &mut Tx<'_>, actor: &Actor, id: StatementId) -> Answer<Sheet> {
    let statement = load(tx, actor, Act::SeeMoney, id)?;
    Ok(whole(tx, statement)?)
}

/// Statements the actor may see, the newest month first.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    filter: &Filter,
    offset: i64,
    limit: i64,
) -> Answer<Vec<Statement>> {
    actor.may(Act::SeeMoney)?;
    Ok(sql::list(tx, actor.scope(), filter, offset, limit)?)
}

/// How many such a list has, and what they come to.
pub fn count(tx: &mut Tx<'_>, actor: &Actor, filter: &Filter) -> Answer<(i64, Fen)> {
    actor.may(Act::SeeMoney)?;
    Ok(sql::count(tx, actor.scope(), filter)?)
}

/// What is settled in a month and on no statement yet, by provider.
pub fn open(tx: &mut Tx<'_>, actor: &Actor, month: Month) -> Answer<Vec<Open>> {
    actor.may(Act::SeeMoney)?;
    Ok(sql::open(tx, actor.scope(), month.span())?)
}

/// Statements whose lines are no longer what was frozen, or do not agree with the ledger.
pub fn verify(tx: &mut Tx<'_>) -> Result<Vec<Trouble>, Fault> {
    let mut troubles = Vec::new();
    for statement in sql::every(tx)? {
        let id = statement.id.0;
        if !whole(tx, statement)?.adds_up() {
            let what = "结算单与冻结的明细或账目不符".to_owned();
            troubles.push(Trouble::Row { table: "statement", id, what });
        }
    }
    Ok(troubles)
}
