//! What an app asks for, put together by naming what matters and leaving out the rest.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::wire::broker1::{Acquire, GetHeaders, GetToken, Reaction, ReportChallenge};

/// A silent request for an access token.
///
/// ```
/// use authbroker_client::TokenRequest;
/// let request = TokenRequest::new().resource("https://api.example").scope("mail.read");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
        self.0.min_ttl = Some(whole_seconds(least));
        self
    }

    /// Asks for a token that is renewed first.
    #[must_use]
    pub fn force(mut self) -> Self {
        self.0.force = Some(true);
        self
    }

    /// Asks for a token of a sign-in that is at most this old, in whole seconds (RFC 9470).
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.0.max_age = Some(whole_seconds(age));
        self
    }

    /// Adds an authentication context that the sign-in may have (RFC 9470).
    #[must_use]
    pub fn acr(mut self, acr: impl Into<String>) -> Self {
        self.0.acr_values.push(acr.into());
        self
    }

    /// Asks for a token that is presented like this: `Bearer` or `DPoP`.
    #[must_use]
    pub fn token_type(mut self, word: impl Into<String>) -> Self {
        self.0.token_type = Some(word.into());
        self
    }

    /// Limits the wait for the broker's answer, in whole seconds; 20 hold in any case.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.0.timeout = Some(whole_seconds(limit));
        self
    }

    /// Gives the request a word of the app's own, by which the broker's log and record and the error
    /// of a failure name it.
    #[must_use]
    pub fn correlation_id(mut self, word: impl Into<String>) -> Self {
        self.0.correlation_id = Some(word.into());
        self
    }

    /// What to get the headers of one request with.
    pub(crate) fn headers(&self, method: &str, uri: &str) -> GetHeaders {
        let token = self.0.clone();
        GetHeaders {
            account: token.account,
            method: method.to_owned(),
            uri: uri.to_owned(),
            resource: token.resource,
            scopes: token.scopes,
            min_ttl: token.min_ttl,
            force: token.force,
            max_age: token.max_age,
            acr_values: token.acr_values,
            token_type: token.token_type,
            timeout: token.timeout,
            correlation_id: token.correlation_id,
        }
    }

    /// The same request with what the broker found out about the API's wishes.
    #[must_use]
    pub(crate) fn on_terms(mut self, terms: &Reaction) -> Self {
        if !terms.scopes.is_empty() {
            self.0.scopes.clone_from(&terms.scopes);
        }
        if !terms.acr_values.is_empty() {
            self.0.acr_values.clone_from(&terms.acr_values);
        }
        let age = terms.max_age.and_then(|age| u32::try_from(age).ok());
        self.0.max_age = age.or(self.0.max_age);
        // It was renewed, if it was to be renewed.
        self.0.force = None;
        self
    }
}

/// A challenge of an API, for [`Client::report_challenge`](crate::Client::report_challenge).
#[derive(Debug, Clone, Default)]
pub struct Challenge(pub(crate) ReportChallenge);

impl Challenge {
    /// What the API at `uri` answered to a token that was asked for with `request`.
    pub fn new(request: &TokenRequest, uri: impl Into<String>, status: u16) -> Self {
        Self(ReportChallenge {
            account: request.0.account.clone(),
            uri: uri.into(),
            status: u32::from(status),
            resource: request.0.resource.clone(),
            scopes: request.0.scopes.clone(),
            correlation_id: request.0.correlation_id.clone(),
            ..ReportChallenge::default()
        })
    }

    /// Adds a `WWW-Authenticate` header.
    #[must_use]
    pub fn www_authenticate(mut self, header: impl Into<String>) -> Self {
        self.0.www_authenticate.push(header.into());
        self
    }

    /// Names the answer's `DPoP-Nonce` header.
    #[must_use]
    pub fn dpop_nonce(mut self, nonce: impl Into<String>) -> Self {
        self.0.dpop_nonce = Some(nonce.into());
        self
    }

    /// Tells which token was presented, so that a newer one that is at hand is not renewed again.
    #[must_use]
    pub fn presented(mut self, authorization: &str) -> Self {
        if let Some((scheme, token)) = authorization.split_once(' ') {
            self.0.token_type = Some(scheme.to_owned());
            self.0.ath = Some(URL_SAFE_NO_PAD.encode(Sha256::digest(token)));
        }
        self
    }
}

fn whole_seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
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

    /// Asks for a sign-in that is at most this old, in whole seconds (RFC 9470).
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.0.max_age = Some(whole_seconds(age));
        self
    }

    /// Adds an authentication context that the sign-in may have (RFC 9470).
    #[must_use]
    pub fn acr(mut self, acr: impl Into<String>) -> Self {
        self.0.acr_values.push(acr.into());
        self
    }

    /// Asks for tokens that are presented like this: `Bearer` or `DPoP`.
    #[must_use]
    pub fn token_type(mut self, word: impl Into<String>) -> Self {
        self.0.token_type = Some(word.into());
        self
    }

    /// Tells the provider who will probably sign in.
    #[must_use]
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.login_hint = Some(hint.into());
        self
    }

    /// Has the broker open the page where a code is typed in, too, at a provider whose sign-in is
    /// one for other devices. Any other sign-in page is opened in any case.
    #[must_use]
    pub fn open_code_page(mut self) -> Self {
        self.0.open = Some(true);
        self
    }

    /// Limits the wait for the person, in whole seconds.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.0.timeout = Some(whole_seconds(limit));
        self
    }

    /// Gives the request a word of the app's own, by which the broker's log and record and the error
    /// of a failure name it.
    #[must_use]
    pub fn correlation_id(mut self, word: impl Into<String>) -> Self {
        self.0.correlation_id = Some(word.into());
        self
    }
}
