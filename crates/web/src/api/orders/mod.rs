//! Orders: lists, one order, placing; the steps stand in `steps`.

mod steps;

use app::orders::{self, Filter, Line, PlaceOrder, Sheet};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use domain::{
    ids::{CallId, CarerId, EntitlementId, OrderId, PersonId, ProviderId},
    money::{Fen, Minutes},
    orders::{Channel, Method, OrderRefusal, OrderState},
    regions::RegionCode,
    time::At,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use steps::*;

use super::{Call, Created, Cursor, Listing, parsed};
use crate::{App, Problem, Reply, Signed};

/// An order as programs see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderView {
    /// Id.
    #[schema(value_type = String)]
    pub id: OrderId,
    /// Where it belongs, 12 digits.
    #[schema(value_type = String)]
    pub region: RegionCode,
    /// For whom.
    #[schema(value_type = String)]
    pub person: PersonId,
    /// Item of the catalogue.
    pub service: String,
    /// Where it stands: placed, offered, accepted, in_service, served, confirmed, disputed, settled, nobody_home,
    /// interrupted, cancelled.
    #[schema(value_type = String)]
    pub state: OrderState,
    /// Planned start.
    #[schema(value_type = String)]
    pub start_at: At,
    /// Planned end.
    #[schema(value_type = String)]
    pub end_at: At,
    /// Contract price in fen.
    #[schema(value_type = i64)]
    pub price_fen: Fen,
    /// The elder's own part in fen.
    #[schema(value_type = i64)]
    pub own_fen: Fen,
    /// When it was placed.
    #[schema(value_type = String)]
    pub placed_at: At,
    /// Whose carer.
    #[schema(value_type = Option<String>)]
    pub provider: Option<ProviderId>,
    /// Who goes.
    #[schema(value_type = Option<String>)]
    pub carer: Option<CarerId>,
    /// When the carer took it.
    #[schema(value_type = Option<String>)]
    pub accepted_at: Option<At>,
    /// When the visit began.
    #[schema(value_type = Option<String>)]
    pub checked_in_at: Option<At>,
    /// When the visit ended.
    #[schema(value_type = Option<String>)]
    pub checked_out_at: Option<At>,
    /// Words for the carer.
    pub note: String,
    /// One to five.
    pub stars: Option<i64>,
}

impl From<Line> for OrderView {
    fn from(l: Line) -> OrderView {
        OrderView {
            id: l.id,
            region: l.region,
            person: l.person,
            service: l.service,
            state: l.state,
            start_at: l.start_at,
            end_at: l.end_at,
            price_fen: l.price,
            own_fen: l.own,
            placed_at: l.placed_at,
            provider: l.provider,
            carer: l.carer,
            accepted_at: l.accepted_at,
            checked_in_at: l.checked_in_at,
            checked_out_at: l.checked_out_at,
            note: l.note,
            stars: l.stars,
        }
    }
}

/// A part of the price.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShareView {
    /// Under which entitlement; absent for own money.
    #[schema(value_type = Option<String>)]
    pub entitlement: Option<EntitlementId>,
    /// Name of the programme.
    pub programme: String,
    /// How much of the right, in its own asset.
    pub used: i64,
    /// Money in fen.
    #[schema(value_type = i64)]
    pub amount_fen: Fen,
}

/// The proof of a visit.
#[derive(Debug, Serialize, ToSchema)]
pub struct VisitView {
    /// When it began, as it counts.
    #[schema(value_type = String)]
    pub in_at: At,
    /// When we heard of it.
    #[schema(value_type = String)]
    pub in_server_at: At,
    /// What the phone's clock said.
    #[schema(value_type = String)]
    pub in_device_at: At,
    /// How presence was shown.
    #[schema(value_type = String)]
    pub in_method: Method,
    /// Metres from the home, when known.
    pub in_distance_metres: Option<i64>,
    /// When it ended.
    #[schema(value_type = Option<String>)]
    pub out_at: Option<At>,
    /// Whole minutes of service.
    #[schema(value_type = Option<i64>)]
    pub minutes: Option<Minutes>,
    /// What was done.
    pub tasks: Vec<String>,
    /// Words of the carer.
    pub note: String,
    /// Photographs.
    pub photos: usize,
}

/// An order with everything that belongs to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderSheet {
    /// The order.
    #[serde(flatten)]
    pub order: OrderView,
    /// Who was to pay what.
    pub shares: Vec<ShareView>,
    /// The visit's proof.
    pub visit: Option<VisitView>,
}

impl From<Sheet> for OrderSheet {
    fn from(s: Sheet) -> OrderSheet {
        let photos = s.photos.len();
        OrderSheet {
            order: s.line.into(),
            shares: s
                .shares
                .into_iter()
                .map(|x| ShareView {
                    entitlement: x.entitlement,
                    programme: x.programme,
                    used: x.used,
                    amount_fen: x.amount,
                })
                .collect(),
            visit: s.visit.map(|v| VisitView {
                in_at: v.in_at,
                in_server_at: v.in_server_at,
                in_device_at: v.in_device_at,
                in_method: v.in_method,
                in_distance_metres: v.in_distance,
                out_at: v.out_at,
                minutes: v.minutes,
                tasks: v.tasks,
                note: v.note,
                photos,
            }),
        }
    }
}

/// Which orders to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub struct OrderQuery {
    /// Only this state.
    state: Option<String>,
    /// Only this region (12 digits, or fewer for a whole county or township).
    region: Option<String>,
    /// Only of this person.
    person: Option<String>,
    /// Only of this carer.
    carer: Option<String>,
    /// Only of this provider.
    provider: Option<String>,
    /// Only this item.
    service: Option<String>,
    /// Starting from here (RFC 3339).
    from: Option<String>,
    /// Starting before here (RFC 3339).
    to: Option<String>,
}

impl OrderQuery {
    fn filter(&self) -> Result<Filter, Problem> {
        let at = |text: &Option<String>| -> Result<Option<At>, Problem> {
            text.as_deref()
                .map(|t| {
                    At::parse(t)
                        .ok_or_else(|| Problem::malformed("from 与 to 应写成 2026-11-21T09:30:00+08:00"))
                })
                .transpose()
        };
        let state = self
            .state
            .as_deref()
            .map(|s| OrderState::from_code(s).ok_or_else(|| Problem::malformed(format!("没有状态 {s}"))))
            .transpose()?;
        Ok(Filter {
            states: state.into_iter().collect(),
            region: self
                .region
                .as_deref()
                .map(|r| {
                    RegionCode::parse(r).map(RegionCode::range).map_err(|e| Problem::malformed(e.to_string()))
                })
                .transpose()?,
            person: parsed(self.person.as_deref(), "person")?,
            provider: parsed(self.provider.as_deref(), "provider")?,
            carer: parsed(self.carer.as_deref(), "carer")?,
            service: self.service.clone(),
            from: at(&self.from)?,
            to: at(&self.to)?,
        })
    }
}

/// Orders the token may see, by id.
#[utoipa::path(get, path = "/api/v1/orders", tag = "orders", params(OrderQuery, Cursor),
    responses((status = 200, body = Listing<OrderView>), (status = 400, body = Problem)))]
pub async fn index(
    State(app): State<App>,
    signed: Signed,
    Query(query): Query<OrderQuery>,
    cursor: Cursor,
) -> Reply<Listing<OrderView>> {
    let (filter, actor) = (query.filter()?, signed.actor());
    let lines = app
        .read(move |tx, _| {
            orders::lines_after(tx, &actor, &filter, cursor.after.unwrap_or(0), cursor.limit() + 1)
        })
        .await?;
    Ok(Listing::page(lines, cursor.limit(), |l| l.id.0, OrderView::from))
}

/// A wish for an order.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewOrder {
    /// For whom.
    #[schema(value_type = String)]
    person: PersonId,
    /// Item of the catalogue.
    service: String,
    /// When the carer should come (RFC 3339).
    #[schema(value_type = String)]
    start_at: At,
    /// For how long; the item's standard when not given.
    minutes: Option<i64>,
    /// The elder agreed to pay what programmes do not.
    #[serde(default)]
    own_share_agreed: bool,
    /// hotline, office, family or plan; office when not given.
    #[schema(value_type = Option<String>)]
    channel: Option<Channel>,
    /// The call it came from.
    #[schema(value_type = Option<String>)]
    call: Option<CallId>,
    /// Words for the carer.
    #[serde(default)]
    note: String,
}

impl NewOrder {
    fn ask(&self) -> PlaceOrder {
        PlaceOrder {
            person: self.person,
            service: self.service.clone(),
            start: self.start_at,
            minutes: self.minutes.map(Minutes),
            own_share_agreed: self.own_share_agreed,
            channel: self.channel.unwrap_or(Channel::Office),
            call: self.call,
            note: self.note.clone(),
        }
    }
}

/// What a made thing is called.
#[derive(Debug, Serialize, ToSchema)]
pub struct Made<T> {
    /// Its id.
    pub id: T,
}

/// Where an order stands after a step.
#[derive(Debug, Serialize, ToSchema)]
pub struct Step {
    /// Its id.
    #[schema(value_type = String)]
    pub id: OrderId,
    /// Where it stands now.
    #[schema(value_type = String)]
    pub state: OrderState,
}

/// Places an order.
#[utoipa::path(post, path = "/api/v1/orders", tag = "orders", request_body = NewOrder,
    responses((status = 201, body = Step), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn create(State(app): State<App>, signed: Signed, call: Call<NewOrder>) -> Reply {
    call.run(&app, &signed, Created, |tx, actor, body, now| {
        let id = orders::place(tx, actor, &body.ask(), now)?;
        Ok::<_, app::outcome::No<OrderRefusal>>(Step { id, state: OrderState::Placed })
    })
    .await
}

/// One order with everything that belongs to it.
#[utoipa::path(get, path = "/api/v1/orders/{id}", tag = "orders", params(("id" = String, Path)),
    responses((status = 200, body = OrderSheet), (status = 404, body = Problem)))]
pub async fn show(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply<Json<OrderSheet>> {
    let (id, actor) = (order_id(&id)?, signed.actor());
    let sheet = app.read(move |tx, _| orders::sheet(tx, &actor, id)).await?;
    Ok(Json(sheet.into()))
}

/// A carer with reasons for and against.
#[derive(Debug, Serialize, ToSchema)]
pub struct CandidateView {
    /// Who.
    #[schema(value_type = String)]
    carer: CarerId,
    /// Name.
    name: String,
    /// Of which provider.
    #[schema(value_type = String)]
    provider: ProviderId,
    /// Whether nothing forbids it.
    allowed: bool,
    /// Sum of the reasons.
    score: i32,
    /// Minutes of the ride.
    travel_minutes: u32,
    /// The reasons as sentences.
    reasons: Vec<ReasonView>,
}

/// One reason.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonView {
    /// for, against or forbids.
    side: &'static str,
    /// The reason.
    text: String,
}

/// Carers for an order, best first.
#[utoipa::path(get, path = "/api/v1/orders/{id}/candidates", tag = "orders", params(("id" = String, Path)),
    responses((status = 200, body = Listing<CandidateView>), (status = 404, body = Problem)))]
pub async fn candidates(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
) -> Reply<Listing<CandidateView>> {
    let (id, actor) = (order_id(&id)?, signed.actor());
    let found = app.read(move |tx, now| orders::candidates(tx, &actor, id, now)).await?;
    let view = |c: orders::Candidate| CandidateView {
        carer: c.carer,
        name: c.name,
        provider: c.provider,
        allowed: c.allowed,
        score: c.score,
        travel_minutes: c.travel_minutes,
        reasons: c.reasons.into_iter().map(|r| ReasonView { side: r.side, text: r.text }).collect(),
    };
    Ok(Listing { items: found.into_iter().map(view).collect(), next: None })
}

fn order_id(text: &str) -> Result<OrderId, Problem> {
    // An id that cannot exist is as absent as one that does not.
    text.parse().map_err(|_| Problem::not_found())
}
