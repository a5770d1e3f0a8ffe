//! Duties to see somebody: the lists, the visit, who is away, how many were seen.

use app::signals::duties::{self, CallOut, DutyLine, Followed, Need, NewVisit};
use axum::extract::{Path, Query, State};
use domain::{
    ids::{AccountId, IncidentId, PersonId, VisitDutyId},
    money::Minutes,
    regions::RegionCode,
    signals::{
        rounds::{Answer, DutyKind, Mark, Met, Point, Report, Step, Way},
        silence::RiskGrade,
    },
    time::{At, Day, Month, Now},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Call, Created, Cursor, Listing, parsed,
    silences::{InCharge, in_charge},
};
use crate::{App, Problem, Reply, Signed};

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
    /// Only this region (12 digits, or fewer for a whole county or township).
    region: Option<String>,
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
    let region = query.region.as_deref().filter(|r| !r.is_empty()).map(RegionCode::parse).transpose();
    let region = region.map_err(|e| Problem::malformed(e.to_string()))?.map(RegionCode::range);
    let now = app.now();
    let filter = duties::Filter {
        charge: query.mine.then_some(actor.account),
        kind,
        person,
        region,
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
