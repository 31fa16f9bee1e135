//! Tokens for a client that acts for itself (RFC 6749 §4.4). There is no refresh token: it asks again.

use axum::response::Response;

use super::TokenRequest;
use super::answer::{self, Extras, Issue};
use crate::error::OAuthError;
use crate::grants::{Grant, Subject};
use crate::resource;
use crate::scope::ScopeSet;

pub(super) fn issue(request: &TokenRequest<'_>) -> Result<Response, OAuthError> {
    let TokenRequest { provider, client, form, .. } = request;
    let grant = Grant {
        client_id: client.id.clone(),
        subject: Subject::Client,
        scopes: scopes(request)?,
        resources: resource::asked(form, provider)?,
        nonce: None,
    };
    let issue = Issue {
        grant: provider.grants().open(grant.clone()),
        scopes: grant.scopes.clone(),
        resources: grant.resources.clone(),
        lifetime: request.access_ttl(),
        extras: Extras::None,
    };
    answer::give(request, &grant, &issue)
}

/// The scopes that no person is needed for. Without a word about them, all of these are given, and
/// the answer says so (RFC 6749 §3.3).
fn scopes(request: &TokenRequest<'_>) -> Result<ScopeSet, OAuthError> {
    let own = ScopeSet::parse(&request.provider.options.scopes.join(" "));
    match request.form.get("scope").map(ScopeSet::parse) {
        None => Ok(own),
        Some(asked) if asked.is_within(&own) => Ok(asked),
        Some(_) => Err(OAuthError::invalid_scope("a scope is not known here, or needs a person")),
    }
}
