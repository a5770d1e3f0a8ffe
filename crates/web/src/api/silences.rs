//! Who was last seen when, who is overdue, whose turn it is to look.

use app::{
    outcome::No,
    signals::{
        sightings,
        silences::{self, DeviceLine, Line, Standing},
    },
};
use axum::{
    Json,
    extract::{Path, State},
};
use domain::{
    ids::{AccountId, DeviceId, IncidentId, OrderId, PersonId, VisitDutyId},
    regions::RegionCode,
    signals::{
        sighting::SightingKind,
        silence::{RiskGrade, Told},
    },
    time::At,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::Cursor;
use crate::{App, Problem, Reply, Signed};

/// Somebody of an account.
#[derive(Debug, Serialize, ToSchema)]
pub struct InCharge {
    /// The account.
    pub account: String,
    /// Name.
    pub name: String,
}

pub(super) fn in_charge(charge: Option<(AccountId, String)>) -> Option<InCharge> {
    charge.map(|(account, name)| InCharge { account: account.to_string(), name })
}

/// A trace of life.
#[derive(Debug, Serialize, ToSchema)]
pub struct TraceView {
    /// When it was left.
    #[schema(value_type = String)]
    pub at: At,
    /// meal, meter, visit, call, button, motion, door, volunteer, clinic, phone or knock.
    #[schema(value_type = String)]
    pub kind: SightingKind,
    /// In words.
    pub label: &'static str,
    /// Who or what told it.
    pub source: String,
    /// When we learned of it.
    #[schema(value_type = String)]
    pub recorded_at: At,
    /// Whether this is what the clock counts from.
    pub set_the_clock: bool,
}

/// What the clock of somebody who is watched says.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockView {
    /// high, key or general.
    #[schema(value_type = String)]
    pub grade: RiskGrade,
    /// Why the person is watched.
    pub why: String,
    /// On the list since.
    #[schema(value_type = String)]
    pub listed_at: At,
    /// running, paused or overdue.
    pub state: &'static str,
    /// What it counts from.
    #[schema(value_type = Option<String>)]
    pub counted_from: Option<At>,
    /// By when somebody must be seen.
    #[schema(value_type = Option<String>)]
    pub due_at: Option<At>,
    /// Why it stands still.
    pub paused_why: Option<&'static str>,
    /// Until when it stands still, at the latest.
    #[schema(value_type = Option<String>)]
    pub paused_until: Option<At>,
    /// Who is in charge.
    pub in_charge: Option<InCharge>,
    /// The incident of the open silence.
    #[schema(value_type = Option<String>)]
    pub incident: Option<IncidentId>,
}

fn clock(standing: &Standing) -> Option<ClockView> {
    let ((grade, why, since), told) = standing.watched.clone().zip(standing.told)?;
    let (state, from, due, paused) = match told {
        Told::Running { from, due } => ("running", Some(from), Some(due), None),
        Told::Overdue { from, due } => ("overdue", Some(from), Some(due), None),
        Told::Paused { why, until } => ("paused", None, None, Some((why, until))),
    };
    Some(ClockView {
        grade,
        why,
        listed_at: since,
        state,
        counted_from: from,
        due_at: due,
        paused_why: paused.map(|p| p.0),
        paused_until: paused.map(|p| p.1),
        in_charge: in_charge(standing.charge.clone()),
        incident: standing.silence.and_then(|s| s.1),
    })
}

/// What reset somebody's clock, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactsView {
    /// What the clock says; absent for somebody who is not watched.
    pub clock: Option<ClockView>,
    /// The newest trace of life there ever was.
    pub last: Option<TraceView>,
    /// Traces of life of the last days.
    pub contacts: Vec<TraceView>,
}

/// What reset somebody's last-contact clock, and what the clock says now.
#[utoipa::path(get, path = "/api/v1/people/{id}/contacts", tag = "silences", params(("id" = String, Path)),
    responses((status = 200, body = ContactsView), (status = 404, body = Problem)))]
pub async fn contacts(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<PersonId>,
) -> Reply<Json<ContactsView>> {
    let actor = signed.actor();
    let (standing, seen) = app
        .read(move |tx, now| {
            let standing = silences::standing(tx, &actor, id, now)?;
            Ok::<_, No<app::outcome::Never>>((standing, sightings::of_person(tx, &actor, id, 100)?))
        })
        .await?;
    let last = standing.last.as_ref().map(|s| s.at);
    let view = |s: sightings::Seen| TraceView {
        at: s.at,
        kind: s.kind,
        label: s.kind.label(),
        set_the_clock: last == Some(s.at),
        source: s.source,
        recorded_at: s.recorded_at,
    };
    Ok(Json(ContactsView {
        clock: clock(&standing),
        last: standing.last.clone().map(view),
        contacts: seen.into_iter().map(view).collect(),
    }))
}

/// Somebody nobody has seen for too long.
#[derive(Debug, Serialize, ToSchema)]
pub struct SilenceView {
    /// Number of the silence.
    pub id: String,
    /// Who.
    #[schema(value_type = String)]
    pub person: PersonId,
    /// Masked name.
    pub name: String,
    /// Where the person lives.
    #[schema(value_type = String)]
    pub region: RegionCode,
    /// high, key or general.
    #[schema(value_type = String)]
    pub grade: RiskGrade,
    /// Why the person is watched.
    pub why: String,
    /// Nobody was seen since.
    #[schema(value_type = String)]
    pub since: At,
    /// Somebody should have been seen by then.
    #[schema(value_type = String)]
    pub due_at: At,
    /// The last trace of life.
    #[schema(value_type = Option<String>)]
    pub last_at: Option<At>,
    /// What it was.
    #[schema(value_type = Option<String>)]
    pub last_kind: Option<SightingKind>,
    /// Who is in charge.
    pub in_charge: Option<InCharge>,
    /// The incident it became.
    #[schema(value_type = Option<String>)]
    pub incident: Option<IncidentId>,
    /// The order to knock at the door.
    #[schema(value_type = Option<String>)]
    pub order: Option<OrderId>,
    /// The duty to knock at the door.
    #[schema(value_type = Option<String>)]
    pub duty: Option<VisitDutyId>,
}

impl From<Line> for SilenceView {
    fn from(l: Line) -> SilenceView {
        SilenceView {
            id: l.id.to_string(),
            person: l.person,
            name: l.name,
            region: l.region,
            grade: l.grade,
            why: l.why,
            since: l.from,
            due_at: l.due,
            last_at: l.last.as_ref().map(|x| x.0),
            last_kind: l.last.as_ref().map(|x| x.1),
            in_charge: in_charge(l.charge),
            incident: l.incident,
            order: l.order,
            duty: l.duty,
        }
    }
}

/// A device that was not heard of when it should have been.
#[derive(Debug, Serialize, ToSchema)]
pub struct SilentDeviceView {
    /// Number of the silence.
    pub id: String,
    /// Which.
    #[schema(value_type = String)]
    pub device: DeviceId,
    /// What its maker calls it.
    pub serial: String,
    /// What it is.
    pub kind: &'static str,
    /// Who makes it.
    pub vendor: String,
    /// Whom it watches.
    #[schema(value_type = Option<String>)]
    pub person: Option<PersonId>,
    /// Where it is.
    #[schema(value_type = String)]
    pub region: RegionCode,
    /// Last heard of.
    #[schema(value_type = String)]
    pub since: At,
    /// It should have been heard of by then.
    #[schema(value_type = String)]
    pub due_at: At,
    /// The incident it became, of its own or of an area.
    #[schema(value_type = Option<String>)]
    pub incident: Option<IncidentId>,
}

impl From<DeviceLine> for SilentDeviceView {
    fn from(l: DeviceLine) -> SilentDeviceView {
        SilentDeviceView {
            id: l.id.to_string(),
            device: l.device,
            serial: l.serial,
            kind: l.kind.code(),
            vendor: l.vendor,
            person: l.person,
            region: l.region,
            since: l.from,
            due_at: l.due,
            incident: l.incident,
        }
    }
}

/// People and devices that are overdue, the longest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct SilencesView {
    /// How many people there are.
    pub people_total: i64,
    /// People.
    pub people: Vec<SilenceView>,
    /// Devices.
    pub devices: Vec<SilentDeviceView>,
    /// `after` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// People and devices that are overdue, the longest first. `after` counts lines of both lists.
#[utoipa::path(get, path = "/api/v1/silences", tag = "silences", params(Cursor),
    responses((status = 200, body = SilencesView)))]
pub async fn index(State(app): State<App>, signed: Signed, cursor: Cursor) -> Reply<Json<SilencesView>> {
    let (actor, limit) = (signed.actor(), cursor.limit());
    let offset = cursor.after.unwrap_or(0).max(0);
    let (total, people, devices) = app
        .read(move |tx, _| {
            let (filter, page) = (silences::Filter::default(), silences::Page { offset, limit: limit + 1 });
            let total = silences::count(tx, &actor, &filter)?;
            let people = silences::silences(tx, &actor, &filter, page)?;
            Ok::<_, No<app::outcome::Never>>((total, people, silences::silent_devices(tx, &actor, page)?))
        })
        .await?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = people.len() > shown || devices.len() > shown;
    Ok(Json(SilencesView {
        people_total: total,
        people: people.into_iter().take(shown).map(SilenceView::from).collect(),
        devices: devices.into_iter().take(shown).map(SilentDeviceView::from).collect(),
        next: more.then(|| (offset + limit).to_string()),
    }))
}
