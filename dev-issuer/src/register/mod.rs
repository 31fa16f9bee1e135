//! Dynamic registration (RFC 7591), open to native apps, and what can be done with a registration
//! afterwards (RFC 7592).
//!
//! 1. [`metadata`] judges what a client says of itself;
//! 2. [`serve`] remembers it, and gives it an id and a token;
//! 3. with that token the registration can be read and removed ([`read`], [`remove`]).

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use self::metadata::Metadata;
use crate::clients::Registration;
use crate::error::OAuthError;
use crate::provider::{Provider, Shared};
use crate::secret;

mod metadata;

/// `POST /register`.
pub(crate) async fn serve(
    State(provider): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match register(&provider, &headers, &body) {
        Ok(document) => (StatusCode::CREATED, Json(document)).into_response(),
        Err(error) => error.into_response(),
    }
}

fn register(provider: &Provider, headers: &HeaderMap, body: &[u8]) -> Result<Value, OAuthError> {
    let wrong = |why| OAuthError::new("invalid_client_metadata", why);
    if !is_json(headers) {
        return Err(wrong("the metadata is no application/json"));
    }
    let metadata: Metadata =
        serde_json::from_slice(body).map_err(|_| wrong("the metadata is no JSON of its kind"))?;
    let (id, access_token) = (secret::fresh()?, secret::fresh()?);
    let client = metadata.client(&id, &provider.options)?;
    let mut document = metadata::document(&client, &provider.options);
    document["client_id_issued_at"] = json!(provider.now());
    document["registration_client_uri"] = json!(provider.at(&format!("/register/{id}")));
    document["registration_access_token"] = json!(access_token);
    let registration = Registration { access_token, document: document.clone() };
    provider.clients_mut().register(client, registration);
    Ok(document)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let media_type = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}

/// `GET /register/{id}` (RFC 7592 §2.1).
pub(crate) async fn read(
    State(provider): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match registration(&provider, &id, &headers) {
        Some(registration) => Json(&registration.document).into_response(),
        None => refused(),
    }
}

/// `DELETE /register/{id}` (RFC 7592 §2.3): the client's tokens end with it.
pub(crate) async fn remove(
    State(provider): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if registration(&provider, &id, &headers).is_none() {
        return refused();
    }
    provider.clients_mut().remove(&id);
    provider.grants().end_all_of(&id);
    StatusCode::NO_CONTENT.into_response()
}

/// The registration that the request has the token of. An unknown id looks like a wrong token.
fn registration(provider: &Provider, id: &str, headers: &HeaderMap) -> Option<Arc<Registration>> {
    let credentials = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = credentials.split_once(' ')?;
    let registration = provider.clients().registration(id)?;
    let proven = scheme.eq_ignore_ascii_case("bearer")
        && secret::same(token.trim(), &registration.access_token);
    proven.then_some(registration)
}

fn refused() -> Response {
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")];
    let body = Json(json!({ "error": "invalid_token" }));
    (StatusCode::UNAUTHORIZED, challenge, body).into_response()
}
