//! What callers ask for, parsed.

use std::time::Duration;

use crate::lifecycle::{Need, SignOutReach};
use crate::resource::Resources;
use crate::scope::ScopeSet;
use crate::token::TokenType;

/// Which account is meant: nothing (the default or the only one), an id, a provider's name where
/// it has one account, or a username.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct AccountRef(String);

impl AccountRef {
    /// Takes the caller's word; who it means is looked up among the accounts the caller sees.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The word, or `None` where the caller left the choice to the broker.
    pub fn named(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(self.0.as_str())
    }
}

/// A silent request for an access token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenRequest {
    /// Whose token.
    pub account: AccountRef,
    /// For which APIs; empty for the provider's first configured one.
    pub resources: Resources,
    /// With which scopes; empty for all that were granted.
    pub scopes: ScopeSet,
    /// How fresh it must be.
    pub need: Need,
    /// The authentication contexts that the sign-in behind it may have; empty for any.
    pub acr_values: Vec<String>,
    /// How long ago the person may have proved who they are; `None` for any time.
    pub max_age: Option<Duration>,
    /// How it must be presented; `None` takes either.
    pub token_type: Option<TokenType>,
    /// How long the caller waits; `None` for the broker's own limit, which holds in any case.
    pub timeout: Option<Duration>,
    /// The caller's own word for this request, for the record.
    pub correlation_id: Option<String>,
}

/// A request that may lead to a person: silent first, then a sign-in.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct SignInRequest {
    /// The account or the provider.
    pub target: AccountRef,
    /// Where the person goes.
    pub way: Way,
    /// What is done with the page for a device's code.
    pub code_page: CodePage,
    /// Scopes beyond the provider's configured ones.
    pub scopes: ScopeSet,
    /// The APIs the tokens are for; empty for the configured ones.
    pub resources: Resources,
    /// OpenID Connect's `prompt`, handed on as it is.
    pub prompt: Option<String>,
    /// The authentication contexts asked for (`acr_values`), best first.
    pub acr_values: Vec<String>,
    /// How long ago the person may have proved who they are; `None` for any time.
    pub max_age: Option<Duration>,
    /// How the tokens are to be presented; `None` leaves it to the configuration.
    pub token_type: Option<TokenType>,
    /// Who will probably sign in.
    pub login_hint: Option<String>,
    /// How long to wait for the person; `None` for the broker's own limit.
    pub timeout: Option<Duration>,
    /// The caller's own word for this request, for the record.
    pub correlation_id: Option<String>,
}

/// A request to end a sign-in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignOutRequest {
    /// Whose.
    pub account: AccountRef,
    /// Where it ends.
    pub reach: SignOutReach,
    /// The caller's own word for this request, for the record.
    pub correlation_id: Option<String>,
}

/// Where a person goes to sign in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Way {
    /// Where the provider's configuration says.
    #[default]
    Configured,
    /// To any browser, with a code to type (RFC 8628).
    Device,
}

/// What is done with the page where a person types a device's code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum CodePage {
    /// Its address is told: the person may sit elsewhere.
    #[default]
    Told,
    /// It is opened here, too.
    Opened,
}
