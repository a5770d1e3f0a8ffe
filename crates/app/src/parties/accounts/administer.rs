//! What an administrator does: open accounts, give and end posts, close the door on somebody and open it again.
//!
//! Everything happens inside the administrator's own regions, nothing to oneself, and nobody ever learns a password:
//! a new account gets a link by which its owner sets one.

use domain::{
    access::{Act, Actor, Role},
    ids::{AccountId, CarerId, PostId, ProviderId},
    parties::{
        account::{PostRefusal, Username, fits_role, may_give},
        text,
    },
    regions::RegionRange,
    time::Now,
};
use serde_json::json;

use super::{AccountRefusal, Password, PasswordHash, Post, door, event, sql};
use crate::{
    outcome::{Found, No, Outcome},
    store::Tx,
};

/// How long a link holds by which somebody sets a password: over a weekend.
const INVITATION_HOURS: i64 = 72;

/// A post that is to be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewPost {
    /// The role.
    pub role: Role,
    /// Over which regions.
    pub range: RegionRange,
    /// For which provider, where the role asks for one.
    pub provider: Option<ProviderId>,
    /// As which carer, for a carer.
    pub carer: Option<CarerId>,
}

/// An account that is to be opened.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Name to sign in with, as typed.
    pub username: String,
    /// Display name.
    pub name: String,
    /// The first post.
    pub post: NewPost,
}

/// What an invitation link says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// The account.
    pub account: AccountId,
    /// Name to sign in with.
    pub username: Username,
    /// Display name.
    pub name: String,
}

/// A display name: 1 to 40 characters on one line.
pub(super) fn display_name(typed: &str) -> Result<String, No<AccountRefusal>> {
    let name = text::narrow(typed);
    let length = name.chars().count();
    if (1..=40).contains(&length) { Ok(name) } else { Err(No::Refused(AccountRefusal::Name)) }
}

/// Opens an account with its first post. `code` is the hash of the link's code; an account without one has no way in
/// until it is invited again, which is what a demo wants.
///
/// # Errors
/// When the name is taken or malformed, or the post may not be given.
pub fn invite(
    tx: &mut Tx<'_>,
    actor: &Actor,
    new: &NewAccount,
    code: Option<[u8; 32]>,
    now: Now,
) -> Outcome<AccountId, AccountRefusal> {
    actor.may(Act::Administer)?;
    let username = Username::parse(&new.username).map_err(|_| No::Refused(AccountRefusal::Username))?;
    let name = display_name(&new.name)?;
    check_post(tx, actor, &new.post, &[])?;
    let id = AccountId(tx.id(now));
    if !sql::insert_account(tx, id, username.as_str(), &name, None, now.0)? {
        return Err(No::Refused(AccountRefusal::UsernameTaken(username.as_str().to_owned())));
    }
    let post = PostId(tx.id(now));
    sql::insert_post(tx, post, id, &new.post.into(), actor.account, now.0)?;
    if let Some(code) = code {
        let until = now.0.plus_minutes(INVITATION_HOURS * 60);
        sql::insert_code(tx, code, Some(id), sql::INVITATION, now.0, until)?;
    }
    let detail =
        json!({ "username": username.as_str(), "name": name, "post": post, "given": said(&new.post) });
    tx.record(actor, now, event("account.invited", id.0, actor.range, detail))?;
    Ok(id)
}

/// Gives an account a new link to set a password with; links given before lose their force. The old password stays
/// good until the link is used.
///
/// # Errors
/// When the account is closed or partly beyond the administrator's regions.
pub fn invite_again(
    tx: &mut Tx<'_>,
    actor: &Actor,
    account: AccountId,
    code: [u8; 32],
    now: Now,
) -> Outcome<(), AccountRefusal> {
    own(tx, actor, account, Closed::Refused)?;
    sql::void_codes(tx, Some(account), now.0)?;
    let until = now.0.plus_minutes(INVITATION_HOURS * 60);
    sql::insert_code(tx, code, Some(account), sql::INVITATION, now.0, until)?;
    Ok(tx.record(actor, now, event("account.invited_again", account.0, actor.range, json!({})))?)
}

impl Invited {
    /// Whom an invitation code is for.
    ///
    /// # Errors
    /// When it is not good any more.
    pub fn by(tx: &mut Tx<'_>, code: [u8; 32], now: Now) -> Outcome<Invited, AccountRefusal> {
        sql::invited(tx, code, now.0)?.ok_or(No::Refused(AccountRefusal::CodeGone))
    }

    /// The person's own password, checked against the rules.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn password(&self, typed: &str) -> Result<Password, AccountRefusal> {
        Ok(Password::parse(typed, &self.username)?)
    }

    /// Uses the code up and sets the password; every session of the account ends.
    ///
    /// # Errors
    /// When the code was used meanwhile.
    pub fn accept(
        tx: &mut Tx<'_>,
        code: [u8; 32],
        password: &PasswordHash,
        now: Now,
    ) -> Outcome<(), AccountRefusal> {
        let invited = Invited::by(tx, code, now)?;
        if sql::use_code(tx, code, sql::INVITATION, now.0)?.is_none() {
            return Err(No::Refused(AccountRefusal::CodeGone));
        }
        sql::set_password(tx, invited.account, password)?;
        sql::end_sessions(tx, invited.account, None, now.0)?;
        sql::forget_attempts(tx, invited.username.as_str())?;
        let mut posts = sql::posts_of(tx, invited.account)?.into_iter();
        let actor = posts.next().map_or_else(|| door::oneself(invited.account, &invited.name), Post::actor);
        let range = actor.range;
        Ok(tx.record(&actor, now, event("account.password_set", invited.account.0, range, json!({})))?)
    }
}

/// Gives one more post to an account.
///
/// # Errors
/// When the rules of posts stand against it.
pub fn give_post(
    tx: &mut Tx<'_>,
    actor: &Actor,
    account: AccountId,
    new: &NewPost,
    now: Now,
) -> Outcome<PostId, AccountRefusal> {
    own(tx, actor, account, Closed::Refused)?;
    if account == actor.account {
        return Err(No::Refused(PostRefusal::Oneself.into()));
    }
    let held = sql::posts_of(tx, account)?;
    check_post(tx, actor, new, &held)?;
    let post = PostId(tx.id(now));
    sql::insert_post(tx, post, account, &(*new).into(), actor.account, now.0)?;
    let detail = json!({ "post": post, "given": said(new) });
    tx.record(actor, now, event("account.post_given", account.0, actor.range, detail))?;
    Ok(post)
}

/// Ends a post, with every session and token that uses it.
///
/// # Errors
/// When it is one's own.
pub fn end_post(
    tx: &mut Tx<'_>,
    actor: &Actor,
    account: AccountId,
    post: PostId,
    now: Now,
) -> Outcome<(), AccountRefusal> {
    seen(tx, actor, account)?;
    if account == actor.account {
        return Err(No::Refused(AccountRefusal::Oneself));
    }
    let held = sql::posts_of(tx, account)?.into_iter().find(|p| p.id == post).found()?;
    if !actor.range.covers(held.range) {
        return Err(No::NotFound);
    }
    sql::end_post(tx, post, now.0)?;
    let detail = json!({ "post": post, "role": held.role });
    Ok(tx.record(actor, now, event("account.post_ended", account.0, actor.range, detail))?)
}

/// Gives an ended post again: the same role and regions as a new post, so that the gap stays on record.
///
/// # Errors
/// As for giving any post.
pub fn restore_post(
    tx: &mut Tx<'_>,
    actor: &Actor,
    account: AccountId,
    post: PostId,
    now: Now,
) -> Outcome<PostId, AccountRefusal> {
    seen(tx, actor, account)?;
    let ended = sql::ended_post(tx, account, post)?.found()?;
    give_post(tx, actor, account, &ended, now)
}

/// Closes an account: nobody signs in with it, its sessions end, its links and tokens lose their force.
///
/// # Errors
/// When it is one's own, or partly beyond the administrator's regions.
pub fn close(tx: &mut Tx<'_>, actor: &Actor, account: AccountId, now: Now) -> Outcome<(), AccountRefusal> {
    own(tx, actor, account, Closed::Refused)?;
    if account == actor.account {
        return Err(No::Refused(AccountRefusal::Oneself));
    }
    sql::set_closed(tx, account, Some(now.0))?;
    sql::end_sessions(tx, account, None, now.0)?;
    sql::void_codes(tx, Some(account), now.0)?;
    Ok(tx.record(actor, now, event("account.closed", account.0, actor.range, json!({})))?)
}

/// Opens a closed account again, with the posts it had.
///
/// # Errors
/// When it lies partly beyond the administrator's regions.
pub fn reopen(tx: &mut Tx<'_>, actor: &Actor, account: AccountId, now: Now) -> Outcome<(), AccountRefusal> {
    own(tx, actor, account, Closed::Taken)?;
    sql::set_closed(tx, account, None)?;
    Ok(tx.record(actor, now, event("account.reopened", account.0, actor.range, json!({})))?)
}

/// Takes the second factor off an account whose owner lost the telephone; where a post asks for one, the next sign-in
/// sets up a new one.
///
/// # Errors
/// When it is one's own: another administrator must look who is asking.
pub fn clear_second_factor(
    tx: &mut Tx<'_>,
    actor: &Actor,
    account: AccountId,
    now: Now,
) -> Outcome<(), AccountRefusal> {
    own(tx, actor, account, Closed::Refused)?;
    if account == actor.account {
        return Err(No::Refused(AccountRefusal::Oneself));
    }
    sql::set_factor(tx, account, None, 0)?;
    sql::end_sessions(tx, account, None, now.0)?;
    Ok(tx.record(actor, now, event("account.factor_cleared", account.0, actor.range, json!({})))?)
}

/// Whether a command is for closed accounts, too.
#[derive(PartialEq, Eq)]
enum Closed {
    Refused,
    Taken,
}

/// The account may be looked at: it has, or had, a post inside the administrator's regions.
pub(super) fn seen(tx: &mut Tx<'_>, actor: &Actor, account: AccountId) -> Outcome<(), AccountRefusal> {
    actor.may(Act::Administer)?;
    if sql::account_seen(tx, account, actor.range)? { Ok(()) } else { Err(No::NotFound) }
}

/// The whole account may be changed: every post it has now lies inside the administrator's regions.
fn own(tx: &mut Tx<'_>, actor: &Actor, account: AccountId, closed: Closed) -> Outcome<(), AccountRefusal> {
    seen(tx, actor, account)?;
    if closed == Closed::Refused && sql::closed(tx, account)? {
        return Err(No::Refused(AccountRefusal::Closed));
    }
    if sql::posts_held(tx, account)?.iter().all(|post| actor.range.covers(post.range)) {
        Ok(())
    } else {
        Err(No::Refused(AccountRefusal::BeyondRange))
    }
}

/// Whether the post may be given: rules first, then whether provider and carer are there to be seen.
pub(super) fn check_post(
    tx: &mut Tx<'_>,
    actor: &Actor,
    new: &NewPost,
    held: &[Post],
) -> Outcome<(), AccountRefusal> {
    let refused = |refusal: PostRefusal| No::Refused(AccountRefusal::Post(refusal));
    let roles: Vec<Role> = held.iter().map(|post| post.role).collect();
    may_give(new.role, new.range, actor.range, &roles).map_err(refused)?;
    check_party(tx, actor, new)?;
    let same = |post: &&Post| {
        let of = NewPost { role: post.role, range: post.range, provider: post.provider, carer: post.carer };
        of == *new
    };
    if held.iter().any(|post| same(&post)) {
        return Err(refused(PostRefusal::Already));
    }
    Ok(())
}

/// Provider and carer of a post: named where they must be, and known here.
pub(super) fn check_party(tx: &mut Tx<'_>, actor: &Actor, new: &NewPost) -> Outcome<(), AccountRefusal> {
    fits_role(new.role, new.provider.is_some(), new.carer.is_some())
        .map_err(|refusal| No::Refused(AccountRefusal::Post(refusal)))?;
    let Some(provider) = new.provider else { return Ok(()) };
    let known = sql::party_known(tx, provider, new.carer, actor.range)?;
    if known { Ok(()) } else { Err(No::NotFound) }
}

fn said(post: &NewPost) -> serde_json::Value {
    json!({
        "role": post.role,
        "region_lo": post.range.lo,
        "region_hi": post.range.hi,
        "provider": post.provider,
        "carer": post.carer,
    })
}
