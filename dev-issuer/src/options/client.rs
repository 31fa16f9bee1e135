//! Who may ask: the clients that an issuer knows.

use serde_json::Value;

use crate::jose::PublicKey;
use crate::secret::ClientSecret;

/// A registered client.
#[derive(Clone, Debug)]
pub struct Client {
    /// The `client_id`.
    pub id: String,
    /// What the consent page calls it.
    pub name: String,
    /// How it proves itself.
    pub auth: ClientAuth,
    /// Where answers may go. The port of `127.0.0.1` and `[::1]` is free.
    pub redirect_uris: Vec<String>,
    /// Where a person may be sent after a logout, under the same rule.
    pub post_logout_redirect_uris: Vec<String>,
}

/// How a client proves itself (RFC 6749 §2.3). It does so in this way and in no other.
#[derive(Clone, Debug)]
pub enum ClientAuth {
    /// Not at all: it is a public client.
    None,
    /// With a secret, in the `Authorization` header or in the body.
    Secret(ClientSecret),
    /// With a signature: `private_key_jwt` (RFC 7523 §2.2).
    PrivateKeyJwt(ClientKeys),
}

/// The public keys of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientKeys(Vec<PublicKey>);

/// A JWK Set that no client can prove itself with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a JWK Set of public keys, each for ES256, EdDSA or PS256, and at least one of them")]
pub struct BadKeys;

impl Client {
    /// A public client with the loopback redirect URIs of a native app: `/callback` and, after a
    /// logout, `/signed-out`, each on `127.0.0.1`, `[::1]` and `localhost`.
    pub fn public(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            auth: ClientAuth::None,
            redirect_uris: on_loopback("/callback"),
            post_logout_redirect_uris: on_loopback("/signed-out"),
        }
    }

    /// The same with a secret.
    pub fn confidential(
        id: impl Into<String>,
        name: impl Into<String>,
        secret: ClientSecret,
    ) -> Self {
        Self { auth: ClientAuth::Secret(secret), ..Self::public(id, name) }
    }

    /// The same with keys that it signs assertions with.
    pub fn with_keys(id: impl Into<String>, name: impl Into<String>, keys: ClientKeys) -> Self {
        Self { auth: ClientAuth::PrivateKeyJwt(keys), ..Self::public(id, name) }
    }

    /// Says whether this client has nothing to prove itself with (RFC 6749 §2.1).
    pub(crate) fn is_public(&self) -> bool {
        matches!(self.auth, ClientAuth::None)
    }
}

fn on_loopback(path: &str) -> Vec<String> {
    ["127.0.0.1", "[::1]", "localhost"].map(|host| format!("http://{host}{path}")).to_vec()
}

impl ClientKeys {
    /// Takes a JWK Set (RFC 7517 §5).
    ///
    /// # Errors
    /// Where it is none, is empty, or has a key that is not public or not of a kind taken here.
    pub fn parse(jwks: &Value) -> Result<Self, BadKeys> {
        let keys = jwks.get("keys").and_then(Value::as_array).ok_or(BadKeys)?;
        let keys: Option<Vec<_>> = keys.iter().map(PublicKey::parse).collect();
        keys.filter(|keys| !keys.is_empty()).map(Self).ok_or(BadKeys)
    }

    /// The keys that may have signed what names this key id, or none.
    pub(crate) fn candidates(&self, kid: Option<&str>) -> impl Iterator<Item = &PublicKey> {
        self.0.iter().filter(move |key| kid.is_none() || key.id() == kid)
    }
}
