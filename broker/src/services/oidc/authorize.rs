//! The address that the browser is sent to (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2.1).

use std::time::Duration;

use authbroker_core::account::Grant;
use authbroker_core::failure::{Code, Failure};
use authbroker_core::request::SignInRequest;
use authbroker_core::resource::{Resource, Resources};
use authbroker_core::scope::ScopeSet;
use authbroker_core::secret::Secret;
use authbroker_core::sign_in::SignIn;
use authbroker_core::time::{BootTime, Now};
use authbroker_core::token::{AccessToken, TokenType};
use url::Url;

use super::dpop::DpopKey;
use super::metadata::Dpop;
use super::{Metadata, Oidc};
use crate::config::{Target, Use};

/// What a sign-in asks the provider for.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// Every scope: the configured ones, the request's own, and those granted before.
    pub scopes: ScopeSet,
    /// Every API that tokens may be asked for later.
    pub resources: Vec<Resource>,
    /// The APIs of the first token: those that the request names, else the default one.
    pub first: Resources,
    /// The authentication contexts of which one must come out of it; empty for any.
    pub acr_values: Vec<String>,
    /// How long ago the person may have proved who they are.
    pub max_age: Option<Duration>,
    /// The key that the tokens are to be bound to.
    pub dpop_key: Option<Secret>,
    prompt: Option<String>,
    login_hint: Option<String>,
}

impl Oidc {
    /// What `request` asks of this provider, with the configured defaults. A sign-in for an account
    /// that is there already asks for what it was granted before, too, with the same key.
    pub fn authorization(
        &self,
        metadata: &Metadata,
        request: &SignInRequest,
        before: Option<&Grant>,
    ) -> Result<Authorization, Failure> {
        let settings = self.settings();
        let mut scopes = settings.scopes.union(&request.scopes);
        if let Some(before) = before {
            scopes = scopes.union(&before.scopes);
        }
        let mut resources = settings.resources.clone();
        let more = request.resources.iter().filter(|more| !settings.resources.contains(more));
        resources.extend(more.cloned());
        let first = if request.resources.is_empty() {
            settings.default_resources()
        } else {
            request.resources.clone()
        };
        Ok(Authorization {
            scopes,
            resources,
            first,
            acr_values: request.acr_values.clone(),
            max_age: request.max_age,
            dpop_key: self.key_for(metadata, request.token_type, before)?,
            prompt: request.prompt.clone(),
            login_hint: request.login_hint.clone(),
        })
    }

    /// The key to bind the tokens of a sign-in to, if they are to be bound. `auto` binds where
    /// somebody asks for it: that a provider can bind tokens says nothing about the APIs that they
    /// are for, and one that knows no DPoP refuses a bound token.
    fn key_for(
        &self,
        metadata: &Metadata,
        asked: Option<TokenType>,
        before: Option<&Grant>,
    ) -> Result<Option<Secret>, Failure> {
        let old = before.and_then(|grant| grant.dpop_key.clone());
        let bind = match (self.settings().dpop, asked) {
            (Use::Never, Some(TokenType::DPoP)) => {
                return Err(unsupported("DPoP tokens are switched off for this provider"));
            }
            (Use::Auto, Some(TokenType::DPoP)) if metadata.dpop == Dpop::Unannounced => {
                return Err(unsupported("this provider does not say that it binds tokens to keys"));
            }
            (Use::Always, Some(TokenType::Bearer)) => {
                return Err(unsupported("this provider's tokens are always bound to a key"));
            }
            (Use::Always, _) | (Use::Auto, Some(TokenType::DPoP)) => true,
            (Use::Auto, None) => old.is_some(),
            (Use::Never, _) | (Use::Auto, Some(TokenType::Bearer)) => false,
        };
        bind.then(|| old.map_or_else(DpopKey::generate, Ok)).transpose()
    }

    /// The address that the browser is sent to. No secret is in it.
    pub async fn authorization_url(
        &self,
        metadata: &Metadata,
        authorization: &Authorization,
        sign_in: &SignIn,
        redirect_uri: &str,
    ) -> Result<Url, Failure> {
        let parameters = self.parameters(authorization, sign_in, redirect_uri)?;
        let mut url = metadata.authorization.clone();
        let client_id = self.settings().client_id.as_str();
        match self.pushed_to(metadata)? {
            Some(endpoint) => {
                let request_uri = self.push(endpoint, &parameters, authorization).await?;
                // Nothing else goes through the browser (RFC 9126 §4).
                url.query_pairs_mut()
                    .append_pair("client_id", client_id)
                    .append_pair("request_uri", &request_uri);
            }
            None => {
                url.query_pairs_mut().append_pair("client_id", client_id).extend_pairs(parameters);
            }
        }
        Ok(url)
    }

    /// What is asked, but for who asks. No parameter repeats but the resource (RFC 6749 §3.1).
    fn parameters(
        &self,
        authorization: &Authorization,
        sign_in: &SignIn,
        redirect_uri: &str,
    ) -> Result<Vec<(String, String)>, Failure> {
        let mut parameters = vec![
            ("response_type", "code".to_owned()),
            ("redirect_uri", redirect_uri.to_owned()),
            ("scope", authorization.scopes.to_string()),
            ("state", sign_in.state().expose().to_owned()),
            ("nonce", sign_in.nonce().expose().to_owned()),
            ("code_challenge", sign_in.challenge()),
            ("code_challenge_method", "S256".to_owned()),
        ];
        let targets = self.targets(&authorization.resources).into_iter();
        parameters.extend(targets.map(|(name, value)| (name, value.to_owned())));
        parameters.extend(authorization.optional());
        parameters.extend(authorization.bound_to()?);
        let own = parameters.into_iter().map(|(name, value)| (name.to_owned(), value));
        Ok(own.chain(self.settings().authorize.clone()).collect())
    }

    /// The parameters by which this provider is told which APIs are meant.
    pub(super) fn targets<'a>(
        &self,
        resources: impl IntoIterator<Item = &'a Resource>,
    ) -> Vec<(&'static str, &'a str)> {
        let name = match self.settings().target {
            Target::Resource => "resource",
            Target::Audience => "audience",
            Target::None => return Vec::new(),
        };
        let all = resources.into_iter().map(|resource| (name, resource.as_str()));
        match self.settings().target {
            // Auth0's parameter is for one API; the first is the default one.
            Target::Audience => all.take(1).collect(),
            _ => all.collect(),
        }
    }
}

impl Authorization {
    /// What is asked only where somebody wants it, of a browser and of a device alike.
    pub(super) fn optional(&self) -> Vec<(&'static str, String)> {
        // Without this, some providers give no refresh token (OpenID Connect Core §11).
        let consent = self.scopes.contains("offline_access").then(|| "consent".to_owned());
        let contexts = (!self.acr_values.is_empty()).then(|| self.acr_values.join(" "));
        let parameters = [
            ("prompt", self.prompt.clone().or(consent)),
            ("login_hint", self.login_hint.clone()),
            ("acr_values", contexts),
            ("max_age", self.max_age.map(|age| age.as_secs().to_string())),
        ];
        parameters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// The key that the code is to be bound to (RFC 9449 §10).
    fn bound_to(&self) -> Result<Option<(&'static str, String)>, Failure> {
        let key = self.dpop_key.as_ref().map(DpopKey::read).transpose()?;
        key.map(|key| Ok(("dpop_jkt", key.thumbprint()?))).transpose()
    }

    /// Until when the first token is kept as it is: an API asked for its strength, and a renewal
    /// may bring a weaker one. As long as the sign-in counts as recent, or else as the token lives.
    pub(super) fn keep_until(&self, access: &AccessToken, now: Now) -> Option<BootTime> {
        match (self.max_age, access.authentication.auth_time) {
            (Some(max_age), Some(auth_time)) => {
                let age =
                    Duration::from_secs(now.wall.as_secs().saturating_sub(auth_time.as_secs()));
                Some(now.boot.plus(max_age.saturating_sub(age)))
            }
            _ if !self.acr_values.is_empty() => Some(access.expires),
            _ => None,
        }
    }
}

fn unsupported(what: &str) -> Failure {
    Failure::new(Code::NotSupported, what, "check dpop in the configuration")
}
