//! A token before it is signed: the place where faults and tests change it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::clock::UnixSeconds;
use crate::keys::KeySet;
use crate::options::Alg;

/// How the third part of a token is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signature {
    /// With the key of this algorithm.
    Genuine(Alg),
    /// A genuine one over other bytes, so that it has the right form and does not verify.
    Foreign(Alg),
    /// Left empty, as `alg: none` has it.
    Empty,
    /// With a key that is not published.
    Strangers,
    /// With HMAC, and the published half of this algorithm's key as the shared secret.
    Hmac(Alg),
}

/// Header and claims, still open to change.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Value,
    pub(crate) signature: Signature,
}

impl Draft {
    /// A draft that will verify, once encoded, with the key that its header names.
    pub(crate) fn new(typ: &str, alg: Alg, keys: &KeySet, claims: Value) -> Self {
        let mut header = Map::new();
        header.insert("alg".to_owned(), json!(alg.name()));
        header.insert("typ".to_owned(), json!(typ));
        header.insert("kid".to_owned(), json!(keys.signing(alg).kid()));
        Self { header, claims, signature: Signature::Genuine(alg) }
    }

    /// Sets one claim.
    pub(crate) fn claim(&mut self, name: &str, value: impl Into<Value>) {
        if let Value::Object(claims) = &mut self.claims {
            claims.insert(name.to_owned(), value.into());
        }
    }

    /// Takes one claim out.
    pub(crate) fn unclaim(&mut self, name: &str) {
        if let Value::Object(claims) = &mut self.claims {
            claims.remove(name);
        }
    }

    /// Makes the token one for another client as well.
    pub(crate) fn claim_several_auds(&mut self) {
        let client = self.claims["aud"].clone();
        self.claim("aud", json!([client, "another-client"]));
    }

    /// When it says that it was issued.
    pub(crate) fn issued(&self) -> UnixSeconds {
        self.claims["iat"].as_u64().unwrap_or_default()
    }

    /// Sets one member of the header; `null` takes it out.
    pub(crate) fn header(&mut self, name: &str, value: impl Into<Value>) {
        match value.into() {
            Value::Null => self.header.remove(name),
            value => self.header.insert(name.to_owned(), value),
        };
    }

    /// Turns the token into one that nobody signed, in this spelling of `none`.
    pub(crate) fn unsign(&mut self, none: &str) {
        self.header("alg", none);
        self.signature = Signature::Empty;
    }

    /// Turns the token into one that everybody can sign who knows the public key, if a client takes
    /// that for a shared secret (RFC 8725 §2.1).
    pub(crate) fn sign_with_public_key(&mut self) {
        if let Signature::Genuine(alg) = self.signature {
            self.header("alg", "HS256");
            self.signature = Signature::Hmac(alg);
        }
    }

    /// Signs with a stranger's key, and shows it in this member of the header: the key itself in
    /// `jwk`, its address in any other.
    pub(crate) fn sign_as_a_stranger(&mut self, member: &str, keys: &KeySet, address: &str) {
        let (alg, key) = keys.strangers();
        self.header("alg", alg.name());
        self.header(member, if member == "jwk" { key } else { json!(address) });
        self.signature = Signature::Strangers;
    }

    /// Keeps the algorithm and spoils the signature.
    pub(crate) fn spoil_signature(&mut self) {
        if let Signature::Genuine(alg) = self.signature {
            self.signature = Signature::Foreign(alg);
        }
    }

    /// The compact serialization (RFC 7515 §7.1).
    pub(crate) fn encode(&self, keys: &KeySet) -> String {
        let header = URL_SAFE_NO_PAD.encode(Value::Object(self.header.clone()).to_string());
        let claims = URL_SAFE_NO_PAD.encode(self.claims.to_string());
        let message = format!("{header}.{claims}");
        let signature = match self.signature {
            Signature::Genuine(alg) => keys.signing(alg).sign(message.as_bytes()),
            Signature::Foreign(alg) => keys.signing(alg).sign(b"another message"),
            Signature::Empty => String::new(),
            Signature::Strangers => keys.sign_as_a_stranger(message.as_bytes()),
            Signature::Hmac(alg) => keys.signing(alg).hmac(message.as_bytes()),
        };
        format!("{message}.{signature}")
    }
}
