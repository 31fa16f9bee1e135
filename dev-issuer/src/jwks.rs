//! `GET /jwks`: the public keys (RFC 7517 §5).

use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};

use crate::provider::Shared;

/// How long a client may keep what discovery and this document say.
pub(crate) const MAY_BE_KEPT: (axum::http::HeaderName, &str) = (CACHE_CONTROL, "max-age=300");

pub(crate) async fn serve(State(provider): State<Shared>) -> Response {
    let document = provider.keys().document();
    ([MAY_BE_KEPT], Json(document)).into_response()
}
