//! Facts about somebody: what held when, by what was known when.

use app::parties::people::{self, NewFact};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use domain::{
    ids::{FactId, PersonId},
    parties::{FactKind, FactValue, Span},
    time::{At, Day, Now},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    FactView,
    entering::{BadField, PeopleRefusal, field},
    word,
};
use crate::{
    App, Problem, Reply, Signed,
    api::{Call, Created, parsed},
};

/// A fact in a body.
#[derive(Debug, Deserialize, ToSchema)]
pub struct FactBody {
    /// living, hardship, ability, hukou, state or remark.
    #[schema(value_type = String)]
    kind: FactKind,
    /// The word of the kind; a region code for hukou; text for a remark.
    value: String,
    /// First day it holds; today when not given.
    #[schema(value_type = Option<String>)]
    valid_from: Option<Day>,
    /// The day it no longer holds.
    #[schema(value_type = Option<String>)]
    valid_to: Option<Day>,
    /// Who says so.
    source: String,
}

impl FactBody {
    pub(super) fn fact(&self, now: Now) -> Result<NewFact, BadField> {
        let value = FactValue::parse(self.kind, &self.value).ok_or_else(|| {
            BadField::new("value", format!("{} 没有 {} 这个值", self.kind.label(), self.value))
        })?;
        let span = Span { from: self.valid_from.unwrap_or(now.day()), to: self.valid_to };
        Ok(NewFact { value, span, source: self.source.clone() })
    }
}

/// When to look from.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub struct AsOf {
    /// Only what held on this day.
    day: Option<String>,
    /// By what was known at this moment (RFC 3339); now when not given.
    known: Option<String>,
}

/// Facts about somebody.
#[utoipa::path(get, path = "/api/v1/people/{id}/facts", tag = "people", params(("id" = String, Path), AsOf),
    responses((status = 200, body = Vec<FactView>), (status = 404, body = Problem)))]
pub async fn facts(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<PersonId>,
    Query(as_of): Query<AsOf>,
) -> Reply<Json<Vec<FactView>>> {
    let day: Option<Day> =
        parsed(as_of.day.as_deref(), "day").map_err(|_| Problem::malformed("day 应写成 2026-11-21"))?;
    let known = word(as_of.known.as_deref(), "known", At::parse)?;
    let actor = signed.actor();
    let facts = app.read(move |tx, _| people::facts_as_of(tx, &actor, id, day, known)).await?;
    Ok(Json(facts.into_iter().map(FactView::from).collect()))
}

/// A made fact.
#[derive(Debug, Serialize, ToSchema)]
pub struct FactMade {
    /// Its id.
    #[schema(value_type = String)]
    pub id: FactId,
}

/// States a fact; one that answered the same question ends on the day the new one begins.
#[utoipa::path(post, path = "/api/v1/people/{id}/facts", tag = "people", params(("id" = String, Path)), request_body = FactBody,
    responses((status = 201, body = FactMade), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn state_fact(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<PersonId>,
    call: Call<FactBody>,
) -> Reply {
    call.run(&app, &signed, Created, move |tx, actor, body, now| {
        let fact = field(body.fact(now))?;
        let id = people::state_fact(tx, actor, id, &fact, now).map_err(|no| no.map(PeopleRefusal::Fact))?;
        Ok(FactMade { id })
    })
    .await
}
