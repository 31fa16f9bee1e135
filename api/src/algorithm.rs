//! The signature algorithms that a token may be signed with.
//!
//! A [`SigningAlg`] is asymmetric by construction: there is no value for `none` or for an HMAC, so
//! no list of them can let one in. RFC 8725 §3.1 and §3.2 say why: a verifier that takes HMAC
//! treats the issuer's public key as a shared secret, which everybody knows.

use std::fmt;
use std::str::FromStr;

use jsonwebtoken::{Algorithm, AlgorithmFamily};

/// An asymmetric signature algorithm, by its name in [RFC 7518 §3.1] or [RFC 8037 §3.1].
///
/// [RFC 7518 §3.1]: https://www.rfc-editor.org/rfc/rfc7518#section-3.1
/// [RFC 8037 §3.1]: https://www.rfc-editor.org/rfc/rfc8037#section-3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningAlg(Algorithm);

impl SigningAlg {
    /// What is accepted unless the settings say otherwise.
    ///
    /// RS256 is the one that RFC 9068 §2.1 obliges every resource server to take.
    pub const DEFAULT: [Self; 4] = [
        Self(Algorithm::RS256),
        Self(Algorithm::PS256),
        Self(Algorithm::ES256),
        Self(Algorithm::EdDSA),
    ];

    /// All that there are.
    pub(crate) const ALL: [Self; 9] = [
        Self(Algorithm::RS256),
        Self(Algorithm::RS384),
        Self(Algorithm::RS512),
        Self(Algorithm::PS256),
        Self(Algorithm::PS384),
        Self(Algorithm::PS512),
        Self(Algorithm::ES256),
        Self(Algorithm::ES384),
        Self(Algorithm::EdDSA),
    ];

    /// Their names with blanks between, as a challenge lists them.
    pub(crate) fn names(algs: &[Self]) -> String {
        algs.iter().map(Self::to_string).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn get(self) -> Algorithm {
        self.0
    }
}

impl FromStr for SigningAlg {
    type Err = UnknownAlg;

    fn from_str(name: &str) -> Result<Self, UnknownAlg> {
        let alg = Algorithm::from_str(name).map_err(|_| UnknownAlg)?;
        match alg.family() {
            AlgorithmFamily::Hmac => Err(UnknownAlg),
            AlgorithmFamily::Rsa | AlgorithmFamily::Ec | AlgorithmFamily::Ed => Ok(Self(alg)),
        }
    }
}

impl fmt::Display for SigningAlg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The name is of no asymmetric algorithm that this server can check.
#[derive(Debug, thiserror::Error)]
#[error("not an asymmetric signature algorithm (known: RS256, PS256, ES256, EdDSA and their kin)")]
pub struct UnknownAlg;
