//! The second factor: a code of six digits from the person's telephone (TOTP, RFC 6238), each step good once.

use domain::{ids::AccountId, time::Now};
use serde_json::json;
use totp_rs::{Builder, Secret, Totp};

use super::{AccountRefusal, Door, door, event, sql};
use crate::{
    outcome::{No, Outcome},
    store::{Fault, Tx},
};

/// Seconds of a step.
const STEP_SECONDS: i64 = 30;

/// What the telephone is to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The secret as one types it.
    pub secret: String,
    /// The secret as one scans it.
    pub uri: String,
}

/// The secret a session is about to enrol with: made from `fresh` the first time, then the same until it is confirmed.
pub fn enrolment(
    tx: &mut Tx<'_>,
    token: [u8; 32],
    fresh: [u8; 20],
    now: Now,
) -> Outcome<Enrolment, AccountRefusal> {
    let signing = door::half(tx, token, now)?;
    let kind = "totp_pending";
    let secret = match sql::pending_secret(tx, token)? {
        Some(kept) => tx.vault().decrypt(kind, signing.session.0, &kept)?,
        None => {
            let secret = Secret::from(fresh).to_base32();
            let kept = tx.vault().encrypt(kind, signing.session.0, &secret);
            sql::set_pending_secret(tx, token, Some(&kept))?;
            secret
        }
    };
    let issuer = "%E5%A4%95%E9%98%B3%E7%BA%A2";
    let uri = format!("otpauth://totp/{issuer}:{}?secret={secret}&issuer={issuer}", signing.username);
    Ok(Enrolment { secret, uri })
}

/// Takes the first code of the new secret, and so the secret. Other sessions end: they were not proved with it.
///
/// Whoever has a factor already proves the old one with `current`.
pub fn confirm_enrolment(
    tx: &mut Tx<'_>,
    token: [u8; 32],
    current: &str,
    code: &str,
    now: Now,
) -> Outcome<Door, AccountRefusal> {
    let signing = door::half(tx, token, now)?;
    let before = sql::attempts(tx, &signing.username)?;
    if let Some(minutes) = before.locked(now) {
        return Ok(Door::Locked(minutes));
    }
    let Some(kept) = sql::pending_secret(tx, token)? else {
        return Err(No::Refused(AccountRefusal::Begin));
    };
    // A session that has not proved the factor there is must not replace it.
    if signing.stage == super::Stage::Code {
        return Err(No::Refused(AccountRefusal::Begin));
    }
    if signing.has_factor && !check(tx, signing.account, current, now)? {
        return Ok(door::wrong(tx, &signing.username, before, now)?);
    }
    let secret = tx.vault().decrypt("totp_pending", signing.session.0, &kept)?;
    let Some(step) = fits(&secret, code, now)? else {
        return Ok(door::wrong(tx, &signing.username, before, now)?);
    };
    let sealed = tx.vault().encrypt("totp", signing.account.0, &secret);
    sql::set_factor(tx, signing.account, Some(&sealed), step)?;
    sql::set_pending_secret(tx, token, None)?;
    sql::end_sessions(tx, signing.account, Some(token), now.0)?;
    sql::set_proved(tx, token, now.0)?;
    sql::forget_attempts(tx, &signing.username)?;
    let actor = signing.actor();
    let range = actor.range;
    tx.record(&actor, now, event("account.factor_set", signing.account.0, range, json!({})))?;
    Ok(door::go_on(tx, token, now)?)
}

/// Goes without a second factor again, where no post asks for one.
pub fn remove_own_factor(
    tx: &mut Tx<'_>,
    token: [u8; 32],
    code: &str,
    now: Now,
) -> Outcome<Door, AccountRefusal> {
    let signing = door::half(tx, token, now)?;
    if signing.needs_factor() {
        return Err(No::Refused(AccountRefusal::FactorNeeded));
    }
    let before = sql::attempts(tx, &signing.username)?;
    if let Some(minutes) = before.locked(now) {
        return Ok(Door::Locked(minutes));
    }
    if signing.post.is_none() || !check(tx, signing.account, code, now)? {
        return Ok(door::wrong(tx, &signing.username, before, now)?);
    }
    sql::set_factor(tx, signing.account, None, 0)?;
    let actor = signing.actor();
    let range = actor.range;
    tx.record(&actor, now, event("account.factor_removed", signing.account.0, range, json!({})))?;
    Ok(Door::Open(signing.stage))
}

/// Whether the code is the account's, of about now, and not used before; uses it up.
pub(super) fn check(tx: &mut Tx<'_>, account: AccountId, code: &str, now: Now) -> Result<bool, Fault> {
    let Some(sealed) = sql::factor_of(tx, account)? else { return Ok(false) };
    let secret = tx.vault().decrypt("totp", account.0, &sealed)?;
    match fits(&secret, code, now)? {
        // The row changes only for a later step than the last one, so a code overheard is worth nothing.
        Some(step) => sql::use_step(tx, account, step),
        None => Ok(false),
    }
}

/// The step a code belongs to: this one, the one before or the one after.
fn fits(secret: &str, code: &str, now: Now) -> Result<Option<i64>, Fault> {
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    if digits.len() != 6 {
        return Ok(None);
    }
    let seconds = u64::try_from(now.0.0.div_euclid(1_000_000)).unwrap_or(0);
    let step = totp(secret)?.check(&digits, seconds);
    Ok(step.and_then(|step| i64::try_from(step).ok()))
}

fn totp(secret: &str) -> Result<Totp, Fault> {
    let secret = Secret::try_from_base32(secret).map_err(|e| Fault::other(format!("second factor: {e}")))?;
    Builder::new()
        .with_step_duration(STEP_SECONDS.unsigned_abs())
        .with_secret(secret)
        .build()
        .map_err(|e| Fault::other(format!("second factor: {e}")))
}
