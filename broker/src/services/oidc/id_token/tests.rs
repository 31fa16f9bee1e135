//! Tokens of every algorithm, made here and checked as a sign-in checks them.

use std::slice::from_ref;

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use openidconnect::JsonWebKey as _;
use serde_json::{Value, json};

use super::*;
use crate::platform::clock;

const ISSUER: &str = "https://login.example";
const ACCESS_TOKEN: &str = "an-access-token";

fn oidc() -> Oidc {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let text = format!("[provider.dev]\nissuer = {ISSUER:?}\nclient_id = \"app\"\n");
    std::fs::write(&file, text).unwrap();
    let settings = crate::config::load(Some(&file), true).unwrap();
    Oidc::new(settings.providers.into_values().next().unwrap())
}

/// Checks a token of a refresh with these keys, and gives its subject or what is wrong.
fn check(token: &str, keys: &[Value]) -> Result<String, String> {
    let oidc = oidc();
    let access_token = &Secret::new(ACCESS_TOKEN.to_owned());
    let (occasion, now) = (&Occasion::Refresh { subject: "alice" }, clock::now().wall);
    let expected = Expected { issuer: ISSUER, client_id: "app", access_token, occasion, now };
    let told = reading::read(&Secret::new(token.to_owned()), &expected).and_then(|reading| {
        let keys = Keys::read(&json!({ "keys": keys })).unwrap();
        oidc.check_with(&keys, &reading, &expected)
    });
    told.map(|told| told.subject)
        .map_err(|rejected| TokenError::from(rejected).to_failure().message)
}

/// The claims of a good token.
fn claims() -> Value {
    let now = clock::now().wall.as_secs();
    json!({ "iss": ISSUER, "sub": "alice", "aud": "app", "iat": now, "exp": now + 300 })
}

fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

/// A fresh key for an algorithm, and its published half.
fn key(algorithm: Algorithm) -> (EncodingKey, Value) {
    let _already = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let random = SystemRandom::new();
    let ec = |curve| {
        let der = EcdsaKeyPair::generate_pkcs8(curve, &random).unwrap();
        EncodingKey::from_ec_der(der.as_ref())
    };
    let private = match algorithm {
        Algorithm::EdDSA => return edwards_key(),
        Algorithm::ES256 => ec(&ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::ES384 => ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
        _ => {
            let der: Pkcs8V1Der<'_> =
                rsa::KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
            let text = STANDARD.encode(der.as_ref());
            let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
            EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
        }
    };
    let public = json!(Jwk::from_encoding_key(&private, algorithm).unwrap());
    (private, with(public, "kid", "a"))
}

/// RFC 8037 §2; the JWT library writes no public half of these.
fn edwards_key() -> (EncodingKey, Value) {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(der.as_ref()).unwrap();
    let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let public = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "a", "x": x });
    (EncodingKey::from_ed_der(der.as_ref()), public)
}

fn sign(algorithm: Algorithm, key: &EncodingKey, claims: &Value) -> String {
    let header = Header { kid: Some("a".to_owned()), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, claims, key).unwrap()
}

/// The hash of the access token (OpenID Connect Core §3.1.3.6).
fn at_hash(hash: &'static digest::Algorithm) -> String {
    let hash = digest::digest(hash, ACCESS_TOKEN.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..hash.as_ref().len() / 2])
}

#[test]
fn every_algorithm_of_the_list_is_believed_with_its_own_key_and_hash() {
    for (algorithm, hash) in [
        (Algorithm::RS256, &SHA256),
        (Algorithm::RS384, &SHA384),
        (Algorithm::RS512, &SHA512),
        (Algorithm::PS256, &SHA256),
        (Algorithm::PS384, &SHA384),
        (Algorithm::PS512, &SHA512),
        (Algorithm::ES256, &SHA256),
        (Algorithm::ES384, &SHA384),
        (Algorithm::EdDSA, &SHA512),
    ] {
        let ((private, public), (_, other)) = (key(algorithm), key(algorithm));
        let good = with(claims(), "at_hash", at_hash(hash));
        let token = sign(algorithm, &private, &good);
        assert_eq!(check(&token, from_ref(&public)), Ok("alice".to_owned()), "{algorithm:?}");
        // Of two keys of one name, the one that verifies is found, and no other does.
        assert!(check(&token, &[other.clone(), public.clone()]).is_ok(), "{algorithm:?}");
        let error = check(&token, &[other]).unwrap_err();
        assert!(error.contains("does not verify"), "{algorithm:?}: {error}");
        let bad = sign(algorithm, &private, &with(claims(), "at_hash", "AAAAAAAAAAAAAAAAAAAAAA"));
        let error = check(&bad, &[public]).unwrap_err();
        assert!(error.contains("at_hash"), "{algorithm:?}: {error}");
    }
}

#[test]
fn a_key_of_another_algorithm_of_its_kind_is_not_the_one() {
    let (private, public) = key(Algorithm::PS256);
    let token = sign(Algorithm::RS256, &private, &claims());
    let error = check(&token, from_ref(&public)).unwrap_err();
    assert!(error.contains("a key that it does not publish"), "{error}");
    let mut silent = public;
    silent.as_object_mut().unwrap().remove("alg");
    assert!(check(&token, &[silent]).is_ok(), "it does not say what it is for");
}

#[test]
fn a_key_of_1024_bits_is_refused_although_its_signature_verifies() {
    let key = json!({ "kty": "RSA", "kid": "a", "e": "AQAB", "n": WEAK_MODULUS });
    let public: CoreJsonWebKey = serde_json::from_value(key.clone()).unwrap();
    let (message, signature) = WEAK_TOKEN.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert!(public.verify_signature(&ALGORITHMS[0], message.as_bytes(), &signature).is_ok());
    let error = check(WEAK_TOKEN, &[key]).unwrap_err();
    assert!(error.contains("an RSA key of 1024 bits"), "{error}");
}

#[test]
fn clocks_may_differ_by_a_minute_and_no_more() {
    let (private, public) = key(Algorithm::ES256);
    let now = clock::now().wall.as_secs();
    let checked = |name: &str, at: u64| {
        check(&sign(Algorithm::ES256, &private, &with(claims(), name, at)), from_ref(&public))
    };
    // Half a minute from the border, so that a slow machine stays on its side of it.
    for (name, near, far, words) in [
        ("exp", now - 30, now - 90, "it has expired"),
        ("iat", now + 30, now + 120, "it was issued in the future"),
        ("nbf", now + 30, now + 120, "it is not valid yet"),
    ] {
        assert!(checked(name, near).is_ok(), "{name}");
        let error = checked(name, far).unwrap_err();
        assert!(error.contains(words), "{name}: {error}");
    }
}

#[test]
fn times_may_be_written_as_large_providers_write_them() {
    let (private, public) = key(Algorithm::ES256);
    for exp in [json!("2100-01-01T00:00:00Z"), json!(4_102_444_800.5)] {
        let token = sign(Algorithm::ES256, &private, &with(claims(), "exp", exp));
        assert!(check(&token, from_ref(&public)).is_ok());
    }
}

#[test]
fn what_is_no_token_is_told_apart() {
    for (text, words) in [
        ("", "it is no JWT"),
        ("a.b", "it is no JWT"),
        ("!.!.!", "it is no JWT"),
        ("e30.e30.AA", "its algorithm \"\" is not accepted"),
        ("W10.e30.AA", "it is no JWT"),
        ("a.b.c.d.e", "it is encrypted"),
        (ACCESS_TOKEN, "it is the access token once more"),
    ] {
        let error = check(text, &[]).unwrap_err();
        assert!(error.contains(words), "{text:?}: {error}");
    }
}

/// Of a key that was made for this test and thrown away.
const WEAK_MODULUS: &str = concat!(
    "r2Zu6WFjZkfDF9eKKNogOe-ZbTmtR6SdaCe6bPqmlpThXzWf052rlHccDK0dL6lJQLd3ZkuWo6QKRgaugiV9",
    "wC_m22tikg5SMIF0TsBA1PZo9P5baX-5SIAe8m7-7dha90h-yK0i-bRXfuXqHPqdPedQAwXy73_V2B9NW6l7",
    "49U",
);
/// Good in everything but the length of the key.
const WEAK_TOKEN: &str = concat!(
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJzdWIiO",
    "iJhbGljZSIsImF1ZCI6ImFwcCIsImV4cCI6NDEwMjQ0NDgwMCwiaWF0IjoxNzAwMDAwMDAwfQ.fQ-JSvj2fk",
    "JiNRUmyv0yqufO_bYTJ6zjDLQvoF_78dDaeBB1f9PmWStwdxit_y5AvQWa3G4OvppmZ0AE2RhlbssmnE67Iz",
    "MHfpo92_mAxJ5FXFD63vJPfPU96WVH_b2P4L820wglB34yksrm_dVvKAdllL8m92eQI6ToTshVL-o",
);
