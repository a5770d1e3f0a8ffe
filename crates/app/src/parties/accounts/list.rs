//! Accounts as an administrator finds them.

use domain::{
    access::{Act, Actor, Role},
    ids::{AccountId, CarerId, PostId, ProviderId},
    regions::RegionRange,
    time::{At, Now},
};

use super::{administer, sql};
use crate::{
    outcome::{Answer, No},
    store::Tx,
};

/// In what condition an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountState {
    /// Its owner can sign in.
    Active,
    /// Its owner has set no password yet.
    Invited,
    /// Too many wrong answers; opens by itself.
    Locked,
    /// Closed.
    Closed,
}

impl AccountState {
    /// Every state, in the order of a menu.
    pub const ALL: [AccountState; 4] =
        [AccountState::Active, AccountState::Invited, AccountState::Locked, AccountState::Closed];

    /// The name in URLs.
    pub fn code(self) -> &'static str {
        match self {
            AccountState::Active => "active",
            AccountState::Invited => "invited",
            AccountState::Locked => "locked",
            AccountState::Closed => "closed",
        }
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            AccountState::Active => "正常",
            AccountState::Invited => "待设密码",
            AccountState::Locked => "暂时锁定",
            AccountState::Closed => "已停用",
        }
    }
}

/// A post as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenPost {
    /// The post.
    pub id: PostId,
    /// The role.
    pub role: Role,
    /// Over which regions.
    pub range: RegionRange,
    /// For which provider.
    pub provider: Option<ProviderId>,
    /// The provider's name; empty when there is none.
    pub provider_name: String,
    /// As which carer.
    pub carer: Option<CarerId>,
    /// Since when.
    pub given: At,
    /// Until when, when it has ended.
    pub ended: Option<At>,
}

/// An account with its posts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLine {
    /// The account.
    pub id: AccountId,
    /// Name to sign in with.
    pub username: String,
    /// Display name.
    pub name: String,
    /// Its condition.
    pub state: AccountState,
    /// Whether it has a second factor.
    pub has_factor: bool,
    /// Until when it is locked, when it is.
    pub locked_until: Option<At>,
    /// Since when there is such an account.
    pub opened: At,
    /// All posts, also ended ones, as far as the administrator's regions go.
    pub posts: Vec<GivenPost>,
}

/// What to look for. Empty means any.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Part of the account name or display name.
    pub text: String,
    /// With a post of this role.
    pub role: Option<Role>,
    /// With a post inside these regions.
    pub range: Option<RegionRange>,
    /// In this condition.
    pub state: Option<AccountState>,
}

/// A page of accounts.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// The lines.
    pub lines: Vec<AccountLine>,
    /// How many there are in all.
    pub total: i64,
}

/// Accounts with a post inside the administrator's regions, newest first.
pub fn accounts(
    tx: &mut Tx<'_>,
    actor: &Actor,
    filter: &Filter,
    from: i64,
    limit: i64,
    now: Now,
) -> Answer<Accounts> {
    actor.may(Act::Administer)?;
    let scope = actor.scope().narrowed(filter.range);
    let range = RegionRange { lo: scope.lo, hi: scope.hi };
    let total = sql::count_matching(tx, filter, range, now.0)?;
    let lines = sql::matching(tx, filter, range, actor.range, from, limit, now.0)?;
    Ok(Accounts { lines, total })
}

/// One account.
pub fn account(tx: &mut Tx<'_>, actor: &Actor, id: AccountId, now: Now) -> Answer<AccountLine> {
    actor.may(Act::Administer)?;
    sql::line(tx, id, actor.range, now.0)?.ok_or(No::NotFound)
}

/// Something that happened to an account.
#[derive(Debug, Clone)]
pub struct Happened {
    /// When.
    pub at: At,
    /// The act: `account.closed`.
    pub act: String,
    /// Who did it.
    pub by: String,
}

/// The last things that happened to an account, newest first.
pub fn happened(tx: &mut Tx<'_>, actor: &Actor, id: AccountId) -> Answer<Vec<Happened>> {
    administer::seen(tx, actor, id).map_err(|no| match no {
        No::Forbidden(x) => No::Forbidden(x),
        No::Fault(x) => No::Fault(x),
        No::NotFound | No::Refused(_) => No::NotFound,
    })?;
    Ok(sql::happened(tx, id)?)
}

/// Providers inside the administrator's regions, to choose from for a post.
pub fn providers_to_choose(tx: &mut Tx<'_>, actor: &Actor) -> Answer<Vec<(ProviderId, String)>> {
    actor.may(Act::Administer)?;
    Ok(sql::providers_to_choose(tx, actor.range)?)
}

/// Carers of a provider with this name or number, for a carer's post.
pub fn carers_named(
    tx: &mut Tx<'_>,
    actor: &Actor,
    provider: ProviderId,
    typed: &str,
) -> Answer<Vec<CarerId>> {
    actor.may(Act::Administer)?;
    Ok(sql::carers_named(tx, provider, actor.range, typed)?)
}
