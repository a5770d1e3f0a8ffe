//! Incidents: what rings, who has it, how it ended.

mod figures;
mod steps;

pub use figures::*;
pub use steps::*;

use app::{
    outcome::{Never, No},
    signals::incidents::{
        self, DraftLine, FactLine, Filter, Line, Sheet, StepLine,
        reaches::{self, Reached},
    },
};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use domain::{
    ids::{AccountId, CallId, DeviceId, IncidentId, PersonId},
    regions::RegionCode,
    signals::{
        incident::{IncidentFactKind, IncidentKind, IncidentOutcome, IncidentState, Level},
        ladder::{Reach, ReachResult},
    },
    time::At,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Cursor, Listing, parsed, reaches::ReachView};
use crate::{App, Problem, Reply, Signed};

/// An incident as programs see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentView {
    /// Id.
    #[schema(value_type = String)]
    pub id: IncidentId,
    /// Where it belongs, 12 digits.
    #[schema(value_type = String)]
    pub region: RegionCode,
    /// What happened: sos, fall, smoke, gas, no_movement, …
    #[schema(value_type = String)]
    pub kind: IncidentKind,
    /// How urgent: P1 to P4.
    #[schema(value_type = String)]
    pub level: Level,
    /// Where it stands: ringing, acknowledged, held, attached, closed.
    #[schema(value_type = String)]
    pub state: IncidentState,
    /// Whether the device proved who it is.
    pub verified: bool,
    /// What the desk reads.
    pub text: String,
    /// About whom.
    #[schema(value_type = Option<String>)]
    pub person: Option<PersonId>,
    /// Name of the person.
    pub person_name: String,
    /// From which device.
    #[schema(value_type = Option<String>)]
    pub device: Option<DeviceId>,
    /// From which call.
    #[schema(value_type = Option<String>)]
    pub call: Option<CallId>,
    /// The area incident it is part of.
    #[schema(value_type = Option<String>)]
    pub area: Option<IncidentId>,
    /// How many devices an area incident stands for.
    pub devices: i64,
    /// When the button was pressed, by the device's clock.
    #[schema(value_type = Option<String>)]
    pub pressed_at: Option<At>,
    /// When it reached the platform.
    #[schema(value_type = String)]
    pub received_at: At,
    /// How often the button was pressed.
    pub presses: i64,
    /// Since when it rings, or rang last.
    #[schema(value_type = String)]
    pub rang_at: At,
    /// Who has it, or had it last.
    #[schema(value_type = Option<String>)]
    pub owner: Option<AccountId>,
    /// Name of who.
    pub owner_name: String,
    /// A hold ends here.
    #[schema(value_type = Option<String>)]
    pub hold_until: Option<At>,
    /// When it was answered first.
    #[schema(value_type = Option<String>)]
    pub answered_at: Option<At>,
    /// When it was closed.
    #[schema(value_type = Option<String>)]
    pub closed_at: Option<At>,
    /// How it ended: real_helped, real_hospital, real_death, false_press, false_device, false_rule, test, duplicate,
    /// cannot_reach.
    #[schema(value_type = Option<String>)]
    pub outcome: Option<IncidentOutcome>,
    /// Who was with the elder at its end.
    pub with_elder: Option<String>,
    /// Whether a second person must still look at it.
    pub awaits_review: bool,
    /// When a second person agreed.
    #[schema(value_type = Option<String>)]
    pub reviewed_at: Option<At>,
}

impl From<Line> for IncidentView {
    fn from(line: Line) -> IncidentView {
        let awaits_review = line.incident.awaits_review();
        let i = line.incident;
        IncidentView {
            id: i.id,
            region: i.region,
            kind: i.kind,
            level: i.level,
            state: i.state,
            verified: i.verified,
            text: i.text,
            person: i.person,
            person_name: line.person_name,
            device: i.device,
            call: i.call,
            area: i.area,
            devices: line.devices,
            pressed_at: i.pressed_at,
            received_at: i.received_at,
            presses: i.presses,
            rang_at: i.rang_at,
            owner: i.owner,
            owner_name: line.owner_name,
            hold_until: i.hold_until,
            answered_at: i.answered_at,
            closed_at: i.closed_at,
            outcome: i.outcome,
            with_elder: i.with_elder,
            awaits_review,
            reviewed_at: i.reviewed_at,
        }
    }
}

/// One line of an incident's history.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentFactView {
    /// Its number, from 1.
    n: i64,
    /// When.
    #[schema(value_type = String)]
    at: At,
    /// Account; 0 is the platform itself.
    #[schema(value_type = String)]
    by: AccountId,
    /// Name of the account.
    by_name: String,
    /// What: opened, rang, pressed_again, acknowledged, held, noted, escalated, stepped, reached, level_changed,
    /// identified, handed_over, attached, members, closed, reviewed, returned, reopened.
    #[schema(value_type = String)]
    kind: IncidentFactKind,
    /// In which words.
    text: String,
    /// What else.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
}

impl From<FactLine> for IncidentFactView {
    fn from(f: FactLine) -> IncidentFactView {
        IncidentFactView {
            n: f.n,
            at: f.at,
            by: f.by,
            by_name: f.by_name,
            kind: f.kind,
            text: f.text,
            detail: serde_json::from_str(&f.detail).unwrap_or(serde_json::Value::String(f.detail)),
        }
    }
}

/// One step of an incident's ladder.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentStepView {
    /// How often the ladder had begun.
    round: i64,
    /// Number of the step in its round.
    step: i64,
    /// Whom: operator, elder, family, neighbour, grid_worker, station, leader, street, county, ambulance, fire, police.
    #[schema(value_type = String)]
    reach: Reach,
    /// In which words.
    label: String,
    /// When it is or was due.
    #[schema(value_type = String)]
    due_at: At,
    /// When it was done.
    #[schema(value_type = Option<String>)]
    done_at: Option<At>,
    /// When it was called off.
    #[schema(value_type = Option<String>)]
    stopped_at: Option<At>,
    /// What came of it: answered, coming, busy, refused, no_answer, unreachable.
    #[schema(value_type = Option<String>)]
    result: Option<ReachResult>,
}

impl From<StepLine> for IncidentStepView {
    fn from(s: StepLine) -> IncidentStepView {
        IncidentStepView {
            round: s.round,
            step: s.step,
            reach: s.reach,
            label: s.label,
            due_at: s.due_at,
            done_at: s.done_at,
            stopped_at: s.stopped_at,
            result: s.result,
        }
    }
}

/// What somebody is typing.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentDraftView {
    /// Who.
    #[schema(value_type = String)]
    by: AccountId,
    /// Name of who.
    by_name: String,
    /// When the last letter came.
    #[schema(value_type = String)]
    at: At,
    /// What.
    text: String,
}

impl From<DraftLine> for IncidentDraftView {
    fn from(d: DraftLine) -> IncidentDraftView {
        IncidentDraftView { by: d.by, by_name: d.by_name, at: d.at, text: d.text }
    }
}

/// An incident with all that happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentSheet {
    /// The incident.
    #[serde(flatten)]
    incident: IncidentView,
    /// Its history, oldest first.
    timeline: Vec<IncidentFactView>,
    /// Its ladder.
    steps: Vec<IncidentStepView>,
    /// What is being typed.
    drafts: Vec<IncidentDraftView>,
    /// Who was called or written to, in order.
    reaches: Vec<ReachView>,
}

impl IncidentSheet {
    fn of(s: Sheet, reaches: Vec<Reached>) -> IncidentSheet {
        IncidentSheet {
            reaches: reaches.into_iter().map(ReachView::from).collect(),
            incident: s.line.into(),
            timeline: s.facts.into_iter().map(IncidentFactView::from).collect(),
            steps: s.steps.into_iter().map(IncidentStepView::from).collect(),
            drafts: s.drafts.into_iter().map(IncidentDraftView::from).collect(),
        }
    }
}

/// Which incidents to list; several words of one kind stand between commas.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub struct IncidentQuery {
    /// ringing, acknowledged, held, attached, closed; `open` is all but closed; `to_review` closed red ones nobody
    /// has looked at a second time.
    state: Option<String>,
    /// P1 to P4.
    level: Option<String>,
    /// sos, fall, …
    kind: Option<String>,
    /// real_helped, false_press, …
    outcome: Option<String>,
    /// Only this region (12 digits, or fewer for a whole county or township).
    region: Option<String>,
    /// Only about this person.
    person: Option<String>,
    /// Only from this device.
    device: Option<String>,
    /// Only part of this area incident.
    area: Option<String>,
    /// Received from here on (RFC 3339).
    from: Option<String>,
    /// Received before here (RFC 3339).
    to: Option<String>,
}

/// Words between commas.
fn words<T>(text: Option<&str>, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Problem> {
    let unknown = |word: &str| Problem::malformed(format!("{name} 里的“{word}”不认识"));
    text.unwrap_or("")
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(|word| parse(word).ok_or_else(|| unknown(word)))
        .collect()
}

/// A moment in a query, if it was given.
fn moment(text: Option<&str>, name: &str) -> Result<Option<At>, Problem> {
    let bad = || Problem::malformed(format!("{name} 应写成 2026-11-21T09:30:00+08:00"));
    text.filter(|t| !t.is_empty()).map(|t| At::parse(t).ok_or_else(bad)).transpose()
}

impl IncidentQuery {
    fn filter(&self) -> Result<Filter, Problem> {
        let open = [
            IncidentState::Ringing,
            IncidentState::Acknowledged,
            IncidentState::Held,
            IncidentState::Attached,
        ];
        let (states, to_review) = match self.state.as_deref() {
            Some("open") => (open.to_vec(), false),
            Some("to_review") => (Vec::new(), true),
            other => (words(other, "state", IncidentState::from_code)?, false),
        };
        let region = self.region.as_deref().filter(|t| !t.is_empty());
        let region =
            region.map(RegionCode::parse).transpose().map_err(|e| Problem::malformed(e.to_string()))?;
        Ok(Filter {
            states,
            levels: words(self.level.as_deref(), "level", Level::from_code)?,
            kinds: words(self.kind.as_deref(), "kind", IncidentKind::from_code)?,
            region: region.map(RegionCode::range),
            person: parsed(self.person.as_deref(), "person")?,
            device: parsed(self.device.as_deref(), "device")?,
            owner: None,
            area: parsed(self.area.as_deref(), "area")?,
            outcomes: words(self.outcome.as_deref(), "outcome", IncidentOutcome::from_code)?,
            slower_than: None,
            to_review,
            from: moment(self.from.as_deref(), "from")?,
            to: moment(self.to.as_deref(), "to")?,
        })
    }
}

/// Incidents, latest first.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "incidents", params(IncidentQuery, Cursor),
    responses((status = 200, body = Listing<IncidentView>), (status = 400, body = Problem)))]
pub async fn index(
    State(app): State<App>,
    signed: Signed,
    Query(query): Query<IncidentQuery>,
    cursor: Cursor,
) -> Reply<Listing<IncidentView>> {
    let (filter, actor) = (query.filter()?, signed.actor());
    let found = app
        .read(move |tx, _| {
            incidents::incidents(tx, &actor, &filter, cursor.after.map(IncidentId), cursor.limit() + 1)
        })
        .await?;
    Ok(Listing::page(found, cursor.limit(), |line| line.incident.id.0, IncidentView::from))
}

/// One incident with its history, its ladder and what is being typed.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", tag = "incidents", params(("id" = String, Path)),
    responses((status = 200, body = IncidentSheet), (status = 404, body = Problem)))]
pub async fn show(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
) -> Reply<Json<IncidentSheet>> {
    let id: IncidentId = id.parse().map_err(|_| Problem::not_found())?;
    let actor = signed.actor();
    let (sheet, called) = app
        .read(move |tx, _| {
            Ok::<_, No<Never>>((incidents::incident(tx, &actor, id)?, reaches::of_incident(tx, &actor, id)?))
        })
        .await?;
    Ok(Json(IncidentSheet::of(sheet, called)))
}
