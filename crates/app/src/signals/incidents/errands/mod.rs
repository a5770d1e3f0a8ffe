//! Somebody sent to the elder's door for an incident: asked, on the way, there, and what they found.
//!
//! An errand has a name on it from the first moment. Whoever does not answer in time or cannot go is followed by the
//! next nearest by itself; when nobody is left the shift's leader is called. What was found stands in the incident's
//! history, and an elder who was met sets the last-contact clock.

mod near;
mod steps;

use domain::{
    access::{Act, Actor},
    ids::{AccountId, CarerId, ErrandId, IncidentId, PersonId},
    regions::{Level as RegionLevel, RegionCode},
    signals::{
        errand::{self, ErrandRefusal, ErrandState, Finding},
        incident::{Incident, IncidentFactKind as Kind, IncidentRefusal, IncidentState},
        ladder::{Reach, Terms},
    },
    time::{At, Now},
};
use serde_json::{Value, json};

pub(super) use near::nearest_station;
pub use near::{Helper, Station, stations};
pub(super) use steps::answered_by_phone;
pub use steps::{answer, arrive, recall, report};

use super::{ladder, load, platform, reaches, save, save::Fact, sql};
use crate::{
    outcome::{Answer, Decided, Found, No, Outcome},
    parties::people,
    regions,
    store::{Fault, Tx},
};

/// Somebody sent to a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// Its number.
    pub id: ErrandId,
    /// For which incident.
    pub incident: IncidentId,
    /// To whom.
    pub person: PersonId,
    /// Where that is.
    pub region: RegionCode,
    /// The account of whoever goes; none for a carer who has to be rung up.
    pub account: Option<AccountId>,
    /// The carer, when it is one.
    pub carer: Option<CarerId>,
    /// Name of whoever goes.
    pub name: String,
    /// Whose they are: a provider, a community.
    pub station: String,
    /// Where to ring the station.
    pub phone: String,
    /// Why this one.
    pub why: String,
    /// How far they have.
    pub metres: Option<i64>,
    /// Where it stands.
    pub state: ErrandState,
    /// When they were asked.
    pub sent_at: At,
    /// Who asked.
    pub sent_by: AccountId,
    /// Name of who asked; empty for the platform.
    pub sent_by_name: String,
    /// By when they must have answered.
    pub answer_by: At,
    /// By when somebody must be at the door.
    pub door_by: At,
    /// When they answered.
    pub answered_at: Option<At>,
    /// When they were there.
    pub arrived_at: Option<At>,
    /// When it was over.
    pub ended_at: Option<At>,
    /// What was found.
    pub finding: Option<Finding>,
    /// In which words.
    pub note: String,
}

impl Errand {
    fn detail(&self) -> Value {
        json!({
            "errand": self.id, "name": self.name, "account": self.account, "carer": self.carer,
            "errand_state": self.state.code(), "finding": self.finding.map(Finding::code),
        })
    }

    /// Whether this is who was sent.
    fn of(&self, actor: &Actor) -> bool {
        self.account == Some(actor.account)
    }
}

/// Who is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    /// Whoever is at the door first.
    Nearest,
    /// The nearest of the providers' stations.
    Station,
    /// The nearest of those who have the place in charge.
    Grid,
    /// The one at this place of the list (from 1), or of this name.
    Said(String),
}

impl Pick {
    fn of<'a>(&self, all: &'a [Helper]) -> Option<&'a Helper> {
        match self {
            Pick::Nearest => all.first(),
            Pick::Station => all.iter().find(|h| h.carer.is_some()),
            Pick::Grid => all.iter().find(|h| h.carer.is_none()),
            Pick::Said(said) => match said.parse::<usize>() {
                Ok(n) => all.get(n.checked_sub(1)?),
                Err(_) => all.iter().find(|h| h.name == *said),
            },
        }
    }
}

/// Who could be sent, the soonest at the door first; empty while nobody knows about whom it is.
///
/// # Errors
/// When the incident cannot be seen.
pub fn helpers(tx: &mut Tx<'_>, actor: &Actor, id: IncidentId, now: Now) -> Answer<Vec<Helper>> {
    actor.may(Act::SeeAlarms)?;
    let i = sql::find(tx, id)?.filter(|i| actor.sees(i.region)).found()?;
    let mut all = free(tx, &i, now)?;
    all.truncate(errand::OFFERED);
    Ok(all)
}

/// Who could go and was not asked in vain or is under way already.
fn free(tx: &mut Tx<'_>, i: &Incident, now: Now) -> Result<Vec<Helper>, Fault> {
    let Some(person) = i.person else { return Ok(Vec::new()) };
    let asked = sql::errands(tx, i.id)?;
    let mut all = near::all(tx, person, i.region, now)?;
    all.retain(|h| {
        let same = |e: &&Errand| match h.carer {
            Some(carer) => e.carer == Some(carer),
            None => e.account == h.account,
        };
        !asked
            .iter()
            .filter(same)
            .any(|e| e.state.open() || matches!(e.state, ErrandState::Declined | ErrandState::Lapsed))
    });
    Ok(all)
}

/// The owner sends somebody: the nearest, or who is named.
///
/// # Errors
/// When somebody else owns it or nobody does, nobody knows about whom it is, or there is nobody like that to send.
pub fn send(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: IncidentId,
    pick: &Pick,
    now: Now,
) -> Outcome<Errand, IncidentRefusal> {
    let mut i = load(tx, actor, Act::AnswerAlarms, id)?;
    let owner = sql::account_name(tx, i.owner)?;
    i.escalate(actor.account, &owner, now).decided()?;
    if i.person.is_none() {
        return Err(No::Refused(IncidentRefusal::Missing { what: "是哪位老人，再派人上门" }));
    }
    let all = free(tx, &i, now)?;
    let Some(helper) = pick.of(&all).cloned() else {
        return Err(No::Refused(missing(tx, &i, pick, &all)?));
    };
    let terms = ladder::terms(tx)?;
    Ok(ask(tx, actor, &mut i, &helper, &terms, now)?)
}

/// Why nobody was sent.
fn missing(tx: &mut Tx<'_>, i: &Incident, pick: &Pick, all: &[Helper]) -> Result<IncidentRefusal, Fault> {
    let Pick::Said(said) = pick else { return Ok(IncidentRefusal::NobodyToSend) };
    let under_way = sql::errands(tx, i.id)?.into_iter().find(|e| e.state.open() && e.name == *said);
    Ok(match under_way {
        Some(e) => IncidentRefusal::SentAlready { name: e.name },
        None if all.is_empty() => IncidentRefusal::NobodyToSend,
        None => IncidentRefusal::NoSuchHelper { said: said.clone() },
    })
}

/// Asks one helper: the errand, and the line in the incident's history.
fn ask(
    tx: &mut Tx<'_>,
    actor: &Actor,
    i: &mut Incident,
    helper: &Helper,
    terms: &Terms,
    now: Now,
) -> Result<Errand, Fault> {
    let person = i.person.ok_or_else(|| Fault::other("an errand to nobody"))?;
    let township = regions::book(tx)?.name_of(i.region.within(RegionLevel::Township));
    let (answer_by, door_by) = errand::due(i.level, township.ends_with("街道"), now);
    let errand = Errand {
        id: ErrandId(tx.id(now)),
        incident: i.id,
        person,
        region: i.region,
        account: helper.account,
        carer: helper.carer,
        name: helper.name.clone(),
        station: helper.station.clone(),
        phone: helper.phone.clone(),
        why: helper.why.clone(),
        metres: helper.metres,
        state: ErrandState::Asked,
        sent_at: now.0,
        sent_by: actor.account,
        sent_by_name: actor.name.clone(),
        // Somebody who must be rung up cannot answer by themselves within a minute.
        answer_by: if helper.account.is_some() { answer_by } else { answer_by.plus_minutes(4) },
        door_by,
        answered_at: None,
        arrived_at: None,
        ended_at: None,
        finding: None,
        note: String::new(),
    };
    sql::insert_errand(tx, &errand)?;
    reaches::for_errand(tx, i, &errand, helper.online, now)?;
    let text = format!("派{}（{}）上门：{}", errand.name, errand.station, errand.why);
    tell(tx, actor, i, (Kind::Sent, text), &errand, terms, now)?;
    Ok(errand)
}

/// Writes a line about an errand into the incident's history.
fn tell(
    tx: &mut Tx<'_>,
    actor: &Actor,
    i: &mut Incident,
    (kind, text): (Kind, String),
    errand: &Errand,
    terms: &Terms,
    now: Now,
) -> Result<(), Fault> {
    save::step(tx, actor, i, &[Fact::new(kind, text).with(errand.detail())], terms, now)
}

/// Asks the next nearest in the platform's name; calls the leader when there is nobody left.
fn ask_next(tx: &mut Tx<'_>, i: &mut Incident, terms: &Terms, now: Now) -> Result<(), Fault> {
    let open = sql::errands(tx, i.id)?.iter().any(|e| e.state.open());
    if i.state == IncidentState::Closed || open {
        return Ok(());
    }
    let by = platform();
    // Without a gateway nobody rings them up in the platform's name, so only who can read it is asked.
    let rings = reaches::gateway(tx, now)?.is_some();
    let next = free(tx, i, now)?.into_iter().find(|h| h.account.is_some() || rings);
    match next {
        Some(helper) => ask(tx, &by, i, &helper, terms, now).map(drop),
        None => {
            ladder::add_step(tx, i, (Reach::Leader, "派人上门没有人能去"), by.account, now)?;
            let text = "能派的人都没有答复或去不了，已上报班长";
            save::step(tx, &by, i, &[Fact::new(Kind::Errand, text)], terms, now)
        }
    }
}

/// Who did not answer in time is followed by the next. A reconciler.
pub(super) fn lapse(tx: &mut Tx<'_>, now: Now, limit: i64) -> Result<usize, Fault> {
    let late = sql::lapsed(tx, now.0, limit)?;
    if late.is_empty() {
        return Ok(0);
    }
    let terms = ladder::terms(tx)?;
    let count = late.len();
    for mut errand in late {
        let was = errand.state;
        errand.state = ErrandState::Lapsed;
        errand.ended_at = Some(now.0);
        if !sql::update_errand(tx, &errand, was)? {
            continue;
        }
        let Some(mut i) = sql::find(tx, errand.incident)? else { continue };
        reaches::errand_over(tx, &i, (errand.id, errand.state), now)?;
        let text = format!("{}没有答复", errand.name);
        tell(tx, &platform(), &mut i, (Kind::Errand, text), &errand, &terms, now)?;
        ask_next(tx, &mut i, &terms, now)?;
    }
    Ok(count)
}

/// The incident is over: whoever is not at the door yet need not go.
pub(super) fn call_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    i: &mut Incident,
    terms: &Terms,
    now: Now,
) -> Result<(), Fault> {
    for mut errand in sql::errands(tx, i.id)? {
        let was = errand.state;
        if !matches!(was, ErrandState::Asked | ErrandState::Coming) {
            continue;
        }
        errand.state = ErrandState::Recalled;
        errand.ended_at = Some(now.0);
        if sql::update_errand(tx, &errand, was)? {
            let text = format!("警情已结案，{}不用去了", errand.name);
            tell(tx, actor, i, (Kind::Errand, text), &errand, terms, now)?;
        }
    }
    Ok(())
}

/// Who was sent for an incident, in order.
///
/// # Errors
/// When the incident cannot be seen.
pub fn errands(tx: &mut Tx<'_>, actor: &Actor, id: IncidentId) -> Answer<Vec<Errand>> {
    actor.may(Act::SeeAlarms)?;
    sql::find(tx, id)?.filter(|i| actor.sees(i.region)).found()?;
    Ok(sql::errands(tx, id)?)
}

/// What the actor was sent on and has not come back from.
///
/// # Errors
/// Faults only.
pub fn my_errands(tx: &mut Tx<'_>, actor: &Actor) -> Answer<Vec<Errand>> {
    Ok(sql::errands_of(tx, actor.account)?)
}

/// One errand with its incident: for whoever was sent, and whoever may answer the incident.
///
/// # Errors
/// When it is none of the actor's business.
pub fn errand(tx: &mut Tx<'_>, actor: &Actor, id: ErrandId) -> Answer<(Errand, Incident)> {
    seen(tx, actor, id)
}

/// The code of the elder's door, for whoever said they go and is not back yet.
///
/// # Errors
/// When it is none of the actor's business.
pub fn errand_door_code(tx: &mut Tx<'_>, actor: &Actor, id: ErrandId) -> Answer<Option<String>> {
    let (errand, _) = seen(tx, actor, id)?;
    let going = matches!(errand.state, ErrandState::Coming | ErrandState::There);
    Ok(match errand.answered_at {
        Some(since) if going && errand.of(actor) => {
            people::door_code_opened(tx, actor.account, errand.person, since)?
        }
        _ => None,
    })
}

fn seen<R>(tx: &mut Tx<'_>, actor: &Actor, id: ErrandId) -> Outcome<(Errand, Incident), R> {
    let answers = actor.may(Act::AnswerAlarms).is_ok();
    let errand =
        sql::find_errand(tx, id)?.filter(|e| e.of(actor) || (answers && actor.sees(e.region))).found()?;
    let incident = sql::find(tx, errand.incident)?.found()?;
    Ok((errand, incident))
}

/// Words for a step that somebody at the desk notes for whoever was sent.
fn by_hand(errand: &Errand, actor: &Actor) -> &'static str {
    if errand.of(actor) { "" } else { "（坐席代记）" }
}

fn wrong(errand: &Errand) -> No<ErrandRefusal> {
    No::Refused(ErrandRefusal::WrongState { state: errand.state })
}
