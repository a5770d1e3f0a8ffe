//! Devices: who may enter them, what secret proves them, whether they are in use.
//!
//! A secret is 128 random bits, told once and kept as a keyed code: guessing it is hopeless without any slow hash, and
//! 46,000 devices that come back after an outage must all be let in within a minute.
//! INVARIANT: nothing here shows a secret again; whoever lost it gets a new one.

mod desk;
pub mod list;
mod seen;
mod sql;

use std::sync::Arc;

use domain::{
    access::{Act, Actor},
    ids::{DeviceId, PersonId},
    refusal::{Refusal, RefusalKind},
    regions::RegionCode,
    signals::device::{DeviceKind, DeviceState, Protocol},
    time::{At, Now},
};
use serde_json::json;

pub use desk::{AlarmFrame, RejectedFrame, frames, give, names, vendors};
pub use seen::{Seen, saw};

use super::intake::Budget;
use crate::{
    evidence::Event,
    outcome::{Answer, Found, No, Outcome},
    parties::people,
    store::{Fault, Tx, Vault},
};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// Longest serial: as a topic or a certificate can hold it.
const SERIAL_LENGTH_MAX: usize = 64;

/// A device as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Which.
    pub id: DeviceId,
    /// What its maker calls it; it signs in with this.
    pub serial: String,
    /// What it is.
    pub kind: DeviceKind,
    /// What it speaks.
    pub protocol: Protocol,
    /// Who makes it or runs its platform.
    pub vendor: String,
    /// Whom it watches, unless it watches a place.
    pub person: Option<PersonId>,
    /// Where it is.
    pub region: RegionCode,
    /// Where in the home or the building.
    pub place: String,
    /// The device that may speak for it.
    pub gateway: Option<DeviceId>,
    /// Seconds within which it should be heard of again.
    pub beat_seconds: i64,
    /// Percent, as last told.
    pub battery: Option<i64>,
    /// When it was last heard of, up to ten seconds behind.
    pub last_seen_at: Option<At>,
    /// Whether it is in use.
    pub state: DeviceState,
    /// Since when.
    pub added_at: At,
}

impl Device {
    /// Whether it should have been heard of by now.
    pub fn overdue(&self, now: Now) -> bool {
        let since = self.last_seen_at.unwrap_or(self.added_at);
        self.state == DeviceState::Active && now.0.seconds_since(since) > self.beat_seconds
    }
}

/// A device to be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDevice {
    /// What its maker calls it.
    pub serial: String,
    /// What it is.
    pub kind: DeviceKind,
    /// What it speaks; what its kind usually does when absent.
    pub protocol: Option<Protocol>,
    /// Who makes it.
    pub vendor: String,
    /// Whom it watches.
    pub person: Option<PersonId>,
    /// Where it is, for one that watches a place; a person's device is where the person lives.
    pub region: Option<RegionCode>,
    /// Where in the home or the building.
    pub place: String,
    /// The device that may speak for it.
    pub gateway: Option<DeviceId>,
    /// Seconds within which it should be heard of again; what is usual for its kind when absent.
    pub beat_seconds: Option<i64>,
}

impl NewDevice {
    /// A device of a kind with everything else as usual.
    pub fn new(kind: DeviceKind, serial: impl Into<String>) -> NewDevice {
        NewDevice {
            serial: serial.into(),
            kind,
            protocol: None,
            vendor: String::new(),
            person: None,
            region: None,
            place: String::new(),
            gateway: None,
            beat_seconds: None,
        }
    }
}

/// What proves a device; shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret of these random bytes.
    pub fn of(random: [u8; 16]) -> Secret {
        Secret(random.iter().map(|b| format!("{b:02x}")).collect())
    }

    /// The 32 digits to be typed into the device.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Which devices a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Part of the serial.
    pub words: String,
    /// Of this kind.
    pub kind: Option<DeviceKind>,
    /// Of this person.
    pub person: Option<PersonId>,
    /// Of this vendor.
    pub vendor: String,
    /// Only those that should have been heard of by now.
    pub overdue: bool,
    /// Only those with less battery than this.
    pub battery_below: Option<i64>,
    /// Also those out of use.
    pub retired: bool,
    /// Only within this region.
    pub region: Option<RegionCode>,
}

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// After this device; 0 from the beginning.
    pub after: i64,
    /// How many at most.
    pub limit: i64,
}

/// Why something about a device was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceRefusal {
    /// The serial cannot be one.
    #[error("设备号应为 1 至 64 个字母、数字或 - _ . : 号")]
    Serial,
    /// Another device has it.
    #[error("设备号 {0} 已登记，请核对，或先停用原设备")]
    Taken(String),
    /// A device of this kind is worn by somebody.
    #[error("{}要登记给一位老人", .0.label())]
    Unworn(DeviceKind),
    /// Neither a person nor a place.
    #[error("请填写使用设备的老人或安装的区划")]
    Nowhere,
    /// No such person among those the actor may see.
    #[error("没有编号为 {0} 的老人，请核对")]
    NoPerson(PersonId),
    /// No such gateway.
    #[error("没有编号为 {0} 的网关，请先登记网关")]
    NoGateway(DeviceId),
    /// Nothing is heard of more often than each ten seconds or seldomer than each thirty days.
    #[error("心跳间隔应在 10 秒至 30 天之间")]
    Beat,
    /// It is out of use.
    #[error("设备已停用")]
    Retired,
    /// No reason was given.
    #[error("请写明停用的原因，不超过 80 个字")]
    Reason,
}

impl Refusal for DeviceRefusal {
    fn code(&self) -> &'static str {
        match self {
            DeviceRefusal::Serial => "device_serial",
            DeviceRefusal::Taken(_) => "device_taken",
            DeviceRefusal::Unworn(_) => "device_unworn",
            DeviceRefusal::Nowhere => "device_nowhere",
            DeviceRefusal::NoPerson(_) => "device_person_unknown",
            DeviceRefusal::NoGateway(_) => "device_gateway_unknown",
            DeviceRefusal::Beat => "device_beat",
            DeviceRefusal::Retired => "device_retired",
            DeviceRefusal::Reason => "reason_missing",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            DeviceRefusal::Taken(_) | DeviceRefusal::Retired => RefusalKind::Conflict,
            _ => RefusalKind::Invalid,
        }
    }
}

/// Enters a device. The random bytes become its secret, which is answered here and nowhere else.
pub fn add(
    tx: &mut Tx<'_>,
    actor: &Actor,
    new: &NewDevice,
    random: [u8; 16],
    now: Now,
) -> Outcome<(DeviceId, Secret), DeviceRefusal> {
    actor.may(Act::EditDevices)?;
    let region = place_of(tx, actor, new, now)?;
    let secret = Secret::of(random);
    let id = DeviceId(tx.id(now));
    let hash = code_of(tx.vault(), &new.serial, secret.reveal());
    if !sql::insert(tx, id, new, region, hash, actor.account, now.0)? {
        return Err(No::Refused(DeviceRefusal::Taken(new.serial.clone())));
    }
    let detail = json!({
        "serial": new.serial, "kind": new.kind.code(), "vendor": new.vendor, "person": new.person, "place": new.place,
    });
    tx.record(actor, now, Event::new("device.added", id.0, region, detail))?;
    Ok((id, secret))
}

/// Checks a new device and answers where it is.
fn place_of(tx: &mut Tx<'_>, actor: &Actor, new: &NewDevice, now: Now) -> Outcome<RegionCode, DeviceRefusal> {
    let refuse = |refusal| Err(No::Refused(refusal));
    let sign = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if new.serial.is_empty() || new.serial.len() > SERIAL_LENGTH_MAX || !new.serial.chars().all(sign) {
        return refuse(DeviceRefusal::Serial);
    }
    if new.beat_seconds.is_some_and(|beat| !(10..=30 * 86_400).contains(&beat)) {
        return refuse(DeviceRefusal::Beat);
    }
    if let Some(gateway) = new.gateway
        && sql::find(tx, gateway, actor.scope())?.is_none_or(|g| g.kind != DeviceKind::Gateway)
    {
        return refuse(DeviceRefusal::NoGateway(gateway));
    }
    match (new.person, new.region) {
        (Some(person), _) => match people::card(tx, actor, person, now) {
            Ok(card) => Ok(card.region),
            Err(No::NotFound) => refuse(DeviceRefusal::NoPerson(person)),
            Err(no) => Err(no.map(|never| match never {})),
        },
        (None, _) if new.kind.worn() => refuse(DeviceRefusal::Unworn(new.kind)),
        (None, Some(region)) if actor.sees(region) => Ok(region),
        (None, _) => refuse(DeviceRefusal::Nowhere),
    }
}

/// Gives a device a new secret; the old one no longer opens.
pub fn renew_secret(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: DeviceId,
    random: [u8; 16],
    now: Now,
) -> Outcome<Secret, DeviceRefusal> {
    let device = editable(tx, actor, id)?;
    let secret = Secret::of(random);
    let hash = code_of(tx.vault(), &device.serial, secret.reveal());
    sql::set_secret(tx, id, hash)?;
    tx.record(actor, now, Event::new("device.secret_renewed", id.0, device.region, json!({})))?;
    Ok(secret)
}

/// Takes a device out of use.
pub fn retire(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: DeviceId,
    reason: &str,
    now: Now,
) -> Outcome<(), DeviceRefusal> {
    let device = editable(tx, actor, id)?;
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > 80 {
        return Err(No::Refused(DeviceRefusal::Reason));
    }
    sql::retire(tx, id, reason, now.0)?;
    let detail = json!({ "serial": device.serial, "reason": reason });
    tx.record(actor, now, Event::new("device.retired", id.0, device.region, detail))?;
    Ok(())
}

fn editable(tx: &mut Tx<'_>, actor: &Actor, id: DeviceId) -> Outcome<Device, DeviceRefusal> {
    actor.may(Act::EditDevices)?;
    let device = sql::find(tx, id, actor.scope())?.found()?;
    match device.state {
        DeviceState::Active => Ok(device),
        DeviceState::Retired => Err(No::Refused(DeviceRefusal::Retired)),
    }
}

/// One device, if the actor may see it.
pub fn device(tx: &mut Tx<'_>, actor: &Actor, id: DeviceId) -> Answer<Device> {
    actor.may(Act::SeeDevices)?;
    sql::find(tx, id, actor.scope())?.found()
}

/// Devices the actor may see, in the order they were entered.
pub fn devices(tx: &mut Tx<'_>, actor: &Actor, filter: &Filter, page: Page, now: Now) -> Answer<Vec<Device>> {
    actor.may(Act::SeeDevices)?;
    let scope = actor.scope().narrowed(filter.region.map(RegionCode::range));
    Ok(sql::list(tx, scope, filter, page, now)?)
}

/// What the intake knows of a device by heart, to prove and place what it sends without a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub id: DeviceId,
    /// What it is.
    pub kind: DeviceKind,
    /// Who makes it.
    pub vendor: String,
    /// Whom it watches.
    pub person: Option<PersonId>,
    /// Where it is.
    pub region: RegionCode,
    /// The device that may speak for it.
    pub gateway: Option<DeviceId>,
    /// The keyed code of its secret.
    pub secret_hash: [u8; 16],
    /// What it has said lately.
    pub budget: Arc<Budget>,
}

impl Known {
    /// Whether this is its secret. Both sides are keyed codes, so the time a comparison takes tells nothing.
    pub fn proved(&self, vault: &Vault, serial: &str, secret: &str) -> bool {
        code_of(vault, serial, secret) == self.secret_hash
    }
}

/// Every device in use, with its serial.
pub fn known(tx: &mut Tx<'_>) -> Result<Vec<(String, Known)>, Fault> {
    sql::known(tx)
}

/// The device in use with this serial.
pub fn find_known(tx: &mut Tx<'_>, serial: &str) -> Result<Option<Known>, Fault> {
    sql::find_known(tx, serial)
}

fn code_of(vault: &Vault, serial: &str, secret: &str) -> [u8; 16] {
    vault.code(&[b"device secret", serial.as_bytes(), secret.as_bytes()])
}
