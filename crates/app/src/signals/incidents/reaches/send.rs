//! The worker that hands calls and texts to the gateway. What it does outside comes in as a function, so that nothing here
//! knows of HTTP; what it writes is written before and after, never during.

use std::{sync::Arc, time::Duration};

use domain::{
    access::Actor,
    ids::ReachId,
    signals::reach::{RING_SECONDS, RINGS, ReachChannel, ReachState, again_after, asks_to_go},
    time::Now,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use serde_json::json;
use sha2::Sha256;

use super::{GATEWAY_SECONDS, Gateway, Reached, gateway, platform, sql, tell};
use crate::{
    evidence::Event,
    parties::{carers, people},
    repeat::Repeating,
    store::{Fault, Store, Tx},
};

/// How often it is asked whether something waits.
const LOOK: Duration = Duration::from_millis(500);
/// Each how many looks a server says that it has a gateway: every five seconds.
const LOOKS_A_BEAT: u32 = 10;
/// Handed over at once. A storm's calls wait no longer than the slowest of so many.
const BATCH: i64 = 16;
/// An attempt that nobody heard the end of, because the server died, is made again after this: longer than any attempt.
const ATTEMPT_SECONDS: i64 = 15;

type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// What the gateway is asked to do. Documented in docs/gateway.md.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The reach: the key under which it is done once.
    pub id: ReachId,
    /// For which incident.
    pub incident: domain::ids::IncidentId,
    /// `phone` or `text`.
    pub channel: &'static str,
    /// The number, in the clear.
    pub number: String,
    /// Whom to ask for.
    pub name: String,
    /// As whom they are called: family, neighbour, …
    pub to: &'static str,
    /// What is read out or written.
    pub say: String,
    /// Which key means what; none when nobody is asked to go.
    pub keys: serde_json::Value,
    /// A call rings so long …
    pub ring_seconds: i64,
    /// … and so often.
    pub rings: i64,
    /// When it was asked for.
    pub asked_at: String,
    /// How often it was handed over, this time included.
    pub attempt: i64,
}

/// What became of handing one over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed {
    /// The gateway has it.
    Taken,
    /// The gateway will not, whatever is done: in its words.
    Refused(String),
    /// The gateway answers, but not now.
    Busy(String),
    /// The gateway cannot be reached.
    Unreachable(String),
}

/// What hands messages over, all at once, and answers for each.
pub type Hand = Box<dyn FnMut(Vec<Message>) -> Vec<Handed> + Send>;

/// A server begins: it has a gateway, or it has none and forgets one that no other server speaks of.
///
/// # Errors
/// Faults only.
pub fn begin(tx: &mut Tx<'_>, has_gateway: bool, now: Now) -> Result<(), Fault> {
    if has_gateway {
        return beat(tx, now);
    }
    // Another server's is said to be there every five seconds.
    sql::drop_gateway(tx, now.0.plus_seconds(-GATEWAY_SECONDS / 4))?;
    Ok(())
}

/// The gateway is still there.
fn beat(tx: &mut Tx<'_>, now: Now) -> Result<(), Fault> {
    let known = sql::gateway(tx)?;
    let (failing_since, error) = known.map_or((None, String::new()), |g| (g.failing_since, g.error));
    sql::set_gateway(tx, &Gateway { seen_at: now.0, failing_since, error })
}

/// Starts the work. Without a `hand` it only says of what waits that somebody must dial.
///
/// # Errors
/// When this start cannot be noted, or the machine gives no thread.
pub fn watch(store: Store, clock: Clock, mut hand: Option<Hand>) -> Result<Repeating, Fault> {
    let (now, has_gateway) = (clock(), hand.is_some());
    store.write(move |tx| begin(tx, has_gateway, now))?;
    let mut looks: u32 = 0;
    let work = move |last: bool| {
        let now = clock();
        looks = looks.wrapping_add(1);
        if has_gateway
            && looks.is_multiple_of(LOOKS_A_BEAT)
            && let Err(fault) = store.write(move |tx| beat(tx, now))
        {
            tracing::error!(%fault, "saying that there is a telephone gateway");
        }
        if !last && let Err(fault) = everything_due(&store, &clock, hand.as_mut()) {
            tracing::error!(%fault, "handing calls to the telephone gateway");
        }
    };
    Ok(Repeating::start("gateway", LOOK, work)?)
}

/// Hands over what is due, no more than goes at once: a server that is to end waits for this. Writes only when something
/// waits.
fn everything_due(store: &Store, clock: &Clock, hand: Option<&mut Hand>) -> Result<(), Fault> {
    let now = clock();
    if !store.read(move |tx| sql::any_waiting(tx, now.0))? {
        return Ok(());
    }
    let Some(hand) = hand else {
        return store.write(move |tx| by_hand(tx, now));
    };
    let now = clock();
    let due = store.write(move |tx| take(tx, now))?;
    if due.is_empty() {
        return Ok(());
    }
    let handed = hand(due.iter().map(|(_, message)| message.clone()).collect());
    let now = clock();
    let done: Vec<(Reached, Handed)> = due.into_iter().map(|(r, _)| r).zip(handed).collect();
    store.write(move |tx| keep(tx, &done, now))
}

/// No server has a gateway: what waits is for somebody to dial.
fn by_hand(tx: &mut Tx<'_>, now: Now) -> Result<(), Fault> {
    if gateway(tx, now)?.is_some() {
        return Ok(());
    }
    for mut r in sql::waiting(tx, now.0, BATCH)? {
        let was = (r.state, r.attempts);
        (r.state, r.next_at, r.error) = (ReachState::ByHand, None, "没有网关，请人工拨打".to_owned());
        if sql::update_reach(tx, &r, was)? {
            tell(tx, &r, now)?;
        }
    }
    Ok(())
}

/// Writes that an attempt is made, opens the numbers, and answers what to hand over.
fn take(tx: &mut Tx<'_>, now: Now) -> Result<Vec<(Reached, Message)>, Fault> {
    let mut messages = Vec::new();
    for mut r in sql::waiting(tx, now.0, BATCH)? {
        let was = (r.state, r.attempts);
        r.attempts += 1;
        r.tried_at = Some(now.0);
        let number = number(tx, &r, now)?;
        match number {
            Some(_) => r.next_at = Some(now.0.plus_seconds(ATTEMPT_SECONDS)),
            None => fail(&mut r, "没有登记号码，或号码读不出来", now),
        }
        if !sql::update_reach(tx, &r, was)? {
            // Another server was faster.
            continue;
        }
        match number {
            Some(number) => messages.push((r.clone(), message(&r, number))),
            None => tell(tx, &r, now)?,
        }
    }
    Ok(messages)
}

fn fail(r: &mut Reached, why: &str, now: Now) {
    (r.state, r.next_at, r.ended_at) = (ReachState::Failed, None, Some(now.0));
    r.error = why.to_owned();
}

/// The number, opened on record. One that does not open is none: nobody waits for it.
fn number(tx: &mut Tx<'_>, r: &Reached, now: Now) -> Result<Option<String>, Fault> {
    let by: Actor = platform();
    let reason = format!("话务网关{}：警情 {}", r.channel.label(), r.incident);
    let open = match (r.carer, r.person, &r.phone) {
        (_, _, Some(station)) => Some(station.clone()),
        (Some(carer), _, _) => carers::phone_to_call(tx, &by, carer, &reason, now)?,
        (None, Some(person), _) => people::phone_to_call(tx, &by, person, r.contact, &reason, now)?,
        _ => None,
    };
    if open.is_some() {
        let detail = json!({
            "reach": r.id, "who": r.to.code(), "name": r.name, "channel": r.channel.code(), "attempt": r.attempts,
            "errand": r.errand,
        });
        tx.record(&by, now, Event::new("reach.handed", r.incident.0, r.region, detail))?;
    }
    Ok(open)
}

fn message(r: &Reached, number: String) -> Message {
    let keys = if asks_to_go(r.to) { json!({ "1": "coming", "2": "refused" }) } else { json!({}) };
    let rings = if r.channel == ReachChannel::Phone { RINGS } else { 1 };
    Message {
        id: r.id,
        incident: r.incident,
        channel: r.channel.code(),
        number,
        name: r.name.clone(),
        to: r.to.code(),
        say: r.say.clone(),
        keys,
        ring_seconds: RING_SECONDS,
        rings,
        asked_at: r.asked_at.rfc3339(),
        attempt: r.attempts,
    }
}

/// Writes what became of attempts, and how the gateway is.
fn keep(tx: &mut Tx<'_>, done: &[(Reached, Handed)], now: Now) -> Result<(), Fault> {
    for (r, handed) in done {
        let (mut r, was) = (r.clone(), (r.state, r.attempts));
        match handed {
            Handed::Taken => {
                (r.state, r.next_at, r.sent_at) = (ReachState::Sent, None, Some(now.0));
                r.error = String::new();
            }
            Handed::Refused(why) => fail(&mut r, why, now),
            Handed::Busy(why) | Handed::Unreachable(why) => {
                r.next_at = Some(now.0.plus_seconds(again_after(r.attempts)));
                r.error = why.clone();
            }
        }
        // Whoever withdrew it meanwhile, or heard its result, was later and is right.
        if sql::update_reach(tx, &r, was)? {
            tell(tx, &r, now)?;
        }
    }
    let failing =
        done.iter().find_map(|(_, h)| if let Handed::Unreachable(why) = h { Some(why) } else { None });
    let since = sql::gateway(tx)?.and_then(|g| g.failing_since);
    let gateway = match failing {
        Some(why) => Gateway { seen_at: now.0, failing_since: since.or(Some(now.0)), error: why.clone() },
        None => Gateway { seen_at: now.0, failing_since: None, error: String::new() },
    };
    sql::set_gateway(tx, &gateway)
}

/// The signature of a body sent at a moment: `t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>" in hexadecimal>`.
pub fn signature(secret: &[u8], seconds: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_anybody_computes() {
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac secret
        assert_eq!(
            signature(b"secret", 1_700_000_000, b"{}"),
            "t=1700000000,v1=b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163"
        );
    }
}
