//! The data folder: made when absent, held by one server at a time.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use crate::complaint::Complaint;

/// The hold of this process on a data folder; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Hold {
    _file: File,
}

/// Takes hold of a folder, making it first where there is none.
pub fn hold(folder: &Path) -> Result<Hold, Complaint> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|e| Complaint::file(folder, &e))?;
    let path = folder.join("lock");
    let fail = |e: std::io::Error| Complaint::file(&path, &e);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(fail)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(e)) => return Err(fail(e)),
        Err(TryLockError::WouldBlock) => {
            let mut who = String::new();
            // Only for the message: whoever holds the lock may not have written its number yet.
            let _ = file.read_to_string(&mut who);
            return Err(taken(folder, who.trim()));
        }
    }
    file.set_len(0).and_then(|()| file.rewind()).map_err(fail)?;
    writeln!(file, "{}", std::process::id()).map_err(fail)?;
    Ok(Hold { _file: file })
}

fn taken(folder: &Path, who: &str) -> Complaint {
    let folder = folder.display();
    Complaint::new(
        format!("数据目录 {folder} 正被另一个 xiyang（进程 {who}）使用。请先停掉它，或换一个 --data"),
        format!(
            "the data folder {folder} is in use by another xiyang (process {who}); stop it or choose another"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_once_and_free_again_afterwards() {
        let folder = std::env::temp_dir().join(format!("xiyang-hold-{}", std::process::id()));
        let first = hold(&folder).unwrap();
        let second = hold(&folder).unwrap_err().to_string();
        assert!(second.contains(&std::process::id().to_string()), "{second}");
        drop(first);
        drop(hold(&folder).unwrap());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let said = hold(Path::new("/proc/nowhere")).unwrap_err().to_string();
        assert!(said.contains("/proc/nowhere"), "{said}");
    }
}
