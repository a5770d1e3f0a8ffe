//! What is done with an incident, one command a step.

use app::{
    outcome::{No, Outcome},
    signals::incidents::{self, ByHand, Escalation},
    store::Tx,
};
use axum::extract::{Path, State};
use domain::{
    access::Actor,
    ids::{CallId, IncidentId, PersonId},
    regions::RegionCode,
    signals::{
        incident::{Closure, Incident, IncidentKind, IncidentOutcome, IncidentRefusal, IncidentState, Level},
        ladder::{Reach, ReachResult},
    },
    time::{At, Now},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

use crate::{
    App, Problem, Reply, Signed,
    api::{Call, Created, Done, orders::Nothing},
};

/// What an incident is after a step.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentNow {
    /// Id.
    #[schema(value_type = String)]
    id: IncidentId,
    /// Where it stands: ringing, acknowledged, held, attached, closed.
    #[schema(value_type = String)]
    state: IncidentState,
    /// How urgent.
    #[schema(value_type = String)]
    level: Level,
    /// A hold ends here.
    #[schema(value_type = Option<String>)]
    hold_until: Option<At>,
    /// Whether a second person must look at it.
    awaits_review: bool,
}

impl From<Incident> for IncidentNow {
    fn from(i: Incident) -> IncidentNow {
        IncidentNow {
            id: i.id,
            state: i.state,
            level: i.level,
            hold_until: i.hold_until,
            awaits_review: i.awaits_review(),
        }
    }
}

/// Runs a step that leaves an incident behind.
async fn step<B: DeserializeOwned + Send + Sync + 'static>(
    app: App,
    signed: Signed,
    id: String,
    call: Call<B>,
    work: impl Fn(&mut Tx<'_>, &Actor, IncidentId, &B, Now) -> Outcome<Incident, IncidentRefusal> + Send + 'static,
) -> Reply {
    let id: IncidentId = id.parse().map_err(|_| Problem::not_found())?;
    call.run(&app, &signed, Done, move |tx, actor, body, now| {
        work(tx, actor, id, body, now).map(IncidentNow::from)
    })
    .await
}

/// A new incident, opened by hand.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewIncidentBody {
    /// What happened: call, sos, fall, silent_call, lost, …
    #[schema(value_type = String)]
    kind: IncidentKind,
    /// P1 to P4; the kind's own level when not given.
    #[schema(value_type = Option<String>)]
    level: Option<Level>,
    /// About whom.
    #[schema(value_type = Option<String>)]
    person: Option<PersonId>,
    /// Where; the person's region when not given.
    #[schema(value_type = Option<String>)]
    region: Option<RegionCode>,
    /// The call it came from; one call opens one incident.
    #[schema(value_type = Option<String>)]
    call: Option<CallId>,
    /// What was heard.
    text: String,
}

/// The incident of an opening.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenedIncident {
    /// Id.
    #[schema(value_type = String)]
    id: IncidentId,
    /// Whether it began with this request.
    fresh: bool,
}

/// Opens an incident by hand, usually from a call.
#[utoipa::path(post, path = "/api/v1/incidents", tag = "incidents", request_body = NewIncidentBody,
    responses((status = 201, body = OpenedIncident), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn create(State(app): State<App>, signed: Signed, call: Call<NewIncidentBody>) -> Reply {
    call.run(&app, &signed, Created, |tx, actor, body, now| {
        let ask = ByHand {
            kind: body.kind,
            level: body.level,
            person: body.person,
            region: body.region,
            call: body.call,
            text: body.text.clone(),
        };
        let opened = incidents::open_by_hand(tx, actor, &ask, now)?;
        Ok::<_, No<IncidentRefusal>>(OpenedIncident { id: opened.id, fresh: opened.fresh })
    })
    .await
}

/// For how long an incident is put aside.
#[derive(Debug, Deserialize, ToSchema)]
pub struct HoldBody {
    /// 1 to 60; then it rings for all.
    seconds: i64,
    /// Why.
    #[serde(default)]
    text: String,
}

/// Words.
#[derive(Debug, Deserialize, ToSchema)]
pub struct WordsBody {
    /// The words.
    text: String,
}

/// Whom to call for.
#[derive(Debug, Deserialize, ToSchema)]
pub struct EscalationBody {
    /// family, neighbour, grid_worker, station, leader, street, county, ambulance, fire, police, operator, elder.
    #[schema(value_type = String)]
    to: Reach,
    /// What for.
    #[serde(default)]
    text: String,
}

/// What came of a step.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ContactResultBody {
    /// The round of the step.
    round: i64,
    /// The step.
    step: i64,
    /// answered, coming, busy, refused, no_answer, unreachable.
    #[schema(value_type = String)]
    result: ReachResult,
    /// Anything else.
    #[serde(default)]
    text: String,
}

/// Another level.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LevelBody {
    /// P1 to P4.
    #[schema(value_type = String)]
    level: Level,
    /// Why.
    text: String,
}

/// About whom it is.
#[derive(Debug, Deserialize, ToSchema)]
pub struct IdentificationBody {
    /// The person.
    #[schema(value_type = String)]
    person: PersonId,
}

/// How it ended.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ClosureBody {
    /// real_helped, real_hospital, real_death, false_press, false_device, false_rule, test, duplicate, cannot_reach.
    #[schema(value_type = String)]
    outcome: IncidentOutcome,
    /// Who is with the elder now; empty where no elder is concerned.
    #[serde(default)]
    #[schema(required = true)]
    with_elder: String,
    /// What happened and what follows.
    text: String,
}

/// A second look.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ReviewBody {
    /// Whether the second person agrees; when not, it rings again.
    #[serde(default = "yes")]
    agreed: bool,
    /// What was found; needed when the second person does not agree.
    #[serde(default)]
    text: String,
}

fn yes() -> bool {
    true
}

/// Takes an incident; the first wins, a second is told who has it. Takes it off hold, too.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/acknowledgement", tag = "incidents", params(("id" = String, Path)),
    responses((status = 200, body = IncidentNow), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn acknowledgement(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<Nothing>,
) -> Reply {
    step(app, signed, id, call, |tx, actor, id, _, now| incidents::acknowledge(tx, actor, id, now)).await
}

/// Puts an incident aside for a moment.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/hold", tag = "incidents", params(("id" = String, Path)), request_body = HoldBody,
    responses((status = 200, body = IncidentNow), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn hold(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<HoldBody>,
) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| {
        incidents::hold(tx, actor, id, body.seconds, &body.text, now)
    })
    .await
}

/// Keeps what is being typed.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/draft", tag = "incidents", params(("id" = String, Path)),
    request_body = WordsBody,
    responses((status = 200, body = OpenedIncident), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn draft(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<WordsBody>,
) -> Reply {
    let id: IncidentId = id.parse().map_err(|_| Problem::not_found())?;
    call.run(&app, &signed, Done, move |tx, actor, body, now| {
        incidents::draft(tx, actor, id, &body.text, now)?;
        Ok::<_, No<IncidentRefusal>>(OpenedIncident { id, fresh: false })
    })
    .await
}

/// Writes something down.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/note", tag = "incidents", params(("id" = String, Path)), request_body = WordsBody,
    responses((status = 200, body = IncidentNow), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn note(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<WordsBody>,
) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| incidents::note(tx, actor, id, &body.text, now))
        .await
}

/// The owner calls for others.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/escalation", tag = "incidents", params(("id" = String, Path)), request_body = EscalationBody,
    responses((status = 200, body = IncidentNow), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn escalation(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<EscalationBody>,
) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| {
        let ask = Escalation { to: body.to, text: body.text.clone() };
        incidents::escalate(tx, actor, id, &ask, now).map(|(incident, _)| incident)
    })
    .await
}

/// Notes what came of reaching for somebody.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/contact-result", tag = "incidents", params(("id" = String, Path)), request_body = ContactResultBody,
    responses((status = 200, body = IncidentNow), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn contact_result(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<ContactResultBody>,
) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| {
        let result = (body.result, body.text.as_str());
        incidents::reached(tx, actor, id, (body.round, body.step), result, now)
    })
    .await
}

/// Makes it more or less urgent.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/level", tag = "incidents", params(("id" = String, Path)), request_body = LevelBody,
    responses((status = 200, body = IncidentNow), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn level(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<LevelBody>,
) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| {
        incidents::change_level(tx, actor, id, (body.level, &body.text), now)
    })
    .await
}

/// Says about whom it is.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/identification", tag = "incidents", params(("id" = String, Path)), request_body = IdentificationBody,
    responses((status = 200, body = IncidentNow), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn identification(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<IdentificationBody>,
) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| {
        incidents::identify(tx, actor, id, body.person, now)
    })
    .await
}

/// The owner gives it back to all: it rings again.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/handover", tag = "incidents", params(("id" = String, Path)), request_body = WordsBody,
    responses((status = 200, body = IncidentNow), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn handover(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<WordsBody>,
) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| {
        incidents::hand_over(tx, actor, id, &body.text, now)
    })
    .await
}

/// The shift's leader takes it from its owner.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/takeover", tag = "incidents", params(("id" = String, Path)), request_body = WordsBody,
    responses((status = 200, body = IncidentNow), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn takeover(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<WordsBody>,
) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| {
        incidents::take_over(tx, actor, id, &body.text, now)
    })
    .await
}

/// The owner ends it.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/closure", tag = "incidents", params(("id" = String, Path)), request_body = ClosureBody,
    responses((status = 200, body = IncidentNow), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn closure(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<ClosureBody>,
) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| {
        let closure =
            Closure { outcome: body.outcome, with_elder: body.with_elder.clone(), text: body.text.clone() };
        incidents::close(tx, actor, id, &closure, now)
    })
    .await
}

/// A second person looks at a closed red one.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/review", tag = "incidents", params(("id" = String, Path)), request_body = ReviewBody,
    responses((status = 200, body = IncidentNow), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn review(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<ReviewBody>,
) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| {
        if body.agreed {
            incidents::review(tx, actor, id, &body.text, now)
        } else {
            incidents::send_back(tx, actor, id, &body.text, now)
        }
    })
    .await
}

/// Opens it again under its number, within 72 hours.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/reopening", tag = "incidents", params(("id" = String, Path)), request_body = WordsBody,
    responses((status = 200, body = IncidentNow), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn reopening(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<WordsBody>,
) -> Reply {
    step(app, signed, id, call, |tx, actor, id, body, now| incidents::reopen(tx, actor, id, &body.text, now))
        .await
}
