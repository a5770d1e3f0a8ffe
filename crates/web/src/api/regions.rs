//! Regions the token may see.

use app::regions::{self, Region};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use domain::{
    regions::{Level, RegionCode},
    time::Day,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Cursor, Listing};
use crate::{App, Problem, Reply, Signed};

/// A region.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegionView {
    /// 12 digits.
    #[schema(value_type = String)]
    pub code: RegionCode,
    /// Official name.
    pub name: String,
    /// province, city, county, township or village.
    #[schema(value_type = String)]
    pub level: Level,
    /// The region above.
    #[schema(value_type = Option<String>)]
    pub parent: Option<RegionCode>,
    /// First day.
    #[schema(value_type = String)]
    pub valid_from: Day,
    /// The day it ended.
    #[schema(value_type = Option<String>)]
    pub valid_to: Option<Day>,
    /// What took its place.
    #[schema(value_type = Option<String>)]
    pub successor: Option<RegionCode>,
}

impl From<Region> for RegionView {
    fn from(r: Region) -> RegionView {
        RegionView {
            code: r.code,
            name: r.name,
            level: r.level,
            parent: r.parent,
            valid_from: r.from,
            valid_to: r.to,
            successor: r.successor,
        }
    }
}

/// Which regions to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub struct RegionParams {
    /// Below this one; from the first level with a choice when not given.
    parent: Option<String>,
    /// Whose name contains this, or whose initials begin with it, anywhere in the range.
    q: Option<String>,
}

/// Regions below one, or found by name. `after` counts lines.
#[utoipa::path(get, path = "/api/v1/regions", tag = "regions", params(RegionParams, Cursor),
    responses((status = 200, body = Listing<RegionView>), (status = 404, body = Problem)))]
pub async fn index(
    State(app): State<App>,
    signed: Signed,
    Query(params): Query<RegionParams>,
    cursor: Cursor,
) -> Reply<Listing<RegionView>> {
    let parent = params.parent.as_deref().filter(|p| !p.is_empty());
    let parent =
        parent.map(|p| RegionCode::parse(p).map_err(|e| Problem::malformed(e.to_string()))).transpose()?;
    let actor = signed.actor();
    let found = app
        .read(move |tx, now| match &params.q {
            Some(q) => regions::suggest(tx, &actor, q, usize::MAX, now),
            None => Ok(regions::children(tx, &actor, parent, now)?.items),
        })
        .await?;
    let size = |n: i64| usize::try_from(n).unwrap_or(0);
    let (skipped, limit) = (size(cursor.after.unwrap_or(0)), size(cursor.limit()));
    let next = (found.len().saturating_sub(skipped) > limit).then(|| (skipped + limit).to_string());
    Ok(Listing { items: found.into_iter().skip(skipped).take(limit).map(RegionView::from).collect(), next })
}

/// A region and what lies above it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegionSheet {
    /// The region.
    #[serde(flatten)]
    pub region: RegionView,
    /// Province first.
    pub above: Vec<RegionView>,
}

/// One region.
#[utoipa::path(get, path = "/api/v1/regions/{code}", tag = "regions", params(("code" = String, Path)),
    responses((status = 200, body = RegionSheet), (status = 404, body = Problem)))]
pub async fn show(
    State(app): State<App>,
    signed: Signed,
    Path(code): Path<String>,
) -> Reply<Json<RegionSheet>> {
    let code = RegionCode::parse(&code).map_err(|e| Problem::malformed(e.to_string()))?;
    let actor = signed.actor();
    let (region, above) = app.read(move |tx, _| regions::region(tx, &actor, code)).await?;
    Ok(Json(RegionSheet { region: region.into(), above: above.into_iter().map(RegionView::from).collect() }))
}
