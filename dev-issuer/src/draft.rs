//! A token before it is signed: the place where faults and tests change it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

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

    /// Turns the token into one that nobody signed.
    pub(crate) fn unsign(&mut self) {
        self.header.insert("alg".to_owned(), json!("none"));
        self.signature = Signature::Empty;
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
        };
        format!("{message}.{signature}")
    }
}
