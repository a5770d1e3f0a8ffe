//! A provider's month: made from settled orders and fees, checked by a second person, paid by a third.
//!
//! What is on a statement is frozen with a digest when it is made. One that was sent back keeps its lines; its orders
//! are free for a new one. INVARIANT: maker, checker and payer are three people, which the schema enforces too
//! (`maker_checker_payer`), and a settled order is on one living statement at most.

mod model;
mod refusals;
mod sql;

use std::collections::BTreeMap;

use domain::{
    access::{Act, Actor},
    ids::{LedgerId, ProviderId, StatementId},
    ledger::AccountKind,
    money::{Fen, Minutes},
    orders::Earned,
    programmes::Asset,
    regions::Level,
    time::{Month, Now},
};
use serde_json::json;

pub use model::{Filter, Line, Open, Sheet, Signature, State, Statement, Sum};
pub use refusals::StatementRefusal;

use model::frozen;

use super::{Move, NewAccount, Occasion};
use crate::{
    evidence::{Event, Trouble},
    outcome::{Answer, Found, No, Outcome},
    store::{Fault, Tx},
};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

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
        "fees": sheet.lines.iter().filter(|l| l.kind != Earned::Visit).count(),
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

fn whole(tx: &mut Tx<'_>, statement: Statement) -> Result<Sheet, Fault> {
    let lines = sql::lines(tx, statement.id)?;
    put_together(tx, statement, lines)
}

fn put_together(tx: &mut Tx<'_>, statement: Statement, lines: Vec<Line>) -> Result<Sheet, Fault> {
    let mut by_code: BTreeMap<(Earned, &str), Sum> = BTreeMap::new();
    for line in &lines {
        let (code, name) = match line.kind {
            Earned::Visit => (line.service.as_str(), line.service_name.as_str()),
            fee => ("", fee.label()),
        };
        let sum = by_code.entry((line.kind, code)).or_default();
        name.clone_into(&mut sum.name);
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
