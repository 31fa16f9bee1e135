//! The key in a file that only its owner can read: for machines without a keyring.

use std::io;
use std::path::Path;

use zeroize::Zeroizing;

use super::VaultError;
use super::seal::Key;
use crate::platform;

/// Reads the key. Where there is none and no record waits for one, makes it.
pub(super) fn load_or_make(path: &Path, empty: bool) -> Result<Key, VaultError> {
    match platform::read_private_file(path) {
        Ok(bytes) => {
            let bytes = Zeroizing::new(bytes);
            let key = std::str::from_utf8(&bytes).ok().and_then(Key::from_text);
            key.ok_or_else(|| VaultError::Damaged(format!("{} holds no key", path.display())))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && empty => make(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(VaultError::Locked(format!(
            "the key file {} is missing, and there are records that need it",
            path.display()
        ))),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(VaultError::Locked(error.to_string()))
        }
        Err(error) => Err(VaultError::disk(path, error)),
    }
}

fn make(path: &Path) -> Result<Key, VaultError> {
    let key = Key::generate()?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let made = std::fs::create_dir_all(folder)
        .and_then(|()| platform::create_private_file(path, key.to_text().as_bytes()));
    made.map_err(|error| VaultError::disk(path, error))?;
    Ok(key)
}
