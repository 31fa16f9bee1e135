//! What an app asks for, put together by naming what matters and leaving out the rest.

use std::time::Duration;

use crate::wire::broker1::{Acquire, GetToken};

/// A silent request for an access token.
///
/// ```
/// use authbroker_client::TokenRequest;
/// let request = TokenRequest::new().resource("https://api.example").scope("mail.read");
/// ```
#[derive(Debug, Clone, Default)]
pub struct TokenRequest(pub(crate) GetToken);

impl TokenRequest {
    /// A token of the default or only account, for the provider's first API.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the account: its id, its provider where that has one account, or its username.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.0.account = account.into();
        self
    }

    /// Adds an API that the token is for (RFC 8707).
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.0.resource.push(resource.into());
        self
    }

    /// Adds a scope that the token must have. Without any, it has all that were granted.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.0.scopes.push(scope.into());
        self
    }

    /// Asks for a token that is valid for this long at least, in whole seconds.
    #[must_use]
    pub fn min_ttl(mut self, least: Duration) -> Self {
        self.0.min_ttl = Some(u32::try_from(least.as_secs()).unwrap_or(u32::MAX));
        self
    }

    /// Asks for a token that is renewed first.
    #[must_use]
    pub fn force(mut self) -> Self {
        self.0.force = Some(true);
        self
    }
}

/// A request that may lead to a person at a browser.
#[derive(Debug, Clone, Default)]
pub struct AcquireRequest(pub(crate) Acquire);

impl AcquireRequest {
    /// A sign-in at the default or only provider.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the account or the provider.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.0.account = account.into();
        self
    }

    /// Adds an API that tokens will be asked for.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.0.resource.push(resource.into());
        self
    }

    /// Adds a scope to those that the broker's configuration names.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.0.scopes.push(scope.into());
        self
    }

    /// Tells the provider who will probably sign in.
    #[must_use]
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.login_hint = Some(hint.into());
        self
    }

    /// Limits the wait for the person, in whole seconds.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.0.timeout = Some(u32::try_from(limit.as_secs()).unwrap_or(u32::MAX));
        self
    }
}
