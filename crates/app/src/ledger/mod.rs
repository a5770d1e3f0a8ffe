//! The double-entry ledger: accounts, transfers, holds.
//!
//! A transfer never changes; a mistake is put right by another transfer. An account that is guarded can never give more
//! than it got, which the schema enforces (`never_overdrawn`), so two spenders at once cannot both win.

pub mod grants;
mod sql;
pub mod statements;

use domain::{
    access::{Act, Actor},
    ids::{AccountId, LedgerId, TransferId},
    ledger::{AccountKind, Balance, TransferKind},
    programmes::Asset,
    regions::RegionCode,
    time::{At, Now},
};

use crate::{
    evidence::Trouble,
    outcome::{Answer, Found},
    store::{Fault, Tx},
};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// The schema's name for spending more than there is.
pub const OVERDRAWN: &str = "never_overdrawn";

/// An account to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// What it is for.
    pub kind: AccountKind,
    /// Whose it is: an id, or a region's number for funders.
    pub owner: i64,
    /// Tells accounts of one owner apart; empty when there is one.
    pub code: String,
    /// What it counts.
    pub asset: Asset,
    /// Where it belongs.
    pub region: RegionCode,
    /// What people call it.
    pub name: String,
    /// Whether it may never be overdrawn.
    pub guarded: bool,
}

/// An account as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Which.
    pub id: LedgerId,
    /// What it is for.
    pub kind: AccountKind,
    /// Whose it is.
    pub owner: i64,
    /// Tells accounts of one owner apart.
    pub code: String,
    /// What it counts.
    pub asset: Asset,
    /// Where it belongs.
    pub region: i64,
    /// What people call it.
    pub name: String,
    /// Its four sums.
    pub balance: Balance,
}

/// A wish to move something from one account (debit) to another (credit).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// From.
    pub debit: LedgerId,
    /// To.
    pub credit: LedgerId,
    /// How much; positive.
    pub amount: i64,
    /// What.
    pub asset: Asset,
}

/// A transfer as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Which.
    pub id: TransferId,
    /// What it does.
    pub kind: TransferKind,
    /// From and to.
    pub moved: Move,
    /// The hold it ends, if it ends one.
    pub pending: Option<TransferId>,
    /// What it was made for: order, entitlement, statement.
    pub subject: i64,
    /// Where it belongs.
    pub region: i64,
    /// When.
    pub at: At,
    /// By whom.
    pub by: AccountId,
}

/// For what, by whom and when a transfer is made.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    /// Who makes it.
    pub actor: &'a Actor,
    /// What it is for.
    pub subject: i64,
    /// Where it belongs.
    pub region: RegionCode,
    /// When.
    pub now: Now,
}

/// What an account is found by.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    owner: i64,
    kind: AccountKind,
    code: String,
    asset: Asset,
}

/// The account with this owner, kind, code and asset; opened when it is not there yet.
pub fn open_account(tx: &mut Tx<'_>, new: &NewAccount, now: Now) -> Result<LedgerId, Fault> {
    let key = Key { owner: new.owner, kind: new.kind, code: new.code.clone(), asset: new.asset };
    if let Some(id) = tx.lasting(key, sql::find_account)? {
        return Ok(LedgerId(id));
    }
    let id = LedgerId(tx.id(now));
    sql::insert_account(tx, id, new)?;
    Ok(id)
}

/// An amount that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// The transfer that holds it.
    pub id: TransferId,
    /// What it holds.
    pub moved: Move,
}

/// Moves at once. All moves of one occasion touch each account's row once.
pub fn post(tx: &mut Tx<'_>, on: Occasion<'_>, moves: &[Move]) -> Result<(), Fault> {
    let mut sums: Vec<(LedgerId, i64, i64)> = Vec::with_capacity(moves.len() + 1);
    let mut add = |account, debit, credit| match sums.iter_mut().find(|s| s.0 == account) {
        Some(sum) => (sum.1, sum.2) = (sum.1 + debit, sum.2 + credit),
        None => sums.push((account, debit, credit)),
    };
    for one in moves {
        add(one.debit, one.amount, 0);
        add(one.credit, 0, one.amount);
        insert(tx, on, TransferKind::Posted, *one, None)?;
    }
    // A fixed order of accounts, so that two commands on PostgreSQL never wait for each other in a circle.
    sums.sort_unstable();
    for (account, debit, credit) in sums {
        sql::add_posted(tx, account, debit, credit)?;
    }
    Ok(())
}

/// Holds an amount of a guarded account until it is used or given back.
///
/// # Errors
/// Breaks `OVERDRAWN` when the account has less.
pub fn hold(tx: &mut Tx<'_>, on: Occasion<'_>, wish: Move) -> Result<TransferId, Fault> {
    sql::add_pending(tx, wish.debit, wish.amount, 0)?;
    sql::add_pending(tx, wish.credit, 0, wish.amount)?;
    insert(tx, on, TransferKind::Pending, wish, None)
}

/// Uses a hold, or less of it; what is not used is free again.
///
/// # Errors
/// When the hold has ended already (`held_once`) or is smaller than `amount`.
pub fn use_held(tx: &mut Tx<'_>, on: Occasion<'_>, hold: Hold, amount: i64) -> Result<(), Fault> {
    let Hold { id, moved: held } = hold;
    if amount > held.amount {
        return Err(Fault::other(format!("hold {id} cannot give {amount}")));
    }
    if amount <= 0 {
        return release(tx, on, hold);
    }
    insert(tx, on, TransferKind::PostPending, Move { amount, ..held }, Some(id))?;
    sql::end_pending(tx, held.debit, held.amount, 0, amount, 0)?;
    sql::end_pending(tx, held.credit, 0, held.amount, 0, amount)
}

/// Gives a hold back.
///
/// # Errors
/// When the hold has ended already (`held_once`).
pub fn release(tx: &mut Tx<'_>, on: Occasion<'_>, hold: Hold) -> Result<(), Fault> {
    let Hold { id, moved: held } = hold;
    insert(tx, on, TransferKind::VoidPending, Move { amount: 0, ..held }, Some(id))?;
    sql::end_pending(tx, held.debit, held.amount, 0, 0, 0)?;
    sql::end_pending(tx, held.credit, 0, held.amount, 0, 0)
}

fn insert(
    tx: &mut Tx<'_>,
    on: Occasion<'_>,
    kind: TransferKind,
    moved: Move,
    pending: Option<TransferId>,
) -> Result<TransferId, Fault> {
    let transfer = Transfer {
        id: TransferId(tx.id(on.now)),
        kind,
        moved,
        pending,
        subject: on.subject,
        region: on.region.number(),
        at: on.now.0,
        by: on.actor.account,
    };
    sql::insert_transfer(tx, &transfer)?;
    Ok(transfer.id)
}

/// One account, if the actor may see money there.
pub fn account(tx: &mut Tx<'_>, actor: &Actor, id: LedgerId) -> Answer<Account> {
    actor.may(Act::SeeMoney)?;
    let account = sql::account(tx, id)?.found()?;
    let foreign =
        actor.provider.is_some_and(|p| account.kind == AccountKind::Provider && account.owner != p.0);
    let inside = (actor.range.lo..=actor.range.hi).contains(&account.region);
    if inside && !foreign && (actor.provider.is_none() || account.kind == AccountKind::Provider) {
        Ok(account)
    } else {
        Err(crate::outcome::No::NotFound)
    }
}

/// Accounts the actor may see, by kind, after an id.
pub fn accounts(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: Option<AccountKind>,
    after: Option<LedgerId>,
    limit: i64,
) -> Answer<Vec<Account>> {
    actor.may(Act::SeeMoney)?;
    Ok(sql::accounts(tx, actor.scope(), kind, after, limit)?)
}

/// Transfers of one account the actor may see, newest first.
pub fn transfers_of(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: LedgerId,
    before: Option<TransferId>,
    limit: i64,
) -> Answer<Vec<Transfer>> {
    account(tx, actor, id)?;
    Ok(sql::transfers_of_account(tx, id, before, limit)?)
}

/// Transfers made for one thing (an order, a statement), oldest first, with the names of both accounts.
///
/// The caller has checked that the actor may see that thing.
pub fn transfers_for(tx: &mut Tx<'_>, subject: i64) -> Result<Vec<(Transfer, String, String)>, Fault> {
    sql::transfers_for(tx, subject)
}

/// What does not add up: sums of accounts against their transfers, holds ended twice, assets that are not balanced.
pub fn verify(tx: &mut Tx<'_>) -> Result<Vec<Trouble>, Fault> {
    let mut troubles: Vec<Trouble> = sql::unbalanced(tx)?
        .into_iter()
        .map(|id| Trouble::Row {
            table: "ledger_account", id, what: "余额与转账记录不符".to_owned()
        })
        .collect();
    for (asset, off) in sql::asset_sums(tx)? {
        if off != 0 {
            troubles.push(Trouble::Row {
                table: "ledger_account",
                id: 0,
                what: format!("{asset} 借贷不平，差 {off}"),
            });
        }
    }
    Ok(troubles)
}
