//! Who is near: those who have the place in charge, and carers by where they live.

use domain::{
    access::{Act, Actor, Role},
    ids::{AccountId, CarerId, PersonId},
    orders::distance_metres,
    regions::{Level as RegionLevel, RegionCode},
    signals::errand::{Closeness, Near, OFFERED},
    time::Now,
};

use super::{ladder, sql};
use crate::{
    outcome::Answer,
    parties::people,
    regions,
    signals::duties,
    store::{Fault, Tx},
};

/// First a town's reach, then a county's.
const DEGREES: [f64; 2] = [0.06, 0.5];

/// Somebody who could go.
#[derive(Debug, Clone, PartialEq)]
pub struct Helper {
    /// The account, when the platform can tell them.
    pub account: Option<AccountId>,
    /// The carer, when it is one.
    pub carer: Option<CarerId>,
    /// Name.
    pub name: String,
    /// Whose they are.
    pub station: String,
    /// Where to ring the station; empty for posts.
    pub phone: String,
    /// Why, in words: how far, whether free.
    pub why: String,
    /// How far, where it is known.
    pub metres: Option<i64>,
    /// Where they start from as longitude and latitude, where it is known.
    pub place: Option<(f64, f64)>,
    /// Signed in now, so that they read it on the platform.
    pub online: bool,
    rank: i64,
}

/// Everybody who could go, the soonest at the door first.
pub(super) fn all(
    tx: &mut Tx<'_>,
    person: PersonId,
    region: RegionCode,
    now: Now,
) -> Result<Vec<Helper>, Fault> {
    let mut all = posts(tx, region, now)?;
    if let Some(home) = sql::home(tx, person)? {
        all.extend(carers(tx, home, region, now)?);
    }
    all.sort_by_key(|h| h.rank);
    Ok(all)
}

/// Community workers and street officers over the place; for whoever is away, who stands in.
fn posts(tx: &mut Tx<'_>, region: RegionCode, now: Now) -> Result<Vec<Helper>, Fault> {
    let going = ladder::terms(tx)?.going;
    let book = regions::book(tx)?;
    let away = duties::away(tx, now.day())?;
    let county = region.within(RegionLevel::County).range();
    let mut all: Vec<Helper> = Vec::new();
    for post in sql::posts_over(tx, region, county.hi - county.lo, now.0)? {
        let (mut account, mut name, mut online) = (post.account, post.name, post.online);
        let mut stands_in = String::new();
        if let Some(cover) = away.get(&post.account) {
            let Some(cover) = cover.filter(|c| !away.contains_key(c)) else { continue };
            let Some((cover_name, cover_online)) = sql::name_of(tx, cover, now.0)? else { continue };
            stands_in = format!("，替{name}");
            (account, name, online) = (cover, cover_name, cover_online);
        }
        if all.iter().any(|h| h.account == Some(account)) {
            continue;
        }
        let closeness = if post.range.lo == post.range.hi {
            Closeness::Village
        } else if region.within(RegionLevel::Township).range() == post.range {
            Closeness::Township
        } else {
            Closeness::Wider
        };
        let near =
            Near { metres: None, post: Some(closeness), at_work: true, online, busy: post.busy, told: true };
        let place = RegionCode::new(post.range.lo).map(|code| book.name_of(code)).unwrap_or_default();
        let what = if post.role == Role::StreetOfficer { "经办" } else { "工作人员" };
        all.push(Helper {
            account: Some(account),
            carer: None,
            name,
            station: format!("{place}{what}"),
            phone: String::new(),
            why: format!("{}{stands_in}", near.why()),
            metres: None,
            place: None,
            online,
            rank: near.rank(&going),
        });
    }
    Ok(all)
}

/// Carers by where they live, of providers who serve the place.
fn carers(tx: &mut Tx<'_>, home: (f64, f64), region: RegionCode, now: Now) -> Result<Vec<Helper>, Fault> {
    let mut found = Vec::new();
    for degrees in DEGREES {
        found = sql::carers_near(tx, home, degrees, region, (now.day(), now.0))?;
        if found.len() >= OFFERED {
            break;
        }
    }
    let going = ladder::terms(tx)?.going;
    let local = now.0.local();
    let today = 1_i64 << local.weekday().to_monday_zero_offset();
    let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
    let helper = |c: sql::CarerNear| {
        let near = Near {
            metres: Some(distance_metres(home, c.place)),
            post: None,
            at_work: c.work_days & today != 0 && (c.work_from..c.work_to).contains(&minute),
            online: c.online,
            busy: c.busy,
            told: c.account.is_some(),
        };
        Helper {
            account: c.account,
            carer: Some(c.carer),
            name: c.name,
            station: c.station,
            phone: c.phone,
            why: near.why(),
            metres: near.metres,
            place: Some(c.place),
            online: c.online,
            rank: near.rank(&going),
        }
    };
    Ok(found.into_iter().map(helper).collect())
}

/// A provider's station.
#[derive(Debug, Clone, PartialEq)]
pub struct Station {
    /// Name.
    pub name: String,
    /// Where to ring.
    pub phone: String,
    /// Where it stands.
    pub address: String,
    /// How far from the elder's home.
    pub metres: i64,
    /// The same as longitude and latitude.
    pub place: (f64, f64),
}

/// The stations nearest to an elder's home, of providers under contract there.
///
/// # Errors
/// When the person cannot be seen.
pub fn stations(tx: &mut Tx<'_>, actor: &Actor, person: PersonId, now: Now) -> Answer<Vec<Station>> {
    actor.may(Act::SeeAlarms)?;
    let card = people::card(tx, actor, person, now)?;
    Ok(stations_of(tx, person, card.region, now)?)
}

/// The station nearest to an elder's home, whoever asks.
pub(in super::super) fn nearest_station(
    tx: &mut Tx<'_>,
    person: PersonId,
    region: RegionCode,
    now: Now,
) -> Result<Option<Station>, Fault> {
    Ok(stations_of(tx, person, region, now)?.into_iter().next())
}

fn stations_of(
    tx: &mut Tx<'_>,
    person: PersonId,
    region: RegionCode,
    now: Now,
) -> Result<Vec<Station>, Fault> {
    let Some(home) = sql::home(tx, person)? else { return Ok(Vec::new()) };
    let found = sql::stations_near(tx, home, DEGREES[1], region, now.day())?;
    let of = |(name, phone, address, place): (String, String, String, (f64, f64))| Station {
        name,
        phone,
        address,
        metres: distance_metres(home, place),
        place,
    };
    Ok(found.into_iter().map(of).collect())
}
