//! The key sealed by a credential that systemd hands to the service (`LoadCredential=` and its kin).
//!
//! The credential itself cannot be rewritten by us, so it is not the key: what it says, byte for
//! byte, derives a key (HKDF-SHA-256) that seals the vault's own random one in the state folder.
//! A credential may be anything of [`LEAST`] bytes or more that nobody can guess.

use std::path::PathBuf;

use serde::Serialize;
use zeroize::Zeroizing;

use super::file_store::{Extra, Store};
use super::seal::Key;
use super::{VaultError, envelope, missing};
use crate::config::env;

/// The fewest bytes: as many as the key has.
const LEAST: usize = 32;
/// What the derived key is for.
const PURPOSE: &[u8] = b"authbroker: seals the vault key";

#[derive(Serialize)]
struct Header {
    kind: &'static str,
    format: u32,
}

/// Opens the key. Where there is none and no record waits for one, makes it.
pub(super) fn load_or_make(name: &str, store: &Store, empty: bool) -> Result<Key, VaultError> {
    let own = derive(name)?;
    match store.read_extra(Extra::SealedKey)? {
        Some(bytes) => open(name, &bytes, &own, store),
        None if empty => {
            let key = Key::generate()?;
            write(&key, &own, store)?;
            Ok(key)
        }
        None => Err(missing(&store.place_of(Extra::SealedKey).display().to_string())),
    }
}

/// Seals another key in the place of the one there.
pub(super) fn store_key(name: &str, store: &Store, key: &Key) -> Result<(), VaultError> {
    write(key, &derive(name)?, store)
}

fn derive(name: &str) -> Result<Key, VaultError> {
    let secret = read(name)?;
    if secret.len() < LEAST {
        let why = format!("the credential {name} has fewer than {LEAST} bytes");
        return Err(VaultError::locked(why, "make one with: openssl rand -base64 32"));
    }
    Key::derive(&secret, PURPOSE)
}

fn read(name: &str) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    const HINT: &str = "give the unit LoadCredential= or LoadCredentialEncrypted=";
    let Some(folder) = env::path(env::CREDENTIALS) else {
        let why = format!("systemd gave this process no credentials, and the key needs {name}");
        return Err(VaultError::locked(why, HINT));
    };
    let path: PathBuf = folder.join(name);
    let read = std::fs::read(&path).map(Zeroizing::new);
    read.map_err(|error| VaultError::locked(format!("the credential {name}: {error}"), HINT))
}

fn open(name: &str, bytes: &[u8], own: &Key, store: &Store) -> Result<Key, VaultError> {
    let opened = envelope::split(bytes).and_then(|(header, sealed)| own.open(header, sealed));
    let text = opened.and_then(|plain| String::from_utf8(plain.to_vec()).ok().map(Zeroizing::new));
    text.and_then(|text| Key::from_text(&text)).ok_or_else(|| {
        VaultError::Damaged(format!(
            "the credential {name} does not open {}: it is another one, or the file was changed",
            store.place_of(Extra::SealedKey).display()
        ))
    })
}

fn write(key: &Key, own: &Key, store: &Store) -> Result<(), VaultError> {
    let header = Header { kind: "key", format: 1 };
    let bytes = envelope::close(&header, key.to_text().as_bytes(), own)?;
    store.write_extra(Extra::SealedKey, &bytes)
}
