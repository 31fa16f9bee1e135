//! Token exchange (RFC 8693): one of our own access tokens for another with less in it.
//!
//! The new token has no scope that the old one lacks, is for resources that the person allowed, and
//! does not outlive the old one: an exchange renews nothing.

use axum::response::Response;
use serde_json::{Map, Value};

use super::TokenRequest;
use super::answer::{self, Extras, Issue};
use crate::error::OAuthError;
use crate::grants::{Grant, GrantId};
use crate::resource;
use crate::scope::ScopeSet;

/// The one type of token that is taken and given (§3).
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

pub(super) fn exchange(request: &TokenRequest<'_>) -> Result<Response, OAuthError> {
    supported(request)?;
    let (id, grant, claims) = subject(request)?;
    let exp = claims.get("exp").and_then(Value::as_u64).unwrap_or_default();
    let left = exp.saturating_sub(request.now);
    let issue = Issue {
        grant: id,
        scopes: scopes(request, &claims)?,
        resources: resources(request, &grant, &claims)?,
        lifetime: left.min(request.provider.options.access_ttl.as_secs()),
        extras: Extras::Exchange,
    };
    answer::give(request, &grant, &issue)
}

fn supported(request: &TokenRequest<'_>) -> Result<(), OAuthError> {
    if request.required("subject_token_type")? != ACCESS_TOKEN {
        return Err(OAuthError::invalid_request("only access tokens are taken"));
    }
    if request.form.get("requested_token_type").is_some_and(|wanted| wanted != ACCESS_TOKEN) {
        return Err(OAuthError::invalid_request("only access tokens are given"));
    }
    if request.form.get("actor_token").is_some() {
        return Err(OAuthError::invalid_request("nobody acts for somebody else here"));
    }
    match request.form.get("audience") {
        Some(_) => Err(OAuthError::invalid_target("targets are named by resource here")),
        None => Ok(()),
    }
}

/// The grant behind the subject token, which must be live, the client's own, and its key proven.
fn subject(request: &TokenRequest<'_>) -> Result<(GrantId, Grant, Map<String, Value>), OAuthError> {
    let bad = || OAuthError::invalid_request("the subject token is unknown or has ended");
    let token = request.required("subject_token")?;
    let TokenRequest { provider, client, key, .. } = request;
    let claims = provider.keys().verify(token).ok_or_else(bad)?;
    let jti = claims.get("jti").and_then(Value::as_str).ok_or_else(bad)?;
    let (id, grant) = {
        let grants = provider.grants();
        let (id, grant) = grants.behind_access(jti, request.now).ok_or_else(bad)?;
        (id, grant.clone())
    };
    if grant.client_id != client.id {
        return Err(OAuthError::invalid_request("the subject token is another client's"));
    }
    let bound_to = claims.get("cnf").and_then(|cnf| cnf.get("jkt")?.as_str());
    if bound_to.is_some_and(|jkt| key.as_ref().is_none_or(|key| key.as_str() != jkt)) {
        return Err(OAuthError::invalid_request("the subject token's key was not proven"));
    }
    Ok((id, grant, claims))
}

fn scopes(request: &TokenRequest<'_>, claims: &Map<String, Value>) -> Result<ScopeSet, OAuthError> {
    let held = ScopeSet::parse(claims.get("scope").and_then(Value::as_str).unwrap_or_default());
    match request.form.get("scope").map(ScopeSet::parse) {
        None => Ok(held),
        Some(asked) if asked.is_within(&held) => Ok(asked),
        Some(_) => Err(OAuthError::invalid_scope("the subject token lacks this scope")),
    }
}

/// Any that were allowed at the sign-in; without a word, those of the subject token.
fn resources(
    request: &TokenRequest<'_>,
    grant: &Grant,
    claims: &Map<String, Value>,
) -> Result<Vec<String>, OAuthError> {
    match request.form.resources() {
        none if none.is_empty() => Ok(audiences(claims)),
        asked => resource::narrow(asked, &grant.resources),
    }
}

fn audiences(claims: &Map<String, Value>) -> Vec<String> {
    match claims.get("aud") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) => {
            several.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}
