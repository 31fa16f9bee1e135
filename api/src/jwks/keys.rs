//! The issuer's public keys, parsed once and then only looked up.
//!
//! 1. The document is a JWK set ([RFC 7517 §5]). An entry that cannot be read, that is for another
//!    use or that is too weak is left out; the rest still works.
//! 2. [`KeySet::fitting`] finds keys by `kid` and algorithm together, so a decoy under a known
//!    `kid` is never tried with an algorithm that is not its own.
//!
//! [RFC 7517 §5]: https://www.rfc-editor.org/rfc/rfc7517#section-5

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::Value;

use crate::algorithm::SigningAlg;
use crate::issuer::Issuer;
use crate::public_key::PublicKey;

/// A token without `kid` is tried with every key that fits, so their number bounds the work that
/// one request can cause.
const MAX_KEYS: usize = 32;

/// The usable keys of one issuer. They know whose they are, so that those of one issuer never check
/// the tokens of another.
#[derive(Debug)]
pub struct KeySet {
    issuer: Issuer,
    keys: Vec<PublicKey>,
    /// The SHA-256 of the document.
    document: [u8; 32],
}

impl KeySet {
    /// Reads an issuer's JWK set, leaving out what cannot verify a signature here.
    pub fn parse(issuer: Issuer, document: &[u8]) -> Result<Self, InvalidKeySet> {
        let Document { keys } = serde_json::from_slice(document)?;
        let keys: Vec<_> = keys.into_iter().filter_map(key).take(MAX_KEYS).collect();
        if keys.is_empty() {
            return Err(InvalidKeySet::Empty);
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, document).as_ref());
        Ok(Self { issuer, keys, document: hash })
    }

    /// Whether both were read from the same document.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.document == other.document
    }

    /// Whose keys these are.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The keys that can have made a signature by `alg` under `kid`; any `kid` if the token has none.
    pub(crate) fn fitting(
        &self,
        kid: Option<&str>,
        alg: SigningAlg,
    ) -> impl Iterator<Item = &PublicKey> {
        self.keys
            .iter()
            .filter(move |key| kid.is_none() || key.kid.as_deref() == kid)
            .filter(move |key| key.signs_with(alg))
    }
}

/// The document before its entries are looked at, one by one: one bad entry must not cost them all.
#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

fn key(entry: Value) -> Option<PublicKey> {
    PublicKey::of(&serde_json::from_value(entry).ok()?, &SigningAlg::ALL)
}

/// Why a document holds no keys for this server.
#[derive(Debug, thiserror::Error)]
pub enum InvalidKeySet {
    /// It is not JSON, or not a JWK set.
    #[error("the document is not a JWK set")]
    NotAJwkSet(#[from] serde_json::Error),
    /// No entry is fit for verifying; the keys known before are kept instead.
    #[error("the JWK set has no usable signature key")]
    Empty,
}
