//! The steps of an order, one address each.

use app::{orders, outcome::Outcome, store::Tx};
use axum::extract::{Path, State};
use domain::{
    access::Actor,
    ids::{CarerId, OrderId},
    money::Fen,
    orders::{
        CancelReason, CheckIn, CheckOut, Confirmation, ConfirmedBy, Fix, Interrupt, Interruption, Method,
        NobodyHome, OrderRefusal, OrderState,
    },
    time::{At, Now},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Made, Step, order_id};
use crate::{
    App, Problem, Reply, Signed,
    api::{Call, Done},
};

/// Runs one step of the order in the address, once.
async fn step<B: Send + Sync + 'static, T: Serialize + 'static>(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<B>,
    work: impl Fn(&mut Tx<'_>, &Actor, OrderId, &B, Now) -> Outcome<T, OrderRefusal> + Send + 'static,
) -> Reply {
    let id = order_id(&id)?;
    call.run(&app, &signed, Done, move |tx, actor, body, now| work(tx, actor, id, body, now)).await
}

/// To whom an order is given.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Assignment {
    /// Who goes.
    #[schema(value_type = String)]
    carer: CarerId,
    /// The second carer, where two must come.
    #[schema(value_type = Option<String>)]
    partner: Option<CarerId>,
}

/// Gives an order to a carer.
#[utoipa::path(post, path = "/api/v1/orders/{id}/assignment", tag = "orders", params(("id" = String, Path)),
    request_body = Assignment, responses((status = 200, body = Step), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn assignment(app: State<App>, signed: Signed, id: Path<String>, call: Call<Assignment>) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| {
        let state = orders::assign(tx, actor, id, body.carer, body.partner, now)?;
        Ok(Step { id, state })
    })
    .await
}

/// The carer's answer to an offer.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Acceptance {
    /// Whether the carer comes; true when not given.
    #[serde(default = "yes")]
    accepted: bool,
    /// Why not.
    #[serde(default)]
    reason: String,
}

fn yes() -> bool {
    true
}

/// The carer takes the order or gives it back.
#[utoipa::path(post, path = "/api/v1/orders/{id}/acceptance", tag = "orders", params(("id" = String, Path)),
    request_body = Acceptance, responses((status = 200, body = Step), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn acceptance(app: State<App>, signed: Signed, id: Path<String>, call: Call<Acceptance>) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| {
        if body.accepted {
            orders::accept(tx, actor, id, now)?;
            Ok(Step { id, state: OrderState::Accepted })
        } else {
            orders::decline(tx, actor, id, &body.reason, now)?;
            Ok(Step { id, state: OrderState::Placed })
        }
    })
    .await
}

/// What a phone sends at the door.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CheckInBody {
    /// gps, code, landline or manual; gps when not given.
    #[schema(value_type = Option<String>)]
    method: Option<Method>,
    /// Where the phone was, if it knew: `{"lon", "lat", "accuracy"}` in degrees and metres.
    #[schema(value_type = Option<Object>)]
    fix: Option<Fix>,
    /// The phone's own clock; ours when not given.
    #[schema(value_type = Option<String>)]
    device_at: Option<At>,
}

/// The visit begins.
#[utoipa::path(post, path = "/api/v1/orders/{id}/check-in", tag = "orders", params(("id" = String, Path)),
    request_body = CheckInBody, responses((status = 200, body = Step), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn check_in(app: State<App>, signed: Signed, id: Path<String>, call: Call<CheckInBody>) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| {
        let ask = CheckIn {
            method: body.method.unwrap_or(Method::Gps),
            fix: body.fix,
            device_at: body.device_at.unwrap_or(now.0),
        };
        orders::check_in(tx, actor, id, &ask, now)?;
        Ok(Step { id, state: OrderState::InService })
    })
    .await
}

/// What a phone sends when the carer leaves.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CheckOutBody {
    /// Where the phone was, if it knew.
    #[schema(value_type = Option<Object>)]
    fix: Option<Fix>,
    /// The phone's own clock; ours when not given.
    #[schema(value_type = Option<String>)]
    device_at: Option<At>,
    /// What was done.
    #[serde(default)]
    tasks: Vec<String>,
    /// Words of the carer; required when the visit was shorter than the item's minimum.
    #[serde(default)]
    note: String,
    /// The elder's word on the spot.
    confirmation: Option<ConfirmationBody>,
}

/// What the receiver of a service says.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ConfirmationBody {
    /// elder, family or call_back; elder when not given.
    #[schema(value_type = Option<String>)]
    by: Option<ConfirmedBy>,
    /// Whether it was as it should be; true when not given.
    #[serde(default = "yes")]
    satisfied: bool,
    /// What was said; required when not satisfied.
    #[serde(default)]
    note: String,
}

impl ConfirmationBody {
    fn word(&self) -> Confirmation {
        Confirmation {
            by: self.by.unwrap_or(ConfirmedBy::Elder),
            satisfied: self.satisfied,
            note: self.note.clone(),
        }
    }
}

/// The visit ends.
#[utoipa::path(post, path = "/api/v1/orders/{id}/check-out", tag = "orders", params(("id" = String, Path)),
    request_body = CheckOutBody, responses((status = 200, body = Step), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn check_out(app: State<App>, signed: Signed, id: Path<String>, call: Call<CheckOutBody>) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| {
        let ask = CheckOut {
            fix: body.fix,
            device_at: body.device_at.unwrap_or(now.0),
            tasks: body.tasks.clone(),
            note: body.note.clone(),
        };
        let word = body.confirmation.as_ref().map(ConfirmationBody::word);
        let state = orders::check_out(tx, actor, id, &ask, word.as_ref(), now)?;
        Ok(Step { id, state })
    })
    .await
}

/// What a carer before a closed door sends.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NobodyHomeBody {
    /// Where the phone is, if it knows.
    #[schema(value_type = Option<Object>)]
    fix: Option<Fix>,
    /// The phone's own clock; ours when not given.
    #[schema(value_type = Option<String>)]
    device_at: Option<At>,
    /// The elder's number was rung.
    #[serde(default)]
    rang_elder: bool,
    /// A contact's number was rung.
    #[serde(default)]
    rang_contact: bool,
    /// What neighbours said, what was heard.
    #[serde(default)]
    note: String,
}

/// Nobody opened: after a quarter of an hour, with a photograph of the door and calls to elder and contact.
#[utoipa::path(post, path = "/api/v1/orders/{id}/empty-visit", tag = "orders", params(("id" = String, Path)),
    request_body = NobodyHomeBody, responses((status = 200, body = Step), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn empty_visit(
    app: State<App>,
    signed: Signed,
    id: Path<String>,
    call: Call<NobodyHomeBody>,
) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| {
        let ask = NobodyHome {
            fix: body.fix,
            device_at: body.device_at.unwrap_or(now.0),
            rang_elder: body.rang_elder,
            rang_contact: body.rang_contact,
            note: body.note.clone(),
        };
        orders::nobody_home(tx, actor, id, &ask, now)?;
        Ok(Step { id, state: OrderState::NobodyHome })
    })
    .await
}

/// What a carer sends whose visit breaks off.
#[derive(Debug, Deserialize, ToSchema)]
pub struct InterruptionBody {
    /// illness or refusal.
    #[schema(value_type = String)]
    why: Interruption,
    /// Where the phone is, if it knows.
    #[schema(value_type = Option<Object>)]
    fix: Option<Fix>,
    /// The phone's own clock; ours when not given.
    #[schema(value_type = Option<String>)]
    device_at: Option<At>,
    /// What happened and who was told.
    #[serde(default)]
    note: String,
}

/// The visit breaks off: the real minutes are paid, when they reach the item's minimum.
#[utoipa::path(post, path = "/api/v1/orders/{id}/interruption", tag = "orders", params(("id" = String, Path)),
    request_body = InterruptionBody, responses((status = 200, body = Step), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn interruption(
    app: State<App>,
    signed: Signed,
    id: Path<String>,
    call: Call<InterruptionBody>,
) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| {
        let ask = Interrupt {
            fix: body.fix,
            device_at: body.device_at.unwrap_or(now.0),
            why: body.why,
            note: body.note.clone(),
        };
        orders::interrupt(tx, actor, id, &ask, now)?;
        Ok(Step { id, state: OrderState::Interrupted })
    })
    .await
}

/// Records what the elder, the family or a call-back says.
#[utoipa::path(post, path = "/api/v1/orders/{id}/confirmation", tag = "orders", params(("id" = String, Path)),
    request_body = ConfirmationBody, responses((status = 200, body = Step), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn confirmation(
    app: State<App>,
    signed: Signed,
    id: Path<String>,
    call: Call<ConfirmationBody>,
) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| {
        let state = orders::confirm(tx, actor, id, &body.word(), now)?;
        Ok(Step { id, state })
    })
    .await
}

/// A rating.
#[derive(Debug, Deserialize, ToSchema)]
pub struct RatingBody {
    /// One to five.
    stars: i64,
    /// Words.
    #[serde(default)]
    comment: String,
}

/// Records a rating, once.
#[utoipa::path(post, path = "/api/v1/orders/{id}/rating", tag = "orders", params(("id" = String, Path)),
    request_body = RatingBody, responses((status = 200, body = Made<String>), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn rating(app: State<App>, signed: Signed, id: Path<String>, call: Call<RatingBody>) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| {
        orders::rate(tx, actor, id, body.stars, &body.comment, now)?;
        Ok(Made { id })
    })
    .await
}

/// What a settled order cost.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettledView {
    /// The order.
    #[schema(value_type = String)]
    id: OrderId,
    /// settled.
    #[schema(value_type = String)]
    state: OrderState,
    /// Price for what was served, in fen.
    #[schema(value_type = i64)]
    price_fen: Fen,
}

/// Nothing beyond the address.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Nothing {}

/// Books an accepted, proved visit.
#[utoipa::path(post, path = "/api/v1/orders/{id}/settlement", tag = "orders", params(("id" = String, Path)),
    responses((status = 200, body = SettledView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn settlement(app: State<App>, signed: Signed, id: Path<String>, call: Call<Nothing>) -> Reply {
    step(app, signed, id, call, |tx, actor, id, _, now| {
        let price_fen = orders::settle(tx, actor, id, now)?;
        Ok(SettledView { id, state: OrderState::Settled, price_fen })
    })
    .await
}

/// What was taken from the elder.
#[derive(Debug, Serialize, ToSchema)]
pub struct CollectedView {
    /// The order.
    #[schema(value_type = String)]
    id: OrderId,
    /// The elder's own part in fen.
    #[schema(value_type = i64)]
    amount_fen: Fen,
}

/// The provider has taken the elder's own part of a settled order, or the fee of one called off late.
#[utoipa::path(post, path = "/api/v1/orders/{id}/own-share", tag = "orders", params(("id" = String, Path)),
    responses((status = 200, body = CollectedView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn own_share(app: State<App>, signed: Signed, id: Path<String>, call: Call<Nothing>) -> Reply {
    step(app, signed, id, call, |tx, actor, id, _, now| {
        let amount_fen = orders::collect_own(tx, actor, id, now)?;
        Ok(CollectedView { id, amount_fen })
    })
    .await
}

/// Why an order will not happen.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CancellationBody {
    /// elder, family, absent, no_carer or mistake.
    #[schema(value_type = String)]
    reason: CancelReason,
    /// Words.
    #[serde(default)]
    note: String,
}

/// Calls an order off.
#[utoipa::path(post, path = "/api/v1/orders/{id}/cancellation", tag = "orders", params(("id" = String, Path)),
    request_body = CancellationBody, responses((status = 200, body = Step), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn cancellation(
    app: State<App>,
    signed: Signed,
    id: Path<String>,
    call: Call<CancellationBody>,
) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| {
        orders::cancel(tx, actor, id, body.reason, &body.note, now)?;
        Ok(Step { id, state: OrderState::Cancelled })
    })
    .await
}
