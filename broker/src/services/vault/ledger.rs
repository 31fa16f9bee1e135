//! The index in memory, and its way to the disk.
//!
//! Records of different accounts are written side by side. The index is one file: whoever has
//! written a record sees to it that the index on the disk has it too, and is content where somebody
//! else's write of the index, begun later, did that already.

use std::sync::{Mutex, MutexGuard, PoisonError};

use authbroker_core::ids::AccountId;

use super::VaultError;
use super::file_store::{Extra, Store};
use super::index::{Index, NoIndex};
use super::record;
use super::seal::Keys;

/// The index, once the key has opened it.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    // Std mutexes: the first is held for a look, the second by file work on its own thread.
    state: Mutex<State>,
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    index: Option<Index>,
    /// Counts up with every change.
    version: u64,
    /// The version that the disk has.
    on_disk: u64,
    /// What was wrong with the index as it was found.
    trouble: Option<String>,
}

impl Ledger {
    /// Reads the index, and takes up what was written after it. Where it is missing or unreadable,
    /// the records as they lie make a new one, and it is said that nobody can tell their age.
    pub(super) fn load(&self, store: &Store, keys: &Keys) -> Result<(), VaultError> {
        let records = labelled(store)?;
        let (mut index, trouble) = match find(store, keys)? {
            Some(Ok(index)) => (index, None),
            Some(Err(NoIndex::OtherKey)) => {
                return Err(VaultError::Damaged(NoIndex::OtherKey.to_string()));
            }
            Some(Err(error)) => (Index::empty(), Some(error.to_string())),
            None => {
                // The first format had none.
                let missed = records.iter().any(|(_, serial)| *serial > 0);
                (Index::empty(), missed.then(|| "the vault's index is missing".to_owned()))
            }
        };
        let made_anew = index == Index::empty();
        index.keep_only(|id| records.iter().any(|(there, _)| there == id));
        for (id, serial) in records {
            if (made_anew || index.is_behind(&id, serial)) && opens(store, &id, keys)? {
                index.take_up(&id, serial);
            }
        }
        self.set(index, trouble);
        Ok(())
    }

    fn set(&self, index: Index, trouble: Option<String>) {
        let trouble = trouble.map(|what| {
            format!("{what}: whether older copies of records were put back cannot be told")
        });
        if let Some(trouble) = &trouble {
            tracing::error!("{trouble}");
        }
        let mut state = self.state();
        state.version += 1;
        state.index = Some(index);
        state.trouble = trouble;
    }

    /// What was wrong with the index as it was found.
    pub(super) fn trouble(&self) -> Option<String> {
        self.state().trouble.clone()
    }

    /// Gives out the serial of a write that is about to begin.
    pub(super) fn begin(&self, id: &AccountId) -> u64 {
        self.change(|index| index.begin(id))
    }

    /// Takes note that a record is on the disk.
    pub(super) fn settle(&self, id: &AccountId, serial: u64) {
        self.change(|index| index.settle(id, serial));
    }

    /// Takes note that a record is gone.
    pub(super) fn remove(&self, id: &AccountId) {
        self.change(|index| index.remove(id));
    }

    /// Whether this is the newest record of its account.
    pub(super) fn judge(&self, id: &AccountId, serial: u64) -> Result<(), VaultError> {
        let state = self.state();
        let verdict = state.index.as_ref().map_or(Ok(()), |index| index.judge(id, serial));
        verdict.map_err(|why| record::broken(id.as_str(), why))
    }

    /// Brings the index on the disk up to what this one is now, durably.
    pub(super) fn flush(&self, store: &Store, keys: &Keys) -> Result<(), VaultError> {
        let wanted = self.state().version;
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let (bytes, version) = {
            let state = self.state();
            let Some(index) = state.index.as_ref().filter(|_| state.on_disk < wanted) else {
                return Ok(());
            };
            (index.write(&keys.current)?, state.version)
        };
        store.write_extra(Extra::Index, &bytes)?;
        self.state().on_disk = version;
        Ok(())
    }

    /// Has the next [`Ledger::flush`] write the index in any case: it is to have another key.
    pub(super) fn touch(&self) {
        self.state().version += 1;
    }

    /// Changes the index. Before a key was ever had there is none, and nothing to change.
    fn change<T: Default>(&self, change: impl FnOnce(&mut Index) -> T) -> T {
        let mut state = self.state();
        state.version += 1;
        state.index.as_mut().map(change).unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The index's file, read; `None` where there is none.
fn find(store: &Store, keys: &Keys) -> Result<Option<Result<Index, NoIndex>>, VaultError> {
    Ok(store.read_extra(Extra::Index)?.map(|bytes| Index::read(&bytes, keys)))
}

/// The accounts and serials that the records' headers tell. Nothing proves them yet.
fn labelled(store: &Store) -> Result<Vec<(AccountId, u64)>, VaultError> {
    let label = |(name, bytes): (String, Result<Vec<u8>, _>)| {
        let label = record::read_label(&name, &bytes.ok()?).ok()?;
        Some((label.account.id, label.serial))
    };
    Ok(store.list()?.into_iter().filter_map(label).collect())
}

/// Whether a record is genuine.
fn opens(store: &Store, id: &AccountId, keys: &Keys) -> Result<bool, VaultError> {
    let bytes = store.read(id)?;
    Ok(bytes.is_some_and(|bytes| record::unseal(id.as_str(), &bytes, keys).is_ok()))
}
