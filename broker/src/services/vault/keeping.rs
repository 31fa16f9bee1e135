//! What a person does with the vault: unlocks it, locks it, gives it a new key.

use std::sync::{Arc, PoisonError};

use authbroker_core::secret::Secret;

use super::door::By;
use super::seal::{Key, Keys};
use super::source::{Passphrase, Way};
use super::{Prompt, Rekeyed, Vault, VaultError, VaultState, blocking, rekey, to_its_end};
use crate::config::VaultKey;
use crate::platform::clock;

impl Vault {
    /// Opens the vault, with the keyring's own prompt where that is locked.
    pub async fn unlock(&self) -> Result<(), VaultError> {
        let vault = self.clone();
        to_its_end(async move {
            let _turn = vault.0.asking.lock().await;
            match vault.0.door.keys() {
                Ok(Some(_)) => Ok(()),
                _ => vault.take_key(Way::Ask(Prompt::Allowed), By::Person).await.map(drop),
            }
        })
        .await
    }

    /// Opens the vault with a passphrase. One is tried at a time, and a wrong one has a pause after
    /// it; where the vault is open already, none is tried.
    pub async fn unlock_with(&self, typed: Passphrase) -> Result<(), VaultError> {
        let vault = self.clone();
        to_its_end(async move {
            let _one = vault.0.trying.try_lock().map_err(|_| VaultError::Busy)?;
            let _turn = vault.0.asking.lock().await;
            match vault.0.door.keys() {
                Ok(Some(_)) => Ok(()),
                _ => vault.guarded(vault.take_key(Way::Type(typed), By::Person)).await.map(drop),
            }
        })
        .await
    }

    /// Whether the key is behind a passphrase, and whether that was chosen yet.
    pub fn passphrase(&self) -> Result<Option<PassphraseState>, VaultError> {
        if self.0.source.place != VaultKey::Passphrase {
            return Ok(None);
        }
        let chosen = self.0.source.has_passphrase()?;
        Ok(Some(if chosen { PassphraseState::Chosen } else { PassphraseState::NotChosen }))
    }

    /// Begins to lock the vault: from here on nobody has a key for anything new. Dropping what this
    /// gives takes it back.
    pub fn begin_to_lock(&self) -> Result<Locking, VaultError> {
        if self.0.source.place == VaultKey::Memory {
            let why = "a vault in memory cannot be locked: all that is in it would be lost";
            return Err(VaultError::Refused(why.to_owned()));
        }
        self.0.door.begin_to_shut();
        Ok(Locking(self.clone()))
    }

    /// Whether a person has locked the vault, or is about to.
    pub fn is_barred(&self) -> bool {
        self.0.door.is_barred()
    }

    /// Makes a new key and seals every record with it. A passphrase is tried first, and stays the
    /// same unless a new one is given.
    pub async fn rekey(&self, typed: Option<Retyped>) -> Result<Rekeyed, VaultError> {
        to_its_end(self.clone().rekey_alone(typed)).await
    }

    async fn rekey_alone(self, typed: Option<Retyped>) -> Result<Rekeyed, VaultError> {
        let _one = self.0.trying.try_lock().map_err(|_| VaultError::Busy)?;
        let _alone = self.0.records.write().await;
        let _turn = self.0.asking.lock().await;
        let keys = self.keys_for_rekey(typed.as_ref()).await?;
        if keys.previous.is_some() {
            let why = "an earlier rekey cannot be brought to its end yet";
            return Err(VaultError::Damaged(why.to_owned()));
        }
        self.rekey_from(keys.current, typed.map(|typed| typed.new.unwrap_or(typed.known))).await
    }

    /// What the place of keys holds: that is the truth. Looking also ends what was interrupted.
    async fn keys_for_rekey(&self, typed: Option<&Retyped>) -> Result<Keys, VaultError> {
        let at_hand = self.0.door.keys()?;
        let is_open = at_hand.is_some();
        let way = match (typed, at_hand) {
            (None, Some(keys)) if self.0.source.place == VaultKey::Memory => return Ok(keys),
            (Some(typed), _) => Way::Type(Passphrase::Known(typed.known.clone())),
            (None, _) => Way::Ask(Prompt::Never),
        };
        let looked = async {
            // Where the vault is open already, a place that is out of reach does not lock it.
            if is_open { self.load(way).await } else { self.take_key(way, By::Person).await }
        };
        if typed.is_some() { self.guarded(looked).await } else { looked.await }
    }

    async fn rekey_from(&self, old: Key, typed: Option<Secret>) -> Result<Rekeyed, VaultError> {
        let new = Key::generate()?;
        let (inner, keys) = (Arc::clone(&self.0), (old.clone(), new.clone()));
        blocking(move || rekey::announce(&inner.store, &keys.0, &keys.1)).await?;
        self.0.source.store(new.clone(), typed).await?;
        let keys = Keys { current: new.clone(), previous: Some(old) };
        self.0.door.replace(keys.clone());
        let inner = Arc::clone(&self.0);
        let reseal = move || {
            inner.head.take_up(&inner.store, &keys)?;
            rekey::reseal(&inner.store, &inner.ledger, &keys)
        };
        let rekeyed = blocking(reseal).await?;
        self.0.door.replace(Keys::only(new));
        tracing::info!(records = rekeyed.records, "the vault has a new key");
        Ok(rekeyed)
    }

    /// Runs what tries a passphrase, unless it comes too soon after a wrong one.
    async fn guarded(
        &self,
        attempt: impl Future<Output = Result<Keys, VaultError>>,
    ) -> Result<Keys, VaultError> {
        let attempts = || self.0.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts().allow(clock::now().boot)?;
        let result = attempt.await;
        match &result {
            Ok(_) => attempts().right(),
            Err(VaultError::WrongPassphrase) => {
                tracing::warn!("a wrong passphrase was given");
                attempts().wrong(clock::now().boot);
            }
            Err(_) => {}
        }
        result
    }
}

/// A passphrase typed again, for a new key.
#[derive(Clone, Debug)]
pub struct Retyped {
    /// The one that there is.
    pub known: Secret,
    /// The one that there is to be, if another.
    pub new: Option<Secret>,
}

/// Whether a vault behind a passphrase has one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PassphraseState {
    /// The first unlocking chooses it.
    NotChosen,
    /// It was chosen.
    Chosen,
}

/// A lock that is about to fall.
#[derive(Debug)]
pub struct Locking(Vault);

impl Locking {
    /// Puts the key out of memory.
    pub fn finish(self) {
        let state = VaultState::Locked("somebody locked it".to_owned(), "brokerctl unlock");
        self.0.0.door.shut();
        self.0.note(state);
    }
}

impl Drop for Locking {
    fn drop(&mut self) {
        self.0.0.door.reopen();
    }
}
