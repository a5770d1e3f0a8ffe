//! The data folder of a town to measure in.

use std::path::Path;

use app::{parties::accounts, store::Fault};
use city::town::{self, Town};
use domain::{
    access::Actor,
    time::{At, Now},
};

use crate::{
    complaint::Complaint,
    folder,
    open::{self, Opened},
    outside,
};

/// Makes the town; the store is closed again.
pub(super) fn make(data: &Path, houses: usize) -> Result<Town, Complaint> {
    // In the morning: nobody visits at night.
    let now = Now(At::from_local(outside::now().0.day().at(10, 0, 0, 0)));
    let opened = open::to_serve_folder(data, folder::hold(data)?, None)?;
    let mut secret = [0; 16];
    outside::random(&mut secret);
    let token: String = secret.iter().map(|b| format!("{b:02x}")).collect();
    Ok(town::found(&opened.store, houses, &format!("bench_{token}"), now)?)
}

/// Opens a copy of the town's data; answers also in whose name to act.
pub(super) fn open(data: &Path, town: &Town) -> Result<(Opened, Actor), Complaint> {
    let opened = open::to_serve_folder(data, folder::hold(data)?, None)?;
    let (hash, now) = (accounts::token_hash(&town.token), Now(town.opens));
    let found = opened.store.read(move |tx| accounts::actor_of_token(tx, hash, now))?;
    let (actor, _) = found.ok_or_else(|| Fault::other("the token that was just made is not known"))?;
    Ok((opened, actor))
}
