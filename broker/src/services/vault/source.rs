//! Where the key is kept: how it is had from there, and how another takes its place.

use std::sync::Arc;
use std::time::Duration;

use authbroker_core::secret::Secret;

use super::file_store::{Extra, Store};
use super::seal::Key;
use super::{Prompt, VaultError, blocking, credential, key_file, passphrase};
use crate::config::VaultKey;

/// What a person typed.
#[derive(Clone, Debug)]
pub enum Passphrase {
    /// The passphrase that there is.
    Known(Secret),
    /// One for a vault that has none yet.
    First(Secret),
}

/// How the key may be had.
#[derive(Clone, Debug)]
pub(super) enum Way {
    Ask(Prompt),
    Type(Passphrase),
}

/// The key's place, and the store for what lies beside the records.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) place: VaultKey,
    pub(super) store: Arc<Store>,
}

impl Source {
    /// Reads the key. Where there is none and no record waits for one, makes it.
    pub(super) async fn load(&self, way: Way) -> Result<Key, VaultError> {
        let store = Arc::clone(&self.store);
        let empty = blocking(move || store.is_empty()).await?;
        let store = Arc::clone(&self.store);
        match (self.place.clone(), way) {
            (VaultKey::Memory, _) => Key::generate(),
            (VaultKey::Keyring, Way::Ask(prompt)) => keyring::load_or_make(prompt, empty).await,
            (VaultKey::File(path), Way::Ask(_)) => {
                blocking(move || key_file::load_or_make(&path, empty)).await
            }
            (VaultKey::Credential(name), Way::Ask(_)) => {
                blocking(move || credential::load_or_make(&name, &store, empty)).await
            }
            (VaultKey::Passphrase, Way::Ask(_)) => {
                Err(VaultError::locked("its passphrase was not given yet", "brokerctl unlock"))
            }
            (VaultKey::Passphrase, Way::Type(typed)) => {
                blocking(move || passphrase::load_or_make(&typed, &store, empty)).await
            }
            (other, Way::Type(_)) => {
                let why = format!(
                    "this vault has no passphrase: its key is kept as {}",
                    other.describe()
                );
                Err(VaultError::Refused(why))
            }
        }
    }

    /// Puts another key in the place of the one there. Whether that happened where this fails is
    /// not known: the place tells.
    pub(super) async fn store(&self, key: Key, typed: Option<Secret>) -> Result<(), VaultError> {
        let store = Arc::clone(&self.store);
        match (self.place.clone(), typed) {
            (VaultKey::Memory, _) => Ok(()),
            (VaultKey::Keyring, _) => keyring::store_key(&key).await,
            (VaultKey::File(path), _) => blocking(move || key_file::store(&path, &key)).await,
            (VaultKey::Credential(name), _) => {
                blocking(move || credential::store_key(&name, &store, &key)).await
            }
            (VaultKey::Passphrase, Some(text)) => {
                blocking(move || passphrase::store_key(&text, &store, &key)).await
            }
            (VaultKey::Passphrase, None) => {
                Err(VaultError::Refused("the passphrase is missing".to_owned()))
            }
        }
    }

    /// Whether the vault has a passphrase that a person knows.
    pub(super) fn has_passphrase(&self) -> Result<bool, VaultError> {
        Ok(self.store.read_extra(Extra::EncryptedKey)?.is_some())
    }
}

/// The pause before a place is looked at again that gives no signs.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// What tells that the key may have come.
pub(super) enum Signs {
    Keyring(keyring::Signs),
    /// A place that changes without a word: it is looked at now and then.
    None,
    /// Only a person helps.
    Person,
}

impl Source {
    /// Begins to look out for the key.
    pub(super) async fn signs(&self) -> Signs {
        match self.place {
            VaultKey::Keyring => Signs::Keyring(keyring::Signs::listen().await),
            VaultKey::Passphrase => Signs::Person,
            VaultKey::File(_) | VaultKey::Credential(_) | VaultKey::Memory => Signs::None,
        }
    }
}

impl Signs {
    /// Waits until it is worth trying again.
    pub(super) async fn next(&mut self) {
        match self {
            Self::Keyring(signs) => signs.next().await,
            Self::None => tokio::time::sleep(LOOK_AGAIN).await,
            Self::Person => std::future::pending().await,
        }
    }
}

#[cfg(target_os = "linux")]
use super::os_keyring as keyring;
#[cfg(target_os = "linux")]
pub use super::os_keyring::look_at_keyring;

#[cfg(not(target_os = "linux"))]
pub use self::keyring::look_at_keyring;

#[cfg(not(target_os = "linux"))]
mod keyring {
    use super::{Key, Prompt, VaultError};

    #[expect(clippy::unused_async, reason = "as on systems that have one")]
    pub(super) async fn load_or_make(_: Prompt, _: bool) -> Result<Key, VaultError> {
        Err(no_keyring())
    }

    #[expect(clippy::unused_async, reason = "as on systems that have one")]
    pub(super) async fn store_key(_: &Key) -> Result<(), VaultError> {
        Err(no_keyring())
    }

    /// Whether there is a keyring.
    pub async fn look_at_keyring() -> Result<(), VaultError> {
        Err(no_keyring())
    }

    pub(in crate::services::vault) struct Signs;

    impl Signs {
        #[expect(clippy::unused_async, reason = "as on systems that have one")]
        pub(super) async fn listen() -> Self {
            Self
        }

        pub(super) async fn next(&mut self) {
            std::future::pending::<()>().await;
        }
    }

    fn no_keyring() -> VaultError {
        let why = "the keyring of this system is not supported by this version yet";
        VaultError::locked(why, "set [vault] key = \"file:…\" or \"passphrase\"")
    }
}
