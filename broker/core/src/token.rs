//! What is handed out: access tokens, and the keys they are asked for by.

use std::time::Duration;

use crate::audit::Fingerprint;
use crate::authentication::Authentication;
use crate::resource::Resources;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::time::BootTime;

/// How a token is presented to an API.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TokenType {
    /// Whoever holds it may use it (RFC 6750).
    Bearer,
    /// Only who can sign with its key may use it, with a proof for each request (RFC 9449).
    DPoP,
}

impl TokenType {
    /// The word of the `Authorization` header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::DPoP => "DPoP",
        }
    }

    /// Reads the word, in any letter case (RFC 6749 §5.1).
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Bearer, Self::DPoP].into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(word))
    }
}

/// What distinguishes one access token of an account from another (I5).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SlotKey {
    /// The scopes asked for; empty for all that were granted.
    pub scopes: ScopeSet,
    /// The APIs it is for; empty for the provider's default.
    pub resources: Resources,
}

/// An access token's text, with what the record knows it by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenValue {
    text: Secret,
    /// Made once: a token is given out many times.
    fingerprint: Fingerprint,
}

impl TokenValue {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        let text = Secret::new(text);
        Self { fingerprint: Fingerprint::of(&text), text }
    }

    /// The text itself. Every use of this is a place to look at.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// The text, still wrapped.
    pub const fn as_secret(&self) -> &Secret {
        &self.text
    }

    /// What it is called where it must not be seen.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

/// An access token in memory. It is never written anywhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessToken {
    /// The token itself.
    pub value: TokenValue,
    /// The private key that it is bound to (RFC 9449 §5). A bearer token has none.
    pub bound_to: Option<Secret>,
    /// What it allows, as the provider said it.
    pub scopes: ScopeSet,
    /// The APIs it was asked for.
    pub resources: Resources,
    /// How and when the person behind it proved who they are.
    pub authentication: Authentication,
    /// When it was asked for: its age counts from the question, not from the answer.
    pub issued: BootTime,
    /// When the provider ends it.
    pub expires: BootTime,
}

impl AccessToken {
    /// How it is presented.
    pub const fn token_type(&self) -> TokenType {
        match self.bound_to {
            Some(_) => TokenType::DPoP,
            None => TokenType::Bearer,
        }
    }

    /// How long it lives in all.
    pub const fn lifetime(&self) -> Duration {
        self.issued.until(self.expires)
    }

    /// How long it still lives.
    pub const fn left(&self, now: BootTime) -> Duration {
        now.until(self.expires)
    }
}
