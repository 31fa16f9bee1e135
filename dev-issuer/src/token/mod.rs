//! The token endpoint (RFC 6749 §3.2): codes and refresh tokens in, tokens out.
//!
//! Before any grant is looked at, the client has proven itself, and its key if it has one: a request
//! that must come again with another proof has spent nothing.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use crate::client_auth;
use crate::clock::UnixSeconds;
use crate::dpop::{self, Target};
use crate::error::OAuthError;
use crate::faults::Endpoint;
use crate::grants::{Grant, GrantId};
use crate::jose::Thumbprint;
use crate::options::{Client, GrantType, Offer, TokenBinding};
use crate::params::Params;
use crate::provider::{Provider, Shared};
use crate::wire::Inbound;

mod answer;
mod claims;
mod client_credentials;
mod code;
mod device_code;
mod exchange;
mod refresh;

pub(crate) use claims::about as claims_about;

/// A request by a client that has proven itself.
struct TokenRequest<'a> {
    provider: &'a Provider,
    client: &'a Client,
    form: &'a Params,
    /// The key that the tokens will be bound to.
    key: Option<Thumbprint>,
    /// The one time of everything that is issued.
    now: UnixSeconds,
}

/// `POST /token`.
pub(crate) async fn serve(
    State(provider): State<Shared>,
    headers: HeaderMap,
    inbound: Inbound,
) -> Response {
    let answer = answer(&provider, &headers, &inbound);
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    dpop::add_nonce(&provider, &mut response);
    response
}

fn answer(
    provider: &Provider,
    headers: &HeaderMap,
    inbound: &Inbound,
) -> Result<Response, OAuthError> {
    let form = inbound.body_only()?;
    let client = client_auth::authenticate(provider, headers, form)?;
    let key = key(provider, &client, headers)?;
    let request = TokenRequest { provider, client: &client, form, key, now: provider.now() };
    match grant_type(&request)? {
        GrantType::AuthorizationCode => code::redeem(&request),
        GrantType::RefreshToken => refresh::rotate(&request),
        GrantType::ClientCredentials => client_credentials::issue(&request),
        GrantType::DeviceCode => device_code::poll(&request),
        GrantType::TokenExchange => exchange::exchange(&request),
    }
}

fn key(
    provider: &Provider,
    client: &Client,
    headers: &HeaderMap,
) -> Result<Option<Thumbprint>, OAuthError> {
    let target = Target { method: "POST", url: &provider.at("/token"), access_token: None };
    let key = dpop::presented(provider, headers, target)?;
    match (key, provider.options.dpop, client.binding) {
        (None, Offer::Required, _) | (None, Offer::Offered, TokenBinding::Required) => {
            Err(dpop::missing())
        }
        (key, ..) => Ok(key),
    }
}

fn grant_type(request: &TokenRequest<'_>) -> Result<GrantType, OAuthError> {
    let name = request.required("grant_type")?;
    let served = GrantType::served(name, &request.provider.options);
    let grant = served
        .ok_or_else(|| OAuthError::new("unsupported_grant_type", "no such grant is served here"))?;
    request.client.may_use(grant).map(|()| grant)
}

impl TokenRequest<'_> {
    /// Whose faults happen to it.
    fn endpoint(&self) -> Endpoint {
        Endpoint::of_token_request(self.form.get("grant_type"))
    }

    /// How long an access token lives unless something shortens it, in seconds.
    fn access_ttl(&self) -> u64 {
        self.provider.options.access_ttl.as_secs()
    }

    fn required(&self, name: &str) -> Result<&str, OAuthError> {
        self.form.get(name).ok_or_else(|| OAuthError::invalid_request(format!("no {name}")))
    }

    /// The first refresh token of a grant, where the person allowed one and the client can use it.
    fn refresh_token_for(&self, id: GrantId, grant: &Grant) -> Result<Option<String>, OAuthError> {
        let of_use = self.client.may_use(GrantType::RefreshToken).is_ok();
        let allowed = of_use && grant.scopes.contains("offline_access");
        allowed.then(|| self.new_refresh_token(id)).transpose()
    }

    /// Makes a refresh token. A public client's is bound to its key; a confidential client proves
    /// itself at each use anyway (RFC 9449 §5).
    fn new_refresh_token(&self, grant: GrantId) -> Result<String, OAuthError> {
        let expires_at = self.now + self.provider.options.refresh_ttl.as_secs();
        let key = self.key.clone().filter(|_| self.client.is_public());
        Ok(self.provider.grants().issue_refresh(grant, key, expires_at)?)
    }

    /// Refuses a key that is not the one agreed on.
    fn proves(&self, agreed: Option<&Thumbprint>) -> Result<(), OAuthError> {
        match (agreed, &self.key) {
            (Some(_), None) => Err(dpop::missing()),
            (Some(agreed), Some(key)) if agreed != key => {
                Err(OAuthError::invalid_grant("this is bound to another key"))
            }
            _ => Ok(()),
        }
    }
}
