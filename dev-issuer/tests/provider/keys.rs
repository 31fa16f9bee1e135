//! Keys of clients, and what they sign.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PSS_SHA256,
};
use aws_lc_rs::{hmac, rand, rsa};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// A private key of a client.
pub(crate) enum ClientKey {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(rsa::KeyPair),
}

impl ClientKey {
    pub(crate) fn p256() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn ed25519() -> Self {
        Self::Ed25519(Ed25519KeyPair::generate().unwrap())
    }

    pub(crate) fn rsa() -> Self {
        Self::Rsa(rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap())
    }

    pub(crate) fn alg(&self) -> &'static str {
        match self {
            Self::P256(_) => "ES256",
            Self::Ed25519(_) => "EdDSA",
            Self::Rsa(_) => "PS256",
        }
    }

    /// The public half.
    pub(crate) fn jwk(&self) -> Value {
        match self {
            Self::P256(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = (b64(&point[1..33]), b64(&point[33..]));
                json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })
            }
            Self::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(pair.public_key().as_ref()) })
            }
            Self::Rsa(pair) => {
                let modulus = pair.public_key().modulus();
                let n = b64(modulus.big_endian_without_leading_zero());
                json!({ "kty": "RSA", "e": "AQAB", "n": n })
            }
        }
    }

    /// The RFC 7638 thumbprint: of these JWKs it takes the members in the order of their names.
    pub(crate) fn thumbprint(&self) -> String {
        let members: std::collections::BTreeMap<String, Value> =
            serde_json::from_value(self.jwk()).unwrap();
        b64(&Sha256::digest(serde_json::to_string(&members).unwrap()))
    }

    /// A JWT with exactly this header and these claims.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!(
            "{}.{}",
            b64(header.to_string().as_bytes()),
            b64(claims.to_string().as_bytes())
        );
        format!("{message}.{}", b64(&self.signature(message.as_bytes())))
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PSS_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    /// A good proof for a request.
    pub(crate) fn proof(&self, method: &str, url: &str) -> Proof<'_> {
        let header = json!({ "typ": "dpop+jwt", "alg": self.alg(), "jwk": self.jwk() });
        let claims = json!({ "htm": method, "htu": url, "jti": fresh_id(), "iat": now() });
        Proof { key: self, header, claims }
    }
}

/// A DPoP proof, still open to change.
pub(crate) struct Proof<'a> {
    key: &'a ClientKey,
    header: Value,
    claims: Value,
}

impl Proof<'_> {
    /// Sets a member of the header; `null` takes it out.
    pub(crate) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.header, name, value.into());
        self
    }

    /// Sets a claim; `null` takes it out.
    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.claims, name, value.into());
        self
    }

    pub(crate) fn with_token(self, access_token: &str) -> Self {
        self.claim("ath", b64(&Sha256::digest(access_token)))
    }

    pub(crate) fn sign(&self) -> String {
        self.key.sign(&self.header, &self.claims)
    }

    /// An HMAC in the place of the signature.
    pub(crate) fn sign_with_hmac(&self, secret: &[u8]) -> String {
        let genuine = self.sign();
        let (message, _) = genuine.rsplit_once('.').unwrap();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        format!("{message}.{}", b64(tag.as_ref()))
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    let members: &mut Map<String, Value> = object.as_object_mut().unwrap();
    members.insert(name.to_owned(), value);
    members.retain(|_, value| !value.is_null());
}

pub(crate) fn fresh_id() -> String {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).unwrap();
    b64(&bytes)
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

pub(crate) fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
