//! In whose charge each watched elder is: the community worker whose post covers the home most closely, or whoever
//! stands in while that one is away.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    access::{Act, Actor},
    ids::AccountId,
    refusal::{Refusal, RefusalKind},
    regions::RegionRange,
    time::{Day, Now},
};
use serde_json::json;

use super::sql;
use crate::{
    evidence::Event,
    outcome::{Answer, Found, No, Outcome},
    store::{Fault, Store, Tx},
};

/// Longest leave that is entered at once.
const LEAVE_DAYS_MAX: i32 = 366;

/// A post of somebody who may have elders in charge.
#[derive(Debug, Clone)]
pub(super) struct Post {
    pub account: AccountId,
    pub range: RegionRange,
}

/// Days somebody is away, and who stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leave {
    /// Its number.
    pub id: i64,
    /// Who is away.
    pub account: AccountId,
    /// Name.
    pub name: String,
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
    /// Who stands in; the colleagues of the same place when none is named.
    pub cover: Option<(AccountId, String)>,
    /// Why.
    pub why: String,
}

/// Why a leave was not entered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeaveRefusal {
    /// The days make no sense.
    #[error("请假日期不对：最后一天不能早于第一天，也不能早于今天，一次不超过一年")]
    Days,
    /// Nobody with such a post here.
    #[error("没有这位社区工作人员，或不在您的辖区")]
    NobodyHere,
    /// One cannot stand in for oneself.
    #[error("代班人不能是本人")]
    OwnCover,
}

impl Refusal for LeaveRefusal {
    fn code(&self) -> &'static str {
        match self {
            LeaveRefusal::Days => "leave_days",
            LeaveRefusal::NobodyHere => "leave_nobody",
            LeaveRefusal::OwnCover => "leave_own_cover",
        }
    }

    fn kind(&self) -> RefusalKind {
        RefusalKind::Invalid
    }
}

/// Enters days on which somebody is away: one's own, or those of somebody within the actor's regions.
///
/// # Errors
/// When the days make no sense or the people are not here.
pub fn take_leave(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (account, cover): (AccountId, Option<AccountId>),
    (from, to): (Day, Day),
    why: &str,
    now: Now,
) -> Outcome<i64, LeaveRefusal> {
    actor.may(Act::MakeRounds)?;
    let days = from.until(to).map(|span| span.get_days()).unwrap_or(-1);
    if !(0..=LEAVE_DAYS_MAX).contains(&days) || to < now.day() {
        return Err(No::Refused(LeaveRefusal::Days));
    }
    if cover == Some(account) {
        return Err(No::Refused(LeaveRefusal::OwnCover));
    }
    let posts = sql::posts(tx)?;
    let here = |who: AccountId| posts.iter().any(|p| p.account == who && actor.range.meet(p.range).is_some());
    // Whoever has no post over others may enter their own leave only.
    let own = account == actor.account || !matches!(actor.role, domain::access::Role::CommunityWorker);
    if !own || !here(account) || cover.is_some_and(|c| !here(c)) {
        return Err(No::Refused(LeaveRefusal::NobodyHere));
    }
    let id = tx.id(now);
    sql::insert_leave(tx, id, (account, cover), (from, to), why.trim(), actor.account, now.0)?;
    let detail = json!({ "account": account, "cover": cover, "from": from, "to": to });
    let event = Event {
        act: "visit.leave_entered",
        subject: account.0,
        region: actor.range.lo,
        detail,
        digest: None,
    };
    tx.record(actor, now, event)?;
    Ok(id)
}

/// Takes a leave back.
///
/// # Errors
/// When there is none the actor may touch.
pub fn end_leave(tx: &mut Tx<'_>, actor: &Actor, id: i64, now: Now) -> Answer<()> {
    actor.may(Act::MakeRounds)?;
    let leave = leaves(tx, actor, now)?.into_iter().find(|l| l.id == id).found()?;
    sql::end_leave(tx, id, now.0)?;
    let detail = json!({ "leave": id });
    let event = Event {
        act: "visit.leave_ended",
        subject: leave.account.0,
        region: actor.range.lo,
        detail,
        digest: None,
    };
    Ok(tx.record(actor, now, event)?)
}

/// Leaves of today and later of those within the actor's regions; a community worker sees their own.
pub fn leaves(tx: &mut Tx<'_>, actor: &Actor, now: Now) -> Answer<Vec<Leave>> {
    actor.may(Act::MakeRounds)?;
    let posts = sql::posts(tx)?;
    let worker = matches!(actor.role, domain::access::Role::CommunityWorker);
    let mut all = sql::leaves(tx, now.day())?;
    all.retain(|leave| match worker {
        true => leave.account == actor.account,
        false => posts.iter().any(|p| p.account == leave.account && actor.range.meet(p.range).is_some()),
    });
    Ok(all)
}

/// Somebody who may be in charge of elders here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Colleague {
    /// Which account.
    pub account: AccountId,
    /// Name.
    pub name: String,
    /// Where.
    pub range: RegionRange,
}

/// Who may be in charge of elders within the actor's regions: whose leave can be entered, and who can stand in.
pub fn colleagues(tx: &mut Tx<'_>, actor: &Actor) -> Answer<Vec<Colleague>> {
    actor.may(Act::MakeRounds)?;
    let all = sql::colleagues(tx, actor.range)?;
    Ok(all.into_iter().map(|(account, name, range)| Colleague { account, name, range }).collect())
}

/// Who may have the elders of a place in charge today.
#[derive(Debug)]
struct Team {
    posts: Vec<Post>,
    /// Who is away, and who stands in.
    away: HashMap<AccountId, Option<AccountId>>,
}

impl Team {
    /// Those in charge of a place: of the closest posts whoever is there, then who stands in for them, then the next
    /// wider posts.
    fn of(&self, region: i64) -> BTreeSet<AccountId> {
        let mut by_width: BTreeMap<i64, BTreeSet<AccountId>> = BTreeMap::new();
        for post in self.posts.iter().filter(|p| p.range.lo <= region && region <= p.range.hi) {
            by_width.entry(post.range.hi - post.range.lo).or_default().insert(post.account);
        }
        for (_, closest) in by_width {
            let here: BTreeSet<AccountId> =
                closest.iter().copied().filter(|who| !self.away.contains_key(who)).collect();
            let covers = closest.iter().filter_map(|who| self.away.get(who).copied().flatten());
            let covers: BTreeSet<AccountId> = covers.filter(|who| !self.away.contains_key(who)).collect();
            let both: BTreeSet<AccountId> = here.union(&covers).copied().collect();
            if !both.is_empty() {
                return both;
            }
        }
        BTreeSet::new()
    }
}

/// Gives every watched elder to whoever should have them today. A reconciler; run each minute. Answers how many
/// changed hands.
///
/// # Errors
/// When the database fails.
pub fn assign_charges(store: &Store, now: Now) -> Result<u64, Fault> {
    let today = now.day();
    let wrong = store.read(move |tx| {
        let team = Team { posts: sql::posts(tx)?, away: sql::away(tx, today)? };
        let mut there: BTreeMap<i64, (BTreeSet<AccountId>, bool, i64)> = BTreeMap::new();
        for (region, charge, count) in sql::charges(tx)? {
            let entry = there.entry(region).or_default();
            match charge {
                Some(account) => drop(entry.0.insert(account)),
                None => entry.1 = true,
            }
            entry.2 += count;
        }
        let mut wrong: Vec<(i64, Vec<AccountId>)> = Vec::new();
        for (region, (charges, none, count)) in there {
            let should: Vec<AccountId> = team.of(region).into_iter().take(count.max(1) as usize).collect();
            let same = should.iter().copied().collect::<BTreeSet<_>>() == charges;
            if !same || (none && !should.is_empty()) {
                wrong.push((region, should));
            }
        }
        Ok::<_, Fault>(wrong)
    })?;
    let mut changed = 0;
    for some in wrong.chunks(50) {
        let some = some.to_vec();
        changed += store.write(move |tx| {
            let mut changed = 0;
            for (region, should) in &some {
                if should.is_empty() {
                    changed += sql::set_charge(tx, *region, None, (1, 0))?;
                }
                for (n, account) in should.iter().enumerate() {
                    let share = (should.len() as i64, n as i64);
                    changed += sql::set_charge(tx, *region, Some(*account), share)?;
                }
            }
            Ok::<_, Fault>(changed)
        })?;
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(account: i64, lo: i64, hi: i64) -> Post {
        Post { account: AccountId(account), range: RegionRange { lo, hi } }
    }

    fn of(team: &Team, region: i64) -> Vec<i64> {
        team.of(region).into_iter().map(|a| a.0).collect()
    }

    #[test]
    fn the_closest_post_has_them_and_its_cover_while_it_is_away() {
        let posts = vec![post(1, 10, 10), post(2, 10, 19), post(3, 11, 11), post(4, 11, 11)];
        let mut team = Team { posts, away: HashMap::new() };
        assert_eq!(of(&team, 10), [1]);
        assert_eq!(of(&team, 11), [3, 4], "two share a place");
        assert_eq!(of(&team, 12), [2]);
        assert_eq!(of(&team, 99), [0; 0]);
        team.away.insert(AccountId(1), None);
        assert_eq!(of(&team, 10), [2], "nobody named: the next wider post");
        team.away.insert(AccountId(1), Some(AccountId(4)));
        assert_eq!(of(&team, 10), [4]);
        team.away.insert(AccountId(4), None);
        assert_eq!(of(&team, 10), [2], "who stands in is away too");
        assert_eq!(of(&team, 11), [3]);
    }
}
