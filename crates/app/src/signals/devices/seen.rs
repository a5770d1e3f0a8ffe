//! When devices were last heard of and how full their batteries are: gathered by the intake, written in bulk.

use domain::{ids::DeviceId, time::At};

use super::sql;
use crate::store::{Fault, Tx};

/// The newest a device let us know about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Which.
    pub device: DeviceId,
    /// When we heard of it.
    pub at: At,
    /// Percent, when it said so.
    pub battery: Option<i64>,
}

/// Writes when devices were heard of. An older moment never takes the place of a newer one.
pub fn saw(tx: &mut Tx<'_>, seen: &[Seen]) -> Result<(), Fault> {
    for one in seen {
        sql::saw(tx, one)?;
    }
    Ok(())
}
