//! Key documents that do not help, and some that only look so.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::BadAnswer::{Document, Huge, Never, Redirect, Status};
use super::Effect::{Answer, Keys, Rotation};
use super::Endpoint::Jwks;

faults! {
    /// The key document answers 500.
    jwks_500 => Answer(Jwks, Status(StatusCode::INTERNAL_SERVER_ERROR)),
    /// The key document redirects to another host.
    jwks_redirect => Answer(Jwks, Redirect(StatusCode::FOUND)),
    /// The key document has 256 MiB.
    jwks_huge => Answer(Jwks, Huge),
    /// The key document never comes.
    jwks_hang => Answer(Jwks, Never),
    /// The key document is a page for people.
    jwks_not_json => Answer(Jwks, Document(StatusCode::OK, "<!doctype html><title>Hello")),
    /// The key document has something else than a list of keys.
    jwks_mistyped => Answer(Jwks, Document(StatusCode::OK, "{\"keys\":{\"first\":1}}")),
    /// No key is published.
    jwks_empty => Keys(Vec::clear),
    /// One RSA key is published, and it has no name. A token needs none then.
    jwks_one_without_kid => Keys(|keys| {
        keys.retain(|key| key["kty"] == "RSA");
        keys.truncate(1);
        each(keys, |key| remove(key, "kid"));
    }),
    /// No key has a name.
    jwks_without_kids => Keys(|keys| each(keys, |key| remove(key, "kid"))),
    /// No key says which algorithm it is for.
    jwks_without_algs => Keys(|keys| each(keys, |key| remove(key, "alg"))),
    /// Every key has another name than the tokens say.
    jwks_other_kids => Keys(|keys| {
        each(keys, |key| key["kid"] = format!("other-{}", text(key, "kid")).into());
    }),
    /// Before the good keys stand kinds of keys that nobody knows yet, and things that are no keys.
    jwks_unknown_kty => Keys(|keys| {
        let strange = |key: &Value| json!({ "kty": "KEM", "kid": key["kid"], "pub": "AA" });
        let mut strangers: Vec<_> = keys.iter().map(strange).collect();
        strangers.extend([json!("no key"), json!(7), json!({}), json!({ "kty": 1 })]);
        keys.splice(0..0, strangers);
    }),
    /// Before each good key stand others of the same name, for other algorithms and other uses.
    jwks_decoys => Keys(|keys| *keys = keys.iter().flat_map(among_decoys).collect()),
    /// Before each good key stands another that differs in its numbers alone.
    jwks_twins => Keys(|keys| {
        *keys = keys.iter().flat_map(|key| [another_of(key), key.clone()]).collect();
    }),
    /// Every key is for encryption.
    jwks_use_enc => Keys(|keys| each(keys, |key| key["use"] = "enc".into())),
    /// Every RSA key has 1024 bits.
    jwks_1024_bits => Keys(|keys| each(keys, shorten)),
    /// The issuer takes new keys right before it signs.
    jwks_rotated => Rotation,
}

fn each(keys: &mut [Value], change: impl Fn(&mut Value)) {
    keys.iter_mut().for_each(change);
}

fn text<'a>(key: &'a Value, name: &str) -> &'a str {
    key[name].as_str().unwrap_or_default()
}

fn remove(key: &mut Value, name: &str) {
    if let Value::Object(members) = key {
        members.remove(name);
    }
}

fn among_decoys(key: &Value) -> Vec<Value> {
    let with = |members: Value| {
        let mut decoy = another_of(key);
        if let (Value::Object(decoy), Value::Object(members)) = (&mut decoy, members) {
            decoy.extend(members);
        }
        decoy
    };
    let others = match text(key, "kty") {
        "RSA" => json!({ "alg": "PS512" }),
        _ => json!({ "crv": "P-384", "alg": "ES384" }),
    };
    vec![
        with(others),
        with(json!({ "use": "enc", "alg": "RSA-OAEP-256" })),
        with(json!({ "key_ops": ["encrypt"], "use": null, "alg": null })),
        json!({ "kty": "oct", "kid": key["kid"], "k": "AAAA" }),
        json!({ "kty": "OKP", "kid": key["kid"], "crv": "X25519", "x": "AAAA" }),
        key.clone(),
    ]
}

/// The same key with other numbers: its signatures do not verify.
fn another_of(key: &Value) -> Value {
    let mut other = key.clone();
    for name in ["n", "x"] {
        if let Some(number) = key[name].as_str() {
            other[name] = number.chars().rev().collect::<String>().into();
        }
    }
    other
}

fn shorten(key: &mut Value) {
    let Ok(mut modulus) = URL_SAFE_NO_PAD.decode(text(key, "n")) else { return };
    if !modulus.is_empty() {
        modulus.truncate(128);
        key["n"] = URL_SAFE_NO_PAD.encode(modulus).into();
    }
}
