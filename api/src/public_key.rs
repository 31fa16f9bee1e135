//! One public key, and what it can verify.
//!
//! A key answers for the algorithms that its type, curve and `alg` allow, and for no other; one that
//! is for another use or too weak is no key here. That holds for the keys of an issuer and for the
//! one in a DPoP proof alike.

use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations,
    PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};

use crate::algorithm::SigningAlg;
use crate::jws::Jws;

/// Bits. RFC 7518 §3.3 requires this many at least.
const MIN_RSA_BITS: usize = 2048;

#[derive(Debug)]
pub(crate) struct PublicKey {
    pub(crate) kid: Option<String>,
    /// The algorithm that its owner ties the key to, if they do.
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

impl PublicKey {
    /// The key of a JWK, if it is one for verifying signatures.
    pub(crate) fn of(jwk: &Jwk) -> Option<Self> {
        let material = Material::of(jwk)?;
        let decoding = DecodingKey::from_jwk(jwk).ok()?;
        let usable = is_for_signatures(&jwk.common) && is_strong(&decoding);
        let (kid, alg) = (jwk.common.key_id.clone(), jwk.common.key_algorithm);
        usable.then_some(Self { kid, alg, material, decoding })
    }

    /// Whether it can have made a signature by `alg`.
    pub(crate) fn signs_with(&self, alg: SigningAlg) -> bool {
        let alg = alg.get();
        self.material.can(alg) && self.alg.is_none_or(|own| own == KeyAlgorithm::from(alg))
    }

    /// Whether it made the signature of `jws`.
    pub(crate) fn signed(&self, jws: &Jws<'_>, alg: SigningAlg) -> bool {
        let message = jws.signed.as_bytes();
        jsonwebtoken::crypto::verify(jws.signature, message, &self.decoding, alg.get())
            .unwrap_or(false)
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
