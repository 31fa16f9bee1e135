//! Rotates a refresh token: the old one is spent, and using it again ends the grant.

use axum::response::Response;

use super::answer::{self, Issue};
use crate::error::OAuthError;
use crate::faults::Effect;
use crate::grants::{Grant, GrantId};
use crate::options::Client;
use crate::params::Params;
use crate::provider::Provider;
use crate::resource;
use crate::scope::ScopeSet;

pub(super) fn rotate(
    provider: &Provider,
    client: &Client,
    form: &Params,
) -> Result<Response, OAuthError> {
    let token =
        form.get("refresh_token").ok_or_else(|| OAuthError::invalid_request("no refresh_token"))?;
    let grace = provider.options.refresh_grace.as_secs();
    let (id, grant) =
        provider.grants().look_up_refresh(token, &client.id, grace, provider.now())?;
    // What is asked for is judged before the token is spent: a request too wide costs nothing.
    let issue = Issue {
        grant: id,
        scopes: narrow(form, &grant)?,
        resources: resource::narrow(form.resources(), &grant.resources)?,
        nonce: None,
        refresh_token: successor(provider, id, token, grace)?,
    };
    answer::give(provider, &grant, issue)
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
    provider: &Provider,
    grant: GrantId,
    token: &str,
    grace: u64,
) -> Result<Option<String>, OAuthError> {
    let kept = provider.faults.take(|effect| matches!(effect, Effect::NoRotation).then_some(()));
    if !kept.is_empty() {
        return Ok(None);
    }
    provider.grants().spend_refresh(token, grace, provider.now())?;
    answer::new_refresh_token(provider, grant).map(Some)
}
