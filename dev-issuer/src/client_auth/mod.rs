//! Who asks at the endpoints for programs (RFC 6749 §2.3, §3.2.1).
//!
//! A public client names itself in the body. A confidential one proves itself in one of three ways,
//! and never in two at once: in the `Authorization` header ([`basic`]), with a secret in the body,
//! or with a signed assertion ([`assertion`]).

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};

use crate::error::OAuthError;
use crate::options::{Client, ClientAuth};
use crate::params::Params;
use crate::provider::Provider;

mod assertion;
mod basic;

/// Every way of [`authenticate`], as discovery announces it.
pub(crate) const METHODS: [&str; 4] =
    ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"];

pub(crate) fn authenticate(
    provider: &Provider,
    headers: &HeaderMap,
    form: &Params,
) -> Result<Arc<Client>, OAuthError> {
    let mut credentials = headers.get_all(header::AUTHORIZATION).iter();
    let assertion = form.get("client_assertion");
    match (credentials.next(), credentials.next(), assertion) {
        (_, Some(_), _) => {
            Err(OAuthError::invalid_request("there is more than one Authorization header"))
        }
        (None, None, None) => by_body(provider, form),
        (Some(credentials), None, None) => {
            by_header(provider, credentials, form).map_err(OAuthError::challenged)
        }
        (None, None, Some(assertion)) if form.get("client_secret").is_none() => {
            assertion::check(provider, assertion, form)
        }
        (_, None, Some(_)) => Err(in_two_ways()),
    }
}

fn by_body(provider: &Provider, form: &Params) -> Result<Arc<Client>, OAuthError> {
    let id = form.get("client_id").ok_or_else(|| OAuthError::invalid_client("who asks?"))?;
    let client = provider.client(id).ok_or_else(unknown)?;
    match (&client.auth, form.get("client_secret")) {
        (ClientAuth::None, None) => Ok(client),
        (ClientAuth::Secret(secret), Some(presented)) if secret.matches(presented) => Ok(client),
        (ClientAuth::Secret(_), Some(_)) => Err(unknown()),
        (ClientAuth::None, Some(_)) => {
            Err(OAuthError::invalid_client("a public client has no secret"))
        }
        (ClientAuth::Secret(_), None) => {
            Err(OAuthError::invalid_client("this client must prove itself"))
        }
        (ClientAuth::PrivateKeyJwt(_), _) => Err(signs()),
    }
}

fn by_header(
    provider: &Provider,
    credentials: &HeaderValue,
    form: &Params,
) -> Result<Arc<Client>, OAuthError> {
    if form.get("client_secret").is_some() {
        return Err(in_two_ways());
    }
    let (id, presented) = basic::parse(credentials)
        .ok_or_else(|| OAuthError::invalid_client("the Authorization header is not Basic"))?;
    if form.get("client_id").is_some_and(|named| named != id) {
        return Err(OAuthError::invalid_request("header and body name different clients"));
    }
    let client = provider.client(&id).ok_or_else(unknown)?;
    match &client.auth {
        ClientAuth::Secret(secret) if secret.matches(&presented) => Ok(client),
        ClientAuth::Secret(_) => Err(unknown()),
        ClientAuth::None => {
            Err(OAuthError::invalid_client("a public client sends no Authorization header"))
        }
        ClientAuth::PrivateKeyJwt(_) => Err(signs()),
    }
}

/// One answer for an unknown client and for a wrong secret.
fn unknown() -> OAuthError {
    OAuthError::invalid_client("the client is unknown or its secret is wrong")
}

fn signs() -> OAuthError {
    OAuthError::invalid_client("this client proves itself with a signed assertion")
}

fn in_two_ways() -> OAuthError {
    OAuthError::invalid_request("the client proves itself in two ways")
}
