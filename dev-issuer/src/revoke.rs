//! `POST /revoke` (RFC 7009). A refresh token takes its whole grant with it; an access token only
//! itself. An unknown token is a success: there is nothing left to revoke.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::client_auth;
use crate::error::OAuthError;
use crate::options::Client;
use crate::provider::{Provider, Shared};
use crate::wire::Inbound;

pub(crate) async fn serve(
    State(provider): State<Shared>,
    headers: HeaderMap,
    inbound: Inbound,
) -> Response {
    match revoke(&provider, &headers, &inbound) {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => error.into_response(),
    }
}

fn revoke(provider: &Provider, headers: &HeaderMap, inbound: &Inbound) -> Result<(), OAuthError> {
    let form = &inbound.form;
    if form.repeated().is_some() {
        return Err(OAuthError::repeated_parameter());
    }
    let client = client_auth::authenticate(provider, headers, form)?;
    let token = form.get("token").ok_or_else(|| OAuthError::invalid_request("no token"))?;
    if revoke_refresh(provider, &client, token)? {
        return Ok(());
    }
    revoke_access(provider, &client, token)
}

fn revoke_refresh(provider: &Provider, client: &Client, token: &str) -> Result<bool, OAuthError> {
    let mut grants = provider.grants();
    let Some((id, grant)) = grants.behind_refresh(token) else { return Ok(false) };
    only_own(&grant.client_id, client)?;
    grants.end(id);
    Ok(true)
}

fn revoke_access(provider: &Provider, client: &Client, token: &str) -> Result<(), OAuthError> {
    let claims = provider.keys().verify(token).unwrap_or_default();
    let Some(jti) = claims.get("jti").and_then(Value::as_str) else { return Ok(()) };
    let mut grants = provider.grants();
    if let Some((_, grant)) = grants.behind_access(jti, provider.now()) {
        only_own(&grant.client_id, client)?;
        grants.end_access(jti);
    }
    Ok(())
}

/// RFC 7009 §2.1: a client revokes its own tokens only.
fn only_own(owner: &str, client: &Client) -> Result<(), OAuthError> {
    if owner == client.id {
        return Ok(());
    }
    Err(OAuthError::invalid_grant("this token is another client's"))
}
