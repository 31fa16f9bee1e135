//! One public key, and what it can verify.
//!
//! A key answers for the algorithms that its type, curve and `alg` allow, and for no other; one that
//! is for another use or too weak is no key here. That holds for the keys of an issuer and for the
//! one in a DPoP proof alike.
//!
//! `jsonwebtoken` reads the JWK. The check itself is done by the library below it, because
//! `jsonwebtoken` takes every key apart again for every signature, which for RSA costs as much as
//! the check.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents, VerificationAlgorithm,
};
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
    /// The key as each algorithm that it answers for takes it.
    ready: Vec<(SigningAlg, ParsedPublicKey)>,
}

impl PublicKey {
    /// The key of a JWK, if it is one for verifying signatures by at least one of `algs`.
    pub(crate) fn of(jwk: &Jwk, algs: &[SigningAlg]) -> Option<Self> {
        let decoding = DecodingKey::from_jwk(jwk).ok()?;
        if !is_for_signatures(&jwk.common) || !is_strong(&decoding) {
            return None;
        }
        // An owner may tie the key to one algorithm.
        let own = jwk.common.key_algorithm;
        let tied = |alg: SigningAlg| own.is_none_or(|own| own == KeyAlgorithm::from(alg.get()));
        let can = algs.iter().filter(|alg| tied(**alg) && is_of_kind(&jwk.algorithm, alg.get()));
        let ready: Vec<_> =
            can.filter_map(|alg| Some((*alg, prepare(&decoding, alg.get())?))).collect();
        (!ready.is_empty()).then(|| Self { kid: jwk.common.key_id.clone(), ready })
    }

    /// Whether it can have made a signature by `alg`.
    pub(crate) fn signs_with(&self, alg: SigningAlg) -> bool {
        self.ready_for(alg).is_some()
    }

    /// Whether it made the signature of `jws`.
    pub(crate) fn signed(&self, jws: &Jws<'_>, alg: SigningAlg) -> bool {
        let made =
            |key: &ParsedPublicKey| key.verify_sig(jws.signed.as_bytes(), jws.signature()).is_ok();
        self.ready_for(alg).is_some_and(made)
    }

    fn ready_for(&self, alg: SigningAlg) -> Option<&ParsedPublicKey> {
        self.ready.iter().find(|(ready, _)| *ready == alg).map(|(_, key)| key)
    }
}

/// Whether keys of this type and curve sign by this algorithm (RFC 7518 §3.1, RFC 8037 §3.1).
fn is_of_kind(key: &AlgorithmParameters, alg: Algorithm) -> bool {
    match key {
        AlgorithmParameters::RSA(_) => rsa(alg).is_some(),
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => alg == Algorithm::ES256,
            EllipticCurve::P384 => alg == Algorithm::ES384,
            _ => false,
        },
        AlgorithmParameters::OctetKeyPair(key) => {
            key.curve == EllipticCurve::Ed25519 && alg == Algorithm::EdDSA
        }
        _ => false,
    }
}

/// Parses the key once, for all the signatures by this algorithm that are to come.
fn prepare(key: &DecodingKey, alg: Algorithm) -> Option<ParsedPublicKey> {
    match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, e } => {
            RsaPublicKeyComponents { n, e }.to_parsed_public_key(rsa(alg)?).ok()
        }
        DecodingKeyKind::SecretOrDer(point) => ParsedPublicKey::new(curve(alg)?, point).ok(),
    }
}

fn rsa(alg: Algorithm) -> Option<&'static RsaParameters> {
    match alg {
        Algorithm::RS256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Some(&RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Some(&RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Some(&RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}

fn curve(alg: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    match alg {
        Algorithm::ES256 => Some(&ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => Some(&ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDSA => Some(&ED25519),
        _ => None,
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
