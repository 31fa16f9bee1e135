//! Whether the key is at hand, and for whom.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::VaultError;
use super::seal::Keys;

/// The key in memory, or why there is none.
#[derive(Debug, Default)]
pub(super) struct Door(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    /// It was not had yet, or could not be.
    #[default]
    Closed,
    /// It is at hand.
    Open(Keys),
    /// A person locks the vault: what is under way may still be written, nothing else goes.
    Closing(Keys),
    /// A person has locked it, and only a person opens it.
    Shut,
}

/// Who opens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum By {
    /// The broker, which needs the key.
    Itself,
    /// A person, who says so.
    Person,
}

impl Door {
    /// The keys for whoever comes now; `None` where they must be had first.
    pub(super) fn keys(&self) -> Result<Option<Keys>, VaultError> {
        match &*self.state() {
            State::Closed => Ok(None),
            State::Open(keys) => Ok(Some(keys.clone())),
            State::Closing(_) | State::Shut => Err(shut()),
        }
    }

    /// The keys for what must still be written.
    pub(super) fn keys_for_writing(&self) -> Result<Option<Keys>, VaultError> {
        match &*self.state() {
            State::Closed => Ok(None),
            State::Open(keys) | State::Closing(keys) => Ok(Some(keys.clone())),
            State::Shut => Err(shut()),
        }
    }

    /// Whether a person has locked it, or is about to.
    pub(super) fn is_barred(&self) -> bool {
        matches!(&*self.state(), State::Closing(_) | State::Shut)
    }

    /// Puts the key into memory. One that a person has locked opens for a person only.
    pub(super) fn open(&self, keys: Keys, by: By) -> Result<(), VaultError> {
        let mut state = self.state();
        if by == By::Itself && matches!(*state, State::Closing(_) | State::Shut) {
            return Err(shut());
        }
        *state = State::Open(keys);
        Ok(())
    }

    /// Puts another key in the place of the one at hand.
    pub(super) fn replace(&self, keys: Keys) {
        let mut state = self.state();
        match &mut *state {
            State::Open(at_hand) | State::Closing(at_hand) => *at_hand = keys,
            State::Closed | State::Shut => {}
        }
    }

    /// Begins to lock: from here on nobody new comes in.
    pub(super) fn begin_to_shut(&self) {
        let mut state = self.state();
        *state = match std::mem::take(&mut *state) {
            State::Open(keys) | State::Closing(keys) => State::Closing(keys),
            State::Closed | State::Shut => State::Shut,
        };
    }

    /// Puts the key out of memory.
    pub(super) fn shut(&self) {
        *self.state() = State::Shut;
    }

    /// Takes back what [`Door::begin_to_shut`] began.
    pub(super) fn reopen(&self) {
        let mut state = self.state();
        *state = match std::mem::take(&mut *state) {
            State::Closing(keys) => State::Open(keys),
            other => other,
        };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Held to copy or exchange keys, never across an await.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shut() -> VaultError {
    VaultError::locked("somebody locked it", "brokerctl unlock")
}
