//! Settling: what an accepted, proved visit is paid, by whom, to the fen.

use domain::{
    access::{Act, Actor},
    ids::{LedgerId, OrderId, ProviderId, SettlementId},
    ledger::AccountKind,
    money::{Fen, Minutes},
    orders::{self, Earned, OrderRefusal, OrderState, Settled},
    programmes::{Asset, Right},
    regions::RegionCode,
    time::Now,
};
use serde_json::json;

use super::{Order, item_of, load, save, sql, unfinished::door_fee};
use crate::{
    evidence::Event,
    ledger::{self, Move, NewAccount, Occasion},
    outcome::{Decided, No, Outcome},
    programmes,
    store::{Fault, Tx},
};

/// Books an order: uses what was held, charges each funder and the elder, credits the provider.
pub fn settle(tx: &mut Tx<'_>, actor: &Actor, id: OrderId, now: Now) -> Outcome<Fen, OrderRefusal> {
    let order = load(tx, actor, Act::SettleOrders, id)?;
    if order.state == OrderState::NobodyHome {
        let sql::Proof { exception, provider, .. } = sql::proof(tx, id)?;
        let settled = door_fee(tx, &order, exception)?;
        return book(tx, actor, order, settled, Minutes::default(), now, provider);
    }
    let item = item_of(tx, &order)?;
    let sql::Proof { served, exception, provider, at_home } = sql::proof(tx, id)?;
    let shares = sql::held_shares(tx, id)?;
    let mut held = Vec::with_capacity(shares.len());
    for share in &shares {
        // What was held at the time of placing, with the funders of the month the service was given in.
        let day = order.start_at.day();
        let funders = programmes::payers(tx, share.right, &share.programme, order.region, day)?;
        let asset = share.hold.moved.asset;
        held.push(Right { entitlement: share.right, asset, left: share.used, funders });
    }
    orders::proved(at_home, exception).decided()?;
    let decide = if order.interruption.is_some() { orders::settle_interrupted } else { orders::settle };
    let settled = decide(order.state, &item, order.minutes, served, &held, exception).decided()?;
    let on = Occasion { actor, subject: id.0, region: order.region, now };
    for share in &shares {
        let used = settled.shares.iter().find(|s| s.right == Some(share.right)).map_or(0, |s| s.used);
        ledger::use_held(tx, on, share.hold, used)?;
    }
    book(tx, actor, order, settled, served, now, provider)
}

/// Charges the payers, credits the provider and closes the order.
fn book(
    tx: &mut Tx<'_>,
    actor: &Actor,
    mut order: Order,
    settled: Settled,
    served: Minutes,
    now: Now,
    provider: Option<(ProviderId, RegionCode)>,
) -> Outcome<Fen, OrderRefusal> {
    let before = order.state;
    let on = Occasion { actor, subject: order.id.0, region: order.region, now };
    let (provider, region) = provider.ok_or_else(|| Fault::other("a served order has a provider"))?;
    let own = pay(tx, on, &order, &settled.shares, &provider_account(provider, region))?;
    let excused = before != OrderState::Confirmed;
    let settlement = SettlementId(tx.id(now));
    let kind = if before == OrderState::NobodyHome { Earned::ClosedDoor } else { Earned::Visit };
    let row =
        sql::Settling { id: settlement, order: &order, kind, minutes: served, price: settled.price, own };
    sql::insert_settlement(tx, &row, actor.account, now.0)?;
    order.state = OrderState::Settled;
    order.settled_at = Some(now.0);
    order.settled_by = Some(actor.account);
    let detail = json!({
        "settlement": settlement, "price_fen": settled.price, "own_fen": own, "minutes": served,
        "provider": provider, "exception": excused, "kind": kind.code(),
    });
    save(tx, actor, now, &order, before, "order.settled", detail)?;
    Ok(settled.price)
}

/// Charges every payer and credits the provider's account; answers the elder's own part.
fn pay(
    tx: &mut Tx<'_>,
    on: Occasion<'_>,
    order: &Order,
    shares: &[domain::programmes::Share],
    provider: &NewAccount,
) -> Result<Fen, Fault> {
    let credit = ledger::open_account(tx, provider, on.now)?;
    let mut moves = Vec::new();
    let mut own = Fen::ZERO;
    for share in shares {
        if share.right.is_none() && share.amount > Fen::ZERO {
            own = own + share.amount;
            let debit = ledger::open_account(tx, &elder_account(order), on.now)?;
            moves.push(Move { debit, credit, amount: share.amount.0, asset: Asset::Fen });
        }
        let funded = share.by_funder.iter().filter(|(_, fen)| *fen > Fen::ZERO);
        moves.extend(funded.map(|(debit, fen)| Move {
            debit: *debit,
            credit,
            amount: fen.0,
            asset: Asset::Fen,
        }));
    }
    ledger::post(tx, on, &moves)?;
    Ok(own)
}

/// What the elder owes the provider for an order: the own part of a settled one, the fee of one called off late.
pub fn owed(tx: &mut Tx<'_>, order: &Order) -> Result<Fen, Fault> {
    match order.state {
        OrderState::Settled => Ok(sql::settled_own(tx, order.id)?.unwrap_or_default()),
        OrderState::Cancelled => Ok(order.fee),
        _ => Ok(Fen::ZERO),
    }
}

/// The provider has taken the elder's own part: who noted it when is on record, and the ledger's two accounts between
/// elder and provider are even again.
pub fn collect_own(tx: &mut Tx<'_>, actor: &Actor, id: OrderId, now: Now) -> Outcome<Fen, OrderRefusal> {
    let order = load(tx, actor, Act::SettleOrders, id)?;
    let own = owed(tx, &order)?;
    orders::collect(order.state, own, order.collected_at).decided()?;
    let (elder, provider) = own_accounts(tx, &order, now)?;
    let on = Occasion { actor, subject: id.0, region: order.region, now };
    ledger::post(tx, on, &[Move { debit: provider, credit: elder, amount: own.0, asset: Asset::Fen }])?;
    let before = order.state;
    let collected = Order { collected_at: Some(now.0), collected_by: Some(actor.account), ..order };
    save(tx, actor, now, &collected, before, "order.own_collected", json!({ "amount_fen": own }))?;
    Ok(own)
}

/// What the elder owes of own money.
fn elder_account(order: &Order) -> NewAccount {
    account(AccountKind::Elder, order.person.0, order.region, "老人自付")
}

/// What a provider is owed.
fn provider_account(provider: ProviderId, region: RegionCode) -> NewAccount {
    account(AccountKind::Provider, provider.0, region, "服务商应付")
}

fn account(kind: AccountKind, owner: i64, region: RegionCode, name: &str) -> NewAccount {
    let (code, name) = (String::new(), name.to_owned());
    NewAccount { kind, owner, code, asset: Asset::Fen, region, name, guarded: false }
}

/// The accounts between which the elder's own money moves: the elder's and the provider's.
pub(super) fn own_accounts(tx: &mut Tx<'_>, order: &Order, now: Now) -> Result<(LedgerId, LedgerId), Fault> {
    let provider = sql::proof(tx, order.id)?.provider;
    let (provider, region) = provider.ok_or_else(|| Fault::other("a carer's order has a provider"))?;
    let elder = ledger::open_account(tx, &elder_account(order), now)?;
    Ok((elder, ledger::open_account(tx, &provider_account(provider, region), now)?))
}

/// Asks a second person to let an order be settled without the receiver's word.
pub fn ask_exception(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: OrderId,
    reason: &str,
    now: Now,
) -> Outcome<(), OrderRefusal> {
    let order = load(tx, actor, Act::SettleOrders, id)?;
    let open = [OrderState::Served, OrderState::Disputed, OrderState::NobodyHome, OrderState::Interrupted];
    // Confirmed and yet unpaid: it broke off before the item's minimum, or nothing shows where it was.
    let cut = order.state == OrderState::Confirmed
        && (order.interruption.is_some() || !sql::proof(tx, id)?.at_home);
    if !open.contains(&order.state) && !cut {
        return Err(No::Refused(OrderRefusal::WrongState { state: order.state, wish: "申请例外" }));
    }
    if reason.trim().chars().count() < 4 {
        return Err(No::Refused(OrderRefusal::Missing {
            what: "申请例外的原因（至少四个字）"
        }));
    }
    if !sql::insert_exception(tx, id, reason.trim(), actor.account, now.0)? {
        return Err(No::Refused(OrderRefusal::WrongState { state: order.state, wish: "重复申请例外" }));
    }
    let event = Event::new("order.exception_asked", id.0, order.region, json!({ "reason": reason.trim() }));
    tx.record(actor, now, event)?;
    Ok(())
}

/// The second person allows it.
pub fn approve_exception(tx: &mut Tx<'_>, actor: &Actor, id: OrderId, now: Now) -> Outcome<(), OrderRefusal> {
    let order = load(tx, actor, Act::ApproveMoney, id)?;
    let asked_by = sql::exception_asked_by(tx, id)?
        .ok_or(No::Refused(OrderRefusal::WrongState {
            state: order.state, wish: "批准不存在的例外申请"
        }))?;
    if asked_by == actor.account {
        return Err(No::Refused(OrderRefusal::SamePerson));
    }
    sql::approve_exception(tx, id, actor.account, now.0)?;
    tx.record(
        actor,
        now,
        Event::new("order.exception_approved", id.0, order.region, json!({ "asked_by": asked_by })),
    )?;
    Ok(())
}
