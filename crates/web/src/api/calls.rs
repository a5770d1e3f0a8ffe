//! Calls, as a telephone system reports them.

use app::orders::calls::{self, CallRefusal, NewCall};
use axum::{
    Json,
    extract::{Path, State},
};
use domain::{
    ids::{CallId, PersonId},
    regions::RegionCode,
    time::At,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Call, Created, Cursor, Done, Listing, orders::Nothing};
use crate::{App, Problem, Reply, Signed};

/// A ringing call.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewCallBody {
    /// The telephone system's own id; the same call reported twice is one call.
    external_id: String,
    /// Which line it came in on; 12349 when not given.
    line: Option<String>,
    /// The caller's number; empty when withheld.
    #[serde(default)]
    number: String,
    /// When it began to ring (RFC 3339); now when not given.
    #[schema(value_type = Option<String>)]
    rang_at: Option<At>,
    /// Where the line belongs, when nobody is known by the number; the token's region when not given.
    #[schema(value_type = Option<String>)]
    region: Option<RegionCode>,
}

/// A call as programs see it. The number is masked.
#[derive(Debug, Serialize, ToSchema)]
pub struct CallView {
    /// Id.
    #[schema(value_type = String)]
    pub id: CallId,
    /// The telephone system's id.
    pub external_id: String,
    /// Line.
    pub line: String,
    /// Masked number.
    pub number: String,
    /// Where it belongs.
    #[schema(value_type = String)]
    pub region: RegionCode,
    /// When it began to ring.
    #[schema(value_type = String)]
    pub rang_at: At,
    /// When it was answered.
    #[schema(value_type = Option<String>)]
    pub answered_at: Option<At>,
    /// Who calls, if known.
    #[schema(value_type = Option<String>)]
    pub person: Option<PersonId>,
    /// When it was over.
    #[schema(value_type = Option<String>)]
    pub closed_at: Option<At>,
    /// How it ended: ordered, answered, passed_on, wrong or hung_up.
    pub outcome: Option<&'static str>,
}

impl From<calls::Call> for CallView {
    fn from(c: calls::Call) -> CallView {
        CallView {
            id: c.id,
            external_id: c.external_id,
            line: c.line,
            number: c.number_shown,
            region: c.region,
            rang_at: c.rang_at,
            answered_at: c.answered_at,
            person: c.person,
            closed_at: c.closed_at,
            outcome: c.outcome.map(calls::Outcome::code),
        }
    }
}

/// What a reported call is called here.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportedCall {
    /// Its id.
    #[schema(value_type = String)]
    id: CallId,
}

/// Reports a ringing call.
#[utoipa::path(post, path = "/api/v1/calls", tag = "calls", request_body = NewCallBody,
    responses((status = 201, body = ReportedCall), (status = 422, body = Problem)))]
pub async fn create(State(app): State<App>, signed: Signed, call: Call<NewCallBody>) -> Reply {
    call.run(&app, &signed, Created, |tx, actor, body, now| {
        // A line without a place of its own belongs to the first region of the token.
        let place = RegionCode::new(actor.range.lo.max(110_000_000_000)).ok();
        let region = body
            .region
            .or(place)
            .ok_or(app::outcome::No::Refused(CallRefusal::Missing("所属区划 region")))?;
        let new = NewCall {
            external_id: body.external_id.clone(),
            line: body.line.clone().unwrap_or_else(|| "12349".to_owned()),
            number: body.number.clone(),
            rang_at: body.rang_at.unwrap_or(now.0),
            region,
        };
        Ok(ReportedCall { id: calls::report(tx, actor, &new, now)? })
    })
    .await
}

/// Calls of the past, latest first.
#[utoipa::path(get, path = "/api/v1/calls", tag = "calls", params(Cursor),
    responses((status = 200, body = Listing<CallView>)))]
pub async fn index(State(app): State<App>, signed: Signed, cursor: Cursor) -> Reply<Listing<CallView>> {
    let actor = signed.actor();
    let found = app
        .read(move |tx, _| calls::calls(tx, &actor, cursor.after.map(CallId), None, cursor.limit() + 1))
        .await?;
    Ok(Listing::page(found, cursor.limit(), |c| c.id.0, CallView::from))
}

/// One call.
#[utoipa::path(get, path = "/api/v1/calls/{id}", tag = "calls", params(("id" = String, Path)),
    responses((status = 200, body = CallView), (status = 404, body = Problem)))]
pub async fn show(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply<Json<CallView>> {
    let id: CallId = id.parse().map_err(|_| Problem::not_found())?;
    let actor = signed.actor();
    let call = app.read(move |tx, _| calls::call(tx, &actor, id)).await?;
    Ok(Json(call.into()))
}

/// An operator picks up, at a desk of another maker.
#[utoipa::path(post, path = "/api/v1/calls/{id}/answer", tag = "calls", params(("id" = String, Path)),
    responses((status = 200, body = CallView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn answer(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<Nothing>,
) -> Reply {
    let id: CallId = id.parse().map_err(|_| Problem::not_found())?;
    call.run(&app, &signed, Done, move |tx, actor, _, now| {
        calls::answer(tx, actor, id, now).map(CallView::from)
    })
    .await
}

/// Another operator goes on with a call.
#[utoipa::path(post, path = "/api/v1/calls/{id}/takeover", tag = "calls", params(("id" = String, Path)),
    responses((status = 200, body = CallView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn takeover(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<Nothing>,
) -> Reply {
    let id: CallId = id.parse().map_err(|_| Problem::not_found())?;
    call.run(&app, &signed, Done, move |tx, actor, _, now| {
        calls::take_over(tx, actor, id, now).map(CallView::from)
    })
    .await
}

/// How a call ended.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Ending {
    /// ordered, answered, passed_on, wrong or hung_up.
    outcome: String,
}

/// The operator ends the call.
#[utoipa::path(post, path = "/api/v1/calls/{id}/ending", tag = "calls", params(("id" = String, Path)),
    request_body = Ending,
    responses((status = 200, body = ReportedCall), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn ending(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<Ending>,
) -> Reply {
    let id: CallId = id.parse().map_err(|_| Problem::not_found())?;
    call.run(&app, &signed, Done, move |tx, actor, body, now| {
        let missing = CallRefusal::Missing("通话结果 outcome");
        let outcome = calls::Outcome::from_code(&body.outcome).ok_or(app::outcome::No::Refused(missing))?;
        calls::close(tx, actor, id, outcome, now)?;
        Ok(ReportedCall { id })
    })
    .await
}
