//! The signing keys: made at start, gone with the process.
//!
//! One key for each algorithm that is used. A rotation makes new ones and keeps publishing the
//! public halves of the ones before, so that tokens signed a moment earlier can still be verified.
//!
//! **K1** A key that exists has signed: [`SigningKey::generate`] tries it, so signing with it later
//! cannot fail for a reason that lies in the key.
//!
//! **K2** There is a key for every algorithm that a token is drafted with: those of the options have
//! one from the start, and [`crate::Issuer::mint`] asks [`KeySet::has`] first.

use std::collections::BTreeSet;
use std::io;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use aws_lc_rs::{hmac, rsa};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use serde_json::{Value, json};

use crate::options::Alg;

/// One private key and its published half.
pub(crate) struct SigningKey {
    alg: Alg,
    algorithm: Algorithm,
    private: EncodingKey,
    public: Jwk,
}

/// The keys in use, and the public halves of the ones before.
pub(crate) struct KeySet {
    current: Vec<SigningKey>,
    retired: Vec<Jwk>,
    /// A key of somebody else, which is not published.
    strangers: SigningKey,
}

impl KeySet {
    /// Makes a key for each algorithm.
    pub(crate) fn generate(algorithms: &BTreeSet<Alg>) -> io::Result<Self> {
        let keys = algorithms.iter().map(|alg| SigningKey::generate(*alg));
        let (current, retired) = (keys.collect::<io::Result<_>>()?, Vec::new());
        Ok(Self { current, retired, strangers: SigningKey::generate(Alg::Es256)? })
    }

    /// The set that follows this one: new keys for the same algorithms, these ones retired.
    pub(crate) fn successor(&self) -> io::Result<Self> {
        let algorithms = self.current.iter().map(|key| key.alg).collect();
        let retired = self.current.iter().map(|key| key.public.clone()).collect();
        Ok(Self { retired, ..Self::generate(&algorithms)? })
    }

    pub(crate) fn has(&self, alg: Alg) -> bool {
        self.current.iter().any(|key| key.alg == alg)
    }

    #[expect(clippy::expect_used, reason = "K2, above")]
    pub(crate) fn signing(&self, alg: Alg) -> &SigningKey {
        self.current.iter().find(|key| key.alg == alg).expect("K2: there is a key for it")
    }

    /// The public keys (RFC 7517 §4).
    pub(crate) fn documents(&self) -> Vec<Value> {
        self.published().map(|key| json!(key)).collect()
    }

    /// The algorithm and the public half of a stranger's key.
    pub(crate) fn strangers(&self) -> (Alg, Value) {
        (Alg::Es256, json!(self.strangers.public))
    }

    /// A signature with a stranger's key.
    pub(crate) fn sign_as_a_stranger(&self, message: &[u8]) -> String {
        self.strangers.sign(message)
    }

    /// Checks a signature of ours and gives the claims, whatever their times say.
    pub(crate) fn verify(&self, token: &str) -> Option<serde_json::Map<String, Value>> {
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let key = self.published().find(|key| key.common.key_id.as_ref() == Some(&kid))?;
        let algorithm = key.common.key_algorithm?.to_string().parse().ok()?;
        let mut rules = jsonwebtoken::Validation::new(algorithm);
        (rules.validate_exp, rules.validate_aud) = (false, false);
        rules.required_spec_claims.clear();
        let key = DecodingKey::from_jwk(key).ok()?;
        jsonwebtoken::decode(token, &key, &rules).ok().map(|token| token.claims)
    }

    fn published(&self) -> impl Iterator<Item = &Jwk> {
        self.current.iter().map(|key| &key.public).chain(&self.retired)
    }
}

impl SigningKey {
    pub(crate) fn generate(alg: Alg) -> io::Result<Self> {
        let (private, algorithm) = match alg {
            Alg::Es256 => (es256_key()?, Algorithm::ES256),
            Alg::Rs256 => (rsa_key()?, Algorithm::RS256),
            Alg::Ps256 => (rsa_key()?, Algorithm::PS256),
            Alg::EdDsa => (ed25519_key()?, Algorithm::EdDSA),
        };
        crypto::sign(b"K1", &private, algorithm).map_err(io::Error::other)?;
        let public = published_half(&private, algorithm).map_err(io::Error::other)?;
        Ok(Self { alg, algorithm, private, public })
    }

    /// The RFC 7638 thumbprint of the public key.
    pub(crate) fn kid(&self) -> &str {
        self.public.common.key_id.as_deref().unwrap_or_default()
    }

    /// The signature over `message`, base64url.
    #[expect(clippy::expect_used, reason = "K1, above")]
    pub(crate) fn sign(&self, message: &[u8]) -> String {
        crypto::sign(message, &self.private, self.algorithm).expect("K1: the key has signed before")
    }

    /// What HS256 makes of `message`, with the public half as the secret that it is not.
    pub(crate) fn hmac(&self, message: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, json!(self.public).to_string().as_bytes());
        URL_SAFE_NO_PAD.encode(hmac::sign(&key, message))
    }
}

fn published_half(
    private: &EncodingKey,
    algorithm: Algorithm,
) -> jsonwebtoken::errors::Result<Jwk> {
    let mut public = Jwk::from_encoding_key(private, algorithm)?;
    public.common.key_id = Some(public.thumbprint(ThumbprintHash::SHA256)?);
    public.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok(public)
}

fn es256_key() -> io::Result<EncodingKey> {
    let rng = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &rng)
        .map_err(io::Error::other)?;
    Ok(EncodingKey::from_ec_der(pkcs8.as_ref()))
}

/// `from_rsa_der` wants PKCS#1, which aws-lc-rs does not write; the PEM reader unwraps PKCS#8.
fn rsa_key() -> io::Result<EncodingKey> {
    let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).map_err(io::Error::other)?;
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(io::Error::other)?;
    let base64 = STANDARD.encode(pkcs8.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
    EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(io::Error::other)
}

/// The reader of public halves wants PKCS#8 in its first version, without the public key in it.
fn ed25519_key() -> io::Result<EncodingKey> {
    let pair = Ed25519KeyPair::generate().map_err(io::Error::other)?;
    let pkcs8 = pair.to_pkcs8v1().map_err(io::Error::other)?;
    Ok(EncodingKey::from_ed_der(pkcs8.as_ref()))
}
