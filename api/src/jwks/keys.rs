//! The issuer's public keys, parsed once and then only looked up.
//!
//! 1. The document is a JWK set ([RFC 7517 §5]). An entry that cannot be read, that is for another
//!    use or that is too weak is left out; the rest still works.
//! 2. A key answers for the algorithms that its type, curve and `alg` allow, and for no other.
//! 3. [`KeySet::fitting`] finds keys by `kid` and algorithm together, so a decoy under a known
//!    `kid` is never tried with an algorithm that is not its own.
//!
//! [RFC 7517 §5]: https://www.rfc-editor.org/rfc/rfc7517#section-5

use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations,
    PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use serde::Deserialize;
use serde_json::Value;

use crate::algorithm::SigningAlg;
use crate::issuer::Issuer;

/// Bits. RFC 7518 §3.3 requires this many at least.
const MIN_RSA_BITS: usize = 2048;

/// A token without `kid` is tried with every key that fits, so their number bounds the work that
/// one request can cause.
const MAX_KEYS: usize = 32;

/// The usable keys of one issuer. They know whose they are, so that those of one issuer never check
/// the tokens of another.
#[derive(Debug)]
pub struct KeySet {
    issuer: Issuer,
    keys: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    kid: Option<String>,
    /// The algorithm that the issuer ties the key to, if it does.
    alg: Option<KeyAlgorithm>,
    material: Material,
    decoding: DecodingKey,
}

/// What the key itself can do, whatever its entry says.
#[derive(Debug)]
enum Material {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl KeySet {
    /// Reads an issuer's JWK set, leaving out what cannot verify a signature here.
    pub fn parse(issuer: Issuer, document: &[u8]) -> Result<Self, InvalidKeySet> {
        let Document { keys } = serde_json::from_slice(document)?;
        let keys: Vec<_> = keys.into_iter().filter_map(Key::parse).take(MAX_KEYS).collect();
        if keys.is_empty() { Err(InvalidKeySet::Empty) } else { Ok(Self { issuer, keys }) }
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
    ) -> impl Iterator<Item = &DecodingKey> {
        self.keys
            .iter()
            .filter(move |key| kid.is_none() || key.kid.as_deref() == kid)
            .filter(move |key| key.signs_with(alg.get()))
            .map(|key| &key.decoding)
    }
}

/// The document before its entries are looked at, one by one: one bad entry must not cost them all.
#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl Key {
    fn parse(entry: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(entry).ok()?;
        let material = Material::of(&jwk)?;
        let decoding = DecodingKey::from_jwk(&jwk).ok()?;
        let usable = is_for_signatures(&jwk.common) && is_strong(&decoding);
        let (kid, alg) = (jwk.common.key_id, jwk.common.key_algorithm);
        usable.then_some(Self { kid, alg, material, decoding })
    }

    fn signs_with(&self, alg: Algorithm) -> bool {
        self.material.can(alg) && self.alg.is_none_or(|own| own == KeyAlgorithm::from(alg))
    }
}

impl Material {
    fn of(jwk: &Jwk) -> Option<Self> {
        match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => Some(Self::Rsa),
            AlgorithmParameters::EllipticCurve(key) => match key.curve {
                EllipticCurve::P256 => Some(Self::P256),
                EllipticCurve::P384 => Some(Self::P384),
                _ => None,
            },
            AlgorithmParameters::OctetKeyPair(key) => {
                (key.curve == EllipticCurve::Ed25519).then_some(Self::Ed25519)
            }
            _ => None,
        }
    }

    fn can(&self, alg: Algorithm) -> bool {
        use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        match self {
            Self::Rsa => matches!(alg, RS256 | RS384 | RS512 | PS256 | PS384 | PS512),
            Self::P256 => alg == ES256,
            Self::P384 => alg == ES384,
            Self::Ed25519 => alg == EdDSA,
        }
    }
}

fn is_for_signatures(key: &CommonParameters) -> bool {
    let by_use = key.public_key_use.as_ref().is_none_or(|used| *used == PublicKeyUse::Signature);
    let by_operations =
        key.key_operations.as_ref().is_none_or(|ops| ops.contains(&KeyOperations::Verify));
    by_use && by_operations
}

fn is_strong(key: &DecodingKey) -> bool {
    match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, .. } => bits(n) >= MIN_RSA_BITS,
        DecodingKeyKind::SecretOrDer(_) => true,
    }
}

/// The length of a big-endian number, without the zeros that may stand before it.
fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let unused = number.get(zeros).map_or(0, |first| first.leading_zeros() as usize);
    (number.len() - zeros) * 8 - unused
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
