//! Tokens for programs: shown once, kept as a hash, never without an end.
//!
//! A program of its own (the telephone system, a partner's platform) gets an account that cannot sign in, so that the
//! log tells the program from the person who let it in.

use domain::{
    access::{Act, Actor, Role},
    ids::{AccountId, PostId, ProviderId, TokenId},
    parties::account::PostRefusal,
    regions::RegionRange,
    time::{At, Now},
};
use serde_json::json;

use super::{
    AccountRefusal, NewPost,
    administer::{check_party, display_name},
    door, event, sql,
};
use crate::{
    outcome::{Answer, No, Outcome},
    store::Tx,
};

/// Longest life of a token.
pub const TOKEN_DAYS_MAX: i64 = 365;

/// For whom a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFor {
    /// A program of its own, over these regions, perhaps for one provider.
    Program {
        /// Over which regions.
        range: RegionRange,
        /// For which provider only.
        provider: Option<ProviderId>,
    },
    /// A script of the person who makes it, in the post in use.
    Oneself,
}

/// A token that is to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What it is for, in words.
    pub name: String,
    /// For whom.
    pub holder: TokenFor,
    /// How many days it holds.
    pub days: i64,
}

/// A token as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenLine {
    /// The token.
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// In which role it acts.
    pub role: Role,
    /// Over which regions.
    pub range: RegionRange,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made: At,
    /// Until when it holds.
    pub until: At,
    /// When it was revoked.
    pub revoked: Option<At>,
}

/// Makes a token; `token` is its hash, `session` that of the person who makes it.
///
/// # Errors
/// When the name or the days will not do, or the regions are not inside one's own.
pub fn make_token(
    tx: &mut Tx<'_>,
    actor: &Actor,
    session: [u8; 32],
    new: &NewToken,
    token: [u8; 32],
    now: Now,
) -> Outcome<TokenId, AccountRefusal> {
    actor.may(Act::Administer)?;
    let name = display_name(&new.name)?;
    if !(1..=TOKEN_DAYS_MAX).contains(&new.days) {
        return Err(No::Refused(AccountRefusal::Expiry));
    }
    let (account, post) = match new.holder {
        TokenFor::Oneself => {
            let signing = door::half(tx, session, now)?;
            (signing.account, signing.post.ok_or(No::Refused(AccountRefusal::Begin))?)
        }
        TokenFor::Program { range, provider } => program(tx, actor, &name, range, provider, now)?,
    };
    let id = TokenId(tx.id(now));
    let until = now.0.plus_minutes(new.days * 24 * 60);
    let row = sql::TokenRow { id, token, name: &name, account, post, until };
    sql::insert_token(tx, &row, actor.account, now.0)?;
    let detail = json!({ "name": name, "account": account, "post": post, "until": until });
    tx.record(actor, now, event("account.token_made", id.0, actor.range, detail))?;
    Ok(id)
}

/// The account of a program: without a password, so that nobody can sign in as it.
fn program(
    tx: &mut Tx<'_>,
    actor: &Actor,
    name: &str,
    range: RegionRange,
    provider: Option<ProviderId>,
    now: Now,
) -> Outcome<(AccountId, PostId), AccountRefusal> {
    if !actor.range.covers(range) {
        return Err(No::Refused(PostRefusal::OutsideRange.into()));
    }
    let new = NewPost { role: Role::System, range, provider, carer: None };
    check_party(tx, actor, &new)?;
    let account = AccountId(tx.id(now));
    sql::insert_account(tx, account, &format!("api-{account}"), name, None, now.0)?;
    let post = PostId(tx.id(now));
    sql::insert_post(tx, post, account, &new.into(), actor.account, now.0)?;
    Ok((account, post))
}

/// Takes a token's force away, at once and for good.
///
/// # Errors
/// When there is no such token inside one's regions.
pub fn revoke_token(tx: &mut Tx<'_>, actor: &Actor, token: TokenId, now: Now) -> Outcome<(), AccountRefusal> {
    actor.may(Act::Administer)?;
    if !sql::revoke_token(tx, token, actor.range, now.0)? {
        return Err(No::NotFound);
    }
    Ok(tx.record(actor, now, event("account.token_revoked", token.0, actor.range, json!({})))?)
}

/// Tokens inside one's regions, newest first: all that still hold, and what was revoked or expired of late.
pub fn tokens(tx: &mut Tx<'_>, actor: &Actor) -> Answer<Vec<TokenLine>> {
    actor.may(Act::Administer)?;
    Ok(sql::tokens(tx, actor.range)?)
}
