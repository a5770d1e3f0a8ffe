//! What a city decides about what devices send: how much one may say, how long it is kept.

use domain::time::Now;
use serde::{Deserialize, Serialize};

use super::sql;
use crate::{
    settings,
    store::{Fault, Store, Tx},
};

/// Setting that holds it.
const TERMS: &str = "intake_terms";
/// Rows and frames taken away in one transaction: a millisecond or two, so that an alarm never waits long.
const TIDY_ROWS: i64 = 200;
const TIDY_FRAMES: i64 = 20_000;
/// Transactions of one tidying; a full one is a row a frame for five hours of 46,000 devices.
const TIDY_STEPS: usize = 4_000;

/// What the city decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Readings one device may send in a minute, steadily.
    pub per_minute: i64,
    /// Readings it may send at once beyond that: three days of one each five minutes, from a device that was cut off.
    pub burst: i64,
    /// Days readings are kept. Alarms, incidents and evidence are not readings and stay.
    pub keep_days: i64,
    /// Where the numbers come from.
    pub source: String,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms {
            per_minute: 600,
            burst: 1_000,
            keep_days: 90,
            source: "平台默认：每台设备每分钟 600 条，断网三天后补报不受限；普通读数保存 90 天".to_owned(),
        }
    }
}

/// What the city decided; the defaults where it decided nothing.
///
/// # Errors
/// When the database fails, or the setting is not one.
pub fn terms(tx: &mut Tx<'_>) -> Result<Terms, Fault> {
    Ok(settings::find(tx, TERMS)?.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
}

/// Sets what the city decides; a server that runs takes it with its next start.
///
/// # Errors
/// When the database fails.
pub fn set_terms(tx: &mut Tx<'_>, terms: &Terms) -> Result<(), Fault> {
    settings::set(tx, TERMS, &serde_json::to_string(terms)?)
}

/// Takes away readings older than they are kept, a little at a time; answers how many frames.
///
/// # Errors
/// When the database fails.
pub fn tidy(store: &Store, now: Now) -> Result<u64, Fault> {
    let keep = store.read(terms)?.keep_days;
    let before = now.0.plus_minutes(-keep * 24 * 60);
    let mut frames = 0;
    for _ in 0..TIDY_STEPS {
        let old = store.read(move |tx| sql::old_batches(tx, before, TIDY_ROWS))?;
        let mut taken = 0;
        let step: Vec<i64> = old
            .into_iter()
            // The first is taken however long it is.
            .take_while(|(_, frames)| {
                let room = taken == 0 || taken + frames <= TIDY_FRAMES;
                taken += if room { *frames } else { 0 };
                room
            })
            .map(|(id, _)| id)
            .collect();
        if step.is_empty() {
            break;
        }
        store.write(move |tx| sql::forget_batches(tx, &step))?;
        frames += taken.unsigned_abs();
    }
    Ok(frames)
}
