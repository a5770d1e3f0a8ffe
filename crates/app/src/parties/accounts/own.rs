//! One's own account: password, second factor, devices, posts.

use domain::{
    ids::{PostId, SessionId},
    parties::account::Username,
    time::{At, Now},
};
use serde_json::json;

use super::{AccountRefusal, Answered, Door, PasswordHash, Post, door, event, sql};
use crate::{
    outcome::{No, Outcome},
    store::{Fault, Tx},
};

/// A device one is signed in on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSession {
    /// The session.
    pub id: SessionId,
    /// The browser, as it called itself.
    pub agent: String,
    /// Since when.
    pub since: At,
    /// Until when at most.
    pub until: At,
    /// Whether it is the one that asks.
    pub this: bool,
}

/// What a person sees of the own account.
#[derive(Debug, Clone)]
pub struct OwnAccount {
    /// Name to sign in with.
    pub username: Username,
    /// Display name.
    pub name: String,
    /// Posts there are.
    pub posts: Vec<Post>,
    /// The post in use.
    pub post: Option<PostId>,
    /// Whether a second factor is set up.
    pub has_factor: bool,
    /// Whether one must be.
    pub needs_factor: bool,
    /// Devices, newest first.
    pub sessions: Vec<OwnSession>,
}

/// The account of a session.
pub fn own_account(tx: &mut Tx<'_>, token: [u8; 32], now: Now) -> Outcome<OwnAccount, AccountRefusal> {
    let signing = door::half(tx, token, now)?;
    let sessions = sql::sessions_of(tx, signing.account, token, now.0)?;
    let username = Username::parse(&signing.username)
        .map_err(|_| Fault::other(format!("account {} has no name to sign in with", signing.account)))?;
    Ok(OwnAccount {
        username,
        needs_factor: signing.needs_factor(),
        name: signing.name,
        posts: signing.posts,
        post: signing.post,
        has_factor: signing.has_factor,
        sessions,
    })
}

/// Exchanges the password; the old one was checked before. Every other session ends.
///
/// # Errors
/// When the old password was wrong: that counts like a wrong answer at the door.
pub fn change_password(
    tx: &mut Tx<'_>,
    token: [u8; 32],
    old: &Answered,
    new: &PasswordHash,
    now: Now,
) -> Outcome<Door, AccountRefusal> {
    let signing = door::half(tx, token, now)?;
    if signing.post.is_none() {
        return Err(No::Refused(AccountRefusal::Begin));
    }
    let before = sql::attempts(tx, &signing.username)?;
    if let Some(minutes) = before.locked(now) {
        return Ok(Door::Locked(minutes));
    }
    if old.right.as_ref().is_none_or(|(account, _)| *account != signing.account) {
        return Ok(door::wrong(tx, &signing.username, before, now)?);
    }
    sql::set_password(tx, signing.account, new)?;
    sql::end_sessions(tx, signing.account, Some(token), now.0)?;
    sql::forget_attempts(tx, &signing.username)?;
    let actor = signing.actor();
    let range = actor.range;
    tx.record(&actor, now, event("account.password_changed", signing.account.0, range, json!({})))?;
    Ok(Door::Open(signing.stage))
}

/// Ends one of one's own sessions on another device.
///
/// # Errors
/// When there is no such session of one's own.
pub fn end_session(
    tx: &mut Tx<'_>,
    token: [u8; 32],
    session: SessionId,
    now: Now,
) -> Outcome<(), AccountRefusal> {
    let signing = door::half(tx, token, now)?;
    if signing.post.is_none() || !sql::end_session(tx, signing.account, session, now.0)? {
        return Err(No::NotFound);
    }
    let actor = signing.actor();
    let (range, detail) = (actor.range, json!({ "session": session }));
    Ok(tx.record(&actor, now, event("account.session_ended", signing.account.0, range, detail))?)
}
