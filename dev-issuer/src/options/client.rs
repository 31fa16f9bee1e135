//! Who may ask: the clients that an issuer knows.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::GrantType;
use crate::error::OAuthError;
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
    /// The grants that it may use, as far as they are served at all.
    pub grants: BTreeSet<GrantType>,
    /// Whether its access tokens must be bound to a key.
    pub binding: TokenBinding,
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

/// Whether the access tokens of a client must be bound to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenBinding {
    /// To the key that it proves, if it proves one.
    AsProven,
    /// Always, where DPoP is served (`dpop_bound_access_tokens`, RFC 9449 §5.2).
    Required,
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
    /// logout, `/signed-out`, each on `127.0.0.1`, `[::1]` and `localhost`. It may use every grant
    /// but client credentials: anybody could be it.
    pub fn public(id: impl Into<String>, name: impl Into<String>) -> Self {
        let of_its_own = GrantType::ClientCredentials;
        Self {
            id: id.into(),
            name: name.into(),
            auth: ClientAuth::None,
            grants: GrantType::ALL.into_iter().filter(|grant| *grant != of_its_own).collect(),
            binding: TokenBinding::AsProven,
            redirect_uris: on_loopback("/callback"),
            post_logout_redirect_uris: on_loopback("/signed-out"),
        }
    }

    /// The same with a secret, and with every grant.
    pub fn confidential(
        id: impl Into<String>,
        name: impl Into<String>,
        secret: ClientSecret,
    ) -> Self {
        Self::proving(ClientAuth::Secret(secret), Self::public(id, name))
    }

    /// The same with keys that it signs assertions with, and with every grant.
    pub fn with_keys(id: impl Into<String>, name: impl Into<String>, keys: ClientKeys) -> Self {
        Self::proving(ClientAuth::PrivateKeyJwt(keys), Self::public(id, name))
    }

    fn proving(auth: ClientAuth, public: Self) -> Self {
        Self { auth, grants: GrantType::ALL.into(), ..public }
    }

    /// Refuses a grant that this client may not use.
    pub(crate) fn may_use(&self, grant: GrantType) -> Result<(), OAuthError> {
        if self.grants.contains(&grant) {
            return Ok(());
        }
        Err(OAuthError::new("unauthorized_client", "this grant is not for this client"))
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

    /// The JWK Set.
    pub(crate) fn document(&self) -> Value {
        json!({ "keys": self.0.iter().map(PublicKey::document).collect::<Vec<_>>() })
    }

    /// The keys that may have signed what names this key id, or none.
    pub(crate) fn candidates(&self, kid: Option<&str>) -> impl Iterator<Item = &PublicKey> {
        self.0.iter().filter(move |key| kid.is_none() || key.id() == kid)
    }
}
