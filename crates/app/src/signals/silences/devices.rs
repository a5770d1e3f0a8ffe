//! Devices that should have been heard of and were not.
//!
//! The check asks the table of devices once for everything that is overdue: 46,000 rows are compared in some
//! milliseconds, so no second book of due times is kept that could go wrong. It writes only when something changed.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
};

use domain::{
    access::{Act, Actor},
    ids::{DeviceId, IncidentId, PersonId},
    regions::{Level as RegionLevel, RegionCode},
    signals::{device::DeviceKind, incident::IncidentKind},
    time::{At, Now},
};

use super::{Page, sql};
use crate::{
    outcome::Answer,
    regions,
    signals::incidents::{self, Group, Of, Opening, SilentDevice},
    store::{Fault, Store, Tx},
};

/// A device that is overdue.
#[derive(Debug, Clone)]
pub(super) struct Overdue {
    pub device: DeviceId,
    pub region: RegionCode,
    pub person: Option<PersonId>,
    pub vendor: String,
    pub from: At,
    pub beat_seconds: i64,
}

impl Overdue {
    pub(super) fn due(&self) -> At {
        self.from.plus_seconds(self.beat_seconds)
    }

    fn silent(&self) -> SilentDevice {
        SilentDevice { device: self.device, person: self.person, since: self.from }
    }
}

/// A silence of a device that is open.
#[derive(Debug, Clone)]
pub(super) struct OpenDevice {
    pub id: i64,
    pub device: DeviceId,
    pub incident: Option<IncidentId>,
}

/// What one check found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// Devices that are silent now.
    pub silent: usize,
    /// Silences that began.
    pub opened: usize,
    /// Silences that ended.
    pub closed: usize,
}

/// Compares what was heard of with what should have been. Run each twenty seconds.
///
/// # Errors
/// When the database fails.
pub fn check(store: &Store, now: Now) -> Result<Checked, Fault> {
    let (overdue, open) =
        store.read(move |tx| Ok::<_, Fault>((overdue(tx, now)?, sql::devices_open(tx)?)))?;
    let known: HashSet<DeviceId> = open.iter().map(|o| o.device).collect();
    let silent: HashSet<DeviceId> = overdue.iter().map(|o| o.device).collect();
    if known == silent && open.iter().all(|o| o.incident.is_some()) {
        return Ok(Checked { silent: silent.len(), ..Checked::default() });
    }
    store.write(move |tx| settle(tx, now))
}

/// What is overdue. What came due while no server listened, and was not heard of since, has its time to come back first:
/// whom we may have missed meanwhile is a list of its own.
fn overdue(tx: &mut Tx<'_>, now: Now) -> Result<Vec<Overdue>, Fault> {
    let mut all = sql::devices_overdue(tx, now.0)?;
    if all.is_empty() {
        return Ok(all);
    }
    let Some(outage) = incidents::latest_outage(tx, now)? else { return Ok(all) };
    let terms = incidents::terms(tx)?;
    all.retain(|one| {
        let unheard = one.from < outage.to && one.due() > outage.from;
        !unheard || now.0 > terms.back_by(outage.to, one.beat_seconds)
    });
    Ok(all)
}

fn settle(tx: &mut Tx<'_>, now: Now) -> Result<Checked, Fault> {
    let overdue = overdue(tx, now)?;
    let open: HashMap<DeviceId, OpenDevice> =
        sql::devices_open(tx)?.into_iter().map(|o| (o.device, o)).collect();
    let silent: HashSet<DeviceId> = overdue.iter().map(|o| o.device).collect();
    let mut done = Checked { silent: overdue.len(), ..Checked::default() };
    for gone in open.values().filter(|o| !silent.contains(&o.device)) {
        sql::device_close(tx, gone.id, now.0)?;
        done.closed += 1;
    }
    for one in overdue.iter().filter(|o| !open.contains_key(&o.device)) {
        let id = tx.id(now);
        done.opened += usize::from(sql::device_open(tx, id, one, now.0)?);
    }
    let told: HashMap<DeviceId, IncidentId> =
        open.values().filter_map(|o| Some((o.device, o.incident?))).collect();
    let grouped = group(tx, &overdue, now)?;
    for one in &overdue {
        let incident = match (grouped.get(&one.device), told.get(&one.device)) {
            (Some(area), _) => *area,
            (None, Some(own)) => *own,
            (None, None) => single(tx, one, now)?,
        };
        sql::device_incident(tx, one.device, incident)?;
    }
    Ok(done)
}

/// Which area incident stands for which device. What explains the larger share of its own devices comes first: when all of
/// a maker's are silent in three counties, it is the maker's platform and no county's power. A maker's are counted city by
/// city, so that the desk which sees the devices sees the incident.
fn group(tx: &mut Tx<'_>, overdue: &[Overdue], now: Now) -> Result<HashMap<DeviceId, IncidentId>, Fault> {
    let mut of_county: BTreeMap<RegionCode, Vec<SilentDevice>> = BTreeMap::new();
    let mut of_vendor: BTreeMap<(&str, RegionCode), Vec<SilentDevice>> = BTreeMap::new();
    for one in overdue {
        of_county.entry(one.region.within(RegionLevel::County)).or_default().push(one.silent());
        if !one.vendor.is_empty() {
            let city = one.region.within(RegionLevel::City);
            of_vendor.entry((one.vendor.as_str(), city)).or_default().push(one.silent());
        }
    }
    let (counties, vendors) = (sql::by_county(tx)?, sql::by_vendor(tx)?);
    let book = regions::book(tx)?;
    let mut covered = HashMap::new();
    let mut note = |silent: &[SilentDevice], area: incidents::Area| {
        if let Some(incident) = area.incident {
            let singles: HashSet<DeviceId> = area.singles.iter().map(|s| s.device).collect();
            for one in silent.iter().filter(|s| !singles.contains(&s.device)) {
                covered.entry(one.device).or_insert(incident);
            }
        }
    };
    let mut groups = Vec::new();
    for (county, silent) in of_county {
        let devices = counties.get(&(county.number() / 1_000_000)).copied().unwrap_or(0);
        let name = book.path_of(county);
        groups.push((Group { of: Of::County(county), region: county, name, devices }, silent));
    }
    for ((vendor, city), silent) in of_vendor {
        let Some((devices, lo, hi)) = vendors.get(&(vendor.to_owned(), city.number() / 100_000_000)) else {
            continue;
        };
        let Some(region) = common(*lo, *hi) else { continue };
        let of = Of::Vendor(vendor.to_owned());
        groups.push((Group { of, region, name: vendor.to_owned(), devices: *devices }, silent));
    }
    // A tie is the county's: the order is kept.
    groups.sort_by_key(|(group, silent)| Reverse(silent.len() as i64 * 1_000 / group.devices.max(1)));
    for (group, silent) in &groups {
        note(silent, incidents::area(tx, group, silent, now)?);
    }
    Ok(covered)
}

/// The smallest region that holds both.
fn common(lo: i64, hi: i64) -> Option<RegionCode> {
    let (lo, hi) = (RegionCode::new(lo).ok()?, RegionCode::new(hi).ok()?);
    let levels = [
        RegionLevel::Village,
        RegionLevel::Township,
        RegionLevel::County,
        RegionLevel::City,
        RegionLevel::Province,
    ];
    levels.into_iter().map(|level| lo.within(level)).find(|region| region.range().holds(hi))
}

fn single(tx: &mut Tx<'_>, one: &Overdue, now: Now) -> Result<IncidentId, Fault> {
    let opening = Opening {
        kind: IncidentKind::DeviceFault,
        level: IncidentKind::DeviceFault.level(),
        person: one.person,
        device: Some(one.device),
        region: one.region,
        pressed_at: None,
        received_at: now.0,
        verified: true,
        text: format!("设备自 {} 起没有心跳，应在 {} 前上报", one.from.as_seen(now), one.due().as_seen(now)),
        key: format!("device-silence:{}:{}", one.device, one.from.0),
    };
    Ok(incidents::open(tx, &opening, now)?.id)
}

/// A device that is silent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the column of the same name")]
pub struct DeviceLine {
    pub id: i64,
    pub device: DeviceId,
    pub serial: String,
    pub kind: DeviceKind,
    pub vendor: String,
    pub person: Option<PersonId>,
    pub region: RegionCode,
    pub from: At,
    pub due: At,
    pub incident: Option<IncidentId>,
}

/// Devices that are silent, as far as the actor may see, the longest overdue first.
pub fn silent_devices(tx: &mut Tx<'_>, actor: &Actor, page: Page) -> Answer<Vec<DeviceLine>> {
    actor.may(Act::SeeDevices)?;
    let page = Page { limit: page.limit.clamp(1, 500), ..page };
    Ok(sql::device_lines(tx, actor.scope(), page)?)
}
