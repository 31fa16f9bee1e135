//! What survives a restart: sealed records, and the one key that opens them.
//!
//! 1. Each account is one file: a readable header (who, where) and a sealed body (the refresh
//!    token). The header is bound to the body, so neither can be changed or swapped.
//! 2. The key is 256 random bits. It lies in the keyring or in a private file, sealed by a systemd
//!    credential or encrypted with a passphrase in the state folder, or in memory only (`source`).
//! 3. A write is a temporary file, fsync, rename, fsync of the folder: a crash leaves the old
//!    record or the new one, never half of either.
//! 4. Beside a record may lie a note: its refresh token is in use. The record that follows ends it.
//! 5. Beside all records lies the index: which is the newest of each account (`index`). An older one
//!    that is put back is noticed.
//! 6. A new key is made only where no record exists. Records without their key mean a locked or
//!    damaged vault, not an empty one.
//! 7. The audit record has its chain's key and the seal of its head from here (`head`).
//! 8. A person may lock the vault (`door`) and give every record a new key (`rekey`).

mod credential;
mod door;
mod envelope;
mod error;
mod file_store;
mod head;
mod index;
mod inspect;
mod keeping;
mod key_file;
mod ledger;
#[cfg(target_os = "linux")]
mod os_keyring;
mod passphrase;
mod record;
mod rekey;
mod seal;
mod source;
mod tag;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authbroker_core::account::{Account, Memory};
use authbroker_core::ids::AccountId;
use tokio::sync::{RwLock, watch};

use self::door::{By, Door};
use self::error::missing;
pub use self::error::{Broken, VaultError};
use self::file_store::Store;
use self::head::Head;
pub use self::inspect::{Depth, Inspection};
pub use self::keeping::{Locking, PassphraseState, Retyped};
use self::ledger::Ledger;
use self::passphrase::Attempts;
pub use self::rekey::Rekeyed;
use self::seal::{Key, Keys};
pub use self::source::{Passphrase, look_at_keyring};
use self::source::{Source, Way};
pub use self::tag::Tagger;
use crate::config::VaultKey;

/// How long a request that bothers nobody waits for somebody else's question for the key, which may
/// be a prompt that a person has not answered yet.
const TURN: Duration = Duration::from_secs(1);

/// How much a call may bother a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prompt {
    /// Not at all: a locked keyring stays locked.
    Never,
    /// A person is at hand: the keyring may ask for its password.
    Allowed,
}

/// How the vault is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VaultState {
    /// Nobody has needed the key yet.
    Unread,
    /// The key is at hand.
    Open,
    /// The key is out of reach: why, and what helps.
    Locked(String, &'static str),
    /// The key does not open what is there.
    Damaged(String),
}

/// The vault of one state folder. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Vault(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<Store>,
    ledger: Ledger,
    head: Head,
    source: Source,
    door: Door,
    state: watch::Sender<VaultState>,
    // One caller at a time asks for the key; the others then find it, or hear the same.
    asking: tokio::sync::Mutex<()>,
    /// How often the key was asked for in all.
    asked: AtomicU64,
    // A std mutex: held for a look at the clock, never across an await.
    attempts: Mutex<Attempts>,
    // One passphrase at a time.
    trying: tokio::sync::Mutex<()>,
    // Shared by whoever reads or writes one record; a rekey has it alone.
    records: RwLock<()>,
}

/// An account as the header of its record tells it, and what is wrong with that, if anything.
pub type Listed = Result<Account, Broken>;

impl Vault {
    /// Opens the vault in `state_dir`; with a key in memory, nothing is written there.
    pub fn open(place: VaultKey, state_dir: &Path) -> Result<Self, VaultError> {
        let store = Arc::new(match place {
            VaultKey::Memory => Store::memory(),
            _ => Store::files(state_dir.join("vault"))?,
        });
        Ok(Self(Arc::new(Inner {
            store: Arc::clone(&store),
            ledger: Ledger::default(),
            head: Head::default(),
            source: Source { place, store },
            door: Door::default(),
            state: watch::Sender::new(VaultState::Unread),
            asking: tokio::sync::Mutex::new(()),
            asked: AtomicU64::new(0),
            attempts: Mutex::default(),
            trying: tokio::sync::Mutex::new(()),
            records: RwLock::new(()),
        })))
    }

    /// Where the key is kept.
    pub fn key_place(&self) -> String {
        self.0.source.place.describe()
    }

    /// Whether the key is there after a restart.
    pub fn key_lasts(&self) -> bool {
        self.0.source.place != VaultKey::Memory
    }

    /// How the vault is.
    pub fn state(&self) -> VaultState {
        self.0.state.borrow().clone()
    }

    /// The same, and each change of it.
    pub fn states(&self) -> watch::Receiver<VaultState> {
        self.0.state.subscribe()
    }

    /// Every account, from the headers alone: no key is needed.
    pub fn list(&self) -> Result<Vec<Listed>, VaultError> {
        let records = self.0.store.list()?;
        Ok(records.into_iter().map(|(name, bytes)| list_one(name, bytes)).collect())
    }

    /// Reads what is remembered of an account.
    pub async fn recall(&self, id: &AccountId) -> Result<Option<Memory>, VaultError> {
        let _turn = self.0.records.read().await;
        let keys = self.keys(Prompt::Never).await?;
        let (inner, id) = (Arc::clone(&self.0), id.clone());
        blocking(move || inner.recall(&id, &keys)).await
    }

    /// Writes what is remembered of an account. When this returns, a power cut does not undo it.
    pub async fn remember(
        &self,
        account: &Account,
        memory: &Memory,
        prompt: Prompt,
    ) -> Result<(), VaultError> {
        let _turn = self.0.records.read().await;
        let keys = match self.0.door.keys_for_writing()? {
            Some(keys) => keys,
            None => self.keys(prompt).await?,
        };
        let (inner, account, memory) = (Arc::clone(&self.0), account.clone(), memory.clone());
        blocking(move || inner.remember(&account, &memory, &keys)).await
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

    /// Removes an account's record. No key is needed; with it, the index learns of it too.
    pub async fn forget(&self, id: &AccountId) -> Result<(), VaultError> {
        let _turn = self.0.records.read().await;
        let keys = self.0.door.keys_for_writing().unwrap_or_default();
        let (inner, id) = (Arc::clone(&self.0), id.clone());
        blocking(move || inner.forget(&id, keys.as_ref())).await
    }

    /// Makes sure that the key is at hand before a person is sent to sign in: a sign-in that
    /// cannot be kept should not begin.
    pub async fn ready(&self, prompt: Prompt) -> Result<(), VaultError> {
        self.keys(prompt).await.map(drop)
    }

    /// Waits for the key without asking anybody for it, and tries whenever it may have come.
    pub async fn wait_for_key(&self) {
        let mut signs = self.0.source.signs().await;
        while self.ready(Prompt::Never).await.is_err() {
            signs.next().await;
        }
    }

    /// The keys at hand, had now if need be.
    async fn keys(&self, prompt: Prompt) -> Result<Keys, VaultError> {
        match self.0.door.keys()? {
            Some(keys) => Ok(keys),
            None => to_its_end(self.clone().have_keys(prompt)).await,
        }
    }

    async fn have_keys(self, prompt: Prompt) -> Result<Keys, VaultError> {
        let asked = self.0.asked.load(Ordering::Acquire);
        let _turn = match prompt {
            Prompt::Allowed => self.0.asking.lock().await,
            Prompt::Never => {
                let turn = tokio::time::timeout(TURN, self.0.asking.lock()).await;
                turn.map_err(|_| self.refusal().err().unwrap_or_else(being_asked_for))?
            }
        };
        if let Some(keys) = self.0.door.keys()? {
            return Ok(keys);
        }
        // Whoever waited for somebody else's question has its answer.
        if prompt == Prompt::Never && self.0.asked.load(Ordering::Acquire) != asked {
            self.refusal()?;
        }
        self.take_key(Way::Ask(prompt), By::Itself).await
    }

    /// What the last question for the key was answered with, where that was a no.
    fn refusal(&self) -> Result<(), VaultError> {
        match self.state() {
            VaultState::Locked(why, hint) => Err(VaultError::Locked { why, hint }),
            VaultState::Damaged(why) => Err(VaultError::Damaged(why)),
            VaultState::Unread | VaultState::Open => Ok(()),
        }
    }

    /// Has the key, reads the index with it, and opens the door. Callers hold `asking`.
    async fn take_key(&self, way: Way, by: By) -> Result<Keys, VaultError> {
        let loaded = self.load(way).await;
        let result = loaded.and_then(|keys| self.0.door.open(keys.clone(), by).map(|()| keys));
        let state = result.as_ref().map_or_else(VaultError::state, |_| Some(VaultState::Open));
        if let Some(state) = state {
            self.note(state);
        }
        self.0.asked.fetch_add(1, Ordering::Release);
        result
    }

    async fn load(&self, way: Way) -> Result<Keys, VaultError> {
        let key = self.0.source.load(way).await?;
        let inner = Arc::clone(&self.0);
        blocking(move || inner.take_up(key)).await
    }

    fn note(&self, state: VaultState) {
        self.0.state.send_if_modified(|now| {
            let news = *now != state;
            *now = state;
            news
        });
    }
}

impl Inner {
    fn recall(&self, id: &AccountId, keys: &Keys) -> Result<Option<Memory>, VaultError> {
        let Some(bytes) = self.store.read(id)? else { return Ok(None) };
        let (label, memory) = record::unseal(id.as_str(), &bytes, keys)?;
        self.ledger.judge(id, label.serial)?;
        Ok(Some(if self.store.is_noted(id) { interrupted(memory) } else { memory }))
    }

    /// The record first, then the index: see `index` for what a crash in between leaves.
    fn remember(&self, account: &Account, memory: &Memory, keys: &Keys) -> Result<(), VaultError> {
        let serial = self.ledger.begin(&account.id);
        let sealed = record::seal(account, memory, serial, &keys.current)?;
        self.store.write(&account.id, &sealed)?;
        self.ledger.settle(&account.id, serial);
        self.ledger.flush(&self.store, keys)
    }

    fn forget(&self, id: &AccountId, keys: Option<&Keys>) -> Result<(), VaultError> {
        self.store.remove(id)?;
        self.ledger.remove(id);
        keys.map_or(Ok(()), |keys| self.ledger.flush(&self.store, keys))
    }

    /// What a key makes of the vault: the keys for its records, and the index.
    fn take_up(&self, key: Key) -> Result<Keys, VaultError> {
        let keys = rekey::keys(&self.store, key)?;
        self.ledger.load(&self.store, &keys)?;
        match self.head.take_up(&self.store, &keys) {
            Ok(()) => Ok(rekey::resume(&self.store, &self.ledger, keys)),
            Err(error) => {
                // The key before is not given up while anything needs it.
                tracing::error!(%error, "the head of the audit record is still under the key before");
                Ok(keys)
            }
        }
    }
}

fn interrupted(memory: Memory) -> Memory {
    match memory {
        Memory::Granted(grant) => Memory::Interrupted(grant),
        other => other,
    }
}

fn list_one(name: String, bytes: Result<Vec<u8>, VaultError>) -> Listed {
    let read = bytes.and_then(|bytes| record::read_label(&name, &bytes));
    read.map(|label| label.account).map_err(|error| as_broken(name, error))
}

/// The record that an error is about.
fn as_broken(name: String, error: VaultError) -> Broken {
    match error {
        VaultError::Record(broken) => broken,
        other => Broken { name, reason: other.to_failure().message },
    }
}

fn being_asked_for() -> VaultError {
    VaultError::locked("its key was asked for and has not come yet", "try again in a moment")
}

/// Runs work to its end, even where nobody waits for it any more: half of it would leave the index
/// of one key beside the records of another.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, VaultError>> + Send + 'static,
) -> Result<T, VaultError> {
    ended(tokio::spawn(work).await)
}

/// Runs file work where waiting for a disk holds up nobody else.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    ended(tokio::task::spawn_blocking(work).await)
}

fn ended<T>(work: Result<Result<T, VaultError>, tokio::task::JoinError>) -> Result<T, VaultError> {
    work.unwrap_or_else(|error| {
        Err(VaultError::Damaged(format!("the vault's worker ended: {error}")))
    })
}

/// Reads a record, and an index, that somebody made up.
#[cfg(feature = "fuzzing")]
pub fn fuzz_record(bytes: &[u8]) {
    let name = "dev-aaaaaaaa";
    let _label = record::read_label(name, bytes);
    if let Some(key) = Key::from_text(&format!("{}=", "A".repeat(43))) {
        let keys = Keys::only(key);
        let _memory = record::unseal(name, bytes, &keys);
        let _index = index::Index::read(bytes, &keys);
    }
}
