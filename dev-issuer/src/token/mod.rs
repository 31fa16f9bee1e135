//! The token endpoint (RFC 6749 §3.2): codes and refresh tokens in, tokens out.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use crate::client_auth;
use crate::error::OAuthError;
use crate::provider::{Provider, Shared};
use crate::wire::Inbound;

mod answer;
mod claims;
mod code;
mod refresh;

pub(crate) use claims::about as claims_about;

/// `POST /token`.
pub(crate) async fn serve(
    State(provider): State<Shared>,
    headers: HeaderMap,
    inbound: Inbound,
) -> Response {
    answer(&provider, &headers, &inbound).unwrap_or_else(IntoResponse::into_response)
}

fn answer(
    provider: &Provider,
    headers: &HeaderMap,
    inbound: &Inbound,
) -> Result<Response, OAuthError> {
    let form = inbound.body_only()?;
    let client = client_auth::authenticate(&provider.options, headers, form)?;
    match form.get("grant_type") {
        Some("authorization_code") => code::redeem(provider, client, form),
        Some("refresh_token") => refresh::rotate(provider, client, form),
        Some(_) => {
            Err(OAuthError::new("unsupported_grant_type", "only codes and refresh tokens here"))
        }
        None => Err(OAuthError::invalid_request("grant_type is missing")),
    }
}
