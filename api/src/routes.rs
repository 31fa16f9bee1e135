//! The routes, and what holds for every request.
//!
//! | route | answer |
//! | --- | --- |
//! | `GET /public` | 200 with [`messages::PUBLIC`] |
//! | `GET /private` | 200 with [`messages::PRIVATE`] for a good token, else 400, 401, 403 or 503 |
//! | `GET /healthz` | 200 while the process serves |

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRef, Request, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::auth::{Authenticated, Verifier, require_token};
use crate::claims::Scope;
use crate::error::{Rejection, as_json};
use crate::messages::{self, Form};

/// From the request's head to the answer's. Twice what a fetch of the issuer's keys may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// Bytes. No route reads a body.
const BODY_LIMIT: usize = 16 * 1024;

/// What the handlers share.
#[derive(Clone, FromRef)]
pub struct Api {
    /// Checks the tokens.
    pub verifier: Arc<Verifier>,
    /// What a token must have been granted to read the private message, if anything.
    pub required_scope: Option<Scope>,
}

/// The whole API as one service.
pub fn router(api: Api) -> Router {
    // On the methods that exist alone: any other is 405, for whomever.
    let protected = from_fn_with_state(Arc::clone(&api.verifier), require_token);
    Router::new()
        .route("/public", get(public))
        .route("/private", get(private).route_layer(protected))
        .route("/healthz", get(healthz))
        .with_state(api)
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_LIMIT))
        .layer(map_response(as_json))
        .layer(TraceLayer::new_for_http().make_span_with(span))
}

async fn public(form: Form) -> Response {
    form.of(messages::PUBLIC)
}

async fn private(
    State(api): State<Api>,
    caller: Authenticated,
    form: Form,
) -> Result<impl IntoResponse, Rejection> {
    if let Some(scope) = &api.required_scope {
        caller.require_scope(scope)?;
    }
    Ok(([(CACHE_CONTROL, "no-store")], form.of(messages::PRIVATE)))
}

async fn healthz() -> &'static str {
    "ok"
}

/// What the log says about a request: neither headers nor the query, where a token could stand.
fn span(request: &Request) -> tracing::Span {
    tracing::info_span!("request", method = %request.method(), path = request.uri().path())
}
