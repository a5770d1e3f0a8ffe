//! Carers: the people of a provider who go to the homes, with certificates, hours and leave.
//!
//! A provider's own office keeps its carers; civil affairs may do it for any in its regions. A certificate is never
//! changed or taken away: a renewed one is a new row, so a visit of an old day is judged by what was held on that day.

mod ask;
mod sql;

use domain::{
    access::{Act, Actor, Scope},
    ids::{CarerId, ProviderId},
    parties::{Certificate, Sex, mask},
    refusal::{Refusal, RefusalKind},
    regions::RegionCode,
    time::{At, Day, Now},
};
use serde_json::json;

pub use ask::{CarerAsk, CertificateAsk, NEVER, NewCarer, NewCertificate};

use super::{
    providers::{self, ENDING_DAYS, days_between},
    wrong::{Wrong, Wrongs},
};
use crate::{
    evidence::Event,
    outcome::{Answer, Found, No, Outcome},
    store::{Fault, FaultKind, Tx},
};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// What a carer's phone is encrypted and found under.
pub const PHONE: &str = "carer_phone";

/// A carer as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Carer {
    /// Which.
    pub id: CarerId,
    /// Region of the home.
    pub region: RegionCode,
    /// Who employs them.
    pub provider: ProviderId,
    /// Name of the employer.
    pub provider_name: String,
    /// Full name.
    pub name: String,
    /// Sex.
    pub sex: Sex,
    /// Day of birth.
    pub birth: Day,
    /// Phone, masked.
    pub phone_masked: String,
    /// Longitude and latitude of the home.
    pub home: Option<(f64, f64)>,
    /// Languages spoken, separated by 、
    pub languages: String,
    /// Bit 0 Monday to bit 6 Sunday.
    pub work_days: i64,
    /// Minutes after midnight when the day begins.
    pub work_from: i64,
    /// Minutes after midnight when it ends.
    pub work_to: i64,
    /// Orders are accepted at once when offered.
    pub takes_at_once: bool,
    /// First and last day of the leave that was entered last.
    pub leave: Option<(Day, Day)>,
    /// All stars given.
    pub stars: i64,
    /// How many ratings they were given in.
    pub ratings: i64,
    /// When they left, if they did.
    pub left_at: Option<At>,
    /// Every certificate held now or before, the latest of each kind first.
    pub certificates: Vec<Held>,
}

impl Carer {
    /// `周一、周三 08:00–17:00`
    pub fn hours(&self) -> String {
        const NAMES: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];
        let worked: Vec<&str> =
            (0..7).filter(|bit| self.work_days >> bit & 1 == 1).map(|bit| NAMES[bit]).collect();
        let days = if worked.len() == 7 { "每天".to_owned() } else { worked.join("、") };
        format!("{days} {}–{}", clock(self.work_from), clock(self.work_to))
    }

    /// Mean rating in tenths of a star; none before the first.
    pub fn rating_tenths(&self) -> Option<i64> {
        (self.ratings > 0).then(|| self.stars * 10 / self.ratings)
    }

    /// Whether they are on leave on a day.
    pub fn on_leave(&self, on: Day) -> bool {
        self.left_at.is_none() && self.leave.is_some_and(|(from, to)| from <= on && on <= to)
    }
}

/// Minutes after midnight as `08:00`.
pub fn clock(minutes: i64) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// A certificate somebody holds or held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What it proves.
    pub skill: Certificate,
    /// Number on the paper.
    pub certificate_no: String,
    /// Day of issue.
    pub valid_from: Day,
    /// Last day; `NEVER` for one that does not run out.
    pub valid_to: Day,
    /// A later one of the same kind is there.
    pub renewed: bool,
}

/// How a certificate stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Replaced by a later one.
    Renewed,
    /// Ran out, so many days ago.
    Expired(i32),
    /// Runs out within thirty days, in so many.
    Ending(i32),
    /// Valid.
    Valid,
}

impl Held {
    /// How it stands on a day.
    pub fn standing(&self, on: Day) -> Standing {
        let left = days_between(on, self.valid_to);
        match left {
            _ if self.renewed => Standing::Renewed,
            ..0 => Standing::Expired(-left),
            0..=ENDING_DAYS => Standing::Ending(left),
            _ => Standing::Valid,
        }
    }
}

/// A certificate that has run out or soon will, with whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiring {
    /// Whose.
    pub carer: CarerId,
    /// Name of the carer.
    pub name: String,
    /// Who employs them.
    pub provider: ProviderId,
    /// Name of the employer.
    pub provider_name: String,
    /// The certificate.
    pub held: Held,
}

/// Which carers a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this provider.
    pub provider: Option<ProviderId>,
    /// Part of the name.
    pub words: String,
    /// Holds this certificate, valid today.
    pub skill: Option<Certificate>,
    /// Also those who have left.
    pub left: bool,
}

/// Why something about a carer was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CarerRefusal {
    /// Fields that cannot be taken.
    #[error(transparent)]
    Wrong(#[from] Wrongs),
    /// The same certificate from the same day is there.
    #[error("{}自 {from} 起的证书已登记，请核对发证日期", .skill.label())]
    SameCertificate {
        /// Which kind.
        skill: Certificate,
        /// From when.
        from: Day,
    },
    /// The carer has left.
    #[error("这名服务人员已离职，不能再修改")]
    Left,
}

impl Refusal for CarerRefusal {
    fn code(&self) -> &'static str {
        match self {
            CarerRefusal::Wrong(wrongs) => wrongs.code(),
            CarerRefusal::SameCertificate { .. } => "same_certificate",
            CarerRefusal::Left => "carer_has_left",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            CarerRefusal::Wrong(_) => RefusalKind::Invalid,
            _ => RefusalKind::Conflict,
        }
    }
}

impl CarerRefusal {
    /// What to tell at which field.
    pub fn wrongs(&self) -> Vec<Wrong> {
        match self {
            CarerRefusal::Wrong(wrongs) => wrongs.0.clone(),
            CarerRefusal::SameCertificate { .. } => vec![Wrong::new("valid_from", self.to_string())],
            CarerRefusal::Left => vec![Wrong::new("name", self.to_string())],
        }
    }
}

/// Enters a carer of a provider.
pub fn enter(
    tx: &mut Tx<'_>,
    actor: &Actor,
    provider: ProviderId,
    ask: &CarerAsk,
    now: Now,
) -> Outcome<CarerId, CarerRefusal> {
    actor.may(Act::EditProviders)?;
    providers::provider(tx, actor, provider, now).map_err(|no| no.map(|never| match never {}))?;
    let new = ask.parse(provider, false, now.day()).map_err(|w| No::Refused(w.into()))?;
    let id = CarerId(tx.id(now));
    sql::insert(tx, id, &new)?;
    tx.record(actor, now, Event::new("carer.entered", id.0, new.region, told(&new)))?;
    Ok(id)
}

/// Changes what is known of a carer.
pub fn edit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: CarerId,
    ask: &CarerAsk,
    now: Now,
) -> Outcome<(), CarerRefusal> {
    let old = editable(tx, actor, id)?;
    let new = ask.parse(old.provider, true, now.day()).map_err(|w| No::Refused(w.into()))?;
    sql::update(tx, id, &new)?;
    tx.record(actor, now, Event::new("carer.edited", id.0, new.region, told(&new)))?;
    Ok(())
}

fn told(new: &NewCarer) -> serde_json::Value {
    json!({
        "provider": new.provider, "name": new.name.as_str(), "phone": new.phone.as_ref().map(|p| mask::phone(p.reveal())),
        "work_days": new.work_days, "work_from": new.work_from, "work_to": new.work_to,
        "takes_at_once": new.takes_at_once,
    })
}

/// The carer, when the actor may change it.
fn editable(tx: &mut Tx<'_>, actor: &Actor, id: CarerId) -> Outcome<Carer, CarerRefusal> {
    actor.may(Act::EditProviders)?;
    let carer = sql::carer(tx, id, actor.scope())?.found()?;
    if carer.left_at.is_some() { Err(No::Refused(CarerRefusal::Left)) } else { Ok(carer) }
}

/// Adds a certificate, or the renewal of one.
pub fn certify(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: CarerId,
    ask: &CertificateAsk,
    now: Now,
) -> Outcome<(), CarerRefusal> {
    let carer = editable(tx, actor, id)?;
    let new = ask.parse(now.day()).map_err(|w| No::Refused(w.into()))?;
    if !sql::insert_certificate(tx, id, &new)? {
        let (skill, from) = (new.skill, new.valid_from);
        return Err(No::Refused(CarerRefusal::SameCertificate { skill, from }));
    }
    let detail = json!({
        "skill": new.skill.code(), "certificate_no": new.certificate_no,
        "valid_from": new.valid_from.to_string(), "valid_to": new.valid_to.to_string(),
    });
    tx.record(actor, now, Event::new("carer.certified", id.0, carer.region, detail))?;
    Ok(())
}

/// Puts a carer on leave between two days, both included; a new leave takes the place of the one before.
pub fn leave(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: CarerId,
    from: &str,
    to: &str,
    now: Now,
) -> Outcome<(), CarerRefusal> {
    let carer = editable(tx, actor, id)?;
    let mut wrongs = Vec::new();
    let from = super::wrong::day(&mut wrongs, "leave_from", "休假开始", from);
    let to = super::wrong::day(&mut wrongs, "leave_to", "休假结束", to);
    if let (Some(from), Some(to)) = (from, to)
        && (to < from || to < now.day())
    {
        wrongs.push(Wrong::new("leave_to", "休假结束应在休假开始之后，且不早于今天"));
    }
    let (Some(from), Some(to), true) = (from, to, wrongs.is_empty()) else {
        return Err(No::Refused(Wrongs(wrongs).into()));
    };
    sql::set_leave(tx, id, Some((from, to)))?;
    let detail = json!({ "from": from.to_string(), "to": to.to_string() });
    tx.record(actor, now, Event::new("carer.on_leave", id.0, carer.region, detail))?;
    Ok(())
}

/// Ends a leave early.
pub fn back(tx: &mut Tx<'_>, actor: &Actor, id: CarerId, now: Now) -> Outcome<(), CarerRefusal> {
    let carer = editable(tx, actor, id)?;
    sql::set_leave(tx, id, None)?;
    tx.record(actor, now, Event::new("carer.back", id.0, carer.region, json!({})))?;
    Ok(())
}

/// Notes that a carer no longer works for the provider. Orders still promised stay with dispatch.
pub fn depart(tx: &mut Tx<'_>, actor: &Actor, id: CarerId, now: Now) -> Outcome<(), CarerRefusal> {
    let carer = editable(tx, actor, id)?;
    sql::depart(tx, id, now.0)?;
    tx.record(
        actor,
        now,
        Event::new("carer.left", id.0, carer.region, json!({ "provider": carer.provider })),
    )?;
    Ok(())
}

/// Opens a carer's phone for a reason, which is kept.
pub fn reveal_phone(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: CarerId,
    reason: &str,
    now: Now,
) -> Outcome<String, CarerRefusal> {
    actor.may(Act::SeeProviders)?;
    let carer = sql::carer(tx, id, actor.scope())?.found()?;
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > 80 {
        let wrong = Wrong::new("reason", "请写明查看的原因，不超过 80 个字");
        return Err(No::Refused(Wrongs(vec![wrong]).into()));
    }
    let phone = sql::phone(tx, id)?;
    let detail = json!({ "field": "phone", "reason": reason });
    tx.record(actor, now, Event::new("carer.revealed", id.0, carer.region, detail))?;
    Ok(phone)
}

/// Opens a carer's number for a call that is made now, which the caller has decided; it goes on record. Nothing when it
/// does not open.
///
/// # Errors
/// When the database fails.
pub fn phone_to_call(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: CarerId,
    reason: &str,
    now: Now,
) -> Result<Option<String>, Fault> {
    let everywhere = Scope { lo: 0, hi: i64::MAX, provider: 0, carer: 0 };
    let number = match sql::phone(tx, id) {
        Ok(number) => number,
        // The number does not open: nobody waits for it.
        Err(fault) if fault.kind == FaultKind::Other => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let Some(carer) = sql::carer(tx, id, everywhere)? else { return Ok(None) };
    let detail = json!({ "field": "phone", "reason": reason });
    tx.record(actor, now, Event::new("carer.revealed", id.0, carer.region, detail))?;
    Ok(Some(number))
}

/// Enters many carers with their certificates at once, as a seed or a migration brings them. Answers the id of each,
/// in order. The caller records where they came from.
pub fn enrol_many(
    tx: &mut Tx<'_>,
    list: &[(NewCarer, Vec<NewCertificate>)],
    now: Now,
) -> Result<Vec<CarerId>, Fault> {
    let mut ids = Vec::with_capacity(list.len());
    for (new, certificates) in list {
        let id = CarerId(tx.id(now));
        sql::insert(tx, id, new)?;
        for certificate in certificates {
            sql::insert_certificate(tx, id, certificate)?;
        }
        ids.push(id);
    }
    Ok(ids)
}

/// One carer with all certificates, if the actor may see it.
pub fn carer(tx: &mut Tx<'_>, actor: &Actor, id: CarerId) -> Answer<Carer> {
    actor.may(Act::SeeProviders)?;
    let mut carer = sql::carer(tx, id, actor.scope())?.found()?;
    carer.certificates = sql::certificates(tx, id)?;
    Ok(carer)
}

/// Carers the actor may see, by name, with the certificates each holds now.
pub fn list(tx: &mut Tx<'_>, actor: &Actor, filter: &Filter, limit: i64, now: Now) -> Answer<Vec<Carer>> {
    actor.may(Act::SeeProviders)?;
    Ok(sql::list(tx, actor.scope(), filter, limit, now.day())?)
}

/// Certificates that have run out or will within thirty days and were not renewed, the earliest first.
pub fn expiring(
    tx: &mut Tx<'_>,
    actor: &Actor,
    provider: Option<ProviderId>,
    limit: i64,
    now: Now,
) -> Answer<Vec<Expiring>> {
    actor.may(Act::SeeProviders)?;
    Ok(sql::expiring(tx, actor.scope(), provider, limit, now.day())?)
}
