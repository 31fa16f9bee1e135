//! The key encrypted with a passphrase, in the `age` format (<https://age-encryption.org/v1>).
//!
//! The file holds the vault's own random key, so that a passphrase can be changed without a record
//! being touched, and a person can open the file with the `age` program alone. Guessing is slow by
//! scrypt's cost; guessing through the broker is slower still ([`Attempts`]).

use std::time::Duration;

use age::DecryptError;
use age::scrypt::{Identity, Recipient};
use age::secrecy::SecretString;
use authbroker_core::secret::Secret;
use authbroker_core::time::BootTime;
use zeroize::Zeroizing;

use super::file_store::{Extra, Store};
use super::seal::Key;
use super::{Passphrase, VaultError, missing};

/// scrypt's cost, as a power of two: about a third of a second, and 128 MiB for that long.
const WORK_FACTOR: u8 = 17;
/// The highest cost that is paid for a file somebody else wrote: twice that of the `age` program.
const MAX_WORK_FACTOR: u8 = 19;

/// The pause after the first wrong passphrase. It doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause: a person who remembers at last should not wait longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Opens the key with a known passphrase, or makes one with a first.
pub(super) fn load_or_make(
    passphrase: &Passphrase,
    store: &Store,
    empty: bool,
) -> Result<Key, VaultError> {
    match (store.read_extra(Extra::EncryptedKey)?, passphrase) {
        (Some(bytes), Passphrase::Known(text)) => open(&bytes, text, store),
        (Some(_), Passphrase::First(_)) => {
            Err(VaultError::Refused("the vault has a passphrase already".to_owned()))
        }
        (None, _) if !empty => {
            Err(missing(&store.place_of(Extra::EncryptedKey).display().to_string()))
        }
        (None, Passphrase::First(text)) => {
            let key = Key::generate()?;
            store_key(text, store, &key)?;
            Ok(key)
        }
        (None, Passphrase::Known(_)) => {
            Err(VaultError::Refused("the vault has no passphrase yet".to_owned()))
        }
    }
}

/// Encrypts a key in the place of the one there.
pub(super) fn store_key(text: &Secret, store: &Store, key: &Key) -> Result<(), VaultError> {
    if text.expose().is_empty() {
        return Err(VaultError::Refused("an empty passphrase protects nothing".to_owned()));
    }
    let mut recipient = Recipient::new(SecretString::from(text.expose().to_owned()));
    recipient.set_work_factor(WORK_FACTOR);
    let bytes = age::encrypt(&recipient, key.to_text().as_bytes())
        .map_err(|_| VaultError::Damaged("the key cannot be encrypted".to_owned()))?;
    store.write_extra(Extra::EncryptedKey, &bytes)
}

fn open(bytes: &[u8], text: &Secret, store: &Store) -> Result<Key, VaultError> {
    let damaged = |what: &str| {
        let place = store.place_of(Extra::EncryptedKey);
        VaultError::Damaged(format!("{} {what}", place.display()))
    };
    let mut identity = Identity::new(SecretString::from(text.expose().to_owned()));
    identity.set_max_work_factor(MAX_WORK_FACTOR);
    let plain = age::decrypt(&identity, bytes).map_err(|error| match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            VaultError::WrongPassphrase
        }
        DecryptError::ExcessiveWork { .. } => damaged("asks for too much work"),
        _ => damaged("was changed, or is cut off"),
    })?;
    let text = String::from_utf8(plain).map(Zeroizing::new).ok();
    text.and_then(|text| Key::from_text(&text)).ok_or_else(|| damaged("holds no key"))
}

/// How often a wrong passphrase was given, and when the next one is heard.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    wrong: u32,
    not_before: BootTime,
}

impl Attempts {
    /// Whether one is heard now, or how long to wait.
    pub(super) fn allow(&self, now: BootTime) -> Result<(), VaultError> {
        let left = now.until(self.not_before);
        if left.is_zero() { Ok(()) } else { Err(VaultError::TooSoon(left)) }
    }

    /// Takes note of a wrong one.
    pub(super) fn wrong(&mut self, now: BootTime) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.wrong.min(5)).min(LONGEST_PAUSE);
        self.wrong += 1;
        self.not_before = now.plus(pause);
    }

    /// Takes note of the right one.
    pub(super) fn right(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> BootTime {
        BootTime::from_start(Duration::from_secs(seconds))
    }

    #[test]
    fn each_wrong_passphrase_doubles_the_wait_up_to_half_a_minute() {
        let mut attempts = Attempts::default();
        let mut waits = Vec::new();
        for _ in 0..7 {
            attempts.wrong(at(100));
            let Err(VaultError::TooSoon(wait)) = attempts.allow(at(100)) else { panic!() };
            waits.push(wait.as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        assert!(attempts.allow(at(130)).is_ok());
        attempts.right();
        assert!(attempts.allow(at(100)).is_ok());
    }
}
