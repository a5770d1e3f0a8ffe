//! Rows of accounts, posts, sessions, codes and tokens.

mod lines;

use domain::{
    access::Role,
    ids::{AccountId, CarerId, PostId, ProviderId, SessionId, TokenId},
    parties::account::{Attempts, Username},
    regions::RegionRange,
    time::At,
};

use super::{Invited, NewPost, OwnSession, PasswordHash, Post, Signing, Stage, TokenLine};
use crate::{
    p,
    store::{Fault, Row, Tx},
};

/// Purposes of one-time codes.
pub(super) const FIRST: &str = "first";
pub(super) const INVITATION: &str = "invitation";

pub(super) use lines::*;

/// Statements by file.
pub(super) const EVERY: &[&[(&str, &str)]] = &[ALL, lines::ALL];

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
    POSTS_OF = "SELECT p.id, p.account, a.name, p.role, p.region_lo, p.region_hi, p.provider, p.carer
        FROM post p JOIN account a ON a.id = p.account
        WHERE p.account = ?1 AND p.ended_at IS NULL AND a.closed_at IS NULL
        ORDER BY p.id";
    POSTS_HELD = "SELECT p.id, p.account, a.name, p.role, p.region_lo, p.region_hi, p.provider, p.carer
        FROM post p JOIN account a ON a.id = p.account
        WHERE p.account = ?1 AND p.ended_at IS NULL
        ORDER BY p.id";
    ENDED_POST = "SELECT role, region_lo, region_hi, provider, carer FROM post
        WHERE account = ?1 AND id = ?2 AND ended_at IS NOT NULL";
    INSERT_POST = "INSERT INTO post (id, account, role, region_lo, region_hi, provider, carer, granted_at, granted_by)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    END_POST = "UPDATE post SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL";
    PARTY_KNOWN = "SELECT v.id FROM provider v
        WHERE v.id = ?1 AND v.region BETWEEN ?3 AND ?4
            AND (CAST(?2 AS BIGINT) = 0
                OR EXISTS (SELECT 1 FROM carer c WHERE c.id = ?2 AND c.provider = v.id AND c.left_at IS NULL))";
    PROVIDERS_TO_CHOOSE = "SELECT id, name FROM provider WHERE region BETWEEN ?1 AND ?2 ORDER BY name LIMIT 500";
    CARERS_NAMED = "SELECT c.id FROM carer c JOIN provider v ON v.id = c.provider
        WHERE c.provider = ?1 AND v.region BETWEEN ?2 AND ?3 AND c.left_at IS NULL
            AND (c.name = ?4 OR CAST(c.id AS TEXT) = ?4)";

    COUNT_ACCOUNTS = "SELECT COUNT(*) FROM account";
    INSERT_ACCOUNT = "INSERT INTO account (id, username, name, password_hash, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (username) DO NOTHING";
    ACCOUNT_BY_NAME = "SELECT id FROM account WHERE username = ?1 AND closed_at IS NULL";
    PASSWORD_OF = "SELECT id, password_hash FROM account
        WHERE username = ?1 AND closed_at IS NULL AND password_hash IS NOT NULL";
    SET_PASSWORD = "UPDATE account SET password_hash = ?2 WHERE id = ?1";
    CLOSED = "SELECT id FROM account WHERE id = ?1 AND closed_at IS NOT NULL";
    SET_CLOSED = "UPDATE account SET closed_at = ?2 WHERE id = ?1";
    FACTOR_OF = "SELECT totp_secret FROM account WHERE id = ?1 AND totp_secret IS NOT NULL";
    SET_FACTOR = "UPDATE account SET totp_secret = ?2, totp_step = ?3 WHERE id = ?1";
    USE_STEP = "UPDATE account SET totp_step = ?2 WHERE id = ?1 AND totp_step < ?2";
    ACCOUNT_SEEN = "SELECT account FROM post
        WHERE account = ?1 AND region_lo >= ?2 AND region_hi <= ?3 LIMIT 1";

    ATTEMPTS = "SELECT failures, last_at, locked_until FROM sign_in_attempt WHERE username = ?1";
    SET_ATTEMPTS = "INSERT INTO sign_in_attempt (username, failures, last_at, locked_until) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (username) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at,
            locked_until = excluded.locked_until";
    FORGET_ATTEMPTS = "DELETE FROM sign_in_attempt WHERE username = ?1";
    CLEAR_ATTEMPTS = "DELETE FROM sign_in_attempt WHERE last_at < ?1";

    INSERT_CODE = "INSERT INTO one_time_code (code_hash, account, purpose, created_at, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    USE_CODE = "UPDATE one_time_code SET used_at = ?3
        WHERE code_hash = ?1 AND purpose = ?2 AND used_at IS NULL AND expires_at > ?3";
    VOID_CODES = "UPDATE one_time_code SET used_at = ?2 WHERE account = ?1 AND used_at IS NULL";
    VOID_FIRST_CODES = "UPDATE one_time_code SET used_at = ?1 WHERE account IS NULL AND used_at IS NULL";
    INVITED = "SELECT a.id, a.username, a.name FROM one_time_code c JOIN account a ON a.id = c.account
        WHERE c.code_hash = ?1 AND c.purpose = ?2 AND c.used_at IS NULL AND c.expires_at > ?3
            AND a.closed_at IS NULL";

    INSERT_SESSION = "INSERT INTO session (token_hash, id, account, proved_at, agent, created_at, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    SIGNING = "SELECT s.id, s.account, a.username, a.name, s.post,
            CAST(CASE WHEN s.proved_at IS NULL THEN 0 ELSE 1 END AS BIGINT),
            CAST(CASE WHEN a.totp_secret IS NULL THEN 0 ELSE 1 END AS BIGINT)
        FROM session s JOIN account a ON a.id = s.account
        WHERE s.token_hash = ?1 AND s.ended_at IS NULL AND s.expires_at > ?2 AND a.closed_at IS NULL";
    SET_PROVED = "UPDATE session SET proved_at = ?2 WHERE token_hash = ?1";
    SET_POST = "UPDATE session SET post = ?2, expires_at = COALESCE(?3, expires_at) WHERE token_hash = ?1";
    PENDING_SECRET = "SELECT pending_secret FROM session WHERE token_hash = ?1 AND pending_secret IS NOT NULL";
    SET_PENDING_SECRET = "UPDATE session SET pending_secret = ?2 WHERE token_hash = ?1";
    END_SESSION = "UPDATE session SET ended_at = ?3 WHERE account = ?1 AND id = ?2 AND ended_at IS NULL";
    END_SESSIONS = "UPDATE session SET ended_at = ?3 WHERE account = ?1 AND token_hash <> ?2 AND ended_at IS NULL";
    SESSIONS_OF = "SELECT id, agent, created_at, expires_at, CAST(CASE WHEN token_hash = ?2 THEN 1 ELSE 0 END AS BIGINT)
        FROM session
        WHERE account = ?1 AND ended_at IS NULL AND expires_at > ?3 AND post IS NOT NULL
        ORDER BY id DESC";

    INSERT_TOKEN = "INSERT INTO api_token (id, token_hash, name, account, post, created_at, created_by, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    REVOKE_TOKEN = "UPDATE api_token SET revoked_at = ?4
        WHERE id = ?1 AND revoked_at IS NULL
            AND post IN (SELECT id FROM post WHERE region_lo >= ?2 AND region_hi <= ?3)";
    TOKENS = "SELECT t.id, t.name, p.role, p.region_lo, p.region_hi, COALESCE(m.name, ''), t.created_at, t.expires_at,
            t.revoked_at
        FROM api_token t JOIN post p ON p.id = t.post LEFT JOIN account m ON m.id = t.created_by
        WHERE p.region_lo >= ?1 AND p.region_hi <= ?2
        ORDER BY t.id DESC LIMIT 500";
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

/// A post as it is written.
pub(super) struct PostRow {
    role: Role,
    range: RegionRange,
    provider: Option<ProviderId>,
    carer: Option<CarerId>,
}

impl PostRow {
    pub(super) fn of(role: Role, range: RegionRange) -> PostRow {
        PostRow { role, range, provider: None, carer: None }
    }
}

impl From<NewPost> for PostRow {
    fn from(new: NewPost) -> PostRow {
        PostRow { role: new.role, range: new.range, provider: new.provider, carer: new.carer }
    }
}

pub(super) fn post_of_session(tx: &mut Tx<'_>, hash: [u8; 32], now: At) -> Result<Option<(Post, At)>, Fault> {
    tx.find(POST_OF_SESSION, p![hash, now], |row| Ok((post(row)?, row.get(8)?)))
}

pub(super) fn post_of_token(tx: &mut Tx<'_>, hash: [u8; 32], now: At) -> Result<Option<(Post, At)>, Fault> {
    tx.find(POST_OF_TOKEN, p![hash, now], |row| Ok((post(row)?, row.get(8)?)))
}

/// Posts somebody can work in; none of a closed account.
pub(super) fn posts_of(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Post>, Fault> {
    tx.all(POSTS_OF, p![account], post)
}

/// Posts that have not ended, also of a closed account.
pub(super) fn posts_held(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Post>, Fault> {
    tx.all(POSTS_HELD, p![account], post)
}

pub(super) fn ended_post(tx: &mut Tx<'_>, account: AccountId, id: PostId) -> Result<Option<NewPost>, Fault> {
    tx.find(ENDED_POST, p![account, id], |row| {
        Ok(NewPost {
            role: row.word(0, Role::from_code)?,
            range: RegionRange { lo: row.get(1)?, hi: row.get(2)? },
            provider: row.get(3)?,
            carer: row.get(4)?,
        })
    })
}

pub(super) fn insert_post(
    tx: &mut Tx<'_>,
    id: PostId,
    account: AccountId,
    new: &PostRow,
    by: AccountId,
    at: At,
) -> Result<(), Fault> {
    let (lo, hi) = (new.range.lo, new.range.hi);
    let role = new.role.code();
    tx.execute_one(INSERT_POST, p![id, account, role, lo, hi, new.provider, new.carer, at, by])
}

pub(super) fn end_post(tx: &mut Tx<'_>, id: PostId, at: At) -> Result<(), Fault> {
    tx.execute_one(END_POST, p![id, at])
}

pub(super) fn party_known(
    tx: &mut Tx<'_>,
    provider: ProviderId,
    carer: Option<CarerId>,
    range: RegionRange,
) -> Result<bool, Fault> {
    let carer = carer.map_or(0, |c| c.0);
    Ok(tx.find(PARTY_KNOWN, p![provider, carer, range.lo, range.hi], |_| Ok(()))?.is_some())
}

pub(super) fn providers_to_choose(
    tx: &mut Tx<'_>,
    range: RegionRange,
) -> Result<Vec<(ProviderId, String)>, Fault> {
    tx.all(PROVIDERS_TO_CHOOSE, p![range.lo, range.hi], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(super) fn carers_named(
    tx: &mut Tx<'_>,
    provider: ProviderId,
    range: RegionRange,
    typed: &str,
) -> Result<Vec<CarerId>, Fault> {
    tx.all(CARERS_NAMED, p![provider, range.lo, range.hi, typed], |row| row.get(0))
}

pub(super) fn count_accounts(tx: &mut Tx<'_>) -> Result<i64, Fault> {
    tx.one(COUNT_ACCOUNTS, p![], |row| row.get(0))
}

/// Whether the name was free.
pub(super) fn insert_account(
    tx: &mut Tx<'_>,
    id: AccountId,
    username: &str,
    name: &str,
    password: Option<&PasswordHash>,
    at: At,
) -> Result<bool, Fault> {
    let hash = password.map(|p| p.0.as_str());
    Ok(tx.execute(INSERT_ACCOUNT, p![id, username, name, hash, at])? == 1)
}

pub(super) fn account_by_name(tx: &mut Tx<'_>, username: &str) -> Result<Option<AccountId>, Fault> {
    tx.find(ACCOUNT_BY_NAME, p![username], |row| row.get(0))
}

pub(super) fn password_of(
    tx: &mut Tx<'_>,
    username: &Username,
) -> Result<Option<(AccountId, PasswordHash)>, Fault> {
    tx.find(PASSWORD_OF, p![username.as_str()], |row| Ok((row.get(0)?, PasswordHash(row.get(1)?))))
}

pub(super) fn set_password(tx: &mut Tx<'_>, id: AccountId, hash: &PasswordHash) -> Result<(), Fault> {
    tx.execute_one(SET_PASSWORD, p![id, hash.0])
}

pub(super) fn closed(tx: &mut Tx<'_>, id: AccountId) -> Result<bool, Fault> {
    Ok(tx.find(CLOSED, p![id], |_| Ok(()))?.is_some())
}

pub(super) fn set_closed(tx: &mut Tx<'_>, id: AccountId, at: Option<At>) -> Result<(), Fault> {
    tx.execute_one(SET_CLOSED, p![id, at])
}

pub(super) fn factor_of(tx: &mut Tx<'_>, id: AccountId) -> Result<Option<Vec<u8>>, Fault> {
    tx.find(FACTOR_OF, p![id], |row| row.get(0))
}

pub(super) fn set_factor(
    tx: &mut Tx<'_>,
    id: AccountId,
    sealed: Option<&[u8]>,
    step: i64,
) -> Result<(), Fault> {
    tx.execute_one(SET_FACTOR, p![id, sealed, step])
}

/// Whether the step is later than the last one used.
pub(super) fn use_step(tx: &mut Tx<'_>, id: AccountId, step: i64) -> Result<bool, Fault> {
    Ok(tx.execute(USE_STEP, p![id, step])? == 1)
}

pub(super) fn account_seen(tx: &mut Tx<'_>, id: AccountId, range: RegionRange) -> Result<bool, Fault> {
    Ok(tx.find(ACCOUNT_SEEN, p![id, range.lo, range.hi], |_| Ok(()))?.is_some())
}

pub(super) fn attempts(tx: &mut Tx<'_>, username: &str) -> Result<Attempts, Fault> {
    let found = tx.find(ATTEMPTS, p![username], |row| {
        Ok(Attempts { failures: row.get(0)?, last: row.get(1)?, locked_until: row.get(2)? })
    })?;
    Ok(found.unwrap_or(Attempts::NONE))
}

pub(super) fn set_attempts(tx: &mut Tx<'_>, username: &str, a: Attempts) -> Result<(), Fault> {
    tx.execute_one(SET_ATTEMPTS, p![username, a.failures, a.last, a.locked_until])
}

pub(super) fn forget_attempts(tx: &mut Tx<'_>, username: &str) -> Result<(), Fault> {
    tx.execute(FORGET_ATTEMPTS, p![username]).map(|_| ())
}

pub(super) fn clear_attempts(tx: &mut Tx<'_>, before: At) -> Result<(), Fault> {
    tx.execute(CLEAR_ATTEMPTS, p![before]).map(|_| ())
}

pub(super) fn insert_code(
    tx: &mut Tx<'_>,
    code: [u8; 32],
    account: Option<AccountId>,
    purpose: &str,
    at: At,
    until: At,
) -> Result<(), Fault> {
    tx.execute_one(INSERT_CODE, p![code, account, purpose, at, until])
}

/// Uses a code up; `None` when it is not good any more.
pub(super) fn use_code(tx: &mut Tx<'_>, code: [u8; 32], purpose: &str, now: At) -> Result<Option<()>, Fault> {
    Ok((tx.execute(USE_CODE, p![code, purpose, now])? == 1).then_some(()))
}

/// Takes their force from all codes of an account, or from all first codes.
pub(super) fn void_codes(tx: &mut Tx<'_>, account: Option<AccountId>, now: At) -> Result<(), Fault> {
    match account {
        Some(account) => tx.execute(VOID_CODES, p![account, now]),
        None => tx.execute(VOID_FIRST_CODES, p![now]),
    }
    .map(|_| ())
}

pub(super) fn invited(tx: &mut Tx<'_>, code: [u8; 32], now: At) -> Result<Option<Invited>, Fault> {
    tx.find(INVITED, p![code, INVITATION, now], |row| {
        let username = row.word(1, |text| Username::parse(text).ok())?;
        Ok(Invited { account: row.get(0)?, username, name: row.get(2)? })
    })
}

#[expect(clippy::too_many_arguments, reason = "one column each")]
pub(super) fn insert_session(
    tx: &mut Tx<'_>,
    id: SessionId,
    account: AccountId,
    token: [u8; 32],
    agent: &str,
    proved: Option<At>,
    at: At,
    until: At,
) -> Result<(), Fault> {
    tx.execute_one(INSERT_SESSION, p![token, id, account, proved, agent, at, until])
}

/// A session; its posts and stage are filled in by the caller.
pub(super) fn signing(tx: &mut Tx<'_>, token: [u8; 32], now: At) -> Result<Option<Signing>, Fault> {
    tx.find(SIGNING, p![token, now], |row| {
        Ok(Signing {
            session: row.get(0)?,
            account: row.get(1)?,
            username: row.get(2)?,
            name: row.get(3)?,
            stage: Stage::Code,
            posts: Vec::new(),
            post: row.get(4)?,
            proved: row.get::<i64>(5)? == 1,
            has_factor: row.get::<i64>(6)? == 1,
        })
    })
}

pub(super) fn set_proved(tx: &mut Tx<'_>, token: [u8; 32], at: At) -> Result<(), Fault> {
    tx.execute_one(SET_PROVED, p![token, at])
}

pub(super) fn set_post(
    tx: &mut Tx<'_>,
    token: [u8; 32],
    post: PostId,
    until: Option<At>,
) -> Result<(), Fault> {
    tx.execute_one(SET_POST, p![token, post, until])
}

pub(super) fn pending_secret(tx: &mut Tx<'_>, token: [u8; 32]) -> Result<Option<Vec<u8>>, Fault> {
    tx.find(PENDING_SECRET, p![token], |row| row.get(0))
}

pub(super) fn set_pending_secret(
    tx: &mut Tx<'_>,
    token: [u8; 32],
    sealed: Option<&[u8]>,
) -> Result<(), Fault> {
    tx.execute_one(SET_PENDING_SECRET, p![token, sealed])
}

/// Whether it was there and had not ended.
pub(super) fn end_session(tx: &mut Tx<'_>, account: AccountId, id: SessionId, at: At) -> Result<bool, Fault> {
    Ok(tx.execute(END_SESSION, p![account, id, at])? == 1)
}

/// Ends all sessions of an account but one.
pub(super) fn end_sessions(
    tx: &mut Tx<'_>,
    account: AccountId,
    but: Option<[u8; 32]>,
    at: At,
) -> Result<(), Fault> {
    tx.execute(END_SESSIONS, p![account, but.unwrap_or([0; 32]), at]).map(|_| ())
}

pub(super) fn sessions_of(
    tx: &mut Tx<'_>,
    account: AccountId,
    this: [u8; 32],
    now: At,
) -> Result<Vec<OwnSession>, Fault> {
    tx.all(SESSIONS_OF, p![account, this, now], |row| {
        Ok(OwnSession {
            id: row.get(0)?,
            agent: row.get(1)?,
            since: row.get(2)?,
            until: row.get(3)?,
            this: row.get::<i64>(4)? == 1,
        })
    })
}

/// A token as it is written.
pub(super) struct TokenRow<'a> {
    pub(super) id: TokenId,
    pub(super) token: [u8; 32],
    pub(super) name: &'a str,
    pub(super) account: AccountId,
    pub(super) post: PostId,
    pub(super) until: At,
}

pub(super) fn insert_token(tx: &mut Tx<'_>, t: &TokenRow<'_>, by: AccountId, at: At) -> Result<(), Fault> {
    tx.execute_one(INSERT_TOKEN, p![t.id, t.token, t.name, t.account, t.post, at, by, t.until])
}

/// Whether there was such a token inside the regions, not revoked yet.
pub(super) fn revoke_token(tx: &mut Tx<'_>, id: TokenId, range: RegionRange, at: At) -> Result<bool, Fault> {
    Ok(tx.execute(REVOKE_TOKEN, p![id, range.lo, range.hi, at])? == 1)
}

pub(super) fn tokens(tx: &mut Tx<'_>, range: RegionRange) -> Result<Vec<TokenLine>, Fault> {
    tx.all(TOKENS, p![range.lo, range.hi], |row| {
        Ok(TokenLine {
            id: row.get(0)?,
            name: row.get(1)?,
            role: row.word(2, Role::from_code)?,
            range: RegionRange { lo: row.get(3)?, hi: row.get(4)? },
            made_by: row.get(5)?,
            made: row.get(6)?,
            until: row.get(7)?,
            revoked: row.get(8)?,
        })
    })
}
