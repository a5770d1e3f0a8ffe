//! Rows of accounts, posts, sessions and tokens.

use domain::{access::Role, ids::AccountId, regions::RegionRange, time::At};

use super::Post;
use crate::{
    p,
    store::{Fault, Row, Tx},
};

crate::statements! {
    POST_OF_SESSION = "SELECT p.id, p.account, a.name, p.role, p.region_lo, p.region_hi, p.provider, p.carer, s.expires_at
        FROM session s
        JOIN post p ON p.id = s.post
        JOIN account a ON a.id = s.account
        WHERE s.token_hash = ?1 AND s.ended_at IS NULL AND s.expires_at > ?2
            AND p.ended_at IS NULL AND a.closed_at IS NULL";
    POST_OF_TOKEN = "SELECT p.id, p.account, a.name, p.role, p.region_lo, p.region_hi, p.provider, p.carer, t.expires_at
        FROM api_token t
        JOIN post p ON p.id = t.post
        JOIN account a ON a.id = t.account
        WHERE t.token_hash = ?1 AND t.revoked_at IS NULL AND t.expires_at > ?2
            AND p.ended_at IS NULL AND a.closed_at IS NULL";
}

fn post(row: &Row<'_>) -> Result<Post, Fault> {
    Ok(Post {
        id: row.get(0)?,
        account: row.get::<AccountId>(1)?,
        name: row.get(2)?,
        role: row.word(3, Role::from_code)?,
        range: RegionRange { lo: row.get(4)?, hi: row.get(5)? },
        provider: row.get(6)?,
        carer: row.get(7)?,
    })
}

pub(super) fn post_of_session(tx: &mut Tx<'_>, hash: [u8; 32], now: At) -> Result<Option<(Post, At)>, Fault> {
    tx.find(POST_OF_SESSION, p![hash, now], |row| Ok((post(row)?, row.get(8)?)))
}

pub(super) fn post_of_token(tx: &mut Tx<'_>, hash: [u8; 32], now: At) -> Result<Option<(Post, At)>, Fault> {
    tx.find(POST_OF_TOKEN, p![hash, now], |row| Ok((post(row)?, row.get(8)?)))
}
