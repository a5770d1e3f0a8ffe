//! A city with very many devices, each with a secret and a connection of its own.

use std::path::Path;

use app::{
    outcome::No,
    pack::{self, Pack},
    signals::devices::{self, NewDevice},
    store::Store,
};
use domain::{ids::DeviceId, regions::RegionCode, signals::device::DeviceKind};

use super::intake::{COUNTY, machine, told};
use crate::{complaint::Complaint, folder, open, outside};

/// Devices entered in one command.
const AT_ONCE: usize = 1_000;

/// A device and what proves it.
#[derive(Debug, Clone)]
pub(super) struct Device {
    pub(super) id: DeviceId,
    pub(super) serial: String,
    pub(super) secret: String,
}

/// How many devices of which kind, and how often each should be heard of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) kind: DeviceKind,
    pub(super) count: usize,
    pub(super) beat_seconds: Option<i64>,
}

/// Makes a city with such devices in a new folder.
pub(super) fn found(data: &Path, wanted: &[Wanted]) -> Result<Vec<Vec<Device>>, Complaint> {
    let opened = open::to_serve_folder(data, folder::hold(data)?, None)?;
    let pack = Pack::load("kaifeng").expect("the packs in the program are tested");
    let now = outside::now();
    let installed = opened.store.write(move |tx| pack::install(tx, &pack, now)).map(drop);
    installed.map_err(|no| Complaint::from(told(no)))?;
    enter(&opened.store, wanted)
}

/// Enters such devices in a city that is there already.
pub(super) fn enter(store: &Store, wanted: &[Wanted]) -> Result<Vec<Vec<Device>>, Complaint> {
    let mut all = Vec::new();
    for Wanted { kind, count, beat_seconds } in wanted.iter().copied() {
        let mut these = Vec::with_capacity(count);
        for from in (0..count).step_by(AT_ONCE) {
            let to = count.min(from + AT_ONCE);
            let made = store.write(move |tx| {
                let now = outside::now();
                let mut made = Vec::new();
                for n in from..to {
                    let serial = format!("{}-{n}", kind.code());
                    let region = RegionCode::parse(COUNTY).ok();
                    let new = NewDevice { region, beat_seconds, ..NewDevice::new(kind, &serial) };
                    let random = (n as u128).to_be_bytes();
                    let (id, secret) = devices::add(tx, &machine(), &new, random, now)?;
                    made.push(Device { id, serial, secret: secret.reveal().to_owned() });
                }
                Ok::<_, No<devices::DeviceRefusal>>(made)
            });
            these.extend(made.map_err(|no| Complaint::from(told(no)))?);
        }
        all.push(these);
    }
    Ok(all)
}
