//! The vault's key, and sealing with it: AES-256-GCM with a fresh random nonce each time.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::VaultError;

/// What a key's name is made from. Another word makes other names, and no record finds its key.
const NAMING: &[u8] = b"authbroker: the name of a vault key";

/// 256 random bits.
#[derive(Clone)]
pub(super) struct Key {
    bytes: Zeroizing<[u8; 32]>,
    id: KeyId,
}

/// A key's name. It tells keys apart and says nothing else about them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct KeyId(String);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}…)", self.id.0)
    }
}

impl Key {
    /// A new key.
    pub(super) fn generate() -> Result<Self, VaultError> {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::fill(bytes.as_mut()).map_err(|_| damaged("this machine gives no random numbers"))?;
        Ok(Self::from_bytes(bytes))
    }

    /// Derives a key from a secret of any length (HKDF-SHA-256, RFC 5869), for one `purpose`.
    pub(super) fn derive(secret: &[u8], purpose: &[u8]) -> Result<Self, VaultError> {
        let mut bytes = Zeroizing::new([0; 32]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
            .extract(secret)
            .expand(&[purpose], hkdf::HKDF_SHA256)
            .and_then(|material| material.fill(bytes.as_mut()))
            .map_err(|_| damaged("no key can be derived"))?;
        Ok(Self::from_bytes(bytes))
    }

    fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        let named = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, bytes.as_ref()), NAMING);
        let id = KeyId(HEXLOWER.encode(&named.as_ref()[..8]));
        Self { bytes, id }
    }

    /// Reads the 44 characters that [`Key::to_text`] wrote.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).ok()?);
        let bytes: [u8; 32] = bytes.as_slice().try_into().ok()?;
        Some(Self::from_bytes(Zeroizing::new(bytes)))
    }

    /// The key as text: 44 characters, which fit into every keyring.
    pub(super) fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(*self.bytes))
    }

    /// The key itself, to derive others from.
    pub(super) const fn expose(&self) -> &Zeroizing<[u8; 32]> {
        &self.bytes
    }

    /// The key's name.
    pub(super) const fn id(&self) -> &KeyId {
        &self.id
    }

    /// Seals `plain`, bound to `header`.
    pub(super) fn seal(&self, header: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut sealed = plain.to_vec();
        let nonce = self
            .aead()?
            .seal_in_place_append_tag(Aad::from(header), &mut sealed)
            .map_err(|_| damaged("a record could not be sealed"))?;
        let mut bytes = nonce.as_ref().to_vec();
        bytes.append(&mut sealed);
        Ok(bytes)
    }

    /// Opens what [`Key::seal`] sealed with the same header; `None` where it is another one.
    pub(super) fn open(&self, header: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut plain = Zeroizing::new(body.to_vec());
        let length =
            self.aead().ok()?.open_in_place(nonce, Aad::from(header), &mut plain).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }

    /// A key for tags, derived for one `purpose`.
    pub(super) fn for_tags(&self, purpose: &[u8]) -> Result<hmac::Key, VaultError> {
        let derived = Self::derive(self.bytes.as_ref(), purpose)?;
        Ok(hmac::Key::new(hmac::HMAC_SHA256, derived.bytes.as_ref()))
    }

    fn aead(&self) -> Result<RandomizedNonceKey, VaultError> {
        RandomizedNonceKey::new(&AES_256_GCM, self.bytes.as_ref())
            .map_err(|_| damaged("the key is unusable"))
    }
}

/// The key in force and, until a rekey is finished, the one before it.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) current: Key,
    pub(super) previous: Option<Key>,
}

/// Why something sealed does not open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Unopened {
    #[error("it was sealed with another key")]
    OtherKey,
    #[error("the key does not fit, or it was changed")]
    Changed,
}

impl Keys {
    /// A key without a past.
    pub(super) const fn only(key: Key) -> Self {
        Self { current: key, previous: None }
    }

    /// Opens what was sealed with the key of that name. Where none is named, as in the first
    /// format, each is tried.
    pub(super) fn open(
        &self,
        id: Option<&KeyId>,
        header: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let named = |key: &&Key| id.is_none_or(|id| key.id() == id);
        let mut keys = self.all().filter(named).peekable();
        keys.peek().ok_or(Unopened::OtherKey)?;
        keys.find_map(|key| key.open(header, sealed)).ok_or(Unopened::Changed)
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

fn damaged(what: &str) -> VaultError {
    VaultError::Damaged(what.to_owned())
}
