//! Water meters: what they counted, and what that says of whoever lives behind them.
//!
//! The intake calls [`record`] with what meters report. Each meter's rule is read again every hour over the sliding
//! window, and at once when it reports; nothing is said while the elder is known to be away.

mod sql;

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::{
    ids::{DeviceId, IncidentId, PersonId},
    regions::RegionCode,
    signals::{
        incident::{IncidentKind, Level},
        sighting::SightingKind,
        water::{self, Water, WaterRule},
    },
    time::{At, Now},
};

use super::{
    incidents::{self, Opening},
    sightings::{self, Sighting},
    silences,
};
use crate::{
    settings,
    store::{Fault, Tx},
};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

/// Setting that holds what the city decided about water.
const RULE: &str = "water_rule";
/// Readings are kept for so many days: two windows of the longest rule and a day of lateness.
const KEEP_DAYS: i64 = 4;
/// Meters looked at in one transaction.
const METERS: i64 = 300;
/// Each meter is looked at this often.
const LOOK_MINUTES: i64 = 60;

/// What one meter reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Which meter.
    pub meter: DeviceId,
    /// Whose.
    pub person: PersonId,
    /// Where.
    pub region: RegionCode,
    /// When.
    pub at: At,
    /// Its count.
    pub millilitres: i64,
    /// What it counts in: 1,000 for a meter with three decimals of a cubic metre.
    pub step_millilitres: i64,
}

/// A meter as it stands.
#[derive(Debug, Clone)]
pub(super) struct Meter {
    pub id: DeviceId,
    pub person: PersonId,
    pub region: RegionCode,
    pub step: i64,
    pub last_at: At,
    pub last: i64,
    pub low_since: Option<At>,
    pub high_day: Option<String>,
    pub leak_since: Option<At>,
}

/// What the city decided about water; the defaults of the sheet where it decided nothing.
///
/// # Errors
/// When the database fails, or the setting is not one.
pub fn rule(tx: &mut Tx<'_>) -> Result<WaterRule, Fault> {
    Ok(settings::find(tx, RULE)?.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
}

/// Sets what the city decides about water.
///
/// # Errors
/// When the database fails.
pub fn set_rule(tx: &mut Tx<'_>, rule: &WaterRule) -> Result<(), Fault> {
    settings::set(tx, RULE, &serde_json::to_string(rule)?)
}

/// Keeps what meters reported. Water that somebody used is a trace of life, unless the pipe leaks all day.
///
/// # Errors
/// When the database fails.
pub fn record(tx: &mut Tx<'_>, readings: &[Reading], now: Now) -> Result<(), Fault> {
    let mut by_meter: BTreeMap<DeviceId, Vec<Reading>> = BTreeMap::new();
    for one in readings.iter().filter(|r| r.millilitres >= 0 && r.step_millilitres > 0) {
        // What a clock that runs ahead reports is of now.
        by_meter.entry(one.meter).or_default().push(Reading { at: one.at.min(now.0), ..*one });
    }
    let ids: Vec<DeviceId> = by_meter.keys().copied().collect();
    let known: HashMap<DeviceId, Meter> = sql::meters(tx, &ids)?.into_iter().map(|m| (m.id, m)).collect();
    let mut seen = Vec::new();
    let (mut rows, mut newest) = (Vec::new(), Vec::new());
    for (meter, mut own) in by_meter {
        own.sort_by_key(|r| (r.at, r.millilitres));
        own.dedup_by_key(|r| r.at);
        let there = known.get(&meter);
        let mut before = there.map(|m| (m.last_at, m.last));
        for one in &own {
            if let Some((at, count)) = before
                && one.at > at
                && one.millilitres > count
                && there.is_none_or(|m| m.leak_since.is_none())
            {
                let (person, source) = (one.person, format!("水表 {meter}"));
                seen.push(Sighting { person, at: one.at, kind: SightingKind::Meter, source });
            }
            if before.is_none_or(|(at, _)| one.at > at) {
                before = Some((one.at, one.millilitres));
            }
        }
        newest.extend(own.last().copied());
        rows.extend(own);
    }
    sql::insert(tx, &rows)?;
    sql::set_last(tx, &newest, now.0)?;
    sightings::see(tx, &seen, now)
}

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Looked {
    /// Meters looked at.
    pub meters: usize,
    /// Incidents that were opened.
    pub alarmed: usize,
}

/// Whether the hour of any meter has come.
///
/// # Errors
/// When the database fails.
pub fn anything_due(tx: &mut Tx<'_>, now: Now) -> Result<bool, Fault> {
    sql::anything_due(tx, now.0)
}

/// Looks at meters whose hour has come. Safe to run twice; call again while it looks at a full share.
///
/// # Errors
/// When the database fails.
pub fn tick(tx: &mut Tx<'_>, now: Now) -> Result<Looked, Fault> {
    let due = sql::due(tx, now.0, METERS)?;
    let mut done = Looked { meters: due.len(), alarmed: 0 };
    if due.is_empty() {
        return Ok(done);
    }
    let rule = rule(tx)?;
    let hours = rule.low_hours.max(rule.leak_hours).max(24) * 2;
    let ids: Vec<DeviceId> = due.iter().map(|m| m.id).collect();
    let mut readings = sql::readings(tx, &ids, now.0.plus_minutes(-hours * 60))?;
    let people: Vec<PersonId> = due.iter().map(|m| m.person).collect();
    // Whoever came home this morning used no water last night.
    let before = Now(now.0.plus_minutes(-rule.low_hours * 60));
    let mut away: HashSet<PersonId> = silences::away_until(tx, &people, now)?.into_keys().collect();
    away.extend(silences::away_until(tx, &people, before)?.into_keys());
    let watched = sql::watched(tx, &people)?;
    for meter in &due {
        let own = readings.remove(&meter.id).unwrap_or_default();
        let said = water::water(&own, meter.step, &rule, now.0);
        let at_home = watched.contains(&meter.person) && !away.contains(&meter.person);
        done.alarmed += usize::from(tell(tx, meter, said, at_home, now)?);
    }
    sql::set_looks(tx, &ids, now.0.plus_minutes(LOOK_MINUTES))?;
    Ok(done)
}

/// Opens what is new; one alarm a quiet period, a day of too much, a leak.
fn tell(tx: &mut Tx<'_>, meter: &Meter, said: Water, at_home: bool, now: Now) -> Result<bool, Fault> {
    let litres = |ml: i64| format!("{}.{}", ml / 1_000, ml % 1_000 / 100);
    let today = now.day().to_string();
    let (kind, level, text, key) = match said {
        // A meter that says nothing is the device check's; it ends no quiet period either.
        Water::NoReading => return Ok(false),
        Water::Usual { .. } => {
            sql::quiet(tx, meter, None, None, None, None)?;
            return Ok(false);
        }
        Water::Low { used, since } => {
            if !at_home || meter.low_since.is_some() {
                return Ok(false);
            }
            let text = format!("{} 起用水 {} 升，不足规定的最低用水量", since.as_seen(now), litres(used));
            (IncidentKind::WaterLow, Level::P2, text, format!("low:{}", since.0))
        }
        Water::High { used } => {
            if meter.high_day.as_deref() == Some(&today) {
                return Ok(false);
            }
            let text = format!("24 小时用水 {} 升，可能未关水龙头或管道破裂", litres(used));
            (IncidentKind::WaterHigh, Level::P3, text, format!("high:{today}"))
        }
        Water::Leak { used } => {
            if meter.leak_since.is_some() {
                return Ok(false);
            }
            let text = format!("24 小时内每半小时都在用水，共 {} 升，疑似漏水", litres(used));
            (IncidentKind::WaterHigh, Level::P3, text, format!("leak:{today}"))
        }
    };
    let opening = Opening {
        kind,
        level,
        person: Some(meter.person),
        device: Some(meter.id),
        region: meter.region,
        pressed_at: None,
        received_at: now.0,
        verified: true,
        text,
        key: format!("water:{}:{key}", meter.id),
    };
    let opened = incidents::open(tx, &opening, now)?;
    match said {
        Water::Low { since, .. } => {
            sql::quiet(tx, meter, Some(since), Some(opened.id), meter.high_day.as_deref(), None)?;
        }
        Water::High { .. } => sql::quiet(tx, meter, None, None, Some(&today), None)?,
        Water::Leak { .. } => sql::quiet(tx, meter, None, None, meter.high_day.as_deref(), Some(now.0))?,
        Water::NoReading | Water::Usual { .. } => {}
    }
    Ok(opened.fresh)
}

/// Takes away readings that are no longer needed; answers how many.
///
/// # Errors
/// When the database fails.
pub fn tidy(tx: &mut Tx<'_>, now: Now) -> Result<u64, Fault> {
    sql::tidy(tx, now.0.plus_minutes(-KEEP_DAYS * 24 * 60))
}

/// The number of an incident, for the rows.
pub(super) type Alarm = Option<IncidentId>;
