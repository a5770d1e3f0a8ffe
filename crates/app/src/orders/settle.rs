//! Settling: what an accepted, proved visit is paid, by whom, to the fen.

use domain::{
    access::{Act, Actor},
    ids::{OrderId, SettlementId},
    ledger::AccountKind,
    money::Fen,
    orders::{self, OrderRefusal, OrderState},
    programmes::{Asset, Right},
    time::Now,
};
use serde_json::json;

use super::{Order, item_of, load, save, sql};
use crate::{
    evidence::Event,
    ledger::{self, Move, NewAccount, Occasion},
    outcome::{Decided, No, Outcome},
    programmes,
    store::{Fault, Tx},
};

/// Books an order: uses what was held, charges each funder and the elder, credits the provider.
pub fn settle(tx: &mut Tx<'_>, actor: &Actor, id: OrderId, now: Now) -> Outcome<Fen, OrderRefusal> {
    let mut order = load(tx, actor, Act::SettleOrders, id)?;
    let before = order.state;
    let item = item_of(tx, &order)?;
    let sql::Proof { served, exception, provider } = sql::proof(tx, id)?;
    let shares = sql::held_shares(tx, id)?;
    let mut held = Vec::with_capacity(shares.len());
    for share in &shares {
        // What was held at the time of placing, with the funders of the month the service was given in.
        let (asset, funders) = programmes::payers(tx, share.right, order.region, order.start_at.day())?;
        held.push(Right { entitlement: share.right, asset, left: share.used, funders });
    }
    let settled = orders::settle(order.state, &item, order.minutes, served, &held, exception).decided()?;
    let on = Occasion { actor, subject: id.0, region: order.region, now };
    for share in &shares {
        let used = settled.shares.iter().find(|s| s.right == Some(share.right)).map_or(0, |s| s.used);
        ledger::use_held(tx, on, share.held, used)?;
    }
    let (provider, region) = provider.ok_or_else(|| Fault::other("a served order has a provider"))?;
    let credit = NewAccount {
        kind: AccountKind::Provider,
        owner: provider.0,
        code: String::new(),
        asset: Asset::Fen,
        region,
        name: "服务商应付".to_owned(),
        guarded: false,
    };
    let own = pay(tx, on, &order, &settled.shares, &credit)?;
    let settlement = SettlementId(tx.id(now));
    sql::insert_settlement(tx, settlement, &order, served, settled.price, own, actor.account, now.0)?;
    order.state = OrderState::Settled;
    order.settled_at = Some(now.0);
    order.settled_by = Some(actor.account);
    let detail = json!({
        "settlement": settlement, "price_fen": settled.price, "own_fen": own, "minutes": served,
        "provider": provider, "exception": exception.is_some(),
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
            let elder = NewAccount {
                kind: AccountKind::Elder,
                owner: order.person.0,
                code: String::new(),
                asset: Asset::Fen,
                region: order.region,
                name: "老人自付".to_owned(),
                guarded: false,
            };
            let debit = ledger::open_account(tx, &elder, on.now)?;
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

/// Asks a second person to let an order be settled without the receiver's word.
pub fn ask_exception(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: OrderId,
    reason: &str,
    now: Now,
) -> Outcome<(), OrderRefusal> {
    let order = load(tx, actor, Act::SettleOrders, id)?;
    if !matches!(order.state, OrderState::Served | OrderState::Disputed) {
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
