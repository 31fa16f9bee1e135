//! What clients sign: DPoP proofs and client assertions (RFC 7515, RFC 7517).
//!
//! The algorithm is one of a short list and must fit the key, whatever the header says. Where a
//! header has `crit`, the token is refused: no extension is understood here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::{Map, Value, json};

/// What clients may sign with: no HMAC, no PKCS #1 v1.5 (FAPI 2.0 Security Profile §5.4.1).
pub(crate) const ALGORITHMS: [&str; 3] = ["ES256", "EdDSA", "PS256"];

/// The members of a JWK that nobody else may see (RFC 7518 §6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A public key of a client. It has no private member, or it would not have been parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey(Jwk);

/// The SHA-256 thumbprint of a public key (RFC 7638), base64url.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Thumbprint(String);

/// A signed JWT, taken apart and not yet believed.
#[derive(Clone, Debug)]
pub(crate) struct SignedJwt<'a> {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
    message: &'a str,
    signature: &'a str,
}

impl PublicKey {
    pub(crate) fn parse(jwk: &Value) -> Option<Self> {
        let members = jwk.as_object()?;
        if PRIVATE.iter().any(|name| members.contains_key(*name)) {
            return None;
        }
        let jwk: Jwk = serde_json::from_value(jwk.clone()).ok()?;
        algorithm(&jwk).map(|_| Self(jwk))
    }

    pub(crate) fn document(&self) -> Value {
        json!(self.0)
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.0.common.key_id.as_deref()
    }

    pub(crate) fn thumbprint(&self) -> Option<Thumbprint> {
        self.0.thumbprint(ThumbprintHash::SHA256).ok().map(Thumbprint)
    }
}

/// The one algorithm of [`ALGORITHMS`] that a key is for.
fn algorithm(key: &Jwk) -> Option<Algorithm> {
    match &key.algorithm {
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            Some(Algorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            Some(Algorithm::EdDSA)
        }
        AlgorithmParameters::RSA(_) => Some(Algorithm::PS256),
        _ => None,
    }
}

impl Thumbprint {
    /// Takes one that a parameter carries: the 43 characters of a SHA-256.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> SignedJwt<'a> {
    /// Takes the compact serialization apart (RFC 7515 §7.1).
    pub(crate) fn parse(token: &'a str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        Some(Self { header: object(header)?, claims: object(claims)?, message, signature })
    }

    /// The type of the token, in lower case and without `application/` (RFC 7515 §4.1.9).
    pub(crate) fn typ(&self) -> Option<String> {
        let typ = self.header.get("typ")?.as_str()?.to_ascii_lowercase();
        Some(typ.strip_prefix("application/").unwrap_or(&typ).to_owned())
    }

    pub(crate) fn header_text(&self, name: &str) -> Option<&str> {
        self.header.get(name)?.as_str()
    }

    /// A claim that is a string with something in it.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// A claim that is a time in whole seconds.
    pub(crate) fn seconds(&self, name: &str) -> Option<u64> {
        self.claims.get(name)?.as_u64()
    }

    /// Says whether `key` made the signature, with the algorithm that it is for.
    pub(crate) fn is_signed_by(&self, PublicKey(key): &PublicKey) -> bool {
        let Some(algorithm) = algorithm(key) else { return false };
        let named = self.header_text("alg").and_then(|alg| alg.parse().ok());
        if named != Some(algorithm) || self.header.contains_key("crit") {
            return false;
        }
        DecodingKey::from_jwk(key).is_ok_and(|key| {
            crypto::verify(self.signature, self.message.as_bytes(), &key, algorithm) == Ok(true)
        })
    }
}

fn object(encoded: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::{PublicKey, Thumbprint, json};

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037_appendix_a_3() {
        // Outside of a running issuer nobody has installed the provider that hashes.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let key = PublicKey::parse(&json!({ "kty": "OKP", "crv": "Ed25519", "x": x }));
        let thumbprint = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
        assert_eq!(key.and_then(|key| key.thumbprint()), Thumbprint::parse(thumbprint));
    }

    #[test]
    fn private_keys_shared_secrets_and_other_curves_are_no_public_keys() {
        for jwk in [
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "x", "d": "d" }),
            json!({ "kty": "oct", "k": "c2VjcmV0" }),
            json!({ "kty": "EC", "crv": "P-384", "x": "x", "y": "y" }),
            json!({ "kty": "AKP", "pub": "x" }),
            json!("key"),
        ] {
            assert_eq!(PublicKey::parse(&jwk), None, "{jwk}");
        }
    }
}
