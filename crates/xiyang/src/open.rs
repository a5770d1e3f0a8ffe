//! Opening an installation: keys, hold on the folder, store.

use std::path::{Path, PathBuf};

use app::{
    evidence::SealFile,
    settings,
    store::{Fault, IdSource, Place, Store},
};

use crate::{
    PlaceArgs,
    complaint::Complaint,
    folder::{self, Hold},
    keys::Keys,
    outside,
};

/// An open installation.
pub struct Opened {
    /// The store.
    pub store: Store,
    /// Where the head of the evidence chain is noted.
    pub seals: SealFile,
    /// The data folder, where there is one.
    pub folder: Option<PathBuf>,
    // Declared last: the folder is let go only after the store has closed.
    _hold: Option<Hold>,
}

/// Opens for a server: makes what is missing, keeps other servers away from the folder.
pub fn to_serve(place: &PlaceArgs, keys: Option<&Path>) -> Result<Opened, Complaint> {
    match place_of(place) {
        Place::Folder(folder) => to_serve_folder(&folder, folder::hold(&folder)?, keys),
        Place::Postgres(address) => {
            let keys = Keys::read_or_make(keys.unwrap_or(Path::new(KEYS_OF_DATABASE)))?;
            // Servers side by side on one database must not give the same ids.
            let mut process = [0];
            outside::random(&mut process);
            let opened = open(Place::Postgres(address), &keys, IdSource::new(process[0]), None)?;
            opened.claim_key()
        }
    }
}

/// Opens a data folder for a server that holds it.
pub fn to_serve_folder(folder: &Path, hold: Hold, keys: Option<&Path>) -> Result<Opened, Complaint> {
    let at = keys.map_or_else(|| folder.join("keys"), Path::to_owned);
    // A new key beside old data would make that data unreadable without a word.
    let keys = if database(folder).exists() { Keys::read(&at)? } else { Keys::read_or_make(&at)? };
    open(Place::Folder(folder.to_owned()), &keys, IdSource::new(0), Some(hold))?.claim_key()
}

/// Opens what exists, to look at it; a server may be running on it meanwhile.
pub fn to_look(place: &PlaceArgs, keys: Option<&Path>) -> Result<Opened, Complaint> {
    beside(place, keys, IdSource::new(255))
}

/// Opens what exists, to write into it; a server may be running on it meanwhile, and others like this one.
pub fn to_join(place: &PlaceArgs, keys: Option<&Path>) -> Result<Opened, Complaint> {
    // The server of a folder has 0.
    let mut process = [0];
    outside::random(&mut process);
    beside(place, keys, IdSource::new(process[0].max(1)))?.claim_key()
}

fn beside(place: &PlaceArgs, keys: Option<&Path>, ids: IdSource) -> Result<Opened, Complaint> {
    let place = place_of(place);
    let keys = match &place {
        Place::Folder(folder) if !database(folder).exists() => {
            let folder = folder.display();
            return Err(Complaint::new(
                format!("{folder} 里没有数据（缺 xiyang.db）。请检查 --data"),
                format!("there is no data in {folder} (no xiyang.db); check --data"),
            ));
        }
        Place::Folder(folder) => keys.map_or_else(|| folder.join("keys"), Path::to_owned),
        Place::Postgres(_) => keys.map_or_else(|| PathBuf::from(KEYS_OF_DATABASE), Path::to_owned),
    };
    let opened = open(place, &Keys::read(&keys)?, ids, None)?;
    let known = opened.store.read(|tx| settings::find(tx, KEY_CHECK))?;
    if known.is_none_or(|known| known == opened.key_check()) { Ok(opened) } else { Err(wrong_key()) }
}

/// Setting by which data knows the key it was begun with. Without it a wrong key would show only at the first identity
/// number somebody opens, after new rows were written with it.
const KEY_CHECK: &str = "key_check";

impl Opened {
    fn key_check(&self) -> String {
        let code = self.store.vault().code(&[KEY_CHECK.as_bytes()]);
        code.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Data without a key check is begun with this key.
    fn claim_key(self) -> Result<Opened, Complaint> {
        let mine = self.key_check();
        let fits = self.store.write(move |tx| match settings::find(tx, KEY_CHECK)? {
            Some(known) => Ok::<_, Fault>(known == mine),
            None => settings::set(tx, KEY_CHECK, &mine).map(|()| true),
        })?;
        if fits { Ok(self) } else { Err(wrong_key()) }
    }
}

fn wrong_key() -> Complaint {
    Complaint::new(
        "密钥与这份数据不符，继续使用会损坏数据。请用 --keys 指明原来的密钥目录，或从备份恢复 master.key",
        "this key does not belong to this data; name the right folder with --keys or restore master.key",
    )
}

/// Key folder of an installation whose database is elsewhere.
const KEYS_OF_DATABASE: &str = "keys";

fn place_of(args: &PlaceArgs) -> Place {
    match (&args.data, &args.database) {
        (Some(folder), _) => Place::Folder(folder.clone()),
        (None, Some(address)) => Place::Postgres(address.clone()),
        (None, None) => unreachable!("clap asks for one of the two"),
    }
}

fn database(folder: &Path) -> PathBuf {
    folder.join("xiyang.db")
}

fn open(place: Place, keys: &Keys, ids: IdSource, hold: Option<Hold>) -> Result<Opened, Complaint> {
    let folder = match &place {
        Place::Folder(folder) => Some(folder.clone()),
        Place::Postgres(_) => None,
    };
    let store = Store::open(&place, keys.vault(), ids).map_err(|fault| Complaint::opening(&place, &fault))?;
    Ok(Opened { store, seals: keys.seals(), folder, _hold: hold })
}
