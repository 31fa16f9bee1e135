//! Keys that sign whatever they are given, right or wrong.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use serde_json::{Value, json};

use super::with;

/// A private key under a key id.
pub struct TestKey {
    pub kid: String,
    secret: Secret,
}

enum Secret {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl TestKey {
    pub fn p256(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { kid: kid.to_owned(), secret: Secret::P256(pair) }
    }

    pub fn ed25519(kid: &str) -> Self {
        Self { kid: kid.to_owned(), secret: Secret::Ed25519(Ed25519KeyPair::generate().unwrap()) }
    }

    pub fn rsa(kid: &str) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        Self { kid: kid.to_owned(), secret: Secret::Rsa(pair) }
    }

    /// The public half, as it stands in a JWK set.
    pub fn jwk(&self) -> Value {
        let own = match &self.secret {
            Secret::P256(pair) => {
                let point = pair.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "x": b64(&point[1..33]), "y": b64(&point[33..]) })
            }
            Secret::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(pair.public_key().as_ref()) })
            }
            Secret::Rsa(pair) => {
                let modulus = pair.public_key().modulus();
                let n = modulus.big_endian_without_leading_zero();
                json!({ "kty": "RSA", "n": b64(n), "e": "AQAB" })
            }
        };
        with(own, &json!({ "kid": self.kid, "use": "sig" }))
    }

    /// The public half alone, as it stands in a proof.
    pub fn bare_jwk(&self) -> Value {
        with(self.jwk(), &json!({ "kid": null, "use": null }))
    }

    /// The thumbprint that a token is bound to (RFC 7638).
    pub fn thumbprint(&self) -> String {
        let jwk: Jwk = serde_json::from_value(self.bare_jwk()).unwrap();
        jwk.thumbprint(ThumbprintHash::SHA256).unwrap()
    }

    /// The public half as everybody can have it, in the forms that an attacker may use as a secret.
    pub fn public_forms(&self) -> Vec<Vec<u8>> {
        let Secret::Rsa(pair) = &self.secret else { return Vec::new() };
        let modulus = pair.public_key().modulus().big_endian_without_leading_zero().to_vec();
        let der = pair.public_key().as_der().unwrap().as_ref().to_vec();
        let body = STANDARD.encode(&der);
        let lines: Vec<_> = body.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        let pem =
            format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
        vec![b64(&modulus).into_bytes(), modulus, der, pem.into_bytes()]
    }

    /// A token of the profile's type.
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({}), claims)
    }

    /// A token whose header has other members (`null` leaves one out).
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        let alg = header.get("alg").and_then(Value::as_str).unwrap_or(self.alg()).to_owned();
        let signed = unsigned(&with(self.header(), header), claims);
        let signature = self.sign(&alg, signed.as_bytes());
        format!("{signed}.{}", b64(&signature))
    }

    /// A token of the profile's type with this very payload, whatever it is.
    pub fn token_of(&self, payload: &str) -> String {
        let header = b64(self.header().to_string().as_bytes());
        let signed = format!("{header}.{}", b64(payload.as_bytes()));
        format!("{signed}.{}", b64(&self.sign(self.alg(), signed.as_bytes())))
    }

    fn header(&self) -> Value {
        json!({ "typ": "at+jwt", "alg": self.alg(), "kid": self.kid })
    }

    fn alg(&self) -> &'static str {
        match self.secret {
            Secret::P256(_) => "ES256",
            Secret::Ed25519(_) => "EdDSA",
            Secret::Rsa(_) => "RS256",
        }
    }

    fn sign(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.secret {
            Secret::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Secret::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Secret::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                if alg == "PS256" {
                    pair.sign(&RSA_PSS_SHA256, &random, message, &mut signature).unwrap();
                } else {
                    pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                }
                signature
            }
        }
    }
}

/// A token with an HMAC for a signature.
pub fn hmac_token(secret: &[u8], header: &Value, claims: &Value) -> String {
    let signed = unsigned(header, claims);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    format!("{signed}.{}", b64(tag.as_ref()))
}

/// The part of a token that is signed.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", b64(header.to_string().as_bytes()), b64(claims.to_string().as_bytes()))
}

pub fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
