//! The address that the browser is sent to (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2.1).

use authbroker_core::request::SignInRequest;
use authbroker_core::resource::Resource;
use authbroker_core::scope::ScopeSet;
use authbroker_core::sign_in::SignIn;
use url::Url;

use super::{Metadata, Oidc};
use crate::config::Target;

/// What a sign-in asks the provider for.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// Every scope: the configured ones and the request's own.
    pub scopes: ScopeSet,
    /// Every API that tokens may be asked for later.
    pub resources: Vec<Resource>,
    /// Where the browser comes back, with this attempt's port.
    pub redirect_uri: String,
}

impl Oidc {
    /// What `request` asks of this provider, with the configured defaults.
    pub fn authorization(&self, request: &SignInRequest, redirect_uri: String) -> Authorization {
        let settings = self.settings();
        let mut resources = settings.resources.clone();
        for resource in &request.resources {
            if !resources.contains(resource) {
                resources.push(resource.clone());
            }
        }
        Authorization { scopes: settings.scopes.union(&request.scopes), resources, redirect_uri }
    }

    /// The authorization request as an address. No secret is in it.
    pub fn authorization_url(
        &self,
        metadata: &Metadata,
        authorization: &Authorization,
        sign_in: &SignIn,
        request: &SignInRequest,
    ) -> Url {
        let mut url = metadata.authorization.clone();
        let scopes = authorization.scopes.to_string();
        let challenge = sign_in.challenge();
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("response_type", "code")
                .append_pair("client_id", &self.settings().client_id)
                .append_pair("redirect_uri", &authorization.redirect_uri)
                .append_pair("scope", &scopes)
                .append_pair("state", sign_in.state().expose())
                .append_pair("nonce", sign_in.nonce().expose())
                .append_pair("code_challenge", &challenge)
                .append_pair("code_challenge_method", "S256");
            for (name, value) in self.targets(&authorization.resources) {
                query.append_pair(name, value);
            }
            for (name, value) in optional(authorization, request) {
                query.append_pair(name, value);
            }
            for (name, value) in &self.settings().authorize {
                query.append_pair(name, value);
            }
        }
        url
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

fn optional<'a>(
    authorization: &Authorization,
    request: &'a SignInRequest,
) -> Vec<(&'static str, &'a str)> {
    // Without this, some providers give no refresh token (OpenID Connect Core §11).
    let consent = authorization.scopes.contains("offline_access").then_some("consent");
    [
        ("prompt", request.prompt.as_deref().or(consent)),
        ("login_hint", request.login_hint.as_deref()),
        ("acr_values", request.acr_values.as_deref()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}
