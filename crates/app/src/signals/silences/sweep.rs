//! Reading the clocks that are due: silences are opened once, and closed when somebody was seen.

use std::collections::HashMap;

use domain::{
    ids::{IncidentId, OrderId, PersonId, VisitDutyId},
    orders::Channel,
    parties::mask,
    regions::{Level as RegionLevel, RegionCode},
    signals::{
        incident::{IncidentKind, Level},
        sighting::SightingKind,
        silence::{Absence, Clock, RiskGrade, Terms, Told},
    },
    time::{At, Now},
};
use serde_json::json;

use super::{platform, sql, terms};
use crate::{
    evidence::Event,
    orders::{self, PlaceOrder},
    outcome::No,
    signals::{
        duties,
        incidents::{self, Opening},
    },
    store::{Fault, Tx},
};

/// Clocks read in one transaction: few enough that nobody waits for it.
const CLOCKS: i64 = 500;
/// Whoever is overdue is looked at this often until somebody was seen.
const OVERDUE_LOOK_SECONDS: i64 = 30;
/// Fewer silences than this at once are never one thing gone wrong.
const AREA_MIN: i64 = 20;
/// Whoever is sent needs time to get there: someone at the door within the hour of the second level.
const KNOCK_LEAD_MINUTES: i64 = 45;
/// Silences within this time count as one thing.
const AREA_MINUTES: i64 = 60;

/// What one sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Clocks that were read.
    pub read: usize,
    /// Silences that began.
    pub opened: usize,
    /// Silences that ended.
    pub closed: usize,
}

/// A clock that is due, with what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Due {
    pub person: PersonId,
    pub region: RegionCode,
    pub name: String,
    pub grade: RiskGrade,
    pub why: String,
    pub since: At,
    pub last: Option<(At, SightingKind)>,
    pub open: Option<Open>,
}

/// A silence that is open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    pub id: i64,
    pub incident: Option<IncidentId>,
    pub from: At,
}

/// Reads the clocks that are due. Call again while it reads a full share.
///
/// # Errors
/// When the database fails.
pub fn tick(tx: &mut Tx<'_>, now: Now) -> Result<Swept, Fault> {
    let due = sql::due(tx, now.0, CLOCKS)?;
    if due.is_empty() {
        return Ok(Swept::default());
    }
    let terms = terms(tx)?;
    let people: Vec<PersonId> = due.iter().map(|d| d.person).collect();
    let mut away = sql::absences(tx, &people)?;
    let mut swept = Swept { read: due.len(), ..Swept::default() };
    let mut looks = Vec::with_capacity(due.len());
    let mut overdue: Vec<(Due, At, At)> = Vec::new();
    for one in due {
        let told = clock(&one, away.remove(&one.person)).tell(&terms, now);
        let look_at = match told {
            Told::Overdue { from, due } => {
                match one.open {
                    None => overdue.push((one.clone(), from, due)),
                    Some(open) if open.from < from => sql::moved(tx, open.id, from, due)?,
                    Some(_) => {}
                }
                now.0.plus_seconds(OVERDUE_LOOK_SECONDS)
            }
            Told::Running { .. } | Told::Paused { .. } => {
                if let Some(open) = one.open {
                    close(tx, &one, open, told, now)?;
                    swept.closed += 1;
                }
                told.look_at().max(now.0)
            }
        };
        looks.push((one.person, look_at));
    }
    sql::set_looks(tx, &looks)?;
    swept.opened = open_all(tx, &overdue, &terms, now)?;
    Ok(swept)
}

pub(super) fn clock(one: &Due, away: Option<Vec<Absence>>) -> Clock {
    Clock {
        grade: one.grade,
        since: one.since,
        last: one.last.map(|(at, _)| at),
        away: away.unwrap_or_default(),
    }
}

fn close(tx: &mut Tx<'_>, one: &Due, open: Open, told: Told, now: Now) -> Result<(), Fault> {
    let (by, words) = match (told, one.last) {
        (Told::Paused { why, .. }, _) => ("away", format!("已登记{why}，失联计时暂停")),
        (_, Some((at, kind))) => (kind.code(), format!("{} 有联系：{}", at.as_seen(now), kind.label())),
        (_, None) => ("away", "外出结束，重新计时".to_owned()),
    };
    if !sql::close(tx, open.id, by, now.0)? {
        return Ok(());
    }
    if let Some(incident) = open.incident {
        // Only a person ends an incident; whoever has it reads that somebody was seen.
        match incidents::note(tx, &platform(), incident, &words, now) {
            Ok(_) | Err(No::Refused(_) | No::NotFound | No::Forbidden(_)) => {}
            Err(No::Fault(fault)) => return Err(fault),
        }
    }
    duties::end_knock(tx, one.person, open.id, &words, now)?;
    let detail = json!({ "person": one.person, "by": by });
    tx.record(&platform(), now, Event::new("silence.closed", open.id, one.region, detail))
}

/// Opens what is new; answers how many.
fn open_all(tx: &mut Tx<'_>, overdue: &[(Due, At, At)], terms: &Terms, now: Now) -> Result<usize, Fault> {
    let mut counties: HashMap<RegionCode, i64> = HashMap::new();
    for (one, ..) in overdue {
        *counties.entry(one.region.within(RegionLevel::County)).or_default() += 1;
    }
    let mut areas: HashMap<RegionCode, IncidentId> = HashMap::new();
    for (county, new) in counties {
        let since = now.0.plus_minutes(-AREA_MINUTES);
        let (recent, watched) = sql::county(tx, county.range(), since)?;
        let many = new + recent;
        if many >= AREA_MIN && many * 100 > watched * terms.area_percent {
            areas.insert(county, area(tx, county, many, watched, now)?);
        }
    }
    let mut opened = 0;
    for (one, from, due) in overdue {
        let area = areas.get(&one.region.within(RegionLevel::County)).copied();
        opened += usize::from(open(tx, one, (*from, *due), area, terms, now)?);
    }
    Ok(opened)
}

/// When a fifth of a county falls silent within an hour, something else is wrong than a fifth of its elders.
fn area(tx: &mut Tx<'_>, county: RegionCode, many: i64, watched: i64, now: Now) -> Result<IncidentId, Fault> {
    let opening = Opening {
        kind: IncidentKind::Area,
        level: IncidentKind::Area.level(),
        person: None,
        device: None,
        region: county,
        pressed_at: None,
        received_at: now.0,
        verified: true,
        text: format!("本区县关注名单 {watched} 人中一小时内有 {many} 人失联，请先查联系记录的来源是否中断"),
        key: format!("silence-area:{county}:{}", now.0.local().strftime("%Y-%m-%dT%H")),
    };
    Ok(incidents::open(tx, &opening, now)?.id)
}

/// Opens one silence with its incident and its knock at the door; not twice.
fn open(
    tx: &mut Tx<'_>,
    one: &Due,
    (from, due): (At, At),
    area: Option<IncidentId>,
    terms: &Terms,
    now: Now,
) -> Result<bool, Fault> {
    let id = tx.id(now);
    if !sql::open(tx, id, one, (from, due), now.0)? {
        return Ok(false);
    }
    let hours = now.0.minutes_since(from) / 60;
    let (incident, order, duty) = match area {
        Some(incident) => (incident, None, None),
        None => {
            let opening = Opening {
                kind: IncidentKind::Silence,
                level: if one.grade == RiskGrade::High { Level::P2 } else { Level::P3 },
                person: Some(one.person),
                device: None,
                region: one.region,
                pressed_at: None,
                received_at: now.0,
                verified: true,
                text: format!("{} 小时没有人见到或联系上（{}，{}）", hours, one.grade.label(), one.why),
                key: format!("silence:{}:{}:{id}", one.person, from.0),
            };
            let incident = incidents::open(tx, &opening, now)?.id;
            let (order, duty) = knock(tx, one, id, hours, incident, terms, now)?;
            (incident, order, duty)
        }
    };
    sql::follow_up(tx, id, incident, order, duty)?;
    let detail = json!({
        "person": one.person, "grade": one.grade.code(), "from": from, "due": due, "incident": incident,
        "order": order, "duty": duty, "area": area.is_some(),
    });
    tx.record(&platform(), now, Event::new("silence.opened", id, one.region, detail))?;
    Ok(true)
}

/// Somebody is sent to the door: as an order to the nearest team where programmes pay all of it, because nobody is
/// charged for a knock they did not ask for; otherwise whoever is in charge of the elder goes.
fn knock(
    tx: &mut Tx<'_>,
    one: &Due,
    silence: i64,
    hours: i64,
    incident: IncidentId,
    terms: &Terms,
    now: Now,
) -> Result<(Option<OrderId>, Option<VisitDutyId>), Fault> {
    let actor = platform();
    let wish = PlaceOrder {
        person: one.person,
        service: terms.knock_item.clone(),
        start: now.0.plus_minutes(KNOCK_LEAD_MINUTES),
        minutes: None,
        own_share_agreed: false,
        channel: Channel::Plan,
        call: None,
        note: format!(
            "敲门问需：{} {hours} 小时无人联系上，到门口请先敲门，见到人后签到",
            mask::name(&one.name)
        ),
    };
    if !terms.knock_item.is_empty() {
        match orders::place(tx, &actor, &wish, now) {
            Ok(order) => {
                offer(tx, order, now)?;
                return Ok((Some(order), None));
            }
            Err(No::Fault(fault)) => return Err(fault),
            Err(No::Refused(_) | No::NotFound | No::Forbidden(_)) => {}
        }
    }
    let within = if one.grade == RiskGrade::High { 60 } else { 24 * 60 };
    let due = now.0.plus_minutes(within);
    let duty = duties::add_knock(tx, (one.person, one.region), silence, due, Some(incident), now)?;
    Ok((None, Some(duty)))
}

/// The order goes to the carer who fits best; when nobody does, it waits at the dispatch desk.
fn offer(tx: &mut Tx<'_>, order: OrderId, now: Now) -> Result<(), Fault> {
    let actor = platform();
    let answer =
        orders::candidates(tx, &actor, order, now).and_then(|all| match all.iter().find(|one| one.allowed) {
            Some(best) => orders::assign(tx, &actor, order, best.carer, None, now).map(drop),
            None => Ok(()),
        });
    match answer {
        Ok(()) | Err(No::Refused(_) | No::NotFound | No::Forbidden(_)) => Ok(()),
        Err(No::Fault(fault)) => Err(fault),
    }
}
