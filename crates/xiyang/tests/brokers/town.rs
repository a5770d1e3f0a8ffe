//! What the database of a city with devices holds in the end.

use std::{collections::HashMap, path::Path};

use app::{
    signals::{
        devices, incidents,
        intake::{counts, each_stored, rejections},
    },
    store::Fault,
};
use domain::time::At;

use super::doors::{actor, store};

/// Readings and alarm frames stored.
pub fn stored(data: &Path) -> (i64, i64) {
    store(data).read(counts).unwrap()
}

/// Of each device, how often each of its counters is stored.
pub fn readings(data: &Path) -> HashMap<String, HashMap<i64, u32>> {
    let store = store(data);
    let names: HashMap<i64, String> =
        store.read(devices::known).unwrap().into_iter().map(|(serial, known)| (known.id.0, serial)).collect();
    store
        .read(move |tx| {
            let mut found: HashMap<String, HashMap<i64, u32>> = HashMap::new();
            each_stored(tx, At(0), At(i64::MAX), i64::MAX, |frame| {
                let times = found.entry(names[&frame.device.0].clone()).or_default();
                *times.entry(frame.seq.unwrap_or(0)).or_default() += 1;
            })?;
            Ok::<_, Fault>(found)
        })
        .unwrap()
}

/// Of each button, which presses are stored and belong to an incident.
pub fn pressed(data: &Path) -> HashMap<String, Vec<i64>> {
    let all = "SELECT serial, seq FROM alarm_frame WHERE incident IS NOT NULL ORDER BY id";
    let rows = store(data).read(|tx| tx.all(all, &[], |row| Ok((row.get::<String>(0)?, row.get::<i64>(1)?))));
    let mut found: HashMap<String, Vec<i64>> = HashMap::new();
    rows.unwrap().into_iter().for_each(|(serial, seq)| found.entry(serial).or_default().push(seq));
    found
}

/// Whether verified and text of every incident a press opened.
pub fn presses(data: &Path) -> Vec<(bool, String)> {
    let lines = store(data)
        .read(|tx| incidents::incidents(tx, &actor(), &incidents::Filter::default(), None, 1_000))
        .unwrap();
    let presses = lines.into_iter().filter(|line| line.incident.kind.code() == "sos");
    presses.map(|line| (line.incident.verified, line.incident.text)).collect()
}

/// Stable names of the reasons why frames of a device were not taken.
pub fn rejected(data: &Path, serial: &str) -> Vec<String> {
    let serial = serial.to_owned();
    let told = store(data).read(move |tx| rejections(tx, &actor(), &serial, 50)).unwrap();
    assert!(told.iter().all(|rejection| !rejection.reason.is_empty()));
    let mut errors: Vec<String> = told.into_iter().map(|rejection| rejection.error).collect();
    errors.sort_unstable();
    errors
}
