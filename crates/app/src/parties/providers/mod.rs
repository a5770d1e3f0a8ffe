//! Providers: organisations under contract that serve elders.
//!
//! Entering and editing is for civil affairs; a provider's own office keeps its carers (see `carers`), never its
//! contract. Somebody sees a provider when its office or the area it serves meets the regions of the post.

mod ask;
mod sql;

use domain::{
    access::{Act, Actor, Forbidden},
    ids::ProviderId,
    refusal::{Refusal, RefusalKind},
    regions::{RegionCode, RegionRange},
    time::{At, Day, Now},
};
use serde_json::json;

pub use ask::{NewProvider, ProviderAsk};

use super::wrong::{Wrong, Wrongs};
use crate::{
    evidence::Event,
    outcome::{Answer, Found, No, Outcome},
    store::{Fault, Tx},
};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// A contract or certificate that ends within so many days is told as ending.
pub const ENDING_DAYS: i32 = 30;

/// A provider as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    /// Which.
    pub id: ProviderId,
    /// Region of the office.
    pub region: RegionCode,
    /// Registered name.
    pub name: String,
    /// Unified social credit code.
    pub credit_code: String,
    /// Who answers for it.
    pub contact: String,
    /// That person's phone.
    pub phone: String,
    /// Address of the office.
    pub address: String,
    /// Where the office stands: degrees east and north.
    pub place: Option<(f64, f64)>,
    /// Number of the contract.
    pub contract_no: String,
    /// First day of the contract.
    pub contract_from: Day,
    /// Last day of the contract.
    pub contract_to: Day,
    /// Regions it serves.
    pub area: RegionRange,
    /// When it was entered.
    pub entered_at: At,
    /// Carers who have not left.
    pub carers: i64,
    /// Carers with a certificate that has run out or soon will.
    pub expiring: i64,
    /// How many services it may do.
    pub items: i64,
    /// Codes of the services it may do; lists leave them out.
    pub services: Vec<String>,
}

impl Provider {
    /// The region it serves, with all below.
    pub fn area_code(&self) -> Option<RegionCode> {
        RegionCode::new(self.area.lo).ok()
    }

    /// How the contract stands on a day.
    pub fn contract(&self, on: Day) -> Contract {
        Contract::of(self.contract_from, self.contract_to, on)
    }
}

/// How a contract stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contract {
    /// Has not begun.
    Coming,
    /// In force.
    Current,
    /// In force, ends within thirty days.
    Ending,
    /// Has ended.
    Ended,
}

impl Contract {
    /// Every standing.
    pub const ALL: [Contract; 4] = [Contract::Current, Contract::Ending, Contract::Ended, Contract::Coming];

    fn of(from: Day, to: Day, on: Day) -> Contract {
        if on < from {
            Contract::Coming
        } else if on > to {
            Contract::Ended
        } else if days_between(on, to) <= ENDING_DAYS {
            Contract::Ending
        } else {
            Contract::Current
        }
    }

    /// The word in addresses.
    pub fn code(self) -> &'static str {
        match self {
            Contract::Coming => "coming",
            Contract::Current => "current",
            Contract::Ending => "ending",
            Contract::Ended => "ended",
        }
    }

    /// The word on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Contract::Coming => "未生效",
            Contract::Current => "有效",
            Contract::Ending => "即将到期",
            Contract::Ended => "已到期",
        }
    }

    /// The standing with this word.
    pub fn from_code(code: &str) -> Option<Contract> {
        Contract::ALL.into_iter().find(|c| c.code() == code)
    }
}

/// Whole days from one day to a later one; negative when it is earlier.
pub fn days_between(from: Day, to: Day) -> i32 {
    (to - from).get_days()
}

/// Which providers a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Part of the name, or the credit code.
    pub words: String,
    /// Serves somewhere in this region.
    pub region: Option<RegionCode>,
    /// May do this item.
    pub service: String,
    /// How the contract stands.
    pub contract: Option<Contract>,
    /// Has a carer with a certificate that has run out or soon will.
    pub expiring: bool,
}

/// Why a provider was not entered or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderRefusal {
    /// Fields that cannot be taken.
    #[error(transparent)]
    Wrong(#[from] Wrongs),
    /// Another provider has this code.
    #[error("统一社会信用代码 {code} 已登记为“{name}”，请在那里修改，不要重复登记")]
    SameCode {
        /// The code.
        code: String,
        /// Who has it.
        name: String,
    },
}

impl std::error::Error for Wrongs {}

impl Refusal for ProviderRefusal {
    fn code(&self) -> &'static str {
        match self {
            ProviderRefusal::Wrong(wrongs) => wrongs.code(),
            ProviderRefusal::SameCode { .. } => "credit_code_taken",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            ProviderRefusal::Wrong(_) => RefusalKind::Invalid,
            ProviderRefusal::SameCode { .. } => RefusalKind::Conflict,
        }
    }
}

impl ProviderRefusal {
    /// What to tell at which field.
    pub fn wrongs(&self) -> Vec<Wrong> {
        match self {
            ProviderRefusal::Wrong(wrongs) => wrongs.0.clone(),
            ProviderRefusal::SameCode { .. } => vec![Wrong::new("credit_code", self.to_string())],
        }
    }
}

/// Enters a provider under contract.
pub fn enter(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ask: &ProviderAsk,
    now: Now,
) -> Outcome<ProviderId, ProviderRefusal> {
    let new = allowed(tx, actor, ask, now)?;
    let id = ProviderId(tx.id(now));
    if !sql::insert(tx, id, &new, now.0)? {
        return Err(same_code(tx, &new)?);
    }
    sql::set_services(tx, id, &new.services)?;
    tx.record(actor, now, Event::new("provider.entered", id.0, new.region, told(&new)))?;
    Ok(id)
}

/// Changes a provider's contract, services or address.
pub fn edit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: ProviderId,
    ask: &ProviderAsk,
    now: Now,
) -> Outcome<(), ProviderRefusal> {
    let old = sql::provider(tx, id, actor.scope(), now.day())?.found()?;
    if !actor.sees(old.region) {
        return Err(No::NotFound);
    }
    let new = allowed(tx, actor, ask, now)?;
    if sql::other_with_code(tx, new.credit_code.as_str(), id)?.is_some() {
        return Err(same_code(tx, &new)?);
    }
    sql::update(tx, id, &new)?;
    sql::set_services(tx, id, &new.services)?;
    tx.record(actor, now, Event::new("provider.edited", id.0, new.region, told(&new)))?;
    Ok(())
}

/// Whether the actor may write this, and the value it becomes.
fn allowed(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ask: &ProviderAsk,
    now: Now,
) -> Outcome<NewProvider, ProviderRefusal> {
    actor.may(Act::EditProviders)?;
    if actor.role.of_provider() {
        return Err(Forbidden(Act::EditProviders).into());
    }
    let new = ask.parse().map_err(|w| No::Refused(w.into()))?;
    let mut wrongs = Vec::new();
    if !actor.sees(new.region) {
        wrongs.push(Wrong::new("region", "办公地不在您的管辖范围内，请选择本辖区的区划"));
    }
    if !actor.range.covers(new.area.range()) {
        wrongs.push(Wrong::new("area", "服务区域超出您的管辖范围，请选择本辖区的区划"));
    }
    let known = sql::known_services(tx, now.day())?;
    for code in new.services.iter().filter(|code| !known.contains(code)) {
        wrongs.push(Wrong::new("services", format!("服务目录里没有项目 {code}，请从目录中选择")));
    }
    if wrongs.is_empty() { Ok(new) } else { Err(No::Refused(Wrongs(wrongs).into())) }
}

fn same_code(tx: &mut Tx<'_>, new: &NewProvider) -> Result<No<ProviderRefusal>, Fault> {
    let code = new.credit_code.to_string();
    let name = sql::other_with_code(tx, &code, ProviderId(0))?.unwrap_or_default();
    Ok(No::Refused(ProviderRefusal::SameCode { code, name }))
}

fn told(new: &NewProvider) -> serde_json::Value {
    json!({
        "name": new.name, "credit_code": new.credit_code.as_str(), "contract_no": new.contract_no,
        "contract_from": new.contract_from.to_string(), "contract_to": new.contract_to.to_string(),
        "area": new.area, "services": new.services,
    })
}

/// Enters many providers at once, as a seed or a migration brings them; one whose code is there already is kept.
/// Answers the id of each, in order. The caller records where they came from.
pub fn enrol_many(tx: &mut Tx<'_>, list: &[NewProvider], now: Now) -> Result<Vec<ProviderId>, Fault> {
    let mut ids = Vec::with_capacity(list.len());
    for new in list {
        let id = ProviderId(tx.id(now));
        if sql::insert(tx, id, new, now.0)? {
            sql::set_services(tx, id, &new.services)?;
            ids.push(id);
        } else {
            ids.push(sql::by_code(tx, new.credit_code.as_str())?);
        }
    }
    Ok(ids)
}

/// One provider, if the actor may see it.
pub fn provider(tx: &mut Tx<'_>, actor: &Actor, id: ProviderId, now: Now) -> Answer<Provider> {
    actor.may(Act::SeeProviders)?;
    let mut provider = sql::provider(tx, id, actor.scope(), now.day())?.found()?;
    provider.services = sql::services(tx, id)?;
    Ok(provider)
}

/// Providers the actor may see, by name.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    filter: &Filter,
    offset: i64,
    limit: i64,
    now: Now,
) -> Answer<Vec<Provider>> {
    actor.may(Act::SeeProviders)?;
    Ok(sql::list(tx, actor.scope(), filter, offset, limit, now.day())?)
}

/// How many such a list has.
pub fn count(tx: &mut Tx<'_>, actor: &Actor, filter: &Filter, now: Now) -> Answer<i64> {
    actor.may(Act::SeeProviders)?;
    Ok(sql::count(tx, actor.scope(), filter, now.day())?)
}

/// Id and name of every provider the actor may see, for choosing one.
pub fn names(tx: &mut Tx<'_>, actor: &Actor) -> Answer<Vec<(ProviderId, String)>> {
    Ok(sql::names(tx, actor.scope())?)
}

/// Providers with the area they serve that may do an item on a day, for the catalogue.
pub fn doing(tx: &mut Tx<'_>, actor: &Actor, service: &str, on: Day) -> Answer<Vec<(ProviderId, String)>> {
    Ok(sql::doing(tx, actor.scope(), service, on)?)
}
