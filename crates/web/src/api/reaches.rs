//! Who is called or written to for incidents, and what the telephone gateway says came of it.

use app::signals::incidents::reaches::{self, Reached};
use axum::extract::{Path, Query, State};
use domain::{
    ids::{ErrandId, IncidentId, ReachId},
    signals::{
        ladder::{Reach, ReachResult},
        reach::{ReachChannel, ReachState},
    },
    time::At,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Call, Cursor, Done, Listing, parsed};
use crate::{App, Problem, Reply, Signed};

/// Somebody who is or was called or written to. The number is told to the gateway only.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReachView {
    /// Id, and the key under which the gateway does it once.
    #[schema(value_type = String)]
    id: ReachId,
    /// For which incident.
    #[schema(value_type = String)]
    incident: IncidentId,
    /// In which round of its ladder.
    round: i64,
    /// For which step of it.
    step: Option<i64>,
    /// For which errand.
    #[schema(value_type = Option<String>)]
    errand: Option<ErrandId>,
    /// As whom: elder, family, neighbour, grid_worker, station, leader, street, county.
    #[schema(value_type = String)]
    to: Reach,
    /// Name.
    name: String,
    /// What they are to the elder, or whose they are.
    relation: String,
    /// phone, text, app.
    #[schema(value_type = String)]
    channel: ReachChannel,
    /// waiting, sent, answered, unanswered, failed, by_hand, withdrawn.
    #[schema(value_type = String)]
    state: ReachState,
    /// When it was asked for.
    #[schema(value_type = String)]
    asked_at: At,
    /// How often it was handed to the gateway, or tried to.
    attempts: i64,
    /// When it is tried next.
    #[schema(value_type = Option<String>)]
    next_at: Option<At>,
    /// When the gateway took it.
    #[schema(value_type = Option<String>)]
    sent_at: Option<At>,
    /// answered, coming, refused, busy, no_answer, unreachable, delivered, failed.
    #[schema(value_type = Option<String>)]
    result: Option<ReachResult>,
    /// When that was heard.
    #[schema(value_type = Option<String>)]
    result_at: Option<At>,
    /// Why it could not be done.
    error: String,
}

impl From<Reached> for ReachView {
    fn from(r: Reached) -> ReachView {
        ReachView {
            id: r.id,
            incident: r.incident,
            round: r.round,
            step: r.step,
            errand: r.errand,
            to: r.to,
            name: r.name,
            relation: r.relation,
            channel: r.channel,
            state: r.state,
            asked_at: r.asked_at,
            attempts: r.attempts,
            next_at: r.next_at,
            sent_at: r.sent_at,
            result: r.result,
            result_at: r.result_at,
            error: r.error,
        }
    }
}

/// Which to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub struct ReachQuery {
    /// waiting, sent, answered, unanswered, failed, by_hand, withdrawn.
    state: Option<String>,
    /// Only for this incident.
    incident: Option<String>,
}

/// Who is or was called or written to, latest first.
#[utoipa::path(get, path = "/api/v1/reaches", tag = "incidents", params(ReachQuery, Cursor),
    responses((status = 200, body = Listing<ReachView>), (status = 400, body = Problem)))]
pub async fn index(
    State(app): State<App>,
    signed: Signed,
    Query(query): Query<ReachQuery>,
    cursor: Cursor,
) -> Reply<Listing<ReachView>> {
    let word = query.state.as_deref().filter(|word| !word.is_empty());
    let unknown = |word: &str| Problem::malformed(format!("state 里的“{word}”不认识"));
    let state = word.map(|word| ReachState::from_code(word).ok_or_else(|| unknown(word))).transpose()?;
    let (incident, actor) = (parsed(query.incident.as_deref(), "incident")?, signed.actor());
    let found = app
        .read(move |tx, _| {
            let before = cursor.after.map(ReachId);
            reaches::reaches(tx, &actor, (state, incident), before, cursor.limit() + 1)
        })
        .await?;
    Ok(Listing::page(found, cursor.limit(), |r| r.id.0, ReachView::from))
}

/// What came of one.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ReachResultBody {
    /// answered; coming (pressed 1), refused (pressed 2); busy, no_answer; unreachable (no such number); delivered (a text);
    /// failed.
    #[schema(value_type = String)]
    result: ReachResult,
    /// In which words, up to 200 characters: why it failed, what was said.
    #[serde(default)]
    text: String,
}

/// The gateway says what came of a call or text. Said twice it is once; a later, weightier word replaces an earlier one.
#[utoipa::path(post, path = "/api/v1/reaches/{id}/result", tag = "incidents", params(("id" = String, Path)),
    request_body = ReachResultBody,
    responses((status = 200, body = ReachView), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub async fn result(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<ReachResultBody>,
) -> Reply {
    let id: ReachId = id.parse().map_err(|_| Problem::not_found())?;
    call.run(&app, &signed, Done, move |tx, actor, body, now| {
        reaches::result(tx, actor, id, (body.result, &body.text), now).map(ReachView::from)
    })
    .await
}
