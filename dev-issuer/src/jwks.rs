//! `GET /jwks`: the public keys (RFC 7517 §5).

use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::faults::Effect;
use crate::provider::Shared;

/// How long a client may keep what discovery and this document say.
pub(crate) const MAY_BE_KEPT: (axum::http::HeaderName, &str) = (CACHE_CONTROL, "max-age=300");

pub(crate) async fn serve(State(provider): State<Shared>) -> Response {
    let mut keys = provider.keys().documents();
    for change in provider.faults.take(|effect| match effect {
        Effect::Keys(change) => Some(change),
        _ => None,
    }) {
        change(&mut keys);
    }
    ([MAY_BE_KEPT], Json(json!({ "keys": keys }))).into_response()
}
