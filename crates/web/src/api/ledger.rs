//! Accounts and transfers of the ledger.

use app::ledger::{self, Account, Transfer};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use domain::{
    ids::{LedgerId, TransferId},
    ledger::AccountKind,
    time::At,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Cursor, Listing};
use crate::{App, Problem, Reply, Signed};

/// An account with its sums.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountView {
    /// Id.
    #[schema(value_type = String)]
    id: LedgerId,
    /// funder, provider, elder, right, issued, used or bank.
    kind: &'static str,
    /// Whose: an id, or a region's number.
    owner: String,
    /// fen or minutes.
    asset: &'static str,
    /// What people call it.
    name: String,
    /// Where it belongs.
    region: String,
    /// Held to go out.
    debits_pending: i64,
    /// Gone out.
    debits_posted: i64,
    /// Held to come in.
    credits_pending: i64,
    /// Come in.
    credits_posted: i64,
}

impl From<Account> for AccountView {
    fn from(a: Account) -> AccountView {
        AccountView {
            id: a.id,
            kind: a.kind.code(),
            owner: a.owner.to_string(),
            asset: a.asset.code(),
            name: a.name,
            region: a.region.to_string(),
            debits_pending: a.balance.debits_pending,
            debits_posted: a.balance.debits_posted,
            credits_pending: a.balance.credits_pending,
            credits_posted: a.balance.credits_posted,
        }
    }
}

/// A transfer.
#[derive(Debug, Serialize, ToSchema)]
pub struct TransferView {
    /// Id.
    #[schema(value_type = String)]
    id: TransferId,
    /// posted, pending, post_pending or void_pending.
    kind: &'static str,
    /// From.
    #[schema(value_type = String)]
    debit: LedgerId,
    /// To.
    #[schema(value_type = String)]
    credit: LedgerId,
    /// How much.
    amount: i64,
    /// fen or minutes.
    asset: &'static str,
    /// The hold it ends.
    #[schema(value_type = Option<String>)]
    pending: Option<TransferId>,
    /// What it was made for.
    subject: String,
    /// When.
    #[schema(value_type = String)]
    at: At,
}

impl From<Transfer> for TransferView {
    fn from(t: Transfer) -> TransferView {
        TransferView {
            id: t.id,
            kind: t.kind.code(),
            debit: t.moved.debit,
            credit: t.moved.credit,
            amount: t.moved.amount,
            asset: t.moved.asset.code(),
            pending: t.pending,
            subject: t.subject.to_string(),
            at: t.at,
        }
    }
}

/// Which accounts to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct AccountQuery {
    /// Only this kind.
    kind: Option<String>,
}

/// Accounts the token may see, by id.
#[utoipa::path(get, path = "/api/v1/ledger/accounts", tag = "ledger", params(AccountQuery, Cursor),
    responses((status = 200, body = Listing<AccountView>)))]
pub async fn accounts(
    State(app): State<App>,
    signed: Signed,
    Query(query): Query<AccountQuery>,
    cursor: Cursor,
) -> Reply<Listing<AccountView>> {
    let actor = signed.actor();
    let kind = query
        .kind
        .map(|k| AccountKind::from_code(&k).ok_or_else(|| Problem::malformed(format!("没有账户类别 {k}"))))
        .transpose()?;
    let found = app
        .read(move |tx, _| ledger::accounts(tx, &actor, kind, cursor.after.map(LedgerId), cursor.limit() + 1))
        .await?;
    Ok(Listing::page(found, cursor.limit(), |a| a.id.0, AccountView::from))
}

/// One account.
#[utoipa::path(get, path = "/api/v1/ledger/accounts/{id}", tag = "ledger", params(("id" = String, Path)),
    responses((status = 200, body = AccountView), (status = 404, body = Problem)))]
pub async fn account(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
) -> Reply<Json<AccountView>> {
    let (id, actor) = (id.parse().map_err(|_| Problem::not_found())?, signed.actor());
    let found = app.read(move |tx, _| ledger::account(tx, &actor, id)).await?;
    Ok(Json(found.into()))
}

/// Which transfers to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct TransferQuery {
    /// Of this account.
    account: String,
}

/// Transfers of one account, latest first.
#[utoipa::path(get, path = "/api/v1/ledger/transfers", tag = "ledger", params(TransferQuery, Cursor),
    responses((status = 200, body = Listing<TransferView>), (status = 404, body = Problem)))]
pub async fn transfers(
    State(app): State<App>,
    signed: Signed,
    Query(query): Query<TransferQuery>,
    cursor: Cursor,
) -> Reply<Listing<TransferView>> {
    let (id, actor) = (query.account.parse().map_err(|_| Problem::not_found())?, signed.actor());
    let found = app
        .read(move |tx, _| {
            ledger::transfers_of(tx, &actor, id, cursor.after.map(TransferId), cursor.limit() + 1)
        })
        .await?;
    Ok(Listing::page(found, cursor.limit(), |t| t.id.0, TransferView::from))
}
