//! What survives a restart: sealed records, and the one key that opens them.
//!
//! 1. Each account is one file: a readable header (who, where) and a sealed body (the refresh
//!    token). The header is bound to the body, so neither can be changed or swapped.
//! 2. The key is 256 random bits. It lives in the keyring, in a private file, or in memory only.
//! 3. A write is a temporary file, fsync, rename, fsync of the folder: a crash leaves the old
//!    record or the new one, never half of either.
//! 4. Beside a record may lie a note: its refresh token is in use. The record that follows ends it.
//! 5. A new key is made only where no record exists. Records without their key mean a damaged
//!    vault, not an empty one.

mod file_store;
mod key_file;
#[cfg(target_os = "linux")]
mod os_keyring;
mod record;
mod seal;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use authbroker_core::account::{Account, Memory};
use authbroker_core::failure::{Code, Failure};
use authbroker_core::ids::AccountId;

use self::file_store::Store;
use self::seal::Key;
use crate::config::VaultKey;

/// How much a call may bother a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prompt {
    /// Not at all: a locked keyring stays locked.
    Never,
    /// A person is at hand: the keyring may ask for its password.
    Allowed,
}

/// Why the vault could not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key is out of reach for now. The account waits as `vault-locked`.
    #[error("the vault is locked: {0}")]
    Locked(String),
    /// The key does not fit, or a record is broken. That record is left alone.
    #[error("{0}")]
    Damaged(String),
    /// The disk refused. What is in memory lives on, and the write is tried again.
    #[error("cannot access {}", path.display())]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl VaultError {
    fn disk(path: &Path, source: std::io::Error) -> Self {
        Self::Disk { path: path.to_path_buf(), source }
    }

    /// The same in a caller's words.
    pub fn to_failure(&self) -> Failure {
        match self {
            Self::Locked(_) => Failure::new(
                Code::VaultLocked,
                self.to_string(),
                "unlock the keyring, or set [vault] key = \"file:…\"",
            ),
            Self::Damaged(_) => {
                Failure::new(Code::VaultDamaged, self.to_string(), "brokerctl status")
            }
            Self::Disk { source, .. } => {
                Failure::new(Code::VaultDamaged, format!("{self}: {source}"), "brokerctl status")
            }
        }
    }
}

/// How the vault is, for `brokerctl status`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VaultState {
    /// Nobody has needed the key yet.
    Unread,
    /// The key is at hand.
    Open,
    /// The key is out of reach.
    Locked(String),
    /// The key does not open what is there.
    Damaged(String),
}

/// The vault of one state folder. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Vault(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    source: VaultKey,
    // Std mutexes: held to copy a key or a word, never across an await.
    key: Mutex<Option<Key>>,
    state: Mutex<VaultState>,
    // One caller at a time asks the keyring; the others then find the key.
    asking: tokio::sync::Mutex<()>,
}

/// An account as the header of its record tells it, and what is wrong with that, if anything.
pub type Listed = Result<Account, Broken>;

/// A record that cannot be used. It is left where it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The file's name.
    pub name: String,
    /// What is wrong.
    pub reason: String,
}

impl Vault {
    /// Opens the vault in `state_dir`; with a key in memory, nothing is written there.
    pub fn open(source: VaultKey, state_dir: &Path) -> Result<Self, VaultError> {
        let store = match source {
            VaultKey::Memory => Store::memory(),
            VaultKey::Keyring | VaultKey::File(_) => Store::files(state_dir.join("vault"))?,
        };
        Ok(Self(Arc::new(Inner {
            store,
            source,
            key: Mutex::new(None),
            state: Mutex::new(VaultState::Unread),
            asking: tokio::sync::Mutex::new(()),
        })))
    }

    /// Where the key is kept, and how that goes.
    pub fn state(&self) -> (String, VaultState) {
        let state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (self.0.source.describe(), state)
    }

    /// Every account, from the headers alone: no key is needed.
    pub fn list(&self) -> Result<Vec<Listed>, VaultError> {
        let records = self.0.store.list()?;
        Ok(records.into_iter().map(|(name, bytes)| list_one(name, bytes)).collect())
    }

    /// Reads what is remembered of an account.
    pub async fn recall(&self, id: &AccountId) -> Result<Option<Memory>, VaultError> {
        let key = self.key(Prompt::Never).await?;
        let (inner, id) = (Arc::clone(&self.0), id.clone());
        let read = move || {
            let Some(bytes) = inner.store.read(&id)? else { return Ok(None) };
            let memory = record::unseal(&id, &bytes, &key)?;
            Ok(Some(if inner.store.is_noted(&id) { interrupted(memory) } else { memory }))
        };
        let result = blocking(read).await;
        if let Err(VaultError::Damaged(reason)) = &result {
            self.note(VaultState::Damaged(reason.clone()));
        }
        result
    }

    /// Writes what is remembered of an account. When this returns, a power cut does not undo it.
    pub async fn remember(
        &self,
        account: &Account,
        memory: &Memory,
        prompt: Prompt,
    ) -> Result<(), VaultError> {
        let key = self.key(prompt).await?;
        let sealed = record::seal(account, memory, &key)?;
        let (inner, id) = (Arc::clone(&self.0), account.id.clone());
        blocking(move || inner.store.write(&id, &sealed)).await
    }

    /// Notes, durably, that an account's refresh token is about to be used. The next
    /// [`Vault::remember`] or [`Vault::settle`] ends the note; one that is still there after a
    /// restart makes the memory an interrupted one.
    pub async fn intend(&self, id: &AccountId) -> Result<(), VaultError> {
        let (inner, id) = (Arc::clone(&self.0), id.clone());
        blocking(move || inner.store.note(&id)).await
    }

    /// Ends the note that [`Vault::intend`] made.
    pub async fn settle(&self, id: &AccountId) -> Result<(), VaultError> {
        let (inner, id) = (Arc::clone(&self.0), id.clone());
        blocking(move || inner.store.end_note(&id)).await
    }

    /// Removes an account's record. No key is needed.
    pub async fn forget(&self, id: &AccountId) -> Result<(), VaultError> {
        let (inner, id) = (Arc::clone(&self.0), id.clone());
        blocking(move || inner.store.remove(&id)).await
    }

    /// Makes sure that the key is at hand before a person is sent to sign in: a sign-in that
    /// cannot be kept should not begin.
    pub async fn ready(&self, prompt: Prompt) -> Result<(), VaultError> {
        self.key(prompt).await.map(drop)
    }

    async fn key(&self, prompt: Prompt) -> Result<Key, VaultError> {
        if let Some(key) = self.cached() {
            return Ok(key);
        }
        let _turn = self.0.asking.lock().await;
        if let Some(key) = self.cached() {
            return Ok(key);
        }
        let result = self.load(prompt).await;
        match &result {
            Ok(key) => {
                *self.0.key.lock().unwrap_or_else(PoisonError::into_inner) = Some(key.clone());
                self.note(VaultState::Open);
            }
            Err(VaultError::Locked(why)) => self.note(VaultState::Locked(why.clone())),
            Err(error) => self.note(VaultState::Damaged(error.to_string())),
        }
        result
    }

    fn cached(&self) -> Option<Key> {
        self.0.key.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, state: VaultState) {
        *self.0.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    async fn load(&self, prompt: Prompt) -> Result<Key, VaultError> {
        let inner = Arc::clone(&self.0);
        let empty = blocking(move || inner.store.is_empty()).await?;
        match self.0.source.clone() {
            VaultKey::Memory => Key::generate(),
            VaultKey::File(path) => blocking(move || key_file::load_or_make(&path, empty)).await,
            VaultKey::Keyring => keyring_key(prompt, empty).await,
        }
    }
}

#[cfg(target_os = "linux")]
async fn keyring_key(prompt: Prompt, empty: bool) -> Result<Key, VaultError> {
    os_keyring::load_or_make(prompt, empty).await
}

#[cfg(not(target_os = "linux"))]
async fn keyring_key(_: Prompt, _: bool) -> Result<Key, VaultError> {
    Err(VaultError::Locked(
        "the keyring of this system is not supported by this version yet".into(),
    ))
}

fn interrupted(memory: Memory) -> Memory {
    match memory {
        Memory::Granted(grant) => Memory::Interrupted(grant),
        other => other,
    }
}

fn list_one(name: String, bytes: Result<Vec<u8>, VaultError>) -> Listed {
    let read = bytes.and_then(|bytes| record::read_header(&name, &bytes));
    read.map_err(|error| Broken { name, reason: error.to_string() })
}

/// Runs file work where waiting for a disk holds up nobody else.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(VaultError::Damaged(format!("the vault's worker ended: {error}"))),
    }
}

/// Reads a record that somebody made up.
#[cfg(feature = "fuzzing")]
pub fn fuzz_record(bytes: &[u8]) {
    let name = "dev-aaaaaaaa";
    let _account = record::read_header(name, bytes);
    if let (Ok(id), Some(key)) =
        (AccountId::parse(name), Key::from_text(&format!("{}=", "A".repeat(43))))
    {
        let _memory = record::unseal(&id, bytes, &key);
    }
}
