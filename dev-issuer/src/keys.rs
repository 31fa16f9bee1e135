//! The signing keys: made at start, gone with the process.
//!
//! One key for each algorithm. A rotation makes new ones and keeps publishing the public halves of
//! the ones before, so that tokens signed a moment earlier can still be verified.
//!
//! **K1** A key that exists has signed: [`SigningKey::generate`] tries it, so signing with it later
//! cannot fail for a reason that lies in the key.

use std::io;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use aws_lc_rs::{hmac, rsa};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use serde_json::{Value, json};

use crate::options::Alg;

/// One private key and its published half.
pub(crate) struct SigningKey {
    algorithm: Algorithm,
    private: EncodingKey,
    public: Jwk,
}

/// The keys in use, and the public halves of the ones before.
pub(crate) struct KeySet {
    es256: SigningKey,
    rs256: SigningKey,
    retired: Vec<Jwk>,
    /// A key of somebody else, which is not published.
    strangers: SigningKey,
}

impl KeySet {
    /// Makes all keys.
    pub(crate) fn generate() -> io::Result<Self> {
        let (es256, rs256) = (SigningKey::generate(Alg::Es256)?, SigningKey::generate(Alg::Rs256)?);
        let strangers = SigningKey::generate(Alg::Es256)?;
        Ok(Self { es256, rs256, retired: Vec::new(), strangers })
    }

    /// The set that follows this one: new keys, these ones retired.
    pub(crate) fn succeeded_by(&self, successor: Self) -> Self {
        let retired = vec![self.es256.public.clone(), self.rs256.public.clone()];
        Self { retired, ..successor }
    }

    pub(crate) fn signing(&self, alg: Alg) -> &SigningKey {
        match alg {
            Alg::Es256 => &self.es256,
            Alg::Rs256 => &self.rs256,
        }
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
        [&self.es256.public, &self.rs256.public].into_iter().chain(&self.retired)
    }
}

impl SigningKey {
    pub(crate) fn generate(alg: Alg) -> io::Result<Self> {
        let (private, algorithm) = match alg {
            Alg::Es256 => (es256_key()?, Algorithm::ES256),
            Alg::Rs256 => (rs256_key()?, Algorithm::RS256),
        };
        crypto::sign(b"K1", &private, algorithm).map_err(io::Error::other)?;
        let public = published_half(&private, algorithm).map_err(io::Error::other)?;
        Ok(Self { algorithm, private, public })
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
fn rs256_key() -> io::Result<EncodingKey> {
    let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).map_err(io::Error::other)?;
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(io::Error::other)?;
    let base64 = STANDARD.encode(pkcs8.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
    EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(io::Error::other)
}
