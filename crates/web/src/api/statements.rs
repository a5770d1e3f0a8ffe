//! A provider's month: made, checked and paid by three people.

use app::ledger::statements::{self, Filter, Line, Sheet, State as Standing, Statement};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use domain::{
    ids::{OrderId, ProviderId, StatementId},
    money::Fen,
    orders::Earned,
    time::{At, Month},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Call, Created, Done, Listing, parsed, parsed_number};
use crate::{App, Problem, Reply, Signed};

/// A statement as programs see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatementView {
    /// Id.
    #[schema(value_type = String)]
    id: StatementId,
    /// Whose month.
    #[schema(value_type = String)]
    provider: ProviderId,
    /// Name of the provider.
    provider_name: String,
    /// `2026-11`.
    month: String,
    /// made, checked, paid or returned.
    state: &'static str,
    /// How many orders.
    orders: i64,
    /// Price of all of them in fen.
    #[schema(value_type = i64)]
    price_fen: Fen,
    /// What the elders pay themselves in fen.
    #[schema(value_type = i64)]
    own_fen: Fen,
    /// What is to be paid in fen.
    #[schema(value_type = i64)]
    amount_fen: Fen,
    /// First bytes of the digest over its lines.
    check_code: String,
    /// When it was made.
    #[schema(value_type = String)]
    made_at: At,
    /// When it was checked.
    #[schema(value_type = Option<String>)]
    checked_at: Option<At>,
    /// When it was paid.
    #[schema(value_type = Option<String>)]
    paid_at: Option<At>,
    /// Why it was sent back.
    returned_why: Option<String>,
}

impl From<Statement> for StatementView {
    fn from(s: Statement) -> StatementView {
        StatementView {
            id: s.id,
            provider: s.provider,
            state: s.state().code(),
            check_code: s.check_code(),
            provider_name: s.provider_name,
            month: s.month,
            orders: s.orders,
            price_fen: s.price,
            own_fen: s.own,
            amount_fen: s.amount,
            made_at: s.made.at,
            checked_at: s.checked.map(|c| c.at),
            paid_at: s.paid.map(|p| p.at),
            returned_why: s.returned.map(|(_, why)| why),
        }
    }
}

/// One order on a statement.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineView {
    /// The order.
    #[schema(value_type = String)]
    order: OrderId,
    /// visit, nobody_home or late_cancel: what is paid for.
    #[schema(value_type = String)]
    kind: Earned,
    /// Item of the catalogue.
    service: String,
    /// Planned start.
    #[schema(value_type = String)]
    start_at: At,
    /// Minutes served.
    minutes: i64,
    /// Price in fen.
    #[schema(value_type = i64)]
    price_fen: Fen,
    /// The elder's part in fen.
    #[schema(value_type = i64)]
    own_fen: Fen,
}

impl From<Line> for LineView {
    fn from(l: Line) -> LineView {
        LineView {
            order: l.order,
            kind: l.kind,
            service: l.service,
            start_at: l.start_at,
            minutes: l.minutes.0,
            price_fen: l.price,
            own_fen: l.own,
        }
    }
}

/// A funder's part of a statement.
#[derive(Debug, Serialize, ToSchema)]
pub struct FunderView {
    /// Who pays.
    name: String,
    /// How much in fen.
    #[schema(value_type = i64)]
    amount_fen: Fen,
}

/// A statement with everything that makes it up.
#[derive(Debug, Serialize, ToSchema)]
pub struct SheetView {
    /// The statement.
    statement: StatementView,
    /// Whether lines, statement and ledger tell the same sums.
    adds_up: bool,
    /// Each funder's part.
    funders: Vec<FunderView>,
    /// Every order on it.
    lines: Vec<LineView>,
}

impl From<Sheet> for SheetView {
    fn from(s: Sheet) -> SheetView {
        SheetView {
            adds_up: s.adds_up(),
            statement: s.statement.into(),
            funders: s
                .by_funder
                .into_iter()
                .map(|(name, amount_fen)| FunderView { name, amount_fen })
                .collect(),
            lines: s.lines.into_iter().map(LineView::from).collect(),
        }
    }
}

/// What a list of statements is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StatementsAsked {
    /// `2026-11`.
    #[serde(default)]
    month: String,
    /// Of this provider.
    provider: Option<String>,
    /// made, checked, paid or returned.
    state: Option<String>,
    /// The `next` of the page before.
    after: Option<String>,
    /// 1 to 200; 50 when not given.
    limit: Option<String>,
}

/// Statements, the newest month first.
#[utoipa::path(get, path = "/api/v1/statements", tag = "statements", params(StatementsAsked),
    responses((status = 200, body = Listing<StatementView>)))]
pub async fn index(
    State(app): State<App>,
    signed: Signed,
    Query(asked): Query<StatementsAsked>,
) -> Reply<Listing<StatementView>> {
    let state = match asked.state.as_deref().filter(|s| !s.is_empty()) {
        None => None,
        Some(word) => Some(
            Standing::from_code(word)
                .ok_or_else(|| Problem::malformed("state 应为 made、checked、paid 或 returned"))?,
        ),
    };
    let filter =
        Filter { month: asked.month, provider: parsed(asked.provider.as_deref(), "provider")?, state };
    let offset = parsed_number(asked.after.as_deref(), "after")?.unwrap_or(0).max(0);
    let limit = parsed_number(asked.limit.as_deref(), "limit")?.unwrap_or(50).clamp(1, 200);
    let actor = signed.actor();
    let mut list = app.read(move |tx, _| statements::list(tx, &actor, &filter, offset, limit + 1)).await?;
    let next = (list.len() as i64 > limit).then(|| (offset + limit).to_string());
    list.truncate(limit as usize);
    Ok(Listing { items: list.into_iter().map(StatementView::from).collect(), next })
}

/// One statement with its lines and funders.
#[utoipa::path(get, path = "/api/v1/statements/{id}", tag = "statements", params(("id" = String, Path)),
    responses((status = 200, body = SheetView), (status = 404, body = Problem)))]
pub async fn show(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply<Json<SheetView>> {
    let id: StatementId = id.parse().map_err(|_| Problem::not_found())?;
    let actor = signed.actor();
    Ok(Json(app.read(move |tx, _| statements::sheet(tx, &actor, id)).await?.into()))
}

/// Whose month is to be made.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewStatement {
    /// Whose.
    #[schema(value_type = String)]
    provider: ProviderId,
    /// `2026-11`.
    month: String,
}

/// A statement that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeStatement {
    /// Id.
    #[schema(value_type = String)]
    id: StatementId,
}

/// Makes the statement of a provider's month from what is settled and on no statement yet.
#[utoipa::path(post, path = "/api/v1/statements", tag = "statements", request_body = NewStatement,
    responses((status = 201, body = MadeStatement), (status = 409, body = Problem)))]
pub async fn create(State(app): State<App>, signed: Signed, call: Call<NewStatement>) -> Reply {
    let month =
        Month::parse(&call.body().month).ok_or_else(|| Problem::malformed("month 应写成 2026-11 这样"))?;
    call.run(&app, &signed, Created, move |tx, actor, body, now| {
        statements::make(tx, actor, body.provider, month, now).map(|id| MadeStatement { id })
    })
    .await
}

/// Nothing beyond the address.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Empty {}

/// The second person's step.
#[utoipa::path(post, path = "/api/v1/statements/{id}/check", tag = "statements", params(("id" = String, Path)),
    responses((status = 200), (status = 409, body = Problem)))]
pub async fn check(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<Empty>,
) -> Reply {
    let id: StatementId = id.parse().map_err(|_| Problem::not_found())?;
    call.run(&app, &signed, Done, move |tx, actor, _, now| statements::check(tx, actor, id, now)).await
}

/// Why a statement is sent back.
#[derive(Debug, Deserialize, ToSchema)]
pub struct WhyBack {
    /// Four to 200 characters; the maker reads it.
    #[serde(default)]
    why: String,
}

/// Sends a statement back: its orders are free for a new one.
#[utoipa::path(post, path = "/api/v1/statements/{id}/return", tag = "statements", params(("id" = String, Path)),
    request_body = WhyBack, responses((status = 200), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn send_back(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<WhyBack>,
) -> Reply {
    let id: StatementId = id.parse().map_err(|_| Problem::not_found())?;
    call.run(&app, &signed, Done, move |tx, actor, body, now| {
        statements::send_back(tx, actor, id, &body.why, now)
    })
    .await
}

/// The third person's step.
#[utoipa::path(post, path = "/api/v1/statements/{id}/payment", tag = "statements", params(("id" = String, Path)),
    responses((status = 200), (status = 409, body = Problem)))]
pub async fn payment(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<Empty>,
) -> Reply {
    let id: StatementId = id.parse().map_err(|_| Problem::not_found())?;
    call.run(&app, &signed, Done, move |tx, actor, _, now| statements::pay(tx, actor, id, now)).await
}
