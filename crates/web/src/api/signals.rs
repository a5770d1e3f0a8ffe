//! What devices send through somebody else: vendors' platforms and health records. The answer comes when it is on disk.

use app::signals::intake::{AlarmFrame, Batch, Intake, NotTaken, Reading};
use axum::{Json, body::Bytes, extract::State, http::StatusCode};
use domain::{
    access::Actor,
    ids::PersonId,
    signals::{Rejected, device::Protocol, fhir, mqtt},
    time::At,
};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::oneshot;
use utoipa::ToSchema;

use crate::{
    App, Problem, Reply, Signed,
    intake::sender::{Becomes, Said, Sender, because, find, reject, too_many},
};

/// Signals in one request; a platform that has more sends them in turn.
const SIGNALS_MAX: usize = 1_000;

/// What became of a request's signals.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Taken {
    /// How many are stored.
    taken: usize,
    /// Those that are not, with the reason.
    rejected: Vec<Refused>,
}

/// One signal that was not taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refused {
    /// Its place in the request, from 0.
    index: usize,
    /// Stable name of the reason.
    error: &'static str,
    /// The sentence.
    reason: String,
}

/// How the intake of devices is.
#[derive(Debug, Serialize, ToSchema)]
pub struct IntakeStatus {
    /// Whether this server listens to devices at all.
    listening: bool,
    /// The disk is full: alarms are taken, readings are refused. Pages are told by `intake-full` and `intake-room`.
    disk_full: bool,
    /// Readings stored since the start.
    readings: u64,
    /// Alarms stored since the start, repeated ones too.
    alarms: u64,
    /// Frames that were there already.
    duplicates: u64,
    /// Readings refused because the disk was full.
    shed: u64,
    /// Readings refused because their device sends more than it may.
    too_many: u64,
    /// Frames rejected with a reason.
    rejected: u64,
}

/// How the intake of devices is; above all whether the disk is full.
#[utoipa::path(get, path = "/api/v1/signals/status", tag = "signals", responses((status = 200, body = IntakeStatus)))]
pub async fn status(State(app): State<App>) -> Json<IntakeStatus> {
    let status = app.signals().map(Intake::status);
    let listening = status.is_some();
    let s = status.unwrap_or_default();
    Json(IntakeStatus {
        listening,
        disk_full: s.disk_full,
        readings: s.readings,
        alarms: s.alarms,
        duplicates: s.duplicates,
        shed: s.shed,
        too_many: s.too_many,
        rejected: s.rejected,
    })
}

/// Takes signals of a vendor's devices: an object, or a list of objects, each with `device` and what the device would
/// have sent over MQTT.
#[utoipa::path(post, path = "/api/v1/signals", tag = "signals", request_body = Value,
    responses((status = 200, body = Taken), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub async fn create(State(app): State<App>, signed: Signed, body: Bytes) -> Reply<Json<Taken>> {
    let intake = open(&app)?;
    let value: Value =
        serde_json::from_slice(&body).map_err(|_| Problem::malformed("请求内容不是有效的 JSON"))?;
    let signals = match value {
        Value::Array(all) => all,
        Value::Object(mut object) => match object.remove("signals") {
            Some(Value::Array(all)) => all,
            _ => vec![Value::Object(object)],
        },
        _ => return Err(Problem::malformed("请求内容应为对象或对象的数组")),
    };
    if signals.len() > SIGNALS_MAX {
        return Err(Problem::invalid("too_many", format!("一次最多 {SIGNALS_MAX} 条")));
    }
    let actor = signed.actor();
    let (mut taken, mut batch, mut alarms) = (Taken::default(), Batch::default(), Vec::new());
    for (index, signal) in signals.into_iter().enumerate() {
        let raw = signal.to_string();
        let serial = signal.get("device").and_then(Value::as_str).unwrap_or_default();
        match one(intake, &actor, serial, raw.as_bytes()).await {
            Ok(Becomes::Reading(reading, counted)) => batch.push_counted(reading, counted, raw.as_bytes()),
            Ok(Becomes::TooMany { say }) => {
                let rejected = too_many(intake, "webhook", serial, ("webhook", say), raw.as_bytes());
                taken.rejected.push(Refused { index, error: rejected.error, reason: rejected.reason });
            }
            Ok(Becomes::Alarms(more)) => alarms.extend(more),
            Ok(Becomes::Unproved) => taken.refuse(
                intake,
                (index, serial),
                because("webhook", "unknown_device", "设备号未登记，或不在令牌的区划内"),
                &raw,
            ),
            Err(rejected) => taken.refuse(intake, (index, serial), rejected, &raw),
        }
        taken.taken = index + 1 - taken.rejected.len();
    }
    store(intake, batch, alarms).await?;
    Ok(Json(taken))
}

impl Taken {
    fn refuse(&mut self, intake: &Intake, (index, serial): (usize, &str), rejected: Rejected, raw: &str) {
        reject(intake, serial, "webhook", &rejected, raw.as_bytes());
        self.rejected.push(Refused { index, error: rejected.error, reason: rejected.reason });
    }
}

fn open(app: &App) -> Result<&Intake, Problem> {
    app.signals().ok_or_else(|| Problem::new(StatusCode::CONFLICT, "intake_closed", "此服务没有开启设备接入"))
}

fn busy(title: &str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "intake_unavailable", title)
}

async fn one(intake: &Intake, actor: &Actor, serial: &str, raw: &[u8]) -> Result<Becomes, Rejected> {
    let read = mqtt::decode(None, raw)?;
    let known = find(intake, serial).await;
    // A token speaks for the devices of its regions; an alarm of any other is taken and marked.
    let verified = known.as_ref().is_some_and(|known| actor.sees(known.region));
    let sender = Sender { serial: serial.to_owned(), known, verified, region: None };
    Ok(sender.says(Some(intake), &Said::json(read), Protocol::Webhook, intake.now().0, raw))
}

/// Stores all and waits for the disk.
async fn store(intake: &Intake, batch: Batch, alarms: Vec<AlarmFrame>) -> Result<(), Problem> {
    let (send, stored_alarms) = oneshot::channel();
    if alarms.is_empty() {
        let _ = send.send(Ok(()));
    } else {
        intake.take_alarms(
            alarms,
            Box::new(move |outcome| {
                let _ = send.send(outcome);
            }),
        );
    }
    let (send, stored) = oneshot::channel();
    if batch.is_empty() {
        let _ = send.send(Ok(()));
    } else {
        intake.take_readings(
            batch,
            Box::new(move |outcome| {
                let _ = send.send(outcome);
            }),
        );
    }
    for one in [stored_alarms, stored] {
        match one.await {
            Ok(Ok(())) => {}
            Ok(Err(NotTaken::Full)) => return Err(busy("磁盘已满，暂时只接收报警，请稍后重发")),
            _ => return Err(busy("没有保存，请稍后重发")),
        }
    }
    Ok(())
}

/// What became of an observation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Observed {
    /// What was measured.
    kind: &'static str,
}

/// Takes a FHIR R4 Observation of an elder: blood pressure, glucose, oxygen, pulse, temperature, weight. The subject is
/// the elder's id here.
#[utoipa::path(post, path = "/api/v1/observations", tag = "signals", request_body = Value,
    responses((status = 201, body = Observed), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub async fn observation(
    State(app): State<App>,
    signed: Signed,
    body: Bytes,
) -> Reply<(StatusCode, Json<Observed>)> {
    let intake = open(&app)?;
    let refuse = |rejected: Rejected, serial: &str| {
        reject(intake, serial, "fhir", &rejected, &body);
        Problem::invalid(rejected.error, rejected.reason)
    };
    let read = fhir::decode(&body).map_err(|rejected| refuse(rejected, ""))?;
    let subject = read.patient.rsplit('/').next().unwrap_or_default();
    let nobody = || because(fhir::PROTOCOL, "subject", "subject 应为本平台老人的编号，且在令牌的区划内");
    let person: PersonId = subject.parse().map_err(|_| refuse(nobody(), subject))?;
    let actor = signed.actor();
    let seen = app.read(move |tx, now| app::parties::people::person(tx, &actor, person, now)).await;
    if seen.is_err() {
        return Err(refuse(nobody(), subject));
    }
    let now = intake.now().0;
    let mut batch = Batch::default();
    let reading = Reading {
        // It is the elder's, whichever device it was.
        device: domain::ids::DeviceId(person.0),
        person: Some(person),
        protocol: Protocol::Fhir,
        received_at: now,
        device_at: read.time.as_deref().and_then(At::parse),
        seq: None,
        battery: None,
        trace: None,
    };
    batch.push(reading, &body);
    store(intake, batch, Vec::new()).await?;
    Ok((StatusCode::CREATED, Json(Observed { kind: read.kind })))
}
