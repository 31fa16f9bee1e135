//! What is handed out: access tokens, and the keys they are asked for by.

use std::time::Duration;

use crate::resource::Resources;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::time::BootTime;

/// How a token is presented to an API.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TokenType {
    /// Whoever holds it may use it (RFC 6750).
    Bearer,
}

impl TokenType {
    /// The word of the `Authorization` header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
        }
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

/// An access token in memory. It is never written anywhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessToken {
    /// The token itself.
    pub value: Secret,
    /// How it is presented.
    pub token_type: TokenType,
    /// What it allows, as the provider said it.
    pub scopes: ScopeSet,
    /// The APIs it was asked for.
    pub resources: Resources,
    /// When it was asked for: its age counts from the question, not from the answer.
    pub issued: BootTime,
    /// When the provider ends it.
    pub expires: BootTime,
}

impl AccessToken {
    /// How long it lives in all.
    pub const fn lifetime(&self) -> Duration {
        self.issued.until(self.expires)
    }

    /// How long it still lives.
    pub const fn left(&self, now: BootTime) -> Duration {
        now.until(self.expires)
    }
}
