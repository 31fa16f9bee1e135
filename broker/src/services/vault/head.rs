//! What the vault does for the audit record: a key for its chain, and the sealing of its head.
//!
//! Both keys are derived from the vault's (HKDF, each with a purpose of its own), so that neither
//! opens a record and the vault's own key need not be at hand: what happens while a person has
//! locked the vault is chained and sealed, too.
//!
//! The head lies beside the records. It is the audit's to say what is in it. A rekey seals it anew
//! before the key in force is given up, so that whatever step is the last, the key in the place of
//! keys opens it.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use authbroker_core::audit::ChainKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::file_store::{Extra, Store};
use super::seal::{Key, KeyId, Keys};
use super::{Vault, VaultError, envelope};
use crate::platform::{
    self,
    fault_point::{FaultPoint, attempt},
};

/// What the chain's key is derived for.
const CHAINING: &[u8] = b"authbroker: the chain of the audit record";
/// What the head's key is derived for.
const SEALING: &[u8] = b"authbroker: the head of the audit record";

/// The derived keys, once the vault was opened. A lock leaves them.
#[derive(Debug, Default)]
pub(super) struct Head(Mutex<Option<Derived>>);

#[derive(Clone, Debug)]
struct Derived {
    chain: Key,
    seal: Key,
}

#[derive(Serialize, Deserialize)]
struct Header {
    kind: Kind,
    format: u32,
    key: KeyId,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    AuditHead,
}

impl Vault {
    /// The key for the audit record's chain; `None` until the vault was opened for the first time.
    pub fn chain_key(&self) -> Option<ChainKey> {
        let derived = self.0.head.state();
        derived.as_ref().map(|derived| {
            ChainKey::new(derived.chain.id().to_string(), derived.chain.expose().clone())
        })
    }

    /// Seals the head of the audit record, durably. Blocks for the disk.
    pub fn keep_audit_head(&self, plain: &[u8]) -> Result<(), VaultError> {
        let derived = self.0.head.state();
        let key = &derived.as_ref().ok_or_else(not_open)?.seal;
        write(&self.0.store, plain, key)
    }

    /// The head as it was last kept, or `None` where none was. Blocks for the disk.
    pub fn audit_head(&self) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let derived = self.0.head.state();
        let key = derived.as_ref().ok_or_else(not_open)?.seal.clone();
        let Some(bytes) = self.0.store.read_extra(Extra::AuditHead)? else { return Ok(None) };
        open(&bytes, &Keys::only(key)).map(Some)
    }
}

impl Head {
    /// Takes up the vault's key, and brings the head under it where it is still under the one
    /// before.
    pub(super) fn take_up(&self, store: &Store, keys: &Keys) -> Result<(), VaultError> {
        let mut state = self.state();
        let derived = Derived::of(&keys.current)?;
        if let Some(previous) = &keys.previous {
            let previous = Derived::of(previous)?.seal;
            reseal(store, &Keys { current: derived.seal.clone(), previous: Some(previous) })?;
        }
        *state = Some(derived);
        Ok(())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, Option<Derived>> {
        // Held over file work, by the audit's own thread or that of a rekey; never across an await.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Derived {
    fn of(key: &Key) -> Result<Self, VaultError> {
        let derive = |purpose| Key::derive(key.expose().as_ref(), purpose);
        Ok(Self { chain: derive(CHAINING)?, seal: derive(SEALING)? })
    }
}

/// Seals the head with the current key. One that opens with neither is left for the audit to find.
fn reseal(store: &Store, keys: &Keys) -> Result<(), VaultError> {
    let Some(bytes) = store.read_extra(Extra::AuditHead)? else { return Ok(()) };
    match open(&bytes, keys) {
        Ok(plain) => write(store, &plain, &keys.current),
        Err(_) => Ok(()),
    }
}

fn open(bytes: &[u8], keys: &Keys) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let changed = |why: &str| VaultError::Damaged(format!("the head of the audit record: {why}"));
    let cut = || changed("it was changed or is cut off");
    let (line, sealed) = envelope::split(bytes).ok_or_else(cut)?;
    let header: Header = serde_json::from_slice(line).map_err(|_| cut())?;
    keys.open(Some(&header.key), line, sealed).map_err(|error| changed(&error.to_string()))
}

fn write(store: &Store, plain: &[u8], key: &Key) -> Result<(), VaultError> {
    let header = Header { kind: Kind::AuditHead, format: 1, key: key.id().clone() };
    let bytes = envelope::close(&header, plain, key)?;
    let Store::Files(folder) = store else { return Ok(()) };
    let path = store.place_of(Extra::AuditHead);
    replace(folder, &path, &bytes).map_err(|error| VaultError::disk(&path, error))
}

/// Puts a whole new file in the place of the old one, durably. There is one writer at a time, so
/// its name aside is always the same, and what a crash left there is written over.
fn replace(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let aside = path.with_extension("new");
    let _none = fs::remove_file(&aside);
    platform::create_private_file(&aside, bytes)?;
    attempt(FaultPoint::AuditHeadWritten)?;
    fs::rename(&aside, path)?;
    attempt(FaultPoint::AuditHeadRenamed)?;
    platform::sync_folder(folder)
}

fn not_open() -> VaultError {
    VaultError::locked("its key was not needed yet", "brokerctl unlock")
}
