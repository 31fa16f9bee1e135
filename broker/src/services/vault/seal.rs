//! The vault's key, and sealing with it: AES-256-GCM with a fresh random nonce each time.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::VaultError;

/// 256 random bits.
#[derive(Clone)]
pub(super) struct Key(Zeroizing<[u8; 32]>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// A new key.
    pub(super) fn generate() -> Result<Self, VaultError> {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::fill(bytes.as_mut()).map_err(|_| damaged("this machine gives no random numbers"))?;
        Ok(Self(bytes))
    }

    /// Reads the 44 characters that [`Key::to_text`] wrote.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).ok()?);
        let bytes: [u8; 32] = bytes.as_slice().try_into().ok()?;
        Some(Self(Zeroizing::new(bytes)))
    }

    /// The key as text: 44 characters, which fit into every keyring.
    pub(super) fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(*self.0))
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

    /// Opens what [`Key::seal`] sealed with the same header, or fails.
    pub(super) fn open(
        &self,
        header: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let fails = || damaged("the key does not fit, or the record was changed");
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or_else(fails)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| fails())?;
        let mut plain = Zeroizing::new(body.to_vec());
        let length = {
            let opened = self.aead()?.open_in_place(nonce, Aad::from(header), &mut plain);
            opened.map_err(|_| fails())?.len()
        };
        plain.truncate(length);
        Ok(plain)
    }

    fn aead(&self) -> Result<RandomizedNonceKey, VaultError> {
        RandomizedNonceKey::new(&AES_256_GCM, self.0.as_ref())
            .map_err(|_| damaged("the key is unusable"))
    }
}

fn damaged(what: &str) -> VaultError {
    VaultError::Damaged(what.to_owned())
}
