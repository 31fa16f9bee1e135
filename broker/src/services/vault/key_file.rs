//! The key in a file that only its owner can read: for machines without a keyring.

use std::io;
use std::path::Path;

use zeroize::Zeroizing;

use super::file_store::{create, replace};
use super::seal::Key;
use super::{VaultError, missing};
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
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(missing(&format!("the key file {}", path.display())))
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(VaultError::locked(
            error.to_string(),
            "make the key a file of your own: chown, chmod 600",
        )),
        Err(error) => Err(VaultError::disk(path, error)),
    }
}

/// Puts another key in the place of the one there.
pub(super) fn store(path: &Path, key: &Key) -> Result<(), VaultError> {
    let written = replace(folder_of(path), path, key.to_text().as_bytes());
    written.map_err(|error| VaultError::disk(path, error))
}

fn make(path: &Path) -> Result<Key, VaultError> {
    let key = Key::generate()?;
    let folder = folder_of(path);
    let made = std::fs::create_dir_all(folder)
        .and_then(|()| create(folder, path, key.to_text().as_bytes()));
    made.map_err(|error| VaultError::disk(path, error))?;
    Ok(key)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}
