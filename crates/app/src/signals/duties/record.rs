//! Recording a visit: what was seen, and what follows from it at once.

use domain::{
    access::{Act, Actor},
    ids::{IncidentId, OrderId, PersonId, VisitDutyId},
    money::Minutes,
    orders::Channel,
    regions::RegionCode,
    signals::{
        incident::{IncidentKind, Level},
        rounds::{self, DutyKind, Judged, Mark, Met, Report, VisitRefusal, Way},
        sighting::SightingKind,
        silence::Terms,
    },
    time::{At, Now},
};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{STANDING, progress, progress::Standing, sql};
use crate::{
    evidence::Event,
    orders::{self, NewPhoto, PlaceOrder},
    outcome::{Answer, Decided, Found, No, Outcome},
    signals::{
        incidents::{self, Opening},
        sightings::{self, Sighting},
        silences,
    },
    store::{Fault, Tx},
};

/// A service somebody needs, found at a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Item of the catalogue.
    pub service: String,
    /// When it should be.
    pub start: At,
    /// For how long; the item's standard when not given.
    pub minutes: Option<Minutes>,
    /// The elder agreed to pay what programmes do not.
    pub own_share_agreed: bool,
    /// Words for the carer.
    pub note: String,
}

/// A photograph that was looked at: it is a picture, and this is its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitPhoto {
    pub(super) kind: &'static str,
    pub(super) sha256: [u8; 32],
    pub(super) bytes: Vec<u8>,
}

impl VisitPhoto {
    /// Looks at a file. Decoding takes tens of milliseconds: call it outside the store.
    ///
    /// # Errors
    /// When it is no picture, or too large.
    pub fn parse(bytes: Vec<u8>, at: At) -> Result<VisitPhoto, VisitRefusal> {
        NewPhoto::parse(bytes.clone(), at).map_err(|_| VisitRefusal::BadPhoto)?;
        let kind = match image::guess_format(&bytes) {
            Ok(image::ImageFormat::Png) => "image/png",
            Ok(image::ImageFormat::WebP) => "image/webp",
            _ => "image/jpeg",
        };
        Ok(VisitPhoto { kind, sha256: Sha256::digest(&bytes).into(), bytes })
    }
}

/// A visit to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVisit {
    /// What was seen.
    pub report: Report,
    /// A photograph of the door or, when the elder agrees, of the elder.
    pub photo: Option<VisitPhoto>,
    /// What is needed.
    pub needs: Vec<Need>,
}

/// What follows from a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Followed {
    /// An order was placed.
    Order(OrderId),
    /// An incident was opened.
    Incident(IncidentId),
}

/// A recorded visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its number.
    pub id: i64,
    /// Whether the elder was seen or spoken to.
    pub success: bool,
    /// When the duty is due next; none when it is done with.
    pub next_due: Option<At>,
    /// What followed.
    pub followed: Vec<Followed>,
}

/// Records a visit. What it finds becomes orders and incidents in the same transaction.
///
/// # Errors
/// When it makes no sense, the duty is over or not the actor's to see, or a need cannot be ordered.
pub fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: VisitDutyId,
    new: &NewVisit,
    now: Now,
) -> Outcome<Recorded, VisitRefusal> {
    actor.may(Act::MakeRounds)?;
    let (standing, ended) = sql::standing(tx, id, actor.scope())?.found()?;
    if ended {
        return Err(No::Refused(VisitRefusal::Ended));
    }
    let report = &new.report;
    let judged = rounds::judge(&standing.duty, standing.grade, report, now).decided()?;
    let photo = new.photo.as_ref();
    if let Some(photo) = photo
        && sql::photo_known(tx, &photo.sha256)?
    {
        return Err(No::Refused(VisitRefusal::PhotoUsed));
    }
    let visit = tx.id(now);
    let followed = follow_up(tx, actor, visit, &standing, new, judged, now)?;
    sql::insert_try(tx, visit, &standing, report, actor.account, photo, &json!(followed), now.0)?;
    if judged.success {
        met(tx, actor, &standing, report, now)?;
    } else {
        missed(tx, &standing, report, now)?;
    }
    let detail = json!({
        "duty": id, "person": standing.person, "kind": standing.duty.kind.code(), "way": report.way.code(),
        "met": report.met.code(), "at": report.at, "points": marks(report), "followed": followed,
        "answers": report.answers.iter().map(|a| a.code()).collect::<Vec<_>>(),
        "photo": photo.map(|p| p.sha256.iter().map(|b| format!("{b:02x}")).collect::<String>()),
    });
    tx.record(actor, now, Event::new("visit.recorded", visit, standing.region, detail))?;
    let next_due = sql::standing(tx, id, actor.scope())?.filter(|(_, ended)| !ended).map(|(s, _)| s.duty.due);
    Ok(Recorded { id: visit, success: judged.success, next_due, followed })
}

/// One letter a point: `-` unseen, `f` fine, `w` worry, `u` urgent.
pub(super) fn marks(report: &Report) -> String {
    let letter = |mark: &Mark| match mark {
        Mark::Unseen => '-',
        Mark::Fine => 'f',
        Mark::Worry => 'w',
        Mark::Urgent => 'u',
    };
    report.points.iter().map(letter).collect()
}

/// Orders for needs, an incident for what is urgent or worrying.
fn follow_up(
    tx: &mut Tx<'_>,
    actor: &Actor,
    visit: i64,
    standing: &Standing,
    new: &NewVisit,
    judged: Judged,
    now: Now,
) -> Outcome<Vec<Followed>, VisitRefusal> {
    let mut followed = Vec::new();
    for need in &new.needs {
        let wish = PlaceOrder {
            person: standing.person,
            service: need.service.clone(),
            start: need.start,
            minutes: need.minutes,
            own_share_agreed: need.own_share_agreed,
            channel: Channel::Office,
            call: None,
            note: if need.note.trim().is_empty() { "巡访时提出".to_owned() } else { need.note.clone() },
        };
        let order = orders::place(tx, actor, &wish, now)
            .map_err(|no| no.map(|r| VisitRefusal::Order(r.to_string())))?;
        followed.push(Followed::Order(order));
    }
    if judged.urgent || judged.worry {
        let said: Vec<&str> = new.report.answers.iter().map(|a| a.label()).collect();
        let opening = Opening {
            kind: IncidentKind::Finding,
            level: if judged.urgent { Level::P1 } else { Level::P3 },
            person: Some(standing.person),
            device: None,
            region: standing.region,
            pressed_at: Some(new.report.at),
            received_at: now.0,
            verified: true,
            text: format!("巡访发现：{}。{}", said.join("、"), new.report.note.trim()),
            key: format!("visit-try:{visit}"),
        };
        followed.push(Followed::Incident(incidents::open(tx, &opening, now)?.id));
    }
    Ok(followed)
}

/// The elder was seen: the clock is set, and every duty this visit fulfils begins anew or ends.
fn met(tx: &mut Tx<'_>, actor: &Actor, standing: &Standing, report: &Report, now: Now) -> Result<(), Fault> {
    let door = report.way == Way::Door;
    let seen = Sighting {
        person: standing.person,
        at: report.at,
        kind: if door { SightingKind::Knock } else { SightingKind::Phone },
        source: format!("{} {}", standing.duty.kind.label(), actor.name),
    };
    sightings::see(tx, &[seen], now)?;
    let terms = silences::terms(tx)?;
    for one in sql::open_of(tx, standing.person)? {
        if rounds::fulfils(one.duty.kind, one.grade, report.way) {
            fulfil(tx, &one, &terms, report.at, now)?;
        }
    }
    // The silence ends with the next sweep; it need not wait for it.
    silences::look_now(tx, standing.person, now)
}

fn fulfil(tx: &mut Tx<'_>, one: &Standing, terms: &Terms, at: At, now: Now) -> Result<(), Fault> {
    match rounds::due(one.duty.kind, terms.of(one.grade), at) {
        Some(due) if one.occasion == STANDING => sql::begin_anew(tx, one.id, at, due),
        _ => sql::end_one(tx, one.id, "已完成", now.0),
    }
}

/// Nobody was met: a try. Whoever a contact vouches for is looked for again tomorrow.
fn missed(tx: &mut Tx<'_>, standing: &Standing, report: &Report, now: Now) -> Result<(), Fault> {
    if report.met == Met::Vouched {
        let again = now.0.plus_minutes(rounds::SECOND_TRY_HOURS * 60);
        let due = if standing.duty.kind == DutyKind::Phone { standing.duty.due.max(again) } else { again };
        return sql::vouched(tx, standing.id, due);
    }
    sql::missed(tx, standing.id, report.at)?;
    if let Some(one) = sql::one_standing(tx, standing.id)? {
        progress::go_on(tx, &one, now)?;
    }
    Ok(())
}

/// A visit's photograph, for whoever may see the elder: media type and bytes.
///
/// # Errors
/// When there is none the actor may see.
pub fn photo(tx: &mut Tx<'_>, actor: &Actor, visit: i64) -> Answer<(String, Vec<u8>)> {
    actor.may(Act::SeePeople)?;
    sql::photo(tx, visit, actor.scope())?.found()
}

/// Where somebody lives, for commands of this area.
pub(super) type Whose = (PersonId, RegionCode);
