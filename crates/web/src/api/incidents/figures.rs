//! How fast incidents were answered, and whom an outage may have cost.

use app::signals::incidents;
use axum::{
    Json,
    extract::{Query, State},
};
use domain::{
    ids::{CallId, DeviceId, IncidentId, PersonId},
    signals::{
        answering::{Standard, Waits},
        silence::RiskGrade,
    },
    time::At,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::moment;
use crate::{App, Problem, Reply, Signed};

/// Which time to look at.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct FiguresQuery {
    /// From here on (RFC 3339); 24 hours ago when not given.
    from: Option<String>,
    /// Until here (RFC 3339); now when not given.
    to: Option<String>,
}

/// How long a number of alarms or calls waited, in seconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct WaitsView {
    /// How many there were.
    count: i64,
    /// How many were answered.
    answered: i64,
    /// Half waited no longer.
    p50: Option<i64>,
    /// 95 of 100 waited no longer; nothing when more were not answered at all.
    p95: Option<i64>,
    /// 99 of 100.
    p99: Option<i64>,
    /// The longest.
    longest: Option<i64>,
}

impl From<&Waits> for WaitsView {
    fn from(w: &Waits) -> WaitsView {
        WaitsView {
            count: w.count(),
            answered: w.answered(),
            p50: w.percentile(50),
            p95: w.percentile(95),
            p99: w.percentile(99),
            longest: w.longest(),
        }
    }
}

/// One goal of a standard and what was reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct GoalView {
    /// gbt33358, nena, tsa, own.
    standard: &'static str,
    /// Its name.
    name: &'static str,
    /// Within so many seconds.
    seconds: i64,
    /// So many of a thousand.
    goal_permille: i64,
    /// Reached for red alarms.
    red_permille: Option<i64>,
    /// Reached for all alarms.
    alarms_permille: Option<i64>,
    /// Reached for calls.
    calls_permille: Option<i64>,
    /// Whether red alarms meet it; nothing when there were none.
    red_met: Option<bool>,
}

/// A kind, a level or an hour with its waits.
#[derive(Debug, Serialize, ToSchema)]
pub struct SliceView {
    /// Its code, or when the hour began.
    of: String,
    /// How long alarms waited.
    alarms: WaitsView,
}

/// How fast alarms and calls were answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct FiguresView {
    /// From here on.
    #[schema(value_type = String)]
    from: At,
    /// Until here.
    #[schema(value_type = String)]
    to: At,
    /// Red alarms.
    red: WaitsView,
    /// All alarms.
    alarms: WaitsView,
    /// Calls.
    calls: WaitsView,
    /// By standard.
    goals: Vec<GoalView>,
    /// By kind.
    kinds: Vec<SliceView>,
    /// By level.
    levels: Vec<SliceView>,
    /// By hour.
    hours: Vec<SliceView>,
    /// The worst hour.
    worst: Option<SliceView>,
    /// Tests and duplicates, left out of all the above.
    left_out: i64,
}

/// Answer times between two moments, by three standards and our own goals.
#[utoipa::path(get, path = "/api/v1/incidents/figures", tag = "incidents", params(FiguresQuery),
    responses((status = 200, body = FiguresView), (status = 422, body = Problem)))]
pub async fn figures(
    State(app): State<App>,
    signed: Signed,
    Query(query): Query<FiguresQuery>,
) -> Reply<Json<FiguresView>> {
    let to = moment(query.to.as_deref(), "to")?.unwrap_or(app.now().0);
    let from = moment(query.from.as_deref(), "from")?.unwrap_or(to.plus_minutes(-24 * 60));
    if from > to {
        return Err(Problem::invalid("span", "from 应早于 to"));
    }
    let actor = signed.actor();
    let f = app.read(move |tx, _| incidents::figures(tx, &actor, from, to)).await?;
    let slice = |of: String, waits: &Waits| SliceView { of, alarms: waits.into() };
    let goals = Standard::ALL.iter().flat_map(|standard| {
        standard.goals().iter().map(|goal| GoalView {
            standard: standard.code(),
            name: standard.label(),
            seconds: goal.seconds,
            goal_permille: goal.permille,
            red_permille: f.red.permille_within(goal.seconds),
            alarms_permille: f.alarms.permille_within(goal.seconds),
            calls_permille: f.calls.permille_within(goal.seconds),
            red_met: f.red.meets(*goal),
        })
    });
    Ok(Json(FiguresView {
        from,
        to,
        red: (&f.red).into(),
        alarms: (&f.alarms).into(),
        calls: (&f.calls).into(),
        goals: goals.collect(),
        kinds: f.kinds.iter().map(|(kind, waits)| slice(kind.code().to_owned(), waits)).collect(),
        levels: f.levels.iter().map(|(level, waits)| slice(level.code().to_owned(), waits)).collect(),
        hours: f.hours.iter().map(|hour| slice(hour.from.rfc3339(), &hour.alarms)).collect(),
        worst: f.worst.as_ref().map(|hour| slice(hour.from.rfc3339(), &hour.alarms)),
        left_out: f.left_out,
    }))
}

/// A device that has been silent since an outage.
#[derive(Debug, Serialize, ToSchema)]
pub struct MissedDeviceView {
    /// Id.
    #[schema(value_type = String)]
    device: DeviceId,
    /// What its maker calls it.
    serial: String,
    /// What it is.
    kind: String,
    /// When it was last heard of.
    #[schema(value_type = String)]
    last_seen_at: At,
    /// Whose.
    #[schema(value_type = Option<String>)]
    person: Option<PersonId>,
    /// Name of whose.
    person_name: String,
    /// How closely that person is watched: high, key, general.
    #[schema(value_type = Option<String>)]
    grade: Option<RiskGrade>,
    /// Why.
    why: String,
}

/// A call nobody took in an outage.
#[derive(Debug, Serialize, ToSchema)]
pub struct MissedCallView {
    /// Id.
    #[schema(value_type = String)]
    call: CallId,
    /// Masked number.
    number: String,
    /// When it rang.
    #[schema(value_type = String)]
    rang_at: At,
    /// Who called.
    #[schema(value_type = Option<String>)]
    person: Option<PersonId>,
    /// Name of who.
    person_name: String,
    /// How closely that person is watched.
    #[schema(value_type = Option<String>)]
    grade: Option<RiskGrade>,
}

/// Whom the latest outage may have cost, the highest risk first.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct MissedView {
    /// Nobody listened from here; nothing when there was no outage within a week.
    #[schema(value_type = Option<String>)]
    from: Option<At>,
    /// Until here.
    #[schema(value_type = Option<String>)]
    to: Option<At>,
    /// Devices silent since.
    devices: Vec<MissedDeviceView>,
    /// Calls nobody took.
    calls: Vec<MissedCallView>,
    /// Incidents pressed then that reached us later.
    #[schema(value_type = Vec<String>)]
    late: Vec<IncidentId>,
}

/// Whom did we miss while no server was up?
#[utoipa::path(get, path = "/api/v1/incidents/missed", tag = "incidents",
    responses((status = 200, body = MissedView)))]
pub async fn missed(State(app): State<App>, signed: Signed) -> Reply<Json<MissedView>> {
    let actor = signed.actor();
    let found = app.read(move |tx, now| incidents::missed(tx, &actor, now)).await?;
    let Some(missed) = found else { return Ok(Json(MissedView::default())) };
    let devices = missed.devices.into_iter().map(|d| MissedDeviceView {
        device: d.device,
        serial: d.serial,
        kind: d.kind,
        last_seen_at: d.last_seen_at,
        person: d.person,
        person_name: d.person_name,
        grade: d.grade,
        why: d.why,
    });
    let calls = missed.calls.into_iter().map(|c| MissedCallView {
        call: c.call,
        number: c.number,
        rang_at: c.rang_at,
        person: c.person,
        person_name: c.person_name,
        grade: c.grade,
    });
    Ok(Json(MissedView {
        from: Some(missed.outage.from),
        to: Some(missed.outage.to),
        devices: devices.collect(),
        calls: calls.collect(),
        late: missed.late,
    }))
}
