//! The first administrator: a code printed by the program, claimed once, while there is no account at all.

use domain::{
    access::{Actor, Role},
    ids::{AccountId, PostId},
    parties::account::Username,
    regions::RegionRange,
    time::Now,
};
use serde_json::json;

use super::{AccountRefusal, PasswordHash, administer::display_name, event, sql};
use crate::{
    outcome::{No, Outcome},
    store::{Fault, Tx},
};

/// How long the first code holds.
pub const FIRST_CODE_HOURS: i64 = 24;

/// Whether there is no account yet.
pub fn untouched(tx: &mut Tx<'_>) -> Result<bool, Fault> {
    Ok(sql::count_accounts(tx)? == 0)
}

/// Keeps the hash of a code for the first administrator; codes made before lose their force.
///
/// # Errors
/// When there are accounts already.
pub fn first_code(tx: &mut Tx<'_>, code: [u8; 32], now: Now) -> Outcome<(), AccountRefusal> {
    if !untouched(tx)? {
        return Err(No::Refused(AccountRefusal::NotFirst));
    }
    sql::void_codes(tx, None, now.0)?;
    Ok(sql::insert_code(tx, code, None, sql::FIRST, now.0, now.0.plus_minutes(FIRST_CODE_HOURS * 60))?)
}

/// Makes the first account: an administrator of everything.
///
/// # Errors
/// When the code is not good any more, or the name will not do.
pub fn claim_first(
    tx: &mut Tx<'_>,
    code: [u8; 32],
    username: &Username,
    name: &str,
    password: &PasswordHash,
    now: Now,
) -> Outcome<AccountId, AccountRefusal> {
    let name = display_name(name)?;
    if !untouched(tx)? {
        return Err(No::Refused(AccountRefusal::NotFirst));
    }
    // The row is changed before anything is made: of two who claim at once, one finds it used.
    if sql::use_code(tx, code, sql::FIRST, now.0)?.is_none() {
        return Err(No::Refused(AccountRefusal::CodeGone));
    }
    let id = AccountId(tx.id(now));
    sql::insert_account(tx, id, username.as_str(), &name, Some(password), now.0)?;
    let post = PostId(tx.id(now));
    let range = RegionRange::ALL;
    let actor = Actor { account: id, name, role: Role::Administrator, range, provider: None, carer: None };
    sql::insert_post(tx, post, id, &sql::PostRow::of(actor.role, range), actor.account, now.0)?;
    let detail = json!({ "username": username.as_str(), "post": post, "role": actor.role });
    tx.record(&actor, now, event("account.first_claimed", id.0, range, detail))?;
    Ok(id)
}
