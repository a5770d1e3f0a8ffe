//! Accounts, posts, sessions and tokens.

mod sql;

use domain::{
    access::{Actor, Role},
    ids::{AccountId, CarerId, PostId, ProviderId},
    regions::RegionRange,
    time::{At, Now},
};

use crate::store::{Fault, Tx, digest};

pub(crate) const STATEMENTS: &[(&str, &str)] = sql::ALL;

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

/// How a session or API token is found without being stored.
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
