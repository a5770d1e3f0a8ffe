//! Accounts, posts, sessions and tokens: who may come in, and in which capacity.
//!
//! A password is never hashed inside a transaction: [`Password`] and [`Challenge`] do that first, on a thread that may
//! take its time, and commands take the result. Randomness (salts, tokens, secrets) is an argument. A code or token is
//! stored as its hash only.

mod administer;
mod door;
mod factor;
mod first;
mod list;
mod own;
mod password;
mod refusals;
mod sql;
mod tokens;

use domain::{
    access::{Actor, Role},
    ids::{AccountId, CarerId, PostId, ProviderId},
    regions::RegionRange,
    time::{At, Now},
};

pub use administer::{
    Invited, NewAccount, NewPost, clear_second_factor, close, end_post, give_post, invite, invite_again,
    reopen, restore_post,
};
pub use door::{
    Device, Door, HALF_MINUTES, SESSION_HOURS, Signing, Stage, choose_post, demo_session, prove, sign_in,
    sign_out, signing,
};
pub use factor::{Enrolment, confirm_enrolment, enrolment, remove_own_factor};
pub use first::{FIRST_CODE_HOURS, claim_first, first_code, untouched};
pub use list::{
    AccountLine, AccountState, Accounts, Filter, GivenPost, Happened, account, accounts, carers_named,
    happened, providers_to_choose,
};
pub use own::{OwnAccount, OwnSession, change_password, end_session, own_account};
pub use password::{Answered, Challenge, Password, PasswordHash, challenge};
pub use refusals::AccountRefusal;
pub use tokens::{NewToken, TOKEN_DAYS_MAX, TokenFor, TokenLine, make_token, revoke_token, tokens};

use crate::{
    evidence::Event,
    store::{Fault, Tx, digest},
};

pub(crate) const STATEMENTS: &[&[(&str, &str)]] = sql::EVERY;

/// A post with its account: in which capacity somebody acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// The post.
    pub id: PostId,
    /// Whose it is.
    pub account: AccountId,
    /// Display name of the account.
    pub name: String,
    /// The role.
    pub role: Role,
    /// Over which regions.
    pub range: RegionRange,
    /// For which provider, if for one.
    pub provider: Option<ProviderId>,
    /// As which carer, if as one.
    pub carer: Option<CarerId>,
}

impl Post {
    /// The actor of somebody who works in this post.
    pub fn actor(self) -> Actor {
        Actor {
            account: self.account,
            name: self.name,
            role: self.role,
            range: self.range,
            provider: self.provider,
            carer: self.carer,
        }
    }
}

/// How a session, a one-time code or an API token is found without being stored.
pub fn token_hash(token: &str) -> [u8; 32] {
    digest(&[token.as_bytes()])
}

/// Who is behind a session that has neither ended nor expired, and until when.
pub fn actor_of_session(tx: &mut Tx<'_>, token: [u8; 32], now: Now) -> Result<Option<(Actor, At)>, Fault> {
    Ok(sql::post_of_session(tx, token, now.0)?.map(|(post, until)| (post.actor(), until)))
}

/// Who is behind an API token that is neither revoked nor expired, and until when.
pub fn actor_of_token(tx: &mut Tx<'_>, token: [u8; 32], now: Now) -> Result<Option<(Actor, At)>, Fault> {
    Ok(sql::post_of_token(tx, token, now.0)?.map(|(post, until)| (post.actor(), until)))
}

/// An event about an account. It belongs where the acting post does, so that whoever oversees that place sees it.
fn event(act: &'static str, subject: i64, range: RegionRange, detail: serde_json::Value) -> Event {
    Event { act, subject, region: range.lo, detail, digest: None }
}
