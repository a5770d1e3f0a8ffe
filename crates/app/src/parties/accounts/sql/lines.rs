//! Rows of accounts as an administrator's list shows them, with their posts.

use domain::{
    access::Role,
    ids::{AccountId, PostId},
    regions::RegionRange,
    time::At,
};

use crate::{
    p,
    parties::accounts::{AccountLine, AccountState, Filter, GivenPost, Happened},
    store::{Fault, Row, Tx},
};

/// Accounts an administrator's question is about: a post inside the regions, and what was asked for.
macro_rules! matching {
    () => {
        "a.id IN (SELECT p.account FROM post p
                WHERE p.region_lo >= ?1 AND p.region_hi <= ?2 AND p.role <> 'system'
                    AND (?3 = '' OR p.role = ?3 AND p.ended_at IS NULL))
            AND (?4 = '' OR a.username LIKE ?4 ESCAPE '!' OR a.name LIKE ?4 ESCAPE '!')
            AND (?5 = ''
                OR ?5 = 'closed' AND a.closed_at IS NOT NULL
                OR ?5 = 'invited' AND a.closed_at IS NULL AND a.password_hash IS NULL
                OR ?5 = 'locked' AND a.closed_at IS NULL
                    AND EXISTS (SELECT 1 FROM sign_in_attempt t
                        WHERE t.username = a.username AND t.locked_until > ?6)
                OR ?5 = 'active' AND a.closed_at IS NULL AND a.password_hash IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM sign_in_attempt t
                        WHERE t.username = a.username AND t.locked_until > ?6))"
    };
}

macro_rules! line_columns {
    () => {
        "a.id, a.username, a.name, a.created_at, a.closed_at,
            CAST(CASE WHEN a.password_hash IS NULL THEN 0 ELSE 1 END AS BIGINT),
            CAST(CASE WHEN a.totp_secret IS NULL THEN 0 ELSE 1 END AS BIGINT),
            t.locked_until, p.id, p.role, p.region_lo, p.region_hi, p.provider, COALESCE(v.name, ''), p.carer,
            p.granted_at, p.ended_at"
    };
}

crate::statements! {
    COUNT_MATCHING = concat!("SELECT COUNT(*) FROM account a WHERE ", matching!());
    MATCHING = concat!("SELECT ", line_columns!(), "
        FROM (SELECT a.* FROM account a WHERE ", matching!(), " ORDER BY a.id DESC LIMIT ?7 OFFSET ?8) a
        LEFT JOIN sign_in_attempt t ON t.username = a.username AND t.locked_until > ?6
        LEFT JOIN post p ON p.account = a.id AND p.region_lo >= ?9 AND p.region_hi <= ?10
        LEFT JOIN provider v ON v.id = p.provider
        ORDER BY a.id DESC, p.id");
    LINE = concat!("SELECT ", line_columns!(), "
        FROM account a
        LEFT JOIN sign_in_attempt t ON t.username = a.username AND t.locked_until > ?4
        JOIN post p ON p.account = a.id AND p.region_lo >= ?2 AND p.region_hi <= ?3
        LEFT JOIN provider v ON v.id = p.provider
        WHERE a.id = ?1 ORDER BY p.id");
    HAPPENED = "SELECT e.at, e.act, COALESCE(a.name, '')
        FROM evidence e LEFT JOIN account a ON a.id = e.by_account
        WHERE e.subject = ?1 ORDER BY e.seq DESC LIMIT 20";
}

/// The text as a pattern that matches it anywhere; empty for no condition.
fn pattern(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    let plain = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{plain}%")
}

pub(in crate::parties::accounts) fn count_matching(
    tx: &mut Tx<'_>,
    f: &Filter,
    range: RegionRange,
    now: At,
) -> Result<i64, Fault> {
    let (role, state) = (f.role.map_or("", Role::code), f.state.map_or("", AccountState::code));
    tx.one(COUNT_MATCHING, p![range.lo, range.hi, role, pattern(&f.text), state, now], |row| row.get(0))
}

pub(in crate::parties::accounts) fn matching(
    tx: &mut Tx<'_>,
    f: &Filter,
    range: RegionRange,
    shown: RegionRange,
    from: i64,
    limit: i64,
    now: At,
) -> Result<Vec<AccountLine>, Fault> {
    let (role, state) = (f.role.map_or("", Role::code), f.state.map_or("", AccountState::code));
    let text = pattern(&f.text);
    let params = p![range.lo, range.hi, role, text, state, now, limit, from, shown.lo, shown.hi];
    let mut lines = Lines::default();
    tx.each(MATCHING, params, |row| lines.take(row))?;
    Ok(lines.0)
}

pub(in crate::parties::accounts) fn line(
    tx: &mut Tx<'_>,
    id: AccountId,
    range: RegionRange,
    now: At,
) -> Result<Option<AccountLine>, Fault> {
    let mut lines = Lines::default();
    tx.each(LINE, p![id, range.lo, range.hi, now], |row| lines.take(row))?;
    Ok(lines.0.pop())
}

/// Rows of accounts and posts, gathered into one line an account.
#[derive(Default)]
struct Lines(Vec<AccountLine>);

impl Lines {
    fn take(&mut self, row: &Row<'_>) -> Result<(), Fault> {
        let id = row.get(0)?;
        if self.0.last().is_none_or(|line| line.id != id) {
            self.0.push(Lines::begin(row, id)?);
        }
        let Some(post) = row.get::<Option<PostId>>(8)? else { return Ok(()) };
        let given = GivenPost {
            id: post,
            role: row.word(9, Role::from_code)?,
            range: RegionRange { lo: row.get(10)?, hi: row.get(11)? },
            provider: row.get(12)?,
            provider_name: row.get(13)?,
            carer: row.get(14)?,
            given: row.get(15)?,
            ended: row.get(16)?,
        };
        if let Some(line) = self.0.last_mut() {
            line.posts.push(given);
        }
        Ok(())
    }

    fn begin(row: &Row<'_>, id: AccountId) -> Result<AccountLine, Fault> {
        let (closed, locked_until) = (row.get::<Option<At>>(4)?, row.get::<Option<At>>(7)?);
        let state = match (closed, row.get::<i64>(5)?, locked_until) {
            (Some(_), _, _) => AccountState::Closed,
            (None, 0, _) => AccountState::Invited,
            (None, _, Some(_)) => AccountState::Locked,
            (None, _, None) => AccountState::Active,
        };
        Ok(AccountLine {
            id,
            username: row.get(1)?,
            name: row.get(2)?,
            state,
            has_factor: row.get::<i64>(6)? == 1,
            locked_until,
            opened: row.get(3)?,
            posts: Vec::new(),
        })
    }
}

pub(in crate::parties::accounts) fn happened(tx: &mut Tx<'_>, id: AccountId) -> Result<Vec<Happened>, Fault> {
    tx.all(HAPPENED, p![id.0], |row| Ok(Happened { at: row.get(0)?, act: row.get(1)?, by: row.get(2)? }))
}
