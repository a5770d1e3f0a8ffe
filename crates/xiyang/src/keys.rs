//! The key folder: `master.key` with 64 hexadecimal digits, readable by its owner alone.
//!
//! Whoever has this file can read every identity number and forge the evidence log, and without it nobody can read
//! them at all, so the program neither opens it to others nor makes a new one where data already exists.

use std::{
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use app::{evidence::SealFile, store::Vault};

use crate::{complaint::Complaint, outside};

const FILE: &str = "master.key";

/// The keys of an installation.
#[derive(Debug)]
pub struct Keys {
    folder: PathBuf,
    master: [u8; 32],
}

impl Keys {
    /// Reads the keys of a folder.
    pub fn read(folder: &Path) -> Result<Keys, Complaint> {
        let file = folder.join(FILE);
        let meta = std::fs::metadata(&file).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Complaint::new(
                format!("找不到密钥 {}。请用 --keys 指明密钥目录，或从备份恢复", file.display()),
                format!(
                    "no key at {}; name its folder with --keys or restore it from a backup",
                    file.display()
                ),
            ),
            _ => Complaint::file(&file, &e),
        })?;
        if meta.permissions().mode() & 0o077 != 0 {
            return Err(Complaint::new(
                format!("密钥 {0} 能被其他用户读取，不能使用。请执行 chmod 600 {0}", file.display()),
                format!("the key {0} can be read by others; run: chmod 600 {0}", file.display()),
            ));
        }
        let text = std::fs::read_to_string(&file).map_err(|e| Complaint::file(&file, &e))?;
        let master = parse(text.trim()).ok_or_else(|| {
            Complaint::new(
                format!("密钥 {} 已损坏，应为 64 位十六进制数字。请从备份恢复", file.display()),
                format!("the key {} is damaged: 64 hexadecimal digits belong there", file.display()),
            )
        })?;
        Ok(Keys { folder: folder.to_owned(), master })
    }

    /// Reads the keys of a folder, or makes them when there are none yet.
    pub fn read_or_make(folder: &Path) -> Result<Keys, Complaint> {
        if folder.join(FILE).exists() { Keys::read(folder) } else { Keys::make(folder) }
    }

    fn make(folder: &Path) -> Result<Keys, Complaint> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|e| Complaint::file(folder, &e))?;
        let text = outside::token();
        let master = parse(&text).expect("a token is 64 hexadecimal digits");
        let path = folder.join(FILE);
        let write = || {
            let mut file =
                std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            writeln!(file, "{text}")?;
            file.sync_all()?;
            // The name must be on disk too before anything is encrypted with the key.
            std::fs::File::open(folder)?.sync_all()
        };
        write().map_err(|e| Complaint::file(&path, &e))?;
        Ok(Keys { folder: folder.to_owned(), master })
    }

    /// All keys derived from the master key.
    pub fn vault(&self) -> Vault {
        Vault::new(&self.master)
    }

    /// Where the head of the evidence chain is noted outside the database.
    pub fn seals(&self) -> SealFile {
        SealFile::in_folder(&self.folder)
    }
}

fn parse(text: &str) -> Option<[u8; 32]> {
    let mut master = [0; 32];
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, at) in master.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(master)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("xiyang-keys-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn a_made_key_is_read_again_and_closed_to_others() {
        let folder = folder("made");
        let made = Keys::read_or_make(&folder).unwrap();
        assert_eq!(Keys::read_or_make(&folder).unwrap().master, made.master);
        let file = folder.join(FILE);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Keys::read(&folder).unwrap_err().to_string().contains("chmod 600"));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_damaged_or_missing_key_is_not_replaced() {
        let folder = folder("damaged");
        assert!(Keys::read(&folder).unwrap_err().to_string().contains("找不到密钥"));
        Keys::read_or_make(&folder).unwrap();
        std::fs::write(folder.join(FILE), "12").unwrap();
        assert!(Keys::read_or_make(&folder).unwrap_err().to_string().contains("已损坏"));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn only_64_hexadecimal_digits_are_a_key() {
        assert_eq!(parse(&"0a".repeat(32)), Some([10; 32]));
        for wrong in ["0a".repeat(31), "0g".repeat(32), "é".repeat(32), "+a".repeat(32)] {
            assert_eq!(parse(&wrong), None, "{wrong}");
        }
    }
}
