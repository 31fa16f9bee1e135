//! Rotates a refresh token: the old one is spent, and using it again ends the grant.

use axum::response::Response;

use super::TokenRequest;
use super::answer::{self, Extras, Issue};
use crate::error::OAuthError;
use crate::faults::Effect;
use crate::grants::{Grant, GrantId};
use crate::params::Params;
use crate::resource;
use crate::scope::ScopeSet;

pub(super) fn rotate(request: &TokenRequest<'_>) -> Result<Response, OAuthError> {
    let token = request.required("refresh_token")?;
    let TokenRequest { provider, client, form, .. } = request;
    let grace = provider.options.refresh_grace.as_secs();
    let found = provider.grants().look_up_refresh(token, &client.id, grace, request.now)?;
    // What is asked for is judged before the token is spent: a request too wide costs nothing.
    request.proves(found.key.as_ref())?;
    let issue = Issue {
        grant: found.id,
        scopes: narrow(form, &found.grant)?,
        resources: resource::narrow(form.resources(), &found.grant.resources)?,
        lifetime: request.access_ttl(),
        extras: Extras::SignIn {
            nonce: None,
            refresh_token: successor(request, found.id, token, grace)?,
        },
    };
    answer::give(request, &found.grant, &issue)
}

/// The scopes of the new access token; the refresh token keeps all of them (RFC 6749 §6).
fn narrow(form: &Params, grant: &Grant) -> Result<ScopeSet, OAuthError> {
    match form.get("scope").map(ScopeSet::parse) {
        None => Ok(grant.scopes.clone()),
        Some(asked) if asked.is_within(&grant.scopes) => Ok(asked),
        Some(_) => Err(OAuthError::invalid_scope("this scope was not granted")),
    }
}

fn successor(
    request: &TokenRequest<'_>,
    grant: GrantId,
    token: &str,
    grace: u64,
) -> Result<Option<String>, OAuthError> {
    let provider = request.provider;
    let kept = provider.faults.take(|effect| matches!(effect, Effect::NoRotation).then_some(()));
    if !kept.is_empty() {
        return Ok(None);
    }
    provider.grants().spend_refresh(token, grace, request.now)?;
    request.new_refresh_token(grant).map(Some)
}
