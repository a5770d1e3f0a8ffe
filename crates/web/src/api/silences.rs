//! Who was last seen when, who is overdue, whose turn it is to look.

use app::{
    outcome::No,
    signals::{
        duties::{self, CallOut, DutyLine, Followed, Need, NewVisit},
        sightings,
        silences::{self, DeviceLine, Line, Standing},
    },
};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use domain::{
    ids::{AccountId, DeviceId, IncidentId, OrderId, PersonId, VisitDutyId},
    money::Minutes,
    regions::RegionCode,
    signals::{
        rounds::{Answer, DutyKind, Mark, Met, Point, Report, Step, Way},
        sighting::SightingKind,
        silence::{RiskGrade, Told},
    },
    time::{At, Day, Month, Now},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Call, Created, Cursor, Listing, parsed};
use crate::{App, Problem, Reply, Signed};

/// Somebody of an account.
#[derive(Debug, Serialize, ToSchema)]
pub struct InCharge {
    /// The account.
    pub account: String,
    /// Name.
    pub name: String,
}

fn in_charge(charge: Option<(AccountId, String)>) -> Option<InCharge> {
    charge.map(|(account, name)| InCharge { account: account.to_string(), name })
}

/// A trace of life.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactView {
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
    pub last: Option<ContactView>,
    /// Traces of life of the last days.
    pub contacts: Vec<ContactView>,
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
    let view = |s: sightings::Seen| ContactView {
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

/// Which duties a list shows.
#[derive(Debug, Deserialize, IntoParams)]
pub struct DutyQuery {
    /// `true`: only those in one's own charge.
    #[serde(default)]
    mine: bool,
    /// `true`: only those that are overdue or were tried in vain.
    #[serde(default)]
    overdue: bool,
    /// round, phone, knock or extra.
    kind: Option<String>,
    /// Only of this person.
    person: Option<String>,
}

/// A duty to see somebody.
#[derive(Debug, Serialize, ToSchema)]
pub struct DutyView {
    /// Its number.
    #[schema(value_type = String)]
    pub id: VisitDutyId,
    /// Who is to be seen.
    #[schema(value_type = String)]
    pub person: PersonId,
    /// Name; masked for others than whoever is in charge.
    pub name: String,
    /// Where the person lives.
    #[schema(value_type = String)]
    pub region: RegionCode,
    /// House and door, for whoever is in charge.
    pub address: String,
    /// high, key or general.
    #[schema(value_type = String)]
    pub grade: RiskGrade,
    /// Why the person is watched.
    pub why: String,
    /// round, phone, knock or extra.
    #[schema(value_type = String)]
    pub kind: DutyKind,
    /// By when the elder must be seen.
    #[schema(value_type = String)]
    pub due_at: At,
    /// visit, second_try, contacts or alarmed.
    #[schema(value_type = String)]
    pub step: Step,
    /// By when that is to be done.
    #[schema(value_type = String)]
    pub step_due_at: At,
    /// Whether that time is over.
    pub overdue: bool,
    /// When the elder was last seen under this duty.
    #[schema(value_type = Option<String>)]
    pub last_success_at: Option<At>,
    /// Tries in vain since then.
    pub missed: i64,
    /// Who is in charge.
    pub in_charge: Option<InCharge>,
    /// The incident it became.
    #[schema(value_type = Option<String>)]
    pub incident: Option<IncidentId>,
}

fn duty_view(l: DutyLine, now: Now) -> DutyView {
    DutyView {
        overdue: l.overdue(now),
        id: l.id,
        person: l.person,
        name: l.name,
        region: l.region,
        address: l.address,
        grade: l.grade,
        why: l.why,
        kind: l.kind,
        due_at: l.due,
        step: l.next.step,
        step_due_at: l.next.due,
        last_success_at: l.last_success,
        missed: l.missed,
        in_charge: in_charge(l.charge),
        incident: l.incident,
    }
}

/// Open duties to see somebody, the longest overdue first.
#[utoipa::path(get, path = "/api/v1/visit-duties", tag = "silences", params(DutyQuery, Cursor),
    responses((status = 200, body = Listing<DutyView>)))]
pub async fn visit_duties(
    State(app): State<App>,
    signed: Signed,
    Query(query): Query<DutyQuery>,
    cursor: Cursor,
) -> Reply<Listing<DutyView>> {
    let actor = signed.actor();
    let kind = query.kind.as_deref().filter(|k| !k.is_empty());
    let kind = kind
        .map(|k| {
            DutyKind::from_code(k).ok_or_else(|| Problem::malformed("kind 应为 round、phone、knock 或 extra"))
        })
        .transpose()?;
    let person = parsed(query.person.as_deref(), "person")?;
    let now = app.now();
    let filter = duties::Filter {
        charge: query.mine.then_some(actor.account),
        kind,
        person,
        due_before: query.overdue.then_some(now.0),
        ..duties::Filter::default()
    };
    let (offset, limit) = (cursor.after.unwrap_or(0).max(0), cursor.limit());
    let mut found = app
        .read(move |tx, now| {
            duties::duties(tx, &actor, &filter, duties::Page { offset, limit: limit + 1 }, now)
        })
        .await?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let next = (found.len() > shown).then(|| (offset + limit).to_string());
    found.truncate(shown);
    Ok(Listing { items: found.into_iter().map(|line| duty_view(line, now)).collect(), next })
}

/// A service somebody needs.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct NeedBody {
    /// Item of the catalogue.
    service: String,
    /// When it should be (RFC 3339).
    #[schema(value_type = String)]
    start_at: At,
    /// For how long; the item's standard when not given.
    minutes: Option<i64>,
    /// The elder agreed to pay what programmes do not.
    #[serde(default)]
    own_share_agreed: bool,
    /// Words for the carer.
    #[serde(default)]
    note: String,
}

/// A visit, a call, or a try in vain.
#[derive(Debug, Deserialize, ToSchema)]
pub struct VisitBody {
    /// When it was (RFC 3339); now when not given.
    #[schema(value_type = Option<String>)]
    at: Option<At>,
    /// door, phone, video or contacts; door when not given.
    #[schema(value_type = Option<String>)]
    way: Option<Way>,
    /// met, not_home or vouched; met when not given.
    #[schema(value_type = Option<String>)]
    met: Option<Met>,
    /// Marks of the eight points by name (health, spirit, living, safety, family, devices, needs, looks): fine, worry or
    /// urgent. At the door all eight are needed.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    points: std::collections::BTreeMap<String, Mark>,
    /// What fits of well, service, doctor, hazard, worried, urgent.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    answers: Vec<Answer>,
    /// Words.
    #[serde(default)]
    note: String,
    /// What is needed; each becomes an order.
    #[serde(default)]
    needs: Vec<NeedBody>,
}

/// What became of a visit.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordedView {
    /// Its number.
    id: String,
    /// Whether the elder was seen or spoken to.
    success: bool,
    /// When the duty is due next; absent when it is done with.
    #[schema(value_type = Option<String>)]
    next_due_at: Option<At>,
    /// Orders that were placed.
    orders: Vec<String>,
    /// Incidents that were opened.
    incidents: Vec<String>,
}

impl VisitBody {
    fn visit(&self, now: Now) -> NewVisit {
        let mark = |point: &Point| self.points.get(point.code()).copied().unwrap_or(Mark::Unseen);
        let mut points = [Mark::Unseen; 8];
        for (to, point) in points.iter_mut().zip(Point::ALL) {
            *to = mark(point);
        }
        let need = |n: &NeedBody| Need {
            service: n.service.clone(),
            start: n.start_at,
            minutes: n.minutes.map(Minutes),
            own_share_agreed: n.own_share_agreed,
            note: n.note.clone(),
        };
        NewVisit {
            report: Report {
                at: self.at.unwrap_or(now.0),
                way: self.way.unwrap_or(Way::Door),
                met: self.met.unwrap_or(Met::Met),
                points,
                answers: self.answers.clone(),
                note: self.note.clone(),
            },
            photo: None,
            needs: self.needs.iter().map(need).collect(),
        }
    }
}

/// Records a visit. What it finds becomes orders and incidents in the same step.
#[utoipa::path(post, path = "/api/v1/visit-duties/{id}/visit", tag = "silences", request_body = VisitBody,
    params(("id" = String, Path)),
    responses((status = 201, body = RecordedView), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub async fn visit(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<VisitDutyId>,
    call: Call<VisitBody>,
) -> Reply {
    call.run(&app, &signed, Created, move |tx, actor, body, now| {
        let done = duties::record(tx, actor, id, &body.visit(now), now)?;
        let (mut orders, mut incidents) = (Vec::new(), Vec::new());
        for followed in &done.followed {
            match followed {
                Followed::Order(order) => orders.push(order.to_string()),
                Followed::Incident(incident) => incidents.push(incident.to_string()),
            }
        }
        Ok(RecordedView {
            id: done.id.to_string(),
            success: done.success,
            next_due_at: done.next_due,
            orders,
            incidents,
        })
    })
    .await
}

/// Days somebody in charge is away.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeaveView {
    /// Its number.
    pub id: String,
    /// Who is away.
    pub account: String,
    /// Name.
    pub name: String,
    /// First day.
    #[schema(value_type = String)]
    pub from: Day,
    /// Last day.
    #[schema(value_type = String)]
    pub to: Day,
    /// Who stands in; the colleagues of the same place when none is named.
    pub cover: Option<InCharge>,
    /// Why.
    pub why: String,
}

/// Leaves of today and later; of oneself, or of those within one's regions.
#[utoipa::path(get, path = "/api/v1/visit-leaves", tag = "silences",
    responses((status = 200, body = Listing<LeaveView>)))]
pub async fn leaves(State(app): State<App>, signed: Signed) -> Reply<Listing<LeaveView>> {
    let actor = signed.actor();
    let all = app.read(move |tx, now| duties::leaves(tx, &actor, now)).await?;
    let view = |l: duties::Leave| LeaveView {
        id: l.id.to_string(),
        account: l.account.to_string(),
        name: l.name,
        from: l.from,
        to: l.to,
        cover: in_charge(l.cover),
        why: l.why,
    };
    Ok(Listing { items: all.into_iter().map(view).collect(), next: None })
}

/// Days somebody will be away.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LeaveBody {
    /// Who; oneself when not given.
    #[schema(value_type = Option<String>)]
    account: Option<AccountId>,
    /// First day (2026-11-22).
    #[schema(value_type = String)]
    from: Day,
    /// Last day.
    #[schema(value_type = String)]
    to: Day,
    /// Who stands in.
    #[schema(value_type = Option<String>)]
    cover: Option<AccountId>,
    /// Why.
    #[serde(default)]
    why: String,
}

/// What a leave is called here.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnteredLeave {
    /// Its number.
    id: String,
}

/// Enters days on which somebody in charge is away; the elders go to whoever stands in, and back afterwards.
#[utoipa::path(post, path = "/api/v1/visit-leaves", tag = "silences", request_body = LeaveBody,
    responses((status = 201, body = EnteredLeave), (status = 422, body = Problem)))]
pub async fn take_leave(State(app): State<App>, signed: Signed, call: Call<LeaveBody>) -> Reply {
    call.run(&app, &signed, Created, |tx, actor, body, now| {
        let who = (body.account.unwrap_or(actor.account), body.cover);
        let id = duties::take_leave(tx, actor, who, (body.from, body.to), &body.why, now)?;
        Ok(EnteredLeave { id: id.to_string() })
    })
    .await
}

/// A month, as `2026-11`.
#[derive(Debug, Deserialize, IntoParams)]
pub struct MonthQuery {
    /// This month when not given.
    month: Option<String>,
}

/// One township's month.
#[derive(Debug, Serialize, ToSchema)]
pub struct RateView {
    /// The township.
    #[schema(value_type = String)]
    pub region: RegionCode,
    /// On the list on the first, and still there.
    pub listed: i64,
    /// Of those, seen or spoken to at least once.
    pub visited: i64,
    /// Left the list within the month, or in hospital.
    pub apart: i64,
    /// Thousandths; absent where nobody is on the list.
    pub per_mille: Option<i64>,
}

/// The visit rate of a month by township: elders with at least one success, of those on the list on the first.
#[utoipa::path(get, path = "/api/v1/visit-rates", tag = "silences", params(MonthQuery),
    responses((status = 200, body = Listing<RateView>)))]
pub async fn rates(
    State(app): State<App>,
    signed: Signed,
    Query(query): Query<MonthQuery>,
) -> Reply<Listing<RateView>> {
    let actor = signed.actor();
    let month = match query.month.as_deref().filter(|m| !m.is_empty()) {
        None => app.now().month(),
        Some(text) => Month::parse(text).ok_or_else(|| Problem::malformed("month 应写成 2026-11"))?,
    };
    let all = app.read(move |tx, _| duties::month_rate(tx, &actor, month, None)).await?;
    let view = |r: duties::Rate| RateView {
        per_mille: r.per_mille(),
        region: r.region,
        listed: r.listed,
        visited: r.visited,
        apart: r.apart,
    };
    Ok(Listing { items: all.into_iter().map(view).collect(), next: None })
}

/// An extra round.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CallOutBody {
    /// Why: "橙色寒潮预警 2026-12-20". The same occasion again adds only whom it does not have yet.
    occasion: String,
    /// Whom: high, key or general; high when not given.
    #[schema(value_type = Option<String>)]
    grade: Option<RiskGrade>,
    /// By when (RFC 3339); within 24 hours when not given.
    #[schema(value_type = Option<String>)]
    due_at: Option<At>,
    /// Where; all of one's regions when not given.
    #[schema(value_type = Option<String>)]
    region: Option<RegionCode>,
}

/// How many were called out for.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalledOut {
    /// New duties.
    added: usize,
}

/// Calls for an extra round: bad weather, a festival.
#[utoipa::path(post, path = "/api/v1/visit-call-outs", tag = "silences", request_body = CallOutBody,
    responses((status = 201, body = CalledOut), (status = 403, body = Problem)))]
pub async fn call_out(State(app): State<App>, signed: Signed, call: Call<CallOutBody>) -> Reply {
    call.run(&app, &signed, Created, |tx, actor, body, now| {
        let ask = CallOut {
            occasion: body.occasion.clone(),
            region: body.region.map_or(actor.range, RegionCode::range),
            grade: body.grade.unwrap_or(RiskGrade::High),
            due: body.due_at.unwrap_or(now.0.plus_minutes(24 * 60)),
        };
        Ok(CalledOut { added: duties::call_out(tx, actor, &ask, now)? })
    })
    .await
}
