//! The routes, and what holds for every request.
//!
//! | route | answer |
//! | --- | --- |
//! | `GET /public` | 200 with [`messages::PUBLIC`] |
//! | `GET /private` | 200 with [`messages::PRIVATE`] for a good token, else 400, 401, 403 or 503 |
//! | `GET /private/recent` | the same for a sign-in at most five minutes old, with [`messages::RECENT`] |
//! | `GET /.well-known/oauth-protected-resource` | what a client must know to get a token |
//! | `GET /healthz` | 200 while the process serves |

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRef, Request, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::auth::{Authenticated, StepUp, Verifier, require_token};
use crate::claims::Scope;
use crate::error::{Rejection, as_json};
use crate::messages::{self, Form};
use crate::metadata::WELL_KNOWN;

/// From the request's head to the answer's. Twice what a fetch of the issuer's keys may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// How long ago the sign-in behind a recent token may be.
const RECENT_AGE: Duration = Duration::from_mins(5);

/// Clients may keep the metadata for an hour.
const METADATA_FRESH: &str = "public, max-age=3600";

/// Bytes. No route reads a body.
const BODY_LIMIT: usize = 16 * 1024;

/// What the handlers share.
#[derive(Clone, FromRef)]
#[non_exhaustive]
pub struct Api {
    /// Checks the tokens.
    pub verifier: Arc<Verifier>,
    /// What a token must have been granted to read the private messages, if anything.
    pub required_scope: Option<Scope>,
    /// What the sign-in behind a token must be like to read the recent message.
    pub recent: StepUp,
}

impl Api {
    /// An API that asks for no scope, and for a sign-in at most five minutes old where one must be
    /// recent.
    pub fn new(verifier: Arc<Verifier>) -> Self {
        Self { verifier, required_scope: None, recent: StepUp::within(RECENT_AGE) }
    }

    fn require_scope(&self, caller: &Authenticated) -> Result<(), Rejection> {
        self.required_scope.as_ref().map_or(Ok(()), |scope| caller.require_scope(scope))
    }
}

/// The whole API as one service.
pub fn router(api: Api) -> Router {
    // On the methods that exist alone: any other is 405, for whomever.
    let protected = from_fn_with_state(Arc::clone(&api.verifier), require_token);
    let routes = metadata_routes(&api.verifier);
    routes
        .route("/public", get(public))
        .route("/private", get(private).route_layer(protected.clone()))
        .route("/private/recent", get(recent).route_layer(protected))
        .route("/healthz", get(healthz))
        .with_state(api)
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_LIMIT))
        .layer(map_response(as_json))
        .layer(TraceLayer::new_for_http().make_span_with(span))
}

/// The metadata is where the identifier's path puts it, and at the plain address too.
fn metadata_routes(verifier: &Verifier) -> Router<Api> {
    let path = verifier.metadata_path();
    let routes = Router::new().route(WELL_KNOWN, get(metadata));
    if path == WELL_KNOWN { routes } else { routes.route(&path, get(metadata)) }
}

async fn metadata(State(api): State<Api>) -> impl IntoResponse {
    let metadata = api.verifier.metadata().with_scopes(&api.required_scope);
    ([(CACHE_CONTROL, METADATA_FRESH)], Json(metadata))
}

async fn public(form: Form) -> Response {
    form.of(messages::PUBLIC)
}

async fn private(
    State(api): State<Api>,
    caller: Authenticated,
    form: Form,
) -> Result<impl IntoResponse, Rejection> {
    api.require_scope(&caller)?;
    Ok(([(CACHE_CONTROL, "no-store")], form.of(messages::PRIVATE)))
}

async fn recent(
    State(api): State<Api>,
    caller: Authenticated,
    form: Form,
) -> Result<impl IntoResponse, Rejection> {
    api.require_scope(&caller)?;
    caller.require_sign_in(&api.recent)?;
    Ok(([(CACHE_CONTROL, "no-store")], form.of(messages::RECENT)))
}

async fn healthz() -> &'static str {
    "ok"
}

/// What the log says about a request: neither headers nor the query, where a token could stand.
fn span(request: &Request) -> tracing::Span {
    tracing::info_span!("request", method = %request.method(), path = request.uri().path())
}
