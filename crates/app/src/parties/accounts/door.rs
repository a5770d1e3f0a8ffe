//! Signing in: password, then the code of the second factor, then the choice of a post; and out again.
//!
//! A session without a post is half way through the door and is nobody yet. Wrong answers are counted by the name
//! that was typed, so that neither words nor time nor the lock tell whether there is such an account.

use domain::{
    access::{Actor, Role},
    ids::{AccountId, PostId, SessionId},
    parties::account::Attempts,
    regions::RegionRange,
    time::{At, Now},
};
use serde_json::json;

use super::{AccountRefusal, Answered, Post, event, factor, sql};
use crate::{
    outcome::{Found, No, Outcome},
    settings,
    store::{Fault, Tx},
};

/// How long somebody stays signed in.
pub const SESSION_HOURS: i64 = 12;
/// How long one may take between the password and the rest.
pub const HALF_MINUTES: i64 = 10;
/// Longest description of a browser that is kept.
const AGENT_MAX: usize = 80;

/// The device a session lives on.
#[derive(Debug, Clone)]
pub struct Device {
    /// Hash of the new session's token.
    pub token: [u8; 32],
    /// What it is, for the person to recognise: `Chrome · Windows`.
    pub agent: String,
}

/// What stands between a right password and the first desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The code of the second factor.
    Code,
    /// A second factor has to be set up.
    Enrol,
    /// One of several posts has to be chosen.
    Post,
    /// Nothing.
    In,
}

/// The answer to a password or a code. A wrong one is no error, for it must be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Right so far.
    Open(Stage),
    /// Wrong name, password or code.
    Wrong,
    /// Too many wrong answers; minutes to wait.
    Locked(i64),
    /// All is right, but no post is left.
    NoPost,
}

/// A session that has not expired, half way or through.
#[derive(Debug, Clone)]
pub struct Signing {
    /// The session.
    pub session: SessionId,
    /// Whose.
    pub account: AccountId,
    /// Name to sign in with.
    pub username: String,
    /// Display name.
    pub name: String,
    /// What comes next.
    pub stage: Stage,
    /// Posts there are to choose from.
    pub posts: Vec<Post>,
    /// The post in use.
    pub post: Option<PostId>,
    pub(super) proved: bool,
    pub(super) has_factor: bool,
}

impl Signing {
    fn stage(proved: bool, has_factor: bool, post: Option<PostId>) -> Stage {
        match (proved, has_factor, post) {
            (_, _, Some(_)) => Stage::In,
            (true, _, None) => Stage::Post,
            (false, true, None) => Stage::Code,
            (false, false, None) => Stage::Enrol,
        }
    }

    /// Whether any of the posts asks for a second factor.
    pub fn needs_factor(&self) -> bool {
        self.posts.iter().any(|post| post.role.needs_second_factor())
    }

    /// Whether a second factor is set up.
    pub fn has_second_factor(&self) -> bool {
        self.has_factor
    }

    /// Who acts before a post is chosen: in the first post there is, which decides only what the log says.
    pub(super) fn actor(&self) -> Actor {
        let at = |post: &&Post| self.post.is_none_or(|chosen| chosen == post.id);
        match self.posts.iter().find(at) {
            Some(post) => post.clone().actor(),
            None => oneself(self.account, &self.name),
        }
    }
}

/// An account that acts without any post, as far as the log is concerned.
pub(super) fn oneself(account: AccountId, name: &str) -> Actor {
    let range = RegionRange { lo: 0, hi: 0 };
    Actor { account, name: name.to_owned(), role: Role::System, range, provider: None, carer: None }
}

/// Takes a checked password and begins a session. The old answers under the name count, also for right ones.
pub fn sign_in(tx: &mut Tx<'_>, answered: &Answered, device: &Device, now: Now) -> Result<Door, Fault> {
    let Some(username) = &answered.username else { return Ok(Door::Wrong) };
    let before = sql::attempts(tx, username.as_str())?;
    if let Some(minutes) = before.locked(now) {
        return Ok(Door::Locked(minutes));
    }
    // What was checked a moment ago must still hold: the password may have changed, the account been closed.
    let still = sql::password_of(tx, username)?;
    let right = match (&answered.right, still) {
        (Some((account, hash)), Some((_, now))) if hash.0 == now.0 => Some(*account),
        _ => None,
    };
    let Some(account) = right else { return wrong(tx, username.as_str(), before, now) };
    let posts = sql::posts_of(tx, account)?;
    if posts.is_empty() {
        return Ok(Door::NoPost);
    }
    let has_factor = sql::factor_of(tx, account)?.is_some();
    let free = !has_factor && !posts.iter().any(|post| post.role.needs_second_factor());
    if !has_factor {
        sql::forget_attempts(tx, username.as_str())?;
    }
    let session = SessionId(tx.id(now));
    let until = now.0.plus_minutes(HALF_MINUTES);
    sql::insert_session(
        tx,
        session,
        account,
        device.token,
        &cut(&device.agent),
        free.then_some(now.0),
        now.0,
        until,
    )?;
    go_on(tx, device.token, now)
}

/// Where a session stands, if it is one.
pub fn signing(tx: &mut Tx<'_>, token: [u8; 32], now: Now) -> Result<Option<Signing>, Fault> {
    let Some(mut signing) = sql::signing(tx, token, now.0)? else { return Ok(None) };
    signing.posts = sql::posts_of(tx, signing.account)?;
    // A post that ended meanwhile is no post; another can be chosen.
    signing.post = signing.post.filter(|post| signing.posts.iter().any(|p| p.id == *post));
    signing.stage = Signing::stage(signing.proved, signing.has_factor, signing.post);
    Ok(Some(signing))
}

/// Takes the code of the second factor.
pub fn prove(tx: &mut Tx<'_>, token: [u8; 32], code: &str, now: Now) -> Outcome<Door, AccountRefusal> {
    let signing = half(tx, token, now)?;
    let before = sql::attempts(tx, &signing.username)?;
    if let Some(minutes) = before.locked(now) {
        return Ok(Door::Locked(minutes));
    }
    if signing.stage != Stage::Code {
        return Ok(Door::Open(signing.stage));
    }
    if !factor::check(tx, signing.account, code, now)? {
        let door = wrong(tx, &signing.username, before, now)?;
        if matches!(door, Door::Locked(_)) {
            sql::end_session(tx, signing.account, signing.session, now.0)?;
        }
        return Ok(door);
    }
    sql::forget_attempts(tx, &signing.username)?;
    sql::set_proved(tx, token, now.0)?;
    Ok(go_on(tx, token, now)?)
}

/// Works on in one of one's posts: after signing in, or later in another.
pub fn choose_post(tx: &mut Tx<'_>, token: [u8; 32], post: PostId, now: Now) -> Outcome<(), AccountRefusal> {
    let signing = half(tx, token, now)?;
    if !matches!(signing.stage, Stage::Post | Stage::In) {
        return Err(No::Refused(AccountRefusal::Begin));
    }
    let post = signing.posts.iter().find(|p| p.id == post).cloned().found()?;
    if post.role.needs_second_factor() && !signing.has_factor {
        return Err(No::Refused(AccountRefusal::FactorMissing));
    }
    let first = signing.stage == Stage::Post;
    take(tx, token, &signing, &post, first, now)?;
    Ok(())
}

/// Ends the session of a token; ending it twice is no error.
pub fn sign_out(tx: &mut Tx<'_>, token: [u8; 32], now: Now) -> Result<(), Fault> {
    let Some(signing) = signing(tx, token, now)? else { return Ok(()) };
    sql::end_session(tx, signing.account, signing.session, now.0)?;
    let actor = signing.actor();
    let range = actor.range;
    tx.record(&actor, now, event("account.signed_out", signing.account.0, range, json!({})))
}

/// Signs a visitor of the demo in as one of its people, without a password.
///
/// Only in a database that was made for a demonstration: a real one has no such door, whoever calls this.
pub fn demo_session(
    tx: &mut Tx<'_>,
    username: &str,
    device: &Device,
    now: Now,
) -> Outcome<(), AccountRefusal> {
    if !settings::yes(tx, settings::DEMO)? {
        return Err(No::NotFound);
    }
    let account = sql::account_by_name(tx, username)?.found()?;
    let posts = sql::posts_of(tx, account)?;
    let post = posts.first().cloned().found()?;
    let session = SessionId(tx.id(now));
    let until = now.0.plus_minutes(HALF_MINUTES);
    sql::insert_session(tx, session, account, device.token, &cut(&device.agent), Some(now.0), now.0, until)?;
    let signing = signing(tx, device.token, now)?.ok_or_else(|| Fault::other("a session just made"))?;
    take(tx, device.token, &signing, &post, true, now)?;
    Ok(())
}

/// A session that has not expired, or the advice to begin again.
pub(super) fn half(tx: &mut Tx<'_>, token: [u8; 32], now: Now) -> Outcome<Signing, AccountRefusal> {
    signing(tx, token, now)?.ok_or(No::Refused(AccountRefusal::Begin))
}

/// Chooses the only post there is; otherwise says what comes next.
pub(super) fn go_on(tx: &mut Tx<'_>, token: [u8; 32], now: Now) -> Result<Door, Fault> {
    let Some(signing) = signing(tx, token, now)? else { return Ok(Door::Wrong) };
    match (signing.stage, &signing.posts[..]) {
        (_, []) => Ok(Door::NoPost),
        (Stage::Post, [only]) => {
            take(tx, token, &signing, only, true, now)?;
            Ok(Door::Open(Stage::In))
        }
        (stage, _) => Ok(Door::Open(stage)),
    }
}

fn take(
    tx: &mut Tx<'_>,
    token: [u8; 32],
    signing: &Signing,
    post: &Post,
    first: bool,
    now: Now,
) -> Result<(), Fault> {
    let until = first.then(|| now.0.plus_minutes(SESSION_HOURS * 60));
    sql::set_post(tx, token, post.id, until)?;
    let act = if first { "account.signed_in" } else { "account.post_chosen" };
    let (range, detail) = (post.range, json!({ "session": signing.session, "post": post.id }));
    tx.record(&post.clone().actor(), now, event(act, signing.account.0, range, detail))
}

/// Counts a wrong answer; when it locks the door of an account, the log says so.
pub(super) fn wrong(tx: &mut Tx<'_>, username: &str, before: Attempts, now: Now) -> Result<Door, Fault> {
    let after = before.failed(now);
    sql::set_attempts(tx, username, after)?;
    sql::clear_attempts(tx, At(now.0.plus_minutes(-24 * 60).0))?;
    let Some(minutes) = after.locked(now) else { return Ok(Door::Wrong) };
    if let Some(account) = sql::account_by_name(tx, username)? {
        let actor = match sql::posts_of(tx, account)?.into_iter().next() {
            Some(post) => post.actor(),
            None => oneself(account, username),
        };
        let range = actor.range;
        tx.record(&actor, now, event("account.locked", account.0, range, json!({ "minutes": minutes })))?;
    }
    Ok(Door::Locked(minutes))
}

fn cut(agent: &str) -> String {
    agent.chars().filter(|c| !c.is_control()).take(AGENT_MAX).collect()
}
